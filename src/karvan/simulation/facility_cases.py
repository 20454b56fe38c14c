"""Which streams, lines and berths make up the use of a facility, and how it is varied to see its delay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.simulation.system import streams_of

_MANY = 50.0


@dataclass(frozen=True)
class FacilityCase:
    """A facility to be measured: which streams are its own, and what they are worth in its unit."""

    facility_id: str
    unit: str
    is_berth: bool
    only: frozenset[str]
    weights: Mapping[str, float]
    loads: Mapping[str, float]
    berths: tuple[str, ...]
    calls: tuple[str, ...] = ()


def facility_case(tables: Mapping[str, pl.DataFrame], system_id: str, facility_id: str, loads: Mapping[str, float]) -> FacilityCase:
    """Which streams make up the use of a facility."""
    unit = str(tables["facilities"].filter(pl.col("facility_id") == facility_id)["unit"][0])
    arrivals = streams_of(tables, system_id)
    crossings = tables["crossings"].filter(pl.col("system_id") == system_id).rows(named=True)
    calls = tables["calls"].rows(named=True)
    berths = {row["berth_id"] for row in tables["berths"].rows(named=True) if row["facility_id"] == facility_id}
    lines = {row["crossing_id"] for row in crossings if row["facility_id"] == facility_id}
    passages = {row["passage_id"] for row in tables["passages"].rows(named=True) if row["facility_id"] == facility_id}
    is_berth = not lines and not passages
    if is_berth:
        lines = {row["crossing_id"] for row in calls if berths & {word.strip() for word in row["berths"].split(";")}}
        lines &= {row["crossing_id"] for row in crossings}
    own = [row for row in arrivals if row["crossing_id"] in lines or row["passage_id"] in passages]
    counted = {row["arrival_id"]: _in_unit(row, unit) for row in own}
    if not is_berth and lines:
        directions = {
            row["direction"]
            for row in tables["facility_uses"].rows(named=True)
            if row["facility_id"] == facility_id
            and row["link_id"] in {line["link_id"] for line in crossings if line["crossing_id"] in lines}
        }
        ends = {line["crossing_id"]: _ends(tables, line["link_id"]) for line in crossings}
        if directions and "both" not in directions:
            kept = {0 if direction == "forward" else 1 for direction in directions}
            counted = {
                row["arrival_id"]: counted[row["arrival_id"]] for row in own if ends[row["crossing_id"]].index(row["place_id"]) in kept
            }
    beside = _beside(calls, crossings, lines) if not is_berth else lines
    return FacilityCase(
        facility_id, unit, is_berth, frozenset(beside | passages), counted,
        {row["arrival_id"]: loads.get(row["arrival_id"], 0.0) for row in arrivals}, tuple(sorted(berths)),
    )  # fmt: skip


def line_case(tables: Mapping[str, pl.DataFrame], system_id: str, crossing_id: str, loads: Mapping[str, float]) -> FacilityCase:
    """A line by itself, in the units of its stream, in the direction in which more comes; lines whose ships take its goods along too."""
    arrivals = streams_of(tables, system_id)
    own = [row for row in arrivals if row["crossing_id"] == crossing_id]
    busier = max(own, key=lambda row: loads.get(row["arrival_id"], 0.0))
    crossings = tables["crossings"].filter(pl.col("system_id") == system_id).rows(named=True)
    helped = tables["ships"].filter((pl.col("also_crossing_id") == crossing_id) & (pl.col("ships_count") > 0.0))["crossing_id"]
    beside = _beside(tables["calls"].rows(named=True), crossings, {crossing_id, *helped})
    return FacilityCase(
        crossing_id, busier["unit"], False, frozenset(beside), {busier["arrival_id"]: 1.0},
        {row["arrival_id"]: loads.get(row["arrival_id"], 0.0) for row in arrivals}, (),
    )  # fmt: skip


def _ends(tables: Mapping[str, pl.DataFrame], link_id: str) -> tuple[str, str]:
    row = tables["links"].filter(pl.col("link_id") == link_id).row(0, named=True)
    return row["from_place"], row["to_place"]


def _in_unit(row: Mapping[str, Any], unit: str) -> float:
    """One unit of a stream in thousands of a facility's unit."""
    same = {"kteu": "teu", "kwagons": "wagons", "kvehicles": "vehicles"}.get(unit) == row["unit"]
    return 1e-3 if same else float(row["t_per_unit"]) * 1e-3


def _beside(calls: list[dict[str, Any]], crossings: list[dict[str, Any]], lines: set[str]) -> set[str]:
    """Lines that share berths with some lines, and these."""
    known = {row["crossing_id"] for row in crossings}
    berths_of = {name: {word.strip() for row in calls if row["crossing_id"] == name for word in row["berths"].split(";")} for name in known}
    own = set().union(*(berths_of[name] for name in lines)) if lines else set()
    return lines | {name for name in known if berths_of[name] & own}


def relieved(tables: Mapping[str, pl.DataFrame], case: FacilityCase, *, is_whole: bool) -> Mapping[str, pl.DataFrame]:
    """For berths: every other berth has room, so that nothing but they can bind; the whole: they have, too, so that ships bind."""
    if not case.is_berth:
        return tables
    kept = [] if is_whole else list(case.berths)
    wide = pl.when(pl.col("berth_id").is_in(kept)).then(pl.col("servers_count")).otherwise(_MANY)
    return {**tables, "berths": tables["berths"].with_columns(servers_count=wide)}


def varied(tables: Mapping[str, pl.DataFrame], case: FacilityCase, variant: str) -> Mapping[str, pl.DataFrame]:
    """The facility with a ship (or server) less, or with ships that load a tenth less and closures a quarter more often."""
    if variant == "fewer":
        if case.is_berth or not tables["crossings"].filter(pl.col("facility_id") == case.facility_id).height:
            fewer = pl.when(pl.col("facility_id") == case.facility_id).then(pl.max_horizontal(1.0, pl.col("servers_count") - 1.0))
            return {**tables, "berths": tables["berths"].with_columns(servers_count=fewer.otherwise(pl.col("servers_count")))}
        lines = tables["crossings"].filter(pl.col("facility_id") == case.facility_id)["crossing_id"].implode()
        less = pl.when(pl.col("crossing_id").is_in(lines) & (pl.col("ships_count") > 1.0)).then(pl.col("ships_count") - 1.0)
        return {**tables, "ships": tables["ships"].with_columns(ships_count=less.otherwise(pl.col("ships_count")))}
    if variant == "lighter":
        return {
            **tables,
            "ships": tables["ships"].with_columns(room_count=0.9 * pl.col("room_count")),
            "closures": tables["closures"].with_columns(closed_share=pl.min_horizontal(0.9, 1.25 * pl.col("closed_share"))),
        }
    return tables


def mix_of(case: FacilityCase) -> dict[str, float]:
    """Loads that share the facility as they do; alike where nothing comes."""
    total = sum(case.weights[name] * case.loads[name] for name in case.weights)
    if total > 0.0:
        return {name: case.loads[name] / total for name in case.weights}
    return {name: 1.0 / (weight * len(case.weights)) for name, weight in case.weights.items()}


def own_streams(case: FacilityCase, tables: Mapping[str, pl.DataFrame], lines: Mapping[str, tuple[str | None, str | None]]) -> set[str]:
    """Streams of the facility's own lines, counted or not."""
    own = {lines[name][0] for name in case.weights} - {None}
    return {name for name, (line, _) in lines.items() if line in own} | set(case.weights)


def loads_at(case: FacilityCase, tables: Mapping[str, pl.DataFrame], use: float) -> dict[str, float]:
    """Loads of all streams when so much of the facility is used; those of other lines stay."""
    lines = {row["arrival_id"]: (row["crossing_id"], row["place_id"]) for row in tables["arrivals"].rows(named=True)}
    mix, total = mix_of(case), sum(case.weights[name] * case.loads[name] for name in case.weights)
    loads = dict(case.loads)
    for name in own_streams(case, tables, lines):
        loads[name] = use / total * case.loads[name] if total > 0.0 else use * mix.get(name, next(iter(mix.values())))
    return loads
