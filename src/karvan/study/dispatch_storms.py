"""One weather for the crossings and for power: the storms of a replication, and what wind farms near the ports give in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.power import Storms
from karvan.power.weather import ALIKE_KM, likeness
from karvan.simulation.storms import closed_hours

Tables = Mapping[str, pl.DataFrame]


def storms_of(tables: Tables, *, seed: int, draw: int) -> tuple[tuple[str, ...], Storms]:
    """Ports, and when a replication of their simulated system closes them.

    Args:
        tables: Of a snapshot.
        seed: Of all chance.
        draw: Number of the replication.

    Raises:
        DataError: Weather closes no port.
    """
    found = closed_hours(tables, seed=seed, replication=draw)
    where = {row["place_id"]: row for row in tables["places"].iter_rows(named=True)}
    lat, lon = (np.array([where[name][column] for name in found.place_ids], dtype=np.float64) for column in ("lat_deg", "lon_deg"))
    return found.place_ids, Storms(lat, lon, found.closed_share)


def storm_rows(
    tables: Tables, made: Mapping[str, npt.NDArray[np.float64]], ports: tuple[str, ...], storms: Storms
) -> list[dict[str, Any]]:  # fmt: skip
    """What each wind profile near a port gives while the nearest is closed and while it is open, as shares of capacity."""
    rows = []
    for row in tables["power_profiles"].filter(pl.col("kind") == "wind").sort("profile_id").iter_rows(named=True):
        lat, lon = np.append(storms.lat_deg, row["lat_deg"]), np.append(storms.lon_deg, row["lon_deg"])
        alike = likeness(lat, lon)[-1, :-1]
        port = int(np.argmax(alike))
        closed = storms.closed_share[:, port]
        if alike[port] < np.exp(-1.0) or closed.sum() == 0.0:
            continue
        share = made[row["profile_id"]]
        rows.append(
            {
                "profile_id": row["profile_id"], "place_id": ports[port], "distance_km": float(-ALIKE_KM * np.log(alike[port])),
                "closed_h": float(closed.sum()), "share_while_closed": float((share * closed).sum() / closed.sum()),
                "share_while_open": float((share * (1.0 - closed)).sum() / (1.0 - closed).sum()),
            }
        )  # fmt: skip
    return rows
