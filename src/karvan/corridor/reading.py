"""One CSV file to one table, with every problem named by row and column."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from karvan.corridor.rows import row_problems, typed_texts
from karvan.corridor.tables import columns_of, header_of, key_texts, metadata_of, nearest, polars_schema
from karvan.errors import Problem

MOST_BYTES = 200_000_000
MOST_ROWS = 5_000_000

Cell = tuple[str, str, str, str]
"""table, row (primary key), column, value: one default that was filled in."""


@dataclass(frozen=True)
class ReadTable:
    """A table as read. `frame` is None if the file's form is broken; otherwise unreadable cells are empty in it."""

    frame: pl.DataFrame | None
    problems: tuple[Problem, ...]
    defaults: tuple[Cell, ...] = ()


def read_text(path: Path, where: str) -> tuple[str | None, list[Problem]]:
    """Text of a UTF-8 file with or without byte order mark; None with the problem if it cannot be read."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            message = f"{path.name} has {size:,} bytes; at most {MOST_BYTES:,} are read, so split the case or drop rows"
            return None, [Problem(where, None, None, message)]
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem(where, None, None, f"{path.name} cannot be read ({error.strerror}); it must be a readable file")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, [Problem(where, None, None, f"{path.name}, line {line}: not UTF-8; save the file as UTF-8")]
    if "\x00" in text:
        return None, [Problem(where, None, None, f"{path.name} holds zero bytes; it must be plain text saved as UTF-8")]
    return text, []


def read_table(path: Path, table: str) -> ReadTable:
    """Read and check one table by itself; references to other tables are checked later.

    Args:
        path: The CSV file: UTF-8, comma separated, header first, either kind of line end.
        table: Name of the declared table.
    """
    text, problems = read_text(path, table)
    if text is None:
        return ReadTable(None, tuple(problems))
    if not text.strip():
        return ReadTable(None, (Problem(table, None, None, f"{path.name} is empty; the first line must be the header {_header(table)}"),))
    if text.count("\n") > MOST_ROWS:
        return ReadTable(None, (Problem(table, None, None, f"{path.name} has more than {MOST_ROWS:,} lines, the most that are read"),))
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return ReadTable(None, (Problem(table, None, None, f"{path.name} is not a CSV file ({error}); check its quotation marks"),))
    while lines and not lines[-1]:
        lines.pop()
    header, rows = lines[0], lines[1:]
    problems = _header_problems(table, header) + _ragged(table, header, rows)
    if problems:
        return ReadTable(None, tuple(problems))
    return _typed(table, header, rows)


def _header(table: str) -> str:
    return ",".join(header_of(table))


def _header_problems(table: str, header: list[str]) -> list[Problem]:
    declared = columns_of(table)
    if len(header) == 1 and header[0].count(";") >= 2:
        return [Problem(table, None, None, "columns are separated by semicolons, must be separated by commas")]
    problems = []
    for column in dict.fromkeys(header):
        if column not in declared:
            message = f"unknown column '{column}'{nearest(column, declared) or '; the columns are ' + _header(table)}"
            problems.append(Problem(table, None, column, message))
        elif header.count(column) > 1:
            problems.append(Problem(table, None, column, f"column {column} stands {header.count(column)} times, must stand once"))
    for column, kind in declared.items():
        if column not in header and not kind.nullable and "default" not in metadata_of(table, column):
            doc = metadata_of(table, column).get("doc", "")
            problems.append(Problem(table, None, column, f"column {column} is missing and must be there: {doc}"))
    return problems


def _ragged(table: str, header: list[str], rows: list[list[str]]) -> list[Problem]:
    problems = []
    for number, row in enumerate(rows, start=1):
        if not row:
            problems.append(Problem(table, number, None, "the line is empty; take it out"))
        elif len(row) != len(header):
            message = f"has {len(row)} cells, must have {len(header)} as the header; put text with commas in quotation marks"
            problems.append(Problem(table, number, None, message))
    return problems


def _typed(table: str, header: list[str], rows: list[list[str]]) -> ReadTable:
    problems: list[Problem] = []
    columns: list[pl.Series] = []
    filled: list[tuple[str, list[int], str]] = []
    for column, dtype in polars_schema(table).items():
        if column in header:
            place = header.index(column)
            texts = pl.Series(column, [row[place] or None for row in rows], dtype=pl.String)
            cells, found = typed_texts(table, column, texts)
            problems.extend(found)
        else:
            cells = texts = pl.Series(column, [None] * len(rows), dtype=dtype)
        default = metadata_of(table, column).get("default")
        if default is not None and texts.null_count():
            is_empty = texts.is_null()
            cells = pl.select(pl.when(is_empty).then(pl.lit(default, dtype=dtype)).otherwise(cells)).to_series().alias(column)
            filled.append((column, is_empty.arg_true().to_list(), str(default)))
        columns.append(cells)
    frame = pl.DataFrame(columns)
    told = {(item.row, item.column) for item in problems}
    problems.extend(item for item in row_problems(table, frame) if (item.row, item.column) not in told)
    keys = key_texts(table, frame) if filled else []
    defaults = tuple((table, keys[row], column, value) for column, at, value in filled for row in at)
    return ReadTable(frame, tuple(sorted(problems, key=lambda item: item.row or 0)), defaults)
