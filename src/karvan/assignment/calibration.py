"""Constants and sharpness of choice that meet observed flows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.assignment.dual import EXACTLY, Program
from karvan.assignment.market import ClearOptions, MarketProblem, check_problem, limited_rows, make_program, solve_robustly
from karvan.errors import ConvergenceError, DataError, Problem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FitOptions:
    """How well and how long to fit.

    Attributes:
        tolerance: Largest accepted relative miss of a target, and r1 and r2 of the limits.
        aim: The fit goes on to this if it can.
        max_iterations: Most Newton steps in one attempt.
    """

    tolerance: float = 1e-8
    aim: float = 1e-10
    max_iterations: int = 100


def fit_constants(
    problem: MarketProblem,
    group_of_family: IntArray,
    target_kt: FloatArray,
    *,
    options: FitOptions | None = None,
    start: FloatArray | None = None,
) -> FloatArray:
    """Constants by group of families so that each group carries its target, with capacities priced.

    A constant common to a group of families acts as the price of a row that each tonne of the group uses once. The fit is therefore the
    market program with one more row per group, its target as an equality and its price free in sign: constants and row prices come out
    of one convex problem. At its answer the update delta += (1/th_c) ln(model/observed) stands still.

    Args:
        problem: The program; its own constants stay, the answer comes on top of them.
        group_of_family: Group of each family, -1 for no constant, shape (families,). Where every family of the markets of a group has a
            group, the constants are defined up to a common number and the targets must add up to demand.
        target_kt: Flow that each group must carry, kt, shape (groups,).
        options: Tolerances.
        start: Row prices to start from, USD per unit, shape (rows,); zero by default.

    Returns:
        Constant to add to each group's families, USD/t, shape (groups,).

    Raises:
        DataError: A target is zero or less, or its group has no family.
        ConvergenceError: No constants meet the targets within the limits; `best` holds the constants tried last.

    Source:
        Train (2009), Discrete choice methods with simulation, 2.8, for the update rule.
    """
    options = options or FitOptions()
    check_problem(problem)
    group = np.asarray(group_of_family, dtype=np.int64)
    target = np.asarray(target_kt, dtype=np.float64)
    _check_targets(group, target)
    limited = limited_rows(problem)
    clear_options = ClearOptions(tolerance=options.tolerance, aim=options.aim, max_iterations=options.max_iterations)
    program = _with_groups(problem, make_program(problem, limited, options=clear_options), group, target)
    prices = np.zeros(limited.shape[0]) if start is None else start[limited]
    answer = solve_robustly(program, np.append(prices, np.zeros(target.shape[0])), clear_options)
    constants = np.array(answer.point.prices[limited.shape[0] :])
    carried = answer.point.row_flow[limited.shape[0] :]
    miss = np.abs(carried - target) / target
    error = max(answer.violation, answer.complementarity)
    if not error <= options.tolerance:
        worst = int(np.argmax(miss))
        raise ConvergenceError(
            f"constants stopped at r1 {answer.violation:.2e}, r2 {answer.complementarity:.2e} after {answer.iterations} steps; "
            f"the tolerance is {options.tolerance:.0e}, the worst group is {worst} (target {target[worst]:.6g} kt, model "
            f"{carried[worst]:.6g} kt); capacities or the demand of its markets may not allow the target",
            best=constants,
        )
    return constants


def delta_for_shares(shares: FloatArray, costs: FloatArray, theta: float, reference: int) -> FloatArray:
    """Constants that make a logit meet shares: delta_j = -(1/th) ln(s_j/s_ref) - (c_j - c_ref).

    Args:
        shares: Observed shares, above zero, shape (options,).
        costs: USD/t, shape (options,).
        theta: Sharpness, per USD/t.
        reference: Option whose constant is zero.

    Returns:
        USD/t, shape (options,).
    """
    if not (np.all(shares > 0.0) and theta > 0.0):
        raise DataError(Problem("calibration", None, "shares", "must be above zero, as must theta"))
    constants: FloatArray = -np.log(shares / shares[reference]) / theta - (costs - costs[reference])
    return constants


def theta_for_elasticity(elasticity: float, cost: float, share: float) -> float:
    """Sharpness that gives a logit share an own-cost elasticity: elasticity = -th c (1 - P).

    Args:
        elasticity: Below zero.
        cost: USD/t, above zero.
        share: P, at least 0 and below 1.

    Returns:
        theta, per USD/t.
    """
    if not (elasticity < 0.0 and cost > 0.0 and 0.0 <= share < 1.0):
        raise DataError(Problem("calibration", None, "elasticity", "must be below zero, with cost above zero and share below one"))
    return -elasticity / (cost * (1.0 - share))


def _check_targets(group: IntArray, target: FloatArray) -> None:
    problems = [
        Problem("calibration targets", index + 1, "target_kt", f"is {value}, must be above zero: a constant cannot bring a flow to zero")
        for index, value in enumerate(target)
        if not (value > 0.0 and np.isfinite(value))
    ]
    present = np.zeros(target.shape[0], dtype=np.bool_)
    if group.size and (group.max() >= target.shape[0] or group.min() < -1):
        problems.append(Problem("calibration targets", None, "group_of_family", f"must lie between -1 and {target.shape[0] - 1}"))
    else:
        present[group[group >= 0]] = True
        problems += [
            Problem("calibration targets", int(index) + 1, "target_kt", "has no family in any market") for index in np.flatnonzero(~present)
        ]
    if problems:
        raise DataError(problems)


def _with_groups(problem: MarketProblem, program: Program, group: IntArray, target: FloatArray) -> Program:
    """The program with a row for each group, used once by each tonne of its families."""
    arrays = program.arrays
    of_route = np.repeat(group, np.diff(problem.family_first_route))
    counts = np.diff(arrays.route_first_entry)
    ends = arrays.route_first_entry[1:]
    has_group = of_route >= 0
    rows = program.row_limit.shape[0]
    return replace(
        program,
        arrays=arrays._replace(
            route_first_entry=np.concatenate([[0], np.cumsum(counts + has_group)]).astype(np.int64),
            entry_row=np.insert(arrays.entry_row, ends[has_group], of_route[has_group] + rows).astype(np.int64),
            entry_units=np.insert(arrays.entry_units, ends[has_group], 1.0).astype(np.float64),
        ),
        row_limit=np.concatenate([program.row_limit, target]),
        row_reference=np.concatenate([program.row_reference, target]),
        row_sense=np.concatenate([program.row_sense, np.full(target.shape[0], EXACTLY, dtype=np.int64)]),
    )
