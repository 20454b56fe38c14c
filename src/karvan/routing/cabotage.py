"""Carriage between two places of one country by a carrier of another: what it closes, and what it makes a shipper ask."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.graph import LINK, TERMINAL, StateGraph
from karvan.routing.permissions import Rule
from karvan.routing.refusals import Closing
from karvan.schema import MODES

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ROAD, SEA = "road", "sea"
_ON_LAND = ("rail", "road", "pipeline")
_ON_WHEELS = ("road", "ro_ro")
"""Modes by which a truck goes on with its load."""
_WAYS_OF = {ROAD: (ROAD,), SEA: tuple(mode for mode in MODES if mode not in _ON_LAND)}


def cabotage_rules(tables: Mapping[str, pl.DataFrame], carrier: str | None, date: datetime.date) -> tuple[Rule, ...]:
    """Rules in force on a day for a carrier of a country, each with the countries in which it holds under `inside`."""
    if carrier is None or "cabotage" not in tables:
        return ()
    found = []
    for row in tables["cabotage"].sort("cabotage_id").iter_rows(named=True):
        begun = row["from_date"] is None or row["from_date"] <= date
        running = row["until_date"] is None or row["until_date"] > date
        concerned = row["carriers"] is None or carrier in _listed(row["carriers"])
        inside = frozenset(_listed(row["countries"])) - {carrier}
        if begun and running and concerned and carrier not in _listed(row["not_carriers"]) and inside:
            found.append({**row, "permission_id": row["cabotage_id"], "in_force": False, "row": -1, "inside": inside})
    return tuple(found)


def cabotage_closings(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], rules: Sequence[Rule], ends: tuple[str, str]
) -> tuple[Closing, ...]:
    """Arcs that rules of cabotage close: a ship's between two ports of a country; a truck's in it where the shipment stays there, too.

    Args:
        graph: The state graph.
        tables: Its tables.
        rules: As `cabotage_rules` gives them.
        ends: Countries in which the shipment starts and ends.
    """
    country = dict(tables["places"].select("place_id", "country").iter_rows())
    of_place = np.array([country[place] for place in graph.place_ids])
    tail, head = (of_place[graph.node_place[nodes]] for nodes in (graph.arc_tail, graph.arc_head))
    closings = []
    for rule in rules:
        inside = set(rule["inside"]) if rule["carried_by"] == SEA else set(rule["inside"]) & {ends[0]} & {ends[1]}
        modes = [MODES.index(mode) for mode in _WAYS_OF[rule["carried_by"]]]
        arcs = (graph.arc_kind == LINK) & (tail == head) & np.isin(tail, sorted(inside)) & np.isin(graph.node_mode[graph.arc_tail], modes)
        if arcs.any():
            closings.append(Closing((rule,), arcs))
    return tuple(closings)


def cabotage_met(graph: StateGraph, tables: Mapping[str, pl.DataFrame], rules: Sequence[Rule], arcs: IntArray) -> tuple[Rule, ...]:
    """Rules that a way may meet: a truck takes the goods over and hands them on within one country, on their way from or to another.

    Whether such a leg counts as cabotage or as a part of the whole carriage is for treaties and waybills to say, so it is to be checked.
    """
    if not rules:
        return ()
    country = dict(tables["places"].select("place_id", "country").iter_rows())
    within = {start for start, end in _truck_runs(graph, country, arcs) if start == end}
    return tuple(rule for rule in rules if rule["carried_by"] == ROAD and within & set(rule["inside"]))


def _truck_runs(graph: StateGraph, country: Mapping[str, str], arcs: IntArray) -> Iterator[tuple[str, str]]:
    """Countries in which each truck of a way takes the goods over and hands them on."""
    on_wheels = [MODES.index(mode) for mode in _ON_WHEELS]
    start: str | None = None
    end: str | None = None
    for arc in arcs.tolist():
        tail, head = graph.arc_tail[arc], graph.arc_head[arc]
        is_driven = graph.node_mode[tail] in on_wheels and graph.node_mode[head] in on_wheels
        if graph.arc_kind[arc] == LINK and is_driven:
            start = start or country[graph.place_ids[graph.node_place[tail]]]
            end = country[graph.place_ids[graph.node_place[head]]]
        elif graph.arc_kind[arc] == TERMINAL and is_driven:
            continue  # a border post or a ramp, passed on the same wheels
        elif start is not None and end is not None:
            yield start, end
            start = end = None
    if start is not None and end is not None:
        yield start, end


def _listed(cell: Any) -> list[str]:
    return [] if cell is None else [name.strip() for name in str(cell).split(";")]
