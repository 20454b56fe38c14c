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


def attractive(per_h: Sequence[float], time_h: Sequence[float]) -> tuple[float, tuple[int, ...]]:
    """Expected time from a stop by the best set of services to take, and that set: those faster on board than the expected time.

    u = (1 + sum f c) / sum f over services with c < u.

    Args:
        per_h: 2 / headway of each service.
        time_h: Time to the destination once on board of each.

    Returns:
        Hours and positions of the services, fastest first; inf and none without services.

    Source:
        Spiess & Florian (1989), Optimal strategies, Transportation Research B 23(2).
    """
    total, weighted, taken = 0.0, 0.0, list[int]()
    found = float("inf")
    for position in sorted(range(len(time_h)), key=lambda item: (time_h[item], item)):
        if time_h[position] >= found:
            break
        if per_h[position] == float("inf"):
            return time_h[position], (position,)
        total += per_h[position]
        weighted += per_h[position] * time_h[position]
        taken.append(position)
        found = (1.0 + weighted) / total
    return found, tuple(taken)


def strategy(arcs: Sequence[ServiceArc], destination: str) -> dict[str, float]:
    """Expected time from every stop to a destination by the best strategy, hours; stops that cannot reach it are left out.

    Source:
        Spiess & Florian (1989), as `attractive`: arcs in the order of time at their head and on board.
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
