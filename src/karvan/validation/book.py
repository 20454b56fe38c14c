"""The ledger of a saved run as arrays, with the corridor's tables of each of its years."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor, Snapshot
from karvan.measures import Scenario
from karvan.measures.apply import apply_years
from karvan.results import SavedRun
from karvan.schema import GAUGES, LOADING_UNITS, MODES

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Tables = Mapping[str, pl.DataFrame]

LINK, TERMINAL, ACCESS = 0, 1, 2
KINDS = ("link", "terminal", "access")
COMPONENTS = ("tariff", "handling", "time", "waiting", "reliability", "co2")
MARKET_KEY = ("market_id", "origin_node", "destination_node")
NOT_SHIPPED = "not_shipped"
CONTAINER = LOADING_UNITS.index("container")


def sums(places: IntArray, weights: FloatArray, count: int) -> FloatArray:
    """Sum of weights at each place, shape (count,)."""
    return np.asarray(np.bincount(places, weights=weights, minlength=count), dtype=np.float64)


@dataclass(frozen=True)
class Steps:
    """Steps of routes; places, modes, gauges and units are -1 for the ends of markets.

    Attributes:
        kind: Position in KINDS, shape (steps,).
        element: Ids of link, terminal or row of region_places.
        is_backward: shape (steps,).
        before, after: Positions in LOADING_UNITS, shape (steps,).
        tail, head: Positions in `states`, shape (steps,).
        states: Names of states.
        state_place: Position in `places`, shape (states,).
        state_mode, state_gauge, state_unit: Positions in MODES, GAUGES and LOADING_UNITS, shape (states,).
        state_passed: What was passed last on a passage with border posts; empty for others.
        places: Names of places.
    """

    kind: IntArray
    element: tuple[str, ...]
    is_backward: BoolArray
    before: IntArray
    after: IntArray
    tail: IntArray
    head: IntArray
    states: tuple[str, ...]
    state_place: IntArray
    state_mode: IntArray
    state_gauge: IntArray
    state_unit: IntArray
    state_passed: tuple[str, ...]
    places: Mapping[str, int]

    @property
    def count(self) -> int:
        """Number of steps."""
        return int(self.kind.shape[0])

    @cached_property
    def by_element(self) -> Mapping[tuple[int, str], IntArray]:
        """Steps by kind and element."""
        found: dict[tuple[int, str], list[int]] = {}
        for step, key in enumerate(zip(self.kind.tolist(), self.element, strict=True)):
            found.setdefault(key, []).append(step)
        return {key: np.array(steps, dtype=np.int64) for key, steps in found.items()}

    def of(self, kind: int, element: str) -> IntArray:
        """Steps on an element."""
        return self.by_element.get((kind, element), np.zeros(0, dtype=np.int64))

    @cached_property
    def _place_names(self) -> tuple[str, ...]:
        return tuple(self.places.keys())

    def place_of(self, state: int) -> str:
        """Place of a state."""
        name: str = self._place_names[int(self.state_place[state])]
        return name

    def say(self, step: int) -> str:
        """What a step is called."""
        return f"{KINDS[self.kind[step]]} {self.element[step]}{' backward' if self.is_backward[step] else ''}"


@dataclass(frozen=True)
class Epoch:
    """Routes of years that share a network, and what they cost.

    Attributes:
        routes: Route ids, in order of market and family, shape (routes,).
        market, nest: Market, and number of market and family from 0 up, shape (routes,).
        nest_market, nest_family: Of each nest, shape (nests,).
        nest_first: First route of each nest, shape (nests,).
        first, step: Steps of the routes, shapes (routes + 1,), (steps taken,).
        place: Where each step taken stands among those of all routes.
        route_of_step: Position in `routes` of each step taken.
        cell: Commodity and step of each step taken: commodity x number of steps + step.
        components: The six components, USD/t, shape (routes, 6).
        path_size: shape (routes,).
    """

    routes: IntArray
    market: IntArray
    nest: IntArray
    nest_market: IntArray
    nest_family: IntArray
    nest_first: IntArray
    first: IntArray
    step: IntArray
    place: IntArray
    route_of_step: IntArray
    cell: IntArray
    components: FloatArray
    path_size: FloatArray


@dataclass(frozen=True)
class Year:
    """One cleared year of a case.

    Attributes:
        case: scenario or baseline.
        snapshot: The corridor's tables of that year.
        epoch_number: Key of its epoch.
        epoch: Its routes.
        flow, delay: kt and USD/t, in the order of the epoch's routes.
        markets: Rows of market_results, in the order of the book's markets (rows missing there are null).
        rows: Rows of row_results.
    """

    case: str
    snapshot: Snapshot
    epoch_number: int
    epoch: Epoch
    flow: FloatArray
    delay: FloatArray
    markets: pl.DataFrame
    rows: pl.DataFrame

    @property
    def tables(self) -> Tables:
        """The corridor's tables of that year."""
        return self.snapshot.tables

    @property
    def when(self) -> str:
        """Year and case as readers are told."""
        return f"in {self.snapshot.year} ({self.case})"

    def column(self, name: str) -> FloatArray:
        """A column of market_results, shape (markets,)."""
        return np.array(self.markets[name].to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class Book:
    """Routes, markets and years of a run.

    Attributes:
        corridor: The corridor, with the run's options laid over it.
        saved: The run.
        steps: Steps of routes.
        first, step: Steps of all routes by route id, shapes (routes + 1,), (steps taken,).
        market, family: Positions in `markets` and `families`, shape (routes,).
        markets: Market, origin node, destination node, sorted.
        traits: Columns of the markets' rows of `demand`: origin_region, destination_region, commodity_group, form, block.
        commodities: Names of commodity positions.
        commodity: Position in `commodities`, shape (markets,).
        families: Names of family positions, sorted.
        years: Cleared years.
    """

    corridor: Corridor
    saved: SavedRun
    steps: Steps
    first: IntArray
    step: IntArray
    market: IntArray
    family: IntArray
    markets: tuple[tuple[str, str, str], ...]
    traits: Mapping[str, tuple[Any, ...]]
    commodities: tuple[str, ...]
    commodity: IntArray
    families: tuple[str, ...]
    years: tuple[Year, ...]
    memory: Memory

    @cached_property
    def route_of_step(self) -> IntArray:
        """Route of each step taken."""
        return np.repeat(np.arange(self.market.shape[0]), np.diff(self.first))

    @cached_property
    def nest_and_step(self) -> IntArray:
        """A number that tells market, family and step of each step taken apart, from 0 up."""
        nest = self.market * len(self.families) + self.family
        _, found = np.unique(nest[self.route_of_step] * self.steps.count + self.step, return_inverse=True)
        return np.asarray(found, dtype=np.int64)

    @cached_property
    def _by_step(self) -> tuple[IntArray, IntArray]:
        order = np.argsort(self.step.astype(np.int32), kind="stable")
        first = np.append(0, np.cumsum(np.bincount(self.step, minlength=self.steps.count)))
        return self.route_of_step[order], first

    def taking(self, steps: IntArray) -> BoolArray:
        """Routes that take any of some steps, shape (routes,)."""
        routes, first = self._by_step
        found = np.zeros(self.market.shape[0], dtype=np.bool_)
        for step in steps.tolist():
            found[routes[first[step] : first[step + 1]]] = True
        return found

    def routes_with(self, steps: IntArray) -> IntArray:
        """Routes that take any of some steps, rising."""
        return np.flatnonzero(self.taking(steps))

    def say_route(self, route: int) -> str:
        """What a route is called."""
        market, origin, destination = self.markets[self.market[route]]
        return f"route {route} of {market} ({origin} to {destination}, family {self.families[self.family[route]]})"

    def say_market(self, market: int) -> str:
        """What a market is called."""
        name, origin, destination = self.markets[market]
        return f"market {name} ({origin} to {destination})"

    def trait(self, name: str) -> npt.NDArray[np.object_]:
        """A column of the markets' rows of `demand`, shape (markets,)."""
        return self._trait_arrays[name]

    @cached_property
    def _trait_arrays(self) -> Mapping[str, npt.NDArray[np.object_]]:
        return {name: np.array(values, dtype=np.object_) for name, values in self.traits.items()}

    def row_dicts(self, tables: Tables, name: str) -> list[dict[str, Any]]:
        """Rows of a table; read once for tables of the same content."""
        frame = tables[name]
        found: list[dict[str, Any]] = self.memory.once(("dicts", name, *self.memory.key(tables, (name,))), frame.to_dicts)
        return found


class Memory:
    """Remembers what was worked out from tables, so that years and cases whose tables are alike share it."""

    def __init__(self) -> None:
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._answers: dict[Hashable, Any] = {}

    def key(self, tables: Tables, names: tuple[str, ...]) -> tuple[int, ...]:
        """Numbers that are the same for tables of the same content."""
        return tuple(self._number(name, tables[name]) for name in names)

    def _number(self, name: str, frame: pl.DataFrame) -> int:
        known = self._frames.setdefault(name, [])
        for number, other in enumerate(known):
            if other is frame:
                return number
        for number, other in enumerate(known):
            if other.equals(frame):
                return number
        known.append(frame)
        return len(known) - 1

    def knows(self, key: Hashable) -> bool:
        """Whether the answer for a key is known."""
        return key in self._answers

    def once(self, key: Hashable, work: Any, *arguments: Any) -> Any:
        """What a function gives, worked out once for each key."""
        if key not in self._answers:
            self._answers[key] = work(*arguments)
        return self._answers[key]


def read_book(saved: SavedRun, corridor: Corridor, scenarios: Mapping[str, Scenario]) -> tuple[Book | None, list[str]]:
    """The ledger of a run as arrays, or None with what makes it unreadable.

    Args:
        saved: The run.
        corridor: Its corridor, with the run's options laid over it.
        scenarios: Scenario of each case.
    """
    frames = {name: saved.frame(name) for name in ("route_steps", "routes", "route_costs", "route_flows", "market_results", "row_results")}
    steps_frame, routes = frames["route_steps"], frames["routes"].sort("route_id")
    wanted_years = [int(year["year"]) for year in saved.report["years"]]
    problems = _problems(frames, scenarios, wanted_years)
    if problems:
        return None, problems
    steps = _steps(steps_frame)
    length = routes["steps"].list.len().to_numpy().astype(np.int64)
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    step = routes["steps"].explode().to_numpy().astype(np.int64)
    keys = frames["market_results"].select(MARKET_KEY).unique().sort(MARKET_KEY)
    markets = tuple(keys.iter_rows())
    numbered = keys.with_row_index("market")
    market = routes.join(numbered, on=MARKET_KEY, how="left", validate="m:1", maintain_order="left")["market"].to_numpy().astype(np.int64)
    families = tuple(sorted(set(routes["family_id"])))
    family = routes["family_id"].replace_strict({name: code for code, name in enumerate(families)}, return_dtype=pl.Int64).to_numpy()
    snapshots = {
        (case, snapshot.year): snapshot
        for case, scenario in scenarios.items()
        for snapshot in apply_years(scenario, corridor, wanted_years)
    }
    traits, problems = _traits(markets, [snapshot.tables["demand"] for snapshot in snapshots.values()])
    if problems:
        return None, problems
    commodities = tuple(sorted(set(traits["commodity_group"])))
    commodity = np.array([commodities.index(name) for name in traits["commodity_group"]], dtype=np.int64)
    epochs = {
        int(number): _epoch(costs, market=market, family=family, first=first, step=step, cell_base=commodity[market] * steps.count)
        for (number,), costs in frames["route_costs"].partition_by("epoch", as_dict=True, maintain_order=True).items()
    }
    by_year = {
        name: frames[name].partition_by(["case", "year"], as_dict=True, maintain_order=True)
        for name in ("route_flows", "market_results", "row_results")
    }
    years = []
    for (case, calendar), snapshot in snapshots.items():
        flows = by_year["route_flows"].get((case, calendar), frames["route_flows"].clear())
        number = int(flows["epoch"][0]) if flows.height else int(next(iter(epochs)))
        epoch = epochs[number]
        placed = np.full(market.shape[0], -1, dtype=np.int64)
        placed[flows["route_id"].to_numpy()] = np.arange(flows.height)
        order = placed[epoch.routes]
        if flows.height != epoch.routes.shape[0] or (order < 0).any():
            wanted = f"the {epoch.routes.shape[0]:,} of epoch {number}"
            return None, [f"route_flows holds {flows.height:,} routes in {calendar} ({case}), must hold {wanted}"]
        results = numbered.join(by_year["market_results"][case, calendar], on=MARKET_KEY, how="left", validate="1:1", maintain_order="left")
        years.append(
            Year(
                case=case, snapshot=snapshot, epoch_number=number, epoch=epoch, flow=flows["flow_kt"].to_numpy()[order],
                delay=flows["delay_usd_per_t"].to_numpy()[order], markets=results, rows=by_year["row_results"][case, calendar],
            )
        )  # fmt: skip
    book = Book(
        corridor=corridor, saved=saved, steps=steps, first=first, step=step, market=market, family=family, markets=markets, traits=traits,
        commodities=commodities, commodity=commodity, families=families, years=tuple(years), memory=Memory(),
    )  # fmt: skip
    return book, []


def _problems(frames: Mapping[str, pl.DataFrame], scenarios: Mapping[str, Scenario], years: list[int]) -> list[str]:
    """What makes a ledger unreadable."""
    steps, routes, costs, flows = (frames[name] for name in ("route_steps", "routes", "route_costs", "route_flows"))
    found = []
    if steps["step_no"].to_list() != list(range(steps.height)):
        found.append("route_steps: step_no must count the steps from 0")
    if routes["route_id"].sort().to_list() != list(range(routes.height)):
        found.append("routes: route_id must count the routes from 0, each once")
    lengths = routes["steps"].list.len()
    taken = routes["steps"].explode()
    if routes.height and not bool((lengths >= 2).all()):
        found.append("routes: a route has fewer than two steps; it must start and end with access to its region")
    elif routes.height and not bool(taken.is_between(0, steps.height - 1).all()):
        found.append("routes: a route takes a step that is not in route_steps")
    for name, frame in (("route_costs", costs), ("route_flows", flows)):
        if not bool(frame["route_id"].is_between(0, max(routes.height - 1, 0)).all()):
            found.append(f"{name}: holds a route that is not in routes")
    if costs.select("epoch", "route_id").is_duplicated().any():
        found.append("route_costs: a route stands there twice in one epoch")
    per_year = flows.select("case", "year", "epoch").unique()
    if per_year.select("case", "year").is_duplicated().any() or not per_year["epoch"].is_in(costs["epoch"].unique().to_list()).all():
        found.append("route_flows: every year must have one epoch, and route_costs must hold it")
    if routes.join(frames["market_results"], on=MARKET_KEY, how="anti").height:
        found.append("routes: a route's market is not in market_results")
    wanted = {(case, scenario.scenario_id, scenario.growth, year) for case, scenario in scenarios.items() for year in years}
    for name in ("market_results", "row_results", *(("route_flows",) if routes.height else ())):
        held = set(frames[name].select("case", "scenario_id", "growth", "year").unique().rows())
        if held != wanted:
            case, scenario_id, growth, year = sorted(held ^ wanted)[0]
            which = "lacks" if (case, scenario_id, growth, year) in wanted else "holds"
            found.append(f"{name}: {which} {year} of {case} ({scenario_id}, growth {growth}); must hold the years of the report")
    return found


def _steps(frame: pl.DataFrame) -> Steps:
    states = sorted(set(frame["from_state"]) | set(frame["to_state"]))
    number = {state: index for index, state in enumerate(states)}
    parts = [None if state.startswith(("origin:", "destination:")) else [*state.split("/"), ""][:5] for state in states]
    places = {name: index for index, name in enumerate(sorted({part[0] for part in parts if part is not None}))}

    def codes(position: int, words: Mapping[str, int]) -> IntArray:
        return np.array([-1 if part is None else words.get(part[position], -1) for part in parts], dtype=np.int64)

    def column(name: str, words: Mapping[str, int]) -> IntArray:
        return np.array([words.get(value, -1) for value in frame[name]], dtype=np.int64)

    modes, gauges, units = ({name: index for index, name in enumerate(words)} for words in (MODES, GAUGES, LOADING_UNITS))
    return Steps(
        kind=column("kind", {name: index for index, name in enumerate(KINDS)}), element=tuple(frame["element_id"]),
        is_backward=(frame["direction"] == "backward").to_numpy(), before=column("unit_before", units), after=column("unit_after", units),
        tail=column("from_state", number), head=column("to_state", number), states=tuple(states), state_place=codes(0, places),
        state_mode=codes(1, modes), state_gauge=codes(2, gauges), state_unit=codes(3, units),
        state_passed=tuple("" if part is None else part[4] for part in parts), places=places,
    )  # fmt: skip


def _traits(markets: tuple[tuple[str, str, str], ...], demands: list[pl.DataFrame]) -> tuple[dict[str, tuple[Any, ...]], list[str]]:
    """Labels of the markets by column, and what is wrong with them."""
    columns = ("origin_region", "destination_region", "commodity_group", "form", "block")
    known: dict[str, tuple[Any, ...]] = {}
    for frame in {id(frame): frame for frame in demands}.values():
        for name, *labels in frame.select(
            "market_id", pl.col("origin_region", "destination_region", "commodity_group", "form", "block").cast(pl.String)
        ).iter_rows():
            if known.setdefault(name, tuple(labels)) != tuple(labels):
                return {}, [f"market {name} changes its regions or goods from year to year, which this check cannot follow"]
    missing = sorted({market for market, _, _ in markets} - set(known))
    if missing:
        return {}, [f"market_results: {missing[0]} is no market of the corridor"]
    return {column: tuple(known[market][index] for market, _, _ in markets) for index, column in enumerate(columns)}, []


def _epoch(costs: pl.DataFrame, *, market: IntArray, family: IntArray, first: IntArray, step: IntArray, cell_base: IntArray) -> Epoch:
    routes = costs["route_id"].to_numpy().astype(np.int64)
    order = np.lexsort((routes, family[routes], market[routes]))
    routes, costs = routes[order], costs[order]
    is_first = np.ones(routes.shape[0], dtype=np.bool_)
    is_first[1:] = (np.diff(market[routes]) != 0) | (np.diff(family[routes]) != 0)
    length = np.diff(first)[routes]
    own_first = np.append(0, np.cumsum(length)).astype(np.int64)
    of_step = np.repeat(np.arange(routes.shape[0]), length)
    place = np.arange(own_first[-1]) + np.repeat(first[routes] - own_first[:-1], length)
    taken = step[place]
    nest_first = np.flatnonzero(is_first)
    return Epoch(
        routes=routes, market=market[routes], nest=np.cumsum(is_first) - 1, nest_market=market[routes][nest_first],
        nest_family=family[routes][nest_first], nest_first=nest_first, first=own_first, step=taken, place=place, route_of_step=of_step,
        cell=cell_base[routes][of_step] + taken, components=costs.select([f"{name}_usd_per_t" for name in COMPONENTS]).to_numpy(),
        path_size=costs["path_size"].to_numpy(),
    )  # fmt: skip
