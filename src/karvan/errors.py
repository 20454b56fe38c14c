"""Every exception Karvan raises.

Goes in: nothing. Comes out: four kinds of error under `KarvanError`. May import: nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input, and what would be right.

    `row` counts data rows from 1, as a spreadsheet shows them below the header; it is None when the whole table is meant. Of a text file
    that is no table it counts lines from 1, which `counted` says. `key` and `values` name the same message in the catalogues of the screen,
    as `error.KEY`, where people meet it there.
    """

    table: str
    row: int | None
    column: str | None
    message: str
    counted: str = "row"
    key: str | None = field(default=None, compare=False)
    values: Mapping[str, str | float] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        place = self.table
        if self.row is not None:
            place += f", {self.counted} {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        told: dict[str, Any] = {"table": self.table, "row": self.row, "column": self.column, "message": self.message}
        return told if self.key is None else {**told, "key": self.key, "values": dict(self.values)}


class KarvanError(Exception):
    """Base of all errors that Karvan raises on purpose."""

    exit_code = 1
    kind = "error"
    problems: tuple[Problem, ...] = ()


class DataError(KarvanError):
    """Input is wrong. Carries every problem found, not only the first."""

    exit_code = 2
    kind = "data"

    def __init__(self, problems: Problem | list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class MeasureError(DataError):
    """A measure or scenario does not fit its corridor."""

    kind = "measure"


class ConvergenceError(KarvanError):
    """An iteration stopped short of its tolerance. Carries the best answer so far in `best`."""

    kind = "convergence"

    def __init__(self, message: str, best: Any = None) -> None:
        self.best = best
        super().__init__(message)


class SolverError(KarvanError):
    """A program is infeasible or its solver failed; the message names the constraint."""

    kind = "solver"
