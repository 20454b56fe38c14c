"""Every way of breaking a corridor is refused, and told with table, row, column and what would be right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from karvan.cli.main import main
from karvan.corridor import check_corridor, load_corridor
from karvan.errors import DataError, MeasureError, Problem
from karvan.measures import check_scenario, load_scenario, scenario_ids
from tests.broken.cases import FOLDER_CASES, MEASURE_CASES, Broken, add, swap


def is_told(case: Broken, problems: list[Problem]) -> bool:
    return any(
        (problem.table, problem.row, problem.column) == (case.table, case.row, case.column)
        and all(word in problem.message for word in case.words)
        for problem in problems
    )


@pytest.mark.parametrize("case", MEASURE_CASES, ids=lambda case: case.name)
def test_broken_measure_is_refused(case: Broken, two_ports_folder: Path) -> None:
    case.edit(two_ports_folder)
    corridor = load_corridor(two_ports_folder)
    problems: list[Problem] = []
    for scenario_id in scenario_ids(corridor):
        try:
            problems += check_scenario(load_scenario(scenario_id, corridor), corridor)
        except MeasureError as error:
            problems += error.problems
    assert is_told(case, problems), "\n".join(map(str, problems))


@pytest.mark.parametrize("case", [*FOLDER_CASES, *MEASURE_CASES], ids=lambda case: case.name)
def test_broken_corridor_ends_a_command_with_code_2_and_leaves_nothing(
    case: Broken, two_ports_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What loading refuses is told by both commands, each of which loads the folder as a program would."""
    case.edit(two_ports_folder)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for command in (["check", str(two_ports_folder)], ["run", "--corridor", str(two_ports_folder), "--scenario", "agreed"]):
        if command[0] == "run" and case in MEASURE_CASES:
            continue  # a measure may stand in no scenario of the run; check tells it all the same
        assert main([*command, "--json"]) == 2
        answer = json.loads(capsys.readouterr().out)
        rows = answer["problems"] if command[0] == "check" else answer["error"]["problems"]
        problems = [Problem(item["table"], item["row"], item["column"], item["message"]) for item in rows]
        assert is_told(case, problems), "\n".join(map(str, problems))
    assert list(here.iterdir()) == []


def test_there_are_at_least_thirty_cases() -> None:
    assert len({case.name for case in FOLDER_CASES}) == len(FOLDER_CASES) >= 30


def test_one_problem_is_told_once(two_ports_folder: Path) -> None:
    swap("links.csv", ",450,", ",far,")(two_ports_folder)
    assert [(problem.row, problem.column) for problem in check_corridor(two_ports_folder)] == [(1, "length_km")]


def test_all_problems_are_told_at_once(two_ports_folder: Path) -> None:
    swap("links.csv", ",450,", ",-450,")(two_ports_folder)
    swap("demand.csv", ",grain,", ",corn,")(two_ports_folder)
    swap("corridor.yaml", "base_year", "baseyear")(two_ports_folder)
    add("regions.csv", "east,East again,XA,teaching,estimate")(two_ports_folder)
    with pytest.raises(DataError) as raised:
        load_corridor(two_ports_folder)
    assert check_corridor(two_ports_folder) == list(raised.value.problems)
    told = {(problem.table, problem.column) for problem in raised.value.problems}
    assert {("links", "length_km"), ("demand", "commodity_group"), ("corridor.yaml", "baseyear"), ("regions", "region_id")} <= told


def test_ten_thousand_problems_are_all_kept(two_ports_folder: Path) -> None:
    rows = [f"p{number},Place,XA,far,0,,,,teaching,estimate" for number in range(10_000)]
    add("places.csv", *rows)(two_ports_folder)
    assert len(check_corridor(two_ports_folder)) == 10_000
