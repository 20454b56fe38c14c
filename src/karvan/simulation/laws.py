"""Laws of durations: how long something takes, by chance."""

from __future__ import annotations

from dataclasses import dataclass

from karvan.simulation._random_kernels import CONSTANT, ERLANG, EXPONENTIAL, LOGNORMAL


@dataclass(frozen=True)
class Law:
    """A law of a duration.

    Attributes:
        kind: What the compiled draw calls it.
        mean: Its mean, hours (or units, of what comes at once).
        variability: Its coefficient of variation.
    """

    kind: int
    mean: float
    variability: float


def constant(mean: float) -> Law:
    """Always the same."""
    return Law(CONSTANT, mean, 0.0)


def exponential(mean: float) -> Law:
    """Without memory."""
    return Law(EXPONENTIAL, mean, 1.0)


def erlang(mean: float, phases: int) -> Law:
    """The sum of so many equal exponential phases."""
    return Law(ERLANG, mean, float(phases) ** -0.5)


def varying(mean: float, variability: float) -> Law:
    """Lognormal with a coefficient of variation; constant where that is zero."""
    return Law(LOGNORMAL, mean, variability) if variability > 0.0 else constant(mean)
