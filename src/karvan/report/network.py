"""Places, links and facilities of a run, as the screen draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor, Ranges, read_ranges
from karvan.results import SavedRun
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE, PRICE_FLOOR_USD_PER_T
from karvan.schema import ANY

_DIGITS, _DIGITS_OF_GOODS = 6, 4
_LEAST_KT = 0.05
_FACILITY_COLUMNS = ("flow", "capacity", "turned_away", "shadow_price_usd_per_unit", "shadow_price_usd_per_t", "scarcity_wait_h", "delay_h")
_FACILITY_INPUTS = ("nominal", "availability_share", "payload_share", "peak_factor", "other_load")
_LINK_INPUTS = ("length_km", "time_h")


_Goods = dict[str, dict[str, dict[int, float]]]
"""Kilotonnes by link, goods and year."""


def short(value: float | None, digits: int = _DIGITS) -> float | int:
    """A number to so many significant digits, by default six, which is more than anything drawn or told needs.

    Whole numbers come back as such and nothing as 0, which keeps the document small.
    """
    if value is None:
        return 0
    cut = float(f"{value:.{digits}g}")
    return int(cut) if cut.is_integer() else cut


def links_of(saved: SavedRun, corridor: Corridor, years: Sequence[int]) -> list[dict[str, Any]]:
    """Links that carry anything in any year of either case, or are not open at the start.

    Args:
        saved: The run.
        corridor: Its corridor.
        years: Years of the run, the order of all lists.
    """
    tables = corridor.tables
    frame = saved.frame("links").filter(pl.col("case").is_in(["scenario", "baseline"]))
    flows = {(row["case"], row["link_id"], row["year"]): (row["forward_kt"], row["backward_kt"]) for row in frame.iter_rows(named=True)}
    goods, own_goods = _goods_on_links(saved, corridor)
    names = dict(tables["places"].select("place_id", "name").iter_rows())
    operators = dict(tables["operators"].select("operator_id", "name").iter_rows())
    facilities: dict[str, list[str]] = {}
    for facility, link in tables["facility_uses"].select("facility_id", "link_id").drop_nulls().unique(maintain_order=True).iter_rows():
        facilities.setdefault(link, []).append(facility)
    ranges = read_ranges(tables)
    turns = turns_of(corridor)
    found = []
    for row in tables["links"].iter_rows(named=True):
        link = row["link_id"]
        ways = {case: [flows.get((case, link, year), (0.0, 0.0)) for year in years] for case in ("scenario", "baseline")}
        most = max((sum(pair) for pairs in ways.values() for pair in pairs), default=0.0)
        if most < _LEAST_KT and row["is_open"]:
            continue
        own = own_goods.get(link, {})
        found.append(
            {
                "link_id": link,
                "name": f"{names[row['from_place']]} – {names[row['to_place']]}",
                "from_place": row["from_place"],
                "to_place": row["to_place"],
                "mode": str(row["mode"]),
                "turns": turns.get(link, []),
                "operator": operators.get(row["operator_id"], row["operator_id"]),
                "is_open_at_start": row["is_open"],
                "note": row["note"],
                "facility_ids": facilities.get(link, []),
                "values": _values(ranges, "links", link, row, _LINK_INPUTS),
                "forward_kt": [short(pair[0]) for pair in ways["scenario"]],
                "backward_kt": [short(pair[1]) for pair in ways["scenario"]],
                "baseline_kt": [short(sum(pair)) for pair in ways["baseline"]],
                "corridor_kt": [short(sum(by_year.get(year, 0.0) for by_year in own.values())) for year in years],
                "goods_kt": _goods_by_year(goods.get(link, {}), years),
                "corridor_goods_kt": _goods_by_year(own, years),
            }
        )
    return found


def turns_of(corridor: Corridor) -> dict[str, list[list[float]]]:
    """Points at which links turn, by link: longitude and latitude, from its start to its end."""
    found: dict[str, list[list[float]]] = {}
    for link, lon_deg, lat_deg in (
        corridor.tables["waypoints"].sort("link_id", "point_no").select("link_id", "lon_deg", "lat_deg").iter_rows()
    ):
        found.setdefault(link, []).append([lon_deg, lat_deg])
    return found


def _goods_on_links(saved: SavedRun, corridor: Corridor) -> tuple[_Goods, _Goods]:
    """Kilotonnes of the scenario by link, goods and year, both directions together: flows of routes on the links they pass.

    Returns:
        Of all routes, and of those that cross the headline cordon.
    """
    flows = (
        saved.frame("route_flows", columns=["case", "year", "route_id", "flow_kt"])
        .filter(pl.col("case") == "scenario", pl.col("flow_kt") > 0.0)
        .group_by("route_id", "year")
        .agg(pl.col("flow_kt").sum())
        .sort("route_id", "year")
    )
    demand = corridor.tables["demand"].select(
        "market_id", "origin_region", "destination_region", pl.col("commodity_group").cast(pl.String)
    )  # fmt: skip
    passed = saved.frame("route_steps", columns=["step_no", "kind", "element_id", "direction"]).filter(pl.col("kind") == "link")
    routes = flows.select(pl.col("route_id").unique(maintain_order=True)).with_row_index("route")
    steps = (
        saved.frame("routes", columns=["route_id", "market_id", "steps"])
        .join(routes, on="route_id", validate="1:1")
        .join(demand, on="market_id", validate="m:1")
        .explode("steps")
        .join(passed.select(pl.col("step_no").alias("steps"), "element_id", "direction"), on="steps", validate="m:1")
        .sort("element_id", "commodity_group", "route")
    )
    flow = flows.join(routes, on="route_id", validate="m:1")
    years = flow["year"].unique().sort()
    kt = np.zeros((years.len(), routes.height))
    kt[years.search_sorted(flow["year"]).to_numpy(), flow["route"].to_numpy()] = flow["flow_kt"].to_numpy()
    crossing = steps.filter(_is_counted(corridor)).select("route").unique()
    own = steps.join(crossing, on="route", how="semi", maintain_order="left")
    return _by_link(steps, years.to_list(), kt), _by_link(own, years.to_list(), kt)


def _is_counted(corridor: Corridor) -> pl.Expr:
    """Whether a step of a route crosses the headline cordon, in a direction and with goods that it counts."""
    cordons = corridor.tables["cordons"].filter(pl.col("cordon_id") == corridor.manifest.headline_cordon)
    counted = pl.lit(False)
    for row in cordons.iter_rows(named=True):
        one = pl.col("element_id") == row["link_id"]
        if str(row["direction"]) != "both":
            one &= pl.col("direction") == str(row["direction"])
        for column in ("commodity_group", "origin_region", "destination_region"):
            if row[column] not in {None, ANY}:
                one &= pl.col(column) == row[column]
        counted |= one
    return counted


def _by_link(steps: pl.DataFrame, years: Sequence[int], kt: npt.NDArray[np.float64]) -> _Goods:
    """Sum over steps, which are in the order of links and goods, of what their routes carry, kt, shape (years, routes)."""
    parts = steps.select(pl.struct("element_id", "commodity_group").rle_id().alias("part"), "element_id", "commodity_group", "route")
    names = parts.unique("part", maintain_order=True).select("element_id", "commodity_group").rows()
    part, route = parts["part"].to_numpy(), parts["route"].to_numpy()
    found: _Goods = {}
    for year, carried in zip(years, kt, strict=True):
        sums = np.bincount(part, weights=carried[route], minlength=len(names))
        for (link, goods), total in zip(names, sums.tolist(), strict=True):
            if total > 0.0:
                found.setdefault(link, {}).setdefault(goods, {})[year] = total
    return found


def _goods_by_year(goods: Mapping[str, Mapping[int, float]], years: Sequence[int]) -> dict[str, list[float | int]]:
    carried = {group: [short(by_year.get(year, 0.0), _DIGITS_OF_GOODS) for year in years] for group, by_year in goods.items()}
    return {group: kt for group, kt in sorted(carried.items()) if max(kt) >= _LEAST_KT}


def facilities_of(saved: SavedRun, corridor: Corridor, years: Sequence[int]) -> list[dict[str, Any]]:
    """Every facility with its inputs, and its years in both cases.

    Args:
        saved: The run.
        corridor: Its corridor.
        years: Years of the run, the order of all lists.
    """
    tables = corridor.tables
    frame = saved.frame("facilities").filter(pl.col("case").is_in(["scenario", "baseline"]))
    results = {(row["case"], row["facility_id"], row["year"]): row for row in frame.iter_rows(named=True)}
    operators = dict(tables["operators"].select("operator_id", "name").iter_rows())
    terminal_places = dict(tables["terminals"].select("terminal_id", "place_id").iter_rows())
    uses: dict[str, list[Mapping[str, Any]]] = {}
    for use in tables["facility_uses"].iter_rows(named=True):
        uses.setdefault(use["facility_id"], []).append(use)
    ranges = read_ranges(tables)
    simulated = _simulated(saved, years)
    found = []
    for row in tables["facilities"].iter_rows(named=True):
        key = row["facility_id"]
        own = uses.get(key, [])
        found.append(
            {
                "facility_id": key,
                "name": row["name"],
                "kind": str(row["kind"]),
                "unit": str(row["unit"]),
                "operator": operators.get(row["operator_id"], row["operator_id"]),
                "is_public": row["is_public"],
                "note": row["note"],
                "place_ids": _unique([row["place_id"], *(terminal_places.get(use["terminal_id"]) for use in own)]),
                "link_ids": _unique([use["link_id"] for use in own]),
                "values": _values(ranges, "facilities", key, row, _FACILITY_INPUTS),
                "scenario": _years(results, "scenario", key, years),
                "baseline": _years(results, "baseline", key, years),
                "simulated": simulated.get(key),
            }
        )
    return found


def _simulated(saved: SavedRun, years: Sequence[int]) -> dict[str, dict[str, list[float | int]]]:
    """Of facilities whose capacity was simulated, year by year in the scenario: half its 95% interval, and the nominal one."""
    rows = [row for row in saved.report.get("capacities", {}).get("simulated", []) if row["case"] == "scenario"]
    by_year = {(row["facility_id"], row["year"]): row for row in rows}
    return {
        name: {
            key: [short(by_year.get((name, year), {}).get(column)) for year in years]
            for key, column in (("half", "saturation_half"), ("nominal", "nominal"))
        }
        for name in dict.fromkeys(row["facility_id"] for row in rows)
    }


def _years(results: Mapping[tuple[str, str, int], Mapping[str, Any]], case: str, facility: str, years: Sequence[int]) -> dict[str, Any]:
    rows = [results.get((case, facility, year), {}) for year in years]
    return {
        **{name: [short(row.get(name)) for row in rows] for name in _FACILITY_COLUMNS},
        "is_full": [row.get("shadow_price_usd_per_t", 0.0) > PRICE_FLOOR_USD_PER_T for row in rows],
        "is_on_corridor": [row.get("corridor_share", 0.0) >= CORRIDOR_FLOOR_SHARE for row in rows],
    }


def places_of(corridor: Corridor, links: Iterable[Mapping[str, Any]], facilities: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Places at the ends of links or where facilities stand, with the kilotonnes of the busiest year, by which labels are chosen."""
    busiest: dict[str, float] = {}
    for link in links:
        most = max((a + b for a, b in zip(link["forward_kt"], link["backward_kt"], strict=True)), default=0.0)
        for end in (link["from_place"], link["to_place"]):
            busiest[end] = max(busiest.get(end, 0.0), most)
    for facility in facilities:
        for place in facility["place_ids"]:
            busiest.setdefault(place, 0.0)
    return [
        {
            "place_id": row["place_id"],
            "name": row["name"],
            "country": row["country"],
            "lon_deg": row["lon_deg"],
            "lat_deg": row["lat_deg"],
            "busiest_kt": short(busiest[row["place_id"]]),
        }
        for row in corridor.tables["places"].iter_rows(named=True)
        if row["place_id"] in busiest
    ]


def _values(ranges: Ranges, table: str, key: str, row: Mapping[str, Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Single inputs with where they come from and how far they may be off."""
    found = []
    for column in columns:
        if row[column] is None:
            continue
        single = ranges.single.get((table, key, column))
        ends = ranges.of(table, key, column, value=row[column], confidence=row["confidence"])
        found.append(
            {
                "column": column,
                "value": row[column],
                "low": None if ends is None else ends.low,
                "high": None if ends is None else ends.high,
                "confidence": str((single or row)["confidence"]),
                "source": (single or row)["source"],
                "note": None if single is None else single["note"],
            }
        )
    return found


def _unique(names: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name))


_NARROW, _WIDE = 3.0, 2.0
_MAIN_SHARE = 0.15
_OCEAN = "deep_sea"


def views_of(corridor: Corridor, places: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Boxes in degrees (west, south, east, north) that a map opens on: the corridor, its headline crossing, and everything but oceans.

    Args:
        corridor: The corridor.
        places: Places of the screen.
        links: Links of the screen.
    """
    at = {place["place_id"]: (place["lon_deg"], place["lat_deg"]) for place in places}
    counted = set(corridor.tables["cordons"].filter(pl.col("cordon_id") == corridor.manifest.headline_cordon)["link_id"])
    most = max((max(link["corridor_kt"]) for link in links), default=0.0)
    main = [link for link in links if max(link["corridor_kt"]) >= _MAIN_SHARE * most and link["mode"] != _OCEAN]
    by_name = {
        "corridor": (main, _WIDE),
        "crossing": ([link for link in links if link["link_id"] in counted], _NARROW),
        "whole": ([link for link in links if link["mode"] != _OCEAN], _WIDE),
    }
    found = {}
    for name, (chosen, margin) in by_name.items():
        ends = [at[link[end]] for link in chosen or links for end in ("from_place", "to_place")]
        lons, lats = [end[0] for end in ends], [end[1] for end in ends]
        found[name] = [min(lons) - margin, min(lats) - margin, max(lons) + margin, max(lats) + margin]
    return found
