"""Lines of text while work goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from karvan.report.words import ENGLISH, Value

Progress = Callable[[str], None]
SIMULATING = "progress.simulating"
"""Key of a line that tells of a simulation; how many there will be nobody knows before."""


class Line(str):
    """A line of progress in English that knows which message of the catalogues it is, so that a screen can say it in another language.

    Attributes:
        key: Key of the message.
        values: Its values by name.
    """

    key: str
    values: Mapping[str, Value]


def line(key: str, **values: Value) -> Line:
    """The line that is the message `progress.KEY`."""
    found = Line(ENGLISH(f"progress.{key}", **values))
    found.key, found.values = f"progress.{key}", values
    return found


def message_of(text: str) -> dict[str, Any] | None:
    """Key and values of the message that a line is, or None where it is text alone."""
    return {"key": text.key, "values": dict(text.values)} if isinstance(text, Line) else None


def silent(line: str) -> None:
    """Progress that nobody watches."""


def named(name: str, tell: Progress) -> Progress:
    """Progress of one part of the work: its lines are told as messages of that part, others are opened with its name."""

    def told(text: str) -> None:
        if isinstance(text, Line) and ENGLISH.has(f"{text.key}.{name}"):
            tell(line(f"{text.key.removeprefix('progress.')}.{name}", **text.values))
        else:
            tell(f"{name}: {text}")

    return told
