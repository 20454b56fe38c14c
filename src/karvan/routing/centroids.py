"""Where goods start and end: centroids of regions, and the markets between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from karvan.errors import DataError, Problem
from karvan.schema import ANY

CONTAINER = "container"
BOXED = "boxed"


@dataclass(frozen=True)
class Centroid:
    """One end of markets: a place with a share of its region's goods, or all alternatives of a region together.

    Attributes:
        region_id, side, commodity_group: The set of region_places rows it belongs to; side and goods as written there.
        node_id: The place, or the region where the rows are alternatives.
        rows: Its rows in region_places.
        units: Loading unit of each of these rows, or any.
        shares: Share of each row, or None for alternatives.
    """

    region_id: str
    side: str
    commodity_group: str
    node_id: str
    rows: tuple[int, ...]
    units: tuple[str, ...]
    shares: tuple[float, ...] | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from all others."""
        return (self.region_id, self.side, self.commodity_group, self.node_id)


def centroids(tables: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str, str], tuple[Centroid, ...]]:
    """Centroids by (region, side, goods) as written in region_places, each set sorted by node_id."""
    rows_of: dict[tuple[str, str, str], dict[str, list[int]]] = {}
    table = tables["region_places"]
    units = table["loading_unit"].cast(pl.String).to_list()
    shares = table["share"].to_list()
    columns = zip(table["region_id"], table["side"].cast(pl.String), table["commodity_group"], table["place_id"], shares, strict=True)
    for row, (region, side, commodity, place, share) in enumerate(columns):
        node = region if share is None else place
        rows_of.setdefault((region, side, commodity), {}).setdefault(node, []).append(row)
    return {
        key: tuple(
            Centroid(
                *key, node_id=node, rows=tuple(rows), units=tuple(units[row] for row in rows),
                shares=None if shares[rows[0]] is None else tuple(shares[row] for row in rows),
            )
            for node, rows in sorted(nodes.items())
        )
        for key, nodes in sorted(rows_of.items())
    }  # fmt: skip


def centroids_of(
    known: Mapping[tuple[str, str, str], tuple[Centroid, ...]], region_id: str, side: str, commodity_group: str
) -> tuple[Centroid, ...]:
    """Centroids that serve a region's goods on one side: rows for these goods win over any, rows for this side over both."""
    for goods in (commodity_group, ANY):
        for written in (side, "both"):
            if (region_id, written, goods) in known:
                return known[(region_id, written, goods)]
    return ()


def units_of_form(units: list[str], form: str) -> tuple[str, ...]:
    """Loading units that a form may use: boxed only containers, loose everything else."""
    return tuple(unit for unit in units if (unit == CONTAINER) == (form == BOXED))


def centroid_markets(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One row per market, origin centroid and destination centroid with a share above zero, sorted by these ids.

    The share is the product of the shares at both ends. Where some of a region's rows are for loading units that the market
    cannot use, the others take their part.

    Returns:
        market_id, demand_row, origin_region, destination_region, commodity_group, form, origin_node, destination_node, share,
        and origin_key, destination_key: side and goods of the region_places rows, joined by '/'.

    Raises:
        DataError: A region has no place for goods that start or end there.
    """
    known = centroids(tables)
    units_of: dict[str, list[str]] = {}
    for goods, unit in tables["commodity_units"].select("commodity_group", pl.col("loading_unit").cast(pl.String)).iter_rows():
        units_of.setdefault(goods, []).append(unit)
    demand = tables["demand"].select("market_id", "origin_region", "destination_region", "commodity_group", pl.col("form").cast(pl.String))
    problems: list[Problem] = []
    rows: list[tuple[object, ...]] = []

    @cache
    def usable_at(region: str, side: str, commodity: str, form: str) -> list[tuple[Centroid, float]]:
        return _usable(centroids_of(known, region, side, commodity), units_of_form(units_of.get(commodity, []), form))

    for row, (market, origin_region, destination_region, commodity, form) in enumerate(demand.iter_rows()):
        ends = []
        for region, side in ((origin_region, "origin"), (destination_region, "destination")):
            usable = usable_at(region, side, commodity, form)
            if not usable:
                message = f"no row of region_places ties {region} to a place for {form} {commodity} ({side} side); add one"
                problems.append(Problem("demand", row + 1, f"{side}_region", message))
            ends.append(usable)
        for start, start_share in ends[0]:
            for end, end_share in ends[1]:
                keys = (f"{start.side}/{start.commodity_group}", f"{end.side}/{end.commodity_group}")
                labels = (market, row, origin_region, destination_region, commodity, form)
                rows.append((*labels, start.node_id, end.node_id, start_share * end_share, *keys))
    if problems:
        raise DataError(problems)
    schema = {
        "market_id": pl.String, "demand_row": pl.Int64, "origin_region": pl.String, "destination_region": pl.String,
        "commodity_group": pl.String, "form": pl.String, "origin_node": pl.String, "destination_node": pl.String, "share": pl.Float64,
        "origin_key": pl.String, "destination_key": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("market_id", "origin_node", "destination_node")


def _usable(found: tuple[Centroid, ...], units: tuple[str, ...]) -> list[tuple[Centroid, float]]:
    """Centroids that take one of the units, with their shares; what unusable rows leave is spread over the usable ones."""
    shares: list[tuple[Centroid, float]] = []
    total, usable_total = 0.0, 0.0
    for centroid in found:
        fits = [unit == ANY or unit in units for unit in centroid.units]
        if centroid.shares is None:
            if any(fits):
                shares.append((centroid, 1.0))
            continue
        total += sum(centroid.shares)
        usable = sum(share for share, fit in zip(centroid.shares, fits, strict=True) if fit)
        usable_total += usable
        if usable > 0.0:
            shares.append((centroid, usable))
    if usable_total <= 0.0:
        return shares
    return [(centroid, share if centroid.shares is None else share * (total / usable_total)) for centroid, share in shares]
