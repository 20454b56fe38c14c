"""What a set is worth from the tables of two outlooks."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from karvan.appraisal import by_year, set_npv_musd
from karvan.errors import DataError

WITHOUT = pl.DataFrame({"year": [2030, 2026], "welfare_musd": [50.0, 40.0]})
WITH = pl.DataFrame({"year": [2026, 2030], "welfare_musd": [40.0, 70.0]})
SPEND = pl.DataFrame({"year": [2025, 2026, 2025, 2099], "spend_musd": [10.0, 1.0, 5.0, 1000.0]})


def test_a_column_is_straight_between_years_flat_after_and_nothing_before():
    found = by_year(WITHOUT, "welfare_musd", np.array([2025, 2026, 2028, 2030, 2040]))
    assert found.tolist() == [0.0, 40.0, 45.0, 50.0, 50.0]


def test_npv_by_hand():
    """Gains of 0, 0, 5, 10 from 2025 (2026: 0, 2028: 10, 2030: 20) to 2028; 15 spent in 2025 and 1 in 2026; what is later is left out."""
    found = set_npv_musd(WITHOUT, WITH, SPEND, rate=0.1, from_year=2025, last_year=2028)
    assert found == pytest.approx(-15.0 - 1.0 / 1.1 + 5.0 / 1.1**2 + 10.0 / 1.1**3, rel=1e-12)


@pytest.mark.parametrize(
    ("without", "years"), [(WITHOUT.filter(pl.col("year") > 2026), (2025, 2028)), (WITHOUT, (2028, 2025)), (WITHOUT.head(0), (2025, 2028))]
)
def test_what_does_not_fit_is_refused(without, years):
    with pytest.raises(DataError):
        set_npv_musd(without, WITH, SPEND, rate=0.1, from_year=years[0], last_year=years[1])
