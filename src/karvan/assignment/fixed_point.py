"""A vector that a map leaves where it is: delays that agree with the flows they cause."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_log = logging.getLogger(__name__)

# Directions of the memory that are this much weaker than the strongest are rounding.
_RANK_SHARE = 1e-10
# The damping is applied at most this many times over.
_MOST_DAMPINGS = 8


@dataclass(frozen=True)
class FixedPointOptions:
    """How near and how long.

    Attributes:
        relative: Accepted |F(x) - x| as a share of |x|.
        absolute: Accepted |F(x) - x| where that share is less, in the unit of x, so that zeros can be met; 0.05 h by default.
        max_iterations: Most evaluations of the map.
        depth: Earlier points that Anderson acceleration remembers.
        damping: Part of the way from x to F(x) that is gone where acceleration did not help.
    """

    relative: float = 0.01
    absolute: float = 0.05
    max_iterations: int = 50
    depth: int = 5
    damping: float = 0.5


@dataclass(frozen=True)
class FixedPoint:
    """The best point found.

    Attributes:
        value: x, shape (n,). If it has converged, the map was last evaluated here.
        is_converged: Every |F(x) - x| is within what the options accept; if not, the value means nothing but how near it came.
        iterations: Evaluations of the map.
        residual: Largest |F(x) - x| over what is accepted there; 1 or less has converged.
    """

    value: FloatArray
    is_converged: bool
    iterations: int
    residual: float


@dataclass(frozen=True)
class TwoStarts:
    """Answers from two starts.

    Attributes:
        low: From the first start.
        high: From the second.
        largest_difference_share: Largest |low - high| as a share of the larger of the two, or of the size at which the absolute tolerance
            takes over from the relative one if that is more. Above 0.01 callers report it.
    """

    low: FixedPoint
    high: FixedPoint
    largest_difference_share: float


def solve_fixed_point(
    function: Callable[[FloatArray], FloatArray],
    start: FloatArray,
    *,
    lower: FloatArray,
    upper: FloatArray,
    options: FixedPointOptions | None = None,
) -> FixedPoint:
    """Find x = F(x) between bounds by Anderson acceleration, with damped steps from the best point wherever that did not help.

    Each step mixes the points remembered so that, were F linear, the distance F(x) - x would be least. After a step that came no nearer, the
    next goes from the best point so far part of the way to its image; every second failure in a row shortens that part again.

    Args:
        function: F, from shape (n,) to shape (n,).
        start: Where to begin, shape (n,).
        lower: Least value, shape (n,).
        upper: Largest value, shape (n,).
        options: Tolerances and limits.

    Returns:
        The best point found, flagged if it is none; never an average of points.

    Source:
        Anderson (1965), Iterative procedures for nonlinear integral equations; Walker & Ni (2011), Anderson acceleration for fixed-point
        iterations.
    """
    options = options or FixedPointOptions()
    point = np.clip(np.array(start, dtype=np.float64), lower, upper)
    memory: list[tuple[FloatArray, FloatArray]] = []
    best, best_residual, failures = 0, np.inf, 0
    for iteration in range(1, options.max_iterations + 1):
        step = function(point) - point
        residual = _residual(point, step, options)
        _log.debug("evaluation %d: residual %.3g", iteration, residual)
        if residual <= 1.0:
            return FixedPoint(point, is_converged=True, iterations=iteration, residual=residual)
        if not memory and not np.isfinite(residual):
            return FixedPoint(point, is_converged=False, iterations=iteration, residual=residual)
        memory.append((point, step))
        if residual < best_residual:
            best, best_residual, failures = len(memory) - 1, residual, 0
        else:
            failures += 1
        if len(memory) > options.depth + 1:
            oldest = 1 if best == 0 else 0
            del memory[oldest]
            best -= 1 if oldest < best else 0
        point = _next_point(memory, best, failures, lower, upper, options)
    return FixedPoint(memory[best][0], is_converged=False, iterations=options.max_iterations, residual=float(best_residual))


def solve_from_two_starts(
    function: Callable[[FloatArray], FloatArray],
    low_start: FloatArray,
    high_start: FloatArray,
    *,
    lower: FloatArray,
    upper: FloatArray,
    options: FixedPointOptions | None = None,
) -> TwoStarts:
    """Find x = F(x) from both ends, such as no delays and those of full facilities, to see whether the answer is the only one.

    Both are solved to a tenth of the tolerance, so that a difference above one hundredth is none of the solver's.

    Args:
        function: F, from shape (n,) to shape (n,).
        low_start: First start, shape (n,).
        high_start: Second start, shape (n,).
        lower: Least value, shape (n,).
        upper: Largest value, shape (n,).
        options: Tolerances and limits of a single solve.
    """
    options = options or FixedPointOptions()
    finer = replace(options, relative=options.relative / 10.0, absolute=options.absolute / 10.0)
    low = solve_fixed_point(function, low_start, lower=lower, upper=upper, options=finer)
    high = solve_fixed_point(function, high_start, lower=lower, upper=upper, options=finer)
    size = np.maximum(np.maximum(np.abs(low.value), np.abs(high.value)), options.absolute / options.relative)
    return TwoStarts(low, high, float((np.abs(low.value - high.value) / size).max(initial=0.0)))


def _residual(point: FloatArray, step: FloatArray, options: FixedPointOptions) -> float:
    """Largest |F(x) - x| over what is accepted; infinity where F has no value."""
    if not np.isfinite(step).all():
        return float("inf")
    return float((np.abs(step) / np.maximum(options.relative * np.abs(point), options.absolute)).max(initial=0.0))


def _next_point(
    memory: list[tuple[FloatArray, FloatArray]],
    best: int,
    failures: int,
    lower: FloatArray,
    upper: FloatArray,
    options: FixedPointOptions,
) -> FloatArray:
    """Where to evaluate the map next: the accelerated point, or a damped step from the best one after a failure."""
    point, step = memory[best]
    others = [pair for index, pair in enumerate(memory) if index != best and np.isfinite(pair[1]).all()]
    # Failures in a row take turns: a damped step, then acceleration with what that step taught.
    if others and failures % 2 == 0:
        moves = np.column_stack([other - point for other, _ in others])
        turns = np.column_stack([other - step for _, other in others])
        weight = np.linalg.lstsq(turns, -step, rcond=_RANK_SHARE)[0]
        mixed = np.clip(point + step + (moves + turns) @ weight, lower, upper)
        if not any(np.array_equal(mixed, known) for known, _ in memory):
            return mixed
    part = options.damping ** min((failures + 1) // 2, _MOST_DAMPINGS)
    return np.asarray(np.clip(point + part * step, lower, upper), dtype=np.float64)
