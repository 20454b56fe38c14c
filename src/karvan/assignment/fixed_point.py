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
# In a row of damped steps a component that overshot goes this much less far, any other this much farther.
_SHORTER = 0.5
_LONGER = 1.3


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
    """Find x = F(x) between bounds by Anderson acceleration, falling back on damped steps where that does not help.

    An accelerated step mixes the points remembered so that, were F linear, the distance F(x) - x would be least. When one comes no nearer
    than the best point, as many damped steps as the memory is deep go from that point part of the way to the image: half of it at first,
    by component less after each overshoot and more after none. Then acceleration is tried again.

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
        iterations; steps by component as in Riedmiller & Braun (1993), A direct adaptive method for faster backpropagation learning.
    """
    options = options or FixedPointOptions()
    now = best = _evaluation(function, np.clip(np.array(start, dtype=np.float64), lower, upper), options)
    memory, part = [now], np.full(now.point.shape[0], options.damping)
    iterations, damped_left = 1, 0
    while best.residual > 1.0 and np.isfinite(best.residual) and iterations < options.max_iterations:
        is_damped = damped_left > 0
        target = now.point + part * now.step if is_damped else _accelerated(memory, now)
        new = _evaluation(function, np.clip(target, lower, upper), options)
        iterations += 1
        _log.debug("evaluation %d: residual %.3g, damped %s", iterations, new.residual, is_damped)
        is_nearer, has_value = new.residual < best.residual, bool(np.isfinite(new.residual))
        if is_nearer:
            best = new
        if has_value:
            memory = [*memory, new][-options.depth - 1 :]
        if is_damped:
            overshot = new.step * now.step < 0.0 if has_value else np.ones_like(part, dtype=np.bool_)
            part = np.where(overshot, part * _SHORTER, np.minimum(part * _LONGER, 1.0))
            damped_left = max(damped_left - 1, 0 if is_nearer else 1)
        elif not is_nearer:
            damped_left = options.depth
        now = new if is_nearer or (is_damped and has_value) else best
    return FixedPoint(best.point, is_converged=best.residual <= 1.0, iterations=iterations, residual=best.residual)


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


@dataclass(frozen=True)
class _Evaluation:
    """A point, the step from it, and the largest F(x) - x over what is accepted, infinity where F has no value."""

    point: FloatArray
    step: FloatArray
    residual: float


def _evaluation(
    function: Callable[[FloatArray], FloatArray],
    point: FloatArray,
    options: FixedPointOptions,
) -> _Evaluation:
    step = function(point) - point
    if not np.isfinite(step).all():
        return _Evaluation(point, step, float("inf"))
    accepted = np.maximum(options.relative * np.abs(point), options.absolute)
    residual = float((np.abs(step) / accepted).max(initial=0.0))
    return _Evaluation(point, step, residual)


def _accelerated(memory: list[_Evaluation], now: _Evaluation) -> FloatArray:
    """The mixture of the images remembered whose step, were F linear, is least; the image itself while there is no other."""
    others = [item for item in memory if item is not now]
    if not others:
        return now.point + now.step
    moves = np.column_stack([item.point - now.point for item in others])
    turns = np.column_stack([item.step - now.step for item in others])
    weight = np.linalg.lstsq(turns, -now.step, rcond=_RANK_SHARE)[0]
    return np.asarray(now.point + now.step + (moves + turns) @ weight, dtype=np.float64)
