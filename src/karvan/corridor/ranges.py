"""How far a single value may be off: its own range, or the range of all estimates of its column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from karvan.corridor.tables import key_texts

_ESTIMATE = "estimate"


class Range(NamedTuple):
    """Ends of a value's range in the value's unit, why, and on whose word."""

    low: float | None
    high: float | None
    note: str | None
    source: str
    confidence: str


@dataclass(frozen=True)
class Ranges:
    """Ranges of a corridor's values.

    Attributes:
        single: Rows of `provenance` by table, row and column.
        whole: Rows of `default_ranges` by table and column.
    """

    single: Mapping[tuple[str, str, str], Mapping[str, Any]]
    whole: Mapping[tuple[str, str], Mapping[str, Any]]

    def of(self, table: str, key: str, column: str, *, value: Any, confidence: str) -> Range | None:
        """Range of one value, or None where it has none.

        Args:
            table, key, column: Where the value stands.
            value: The value.
            confidence: Confidence of its row; that of the single value, where given, goes before.
        """
        own = self.single.get((table, key, column))
        if own is not None and (own["low"] is not None or own["high"] is not None):
            return Range(own["low"], own["high"], own["note"], own["source"], own["confidence"])
        trusted = confidence if own is None else own["confidence"]
        whole = self.whole.get((table, column))
        if whole is None or trusted != _ESTIMATE or not isinstance(value, int | float):
            return None
        ends = sorted((value * whole["low_ratio"], value * whole["high_ratio"]))
        return Range(ends[0], ends[1], whole["note"], whole["source"], whole["confidence"])


def read_ranges(tables: Mapping[str, pl.DataFrame]) -> Ranges:
    """Ranges as the tables `provenance` and `default_ranges` give them; either may be absent."""
    provenance, defaults = tables.get("provenance"), tables.get("default_ranges")
    single = [] if provenance is None else provenance.iter_rows(named=True)
    whole = [] if defaults is None else defaults.iter_rows(named=True)
    return Ranges(
        single={(row["table"], row["row"], row["column"]): row for row in single},
        whole={(row["table"], row["column"]): row for row in whole},
    )


def range_of(tables: Mapping[str, pl.DataFrame], table: str, key: str, column: str) -> Range | None:
    """Range of one value: its own from `provenance`, or, for an estimate without one, that of its column from `default_ranges`.

    Args:
        tables: Tables of a corridor.
        table: Name of the table.
        key: Primary key of the row, several parts joined by '|'.
        column: Name of the column.

    Returns:
        The range, or None where the value has none or there is no such row.
    """
    keys = key_texts(table, tables[table])
    if key not in keys:
        return None
    row = tables[table].row(keys.index(key), named=True)
    return read_ranges(tables).of(table, key, column, value=row[column], confidence=row.get("confidence", ""))
