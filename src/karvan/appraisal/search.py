"""The best dated portfolio, by generalised Benders decomposition.

The market's welfare is concave in capacities, so that its value and prices at any set of open projects bound it from above at every other:
the master problem chooses starts under these bounds, the market is solved at its choice, and new bounds are added until both agree. What
else counts has no such bounds: the search takes it as straight about one portfolio, where it is exact, and draws the line again about the
best one that it ends with, until the line is right there to within the gap that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy, deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from karvan.appraisal.master import least_cost
from karvan.appraisal.portfolio import NEVER, Fund, Plan, PortfolioProblem, Worth, check, is_within, opened_by, rules_of
from karvan.errors import ConvergenceError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_GAP, _EXACT = 1e-6, 1e-9
_MOST_ROUNDS = 500
_COARSE = 0.1
"""How finely the master is solved, over the gap that is open."""
_FIRST_LINE = 3e-2
"""Gap at which the line of what has no bounds, drawn first about nothing, is drawn about the best portfolio."""
_AT_ONCE = 4
"""Most portfolios of one master problem whose markets are solved before the next."""


@dataclass
class _Cuts:
    """Upper bounds of the years' welfare found so far: welfare[year] <= constant + slope . open[year]."""

    year: list[int] = field(default_factory=list)
    constant: list[float] = field(default_factory=list)
    slope: list[FloatArray] = field(default_factory=list)

    def add(self, year: int, is_open: BoolArray, worth: Worth) -> None:
        self.year.append(year)
        self.constant.append(worth.welfare - float(worth.slope[is_open].sum()))
        self.slope.append(worth.slope)


def best_plans(
    problem: PortfolioProblem,
    *,
    count: int = 1,
    threads: int = 1,
    gap: float = _GAP,
    progress: Callable[[float, float], None] | None = None,
) -> tuple[Plan, ...]:
    """The best plans, best first, each with the bound that proves it.

    Args:
        problem: Projects, funds and welfare.
        count: How many plans.
        threads: Years solved at once; the answer does not depend on it.
        gap: Relative gap at which a plan counts as proved.
        progress: Called with the best value and the bound as the search goes on.

    Raises:
        DataError: Shares do not add up to 1, or something named is not there.
        KeyboardInterrupt: Before there is a bound; afterwards an interrupt ends the search with the best plan met and its bound.
        ConvergenceError: The gap stayed open; `best` holds the best plan.

    Source:
        Geoffrion (1972), Generalized Benders decomposition, J. Optimization Theory and Applications 10(4).
    """
    return PortfolioSearch(problem, threads).best(count=count, gap=gap, progress=progress)


@dataclass(frozen=True)
class _Lean:
    """What is beside the bounds, straight about one portfolio: constant[year] + slope[year] . open[year]."""

    constant: FloatArray
    slope: FloatArray


@dataclass(frozen=True)
class _Choice:
    """What the master problem says.

    Attributes:
        starts: Portfolios that are not met, the best by the bounds first, with what each is worth by them.
        bound: What no portfolio that is not met is worth more than by the bounds.
        gap: How finely that was found.
    """

    starts: tuple[tuple[IntArray, float], ...]
    bound: float
    gap: float


class PortfolioSearch:
    """A search for the best plans, which keeps the bounds and plans that it met.

    Args:
        problem: Projects, funds and welfare.
        threads: Years solved at once; the answer does not depend on it.

    Raises:
        DataError: Shares do not add up to 1, or something named is not there.
    """

    def __init__(self, problem: PortfolioProblem, threads: int = 1) -> None:
        check(problem)
        self.problem, self.threads = problem, threads
        self.cuts = _Cuts()
        self.known: dict[tuple[int, bytes], Worth] = {}
        self.met: dict[bytes, Plan] = {}
        self.told: set[bytes] = set()
        self.lines: set[bytes] = set()  # portfolios about which the line was drawn
        self.is_stopped = False
        self.choice: _Choice | None = None  # of the master problem as it stands
        nothing = np.full(len(problem.projects), NEVER)
        self.evaluate([nothing])
        self.evaluate([np.zeros(len(problem.projects), dtype=np.int64)], is_plan=False)
        self.lean = self.first_line(nothing)

    def best(
        self, *, count: int = 1, gap: float = _GAP, progress: Callable[[float, float], None] | None = None
    ) -> tuple[Plan, ...]:  # fmt: skip
        """The best plans, best first; see `best_plans`."""
        found: list[Plan] = []
        while len(found) < count and not self.is_stopped:
            plan = self.next_best(gap, progress)
            if plan is None:
                break
            found.append(plan)
        if not found:
            return ()
        bound = max(plan.bound for plan in found)  # a plan found later may be better than the line had it
        first, *rest = sorted(found, key=lambda plan: -plan.value)
        return (replace(first, bound=max(bound, first.bound)), *rest)

    def meet(self, start: IntArray) -> None:
        """Take in a plan that was found elsewhere; the search begins to tell from the best again, and tells none that is worth less."""
        self.evaluate([start])
        self.told.clear()

    def under(self, funds: tuple[Fund, ...]) -> PortfolioSearch:
        """The search for the same projects under other budgets, which begins with all that this one has met; it is left as it is."""
        other = copy(self)
        other.problem = replace(self.problem, funds=funds)
        check(other.problem)
        other.cuts, other.known = deepcopy(self.cuts), dict(self.known)
        other.met = {key: plan for key, plan in self.met.items() if is_within(other.problem, plan.start)}
        other.lines, other.told, other.choice, other.is_stopped = set(self.lines), set(), None, False
        return other

    def next_best(self, gap: float, progress: Callable[[float, float], None] | None) -> Plan | None:
        """The best plan that has not been told, with what no other that has not been told is worth more than.

        Under one line the search goes on until no plan that was not met is above those that were by the line, to within the gap; if the
        line is off at the best of them by more than that, it is drawn about it and the search goes on.
        """
        bound, open_gap = np.inf, 1.0
        for _ in range(_MOST_ROUNDS):
            try:
                wanted = gap if self.told or len(self.lines) > 1 or not self.has_beside else max(gap, _FIRST_LINE)
                choice = self.master(max(gap / 4.0 if gap > _GAP else _EXACT, _COARSE * open_gap if open_gap > wanted else 0.0))
                bound = -np.inf if choice is None else choice.bound
                best = self.leader(bound)
                if progress is not None and best is not None:
                    progress(best.value, best.bound)
                if best is None and choice is None:
                    return None
                if best is not None:
                    size = max(abs(best.value), 1e-12)
                    is_proved = best.bound - best.value <= wanted * size
                    is_straight = not self.has_beside or bool(self.told) or abs(self.strayed(best.start)) <= gap * size
                    if is_proved and is_straight:
                        return self.tell(best)
                    if not is_straight and (is_proved or bound - self.highest() <= wanted * size):
                        self.lean, self.choice, open_gap = self.leaning(best.start), None, 1.0
                        continue
                    open_gap = (best.bound - best.value) / max(abs(best.value), abs(best.bound), 1e-12)
                assert choice is not None  # else the leader would have been proved
                least = -np.inf if best is None else best.value + self.strayed(best.start)
                first, *others = choice.starts
                self.evaluate([first[0], *(start for start, most in others[: _AT_ONCE - 1] if most > least)])
            except KeyboardInterrupt:
                best = self.leader(bound)
                if best is None or not np.isfinite(bound):
                    raise
                self.is_stopped = True
                return self.tell(best)
        best = self.leader(bound)
        raise ConvergenceError(f"the portfolio is proved to {best.gap if best else 1.0:.1e} only", best=best)

    @property
    def has_beside(self) -> bool:
        """Whether anything counts that has no bounds."""
        return any(worth.beside != 0.0 for worth in self.known.values())

    def tell(self, plan: Plan) -> Plan:
        """A plan, left out from now on."""
        self.told.add(plan.start.tobytes())
        return plan

    def leader(self, bound: float) -> Plan | None:
        """The best plan met so far that was not told, with what no other could be worth more than.

        Its bound is moved by what the line is off there: the proof is by the line that is exact at it.

        Args:
            bound: What no plan that was not met is worth more than, by the line.
        """
        rest = self.rest()
        if not rest:
            return None
        best = max(rest, key=lambda plan: (plan.value, -int((plan.start != NEVER).sum()), plan.start.tobytes()))
        return replace(best, bound=max(bound - self.strayed(best.start), best.value))

    def highest(self) -> float:
        """Most that a plan met so far that was not told is worth by the line."""
        return max((plan.value + self.strayed(plan.start) for plan in self.rest()), default=-np.inf)

    def rest(self) -> list[Plan]:
        """Plans met so far that were not told."""
        return [plan for key, plan in self.met.items() if key not in self.told]

    def first_line(self, nothing: IntArray) -> _Lean:
        """A line for the first plans: each project at the more of what it changes alone and what it changes beside all others, so that
        those which need each other are tried.
        """
        alone, every = self.leaning(nothing), np.ones(len(self.problem.projects), dtype=np.bool_)
        if not self.has_beside:
            return alone
        beside_all = [self.problem.leaning(every, year, every) for year in range(self.problem.years)]
        return replace(alone, slope=np.maximum(alone.slope, beside_all))

    def leaning(self, start: IntArray) -> _Lean:
        """What is beside, exact in every year of a portfolio, and as projects change it.

        What the portfolio opens is put in or out of what is open in the year, so that the line is exact for each other date of one of
        them; what it does not open is put into all that it opens.
        """
        problem, opened, chosen = self.problem, self.problem.is_open(start), start != NEVER
        beside = np.array([self.known[year, opened[year].tobytes()].beside for year in range(problem.years)])
        slope = np.zeros((problem.years, len(problem.projects)))
        if self.has_beside:
            for year in range(problem.years):
                slope[year] = problem.leaning(chosen, year, ~chosen) + problem.leaning(opened[year], year, chosen)
        self.lines.add(start.tobytes())
        return _Lean(beside - (slope * opened).sum(axis=1), slope)

    def strayed(self, start: IntArray) -> float:
        """How far the straight line is above what it stands for at a portfolio that was met, present."""
        problem, opened = self.problem, self.problem.is_open(start)
        beside = np.array([self.known[year, opened[year].tobytes()].beside for year in range(problem.years)])
        line = self.lean.constant + (self.lean.slope * opened).sum(axis=1)
        return float((problem.discount * problem.year_weight) @ (line - beside))

    def evaluate(self, starts: Sequence[IntArray], *, is_plan: bool = True) -> None:
        """Solve the market of every year with what portfolios have open then, and add the bounds that follow."""
        problem = self.problem
        opened = [problem.is_open(start) for start in starts]
        sets = {row.tobytes(): row for own in opened for row in own}
        asked = (
            [(year, key) for key in sets for year in range(problem.years)]
            if problem.is_cheap_by_year
            else list(dict.fromkeys((year, own[year].tobytes()) for own in opened for year in range(problem.years)))
        )
        new = [pair for pair in asked if pair not in self.known]

        def work(pair: tuple[int, bytes]) -> Worth:
            return problem.worth(sets[pair[1]], pair[0])

        if self.threads > 1 and len(new) > 1:
            with ThreadPoolExecutor(self.threads, thread_name_prefix="plan") as pool:
                worths = list(pool.map(work, new))
        else:
            worths = [work(year) for year in new]
        for (year, key), worth in zip(new, worths, strict=True):
            self.known[year, key] = worth
            self.cuts.add(year, sets[key], worth)
        if is_plan:
            known = replace(problem, worth=lambda is_open, year: self.known[year, is_open.tobytes()])
            self.met.update((start.tobytes(), known.plan(start)) for start in starts)
        self.choice = None

    def master(self, gap: float) -> _Choice | None:
        """Starts, of those not met, that are best under the bounds, and what they are worth by them; None if no plan is left.

        Variables: start of each project in each year (0 or 1), then the welfare of each year. The solver has, in place of a start in a
        year, whether there was one by then: bounds of welfare then have one number a project and not one for each year before.
        """
        if self.choice is not None and self.choice.gap <= gap:
            return self.choice
        problem, years, projects = self.problem, self.problem.years, self.problem.projects
        size = len(projects) * years
        factor = problem.discount * problem.year_weight
        cost = np.array([problem.cost_from(project, start) for project in projects for start in range(years)])
        for number in range(len(projects)):
            for year in range(years):
                cost[opened_by(problem, number, year)] -= factor[year] * self.lean.slope[year, number]
        rows: list[FloatArray] = []
        most: list[float] = []

        def limit(row: FloatArray, value: float) -> None:
            rows.append(row)
            most.append(value)

        for row, value in rules_of(problem):
            limit(row, value)
        for year, constant, slope in zip(self.cuts.year, self.cuts.constant, self.cuts.slope, strict=True):
            row = np.zeros(size + years)
            row[size + year] = 1.0
            for number in range(len(projects)):
                row[opened_by(problem, number, year)] = -slope[number]
            limit(row, constant)
        for plan in self.met.values():
            row = np.zeros(size + years)
            for number, start in enumerate(plan.start.tolist()):
                own = slice(number * years, (number + 1) * years)
                if start == NEVER:
                    row[own] = -1.0
                else:
                    row[number * years + start] = 1.0
            limit(row, float((plan.start != NEVER).sum()) - 1.0)
        started, rising = _by_then(len(projects), years)
        costs = np.concatenate([cost, -factor]) @ started
        found = least_cost(
            costs, np.vstack([np.array(rows) @ started, rising]), np.append(most, np.zeros(rising.shape[0])), binary_count=size, gap=gap
        )
        if found is None:
            return None
        base = float(factor @ self.lean.constant)
        starts: dict[bytes, tuple[IntArray, float]] = {}
        for answer in found.met:
            chosen = np.rint((started @ answer)[:size]).reshape(len(projects), years)
            start = np.where(chosen.any(axis=1), chosen.argmax(axis=1), NEVER).astype(np.int64)
            starts.setdefault(start.tobytes(), (start, base - float(costs @ answer)))
        self.choice = _Choice(tuple(starts.values()), base - found.bound, gap)
        return self.choice


def _by_then(projects: int, years: int) -> tuple[FloatArray, FloatArray]:
    """Starts, and welfare, from starts by a year, shape (variables, variables); and rows that keep these from falling, at most 0."""
    count = (projects + 1) * years
    started, rising = np.eye(count), []
    for place in (number * years + year for number in range(projects) for year in range(1, years)):
        started[place, place - 1] = -1.0
        row = np.zeros(count)
        row[place - 1], row[place] = 1.0, -1.0
        rising.append(row)
    return started, np.array(rising).reshape(-1, count)
