"""One shipper's question on one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.results import Refusal, RuleTold, ShippingOption
from karvan.routing.options import CRITERIA, Bounds, Criteria, Ends, SearchOptions, Ways, extreme_ways, pareto_ways, worth_telling
from karvan.routing.refusals import Closing, opened_by_each, without
from karvan.study.rule_calendar import RuleCalendar
from karvan.study.shipping import Telling
from karvan.study.shipping_day import ShippingDay

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answered:
    """What a question gives.

    Attributes:
        answer: allowed, needs_check, refused or no_route.
        options: Ways worth telling.
        rejected: What rules refuse.
        lifted: Rules no longer in force that would have refused an option.
        is_whole: The search ended before it met its limit.
    """

    answer: str
    options: tuple[ShippingOption, ...]
    rejected: tuple[Refusal, ...]
    lifted: tuple[RuleTold, ...]
    is_whole: bool


NOTHING = Answered("no_route", (), (), (), is_whole=True)


@dataclass(frozen=True)
class Question:
    """One question on one day.

    Attributes:
        day: The day.
        commodity_group: The goods.
        regions: Regions whose rules hold at the ends.
        countries: Countries of the ends.
        ends: What is asked of a way.
        open_to: Arcs that may be used as far as the question goes, shape (arcs,).
        telling: What is told of ways.
        most: Most options to tell.
        search: How finely to look.
        calendar: When rules begin and end.
    """

    day: ShippingDay
    commodity_group: str
    regions: tuple[str | None, str | None]
    countries: tuple[str, str]
    ends: Ends
    open_to: BoolArray
    telling: Telling
    most: int
    search: SearchOptions
    calendar: RuleCalendar

    @property
    def _usable(self) -> BoolArray:
        return self.open_to & self.day.goods(self.commodity_group)[0].allowed

    @property
    def _criteria(self) -> Criteria:
        return self.telling.criteria

    @property
    def _closings(self) -> tuple[Closing, ...]:
        limits = self.day.limits(self.commodity_group, self.telling.cargo)
        cabotage = self.day.cabotage(self.telling.cargo.carrier, self.countries)
        return (*self.day.closings(self.regions, self.commodity_group), *limits, *cabotage)

    def answered(self) -> Answered:
        """Options, and what rules refuse."""
        usable, closings = self._usable, self._closings
        found = self._ways(without(usable, closings))
        least = found.values.min(axis=0) if found.arcs else np.full(len(CRITERIA), np.inf)
        options, used = self._options(found, ())
        refused = opened_by_each(self.day.graph, self._criteria, usable, self.ends, closings, least, bounds_of=self._bounds)
        answer, is_whole = "allowed", found.is_whole
        if not options:
            bans = [closing for closing in closings if closing.effect == "ban"]
            checked = self._ways(without(usable, bans))
            options, used = self._options(checked, closings)
            is_whole = checked.is_whole
            answer = "needs_check" if options else "refused" if refused else "no_route"
        elif all(option.permission == "needs_check" for option in options):
            answer = "needs_check"
        rejected = tuple(
            Refusal(
                "ban" if any(closing.effect == "ban" for closing in item.closings) else "needs_check",
                self._told(item.closings),
                self._option(item.arcs, item.values),
                item.better,
            )
            for item in refused
        )
        if answer == "needs_check":
            rejected = tuple(item for item in rejected if item.reason == "ban")
        return Answered(answer, options, rejected, self._lifted(used), is_whole)

    def closed(self) -> tuple[Refusal, ...]:
        """What is not open on this day and the best way that it would open, the network being all open; rules hold if they can."""
        day, criteria = self.day, self._criteria
        for mask in (without(self._usable, self._closings), self._usable):
            ways = extreme_ways(day.graph, criteria, mask, self.ends, bounds=self._bounds(mask))
            if ways.arcs:
                best = int(np.argmin(criteria.worth_usd_per_t(ways.values)))
                arcs = ways.arcs[best]
                names = sorted({day.graph.arc_element_id[arc] for arc in arcs.tolist()} & day.closed_ids)
                told = [self.calendar.closure_told(name, day.date) for name in names]
                told += self._told([closing for closing in self._closings if closing.arcs[arcs].any()])
                return (Refusal("closed", tuple(told), self._option(arcs, ways.values[best]), CRITERIA),)
        return ()

    def _bounds(self, mask: BoolArray) -> Bounds:
        return self.day.bounds(self.commodity_group, mask, self.ends)

    def _ways(self, mask: BoolArray) -> Ways:
        return pareto_ways(self.day.graph, self._criteria, mask, self.ends, options=self.search, bounds=self._bounds(mask))

    def _told(self, closings: Sequence[Closing]) -> tuple[RuleTold, ...]:
        return tuple(self.calendar.told(closing.rules, self.day.date) for closing in closings)

    def _option(self, arcs: IntArray, values: FloatArray, labels: tuple[str, ...] = ()) -> ShippingOption:
        return self.day.teller(self.commodity_group).option(arcs, values, labels, self.telling)

    def _carried(self, arcs: IntArray) -> tuple[RuleTold, ...]:
        """Rules about carriage within a country that a way may meet, to be checked."""
        rules = self.day.cabotage_met(self.telling.cargo.carrier, arcs)
        return tuple(self.calendar.told((rule,), self.day.date) for rule in rules)

    def _options(self, ways: Ways, closings: Sequence[Closing]) -> tuple[tuple[ShippingOption, ...], BoolArray]:
        """Ways worth telling, each with the rules of some that it meets and that somebody must check; and the arcs of all."""
        told, used = [], np.zeros(self.day.graph.arc_count, dtype=np.bool_)
        for way, labels in worth_telling(self.day.graph, self._criteria, ways, most=self.most, options=self.search):
            used[ways.arcs[way]] = True
            option = self._option(ways.arcs[way], ways.values[way], labels)
            met = self._told([closing for closing in closings if closing.arcs[ways.arcs[way]].any()]) + self._carried(ways.arcs[way])
            told.append(replace(option, rules=met, permission="needs_check") if met else option)
        return tuple(told), used

    def _lifted(self, used: BoolArray) -> tuple[RuleTold, ...]:
        """Bans no longer in force that would have refused an option told, which use some arcs."""
        past = self.day.past(self.calendar, self.regions, self.commodity_group)
        return tuple(self.calendar.told(closing.rules, self.day.date) for closing in past if (closing.arcs & used).any())
