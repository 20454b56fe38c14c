"""The main job: the outlook of a scenario against the baseline."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as with_fields
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl

from karvan import __version__
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, load_scenario
from karvan.measures.apply import apply, apply_years, require_fitting
from karvan.report import build_report, is_bundled, render_page, screen
from karvan.results import LEG_SCHEMA, RUNS_FOLDER, Outlook, Run, SavedRun, YearResult, existing_run, save_run
from karvan.study.checking import refuse_wrong
from karvan.study.clear import Cleared, Market, clear, clear_like
from karvan.study.handed_over import Handover, handover_of
from karvan.study.ledger import Ledger
from karvan.study.movers import capacity_movers
from karvan.study.options import Prepared, ScenarioOptions, code_hash, prepare, scenario_hash
from karvan.study.outcomes import outcomes_of, scenario_legs
from karvan.study.progress import Progress, line, named, silent
from karvan.study.relief import capacity_bases, relief_table, stop_gains
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.run_crossings import with_crossings
from karvan.study.shipments import with_shipments
from karvan.study.shown_run import ShownRun
from karvan.study.used_capacities import laid_over
from karvan.study.year import year_result
from karvan.validation import compare, journey_years, judge_commitments

WORKERS = max(1, min(4, os.cpu_count() or 1))
"""Outlooks worked on at once."""


def run(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    years: Sequence[int] = tuple(range(2024, 2041)),
    options: ScenarioOptions | None = None,
    capacities: str | None = None,
    out: Path | None = None,
    replace: bool = False,
    save: bool = True,
    workers: int = WORKERS,
    language: str = "en",
    progress: Progress | None = None,
) -> ShownRun:
    """The outlook of a scenario and of the baseline, with corner runs of the scenario, judged and saved.

    Args:
        corridor: The corridor.
        scenario: Scenario id; by default the corridor's headline scenario.
        years: Calendar years, ascending, the base year or later.
        options: Measures added or taken out, values set, an overlay.
        capacities: Of crossings, yards and borders that the corridor can simulate: nominal, as the tables have them, or simulated; by
            default what the options say, which is nominal.
        out: Run folder; by default `karvan-runs/<run_id>` in the working directory.
        replace: Overwrite another run in that folder.
        save: Write the run folder.
        workers: Outlooks worked on at once; the digits do not depend on it.
        language: Language in which its page opens.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or the folder holds something else.
        ConvergenceError: A year did not clear; nothing is written.
        SolverError: The finished run fails a check of its own numbers; nothing is written.
    """
    tell = progress or silent
    started = time.perf_counter()
    options = options or ScenarioOptions()
    if capacities is not None:
        options = with_fields(options, capacities=capacities)
    manifest = corridor.manifest
    scenario_id = scenario or manifest.headline_scenario
    _check_years(years, manifest.base_year)
    prepared = prepare(corridor, scenario_id, options)
    baseline = load_scenario(manifest.baseline, prepared.corridor)
    require_fitting(baseline, prepared.corridor)
    run_id = _run_id(prepared, baseline, years)
    folder = out or RUNS_FOLDER / run_id
    seconds = {"prepare": time.perf_counter() - started}

    mark = time.perf_counter()
    memory = RouteMemory(folder=cache_folder())
    history = apply(load_scenario(manifest.history, prepared.corridor), prepared.corridor, year=manifest.base_year)
    memory.require_routes(history, co2_price_usd_per_t=manifest.co2_price_usd_per_t)
    hand_over = handover_of(prepared, memory, tell)
    stops: list[dict[str, Any]] = []
    ledger = Ledger()
    halt = Event()
    noted: dict[str, list[Cleared]] = {"baseline": [], "scenario": []}

    def look(case: tuple[str, Scenario]) -> tuple[str, Outlook]:
        label, item = case
        is_corner = label not in noted
        found = outlook(
            prepared.corridor,
            item,
            years,
            memory=memory,
            tell=named(label, tell),
            stops=stops if label == "scenario" else None,
            halt=halt,
            has_queue=not is_corner,
            like={cleared.routed.snapshot.year: cleared for cleared in noted["scenario"]} if is_corner else None,
            note=None if is_corner else noted[label].append,
            hand_over=hand_over,
            case="scenario" if is_corner else label,
        )
        return label, found

    cases = _cases(prepared, baseline, scenario_id)
    with ThreadPoolExecutor(workers, thread_name_prefix="outlook") as pool:
        try:
            outlooks = dict(pool.map(look, cases[:2]))
            outlooks |= dict(pool.map(look, cases[2:]))
        except BaseException:
            halt.set()
            raise
    for label, item in (("baseline", baseline), ("scenario", prepared.scenario)):
        for cleared in noted[label] if save else ():
            ledger.add(label, item, cleared)
    noted.clear()
    seconds["outlooks"] = time.perf_counter() - mark
    mark = time.perf_counter()
    tell(line("movers"))

    commitments = judge_commitments(prepared.corridor.tables["commitments"], scenario=outlooks["scenario"], baseline=outlooks["baseline"])
    movers = _movers(prepared, commitments, years, memory, hand_over)
    legs = _legs(prepared, baseline, scenario_id, commitments, years)
    observed = not prepared.corridor.tables["observations"].is_empty()
    known = outcomes_of(prepared.corridor, (outlooks["scenario"], outlooks["baseline"]), legs=_by_year(legs[baseline.scenario_id]))
    validation = compare(prepared.corridor.tables["observations"], known) if observed else None
    report = build_report(
        corridor=prepared.corridor,
        run_id=run_id,
        version=__version__,
        scenario=outlooks["scenario"],
        baseline=outlooks["baseline"],
        low=outlooks["low"],
        high=outlooks["high"],
        commitments=commitments,
        stops=stops,
        movers=movers,
        journeys=legs,
        validation=validation,
        measures=_measure_rows(prepared.scenario),
        replaced=list(prepared.replaced),
        capacities=None if hand_over is None else hand_over.used(),
    )
    seconds["report"] = time.perf_counter() - mark
    seconds["total"] = time.perf_counter() - started
    report["seconds"] = round(seconds["total"], 3)
    report["report"] = str(folder / "report.html") if save and is_bundled() else None
    result = ShownRun(
        run_id=run_id,
        corridor_id=manifest.id,
        scenario=outlooks["scenario"],
        baseline=outlooks["baseline"],
        low=outlooks["low"],
        high=outlooks["high"],
        report=report,
        journeys=legs,
        seconds=seconds,
        folder=folder if save else None,
        prepared=prepared,
    )
    if save:
        tell(line("saving"))
        existing_run(folder, run_id, replace=True)
        check = partial(refuse_wrong, corridor=prepared.corridor, scenarios={"scenario": prepared.scenario, "baseline": baseline})
        manifest_out = _manifest(result, prepared, years, options)
        frames = ledger.frames()
        if hand_over is not None:
            manifest_out["capacities"] = hand_over.as_manifest()
            frames["capacities"] = hand_over.used()

        def page(saved: SavedRun) -> str:
            document = with_shipments(screen(saved, prepared.corridor), prepared.corridor, options, over=laid_over(saved))
            return render_page(with_crossings(document, saved, prepared.corridor, options), language=language)

        save_run(result, folder, manifest=manifest_out, page=page if is_bundled() else None, ledger=frames, check=check)
    return result


def saved_report(
    corridor: Corridor, *, scenario: str | None, years: Sequence[int], options: ScenarioOptions, out: Path | None, replace: bool
) -> dict[str, Any] | None:
    """The report of an identical run that is saved already, or None.

    Raises:
        DataError: The folder holds something else and `replace` is false.
    """
    run_id = run_id_of(corridor, scenario=scenario, years=years, options=options)
    return existing_run(out or RUNS_FOLDER / run_id, run_id, replace=replace)


def run_id_of(corridor: Corridor, *, scenario: str | None, years: Sequence[int], options: ScenarioOptions) -> str:
    """The id that a run would have; everything that it is asked for is checked.

    Raises:
        DataError: Wrong input.
    """
    _check_years(years, corridor.manifest.base_year)
    prepared = prepare(corridor, scenario or corridor.manifest.headline_scenario, options)
    baseline = load_scenario(corridor.manifest.baseline, prepared.corridor)
    require_fitting(baseline, prepared.corridor)
    return _run_id(prepared, baseline, years)


def outlook(
    corridor: Corridor,
    scenario: Scenario,
    years: Sequence[int],
    *,
    memory: RouteMemory | None = None,
    tell: Progress | None = None,
    stops: list[dict[str, Any]] | None = None,
    halt: Event | None = None,
    has_queue: bool = False,
    like: Mapping[int, Cleared] | None = None,
    note: Callable[[Cleared], None] | None = None,
    hand_over: Handover | None = None,
    case: str = "scenario",
) -> Outlook:
    """Clear every year of a scenario, each by itself: what a year says does not depend on which others were asked for.

    Args:
        corridor: The corridor.
        scenario: The scenario, checked against the corridor.
        years: Calendar years.
        memory: Route sets to share with other outlooks.
        tell: Called with a line a year.
        stops: When given, what stops the headline cordon in each year is appended to it.
        note: Called with every cleared year.
        halt: Once set, no further year is begun.
        has_queue: Tell of every year what a queue would make of it too.
        like: Cleared years of the same network whose routes are taken; no more are looked for then.
        hand_over: Gives the market simulated capacities in each year; None leaves nominal ones.
        case: Under which the run keeps what they were.
    """
    memory = memory or RouteMemory()
    manifest = corridor.manifest
    results: list[YearResult] = []
    reliefs = relief_table(corridor, scenario) if stops is not None else {}
    bases = capacity_bases(corridor) if stops is not None else {}
    for plain in apply_years(scenario, corridor, years):
        if halt is not None and halt.is_set():
            break
        snapshot = plain if hand_over is None else hand_over(plain, case=case)
        if like is not None:
            cleared = clear_like(snapshot, like[snapshot.year], is_near=True)
        else:
            price = manifest.co2_price_usd_per_t
            cleared = clear(snapshot, market=Market(), routes=memory, co2_price_usd_per_t=price, is_strict=False)
        result = year_result(
            cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=has_queue
        )
        results.append(result)
        if note is not None:
            note(cleared)
        if stops is not None:
            own = bases if hand_over is None else bases | hand_over.bases(plain)
            stops.extend(stop_gains(cleared, result, headline_cordon=manifest.headline_cordon, reliefs=reliefs, bases=own))
        if tell is not None:
            tell(line("year", year=snapshot.year, carried=result.corridor_mt))
    return Outlook(scenario.scenario_id, scenario.title, scenario.growth, tuple(results))


def _movers(
    prepared: Prepared, commitments: list[dict[str, Any]], years: Sequence[int], memory: RouteMemory, hand_over: Handover | None
) -> list[dict[str, Any]]:
    """Uncertain capacities that move the headline most in the year it was promised for, or in the last year of the run."""
    manifest = prepared.corridor.manifest
    year = _promised_year(commitments, years)
    snapshot = apply(prepared.scenario, prepared.corridor, year=year)
    simulated = frozenset() if hand_over is None else frozenset(hand_over.curves(snapshot))
    if hand_over is not None:
        snapshot = hand_over(snapshot)
    cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    found = capacity_movers(cleared, prepared.corridor, headline_cordon=manifest.headline_cordon, without=simulated)
    return [{"year": year, **item} for item in found]


def _legs(
    prepared: Prepared, baseline: Scenario, scenario_id: str, commitments: list[dict[str, Any]], years: Sequence[int]
) -> dict[str, pl.DataFrame]:
    """Legs of journeys by scenario: the baseline in the years that were observed, both in the promised year."""
    corridor = prepared.corridor
    if corridor.tables["journeys"].is_empty():
        return {baseline.scenario_id: pl.DataFrame(schema=LEG_SCHEMA)}
    manifest = corridor.manifest
    seen = journey_years(corridor.tables["observations"], base_year=manifest.base_year, facts_year=manifest.facts_until.year)
    promised = _promised_year(commitments, years)
    found = {baseline.scenario_id: pl.concat(scenario_legs(corridor, baseline, sorted({*seen, promised})).values())}
    if scenario_id != baseline.scenario_id:
        found[scenario_id] = pl.concat(scenario_legs(corridor, prepared.scenario, [promised]).values())
    return found


def _by_year(legs: pl.DataFrame) -> dict[int, pl.DataFrame]:
    return {year: legs.filter(pl.col("year") == year) for year in legs["year"].unique(maintain_order=True)}


def _promised_year(commitments: list[dict[str, Any]], years: Sequence[int]) -> int:
    """The year that the headline was promised for, or the last of the run."""
    promised = [int(item["year"]) for item in commitments if item["is_headline"] and item["metric"] == "corridor_mt"]
    return promised[0] if promised and promised[0] in years else years[-1]


def _cases(prepared: Prepared, baseline: Scenario, scenario_id: str) -> list[tuple[str, Scenario]]:
    main = prepared.scenario
    return [
        ("baseline", baseline),
        ("scenario", main),
        ("low", with_fields(main, growth="low")),
        ("high", with_fields(main, growth="high")),
    ]


def _check_years(years: Sequence[int], base_year: int) -> None:
    if not years or list(years) != sorted(set(years)):
        raise DataError(Problem("--years", None, None, "must be a first and a last year, such as 2024:2040"))
    if years[0] < base_year:
        raise DataError(Problem("--years", None, None, f"starts in {years[0]}, must start in the base year {base_year} or later"))


def _run_id(prepared: Prepared, baseline: Scenario, years: Sequence[int]) -> str:
    import hashlib

    parts = [
        __version__,
        code_hash(),
        prepared.corridor.hash,
        scenario_hash(prepared.scenario),
        scenario_hash(baseline),
        ",".join(str(year) for year in years),
        prepared.capacities,
    ]
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()[:12]


def _measure_rows(scenario: Scenario) -> list[dict[str, Any]]:
    return [
        {
            "measure_id": item.measure.id,
            "title": item.measure.title,
            "from_date": item.from_date.isoformat(),
            "until_date": item.until_date.isoformat() if item.until_date else None,
            "status": item.measure.status,
            "is_date_estimate": item.measure.is_date_estimate,
            "capital_musd": item.measure.capital_musd,
            "doc": item.measure.doc,
        }
        for item in scenario.dated
    ]


def _manifest(result: Run, prepared: Prepared, years: Sequence[int], options: ScenarioOptions) -> dict[str, Any]:
    import importlib.metadata

    libraries = ("numpy", "numba", "scipy", "polars", "dataframely", "pydantic")
    return {
        "run_id": result.run_id,
        "karvan": __version__,
        "code_hash": code_hash(),
        "corridor": prepared.corridor.manifest.id,
        "corridor_hash": prepared.corridor.hash,
        "scenario": prepared.scenario.scenario_id,
        "scenario_hash": scenario_hash(prepared.scenario),
        "years": list(years),
        "replaced": list(prepared.replaced),
        "options": {
            "with": list(options.with_measures),
            "without": list(options.without_measures),
            "set": list(options.set_values),
            "overlay": None if options.overlay is None else str(options.overlay),
            "growth": options.growth,
            "capacities": options.capacities,
        },
        "seed": None,
        "python": platform.python_version(),
        "libraries": {name: importlib.metadata.version(name) for name in libraries},
        "seconds": {name: round(value, 3) for name, value in result.seconds.items()},
    }
