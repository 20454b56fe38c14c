"""Small complete tables, made by hand, for tests of routing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from karvan import demand, network
from karvan.routing import (
    RouteSetOptions,
    RouteSets,
    RouteSpace,
    Standing,
    at_rest,
    build_graph,
    entered,
    first_routes,
    route_space,
)
from karvan.schema import Table

DATE = datetime.date(2024, 7, 1)

SCHEMAS: dict[str, type[Table]] = {
    "places": network.Places, "modes": network.Modes, "links": network.Links, "terminals": network.Terminals,
    "facilities": network.Facilities, "facility_uses": network.FacilityUses, "returns": network.Returns, "operators": network.Operators,
    "tariffs": network.Tariffs, "cordons": network.Cordons, "route_families": network.RouteFamilies,
    "regions": demand.Regions, "region_places": demand.RegionPlaces, "commodities": demand.Commodities,
    "commodity_units": demand.CommodityUnits, "demand": demand.Demand, "permissions": demand.Permissions,
}  # fmt: skip

USUAL: dict[str, dict[str, Any]] = {
    "places": {"country": "AA", "lon_deg": 0.0, "lat_deg": 0.0},
    "modes": {"co2e_ttw_kg_per_tkm": 0.01, "co2e_wtw_kg_per_tkm": 0.02, "time_sd_share": 0.0},
    "links": {"mode": "rail", "gauge": "1520", "length_km": 100.0, "time_h": 10.0, "is_open": True, "operator_id": "op"},
    "terminals": {
        "kind": "port", "from_mode": "any", "from_gauge": "any", "from_unit": "any", "to_mode": "any", "to_gauge": "any", "to_unit": "any",
        "is_open": True, "time_h": 0.0, "operator_id": "op",
    },
    "facilities": {"kind": "berth", "operator_id": "op", "unit": "kt", "nominal": 1000.0},
    "facility_uses": {"direction": "both", "commodity_group": "any", "loading_unit": "any"},
    "returns": {"loading_unit": "wagon", "commodities": "any", "empty_usd_per_unit": 100.0, "operator_id": "op"},
    "operators": {"country": "AA"},
    "tariffs": {"operator_id": "op", "link_id": "any", "commodity_group": "any", "loading_unit": "any", "basis": "usd_per_t", "rate": 10.0},
    "cordons": {"direction": "both", "commodity_group": "any", "doc": "A cordon."},
    "route_families": {"commodities": "any"},
    "regions": {"countries": "AA"},
    "region_places": {"side": "both", "commodity_group": "any", "loading_unit": "any", "share": 1.0},
    "commodities": {
        "value_usd_per_t": 1000.0, "capital_share_per_year": 0.1, "depreciation_share_per_year": 0.0, "time_value_factor": 0.0,
        "reliability_ratio": 0.0, "demand_elasticity_ratio": 0.0, "route_theta_per_usd_per_t": 0.05,
        "family_theta_per_usd_per_t": 0.05, "not_shipped_usd_per_t": 1000.0,
    },
    "commodity_units": {"payload_t_per_unit": 1.0},
    "demand": {"form": "loose", "flow_kt": 1.0, "growth_id": "none"},
    "permissions": {"commodity_group": "any", "loading_unit": "any", "origin_region": "any", "destination_region": "any", "rule": "-"},
}  # fmt: skip


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A table with every declared column: usual values, then declared defaults, then null."""
    schema = SCHEMAS[name]
    columns = schema.columns()
    made = []
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"{name} has no column {unknown}"
        filled = {column: (spec.metadata or {}).get("default") for column, spec in columns.items()}
        filled |= {"source": "made_up", "confidence": "estimate", "name": row.get(next(iter(columns)))} | USUAL[name] | row
        made.append({column: filled[column] for column in columns})
    types = schema.create_empty().schema
    return pl.DataFrame(made, schema={column: types[column] for column in columns}, orient="row", strict=True)


def tables(**rows: list[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Complete tables; those not given are empty, but for one operator, rail wagons and grain."""
    given: dict[str, list[dict[str, Any]]] = {
        "operators": [{"operator_id": "op"}],
        "modes": [{"mode": "rail", "loading_unit": "wagon"}],
        "tariffs": [{"tariff_id": "t"}],
        "commodities": [{"commodity_group": "grain"}],
        "commodity_units": [{"commodity_group": "grain", "loading_unit": "wagon", "payload_t_per_unit": 60.0}],
        "route_families": [{"family_id": "other", "order": 99}],
    } | rows
    return {name: frame(name, given.get(name, [])) for name in SCHEMAS}


def places(*names: str, **country_of: str) -> list[dict[str, Any]]:
    return [{"place_id": name, "country": country_of.get(name, "AA")} for name in names]


def link(start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"link_id": f"{start}__{end}", "from_place": start, "to_place": end} | more


def rate(link_id: str, usd_per_t: float, **more: Any) -> dict[str, Any]:
    return {"tariff_id": f"t_{link_id}", "link_id": link_id, "rate": usd_per_t} | more


def market(origin: str, destination: str, **more: Any) -> dict[str, Any]:
    return {
        "market_id": f"{origin}__{destination}",
        "origin_region": origin,
        "destination_region": destination,
        "commodity_group": "grain",
    } | more


def at(region: str, place: str, **more: Any) -> dict[str, Any]:
    return {"region_id": region, "place_id": place} | more


def two_ways(**rows: list[dict[str, Any]]) -> Mapping[str, pl.DataFrame]:
    """Grain from `west` to `east`: over sea (100 USD/t, a ferry berth) or over land (120 USD/t); two families."""
    given: dict[str, list[dict[str, Any]]] = {
        "places": places("a", "b", "c", "d", "m"),
        "regions": [{"region_id": "west"}, {"region_id": "east"}],
        "region_places": [at("west", "a"), at("east", "d")],
        "links": [link("a", "b"), link("b", "c"), link("c", "d"), link("a", "m"), link("m", "d")],
        "tariffs": [rate("a__b", 30.0), rate("b__c", 40.0), rate("c__d", 30.0), rate("a__m", 60.0), rate("m__d", 60.0)],
        "facilities": [{"facility_id": "ferry", "unit": "kwagons"}, {"facility_id": "pass", "unit": "kt"}],
        "facility_uses": [
            {"use_id": "u1", "facility_id": "ferry", "link_id": "b__c"},
            {"use_id": "u2", "facility_id": "pass", "link_id": "m__d"},
        ],
        "route_families": [{"family_id": "sea", "order": 1, "via_any": "b__c"}, {"family_id": "land", "order": 2}],
        "cordons": [{"cordon_id": "crossing", "link_id": "b__c", "direction": "forward"}],
        "demand": [market("west", "east")],
    } | rows
    return tables(**given)


def space_of(made: Mapping[str, pl.DataFrame], *, co2_price_usd_per_t: float = 0.0, **options: Any) -> RouteSpace:
    """The space that routes of some tables are searched in; no route is too dear unless options say so."""
    wide = {"length_bound": 1e6, "market_bound": 1e9} | options
    graph = build_graph(made)
    return route_space(graph, made, date=DATE, co2_price_usd_per_t=co2_price_usd_per_t, options=RouteSetOptions(**wide))


def choices(space: RouteSpace, standing: Standing | None = None) -> RouteSets:
    """All routes that are choices at some prices, at rest unless they are given."""
    sets, standing = first_routes(space), standing or at_rest(space, {})
    while (found := entered(space, sets, standing)).sets is not sets:
        sets = found.sets
    return sets


def routed(made: Mapping[str, pl.DataFrame], **options: Any) -> tuple[RouteSpace, RouteSets]:
    """The space of some tables and all routes that are choices at rest."""
    space = space_of(made, **options)
    return space, choices(space)


def links_of(space, made, sets, route):
    names = made["links"]["link_id"].to_list()
    return [names[space.graph.arc_element[arc]] for arc in sets.arcs_of(route) if space.graph.arc_kind[arc] == 0]


def priced(space, rows, *, delays=None, constants=None):
    """Some rows at a price, USD per unit by name, and some late, hours by name."""

    def spread(by_name):
        return np.array([by_name.get(name, 0.0) for name in space.rows.ids])

    return Standing(spread(rows), spread(delays or {}), np.ones(space.market_count), constants or {})


def one_family(**more):
    return two_ways(route_families=[{"family_id": "all", "order": 1}], **more)
