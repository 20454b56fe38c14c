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
from karvan.results import SavedRun
from karvan.schema import LOADING_UNITS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Tables = Mapping[str, pl.DataFrame]

LINK, TERMINAL, ACCESS = 0, 1, 2
KINDS = ("link", "terminal", "access")
COMPONENTS = ("tariff", "handling", "time", "waiting", "reliability", "co2")
MARKET_KEY = ("market_id", "origin_node", "destination_node")
MARKET_RESULTS = ("base_flow_kt", "demand_kt", "not_shipped_kt", "cost_usd_per_t", "price_weight")
NOT_SHIPPED = "not_shipped"
CONTAINER = LOADING_UNITS.index("container")


def sums(places: IntArray, weights: FloatArray, count: int) -> FloatArray:
    """Sum of weights at each place, shape (count,)."""
    return np.asarray(np.bincount(places, weights=weights, minlength=count), dtype=np.float64)


def numbered_from_zero(numbers: IntArray, most: int) -> tuple[IntArray, IntArray]:
    """Numbers that occur, rising, and the position of each number below `most` among them."""
    occurs = np.zeros(most, dtype=np.bool_)
    occurs[numbers] = True
    return np.flatnonzero(occurs), np.cumsum(occurs, dtype=np.int64) - 1


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
    """Routes that years of one network have, and what they cost.

    Attributes:
        routes: Route ids, in order of market and family, shape (routes,).
        market, nest: Market, and number of market and family from 0 up, shape (routes,).
        nest_market, nest_family: Of each nest, shape (nests,).
        nest_first: First route of each nest, shape (nests,).
        first, step: Steps of the routes, shapes (routes + 1,), (steps taken,).
        length: Steps of each route, shape (routes,).
        cell: Commodity and step of each step taken: commodity x number of steps + step.
        pair: Number of the nest and step of each step taken, from 0 up.
        pair_nest, pair_step: Of each pair, shape (pairs,).
        components: The six components, USD/t, shape (routes, 6).
        path_size: Of the first year that has the route, shape (routes,).
    """

    routes: IntArray
    market: IntArray
    nest: IntArray
    nest_market: IntArray
    nest_family: IntArray
    nest_first: IntArray
    first: IntArray
    step: IntArray
    length: IntArray
    cell: IntArray
    pair: IntArray
    pair_nest: IntArray
    pair_step: IntArray
    components: FloatArray
    path_size: FloatArray

    @cached_property
    def cost(self) -> FloatArray:
        """Generalised cost without delays and prices, USD/t, shape (routes,)."""
        total: FloatArray = self.components.sum(axis=1)
        return total

    @property
    def pair_market(self) -> IntArray:
        """Market of each pair, shape (pairs,)."""
        return self.nest_market[self.pair_nest]

    def on_steps(self, values: FloatArray) -> FloatArray:
        """A number of each route at each of its steps."""
        return np.repeat(values, self.length)


@dataclass(frozen=True)
class Held:
    """A row of row_results."""

    sense: str
    limit: float
    price: float
    flow: float


@dataclass(frozen=True)
class Year:
    """One cleared year of a case.

    Attributes:
        case: scenario or baseline.
        snapshot: The corridor's tables of that year.
        epoch_number: Key of its epoch.
        epoch: Its routes.
        has: Routes of the epoch that are choices in this year, shape (routes,).
        flow: kt, zero for others, shape (routes,).
        path_size: Of the epoch's routes; means nothing for others, shape (routes,).
        delay_h: Hours that each facility takes more than its times say, by facility_id.
        markets: Columns of market_results; NaN for markets that the year lacks, each of shape (markets,).
        rows: Rows of row_results by kind and id.
        empties: Forward, backward and idle empties by return_id, thousands of loading units.
    """

    case: str
    snapshot: Snapshot
    epoch_number: int
    epoch: Epoch
    has: BoolArray
    flow: FloatArray
    path_size: FloatArray
    delay_h: Mapping[str, float]
    markets: Mapping[str, FloatArray]
    rows: Mapping[tuple[str, str], Held]
    empties: Mapping[str, tuple[float, float, float]]

    @property
    def tables(self) -> Tables:
        """The corridor's tables of that year."""
        return self.snapshot.tables

    @property
    def when(self) -> str:
        """Year and case as readers are told."""
        return f"in {self.snapshot.year} ({self.case})"

    @property
    def key(self) -> tuple[str, int]:
        """Case and calendar year."""
        return self.case, self.snapshot.year

    def column(self, name: str) -> FloatArray:
        """A column of market_results, shape (markets,)."""
        return self.markets[name]

    @cached_property
    def pair_flow(self) -> FloatArray:
        """Flow of each nest over each step, kt, shape (pairs,)."""
        return sums(self.epoch.pair, self.epoch.on_steps(self.flow), self.epoch.pair_step.shape[0])


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
    def _by_step(self) -> tuple[IntArray, IntArray]:
        # Numbers of 16 bits are sorted by their digits, which takes a tenth of the time.
        order = np.argsort(self.step.astype(np.min_scalar_type(self.steps.count)), kind="stable")
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

    def once(self, key: Hashable, work: Any, *arguments: Any) -> Any:
        """What a function gives, worked out once for each key."""
        if key not in self._answers:
            self._answers[key] = work(*arguments)
        return self._answers[key]
