"""Declarations of what is built."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.corridor import Corridor, row_problems
from karvan.network import Facilities, Links


def test_capacity_is_prorated_and_length_is_not() -> None:
    assert {name for name, column in Facilities.columns().items() if (column.metadata or {}).get("prorate")} == {
        "nominal", "minimum", "availability_share", "payload_share", "peak_factor", "other_load",
    }  # fmt: skip
    assert not any((column.metadata or {}).get("prorate") for column in Links.columns().values())


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("nominal", -1.0, "0 or more"),
        ("availability_share", 1.01, "1 or less"),
        ("payload_share", 0.0, "above 0"),
        ("payload_share", 1.51, "1.5 or less"),
        ("peak_factor", 0.99, "1 or more"),
    ],
)
def test_facility_bounds(two_ports: Corridor, column: str, value: float, wanted: str) -> None:
    frame = two_ports.tables["facilities"].with_columns(pl.lit(value).alias(column))
    (problem,) = row_problems("facilities", frame)
    assert (problem.row, problem.column) == (1, column)
    assert wanted in problem.message
