"""Limits that cannot all hold, on cases made by hand and at random."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from karvan.assignment.conflict import conflict_words, demand_at_no_cost, smallest_conflict
from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.assignment.market import MarketProblem, clear
from tests.assignment.market_cases import Market, Route, one_nest, program, random_program

HOME = Route(400.0)


def two_ways(first: dict[int, float], second: dict[int, float], *, flow: float = 10.0, **demand: float) -> Market:
    """A market with two routes that use the given rows, and leave to ship nothing."""
    return one_nest([Route(100.0, first), Route(120.0, second), HOME], 0.05, flow, **demand)


def said(problem: MarketProblem, *names: str, unit: str = "kt") -> tuple[str, ...]:
    markets = [f"Market {index + 1}" for index in range(len(problem.market_flow_kt))]
    return conflict_words(problem, smallest_conflict(problem), row_names=names, row_units=[unit] * len(names), market_names=markets)


def test_limits_that_can_hold_are_no_conflict() -> None:
    problem = program([two_ways({0: 1.0, 1: 1.0}, {})], [6.0, 5.0], sense=[AT_MOST, AT_LEAST])
    assert smallest_conflict(problem).rows == ()
    assert said(problem, "Berth", "Contract") == ()


def test_contract_for_more_than_a_berth_lets_pass() -> None:
    problem = program([two_ways({0: 1.0, 1: 1.0, 2: 1.0}, {2: 1.0})], [6.0, 8.0, 9.0], sense=[AT_MOST, AT_LEAST, AT_MOST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets, conflict.is_smallest) == ((0, 1), (), True)
    assert conflict.could_hold == pytest.approx([8.0, 6.0], abs=1e-4)  # tolerance of the search
    expected = "Contract asks for at least 8 kt a year, but through Berth at most 6 kt a year can pass."
    assert said(problem, "Berth", "Contract", "Yard") == (expected,)


def test_closed_berth_is_told_as_closed() -> None:
    problem = program([two_ways({0: 1.0, 1: 1.0}, {}, flow=5000.0)], [0.0, 3000.0], sense=[AT_MOST, AT_LEAST])
    assert said(problem, "Berth", "Contract") == ("Contract asks for at least 3,000 kt a year, but Berth is closed.",)


def test_minimums_that_need_more_than_demand_gives() -> None:
    problem = program([two_ways({0: 1.0}, {1: 1.0}), two_ways({2: 1.0}, {})], [5.0, 6.0, 4.0], sense=[AT_LEAST, AT_LEAST, AT_LEAST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets) == ((0, 1), (0,))
    assert conflict.could_hold == pytest.approx([4.0, 5.0], abs=1e-4)
    assert said(problem, "Contract A", "Contract B", "Contract C") == (
        "Limits that cannot all hold (2):",
        "Contract A: at least 5 kt a year; with the others no more than 4 kt.",
        "Contract B: at least 6 kt a year; with the others no more than 5 kt.",
        "Market 1: its goods are no more than its demand.",
    )


def test_one_minimum_above_all_demand() -> None:
    problem = program([two_ways({0: 1.0}, {})], [12.0], sense=[AT_LEAST])
    assert smallest_conflict(problem).markets == (0,)
    assert said(problem, "Contract") == (
        "Contract asks for at least 12 kt a year, but there are goods for no more than 10 kt a year.",
    )  # fmt: skip


def test_minimum_that_no_route_uses() -> None:
    problem = program([two_ways({0: 1.0}, {})], [12.0, 1.0], sense=[AT_MOST, AT_LEAST])
    assert smallest_conflict(problem).rows == (1,)
    assert said(problem, "Berth", "Contract") == ("Contract asks for at least 1 kt a year, but nothing can pass it.",)


def test_balance_that_cannot_close_because_the_way_back_is_closed() -> None:
    out = one_nest([Route(100.0, {0: 1.0})], 0.05, 5.0)
    empties = one_nest([Route(20.0, {0: -1.0, 1: 1.0}), Route(0.0)], 0.05, 100.0)
    problem = program([out, empties], [0.0, 0.0, 90.0], sense=[EXACTLY, AT_MOST, AT_MOST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets) == ((0, 1), (0,))
    assert said(problem, "Wagons", "Way back", "Yard") == ("Wagons: as much must come back as goes out, but Way back is closed.",)


def test_quota_below_a_minimum_on_the_same_goods() -> None:
    """The quota counts the goods on both routes, the minimum on the first only."""
    problem = program([two_ways({0: 1.0, 1: 1.0}, {0: 1.0})], [3.0, 5.0], sense=[AT_MOST, AT_LEAST])
    assert smallest_conflict(problem).rows == (0, 1)
    assert said(problem, "Quota", "Minimum") == ("Minimum asks for at least 5 kt a year, but through Quota at most 3 kt a year can pass.",)


def test_goods_that_cannot_stay_and_have_one_way() -> None:
    problem = program([one_nest([Route(100.0, {0: 0.1})], 0.05, 500.0)], [20.0])
    assert smallest_conflict(problem).markets == (0,)
    assert said(problem, "Berth", unit="kTEU") == (
        "Through Berth at most 20 kTEU a year can pass, but 50 kTEU a year have no other way and cannot stay.",
    )  # fmt: skip


def test_three_limits_harmless_in_pairs() -> None:
    """Two of the three routes of a market can take what must pass, never one alone: 4 + 4 + 4 is more than 10."""
    ways = [Route(100.0, {0: 1.0}), Route(110.0, {1: 1.0}), Route(120.0, {2: 1.0})]
    problem = program([one_nest(ways, 0.05, 13.0)], [4.0, 4.0, 4.0, 50.0])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets) == ((0, 1, 2), (0,))
    assert conflict.could_hold == pytest.approx([5.0, 5.0, 5.0], abs=1e-4)
    lines = said(problem, "North", "Middle", "South", "Other")
    assert lines[:2] == ("Limits that cannot all hold (3):", "North: at most 4 kt a year; with the others no less than 5 kt.")
    assert lines[4:] == ("Market 1: all its goods must take one of the routes it has.",)


def test_smaller_of_two_conflicts_is_named() -> None:
    ways = [Route(100.0, {0: 1.0}), Route(110.0, {1: 1.0}), Route(120.0, {2: 1.0})]
    problem = program([one_nest(ways, 0.05, 13.0), two_ways({3: 1.0, 4: 1.0}, {})], [4.0, 4.0, 4.0, 6.0, 8.0], sense=[0, 0, 0, 0, AT_LEAST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.is_smallest) == ((3, 4), True)


def test_first_of_conflicts_of_one_size_is_named() -> None:
    problem = program(
        [two_ways({0: 1.0, 1: 1.0}, {}), two_ways({2: 1.0, 3: 1.0}, {})], [6.0, 8.0, 6.0, 9.0], sense=[AT_MOST, AT_LEAST, AT_MOST, AT_LEAST]
    )
    assert smallest_conflict(problem).rows == (0, 1)


def test_elastic_demand_has_the_bound_it_is_given() -> None:
    market = two_ways({0: 1.0}, {}, price=1000.0, base_cost=100.0, elasticity=2.0)
    problem = program([market], [12.5], sense=[AT_LEAST])
    assert demand_at_no_cost(problem) == pytest.approx([12.1], rel=1e-12)
    assert smallest_conflict(problem).rows == ()
    conflict = smallest_conflict(problem, most_demand_kt=demand_at_no_cost(problem))
    assert (conflict.rows, conflict.markets) == ((0,), (0,))
    assert conflict.could_hold == pytest.approx([12.1], abs=1e-4)


def test_elastic_demand_without_a_bound_takes_no_part() -> None:
    """More goods of the second market would come at a price, but not through the berth; those of the first are too few."""
    elastic = two_ways({0: 1.0, 1: 1.0}, {}, price=1000.0, base_cost=100.0, elasticity=2.0)
    problem = program([two_ways({0: 1.0}, {}), elastic], [12.0, 1.0], sense=[AT_LEAST, AT_MOST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets, conflict.has_too_few) == ((0, 1), (0,), (True,))


def test_free_goods_without_price_have_no_bound() -> None:
    market = two_ways({0: 1.0}, {}, base_cost=100.0, elasticity=2.0)
    assert demand_at_no_cost(program([market], [1.0])) == pytest.approx([np.inf])


def test_markets_without_goods_take_no_part() -> None:
    problem = program([two_ways({0: 1.0}, {}, flow=0.0), two_ways({1: 1.0}, {})], [1.0, 6.0], sense=[AT_LEAST, AT_MOST])
    conflict = smallest_conflict(problem)
    assert (conflict.rows, conflict.markets) == ((0,), ())


def over_asked(seed: int) -> MarketProblem:
    """A random program in which some rows are minimums and one a balance, of sizes that often contradict each other."""
    problem = random_program(seed, markets=3, routes=2)
    chance = np.random.default_rng(seed)
    sense = chance.choice([AT_MOST, AT_LEAST, EXACTLY], size=6, p=[0.5, 0.35, 0.15])
    size = problem.row_capacity * chance.uniform(0.3, 3.0, 6)
    return replace(problem, row_sense=sense.astype(np.int64), row_capacity=np.where(sense == EXACTLY, 0.5 * size, size))


def is_possible(problem: MarketProblem, rows: tuple[int, ...], *, loose: float = 0.0) -> bool:
    """Whether these rows alone can hold, each to a share of its size; a plain linear program over routes in their own units."""
    routes, markets = len(problem.route_cost_usd_per_t), len(problem.market_flow_kt)
    use, goods = np.zeros((len(problem.row_capacity), routes)), np.zeros((markets, routes))
    np.add.at(use, (problem.entry_row, np.repeat(np.arange(routes), np.diff(problem.route_first_entry))), problem.entry_units_per_t)
    first = problem.family_first_route[problem.market_first_family]
    goods[np.repeat(np.arange(markets), np.diff(first)), np.arange(routes)] = 1.0
    upper, lower = ([row for row in rows if problem.row_sense[row] in (sense, EXACTLY)] for sense in (AT_MOST, AT_LEAST))
    fixed = problem.market_elasticity == 0.0
    found = linprog(
        np.zeros(routes),
        A_ub=np.vstack([use[upper], -use[lower]]),
        b_ub=np.concatenate([(1.0 + loose) * problem.row_capacity[upper], -(1.0 - loose) * problem.row_capacity[lower]]),
        A_eq=goods[fixed],
        b_eq=(problem.market_flow_kt * problem.market_factor)[fixed],
        method="highs",
    )
    return bool(found.status == 0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_answer_is_the_smallest_by_trying_all(seed: int) -> None:
    problem = over_asked(seed)
    conflict = smallest_conflict(problem)
    sizes = range(1, 7) if not is_possible(problem, tuple(range(6))) else range(0)
    least = next((size for size in sizes if any(not is_possible(problem, rows) for rows in combinations(range(6), size))), 0)
    assert len(conflict.rows) == least
    assert conflict.is_smallest
    assert is_possible(problem, conflict.rows) == (not conflict.rows)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_without_any_one_row_the_others_can_hold(seed: int) -> None:
    problem = over_asked(seed)
    rows = smallest_conflict(problem).rows
    assert all(is_possible(problem, rows[:index] + rows[index + 1 :]) for index in range(len(rows)))


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_others_hold_once_a_row_gives_way_as_told(seed: int) -> None:
    """At the limit told, and not a thousandth before it."""
    problem = over_asked(seed)
    conflict = smallest_conflict(problem)
    for row, could in zip(conflict.rows, conflict.could_hold, strict=True):
        capacity = problem.row_capacity.copy()
        capacity[row] = could
        assert is_possible(replace(problem, row_capacity=capacity), conflict.rows, loose=1e-5)
        capacity[row] += 1e-3 * (problem.row_capacity[row] - could)
        assert not is_possible(replace(problem, row_capacity=capacity), conflict.rows)


def test_random_cases_hold_conflicts_of_several_sizes() -> None:
    sizes = {len(smallest_conflict(over_asked(seed)).rows) for seed in range(40)}
    assert {0, 1, 2} <= sizes


def test_program_without_conflict_clears() -> None:
    problem = program([two_ways({0: 1.0, 1: 1.0}, {})], [6.0, 5.0], sense=[AT_MOST, AT_LEAST])
    assert smallest_conflict(problem).rows == ()
    assert clear(problem).row_flow == pytest.approx([6.0, 6.0], abs=1e-5)
