"""Corridors that shippers ask about, held against published times."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.report.corridors import corridor_lines, corridor_table
from karvan.validation.corridors import compare_corridors

JOURNEYS = pl.DataFrame({"journey_id": ["a", "b", "c", "d"], "name": ["A", "B", "C", "D"], "corridor_order": [2, 1, None, 3]})


def row(journey, error, *, quantity="time_d", year=2024, used=False):
    return {
        "observation_id": f"{journey}_{year}", "element_id": journey, "quantity": quantity, "year": year, "period": None, "unit": "d",
        "published": 10.0, "compared_with": 10.0, "low": None, "high": None, "model": 10.0 * (1.0 + error), "model_year": year,
        "error": error, "source": "own_estimate", "used_in_calibration": used,
    }  # fmt: skip


ROWS = [
    row("a", 0.10), row("a", -0.30, year=2025), row("a", 0.16, year=2026), row("b", 0.05, used=True), row("b", 0.31), row("c", 0.0),
    row("d", 0.0, year=2020), row("d", 0.01, quantity="rate_usd_per_feu"),
]  # fmt: skip


@pytest.fixture(scope="module")
def found():
    return compare_corridors(JOURNEYS, ROWS, base_year=2024)


def test_corridors_come_in_order_with_their_median_error(found):
    assert [(corridor["name"], corridor["error"], corridor["is_near"]) for corridor in found["corridors"]] == [
        ("B", 0.31, False), ("A", 0.16, True), ("D", None, None),
    ]  # fmt: skip


def test_what_the_fit_used_and_older_times_do_not_count(found):
    b, _, d = found["corridors"]
    assert [(time["error"], time["counts"]) for time in b["times"]] == [(0.05, False), (0.31, True)]
    assert [time["counts"] for time in d["times"]] == [False]
    assert [rate["error"] for rate in d["rates"]] == [0.01]


def test_four_of_five_are_asked(found):
    assert (found["counted"], found["near"], found["is_reached"]) == (2, 1, False)
    assert compare_corridors(JOURNEYS, ROWS[:3], base_year=2024)["is_reached"]
    assert not compare_corridors(JOURNEYS, [], base_year=2024)["is_reached"]


def test_a_case_without_corridors_tells_none():
    nobody = JOURNEYS.with_columns(corridor_order=pl.lit(None, dtype=pl.Int64))
    assert compare_corridors(nobody, ROWS, base_year=2024) is None
    assert corridor_lines({"corridors": None}) == []
    assert corridor_table({"corridors": None}) == []


def test_they_are_told_in_lines_and_in_a_table(found):
    lines = corridor_lines({"corridors": found})
    assert all(len(line) <= 100 for line in lines)
    assert "1 of 2 corridors" in " ".join(lines)
    table = corridor_table({"corridors": found})
    assert "| | b_2024 | 2024 | 10 d | 10.5 | +5% | used |" in table
