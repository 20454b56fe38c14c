"""Lines of text while work goes on."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
SIMULATING = "simulating"
"""How a line begins that tells of a simulation; how many there will be nobody knows before."""


def silent(line: str) -> None:
    """Progress that nobody watches."""


def named(name: str, tell: Progress) -> Progress:
    """Progress of one part of the work, each line opened with the part's name."""
    return lambda line: tell(f"{name}: {line}")
