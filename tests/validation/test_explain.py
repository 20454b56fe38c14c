"""Where a number comes from and what rests on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.corridor import TABLES, Corridor, load_corridor, range_of
from karvan.errors import DataError
from karvan.report.provenance import explain_lines
from karvan.results import load_run, newest_run
from karvan.validation import explain, references_of


def value_of(match: dict, column: str) -> dict:
    return next(item for item in match["values"] if item["column"] == column)


def only(corridor: Corridor, name: str, **options: object) -> dict:
    (match,) = explain(corridor, name, **options)["matches"]
    return match


def test_a_value_with_its_own_range(two_ports: Corridor) -> None:
    nominal = value_of(only(two_ports, "ferry"), "nominal")
    assert (nominal["value"], nominal["unit"], nominal["low"], nominal["high"]) == (6000.0, "kt", 5500.0, 6500.0)
    assert (nominal["source"], nominal["confidence"], nominal["is_default_range"]) == ("teaching", "estimate", False)
    assert nominal["doc"].startswith("Nominal capacity")


def test_an_estimate_without_a_range_takes_that_of_its_column(two_ports: Corridor) -> None:
    time = value_of(only(two_ports, "sea_east_west"), "time_h")
    # 30 h, default range 0.8 to 1.25 of the value
    assert (time["value"], time["unit"], time["low"], time["high"], time["is_default_range"]) == (30.0, "h", 24.0, 37.5, True)


def test_range_of_follows_provenance_then_the_column(two_ports: Corridor) -> None:
    tables = two_ports.tables
    assert range_of(tables, "facilities", "ferry", "nominal") == (5500.0, 6500.0, None, "teaching", "estimate")
    assert range_of(tables, "links", "sea_east_west", "time_h") == (24.0, 37.5, "Invented.", "teaching", "estimate")
    assert range_of(tables, "links", "no_such_link", "time_h") is None
    assert range_of(tables, "links", "sea_east_west", "mode") is None


def test_range_of_does_without_default_ranges(two_ports: Corridor) -> None:
    tables = {name: frame for name, frame in two_ports.tables.items() if name != "default_ranges"}
    assert range_of(tables, "links", "sea_east_west", "time_h") is None
    assert range_of(tables, "facilities", "ferry", "nominal") is not None


def test_a_sourced_value_takes_no_default_range_and_a_negative_one_keeps_its_order(two_ports: Corridor) -> None:
    links = two_ports.tables["links"]
    sourced = links.with_columns(confidence=pl.lit("sourced", dtype=links.schema["confidence"]))
    assert range_of({**two_ports.tables, "links": sourced}, "links", "sea_east_west", "time_h") is None
    places = two_ports.tables["places"].with_columns(lon_deg=pl.lit(-10.0))
    wider = two_ports.tables["default_ranges"].with_columns(low_ratio=pl.lit(0.9), high_ratio=pl.lit(1.2))
    found = range_of({**two_ports.tables, "places": places, "default_ranges": wider}, "places", "east_port", "lon_deg")
    assert found is not None
    assert found[:2] == (-12.0, -9.0)


def test_what_refers_to_a_row_is_counted(two_ports: Corridor) -> None:
    match = only(two_ports, "sea_east_west")
    named = {(item["table"], item["column"]): item["ids"] for item in match["referred_by"]}
    assert named["cordons", "link_id"] == ["sea_crossing|sea_east_west|both|any"]
    assert named["route_families", "via_any"] == ["sea"]
    assert named["facility_uses", "link_id"] == ["ferry_crossing"]
    assert match["facilities"] == ["ferry"]


def test_a_place_names_the_facilities_of_its_terminals(two_ports: Corridor) -> None:
    match = only(two_ports, "east_port")
    assert {item["table"] for item in match["referred_by"]} >= {"links", "region_places"}


def test_measures_that_change_a_row_stand_in_order_of_date_with_their_scenarios(two_ports: Corridor) -> None:
    measures = only(two_ports, "ferry")["measures"]
    assert [item["measure_id"] for item in measures] == ["joint_timetable", "bigger_ferry"]
    assert measures[1]["changes"] == [{"kind": "set", "columns": {"nominal": 7000.0}}]
    assert [item["scenario_id"] for item in measures[1]["scenarios"]] == ["agreed"]


def test_one_column_is_told_alone(two_ports: Corridor) -> None:
    match = only(two_ports, "facilities.ferry.nominal")
    assert [item["column"] for item in match["values"]] == ["nominal"]
    assert len(match["measures"]) == 2
    assert only(two_ports, "facilities.ferry.other_load")["measures"] == []
    assert only(two_ports, "facilities.ferry")["row"] == "ferry"


def test_a_name_of_several_rows_groups_them(two_ports: Corridor) -> None:
    cordon = only(two_ports, "sea_crossing")
    assert (cordon["table"], cordon["rows"]) == ("cordons", ["sea_crossing|sea_east_west|both|any"])
    assert {"table": "corridor.yaml", "column": "headline_cordon", "count": 1, "ids": ["two-ports"]} in cordon["referred_by"]
    assert only(two_ports, "steady")["rows"] == ["steady|2025"]
    assert only(two_ports, "steady|2025")["row"] == "steady|2025"


def test_measures_and_scenarios_are_explained(two_ports: Corridor) -> None:
    measure = only(two_ports, "bigger_ferry")
    assert (measure["table"], value_of(measure, "capital_musd")["value"]) == ("measures", 40.0)
    assert measure["changes"] == [{"table": "facilities", "kind": "set", "columns": {"nominal": 7000.0}, "count": 1, "rows": ["ferry"]}]
    scenario = only(two_ports, "agreed")
    assert [item["measure_id"] for item in scenario["measures"]] == ["bigger_ferry"]
    assert {"table": "corridor.yaml", "column": "headline_scenario", "count": 1, "ids": ["two-ports"]} in scenario["referred_by"]
    assert only(two_ports, "baseline")["referred_by"][0] == {"table": "scenarios", "column": "extends", "count": 1, "ids": ["agreed"]}


def test_a_measure_names_the_promises_that_it_serves(two_ports: Corridor) -> None:
    commitments = two_ports.tables["commitments"].with_columns(measures=pl.lit("joint_timetable;bigger_ferry"))
    corridor = replace(two_ports, tables={**two_ports.tables, "commitments": commitments})
    served = {"table": "commitments", "column": "measures", "count": 2, "ids": ["sea_seven", "sea_friendship"]}
    assert served in only(corridor, "bigger_ferry")["referred_by"]


def test_a_row_has_other_names(two_ports: Corridor) -> None:
    places = two_ports.tables["places"].with_columns(
        unlocode=pl.when(pl.col("place_id") == "east_port").then(pl.lit("XAEAS")),
        aliases=pl.when(pl.col("place_id") == "east_port").then(pl.lit("Old Harbour; Eastport")),
    )
    corridor = replace(two_ports, tables={**two_ports.tables, "places": places})
    for name in ("XAEAS", "xaeas", "eastport", "Old Harbour", "East Port", "EAST_PORT"):
        assert only(corridor, name)["row"] == "east_port"


def test_a_word_of_two_tables_gives_both_and_a_table_chooses(two_ports: Corridor) -> None:
    operators = two_ports.tables["operators"].with_columns(operator_id=pl.col("operator_id").replace("land_railway", "ferry"))
    corridor = replace(two_ports, tables={**two_ports.tables, "operators": operators})
    answer = explain(corridor, "ferry")
    assert [match["table"] for match in answer["matches"]] == ["facilities", "operators"]
    told = explain_lines(answer)
    assert told[0].startswith("facilities.")
    assert any("also stands in other tables; ask for operators." in line for line in told)
    assert not any(line.startswith("operators.") for line in told)
    assert only(corridor, "ferry", table="operators")["table"] == "operators"


def test_a_row_that_says_more_of_another_stands_with_it_and_alone_when_chosen(two_ports: Corridor) -> None:
    assert {"table": "delay_curves", "column": "facility_id", "count": 1, "ids": ["ferry"]} in only(two_ports, "ferry")["referred_by"]
    assert only(two_ports, "ferry", table="delay_curves")["table"] == "delay_curves"
    assert only(two_ports, "delay_curves.ferry")["table"] == "delay_curves"


def test_a_filled_default_is_told(two_ports_folder: Path) -> None:
    path = two_ports_folder / "facilities.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",6000,1,1,1,0,", ",6000,,1,1,0,"), encoding="utf-8")
    share = value_of(only(load_corridor(two_ports_folder), "ferry"), "availability_share")
    assert (share["value"], share["is_default"]) == (1.0, True)
    assert value_of(only(load_corridor(two_ports_folder), "ferry"), "peak_factor")["is_default"] is False


def test_a_row_that_only_a_measure_adds_is_explained(two_ports_folder: Path) -> None:
    row = (
        "{facility_id: tunnel, name: Tunnel, kind: rail_section, operator_id: land_railway, unit: kt, nominal: 900.0, source: teaching,"
        " confidence: estimate}"
    )
    text = (
        "id: tunnel_opens\ntitle: Tunnel\nfrom_date: 2030-01-01\nstatus: option\nsource: teaching\nconfidence: estimate\ndoc: A tunnel.\n"
        f"changes:\n  - {{table: facilities, add: [{row}]}}\n"
    )
    (two_ports_folder / "measures" / "tunnel_opens.yaml").write_text(text, encoding="utf-8")
    match = only(load_corridor(two_ports_folder), "tunnel")
    assert (match["added_by"], match["measures"][0]["measure_id"]) == (["tunnel_opens"], "tunnel_opens")
    assert "The tables do not have this row" in "\n".join(explain_lines({"id": "tunnel", "matches": [match]}))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fery", "did you mean ferry"),
        ("facilities", "facilities is a table"),
        ("facilities.fery", "table facilities has no row fery; did you mean ferry"),
        ("facilities.ferry.nominl", "no column nominl; did you mean nominal"),
    ],
)
def test_an_unknown_name_gets_the_nearest(two_ports: Corridor, name: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        explain(two_ports, name)


def test_an_unknown_table_is_told(two_ports: Corridor) -> None:
    with pytest.raises(DataError, match="there is no table facility; did you mean facilities"):
        explain(two_ports, "ferry", table="facility")
    with pytest.raises(DataError, match="ferry is not a name of table links"):
        explain(two_ports, "ferry", table="links")


def test_every_key_of_every_table_is_explained() -> None:
    corridor = load_corridor("middle-corridor")
    known = references_of(corridor)
    wide = []
    for table in TABLES:
        for key in known.rows[table]:
            answer = explain(corridor, key, table=table, references=known)
            assert [match["row"] for match in answer["matches"]] == [key]
            wide += [line for line in explain_lines(answer) if len(line) > 100 and "http" not in line]
    for name in (*known.measures, *known.scenarios):
        wide += [line for line in explain_lines(explain(corridor, name, references=known)) if len(line) > 100 and "http" not in line]
    for column in ("cordons", "growth", "currencies", "modes"):
        for name in {key.partition("|")[0] for key in known.rows[column]}:
            wide += [line for line in explain_lines(explain(corridor, name, references=known)) if len(line) > 100 and "http" not in line]
    assert wide == []


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "one"
    kv.run(load_corridor("two-ports"), scenario="agreed", years=(2024, 2027), out=folder)
    return folder


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("ferry", "flow", 7000.0),
        ("sea_east_west", "forward_kt", 7000.0),
        ("sea_crossing", "scenario_kt", 7000.0),
        ("sea", "scenario_kt", 7000.0),
        ("sea_line", "scenario_musd", 700.0),  # 7,000 kt at 100 USD/t
        ("agreed", "corridor_mt", 7.0),
    ],
)
def test_a_run_says_what_the_model_makes_of_it(two_ports: Corridor, run_folder: Path, name: str, key: str, expected: float) -> None:
    results = only(two_ports, name, saved=load_run(run_folder))["results"]
    assert results["is_of_this_corridor"] is True
    assert results["rows"][-1]["year"] == 2027
    assert results["rows"][-1][key] == pytest.approx(expected, rel=1e-5)  # the solver's own tolerance is 1e-6


@pytest.mark.parametrize("name", ["grain_east_west", "east", "grain"])
def test_a_run_splits_a_market_by_family(two_ports: Corridor, run_folder: Path, name: str) -> None:
    rows = only(two_ports, name, saved=load_run(run_folder))["results"]["rows"]
    flows = {(row["year"], row["family_id"]): row["scenario_kt"] for row in rows}
    assert flows[2027, "sea"] == pytest.approx(7000.0, rel=1e-5)
    assert flows[2024, "land"] == pytest.approx(4000.0, rel=1e-5)  # 10,000 kt less the ferry's 6,000
    assert set(flows) == {(year, family) for year in (2024, 2027) for family in ("land", "sea")}


def test_a_run_judges_promises_and_dates_measures(two_ports: Corridor, run_folder: Path) -> None:
    saved = load_run(run_folder)
    assert only(two_ports, "sea_seven", saved=saved)["results"]["rows"][0]["verdict"] == "on_course"
    assert only(two_ports, "bigger_ferry", saved=saved)["results"]["rows"][0]["from_date"] == "2027-01-01"
    assert only(two_ports, "joint_timetable", saved=saved)["results"]["rows"] == []
    assert only(two_ports, "sea_2024", saved=saved)["results"]["rows"][0]["published"] == 6.0
    assert only(two_ports, "east_port", saved=saved)["results"] is None


def test_the_newest_run_of_this_very_corridor_is_found(two_ports: Corridor, run_folder: Path) -> None:
    found = newest_run(two_ports, place=run_folder.parent)
    assert found is not None
    assert found.folder == run_folder
    other, _ = kv.with_value(two_ports, "facilities.ferry.nominal", "6100")
    assert newest_run(other, place=run_folder.parent) is None
    results = only(other, "ferry", saved=load_run(run_folder))["results"]
    assert results["is_of_this_corridor"] is False


def test_a_folder_without_a_run_is_refused(two_ports_folder: Path) -> None:
    with pytest.raises(DataError, match="is not a run"):
        load_run(two_ports_folder)


def test_lines_fit_a_terminal_with_results(two_ports: Corridor, run_folder: Path) -> None:
    known, saved = references_of(two_ports), load_run(run_folder)
    for table in TABLES:
        for key in known.rows[table]:
            lines = explain_lines(explain(two_ports, key, table=table, saved=saved, references=known))
            assert max(len(line) for line in lines) <= 100


def test_text_names_source_range_and_what_it_enters(two_ports: Corridor) -> None:
    text = "\n".join(explain_lines(explain(two_ports, "ferry")))
    assert "6,000 (5,500 .. 6,500) kt" in text
    assert "[1] Invented for teaching" in text
    assert "facility_uses.facility_id, 1 row: ferry_crossing" in text
    assert "2027-01-01  bigger_ferry, announced: sets nominal to 7,000. In agreed." in text
    assert "`karvan run` would add what the model makes of it." in text
