"""Delays and overlaps that follow from what is open: the market of a set of projects cleared with its own, on the routes of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from karvan.assignment import Assembly, Clearing, ClearOptions, LaidOut, delay_h, effective_capacity, read_curves, use_share, with_capacity
from karvan.corridor import Snapshot
from karvan.errors import ConvergenceError
from karvan.study.clear import Market
from karvan.study.delay_loop import DelayLoop, solved
from karvan.study.new_ways import NewWays, new_ways
from karvan.study.route_memory import RoutedSnapshot

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answering:
    """How delays and overlaps of a year answer to what is open.

    Attributes:
        snapshot: The corridor with some projects, shape (projects,), open: its facilities and their delay curves.
        routed: The routes of the search.
        assembly: Its program; route costs and capacities in it do not matter.
        start_h: Delays to start from, shape (facilities,).
        options: How well each clearing is solved.
    """

    snapshot: Callable[[BoolArray], Snapshot]
    routed: RoutedSnapshot
    assembly: Assembly
    start_h: FloatArray
    options: ClearOptions

    def path_size(self, is_shut: BoolArray) -> FloatArray:
        """Path sizes where only routes that are not shut share legs, shape (routes,).

        Args:
            is_shut: Routes of the program that are shut, shape (routes,).
        """
        found = replace(self.routed.sets, overlaps=~self._of_sets(is_shut)).path_size
        of = self.assembly.route_of
        return np.where(of >= 0, found[of], self.assembly.problem.route_path_size)

    def new_ways(self, is_shut: BoolArray, is_new: BoolArray) -> NewWays:
        """Ways that are new in the program, see `new_ways`.

        Args:
            is_shut: Routes of the program that are shut, shape (routes,).
            is_new: Those that would be shut without some projects and are not, shape (routes,).
        """
        return new_ways(self.assembly, self.routed.sets, ~self._of_sets(is_shut), self._of_sets(is_new))

    def _of_sets(self, chosen: BoolArray) -> BoolArray:
        """Routes of the sets that are chosen among those of the program, shape (routes of the sets,)."""
        of = self.assembly.route_of
        found = np.zeros(self.routed.sets.route_count, dtype=np.bool_)
        found[of[chosen & (of >= 0)]] = True
        return found

    def curves(self, is_open: BoolArray) -> bytes:
        """Delay curves with some projects open, in a form that can be compared."""
        curves = read_curves(self.snapshot(is_open).tables)
        return b"".join(getattr(curves, item.name).tobytes() for item in fields(curves))

    def changes_h(self, row_flow: FloatArray, limits: FloatArray, more: FloatArray) -> FloatArray:
        """Largest change of a delay by what projects add to capacities where flows stay, hours, shape (projects,).

        Args:
            row_flow: Flow of each row, shape (rows,).
            limits: Capacities of rows, shape (rows,).
            more: What each project adds to them, shape (projects, rows).
        """
        count = self.assembly.facility_count
        curves, other = read_curves(self.routed.snapshot.tables), self.routed.snapshot.tables["facilities"]["other_load"].to_numpy()
        flow = row_flow[:count]
        now = delay_h(curves, use_share(flow, other, limits[:count] + other))
        then = (delay_h(curves, use_share(flow, other, np.maximum(limits[:count] + added[:count], 0.0) + other)) for added in more)
        return np.array([np.abs(after - now).max(initial=0.0) for after in then])

    def cleared(self, is_open: BoolArray, undelayed_usd_per_t: FloatArray, path_size: FloatArray, prices: FloatArray) -> Clearing:
        """The market with delays and flows that fit each other.

        Args:
            is_open: Which projects are open, shape (projects,).
            undelayed_usd_per_t: Cost of each route with them, without delays, shape (routes,).
            path_size: Of each route, shape (routes,).
            prices: Prices to start from, shape (rows,).

        Raises:
            ConvergenceError: Delays and flows do not come to fit.
        """
        snapshot, how = self.snapshot(is_open), Market().delays
        curves, routed = read_curves(snapshot.tables), replace(self.routed, snapshot=snapshot)
        program = with_capacity(self.assembly.problem, row_capacity(snapshot, self.assembly))
        program = replace(program, route_cost_usd_per_t=undelayed_usd_per_t, route_path_size=path_size)
        if not curves.has_any:
            return solved(routed, LaidOut(program, self.options), undelayed_usd_per_t, prices)
        loop = DelayLoop(routed, replace(self.assembly, problem=program), self.options, curves, prices)
        found = loop.found(self.start_h, how)
        if not found.is_converged:
            raise ConvergenceError(f"delays of a set of projects did not come to fit flows: {found.residual:.1e} left")
        return loop.clearing_at(found.value)


def row_capacity(snapshot: Snapshot, assembly: Assembly) -> FloatArray:
    """Capacity of every row of a program as a snapshot has it, shape (rows,)."""
    facilities = snapshot.tables["facilities"]
    limits = assembly.problem.row_capacity.copy()
    limits[: assembly.facility_count] = np.maximum(effective_capacity(facilities) - facilities["other_load"].to_numpy(), 0.0)
    return limits
