"""When the level of a store is a column of the dispatch, and what is between.

A store that lasts for weeks cannot run dry or full within a day unless it was close to it in the morning. Its level is therefore held to
its limits at the end of days only, which leaves out 23 of 24 levels and rows of it; what it is in between follows from what goes in and
out. A dispatch that takes it beyond its limits in between is solved again with those hours held too, each by a row of its own (`limit`),
until none is: then it is a dispatch of the whole program, and its best one, as it was the best of all that may break some limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.network import PowerSystem, Stores
from karvan.power.program import BoolArray, FloatArray, Index32, Layout

STEP_H = 24
"""Hours from one held level of a lasting store to the next."""
_LASTING_H = 240.0
_NEAR = 1e-9


def held_hours(system: PowerSystem) -> BoolArray:
    """Hours in which levels are columns, shape (hours, stores): all for a store that fills or empties in ten days, else one a day."""
    stores, hours = system.stores, system.hours
    most_in = stores.take_mw * stores.into_share + stores.inflow_mw.max(axis=0, initial=0.0)
    fastest = np.maximum(stores.give_mw / stores.out_share, most_in)
    is_lasting = stores.energy_mwh >= _LASTING_H * fastest
    is_end = np.arange(hours) % STEP_H == STEP_H - 1
    is_end[-1:] = True
    held: BoolArray = ~is_lasting[None, :] | is_end[:, None]
    return held


def levels_mwh(stores: Stores, held: BoolArray, level: FloatArray, give: FloatArray, take: FloatArray, spill: FloatArray) -> FloatArray:
    """Levels of all hours from those of held hours and what goes in and out; all of shape (hours, stores)."""
    if held.all():
        return level
    added = np.cumsum(stores.inflow_mw + take * stores.into_share - give / stores.out_share - spill, axis=0)
    before = _held_before(held)
    start = np.take_along_axis(level, before, axis=0)
    base = np.where(before < np.arange(len(held))[:, None], np.take_along_axis(added, before, axis=0), 0.0)
    return np.where(held, level, start + added - base)


def beyond(stores: Stores, held: BoolArray, level: FloatArray) -> list[tuple[int, int]]:
    """Hours and stores whose level is beyond its limits, in order."""
    room = 1e-6 + _NEAR * stores.energy_mwh
    is_over = ~held & ((level < -room) | (level > stores.energy_mwh + room))
    return [(int(hour), int(store)) for hour, store in np.argwhere(is_over)]


@dataclass(frozen=True)
class Limit:
    """A row that holds a level which is no column: least <= values x <= most.

    Attributes:
        columns, values: Its entries.
        least, most: What is left of the store's limits when the inflow since the last held level is taken off.
    """

    columns: npt.NDArray[np.int32]
    values: FloatArray
    least: float
    most: float


def limit(stores: Stores, layout: Layout, places: Index32, held: BoolArray, hour: int, store: int) -> Limit:
    """The row of a level that is no column: the held level before it and what went in and out since."""
    before = int(_held_before(held[:, [store]])[hour, 0])
    first = before + 1 if before < hour else 0
    since = slice(first, hour + 1)
    parts = (
        (layout.level, slice(before, before + 1), 1.0), (layout.give, since, -1.0 / stores.out_share[store]),
        (layout.take, since, stores.into_share[store]), (layout.spill, since, -1.0),
    )  # fmt: skip
    columns, values = [], []
    for start, hours, value in parts:
        found = places[hours, start + store]
        columns.append(found[found >= 0])
        values.append(np.full(len(columns[-1]), float(value)))
    came = float(stores.inflow_mw[since, store].sum())
    return Limit(np.concatenate(columns), np.concatenate(values), -came, float(stores.energy_mwh[store]) - came)


def _held_before(held: BoolArray) -> npt.NDArray[np.int64]:
    """The last held hour before each hour, round the end: shape (hours, stores)."""
    hours = len(held)
    last = np.maximum.accumulate(np.where(held, np.arange(hours)[:, None], -1), axis=0)
    before = np.roll(last, 1, axis=0)
    found: npt.NDArray[np.int64] = np.where(before < 0, last[-1], before)
    return found
