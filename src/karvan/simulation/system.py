"""Tables to a system that can be run: a port is what its rows say."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.errors import DataError, Problem
from karvan.network.water import first_berth, load_share, water_m
from karvan.simulation import _state_kernels as k
from karvan.simulation.laws import constant, exponential, varying
from karvan.simulation.program import Builder, System

Row = dict[str, Any]
HOURS_A_YEAR = 8760.0
_HOURS_A_WEEK = 168.0
_CAUSES = {"handling": k.HANDLING, "customs": k.CUSTOMS, "sorting": k.SORTING}
_MEAN_BACKLOG = 3
_SPREAD_H = 12.0


@dataclass(frozen=True)
class Stream:
    """Goods that come to one port of a line or to a passage; what is counted together.

    Attributes:
        arrival_id: The stream.
        unit: What it is counted in.
        t_per_unit: Mean load of one.
        demand: Units a year; infinite where the stock is endless.
        crossing_id, place_id, passage_id: Where it goes.
    """

    arrival_id: str
    unit: str
    t_per_unit: float
    demand: float
    crossing_id: str | None
    place_id: str | None
    passage_id: str | None


@dataclass(frozen=True)
class Call:
    """A ship class at one of its ports.

    Attributes:
        ship_id, crossing_id, place_id: Which.
        wait_step, load_step: Names of the steps at which it waits for a berth and loads.
        room: Units it can load.
        room_count: Units it has room for.
        hours: Mean hours at the berth of a call with full loads of what it takes off and on.
        berths: Berths that fit.
        handling_steps: Names of the steps at which it is unloaded and loaded.
    """

    ship_id: str
    crossing_id: str
    place_id: str
    wait_step: str
    load_step: str
    room: float
    room_count: float
    hours: float
    berths: tuple[str, ...]
    handling_steps: tuple[str, ...]


@dataclass(frozen=True)
class Built:
    """A system ready to run, and what its rows mean.

    Attributes:
        system: The model.
        streams: Goods, in the order of its lines.
        calls: Ship classes at their ports.
        ships: Number of ships of each class with any.
        sailing_h: Mean hours at sea one way, by line.
        closed_share: Share of the year that each weather closes.
        rows: Rows of the tables of this system by table and key.
    """

    system: System
    streams: tuple[Stream, ...]
    calls: tuple[Call, ...]
    ships: Mapping[str, int]
    sailing_h: Mapping[str, float]
    closed_share: Mapping[str, float]
    rows: Mapping[str, Mapping[Any, Row]]


def streams_of(tables: Mapping[str, pl.DataFrame], system_id: str) -> list[Row]:
    """Rows of `arrivals` that belong to a system.

    Raises:
        DataError: There is no such system.
    """
    systems = tables["systems"]["system_id"].to_list()
    if system_id not in systems:
        raise DataError(Problem("systems", None, "system_id", f"has no {system_id}, must be one of {', '.join(systems) or 'none'}"))
    crossings = set(tables["crossings"].filter(pl.col("system_id") == system_id)["crossing_id"])
    passages = set(tables["passages"].filter(pl.col("system_id") == system_id)["passage_id"])
    return [row for row in tables["arrivals"].rows(named=True) if row["crossing_id"] in crossings or row["passage_id"] in passages]


def build(
    tables: Mapping[str, pl.DataFrame],
    system_id: str,
    loads: Mapping[str, float],
    *,
    level_m: float | None = None,
    endless: Collection[str] = (),
    only: Collection[str] | None = None,
    ships_factor: float = 1.0,
) -> Built:
    """A system from the tables of a snapshot.

    Args:
        tables: The tables.
        system_id: Which system.
        loads: Units a year of each stream.
        level_m: Level of the sea.
        endless: Streams of which there is always more than can be carried.
        only: Lines and passages to take; None takes all.
        ships_factor: So many times the ships, at least one of each class, for what berths can do when ships are never short.

    Raises:
        DataError: Counts that must be whole are not, or rows do not fit each other.
    """
    arrivals = streams_of(tables, system_id)
    if only is not None:
        arrivals = [row for row in arrivals if (row["crossing_id"] or row["passage_id"]) in only]
    maker = _Maker(tables, loads, level_m, frozenset(endless), ships_factor)
    for row in tables["crossings"].filter(pl.col("system_id") == system_id).rows(named=True):
        if only is None or row["crossing_id"] in only:
            maker.crossing(row, [found for found in arrivals if found["crossing_id"] == row["crossing_id"]])
    maker.sail()
    for row in arrivals:
        if row["passage_id"] is not None:
            maker.passage(row)
    if maker.problems:
        raise DataError(maker.problems)
    return maker.built()


class _Maker:
    """Puts a system together; `problems` collects what does not fit."""

    def __init__(
        self, tables: Mapping[str, pl.DataFrame], loads: Mapping[str, float], level_m: float | None, endless: frozenset[str], factor: float
    ) -> None:
        self.make, self.tables, self.loads, self.level_m, self.endless, self.factor = Builder(), tables, loads, level_m, endless, factor
        self.problems: list[Problem] = []
        self.berth_rows = {row["berth_id"]: row for row in tables["berths"].rows(named=True)}
        self.link_rows = {row["link_id"]: row for row in tables["links"].rows(named=True)}
        self.call_rows = {(row["crossing_id"], row["place_id"]): row for row in tables["calls"].rows(named=True)}
        self.sites: dict[str, int] = {}
        self.closed: dict[str, float] = {}
        self.berths: dict[str, int] = {}
        self.pools: dict[tuple[str, str], int] = {}
        self.crossings: dict[str, Row] = {}
        self.streams: list[Stream] = []
        self.calls: list[Call] = []
        self.ships: dict[str, int] = {}
        self.sailing_h: dict[str, float] = {}

    def built(self) -> Built:
        rows = {"berths": self.berth_rows, "crossings": self.crossings, "calls": self.call_rows, "links": self.link_rows}
        return Built(
            self.make.build(), tuple(self.streams), tuple(self.calls), self.ships, self.sailing_h, self.closed,
            {**rows, "ships": {row["ship_id"]: row for row in self.tables["ships"].rows(named=True)}},
        )  # fmt: skip

    def whole(self, table: str, key: str, column: str, value: float) -> int:
        """A count that must be whole."""
        if abs(value - round(value)) > 1e-6:
            self.problems.append(Problem(table, None, column, f"of {key} is {value:g}, must be a whole number to be simulated"))
        return round(value)

    def site(self, name: str | None) -> int:
        """The weather of a place."""
        if name is None:
            return -1
        if name not in self.sites:
            rows = self.tables["closures"].filter(pl.col("closure_id") == name).sort("month").rows(named=True)
            if [row["month"] for row in rows] != list(range(1, 13)):
                self.problems.append(Problem("closures", None, "month", f"{name} must have a row for each month, 1 to 12"))
                return -1
            shares = [row["closed_share"] for row in rows]
            closed_h = [row["mean_h"] for row in rows]
            open_h = [mean * (1.0 - share) / share if share > 0.0 else math.inf for mean, share in zip(closed_h, shares, strict=True)]
            self.closed[name] = sum(shares) / 12.0
            leader = rows[0]["follows"]
            if leader is None:
                self.sites[name] = self.make.site(name, open_h, closed_h, variability=rows[0]["variability_ratio"])
            else:
                above = self.site(leader)
                leading = self.tables["closures"].filter(pl.col("closure_id") == leader).sort("month")["closed_share"].to_list()
                follows = [min(1.0, share / other) if other > 0.0 else 0.0 for share, other in zip(shares, leading, strict=True)]
                self.sites[name] = self.make.site(name, open_h, closed_h, leader=above, follows_share=follows)
        return self.sites[name]

    def berth(self, name: str) -> int:
        """Berths of one kind."""
        if name not in self.berths:
            row = self.berth_rows[name]
            servers = self.whole("berths", name, "servers_count", row["servers_count"])
            self.berths[name] = self.make.berth(name, servers, site=self.site(row["closure_id"]))
        return self.berths[name]

    def stream(self, row: Row, *, is_endless: bool) -> int:
        """The line of a stream."""
        demand = math.inf if is_endless else self.loads.get(row["arrival_id"], 0.0)
        self.streams.append(
            Stream(
                row["arrival_id"], row["unit"], row["t_per_unit"], demand, row["crossing_id"], row["place_id"], row["passage_id"]
            )
        )  # fmt: skip
        return self.make.line(row["arrival_id"])

    def source(self, row: Row, line: int, ban: int) -> bool:
        """What sends a stream; False if nothing comes."""
        demand = self.loads.get(row["arrival_id"], 0.0)
        if demand <= 0.0:
            return False
        between_h = HOURS_A_YEAR * row["lot_count"] / demand
        late_h = row["travel_h"] + row["late_sd_h"]
        self.make.source(
            f"{row['arrival_id']} comes",
            line,
            constant(between_h) if row["is_timetabled"] else exponential(between_h),
            units=row["lot_count"],
            late=varying(late_h, row["late_sd_h"] / late_h) if late_h > 0.0 else None,
            ban=ban,
            bunch=row["bunch_count"],
            first_h=between_h / 2.0,
        )
        if row["crew_id"] is not None and row["crew_h"] > 0.0:
            self.make.seize(f"{row['arrival_id']} waits for a crew", self.make.choice([self.berth(row["crew_id"])]), cause=k.SORTING)
            self.make.delay(f"{row['arrival_id']} is sorted", constant(row["crew_h"]), k.SORTING)
            self.make.release()
        if row["customs_h"] > 0.0:
            self.make.delay(f"{row['arrival_id']} with customs", exponential(row["customs_h"]), k.CUSTOMS)
        return True

    def crossing(self, crossing: Row, arrivals: list[Row]) -> None:
        """The stocks of a line and what comes to them."""
        name, link = crossing["crossing_id"], self.link_rows[crossing["link_id"]]
        self.crossings[name] = crossing
        self.sailing_h[name] = link["time_h"]
        for place in (link["from_place"], link["to_place"]):
            call = self.call_rows.get((name, place))
            if call is None:
                self.problems.append(Problem("calls", None, "place_id", f"{name} has no row for {place}, an end of link {link['link_id']}"))
                continue
            coming = [row for row in arrivals if row["place_id"] == place]
            row = coming[0] if coming else None
            if len(coming) > 1:
                self.problems.append(Problem("arrivals", None, "place_id", f"{name} has {len(coming)} streams at {place}, must have one"))
            if row is None:
                continue
            is_endless = row["arrival_id"] in self.endless
            line, ban = self.stream(row, is_endless=is_endless), -1
            if row["ban_above_count"] is not None and not is_endless:
                ban = self.make.ban(row["arrival_id"], row["ban_above_count"], row["ban_below_count"] or row["ban_above_count"])
            first = call["berths"].split(";")[0].strip()
            self.pools[name, place] = self.make.pool(
                row["arrival_id"],
                line,
                site=self.site(self.berth_rows[first]["closure_id"]),
                limit=call["storage_count"] if call["storage_count"] is not None else math.inf,
                is_endless=is_endless,
                ban=ban,
            )
            if not is_endless and self.source(row, line, ban):
                self.make.put(self.pools[name, place])

    def sail(self) -> None:
        """The programs of all ships, once all stocks are there."""
        for row in self.tables["ships"].rows(named=True):
            if row["crossing_id"] not in self.crossings:
                continue
            count = self.whole("ships", row["ship_id"], "ships_count", row["ships_count"])
            if count > 0:
                count = max(1, round(self.factor * count))
            if count > 0 and not self.problems:
                self._ships(row, count)

    def _ships(self, ship: Row, count: int) -> None:
        make, name = self.make, ship["ship_id"]
        crossing = self.crossings[ship["crossing_id"]]
        link = self.link_rows[crossing["link_id"]]
        places = (link["from_place"], link["to_place"])
        calls = [self.call_rows[crossing["crossing_id"], place] for place in places]
        waters = [water_m(self.berth_rows[first_berth(call)], self.level_m) for call in calls]
        room = ship["room_count"] * load_share(ship, waters)
        due = ship["offhire_h"] * (1.0 - ship["offhire_share"]) / ship["offhire_share"] if ship["offhire_share"] > 0.0 else 0.0
        first, repairs = make.here, list[tuple[int, int, bool]]()
        for number, (place, call) in enumerate(zip(places, calls, strict=True)):
            berths = tuple(word.strip() for word in call["berths"].split(";"))
            choice = make.choice([self.berth(berth) for berth in berths])
            site = self.site(self.berth_rows[berths[0]]["closure_id"])
            held = site if self.berth_rows[berths[0]]["is_held"] else -1
            pool = self.pools.get((crossing["crossing_id"], place), -1)
            also = self.pools.get((ship["also_crossing_id"], place), -1) if ship["also_crossing_id"] is not None else -1
            told = f"{name} at {place}"
            is_empty = (crossing["crossing_id"], places[1 - number]) not in self.pools
            stocks = [(found, weight) for found, weight in ((pool, 1.0), (also, ship["also_room_ratio"])) if found >= 0]
            approach = make.here
            if number == 0 and due > 0.0 and is_empty:
                repairs.append((make.if_due(), approach, False))
            if is_empty:
                self._load(told, call, stocks, room, pool)
            self._approach(call, site)
            make.seize(f"{told} waits", choice, pool=pool)
            make.delay(f"{told} in", constant(call["channel_h"]), k.CHANNEL)
            half = varying(call["fixed_h"] / (1.0 if is_empty else 2.0), call["variability_ratio"])
            crane = -1 if call["crane_id"] is None else make.choice([self.berth(call["crane_id"])])
            if not is_empty:
                self._with_crane(told, crane)
                make.handle(f"{told} unloads", half, hours_per_unit=call["unit_h"], site=held)
                make.unload()
                if crane >= 0:
                    make.release(slot=1)
                if number == 0 and due > 0.0:
                    repairs.append((make.if_due(), approach, True))
                self._load(told, call, stocks, room, pool)
            self._with_crane(f"{told} again", crane)
            make.handle(f"{told} is loaded", half, hours_per_unit=call["unit_h"], site=held)
            if crane >= 0:
                make.release(slot=1)
            self._approach(call, site)
            make.release()
            make.delay(f"{told} out", constant(call["channel_h"]), k.CHANNEL)
            passage = varying(link["time_h"], crossing["variability_ratio"])
            make.delay(f"{told} sails", passage, k.SAILING, link=2 * list(self.crossings).index(crossing["crossing_id"]) + number)
            hours = call["fixed_h"] + (int(not is_empty) + int(bool(stocks))) * call["unit_h"] * room
            self.calls.append(
                Call(
                    name, crossing["crossing_id"], place, f"{told} waits", f"{told} loads", room, ship["room_count"], hours, berths,
                    (f"{told} unloads", f"{told} is loaded"),
                )
            )  # fmt: skip
        make.jump(first)
        for asked, approach, is_berthed in repairs:
            make.lead(asked, make.here)
            if is_berthed:
                make.release()
            make.repair(f"{name} off hire", exponential(ship["offhire_h"]), exponential(due))
            make.jump(approach)
        self.ships[name] = count
        for number in range(count):
            make.token(f"{name} {number + 1}", first, at_h=_SPREAD_H * number, mean_due_h=due)

    def _with_crane(self, told: str, crane: int) -> None:
        """Wait for a crane, where one can be short."""
        if crane >= 0:
            self.make.seize(f"{told} waits for a crane", crane, slot=1)

    def _load(self, told: str, call: Row, stocks: list[tuple[int, float]], room: float, pool: int) -> None:
        """Wait for goods and take them: at the berth, or in the roads where a ship comes without any."""
        if stocks:
            clock = _HOURS_A_WEEK / call["timetable_per_week"] if call["timetable_per_week"] is not None else 0.0
            self.make.load(
                f"{told} loads", self.make.stocks([found for found, _ in stocks], [weight for _, weight in stocks]), room,
                least=math.inf if clock > 0.0 and not call["is_early"] else call["fill_share"] * room, wait_h=call["longest_wait_h"],
                timetable_h=clock, pool=pool,
            )  # fmt: skip

    def _approach(self, call: Row, site: int) -> None:
        """Weather and channel on the way in or out."""
        if site >= 0:
            self.make.open(site)
        if call["window_period_h"] is not None and call["window_open_h"] is not None:
            self.make.window(call["window_period_h"], call["window_open_h"])

    def passage(self, arrival: Row) -> None:
        """Goods that pass through stages without a ship."""
        make, name = self.make, arrival["passage_id"]
        stages = self.tables["passages"].filter(pl.col("passage_id") == name).sort("order").rows(named=True)
        is_endless = arrival["arrival_id"] in self.endless
        line = self.stream(arrival, is_endless=is_endless)
        if is_endless:
            first = make.load(f"{name} begins", make.stocks([make.pool(name, line, is_endless=True)]), arrival["lot_count"])
        elif not self.source(arrival, line, -1):
            return
        waiting = 0
        for stage in stages:
            told, cause = f"{name} {stage['order']}", _CAUSES[stage["cause"]]
            if stage["berth_id"] is not None:
                waiting += self.whole("berths", stage["berth_id"], "servers_count", self.berth_rows[stage["berth_id"]]["servers_count"])
                make.seize(f"{told} waits", make.choice([self.berth(stage["berth_id"])]))
                held = self.berth_rows[stage["berth_id"]]
                site = self.site(held["closure_id"]) if held["is_held"] else -1
            else:
                site = -1
            make.handle(told, varying(stage["fixed_h"], stage["variability_ratio"]), hours_per_unit=stage["unit_h"], site=site, cause=cause)
            if stage["berth_id"] is not None:
                make.release()
        if is_endless:
            make.unload()
            make.jump(first)
            for number in range(_MEAN_BACKLOG * max(waiting, 1) * max(len(stages), 1)):
                make.token(f"{name} {number + 1}", first)
        else:
            make.end(line)
