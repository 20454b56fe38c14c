"""What open projects are worth in any year: straight between sample years, each set solved once in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from karvan.appraisal import Worth
from karvan.appraisal.portfolio import straight
from karvan.appraisal.present import parts_of
from karvan.study.plan_market import YearMarket

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class OtherWorth(Protocol):
    """What projects are worth outside the freight market."""

    def at(self, year: int, is_open: BoolArray) -> Worth:
        """Worth in a year of a set of open projects, shape (projects,)."""

    def lean(self, year: int) -> FloatArray:
        """By how much each project changes what has no bounds, shape (projects,)."""


class SampledMarket:
    """Worth of open projects by year, as accounts have it: the freight market, power, and what ventures state.

    Args:
        samples: The sample years.
        years: Years of the search.
        power: What projects are worth in power.
        stated_musd: What each project states that it adds in a year, wherever it is open, million USD, shape (projects,).

    Attributes:
        solved: Programs solved.
    """

    def __init__(
        self, samples: Mapping[int, YearMarket], years: Sequence[int], power: OtherWorth | None = None,
        stated_musd: FloatArray | None = None,
    ) -> None:  # fmt: skip
        self.samples, self.years, self.power = dict(sorted(samples.items())), list(years), power
        first = next(iter(self.samples.values()))
        self.stated = np.zeros(first.capacity.shape[0]) if stated_musd is None else stated_musd
        self.solved = 0
        self._acts = np.any([market.acts for market in self.samples.values()], axis=0)
        self._known: dict[tuple[int, bytes], Future[tuple[Worth, FloatArray]]] = {}
        self._beside: dict[tuple[int, bytes], float] = {}
        self._leaning: dict[tuple[int, bytes], FloatArray] = {}
        self._guard = Lock()
        none = np.zeros(self.stated.shape[0], dtype=np.bool_)
        self._base = {year: market.worth(none)[0] for year, market in self.samples.items()}

    def __call__(self, is_open: BoolArray, number: int) -> Worth:
        """Worth of open projects, shape (projects,), in a year counted from 0."""
        return self.at(self.years[number], is_open)

    def at(self, year: int, is_open: BoolArray) -> Worth:
        """Worth in any year."""
        return straight([(worth, 1.0) for worth in self.parts(year, is_open).values()])

    def parts(self, year: int, is_open: BoolArray) -> dict[str, Worth]:
        """Worth in any year of the freight market, of power, and of what projects state."""
        asked = is_open & self._acts
        found = {"freight": straight([(self._solved(known, asked)[0], share) for known, share in parts_of(list(self.samples), year)])}
        if self.power is not None:
            found["power"] = self.power.at(year, is_open)
        found["stated"] = Worth(float(self.stated[is_open].sum()), self.stated)
        return found

    def lean(self, is_open: BoolArray, number: int) -> FloatArray:
        """By how much each project changes what accounts count beside bounded welfare, about a set of open ones, shape (projects,)."""
        year = self.years[number]
        found = sum((share * self._lean_in(known, is_open & self._acts) for known, share in parts_of(list(self.samples), year)), 0.0)
        return np.asarray(found if self.power is None else found + self.power.lean(year), dtype=np.float64)

    def charged(self, year: int, is_open: BoolArray) -> FloatArray:
        """What each operator charges in any year, million USD, shape (operators,)."""
        parts = [(self._solved(known, is_open & self._acts)[1], share) for known, share in parts_of(list(self.samples), year)]
        found: FloatArray = np.sum([share * charged for charged, share in parts], axis=0)
        return found

    def _lean_in(self, year: int, is_open: BoolArray) -> FloatArray:
        key = (year, is_open.tobytes())
        if key not in self._leaning:
            own = self._beside_in(year, is_open)
            found = np.zeros(is_open.shape[0])
            for place in np.flatnonzero(self._acts).tolist():
                other = is_open.copy()
                other[place] = not is_open[place]
                change = self._beside_in(year, other) - own
                found[place] = -change if is_open[place] else change
            self._leaning[key] = found
        return self._leaning[key]

    def _beside_in(self, year: int, is_open: BoolArray) -> float:
        key = (year, is_open.tobytes())
        if key in self._known:
            return self._known[key].result()[0].beside
        if key not in self._beside:
            market = self.samples[year]
            self.solved += 1
            self._beside[key] = market.beside(is_open, market.cleared(is_open).route_flow_kt) - self._base[year].beside
        return self._beside[key]

    def _solved(self, year: int, is_open: BoolArray) -> tuple[Worth, FloatArray]:
        """Worth in a sample year, of freight alone, beyond that without projects, and what operators charge."""
        key = (year, is_open.tobytes())
        with self._guard:
            is_new = key not in self._known
            told = self._known.setdefault(key, Future())
        if is_new:  # whoever asks for it meanwhile waits
            try:
                worth, charged = self.samples[year].worth(is_open)
            except BaseException as error:
                with self._guard:
                    del self._known[key]
                told.set_exception(error)
                raise
            base = self._base[year]
            told.set_result((Worth(worth.welfare - base.welfare, worth.slope, worth.beside - base.beside), charged))
            with self._guard:
                self.solved += 1
        return told.result()
