"""Fixed points worked out by hand, maps on which plain iteration fails, and delays that agree with the market they slow down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from karvan.assignment.delays import DelayCurves, delay_h, route_delay_cost, use_share, with_reference
from karvan.assignment.fixed_point import FixedPointOptions, solve_fixed_point, solve_from_two_starts
from karvan.assignment.market import MarketProblem, clear, scaled
from tests.assignment.market_cases import random_program, two_routes

FINE = FixedPointOptions(relative=0.0, absolute=1e-11)
HALF_DIGIT_9 = 5e-10
HALF_DIGIT_6 = 5e-7


def wide(size: int) -> dict[str, np.ndarray]:
    """Bounds that no test reaches."""
    return {"lower": np.full(size, -1e6), "upper": np.full(size, 1e6)}


def answered(share: np.ndarray) -> np.ndarray:
    """Demand q = 0.75 (c / 100)^-1.5 at cost c = 100 + 4 q / (1 - q)."""
    cost = 100.0 + 4.0 * share / (1.0 - share)
    return np.asarray(0.75 * (cost / 100.0) ** -1.5)


def test_demand_that_answers_to_its_own_wait() -> None:
    """q 0.667837200, slope -0.336145, best damping 0.748422, wait 2.010572."""
    found = solve_fixed_point(answered, np.array([0.5]), lower=np.zeros(1), upper=np.array([0.95]), options=FINE)
    share = float(found.value[0])
    assert found.is_converged
    assert share == pytest.approx(0.667837200, abs=HALF_DIGIT_9)
    assert share / (1.0 - share) == pytest.approx(2.010572, abs=HALF_DIGIT_6)
    slope = float((answered(found.value + 1e-6) - answered(found.value - 1e-6))[0]) / 2e-6
    assert slope == pytest.approx(-0.336145, abs=HALF_DIGIT_6)
    assert 1.0 / (1.0 - slope) == pytest.approx(0.748422, abs=HALF_DIGIT_6)


def test_stops_at_the_tolerance_it_is_given() -> None:
    """At 1% of the value it needs fewer evaluations than at 1e-11, and tells how near it is."""
    rough = solve_fixed_point(
        answered, np.array([0.5]), lower=np.zeros(1), upper=np.ones(1) * 0.95, options=FixedPointOptions(absolute=1e-9)
    )
    fine = solve_fixed_point(answered, np.array([0.5]), lower=np.zeros(1), upper=np.ones(1) * 0.95, options=FINE)
    assert rough.iterations < fine.iterations
    assert abs(float((answered(rough.value) - rough.value)[0])) == pytest.approx(rough.residual * 0.01 * float(rough.value[0]), rel=1e-9)


def test_zero_is_met_by_the_absolute_tolerance() -> None:
    found = solve_fixed_point(lambda hours: 0.1 * hours, np.array([8.0, 0.0]), **wide(2))
    assert found.is_converged
    assert np.abs(found.value).max() < 0.06  # |F(x) - x| = 0.9 |x| is at most 0.05


def test_plain_steps_diverge_where_acceleration_converges() -> None:
    """F = b - A x with A of eigenvalues 3 and 8: each plain step triples the error or more; the answer is (I + A)^-1 b."""
    steep = np.array([[5.5, 2.5], [2.5, 5.5]])
    there = np.array([4.0, -1.0])
    pull = there + steep @ there

    def function(point: np.ndarray) -> np.ndarray:
        return np.asarray(pull - steep @ point)

    point = np.zeros(2)
    for _ in range(5):
        point = function(point)
    assert np.abs(point - there).max() > 3.0**5
    found = solve_fixed_point(function, np.zeros(2), options=FINE, **wide(2))
    assert found.is_converged
    assert found.value == pytest.approx(there, abs=1e-9)


def test_steep_curve_between_bounds() -> None:
    """A wait of 40 h x^8 / (1 - x) at the use x that it leaves over, 1.1 exp(-wait / 20): plain and half steps jump to and fro."""

    def function(hours: np.ndarray) -> np.ndarray:
        use = np.minimum(1.1 * np.exp(-hours / 20.0), 0.99)
        return np.asarray(40.0 * use**8 / (1.0 - use))

    low, high = np.zeros(1), np.array([4000.0])
    found = solve_from_two_starts(function, low, high, lower=low, upper=high)
    assert found.low.is_converged
    assert found.high.is_converged
    assert found.largest_difference_share < 0.01
    assert 0.0 < found.low.value[0] < 40.0


def test_bounds_hold() -> None:
    """The map leads out of the box, so its nearest point is flagged, not taken for an answer."""
    found = solve_fixed_point(lambda hours: hours + 1.0, np.array([5.0]), lower=np.zeros(1), upper=np.array([9.0]))
    assert not found.is_converged
    assert 0.0 <= found.value[0] <= 9.0


def test_map_without_a_fixed_point_is_flagged() -> None:
    """One below a half and zero from there on: the mean of both is no answer and is not given as one."""
    found = solve_fixed_point(lambda share: np.where(share < 0.5, 1.0, 0.0), np.array([0.2]), lower=np.zeros(1), upper=np.ones(1))
    assert not found.is_converged
    assert found.iterations == FixedPointOptions().max_iterations
    assert found.residual > 1.0


def test_map_without_a_value_is_flagged() -> None:
    found = solve_fixed_point(lambda hours: np.full_like(hours, np.nan), np.zeros(2), **wide(2))
    assert not found.is_converged
    assert found.iterations == 1


def test_empty_vector_is_its_own_image() -> None:
    """A case without delay curves."""
    found = solve_fixed_point(lambda hours: hours, np.zeros(0), **wide(0))
    assert found.is_converged
    assert found.residual == 0.0


def test_two_answers_are_told_apart() -> None:
    """F(x) = x at 0, 2 and 4; from either side the nearest is found, and the difference is the whole of the larger."""

    def function(point: np.ndarray) -> np.ndarray:
        return np.asarray(2.0 + 2.0 * np.tanh(5.0 * (point - 2.0)) / np.tanh(10.0))

    bounds = {"lower": np.zeros(1), "upper": np.array([4.0])}
    options = FixedPointOptions(absolute=1e-6)
    found = solve_from_two_starts(function, np.array([0.0]), np.array([4.0]), options=options, **bounds)
    assert found.low.value == pytest.approx([0.0], abs=1e-6)
    assert found.high.value == pytest.approx([4.0], abs=1e-6)
    assert found.largest_difference_share == pytest.approx(1.0, abs=1e-6)


def test_difference_is_a_share_of_the_larger() -> None:
    """Both starts are fixed points of the identity, so the difference is known: 5 of 20 hours, and 0.5 of the 5 hours that count least."""
    start = np.array([15.0, 0.0]), np.array([20.0, 0.5])
    found = solve_from_two_starts(lambda hours: hours, *start, **wide(2))
    assert found.largest_difference_share == pytest.approx(0.25, rel=1e-12)


def curves_like(rows: int, *, wait_h: float, reference: float = 0.0) -> DelayCurves:
    """The same curve at every row: two servers, random arrivals."""
    none = np.zeros(rows)
    return DelayCurves(np.full(rows, wait_h), np.full(rows, np.sqrt(6.0) - 1.0), np.full(rows, reference), none, none + 1.0, none)


def use_of(problem: MarketProblem) -> np.ndarray:
    """Use of each row in the market without extra delays."""
    return use_share(clear(problem).row_flow, np.zeros_like(problem.row_capacity), problem.row_capacity)


def delay_loop(problem: MarketProblem, curves: DelayCurves, *, time_value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Delays to costs, costs to flows, flows to delays; each clearing starts from the prices of the one before."""
    prices = np.zeros_like(problem.row_capacity)
    per_family = np.repeat(np.arange(problem.market_flow_kt.shape[0]), np.diff(problem.market_first_family))
    market_of_route = np.repeat(per_family, np.diff(problem.family_first_route))

    def function(extra_h: np.ndarray) -> np.ndarray:
        cost = route_delay_cost(
            extra_h,
            route_first_entry=problem.route_first_entry,
            entry_row=problem.entry_row,
            market_of_route=market_of_route,
            market_time_value_usd_per_t_d=np.full(problem.market_flow_kt.shape[0], time_value),
        )
        slowed = replace(problem, route_cost_usd_per_t=problem.route_cost_usd_per_t + cost)
        clearing = clear(slowed, start=prices)
        prices[:] = clearing.row_price_usd_per_unit
        return delay_h(curves, use_share(clearing.row_flow, np.zeros_like(prices), problem.row_capacity))

    return function


def ends(curves: DelayCurves) -> dict[str, np.ndarray]:
    """Delays of empty and of full facilities."""
    rows = curves.kappa.shape[0]
    return {"lower": delay_h(curves, np.zeros(rows)), "upper": delay_h(curves, np.ones(rows))}


def solved(problem: MarketProblem, curves: DelayCurves, *, time_value: float = 5.0):
    """The loop from no delays and from those of full facilities."""
    bounds = ends(curves)
    loop = delay_loop(problem, curves, time_value=time_value)
    return solve_from_two_starts(loop, np.zeros_like(bounds["upper"]), bounds["upper"], **bounds)


def test_base_use_has_no_delay() -> None:
    """Where the reference is the use of the base year, no delay is a fixed point at once, and the market is as it was."""
    problem = random_program(3)
    curves = with_reference(curves_like(6, wait_h=24.0), use_of(problem))
    loop = delay_loop(problem, curves, time_value=5.0)
    found = solve_fixed_point(loop, np.zeros(6), **ends(curves))
    assert found.is_converged
    assert found.iterations == 1
    assert found.residual * FixedPointOptions().absolute < 1e-3  # hours; capacity is met to 1e-9, and slopes reach 1e4 h


def test_two_routes_by_hand() -> None:
    """Row of 16 kt used at 0.45 or so: the flow must be the logit's at the delay it causes."""
    problem, curves = two_routes(10.0, [16.0]), curves_like(1, wait_h=100.0)
    found = solved(problem, curves, time_value=24.0)  # one USD/t-h
    extra = found.low.value[0]
    flow = 10.0 / (1.0 + np.exp(-0.05 * (120.0 - 100.0 - extra)))
    assert extra == pytest.approx(100.0 * (flow / 16.0) ** (np.sqrt(6.0) - 1.0) / (1.0 - flow / 16.0), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("wait_h", [0.6, 6.0])
def test_both_starts_give_the_same_delays(seed: int, wait_h: float) -> None:
    problem = random_program(seed)
    found = solved(problem, curves_like(6, wait_h=wait_h))
    assert found.low.is_converged
    assert found.high.is_converged
    assert found.largest_difference_share < 0.01


def test_more_flow_means_more_delay() -> None:
    """Base flows times 0.5, 1 and 1.5: no facility waits less, and some wait more."""
    problem = random_program(1, tightness=0.9)
    curves = with_reference(curves_like(6, wait_h=24.0), use_of(problem))
    less, same, more = (solved(scaled(problem, factor), curves).low.value for factor in (0.5, 1.0, 1.5))
    assert (less <= same + 0.01).all()  # hours, the tolerance of the loop
    assert (same <= more + 0.01).all()
    assert less.min() < -1.0
    assert more.max() > 1.0


def test_delay_takes_the_place_of_price_at_a_full_facility() -> None:
    """Costs 100 and 120, room for 6 of 10: whoever waits at a value of 1 USD/t-h pays in price what the wait leaves over of 11.890698."""
    problem = two_routes(10.0, [6.0])
    none = np.zeros(1)
    curves = DelayCurves(np.array([0.1]), np.array([1.0]), none, none, none + 1.0, none)
    loop = delay_loop(problem, curves, time_value=24.0)
    found = solve_fixed_point(loop, np.zeros(1), options=FINE, **ends(curves))
    # d(1) = 0.1 (19 + 0.05 x 400) = 3.9 h, capacity met to 1e-9
    assert found.value[0] == pytest.approx(3.9, abs=1e-6)
    slowed = replace(problem, route_cost_usd_per_t=problem.route_cost_usd_per_t + np.array([found.value[0], 0.0]))
    assert clear(slowed).row_price_usd_per_unit[0] == pytest.approx(11.890697838 - 3.9, abs=1e-6)
