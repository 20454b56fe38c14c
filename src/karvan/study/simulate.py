"""A crossing, port, border or yard of a corridor simulated in a year, with the loads that its market sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.network import sea_level_m, sea_level_paths
from karvan.results import Queues
from karvan.simulation import (
    Built,
    Experiment,
    ExperimentOptions,
    HandoverOptions,
    berth_visits,
    build,
    closed_times,
    experiment,
    line_skeletons,
    passage_skeletons,
    ship_states,
    simulated_facilities,
    stocks,
    streams_of,
    trace,
    voyages,
)
from karvan.study.crossing_loads import sent_loads
from karvan.study.designs import AS_IT_IS
from karvan.study.handed_over import system_curves
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.queue_frames import (
    bans_frame,
    berths_frame,
    calls_frame,
    capacities_frame,
    causes_frame,
    frame,
    months_frame,
    ships_frame,
    streams_frame,
)
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.simulated_designs import designed, designs_frames

_HOURS_A_DAY = 24.0
STORMIEST = "stormiest"
"""In place of a month: the one in which weather closes ports longest."""


def simulate(
    corridor: Corridor,
    system_id: str,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: ExperimentOptions | None = None,
    curves: HandoverOptions | None = None,
    loads: Mapping[str, float] | None = None,
    load_factor: float = 1.0,
    to_mt: float | None = None,
    sea_level_path: str | None = None,
    tries: Sequence[str] = (),
    capacity_of: Sequence[str] = (),
    has_curves: bool = True,
    has_log: bool = False,
    month: int | str | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Queues:
    """Simulate a system of a corridor in a year.

    Args:
        corridor: The corridor.
        system_id: A row of `systems`.
        year: Calendar year; by default the base year.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        how: Seed, how sure, how many.
        curves: How saturation and delay curves are found.
        loads: Units a year of streams, in place of what the market sends; others keep that.
        load_factor: Times all loads.
        to_mt: All loads as if the market sent so many million tonnes over the headline cordon, before `load_factor`.
        sea_level_path: Path of the sea; by default the first of the case.
        tries: Other designs to compare under the same chance and loads: each a measure, `no-` before one to take out, TABLE.ID.COLUMN=VALUE
            as of that year, or sea_level_m=VALUE; several joined by '+' are one design.
        capacity_of: Facilities whose saturation each design tells.
        has_curves: Find saturation and delay curve of every facility.
        has_log: Tell a year of one replication hour by hour: what ships do, berths, stocks, closures.
        month: Tell a month of it alone: 1 to 12, or `stormiest`.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: There is no such system, design or path, or its tables do not fit.
        MeasureError: A measure is unknown or does not fit.
    """
    say, asked = progress or silent, options or ScenarioOptions()
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, asked)
    calendar = year or corridor.manifest.base_year
    streams_of(prepared.corridor.tables, system_id)
    snapshot = apply(prepared.scenario, prepared.corridor, year=calendar)
    simulated = simulated_facilities(snapshot.tables, system_id)
    strange = [name for name in capacity_of if name not in simulated]
    if strange:
        names = ", ".join(simulated)
        raise DataError(Problem("facilities", None, "facility_id", f"{strange[0]} is not simulated in {system_id}, must be one of {names}"))
    changes = {
        design: designed(prepared.corridor, prepared.scenario, calendar, snapshot.tables, design, sea_level_path) for design in tries
    }
    known = {row["arrival_id"] for row in streams_of(snapshot.tables, system_id)}
    wrong = sorted(set(loads or {}) - known)
    if wrong:
        raise DataError(Problem("loads", None, None, f"{wrong[0]} is no stream of {system_id}, must be one of {', '.join(sorted(known))}"))
    sent: dict[str, float] = {}
    is_given = loads is not None and set(loads) >= known
    if to_mt is not None and is_given:
        raise DataError(Problem("--to-mt", None, None, "needs the market, but all loads are given"))
    if not is_given:
        say("clearing the market for its loads")
        sent, carried_mt = sent_loads(
            snapshot, system_id, manifest=corridor.manifest, routes=routes or RouteMemory(folder=cache_folder())
        )  # fmt: skip
        load_factor *= 1.0 if to_mt is None else to_mt / carried_mt
    coming = {name: load_factor * load for name, load in {**sent, **(loads or {})}.items()}
    level_m = sea_level_m(snapshot.tables["sea_levels"], sea_level_path, calendar)
    paths = sea_level_paths(snapshot.tables["sea_levels"])
    settings = how or ExperimentOptions()
    built = build(snapshot.tables, system_id, coming, level_m=level_m)
    say("pilot")
    found = experiment(built, settings, tell=say)
    numbers = {key: float(np.nanmean(values)) if np.isfinite(values).any() else 0.0 for key, values in found.numbers.items()}
    handed = (
        system_curves(snapshot.tables, system_id, coming, level_m=level_m, options=curves, tell=say) if has_curves else {}
    )  # fmt: skip
    cases = {AS_IT_IS: (snapshot.tables, level_m), **changes} if tries or capacity_of else {}
    designs, design_capacities = designs_frames(cases, system_id, coming, capacity_of, found, settings, curves, say)
    months = months_frame(found)
    log = _log(built, settings, found, _month(month, months)) if has_log or month is not None else {}
    return Queues(
        system_id=system_id,
        name=str(snapshot.tables["systems"].filter(pl.col("system_id") == system_id)["name"][0]),
        year=calendar,
        scenario_id=prepared.scenario.scenario_id,
        seed=settings.seed,
        replications=found.replications,
        warm_d=round(found.period.warm_h / _HOURS_A_DAY),
        is_sure=found.is_sure,
        half_width_share=settings.half_width_share,
        sea_level_path=sea_level_path or (paths[0] if paths else None),
        sea_level_m=level_m,
        load_factor=load_factor,
        streams=streams_frame(found),
        causes=causes_frame(found),
        months=months,
        berths=berths_frame(found),
        calls=calls_frame(found),
        ships=ships_frame(found),
        bans=bans_frame(found),
        lines=frame(line_skeletons(built, numbers)),
        passages=frame(passage_skeletons(built, snapshot.tables["passages"].to_dicts(), snapshot.tables["arrivals"].to_dicts(), numbers)),
        capacities=capacities_frame(handed, snapshot.tables),
        designs=designs,
        design_capacities=design_capacities,
        log=log,
        replaced=prepared.replaced,
    )


def _month(asked: int | str | None, months: pl.DataFrame) -> int | None:
    """The month that is asked for.

    Raises:
        DataError: It is none.
    """
    if asked is None or (isinstance(asked, int) and 1 <= asked <= 12):
        return asked
    if asked != STORMIEST:
        raise DataError(Problem("--month", None, None, f"{asked} must be 1 to 12, or {STORMIEST}"))
    closed = months.filter(pl.col("kind") == "closed").group_by("month", maintain_order=True).agg(pl.col("value_d").sum())
    return int(closed.sort("value_d", "month", descending=[True, False])["month"][0]) if closed.height else 1


def _log(built: Built, how: ExperimentOptions, found: Experiment, month: int | None) -> dict[str, Any]:
    """Hours of one replication one by one; rows that lie outside them are left out, those over an end are kept whole."""
    traced = trace(built, how, found.pilot, month=month)
    inside = (pl.col("until_h") > traced.from_h) & (pl.col("from_h") < traced.until_h)
    lying = stocks(built, traced.found)
    before = lying.filter(pl.col("hour") <= traced.from_h).group_by("arrival_id", maintain_order=True).last()
    frames = {
        "ship_states": ship_states(built, traced.found, until_h=traced.until_h),
        "berth_visits": berth_visits(built, traced.found),
        "voyages": voyages(built, traced.found),
        "closed_times": closed_times(built, traced.found),
    }
    return {
        "month": month, "from_h": traced.from_h, "until_h": traced.until_h, "is_whole": traced.is_whole,
        **{name: frame.filter(inside) for name, frame in frames.items()},
        "stocks": pl.concat([before, lying.filter((pl.col("hour") > traced.from_h) & (pl.col("hour") < traced.until_h))])
        .sort("arrival_id", "hour"),
    }  # fmt: skip
