"""How a cleared market answers to hours at facilities: flows and prices, to first order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.assignment import _kernels
from karvan.assignment.dual import EXACTLY
from karvan.assignment.market import Clearing, ClearOptions, MarketProblem, make_program

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Directions of the full rows that are this much weaker than the strongest are rounding: rows in series bind together.
_RANK_SHARE = 1e-9


@dataclass(frozen=True)
class Response:
    """Derivatives by the hours at some facilities, while the rows that are full stay so and no other fills.

    Attributes:
        flow_per_h: Of the flow of each row, thousands of units, shape (rows, hours).
        price_per_h: Of the price of each row, USD per unit, shape (rows, hours).
    """

    flow_per_h: FloatArray
    price_per_h: FloatArray


def flow_response(problem: MarketProblem, clearing: Clearing, facilities: IntArray, value_usd_per_t_h: FloatArray) -> Response:
    """Derivatives of flows and prices by an hour more at each of some facilities.

    With x the flows of rows, H = -dx/dprice and G = -dx/dhour, both from the curvature of the program; full rows B keep their flow, so
    that their prices move by -H_BB^-1 G_B, and flows by -G - H_B dprice.

    Args:
        problem: The program.
        clearing: Its answer.
        facilities: Rows at which an hour is added, once for each route that uses them, shape (hours,).
        value_usd_per_t_h: What an hour costs a tonne of each market, shape (markets,).

    Source:
        Tobin & Friesz (1988), Sensitivity analysis for equilibrium network flow, for the method.
    """
    rows = problem.row_capacity.shape[0]
    arrays = make_program(problem, np.arange(rows), options=ClearOptions()).arrays
    markets = problem.market_flow_kt.shape[0]
    state = (clearing.route_flow_kt, clearing.market_cost, clearing.market_demand_kt)
    place = np.arange(rows, dtype=np.int64)
    by_price, _ = _kernels.curvature(0, markets, arrays, *state, place, rows)

    copy_of = np.full(rows, -1, dtype=np.int64)
    copy_of[facilities] = rows + np.arange(facilities.shape[0])
    route = np.repeat(np.arange(problem.route_cost_usd_per_t.shape[0]), np.diff(problem.route_first_entry))
    again = np.flatnonzero(copy_of[problem.entry_row] >= 0)
    order = np.argsort(np.append(route, route[again]), kind="stable")
    counts = np.bincount(np.append(route, route[again]), minlength=problem.route_cost_usd_per_t.shape[0])
    both = arrays._replace(
        route_first_entry=np.append(0, np.cumsum(counts)).astype(np.int64),
        entry_row=np.append(problem.entry_row, copy_of[problem.entry_row[again]])[order],
        entry_units=np.append(problem.entry_units_per_t, np.ones(again.shape[0]))[order],
        price_weight=np.ascontiguousarray(value_usd_per_t_h, dtype=np.float64),
    )
    whole = rows + facilities.shape[0]
    by_both, _ = _kernels.curvature(0, markets, both, *state, np.arange(whole, dtype=np.int64), whole)
    by_hour = by_both[:rows, rows:]

    full = np.flatnonzero((clearing.row_price_usd_per_unit != 0.0) | (problem.row_sense == EXACTLY))
    price = np.zeros((rows, facilities.shape[0]))
    scale = 1.0 / np.sqrt(np.maximum(np.diag(by_price)[full], 1e-300))
    matrix = by_price[np.ix_(full, full)] * np.outer(scale, scale)
    price[full] = -scale[:, None] * np.linalg.lstsq(matrix, scale[:, None] * by_hour[full], rcond=_RANK_SHARE)[0]
    return Response(np.asarray(-by_hour - by_price @ price, dtype=np.float64), price)
