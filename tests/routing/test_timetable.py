from __future__ import annotations

import datetime

import polars as pl
import pytest

from karvan.routing import build_graph, in_month, timetable
from tests.routing.small import link, places, tables

START = datetime.date(2025, 3, 1)


def made(services=(), sailings=()):
    """A railway to a port where ships wait 6 h, and a sea lane."""
    known = tables(
        places=places("a", "b", "c"),
        links=[link("a", "b"), link("b", "c", mode="dry_ship", gauge="none", time_h=20.0)],
        modes=[{"mode": "rail", "loading_unit": "wagon"}, {"mode": "dry_ship", "loading_unit": "bulk"}],
        terminals=[
            {
                "terminal_id": "quay", "place_id": "b", "from_mode": "rail", "from_gauge": "1520", "from_unit": "wagon",
                "to_mode": "dry_ship", "to_gauge": "none", "to_unit": "bulk", "time_h": 3.0, "waiting_h": 6.0, "time_sd_h": 4.0,
            }
        ],
    )  # fmt: skip
    rows = {"link_id": ["b__c"] * len(services), "departures_per_week": list(services)}
    return {
        **known,
        "services": pl.DataFrame(rows, schema={"link_id": pl.String, "departures_per_week": pl.Float64}),
        "sailings": pl.DataFrame(
            {"link_id": ["b__c"] * len(sailings), "direction": ["forward"] * len(sailings), "departs_date": list(sailings)},
            schema={"link_id": pl.String, "direction": pl.String, "departs_date": pl.Date},
        ),
    }


def by_element(tables_made, depart=None):
    graph = build_graph(tables_made)
    times = timetable(graph, tables_made, depart=depart)
    forward = {name: arc for arc, name in enumerate(graph.arc_element_id) if graph.arc_direction[arc] == 0}
    return times, forward["quay"], forward["b__c"]


def test_without_services_terminals_say_the_wait():
    times, quay, sea = by_element(made())
    assert times.hours[quay].tolist() == [0.0, 6.0, 0.0, 0.0, 3.0]
    assert times.hours[sea].tolist() == [20.0, 0.0, 0.0, 0.0, 0.0]
    assert times.variance_h2[quay] == 16.0


def test_a_rare_service_is_waited_for_beyond_the_terminal():
    """One a week: half of 168 h is 84 h, of which the terminal's wait holds 6; spread of the headway 168^2/12 less the terminal's 16."""
    times, quay, sea = by_element(made(services=[0.6, 0.4]))
    assert times.hours[quay, 1] == 6.0
    assert times.hours[sea, 1] == pytest.approx(78.0)
    assert times.variance_h2[sea] == pytest.approx(168.0**2 / 12.0 - 16.0)


def test_a_frequent_service_is_in_the_terminals_wait():
    times, _, sea = by_element(made(services=[21.0]))
    assert times.hours[sea, 1] == 0.0
    assert times.variance_h2[sea] == 0.0


def test_dated_sailings_take_the_place_of_mean_waits():
    dated = made(services=[1.0], sailings=[datetime.date(2025, 3, 9), datetime.date(2025, 3, 3)])
    times, quay, sea = by_element(dated, depart=START)
    assert times.hours[quay, 1] == 0.0
    assert times.hours[sea, 1] == 0.0
    assert times.sailing_h[times.sailing_first[sea] : times.sailing_first[sea + 1]].tolist() == [60.0, 204.0]


def test_without_a_day_of_departure_dates_do_not_count():
    times, quay, _ = by_element(made(sailings=[datetime.date(2025, 3, 3)]))
    assert times.sailing_h.shape == (0,)
    assert times.hours[quay, 1] == 6.0


def seasonal(direction):
    return {
        **made(),
        "wait_seasons": pl.DataFrame(
            {"terminal_id": ["quay"] * 2, "direction": [direction] * 2, "month_number": [1, 7], "wait_ratio": [2.5, 0.5]}
        ),
    }


@pytest.mark.parametrize(("month", "ratio"), [(1, 2.5), (7, 0.5), (4, 1.0)])
def test_a_month_stretches_the_wait_and_its_spread_but_no_work(month, ratio):
    """6 h of waiting and a spread of 4 h, in January two and a half times as long; the 3 h of work stay."""
    tables_made = seasonal("forward")
    graph = in_month(build_graph(tables_made), tables_made, month)
    quay = next(arc for arc, name in enumerate(graph.arc_element_id) if name == "quay" and graph.arc_direction[arc] == 0)
    assert graph.arc_hours[quay].tolist() == [0.0, 6.0 * ratio, 0.0, 0.0, 3.0]
    assert graph.arc_sd_h[quay] == pytest.approx(4.0 * ratio)


def test_goods_that_come_off_the_ship_do_not_wait_for_its_season():
    tables_made = seasonal("backward")
    graph, plain = build_graph(tables_made), build_graph(made())
    forward = [arc for arc in range(graph.arc_count) if graph.arc_direction[arc] == 0]
    assert in_month(graph, tables_made, 1).arc_hours[forward].tolist() == plain.arc_hours[forward].tolist()


def test_without_seasons_a_month_is_the_mean_year():
    graph = build_graph(made())
    assert in_month(graph, made(), 1) is graph
