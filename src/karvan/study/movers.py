"""Which uncertain capacities move the headline most."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from karvan.assignment import clear as clear_market
from karvan.assignment import effective_capacity, with_capacity
from karvan.corridor import Corridor
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE
from karvan.study.clear import Cleared
from karvan.study.relief import corridor_vector
from karvan.sums import weighted_sum

_FACTORS = ("nominal", "availability_share", "payload_share")
_MOVE_FLOOR_MT = 1e-3


def capacity_movers(
    cleared: Cleared, corridor: Corridor, *, headline_cordon: str, most: int = 3, without: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Capacities whose range in `provenance` moves the headline tonnes of a cleared year most, one at a time.

    The range holds for the value of the case; a capacity that a measure has changed since moves in proportion.

    Args:
        cleared: The cleared year.
        corridor: The corridor, for values of the case and their ranges.
        headline_cordon: The cordon.
        most: How many to give.
        without: Facilities whose capacity is not that of the tables, so that its range does not hold.

    Returns:
        facility_id, name, column, value, low, high, low_mt, high_mt; the largest move first.
    """
    tables, vector = cleared.routed.snapshot.tables, corridor_vector(cleared, headline_cordon)
    ids = tables["facilities"]["facility_id"].to_list()
    names = dict(tables["facilities"].select("facility_id", "name").iter_rows())
    case = {row["facility_id"]: row for row in corridor.tables["facilities"].iter_rows(named=True)}
    ranges = corridor.tables["provenance"].filter(
        (pl.col("table") == "facilities")
        & pl.col("column").is_in([*_FACTORS, "other_load"])
        & pl.col("low").is_not_null()
        & pl.col("high").is_not_null()
    )
    effective, other = effective_capacity(tables["facilities"]), tables["facilities"]["other_load"].to_numpy()
    carried = _carried(cleared, vector)
    found = []
    for row in ranges.sort("row", "column").iter_rows(named=True):
        if row["row"] in without and row["column"] in _FACTORS:
            continue
        if row["row"] not in ids or row["row"] not in case or carried[ids.index(row["row"])] < CORRIDOR_FLOOR_SHARE:
            continue
        position, value = ids.index(row["row"]), case[row["row"]][row["column"]]
        moved = []
        for end in (row["low"], row["high"]):
            capacity = cleared.problem.row_capacity.copy()
            if row["column"] == "other_load":
                capacity[position] = max(effective[position] - end, 0.0)
            elif value > 0.0:
                capacity[position] = max(effective[position] * end / value - other[position], 0.0)
            freed = clear_market(with_capacity(cleared.problem, capacity), start=cleared.clearing.row_price_usd_per_unit)
            moved.append(weighted_sum(vector, freed.route_flow_kt) / 1e3)
        found.append(
            {
                "facility_id": row["row"],
                "name": names[row["row"]],
                "column": row["column"],
                "value": value,
                "low": row["low"],
                "high": row["high"],
                "low_mt": moved[0],
                "high_mt": moved[1],
            }
        )
    found.sort(key=lambda item: (-abs(item["high_mt"] - item["low_mt"]), item["facility_id"], item["column"]))
    return [item for item in found if abs(item["high_mt"] - item["low_mt"]) > _MOVE_FLOOR_MT][:most]


def _carried(cleared: Cleared, vector: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Share of the use of each facility that crosses the cordon, shape (facilities,)."""
    problem, flow = cleared.problem, cleared.clearing.route_flow_kt
    route = np.repeat(np.arange(flow.shape[0]), np.diff(problem.route_first_entry))
    total, crossing = np.zeros(problem.row_capacity.shape[0]), np.zeros(problem.row_capacity.shape[0])
    np.add.at(total, problem.entry_row, flow[route] * problem.entry_units_per_t)
    np.add.at(crossing, problem.entry_row, (flow * vector)[route] * problem.entry_units_per_t)
    return np.divide(crossing, total, out=np.zeros_like(total), where=total > 0.0)
