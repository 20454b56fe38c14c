"""A portfolio as its funds see it, and what either aim costs the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import karvan as kv
from karvan.appraisal import PortfolioProblem
from karvan.appraisal.bank import Loan
from karvan.appraisal.portfolio import NEVER
from karvan.measures import load_scenario
from karvan.report import Words
from karvan.report.planned import plan_lines
from karvan.results import PortfolioPlan
from karvan.study import PlanOptions, plan
from karvan.study.plan_fund import FundCash, FundTerms, fund_choice
from karvan.study.plan_market import year_market
from karvan.study.plan_projects import OTHERS, Reckoning, budgets_of, candidates_of
from karvan.study.plan_sampled import SampledMarket
from karvan.study.plan_single import Single
from karvan.study.route_memory import RouteMemory
from tests.study.money_case import money_case

HOW = PlanOptions(to_year=2030, sample_years=(2030,), count=2, has_more=False, objective="fund")
BUDGETS = {"tracks": (20.0, True)}
TERMS = FundTerms(rate=0.08, margin_share=0.32, tax_share=0.2, evaluation_years=20, loan=Loan(0.6, 0.04, 15))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> kv.Corridor:
    return kv.load_corridor(str(money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")))


@pytest.fixture(scope="module")
def found(small: kv.Corridor) -> PortfolioPlan:
    return plan(small, budgets=BUDGETS, how=HOW)


@pytest.fixture(scope="module")
def cash(small: kv.Corridor) -> FundCash:
    years = range(2026, 2031)
    base, funds = load_scenario("baseline", small), budgets_of(small, BUDGETS, years)
    candidates, _ = candidates_of(small, base, funds, ())
    market = year_market(small, base, [item.measure for item in candidates], 2030, RouteMemory())
    sampled = SampledMarket({2030: market}, years)
    reckoning = Reckoning(2026, 20, 0.08)
    projects = tuple(item.project(reckoning, 5) for item in candidates)
    return FundCash(PortfolioProblem(projects, tuple(funds), sampled, 0.08, np.ones(5)), candidates, sampled, TERMS, reckoning)


def test_no_portfolio_gives_the_funds_more(cash):
    """All starts of all projects tried one by one; here the search finds the best, though nothing proves that it always does."""
    single = Single(cash.problem)
    best, value = fund_choice(cash, single, ())
    starts = [np.array(each) for each in product([NEVER, 0, 1, 2, 3], repeat=len(cash.candidates))]
    assert value == pytest.approx(max(cash.value(start) for start in starts if single.is_allowed(start)), abs=1e-9)
    assert value == pytest.approx(cash.value(best))


def test_cash_is_the_funds_part_of_income_less_upkeep_and_capital(cash):
    """One project, by hand: what its sponsor charges more, less carrying and tax, the last year standing for those after it."""
    names = [item.measure.id for item in cash.candidates]
    place = names.index("bigger_ferry")
    start = np.full(len(names), NEVER)
    start[place] = 0
    item = cash.candidates[place]
    opened = cash.problem.is_open(start)
    sponsor = next(iter(cash.market.samples.values())).operators.index("sea_line")
    more = cash.market.charged(2030, opened[-1])[sponsor] - cash.market.charged(2030, opened[0])[sponsor]
    assert more > 0.0
    share = 1.0 - item.fund_shares[OTHERS]
    yearly = TERMS.margin_share * more - item.works.running_musd_per_year
    factors = 1.08 ** -np.arange(TERMS.evaluation_years)
    by_hand = share * (
        yearly * factors[item.works.build_year_count :].sum() - (factors[: item.works.build_year_count]).mean() * item.works.capital_musd
    )
    assert cash.value(start) == pytest.approx(by_hand, rel=1e-9)


def test_a_debt_cover_that_nothing_reaches_leaves_nothing(cash):
    strict = FundCash(cash.problem, cash.candidates, cash.market, replace(TERMS, least_cover=1e6), cash.reckoning)
    best, value = fund_choice(strict, Single(cash.problem), ())
    assert (best == NEVER).all()
    assert value == 0.0


def test_either_aim_is_told_with_what_it_costs_the_other(found):
    rows = {row["objective"]: row for row in found.objectives.iter_rows(named=True)}
    assert rows["welfare"]["welfare_musd"] >= rows["fund"]["welfare_musd"] - 1e-9
    assert rows["fund"]["fund_musd"] >= rows["welfare"]["fund_musd"] - 1e-9
    assert found.value_musd == pytest.approx(rows["fund"]["welfare_musd"])
    assert found.bound_musd >= rows["welfare"]["welfare_musd"] - 1e-9


def test_a_grant_lifts_a_chosen_project_to_the_hurdle(small):
    chosen = plan(small, budgets=BUDGETS, how=replace(HOW, objective="welfare"))
    assert set(chosen.bank["measure_id"]) == set(chosen.chosen["measure_id"])
    assert chosen.bank.height > 0
    for row in chosen.bank.iter_rows(named=True):
        assert row["grant_musd"] >= 0.0
        if row["firr_share"] is not None:
            assert (row["grant_musd"] > 0.0) == (row["firr_share"] < chosen.fund_rate_share)


def test_it_is_told_in_two_languages(found):
    for language in ("en", "ru"):
        lines = plan_lines(found, words=Words(language))
        assert any("8" in each and "%" in each for each in lines)
        assert max(len(each) for each in lines) <= 110
