"""When enough is known: `p90(corridor_mt[2030]) within 2%`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]

_FORM = re.compile(r"\s*(p\d{1,2}|mean)\((\w+)\[(\d{4})\]\)\s+within\s+([\d.]+)\s*(%?)\s*")
_Z = 1.959963984540054
"""Of a two-sided interval of 95%."""
_LEAST = 64
_SURE = 0.975
"""Of one end of such an interval."""


@dataclass(frozen=True)
class Until:
    """A statistic and how well it must be known.

    Attributes:
        statistic: `mean`, or `p` and a percentage.
        metric, year: Of what.
        within: Half width of its 95% interval, as a share of it or, if `is_share` is false, in its own unit.
        is_share: See `within`.
    """

    statistic: str
    metric: str
    year: int
    within: float
    is_share: bool

    @property
    def column(self) -> str:
        """Column of the futures."""
        return f"{self.metric}_{self.year}"

    @property
    def least(self) -> int:
        """Futures below which it is not known at all: none may lie beyond the statistic, so that its interval has no end."""
        if self.statistic == "mean":
            return _LEAST
        share = int(self.statistic[1:]) / 100.0
        return max(_LEAST, runs_for(max(share, 1.0 - share), _SURE))

    def is_met(self, values: FloatArray) -> bool:
        """Whether so many futures are enough.

        Args:
            values: The metric in each future that did not fail.
        """
        if values.shape[0] < self.least:
            return False
        value, low, high = interval(values, self.statistic)
        half = max(high - value, value - low)
        return half <= (self.within * abs(value) if self.is_share else self.within)


def until_of(text: str, *, metrics: tuple[str, ...], years: tuple[int, ...]) -> Until:
    """Read `p90(corridor_mt[2030]) within 2%`.

    Args:
        text: It.
        metrics, years: Those there are.

    Raises:
        DataError: It reads otherwise, or names what there is not.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise DataError(Problem("--until", None, None, f"{text} must read like: p90(corridor_mt[2030]) within 2%"))
    statistic, metric, year, within, sign = found.groups()
    if metric not in metrics:
        raise DataError(Problem("--until", None, None, f"there is no {metric}; give one of {', '.join(metrics)}"))
    if int(year) not in years:
        raise DataError(Problem("--until", None, None, f"{year} is not among the years {years[0]} to {years[-1]}"))
    if statistic != "mean" and not 0 < int(statistic[1:]) < 100:
        raise DataError(Problem("--until", None, None, f"{statistic} must lie between p1 and p99"))
    try:
        width = float(within) / (100.0 if sign else 1.0)
    except ValueError as error:
        raise DataError(Problem("--until", None, None, f"{within} must be a number")) from error
    if width <= 0.0:
        raise DataError(Problem("--until", None, None, f"{within} must be above zero"))
    return Until(statistic, metric, int(year), width, sign == "%")


def interval(values: FloatArray, statistic: str) -> tuple[float, float, float]:
    """A statistic of a sample and its 95% interval.

    That of a quantile is between two values of the sample and takes no shape for granted; it holds for independent draws, and is wide for
    the more even ones of a design.

    Args:
        values: The sample.
        statistic: `mean`, or `p` and a percentage.

    Source:
        Conover (1999), Practical nonparametric statistics, 3.2, with the normal approximation of the binomial.
    """
    count = values.shape[0]
    if statistic == "mean":
        mean = float(values.mean())
        half = _Z * float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
        return mean, mean - half, mean + half
    share = int(statistic[1:]) / 100.0
    ordered = np.sort(values)
    spread = _Z * math.sqrt(count * share * (1.0 - share))
    first, last = math.floor(count * share - spread), math.ceil(count * share + spread)
    low = float(ordered[first - 1]) if first >= 1 else -math.inf
    high = float(ordered[last - 1]) if last <= count else math.inf
    return float(np.quantile(ordered, share)), low, high


def share_interval(successes: int, count: int) -> tuple[float, float, float]:
    """A share and its 95% interval.

    Source:
        Wilson (1927), Journal of the American Statistical Association 22.
    """
    if count == 0:
        return math.nan, 0.0, 1.0
    share = successes / count
    base = 1.0 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / base
    half = _Z / base * math.sqrt(share * (1.0 - share) / count + _Z**2 / (4.0 * count**2))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def checkpoints(count: int) -> list[int]:
    """Numbers of futures after which it is asked whether they are enough: they do not depend on who finishes first."""
    found, step = [], _LEAST
    while step < count:
        found += [step, step + step // 2]
        step *= 2
    return [*(value for value in found if value < count), count]


def runs_for(coverage: float, confidence: float) -> int:
    """Runs whose largest value is, so surely, above so much of what can be: 59 for 95% and 95%.

    Source:
        Wilks (1941), Annals of Mathematical Statistics 12(1).
    """
    return math.ceil(math.log(1.0 - confidence) / math.log(coverage))
