"""When does a plan fail: the box of factors that holds most failures and little else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_PEEL_SHARE = 0.05
_LEAST_MASS = 0.05


@dataclass(frozen=True)
class Box:
    """Limits on some dimensions.

    Attributes:
        low, high: Limits, 0 and 1 where a dimension has none, shape (dimensions,).
        coverage: Share of all failures in the box.
        density: Share of failures among the futures in the box.
        mass: Share of all futures in the box.
    """

    low: FloatArray
    high: FloatArray
    coverage: float
    density: float
    mass: float


def failure_box(points: FloatArray, is_failure: BoolArray, *, most_limits: int = 4) -> Box | None:
    """Peel the cube a twentieth at a time from the side that raises the density of failures most.

    Of the boxes on the way the one is taken whose coverage and density have the largest harmonic mean; limits are then taken off, the
    least needed first, until `most_limits` dimensions have one.

    Args:
        points: Positions from 0 to 1, shape (futures, dimensions).
        is_failure: shape (futures,).
        most_limits: Most dimensions with a limit.

    Returns:
        The box, or None if there are no failures or nothing else.

    Source:
        Friedman & Fisher (1999), Statistics and Computing 9; Bryant & Lempert (2010), Technological Forecasting and Social Change 77.
    """
    failures = int(is_failure.sum())
    if failures == 0 or failures == is_failure.shape[0]:
        return None
    dimensions = points.shape[1]
    low, high = np.zeros(dimensions), np.ones(dimensions)
    best = (_score(points, is_failure, low, high), low.copy(), high.copy())
    while True:
        inside = _inside(points, low, high)
        if inside.mean() <= _LEAST_MASS:
            break
        step = _peel(points[inside], is_failure[inside], low, high)
        if step is None:
            break
        low, high = step
        score = _score(points, is_failure, low, high)
        if score > best[0]:
            best = (score, low.copy(), high.copy())
    _, low, high = best
    while int(((low > 0.0) | (high < 1.0)).sum()) > most_limits or _drops_free(points, is_failure, low, high):
        limited = np.flatnonzero((low > 0.0) | (high < 1.0))
        if limited.shape[0] == 0:
            break
        without = []
        for dimension in limited:
            lower, upper = low.copy(), high.copy()
            lower[dimension], upper[dimension] = 0.0, 1.0
            without.append((_score(points, is_failure, lower, upper), -int(dimension), lower, upper))
        _, _, low, high = max(without, key=lambda item: item[:2])
    inside = _inside(points, low, high)
    caught = int((inside & is_failure).sum())
    return Box(low, high, caught / failures, caught / int(inside.sum()), float(inside.mean()))


def _inside(points: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    return np.asarray(((points >= low) & (points <= high)).all(axis=1), dtype=np.bool_)


def _score(points: FloatArray, is_failure: BoolArray, low: FloatArray, high: FloatArray) -> float:
    """Harmonic mean of coverage and density."""
    inside = _inside(points, low, high)
    caught = float((inside & is_failure).sum())
    return 2.0 * caught / float(inside.sum() + is_failure.sum())


def _drops_free(points: FloatArray, is_failure: BoolArray, low: FloatArray, high: FloatArray) -> bool:
    """Whether a limit can be taken off without loss."""
    own = _score(points, is_failure, low, high)
    for dimension in np.flatnonzero((low > 0.0) | (high < 1.0)):
        lower, upper = low.copy(), high.copy()
        lower[dimension], upper[dimension] = 0.0, 1.0
        if _score(points, is_failure, lower, upper) >= own:
            return True
    return False


def _peel(points: FloatArray, is_failure: BoolArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """The box with its best twentieth taken off, None if nothing can be."""
    best: tuple[float, FloatArray, FloatArray] | None = None
    for dimension in range(points.shape[1]):
        values = points[:, dimension]
        for is_low in (True, False):
            edge = float(np.quantile(values, _PEEL_SHARE if is_low else 1.0 - _PEEL_SHARE))
            kept = values > edge if is_low else values < edge
            if not kept.any() or kept.all():
                continue
            density = float(is_failure[kept].mean())
            if best is None or density > best[0] + 1e-12:
                lower, upper = low.copy(), high.copy()
                (lower if is_low else upper)[dimension] = float(values[kept].min() if is_low else values[kept].max())
                best = (density, lower, upper)
    return None if best is None else best[1:]
