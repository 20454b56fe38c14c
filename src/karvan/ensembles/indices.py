"""Which uncertainty matters: indices from the very futures that were run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MOST_BINS = 64


def bins_of(position: FloatArray) -> IntArray:
    """Bin of each future by one dimension, as many bins as there are futures in each, shape (futures,)."""
    count = position.shape[0]
    bins = int(np.clip(np.sqrt(count), 2, _MOST_BINS))
    rank = np.argsort(np.argsort(position, kind="stable"), kind="stable")
    return np.asarray(rank * bins // count, dtype=np.int64)


def first_order(points: FloatArray, outcome: FloatArray) -> FloatArray:
    """First-order Sobol index of each dimension from any sample: variance of the mean by bins, over variance, less what chance gives.

    Args:
        points: shape (futures, dimensions).
        outcome: shape (futures,).

    Returns:
        At least 0, shape (dimensions,).

    Source:
        Plischke, Borgonovo & Smith (2013), European Journal of Operational Research 226; the correction is epsilon squared of Kelley
        (1935), PNAS 21.
    """
    total = float(((outcome - outcome.mean()) ** 2).sum())
    found = np.zeros(points.shape[1])
    if outcome.shape[0] < 4 or total <= 0.0:
        return found
    for dimension in range(points.shape[1]):
        of = bins_of(points[:, dimension])
        count = np.bincount(of)
        mean = np.bincount(of, weights=outcome) / count
        between = float((count * (mean - outcome.mean()) ** 2).sum())
        free = outcome.shape[0] - count.shape[0]
        found[dimension] = (between - (count.shape[0] - 1) * (total - between) / free) / total if free > 0 else 0.0
    return np.maximum(found, 0.0)


def chance_share(count: int, dimensions: int, *, level: float = 0.05) -> float:
    """What `first_order` gives to the luckiest of so many dimensions that explain nothing, exceeded with a chance of at most `level`.

    By the F distribution of the variance between bins over that within them, for each dimension at `level` over their number
    (Bonferroni), as if outcomes were normal.

    Args:
        count: Futures.
        dimensions: Unknowns that were looked at.
        level: Chance that one of them is taken for a driver although none is.
    """
    bins = int(np.clip(np.sqrt(count), 2, _MOST_BINS))
    free = count - bins
    if free <= 0:
        return 1.0
    ratio = float(stats.f.isf(level / dimensions, bins - 1, free))
    return (bins - 1) * (ratio - 1.0) / ((bins - 1) * ratio + free)


def one_after_another(points: FloatArray, outcome: FloatArray, *, level: float = 0.05) -> tuple[FloatArray, float]:
    """What a straight line on each dimension explains beyond those that explain more, the best first, until the next may be chance.

    For fewer futures than a few times the dimensions: dimensions of a design look alike in so few points, so that `first_order` finds in
    several what belongs to one; here each has only what those before it leave.

    Args:
        points: shape (futures, dimensions).
        outcome: shape (futures,).
        level: Chance that a dimension is taken for a driver although none is left.

    Returns:
        Share of the variance of each dimension, 0 where it is not taken, shape (dimensions,); and what chance gives to the luckiest.

    Source:
        Forward selection; the largest of so many correlations under normality, Bonferroni.
    """
    futures, dimensions = points.shape
    found = np.zeros(dimensions)
    if futures < 4:
        return found, 1.0
    ratio = float(stats.f.isf(level / dimensions, 1, futures - 2))
    by_chance = ratio / (ratio + futures - 2)
    left = points - points.mean(axis=0)
    rest = outcome - outcome.mean()
    total = float(rest @ rest)
    size = np.einsum("ij,ij->j", left, left)
    least = 1e-9 * size
    while total > 0.0:
        now = np.einsum("ij,ij->j", left, left)
        gained = np.where(now > least, (rest @ left) ** 2 / np.maximum(now, 1e-300), 0.0) / total
        best = int(gained.argmax())
        if gained[best] <= by_chance * float(rest @ rest) / total or found[best] > 0.0:
            break
        found[best] = gained[best]
        along = left[:, best] / np.sqrt(now[best])
        rest = rest - along * float(along @ rest)
        left = left - np.outer(along, along @ left)
    return found, by_chance


def ends(points: FloatArray, outcome: FloatArray) -> FloatArray:
    """Mean outcome in the lowest and highest fifth of each dimension, shape (dimensions, 2)."""
    found = np.zeros((points.shape[1], 2))
    most = max(1, outcome.shape[0] // 5)
    for dimension in range(points.shape[1]):
        order = np.argsort(points[:, dimension], kind="stable")
        found[dimension] = outcome[order[:most]].mean(), outcome[order[-most:]].mean()
    return found


def partial_information(points: FloatArray, worth: FloatArray) -> FloatArray:
    """Value of knowing one dimension before choosing a plan, in the unit of the worth, shape (dimensions,).

    Args:
        points: shape (futures, dimensions).
        worth: Of each plan in each future, shape (plans, futures).

    Source:
        Strong & Oakley (2013), Medical Decision Making 33(6).
    """
    now = worth.mean(axis=1).max()
    found = np.zeros(points.shape[1])
    for dimension in range(points.shape[1]):
        of = bins_of(points[:, dimension])
        count = np.bincount(of)
        mean = np.stack([np.bincount(of, weights=plan) / count for plan in worth])
        found[dimension] = float((mean.max(axis=0) * count).sum() / of.shape[0] - now)
    return np.maximum(found, 0.0)


def full_information(worth: FloatArray) -> float:
    """Value of knowing the future before choosing a plan: mean of the best less the best mean. `worth` has shape (plans, futures)."""
    return float(worth.max(axis=0).mean() - worth.mean(axis=1).max())
