"""Services that share a stop: how long goods wait that take whichever useful one leaves first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOURS_PER_WEEK = 168.0


@dataclass(frozen=True)
class ServiceArc:
    """A way on from a stop.

    Attributes:
        tail, head: Stops.
        time_h: Time to the head once on board.
        per_h: 2 / headway, the inverse of a mean wait of half the headway; inf where nobody waits: staying on board, alighting.
    """

    tail: str
    head: str
    time_h: float
    per_h: float


def strategy(arcs: Sequence[ServiceArc], destination: str) -> dict[str, float]:
    """Expected time from every stop to a destination, hours, by taking whichever service of the best set leaves first.

    u = (1 + sum f c) / sum f over services with c < u, where c is the time at their head and on board. Stops that cannot reach the
    destination are left out.

    Source:
        Spiess & Florian (1989), Optimal strategies, Transportation Research B 23(2).
    """
    time = {destination: 0.0}
    rate: dict[str, float] = {}
    weighted: dict[str, float] = {}
    left = list(range(len(arcs)))
    while left:
        reached = [(time[arcs[position].head] + arcs[position].time_h, position) for position in left if arcs[position].head in time]
        if not reached:
            break
        on_board, position = min(reached)
        left.remove(position)
        arc = arcs[position]
        if on_board >= time.get(arc.tail, float("inf")):
            continue
        if arc.per_h == float("inf"):
            time[arc.tail], rate[arc.tail] = on_board, float("inf")
            continue
        rate[arc.tail] = rate.get(arc.tail, 0.0) + arc.per_h
        weighted[arc.tail] = weighted.get(arc.tail, 0.0) + arc.per_h * on_board
        time[arc.tail] = (1.0 + weighted[arc.tail]) / rate[arc.tail]
    return time


def half_headway_h(departures_per_week: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean wait of goods that arrive at any time for services of one link together, hours: half the common headway."""
    return HOURS_PER_WEEK / departures_per_week / 2.0
