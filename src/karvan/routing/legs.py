"""A route told leg by leg."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.cost import ArcCosts
from karvan.routing.graph import ACCESS, LINK, TERMINAL, StateGraph
from karvan.routing.sets import COMPONENTS, HOURS, RouteSets
from karvan.routing.space import RouteSpace
from karvan.schema import LOADING_UNITS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def legs(space: RouteSpace, tables: Mapping[str, pl.DataFrame], sets: RouteSets, route: int) -> list[dict[str, Any]]:
    """Legs of one route in travel order; their costs and hours add up to the route's.

    Links that follow each other with the same mode, operator and loading unit are one leg; each border, gauge change, port
    and transfer is a leg of its own, its `mode` being its kind; so is access that costs money or time.
    The reliability cost of the route is shared out by variance; `sd_h` are standard deviations of the legs, whose squares add up.

    Returns:
        Per leg: mode, from, to (place ids, or the region at a centroid of alternatives), operator (None for access),
        loading_unit (the one after the leg), links, cost_usd_per_t, <component>_usd_per_t, <heading>_h, sd_h, length_km,
        co2e_kg_per_t (well-to-wheel).
    """
    arcs, graph = sets.arcs_of(route), space.graph
    costs = space.goods[sets.market_commodity[int(sets.route_market[route])]].costs
    parts = _parts(graph, costs, arcs, float(sets.components[route, COMPONENTS.index("reliability")]))
    return [leg for leg, _ in told(graph, tables, arcs, parts, graph.arc_hours[arcs], graph.arc_sd_h[arcs] ** 2)]


def told(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], arcs: IntArray, parts: FloatArray, hours: FloatArray, variance_h2: FloatArray
) -> list[tuple[dict[str, Any], list[int]]]:
    """Legs of a way, each with the positions of its steps.

    Args:
        graph: The state graph.
        tables: Tables it was built from.
        arcs: The way's arcs in travel order.
        parts: Cost components of each step, USD/t, shape (steps, 6).
        hours: moving, waiting, border, gauge, port of each step, shape (steps, 5).
        variance_h2: Variance of each step, shape (steps,).
    """
    links = tables["links"]["link_id"].to_list()
    words = (tables["operators"]["operator_id"].to_list(), tables["terminals"]["kind"].to_list(), tables["links"]["mode"].to_list())
    labels = [_label(graph, words, int(arc), step) for step, arc in enumerate(arcs)]
    found: list[tuple[dict[str, Any], list[int]]] = []
    for label, steps in groupby(range(arcs.shape[0]), key=labels.__getitem__):
        members = list(steps)
        inside = arcs[members]
        part = parts[members].sum(axis=0)
        spent = hours[members].sum(axis=0)
        if label[0] == "access" and part.sum() == 0.0 and spent.sum() == 0.0:
            continue
        leg = {
            "mode": label[0],
            "from": graph.id_of_node(int(graph.arc_tail[inside[0]])),
            "to": graph.id_of_node(int(graph.arc_head[inside[-1]])),
            "operator": label[1],
            "loading_unit": LOADING_UNITS[int(graph.arc_unit_after[inside[-1]])],
            "links": [links[int(graph.arc_element[arc])] for arc in inside if graph.arc_kind[arc] == LINK],
            "cost_usd_per_t": float(part.sum()),
            **{f"{name}_usd_per_t": float(value) for name, value in zip(COMPONENTS, part, strict=True)},
            **{f"{name}_h": float(value) for name, value in zip(HOURS, spent, strict=True)},
            "sd_h": float(np.sqrt(np.sum(variance_h2[members]))),
            "length_km": float(graph.arc_length_km[inside].sum()),
            "co2e_kg_per_t": float(graph.arc_co2e_wtw_kg_per_t[inside].sum()),
        }
        found.append((leg, members))
    return found


def _parts(graph: StateGraph, costs: ArcCosts, arcs: npt.NDArray[np.int64], reliability_usd_per_t: float) -> FloatArray:
    """Cost components of each step, USD/t, shape (steps, 6)."""
    variance = graph.arc_sd_h[arcs] ** 2
    total = float(variance.sum())
    reliability = reliability_usd_per_t * variance / total if total > 0.0 else np.zeros(arcs.shape[0])
    columns = [costs.tariff[arcs], costs.handling[arcs], costs.time[arcs], costs.waiting[arcs], reliability, costs.co2[arcs]]
    return np.stack(columns, axis=1)


def _label(
    graph: StateGraph, words: tuple[list[str], list[str], list[str]], arc: int, step: int
) -> tuple[str, str | None, str, int]:  # fmt: skip
    """What makes a step part of the same leg as the one before: mode, operator, loading unit; -1 where links may be merged.

    `words` are ids of operators, kinds of terminals and modes of links by row.
    """
    kind, element = int(graph.arc_kind[arc]), int(graph.arc_element[arc])
    unit = LOADING_UNITS[int(graph.arc_unit[arc])]
    if kind == ACCESS:
        return ("access", None, unit, step)
    operators, terminals, modes = words
    operator = operators[int(graph.arc_operator[arc])]
    if kind == TERMINAL:
        return (terminals[element], operator, unit, step)
    return (modes[element], operator, unit, -1)
