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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.errors import SolverError
from karvan.network import PowerSystem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
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
        starts = np.concatenate(([0], np.cumsum(counts))).tolist()
        return cls(*starts, rows=len(system.zone_ids) + len(system.stores.ids))


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


def linear_program(system: PowerSystem) -> LinearProgram:
    """The dispatch of a system as arrays.

    Args:
        system: Zones, plants, stores and lines over some hours.
    """
    layout, hours, zones = Layout.of(system), system.hours, len(system.zone_ids)
    plants, lines, stores = system.plants, system.lines, system.stores
    pattern = _pattern(system, layout)
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
        cost=np.tile(cost, hours), least=least.ravel(), most=most.ravel(), row_least=right.ravel(), row_most=right.ravel(),
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
    """A dispatch kept alive: sizes of lines and costs change, and the solver goes on from where it stood.

    Digits of what is solved again may differ from those of a fresh one within the solver's tolerance where several answers are best.
    """

    def __init__(self, system: PowerSystem) -> None:
        import highspy

        self.system = system
        self.program = linear_program(system)
        self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(_model(self.program))
        self._hours = np.arange(system.hours, dtype=np.int64) * self.program.layout.width

    def resize(self, line_id: str, capacity_mw: float) -> None:
        """Give a line another capacity, each way."""
        line, layout = self.system.lines.ids.index(line_id), self.program.layout
        for first in (layout.there, layout.back):
            columns = (self._hours + first + line).astype(np.int32)
            self._solver.changeColsBounds(len(columns), columns, np.zeros(len(columns)), np.full(len(columns), float(capacity_mw)))
        self.system = self.system.with_capacity(line_id, capacity_mw)

    def recost(self, plant_id: str, cost_usd_per_mwh: float) -> None:
        """Give plants another cost of running."""
        plant = self.system.plants.ids.index(plant_id)
        columns = (self._hours + self.program.layout.plants + plant).astype(np.int32)
        self._solver.changeColsCost(len(columns), columns, np.full(len(columns), float(cost_usd_per_mwh)))

    def solve(self) -> Solved:
        """Least cost of all hours.

        Raises:
            SolverError: There is none; names the zone, the hour and the limit. Or the solver did not finish.
        """
        import highspy

        status = self._solver.run()
        reached = self._solver.getModelStatus()
        if status == highspy.HighsStatus.kError or reached != highspy.HighsModelStatus.kOptimal:
            told = self._solver.modelStatusToString(reached)
            if reached in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
                raise SolverError(_too_much(self.system))
            raise SolverError(f"the power dispatch was not solved: the solver ended with '{told}'")
        return self._read()

    def _read(self) -> Solved:
        layout, hours, zones = self.program.layout, self.system.hours, len(self.system.zone_ids)
        solution, info = self._solver.getSolution(), self._solver.getInfo()
        x = np.array(solution.col_value).reshape(hours, layout.width)
        reduced = np.array(solution.col_dual).reshape(hours, layout.width)
        duals = np.array(solution.row_dual).reshape(hours, layout.rows)
        worth = np.maximum(-reduced, 0.0)
        return Solved(
            objective_usd=float(info.objective_function_value),
            plant_mw=x[:, layout.plants : layout.there],
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


def _model(program: LinearProgram) -> object:
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_least)
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.least, program.most
    model.row_lower_, model.row_upper_ = program.row_least, program.row_most
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = program.starts, program.rows, program.values
    return model


def _too_much(system: PowerSystem) -> str:
    """Why there is no dispatch: only plants that must run can ask for more than can be taken. Found by letting them be shed at a price."""
    from dataclasses import replace

    wide = system.plants
    zones = len(system.zone_ids)
    forced = np.zeros((system.hours, zones))
    for plant, zone in enumerate(wide.zone):
        forced[:, zone] += wide.least_mw[:, plant]
    # What must run becomes a plant of its own that may stay below; leaving it idle costs what lost load does.
    relaxed = replace(wide, least_mw=np.zeros_like(wide.least_mw), cost_usd_per_mwh=wide.cost_usd_per_mwh + 1.0)
    extra = replace(
        relaxed,
        ids=(*relaxed.ids, *(f"must_run_{zone}" for zone in system.zone_ids)),
        technologies=(*relaxed.technologies, *("must run",) * zones),
        zone=np.concatenate((relaxed.zone, np.arange(zones))),
        cost_usd_per_mwh=np.concatenate((relaxed.cost_usd_per_mwh, -system.lost_load_usd_per_mwh)),
        co2_t_per_mwh=np.concatenate((relaxed.co2_t_per_mwh, np.zeros(zones))),
        capacity_mw=np.concatenate((relaxed.capacity_mw, forced.max(axis=0))),
        most_mw=np.hstack((np.maximum(relaxed.most_mw - wide.least_mw, 0.0), forced)),
        least_mw=np.zeros((system.hours, len(wide.ids) + zones)),
        is_weather=np.concatenate((relaxed.is_weather, np.zeros(zones, dtype=np.bool_))),
    )
    solved = Dispatcher(replace(system, plants=extra)).solve()
    shed = forced - solved.plant_mw[:, len(wide.ids) :]
    over = np.argwhere(shed > 1e-6)
    if not len(over):
        return "the power dispatch has no answer, and no plant that must run is the cause"
    hour, zone = (int(part) for part in over[0])
    return (
        f"the power dispatch has no answer: in {system.zone_ids[zone]}, hour {hour}, plants that must run give {forced[hour, zone]:,.1f} MW, "
        f"{shed[hour, zone]:,.1f} MW more than its load, stores and lines can take; {len(over)} such hours in all"
    )
