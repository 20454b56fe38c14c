"""Declarations of what is known and promised."""

from __future__ import annotations

import polars as pl

from karvan.corridor import Corridor, row_problems
from karvan.evidence import Currencies, Observations, Provenance


def test_an_observation_proves_something_unless_it_says_otherwise() -> None:
    assert (Observations.columns()["used_in_calibration"].metadata or {})["default"] is False


def test_provenance_is_keyed_by_table_row_and_column() -> None:
    assert Provenance.primary_key() == ["table", "row", "column"]


def test_currency_is_three_capitals() -> None:
    assert Currencies.columns()["currency"].regex == "^[A-Z]{3}$"


def test_deflator_is_positive(two_ports: Corridor) -> None:
    (problem,) = row_problems("deflators", two_ports.tables["deflators"].with_columns(deflator_ratio=pl.lit(0.0)))
    assert "above 0" in problem.message
