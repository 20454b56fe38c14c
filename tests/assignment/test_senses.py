"""Rows of three senses, the queue, and ranges of markets worked on side by side.

Tolerance: 1e-6 relative or half a unit of the last digit given, unless a test says otherwise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.market_clearing import instance
from karvan.assignment import dual
from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.assignment.market import ClearOptions, MarketProblem, clear, flows_at, make_program, queued, turned_away, with_capacity
from karvan.errors import ConvergenceError, DataError
from tests.assignment.market_cases import Market, Route, one_nest, program, random_program, two_routes
from tests.assignment.plain_market import plain_market

quick = settings(max_examples=25, deadline=None, derandomize=True)


def two_classes() -> MarketProblem:
    """Check 1g of the methods: VOT 1 and 4 USD/t-h, flows 6 and 4, costs 100 and 120, one row of 5."""
    routes = [Route(100.0, {0: 1.0}), Route(120.0)]
    return program([one_nest(routes, 0.05, 6.0), one_nest(routes, 0.05, 4.0)], [5.0])


def test_queue_of_two_classes() -> None:
    waited = clear(queued(two_classes(), np.array([1.0, 4.0])))
    assert waited.row_price_usd_per_unit[0] == pytest.approx(9.187470961, rel=1e-6)
    assert waited.route_flow_kt[[0, 2]] == pytest.approx([3.791749, 1.208251], rel=1e-6)
    priced = clear(two_classes())
    assert priced.row_price_usd_per_unit[0] == pytest.approx(20.0, rel=1e-6)
    assert priced.route_flow_kt[[0, 2]] == pytest.approx([3.0, 2.0], rel=1e-6)
    assert waited.rent_kusd == 0.0
    assert waited.waiting_kusd == pytest.approx(9.187470961 * (3.791749 + 4.0 * 1.208251), rel=1e-6)
    assert waited.welfare_kusd < priced.welfare_kusd


def test_gain_of_a_wider_row_by_regime() -> None:
    """Check 1a: K 6 to 7 gains 7.57 where scarcity is priced and 57.54 where it is waited for."""
    six, seven = two_routes(10.0, [6.0]), two_routes(10.0, [7.0])
    vot = np.array([1.0])
    assert clear(seven).welfare_kusd - clear(six).welfare_kusd == pytest.approx(7.570527009, rel=1e-6)
    gain = clear(queued(seven, vot)).welfare_kusd - clear(queued(six, vot)).welfare_kusd
    assert gain == pytest.approx(57.536414490, rel=1e-6)


@quick
@given(seed=st.integers(0, 10_000))
def test_price_is_worth_at_least_what_the_queue_is(seed: int) -> None:
    problem = random_program(seed)
    value_of_time = np.random.default_rng(seed).uniform(0.2, 8.0, len(problem.market_flow_kt))
    priced, waited = clear(problem), clear(queued(problem, value_of_time))
    assert priced.welfare_kusd >= waited.welfare_kusd - 1e-8 * abs(waited.welfare_kusd)  # solver noise
    assert waited.max_violation <= 1e-6


@quick
@given(seed=st.integers(0, 10_000), row=st.integers(0, 5))
def test_a_wait_is_the_slope_of_the_queued_dual(seed: int, row: int) -> None:
    problem = queued(random_program(seed), np.random.default_rng(seed).uniform(0.2, 8.0, 6))
    step = 1e-4 * problem.row_capacity[row]
    move = np.zeros(6)
    move[row] = step
    up, down = (clear(with_capacity(problem, problem.row_capacity + sign * move)) for sign in (1.0, -1.0))
    weight = problem.market_price_weight

    def value(clearing: object, capacity: np.ndarray) -> float:
        return float((clearing.consumer_surplus_kusd / weight).sum() + clearing.row_price_usd_per_unit @ capacity)

    slope = (value(up, problem.row_capacity + move) - value(down, problem.row_capacity - move)) / (2.0 * step)
    low, high = up.row_price_usd_per_unit[row], down.row_price_usd_per_unit[row]
    assert low - 1e-5 - 1e-4 * high <= slope <= high + 1e-5 + 1e-4 * high  # one-sided slopes differ where the wait ends


def test_turned_away_in_a_queue_is_flow_without_its_wait() -> None:
    problem = queued(random_program(4), np.linspace(0.5, 5.0, 6))
    clearing = clear(problem)
    away = turned_away(problem, clearing)
    for row, wait in enumerate(clearing.row_price_usd_per_unit):
        prices = clearing.row_price_usd_per_unit.copy()
        prices[row] = 0.0
        more = plain_market(problem, list(prices)).row_flow[row] - clearing.row_flow[row]
        assert away[row] == pytest.approx(more if wait > 0.0 else 0.0, rel=1e-9, abs=1e-9)


def test_both_directions_share_one_row() -> None:
    """Two markets in opposite directions use one berth of 6: what one takes the other lacks."""
    there = one_nest([Route(100.0, {0: 1.0}), Route(120.0)], 0.05, 5.0)
    back = one_nest([Route(90.0, {0: 1.0}), Route(110.0)], 0.05, 5.0)
    clearing = clear(program([there, back], [6.0]))
    assert clearing.row_flow[0] == pytest.approx(6.0, rel=1e-8)
    assert clearing.row_price_usd_per_unit[0] == pytest.approx(11.890697838, rel=1e-6)  # as one market of 10 t and equal gaps of cost


def test_take_or_pay_has_a_negative_price() -> None:
    """Ten units choose between 100 and 120; at least 8.5 must take the first: ln(8.5/1.5)/0.05 = 34.69 less the 20 that it is cheaper."""
    problem = program([one_nest([Route(100.0, {0: 1.0}), Route(120.0)], 0.05, 10.0)], [8.5], sense=[AT_LEAST])
    clearing = clear(problem)
    assert clearing.row_flow[0] == pytest.approx(8.5, rel=1e-8)
    assert clearing.row_price_usd_per_unit[0] == pytest.approx(-(np.log(8.5 / 1.5) / 0.05 - 20.0), rel=1e-6)
    assert clearing.rent_kusd < 0.0
    met = clear(with_capacity(problem, np.array([7.0])))
    assert met.row_price_usd_per_unit[0] == 0.0
    assert met.row_flow[0] == pytest.approx(7.310585786, rel=1e-9)


def test_minimum_and_limit_of_one_facility() -> None:
    routes = [Route(100.0, {0: 1.0, 1: 1.0}), Route(120.0)]
    both = program([one_nest(routes, 0.05, 10.0)], [6.0, 5.0], sense=[AT_MOST, AT_LEAST])
    clearing = clear(both)
    assert clearing.row_price_usd_per_unit == pytest.approx([11.890697838, 0.0], rel=1e-6, abs=1e-9)


def ferry_with_empties(pool: float = 100.0, sharpness: float = 3.0) -> MarketProblem:
    """Six units go out on the first route and two come back loaded; a pool of empties evens them out at 12 USD a unit.

    Row 0 is the ferry out (room for 20), row 1 the ferry back (room for 5), row 2 the balance of out less back.
    """
    out = one_nest([Route(50.0, {0: 1.0, 2: 1.0}), Route(120.0)], 0.05, 8.0)
    back = one_nest([Route(60.0, {1: 1.0, 2: -1.0}), Route(110.0)], 0.05, 2.0)
    empties = one_nest([Route(12.0, {1: 1.0, 2: -1.0}), Route(12.0, {0: 1.0, 2: 1.0}), Route(0.0)], sharpness, pool)
    return program([out, back, empties], [20.0, 5.0, 0.0], sense=[AT_MOST, AT_MOST, EXACTLY])


def test_what_goes_out_must_come_back() -> None:
    problem = ferry_with_empties()
    clearing = clear(problem)
    out, back, empty_back, empty_out = clearing.route_flow_kt[[0, 2, 4, 5]]
    assert out == pytest.approx(back + empty_back - empty_out, rel=1e-8)
    assert clearing.row_flow[1] == pytest.approx(5.0, rel=1e-8)  # the ferry back is full of empties
    assert out == pytest.approx(5.0, rel=1e-6)  # so that no more go out than can come back
    assert empty_out == pytest.approx(0.0, abs=1e-9)
    out_pays, back_pays = clearing.row_price_usd_per_unit[2], clearing.row_price_usd_per_unit[1] - clearing.row_price_usd_per_unit[2]
    assert out_pays == pytest.approx(12.0 + clearing.row_price_usd_per_unit[1], abs=1.5)  # to the spread of the pool, 3 per USD
    assert back_pays < 0.0  # loads on the way back are paid for coming
    wide = clear(with_capacity(problem, np.array([20.0, 50.0, 0.0])))
    assert wide.row_price_usd_per_unit[2] == pytest.approx(12.0, abs=1.5)
    assert wide.route_flow_kt[0] > out


def test_sharper_pool_brings_the_price_of_a_return_to_its_cost() -> None:
    wide = [20.0, 50.0, 0.0]
    off = [abs(clear(with_capacity(ferry_with_empties(sharpness=s), np.array(wide))).row_price_usd_per_unit[2] - 12.0) for s in (3.0, 30.0)]
    assert off[1] == pytest.approx(off[0] / 10.0, rel=0.05)  # the gap is ln(pool/flow)/theta


def test_ship_days_limit_two_lines_at_once() -> None:
    """A fleet of 2 ships x 330 days; a tonne takes a cycle over the load: 5 d / 6,000 t on one line, 8 d / 6,000 t on the other."""
    first = one_nest([Route(100.0, {0: 5.0 / 6.0}), Route(130.0)], 0.05, 500.0)
    second = one_nest([Route(100.0, {0: 8.0 / 6.0}), Route(130.0)], 0.05, 500.0)
    clearing = clear(program([first, second], [660.0]))
    days = clearing.route_flow_kt[0] * 5.0 / 6.0 + clearing.route_flow_kt[2] * 8.0 / 6.0
    assert days == pytest.approx(660.0, rel=1e-8)
    paid = clearing.route_cost_usd_per_t[[0, 2]] - 100.0
    assert paid[1] / paid[0] == pytest.approx(8.0 / 5.0, rel=1e-9)


def test_effective_capacity_of_the_busiest_month() -> None:
    """Half a million tonnes in a month and a busiest month a quarter above the mean: 4.8 Mt a year."""
    month_kt, peak_factor = 500.0, 1.25
    routes = [Route(100.0, {0: 1.0}), Route(300.0)]
    clearing = clear(program([one_nest(routes, 0.05, 6000.0)], [12.0 * month_kt / peak_factor]))
    assert clearing.row_flow[0] == pytest.approx(4800.0, rel=1e-8)


def test_limits_that_cannot_hold_are_not_converged() -> None:
    routes = [Route(100.0, {0: 1.0, 1: 1.0}), Route(120.0)]
    with pytest.raises(ConvergenceError):
        clear(program([one_nest(routes, 0.05, 10.0)], [6.0, 8.0], sense=[AT_MOST, AT_LEAST]), options=ClearOptions(max_iterations=30))


def test_senseless_senses_are_refused() -> None:
    problem = two_routes(10.0, [6.0])
    bad = replace(problem, row_sense=np.array([7]), market_price_weight=np.array([0.0]))
    with pytest.raises(DataError) as caught:
        clear(bad)
    assert {item.column for item in caught.value.problems} == {"row_sense", "market_price_weight"}
    with pytest.raises(DataError, match="zero or more"):
        clear(replace(problem, entry_units_per_t=np.array([-1.0])))
    with pytest.raises(DataError, match="finite"):
        clear(replace(problem, row_sense=np.array([AT_LEAST]), row_capacity=np.array([np.inf])))


@pytest.fixture(scope="module")
def wide_program() -> MarketProblem:
    return instance(markets=600, routes=6, rows=40, full=15, nests=2, elasticity=3.0)


def test_digits_do_not_depend_on_threads(wide_program: MarketProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual, "_WORK_PER_RANGE", 2000)
    program_of = make_program(wide_program, np.arange(40), options=ClearOptions())
    assert len(program_of.ranges) == 8
    one, two, five = (clear(wide_program, options=ClearOptions(threads=threads)) for threads in (1, 2, 5))
    for other in (two, five):
        assert np.array_equal(one.row_price_usd_per_unit, other.row_price_usd_per_unit)
        assert np.array_equal(one.route_flow_kt, other.route_flow_kt)
        assert one.welfare_kusd == other.welfare_kusd
        assert one.iterations == other.iterations


def test_ranges_cover_every_market_once(wide_program: MarketProblem, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = flows_at(wide_program, np.full(40, 3.0))
    monkeypatch.setattr(dual, "_WORK_PER_RANGE", 500)
    parts = flows_at(wide_program, np.full(40, 3.0))
    assert parts.row_flow == pytest.approx(whole.row_flow, rel=1e-12)
    assert np.array_equal(parts.market_cost, whole.market_cost)


def test_one_market_larger_than_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dual, "_WORK_PER_RANGE", 2)
    markets = [Market(one_nest([Route(90.0, {0: 1.0, 1: 1.0}), Route(100.0, {0: 1.0}), Route(120.0)], 0.05, 4.0).families, 0.05, 4.0)]
    assert clear(program(markets, [2.0, 1.0])).row_flow == pytest.approx([2.0, 1.0], rel=1e-8)
