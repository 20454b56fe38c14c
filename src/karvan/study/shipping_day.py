"""The network on one day as shippers see it: goods may start and end at any place."""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor, Snapshot
from karvan.errors import DataError, Problem
from karvan.measures import Scenario
from karvan.measures.apply import apply_day
from karvan.routing import ArcCosts, StateGraph, arc_costs, build_graph, compile_families
from karvan.routing.cabotage import cabotage_closings, cabotage_met, cabotage_rules
from karvan.routing.cost import Charges, charges_of
from karvan.routing.families import Families
from karvan.routing.graph import TERMINAL
from karvan.routing.hierarchy import MOST_BITS
from karvan.routing.limits import Cargo, Quota, grounded_closings, limit_closings, quota_closings, quotas_of
from karvan.routing.options import Bounds, Criteria, Ends, bounds_to, criteria_of
from karvan.routing.permissions import Rule, binding, closed_arcs, rules_for, rules_in_force
from karvan.routing.refusals import Closing
from karvan.routing.timetable import delayed, in_month, timetable
from karvan.schema import ANY
from karvan.study.names import Directory, RegionFinder, arcs_named, bits_named, directory
from karvan.study.rule_calendar import RuleCalendar
from karvan.study.run_scarcity import RunScarcity
from karvan.study.shipping import Teller
from karvan.study.user_quotes import UserQuotes

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_BOUNDS_KEPT = 64
"""How many reverse searches a day keeps; questions that come in the order of their destinations find theirs."""


class ShippingDay:
    """The network on one day, between any two places; with all that is built or planned open, too, to know what is missed."""

    def __init__(
        self,
        corridor: Corridor,
        scenario: Scenario,
        date: datetime.date,
        *,
        is_departure: bool,
        is_all_open: bool,
        quotes: UserQuotes | None = None,
        scarcity: RunScarcity | None = None,
        over: Callable[[Snapshot], Snapshot] | None = None,
    ) -> None:
        self.date, self._scarcity = date, scarcity
        snapshot = apply_day(scenario, corridor, date)
        self._snapshot_tables: Mapping[str, pl.DataFrame] = (snapshot if over is None else over(snapshot)).tables
        self.quoted_from: int = self._snapshot_tables["tariffs"].height
        self._quoted_terminals = frozenset(() if quotes is None else quotes.terminals)
        if quotes is not None:
            self._snapshot_tables = quotes.laid_over(self._snapshot_tables)
        self.closed_ids: frozenset[str] = frozenset()
        if is_all_open:
            parts = [(name, key, self._snapshot_tables[name]) for name, key in (("links", "link_id"), ("terminals", "terminal_id"))]
            self.closed_ids = frozenset(row for _, key, frame in parts for row in frame.filter(~pl.col("is_open"))[key])
            opened = {name: frame.with_columns(is_open=pl.lit(value=True)) for name, _, frame in parts}
            self._snapshot_tables = {**self._snapshot_tables, **opened}
        self.tables = tables_between_places(self._snapshot_tables)
        graph = build_graph(self.tables)
        self.graph: StateGraph = in_month(graph, self.tables, date.month) if is_departure else graph
        self.times = timetable(self.graph, self.tables, depart=date if is_departure else None)
        self.families: Families = compile_families(self.tables)
        self.rules = rules_in_force(self.tables, date)
        self.co2_price_usd_per_t = corridor.manifest.co2_price_usd_per_t
        self._goods: dict[str, tuple[ArcCosts, Criteria]] = {}
        self._closed: dict[int, BoolArray] = {}
        self._closings: dict[tuple[str | None, str | None, str], tuple[Closing, ...]] = {}
        self._past: dict[tuple[str | None, str | None, str], tuple[Closing, ...]] = {}
        self._nothing = np.zeros(self.graph.arc_count)
        self._full: dict[str, tuple[FloatArray, FloatArray]] = {}
        self._limits: dict[tuple[str, float | None, float | None, bool, str | None, bool], tuple[Closing, ...]] = {}
        self._cabotage: dict[tuple[str | None, str, str], tuple[Closing, ...]] = {}
        self._tellers: dict[str, Teller] = {}
        self._regions: dict[tuple[str, str, str], str | None] = {}
        self._bounds: OrderedDict[tuple[str, int, bytes, bytes], Bounds] = OrderedDict()

    @cached_property
    def places(self) -> Directory:
        """Names of places."""
        return directory(self.tables["places"], "places", "place_id")

    @cached_property
    def goods_names(self) -> Directory:
        """Names of goods."""
        return directory(self.tables["commodities"], "commodities", "commodity_group")

    def region(self, place: Mapping[str, Any], commodity_group: str, side: str) -> str | None:
        """The region whose rules hold for goods at a place."""
        key = (str(place["place_id"]), commodity_group, side)
        if key not in self._regions:
            self._regions[key] = self._finder.region(place, commodity_group, side)
        return self._regions[key]

    @cached_property
    def _finder(self) -> RegionFinder:
        return RegionFinder(self._snapshot_tables)

    def teller(self, commodity_group: str) -> Teller:
        """What tells ways of some goods."""
        if commodity_group not in self._tellers:
            self._tellers[commodity_group] = Teller(
                self.graph, self.tables, self.goods(commodity_group), self.families, commodity_group, self.date,
                is_quoted=self._is_quoted(commodity_group), scarcity=self._scarce(commodity_group)[0],
            )  # fmt: skip
        return self._tellers[commodity_group]

    @cached_property
    def _charges(self) -> Charges:
        return charges_of(self.graph, self.tables, quoted_from=self.quoted_from)

    def goods(self, commodity_group: str) -> tuple[ArcCosts, Criteria]:
        """Costs of arcs to some goods, and what they add to a way."""
        if commodity_group not in self._goods:
            costs = arc_costs(
                self.graph, self.tables, commodity_group, co2_price_usd_per_t=self.co2_price_usd_per_t, charges=self._charges
            )  # fmt: skip
            scarcity, hours = self._scarce(commodity_group)
            self._goods[commodity_group] = (costs, criteria_of(self.graph, costs, delayed(self.times, hours), scarcity=scarcity))
        return self._goods[commodity_group]

    def _scarce(self, commodity_group: str) -> tuple[FloatArray, FloatArray]:
        """Scarcity, USD/t, and hours that full facilities add, by arc."""
        if self._scarcity is None:
            return self._nothing, self._nothing
        if commodity_group not in self._full:
            self._full[commodity_group] = self._scarcity.on_arcs(self.graph, self.tables, commodity_group, self.date.year)
        return self._full[commodity_group]

    def _is_quoted(self, commodity_group: str) -> BoolArray:
        """Arcs whose charge the user was quoted."""
        found = self.goods(commodity_group)[0].tariff_row >= self.quoted_from
        for name in self._quoted_terminals:
            found[list(self.graph.arcs_of_element.get((TERMINAL, name), ()))] = True
        return found

    def limits(self, commodity_group: str, cargo: Cargo) -> tuple[Closing, ...]:
        """Limits in force that a shipment goes beyond, and links whose ships may load nothing."""
        key = (commodity_group, cargo.unit_t, cargo.piece_t, cargo.is_reefer, cargo.hazard_class, cargo.is_out_of_gauge)
        if key not in self._limits:
            payload = self._charges.payload[commodity_group]
            self._limits[key] = (*limit_closings(self.graph, self.tables, cargo, payload, self.date), *self._grounded)
        return self._limits[key]

    def cabotage(self, carrier: str | None, ends: tuple[str, str]) -> tuple[Closing, ...]:
        """What rules about carriage within a country close to a carrier, for a shipment between two countries."""
        key = (carrier, *ends)
        if key not in self._cabotage:
            self._cabotage[key] = cabotage_closings(self.graph, self.tables, self._carrier_rules(carrier), ends)
        return self._cabotage[key]

    def cabotage_met(self, carrier: str | None, arcs: IntArray) -> tuple[Rule, ...]:
        """Rules about carriage within a country that a way may meet."""
        return cabotage_met(self.graph, self.tables, self._carrier_rules(carrier), arcs)

    def _carrier_rules(self, carrier: str | None) -> tuple[Rule, ...]:
        return cabotage_rules(self.tables, carrier, self.date)

    @cached_property
    def _grounded(self) -> tuple[Closing, ...]:
        return grounded_closings(self.graph, self.tables, self.date)

    @cached_property
    def _quotas(self) -> tuple[Quota, ...]:
        return quotas_of(self.graph, self.tables)

    def closings(self, regions: tuple[str | None, str | None], commodity_group: str) -> tuple[Closing, ...]:
        """Rules and quotas in force that bind goods between two regions, each with the arcs that it closes."""
        key = (*regions, commodity_group)
        if key not in self._closings:
            concerned = concerning(self.rules, regions, commodity_group)
            quotas = quota_closings(self._quotas, commodity_group, regions)
            self._closings[key] = (*(self.closing(rules) for rules in binding(concerned)), *quotas)
        return self._closings[key]

    def past(self, calendar: RuleCalendar, regions: tuple[str | None, str | None], commodity_group: str) -> tuple[Closing, ...]:
        """Bans no longer in force that bound goods between two regions."""
        key = (*regions, commodity_group)
        if key not in self._past:
            concerned = concerning(calendar.past(self.date), regions, commodity_group)
            self._past[key] = tuple(self.closing(rules) for rules in binding(concerned))
        return self._past[key]

    def closing(self, rules: tuple[Rule, ...]) -> Closing:
        """Some rows of one rule and the arcs they close."""
        arcs = np.zeros(self.graph.arc_count, dtype=np.bool_)
        for rule in rules:
            if rule["row"] not in self._closed:
                self._closed[rule["row"]] = closed_arcs(self.graph, self.tables, rule)
            arcs |= self._closed[rule["row"]]
        return Closing(rules, arcs)

    def bounds(self, commodity_group: str, mask: BoolArray, ends: Ends) -> Bounds:
        """Reverse searches from the destination, which questions from other origins share."""
        key = (commodity_group, ends.destination, mask.tobytes(), ends.bits.tobytes() if ends.bit_count else b"")
        if key in self._bounds:
            self._bounds.move_to_end(key)
            return self._bounds[key]
        found = bounds_to(self.graph, self.goods(commodity_group)[1], mask, ends)
        self._bounds[key] = found
        if len(self._bounds) > _BOUNDS_KEPT:
            self._bounds.popitem(last=False)
        return found

    def asked(
        self, start: Mapping[str, Any], end: Mapping[str, Any], commodity_group: str, avoid: tuple[str, ...], via: tuple[str, ...]
    ) -> tuple[Ends | None, BoolArray]:
        """What is asked of a way, None where nothing open leads from the start or to the end, and arcs that this leaves open."""
        bits, bit_count, mask = bits_named(self.graph, self.tables, self.places, via, commodity_group)
        if bit_count > MOST_BITS:
            raise DataError(Problem("--via", None, None, f"asks for {bit_count} things at once, must be at most {MOST_BITS}"))
        for word in avoid:
            mask &= ~arcs_named(self.graph, self.tables, self.places, word, "--avoid")
        origin = self.graph.origin_nodes.get(_centroid(start))
        destination = self.graph.destination_nodes.get(_centroid(end))
        return None if origin is None or destination is None else Ends(origin, destination, bits, bit_count), mask


def _centroid(place: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (f"at_{place['place_id']}", "both", ANY, str(place["place_id"]))


def concerning(rules: tuple[Rule, ...], regions: tuple[str | None, str | None], commodity_group: str) -> tuple[Rule, ...]:
    """Rules that concern goods between two regions, of which one may be none."""
    return rules_for(rules, regions[0] or "", regions[1] or "", commodity_group)


def tables_between_places(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with every place a region of its own, so that goods can start and end anywhere; nobody's families are closed to them."""
    places = tables["places"]["place_id"]
    region_places = pl.DataFrame({"region_id": [f"at_{place}" for place in places], "place_id": places}).with_columns(
        side=pl.lit("both"), commodity_group=pl.lit(ANY), loading_unit=pl.lit(ANY), share=pl.lit(1.0),
        access_cost_usd_per_t=pl.lit(0.0), access_time_h=pl.lit(0.0),
    )  # fmt: skip
    return {**tables, "region_places": region_places}
