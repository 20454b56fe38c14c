"""Plans held against each other on the same futures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NEAR_SHARE = 0.05
"""A plan does well enough in a future if it misses the best by no more than this share of the best."""
ALIKE_MUSD = 1e-6
"""Two plans are alike in a future if their outcomes differ by no more than this, a dollar where money is in millions."""


@dataclass(frozen=True)
class Regret:
    """What choosing a plan costs when the future turns out otherwise.

    Attributes:
        worst: Largest regret of each plan, shape (plans,).
        p90: Regret that one future in ten exceeds, shape (plans,).
        mean: Mean regret, shape (plans,).
        best_share: Share of futures in which no plan is better, shape (plans,); of plans that are alike each counts.
        near_share: Share of futures in which it is within NEAR_SHARE of the best, shape (plans,).
        least: Least outcome of each plan, shape (plans,).
        minimax: Plan with the least largest regret.
        maximin: Plan whose least outcome is best.
    """

    worst: FloatArray
    p90: FloatArray
    mean: FloatArray
    best_share: FloatArray
    near_share: FloatArray
    least: FloatArray
    minimax: int
    maximin: int


def regret_of(worth: FloatArray) -> Regret:
    """Regret R = best - own by future, and what follows.

    Args:
        worth: Of each plan in each future, more is better, shape (plans, futures).

    Source:
        Savage (1951), Journal of the American Statistical Association 46, for minimax regret; Wald (1950) for maximin; satisficing as in
        Lempert, Popper & Bankes (2003), Shaping the next one hundred years.
    """
    best = worth.max(axis=0)
    regret = best - worth
    is_near = regret <= NEAR_SHARE * np.abs(best)
    worst = regret.max(axis=1)
    least = worth.min(axis=1)
    return Regret(
        worst=worst,
        p90=np.quantile(regret, 0.9, axis=1),
        mean=regret.mean(axis=1),
        best_share=(regret <= ALIKE_MUSD).mean(axis=1),
        near_share=is_near.mean(axis=1),
        least=least,
        minimax=int(np.argmin(worst)),
        maximin=int(np.argmax(least)),
    )
