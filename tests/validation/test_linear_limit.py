"""Where choice gets ever sharper the market program becomes a linear program: least cost under limits, solved here by HiGHS.

At sharpness theta the shares of the routes in use tell their costs apart by logs: g_r - g_s = ln(f_s/f_r)/theta. Near the limit flows
no longer change (all others die as exp(-theta x reduced cost)), so prices and cost differ from the linear program's by exactly
v/theta. What is compared is therefore (a) flows, as they are; (b) prices and composite cost at theta and 2 theta, extrapolated to
1/theta = 0 by 2 g(2 theta) - g(theta), which removes v/theta whole; (c) the size of what was removed, against its bound: with n routes in
one nest the composite lies between the cheapest route and ln(n)/theta below it.

The linear program must have one solution and one dual for that. Seeds are taken in order, and one is passed over unless every basic flow
and slack is above a share of the whole and every reduced cost and price above a floor (strict complementarity without degeneracy).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from karvan.assignment.market import Clearing, MarketProblem, clear
from tests.assignment.market_cases import Market, Route, one_nest, program

THETA = 40.0
"""Per USD/t: a route dearer by LEAST_GAP keeps exp(-40) of its market."""
LEAST_GAP = 1.0
LEAST_SHARE = 1e-3


@dataclass(frozen=True)
class LinearAnswer:
    """Flows in kt, cost in kUSD, prices of rows in USD per unit, and whether it is the only answer."""

    route_flow: np.ndarray
    cost: float
    row_price: np.ndarray
    is_unique: bool


def solve_linear(problem: MarketProblem) -> LinearAnswer:
    """Least cost of moving fixed demand within capacity, one nest a market."""
    routes, markets, rows = (values.shape[0] for values in (problem.route_cost_usd_per_t, problem.market_flow_kt, problem.row_capacity))
    route_of_entry = np.repeat(np.arange(routes), np.diff(problem.route_first_entry))
    market_of_route = np.repeat(np.arange(markets), np.diff(problem.family_first_route))
    use = sp.csr_array((problem.entry_units_per_t, (problem.entry_row, route_of_entry)), shape=(rows, routes))
    all_goods = sp.csr_array((np.ones(routes), (market_of_route, np.arange(routes))), shape=(markets, routes))
    found = linprog(
        problem.route_cost_usd_per_t, A_ub=use, b_ub=problem.row_capacity, A_eq=all_goods, b_eq=problem.market_flow_kt, method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    assert found.status == 0
    price = -found.ineqlin.marginals
    reduced = problem.route_cost_usd_per_t + use.T @ price - all_goods.T @ found.eqlin.marginals
    slack = found.slack / problem.row_capacity
    share = found.x / problem.market_flow_kt[market_of_route]
    is_basic, is_loose = share > LEAST_SHARE, slack > LEAST_SHARE
    is_clear = (
        np.all(is_basic | ((share < 1e-9) & (reduced > LEAST_GAP)))
        and np.all(is_loose | ((slack < 1e-9) & (price > LEAST_GAP)))
        and is_basic.sum() + is_loose.sum() == markets + rows
    )
    return LinearAnswer(found.x, float(found.fun), price, bool(is_clear))


def random_linear(seed: int) -> MarketProblem:
    """Eight markets of five routes over six rows, every market free to ship nothing at 400 USD/t."""
    chance = np.random.default_rng(seed)
    markets: list[Market] = []
    for _ in range(8):
        routes = []
        for _ in range(5):
            used = chance.choice(6, size=int(chance.integers(1, 4)), replace=False)
            routes.append(Route(float(chance.uniform(60.0, 180.0)), {int(row): float(chance.uniform(0.3, 1.5)) for row in used}))
        markets.append(one_nest([*routes, Route(400.0)], THETA, float(chance.uniform(1.0, 20.0))))
    flow = sum(market.flow for market in markets)
    return program(markets, [float(chance.uniform(0.08, 0.4)) * flow for _ in range(6)])


@cache
def unique_programs(wanted: int) -> tuple[tuple[MarketProblem, LinearAnswer], ...]:
    """The first random programs, in the order of seeds, whose linear program has one answer and not nearly another."""
    tried = ((problem, solve_linear(problem)) for problem in map(random_linear, count()))
    return tuple(islice(((problem, answer) for problem, answer in tried if answer.is_unique), wanted))


def at(problem: MarketProblem, theta: float) -> Clearing:
    """Cleared at a sharpness, from the prices of a softer choice."""
    start = None
    for step in (0.005, 0.05, 0.3, 1.0):
        sharp = replace(problem, family_theta=np.full_like(problem.family_theta, step * theta))
        sharp = replace(sharp, market_theta=np.full_like(problem.market_theta, step * theta))
        clearing = clear(sharp, start=start)
        start = clearing.row_price_usd_per_unit
    return clearing


def extrapolated(soft: np.ndarray | float, sharp: np.ndarray | float) -> np.ndarray | float:
    """The value at 1/theta = 0 from those at theta and 2 theta."""
    return 2.0 * sharp - soft


@pytest.mark.parametrize("case", range(20))
def test_sharp_choice_is_the_linear_program(case: int) -> None:
    problem, linear = unique_programs(20)[case]
    soft, sharp = at(problem, THETA), at(problem, 2.0 * THETA)
    assert sharp.route_flow_kt == pytest.approx(linear.route_flow, rel=1e-5, abs=1e-5)
    assert sharp.route_flow_kt @ problem.route_cost_usd_per_t == pytest.approx(linear.cost, rel=1e-5)
    price = extrapolated(soft.row_price_usd_per_unit, sharp.row_price_usd_per_unit)
    assert price == pytest.approx(linear.row_price, rel=1e-5, abs=1e-5)
    assert -extrapolated(soft.welfare_kusd, sharp.welfare_kusd) == pytest.approx(linear.cost, rel=1e-5)


@pytest.mark.parametrize("case", range(20))
def test_what_is_extrapolated_away_is_of_known_size(case: int) -> None:
    """Welfare lies above minus the least cost by no more than sum q ln(n)/theta, at either sharpness."""
    problem, linear = unique_programs(20)[case]
    entropy = float(problem.market_flow_kt @ np.log(np.diff(problem.family_first_route)))
    for theta in (THETA, 2.0 * THETA):
        above = at(problem, theta).welfare_kusd + linear.cost
        assert 0.0 < above <= entropy / theta * (1.0 + 1e-6)  # solver noise


def test_programs_are_worth_comparing() -> None:
    """Rows are short in all of them, several in most, and some goods stay at home in some."""
    priced = [int((linear.row_price > LEAST_GAP).sum()) for _, linear in unique_programs(20)]
    assert min(priced) >= 1
    assert sorted(priced)[10] >= 3
    at_home = [linear.route_flow[problem.family_first_route[1:] - 1].sum() for problem, linear in unique_programs(20)]
    assert max(at_home) > 1.0


def test_limit_of_two_markets_over_two_rows() -> None:
    """Worked out by hand: 10 and 13 against 20 for six, 12 against 16 for four, limits 5 and 2."""
    first = one_nest([Route(10.0, {0: 1.0}), Route(13.0, {1: 1.0}), Route(20.0)], THETA, 6.0)
    second = one_nest([Route(12.0, {0: 1.0}), Route(16.0)], THETA, 4.0)
    problem = program([first, second], [5.0, 2.0])
    linear = solve_linear(problem)
    assert linear.route_flow == pytest.approx([4.0, 2.0, 0.0, 1.0, 3.0], abs=1e-9)
    assert linear.cost == pytest.approx(126.0, abs=1e-9)
    assert linear.row_price == pytest.approx([4.0, 1.0], abs=1e-9)
    soft, sharp = at(problem, THETA), at(problem, 2.0 * THETA)
    assert sharp.route_flow_kt == pytest.approx([4.0, 2.0, 0.0, 1.0, 3.0], abs=1e-5)
    assert sharp.route_flow_kt @ problem.route_cost_usd_per_t == pytest.approx(126.0, abs=1e-5)
    assert extrapolated(soft.row_price_usd_per_unit, sharp.row_price_usd_per_unit) == pytest.approx([4.0, 1.0], abs=1e-5)
