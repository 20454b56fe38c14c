"""What a server answers about the case, its runs and their tables, against the model's own functions."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import polars as pl
import pytest

from karvan.report import compare_screens, screen
from karvan.results import compare_runs, load_run
from karvan.validation import explain, inputs


def answer(opened, path, **query):
    found = opened.client.get(path, params=query)
    assert found.status_code == 200, found.text
    return found.json()


def problem(opened, path, **query):
    found = opened.client.get(path, params=query)
    return found.status_code, found.json()["problems"][0]


def folder(opened, run_id):
    return opened.server.settings.runs / run_id


def test_the_case_is_told_with_measures_and_assumptions(opened):
    case = answer(opened, "/api/corridor")
    assert case["corridor"] == "two-ports"
    assert [item["scenario_id"] for item in case["scenarios"]] == ["agreed", "baseline", "history"]
    assert {item["measure_id"] for item in case["measures"]} == {"bigger_ferry", "joint_timetable", "pass_closed"}
    capacity = next(item for item in case["assumptions"] if item["ref"] == "facilities.ferry.nominal")
    assert (capacity["value"], capacity["unit"], capacity["live"]) == (6000.0, "kt", "at_once")
    assert next(item for item in case["assumptions"] if item["table"] == "growth")["live"] == "in_a_run"


def test_every_input_is_listed_and_can_be_looked_for(opened, two_ports):
    everything = inputs(two_ports)
    assert answer(opened, "/api/sources", limit=1)["count"] == everything.height
    found = answer(opened, "/api/sources", q="ferry NOMINAL")
    assert [row["ref"] for row in found["inputs"]] == ["facilities.ferry.nominal"]
    assert answer(opened, "/api/sources", confidence="sourced")["count"] == everything.filter(pl.col("confidence") == "sourced").height
    listed = opened.client.get("/api/sources", params={"table": "tariffs", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(listed.text)))
    assert [row["ref"] for row in rows] == everything.filter(pl.col("table") == "tariffs")["ref"].to_list()


def test_runs_are_listed_by_name(opened, plain_run, other_run):
    runs = {item["run_id"]: item for item in answer(opened, "/api/runs")["runs"]}
    assert runs[plain_run]["name"] == "plain"
    assert runs[plain_run]["is_of_this_case"]
    assert runs[other_run]["options"]["set"] == ["tariffs.sea_bulk.rate=90"]
    assert runs[other_run]["is_of_this_case"]
    assert runs[plain_run]["last"]["corridor_mt"] == pytest.approx(7.0, rel=1e-6)


def test_the_screen_is_the_document_of_the_run(opened, plain_run):
    shelf = opened.server.shelf
    told = answer(opened, f"/api/runs/{plain_run}/screen")
    assert told["run"]["run_id"] == plain_run
    assert told == json.loads(json.dumps(screen(shelf.saved(plain_run), shelf.corridor_of(plain_run))))


def test_the_report_can_call_nobody(opened, plain_run):
    found = opened.client.get(f"/api/runs/{plain_run}/report")
    assert found.text == (folder(opened, plain_run) / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert "sandbox" in found.headers["content-security-policy"]


def test_tables_are_listed_with_units(opened, plain_run):
    listed = {item["name"]: item for item in answer(opened, f"/api/runs/{plain_run}/tables")["tables"]}
    assert {"links", "facilities", "families", "journeys", "routes", "market_results"} <= set(listed)
    assert "geojson" in listed["links"]["formats"]
    assert "geojson" not in listed["families"]["formats"]
    assert {"name": "forward_kt", "type": "number", "unit": "kt"} in listed["links"]["columns"]


def test_a_table_is_filtered_sorted_and_cut(opened, plain_run):
    asked = {
        "filter": ["case:eq:scenario", "year:ge:2026"],
        "sort": ["-forward_kt", "link_id"],
        "columns": ["link_id", "year", "forward_kt"],
    }
    found = answer(opened, f"/api/runs/{plain_run}/tables/links", **asked, limit=2, offset=1)
    whole = pl.read_parquet(folder(opened, plain_run) / "links.parquet").filter((pl.col("case") == "scenario") & (pl.col("year") >= 2026))
    wanted = whole.sort("forward_kt", "link_id", descending=[True, False]).select("link_id", "year", "forward_kt")
    assert found["count"] == wanted.height == 6
    assert [tuple(row) for row in found["rows"]] == wanted.slice(1, 2).rows()


def test_text_is_looked_for_in_any_case(opened, plain_run):
    found = answer(opened, f"/api/runs/{plain_run}/tables/links", filter=["link_id:has:SEA", "case:eq:low"])
    assert {row[found["columns"].index({"name": "link_id", "type": "text", "unit": None})] for row in found["rows"]} == {"sea_east_west"}


@pytest.mark.parametrize("name", ["links", "facilities", "routes", "components", "journeys"])
def test_csv_and_json_hold_the_numbers_of_the_run(opened, plain_run, name):
    whole = pl.read_parquet(folder(opened, plain_run) / f"{name}.parquet")
    found = opened.client.get(f"/api/runs/{plain_run}/tables/{name}", params={"format": "csv"})
    assert f'filename="{name}-{plain_run}.csv"' in found.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert len(rows) == whole.height
    for column in (column for column, kind in whole.schema.items() if kind.is_float()):
        assert [float(row[column]) if row[column] else None for row in rows] == whole[column].to_list()
    told = answer(opened, f"/api/runs/{plain_run}/tables/{name}", limit=10000)
    assert [tuple(row) for row in told["rows"]] == [tuple(row) for row in json.loads(json.dumps(whole.rows()))]


def test_a_workbook_holds_the_numbers_and_what_they_are(opened, plain_run):
    found = opened.client.get(f"/api/runs/{plain_run}/tables/facilities", params={"format": "xlsx"})
    with zipfile.ZipFile(io.BytesIO(found.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    whole = pl.read_parquet(folder(opened, plain_run) / "facilities.parquet")
    assert sheet.count("<row ") == whole.height + 1
    assert "<v>6000</v>" in sheet
    assert "<f>" not in sheet
    assert plain_run in texts


def test_links_and_facilities_can_be_drawn(opened, plain_run, two_ports):
    found = answer(opened, f"/api/runs/{plain_run}/tables/links", format="geojson", filter=["case:eq:scenario", "year:eq:2027"])
    places = {row["place_id"]: [row["lon_deg"], row["lat_deg"]] for row in two_ports.tables["places"].iter_rows(named=True)}
    sea = next(item for item in found["features"] if item["properties"]["link_id"] == "sea_east_west")
    assert sea["geometry"] == {"type": "LineString", "coordinates": [places["east_port"], places["west_port"]]}
    assert sea["properties"]["forward_kt"] == pytest.approx(7000.0, rel=1e-6)
    ferry = answer(opened, f"/api/runs/{plain_run}/tables/facilities", format="geojson")["features"][0]
    assert ferry["properties"]["name"] == "The ferry"
    assert ferry["geometry"]["type"] == "MultiLineString"


@pytest.mark.parametrize(
    ("name", "query", "words"),
    [
        ("links", {"filter": "year"}, "COLUMN:OP:VALUE"),
        ("links", {"filter": "yaer:eq:2024"}, "did you mean year"),
        ("links", {"filter": "year:eq:soon"}, "is a number"),
        ("links", {"sort": "-size"}, "no column size"),
        ("links", {"limit": 100000}, "10,000 or less"),
        ("families", {"format": "geojson"}, "links, facilities can"),
        ("links", {"format": "pdf"}, "json"),
    ],
)
def test_what_does_not_fit_a_table_is_told(opened, plain_run, name, query, words):
    status, told = problem(opened, f"/api/runs/{plain_run}/tables/{name}", **query)
    assert status == 422
    assert words in told["message"]
    assert {"table", "row", "column", "message"} <= set(told)


def test_a_number_is_traced_as_the_command_does(opened, plain_run, two_ports):
    found = answer(opened, f"/api/runs/{plain_run}/explain", ref="facilities.ferry.nominal")
    wanted = explain(two_ports, "facilities.ferry.nominal", saved=load_run(folder(opened, plain_run)))
    for match in wanted["matches"]:
        match["results"].pop("folder")
    assert found == json.loads(json.dumps(wanted))


def test_a_run_explains_its_own_values(opened, other_run):
    found = answer(opened, f"/api/runs/{other_run}/explain", ref="tariffs.sea_bulk.rate")
    assert found["matches"][0]["values"][0]["value"] == 90.0


def test_two_runs_are_compared(opened, plain_run, other_run):
    found = answer(opened, "/api/compare", a=plain_run, b=other_run)
    wanted = compare_runs(load_run(folder(opened, plain_run)), load_run(folder(opened, other_run)))
    assert found["links"] == json.loads(json.dumps(wanted["links"]))
    assert found["a"]["name"] == "plain"
    assert found["facilities"][0]["name"] == "The ferry"
    assert problem(opened, "/api/compare", a=plain_run, b=other_run, year=2031)[0] == 422


def test_the_model_answers_questions_about_a_run(opened, plain_run, two_ports):
    import karvan as kv

    market = answer(opened, f"/api/runs/{plain_run}/market", market="grain_east_west", year=2027)
    assert market == json.loads(json.dumps(kv.market(two_ports, "grain_east_west", year=2027, scenario="agreed").as_dict()))
    use = answer(opened, f"/api/runs/{plain_run}/select-link", element="ferry", year=2027, case="baseline")
    assert use["scenario_id"] == "baseline"
    assert use["load"] == pytest.approx(6000.0, rel=1e-6)
    rungs = answer(opened, f"/api/runs/{plain_run}/ladder", to_mt=8.0)
    assert rungs == json.loads(json.dumps(kv.ladder(two_ports, to_mt=8.0).as_dict()))
    assert problem(opened, f"/api/runs/{plain_run}/select-link", element="fery")[0] == 422


def test_what_is_not_there_is_told(opened):
    status, told = problem(opened, "/api/runs/0123456789ab/screen")
    assert (status, told["message"]) == (404, "there is no run 0123456789ab")
    assert problem(opened, "/api/nothing")[0] == 404
    assert problem(opened, "/api/jobs/0123456789abcdef")[0] == 404


def test_two_runs_are_held_against_each_other_as_the_page_draws_them(opened, plain_run, other_run):
    ours, theirs = (answer(opened, f"/api/runs/{run_id}/screen") for run_id in (plain_run, other_run))
    found = answer(opened, f"/api/runs/{plain_run}/screen/against/{other_run}")
    assert found == compare_screens(ours, theirs)
    assert problem(opened, f"/api/runs/{plain_run}/screen/against/0123456789ab")[0] == 404


def test_the_page_of_a_run_holds_the_ladder_once_it_was_asked_for(opened, other_run):
    assert answer(opened, f"/api/runs/{other_run}/screen")["ladder"] is None
    asked = answer(opened, f"/api/runs/{other_run}/ladder?to_mt=8")
    held = answer(opened, f"/api/runs/{other_run}/screen")
    assert held["ladder"] == asked
    fresh = screen(opened.server.shelf.saved(other_run), opened.server.shelf.corridor_of(other_run), ladder=asked)
    assert held == json.loads(json.dumps(fresh))
