"""What binds next as the market grows: with limits lifted one by one, and with all limits standing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import scipy.sparse.linalg

from karvan.assignment.dual import AT_MOST
from karvan.assignment.market import Clearing, ClearOptions, MarketProblem, clear, flows_at, limited_rows, scaled, with_capacity
from karvan.errors import DataError, Problem

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
    """A program whose chosen markets grow.

    Attributes:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        options: Tolerances of every clearing.
        limits: Rows that are upper limits, in order.
        known: Markets without any limit by scale; balances and minimums hold in them.
    """

    problem: MarketProblem
    scales: BoolArray
    cordon: FloatArray
    options: ClearOptions
    limits: IntArray
    known: dict[float, Clearing] = field(default_factory=dict)

    def free(self, scale: float) -> Clearing:
        """The market at a scale if nothing were full."""
        if scale not in self.known:
            grown = scaled(self.problem, np.where(self.scales, scale, 1.0))
            if self.limits.shape[0] == limited_rows(self.problem).shape[0]:
                self.known[scale] = flows_at(grown, np.zeros(self.problem.row_capacity.shape[0]))
            else:
                near = min(self.known, key=lambda other: abs(other - scale), default=None)
                start = None if near is None else self.known[near].row_price_usd_per_unit
                self.known[scale] = self.at(scale, lifted=self.limits.tolist(), start=start)
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

    def at(self, scale: float, *, lifted: list[int] | None = None, start: FloatArray | None = None) -> Clearing:
        """The market at a scale, some rows without limit."""
        capacity = self.problem.row_capacity.copy()
        capacity[lifted or []] = np.inf
        grown = scaled(with_capacity(self.problem, capacity), np.where(self.scales, scale, 1.0))
        return clear(grown, start=start, options=self.options)

    def cordon_kt(self, clearing: Clearing) -> float:
        return float(self.cordon @ clearing.route_flow_kt)


def relieved_ladder(
    problem: MarketProblem, scales: BoolArray, cordon: FloatArray, *, target_kt: float, options: ClearOptions | None = None
) -> list[Rung]:
    """Rungs in the order in which rows bind when every earlier one is lifted as the market grows.

    With all rows that bind earlier lifted, flows up to the next binding are those without limits: straight lines in the scale but for
    what balances bend, located to 1e-4. Price and gain hold at the target scale with earlier rungs lifted and this one and later ones
    standing.

    Args:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        target_kt: Tonnes over the cordon without limits at the target scale.
        options: Tolerances.

    Raises:
        DataError: The target lies below today's tonnes without limits, or no growing market crosses the cordon.
        ConvergenceError: A clearing did not reach its tolerance.
    """
    climb, target_scale = _climb(problem, scales, cordon, target_kt, options)
    full = [int(row) for row in climb.limits if climb.free(target_scale).row_flow[row] > problem.row_capacity[row]]

    def binds_at(row: int) -> float:
        return climb.reaches(lambda scale: float(climb.free(scale).row_flow[row]), float(problem.row_capacity[row]), most=target_scale)

    rungs = sorted(((row, binds_at(row)) for row in full), key=lambda item: (item[1], item[0]))
    standing = climb.at(target_scale)
    before, lifted = standing, list[int]()
    result = []
    for rank, (row, binds) in enumerate(rungs):
        scale = max(binds, 1.0)
        at_scale = climb.at(scale, lifted=lifted, start=before.row_price_usd_per_unit)
        after = climb.at(target_scale, lifted=[*lifted, row], start=before.row_price_usd_per_unit)
        result.append(
            Rung(
                rung=rank + 1,
                market_scale=scale,
                latent_kt=climb.latent_kt(scale),
                realised_kt=climb.cordon_kt(at_scale),
                row=row,
                price_usd_per_unit=float(before.row_price_usd_per_unit[row]),
                gain_kt=climb.cordon_kt(after) - climb.cordon_kt(before),
                gain_kusd=after.welfare_kusd - before.welfare_kusd,
                is_alone_useless=_is_useless_alone(climb, target_scale, standing, row),
                next_row=rungs[rank + 1][0] if rank + 1 < len(rungs) else None,
                tied_rows=_tied(problem, before, row),
                paid_kusd=_paid(problem, before, row),
            )
        )
        before, lifted = after, [*lifted, row]
    return result


def as_is_ladder(
    problem: MarketProblem, scales: BoolArray, cordon: FloatArray, *, target_kt: float, options: ClearOptions | None = None
) -> list[Rung]:
    """Rungs in the order in which rows first have a price as the market grows with all limits standing.

    Only rows with a price at the target scale are rungs. Gain is that of lifting the row alone at the target scale; the next row is the
    one whose rent rises most when this one is lifted.

    Args:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        target_kt: Tonnes over the cordon without limits at the target scale.
        options: Tolerances.

    Raises:
        DataError: The target lies below today's tonnes without limits, or no growing market crosses the cordon.
        ConvergenceError: A clearing did not reach its tolerance.
    """
    climb, target_scale = _climb(problem, scales, cordon, target_kt, options)
    known = {1.0: climb.at(1.0)}
    known[target_scale] = climb.at(target_scale, start=known[1.0].row_price_usd_per_unit)
    at_target = known[target_scale]
    priced = [int(row) for row in climb.limits if at_target.row_price_usd_per_unit[row] > _PRICE_FLOOR_USD_PER_UNIT]
    first = {row: _first_priced(climb, known, row) for row in priced}
    rent = at_target.row_price_usd_per_unit * np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    priced.sort(key=lambda row: (first[row], -rent[row], row))
    result = []
    for rank, row in enumerate(priced):
        after = climb.at(target_scale, lifted=[row], start=at_target.row_price_usd_per_unit)
        gain = after.welfare_kusd - at_target.welfare_kusd
        result.append(
            Rung(
                rung=rank + 1,
                market_scale=first[row],
                latent_kt=climb.latent_kt(first[row]),
                realised_kt=climb.cordon_kt(known[first[row]]),
                row=row,
                price_usd_per_unit=float(at_target.row_price_usd_per_unit[row]),
                gain_kt=climb.cordon_kt(after) - climb.cordon_kt(at_target),
                gain_kusd=gain,
                is_alone_useless=gain <= _gain_floor(at_target),
                next_row=_takes_over(problem, at_target, after, row),
                tied_rows=_tied(problem, at_target, row),
                paid_kusd=_paid(problem, at_target, row),
            )
        )
    return result


def _climb(
    problem: MarketProblem, scales: BoolArray, cordon: FloatArray, target_kt: float, options: ClearOptions | None
) -> tuple[_Climb, float]:
    """The program that grows, and the scale at which the cordon would reach the target without limits."""
    limits = np.flatnonzero(np.isfinite(problem.row_capacity) & (problem.row_sense == AT_MOST))
    climb = _Climb(problem, scales, cordon, options or ClearOptions(), limits)
    today = climb.latent_kt(1.0)
    if not climb.latent_kt(2.0) > today:
        raise DataError(Problem("ladder", None, "scales", "no growing market crosses the cordon, so no scale reaches the target"))
    if not target_kt >= today:
        message = f"is {target_kt:.6g} kt, must be at least the {today:.6g} kt that would move today without limits"
        raise DataError(Problem("ladder", None, "target_kt", message))
    most = 2.0
    while climb.latent_kt(most) < target_kt:
        most *= 2.0
    return climb, climb.reaches(climb.latent_kt, target_kt, most=most)


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
        known[guess] = climb.at(guess, start=known[high].row_price_usd_per_unit)
        high = guess if is_priced(guess) else high
    return high


def _is_useless_alone(climb: _Climb, target_scale: float, standing: Clearing, row: int) -> bool:
    """A row without a price gains nothing, as welfare is concave in capacity; one with a price may, if another in series binds too."""
    if standing.row_price_usd_per_unit[row] <= _PRICE_FLOOR_USD_PER_UNIT:
        return True
    after = climb.at(target_scale, lifted=[row], start=standing.row_price_usd_per_unit)
    return after.welfare_kusd - standing.welfare_kusd <= _gain_floor(standing)


def _gain_floor(clearing: Clearing) -> float:
    return _GAIN_FLOOR_SHARE * float(clearing.market_demand_kt @ np.abs(clearing.market_cost))


def _takes_over(problem: MarketProblem, before: Clearing, after: Clearing, row: int) -> int | None:
    capacity = np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    rise = (after.row_price_usd_per_unit - before.row_price_usd_per_unit) * capacity
    rise[row] = 0.0
    is_risen = after.row_price_usd_per_unit > before.row_price_usd_per_unit + _PRICE_FLOOR_USD_PER_UNIT
    return int(np.argmax(rise)) if is_risen.any() and rise.max() > 0.0 else None


def _uses(problem: MarketProblem, clearing: Clearing) -> sp.csr_array:
    """Units of each row that each route takes, thousands, shape (rows, routes)."""
    route = np.repeat(np.arange(clearing.route_flow_kt.shape[0]), np.diff(problem.route_first_entry))
    units = clearing.route_flow_kt[route] * problem.entry_units_per_t
    return sp.csr_array((units, (problem.entry_row, route)), shape=(problem.row_capacity.shape[0], clearing.route_flow_kt.shape[0]))


def _tied(problem: MarketProblem, clearing: Clearing, row: int) -> tuple[int, ...]:
    """Other full rows that the same flows use in the same proportions."""
    is_full = np.isfinite(problem.row_capacity) & (problem.row_capacity > 0.0) & (problem.row_sense == AT_MOST)
    is_full &= clearing.row_flow >= problem.row_capacity * (1.0 - _FULL_SHARE)
    is_full[row] = True
    full = np.flatnonzero(is_full)
    uses = _uses(problem, clearing)[full]
    own = uses[[int(np.searchsorted(full, row))]]
    size = np.sqrt(np.asarray(uses.multiply(uses).sum(axis=1)).ravel())
    alike = np.asarray((uses @ own.T).todense()).ravel() >= (1.0 - _SAME_USE_SHARE) * size * float(scipy.sparse.linalg.norm(own))
    return tuple(int(other) for other in full[alike & (size > 0.0)] if other != row)


def _paid(problem: MarketProblem, clearing: Clearing, row: int) -> FloatArray:
    """What each market pays for a row, kUSD, shape (markets,)."""
    families = np.repeat(np.arange(problem.market_flow_kt.shape[0]), np.diff(problem.market_first_family))
    market = np.repeat(families, np.diff(problem.family_first_route))
    use = np.asarray(_uses(problem, clearing)[[row]].todense()).ravel()
    paid = use * float(clearing.row_price_usd_per_unit[row])
    return np.asarray(np.bincount(market, weights=paid, minlength=problem.market_flow_kt.shape[0]), dtype=np.float64)
