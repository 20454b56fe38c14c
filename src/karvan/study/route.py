"""A shipper's options between two places on a day: cost, time, how sure, how clean, and whether they may pass."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from karvan.corridor import Corridor, Snapshot
from karvan.errors import DataError, Problem
from karvan.results import ShippingAnswer, ShippingEnd
from karvan.results.store import SavedRun
from karvan.routing.cost import HOURS_PER_DAY
from karvan.routing.limits import Cargo
from karvan.routing.options import Criteria, SearchOptions
from karvan.study.names import Directory
from karvan.study.options import Prepared, ScenarioOptions, prepare
from karvan.study.question import NOTHING, Question
from karvan.study.rule_calendar import RuleCalendar
from karvan.study.run_scarcity import RunScarcity, run_scarcity
from karvan.study.shipping import Telling
from karvan.study.shipping_day import ShippingDay
from karvan.study.user_quotes import UserQuotes


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
    cargo: Cargo | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    quotes: UserQuotes | None = None,
    run: SavedRun | None = None,
    scarcity: str = "price",
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
        cargo: What the shipment is beside its kind of goods: tonnes, value, loads, cold, dangerous, out of gauge, country of the
            carrier.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        quotes: Rates that take the place of the model's, as `read_quotes` gives them.
        run: Saved run whose full facilities cost, in the year of the day asked.
        scarcity: price: room in a full facility is paid for; queue: it is waited for.

    Raises:
        DataError: Wrong input; a name means several places or goods, which are listed.
    """
    desk = ShippingDesk(corridor, scenario=scenario, options=options, quotes=quotes, run=run, scarcity=scarcity)
    return desk.answer(
        origin, destination, commodity=commodity, year=year, depart=depart, deadline=deadline, max_options=max_options, avoid=avoid,
        via=via, cargo=cargo,
    )  # fmt: skip


class ShippingDesk:
    """Answers shippers' questions about one corridor and scenario; what questions share is worked out once."""

    def __init__(
        self, corridor: Corridor, *, scenario: str | None = None, options: ScenarioOptions | None = None,
        search: SearchOptions | None = None, quotes: UserQuotes | None = None, run: SavedRun | None = None, scarcity: str = "price",
        over: Callable[[Snapshot], Snapshot] | None = None,
    ) -> None:  # fmt: skip
        """Lay options over a corridor; arguments are those of `route`, how finely to look, and what lays simulated spreads over a day."""
        prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
        found = None if run is None else run_scarcity(run, prepared.corridor, prepared.scenario.scenario_id, regime=scarcity)
        self._set_up(prepared, search, quotes, found, over)

    @classmethod
    def of(
        cls, prepared: Prepared, *, quotes: UserQuotes | None = None, scarcity: RunScarcity | None = None
    ) -> ShippingDesk:  # fmt: skip
        """A desk of a corridor and scenario that are known to fit, with the scarcity of a run."""
        desk = cls.__new__(cls)
        desk._set_up(prepared, None, quotes, scarcity)
        return desk

    def _set_up(
        self, prepared: Prepared, search: SearchOptions | None, quotes: UserQuotes | None, scarcity: RunScarcity | None,
        over: Callable[[Snapshot], Snapshot] | None = None,
    ) -> None:  # fmt: skip
        self._over = over if scarcity is None else scarcity.over
        self._corridor, self._scenario, self._replaced = prepared.corridor, prepared.scenario, prepared.replaced
        self._search, self._quotes, self._scarcity = search or SearchOptions(), quotes, scarcity
        self._days: dict[tuple[datetime.date, bool, bool], ShippingDay] = {}

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
        cargo: Cargo | None = None,
        has_legs: bool = True,
    ) -> ShippingAnswer:
        """Answer one question; arguments are those of `route`, and whether options are told leg by leg."""
        manifest = self._corridor.manifest
        cargo = cargo or Cargo()
        _require_sense(year, depart, deadline, max_options, cargo)
        date = depart or (manifest.facts_until if year is None else datetime.date(year, 7, 1))
        day = self._day(date, is_departure=depart is not None)
        goods = _named(day.goods_names, commodity, "commodity")
        group = str(goods["commodity_group"])
        start, end = _named(day.places, origin, "origin"), _named(day.places, destination, "destination")
        if start["place_id"] == end["place_id"]:
            message = f"{origin} and {destination} are the same place; name two"
            raise DataError(Problem("shipment", None, "destination", message))
        regions = (day.region(start, group, "origin"), day.region(end, group, "destination"))
        hours_left = _hours_left(date, deadline)

        def question(of: ShippingDay) -> Question | None:
            ends_asked, open_to = of.asked(start, end, group, tuple(avoid), tuple(via))
            if ends_asked is None:
                return None
            telling = Telling(_at_value(of, goods, cargo), cargo, hours_left, has_legs)
            countries = (str(start["country"]), str(end["country"]))
            return Question(of, group, regions, countries, ends_asked, open_to, telling, max_options, self._search, self._calendar)

        asked = question(day)
        found = NOTHING if asked is None else asked.answered()
        if found.answer == "no_route":
            missed = question(self._day(date, is_departure=depart is not None, is_all_open=True))
            rejected = () if missed is None else missed.closed()
            found = replace(found, answer="refused" if rejected else "no_route", rejected=rejected)
        ends = [
            ShippingEnd(row["place_id"], row["name"], row["country"], region) for row, region in zip((start, end), regions, strict=True)
        ]
        return ShippingAnswer(
            origin=ends[0], destination=ends[1], commodity_group=group, commodity_name=str(goods["name"]), corridor_id=manifest.id,
            scenario_id=self._scenario.scenario_id, date=date, deadline=deadline, answer=found.answer, options=found.options,
            rejected=found.rejected, lifted=found.lifted, price_year=manifest.price_year, edition=manifest.version,
            is_whole=found.is_whole, replaced=self._replaced,
            cargo={name: value for name, value in vars(cargo).items() if value},
            run=None if self._scarcity is None else {
                "run_id": self._scarcity.run_id, "regime": self._scarcity.regime, "year": date.year,
                "is_same_corridor": self._scarcity.is_same_corridor,
            },
        )  # fmt: skip

    def _day(self, date: datetime.date, *, is_departure: bool, is_all_open: bool = False) -> ShippingDay:
        key = (date, is_departure, is_all_open)
        if key not in self._days:
            self._days[key] = ShippingDay(
                self._corridor, self._scenario, date, is_departure=is_departure, is_all_open=is_all_open, quotes=self._quotes,
                scarcity=self._scarcity, over=self._over,
            )  # fmt: skip
        return self._days[key]


def _named(names: Directory, word: str, column: str) -> Mapping[str, Any]:
    """The row that a word of the question names.

    Raises:
        DataError: It names none, or several, which are listed.
    """
    try:
        return names.named(word)
    except DataError as error:
        raise DataError(replace(error.problems[0], table="shipment", column=column)) from error


def _at_value(day: ShippingDay, goods: Mapping[str, Any], cargo: Cargo) -> Criteria:
    """Criteria with time and spread at the worth that goods of the shipment's value give them."""
    criteria = day.goods(str(goods["commodity_group"]))[1]
    if cargo.value_usd_per_t is None:
        return criteria
    ratio = cargo.value_usd_per_t / float(goods["value_usd_per_t"])
    return replace(
        criteria, vot_usd_per_t_h=ratio * criteria.vot_usd_per_t_h, reliability_usd_per_t_h=ratio * criteria.reliability_usd_per_t_h
    )  # fmt: skip


def _require_sense(
    year: int | None, depart: datetime.date | None, deadline: datetime.date | None, max_options: int, cargo: Cargo
) -> None:  # fmt: skip
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
    for name, value in (("tonnes", cargo.tonnes), ("value", cargo.value_usd_per_t), ("unit-t", cargo.unit_t), ("piece-t", cargo.piece_t)):
        if value is not None and not 0.0 < value < float("inf"):
            problems.append(Problem(f"--{name}", None, None, f"{value} must be above zero"))
    if cargo.carrier is not None and not (len(cargo.carrier) == 2 and cargo.carrier.isalpha() and cargo.carrier.isupper()):
        problems.append(Problem("--carrier", None, None, f"{cargo.carrier} must be a country in two capital letters, such as TR"))
    if problems:
        raise DataError(problems)


def _hours_left(date: datetime.date, deadline: datetime.date | None) -> float | None:
    """Hours from the start of a day to the end of another."""
    return None if deadline is None else HOURS_PER_DAY * ((deadline - date).days + 1)
