"""One simulated year hour by hour: stays at berths for a Gantt chart, passages for animation, and when weather closed which port."""

from __future__ import annotations

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
