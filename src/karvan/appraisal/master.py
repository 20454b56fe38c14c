"""Mixed integer programs through HiGHS, which says nothing.

Presolve is off: it takes longer than it saves where a few hundred bounds of some dozen numbers are all that there is. So are searches for
better answers in smaller programs and most trial branchings, which take half of the time: answers come by themselves here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse

from karvan.errors import SolverError

FloatArray = npt.NDArray[np.float64]

_OPTIONS = (
    ("output_flag", False),
    ("threads", 1),
    ("presolve", "off"),
    ("mip_heuristic_run_rins", False),
    ("mip_heuristic_run_rens", False),
    ("mip_heuristic_run_root_reduced_cost", False),
    ("mip_pscost_minreliable", 2),
    ("mip_abs_gap", 0.0),
)


@dataclass(frozen=True)
class Answers:
    """What a program gives.

    Attributes:
        met: Answers met, the best first, each of shape (variables,).
        bound: What no answer is below.
    """

    met: tuple[FloatArray, ...]
    bound: float


def least_cost(cost: FloatArray, rows: FloatArray, most: FloatArray, *, binary_count: int, gap: float) -> Answers | None:
    """The least of cost . x over rows . x <= most, the first variables 0 or 1 and the rest free.

    Args:
        cost: Shape (variables,).
        rows: Shape (rows, variables).
        most: Shape (rows,).
        binary_count: How many of the first variables are 0 or 1.
        gap: Relative gap at which an answer is taken.

    Returns:
        The answers met on the way to the best; None if there is none.

    Raises:
        SolverError: It failed.
    """
    count = cost.shape[0]
    matrix = scipy.sparse.csc_array(rows)
    free = np.full(count - binary_count, np.inf)
    model: Any = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, rows.shape[0]
    model.col_cost_ = cost
    model.col_lower_ = np.append(np.zeros(binary_count), -free)
    model.col_upper_ = np.append(np.ones(binary_count), free)
    model.row_lower_, model.row_upper_ = np.full(rows.shape[0], -np.inf), most
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    kinds = highspy.HighsVarType
    model.integrality_ = [kinds.kInteger] * binary_count + [kinds.kContinuous] * free.shape[0]
    solver: Any = highspy.Highs.__mro__[1]()  # the documented class prints a banner before it can be told not to
    for name, value in (*_OPTIONS, ("mip_rel_gap", gap)):
        solver.setOptionValue(name, value)
    solver.passModel(model)
    met: list[tuple[float, FloatArray]] = []

    def meet(kind: Any, message: str, told: Any, asked: Any, data: Any) -> None:
        met.append((float(told.objective_function_value), np.array(told.mip_solution, dtype=np.float64)))

    solver.setCallback(meet, None)
    solver.startCallback(highspy.cb.HighsCallbackType.kCallbackMipSolution)
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise SolverError(f"the choice of starts was not solved: {solver.modelStatusToString(status)}")
    best = np.array(solver.getSolution().col_value, dtype=np.float64)
    info = solver.getInfo()
    others = [answer for _, answer in sorted(met, key=lambda pair: pair[0])]
    return Answers((best, *others), float(min(info.mip_dual_bound, info.objective_function_value)))
