"""Simulated hours one by one: what every ship does, stays at berths, passages, closures and stocks, from the log of a replication."""

from __future__ import annotations

from typing import Any

import polars as pl

from karvan.simulation import _state_kernels as k
from karvan.simulation.replicate import Replication
from karvan.simulation.system import Built

VISITS = {"berth_id": pl.String, "ship": pl.String, "from_h": pl.Float64, "until_h": pl.Float64}
VOYAGES = {
    "crossing_id": pl.String, "ship": pl.String, "from_place": pl.String, "to_place": pl.String, "from_h": pl.Float64,
    "until_h": pl.Float64, "units": pl.Float64,
}  # fmt: skip
CLOSED = {"closure_id": pl.String, "from_h": pl.Float64, "until_h": pl.Float64}
STATES = {
    "ship": pl.String, "ship_id": pl.String, "crossing_id": pl.String, "state": pl.String, "place_id": pl.String, "to_place": pl.String,
    "from_h": pl.Float64, "until_h": pl.Float64, "units": pl.Float64,
}  # fmt: skip
STOCKS = {"arrival_id": pl.String, "hour": pl.Float64, "units": pl.Float64}
SHIP_STATES = ("sailing", "in_port", "waits_berth", "waits_weather", "at_berth", "waits_goods", "off_hire")
"""What a ship does: `in_port` is the channel on its way in or out; one that waits for goods does so at its berth, or in the roads."""

_NO_SHIP = (k.LOG_CLOSED, k.LOG_OPENED, k.LOG_STOCK)
_AT_BERTH = {k.LOG_GRANTED: "at_berth", k.LOG_RELEASED: "in_port", k.LOG_WAITS: "waits_berth"}
_HELD = {k.LOG_HELD: "waits_weather", k.LOG_FILLS: "waits_goods", k.LOG_OFF: "off_hire"}


def _ship(built: Built, found: Replication, who: float) -> str | None:
    """Name of a ship by its first cell; None of what is no ship, as a train."""
    place = (int(who) - int(found.state.counter[k.TOKENS])) // k.WIDTH
    names = built.system.names.starts
    if 0 <= place < len(names) and names[place].rpartition(" ")[0] in built.ships:
        return names[place]
    return None


def berth_visits(built: Built, found: Replication) -> pl.DataFrame:
    """Stays of ships at berths that ended in the period, in the order in which they began; hours count from the start of the run."""
    first = built.system.first_row["berth"][0]
    begun: dict[tuple[int, int], float] = {}
    rows = []
    for hour, kind, who, place, _ in found.log.tolist():
        if kind == k.LOG_GRANTED:
            begun[int(who), int(place)] = hour
        elif kind == k.LOG_RELEASED and (int(who), int(place)) in begun:
            since, ship = begun.pop((int(who), int(place))), _ship(built, found, who)
            if ship is not None:
                rows.append((built.system.names.berths[(int(place) - first) // k.WIDTH], ship, since, hour))
    return pl.DataFrame(rows, schema=VISITS, orient="row").sort("from_h", "berth_id", "ship")


def voyages(built: Built, found: Replication) -> pl.DataFrame:
    """Passages of ships that ended in the period, in the order in which they began."""
    lines = list(built.rows["crossings"])
    begun: dict[int, tuple[float, float, float]] = {}
    rows = []
    for hour, kind, who, place, units in found.log.tolist():
        if kind == k.LOG_SAILED:
            begun[int(who)] = (hour, place, units)
        elif kind == k.LOG_ARRIVED and int(who) in begun:
            since, way, carried = begun.pop(int(who))
            line, ship = lines[int(way) // 2], _ship(built, found, who)
            link = built.rows["links"][built.rows["crossings"][line]["link_id"]]
            ends = (link["from_place"], link["to_place"])
            ends = ends if int(way) % 2 == 0 else ends[::-1]
            if ship is not None:
                rows.append((line, ship, *ends, since, hour, carried))
    return pl.DataFrame(rows, schema=VOYAGES, orient="row").sort("from_h", "ship")


def closed_times(built: Built, found: Replication) -> pl.DataFrame:
    """Closures that ended in the period, in order."""
    first = built.system.first_row["site"][0]
    begun: dict[int, float] = {}
    rows = []
    for hour, kind, where, _, _ in found.log.tolist():
        if kind == k.LOG_CLOSED:
            begun[int(where)] = hour
        elif kind == k.LOG_OPENED and int(where) in begun:
            rows.append((built.system.names.sites[(int(where) - first) // k.W_ROWS], begun.pop(int(where)), hour))
    return pl.DataFrame(rows, schema=CLOSED, orient="row").sort("from_h", "closure_id")


def ship_states(built: Built, found: Replication, *, until_h: float) -> pl.DataFrame:
    """What every ship does from one logged hour to the next, ship by ship in order; nothing before the first hour that is logged of it.

    Args:
        built: The system.
        found: A replication with a log.
        until_h: Hour at which what still lasts is cut.

    Returns:
        Columns as STATES; `to_place` and `units` aboard are told of a passage only.
    """
    first = built.system.first_row["berth"][0]
    names, lines = built.system.names, list(built.rows["crossings"])
    berths: dict[str, dict[str, str]] = {}
    for call in built.calls:
        berths.setdefault(call.ship_id, {}).update(dict.fromkeys(call.berths, call.place_id))
    line_of = {call.ship_id: call.crossing_id for call in built.calls}
    open_: dict[str, dict[str, Any]] = {}
    rows: list[dict[str, Any]] = []

    def begin(ship: str, hour: float, state: str, **more: Any) -> None:
        last = open_.get(ship)
        if last is not None and hour > last["from_h"]:
            rows.append({**last, "until_h": hour})
        kind = ship.rpartition(" ")[0]
        place = None if last is None else last["to_place"] or last["place_id"]
        own = {"place_id": place, "to_place": None, "units": None, **more}
        open_[ship] = {"ship": ship, "ship_id": kind, "crossing_id": line_of[kind], "state": state, "from_h": hour, **own}

    for hour, kind, who, where, units in found.log.tolist():
        ship = None if kind in _NO_SHIP else _ship(built, found, who)
        if ship is None:
            continue
        if kind == k.LOG_SAILED:
            link = built.rows["links"][built.rows["crossings"][lines[int(where) // 2]]["link_id"]]
            ends = (link["from_place"], link["to_place"])
            ends = ends if int(where) % 2 == 0 else ends[::-1]
            begin(ship, hour, "sailing", place_id=ends[0], to_place=ends[1], units=units)
        elif kind == k.LOG_ARRIVED:
            begin(ship, hour, "in_port")
        elif kind in (k.LOG_GRANTED, k.LOG_RELEASED, k.LOG_WAITS):
            place = berths[ship.rpartition(" ")[0]].get(names.berths[(int(where) - first) // k.WIDTH])
            if place is None:
                continue  # a crane, while the ship keeps its berth
            begin(ship, hour, _AT_BERTH[int(kind)], place_id=place)
        else:
            begin(ship, hour, _HELD[int(kind)])
    for last in open_.values():
        if until_h > last["from_h"]:
            rows.append({**last, "until_h": until_h})
    return pl.DataFrame(rows, schema=STATES).sort("ship", "from_h")


def stocks(built: Built, found: Replication) -> pl.DataFrame:
    """What lies in the stock of each stream from an hour on, stream by stream in order; several changes of one hour count as the last."""
    first, names = built.system.first_row["pool"][0], built.system.names.pools
    told = [row for row in found.log.tolist() if row[1] == k.LOG_STOCK]
    last = {(names[(int(where) - first) // k.WIDTH], hour): units for hour, _, _, where, units in told}
    rows = [(name, hour, units) for (name, hour), units in last.items()]
    return pl.DataFrame(rows, schema=STOCKS, orient="row").sort("arrival_id", "hour")
