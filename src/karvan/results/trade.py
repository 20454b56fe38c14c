"""How trade answers to what carrying goods costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded


@dataclass(frozen=True)
class Trade:
    """Trade of a corridor's countries, and of two of them against what was promised.

    Attributes:
        scenario_id: In which scenario.
        pair: The two regions whose trade is told.
        target_musd: What was promised, if anything was.
        outlook: Trade of the pair by year, both ways together, with what growth, transport, tariffs and joint ventures add to the base
            year's; they add up.
        goods: The same by goods and direction, with factors on value and tonnes.
        incomes: Real income, wages and prices of each economy by year, as factors.
        corridor: Tonnes of the corridor without and with the answer of trade, and the rounds that it took.
        ventures: What each joint venture that is not in the scenario would add.
        table: Trade of the base year by goods and what its split rests on.
        growth: Growth of demand by group of markets, with its range.
        forecasts: What was officially expected, what came, and what the model has where it has the year.
        demand: What there is to move by year and group of growth, kt: of the base year, of the year with its range, and with the answer
            of trade.
        replaced: What was replaced in the case.
    """

    scenario_id: str
    pair: tuple[str, str]
    target_musd: float | None
    outlook: pl.DataFrame
    goods: pl.DataFrame
    incomes: pl.DataFrame
    corridor: pl.DataFrame
    ventures: pl.DataFrame
    table: pl.DataFrame
    growth: pl.DataFrame
    forecasts: pl.DataFrame
    demand: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        frames = ("outlook", "goods", "incomes", "corridor", "ventures", "table", "growth", "forecasts", "demand")
        told: dict[str, Any] = {"scenario_id": self.scenario_id, "pair": list(self.pair), "target_musd": self.target_musd}
        told |= {name: getattr(self, name).to_dicts() for name in frames}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
