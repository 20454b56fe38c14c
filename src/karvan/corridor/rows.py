"""Rows of one table against its declaration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from types import new_class
from typing import Any

import dataframely as dy
import polars as pl

from karvan.corridor.tables import TABLES, columns_of, key_texts, metadata_of, nearest, polars_schema
from karvan.errors import Problem
from karvan.schema import ID

_ROW = "data_row_number"


def row_problems(table: str, frame: pl.DataFrame) -> list[Problem]:
    """What a table's declaration finds wrong with its rows: empty cells, bounds, patterns, repeated keys.

    Args:
        table: Name of the table.
        frame: Its rows, with the declared columns and types.
    """
    if not frame.height or TABLES[table].is_valid(frame.lazy(), engine="in-memory"):  # the other engine is for large data and slow to start
        return []
    return _broken_rules(table, frame, _numbered(table, may_repeat=False))


def cell_problems(table: str, frame: pl.DataFrame) -> list[Problem]:
    """`row_problems` of rows that are no table: the same key may stand in several."""
    return _broken_rules(table, frame, _numbered(table, may_repeat=True)) if frame.height else []


def _broken_rules(table: str, frame: pl.DataFrame, declared: type[dy.Schema]) -> list[Problem]:
    numbered = frame.with_columns(pl.Series(_ROW, range(1, frame.height + 1), dtype=pl.Int64))
    failure = declared.filter(numbered)[1]
    if not len(failure):
        return []
    details = failure.details()
    problems: list[Problem] = []
    for rule in failure.counts():
        broken = details.filter(pl.col(rule) == "invalid")
        if rule == "primary_key":
            problems.extend(repeated_keys(table, frame, broken[_ROW].to_list()))
            continue
        column, _, kind = rule.partition("|")
        wanted = wanted_text(table, column)
        for row, value in zip(broken[_ROW], broken[column], strict=True):
            said = "is empty" if kind == "nullability" else f"is {value}"
            problems.append(Problem(table, row, column, f"{column} {said}, must be {wanted}"))
    return sorted(problems, key=lambda item: (item.row or 0, item.column or ""))


@cache
def _numbered(table: str, *, may_repeat: bool) -> type[dy.Schema]:
    """The declaration with one column more, the row's number, to tell failures by row; part of the key if keys may repeat."""
    declared = TABLES[table]
    number = dy.Int64(primary_key=may_repeat)
    return new_class(f"Numbered{declared.__name__}", (declared,), exec_body=lambda body: body.update({_ROW: number}))


def repeated_keys(table: str, frame: pl.DataFrame, rows: Sequence[int]) -> list[Problem]:
    """A problem for each of these rows (counted from 1) whose key another of them, before it, has."""
    keys = TABLES[table].primary_key()
    texts = key_texts(table, frame)
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        key = texts[row - 1]
        if key in first:
            message = f"{', '.join(keys)} is {key}, which row {first[key]} has already; every row needs a key of its own"
            problems.append(Problem(table, row, keys[0] if len(keys) == 1 else None, message))
        else:
            first[key] = row
    return problems


def wanted_text(table: str, column: str) -> str:
    """What a declaration wants in a column, in words: "a number, 0 or more, in km"."""
    declared = columns_of(table)[column]
    if isinstance(declared, dy.Enum):
        text = f"one of {', '.join(declared.categories)}"
    elif isinstance(declared, dy.Bool):
        text = "true or false"
    elif isinstance(declared, dy.Date):
        text = "a date written YYYY-MM-DD"
    elif isinstance(declared, dy.Float64 | dy.Int64):
        text = "a finite number" if isinstance(declared, dy.Float64) else "a whole number"
        bounds = []
        if declared.min is not None:
            bounds.append(f"{declared.min:g} or more")
        if declared.min_exclusive is not None:
            bounds.append(f"above {declared.min_exclusive:g}")
        if declared.max is not None:
            bounds.append(f"{declared.max:g} or less")
        text = ", ".join([text, *bounds])
    else:
        text = "text"
        if isinstance(declared, dy.String) and declared.regex == ID:
            text = "an id of lower-case letters, digits and underscores, starting with a letter"
        elif isinstance(declared, dy.String) and declared.regex:
            text = f"text of the form {declared.regex}"
    refers_to = metadata_of(table, column).get("refers_to")
    if refers_to:
        text = f"an id that stands in {refers_to}"
    return text + (", or empty" if declared.nullable else "")


def typed_texts(table: str, column: str, texts: pl.Series) -> tuple[pl.Series, list[Problem]]:
    """Cells of a column, as read, in the declared type.

    Args:
        table: Name of the table.
        column: Name of the column.
        texts: Text of each cell; null where it is empty.

    Returns:
        The typed column, null where a cell cannot be read, and a problem for each such cell.
    """
    declared = columns_of(table)[column]
    if isinstance(declared, dy.String):
        return texts, []
    if isinstance(declared, dy.Enum):
        cells = texts.cast(declared.dtype, strict=False)
    elif isinstance(declared, dy.Bool):
        cells = texts.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    elif isinstance(declared, dy.Date):
        cells = pl.select(pl.when(texts.str.contains(r"^\d{4}-\d{2}-\d{2}$")).then(texts)).to_series().str.to_date("%Y-%m-%d", strict=False)
    else:
        cells = texts.cast(declared.dtype, strict=False)
    if cells.null_count() == texts.null_count():
        return cells.alias(column), []
    failed = (texts.is_not_null() & cells.is_null()).arg_true()
    problems = [Problem(table, row + 1, column, _uncast(table, column, texts[row])) for row in failed]
    return cells.alias(column), problems


def _uncast(table: str, column: str, text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    declared = columns_of(table)[column]
    close = nearest(text, declared.categories) if isinstance(declared, dy.Enum) else ""
    if isinstance(declared, dy.Float64 | dy.Int64) and "," in text:
        close = "; write a point for decimals and no thousands separators"
    return f"{column} is '{shown}', must be {wanted_text(table, column)}{close}"


def typed_rows(table: str, rows: Sequence[Mapping[str, Any]], *, only: Sequence[str] | None = None) -> tuple[pl.DataFrame, list[Problem]]:
    """Rows given as Python values, as a measure writes them, in the declared types. Bounds and references are not looked at.

    Args:
        table: Name of the table.
        rows: Values by column. A column left out takes its default, or is empty where that is allowed.
        only: Columns that the frame has; all declared ones if None.

    Returns:
        The rows, and a problem for each unknown or missing column and each value of the wrong type (row = position from 1).
    """
    declared = columns_of(table)
    columns = list(declared) if only is None else list(only)
    problems: list[Problem] = []
    cells: dict[str, list[Any]] = {column: [] for column in columns}
    for number, row in enumerate(rows, start=1):
        for column in row:
            if column not in declared:
                message = f"table {table} has no column {column}{nearest(column, declared)}"
                problems.append(Problem(table, number, column, message))
        for column in columns:
            value = row.get(column)
            if column not in row:
                value = metadata_of(table, column).get("default")
            if value is None:
                if not declared[column].nullable:
                    problems.append(Problem(table, number, column, f"{column} is missing, must be {wanted_text(table, column)}"))
            elif not _has_type(declared[column], value):
                problems.append(Problem(table, number, column, f"{column} is {value!r}, must be {wanted_text(table, column)}"))
                value = None
            cells[column].append(float(value) if isinstance(declared[column], dy.Float64) and value is not None else value)
    types = polars_schema(table)
    return pl.DataFrame(cells, schema={column: types[column] for column in columns}), problems


def _has_type(declared: dy.Column, value: Any) -> bool:
    if isinstance(declared, dy.Float64):
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if isinstance(declared, dy.Int64):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(declared, dy.Bool):
        return isinstance(value, bool)
    if isinstance(declared, dy.Date):
        return isinstance(value, date) and not isinstance(value, datetime)
    if isinstance(declared, dy.Enum):
        return value in declared.categories
    return isinstance(value, str)
