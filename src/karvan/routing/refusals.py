"""What rules refuse: the ways that would open if a rule were lifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.routing.graph import StateGraph
from karvan.routing.options import CRITERIA, Bounds, Criteria, Ends, bounds_to, extreme_ways
from karvan.routing.permissions import Rule

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_BETTER_BY = 1e-3


@dataclass(frozen=True)
class Closing:
    """One rule and the arcs it closes.

    Attributes:
        rules: Its rows.
        arcs: Arcs it closes, shape (arcs,).
    """

    rules: tuple[Rule, ...]
    arcs: BoolArray

    @property
    def effect(self) -> str:
        """What it means to a shipper: ban or needs_check."""
        return str(self.rules[0]["effect"])


@dataclass(frozen=True)
class Opened:
    """A way that rules refuse.

    Attributes:
        closings: The rules that refuse it.
        arcs: The way, the best of those that would open by what it is worth to the goods.
        values: Its criteria, shape (4,).
        better: Criteria in which what opens beats every way that may pass; all where none may.
    """

    closings: tuple[Closing, ...]
    arcs: IntArray
    values: FloatArray
    better: tuple[str, ...]


def without(mask: BoolArray, closings: Sequence[Closing]) -> BoolArray:
    """Arcs of a mask that no rule closes."""
    found = mask.copy()
    for closing in closings:
        found &= ~closing.arcs
    return found


def opened_by_each(
    graph: StateGraph,
    criteria: Criteria,
    mask: BoolArray,
    ends: Ends,
    closings: Sequence[Closing],
    least: FloatArray,
    *,
    bounds_of: Callable[[BoolArray], Bounds] | None = None,
) -> list[Opened]:
    """What each rule refuses by itself: the ways that would open if it alone were lifted, and would be better than what may pass.

    Where no single rule opens anything and nothing may pass, the rules that the best way would meet stand together.

    Args:
        graph: The state graph.
        criteria: What arcs add.
        mask: Arcs that the goods could use without rules, shape (arcs,).
        ends: What is asked.
        closings: Rules in force.
        least: Least of each criterion over the ways that may pass, inf where there is none, shape (4,).
        bounds_of: Reverse searches over some arcs, from a memory perhaps.
    """
    closings = [closing for closing in closings if (closing.arcs & mask).any()]
    if not closings:
        return []
    asked = _Asked(graph, criteria, ends, least, bounds_of or (lambda arcs: bounds_to(graph, criteria, arcs, ends)))
    if not asked.may_be_better(mask):
        return []
    found = []
    for closing in closings:
        others = [other for other in closings if other is not closing]
        found += asked.opened(without(mask, others), [closing])
    if not found and not np.isfinite(least).any():
        found = asked.opened(mask, closings)
    return found


@dataclass(frozen=True)
class _Asked:
    graph: StateGraph
    criteria: Criteria
    ends: Ends
    least: FloatArray
    bounds_of: Callable[[BoolArray], Bounds]

    @property
    def limit(self) -> FloatArray:
        """What a way must stay below in some criterion to be better than all that may pass, shape (4,)."""
        return np.where(np.isfinite(self.least), self.least * (1.0 - _BETTER_BY), np.inf)

    def may_be_better(self, mask: BoolArray) -> bool:
        """Whether the least of some criterion over these arcs is below what may pass; if not, no rule over them matters."""
        return bool((self.bounds_of(mask).least[:, self.ends.origin, 0] < self.limit).any())

    def opened(self, mask: BoolArray, closings: Sequence[Closing]) -> list[Opened]:
        ways = extreme_ways(self.graph, self.criteria, mask, self.ends, bounds=self.bounds_of(mask))
        refused = [way for way, arcs in enumerate(ways.arcs) if any(closing.arcs[arcs].any() for closing in closings)]
        if not refused:
            return []
        now = ways.values[refused].min(axis=0)
        better = tuple(name for name, is_less in zip(CRITERIA, now < self.limit, strict=True) if is_less)
        if not better:
            return []
        best = refused[int(np.argmin(self.criteria.worth_usd_per_t(ways.values[refused])))]
        met = tuple(closing for closing in closings if closing.arcs[ways.arcs[best]].any())
        return [Opened(met, ways.arcs[best], ways.values[best], better)]
