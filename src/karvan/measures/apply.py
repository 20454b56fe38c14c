"""Scenario and year to Snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import overload

import numpy as np
import polars as pl

from karvan.corridor import TABLES, Corridor, Snapshot, columns_of, metadata_of
from karvan.errors import DataError, MeasureError, Problem
from karvan.measures.changes import Tables, Touched, changed, touched_problems, tried_change
from karvan.measures.scenario import DatedMeasure, Scenario

_DAYS_PER_YEAR = 365.25
_MONTHS = 12.0


@overload
def apply(scenario: Scenario, corridor: Corridor, *, year: int) -> Snapshot: ...


@overload
def apply(scenario: Scenario, corridor: Corridor, *, period: str) -> Snapshot: ...


def apply(scenario: Scenario, corridor: Corridor, *, year: int | None = None, period: str | None = None) -> Snapshot:
    """The corridor as a scenario leaves it in one calendar year, or in one month.

    Columns declared `prorate` take their day-weighted mean over the period; all else is as on its middle day, 1 July of a year. Demand
    grows from the base year by the corridor's growth rates. A month has a twelfth of the year's demand times the season of the goods,
    and a twelfth of the year's capacities without their peak factor, which stands for months of unlike size within a year; minimums and
    other loads are a twelfth too.

    Args:
        scenario: Dated measures.
        corridor: The corridor they change.
        year: Calendar year, the base year or later.
        period: In place of a year: a month, such as 2025-12.

    Raises:
        DataError: Not one of year and period, or a period that is no month.
        MeasureError: A change does not fit the corridor, or the year lies before the base year.
    """
    if (year is None) == (period is None):
        raise DataError(Problem("apply", None, "period", "give either a year or a period"))
    if year is not None:
        return apply_years(scenario, corridor, [year])[0]
    return _monthly(scenario, corridor, _month(str(period)))


def apply_day(scenario: Scenario, corridor: Corridor, day: date) -> Snapshot:
    """The corridor as a scenario leaves it on one day: all is as on that day, demand as of its year.

    Raises:
        MeasureError: A change does not fit the corridor, or the day lies before the base year.
    """
    return _between(scenario, corridor, _States(corridor), (day, day, day + timedelta(days=1)))


def apply_years(scenario: Scenario, corridor: Corridor, years: Sequence[int]) -> list[Snapshot]:
    """`apply` for several years, sharing what they have in common."""
    return apply_all([scenario], corridor, years)


def apply_all(scenarios: Sequence[Scenario], corridor: Corridor, years: Sequence[int]) -> list[Snapshot]:
    """`apply` for several scenarios of a corridor and years, scenario by scenario, sharing what they have in common."""
    states = _States(corridor)
    return [_snapshot(scenario, corridor, states, year) for scenario in scenarios for year in years]


def check_scenario(scenario: Scenario, corridor: Corridor) -> list[Problem]:
    """Apply every change in order, each to the corridor as those before it leave it, and tell all problems."""
    problems: list[Problem] = []
    touched: list[Touched] = []
    events = sorted({item.from_date for item in scenario.dated})
    seen: set[str] = set()
    known: dict[tuple[str, ...], Tables] = {(): dict(corridor.tables)}  # by the measures applied, as days share most of them
    for day in events:
        key: tuple[str, ...] = ()
        for item in scenario.dated:
            if not item.is_in_force(day):
                continue
            tables, key = known[key], (*key, item.measure.id)
            if key in known:
                continue
            for position, change in enumerate(item.measure.changes, start=1):
                if item.measure.id in seen:
                    tables = changed(tables, change, 1.0)
                else:
                    label = f"{item.measure.id}, change {position}"
                    tables, rows, found = tried_change(tables, change, label)
                    problems.extend(found)
                    touched.extend([] if rows is None else [rows])
            seen.add(item.measure.id)
            known[key] = tables
    return problems + touched_problems(touched)


def require_fitting(scenario: Scenario, corridor: Corridor) -> None:
    """Raise a MeasureError with all problems if a scenario does not fit its corridor."""
    problems = check_scenario(scenario, corridor)
    if problems:
        raise MeasureError(problems)


class _States:
    """Tables after the measures in force, remembered by prefix so that neighbouring dates share work."""

    def __init__(self, corridor: Corridor) -> None:
        self._known: dict[tuple[tuple[str, float], ...], Tables] = {(): dict(corridor.tables)}

    def on(self, scenario: Scenario, day: date) -> Tables:
        key: tuple[tuple[str, float], ...] = ()
        for item in scenario.dated:
            if not item.is_in_force(day):
                continue
            ramp = _ramp(item, day)
            following = (*key, (item.measure.id, ramp))
            if following not in self._known:
                tables = self._known[key]
                for change in item.measure.changes:
                    tables = changed(tables, change, ramp)
                self._known[following] = tables
            key = following
        return self._known[key]


def _ramp(item: DatedMeasure, day: date) -> float:
    """Share of a ramped change that is in force on a day, linear from 0 at its start to 1."""
    if item.measure.ramp_years == 0.0:
        return 1.0
    elapsed_days = (day - item.from_date).days + 0.5
    return min(1.0, elapsed_days / (item.measure.ramp_years * _DAYS_PER_YEAR))


def _segments(scenario: Scenario, start: date, end: date) -> list[tuple[date, int]]:
    """Periods of equal state within [start, end): their middle day and length in days."""
    cuts = {start, end}
    for item in scenario.dated:
        cuts.update(day for day in (item.from_date, item.until_date) if day is not None and start < day < end)
        if item.measure.ramp_years > 0.0:
            full = item.from_date + timedelta(days=round(item.measure.ramp_years * _DAYS_PER_YEAR))
            if start < full < end:
                cuts.add(full)
    ordered = sorted(cuts)
    return [(first + (last - first) / 2, (last - first).days) for first, last in pairwise(ordered)]


def _snapshot(scenario: Scenario, corridor: Corridor, states: _States, year: int) -> Snapshot:
    return _between(scenario, corridor, states, (date(year, 1, 1), date(year, 7, 1), date(year + 1, 1, 1)))


def _month(period: str) -> date:
    """First day of a month written as 2025-12."""
    try:
        return date.fromisoformat(f"{period}-01")
    except ValueError as error:
        raise DataError(Problem("apply", None, "period", f"is {period}, must be a month such as 2025-12")) from error


def _monthly(scenario: Scenario, corridor: Corridor, start: date) -> Snapshot:
    end = (start + timedelta(days=31)).replace(day=1)
    snapshot = _between(scenario, corridor, _States(corridor), (start, start + (end - start) / 2, end))
    tables = dict(snapshot.tables)
    season = dict(
        tables["seasons"].filter(pl.col("month_number") == start.month).select("commodity_group", "season_factor").iter_rows()
    )  # fmt: skip
    of_goods = pl.Series("season", [season.get(goods, 1.0) for goods in tables["demand"]["commodity_group"]], dtype=pl.Float64)
    tables["demand"] = tables["demand"].with_columns(flow_kt=tables["demand"]["flow_kt"] * of_goods / _MONTHS)
    facilities = tables["facilities"]
    peak = dict(facilities.select("facility_id", "peak_factor").iter_rows())
    amounts = [pl.col(name) / _MONTHS for name in ("nominal", "minimum", "other_load")]
    tables["facilities"] = facilities.with_columns(*amounts, peak_factor=pl.lit(1.0))
    # The flow at which the hours of the case hold is the same, and a smaller share of what a month can take.
    for kind in ("delay_curves", "road_curves"):
        curves = tables[kind]
        of_curve = pl.Series("peak", [peak[name] for name in curves["facility_id"]], dtype=pl.Float64)
        tables[kind] = curves.with_columns(reference_use_share=curves["reference_use_share"] / of_curve)
    return replace(snapshot, tables=MappingProxyType(tables))


def _between(scenario: Scenario, corridor: Corridor, states: _States, days: tuple[date, date, date]) -> Snapshot:
    """The corridor in a period of a year: its first day, the day whose state holds, and the first day after it."""
    start, middle, end = days
    year = start.year
    if year < corridor.manifest.base_year:
        message = f"year is {year}, must be the base year {corridor.manifest.base_year} or later"
        raise MeasureError(Problem("scenarios", None, None, message))
    tables = dict(states.on(scenario, middle))
    parts = [(states.on(scenario, day), days) for day, days in _segments(scenario, start, end)]
    for name, frame in list(tables.items()):
        if any(part[name] is not frame for part, _ in parts):
            tables[name] = _prorated(name, frame, [(part[name], days) for part, days in parts])
    tables["demand"] = _grown(
        tables["demand"], tables["growth"], base_year=corridor.manifest.base_year, year=year, growth_range=scenario.growth
    )
    return Snapshot(
        year=year,
        period_start=start,
        period_end=end,
        state_date=middle,
        tables=MappingProxyType(tables),
        links_open_at_end=frozenset(states.on(scenario, end - timedelta(days=1))["links"].filter(pl.col("is_open"))["link_id"]),
        corridor_hash=corridor.hash,
        scenario_id=scenario.scenario_id,
    )


def _prorated(name: str, frame: pl.DataFrame, parts: list[tuple[pl.DataFrame, int]]) -> pl.DataFrame:
    """Day-weighted mean of the prorated columns. A row that is absent part of the time takes the column's `absent` value then, or,
    where none is declared, its mean over the time it is there.
    """
    declared = columns_of(name)
    columns = [column for column in declared if metadata_of(name, column).get("prorate")]
    if not columns:
        return frame
    keys = TABLES[name].primary_key()
    wanted, found = frame.select(keys), dict[int, pl.DataFrame]()
    for part, _ in parts:
        if id(part) not in found:
            found[id(part)] = wanted.join(
                part.select([*keys, *columns]), on=keys, how="left", validate="1:1", maintain_order="left"
            )  # fmt: skip
    means = []
    for column in columns:
        absent = metadata_of(name, column).get("absent")
        total = np.zeros(frame.height)
        weight = np.zeros(frame.height)
        for part, days in parts:
            values = found[id(part)][column].to_numpy().astype(float)
            is_there = ~np.isnan(values)
            total[is_there] += days * values[is_there]
            weight[is_there] += days
            if absent is not None:
                total[~is_there] += days * absent
                weight[~is_there] += days
        mean = np.divide(total, weight, out=np.full(frame.height, np.nan), where=weight > 0)
        means.append(pl.Series(column, mean).fill_nan(None))
    return frame.with_columns(means)


def _grown(demand: pl.DataFrame, growth: pl.DataFrame, *, base_year: int, year: int, growth_range: str) -> pl.DataFrame:
    factors = growth_factors(growth, base_year=base_year, year=year, growth_range=growth_range)
    factor = demand["growth_id"].replace_strict(factors, return_dtype=pl.Float64) if demand.height else pl.Series([], dtype=pl.Float64)
    return demand.with_columns(flow_kt=demand["flow_kt"] * factor)


def growth_factors(growth: pl.DataFrame, *, base_year: int, year: int, growth_range: str) -> Mapping[str, float]:
    """Factor on the base-year flow of each growth group.

    Args:
        growth: Table `growth`; the row with the latest `from_year` not after a year gives that year's rate.
        base_year: Year of the flows.
        year: Year wanted, not before the base year.
        growth_range: mid, low or high.
    """
    column = {"mid": "rate_share_per_year", "low": "low_share_per_year", "high": "high_share_per_year"}[growth_range]
    steps: dict[str, list[tuple[int, float]]] = {}
    for group, first, rate in growth.select("growth_id", "from_year", column).sort("growth_id", "from_year").iter_rows():
        steps.setdefault(group, []).append((first, rate))
    factors: dict[str, float] = {}
    for group, rates in steps.items():
        factor = 1.0
        for later in range(base_year + 1, year + 1):
            factor *= 1.0 + next((rate for first, rate in reversed(rates) if first <= later), 0.0)
        factors[group] = factor
    return factors
