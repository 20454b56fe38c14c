"""A shipper's options between two places: all ways that no other beats, and the few of them worth telling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from karvan.routing import _label_kernels
from karvan.routing.cost import HOURS_PER_DAY, ArcCosts
from karvan.routing.graph import LINK, StateGraph
from karvan.routing.hierarchy import MOST_BITS
from karvan.routing.timetable import Timetable

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

CRITERIA = ("cost_usd_per_t", "time_h", "variance_h2", "co2e_kg_per_t")
EXTREMES = ("cheapest", "fastest", "most_reliable", "cleanest")
BALANCED = "balanced"
_COST, _TIME, _VARIANCE = 0, 1, 2
_SAME = 1e-9


@dataclass(frozen=True)
class SearchOptions:
    """How finely and how far a search looks.

    Attributes:
        epsilon: Ways within this share of each other in every criterion count as one; 0: every way that no other beats.
        most_labels: Labels that a search may make, some 150 bytes each; a search that meets it says so.
        overlap_bound: A way that shares more than this part of its length with one told already is no further option.
        like_overlap_bound: The same for ways by the same modes, ports and borders.
        dearest: A balanced way costs at most so many times the least in money and all else together.
    """

    epsilon: float = 0.01
    most_labels: int = 400_000
    overlap_bound: float = 0.8
    like_overlap_bound: float = 0.4
    dearest: float = 1.5


@dataclass(frozen=True)
class Criteria:
    """What each arc adds to a way, for one commodity group.

    Attributes:
        arc_values: Money, USD/t; time, h; variance, h2; greenhouse gases well-to-wheel, kg CO2e/t; shape (arcs, 4).
        timetable: Times by cause, and sailings.
        vot_usd_per_t_h: Value of an hour.
        reliability_usd_per_t_h: Value of an hour of standard deviation.
    """

    arc_values: FloatArray
    timetable: Timetable
    vot_usd_per_t_h: float
    reliability_usd_per_t_h: float

    def worth_usd_per_t(self, values: FloatArray) -> FloatArray:
        """Generalised cost of ways: money, time and spread at what they are worth to the goods, USD/t, shape (ways,)."""
        spread = np.sqrt(values[:, _VARIANCE])
        return values[:, _COST] + self.vot_usd_per_t_h * values[:, _TIME] + self.reliability_usd_per_t_h * spread


def criteria_of(graph: StateGraph, costs: ArcCosts, times: Timetable, *, scarcity: FloatArray | None = None) -> Criteria:
    """What each arc adds to a way of some goods.

    Args:
        graph: The state graph.
        costs: Costs of its arcs to the goods.
        times: When goods can leave.
        scarcity: What is paid for room in full facilities on top, USD/t, shape (arcs,).
    """
    money = costs.tariff + costs.handling + costs.co2 + (0.0 if scarcity is None else scarcity)
    values = np.stack([money, times.hours.sum(axis=1), times.variance_h2, graph.arc_co2e_wtw_kg_per_t], axis=1)
    return Criteria(
        np.ascontiguousarray(values), times, costs.vot_usd_per_t_d / HOURS_PER_DAY, costs.reliability_usd_per_t_h
    )  # fmt: skip


@dataclass(frozen=True)
class Ends:
    """What is asked of a way.

    Attributes:
        origin, destination: Nodes.
        bits: Requirement bits that an arc meets, shape (arcs,).
        bit_count: Number of requirements, all of which a way must meet.
    """

    origin: int
    destination: int
    bits: IntArray
    bit_count: int = 0


@dataclass(frozen=True)
class Bounds:
    """What searches from every origin to one destination share, as long as criteria, open arcs and requirements are the same.

    Attributes:
        least: Least of each criterion still to come, inf where nothing leads there, shape (criteria, nodes, flags).
        onward: The arc to take for it, -1 at the destination and where there is none, of the same shape.
    """

    least: FloatArray
    onward: IntArray


@dataclass(frozen=True)
class Ways:
    """Ways between two nodes.

    Attributes:
        arcs: Arcs of each in travel order.
        values: Criteria of each, shape (ways, 4).
        is_whole: The search ended before it met its limit of labels.
        labels_made: Labels made.
    """

    arcs: tuple[IntArray, ...]
    values: FloatArray
    is_whole: bool = True
    labels_made: int = 0


def bounds_to(graph: StateGraph, criteria: Criteria, mask: BoolArray, ends: Ends) -> Bounds:
    """Reverse searches from a destination, one for each criterion; the origin does not matter.

    Args:
        graph: The state graph.
        criteria: What arcs add.
        mask: Arcs that may be used, shape (arcs,).
        ends: What is asked.
    """
    if not 0 <= ends.bit_count <= MOST_BITS:
        raise ValueError(f"bit_count is {ends.bit_count}, must be 0 to {MOST_BITS}")
    layers = 1 << ends.bit_count
    backward = (_whole(graph.in_first), _whole(graph.in_arc), _whole(graph.arc_tail))
    found = Bounds(
        np.empty((len(CRITERIA), graph.node_count, layers)), np.empty((len(CRITERIA), graph.node_count, layers), dtype=np.int64)
    )  # fmt: skip
    for criterion in range(len(CRITERIA)):
        cost = np.ascontiguousarray(criteria.arc_values[:, criterion])
        _label_kernels.bounds(
            backward, cost, _mask(mask), _whole(ends.bits), layers - 1, ends.destination, found.least[criterion], found.onward[criterion]
        )  # fmt: skip
    return found


def extreme_ways(graph: StateGraph, criteria: Criteria, mask: BoolArray, ends: Ends, *, bounds: Bounds | None = None) -> Ways:
    """The best way by each criterion alone, as a search for one criterion gives it; none where nothing leads there.

    Args:
        graph: The state graph.
        criteria: What arcs add.
        mask: Arcs that may be used, shape (arcs,).
        ends: What is asked.
        bounds: What `bounds_to` gave for the same, if it is known.
    """
    bounds = bounds or bounds_to(graph, criteria, mask, ends)
    full = (1 << ends.bit_count) - 1
    first, steps = _label_kernels.walks(
        bounds.least, bounds.onward, (_whole(graph.arc_head), _whole(graph.arc_link)), _whole(ends.bits), full,
        (ends.origin, ends.destination),
    )  # fmt: skip
    paths = _cut(first, steps)
    values = np.array([values_of(criteria, path) for path in paths]).reshape(-1, len(CRITERIA))
    comes = np.flatnonzero(np.isfinite(values[:, _TIME]))
    return Ways(tuple(paths[way] for way in comes), values[comes])


def pareto_ways(
    graph: StateGraph,
    criteria: Criteria,
    mask: BoolArray,
    ends: Ends,
    *,
    options: SearchOptions | None = None,
    bounds: Bounds | None = None,
) -> Ways:
    """All ways that no other beats in every criterion, one of those that differ by less than epsilon, and the best by each criterion.

    Args:
        graph: The state graph.
        criteria: What arcs add.
        mask: Arcs that may be used, shape (arcs,).
        ends: What is asked.
        options: How finely and how far to look.
        bounds: What `bounds_to` gave for the same, if it is known.
    """
    options = options or SearchOptions()
    bounds = bounds or bounds_to(graph, criteria, mask, ends)
    extremes = extreme_ways(graph, criteria, mask, ends, bounds=bounds)
    if not np.isfinite(bounds.least[:, ends.origin, 0]).all():
        return Ways((), np.zeros((0, len(CRITERIA))))
    forward = (_whole(graph.out_first), _whole(graph.out_arc), _whole(graph.arc_head), _whole(graph.arc_link))
    full = (1 << ends.bit_count) - 1
    times = criteria.timetable
    found, before, by_arc, values, is_whole = _label_kernels.pareto(
        forward, criteria.arc_values, _mask(mask), _whole(ends.bits), full, (times.sailing_first, times.sailing_h),
        (ends.origin, ends.destination), bounds.least, options.epsilon, options.most_labels,
    )  # fmt: skip
    paths = _cut(*_label_kernels.trails(found, before, by_arc))
    rows = list(values[found])
    known = {path.tobytes() for path in paths}
    for path, row in zip(extremes.arcs, extremes.values, strict=True):
        if path.tobytes() not in known:
            known.add(path.tobytes())
            paths.append(path)
            rows.append(row)
    kept = _unbeaten(np.array(rows).reshape(-1, len(CRITERIA)))
    return Ways(tuple(paths[way] for way in kept), np.array([rows[way] for way in kept]), bool(is_whole), int(before.shape[0]))


def worth_telling(
    graph: StateGraph, criteria: Criteria, ways: Ways, *, most: int, options: SearchOptions | None = None
) -> list[tuple[int, tuple[str, ...]]]:
    """At most so many ways with their labels: the balanced one (least money, time and spread at what they are worth to the goods),
    the best by each criterion, then further balanced ones that differ from those told.

    Args:
        graph: The state graph.
        criteria: What arcs add.
        ways: Ways that no other beats.
        most: Most ways to tell.
        options: Which overlap is too much.

    Returns:
        Positions among the ways and labels, by generalised cost.
    """
    options = options or SearchOptions()
    if not ways.arcs or most < 1:
        return []
    worth = criteria.worth_usd_per_t(ways.values)
    told: dict[int, list[str]] = {int(np.argmin(worth)): [BALANCED]}
    for criterion, label in enumerate(EXTREMES):
        column = ways.values[:, criterion]
        ties = np.flatnonzero(column <= column.min() * (1.0 + _SAME) + _SAME)
        best = next((way for way in told if way in ties), int(ties[np.argmin(worth[ties])]))
        if best in told or len(told) < most:
            told.setdefault(best, []).append(label)
    shape = cache(lambda way: _shape(graph, ways.arcs[way]))
    for way in np.argsort(worth, kind="stable").tolist():
        if len(told) >= most or worth[way] > options.dearest * worth.min():
            break
        if way not in told and all(_is_another(shape(way), shape(other), options) for other in told):
            told[way] = [BALANCED]
    return [(way, tuple(told[way])) for way in sorted(told, key=lambda item: (float(worth[item]), item))]


def values_of(criteria: Criteria, arcs: IntArray) -> FloatArray:
    """Criteria of a way with its waits for dated sailings, shape (4,); time is inf if it misses the last one."""
    total: FloatArray = criteria.arc_values[arcs].sum(axis=0)
    total[_TIME] += sailing_waits_h(criteria, arcs).sum()
    return total


def sailing_waits_h(criteria: Criteria, arcs: IntArray) -> FloatArray:
    """Hours that goods on a way wait for the dated sailing of each arc, inf for one that does not come, shape (steps,)."""
    first, sailing_h = criteria.timetable.sailing_first, criteria.timetable.sailing_h
    waits = np.zeros(arcs.shape[0])
    if not sailing_h.shape[0]:
        return waits
    clock = 0.0
    for step, arc in enumerate(arcs.tolist()):
        if first[arc] < first[arc + 1]:
            of_arc = sailing_h[first[arc] : first[arc + 1]]
            place = int(np.searchsorted(of_arc, clock))
            waits[step] = of_arc[place] - clock if place < of_arc.shape[0] else np.inf
        clock += waits[step] + float(criteria.arc_values[arc, _TIME])
    return waits


def _cut(first: IntArray, steps: IntArray) -> list[IntArray]:
    """Ways that stand one after another, each by itself."""
    return [steps[begin:end] for begin, end in pairwise(first.tolist())]


def _unbeaten(values: FloatArray) -> list[int]:
    """Rows that no other row beats or equals before them, in the order of their values."""
    order = np.lexsort(values.T[::-1])
    is_kept = _label_kernels.unbeaten(np.ascontiguousarray(values[order]), _SAME)
    return [int(row) for row in order[is_kept]]


@dataclass(frozen=True)
class _Shape:
    """What tells a way from others: terminals and modes in travel order, links of one mode that follow each other as one; its links."""

    stages: tuple[tuple[int, int], ...]
    length_km: dict[int, float]


def _shape(graph: StateGraph, arcs: IntArray) -> _Shape:
    kinds, elements = graph.arc_kind[arcs].tolist(), graph.arc_element[arcs].tolist()
    modes, lengths = graph.node_mode[graph.arc_tail[arcs]].tolist(), graph.arc_length_km[arcs].tolist()
    stages: list[tuple[int, int]] = []
    length_km: dict[int, float] = {}
    for kind, element, mode, length in zip(kinds, elements, modes, lengths, strict=True):
        stage = (kind, mode if kind == LINK else element)
        if not stages or kind != LINK or stages[-1] != stage:
            stages.append(stage)
        if kind == LINK:
            length_km[element] = length
    return _Shape(tuple(stages), length_km)


def _is_another(way: _Shape, told: _Shape, options: SearchOptions) -> bool:
    """Whether a way is another option than one told already: not mostly the same links, the less so where modes and terminals are."""
    shorter = min(sum(way.length_km.values()), sum(told.length_km.values()))
    shared = sum(km for link, km in way.length_km.items() if link in told.length_km)
    overlap = shared / shorter if shorter > 0.0 else 1.0
    return overlap <= (options.like_overlap_bound if way.stages == told.stages else options.overlap_bound)


def _mask(mask: BoolArray) -> BoolArray:
    return np.require(mask, np.bool_, ("C", "W"))


def _whole(values: npt.NDArray[np.generic]) -> IntArray:
    return np.require(values, np.int64, ("C", "W"))
