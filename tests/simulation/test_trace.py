"""A month of a replication hour by hour: the digits stay, ships are somewhere at every hour, and it agrees with what is counted."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.simulation import (
    SHIP_STATES,
    ExperimentOptions,
    Pilot,
    Traced,
    berth_visits,
    build,
    closed_times,
    ship_states,
    stocks,
    trace,
    voyages,
)
from karvan.simulation.replicate import Period, replicate
from karvan.simulation.system import Built

HOW = ExperimentOptions(seed=3)
KNOWN = Pilot(30, {}, ())
JUNE, JULY = 24.0 * 151, 24.0 * 181


@pytest.fixture(scope="module")
def built() -> Built:
    return build(load_corridor("two-ports").tables, "strait", {"east_trains": 3e6}, level_m=0.0)


@pytest.fixture(scope="module")
def june(built: Built) -> Traced:
    return trace(built, HOW, KNOWN, month=6)


def test_a_log_changes_no_digit(built: Built, june: Traced) -> None:
    end_h = june.until_h + 240.0
    plain = replicate(built.system, Period(720.0, end_h - 720.0), seed=3, replications=[0], has_records=False)[0]
    for name in ("things", "values", "series", "base_h"):
        assert np.array_equal(getattr(plain.state, name), getattr(june.found.state, name)), name
    assert (plain.events, plain.steps) == (june.found.events, june.found.steps)
    assert plain.log.shape[0] == 0


def test_the_month_is_the_first_that_the_warm_up_leaves(june: Traced) -> None:
    assert (june.from_h, june.until_h) == (JUNE, JULY)
    hours = june.found.log[:, 0]
    assert hours.min() >= JUNE - 45 * 24
    assert hours.max() < JULY + 10 * 24


def test_january_after_a_warm_up_of_a_month_is_that_of_the_next_year(built: Built) -> None:
    assert trace(built, HOW, KNOWN, month=1).from_h == 8760.0


def test_a_ship_does_one_thing_at_every_hour(built: Built, june: Traced) -> None:
    found = ship_states(built, june.found, until_h=june.until_h)
    assert set(found["state"]) <= set(SHIP_STATES)
    assert set(found["ship"]) == {"sea_ships 1", "sea_ships 2"}
    for _, rows in found.group_by("ship"):
        own = rows.sort("from_h").rows(named=True)
        assert own[0]["from_h"] < june.from_h
        for before, after in itertools.pairwise(own):
            assert before["until_h"] == after["from_h"]


def test_states_agree_with_visits_passages_and_closures(built: Built, june: Traced) -> None:
    found = ship_states(built, june.found, until_h=june.until_h).filter(pl.col("from_h") > june.from_h)
    ways = voyages(built, june.found).filter(pl.col("from_h") > june.from_h, pl.col("until_h") < june.until_h)
    sailing = found.filter(pl.col("state") == "sailing", pl.col("until_h") < june.until_h)
    assert ways.sort("from_h")["until_h"].to_list() == sailing.sort("from_h")["until_h"].to_list()
    visits = berth_visits(built, june.found)
    for row in found.filter(pl.col("state") == "at_berth").rows(named=True):
        berth = {"east_port": "east_berth", "west_port": "west_berth"}[row["place_id"]]
        own = visits.filter(pl.col("ship") == row["ship"], pl.col("berth_id") == berth)
        inside = own.filter(pl.col("from_h") <= row["from_h"], pl.col("until_h") >= row["until_h"])
        assert inside.height == 1 or row["until_h"] == june.until_h
    shut = closed_times(built, june.found)
    for row in found.filter(pl.col("state") == "waits_weather", pl.col("until_h") < june.until_h).rows(named=True):
        assert shut.filter(pl.col("from_h") <= row["from_h"], (pl.col("until_h") - row["until_h"]).abs() < 1e-9).height == 1


def test_stocks_rise_with_trains_and_fall_with_ships(built: Built, june: Traced) -> None:
    found = stocks(built, june.found)
    assert set(found["arrival_id"]) == {"east_trains"}
    change = found["units"].diff().drop_nulls()
    assert (found["units"] >= 0.0).all()
    assert set(change.filter(change > 0.0).round(6)) == {3000.0}
    loaded = -change.filter(change < 0.0).sum()
    sailed = voyages(built, june.found).filter(pl.col("from_place") == "east_port")["units"].sum()
    assert loaded == pytest.approx(sailed, abs=60_000.0)  # a ship may have loaded or sailed before or after what is logged


def test_the_log_is_bounded_and_says_when_it_was_too_short(built: Built) -> None:
    short = trace(built, HOW, KNOWN, month=6, rows=50)
    assert short.found.log.shape[0] == 50
    assert not short.is_whole
