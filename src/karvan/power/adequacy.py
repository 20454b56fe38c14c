"""How likely plants fall short of load, and how much load a line lets a zone carry at the same risk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

HOURS_SHORT = 3.0
"""Hours a year in which load is not met, at which the credit of a line is told: a usual standard."""

_STEP_MW = 10.0
_ROUNDS = 60


@dataclass(frozen=True)
class Units:
    """Units of one kind: so many of a size, each out of service by itself for a share of the time."""

    count: int
    size_mw: float
    outage_share: float


def available_law(units: Sequence[Units], *, step_mw: float = _STEP_MW) -> FloatArray:
    """Chance that so much is available, on a grid from nothing in steps: entry k is the chance of k x step_mw; shape (all steps + 1,).

    Sizes are rounded to whole steps. The law of each kind is binomial, that of all their convolution.

    Args:
        units: Kinds of units.
        step_mw: Step of the grid.

    Source:
        Billinton and Allan (1996), Reliability Evaluation of Power Systems, chapter 2.
    """
    law = np.ones(1)
    for kind in units:
        steps = round(kind.size_mw / step_mw)
        if kind.count <= 0 or steps == 0:
            continue
        one = np.zeros(steps + 1)
        one[0], one[-1] = kind.outage_share, 1.0 - kind.outage_share
        for _ in range(kind.count):
            law = np.convolve(law, one)
    return law


def chance_short(law: FloatArray, load_mw: FloatArray | float, *, step_mw: float = _STEP_MW) -> FloatArray:
    """Chance that less than the load is available (LOLP), same shape as the load.

    Args:
        law: See `available_law`.
        load_mw: Load.
        step_mw: Step of the grid.
    """
    below = np.concatenate(([0.0], np.cumsum(law)))
    needed = np.ceil(np.asarray(load_mw, dtype=np.float64) / step_mw - 1e-9)
    return below[np.clip(needed, 0, len(law)).astype(np.int64)]


def capacity_credit_mw(
    law: FloatArray, residual_mw: FloatArray, line_mw: FloatArray, *, outage_share: float, hours_short: float = HOURS_SHORT
) -> float:  # fmt: skip
    """Load that a line lets a zone carry more at the same risk (effective load carrying capability).

    Constant load is added until the zone is short for `hours_short` a year without the line; then more, until it is so with the line. A
    zone that is short for longer as it stands is relieved of load first.

    Args:
        law: Of the zone's own plants, see `available_law`.
        residual_mw: Its load less what weather and stores give, shape (hours,).
        line_mw: What the line can bring in each hour, shape (hours,).
        outage_share: Of the line.
        hours_short: Risk at which it is told.

    Source:
        Garver (1966), Effective load carrying capability of generating units, IEEE Transactions on Power Apparatus and Systems 85.
    """

    def short_without(added: float) -> float:
        return float(chance_short(law, residual_mw + added).sum())

    def short_with(added: float) -> float:
        out = chance_short(law, residual_mw + added)
        there = chance_short(law, residual_mw + added - line_mw)
        return float((outage_share * out + (1.0 - outage_share) * there).sum())

    reach = float(len(law) * _STEP_MW + np.abs(residual_mw).max() + line_mw.max())
    return _crossing(short_with, hours_short, reach) - _crossing(short_without, hours_short, reach)


def _crossing(rising: Callable[[float], float], level: float, reach: float) -> float:
    low, high = -reach, reach
    for _ in range(_ROUNDS):
        middle = (low + high) / 2.0
        if rising(middle) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
