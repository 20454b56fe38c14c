"""Present values, rates and starts against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.appraisal import (
    annuity_factor,
    benefit_cost_ratio,
    best_start,
    internal_rate,
    net_present_value,
    payback_years,
    rule_of_half,
    switching_factor,
)
from karvan.assignment import clear, with_capacity
from karvan.errors import DataError
from tests.assignment.market_cases import Route, one_nest, program, two_routes

TWENTY = np.array([-100.0, *([12.0] * 20)])


def test_an_investment_of_twenty_years():
    assert annuity_factor(0.08, 20) == pytest.approx(9.818147407, abs=5e-10)
    assert net_present_value(TWENTY, 0.08) == pytest.approx(17.817768889, abs=5e-9)
    assert internal_rate(TWENTY) == pytest.approx(0.103156146, abs=5e-10)
    ratio = benefit_cost_ratio(np.array([0.0, *([12.0] * 20)]), np.array([100.0]), 0.08)
    assert ratio == pytest.approx(1.178177689, abs=5e-10)
    factor = switching_factor(TWENTY, np.array([0.0, *([12.0] * 20)]), 0.08)
    assert net_present_value(np.array([-100.0, *([12.0 * factor] * 20)]), 0.08) == pytest.approx(0.0, abs=1e-9)


def test_payback():
    assert payback_years(TWENTY) == 9
    assert payback_years(TWENTY, 0.08) == 15
    assert payback_years(np.array([-100.0, 12.0])) is None
    assert payback_years(np.array([5.0, 1.0])) == 0


def test_no_rate_or_two_are_no_rate():
    assert internal_rate(np.array([1.0, 2.0])) is None
    assert internal_rate(np.array([-100.0, 230.0, -132.0])) is None
    assert benefit_cost_ratio(np.array([1.0]), np.array([0.0]), 0.08) is None
    assert switching_factor(TWENTY, np.array([0.0]), 0.08) is None
    with pytest.raises(DataError, match="above -1"):
        net_present_value(TWENTY, -1.0)


def test_the_rule_of_half_and_what_is_exact():
    assert rule_of_half(4.5, 5.2, 100.0, 90.0) == pytest.approx(48.5, rel=1e-12)
    before, after = (clear(program([one_nest([Route(cost), Route(120.0)], 0.05, 10.0)], [])) for cost in (100.0, 90.0))
    assert after.welfare_kusd - before.welfare_kusd == pytest.approx(77.630318093, abs=5e-9)
    half = rule_of_half(before.route_flow_kt[0], after.route_flow_kt[0], 100.0, 90.0)
    assert half == pytest.approx(77.431652741, abs=5e-9)


def test_parties_of_a_relieved_place():
    """Case 1a of the methods, 6 to 7: 60 resource and 40 tariff on the way, a rival that earns 30, carbon at 80 USD."""
    tight = two_routes(10.0, [6.0])
    before, after = clear(tight), clear(with_capacity(tight, np.array([7.0])))
    shippers = float(after.consumer_surplus_kusd.sum() - before.consumer_surplus_kusd.sum())
    rent = after.rent_kusd - before.rent_kusd
    moved = float(after.route_flow_kt[0] - before.route_flow_kt[0])
    tariff, rival, carbon = 40.0 * moved, -30.0 * moved, -80.0 * (0.03 - 0.02) * moved
    assert shippers == pytest.approx(57.536414, abs=5e-7)
    assert rent == pytest.approx(-49.965887, abs=5e-6)
    assert (tariff, rival, carbon) == pytest.approx((40.0, -30.0, -0.8), abs=5e-6)
    assert shippers + rent + tariff + rival + carbon == pytest.approx(16.770527, abs=5e-6)


def test_when_to_start():
    benefit = 5.0 * 1.06 ** np.arange(40)
    assert best_start(benefit, 100.0, 0.08) == 7
    values = [1.08**-start * -100.0 + sum(benefit[year] * 1.08**-year for year in range(start, 40)) for start in range(20)] + 0.0 * benefit[
        :20
    ]
    tail = 5.0 * 1.06**40 * 1.08**-40 / (1.0 - 1.06 / 1.08)
    assert int(np.argmax(values + tail)) == 7
    assert best_start(np.ones(5), 100.0, 0.08) is None
    with pytest.raises(DataError, match="falls"):
        best_start(np.array([2.0, 1.0]), 1.0, 0.08)
