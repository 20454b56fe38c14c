"""What promises need: sets found one measure at a time are those that trying all sets finds."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from karvan.cli.main import main
from karvan.corridor import load_corridor
from karvan.measures import load_scenario
from karvan.study.needed import _projects, needed
from karvan.study.plan_market import year_market
from karvan.study.route_memory import RouteMemory
from tests.study.money_case import money_case

HEAD = (
    "commitment_id,promise,is_headline,title,short,metric,element_id,target,unit,year,observed,observed_year,status,date,parties,said,"
    "measures,shares_with,source,confidence"
)
TARGETS = (5.0, 6.4, 7.2, 9.9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = money_case(tmp_path_factory.mktemp("needed") / "case", link="rail_east_pass")
    rows = [
        f"goal_{number},,false,Goal {number},,corridor_mt,,{target},Mt,2030,,,planned,,,,,,teaching,estimate"
        for number, target in enumerate(TARGETS)
    ]
    (made / "commitments.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def hurried_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with goods whose hours are worth something, and a ferry that takes longer the fuller it is."""
    made = Path(shutil.copytree(folder, tmp_path_factory.mktemp("hurried") / "case"))
    for name, before, after in (
        ("commodities.csv", "wheat;barley,250,0.08,0.02,0,", "wheat;barley,2500,0.2,0.1,1,"),
        ("delay_curves.csv", "ferry,1,4,1,1,", "ferry,2,4,1,0.5,"),
    ):
        text = (made / name).read_text(encoding="utf-8")
        assert before in text
        (made / name).write_text(text.replace(before, after), encoding="utf-8")
    return made


@pytest.mark.parametrize("case", ["folder", "hurried_folder"])
def test_it_finds_what_trying_all_sets_finds(request, case):
    small = load_corridor(str(request.getfixturevalue(case)))
    found = needed(small, scenario="baseline", most=3)
    base = load_scenario("baseline", small)
    projects = _projects(small, base.measure_ids)
    market = year_market(small, base, projects, 2030, RouteMemory())
    weight = market.cordons[small.manifest.headline_cordon][0] / 1e3
    carried = {}
    for size in range(len(projects) + 1):
        for chosen in combinations(range(len(projects)), size):
            is_open = np.isin(np.arange(len(projects)), chosen)
            carried[chosen] = float((weight * market.answered(is_open, market.start).route_flow_kt).sum())
    for target, row in zip(TARGETS, found["commitments"], strict=True):
        assert row["value"] == pytest.approx(carried[()], rel=1e-6)
        assert row["is_met"] == (carried[()] >= target)
        meeting = [len(chosen) for chosen, value in carried.items() if value >= target and len(chosen) <= 3]
        if row["is_met"] or not meeting:
            assert row["smallest"] is None
        else:
            assert len(row["smallest"]["measures"]) == min(meeting)
            assert row["smallest"]["value"] >= target * (1 - 1e-6)
            assert row["cheapest"]["capital_musd"] <= row["smallest"]["capital_musd"]
    if case == "hurried_folder":  # more room makes the ferry faster, so that more comes than there was room for before
        assert max(carried.values()) > 7.5
    assert {row["is_met"] for row in found["commitments"]} == {True, False}
    assert found["commitments"][-1]["smallest"] is None


def test_the_command_tells_it(folder, capsys):
    arguments = ["commitments", "--corridor", str(folder), "--needed", "--scenario", "baseline", "--most", "2"]
    assert main([*arguments, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["commitments"]) == len(TARGETS)
    assert main(arguments) == 0
    assert "Goal 3" in capsys.readouterr().out
    assert main([*arguments, "--most", "9"]) == 2
