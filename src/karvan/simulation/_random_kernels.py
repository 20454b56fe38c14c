"""Compiled draws: every stream of chance is a function of a key and a count, so that streams never touch each other.

Counts and words are plain whole numbers of 32 bits; nothing here overflows where compilation is off, and where it is on the bits that
are kept are the same.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

CONSTANT, EXPONENTIAL, ERLANG, LOGNORMAL = 1, 2, 3, 4
"""Laws of durations; 0 is no time at all."""
_WORD = 0xFFFFFFFF


@njit(cache=True, nogil=True)
def philox(count: int, stream: int, key: int) -> tuple[int, int]:
    """Two words of 32 bits for a count, a stream and a key, each of 32 bits.

    Source:
        Philox2x32-10 of Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
    """
    low, high, turning = count, stream, key
    for _ in range(10):
        product = 0xD256D193 * low
        low, high = ((product >> 32) & _WORD) ^ turning ^ high, product & _WORD
        turning = (turning + 0x9E3779B9) & _WORD
    return low, high


@njit(cache=True, nogil=True)
def uniform(stream: int, key: int, counts: np.ndarray, row: int, column: int) -> float:
    """A number between 0 and 1, neither end included; counts[row, column] moves on by one."""
    count = counts[row, column]
    counts[row, column] = count + 1
    first, second = philox(int(count) & _WORD, int(stream), int(key))
    return ((first >> 6) * 67108864.0 + (second >> 6) + 0.5) / 4503599627370496.0


@njit(cache=True, nogil=True)
def draw(kind: int, mean: float, variability: float, stream: int, key: int, counts: np.ndarray, row: int, column: int) -> float:
    """A duration of a law.

    Args:
        kind: CONSTANT, EXPONENTIAL, ERLANG or LOGNORMAL; 0: no time.
        mean: Its mean.
        variability: Coefficient of variation, read by ERLANG (the nearest 1 / sqrt(k)) and LOGNORMAL.
        stream, key: Which stream of chance.
        counts: How many numbers streams have given.
        row, column: The stream's place there.
    """
    if kind == 0 or mean <= 0.0:
        return 0.0
    if kind == CONSTANT:
        return mean
    if kind == EXPONENTIAL:
        return -mean * math.log(uniform(stream, key, counts, row, column))
    if kind == ERLANG:
        phases = max(1, int(round(1.0 / (variability * variability))))
        total = 0.0
        for _ in range(phases):
            total -= math.log(uniform(stream, key, counts, row, column))
        return mean * total / phases
    spread = math.sqrt(math.log(1.0 + variability * variability))
    radius = math.sqrt(-2.0 * math.log(uniform(stream, key, counts, row, column)))
    normal = radius * math.cos(2.0 * math.pi * uniform(stream, key, counts, row, column))
    return mean * math.exp(spread * normal - 0.5 * spread * spread)
