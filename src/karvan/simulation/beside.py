"""What queueing theory says of a simulated system, line by line: it stands beside every simulated value."""

from __future__ import annotations

from typing import Any

from karvan.simulation import skeleton
from karvan.simulation.outcome import Key
from karvan.simulation.system import HOURS_A_YEAR, Built

_HOURS_A_DAY = 24.0


def line_skeletons(built: Built, numbers: dict[Key, float]) -> list[dict[str, Any]]:
    """Loop of each line's ships by mean value analysis, alone at its berths, beside what was simulated.

    A call takes its mean hours at full load, longer by the share of time that weather closes the port; the rest of a round trip is sea and
    channel, longer by the time off hire. Other lines at the same berths, waits for goods and bunching by weather are not in it: where the
    simulated value is lower, they are why. A fleet smaller than `saturation_ships` is short itself, a larger one waits for berths.

    Args:
        built: The system.
        numbers: Means of what was simulated.
    """
    rows = []
    for name, crossing in built.rows["crossings"].items():
        calls = [call for call in built.calls if call.crossing_id == name and call.ship_id in built.ships]
        ships = {call.ship_id: built.ships[call.ship_id] for call in calls}
        total = sum(ships.values())
        if total == 0:
            continue
        stations, places, away_h = [], list(dict.fromkeys(call.place_id for call in calls)), 2.0 * built.sailing_h[name]
        for place in places:
            here = [call for call in calls if call.place_id == place]
            hours = sum(ships[call.ship_id] * call.hours for call in here) / total
            row, berth = built.rows["calls"][name, place], built.rows["berths"][here[0].berths[0]]
            closed = built.closed_share.get(berth["closure_id"] or "", 0.0)
            servers = sum(built.rows["berths"][found]["servers_count"] for found in here[0].berths)
            stations.append(skeleton.Station((hours + row["channel_h"]) / (1.0 - closed), max(1.0, servers)))
            away_h += row["channel_h"]
        off = {ship: float(built.rows["ships"][ship]["offhire_share"]) for ship in ships}
        working = 1.0 - sum(count * off[ship] for ship, count in ships.items()) / total
        loop = skeleton.fleet_loop(stations, away_h, total)
        room = sum(count * next(call.room for call in calls if call.ship_id == ship) for ship, count in ships.items()) / total
        trips = float(loop.throughput[-1]) * HOURS_A_YEAR * working
        made = sum(numbers.get(Key("call", f"{ship}|{places[0]}", "per_year"), 0.0) for ship in ships)
        rows.append(
            {
                "crossing_id": name,
                "unit": str(crossing["unit"]),
                "ships": total,
                "away_h": away_h,
                "berth_h": [station.demand for station in stations],
                "trips_per_year": trips,
                "simulated_trips_per_year": made,
                "each_way_per_year": trips * room,
                "never_waiting_per_year": skeleton.fleet_capacity(
                    total, room, (away_h + sum(station.demand for station in stations)) / _HOURS_A_DAY, 365.0 * working
                ),
                "berth_cap_trips_per_year": loop.cap * HOURS_A_YEAR,
                "saturation_ships": loop.saturation_ships,
                "wait_h": [float(value) for value in loop.waits],
            }
        )
    return rows


def passage_skeletons(
    built: Built, tables_passages: list[dict[str, Any]], arrivals: list[dict[str, Any]], numbers: dict[Key, float]
) -> list[dict[str, Any]]:
    """Stages with servers: use, and the mean wait by Erlang's formula and by Sakasegawa's with the variability of the stage.

    Args:
        built: The system.
        tables_passages: Rows of `passages`.
        arrivals: Rows of `arrivals`.
        numbers: Means of what was simulated.
    """
    rows = []
    for stream in built.streams:
        if stream.passage_id is None or stream.demand <= 0.0 or stream.demand == float("inf"):
            continue
        arrival = next(row for row in arrivals if row["arrival_id"] == stream.arrival_id)
        per_h = stream.demand / arrival["lot_count"] / HOURS_A_YEAR
        for stage in sorted((row for row in tables_passages if row["passage_id"] == stream.passage_id), key=lambda row: row["order"]):
            if stage["berth_id"] is None:
                continue
            servers = round(built.rows["berths"][stage["berth_id"]]["servers_count"])
            hours = stage["fixed_h"] + stage["unit_h"] * arrival["lot_count"]
            use = per_h * hours / servers
            variability = ((0.0 if arrival["is_timetabled"] else 1.0) + stage["variability_ratio"] ** 2) / 2.0
            stable = use < 1.0
            rows.append(
                {
                    "passage_id": stream.passage_id,
                    "order": stage["order"],
                    "servers": servers,
                    "use_share": use,
                    "random_wait_h": skeleton.many_servers(per_h, hours, servers).wait if stable else None,
                    "approximate_wait_h": skeleton.sakasegawa(use, hours, servers, variability) if stable else None,
                    "simulated_wait_h": numbers.get(Key("stream", stream.arrival_id, "berth_h")),
                }
            )
    return rows
