"""Water: the level of the sea in a year, and what ships can load on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from karvan.errors import DataError, Problem
from karvan.simulation.skeleton import payload_t


def sea_level_m(sea_level_paths: pl.DataFrame, path: str | None, year: int) -> float | None:
    """Level of the sea in a year; None where the case has no path.

    Args:
        sea_level_paths: The table.
        path: A path; None takes the first.
        year: Calendar year.

    Raises:
        DataError: There is no such path.
    """
    paths = sea_level_paths["path_id"].unique(maintain_order=True).to_list()
    if not paths and path is None:
        return None
    chosen = path or paths[0]
    if chosen not in paths:
        raise DataError(Problem("sea_level_paths", None, "path_id", f"has no path {chosen}, must be one of {', '.join(paths) or 'none'}"))
    rows = sea_level_paths.filter(pl.col("path_id") == chosen).sort("year")
    return float(np.interp(year, rows["year"].to_numpy(), rows["level_m"].to_numpy()))


def load_share(ship: Mapping[str, Any], depths: list[tuple[float, float]], level_m: float | None) -> float:
    """Share of its full load that a ship can carry between its ports.

    Args:
        ship: A row of `ships`.
        depths: Depth of water and the level at which it holds, of the berths at both ends that have one.
        level_m: Level of the sea; None: depths hold as they stand.
    """
    if ship["deadweight_t"] is None or ship["tpc_t_per_cm"] is None or ship["draught_m"] is None:
        return 1.0
    share = 1.0
    for depth_m, depth_level_m in depths:
        water_m = depth_m if level_m is None else depth_m + level_m - depth_level_m
        clearance_m = ship["clearance_m"] or 0.0
        load_t = payload_t(ship["deadweight_t"], ship["tpc_t_per_cm"], ship["draught_m"], clearance_m, water_m)
        share = min(share, load_t / ship["deadweight_t"])
    return share
