"""Every declared table of a corridor, by the name of its file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import dataframely as dy
import polars as pl

from karvan import demand, evidence, money, network
from karvan.schema import unit_in_name

TABLES: dict[str, type[dy.Schema]] = {
    "places": network.Places,
    "modes": network.Modes,
    "links": network.Links,
    "waypoints": network.Waypoints,
    "terminals": network.Terminals,
    "facilities": network.Facilities,
    "facility_uses": network.FacilityUses,
    "delay_curves": network.DelayCurves,
    "road_curves": network.RoadCurves,
    "returns": network.Returns,
    "services": network.Services,
    "sailings": network.Sailings,
    "wait_seasons": network.WaitSeasons,
    "fleet": network.Fleet,
    "limits": network.Limits,
    "cabotage": network.Cabotage,
    "systems": network.Systems,
    "berths": network.Berths,
    "crossings": network.Crossings,
    "calls": network.Calls,
    "ships": network.Ships,
    "passages": network.Passages,
    "arrivals": network.Arrivals,
    "closures": network.Closures,
    "sea_levels": network.SeaLevels,
    "operators": network.Operators,
    "tariffs": network.Tariffs,
    "surcharges": network.Surcharges,
    "through_rates": network.ThroughRates,
    "administrations": network.Administrations,
    "tariff_rules": network.TariffRules,
    "economies": demand.Economies,
    "economy_regions": demand.EconomyRegions,
    "trade_goods": demand.TradeGoods,
    "trade_elasticities": demand.TradeElasticities,
    "joint_ventures": demand.JointVentures,
    "forecasts": demand.Forecasts,
    "cordons": network.Cordons,
    "route_families": network.RouteFamilies,
    "journeys": network.Journeys,
    "power_zones": network.PowerZones,
    "power_demand": network.PowerDemand,
    "power_shapes": network.PowerShapes,
    "power_profiles": network.PowerProfiles,
    "power_plants": network.PowerPlants,
    "power_stores": network.PowerStores,
    "power_capacities": network.PowerCapacities,
    "power_lines": network.PowerLines,
    "power_border_costs": network.PowerBorderCosts,
    "crude_prices": network.CrudePrices,
    "crude_outlets": network.CrudeOutlets,
    "oil_disruptions": network.OilDisruptions,
    "regions": demand.Regions,
    "region_places": demand.RegionPlaces,
    "commodities": demand.Commodities,
    "commodity_units": demand.CommodityUnits,
    "demand": demand.Demand,
    "growth": demand.Growth,
    "seasons": demand.Seasons,
    "permissions": demand.Permissions,
    "trade": demand.Trade,
    "calibration_targets": demand.CalibrationTargets,
    "constants": demand.Constants,
    "demand_factors": demand.DemandFactors,
    "base_costs": demand.BaseCosts,
    "discount_rates": money.DiscountRates,
    "carbon_prices": money.CarbonPrices,
    "appraisal_values": money.AppraisalValues,
    "external_costs": money.ExternalCosts,
    "cost_classes": money.CostClasses,
    "project_costs": money.ProjectCosts,
    "funds": money.Funds,
    "fund_partners": money.FundPartners,
    "ventures": money.Ventures,
    "fund_limits": money.FundLimits,
    "sources": evidence.Sources,
    "provenance": evidence.Provenance,
    "default_ranges": evidence.DefaultRanges,
    "observations": evidence.Observations,
    "commitments": evidence.Commitments,
    "currencies": evidence.Currencies,
    "deflators": evidence.Deflators,
    "translations": evidence.Translations,
    "shocks": evidence.Shocks,
}
"""Declaration of each table, in a fixed order; the name is the file's stem."""

OPTIONAL_TABLES = frozenset({
    "waypoints", "returns", "surcharges", "through_rates", "limits", "cabotage", "delay_curves", "road_curves",
    "services", "sailings", "wait_seasons", "fleet", "journeys", "permissions", "seasons", "trade",
    "power_zones", "power_demand", "power_shapes", "power_profiles", "power_plants", "power_stores", "power_capacities", "power_lines",
    "power_border_costs", "crude_prices", "crude_outlets", "oil_disruptions",
    "calibration_targets", "constants", "demand_factors", "base_costs", "provenance", "default_ranges", "observations", "commitments",
    "currencies", "deflators", "translations",
    "administrations", "tariff_rules", "economies", "economy_regions", "trade_goods", "trade_elasticities", "joint_ventures", "forecasts",
    "systems", "berths", "crossings", "calls", "ships", "passages", "arrivals", "closures", "sea_levels",
    "discount_rates", "carbon_prices", "appraisal_values", "external_costs", "cost_classes", "project_costs", "funds", "fund_partners",
    "ventures", "fund_limits",
    "shocks",
})  # fmt: skip
"""Tables whose file may be absent, which means no rows."""


NOT_INPUTS = frozenset(
    {
        "sources",
        "provenance",
        "observations",
        "commitments",
        "constants",
        "demand_factors",
        "base_costs",
        "default_ranges",
        "journeys",
        "through_rates",
        "waypoints",
        "translations",
        "discount_rates",
        "carbon_prices",
        "appraisal_values",
        "external_costs",
        "cost_classes",
        "project_costs",
        "funds",
        "fund_partners",
        "ventures",
        "fund_limits",
        "shocks",
        "tariff_rules",
        "forecasts",
    }
)
"""Tables that are evidence, fitted by the model, only drawn or only told, or money of an appraisal, so that no run rests on them."""


def columns_of(table: str) -> Mapping[str, dy.Column]:
    """Declared columns of a table by name, in declared order."""
    return _columns(TABLES[table])


@cache
def _columns(declared: type[dy.Schema]) -> Mapping[str, dy.Column]:
    """The declaration's columns, read once: the library builds them anew at each call."""
    return MappingProxyType(declared.columns())


def metadata_of(table: str, column: str) -> dict[str, Any]:
    """What the declaration says of a column beside its type."""
    return dict(columns_of(table)[column].metadata or {})


def unit_of(table: str, column: str, row: Mapping[str, Any] | None = None) -> str | None:
    """Unit of a column's numbers, from the declaration or the name; of the row's own unit column where the declaration points there.

    Args:
        table: Name of the table.
        column: Name of the column.
        row: Values of one row by column.
    """
    if not isinstance(columns_of(table)[column], dy.Float64 | dy.Int64):
        return None
    declared = metadata_of(table, column).get("unit")
    if declared is None:
        return unit_in_name(column)
    word, _, rest = str(declared).partition(" ")
    if rest == "column" and row is not None:
        return str(row[word]) if row.get(word) is not None else None
    return str(declared)


def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Types of a table's columns, in declared order."""
    return {name: column.dtype for name, column in columns_of(table).items()}


def header_of(table: str) -> list[str]:
    """Columns in the order in which files have them: source and confidence last."""
    columns = TABLES[table].column_names()
    last = [column for column in ("source", "confidence") if column in columns]
    return [*(column for column in columns if column not in last), *last] if table != "provenance" else columns


def empty_table(table: str) -> pl.DataFrame:
    """A table without rows."""
    return pl.DataFrame(schema=polars_schema(table))


def key_texts(table: str, frame: pl.DataFrame) -> list[str]:
    """Primary key of each row as text, several parts joined by '|', as `provenance` names rows."""
    keys = TABLES[table].primary_key()
    parts = [frame[key].cast(pl.String).fill_null("").to_list() for key in keys]
    return ["|".join(row) for row in zip(*parts, strict=True)]


def nearest(word: str, known: Iterable[str]) -> str:
    """Text that names the closest known words, ready to end a message; empty if none is close."""
    close = nearest_words(word, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def nearest_words(word: str, known: Iterable[str]) -> list[str]:
    """The closest known words, at most two."""
    return difflib.get_close_matches(word, sorted(set(known)), n=2, cutoff=0.6)
