"""A program laid out once, put together again at other numbers, and told how it answers to delays: all as the long way gives it."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from karvan.assignment import ClearOptions, LaidOut, MarketProblem, assemble, read_curves, reassembled
from karvan.assignment import clear as clear_market
from karvan.assignment.response import flow_response
from karvan.ensembles.futures import Futures, _on
from karvan.ensembles.moved import with_tables
from karvan.ensembles.run import EnsembleOptions, ensemble_of
from karvan.study.clear import Market, clear, clear_like
from karvan.study.delay_loop import delay_costs, delay_response


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


def test_flows_and_prices_answer_to_hours_as_when_cleared_again(ready):
    cleared = ready.layout.model
    problem, routed = cleared.problem, cleared.routed
    found = delay_response(routed, cleared.assembly, cleared.clearing, _curves(cleared))
    assert found is not None
    value = np.array([routed.space.goods[name].costs.vot_usd_per_t_d for name in routed.space.names])[routed.space.commodity] / 24.0
    value = np.append(value, np.zeros(problem.market_flow_kt.shape[0] - value.shape[0]))
    every = np.arange(cleared.assembly.facility_count)
    by_hour = flow_response(problem, cleared.clearing, every, value)
    assert np.array_equal(by_hour.flow_per_h[np.ix_(found.facilities, found.facilities)], found.flow_per_h)
    step, of = 1e-3, cleared.assembly.route_of
    sharp = ClearOptions(tolerance=1e-8, aim=1e-12)
    laid_out = LaidOut(problem, sharp)
    for facility in every.tolist():
        hours = np.zeros(every.shape[0])
        hours[facility] = step
        added = np.where(of >= 0, delay_costs(routed, hours)[of], 0.0)
        ends = [
            laid_out.clear(problem.route_cost_usd_per_t + sign * added, start=cleared.clearing.row_price_usd_per_unit) for sign in (1, -1)
        ]
        flow = (ends[0].row_flow - ends[1].row_flow) / (2 * step)
        price = (ends[0].row_price_usd_per_unit - ends[1].row_price_usd_per_unit) / (2 * step)
        assert by_hour.flow_per_h[:, facility] == pytest.approx(flow, rel=1e-3, abs=1e-6 * problem.row_capacity.max())
        assert by_hour.price_per_h[:, facility] == pytest.approx(price, rel=1e-3, abs=1e-4)


def test_knowing_how_a_year_answers_changes_the_steps_and_not_the_end(futures, ready):
    moved = _moved(futures, ready, 0.9)
    market = Market()
    plain = clear_like(moved.routed.snapshot, moved, market=market, is_near=True)
    quick = clear_like(moved.routed.snapshot, moved, market=market, is_near=True, response=ready.response)
    assert quick.is_settled
    assert quick.set_flow_kt == pytest.approx(plain.set_flow_kt, rel=1e-3, abs=0.05)
    assert quick.delay_h == pytest.approx(plain.delay_h, rel=2e-3, abs=1e-2)


def test_nothing_delays_nothing_to_tell(two_ports):
    cleared = clear(Futures(ensemble_of(two_ports, years=(2024,), how=EnsembleOptions(futures=1))).prepared._without("agreed", ())[2024])
    tables = {**cleared.routed.snapshot.tables}
    for name in ("delay_curves", "road_curves"):
        tables[name] = tables[name].clear()
    assert delay_response(cleared.routed, cleared.assembly, cleared.clearing, read_curves(tables)) is None


def _curves(cleared):
    return read_curves(cleared.routed.snapshot.tables)
