"""The document of a shipper's answer against the answer."""

from __future__ import annotations

import datetime
import itertools
import json
import math

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.report import route_screen
from karvan.report.route_screen import profile
from karvan.study import ShippingDesk

SIX_DIGITS = 1e-5


@pytest.fixture(scope="module")
def real():
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def told(real):
    desk = ShippingDesk(real)
    asked = [
        (("xian", "duisburg", "containers"), {"year": 2027}),
        (("kostanay", "yerevan", "wheat"), {"depart": datetime.date(2025, 10, 1), "via": ["r_boyuk_kesik__gardabani"]}),
        (("shanghai", "rotterdam", "containers"), {"year": 2026}),
    ]
    return [route_screen(desk.answer(a, b, commodity=goods, **more), real, version="0") for (a, b, goods), more in asked]


def ways(document):
    return [*document["options"], *(item["opens"] for item in document["rejected"])]


def test_it_is_json(told):
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert all((row["kind"], row["schema"]) == ("karvan-route", 1) for row in told)


def test_a_profile_ends_at_length_and_time_and_its_stops_stand_still(told):
    seen = set()
    for way in (way for document in told for way in ways(document)):
        points = way["profile"]
        assert points[0] == {"distance_km": 0, "time_d": 0, "cause": None, "place": way["legs"][0]["from_name"]}
        assert points[-1]["distance_km"] == pytest.approx(way["length_km"], rel=SIX_DIGITS)
        assert points[-1]["time_d"] == pytest.approx(way["time_d"], rel=SIX_DIGITS)
        by_cause = dict.fromkeys(("moving", "waiting", "border", "gauge", "port"), 0.0)
        for before, after in itertools.pairwise(points):
            by_cause[after["cause"]] += after["time_d"] - before["time_d"]
            assert after["cause"] == "moving" or after["distance_km"] == before["distance_km"]
        for cause, days in by_cause.items():
            assert days * 24 == pytest.approx(way[f"{cause}_h"], rel=1e-4, abs=0.05)  # differences of numbers of six digits
            seen |= {cause} if days else set()
    assert seen == {"moving", "waiting", "border", "gauge", "port"}


def test_nothing_has_no_profile():
    assert profile([]) == []


def test_every_link_and_place_of_its_ways_can_be_drawn_and_named(told):
    for document in told:
        links = {link["link_id"]: link for link in document["links"]}
        places = {place["place_id"]: place for place in document["places"]}
        for way in ways(document):
            assert {link for leg in way["legs"] for link in leg["links"]} <= set(links)
            assert way["family_id"] is None or document["families"][way["family_id"]]
            assert {leg["operator"] for leg in way["legs"]} <= {None, *document["operators"]}
        assert {link[end] for link in links.values() for end in ("from_place", "to_place")} <= set(places)


def test_a_refused_way_is_told_as_well(told):
    assert told[1]["answer"] == "refused"
    assert told[1]["options"] == []
    assert told[1]["rejected"][0]["opens"]["profile"]


def great_circle_km(a, b):
    lon_1, lat_1, lon_2, lat_2 = (math.radians(value) for value in (*a, *b))
    half = math.sin((lat_2 - lat_1) / 2) ** 2 + math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(half))


def test_a_course_is_about_as_long_as_its_link(real):
    """Great circles between turns against the length that the case has: within a quarter."""
    points = {row["place_id"]: (row["lon_deg"], row["lat_deg"]) for row in real.tables["places"].iter_rows(named=True)}
    turns = real.tables["waypoints"].sort("link_id", "point_no")
    assert turns.height > 100
    for row in real.tables["links"].filter(pl.col("link_id").is_in(turns["link_id"].unique().to_list())).iter_rows(named=True):
        own = turns.filter(pl.col("link_id") == row["link_id"]).select("lon_deg", "lat_deg").rows()
        course = [points[row["from_place"]], *own, points[row["to_place"]]]
        length = sum(great_circle_km(a, b) for a, b in itertools.pairwise(course))
        assert length == pytest.approx(row["length_km"], rel=0.25), row["link_id"]
