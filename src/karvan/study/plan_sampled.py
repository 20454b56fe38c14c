"""What open projects are worth in any year: straight between sample years, each set solved once in each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from karvan.appraisal import Worth
from karvan.appraisal.portfolio import straight
from karvan.appraisal.present import parts_of
from karvan.study.plan_market import YearMarket, YearWorth

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
        threads: Sets that are put beside one solved at once; the answer does not depend on it.
    """

    def __init__(
        self, samples: Mapping[int, YearMarket], years: Sequence[int], power: OtherWorth | None = None,
        stated_musd: FloatArray | None = None, threads: int = 1,
    ) -> None:  # fmt: skip
        self.samples, self.years, self.power = dict(sorted(samples.items())), list(years), power
        first = next(iter(self.samples.values()))
        self.stated = np.zeros(first.capacity.shape[0]) if stated_musd is None else stated_musd
        self.threads = threads
        self._acts = np.any([market.acts for market in self.samples.values()], axis=0)
        self._known: dict[tuple[int, bytes], Future[YearWorth]] = {}
        self._beside: dict[tuple[int, bytes], float] = {}
        self._guard = Lock()

    def __call__(self, is_open: BoolArray, number: int) -> Worth:
        """Worth of open projects, shape (projects,), in a year counted from 0."""
        return self.at(self.years[number], is_open)

    def at(self, year: int, is_open: BoolArray) -> Worth:
        """Worth in any year."""
        return straight([(worth, 1.0) for worth in self.parts(year, is_open).values()])

    def parts(self, year: int, is_open: BoolArray) -> dict[str, Worth]:
        """Worth in any year of the freight market at the delays without projects, of what delays change in it, of power, and of what
        projects state.
        """
        asked, nothing = is_open & self._acts, np.zeros(is_open.shape[0])
        solved = [(self._solved(known, asked), share) for known, share in parts_of(list(self.samples), year)]
        found = {
            "freight": straight([(Worth(one.welfare, one.slope, one.beside), share) for one, share in solved]),
            "delays": straight([(Worth(0.0, nothing, one.delays), share) for one, share in solved]),
        }
        if self.power is not None:
            found["power"] = self.power.at(year, is_open)
        found["stated"] = Worth(float(self.stated[is_open].sum()), self.stated)
        return found

    def lean(self, is_open: BoolArray, number: int, asked: BoolArray) -> FloatArray:
        """By how much each project changes what has no bounds, delays among it, about a set of open ones.

        Args:
            is_open: The set, shape (projects,).
            number: Year, counted from 0.
            asked: Projects asked for, shape (projects,).

        Returns:
            Zero for those not asked, shape (projects,).
        """
        year, acting = self.years[number], asked & self._acts
        about = is_open & self._acts
        found = np.sum([share * self._lean_in(known, about, acting) for known, share in parts_of(list(self.samples), year)], axis=0)
        return np.asarray(found if self.power is None else found + np.where(asked, self.power.lean(year), 0.0), dtype=np.float64)

    @property
    def solved(self) -> int:
        """Sets solved in a sample year."""
        return len(self._known) + len(self._beside)

    def charged(self, year: int, is_open: BoolArray) -> FloatArray:
        """What each operator charges in any year, million USD, shape (operators,)."""
        parts = [(self._solved(known, is_open & self._acts).charged, share) for known, share in parts_of(list(self.samples), year)]
        found: FloatArray = np.sum([share * charged for charged, share in parts], axis=0)
        return found

    def _lean_in(self, year: int, is_open: BoolArray, asked: BoolArray) -> FloatArray:
        found, places = np.zeros(is_open.shape[0]), np.flatnonzero(asked)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="lean") as pool:
            changed = list(pool.map(lambda place: self._unbounded(year, is_open ^ (np.arange(is_open.shape[0]) == place)), places))
        found[places] = np.array(changed) - self._unbounded(year, is_open)
        return np.where(is_open, -found, found)

    def _unbounded(self, year: int, is_open: BoolArray) -> float:
        """What has no bounds in a sample year, beyond that without projects."""
        key = (year, is_open.tobytes())
        if key in self._known:
            known = self._known[key].result()
            return known.beside + known.delays
        if key not in self._beside:
            self._beside[key] = sum(self.samples[year].unbounded(is_open))
        return self._beside[key]

    def _solved(self, year: int, is_open: BoolArray) -> YearWorth:
        """Worth in a sample year, of freight alone, beyond that without projects; charges are all that there are."""
        key = (year, is_open.tobytes())
        with self._guard:
            is_new = key not in self._known
            told = self._known.setdefault(key, Future())
        if is_new:  # whoever asks for it meanwhile waits
            try:
                worth = self.samples[year].worth(is_open)
            except BaseException as error:
                with self._guard:
                    del self._known[key]
                told.set_exception(error)
                raise
            told.set_result(worth)
        return told.result()
