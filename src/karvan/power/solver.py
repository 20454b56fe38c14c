"""The one door to HiGHS: a solver that says nothing, its models, its bases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import highspy
import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int32]


class Arrays(Protocol):
    """What a linear program is made of; see `karvan.power.program.LinearProgram`."""

    @property
    def cost(self) -> Vector: ...
    @property
    def least(self) -> Vector: ...
    @property
    def most(self) -> Vector: ...
    @property
    def row_least(self) -> Vector: ...
    @property
    def row_most(self) -> Vector: ...
    @property
    def starts(self) -> Index: ...
    @property
    def rows(self) -> Index: ...
    @property
    def values(self) -> Vector: ...


class _Silent(highspy.Highs):
    """A solver that says nothing: standard output may have to hold one JSON object and nothing else.

    Enabling callbacks, which nothing here uses, is what prints a banner while a solver is made, before it can be told not to.
    """

    def enableCallbacks(self) -> None:  # noqa: N802 - HiGHS calls it so
        self.setOptionValue("output_flag", False)


def silent_solver() -> Any:
    """A solver on one thread, so that digits do not depend on the machine."""
    made: Callable[[], Any] = _Silent
    solver = made()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    return solver


def model_of(program: Arrays) -> Any:
    """A linear program as HiGHS takes it."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_least)
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.least, program.most
    model.row_lower_, model.row_upper_ = program.row_least, program.row_most
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = program.starts, program.rows, program.values
    return model


def basis_of(solver: Any) -> tuple[bytes, bytes]:
    """Where the solver stands: a byte for each column and row, as the solver's own objects take a hundred times the room."""
    basis = solver.getBasis()
    return bytes(map(int, basis.col_status)), bytes(map(int, basis.row_status))


def set_basis(solver: Any, columns: bytes | bytearray, rows: bytes | bytearray) -> None:
    """Start the solver from a basis of `basis_of`, which it may have to complete; nothing else of what it did before is left."""
    solver.clearSolver()
    kinds = {int(kind): kind for kind in highspy.HighsBasisStatus.__members__.values()}
    basis = highspy.HighsBasis()
    basis.col_status, basis.row_status = [kinds[kind] for kind in columns], [kinds[kind] for kind in rows]
    basis.valid, basis.alien = True, True
    solver.setBasis(basis)


def run(solver: Any) -> str:
    """Solve, and say in the solver's words how it ended; an answer that may be unbounded counts as none, as no cost here is below zero."""
    status = solver.run()
    reached = solver.getModelStatus()
    if status == highspy.HighsStatus.kError:
        return "Error"
    if reached in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return "Infeasible"
    return str(solver.modelStatusToString(reached))


def add_rows(solver: Any, least: Vector, most: Vector, starts: Index, columns: Index, values: Vector) -> None:
    """More rows, one after the other in `columns` and `values`; the solver goes on from where it stands."""
    solver.addRows(len(least), least, most, len(columns), starts, columns, values)


def keep_rows(solver: Any, count: int) -> None:
    """Take out all rows after the first so many; where the solver stands must be given anew."""
    gone = np.arange(count, solver.getNumRow(), dtype=np.int32)
    solver.deleteRows(len(gone), gone)
