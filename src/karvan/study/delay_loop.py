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
    use_share,
)
from karvan.assignment.response import flow_response
from karvan.errors import ConvergenceError, SolverError
from karvan.routing import Standing, price_costs, value_per_h
from karvan.study.route_memory import RoutedSnapshot

FloatArray = npt.NDArray[np.float64]

# While delays are sought by how a year much like this one answers, markets are cleared to tolerances this much wider.
_COARSE = 20.0


@dataclass(frozen=True)
class _Last:
    """What was cleared last: at which delays, how it came out, and how much wider its tolerances were."""

    hours: FloatArray
    clearing: Clearing
    times: float


class DelayLoop:
    """The program of a year, cleared at delays. Clearings start from the prices of the one before.

    Args:
        routed: The year with its routes.
        assembly: Its program without delays.
        options: Tolerances.
        curves: Its delay curves.
        prices: Prices to start from.
        response: How flows and prices answer to delays in a year much like it, to foresee prices by.
    """

    def __init__(
        self,
        routed: RoutedSnapshot,
        assembly: Assembly,
        options: ClearOptions,
        curves: DelayCurves,
        prices: FloatArray | None,
        response: DelayResponse | None = None,
    ) -> None:
        facilities = routed.snapshot.tables["facilities"]
        self.routed, self.assembly, self.curves, self.prices, self.response = routed, assembly, curves, prices, response
        self.other_load = np.array(facilities["other_load"].to_numpy(), dtype=np.float64)
        self.capacity = effective_capacity(facilities)
        none = np.zeros(assembly.facility_count)
        self.least_h, self.most_h = delay_h(curves, none), delay_h(curves, none + 1.0)
        self.costs = _DelayCosts(routed, assembly, np.flatnonzero(self.least_h != self.most_h))
        self.laid_out = LaidOut(assembly.problem, options)
        self.last: _Last | None = None

    def problem_at(self, hours: FloatArray) -> MarketProblem:
        """The program with these delays."""
        return replace(self.assembly.problem, route_cost_usd_per_t=self._cost(hours))

    def clearing_at(self, hours: FloatArray, *, times: float = 1.0) -> Clearing:
        """The program solved with these delays, to tolerances that are so many times as wide."""
        last = self.last
        if last is None or times < last.times or not np.array_equal(last.hours, hours):
            prices = self.prices
            if last is not None and prices is not None and self.response is not None:
                prices = prices + self.response.price_per_h @ (hours - last.hours)[self.response.facilities]
            clearing = solved(self.routed, self.laid_out, self._cost(hours), prices, times=times)
            self.last = last = _Last(hours.copy(), clearing, times)
            self.prices = clearing.row_price_usd_per_unit
        return last.clearing

    def answer(self, hours: FloatArray) -> FloatArray:
        """Delays that follow from the flows that follow from delays."""
        times = 1.0 if self.response is None else _COARSE
        flow = self.clearing_at(hours, times=times).row_flow[: self.assembly.facility_count]
        return delay_h(self.curves, use_share(flow, self.other_load, self.capacity))

    def step_of(self, missing_h: FloatArray) -> FloatArray:
        """Newton's step where delays were last tried, told by how much they miss what their flows cause: the curves' own slope there, with
        flows that answer as in the year that is much like this one.
        """
        if self.last is None or self.response is None:
            return missing_h
        of = self.response.facilities
        share = use_share(self.last.clearing.row_flow[: self.assembly.facility_count], self.other_load, self.capacity)
        capacity = self.capacity[of]
        slope = np.divide(delay_slope_h(self.curves, share)[of], capacity, out=np.zeros(of.shape[0]), where=capacity > 0.0)
        step = missing_h.copy()
        step[of] = np.linalg.solve(np.eye(of.shape[0]) - slope[:, None] * self.response.flow_per_h, missing_h[of])
        return step

    def together(self, hours: FloatArray, how: FixedPointOptions) -> FixedPoint:
        """Delays and prices found at once; where that does not come near enough, how near it came."""
        delaying = _Delaying(self, hours)
        clearing, found, missing = self.laid_out.clear_together(delaying, self.prices, hours[delaying.rows], options=how)
        whole = delaying.over_all(found)
        self.prices, self.last = clearing.row_price_usd_per_unit, _Last(whole, clearing, 1.0)
        return FixedPoint(whole.copy(), is_converged=missing <= 1.0, iterations=1, residual=missing)

    def _cost(self, hours: FloatArray) -> FloatArray:
        return np.asarray(self.assembly.problem.route_cost_usd_per_t + self.costs.at(hours), dtype=np.float64)


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


def solved(
    routed: RoutedSnapshot, laid_out: LaidOut, route_cost_usd_per_t: FloatArray, prices: FloatArray | None, *, times: float = 1.0
) -> Clearing:
    """The program solved; where limits, minimums and balances cannot all hold, an error that names the fewest that conflict.

    Args:
        routed: The year with its routes.
        laid_out: Its program.
        route_cost_usd_per_t: With delays, shape (routes of the program,).
        prices: Prices to start from.
        times: How much wider tolerances are.

    Raises:
        ConvergenceError: The program did not reach its tolerance.
        SolverError: It has no solution.
    """
    try:
        return laid_out.clear(route_cost_usd_per_t, start=prices, times=times)
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


@dataclass(frozen=True)
class DelayResponse:
    """How flows and prices of a year answer to delays near where it was cleared; a year much like it is cleared in fewer steps for knowing.

    Attributes:
        facilities: Facilities that can delay, shape (delays,).
        flow_per_h: Change of their flows with each of their delays, thousands of units, shape (delays, delays).
        price_per_h: Change of each row's price with each of their delays, USD per unit, shape (rows, delays).
    """

    facilities: npt.NDArray[np.int64]
    flow_per_h: FloatArray
    price_per_h: FloatArray


def delay_response(routed: RoutedSnapshot, assembly: Assembly, clearing: Clearing, curves: DelayCurves) -> DelayResponse | None:
    """How a cleared year answers to delays; None where nothing delays.

    Args:
        routed: The year with its routes.
        assembly: Its program, delays in the route costs.
        clearing: The program solved.
        curves: Its delay curves.
    """
    if not curves.has_any:
        return None
    value = np.append(value_per_h(routed.space), np.zeros(assembly.problem.market_flow_kt.shape[0] - assembly.goods_count))
    none = np.zeros(assembly.facility_count)
    delaying = np.flatnonzero(delay_h(curves, none) != delay_h(curves, none + 1.0))
    found = flow_response(assembly.problem, clearing, delaying, value)
    return DelayResponse(delaying, found.flow_per_h[delaying], found.price_per_h)
