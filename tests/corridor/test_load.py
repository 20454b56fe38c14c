"""Folders to corridors."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karvan.corridor import (
    OPTIONAL_TABLES,
    TABLES,
    Corridor,
    check_corridor,
    corridor_folder,
    load_corridor,
    new_corridor,
    packaged_corridors,
)
from karvan.errors import DataError
from tests.broken.cases import add, remove, swap

TWO_PORTS = load_corridor("two-ports")


def test_two_ports_has_no_problem() -> None:
    assert check_corridor("two-ports") == []
    assert "two-ports" in packaged_corridors()


def test_every_table_is_there_in_declared_order(two_ports: Corridor) -> None:
    assert list(two_ports.tables) == list(TABLES)
    for name, frame in two_ports.tables.items():
        assert frame.schema == pl.Schema({column: declared.dtype for column, declared in TABLES[name].columns().items()})


def test_corridor_cannot_be_changed(two_ports: Corridor) -> None:
    with pytest.raises(TypeError):
        two_ports.tables["links"] = pl.DataFrame()
    with pytest.raises(AttributeError):
        two_ports.manifest = None


@pytest.mark.parametrize("table", sorted(OPTIONAL_TABLES))
def test_optional_table_may_be_absent(table: str, two_ports_folder: Path) -> None:
    simulated = ("arrivals", "passages", "ships", "calls", "crossings", "berths", "closures", "systems")  # each refers to some behind it
    with_it = {"journeys": ("observations",), "fleet": ("ships",)} | dict.fromkeys(simulated, simulated)
    for name in (table, *with_it.get(table, ())):  # observations may be about journeys
        (two_ports_folder / f"{name}.csv").unlink(missing_ok=True)
    assert load_corridor(two_ports_folder).tables[table].height == 0


@pytest.mark.parametrize("table", sorted(set(TABLES) - OPTIONAL_TABLES))
def test_required_table_must_be_there(table: str, two_ports_folder: Path) -> None:
    remove(f"{table}.csv")(two_ports_folder)
    assert (table, None) in {(problem.table, problem.row) for problem in check_corridor(two_ports_folder)}


def test_unknown_name_lists_packaged_corridors() -> None:
    with pytest.raises(DataError, match="two-ports"):
        load_corridor("two-prts")


def test_packaged_name_and_folder_are_found(two_ports_folder: Path) -> None:
    assert (corridor_folder("two-ports") / "links.csv").is_file()
    assert corridor_folder(two_ports_folder) == two_ports_folder
    assert load_corridor(two_ports_folder).hash == load_corridor(str(two_ports_folder)).hash == load_corridor("two-ports").hash


def test_empty_cell_takes_its_default_and_is_recorded(two_ports_folder: Path) -> None:
    swap("facilities.csv", ",6000,1,1,", ",6000,,1,")(two_ports_folder)
    corridor = load_corridor(two_ports_folder)
    assert corridor.tables["facilities"]["availability_share"].to_list() == [1.0]
    assert corridor.defaults_filled.rows() == [("facilities", "ferry", "availability_share", "1.0")]


def test_absent_column_takes_its_default_and_is_recorded(two_ports_folder: Path) -> None:
    (two_ports_folder / "observations.csv").unlink()
    add(
        "observations.csv",
        "observation_id,family,quantity,element_id,commodity_groups,form,origin_regions,destination_regions,year,value,unit,scope,source,confidence",
        "sea_2024,volume,cordon_mt,sea_crossing,any,any,any,any,2024,6,Mt,All,teaching,estimate",
    )(two_ports_folder)
    corridor = load_corridor(two_ports_folder)
    assert corridor.tables["observations"]["used_in_calibration"].to_list() == [False]
    assert corridor.tables["observations"]["low"].to_list() == [None]
    assert corridor.defaults_filled.rows() == [("observations", "sea_2024", "used_in_calibration", "False")]


def test_windows_line_ends_byte_order_mark_and_capital_true_are_accepted(two_ports_folder: Path) -> None:
    for path in two_ports_folder.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            text = text.replace(",true,", ",TRUE,")
        path.write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert load_corridor(two_ports_folder).hash == load_corridor("two-ports").hash


def test_quoted_text_may_hold_commas_and_letters_of_any_script(two_ports_folder: Path) -> None:
    swap("places.csv", "East Port", '"Порт, ""Östhafen"""')(two_ports_folder)
    assert load_corridor(two_ports_folder).tables["places"]["name"][0] == 'Порт, "Östhafen"'


@settings(max_examples=30)  # each hashes a whole corridor
@given(st.permutations(range(3)), st.permutations(range(13)))
def test_order_of_rows_and_columns_does_not_change_the_hash(rows: list[int], columns: list[int]) -> None:
    corridor = TWO_PORTS
    links = corridor.tables["links"]
    moved = links[rows].select(links.columns[place] for place in columns)
    other = Corridor(
        manifest=corridor.manifest,
        tables={**corridor.tables, "links": moved},
        measures_text=dict(reversed(corridor.measures_text.items())),
        scenarios_text=corridor.scenarios_text,
        defaults_filled=corridor.defaults_filled,
    )
    assert other.hash == corridor.hash


@pytest.mark.parametrize(
    "edit",
    [
        swap("facilities.csv", ",6000,", ",6000.000001,"),
        swap("corridor.yaml", "2024-12-31", "2024-12-30"),
        swap("measures/bigger_ferry.yaml", "7000.0", "7001.0"),
        swap("scenarios/agreed.yaml", "[bigger_ferry]", "[]"),
        add("regions.csv", "north,North,XC,teaching,estimate"),
    ],
)
def test_any_content_changes_the_hash(edit: object, two_ports: Corridor, two_ports_folder: Path) -> None:
    assert callable(edit)
    edit(two_ports_folder)
    assert load_corridor(two_ports_folder).hash != two_ports.hash


def test_new_corridor_loads_and_holds_the_same(two_ports: Corridor, tmp_path: Path) -> None:
    made = new_corridor(tmp_path / "deep" / "case")
    assert load_corridor(made).hash == two_ports.hash
    assert [path.name for path in made.parent.iterdir()] == ["case"]


def test_new_corridor_takes_an_empty_folder_and_refuses_another(tmp_path: Path) -> None:
    assert new_corridor(tmp_path / "case").is_dir()
    (tmp_path / "empty").mkdir()
    new_corridor(tmp_path / "empty")
    with pytest.raises(DataError, match="not an empty folder"):
        new_corridor(tmp_path / "case")
    with pytest.raises(DataError, match="not an empty folder"):
        new_corridor(tmp_path / "case" / "links.csv")


def test_readme_and_hidden_files_are_let_be(two_ports_folder: Path) -> None:
    for name in ("NOTES.md", "README.txt", ".DS_Store", "measures/about.md"):
        (two_ports_folder / name).write_text("Notes", encoding="utf-8", newline="\n")
    assert check_corridor(two_ports_folder) == []
