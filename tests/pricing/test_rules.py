"""Dated rules of tariffs, by hand."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from karvan.pricing import rule_for, stability_share, usd_per_t

DAY = datetime.date(2024, 7, 1)


def rule(**values: Any) -> dict[str, Any]:
    return {
        "rule_id": "r", "operator_id": "line", "from_place": None, "to_place": None, "both_ways": True, "is_through": False,
        "commodity_group": "any", "loading_unit": "any", "from_date": None, "until_date": None, "from_km": 0.0, "until_km": None,
        "basis": "per_t_km", "rate": 0.02, "coefficient_ratio": 1.0, "discount_share": 0.0, "length_m": None, "minimum": 0.0, **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, 10.0),  # 0.02 x 500 km
        ({"coefficient_ratio": 1.5, "discount_share": 0.2}, 12.0),
        ({"minimum": 15.0}, 15.0),
        ({"basis": "per_feu", "rate": 1200.0}, 50.0),  # two TEU of 12 t
        ({"basis": "per_teu_km", "rate": 0.3}, 12.5),
        ({"basis": "per_wagon_m", "rate": 48.0, "length_m": 14.7}, 58.8),  # 705.6 over 12 t
    ],
)
def test_rates_become_dollars_a_tonne(values, expected):
    assert usd_per_t(rule(**values), length_km=500.0, payload_t=12.0, per_usd=1.0) == pytest.approx(expected)
    assert usd_per_t(rule(**values), length_km=500.0, payload_t=12.0, per_usd=0.924) == pytest.approx(expected / 0.924)


def chosen(*rules: dict[str, Any], operator_id: str | None = "line", date: datetime.date = DAY, length_km: float = 500.0) -> str | None:
    found = rule_for(
        rules, date=date, operator_id=operator_id, ends=("a", "b"), commodity_group="grain", loading_unit="wagon", length_km=length_km,
        anything="any",
    )  # fmt: skip
    return None if found is None else str(found["rule_id"])


def test_the_most_specific_rule_in_force_wins():
    wide, narrow = rule(rule_id="wide"), rule(rule_id="narrow", from_place="b", to_place="a")
    assert chosen(wide, narrow) == "narrow"
    assert chosen(wide, {**narrow, "both_ways": False}) == "wide"
    assert chosen(wide, {**narrow, "until_date": DAY}) == "wide"
    assert chosen({**wide, "until_km": 400.0}) is None
    assert chosen(wide, operator_id=None) is None
    assert chosen(wide, {**narrow, "rule_id": "through", "is_through": True}, operator_id=None) == "through"


def test_a_fixed_charge_is_worth_its_deviation():
    one = stability_share(deviation_share_per_year=0.2, years=1, reliability_ratio=0.4)
    assert one == pytest.approx(0.08)  # a contract of one year bears the variance of one year
    variances = [0.2**2 * year for year in range(1, 8)]  # a wandering charge: each year adds as much
    mean = sum(variances) / 7
    assert stability_share(deviation_share_per_year=0.2, years=7, reliability_ratio=0.4) == pytest.approx(0.4 * mean**0.5)
