"""Rows against their declaration."""

from __future__ import annotations

from datetime import date

import pytest

from karvan.corridor import Corridor, row_problems, typed_rows

MODE = {
    "mode": "rail", "loading_unit": "wagon", "co2e_ttw_kg_per_tkm": 0.01, "co2e_wtw_kg_per_tkm": 0.02, "time_sd_share": 0.1,
    "source": "teaching", "confidence": "estimate",
}  # fmt: skip


def test_typed_rows_take_defaults(two_ports: Corridor) -> None:
    row = {"use_id": "u", "facility_id": "ferry", "link_id": "sea_east_west", "direction": "both", "commodity_group": "any"}
    frame, problems = typed_rows("facility_uses", [{**row, "loading_unit": "any", "source": "teaching", "confidence": "estimate"}])
    assert problems == []
    assert frame.schema == two_ports.tables["facility_uses"].schema
    assert frame["weight_factor"].to_list() == [1.0]
    assert frame["terminal_id"].to_list() == [None]


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"mode": "train"}, "mode", "one of rail"),
        ({"time_sd_share": "0.1"}, "time_sd_share", "finite number"),
        ({"time_sd_share": True}, "time_sd_share", "finite number"),
        ({"time_sd_share": float("nan")}, "time_sd_share", "finite number"),
        ({"time_sd_share": None}, "time_sd_share", "is missing"),
        ({"tim_sd_share": 0.1}, "tim_sd_share", "did you mean time_sd_share"),
    ],
)
def test_typed_rows_tell_wrong_values(change: dict[str, object], column: str, words: str) -> None:
    _, problems = typed_rows("modes", [MODE, {**MODE, **change}])
    assert [(problem.row, problem.column) for problem in problems] == [(2, column)]
    assert words in problems[0].message


def test_typed_rows_of_one_column() -> None:
    frame, problems = typed_rows("permissions", [{"from_date": date(2025, 7, 1)}], only=["from_date"])
    assert problems == []
    assert frame.rows() == [(date(2025, 7, 1),)]
    assert typed_rows("growth", [{"from_year": 2025.0}], only=["from_year"])[1][0].message == "from_year is 2025.0, must be a whole number"


def test_row_problems_number_the_rows() -> None:
    rows = [MODE, {**MODE, "mode": "road", "time_sd_share": -1.0}, MODE]
    frame, _ = typed_rows("modes", rows)
    assert [(problem.row, problem.column) for problem in row_problems("modes", frame)] == [(2, "time_sd_share"), (3, None)]


def test_no_rows_have_no_problems() -> None:
    assert row_problems("modes", typed_rows("modes", [])[0]) == []
