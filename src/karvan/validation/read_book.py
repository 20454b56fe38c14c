"""The ledger of a saved run read into arrays."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor, Snapshot
from karvan.measures import Scenario
from karvan.measures.apply import apply_all
from karvan.results import SavedRun
from karvan.schema import GAUGES, LOADING_UNITS, MODES
from karvan.validation.book import (
    COMPONENTS,
    KINDS,
    MARKET_KEY,
    MARKET_RESULTS,
    Book,
    Epoch,
    Held,
    Memory,
    Steps,
    Year,
    numbered_from_zero,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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


def read_book(
    saved: SavedRun, corridor: Corridor, scenarios: Mapping[str, Scenario], *, over: Callable[[str, Snapshot], Snapshot] | None = None
) -> tuple[Book | None, list[str]]:
    """The ledger of a run as arrays, or None with what makes it unreadable.

    Args:
        saved: The run.
        corridor: Its corridor, with the run's options laid over it.
        scenarios: Scenario of each case.
        over: Puts what the run used in place of values of the tables over the snapshot of a case.
    """
    frames = {name: saved.frame(name, columns=columns) for name, columns in _COLUMNS.items()}
    frames["facilities"] = frames["facilities"].filter(pl.col("case").is_in(list(scenarios)))
    frames["routes"] = frames["routes"].sort("route_id")
    wanted_years = [int(year["year"]) for year in saved.report["years"]]
    times = [(case, year) for case in scenarios for year in wanted_years]
    problems = _problems(frames, scenarios, wanted_years)
    if problems:
        return None, problems
    snapshots = apply_all(list(scenarios.values()), corridor, wanted_years)
    if over is not None:
        snapshots = [over(case, snapshot) for (case, _), snapshot in zip(times, snapshots, strict=True)]
    routes, steps = frames["routes"], _steps(frames["route_steps"])
    first = np.append(0, np.cumsum(routes["steps"].list.len().to_numpy())).astype(np.int64)
    step = routes["steps"].explode().to_numpy().astype(np.int64)
    keys = frames["market_results"].select(MARKET_KEY).unique().sort(MARKET_KEY)
    markets = tuple(keys.iter_rows())
    market = _numbered(routes, keys)
    families = tuple(sorted(routes["family_id"].unique().to_list()))
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
    shape = _shape(market, family, first, step, commodity, steps.count)
    numbers = [int(epoch_of_row[rows[0]]) if rows.shape[0] else 0 for rows in by_time]
    epochs: dict[int, Epoch] = {}
    costs = frames["route_costs"]
    components, path_sizes = costs[[f"{name}_usd_per_t" for name in COMPONENTS]].to_numpy(), costs["path_size"].to_numpy()
    cost_epoch, cost_route = costs["epoch"].to_numpy(), costs["route_id"].to_numpy()
    last = np.full(market.shape[0], -1, dtype=np.int64)  # row that says what each route costs, as epochs go by
    told = -1
    for number in sorted(set(numbers)):
        for other in range(told + 1, number + 1):
            rows = np.flatnonzero(cost_epoch == other)
            last[cost_route[rows]] = rows
        told = number
        is_in = np.zeros(market.shape[0], dtype=np.bool_)
        for rows in (rows for rows, other in zip(by_time, numbers, strict=True) if other == number):
            is_in[route[rows]] = True
        own = np.flatnonzero(is_in)
        if (last[own] < 0).any():
            return None, [f"route_costs: a route of epoch {number} has no cost in it or an epoch before it"]
        epochs[number] = _epoch(own, shape, components, path_sizes, last)
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
    return [order[start:end] for start, end in itertools.pairwise(bounds.tolist())]


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
    return bool(int(counts.sum()) != numbers.shape[0])


def _steps(frame: pl.DataFrame) -> Steps:
    states = sorted({*frame["from_state"].to_list(), *frame["to_state"].to_list()})
    number = {state: index for index, state in enumerate(states)}
    parts = [None if state.startswith(("origin:", "destination:")) else [*state.split("/"), ""][:5] for state in states]
    places = {name: index for index, name in enumerate(sorted({part[0] for part in parts if part is not None}))}

    def codes(position: int, words: Mapping[str, int]) -> IntArray:
        return np.array([-1 if part is None else words.get(part[position], -1) for part in parts], dtype=np.int64)

    def column(name: str, words: Mapping[str, int]) -> IntArray:
        return np.array([words.get(value, -1) for value in frame[name].to_list()], dtype=np.int64)

    modes, gauges, units = ({name: index for index, name in enumerate(words)} for words in (MODES, GAUGES, LOADING_UNITS))
    return Steps(
        kind=column("kind", {name: index for index, name in enumerate(KINDS)}), element=tuple(frame["element_id"].to_list()),
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
    """All routes of a run.

    Attributes:
        market, family: shape (routes,).
        first, step: Steps of the routes.
        cell: Commodity and step of each step taken: commodity x number of steps + step.
        pair: Number of the nest and step of each step taken, from 0 up.
        pair_nest, pair_step: Market and family in one number, and step, of each pair, shape (pairs,).
        family_count: Number of families.
    """

    market: IntArray
    family: IntArray
    first: IntArray
    step: IntArray
    cell: IntArray
    pair: IntArray
    pair_nest: IntArray
    pair_step: IntArray
    family_count: int


def _shape(market: IntArray, family: IntArray, first: IntArray, step: IntArray, commodity: IntArray, step_count: int) -> _Shape:
    family_count = int(family.max(initial=-1)) + 1
    code = market * family_count + family
    nests, number_of = numbered_from_zero(code, int(code.max(initial=-1)) + 1)
    length, width = np.diff(first), max(step_count, 1)
    pair = np.repeat(number_of[code] * width, length) + step
    pairs, pair_of = numbered_from_zero(pair, nests.shape[0] * width)
    return _Shape(
        market=market, family=family, first=first, step=step, cell=np.repeat(commodity[market] * step_count, length) + step,
        pair=pair_of[pair], pair_nest=nests[pairs // width], pair_step=pairs % width, family_count=family_count,
    )  # fmt: skip


def _epoch(routes: IntArray, shape: _Shape, components: FloatArray, path_sizes: FloatArray, cost_row: IntArray) -> Epoch:
    """Some routes and what they cost in an epoch, `cost_row` telling where that stands."""
    nest = shape.market[routes] * shape.family_count + shape.family[routes]
    order = np.argsort(nest, kind="stable")
    routes, nest = routes[order], nest[order]
    is_first = np.append(True, np.diff(nest) != 0)[: nest.shape[0]]
    nest_first, nest_number = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    length = np.diff(shape.first)[routes]
    own_first = np.append(0, np.cumsum(length)).astype(np.int64)
    place = np.arange(own_first[-1]) + np.repeat(shape.first[routes] - own_first[:-1], length)
    pairs, pair_of = numbered_from_zero(shape.pair[place], shape.pair_step.shape[0])
    market, family = shape.market[routes], shape.family[routes]
    return Epoch(
        routes=routes, market=market, nest=nest_number, nest_market=market[nest_first], nest_family=family[nest_first],
        nest_first=nest_first, first=own_first, step=shape.step[place], length=length, cell=shape.cell[place],
        pair=pair_of[shape.pair[place]], pair_nest=np.searchsorted(nest[nest_first], shape.pair_nest[pairs]),
        pair_step=shape.pair_step[pairs], components=components[cost_row[routes]],
        path_size=path_sizes[cost_row[routes]],
    )  # fmt: skip
