"""Designs held against a scenario as it is: measures put in and taken out, values set."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from karvan.corridor import Corridor, Snapshot
from karvan.corridor.edit import set_cell
from karvan.measures import Scenario, with_measures, without_measures
from karvan.measures.apply import apply

Tables = Mapping[str, pl.DataFrame]

AS_IT_IS = "as it is"
_OUT = "no-"


def begun(scenario: Scenario, corridor: Corridor, year: int, names: Sequence[str]) -> Scenario:
    """A scenario with measures, whether they are in it or not, as if they had begun by a year.

    Raises:
        MeasureError: A measure is unknown or does not fit.
    """
    held = set(scenario.measure_ids)
    new = [name for name in names if name not in held]
    other = with_measures(scenario, corridor, new) if new else scenario
    first = datetime.date(year, 1, 1)
    dated = [
        replace(item, from_date=min(item.from_date, first)) if item.measure.id not in held or item.measure.id in names else item
        for item in other.dated
    ]
    return replace(other, dated=tuple(sorted(dated, key=lambda item: item.from_date)))


def design_snapshot(corridor: Corridor, scenario: Scenario, year: int, design: str, *, period: str | None = None) -> Snapshot:
    """A year, or a month of it, with a design: measures by id as if they had begun, `no-` before those to take out, values set as of then,
    joined by '+'.

    Raises:
        DataError: An assignment is wrong.
        MeasureError: A measure is unknown, not there to take out, or does not fit.
    """
    parts = [part.strip() for part in design.split("+") if design != AS_IT_IS]
    out = [part.removeprefix(_OUT) for part in parts if part.startswith(_OUT)]
    added = [part for part in parts if "=" not in part and not part.startswith(_OUT)]
    changed = without_measures(scenario, out) if out else scenario
    changed = begun(changed, corridor, year, added) if added else changed
    snapshot = apply(changed, corridor, year=year) if period is None else apply(changed, corridor, period=period)
    tables: Tables = snapshot.tables
    for part in parts:
        path, sign, value = part.partition("=")
        if sign:
            tables, _ = set_cell(tables, path.strip(), value.strip())
    return replace(snapshot, tables=tables)
