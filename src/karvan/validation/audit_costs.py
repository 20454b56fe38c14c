"""What a step of a route costs, takes and is paid to, by own reading of the tables; and the costs of saved routes against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.schema import ANY, LOADING_UNITS
from karvan.validation.book import ACCESS, COMPONENTS, CONTAINER, LINK, TERMINAL, Book, Epoch, Steps, Tables
from karvan.validation.tally import SUM_TOLERANCE, Check, Tally

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

COST_TABLES = ("links", "terminals", "region_places", "modes", "tariffs", "commodities", "commodity_units", "operators")
_HOURS_PER_DAY = 24.0
_DAYS_PER_YEAR = 365.0
_OWN_SD_SHARE = 0.5
"""Legs are weighed in path sizes by a cost that adds up: half of each leg's own standard deviation stands in for the route's."""


@dataclass(frozen=True)
class Rates:
    """Costs of a tonne of each commodity on each step, USD/t, shapes (commodities, steps) unless said.

    Attributes:
        tariff: Charge of links, NaN where the operator does not carry the goods in that unit.
        handling: Charge of terminals.
        access: Cost of access, paid to nobody, shape (steps,).
        per_h: Value of an hour, shape (commodities,).
        reliability_ratio: shape (commodities,).
        hours, waiting_h: Time without waits, and waits, shape (steps,).
        sd_h: shape (steps,).
        co2: shape (steps,).
        operator: Row in operators, -1 for nobody, shape (steps,).
    """

    tariff: FloatArray
    handling: FloatArray
    access: FloatArray
    per_h: FloatArray
    reliability_ratio: FloatArray
    hours: FloatArray
    waiting_h: FloatArray
    sd_h: FloatArray
    co2: FloatArray
    operator: IntArray

    @property
    def charge(self) -> FloatArray:
        """What operators are paid, shape (commodities, steps)."""
        return np.nan_to_num(self.tariff) + self.handling


def rates_of(book: Book, tables: Tables) -> Rates:
    """Rates of a year's tables."""
    found: Rates = book.memory.once(("rates", *book.memory.key(tables, COST_TABLES)), _rates, book, tables)
    return found


def payloads(book: Book, tables: Tables) -> FloatArray:
    """Payload of a loading unit, t; NaN where goods may not use it, shape (commodities, units)."""
    found: FloatArray = book.memory.once(("payloads", *book.memory.key(tables, ("commodity_units",))), _payloads, book, tables)
    return found


def _payloads(book: Book, tables: Tables) -> FloatArray:
    payload = np.full((len(book.commodities), len(LOADING_UNITS)), np.nan)
    for row in tables["commodity_units"].iter_rows(named=True):
        if row["commodity_group"] in book.commodities:
            payload[book.commodities.index(row["commodity_group"]), LOADING_UNITS.index(row["loading_unit"])] = row["payload_t_per_unit"]
    return payload


def hour_values(book: Book, tables: Tables) -> FloatArray:
    """Value of an hour of each commodity, USD/t-h: multiplier x value x (interest + loss of value) / 365 / 24, shape (commodities,)."""
    rows = {row["commodity_group"]: row for row in book.row_dicts(tables, "commodities")}
    return np.array(
        [
            rows[name]["time_value_factor"] * rows[name]["value_usd_per_t"]
            * (rows[name]["capital_share_per_year"] + rows[name]["depreciation_share_per_year"]) / _DAYS_PER_YEAR / _HOURS_PER_DAY
            for name in book.commodities
        ]
    )  # fmt: skip


def _rates(book: Book, tables: Tables) -> Rates:
    steps = book.steps
    payload = payloads(book, tables)
    traits = dict(tables["commodities"].select("commodity_group", "reliability_ratio").iter_rows())
    operators = {name: row for row, name in enumerate(tables["operators"]["operator_id"])}
    shape = (len(book.commodities), steps.count)
    handling, hours, waiting, sd = np.zeros(shape), np.zeros(steps.count), np.zeros(steps.count), np.zeros(steps.count)
    access, kg_per_t, length = np.zeros(steps.count), np.zeros(steps.count), np.zeros(steps.count)
    operator = np.full(steps.count, -1, dtype=np.int64)
    per_teu = np.divide(1.0, payload[:, CONTAINER], out=np.zeros(shape[0]), where=~np.isnan(payload[:, CONTAINER]))
    on, rows = _rows_on(steps, LINK, tables["links"]["link_id"].to_list())
    moving, far = tables["links"]["time_h"].to_numpy(), tables["links"]["length_km"].to_numpy()
    hours[on], length[on] = moving[rows], far[rows]
    operator[on] = np.array([operators[name] for name in tables["links"]["operator_id"]], dtype=np.int64)[rows]
    for row in tables["modes"].iter_rows(named=True):
        of_mode = (tables["links"]["mode"].cast(pl.String) == row["mode"]).to_numpy()[rows]
        fits = on[of_mode & (steps.before[on] == LOADING_UNITS.index(row["loading_unit"]))]
        sd[fits], kg_per_t[fits] = row["time_sd_share"] * hours[fits], row["co2e_wtw_kg_per_tkm"] * length[fits]

    on, rows = _rows_on(steps, TERMINAL, tables["terminals"]["terminal_id"].to_list())
    columns = ("time_h", "waiting_h", "time_sd_h", "cost_usd_per_t", "cost_usd_per_teu")
    hours[on], waiting[on], sd[on], per_t, per_box = (tables["terminals"][name].to_numpy()[rows] for name in columns)
    operator[on] = np.array([operators[name] for name in tables["terminals"]["operator_id"]], dtype=np.int64)[rows]
    in_box = (steps.before[on] == CONTAINER) | (steps.after[on] == CONTAINER)
    handling[:, on] = per_t + np.outer(per_teu, in_box * per_box)

    columns = ("region_id", "side", "commodity_group", "place_id", "loading_unit")
    names = tables["region_places"].select(pl.concat_str(pl.col(columns).cast(pl.String), separator="/").alias("key"))["key"].to_list()
    on, rows = _rows_on(steps, ACCESS, names)
    access[on], hours[on] = (tables["region_places"][name].to_numpy()[rows] for name in ("access_cost_usd_per_t", "access_time_h"))
    return Rates(
        tariff=book.memory.once(
            ("tariffs", operator.tobytes(), length.tobytes(), per_teu.tobytes(), *book.memory.key(tables, ("tariffs", "operators"))),
            _tariffs,
            book,
            tables,
            operator,
            length,
            per_teu,
        ),
        handling=handling,
        access=access,
        per_h=hour_values(book, tables),
        reliability_ratio=np.array([traits[name] for name in book.commodities]),
        hours=hours,
        waiting_h=waiting,
        sd_h=sd,
        co2=book.corridor.manifest.co2_price_usd_per_t * kg_per_t / 1000.0,
        operator=operator,
    )


def _rows_on(steps: Steps, kind: int, names: list[str]) -> tuple[IntArray, IntArray]:
    """Steps on elements of a kind, and the row of each in its table."""
    row_of = {name: row for row, name in enumerate(names)}
    found = [(step, row_of[steps.element[step]]) for step in np.flatnonzero(steps.kind == kind).tolist() if steps.element[step] in row_of]
    table = np.array(found, dtype=np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def _tariffs(book: Book, tables: Tables, operator: IntArray, length: FloatArray, per_teu: FloatArray) -> FloatArray:
    """Charge of link steps: rows from the most general to the most specific, each over the ones before it, shape (commodities, steps)."""
    steps = book.steps
    operators = {name: row for row, name in enumerate(tables["operators"]["operator_id"])}
    by_operator = {row: np.flatnonzero((operator == row) & (steps.kind == LINK)) for row in operators.values()}

    def rank(row: Mapping[str, object]) -> tuple[bool, bool, bool, bool]:
        return (row["link_id"] != ANY, row["direction"] != "both", row["commodity_group"] != ANY, row["loading_unit"] != ANY)

    charge = np.full((len(book.commodities), steps.count), np.nan)
    for row in sorted(tables["tariffs"].iter_rows(named=True), key=rank):
        on = by_operator[operators[row["operator_id"]]] if row["link_id"] == ANY else steps.of(LINK, row["link_id"])
        on = on[operator[on] == operators[row["operator_id"]]]
        if row["direction"] != "both":
            on = on[steps.is_backward[on] == (row["direction"] == "backward")]
        is_per_box = row["basis"] in ("usd_per_teu", "usd_per_teu_km")
        if row["loading_unit"] != ANY:
            on = on[steps.before[on] == LOADING_UNITS.index(row["loading_unit"])]
        if is_per_box:
            on = on[steps.before[on] == CONTAINER]
        goods = [index for index, name in enumerate(book.commodities) if row["commodity_group"] in (ANY, name)]
        along = length[on] if row["basis"].endswith("_km") else np.ones(on.shape[0])
        per_t = per_teu[goods] if is_per_box else np.ones(len(goods))
        charge[np.ix_(goods, on)] = row["rate"] * np.outer(per_t, along)
    return charge


def route_sums(epoch: Epoch, values: FloatArray) -> FloatArray:
    """Sum of values of the steps taken over each route, shape (routes,)."""
    sums: FloatArray = np.add.reduceat(values, epoch.first[:-1]) if epoch.step.shape[0] else np.zeros(0)
    return sums


def cost_checks(book: Book) -> list[Check]:
    """Cost components and path sizes of saved routes against the tables of every year in which they stand."""
    costs = Tally(
        "costs",
        "tariff, handling, time, waiting, reliability and CO2 of every route as its steps cost by the tables",
        tolerance=SUM_TOLERANCE,
    )
    sizes = Tally(
        "path sizes", "path size of every route: cost shares of its steps over the routes that share them", tolerance=SUM_TOLERANCE
    )
    known: dict[tuple[int, ...], _Overlaps] = {}
    for year in book.years:
        key = (year.epoch_number, *book.memory.key(year.tables, COST_TABLES))
        epoch = year.epoch

        routes = np.flatnonzero(year.has)

        def say_route(at: int, *, routes: IntArray = epoch.routes[routes], when: str = year.when) -> str:
            return f"path size of {book.say_route(int(routes[at]))} {when}"

        def say_cost(at: int, *, epoch: Epoch = epoch, when: str = year.when) -> str:
            return f"{COMPONENTS[at % 6]} of {book.say_route(int(epoch.routes[at // 6]))} {when}, USD/t,"

        if key not in known:
            wanted, leg_cost = _components(book, epoch, rates_of(book, year.tables))
            costs.compare(epoch.components.ravel(), wanted.ravel(), say=say_cost, least=1e-3, because="what its steps cost by the tables")
            known[key] = _overlaps(epoch, year.has, leg_cost)
        wanted = _path_sizes(epoch, year.has, known[key])
        sizes.compare(year.path_size[routes], wanted[routes], say=say_route, because="by its shared steps")
    return [costs.done(), sizes.done()]


def _components(book: Book, epoch: Epoch, rates: Rates) -> tuple[FloatArray, FloatArray]:
    """Components of each route, shape (routes, 6), and the cost of each step taken that adds up."""
    on_links = np.where(book.steps.kind == LINK, rates.tariff, 0.0)
    on_others = rates.handling + rates.access
    spread = rates.reliability_ratio * rates.per_h
    commodity = book.commodity[epoch.market]
    per_h = rates.per_h[commodity]
    sums = np.empty((epoch.routes.shape[0], 6))
    sums[:, 0] = route_sums(epoch, on_links.ravel()[epoch.cell])
    sums[:, 1] = route_sums(epoch, on_others.ravel()[epoch.cell])
    sums[:, 2] = per_h * route_sums(epoch, rates.hours[epoch.step])
    sums[:, 3] = per_h * route_sums(epoch, rates.waiting_h[epoch.step])
    sums[:, 4] = spread[commodity] * np.sqrt(route_sums(epoch, (rates.sd_h**2)[epoch.step]))
    sums[:, 5] = route_sums(epoch, rates.co2[epoch.step]) if rates.co2.any() else 0.0
    legs = np.nan_to_num(on_links) + on_others + np.outer(rates.per_h, rates.hours + rates.waiting_h) + rates.co2
    return sums, (legs + _OWN_SD_SHARE * np.outer(spread, rates.sd_h)).ravel()[epoch.cell]


@dataclass(frozen=True)
class _Overlaps:
    """Path sizes of one year, from which those of years with nearly the same routes follow.

    Attributes:
        has: Routes of that year, shape (routes of the epoch,).
        share: Share of each step taken in the cost of its route.
        size: Path sizes, shape (routes of the epoch,).
    """

    has: BoolArray
    share: FloatArray
    size: FloatArray


def _overlaps(epoch: Epoch, has: BoolArray, leg_cost: FloatArray) -> _Overlaps:
    """A route that costs nothing counts its steps."""
    total, length = epoch.on_steps(route_sums(epoch, leg_cost)), epoch.on_steps(epoch.length.astype(np.float64))
    share = np.divide(leg_cost, total, out=1.0 / length, where=total > 0.0)
    users = np.bincount(epoch.pair, weights=epoch.on_steps(has.astype(np.float64)), minlength=epoch.pair_step.shape[0])
    return _Overlaps(has, share, route_sums(epoch, share / np.maximum(users, 1.0)[epoch.pair]))


def _path_sizes(epoch: Epoch, has: BoolArray, known: _Overlaps) -> FloatArray:
    """Sum over steps of cost share over number of routes of the nest that take the step, worked out where other routes are choices now."""
    is_other = np.zeros(epoch.nest_market.shape[0], dtype=np.bool_)
    is_other[epoch.nest[has != known.has]] = True
    routes = np.flatnonzero(is_other[epoch.nest])
    if routes.shape[0] == 0:
        return known.size
    length = epoch.length[routes]
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    taken = np.arange(first[-1]) + np.repeat(epoch.first[routes] - first[:-1], length)
    pair = epoch.pair[taken]
    users = np.bincount(pair, weights=np.repeat(has[routes].astype(np.float64), length))
    size = known.size.copy()
    size[routes] = np.add.reduceat(known.share[taken] / np.maximum(users, 1.0)[pair], first[:-1])
    return size
