"""How a joint profit is shared."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]


def bargained(alone: FloatArray, joint: float, weights: FloatArray | None = None) -> FloatArray:
    """Nash bargaining: everybody gets what he has alone, and the surplus is shared by bargaining weights.

    Args:
        alone: Profit of each member without agreement, shape (members,).
        joint: Profit of all together.
        weights: Bargaining weights, above zero; equal by default.

    Raises:
        DataError: Together they earn less than alone, or a weight is not above zero.

    Source:
        Nash (1950), The bargaining problem, Econometrica 18.
    """
    part = np.ones(alone.shape[0]) if weights is None else np.asarray(weights, dtype=np.float64)
    if part.shape != alone.shape or not (part > 0.0).all():
        raise DataError(Problem("tariffs", None, "weights", "must be above zero, one for each member"))
    surplus = joint - float(alone.sum())
    if surplus < -1e-9 * max(abs(joint), 1.0):
        raise DataError(Problem("tariffs", None, "joint", f"is {joint:.6g}, less than the {alone.sum():.6g} that members earn alone"))
    found: FloatArray = alone + part / part.sum() * surplus
    return found


def shapley(value: Callable[[frozenset[int]], float], members: int) -> FloatArray:
    """Shapley value: what each member adds, as a mean over the orders in which they may come.

    Args:
        value: Profit of a group of members on its own; nobody's is zero.
        members: How many there are.

    Source:
        Shapley (1953), A value for n-person games, Contributions to the Theory of Games II.
    """
    known = {frozenset(group): value(frozenset(group)) for size in range(members + 1) for group in combinations(range(members), size)}
    found = np.zeros(members)
    for member in range(members):
        for group, worth in known.items():
            if member not in group:
                weight = math.factorial(len(group)) * math.factorial(members - len(group) - 1) / math.factorial(members)
                found[member] += weight * (known[group | {member}] - worth)
    return found


def side_payments(earned: FloatArray, agreed: FloatArray) -> FloatArray:
    """What each member has to be paid, beyond what it earns itself, to get what was agreed; they add up to zero.

    Args:
        earned: Profit of each member under the common tariff, before payments, shape (members,).
        agreed: What each should have, with the same sum, shape (members,).

    Raises:
        DataError: The sums differ.
    """
    if abs(float(earned.sum() - agreed.sum())) > 1e-9 * max(1.0, float(np.abs(earned).sum())):
        raise DataError(Problem("tariffs", None, "agreed", f"adds up to {agreed.sum():.6g}, must add up to the {earned.sum():.6g} earned"))
    found: FloatArray = agreed - earned
    return found
