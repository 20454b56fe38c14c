"""Other values laid over a corridor: single ones, or a folder with only the rows that differ. Each gives a new Corridor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from karvan.corridor.corridor import Corridor
from karvan.corridor.load import make_corridor, read_folder
from karvan.corridor.reading import Cell
from karvan.corridor.rows import row_problems, typed_texts, wanted_text
from karvan.corridor.tables import TABLES, columns_of, key_texts, nearest
from karvan.corridor.whole import table_problems
from karvan.errors import DataError, Problem

Replaced = dict[str, Any]
"""One value that was replaced: table, row (primary key), column, old, new."""


def overlay(corridor: Corridor, folder: str | Path) -> tuple[Corridor, list[Replaced]]:
    """Lay a folder with only the rows that differ over a corridor.

    A row whose key the corridor has replaces it whole; a row with a new key is added; so are measures and scenarios, by file name.

    Args:
        corridor: The corridor.
        folder: Tables, measures and scenarios in the form of a corridor folder; every part may be left out.

    Returns:
        The new corridor, and each value that differs (an added row as one record without column).

    Raises:
        DataError: The folder or what results is wrong; every problem.
    """
    place = Path(folder)
    if not place.is_dir():
        raise DataError(Problem("overlay", None, None, f"{place} must be a folder with tables that hold the rows that differ"))
    read = read_folder(place, is_whole=False)
    if read.problems:
        raise DataError(read.problems)
    if not read.tables and not any(read.records.values()):
        raise DataError(Problem("overlay", None, None, f"{place} holds no table, measure or scenario, must hold at least one"))
    tables, replaced = dict(corridor.tables), list[Replaced]()
    for name, laid in read.tables.items():
        tables[name], records = _laid_over(name, corridor.tables[name], laid)
        replaced.extend(records)
    texts = {"measures": dict(corridor.measures_text), "scenarios": dict(corridor.scenarios_text)}
    for kind, files in read.records.items():
        for stem, text in files.items():
            old = "file" if stem in texts[kind] else None
            if texts[kind].get(stem) != text:
                replaced.append({"table": kind, "row": stem, "column": None, "old": old, "new": "file"})
            texts[kind][stem] = text
    problems = table_problems(tables, texts["measures"])
    if problems:
        raise DataError([Problem(item.table, item.row, item.column, f"with {place} laid over: {item.message}") for item in problems])
    laid_rows = {(name, key) for name, frame in read.tables.items() for key in key_texts(name, frame)}
    kept: list[Cell] = [cell for cell in corridor.defaults_filled.rows() if (cell[0], cell[1]) not in laid_rows]
    return make_corridor(corridor.manifest, tables, texts, (*kept, *read.defaults)), replaced


def _laid_over(table: str, frame: pl.DataFrame, laid: pl.DataFrame) -> tuple[pl.DataFrame, list[Replaced]]:
    places = {key: row for row, key in enumerate(key_texts(table, frame))}
    rows = frame.rows()
    records: list[Replaced] = []
    for key, new in zip(key_texts(table, laid), laid.rows(), strict=True):
        if key not in places:
            rows.append(new)
            records.append({"table": table, "row": key, "column": None, "old": None, "new": "row"})
            continue
        old = rows[places[key]]
        for column, before, after in zip(frame.columns, old, new, strict=True):
            if before != after:
                records.append({"table": table, "row": key, "column": column, "old": _plain(before), "new": _plain(after)})
        rows[places[key]] = new
    return pl.DataFrame(rows, schema=frame.schema, orient="row"), records


def with_value(corridor: Corridor, path: str, value: str) -> tuple[Corridor, Replaced]:
    """The corridor with one value replaced.

    Args:
        corridor: The corridor.
        path: "table.row.column"; the row is its primary key, several parts joined by '|'.
        value: The new value as a CSV cell would hold it.

    Returns:
        The new corridor and the record of what was replaced.

    Raises:
        DataError: There is no such table, row or column, or the value does not fit its declaration.
    """
    tables, record = set_cell(corridor.tables, path, value)
    problems = table_problems(tables, corridor.measures_text)
    if problems:
        raise DataError(problems)
    place = (record["table"], record["row"], record["column"])
    defaults: tuple[Cell, ...] = tuple(cell for cell in corridor.defaults_filled.rows() if cell[:3] != place)
    texts = {"measures": corridor.measures_text, "scenarios": corridor.scenarios_text}
    return make_corridor(corridor.manifest, tables, texts, defaults), record


def set_cell(tables: Mapping[str, pl.DataFrame], path: str, value: str) -> tuple[dict[str, pl.DataFrame], Replaced]:
    """Tables with one value replaced, checked against its table's declaration; whether tables still fit each other is not looked at.

    Args:
        tables: Every declared table by name, of a corridor or of a snapshot.
        path: "table.row.column"; the row is its primary key, several parts joined by '|'.
        value: The new value as a CSV cell would hold it.

    Returns:
        The tables and the record of what was replaced.

    Raises:
        DataError: There is no such table, row or column, or the value does not fit its declaration.
    """
    table, row, column = _resolved(tables, path)
    frame = tables[table]
    cells, problems = typed_texts(table, column, pl.Series(column, [value.strip() or None], dtype=pl.String))
    if problems:
        raise DataError([Problem(item.table, row + 1, item.column, item.message) for item in problems])
    new = cells[0]
    if new is None and not columns_of(table)[column].nullable:
        raise DataError(Problem(table, row + 1, column, f"{column} is empty, must be {wanted_text(table, column)}"))
    is_row = pl.int_range(pl.len()) == row
    changed = frame.with_columns(pl.when(is_row).then(pl.lit(new, dtype=frame.schema[column])).otherwise(pl.col(column)).alias(column))
    problems = row_problems(table, changed)
    if problems:
        raise DataError(problems)
    record = {"table": table, "row": key_texts(table, frame)[row], "column": column, "old": _plain(frame[column][row]), "new": _plain(new)}
    return {**tables, table: changed}, record


def _resolved(tables: Mapping[str, pl.DataFrame], path: str) -> tuple[str, int, str]:
    """Table, position of the row from 0, and column that a path names."""
    table, _, rest = path.partition(".")
    key, _, column = rest.rpartition(".")
    if not (table and key and column):
        raise DataError(Problem(table or path, None, None, f"'{path}' must read TABLE.ID.COLUMN, as facilities.some_port.nominal"))
    if table not in TABLES:
        hint = nearest(table, TABLES) or f"; tables are {', '.join(TABLES)}"
        raise DataError(Problem(table, None, None, f"there is no table {table}{hint}"))
    declared = TABLES[table]
    if column not in declared.columns():
        hint = nearest(column, declared.columns()) or f"; columns are {', '.join(declared.column_names())}"
        raise DataError(Problem(table, None, column, f"table {table} has no column {column}{hint}"))
    if column in declared.primary_key():
        raise DataError(Problem(table, None, column, f"{column} is part of the key of {table}; lay a row over instead of setting it"))
    keys = key_texts(table, tables[table])
    if key not in keys:
        parts = "|".join(declared.primary_key())
        raise DataError(Problem(table, None, None, f"table {table} has no row {key} (key {parts}){nearest(key, keys)}"))
    return table, keys.index(key), column


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it."""
    return value.isoformat() if isinstance(value, date) else value
