"""Water under ships: the level of a sea, the water of a berth at that level, and what a ship can load on it.

The simulation of crossings and the answers to shippers read the same rows by these functions.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from karvan.errors import DataError, Problem

MEASURED = "measured"
"""Id of the rows of `sea_levels` that belong to every path."""


def sea_level_paths(sea_levels: pl.DataFrame) -> list[str]:
    """Paths of the sea in the order of their names, without what was measured."""
    return sorted(set(sea_levels["path_id"].to_list()) - {MEASURED})


def sea_level_m(sea_levels: pl.DataFrame, path: str | None, when: datetime.date | int) -> float | None:
    """Level of the sea on a day, on a straight line between the days that are known; None where the case has no level.

    Args:
        sea_levels: The table.
        path: A path; None takes the first by name.
        when: A day, or a calendar year: its middle.

    Raises:
        DataError: There is no such path.
    """
    paths = sea_level_paths(sea_levels)
    if path is not None and path not in paths:
        raise DataError(Problem("sea_levels", None, "path_id", f"has no path {path}, must be one of {', '.join(paths) or 'none'}"))
    chosen = path or (paths[0] if paths else MEASURED)
    rows = sea_levels.filter(pl.col("path_id").is_in([MEASURED, chosen])).sort("date")
    if rows.is_empty():
        return None
    day = when if isinstance(when, datetime.date) else datetime.date(when, 7, 1)
    days = np.array([known.toordinal() for known in rows["date"]], dtype=np.float64)
    return float(np.interp(day.toordinal(), days, rows["level_m"].to_numpy()))


def water_m(berth: Mapping[str, Any], level_m: float | None) -> float | None:
    """Depth of water at a row of `berths` when the sea stands at a level; None where no depth limits ships.

    Args:
        berth: The row.
        level_m: Level of the sea; None: the depth holds as it stands.
    """
    if berth["depth_m"] is None:
        return None
    if level_m is None or berth["depth_level_m"] is None:
        return float(berth["depth_m"])
    return float(berth["depth_m"] + level_m - berth["depth_level_m"])


def first_berth(call: Mapping[str, Any]) -> str:
    """The best of the berths of a row of `calls`."""
    return str(call["berths"]).split(";")[0].strip()


def needed_m(ship: Mapping[str, Any]) -> float | None:
    """Depth of water that a row of `ships` needs with a full load; None where draught does not limit it."""
    if ship["deadweight_t"] is None or ship["tpc_t_per_cm"] is None or ship["draught_m"] is None:
        return None
    return float(ship["draught_m"] + (ship["clearance_m"] or 0.0))


def load_share(ship: Mapping[str, Any], waters_m: Iterable[float | None]) -> float:
    """Share of its full load that a ship can carry where the shallowest of some waters bounds it.

    Args:
        ship: A row of `ships`.
        waters_m: Depths of water on its way; None: no limit.
    """
    known = [water for water in waters_m if water is not None]
    if not known or needed_m(ship) is None:
        return 1.0
    load_t = payload_t(ship["deadweight_t"], ship["tpc_t_per_cm"], ship["draught_m"], ship["clearance_m"] or 0.0, min(known))
    return load_t / float(ship["deadweight_t"])


def payload_t(deadweight_t: float, tpc_t_per_cm: float, full_draught_m: float, clearance_m: float, water_m: float) -> float:
    """What a ship can load: DWT - 100 TPC max(0, T_full + UKC - water), not below zero.

    Args:
        deadweight_t: Full load, DWT.
        tpc_t_per_cm: Tonnes that a centimetre of draught carries, TPC.
        full_draught_m: Draught at full load.
        clearance_m: Water kept under the keel, UKC.
        water_m: Depth of water, of the bed below the level of the day.

    Source:
        Immersion of a ship by tonnes per centimetre, as in any stability booklet.
    """
    short_m = max(0.0, full_draught_m + clearance_m - water_m)
    return min(max(deadweight_t - 100.0 * tpc_t_per_cm * short_m, 0.0), deadweight_t)
