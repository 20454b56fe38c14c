"""Sums over years: present values, rates of return, and when to start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.optimize

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]

_LEAST_RATE, _MOST_RATE = -0.99, 10.0
_RATES = 2000


def _factors(rate: float, count: int) -> FloatArray:
    if not rate > -1.0:
        raise DataError(Problem("appraisal", None, "rate", f"is {rate:g}, must be above -1"))
    found: FloatArray = (1.0 + rate) ** -np.arange(count, dtype=np.float64)
    return found


def annuity_factor(rate: float, years: int) -> float:
    """Present value of 1 at the end of each of some years."""
    return float(_factors(rate, years + 1)[1:].sum())


def net_present_value(flows: FloatArray, rate: float) -> float:
    """Value, in the first year, of what comes (above zero) and goes (below it) in each year, the first undiscounted."""
    return float((np.asarray(flows, dtype=np.float64) * _factors(rate, len(flows))).sum())


def internal_rate(flows: FloatArray) -> float | None:
    """Rate at which flows are worth nothing; None where there is none, or more than one between -99% and 1000%."""
    rates = np.expm1(np.linspace(np.log1p(_LEAST_RATE), np.log1p(_MOST_RATE), _RATES))
    values = np.array([net_present_value(flows, rate) for rate in rates])
    turns = np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1]))
    if turns.shape[0] != 1:
        return None
    low, high = rates[turns[0]], rates[turns[0] + 1]
    return float(scipy.optimize.brentq(lambda rate: net_present_value(flows, rate), low, high, xtol=1e-14))


def benefit_cost_ratio(benefits: FloatArray, costs: FloatArray, rate: float) -> float | None:
    """Present benefits over present costs, both above zero; None without costs."""
    spent = net_present_value(costs, rate)
    return net_present_value(benefits, rate) / spent if spent > 0.0 else None


def payback_years(flows: FloatArray, rate: float = 0.0) -> int | None:
    """Years until discounted flows have added up to zero for good; None if they never do."""
    total = np.cumsum(np.asarray(flows, dtype=np.float64) * _factors(rate, len(flows)))
    below = np.flatnonzero(total < 0.0)
    if below.shape[0] == 0:
        return 0
    last = int(below[-1])
    return last + 1 if last + 1 < total.shape[0] else None


def switching_factor(flows: FloatArray, of_interest: FloatArray, rate: float) -> float | None:
    """Factor on some of the flows, all else unchanged, at which the net present value is zero; None if they are worth nothing."""
    part = net_present_value(of_interest, rate)
    return 1.0 - net_present_value(flows, rate) / part if part != 0.0 else None


def rule_of_half(before_kt: float, after_kt: float, before_usd_per_t: float, after_usd_per_t: float) -> float:
    """Gain of shippers if demand were a straight line, kUSD; not to be used across a change of capacity, where it fails."""
    return 0.5 * (before_kt + after_kt) * (before_usd_per_t - after_usd_per_t)


def best_start(benefit: FloatArray, cost: float, rate: float) -> int | None:
    """First year in which waiting another one loses more than it saves: benefit at least r C / (1 + r), the project lasting for ever.

    Benefits must not fall from year to year, else the first such year need not be the best.

    Raises:
        DataError: Benefits fall.
    """
    values = np.asarray(benefit, dtype=np.float64)
    if (np.diff(values) < 0.0).any():
        raise DataError(Problem("appraisal", None, "benefit", "falls from one year to the next; compare present values instead"))
    worth = np.flatnonzero(values >= rate * cost / (1.0 + rate))
    return int(worth[0]) if worth.shape[0] else None
