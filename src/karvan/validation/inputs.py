"""Every number that people put into a corridor, with unit, range, trust and source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dataframely as dy
import polars as pl

from karvan.corridor import NOT_INPUTS, Corridor, columns_of, key_texts, metadata_of, read_ranges, unit_of

_RANGES = "default_ranges"
_OWN_RANGE = {("growth", "rate_share_per_year"): ("low_share_per_year", "high_share_per_year")}
"""Columns whose range stands in the same row."""
_RANGE_COLUMNS = {("growth", "low_share_per_year"), ("growth", "high_share_per_year")}
SCHEMA = {
    **dict.fromkeys(("ref", "table", "row", "column", "name"), pl.String),
    "value": pl.Float64,
    "unit": pl.String,
    **dict.fromkeys(("low", "high"), pl.Float64),
    **dict.fromkeys(("confidence", "source", "note"), pl.String),
}  # fmt: skip
"""Columns of `inputs`."""


def inputs(corridor: Corridor) -> pl.DataFrame:
    """One row a number: ref (TABLE.KEY.COLUMN), table, row, column, name, value, unit, low, high, confidence, source, note.

    Args:
        corridor: The corridor.
    """
    rows = [row for table in corridor.tables if table not in NOT_INPUTS and table != _RANGES for row in _of_table(corridor, table)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def input_doc(table: str, column: str) -> str | None:
    """What the declaration says of a column."""
    doc = metadata_of(table, column).get("doc")
    return None if doc is None else str(doc)


def _of_table(corridor: Corridor, table: str) -> Iterator[tuple[Any, ...]]:
    frame, ranges = corridor.tables[table], read_ranges(corridor.tables)
    columns = [name for name, declared in columns_of(table).items() if isinstance(declared, dy.Float64)]
    columns = [name for name in columns if (table, name) not in _RANGE_COLUMNS]
    if not columns:
        return
    for key, row in zip(key_texts(table, frame), frame.iter_rows(named=True), strict=True):
        for column in columns:
            value = row[column]
            if value is None:
                continue
            own = ranges.single.get((table, key, column))
            trusted = row if own is None else own
            span = ranges.of(table, key, column, value=value, confidence=row.get("confidence") or "")
            ends = _OWN_RANGE.get((table, column))
            low, high = (None, None) if span is None else (span.low, span.high)
            if ends is not None:
                low, high = row[ends[0]], row[ends[1]]
            note = own["note"] if own is not None else row.get("note") if span is None else span.note
            name = row.get("name") or row.get("title")
            ref = f"{table}.{key}.{column}"
            yield (
                ref, table, key, column, name, value, unit_of(table, column, row), low, high,
                trusted.get("confidence"), trusted.get("source"), note,
            )  # fmt: skip
