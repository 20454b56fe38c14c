"""The market as a function of which projects are open: one program of a year in which each project adds capacity, opens routes or makes
them cheaper.

Capacities add up, K(z) = K0 + sum of what each project adds. The cost of a route is that with all projects open, and more by what each
project that is not open would save on it; a route that needs a link which a closed project opens costs a prohibitive amount. Routes are
those found with all projects and those found with none. A set is worth what the market gives with the delays and overlaps that follow from
it; what bounds all sets is the market at the delays without projects, which is concave, and what delays and overlaps change is told beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.assignment import Clearing, ClearOptions, MarketProblem, assemble, flows_at, with_capacity
from karvan.assignment import clear as clear_market
from karvan.corridor import Corridor, Snapshot
from karvan.measures import Measure, Scenario
from karvan.measures.apply import apply
from karvan.measures.scenario import DatedMeasure
from karvan.routing import RouteSets, RouteSpace, arc_flows, measured, remeasured, route_space, united
from karvan.routing.graph import LINK
from karvan.study.accounts import border_arcs
from karvan.study.clear import clear
from karvan.study.delay_loop import delay_costs
from karvan.study.plan_accounts import Beside
from karvan.study.plan_delays import Answering, row_capacity
from karvan.study.route_memory import RoutedSnapshot, RouteMemory

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_CLOSED_USD_PER_T = 1e5
_FAR_FACTOR = 1e3
_SMALL_USD_PER_T = 1e-9
_MONEY_AND_TIME = ("links", "terminals", "tariffs", "region_places")
_OPTIONS = ClearOptions(tolerance=1e-6, aim=1e-8)
_LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True)
class YearWorth:
    """What a set of open projects is worth in a year beyond none, million USD.

    Attributes:
        welfare: Of the market at the delays without projects and with overlaps of all routes.
        slope: Its bounds, see `Worth`, shape (projects,).
        beside: What accounts count beside the market's welfare.
        delays: What delays and overlaps that follow from the set change in the market's welfare.
        charged: What each operator charges, all of it, shape (operators,).
    """

    welfare: float
    slope: FloatArray
    beside: float
    delays: float
    charged: FloatArray


@dataclass(frozen=True)
class YearMarket:
    """A year's program and what each project does in it.

    Attributes:
        problem: The program with all projects open and no capacity of theirs, without delays.
        capacity: What each project adds to each row, thousands of its unit, shape (projects, rows).
        saving: What each project saves on each route, USD/t; zero where it does nothing, shape (projects, routes).
        is_gated: The route needs a link that the project opens, shape (projects, routes).
        start: Prices to start from.
        cordons: Kilotonnes and kTEU counted per kt of each route, by cordon, each of shape (routes,).
        route_goods: Goods of each route, empty for empties.
        operators: Ids of operators.
        charged_kusd: What each operator charges, posts at borders left out, thousand USD, shape (operators,), from the flow of each
            route, kt.
        beside_usd_per_t: What a tonne on each route brings in profits and border charges less what it costs neighbours and the climate,
            with all projects open, shape (routes,).
        beside_more_usd_per_t: By how much that is more where a project is not open, by its place; charges differ then.
        delay_usd_per_t: What delays without projects cost on each route, shape (routes,).
        answering: How delays and overlaps answer to what is open.
        known: What was worked out before.
    """

    problem: MarketProblem
    capacity: FloatArray
    saving: FloatArray
    is_gated: BoolArray
    start: FloatArray
    cordons: Mapping[str, tuple[FloatArray, FloatArray]]
    route_goods: tuple[str, ...]
    operators: tuple[str, ...]
    charged_kusd: Callable[[FloatArray], FloatArray]
    beside_usd_per_t: FloatArray
    beside_more_usd_per_t: Mapping[int, FloatArray]
    delay_usd_per_t: FloatArray
    answering: Answering
    known: dict[tuple[str, bytes], Any] = field(default_factory=dict, repr=False)

    @property
    def acts(self) -> BoolArray:
        """Projects that change anything, shape (projects,)."""
        return np.asarray((self.capacity != 0.0).any(axis=1) | (self.saving > 0.0).any(axis=1) | self.is_gated.any(axis=1), dtype=np.bool_)

    def is_of_goods(self, commodity_group: str) -> BoolArray:
        """Routes of some goods, shape (routes,)."""
        return np.array([name == commodity_group for name in self.route_goods], dtype=np.bool_)

    def undelayed_cost(self, is_open: BoolArray) -> FloatArray:
        """Cost of each route without delays, USD/t, shape (routes,)."""
        closed = ~is_open
        cost = self.problem.route_cost_usd_per_t + self.saving[closed].sum(axis=0)
        return np.where(self._shut(is_open), _CLOSED_USD_PER_T, cost)

    def cost(self, is_open: BoolArray) -> FloatArray:
        """Cost of each route with the delays without projects, USD/t, shape (routes,)."""
        return self.undelayed_cost(is_open) + self.delay_usd_per_t

    def limits(self, is_open: BoolArray) -> FloatArray:
        """Capacity of each row, shape (rows,)."""
        found: FloatArray = self.problem.row_capacity + self.capacity[is_open].sum(axis=0)
        return np.maximum(found, 0.0)

    def cleared(self, is_open: BoolArray) -> Clearing:
        """The program with some projects open, solved at the delays without any."""
        program = replace(with_capacity(self.problem, self.limits(is_open)), route_cost_usd_per_t=self.cost(is_open))
        return clear_market(program, start=self.start, options=_OPTIONS)

    def answered(self, is_open: BoolArray, prices: FloatArray) -> Clearing:
        """The program with some projects open, solved with the delays and overlaps that follow from them, and the capacities as they are
        together.

        Args:
            is_open: Which projects are open, shape (projects,).
            prices: Prices to start from, shape (rows,).
        """
        size = self._once("path size", is_open & self._opens, lambda: self.answering.path_size(self._shut(is_open)))
        return self.answering.cleared(is_open, self.undelayed_cost(is_open), size, prices)

    @property
    def nothing(self) -> Clearing:
        """The program without projects, solved with its delays and overlaps."""
        none = np.zeros(self.saving.shape[0], dtype=np.bool_)
        found: Clearing = self._once("nothing", none, lambda: self.answered(none, self.start))
        return found

    def _more_kusd(self, is_open: BoolArray, answered: Clearing) -> float:
        """What new ways gain more than plain path sizes say, see `NewWays`."""
        opens = is_open & self._opens
        if not opens.any():
            return 0.0
        shut, without = self._shut(is_open), self._shut(np.zeros_like(is_open))
        ways = self._once("new ways", opens, lambda: self.answering.new_ways(shut, without & ~shut))
        return float(ways.more_kusd(self.problem, answered.route_cost_usd_per_t).sum())

    def _shut(self, is_open: BoolArray) -> BoolArray:
        """Routes on ways that are not open, shape (routes,)."""
        return np.asarray(self.is_gated[~is_open].any(axis=0), dtype=np.bool_)

    @property
    def _opens(self) -> BoolArray:
        """Projects that open ways, shape (projects,)."""
        return np.asarray(self.is_gated.any(axis=1))

    def _once(self, name: str, about: BoolArray, work: Callable[[], Any]) -> Any:
        key = (name, about.tobytes())
        if key not in self.known:
            self.known[key] = work()  # whoever comes meanwhile finds the same
        return self.known[key]

    def beside(self, is_open: BoolArray, route_flow_kt: FloatArray) -> float:
        """What accounts count beside the market's welfare, million USD: profits, border charges, externalities, carbon dioxide."""
        per_t = self.beside_usd_per_t + sum((more for place, more in self.beside_more_usd_per_t.items() if not is_open[place]), 0.0)
        return float(per_t @ route_flow_kt) / 1e3

    def unbounded(self, is_open: BoolArray) -> tuple[float, float]:
        """What has no bounds, beyond that without projects, million USD: what accounts count beside the market's welfare, and what delays
        and overlaps change in that welfare.
        """
        cleared = self.cleared(is_open)
        return self._unbounded(is_open, cleared, self._own(is_open, cleared.row_price_usd_per_unit))

    def _own(self, is_open: BoolArray, prices: FloatArray) -> Clearing:
        return self.answered(is_open, prices) if is_open.any() else self.nothing

    def _unbounded(self, is_open: BoolArray, cleared: Clearing, answered: Clearing) -> tuple[float, float]:
        none, nothing = np.zeros_like(is_open), self.nothing
        bounded = cleared.welfare_kusd - self._without.welfare_kusd
        gained = answered.welfare_kusd - nothing.welfare_kusd + self._more_kusd(is_open, answered)
        beside = self.beside(is_open, answered.route_flow_kt) - self.beside(none, nothing.route_flow_kt)
        return beside, (gained - bounded) / 1e3

    @property
    def _without(self) -> Clearing:
        """The program without projects, at its delays and with overlaps of all routes."""
        none = np.zeros(self.saving.shape[0], dtype=np.bool_)
        found: Clearing = self._once("without", none, lambda: self.cleared(none))
        return found

    def worth(self, is_open: BoolArray) -> YearWorth:
        """Worth of a set of open projects and its bounds.

        The market's welfare is the least, over prices, of surplus at those prices and what they make of capacities. At the prices of this
        set it therefore bounds welfare of every other from above, delays being the same. There capacities count in proportion, and what
        opening or cheapening routes can add lies between its gain where rivals are at their best and where they are at their worst:
        families of a nested logit are substitutes, so that the gain of a route falls with what its rivals offer and grows with what other
        projects do for itself.

        Args:
            is_open: Which projects are open, shape (projects,).
        """
        cleared = self.cleared(is_open)
        prices = cleared.row_price_usd_per_unit
        finite = np.where(np.isfinite(self.capacity), self.capacity, 0.0)
        slope = finite @ prices
        for project in np.flatnonzero((self.saving > 0.0).any(axis=1) | self.is_gated.any(axis=1)).tolist():
            slope[project] += self._least(project, prices) if is_open[project] else self._most(project, prices)
        answered = self._own(is_open, prices)
        beside, delays = self._unbounded(is_open, cleared, answered)
        welfare = (cleared.welfare_kusd - self._without.welfare_kusd) / 1e3
        return YearWorth(welfare, slope / 1e3, beside, delays, self.charged_kusd(answered.route_flow_kt) / 1e3)

    def _touched(self, project: int) -> tuple[BoolArray, BoolArray]:
        return self.is_gated[project], (self.saving[project] > 0.0) & ~self.is_gated[project]

    def _most(self, project: int, prices: FloatArray) -> float:
        """Most that a project can add at given prices whatever else is open, kUSD."""
        gated, cut = self._touched(project)
        everything, nothing = np.ones(self.saving.shape[0], dtype=np.bool_), np.zeros(self.saving.shape[0], dtype=np.bool_)
        best, worst = self.cost(everything), self.cost(nothing)
        own = np.where(gated | cut, best, worst)
        gain = 0.0
        if gated.any():
            gain += self._surplus(own, prices) - self._surplus(np.where(gated, _CLOSED_USD_PER_T, own), prices)
        if cut.any():
            gain += float((self._flow(own, prices, cut) * self._by_market(self.saving[project], cut, np.maximum, 0.0)).sum())
        return gain

    def _least(self, project: int, prices: FloatArray) -> float:
        """Least that a project adds at given prices whatever else is open, kUSD."""
        gated, cut = self._touched(project)
        others = np.zeros(self.saving.shape[0], dtype=np.bool_)
        others[project] = True
        best, alone = self.cost(np.ones(self.saving.shape[0], dtype=np.bool_)), self.cost(others)
        own = np.where(gated | cut, alone, best)
        gain = 0.0
        if gated.any():
            gain += self._surplus(own, prices) - self._surplus(np.where(gated, _CLOSED_USD_PER_T, own), prices)
        if cut.any():
            dear = np.where(cut, own + self.saving[project], own)
            gain += float((self._flow(dear, prices, cut) * self._by_market(self.saving[project], cut, np.minimum, np.inf)).sum())
        return gain

    def _surplus(self, cost: FloatArray, prices: FloatArray) -> float:
        at = flows_at(replace(self.problem, route_cost_usd_per_t=cost), prices)
        return float(at.consumer_surplus_kusd.sum())

    def _flow(self, cost: FloatArray, prices: FloatArray, chosen: BoolArray) -> FloatArray:
        """Flow of chosen routes by market, shape (markets,)."""
        at = flows_at(replace(self.problem, route_cost_usd_per_t=cost), prices)
        flow = np.where(chosen, at.route_flow_kt, 0.0)
        return np.bincount(self._market_of_route(), weights=flow, minlength=self.problem.market_flow_kt.shape[0]).astype(np.float64)

    def _by_market(self, values: FloatArray, chosen: BoolArray, of: np.ufunc, none: float) -> FloatArray:
        found = np.full(self.problem.market_flow_kt.shape[0], none)
        of.at(found, self._market_of_route()[chosen], values[chosen])
        return np.where(np.isfinite(found), found, 0.0)

    def _market_of_route(self) -> IntArray:
        nests = np.repeat(np.arange(self.problem.market_theta.shape[0]), np.diff(self.problem.market_first_family))
        return np.repeat(nests, np.diff(self.problem.family_first_route))


def with_some(base: Scenario, chosen: Sequence[Measure]) -> Scenario:
    """A scenario with projects that have long been open."""
    dated = tuple(DatedMeasure(item, _LONG_AGO, None) for item in chosen)
    return replace(base, dated=(*base.dated, *dated))


def year_market(
    corridor: Corridor, base: Scenario, projects: Sequence[Measure], year: int, memory: RouteMemory, beside: Beside | None = None
) -> YearMarket:
    """The program of a year in which projects may be open.

    Args:
        corridor: The corridor.
        base: The scenario without them.
        projects: The projects, those that others require before them.
        year: Calendar year.
        memory: Routes to share.
        beside: What accounts count beside the market's welfare; None: nothing.
    """
    price = corridor.manifest.co2_price_usd_per_t
    position = {item.id: place for place, item in enumerate(projects)}

    def with_projects(chosen: Sequence[Measure]) -> Snapshot:
        return apply(with_some(base, chosen), corridor, year=year)

    def with_open(is_open: BoolArray) -> Snapshot:
        return with_projects([item for item, is_in in zip(projects, is_open, strict=True) if is_in])

    none, everything = with_projects(()), with_projects(projects)
    without = [with_projects([other for other in projects if other is not item]) for item in projects]
    opened = [_opened(snapshot, everything) for snapshot in without]
    shared = _far(_as_built(none, everything), everything, np.any(opened, axis=0) if opened else np.zeros(0, dtype=np.bool_))
    full = clear(everything, routes=memory, co2_price_usd_per_t=price, is_strict=False)
    bare = clear(shared, routes=memory, co2_price_usd_per_t=price, is_strict=False)
    space = full.routed.space
    sets, entries, _ = united(space, [full.routed.sets, bare.routed.sets])
    assembly = assemble(everything.tables, sets, entries, space.runs)
    routed = RoutedSnapshot(everything, space, lambda: full.routed.rest, sets, entries)
    of = assembly.route_of
    rows = assembly.problem.row_capacity.shape[0]
    capacity = np.zeros((len(projects), rows))
    saving = np.zeros((len(projects), of.shape[0]))
    is_gated = np.zeros((len(projects), of.shape[0]), dtype=np.bool_)
    is_border = border_arcs(full)
    counted = np.zeros(of.shape[0]) if beside is None else beside.of_routes(routed, is_border, assembly)
    counted_more: dict[int, FloatArray] = {}
    for place, (item, snapshot) in enumerate(zip(projects, without, strict=True)):
        needed = [projects[position[name]] for name in _needed(item, {other.id: other for other in projects})]
        capacity[place] = row_capacity(with_projects([*needed, item]), assembly) - row_capacity(with_projects(needed), assembly)
        if opened[place].any():
            gates = _on_links(space, sets, opened[place])
            is_gated[place] = np.where(of >= 0, gates[of], False)
        if any(not snapshot.tables[name].equals(everything.tables[name]) for name in _MONEY_AND_TIME):
            like = _as_built(snapshot, everything)
            other = route_space(measured(space.graph, like.tables), like.tables, date=like.state_date, co2_price_usd_per_t=price)
            at_its_cost = remeasured(other, sets)
            dearer = assemble(like.tables, at_its_cost, entries, space.runs).problem.route_cost_usd_per_t
            more = np.maximum(dearer - assembly.problem.route_cost_usd_per_t, 0.0)
            saving[place] = np.where(more > _SMALL_USD_PER_T, more, 0.0)
            if beside is not None:
                other_routed = replace(routed, snapshot=like, space=other, sets=at_its_cost)
                counted_more[place] = beside.of_routes(other_routed, is_border, assembly) - counted
    start_problem = with_capacity(assembly.problem, row_capacity(none, assembly))
    rates = np.where(is_border, 0.0, routed.rates.rate_usd_per_t)
    operators = tuple(everything.tables["operators"]["operator_id"].to_list())
    payee = space.graph.arc_operator

    def charged(flow: FloatArray) -> FloatArray:
        on_set = np.bincount(of[of >= 0], weights=flow[of >= 0], minlength=sets.route_count).astype(np.float64)
        paid = (rates * arc_flows(space, sets, on_set)).sum(axis=0)
        found: FloatArray = np.bincount(payee[payee >= 0], weights=paid[payee >= 0], minlength=len(operators)).astype(np.float64)
        return found

    goods = (*assembly.market_commodity, "")
    names = tuple(goods[min(market, len(goods) - 1)] for market in assembly.market_of_route.tolist())

    def on_program(values: FloatArray) -> FloatArray:
        return np.where(of >= 0, values[of], 0.0)

    return YearMarket(
        problem=start_problem,
        capacity=capacity,
        saving=saving,
        is_gated=is_gated,
        start=bare.clearing.row_price_usd_per_unit,
        cordons={name: (on_program(tonnes), on_program(boxes)) for name, (tonnes, boxes) in routed.cordons.items()},
        route_goods=names,
        operators=operators,
        charged_kusd=charged,
        beside_usd_per_t=counted,
        beside_more_usd_per_t={place: more for place, more in counted_more.items() if (np.abs(more) > _SMALL_USD_PER_T).any()},
        delay_usd_per_t=on_program(delay_costs(routed, bare.delay_h)),
        answering=Answering(with_open, routed, assembly, bare.delay_h, _OPTIONS),
    )


def _needed(item: Measure, known: Mapping[str, Measure]) -> list[str]:
    """Projects that a project requires, those that they require before them."""
    found: list[str] = []
    for name in item.requires:
        if name in known:
            found += [other for other in (*_needed(known[name], known), name) if other not in found]
    return found


def _opened(without: Snapshot, everything: Snapshot) -> BoolArray:
    """Links that a project opens, shape (links,)."""
    return np.asarray(everything.tables["links"]["is_open"].to_numpy() & ~without.tables["links"]["is_open"].to_numpy(), dtype=np.bool_)


def _as_built(snapshot: Snapshot, everything: Snapshot) -> Snapshot:
    """A snapshot with the network of another: what is open and allowed there is so here, at its own times and charges."""
    tables = dict(snapshot.tables)
    for name in ("links", "terminals"):
        tables[name] = tables[name].with_columns(everything.tables[name]["is_open"])
    for name in ("permissions", "facility_uses"):
        tables[name] = everything.tables[name]
    notes = everything.tables["links"]["note"]
    tables["links"] = tables["links"].with_columns(notes)
    return replace(snapshot, tables=MappingProxyType(tables))


def _far(snapshot: Snapshot, everything: Snapshot, opened: BoolArray) -> Snapshot:
    """A snapshot in which links that projects open are too far to be used."""
    links = snapshot.tables["links"]
    time = np.where(opened, everything.tables["links"]["time_h"].to_numpy() * _FAR_FACTOR, links["time_h"].to_numpy())
    return replace(snapshot, tables=MappingProxyType({**snapshot.tables, "links": links.with_columns(time_h=time)}))


def _on_links(space: RouteSpace, sets: RouteSets, opened: BoolArray) -> BoolArray:
    """Routes that use one of some links, shape (routes of the sets,)."""
    graph = space.graph
    is_link = graph.arc_kind == LINK
    is_on = is_link & opened[np.where(is_link, graph.arc_element, 0)]
    if sets.route_count == 0:
        return np.zeros(0, dtype=np.bool_)
    return np.asarray(np.maximum.reduceat(is_on[sets.route_arc], sets.route_first_arc[:-1]), dtype=np.bool_)
