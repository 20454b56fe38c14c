"""A route told leg by leg."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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
    return [leg for leg, _ in told(graph, leg_words(tables), arcs, parts, graph.arc_hours[arcs], graph.arc_sd_h[arcs] ** 2)]


@dataclass(frozen=True)
class LegWords:
    """What legs are called, by row of the tables.

    Attributes:
        links, operators: Ids.
        kinds: Kinds of terminals.
        modes: Modes of links.
        mode_codes: The same as numbers, shape (links,).
    """

    links: tuple[str, ...]
    operators: tuple[str, ...]
    kinds: tuple[str, ...]
    modes: tuple[str, ...]
    mode_codes: IntArray


def leg_words(tables: Mapping[str, pl.DataFrame]) -> LegWords:
    """What legs are called in some tables."""
    modes = tuple(tables["links"]["mode"].cast(pl.String))
    known = {mode: code for code, mode in enumerate(sorted(set(modes)))}
    return LegWords(
        tuple(tables["links"]["link_id"]), tuple(tables["operators"]["operator_id"]), tuple(tables["terminals"]["kind"].cast(pl.String)),
        modes, np.array([known[mode] for mode in modes], dtype=np.int64),
    )  # fmt: skip


def told(
    graph: StateGraph, words: LegWords, arcs: IntArray, parts: FloatArray, hours: FloatArray, variance_h2: FloatArray
) -> list[tuple[dict[str, Any], slice]]:
    """Legs of a way, each with its steps.

    Args:
        graph: The state graph.
        words: What legs are called.
        arcs: The way's arcs in travel order.
        parts: Cost components of each step, USD/t, shape (steps, 6).
        hours: moving, waiting, border, gauge, port of each step, shape (steps, 5).
        variance_h2: Variance of each step, shape (steps,).
    """
    if not arcs.shape[0]:
        return []
    starts = _leg_starts(graph, words, arcs)
    columns = (parts, hours, variance_h2[:, None], graph.arc_length_km[arcs][:, None], graph.arc_co2e_wtw_kg_per_t[arcs][:, None])
    sums = np.add.reduceat(np.concatenate(columns, axis=1), starts, axis=0)
    costs = parts.shape[1]
    kinds, elements, operators = (values[arcs].tolist() for values in (graph.arc_kind, graph.arc_element, graph.arc_operator))
    tails, heads = (graph.node_place[values[arcs]].tolist() for values in (graph.arc_tail, graph.arc_head))
    units = graph.arc_unit_after[arcs].tolist()
    ends = [*starts[1:].tolist(), len(kinds)]
    found: list[tuple[dict[str, Any], slice]] = []
    for begin, end, row in zip(starts.tolist(), ends, sums.tolist(), strict=True):
        kind, element = kinds[begin], elements[begin]
        if kind == ACCESS and not any(row[: costs + len(HOURS)]):
            continue
        mode = "access" if kind == ACCESS else words.kinds[element] if kind == TERMINAL else words.modes[element]
        first, last = tails[begin], heads[end - 1]
        leg = {
            "mode": mode,
            "from": graph.place_ids[first] if first >= 0 else graph.id_of_node(int(graph.arc_tail[arcs[begin]])),
            "to": graph.place_ids[last] if last >= 0 else graph.id_of_node(int(graph.arc_head[arcs[end - 1]])),
            "operator": None if kind == ACCESS else words.operators[operators[begin]],
            "loading_unit": LOADING_UNITS[units[end - 1]],
            "links": [words.links[one] for one in elements[begin:end]] if kind == LINK else [],
            "cost_usd_per_t": sum(row[:costs]),
            **{f"{name}_usd_per_t": value for name, value in zip(COMPONENTS, row, strict=False)},
            **{f"{name}_h": value for name, value in zip(HOURS, row[costs:], strict=False)},
            "sd_h": math.sqrt(row[-3]),
            "length_km": row[-2],
            "co2e_kg_per_t": row[-1],
        }
        found.append((leg, slice(begin, end)))
    return found


def _leg_starts(graph: StateGraph, words: LegWords, arcs: IntArray) -> IntArray:
    """Steps at which a leg begins: all but those on a link of the same mode, operator and loading unit as the step before."""
    is_link = graph.arc_kind[arcs] == LINK
    mode = words.mode_codes[np.where(is_link, graph.arc_element[arcs], 0)]
    traits = np.stack([mode, graph.arc_operator[arcs], graph.arc_unit[arcs]])
    goes_on = is_link[1:] & is_link[:-1] & (traits[:, 1:] == traits[:, :-1]).all(axis=0)
    return np.append(0, np.flatnonzero(~goes_on) + 1)


def _parts(graph: StateGraph, costs: ArcCosts, arcs: npt.NDArray[np.int64], reliability_usd_per_t: float) -> FloatArray:
    """Cost components of each step, USD/t, shape (steps, 6)."""
    variance = graph.arc_sd_h[arcs] ** 2
    total = float(variance.sum())
    reliability = reliability_usd_per_t * variance / total if total > 0.0 else np.zeros(arcs.shape[0])
    columns = [costs.tariff[arcs], costs.handling[arcs], costs.time[arcs], costs.waiting[arcs], reliability, costs.co2[arcs]]
    return np.stack(columns, axis=1)
