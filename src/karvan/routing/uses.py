"""What routes use up and where they are counted: facilities, cordons, operators' revenue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing import _choice_kernels
from karvan.routing.cost import CONTAINER_CODE, HOURS_PER_DAY, element_is_estimate, payloads
from karvan.routing.graph import BACKWARD, LINK, TERMINAL, StateGraph
from karvan.routing.sets import RouteSets, taken_in_order
from karvan.schema import ANY, DAY_UNITS, LOADING_UNITS, UNIT_CARRIED

if TYPE_CHECKING:
    from karvan.routing.space import RouteSpace

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

WAGONS_PER_TRAIN = 50.0
TEU_PER_TRAIN = 100.0


@dataclass(frozen=True)
class Rows:
    """What routes use up: first the facilities in table order, then the balances of `returns`.

    Attributes:
        facility_count: Number of facilities.
        ids: facility_id and return_id of each row.
        is_summed: A route uses as much as all its links and terminals together (days, balances), not what the largest takes, shape (rows,).
    """

    facility_count: int
    ids: tuple[str, ...]
    is_summed: BoolArray

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.ids)

    @cached_property
    def marks(self) -> npt.NDArray[np.uint64]:
        """A random number for each row, the same in every run: sets of rows are told apart by the exclusive or of theirs, shape (rows,)."""
        return np.asarray(np.random.SeedSequence(0).generate_state(self.count, np.uint64), dtype=np.uint64)


@dataclass(frozen=True)
class ArcUses:
    """Rows that arcs use, for one commodity group; sorted by arc, then row.

    Attributes:
        arc: shape (uses,).
        row: Facility or balance, shape (uses,).
        units_per_t: Units per tonne; below zero where a balance is met from the other side, shape (uses,).
        origin, destination: Position among the regions of the only origin and destination it is for, -1 for any, shape (uses,).
    """

    arc: IntArray
    row: IntArray
    units_per_t: FloatArray
    origin: IntArray
    destination: IntArray

    @property
    def is_for_all(self) -> BoolArray:
        """Uses by goods of every origin and destination, shape (uses,)."""
        return (self.origin < 0) & (self.destination < 0)


@dataclass(frozen=True)
class FacilityEntries:
    """Rows that each route uses.

    Attributes:
        route_first_entry: shape (routes + 1,).
        entry_row: Facility or balance, rising within a route, shape (entries,).
        entry_units_per_t: Units per tonne of the route, shape (entries,).
        signature: Exclusive or of the marks of the rows that each route uses, shape (routes,).
        times: Most arcs of one route that use a row, at least one, shape (rows,).
    """

    route_first_entry: IntArray
    entry_row: IntArray
    entry_units_per_t: FloatArray
    signature: npt.NDArray[np.uint64]
    times: FloatArray


def rows_of(tables: Mapping[str, pl.DataFrame]) -> Rows:
    """What routes can use up."""
    facilities, returns = tables["facilities"], tables["returns"]
    in_days = facilities["unit"].cast(pl.String).is_in(DAY_UNITS).to_numpy()
    return Rows(
        facility_count=facilities.height,
        ids=(*facilities["facility_id"], *returns["return_id"]),
        is_summed=np.concatenate([in_days, np.ones(returns.height, dtype=np.bool_)]),
    )


@dataclass(frozen=True)
class UseScope:
    """What a row of facility_uses or returns says.

    Attributes:
        row: Facility, or balance after the facilities.
        commodity_groups: Its goods, or any.
        ends: Position among the regions of the only origin and destination it is for, -1 for any.
        arcs: Arcs that it is about.
        carried: Loading units before and after each arc.
        factor: Weight of the row on each arc: below zero where a balance is met from the other side.
        unit: What the facility counts; None for a balance, which counts the loading unit itself.
        days: Days that each arc takes.
    """

    row: int
    commodity_groups: frozenset[str]
    ends: tuple[int, int]
    arcs: tuple[int, ...]
    carried: tuple[frozenset[int], ...]
    factor: tuple[float, ...]
    unit: str | None
    days: tuple[float, ...]


def use_scopes(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> tuple[UseScope, ...]:
    """Every row of facility_uses and returns with the arcs that it is about."""
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    regions = {name: place for place, name in enumerate(sorted(tables["regions"]["region_id"]))}
    units = tables["facilities"]["unit"].cast(pl.String).to_list()
    days = (graph.arc_hours.sum(axis=1) / HOURS_PER_DAY).tolist()
    unit_of = [frozenset(pair) for pair in zip(graph.arc_unit.tolist(), graph.arc_unit_after.tolist(), strict=True)]
    direction = graph.arc_direction.tolist()
    found = []
    for row in tables["facility_uses"].iter_rows(named=True):
        kind, name = (LINK, row["link_id"]) if row["link_id"] is not None else (TERMINAL, row["terminal_id"])
        arcs = graph.arcs_of_element.get((kind, name), ())
        if row["direction"] != "both":
            arcs = tuple(arc for arc in arcs if (direction[arc] == BACKWARD) == (row["direction"] == "backward"))
        if row["loading_unit"] != ANY:
            code = LOADING_UNITS.index(row["loading_unit"])
            arcs = tuple(arc for arc in arcs if code in unit_of[arc])
        if arcs:
            facility = facilities[row["facility_id"]]
            ends = (regions.get(row["origin_region"], -1), regions.get(row["destination_region"], -1))
            carried, taken = tuple(unit_of[arc] for arc in arcs), tuple(days[arc] for arc in arcs)
            weight = (row["weight_factor"],) * len(arcs)
            found.append(UseScope(facility, frozenset({row["commodity_group"]}), ends, arcs, carried, weight, units[facility], taken))
    for number, row in enumerate(tables["returns"].iter_rows(named=True)):
        code = LOADING_UNITS.index(row["loading_unit"])
        arcs = tuple(arc for arc in graph.arcs_of_element.get((LINK, row["link_id"]), ()) if graph.arc_unit[arc] == code)
        goods = frozenset(name.strip() for name in row["commodities"].split(";"))
        sign = tuple(-1.0 if direction[arc] == BACKWARD else 1.0 for arc in arcs)
        both = (frozenset({code}),) * len(arcs)
        found.append(UseScope(len(facilities) + number, goods, (-1, -1), arcs, both, sign, None, (0.0,) * len(arcs)))
    return tuple(found)


def arc_uses(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], commodity_group: str, *, scopes: Sequence[UseScope] | None = None
) -> ArcUses:
    """Which facilities and balances an arc uses up and how much of them a tonne of some goods takes.

    One unit per tonne in kt; one over the payload of a TEU, wagon or truck in kteu, kwagons and kvehicles, for that loading
    unit only; trains are 50 wagons or 100 TEU; in kshipdays and kwagondays the days that the arc takes, for each loading unit. Where
    several rows of the same scope tie an arc to one facility the largest counts. A balance counts loading units over its link, those
    against the link's own direction below zero. `scopes` are those of the graph and tables, if they are known.
    """
    payload = payloads(tables, commodity_group)
    found: dict[tuple[int, int, int, int], float] = {}
    for scope in use_scopes(graph, tables) if scopes is None else scopes:
        if commodity_group not in scope.commodity_groups and ANY not in scope.commodity_groups:
            continue
        for arc, carried, factor, days in zip(scope.arcs, scope.carried, scope.factor, scope.days, strict=True):
            key = (arc, scope.row, *scope.ends)
            if scope.unit is None:
                per_t = 1.0 / float(payload[min(carried)])
                if not np.isnan(per_t):
                    found[key] = factor * per_t
                continue
            per_t = factor * _units_per_t(scope.unit, carried, payload, days)
            if per_t > 0.0:
                found[key] = max(found.get(key, 0.0), per_t)
    ordered = sorted(found)
    keys = np.array(ordered, dtype=np.int64).reshape(-1, 4)
    per_t_of = np.array([found[key] for key in ordered], dtype=np.float64)
    columns = [keys[:, column].copy() for column in range(4)]
    return ArcUses(columns[0], columns[1], per_t_of, columns[2], columns[3])


def _units_per_t(unit: str, carried: Collection[int], payload: FloatArray, days: float) -> float:
    """Units of a facility per tonne carried in one of some loading units on an arc of so many days; 0 if it does not count them."""
    wagon = LOADING_UNITS.index("wagon")
    if unit == "kt":
        return 1.0
    if unit == "ktrains":
        taken, per_unit = (CONTAINER_CODE, TEU_PER_TRAIN) if CONTAINER_CODE in carried else (wagon, WAGONS_PER_TRAIN)
    elif unit in UNIT_CARRIED:
        taken, per_unit = LOADING_UNITS.index(UNIT_CARRIED[unit]), 1.0
    else:
        taken, per_unit = min(carried), 1.0
    if taken not in carried or np.isnan(payload[taken]):
        return 0.0
    per_t = float(1.0 / (per_unit * payload[taken]))
    return per_t * days if unit in DAY_UNITS else per_t


@dataclass(frozen=True)
class EmptyRun:
    """A balance, and what an empty loading unit takes of other rows on its way over the link.

    Attributes:
        row: Row of the balance.
        usd_per_unit: Charge for an empty.
        operator: Row in operators that earns it.
        forward, backward: Units of each facility that an empty takes along and against the link's own direction.
    """

    row: int
    usd_per_unit: float
    operator: int
    forward: Mapping[int, float]
    backward: Mapping[int, float]


def empty_runs(tables: Mapping[str, pl.DataFrame]) -> tuple[EmptyRun, ...]:
    """What empties take, for each row of `returns`: room, but no tonnes, in the facilities that stand on the link itself."""
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    operators = {name: row for row, name in enumerate(tables["operators"]["operator_id"])}
    units = tables["facilities"]["unit"].cast(pl.String).to_list()
    hours = dict(tables["links"].select("link_id", "time_h").iter_rows())
    found = []
    for number, row in enumerate(tables["returns"].iter_rows(named=True)):
        taken: dict[str, dict[int, float]] = {"forward": {}, "backward": {}}
        is_general = (pl.col("commodity_group") == ANY) & pl.col("origin_region").is_null() & pl.col("destination_region").is_null()
        uses = tables["facility_uses"].filter((pl.col("link_id") == row["link_id"]) & is_general)
        for use in uses.iter_rows(named=True):
            if use["loading_unit"] not in (ANY, row["loading_unit"]):
                continue
            facility = facilities[use["facility_id"]]
            per_unit = _units_of_an_empty(units[facility], row["loading_unit"], hours[row["link_id"]] / HOURS_PER_DAY)
            for way in ("forward", "backward"):
                if use["direction"] in ("both", way) and per_unit > 0.0:
                    taken[way][facility] = max(taken[way].get(facility, 0.0), use["weight_factor"] * per_unit)
        found.append(EmptyRun(len(facilities) + number, row["empty_usd_per_unit"], operators[row["operator_id"]], **taken))
    return tuple(found)


def _units_of_an_empty(unit: str, loading_unit: str, days: float) -> float:
    """Units of a facility that an empty loading unit takes on an arc of so many days; it weighs nothing."""
    code = LOADING_UNITS.index(loading_unit)
    return 0.0 if unit == "kt" else _units_per_t(unit, {code}, np.ones(len(LOADING_UNITS)), days)


def facility_entries(space: RouteSpace, sets: RouteSets) -> FacilityEntries:
    """Facilities and balances that each route uses, per tonne.

    A facility that stands on several links or terminals of a route is used once, by the arc that takes most: it is one place
    in the chain, and each tonne passes it once. Days and balances add up over the route.
    """
    market, rows = sets.route_market, space.rows
    routes = _choice_kernels.Routes(sets.route_first_arc, sets.route_arc, space.commodity[market])
    return FacilityEntries(*_choice_kernels.entries(routes, space.all_uses, space.market_regions[market], rows.is_summed, rows.marks))


def entries_of(entries: FacilityEntries, is_in: BoolArray) -> FacilityEntries:
    """What some of the routes use."""
    return _taken(entries, np.flatnonzero(is_in))


def entries_together(one: FacilityEntries, other: FacilityEntries, order: IntArray) -> FacilityEntries:
    """What routes use, given for some and for others, in the order of their positions among both."""
    both = FacilityEntries(
        route_first_entry=np.append(one.route_first_entry, one.route_first_entry[-1] + other.route_first_entry[1:]),
        entry_row=np.append(one.entry_row, other.entry_row),
        entry_units_per_t=np.append(one.entry_units_per_t, other.entry_units_per_t),
        signature=np.append(one.signature, other.signature),
        times=np.maximum(one.times, other.times),
    )
    return _taken(both, order)


def _taken(entries: FacilityEntries, order: IntArray) -> FacilityEntries:
    first, place = taken_in_order(order, np.diff(entries.route_first_entry), np.arange(entries.entry_row.shape[0]))
    return FacilityEntries(first, entries.entry_row[place], entries.entry_units_per_t[place], entries.signature[order], entries.times)


def cordon_weights(tables: Mapping[str, pl.DataFrame], sets: RouteSets) -> dict[str, tuple[FloatArray, FloatArray]]:
    """What each cordon counts of each route: kt per kt (each tonne once) and thousand TEU per kt, each of shape (routes,)."""
    graph, table = sets.graph, tables["cordons"]
    links = {name: row for row, name in enumerate(tables["links"]["link_id"])}
    is_counted = np.zeros(len(links) + 1, dtype=np.bool_)  # the last one stands for arcs that are no link
    is_counted[[links[name] for name in table["link_id"]]] = True
    steps = np.flatnonzero(is_counted[graph.arc_link][sets.route_arc])
    steps = steps[np.argsort(graph.arc_link[sets.route_arc[steps]], kind="stable")]
    arcs, route = sets.route_arc[steps], sets.route_of_step[steps]
    link, is_backward, in_box = graph.arc_link[arcs], graph.arc_direction[arcs] == BACKWARD, graph.arc_unit[arcs] == CONTAINER_CODE
    market = sets.route_market[route]
    labels = {
        "commodity_group": np.array(sets.market_commodity, dtype=np.str_),
        "origin_region": np.array(sets.market_origin_region, dtype=np.str_),
        "destination_region": np.array(sets.market_destination_region, dtype=np.str_),
    }
    per_box = {name: 1.0 / payloads(tables, name)[CONTAINER_CODE] for name in sorted(set(sets.market_commodity))}
    teu_per_t = np.array([per_box[name] for name in sets.market_commodity], dtype=np.float64)[market]
    found: dict[str, tuple[FloatArray, FloatArray]] = {}
    for row in table.sort("cordon_id", maintain_order=True).iter_rows(named=True):
        tonnes, boxes = found.setdefault(row["cordon_id"], (np.zeros(sets.route_count), np.zeros(sets.route_count)))
        on_link = slice(*np.searchsorted(link, [links[row["link_id"]], links[row["link_id"]] + 1]))
        counts = np.ones(link[on_link].shape[0], dtype=np.bool_)
        if row["direction"] != "both":
            counts &= is_backward[on_link] == (row["direction"] == "backward")
        for column, values in labels.items():
            if row[column] not in (None, ANY):
                counts &= (values == row[column])[market[on_link]]
        tonnes[route[on_link][counts]] = 1.0
        counts &= in_box[on_link]
        boxes[route[on_link][counts]] = teu_per_t[on_link][counts]
    return found


@dataclass(frozen=True)
class ArcRates:
    """Who is paid what on each arc, and what of it is an estimate.

    Attributes:
        operator: Row in operators, -1 for nobody, shape (arcs,).
        rate_usd_per_t: Tariff and charges, shape (goods, arcs).
        charge_is_estimate: The row that sets the charge is an estimate, shape (goods, arcs).
        time_is_estimate: The link, terminal or access row that sets the time is an estimate, shape (arcs,).
        hours: Time of the arc, shape (arcs,).
    """

    operator: IntArray
    rate_usd_per_t: FloatArray
    charge_is_estimate: BoolArray
    time_is_estimate: BoolArray
    hours: FloatArray


def arc_rates(space: RouteSpace, tables: Mapping[str, pl.DataFrame]) -> ArcRates:
    """Tariffs and charges of each arc to each goods."""
    costs = [space.goods[name].costs for name in space.names]
    shape = (len(costs), space.graph.arc_count)
    return ArcRates(
        operator=space.graph.arc_operator,
        rate_usd_per_t=np.array([each.tariff + each.handling for each in costs]).reshape(shape),
        charge_is_estimate=np.array([each.is_estimate for each in costs]).reshape(shape).astype(np.bool_),
        time_is_estimate=element_is_estimate(space.graph, tables),
        hours=space.graph.arc_hours.sum(axis=1),
    )


def arc_flows(space: RouteSpace, sets: RouteSets, route_flow_kt: FloatArray) -> FloatArray:
    """Flow of each goods on each arc, kt, shape (goods, arcs)."""
    found = np.empty((len(space.names), space.graph.arc_count))
    routes = _choice_kernels.Routes(sets.route_first_arc, sets.route_arc, space.commodity[sets.route_market])
    _choice_kernels.arc_flows(routes, np.ascontiguousarray(route_flow_kt, dtype=np.float64), found)
    return found


def operator_revenue(tables: Mapping[str, pl.DataFrame], rates: ArcRates, arc_flow_kt: FloatArray) -> dict[str, float]:
    """Tariffs and charges that each operator takes from flows on arcs, thousand USD."""
    operators = tables["operators"]["operator_id"].to_list()
    paid = (rates.rate_usd_per_t * arc_flow_kt).sum(axis=0)
    is_paid = rates.operator >= 0
    revenue = np.bincount(rates.operator[is_paid], weights=paid[is_paid], minlength=len(operators))
    return dict(zip(operators, revenue.tolist(), strict=True))
