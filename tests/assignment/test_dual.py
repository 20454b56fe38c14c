"""The bounded Newton step and its slow twin."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.assignment import _kernels
from karvan.assignment.dual import bounded_step


@pytest.mark.parametrize("seed", range(20))
def test_bounded_step_meets_its_conditions(seed: int) -> None:
    chance = np.random.default_rng(seed)
    size = int(chance.integers(1, 12))
    root = chance.normal(size=(size, size))
    hessian = root @ root.T + 1e-3 * np.eye(size)
    gradient = chance.normal(size=size)
    now = np.where(chance.random(size) < 0.4, 0.0, chance.uniform(0.0, 1.0, size))
    lower, upper = np.zeros(size), now + chance.uniform(0.1, 2.0, size)
    value = now + bounded_step(hessian, gradient, now, lower, upper)
    slope = gradient + hessian @ (value - now)
    assert np.all(value >= lower - 1e-12)
    assert np.all(value <= upper + 1e-12)
    inside = (value > lower + 1e-9) & (value < upper - 1e-9)
    assert slope[inside] == pytest.approx(np.zeros(int(inside.sum())), abs=1e-8)
    assert np.all(slope[value <= lower + 1e-9] >= -1e-8)
    assert np.all(slope[value >= upper - 1e-9] <= 1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_sweeps_find_the_same_step(seed: int) -> None:
    chance = np.random.default_rng(seed)
    root = chance.normal(size=(6, 6))
    hessian, gradient = root @ root.T + np.eye(6), chance.normal(size=6)
    lower, upper = np.full(6, -0.2), np.full(6, 0.3)
    move = np.zeros(6)
    _kernels.bounded_sweeps(hessian, gradient, lower, upper, move, 5000, 1e-14)
    assert move == pytest.approx(bounded_step(hessian, gradient, np.zeros(6), lower, upper), abs=1e-9)
