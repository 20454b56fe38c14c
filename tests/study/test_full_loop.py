"""Trade and tariffs that answer in an appraisal and in the plans of the full loop, on two-ports."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.report.planned import plan_lines
from karvan.study import AppraisalOptions, PlanOptions, TariffOptions, appraise, plan, tariffs
from karvan.study.clear import clear, year_key
from karvan.study.full_loop import DELAYS, TARIFFS, TRADE, Demand, Loop, answered, answers_of, not_gained
from karvan.study.route_memory import RouteMemory
from karvan.study.tariff_market import game_of
from karvan.study.trade_market import base_costs, settled_trade
from karvan.study.trade_table import trade_table
from tests.study.money_case import money_case
from tests.study.trade_case import add_trade

HOW = PlanOptions(to_year=2030, sample_years=(2030,), count=2, has_full=True, has_more=False)
BUDGET = {"tracks": (20.0, True)}
MODULE = sys.modules["karvan.study.full_loop"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")
    add_trade(made)
    return made


@pytest.fixture(scope="module")
def small(folder: Path) -> kv.Corridor:
    return kv.load_corridor(str(folder))


@pytest.fixture(scope="module")
def planned(small):
    return plan(small, budgets=BUDGET, how=HOW)


def loop_of(corridor, names, memory):
    first = apply(load_scenario("baseline", corridor), corridor, year=corridor.manifest.base_year)
    base = base_costs(clear(first, routes=memory, is_strict=False), trade_table(corridor.tables, corridor.manifest.base_year))
    cordon = corridor.manifest.headline_cordon
    return Loop(names, base if TRADE in names else None, "grain", cordon, year_key(first, routes=memory))


def answer(corridor, names, *, scenario="baseline", year=2030, start=None, memory=None):
    memory = memory or RouteMemory()
    snapshot = apply(load_scenario(scenario, corridor), corridor, year=year)
    cleared = clear(snapshot, routes=memory, is_strict=False)
    key = year_key(snapshot, routes=memory)
    return cleared, answered(cleared, loop_of(corridor, names, memory), key=key, start=start or {}, memory=memory)


def test_demand_that_shifts_is_no_gain():
    """Surplus 10 at factor 1, 15 a factor at 1.2, so 18: of the 8 between them 1.1 times 5 is what costs fell by, 0.2 times 12.5 not."""
    ends = (("east",), ("west",))
    before, after = (Demand((("m", "a", "b"),), np.array([unit]), np.array([factor]), ends) for unit, factor in ((10.0, 1.0), (15.0, 1.2)))
    told = not_gained(before, after)
    assert told["region"].to_list() == ["east", "west"]
    assert told["value_kusd"].to_list() == pytest.approx([2.5, 2.5])
    assert not_gained(before, replace(after, factor=before.factor)).is_empty()


def test_trade_answers_as_karvan_trade_has_it(small):
    """With delays that do not move, the loop ends where market and trade of the year fit each other."""
    memory = RouteMemory()
    cleared, found = answer(small, (TRADE,), scenario="agreed", memory=memory)
    alone = settled_trade(cleared, loop_of(small, (TRADE,), memory).base)
    moved = np.abs(found.cleared.delay_h - cleared.delay_h).max()
    factor = found.cleared.problem.market_factor
    assert abs(float(alone.factor[0]) - 1.0) > 1e-3
    assert factor == pytest.approx(alone.factor, abs=2e-3 if moved > 0.0 else 1e-6)
    assert found.is_settled == {DELAYS: True, TRADE: True}
    assert found.more_kusd == {}


def test_tariffs_answer_as_the_game_of_karvan_tariffs_has_it(small):
    cleared, found = answer(small, (TARIFFS,))
    game = game_of(cleared, headline_cordon=small.manifest.headline_cordon, group="grain")
    told = tariffs(small, scenario="baseline", how=TariffOptions(commodity="grain", years=(2030,), has_alliances=False))
    nash = told.margins.filter(pl.col("regime") == "nash")["margin_usd_per_t"].to_list()
    margin = [found.ratio[name] * today for name, today in zip(game.administration_ids, game.today_usd_per_t, strict=True)]
    assert margin == pytest.approx(nash, rel=0.02)
    assert all(found.is_settled.values())
    carried = game.weight.T @ found.cleared.clearing.route_flow_kt
    assert sum(found.more_kusd.values()) == pytest.approx(float((np.array(margin) - game.today_usd_per_t) @ carried), rel=1e-9)


def test_what_is_kept_gives_the_same_digits(small, tmp_path, monkeypatch):
    memory = RouteMemory(folder=tmp_path)
    _, first = answer(small, (TRADE, TARIFFS), memory=memory)

    def refuse(*arguments):
        raise AssertionError("sought again")

    monkeypatch.setattr(MODULE, "_sought", refuse)
    _, again = answer(small, (TRADE, TARIFFS), memory=RouteMemory(folder=tmp_path))
    assert again.ratio == first.ratio
    assert again.more_kusd == first.more_kusd
    assert again.cleared.clearing.welfare_kusd == first.cleared.clearing.welfare_kusd


@pytest.mark.parametrize("names", [("trade",), ("tariffs",), ("trade", "tariffs")])
def test_rows_of_an_appraisal_with_answers_add_up(small, names):
    plain, found = (
        appraise(small, measures=("bigger_ferry", "faster_track"), how=AppraisalOptions(sample_years=(2028, 2030), answers=each))
        for each in ((), names)
    )
    assert found.parties["npv_musd"].sum() == pytest.approx(found.npv_musd, abs=1e-9)
    assert found.answers == names
    assert found.settled["is_settled"].all()
    assert set(found.settled["answer"]) == {"delays", *names}
    assert abs(found.npv_musd - plain.npv_musd) > 0.01
    assert found.members["npv_alone_musd"].null_count() == 0
    items = set(found.accounts["item"])
    assert ("moved tariffs" in items) == ("tariffs" in names)
    for language in ("en", "ru"):
        text = " ".join(appraisal_lines(found, words=Words(language)))
        assert all(Words(language)(f"full.{name}") in text for name in names)


def test_what_answers_must_be_in_the_case(two_ports, tmp_path):
    assert answers_of(two_ports) == ("tariffs",)
    made = kv.load_corridor(str(money_case(tmp_path / "case", link="rail_east_pass")))
    with pytest.raises(DataError, match=r"economies.*trade cannot answer"):
        appraise(made, measures=("bigger_ferry",), how=AppraisalOptions(answers=("trade",)))


def test_the_command_refuses_what_cannot_answer(folder, capfd):
    arguments = ["appraise", "--corridor", str(folder), "--with", "bigger_ferry", "--sample", "2030", "--no-members"]
    assert main([*arguments, "--answers", "tariff"]) == 2
    assert "must be trade, tariffs or trade,tariffs" in capfd.readouterr().err
    assert main([*arguments, "--answers", "tariffs,trade"]) == 0
    assert "trade, tariffs answer in every year" in " ".join(capfd.readouterr().out.split())


def test_a_plan_tells_what_each_answer_changes(planned):
    assert planned.full_answers == ("delays", "trade", "tariffs")
    assert planned.next_best["full_musd"].is_sorted(descending=True)
    for row in planned.next_best.iter_rows(named=True):
        changes = [row[f"{name}_musd"] for name in ("delays", "trade", "tariffs")]
        assert row["value_musd"] + sum(changes) == pytest.approx(row["full_musd"], abs=1e-9)
        assert all(change != 0.0 for change in changes)
        assert row["unsettled"] == ""
    for language in ("en", "ru"):
        words = Words(language)
        assert words("plan.full_told") in " ".join(plan_lines(planned, words=words))


def test_tariffs_that_do_not_settle_are_flagged_and_not_counted(small, planned, monkeypatch):
    monkeypatch.setattr(MODULE, "_GAIN_SHARE", -1.0)
    found = plan(small, budgets=BUDGET, how=HOW, routes=RouteMemory())
    assert found.full_answers == ("delays", "trade")
    for row in found.next_best.iter_rows(named=True):
        assert row["tariffs_musd"] is None
        assert row["unsettled"].startswith("tariffs 20")
        assert row["value_musd"] + row["delays_musd"] + row["trade_musd"] == pytest.approx(row["full_musd"], abs=1e-9)
    before = dict(planned.next_best.select("measures", "trade_musd").iter_rows())
    assert dict(found.next_best.select("measures", "trade_musd").iter_rows()) == pytest.approx(before)
    for language in ("en", "ru"):
        words = Words(language)
        text = " ".join(plan_lines(found, words=words))
        assert words("full.tariffs") + " 20" in text
        assert words("plan.full_less", answers=", ".join(words(f"full.{name}") for name in found.full_answers)) in text


def test_turns_that_run_out_are_flagged(small, monkeypatch):
    monkeypatch.setattr(MODULE, "_MOST_TURNS", 1)
    _, found = answer(small, (TARIFFS,))
    assert found.is_settled[TARIFFS] is False
    told = appraise(
        small, measures=("bigger_ferry",), how=AppraisalOptions(sample_years=(2030,), answers=("tariffs",)), routes=RouteMemory()
    )
    assert not told.settled["is_settled"].all()
    assert "NOT SETTLED" in " ".join(appraisal_lines(told))
