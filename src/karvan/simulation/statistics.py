"""What replications say: how long to warm up, how sure a mean is, how many more are needed, and whether one design beats another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

FloatArray = npt.NDArray[np.float64]
_BATCH = 5


@dataclass(frozen=True)
class Interval:
    """A mean of replications and how sure it is.

    Attributes:
        mean: Mean over replications.
        half_width: Half the width of its interval; infinite for one replication.
        sd: Standard deviation between replications.
        count: Replications.
        confidence: Share of such intervals that hold the true mean.
    """

    mean: float
    half_width: float
    sd: float
    count: int
    confidence: float

    @property
    def low(self) -> float:
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        return self.mean + self.half_width

    def holds(self, value: float) -> bool:
        """The value lies inside."""
        return self.low <= value <= self.high


def interval(values: Sequence[float] | FloatArray, *, confidence: float = 0.95) -> Interval:
    """Interval of the mean of independent replications by Student's t.

    Args:
        values: One for each replication.
        confidence: Share of such intervals that hold the true mean.
    """
    found = np.asarray(values, dtype=np.float64)
    count = found.shape[0]
    if count < 2:
        return Interval(float(found.mean()), math.inf, math.nan, count, confidence)
    sd = float(found.std(ddof=1))
    half = float(stdtrit(count - 1, 0.5 + confidence / 2.0)) * sd / math.sqrt(count)
    return Interval(float(found.mean()), half, sd, count, confidence)


def paired(first: Sequence[float] | FloatArray, second: Sequence[float] | FloatArray, *, confidence: float = 0.95) -> Interval:
    """Interval of the mean difference of two designs that saw the same chance, first less second, replication by replication."""
    return interval(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64), confidence=confidence)


def replications_for(pilot: Interval, share: float) -> int:
    """Replications after which half the interval is at most a share of the mean: (t s / (share mean))^2, t of the pilot.

    Source:
        Law (2015), Simulation Modeling and Analysis, 5th ed., section 9.4.1.
    """
    if pilot.count < 2 or pilot.mean == 0.0:
        return pilot.count
    quantile = float(stdtrit(pilot.count - 1, 0.5 + pilot.confidence / 2.0))
    return max(pilot.count, math.ceil((quantile * pilot.sd / (share * abs(pilot.mean))) ** 2))


def mser5(series: FloatArray) -> int:
    """How many values at the start of a series to leave out: those whose removal makes the rest's mean surest, by means of fives.

    Args:
        series: Values in order, shape (values,).

    Returns:
        A multiple of five, at most half the values.

    Source:
        White, Cobb and Spratt (2000), A comparison of five steady-state truncation heuristics for simulation (MSER-5).
    """
    batches = series.shape[0] // _BATCH
    if batches < 4:
        return 0
    means = series[: batches * _BATCH].reshape(batches, _BATCH).mean(axis=1)
    behind = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    left = batches - np.arange(batches)
    spread = np.maximum(squares - behind**2 / left, 0.0) / left.astype(np.float64) ** 2
    return _BATCH * int(np.argmin(spread[: batches // 2 + 1]))


def warm_up(series: FloatArray, *, season: int | None = None) -> int:
    """How many samples to leave out at the start, from a pilot's mean series; a season is taken off first.

    Args:
        series: Mean over replications of what is inside, shape (samples,).
        season: Samples after which the season comes back; the same samples of later seasons are then taken off the first.
    """
    if season is None or series.shape[0] < 2 * season:
        return mser5(series)
    seasons = series.shape[0] // season
    later = series[season : seasons * season].reshape(seasons - 1, season).mean(axis=0)
    return mser5(series[:season] - later)
