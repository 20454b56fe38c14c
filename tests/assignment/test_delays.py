"""Delay curves on waiting times worked out by hand, and on what queueing theory knows exactly.

Tolerance: half a unit of the last digit given, unless a test says otherwise.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karvan.assignment.delays import (
    STEEPEST_USE,
    DelayCurves,
    delay_h,
    read_curves,
    route_delay_cost,
    use_share,
    wait_h,
    wait_slope_h,
    with_reference,
)

HALF_DIGIT_6 = 5e-7
NO_ROADS = pl.DataFrame(
    schema={
        "facility_id": pl.String,
        "free_time_h": pl.Float64,
        "delay_factor": pl.Float64,
        "power": pl.Float64,
        "reference_use_share": pl.Float64,
    }
)


def one_curve(servers: float, *, service_h: float = 1.0, variability: float = 1.0, reference: float = 0.0) -> DelayCurves:
    """A facility with a curve, read from tables as a case holds them."""
    curve = {
        "facility_id": ["quay"],
        "servers_count": [servers],
        "service_time_h": [service_h],
        "variability_ratio": [variability],
        "reference_use_share": [reference],
    }
    return read_curves(
        {"facilities": pl.DataFrame({"facility_id": ["quay"]}), "delay_curves": pl.DataFrame(curve), "road_curves": NO_ROADS}
    )


def wait(curves: DelayCurves, share: float) -> float:
    return float(wait_h(curves, np.array([share]))[0])


def slope(curves: DelayCurves, share: float) -> float:
    return float(wait_slope_h(curves, np.array([share]))[0])


def test_one_server_is_exact() -> None:
    """M/M/1, M/D/1 and M/G/1 with half the variance, all at a use of 0.8 and a rate of 1 an hour."""
    assert wait(one_curve(1.0), 0.8) == pytest.approx(4.0, rel=1e-12)
    assert wait(one_curve(1.0, variability=0.5), 0.8) == pytest.approx(2.0, rel=1e-12)
    assert wait(one_curve(1.0, variability=0.75), 0.8) == pytest.approx(3.0, rel=1e-12)


def test_three_servers_by_sakasegawa() -> None:
    """1.108296 by the formula; the exact wait of M/M/3 is 1.078652, so it is 2.7% too long."""
    assert wait(one_curve(3.0), 0.8) == pytest.approx(1.108296, abs=HALF_DIGIT_6)


@pytest.mark.parametrize(("servers", "exact"), [(2.0, 1.777778), (3.0, 1.078652)])
def test_several_servers_are_within_three_percent_of_exact(servers: float, exact: float) -> None:
    assert wait(one_curve(servers), 0.8) == pytest.approx(exact, rel=0.03)


def test_hours_scale_with_service_time_and_variability() -> None:
    """Twice the hours of a batch and thrice the variability: six times the wait, to rounding."""
    assert wait(one_curve(3.0, service_h=2.0, variability=3.0), 0.7) == pytest.approx(6.0 * wait(one_curve(3.0), 0.7), rel=1e-12)


def test_empty_facility_has_no_wait() -> None:
    assert wait(one_curve(1.0), 0.0) == 0.0
    assert wait(one_curve(5.0), 0.0) == 0.0


@pytest.mark.parametrize("servers", [1.0, 2.5, 8.0])
def test_tangent_meets_the_curve_at_the_steepest_use(servers: float) -> None:
    """Value and slope agree on both sides of 0.95, to what a step of 1e-9 of capacity changes them; beyond it the slope is constant."""
    curves, step = one_curve(servers, service_h=24.0), 1e-9
    below, above = wait(curves, STEEPEST_USE - step), wait(curves, STEEPEST_USE + step)
    assert above == pytest.approx(below, rel=1e-6)
    assert slope(curves, STEEPEST_USE + step) == pytest.approx(slope(curves, STEEPEST_USE - step), rel=1e-6)
    assert wait(curves, 1.05) - wait(curves, 1.0) == pytest.approx(0.05 * slope(curves, STEEPEST_USE), rel=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
def test_slope_is_that_of_the_wait(share: float) -> None:
    """Central difference, error of order step squared."""
    curves, step = one_curve(3.0, service_h=24.0), 1e-5
    assert (wait(curves, share + step) - wait(curves, share - step)) / (2.0 * step) == pytest.approx(slope(curves, share), rel=1e-5)


@given(
    servers=st.floats(1.0, 30.0),
    first=st.floats(0.0, 1.2),
    second=st.floats(0.0, 1.2),
    part=st.floats(0.0, 1.0),
)
def test_wait_is_convex_and_rises(servers: float, first: float, second: float, part: float) -> None:
    """The chord lies above the curve, and more use never waits less; up to rounding of the larger wait."""
    curves = one_curve(servers)
    between = part * first + (1.0 - part) * second
    chord = part * wait(curves, first) + (1.0 - part) * wait(curves, second)
    rounding = 1e-12 * (1.0 + wait(curves, max(first, second)))
    assert wait(curves, between) <= chord + rounding
    assert wait(curves, min(first, second)) <= wait(curves, max(first, second)) + rounding


@given(reference=st.floats(0.0, 1.0))
def test_delay_is_zero_at_the_reference_use(reference: float) -> None:
    """By construction, a full facility included."""
    curves = one_curve(3.0, service_h=24.0, reference=reference)
    assert delay_h(curves, np.array([reference]))[0] == 0.0


def test_delay_changes_its_sign_at_the_reference_use() -> None:
    curves = one_curve(2.0, service_h=24.0, reference=0.7)
    less, more = delay_h(curves, np.array([0.6]))[0], delay_h(curves, np.array([0.8]))[0]
    assert less < 0.0 < more
    assert more > -less  # convex


def test_reference_can_be_set_to_the_use_of_a_year() -> None:
    """Above 1, which rounding of a full facility may give, it is 1."""
    curves = with_reference(one_curve(2.0), np.array([1.0 + 1e-9]))
    assert curves.reference_use_share[0] == 1.0
    assert delay_h(curves, np.array([1.0]))[0] == 0.0


def test_facility_without_a_curve_delays_nobody() -> None:
    tables = {
        "facilities": pl.DataFrame({"facility_id": ["pipe", "quay"]}),
        "delay_curves": pl.DataFrame(
            {
                "facility_id": ["quay"],
                "servers_count": [1.0],
                "service_time_h": [1.0],
                "variability_ratio": [1.0],
                "reference_use_share": [0.5],
            }
        ),
        "road_curves": NO_ROADS,
    }
    delays = delay_h(read_curves(tables), np.array([1.0, 0.8]))
    assert delays[0] == 0.0
    assert delays[1] == pytest.approx(4.0 - 1.0, rel=1e-12)


def test_use_counts_traffic_outside_the_case() -> None:
    """6 of the case and 3 beside it on 10; without limit, and closed, nothing is used up."""
    share = use_share(np.array([6.0, 6.0, 0.0]), np.array([3.0, 0.0, 0.0]), np.array([10.0, np.inf, 0.0]))
    assert share.tolist() == [0.9, 0.0, 0.0]


def test_route_pays_for_the_hours_of_each_facility_it_passes() -> None:
    """Values of 24 and 48 USD/t-day are 1 and 2 USD/t-h. The last row of the program is no facility and takes no time."""
    cost = route_delay_cost(
        np.array([5.0, -2.0]),
        route_first_entry=np.array([0, 1, 4, 4]),
        entry_row=np.array([0, 0, 1, 2]),
        market_of_route=np.array([0, 1, 1]),
        market_time_value_usd_per_t_d=np.array([24.0, 48.0]),
    )
    assert cost.tolist() == [5.0, 2.0 * (5.0 - 2.0), 0.0]


def test_a_road_takes_what_the_bureau_of_public_roads_says() -> None:
    """8 h empty, 0.15 and 4: 8 x 0.15 x (0.9^4 - 0.5^4) = 0.71232 h more at a use of 0.9 than at the reference of 0.5."""
    road = {"facility_id": ["pass"], "free_time_h": [8.0], "delay_factor": [0.15], "power": [4.0], "reference_use_share": [0.5]}
    queue = {
        "facility_id": ["pass"],
        "servers_count": [1.0],
        "service_time_h": [1.0],
        "variability_ratio": [1.0],
        "reference_use_share": [0.5],
    }
    facilities = pl.DataFrame({"facility_id": ["quay", "pass"]})
    tables = {"facilities": facilities, "delay_curves": pl.DataFrame(queue).clear(), "road_curves": pl.DataFrame(road)}
    curves = read_curves(tables)
    assert curves.has_any
    assert delay_h(curves, np.array([0.9, 0.9])) == pytest.approx([0.0, 0.71232], rel=1e-12)
    assert delay_h(with_reference(curves, np.array([0.0, 0.9])), np.array([0.9, 0.9])) == pytest.approx([0.0, 0.0])
    both = read_curves(tables | {"delay_curves": pl.DataFrame(queue)})
    assert delay_h(both, np.array([0.0, 0.9]))[1] == pytest.approx(0.71232 + 9.0 - 1.0, rel=1e-12)  # M/M/1: 9 less 1, and more
