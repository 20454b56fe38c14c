"""Years that futures start from: at the values of the case, with routes that hold under every set of shocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import assemble
from karvan.corridor import Corridor, Snapshot
from karvan.ensembles.definition import Ensemble, promised_cordons, scenario_of
from karvan.ensembles.factors import Shock
from karvan.ensembles.moved import Cells, cells_of, with_tables
from karvan.measures import load_scenario
from karvan.measures.apply import apply_years
from karvan.measures.changes import changed
from karvan.measures.measure import measures_of
from karvan.routing import MEASURES, RouteSets, build_graph, cordon_weights, route_space, routes_open, subset, united, widest
from karvan.routing.route_sets import Entered
from karvan.routing.uses import entries_of
from karvan.study.clear import Cleared, clear, is_remembered
from karvan.study.live import BASE, MEASURED, MONEY, compared
from karvan.study.route_memory import ROUTING_TABLES, RoutedSnapshot, RouteMemory

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

Search = tuple[str, str | None, int]
"""Plan, shock and year of a search for routes."""
UNITED, APART = "united", "apart"
"""Where the routes of a shock come from: from what was found under it alone, or from a search for every set of shocks it is in."""
_MOST_STATES = 1000
"""Years under sets of shocks that stand ready: a few tables each."""
_MOST_APART = 24
"""Years whose routes were searched for a set of shocks of their own that stand ready."""


@dataclass(frozen=True)
class Layout:
    """Routes of a year laid out.

    Attributes:
        model: The year as cleared at the values of the case, with these routes.
        tables: Tables that its space was made of.
        cordons: What the cordons that are told count of each route, by cordon; see `cordon_weights`.
        shocks: Shocks under which routes were looked for.
        has: Which routes were found without shocks, and under each of them, shape (1 + shocks, routes); None where all are meant.
        has_moved: Which routes are of a market and family whose routes a shock changes, shape (shocks, routes).
    """

    model: Cleared
    tables: Mapping[str, pl.DataFrame]
    cordons: Mapping[str, tuple[FloatArray, FloatArray]]
    shocks: tuple[str, ...] = ()
    has: BoolArray | None = None
    has_moved: BoolArray | None = None

    def chosen(self, active: Sequence[str]) -> BoolArray:
        """Routes to choose from under some of the shocks, open or not, shape (routes,): of each market and family those found under the
        shocks that change its routes, or those found without shocks.
        """
        assert self.has is not None
        assert self.has_moved is not None
        at = [self.shocks.index(name) for name in active]
        is_moved, has = self.has_moved[at], self.has[1:][at]
        return np.asarray(np.where(is_moved.any(axis=0), (has & is_moved).any(axis=0), self.has[0]))


@dataclass(frozen=True)
class Ready:
    """A year of a plan at the values of the case.

    Attributes:
        snapshot: The year.
        layout: Its routes.
        cells: Its cells that factors move.
    """

    snapshot: Snapshot
    layout: Layout
    cells: Cells


@dataclass(frozen=True)
class State:
    """A year of a plan under a set of shocks.

    Attributes:
        ready: The year to start from.
        layout: Its routes.
        is_open: Routes of the layout that may be taken, None for all.
        snapshot: The year with the shocks.
        cells: Its cells that factors move.
    """

    ready: Ready
    layout: Layout
    is_open: BoolArray | None
    snapshot: Snapshot
    cells: Cells


class Prepared:
    """Years of an ensemble's plans, each prepared when it is first asked for.

    Under a set of shocks the routes of a market and family are those found under each shock of it alone that changes them, in the nearest
    of three years, and else those found without shocks, as far as they are open under the set: searches do not grow with the number of
    sets. A shock that changes the network otherwise than by opening, closing and prices has routes looked for with every set it is in.

    Args:
        ensemble: The ensemble.
        folder: Where routes of years are kept, for other workers and later ensembles; None keeps them nowhere.
    """

    def __init__(self, ensemble: Ensemble, folder: Path | None = None) -> None:
        self.ensemble, self.folder = ensemble, folder
        self.shocks = {item.shock_id: item for item in ensemble.unknowns.shocks}
        corridor = ensemble.corridor
        self._scenarios = {plan: scenario_of(corridor, plan, ensemble.options) for plan in ensemble.plans}
        self._history, self._measures = load_scenario(corridor.manifest.history, corridor), measures_of(corridor)
        self._cordons = {corridor.manifest.headline_cordon} | {
            name for told in promised_cordons(ensemble).values() for name, _ in told.values()
        }
        self._plain: dict[tuple[str, tuple[str, ...]], Mapping[int, Snapshot]] = {}
        self._kinds: dict[tuple[str, str, int], str] = {}
        self._ready: dict[tuple[str, int], Ready] = {}
        self._wide: dict[tuple[str, int], Layout] = {}
        self._apart: OrderedDict[tuple[str, tuple[str, ...], int], Ready] = OrderedDict()
        self._states: OrderedDict[tuple[str, tuple[str, ...], int], State] = OrderedDict()
        self._single: dict[tuple[str, str, int], RouteSets] = {}
        self._may: dict[tuple[str, tuple[str, ...], int], npt.NDArray[np.uint8]] = {}

    def base_year(self) -> Ready:
        """The base year of the case's history."""
        return self._year("", (), self.ensemble.corridor.manifest.base_year)

    def state(self, plan: str, active: tuple[str, ...], year: int) -> State:
        """A year of a plan under shocks."""
        key = (plan, active, year)
        if key not in self._states:
            self._states[key] = self._found(plan, active, year)
            if len(self._states) > _MOST_STATES:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return self._states[key]

    def searches(self) -> list[Search]:
        """Plan, shock and year of each search that every set of shocks rests on; the base year that is fitted again has plan ''."""
        corridor, found = self.ensemble.corridor, list[Search]()
        if not corridor.tables["calibration_targets"].is_empty():
            found.append(("", None, corridor.manifest.base_year))
        for plan in self.ensemble.plans:
            found += [(plan, None, year) for year in self.ensemble.years]
            found += [(plan, shock, year) for shock in self.shocks for year in self._sampled(plan, shock)]
        return found

    def search(self, search: Search) -> None:
        """Make one of the searches and leave its routes in the folder, unless they are there."""
        plan, shock, year = search
        snapshot = self._snapshot(plan, () if shock is None else (shock,), year)
        price = self.ensemble.corridor.manifest.co2_price_usd_per_t
        if not is_remembered(snapshot, routes=RouteMemory(folder=self.folder), co2_price_usd_per_t=price):
            self._cleared(snapshot)

    def _found(self, plan: str, active: tuple[str, ...], year: int) -> State:
        kinds = {name: self._kind(plan, name, year) for name in active}
        changing = tuple(name for name in active if kinds[name] != BASE)
        apart = changing if APART in kinds.values() else ()
        ready = self._year(plan, apart, year)
        snapshot = self._snapshot(plan, active, year) if active != apart else ready.snapshot
        is_alike = all(snapshot.tables[name].height == ready.snapshot.tables[name].height for name, _ in ready.cells.places)
        cells = ready.cells if is_alike else cells_of(snapshot, self.ensemble.corridor, self.ensemble.unknowns.factors)
        if apart or not changing:
            return State(ready, ready.layout, None, snapshot, cells)
        return State(ready, self._united(plan, year), self._open(plan, changing, year), snapshot, cells)

    def _open(self, plan: str, changing: tuple[str, ...], year: int) -> BoolArray:
        """Routes of a year that may be taken under shocks that change routes."""
        layout, key = self._united(plan, year), (plan, changing, year)
        routed = layout.model.routed
        if key not in self._may:
            snapshot = self._snapshot(plan, changing, year)
            is_open = layout.chosen(changing) & routes_open(routed.space, routed.sets, snapshot.tables, snapshot.state_date)
            self._may[key] = np.packbits(is_open)
        return np.unpackbits(self._may[key], count=routed.sets.route_count).astype(np.bool_)

    def _year(self, plan: str, apart: tuple[str, ...], year: int) -> Ready:
        """A year at the values of the case, with its own routes."""
        if not apart:
            if (plan, year) not in self._ready:
                self._ready[plan, year] = self._made(self._snapshot(plan, (), year))
            return self._ready[plan, year]
        key = (plan, apart, year)
        if key not in self._apart:
            self._apart[key] = self._made(self._snapshot(plan, apart, year))
            if len(self._apart) > _MOST_APART:
                self._apart.popitem(last=False)
        self._apart.move_to_end(key)
        return self._apart[key]

    def _made(self, snapshot: Snapshot) -> Ready:
        cleared = self._cleared(snapshot)
        cells = cells_of(snapshot, self.ensemble.corridor, self.ensemble.unknowns.factors)
        layout = Layout(cleared, snapshot.tables, self._weights(snapshot.tables, cleared.routed.sets))
        return Ready(snapshot, layout, cells)

    def _cleared(self, snapshot: Snapshot) -> Cleared:
        price = self.ensemble.corridor.manifest.co2_price_usd_per_t
        cleared = clear(snapshot, routes=RouteMemory(folder=self.folder), co2_price_usd_per_t=price, is_strict=False)
        return replace(cleared, routed=replace(cleared.routed, sets=_narrow(cleared.routed.sets), rest_of=_let_go))

    def _weights(self, tables: Mapping[str, pl.DataFrame], sets: RouteSets) -> dict[str, tuple[FloatArray, FloatArray]]:
        """What the cordons that are told count of each route, apart from what all cordons count."""
        every = cordon_weights(tables, sets)
        return {name: (every[name][0].copy(), every[name][1].copy()) for name in sorted(self._cordons & every.keys())}

    def _united(self, plan: str, year: int) -> Layout:
        """A year with its routes and those found under each shock alone."""
        if (plan, year) not in self._wide:
            self._wide[plan, year] = self._widened(plan, self._year(plan, (), year), year)
            if all((plan, other) in self._wide for other in self.ensemble.years if self._united_in(plan, other)):
                self._single = {key: sets for key, sets in self._single.items() if key[0] != plan}  # all years have them by now
        return self._wide[plan, year]

    def _widened(self, plan: str, ready: Ready, year: int) -> Layout:
        shocks = self._united_in(plan, year)
        tables = widest(ready.snapshot.tables, [self._snapshot(plan, (name,), year).tables for name in shocks])
        price = self.ensemble.corridor.manifest.co2_price_usd_per_t
        space = route_space(build_graph(tables), tables, date=ready.snapshot.state_date, co2_price_usd_per_t=price)
        model = ready.layout.model
        at = [min(self._sampled(plan, name), key=lambda other: abs(other - year)) for name in shocks]
        alone = [self._alone(plan, name, other) for name, other in zip(shocks, at, strict=True)]
        beside = [self._year(plan, (), other).layout.model.routed.sets for other in at]
        every, entries, has = united(space, [model.routed.sets, *alone, *beside])
        found, before = has[: 1 + len(shocks)], has[1 + len(shocks) :]
        nest = every.route_market * len(every.family_ids) + every.route_family
        moved = np.array([np.isin(nest, nest[here != there]) for here, there in zip(found[1:], before, strict=True)])
        is_kept: BoolArray = np.asarray(found.any(axis=0))
        sets, entries = subset(space, every, is_kept), entries_of(entries, is_kept)
        sets = _narrow(sets)
        routed = RoutedSnapshot(ready.snapshot, space, _let_go, sets, entries)
        model = replace(model, routed=routed, assembly=assemble(tables, sets, entries, space.runs))
        return Layout(model, tables, self._weights(tables, sets), shocks, found[:, is_kept], moved[:, is_kept])

    def _united_in(self, plan: str, year: int) -> tuple[str, ...]:
        """Shocks that can be active in a year and change its routes."""
        return tuple(name for name in self.shocks if year in self._span(name) and self._kind(plan, name, year) == UNITED)

    def _span(self, shock: str) -> range:
        """Years in which a shock can be active: as drawn, or as futures that are written out have it."""
        item = self.shocks[shock]
        written = [int(row[shock]) for row in self.ensemble.explicit if row.get(shock) is not None]
        begins = written if self.ensemble.explicit else [item.first_year, item.last_year]
        return range(min(begins), max(begins) + item.lasts_count) if begins else range(0)

    def _alone(self, plan: str, shock: str, year: int) -> RouteSets:
        """Routes found under a shock alone."""
        if (plan, shock, year) not in self._single:
            self._single[plan, shock, year] = self._cleared(self._snapshot(plan, (shock,), year)).routed.sets
        return self._single[plan, shock, year]

    def _sampled(self, plan: str, shock: str) -> list[int]:
        """First, middle and last year in which a shock can be active and changes routes."""
        years = [year for year in self.ensemble.years if year in self._span(shock) and self._kind(plan, shock, year) == UNITED]
        return sorted({years[0], years[len(years) // 2], years[-1]}) if years else []

    def _kind(self, plan: str, shock: str, year: int) -> str:
        """Where the routes of a shock come from: those of the year (`BASE`), `UNITED` or `APART`."""
        key = (plan, shock, year)
        if key not in self._kinds:
            plain, now = self._snapshot(plan, (), year).tables, self._snapshot(plan, (shock,), year).tables
            if not _keeps_free(now, plain):
                self._kinds[key] = APART
            elif compared(now, plain) in (BASE, MEASURED):
                self._kinds[key] = BASE
            else:
                self._kinds[key] = UNITED if _has_its_network(now, plain) else APART
        return self._kinds[key]

    def _snapshot(self, plan: str, active: tuple[str, ...], year: int) -> Snapshot:
        """A year of a plan, `''` for the history, under shocks at the values of the case."""
        shocks: list[Shock] = [self.shocks[name] for name in active]
        ends = tuple(sorted({name for shock in shocks for name in shock.ends}))
        plain = self._without(plan, ends)[year]
        begun = dict.fromkeys(name for shock in shocks for name in shock.measures)
        tables = dict(plain.tables)
        for name in begun:
            if not self._holds(plan, name, year):
                for change in self._measures[name].changes:
                    tables = changed(tables, change, 1.0)
        return with_tables(plain, tables) if begun else plain

    def _holds(self, plan: str, measure: str, year: int) -> bool:
        """Whether a plan has a measure in force in a year anyway."""
        return any(item.measure.id == measure and item.is_in_force(date(year, 7, 1)) for item in self._scenarios[plan].dated)

    def _without(self, plan: str, ends: tuple[str, ...]) -> Mapping[int, Snapshot]:
        """Years of a plan without some of its measures."""
        if (plan, ends) not in self._plain:
            corridor: Corridor = self.ensemble.corridor
            scenario, years = self._history, [corridor.manifest.base_year]
            if plan:
                own = self._scenarios[plan]
                scenario = replace(own, dated=tuple(item for item in own.dated if item.measure.id not in ends))
                years = list(self.ensemble.years)
            self._plain[plan, ends] = {item.year: item for item in apply_years(scenario, corridor, years)}
        return self._plain[plan, ends]


def _keeps_free(now: Mapping[str, pl.DataFrame], plain: Mapping[str, pl.DataFrame]) -> bool:
    """Whether what costs nothing goes on to cost nothing, so that rates can be moved in proportion."""
    rates = [tables["tariffs"]["rate"].to_numpy() == 0.0 for tables in (now, plain)]
    return rates[0].shape == rates[1].shape and bool((rates[0] == rates[1]).all())


def _has_its_network(now: Mapping[str, pl.DataFrame], plain: Mapping[str, pl.DataFrame]) -> bool:
    """Whether tables differ from others, as far as routes go, in what is open or permitted and in numbers only, row by row."""
    for name in (*ROUTING_TABLES, "facilities", "demand"):
        if name == "permissions" or now[name] is plain[name]:
            continue
        may: Sequence[str] = (*MONEY.get(name, ()), *MEASURES.get(name, ()), *_OF_ROWS.get(name, ()))
        kept = [column for column in plain[name].columns if column not in may and column not in _EVIDENCE]
        if not now[name].select(kept).equals(plain[name].select(kept)):
            return False
    return True


_EVIDENCE = ("note", "source", "confidence", "name")
_OF_ROWS: Mapping[str, tuple[str, ...]] = {
    "links": ("is_open",),
    "terminals": ("is_open",),
    "demand": ("flow_kt",),
    "facilities": ("nominal", "availability_share", "payload_share", "peak_factor", "other_load"),
}
"""What may differ in rows that are the same otherwise."""


def _narrow(sets: RouteSets) -> RouteSets:
    """The routes with their arcs in half the bytes: they are most of what a worker holds, and of what it reads."""
    return replace(sets, route_arc=sets.route_arc.astype(np.int32))


def _let_go() -> Entered:
    """Routes at rest of a year that keeps none; a memory would keep every year's."""
    raise LookupError("routes at rest were let go")
