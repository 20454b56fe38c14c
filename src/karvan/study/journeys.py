"""Named journeys leg by leg in a year, each by the cheapest route of its family."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from karvan.corridor import Snapshot
from karvan.results import LEG_SCHEMA
from karvan.routing import RouteSetOptions, RouteSets, build_graph, first_routes, in_month, legs, payloads, route_space
from karvan.schema import ANY, LOADING_UNITS

_ANY_FAMILY = RouteSetOptions(market_bound=float("inf"))


def journey_legs(snapshot: Snapshot, *, co2_price_usd_per_t: float, month: int | None = None) -> pl.DataFrame:
    """Legs of every journey of the corridor that can be made in a year, or in a month of it.

    A journey starts and ends at its places, whatever the regions of the case, so rules about regions do not bind it; closed links and
    rules about countries, links and terminals do. Its route is the cheapest of its family by generalised cost without scarcity, of all
    families where it names none.

    Args:
        snapshot: The corridor in a year.
        co2_price_usd_per_t: Carbon price in the choice of route.
        month: 1 to 12, whose waits hold; those of the mean year without.

    Returns:
        One row a leg, columns as LEG_SCHEMA; a journey without a route has no rows.
    """
    table = snapshot.tables["journeys"]
    rows: list[dict[str, object]] = []
    for (mode,), group in table.sort("journey_id").group_by("carec_mode", maintain_order=True):
        tables = _tables_of_journeys(snapshot.tables, group, None if mode is None else str(mode))
        graph = build_graph(tables) if month is None else in_month(build_graph(tables), tables, month)
        space = route_space(
            graph, tables, date=snapshot.state_date, co2_price_usd_per_t=co2_price_usd_per_t, options=_ANY_FAMILY
        )  # fmt: skip
        sets = first_routes(space)
        markets = {market: position for position, (market, _, _) in enumerate(sets.market_ids)}
        for journey in group.iter_rows(named=True):
            route = _cheapest(sets, markets[journey["journey_id"]], journey["family_id"])
            if route is not None:
                payload_t = float(payloads(tables)[journey["commodity_group"]][LOADING_UNITS.index("container")])
                rows += [
                    {
                        "journey_id": journey["journey_id"],
                        "year": snapshot.year,
                        "leg": number,
                        "family_id": sets.family_ids[int(sets.route_family[route])],
                        **{key: leg[key] for key in LEG_SCHEMA if key in leg},
                        "charge_usd_per_t": leg["tariff_usd_per_t"] + leg["handling_usd_per_t"],
                        "payload_t_per_teu": payload_t if journey["form"] == "boxed" else None,
                    }
                    for number, leg in enumerate(legs(space, tables, sets, route), start=1)
                ]
    return pl.DataFrame(rows, schema=LEG_SCHEMA).sort("journey_id", "leg")


def _cheapest(sets: RouteSets, market: int, family_id: str | None) -> int | None:
    first, end = int(sets.market_first_route[market]), int(sets.market_first_route[market + 1])
    fitting = [route for route in range(first, end) if family_id in (None, sets.family_ids[int(sets.route_family[route])])]
    return min(fitting, key=lambda route: (float(sets.cost_usd_per_t[route]), route), default=None)


def _tables_of_journeys(tables: Mapping[str, pl.DataFrame], journeys: pl.DataFrame, mode: str | None) -> dict[str, pl.DataFrame]:
    """The tables with journeys in place of demand, a region for each of their ends, and only the links of a mode if one is given."""
    ends = sorted({*journeys["origin_place"], *journeys["destination_place"]})
    region_places = pl.DataFrame({"region_id": [f"at_{place}" for place in ends], "place_id": ends}).with_columns(
        side=pl.lit("both"),
        commodity_group=pl.lit(ANY),
        loading_unit=pl.lit(ANY),
        share=pl.lit(1.0),
        access_cost_usd_per_t=pl.lit(0.0),
        access_time_h=pl.lit(0.0),
    )
    demand = journeys.select(
        market_id="journey_id",
        origin_region=pl.concat_str(pl.lit("at_"), "origin_place"),
        destination_region=pl.concat_str(pl.lit("at_"), "destination_place"),
        commodity_group="commodity_group",
        form="form",
    )
    nobody = pl.lit(None, dtype=pl.String)
    families = tables["route_families"].with_columns(ends_a=nobody, ends_b=nobody)
    links = tables["links"]
    if mode is not None:
        links = links.with_columns(is_open=pl.col("is_open") & (pl.col("mode").cast(pl.String) == mode))
    return {**tables, "region_places": region_places, "demand": demand, "route_families": families, "links": links}
