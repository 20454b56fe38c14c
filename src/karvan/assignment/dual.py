"""The dual of the market program: the row prices at which every limit holds, by projected Newton steps."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from karvan.assignment import _kernels
from karvan.assignment._kernels import MarketArrays
from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Part = TypeVar("Part")

AT_MOST, AT_LEAST, EXACTLY = 0, 1, 2
"""Senses of a row: flow at most its limit (price zero or more), at least it (zero or less), exactly it (either sign)."""

_log = logging.getLogger(__name__)

# A row enters a Newton step if it has a price or its flow comes this near to its limit.
_NEAR_SHARE = 0.1
# Markets are worked on in at most so many ranges, of at least so many entries each.
_MOST_RANGES = 8
_WORK_PER_RANGE = 30_000
# Changes of the objective below this share of its terms are rounding.
_ROUNDING_SHARE = 1e-13
# Keeps rows in series that bind together regular.
_DAMPING_SHARE = 1e-12
# First bound on a step, in units of 1/theta.
_FIRST_REACH = 10.0
_MAX_SET_CHANGES = 30
_MAX_SWEEPS = 2000
_PATIENCE = 8
# A step that leaves less than this share of the residual lets the next one use its second derivative again.
_FAST_SHARE = 0.03
# A step for ln x = ln K looks no further than a factor of exp(this).
_MOST_LOG = 5.0


@dataclass(frozen=True)
class Program:
    """The dual over its rows; quantities in kt, prices in USD/t, or in hours where scarcity is a queue.

    Attributes:
        arrays: Markets, families, routes and entries.
        row_limit: Right-hand side of each row, thousands of units, shape (rows,).
        row_reference: Size against which a row's error is measured, above zero, shape (rows,).
        row_sense: AT_MOST, AT_LEAST or EXACTLY, shape (rows,).
        threads: Ranges of markets worked on at once; the digits do not depend on it.
    """

    arrays: MarketArrays
    row_limit: FloatArray
    row_reference: FloatArray
    row_sense: IntArray
    threads: int = 1

    @cached_property
    def least_price(self) -> FloatArray:
        """Lowest price a row may have, shape (rows,)."""
        return np.where(self.row_sense == AT_MOST, 0.0, -np.inf)

    @cached_property
    def most_price(self) -> FloatArray:
        """Highest price a row may have, shape (rows,)."""
        return np.where(self.row_sense == AT_LEAST, 0.0, np.inf)

    @cached_property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Ranges of markets of about equal work; they depend on the program alone, never on the number of threads."""
        markets = self.arrays.market_flow.shape[0]
        work = self.arrays.route_first_entry[self.arrays.family_first_route[self.arrays.market_first_family]]
        parts = min(_MOST_RANGES, int(work[-1]) // _WORK_PER_RANGE)
        if parts < 2:
            return ((0, markets),)
        cuts = np.unique(np.append(np.searchsorted(work, work[-1] * np.arange(parts) / parts), markets)).tolist()
        return tuple(pairwise(cuts))


@dataclass(frozen=True)
class Point:
    """The program evaluated at row prices.

    Attributes:
        prices: Row prices, shape (rows,).
        route_price_cost: Route cost with prices, USD/t, shape (routes,).
        route_flow: kt, shape (routes,).
        family_cost: Composite by family, USD/t, shape (families,).
        market_cost: Composite by market, USD/t, shape (markets,).
        demand: kt, shape (markets,).
        surplus: S_w, kUSD, shape (markets,).
        row_flow: Thousands of units, shape (rows,).
        value: sum S/v + prices' limit, kUSD (or thousand t-h where scarcity is a queue).
        gross: sum D |C|/v, likewise.
    """

    prices: FloatArray
    route_price_cost: FloatArray
    route_flow: FloatArray
    family_cost: FloatArray
    market_cost: FloatArray
    demand: FloatArray
    surplus: FloatArray
    row_flow: FloatArray
    value: float
    gross: float


@dataclass(frozen=True)
class DualAnswer:
    """The best point found.

    Attributes:
        point: The program there.
        violation: r1, largest overload relative to the row's reference.
        complementarity: r2, sum price |limit - flow| over sum D |C|.
        residual: Largest of both and of the unused share of priced rows.
        iterations: Newton steps made.
    """

    point: Point
    violation: float
    complementarity: float
    residual: float
    iterations: int


@dataclass(frozen=True)
class Model:
    """Second derivative of the dual, shape (n, n), in n of its rows."""

    rows: IntArray
    hessian: FloatArray


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="market")


def _by_range(program: Program, work: Callable[[tuple[int, int]], Part]) -> list[Part]:
    """What some work gives for each range of markets, in their order."""
    if program.threads > 1 and len(program.ranges) > 1:
        return list(_pool(program.threads).map(work, program.ranges))
    return [work(markets) for markets in program.ranges]


def evaluate(program: Program, prices: FloatArray) -> Point:
    """Costs, demand and flows at given prices."""
    arrays = program.arrays
    routes, families = arrays.route_cost.shape[0], arrays.constant.shape[0]
    markets, rows = arrays.market_flow.shape[0], prices.shape[0]
    cost, flow, family_cost = np.empty(routes), np.empty(routes), np.empty(families)
    market_cost, demand, surplus = np.empty(markets), np.empty(markets), np.empty(markets)

    def part(between: tuple[int, int]) -> tuple[float, float, FloatArray]:
        used = np.empty(rows)
        total, gross = _kernels.evaluate(*between, arrays, prices, cost, flow, family_cost, market_cost, demand, surplus, used)
        return float(total), float(gross), used

    parts = _by_range(program, part)
    row_flow = parts[0][2]
    for _, _, used in parts[1:]:
        row_flow += used
    value = sum(total for total, _, _ in parts) + float(prices @ program.row_limit)
    gross = sum(size for _, size, _ in parts)
    return Point(prices, cost, flow, family_cost, market_cost, demand, surplus, row_flow, value, gross)


def check_point(point: Point) -> None:
    """Refuse a point at which demand has no value."""
    if not np.isfinite(point.gross):
        message = "p + C of a market with elastic demand is not above zero; its price must exceed what its cheapest route earns"
        raise DataError(Problem("market program", None, "market_price_usd_per_t", message))


def quality(program: Program, point: Point) -> tuple[float, float, float]:
    """r1, r2 and the largest of them and of the unused share of priced rows."""
    if point.prices.shape[0] == 0:
        return 0.0, 0.0, 0.0
    spare = program.row_limit - point.row_flow
    over = broken(program.row_sense, spare) / program.row_reference
    unused = np.where((program.row_sense != EXACTLY) & (point.prices != 0.0), np.abs(spare), 0.0) / program.row_reference
    violation = float(over.max())
    complementarity = float(np.abs(point.prices) @ np.abs(spare)) / point.gross if point.gross > 0.0 else 0.0
    return violation, complementarity, max(violation, complementarity, float(unused.max()))


def broken(sense: IntArray, spare: FloatArray) -> FloatArray:
    """By how much rows break their limit, given limit less flow, thousands of units, shape (rows,)."""
    return np.where(sense == AT_MOST, np.maximum(-spare, 0.0), np.where(sense == AT_LEAST, np.maximum(spare, 0.0), np.abs(spare)))


def solve(program: Program, start: FloatArray, *, aim: float, max_iterations: int) -> DualAnswer:
    """Minimise sum_w S_w(C_w(prices))/v_w + prices' limit over prices of the sign that each row's sense allows.

    Each step solves the quadratic program of the bounded Newton step exactly. It first tries the step for ln x = ln K, which is exact
    where flows fall exponentially with price; if that does not lower the objective, the plain Newton step, shortened until it does, as it
    must in the end. The objective is convex and smooth, so every accepted step brings the optimum nearer.

    Args:
        program: The program.
        start: Prices to start from, shape (rows,).
        aim: Stop when `DualAnswer.residual` is at most this.
        max_iterations: Most Newton steps.

    Returns:
        The best point found, whether or not it reaches the aim.
    """
    prices = np.clip(start, program.least_price, program.most_price)
    point = evaluate(program, prices)
    check_point(point)
    best = DualAnswer(point, *quality(program, point), iterations=0)
    weight, reach, idle = row_weight(program), first_reach(program), 0
    model: Model | None = None
    for iteration in range(1, max_iterations + 1):
        if best.residual <= aim:
            break
        step = _step(program, point, weight, reach, model)
        if step is None:
            break
        point, reach, model = step
        answer = DualAnswer(point, *quality(program, point), iterations=iteration)
        if answer.residual > _FAST_SHARE * best.residual:
            model = None
        _log.debug("step %d: value %.12g, residual %.3g, reach %.3g USD/t", iteration, point.value, answer.residual, reach)
        idle = 0 if answer.residual < best.residual else idle + 1
        if answer.residual < best.residual:
            best = answer
        rounding = _ROUNDING_SHARE * (point.gross + abs(point.value))
        if idle >= _PATIENCE and abs(best.point.value - point.value) <= rounding:
            break
    return best


def row_weight(program: Program) -> FloatArray:
    """Largest units per tonne of each row, and what a unit of its price costs a tonne, shape (rows,)."""
    weight = np.zeros(program.row_limit.shape[0])
    np.maximum.at(weight, program.arrays.entry_row, np.abs(program.arrays.entry_units))
    weight[weight <= 0.0] = 1.0
    weight *= float(np.median(program.arrays.price_weight))
    return weight


def first_reach(program: Program) -> float:
    """First bound on a step, USD/t."""
    return _FIRST_REACH / float(np.median(program.arrays.family_theta))


def flow_slopes(program: Program, point: Point, rows: IntArray, time_value_usd_per_t_h: FloatArray) -> tuple[FloatArray, FloatArray]:
    """By how much flows of rows that count fall with their prices and with hours at some rows; see the kernel.

    Rows that count are those with hours, and those that a step may price; the others have zeros, and so has what their price does.

    Returns:
        By price, shape (rows, rows), and by hour, shape (rows, hours).
    """
    count = point.prices.shape[0]
    chosen = np.union1d(_chosen(program, point), rows)
    place, hour_of = np.full(count, -1, dtype=np.int64), np.full(chosen.shape[0], -1, dtype=np.int64)
    place[chosen] = np.arange(chosen.shape[0])
    hour_of[place[rows]] = np.arange(rows.shape[0])

    def part(between: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        state = (point.route_flow, point.market_cost, point.demand)
        found: tuple[FloatArray, FloatArray] = _kernels.flow_slopes(
            *between, program.arrays, *state, time_value_usd_per_t_h, place, hour_of, rows.shape[0]
        )
        return found

    by_price, by_hour = np.zeros((count, count)), np.zeros((count, rows.shape[0]))
    for of_price, of_hour in _by_range(program, part):
        by_price[np.ix_(chosen, chosen)] += of_price
        by_hour[chosen] += of_hour
    return by_price, by_hour


def joint_move(program: Program, point: Point, weight: FloatArray, reach: float, slope: FloatArray, fall: FloatArray) -> FloatArray:
    """By how much prices must move so that limits hold, to first order, while something else moves with them, shape (rows,).

    Args:
        program: The program.
        point: It at the prices as they are.
        weight: See `row_weight`.
        reach: Most that a price may move, USD/t.
        slope: By how much row flows fall with prices, all told, shape (rows, rows).
        fall: By how much they fall when no price moves, shape (rows,).
    """
    chosen = _chosen(program, point)
    limit, flow, now, near = program.row_limit[chosen], point.row_flow[chosen], point.prices[chosen], weight[chosen]
    lower, upper = np.maximum(program.least_price[chosen], now - reach / near), np.minimum(program.most_price[chosen], now + reach / near)
    hessian = slope[np.ix_(chosen, chosen)]
    hessian[np.diag_indices_from(hessian)] += np.maximum(np.abs(np.diag(hessian)) * _DAMPING_SHARE, 1e-30 * near**2)
    move = np.zeros(point.prices.shape[0])
    move[chosen] = bounded_step(hessian, _log_target(limit, flow) + fall[chosen], now, lower, upper)
    return move


def _chosen(program: Program, point: Point) -> IntArray:
    """Rows that have a price, must carry just so much or nearly reach their limit."""
    limit, sense = program.row_limit, program.row_sense
    is_near = np.where(sense == AT_MOST, point.row_flow >= (1.0 - _NEAR_SHARE) * limit, point.row_flow <= (1.0 + _NEAR_SHARE) * limit)
    return np.flatnonzero((point.prices != 0.0) | is_near | (sense == EXACTLY))


def _log_target(limit: FloatArray, flow: FloatArray) -> FloatArray:
    """What the step for ln x = ln K aims at in place of the gradient, where flow is not far below its limit."""
    has_log = (limit > 0.0) & (flow > limit * math.exp(-_MOST_LOG))
    ratio = np.minimum(np.divide(flow, limit, out=np.ones_like(flow), where=has_log), math.exp(_MOST_LOG))
    return np.where(has_log, -flow * np.log(ratio), limit - flow)


def _model(program: Program, point: Point, weight: FloatArray, known: Model | None) -> Model:
    """The second derivative in the rows that have a price or nearly reach their limit; the known one if it is of the same rows."""
    chosen = _chosen(program, point)
    if known is not None and np.array_equal(known.rows, chosen):
        return known
    position = np.full(point.prices.shape[0], -1, dtype=np.int64)
    position[chosen] = np.arange(chosen.shape[0])

    def part(between: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
        found: tuple[FloatArray, FloatArray] = _kernels.curvature(
            *between, program.arrays, point.route_flow, point.market_cost, point.demand, position, chosen.shape[0]
        )
        return found

    parts = _by_range(program, part)
    hessian, bound = parts[0]
    for more, wider in parts[1:]:
        hessian += more
        bound += wider
    # Where flow vanishes so does the curvature; the floor keeps the quadratic program regular, the reach keeps the step short.
    hessian[np.diag_indices_from(hessian)] += np.maximum(bound * _DAMPING_SHARE, 1e-30 * weight[chosen] ** 2)
    return Model(chosen, hessian)


def _step(program: Program, point: Point, weight: FloatArray, reach: float, known: Model | None) -> tuple[Point, float, Model] | None:
    """The next point, how far the step after it may go, and the model used; None if no step lowers the objective.

    `weight` holds the largest units per tonne of each row, shape (rows,); `reach` is the most a row's price may move, USD per tonne;
    `known` is the model of the step before, if that step went so well that its model still serves.
    """
    model, weight_of_rows = _model(program, point, weight, known), weight
    chosen, hessian, prices = model.rows, model.hessian, point.prices
    limit, flow, now, weight = program.row_limit[chosen], point.row_flow[chosen], prices[chosen], weight[chosen]
    least, most = program.least_price[chosen], program.most_price[chosen]
    gradient = limit - flow
    rounding = _ROUNDING_SHARE * (point.gross + abs(point.value))
    targets = [_log_target(limit, flow), gradient]
    shortest = reach * 1e-16
    while reach > shortest:
        lower, upper = np.maximum(least, now - reach / weight), np.minimum(most, now + reach / weight)
        for target in targets:
            move = bounded_step(hessian, target, now, lower, upper)
            slope = float(gradient @ move)
            if not slope < 0.0:
                continue
            trial = prices.copy()
            trial[chosen] = np.clip(now + move, least, most)
            new = evaluate(program, trial)
            gain = point.value - new.value
            if np.isfinite(new.value) and _is_better(gain, slope, float((limit - new.row_flow[chosen]) @ move), rounding):
                foreseen = -slope - 0.5 * float(move @ hessian @ move)
                longest = float((np.abs(move) * weight).max())
                if gain > 0.5 * foreseen and longest > 0.5 * reach:
                    reach *= 4.0
                return new, max(reach, longest), model
        if model is known:
            break
        targets = targets[-1:]
        reach /= 4.0
    return None if model is not known else _step(program, point, weight_of_rows, reach, None)


def _is_better(gain: float, slope: float, new_slope: float, rounding: float) -> bool:
    """Enough decrease; where the decrease drowns in rounding, the slope along the step must not have turned upwards more."""
    if gain >= -1e-4 * slope and gain > rounding:
        return True
    return abs(gain) <= rounding and new_slope <= -0.9 * slope


def bounded_step(hessian: FloatArray, gradient: FloatArray, now: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Minimise g'd + d'Hd/2 over d with lower <= now + d <= upper.

    Active-set exchange (Kunisch & Hintermueller), falling back on coordinate sweeps if it cycles.

    Args:
        hessian: H, positive definite, shape (n, n).
        gradient: g, shape (n,).
        now: Point the step starts from, between its bounds, shape (n,).
        lower: Lower bounds, shape (n,).
        upper: Upper bounds, shape (n,).

    Returns:
        d, shape (n,).
    """
    scale = 1.0 / np.sqrt(np.diag(hessian))
    matrix = hessian * np.outer(scale, scale)
    least, most = (lower - now) / scale, (upper - now) / scale
    linear = gradient * scale
    at_least, at_most = (least >= 0.0) & (linear > 0.0), np.zeros(now.shape[0], dtype=np.bool_)
    for _ in range(_MAX_SET_CHANGES):
        value = np.where(at_least, least, np.where(at_most, most, 0.0))
        free = ~(at_least | at_most)
        if free.any():
            inside = np.flatnonzero(free)
            try:
                value[inside] = np.linalg.solve(matrix[np.ix_(inside, inside)], -(linear[inside] + matrix[inside] @ value))
            except np.linalg.LinAlgError:
                break
        slope = matrix @ value + linear
        now_least = (free & (value < least)) | (at_least & (slope >= 0.0))
        now_most = (free & (value > most)) | (at_most & (slope <= 0.0))
        if np.array_equal(now_least, at_least) and np.array_equal(now_most, at_most):
            return np.clip(value, least, most) * scale
        at_least, at_most = now_least, now_most
    value = np.zeros(now.shape[0])
    _kernels.bounded_sweeps(matrix, linear, least, most, value, _MAX_SWEEPS, 1e-13)
    return value * scale
