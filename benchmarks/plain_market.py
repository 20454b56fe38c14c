"""Market programs on plain arrays: markets of given size on routes of given cost, no limit."""

from __future__ import annotations

import numpy as np

from karvan.assignment.market import MarketProblem


def free_problem(
    *,
    market_first_family: np.ndarray,
    family_first_route: np.ndarray,
    route_first_entry: np.ndarray,
    entry_row: np.ndarray,
    cost: np.ndarray,
    path_size: np.ndarray,
    theta: float,
    flow: np.ndarray,
    rows: int,
) -> MarketProblem:
    """A program without constants, elasticity or limits, with one spread of choice for all.

    Args:
        market_first_family, family_first_route, route_first_entry, entry_row: As in `MarketProblem`.
        cost, path_size: Of each route, shape (routes,).
        theta: Spread of choice, per unit of cost.
        flow: Size of each market, shape (markets,).
        rows: Number of rows.
    """
    markets, families = flow.shape[0], family_first_route.shape[0] - 1
    return MarketProblem(
        market_first_family=market_first_family.astype(np.int64),
        family_first_route=family_first_route.astype(np.int64),
        route_first_entry=route_first_entry.astype(np.int64),
        entry_row=entry_row,
        entry_units_per_t=np.ones(entry_row.shape[0]),
        route_cost_usd_per_t=cost,
        route_path_size=path_size,
        family_constant_usd_per_t=np.zeros(families),
        family_theta=np.full(families, theta),
        market_theta=np.full(markets, theta),
        market_flow_kt=flow,
        market_price_usd_per_t=np.zeros(markets),
        market_base_cost_usd_per_t=np.zeros(markets),
        market_elasticity=np.zeros(markets),
        market_factor=np.ones(markets),
        market_price_weight=np.ones(markets),
        row_capacity=np.full(rows, np.inf),
        row_sense=np.zeros(rows, dtype=np.int64),
        row_unit=np.zeros(rows, dtype=np.int64),
    )
