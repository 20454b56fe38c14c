"""What one scenario gives, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from karvan.markup import html_paragraphs, html_table

REACHED_TOLERANCE = 1e-5
"""A target is reached when it is missed by no more than this share: the solver's own tolerance is 1e-6."""

PRICE_FLOOR_USD_PER_T = 1e-3
"""A facility is full if a tonne pays more than this for its place."""

CORRIDOR_FLOOR_SHARE = 0.02
"""A facility stands on the corridor if at least this share of what it carries crosses the headline cordon."""

ROUTE_GAP = 1e-3
"""Largest share of a market that a route left out may take; years above it are told as no answer."""


@dataclass(frozen=True)
class YearResult:
    """The cleared market of one year.

    Attributes:
        year: Calendar year.
        corridor_mt: Tonnes over the headline cordon, million.
        containers_teu: Loaded boxes over it, TEU.
        crude_mt: Crude over it, million tonnes.
        corridor_latent_mt: Tonnes over it if no facility had a limit, million.
        crossings: cordon_id, origin_region, destination_region, commodity_group, form, flow_kt, flow_kteu over every cordon, and of flow_kt
            what also crosses the headline cordon, on_corridor_kt.
        facilities: One row a facility: facility_id, unit, flow, capacity, modelled_flow, modelled_kt, turned_away,
            shadow_price_usd_per_unit, shadow_price_usd_per_t, scarcity_wait_h, delay_h (hours more than its times say), corridor_share
            (of its tonnes, those that also cross the headline cordon). `modelled_flow` holds empties, `empty_flow` tells them apart.
        families: commodity_group, family_id, flow_kt.
        blocks: block, flow_kt over the headline cordon.
        links: link_id, forward_kt, backward_kt.
        operators: operator_id, revenue_musd.
        regions: origin_region, destination_region, commodity_group, family_id, flow_kt.
        components: family_id, commodity_group, share of generalised cost by component, USD/t mean.
        open_links: Links open at the end of that year.
        shipped_share: Lowest share of a market's goods that is shipped.
        estimated_shares: How much of the headline cordon rests on estimated rows: `tonnes` in markets whose base-year flow is one,
            `charges` paid by its routes, `hours` spent on them, and `rent` of facilities whose capacity is one.
        max_violation, complementarity: Solver quality r1 and r2.
        welfare_musd: Consumer surplus and rent, million USD.
        rent_musd: Rent of scarce facilities, million USD.
        route_gap: Largest share of its market that a route left out would take; NaN for corner runs, on their scenario's routes.
        is_settled: Delays and flows fit each other; if not, the year is told as not converged.
        queue: If scarcity were a queue that nobody earns, on the same routes and delays: `corridor_mt` over the headline cordon,
            `welfare_musd`,
            and `waiting_musd`, what the queues would cost who waits; None where it was not asked for.
    """

    year: int
    corridor_mt: float
    containers_teu: float
    crude_mt: float
    corridor_latent_mt: float
    crossings: pl.DataFrame
    facilities: pl.DataFrame
    families: pl.DataFrame
    blocks: pl.DataFrame
    links: pl.DataFrame
    operators: pl.DataFrame
    regions: pl.DataFrame
    components: pl.DataFrame
    open_links: frozenset[str]
    shipped_share: float
    estimated_shares: Mapping[str, float]
    max_violation: float
    complementarity: float
    welfare_musd: float
    rent_musd: float
    route_gap: float
    is_settled: bool
    queue: Mapping[str, float] | None

    @property
    def cordons(self) -> Mapping[str, float]:
        """Tonnes over every cordon, kt, by cordon_id."""
        return self._over_cordons("flow_kt")

    @property
    def cordons_on_corridor(self) -> Mapping[str, float]:
        """Of the tonnes over every cordon those that also cross the headline cordon, kt, by cordon_id."""
        return self._over_cordons("on_corridor_kt")

    def _repr_html_(self) -> str:
        """What a notebook shows: the year's totals, and what is full on the corridor."""
        totals = (
            f"{self.year}: {self.corridor_mt:.2f} Mt over the headline cordon, {self.crude_mt:.2f} of it crude oil;"
            f" {self.containers_teu:,.0f} TEU; {self.corridor_latent_mt:.2f} Mt if nothing were full."
        )
        told = [totals] if self.is_settled else [totals, "Not an answer: delays and flows did not settle."]
        rows = [
            (row["facility_id"], f"{row['flow']:,.1f}", f"{row['capacity']:,.1f}", f"{row['turned_away']:,.1f}", row["unit"],
             f"{row['shadow_price_usd_per_t']:,.1f}")
            for row in self.full_facilities.sort("shadow_price_usd_per_t", descending=True).iter_rows(named=True)
        ]  # fmt: skip
        head = ["facility", "carried", "capacity", "turned away", "unit", "one more tonne, USD"]
        return html_paragraphs(told) + html_table("Full on the corridor", head, rows)

    def _over_cordons(self, column: str) -> dict[str, float]:
        summed = self.crossings.group_by("cordon_id", maintain_order=True).agg(pl.col(column).sum()).sort("cordon_id")
        return dict(summed.select("cordon_id", column).iter_rows())

    @property
    def full_facilities(self) -> pl.DataFrame:
        """Rows of `facilities` that stand on the corridor and are full, in their order."""
        is_full = pl.col("shadow_price_usd_per_t") > PRICE_FLOOR_USD_PER_T
        return self.facilities.filter(is_full & (pl.col("corridor_share") >= CORRIDOR_FLOOR_SHARE))


@dataclass(frozen=True)
class Outlook:
    """A scenario's years, with one end of the growth ranges."""

    scenario_id: str
    title: str
    growth: str
    years: tuple[YearResult, ...]

    def in_year(self, year: int) -> YearResult:
        return next(result for result in self.years if result.year == year)

    def first_year_at(self, corridor_mt: float) -> int | None:
        """First year in which the headline cordon carries so many million tonnes, to the solver's tolerance."""
        return next((result.year for result in self.years if result.corridor_mt >= corridor_mt * (1.0 - REACHED_TOLERANCE)), None)

    def frame(self, name: str) -> pl.DataFrame:
        """One of the yearly frames, stacked, with scenario_id, growth and year in front."""
        frames: list[pl.DataFrame] = [getattr(result, name) for result in self.years]
        parts = [
            frame.select(
                pl.lit(self.scenario_id).alias("scenario_id"),
                pl.lit(self.growth).alias("growth"),
                pl.lit(result.year).alias("year"),
                pl.all(),
            )
            for result, frame in zip(self.years, frames, strict=True)
        ]
        return pl.concat(parts)
