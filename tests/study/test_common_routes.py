"""Outlooks held against each other have the same routes to choose from, and a dear new way takes no weight from those beside it."""

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
from karvan.study.appraise_sides import Sides
from karvan.study.clear import clear, clear_on, kept_of
from karvan.study.common_routes import common_routes
from karvan.study.new_ways import new_ways
from karvan.study.plan_market import with_some
from karvan.study.progress import silent
from karvan.study.route_memory import RouteMemory
from karvan.study.works import appraisal_values
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
    every = np.ones(common.sets.route_count, dtype=bool)
    on = [clear_on(common.routed(each.routed.snapshot, every)[0], kept_of(each)) for each in cleared]
    for one, other in zip(cleared, on, strict=True):  # each side by itself is what it was
        assert other.clearing.welfare_kusd == pytest.approx(one.clearing.welfare_kusd, rel=1e-9)
    assert np.abs(on[0].set_flow_kt[~on[0].routed.sets.is_open]).max() == 0.0
    _, has = common.routed(cleared[1].routed.snapshot, opened[0])
    assert has.sum() == opened[0].sum()


def test_a_dear_new_way_takes_no_weight_from_a_good_one(corridor):
    """Two routes that share half: alike, each has three quarters; were one far dearer, the other would have all and it a half."""
    cleared = _sides(corridor, "second_pass")[1]
    sets, assembly = cleared.routed.sets, cleared.assembly
    rows = sets.graph.arc_element_id
    is_new = np.array([any(rows[arc] == "rail_pass_west_2" for arc in sets.arcs_of(route)) for route in range(sets.route_count)])
    every = np.ones(sets.route_count, dtype=bool)
    shared = [route for route in range(sets.route_count) if sets.path_size[route] < 1.0]
    dear = replace(sets, components=sets.components + 1e3 * is_new[:, None])
    for given, expected in ((sets, 0.75), (dear, None)):
        found = new_ways(assembly, given, every, is_new)
        of = assembly.route_of
        size = {int(of[place]): found.likely[0][place] for place in np.flatnonzero(of >= 0)}
        for route in shared:
            if expected is not None:
                assert size[route] == pytest.approx(expected, abs=0.1)
            else:
                assert size[route] == pytest.approx(0.5 if is_new[route] else 1.0, abs=0.03)
        assert np.array([found.likely[1][place] for place in np.flatnonzero((of >= 0) & ~found.is_new)]) == pytest.approx(1.0)
    closed = np.where(found.is_new, 1e9, cleared.clearing.route_cost_usd_per_t)
    assert np.abs(new_ways(assembly, sets, every, np.zeros_like(is_new)).more_kusd(cleared.problem, closed)).max() == 0.0


def test_what_a_new_way_gains_is_told_beside_what_plain_overlaps_would_say(corridor, tmp_path):
    told = appraise(corridor, measures=("second_pass",), how=HOW)
    assert told.plain_npv_musd is not None
    assert abs(told.npv_musd - told.plain_npv_musd) > 0.1
    workbook = tmp_path / "told.xlsx"
    write_workbook(told, workbook)
    answer = pytest.importorskip("openpyxl").load_workbook(workbook)["Answer"]  # comes with what recomputes workbooks in tests
    assert answer.cell(12, 2).value == pytest.approx(told.plain_npv_musd)
    assert f"{told.plain_npv_musd:,.1f} M USD" in " ".join(appraisal_lines(told, words=Words("en")))
    assert appraise(corridor, measures=("second_ferry",), how=HOW).plain_npv_musd is None


def test_a_way_that_is_closed_is_worth_what_it_was_worth_to_open(corridor):
    """Taken out of a scenario that has it, with the sign turned."""
    base = load_scenario("baseline", corridor)
    within = with_some(base, [measures_of(corridor)["second_pass"]])
    sides = [
        Sides(corridor, *pair, appraisal_values(corridor), None, (2030,), RouteMemory(), silent, None)
        for pair in ((base, within), (within, base))
    ]
    put_in, taken_out = sides[0].gains(within), sides[1].gains(base)
    assert put_in["gain_musd"].sum() == pytest.approx(-taken_out["gain_musd"].sum(), rel=1e-9)


def test_the_search_of_a_plan_says_the_same_of_a_new_way(corridor):
    """Whatever else it may choose, whose routes it holds, too."""
    how = PlanOptions(to_year=2029, sample_years=(2030,), count=40, has_more=False, only=("second_pass", "second_ferry"))
    found = plan(corridor, budgets={"tracks": (20.0, True)}, how=how)
    value = found.next_best.filter(pl.col("measures") == "second_pass 2028")["value_musd"].item()
    told = appraise(corridor, measures=("second_pass",), how=replace(HOW, from_year=found.from_year))
    assert value == pytest.approx(told.npv_musd, rel=1e-4)
