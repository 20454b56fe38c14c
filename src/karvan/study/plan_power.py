"""Power as a function of which projects are open: a year's dispatch in which each project makes lines or plants larger.

The cost of a dispatch is convex in sizes, so that the prices of one set of open projects bound what every other is worth from above, as in
the market for freight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.appraisal import Worth
from karvan.appraisal.portfolio import straight
from karvan.appraisal.present import parts_of
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Measure, Scenario
from karvan.measures.apply import apply
from karvan.network import PowerSystem
from karvan.power import HOURS, Solved, earnings, power_system
from karvan.power.dispatcher import Stand
from karvan.power.returning import ReturningDispatcher
from karvan.study.asked_line import with_all_lines
from karvan.study.plan_market import with_some
from karvan.study.power_accounts import changes_power, power_tables, tables_key
from karvan.study.progress import Progress, line
from karvan.study.route_memory import RouteMemory

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class PowerYear:
    """A year's dispatch and what each project adds to it; every set of projects is solved once, from where the set of all ended, or of none
    if it is nearer.

    Args:
        corridor: The corridor.
        base: The scenario without the projects.
        projects: The projects, of power or not.
        year: Calendar year.
        hours: First hours of the year that are solved; they stand for all of it.
        memory: Where what was found is kept between runs.
        tell: Called with a line of text as the work goes on.
        co2_usd_per_t: Price of a tonne of CO2 in the year.
    """

    def __init__(
        self, corridor: Corridor, base: Scenario, projects: Sequence[Measure], year: int, *, hours: int, memory: RouteMemory,
        tell: Progress, co2_usd_per_t: float,
    ) -> None:  # fmt: skip
        self.projects, self.year, self.hours, self.memory, self.tell = projects, year, hours, memory, tell
        self.co2_usd_per_t = co2_usd_per_t
        self.is_power = np.array([changes_power(item) for item in projects], dtype=np.bool_)
        own = [item for item, is_power in zip(projects, self.is_power, strict=True) if is_power]
        asked = {"": apply(base, corridor, year=year).tables}
        asked |= {item.id: apply(with_some(base, [item]), corridor, year=year).tables for item in own}
        self._tables = {name: power_tables(found) for name, found in with_all_lines(asked).items()}
        self._guard = Lock()
        self._known: dict[str, dict[str, FloatArray]] = {}
        self._dispatcher: ReturningDispatcher | None = None
        self._larger: list[tuple[FloatArray, FloatArray, FloatArray]] | None = None
        self._none: Stand | None = None
        self._key = ("power plan", year, hours, tuple(tables_key(found) for found in self._tables.values()))

    def first_sets(self) -> list[BoolArray]:
        """Sets that every search asks for: none, each alone with what it requires, and all."""
        alone = [self._alone(number) for number in np.flatnonzero(self.is_power).tolist()]
        return [np.zeros_like(self.is_power), *alone, np.ones_like(self.is_power)]

    def lean(self) -> FloatArray:
        """By how much each project alone changes border charges and carbon dioxide, million USD, shape (projects,)."""
        found = np.zeros(self.is_power.shape[0])
        for number in np.flatnonzero(self.is_power).tolist():
            within = self._alone(number)
            without = within.copy()
            without[number] = False
            found[number] = self.worth(within).beside - self.worth(without).beside
        return found

    def _alone(self, number: int) -> BoolArray:
        """A project with those that it requires."""
        place = {item.id: number for number, item in enumerate(self.projects)}
        found = np.zeros_like(self.is_power)
        found[[number, *(place[name] for name in self.projects[number].requires if name in place)]] = True
        return found

    def worth(self, is_open: BoolArray) -> Worth:
        """What the cost of power in a year falls by, million USD, border charges counted as a cost, and its bounds.

        Beside it: what border charges grow by, which states earn, less what more carbon dioxide costs.

        Args:
            is_open: Which projects are open, shape (projects,).
        """
        asked = is_open & self.is_power
        with self._guard:
            none, found = self._found(np.zeros_like(asked)), self._found(asked)
        slope = np.zeros(asked.shape[0])
        slope[self.is_power] = found["slope"]
        more = {name: (float(found[name]) - float(none[name])) / 1e6 for name in ("cost", "border", "co2")}
        return Worth(-more["cost"], slope / 1e6, more["border"] - self.co2_usd_per_t * more["co2"])

    def parts(self, is_open: BoolArray) -> dict[str, float]:
        """What stands behind `worth`, million USD a year.

        Returns:
            gain_musd, by how much the cost of power falls; unserved_musd, what of it is load that is served now, at what a megawatt-hour
            is worth to its users; border_musd, by how much charges at borders grow: a cost in gain_musd, and income of states;
            co2_musd, what less carbon dioxide is worth. gain_musd, border_musd and co2_musd add up to what an appraisal counts.
        """
        asked = is_open & self.is_power
        with self._guard:
            none, found = self._found(np.zeros_like(asked)), self._found(asked)
        less = {name: (float(none[name]) - float(found[name])) / 1e6 for name in ("cost", "lost", "border", "co2")}
        return {
            "gain_musd": less["cost"], "unserved_musd": less["lost"], "border_musd": -less["border"],
            "co2_musd": self.co2_usd_per_t * less["co2"],
        }  # fmt: skip

    def _found(self, is_open: BoolArray) -> dict[str, FloatArray]:
        """Cost of a year, border charges and load not served in it, and what each project of power saves at its prices, USD."""
        name = ";".join(item.id for item, is_in in zip(self.projects, is_open, strict=True) if is_in)
        if name not in self._known:
            kept = self.memory.recall_arrays((*self._key, name))
            if kept is None:
                kept = self._solved(is_open)
                self.memory.keep_arrays((*self._key, name), **kept)
            self._known[name] = kept
        return self._known[name]

    def _solved(self, is_open: BoolArray) -> dict[str, FloatArray]:
        self.tell(line("power_year", year=self.year))
        if self._larger is None:
            self._base = self._system("")
            names = [item.id for item, is_power in zip(self.projects, self.is_power, strict=True) if is_power]
            self._larger = [_larger(self._base, self._system(name), name) for name in names]
        if self._dispatcher is None:
            self._dispatcher = ReturningDispatcher(self._with(self._larger, np.ones(len(self._larger), dtype=np.bool_)))
            self._dispatcher.solve()
        dispatcher, own = self._dispatcher, is_open[self.is_power]
        system = self._with(self._larger, own)
        near = self._of_none(dispatcher) if 0 < 2 * int(own.sum()) <= own.shape[0] else None
        dispatcher.renew(system)
        solved = dispatcher.solve(near)
        if not own.any():
            self._none = dispatcher.stand_now()
        of_year = HOURS / system.hours
        slope = of_year * np.array([_saved_usd(system, solved, *larger) for larger in self._larger])
        border = of_year * earnings(system, solved).border.sum()
        lost = of_year * (solved.lost_mw * system.lost_load_usd_per_mwh).sum()
        emitted = of_year * (solved.plant_mw.sum(axis=0) * system.plants.co2_t_per_mwh).sum()
        told = {"cost": of_year * solved.objective_usd, "border": border, "lost": lost, "co2": emitted}
        return {"slope": slope, **{name: np.asarray(value) for name, value in told.items()}}

    def _of_none(self, dispatcher: ReturningDispatcher) -> Stand:
        """Where the dispatch of none ended, which sets of few start from."""
        if self._none is None:
            dispatcher.renew(self._base)
            dispatcher.solve()
            self._none = dispatcher.stand_now()
        return self._none

    def _system(self, name: str) -> PowerSystem:
        return power_system(self._tables[name], year=self.year).system.between(0, self.hours)

    def _with(self, larger: Sequence[tuple[FloatArray, FloatArray, FloatArray]], is_open: BoolArray) -> PowerSystem:
        """The system with some projects of power."""
        system = self._base
        for number in np.flatnonzero(is_open).tolist():
            lines, most, least = larger[number]
            plants = replace(
                system.plants,
                most_mw=np.maximum(system.plants.most_mw + most, 0.0),
                least_mw=np.maximum(system.plants.least_mw + least, 0.0),
            )
            system = replace(
                system, plants=plants, lines=replace(system.lines, capacity_mw=system.lines.capacity_mw + lines)
            )  # fmt: skip
        return system


def _larger(base: PowerSystem, other: PowerSystem, name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What a project adds to lines, and to what plants can and must give in each hour.

    Raises:
        DataError: It changes something else of the power system, so that prices of one set would not bound another.
    """
    plants = replace(other.plants, **{key: getattr(base.plants, key) for key in ("capacity_mw", "most_mw", "least_mw")})
    alike = replace(other, plants=plants, lines=replace(other.lines, capacity_mw=base.lines.capacity_mw))
    if not _is_same(base, alike):
        message = f"{name} changes more of the power system than the size of lines and plants; a plan cannot choose it: karvan appraise can"
        raise DataError(Problem("project_costs", None, "measure_id", message))
    return (
        other.lines.capacity_mw - base.lines.capacity_mw, other.plants.most_mw - base.plants.most_mw,
        other.plants.least_mw - base.plants.least_mw,
    )  # fmt: skip


def _is_same(one: Any, other: Any) -> bool:
    """Whether two systems, or parts of them, hold the same in all that they hold."""
    pairs = [(getattr(one, item.name), getattr(other, item.name)) for item in fields(one)]
    return all(_is_same(*pair) if is_dataclass(pair[0]) else np.array_equal(*pair) for pair in pairs)


def _saved_usd(system: PowerSystem, solved: Solved, lines: FloatArray, most: FloatArray, least: FloatArray) -> float:
    """What larger lines and plants are worth at the prices of a dispatch, over its hours."""
    plants = system.plants
    margin = solved.price_usd_per_mwh[:, plants.zone] - plants.cost_usd_per_mwh
    grown = float((np.maximum(margin, 0.0) * most + np.minimum(margin, 0.0) * least).sum())
    return grown + sum(solved.line_value_usd_per_mw(number) * float(lines[number]) for number in np.flatnonzero(lines).tolist())


class SampledPower:
    """Worth of projects of power in years, straight between those that are dispatched.

    Args:
        samples: The years dispatched.
    """

    def __init__(self, samples: dict[int, PowerYear]) -> None:
        self.samples = dict(sorted(samples.items()))

    @contextmanager
    def prepared(self, threads: int) -> Iterator[None]:
        """Dispatch what every search asks for while other work is done; it is there when that ends.

        Years are dispatched beside each other, which changes no digit. An interrupt waits for those at hand.
        """
        pool = ThreadPoolExecutor(threads, thread_name_prefix="power")
        sets = zip(*([(year, is_open) for is_open in year.first_sets()] for year in self.samples.values()), strict=True)
        asked = [pool.submit(year.worth, is_open) for alike in sets for year, is_open in alike]
        try:
            yield
            for one in asked:
                one.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def at(self, year: int, is_open: BoolArray) -> Worth:
        """Worth in any year."""
        return straight([(self.samples[known].worth(is_open), share) for known, share in parts_of(list(self.samples), year)])

    def lean(self, year: int) -> FloatArray:
        """By how much each project changes what has no bounds; see `PowerYear.lean`."""
        parts = [share * self.samples[known].lean() for known, share in parts_of(list(self.samples), year)]
        return np.asarray(np.sum(parts, axis=0), dtype=np.float64)
