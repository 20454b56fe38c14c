"""Delays to flows to delays: the market of a year cleared at one set of delays after another, and how flows answer to them."""

from __future__ import annotations

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
    delay_h,
    delay_slope_h,
    effective_capacity,
    solve_fixed_point,
    use_share,
)
from karvan.errors import ConvergenceError, SolverError
from karvan.routing import Standing, price_costs, value_per_h
from karvan.study.route_memory import RoutedSnapshot

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Last:
    """What was cleared last: at which delays, and how it came out."""

    hours: FloatArray
    clearing: Clearing


class DelayLoop:
    """The program of a year, cleared at delays. Clearings start from the prices of the one before.

    Args:
        routed: The year with its routes.
        assembly: Its program without delays.
        options: Tolerances.
        curves: Its delay curves.
        prices: Prices to start from.
    """

    def __init__(
        self,
        routed: RoutedSnapshot,
        assembly: Assembly,
        options: ClearOptions,
        curves: DelayCurves,
        prices: FloatArray | None,
    ) -> None:
        facilities = routed.snapshot.tables["facilities"]
        self.routed, self.assembly, self.curves, self.prices = routed, assembly, curves, prices
        self.other_load = np.array(facilities["other_load"].to_numpy(), dtype=np.float64)
        self.capacity = effective_capacity(facilities)
        none = np.zeros(assembly.facility_count)
        self.least_h, self.most_h = delay_h(curves, none), delay_h(curves, none + 1.0)
        self.costs = _DelayCosts(routed, assembly, np.flatnonzero(self.least_h != self.most_h))
        self.laid_out = LaidOut(assembly.problem, options)
        self.last: _Last | None = None
        self._known: tuple[FloatArray, FloatArray] | None = None

    def problem_at(self, hours: FloatArray) -> MarketProblem:
        """The program with these delays."""
        return replace(self.assembly.problem, route_cost_usd_per_t=self._cost(hours))

    def clearing_at(self, hours: FloatArray) -> Clearing:
        """The program solved with these delays."""
        last = self.last
        if last is None or not np.array_equal(last.hours, hours):
            clearing = solved(self.routed, self.laid_out, self._cost(hours), self.prices)
            self.last = last = _Last(hours.copy(), clearing)
            self.prices = clearing.row_price_usd_per_unit
        return last.clearing

    def answer(self, hours: FloatArray) -> FloatArray:
        """Delays that follow from the flows that follow from delays."""
        flow = self.clearing_at(hours).row_flow[: self.assembly.facility_count]
        return delay_h(self.curves, use_share(flow, self.other_load, self.capacity))

    def found(self, hours: FloatArray, how: FixedPointOptions) -> FixedPoint:
        """Delays that fit flows, found at once with prices, or one after the other where that does not come near enough.

        Args:
            hours: Delays to start from, shape (facilities,).
            how: How well they must fit.
        """
        found = self.together(np.clip(hours, self.least_h, self.most_h), how)
        return found if found.is_converged else self.in_turn(found.value, how)

    def in_turn(self, hours: FloatArray, how: FixedPointOptions) -> FixedPoint:
        """Delays that fit flows, each clearing at the delays that the one before gives."""
        return solve_fixed_point(self.answer, hours, lower=self.least_h, upper=self.most_h, options=how)

    def together(self, hours: FloatArray, how: FixedPointOptions) -> FixedPoint:
        """Delays and prices found at once; where that does not come near enough, how near it came."""
        delaying = _Delaying(self, hours)
        clearing, found, missing = self.laid_out.clear_together(delaying, self.prices, hours[delaying.rows], options=how)
        whole = delaying.over_all(found)
        self.prices = clearing.row_price_usd_per_unit
        if missing <= 1.0:
            self.last = _Last(whole, clearing)
        return FixedPoint(whole.copy(), is_converged=missing <= 1.0, iterations=1, residual=missing)

    def _cost(self, hours: FloatArray) -> FloatArray:
        if self._known is None or not np.array_equal(self._known[0], hours):
            cost = np.asarray(self.assembly.problem.route_cost_usd_per_t + self.costs.at(hours), dtype=np.float64)
            self._known = hours.copy(), cost
        return self._known[1]


class _Delaying:
    """The delays of a loop as `solve_together` sees them: those that flows can change."""

    def __init__(self, loop: DelayLoop, hours: FloatArray) -> None:
        self._loop, count = loop, loop.assembly.problem.market_flow_kt.shape[0]
        self.rows = np.flatnonzero((loop.least_h != loop.most_h) & np.isfinite(loop.capacity) & (loop.capacity > 0.0))
        self.time_value_usd_per_t_h = np.append(value_per_h(loop.routed.space), np.zeros(count - loop.assembly.goods_count))
        self._least, self._most = loop.least_h[self.rows], loop.most_h[self.rows]

    def cost_usd_per_t(self, hours: FloatArray) -> FloatArray:
        return self._loop._cost(self.over_all(hours))

    def caused_h(self, flow: FloatArray) -> tuple[FloatArray, FloatArray]:
        loop, rows, all_flow = self._loop, self.rows, np.zeros(self._loop.assembly.facility_count)
        all_flow[rows] = flow
        share = use_share(all_flow, loop.other_load, loop.capacity)
        return delay_h(loop.curves, share)[rows], delay_slope_h(loop.curves, share)[rows] / loop.capacity[rows]

    def within(self, hours: FloatArray) -> FloatArray:
        return np.clip(hours, self._least, self._most)

    def tamed(self, price: FloatArray, row_flow: FloatArray, route_flow_kt: FloatArray) -> FloatArray:
        return self._loop.assembly.with_balances(price, row_flow, route_flow_kt)

    def over_all(self, hours: FloatArray) -> FloatArray:
        """Hours of every facility, shape (facilities,); what no flow of the program can change stands at what other loads cause."""
        loop = self._loop
        found = delay_h(loop.curves, use_share(np.zeros(loop.assembly.facility_count), loop.other_load, loop.capacity))
        found[self.rows] = hours
        return found


class _DelayCosts:
    """What delays add to the routes of a program: hours at the facilities that can delay, times the value of an hour."""

    def __init__(self, routed: RoutedSnapshot, assembly: Assembly, facilities: npt.NDArray[np.int64]) -> None:
        problem = assembly.problem
        can_delay = np.zeros(problem.row_capacity.shape[0], dtype=np.bool_)
        can_delay[facilities] = True
        is_goods = assembly.route_of >= 0
        route = np.repeat(np.arange(is_goods.shape[0]), np.diff(problem.route_first_entry))
        chosen = can_delay[problem.entry_row] & is_goods[route]
        self.route, self.row = route[chosen], problem.entry_row[chosen]
        value = np.append(value_per_h(routed.space), np.zeros(problem.market_flow_kt.shape[0] - assembly.goods_count))
        self.value = np.where(is_goods, value[assembly.market_of_route], 0.0)

    def at(self, hours: FloatArray) -> FloatArray:
        """USD/t, shape (routes of the program,)."""
        return np.asarray(self.value * np.bincount(self.route, weights=hours[self.row], minlength=self.value.shape[0]), dtype=np.float64)


def solved(routed: RoutedSnapshot, laid_out: LaidOut, route_cost_usd_per_t: FloatArray, prices: FloatArray | None) -> Clearing:
    """The program solved; where limits, minimums and balances cannot all hold, an error that names the fewest that conflict.

    Args:
        routed: The year with its routes.
        laid_out: Its program.
        route_cost_usd_per_t: With delays, shape (routes of the program,).
        prices: Prices to start from.

    Raises:
        ConvergenceError: The program did not reach its tolerance.
        SolverError: It has no solution.
    """
    try:
        return laid_out.clear(route_cost_usd_per_t, start=prices)
    except ConvergenceError as error:
        words = _conflict(routed, laid_out.problem)
        if not words:
            raise
        raise SolverError("\n".join(words)) from error


def _conflict(routed: RoutedSnapshot, problem: MarketProblem) -> tuple[str, ...]:
    from karvan.assignment.conflict import conflict_words, smallest_conflict

    tables, sets = routed.snapshot.tables, routed.sets
    facilities = tables["facilities"]
    units = facilities["unit"].cast(pl.String).to_list()
    minimums = np.flatnonzero(facilities["minimum"].to_numpy() > 0.0).tolist()
    names = [*facilities["name"], *tables["returns"]["name"], *(facilities["name"][row] for row in minimums)]
    counted = [*units, *(f"k{unit}s" for unit in tables["returns"]["loading_unit"]), *(units[row] for row in minimums)]
    markets = [f"{market} ({start} to {end})" for market, start, end in sets.market_ids]
    empties = [f"empties: {name}" for name in tables["returns"]["name"]]
    conflict = smallest_conflict(problem)
    return conflict_words(problem, conflict, row_names=names, row_units=counted, market_names=[*markets, *empties])


def with_delays(routed: RoutedSnapshot, assembly: Assembly, hours: FloatArray) -> MarketProblem:
    """A program without delays with some in its costs."""
    of, problem = assembly.route_of, assembly.problem
    added = np.where(of >= 0, delay_costs(routed, hours)[of], 0.0)
    return replace(problem, route_cost_usd_per_t=problem.route_cost_usd_per_t + added)


def delay_costs(routed: RoutedSnapshot, hours: FloatArray) -> FloatArray:
    """What delays add to each route of the sets, USD/t, shape (routes of the sets,)."""
    rows = routed.space.rows.count
    standing = Standing(np.zeros(rows), np.append(hours, np.zeros(rows - hours.shape[0])), np.ones(routed.space.market_count), {})
    return price_costs(routed.space, routed.sets, routed.entries, standing)
