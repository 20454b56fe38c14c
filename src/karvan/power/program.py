"""The dispatch of all hours as one linear program, kept alive between sizes, costs and years.

Columns and rows of an hour are the same in each hour, so the matrix is one small pattern repeated; the level of a store is the only thing
that ties an hour to the one before it. In hour t, for zones z, plants p, lines l with flows there and back, stores s:

    min  sum c_p g_pt + (running_l + border_l) f_lt + c_s give_st + lost_z u_zt
    balance z:  sum_p g + sum (1 - loss) f_in - sum f_out + sum give - sum take + u = demand
    level s:    level_t - level_(t-1) + give/out_share - into_share take + spill = inflow        (level_0 follows the last)
    least <= g <= most,  0 <= f <= capacity,  0 <= level <= energy,  0 <= spill <= inflow,  0 <= u <= demand

A line is two flows with a loss each, never one flow of either sign, which would create energy on its way back. The price of a zone is
the dual of its balance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.errors import SolverError
from karvan.network import Plants, PowerSystem
from karvan.power.solver import basis_of, model_of, run, set_basis, silent_solver

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Index32 = npt.NDArray[np.int32]

_STRETCH = 120
_NOTHING_MW = 1e-6


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
        layout: Where things stand.
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


@dataclass(frozen=True)
class Solved:
    """What a dispatch gives.

    Attributes:
        objective_usd: Least cost of all hours, border charges included.
        plant_mw: Shape (hours, plants).
        there_mw, back_mw: Flows as sent, shape (hours, lines).
        lost_mw: Load not served, shape (hours, zones).
        give_mw, take_mw, spill_mw, level_mwh: Shape (hours, stores).
        price_usd_per_mwh: Shape (hours, zones).
        there_value_usd_per_mwh, back_value_usd_per_mwh: What one more megawatt of the line would have saved, shape (hours, lines).
        iterations: Of the solver.
    """

    objective_usd: float
    plant_mw: FloatArray
    there_mw: FloatArray
    back_mw: FloatArray
    lost_mw: FloatArray
    give_mw: FloatArray
    take_mw: FloatArray
    spill_mw: FloatArray
    level_mwh: FloatArray
    price_usd_per_mwh: FloatArray
    there_value_usd_per_mwh: FloatArray
    back_value_usd_per_mwh: FloatArray
    iterations: int

    def line_value_usd_per_mw(self, line: int) -> float:
        """What one more megawatt of a line, both ways, saves over all hours: the slope of the cost at its size."""
        return float(self.there_value_usd_per_mwh[:, line].sum() + self.back_value_usd_per_mwh[:, line].sum())


def linear_program(system: PowerSystem, kept: BoolArray | None = None) -> LinearProgram:
    """The dispatch of a system as arrays.

    Args:
        system: Zones, plants, stores and lines over some hours.
        kept: Which columns of an hour to have, shape (layout.width,); all by default. The others stand for zero.
    """
    layout, hours, zones = Layout.of(system), system.hours, len(system.zone_ids)
    plants, lines, stores = system.plants, system.lines, system.stores
    columns = np.arange(layout.width) if kept is None else np.flatnonzero(kept)
    all_of_hour = _pattern(system, layout)
    pattern = [all_of_hour[column] for column in columns]
    counts = np.array([len(rows) for rows, _ in pattern], dtype=np.int64)
    rows = np.concatenate([np.array(rows, dtype=np.int64) for rows, _ in pattern]) if pattern else np.empty(0, dtype=np.int64)
    values = np.concatenate([np.array(found) for _, found in pattern]) if pattern else np.empty(0)
    shifted = (rows[None, :] + layout.rows * np.arange(hours)[:, None]) % max(1, layout.rows * hours)
    starts = np.concatenate(([0], np.cumsum(np.tile(counts, hours))))
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
    right = np.empty((hours, layout.rows))
    right[:, :zones] = system.demand_mw
    right[:, zones:] = stores.inflow_mw
    return LinearProgram(
        cost=np.tile(cost[columns], hours), least=least[:, columns].ravel(), most=most[:, columns].ravel(),
        row_least=right.ravel(), row_most=right.ravel(),
        starts=starts.astype(np.int32), rows=shifted.ravel().astype(np.int32), values=np.tile(values, hours), layout=layout,
    )  # fmt: skip


def _pattern(system: PowerSystem, layout: Layout) -> list[tuple[list[int], list[float]]]:
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
    found += [([row, layout.rows + row], [1.0, -1.0]) if system.hours > 1 else ([], []) for row in of_store]
    return found


class Dispatcher:
    """A dispatch kept alive: sizes, costs, loads and weather change, and the solver goes on from where it stood.

    The first solve starts from short stretches of hours solved one after the other, each from the one before it; what is left to do is to
    join them. Digits of what is solved again may differ from those of a fresh one within the solver's tolerance where several answers are
    equally good.
    """

    def __init__(self, system: PowerSystem) -> None:
        self.system = system
        self._merged, self._group = merged(system)
        self._layout = Layout.of(self._merged)
        self._solver = silent_solver()
        self._begin()

    def _begin(self) -> None:
        """Give the solver the model, without the columns that can be nothing but zero; it has a copy of its own, ours is let go."""
        self._kept = _can_be_used(self._merged, self._layout)
        self._solver.passModel(model_of(linear_program(self._merged, self._kept)))
        self._is_fresh = True

    def resize(self, line_id: str, capacity_mw: float) -> None:
        """Give a line another capacity, each way."""
        line, layout = self.system.lines.ids.index(line_id), self._layout
        place = np.cumsum(self._kept) - 1
        hours = np.arange(self.system.hours, dtype=np.int64) * int(self._kept.sum())
        for first in (layout.there, layout.back):
            columns = (hours + place[first + line]).astype(np.int32)
            self._solver.changeColsBounds(len(columns), columns, np.zeros(len(columns)), np.full(len(columns), float(capacity_mw)))
        self.system = self.system.with_capacity(line_id, capacity_mw)
        self._merged = self._merged.with_capacity(line_id, capacity_mw)

    def renew(self, system: PowerSystem) -> None:
        """Go over to another year or scenario of the same zones, plants, stores and lines.

        Raises:
            SolverError: What stands where is not the same, so that the dispatch must be built anew.
        """
        folded, group = merged(system)
        if not (np.array_equal(group, self._group) and _is_same_shape(folded, self._merged)):
            raise SolverError("another power system has other plants, stores or lines; it needs a dispatch of its own")
        self.system, self._merged = system, folded
        if (_can_be_used(folded, self._layout) & ~self._kept).any():
            self._begin()
        else:
            _set_bounds(self._solver, linear_program(folded, self._kept))

    def solve(self) -> Solved:
        """Least cost of all hours.

        Raises:
            SolverError: There is none; names the zone, the hour and the limit. Or the solver did not finish.
        """
        if self._is_fresh and self.system.hours >= 2 * _STRETCH:
            _start(self._solver, self._merged, self._kept)
        self._is_fresh = False
        told = run(self._solver)
        if told == "Infeasible":
            raise SolverError(too_much(self.system))
        if told != "Optimal":
            raise SolverError(f"the power dispatch was not solved: the solver ended with '{told}'")
        return self._read()

    def _read(self) -> Solved:
        layout, hours, zones = self._layout, self.system.hours, len(self.system.zone_ids)
        solution, info = self._solver.getSolution(), self._solver.getInfo()
        x, reduced = np.zeros((hours, layout.width)), np.zeros((hours, layout.width))
        x[:, self._kept] = np.array(solution.col_value).reshape(hours, -1)
        reduced[:, self._kept] = np.array(solution.col_dual).reshape(hours, -1)
        duals = np.array(solution.row_dual).reshape(hours, layout.rows)
        worth = np.maximum(-reduced, 0.0)
        return Solved(
            objective_usd=float(info.objective_function_value),
            plant_mw=_spread(x[:, layout.plants : layout.there], self._merged.plants.most_mw, self.system.plants.most_mw, self._group),
            there_mw=x[:, layout.there : layout.back],
            back_mw=x[:, layout.back : layout.lost],
            lost_mw=x[:, layout.lost : layout.give],
            give_mw=x[:, layout.give : layout.take],
            take_mw=x[:, layout.take : layout.spill],
            spill_mw=x[:, layout.spill : layout.level],
            level_mwh=x[:, layout.level : layout.width],
            price_usd_per_mwh=duals[:, :zones],
            there_value_usd_per_mwh=worth[:, layout.there : layout.back],
            back_value_usd_per_mwh=worth[:, layout.back : layout.lost],
            iterations=int(info.simplex_iteration_count),
        )


def _can_be_used(system: PowerSystem, layout: Layout) -> BoolArray:
    """Columns of an hour that can be more than zero in some hour, and those of all lines, which may be given another size."""
    stores = system.stores
    can = np.ones(layout.width, dtype=np.bool_)
    can[layout.plants : layout.there] = (system.plants.most_mw > 0.0).any(axis=0)
    can[layout.give : layout.take] = stores.give_mw > 0.0
    can[layout.take : layout.spill] = stores.take_mw > 0.0
    can[layout.spill : layout.level] = (stores.inflow_mw > 0.0).any(axis=0)
    return can


def _start(solver: Any, system: PowerSystem, kept: BoolArray) -> None:
    """Give the solver the bases of short stretches of hours to start from; leave it alone if one of them has no answer."""
    columns, rows = bytearray(), bytearray()
    small = silent_solver()
    for first in range(0, system.hours, _STRETCH):
        last = min(first + _STRETCH, system.hours)
        program = linear_program(system.between(first, last), kept)
        if first == 0 or last - first < _STRETCH:
            small.passModel(model_of(program))
        else:
            _set_bounds(small, program)
        if run(small) != "Optimal":
            return
        of_columns, of_rows = basis_of(small)
        columns += of_columns
        rows += of_rows
    set_basis(solver, columns, rows)


def _set_bounds(solver: Any, program: LinearProgram) -> None:
    columns, rows = np.arange(len(program.cost), dtype=np.int32), np.arange(len(program.row_least), dtype=np.int32)
    solver.changeColsBounds(len(columns), columns, program.least, program.most)
    solver.changeColsCost(len(columns), columns, program.cost)
    solver.changeRowsBounds(len(rows), rows, program.row_least, program.row_most)


def _is_same_shape(one: PowerSystem, other: PowerSystem) -> bool:
    """Whether two systems have the same matrix."""
    layout = Layout.of(one)
    return layout == Layout.of(other) and one.hours == other.hours and _pattern(one, layout) == _pattern(other, layout)


def merged(system: PowerSystem) -> tuple[PowerSystem, IntArray]:
    """The same system with plants of a zone that follow the weather at one cost as one plant, and where each plant has gone.

    Which of them gives what is of no account to the rest of the system.
    """
    plants = system.plants
    place: dict[tuple[int, float, float], int] = {}
    group = np.empty(len(plants.ids), dtype=np.int64)
    count = 0
    for number in range(len(plants.ids)):
        key = (int(plants.zone[number]), float(plants.cost_usd_per_mwh[number]), float(plants.co2_t_per_mwh[number]))
        is_free = bool(plants.is_weather[number]) and not plants.least_mw[:, number].any()
        if is_free and key in place:
            group[number] = place[key]
            continue
        if is_free:
            place[key] = count
        group[number] = count
        count += 1
    first = np.array([int(np.argmax(group == number)) for number in range(count)], dtype=np.int64)

    def added(values: FloatArray) -> FloatArray:
        found = np.zeros((len(values), count))
        for number, goes in enumerate(group):
            found[:, goes] += values[:, number]
        return found

    folded = Plants(
        ids=tuple(plants.ids[number] for number in first),
        technologies=tuple(plants.technologies[number] for number in first),
        zone=plants.zone[first],
        cost_usd_per_mwh=plants.cost_usd_per_mwh[first],
        co2_t_per_mwh=plants.co2_t_per_mwh[first],
        capacity_mw=added(plants.capacity_mw[None, :])[0],
        most_mw=added(plants.most_mw),
        least_mw=added(plants.least_mw),
        is_weather=plants.is_weather[first],
    )
    return replace(system, plants=folded), group


def _spread(given: FloatArray, most: FloatArray, each: FloatArray, group: IntArray) -> FloatArray:
    """What merged plants give, shared by what each could have given; a plant alone keeps its own digits."""
    alone = np.bincount(group)[group] == 1
    whole = most[:, group]
    share = np.divide(each, whole, out=np.zeros_like(each), where=whole > 0.0)
    return np.where(alone, given[:, group], given[:, group] * share)


def too_much(system: PowerSystem) -> str:
    """Why there is no dispatch: only plants that must run can ask for more than can be taken. Found by letting them be shed at a price."""
    plants, zones = system.plants, len(system.zone_ids)
    forced = np.zeros((system.hours, zones))
    for plant, zone in enumerate(plants.zone):
        forced[:, zone] += plants.least_mw[:, plant]
    eased = replace(
        plants,
        ids=(*plants.ids, *(f"must run in {zone}" for zone in system.zone_ids)),
        technologies=(*plants.technologies, *("must run",) * zones),
        zone=np.concatenate((plants.zone, np.arange(zones))),
        cost_usd_per_mwh=np.concatenate((plants.cost_usd_per_mwh, -system.lost_load_usd_per_mwh)),
        co2_t_per_mwh=np.concatenate((plants.co2_t_per_mwh, np.zeros(zones))),
        capacity_mw=np.concatenate((plants.capacity_mw, forced.max(axis=0))),
        most_mw=np.hstack((plants.most_mw - plants.least_mw, forced)),
        least_mw=np.zeros((system.hours, len(plants.ids) + zones)),
        is_weather=np.concatenate((plants.is_weather, np.zeros(zones, dtype=np.bool_))),
    )
    solver, program = silent_solver(), linear_program(replace(system, plants=eased))
    solver.passModel(model_of(program))
    if run(solver) != "Optimal":
        return "the power dispatch has no answer, and plants that must run are not the cause"
    layout = program.layout
    given = np.array(solver.getSolution().col_value).reshape(system.hours, layout.width)[:, layout.plants + len(plants.ids) : layout.there]
    over = np.argwhere(forced - given > _NOTHING_MW)
    if not len(over):
        return "the power dispatch has no answer, and plants that must run are not the cause"
    hour, zone = (int(part) for part in over[0])
    return (
        f"the power dispatch has no answer: in zone {system.zone_ids[zone]}, hour {hour}, plants that must run give "
        f"{forced[hour, zone]:,.1f} MW, {forced[hour, zone] - given[hour, zone]:,.1f} MW more than its load, stores and lines can take; "
        f"{len(over)} such hours in all. Lower least_share of its plants, or widen its lines"
    )
