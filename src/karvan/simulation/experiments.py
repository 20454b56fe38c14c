"""An experiment: a pilot that says how long to warm up and whether the system is stable, then replications until means are sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.simulation.outcome import Key, gathered, measured
from karvan.simulation.replicate import Period, Replication, replicate
from karvan.simulation.statistics import Interval, interval, replications_for, warm_up
from karvan.simulation.system import HOURS_A_YEAR, Built

FloatArray = npt.NDArray[np.float64]
_DAYS_A_YEAR = 365
_PILOT_YEARS = 4
_GROWN_SHARE = 0.01
_PART = 20
_CHECKED = "transit_h"
_MONTH_STARTS_H = (0.0, 744.0, 1416.0, 2160.0, 2880.0, 3624.0, 4344.0, 5088.0, 5832.0, 6552.0, 7296.0, 8016.0, 8760.0)
_BEFORE_H, _AFTER_H = 24.0 * 45.0, 24.0 * 10.0


@dataclass(frozen=True)
class ExperimentOptions:
    """How an experiment is made.

    Attributes:
        seed: Of all chance.
        half_width_share: Half the 95% interval of the mean transit time of every stable stream, as a share of it, at most.
        least, most: Replications, at least and at most.
        years: Years that each replication counts.
        workers: Threads; digits do not depend on it.
    """

    seed: int = 1
    half_width_share: float = 0.05
    least: int = 20
    most: int = 400
    years: int = 1
    workers: int = 1


@dataclass(frozen=True)
class Pilot:
    """What a pilot of several years says.

    Attributes:
        warm_d: Days to leave out.
        growth: Units a year by which each stream's backlog grows in the last two years of the pilot.
        unstable: Streams that come faster than they leave.
    """

    warm_d: int
    growth: Mapping[str, Interval]
    unstable: tuple[str, ...]


@dataclass(frozen=True)
class Experiment:
    """What replications gave.

    Attributes:
        built: The system.
        pilot: What was found first.
        period: How long each lasted.
        numbers: Every number of every replication, shape (replications,).
        is_sure: Means are as sure as was asked for.
        events: Events, all replications.
    """

    built: Built
    pilot: Pilot
    period: Period
    numbers: Mapping[Key, FloatArray]
    is_sure: bool
    events: int

    @property
    def replications(self) -> int:
        """How many there are."""
        return int(next(iter(self.numbers.values())).shape[0])

    def mean(self, key: Key, *, confidence: float = 0.95) -> Interval:
        """Interval of a number; replications that do not have it are left out."""
        values = self.numbers[key]
        return interval(values[np.isfinite(values)], confidence=confidence)


def pilot(built: Built, options: ExperimentOptions) -> Pilot:
    """Run some years and look when the start is forgotten and whether anything grows without end.

    The first year less the same days of later ones shows the start; the longest warm-up of all stable streams counts. A stream is unstable
    if what is inside grew from the third year to the fourth, surely (one side of a 95% interval) and by more than a hundredth of what came.
    """
    period = Period(0.0, _PILOT_YEARS * HOURS_A_YEAR)
    runs = replicate(
        built.system, period, seed=options.seed, replications=range(options.least // 2), workers=options.workers, has_records=False
    )
    warm, growth, unstable = 0, {}, []
    for place, stream in enumerate(built.streams):
        inside = np.array([run.series[place, : _PILOT_YEARS * _DAYS_A_YEAR].reshape(_PILOT_YEARS, _DAYS_A_YEAR) for run in runs])
        growth[stream.arrival_id] = interval(inside[:, 3].mean(axis=1) - inside[:, 2].mean(axis=1), confidence=0.9)
        grown = growth[stream.arrival_id]
        if np.isfinite(stream.demand) and grown.low > 0.0 and grown.mean > _GROWN_SHARE * stream.demand:
            unstable.append(stream.arrival_id)
        if stream.arrival_id not in unstable:
            warm = max(warm, warm_up(inside.mean(axis=0).ravel(), season=_DAYS_A_YEAR))
    return Pilot(warm, growth, tuple(unstable))


def experiment(
    built: Built,
    options: ExperimentOptions,
    *,
    first: Pilot | None = None,
    count: int | None = None,
    tell: Callable[[str], None] | None = None,
) -> Experiment:
    """Replications of a system.

    Args:
        built: The system.
        options: How.
        first: A pilot made before, as for a design that is compared with another.
        count: So many replications, whatever their spread.
        tell: Is told how far it is.
    """
    known = first or pilot(built, options)
    warm_d = max(known.warm_d, 30)
    period = Period(24.0 * warm_d, options.years * HOURS_A_YEAR)
    rows: list[dict[Key, float]] = []
    events, wanted, is_sure = 0, count or options.least, False
    streams = [stream.arrival_id for stream in built.streams if stream.arrival_id not in known.unstable]
    while True:
        while len(rows) < wanted:
            numbers = range(len(rows), min(wanted, len(rows) + _PART))
            runs = replicate(built.system, period, seed=options.seed, replications=numbers, workers=options.workers)
            rows += [measured(built, run, period) for run in runs]
            events += sum(run.events for run in runs)
            if tell is not None:
                tell(f"{len(rows)} replications")
        found = gathered(rows)
        pilots = [interval(found[key]) for key in (Key("stream", name, _CHECKED) for name in streams) if key in found]
        is_sure = all(item.half_width <= options.half_width_share * item.mean for item in pilots)
        if count is not None or is_sure or len(rows) >= options.most:
            return Experiment(built, known, period, found, is_sure, events)
        needed = max(replications_for(item, options.half_width_share) for item in pilots)
        wanted = min(max(needed, len(rows) + _PART // 2), options.most)


@dataclass(frozen=True)
class Traced:
    """Hours of one replication told one by one.

    Attributes:
        found: The replication, with its log.
        from_h, until_h: First hour that is told and the hour after the last, from the start of the run, which is a New Year.
        is_whole: The log held all of them.
    """

    found: Replication
    from_h: float
    until_h: float
    is_whole: bool


def trace(built: Built, options: ExperimentOptions, known: Pilot, *, month: int | None = None, rows: int = 400_000) -> Traced:
    """One replication with its log: the whole year that counts, or a month of it; its digits are those of any other without one.

    Args:
        built: The system.
        options: Seed; the replication is the first of the experiment.
        known: Its pilot, for the warm-up.
        month: 1 to 12; a month is logged with some weeks before and after it, so that what lasts over its ends is known.
        rows: Most rows of the log: 40 bytes each.
    """
    warm_h = 24.0 * max(known.warm_d, 30)
    first, last = warm_h, warm_h + HOURS_A_YEAR
    hours, end_h = None, last
    if month is not None:
        first = _MONTH_STARTS_H[month - 1]
        while first - _BEFORE_H < warm_h:
            first += HOURS_A_YEAR
        last = first + _MONTH_STARTS_H[month] - _MONTH_STARTS_H[month - 1]
        hours, end_h = (first - _BEFORE_H, last + _AFTER_H), last + _AFTER_H
    period = Period(warm_h, end_h - warm_h)
    found = replicate(
        built.system, period, seed=options.seed, replications=[0], has_records=False, log_rows=rows, log_hours=hours
    )[0]  # fmt: skip
    return Traced(found, first, last, found.log.shape[0] < rows)
