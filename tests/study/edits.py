"""The two ports with a row more or a value changed, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from karvan.corridor import Corridor, with_value


def with_rows(corridor: Corridor, table: str, *rows: dict[str, Any]) -> Corridor:
    """The corridor with rows added, each like the table's first but for what is given; an empty table's rows are given whole."""
    frame = corridor.tables[table]
    usual = frame.row(0, named=True) if frame.height else {"source": "teaching", "confidence": "estimate"}
    more = pl.DataFrame([dict.fromkeys(frame.columns) | usual | row for row in rows], schema=frame.schema)
    return replace(corridor, tables={**corridor.tables, table: pl.concat([frame, more])})


def with_values(corridor: Corridor, **values: str) -> Corridor:
    """The corridor with values set, named table__row__column."""
    for name, value in values.items():
        corridor, _ = with_value(corridor, name.replace("__", "."), value)
    return corridor


def both_ways(corridor: Corridor) -> Corridor:
    """Two ports with 2 Mt of grain from West to East, too."""
    back = {"market_id": "grain_west_east", "origin_region": "west", "destination_region": "east", "flow_kt": 2000.0}
    return with_rows(corridor, "demand", back)


def must_return(corridor: Corridor) -> Corridor:
    """Both ways, and ships that must come back, loaded or empty, at 20 USD for the room of a tonne."""
    ships = {
        "return_id": "ships", "name": "Ships that return", "link_id": "sea_east_west", "loading_unit": "bulk",
        "commodities": "any", "empty_usd_per_unit": 20.0,
        "operator_id": "sea_line",
    }  # fmt: skip
    return with_rows(both_ways(corridor), "returns", ships)
