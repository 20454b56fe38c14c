"""From tables and route sets to a market program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment.dual import AT_MOST
from karvan.assignment.market import MarketProblem
from karvan.routing import FacilityEntries, RouteSets
from karvan.schema import CAPACITY_UNITS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NOT_SHIPPED = "not_shipped"


@dataclass(frozen=True)
class Assembly:
    """A market program and what its positions mean.

    Attributes:
        problem: The program; quantities in kt, prices in USD/t.
        route_of: Position in the route sets of each route of the program, -1 for "not shipped", shape (routes,).
        market_of_route: Market of each route of the program, shape (routes,).
        family_code: Family of each nest: position in the route sets' family_ids, or len(family_ids) for "not shipped", shape (nests,).
        nest_of_route: Nest of each route of the program, shape (routes,).
        market_commodity, market_origin, market_destination, market_block: Labels of the markets, each of length markets.
        market_of_nest: Market of each nest, shape (nests,).
        has_base_cost: False where the case stores no base cost, so that demand does not answer to cost, shape (markets,).
    """

    problem: MarketProblem
    route_of: IntArray
    market_of_route: IntArray
    family_code: IntArray
    nest_of_route: IntArray
    market_of_nest: IntArray
    market_commodity: tuple[str, ...]
    market_origin: tuple[str, ...]
    market_destination: tuple[str, ...]
    market_block: tuple[str | None, ...]
    market_row: IntArray
    has_base_cost: npt.NDArray[np.bool_]


def effective_capacity(facilities: pl.DataFrame) -> FloatArray:
    """Nominal x availability x payload / peak factor, thousands of the facility's unit a year, shape (facilities,)."""
    frame = facilities.select(capacity=pl.col("nominal") * pl.col("availability_share") * pl.col("payload_share") / pl.col("peak_factor"))
    return np.array(frame["capacity"].to_numpy(), dtype=np.float64)


def assemble(
    tables: Mapping[str, pl.DataFrame],
    sets: RouteSets,
    entries: FacilityEntries,
    *,
    constants: Mapping[tuple[str, str], float] | None = None,
    demand_factors: Mapping[tuple[str, str], float] | None = None,
) -> Assembly:
    """Build the market program of a snapshot.

    Args:
        tables: The snapshot's tables.
        sets: Route sets of its markets.
        entries: Which facilities each route uses, in rows of the facilities table.
        constants: Constant in USD/t by (family, commodity group); by default those stored with the case.
        demand_factors: Factor on flows by (commodity group, form); by default those stored with the case.
    """
    constants = stored_constants(tables) if constants is None else constants
    factors = stored_factors(tables) if demand_factors is None else demand_factors
    family_count = len(sets.family_ids)
    market_count = len(sets.market_ids)
    route_market = np.repeat(np.arange(market_count, dtype=np.int64), np.diff(sets.market_first_route))
    set_count = route_market.shape[0]

    demand = {row["market_id"]: (index, row) for index, row in enumerate(tables["demand"].iter_rows(named=True))}
    commodities = {row["commodity_group"]: row for row in tables["commodities"].iter_rows(named=True)}
    base_costs = {
        (row["market_id"], row["origin_node"], row["destination_node"]): row["base_cost_usd_per_t"]
        for row in tables["base_costs"].iter_rows(named=True)
    }
    rows = [demand[market_id] for market_id, _, _ in sets.market_ids]
    commodity_of = tuple(str(row["commodity_group"]) for _, row in rows)
    traits = [commodities[commodity] for commodity in commodity_of]
    flow = np.array([row["flow_kt"] * factors.get((row["commodity_group"], row["form"]), 1.0) for _, row in rows]) * sets.market_share
    has_base = np.array([key in base_costs for key in sets.market_ids], dtype=np.bool_)
    base_cost = np.array([base_costs.get(key, 0.0) for key in sets.market_ids], dtype=np.float64)
    elasticity = np.array([trait["demand_elasticity_ratio"] for trait in traits], dtype=np.float64)

    all_market = np.concatenate([route_market, np.arange(market_count, dtype=np.int64)])
    all_family = np.concatenate([sets.route_family.astype(np.int64), np.full(market_count, family_count, dtype=np.int64)])
    order = np.lexsort((np.arange(all_market.shape[0]), all_family, all_market))
    route_of = np.where(order < set_count, order, -1)
    market_of_route, family_of_route = all_market[order], all_family[order]
    is_first = np.ones(order.shape[0], dtype=np.bool_)
    is_first[1:] = (np.diff(market_of_route) != 0) | (np.diff(family_of_route) != 0)
    nest_of_route = np.cumsum(is_first) - 1
    family_first_route = np.append(np.flatnonzero(is_first), order.shape[0]).astype(np.int64)
    market_of_nest, family_code = market_of_route[is_first], family_of_route[is_first]
    market_first_family = np.searchsorted(market_of_nest, np.arange(market_count + 1)).astype(np.int64)

    cost = np.concatenate([sets.components.sum(axis=1), np.array([trait["not_shipped_usd_per_t"] for trait in traits])])[order]
    path_size = np.concatenate([sets.path_size, np.ones(market_count)])[order]
    counts = np.concatenate([np.diff(entries.route_first_entry), np.zeros(market_count, dtype=np.int64)])[order]
    route_first_entry = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    starts = np.concatenate([entries.route_first_entry[:-1], np.zeros(market_count, dtype=np.int64)])[order]
    take = np.repeat(starts - route_first_entry[:-1], counts) + np.arange(route_first_entry[-1])

    names = [*sets.family_ids, NOT_SHIPPED]
    constant = np.array(
        [constants.get((names[family], commodity_of[market]), 0.0) for family, market in zip(family_code, market_of_nest, strict=True)],
        dtype=np.float64,
    )
    facilities = tables["facilities"]
    left = np.maximum(effective_capacity(facilities) - np.array(facilities["other_load"].to_numpy()), 0.0)
    problem = MarketProblem(
        market_first_family=market_first_family,
        family_first_route=family_first_route,
        route_first_entry=route_first_entry,
        entry_row=entries.entry_row[take].astype(np.int64),
        entry_units_per_t=entries.entry_units_per_t[take].astype(np.float64),
        route_cost_usd_per_t=cost,
        route_path_size=path_size,
        family_constant_usd_per_t=constant,
        family_theta=np.array([traits[market]["route_theta_per_usd_per_t"] for market in market_of_nest], dtype=np.float64),
        market_theta=np.array([trait["family_theta_per_usd_per_t"] for trait in traits], dtype=np.float64),
        market_flow_kt=flow,
        market_price_usd_per_t=np.array([trait["value_usd_per_t"] for trait in traits], dtype=np.float64),
        market_base_cost_usd_per_t=base_cost,
        market_elasticity=np.where(has_base, elasticity, 0.0),
        market_factor=np.ones(market_count),
        market_price_weight=np.ones(market_count),
        row_capacity=left,
        row_sense=np.full(left.shape[0], AT_MOST, dtype=np.int64),
        row_unit=np.array([CAPACITY_UNITS.index(unit) for unit in facilities["unit"]], dtype=np.int64),
    )
    return Assembly(
        problem=problem,
        route_of=route_of,
        market_of_route=market_of_route,
        family_code=family_code,
        nest_of_route=nest_of_route,
        market_of_nest=market_of_nest,
        market_commodity=commodity_of,
        market_origin=tuple(str(row["origin_region"]) for _, row in rows),
        market_destination=tuple(str(row["destination_region"]) for _, row in rows),
        market_block=tuple(row["block"] for _, row in rows),
        market_row=np.array([index for index, _ in rows], dtype=np.int64),
        has_base_cost=has_base,
    )


def stored_constants(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], float]:
    """Fitted constants of the case, USD/t by (family, commodity group)."""
    return {(row["family_id"], row["commodity_group"]): row["constant_usd_per_t"] for row in tables["constants"].iter_rows(named=True)}


def stored_factors(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], float]:
    """Fitted factors on flows, by (commodity group, form)."""
    return {(row["commodity_group"], row["form"]): row["demand_factor"] for row in tables["demand_factors"].iter_rows(named=True)}
