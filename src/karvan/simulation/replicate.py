"""Replications of a compiled model: each with chance of its own, side by side, the same digits for any number of workers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.errors import SolverError
from karvan.simulation import _state_kernels as k
from karvan.simulation._kernels import run
from karvan.simulation.program import System

FloatArray = npt.NDArray[np.float64]
_MOST_ROOM = 1 << 20


@dataclass(frozen=True)
class Period:
    """How long a replication lasts and what of it counts.

    Attributes:
        warm_h: Hours before anything counts, a whole number of samples.
        count_h: Hours that count.
        sample_h: Hours between samples of what is inside.
    """

    warm_h: float
    count_h: float
    sample_h: float = 24.0

    @property
    def end_h(self) -> float:
        return self.warm_h + self.count_h

    @property
    def warm_samples(self) -> int:
        return round(self.warm_h / self.sample_h)


@dataclass(frozen=True)
class Replication:
    """What one replication gave. Everything but `series` counts from the end of the warm-up.

    Attributes:
        state: The arrays of the event loop, as it left them.
        series: Mean units inside each line, by sample from hour 0, shape (lines, samples).
        record: Goods that arrived: hour, line, units, hour in which they came, hours by cause, shape (rows, 4 + causes).
        log: Berths given and left, passages, closures: hour, kind, token, berth or link, units, shape (rows, 5).
        events: Events taken off the heap, from hour 0.
        steps: Steps run, from hour 0.
    """

    state: k.World
    series: FloatArray
    record: FloatArray
    log: FloatArray
    events: int
    steps: int


def stream_key(seed: int, replication: int) -> int:
    """Key of the streams of one replication: 32 bits of a hash of both numbers."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{replication}".encode()).digest()[:4], "big")


def replicate(
    system: System,
    period: Period,
    *,
    seed: int,
    replications: Sequence[int],
    workers: int = 1,
    has_records: bool = True,
    log_rows: int = 0,
    log_hours: tuple[float, float] | None = None,
) -> list[Replication]:
    """Run replications of a model.

    Args:
        system: The model.
        period: How long.
        seed: Of all chance; two designs with one seed see the same weather and the same trains.
        replications: Numbers of the replications; each stands for itself, whatever others are run.
        workers: Threads; digits do not depend on it.
        has_records: Keep a row for everything that arrived.
        log_rows: Rows of the log to keep.
        log_hours: First hour that is logged and the hour after the last, whole ones, from hour 0; None logs all that counts.

    Returns:
        One for each number, in their order.

    Raises:
        SolverError: More is under way than fits into memory.
    """

    def one(number: int) -> Replication:
        room = 1 << 11
        while room <= _MOST_ROOM:
            state = fresh(system, period, room=room, records=128 * room if has_records else 0, log_rows=log_rows)
            if log_hours is not None:
                state.counter[[k.LOG_FROM, k.LOG_UNTIL]] = log_hours
            if run(state, stream_key(seed, number), period.end_h, period.warm_h, period.sample_h) == k.DONE:
                counter = state.counter
                return Replication(
                    state=state,
                    series=state.series,
                    record=state.record[: counter[k.RECORDS]],
                    log=state.log[: counter[k.LOGGED]],
                    events=int(counter[k.EVENTS]),
                    steps=int(counter[k.STEPS]),
                )
            room *= 8
        raise SolverError("more ships, trains and lots are under way at once than can be held: the system takes in far more than can leave")

    if workers <= 1 or len(replications) <= 1:
        return [one(number) for number in replications]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(one, replications))


def fresh(system: System, period: Period, *, room: int, records: int, log_rows: int) -> k.World:
    """A model before anything happens, with room for so many tokens and lots at once."""
    starts, lines = system.start.shape[0], len(system.names.lines)
    room = max(room, 4 * starts)
    rows, width = system.things.shape[0], k.WIDTH
    tokens, lots, end = rows, rows + room * width, rows + 2 * room * width
    things, values = np.zeros(end, dtype=np.uint32), np.zeros(end)
    things[:rows], values[:rows] = system.things, system.values
    things[tokens + k.T_NEXT : lots : width] = np.arange(tokens + width, lots + width, width)
    things[lots + k.L_NEXT : end : width] = np.arange(lots + width, end + width, width)
    things[lots - width + k.T_NEXT] = things[end - width + k.L_NEXT] = 0
    counter = np.zeros(k.ROOMS, dtype=np.int64)
    counter[[k.FREE_TOKEN, k.FREE_LOT, k.HIGH]] = tokens + starts * width, lots, tokens + starts * width
    bounds = {k.BERTHS: "berth", k.POOLS: "pool", k.SITES: "site", k.BANS: "ban", k.LINES: "line", k.PROGRAM: "step"}
    for place, kind in bounds.items():
        counter[place : place + 2] = system.first_row[kind]
    counter[k.TOKENS : k.TOKENS + 2] = tokens, lots
    counter[[k.LOG_FROM, k.LOG_UNTIL]] = 0, np.iinfo(np.int64).max
    return k.World(
        counter=counter,
        things=things,
        values=values,
        heap_h=np.full(4 * room, np.inf),
        heap=np.empty(8 * room, dtype=np.int64),
        start=system.start.copy(),
        start_h=system.start_h.copy(),
        base_h=np.zeros((starts, k.CAUSES)),
        series=np.zeros((lines, int(period.end_h / period.sample_h + 1e-9))),
        record=np.empty((records, 4 + k.CAUSES)),
        log=np.empty((log_rows, 5)),
    )
