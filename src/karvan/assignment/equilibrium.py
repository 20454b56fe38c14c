"""User equilibrium and system optimum of a road network: path flows among which nobody gains by another way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from karvan.assignment._balance_kernels import Rivalries, balanced, link_costs
from karvan.assignment._path_kernels import Forest, Weights, carried, explored, loaded, rivals, settled
from karvan.assignment.equilibrium_answer import Equilibrium, Iteration
from karvan.assignment.equilibrium_problem import (
    EquilibriumProblem,
    empty_forest,
    equilibrium_problem,
    farthest,
    refuse_lost,
    rounded_weights,
)
from karvan.demand import TrafficClass
from karvan.errors import ConvergenceError, DataError, Problem
from karvan.network import RoadNetwork

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Part = TypeVar("Part")
Explored = tuple[Forest, float, float, int, int, int]

_log = logging.getLogger(__name__)

# Paths are balanced to this share of the gap found before shortest paths are sought again, but not below this share of the gap wanted.
_INNER_SHARE = 0.01
_LEAST_INNER_SHARE = 0.2
_QUIET_SHARE = 0.2
_MOST_PASSES = 100
# A path enters that is cheaper by this share of the gap wanted.
_WORTH_SHARE = 0.05
# Sums of costs are exact while no path costs more than this multiple of what was expected.
_ROOM = 4.0


@dataclass(frozen=True)
class EquilibriumOptions:
    """How near and how long.

    Attributes:
        gap: Relative gap to reach: the cost of all trips above what they would pay on cheapest paths at these costs, as a share of it.
        max_iterations: Most searches for shortest paths.
        threads: Blocks of origins worked on at once; the digits do not depend on it.
    """

    gap: float = 1e-6
    max_iterations: int = 200
    threads: int = 1


def equilibrium(
    network: RoadNetwork,
    classes: TrafficClass | Sequence[TrafficClass],
    *,
    is_system_optimum: bool = False,
    options: EquilibriumOptions | None = None,
    start: Equilibrium | None = None,
) -> Equilibrium:
    """Assign traffic to a road network.

    Args:
        network: The roads.
        classes: Who travels.
        is_system_optimum: Seek the flows with the least total time, not those in which nobody gains by another way.
        options: Gap, iterations, threads.
        start: An equilibrium of the same roads and pairs under other demand, capacities or costs; its paths are where the search starts.

    Raises:
        DataError: Trips or costs are wrong, or a pair has no way.
        ConvergenceError: The gap was not reached; it carries the best answer.
    """
    several = (classes,) if isinstance(classes, TrafficClass) else tuple(classes)
    like = None if start is None else start.problem
    problem = equilibrium_problem(network, several, is_system_optimum=is_system_optimum, like=like)
    return solve_equilibrium(problem, options=options, start=start)


def solve_equilibrium(
    problem: EquilibriumProblem, *, options: EquilibriumOptions | None = None, start: Equilibrium | None = None
) -> Equilibrium:
    """Solve a problem that is laid out already; see `equilibrium`.

    Every pair keeps the paths that it uses. In turn, shortest paths at the present costs enter, exactly; then flow moves between the paths
    of each pair by Newton steps on the links that differ, costs renewed after every step, until the gap among these paths is a hundredth of
    the gap before.

    Source:
        Jayakrishnan, Tsai, Prashker & Rajadhyaksha (1994), A faster path-based algorithm for traffic assignment, Transportation Research
        Record 1443; gap as in Boyce, Ralevic-Dekic & Bar-Gera (2004), Convergence of traffic assignments, J. Transportation Engineering
        130; shortest paths over a contraction hierarchy as in `karvan.routing.contracted`.
    """
    options = options or EquilibriumOptions()
    search = _Search(problem, options)
    if start is not None:
        search.take(start)
    history: list[Iteration] = []
    for number in range(options.max_iterations + 1):
        found = search.explore()
        if search.is_loaded:
            history.append(Iteration(found.gap, found.entered))
            _log.debug("iteration %d: gap %.3g, %d paths enter", number, found.gap, found.entered)
            if found.gap <= options.gap or number == options.max_iterations or (found.gap == 0.0 and found.entered == 0):
                break
            search.balance(max(_INNER_SHARE * found.gap, _LEAST_INNER_SHARE * options.gap))
        else:
            search.load()
    answer = search.answer(history)
    if answer.relative_gap > options.gap:
        message = f"relative gap {answer.relative_gap:.3g} after {options.max_iterations} iterations, {options.gap:g} was asked"
        raise ConvergenceError(message, best=answer)
    return answer


@dataclass(frozen=True)
class _Found:
    """What a search for shortest paths found: relative gap, total cost, paths that entered."""

    gap: float
    total: float
    entered: int


class _Search:
    """Paths, flows and costs on the way to an equilibrium; its methods change it."""

    def __init__(self, problem: EquilibriumProblem, options: EquilibriumOptions) -> None:
        count = problem.links.kind.shape[0]
        self.problem, self.options = problem, options
        self.forests = [empty_forest(block) for block in problem.blocks]
        self.least = [np.empty(block.target.shape[0]) for block in problem.blocks]
        self.class_volume = np.zeros((len(problem.classes), count))
        self.volume, self.cost, self.slope = np.zeros(count), np.empty(count), np.empty(count)
        link_costs(problem.links, self.volume, self.cost, self.slope)
        self.far = farthest(problem, self.cost)
        self.is_loaded = False

    def take(self, start: Equilibrium) -> None:
        """Begin with the paths of another equilibrium, flows in proportion to the trips, none on paths that are closed now."""
        old = start.problem
        is_same = np.array_equal(old.roads.tail, self.problem.roads.tail) and np.array_equal(old.roads.head, self.problem.roads.head)
        for name in ("pair_class", "pair_origin", "pair_destination"):
            is_same = is_same and np.array_equal(getattr(old, name), getattr(self.problem, name))
        own = [[block.own_link for block in one.blocks] for one in (old, self.problem)]
        is_same = is_same and all(np.array_equal(was, now) for was, now in zip(*own, strict=True))
        if not is_same:
            raise DataError(Problem("start", None, None, "is an equilibrium of other links or pairs; only one of the same can be a start"))
        for number, (block, before) in enumerate(zip(self.problem.blocks, start.forests, strict=True)):
            is_open = np.isfinite(self.problem.fixed[self.problem.block_class[number]])
            self.forests[number] = carried(block, before, is_open)
        if all(int(forest.first_slot.min()) >= 0 for forest in self.forests):
            self.load()

    def explore(self) -> _Found:
        """Seek shortest paths at the present costs."""
        while True:
            expected = self.far
            weights, own_cost = rounded_weights(self.problem, self.cost, _ROOM * expected)
            worth = _WORTH_SHARE * self.options.gap

            def work(number: int, weights: list[Weights] = weights, own_cost: FloatArray = own_cost, worth: float = worth) -> Explored:
                problem = self.problem
                found: Explored = explored(
                    problem.roads, problem.blocks[number], self.forests[number], weights[problem.block_class[number]], own_cost, worth,
                    self.least[number],
                )  # fmt: skip
                return found

            parts = self._by_block(work)
            self.forests = [part[0] for part in parts]
            if any(part[4] for part in parts):
                ways = np.concatenate(self.least)
                refuse_lost(self.problem, np.flatnonzero(~np.isfinite(ways)).tolist())
            self.far = max((float(one.max(initial=0.0)) for one in self.least), default=0.0) or 1.0
            if self.far <= _ROOM * _ROOM * expected and not any(part[5] for part in parts):
                break
        excess, total = sum(part[1] for part in parts), sum(part[2] for part in parts)
        gap = max(excess, 0.0) / total if total > 0.0 else float(excess > 0.0)
        return _Found(gap=gap, total=total, entered=sum(part[3] for part in parts))

    def load(self) -> None:
        """Volumes and costs from the flows on paths."""
        self.class_volume = self.volumes()
        self.volume = self.class_volume.sum(axis=0)
        link_costs(self.problem.links, self.volume, self.cost, self.slope)
        self.is_loaded = True

    def volumes(self) -> FloatArray:
        """Volumes by class, shape (classes, links with those of trips not made)."""
        volume = np.zeros((len(self.problem.classes), self.volume.shape[0]))

        def work(number: int) -> FloatArray:
            part = np.empty(volume.shape[1])
            loaded(self.forests[number], part)
            return part

        for number, part in enumerate(self._by_block(work)):
            volume[self.problem.block_class[number]] += part
        return volume

    def balance(self, gap: float) -> None:
        """Move flow between the paths of pairs until the gap among these is at most some value."""
        problem = self.problem
        parts = self._by_block(lambda number: rivals(self.forests[number], problem.fixed[problem.block_class[number]]))
        slots = [part[1] for part in parts]
        flow = np.concatenate([forest.flow[part] for forest, part in zip(self.forests, slots, strict=True)])
        total = float(self.volume[: problem.link_count] @ self.cost[: problem.link_count])
        rivalries = _joined([Rivalries(*part[0]) for part in parts], [part.shape[0] for part in slots])
        passes, left = balanced(
            problem.links, rivalries, flow, self.volume, self.cost, self.slope,
            gap * total, _QUIET_SHARE, _MOST_PASSES,
        )  # fmt: skip
        _log.debug("%d passes over %d paths, gap among them %.3g", passes, flow.shape[0], left / total if total else 0.0)
        ends = np.append(0, np.cumsum([part.shape[0] for part in slots]))
        self._by_block(lambda number: settled(self.forests[number], slots[number], flow[ends[number] : ends[number + 1]]))
        self.load()

    def answer(self, history: list[Iteration]) -> Equilibrium:
        """What was found."""
        return Equilibrium(
            problem=self.problem,
            forests=tuple(self.forests),
            class_volume=self.class_volume,
            cost=self.cost,
            pair_cost=np.concatenate(self.least) if self.least else np.empty(0),
            iterations=tuple(history),
            relative_gap=history[-1].relative_gap if history else 0.0,
        )

    def _by_block(self, work: Callable[[int], Part]) -> list[Part]:
        """What some work gives for each block, in their order."""
        blocks = range(len(self.problem.blocks))
        if self.options.threads > 1 and len(blocks) > 1:
            return list(_pool(self.options.threads).map(work, blocks))
        return [work(number) for number in blocks]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="roads")


def _joined(parts: list[Rivalries], paths: list[int]) -> Rivalries:
    """Rivalries of all blocks; positions of paths count on from block to block."""
    if len(parts) == 1:
        return parts[0]
    before = np.append(0, np.cumsum(paths))
    steps = np.append(0, np.cumsum([part.link.shape[0] for part in parts]))
    return Rivalries(
        main=np.concatenate([part.main + shift for part, shift in zip(parts, before[:-1], strict=True)]),
        other=np.concatenate([part.other + shift for part, shift in zip(parts, before[:-1], strict=True)]),
        constant=np.concatenate([part.constant for part in parts]),
        first=np.concatenate([*(part.first[:-1] + shift for part, shift in zip(parts, steps[:-1], strict=True)), steps[-1:]]),
        middle=np.concatenate([part.middle + shift for part, shift in zip(parts, steps[:-1], strict=True)]),
        link=np.concatenate([part.link for part in parts]),
    )
