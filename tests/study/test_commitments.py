"""Every promise in every scenario, on the two ports; and what the packaged case says of its promises."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.report.promises import promise_lines, promises_page
from karvan.study import commitments
from karvan.validation.commitments import verdict
from tests.broken.cases import add, swap


@pytest.fixture(scope="module")
def tracked(two_ports):
    return commitments(two_ports)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _item(tracked, commitment_id):
    return next(item for item in tracked["commitments"] if item["commitment_id"] == commitment_id)


def test_each_scenario_of_the_corridor_gives_its_value_and_verdict(tracked):
    """The ferry is full: 6 Mt, and 7 Mt with the bigger ferry. The two ports have neither `late` nor `reversed`."""
    assert [item["scenario_id"] for item in tracked["scenarios"]] == ["baseline", "agreed"]
    assert tracked["years"] == [2027]
    sea = _item(tracked, "sea_seven")
    assert sea["scenarios"] == pytest.approx({"baseline": 6.0, "agreed": 7.0}, rel=1e-6)
    assert sea["by_year"]["agreed"] == {"2027": sea["scenarios"]["agreed"]}
    assert sea["verdict"] == "on_course"
    assert sea["verdict_by_scenario"] == {"baseline": "behind", "agreed": "on_course"}
    assert (sea["observed"], sea["observed_year"], sea["source"]["title"]) == (6.0, 2024, "Invented for teaching")


def test_a_promise_without_a_model_quantity_is_not_judged(tracked):
    friendship = _item(tracked, "sea_friendship")
    assert friendship["verdict"] == "not_measurable"
    assert friendship["scenarios"] == {"baseline": None, "agreed": None}
    assert friendship["by_year"] is None


def test_measures_tell_when_each_scenario_begins_them(tracked):
    bigger, timetable = _item(tracked, "sea_seven")["measures"]
    assert (bigger["measure_id"], bigger["status"], bigger["from_date"]) == ("bigger_ferry", "announced", "2027-01-01")
    assert bigger["scenarios"] == {"agreed": {"from_date": "2027-01-01", "until_date": None}}
    assert (timetable["measure_id"], timetable["scenarios"]) == ("joint_timetable", {})


def test_the_headline_scenario_and_the_baseline_are_always_there(two_ports):
    found = commitments(two_ports, scenarios=("history", "hope"))
    assert [item["scenario_id"] for item in found["scenarios"]] == ["history", "baseline", "agreed"]


def test_shared_goods_are_those_that_both_promises_count(two_ports_folder):
    """Grain from the east over the sea is all that the corridor counts; what goes by land is no part of it; from the west comes nothing."""
    swap("cordons.csv", "commodity_group,doc,", "commodity_group,origin_region,doc,")(two_ports_folder)
    swap("cordons.csv", "both,any,", "both,any,,")(two_ports_folder)
    add(
        "cordons.csv",
        "from_east,sea_east_west,both,any,east,From the east,teaching,estimate",
        "from_west,sea_east_west,both,any,west,From the west,teaching,estimate",
        "by_land,rail_east_pass,both,any,,By land,teaching,estimate",
    )(two_ports_folder)
    path = two_ports_folder / "commitments.csv"
    header, sea, friendship = path.read_text(encoding="utf-8").splitlines()
    sea = sea.replace(",,teaching", ",from_east,teaching")
    rows = [
        f"{name},,false,{name},,cordon_mt,{name},1,Mt,2027,0.5,2024,told,,,,,sea_seven,teaching,estimate"
        for name in ("from_east", "from_west", "by_land")
    ]
    path.write_text("\n".join([header, sea, friendship, *rows, ""]), encoding="utf-8", newline="\n")
    found = commitments(kv.load_corridor(two_ports_folder))

    shared = {name: _item(found, name)["shared"] for name in ("sea_seven", "from_east", "from_west", "by_land")}
    assert shared["sea_seven"]["scenarios"] == pytest.approx({"baseline": 6.0, "agreed": 7.0}, rel=1e-6)
    assert shared["sea_seven"] == {**shared["from_east"], "with": "from_east"}
    assert (shared["from_east"]["amount"], shared["from_east"]["unit"]) == (pytest.approx(7.0, rel=1e-6), "Mt")
    assert (shared["from_east"]["observed"], shared["from_east"]["year"]) == (0.5, 2027)
    assert shared["from_west"]["scenarios"] == {"baseline": 0.0, "agreed": 0.0}
    assert shared["by_land"]["scenarios"] == {"baseline": 0.0, "agreed": 0.0}
    assert _item(found, "by_land")["scenarios"] == pytest.approx({"baseline": 4.0, "agreed": 3.0}, rel=1e-6)


def test_full_facilities_are_counted_and_named_and_fewer_is_better(two_ports_folder):
    row = "no_queue,,false,No queue,,full_facilities,,0,facilities,2027,,,told,,,,,,teaching,estimate"
    add("commitments.csv", row)(two_ports_folder)
    item = _item(commitments(kv.load_corridor(two_ports_folder)), "no_queue")
    assert item["scenarios"] == {"baseline": 1.0, "agreed": 1.0}
    assert item["full_facilities"] == {"baseline": ["The ferry"], "agreed": ["The ferry"]}
    assert item["verdict"] == "behind"
    row = {"metric": "full_facilities", "target": 1.0, "observed": None}
    assert [verdict(row, value) for value in (0.0, 1.0, 2.0, None)] == ["on_course", "on_course", "behind", "open"]
    assert verdict({**row, "observed": 1.0}, None) == "met"


def test_a_line_is_open_when_every_link_of_it_is(two_ports_folder):
    swap("links.csv", "600,40,false,true", "600,40,false,false")(two_ports_folder)
    add(
        "commitments.csv",
        "whole,,false,The line,,link_open,rail_east_pass;rail_pass_west,1,open,2027,,,told,,,,,,teaching,estimate",
        "half,,false,Half the line,,link_open,rail_pass_west,1,open,2027,,,told,,,,,,teaching,estimate",
    )(two_ports_folder)
    found = commitments(kv.load_corridor(two_ports_folder))
    assert (_item(found, "whole")["verdict"], _item(found, "half")["verdict"]) == ("behind", "on_course")


def test_the_page_is_whole_and_the_same_twice(here, capsys):
    command = ["commitments", "--corridor", "two-ports", "--page"]
    assert main(command) == 0
    first = (here / "summit.md").read_text(encoding="utf-8")
    assert main(command) == 0
    assert (here / "summit.md").read_text(encoding="utf-8") == first
    assert [path.name for path in here.iterdir()] == ["summit.md"]
    for word in ("**Said.**", "**Known.**", "**Model.**", "**Measures that serve it.**", "**Verdict.**", "**Source.**"):
        assert first.count(word) == 2, word
    assert "`agreed`: 7 Mt in 2027, 100% of the target." in first
    assert "By `baseline` it is behind." in first


def test_the_page_goes_to_docs_where_there_is_such_a_folder(here, capsys):
    (here / "docs").mkdir()
    assert main(["commitments", "--corridor", "two-ports", "--page", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["page"] == str(Path("docs") / "summit.md")
    assert [path.name for path in (here / "docs").iterdir()] == ["summit.md"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(here, monkeypatch, capsys):
    (here / "page.md").write_text("old", encoding="utf-8", newline="\n")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        main(["commitments", "--corridor", "two-ports", "--page", "page.md"])
    assert {path.name: path.read_text(encoding="utf-8") for path in here.iterdir()} == {"page.md": "old"}


@pytest.mark.parametrize(("page", "words"), [("nowhere/page.md", "there is no folder nowhere"), ("docs", "must be a file to write")])
def test_a_wrong_page_is_told_before_any_work(here, capsys, page, words):
    (here / "docs").mkdir()
    assert main(["commitments", "--corridor", "two-ports", "--page", page]) == 2
    assert words in capsys.readouterr().err


def test_lines_fit_a_terminal_with_four_scenarios(tracked):
    names = ("baseline", "agreed", "late", "reversed")
    long = [
        {**item, "title": "A title that is much too long for one line of a terminal", "short": "a title of 24 characters", "year": 2027}
        for item in tracked["commitments"]
    ]
    wide = [{**item, "scenarios": dict.fromkeys(names, 300_000.0), "unit": "documents", "target": 300_000.0} for item in long]
    for verdict_word in ("not_measurable", "on_course"):
        items = [{**item, "verdict": verdict_word, "observed": 300_000.0, "observed_year": 2025, "is_headline": True} for item in wide]
        items += [{**item, "is_headline": False} for item in items]
        told = {**tracked, "scenarios": [{"scenario_id": name, "title": name} for name in names], "commitments": items}
        lines = promise_lines(told, is_whole=True)
        assert max(len(line) for line in lines) <= 100


def test_every_headline_promise_of_the_packaged_case_is_said_sourced_and_served():
    """One with a model quantity names measures; one without says in its status why it is not judged."""
    corridor = kv.load_corridor("middle-corridor")
    rows = [row for row in corridor.tables["commitments"].iter_rows(named=True) if row["is_headline"]]
    assert sorted(row["promise"] for row in rows) == list(range(1, 13))
    for row in rows:
        assert row["said"], row["commitment_id"]
        assert row["source"] in corridor.tables["sources"]["source_id"]
        assert row["measures"] if row["metric"] != "none" else "not judged: " in row["status"], row["commitment_id"]
    partners = {row["commitment_id"]: row["shares_with"] for row in rows if row["shares_with"]}
    assert {partners[other] for other in partners.values()} == set(partners)


def test_the_cable_is_open_and_its_status_says_what_the_page_of_power_says():
    corridor = kv.load_corridor("middle-corridor")
    row = next(row for row in corridor.tables["commitments"].iter_rows(named=True) if row["commitment_id"] == "promise_power_cable")
    assert (row["metric"], row["element_id"], verdict(row, None)) == ("power_line", "caspian_cable", "open")
    page = (Path(__file__).parents[2] / "docs" / "power.md").read_text(encoding="utf-8")
    rent = next(line for line in page.splitlines() if line.startswith("| as agreed")).split("|")[5].strip()
    cost = re.search(r"running costs ([\d,]+) M USD", page)
    pays = re.search(r"the size that pays is ([\d,]+) MW", page)
    assert cost
    assert pays
    wanted = f"1,000 MW would earn a rent of {rent} M USD in 2035 against a cost of {cost[1]}, and the size that pays is {pays[1]} MW"
    assert wanted in row["status"]


def test_a_promised_line_must_be_one_of_its_measures(two_ports_folder):
    add(
        "commitments.csv",
        "a_cable,,false,A cable,,power_line,no_cable,,,,,,announced,,,,joint_timetable,,teaching,estimate",
    )(two_ports_folder)
    with pytest.raises(DataError, match="is no_cable, must be one of the row's measures for power_line"):
        kv.load_corridor(two_ports_folder)


def test_the_page_of_a_corridor_without_promises_is_written(two_ports_folder):
    (two_ports_folder / "commitments.csv").unlink()
    found = commitments(kv.load_corridor(two_ports_folder))
    assert found["commitments"] == []
    assert "0 promises" in promises_page(found)
    assert "0 more" in "\n".join(promise_lines(found))
