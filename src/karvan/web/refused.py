"""What the server says when it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from karvan.errors import KarvanError, Problem
from karvan.report.words import ENGLISH, Value


class Refused(Exception):  # noqa: N818 - it is no fault, it is an answer
    """A request that is answered with a status and problems.

    Attributes:
        status: HTTP status.
        problems: What is wrong and what would be right.
    """

    def __init__(self, status: int, problems: Problem | Sequence[Problem]) -> None:
        self.status = status
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def problem(key: str, *, table: str = "request", column: str | None = None, **values: Value) -> Problem:
    """What is wrong, as the message `error.KEY` of the catalogues: in English, with what a screen needs to say it in another language."""
    return Problem(table, None, column, ENGLISH(f"error.{key}", **values), key=key, values=values)


def refused(status: int, key: str, *, table: str = "request", column: str | None = None, **values: Value) -> Refused:
    """A refusal for one reason, which is the message `error.KEY` of the catalogues."""
    return Refused(status, problem(key, table=table, column=column, **values))


def not_found(what: str, name: str) -> Refused:
    """There is no such thing: a run, a job, a table, a file."""
    return refused(404, f"no_{what}", table=what.replace("_", " "), name=name)


def told(problems: Sequence[Problem]) -> dict[str, Any]:
    """Problems as every failed request answers them."""
    return {"problems": [problem.as_dict() for problem in problems]}


def refusal_of(error: KarvanError) -> Refused:
    """What an error of the model is to a client: wrong input, or our fault."""
    problems = error.problems or (Problem("server", None, None, str(error)),)
    return Refused(422 if error.exit_code == 2 else 500, problems)
