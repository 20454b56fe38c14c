"""A system year by year on each path of the sea: what its lines can carry, and how many ships they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.network import sea_level_m, sea_level_paths
from karvan.simulation import (
    HandoverOptions,
    LineSize,
    configuration_hash,
    interval,
    line_size,
    paired,
    saturations,
    simulated_facilities,
    streams_of,
)
from karvan.study.crossing_loads import sent_loads
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.queue_frames import frame
from karvan.study.route_memory import RouteMemory, cache_folder

FloatArray = npt.NDArray[np.float64]
_FEW = HandoverOptions(replications=10)


def water(
    corridor: Corridor,
    system_id: str,
    *,
    years: Sequence[int],
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    curves: HandoverOptions | None = None,
    loads: Mapping[str, float] | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """What a facility can do on each path of the sea, year by year, with the fleet and berths of the scenario in that year, and how much
    of it the fall of the sea since the base year takes.

    Args:
        corridor, system_id, scenario, options: As for `simulate`.
        years: Calendar years.
        curves: How saturation is found.
        loads: Units a year of each stream, which say how goods share a facility; None takes those of the base year.
        routes: Routes to share.
        progress: Called with a line of text.

    Returns:
        path_id, year, level_m, facility_id, unit, saturation and saturation_half; lost and lost_half: less than with the water of the base
        year, same ships, berths and storms; lost_per_m: that by the metre the sea has fallen, None where it has not.
    """
    say, how, base_year = progress or silent, curves or _FEW, corridor.manifest.base_year
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    streams_of(prepared.corridor.tables, system_id)
    if loads is None:
        base = apply(prepared.scenario, prepared.corridor, year=base_year)
        loads, _ = sent_loads(base, system_id, manifest=corridor.manifest, routes=routes or RouteMemory(folder=cache_folder()))
    known: dict[str, FloatArray] = {}

    def most(tables: Mapping[str, pl.DataFrame], facility: str, level_m: float | None) -> FloatArray:
        """Saturation by replication, found once for each configuration."""
        key = configuration_hash(tables, system_id, facility, loads, level_m, how)
        if key not in known:
            known[key] = saturations(tables, system_id, facility, loads, level_m=level_m, options=how)
        return known[key]

    rows = []
    for calendar in years:
        tables = apply(prepared.scenario, prepared.corridor, year=calendar).tables
        lines = set(tables["crossings"].filter(pl.col("system_id") == system_id)["facility_id"].drop_nulls())
        for path in sea_level_paths(tables["sea_levels"]):
            level_m, before_m = (sea_level_m(tables["sea_levels"], path, year) for year in (calendar, base_year))
            say(f"{calendar} {path}")
            fallen_m = 0.0 if level_m is None or before_m is None else before_m - level_m
            for facility in simulated_facilities(tables, system_id):
                if facility not in lines:
                    continue
                here, before = most(tables, facility, level_m), most(tables, facility, before_m)
                told, lost = interval(here), paired(before, here)
                rows.append(
                    {
                        "path_id": path, "year": calendar, "level_m": level_m, "facility_id": facility,
                        "unit": str(tables["facilities"].filter(pl.col("facility_id") == facility)["unit"][0]),
                        "saturation": told.mean, "saturation_half": told.half_width, "lost": lost.mean, "lost_half": lost.half_width,
                        "lost_per_m": lost.mean / fallen_m if fallen_m > 0.0 else None,
                    }
                )  # fmt: skip
    return frame(rows)


def fleet_sizes(
    corridor: Corridor,
    system_id: str,
    *,
    years: Sequence[int],
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: HandoverOptions | None = None,
    use_share: float = 0.9,
    to_mt: float | None = None,
    load_factor: float = 1.0,
    loads: Mapping[str, float] | None = None,
    lines: Sequence[str] | None = None,
    paths: Sequence[str] | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """How many ships each line of a system needs, year by year on each path of the sea, with the loads that the market of the year sends.

    What the market sends is bounded by the capacities of the case; to size a fleet for more, name the tonnes that the corridor is to carry.
    Lines that stand for the rest have ships without end and are left out.

    Args:
        corridor, system_id, scenario, options: As for `simulate`.
        years: Calendar years.
        how: How many years are simulated of each number of ships.
        use_share: The load is to be this share at most of what the ships can carry.
        to_mt: All loads as if the market sent so many million tonnes over the headline cordon.
        load_factor: Times all loads.
        loads: Units a year of streams in place of the market's.
        lines: Lines to size; None takes all.
        paths: Paths of the sea; None takes all.
        routes: Routes to share.
        progress: Called with a line of text.

    Returns:
        path_id, year, level_m, crossing_id, unit, load_per_year (of the busier direction), ships_count, most_per_year with its half
        interval, ship_id (the class that is added or taken away), room_count (what one of it loads at that level), ships_needed (None: no
        number is enough, the berths bind), most_needed_per_year, berth_most_per_year.

    Raises:
        DataError: There is no such system, line or path, or the share is out of range.
    """
    say, options = progress or silent, options or ScenarioOptions()
    manifest, memory = corridor.manifest, routes or RouteMemory(folder=cache_folder())
    prepared = prepare(corridor, scenario or manifest.baseline, options)
    known = {row["arrival_id"] for row in streams_of(prepared.corridor.tables, system_id)}
    sailed = prepared.corridor.tables["crossings"].filter((pl.col("system_id") == system_id) & ~pl.col("is_rest"))["crossing_id"].to_list()
    strange = [name for name in lines or () if name not in sailed]
    if strange:
        message = f"{strange[0]} is no line of {system_id} to be sized, must be one of {', '.join(sailed) or 'none'}"
        raise DataError(Problem("--line", None, None, message))
    rows: list[dict[str, Any]] = []
    for calendar in years:
        snapshot = apply(prepared.scenario, prepared.corridor, year=calendar)
        tables, factor, sent = snapshot.tables, load_factor, dict[str, float]()
        if loads is None or to_mt is not None or set(loads) < known:
            say(f"{calendar}: clearing the market for its loads")
            sent, carried_mt = sent_loads(snapshot, system_id, manifest=manifest, routes=memory)
            factor *= 1.0 if to_mt is None else to_mt / carried_mt
        coming = {name: factor * load for name, load in {**sent, **(loads or {})}.items()}
        for path in _paths(paths, tables):
            level_m = sea_level_m(tables["sea_levels"], path, calendar)
            for line in lines or sailed:
                say(" ".join(str(part) for part in (calendar, path, line) if part is not None))
                size = line_size(tables, system_id, line, coming, level_m=level_m, use_share=use_share, options=how or _FEW)
                if size is not None:
                    rows.append({"path_id": path, "year": calendar, "level_m": level_m, **_row(size)})
    return frame(rows)


def _paths(asked: Sequence[str] | None, tables: Mapping[str, pl.DataFrame]) -> Sequence[str | None]:
    """Paths asked for, else all; a case without levels has one of no name."""
    return asked or sea_level_paths(tables["sea_levels"]) or [None]


def _row(size: LineSize) -> dict[str, Any]:
    return {
        "crossing_id": size.crossing_id,
        "unit": size.unit,
        "load_per_year": size.load,
        "ships_count": size.ships,
        "most_per_year": size.most.mean,
        "most_per_year_half": size.most.half_width,
        "ship_id": size.ship_id,
        "room_count": size.room,
        "ships_needed": size.ships_needed,
        "most_needed_per_year": size.most_needed,
        "berth_most_per_year": size.berth_most,
    }
