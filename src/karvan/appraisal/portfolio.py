"""Projects that may be started, funds that pay for them and their rules, and what a dated portfolio is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NEVER = -1


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
        sector: What limits of funds call it.
        costs: Present cost by start year, of all that counts beside what funds pay: upkeep, renewal, what is left, economic prices. Empty:
            what it spends, discounted.
    """

    project_id: str
    spend: tuple[float, ...]
    fund_shares: Mapping[str, float]
    lead_years: int = 0
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    sector: str = ""
    costs: tuple[float, ...] = ()


@dataclass(frozen=True)
class SectorLimit:
    """What part of all that a fund spends may, and must, go to some sectors.

    Attributes:
        fund_id: The fund.
        sectors: The sectors, together.
        least_share, most_share: Least and largest part of the fund's spending over all years.
    """

    fund_id: str
    sectors: tuple[str, ...]
    least_share: float = 0.0
    most_share: float = 1.0


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
        beside: What else counts and has no such bounds, beyond that without any project: profits in charges, emissions.
    """

    welfare: float
    slope: FloatArray
    beside: float = 0.0

    @property
    def total(self) -> float:
        """All that counts."""
        return self.welfare + self.beside


def straight(parts: Sequence[tuple[Worth, float]]) -> Worth:
    """Worth in a year on the straight line between others: each of these with its share."""
    slope: FloatArray = np.sum([share * worth.slope for worth, share in parts], axis=0)
    welfare, beside = (sum(share * getattr(worth, name) for worth, share in parts) for name in ("welfare", "beside"))
    return Worth(welfare, slope, beside)


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
        limits: Sectors of funds.
        last_start: Last year, counted from 0, in which something may be started; None: any.
        lean: By how much each project asked for changes what is `beside` about a set of open ones in a year, see `leaning`; None: it is
            found by putting each in or out.
    """

    projects: tuple[Project, ...]
    funds: tuple[Fund, ...]
    worth: Callable[[BoolArray, int], Worth]
    rate: float
    year_weight: FloatArray
    is_cheap_by_year: bool = False
    limits: tuple[SectorLimit, ...] = ()
    last_start: int | None = None
    lean: Callable[[BoolArray, int, BoolArray], FloatArray] | None = None

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
        worths = [self.worth(opened[year], year) for year in range(self.years)]
        welfare = np.array([worth.total for worth in worths])
        value = float((self.discount * self.year_weight * welfare).sum()) - self.cost(start)
        return Plan(start, value, max(bound, value), welfare, spend)

    def cost(self, start: IntArray) -> float:
        """Present cost of projects started in some years."""
        return sum(self.cost_from(self.projects[place], int(start[place])) for place in np.flatnonzero(start != NEVER).tolist())

    def cost_from(self, project: Project, start: int) -> float:
        """Present cost of a project started in a year."""
        return project.costs[start] if project.costs else float((self.discount * self.spent(project, start)).sum())

    def may_start(self, year: int) -> bool:
        """Whether a project may be started in a year."""
        return self.last_start is None or year <= self.last_start

    def leaning(self, is_open: BoolArray, year: int, asked: BoolArray) -> FloatArray:
        """By how much each project changes what is `beside` about a set of open ones.

        Args:
            is_open: The set, shape (projects,).
            year: Year, counted from 0.
            asked: Projects that are put in or out, shape (projects,).

        Returns:
            Zero for those not asked, shape (projects,).
        """
        if self.lean is not None:
            return self.lean(is_open, year, asked)
        found = np.zeros(is_open.shape[0])
        for place in np.flatnonzero(asked).tolist():
            without, within = is_open.copy(), is_open.copy()
            without[place], within[place] = False, True
            found[place] = self.worth(within, year).beside - self.worth(without, year).beside
        return found

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
        value: All that counts, discounted, less what projects cost.
        bound: No plan is worth more than this, apart from those listed before it.
        welfare: All that counts in each year, shape (years,).
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


def opened_by(problem: PortfolioProblem, number: int, year: int) -> slice:
    """Start variables with which a project is open in a year."""
    last = max(year - problem.projects[number].lead_years + 1, 0)
    return slice(number * problem.years, number * problem.years + last)


def rules_of(problem: PortfolioProblem) -> Sequence[tuple[FloatArray, float]]:
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
                row[opened_by(problem, place[other], year)] = -1.0
                row[opened_by(problem, number, year)] += 1.0
                found.append((row, 0.0))
        for other in project.excludes:
            row = once.copy()
            row[place[other] * years : (place[other] + 1) * years] = 1.0
            found.append((row, 1.0))
    paid = np.array([[np.cumsum(problem.spent(project, start)) for start in range(years)] for project in projects]).reshape(-1, years)
    for fund in problem.funds:
        part = np.repeat([project.fund_shares.get(fund.fund_id, 0.0) for project in projects], years)
        for year in range(years):
            found.append((np.append(part * paid[:, year], np.zeros(years)), float(sum(fund.budget[: year + 1]))))
        for limit in problem.limits:
            if limit.fund_id == fund.fund_id:
                inside = np.repeat([float(project.sector in limit.sectors) for project in projects], years)
                spent = part * paid[:, -1]
                found += [(np.append(spent * row, np.zeros(years)), 0.0) for row in (inside - limit.most_share, limit.least_share - inside)]
    late = np.append(np.tile([0.0 if problem.may_start(year) else 1.0 for year in range(years)], len(projects)), np.zeros(years))
    return [*found, (late, 0.0)]


def is_within(problem: PortfolioProblem, start: IntArray) -> bool:
    """Whether a portfolio keeps budgets and limits of sectors, and starts nothing too late."""
    spent = np.cumsum(problem.fund_spend(start), axis=1)
    if any((spent[place] > np.cumsum(fund.budget) + 1e-9).any() for place, fund in enumerate(problem.funds)):
        return False
    return all(problem.may_start(int(year)) for year in start) and all(
        limit.least_share - 1e-9 <= share <= limit.most_share + 1e-9 for limit, share in sector_shares(problem, start) if share is not None
    )


def sector_shares(problem: PortfolioProblem, start: IntArray) -> list[tuple[SectorLimit, float | None]]:
    """Limits of sectors with the part of its fund's spending that each has; None where the fund spends nothing."""
    found: list[tuple[SectorLimit, float | None]] = []
    chosen = np.flatnonzero(start != NEVER).tolist()
    for limit in problem.limits:
        paid = [sum(problem.projects[j].spend) * problem.projects[j].fund_shares.get(limit.fund_id, 0.0) for j in chosen]
        inside = [amount for j, amount in zip(chosen, paid, strict=True) if problem.projects[j].sector in limit.sectors]
        found.append((limit, sum(inside) / sum(paid) if sum(paid) > 0.0 else None))
    return found


def check(problem: PortfolioProblem) -> None:
    """Whether projects, funds and limits fit each other.

    Raises:
        DataError: They do not.
    """
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
    for number, limit in enumerate(problem.limits, start=1):
        if limit.fund_id not in funds or not 0.0 <= limit.least_share <= limit.most_share <= 1.0:
            message = f"of {limit.fund_id} must name a fund that is there, and shares from 0 to 1 that rise"
            problems.append(Problem("limits", number, "fund_id", message))
    if problems:
        raise DataError(problems)
