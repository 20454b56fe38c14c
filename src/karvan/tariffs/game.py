"""Margins of operators on consecutive legs: each for itself, all together, or for the good of all.

A market is a function of margins: it says what is carried, who earns the rent of what is full, and what shippers gain. Charges that a
regulator sets are costs inside it and no part of the game.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import scipy.optimize

from karvan.errors import ConvergenceError
from karvan.tariffs.splits import bargained

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_TRIES = 33
_MOST_ROUNDS = 200
_DAMPING = 0.7
_STILL_SHARE = 1e-9
_EPSILON_SHARE = 1e-7
_STEP_SHARE = 1e-6


@dataclass(frozen=True)
class Outcome:
    """What a market makes of margins.

    Attributes:
        carried_kt: Tonnes that pay each member, shape (members,).
        rent_kusd: What each member earns of the rent of places that are full, shape (members,).
        surplus_kusd: What shippers gain.
        is_full: Something on the way is full, so that members can split what goods pay there in many ways.
    """

    carried_kt: FloatArray
    rent_kusd: FloatArray
    surplus_kusd: float
    is_full: bool = False


Market = Callable[[FloatArray], Outcome]
"""From margins, USD/t, shape (members,)."""


@dataclass(frozen=True)
class Margins:
    """Margins and what they make.

    Attributes:
        margin_usd_per_t: shape (members,).
        profit_kusd: Margins and rent, shape (members,).
        outcome: What the market makes of them.
        gain_alone_kusd: Most that any one member could gain by another margin while all others keep theirs.
        is_split_chosen: Something is full, so that other splits of the same sum would hold as well; this one follows bargaining weights.
    """

    margin_usd_per_t: FloatArray
    profit_kusd: FloatArray
    outcome: Outcome
    gain_alone_kusd: float
    is_split_chosen: bool = False

    @property
    def welfare_kusd(self) -> float:
        """What shippers gain and members earn."""
        return self.outcome.surplus_kusd + float(self.profit_kusd.sum())


@dataclass(frozen=True)
class Alliance:
    """Some members who set one margin together while the others stay apart.

    Attributes:
        members: Who.
        profit_kusd: What they earn together.
        apart_kusd: What they earn together while everybody is alone.
    """

    members: tuple[int, ...]
    profit_kusd: float
    apart_kusd: float

    @property
    def is_stable(self) -> bool:
        """Joining does not lose."""
        return self.profit_kusd >= self.apart_kusd * (1.0 - _EPSILON_SHARE)


def nash_margins(market: Market, members: int, *, most_usd_per_t: float, weights: FloatArray | None = None) -> Margins:
    """Margins at which no member gains by another of its own, found by damped best responses.

    Where something on the way is full, members who raise their margins only take what goods pay there anyway, and many splits hold:
    each member then gets the least margin at which raising it further does not pay, and the rest by bargaining weights.

    Args:
        market: The market.
        members: How many there are.
        most_usd_per_t: Margins are sought between zero and this.
        weights: Bargaining weights; equal by default.

    Raises:
        ConvergenceError: Some member would still gain by more than a ten-millionth of all profit; `best` holds the margins.
    """
    margin = _rested(market, [[member] for member in range(members)], members, most_usd_per_t)
    outcome = market(margin)
    is_split = False
    if outcome.is_full:
        least = _least_margins(market, margin, outcome)
        if least.sum() <= margin.sum():
            margin, is_split = bargained(least, float(margin.sum()), weights), True
    return _certified(market, margin, most_usd_per_t, is_split=is_split)


def joint_margins(market: Market, shares: FloatArray, *, most_usd_per_t: float) -> Margins:
    """The through tariff that earns all members together most, sold as one; `shares` say how its margin is booked."""
    return _along(market, shares, most_usd_per_t, lambda outcome, profit: float(profit.sum()))


def welfare_margins(market: Market, shares: FloatArray, *, most_usd_per_t: float) -> Margins:
    """The through tariff at which shippers and members together have most."""
    return _along(market, shares, most_usd_per_t, lambda outcome, profit: outcome.surplus_kusd + float(profit.sum()))


def alliances(market: Market, members: int, *, most_usd_per_t: float) -> tuple[Alliance, ...]:
    """What every group of some, but not all, members earns if it sets one margin against the rest, smaller groups first."""
    apart = nash_margins(market, members, most_usd_per_t=most_usd_per_t).profit_kusd
    found = []
    for size in range(2, members):
        for group in combinations(range(members), size):
            blocks = [list(group), *([member] for member in range(members) if member not in group)]
            margin = _rested(market, blocks, members, most_usd_per_t)
            profit = _profit(margin, market(margin))
            found.append(Alliance(group, float(profit[list(group)].sum()), float(apart[list(group)].sum())))
    return tuple(found)


def _profit(margin: FloatArray, outcome: Outcome) -> FloatArray:
    found: FloatArray = margin * outcome.carried_kt + outcome.rent_kusd
    return found


def _best_response(market: Market, margin: FloatArray, block: Sequence[int], most: float) -> tuple[float, float]:
    """Margin of the first of a block of members that earns the block most, others unchanged, and what it then earns.

    All of a block's margin is booked with its first member. Several peaks are told apart by a grid before the best is refined.
    """

    def earned(value: float) -> float:
        tried = margin.copy()
        tried[list(block)] = 0.0
        tried[block[0]] = value
        return float(_profit(tried, market(tried))[list(block)].sum())

    return _peak(earned, 0.0, most)


def _peak(worth: Callable[[float], float], least: float, most: float) -> tuple[float, float]:
    grid = np.linspace(least, most, _TRIES)
    values = [worth(float(at)) for at in grid]
    top = int(np.argmax(values))
    low, high = float(grid[max(top - 1, 0)]), float(grid[min(top + 1, _TRIES - 1)])
    found = scipy.optimize.minimize_scalar(
        lambda at: -worth(float(at)), bounds=(low, high), method="bounded", options={"xatol": 1e-12 * max(most, 1.0), "maxiter": 200}
    )  # fmt: skip
    best = max([(float(-found.fun), float(found.x)), (values[top], float(grid[top]))])
    return best[1], best[0]


def _least_margins(market: Market, margin: FloatArray, outcome: Outcome) -> FloatArray:
    """Least margin of each member at which raising it does not pay: its tonnes over what a dollar more would lose of them."""
    least = np.empty(margin.shape[0])
    step = _STEP_SHARE * max(float(margin.sum()), 1.0)
    for member in range(margin.shape[0]):
        raised = margin.copy()
        raised[member] += step
        slope = (outcome.carried_kt[member] - market(raised).carried_kt[member]) / step
        least[member] = outcome.carried_kt[member] / slope if slope > 0.0 else np.inf
    return least


def _along(market: Market, shares: FloatArray, most: float, worth: Callable[[Outcome, FloatArray], float]) -> Margins:
    part = np.asarray(shares, dtype=np.float64) / float(np.sum(shares))

    def value(total: float) -> float:
        outcome = market(total * part)
        return worth(outcome, _profit(total * part, outcome))

    total, _ = _peak(value, 0.0, most)
    margin = total * part
    outcome = market(margin)
    return Margins(margin, _profit(margin, outcome), outcome, _gain_alone(market, margin, most), is_split_chosen=False)


def _gain_alone(market: Market, margin: FloatArray, most: float) -> float:
    now = _profit(margin, market(margin))
    gains = [_best_response(market, margin, [member], most)[1] - float(now[member]) for member in range(margin.shape[0])]
    return max(0.0, *gains)


def _certified(market: Market, margin: FloatArray, most: float, *, is_split: bool) -> Margins:
    outcome = market(margin)
    profit = _profit(margin, outcome)
    found = Margins(margin, profit, outcome, _gain_alone(market, margin, most), is_split)
    if found.gain_alone_kusd > _EPSILON_SHARE * max(float(profit.sum()), 1e-300):
        raise ConvergenceError(f"some member would gain {found.gain_alone_kusd:.3g} kUSD by another margin", best=found)
    return found


def _rested(market: Market, blocks: Sequence[Sequence[int]], members: int, most: float) -> FloatArray:
    """Margins at which damped best responses rest when each block sets one margin, booked with its first member, shape (members,)."""
    margin = np.zeros(members)
    margin[[block[0] for block in blocks]] = most / (2.0 * len(blocks))
    for _ in range(_MOST_ROUNDS):
        before = margin.copy()
        for block in blocks:
            best, _ = _best_response(market, margin, block, most)
            margin[block[0]] += _DAMPING * (best - margin[block[0]])
        if float(np.abs(margin - before).max()) <= _STILL_SHARE * most:
            break
    return margin
