"""The dispatch of all hours as one linear program: its columns, rows and numbers.

Columns and rows of an hour are the same in each hour, so the matrix is one small pattern repeated; the level of a store is the only thing
that ties an hour to the one before it. In hour t, for zones z, plants p, lines l with flows there and back, stores s:

    min  sum c_p g_pt + (running_l + border_l) f_lt + c_s give_st + lost_z u_zt
    balance z:  sum_p g + sum (1 - loss) f_in - sum f_out + sum give - sum take + u = demand
    level s:    level_t - level_(t-1) + give/out_share - into_share take + spill = inflow        (level_0 follows the last)
    least <= g <= most,  0 <= f <= capacity,  0 <= level <= energy,  0 <= spill <= inflow,  0 <= u <= demand

A line is two flows with a loss each, never one flow of either sign, which would create energy on its way back. The price of a zone is
the dual of its balance. Where a level is not held (see `karvan.power.levels`) it is no column, and the rows of its hours up to the next
hour in which it is are one row, their sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.network import PowerSystem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Index32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Layout:
    """Where the columns of an hour begin; all of an hour stand together.

    Attributes:
        plants, there, back, lost, give, take, spill, level: First column of each kind within an hour.
        width: Columns of an hour.
        rows: Rows of an hour: a balance for each zone, then a level for each store.
    """

    plants: int
    there: int
    back: int
    lost: int
    give: int
    take: int
    spill: int
    level: int
    width: int
    rows: int

    @classmethod
    def of(cls, system: PowerSystem) -> Layout:
        counts = (
            len(system.plants.ids), len(system.lines.ids), len(system.lines.ids), len(system.zone_ids), *(len(system.stores.ids),) * 4
        )  # fmt: skip
        names = ("plants", "there", "back", "lost", "give", "take", "spill", "level", "width")
        starts = {name: sum(counts[:number]) for number, name in enumerate(names)}
        return cls(**starts, rows=len(system.zone_ids) + len(system.stores.ids))


@dataclass(frozen=True)
class LinearProgram:
    """min cost x, row_least <= A x <= row_most, least <= x <= most, A by columns.

    Attributes:
        cost, least, most: Shape (columns,).
        row_least, row_most: Shape (rows,).
        starts, rows, values: A column by column: shape (columns + 1,), (entries,), (entries,).
        layout: Where things stand in an hour.
        places: Columns by hour, shape (hours, layout.width); -1 for one that is not there.
        balances: Rows of balances by hour, shape (hours, zones).
    """

    cost: FloatArray
    least: FloatArray
    most: FloatArray
    row_least: FloatArray
    row_most: FloatArray
    starts: Index32
    rows: Index32
    values: FloatArray
    layout: Layout
    places: Index32
    balances: IntArray


def linear_program(system: PowerSystem, kept: BoolArray | None = None, held: BoolArray | None = None) -> LinearProgram:
    """The dispatch of a system as arrays.

    Args:
        system: Zones, plants, stores and lines over some hours.
        kept: Which columns of an hour to have, shape (layout.width,); all by default. The others stand for zero.
        held: Hours in which the level of a store is a column, shape (hours, stores); all by default. The last hour always is.
    """
    layout, hours, zones = Layout.of(system), system.hours, len(system.zone_ids)
    plants, lines, stores = system.plants, system.lines, system.stores
    if held is None:
        held = np.ones((hours, len(stores.ids)), dtype=np.bool_)
    there = np.ones((hours, layout.width), dtype=np.bool_) if kept is None else np.tile(kept, (hours, 1))
    there[:, layout.level : layout.width] &= held
    right = np.empty((hours, layout.rows))
    right[:, :zones] = system.demand_mw
    right[:, zones:] = stores.inflow_mw
    row_of = _rows(held, zones)
    cost = np.concatenate(
        [
            plants.cost_usd_per_mwh, lines.running_usd_per_mwh + lines.border_usd_per_mwh[0],
            lines.running_usd_per_mwh + lines.border_usd_per_mwh[1], system.lost_load_usd_per_mwh, stores.cost_usd_per_mwh,
            np.zeros(3 * len(stores.ids)),
        ]
    )  # fmt: skip
    least = np.zeros((hours, layout.width))
    least[:, layout.plants : layout.there] = plants.least_mw
    most = np.zeros((hours, layout.width))
    most[:, layout.plants : layout.there] = plants.most_mw
    most[:, layout.there : layout.back] = lines.capacity_mw
    most[:, layout.back : layout.lost] = lines.capacity_mw
    most[:, layout.lost : layout.give] = np.maximum(system.demand_mw, 0.0)
    most[:, layout.give : layout.take] = stores.give_mw
    most[:, layout.take : layout.spill] = stores.take_mw
    most[:, layout.spill : layout.level] = stores.inflow_mw
    most[:, layout.level : layout.width] = stores.energy_mwh
    total: FloatArray = np.bincount(row_of.ravel(), weights=right.ravel()).astype(np.float64)
    starts, rows, values = _matrix(system, layout, there, row_of)
    places = np.full(there.shape, -1, dtype=np.int32)
    places[there] = np.arange(there.sum(), dtype=np.int32)
    return LinearProgram(
        cost=np.broadcast_to(cost, there.shape)[there], least=least[there], most=most[there], row_least=total, row_most=total,
        starts=starts, rows=rows, values=values, layout=layout, places=places, balances=row_of[:, :zones],
    )  # fmt: skip


def _rows(held: BoolArray, zones: int) -> IntArray:
    """Number of the row that each row of an hour is part of, shape (hours, rows): that of the next hour in which its level is held."""
    hours, stores = held.shape
    ends = np.ones((hours, zones + stores), dtype=np.bool_)
    ends[:, zones:] = held
    number = (np.cumsum(ends.ravel()) - 1).reshape(ends.shape)
    hour = np.where(held, np.arange(hours)[:, None], hours)
    following = np.minimum.accumulate(hour[::-1], axis=0)[::-1]
    number[:, zones:] = np.take_along_axis(number[:, zones:], following, axis=0)
    return number


def _matrix(system: PowerSystem, layout: Layout, there: BoolArray, row_of: IntArray) -> tuple[Index32, Index32, FloatArray]:
    """The matrix by columns: where each begins, rows, values."""
    hours = system.hours
    every = pattern(system, layout)
    counts = np.array([len(rows) for rows, _ in every], dtype=np.int64)
    rows = np.concatenate([np.array(rows, dtype=np.int64) for rows, _ in every]) if every else np.empty(0, dtype=np.int64)
    values = np.concatenate([np.array(found) for _, found in every]) if every else np.empty(0)
    shifted = row_of.ravel()[(rows[None, :] + layout.rows * np.arange(hours)[:, None]) % max(1, layout.rows * hours)]
    entered = np.repeat(there, counts, axis=1)
    first = counts[: layout.level].sum()
    of_level = shifted[:, first:].reshape(hours, -1, 2)
    entered[:, first:] &= np.repeat(of_level[:, :, 0] != of_level[:, :, 1], 2, axis=1)  # held once: it follows itself
    sizes = np.tile(counts, (hours, 1))
    sizes[:, layout.level :] = 2 * entered[:, first::2]
    starts = np.concatenate(([0], np.cumsum(sizes[there])))
    return starts.astype(np.int32), shifted[entered].astype(np.int32), np.broadcast_to(values, entered.shape)[entered]


def pattern(system: PowerSystem, layout: Layout) -> list[tuple[list[int], list[float]]]:
    """Rows and values of each column of an hour; a row beyond the hour's own is that of the hour after it."""
    zones, lines, stores = len(system.zone_ids), system.lines, system.stores
    found: list[tuple[list[int], list[float]]] = [([int(zone)], [1.0]) for zone in system.plants.zone]
    for source, target in ((lines.source, lines.target), (lines.target, lines.source)):
        found += [
            ([int(here), int(other)], [-1.0, 1.0 - float(loss)]) for here, other, loss in zip(source, target, lines.loss_share, strict=True)
        ]
    found += [([zone], [1.0]) for zone in range(zones)]
    of_store = [zones + number for number in range(len(stores.ids))]
    found += [
        ([int(zone), row], [1.0, 1.0 / float(out)]) for zone, row, out in zip(stores.zone, of_store, stores.out_share, strict=True)
    ]  # fmt: skip
    found += [([int(zone), row], [-1.0, -float(into)]) for zone, row, into in zip(stores.zone, of_store, stores.into_share, strict=True)]
    found += [([row], [1.0]) for row in of_store]
    found += [([row, layout.rows + row], [1.0, -1.0]) for row in of_store]
    return found
