"""The document of a simulated system: what `karvan simulate --json` prints, and a month of it as a screen draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.report.network import short, turns_of
from karvan.results import Queues

SCHEMA = 1
"""Grows by one when a key changes its meaning or goes; new keys alone leave it."""
STEP_H = 6.0
"""Hours between two values of a stock."""
_WITHOUT = ("capacities", "designs", "design_capacities", "log", "months")


def crossings_screen(found: Queues, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What report and app show of a simulation; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.simulate` gave, with a month hour by hour.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    told = {name: _cut(value) for name, value in found.as_dict().items() if name not in _WITHOUT}
    tables = corridor.tables
    crossings = tables["crossings"].filter(pl.col("system_id") == found.system_id)
    lines = set(crossings["link_id"])
    berths = set(found.berths["berth_id"]) if found.berths.height else set()
    links = _rows(corridor, "links", "link_id", lines, ("link_id", "from_place", "to_place", "mode"))
    turns = turns_of(corridor)
    places = {link[end] for link in links for end in ("from_place", "to_place")}
    places |= set(tables["berths"].filter(pl.col("berth_id").is_in(sorted(berths)))["place_id"].drop_nulls())
    return {
        "kind": "karvan-crossings",
        "schema": SCHEMA,
        "version": version,
        "corridor": corridor.manifest.id,
        "corridor_title": corridor.manifest.title,
        "corridor_hash": corridor.hash,
        "edition": corridor.manifest.version,
        "scenario_title": load_scenario(found.scenario_id, corridor).title,
        **told,
        "capacities": [_cut({key: row[key] for key in row if key != "points"}) for row in found.as_dict()["capacities"]],
        "names": {
            "crossings": dict(crossings.select("crossing_id", "name").iter_rows()),
            "ships": _names(corridor, "ships", "ship_id"),
            "berths": {row["berth_id"]: row["name"] for row in _rows(corridor, "berths", "berth_id", berths, ("berth_id", "name"))},
            "passages": dict(
                tables["passages"].select("passage_id", "name").unique("passage_id", keep="last", maintain_order=True).iter_rows()
            ),
        },
        "lines_of": {row["crossing_id"]: row["link_id"] for row in crossings.iter_rows(named=True)},
        "closed_at": _closed_at(corridor, berths),
        "berth_closures": {
            row["berth_id"]: row["closure_id"] for row in _rows(corridor, "berths", "berth_id", berths, ("berth_id", "closure_id"))
        },
        "berth_places": {
            row["berth_id"]: row["place_id"] for row in _rows(corridor, "berths", "berth_id", berths, ("berth_id", "place_id"))
        },
        "places": _rows(corridor, "places", "place_id", places, ("place_id", "name", "country", "lon_deg", "lat_deg")),
        "links": [{**link, "turns": turns.get(link["link_id"], [])} for link in links],
        "month": _month(found) if found.log else None,
    }


def _month(found: Queues) -> dict[str, Any]:
    """Hours of a month from its start: ships with what they do, berths with their visits lane by lane, closures, stocks every six hours."""
    log = found.log
    first, last = log["from_h"], log["until_h"]

    def ends(row: Mapping[str, Any]) -> list[float | int]:
        return [short(max(row["from_h"] - first, 0.0), 5), short(min(row["until_h"], last) - first, 5)]

    ships: dict[str, dict[str, Any]] = {}
    for row in log["ship_states"].iter_rows(named=True):
        ship = ships.setdefault(
            row["ship"], {"ship": row["ship"], "ship_id": row["ship_id"], "crossing_id": row["crossing_id"], "states": []}
        )
        # of a passage that runs over an end of the month, where on its way the ship is: its own hours are kept
        own = [short(row["from_h"] - first, 6), short(row["until_h"] - first, 6)] if row["state"] == "sailing" else ends(row)
        ship["states"].append([*own, row["state"], row["place_id"], row["to_place"], short(row["units"])])
    servers = dict(found.berths.select("berth_id", "servers_count").iter_rows()) if found.berths.height else {}
    lanes = _lanes(log["berth_visits"], servers)
    return {
        "month": log["month"],
        "hours": last - first,
        "is_whole": log["is_whole"],
        "step_h": STEP_H,
        "ships": list(ships.values()),
        "berths": [
            {"berth_id": berth, "lane": lane, "visits": [[*ends(row), row["ship"]] for row in rows]}
            for (berth, lane), rows in lanes.items()
        ],
        "closed": [{"closure_id": row["closure_id"], "hours": ends(row)} for row in log["closed_times"].iter_rows(named=True)],
        "stocks": {name: _stepped(rows, first, last) for (name,), rows in log["stocks"].group_by("arrival_id", maintain_order=True)},
    }


def _lanes(visits: pl.DataFrame, servers: Mapping[str, float]) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Visits by berth and place in it, each taking the first that is free: berths of one kind are told apart by nothing else."""
    lanes: dict[tuple[str, int], list[dict[str, Any]]] = {
        (berth, lane): [] for berth, count in servers.items() for lane in range(max(1, round(count or 0)))
    }
    for row in visits.sort("berth_id", "from_h", "ship").iter_rows(named=True):
        lane = 0
        while lanes.get((row["berth_id"], lane)) and lanes[row["berth_id"], lane][-1]["until_h"] > row["from_h"] + 1e-9:
            lane += 1
        lanes.setdefault((row["berth_id"], lane), []).append(row)
    used = {berth for berth, _ in (key for key, rows in lanes.items() if rows)}
    return {key: rows for key, rows in sorted(lanes.items()) if key[0] in used}


def _stepped(rows: pl.DataFrame, first: float, last: float) -> list[float | int]:
    """Units in a stock every so many hours: what was last told of it."""
    hours = pl.DataFrame({"hour": [first + STEP_H * number for number in range(int((last - first) / STEP_H) + 1)]})
    found = hours.join_asof(rows.select("hour", "units"), on="hour")["units"].fill_null(0.0)
    return [short(value, 4) for value in found]


def _closed_at(corridor: Corridor, berths: set[str]) -> dict[str, list[str]]:
    """Places that each weather closes."""
    found: dict[str, list[str]] = {}
    for row in _rows(corridor, "berths", "berth_id", berths, ("closure_id", "place_id")):
        if row["closure_id"] is not None and row["place_id"] not in found.setdefault(row["closure_id"], []):
            found[row["closure_id"]].append(row["place_id"])
    return found


def _names(corridor: Corridor, table: str, key: str) -> dict[str, str]:
    return dict(corridor.tables[table].select(key, "name").iter_rows())


def _rows(corridor: Corridor, table: str, key: str, ids: Iterable[str], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Some columns of some rows of a table, in its order."""
    kept = corridor.tables[table].filter(pl.col(key).is_in(sorted(set(ids)))).select(columns)
    return [{name: str(value) if name == "mode" else value for name, value in row.items()} for row in kept.iter_rows(named=True)]


def _cut(content: Any) -> Any:
    """The same with numbers cut to six significant digits; what is not known stays so."""
    if isinstance(content, dict):
        return {key: _cut(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_cut(value) for value in content]
    return short(content) if isinstance(content, float) else content
