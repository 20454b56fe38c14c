"""One estimate at a time: what is an estimate, and what follows when one is moved."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.study.sensitivity import Estimate, estimates, sensitivities, with_estimate


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("middle-corridor")


def test_single_values_growth_and_whole_columns_are_estimates(two_ports) -> None:
    found = {(item.table, item.row, item.column): item for item in estimates(two_ports)}
    assert found["facilities", "ferry", "nominal"] == Estimate("facilities", "ferry", "nominal", 6000.0, 5500.0, 6500.0)
    assert found["growth", "steady|2025", "rate_share_per_year"].low == pytest.approx(-0.01)
    assert found["links", None, "time_h"] == Estimate("links", None, "time_h", 1.0, 0.8, 1.25)
    assert ("places", None, "lon_deg") not in found  # the market does not read where a place is on the map


def test_a_whole_column_moves_but_for_values_with_a_range_of_their_own(corridor) -> None:
    own = set(
        corridor.tables["provenance"]
        .filter((pl.col("table") == "terminals") & (pl.col("column") == "waiting_h") & pl.col("low").is_not_null())["row"]
        .to_list()
    )
    before = corridor.tables["terminals"]
    after = with_estimate(corridor, Estimate("terminals", None, "waiting_h", 1.0, 0.5, 2.0), 2.0).tables["terminals"]
    for old, new in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        moves = old["confidence"] == "estimate" and old["terminal_id"] not in own
        assert new["waiting_h"] == pytest.approx(old["waiting_h"] * (2.0 if moves else 1.0))
    assert after.columns == before.columns


def test_shares_of_a_region_keep_adding_up(corridor) -> None:
    row = next(item for item in estimates(corridor) if (item.table, item.column) == ("region_places", "share") and item.row is not None)
    moved = with_estimate(corridor, row, row.high).tables["region_places"].filter(pl.col("share").is_not_null())
    sums = moved.group_by("region_id", "side", "commodity_group").agg(pl.col("share").sum())
    assert sums["share"].to_list() == pytest.approx([1.0] * sums.height)


def test_spread_between_families_stays_below_that_within(corridor) -> None:
    item = Estimate("commodities", "grain", "family_theta_per_usd_per_t", 0.03, 0.015, 0.06)
    grain = with_estimate(corridor, item, 0.06).tables["commodities"].filter(pl.col("commodity_group") == "grain").row(0, named=True)
    assert grain["family_theta_per_usd_per_t"] <= grain["route_theta_per_usd_per_t"]


def test_digits_do_not_depend_on_the_number_of_workers() -> None:
    chosen = [
        Estimate("facilities", "ferry", "nominal", 6000.0, 5500.0, 6500.0),
        Estimate("growth", "steady|2025", "rate_share_per_year", 0.0, -0.01, 0.02),
    ]
    alone = sensitivities("two-ports", scenario="baseline", year=2026, workers=1, chosen=chosen)
    assert alone == sensitivities("two-ports", scenario="baseline", year=2026, workers=2, chosen=chosen)
    assert alone[0]["move_mt"] > 0.0
