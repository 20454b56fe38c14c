"""Totals, profiles and CAREC indicators from legs worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.results import LEG_SCHEMA, carec_indicators, journey_profile, journey_totals

STILL = {"moving_h": 0.0, "waiting_h": 0.0, "border_h": 0.0, "gauge_h": 0.0, "port_h": 0.0}


def _leg(number: int, mode: str, to: str, *, length_km: float = 0.0, charge: float = 0.0, payload: float | None = 10.0, **hours: float):
    return {
        "journey_id": "trip", "year": 2024, "leg": number, "family_id": "land", "mode": mode, "from": "x", "to": to, "operator": "railway",
        "loading_unit": "container", "length_km": length_km, **STILL, **hours, "sd_h": 3.0, "charge_usd_per_t": charge,
        "cost_usd_per_t": charge, "co2e_kg_per_t": 0.0, "payload_t_per_teu": payload,
    }  # fmt: skip


@pytest.fixture
def legs() -> pl.DataFrame:
    """600 km by rail in 24 h with one border of two posts and a change of gauge, 12 h and 6 USD/t in all."""
    rows = [
        _leg(1, "rail", "post", length_km=200.0, charge=10.0, moving_h=8.0),
        _leg(2, "border", "post", border_h=4.0, charge=2.0),
        _leg(3, "border", "yard", border_h=2.0, charge=1.0),
        _leg(4, "gauge_change", "yard", gauge_h=6.0, charge=3.0),
        _leg(5, "rail", "end", length_km=400.0, charge=20.0, moving_h=16.0),
    ]
    return pl.DataFrame(rows, schema=LEG_SCHEMA)


@pytest.fixture
def journeys() -> pl.DataFrame:
    return pl.DataFrame({"journey_id": ["trip"], "carec_mode": ["rail"]})


def test_totals_add_up_the_legs(legs: pl.DataFrame) -> None:
    total = journey_totals(legs).row(0, named=True)
    assert total["length_km"] == 600.0
    assert total["time_d"] == pytest.approx(36.0 / 24.0)
    assert total["charge_usd_per_t"] == 36.0
    assert total["charge_usd_per_teu"] == 360.0
    assert total["time_sd_d"] == pytest.approx(45.0**0.5 / 24.0)
    assert total["swod_kmh"] == pytest.approx(25.0)
    assert total["swd_kmh"] == pytest.approx(600.0 / 36.0)


def test_loose_goods_have_no_rate_per_box(legs: pl.DataFrame) -> None:
    loose = legs.with_columns(payload_t_per_teu=pl.lit(None, dtype=pl.Float64))
    assert journey_totals(loose)["charge_usd_per_teu"].to_list() == [None]


def test_profile_rises_over_distance(legs: pl.DataFrame) -> None:
    profile = journey_profile(legs)
    assert profile["distance_km"].to_list() == [200.0, 200.0, 200.0, 200.0, 600.0]
    assert profile["charge_usd_per_t"].to_list() == [10.0, 12.0, 13.0, 16.0, 36.0]
    assert profile["time_d"].to_list()[-1] == pytest.approx(1.5)


def test_indicators_count_posts_in_a_row_and_their_gauge_change_as_one_crossing(legs: pl.DataFrame, journeys: pl.DataFrame) -> None:
    found = carec_indicators(legs, journeys).row(0, named=True)
    assert found["crossing_count"] == 1
    assert found["tfi1_border_h"] == pytest.approx(12.0)
    assert found["tfi2_border_usd"] == pytest.approx(6.0 * 20.0)
    assert found["tfi3_usd_per_500km_20t"] == pytest.approx(36.0 * 20.0 * 500.0 / 600.0)
    assert found["tfi4_swod_kmh"] == pytest.approx(25.0)
    assert found["tfi4_swd_kmh"] == pytest.approx(600.0 / 36.0)


def test_a_gauge_change_without_a_border_is_no_crossing(legs: pl.DataFrame, journeys: pl.DataFrame) -> None:
    inland = legs.filter(pl.col("mode") != "border")
    assert carec_indicators(inland, journeys)["crossing_count"].to_list() == [None]


def test_journeys_outside_the_sample_are_left_out(legs: pl.DataFrame) -> None:
    outside = pl.DataFrame({"journey_id": ["trip"], "carec_mode": [None]}, schema={"journey_id": pl.String, "carec_mode": pl.String})
    assert carec_indicators(legs, outside).is_empty()
