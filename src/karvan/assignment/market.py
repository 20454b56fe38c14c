"""The market program of one year: nested path-size logit with hard capacities, solved in its dual."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.assignment import _kernels
from karvan.assignment._kernels import MarketArrays
from karvan.assignment.dual import AT_LEAST, AT_MOST, EXACTLY, DualAnswer, Point, Program, broken, check_point, evaluate, solve
from karvan.assignment.fixed_point import FixedPointOptions
from karvan.assignment.together import Delaying, solve_together
from karvan.errors import ConvergenceError, DataError, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# A row with less capacity than this share of the largest of its unit is measured against that share.
_SMALL_CAPACITY_SHARE = 1e-3
# A closed row is solved as if it had this share of its reference, so that its price is finite and its flow negligible.
_CLOSED_SHARE = 1e-4
# No row is measured against less than this share of what all demand could use of it: below it arithmetic ends.
_ROUNDING_SHARE = 1e-15
# Sharpness at which the solver starts again if the plain start fails.
_SOFT_STARTS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.2, 0.4, 0.7)


@dataclass(frozen=True)
class MarketProblem:
    """The market program: markets, their route families (nests), routes and the capacity rows that routes use.

    Quantities are in kt, capacities in thousands of the row's unit, so that kt x units per tonne gives thousands of units; kt x USD/t
    gives kUSD. "Not shipped" is a family with one route without entries, added by the caller.

    Attributes:
        market_first_family: Family where each market starts, and the end, shape (markets + 1,).
        family_first_route: Route where each family starts, and the end, shape (families + 1,).
        route_first_entry: Entry where each route starts, and the end, shape (routes + 1,).
        entry_row: Row that the route uses, shape (entries,).
        entry_units_per_t: Units of capacity used by a tonne, e; below zero only in rows with sense EXACTLY, shape (entries,).
        route_cost_usd_per_t: Generalised cost without prices, c, shape (routes,).
        route_path_size: Path size, PS, above zero, shape (routes,).
        family_constant_usd_per_t: Constant, delta, shape (families,).
        family_theta: Sharpness of route choice in the family, th_r, per USD/t, shape (families,).
        market_theta: Sharpness of family choice, th_c <= th_r, per USD/t, shape (markets,).
        market_flow_kt: Base flow, q0, shape (markets,).
        market_price_usd_per_t: Price of the goods, p, shape (markets,).
        market_base_cost_usd_per_t: Composite cost of the base year, C0, shape (markets,).
        market_elasticity: sigma; zero is fixed demand, shape (markets,).
        market_factor: Factor on the base flow, A, shape (markets,).
        market_price_weight: What a unit of row price costs a tonne, v: 1 where prices are USD, the value of time in USD/t-h where they
            are hours, shape (markets,).
        row_capacity: K, thousands of units; infinity is no limit, shape (rows,).
        row_sense: AT_MOST: flow up to K; AT_LEAST: flow of K or more (take or pay); EXACTLY: flow of K, which is zero where what goes
            out must come back, shape (rows,).
        row_unit: Index of the row's unit, to compare capacities of one unit, shape (rows,).
        is_queued: Scarcity is a queue: prices are hours that everyone waits, and nobody earns them.
    """

    market_first_family: IntArray
    family_first_route: IntArray
    route_first_entry: IntArray
    entry_row: IntArray
    entry_units_per_t: FloatArray
    route_cost_usd_per_t: FloatArray
    route_path_size: FloatArray
    family_constant_usd_per_t: FloatArray
    family_theta: FloatArray
    market_theta: FloatArray
    market_flow_kt: FloatArray
    market_price_usd_per_t: FloatArray
    market_base_cost_usd_per_t: FloatArray
    market_elasticity: FloatArray
    market_factor: FloatArray
    market_price_weight: FloatArray
    row_capacity: FloatArray
    row_sense: IntArray
    row_unit: IntArray
    is_queued: bool = False


@dataclass(frozen=True)
class ClearOptions:
    """How well and how long to solve.

    Attributes:
        tolerance: Largest accepted r1 and r2; above it the solver raises ConvergenceError.
        aim: The solver goes on to this residual if it can; the unused share of priced rows counts too.
        max_iterations: Most Newton steps in one attempt.
        threads: Threads that share the work on large programs; the digits do not depend on it.
    """

    tolerance: float = 1e-6
    aim: float = 1e-9
    max_iterations: int = 100
    threads: int = 1


@dataclass(frozen=True)
class Clearing:
    """A market program evaluated at row prices.

    Attributes:
        row_price_usd_per_unit: lambda, zero for rows without limit, shape (rows,); hours where scarcity is a queue. Of a closed row it is
            what keeps goods away, not a market value; of rows in series that bind together only the sum is defined.
        route_flow_kt: f, shape (routes,).
        row_flow: x, thousands of units, shape (rows,).
        route_cost_usd_per_t: g, cost with prices, shape (routes,).
        family_cost: C_j without the constant, USD/t, shape (families,).
        market_cost: C_w, USD/t, shape (markets,).
        market_demand_kt: D, shape (markets,).
        consumer_surplus_kusd: S_w, shape (markets,).
        rent_kusd: lambda'K: what owners of scarce facilities earn, less what contracts with a minimum pay to meet it; none in a queue.
        waiting_kusd: What queues cost those who wait, sum_w v_w f e'tau; it is lost, and in the surplus already.
        welfare_kusd: Surplus and rent.
        max_violation: r1.
        complementarity: r2.
        iterations: Newton steps made.
    """

    row_price_usd_per_unit: FloatArray
    route_flow_kt: FloatArray
    row_flow: FloatArray
    route_cost_usd_per_t: FloatArray
    family_cost: FloatArray
    market_cost: FloatArray
    market_demand_kt: FloatArray
    consumer_surplus_kusd: FloatArray
    rent_kusd: float
    waiting_kusd: float
    welfare_kusd: float
    max_violation: float
    complementarity: float
    iterations: int


def queued(problem: MarketProblem, value_of_time_usd_per_t_h: FloatArray) -> MarketProblem:
    """The program in which scarcity is a queue: everyone who uses a full row waits tau hours per unit that a tonne takes of it.

    Its dual is sum_w S_w(C_w(c + VOT_w E'tau))/VOT_w + tau'K, with the same derivative K - x. Welfare is the surplus alone: nobody earns
    a wait. It never exceeds that of the priced program.

    Args:
        problem: The program.
        value_of_time_usd_per_t_h: VOT, above zero, shape (markets,).
    """
    return replace(problem, market_price_weight=np.array(value_of_time_usd_per_t_h, dtype=np.float64), is_queued=True)


def scaled(problem: MarketProblem, market_scale: float | FloatArray) -> MarketProblem:
    """The program with its base flows times a factor, one for all or one by market."""
    return replace(problem, market_flow_kt=problem.market_flow_kt * market_scale)


def with_capacity(problem: MarketProblem, capacity: FloatArray) -> MarketProblem:
    """The program with other capacities, thousands of units, shape (rows,)."""
    return replace(problem, row_capacity=np.array(capacity, dtype=np.float64))


def with_row(problem: MarketProblem, units_per_t: FloatArray, capacity: float, *, sense: int = AT_MOST) -> MarketProblem:
    """The program with one more row, the last, in a unit of its own.

    Args:
        problem: The program.
        units_per_t: Units of the row that a tonne of each route uses, zero where it does not, shape (routes,).
        capacity: Limit of the row, thousands of units.
        sense: AT_MOST, AT_LEAST or EXACTLY.
    """
    users = np.flatnonzero(units_per_t)
    ends = problem.route_first_entry[users + 1]
    counts = np.diff(problem.route_first_entry) + (units_per_t != 0.0)
    return replace(
        problem,
        route_first_entry=np.append(0, np.cumsum(counts)).astype(np.int64),
        entry_row=np.insert(problem.entry_row, ends, problem.row_capacity.shape[0]),
        entry_units_per_t=np.insert(problem.entry_units_per_t, ends, units_per_t[users]),
        row_capacity=np.append(problem.row_capacity, capacity),
        row_sense=np.append(problem.row_sense, sense),
        row_unit=np.append(problem.row_unit, problem.row_unit.max(initial=-1) + 1),
    )


def clear(problem: MarketProblem, *, start: FloatArray | None = None, options: ClearOptions | None = None) -> Clearing:
    """Find row prices at which every row keeps its limit and those with room are free.

    Minimises sum_w S_w(C_w(c + v_w E lambda))/v_w + lambda'K over lambda of the sign that each row's sense allows; the derivative by
    lambda_a is K_a - x_a.

    Args:
        problem: The program.
        start: Prices to start from, USD per unit, shape (rows,); zero by default.
        options: Tolerances.

    Raises:
        DataError: The program makes no sense.
        ConvergenceError: r1 or r2 stayed above the tolerance; `best` holds the Clearing.

    Source:
        Fisk (1980), Some developments in equilibrium traffic assignment; Bell (1995), Stochastic user equilibrium assignment in networks
        with queues; Ryu, Chen, Xu & Choi (2014), A dual approach for solving the combined distribution and assignment problem with link
        capacity constraints.
    """
    return LaidOut(problem, options).clear(problem.route_cost_usd_per_t, start=start)


class LaidOut:
    """A program that was checked and laid out once, to be cleared at several route costs.

    Args:
        problem: The program; its own route costs do not matter.
        options: Tolerances.

    Raises:
        DataError: The program makes no sense.
    """

    def __init__(self, problem: MarketProblem, options: ClearOptions | None = None) -> None:
        self.problem, self.options = problem, options or ClearOptions()
        check_problem(problem)
        self._limited = limited_rows(problem)
        self._program = make_program(problem, self._limited, options=self.options)
        self._reference = row_reference(problem)[self._limited]

    def clear(self, route_cost_usd_per_t: FloatArray, *, start: FloatArray | None = None) -> Clearing:
        """See `clear`.

        Args:
            route_cost_usd_per_t: Generalised cost without prices, shape (routes,).
            start: Prices to start from, USD per unit, shape (rows,); zero by default.
        """
        _check_costs(route_cost_usd_per_t)
        options = self.options
        problem, limited = replace(self.problem, route_cost_usd_per_t=route_cost_usd_per_t), self._limited
        cost = np.require(route_cost_usd_per_t, np.float64, ("C", "W"))
        program = replace(self._program, arrays=self._program.arrays._replace(route_cost=cost))
        answer = solve_robustly(program, self._first(start), options)
        clearing = _clearing(problem, limited, answer, self._reference)
        worst = max(clearing.max_violation, clearing.complementarity)
        if not worst <= options.tolerance:
            row = int(limited[_worst_row(program, answer)])
            raise ConvergenceError(
                f"market clearing stopped at r1 {clearing.max_violation:.2e}, r2 {clearing.complementarity:.2e} after "
                f"{clearing.iterations} steps; the tolerance is {options.tolerance:.0e}, the worst row is {row} (flow "
                f"{clearing.row_flow[row]:.6g}, capacity {problem.row_capacity[row]:.6g}); demand may have no way around it: add a family "
                "that ships nothing",
                best=clearing,
            )
        return clearing

    def clear_together(
        self, delaying: Delaying, start: FloatArray | None, hours: FloatArray, *, options: FixedPointOptions
    ) -> tuple[Clearing, FloatArray, float]:
        """The program cleared with hours that agree with the flows they cause, as near as `solve_together` comes.

        Args:
            delaying: How hours and flows hang together, by row of the program.
            start: Prices to start from, shape (rows,); zero by default.
            hours: Hours to start from, shape (facilities,).
            options: How near hours must come.

        Returns:
            The clearing, the hours, and what is missing over what is accepted: 1 or less has converged.
        """
        limited = self._limited
        _check_costs(delaying.cost_usd_per_t(hours))
        rows = np.searchsorted(limited, delaying.rows)
        found = solve_together(self._program, rows, delaying, self._first(start), hours, aim=self.options.aim, options=options)
        problem = replace(self.problem, route_cost_usd_per_t=delaying.cost_usd_per_t(found.hours))
        answer = DualAnswer(found.point, 0.0, 0.0, 0.0, iterations=found.iterations)
        return _clearing(problem, limited, answer, self._reference), found.hours, found.missing

    def _first(self, start: FloatArray | None) -> FloatArray:
        first = np.zeros(self._limited.shape[0]) if start is None else np.array(start, dtype=np.float64)[self._limited]
        return np.where(np.isfinite(first), first, 0.0)


def flows_at(problem: MarketProblem, prices: FloatArray) -> Clearing:
    """The program at given prices, not solved: with zero prices, what would move without limits.

    Args:
        problem: The program.
        prices: USD per unit, shape (rows,).
    """
    check_problem(problem)
    limited = limited_rows(problem)
    program = make_program(problem, np.arange(problem.row_capacity.shape[0]), options=ClearOptions())
    point = evaluate(program, np.array(prices, dtype=np.float64))
    check_point(point)
    return _evaluated(problem, limited, point, point.prices, point.row_flow, row_reference(problem)[limited], iterations=0)


def turned_away(problem: MarketProblem, clearing: Clearing) -> FloatArray:
    """What each row would carry more if its own price were zero and all others unchanged.

    Args:
        problem: The program.
        clearing: Its answer.

    Returns:
        Thousands of the row's unit, zero for rows without a price, shape (rows,).
    """
    prices = clearing.row_price_usd_per_unit
    flow = np.zeros(prices.shape[0])
    program = make_program(problem, np.arange(prices.shape[0]), options=ClearOptions())
    _kernels.flow_without_own_price(program.arrays, prices, clearing.route_cost_usd_per_t, flow)
    return np.where(prices > 0.0, np.maximum(flow - clearing.row_flow, 0.0), 0.0)


def solve_robustly(program: Program, start: FloatArray, options: ClearOptions) -> DualAnswer:
    """Solve from the given prices, else from zero, else from soft choice sharpened step by step; the best of what was tried."""
    best = solve(program, start, aim=options.aim, max_iterations=options.max_iterations)
    if _is_met(best, options.tolerance):
        return best
    if np.any(start != 0.0):
        best = min(best, solve(program, np.zeros_like(start), aim=options.aim, max_iterations=options.max_iterations), key=_error)
    if _is_met(best, options.tolerance):
        return best
    prices = np.zeros_like(start)
    for share in _SOFT_STARTS:
        prices = solve(_softer(program, share), prices, aim=1e-4, max_iterations=options.max_iterations).point.prices
    return min(best, solve(program, prices, aim=options.aim, max_iterations=options.max_iterations), key=_error)


def _softer(program: Program, share: float) -> Program:
    """The program with thetas times a share, and weights that keep composites from falling below the cheapest route."""
    arrays = program.arrays
    in_family = np.diff(arrays.family_first_route)
    in_market = np.diff(arrays.market_first_family)
    weight = np.repeat(np.add.reduceat(arrays.path_size, arrays.family_first_route[:-1]), in_family)
    theta = arrays.market_theta * share
    softer = arrays._replace(
        family_theta=arrays.family_theta * share,
        market_theta=theta,
        path_size=arrays.path_size / weight,
        constant=arrays.constant + np.repeat(np.log(in_market) / theta, in_market),
    )
    return replace(program, arrays=softer)


def _error(answer: DualAnswer) -> float:
    return max(answer.violation, answer.complementarity)


def _is_met(answer: DualAnswer, tolerance: float) -> bool:
    return _error(answer) <= tolerance


def _worst_row(program: Program, answer: DualAnswer) -> int:
    spare = program.row_limit - answer.point.row_flow
    is_at_fault = (broken(program.row_sense, spare) > 0.0) | (answer.point.prices != 0.0)
    return int(np.argmax(np.abs(spare) / program.row_reference * is_at_fault))


def row_reference(problem: MarketProblem) -> FloatArray:
    """Size against which a row's error is measured: max(K, 1e-3 of the largest finite K in its unit), shape (rows,).

    Where all rows of a unit are closed, 1e-3 of the largest use they could have at the base flow takes the place of the largest K. A
    balance (EXACTLY zero) is measured against what all demand of the markets that use it could put on it.
    """
    size = np.where(np.isfinite(problem.row_capacity), np.abs(problem.row_capacity), 0.0)
    largest = np.zeros(int(problem.row_unit.max(initial=0)) + 1)
    np.maximum.at(largest, problem.row_unit, size)
    heaviest = float(np.abs(problem.entry_units_per_t).max(initial=0.0)) * float(problem.market_flow_kt @ problem.market_factor)
    heaviest = heaviest if heaviest > 0.0 else 1.0
    largest[largest <= 0.0] = heaviest
    return np.maximum(np.maximum(size, _SMALL_CAPACITY_SHARE * largest[problem.row_unit]), _ROUNDING_SHARE * heaviest)


def limited_rows(problem: MarketProblem) -> IntArray:
    """Rows with a finite capacity, in order."""
    return np.flatnonzero(np.isfinite(problem.row_capacity))


def gross_flow(problem: MarketProblem, route_flow_kt: FloatArray) -> FloatArray:
    """What passes each row in either sense, sum_r |e_ra| f_r, thousands of units, shape (rows,)."""
    on_entry = np.repeat(route_flow_kt, np.diff(problem.route_first_entry)) * np.abs(problem.entry_units_per_t)
    return np.asarray(np.bincount(problem.entry_row, weights=on_entry, minlength=problem.row_capacity.shape[0]), dtype=np.float64)


def make_program(problem: MarketProblem, rows: IntArray, *, options: ClearOptions) -> Program:
    """The dual program over some rows; entries of other rows are left out."""
    reference = row_reference(problem)[rows]
    capacity = problem.row_capacity[rows]
    sense = problem.row_sense[rows]
    limit = np.where(np.isfinite(capacity), capacity, 0.0)
    limit = np.where(sense == AT_MOST, np.maximum(limit, _CLOSED_SHARE * options.aim * reference), limit)
    if rows.shape[0] == problem.row_capacity.shape[0]:
        first, row, units = problem.route_first_entry, problem.entry_row, problem.entry_units_per_t
    else:
        position = np.full(problem.row_capacity.shape[0], -1, dtype=np.int64)
        position[rows] = np.arange(rows.shape[0])
        of_entry = position[problem.entry_row]
        kept = of_entry >= 0
        first = np.concatenate([[0], np.cumsum(kept)])[problem.route_first_entry].astype(np.int64)
        row, units = of_entry[kept], problem.entry_units_per_t[kept]

    def real(values: FloatArray) -> FloatArray:
        return np.require(values, np.float64, ("C", "W"))

    def whole(values: IntArray) -> IntArray:
        return np.require(values, np.int64, ("C", "W"))

    arrays = MarketArrays(
        market_first_family=whole(problem.market_first_family),
        family_first_route=whole(problem.family_first_route),
        route_first_entry=whole(first),
        entry_row=whole(row),
        entry_units=real(units),
        route_cost=real(problem.route_cost_usd_per_t),
        path_size=real(problem.route_path_size),
        constant=real(problem.family_constant_usd_per_t),
        family_theta=real(problem.family_theta),
        market_theta=real(problem.market_theta),
        market_flow=real(problem.market_flow_kt * problem.market_factor),
        market_price=real(problem.market_price_usd_per_t),
        base_cost=real(problem.market_base_cost_usd_per_t),
        elasticity=real(problem.market_elasticity),
        price_weight=real(problem.market_price_weight),
    )
    return Program(arrays, row_limit=limit, row_reference=reference, row_sense=whole(sense), threads=options.threads)


def _quality(
    problem: MarketProblem, limited: IntArray, point: Point, prices: FloatArray, row_flow: FloatArray, reference: FloatArray
) -> tuple[float, float]:
    """r1 and r2 against the capacities as given; balances against the gross flow on them."""
    if limited.shape[0] == 0:
        return 0.0, 0.0
    sense, spare = problem.row_sense[limited], problem.row_capacity[limited] - row_flow[limited]
    if (sense == EXACTLY).any():
        reference = np.where(sense == EXACTLY, np.maximum(gross_flow(problem, point.route_flow)[limited], reference), reference)
    violation = float((broken(sense, spare) / reference).max())
    idle = float(np.abs(prices[limited]) @ np.abs(spare))
    return violation, idle / point.gross if point.gross > 0.0 else 0.0


def _clearing(problem: MarketProblem, limited: IntArray, answer: DualAnswer, reference: FloatArray) -> Clearing:
    point = answer.point
    rows = problem.row_capacity.shape[0]
    prices = np.zeros(rows)
    prices[limited] = point.prices
    row_flow = point.row_flow
    if limited.shape[0] < rows:
        of_route = np.repeat(point.route_flow, np.diff(problem.route_first_entry))
        row_flow = np.asarray(
            np.bincount(problem.entry_row, weights=of_route * problem.entry_units_per_t, minlength=rows), dtype=np.float64
        )
    return _evaluated(problem, limited, point, prices, row_flow, reference, iterations=answer.iterations)


def _evaluated(
    problem: MarketProblem,
    limited: IntArray,
    point: Point,
    prices: FloatArray,
    row_flow: FloatArray,
    reference: FloatArray,
    *,
    iterations: int,
) -> Clearing:
    paid = float(prices[limited] @ problem.row_capacity[limited])
    waiting = float((point.route_flow * (point.route_price_cost - problem.route_cost_usd_per_t)).sum()) if problem.is_queued else 0.0
    rent = 0.0 if problem.is_queued else paid
    violation, complementarity = _quality(problem, limited, point, prices, row_flow, reference)
    return Clearing(
        row_price_usd_per_unit=prices,
        route_flow_kt=point.route_flow,
        row_flow=row_flow,
        route_cost_usd_per_t=point.route_price_cost,
        family_cost=point.family_cost,
        market_cost=point.market_cost,
        market_demand_kt=point.demand,
        consumer_surplus_kusd=point.surplus,
        rent_kusd=rent,
        waiting_kusd=waiting,
        welfare_kusd=float(point.surplus.sum()) + rent,
        max_violation=violation,
        complementarity=complementarity,
        iterations=iterations,
    )


def _check_costs(route_cost_usd_per_t: FloatArray) -> None:
    if not np.isfinite(route_cost_usd_per_t).all():
        raise DataError(_refusals(~np.isfinite(route_cost_usd_per_t), "route_cost_usd_per_t", "be finite"))


def _refusals(is_bad: BoolArray, name: str, must: str) -> list[Problem]:
    where = np.flatnonzero(is_bad)
    return [Problem("market program", int(where[0]) + 1, name, f"must {must}; {where.size} rows are not")] if where.size else []


def check_problem(problem: MarketProblem) -> None:
    """Refuse programs for which the formulas have no meaning."""
    problems: list[Problem] = []

    def refuse(is_bad: BoolArray, name: str, must: str) -> None:
        problems.extend(_refusals(is_bad, name, must))

    family_market_theta = np.repeat(problem.market_theta, np.diff(problem.market_first_family))
    refuse(np.diff(problem.market_first_family) < 1, "market_first_family", "give every market a family")
    refuse(np.diff(problem.family_first_route) < 1, "family_first_route", "give every family a route")
    refuse(~(problem.market_theta > 0.0), "market_theta", "be above zero")
    refuse(~(problem.family_theta >= family_market_theta * (1.0 - 1e-12)), "family_theta", "be at least the market's theta")
    refuse(~(problem.route_path_size > 0.0), "route_path_size", "be above zero")
    refuse(~np.isfinite(problem.route_cost_usd_per_t), "route_cost_usd_per_t", "be finite")
    refuse(~np.isfinite(problem.family_constant_usd_per_t), "family_constant_usd_per_t", "be finite")
    is_signed = (problem.row_sense == EXACTLY)[problem.entry_row]
    refuse(~(is_signed | (problem.entry_units_per_t >= 0.0)), "entry_units_per_t", "be zero or more")
    refuse(~(problem.market_flow_kt * problem.market_factor >= 0.0), "market_flow_kt", "be zero or more")
    refuse(~(problem.market_elasticity >= 0.0), "market_elasticity", "be zero or more")
    refuse(~(problem.market_price_weight > 0.0), "market_price_weight", "be above zero")
    refuse(~np.isin(problem.row_sense, (AT_MOST, AT_LEAST, EXACTLY)), "row_sense", "be at most, at least or exactly")
    refuse(~(problem.row_capacity >= 0.0), "row_capacity", "be zero or more")
    refuse((problem.row_sense != AT_MOST) & ~np.isfinite(problem.row_capacity), "row_capacity", "be finite where it is no upper limit")
    base = problem.market_price_usd_per_t + problem.market_base_cost_usd_per_t
    refuse((problem.market_elasticity > 0.0) & ~(base > 0.0), "market_base_cost_usd_per_t", "leave price plus base cost above zero")
    if problems:
        raise DataError(problems)
