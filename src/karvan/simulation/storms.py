"""When weather closes ports in a replication, hour by hour: what others that feel the same weather go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.simulation.replicate import Period, replicate
from karvan.simulation.system import HOURS_A_YEAR, build
from karvan.simulation.timeline import closed_times

FloatArray = npt.NDArray[np.float64]
_WARM_H = 24.0 * 30
"""The shortest warm-up of an experiment; hours of the year before it are those of the next year, as there."""
_LONGEST_H = 24.0 * 60
_ROWS = 400_000


@dataclass(frozen=True)
class ClosedHours:
    """Closures of a year.

    Attributes:
        place_ids: Ports that weather closes, each weather once, by the id of their place.
        closed_share: Share of each hour of the year in which they are closed, shape (8760, ports).
    """

    place_ids: tuple[str, ...]
    closed_share: FloatArray


def closed_hours(tables: Mapping[str, pl.DataFrame], *, seed: int, replication: int) -> ClosedHours:
    """Closures of one replication: those that `karvan simulate` counts with this seed, whatever sails, as weather has streams of its own.

    Hours are those of a year that counts after a warm-up of 30 days.

    Args:
        tables: Of a snapshot.
        seed: Of all chance.
        replication: Number of the replication, from 0.

    Raises:
        DataError: Weather closes no port of a simulated system.
    """
    period = Period(0.0, _WARM_H + HOURS_A_YEAR + _LONGEST_H)
    found: dict[str, FloatArray] = {}
    for system_id in tables["systems"]["system_id"]:
        built = build(tables, system_id, {})
        if not built.closed_share:
            continue
        ran = replicate(built.system, period, seed=seed, replications=[replication], has_records=False, log_rows=_ROWS)[0]
        for (closure,), rows in closed_times(built, ran).group_by("closure_id", maintain_order=True):
            found.setdefault(str(closure), _by_hour(rows["from_h"].to_numpy(), rows["until_h"].to_numpy()))
    ports = tables["berths"].filter(pl.col("closure_id").is_in(list(found))).unique("closure_id", keep="first", maintain_order=True)
    if ports.is_empty():
        raise DataError(Problem("closures", None, None, "closes no port of a simulated system; there are no storms to go by"))
    ports = ports.sort("closure_id")
    return ClosedHours(tuple(ports["place_id"]), np.column_stack([found[name] for name in ports["closure_id"]]))


def _by_hour(from_h: FloatArray, until_h: FloatArray) -> FloatArray:
    """Share of each hour of the year that lies in closures, shape (8760,)."""
    edges = _WARM_H + np.arange(HOURS_A_YEAR + 1.0)
    before = np.concatenate(([0.0], np.cumsum(until_h - from_h)))
    place = np.searchsorted(from_h, edges, side="right")
    closed = before[place] - np.where(place > 0, np.maximum(until_h[place - 1] - edges, 0.0), 0.0)
    return np.roll(np.diff(closed), int(_WARM_H))
