"""What routes use up and where they are counted: facilities, cordons, operators' revenue."""

from __future__ import annotations

from collections.abc import Mapping
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
    in_days = np.array([unit in DAY_UNITS for unit in facilities["unit"].to_list()], dtype=np.bool_)
    return Rows(
        facility_count=facilities.height,
        ids=(*facilities["facility_id"], *returns["return_id"]),
        is_summed=np.concatenate([in_days, np.ones(returns.height, dtype=np.bool_)]),
    )


@dataclass(frozen=True)
class Claims:
    """What the rows of facility_uses and returns say of arcs: a claim for each row and arc, in the order of the rows.

    Attributes:
        goods: Goods of each row of the two tables that claims something, or any.
        of: Position of the claim's row in `goods`, shape (claims,).
        arc: shape (claims,).
        row: Facility, or balance after the facilities, shape (claims,).
        origin, destination: Position among the regions of the only origin and destination it is for, -1 for any, shape (claims,).
        factor: Weight of the row on the arc: below zero where a balance is met from the other side, shape (claims,).
        before, after: Loading units carried, shape (claims,).
        days: Days that the arc takes, shape (claims,).
        units: What each facility counts; the loading unit itself, "", for a balance.
    """

    goods: tuple[frozenset[str], ...]
    of: IntArray
    arc: IntArray
    row: IntArray
    origin: IntArray
    destination: IntArray
    factor: FloatArray
    before: IntArray
    after: IntArray
    days: FloatArray
    units: tuple[str, ...]


def claims_of(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> Claims:
    """Every row of facility_uses and returns with the arcs that it is about."""
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    regions = {name: place for place, name in enumerate(sorted(tables["regions"]["region_id"]))}
    is_backward = graph.arc_direction == BACKWARD
    goods: list[frozenset[str]] = []
    said: list[tuple[int, int, int]] = []
    arcs_of: list[IntArray] = []
    weights: list[FloatArray] = []

    def claim(arcs: IntArray, about: frozenset[str], row: int, origin: int, destination: int, factor: FloatArray) -> None:
        goods.append(about)
        said.append((row, origin, destination))
        arcs_of.append(arcs)
        weights.append(factor)

    for row in tables["facility_uses"].iter_rows(named=True):
        kind, name = (LINK, row["link_id"]) if row["link_id"] is not None else (TERMINAL, row["terminal_id"])
        arcs = np.array(graph.arcs_of_element.get((kind, name), ()), dtype=np.int64)
        if row["direction"] != "both":
            arcs = arcs[is_backward[arcs] == (row["direction"] == "backward")]
        if row["loading_unit"] != ANY:
            code = LOADING_UNITS.index(row["loading_unit"])
            arcs = arcs[(graph.arc_unit[arcs] == code) | (graph.arc_unit_after[arcs] == code)]
        ends = (regions.get(row["origin_region"], -1), regions.get(row["destination_region"], -1))
        weight = np.full(arcs.shape[0], row["weight_factor"])
        claim(arcs, frozenset({row["commodity_group"]}), facilities[row["facility_id"]], *ends, weight)
    for number, row in enumerate(tables["returns"].iter_rows(named=True)):
        arcs = np.array(graph.arcs_of_element.get((LINK, row["link_id"]), ()), dtype=np.int64)
        arcs = arcs[graph.arc_unit[arcs] == LOADING_UNITS.index(row["loading_unit"])]
        about = frozenset(name.strip() for name in row["commodities"].split(";"))
        claim(arcs, about, len(facilities) + number, -1, -1, np.where(is_backward[arcs], -1.0, 1.0))
    arc = np.concatenate([np.zeros(0, dtype=np.int64), *arcs_of])
    of = np.repeat(np.arange(len(goods), dtype=np.int64), [arcs.shape[0] for arcs in arcs_of])
    about_rows = np.array(said, dtype=np.int64).reshape(-1, 3)[of]
    return Claims(
        goods=tuple(goods),
        of=of,
        arc=arc,
        row=about_rows[:, 0],
        origin=about_rows[:, 1],
        destination=about_rows[:, 2],
        factor=np.concatenate([np.zeros(0), *weights]),
        before=graph.arc_unit[arc],
        after=graph.arc_unit_after[arc],
        days=graph.arc_hours.sum(axis=1)[arc] / HOURS_PER_DAY,
        units=(*tables["facilities"]["unit"].cast(pl.String), *([""] * tables["returns"].height)),
    )


def arc_uses(claims: Claims, commodity_group: str, payload: FloatArray) -> ArcUses:
    """Which facilities and balances an arc uses up and how much of them a tonne of some goods takes.

    One unit per tonne in kt; one over the payload of a TEU, wagon or truck in kteu, kwagons and kvehicles, for that loading
    unit only; trains are 50 wagons or 100 TEU; in kshipdays and kwagondays the days that the arc takes, for each loading unit. Where
    several rows of the same scope tie an arc to one facility the largest counts. A balance counts loading units over its link, those
    against the link's own direction below zero.

    Args:
        claims: What the rows say.
        commodity_group: The goods.
        payload: Its payload by loading unit, as `payloads` gives it.
    """
    is_for = np.array([commodity_group in goods or ANY in goods for goods in claims.goods], dtype=np.bool_)[claims.of]
    taken = np.flatnonzero(is_for)
    unit_of, per_t = np.array(claims.units, dtype=np.str_)[claims.row[taken]], np.zeros(taken.shape[0])
    for unit in sorted(set(unit_of.tolist())):
        its = np.flatnonzero(unit_of == unit)
        at = taken[its]
        per_t[its] = claims.factor[at] * _units_per_t(unit, claims.before[at], claims.after[at], payload, claims.days[at])
    is_used = per_t != 0.0
    taken, per_t = taken[is_used], per_t[is_used]
    keys = [column[taken] for column in (claims.destination, claims.origin, claims.row, claims.arc)]
    order = np.lexsort(keys)
    keys = [key[order] for key in keys]
    is_first = np.ones(order.shape[0], dtype=np.bool_)
    is_first[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    starts = np.flatnonzero(is_first)
    largest = np.maximum.reduceat(per_t[order], starts) if starts.shape[0] else per_t
    destination, origin, row, arc = (key[starts] for key in keys)
    return ArcUses(arc, row, largest, origin, destination)


def _units_per_t(unit: str, before: IntArray, after: IntArray, payload: FloatArray, days: FloatArray) -> FloatArray:
    """Units of a facility per tonne carried in one of two loading units on an arc of so many days; 0 where it does not count them."""
    wagon = LOADING_UNITS.index("wagon")
    if unit == "kt":
        return np.ones(before.shape[0])
    in_box = (before == CONTAINER_CODE) | (after == CONTAINER_CODE)
    taken, per_unit = np.minimum(before, after), np.ones(before.shape[0])
    if unit == "ktrains":
        taken, per_unit = np.where(in_box, CONTAINER_CODE, wagon), np.where(in_box, TEU_PER_TRAIN, WAGONS_PER_TRAIN)
    elif unit in UNIT_CARRIED:
        taken = np.full(before.shape[0], LOADING_UNITS.index(UNIT_CARRIED[unit]))
    is_counted = ((before == taken) | (after == taken)) & ~np.isnan(payload[taken])
    per_t = np.where(is_counted, 1.0 / (per_unit * payload[taken]), 0.0)
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
    units = tables["facilities"]["unit"].to_list()
    hours = dict(zip(tables["links"]["link_id"].to_list(), tables["links"]["time_h"].to_list(), strict=True))
    is_general = (pl.col("commodity_group") == ANY) & pl.col("origin_region").is_null() & pl.col("destination_region").is_null()
    on_returns = tables["facility_uses"].filter(is_general & pl.col("link_id").is_in(tables["returns"]["link_id"].to_list()))
    uses = list(on_returns.iter_rows(named=True))
    found = []
    for number, row in enumerate(tables["returns"].iter_rows(named=True)):
        taken: dict[str, dict[int, float]] = {"forward": {}, "backward": {}}
        for use in uses:
            if use["link_id"] != row["link_id"] or use["loading_unit"] not in (ANY, row["loading_unit"]):
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
    carried = np.array([LOADING_UNITS.index(loading_unit)], dtype=np.int64)
    return 0.0 if unit == "kt" else float(_units_per_t(unit, carried, carried, np.ones(len(LOADING_UNITS)), np.array([days]))[0])


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
    names = sorted(set(table["cordon_id"]))
    links = {name: row for row, name in enumerate(tables["links"]["link_id"])}
    goods = {name: code for code, name in enumerate(sorted(set(sets.market_commodity)))}
    regions = {name: code for code, name in enumerate(sorted({*sets.market_origin_region, *sets.market_destination_region}))}
    link_of_arc, is_backward = graph.arc_link, graph.arc_direction == BACKWARD
    arcs_of, said = [np.zeros(0, dtype=np.int64)], []
    for row in table.iter_rows(named=True):
        is_on = link_of_arc == links[row["link_id"]]
        arcs_of.append(np.flatnonzero(is_on if row["direction"] == "both" else is_on & (is_backward == (row["direction"] == "backward"))))
        only = [
            -1 if row[column] in (None, ANY) else known.get(row[column], -2)
            for column, known in (("commodity_group", goods), ("origin_region", regions), ("destination_region", regions))
        ]
        said.append((names.index(row["cordon_id"]), *only))
    arc = np.concatenate(arcs_of)
    order = np.argsort(arc, kind="stable")
    counted = np.repeat(np.array(said, dtype=np.int64).reshape(-1, 4), [arcs.shape[0] for arcs in arcs_of[1:]], axis=0)[order]
    first = np.searchsorted(arc[order], np.arange(graph.arc_count + 1)).astype(np.int64)
    payload = payloads(tables)
    ends = (sets.market_commodity, sets.market_origin_region, sets.market_destination_region)
    codes = np.array(
        [[known[name] for name in column] for known, column in zip((goods, regions, regions), ends, strict=True)], dtype=np.int64
    )
    teu_per_t = np.array([1.0 / payload[name][CONTAINER_CODE] for name in sets.market_commodity], dtype=np.float64)
    tonnes, boxes = np.zeros((len(names), sets.route_count)), np.zeros((len(names), sets.route_count))
    routes = _choice_kernels.Routes(sets.route_first_arc, sets.route_arc, sets.route_market)
    in_box = graph.arc_unit == CONTAINER_CODE
    _choice_kernels.cordons(routes, first, counted, codes.reshape(3, -1), (in_box, teu_per_t), tonnes, boxes)
    return {name: (tonnes[number], boxes[number]) for number, name in enumerate(names)}


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
