"""A program laid out once, put together again at other numbers, and told how it answers to delays: all as the long way gives it."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from karvan.assignment import ClearOptions, LaidOut, MarketProblem, assemble, reassembled
from karvan.assignment import clear as clear_market
from karvan.assignment.dual import evaluate, flow_slopes
from karvan.assignment.market import make_program
from karvan.ensembles.futures import Futures, _on
from karvan.ensembles.moved import with_tables
from karvan.ensembles.run import EnsembleOptions, ensemble_of
from karvan.study.clear import Market, clear_like
from tests.assignment.market_cases import random_program


@pytest.fixture(scope="module")
def futures(two_ports):
    return Futures(ensemble_of(two_ports, years=(2027,), how=EnsembleOptions(futures=8)))


@pytest.fixture(scope="module")
def ready(futures):
    return futures.prepared.state("agreed", (), 2027).ready


def _moved(futures, ready, scale):
    """The year at half the tariffs and other goods, capacities and traits."""
    tables = dict(ready.snapshot.tables)
    for table, column in (("tariffs", "rate"), ("demand", "flow_kt"), ("facilities", "nominal"), ("commodities", "value_usd_per_t")):
        tables[table] = tables[table].with_columns(pl.col(column) * scale)
    return _on(ready.layout, None, with_tables(ready.snapshot, tables))


def test_a_program_put_together_again_is_the_one_laid_out_anew(futures, ready):
    moved = _moved(futures, ready, 0.8)
    tables, routed = moved.routed.snapshot.tables, moved.routed
    anew = assemble(tables, routed.sets, routed.entries, routed.space.runs)
    again = reassembled(ready.layout.model.assembly, tables, routed.sets)
    for item in fields(MarketProblem):
        assert np.array_equal(getattr(anew.problem, item.name), getattr(again.problem, item.name)), item.name
    assert not np.array_equal(anew.problem.route_cost_usd_per_t, ready.layout.model.problem.route_cost_usd_per_t)
    for name in ("route_of", "market_of_route", "family_code", "has_base_cost", "minimum_facility"):
        assert np.array_equal(getattr(anew, name), getattr(again, name)), name


def test_a_program_laid_out_once_clears_as_each_does_alone(ready):
    problem = ready.layout.model.problem
    laid_out = LaidOut(problem)
    for times in (1.0, 1.1, 0.9):
        cost = problem.route_cost_usd_per_t * times
        alone = clear_market(replace(problem, route_cost_usd_per_t=cost))
        found = laid_out.clear(cost)
        assert np.array_equal(found.route_flow_kt, alone.route_flow_kt)
        assert np.array_equal(found.row_price_usd_per_unit, alone.row_price_usd_per_unit)
        assert found.welfare_kusd == alone.welfare_kusd


@pytest.mark.parametrize("seed", range(5))
def test_flows_fall_with_prices_and_hours_as_when_evaluated_again(seed):
    problem = random_program(seed)
    rows, step, generator = problem.row_capacity.shape[0], 1e-4, np.random.default_rng(seed)
    prices, value = generator.uniform(1.0, 40.0, rows), generator.uniform(0.1, 2.0, problem.market_flow_kt.shape[0])
    program = make_program(problem, np.arange(rows), options=ClearOptions())
    market = np.repeat(np.arange(value.shape[0]), np.diff(problem.market_first_family))
    market = np.repeat(market, np.diff(problem.family_first_route))
    route = np.repeat(np.arange(market.shape[0]), np.diff(problem.route_first_entry))
    delaying = np.arange(0, rows, 2)

    def flow(moved, hours):
        by_row = np.zeros(rows)
        by_row[delaying] = hours
        added = value[market] * np.bincount(route, weights=by_row[problem.entry_row], minlength=market.shape[0])
        return evaluate(replace(program, arrays=program.arrays._replace(route_cost=problem.route_cost_usd_per_t + added)), moved)

    none = np.zeros(delaying.shape[0])
    by_price, by_hour = flow_slopes(program, flow(prices, none), delaying, value)
    assert np.abs(by_hour).max() > 0.0
    for slopes, ends in (
        (by_price, [[flow(prices + sign * step * unit, none) for sign in (1, -1)] for unit in np.eye(rows)]),
        (by_hour, [[flow(prices, sign * step * unit) for sign in (1, -1)] for unit in np.eye(none.shape[0])]),
    ):
        found = np.column_stack([(low.row_flow - high.row_flow) / (2 * step) for high, low in ends])
        assert slopes == pytest.approx(found, rel=1e-5, abs=1e-7 * max(1.0, np.abs(found).max()))  # central differences


def _slow(moved):
    """The year with a ferry that keeps goods waiting for days as it fills."""
    tables = dict(moved.routed.snapshot.tables)
    tables["delay_curves"] = tables["delay_curves"].with_columns(variability_ratio=pl.lit(40.0), reference_use_share=pl.lit(0.2))
    return with_tables(moved.routed.snapshot, tables)


@pytest.mark.parametrize("scale", [0.3, 0.6, 1.3])
def test_prices_and_delays_found_together_are_those_found_in_turn(futures, ready, scale):
    moved = _moved(futures, ready, scale)
    plain = clear_like(_slow(moved), moved, is_near=True)
    quick = clear_like(_slow(moved), moved, is_near=True, is_alike=True)
    assert np.abs(plain.delay_h).max() > 1.0
    assert plain.delay_evaluations > quick.delay_evaluations
    assert quick.is_settled
    assert quick.set_flow_kt == pytest.approx(plain.set_flow_kt, rel=1e-3, abs=0.05)
    assert quick.delay_h == pytest.approx(plain.delay_h, rel=2e-3, abs=1e-2)
    assert max(quick.clearing.max_violation, quick.clearing.complementarity) <= Market().tolerance


def test_the_way_in_turn_is_left_where_they_are_not_found_together(futures, ready, monkeypatch):
    moved = _moved(futures, ready, 0.6)
    plain = clear_like(_slow(moved), moved, is_near=True)
    monkeypatch.setattr("karvan.assignment.together._MOST_STEPS", 1)
    slow = clear_like(_slow(moved), moved, is_near=True, is_alike=True)
    assert slow.is_settled
    assert slow.delay_evaluations > 1
    assert slow.set_flow_kt == pytest.approx(plain.set_flow_kt, rel=1e-3, abs=0.05)
    assert slow.delay_h == pytest.approx(plain.delay_h, rel=2e-3, abs=1e-2)
