"""Delay curves of the packaged corridors: sensible hours, and no more wait than the case holds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.assignment.delays import delay_h, read_curves, wait_h


@pytest.fixture(scope="module")
def tables():
    return kv.load_corridor("middle-corridor").tables


def hours_at(tables, facility_id: str) -> float:
    """Longest time and wait of a terminal at the facility's place or at an end of a link that uses it, hours."""
    place = tables["facilities"].filter(pl.col("facility_id") == facility_id)["place_id"].drop_nulls().to_list()
    uses = tables["facility_uses"].filter(pl.col("facility_id") == facility_id)
    links = tables["links"].filter(pl.col("link_id").is_in(uses["link_id"].drop_nulls().to_list()))
    at = tables["terminals"].filter(pl.col("place_id").is_in([*place, *links["from_place"], *links["to_place"]]))
    return float((at["time_h"] + at["waiting_h"]).max())


def test_observed_hours_hold_the_wait_at_the_reference_use(tables) -> None:
    """Else the case would have less than no wait left when the facility empties."""
    curves = read_curves(tables)
    reference = wait_h(curves, curves.reference_use_share)
    names = tables["facilities"]["facility_id"].to_list()
    found = {name: (reference[names.index(name)], hours_at(tables, name)) for name in tables["delay_curves"]["facility_id"]}
    assert len(found) >= 15
    assert {name: pair for name, pair in found.items() if pair[0] > pair[1]} == {}


def test_ten_points_more_use_are_hours_or_days_not_weeks(tables) -> None:
    curves = read_curves(tables)
    has_curve = (curves.eta_s_h > 0.0) & (curves.reference_use_share < 1.0)  # what is full in the base year cannot be used more
    share = np.minimum(curves.reference_use_share + 0.1, 1.0)
    added = delay_h(curves, share)[has_curve]
    assert (added > 0.0).all()
    assert added.max() < 4.0 * 24.0
    assert np.median(added) > 1.0


def test_reference_use_is_the_use_of_the_base_year(tables) -> None:
    """So that the year the observed hours are of holds them."""
    share = tables["delay_curves"]["reference_use_share"]
    assert share.min() > 0.0
    assert share.max() <= 1.0


def test_two_ports_by_hand() -> None:
    """4 x / (1 - x) is 12 h at three quarters; the tangent gives 76 + 80 = 156 h at the full ferry, where the hours of the case hold."""
    curves = read_curves(kv.load_corridor("two-ports").tables)
    assert wait_h(curves, np.array([0.75]))[0] == pytest.approx(12.0, rel=1e-12)
    assert wait_h(curves, np.array([1.0]))[0] == pytest.approx(156.0, rel=1e-12)
    assert delay_h(curves, np.array([0.75]))[0] == pytest.approx(-144.0, rel=1e-12)
    assert delay_h(curves, np.array([1.0]))[0] == 0.0
