"""The market of a saved run: use of facilities, limits and prices, demand, empties, and the shares of routes at the prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.validation.audit_delays import route_delays
from karvan.validation.audit_routes import ends_of
from karvan.validation.audit_use import EmptyWay, Rows, empty_weight, price_weights, rows_of
from karvan.validation.book import MARKET_KEY, NOT_SHIPPED, Book, Held, Tables, Year, sums
from karvan.validation.tally import LEAST_KT, SOLVER_TOLERANCE, SUM_TOLERANCE, Check, Tally, compare_frames

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_EMPTY_SHARPNESS = 200.0
"""Empties choose among ways with a theta of this over their charge."""


def violation(rows: Rows) -> float:
    """Largest excess over a limit, want of a minimum, or difference of both ways over a balance's link, as shares of sizes (r1)."""
    net = rows.loaded[len(rows.ids) :] + _net(rows)
    excess = np.concatenate([rows.use - rows.limit, np.where(rows.minimum > 0.0, rows.minimum - rows.use, 0.0), np.abs(net)])
    count = len(rows.ids)
    size = np.concatenate([rows.size[:count], rows.minimum_size, rows.size[count:]])
    return float(np.max(np.maximum(excess, 0.0) / np.maximum(size, 1e-300), initial=0.0))


def facility_checks(book: Book) -> list[Check]:
    """Use of facilities and balances, and what limits and prices say of it."""
    use = Tally(
        "facility use",
        "use of every facility, by goods and by empties on their way back, as facility_uses and returns say, and its limit by facilities",
        tolerance=SUM_TOLERANCE,
    )
    full = Tally(
        "limits", "nothing carries more than is left to it, minimums are met, what goes out comes back, and only what is full has a price"
    )
    wanted: list[pl.DataFrame] = []
    for year in book.years:
        rows = rows_of(book, year)
        count = len(rows.ids)
        names = [("facility", name) for name in rows.ids] + [("minimum", name) for name in _agreed(rows)]
        names += [("return", way.return_id) for way in rows.ways]
        place = {name: at for at, name in enumerate(rows.ids)}
        flow = [*(rows.use[place[name]] for kind, name in names if kind != "return"), *(rows.loaded[count:] + _net(rows))]
        held = [year.rows[key].flow if key in year.rows else np.nan for key in names]
        # What crosses a balance's link adds up to nothing, to the tolerance of the program: it is held against what crosses.
        least = [*(LEAST_KT for kind, _ in names if kind != "return"), *np.maximum(rows.gross, LEAST_KT)]

        def say(at: int, *, names: list[tuple[str, str]] = names, when: str = year.when) -> str:
            return f"row_results: flow of {names[at][0]} {names[at][1]} {when}"

        use.compare(held, flow, say=say, least=least, because="by the steps of its routes")

        def say_limit(at: int, *, ids: tuple[str, ...] = rows.ids, when: str = year.when) -> str:
            return f"row_results: limit of {ids[at]} {when}"

        held = [year.rows["facility", name].limit if ("facility", name) in year.rows else np.nan for name in rows.ids]
        use.compare(held, rows.limit, say=say_limit, because="by facilities")
        labels = [pl.lit(year.case).alias("case"), pl.lit(year.snapshot.year, dtype=pl.Int64).alias("year")]
        columns = {"facility_id": rows.ids, "modelled_flow": rows.use, "modelled_kt": rows.tonnes, "capacity": rows.capacity}
        wanted.append(pl.DataFrame(columns, schema_overrides={"facility_id": pl.String}).select(*labels, pl.all()))
        _judge_rows(full, year, rows)
    facilities = book.saved.frame("facilities", columns=("case", "year", *columns, "empty_flow"))
    facilities = facilities.filter(pl.col("case").is_in(["scenario", "baseline"])).with_columns(pl.col("year").cast(pl.Int64))
    keys = ("case", "year", "facility_id")
    compare_frames(
        use, facilities, pl.concat(wanted), name="facilities", keys=keys, columns=("modelled_flow", "modelled_kt", "capacity"),
        because="by the steps of its routes",
    )  # fmt: skip
    _judge_room(use, book, facilities)
    return [use.done(), full.done()]


def _net(rows: Rows) -> FloatArray:
    """Empties along the link less those against it, shape (returns,)."""
    net: FloatArray = rows.empties[:, 0] - rows.empties[:, 1]
    return net


def _agreed(rows: Rows) -> dict[str, float]:
    """Flow that a contract asks for, by facility_id."""
    return {name: float(least) for name, least in zip(rows.ids, rows.minimum, strict=True) if least > 0.0}


def _judge_room(tally: Tally, book: Book, facilities: pl.DataFrame) -> None:
    """What empties take of each facility, against all that is taken of it: the report tells it as the difference of two sums."""
    held = {
        (case, year, name): value for case, year, name, value in facilities.select("case", "year", "facility_id", "empty_flow").iter_rows()
    }
    for year in book.years:
        rows = rows_of(book, year)

        def say(at: int, *, ids: tuple[str, ...] = rows.ids, when: str = year.when) -> str:
            return f"facilities: empty_flow of {ids[at]} {when}"

        found = [held.get((*year.key, name), np.nan) for name in rows.ids]
        tally.compare(found, rows.room, say=say, least=np.maximum(rows.use * 10.0, LEAST_KT), because="by the empties on its links")


def _judge_rows(tally: Tally, year: Year, rows: Rows) -> None:
    count, agreed = len(rows.ids), _agreed(rows)
    places: Mapping[str, Mapping[str, int]] = {
        "facility": {name: at for at, name in enumerate(rows.ids)},
        "minimum": {name: at for at, name in enumerate(rows.ids) if name in agreed},
        "return": {way.return_id: at + count for at, way in enumerate(rows.ways)},
    }
    wrong: dict[int, str] = {}
    for at, ((kind, name), held) in enumerate(year.rows.items()):
        if name not in places.get(kind, {}):
            wrong[at] = (
                f"{name} is a row of kind {kind} {year.when}, must be a facility, its minimum or a return: nothing else can be checked"
            )
            continue
        row = places[kind][name]
        if kind == "return":
            fault = _balance_fault(held, float(rows.loaded[row] + _net(rows)[row - count]), float(rows.size[row]))
        elif kind == "minimum":
            fault = _minimum_fault(held, float(rows.use[row]), agreed[name], float(rows.minimum_size[row]))
        else:
            fault = _limit_fault(held, float(rows.use[row]), float(rows.limit[row]), float(rows.size[row]))
        if fault:
            wrong[at] = f"{name} {year.when} {fault}"
    is_right = np.ones(len(year.rows), dtype=np.bool_)
    is_right[list(wrong)] = False
    tally.claim(is_right, say=lambda at: wrong[at])
    wanted = [(kind, name) for kind, names in places.items() for name in names]
    tally.claim(
        np.array([key in year.rows for key in wanted], dtype=np.bool_),
        say=lambda at: f"row_results lacks {wanted[at][0]} {wanted[at][1]} {year.when}, must hold it",
    )


def _limit_fault(held: Held, use: float, limit: float, size: float) -> str:
    if held.sense != "at_most":
        return f"has sense {held.sense}, must have at_most"
    if not use - limit <= SOLVER_TOLERANCE * size:
        return f"carries {use:.9g} thousand units, must carry at most {limit:.9g}"
    if not held.price >= 0.0:
        return f"has a price of {held.price:.9g}, must be zero or more"
    if held.price != 0.0 and limit - use > SOLVER_TOLERANCE * size:
        return f"has a price of {held.price:.9g} though {limit - use:.9g} thousand units are free, must be zero"
    return ""


def _minimum_fault(held: Held, use: float, least: float, size: float) -> str:
    if held.limit != least:
        return f"has a minimum of {held.limit:.9g}, must have the contract's {least:.9g}"
    if held.sense != "at_least":
        return f"has a minimum of sense {held.sense}, must have at_least"
    if not least - use <= SOLVER_TOLERANCE * size:
        return f"carries {use:.9g} thousand units, must carry at least {least:.9g}"
    if not held.price <= 0.0:
        return f"has a minimum with a price of {held.price:.9g}, must be zero or less"
    if held.price != 0.0 and use - least > SOLVER_TOLERANCE * size:
        return f"has a minimum with a price of {held.price:.9g} though it is met by {use - least:.9g} thousand units more, must be zero"
    return ""


def _balance_fault(held: Held, net: float, size: float) -> str:
    if held.limit != 0.0:
        return f"has a limit of {held.limit:.9g}, must have zero"
    if held.sense != "exactly":
        return f"has sense {held.sense}, must have exactly"
    if not abs(net) <= SOLVER_TOLERANCE * size:
        return f"lets {net:.9g} thousand units more cross its link along than against it, must let none"
    return ""


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


def empties_check(book: Book) -> Check:
    """How many empties go either way or stay, by what the ways cost at the prices."""
    tally = Tally(
        "empties", "empties that go along each balance's link, against it or stay, by charges and prices", tolerance=SOLVER_TOLERANCE
    )
    for year in book.years:
        rows, weight = rows_of(book, year), empty_weight(book, year)
        wanted = np.zeros((len(rows.ways), 3))
        for at, way in enumerate(rows.ways):
            sharpness = _EMPTY_SHARPNESS / way.usd_per_unit
            along, against = (float(room @ rows.price) for room in (way.forward, way.backward))
            cost = way.usd_per_unit + weight * np.array([along + rows.balance_price[at], against - rows.balance_price[at]])
            whole = np.append(cost, 0.0)
            part = np.exp(-sharpness * (whole - whole.min()))
            wanted[at] = rows.pool[at] * part / part.sum()
        names = [(way.return_id, word) for way in rows.ways for word in ("forward", "backward", "idle")]

        def say(at: int, *, names: list[tuple[str, str]] = names, when: str = year.when) -> str:
            return f"empty_flows: {names[at][1]} of {names[at][0]} {when}, thousand units,"

        tally.compare(rows.empties.ravel(), wanted.ravel(), say=say, because="by what the ways cost at the prices")
        held = sorted(year.empties)
        is_known = np.array([name in {way.return_id for way in rows.ways} for name in held], dtype=np.bool_)
        is_there = np.array([way.return_id in year.empties for way in rows.ways], dtype=np.bool_)

        def stranger(at: int, *, held: list[str] = held, when: str = year.when) -> str:
            return f"empty_flows: {held[at]} {when} is no row of returns"

        def missing(at: int, *, ways: Sequence[EmptyWay] = rows.ways, when: str = year.when) -> str:
            return f"empty_flows lacks {ways[at].return_id} {when}"

        tally.claim(is_known, say=stranger)
        tally.claim(is_there, say=missing)
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
    base_cost: FloatArray = book.memory.once(("base costs", *book.memory.key(tables, ("base_costs",))), _base_costs, book, tables)
    count = len(book.markets)

    def of_market(column: str) -> FloatArray:
        return np.array([traits[name][column] for name in book.commodities], dtype=np.float64)[book.commodity]

    weight = price_weights(book, year)
    cost = epoch.cost + route_delays(book, year) + weight[epoch.market] * rows_of(book, year).scarcity
    cost = np.where(year.has, cost, np.inf)
    theta, market_theta = of_market("route_theta_per_usd_per_t"), of_market("family_theta_per_usd_per_t")
    by_family = [[constants.get((family, goods), 0.0) for goods in book.commodities] for family in (*book.families, NOT_SHIPPED)]
    constant = np.array(by_family, dtype=np.float64)

    # Within a nest: weights against its cheapest route, so that no exponential overflows. A nest may have no route in this year.
    nests = epoch.nest_market.shape[0]
    lowest = np.minimum.reduceat(cost, epoch.nest_first) if nests else np.zeros(0)
    is_open = np.isfinite(lowest)
    lowest = np.where(is_open, lowest, 0.0)
    part = np.where(year.has, year.path_size * np.exp(-theta[epoch.market] * (cost - lowest[epoch.nest])), 0.0)
    whole = np.where(is_open, sums(epoch.nest, part, nests), 1.0)
    nest_cost = np.where(is_open, lowest - np.log(np.maximum(whole, 1e-300)) / theta[epoch.nest_market], np.inf)
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
    answers = (elasticity > 0.0) & ~np.isnan(base_cost)
    relative = np.where(answers, (price + composite) / (price + np.where(answers, base_cost, 0.0)), 1.0)
    demand = year.column("base_flow_kt") * np.where(answers, relative ** (-elasticity), 1.0)
    wanted = (demand / total)[epoch.market] * nest_part[epoch.nest] * part / whole[epoch.nest]

    routes = np.flatnonzero(year.has)

    def say_route(at: int) -> str:
        return f"flow of {book.say_route(int(epoch.routes[routes[at]]))} {year.when}, kt,"

    there = np.flatnonzero(~np.isnan(year.column("base_flow_kt")))

    def say(what: str) -> Callable[[int], str]:
        return lambda at: f"{what} of {book.say_market(int(there[at]))} {year.when}"

    flows.compare(year.flow[routes], wanted[routes], say=say_route, because="by its share at the prices")
    flows.compare(
        year.column("not_shipped_kt")[there], (demand * home_part / total)[there], say=say("kt not shipped"), because="by its share"
    )
    costs.compare(year.column("cost_usd_per_t")[there], composite[there], say=say("composite cost"), least=1.0, because="at the prices")
    costs.compare(year.column("demand_kt")[there], demand[there], say=say("demand"), because="at its composite cost")
    costs.compare(year.column("price_weight")[there], weight[there], say=say("price weight"), because="by the regime")


def _base_costs(book: Book, tables: Tables) -> FloatArray:
    """Composite cost of the base year, NaN where none is stored, shape (markets,)."""
    base = {tuple(row[name] for name in MARKET_KEY): row["base_cost_usd_per_t"] for row in book.row_dicts(tables, "base_costs")}
    return np.array([base.get(market, np.nan) for market in book.markets], dtype=np.float64)
