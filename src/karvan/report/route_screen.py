"""The document of a shipper's answer: what `karvan route --json` prints, and what a screen needs to draw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.report.names import names_in
from karvan.report.network import short, turns_of
from karvan.results import ShippingAnswer

SCHEMA = 1
"""Grows by one when a key changes its meaning or goes; new keys alone leave it."""

_STOPS = ("waiting", "border", "gauge", "port")
_HOURS_PER_DAY = 24.0


def route_screen(found: ShippingAnswer, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What report and app show of an answer to a shipper; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.route` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    told = found.as_dict()
    ways = [*told["options"], *(item["opens"] for item in told["rejected"])]
    for way in ways:
        way["profile"] = profile(way["legs"])
    legs = [leg for way in ways for leg in way["legs"]]
    links = _links(corridor, {link for leg in legs for link in leg["links"]})
    ends = {found.origin.place_id, found.destination.place_id}
    ends |= {place for leg in legs for place in (leg["from"], leg["to"])}
    ends |= {link[end] for link in links for end in ("from_place", "to_place")}
    document = {
        "kind": "karvan-route",
        "schema": SCHEMA,
        "version": version,
        "corridor_title": corridor.manifest.title,
        "corridor_hash": corridor.hash,
        "scenario_title": load_scenario(found.scenario_id, corridor).title,
        "commodity_name": found.commodity_name,
        **told,
        "families": _names(corridor, "route_families", "family_id", (way["family_id"] for way in ways)),
        "operators": _names(corridor, "operators", "operator_id", (leg["operator"] for leg in legs)),
        "places": _rows(corridor, "places", "place_id", ends, ("place_id", "name", "country", "lon_deg", "lat_deg")),
        "links": links,
    }
    return {**document, "names": names_in(document, corridor)}


def profile(legs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Running distance and days of a way by cause: stops stand still, only moving goes on.

    Args:
        legs: Of an option, in travel order; of each the stops come before what it moves.

    Returns:
        Points `distance_km`, `time_d`, `cause` (of what leads to the point; None at the start) and `place`; the last is the way's
        length and mean time.
    """
    if not legs:
        return []
    distance_km = time_h = 0.0
    found = [_point(0.0, 0.0, None, legs[0]["from_name"])]
    for leg in legs:
        for cause in _STOPS:
            if leg[f"{cause}_h"] > 0.0:
                time_h += leg[f"{cause}_h"]
                found.append(_point(distance_km, time_h, cause, leg["from_name"]))
        if leg["moving_h"] > 0.0 or leg["length_km"] > 0.0:
            distance_km, time_h = distance_km + leg["length_km"], time_h + leg["moving_h"]
            found.append(_point(distance_km, time_h, "moving", leg["to_name"]))
    return found


def _point(distance_km: float, time_h: float, cause: str | None, place: str) -> dict[str, Any]:
    return {"distance_km": short(distance_km), "time_d": short(time_h / _HOURS_PER_DAY), "cause": cause, "place": place}


def _links(corridor: Corridor, ids: Iterable[str]) -> list[dict[str, Any]]:
    turns = turns_of(corridor)
    rows = _rows(corridor, "links", "link_id", ids, ("link_id", "from_place", "to_place", "mode"))
    return [{**row, "turns": turns.get(row["link_id"], [])} for row in rows]


def _names(corridor: Corridor, table: str, key: str, ids: Iterable[str | None]) -> dict[str, str]:
    return {row[key]: row["name"] for row in _rows(corridor, table, key, (name for name in ids if name is not None), (key, "name"))}


def _rows(corridor: Corridor, table: str, key: str, ids: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Some columns of some rows of a table, in its order."""
    kept = corridor.tables[table].filter(pl.col(key).is_in(sorted(set(ids)))).select(columns)
    return [{name: str(value) if name == "mode" else value for name, value in row.items()} for row in kept.iter_rows(named=True)]
