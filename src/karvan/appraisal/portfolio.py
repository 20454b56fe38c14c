"""Which projects to start when, under the budgets of funds, proved best by generalised Benders decomposition.

The market's welfare is concave in capacities, so that its value and prices at any set of open projects bound it from above at every other:
the master problem chooses starts under these bounds, the market is solved at its choice, and new bounds are added until both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from karvan.appraisal.master import least_cost
from karvan.errors import ConvergenceError, DataError, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NEVER = -1
_GAP, _EXACT = 1e-6, 1e-9
_MOST_ROUNDS = 500


@dataclass(frozen=True)
class Project:
    """Something that may be built once.

    Attributes:
        project_id: Id.
        spend: What it costs in its start year and those after, in the unit of welfare.
        fund_shares: Part of that which each fund bears, by fund id; they add up to 1.
        lead_years: Years from its start until it is open.
        requires: Projects without which it may not be open.
        excludes: Projects that may not be started if it is.
    """

    project_id: str
    spend: tuple[float, ...]
    fund_shares: Mapping[str, float]
    lead_years: int = 0
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fund:
    """Who pays.

    Attributes:
        fund_id: Id.
        budget: What it has in each year, in the unit of welfare; what is left is carried over.
    """

    fund_id: str
    budget: tuple[float, ...]


@dataclass(frozen=True)
class Worth:
    """What a set of open projects is worth in a year.

    Attributes:
        welfare: Beyond that without any project.
        slope: By how much each project raises it at the present prices: prices of capacities times what it adds, shape (projects,). For
            a project that opens or cheapens routes: the most that it could add, whatever else is open, where it is not open; and where it
            is, the least that it adds, which may be 0.
    """

    welfare: float
    slope: FloatArray


def straight(parts: Sequence[tuple[Worth, float]]) -> Worth:
    """Worth in a year on the straight line between others: each of these with its share."""
    slope: FloatArray = np.sum([share * worth.slope for worth, share in parts], axis=0)
    return Worth(sum(share * worth.welfare for worth, share in parts), slope)


@dataclass(frozen=True)
class PortfolioProblem:
    """Choose starts.

    Attributes:
        projects: What may be built.
        funds: Who pays.
        worth: Welfare of open projects, shape (projects,), in a year counted from 0; safe to be called by several threads at once.
        rate: Discount rate; the first year is not discounted.
        year_weight: How often each year's welfare counts, shape (years,), such as a last one that stands for all that follow.
        is_cheap_by_year: What is open in one year is tried in all, as a set costs little more in another year once it is known in one;
            bounds are then shared by all years.
    """

    projects: tuple[Project, ...]
    funds: tuple[Fund, ...]
    worth: Callable[[BoolArray, int], Worth]
    rate: float
    year_weight: FloatArray
    is_cheap_by_year: bool = False

    @property
    def years(self) -> int:
        """Number of years."""
        return int(self.year_weight.shape[0])

    @property
    def discount(self) -> FloatArray:
        """Shape (years,)."""
        found: FloatArray = (1.0 + self.rate) ** -np.arange(self.years, dtype=np.float64)
        return found

    def is_open(self, start: IntArray) -> BoolArray:
        """Which projects are open in each year if started in some, shape (years, projects)."""
        lead = np.array([project.lead_years for project in self.projects])
        found: BoolArray = (start >= 0) & (np.arange(self.years)[:, None] >= start + lead)
        return found

    def fund_spend(self, start: IntArray) -> FloatArray:
        """What each fund spends in each year if projects start in some, shape (funds, years)."""
        found = np.zeros((len(self.funds), self.years))
        for place in np.flatnonzero(start != NEVER).tolist():
            item = self.projects[place]
            shares = np.array([item.fund_shares.get(fund.fund_id, 0.0) for fund in self.funds])
            found += np.outer(shares, self.spent(item, int(start[place])))
        return found

    def plan(self, start: IntArray, *, bound: float = np.inf) -> Plan:
        """Projects started in some years, with what they are worth and spend.

        Args:
            start: Year in which each project starts, NEVER where it does not, shape (projects,).
            bound: What no plan is worth more than, as far as is known.
        """
        opened, spend = self.is_open(start), self.fund_spend(start)
        welfare = np.array([self.worth(opened[year], year).welfare for year in range(self.years)])
        value = float((self.discount * self.year_weight * welfare).sum() - (self.discount * spend.sum(axis=0)).sum())
        return Plan(start, value, max(bound, value), welfare, spend)

    def spent(self, project: Project, start: int) -> FloatArray:
        """What a project costs in each year, shape (years,); what falls after the last year is spent in it, so that none is hidden."""
        found = np.zeros(self.years)
        for offset, amount in enumerate(project.spend):
            found[min(start + offset, self.years - 1)] += amount
        return found


@dataclass(frozen=True)
class Plan:
    """Starts of projects, and what they are worth.

    Attributes:
        start: Year in which each project starts, counted from 0, NEVER where it does not, shape (projects,).
        value: Discounted welfare less discounted spending.
        bound: No plan is worth more than this, apart from those listed before it.
        welfare: Welfare of each year, shape (years,).
        spend: By fund and year, shape (funds, years).
    """

    start: IntArray
    value: float
    bound: float
    welfare: FloatArray
    spend: FloatArray

    @property
    def gap(self) -> float:
        """By what share the best plan could be better."""
        return max(self.bound - self.value, 0.0) / max(abs(self.bound), 1e-300) if self.bound > self.value else 0.0


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
    _check(problem)
    search = _Search(problem, threads)
    found: list[Plan] = []
    while len(found) < count:
        plan = search.best(gap, progress)
        if plan is None:
            break
        found.append(plan)
        if search.is_stopped:
            break
        search.forbid(plan.start)
    return tuple(found)


class _Search:
    """Bounds and plans met on the way; its methods add to them."""

    def __init__(self, problem: PortfolioProblem, threads: int) -> None:
        self.problem, self.threads = problem, threads
        self.cuts = _Cuts()
        self.known: dict[tuple[int, bytes], Worth] = {}
        self.met: dict[bytes, Plan] = {}
        self.forbidden: list[IntArray] = []
        self.is_stopped = False
        self.evaluate(np.full(len(problem.projects), NEVER))
        self.evaluate(np.zeros(len(problem.projects), dtype=np.int64), is_plan=False)

    def forbid(self, start: IntArray) -> None:
        """Leave a plan out from now on."""
        self.forbidden.append(start)
        self.met.pop(start.tobytes(), None)

    def best(self, gap: float, progress: Callable[[float, float], None] | None) -> Plan | None:
        """The best plan that is not forbidden."""
        incumbent: Plan | None = None
        bound = np.inf
        for _ in range(_MOST_ROUNDS):
            try:
                chosen = self.master(gap)
                if chosen is None:
                    return None
                start, bound = chosen[0], min(bound, chosen[1])
                is_met = start.tobytes() in self.met
                self.evaluate(start)
                incumbent = self.leader(bound)
                if progress is not None:
                    progress(incumbent.value, incumbent.bound)
            except KeyboardInterrupt:
                if not np.isfinite(bound):
                    raise
                self.is_stopped = True
                return self.leader(bound)
            if incumbent.bound - incumbent.value <= gap * max(abs(incumbent.value), 1e-12) or is_met:
                return incumbent
        raise ConvergenceError(f"the portfolio is proved to {incumbent.gap if incumbent else 1.0:.1e} only", best=incumbent)

    def leader(self, bound: float) -> Plan:
        """The best plan met so far, with what the best could be worth at most."""
        best = max(self.met.values(), key=lambda plan: (plan.value, plan.start.tobytes()))
        return Plan(best.start, best.value, max(bound, best.value), best.welfare, best.spend)

    def evaluate(self, start: IntArray, *, is_plan: bool = True) -> None:
        """Solve the market of every year with what is open then, and add the bounds that follow."""
        problem = self.problem
        opened = problem.is_open(start)
        sets = {opened[year].tobytes(): opened[year] for year in range(problem.years)}
        asked = (
            [(year, key) for key in sets for year in range(problem.years)]
            if problem.is_cheap_by_year
            else [(year, opened[year].tobytes()) for year in range(problem.years)]
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
            self.met[start.tobytes()] = known.plan(start)

    def master(self, gap: float) -> tuple[IntArray, float] | None:
        """Starts that are best under the bounds, and what they are worth by them; None if no plan is left.

        Variables: start of each project in each year (0 or 1), then the welfare of each year.
        """
        problem, years, projects = self.problem, self.problem.years, self.problem.projects
        size = len(projects) * years
        cost = np.concatenate(
            [
                [float((problem.discount * problem.spent(project, start)).sum()) for project in projects for start in range(years)],
                -problem.discount * problem.year_weight,
            ]
        )
        rows: list[FloatArray] = []
        most: list[float] = []

        def limit(row: FloatArray, value: float) -> None:
            rows.append(row)
            most.append(value)

        for row, value in _rules(problem):
            limit(row, value)
        for year, constant, slope in zip(self.cuts.year, self.cuts.constant, self.cuts.slope, strict=True):
            row = np.zeros(size + years)
            row[size + year] = 1.0
            for number in range(len(projects)):
                row[_opened_by(problem, number, year)] = -slope[number]
            limit(row, constant)
        for start in self.forbidden:
            row = np.zeros(size + years)
            for number in range(len(projects)):
                own = slice(number * years, (number + 1) * years)
                if start[number] == NEVER:
                    row[own] = -1.0
                else:
                    row[number * years + start[number]] = 1.0
            limit(row, float((start != NEVER).sum()) - 1.0)
        found = least_cost(cost, np.array(rows), np.array(most), binary_count=size, gap=gap / 4.0 if gap > _GAP else _EXACT)
        if found is None:
            return None
        chosen = np.rint(found[0][:size]).reshape(len(projects), years)
        start = np.where(chosen.any(axis=1), chosen.argmax(axis=1), NEVER).astype(np.int64)
        return start, -found[1]


def _opened_by(problem: PortfolioProblem, number: int, year: int) -> slice:
    """Start variables with which a project is open in a year."""
    last = max(year - problem.projects[number].lead_years + 1, 0)
    return slice(number * problem.years, number * problem.years + last)


def _rules(problem: PortfolioProblem) -> Sequence[tuple[FloatArray, float]]:
    """Linear rules of starts: once each, needs and exclusions, and no fund ever spends more than it has had."""
    years, projects = problem.years, problem.projects
    size = len(projects) * years + years
    place = {project.project_id: number for number, project in enumerate(projects)}
    found: list[tuple[FloatArray, float]] = []
    for number, project in enumerate(projects):
        once = np.zeros(size)
        once[number * years : (number + 1) * years] = 1.0
        found.append((once, 1.0))
        for other in project.requires:
            for year in range(years):
                row = np.zeros(size)
                row[_opened_by(problem, place[other], year)] = -1.0
                row[_opened_by(problem, number, year)] += 1.0
                found.append((row, 0.0))
        for other in project.excludes:
            row = once.copy()
            row[place[other] * years : (place[other] + 1) * years] = 1.0
            found.append((row, 1.0))
    for fund in problem.funds:
        for year in range(years):
            row = np.zeros(size)
            for number, project in enumerate(projects):
                for start in range(years):
                    paid = float(problem.spent(project, start)[: year + 1].sum())
                    row[number * years + start] = project.fund_shares.get(fund.fund_id, 0.0) * paid
            found.append((row, float(sum(fund.budget[: year + 1]))))
    return found


def _check(problem: PortfolioProblem) -> None:
    problems = []
    known = {project.project_id for project in problem.projects}
    funds = {fund.fund_id for fund in problem.funds}
    for number, project in enumerate(problem.projects, start=1):
        if abs(sum(project.fund_shares.values()) - 1.0) > 1e-9 or not set(project.fund_shares) <= funds:
            problems.append(
                Problem("projects", number, "fund_shares", f"of {project.project_id} must add up to 1 over funds that are there")
            )
        lost = sorted({*project.requires, *project.excludes} - known)
        if lost:
            problems.append(Problem("projects", number, "requires", f"of {project.project_id} names {lost[0]}, which is no project"))
        if project.lead_years < 0 or any(amount < 0.0 for amount in project.spend):
            problems.append(Problem("projects", number, "spend", f"and lead_years of {project.project_id} must be zero or more"))
    for number, fund in enumerate(problem.funds, start=1):
        if len(fund.budget) != problem.years:
            problems.append(
                Problem("funds", number, "budget", f"of {fund.fund_id} has {len(fund.budget)} years, must have {problem.years}")
            )
    if problems:
        raise DataError(problems)
