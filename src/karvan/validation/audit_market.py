"""The market of a saved run: use of facilities, limits and prices, demand, and the shares of routes at the prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.schema import ANY, LOADING_UNITS
from karvan.validation.audit_costs import hour_values, payloads
from karvan.validation.audit_routes import ends_of
from karvan.validation.book import CONTAINER, LINK, MARKET_KEY, NOT_SHIPPED, TERMINAL, Book, Epoch, Tables, Year, sums
from karvan.validation.tally import SOLVER_TOLERANCE, SUM_TOLERANCE, Check, Tally, compare_frames

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SMALL_SHARE = 1e-3
"""A facility smaller than this share of the largest of its unit is measured against that share."""
_WAGONS_PER_TRAIN, _TEU_PER_TRAIN = 50.0, 100.0
_COUNTED = {"kteu": "container", "kwagons": "wagon", "kvehicles": "truck"}


@dataclass(frozen=True)
class Uses:
    """Facilities that routes of an epoch use, once each.

    Attributes:
        route: Position in the epoch's routes, shape (uses,).
        facility: Row in facilities, shape (uses,).
        units_per_t: shape (uses,).
    """

    route: IntArray
    facility: IntArray
    units_per_t: FloatArray


@dataclass(frozen=True)
class Rows:
    """What is known of a year's facilities.

    Attributes:
        ids: facility_id.
        price: USD per unit, what a use pays in all: a price of its limit and of its agreed minimum together, shape (facilities,).
        use, tonnes: Thousands of units and kt by own reading, shape (facilities,).
        capacity: Effective capacity, shape (facilities,).
        limit: What is left of it to the markets of the case, shape (facilities,).
        uses: Facilities that routes use.
        scarcity: What a tonne on each route pays for its places, USD, shape (routes of the epoch,).
        size: What an excess is measured against, shape (facilities,).
    """

    ids: tuple[str, ...]
    price: FloatArray
    use: FloatArray
    tonnes: FloatArray
    capacity: FloatArray
    limit: FloatArray
    size: FloatArray
    uses: Uses
    scarcity: FloatArray


def uses_of(book: Book, year: Year) -> Uses:
    """Facilities that the routes of a year use, by own reading of facility_uses."""
    names = ("facility_uses", "commodity_units")
    units = tuple(year.tables["facilities"].select("facility_id", pl.col("unit").cast(pl.String)).iter_rows())
    key = ("uses", year.epoch_number, units, *book.memory.key(year.tables, names))
    found: Uses = book.memory.once(key, _uses, book, year.epoch, year.tables)
    return found


def _uses(book: Book, epoch: Epoch, tables: Tables) -> Uses:
    """Of all steps of a route that use a facility the one that takes most counts, and of several rows on a step the largest."""
    steps, payload = book.steps, payloads(book, tables)
    facilities = {row["facility_id"]: (index, row["unit"]) for index, row in enumerate(book.row_dicts(tables, "facilities"))}
    cells, rows, amounts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    groups, concerned = [np.zeros(0, dtype=np.int64)], [np.ones(len(book.markets), dtype=np.bool_)]
    for use in book.row_dicts(tables, "facility_uses"):
        index, unit = facilities[use["facility_id"]]
        on = steps.of(LINK, use["link_id"]) if use["link_id"] is not None else steps.of(TERMINAL, use["terminal_id"])
        if use["direction"] != "both":
            on = on[steps.is_backward[on] == (use["direction"] == "backward")]
        if use["loading_unit"] != ANY:
            wanted = LOADING_UNITS.index(use["loading_unit"])
            on = on[(steps.before[on] == wanted) | (steps.after[on] == wanted)]
        goods = np.flatnonzero([use["commodity_group"] in (ANY, name) for name in book.commodities])
        taken = use["weight_factor"] * _units_per_t(unit, steps.before[on], steps.after[on], payload[goods])
        of_goods, of_step = np.nonzero(taken)
        cells.append(goods[of_goods] * steps.count + on[of_step])
        rows.append(np.full(of_goods.shape[0], index, dtype=np.int64))
        amounts.append(taken[of_goods, of_step])
        narrowed = [name for name in ("origin_region", "destination_region") if use.get(name) is not None]
        groups.append(np.full(of_goods.shape[0], len(concerned) if narrowed else 0, dtype=np.int64))
        if narrowed:
            concerned.append(np.logical_and.reduce([book.trait(name) == use[name] for name in narrowed]))
    cell, row, amount, group = np.concatenate(cells), np.concatenate(rows), np.concatenate(amounts), np.concatenate(groups)
    order = np.argsort(cell, kind="stable")
    cell, row, amount, group = cell[order], row[order], amount[order], group[order]
    uses_first = np.searchsorted(cell, np.arange(len(book.commodities) * steps.count + 1))
    count = np.diff(uses_first)
    touched = np.flatnonzero(count[epoch.cell])
    repeat = count[epoch.cell[touched]]
    entry = np.repeat(uses_first[epoch.cell[touched]], repeat) + np.arange(repeat.sum()) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    route = np.repeat(epoch.route_of_step[touched], repeat)
    if len(concerned) > 1:
        is_meant = np.stack(concerned)[group[entry], epoch.market[route]]
        route, entry = route[is_meant], entry[is_meant]
    key = route * max(len(facilities), 1) + row[entry]
    by_key = np.lexsort((amount[entry], key))
    is_last = np.append(np.diff(key[by_key]) != 0, True)[: by_key.shape[0]]
    most = by_key[is_last]
    return Uses(key[most] // max(len(facilities), 1), key[most] % max(len(facilities), 1), amount[entry[most]])


def _units_per_t(unit: str, before: IntArray, after: IntArray, payload: FloatArray) -> FloatArray:
    """Units of a facility that a tonne takes on steps, shape (commodities, steps): one in kt; else one over the payload of what is counted,
    trains of 50 wagons or 100 TEU.
    """

    def per_t(counted: int, per_unit: float) -> FloatArray:
        is_carried = (before == counted) | (after == counted)
        return np.outer(np.nan_to_num(1.0 / (per_unit * payload[:, counted])), is_carried)

    if unit == "kt":
        return np.ones((payload.shape[0], before.shape[0]))
    if unit == "ktrains":
        in_box = (before == CONTAINER) | (after == CONTAINER)
        return np.where(in_box, per_t(CONTAINER, _TEU_PER_TRAIN), per_t(LOADING_UNITS.index("wagon"), _WAGONS_PER_TRAIN))
    return per_t(LOADING_UNITS.index(_COUNTED[unit]), 1.0)


def rows_of(book: Book, year: Year) -> Rows:
    """Use, limits and prices of a year's facilities."""
    found: Rows = book.memory.once(("rows", year.case, year.snapshot.year), _rows, book, year)
    return found


def _rows(book: Book, year: Year) -> Rows:
    table, uses = year.tables["facilities"], uses_of(book, year)
    ids = tuple(table["facility_id"])
    index = {name: row for row, name in enumerate(ids)}
    price = np.zeros(len(ids))
    for name, kind, value in year.rows.select("row_id", "kind", "price").iter_rows():
        facility = index.get(name.removesuffix(":minimum") if kind == "minimum" else name)
        if facility is not None and kind in ("facility", "minimum"):
            price[facility] += value
    capacity = effective_capacity(table)
    limit = np.maximum(capacity - table["other_load"].to_numpy(), 0.0)
    units = table["unit"].cast(pl.String).to_list()
    most = {unit: max(value for value, other in zip(limit, units, strict=True) if other == unit) for unit in set(units)}
    heaviest = float(uses.units_per_t.max(initial=0.0)) * float(year.column("base_flow_kt").sum())
    size = np.array(
        [max(value, _SMALL_SHARE * (most[unit] if most[unit] > 0.0 else heaviest)) for value, unit in zip(limit, units, strict=True)]
    )
    return Rows(
        ids=ids,
        price=price,
        use=sums(uses.facility, year.flow[uses.route] * uses.units_per_t, len(ids)),
        tonnes=sums(uses.facility, year.flow[uses.route], len(ids)),
        capacity=capacity,
        limit=limit,
        size=size,
        uses=uses,
        scarcity=sums(uses.route, uses.units_per_t * price[uses.facility], year.epoch.routes.shape[0]),
    )


def effective_capacity(facilities: pl.DataFrame) -> FloatArray:
    """Nominal x availability x payload / peak factor, shape (facilities,)."""
    columns = ("nominal", "availability_share", "payload_share", "peak_factor")
    nominal, availability, payload, peak = (facilities[name].to_numpy() for name in columns)
    return np.asarray(nominal * availability * payload / peak, dtype=np.float64)


def violation(rows: Rows) -> float:
    """Largest excess of use over what is left, as a share of the facility's size (r1)."""
    return float(np.max(np.maximum(rows.use - rows.limit, 0.0) / np.maximum(rows.size, 1e-300), initial=0.0))


def facility_checks(book: Book) -> list[Check]:
    """Use of facilities, and what limits and prices say of it."""
    use = Tally(
        "facility use",
        "use of every facility as its routes' steps use it by facility_uses, and its limit by facilities",
        tolerance=SUM_TOLERANCE,
    )
    full = Tally("limits", "no facility carries more than is left to it, minima are met, and a place has a price only where it is full")
    saved: tuple[list[pl.DataFrame], list[pl.DataFrame]] = ([], [])
    for year in book.years:
        rows = rows_of(book, year)
        held = year.rows.filter(pl.col("kind") == "facility")
        labels = [pl.lit(year.case).alias("case"), pl.lit(year.snapshot.year).alias("year")]
        wanted = pl.DataFrame({"row_id": rows.ids, "flow": rows.use, "limit": rows.limit}, schema_overrides={"row_id": pl.String})
        saved[0].append(held.select("case", "year", "row_id", "flow", "limit"))
        saved[1].append(
            wanted.select(*labels, pl.all()).with_columns(capacity=pl.Series(rows.capacity), modelled_kt=pl.Series(rows.tonnes))
        )
        _judge_rows(full, year, rows)
    keys = ("case", "year", "row_id")
    wanted = pl.concat(saved[1])
    wanted = wanted.with_columns(pl.col("year").cast(saved[0][0].schema["year"]))
    compare_frames(
        use, pl.concat(saved[0]), wanted, name="row_results", keys=keys, columns=("flow", "limit"), because="by the steps of its routes"
    )
    facilities = book.saved.frame("facilities").filter(pl.col("case").is_in(["scenario", "baseline"]))
    compare_frames(
        use,
        facilities.rename({"facility_id": "row_id"}).with_columns(pl.col("year").cast(wanted.schema["year"])),
        wanted.rename({"flow": "modelled_flow"}),
        name="facilities",
        keys=keys,
        columns=("modelled_flow", "modelled_kt", "capacity"),
        because="by the steps of its routes",
    )
    return [use.done(), full.done()]


def _judge_rows(tally: Tally, year: Year, rows: Rows) -> None:
    index = {name: row for row, name in enumerate(rows.ids)}
    agreed = {row["facility_id"]: float(row.get("minimum") or 0.0) for row in year.tables["facilities"].iter_rows(named=True)}
    held = year.rows.select("row_id", "kind", "sense", "limit", "price").rows()
    wrong: dict[int, str] = {}
    for at, (name, kind, sense, limit, price) in enumerate(held):
        facility = index.get(name.removesuffix(":minimum"))
        if facility is None or kind not in ("facility", "minimum"):
            wrong[at] = f"{name} is a row of kind {kind} {year.when}, must be a facility or its minimum: nothing else can be checked"
            continue
        use, size = float(rows.use[facility]), float(rows.size[facility])
        least = agreed[rows.ids[facility]] if kind == "minimum" else float(rows.limit[facility])
        wanted_sense = "at_least" if kind == "minimum" else "at_most"
        over = use - least if kind == "facility" else least - use
        if kind == "minimum" and limit != least:
            wrong[at] = f"{name} has a limit of {limit:.9g} {year.when}, must have the contract's {least:.9g}"
        elif sense != wanted_sense:
            wrong[at] = f"{name} has sense {sense} {year.when}, must have {wanted_sense}"
        elif not over <= SOLVER_TOLERANCE * size:
            word = "at most" if kind == "facility" else "at least"
            wrong[at] = f"{name} carries {use:.9g} thousand units {year.when}, must carry {word} {least:.9g}"
        elif not (price >= 0.0 if kind == "facility" else price <= 0.0):
            wrong[at] = (
                f"{name} has a price of {price:.9g} USD {year.when}, must be {'zero or more' if kind == 'facility' else 'zero or less'}"
            )
        elif price != 0.0 and -over > SOLVER_TOLERANCE * size:
            wrong[at] = f"{name} has a price of {price:.9g} USD {year.when} though {-over:.9g} thousand units are free, must be zero"
    is_right = np.ones(len(held), dtype=np.bool_)
    is_right[list(wrong)] = False
    tally.claim(is_right, say=lambda at: wrong[at])
    wanted = [name for name, least in agreed.items() if least > 0.0]
    named = {name for name, *_ in held}
    tally.claim(
        np.array([f"{name}:minimum" in named for name in wanted], dtype=np.bool_),
        say=lambda at: f"row_results lacks {wanted[at]}:minimum {year.when}, must hold the contract's minimum",
    )


def demand_check(book: Book) -> Check:
    """Base flow of every market by demand, demand_factors and region_places, and its conservation."""
    tally = Tally("demand", "base flow of every market by demand, growth, factors and shares of its places", tolerance=SUM_TOLERANCE)
    for year in book.years:
        columns = year.tables["demand"].select("market_id", "commodity_group", pl.col("form").cast(pl.String), "flow_kt")
        factors = {(row["commodity_group"], row["form"]): row["demand_factor"] for row in book.row_dicts(year.tables, "demand_factors")}
        ends = ends_of(book, year.tables)
        total = {name: flow * factors.get((goods, form), 1.0) for name, goods, form, flow in columns.rows()}
        is_there = ~np.isnan(year.column("base_flow_kt"))
        wanted = np.array([total.get(market, np.nan) for market, _, _ in book.markets]) * ends["share"]
        there = np.flatnonzero(is_there)

        def say(at: int, *, there: IntArray = there, when: str = year.when) -> str:
            return f"base flow of {book.say_market(int(there[at]))} {when}, kt,"

        tally.compare(year.column("base_flow_kt")[there], wanted[there], say=say, because="by demand, factors and shares")
        held: dict[str, int] = {}
        for at in there.tolist():
            held[book.markets[at][0]] = held.get(book.markets[at][0], 0) + 1
        names = sorted(total)

        def missing(
            at: int,
            *,
            names: list[str] = names,
            held: Mapping[str, int] = held,
            ends: Mapping[str, Mapping[str, int]] = ends,
            when: str = year.when,
        ) -> str:
            pairs = ends["pairs"].get(names[at], "some")
            return f"market_results: market {names[at]} has {held.get(names[at], 0)} pairs of ends {when}, must have {pairs}"

        tally.claim(np.array([held.get(name, 0) == ends["pairs"].get(name, -1) for name in names], dtype=np.bool_), say=missing)
    return tally.done()


def share_checks(book: Book) -> list[Check]:
    """Flows of all routes and composite costs at the prices of the run, by the nested path-size logit."""
    flows = Tally("shares", "flow of every route by costs, prices, constants and spread of choice", tolerance=SOLVER_TOLERANCE)
    costs = Tally("composites", "composite cost and demand of every market at the prices", tolerance=SOLVER_TOLERANCE)
    for year in book.years:
        _judge_shares(book, year, flows, costs)
    return [flows.done(), costs.done()]


def _judge_shares(book: Book, year: Year, flows: Tally, costs: Tally) -> None:
    epoch, tables = year.epoch, year.tables
    traits = {row["commodity_group"]: row for row in book.row_dicts(tables, "commodities")}
    constants = {(row["family_id"], row["commodity_group"]): row["constant_usd_per_t"] for row in book.row_dicts(tables, "constants")}
    base = {tuple(row[name] for name in MARKET_KEY): row["base_cost_usd_per_t"] for row in book.row_dicts(tables, "base_costs")}
    count = len(book.markets)

    def of_market(column: str) -> FloatArray:
        return np.array([traits[name][column] for name in book.commodities], dtype=np.float64)[book.commodity]

    weight = np.ones(count) if book.saved.report["regime"] == "price" else hour_values(book, tables)[book.commodity]
    cost = epoch.components.sum(axis=1) + year.delay + weight[epoch.market] * rows_of(book, year).scarcity
    theta, market_theta = of_market("route_theta_per_usd_per_t"), of_market("family_theta_per_usd_per_t")
    by_family = [[constants.get((family, goods), 0.0) for goods in book.commodities] for family in (*book.families, NOT_SHIPPED)]
    constant = np.array(by_family, dtype=np.float64)

    # Within a nest: weights against its cheapest route, so that no exponential overflows.
    nests = epoch.nest_market.shape[0]
    lowest = np.minimum.reduceat(cost, epoch.nest_first) if nests else np.zeros(0)
    part = epoch.path_size * np.exp(-theta[epoch.market] * (cost - lowest[epoch.nest]))
    whole = sums(epoch.nest, part, nests)
    nest_cost = lowest - np.log(whole) / theta[epoch.nest_market]
    commodity = book.commodity
    offered = nest_cost + constant[epoch.nest_family, commodity[epoch.nest_market]]
    at_home = of_market("not_shipped_usd_per_t") + constant[-1, commodity]
    cheapest = at_home.copy()
    np.minimum.at(cheapest, epoch.nest_market, offered)
    nest_part = np.exp(-market_theta[epoch.nest_market] * (offered - cheapest[epoch.nest_market]))
    home_part = np.exp(-market_theta * (at_home - cheapest))
    total = sums(epoch.nest_market, nest_part, count) + home_part
    composite = cheapest - np.log(total) / market_theta
    price, elasticity = of_market("value_usd_per_t"), of_market("demand_elasticity_ratio")
    base_cost = np.array([base.get(market, np.nan) for market in book.markets])
    answers = (elasticity > 0.0) & ~np.isnan(base_cost)
    relative = np.where(answers, (price + composite) / (price + np.where(answers, base_cost, 0.0)), 1.0)
    demand = year.column("base_flow_kt") * np.where(answers, relative ** (-elasticity), 1.0)
    wanted = (demand / total)[epoch.market] * nest_part[epoch.nest] * part / whole[epoch.nest]

    def say_route(at: int) -> str:
        return f"flow of {book.say_route(int(epoch.routes[at]))} {year.when}, kt,"

    there = np.flatnonzero(~np.isnan(year.column("base_flow_kt")))

    def say(what: str) -> Callable[[int], str]:
        return lambda at: f"{what} of {book.say_market(int(there[at]))} {year.when}"

    flows.compare(year.flow, wanted, say=say_route, because="by its share at the prices")
    flows.compare(
        year.column("not_shipped_kt")[there], (demand * home_part / total)[there], say=say("kt not shipped"), because="by its share"
    )
    costs.compare(year.column("cost_usd_per_t")[there], composite[there], say=say("composite cost"), least=1.0, because="at the prices")
    costs.compare(year.column("demand_kt")[there], demand[there], say=say("demand"), because="at its composite cost")
    costs.compare(year.column("price_weight")[there], weight[there], say=say("price weight"), because="by the regime")
