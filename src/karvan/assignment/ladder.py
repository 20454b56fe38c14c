"""What binds next as the market grows: with limits lifted one by one, and with all limits standing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.assignment.market import Clearing, ClearOptions, MarketProblem, clear, flows_at, limited_rows, scaled, with_capacity
from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Scales are located to this.
_SCALE_TOLERANCE = 1e-4
# Prices below this are noise of the solver.
_PRICE_FLOOR_USD_PER_UNIT = 1e-6
# Gains below this share of what all goods pay are noise of the solver.
_GAIN_FLOOR_SHARE = 1e-9
_MOST_TRIALS = 60


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


@dataclass(frozen=True)
class _Climb:
    """A program whose chosen markets grow. Without limits flows are linear in the scale, as prices are zero at every scale.

    Attributes:
        problem: The program at scale 1.
        scales: Markets that grow, shape (markets,).
        cordon: kt counted per kt of flow, shape (routes,).
        options: Tolerances of every clearing.
        row_still, row_growing: Row flow of the other markets, and of those that grow at scale 1, without limits, shape (rows,).
        cordon_still, cordon_growing: The same over the cordon, kt.
        target_scale: Scale at which the cordon reaches the target without limits.
    """

    problem: MarketProblem
    scales: BoolArray
    cordon: FloatArray
    options: ClearOptions
    row_still: FloatArray
    row_growing: FloatArray
    cordon_still: float
    cordon_growing: float
    target_scale: float

    def latent_kt(self, scale: float) -> float:
        return self.cordon_still + scale * self.cordon_growing

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

    With all rows that bind earlier lifted, flows up to the next binding are those without limits, linear in the scale, so that each
    row's scale follows exactly. Price and gain hold at the target scale with earlier rungs lifted and this one and later ones standing.

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
    climb = _climb(problem, scales, cordon, target_kt, options)
    rows = limited_rows(problem)
    room = problem.row_capacity[rows] - climb.row_still[rows]
    growing = climb.row_growing[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        binds_at = np.where(growing > 0.0, room / growing, np.where(room < 0.0, -np.inf, np.inf))
    order = np.lexsort((rows, binds_at))
    rungs = [(int(rows[index]), float(binds_at[index])) for index in order if binds_at[index] < climb.target_scale]
    standing = climb.at(climb.target_scale)
    before, lifted = standing, list[int]()
    result = []
    for rank, (row, binds) in enumerate(rungs):
        scale = max(binds, 1.0)
        at_scale = climb.at(scale, lifted=lifted)
        after = climb.at(climb.target_scale, lifted=[*lifted, row], start=before.row_price_usd_per_unit)
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
                is_alone_useless=_is_useless_alone(climb, standing, row),
                next_row=rungs[rank + 1][0] if rank + 1 < len(rungs) else None,
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
    climb = _climb(problem, scales, cordon, target_kt, options)
    known = {1.0: climb.at(1.0)}
    known[climb.target_scale] = climb.at(climb.target_scale, start=known[1.0].row_price_usd_per_unit)
    at_target = known[climb.target_scale]
    priced = [int(row) for row in np.flatnonzero(at_target.row_price_usd_per_unit > _PRICE_FLOOR_USD_PER_UNIT)]
    first = {row: _first_priced(climb, known, row) for row in priced}
    rent = at_target.row_price_usd_per_unit * np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    priced.sort(key=lambda row: (first[row], -rent[row], row))
    result = []
    for rank, row in enumerate(priced):
        after = climb.at(climb.target_scale, lifted=[row], start=at_target.row_price_usd_per_unit)
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
            )
        )
    return result


def _climb(problem: MarketProblem, scales: BoolArray, cordon: FloatArray, target_kt: float, options: ClearOptions | None) -> _Climb:
    free = np.zeros(problem.row_capacity.shape[0])
    still = flows_at(scaled(problem, np.where(scales, 0.0, 1.0)), free)
    growing = flows_at(scaled(problem, np.where(scales, 1.0, 0.0)), free)
    cordon_still, cordon_growing = float(cordon @ still.route_flow_kt), float(cordon @ growing.route_flow_kt)
    if not cordon_growing > 0.0:
        raise DataError(Problem("ladder", None, "scales", "no growing market crosses the cordon, so no scale reaches the target"))
    target_scale = (target_kt - cordon_still) / cordon_growing
    if not target_scale >= 1.0:
        today = cordon_still + cordon_growing
        message = f"is {target_kt:.6g} kt, must be at least the {today:.6g} kt that would move today without limits"
        raise DataError(Problem("ladder", None, "target_kt", message))
    return _Climb(
        problem=problem,
        scales=scales,
        cordon=cordon,
        options=options or ClearOptions(),
        row_still=still.row_flow,
        row_growing=growing.row_flow,
        cordon_still=cordon_still,
        cordon_growing=cordon_growing,
        target_scale=target_scale,
    )


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


def _is_useless_alone(climb: _Climb, standing: Clearing, row: int) -> bool:
    """A row without a price gains nothing, as welfare is concave in capacity; one with a price may, if another in series binds too."""
    if standing.row_price_usd_per_unit[row] <= _PRICE_FLOOR_USD_PER_UNIT:
        return True
    after = climb.at(climb.target_scale, lifted=[row], start=standing.row_price_usd_per_unit)
    return after.welfare_kusd - standing.welfare_kusd <= _gain_floor(standing)


def _gain_floor(clearing: Clearing) -> float:
    return _GAIN_FLOOR_SHARE * float(clearing.market_demand_kt @ np.abs(clearing.market_cost))


def _takes_over(problem: MarketProblem, before: Clearing, after: Clearing, row: int) -> int | None:
    capacity = np.where(np.isfinite(problem.row_capacity), problem.row_capacity, 0.0)
    rise = (after.row_price_usd_per_unit - before.row_price_usd_per_unit) * capacity
    rise[row] = 0.0
    is_risen = after.row_price_usd_per_unit > before.row_price_usd_per_unit + _PRICE_FLOOR_USD_PER_UNIT
    return int(np.argmax(rise)) if is_risen.any() and rise.max() > 0.0 else None
