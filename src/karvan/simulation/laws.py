"""Laws of durations: how long something takes, by chance."""

from __future__ import annotations

import math
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

    @property
    def shape(self) -> float:
        """What the compiled draw needs beside the scale: phases of Erlang's law, spread of the logarithm of a lognormal one."""
        if self.kind == ERLANG:
            return float(max(1, round(self.variability**-2)))
        return math.sqrt(math.log1p(self.variability**2)) if self.kind == LOGNORMAL else 0.0

    @property
    def scale(self) -> float:
        """Mean of a phase of Erlang's law, median of a lognormal one, mean of the others."""
        if self.kind == ERLANG:
            return self.mean / self.shape
        return self.mean * math.exp(-0.5 * self.shape**2) if self.kind == LOGNORMAL else self.mean


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
