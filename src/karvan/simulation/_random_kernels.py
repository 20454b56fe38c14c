"""Compiled draws: every stream of chance is a function of a key and a count, so that streams never touch each other.

Counts and words are plain whole numbers of 32 bits; nothing here overflows where compilation is off, and where it is on the bits that
are kept are the same.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numba import njit

CONSTANT, EXPONENTIAL, ERLANG, LOGNORMAL = 1, 2, 3, 4
"""Laws of durations; 0 is no time at all."""
_WORD = 0xFFFFFFFF

_Kernel = TypeVar("_Kernel")
_HOW: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def compiled(kernel: _Kernel) -> _Kernel:
    """Compile a part of the event loop. It allocates nothing, so that nobody need count who refers to an array (`_nrt`): that took a third
    of the time.
    """
    found: _Kernel = njit(**_HOW)(kernel)
    return found


def inlined(kernel: _Kernel) -> _Kernel:
    """The same for what is short or has one caller; arrays are many words to hand over."""
    found: _Kernel = njit(forceinline=True, **_HOW)(kernel)
    return found


@compiled
def philox(count: int, stream: int, key: int) -> tuple[int, int]:
    """Two words of 32 bits for a count, a stream and a key, each of 32 bits.

    Source:
        Philox2x32-7 of Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3; seven rounds are the fewest
        that pass all their tests.
    """
    low, high, turning = count, stream, key
    for _ in range(7):
        product = 0xD256D193 * low
        low, high = ((product >> 32) & _WORD) ^ turning ^ high, product & _WORD
        turning = (turning + 0x9E3779B9) & _WORD
    return low, high


@compiled
def uniform(stream: int, key: int, counts: np.ndarray, place: int) -> float:
    """A number between 0 and 1, neither end included; counts[place] moves on by one."""
    count = np.int64(counts[place])
    counts[place] = count + 1
    first, second = philox(int(count) & _WORD, int(np.int64(stream)), int(key))
    return ((first >> 6) * 67108864.0 + (second >> 6) + 0.5) / 4503599627370496.0


@compiled
def normal(share: float) -> float:
    """Quantile of the standard normal law, to a relative error of 1.2e-9.

    Source:
        Acklam (2003), An algorithm for computing the inverse normal cumulative distribution function.
    """
    if 0.02425 <= share <= 0.97575:
        middle = share - 0.5
        square = middle * middle
        fourth = square * square
        above = (-3.969683028665376e01 * square + 2.209460984245205e02) * fourth - 2.759285104469687e02 * square + 1.383577518672690e02
        below = (-5.447609879822406e01 * square + 1.615858368580409e02) * fourth - 1.556989798598866e02 * square + 6.680131188771972e01
        above = above * fourth - 3.066479806614716e01 * square + 2.506628277459239
        below = below * fourth - 1.328068155288572e01 * square + 1.0
        return above * middle / below
    tail = math.sqrt(-2.0 * math.log(min(share, 1.0 - share)))
    above = (-7.784894002430293e-03 * tail - 3.223964580411365e-01) * tail - 2.400758277161838
    above = ((above * tail - 2.549732539343734) * tail + 4.374664141464968) * tail + 2.938163982698783
    below = ((7.784695709041462e-03 * tail + 3.224671290700398e-01) * tail + 2.445134137142996) * tail + 3.754408661907416
    return above / (below * tail + 1.0) * (1.0 if share < 0.5 else -1.0)


@compiled
def draw(kind: int, scale: float, shape: float, stream: int, key: int, counts: np.ndarray, place: int) -> float:
    """A duration of a law, as `Law.scale` and `Law.shape` tell it.

    Args:
        kind: CONSTANT, EXPONENTIAL, ERLANG or LOGNORMAL; 0: no time.
        scale: The time of CONSTANT, the mean of EXPONENTIAL and of one phase of ERLANG, the median of LOGNORMAL.
        shape: Phases of ERLANG, standard deviation of the logarithm of LOGNORMAL.
        stream, key: Which stream of chance.
        counts: How many numbers streams have given.
        place: The stream's place there.
    """
    if kind == EXPONENTIAL:
        return -scale * math.log(uniform(stream, key, counts, place))
    if kind == LOGNORMAL:
        return scale * math.exp(shape * normal(uniform(stream, key, counts, place)))
    if kind == CONSTANT:
        return scale
    total = 0.0
    if kind == ERLANG:
        for _ in range(int(shape)):
            total -= math.log(uniform(stream, key, counts, place))
    return scale * total
