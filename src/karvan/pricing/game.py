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
from karvan.pricing.splits import bargained

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MOST_ROUNDS = 200
_DAMPING = 0.7
_STEP_SHARE = 1e-6


@dataclass(frozen=True)
class Search:
    """How finely margins are sought.

    Attributes:
        tries: Margins tried before the best of them is refined, so that several peaks are told apart.
        peak_share: How close a peak is found, as a share of the largest margin.
        still_share: Margins rest when none moves by more than this share of the largest.
        epsilon_share: Most that a member may still gain alone, as a share of all profit.
    """

    tries: int = 33
    peak_share: float = 1e-12
    still_share: float = 1e-9
    epsilon_share: float = 1e-7


FINE = Search()


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
        tolerance_share: What counts as the same.
    """

    members: tuple[int, ...]
    profit_kusd: float
    apart_kusd: float
    tolerance_share: float = FINE.epsilon_share

    @property
    def is_stable(self) -> bool:
        """Joining does not lose."""
        return self.profit_kusd >= self.apart_kusd * (1.0 - self.tolerance_share)


def nash_margins(
    market: Market,
    members: int,
    *,
    most_usd_per_t: float,
    weights: FloatArray | None = None,
    start: FloatArray | None = None,
    search: Search = FINE,
) -> Margins:
    """Margins at which no member gains by another of its own, found by damped best responses.

    Where something on the way is full, members who raise their margins only take what goods pay there anyway, and many splits hold:
    each member then gets the least margin at which raising it further does not pay, and the rest by bargaining weights.

    Args:
        market: The market.
        members: How many there are.
        most_usd_per_t: Margins are sought between zero and this.
        weights: Bargaining weights; equal by default.
        start: Margins to begin with, USD/t, shape (members,); the same for each by default.
        search: How finely.

    Raises:
        ConvergenceError: Some member would still gain by more than `search` allows; `best` holds the margins.
    """
    margin = _rested(market, [[member] for member in range(members)], members, most_usd_per_t, search, start)
    outcome = market(margin)
    is_split = False
    if outcome.is_full:
        least = _least_margins(market, margin, outcome)
        if least.sum() <= margin.sum():
            margin, is_split = bargained(least, float(margin.sum()), weights), True
    return _certified(market, margin, most_usd_per_t, search, is_split=is_split)


def joint_margins(
    market: Market, shares: FloatArray, *, most_usd_per_t: float, starts: Sequence[FloatArray] = (), search: Search = FINE
) -> Margins:
    """The through tariff that earns all members together most, sold as one; `shares` say how its margin is booked.

    Where goods do not all pass the same members, it is worth more to set each member's part of it: from the best tariff booked by shares,
    and from the margins in `starts`, parts are moved one by one as long as that earns more.
    """
    return _best(market, shares, most_usd_per_t, starts, search, lambda outcome, profit: float(profit.sum()))


def welfare_margins(
    market: Market, shares: FloatArray, *, most_usd_per_t: float, starts: Sequence[FloatArray] = (), search: Search = FINE
) -> Margins:
    """The through tariff at which shippers and members together have most; see `joint_margins`."""
    return _best(market, shares, most_usd_per_t, starts, search, lambda outcome, profit: outcome.surplus_kusd + float(profit.sum()))


def alliances(
    market: Market,
    members: int,
    *,
    most_usd_per_t: float,
    apart_kusd: FloatArray | None = None,
    judge: Market | None = None,
    search: Search = FINE,
) -> tuple[Alliance, ...]:
    """What every group of some, but not all, members earns if it sets one margin against the rest, smaller groups first.

    Args:
        market: The market.
        members: How many there are.
        most_usd_per_t: Margins are sought between zero and this.
        apart_kusd: Profits while everybody is alone, shape (members,), if they are known.
        judge: Market that tells what the margins found earn; by default the one they are sought in.
        search: How finely.
    """
    apart = nash_margins(market, members, most_usd_per_t=most_usd_per_t, search=search).profit_kusd if apart_kusd is None else apart_kusd
    found = []
    for size in range(2, members):
        for group in combinations(range(members), size):
            blocks = [list(group), *([member] for member in range(members) if member not in group)]
            margin = _rested(market, blocks, members, most_usd_per_t, search)
            profit = _profit(margin, (judge or market)(margin))
            together, alone = float(profit[list(group)].sum()), float(apart[list(group)].sum())
            found.append(Alliance(group, together, alone, search.epsilon_share))
    return tuple(found)


def gain_alone_kusd(market: Market, margin: FloatArray, *, most_usd_per_t: float, search: Search = FINE) -> float:
    """Most that any one member could gain by another margin while all others keep theirs."""
    now = _profit(margin, market(margin))
    gains = [
        _best_response(market, margin, [member], most_usd_per_t, search)[1] - float(now[member]) for member in range(margin.shape[0])
    ]  # fmt: skip
    return max(0.0, *gains)


def _profit(margin: FloatArray, outcome: Outcome) -> FloatArray:
    found: FloatArray = margin * outcome.carried_kt + outcome.rent_kusd
    return found


def _best_response(
    market: Market, margin: FloatArray, block: Sequence[int], most: float, search: Search
) -> tuple[float, float]:  # fmt: skip
    """Margin of the first of a block of members that earns the block most, others unchanged, and what it then earns.

    All of a block's margin is booked with its first member. Several peaks are told apart by a grid before the best is refined.
    """

    def earned(value: float) -> float:
        tried = margin.copy()
        tried[list(block)] = 0.0
        tried[block[0]] = value
        return float(_profit(tried, market(tried))[list(block)].sum())

    return _peak(earned, 0.0, most, search)


def _peak(worth: Callable[[float], float], least: float, most: float, search: Search) -> tuple[float, float]:
    grid = np.linspace(least, most, search.tries)
    values = [worth(float(at)) for at in grid]
    top = int(np.argmax(values))
    low, high = float(grid[max(top - 1, 0)]), float(grid[min(top + 1, search.tries - 1)])
    found = scipy.optimize.minimize_scalar(
        lambda at: -worth(float(at)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": search.peak_share * max(most, 1.0), "maxiter": 200},
    )
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


def _best(
    market: Market,
    shares: FloatArray,
    most: float,
    starts: Sequence[FloatArray],
    search: Search,
    worth: Callable[[Outcome, FloatArray], float],
) -> Margins:
    part = np.asarray(shares, dtype=np.float64) / float(np.sum(shares))

    def value(margin: FloatArray) -> float:
        outcome = market(margin)
        return worth(outcome, _profit(margin, outcome))

    total, _ = _peak(lambda sum_of_all: value(sum_of_all * part), 0.0, most, search)
    tried = [total * part, *(np.asarray(start, dtype=np.float64) for start in starts)]
    margin, _ = max((_climbed(value, start, most, search) for start in tried), key=lambda found: found[1])
    outcome = market(margin)
    gain = gain_alone_kusd(market, margin, most_usd_per_t=most, search=search)
    return Margins(margin, _profit(margin, outcome), outcome, gain, is_split_chosen=False)


def _climbed(value: Callable[[FloatArray], float], start: FloatArray, most: float, search: Search) -> tuple[FloatArray, float]:
    """Margins moved one at a time as long as that is worth more than what counts as nothing."""
    margin, reached = start.copy(), value(start)
    for _ in range(_MOST_ROUNDS):
        before = reached
        for member in range(margin.shape[0]):

            def moved(at: float, member: int = member) -> float:
                tried = margin.copy()
                tried[member] = at
                return value(tried)

            best, found = _peak(moved, 0.0, most, search)
            if found > reached + search.epsilon_share * max(abs(reached), 1e-300):
                margin[member], reached = best, found
        if reached <= before + search.epsilon_share * max(abs(before), 1e-300):
            break
    return margin, reached


def _certified(market: Market, margin: FloatArray, most: float, search: Search, *, is_split: bool) -> Margins:
    outcome = market(margin)
    profit = _profit(margin, outcome)
    found = Margins(margin, profit, outcome, gain_alone_kusd(market, margin, most_usd_per_t=most, search=search), is_split)
    if found.gain_alone_kusd > search.epsilon_share * max(float(np.abs(profit).sum()), 1e-300):  # profits may be counted from today's
        raise ConvergenceError(f"some member would gain {found.gain_alone_kusd:.3g} kUSD by another margin", best=found)
    return found


def _rested(
    market: Market, blocks: Sequence[Sequence[int]], members: int, most: float, search: Search, start: FloatArray | None = None
) -> FloatArray:
    """Margins at which damped best responses rest when each block sets one margin, booked with its first member, shape (members,)."""
    margin = np.zeros(members)
    margin[[block[0] for block in blocks]] = most / (2.0 * len(blocks))
    if start is not None:
        margin = np.clip(np.asarray(start, dtype=np.float64), 0.0, most)
    for _ in range(_MOST_ROUNDS):
        before = margin.copy()
        for block in blocks:
            best, _ = _best_response(market, margin, block, most, search)
            margin[block[0]] += _DAMPING * (best - margin[block[0]])
        if float(np.abs(margin - before).max()) <= search.still_share * most:
            break
    return margin
