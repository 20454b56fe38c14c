"""Money of the packaged case: every cost can be read, rules of funds name what is there."""

from __future__ import annotations

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.measures import load_scenario, measures_of
from karvan.money.costs import SECTORS
from karvan.study.plan_projects import OTHERS, budgets_of, candidates_of
from karvan.study.works import appraisal_values, carbon_price, discount_rate


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("middle-corridor")


def test_every_measure_of_the_headline_scenario_that_is_built_has_a_cost(corridor):
    measures = measures_of(corridor)
    rows = set(corridor.tables["project_costs"]["measure_id"])
    assert rows <= set(measures)
    built = {
        item.measure.id
        for item in load_scenario("agreed", corridor).dated
        if item.measure.status in ("under_construction", "announced") and not item.measure.is_operating
    }
    assert built - rows == {"armenia_wheat_offer"}  # nothing is built for it


def test_ranges_hold_their_values(corridor):
    classes = corridor.tables["cost_classes"]
    assert ((classes["low_musd"] <= classes["unit_musd"]) & (classes["unit_musd"] <= classes["high_musd"])).all()
    assert (classes["overrun_share"] <= classes["overrun_high_share"]).all()
    values = corridor.tables["appraisal_values"]
    assert ((values["low"] <= values["value"]) & (values["value"] <= values["high"])).all()
    rates = corridor.tables["discount_rates"]
    assert (
        (rates["low_share_per_year"] <= rates["rate_share_per_year"]) & (rates["rate_share_per_year"] <= rates["high_share_per_year"])
    ).all()


def test_funds_name_sectors_and_partners_add_up(corridor):
    for text in corridor.tables["funds"]["sectors"]:
        assert set(text.split(";")) <= set(SECTORS)
    shares = corridor.tables["fund_partners"].group_by("fund_id").agg(pl.col("contribution_share").sum())
    assert set(shares["fund_id"]) == set(corridor.tables["funds"]["fund_id"])
    assert shares["contribution_share"].to_list() == pytest.approx([1.0, 1.0])


def test_the_fund_whose_size_is_not_published_pays_only_what_the_user_says(corridor):
    years = range(2026, 2036)
    assert [fund.fund_id for fund in budgets_of(corridor, {}, years)] == ["aih_fund", OTHERS]
    funds = budgets_of(corridor, {"socar_mechanism": (60.0, True)}, years)
    assert [sum(fund.budget) for fund in funds[:2]] == [300.0, 600.0]
    found, left_out = candidates_of(corridor, load_scenario("baseline", corridor), funds, ())
    assert len(found) >= 35
    assert dict(left_out) == dict.fromkeys(("araz_road", "rasht_astara", "tripp_rail"), "no_fund")
    for item in found:
        assert sum(item.fund_shares.values()) == pytest.approx(1.0)
        assert item.fund_shares[OTHERS] >= 0.5
    assert {item.sector for item in found if "aih_fund" in item.fund_shares}.isdisjoint({"oil", "power"})


def test_defaults_are_there(corridor):
    assert appraisal_values(corridor)["evaluation_years"] == 30
    assert discount_rate(corridor, None, "economic") == ("adb", 0.09)
    assert carbon_price(corridor, None, 2030) == 94
    assert carbon_price(corridor, "eib", 2060) == 1129
