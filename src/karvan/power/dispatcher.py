"""A dispatch kept alive between sizes, costs and years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from karvan.errors import SolverError
from karvan.network import PowerSystem
from karvan.power.levels import STEP_H, Limit, beyond, held_hours, levels_mwh, limit
from karvan.power.merging import merged, spread
from karvan.power.program import BoolArray, FloatArray, Layout, LinearProgram, linear_program, pattern
from karvan.power.solver import add_rows, basis_of, keep_rows, model_of, run, set_basis, silent_solver

_STRETCH = 5 * STEP_H
_NOTHING_MW = 1e-6


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


@dataclass(frozen=True)
class Stand:
    """Where a dispatcher stands.

    Attributes:
        columns, rows: A byte for each column and row, see `basis_of`.
        limited: Hours and stores whose levels have rows of their own.
    """

    columns: bytes
    rows: bytes
    limited: tuple[tuple[int, int], ...]


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

    @property
    def limited(self) -> tuple[tuple[int, int], ...]:
        """Hours and stores whose levels are held by rows of their own."""
        return tuple(self._limited)

    def _begin(self) -> None:
        """Give the solver the model, without the columns that can be nothing but zero; it has a copy of its own, ours is let go."""
        self._kept, self._held = _can_be_used(self._merged, self._layout), held_hours(self._merged)
        program = linear_program(self._merged, self._kept, self._held)
        self._places, self._balances, self._row_count = program.places, program.balances, len(program.row_least)
        self._limited: list[tuple[int, int]] = []
        self._solver.passModel(model_of(program))
        self._is_fresh = True

    def resize(self, line_id: str, capacity_mw: float) -> None:
        """Give a line another capacity, each way."""
        line, layout = self.system.lines.ids.index(line_id), self._layout
        for first in (layout.there, layout.back):
            columns = self._places[:, first + line]
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
            return
        _set_bounds(self._solver, linear_program(folded, self._kept, self._held))
        for number, place in enumerate(self._limited, start=self._row_count):
            row = self._limit(*place)
            self._solver.changeRowBounds(number, row.least, row.most)

    def solve(self) -> Solved:
        """Least cost of all hours.

        Raises:
            SolverError: There is none; names the zone, the hour and the limit. Or the solver did not finish.
        """
        if self._is_fresh and self.system.hours >= 2 * _STRETCH:
            _start(self._solver, self._merged, self._kept, self._held)
        self._is_fresh = False
        iterations = 0
        while True:
            told = run(self._solver)
            if told == "Infeasible":
                raise SolverError(too_much(self.system))
            if told != "Optimal":
                raise SolverError(f"the power dispatch was not solved: the solver ended with '{told}'")
            iterations += int(self._solver.getInfo().simplex_iteration_count)
            flows, levels = self._flows()
            known = set(self._limited)
            more = [place for place in beyond(self._merged.stores, self._held, levels) if place not in known]
            if not more:
                return self._read(flows, levels, iterations)
            self._hold(more)

    def _hold(self, places: Sequence[tuple[int, int]]) -> None:
        """Hold levels that are no columns, each by its hour and store."""
        if not places:
            return
        rows = [self._limit(*place) for place in places]
        starts = np.cumsum([0, *(len(row.columns) for row in rows[:-1])]).astype(np.int32)
        least, most = np.array([row.least for row in rows]), np.array([row.most for row in rows])
        columns, values = np.concatenate([row.columns for row in rows]), np.concatenate([row.values for row in rows])
        add_rows(self._solver, least, most, starts, columns, values)
        self._limited += places

    def _limit(self, hour: int, store: int) -> Limit:
        return limit(self._merged.stores, self._layout, self._places, self._held, hour, store)

    def stand_now(self) -> Stand:
        """Where it stands: where the last dispatch ended."""
        return Stand(*basis_of(self._solver), self.limited)

    def _return_to(self, stand: Stand) -> None:
        if self.limited != stand.limited:
            keep_rows(self._solver, self._row_count)
            self._limited = []
            self._hold(stand.limited)
        set_basis(self._solver, stand.columns, stand.rows)

    def _flows(self) -> tuple[FloatArray, FloatArray]:
        """Columns as the solver has them, shape (hours, layout.width), and the levels of all hours."""
        layout = self._layout
        x = np.zeros(self._places.shape)
        x[self._places >= 0] = np.array(self._solver.getSolution().col_value)
        give, take, spill, level = (
            x[:, first:last]
            for first, last in ((layout.give, layout.take), (layout.take, layout.spill), (layout.spill, layout.level), (layout.level, None))
        )
        return x, levels_mwh(self._merged.stores, self._held, level, give, take, spill)

    def _read(self, x: FloatArray, levels: FloatArray, iterations: int) -> Solved:
        layout, solution = self._layout, self._solver.getSolution()
        reduced = np.zeros(x.shape)
        reduced[self._places >= 0] = np.array(solution.col_dual)
        worth = np.maximum(-reduced, 0.0)
        return Solved(
            objective_usd=float(self._solver.getInfo().objective_function_value),
            plant_mw=spread(x[:, layout.plants : layout.there], self._merged.plants.most_mw, self.system.plants.most_mw, self._group),
            there_mw=x[:, layout.there : layout.back],
            back_mw=x[:, layout.back : layout.lost],
            lost_mw=x[:, layout.lost : layout.give],
            give_mw=x[:, layout.give : layout.take],
            take_mw=x[:, layout.take : layout.spill],
            spill_mw=x[:, layout.spill : layout.level],
            level_mwh=np.clip(levels, 0.0, self._merged.stores.energy_mwh),
            price_usd_per_mwh=np.array(solution.row_dual)[self._balances],
            there_value_usd_per_mwh=worth[:, layout.there : layout.back],
            back_value_usd_per_mwh=worth[:, layout.back : layout.lost],
            iterations=iterations,
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


def _start(solver: Any, system: PowerSystem, kept: BoolArray, held: BoolArray) -> None:
    """Give the solver the bases of short stretches of hours to start from; leave it alone if one of them has no answer."""
    columns, rows = bytearray(), bytearray()
    small = silent_solver()
    for first in range(0, system.hours, _STRETCH):
        last = min(first + _STRETCH, system.hours)
        program = linear_program(system.between(first, last), kept, held[first:last])
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
    return layout == Layout.of(other) and one.hours == other.hours and pattern(one, layout) == pattern(other, layout)


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
    given = np.array(solver.getSolution().col_value)[program.places[:, len(plants.ids) : program.layout.there]]
    over = np.argwhere(forced - given > _NOTHING_MW)
    if not len(over):
        return "the power dispatch has no answer, and plants that must run are not the cause"
    hour, zone = (int(part) for part in over[0])
    return (
        f"the power dispatch has no answer: in zone {system.zone_ids[zone]}, hour {hour}, plants that must run give "
        f"{forced[hour, zone]:,.1f} MW, {forced[hour, zone] - given[hour, zone]:,.1f} MW more than its load, stores and lines can take; "
        f"{len(over)} such hours in all. Lower least_share of its plants, or widen its lines"
    )
