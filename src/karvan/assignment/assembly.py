"""From tables and route sets to a market program."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.assignment.market import MarketProblem
from karvan.routing import EmptyRun, FacilityEntries, RouteSets
from karvan.schema import CAPACITY_UNITS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NOT_SHIPPED = "not_shipped"
# Empties choose this sharply, per share of their charge, so that their price of coming back is their cost to a per cent or two ...
_EMPTY_SHARPNESS = 200.0
# ... from a pool of this many times the loading units that could be on the link at most.
_POOL_FACTOR = 4.0
# Fewer empties than this share of their pool run as good as none.
_LEAST_EMPTIES_SHARE = 1e-4


@dataclass(frozen=True)
class Assembly:
    """A market program and what its positions mean.

    Its rows are the facilities, the balances of `returns`, and a row for each facility with a minimum; its markets are those of goods and,
    after them, one for the empties of each balance, counted in thousands of loading units.

    Attributes:
        problem: The program; quantities in kt, prices in USD/t.
        route_of: Position in the route sets of each route of the program, -1 for "not shipped" and for empties, shape (routes,).
        market_of_route: Market of each route of the program, shape (routes,).
        family_code: Family of each nest: position in the route sets' family_ids, len(family_ids) for "not shipped", one more for
            empties, shape (nests,).
        nest_of_route: Nest of each route of the program, shape (routes,).
        market_commodity, market_origin, market_destination, market_block: Labels of the markets of goods, each of length goods_count.
        market_of_nest: Market of each nest, shape (nests,).
        has_base_cost: False where the case stores no base cost, so that demand does not answer to cost, shape (goods_count,).
        minimum_facility: Facility of each row with a minimum, after facilities and balances.
        facility_count: Number of facilities.
        balance_use: Most that a tonne of each market of goods adds to each balance, either way, shape (goods_count, balances).
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
    minimum_facility: IntArray
    facility_count: int
    balance_use: FloatArray

    @property
    def goods_count(self) -> int:
        """Number of markets of goods."""
        return len(self.market_commodity)

    @property
    def row_count(self) -> int:
        """Number of facilities and balances."""
        return int(self.problem.row_capacity.shape[0] - self.minimum_facility.shape[0])

    def over_sets(self, values: FloatArray, route_count: int) -> FloatArray:
        """Values of the program's routes on the routes of the route sets, zero where the program has none, shape (route_count,)."""
        shipped, found = self.route_of >= 0, np.zeros(route_count)
        found[self.route_of[shipped]] = values[shipped]
        return found

    def row_price(self, price: FloatArray) -> FloatArray:
        """Price of facilities and balances, that of a minimum added to its facility's, from those of all rows."""
        total = price[: self.row_count].copy()
        np.add.at(total, self.minimum_facility, price[self.row_count :])
        return total

    def with_balances(self, price: FloatArray, row_flow: FloatArray, route_flow_kt: FloatArray) -> FloatArray:
        """Prices with none of a balance above what lets as many empties run as goods need that flow as they did.

        Empties answer so sharply to the price of their balance that a straight line through where they are does not tell how they go on: a
        step that takes it a little too far floods what they pass.

        Args:
            price: Price of each row, shape (rows,).
            row_flow: Flow on each row at other prices, thousands of units, shape (rows,).
            route_flow_kt: Flow on each route there, shape (routes,).
        """
        problem, found = self.problem, price.copy()
        pools, thetas = problem.market_flow_kt[self.goods_count :], problem.market_theta[self.goods_count :]
        first = problem.family_first_route[problem.market_first_family[self.goods_count : -1]]
        for balance, (route, pool, theta) in enumerate(zip(first.tolist(), pools.tolist(), thetas.tolist(), strict=True)):
            row = self.row_count - first.shape[0] + balance
            way, sign = (route + 1, 1.0) if price[row] > 0.0 else (route, -1.0)
            needed = sign * float(row_flow[row] - route_flow_kt[route] + route_flow_kt[route + 1])
            share = min(max(needed / pool, _LEAST_EMPTIES_SHARE), 0.5)
            used = slice(problem.route_first_entry[way], problem.route_first_entry[way + 1])
            rows, units = problem.entry_row[used], problem.entry_units_per_t[used]
            paid = problem.route_cost_usd_per_t[way] + float((price[rows] * units)[rows != row].sum())
            most = paid - math.log((1.0 - share) / share) / theta
            if sign * price[row] > most + 1.0 / theta:
                found[row] = sign * most
        return found


def effective_capacity(facilities: pl.DataFrame) -> FloatArray:
    """Nominal x availability x payload / peak factor, thousands of the facility's unit a year, shape (facilities,)."""
    columns = ("nominal", "availability_share", "payload_share", "peak_factor")
    nominal, available, payload, peak = (np.array(facilities[name].to_numpy(), dtype=np.float64) for name in columns)
    return np.asarray(nominal * available * payload / peak, dtype=np.float64)


def assemble(
    tables: Mapping[str, pl.DataFrame],
    sets: RouteSets,
    entries: FacilityEntries,
    runs: Sequence[EmptyRun] = (),
    *,
    constants: Mapping[tuple[str, str], float] | None = None,
    demand_factors: Mapping[tuple[str, str], float] | None = None,
) -> Assembly:
    """Build the market program of a snapshot.

    Args:
        tables: The snapshot's tables.
        sets: Route sets of its markets.
        entries: Which facilities and balances each route uses.
        runs: What empties take.
        constants: Constant in USD/t by (family, commodity group); by default those stored with the case.
        demand_factors: Factor on flows by (commodity group, form); by default those stored with the case.
    """
    family_count = len(sets.family_ids)
    market_count = len(sets.market_ids)
    route_market, set_count = sets.route_market, sets.route_count
    blocks = tables["demand"]["block"].to_list()

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

    counts = np.concatenate([np.diff(entries.route_first_entry), np.zeros(market_count, dtype=np.int64)])[order]
    route_first_entry = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    starts = np.concatenate([entries.route_first_entry[:-1], np.zeros(market_count, dtype=np.int64)])[order]
    take = np.repeat(starts - route_first_entry[:-1], counts) + np.arange(route_first_entry[-1])

    facilities = tables["facilities"]
    numbers, has_base = _numbers(tables, sets, (route_of, market_of_route, family_code, market_of_nest), constants, demand_factors)
    goods = MarketProblem(
        market_first_family=market_first_family,
        family_first_route=family_first_route,
        route_first_entry=route_first_entry,
        entry_row=entries.entry_row[take].astype(np.int64),
        entry_units_per_t=entries.entry_units_per_t[take].astype(np.float64),
        market_factor=np.ones(market_count),
        market_price_weight=np.ones(market_count),
        row_sense=np.full(facilities.height, AT_MOST, dtype=np.int64),
        row_unit=np.array([CAPACITY_UNITS.index(unit) for unit in facilities["unit"]], dtype=np.int64),
        **numbers,
    )
    minimum = np.array(facilities["minimum"].to_numpy(), dtype=np.float64)
    minimum_facility = np.flatnonzero(minimum > 0.0)
    balance_use = _balance_use(goods, len(runs))
    problem = _with_minimums(_with_empties(goods, runs, balance_use), minimum_facility, minimum)
    empties = np.arange(len(runs), dtype=np.int64)
    return Assembly(
        problem=problem,
        route_of=np.append(route_of, np.full(3 * len(runs), -1)),
        market_of_route=np.append(market_of_route, market_count + np.repeat(empties, 3)),
        family_code=np.append(family_code, np.full(len(runs), family_count + 1)),
        nest_of_route=np.append(nest_of_route, family_code.shape[0] + np.repeat(empties, 3)),
        market_of_nest=np.append(market_of_nest, market_count + empties),
        market_commodity=sets.market_commodity,
        market_origin=sets.market_origin_region,
        market_destination=sets.market_destination_region,
        market_block=tuple(blocks[row] for row in sets.market_row.tolist()),
        market_row=sets.market_row,
        has_base_cost=has_base,
        minimum_facility=minimum_facility,
        facility_count=facilities.height,
        balance_use=balance_use,
    )


def reassembled(
    before: Assembly,
    tables: Mapping[str, pl.DataFrame],
    sets: RouteSets,
    *,
    constants: Mapping[tuple[str, str], float] | None = None,
    demand_factors: Mapping[tuple[str, str], float] | None = None,
) -> Assembly:
    """What `assemble` gives for the same routes in the same order at other numbers, without laying them out again.

    Args:
        before: The program of those routes.
        tables: Tables whose rows are those it was made of; a facility with a minimum keeps one.
        sets: The routes at the costs of these tables.
        constants, demand_factors: See `assemble`.
    """
    count = before.goods_count
    routes, nests = int((before.market_of_route < count).sum()), int((before.market_of_nest < count).sum())
    layout = (before.route_of[:routes], before.market_of_route[:routes], before.family_code[:nests], before.market_of_nest[:nests])
    numbers, has_base = _numbers(tables, sets, layout, constants, demand_factors)
    problem, minimum = before.problem, tables["facilities"]["minimum"].to_numpy()[before.minimum_facility]
    balances = np.zeros(before.balance_use.shape[1])
    ends = {
        "row_capacity": np.append(balances, minimum),
        "market_flow_kt": _pool(numbers["market_flow_kt"], before.balance_use),
    }
    whole: dict[str, Any] = {
        name: np.append(values, ends[name] if name in ends else getattr(problem, name)[values.shape[0] :])
        for name, values in numbers.items()
    }
    return replace(before, problem=replace(problem, **whole), has_base_cost=has_base)


def _numbers(
    tables: Mapping[str, pl.DataFrame],
    sets: RouteSets,
    layout: tuple[IntArray, IntArray, IntArray, IntArray],
    constants: Mapping[tuple[str, str], float] | None,
    demand_factors: Mapping[tuple[str, str], float] | None,
) -> tuple[dict[str, Any], npt.NDArray[np.bool_]]:
    """Numbers of the program of goods by field of `MarketProblem`, and which markets have a base cost.

    `layout` holds the place in the sets and the market of each route, the family and the market of each nest.
    """
    route_of, market_of_route, family_code, market_of_nest = layout
    constants = stored_constants(tables) if constants is None else constants
    factors = stored_factors(tables) if demand_factors is None else demand_factors
    commodities, goods_code, goods_names = tables["commodities"], sets.market_goods, sorted(set(sets.market_commodity))
    row_of = {name: row for row, name in enumerate(commodities["commodity_group"].to_list())}
    goods_row = np.array([row_of[name] for name in goods_names], dtype=np.int64)

    def trait(column: str) -> FloatArray:
        return np.array(commodities[column].to_numpy(), dtype=np.float64)[goods_row]

    factor = [factors.get(pair, 1.0) for pair in zip(sets.market_commodity, sets.market_form, strict=True)]
    flow = np.array(tables["demand"]["flow_kt"].to_numpy(), dtype=np.float64)[sets.market_row] * np.array(factor) * sets.market_share
    of_base = ("market_id", "origin_node", "destination_node", "base_cost_usd_per_t")
    *ends, base_costs_usd_per_t = (tables["base_costs"][name].to_list() for name in of_base)
    base_costs = dict(zip(zip(*ends, strict=True), base_costs_usd_per_t, strict=True))
    known = np.array([base_costs.get(key, np.nan) for key in sets.market_ids], dtype=np.float64)
    has_base = ~np.isnan(known)
    names = [*sets.family_ids, NOT_SHIPPED]
    table = [[constants.get((family, name), 0.0) for name in goods_names] for family in names]
    is_shipped, goods_of_nest = route_of >= 0, goods_code[market_of_nest]
    facilities = tables["facilities"]
    numbers = {
        "route_cost_usd_per_t": np.where(
            is_shipped, np.append(sets.cost_usd_per_t, 0.0)[route_of], trait("not_shipped_usd_per_t")[goods_code][market_of_route]
        ),
        "route_path_size": np.where(is_shipped, np.append(sets.path_size, 1.0)[route_of], 1.0),
        "family_constant_usd_per_t": np.array(table, dtype=np.float64).reshape(len(names), -1)[family_code, goods_of_nest],
        "family_theta": trait("route_theta_per_usd_per_t")[goods_of_nest],
        "market_theta": trait("family_theta_per_usd_per_t")[goods_code],
        "market_flow_kt": flow,
        "market_price_usd_per_t": trait("value_usd_per_t")[goods_code],
        "market_base_cost_usd_per_t": np.where(has_base, known, 0.0),
        "market_elasticity": np.where(has_base, trait("demand_elasticity_ratio")[goods_code], 0.0),
        "row_capacity": np.maximum(effective_capacity(facilities) - np.array(facilities["other_load"].to_numpy()), 0.0),
    }
    return numbers, has_base


def _balance_use(problem: MarketProblem, balances: int) -> FloatArray:
    """Most that a tonne of each market adds to each balance, shape (markets, balances)."""
    largest = np.zeros((problem.market_flow_kt.shape[0], balances))
    market = np.repeat(np.arange(problem.market_flow_kt.shape[0]), np.diff(problem.market_first_family))
    of_route = np.repeat(np.repeat(market, np.diff(problem.family_first_route)), np.diff(problem.route_first_entry))
    first = problem.row_capacity.shape[0]
    is_balance = problem.entry_row >= first
    np.maximum.at(
        largest, (of_route[is_balance], problem.entry_row[is_balance] - first), np.abs(problem.entry_units_per_t[is_balance])
    )  # fmt: skip
    return largest


def _pool(flow_kt: FloatArray, balance_use: FloatArray) -> FloatArray:
    """Empties to choose for each balance, thousands of loading units, shape (balances,)."""
    return np.asarray(_POOL_FACTOR * np.maximum(flow_kt @ balance_use, 1e-3), dtype=np.float64)


def _with_empties(problem: MarketProblem, runs: Sequence[EmptyRun], balance_use: FloatArray) -> MarketProblem:
    """The program with a balance row for each return, and a market in which empties go along, against, or stay."""
    if not runs:
        return problem
    pool = _pool(problem.market_flow_kt, balance_use)
    sharpness = np.array([_EMPTY_SHARPNESS / run.usd_per_unit for run in runs])
    ways = [{**used, run.row: sign} for run in runs for used, sign in ((run.forward, 1.0), (run.backward, -1.0))]
    counts = [size for index in range(len(runs)) for size in (len(ways[2 * index]), len(ways[2 * index + 1]), 0)]
    families, routes = problem.family_theta.shape[0], problem.route_cost_usd_per_t.shape[0]
    number = np.arange(1, len(runs) + 1, dtype=np.int64)
    none = np.zeros(len(runs))
    return replace(
        problem,
        market_first_family=np.append(problem.market_first_family, families + number),
        family_first_route=np.append(problem.family_first_route, routes + 3 * number),
        route_first_entry=np.append(problem.route_first_entry, problem.entry_row.shape[0] + np.cumsum(counts)).astype(np.int64),
        entry_row=np.append(problem.entry_row, [row for way in ways for row in way]).astype(np.int64),
        entry_units_per_t=np.append(problem.entry_units_per_t, [units for way in ways for units in way.values()]),
        route_cost_usd_per_t=np.append(problem.route_cost_usd_per_t, [cost for run in runs for cost in (run.usd_per_unit,) * 2 + (0.0,)]),
        route_path_size=np.append(problem.route_path_size, np.ones(3 * len(runs))),
        family_constant_usd_per_t=np.append(problem.family_constant_usd_per_t, none),
        family_theta=np.append(problem.family_theta, sharpness),
        market_theta=np.append(problem.market_theta, sharpness),
        market_flow_kt=np.append(problem.market_flow_kt, pool),
        market_price_usd_per_t=np.append(problem.market_price_usd_per_t, none),
        market_base_cost_usd_per_t=np.append(problem.market_base_cost_usd_per_t, none),
        market_elasticity=np.append(problem.market_elasticity, none),
        market_factor=np.append(problem.market_factor, none + 1.0),
        market_price_weight=np.append(problem.market_price_weight, none + 1.0),
        row_capacity=np.append(problem.row_capacity, none),
        row_sense=np.append(problem.row_sense, np.full(len(runs), EXACTLY)),
        row_unit=np.append(problem.row_unit, len(CAPACITY_UNITS) + number - 1),
    )


def _with_minimums(problem: MarketProblem, facility: IntArray, minimum: FloatArray) -> MarketProblem:
    """The program with one more row for each facility whose contract asks for a flow, used as the facility is."""
    if facility.shape[0] == 0:
        return problem
    copy_of = np.full(problem.row_capacity.shape[0], -1, dtype=np.int64)
    copy_of[facility] = problem.row_capacity.shape[0] + np.arange(facility.shape[0])
    route = np.repeat(np.arange(problem.route_cost_usd_per_t.shape[0]), np.diff(problem.route_first_entry))
    again = np.flatnonzero(copy_of[problem.entry_row] >= 0)
    order = np.argsort(np.append(route, route[again]), kind="stable")
    counts = np.bincount(np.append(route, route[again]), minlength=problem.route_cost_usd_per_t.shape[0])
    return replace(
        problem,
        route_first_entry=np.append(0, np.cumsum(counts)).astype(np.int64),
        entry_row=np.append(problem.entry_row, copy_of[problem.entry_row[again]])[order],
        entry_units_per_t=np.append(problem.entry_units_per_t, problem.entry_units_per_t[again])[order],
        row_capacity=np.append(problem.row_capacity, minimum[facility]),
        row_sense=np.append(problem.row_sense, np.full(facility.shape[0], AT_LEAST)),
        row_unit=np.append(problem.row_unit, problem.row_unit[facility]),
    )


def stored_constants(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], float]:
    """Fitted constants of the case, USD/t by (family, commodity group)."""
    return {(row["family_id"], row["commodity_group"]): row["constant_usd_per_t"] for row in tables["constants"].iter_rows(named=True)}


def stored_factors(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], float]:
    """Fitted factors on flows, by (commodity group, form)."""
    return {(row["commodity_group"], row["form"]): row["demand_factor"] for row in tables["demand_factors"].iter_rows(named=True)}
