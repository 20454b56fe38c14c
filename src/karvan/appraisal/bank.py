"""The tables of a bank: costs and gains by year, what they are worth, and how far that may be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.appraisal.cash import benefit_cost_ratio, internal_rate, net_present_value, payback_years, switching_factor

FloatArray = npt.NDArray[np.float64]

_DEARER, _LESS, _LATE_YEARS = 1.2, 0.8, 2
_RAMP = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Works:
    """What a measure costs, and when.

    Attributes:
        measure_id, title: The measure.
        capital_musd, low_musd, high_musd: Capital cost and its range.
        running_musd_per_year: Upkeep.
        open_year: First year in which it can gain anything.
        last_build_year: Last year of building.
        build_year_count: Years of building, whole.
        life_year_count: Years that it lasts, whole.
        overrun_share, overrun_high_share, delay_share, delay_high_share: Record of its reference class.
        is_estimate: No source states its cost.
        sponsors: Operators that earn what it brings in.
    """

    measure_id: str
    title: str
    capital_musd: float
    low_musd: float
    high_musd: float
    running_musd_per_year: float
    open_year: int
    last_build_year: int
    build_year_count: int
    life_year_count: int
    overrun_share: float
    overrun_high_share: float
    delay_share: float
    delay_high_share: float
    is_estimate: bool
    sponsors: tuple[str, ...] = ()

    @property
    def first_build_year(self) -> int:
        """First year of building."""
        return self.last_build_year - self.build_year_count + 1


@dataclass(frozen=True)
class Flows:
    """Costs and gains by year, million USD, each of shape (years,), costs above zero.

    Attributes:
        first_year: Year of the first.
        benefit: What all parties but the builders gain.
        capital: Building and renewal.
        running: Upkeep.
        residual: What works are still worth after the last year.
    """

    first_year: int
    benefit: FloatArray
    capital: FloatArray
    running: FloatArray
    residual: FloatArray

    @property
    def years(self) -> npt.NDArray[np.int64]:
        """The years, shape (years,)."""
        return np.arange(self.first_year, self.first_year + self.benefit.shape[0])

    @property
    def cost(self) -> FloatArray:
        """All costs less what is left, shape (years,)."""
        return self.capital + self.running - self.residual

    @property
    def net(self) -> FloatArray:
        """Gain less cost, shape (years,)."""
        return self.benefit - self.cost


@dataclass(frozen=True)
class Spending:
    """Costs of works by year, million USD, each of shape (years,)."""

    capital: FloatArray
    running: FloatArray
    residual: FloatArray


def spending(works: Works, first_year: int, year_count: int, *, capital_ratio: float = 1.0, running_ratio: float = 1.0) -> Spending:
    """Building in equal parts, upkeep from the opening on, renewal at the end of each life, and the part of the last life that is left.

    What is built before the first year is spent in it.

    Args:
        works: The works.
        first_year: First year told.
        year_count: Years told.
        capital_ratio: Economic over financial cost of building.
        running_ratio: The same of upkeep.
    """
    capital, running, residual = (np.zeros(year_count) for _ in range(3))
    part = capital_ratio * works.capital_musd / works.build_year_count
    for year in range(works.first_build_year, works.last_build_year + 1):
        place = max(year - first_year, 0)
        if place < year_count:
            capital[place] += part
    opened = max(works.open_year - first_year, 0)
    running[opened:] = running_ratio * works.running_musd_per_year
    renewed = opened
    while renewed + works.life_year_count < year_count:
        renewed += works.life_year_count
        capital[renewed] += capital_ratio * works.capital_musd
    if opened < year_count:
        left = works.life_year_count - (year_count - renewed)
        residual[-1] = capital_ratio * works.capital_musd * max(left, 0) / works.life_year_count
    return Spending(capital, running, residual)


def flows_of(
    works: Sequence[Works], benefit: FloatArray, first_year: int, *, capital_ratio: float = 1.0, running_ratio: float = 1.0
) -> Flows:
    """Costs of all works beside what they gain together.

    Args:
        works: The works.
        benefit: Gain by year, million USD, shape (years,).
        first_year: First year of it.
        capital_ratio, running_ratio: See `spending`.
    """
    count = benefit.shape[0]
    each = [spending(item, first_year, count, capital_ratio=capital_ratio, running_ratio=running_ratio) for item in works]
    zero = np.zeros(count)
    return Flows(
        first_year, benefit, sum((item.capital for item in each), zero), sum((item.running for item in each), zero),
        sum((item.residual for item in each), zero),
    )  # fmt: skip


@dataclass(frozen=True)
class Worth:
    """What flows are worth at a rate; see `karvan.results.Appraisal`."""

    npv_musd: float
    err_share: float | None
    bcr_ratio: float | None
    first_year_share: float | None
    payback_year_count: int | None
    residual_musd: float
    switching: dict[str, float | None]


def worth_of(flows: Flows, rate: float, *, first_full_year: int) -> Worth:
    """Net present value and its kin.

    Args:
        flows: Costs and gains.
        rate: Discount rate.
        first_full_year: Year whose gain is told against the capital spent by then, compounded to it.
    """
    place = first_full_year - flows.first_year
    built = flows.capital[:place]
    compounded = float((built * (1.0 + rate) ** np.arange(place, 0, -1, dtype=np.float64)).sum()) if place > 0 else 0.0
    gained = float((flows.benefit - flows.running)[place]) if 0 <= place < flows.benefit.shape[0] else math.nan
    return Worth(
        npv_musd=net_present_value(flows.net, rate),
        err_share=internal_rate(flows.net),
        bcr_ratio=benefit_cost_ratio(flows.benefit, flows.cost, rate),
        first_year_share=gained / compounded if compounded > 0.0 and not math.isnan(gained) else None,
        payback_year_count=payback_years(flows.net),
        residual_musd=net_present_value(flows.residual, rate),
        switching={
            "benefits": switching_factor(flows.net, flows.benefit, rate),
            "costs": switching_factor(flows.net, -flows.cost, rate),
        },
    )


def ramped(benefit: FloatArray, opened: int) -> FloatArray:
    """Gains that take four years to come in full: 25, 50 and 75% in the first three from the year at a place on."""
    found = benefit.copy()
    for offset, share in enumerate(_RAMP):
        if opened + offset < found.shape[0]:
            found[opened + offset] *= share
    return found


def later(benefit: FloatArray, years: int) -> FloatArray:
    """Gains some years later, the last ones falling out of the period."""
    return np.concatenate([np.zeros(min(years, benefit.shape[0])), benefit[: max(benefit.shape[0] - years, 0)]])


def usual_tests(
    works: Sequence[Works], benefit: FloatArray, first_year: int, *, capital_ratio: float, running_ratio: float
) -> dict[str, Flows]:
    """The flows that banks ask to see: dearer, less, late, slow, all of it, and by the record of the works' classes.

    Args:
        works: The works.
        benefit: Gain by year, shape (years,).
        first_year: First year of it.
        capital_ratio, running_ratio: See `spending`.
    """
    opened = min((item.open_year for item in works), default=first_year) - first_year

    def made(built: Sequence[Works], gained: FloatArray) -> Flows:
        return flows_of(built, gained, first_year, capital_ratio=capital_ratio, running_ratio=running_ratio)

    dearer = [_times(item, _DEARER) for item in works]
    record = [_times(item, 1.0 + item.overrun_share) for item in works]
    worst = [_times(item, 1.0 + item.overrun_high_share) for item in works]
    late = max((math.ceil(item.delay_share * item.build_year_count) for item in works), default=0)
    very_late = max((math.ceil(item.delay_high_share * item.build_year_count) for item in works), default=0)
    return {
        "as_stated": made(works, benefit),
        "cost_up_20": made(dearer, benefit),
        "benefits_down_20": made(works, _LESS * benefit),
        "two_years_late": made(works, later(benefit, _LATE_YEARS)),
        "slow_ramp_up": made(works, ramped(benefit, opened)),
        "all_together": made(dearer, later(ramped(_LESS * benefit, opened), _LATE_YEARS)),
        "class_mean": made(record, later(benefit, late)),
        "class_p80": made(worst, later(benefit, very_late)),
        "class_delay": made(works, later(benefit, very_late)),
        "cost_low": made([_times(item, item.low_musd / item.capital_musd if item.capital_musd else 1.0) for item in works], benefit),
        "cost_high": made([_times(item, item.high_musd / item.capital_musd if item.capital_musd else 1.0) for item in works], benefit),
    }


def _times(works: Works, factor: float) -> Works:
    return replace(works, capital_musd=works.capital_musd * factor, running_musd_per_year=works.running_musd_per_year * factor)


@dataclass(frozen=True)
class Loan:
    """How a sponsor borrows: part of the capital, at a real rate, paid back in equal yearly sums after building."""

    share: float
    rate: float
    years: int


def debt_cover(income: FloatArray, capital_musd: float, loan: Loan, opened: int) -> float | None:
    """Least income of a year over what it owes in it, in the years of the loan; None without debt.

    Args:
        income: Income before debt by year, million USD, shape (years,).
        capital_musd: Capital cost.
        loan: The loan.
        opened: Place of the first year of paying back.
    """
    debt = loan.share * capital_musd
    if not debt > 0.0 or opened >= income.shape[0]:
        return None
    factor = (1.0 - (1.0 + loan.rate) ** -loan.years) / loan.rate if loan.rate > 0.0 else float(loan.years)
    return float(income[opened : opened + loan.years].min()) * factor / debt


def grant_to_hurdle(flows: FloatArray, hurdle: float) -> float:
    """Grant in the first year that lifts a sponsor's return to the hurdle, million USD; zero if it is there already."""
    return max(-net_present_value(flows, hurdle), 0.0)


def nash_split(gains: FloatArray, contributions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What partners end up with if they share what they gain together equally beyond what each has apart, and the payments that do it.

    Args:
        gains: What each gains from the plan itself, present, shape (partners,).
        contributions: What each pays in, present, shape (partners,).

    Returns:
        Net gain of each after payments, and payment received (below zero: made), each of shape (partners,); payments add up to zero.

    Source:
        Nash (1950), The bargaining problem, Econometrica 18(2): with money that can change hands and nothing done as the alternative.
    """
    own = np.asarray(gains, dtype=np.float64) - np.asarray(contributions, dtype=np.float64)
    each = np.full(own.shape[0], own.sum() / own.shape[0])
    return each, each - own
