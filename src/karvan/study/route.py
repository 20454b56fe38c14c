"""A shipper's options between two places on a day: cost, time, how sure, how clean, and whether they may pass."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Scenario
from karvan.measures.apply import apply_day
from karvan.results import Refusal, RuleTold, ShippingAnswer, ShippingEnd, ShippingOption
from karvan.routing import ArcCosts, StateGraph, arc_costs, build_graph, compile_families
from karvan.routing.cost import HOURS_PER_DAY, Charges, charges_of
from karvan.routing.families import Families
from karvan.routing.hierarchy import MOST_BITS
from karvan.routing.options import (
    CRITERIA,
    Criteria,
    Ends,
    SearchOptions,
    Ways,
    criteria_of,
    extreme_ways,
    pareto_ways,
    worth_telling,
)
from karvan.routing.permissions import Rule, binding, closed_arcs, rules_for, rules_in_force
from karvan.routing.refusals import Closing, opened_by_each, without
from karvan.routing.timetable import timetable
from karvan.schema import ANY
from karvan.study.names import Directory, arcs_named, bits_named, directory, region_of
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.rule_calendar import RuleCalendar
from karvan.study.shipping import Teller

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def route(
    corridor: Corridor,
    origin: str,
    destination: str,
    *,
    commodity: str,
    year: int | None = None,
    depart: datetime.date | None = None,
    deadline: datetime.date | None = None,
    max_options: int = 5,
    avoid: Sequence[str] = (),
    via: Sequence[str] = (),
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
) -> ShippingAnswer:
    """What a shipper can choose between two places, and what rules refuse.

    Args:
        corridor: The corridor.
        origin, destination: Places by id, name, other name or UN/LOCODE.
        commodity: Goods by group, name or other name.
        year: Calendar year; its state is that of 1 July.
        depart: In place of a year: day on which the goods are ready, whose state holds and from which dated sailings count; with
            neither, the last day whose events the corridor knows.
        deadline: Day by whose end the goods must arrive; needs `depart`.
        max_options: Most options to tell.
        avoid, via: Links, terminals, facilities, route families, countries or places to keep off, and to pass.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.

    Raises:
        DataError: Wrong input; a name means several places or goods, which are listed.
    """
    desk = ShippingDesk(corridor, scenario=scenario, options=options)
    return desk.answer(
        origin, destination, commodity=commodity, year=year, depart=depart, deadline=deadline, max_options=max_options, avoid=avoid, via=via
    )  # fmt: skip


class ShippingDesk:
    """Answers shippers' questions about one corridor and scenario; what questions share is worked out once."""

    def __init__(
        self, corridor: Corridor, *, scenario: str | None = None, options: ScenarioOptions | None = None,
        search: SearchOptions | None = None,
    ) -> None:  # fmt: skip
        prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
        self._corridor, self._scenario, self._replaced = prepared.corridor, prepared.scenario, prepared.replaced
        self._search = search or SearchOptions()
        self._days: dict[tuple[datetime.date, bool, bool], _Day] = {}

    @cached_property
    def _calendar(self) -> RuleCalendar:
        return RuleCalendar(self._corridor, self._scenario)

    def answer(
        self,
        origin: str,
        destination: str,
        *,
        commodity: str,
        year: int | None = None,
        depart: datetime.date | None = None,
        deadline: datetime.date | None = None,
        max_options: int = 5,
        avoid: Sequence[str] = (),
        via: Sequence[str] = (),
    ) -> ShippingAnswer:
        """Answer one question; arguments are those of `route`."""
        manifest = self._corridor.manifest
        _require_sense(year, depart, deadline, max_options)
        date = depart or (manifest.facts_until if year is None else datetime.date(year, 7, 1))
        day = self._day(date, is_departure=depart is not None)
        goods = day.goods_names.named(commodity)
        group = str(goods["commodity_group"])
        start, end = day.places.named(origin), day.places.named(destination)
        if start["place_id"] == end["place_id"]:
            raise DataError(Problem("route", None, None, f"{origin} and {destination} are the same place; name two"))
        regions = (day.region(start, group, "origin"), day.region(end, group, "destination"))
        asked = (start, end, group, tuple(avoid), tuple(via))
        ends_asked, mask = day.asked(*asked)
        question = _Question(day, day.teller(group), _hours_left(date, deadline), regions, ends_asked, self._search)
        options, rejected, lifted, answer, is_whole = question.answered(mask, max_options, self._calendar)
        if answer == "no_route":
            opened = self._day(date, is_departure=depart is not None, is_all_open=True)
            ends_asked, mask = opened.asked(*asked)
            question = replace(question, day=opened, teller=opened.teller(group), ends=ends_asked)
            rejected = question.closed(mask, self._calendar)
            answer = "refused" if rejected else "no_route"
        ends = [
            ShippingEnd(row["place_id"], row["name"], row["country"], region) for row, region in zip((start, end), regions, strict=True)
        ]
        return ShippingAnswer(
            origin=ends[0], destination=ends[1], commodity_group=group, commodity_name=str(goods["name"]), corridor_id=manifest.id,
            scenario_id=self._scenario.scenario_id, date=date, deadline=deadline, answer=answer, options=options, rejected=rejected,
            lifted=lifted, price_year=manifest.price_year, edition=manifest.version, is_whole=is_whole, replaced=self._replaced,
        )  # fmt: skip

    def _day(self, date: datetime.date, *, is_departure: bool, is_all_open: bool = False) -> _Day:
        key = (date, is_departure, is_all_open)
        if key not in self._days:
            self._days[key] = _Day(self._corridor, self._scenario, date, is_departure=is_departure, is_all_open=is_all_open)
        return self._days[key]


def _require_sense(year: int | None, depart: datetime.date | None, deadline: datetime.date | None, max_options: int) -> None:
    problems = []
    if year is not None and depart is not None:
        problems.append(Problem("--year", None, None, "give either a year or a day of departure"))
    if year is not None and not datetime.MINYEAR <= year < datetime.MAXYEAR:
        problems.append(Problem("--year", None, None, f"{year} must be a calendar year"))
    if deadline is not None and depart is None:
        problems.append(Problem("--deadline", None, None, "needs a day of departure; give --depart too"))
    if deadline is not None and depart is not None and deadline < depart:
        problems.append(Problem("--deadline", None, None, f"{deadline} must not be before the departure, {depart}"))
    if max_options < 1:
        problems.append(Problem("--max-options", None, None, f"{max_options} must be 1 or more"))
    if problems:
        raise DataError(problems)


def _hours_left(date: datetime.date, deadline: datetime.date | None) -> float | None:
    """Hours from the start of a day to the end of another."""
    return None if deadline is None else HOURS_PER_DAY * ((deadline - date).days + 1)


class _Day:
    """The network on one day, between any two places; with all that is built or planned open, too, to know what is missed."""

    def __init__(
        self, corridor: Corridor, scenario: Scenario, date: datetime.date, *, is_departure: bool, is_all_open: bool
    ) -> None:  # fmt: skip
        self.date = date
        self._snapshot_tables: Mapping[str, pl.DataFrame] = apply_day(scenario, corridor, date).tables
        self.closed_ids: frozenset[str] = frozenset()
        if is_all_open:
            parts = [(name, key, self._snapshot_tables[name]) for name, key in (("links", "link_id"), ("terminals", "terminal_id"))]
            self.closed_ids = frozenset(row for _, key, frame in parts for row in frame.filter(~pl.col("is_open"))[key])
            opened = {name: frame.with_columns(is_open=pl.lit(value=True)) for name, _, frame in parts}
            self._snapshot_tables = {**self._snapshot_tables, **opened}
        self.tables = tables_between_places(self._snapshot_tables)
        self.graph: StateGraph = build_graph(self.tables)
        self.times = timetable(self.graph, self.tables, depart=date if is_departure else None)
        self.families: Families = compile_families(self.tables)
        self.rules = rules_in_force(self.tables, date)
        self.co2_price_usd_per_t = corridor.manifest.co2_price_usd_per_t
        self._goods: dict[str, tuple[ArcCosts, Criteria]] = {}
        self._closed: dict[int, BoolArray] = {}
        self._tellers: dict[str, Teller] = {}
        self._regions: dict[tuple[str, str, str], str | None] = {}

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
            self._regions[key] = region_of(self._snapshot_tables, place, commodity_group, side)
        return self._regions[key]

    def teller(self, commodity_group: str) -> Teller:
        """What tells ways of some goods."""
        if commodity_group not in self._tellers:
            self._tellers[commodity_group] = Teller(self.graph, self.tables, self.goods(commodity_group), self.families, commodity_group)
        return self._tellers[commodity_group]

    @cached_property
    def _charges(self) -> Charges:
        return charges_of(self.graph, self.tables)

    def goods(self, commodity_group: str) -> tuple[ArcCosts, Criteria]:
        """Costs of arcs to some goods, and what they add to a way."""
        if commodity_group not in self._goods:
            costs = arc_costs(
                self.graph, self.tables, commodity_group, co2_price_usd_per_t=self.co2_price_usd_per_t, charges=self._charges
            )  # fmt: skip
            self._goods[commodity_group] = (costs, criteria_of(self.graph, costs, self.times))
        return self._goods[commodity_group]

    def closing(self, rules: tuple[Rule, ...]) -> Closing:
        """Some rows of one rule and the arcs they close."""
        arcs = np.zeros(self.graph.arc_count, dtype=np.bool_)
        for rule in rules:
            if rule["row"] not in self._closed:
                self._closed[rule["row"]] = closed_arcs(self.graph, self.tables, rule)
            arcs |= self._closed[rule["row"]]
        return Closing(rules, arcs)

    def asked(
        self, start: Mapping[str, Any], end: Mapping[str, Any], commodity_group: str, avoid: tuple[str, ...], via: tuple[str, ...]
    ) -> tuple[Ends, BoolArray]:
        """What is asked of a way, and arcs that this leaves open."""
        bits, bit_count, mask = bits_named(self.graph, self.tables, self.places, via, commodity_group)
        if bit_count > MOST_BITS:
            raise DataError(Problem("--via", None, None, f"asks for {bit_count} things at once, must be at most {MOST_BITS}"))
        for word in avoid:
            mask &= ~arcs_named(self.graph, self.tables, self.places, word, "--avoid")
        return Ends(self.node(start, end, 0), self.node(start, end, 1), bits, bit_count), mask

    def node(self, start: Mapping[str, Any], end: Mapping[str, Any], side: int) -> int:
        """Node of the origin (side 0) or destination (side 1)."""
        place = (start, end)[side]
        known = (self.graph.origin_nodes, self.graph.destination_nodes)[side]
        key = (f"at_{place['place_id']}", "both", ANY, place["place_id"])
        if key not in known:
            raise DataError(Problem("places", None, "place_id", f"nothing open leads to or from {place['name']} on this day"))
        return known[key]


def tables_between_places(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with every place a region of its own, so that goods can start and end anywhere; nobody's families are closed to them."""
    places = tables["places"]["place_id"]
    region_places = pl.DataFrame({"region_id": [f"at_{place}" for place in places], "place_id": places}).with_columns(
        side=pl.lit("both"), commodity_group=pl.lit(ANY), loading_unit=pl.lit(ANY), share=pl.lit(1.0),
        access_cost_usd_per_t=pl.lit(0.0), access_time_h=pl.lit(0.0),
    )  # fmt: skip
    return {**tables, "region_places": region_places}


@dataclass(frozen=True)
class _Question:
    """One question on one day."""

    day: _Day
    teller: Teller
    hours_left: float | None
    regions: tuple[str | None, str | None]
    ends: Ends
    search: SearchOptions

    def answered(
        self, open_to: BoolArray, most: int, calendar: RuleCalendar
    ) -> tuple[tuple[ShippingOption, ...], tuple[Refusal, ...], tuple[RuleTold, ...], str, bool]:
        """Options, what rules refuse, rules lifted since, the answer, and whether the search ended."""
        costs, criteria = self.day.goods(self.teller.commodity_group)
        usable = open_to & costs.allowed
        concerned = self._concerned(self.day.rules)
        closings = [self.day.closing(rules) for rules in binding(concerned)]
        found = self._ways(criteria, without(usable, closings))
        least = found.values.min(axis=0) if found.arcs else np.full(len(CRITERIA), np.inf)
        options = self._options(criteria, found, most, (), calendar)
        refused = opened_by_each(self.day.graph, criteria, usable, self.ends, closings, least)
        answer, is_whole = "allowed", found.is_whole
        if not options:
            bans = [closing for closing in closings if closing.effect == "ban"]
            checked = self._ways(criteria, without(usable, bans))
            options = self._options(criteria, checked, most, closings, calendar)
            is_whole = checked.is_whole
            answer = "needs_check" if options else "refused" if refused else "no_route"
        rejected = tuple(
            Refusal(
                "ban" if any(closing.effect == "ban" for closing in item.closings) else "needs_check",
                tuple(calendar.told(closing.rules, self.day.date) for closing in item.closings),
                self.teller.option(item.arcs, item.values, (), self.hours_left),
                item.better,
            )
            for item in refused
        )
        if answer == "needs_check":
            rejected = tuple(item for item in rejected if item.reason == "ban")
        return options, rejected, self._lifted(found, options, calendar), answer, is_whole

    def closed(self, open_to: BoolArray, calendar: RuleCalendar) -> tuple[Refusal, ...]:
        """What is not open on this day and the best way that it would open, the network being all open; rules hold if they can."""
        costs, criteria = self.day.goods(self.teller.commodity_group)
        usable = open_to & costs.allowed
        closings = [self.day.closing(rules) for rules in binding(self._concerned(self.day.rules))]
        for mask in (without(usable, closings), usable):
            ways = extreme_ways(self.day.graph, criteria, mask, self.ends)
            if ways.arcs:
                best = int(np.argmin(criteria.worth_usd_per_t(ways.values)))
                arcs = ways.arcs[best]
                names = sorted({self.day.graph.arc_element_id[arc] for arc in arcs.tolist()} & self.day.closed_ids)
                told = [calendar.closure_told(name, self.day.date) for name in names]
                told += [calendar.told(closing.rules, self.day.date) for closing in closings if closing.arcs[arcs].any()]
                return (Refusal("closed", tuple(told), self.teller.option(arcs, ways.values[best], (), self.hours_left), CRITERIA),)
        return ()

    def _concerned(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        origin, destination = (region or "" for region in self.regions)
        return rules_for(rules, origin, destination, self.teller.commodity_group)

    def _ways(self, criteria: Criteria, mask: BoolArray) -> Ways:
        return pareto_ways(self.day.graph, criteria, mask, self.ends, options=self.search)

    def _options(
        self, criteria: Criteria, ways: Ways, most: int, closings: Sequence[Closing], calendar: RuleCalendar
    ) -> tuple[ShippingOption, ...]:
        """Ways worth telling, each with the rules of some that it meets and that somebody must check."""
        told = []
        for way, labels in worth_telling(self.day.graph, criteria, ways, most=most, options=self.search):
            met = tuple(calendar.told(closing.rules, self.day.date) for closing in closings if closing.arcs[ways.arcs[way]].any())
            told.append(replace(self.teller.option(ways.arcs[way], ways.values[way], labels, self.hours_left), rules=met))
        return tuple(replace(option, permission="needs_check") if option.rules else option for option in told)

    def _lifted(self, ways: Ways, options: Sequence[ShippingOption], calendar: RuleCalendar) -> tuple[RuleTold, ...]:
        """Bans no longer in force that would have refused an option told."""
        past = binding(self._concerned(calendar.past(self.day.date)))
        if not past or not options or not ways.arcs:
            return ()
        used = np.isin(self.day.graph.arc_link, self.teller.links_of(options)) & (self.day.graph.arc_link >= 0)
        return tuple(calendar.told(rules, self.day.date) for rules in past if (self.day.closing(rules).arcs & used).any())
