"""A year held ready, and cleared again from where it stood when something in it is moved."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import yaml

from karvan.corridor import TABLES, Corridor, Snapshot, key_texts, nearest, set_cell
from karvan.demand.markets import FORMS
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.results import LiveAnswer, LiveYear
from karvan.routing import remeasured, repriced
from karvan.schema import ANY
from karvan.study.clear import Cleared, Market, clear, clear_like
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.route_memory import MARKET_TABLES, ROUTING_TABLES, RouteMemory
from karvan.study.year import facilities_of, link_flows

BASE, MEASURED, SEARCHED = "base", "measured", "searched"
"""Where the routes of a moved year come from: see `LiveAnswer`."""
AT_ONCE, SLOWER, IN_A_RUN = "at_once", "slower", "in_a_run"
"""How a year answers when a value is moved: see `reaction`."""
_ORDER = (BASE, MEASURED, SEARCHED)
MONEY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tariffs": ("rate",),
        "terminals": ("cost_usd_per_t", "cost_usd_per_teu"),
        "region_places": ("access_cost_usd_per_t",),
    }
)
"""Columns that change what a route costs and nothing else, so that routes are measured anew and none is searched."""
_EVIDENCE = ("note", "source", "confidence", "rule", "name")
_NETWORK: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "demand": ("market_id", "origin_region", "destination_region", "commodity_group", "form"),
        "facilities": ("facility_id", "unit"),
    }
)
"""Columns of tables of the market that routes depend on, too."""
_MOST_READY = 8
_THREADS = 2
"""Threads that share the program of a year that somebody waits for; the digits do not depend on it."""


@dataclass(frozen=True)
class Case:
    """A scenario of a corridor in one year.

    Attributes:
        scenario_id: The scenario.
        options: What is laid over it.
        year: Calendar year.
    """

    scenario_id: str
    options: ScenarioOptions
    year: int


@dataclass(frozen=True)
class Move:
    """What is moved in a year.

    Attributes:
        with_measures, without_measures: Measures put in or left out beyond the case's own.
        set_values: Assignments "table.id.column=value" that hold in the year itself, after all measures.
        demand_factor: Factor on the tonnes of goods, by commodity group or `any`.
    """

    with_measures: tuple[str, ...] = ()
    without_measures: tuple[str, ...] = ()
    set_values: tuple[str, ...] = ()
    demand_factor: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ready:
    """A cleared year that stands ready."""

    snapshot: Snapshot
    cleared: Cleared
    told: LiveYear
    routes: str


class LiveStudy:
    """Years of a corridor that stand ready to be moved; those used longest ago are let go.

    An answer depends on the case and the move alone, not on what was asked before.

    Args:
        corridor: The corridor.
        memory: Routes to share with other studies.
    """

    def __init__(self, corridor: Corridor, memory: RouteMemory) -> None:
        self.corridor = corridor
        self.memory = memory
        self._ready: OrderedDict[tuple[Case, Case | None], _Ready] = OrderedDict()

    def answer(self, case: Case, move: Move) -> LiveAnswer:
        """The year of a case after a move, beside the year as it was.

        Args:
            case: The case.
            move: What is moved in it.

        Raises:
            DataError: Something named is unknown or does not fit.
            ConvergenceError: The year did not clear.
        """
        moved_case = _with(case, move)
        base_of = None if moved_case == case else case
        is_warm = (moved_case, base_of) in self._ready
        base = self._year(case, None)
        ready = base if base_of is None else self._year(moved_case, case)
        snapshot, records = moved_snapshot(ready.snapshot, move)
        changes = (*_measure_records(move), *records)
        if not records:
            return LiveAnswer(ready.told, base.told, ready.routes, is_warm, changes)
        cleared, routes = self._cleared(snapshot, ready)
        told = self._told(cleared, None if routes == SEARCHED else ready)
        furthest = max(routes, ready.routes, key=_ORDER.index)
        return LiveAnswer(told, base.told, furthest, is_warm, changes)

    def _year(self, case: Case, base_of: Case | None) -> _Ready:
        """A case's year, from the year of another case if its network is the same."""
        key = (case, base_of)
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        prepared = prepare(self.corridor, case.scenario_id, case.options)
        snapshot = apply(prepared.scenario, prepared.corridor, year=case.year)
        if base_of is None:
            cleared = self._searched(snapshot)
            ready = _Ready(snapshot, cleared, self._told(cleared, None), BASE)
        else:
            base = self._year(base_of, None)
            cleared, routes = self._cleared(snapshot, base)
            ready = _Ready(snapshot, cleared, self._told(cleared, None if routes == SEARCHED else base), routes)
        self._ready[key] = ready
        while len(self._ready) > _MOST_READY:
            self._ready.popitem(last=False)
        return ready

    def _searched(self, snapshot: Snapshot) -> Cleared:
        price = self.corridor.manifest.co2_price_usd_per_t
        return clear(snapshot, routes=self.memory, co2_price_usd_per_t=price, is_strict=False)

    def _cleared(self, snapshot: Snapshot, base: _Ready) -> tuple[Cleared, str]:
        """A snapshot on the routes of another where the network allows it."""
        routes = compared(snapshot.tables, base.snapshot.tables)
        if routes == SEARCHED:
            return self._searched(snapshot), SEARCHED
        model = base.cleared
        if routes == MEASURED:
            space = repriced(model.routed.space, snapshot.tables, before=base.snapshot.tables)
            model = replace(model, routed=replace(model.routed, space=space, sets=remeasured(space, model.routed.sets)))
        return clear_like(snapshot, model, market=Market(threads=_THREADS), is_near=True), routes

    def _told(self, cleared: Cleared, weights_of: _Ready | None) -> LiveYear:
        """What is told of a cleared year; what cordons count of routes is taken from a year with the same ones."""
        manifest, tables = self.corridor.manifest, cleared.routed.snapshot.tables
        cordons = (cleared if weights_of is None else weights_of.cleared).routed.cordons
        kt, kteu = cordons[manifest.headline_cordon]
        sets, flow = cleared.routed.sets, cleared.set_flow_kt
        is_crude = np.array([name == manifest.crude_commodity for name in sets.market_commodity], dtype=np.bool_)
        names = tables["facilities"].select("facility_id", "name")
        use = pl.when(pl.col("capacity") > 0).then(pl.col("flow") / pl.col("capacity"))
        facilities = facilities_of(cleared).join(names, on="facility_id", how="left", validate="1:1", maintain_order="left")
        links = link_flows(cleared)
        return LiveYear(
            year=cleared.routed.snapshot.year,
            corridor_mt=float((flow * kt).sum()) / 1e3,
            containers_teu=float((flow * kteu).sum()) * 1e3,
            crude_mt=float((flow * kt)[is_crude[sets.route_market]].sum()) / 1e3,
            links=links.select("link_id", flow_kt=pl.col("forward_kt") + pl.col("backward_kt")),
            facilities=facilities.with_columns(use_share=use),
            is_settled=cleared.is_settled,
        )


def _with(case: Case, move: Move) -> Case:
    own = case.options
    options = replace(
        own,
        with_measures=(*own.with_measures, *move.with_measures),
        without_measures=(*own.without_measures, *move.without_measures),
    )
    return replace(case, options=options)


def _measure_records(move: Move) -> list[dict[str, Any]]:
    told = [("with", name) for name in move.with_measures] + [("without", name) for name in move.without_measures]
    return [{"table": "measures", "row": name, "column": None, "old": None, "new": change} for change, name in told]


def moved_snapshot(snapshot: Snapshot, move: Move) -> tuple[Snapshot, list[dict[str, Any]]]:
    """A snapshot with values set and demand multiplied, and what was replaced.

    Raises:
        DataError: With every problem.
    """
    tables, records, problems = dict(snapshot.tables), list[dict[str, Any]](), list[Problem]()
    for assignment in move.set_values:
        path, sign, value = assignment.partition("=")
        table = path.strip().partition(".")[0]
        if not sign:
            problems.append(Problem("set", None, None, f"{assignment} must read TABLE.ID.COLUMN=VALUE"))
            continue
        if table in snapshot.tables and table not in (*ROUTING_TABLES, *MARKET_TABLES):
            message = f"values of {table} do not act within a year; set it in a run"
            problems.append(Problem(table, None, None, message))
            continue
        try:
            tables, record = set_cell(tables, path.strip(), value)
        except DataError as error:
            problems.extend(error.problems)
            continue
        if record["old"] != record["new"]:
            records.append(record)
    goods = snapshot.tables["commodities"]["commodity_group"].to_list()
    for name, factor in move.demand_factor.items():
        if name not in (ANY, *goods):
            problems.append(Problem("demand", None, "commodity_group", f"there are no goods {name}{nearest(name, [ANY, *goods])}"))
            continue
        if factor != 1.0:
            is_of = pl.lit(value=True) if name == ANY else pl.col("commodity_group") == name
            flow = pl.when(is_of).then(pl.col("flow_kt") * factor).otherwise(pl.col("flow_kt")).alias("flow_kt")
            tables["demand"] = tables["demand"].with_columns(flow)
            records.append({"table": "demand", "row": name, "column": "flow_kt", "old": "times 1", "new": f"times {factor:g}"})
    if problems:
        raise DataError(problems)
    return replace(snapshot, tables=MappingProxyType(tables)), records


def values_in(corridor: Corridor, case: Case, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What holds in a year of a case, after all measures, by TABLE.ID.COLUMN.

    Args:
        corridor: The corridor.
        case: Scenario, options and year.
        columns: Columns by table.

    Raises:
        DataError, MeasureError: The case does not fit the corridor.
    """
    prepared = prepare(corridor, case.scenario_id, case.options)
    tables = apply(prepared.scenario, prepared.corridor, year=case.year).tables
    found: dict[str, Any] = {}
    for table, names in columns.items():
        frame = tables.get(table)
        if frame is not None:
            keys = key_texts(table, frame)
            found |= {f"{table}.{key}.{name}": value for name in names for key, value in zip(keys, frame[name].to_list(), strict=True)}
    return found


def compared(now: Mapping[str, pl.DataFrame], base: Mapping[str, pl.DataFrame]) -> str:
    """Where the routes of a year's tables can come from, given another's: BASE, MEASURED or SEARCHED."""
    for name, columns in _NETWORK.items():
        if now[name] is not base[name] and not now[name].select(columns).equals(base[name].select(columns)):
            return SEARCHED
    differing = [
        name for name in ROUTING_TABLES if now[name] is not base[name] and not _told_apart(now[name]).equals(_told_apart(base[name]))
    ]
    for name in differing:
        money = MONEY.get(name)
        if money is None or not _told_apart(now[name]).drop(money).equals(_told_apart(base[name]).drop(money)):
            return SEARCHED
    return MEASURED if differing else BASE


def _told_apart(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that routes can depend on."""
    return frame.drop([name for name in _EVIDENCE if name in frame.columns])


def reaction(table: str, column: str) -> str:
    """How a year answers when a value is moved: AT_ONCE, SLOWER where routes are searched anew, or IN_A_RUN where it acts only there."""
    if table in MARKET_TABLES or column in MONEY.get(table, ()):
        return AT_ONCE
    return SLOWER if table in ROUTING_TABLES else IN_A_RUN


def as_measure(corridor: Corridor, move: Move, *, from_year: int) -> tuple[str, str]:
    """The values and factors of a move as a measure that holds from a year on, so that a run can take it up.

    A measure of the scenario that is dated later has the last word, in the year itself as of its day.

    Args:
        corridor: The corridor.
        move: What is moved; its measures are left to the scenario.
        from_year: First year.

    Returns:
        Id of the measure, made of its content, and its file.

    Raises:
        DataError: With every problem.
    """
    changes: list[dict[str, Any]] = []
    told, problems = list[str](), list[Problem]()
    for assignment in move.set_values:
        path, sign, value = assignment.partition("=")
        try:
            if not sign:
                raise DataError(Problem("set", None, None, f"{assignment} must read TABLE.ID.COLUMN=VALUE"))
            _, record = set_cell(corridor.tables, path.strip(), value)
        except DataError as error:
            problems.extend(error.problems)
            continue
        table, column = record["table"], record["column"]
        row = corridor.tables[table].row(key_texts(table, corridor.tables[table]).index(record["row"]), named=True)
        changes.append({"table": table, "where": {key: row[key] for key in TABLES[table].primary_key()}, "set": {column: record["new"]}})
        told.append(f"{path.strip()} = {record['new']}")
    goods = corridor.tables["commodities"]["commodity_group"].to_list()
    forms = set(corridor.tables["demand"]["form"].cast(pl.String))
    for name, factor in move.demand_factor.items():
        if name not in (ANY, *goods):
            problems.append(Problem("demand", None, "commodity_group", f"there are no goods {name}{nearest(name, [ANY, *goods])}"))
        elif factor != 1.0:
            where: dict[str, Any] = {"form": [form for form in FORMS if form in forms]} if name == ANY else {"commodity_group": name}
            changes.append({"table": "demand", "where": where, "scale": {"flow_kt": factor}})
            told.append(f"demand of {name} times {factor:g}")
    if problems:
        raise DataError(problems)
    if not changes:
        raise DataError(Problem("set", None, None, "nothing is moved; give `set` or `demand_factor`"))
    content = json.dumps([from_year, changes], sort_keys=True, default=str)
    name = f"moved_{hashlib.sha256(content.encode('utf-8')).hexdigest()[:10]}"
    record = {
        "id": name,
        "title": f"Moved by hand from {from_year}: {'; '.join(told)}",
        "from_date": date(from_year, 1, 1),
        "status": "option",
        "source": "moved_by_hand",
        "confidence": "estimate",
        "doc": "Values that somebody tried in the screen.",
        "changes": changes,
    }
    return name, yaml.safe_dump(record, allow_unicode=True, sort_keys=False)
