"""Routes, costs, flows and prices of the cleared years of a run, kept so that anybody can check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.measures import Scenario
from karvan.routing import COMPONENTS, RouteSets, StateGraph
from karvan.routing.graph import GATE
from karvan.schema import GAUGES, LOADING_UNITS, MODES
from karvan.study.clear import Cleared
from karvan.study.route_memory import RoutedSnapshot
from karvan.study.year import empty_flows

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Tables = Mapping[str, pl.DataFrame]

_KINDS = ("link", "terminal", "access")
_DIRECTIONS = ("forward", "backward")
_SENSES = {AT_MOST: "at_most", AT_LEAST: "at_least", EXACTLY: "exactly"}
_STEP_COLUMNS = ("kind", "element_id", "direction", "unit_before", "unit_after", "from_state", "to_state")
_Step = tuple[str, str, str, str, str, str, str]
_Words = npt.NDArray[np.uint64]
_YEAR_COLUMNS = ("case", "scenario_id", "growth", "year")
_MARKET_COLUMNS = ("market_id", "origin_node", "destination_node")
_MARKET_RESULTS = ("base_flow_kt", "demand_kt", "not_shipped_kt", "cost_usd_per_t", "price_weight")
_MOST_FAMILIES = 1 << 20
_FACTOR = 0x9E3779B97F4A7C15


class _Epoch:
    """Years and cases that share a network, and what is kept of it.

    Attributes:
        number: Counts the networks.
        space: What routes were searched in; held, so that it stays the only one of its identity.
        step: Number of each arc's step, -1 until a route takes it, shape (arcs,).
        mark: A stirred number for each arc's step, 0 until a route takes it, shape (arcs,).
        market, family: Numbers of the markets and families of the space.
        label: A stirred number for each of its markets and families, shape (markets, families).
        path_size: By route id, of the first year of the epoch that has the route; NaN for others.
    """

    def __init__(self, number: int, routed: RoutedSnapshot, steps: _StepBook, market: IntArray, family: IntArray) -> None:
        self.number, self.space, self.market, self.family = number, routed.space, market, family
        self.arcs = steps.arcs_of(routed.graph, routed.snapshot.tables)
        self.step = np.full(routed.graph.arc_count, -1, dtype=np.int64)
        self.mark: _Words = np.zeros(routed.graph.arc_count, dtype=np.uint64)
        self.label = _stirred(np.add.outer(market.astype(np.uint64) * np.uint64(_MOST_FAMILIES), family.astype(np.uint64)))
        self.path_size = np.zeros(0)


class Ledger:
    """Collects cleared years and gives them as frames.

    A route that several years and networks have in common is kept once, what it costs once for each network, and its path size once for
    each network and for years in which other routes overlap with it. `case` is "scenario" or "baseline"; it tells the two apart where a
    run changes the baseline itself.
    """

    def __init__(self) -> None:
        self._steps = _StepBook()
        self._markets: dict[tuple[str, str, str], int] = {}
        self._families: dict[str, int] = {}
        self._known_print: _Words = np.zeros(0, dtype=np.uint64)
        self._known_id: IntArray = np.zeros(0, dtype=np.int64)
        self._epochs: dict[int, _Epoch] = {}
        self._years: list[tuple[str, str, str, int]] = []
        self._parts: dict[str, list[dict[str, npt.NDArray[Any]]]] = {}
        self._frames: dict[str, list[pl.DataFrame]] = {"row_results": [], "empty_flows": []}

    def add(self, case: str, scenario: Scenario, cleared: Cleared) -> None:
        """Keep a cleared year of a case."""
        routed = cleared.routed
        epoch = self._epochs.get(id(routed.space))
        if epoch is None:
            epoch = self._epochs[id(routed.space)] = self._new_epoch(routed)
        route_id = self._route_ids(epoch, routed.sets)
        year = (case, scenario.scenario_id, scenario.growth, routed.snapshot.year)
        at = len(self._years)
        self._keep("route_flows", year=at, epoch=epoch.number, route_id=route_id, flow_kt=cleared.set_flow_kt)
        self._keep_costs(epoch, routed.sets, route_id)
        self._keep("market_results", year=at, market=epoch.market, **_of_markets(cleared))
        label = [pl.lit(value).alias(name) for name, value in zip(_YEAR_COLUMNS, year, strict=True)]
        self._years.append(year)
        for name, frame in (("row_results", _row_frame), ("empty_flows", _empty_frame)):
            self._frames[name].append(frame(cleared).select(*label, pl.all()))

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything kept, by name.

        Returns:
            route_steps: step_no, kind (link, terminal, access), element_id (link_id, terminal_id, or the key of region_places joined by
                '/'), direction, unit_before, unit_after, from_state, to_state. A state is place/mode/gauge/unit; a fifth part names what
                was passed last on a passage with border posts; origin: and destination: start the ends of markets.
            routes: route_id, market_id, origin_node, destination_node, family_id, steps (step_no in travel order).
            route_costs: epoch, route_id, cost components in USD/t, path_size (in the first year of the epoch that has the route); what an
                epoch says of a route holds in later ones up to the route's next row.
            path_sizes: case, year, route_id, path_size, where it differs from that in route_costs.
            route_flows: case, year, epoch, route_id, flow_kt; of every route that is a choice in that year.
            market_results: case, scenario_id, growth, year, market_id, origin_node, destination_node, base_flow_kt, demand_kt,
                not_shipped_kt, cost_usd_per_t (composite), price_weight (what a unit of row price costs a tonne).
            row_results: case, scenario_id, growth, year, row_id, kind (facility, minimum, return), sense (at_most, at_least, exactly),
                limit (thousands of the unit; of a facility what is left to the markets of the case), price (USD per unit; below zero
                where goods are paid), flow.
            empty_flows: case, scenario_id, growth, year, return_id, forward, backward, idle, thousands of loading units.
        """
        steps = pl.DataFrame(self._steps.named, schema=dict.fromkeys(_STEP_COLUMNS, pl.String), orient="row")
        markets = self._whole("market_results", ("year", "market", *_MARKET_RESULTS))
        return {
            "route_steps": steps.with_row_index("step_no").with_columns(pl.col("step_no").cast(pl.Int32)),
            "routes": self._routes(),
            "route_costs": self._costs(),
            "path_sizes": self._of_years(self._whole("path_sizes", ("year", "route_id", "path_size")), ("case", "year")),
            "route_flows": self._of_years(self._whole("route_flows", ("year", "epoch", "route_id", "flow_kt")), ("case", "year")),
            "market_results": self._of_years(markets, _YEAR_COLUMNS),
            **{name: pl.concat(parts) for name, parts in self._frames.items()},
        }

    def _keep(self, name: str, **columns: npt.NDArray[Any] | int) -> None:
        """Keep rows of a frame; whole numbers in 32 bits."""
        size = next(values.shape[0] for values in columns.values() if isinstance(values, np.ndarray))
        kept = {key: np.broadcast_to(values, size) for key, values in columns.items()}
        self._parts.setdefault(name, []).append(
            {key: values.astype(np.int32) if values.dtype == np.int64 else values for key, values in kept.items()}
        )

    def _whole(self, name: str, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Everything kept under a name."""
        parts = self._parts[name]
        return {column: np.concatenate([part[column] for part in parts]) for column in columns}

    def _of_years(self, whole: dict[str, npt.NDArray[Any]], labels: Sequence[str]) -> pl.DataFrame:
        """Columns with the labels of their years and markets."""
        years = (
            pl.DataFrame(self._years, schema=_YEAR_COLUMNS, orient="row").select(pl.col(labels)).with_columns(pl.col("year").cast(pl.Int32))
        )
        frames = [years[whole.pop("year")]]
        if "market" in whole:
            frames.append(self._market_names()[whole.pop("market")])
        return pl.concat([*frames, pl.DataFrame(whole)], how="horizontal")

    def _market_names(self) -> pl.DataFrame:
        return pl.DataFrame(list(self._markets), schema=dict.fromkeys(_MARKET_COLUMNS, pl.String), orient="row")

    def _costs(self) -> pl.DataFrame:
        """Costs of routes; a row that says what the route's row of the epoch before says is left out."""
        names = [f"{name}_usd_per_t" for name in COMPONENTS]
        whole = self._whole("route_costs", ("epoch", "route_id", *names, "path_size"))
        order = np.lexsort((whole["epoch"], whole["route_id"]))
        says_more = np.ones(order.shape[0], dtype=np.bool_)
        ordered = [whole[name][order] for name in ("route_id", *names, "path_size")]
        says_more[1:] = np.logical_or.reduce([values[1:] != values[:-1] for values in ordered])
        kept = np.sort(order[says_more])
        return pl.DataFrame({name: values[kept] for name, values in whole.items()})

    def _routes(self) -> pl.DataFrame:
        whole = self._whole("routes", ("route_id", "market", "family"))
        taken = pl.DataFrame(self._whole("steps", ("route_id", "step_no"))).with_columns(pl.col("route_id").set_sorted())
        steps = taken.group_by("route_id", maintain_order=True).agg(pl.col("step_no").alias("steps"))
        families = pl.Series("family_id", list(self._families), dtype=pl.String)
        names = self._market_names()[whole["market"]].get_columns()
        return pl.DataFrame([pl.Series("route_id", whole["route_id"]), *names, families[whole["family"]], steps["steps"]])

    def _new_epoch(self, routed: RoutedSnapshot) -> _Epoch:
        market = [self._markets.setdefault(key, len(self._markets)) for key in routed.sets.market_ids]
        family = [self._families.setdefault(name, len(self._families)) for name in routed.sets.family_ids]
        return _Epoch(len(self._epochs), routed, self._steps, np.array(market, dtype=np.int64), np.array(family, dtype=np.int64))

    def _route_ids(self, epoch: _Epoch, sets: RouteSets) -> IntArray:
        """Id of each route; those not seen before are kept."""
        marks = epoch.mark.take(sets.route_arc)
        if not marks.all():
            is_new_arc = np.zeros(epoch.step.shape[0], dtype=np.bool_)
            is_new_arc[sets.route_arc[marks == 0]] = True
            new_arcs = np.flatnonzero(is_new_arc)
            epoch.step[new_arcs] = self._steps.numbers(epoch.arcs, new_arcs)
            epoch.mark[new_arcs] = _stirred(epoch.step[new_arcs].astype(np.uint64)) | np.uint64(1)
            marks = epoch.mark.take(sets.route_arc)
        prints = _fingerprints(marks, epoch.label, sets)
        order = np.argsort(prints)  # searched in order, which memory likes
        place = np.empty(prints.shape[0], dtype=np.int64)
        place[order] = np.searchsorted(self._known_print, prints[order])
        inside = place < self._known_print.shape[0]
        is_new = np.ones(prints.shape[0], dtype=np.bool_)
        is_new[inside] = self._known_print[place[inside]] != prints[inside]
        route_id = np.zeros(prints.shape[0], dtype=np.int64)
        route_id[~is_new] = self._known_id[place[~is_new]]
        if not is_new.any() and "routes" in self._parts:
            return route_id
        route_id[is_new] = self._known_id.shape[0] + np.arange(int(is_new.sum()))
        known, ids = np.append(self._known_print, prints[is_new]), np.append(self._known_id, route_id[is_new])
        order = np.argsort(known, kind="stable")
        self._known_print, self._known_id = known[order], ids[order]
        market, family = epoch.market[sets.route_market[is_new]], epoch.family[sets.route_family[is_new]]
        self._keep("routes", route_id=route_id[is_new], market=market, family=family)
        kept = np.repeat(is_new, np.diff(sets.route_first_arc))
        of_step = np.repeat(route_id[is_new], np.diff(sets.route_first_arc)[is_new])
        self._keep("steps", route_id=of_step, step_no=epoch.step[sets.route_arc[kept]])
        return route_id

    def _keep_costs(self, epoch: _Epoch, sets: RouteSets, route_id: IntArray) -> None:
        """Costs of routes that are new to the epoch, and path sizes that are other than they were."""
        more = self._known_id.shape[0] - epoch.path_size.shape[0]
        epoch.path_size = np.append(epoch.path_size, np.full(more, np.nan))
        known = epoch.path_size[route_id]
        new = np.flatnonzero(np.isnan(known))
        parts = {f"{name}_usd_per_t": sets.components[new, index] for index, name in enumerate(COMPONENTS)}
        self._keep("route_costs", epoch=epoch.number, route_id=route_id[new], **parts, path_size=sets.path_size[new])
        epoch.path_size[route_id[new]] = sets.path_size[new]
        other = np.flatnonzero(~np.isnan(known) & (known != sets.path_size))
        self._keep("path_sizes", year=len(self._years), route_id=route_id[other], path_size=sets.path_size[other])


def _fingerprints(marks: _Words, label: _Words, sets: RouteSets) -> _Words:
    """A number of 64 bits for each route, told by its market, its family and the marks of its steps, shape (routes,).

    The order of steps is left out, as steps make a chain in one way only but for a loop passed twice. Two routes that share a number by
    chance would be told as one; the costs and flows of one of them would then fail the check of the run.
    """
    if sets.route_count == 0:
        return np.zeros(0, dtype=np.uint64)
    whole: _Words = np.add.reduceat(marks, sets.route_first_arc[:-1])
    return _stirred(whole ^ label[sets.route_market, sets.route_family])


def _stirred(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every bit of a number spread over all 64.

    Source:
        Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators: the finaliser of SplitMix64.
    """
    mixed = values + np.uint64(_FACTOR)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class _StepBook:
    """Steps by number. Elements and states have numbers that several networks share, so that a step is named once.

    Attributes:
        named: Kind, element, direction, unit before and after, state before and after of each step.
    """

    def __init__(self) -> None:
        self.named: list[_Step] = []
        self._number: dict[tuple[int, ...], int] = {}
        self._elements: dict[tuple[int, str], int] = {}
        self._states: dict[str, int] = {}
        self._element_names: list[str] = []
        self._state_names: list[str] = []

    def arcs_of(self, graph: StateGraph, tables: Tables) -> IntArray:
        """Numbers of kind, element, direction, units and states of every arc, shape (arcs, 7)."""
        columns = pl.col("region_id", "side", "commodity_group", "place_id", "loading_unit").cast(pl.String)
        places = tables["region_places"].select(pl.concat_str(columns, separator="/").alias("key"))["key"]
        names = (tables["links"]["link_id"], tables["terminals"]["terminal_id"], places)
        known = [np.array([self._element(kind, name) for name in each], dtype=np.int64) for kind, each in enumerate(names)]
        start = np.cumsum([0, *(each.shape[0] for each in known)])
        element = np.concatenate(known)[start[graph.arc_kind] + graph.arc_element]
        state = self._states_of(graph, element)
        columns_of_arcs = (
            graph.arc_kind, element, graph.arc_direction, graph.arc_unit, graph.arc_unit_after, state[graph.arc_tail],
            state[graph.arc_head],
        )  # fmt: skip
        return np.stack(columns_of_arcs, axis=1).astype(np.int64)

    def numbers(self, arcs: IntArray, chosen: IntArray) -> list[int]:
        """Numbers of the steps of some arcs."""
        found = []
        for key in map(tuple, arcs[chosen].tolist()):
            if key not in self._number:
                self._number[key] = len(self.named)
                kind, element, direction, before, after, tail, head = key
                self.named.append(
                    (
                        _KINDS[kind], self._element_names[element], _DIRECTIONS[direction], LOADING_UNITS[before], LOADING_UNITS[after],
                        self._state_names[tail], self._state_names[head],
                    )
                )  # fmt: skip
            found.append(self._number[key])
        return found

    def _element(self, kind: int, name: str) -> int:
        number = self._elements.setdefault((kind, name), len(self._elements))
        if number == len(self._element_names):
            self._element_names.append(name)
        return number

    def _state(self, name: str) -> int:
        number = self._states.setdefault(name, len(self._states))
        if number == len(self._state_names):
            self._state_names.append(name)
        return number

    def _states_of(self, graph: StateGraph, element: IntArray) -> IntArray:
        """Number of the state of each node, shape (nodes,)."""
        parts = zip(
            graph.node_kind.tolist(), graph.node_place.tolist(), graph.node_mode.tolist(), graph.node_gauge.tolist(),
            graph.node_unit.tolist(), strict=True,
        )  # fmt: skip
        ends = {node: "origin:" + "/".join(key) for key, node in graph.origin_nodes.items()}
        ends |= {node: "destination:" + "/".join(key) for key, node in graph.destination_nodes.items()}
        found = []
        for node, (kind, place, mode, gauge, unit) in enumerate(parts):
            if node in ends:
                found.append(self._state(ends[node]))
                continue
            name = f"{graph.place_ids[place]}/{MODES[mode]}/{GAUGES[gauge]}/{LOADING_UNITS[unit]}"
            if kind == GATE:
                passed = int(graph.in_arc[graph.in_first[node]])
                name += f"/{self._element_names[element[passed]]} {_DIRECTIONS[graph.arc_direction[passed]]}"
            found.append(self._state(name))
        return np.array(found, dtype=np.int64)


def _of_markets(cleared: Cleared) -> dict[str, FloatArray]:
    """Columns of market_results, each of shape (markets of goods,)."""
    assembly, clearing, problem = cleared.assembly, cleared.clearing, cleared.problem
    count = assembly.goods_count
    at_home = assembly.route_of < 0
    stays = np.bincount(assembly.market_of_route[at_home], weights=clearing.route_flow_kt[at_home], minlength=count)
    not_shipped = np.asarray(stays, dtype=np.float64)
    columns: tuple[FloatArray, ...] = (
        problem.market_flow_kt * problem.market_factor, clearing.market_demand_kt, not_shipped, clearing.market_cost,
        problem.market_price_weight,
    )  # fmt: skip
    return {name: values[:count] for name, values in zip(_MARKET_RESULTS, columns, strict=True)}


def _row_frame(cleared: Cleared) -> pl.DataFrame:
    names, problem, clearing = _row_names(cleared), cleared.problem, cleared.clearing
    return pl.DataFrame(
        {
            "row_id": [name for name, _ in names],
            "kind": [kind for _, kind in names],
            "sense": [_SENSES[sense] for sense in problem.row_sense.tolist()],
            "limit": problem.row_capacity,
            "price": clearing.row_price_usd_per_unit,
            "flow": clearing.row_flow,
        },
        schema_overrides=dict.fromkeys(("row_id", "kind", "sense"), pl.String),
    )


def _row_names(cleared: Cleared) -> list[tuple[str, str]]:
    """Id and kind of every row of the market program, in its order."""
    tables = cleared.routed.snapshot.tables
    facilities = tables["facilities"]["facility_id"].to_list()
    return [
        *((name, "facility") for name in facilities),
        *((name, "return") for name in tables["returns"]["return_id"]),
        *((facilities[row], "minimum") for row in cleared.assembly.minimum_facility.tolist()),
    ]


def _empty_frame(cleared: Cleared) -> pl.DataFrame:
    names = cleared.routed.snapshot.tables["returns"]["return_id"].to_list()
    flow = empty_flows(cleared)
    columns = {name: flow[:, index] for index, name in enumerate(("forward", "backward", "idle"))}
    return pl.DataFrame({"return_id": names, **columns}, schema_overrides={"return_id": pl.String})
