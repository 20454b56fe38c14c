"""What comes to crossings and yards in a cleared year: the loads of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from karvan.corridor import Manifest, Snapshot
from karvan.simulation import streams_of
from karvan.study.clear import Cleared, clear
from karvan.study.route_memory import RouteMemory
from karvan.study.year import facilities_of, link_flows
from karvan.sums import weighted_sum

_COUNTED = {"teu": "kteu", "wagons": "kwagons", "vehicles": "kvehicles"}


def sent_loads(snapshot: Snapshot, system_id: str, *, manifest: Manifest, routes: RouteMemory) -> tuple[dict[str, float], float]:
    """What the market of a snapshot sends to a system, units a year of each stream, and the tonnes over the headline cordon, million.

    Args:
        snapshot: The year.
        system_id: The system.
        manifest: Of the corridor.
        routes: Routes to share with other studies.
    """
    cleared = clear(snapshot, routes=routes, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    headline_kt, _ = cleared.routed.cordons[manifest.headline_cordon]
    return crossing_loads(cleared, system_id), weighted_sum(cleared.set_flow_kt, headline_kt) / 1e3


def crossing_loads(cleared: Cleared, system_id: str) -> dict[str, float]:
    """Units a year of each stream of a system, as a cleared market sends them.

    A line whose facility counts the units of the stream takes them from there: where loading units must come back both ways carry as many,
    else tonnes by direction share them. All others take the tonnes of their link by direction over the mean load of a unit; vehicles come
    back, loaded or empty, so as many go either way. A line that stands for the rest takes what the facility of its berths carries less
    what the other lines bring there.

    Args:
        cleared: The market of a year.
        system_id: The system.
    """
    return loads_of(cleared.routed.snapshot.tables, system_id, facilities=facilities_of(cleared), links=link_flows(cleared))


def loads_of(tables: Mapping[str, pl.DataFrame], system_id: str, *, facilities: pl.DataFrame, links: pl.DataFrame) -> dict[str, float]:
    """The same from what was kept of a cleared year, of a saved run for one.

    Args:
        tables: Of the snapshot.
        system_id: The system.
        facilities: facility_id, unit and flow, thousands a year.
        links: link_id, forward_kt and backward_kt.
    """
    used = {row["facility_id"]: row for row in facilities.rows(named=True)}
    flows = {row["link_id"]: row for row in links.rows(named=True)}
    ends = {row["link_id"]: row["from_place"] for row in tables["links"].rows(named=True)}
    crossings = {row["crossing_id"]: row for row in tables["crossings"].rows(named=True)}
    returned = set(tables["returns"]["link_id"])
    one_way = {
        (row["facility_id"], row["link_id"]): row["direction"]
        for row in tables["facility_uses"].rows(named=True)
        if row["link_id"] is not None
    }
    loads: dict[str, float] = {}
    rest: list[dict[str, Any]] = []
    for row in streams_of(tables, system_id):
        if row["passage_id"] is not None:
            loads[row["arrival_id"]] = _passage_load(tables, row, used)
            continue
        crossing = crossings[row["crossing_id"]]
        if crossing["is_rest"]:
            rest.append(row)
            continue
        link, facility = flows[crossing["link_id"]], used.get(crossing["facility_id"] or "")
        is_forward = row["place_id"] == ends[crossing["link_id"]]
        kt, other_kt = (link["forward_kt"], link["backward_kt"]) if is_forward else (link["backward_kt"], link["forward_kt"])
        if facility is not None and facility["unit"] == _COUNTED.get(row["unit"]):
            is_both = one_way.get((crossing["facility_id"], crossing["link_id"]), "both") == "both"
            both = 1e3 * facility["flow"] * (1.0 if is_both else 2.0)
            share = 0.5 if crossing["link_id"] in returned else (kt / (kt + other_kt) if kt + other_kt > 0.0 else 0.0)
            loads[row["arrival_id"]] = both * share
        else:
            loads[row["arrival_id"]] = 1e3 * (max(kt, other_kt) if row["unit"] == "vehicles" else kt) / row["t_per_unit"]
    for row in rest:
        loads[row["arrival_id"]] = _rest_load(tables, row, used, loads)
    return loads


def _passage_load(tables: Mapping[str, pl.DataFrame], row: Mapping[str, Any], facilities: Mapping[str, Mapping[str, Any]]) -> float:
    named = tables["passages"].filter((pl.col("passage_id") == row["passage_id"]) & pl.col("facility_id").is_not_null())["facility_id"]
    if not len(named):
        return 0.0
    facility = facilities[str(named[0])]
    per_unit = 1.0 if facility["unit"] == _COUNTED.get(row["unit"]) else row["t_per_unit"]
    return float(1e3 * facility["flow"] / per_unit)


def _rest_load(
    tables: Mapping[str, pl.DataFrame], row: Mapping[str, Any], facilities: Mapping[str, Mapping[str, Any]], loads: Mapping[str, float]
) -> float:
    """Tonnes at the berths of a call that no line of the case brings or takes there."""
    calls = tables["calls"]
    call = calls.filter((pl.col("crossing_id") == row["crossing_id"]) & (pl.col("place_id") == row["place_id"])).row(0, named=True)
    berths = {word.strip() for word in call["berths"].split(";")}
    facility = next((found for found in tables["berths"].filter(pl.col("berth_id").is_in(sorted(berths)))["facility_id"] if found), None)
    if facility is None:
        return 0.0
    here = {found["crossing_id"] for found in calls.rows(named=True) if berths & {word.strip() for word in found["berths"].split(";")}}
    brought = sum(
        loads.get(found["arrival_id"], 0.0) * found["t_per_unit"]
        for found in tables["arrivals"].rows(named=True)
        if found["crossing_id"] in here and found["crossing_id"] != row["crossing_id"]
    )
    return float(max(0.0, (1e3 * facilities[facility]["flow"] - brought) / row["t_per_unit"]))
