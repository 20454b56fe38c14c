"""Whose hold-up is it: wheat and fuel for Yerevan by Georgia at the tariff that was reported, and with the railway by Ijevan."""

from __future__ import annotations

import datetime

import pytest

from karvan.corridor import load_corridor
from karvan.study import ScenarioOptions, ShippingDesk

DAY = datetime.date(2029, 6, 1)


@pytest.fixture(scope="module")
def cheapest():
    real = load_corridor("middle-corridor")
    desks = {}

    def found(origin, goods, *measures, avoid=()):
        if measures not in desks:
            desks[measures] = ShippingDesk(real, options=ScenarioOptions(with_measures=measures))
        options = desks[measures].answer(origin, "yerevan", commodity=goods, depart=DAY, avoid=avoid).options
        return min(options, key=lambda option: option.cost_usd_per_t) if options else None

    return found


def paid_to(option, operator):
    return sum(leg["cost_usd_per_t"] for leg in option.legs if leg["operator"] == operator)


def test_the_reported_tariff_is_many_times_the_ordinary_one(cheapest):
    ordinary, reported = (cheapest("baku", "oil_products", *measures) for measures in ((), ("georgian_transit_92",)))
    assert paid_to(reported, "gr") == pytest.approx(92.0)
    assert reported.way == ordinary.way  # fuel has no other way
    assert paid_to(reported, "gr") > 20.0 * paid_to(ordinary, "gr")


def test_fuel_has_no_way_but_by_georgia_until_ijevan_opens(cheapest):
    assert cheapest("baku", "oil_products", avoid=["GE"]) is None
    by_ijevan = cheapest("baku", "oil_products", "gazakh_ijevan", "georgian_transit_92")
    assert paid_to(by_ijevan, "gr") == 0.0
    assert by_ijevan.cost_usd_per_t < cheapest("baku", "oil_products").cost_usd_per_t


def test_wheat_leaves_the_georgian_railway_long_before_92(cheapest):
    """Trucks from Tbilisi bound what the railway can ask, and Iran what Georgia can."""
    ordinary, reported = (cheapest("kostanay", "wheat", *measures) for measures in ((), ("georgian_transit_92",)))
    assert "tbilisi (road) yerevan" in reported.way
    railway = reported.cost_usd_per_t - ordinary.cost_usd_per_t + paid_to(ordinary, "gr")
    country = cheapest("kostanay", "wheat", avoid=["GE"]).cost_usd_per_t - ordinary.cost_usd_per_t + paid_to(ordinary, "gr")
    assert paid_to(ordinary, "gr") < railway < country < 92.0


def test_with_ijevan_nothing_is_left_for_georgia_to_hold_up(cheapest):
    open_, charged = (
        cheapest("kostanay", "wheat", *measures) for measures in (("gazakh_ijevan",), ("gazakh_ijevan", "georgian_transit_92"))
    )
    assert open_.way == charged.way
    assert open_.cost_usd_per_t == charged.cost_usd_per_t < cheapest("kostanay", "wheat").cost_usd_per_t
    assert {leg["operator"] for leg in open_.legs if leg["cost_usd_per_t"]} == {"ktz", "rzd_bc", "ady", "scr"}
