"""One future: a scenario's years under drawn values and shocks, on routes that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import FixedPointOptions, MarketProblem, stored_constants
from karvan.corridor import Snapshot
from karvan.ensembles.definition import OK, Ensemble, columns_of_futures, has_money, operator_countries, promised_cordons
from karvan.ensembles.moved import Growth, Proven, moved, proven, with_growth, with_proven, with_tables
from karvan.ensembles.prepared import Layout, Prepared, Ready, Search, State
from karvan.errors import ConvergenceError, KarvanError
from karvan.routing import (
    arc_flows,
    arc_rates,
    at_rest,
    build_graph,
    entered,
    operator_revenue,
    redrawn,
    remeasured,
    route_space,
    subset,
    united,
)  # fmt: skip
from karvan.study.accounts import society_kusd
from karvan.study.calibrate import refitted
from karvan.study.clear import Cleared, Market, clear_like, settle
from karvan.study.route_memory import RoutedSnapshot
from karvan.study.works import appraisal_values, carbon_price
from karvan.study.year import link_flows
from karvan.sums import weighted_sum

GAP_EVERY = 64
"""Of so many futures one is cleared again with more routes looked for, in one year, to tell what those left out would change."""
_MARKET = Market(tolerance=1e-5, aim=1e-5, delays=FixedPointOptions(relative=0.01, absolute=0.05))
"""How well years of futures are cleared: a hundred thousandth of a flow, and delays to a hundredth, which is what they need."""


@dataclass(frozen=True)
class _Fit:
    """What a future takes from its base year: capacities raised to what was carried, and the tables of a fit."""

    raised: Proven
    tables: Mapping[str, pl.DataFrame]


class Futures:
    """Futures of an ensemble; what they share is prepared once.

    What a future gives depends on the ensemble and its number alone.

    Args:
        ensemble: The ensemble.
        folder: Where routes of years are kept, for other workers and later ensembles; None keeps them nowhere.
    """

    def __init__(self, ensemble: Ensemble, folder: Path | None = None) -> None:
        self.ensemble, self.prepared = ensemble, Prepared(ensemble, folder)
        corridor = ensemble.corridor
        self._columns = columns_of_futures(ensemble)
        self._growth = Growth(corridor, ensemble.unknowns.factors, ensemble.years)
        self._links = corridor.tables["links"]["link_id"].sort().to_list()
        self._values = appraisal_values(corridor) if has_money(corridor) else None
        self._carbon = {} if self._values is None else {year: carbon_price(corridor, None, year) for year in ensemble.years}

    def make(self, part: Search) -> None:
        """Make one of the searches for routes that futures share; see `Prepared.searches`."""
        self.prepared.search(part)

    def outcomes(self, index: int) -> list[dict[str, Any]]:
        """Rows of a future, one by plan: future, plan, status (`ok` or why it failed), and what is kept of its years."""
        ensemble = self.ensemble
        values, begun = ensemble.draw(index)
        try:
            fit = self._refit(values)
        except _FAILURES as error:
            reason = f"base year: {_reason(error)}"
            return [self._row(index, plan, reason, {}) for plan in ensemble.plans]
        growth = self._growth.over_stored(values)
        rows = []
        for plan in ensemble.plans:
            try:
                told = self._outlook(plan, index, values, begun, fit, growth)
            except _FAILURES as error:
                rows.append(self._row(index, plan, _reason(error), {}))
            else:
                rows.append(self._row(index, plan, OK, told))
        return rows

    def _row(self, index: int, plan: str, status: str, told: Mapping[str, Any]) -> dict[str, Any]:
        return {name: told.get(name) for name in self._columns} | {"future": index, "plan": plan, "status": status}

    def _refit(self, values: Sequence[float]) -> _Fit:
        """What makes the base year of this future what was observed."""
        corridor, factors = self.ensemble.corridor, self.ensemble.unknowns.factors
        targets = corridor.tables["calibration_targets"]
        if targets.is_empty():
            return _Fit(Proven({}, {}), {})
        ready = self.prepared.base_year()
        tables = moved(ready.snapshot, ready.cells, factors, values)
        raised = proven(tables, ready.snapshot.tables, ready.layout.model)
        return _Fit(raised, refitted(_on(ready.layout, None, with_tables(ready.snapshot, with_proven(tables, raised))), targets))

    def _outlook(
        self,
        plan: str,
        index: int,
        values: Sequence[float],
        begun: Mapping[str, int],
        fit: _Fit,
        growth: Mapping[int, Mapping[str, float]],
    ) -> dict[str, Any]:
        told: dict[str, Any] = {"unsettled_count": 0}
        manifest = self.ensemble.corridor.manifest
        shocks = self.prepared.shocks
        before: tuple[Ready, Cleared] | None = None
        gap_year = next((year for year in self.ensemble.detail_years if year >= 2030), self.ensemble.years[-1])
        for year in self.ensemble.years:
            active = tuple(name for name, first in begun.items() if first <= year < first + shocks[name].lasts_count)
            state = self.prepared.state(plan, active, year)
            snapshot = self._drawn(state, values, fit, growth.get(year))
            model = _leaning(_on(state.layout, state.is_open, snapshot), before)
            cleared = clear_like(snapshot, model, market=_MARKET, is_near=True, is_alike=True)
            before = state.ready, cleared
            told |= self._told(cleared, state.layout, year)
            told["unsettled_count"] += 0 if cleared.is_settled else 1
            if year == gap_year and index % GAP_EVERY == 0:
                whole = _headline_mt(searched(cleared, manifest.co2_price_usd_per_t), manifest.headline_cordon)
                told["route_gap_mt"] = abs(whole - told[f"corridor_mt_{year}"])
        return told

    def _drawn(self, state: State, values: Sequence[float], fit: _Fit, growth: Mapping[str, float] | None) -> Snapshot:
        """A year under shocks with drawn values."""
        tables = with_proven(moved(state.snapshot, state.cells, self.ensemble.unknowns.factors, values), fit.raised) | dict(fit.tables)
        return with_tables(state.snapshot, tables if growth is None else with_growth(tables, growth))

    def _told(self, cleared: Cleared, layout: Layout, year: int) -> dict[str, Any]:
        manifest = self.ensemble.corridor.manifest
        cordons, sets, flow = layout.cordons, cleared.routed.sets, cleared.set_flow_kt
        kt, kteu = cordons[manifest.headline_cordon]
        is_crude = np.array([name == manifest.crude_commodity for name in sets.market_commodity], dtype=np.bool_)
        at_base = surplus_at_base_kusd(cleared.problem)
        told: dict[str, Any] = {
            f"corridor_mt_{year}": weighted_sum(flow, kt) / 1e3,
            f"containers_teu_{year}": weighted_sum(flow, kteu) * 1e3,
            f"crude_mt_{year}": float((flow * kt)[is_crude[sets.route_market]].sum()) / 1e3,
            f"welfare_musd_{year}": (float(cleared.clearing.welfare_kusd) - at_base) / 1e3,
            f"rent_musd_{year}": float(cleared.clearing.rent_kusd) / 1e3,
        }
        if self._values is not None:
            external = self.ensemble.corridor.tables["external_costs"]
            told[f"society_musd_{year}"] = (society_kusd(cleared, self._values, external, self._carbon[year]) - at_base) / 1e3
        for name, (cordon, per) in promised_cordons(self.ensemble).get(year, {}).items():
            told[name] = weighted_sum(flow, cordons[cordon][0]) / per
        if year in self.ensemble.detail_years:
            told |= self._detail(cleared, year)
        return told

    def _detail(self, cleared: Cleared, year: int) -> dict[str, Any]:
        """Flow by link, income of operators and rent of facilities by country, and which facilities are full."""
        tables, space = cleared.routed.snapshot.tables, cleared.routed.space
        arc_flow = arc_flows(space, cleared.routed.sets, cleared.set_flow_kt)
        links = link_flows(cleared)
        on_link = dict(zip(links["link_id"], (links["forward_kt"] + links["backward_kt"]).to_list(), strict=True))
        country_of = operator_countries(tables)
        income: dict[str, float] = {}
        for operator, kusd in operator_revenue(tables, arc_rates(space, tables), arc_flow).items():
            if operator in country_of:
                income[country_of[operator]] = income.get(country_of[operator], 0.0) + kusd / 1e3
        rent: dict[str, float] = {}
        price = np.maximum(cleared.row_price[: cleared.assembly.facility_count], 0.0)
        earned = price * cleared.clearing.row_flow[: cleared.assembly.facility_count] / 1e3
        for operator, musd in zip(tables["facilities"]["operator_id"].to_list(), earned.tolist(), strict=True):
            if operator in country_of:
                rent[country_of[operator]] = rent.get(country_of[operator], 0.0) + musd
        told: dict[str, Any] = {f"links_kt_{year}": [on_link.get(name, 0.0) for name in self._links]}
        told |= {f"income_musd_{country}_{year}": value for country, value in income.items()}
        return told | {f"scarcity_musd_{country}_{year}": value for country, value in rent.items()}


def searched(cleared: Cleared, co2_price_usd_per_t: float) -> Cleared:
    """A cleared market with every route beside its own that its prices call for, looked for in its own network.

    Args:
        cleared: The market.
        co2_price_usd_per_t: Carbon price in route choice.
    """
    snapshot, own = cleared.routed.snapshot, cleared.routed.sets
    tables, price = snapshot.tables, co2_price_usd_per_t
    space = route_space(build_graph(tables), tables, date=snapshot.state_date, co2_price_usd_per_t=price)
    sets, entries, _ = united(space, [own if own.is_open is None else subset(cleared.routed.space, own, own.is_open)])
    rest = entered(space, sets, at_rest(space, stored_constants(tables)), entries=entries)
    return settle(RoutedSnapshot(snapshot, space, lambda: rest, rest.sets, rest.entries), Market())


def surplus_at_base_kusd(problem: MarketProblem) -> float:
    """What the formula of surplus gives markets with elastic demand at their cost of the base year, kUSD.

    It is no gain of anybody, grows without limit as an elasticity nears one, and differs between plans that differ in goods to be moved.
    What is told of futures is what lies above it: the integral of demand from the base year's cost to the year's.
    """
    sigma = problem.market_elasticity
    is_power = (sigma > 0.0) & (sigma != 1.0)
    size = problem.market_factor * problem.market_flow_kt * (problem.market_price_usd_per_t + problem.market_base_cost_usd_per_t)
    return float((size[is_power] / (sigma[is_power] - 1.0) / problem.market_price_weight[is_power]).sum())


def _headline_mt(cleared: Cleared, cordon: str) -> float:
    return weighted_sum(cleared.set_flow_kt, cleared.routed.cordons[cordon][0]) / 1e3


def _on(layout: Layout, is_open: npt.NDArray[np.bool_] | None, snapshot: Snapshot) -> Cleared:
    """A cleared year with its routes at the costs of another's tables, some of them shut."""
    routed = layout.model.routed
    space, sets = redrawn(routed.space, snapshot.tables, before=layout.tables), routed.sets
    if is_open is not None:
        sets = replace(sets, is_open=is_open)
    if space is not routed.space:
        sets = remeasured(space, sets)
    return replace(layout.model, routed=replace(routed, snapshot=snapshot, space=space, sets=sets))


def _leaning(model: Cleared, before: tuple[Ready, Cleared] | None) -> Cleared:
    """A year at the values of the case to start from, its prices and delays moved by as much as this future moved those of the year before.

    The first year starts from the case alone, so that nothing comes from another future.
    """
    if before is None:
        return model
    case, future = before[0].layout.model, before[1]
    names = [each.routed.snapshot.tables["facilities"]["facility_id"] for each in (model, case, future)]
    prices = [each.clearing.row_price_usd_per_unit for each in (model, case, future)]
    if not (names[0].equals(names[1]) and names[0].equals(names[2]) and prices[0].shape == prices[1].shape == prices[2].shape):
        return model
    clearing = replace(model.clearing, row_price_usd_per_unit=prices[0] + prices[2] - prices[1])
    return replace(model, clearing=clearing, delay_h=model.delay_h + future.delay_h - case.delay_h, is_settled=True)


_FAILURES = (KarvanError, ArithmeticError, ValueError, LookupError)
"""What a future may fail of; it is then a row with its reason."""


def _reason(error: Exception) -> str:
    kind = "did not converge: " if isinstance(error, ConvergenceError) else ""
    return (kind + str(error)).splitlines()[0][:300]
