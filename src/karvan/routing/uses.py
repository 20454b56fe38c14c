"""What routes use up and where they are counted: facilities, cordons, operators' revenue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.routing.cost import CONTAINER_CODE, arc_costs, element_is_estimate, payloads
from karvan.routing.graph import BACKWARD, LINK, TERMINAL, StateGraph
from karvan.routing.sets import RouteSets
from karvan.schema import ANY, LOADING_UNITS

if TYPE_CHECKING:
    from karvan.routing.space import RouteSpace

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

WAGONS_PER_TRAIN = 50.0
TEU_PER_TRAIN = 100.0
_UNITS_TAKEN = {"kteu": "container", "kwagons": "wagon", "kvehicles": "truck"}


@dataclass(frozen=True)
class ArcUses:
    """Facilities that arcs use, for one commodity group; sorted by arc, then facility.

    Attributes:
        arc: shape (uses,).
        facility: Row in facilities, shape (uses,).
        units_per_t: Units of the facility per tonne, shape (uses,).
    """

    arc: IntArray
    facility: IntArray
    units_per_t: FloatArray


@dataclass(frozen=True)
class FacilityEntries:
    """Facilities that each route uses.

    Attributes:
        route_first_entry: shape (routes + 1,).
        entry_row: Row in facilities, rising within a route, shape (entries,).
        entry_units_per_t: Units of the facility per tonne of the route, shape (entries,).
    """

    route_first_entry: IntArray
    entry_row: IntArray
    entry_units_per_t: FloatArray


def arc_uses(graph: StateGraph, tables: Mapping[str, pl.DataFrame], commodity_group: str) -> ArcUses:
    """Which facilities an arc uses up and how much of them a tonne of some goods takes.

    One unit per tonne in kt; one over the payload of a TEU, wagon or truck in kteu, kwagons and kvehicles, for that loading
    unit only; trains are 50 wagons or 100 TEU. Where several rows tie an arc to one facility the largest counts.
    """
    payload = payloads(tables, commodity_group)
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    units = tables["facilities"]["unit"].cast(pl.String).to_list()
    elements = {
        LINK: {name: row for row, name in enumerate(tables["links"]["link_id"])},
        TERMINAL: {name: row for row, name in enumerate(tables["terminals"]["terminal_id"])},
    }
    arcs_of: dict[tuple[int, int], list[int]] = {}
    for arc, (kind, element) in enumerate(zip(graph.arc_kind.tolist(), graph.arc_element.tolist(), strict=True)):
        arcs_of.setdefault((kind, element), []).append(arc)
    found: dict[tuple[int, int], float] = {}
    rows = tables["facility_uses"].filter(pl.col("commodity_group").is_in([commodity_group, ANY]))
    for row in rows.iter_rows(named=True):
        kind, name = (LINK, row["link_id"]) if row["link_id"] is not None else (TERMINAL, row["terminal_id"])
        facility = facilities[row["facility_id"]]
        for arc in arcs_of.get((kind, elements[kind][name]), ()):
            if row["direction"] != "both" and (graph.arc_direction[arc] == BACKWARD) != (row["direction"] == "backward"):
                continue
            carried = {int(graph.arc_unit[arc]), int(graph.arc_unit_after[arc])}
            if row["loading_unit"] != ANY and LOADING_UNITS.index(row["loading_unit"]) not in carried:
                continue
            per_t = _units_per_t(units[facility], carried, payload)
            if per_t > 0.0:
                found[arc, facility] = max(found.get((arc, facility), 0.0), row["weight_factor"] * per_t)
    keys = sorted(found)
    return ArcUses(
        arc=np.array([arc for arc, _ in keys], dtype=np.int64),
        facility=np.array([facility for _, facility in keys], dtype=np.int64),
        units_per_t=np.array([found[key] for key in keys], dtype=np.float64),
    )


def _units_per_t(unit: str, carried: set[int], payload: FloatArray) -> float:
    """Units of a facility per tonne carried in one of some loading units; 0 if it does not count them."""
    wagon = LOADING_UNITS.index("wagon")
    if unit == "kt":
        return 1.0
    if unit == "ktrains":
        taken, per_unit = (CONTAINER_CODE, TEU_PER_TRAIN) if CONTAINER_CODE in carried else (wagon, WAGONS_PER_TRAIN)
    else:
        taken, per_unit = LOADING_UNITS.index(_UNITS_TAKEN[unit]), 1.0
    if taken not in carried or np.isnan(payload[taken]):
        return 0.0
    return float(1.0 / (per_unit * payload[taken]))


def facility_entries(space: RouteSpace, sets: RouteSets) -> FacilityEntries:
    """Facilities that each route uses, per tonne.

    A facility that stands on several links or terminals of a route is used once, by the arc that takes most: it is one place
    in the chain, and each tonne passes it once.
    """
    route_count = sets.route_count
    route_of_step = sets.route_of_step
    found_route, found_facility, found_units = [], [], []
    for commodity, steps in sets.steps_by_commodity():
        uses, first = space.goods[commodity].uses, space.goods[commodity].use_first
        arcs = sets.route_arc[steps]
        counts = first[arcs + 1] - first[arcs]
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entries = np.repeat(first[arcs], counts) + offset
        found_route.append(np.repeat(route_of_step[steps], counts))
        found_facility.append(uses.facility[entries])
        found_units.append(uses.units_per_t[entries])
    nothing = np.zeros(0, dtype=np.int64)
    row, route = np.concatenate([nothing, *found_facility]), np.concatenate([nothing, *found_route])
    stride = int(row.max(initial=0)) + 1
    entry, position = np.unique(route * stride + row, return_inverse=True)
    units = np.zeros(entry.shape[0])
    np.maximum.at(units, position, np.concatenate([np.zeros(0), *found_units]))
    first_entry = np.searchsorted(entry // stride, np.arange(route_count + 1)).astype(np.int64)
    return FacilityEntries(first_entry, (entry % stride).astype(np.int64), units)


def cordon_weights(graph: StateGraph, tables: Mapping[str, pl.DataFrame], sets: RouteSets, cordon_id: str) -> tuple[FloatArray, FloatArray]:
    """What a cordon counts of each route: kt per kt (each tonne once) and thousand TEU per kt, each of shape (routes,).

    Raises:
        DataError: No such cordon.
    """
    rows = tables["cordons"].filter(pl.col("cordon_id") == cordon_id)
    if rows.height == 0:
        raise DataError(Problem("cordons", None, "cordon_id", f"no cordon {cordon_id}; add it or use a listed one"))
    links = {name: row for row, name in enumerate(tables["links"]["link_id"])}
    is_counted = np.zeros(len(links) + 1, dtype=np.bool_)  # the last one stands for arcs that are no link
    is_counted[[links[name] for name in rows["link_id"]]] = True
    steps = np.flatnonzero(is_counted[graph.arc_link[sets.route_arc]])
    arcs, route = sets.route_arc[steps], sets.route_of_step[steps]
    link, is_backward, in_box = graph.arc_link[arcs], graph.arc_direction[arcs] == BACKWARD, graph.arc_unit[arcs] == CONTAINER_CODE
    market = sets.route_market[route]
    labels = {
        "commodity_group": np.array(sets.market_commodity, dtype=np.str_)[market],
        "origin_region": np.array(sets.market_origin_region, dtype=np.str_)[market],
        "destination_region": np.array(sets.market_destination_region, dtype=np.str_)[market],
    }
    per_box = {name: 1.0 / payloads(tables, name)[CONTAINER_CODE] for name in sorted(set(sets.market_commodity))}
    teu_per_t = np.array([per_box[name] for name in sets.market_commodity], dtype=np.float64)[market]
    tonnes, boxes = np.zeros(sets.route_count), np.zeros(sets.route_count)
    for row in rows.iter_rows(named=True):
        counts = link == links[row["link_id"]]
        if row["direction"] != "both":
            counts &= is_backward == (row["direction"] == "backward")
        for column, values in labels.items():
            if row[column] not in (None, ANY):
                counts &= values == row[column]
        tonnes[route[counts]] = 1.0
        boxes[route[counts & in_box]] = teu_per_t[counts & in_box]
    return tonnes, boxes


@dataclass(frozen=True)
class RevenueRates:
    """Who is paid what on each step of the routes, in the order of route_arc.

    Attributes:
        operator: Row in operators, -1 for nobody, shape (steps,).
        rate_usd_per_t: Tariff and charges, shape (steps,).
        charge_is_estimate: The row that sets the charge is an estimate, shape (steps,).
        time_is_estimate: The link, terminal or access row that sets the time is an estimate, shape (steps,).
        hours: Time of the step, shape (steps,).
    """

    operator: IntArray
    rate_usd_per_t: FloatArray
    charge_is_estimate: BoolArray
    time_is_estimate: BoolArray
    hours: FloatArray


def revenue_rates(graph: StateGraph, tables: Mapping[str, pl.DataFrame], sets: RouteSets) -> RevenueRates:
    """Tariffs and charges on each step of the routes."""
    operator, rate = np.full(sets.route_arc.shape[0], -1, dtype=np.int64), np.zeros(sets.route_arc.shape[0])
    is_estimate = np.zeros(sets.route_arc.shape[0], dtype=np.bool_)
    for commodity, steps in sets.steps_by_commodity():
        costs = arc_costs(graph, tables, commodity, co2_price_usd_per_t=0.0)
        arcs = sets.route_arc[steps]
        operator[steps], rate[steps] = costs.operator[arcs], (costs.tariff + costs.handling)[arcs]
        is_estimate[steps] = costs.is_estimate[arcs]
    by_element, hours = element_is_estimate(graph, tables), graph.arc_hours.sum(axis=1)
    return RevenueRates(operator, rate, is_estimate, by_element[sets.route_arc], hours[sets.route_arc])


def operator_revenue(
    tables: Mapping[str, pl.DataFrame], sets: RouteSets, rates: RevenueRates, route_flow_kt: FloatArray
) -> dict[str, float]:
    """Tariffs and charges that each operator takes from flows on routes, thousand USD."""
    operators = tables["operators"]["operator_id"].to_list()
    paid = rates.rate_usd_per_t * route_flow_kt[sets.route_of_step]
    is_paid = rates.operator >= 0
    revenue = np.bincount(rates.operator[is_paid], weights=paid[is_paid], minlength=len(operators))
    return dict(zip(operators, revenue.tolist(), strict=True))
