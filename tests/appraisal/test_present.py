"""Tables of some years, read in all."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from karvan.appraisal import by_year
from karvan.errors import DataError

WITHOUT = pl.DataFrame({"year": [2030, 2026], "welfare_musd": [50.0, 40.0]})


def test_a_column_is_straight_between_years_flat_after_and_nothing_before():
    found = by_year(WITHOUT, "welfare_musd", np.array([2025, 2026, 2028, 2030, 2040]))
    assert found.tolist() == [0.0, 40.0, 45.0, 50.0, 50.0]


@pytest.mark.parametrize("table", [WITHOUT.head(0), pl.concat([WITHOUT, WITHOUT])])
def test_a_table_without_years_or_with_one_twice_is_refused(table):
    with pytest.raises(DataError):
        by_year(table, "welfare_musd", np.array([2026]))
