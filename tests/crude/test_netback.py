"""The checks of the methods on oil."""

from __future__ import annotations

import math

import numpy as np
import pytest

from karvan.assignment.market import clear
from karvan.crude import buffer_d, expected_loss_musd, mt_per_year, netback_usd_per_t, tankers_needed
from karvan.errors import DataError
from tests.assignment.market_cases import Route, one_nest, program

NETBACKS = (450.0, 430.0, 400.0)
REFERENCE = 500.0
THETA = 40.0
"""Sharp choice: the market is then the linear program, but for ln(n)/theta."""


def routed(caps: tuple[float, float, float], supply: float = 54.0):
    """Three routes with a limit each and oil left in the ground at a netback of nothing; choice cost = reference price - netback."""
    routes = [Route(REFERENCE - netback, {row: 1.0}) for row, netback in enumerate(NETBACKS)]
    return clear(program([one_nest([*routes, Route(REFERENCE)], THETA, supply)], list(caps)))


def value(flows: np.ndarray) -> float:
    return float(np.dot(flows[:3], NETBACKS))


def test_flows_value_and_prices_of_three_routes() -> None:
    found = routed((50.0, 3.0, 5.0))
    assert found.route_flow_kt == pytest.approx([50.0, 3.0, 1.0, 0.0], abs=1e-4)
    assert value(found.route_flow_kt) == pytest.approx(24190.0, rel=1e-6)
    assert REFERENCE - found.market_cost[0] == pytest.approx(400.0, abs=0.2)
    assert found.row_price_usd_per_unit == pytest.approx([50.0, 30.0, 0.0], abs=0.2)


def test_marginal_prices_do_not_price_large_outages() -> None:
    base = routed((50.0, 3.0, 5.0))
    small, large = routed((48.0, 3.0, 5.0)), routed((30.0, 3.0, 5.0))
    assert value(base.route_flow_kt) - value(small.route_flow_kt) == pytest.approx(100.0, rel=1e-4)
    lost = value(base.route_flow_kt) - value(large.route_flow_kt)
    assert lost == pytest.approx(7400.0, rel=1e-4)
    assert large.route_flow_kt[3] == pytest.approx(16.0, abs=1e-3)
    assert lost > 7.0 * 20.0 * base.row_price_usd_per_unit[0]  # the price of the first tonne would have said a thousand


def test_ships_barrels_and_days() -> None:
    assert tankers_needed(1.5, payload_t=12000.0, cycle_d=5.0, working_d=330.0) == pytest.approx(1.893939, abs=5e-7)
    assert math.ceil(tankers_needed(1.5, payload_t=10000.0, cycle_d=5.0, working_d=330.0)) == 3
    assert tankers_needed(1.5, payload_t=10000.0, cycle_d=5.0, working_d=330.0) == pytest.approx(2.272727, abs=5e-7)
    assert mt_per_year(1.0, bbl_per_t=7.5) == pytest.approx(48.666667, abs=5e-7)
    assert buffer_d(320.0, 1460.0) == pytest.approx(80.0)
    assert buffer_d(None, 1460.0) is None
    assert expected_loss_musd(2.0, lasts_d=30.0, per_year=0.2) == pytest.approx(12.0)


def test_netback() -> None:
    found = netback_usd_per_t(80.0, quality_usd_per_bbl=-2.0, bbl_per_t=7.9, loss_share=0.001, charges_usd_per_t=50.0)
    assert found == pytest.approx(7.9 * 78.0 * 0.999 - 50.0)
    with pytest.raises(DataError, match="barrels a tonne"):
        netback_usd_per_t(80.0, quality_usd_per_bbl=0.0, bbl_per_t=0.13, loss_share=0.0, charges_usd_per_t=0.0)
