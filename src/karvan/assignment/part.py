"""A few markets of a program by themselves, with the others taken as given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from karvan.assignment.dual import AT_MOST
from karvan.assignment.market import Clearing, MarketProblem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def part_of(
    problem: MarketProblem, clearing: Clearing, is_in: npt.NDArray[np.bool_], *, own_share: float = 0.5
) -> tuple[MarketProblem, IntArray]:
    """The program of some markets by themselves.

    Rows that these markets fill to a good part keep their limits, less what the others carry there; the price of all other rows is taken
    as given, since those who share them give way at about that price. It is quick to search in; what it finds is to be told by the whole.

    Args:
        problem: The whole program.
        clearing: Its answer.
        is_in: Markets to keep, shape (markets,).
        own_share: Part of a row's flow from which it keeps its limit.

    Returns:
        The program, with the rows of the whole, and the position of each of its routes in the whole.
    """
    families, routes = np.diff(problem.market_first_family), np.diff(problem.family_first_route)
    market_of_family = np.repeat(np.arange(is_in.shape[0]), families)
    family_in = is_in[market_of_family]
    route_in = np.repeat(family_in, routes)
    route_of_entry = np.repeat(np.arange(route_in.shape[0]), np.diff(problem.route_first_entry))
    rows, of_part = problem.row_capacity.shape[0], route_in[route_of_entry]
    use = clearing.route_flow_kt[route_of_entry] * problem.entry_units_per_t
    inside = np.bincount(problem.entry_row[of_part], weights=use[of_part], minlength=rows)
    is_own = (problem.row_sense == AT_MOST) & np.isfinite(problem.row_capacity) & (inside >= own_share * clearing.row_flow) & (inside > 0.0)
    entry_in, given = of_part & is_own[problem.entry_row], of_part & ~is_own[problem.entry_row]
    cost = problem.route_cost_usd_per_t.copy()
    weight = np.repeat(problem.market_price_weight[market_of_family], routes)
    price = clearing.row_price_usd_per_unit[problem.entry_row[given]] * problem.entry_units_per_t[given]
    np.add.at(cost, route_of_entry[given], price * weight[route_of_entry[given]])
    left = np.where(is_own, np.maximum(problem.row_capacity - (clearing.row_flow - inside), 0.0), np.inf)
    chosen = np.flatnonzero(route_in)
    entries = np.bincount(route_of_entry[entry_in], minlength=route_in.shape[0])[chosen]
    kept = replace(
        problem,
        market_first_family=_starts(families[is_in]),
        family_first_route=_starts(routes[family_in]),
        route_first_entry=_starts(entries),
        entry_row=problem.entry_row[entry_in],
        entry_units_per_t=problem.entry_units_per_t[entry_in],
        route_cost_usd_per_t=cost[chosen],
        route_path_size=problem.route_path_size[chosen],
        family_constant_usd_per_t=problem.family_constant_usd_per_t[family_in],
        family_theta=problem.family_theta[family_in],
        market_theta=problem.market_theta[is_in],
        market_flow_kt=problem.market_flow_kt[is_in],
        market_price_usd_per_t=problem.market_price_usd_per_t[is_in],
        market_base_cost_usd_per_t=problem.market_base_cost_usd_per_t[is_in],
        market_elasticity=problem.market_elasticity[is_in],
        market_factor=problem.market_factor[is_in],
        market_price_weight=problem.market_price_weight[is_in],
        row_capacity=left,
        row_sense=np.full(rows, AT_MOST, dtype=problem.row_sense.dtype),
    )
    return kept, chosen.astype(np.int64)


def _starts(counts: IntArray) -> IntArray:
    return np.append(0, np.cumsum(counts)).astype(np.int64)
