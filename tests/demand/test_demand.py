"""Declarations of what must move."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.corridor import Corridor, row_problems
from karvan.demand import Demand, Permissions


def test_a_market_that_is_absent_carries_nothing() -> None:
    assert (Demand.columns()["flow_kt"].metadata or {})["absent"] == 0.0


def test_a_permission_can_be_opened_and_closed() -> None:
    assert (Permissions.columns()["in_force"].metadata or {})["switch"] is True


@pytest.mark.parametrize(
    ("table", "column", "value", "wanted"),
    [
        ("demand", "flow_kt", -0.1, "0 or more"),
        ("growth", "rate_share_per_year", 0.51, "0.5 or less"),
        ("commodities", "route_theta_per_usd_per_t", 0.0, "above 0"),
        ("commodities", "not_shipped_usd_per_t", 0.0, "above 0"),
        ("commodity_units", "payload_t_per_unit", 0.0, "above 0"),
        ("region_places", "share", 1.1, "1 or less"),
    ],
)
def test_bounds(two_ports: Corridor, table: str, column: str, value: float, wanted: str) -> None:
    problems = row_problems(table, two_ports.tables[table].with_columns(pl.lit(value).alias(column)))
    assert problems
    assert all(problem.column == column and wanted in problem.message for problem in problems)
