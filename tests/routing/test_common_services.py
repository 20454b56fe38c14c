from __future__ import annotations

import pytest

from karvan.routing import ServiceArc, strategy

STAY = float("inf")


def per_minute(headway):
    return 2.0 / headway


def test_the_four_lines_of_spiess_and_florian():
    """Spiess & Florian (1989), figure 1: 27.75 minutes from A, with half the headway as mean wait and none for staying on board."""
    arcs = [
        ServiceArc("a", "one", 0.0, per_minute(12)), ServiceArc("one", "b", 25.0, STAY),
        ServiceArc("a", "two_a", 0.0, per_minute(12)), ServiceArc("two_a", "two_x", 7.0, STAY), ServiceArc("two_x", "x", 0.0, STAY),
        ServiceArc("x", "two_x", 0.0, per_minute(12)), ServiceArc("two_x", "two_y", 6.0, STAY), ServiceArc("two_y", "y", 0.0, STAY),
        ServiceArc("x", "three_x", 0.0, per_minute(30)), ServiceArc("three_x", "three_y", 4.0, STAY),
        ServiceArc("three_y", "y", 0.0, STAY), ServiceArc("y", "three_y", 0.0, per_minute(30)), ServiceArc("three_y", "b", 4.0, STAY),
        ServiceArc("y", "four", 0.0, per_minute(6)), ServiceArc("four", "b", 10.0, STAY),
    ]  # fmt: skip
    time = strategy(arcs, "b")
    assert time["y"] == pytest.approx(11.5, rel=1e-12)
    assert time["x"] == pytest.approx(19.071429, abs=5e-7)  # published to six digits
    assert time["a"] == pytest.approx(27.75, rel=1e-12)


def test_services_alike_wait_for_half_their_common_headway():
    arcs = [ServiceArc("a", "b", 10.0, 2.0 / 24.0), ServiceArc("a", "b", 10.0, 2.0 / 48.0)]
    assert strategy(arcs, "b")["a"] == pytest.approx(8.0 + 10.0)  # three departures in 48 h: a headway of 16 h


def test_stops_that_lead_nowhere_are_left_out():
    assert strategy([ServiceArc("a", "c", 1.0, 1.0)], "b") == {"b": 0.0}
