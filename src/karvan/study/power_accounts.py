"""What measures of power are worth: years dispatched hour by hour with them and without, told by party and country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from karvan.appraisal.present import parts_of
from karvan.corridor import Corridor, rows_digest
from karvan.measures import Measure, Scenario
from karvan.measures.apply import apply
from karvan.power import HOURS, Built, Solved, earnings, power_system
from karvan.power.returning import OneDispatcher
from karvan.study.accounts import CLIMATE, OPERATORS, STATES, WORLD
from karvan.study.asked_line import with_all_lines
from karvan.study.progress import Progress, line
from karvan.study.route_memory import RouteMemory

Tables = Mapping[str, pl.DataFrame]
Row = tuple[str, str, str, str, float]
Raw = list[tuple[str, str, str, float]]

CONSUMERS = "consumers"
"""Who uses power."""
USED, MADE, CARRIED, CHARGED = "power used", "power made", "power carried", "power border charges"
TAX_MADE, TAX_CARRIED, EMITTED = "tax on power made", "tax on power carried", "co2e of power"
DISPATCH_ITEMS = (USED, MADE, CARRIED, TAX_MADE, TAX_CARRIED)
"""Items that add up to what the cost of the dispatch falls by, border charges counted as a cost."""
_PREFIX = "power_"


def changes_power(measure: Measure) -> bool:
    """Whether a measure changes zones, plants, stores or lines."""
    return any(change.table.startswith(_PREFIX) for change in measure.changes)


def power_sponsors(measure: Measure) -> tuple[str, ...]:
    """Who earns by a measure of power: owners of lines that it adds, and plants that it makes larger."""
    found: list[str] = []
    for change in measure.changes:
        if change.table == "power_lines":
            found += [str(row["owner"]) for row in change.add or () if row.get("owner")]
        if change.table == "power_capacities":
            named = change.where.get("asset_id", [])
            found += [str(name) for name in (named if isinstance(named, list) else [named])]
    return tuple(dict.fromkeys(found))


def power_tables(tables: Tables) -> dict[str, pl.DataFrame]:
    """The tables that a dispatch reads."""
    return {name: frame for name, frame in tables.items() if name.startswith(_PREFIX)}


def tables_key(tables: Tables) -> tuple[bytes, ...]:
    """All that a dispatch of tables depends on but its year, hours and weather."""
    return tuple(rows_digest(frame) for _, frame in sorted(power_tables(tables).items()))


def zone_countries(corridor: Corridor) -> dict[str, str]:
    """Code of the country of each zone, as the rest of the case writes it; its name where no place and no region has one.

    A zone's id begins with the code of its country, or its country is a region of that name.
    """
    codes = set(corridor.tables["places"]["country"])
    regions = {name: code for name, code in corridor.tables["regions"].select("name", "countries").iter_rows() if ";" not in code}
    found = {}
    for zone, country in corridor.tables["power_zones"].select("zone_id", "country").iter_rows():
        start = zone.split("_")[0].upper()
        found[zone] = regions.get(country, start if start in codes else country)
    return found


def surplus_rows(built: Built, solved: Solved, countries: Mapping[str, str]) -> Raw:
    """Surplus of users, plants, lines and borders in a year, thousand USD, and carbon dioxide, kt.

    Args:
        built, solved: What was dispatched; fewer hours than a year stand for all of it.
        countries: Code of the country of each zone.

    Returns:
        Item, country, who (zone, plant or store, owner of a line) and amount.
    """
    system, price = built.system, solved.price_usd_per_mwh
    of_year = HOURS / system.hours / 1e3
    home = [countries[name] for name in system.zone_ids]
    rows: Raw = []
    used = ((system.lost_load_usd_per_mwh - price) * (system.demand_mw - solved.lost_mw)).sum(axis=0)
    rows += [(USED, home[zone], name, float(used[zone])) for zone, name in enumerate(system.zone_ids)]
    plants, stores, lines = system.plants, system.stores, system.lines
    earned = ((price[:, plants.zone] - plants.cost_usd_per_mwh) * solved.plant_mw).sum(axis=0)
    traded = (price[:, stores.zone] * (solved.give_mw - solved.take_mw) - stores.cost_usd_per_mwh * solved.give_mw).sum(axis=0)
    rows += [(MADE, home[zone], name, float(usd)) for name, zone, usd in zip(plants.ids, plants.zone, earned, strict=True)]
    rows += [(MADE, home[zone], name, float(usd)) for name, zone, usd in zip(stores.ids, stores.zone, traded, strict=True)]
    of = earnings(system, solved)
    kept = of.kept.sum(axis=0)
    there, back = (solved.there_mw.sum(axis=0), solved.back_mw.sum(axis=0))
    for number, (name, owner) in enumerate(zip(lines.ids, built.owners, strict=True)):
        ends = home[lines.source[number]], home[lines.target[number]]
        rows += [(CARRIED, end, owner or name, float(kept[number]) / 2.0) for end in ends]
        rows.append((CHARGED, ends[1], "all", float(there[number] * lines.border_usd_per_mwh[0, number])))
        rows.append((CHARGED, ends[0], "all", float(back[number] * lines.border_usd_per_mwh[1, number])))
    emitted = float((solved.plant_mw.sum(axis=0) * plants.co2_t_per_mwh).sum())
    rows.append((EMITTED, WORLD, "all", emitted))
    return [(item, country, who, of_year * amount) for item, country, who, amount in rows]


def account_rows(raw: Raw, *, tax_share: float, co2_usd_per_t: float) -> list[Row]:
    """The same as accounts: plants and owners of lines after tax, states with it, carbon dioxide at its price."""
    rows: list[Row] = []
    for item, country, who, amount in raw:
        if item == USED:
            rows.append((CONSUMERS, country, USED, who, amount))
        elif item == CHARGED:
            rows.append((STATES, country, CHARGED, who, amount))
        elif item == EMITTED:
            rows.append((CLIMATE, WORLD, EMITTED, who, -co2_usd_per_t * amount))
        else:
            rows.append((OPERATORS, country, item, who, (1.0 - tax_share) * amount))
            rows.append((STATES, country, f"tax on {item}", who, tax_share * amount))
    return rows


class PowerSides:
    """Years of scenarios dispatched hour by hour, the first of each year from nothing and all others from where it ended.

    Args:
        corridor: The corridor.
        first: Scenario that the others are held against.
        widest: Scenario with all lines that any of them has.
        years: Years that are dispatched; years between lie on a straight line, years outside are as the nearest.
        hours: First hours of the year that are solved; they stand for all of it.
        memory: Where dispatches are kept between runs.
        tell: Called with a line of text as the work goes on.
    """

    def __init__(
        self, corridor: Corridor, first: Scenario, widest: Scenario, years: Sequence[int], *, hours: int, memory: RouteMemory,
        tell: Progress,
    ) -> None:  # fmt: skip
        self.corridor, self.first, self.widest, self.hours = corridor, first, widest, hours
        self.years, self.memory, self.tell = tuple(sorted(set(years))), memory, tell
        self._countries = zone_countries(corridor)
        self._known: dict[tuple[tuple[str, ...], int], Raw] = {}
        self._room = OneDispatcher()

    def raw(self, scenario: Scenario, year: int) -> Raw:
        """Surplus of a scenario in any year; see `surplus_rows`."""
        parts = [(self._solved(scenario, known), share) for known, share in parts_of(self.years, year)]
        totals: dict[tuple[str, str, str], float] = {}
        for rows, share in parts:
            for item, country, who, amount in rows:
                totals[item, country, who] = totals.get((item, country, who), 0.0) + share * amount
        return [(*key, amount) for key, amount in totals.items()]

    def _solved(self, scenario: Scenario, year: int) -> Raw:
        key = (scenario.measure_ids, year)
        if key not in self._known:
            self._known[key] = self._recalled(scenario, year)
        return self._known[key]

    def _recalled(self, scenario: Scenario, year: int) -> Raw:
        first, tables = self._tables(self.first, year), self._tables(scenario, year)
        key = ("power accounts", year, self.hours, *tables_key(first), *tables_key(tables))
        kept = self.memory.recall_arrays(key)
        if kept is None:
            rows = self._dispatched(first, tables, year)
            texts = np.array([row[:3] for row in rows])
            self.memory.keep_arrays(key, texts=texts, amounts=np.array([row[3] for row in rows]))
            return rows
        texts, amounts = kept["texts"].tolist(), kept["amounts"].tolist()
        return [(item, country, who, amount) for (item, country, who), amount in zip(texts, amounts, strict=True)]

    def _tables(self, scenario: Scenario, year: int) -> Tables:
        asked = {name: apply(each, self.corridor, year=year).tables for name, each in (("own", scenario), ("widest", self.widest))}
        return power_tables(with_all_lines(asked)["own"])

    def _dispatched(self, first: Tables, tables: Tables, year: int) -> Raw:
        self.tell(line("power_year", year=year))

        def built(of: Tables) -> Built:
            found = power_system(of, year=year)
            return replace(found, system=found.system.between(0, self.hours))

        own = built(tables)
        with self._room.guard:
            dispatcher = self._room.of(year, built(first).system)
            dispatcher.renew(own.system)
            solved = dispatcher.solve()
        return surplus_rows(own, solved, self._countries)
