"""How many ships a line needs for its load, and what its berths let through with any number of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.simulation.handover import HandoverOptions, line_saturations
from karvan.simulation.statistics import Interval, interval
from karvan.simulation.system import build, streams_of

FloatArray = npt.NDArray[np.float64]
Tables = Mapping[str, pl.DataFrame]
_MANY = 4
"""Times the ships with which berths bind, if they ever do."""


@dataclass(frozen=True)
class LineSize:
    """What a line has, and what it needs.

    Attributes:
        crossing_id, unit: The line, and what its goods are counted in.
        load: Units a year in the busier direction.
        ships: Ships that it has.
        most: Units a year that they carry in that direction, with its interval.
        ship_id: Class that is added or taken away: of those that sail, the one with the most places.
        room: Units that one of them loads, where the shallower port allows no more.
        ships_needed: Fewest ships with which the load is no more than the share of what they carry; None: no number of them is enough.
        most_needed: Units a year that so many ships carry; None as above.
        berth_most: Units a year that pass with four times the ships: beyond this more ships do nothing.
    """

    crossing_id: str
    unit: str
    load: float
    ships: int
    most: Interval
    ship_id: str
    room: float
    ships_needed: int | None
    most_needed: float | None
    berth_most: float


def line_size(
    tables: Tables,
    system_id: str,
    crossing_id: str,
    loads: Mapping[str, float],
    *,
    level_m: float | None,
    use_share: float = 0.9,
    options: HandoverOptions | None = None,
) -> LineSize | None:
    """Fewest ships of a line for its load, all else as it stands; None of a line without ships or load.

    Every number of ships meets the same storms and trains. The number is sought by halving, since more ships never carry less but for
    chance.

    Args:
        tables: Of the snapshot.
        system_id, crossing_id: Which line.
        loads: Units a year of each stream.
        level_m: Level of the sea.
        use_share: The load is to be this share at most of what the ships can carry.
        options: How.

    Raises:
        DataError: The share is not between 0 and 1.
    """
    if not 0.0 < use_share < 1.0:
        raise DataError(Problem("--use", None, None, f"is {use_share:g}, must lie between 0% and 100%"))
    streams = [row for row in streams_of(tables, system_id) if row["crossing_id"] == crossing_id]
    sailing = tables["ships"].filter((pl.col("crossing_id") == crossing_id) & (pl.col("ships_count") > 0.0))
    load = max((loads.get(row["arrival_id"], 0.0) for row in streams), default=0.0)
    if sailing.is_empty() or load <= 0.0:
        return None
    best = sailing.sort("room_count", descending=True, maintain_order=True).row(0, named=True)
    now = round(float(sailing["ships_count"].sum()))
    others = now - round(best["ships_count"])
    found: dict[int, FloatArray] = {}

    def most(ships: int) -> float:
        """Units a year with so many ships of the line."""
        if ships not in found:
            changed = pl.when(pl.col("ship_id") == best["ship_id"]).then(float(ships - others)).otherwise(pl.col("ships_count"))
            other = {**tables, "ships": tables["ships"].with_columns(ships_count=changed)}
            found[ships] = line_saturations(other, system_id, crossing_id, loads, level_m=level_m, options=options)
        return float(found[ships].mean())

    ceiling, needed = _MANY * now, None
    if use_share * most(ceiling) >= load:
        low, high = max(others, 1), ceiling
        while low < high:
            middle = (low + high) // 2
            if use_share * most(middle) >= load:
                high = middle
            else:
                low = middle + 1
        needed = low
    most(now)
    calls = build(tables, system_id, loads, level_m=level_m, only=[crossing_id]).calls
    return LineSize(
        crossing_id,
        str(streams[0]["unit"]),
        load,
        now,
        interval(found[now]),
        str(best["ship_id"]),
        min(call.room for call in calls if call.ship_id == best["ship_id"]),
        needed,
        None if needed is None else most(needed),
        most(ceiling),
    )
