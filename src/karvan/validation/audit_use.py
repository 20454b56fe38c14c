"""What routes and empties take of facilities and balances, by own reading of facility_uses and returns, and what they pay for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.schema import ANY, LOADING_UNITS
from karvan.validation.audit_costs import COST_TABLES, hour_values, payloads, rates_of
from karvan.validation.book import CONTAINER, LINK, TERMINAL, Book, Epoch, Tables, Year, sums

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_SMALL_SHARE = 1e-3
"""A facility smaller than this share of the largest of its unit is measured against that share."""
_WAGONS_PER_TRAIN, _TEU_PER_TRAIN = 50.0, 100.0
_COUNTED = {"kteu": "container", "kwagons": "wagon", "kvehicles": "truck", "kwagondays": "wagon"}
_IN_DAYS = ("kshipdays", "kwagondays")
_HOURS_PER_DAY = 24.0
_POOL_SIZE = 4.0
"""Empties are taken from a pool of so many times what could be loaded at most."""
_LEAST_HOUR_VALUE_USD_PER_T = 1e-6
"""Goods whose time is worth less wait in a queue as if it were worth this."""


@dataclass(frozen=True)
class Uses:
    """Facilities and balances that routes of an epoch use, once each.

    Attributes:
        route: Position in the epoch's routes, shape (uses,).
        row: Row in facilities, after them row in returns, shape (uses,).
        units_per_t: Below zero where a balance is met from the other side, shape (uses,).
    """

    route: IntArray
    row: IntArray
    units_per_t: FloatArray


@dataclass(frozen=True)
class EmptyWay:
    """A balance, and what an empty loading unit takes on its way over the link, by own reading.

    Attributes:
        return_id, operator_id: The balance and who earns the charge.
        usd_per_unit: Charge for an empty.
        forward, backward: Units of each facility that an empty takes along and against the link's direction, shapes (facilities,).
    """

    return_id: str
    operator_id: str
    usd_per_unit: float
    forward: FloatArray
    backward: FloatArray


@dataclass(frozen=True)
class Rows:
    """What is known of a year's facilities and balances, which come after the facilities where a shape says rows.

    Attributes:
        ids: facility_id.
        limit_price, minimum_price: USD per unit of limits and agreed minimums, shapes (facilities,).
        balance_price: USD per unit, shape (returns,).
        loaded: Thousands of units that goods take by own reading, shape (rows,).
        room: Thousands of units that empties take, shape (facilities,).
        gross: Thousands of loading units over each balance's link, both ways, loaded or empty, shape (returns,).
        tonnes: kt, shape (facilities,).
        capacity: Effective capacity, shape (facilities,).
        limit: What is left of it to the markets of the case, shape (facilities,).
        minimum: Flow that a contract asks for, zero where there is none, shape (facilities,).
        size: What an excess is measured against, shape (rows,).
        minimum_size: What a want of a minimum is measured against, shape (facilities,).
        uses: Facilities and balances that routes use.
        ways: What empties take, one for each balance.
        empties: Forward, backward and idle empties, thousands, shape (returns, 3).
        pool: Empties that there are in all, thousands, shape (returns,).
        paid_per_t: What a tonne on each route pays for limits, minimums and balances, USD, shape (3, routes of the epoch).
    """

    ids: tuple[str, ...]
    limit_price: FloatArray
    minimum_price: FloatArray
    balance_price: FloatArray
    loaded: FloatArray
    room: FloatArray
    gross: FloatArray
    tonnes: FloatArray
    capacity: FloatArray
    limit: FloatArray
    minimum: FloatArray
    size: FloatArray
    minimum_size: FloatArray
    uses: Uses
    ways: tuple[EmptyWay, ...]
    empties: FloatArray
    pool: FloatArray
    paid_per_t: FloatArray

    @property
    def price(self) -> FloatArray:
        """What a use of each facility pays in all, shape (facilities,)."""
        return self.limit_price + self.minimum_price

    @property
    def use(self) -> FloatArray:
        """Thousands of units that goods and empties take, shape (facilities,)."""
        return self.loaded[: len(self.ids)] + self.room

    @property
    def scarcity(self) -> FloatArray:
        """What a tonne on each route pays for its places, USD, shape (routes of the epoch,)."""
        total: FloatArray = self.paid_per_t.sum(axis=0)
        return total


def uses_of(book: Book, year: Year) -> Uses:
    """Facilities and balances that the routes of a year use, by own reading of facility_uses and returns."""
    names: tuple[str, ...] = ("facility_uses", "commodity_units", "returns")
    units = tuple(year.tables["facilities"].select("facility_id", pl.col("unit").cast(pl.String)).iter_rows())
    if any(unit in _IN_DAYS for _, unit in units):
        names = (*names, *COST_TABLES)
    key = ("uses", year.epoch_number, units, *book.memory.key(year.tables, names))
    found: Uses = book.memory.once(key, _uses, book, year.epoch, year.tables)
    return found


class _Claims:
    """What steps take of rows: amounts by commodity and step, and the markets concerned."""

    def __init__(self, book: Book) -> None:
        self._book = book
        nothing = np.zeros(0, dtype=np.int64)
        self._parts: list[tuple[IntArray, IntArray, FloatArray, IntArray]] = [(nothing, nothing, np.zeros(0), nothing)]
        self._concerned = [np.ones(len(book.markets), dtype=np.bool_)]

    def add(self, row: int, on: IntArray, taken: FloatArray, *, origin: str | None = None, destination: str | None = None) -> None:
        """Let steps take amounts of a row, of shape (commodities, steps given), by goods between some regions only."""
        group = 0
        if origin is not None or destination is not None:
            concerned = np.ones(len(self._book.markets), dtype=np.bool_)
            for name, region in (("origin_region", origin), ("destination_region", destination)):
                if region is not None:
                    concerned &= self._book.trait(name) == region
            group = len(self._concerned)
            self._concerned.append(concerned)
        goods, at = np.nonzero(taken)
        size = goods.shape[0]
        self._parts.append((goods * self._book.steps.count + on[at], np.full(size, row), taken[goods, at], np.full(size, group)))

    def of(self, epoch: Epoch, is_summed: BoolArray) -> Uses:
        """What routes take: of rows that are summed what the largest claim of each step takes in all, of others what the largest takes."""
        cell, row, amount, group = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.argsort(cell, kind="stable")
        row, amount, group = row[order], amount[order], group[order]
        first = np.searchsorted(cell[order], np.arange(len(self._book.commodities) * self._book.steps.count + 1))
        count = np.diff(first)
        taken = np.flatnonzero((count > 0)[epoch.cell])
        repeat = count[epoch.cell[taken]]
        entry = np.repeat(first[epoch.cell[taken]] - np.cumsum(repeat) + repeat, repeat) + np.arange(repeat.sum())
        place, route = np.repeat(taken, repeat), np.repeat(np.searchsorted(epoch.first, taken, side="right") - 1, repeat)
        if len(self._concerned) > 1:
            is_meant = np.stack(self._concerned)[group[entry], epoch.market[route]]
            place, route, entry = place[is_meant], route[is_meant], entry[is_meant]
        row, amount = row[entry], amount[entry]
        width = max(is_summed.shape[0], 1)
        once = np.flatnonzero(~is_summed[row])
        once = once[_largest(route[once] * width + row[once], amount[once])]
        each = np.flatnonzero(is_summed[row])
        each = each[_largest(place[each] * width + row[each], np.abs(amount[each]))]
        together, inverse = np.unique(route[each] * width + row[each], return_inverse=True)
        summed = sums(inverse, amount[each], together.shape[0])
        return Uses(
            np.concatenate([route[once], together // width]),
            np.concatenate([row[once], together % width]),
            np.concatenate([amount[once], summed]),
        )


def _largest(key: IntArray, amount: FloatArray) -> IntArray:
    """Position of the largest amount of each key."""
    order = np.lexsort((amount, key))
    is_last = np.append(np.diff(key[order]) != 0, True)[: order.shape[0]]
    found: IntArray = order[is_last]
    return found


def _uses(book: Book, epoch: Epoch, tables: Tables) -> Uses:
    steps, payload, claims = book.steps, payloads(book, tables), _Claims(book)
    units = tables["facilities"]["unit"].cast(pl.String).to_list()
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    days = np.zeros(steps.count)
    if any(unit in _IN_DAYS for unit in units):
        rates = rates_of(book, tables)
        days = (rates.hours + rates.waiting_h) / _HOURS_PER_DAY
    for use in book.row_dicts(tables, "facility_uses"):
        row = facilities[use["facility_id"]]
        on = steps.of(LINK, use["link_id"]) if use["link_id"] is not None else steps.of(TERMINAL, use["terminal_id"])
        if use["direction"] != "both":
            on = on[steps.is_backward[on] == (use["direction"] == "backward")]
        if use["loading_unit"] != ANY:
            wanted = LOADING_UNITS.index(use["loading_unit"])
            on = on[(steps.before[on] == wanted) | (steps.after[on] == wanted)]
        concerned = np.array([use["commodity_group"] in (ANY, name) for name in book.commodities], dtype=np.bool_)
        per_t = _units_per_t(units[row], steps.before[on], steps.after[on], payload, days[on])
        taken = use["weight_factor"] * per_t * concerned[:, None]
        claims.add(row, on, taken, origin=use["origin_region"], destination=use["destination_region"])
    for number, row_of_return in enumerate(book.row_dicts(tables, "returns")):
        unit = LOADING_UNITS.index(row_of_return["loading_unit"])
        on = steps.of(LINK, row_of_return["link_id"])
        on = on[steps.before[on] == unit]
        named = {name.strip() for name in (row_of_return.get("commodities") or ANY).split(";")}
        concerned = np.array([bool({ANY, name} & named) for name in book.commodities], dtype=np.bool_)
        per_t = np.nan_to_num(1.0 / payload[:, unit]) * concerned
        claims.add(len(facilities) + number, on, np.outer(per_t, np.where(steps.is_backward[on], -1.0, 1.0)))
    is_summed = np.array([*(unit in _IN_DAYS for unit in units), *(True for _ in range(tables["returns"].height))], dtype=np.bool_)
    return claims.of(epoch, is_summed)


def _units_per_t(unit: str, before: IntArray, after: IntArray, payload: FloatArray, days: FloatArray) -> FloatArray:
    """Units of a facility that a tonne takes on steps, shape (commodities, steps): one in kt; else one over the payload of what is counted,
    trains of 50 wagons or 100 TEU, times the days of the step where days are counted: of ships for the first of the step's units.
    """

    def per_t(counted: int, per_unit: float) -> FloatArray:
        is_carried = (before == counted) | (after == counted)
        return np.outer(np.nan_to_num(1.0 / (per_unit * payload[:, counted])), is_carried)

    if unit == "kt":
        return np.ones((payload.shape[0], before.shape[0]))
    if unit == "ktrains":
        in_box = (before == CONTAINER) | (after == CONTAINER)
        return np.where(in_box, per_t(CONTAINER, _TEU_PER_TRAIN), per_t(LOADING_UNITS.index("wagon"), _WAGONS_PER_TRAIN))
    if unit == "kshipdays":
        return np.asarray(np.nan_to_num(1.0 / payload[:, np.minimum(before, after)]) * days, dtype=np.float64)
    counted = per_t(LOADING_UNITS.index(_COUNTED[unit]), 1.0)
    return counted * days if unit in _IN_DAYS else counted


def ways_of(book: Book, tables: Tables) -> tuple[EmptyWay, ...]:
    """What empties take of the facilities that stand on the link of each balance: as loaded units do, but they weigh nothing.

    They have no goods and no regions, so that uses by some goods or between some regions do not concern them.
    """
    key = ("ways", *book.memory.key(tables, ("facilities", "facility_uses", "returns", "links")))
    found: tuple[EmptyWay, ...] = book.memory.once(key, _ways, book, tables)
    return found


def _ways(book: Book, tables: Tables) -> tuple[EmptyWay, ...]:
    units = tables["facilities"]["unit"].cast(pl.String).to_list()
    facilities = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    hours = dict(tables["links"].select("link_id", "time_h").iter_rows())
    found = []
    for row in book.row_dicts(tables, "returns"):
        room = {"forward": np.zeros(len(units)), "backward": np.zeros(len(units))}
        code, days = np.array([LOADING_UNITS.index(row["loading_unit"])]), np.array([hours[row["link_id"]] / _HOURS_PER_DAY])
        for use in book.row_dicts(tables, "facility_uses"):
            is_general = use["commodity_group"] == ANY and use["origin_region"] is None and use["destination_region"] is None
            at = facilities[use["facility_id"]]
            if use["link_id"] != row["link_id"] or not is_general or use["loading_unit"] not in (ANY, row["loading_unit"]):
                continue
            if units[at] == "kt":
                continue
            per_unit = use["weight_factor"] * float(_units_per_t(units[at], code, code, np.ones((1, len(LOADING_UNITS))), days)[0, 0])
            for way, taken in room.items():
                if use["direction"] in ("both", way):
                    taken[at] = max(taken[at], per_unit)
        found.append(EmptyWay(row["return_id"], row["operator_id"], row["empty_usd_per_unit"], room["forward"], room["backward"]))
    return tuple(found)


def rows_of(book: Book, year: Year) -> Rows:
    """Use, limits and prices of a year's facilities."""
    found: Rows = book.memory.once(("rows", *year.key), _rows, book, year)
    return found


def _rows(book: Book, year: Year) -> Rows:
    table, uses, ways = year.tables["facilities"], uses_of(book, year), ways_of(book, year.tables)
    ids = tuple(table["facility_id"])
    count, base = len(ids), np.nan_to_num(year.column("base_flow_kt"))

    def prices(kind: str, names: Sequence[str]) -> FloatArray:
        return np.array([year.rows[kind, name].price if (kind, name) in year.rows else 0.0 for name in names], dtype=np.float64)

    limit_price, minimum_price = prices("facility", ids), prices("minimum", ids)
    balance_price = prices("return", [way.return_id for way in ways])
    empties = np.array([year.empties.get(way.return_id, (0.0, 0.0, 0.0)) for way in ways], dtype=np.float64).reshape(-1, 3)
    room = sum(
        (way.forward * along + way.backward * against for way, (along, against, _) in zip(ways, empties, strict=True)), np.zeros(count)
    )
    is_used = year.has[uses.route]
    each = year.flow[uses.route] * uses.units_per_t
    pool = np.array([_pool(year, uses, count + number, base) for number in range(len(ways))], dtype=np.float64)
    capacity = effective_capacity(table)
    limit = np.maximum(capacity - table["other_load"].to_numpy(), 0.0)
    units = table["unit"].cast(pl.String).to_list()
    most = {unit: max(value for value, other in zip(limit, units, strict=True) if other == unit) for unit in set(units)}
    heaviest = float(np.abs(uses.units_per_t[is_used]).max(initial=1.0 if ways else 0.0)) * float(base.sum() + pool.sum())
    gross = sums(uses.row, np.abs(each), count + len(ways))[count:] + empties[:, :2].sum(axis=1)
    least = _SMALL_SHARE * np.array([most[unit] if most[unit] > 0.0 else heaviest for unit in units])
    minimum = table["minimum"].to_numpy()
    price = np.concatenate([limit_price, balance_price]), np.concatenate([minimum_price, np.zeros(len(ways))])
    is_balance, routes = uses.row >= count, year.epoch.routes.shape[0]
    paid = [
        sums(uses.route, np.where(is_balance, 0.0, uses.units_per_t * price[0][uses.row]), routes),
        sums(uses.route, uses.units_per_t * price[1][uses.row], routes),
        sums(uses.route, np.where(is_balance, uses.units_per_t * price[0][uses.row], 0.0), routes),
    ]
    return Rows(
        ids=ids, limit_price=limit_price, minimum_price=minimum_price, balance_price=balance_price,
        loaded=sums(uses.row, each, count + len(ways)), room=room, gross=gross,
        tonnes=sums(uses.row, year.flow[uses.route], count + len(ways))[:count], capacity=capacity, limit=limit,
        minimum=minimum,
        size=np.concatenate([np.maximum(limit, least), np.maximum(gross, _SMALL_SHARE * heaviest)]),
        minimum_size=np.maximum(minimum, least), uses=uses, ways=ways, empties=empties, pool=pool,
        paid_per_t=np.stack(paid),
    )  # fmt: skip


def _pool(year: Year, uses: Uses, row: int, base: FloatArray) -> float:
    """Empties behind a balance, thousands: four times the loading units that could be on the link if all demand went over it."""
    mine = np.flatnonzero((uses.row == row) & year.has[uses.route])
    largest = np.zeros(base.shape[0])
    np.maximum.at(largest, year.epoch.market[uses.route[mine]], np.abs(uses.units_per_t[mine]))
    return _POOL_SIZE * max(float(base @ largest), 1e-3)


def effective_capacity(facilities: pl.DataFrame) -> FloatArray:
    """Nominal x availability x payload / peak factor, shape (facilities,)."""
    columns = ("nominal", "availability_share", "payload_share", "peak_factor")
    nominal, availability, payload, peak = (facilities[name].to_numpy() for name in columns)
    return np.asarray(nominal * availability * payload / peak, dtype=np.float64)


def price_weights(book: Book, year: Year) -> FloatArray:
    """What a unit of row price costs a tonne of each market: 1 where prices are money, the value of an hour where they are waits."""
    if book.saved.report["regime"] == "price":
        return np.ones(len(book.markets))
    return np.maximum(hour_values(book, year.tables), _LEAST_HOUR_VALUE_USD_PER_T)[book.commodity]


def empty_weight(book: Book, year: Year) -> float:
    """What a unit of row price costs an empty: in a queue the mean value of an hour over the markets."""
    if book.saved.report["regime"] == "price":
        return 1.0
    there = ~np.isnan(year.column("base_flow_kt"))
    return max(float(hour_values(book, year.tables)[book.commodity][there].mean()), _LEAST_HOUR_VALUE_USD_PER_T) if there.any() else 1.0
