"""What there is to move in a year by group of markets, with its range and with what trade answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from karvan.assignment import Clearing
from karvan.study.clear import Cleared


def demand_outlook(base: pl.DataFrame, ends: Mapping[str, pl.DataFrame], cleared: Cleared, answered: Clearing) -> list[dict[str, Any]]:
    """Rows by group of growth: tonnes of the base year, of the year with their range, and the factor that the answer of trade adds.

    Args:
        base: Table `demand` of the base year.
        ends: The same of the year with growth `mid`, `low` and `high`.
        cleared: The market of the year.
        answered: That market with the answer of trade.
    """
    group_of = dict(base.select("market_id", "growth_id").iter_rows())
    wanted = {name: _by_group(frame) for name, frame in {"base": base, **ends}.items()}
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    # behind the markets of goods stand those of empties, which have no group
    demands = zip(cleared.clearing.market_demand_kt.tolist(), answered.market_demand_kt.tolist(), strict=True)
    for (market_id, *_), (was, becomes) in zip(cleared.routed.sets.market_ids, demands, strict=False):
        group = group_of.get(market_id)
        if group is not None:
            before[group] = before.get(group, 0.0) + was
            after[group] = after.get(group, 0.0) + becomes
    rows = []
    for group in sorted(wanted["base"]):
        factor = after[group] / before[group] if before.get(group, 0.0) > 0.0 else 1.0
        flow = {f"{name}_kt": found.get(group, 0.0) for name, found in wanted.items()}
        rows.append({"growth_id": group, **flow, "trade_factor": factor, "with_trade_kt": flow["mid_kt"] * factor})
    return rows


def _by_group(demand: pl.DataFrame) -> dict[str, float]:
    return dict(demand.group_by("growth_id", maintain_order=True).agg(pl.col("flow_kt").sum()).iter_rows())
