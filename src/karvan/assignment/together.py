"""Prices and delays of a market found together, by Newton steps in both."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from karvan.assignment.dual import Point, Program, evaluate, first_reach, flow_slopes, joint_move, quality, row_weight, solve
from karvan.assignment.fixed_point import FixedPointOptions

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_log = logging.getLogger(__name__)

# Hours stand still while prices are farther off than this.
_FAR = 0.5
# After so many steps that came no nearer prices are searched for by sure steps, once, and brought so near.
_PATIENCE = 3
_ROUGH = 0.02
_MOST_STEPS = 30
# So near, after a step that left less than this share of what was missing, the slopes of that step still serve.
_NEAR, _FAST_SHARE = 50.0, 0.1


class Delaying(Protocol):
    """How hours at rows of a program make costs, and flows make hours."""

    @property
    def rows(self) -> IntArray:
        """Rows that can delay; they have a limit, shape (delays,)."""
        ...

    @property
    def time_value_usd_per_t_h(self) -> FloatArray:
        """What an hour costs a tonne of each market, shape (markets,)."""
        ...

    def cost_usd_per_t(self, hours: FloatArray) -> FloatArray:
        """Cost of each route without prices, shape (routes,)."""
        ...

    def caused_h(self, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hours that flows of the rows cause, and their derivative by the row's flow, shapes (delays,)."""
        ...

    def within(self, hours: FloatArray) -> FloatArray:
        """Hours kept between the least and the most."""
        ...

    def tamed(self, price: FloatArray, row_flow: FloatArray, route_flow_kt: FloatArray) -> FloatArray:
        """Prices after a step, those changed to which flows answer so sharply that a step cannot tell them, shape (rows,); flows are those
        before the step.
        """
        ...


@dataclass(frozen=True)
class Together:
    """Where the search ended.

    Attributes:
        point: The program at the prices and hours that came nearest.
        hours: Hours of each row that can delay there, shape (delays,).
        missing: The larger of the residual of prices and that of hours, each over what is accepted; 1 or less has converged.
        iterations: Evaluations of the program.
    """

    point: Point
    hours: FloatArray
    missing: float
    iterations: int


def solve_together(
    program: Program, rows: IntArray, delaying: Delaying, prices: FloatArray, hours: FloatArray, *, aim: float, options: FixedPointOptions
) -> Together:
    """Find prices at which every limit holds and hours that agree with the flows they cause, moving both in every step.

    Each step solves both conditions with flows and hours as straight lines: with x the flows of rows, H and G what they fall by with
    prices and hours, and d' the slope of hours, hours move by (I + d'G)^-1 (d(x) - d - d'H m) as prices move by m, which is the bounded
    Newton step of what is then left. Far from the prices sought hours stand still. Nothing holds a step back, so that the search may fail;
    whoever asks then has the slower way left.

    Args:
        program: The program; its route costs are those at the hours tried.
        rows: Rows of the program that can delay, shape (delays,).
        delaying: How hours and flows hang together.
        prices: Prices to start from, shape (rows,).
        hours: Hours to start from, shape (delays,).
        aim: Residual of prices to reach; see `quality`.
        options: How near hours must come.
    """
    hours = delaying.within(hours)
    weight, reach, none = row_weight(program), first_reach(program), np.zeros(prices.shape[0])
    best: Together | None = None
    slopes: tuple[FloatArray, FloatArray] | None = None
    before, idle, can_search = float("inf"), 0, True
    for spent in range(1, _MOST_STEPS + 1):
        now = replace(program, arrays=program.arrays._replace(route_cost=delaying.cost_usd_per_t(hours)))
        prices = np.clip(prices, program.least_price, program.most_price)
        if idle >= _PATIENCE and can_search:
            point, idle, can_search = solve(now, prices, aim=_ROUGH, max_iterations=_MOST_STEPS).point, 0, False
        else:
            point = evaluate(now, prices)
        caused, slope = delaying.caused_h(point.row_flow[rows])
        accepted = np.maximum(options.relative * np.abs(hours), options.absolute)
        off, late = quality(now, point)[2], float((np.abs(caused - hours) / accepted).max(initial=0.0))
        missing = max(off / aim, late)
        _log.debug("evaluation %d: prices off by %.3g, hours by %.3g", spent, off, late)
        if not np.isfinite(missing):
            break
        idle = 0 if best is None or missing < best.missing else idle + 1
        if best is None or missing < best.missing:
            best = Together(point, hours, missing, spent)
        if best.missing <= 1.0 or (idle >= _PATIENCE and not can_search):
            break
        if slopes is None or missing > _NEAR or missing > _FAST_SHARE * before:
            slopes = flow_slopes(now, point, rows, delaying.time_value_usd_per_t_h)
        (by_price, by_hour), before = slopes, missing
        if off > _FAR:
            move = joint_move(now, point, weight, reach, by_price, none)
        else:
            own = np.eye(rows.shape[0]) + slope[:, None] * by_hour[rows]
            sides = np.column_stack([caused - hours, slope[:, None] * by_price[rows]])
            first, with_price = np.split(np.linalg.solve(own, sides), [1], axis=1)
            move = joint_move(now, point, weight, reach, by_price - by_hour @ with_price, by_hour @ first[:, 0])
            hours = delaying.within(hours + first[:, 0] - with_price @ move)
        prices = delaying.tamed(point.prices + move, point.row_flow, point.route_flow)
    assert best is not None
    return best
