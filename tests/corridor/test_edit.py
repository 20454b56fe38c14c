"""Values and folders laid over a corridor."""

from __future__ import annotations

from pathlib import Path

import pytest

from karvan.corridor import Corridor, overlay, with_value
from karvan.errors import DataError
from tests.broken.cases import add


def test_with_value_replaces_one_value_and_says_so(two_ports: Corridor) -> None:
    changed, record = with_value(two_ports, "facilities.ferry.nominal", "7000")
    assert changed.tables["facilities"]["nominal"].to_list() == [7000.0]
    assert record == {"table": "facilities", "row": "ferry", "column": "nominal", "old": 6000.0, "new": 7000.0}
    assert two_ports.tables["facilities"]["nominal"].to_list() == [6000.0]
    assert changed.hash != two_ports.hash


def test_with_value_reads_every_type(two_ports: Corridor) -> None:
    changed, _ = with_value(two_ports, "links.sea_east_west.is_open", "false")
    changed, record = with_value(changed, "permissions.pass_closed_to_grain.from_date", "2025-07-01")
    changed, _ = with_value(changed, "growth.steady|2025.rate_share_per_year", "0.01")
    changed, _ = with_value(changed, "links.sea_east_west.note", "Rough")
    changed, _ = with_value(changed, "facilities.ferry.unit", "kvehicles")
    assert changed.tables["links"]["is_open"].to_list() == [False, True, True]
    assert record["new"] == "2025-07-01"
    assert changed.tables["growth"]["rate_share_per_year"].to_list() == [0.01]
    assert changed.tables["facilities"]["unit"].to_list() == ["kvehicles"]


def test_setting_the_same_value_changes_no_hash(two_ports: Corridor) -> None:
    changed, _ = with_value(two_ports, "facilities.ferry.nominal", "6000")
    assert changed.hash == two_ports.hash


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("facilities", "1", "TABLE.ID.COLUMN"),
        ("facilities.ferry", "1", "TABLE.ID.COLUMN"),
        ("facility.ferry.nominal", "1", "did you mean facilities"),
        ("facilities.fery.nominal", "1", "did you mean ferry"),
        ("facilities.ferry.nomnal", "1", "did you mean nominal"),
        ("facilities.ferry.facility_id", "x", "key"),
        ("facilities.ferry.nominal", "-1", "0 or more"),
        ("facilities.ferry.nominal", "many", "finite number"),
        ("facilities.ferry.nominal", "inf", "finite"),
        ("facilities.ferry.nominal", "", "is empty"),
        ("facilities.ferry.unit", "tonnes", "one of kt"),
        ("links.sea_east_west.to_place", "west_prt", "west_port"),
        ("links.sea_east_west.to_place", "east_port", "another place"),
    ],
)
def test_with_value_refuses_what_does_not_fit(two_ports: Corridor, path: str, value: str, words: str) -> None:
    with pytest.raises(DataError) as raised:
        with_value(two_ports, path, value)
    assert words in str(raised.value)


def test_overlay_replaces_and_adds_rows(two_ports: Corridor, tmp_path: Path) -> None:
    add("sources.csv", "source_id,title", "own_survey,Own survey")(tmp_path)
    add(
        "facilities.csv",
        "facility_id,name,kind,operator_id,unit,nominal,source,confidence",
        "ferry,The ferry,shipping_service,sea_line,kt,6500,own_survey,sourced",
        "berth,West berth,berth,sea_line,kt,9000,own_survey,sourced",
    )(tmp_path)
    changed, replaced = overlay(two_ports, tmp_path)
    assert changed.tables["facilities"]["nominal"].to_list() == [6500.0, 9000.0]
    assert replaced == [
        {"table": "facilities", "row": "ferry", "column": "source", "old": "teaching", "new": "own_survey"},
        {"table": "facilities", "row": "ferry", "column": "confidence", "old": "estimate", "new": "sourced"},
        {"table": "facilities", "row": "ferry", "column": "nominal", "old": 6000.0, "new": 6500.0},
        {"table": "facilities", "row": "berth", "column": None, "old": None, "new": "row"},
        {"table": "sources", "row": "own_survey", "column": None, "old": None, "new": "row"},
    ]
    assert ("facilities", "berth", "peak_factor", "1.0") in changed.defaults_filled.rows()
    assert two_ports.tables["facilities"].height == 1


def test_overlay_takes_measures_and_scenarios(two_ports: Corridor, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    add("scenarios/quiet.yaml", "id: quiet", "title: Nothing", "extends: baseline")(tmp_path)
    changed, replaced = overlay(two_ports, tmp_path)
    assert "quiet" in changed.scenarios_text
    assert [record["row"] for record in replaced] == ["quiet"]


def test_overlay_refuses_rows_that_do_not_fit(two_ports: Corridor, tmp_path: Path) -> None:
    header = "operator_id,name,country,source,confidence"
    add("operators.csv", header, "new_line,New Line,XA,hearsay,sourced")(tmp_path)
    with pytest.raises(DataError, match=r"source is 'hearsay', must stand in sources.csv"):
        overlay(two_ports, tmp_path)


@pytest.mark.parametrize("name", ["corridor.yaml", "linkz.csv"])
def test_overlay_refuses_files_it_has_no_place_for(name: str, two_ports: Corridor, tmp_path: Path) -> None:
    add(name, "x")(tmp_path)
    with pytest.raises(DataError, match="unknown file"):
        overlay(two_ports, tmp_path)


def test_overlay_refuses_nothing(two_ports: Corridor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold at least one"):
        overlay(two_ports, tmp_path)
    with pytest.raises(DataError, match="must be a folder"):
        overlay(two_ports, tmp_path / "absent")
