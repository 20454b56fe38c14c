"""Snapshot to cleared market: routes that enter by price, the program solved, delays and flows that fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import (
    Assembly,
    Clearing,
    ClearOptions,
    DelayCurves,
    FixedPoint,
    FixedPointOptions,
    LaidOut,
    MarketProblem,
    assemble,
    delay_h,
    queued,
    read_curves,
    reassembled,
    solve_from_two_starts,
    stored_constants,
    use_share,
    with_capacity,
)
from karvan.corridor import Snapshot
from karvan.errors import DataError, Problem
from karvan.results.outlook import ROUTE_GAP
from karvan.routing import Standing, entered
from karvan.routing.cost import HOURS_PER_DAY, value_of_time_usd_per_t_d
from karvan.study.delay_loop import DelayLoop, delay_costs, solved, with_delays
from karvan.study.route_memory import Kept, RoutedSnapshot, RouteMemory, YearKey

FloatArray = npt.NDArray[np.float64]
_MOST_ROUNDS = 8
# Ten times finer than delays need to be, so that where they start from does not show in the results.
_DELAYS = FixedPointOptions(relative=1e-3, absolute=5e-3)
_LEAST_TIME_VALUE_USD_PER_T_H = 1e-6


@dataclass(frozen=True)
class Market:
    """How scarcity is settled and how well.

    Attributes:
        regime: `price`: by a price that goes to the facility's owner; `queue`: by a wait that is lost.
        has_delays: Times grow with use by the corridor's delay curves.
        tolerance: Largest r1 and r2 of a clearing.
        threads: Threads that share searches and large programs; the digits do not depend on it.
        aim: The solver goes on to these r1 and r2 if it can.
        delays: How well delays and flows must fit each other.
    """

    regime: str = "price"
    has_delays: bool = True
    tolerance: float = 1e-6
    threads: int = 1
    aim: float = 1e-9
    delays: FixedPointOptions = _DELAYS

    def __post_init__(self) -> None:
        if self.regime not in ("price", "queue"):
            raise DataError(Problem("market", None, "regime", f"is {self.regime}, must be price or queue"))


@dataclass(frozen=True)
class Terms:
    """What demand and charges of a year are beside what its tables say.

    Attributes:
        market_factor: On the demand of each market, shape (markets,).
        route_usd_per_t: More to pay on each route of the program, shape (routes,).
    """

    market_factor: FloatArray
    route_usd_per_t: FloatArray

    def of(self, problem: MarketProblem) -> MarketProblem:
        """A program at these terms."""
        cost = problem.route_cost_usd_per_t + self.route_usd_per_t
        return replace(problem, market_factor=self.market_factor, route_cost_usd_per_t=cost)


@dataclass(frozen=True)
class Cleared:
    """A cleared snapshot.

    Attributes:
        routed: Its routes.
        assembly: Its program; delays are in the route costs.
        clearing: The program solved.
        delay_h: Hours that each facility takes more than its times say, shape (facilities,).
        is_settled: Delays and flows fit each other to the tolerance.
        delay_evaluations: Clearings it took to find them.
        route_gap: Largest share of its market that a route left out would take.
        regime: `price` or `queue`.
        has_curves: Delays were sought.
    """

    routed: RoutedSnapshot
    assembly: Assembly
    clearing: Clearing
    delay_h: FloatArray
    is_settled: bool
    delay_evaluations: int
    route_gap: float
    regime: str
    has_curves: bool

    @property
    def problem(self) -> MarketProblem:
        return self.assembly.problem

    @property
    def route_delay_usd_per_t(self) -> FloatArray:
        """What delays add to the cost of each route of the route sets, USD/t, shape (routes of the sets,)."""
        return delay_costs(self.routed, self.delay_h)

    @property
    def row_price(self) -> FloatArray:
        """Price of facilities and balances, minimums included, shape (facilities and balances,)."""
        return self.assembly.row_price(self.clearing.row_price_usd_per_unit)

    @property
    def set_flow_kt(self) -> FloatArray:
        """Flow on each route of the route sets, shape (routes of the sets,)."""
        return self.assembly.over_sets(self.clearing.route_flow_kt, self.routed.sets.route_count)


def clear(
    snapshot: Snapshot,
    *,
    market: Market | None = None,
    routes: RouteMemory | None = None,
    co2_price_usd_per_t: float = 0.0,
    is_strict: bool = True,
) -> Cleared:
    """Clear the market of a snapshot: solve it, let routes enter that its prices and delays call for, and solve again until none is left
    out that would take a thousandth of its market.

    Args:
        snapshot: The corridor in a year.
        market: Scarcity regime, delays and tolerance.
        routes: Routes to share with other snapshots.
        co2_price_usd_per_t: Carbon price in route choice.
        is_strict: A market without a route is an error; if false its goods stay at home.

    Raises:
        DataError: A market has no route.
        ConvergenceError: The program did not reach its tolerance.
        SolverError: Limits, minimums and balances cannot all hold; the message names the fewest that conflict.
    """
    market, memory = market or Market(), routes or RouteMemory(threads=(market or Market()).threads)
    key = year_key(snapshot, routes=memory, co2_price_usd_per_t=co2_price_usd_per_t, market=market)
    with memory.turn(key):  # scenarios that share a year share the work, also at once
        shared: Cleared | None = memory.held(key)
        if shared is None or is_strict:
            shared = _cleared(snapshot, market, memory, key, co2_price_usd_per_t=co2_price_usd_per_t, is_strict=is_strict)
            memory.hold(key, shared)
        return replace(shared, routed=replace(shared.routed, snapshot=snapshot))


def is_remembered(snapshot: Snapshot, *, routes: RouteMemory, co2_price_usd_per_t: float = 0.0, market: Market | None = None) -> bool:
    """Whether the routes of a year are kept on disk, so that `clear` need not look for any."""
    return routes.is_kept(year_key(snapshot, routes=routes, co2_price_usd_per_t=co2_price_usd_per_t, market=market))


def year_key(snapshot: Snapshot, *, routes: RouteMemory, co2_price_usd_per_t: float = 0.0, market: Market | None = None) -> YearKey:
    """All that a cleared snapshot depends on."""
    return routes.year_key(snapshot, co2_price_usd_per_t=co2_price_usd_per_t, settings=_settings(market or Market()))


def _settings(market: Market) -> tuple[object, ...]:
    return (market.regime, market.has_delays, market.tolerance, market.aim, market.delays)


def _cleared(
    snapshot: Snapshot, market: Market, memory: RouteMemory, key: YearKey, *, co2_price_usd_per_t: float, is_strict: bool
) -> Cleared:
    known = None if is_strict else memory.recall(snapshot, key)
    if known is not None:
        return _recalled(*known, market)
    routed = memory.routed(snapshot, co2_price_usd_per_t=co2_price_usd_per_t, is_strict=is_strict)
    cleared = settle(routed, market)
    memory.keep(key, cleared.routed.sets, kept_of(cleared))
    return cleared


def clear_like(
    snapshot: Snapshot, model: Cleared, *, market: Market | None = None, is_near: bool = False, is_alike: bool = False,
    terms: Terms | None = None,
) -> Cleared:  # fmt: skip
    """Clear a snapshot with the same network on the routes of another, without looking for more; its gap is not known.

    Args:
        snapshot: The corridor in a year.
        model: A cleared snapshot of the same network.
        market: Scarcity regime, delays and tolerance.
        is_near: Start from the model's prices and delays; the answer then depends on them, within the tolerances.
        is_alike: The snapshot has the model's rows in every table, in their order: its program need not be laid out again, and prices and
            delays are found together, see `solve_together`, wherever that comes near enough.
        terms: Demand and charges beside those of the tables.
    """
    start = model if is_near else None
    cleared = _solved(replace(model.routed, snapshot=snapshot), market or Market(), start=start, is_alike=is_alike, terms=terms)
    return replace(cleared, route_gap=float("nan"))


def clear_on(routed: RoutedSnapshot, start: Kept) -> Cleared:
    """Clear a snapshot on routes that it is given, such as those that several outlooks have in common; no more are looked for.

    Args:
        routed: The snapshot with its routes.
        start: Prices and delays to start from, where they have its rows.
    """
    market = Market()
    assembly, curves = _assembled(routed, market)
    options = ClearOptions(tolerance=market.tolerance, aim=market.aim, threads=market.threads)
    has_rows = start.row_price.shape == assembly.problem.row_capacity.shape and start.delay_h.shape[0] == assembly.facility_count
    prices, hours = (start.row_price, start.delay_h) if has_rows else (None, np.zeros(assembly.facility_count))
    if curves is None:
        found = _without_curves(routed, assembly, market, options, prices)
    else:
        loop = DelayLoop(routed, assembly, options, curves, prices)
        found = _at_delays(loop, loop.found(hours, market.delays), market)
    return replace(found, route_gap=start.route_gap)


def kept_of(cleared: Cleared) -> Kept:
    """What is kept of a cleared year beside its routes."""
    prices = cleared.clearing.row_price_usd_per_unit
    return Kept(prices, cleared.delay_h, cleared.is_settled, cleared.delay_evaluations, cleared.route_gap)


def settle(routed: RoutedSnapshot, market: Market) -> Cleared:
    """Clear a routed snapshot, routes entering as prices call for them.

    Once the routes are there, the market is solved afresh, so that the digits depend on the routes alone and not on the way they were
    found.

    Args:
        routed: The snapshot with routes that are choices already.
        market: Scarcity regime, delays and tolerance.
    """
    constants = stored_constants(routed.snapshot.tables)
    cleared = _solved(routed, market, is_first=True)
    rest, gap = routed.rest, 1.0
    known, pool = [rest], rest.pool if routed.sets is rest.sets else None
    for number in range(_MOST_ROUNDS):
        standing = Standing(
            row_price=cleared.row_price,
            row_delay_h=np.append(cleared.delay_h, np.zeros(cleared.assembly.row_count - cleared.delay_h.shape[0])),
            price_weight=cleared.problem.market_price_weight[: cleared.assembly.goods_count],
            constants=constants,
        )
        now = cleared.routed
        found = entered(now.space, now.sets, standing, entries=now.entries, pool=pool, known=known, threads=market.threads)
        known, pool = [rest, found], found.pool
        gap = max(found.newest, float(found.gap.max(initial=0.0)))
        is_enough = gap <= ROUTE_GAP or found.sets is now.sets
        if is_enough and (number > 0 or not cleared.has_curves):
            break
        if not is_enough:
            now = replace(now, sets=found.sets, entries=found.entries)
        cleared = _solved(now, market, start=cleared)
    return replace(_solved(cleared.routed, market), route_gap=gap)


def clear_at(model: Cleared, terms: Terms, delays: FloatArray, row_price: FloatArray, market: Market | None = None) -> Cleared:
    """The market of a year at terms and delays that were found before; nothing is sought.

    Args:
        model: The year.
        terms: Demand and charges beside those of its tables.
        delays: Hours, shape (facilities,).
        row_price: Prices to start from, shape (rows,).
        market: Tolerances.
    """
    of, routed = market or Market(), model.routed
    assembly, _ = _assembled(routed, of)
    problem = terms.of(with_delays(routed, assembly, delays))
    clearing = solved(routed, LaidOut(problem, ClearOptions(tolerance=of.tolerance, aim=of.aim, threads=of.threads)),
                      problem.route_cost_usd_per_t, row_price)  # fmt: skip
    return replace(model, assembly=replace(assembly, problem=problem), clearing=clearing, delay_h=delays)


def _recalled(routed: RoutedSnapshot, kept: Kept, market: Market) -> Cleared:
    """The market of a snapshot at the prices and delays that cleared it once; the solver sees to it that they still do."""
    assembly, curves = _assembled(routed, market)
    options = ClearOptions(tolerance=market.tolerance, aim=market.tolerance, threads=market.threads)
    problem = assembly.problem if curves is None else with_delays(routed, assembly, kept.delay_h)
    clearing = solved(routed, LaidOut(problem, options), problem.route_cost_usd_per_t, kept.row_price)
    return Cleared(
        routed, replace(assembly, problem=problem), clearing, kept.delay_h, kept.is_settled, kept.delay_evaluations, kept.route_gap,
        market.regime, has_curves=curves is not None,
    )  # fmt: skip


def _assembled(routed: RoutedSnapshot, market: Market, before: Assembly | None = None) -> tuple[Assembly, DelayCurves | None]:
    """The program of a snapshot with the routes it has, without delays, and its curves if delays are to be found.

    `before` is that of another one with the same routes.
    """
    tables = routed.snapshot.tables
    if before is None:
        assembly = assemble(tables, routed.sets, routed.entries, routed.space.runs)
    else:
        assembly = reassembled(before, tables, routed.sets)
    if market.regime == "queue":
        assembly = replace(assembly, problem=queued(assembly.problem, time_values_usd_per_t_h(assembly, tables)))
    curves = read_curves(tables)
    return assembly, curves if market.has_delays and curves.has_any else None


def _solved(
    routed: RoutedSnapshot,
    market: Market,
    *,
    start: Cleared | None = None,
    is_first: bool = False,
    is_alike: bool = False,
    terms: Terms | None = None,
) -> Cleared:
    """The market of a snapshot with the routes it has, delays and flows fitting each other.

    The first time delays are taken as they start, so that routes enter before the delays are sought.
    """
    assembly, curves = _assembled(routed, market, start.assembly if start is not None and is_alike else None)
    if terms is not None:
        assembly = replace(assembly, problem=terms.of(assembly.problem))
    options = ClearOptions(tolerance=market.tolerance, aim=market.aim, threads=market.threads)
    prices = None if start is None else start.clearing.row_price_usd_per_unit
    none = np.zeros(assembly.facility_count)
    if curves is None:
        return _without_curves(routed, assembly, market, options, prices)
    loop = DelayLoop(routed, assembly, options, curves, prices)
    first = none if start is None else start.delay_h
    if start is not None and not start.is_settled:
        flow = start.clearing.row_flow[: assembly.facility_count]
        first = delay_h(curves, use_share(flow, loop.other_load, loop.capacity))
    if is_first:
        found = FixedPoint(first, is_converged=False, iterations=1, residual=float("inf"))
    else:
        found = loop.found(first, market.delays) if is_alike else loop.in_turn(first, market.delays)
    return _at_delays(loop, found, market)


def _without_curves(
    routed: RoutedSnapshot, assembly: Assembly, market: Market, options: ClearOptions, prices: FloatArray | None
) -> Cleared:  # fmt: skip
    problem = assembly.problem
    clearing = solved(routed, LaidOut(problem, options), problem.route_cost_usd_per_t, prices)
    return Cleared(routed, assembly, clearing, np.zeros(assembly.facility_count), True, 1, 0.0, market.regime, has_curves=False)


def _at_delays(loop: DelayLoop, found: FixedPoint, market: Market) -> Cleared:
    clearing, problem = loop.clearing_at(found.value), loop.problem_at(found.value)
    return Cleared(
        loop.routed, replace(loop.assembly, problem=problem), clearing, found.value, found.is_converged, found.iterations, 0.0,
        market.regime, has_curves=True,
    )  # fmt: skip


def two_starts(cleared: Cleared, market: Market) -> float:
    """Largest difference between the delays found from none and from those of full facilities, as a share.

    Nothing in a run asks for it; tests hold it below 0.01 on the packaged case.
    """
    loop = DelayLoop(
        cleared.routed,
        replace(cleared.assembly, problem=replace(cleared.problem, route_cost_usd_per_t=_without_delays(cleared))),
        ClearOptions(tolerance=market.tolerance, threads=market.threads),
        read_curves(cleared.routed.snapshot.tables),
        cleared.clearing.row_price_usd_per_unit,
    )
    none = np.zeros(cleared.assembly.facility_count)
    return solve_from_two_starts(loop.answer, none, loop.most_h, lower=loop.least_h, upper=loop.most_h).largest_difference_share


def _without_delays(cleared: Cleared) -> FloatArray:
    of = cleared.assembly.route_of
    return cleared.problem.route_cost_usd_per_t - np.where(of >= 0, cleared.route_delay_usd_per_t[of], 0.0)


def time_values_usd_per_t_h(assembly: Assembly, tables: Mapping[str, pl.DataFrame]) -> FloatArray:
    """Value of an hour to a tonne of each market, USD/t-h; empties take the mean of the goods, shape (markets,)."""
    traits = {
        row["commodity_group"]: value_of_time_usd_per_t_d(
            row["value_usd_per_t"],
            row["capital_share_per_year"],
            row["depreciation_share_per_year"],
            time_value_factor=row["time_value_factor"],
        )
        / HOURS_PER_DAY
        for row in tables["commodities"].iter_rows(named=True)
    }
    goods = np.array([traits[name] for name in assembly.market_commodity], dtype=np.float64)
    empties = assembly.problem.market_flow_kt.shape[0] - goods.shape[0]
    mean = float(goods.mean()) if goods.shape[0] else 1.0
    return np.asarray(np.maximum(np.append(goods, np.full(empties, mean)), _LEAST_TIME_VALUE_USD_PER_T_H), dtype=np.float64)


def lifted(problem: MarketProblem, rows: list[int]) -> MarketProblem:
    """The program with the limits of some rows lifted."""
    capacity = problem.row_capacity.copy()
    capacity[rows] = np.inf
    return with_capacity(problem, capacity)
