"""When rules begin and end, and what closes a passage: from the tables and the measures of a scenario."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.measures import Measure, Scenario, measures_of
from karvan.measures.apply import apply_day
from karvan.results import RuleTold
from karvan.routing.permissions import Rule


class RuleCalendar:
    """When rules begin and end: by their own dates, and by measures of the scenario that change them."""

    def __init__(self, corridor: Corridor, scenario: Scenario) -> None:
        self._corridor, self._scenario = corridor, scenario
        self.sources = {row["source_id"]: row for row in corridor.tables["sources"].iter_rows(named=True)}
        written = corridor.tables["permissions"].filter(pl.col("in_force") & (pl.col("effect").cast(pl.String) == "ban"))
        self._bans = [{**rule, "row": -1 - number} for number, rule in enumerate(written.iter_rows(named=True))]
        self._written = frozenset(corridor.tables["permissions"].filter(pl.col("in_force"))["permission_id"])
        self._past: dict[datetime.date, tuple[Rule, ...]] = {}
        self._events: list[tuple[datetime.date, str, frozenset[str]]] = []
        dated: dict[datetime.date, str] = {}
        for item in scenario.dated:
            if any(change.table == "permissions" for change in item.measure.changes):
                for day in (item.from_date, item.until_date):
                    if day is not None:
                        dated[day] = item.measure.id
        for day in sorted(dated):
            if day.year >= corridor.manifest.base_year:
                tables = apply_day(scenario, corridor, day).tables
                in_force = tables["permissions"].filter(pl.col("in_force"))["permission_id"]
                self._events.append((day, dated[day], frozenset(in_force)))

    def past(self, date: datetime.date) -> tuple[Rule, ...]:
        """Bans that held once, in the tables as written, and do not on a day; their rows are numbered below zero."""
        if date not in self._past:
            self._past[date] = tuple(rule for rule in self._bans if self._end(rule, date, is_past=True)[0] is not None)
        return self._past[date]

    def told(self, rules: tuple[Rule, ...], date: datetime.date) -> RuleTold:
        """A rule as readers are told on a day."""
        first = min(rules, key=lambda rule: (rule["from_date"] or datetime.date.min, rule["permission_id"]))
        source = self.sources.get(first["source"], {})
        day, measure = self._end(first, date, is_past=False)
        if day is None:
            day, measure = self._end(first, date, is_past=True)
        return RuleTold(
            permission_ids=tuple(rule["permission_id"] for rule in rules),
            rule=first["rule"],
            effect=str(first["effect"]),
            from_date=first["from_date"] or self._begin(first, date),
            until_date=day,
            until_measure_id=measure,
            source=first["source"],
            source_title=source.get("title"),
            source_url=source.get("url"),
            source_published=None if source.get("published") is None else str(source["published"]),
            confidence=str(first["confidence"]),
        )

    def closure_told(self, element_id: str, date: datetime.date) -> RuleTold:
        """A closed link or terminal as a rule: its source, and the measure that opens it, of the scenario or of any other."""
        table, key = ("links", "link_id") if element_id in self._corridor.tables["links"]["link_id"] else ("terminals", "terminal_id")
        found = self._corridor.tables[table].filter(pl.col(key) == element_id)
        row = found.row(0, named=True) if found.height else {"source": "own_estimate", "confidence": "estimate"}

        def opens(measure: Measure) -> bool:
            return any(
                change.open and change.table == table and element_id in _listed(change.where.get(key)) for change in measure.changes
            )  # fmt: skip

        coming = [item for item in self._scenario.dated if item.from_date > date and opens(item.measure)]
        day, measure = min(((item.from_date, item.measure.id) for item in coming), default=(None, None))
        others = sorted(name for name, item in measures_of(self._corridor).items() if opens(item))
        hint = f" The measure {others[0]} would open it." if others and measure is None else ""
        source = self.sources.get(row["source"], {})
        return RuleTold(
            permission_ids=(), rule=f"{'Link' if table == 'links' else 'Terminal'} {element_id} is not open.{hint}", effect="closed",
            from_date=None, until_date=day, until_measure_id=measure, source=row["source"], source_title=source.get("title"),
            source_url=source.get("url"), source_published=None if source.get("published") is None else str(source["published"]),
            confidence=str(row["confidence"]),
        )  # fmt: skip

    def _begin(self, rule: Rule, date: datetime.date) -> datetime.date | None:
        """Day on which a measure brought a row that the tables as written do not hold, up to a day."""
        if rule["permission_id"] in self._written:
            return None
        return next((day for day, _, in_force in self._events if day <= date and rule["permission_id"] in in_force), None)

    def _end(self, rule: Rule, date: datetime.date, *, is_past: bool) -> tuple[datetime.date | None, str | None]:
        """First day on which a row no longer holds and the measure that ends it; only days up to a day, or only those after it.

        A past end counts only if the row does not hold again by that day.
        """
        ends: list[tuple[datetime.date, str | None]] = []
        was = bool(rule["in_force"])
        for day, measure, in_force in self._events:
            holds = rule["permission_id"] in in_force
            if day <= date and is_past and holds:
                ends = []
            if was and not holds and (day <= date) == is_past:
                ends.append((day, measure))
            was = holds
        until = rule["until_date"]
        if until is not None and (until <= date) == is_past:
            ends.append((until, None))
        return min(ends, key=lambda item: item[0], default=(None, None))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
