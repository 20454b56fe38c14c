"""The trade of a case's countries by goods, as the trade response needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.gravity import TradeBase
from karvan.schema import ANY

FloatArray = npt.NDArray[np.float64]

UNSPLIT = "unsplit"
_LEAST_HOME_SHARE = 0.1


@dataclass(frozen=True)
class TradeTable:
    """Who buys what from whom in the base year.

    Attributes:
        economies: Regions that take part, sorted.
        sectors: Goods, and at the end what is not split by goods, whose cost of carrying is held.
        base: Shares and outputs.
        economy_of: Economy of each region of demand.
        rows: What was found: exporter, importer, goods, value and what the split rests on.
    """

    economies: tuple[str, ...]
    sectors: tuple[str, ...]
    base: TradeBase
    economy_of: Mapping[str, str]
    rows: pl.DataFrame

    def place(self, region: str) -> int | None:
        """Position of the economy of a region, if it takes part."""
        name = self.economy_of.get(region, region)
        return self.economies.index(name) if name in self.economies else None


def trade_table(tables: Mapping[str, pl.DataFrame], base_year: int) -> TradeTable:
    """Trade of the base year: totals of `trade`, split by `trade_goods` or else by what the markets of the pair carry at their value.

    What neither splits stays apart. Every country sells at home what it makes and does not export, spread over goods as its imports are.
    Pairs without a total have what their markets carry.

    Args:
        tables: Of the corridor.
        base_year: Year; totals are those of the nearest year.

    Raises:
        DataError: The case has no economies or no trade.
    """
    gdp = {row["region_id"]: row["gdp_musd"] for row in _nearest(tables["economies"], ["region_id"], base_year)}
    if not gdp or tables["trade"].is_empty():
        name = "economies" if not gdp else "trade"
        raise DataError(Problem(name, None, None, "holds no rows; the answer of trade needs what countries make and sell to each other"))
    economies = tuple(sorted(gdp))
    economy_of = dict(tables["economy_regions"].select("region_id", "economy_id").iter_rows())
    goods = sorted(tables["commodities"]["commodity_group"].to_list())
    sectors = (*goods, UNSPLIT)
    at = {name: number for number, name in enumerate(economies)}
    value_of = dict(tables["commodities"].select("commodity_group", "value_usd_per_t").iter_rows())
    carried = np.zeros((len(goods), len(at), len(at)))
    for row in tables["demand"].iter_rows(named=True):
        ends = [at.get(economy_of.get(row[key], row[key])) for key in ("origin_region", "destination_region")]
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            carried[goods.index(row["commodity_group"]), ends[0], ends[1]] += row["flow_kt"] * value_of[row["commodity_group"]] / 1e3
    totals = _nearest(tables["trade"], ["exporter", "importer"], base_year)
    total = {(row["exporter"], row["importer"]): row["value_musd"] for row in totals}
    split: dict[tuple[str, str], dict[str, float]] = {}
    for row in _nearest(tables["trade_goods"], ["exporter", "importer", "commodity_group"], base_year):
        split.setdefault((row["exporter"], row["importer"]), {})[row["commodity_group"]] = row["value_musd"]
    value = np.zeros((len(sectors), len(at), len(at)))
    rows = []
    for seller in economies:
        for buyer in economies:
            if seller == buyer:
                continue
            pair, i, j = (seller, buyer), at[seller], at[buyer]
            by_goods = split.get(pair) or {name: float(carried[k, i, j]) for k, name in enumerate(goods) if carried[k, i, j] > 0.0}
            known = sum(by_goods.values())
            whole = total.get(pair, known)
            factor = min(1.0, whole / known) if known > 0.0 else 0.0
            basis = "trade_goods" if pair in split else "demand"
            for name, amount in by_goods.items():
                value[sectors.index(name), i, j] = amount * factor
                rows.append((seller, buyer, name, amount * factor, basis))
            value[-1, i, j] = whole - known * factor
            if value[-1, i, j] > 0.0:
                rows.append((seller, buyer, UNSPLIT, float(value[-1, i, j]), "trade"))
    exports, imports = value.sum(axis=(0, 2)), value.sum(axis=1)
    for number, name in enumerate(economies):
        home = max(gdp[name] - float(exports[number]), _LEAST_HOME_SHARE * gdp[name])
        bought = imports[:, number]
        part = bought / bought.sum() if bought.sum() > 0.0 else np.eye(len(sectors))[-1]
        value[:, number, number] = home * part
    elasticity = dict(tables["trade_elasticities"].select("commodity_group", "elasticity_ratio").iter_rows())
    if ANY not in elasticity and any(name not in elasticity for name in goods):
        raise DataError(Problem("trade_elasticities", None, "commodity_group", "needs a row for any, or one for each goods"))
    bought = value.sum(axis=1)
    share = np.divide(value, bought[:, None, :], out=np.zeros_like(value), where=bought[:, None, :] > 0.0)
    for sector, buyer_at in zip(*np.nonzero(bought <= 0.0), strict=True):
        share[sector, buyer_at, buyer_at] = 1.0
    output, spent = value.sum(axis=(0, 2)), value.sum(axis=(0, 1))
    base = TradeBase(
        share=share,
        spending_share=bought / spent,
        output_musd=output,
        deficit_musd=spent - output,
        elasticity=np.array([elasticity.get(name, elasticity.get(ANY, 1.0)) for name in sectors]),
    )
    frame = pl.DataFrame(rows, schema=["exporter", "importer", "commodity_group", "value_musd", "basis"], orient="row")
    return TradeTable(economies, sectors, base, economy_of, frame)


def _nearest(frame: pl.DataFrame, keys: list[str], year: int) -> list[dict[str, Any]]:
    """One row for each key: that of the year nearest to the base year, the earlier of two as near."""
    distance = frame.with_columns((pl.col("year") - year).abs().alias("_distance")).sort([*keys, "_distance", "year"])
    return distance.unique(keys, keep="first", maintain_order=True).to_dicts()
