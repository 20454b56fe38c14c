"""A portfolio as its funds see it: their part of what projects earn, less their part of what they cost.

What a project earns depends on what else is open, and neither rises nor falls with it in one direction, so that nothing bounds it from
above. Portfolios are sought with each project's earnings as if it stood alone, which a mixed integer program settles, and told at what they
earn together; the best of those and of what one change makes of it is taken. Nothing proves that no other is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from karvan.appraisal import Plan, PortfolioProblem, Worth, best_plans, internal_rate
from karvan.appraisal.bank import Loan, debt_cover, grant_to_hurdle
from karvan.appraisal.portfolio import NEVER
from karvan.appraisal.present import weights_to_end
from karvan.study.plan_projects import OTHERS, Candidate, Reckoning
from karvan.study.plan_sampled import SampledMarket
from karvan.study.plan_single import Single

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_LINEAR_PLANS = 5
_ROUNDS = 20
_LEAST_MUSD = 1e-6


@dataclass(frozen=True)
class FundTerms:
    """At which terms funds look at projects.

    Attributes:
        rate: Rate at which their money is discounted: the highest hurdle of the funds that have a budget.
        margin_share: Part of what operators charge that they keep, after tax.
        tax_share: Tax on what power earns.
        evaluation_years: Years that count.
        loan: How a project borrows.
        least_cover: Debt cover below which a project is not taken; None: any.
    """

    rate: float
    margin_share: float
    tax_share: float
    evaluation_years: int
    loan: Loan
    least_cover: float | None = None


class FundCash:
    """Cash of funds in portfolios.

    Earnings of a project of freight are what its sponsors charge more than without any project, less what carrying costs them and tax,
    shared among open projects of a sponsor by capital; scarcity rent is left out, as it vanishes where works relieve what is full. Those of
    a project of power are what its lines and plants earn at the prices of the hour, after tax. A fund has the part of them that it bears of
    the capital.

    Args:
        problem: The search for welfare, whose projects, funds and years it shares.
        candidates: Its projects.
        market: Its market.
        terms: How funds reckon.
        reckoning: What works cost society.
    """

    def __init__(
        self, problem: PortfolioProblem, candidates: Sequence[Candidate], market: SampledMarket, terms: FundTerms, reckoning: Reckoning
    ) -> None:  # fmt: skip
        self.reckoning = reckoning
        self.problem, self.candidates, self.market, self.terms = problem, candidates, market, terms
        operators = next(iter(market.samples.values())).operators
        self._sponsors = [[operators.index(name) for name in item.works.sponsors if name in operators] for item in candidates]
        self._capital = np.array([item.works.capital_musd for item in candidates])
        self.share = np.array([1.0 - item.fund_shares.get(OTHERS, 0.0) for item in candidates])
        """Part of each project that funds bear, shape (projects,)."""
        self.upkeep = np.array([item.works.running_musd_per_year for item in candidates])
        self._known: dict[tuple[int, bytes], FloatArray] = {}

    @property
    def discount(self) -> FloatArray:
        """Shape (years,)."""
        found: FloatArray = (1.0 + self.terms.rate) ** -np.arange(self.problem.years, dtype=np.float64)
        return found

    @property
    def weight(self) -> FloatArray:
        """How often each year counts, the last for all that follow, shape (years,)."""
        return weights_to_end(self.problem.years, self.terms.evaluation_years, self.terms.rate)

    def earned(self, is_open: BoolArray, number: int) -> FloatArray:
        """What each open project earns in a year before upkeep, million USD, shape (projects,); zero where it is not open."""
        key = (number, is_open.tobytes())
        if key not in self._known:
            self._known[key] = self._earned(is_open, self.market.years[number])
        return self._known[key]

    def _earned(self, is_open: BoolArray, year: int) -> FloatArray:
        found = np.zeros(is_open.shape[0])
        more = self.terms.margin_share * (self.market.charged(year, is_open) - self.market.charged(year, np.zeros_like(is_open)))
        part = np.array([0.0 if not own else capital / len(own) for own, capital in zip(self._sponsors, self._capital, strict=True)])
        built = np.zeros(more.shape[0])
        for project in np.flatnonzero(is_open).tolist():
            built[self._sponsors[project]] += part[project]
        for project in np.flatnonzero(is_open).tolist():
            for sponsor in self._sponsors[project]:
                found[project] += more[sponsor] * part[project] / built[sponsor] if built[sponsor] > 0.0 else 0.0
        if self.market.power is not None:  # what a line or plant saves at the prices of an hour is what it earns there
            found += np.where(is_open, (1.0 - self.terms.tax_share) * self.market.power.at(year, is_open).slope, 0.0)
        return found + np.where(is_open, (1.0 - self.terms.tax_share) * self.market.stated, 0.0)

    def flows(self, start: IntArray) -> FloatArray:
        """Net of each project by year to its owners, million USD: earnings less upkeep and capital, shape (projects, years)."""
        problem, opened = self.problem, self.problem.is_open(start)
        income = np.array([self.earned(opened[year], year) for year in range(problem.years)]).T
        upkeep = np.where(opened.T, self.upkeep[:, None], 0.0)
        spent = np.zeros_like(income)
        for project in np.flatnonzero(start != NEVER).tolist():
            spent[project] = problem.spent(problem.projects[project], int(start[project]))
        return income - upkeep - spent / self.weight  # the last year counts for all that follow, its building once

    def value(self, start: IntArray) -> float:
        """Present cash of all funds, million USD."""
        return float((self.discount * self.weight * (self.share @ self.flows(start))).sum())

    @cached_property
    def alone(self) -> list[FloatArray]:
        """What each project earns by year if it is open alone with what it requires, shape (projects,) of (years,)."""
        found = []
        names = [item.measure.id for item in self.candidates]
        for project, item in enumerate(self.candidates):
            opened = np.zeros(len(names), dtype=np.bool_)
            opened[[project, *(names.index(name) for name in item.needs)]] = True
            found.append(np.array([self.earned(opened, year)[project] for year in range(self.problem.years)]))
        return found

    @cached_property
    def barred(self) -> BoolArray:
        """Projects that alone would not cover their debt as often as asked, shape (projects,)."""
        found = np.zeros(len(self.candidates), dtype=np.bool_)
        if self.terms.least_cover is not None:
            for j, item in enumerate(self.candidates):
                income = self.long(self.alone[j] - self.upkeep[j])
                cover = debt_cover(income, item.works.capital_musd, self.terms.loan, 0)
                found[j] = cover is not None and cover < self.terms.least_cover
        return found

    def never_earned(self, start: IntArray) -> BoolArray:
        """Projects of power alone that would not earn their part of the cost if added now to all that a portfolio opens, shape (projects,).

        The prices of the portfolio tell the most that each would earn; so that what cannot pay is not dispatched again.
        """
        found = np.zeros(start.shape[0], dtype=np.bool_)
        power = self.market.power
        if power is None:
            return found
        opened, none = self.problem.is_open(start), np.zeros(start.shape[0], dtype=np.bool_)
        tax, years = 1.0 - self.terms.tax_share, range(self.problem.years)
        slope = np.array([power.at(self.market.years[year], opened[year]).slope for year in years])
        first = np.array([power.at(self.market.years[year], none).slope for year in years])
        is_freight = np.array([bool(own) for own in self._sponsors], dtype=np.bool_)
        for project in np.flatnonzero((first > 0.0).any(axis=0) & (start == NEVER) & ~is_freight).tolist():
            spent = self.problem.spent(self.problem.projects[project], 0)
            income = np.maximum(tax * slope[:, project] - self.upkeep[project], 0.0)
            income[: self.problem.projects[project].lead_years] = 0.0
            found[project] = float((self.discount * (self.weight * income - spent)).sum()) <= 0.0
        return found

    def long(self, flow: FloatArray) -> FloatArray:
        """A project's yearly flow with its last year repeated to the end of what counts."""
        rest = max(self.terms.evaluation_years - flow.shape[0], 0)
        return np.concatenate([flow, np.full(rest, flow[-1])])

    def bank(self, start: IntArray) -> list[dict[str, object]]:
        """What a bank asks of each chosen project: returns, debt cover, the grant or charge that lifts it to the hurdle.

        Economic return is that of what all gain by it as the last one put in; the others are of its owners' cash among the projects chosen.
        """
        rows: list[dict[str, object]] = []
        problem, opened = self.problem, self.problem.is_open(start)
        income = np.array([self.earned(opened[year], year) for year in range(problem.years)]).T
        for project in np.flatnonzero(start != NEVER).tolist():
            works = self.candidates[project].works
            spent = problem.spent(problem.projects[project], int(start[project]))
            upkeep = np.where(opened[:, project], self.upkeep[project], 0.0)
            without = start.copy()
            without[project] = NEVER
            others = problem.is_open(without)
            gain = np.array(
                [problem.worth(opened[y], y).total - problem.worth(others[y], y).total for y in range(problem.years)]
            )  # fmt: skip
            tail = np.concatenate([spent, np.zeros(max(self.terms.evaluation_years - problem.years, 0))])
            economic = self.reckoning.flows(works, int(start[project]))
            net = self.long(income[project] - upkeep) - tail
            first = int(np.argmax(opened[:, project])) if opened[:, project].any() else problem.years - 1
            is_open = np.arange(net.shape[0]) >= first
            grant = grant_to_hurdle(net, self.terms.rate)
            yearly = float((is_open * (1.0 + self.terms.rate) ** -np.arange(net.shape[0], dtype=np.float64)).sum())
            rows.append(
                {
                    "measure_id": works.measure_id, "err_share": internal_rate(self.long(gain) - economic),
                    "firr_share": internal_rate(net),
                    "debt_cover_ratio": debt_cover(self.long(income[project] - upkeep), works.capital_musd, self.terms.loan, first),
                    "grant_musd": grant, "charge_musd_per_year": grant / yearly if yearly > 0.0 else None,
                    "fund_share": float(self.share[project]),
                }
            )  # fmt: skip
        return rows


def fund_choice(cash: FundCash, single: Single, others: Sequence[Plan]) -> tuple[IntArray, float]:
    """The portfolio that gives the funds most, as far as the search goes, and what it gives them.

    Args:
        cash: Cash of funds.
        single: Rules of the search.
        others: Portfolios to hold it against, such as those best for welfare.
    """
    found = [plan.start for plan in best_plans(_alone_problem(cash), count=_LINEAR_PLANS)]
    tried: dict[bytes, float] = {}

    def value(start: IntArray) -> float:
        if start.tobytes() not in tried:
            tried[start.tobytes()] = cash.value(start)
        return tried[start.tobytes()]

    nothing = np.full(len(cash.candidates), NEVER)
    known = [start for start in (*found, *(plan.start for plan in others)) if not (start[cash.barred] != NEVER).any()]
    best = max([nothing, *known], key=value)
    for _ in range(_ROUNDS):
        barred = cash.barred | cash.never_earned(best)
        near = [start for start in _neighbours(best, single, barred) if value(start) > value(best) + _LEAST_MUSD]
        if not near:
            break
        best = max(near, key=value)
    return best, value(best)


def _alone_problem(cash: FundCash) -> PortfolioProblem:
    """The search for the funds' cash with earnings as if each project stood alone: linear, so that it is settled at once.

    Funds that bear less than the whole of a project are told to bear the whole of their part of it.
    """
    problem, terms = cash.problem, cash.terms
    projects = tuple(
        replace(
            item,
            spend=tuple(share * amount for amount in item.spend),
            costs=(),
            fund_shares={name: part / share for name, part in item.fund_shares.items() if name != OTHERS},
        )
        for item, share in zip(problem.projects, cash.share.tolist(), strict=True)
    )
    income = np.array([cash.share[j] * (cash.alone[j] - cash.upkeep[j]) for j in range(len(projects))])
    income[cash.barred] = -1.0 - income.max(initial=0.0)  # never worth its part of the cost

    def worth(is_open: BoolArray, year: int) -> Worth:
        return Worth(float(income[is_open, year].sum()), income[:, year])

    funds = tuple(fund for fund in problem.funds if fund.fund_id != OTHERS)
    return PortfolioProblem(
        projects, funds, worth, terms.rate, cash.weight, limits=problem.limits, last_start=problem.last_start
    )  # fmt: skip


def _neighbours(start: IntArray, single: Single, barred: BoolArray) -> list[IntArray]:
    """Portfolios that differ by one project left out, or put in as early as may be."""
    found = []
    for project in range(start.shape[0]):
        other = start.copy()
        if start[project] != NEVER:
            other[project] = NEVER
            found.append(other)
            continue
        for year in single.starts(project):
            tried = single.with_needed(start, project, year)
            if tried is not None and single.is_allowed(tried) and not (tried[barred] != NEVER).any():
                found.append(tried)
                break
    return found
