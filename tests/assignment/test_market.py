"""Market clearing on cases worked out by hand.

Tolerance: 1e-6 relative or half a unit of the last digit given, unless a test says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from karvan.assignment import _kernels
from karvan.assignment.market import ClearOptions, clear, flows_at, make_program, scaled, turned_away, with_capacity
from karvan.errors import ConvergenceError, DataError
from tests.assignment.market_cases import Family, Market, Route, one_nest, program, random_program, two_routes
from tests.assignment.plain_market import plain_market, shuffled

HALF_DIGIT_9 = 6e-10
HALF_DIGIT_6 = 6e-7


def close(value: float, *, digits: float = HALF_DIGIT_9) -> object:
    return pytest.approx(value, rel=1e-6, abs=digits)


def test_free_flow_of_two_routes() -> None:
    clearing = clear(two_routes(10.0, [np.inf]))
    assert clearing.route_flow_kt[0] == close(7.310585786)
    assert clearing.market_cost[0] == close(93.734766250)
    assert clearing.row_price_usd_per_unit[0] == 0.0


def test_capacity_six_of_two_routes() -> None:
    clearing = clear(two_routes(10.0, [6.0]))
    assert clearing.row_price_usd_per_unit[0] == close(11.890697838)
    assert clearing.market_cost[0] == close(101.674185413)
    assert clearing.welfare_kusd == close(-945.397666598)
    assert clearing.route_flow_kt == pytest.approx([6.0, 4.0], rel=1e-9)


def test_capacity_seven_and_the_gain() -> None:
    six, seven = clear(two_routes(10.0, [6.0])), clear(two_routes(10.0, [7.0]))
    assert seven.row_price_usd_per_unit[0] == close(3.054042792)
    assert seven.welfare_kusd == close(-937.827139589)
    assert seven.welfare_kusd - six.welfare_kusd == close(7.570527009)
    assert seven.consumer_surplus_kusd.sum() - six.consumer_surplus_kusd.sum() == close(57.536414490)
    assert seven.rent_kusd - six.rent_kusd == close(-49.965887, digits=HALF_DIGIT_6)


def test_price_is_the_slope_of_welfare() -> None:
    step = 1e-4
    up, down = clear(two_routes(10.0, [6.0 + step])), clear(two_routes(10.0, [6.0 - step]))
    slope = (up.welfare_kusd - down.welfare_kusd) / (2.0 * step)
    assert slope == pytest.approx(11.890697838, rel=1e-6)  # central difference, error of order step squared


@pytest.mark.parametrize(("overlap", "shares"), [(0.0, (1 / 3, 1 / 3, 1 / 3)), (0.5, (0.4, 0.3, 0.3)), (1.0, (0.5, 0.25, 0.25))])
def test_path_size_shares(overlap: float, shares: tuple[float, ...]) -> None:
    size = 1.0 - overlap / 2.0
    routes = [Route(100.0), Route(100.0, path_size=size), Route(100.0, path_size=size)]
    clearing = clear(program([one_nest(routes, 0.05, 1.0)], [np.inf]))
    assert clearing.route_flow_kt == pytest.approx(shares, rel=1e-12)


def two_pairs(theta: float) -> object:
    first = one_nest([Route(10.0, {0: 1.0}), Route(13.0, {1: 1.0}), Route(20.0)], theta, 6.0)
    second = one_nest([Route(12.0, {0: 1.0}), Route(16.0)], theta, 4.0)
    return program([first, second], [5.0, 2.0])


@pytest.mark.parametrize(
    ("theta", "prices", "welfare"),
    [(0.2, (4.215450, 3.314070), -87.783977), (1.0, (5.061038, 2.747049), -119.902496)],
)
def test_two_pairs_share_two_rows(theta: float, prices: tuple[float, float], welfare: float) -> None:
    clearing = clear(two_pairs(theta))
    assert clearing.row_price_usd_per_unit == pytest.approx(prices, rel=1e-6, abs=HALF_DIGIT_6)
    assert clearing.welfare_kusd == close(welfare, digits=HALF_DIGIT_6)


def test_two_pairs_near_the_linear_program() -> None:
    clearing = clear(two_pairs(200.0))
    assert clearing.route_flow_kt == pytest.approx([4.0, 2.0, 0.0, 1.0, 3.0], abs=1e-6)
    cost = clearing.route_flow_kt @ np.array([10.0, 13.0, 20.0, 12.0, 16.0])
    assert cost == pytest.approx(126.0, abs=1e-4)
    assert clearing.row_price_usd_per_unit == pytest.approx([4.0, 1.0], abs=0.02)  # the logit leaves ln(ratio)/theta


def test_nest_against_a_rival() -> None:
    nest = Family([Route(100.0), Route(104.0)], 0.08)
    clearing = clear(program([Market([nest, Family([Route(110.0)], 0.08)], 0.05, 1.0)], [np.inf]))
    assert clearing.family_cost[0] == close(93.176338285)
    assert clearing.route_flow_kt[:2].sum() == close(0.698714329)
    assert clearing.market_cost[0] == close(86.006072175)


def test_elastic_demand_on_one_route() -> None:
    market = one_nest([Route(100.0, {0: 1.0})], 0.05, 10.0, price=1000.0, base_cost=100.0, elasticity=6.0)
    eight, nine = clear(program([market], [8.0])), clear(program([market], [9.0]))
    assert eight.row_price_usd_per_unit[0] == close(41.679897112)
    assert nine.welfare_kusd - eight.welfare_kusd == close(30.329215516)


@pytest.mark.parametrize(
    ("base_cost", "price", "cost", "demand"),
    [(93.734766250, 9.984265, 100.508665, 9.636322), (100.0, 11.496750, 101.436887, 9.921981)],
)
def test_elastic_demand_on_two_routes(base_cost: float, price: float, cost: float, demand: float) -> None:
    clearing = clear(two_routes(10.0, [6.0], price=1000.0, base_cost=base_cost, elasticity=6.0))
    assert clearing.row_price_usd_per_unit[0] == close(price, digits=HALF_DIGIT_6)
    assert clearing.market_cost[0] == close(cost, digits=HALF_DIGIT_6)
    assert clearing.market_demand_kt[0] == close(demand, digits=HALF_DIGIT_6)


def test_unit_elasticity_is_the_limit() -> None:
    one, near = (clear(two_routes(10.0, [6.0], price=1000.0, base_cost=100.0, elasticity=sigma)) for sigma in (1.0, 1.0 + 1e-7))
    assert one.row_price_usd_per_unit[0] == pytest.approx(near.row_price_usd_per_unit[0], rel=1e-6)


def oil(caps: tuple[float, ...], supply: float = 54.0, *, theta: float = 50.0) -> object:
    routes = [Route(-netback, {row: 1.0}) for row, netback in enumerate((450.0, 430.0, 400.0))]
    return program([one_nest([*routes, Route(0.0)], theta, supply)], caps)


def test_oil_near_its_linear_program() -> None:
    clearing = clear(oil((50.0, 3.0, 5.0)))
    assert clearing.route_flow_kt == pytest.approx([50.0, 3.0, 1.0, 0.0], abs=1e-4)
    assert clearing.route_flow_kt @ np.array([450.0, 430.0, 400.0, 0.0]) == pytest.approx(24190.0, abs=1e-3)
    assert clearing.row_price_usd_per_unit == pytest.approx([50.0, 30.0, 0.0], abs=0.1)  # ln(50)/theta = 0.08
    assert -clearing.market_cost[0] == pytest.approx(400.0, abs=0.1)


@pytest.mark.parametrize(("cap", "loss", "shut_in"), [(48.0, 100.0, 0.0), (30.0, 7400.0, 16.0)])
def test_oil_loss_of_capacity(cap: float, loss: float, shut_in: float) -> None:
    netbacks = np.array([450.0, 430.0, 400.0, 0.0])
    before, after = clear(oil((50.0, 3.0, 5.0))), clear(oil((cap, 3.0, 5.0)))
    assert (before.route_flow_kt - after.route_flow_kt) @ netbacks == pytest.approx(loss, abs=1e-2)
    assert after.route_flow_kt[3] == pytest.approx(shut_in, abs=1e-4)


def test_oil_arithmetic() -> None:
    loads_per_ship = 330.0 / 5.0
    assert 1500.0 / (12.0 * loads_per_ship) == pytest.approx(1.893939, abs=HALF_DIGIT_6)
    assert 1500.0 / (10.0 * loads_per_ship) == pytest.approx(2.272727, abs=HALF_DIGIT_6)
    crude_mt = 365.0 / 7.5
    assert crude_mt == pytest.approx(48.666667, abs=HALF_DIGIT_6)


def test_closed_row_carries_nothing() -> None:
    problem = program([one_nest([Route(100.0, {0: 1.0}), Route(110.0, {1: 1.0}), Route(120.0)], 0.05, 10.0)], [0.0, 5.0])
    clearing = clear(problem)
    assert clearing.route_flow_kt[0] <= 1e-6 * 1e-3 * 5.0
    assert clearing.max_violation <= 1e-9
    assert clearing.route_flow_kt[1] == pytest.approx(5.0, rel=1e-8)
    assert 100.0 < clearing.row_price_usd_per_unit[0] < 2000.0


def test_all_rows_of_a_unit_closed() -> None:
    clearing = clear(two_routes(10.0, [0.0, 0.0]))
    assert clearing.route_flow_kt == pytest.approx([0.0, 10.0], abs=1e-7)


def test_market_that_ships_nothing() -> None:
    clearing = clear(two_routes(0.0, [6.0]))
    assert clearing.route_flow_kt == pytest.approx([0.0, 0.0], abs=0.0)
    assert clearing.welfare_kusd == 0.0


def test_two_equal_rows_in_series_share_one_price() -> None:
    clearing = clear(two_routes(10.0, [6.0, 6.0]))
    assert clearing.row_price_usd_per_unit.sum() == close(11.890697838)


@pytest.mark.parametrize("seed", range(5))
def test_kernel_agrees_with_its_plain_twin(seed: int) -> None:
    problem = random_program(seed)
    prices = np.random.default_rng(seed).uniform(0.0, 40.0, len(problem.row_capacity))
    fast, slow = flows_at(problem, prices), plain_market(problem, list(prices))
    assert fast.route_flow_kt == pytest.approx(slow.route_flow, rel=1e-10)
    assert fast.row_flow == pytest.approx(slow.row_flow, rel=1e-10)
    assert fast.market_cost == pytest.approx(slow.market_cost, rel=1e-10)
    assert fast.market_demand_kt == pytest.approx(slow.demand, rel=1e-10)
    assert fast.consumer_surplus_kusd == pytest.approx(slow.surplus, rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_curvature_is_the_slope_of_flow(seed: int) -> None:
    problem = random_program(seed)
    rows, step = len(problem.row_capacity), 1e-4
    prices = np.random.default_rng(seed).uniform(0.0, 40.0, rows)
    point = flows_at(problem, prices)
    arrays = make_program(problem, np.arange(rows), options=ClearOptions()).arrays
    hessian, _ = _kernels.curvature(
        0, len(problem.market_flow_kt), arrays, point.route_flow_kt, point.market_cost, point.market_demand_kt, np.arange(rows), rows
    )
    for row in range(rows):
        move = np.zeros(rows)
        move[row] = step
        up, down = (plain_market(problem, list(prices + sign * move)).row_flow for sign in (1.0, -1.0))
        slope = (np.array(down) - np.array(up)) / (2.0 * step)
        assert hessian[row] == pytest.approx(slope, rel=1e-5, abs=1e-7)  # central difference


def test_row_used_twice_by_a_route_counts_twice() -> None:
    once = program([one_nest([Route(100.0, {0: 2.0}), Route(120.0)], 0.05, 10.0)], [9.0])
    twice = replace(
        once,
        route_first_entry=np.array([0, 2, 2]),
        entry_row=np.array([0, 0]),
        entry_units_per_t=np.array([1.0, 1.0]),
    )
    assert clear(twice).row_price_usd_per_unit[0] == pytest.approx(clear(once).row_price_usd_per_unit[0], rel=1e-9)
    assert clear(twice).iterations == clear(once).iterations


@pytest.mark.parametrize("seed", range(5))
def test_warm_start_gives_the_cold_answer(seed: int) -> None:
    problem = random_program(seed)
    wider = with_capacity(problem, problem.row_capacity * 1.02)
    cold = clear(wider)
    warm = clear(wider, start=clear(problem).row_price_usd_per_unit)
    assert warm.row_price_usd_per_unit == pytest.approx(cold.row_price_usd_per_unit, rel=1e-6, abs=1e-6)
    assert warm.route_flow_kt == pytest.approx(cold.route_flow_kt, rel=1e-6, abs=1e-8)
    wild = clear(wider, start=np.full(len(problem.row_capacity), 5000.0))
    assert wild.row_price_usd_per_unit == pytest.approx(cold.row_price_usd_per_unit, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_order_of_markets_and_rows_is_irrelevant(seed: int) -> None:
    problem = random_program(seed)
    other, markets, rows = shuffled(problem, seed)
    first, second = clear(problem), clear(other)
    assert second.row_price_usd_per_unit == pytest.approx(first.row_price_usd_per_unit[rows], rel=1e-6, abs=1e-6)
    assert second.market_cost == pytest.approx(first.market_cost[markets], rel=1e-8)


def test_same_input_same_digits() -> None:
    problem = random_program(3)
    assert np.array_equal(clear(problem).row_price_usd_per_unit, clear(problem).row_price_usd_per_unit)


@pytest.mark.parametrize("seed", range(3))
def test_very_sharp_choice_still_clears(seed: int) -> None:
    problem = random_program(seed, tightness=0.3)
    sharp = replace(problem, family_theta=problem.family_theta * 300.0, market_theta=problem.market_theta * 300.0)
    clearing = clear(sharp)
    assert max(clearing.max_violation, clearing.complementarity) <= 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_turned_away_is_flow_at_own_price_zero(seed: int) -> None:
    problem = random_program(seed)
    clearing = clear(problem)
    away = turned_away(problem, clearing)
    for row, price in enumerate(clearing.row_price_usd_per_unit):
        prices = clearing.row_price_usd_per_unit.copy()
        prices[row] = 0.0
        more = plain_market(problem, list(prices)).row_flow[row] - clearing.row_flow[row]
        assert away[row] == pytest.approx(more if price > 0.0 else 0.0, rel=1e-9, abs=1e-9)


def test_rows_without_limit_do_not_take_part() -> None:
    problem = random_program(2)
    capacity = problem.row_capacity.copy()
    capacity[[0, 3]] = np.inf
    some, huge = clear(with_capacity(problem, capacity)), clear(with_capacity(problem, np.minimum(capacity, 1e9)))
    assert some.row_price_usd_per_unit == pytest.approx(huge.row_price_usd_per_unit, rel=1e-6, abs=1e-6)
    assert some.row_flow == pytest.approx(huge.row_flow, rel=1e-8)
    assert np.isfinite(flows_at(with_capacity(problem, capacity), np.zeros(6)).welfare_kusd)


def test_scaled_by_one_number_or_by_market() -> None:
    problem = random_program(1)
    assert scaled(problem, 2.0).market_flow_kt == pytest.approx(problem.market_flow_kt * 2.0, rel=1e-15)
    factor = np.arange(6.0)
    assert scaled(problem, factor).market_flow_kt == pytest.approx(problem.market_flow_kt * factor, rel=1e-15)


def test_demand_without_a_way_out_does_not_converge() -> None:
    with pytest.raises(ConvergenceError, match="add a family that ships nothing") as caught:
        clear(program([one_nest([Route(100.0, {0: 1.0})], 0.05, 10.0)], [6.0]), options=ClearOptions(max_iterations=20))
    assert caught.value.best.max_violation == pytest.approx(4.0 / 6.0, rel=1e-9)


def test_senseless_programs_are_refused() -> None:
    problem = two_routes(10.0, [6.0])
    bad = replace(problem, family_theta=np.array([0.01]), row_capacity=np.array([-1.0]))
    with pytest.raises(DataError) as caught:
        clear(bad)
    assert {item.column for item in caught.value.problems} == {"family_theta", "row_capacity"}


def test_elastic_demand_needs_a_price_above_what_routes_earn() -> None:
    problem = program([one_nest([Route(-500.0)], 0.05, 10.0, price=100.0, base_cost=50.0, elasticity=2.0)], [np.inf])
    with pytest.raises(DataError, match="p \\+ C"):
        clear(problem)
