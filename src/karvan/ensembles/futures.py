"""One future: a scenario's years under drawn values and shocks, on routes that are known."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from karvan.assignment import FixedPointOptions, stored_constants
from karvan.corridor import Corridor, Snapshot
from karvan.ensembles.designs import Design
from karvan.ensembles.factors import Unknowns, drawn
from karvan.ensembles.moved import Cells, Growth, Proven, cells_of, moved, proven, with_growth, with_proven, with_tables
from karvan.errors import ConvergenceError, KarvanError
from karvan.measures import Scenario, load_scenario, with_measures, without_measures
from karvan.measures.apply import apply_years
from karvan.measures.changes import changed
from karvan.measures.measure import measures_of
from karvan.routing import arc_flows, arc_rates, at_rest, entered, operator_revenue, redrawn, remeasured
from karvan.routing.route_sets import Entered
from karvan.study.accounts import society_kusd
from karvan.study.calibrate import refitted
from karvan.study.clear import Cleared, Market, answers, clear, clear_like, settle
from karvan.study.delay_loop import DelayResponse
from karvan.study.live import SEARCHED, compared
from karvan.study.options import ScenarioOptions, code_hash, prepare
from karvan.study.route_memory import RouteMemory
from karvan.study.works import appraisal_values, carbon_price
from karvan.study.year import link_flows
from karvan.sums import weighted_sum

OK = "ok"
HEADLINES = ("corridor_mt", "containers_teu", "crude_mt", "welfare_musd", "rent_musd")
"""What is kept of every year of every future."""
_CORDON_METRICS = {"cordon_mt": 1e3, "cordon_kt": 1.0}
GAP_EVERY = 64
"""Of so many futures one is cleared again with routes looked for anew, in one year, to tell what those left out would change."""
_MOST_SHOCKED = 24
"""Years under shocks that stand ready, beside those of the plans."""
_OUT = "no-"
_MARKET = Market(tolerance=1e-5, aim=1e-5, delays=FixedPointOptions(relative=0.01, absolute=0.05))
"""How well years of futures are cleared: a hundred thousandth of a flow, and delays to a hundredth, which is what they need."""


@dataclass(frozen=True)
class Ensemble:
    """All that an ensemble's futures depend on.

    Attributes:
        corridor: The corridor, with what is laid over it.
        plans: Scenarios, each perhaps with measures added and `no-` measures taken out, joined by '+'; all see the same draws.
        years: Calendar years.
        unknowns: What is drawn.
        design: How futures are spread.
        explicit: Futures written out, by factor or shock, in place of a design.
        detail_years: Years of which links and income by country are kept, too.
        options: Measures added or taken out of every plan.
    """

    corridor: Corridor
    plans: tuple[str, ...]
    years: tuple[int, ...]
    unknowns: Unknowns
    design: Design
    explicit: tuple[Mapping[str, Any], ...] = ()
    detail_years: tuple[int, ...] = ()
    options: ScenarioOptions = field(default_factory=ScenarioOptions)

    @cached_property
    def id(self) -> str:
        """Hash of what every future depends on, so that futures of the same ensemble can be told from others."""
        design = asdict(self.design)
        if self.design.kind == "sobol":
            del design["count"]  # more futures of it are the same ensemble
        told = [
            self.corridor.hash, self.plans, self.years, [asdict(item) for item in self.unknowns.factors],
            [asdict(item) for item in self.unknowns.shocks], design, [dict(row) for row in self.explicit], self.detail_years,
            self.options.with_measures, self.options.without_measures, code_hash(),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode("utf-8")).hexdigest()[:16]

    @property
    def count(self) -> int:
        """Number of futures."""
        return len(self.explicit) if self.explicit else self.design.count

    def draw(self, index: int) -> tuple[list[float], dict[str, int]]:
        """Value of each factor and years in which shocks begin, in a future."""
        if not self.explicit:
            return drawn(self.unknowns, self.design.point(index).tolist())
        row = self.explicit[index]
        values = [item.value if row.get(item.name) is None else float(row[item.name]) for item in self.unknowns.factors]
        begun = {item.shock_id: int(row[item.shock_id]) for item in self.unknowns.shocks if row.get(item.shock_id) is not None}
        return values, begun


@dataclass(frozen=True)
class _Ready:
    """A year of a plan at the values of the case."""

    snapshot: Snapshot
    cleared: Cleared
    cells: Cells
    response: DelayResponse | None


@dataclass(frozen=True)
class _Fit:
    """What a future takes from its base year: capacities raised to what was carried, and the tables of a fit."""

    raised: Proven
    tables: Mapping[str, pl.DataFrame]


class Futures:
    """Futures of an ensemble; what they share is prepared once and let go when it was not used for long.

    What a future gives depends on the ensemble and its number alone.

    Args:
        ensemble: The ensemble.
        folder: Where routes of years are kept, for other workers and later ensembles; None keeps them nowhere.
    """

    def __init__(self, ensemble: Ensemble, folder: Path | None = None) -> None:
        self.ensemble, self.folder = ensemble, folder
        self._ready: OrderedDict[tuple[str, tuple[str, ...], tuple[str, ...], int], _Ready] = OrderedDict()
        self._plain: dict[tuple[str, tuple[str, ...]], Mapping[int, Snapshot]] = {}
        self._searched: dict[tuple[str, str, int], bool] = {}
        self._shocks = {item.shock_id: item for item in ensemble.unknowns.shocks}
        corridor = ensemble.corridor
        self._scenarios = {plan: scenario_of(corridor, plan, ensemble.options) for plan in ensemble.plans}
        self._history = load_scenario(corridor.manifest.history, corridor)
        self._columns = columns_of_futures(ensemble)
        self._measures = measures_of(corridor)
        self._growth = Growth(corridor, ensemble.unknowns.factors, ensemble.years)
        self._links = corridor.tables["links"]["link_id"].sort().to_list()
        self._values = appraisal_values(corridor) if has_money(corridor) else None

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
        ready = self._year("", (), (), corridor.manifest.base_year)
        tables = moved(ready.snapshot, ready.cells, factors, values)
        raised = proven(tables, ready.snapshot.tables, ready.cleared)
        return _Fit(raised, refitted(_on(ready, with_proven(tables, raised)), targets))

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
        before: tuple[_Ready, Cleared] | None = None
        gap_year = next((year for year in self.ensemble.detail_years if year >= 2030), self.ensemble.years[-1])
        for year in self.ensemble.years:
            active = tuple(name for name, first in begun.items() if first <= year < first + self._shocks[name].lasts_count)
            ready, snapshot, cells = self._standing(plan, active, year)
            tables = with_proven(moved(snapshot, cells, self.ensemble.unknowns.factors, values), fit.raised) | dict(fit.tables)
            if growth:
                tables = with_growth(tables, growth[year])
            model = _leaning(_on(ready, tables), before)
            cleared = clear_like(with_tables(snapshot, tables), model, market=_MARKET, is_near=True, response=ready.response)
            before = ready, cleared
            told |= self._told(cleared, ready, year)
            told["unsettled_count"] += 0 if cleared.is_settled else 1
            if year == gap_year and index % GAP_EVERY == 0:
                told["route_gap_mt"] = abs(_headline_mt(searched(cleared), manifest.headline_cordon) - told[f"corridor_mt_{year}"])
        return told

    def _standing(self, plan: str, active: tuple[str, ...], year: int) -> tuple[_Ready, Snapshot, Cells]:
        """A year whose routes hold under the shocks, and the year with them."""
        ends = tuple(sorted({name for shock in active for name in self._shocks[shock].ends}))
        plain = self._snapshots(plan, ends)[year]
        begun = tuple(dict.fromkeys(name for shock in active for name in self._shocks[shock].measures))
        begun = tuple(name for name in begun if not self._holds(plan, name, year))
        anew = tuple(name for name in begun if self._changes_routes(plan, name, year))
        ready = self._year(plan, ends, anew, year)
        if anew == begun:
            return ready, ready.snapshot, ready.cells
        snapshot = self._with(plain, begun)
        is_alike = all(snapshot.tables[name].height == ready.snapshot.tables[name].height for name, _ in ready.cells.places)
        cells = ready.cells if is_alike else cells_of(snapshot, self.ensemble.corridor, self.ensemble.unknowns.factors)
        return ready, snapshot, cells

    def _holds(self, plan: str, measure: str, year: int) -> bool:
        """Whether a plan has a measure in force in a year anyway."""
        dated = self._scenarios[plan].dated
        return any(item.measure.id == measure and item.is_in_force(date(year, 7, 1)) for item in dated)

    def _changes_routes(self, plan: str, measure: str, year: int) -> bool:
        key = (plan, measure, year)
        if key not in self._searched:
            plain = self._snapshots(plan, ())[year]
            self._searched[key] = compared(self._with(plain, (measure,)).tables, plain.tables) == SEARCHED
        return self._searched[key]

    def _with(self, snapshot: Snapshot, measures: Sequence[str]) -> Snapshot:
        """A year with measures in force throughout."""
        tables = dict(snapshot.tables)
        for name in measures:
            for change in self._measures[name].changes:
                tables = changed(tables, change, 1.0)
        return with_tables(snapshot, tables)

    def _snapshots(self, plan: str, ends: tuple[str, ...]) -> Mapping[int, Snapshot]:
        """Years of a plan without some of its measures."""
        if (plan, ends) not in self._plain:
            corridor = self.ensemble.corridor
            if plan:
                own = self._scenarios[plan]
                scenario = replace(own, dated=tuple(item for item in own.dated if item.measure.id not in ends))
                years: Sequence[int] = self.ensemble.years
            else:
                scenario, years = self._history, [corridor.manifest.base_year]
            self._plain[plan, ends] = {item.year: item for item in apply_years(scenario, corridor, years)}
        return self._plain[plan, ends]

    def _year(self, plan: str, ends: tuple[str, ...], begun: tuple[str, ...], year: int) -> _Ready:
        """A year at the values of the case, with its routes."""
        key = (plan, ends, begun, year)
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        snapshot = self._with(self._snapshots(plan, ends)[year], begun)
        price = self.ensemble.corridor.manifest.co2_price_usd_per_t
        cleared = clear(snapshot, routes=RouteMemory(folder=self.folder), co2_price_usd_per_t=price, is_strict=False)
        cleared = replace(cleared, routed=replace(cleared.routed, rest_of=_let_go))  # a memory would keep every year's routes at rest
        cells = cells_of(snapshot, self.ensemble.corridor, self.ensemble.unknowns.factors)
        self._ready[key] = _Ready(snapshot, cleared, cells, answers(cleared))
        most = _MOST_SHOCKED + len(self.ensemble.years) * len(self.ensemble.plans) + 1
        while len(self._ready) > most:
            self._ready.popitem(last=False)
        return self._ready[key]

    def _told(self, cleared: Cleared, ready: _Ready, year: int) -> dict[str, Any]:
        manifest = self.ensemble.corridor.manifest
        cordons, sets, flow = ready.cleared.routed.cordons, cleared.routed.sets, cleared.set_flow_kt
        kt, kteu = cordons[manifest.headline_cordon]
        is_crude = np.array([name == manifest.crude_commodity for name in sets.market_commodity], dtype=np.bool_)
        told: dict[str, Any] = {
            f"corridor_mt_{year}": weighted_sum(flow, kt) / 1e3,
            f"containers_teu_{year}": weighted_sum(flow, kteu) * 1e3,
            f"crude_mt_{year}": float((flow * kt)[is_crude[sets.route_market]].sum()) / 1e3,
            f"welfare_musd_{year}": float(cleared.clearing.welfare_kusd) / 1e3,
            f"rent_musd_{year}": float(cleared.clearing.rent_kusd) / 1e3,
        }
        if self._values is not None:
            external, price = self.ensemble.corridor.tables["external_costs"], carbon_price(self.ensemble.corridor, None, year)
            told[f"society_musd_{year}"] = society_kusd(cleared, self._values, external, price) / 1e3
        for name, (cordon, per) in _promised_cordons(self.ensemble).get(year, {}).items():
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
        country_of = dict(tables["operators"].select("operator_id", "country").iter_rows())
        income: dict[str, float] = {}
        for operator, kusd in operator_revenue(tables, arc_rates(space, tables), arc_flow).items():
            if country_of[operator] is not None:
                income[country_of[operator]] = income.get(country_of[operator], 0.0) + kusd / 1e3
        rent: dict[str, float] = {}
        price = np.maximum(cleared.row_price[: cleared.assembly.facility_count], 0.0)
        earned = price * cleared.clearing.row_flow[: cleared.assembly.facility_count] / 1e3
        for operator, musd in zip(tables["facilities"]["operator_id"].to_list(), earned.tolist(), strict=True):
            if country_of.get(operator) is not None:
                rent[country_of[operator]] = rent.get(country_of[operator], 0.0) + musd
        told: dict[str, Any] = {f"links_kt_{year}": [on_link.get(name, 0.0) for name in self._links]}
        told |= {f"income_musd_{country}_{year}": value for country, value in income.items()}
        return told | {f"scarcity_musd_{country}_{year}": value for country, value in rent.items()}


def scenario_of(corridor: Corridor, plan: str, options: ScenarioOptions) -> Scenario:
    """The scenario of a plan: its id, measures added, `no-` measures taken out, joined by '+'.

    Raises:
        MeasureError: The scenario or a measure is unknown or does not fit.
    """
    name, *parts = [part.strip() for part in plan.split("+")]
    scenario = prepare(corridor, name, replace(options, set_values=(), overlay=None)).scenario
    out = [part.removeprefix(_OUT) for part in parts if part.startswith(_OUT)]
    added = [part for part in parts if not part.startswith(_OUT)]
    scenario = without_measures(scenario, out) if out else scenario
    return with_measures(scenario, corridor, added) if added else scenario


def has_money(corridor: Corridor) -> bool:
    """Whether a case holds what an appraisal needs: values, a rate, a carbon price."""
    return all(corridor.tables[name].height for name in ("appraisal_values", "discount_rates", "carbon_prices"))


def searched(cleared: Cleared) -> Cleared:
    """A cleared market with every route that its prices call for, looked for anew."""
    routed = cleared.routed
    rest = entered(routed.space, routed.sets, at_rest(routed.space, stored_constants(routed.snapshot.tables)), entries=routed.entries)
    return settle(replace(routed, rest_of=lambda: rest, sets=rest.sets, entries=rest.entries), Market())


def _let_go() -> Entered:
    """Routes at rest of a year that keeps none."""
    raise LookupError("routes at rest were let go")


def _headline_mt(cleared: Cleared, cordon: str) -> float:
    return weighted_sum(cleared.set_flow_kt, cleared.routed.cordons[cordon][0]) / 1e3


def _on(ready: _Ready, tables: Mapping[str, pl.DataFrame]) -> Cleared:
    """The cleared year with its routes at the costs of other tables."""
    routed = ready.cleared.routed
    space = redrawn(routed.space, tables, before=ready.snapshot.tables)
    if space is not routed.space:
        routed = replace(routed, space=space, sets=remeasured(space, routed.sets))
    return replace(ready.cleared, routed=replace(routed, snapshot=with_tables(ready.snapshot, tables)))


def _leaning(model: Cleared, before: tuple[_Ready, Cleared] | None) -> Cleared:
    """A year at the values of the case to start from, its prices and delays moved by as much as this future moved those of the year before.

    The first year starts from the case alone, so that nothing comes from another future.
    """
    if before is None:
        return model
    case, future = before[0].cleared, before[1]
    names = [each.routed.snapshot.tables["facilities"]["facility_id"] for each in (model, case, future)]
    prices = [each.clearing.row_price_usd_per_unit for each in (model, case, future)]
    if not (names[0].equals(names[1]) and names[0].equals(names[2]) and prices[0].shape == prices[1].shape == prices[2].shape):
        return model
    clearing = replace(model.clearing, row_price_usd_per_unit=prices[0] + prices[2] - prices[1])
    return replace(model, clearing=clearing, delay_h=model.delay_h + future.delay_h - case.delay_h, is_settled=True)


def _promised_cordons(ensemble: Ensemble) -> dict[int, dict[str, tuple[str, float]]]:
    """Cordons that promises are held against: by year, column to cordon and kilotonnes per unit."""
    found: dict[int, dict[str, tuple[str, float]]] = {}
    for row in ensemble.corridor.tables["commitments"].iter_rows(named=True):
        if row["metric"] in _CORDON_METRICS and row["year"] in ensemble.years and row["target"] is not None:
            found.setdefault(row["year"], {})[f"{row['commitment_id']}_{row['year']}"] = (row["element_id"], _CORDON_METRICS[row["metric"]])
    return found


def columns_of_futures(ensemble: Ensemble) -> dict[str, Any]:
    """Columns of the rows of futures and their types."""
    countries = sorted({name for name in ensemble.corridor.tables["operators"]["country"] if name is not None})
    columns: dict[str, Any] = {"future": pl.Int64(), "plan": pl.String(), "status": pl.String()}
    columns |= {f"{name}_{year}": pl.Float64() for name in HEADLINES for year in ensemble.years}
    if has_money(ensemble.corridor):
        columns |= {f"society_musd_{year}": pl.Float64() for year in ensemble.years}
    columns |= {name: pl.Float64() for names in _promised_cordons(ensemble).values() for name in names}
    for year in ensemble.detail_years:
        columns |= {f"{kind}_{country}_{year}": pl.Float64() for kind in ("income_musd", "scarcity_musd") for country in countries}
        columns[f"links_kt_{year}"] = pl.List(pl.Float64())
    return columns | {"route_gap_mt": pl.Float64(), "unsettled_count": pl.Int64()}


_FAILURES = (KarvanError, ArithmeticError, ValueError, LookupError)
"""What a future may fail of; it is then a row with its reason."""


def _reason(error: Exception) -> str:
    kind = "did not converge: " if isinstance(error, ConvergenceError) else ""
    return (kind + str(error)).splitlines()[0][:300]
