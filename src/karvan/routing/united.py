"""Routes of a year in several states, from those found in each: one set, of which some are shut at a time."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing import _choice_kernels
from karvan.routing.graph import LINK, TERMINAL, StateGraph
from karvan.routing.route_sets import components_of, recalled, route_keys
from karvan.routing.sets import RouteSets, taken_in_order
from karvan.routing.space import RouteSpace, market_groups
from karvan.routing.uses import FacilityEntries

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def widest(tables: Mapping[str, pl.DataFrame], others: Sequence[Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """Tables in which every link and terminal is open that is open in any of several tables of the same rows."""
    found = dict(tables)
    for name in ("links", "terminals"):
        if any(other[name] is not tables[name] for other in others):
            is_open = np.any([frame["is_open"].to_numpy() for frame in (tables[name], *(other[name] for other in others))], axis=0)
            found[name] = tables[name].with_columns(pl.Series("is_open", is_open))
    return found


def united(space: RouteSpace, parts: Sequence[RouteSets]) -> tuple[RouteSets, FacilityEntries, BoolArray]:
    """Routes of several sets as one in a space; a route of an arc, or of a market, that the space lacks is left out.

    Args:
        space: The space; its families are those of the sets.
        parts: Route sets, perhaps of other networks.

    Returns:
        The routes, what they use, and which of the sets has each, shape (sets, routes).
    """
    columns: list[tuple[IntArray, IntArray, IntArray, IntArray]] = []
    places = {name: place for place, name in enumerate(space.labels["market_ids"])}
    for sets in parts:
        arc = arcs_among(sets.graph, space.graph)[sets.route_arc]
        first = sets.route_first_arc
        market = np.array([places.get(name, -1) for name in sets.market_ids], dtype=np.int64)[sets.route_market]
        has_arcs = np.logical_and.reduceat(arc >= 0, first[:-1]) if sets.route_count else np.zeros(0, dtype=np.bool_)
        is_there = np.flatnonzero(has_arcs & (market >= 0))
        length = np.diff(first)
        _, arc = taken_in_order(is_there, length, arc)
        columns.append((market[is_there], sets.route_family[is_there].astype(np.int64), length[is_there], arc))
    market, family, length, arc = (np.concatenate(values) for values in zip(*columns, strict=True))
    part = np.repeat(np.arange(len(parts)), [values[0].shape[0] for values in columns])
    key = route_keys(space, market, family, length, arc)
    _, is_first, place = np.unique(key, return_index=True, return_inverse=True)
    has = np.zeros((len(parts), is_first.shape[0]), dtype=np.bool_)
    has[part, place] = True
    _, arc = taken_in_order(is_first, length, arc)
    market, family, length = market[is_first], family[is_first], length[is_first]
    cost = components_of(space, market, np.append(0, np.cumsum(length)).astype(np.int64), arc).sum(axis=1)
    order = np.lexsort((key[is_first], cost, family, market))
    _, arc = taken_in_order(order, length, arc)
    sets, entries = recalled(space, market[order], family[order], length[order], arc)
    return sets, entries, np.ascontiguousarray(has[:, order])


def arcs_among(graph: StateGraph, other: StateGraph) -> IntArray:
    """Place of each arc of a graph among those of another, by element, direction and ends, -1 where it has none, shape (arcs,)."""
    known = {key: arc for arc, key in enumerate(_names(other))}
    return np.array([known.get(key, -1) for key in _names(graph)], dtype=np.int64)


def _names(graph: StateGraph) -> list[tuple[object, ...]]:
    """What each arc is called in any network, of length arcs."""
    ends = (graph.arc_tail, graph.arc_head)
    of_nodes = (graph.node_kind, graph.node_place, graph.node_mode, graph.node_gauge)
    numbers = [values[end].tolist() for end in ends for values in of_nodes]
    own = (graph.arc_kind, graph.arc_direction, graph.arc_unit, graph.arc_unit_after)
    return list(zip(graph.arc_element_id, *(values.tolist() for values in own), *numbers, strict=True))


def routes_open(space: RouteSpace, sets: RouteSets, tables: Mapping[str, pl.DataFrame], date: datetime.date) -> BoolArray:
    """Routes whose links and terminals are open and that no permission forbids their goods, shape (routes,).

    Args:
        space: The space of the routes.
        sets: The routes.
        tables: Tables with the rows of those the space was made of.
        date: Day whose permissions apply.
    """
    graph = space.graph
    is_shut = np.zeros(graph.arc_count, dtype=np.bool_)
    for kind, name in ((LINK, "links"), (TERMINAL, "terminals")):
        of_kind = graph.arc_kind == kind
        is_shut[of_kind] = ~tables[name]["is_open"].to_numpy()[graph.arc_element[of_kind]]
    groups = market_groups(graph, tables, space.markets, date)
    group_of, forbidden = np.zeros(space.market_count, dtype=np.int64), np.empty((len(groups), graph.arc_count))
    for number, (_, mask, members) in enumerate(groups):
        group_of[members] = number
        forbidden[number] = ~mask | is_shut
    met = np.empty(sets.route_count)
    _choice_kernels.sums(_choice_kernels.Routes(sets.route_first_arc, sets.route_arc, group_of[sets.route_market]), forbidden, met)
    return np.asarray(met == 0.0)
