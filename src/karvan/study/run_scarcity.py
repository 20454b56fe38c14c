"""What a saved run says of full facilities: prices or queues, and delays, on the arcs of a shipper's network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor, Snapshot
from karvan.errors import DataError, Problem
from karvan.results.store import SavedRun
from karvan.routing import StateGraph, payloads
from karvan.routing.uses import arc_uses, claims_of, rows_of
from karvan.study.used_capacities import laid_over

FloatArray = npt.NDArray[np.float64]

REGIMES = ("price", "queue")


@dataclass(frozen=True)
class RunScarcity:
    """Facilities of a run by year.

    Attributes:
        run_id: The run.
        regime: price: who passes a full facility pays for it; queue: who passes it waits, and nobody is paid.
        facilities: year, facility_id, shadow_price_usd_per_unit, scarcity_wait_h, delay_h.
        is_same_corridor: The run was made of the very tables that are asked now.
        over: Lays the run's simulated capacities and spreads over a snapshot; None where they are nominal.
    """

    run_id: str
    regime: str
    facilities: pl.DataFrame
    is_same_corridor: bool
    over: Callable[[Snapshot], Snapshot] | None = None

    def on_arcs(
        self, graph: StateGraph, tables: Mapping[str, pl.DataFrame], commodity_group: str, year: int
    ) -> tuple[FloatArray, FloatArray]:
        """Scarcity, USD/t, and hours that full facilities add, each of shape (arcs,).

        What only goods between certain regions use up (quotas) is left out.

        Raises:
            DataError: The run has no such year.
        """
        of_year = self.facilities.filter(pl.col("year") == year)
        if of_year.is_empty():
            years = sorted(set(self.facilities["year"].to_list()))
            raise DataError(Problem("--run", None, None, f"{self.run_id} has the years {years[0]} to {years[-1]}, not {year}"))
        named = {row["facility_id"]: row for row in of_year.iter_rows(named=True)}
        rows = rows_of(tables)
        known = [named.get(name) for name in rows.ids[: rows.facility_count]]

        def column(key: str) -> FloatArray:
            return np.array([0.0 if row is None else row[key] for row in known], dtype=np.float64)

        uses = arc_uses(claims_of(graph, tables), commodity_group, payloads(tables)[commodity_group])
        kept = uses.is_for_all & (uses.row < rows.facility_count)
        arc, row = uses.arc[kept], uses.row[kept]
        price, hours = np.zeros(graph.arc_count), np.zeros(graph.arc_count)
        np.add.at(hours, arc, column("delay_h")[row])
        if self.regime == "price":
            np.add.at(price, arc, column("shadow_price_usd_per_unit")[row] * uses.units_per_t[kept])
        else:
            np.add.at(hours, arc, column("scarcity_wait_h")[row])
        return price, hours


def run_scarcity(saved: SavedRun, corridor: Corridor, scenario_id: str, *, regime: str = "price") -> RunScarcity:
    """Scarcity that a saved run found.

    Args:
        saved: The run folder.
        corridor: The corridor that is asked.
        scenario_id: The scenario that is asked: the run's own, or the baseline that it was held against.
        regime: price or queue.

    Raises:
        DataError: The run is of another corridor or scenario.
    """
    if regime not in REGIMES:
        raise DataError(Problem("--scarcity", None, None, f"{regime} must be one of {', '.join(REGIMES)}"))
    report = saved.report
    if report.get("corridor") != corridor.manifest.id:
        raise DataError(Problem("--run", None, None, f"{saved.folder} is a run of {report.get('corridor')}, not of {corridor.manifest.id}"))
    cases = {corridor.manifest.baseline: "baseline", str(report.get("scenario")): "scenario"}
    if scenario_id not in cases:
        message = f"{saved.folder} is a run of the scenario {report.get('scenario')}, not of {scenario_id}; add --scenario"
        raise DataError(Problem("--run", None, None, message))
    frame = saved.frame("facilities").filter(pl.col("case") == cases[scenario_id])
    columns = ("year", "facility_id", "shadow_price_usd_per_unit", "scarcity_wait_h", "delay_h")
    over = laid_over(saved)
    return RunScarcity(
        str(report.get("run_id")), regime, frame.select(columns), saved.manifest.get("corridor_hash") == corridor.hash,
        None if over is None else partial(over, cases[scenario_id]),
    )  # fmt: skip
