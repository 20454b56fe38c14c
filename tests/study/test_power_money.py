"""Measures of power as projects: their own rows in an appraisal, their own worth in a plan."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import karvan as kv
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.results import Appraisal
from karvan.study import AppraisalOptions, DispatchOptions, appraise, dispatch
from karvan.study.power_accounts import DISPATCH_ITEMS
from tests.study.power_money_case import power_money_case

WEEK = 168
PER_YEAR = 8760 / WEEK


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return power_money_case(tmp_path_factory.mktemp("power") / "case", link="rail_east_pass")


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def cable(small: kv.Corridor) -> Appraisal:
    return appraise(small, measures=("strait_cable",), how=AppraisalOptions(sample_years=(2030, 2034), power_hours=WEEK))


def test_rows_of_power_are_those_of_the_dispatch_itself(small, cable):
    """The same line asked of `karvan power`: what all gain, by kind of party, and carbon dioxide, a week standing for the year."""
    asked = dispatch(small, year=2034, how=DispatchOptions(hours=WEEK, line="strait"))
    rows = cable.accounts.filter(pl.col("year") == 2034)
    items = dict(rows.group_by("item").agg(pl.col("gain_musd").sum()).iter_rows())
    told = {name: PER_YEAR * asked.parties[f"{name}_musd"].sum() for name in ("consumers", "producers", "lines", "borders")}
    assert items["power used"] == pytest.approx(told["consumers"], rel=1e-6)
    assert items["power made"] + items["tax on power made"] == pytest.approx(told["producers"], rel=1e-6)
    assert items["power carried"] + items["tax on power carried"] == pytest.approx(told["lines"], rel=1e-6)
    assert items["power border charges"] == pytest.approx(told["borders"], rel=1e-6)
    gain = PER_YEAR * asked.worth["gain_musd"][0]
    assert sum(items.get(name, 0.0) for name in (*DISPATCH_ITEMS, "power border charges")) == pytest.approx(gain, rel=1e-6)
    emitted = PER_YEAR * asked.worth["co2_change_mt"][0]
    assert items["co2e of power"] == pytest.approx(-100.0 * emitted, rel=1e-6)
    assert cable.emissions["power_kt"][-1] == pytest.approx(1e3 * emitted, rel=1e-6)
    assert gain > 1.0


def test_rows_add_up_and_the_freight_market_stands_still(cable):
    assert cable.parties["npv_musd"].sum() == pytest.approx(cable.npv_musd, abs=1e-6)
    assert "surplus" not in set(cable.accounts["item"])
    assert cable.npv_queue_musd == pytest.approx(cable.npv_musd)
    by_country = cable.parties.group_by("country").agg(pl.col("npv_musd").sum())
    assert by_country["npv_musd"].sum() == pytest.approx(cable.npv_musd, abs=1e-6)


def test_the_owner_of_the_line_is_its_sponsor(cable):
    sponsor = cable.sponsors.row(0, named=True)
    assert sponsor["operator_id"] == "Cable company"
    assert sponsor["capital_musd"] == 200.0
    lifted = sponsor["npv_without_rent_musd"] + sponsor["grant_musd"]
    assert lifted == pytest.approx(max(sponsor["npv_without_rent_musd"], 0.0), abs=1e-9)


def test_it_is_told_in_two_languages(cable):
    for language in ("en", "ru"):
        lines = appraisal_lines(cable, words=Words(language))
        assert any("2034" in each for each in lines)
        assert max(len(each) for each in lines) <= 110
