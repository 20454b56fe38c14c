"""Every problem of a corridor: tables, measures, scenarios and whether every market can be reached; and of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from karvan.corridor import Corridor, load_corridor
from karvan.errors import DataError, MeasureError, Problem, SolverError
from karvan.measures import Scenario, check_scenario, load_scenario, measures_of, scenario_ids
from karvan.measures.apply import apply
from karvan.results import SavedRun, load_run
from karvan.study.options import Prepared, options_of, prepare, scenario_hash
from karvan.study.route_memory import RouteMemory
from karvan.study.used_capacities import used_capacities
from karvan.validation import Check, check_run


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
        RouteMemory().require_routes(snapshot, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t)
    except DataError as error:
        return list(error.problems)
    return []


def check_saved(folder: Path, *, corridor: str | None = None) -> tuple[Check, ...]:
    """Check a run folder against its corridor, with the run's own options laid over it.

    Args:
        folder: Run folder.
        corridor: Folder or name of its corridor; by default the packaged one that the run names.

    Raises:
        DataError: The folder is no run, or the corridor or the measures are no longer those of the run.
    """
    saved, prepared = reopened(folder, corridor=corridor)
    baseline = load_scenario(prepared.corridor.manifest.baseline, prepared.corridor)
    scenarios = {"scenario": prepared.scenario, "baseline": baseline}
    return check_run(saved, prepared.corridor, scenarios=scenarios, capacities=used_capacities(saved))


def reopened(folder: Path, *, corridor: str | None = None) -> tuple[SavedRun, Prepared]:
    """A run folder, and its corridor and scenario with the run's own options laid over them.

    Args:
        folder: Run folder.
        corridor: Folder or name of its corridor; by default the packaged one that the run names.

    Raises:
        DataError: The folder is no run, or the corridor or the measures are no longer those of the run.
    """
    saved = load_run(folder)
    manifest = saved.manifest
    options = options_of(manifest, folder=folder)
    prepared = prepare(load_corridor(corridor or str(manifest["corridor"])), str(manifest["scenario"]), options)
    if prepared.corridor.hash != manifest["corridor_hash"] or scenario_hash(prepared.scenario) != manifest["scenario_hash"]:
        name = corridor or manifest["corridor"]
        message = f"{folder} was made from other tables or measures than {name} has now; name its corridor, or run again"
        raise DataError(Problem("run folder", None, None, message))
    return saved, prepared


def refuse_wrong(saved: SavedRun, *, corridor: Corridor, scenarios: Mapping[str, Scenario]) -> None:
    """Raise if a finished run fails a check.

    Raises:
        SolverError: Names every check that fails and its worst deviation.
    """
    checks = check_run(saved, corridor, scenarios=scenarios, capacities=used_capacities(saved))
    failed = [check for check in checks if not check.is_passed]
    if failed:
        told = "\n".join(f"  {check.name}: {check.message}" for check in failed)
        raise SolverError(f"the finished run fails {len(failed)} of its checks, so that nothing was written:\n{told}")
