"""What administrations charge along a corridor, apart and together, and what each has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded

REGIMES = ("national", "nash", "through", "welfare")
"""Charges as they are; each administration for itself; one through tariff; the tariff that is best for all."""


@dataclass(frozen=True)
class Tariffs:
    """A game of tariffs, year by year.

    Attributes:
        scenario_id, commodity_group, cordon_id: What it is about.
        regimes: What each regime carries, earns and is worth: year, regime, tonnes, boxes, margins, profit, welfare, and the change of
            welfare against today as the sum of all parties' gains and as the market tells it.
        margins: Margin of each administration in each regime, USD per tonne and box, what it earns, and what it would gain alone.
        parties: What shippers, administrations and owners have in each regime, and what they gain on today; gains add up to welfare.
        accounts: Revenue of each operator by goods, in each regime.
        splits: What each administration has today, apart and from one tariff; what bargaining and Shapley would give it, the payments
            that bring it there, and the least payments at which nobody has less than today.
        alliances: What groups of some administrations earn together against the rest.
        full: Places that are full on the way, with their prices.
        stack: Charges of the largest flows by operator along the way.
        checks: How far the quick market of the search is from the whole one.
        replaced: What was replaced in the case.
    """

    scenario_id: str
    commodity_group: str
    cordon_id: str
    regimes: pl.DataFrame
    margins: pl.DataFrame
    parties: pl.DataFrame
    accounts: pl.DataFrame
    splits: pl.DataFrame
    alliances: pl.DataFrame
    full: pl.DataFrame
    stack: pl.DataFrame
    checks: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        plain = ("scenario_id", "commodity_group", "cordon_id")
        frames = ("regimes", "margins", "parties", "accounts", "splits", "alliances", "full", "stack", "checks")
        told: dict[str, Any] = {name: getattr(self, name) for name in plain}
        told |= {name: getattr(self, name).to_dicts() for name in frames}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
