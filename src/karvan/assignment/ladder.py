"""What binds next as the market grows: with limits lifted one by one, and with all limits standing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from karvan.assignment.dual import AT_MOST
from karvan.assignment.market import Clearing, ClearOptions, MarketProblem, clear, flows_at, limited_rows, scaled, with_capacity
from karvan.errors import DataError, Problem
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Scales are located to this.
_SCALE_TOLERANCE = 1e-4
# Prices below this are noise of the solver.
_PRICE_FLOOR_USD_PER_UNIT = 1e-6
# Gains below this share of what all goods pay are noise of the solver.
_GAIN_FLOOR_SHARE = 1e-9
_MOST_TRIALS = 60
# A row is full from this near to its limit on; rows are in series where their uses by route differ by less than this.
_FULL_SHARE = 1e-6
_SAME_USE_SHARE = 1e-6


@dataclass(frozen=True)
class Rung:
    """A row that stops the corridor on its way to the target.

    Attributes:
        rung: Rank, from 1.
        market_scale: Factor on the scaling markets at which the row starts to bind, 1 if it binds from the start.
        latent_kt: Tonnes over the cordon at that scale without any limit.
        realised_kt: Tonnes over it at that scale with the limits of this kind of ladder.
        row: The row.
        price_usd_per_unit: Its price at the target scale.
        gain_kt: Tonnes over the cordon that lifting its limit gains at the target scale.
        gain_kusd: Welfare that it gains there.
        is_alone_useless: Lifting it with all other limits standing gains nothing at the target scale.
        next_row: Row that binds next, or None.
        tied_rows: Rows in series with it, full at the target scale and used by the same flows: only the sum of their prices is defined.
        paid_kusd: What each market pays for its place there at the target scale, shape (markets,).
    """

    rung: int
    market_scale: float
    latent_kt: float
    realised_kt: float
    row: int
    price_usd_per_unit: float
    gain_kt: float
    gain_kusd: float
    is_alone_useless: bool
    next_row: int | None
    tied_rows: tuple[int, ...]
    paid_kusd: FloatArray


@dataclass(frozen=True)
class _Climb:
    """A program whose chosen markets grow until a cordon would reach a target if nothing were full.

    Attributes:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        target_kt: Tonnes over the cordon without limits at the target scale.
        options: Tolerances of every clearing.
        limits: Rows that are upper limits, in order.
        known: Markets without any limit by scale; balances and minimums hold in them.
        known_alone: Markets at the target scale with the limit of one row lifted, by row.
    """

    problem: MarketProblem
    scales: BoolArray
    cordon: FloatArray
    target_kt: float
    options: ClearOptions
    limits: IntArray
    known: dict[float, Clearing] = field(default_factory=dict)
    known_alone: dict[int, Clearing] = field(default_factory=dict)

    def free(self, scale: float) -> Clearing:
        """The market at a scale if nothing were full."""
        if scale not in self.known:
            if self.limits.shape[0] == limited_rows(self.problem).shape[0]:
                grown = scaled(self.problem, np.where(self.scales, scale, 1.0))
                self.known[scale] = flows_at(grown, np.zeros(self.problem.row_capacity.shape[0]))
            else:
                self.known[scale] = self.at(scale, lifted=self.limits.tolist(), start=_prices_between(self.known, scale))
        return self.known[scale]

    def latent_kt(self, scale: float) -> float:
        return self.cordon_kt(self.free(scale))

    def reaches(self, size: Callable[[float], float], wanted: float, *, most: float) -> float:
        """Scale at which something that grows with it, in the market without limits, has a size; below zero or above `most` as its
        straight line says. Flows are straight lines in the scale but for what balances bend.
        """
        low, high = 0.0, most
        below, above = size(low), size(high)
        for _ in range(_MOST_TRIALS):
            rise = above - below
            if not rise > 0.0:
                return -np.inf if below > wanted else np.inf
            guess = low + (wanted - below) * (high - low) / rise
            if not low < guess < high or min(guess - low, high - guess) < _SCALE_TOLERANCE / 10.0:
                return guess
            found = size(guess)
            if abs(found - wanted) <= rise * _SCALE_TOLERANCE / 100.0 / max(high - low, 1e-12):
                return guess
            low, below, high, above = (guess, found, high, above) if found < wanted else (low, below, guess, found)
        return high

    def at(self, scale: float, *, lifted: Sequence[int] = (), start: FloatArray | None = None) -> Clearing:
        """The market at a scale, some rows without limit."""
        capacity = self.problem.row_capacity.copy()
        capacity[list(lifted)] = np.inf
        grown = scaled(with_capacity(self.problem, capacity), np.where(self.scales, scale, 1.0))
        return clear(grown, start=start, options=self.options)

    def cordon_kt(self, clearing: Clearing) -> float:
        return weighted_sum(self.cordon, clearing.route_flow_kt)

    @cached_property
    def today(self) -> Clearing:
        """The market at scale 1, all limits standing."""
        return self.at(1.0)

    @cached_property
    def standing(self) -> Clearing:
        """The market at the target scale, all limits standing."""
        return self.at(self.target_scale, start=self.today.row_price_usd_per_unit)

    @cached_property
    def priced(self) -> list[int]:
        """Rows that have a price there."""
        return [int(row) for row in self.limits if self.standing.row_price_usd_per_unit[row] > _PRICE_FLOOR_USD_PER_UNIT]

    def alone(self, row: int) -> Clearing:
        """The market at the target scale with the limit of a row lifted and all others standing."""
        if row not in self.known_alone:
            self.known_alone[row] = self.at(self.target_scale, lifted=[row], start=self.standing.row_price_usd_per_unit)
        return self.known_alone[row]

    @cached_property
    def target_scale(self) -> float:
        """Scale at which the cordon reaches the target without limits."""
        most = 2.0
        while self.latent_kt(most) < self.target_kt:
            most *= 2.0
        return self.reaches(self.latent_kt, self.target_kt, most=most)


def ladders(
    problem: MarketProblem,
    scales: BoolArray,
    cordon: FloatArray,
    *,
    target_kt: float,
    options: ClearOptions | None = None,
    threads: int = 1,
) -> tuple[list[Rung], list[Rung]]:
    """Rungs in the order in which rows bind as the market grows: with all limits standing, and with each lifted as it binds.

    With all limits standing, only rows with a price at the target scale are rungs, in the order in which they first have one. Gain is
    that of lifting the row alone at the target scale; the next row is the one whose rent rises most when this one is lifted.

    With all rows that bind earlier lifted, flows up to the next binding are those without limits: straight lines in the scale but for
    what balances bend, located to 1e-4. Price and gain hold at the target scale with earlier rungs lifted and this one and later ones
    standing.

    Args:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        target_kt: Tonnes over the cordon without limits at the target scale.
        options: Tolerances.
        threads: Threads that share the work; the digits do not depend on it.

    Raises:
        DataError: The target lies below today's tonnes without limits, or no growing market crosses the cordon.
        ConvergenceError: A clearing did not reach its tolerance.
    """
    limits = np.flatnonzero(np.isfinite(problem.row_capacity) & (problem.row_sense == AT_MOST))
    climb = _Climb(problem, scales, cordon, target_kt, options or ClearOptions(), limits)
    _check(climb)
    with ThreadPoolExecutor(threads, thread_name_prefix="ladder") as pool:
        list(pool.map(climb.alone, climb.priced))
        others = replace(climb, known=dict(climb.known))  # a start would else depend on which of the two came first
        as_is, relieved = pool.submit(_as_is, climb), pool.submit(_relieved, others)
        return as_is.result(), relieved.result()


def _relieved(climb: _Climb) -> list[Rung]:
    problem, target_scale = climb.problem, climb.target_scale
    full = [int(row) for row in climb.limits if climb.free(target_scale).row_flow[row] > problem.row_capacity[row]]

    def binds_at(row: int) -> float:
        return climb.reaches(lambda scale: float(climb.free(scale).row_flow[row]), float(problem.row_capacity[row]), most=target_scale)

    rungs = sorted(((row, binds_at(row)) for row in full), key=lambda item: (item[1], item[0]))
    before, at_scale, lifted = climb.standing, climb.today, list[int]()
    result = []
    for rank, (row, binds) in enumerate(rungs):
        scale = max(binds, 1.0)
        at_scale = climb.at(scale, lifted=lifted, start=at_scale.row_price_usd_per_unit)
        after = climb.at(target_scale, lifted=[*lifted, row], start=before.row_price_usd_per_unit)
        next_row = rungs[rank + 1][0] if rank + 1 < len(rungs) else None
        result.append(_rung(climb, rank, row, scale, at_scale, before, after, next_row))
        before, lifted = after, [*lifted, row]
    return result


def _as_is(climb: _Climb) -> list[Rung]:
    problem, standing = climb.problem, climb.standing
    known = {1.0: climb.today, climb.target_scale: standing}
    first = {row: _first_priced(climb, known, row) for row in climb.priced}
    rent = standing.row_price_usd_per_unit * np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    result = []
    for rank, row in enumerate(sorted(climb.priced, key=lambda row: (first[row], -rent[row], row))):
        after = climb.alone(row)
        next_row = _takes_over(problem, standing, after, row)
        result.append(_rung(climb, rank, row, first[row], known[first[row]], standing, after, next_row))
    return result


def _rung(
    climb: _Climb, rank: int, row: int, scale: float, at_scale: Clearing, before: Clearing, after: Clearing, next_row: int | None
) -> Rung:
    """What is told of a row: where it binds, and what lifting it does at the target scale."""
    is_priced, standing = row in climb.priced, climb.standing
    # A row without a price gains nothing, as welfare is concave in capacity; one with a price may gain nothing if another in series binds.
    gains_alone = is_priced and climb.alone(row).welfare_kusd - standing.welfare_kusd > _gain_floor(standing)
    return Rung(
        rung=rank + 1,
        market_scale=scale,
        latent_kt=climb.latent_kt(scale),
        realised_kt=climb.cordon_kt(at_scale),
        row=row,
        price_usd_per_unit=float(before.row_price_usd_per_unit[row]),
        gain_kt=climb.cordon_kt(after) - climb.cordon_kt(before),
        gain_kusd=after.welfare_kusd - before.welfare_kusd,
        is_alone_useless=not gains_alone,
        next_row=next_row,
        tied_rows=_tied(climb.problem, before, row),
        paid_kusd=_paid(climb.problem, before, row),
    )


def _check(climb: _Climb) -> None:
    """Refuse a cordon that no growing market crosses, and a target below what would move today."""
    today = climb.latent_kt(1.0)
    if not climb.latent_kt(2.0) > today:
        raise DataError(Problem("ladder", None, "scales", "no growing market crosses the cordon, so no scale reaches the target"))
    if not climb.target_kt >= today:
        message = f"is {climb.target_kt:.6g} kt, must be at least the {today:.6g} kt that would move today without limits"
        raise DataError(Problem("ladder", None, "target_kt", message))


def _prices_between(known: Mapping[float, Clearing], scale: float) -> FloatArray | None:
    """Prices to start from at a scale: on the straight line between its neighbours, else those of the nearest."""
    below, above = max((at for at in known if at < scale), default=None), min((at for at in known if at > scale), default=None)
    if below is None or above is None:
        nearest = above if below is None else below
        return None if nearest is None else known[nearest].row_price_usd_per_unit
    part = (scale - below) / (above - below)
    found: FloatArray = (1.0 - part) * known[below].row_price_usd_per_unit + part * known[above].row_price_usd_per_unit
    return found


def _first_priced(climb: _Climb, known: dict[float, Clearing], row: int) -> float:
    """Smallest scale found, to the tolerance, at which a row has a price; adds the clearings it makes to `known`.

    Bisection between the last scale without a price and the first with one, sped up by extending the row's use in a straight line.
    """

    def is_priced(scale: float) -> bool:
        return bool(known[scale].row_price_usd_per_unit[row] > _PRICE_FLOOR_USD_PER_UNIT)

    tried = sorted(known)
    high = next(scale for scale in tried if is_priced(scale))
    for trial in range(_MOST_TRIALS):
        below = [scale for scale in sorted(known) if scale < high]
        if not below or high - below[-1] <= _SCALE_TOLERANCE:
            return high
        low, guess = below[-1], 0.5 * (below[-1] + high)
        if len(below) > 1 and trial % 3 < 2:
            use, earlier = float(known[low].row_flow[row]), float(known[below[-2]].row_flow[row])
            if use > earlier:
                straight = low + (climb.problem.row_capacity[row] - use) * (low - below[-2]) / (use - earlier)
                straight += (0.4 if trial % 2 else -0.4) * _SCALE_TOLERANCE
                guess = straight if low < straight < high else guess
        known[guess] = climb.at(guess, start=_prices_between(known, guess))
        high = guess if is_priced(guess) else high
    return high


def _gain_floor(clearing: Clearing) -> float:
    return _GAIN_FLOOR_SHARE * weighted_sum(clearing.market_demand_kt, np.abs(clearing.market_cost))


def _takes_over(problem: MarketProblem, before: Clearing, after: Clearing, row: int) -> int | None:
    capacity = np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    rise = (after.row_price_usd_per_unit - before.row_price_usd_per_unit) * capacity
    rise[row] = 0.0
    is_risen = after.row_price_usd_per_unit > before.row_price_usd_per_unit + _PRICE_FLOOR_USD_PER_UNIT
    return int(np.argmax(rise)) if is_risen.any() and rise.max() > 0.0 else None


def _tied(problem: MarketProblem, clearing: Clearing, row: int) -> tuple[int, ...]:
    """Other full rows that the same flows use in the same proportions."""
    is_full = np.isfinite(problem.row_capacity) & (problem.row_capacity > 0.0) & (problem.row_sense == AT_MOST)
    is_full &= clearing.row_flow >= problem.row_capacity * (1.0 - _FULL_SHARE)
    is_full[row] = True
    entries = np.flatnonzero(is_full[problem.entry_row])
    route, of = _entry_route(problem)[entries], problem.entry_row[entries]
    use = clearing.route_flow_kt[route] * problem.entry_units_per_t[entries]
    own = np.zeros(clearing.route_flow_kt.shape[0])
    own[route[of == row]] = use[of == row]
    rows = problem.row_capacity.shape[0]
    size = np.sqrt(np.bincount(of, weights=use * use, minlength=rows))
    together = np.bincount(of, weights=use * own[route], minlength=rows)
    is_alike = is_full & (size > 0.0) & (together >= (1.0 - _SAME_USE_SHARE) * size * size[row])
    return tuple(int(other) for other in np.flatnonzero(is_alike) if other != row)


def _paid(problem: MarketProblem, clearing: Clearing, row: int) -> FloatArray:
    """What each market pays for a row, kUSD, shape (markets,)."""
    entries = np.flatnonzero(problem.entry_row == row)
    route = _entry_route(problem)[entries]
    markets = problem.market_flow_kt.shape[0]
    families = np.repeat(np.arange(markets), np.diff(problem.market_first_family))
    market = np.repeat(families, np.diff(problem.family_first_route))[route]
    paid = clearing.route_flow_kt[route] * problem.entry_units_per_t[entries] * float(clearing.row_price_usd_per_unit[row])
    return np.asarray(np.bincount(market, weights=paid, minlength=markets), dtype=np.float64)


def _entry_route(problem: MarketProblem) -> IntArray:
    return np.repeat(np.arange(problem.route_first_entry.shape[0] - 1), np.diff(problem.route_first_entry))
