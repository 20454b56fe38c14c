"""The market of a year and what countries trade, until they fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.assignment import Clearing
from karvan.assignment import clear as clear_market
from karvan.gravity import TradeAnswer, respond, settle_trade
from karvan.study.clear import Cleared
from karvan.study.trade_table import TradeTable

FloatArray = npt.NDArray[np.float64]

_TOLERANCE = 1e-4


@dataclass(frozen=True)
class BaseCosts:
    """The base year: its trade, and what carrying costs each market by its ends and goods.

    Attributes:
        table: Who buys what from whom.
        cost_usd_per_t: Composite cost over all routes, by market.
        flow_kt: Tonnes wanted, by market.
    """

    table: TradeTable
    cost_usd_per_t: Mapping[tuple[str, str, str], float]
    flow_kt: Mapping[tuple[str, str, str], float]


def base_costs(first: Cleared, table: TradeTable) -> BaseCosts:
    """What trade is held against.

    Args:
        first: The base year.
        table: Its trade.
    """
    ids = first.routed.sets.market_ids
    return BaseCosts(
        table,
        dict(zip(ids, first.clearing.market_cost.tolist(), strict=False)),
        dict(zip(ids, first.clearing.market_demand_kt.tolist(), strict=False)),
    )


@dataclass(frozen=True)
class SettledTrade:
    """Market and trade of a year that fit each other.

    Attributes:
        answer: What changes in trade, wages and prices.
        clearing: The market at the demand that follows.
        factor: On the demand of each market beside what its own cost makes of it, empties included, shape (markets,).
        rounds: Rounds it took.
    """

    answer: TradeAnswer
    clearing: Clearing
    factor: FloatArray
    rounds: int


def settled_trade(at: Cleared, base: BaseCosts) -> SettledTrade:
    """Market and trade of a year that fit each other, on the routes and with the delays of the year.

    Args:
        at: The year.
        base: The base year.

    Raises:
        ConvergenceError: They did not settle.
    """
    problem, assembly, table = at.problem, at.assembly, base.table
    count, ids = assembly.goods_count, at.routed.sets.market_ids
    price = problem.market_price_usd_per_t[:count]
    sigma = problem.market_elasticity[:count]
    before = np.array([base.cost_usd_per_t.get(key, np.nan) for key in ids])
    weight = np.array([base.flow_kt.get(key, 0.0) for key in ids])
    ends = [
        (table.place(one), table.place(two))
        for one, two in zip(assembly.market_origin, assembly.market_destination, strict=True)
    ]  # fmt: skip
    is_in = np.array([i is not None and j is not None and i != j for i, j in ends]) & ~np.isnan(before) & (weight > 0.0) & (sigma > 0.0)
    seller, buyer = (np.array([end[side] if end[side] is not None else 0 for end in ends], dtype=np.int64)[is_in] for side in (0, 1))
    sector = np.array([table.sectors.index(name) for name in assembly.market_commodity], dtype=np.int64)[is_in]
    shape = table.base.share.shape
    total = np.zeros(shape)
    np.add.at(total, (sector, seller, buyer), weight[is_in])
    held: dict[str, Any] = {"prices": at.clearing.row_price_usd_per_unit, "clearing": at.clearing, "factor": problem.market_factor}

    def factor_of(clearing: Clearing) -> FloatArray:
        return np.asarray((price[is_in] + clearing.market_cost[:count][is_in]) / (price[is_in] + before[is_in]), dtype=np.float64)

    def market(shifter: FloatArray) -> FloatArray:
        factor = problem.market_factor.copy()
        factor[:count][is_in] = shifter
        held["factor"] = factor
        held["clearing"] = clear_market(replace(problem, market_factor=factor), start=held["prices"])
        held["prices"] = held["clearing"].row_price_usd_per_unit
        return factor_of(held["clearing"])

    def response(delivered: FloatArray) -> FloatArray:
        change = np.zeros(shape)
        np.add.at(change, (sector, seller, buyer), weight[is_in] * delivered)
        change = np.divide(change, total, out=np.ones(shape), where=total > 0.0)
        held["answer"] = respond(table.base, change)
        tonnes = held["answer"].tonnes[sector, seller, buyer]
        return np.asarray(tonnes * delivered ** sigma[is_in], dtype=np.float64)

    _, rounds = settle_trade(market, response, int(is_in.sum()), tolerance=_TOLERANCE)
    return SettledTrade(held["answer"], held["clearing"], held["factor"], rounds)
