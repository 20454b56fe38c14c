"""The document of a simulation against the simulation."""

from __future__ import annotations

import itertools
import json

import polars as pl
import pytest

from karvan.report import crossings_screen
from karvan.simulation import ExperimentOptions
from karvan.study import simulate


@pytest.fixture(scope="module")
def told(month_of_two_ports, two_ports):
    return crossings_screen(month_of_two_ports, two_ports, version="0")


def test_it_is_json_and_says_what_it_is_of(told, month_of_two_ports):
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["kind"], told["schema"], told["system_id"], told["year"]) == ("karvan-crossings", 1, "strait", 2024)
    assert told["streams"][0]["transit_d"] == pytest.approx(month_of_two_ports.streams["transit_d"][0], rel=1e-5)
    assert len(json.dumps(told)) < 60_000


def test_the_month_is_the_stormiest(told, month_of_two_ports):
    closed = month_of_two_ports.months.filter(pl.col("kind") == "closed").sort("value_d", descending=True)
    assert told["month"]["month"] == closed["month"][0]
    assert told["month"]["hours"] in (672, 720, 744)


def test_every_stay_lies_in_a_lane_and_none_over_another(told, month_of_two_ports):
    lanes = told["month"]["berths"]
    for lane in lanes:
        assert all(0.0 <= start < end <= told["month"]["hours"] for start, end, _ in lane["visits"])
        assert all(before[1] <= after[0] + 0.1 for before, after in itertools.pairwise(lane["visits"]))  # five digits are kept
    assert sum(len(lane["visits"]) for lane in lanes) == month_of_two_ports.log["berth_visits"].height
    assert {lane["berth_id"] for lane in lanes} == {"east_berth", "west_berth"}


def test_a_ship_is_somewhere_at_every_hour(told):
    for ship in told["month"]["ships"]:
        for hour in range(0, int(told["month"]["hours"]), 7):
            assert sum(start <= hour < end for start, end, *_ in ship["states"]) == 1


def test_what_weather_closes_is_a_place_of_the_map(told):
    assert told["closed_at"] == {"east_wind": ["east_port"]}
    assert told["berth_closures"]["east_berth"] == "east_wind"
    assert told["month"]["closed"]
    assert {place["place_id"] for place in told["places"]} >= {"east_port", "west_port"}
    assert told["lines_of"] == {"strait_line": told["links"][0]["link_id"]}


def test_stocks_stand_every_six_hours(told):
    steps = told["month"]["stocks"]["east_trains"]
    assert len(steps) == told["month"]["hours"] / told["month"]["step_h"] + 1
    assert max(steps) > 0


def test_without_a_month_there_is_none(two_ports):
    plain = simulate(two_ports, "pass", loads={"pass_trains": 1e5}, how=ExperimentOptions(least=20, most=20), has_curves=False)
    assert plain.log == {}
    assert crossings_screen(plain, two_ports, version="0")["month"] is None
