"""Every problem of a corridor: tables, measures, scenarios and whether every market can be reached."""

from __future__ import annotations

from karvan.corridor import load_corridor
from karvan.errors import DataError, MeasureError, Problem
from karvan.measures import check_scenario, load_scenario, measures_of, scenario_ids
from karvan.measures.apply import apply
from karvan.study.clear import RouteMemory


def check_case(name: str) -> list[Problem]:
    """All problems of a corridor folder or packaged corridor.

    Later checks need what earlier ones establish, so problems of tables are told alone, then those of measures and scenarios, then
    markets without a route in the base year.

    Args:
        name: Folder, or name of a packaged corridor.
    """
    try:
        corridor = load_corridor(name)
    except DataError as error:
        return list(error.problems)
    try:
        measures_of(corridor)
    except MeasureError as error:
        return list(error.problems)
    problems: list[Problem] = []
    for scenario_id in scenario_ids(corridor):
        try:
            scenario = load_scenario(scenario_id, corridor)
        except MeasureError as error:
            problems += error.problems
            continue
        problems += [
            Problem(item.table, item.row, item.column, f"scenario {scenario_id}: {item.message}")
            for item in check_scenario(scenario, corridor)
        ]
    if problems:
        return list(dict.fromkeys(problems))
    try:
        scenario = load_scenario(corridor.manifest.history, corridor)
        snapshot = apply(scenario, corridor, year=corridor.manifest.base_year)
        RouteMemory().routed(snapshot, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t)
    except DataError as error:
        return list(error.problems)
    return []
