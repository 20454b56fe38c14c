"""One change of one table: add, open, close, set, scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from karvan.corridor import TABLES, cell_problems, repeated_keys, typed_rows
from karvan.errors import Problem
from karvan.measures.measure import Change, Value

Tables = dict[str, pl.DataFrame]


def changed(tables: Tables, change: Change, ramp: float) -> Tables:
    """Tables after a change that is known to fit.

    Args:
        tables: Frames by table name; left as they are.
        change: The change.
        ramp: Share of it in force, 0 to 1; acts on set and scale of numbers only.
    """
    frame = tables[change.table]
    if change.add is not None:
        added, _ = typed_rows(change.table, [dict(row) for row in change.add])
        return {**tables, change.table: pl.concat([frame, added], how="vertical")}
    mask = matching(frame, change)
    if change.open or change.close:
        column = _switch(change.table)
        new = pl.when(mask).then(pl.lit(change.open is True)).otherwise(pl.col(column)).alias(column)
        return {**tables, change.table: frame.with_columns(new)}
    updates = []
    for column, value in (change.set or {}).items():
        updates.append(pl.when(mask).then(_set_value(frame, column, value, ramp)).otherwise(pl.col(column)).alias(column))
    for column, factor in (change.scale or {}).items():
        scaled = pl.col(column) * (1.0 + ramp * (factor - 1.0))
        updates.append(pl.when(mask).then(scaled).otherwise(pl.col(column)).alias(column))
    return {**tables, change.table: frame.with_columns(updates)}


@dataclass(frozen=True)
class Touched:
    """Rows as a change left them, whose values are still to be looked at.

    Attributes:
        label: The change, in words.
        table: Its table.
        rows: Their numbers in the table, from 1.
        frame: The rows.
    """

    label: str
    table: str
    rows: Sequence[int]
    frame: pl.DataFrame


def tried_change(tables: Tables, change: Change, label: str) -> tuple[Tables, Touched | None, list[Problem]]:
    """Apply a change in full and tell where it does not fit; the tables stay as they were if it does not.

    The values that it leaves are not looked at: `touched_problems` does that for many changes at once.
    """
    problems = _fit_problems(tables, change, label)
    if problems:
        return tables, None, problems
    after = changed(tables, change, 1.0)
    frame, before = after[change.table], tables[change.table]
    if frame.equals(before):
        return tables, None, [Problem(change.table, None, None, f"{label}: changes nothing; the rows have these values already")]
    if change.add is None:
        rows = (before.select(matching(before, change)).to_series().arg_true() + 1).to_list()
    else:
        rows = list(range(before.height + 1, frame.height + 1))
        again = (frame.select(TABLES[change.table].primary_key()).is_duplicated().arg_true() + 1).to_list()
        repeated = [item for item in repeated_keys(change.table, frame, again) if item.row in rows]
        if repeated:
            return tables, None, [_labelled(item, label) for item in repeated]
    return after, Touched(label, change.table, rows, frame[[row - 1 for row in rows]]), []


def touched_problems(touched: Sequence[Touched]) -> list[Problem]:
    """What the declarations find wrong with the values that changes left, told of the first change that left them."""
    problems: dict[tuple[str, int | None, str | None], Problem] = {}
    for table in dict.fromkeys(item.table for item in touched):
        of_table = [item for item in touched if item.table == table]
        came_from = [(item.label, row) for item in of_table for row in item.rows]
        for found in cell_problems(table, pl.concat([item.frame for item in of_table])):
            label, row = came_from[(found.row or 1) - 1]
            problems.setdefault((table, row, found.column), _labelled(replace(found, row=row), label))
    return list(problems.values())


def _labelled(problem: Problem, label: str) -> Problem:
    return replace(problem, message=f"{label}: {problem.message}")


def _fit_problems(tables: Tables, change: Change, label: str) -> list[Problem]:
    if change.table not in TABLES:
        return [Problem("measures", None, "table", f"{label}: there is no table {change.table}")]
    declared = TABLES[change.table].columns()
    if change.add is not None:
        _, problems = typed_rows(change.table, [dict(row) for row in change.add])
        return [Problem(item.table, None, item.column, f"{label}: {item.message}") for item in problems]
    problems = []
    named = [*change.where, *(change.set or {}), *(change.scale or {})]
    for column in named:
        if column not in declared:
            problems.append(Problem(change.table, None, column, f"{label}: table {change.table} has no column {column}"))
    if problems:
        return problems
    if (change.open or change.close) and _switch(change.table) is None:
        return [Problem(change.table, None, None, f"{label}: rows of {change.table} cannot be opened or closed")]
    frame = tables[change.table]
    for column in change.scale or {}:
        if not frame[column].dtype.is_numeric():
            problems.append(Problem(change.table, None, column, f"{label}: only numbers can be scaled"))
    keys = TABLES[change.table].primary_key()
    for column, new in (change.set or {}).items():
        if column in keys:
            problems.append(Problem(change.table, None, column, f"{label}: a key cannot be set"))
        else:
            _, found = typed_rows(change.table, [{column: new}], only=[column])
            problems.extend(Problem(item.table, None, item.column, f"{label}: {item.message}") for item in found)
    if not problems and not frame.select(matching(frame, change).any()).item():
        wanted = ", ".join(f"{column} = {value}" for column, value in change.where.items())
        problems.append(Problem(change.table, None, None, f"{label}: no row of {change.table} has {wanted}"))
    for column, value in change.where.items():
        for one in _listed(value):
            if not problems and one is not None and not frame.select(_equal(frame, column, one).any()).item():
                problems.append(Problem(change.table, None, column, f"{label}: no row of {change.table} has {column} = {one}"))
    return problems


def matching(frame: pl.DataFrame, change: Change) -> pl.Expr:
    """Which rows of a table a change's `where` names.

    Args:
        frame: Rows of the change's table.
        change: A change whose columns the table has.
    """
    mask = pl.lit(value=True)
    for column, value in change.where.items():
        any_of = pl.lit(value=False)
        for one in _listed(value):
            any_of = any_of | _equal(frame, column, one)
        mask = mask & any_of
    return mask


def _listed(value: Value | list[Value]) -> list[Value]:
    return list(value) if isinstance(value, list) else [value]


def _equal(frame: pl.DataFrame, column: str, value: Value) -> pl.Expr:
    if value is None:
        return pl.col(column).is_null()
    if frame[column].dtype.is_numeric() or isinstance(value, bool):
        return (pl.col(column) == value).fill_null(value=False)
    return (pl.col(column).cast(pl.String) == str(value)).fill_null(value=False)


def _set_value(frame: pl.DataFrame, column: str, value: Value, ramp: float) -> pl.Expr:
    kind = frame[column].dtype
    if kind.is_float() and value is not None and ramp < 1.0:
        return pl.col(column) + ramp * (pl.lit(value, dtype=kind) - pl.col(column))
    return pl.lit(str(value) if isinstance(kind, pl.Enum) else value).cast(kind)


def _switch(table: str) -> Any:
    for column, declared in TABLES[table].columns().items():
        if (declared.metadata or {}).get("switch"):
            return column
    return None
