"""The power line whose worth is asked about: what adds it, how large it is, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Measure, Scenario, measures_of
from karvan.study.designs import begun

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Asked:
    """A line whose worth is asked about.

    Attributes:
        line_id: The line.
        capacity_mw: Its size each way.
        capital_usd_per_kw: What it costs, at the size that the measure that adds it has; None: not known.
        running_musd_per_year: What it costs to run.
    """

    line_id: str
    capacity_mw: float
    capital_usd_per_kw: float | None
    running_musd_per_year: float


def scenario_with_line(corridor: Corridor, scenario: Scenario, line_id: str, *, year: int) -> Scenario:
    """A scenario with the measure that adds a line, as if it had begun; the same scenario where no measure adds it."""
    builder = _builder(corridor, line_id)
    return scenario if builder is None else begun(scenario, corridor, year, [builder.id])


def asked_line(corridor: Corridor, tables: Tables, line_id: str) -> Asked:
    """The line that is asked about.

    Args:
        corridor: The corridor, whose measure that adds the line says what it costs.
        tables: Tables of the year.
        line_id: The line.

    Raises:
        DataError: No row has it.
    """
    rows = tables["power_lines"].filter(pl.col("line_id") == line_id)
    if rows.is_empty():
        known = ", ".join(sorted(tables["power_lines"]["line_id"]))
        message = f"{line_id} is neither a line of that year nor one that a measure adds, must be one of {known}"
        raise DataError(Problem("power_lines", None, "line_id", message))
    builder = _builder(corridor, line_id)
    capital, running = None, 0.0
    if builder is not None and builder.cost is not None:
        built_mw = _built_mw(builder, line_id)
        if builder.cost.capital_musd is not None and built_mw > 0.0:
            capital = builder.cost.capital_musd * 1e3 / built_mw
        running = builder.cost.running_musd_per_year or 0.0
    return Asked(line_id, float(rows["capacity_mw"][0]), capital, running)


def _builder(corridor: Corridor, line_id: str) -> Measure | None:
    """The measure that adds a line."""
    for measure in measures_of(corridor).values():
        if _built_mw(measure, line_id) > 0.0:
            return measure
    return None


def _built_mw(measure: Measure, line_id: str) -> float:
    for change in measure.changes:
        for row in change.add or ():
            if change.table == "power_lines" and row.get("line_id") == line_id:
                size_mw = row.get("capacity_mw")
                return float(size_mw) if isinstance(size_mw, int | float) else 0.0
    return 0.0


def with_all_lines(tables: Mapping[str, Tables]) -> dict[str, Tables]:
    """The same designs with the lines of all in each, without capacity where a design has them not: so that one dispatch serves all."""
    every = pl.concat([found["power_lines"] for found in tables.values()]).unique("line_id", keep="first", maintain_order=True)
    idle = every.with_columns(pl.lit(0.0).alias("capacity_mw"))
    return {
        design: {
            **found,
            "power_lines": pl.concat([found["power_lines"], idle.join(found["power_lines"], on="line_id", how="anti")]),
        }
        for design, found in tables.items()
    }
