"""A crossing, port, border or yard of a corridor simulated in a year, with the loads that its market sends."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from karvan.assignment import effective_capacity
from karvan.corridor import Corridor
from karvan.corridor.edit import set_cell
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, with_measures
from karvan.measures.apply import apply
from karvan.network import sea_level_m, sea_level_paths
from karvan.results import Queues
from karvan.simulation import (
    CAUSES,
    Built,
    Experiment,
    ExperimentOptions,
    FacilityCurve,
    HandoverOptions,
    Key,
    berth_visits,
    build,
    closed_times,
    experiment,
    line_skeletons,
    paired,
    passage_skeletons,
    pilot,
    saturation,
    ship_states,
    simulated_facilities,
    stocks,
    streams_of,
    trace,
    voyages,
)
from karvan.study.clear import clear
from karvan.study.crossing_loads import crossing_loads
from karvan.study.handed_over import system_curves
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.used_capacities import SIMULATED_TABLES

Tables = Mapping[str, pl.DataFrame]
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
    sea_level_path: str | None = None,
    tries: Sequence[str] = (),
    capacity_of: str | None = None,
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
        sea_level_path: Path of the sea; by default the first of the case.
        tries: Other designs to compare under the same chance and loads: each a measure, or TABLE.ID.COLUMN=VALUE as of that year;
            several joined by '+' are one design.
        capacity_of: Facility whose saturation each design tells.
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
    if capacity_of is not None and capacity_of not in simulated_facilities(snapshot.tables, system_id):
        names = ", ".join(simulated_facilities(snapshot.tables, system_id))
        raise DataError(
            Problem("facilities", None, "facility_id", f"{capacity_of} is not simulated in {system_id}, must be one of {names}")
        )
    changes = {design: designed(prepared.corridor, prepared.scenario, calendar, snapshot.tables, design) for design in tries}
    known = {row["arrival_id"] for row in streams_of(snapshot.tables, system_id)}
    wrong = sorted(set(loads or {}) - known)
    if wrong:
        raise DataError(Problem("loads", None, None, f"{wrong[0]} is no stream of {system_id}, must be one of {', '.join(sorted(known))}"))
    coming: dict[str, float] = {}
    if loads is None or set(loads) < known:
        say("clearing the market for its loads")
        cleared = clear(
            snapshot, routes=routes or RouteMemory(folder=cache_folder()), co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t,
            is_strict=False,
        )  # fmt: skip
        coming = crossing_loads(cleared, system_id)
    coming = {name: load_factor * load for name, load in {**coming, **(loads or {})}.items()}
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
    designs = _designs(changes, system_id, snapshot.tables, coming, level_m, capacity_of, found, settings, curves, say)
    months = _months(found)
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
        streams=_streams(found),
        causes=_causes(found),
        months=months,
        berths=_berths(found),
        calls=_calls(found),
        ships=_ships(found),
        bans=_bans(found),
        lines=_frame(line_skeletons(built, numbers)),
        passages=_frame(passage_skeletons(built, snapshot.tables["passages"].to_dicts(), snapshot.tables["arrivals"].to_dicts(), numbers)),
        capacities=_capacities(handed, snapshot.tables),
        designs=designs,
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
    """What a facility can do on each path of the sea, year by year, with the fleet and berths of the scenario in that year.

    Args:
        corridor, system_id, scenario, options: As for `simulate`.
        years: Calendar years.
        curves: How saturation is found.
        loads: Units a year of each stream, which say how goods share a facility; None takes those of the base year.
        routes: Routes to share.
        progress: Called with a line of text.

    Returns:
        path_id, year, level_m, facility_id, unit, saturation and saturation_half.
    """
    say, how = progress or silent, curves or HandoverOptions(replications=10)
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    streams_of(prepared.corridor.tables, system_id)
    if loads is None:
        base = apply(prepared.scenario, prepared.corridor, year=corridor.manifest.base_year)
        memory = routes or RouteMemory(folder=cache_folder())
        loads = crossing_loads(
            clear(base, routes=memory, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t, is_strict=False), system_id
        )
    rows = []
    for calendar in years:
        tables = apply(prepared.scenario, prepared.corridor, year=calendar).tables
        lines = set(tables["crossings"].filter(pl.col("system_id") == system_id)["facility_id"].drop_nulls())
        for path in sea_level_paths(tables["sea_levels"]):
            level_m = sea_level_m(tables["sea_levels"], path, calendar)
            say(f"{calendar} {path}")
            for facility in simulated_facilities(tables, system_id):
                if facility in lines:
                    most = saturation(tables, system_id, facility, loads, level_m=level_m, options=how)
                    unit = tables["facilities"].filter(pl.col("facility_id") == facility)["unit"][0]
                    rows.append((path, calendar, level_m, facility, str(unit), most.mean, most.half_width))
    names = ["path_id", "year", "level_m", "facility_id", "unit", "saturation", "saturation_half"]
    return pl.DataFrame(rows, schema=names, orient="row")


def _designs(
    changes: Mapping[str, Tables], system_id: str, tables: Tables, loads: Mapping[str, float], level_m: float | None,
    capacity_of: str | None, base: Experiment, how: ExperimentOptions, curves: HandoverOptions | None, say: Progress,
) -> pl.DataFrame:  # fmt: skip
    """Each design with as many replications as the base, stream by stream, and what differs, with paired intervals."""
    named = tables["facilities"].filter(pl.col("facility_id") == capacity_of)["unit"]
    unit = str(named[0]) if len(named) else None
    rows: list[dict[str, Any]] = []
    cases: list[tuple[str, Tables, Experiment]] = [("as it is", tables, base)] if changes or capacity_of is not None else []
    for design, changed in changes.items():
        say(f"design {design}")
        built = build(changed, system_id, loads, level_m=level_m)
        first = replace(pilot(built, how), warm_d=base.pilot.warm_d)
        cases.append((design, changed, experiment(built, how, first=first, count=base.replications)))
    for design, changed, found in cases:
        most = None
        if capacity_of is not None:
            most = saturation(changed, system_id, capacity_of, loads, level_m=level_m, options=curves)
        rows += _compared(design, found, base, most, capacity_of, unit)
    return _frame(rows)


def designed(corridor: Corridor, scenario: Scenario, year: int, tables: Tables, design: str) -> Tables:
    """Tables of a year with a design: measures as if they had begun by then, or values set as of that year, joined by '+'.

    Raises:
        DataError: A part changes nothing that is simulated, or is no measure and no assignment.
        MeasureError: A measure does not fit.
    """
    parts = [part.strip() for part in design.split("+")]
    named = [part for part in parts if "=" not in part]
    changed = dict(tables)
    if named:
        held = {item.measure.id for item in scenario.dated}
        new = [name for name in named if name not in held]
        other = with_measures(scenario, corridor, new) if new else scenario
        begun = datetime.date(year, 1, 1)
        dated = [
            replace(item, from_date=min(item.from_date, begun)) if item.measure.id not in held or item.measure.id in named else item
            for item in other.dated
        ]
        moved = apply(replace(other, dated=tuple(sorted(dated, key=lambda item: item.from_date))), corridor, year=year).tables
        if all(moved[name].equals(tables[name]) for name in SIMULATED_TABLES):
            raise DataError(Problem("--try", None, None, f"{design} changes nothing that is simulated in {year}"))
        changed |= {name: moved[name] for name in SIMULATED_TABLES}
    for part in parts:
        if "=" in part:
            path, _, value = part.partition("=")
            changed, _ = set_cell(changed, path.strip(), value.strip())
    return changed


def _compared(design: str, found: Experiment, base: Experiment, most: Any, facility: str | None, unit: str | None) -> list[dict[str, Any]]:
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        transit, out = Key("stream", name, "transit_h"), Key("stream", name, "out_per_year")
        if stream.demand <= 0.0 or out not in base.numbers:
            continue
        is_stable = name not in found.pilot.unstable
        both = is_stable and name not in base.pilot.unstable and transit in found.numbers and transit in base.numbers
        difference = paired(found.numbers[transit], base.numbers[transit]) if both else None
        more = paired(found.numbers[out], base.numbers[out])
        rows.append(
            {
                "design": design,
                "arrival_id": name,
                "is_stable": is_stable,
                "transit_d": found.mean(transit).mean / _HOURS_A_DAY if is_stable and transit in found.numbers else None,
                "difference_d": None if difference is None else difference.mean / _HOURS_A_DAY,
                "difference_d_half": None if difference is None else difference.half_width / _HOURS_A_DAY,
                "out_per_year": found.mean(out).mean,
                "more_per_year": more.mean,
                "more_per_year_half": more.half_width,
                "backlog_growth_per_year": None if is_stable else found.pilot.growth[name].mean,
                "capacity_of": facility,
                "capacity_unit": unit,
                "saturation": None if most is None else most.mean,
                "saturation_half": None if most is None else most.half_width,
            }
        )
    return rows


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _told(found: Experiment, key: Key, *, per: float = 1.0) -> tuple[float | None, float | None]:
    """Mean and half its interval; None where it was not measured."""
    if key not in found.numbers or not np.isfinite(found.numbers[key]).any():
        return None, None
    told = found.mean(key)
    half = told.half_width / per
    return told.mean / per, half if np.isfinite(half) else None


def _streams(found: Experiment) -> pl.DataFrame:
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        if stream.demand <= 0.0:
            continue
        is_stable, growth = name not in found.pilot.unstable, found.pilot.growth[name]
        row: dict[str, Any] = {
            "arrival_id": name, "crossing_id": stream.crossing_id, "place_id": stream.place_id, "passage_id": stream.passage_id,
            "unit": stream.unit, "demand_per_year": stream.demand, "is_stable": is_stable,
        }  # fmt: skip
        row["out_per_year"], row["out_per_year_half"] = _told(found, Key("stream", name, "out_per_year"))
        for measure in ("transit", "transit_sd", "transit_p50", "transit_p90", "transit_p95", "wait"):
            mean, half = _told(found, Key("stream", name, f"{measure}_h"), per=_HOURS_A_DAY) if is_stable else (None, None)
            row[f"{measure}_d"], row[f"{measure}_d_half"] = mean, half
        row["inside"], row["inside_half"] = _told(found, Key("stream", name, "inside"))
        row["backlog_growth_per_year"] = None if is_stable else growth.mean
        row["backlog_growth_per_year_half"] = None if is_stable else growth.half_width
        rows.append(row)
    return _frame(rows)


def _causes(found: Experiment) -> pl.DataFrame:
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        if stream.demand <= 0.0 or name in found.pilot.unstable:
            continue
        for cause in CAUSES:
            mean, half = _told(found, Key("stream", name, f"{cause}_h"), per=_HOURS_A_DAY)
            tail, tail_half = _told(found, Key("stream", name, f"{cause}_p95_h"), per=_HOURS_A_DAY)
            if mean is not None:
                rows.append(
                    {"arrival_id": name, "cause": cause, "mean_d": mean, "mean_d_half": half, "at_p95_d": tail, "at_p95_d_half": tail_half}
                )
    return _frame(rows)


def _months(found: Experiment) -> pl.DataFrame:
    rows = []
    for month in range(1, 13):
        for name in found.built.system.names.sites:
            mean, half = _told(found, Key("weather", name, f"month_{month}_closed_d"))
            rows.append({"month": month, "kind": "closed", "name": name, "value_d": mean, "value_d_half": half})
        for stream in found.built.streams:
            mean, half = _told(found, Key("stream", stream.arrival_id, f"month_{month}_transit_h"), per=_HOURS_A_DAY)
            if mean is not None and stream.arrival_id not in found.pilot.unstable:
                rows.append({"month": month, "kind": "transit", "name": stream.arrival_id, "value_d": mean, "value_d_half": half})
    return _frame(rows)


def _berths(found: Experiment) -> pl.DataFrame:
    rows = []
    for name in found.built.system.names.berths:
        row: dict[str, Any] = {"berth_id": name, "servers_count": found.built.rows["berths"][name]["servers_count"]}
        for measure in ("use_share", "calls_per_year", "hours_per_call"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("berth", name, measure))
        rows.append(row)
    return _frame(rows)


def _calls(found: Experiment) -> pl.DataFrame:
    rows = []
    for call in found.built.calls:
        name = f"{call.ship_id}|{call.place_id}"
        row: dict[str, Any] = {
            "ship_id": call.ship_id, "crossing_id": call.crossing_id, "place_id": call.place_id, "room": call.room,
            "payload_share": call.room / call.room_count,
        }  # fmt: skip
        for measure in ("per_year", "wait_h", "handled_h", "load_units"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("call", name, measure))
        rows.append(row)
    return _frame(rows)


def _ships(found: Experiment) -> pl.DataFrame:
    rows = []
    for name, count in found.built.ships.items():
        row: dict[str, Any] = {"ship_id": name, "ships_count": count}
        for cause in ("sailing", "handling", "channel", "filling", "berth", "weather", "off_hire"):
            row[f"{cause}_share"], _ = _told(found, Key("ship", name, f"{cause}_share"))
        rows.append(row)
    return _frame(rows)


def _bans(found: Experiment) -> pl.DataFrame:
    rows = []
    for name in found.built.system.names.bans:
        row: dict[str, Any] = {"arrival_id": name}
        for measure in ("ban_d_per_year", "refused_per_year"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("ban", name, measure))
        rows.append(row)
    return _frame(rows)


def _capacities(curves: Mapping[str, FacilityCurve], tables: Tables) -> pl.DataFrame:
    nominal = dict(zip(tables["facilities"]["facility_id"], effective_capacity(tables["facilities"]).tolist(), strict=True))
    rows = [
        {
            "facility_id": name,
            "unit": curve.unit,
            "nominal": nominal[name],
            "saturation": curve.saturation,
            "saturation_half": curve.saturation_half,
            "is_berth": curve.is_berth,
            "base_wait_h": curve.base_wait_h,
            "eta_s_h": curve.eta_s_h,
            "kappa": curve.kappa,
            "fit_error_h": curve.fit_error_h,
            "sd_h": curve.sd_h,
            "points": [dict(point) for point in curve.points],
        }
        for name, curve in curves.items()
    ]
    return _frame(rows)
