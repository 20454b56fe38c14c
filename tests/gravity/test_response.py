"""Trade response against closed forms and the numbers of the methods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karvan.assignment import ClearOptions, clear
from karvan.errors import ConvergenceError, DataError
from karvan.gravity import TradeBase, balanced_base, delivered_price_factor, demand_shifters, respond, settle_trade
from tests.assignment.market_cases import Route, one_nest, program

SHARES = np.array([[0.75, 0.04, 0.015], [0.05, 0.80, 0.035], [0.20, 0.16, 0.95]])
EPSILON = 5.0


def cheaper_1_3(factor: float) -> np.ndarray:
    change = np.ones((1, 3, 3))
    change[0, 0, 2] = change[0, 2, 0] = factor
    return change


def test_two_equal_countries():
    tau = 1.5
    home = 1.0 / (1.0 + tau**-EPSILON)
    assert home == pytest.approx(0.883636364, abs=5e-10)
    base = balanced_base(np.array([[home, 1 - home], [1 - home, home]]), elasticity=EPSILON)
    change = np.array([[[1.0, 1.4 / 1.5], [1.4 / 1.5, 1.0]]])
    found = respond(base, change)
    assert np.diag(found.share[0]) == pytest.approx([0.843216938] * 2, abs=5e-10)
    assert found.real_income == pytest.approx([1.009408254] * 2, abs=5e-10)
    assert found.wage == pytest.approx([1.0, 1.0], abs=1e-12)


def test_closing_an_economy():
    base = balanced_base(np.array([[0.9, 0.1], [0.1, 0.9]]), elasticity=EPSILON)
    found = respond(base, np.array([[[1.0, np.inf], [np.inf, 1.0]]]))
    assert found.real_income == pytest.approx([0.979148362] * 2, abs=5e-10)
    assert found.trade[0, 0, 1] == 0.0


def test_three_countries():
    base = balanced_base(SHARES, elasticity=EPSILON)
    assert base.output_musd == pytest.approx([0.071082, 0.153473, 0.775444], abs=5e-7)
    found = respond(base, cheaper_1_3(0.95))
    assert found.wage == pytest.approx([1.001795, 0.999199, 0.999994], abs=5e-7)
    assert found.real_income == pytest.approx([1.012001, 0.999770, 1.000869], abs=5e-7)
    assert found.trade[0, 0, 2] == pytest.approx(1.275223, abs=5e-7)
    assert found.trade[0, 2, 0] == pytest.approx(1.230736, abs=5e-7)
    own = np.diag(found.share[0]) / np.diag(SHARES)
    assert found.real_income == pytest.approx(own ** (-1.0 / EPSILON), rel=1e-10)


def test_first_order_gain_is_the_share_of_the_trade():
    base = balanced_base(SHARES, elasticity=EPSILON)
    share = float(base.trade_musd[0, 0, 2] / base.output_musd.sum())
    assert share == pytest.approx(0.0116317, abs=5e-8)
    step = 1e-5
    change = np.ones((1, 3, 3))
    change[0, 0, 2] = np.exp(step)
    gained = float(base.output_musd @ np.log(respond(base, change).real_income)) / step
    assert gained == pytest.approx(-share, rel=1e-4)


def test_a_cheaper_freight_rate():
    factor = delivered_price_factor(np.array([1000.0]), np.array([120.0]), np.array([100.0]))
    assert factor == pytest.approx([0.982142857], abs=5e-10)
    assert factor**-EPSILON == pytest.approx([1.094275530], abs=5e-10)
    assert factor ** -(EPSILON + 1.0) == pytest.approx([1.114171448], abs=5e-10)
    assert demand_shifters(factor ** -(EPSILON + 1.0), factor, np.array([EPSILON])) == pytest.approx([1.0], rel=1e-14)


def test_money_and_labour_balance_with_sectors_and_deficits():
    rng = np.random.default_rng(7)
    countries, sectors = 5, 3
    output = rng.uniform(50, 500, countries)
    spending = rng.dirichlet(np.ones(sectors), size=countries).T
    share = rng.dirichlet(np.ones(countries), size=(sectors, countries)).transpose(0, 2, 1)
    share[:, np.arange(countries), np.arange(countries)] += 2.0
    share /= share.sum(axis=1, keepdims=True)
    bought = spending * output
    sold = (share * bought[:, None, :]).sum(axis=(0, 2))
    base = TradeBase(share, spending, sold, output - sold, np.array([4.0, 5.0, 6.0]))
    change = rng.uniform(0.8, 1.25, (sectors, countries, countries))
    found = respond(base, change)
    after = base.trade_musd * found.trade
    assert after.sum(axis=(0, 2)) == pytest.approx(found.wage * sold, rel=1e-9)
    assert after.sum(axis=(0, 1)) == pytest.approx(found.wage * sold + base.deficit_musd, rel=1e-9)
    assert found.share.sum(axis=1) == pytest.approx(np.ones((sectors, countries)), rel=1e-12)
    assert float(found.wage @ sold) == pytest.approx(float(sold.sum()), rel=1e-12)
    assert respond(base, np.ones_like(change)).trade == pytest.approx(np.ones_like(change), rel=1e-9)


@given(st.floats(0.7, 1.4), st.floats(2.0, 8.0))
def test_the_unit_of_money_and_a_common_factor_change_no_quantity(factor: float, elasticity: float):
    base = balanced_base(SHARES, elasticity=elasticity)
    change = cheaper_1_3(factor)
    one, scaled = respond(base, change), respond(base, change * 1.1)
    assert scaled.share == pytest.approx(one.share, rel=1e-8)
    assert scaled.real_income * 1.1 == pytest.approx(one.real_income, rel=1e-8)
    moved = one.real_income[0] - 1.0
    assert moved * (1.0 - factor) >= -1e-12  # cheaper trade with 3 is good for 1, dearer trade bad


def test_zeros_stay_zero():
    share = np.array([[0.9, 0.0], [0.1, 1.0]])
    base = TradeBase(share[None], np.ones((1, 2)), np.array([0.9, 1.1]), np.array([0.1, -0.1]), np.array([5.0]))
    found = respond(base, np.array([[[1.0, 0.5], [0.5, 1.0]]]))
    assert found.share[0, 0, 1] == 0.0


def test_the_loop_with_the_market():
    """Containers 1 to 3 and 3 to 1 share a corridor of 8; it gets 15 USD/t cheaper than before."""
    theta, price, flow = 0.05, 1000.0, np.array([6.0, 4.0])
    base_costs, pairs = ((100.0, 120.0), (105.0, 118.0)), ((0, 2), (2, 0))
    free = np.array([-np.log(np.exp(-theta * a) + np.exp(-theta * b)) / theta for a, b in base_costs])
    base = balanced_base(SHARES, elasticity=EPSILON)
    seen: dict[str, object] = {}

    def market(shifter: np.ndarray) -> np.ndarray:
        made = [
            one_nest([Route(a - 15.0, {0: 1.0}), Route(b)], theta, flow[number] * shifter[number])
            for number, (a, b) in enumerate(base_costs)
        ]
        problem = program(made, [8.0])
        problem = replace(
            problem, market_price_usd_per_t=np.full(2, price), market_base_cost_usd_per_t=free, market_elasticity=np.full(2, EPSILON + 1.0)
        )  # fmt: skip
        seen["cleared"] = clear(problem, options=ClearOptions(tolerance=1e-10, aim=1e-13))
        return delivered_price_factor(np.full(2, price), free, seen["cleared"].market_cost)

    def response(factor: np.ndarray) -> np.ndarray:
        change = np.ones((1, 3, 3))
        for value, (seller, buyer) in zip(factor, pairs, strict=True):
            change[0, seller, buyer] = value
        tonnes = np.array([respond(base, change).tonnes[0, seller, buyer] for seller, buyer in pairs])
        return demand_shifters(tonnes, factor, np.full(2, EPSILON))

    _, rounds = settle_trade(market, response, 2, tolerance=1e-10)
    cleared = seen["cleared"]
    assert cleared.row_price_usd_per_unit == pytest.approx([7.098288], abs=5e-7)
    assert cleared.market_cost == pytest.approx([87.670459, 91.071593], abs=5e-7)
    assert cleared.market_demand_kt == pytest.approx([6.190549, 4.107532], abs=5e-7)
    assert rounds <= 8


def test_a_loop_that_does_not_settle_is_refused():
    with pytest.raises(ConvergenceError, match="still move each other"):
        settle_trade(lambda shifter: 3.0 - shifter, lambda factor: factor, 1, tolerance=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"share": np.array([[[0.8, 0.2], [0.1, 0.8]]])}, "add up to 1 over the sellers"),
        ({"spending_share": np.array([[0.5, 1.0]])}, "add up to 1 over the sectors"),
        ({"output_musd": np.array([0.0, 1.0])}, "above zero"),
        ({"deficit_musd": np.array([0.1, 0.1])}, "add up to zero"),
        ({"output_musd": np.array([1.0, 2.0])}, "what all countries buy"),
        ({"elasticity": np.array([0.0])}, "above zero"),
    ],
)
def test_what_makes_no_sense_is_refused(change, words):
    base = balanced_base(np.array([[0.9, 0.1], [0.1, 0.9]]), elasticity=EPSILON)
    with pytest.raises(DataError, match=words):
        respond(replace(base, **change), np.ones((1, 2, 2)))


def test_factors_must_fit():
    base = balanced_base(np.array([[0.9, 0.1], [0.1, 0.9]]), elasticity=EPSILON)
    for change in (np.zeros((1, 2, 2)), np.ones((2, 2))):
        with pytest.raises(DataError, match="delivered_price"):
            respond(base, change)
