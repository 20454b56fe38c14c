"""Carriage within a country by a carrier of another, on two countries that can be read off."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from karvan.routing import build_graph
from karvan.routing.cabotage import cabotage_closings, cabotage_met, cabotage_rules
from tests.routing.small import link, places, tables

BEFORE, AFTER = datetime.date(2024, 12, 31), datetime.date(2025, 1, 1)


def rule(name, countries, carried_by, effect, carriers=None, not_carriers=None, start=None, end=None):
    return {
        "cabotage_id": name, "countries": countries, "carried_by": carried_by, "carriers": carriers, "not_carriers": not_carriers,
        "from_date": start, "until_date": end, "effect": effect, "rule": name, "source": "own_estimate", "confidence": "estimate",
    }  # fmt: skip


RULES = pl.DataFrame(
    [
        rule("union", "AA", "road", "needs_check", carriers="BB", start=AFTER),
        rule("union_before", "AA", "road", "ban", carriers="BB", end=AFTER),
        rule("others", "AA;BB", "road", "ban", not_carriers="AA;BB"),
        rule("ships", "AA", "sea", "ban"),
    ],
    schema_overrides={"from_date": pl.Date, "until_date": pl.Date},
)


@pytest.fixture(scope="module")
def case():
    """a1 - a2 by road in AA, a2 - b1 by road over the border, a1 - a2 and a2 - b2 by ship."""
    located = [{**place, "country": place["place_id"][0].upper() * 2} for place in places("a1", "a2", "b1", "b2")]
    known = tables(
        places=located,
        links=[
            link("a1", "a2", mode="road", gauge="none"), link("a2", "b1", mode="road", gauge="none"),
            {**link("a1", "a2", mode="feeder", gauge="none"), "link_id": "ship_within"},
            {**link("a2", "b2", mode="feeder", gauge="none"), "link_id": "ship_abroad"},
        ],
        modes=[{"mode": "road", "loading_unit": "truck"}, {"mode": "feeder", "loading_unit": "container"}],
    )  # fmt: skip
    made = {**known, "cabotage": RULES}
    return build_graph(made), made


def names(rules):
    return [item["permission_id"] for item in rules]


@pytest.mark.parametrize(
    ("carrier", "day", "found"),
    [
        (None, AFTER, []),
        ("AA", AFTER, []),  # at home, and BB is closed to others only
        ("BB", BEFORE, ["ships", "union_before"]),
        ("BB", AFTER, ["ships", "union"]),
        ("CC", AFTER, ["others", "ships"]),
    ],
)
def test_rules_are_by_carrier_and_day(case, carrier, day, found):
    assert names(cabotage_rules(case[1], carrier, day)) == found


def closed_links(case, carrier, ends):
    graph, made = case
    closings = cabotage_closings(graph, made, cabotage_rules(made, carrier, AFTER), ends)
    return {closing.rules[0]["permission_id"]: {graph.arc_element_id[arc] for arc in np.flatnonzero(closing.arcs)} for closing in closings}


def test_a_shipment_within_a_country_finds_its_roads_closed(case):
    assert closed_links(case, "CC", ("AA", "AA")) == {"others": {"a1__a2"}, "ships": {"ship_within"}}


def test_a_shipment_abroad_may_pass_its_roads_but_no_ship_carries_between_its_ports(case):
    assert closed_links(case, "CC", ("AA", "BB")) == {"ships": {"ship_within"}}


def way(graph, *link_ids):
    forward = {
        graph.arc_element_id[arc]: arc for arc in range(graph.arc_count) if graph.arc_direction[arc] == 0 and graph.arc_kind[arc] == 0
    }
    return np.array([forward[name] for name in link_ids])


def test_a_truck_that_hands_on_within_the_country_is_to_be_checked(case):
    graph, made = case
    rules = cabotage_rules(made, "CC", AFTER)
    assert names(cabotage_met(graph, made, rules, way(graph, "a1__a2", "ship_abroad"))) == ["others"]
    assert names(cabotage_met(graph, made, rules, way(graph, "a1__a2", "a2__b1"))) == []
    assert names(cabotage_met(graph, made, (), way(graph, "a1__a2"))) == []
