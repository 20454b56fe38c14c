"""Outlooks held against each other have the same routes to choose from, and new ways are worth the middle of two readings of overlaps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.exchange.workbook import write_workbook
from karvan.measures import load_scenario, measures_of
from karvan.report import Words
from karvan.report.appraised import appraisal_lines
from karvan.study import AppraisalOptions, PlanOptions, appraise, plan
from karvan.study.clear import clear, clear_on, kept_of
from karvan.study.common_routes import common_routes
from karvan.study.plan_market import with_some
from tests.study.money_case import money_case

_SECOND_PASS = """id: second_pass
title: Second pass
from_date: 2030-01-01
status: option
source: teaching
confidence: estimate
doc: "A second railway beyond the High Pass, a little shorter."
changes:
  - {table: links, where: {link_id: rail_pass_west_2}, set: {is_open: true}}
"""
HOW = AppraisalOptions(sample_years=(2030,), has_members=False)


@pytest.fixture(scope="module")
def corridor(tmp_path_factory: pytest.TempPathFactory) -> kv.Corridor:
    """Two ports with a second railway from the pass to the west, shut, that a measure opens."""
    folder = money_case(tmp_path_factory.mktemp("ways") / "case", link="rail_east_pass")
    _add(folder / "links.csv", "rail_pass_west_2,high_pass,west_port,rail,1520,580,39,false,false,land_railway,,teaching,estimate")
    _add(folder / "project_costs.csv", "second_pass,track,100,land_railway,,,teaching,estimate")
    (folder / "measures" / "second_pass.yaml").write_text(_SECOND_PASS, encoding="utf-8")
    return kv.load_corridor(str(folder))


def _add(path: Path, line: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n") + f"\n{line}\n", encoding="utf-8")


def _sides(corridor, *measures):
    base = load_scenario("baseline", corridor)
    scenarios = (base, with_some(base, [measures_of(corridor)[name] for name in measures]))
    return [clear(kv.apply(each, corridor, year=2030)) for each in scenarios]


def test_a_way_that_is_shut_has_its_routes_shut_on_that_side_alone(corridor):
    cleared = _sides(corridor, "second_pass")
    common = common_routes([each.routed for each in cleared])
    opened = [common.open_in(each.routed.snapshot) for each in cleared]
    assert opened[1].all()
    assert 0 < opened[0].sum() < opened[1].sum() == cleared[1].routed.sets.route_count
    on = [clear_on(common.routed(each.routed.snapshot), kept_of(each)) for each in cleared]
    for one, other in zip(cleared, on, strict=True):  # each side by itself is what it was
        assert other.clearing.welfare_kusd == pytest.approx(one.clearing.welfare_kusd, rel=1e-9)
    assert np.abs(on[0].set_flow_kt[~on[0].routed.sets.is_open]).max() == 0.0


def test_overlaps_are_those_of_the_routes_that_count(corridor):
    """Land has one route without the pass: its size is 1 alone, and less where the other shares its first half with it."""
    cleared = _sides(corridor, "second_pass")
    common = common_routes([each.routed for each in cleared])
    before = cleared[0].routed.snapshot
    alone, beside = common.routed(before).sets, common.routed(before, np.ones(common.sets.route_count, dtype=bool)).sets
    land = alone.is_open & (beside.path_size < 1.0)
    assert alone.path_size[alone.is_open] == pytest.approx(1.0)
    assert land.any()
    assert beside.path_size[land] == pytest.approx(0.75, abs=0.03)  # half of its cost is shared by two


def test_a_new_way_is_worth_the_middle_of_two_readings(corridor, tmp_path):
    told = appraise(corridor, measures=("second_pass",), how=HOW)
    own, shared = told.overlap_npv_musd
    assert own < shared - 1.0
    assert told.npv_musd == pytest.approx(0.5 * (own + shared))
    assert told.accounts["gain_musd"].sum() == pytest.approx(told.yearly.filter(pl.col("year") == 2030)["gain_musd"].sum())
    workbook = tmp_path / "told.xlsx"
    write_workbook(told, workbook)
    answer = pytest.importorskip("openpyxl").load_workbook(workbook)["Answer"]  # comes with what recomputes workbooks in tests
    assert [answer.cell(row, 2).value for row in (12, 13)] == pytest.approx([own, shared])
    assert f"{own:,.1f} M USD" in " ".join(appraisal_lines(told, words=Words("en")))
    assert appraise(corridor, measures=("second_ferry",), how=HOW).overlap_npv_musd == ()


def test_the_search_of_a_plan_says_the_same_of_a_new_way(corridor):
    """Whatever else it may choose, whose routes it holds, too."""
    how = PlanOptions(to_year=2029, sample_years=(2030,), count=40, has_more=False, only=("second_pass", "second_ferry"))
    found = plan(corridor, budgets={"tracks": (20.0, True)}, how=how)
    value = found.next_best.filter(pl.col("measures") == "second_pass 2028")["value_musd"].item()
    told = appraise(corridor, measures=("second_pass",), how=replace(HOW, from_year=found.from_year))
    assert value == pytest.approx(told.npv_musd, rel=1e-4)
