"""The market program against a general convex solver: CVXPY lays it out, Clarabel solves it, none of our kernels is touched.

Which program: the primal, in flows. Fisk (1980) shows for one nest that logit flows under limits minimise cost plus entropy, and that
the multipliers of the limits are the prices. With nests, path sizes and elastic demand, over f >= 0, F_j = sum of f in the family and
D_w = sum of F in the market,

    maximise  sum_w B_w(D_w) - sum_r c_r f_r - sum_j delta_j F_j - sum_r f_r ln(f_r/(PS_r F_j))/th_r - sum_j F_j ln(F_j/D_w)/th_c

with sum_r e_ra f_r <= K_a, and D_w = A q0 where demand is fixed. B_w is the area under the inverse demand curve: B' = b(D) =
(p + C0)(D/A q0)^(-1/sigma) - p. Minimums (f' e >= K) and balances (f' e = K) are rows of the same kind; where prices are hours that
everyone waits, what a market gains is divided by its value of time v_w.

Why this one: flows are its variables and prices its multipliers, so that not even the formula of logit shares is shared with us. The dual
(log-sum-exp of costs under prices) was tried too: Clarabel came within 1e-3 USD of the prices there, within 1e-6 in the primal. Its
power cones for B_w lose the last digits where sigma is near 1, so B_w is stood in for by alpha ln D + beta D with its slope and
curvature at the last demand, and the program solved again until demand stays: at that point the optimality conditions are those of B_w.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice

import cvxpy as cp
import numpy as np
import pytest
import scipy.sparse as sp

from karvan.assignment.conflict import smallest_conflict
from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.assignment.market import MarketProblem, clear, queued
from tests.assignment.market_cases import random_program

# Clarabel stops where rounding leaves no more progress, often short of the 1e-12 asked of it; what it reached is judged below.
pytestmark = pytest.mark.filterwarnings("ignore:Solution may be inaccurate:UserWarning")

MONEY = 100.0
"""USD in the solver's unit of money, so that its numbers are near one."""
MOST_ROUNDS = 20


@dataclass(frozen=True)
class ConvexAnswer:
    """What the convex solver finds, as in a Clearing; `value` is sum_w S_w/v_w + lambda'K, welfare in kUSD where v is 1."""

    route_flow_kt: np.ndarray
    row_price_usd_per_unit: np.ndarray
    market_demand_kt: np.ndarray
    value: float


def membership(first: np.ndarray) -> sp.csr_array:
    """1 where a part (column) belongs to a whole (row) that starts at `first`."""
    parts, wholes = int(first[-1]), first.shape[0] - 1
    return sp.csr_array((np.ones(parts), (np.repeat(np.arange(wholes), np.diff(first)), np.arange(parts))), shape=(wholes, parts))


def solve_convex(problem: MarketProblem) -> ConvexAnswer:
    """The market program by Clarabel: flows as shares of base flow, limits as shares of capacity, money in units of MONEY x all goods."""
    in_family, in_market = membership(problem.family_first_route), membership(problem.market_first_family)
    base = problem.market_flow_kt * problem.market_factor
    family_base = in_market.T @ base
    route_base = in_family.T @ family_base
    gain = 1.0 / problem.market_price_weight
    family_gain = in_market.T @ gain
    route_gain = in_family.T @ family_gain
    unit = MONEY * base.sum()
    size = np.where(problem.row_capacity > 0.0, problem.row_capacity, base.mean())
    routes, rows = route_base.shape[0], problem.row_capacity.shape[0]
    route_of_entry = np.repeat(np.arange(routes), np.diff(problem.route_first_entry))
    use = problem.entry_units_per_t * route_base[route_of_entry] / size[problem.entry_row]
    family_theta, market_theta = in_family.T @ problem.family_theta, in_market.T @ problem.market_theta

    flow = cp.Variable(routes)
    family_flow = in_family @ flow
    demand = in_market @ family_flow
    cost = (
        (problem.route_cost_usd_per_t * route_base * route_gain / unit) @ flow
        + (problem.family_constant_usd_per_t * family_base * family_gain / unit) @ family_flow
        + (route_base * route_gain / family_theta / unit)
        @ cp.rel_entr(flow, cp.multiply(problem.route_path_size, in_family.T @ family_flow))
        + (family_base * family_gain / market_theta / unit) @ cp.rel_entr(family_flow, in_market.T @ demand)
    )  # fmt: skip
    flow_on_row = sp.csr_array((use, (problem.entry_row, route_of_entry)), shape=(rows, routes)) @ flow
    share_of_row = problem.row_capacity / size
    held = [np.flatnonzero(problem.row_sense == sense) for sense in (AT_MOST, AT_LEAST, EXACTLY)]
    limits = [
        flow_on_row[held[0]] <= share_of_row[held[0]],
        -flow_on_row[held[1]] <= -share_of_row[held[1]],
        flow_on_row[held[2]] == share_of_row[held[2]],
    ]
    is_fixed = problem.market_elasticity == 0.0
    elastic = np.flatnonzero(~is_fixed)
    sigma, price, money = problem.market_elasticity[elastic], problem.market_price_usd_per_t[elastic], (base * gain)[elastic] / unit
    top = price + problem.market_base_cost_usd_per_t[elastic]
    alpha, beta = cp.Parameter(elastic.shape[0], nonneg=True), cp.Parameter(elastic.shape[0])
    program = cp.Problem(
        cp.Maximize(alpha @ cp.log(demand[elastic]) + beta @ demand[elastic] - cost), [*limits, demand[np.flatnonzero(is_fixed)] == 1.0]
    )

    share = np.ones(elastic.shape[0])
    for _ in range(MOST_ROUNDS):
        alpha.value = money * top / sigma * share ** (1.0 - 1.0 / sigma)
        beta.value = money * (top * share ** (-1.0 / sigma) - price) - alpha.value / share
        program.solve(solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
        before, share = share, demand.value[elastic]
        if np.abs(share - before).max() < 1e-7:  # each round squares the error, so what is left is far below
            break
    else:
        raise AssertionError(f"demand still moves by {np.abs(share - before).max():.1e} after {MOST_ROUNDS} rounds")

    power = 1.0 - 1.0 / sigma
    area = np.where(power == 0.0, np.log(share) + 1.0, share**power / np.where(power == 0.0, 1.0, power))
    price_of_row = np.zeros(rows)
    for where, limit, sign in zip(held, limits, (1.0, -1.0, 1.0), strict=True):
        price_of_row[where] = sign * limit.dual_value * unit / size[where]
    return ConvexAnswer(
        route_flow_kt=flow.value * route_base,
        row_price_usd_per_unit=price_of_row,
        market_demand_kt=demand.value * base,
        value=float(unit * (money @ (top * area - price * share) - cost.value)),
    )


def assert_same(problem: MarketProblem) -> None:
    clearing, other = clear(problem), solve_convex(problem)
    # Seen: flows within 2e-7 kt, prices within 2e-6 USD. The constant of B_w for sigma = 1 is the one at which S_w(C0) = 0.
    assert clearing.route_flow_kt == pytest.approx(other.route_flow_kt, rel=1e-5, abs=1e-5)
    assert clearing.row_price_usd_per_unit == pytest.approx(other.row_price_usd_per_unit, rel=1e-5, abs=1e-5)
    assert clearing.market_demand_kt == pytest.approx(other.market_demand_kt, rel=1e-5)
    value = (clearing.consumer_surplus_kusd / problem.market_price_weight).sum() + clearing.row_price_usd_per_unit @ problem.row_capacity
    assert value == pytest.approx(other.value, rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_nested_elastic_and_fixed_markets_agree(seed: int) -> None:
    assert_same(random_program(seed))


def test_logarithmic_demand_agrees() -> None:
    problem = random_program(20)
    assert_same(replace(problem, market_elasticity=np.where(problem.market_elasticity > 0.0, 1.0, 0.0)))


def of_three_senses(seed: int) -> MarketProblem:
    """A random program with a contract for a tenth more than would pass a row by itself, and a balance between its routes."""
    problem = random_program(seed, tightness=0.9)
    free = clear(problem).row_flow
    signs = np.where((problem.entry_row == 5) & (np.arange(problem.entry_row.shape[0]) % 2 == 0), -1.0, 1.0)
    return replace(
        problem,
        row_sense=np.array([AT_MOST, AT_MOST, AT_MOST, AT_MOST, AT_LEAST, EXACTLY]),
        row_capacity=np.concatenate([problem.row_capacity[:4], [1.1 * free[4], 0.0]]),
        entry_units_per_t=problem.entry_units_per_t * signs,
    )


@cache
def possible_programs(wanted: int) -> tuple[MarketProblem, ...]:
    """The first programs of three senses, in the order of seeds, whose limits can all hold."""
    return tuple(islice((problem for problem in map(of_three_senses, count()) if not smallest_conflict(problem).rows), wanted))


@pytest.mark.parametrize("case", range(10))
def test_minimums_and_balances_agree(case: int) -> None:
    assert_same(possible_programs(10)[case])


@pytest.mark.parametrize("seed", range(10))
def test_queues_agree(seed: int) -> None:
    assert_same(queued(random_program(seed), np.random.default_rng(seed).uniform(0.5, 4.0, 6)))


def test_random_programs_are_worth_comparing() -> None:
    """Most price three rows or more, all mix elastic and fixed demand, most contracts have to be paid for, balances pull either way."""
    problems = [random_program(seed) for seed in range(20)]
    priced = [int((clear(problem).row_price_usd_per_unit > 0.1).sum()) for problem in problems]
    assert sorted(priced)[3] >= 3
    assert all(0 < (problem.market_elasticity > 0.0).sum() < 6 for problem in problems)
    prices = [clear(problem).row_price_usd_per_unit for problem in possible_programs(10)]
    assert sum(price[4] < 0.0 for price in prices) >= 7
    assert {bool(price[5] > 0.0) for price in prices} == {True, False}
