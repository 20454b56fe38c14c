"""Properties that hold for every market program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from karvan.assignment.market import clear, with_capacity
from tests.assignment.market_cases import Family, Market, Route, program, random_program

seeds = st.integers(0, 10_000)
quick = settings(max_examples=25, deadline=None, derandomize=True)


@quick
@given(seed=seeds, share=st.floats(0.05, 0.95))
def test_welfare_is_concave_in_capacity(seed: int, share: float) -> None:
    problem = random_program(seed)
    chance = np.random.default_rng(seed)
    first, second = (problem.row_capacity * chance.uniform(0.4, 2.0, 6) for _ in range(2))
    between = share * first + (1.0 - share) * second
    low, high, middle = (clear(with_capacity(problem, capacity)).welfare_kusd for capacity in (first, second, between))
    floor = share * low + (1.0 - share) * high
    assert middle >= floor - 1e-9 * abs(floor)  # solver noise


@quick
@given(seed=seeds, row=st.integers(0, 5))
def test_price_is_the_slope_of_welfare(seed: int, row: int) -> None:
    problem = random_program(seed)
    clearing = clear(problem)
    step = 1e-4 * problem.row_capacity[row]
    move = np.zeros(6)
    move[row] = step
    up, down = (clear(with_capacity(problem, problem.row_capacity + sign * move)) for sign in (1.0, -1.0))
    slope = (up.welfare_kusd - down.welfare_kusd) / (2.0 * step)
    # Between the two one-sided slopes; where the price falls to zero within the step they differ by its curvature.
    low, high = up.row_price_usd_per_unit[row], down.row_price_usd_per_unit[row]
    assert low - 1e-5 - 1e-4 * high <= slope <= high + 1e-5 + 1e-4 * high
    assert low - 1e-6 <= clearing.row_price_usd_per_unit[row] <= high + 1e-6


@quick
@given(seed=seeds)
def test_limits_hold_and_unused_rows_are_free(seed: int) -> None:
    problem = random_program(seed)
    clearing = clear(problem)
    assert np.all(clearing.row_flow <= problem.row_capacity * (1.0 + 1e-6) + 1e-9)
    idle = clearing.row_flow < problem.row_capacity * (1.0 - 1e-5)
    assert np.all(clearing.row_price_usd_per_unit[idle] <= 1e-6)
    assert clearing.route_flow_kt.sum() == pytest.approx(clearing.market_demand_kt.sum(), rel=1e-10)


@quick
@given(seed=seeds, row=st.integers(0, 5))
def test_nothing_flows_through_a_closed_row(seed: int, row: int) -> None:
    problem = random_program(seed)
    capacity = problem.row_capacity.copy()
    capacity[row] = 0.0
    clearing = clear(with_capacity(problem, capacity))
    assert clearing.row_flow[row] <= 1e-9 * capacity.max()


@quick
@given(seed=seeds, factor=st.floats(0.1, 20.0))
def test_money_unit_is_irrelevant(seed: int, factor: float) -> None:
    problem = random_program(seed)
    other = replace(
        problem,
        route_cost_usd_per_t=problem.route_cost_usd_per_t * factor,
        family_constant_usd_per_t=problem.family_constant_usd_per_t * factor,
        market_price_usd_per_t=problem.market_price_usd_per_t * factor,
        market_base_cost_usd_per_t=problem.market_base_cost_usd_per_t * factor,
        family_theta=problem.family_theta / factor,
        market_theta=problem.market_theta / factor,
    )
    first, second = clear(problem), clear(other)
    assert second.route_flow_kt == pytest.approx(first.route_flow_kt, rel=1e-6, abs=1e-8)
    assert second.row_price_usd_per_unit == pytest.approx(first.row_price_usd_per_unit * factor, rel=1e-6, abs=1e-6 * factor)


@quick
@given(cost=st.floats(80.0, 140.0), other=st.floats(80.0, 140.0), flow=st.floats(1.0, 50.0))
def test_duplicate_of_a_route_leaves_other_shares(cost: float, other: float, flow: float) -> None:
    theta = 0.05
    rest = [Route(other, {0: 1.0}), Route(150.0)]
    alone = Market([Family([Route(cost), *rest], theta)], theta, flow)
    doubled = Market([Family([Route(cost, path_size=0.5), Route(cost, path_size=0.5), *rest], theta)], theta, flow)
    first, second = clear(program([alone], [0.3 * flow])), clear(program([doubled], [0.3 * flow]))
    assert second.route_flow_kt[2:] == pytest.approx(first.route_flow_kt[1:], rel=1e-7, abs=1e-9)
    assert second.route_flow_kt[:2].sum() == pytest.approx(first.route_flow_kt[0], rel=1e-7, abs=1e-9)


@quick
@given(seed=seeds)
def test_more_capacity_never_hurts(seed: int) -> None:
    problem = random_program(seed)
    wider = with_capacity(problem, problem.row_capacity * np.random.default_rng(seed).uniform(1.0, 1.5, 6))
    before, after = clear(problem).welfare_kusd, clear(wider).welfare_kusd
    assert after >= before - 1e-9 * abs(before)  # solver noise
