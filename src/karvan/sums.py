"""Sums with the same digits on any machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def weighted_sum(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Sum of values times weights; a linear algebra library would share a long one among as many threads as the machine has."""
    return float((values * weights).sum())
