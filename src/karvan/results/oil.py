"""What crude oil does in a year, and what it loses when a route is interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded


@dataclass(frozen=True)
class Oil:
    """Crude oil of a corridor.

    Attributes:
        year, scenario_id: When and in which scenario.
        reference_usd_per_bbl, reference_usd_per_t: Price of the reference crude.
        ladder: Netback of every market by every route family, the best first: charges, what the outlet fetches less, netback by tonne and
            barrel, what it carries, what it pays at full facilities, days that its tanks last.
        limits: Facilities that crude uses and that are full, with their prices.
        flows: Flow by route family and year.
        earners: What crude pays to each operator, by country.
        designs: Flow by route family in each design.
        disruptions: What each disruption moves, shuts in and costs, and what a second route saves of it in a mean year.
        replaced: What was replaced in the case.
    """

    year: int
    scenario_id: str
    reference_usd_per_bbl: float
    reference_usd_per_t: float
    ladder: pl.DataFrame
    limits: pl.DataFrame
    flows: pl.DataFrame
    earners: pl.DataFrame
    designs: pl.DataFrame
    disruptions: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        plain = ("year", "scenario_id", "reference_usd_per_bbl", "reference_usd_per_t")
        frames = ("ladder", "limits", "flows", "earners", "designs", "disruptions")
        told: dict[str, Any] = {name: getattr(self, name) for name in plain}
        told |= {name: getattr(self, name).to_dicts() for name in frames}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
