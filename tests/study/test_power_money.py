"""Measures of power as projects: their own rows in an appraisal, their own worth in a plan."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.appraisal import PortfolioProblem, Worth
from karvan.errors import DataError
from karvan.measures import load_scenario, measures_of
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.report.planned import plan_lines
from karvan.results import Appraisal
from karvan.study import AppraisalOptions, DispatchOptions, PlanOptions, appraise, dispatch, plan
from karvan.study.plan_power import PowerYear
from karvan.study.plan_projects import Reckoning, budgets_of, candidates_of
from karvan.study.plan_split import country_frame, split_frame
from karvan.study.power_accounts import CHARGED, DISPATCH_ITEMS
from karvan.study.progress import silent
from karvan.study.route_memory import RouteMemory
from tests.study.power_money_case import power_money_case

WEEK = 168
PER_YEAR = 8760 / WEEK
ALONE = {"memory": RouteMemory(), "tell": silent, "co2_usd_per_t": 100.0}


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


@pytest.fixture(scope="module")
def year(small: kv.Corridor) -> PowerYear:
    projects = [measures_of(small)[name] for name in ("second_ferry", "strait_cable", "more_wind")]
    return PowerYear(small, load_scenario("baseline", small), projects, 2034, hours=WEEK, **ALONE)


def test_a_set_of_the_plan_is_worth_what_the_dispatch_saves(year, cable):
    """The appraisal's rows of the same line, without border charges, which stay where they are a cost."""
    rows = cable.accounts.filter((pl.col("year") == 2034) & pl.col("item").is_in(DISPATCH_ITEMS))
    assert year.worth(np.array([True, True, False])).welfare == pytest.approx(rows["gain_musd"].sum(), rel=1e-6)
    assert year.worth(np.array([True, False, False])).welfare == 0.0


def test_what_counts_beside_it_is_the_rest_of_the_appraisal(year, cable):
    """Border charges, and carbon dioxide at its price of 2034: with them all rows of the line are counted."""
    rows = cable.accounts.filter(pl.col("year") == 2034)
    worth = year.worth(np.array([False, True, False]))
    assert worth.beside != 0.0
    assert worth.total == pytest.approx(rows["gain_musd"].sum(), rel=1e-6)
    parts = year.parts(np.array([False, True, False]))
    assert parts["gain_musd"] + parts["border_musd"] + parts["co2_musd"] == pytest.approx(worth.total)
    lean = year.lean()
    assert lean[1] == pytest.approx(worth.beside)
    assert lean[0] == 0.0


def test_bounds_of_one_set_of_power_hold_for_every_other(year):
    sets = [np.array(each) for each in product([False, True], repeat=3)]
    worths = [year.worth(each) for each in sets]
    both, cable, wind = (year.worth(np.array([False, *each])).welfare for each in ((True, True), (True, False), (False, True)))
    assert both != pytest.approx(cable + wind, rel=1e-3)  # they act on each other, so that no sum of single values would do
    for at, worth in zip(sets, worths, strict=True):
        for other, true in zip(sets, worths, strict=True):
            bound = worth.welfare + float(worth.slope @ (other.astype(float) - at.astype(float)))
            assert true.welfare <= bound + 1e-6 * max(abs(bound), 1.0)


def test_digits_do_not_depend_on_which_set_was_solved_first(small, year):
    projects = [measures_of(small)[name] for name in ("second_ferry", "strait_cable", "more_wind")]
    other = PowerYear(small, load_scenario("baseline", small), projects, 2034, hours=WEEK, **ALONE)
    for names in ([False, False, True], [False, True, True], [False, True, False]):
        one, same = other.worth(np.array(names)), year.worth(np.array(names))
        assert one.welfare == same.welfare
        assert (one.slope == same.slope).all()


def test_border_charges_and_load_served_are_told_as_the_appraisal_has_them(year, cable):
    """What the plan counts as a cost is what the appraisal tells as income of states."""
    parts = year.parts(np.array([True, True, False]))
    rows = cable.accounts.filter((pl.col("year") == 2034) & (pl.col("item") == CHARGED))
    assert parts["border_musd"] == pytest.approx(rows["gain_musd"].sum(), rel=1e-6)
    assert abs(parts["border_musd"]) > 1e-3
    rows = cable.accounts.filter((pl.col("year") == 2034) & pl.col("item").is_in((*DISPATCH_ITEMS, CHARGED)))
    assert parts["gain_musd"] + parts["border_musd"] == pytest.approx(rows["gain_musd"].sum(), rel=1e-6)


def test_a_plan_chooses_among_ships_cables_and_wind(small):
    """Proved best; the cable is worth its cost here, which the market for freight alone would never say. Two days make a short proof."""
    how = PlanOptions(to_year=2030, sample_years=(2034,), count=1, power_hours=48, has_more=False)
    found = plan(small, budgets={"tracks": (100.0, True), "ships": (100.0, True)}, how=how)
    assert found.gap_share <= how.gap
    assert "strait_cable" in found.chosen["measure_id"].to_list()
    told = dict(found.candidates.select("measure_id", "gain_musd_per_year").iter_rows())
    assert told["strait_cable"] > 1.0
    power = found.power.row(0, named=True)
    assert power["year"] == 2034
    assert power["gain_musd"] >= power["unserved_musd"] - 1e-9
    text = " ".join(plan_lines(found))
    assert "In 2034 power costs" in text


def test_what_a_plan_cannot_bound_is_refused(small):
    projects = [measures_of(small)["no_border_charge"]]
    base = kv.with_measures(load_scenario("baseline", small), small, ["strait_cable"])
    charged = PowerYear(small, base, projects, 2034, hours=WEEK, **ALONE)
    with pytest.raises(DataError, match="more of the power system"):
        charged.worth(np.array([True]))


def test_partners_end_with_equal_parts_of_what_their_countries_gain(small):
    """By hand: 90 gained in one country and 30 in the other, each pays half; the first pays the second 30."""
    _, _, problem, plan_of = _only_the_cable(small)
    both = small.tables["fund_partners"].with_columns(pl.col("fund_id").replace({"ships": "tracks", "tracks": "ships"}))
    shared = replace(small, tables={**small.tables, "fund_partners": both})
    part, cost = plan_of.spend[1].sum() / plan_of.spend.sum(), problem.cost(plan_of.start)
    gains = {"XA": 90.0, "XB": 30.0, "world": -5.0}
    split = split_frame(shared, problem, plan_of, gains)
    east, west = split.sort("partner_id").rows(named=True)
    assert (east["gain_musd"], west["gain_musd"]) == pytest.approx((part * 90.0, part * 30.0))
    for row in (east, west):
        assert row["fund_id"] == "tracks"
        assert row["paid_musd"] == pytest.approx(part * cost / 2.0)
        assert row["net_musd"] == pytest.approx(part * (120.0 - cost) / 2.0)
    assert west["payment_musd"] == pytest.approx(part * 30.0) == -east["payment_musd"]
    countries = country_frame(shared, split, gains)
    assert countries["country"].to_list() == ["XA", "XB", "world"]
    assert countries["is_partner"].to_list() == [True, True, False]
    assert countries["paid_musd"].to_list() == pytest.approx([part * cost / 2.0, part * cost / 2.0, 0.0])
    assert split_frame(shared, problem, plan_of, {}).is_empty()


def _only_the_cable(small):
    """A plan that starts the cable at once, paid by both funds."""
    years = range(2025, 2031)
    funds = budgets_of(small, {"tracks": (100.0, True), "ships": (100.0, True)}, years)
    candidates, _ = candidates_of(small, load_scenario("baseline", small), funds, ("strait_cable",))
    project = candidates[0].project(Reckoning(2025, 20, 0.08), len(years))
    problem = PortfolioProblem(
        (project,), tuple(funds), lambda is_open, year: Worth(60.0 * is_open[0], np.array([60.0])), 0.08, np.ones(len(years))
    )
    return candidates[0], candidates, problem, problem.plan(np.array([0]))
