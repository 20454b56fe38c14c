"""Portfolios of a small case: bounds that hold for every set, a search equal to trying everything, rules of funds."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.appraisal import PortfolioProblem, SectorLimit, best_plans
from karvan.appraisal.portfolio import NEVER
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.measures import load_scenario, measures_of
from karvan.measures.scenario import DatedMeasure
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.report.planned import plan_lines
from karvan.results import PortfolioPlan
from karvan.study import AppraisalOptions, PlanOptions, appraise, plan
from karvan.study.accounts import society_kusd
from karvan.study.appraise import appraised
from karvan.study.plan_accounts import Beside
from karvan.study.plan_market import with_some, year_market
from karvan.study.plan_projects import Reckoning, budgets_of, candidates_of
from karvan.study.plan_sampled import SampledMarket
from karvan.study.plan_single import Single
from karvan.study.progress import silent
from karvan.study.route_memory import RouteMemory
from karvan.study.works import appraisal_values
from tests.study.money_case import money_case

HOW = PlanOptions(to_year=2030, sample_years=(2030,), count=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def found(small: kv.Corridor) -> PortfolioPlan:
    return plan(small, budgets={"tracks": (20.0, True)}, how=HOW)


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> kv.Corridor:
    """The same with goods whose hours are worth something, and a ferry that takes longer the fuller it is."""
    folder = money_case(tmp_path_factory.mktemp("hurried") / "case", link="rail_east_pass")
    _hurry(folder)
    return kv.load_corridor(str(folder))


def _hurry(folder: Path) -> None:
    _change(folder / "commodities.csv", "wheat;barley,250,0.08,0.02,0,", "wheat;barley,2500,0.2,0.1,1,")
    _change(folder / "delay_curves.csv", "ferry,1,4,1,1,", "ferry,2,4,1,0.8,")


def _change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


PROJECTS = ("bigger_ferry", "faster_track", "second_ferry")


def market_of(corridor: kv.Corridor):
    measures = measures_of(corridor)
    base = load_scenario("baseline", corridor)
    return year_market(corridor, base, [measures[name] for name in PROJECTS], 2030, RouteMemory(), beside(corridor))


@pytest.fixture(scope="module")
def market(small: kv.Corridor):
    return market_of(small)


@pytest.fixture(scope="module")
def hurried_market(hurried: kv.Corridor):
    return market_of(hurried)


def beside(small):
    return Beside(appraisal_values(small), small.tables["external_costs"], 92.0)


SETS = [np.array(each) for each in product([False, True], repeat=3)]


def test_a_set_is_worth_what_the_market_itself_says(small, market, hurried, hurried_market):
    """Capacities and costs of the program are those of the snapshot with the measures, delays those that follow from them."""
    for corridor, program in ((small, market), (hurried, hurried_market)):
        none = program.worth(np.zeros(3, dtype=bool))
        for places in ([0], [2], [0, 2]):  # together not what each adds
            base = kv.load_scenario("baseline", corridor)
            scenario = with_some(base, [measures_of(corridor)[PROJECTS[place]] for place in places])
            cleared = [kv.clear(kv.apply(each, corridor, year=2030)) for each in (base, scenario)]
            welfare = [each.clearing.welfare_kusd for each in cleared]
            society = [society_kusd(each, appraisal_values(corridor), corridor.tables["external_costs"], 92.0) for each in cleared]
            worth = program.worth(np.isin(np.arange(3), places))
            market_gain = worth.welfare + worth.delays - none.welfare - none.delays
            assert market_gain == pytest.approx((welfare[1] - welfare[0]) / 1e3, rel=1e-3, abs=1e-6)
            assert market_gain + worth.beside - none.beside == pytest.approx((society[1] - society[0]) / 1e3, rel=1e-3, abs=1e-6)
            assert abs(worth.beside - none.beside) > 0.1
            assert (worth.delays - none.delays > 0.1) == (corridor is hurried and 2 in places)


def test_bounds_of_one_set_hold_for_every_other(market):
    worths = [market.worth(each) for each in SETS]
    assert max(worth.welfare for worth in worths) > min(worth.welfare for worth in worths) + 1.0
    for at, worth in zip(SETS, worths, strict=True):
        for other, true in zip(SETS, worths, strict=True):
            bound = worth.welfare + float(worth.slope @ (other.astype(float) - at.astype(float)))
            assert true.welfare <= bound + 1e-6 * abs(bound)


@pytest.mark.parametrize("name", ["small", "hurried"])
def test_the_search_equals_trying_every_start(request, name):
    corridor, market = (request.getfixturevalue(each) for each in (name, "market" if name == "small" else "hurried_market"))
    funds = budgets_of(corridor, {"tracks": (20.0, True)}, range(2026, 2031))
    candidates, _ = candidates_of(corridor, load_scenario("baseline", corridor), funds, PROJECTS)
    assert [item.measure.id for item in candidates] == list(PROJECTS)
    sampled = SampledMarket({2030: market}, range(2026, 2031))
    reckoning = Reckoning(2026, 14, 0.08, 0.9, 0.95)
    weight = np.array([1.0, 1, 1, 1, 10])
    problem = PortfolioProblem(tuple(item.project(reckoning, 5) for item in candidates), tuple(funds), sampled, 0.08, weight, True)
    best = best_plans(problem)[0]
    tried = -np.inf
    for start in product([NEVER, 0, 1, 2, 3, 4], repeat=3):
        value = _value(problem, np.array(start))
        tried = max(tried, value)
    assert best.value == pytest.approx(tried, rel=1e-9)
    assert best.bound >= tried - 1e-9
    leaned = best_plans(replace(problem, lean=sampled.lean))[0]  # what is beside found by the market itself, not by putting in and out
    assert leaned.value == pytest.approx(tried, rel=1e-9)


def test_a_set_that_several_ask_for_at_once_is_solved_once(market):
    class Counted:
        acts, capacity, solved = market.acts, market.capacity, 0

        def worth(self, is_open):
            self.solved += 1
            return market.worth(is_open)

    counted = Counted()
    sampled = SampledMarket({2030: counted}, range(2026, 2031))
    counted.solved = 0
    opened = np.ones(market.capacity.shape[0], dtype=bool)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda year: sampled(opened, year), [0, 1, 2, 3, 4] * 4))
    assert counted.solved == 1
    assert {worth.welfare for worth in found} == {sampled(opened, 0).welfare}


def _value(problem, start):
    opened = problem.is_open(start)
    spent = {
        item.project_id: problem.spent(item, at) if at != NEVER else np.zeros(problem.years)
        for item, at in zip(problem.projects, start, strict=True)
    }
    for fund in problem.funds:
        paid = sum(item.fund_shares.get(fund.fund_id, 0.0) * spent[item.project_id] for item in problem.projects)
        if (np.cumsum(paid) > np.cumsum(fund.budget) + 1e-9).any():
            return -np.inf
    total = np.array([problem.worth(opened[year], year).total for year in range(problem.years)])
    costs = sum(item.costs[at] for item, at in zip(problem.projects, start, strict=True) if at != NEVER)
    return float((problem.discount * problem.year_weight * total).sum()) - costs


def test_no_fund_spends_more_than_it_has_had_and_shares_are_kept(found):
    for row in found.budgets.iter_rows(named=True):
        assert row["left_musd"] is None or row["left_musd"] >= -1e-9
    assert found.budgets["spent_musd"].sum() == pytest.approx(found.chosen["capital_musd"].sum())


def test_it_is_proved_and_no_worse_than_ranking(found):
    assert found.gap_share <= HOW.gap
    assert found.bound_musd >= found.value_musd >= found.ranking_musd - 1e-6 * abs(found.value_musd)
    assert found.next_best["value_musd"].is_sorted(descending=True)


def test_the_full_loop_tells_the_same_where_nothing_is_left_out_of_the_proof(small):
    """Two ports with its delays: what the search holds still moves the value a little; sponsors are told with debt cover and grant."""
    full = plan(small, budgets={"tracks": (20.0, True)}, how=replace(HOW, has_more=False, has_full=True, count=2))
    rows = full.next_best
    assert rows["full_musd"].is_sorted(descending=True)
    assert full.full_answers == ("delays", "tariffs")
    assert rows["value_musd"][0] + rows["delays_musd"][0] == pytest.approx(rows["value_musd"][0], rel=0.1)
    assert rows["value_musd"][0] + rows["delays_musd"][0] + rows["tariffs_musd"][0] == pytest.approx(rows["full_musd"][0], abs=1e-9)
    assert rows["trade_musd"].null_count() == rows.height  # the case has no economies
    assert set(full.sponsors.columns) >= {"firr_share", "debt_cover_ratio", "grant_musd", "charge_musd_per_year"}


def test_an_interrupt_of_the_full_loop_keeps_what_was_cleared(small):
    def stop(text):
        if getattr(text, "key", "") == "progress.plan_full" and text.values["number"] == 2:
            raise KeyboardInterrupt

    found = plan(small, budgets={"tracks": (20.0, True)}, how=replace(HOW, has_more=False, has_full=True, count=2), progress=stop)
    assert [value is None for value in found.next_best["full_musd"]] == [False, True]
    assert found.sponsors.height > 0


@pytest.mark.parametrize(("stage", "untold"), [("ranking", "ranking"), ("more", "more")])
def test_an_interrupt_after_the_proof_keeps_the_plan(small, found, monkeypatch, stage, untold):
    """The portfolio stands with its bound; what was left out is named, and both languages tell the rest."""

    def stop(*arguments):
        raise KeyboardInterrupt

    place = {"ranking": (Single, "ranking"), "more": (sys.modules["karvan.study.plan"], "_more")}[stage]
    monkeypatch.setattr(*place, stop)
    kept = plan(small, budgets={"tracks": (20.0, True)}, how=HOW)
    assert (kept.value_musd, kept.bound_musd) == (found.value_musd, found.bound_musd)
    assert kept.chosen["measure_id"].to_list() == found.chosen["measure_id"].to_list()
    assert kept.untold[0] == untold
    assert found.untold == ()
    assert kept.more.is_empty()
    assert kept.chosen["first_musd"].null_count() == (kept.chosen.height if stage == "ranking" else 0)
    json.dumps(kept.as_dict())
    for language in ("en", "ru"):
        words = Words(language)
        assert words(f"plan.untold.{untold}") in " ".join(plan_lines(kept, words=words))


def test_payments_between_partners_cancel(found):
    assert found.split["payment_musd"].sum() == pytest.approx(0.0, abs=1e-9)


def test_who_gains_is_what_an_appraisal_of_the_plan_says(small, found):
    """Countries gain what the appraisal with delays says less what building costs, and partners what their country gains."""
    opening = dict(found.chosen.select("measure_id", "open_year").iter_rows())
    dated = [DatedMeasure(measures_of(small)[name], date(year, 1, 1), None) for name, year in opening.items()]
    base = load_scenario(found.scenario_id, small)
    with_set = replace(base, dated=tuple(sorted((*base.dated, *dated), key=lambda each: each.from_date)))
    samples = tuple(sorted({*found.sample_years, *opening.values()}))
    how = AppraisalOptions(sample_years=samples, has_members=False, from_year=found.from_year)
    appraisal = appraised(small, base, with_set, how=how, memory=RouteMemory(), tell=silent)
    assert found.appraised_musd == pytest.approx(appraisal.npv_musd, rel=1e-6)
    building = appraisal.parties.filter(pl.col("party") == "builders")["npv_musd"].sum()
    assert found.countries["gain_musd"].sum() + building == pytest.approx(appraisal.npv_musd, rel=1e-6)
    spent = found.budgets.group_by("fund_id").agg(pl.col("spent_musd").sum())
    part = dict(spent.with_columns(pl.col("spent_musd") / pl.col("spent_musd").sum()).iter_rows())
    of = {(row["fund_id"], row["partner_id"]): row["country"] for row in small.tables["fund_partners"].iter_rows(named=True)}
    gains = dict(found.countries.select("country", "gain_musd").iter_rows())
    assert found.split.height > 0
    for row in found.split.iter_rows(named=True):
        assert row["gain_musd"] == pytest.approx(part[row["fund_id"]] * gains.get(of[row["fund_id"], row["partner_id"]], 0.0))


def test_an_interrupt_while_gains_are_told_keeps_the_rest(small, found, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["karvan.study.plan"], "in_full_loop", stop)
    kept = plan(small, budgets={"tracks": (20.0, True)}, how=HOW)
    assert kept.untold == ("split",)
    assert (kept.appraised_musd, kept.split.height, kept.countries.height) == (None, 0, 0)
    assert kept.more.rows() == found.more.rows()
    assert Words("en")("plan.untold.split") in " ".join(plan_lines(kept))


def test_more_money_never_hurts(small, found):
    assert (found.more["gain_musd"] >= 0.0).all()
    poorer = plan(small, budgets={"tracks": (1.0, True), "ships": (1.0, False)}, how=replace(HOW, count=1, has_more=False))
    assert poorer.value_musd <= found.value_musd + 1e-9


def test_it_is_told_in_two_languages(found):
    for language in ("en", "ru"):
        assert any("2030" in each for each in plan_lines(found, words=Words(language)))


def test_the_command_prints_one_object(folder, capfd):
    arguments = ["plan", "--corridor", str(folder), "--budget", "tracks=20/year", "--to", "2030", "--sample", "2030", "--json"]
    assert main([*arguments, "--count", "1", "--no-more"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["gap_share"] <= 1e-3
    assert [(row["venture_id"], row["is_valued"]) for row in told["ventures"]] == [("cable", False), ("mill", True)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--budget", "tracks"], "must read FUND=MUSD"),
        (["--budget", "tracks=many"], "must read FUND=MUSD"),
        (["--budget", "trucks=3"], "did you mean tracks"),
        (["--gap", "2"], "above 0 and below 1"),
        (["--to", "2020"], "must be after"),
        (["--only", "no_such"], "no_such"),
        (["--sector", "tracks"], "must read FUND:SECTORS"),
        (["--sector", "tracks:ship=0.8..0.2"], "must read FUND:SECTORS"),
        (["--sector", "trucks:ship=0.5.."], "did you mean tracks"),
        (["--sector", "tracks:shop=0.5.."], "did you mean ship"),
    ],
)
def test_wrong_input_is_named(folder, capsys, arguments, words):
    assert main(["plan", "--corridor", str(folder), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_benefit_that_is_an_estimate_is_told_as_one_and_the_rest_say_why_they_have_none(small, found):
    """The mill is chosen for a benefit that its row calls an estimate; a published one would be listed apart, without a warning."""
    assert "joint_mill" in found.chosen["measure_id"].to_list()
    told = appraise(small, measures=("joint_mill",), how=AppraisalOptions(sample_years=(2030,)))
    assert told.ventures.select("venture_id", "is_estimate").rows() == [("mill", True)]
    sentence = "What Mill is worth is an estimate of ours and no published figure: 4.0 M USD a year (2.0 to 6.0), 50% of it counted. 10 kt"
    for lines in (plan_lines(found), appraisal_lines(told)):
        assert sentence in " ".join(lines)
    assert "Cable: No price is published." in plan_lines(found)
    published = replace(found, ventures=found.ventures.with_columns(is_estimate=pl.lit(value=False)))
    text = " ".join(plan_lines(published))
    assert "estimate of ours" not in text
    assert "JOINT VENTURES worth what they publish, where they are chosen: Mill." in text


def test_a_venture_is_worth_what_it_states_in_plan_and_appraisal(small, found):
    """Half of 4 M USD a year, for 12 M USD: a row of its own in the appraisal, a candidate of the plan."""
    how = AppraisalOptions(sample_years=(2030,), has_members=False)
    told = appraise(small, measures=("joint_mill",), how=how)
    row = told.accounts.filter(pl.col("party") == "ventures").row(0, named=True)
    assert (row["item"], row["who"], row["country"]) == ("stated benefit", "mill", "XB")
    assert row["gain_musd"] == pytest.approx(2.0)
    assert told.accounts["gain_musd"].sum() == pytest.approx(2.0)
    candidates = {each["measure_id"]: each for each in found.candidates.iter_rows(named=True)}
    assert candidates["joint_mill"]["gain_musd_per_year"] == pytest.approx(2.0)
    assert candidates["joint_mill"]["is_chosen"]
    text = " ".join(plan_lines(found))
    assert "not valued" in text
    assert "Cable" in text


def test_a_sector_must_have_its_part_of_a_fund(small, found):
    """At most a tenth of one fund for ships, asked and as data: what was chosen before gives way, and the answer says what part it is."""
    ships = dict(found.chosen.select("measure_id", "capital_musd").iter_rows())
    assert {"bigger_ferry", "second_ferry"} & set(ships)
    asked = replace(HOW, has_more=False, count=1, sectors=(SectorLimit("tracks", ("ship",), 0.0, 0.1),))
    limited = plan(small, budgets={"tracks": (20.0, True)}, how=asked)
    row = limited.sectors.row(0, named=True)
    assert row["spent_share"] is None or row["spent_share"] <= 0.1 + 1e-9
    assert limited.value_musd < found.value_musd - 0.1
    table = small.tables["fund_limits"]
    row = {"limit_id": "few_ships", "fund_id": "tracks", "sectors": "ship", "least_share": 0.0, "most_share": 0.1}
    own = pl.DataFrame([{**dict.fromkeys(table.columns), **row, "source": "teaching", "confidence": "estimate"}], schema=table.schema)
    as_data = replace(small, tables={**small.tables, "fund_limits": own})
    same = plan(as_data, budgets={"tracks": (20.0, True)}, how=replace(asked, sectors=()))
    assert same.value_musd == limited.value_musd
    for language in ("en", "ru"):
        assert any("10" in each and "tracks" in each for each in plan_lines(same, words=Words(language)))


def test_nothing_to_choose_from_is_said(two_ports):
    with pytest.raises(DataError):
        plan(two_ports)


def test_a_portfolio_is_worth_what_the_appraisal_says(tmp_path):
    """One measure open from the sample year on: the value of the plan is the net present value, delays too, and its parts add up."""
    folder = money_case(tmp_path / "case", link="rail_east_pass")
    _change(folder / "measures" / "second_ferry.yaml", "2026-01-01", "2030-01-01")
    _hurry(folder)
    corridor = kv.load_corridor(str(folder))
    found = plan(corridor, how=replace(HOW, only=("second_ferry",), has_more=False, count=20, to_year=2029, sample_years=(2030,)))
    start = found.next_best.filter(pl.col("measures") == "second_ferry 2029")
    how = AppraisalOptions(sample_years=(2030,), from_year=found.from_year)
    told = appraise(corridor, measures=("second_ferry",), how=how)
    assert start["value_musd"].item() == pytest.approx(told.npv_musd, rel=1e-4)  # delays are found to a thousandth
    assert found.parts["npv_musd"].sum() == pytest.approx(found.value_musd, abs=1e-9)
    assert {"freight_beside", "delays_beside"} <= set(found.parts["part"])
