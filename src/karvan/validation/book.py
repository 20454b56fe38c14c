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
MARKET_RESULTS = ("base_flow_kt", "demand_kt", "not_shipped_kt", "cost_usd_per_t", "price_weight")
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

    def knows(self, key: Hashable) -> bool:
        """Whether the answer for a key is known."""
        return key in self._answers

    def once(self, key: Hashable, work: Any, *arguments: Any) -> Any:
        """What a function gives, worked out once for each key."""
        if key not in self._answers:
            self._answers[key] = work(*arguments)
        return self._answers[key]


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "route_steps": (
        "step_no", "kind", "element_id", "direction", "unit_before", "unit_after", "from_state", "to_state",
    ),
    "routes": ("route_id", *MARKET_KEY, "family_id", "steps"),
    "route_costs": ("epoch", "route_id", *(f"{name}_usd_per_t" for name in COMPONENTS), "path_size"),
    "path_sizes": ("case", "year", "route_id", "path_size"),
    "route_flows": ("case", "year", "epoch", "route_id", "flow_kt"),
    "market_results": ("case", "scenario_id", "growth", "year", *MARKET_KEY, *MARKET_RESULTS),
    "row_results": ("case", "scenario_id", "growth", "year", "row_id", "kind", "sense", "limit", "price", "flow"),
    "empty_flows": ("case", "scenario_id", "growth", "year", "return_id", "forward", "backward", "idle"),
    "facilities": ("case", "scenario_id", "growth", "year", "facility_id", "delay_h"),
}  # fmt: skip


def read_book(saved: SavedRun, corridor: Corridor, scenarios: Mapping[str, Scenario]) -> tuple[Book | None, list[str]]:
    """The ledger of a run as arrays, or None with what makes it unreadable.

    Args:
        saved: The run.
        corridor: Its corridor, with the run's options laid over it.
        scenarios: Scenario of each case.
    """
    frames = {name: saved.frame(name, columns=columns) for name, columns in _COLUMNS.items()}
    frames["facilities"] = frames["facilities"].filter(pl.col("case").is_in(list(scenarios)))
    frames["routes"] = frames["routes"].sort("route_id")
    wanted_years = [int(year["year"]) for year in saved.report["years"]]
    times = [(case, year) for case in scenarios for year in wanted_years]
    problems = _problems(frames, scenarios, wanted_years)
    if problems:
        return None, problems
    snapshots = [snapshot for scenario in scenarios.values() for snapshot in apply_years(scenario, corridor, wanted_years)]
    routes, steps = frames["routes"], _steps(frames["route_steps"])
    first = np.append(0, np.cumsum(routes["steps"].list.len().to_numpy())).astype(np.int64)
    step = routes["steps"].explode().to_numpy().astype(np.int64)
    keys = frames["market_results"].select(MARKET_KEY).unique().sort(MARKET_KEY)
    markets = tuple(keys.iter_rows())
    market = _numbered(routes, keys)
    families = tuple(sorted(set(routes["family_id"])))
    family = routes["family_id"].replace_strict({name: code for code, name in enumerate(families)}, return_dtype=pl.Int64).to_numpy()
    traits, problems = _traits(markets, [snapshot.tables["demand"] for snapshot in snapshots])
    if problems:
        return None, problems
    commodities = tuple(sorted(set(traits["commodity_group"])))
    commodity = np.array([commodities.index(name) for name in traits["commodity_group"]], dtype=np.int64)

    flows = frames["route_flows"]
    time, route = _times(flows, times), flows["route_id"].to_numpy().astype(np.int64)
    flow, epoch_of_row = flows["flow_kt"].to_numpy(), flows["epoch"].to_numpy()
    by_time = _runs(time, len(times))
    shape = _Shape(market=market, family=family, first=first, step=step, commodity=commodity, step_count=steps.count)
    numbers = [int(epoch_of_row[rows[0]]) if rows.shape[0] else 0 for rows in by_time]
    epochs: dict[int, Epoch] = {}
    for number in sorted(set(numbers)):
        is_in = np.zeros(market.shape[0], dtype=np.bool_)
        for rows in (rows for rows, other in zip(by_time, numbers, strict=True) if other == number):
            is_in[route[rows]] = True
        found = _epoch(np.flatnonzero(is_in), frames["route_costs"], number, shape)
        if found is None:
            return None, [f"route_costs: a route of epoch {number} has no cost in it or an epoch before it"]
        epochs[number] = found
    sizes = frames["path_sizes"]
    size_rows, size_route, size = _runs(_times(sizes, times), len(times)), sizes["route_id"].to_numpy(), sizes["path_size"].to_numpy()
    results = _market_columns(frames["market_results"], keys, times)
    held, empties, delays = (_by_time(frames[name], times) for name in ("row_results", "empty_flows", "facilities"))
    years = []
    for at, ((case, calendar), snapshot) in enumerate(zip(times, snapshots, strict=True)):
        epoch, rows = epochs[numbers[at]], by_time[at]
        whole = np.full(market.shape[0], np.nan)
        whole[route[rows]] = flow[rows]
        has = np.zeros(market.shape[0], dtype=np.bool_)
        has[route[rows]] = True
        path_size = np.zeros(market.shape[0])
        path_size[epoch.routes] = epoch.path_size
        others = size_route[size_rows[at]]
        if not has[others].all():
            return None, [f"path_sizes: holds a route in {calendar} ({case}) that route_flows lacks there"]
        path_size[others] = size[size_rows[at]]
        mine = has[epoch.routes]
        years.append(
            Year(
                case=case, snapshot=snapshot, epoch_number=numbers[at], epoch=epoch, has=mine,
                flow=np.where(mine, whole[epoch.routes], 0.0), path_size=path_size[epoch.routes],
                delay_h={row["facility_id"]: row["delay_h"] for row in delays[at]},
                markets={name: values[at] for name, values in results.items()},
                rows={(row["kind"], row["row_id"]): Held(row["sense"], row["limit"], row["price"], row["flow"]) for row in held[at]},
                empties={row["return_id"]: (row["forward"], row["backward"], row["idle"]) for row in empties[at]},
            )
        )  # fmt: skip
    book = Book(
        corridor=corridor, saved=saved, steps=steps, first=first, step=step, market=market, family=family, markets=markets, traits=traits,
        commodities=commodities, commodity=commodity, families=families, years=tuple(years), memory=Memory(),
    )  # fmt: skip
    return book, []


def _numbered(frame: pl.DataFrame, keys: pl.DataFrame) -> IntArray:
    """Position of each row's market among the sorted keys, shape (rows,)."""
    numbered = keys.with_row_index("market")
    found = frame.select(MARKET_KEY).join(numbered, on=MARKET_KEY, how="left", validate="m:1", maintain_order="left")["market"]
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _times(frame: pl.DataFrame, times: list[tuple[str, int]]) -> IntArray:
    """Position of each row's case and year among those of the run, -1 where it is none of them, shape (rows,)."""
    if frame.is_empty():
        return np.zeros(0, dtype=np.int64)
    case, year = frame["case"], frame["year"].to_numpy()
    found = np.full(frame.height, -1, dtype=np.int64)
    for name in dict.fromkeys(case for case, _ in times):
        places = {calendar: at for at, (other, calendar) in enumerate(times) if other == name}
        by_year = np.full(max(places) + 2, -1, dtype=np.int64)
        by_year[list(places)] = list(places.values())
        mine = (case == name).to_numpy()
        found[mine] = by_year[np.clip(year[mine], -1, by_year.shape[0] - 1)]
    return found


def _runs(places: IntArray, count: int) -> list[IntArray]:
    """Positions at which each number up to `count` stands."""
    order = np.argsort(places.astype(np.int16), kind="stable") if count < np.iinfo(np.int16).max else np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(count + 1))
    return [order[start:end] for start, end in zip(bounds[:-1], bounds[1:], strict=True)]


def _by_time(frame: pl.DataFrame, times: list[tuple[str, int]]) -> list[list[dict[str, Any]]]:
    """Rows of each case and year."""
    rows, found = frame.to_dicts(), [list[dict[str, Any]]() for _ in times]
    for row, at in zip(rows, _times(frame, times).tolist(), strict=True):
        if at >= 0:
            found[at].append(row)
    return found


def _market_columns(frame: pl.DataFrame, keys: pl.DataFrame, times: list[tuple[str, int]]) -> dict[str, FloatArray]:
    """Columns of market_results, NaN where a year lacks a market, each of shape (times, markets)."""
    at, market = _times(frame, times), _numbered(frame, keys)
    known = at >= 0
    columns = {}
    for name in MARKET_RESULTS:
        values = np.full((len(times), keys.height), np.nan)
        values[at[known], market[known]] = frame[name].to_numpy()[known]
        columns[name] = values
    return columns


def _problems(frames: Mapping[str, pl.DataFrame], scenarios: Mapping[str, Scenario], years: list[int]) -> list[str]:
    """What makes a ledger unreadable."""
    steps, routes, costs, flows = (frames[name] for name in ("route_steps", "routes", "route_costs", "route_flows"))
    found = []
    if not np.array_equal(steps["step_no"].to_numpy(), np.arange(steps.height)):
        found.append("route_steps: step_no must count the steps from 0")
    if not np.array_equal(routes["route_id"].to_numpy(), np.arange(routes.height)):
        found.append("routes: route_id must count the routes from 0, each once")
    taken = routes["steps"].explode()
    if routes.height and not bool((routes["steps"].list.len() >= 2).all()):
        found.append("routes: a route has fewer than two steps; it must start and end with access to its region")
    elif routes.height and not bool(taken.is_between(0, steps.height - 1).all()):
        found.append("routes: a route takes a step that is not in route_steps")
    for name in ("route_costs", "route_flows", "path_sizes"):
        if frames[name].height and not bool(frames[name]["route_id"].is_between(0, routes.height - 1).all()):
            found.append(f"{name}: holds a route that is not in routes")
    if found:
        return found
    if _has_twice((costs["epoch"], costs["route_id"])):
        found.append("route_costs: a route stands there twice in one epoch")
    times = [(case, year) for case in scenarios for year in years]
    at, epoch = _times(flows, times), flows["epoch"].to_numpy()
    for name, frame in (("route_flows", flows), ("path_sizes", frames["path_sizes"])):
        if _has_twice((pl.Series(_times(frame, times)), frame["route_id"])):
            found.append(f"{name}: a route stands there twice in one year")
    of_year = [np.unique(epoch[rows]) for rows in _runs(at, len(times))]
    if any(each.shape[0] > 1 for each in of_year):
        found.append("route_flows: every year must have one epoch")
    if routes.height and any(each.shape[0] == 0 for each in of_year):
        case, year = times[[each.shape[0] for each in of_year].index(0)]
        found.append(f"route_flows: lacks {year} of {case}; must hold the years of the report")
    if bool((at < 0).any()):
        case, year = flows.select("case", "year").row(int(np.argmin(at)))
        found.append(f"route_flows: holds {year} of {case}; must hold the years of the report")
    if routes.join(frames["market_results"].select(MARKET_KEY).unique(), on=MARKET_KEY, how="anti").height:
        found.append("routes: a route's market is not in market_results")
    wanted = {(case, scenario.scenario_id, scenario.growth, year) for case, scenario in scenarios.items() for year in years}
    for name, keys in (("market_results", MARKET_KEY), ("row_results", ("kind", "row_id")), ("facilities", ("facility_id",))):
        labels = ("case", "scenario_id", "growth", "year")
        held = set(frames[name].select(labels).unique().rows())
        if held != wanted:
            case, scenario_id, growth, year = sorted(held ^ wanted)[0]
            which = "lacks" if (case, scenario_id, growth, year) in wanted else "holds"
            found.append(f"{name}: {which} {year} of {case} ({scenario_id}, growth {growth}); must hold the years of the report")
        if frames[name].select("case", "year", *keys).is_duplicated().any():
            found.append(f"{name}: a row stands there twice")
    return found


def _has_twice(columns: tuple[pl.Series, pl.Series]) -> bool:
    """Whether a pair of numbers stands in two rows."""
    first, second = (column.to_numpy().astype(np.int64) for column in columns)
    if first.shape[0] == 0:
        return False
    numbers = (first - first.min()) * (int(second.max()) + 1) + second
    counts = np.zeros(int(numbers.max()) + 1, dtype=np.bool_)
    counts[numbers] = True
    return int(counts.sum()) != numbers.shape[0]


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


@dataclass(frozen=True)
class _Shape:
    """Market, family and steps of all routes, and the commodity of all markets."""

    market: IntArray
    family: IntArray
    first: IntArray
    step: IntArray
    commodity: IntArray
    step_count: int


def _epoch(routes: IntArray, costs: pl.DataFrame, number: int, shape: _Shape) -> Epoch | None:
    """Some routes and what they cost in an epoch, or None if that is not known of all."""
    last = np.full(shape.market.shape[0], -1, dtype=np.int64)
    until = np.flatnonzero(costs["epoch"].to_numpy() <= number)
    until = until[np.argsort(costs["epoch"].to_numpy()[until].astype(np.int64), kind="stable")]
    last[costs["route_id"].to_numpy()[until]] = until
    routes = routes[np.lexsort((routes, shape.family[routes], shape.market[routes]))]
    if (last[routes] < 0).any():
        return None
    market, family = shape.market[routes], shape.family[routes]
    is_first = np.ones(routes.shape[0], dtype=np.bool_)
    is_first[1:] = (np.diff(market) != 0) | (np.diff(family) != 0)
    length = np.diff(shape.first)[routes]
    own_first = np.append(0, np.cumsum(length)).astype(np.int64)
    step = shape.step[np.arange(own_first[-1]) + np.repeat(shape.first[routes] - own_first[:-1], length)]
    nest_first, nest = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    cell = np.repeat(shape.commodity[market] * shape.step_count, length) + step
    pair = np.repeat(nest * shape.step_count, length) + step
    pairs, number_of = numbered_from_zero(pair, nest_first.shape[0] * shape.step_count)
    return Epoch(
        routes=routes, market=market, nest=nest, nest_market=market[nest_first], nest_family=family[nest_first], nest_first=nest_first,
        first=own_first, step=step, length=length, cell=cell, pair=number_of[pair], pair_nest=pairs // max(shape.step_count, 1),
        pair_step=pairs % max(shape.step_count, 1), components=costs[[f"{name}_usd_per_t" for name in COMPONENTS]].to_numpy()[last[routes]],
        path_size=costs["path_size"].to_numpy()[last[routes]],
    )  # fmt: skip


def numbered_from_zero(numbers: IntArray, most: int) -> tuple[IntArray, IntArray]:
    """Numbers that occur, rising, and the position of each number below `most` among them."""
    occurs = np.zeros(most, dtype=np.bool_)
    occurs[numbers] = True
    return np.flatnonzero(occurs), np.cumsum(occurs) - 1
