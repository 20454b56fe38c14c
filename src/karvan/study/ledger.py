"""Routes, costs, flows and prices of the cleared years of a run, kept so that anybody can check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY
from karvan.measures import Scenario
from karvan.routing import COMPONENTS, RouteSets, StateGraph
from karvan.routing.graph import GATE
from karvan.schema import GAUGES, LOADING_UNITS, MODES
from karvan.study.clear import Cleared

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_KINDS = ("link", "terminal", "access")
_DIRECTIONS = ("forward", "backward")
_SENSES = {AT_MOST: "at_most", AT_LEAST: "at_least", EXACTLY: "exactly"}
_STEP_COLUMNS = ("kind", "element_id", "direction", "unit_before", "unit_after", "from_state", "to_state")
_Step = tuple[str, str, str, str, str, str, str]
# An odd number whose powers tell positions of a route apart; see _fingerprints.
_FACTOR = 0x9E3779B97F4A7C15


@dataclass(frozen=True)
class _Epoch:
    """Years and cases that share a network share route sets: their number, the sets and the id of each route."""

    number: int
    sets: RouteSets
    route_id: IntArray


class Ledger:
    """Collects cleared years and gives them as frames; a route that several networks have in common is kept once.

    `case` is "scenario" or "baseline"; it tells the two apart where a run changes the baseline itself.
    """

    def __init__(self) -> None:
        self._steps: dict[_Step, int] = {}
        self._markets: dict[tuple[str, str, str], int] = {}
        self._families: dict[str, int] = {}
        self._known_print: npt.NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._known_id: IntArray = np.zeros(0, dtype=np.int64)
        self._epochs: dict[int, _Epoch] = {}
        self._routes: list[pl.DataFrame] = []
        self._route_steps: list[pl.DataFrame] = []
        self._costs: list[pl.DataFrame] = []
        self._flows: list[pl.DataFrame] = []
        self._market_results: list[pl.DataFrame] = []
        self._row_results: list[pl.DataFrame] = []

    def add(self, case: str, scenario: Scenario, cleared: Cleared) -> None:
        """Keep a cleared year of a case."""
        sets, assembly, clearing = cleared.routed.sets, cleared.assembly, cleared.clearing
        epoch = self._epochs.get(id(sets))
        if epoch is None:
            epoch = self._epochs[id(sets)] = self._new_epoch(cleared)
        labels = {"case": case, "scenario_id": scenario.scenario_id, "growth": scenario.growth, "year": cleared.routed.snapshot.year}
        label = [pl.lit(value).alias(name) for name, value in labels.items()]
        shipped = assembly.route_of >= 0
        of_set = assembly.route_of[shipped]
        flow, delay = np.zeros(sets.route_count), np.zeros(sets.route_count)
        flow[of_set] = clearing.route_flow_kt[shipped]
        delay[of_set] = cleared.problem.route_cost_usd_per_t[shipped] - sets.cost_usd_per_t[of_set]
        self._flows.append(
            pl.DataFrame({"route_id": epoch.route_id, "delay_usd_per_t": delay, "flow_kt": flow}).select(
                *label, pl.lit(epoch.number, dtype=pl.Int32).alias("epoch"), pl.col("route_id").cast(pl.Int32), "delay_usd_per_t", "flow_kt"
            )
        )
        self._market_results.append(_market_frame(cleared).select(*label, pl.all()))
        self._row_results.append(_row_frame(cleared).select(*label, pl.all()))

    def frames(self) -> dict[str, pl.DataFrame]:
        """Everything kept, by name.

        Returns:
            route_steps: step_no, kind (link, terminal, access), element_id (link_id, terminal_id, or the key of region_places joined by
                '/'), direction, unit_before, unit_after, from_state, to_state. A state is place/mode/gauge/unit; a fifth part names what
                was passed last on a passage with border posts; origin: and destination: start the ends of markets.
            routes: route_id, market_id, origin_node, destination_node, family_id, steps (step_no in travel order).
            route_costs: epoch, route_id, cost components in USD/t, path_size.
            route_flows: case, scenario_id, growth, year, epoch, route_id, delay_usd_per_t, flow_kt; routes without flow too.
            market_results: case, scenario_id, growth, year, market_id, origin_node, destination_node, base_flow_kt, demand_kt,
                not_shipped_kt, cost_usd_per_t (composite), price_weight (what a unit of row price costs a tonne).
            row_results: case, scenario_id, growth, year, row_id, kind (facility), sense (at_most), limit (thousands of the unit, what is
                left to the markets of the case), price (USD per unit), flow.
        """
        steps = pl.DataFrame(list(self._steps), schema=dict.fromkeys(_STEP_COLUMNS, pl.String), orient="row")
        taken = pl.concat(self._route_steps).group_by("route_id", maintain_order=True).agg(pl.col("step_no").alias("steps"))
        return {
            "route_steps": steps.with_row_index("step_no").with_columns(pl.col("step_no").cast(pl.Int32)),
            "routes": pl.concat(self._routes).join(taken, on="route_id", how="left", validate="1:1", maintain_order="left"),
            "route_costs": pl.concat(self._costs),
            "route_flows": pl.concat(self._flows),
            "market_results": pl.concat(self._market_results),
            "row_results": pl.concat(self._row_results),
        }

    def _new_epoch(self, cleared: Cleared) -> _Epoch:
        sets = cleared.routed.sets
        number = len(self._epochs)
        step = self._step_numbers(cleared.routed.graph, cleared.routed.snapshot.tables, sets)
        market = np.array([self._markets.setdefault(key, len(self._markets)) for key in sets.market_ids], dtype=np.int64)
        family = np.array([self._families.setdefault(name, len(self._families)) for name in sets.family_ids], dtype=np.int64)
        prints = _fingerprints(step, sets.route_first_arc, market[sets.route_market], family[sets.route_family])
        route_id, is_new = self._numbered(prints)
        self._keep_routes(sets, step, route_id, is_new)
        parts = {f"{name}_usd_per_t": sets.components[:, index] for index, name in enumerate(COMPONENTS)}
        costs = pl.DataFrame({"route_id": route_id, **parts, "path_size": sets.path_size})
        self._costs.append(
            costs.select(pl.lit(number, dtype=pl.Int32).alias("epoch"), pl.col("route_id").cast(pl.Int32), pl.all().exclude("route_id"))
        )
        return _Epoch(number, sets, route_id)

    def _step_numbers(self, graph: StateGraph, tables: Mapping[str, pl.DataFrame], sets: RouteSets) -> IntArray:
        """Number of the step at each position of route_arc."""
        used = np.unique(sets.route_arc)
        number = np.full(graph.arc_count, -1, dtype=np.int64)
        for arc, step in zip(used.tolist(), _named_steps(graph, tables, used), strict=True):
            number[arc] = self._steps.setdefault(step, len(self._steps))
        return number[sets.route_arc]

    def _numbered(self, prints: npt.NDArray[np.uint64]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Id of each route, and whether it was not seen before."""
        place = np.searchsorted(self._known_print, prints)
        inside = place < self._known_print.shape[0]
        is_new = np.ones(prints.shape[0], dtype=np.bool_)
        is_new[inside] = self._known_print[place[inside]] != prints[inside]
        route_id = np.zeros(prints.shape[0], dtype=np.int64)
        route_id[~is_new] = self._known_id[place[~is_new]]
        route_id[is_new] = self._known_id.shape[0] + np.arange(int(is_new.sum()))
        known, ids = np.append(self._known_print, prints[is_new]), np.append(self._known_id, route_id[is_new])
        order = np.argsort(known, kind="stable")
        self._known_print, self._known_id = known[order], ids[order]
        return route_id, is_new

    def _keep_routes(self, sets: RouteSets, step: IntArray, route_id: IntArray, is_new: npt.NDArray[np.bool_]) -> None:
        names = pl.DataFrame(
            list(sets.market_ids), schema=dict.fromkeys(("market_id", "origin_node", "destination_node"), pl.String), orient="row"
        )
        routes = names[sets.route_market[is_new]].with_columns(
            pl.Series("route_id", route_id[is_new]).cast(pl.Int32),
            family_id=pl.Series(np.array(sets.family_ids, dtype=np.object_)[sets.route_family[is_new]], dtype=pl.String),
        )
        self._routes.append(routes.select("route_id", "market_id", "origin_node", "destination_node", "family_id"))
        of_step = sets.route_of_step
        kept = is_new[of_step]
        taken = pl.DataFrame({"route_id": route_id[of_step[kept]], "step_no": step[kept]}, schema_overrides={"step_no": pl.Int64})
        self._route_steps.append(taken.with_columns(pl.all().cast(pl.Int32)))


def _fingerprints(step: IntArray, first: IntArray, market: IntArray, family: IntArray) -> npt.NDArray[np.uint64]:
    """A number of 64 bits for each route, told by its market, its family and the order of its steps, shape (routes,).

    Two routes that share it by chance would be told as one; the costs and flows of one of them would then fail the check of the run.
    """
    count = first.shape[0] - 1
    if count == 0:
        return np.zeros(0, dtype=np.uint64)
    length = np.diff(first)
    power = np.full(int(length.max()) + 1, _FACTOR, dtype=np.uint64)
    power = np.cumprod(power)
    position = np.arange(step.shape[0]) - np.repeat(first[:-1], length)
    parts = _stirred(step.astype(np.uint64)) * power[position]
    label = _stirred(market.astype(np.uint64) * np.uint64(1 << 20) + family.astype(np.uint64))
    return _stirred(np.add.reduceat(parts, first[:-1]) ^ label)


def _stirred(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Every bit of a number spread over all 64.

    Source:
        Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators: the finaliser of SplitMix64.
    """
    mixed = values + np.uint64(_FACTOR)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _named_steps(graph: StateGraph, tables: Mapping[str, pl.DataFrame], arcs: IntArray) -> list[_Step]:
    """What arcs are called in the ledger."""
    places = tables["region_places"].select(
        pl.concat_str(pl.col("region_id", "side", "commodity_group", "place_id", "loading_unit").cast(pl.String), separator="/").alias(
            "key"
        )
    )
    elements = (tables["links"]["link_id"].to_list(), tables["terminals"]["terminal_id"].to_list(), places["key"].to_list())

    def element(arc: int) -> str:
        return str(elements[int(graph.arc_kind[arc])][int(graph.arc_element[arc])])

    ends = {node: "origin:" + "/".join(key) for key, node in graph.origin_nodes.items()}
    ends |= {node: "destination:" + "/".join(key) for key, node in graph.destination_nodes.items()}
    states: dict[int, str] = {}

    def state(node: int) -> str:
        if node in ends:
            return ends[node]
        if node not in states:
            mode, gauge, unit = MODES[graph.node_mode[node]], GAUGES[graph.node_gauge[node]], LOADING_UNITS[graph.node_unit[node]]
            states[node] = f"{graph.place_ids[graph.node_place[node]]}/{mode}/{gauge}/{unit}"
            if graph.node_kind[node] == GATE:
                before = int(graph.in_arc[graph.in_first[node]])
                states[node] += f"/{element(before)} {_DIRECTIONS[graph.arc_direction[before]]}"
        return states[node]

    return [
        (
            _KINDS[graph.arc_kind[arc]],
            element(arc),
            _DIRECTIONS[graph.arc_direction[arc]],
            LOADING_UNITS[graph.arc_unit[arc]],
            LOADING_UNITS[graph.arc_unit_after[arc]],
            state(int(graph.arc_tail[arc])),
            state(int(graph.arc_head[arc])),
        )
        for arc in arcs.tolist()
    ]


def _market_frame(cleared: Cleared) -> pl.DataFrame:
    sets, assembly, clearing, problem = cleared.routed.sets, cleared.assembly, cleared.clearing, cleared.problem
    count = len(sets.market_ids)
    at_home = assembly.route_of < 0
    not_shipped = np.bincount(assembly.market_of_route[at_home], weights=clearing.route_flow_kt[at_home], minlength=count)[:count]
    names = pl.DataFrame(
        list(sets.market_ids), schema=dict.fromkeys(("market_id", "origin_node", "destination_node"), pl.String), orient="row"
    )
    return names.with_columns(
        base_flow_kt=pl.Series((problem.market_flow_kt * problem.market_factor)[:count]),
        demand_kt=pl.Series(clearing.market_demand_kt[:count]),
        not_shipped_kt=pl.Series(not_shipped),
        cost_usd_per_t=pl.Series(clearing.market_cost[:count]),
        price_weight=pl.Series(problem.market_price_weight[:count]),
    )


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
    return [(name, "facility") for name in cleared.routed.snapshot.tables["facilities"]["facility_id"]]
