"""Hourly shares of wind, sun and water, and hourly loads, made from a few numbers of the case or given by the user."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import betaincinv, ndtr

from karvan.errors import DataError, Problem
from karvan.power.calendar import DAYS, HOURS, calendar
from karvan.power.storms import Storms, wind_of_storms
from karvan.power.sun import panel_share
from karvan.power.weather import LOAD, SUN, WIND, lasting, likeness
from karvan.power.wind import scale_for, turbine_share, weibull_speed

FloatArray = npt.NDArray[np.float64]
Tables = Mapping[str, pl.DataFrame]

WIND_MEMORY = 0.97
"""Correlation of wind from hour to hour."""
_SUN_MEMORY, _SUN_MEAN, _SUN_SPREAD = 0.45, 0.75, 4.0
_LOAD_MEMORY, _LOAD_SPREAD = 0.7, 0.02
_WEEKDAY = np.array([1.0, 1.01, 1.01, 1.01, 1.0, 0.96, 0.93])
_MOST_CAPACITY_FACTOR = 0.59
_SKIES = 15


def shapes(tables: Tables) -> dict[str, FloatArray]:
    """Each shape of `power_shapes`, its twelve months or 24 hours in order, of mean 1."""
    found = {}
    for (name,), rows in tables["power_shapes"].sort("shape_id", "step").group_by("shape_id", maintain_order=True):
        levels = rows["level_factor"].to_numpy()
        found[str(name)] = levels / levels.mean()
    return found


def profiles(tables: Tables, *, year: int, seed: int, storms: Storms | None = None) -> dict[str, FloatArray]:
    """Share of capacity that each profile gives in each hour, shape (hours,) each.

    The same seed is the same weather in every year. Wind lasts from hour to hour and is alike near by; its law has the month's mean share.
    The sky's clearness lasts from day to day; panels give the month's mean share. Water gives its month's share in every hour.

    Args:
        tables: `power_profiles` and `power_shapes`.
        year: Calendar year.
        seed: Of the weather.
        storms: When weather closes ports: wind near them blows hardest then, with the energy of each month as without.
    """
    rows = tables["power_profiles"].sort("profile_id").to_dicts()
    by_month = shapes(tables)
    found: dict[str, FloatArray] = {}
    for kind, make in (("wind", partial(_winds, storms=storms)), ("solar", _suns), ("water", _waters)):
        chosen = [row for row in rows if row["kind"] == kind]
        targets = [np.minimum(row["capacity_factor_share"] * by_month[row["shape_id"]], 1.0) for row in chosen]
        found |= make(chosen, targets, year, seed)
    return found


def _winds(
    rows: list[dict[str, Any]], targets: list[FloatArray], year: int, seed: int, *, storms: Storms | None
) -> dict[str, FloatArray]:  # fmt: skip
    month = calendar(year).month
    where = _where(rows)
    normal = lasting(HOURS, likeness(*where), WIND_MEMORY, seed=seed, purpose=WIND)
    if storms is not None and rows:
        normal = wind_of_storms(normal, *where, storms, month, memory=WIND_MEMORY, seed=seed)
    found = {}
    for number, (row, target) in enumerate(zip(rows, targets, strict=True)):
        scale = scale_for(np.minimum(target, _MOST_CAPACITY_FACTOR))
        found[row["profile_id"]] = turbine_share(weibull_speed(np.minimum(ndtr(normal[:, number]), 1.0 - 1e-12), scale[month]))
    return found


def _suns(rows: list[dict[str, Any]], targets: list[FloatArray], year: int, seed: int) -> dict[str, FloatArray]:
    month = calendar(year).month
    normal = lasting(DAYS, likeness(*_where(rows)), _SUN_MEMORY, seed=seed, purpose=SUN)
    shape_a, shape_b = _SUN_MEAN * _SUN_SPREAD, (1.0 - _SUN_MEAN) * _SUN_SPREAD
    skies = betaincinv(shape_a, shape_b, (np.arange(_SKIES) + 0.5) / _SKIES)
    found = {}
    for number, (row, target) in enumerate(zip(rows, targets, strict=True)):
        where = (row["lat_deg"], row["lon_deg"])
        usual = np.mean([panel_share(np.full(HOURS, sky), *where) for sky in skies], axis=0)
        mean = np.bincount(month, usual, 12) / np.bincount(month, minlength=12)
        sky = np.repeat(betaincinv(shape_a, shape_b, ndtr(normal[:, number])), 24)
        found[row["profile_id"]] = np.clip(panel_share(sky, *where) * (target / np.maximum(mean, 1e-9))[month], 0.0, 1.0)
    return found


def _waters(rows: list[dict[str, Any]], targets: list[FloatArray], year: int, seed: int) -> dict[str, FloatArray]:
    del seed  # a mean water year: what the months give is all that the case knows
    month = calendar(year).month
    return {row["profile_id"]: target[month] for row, target in zip(rows, targets, strict=True)}


def _where(rows: list[dict[str, Any]]) -> tuple[FloatArray, FloatArray]:
    return (
        np.array([row["lat_deg"] for row in rows], dtype=np.float64), np.array([row["lon_deg"] for row in rows], dtype=np.float64)
    )  # fmt: skip


def load_mw(shape: FloatArray, *, demand_twh: float, peak_mw: float) -> FloatArray:
    """Hourly load a + b shape whose energy and peak are both exact, shape (hours,).

    Args:
        shape: Any positive shape over the hours.
        demand_twh: Energy of all hours.
        peak_mw: Highest hour.

    Raises:
        DataError: No such load is zero or more in every hour, or the peak lies below the mean.
    """
    mean_mw = demand_twh * 1e6 / len(shape)
    above = float(shape.max() - shape.mean())
    b = (peak_mw - mean_mw) / above if above > 0.0 else 0.0
    load: FloatArray = mean_mw + b * (shape - shape.mean())
    if peak_mw < mean_mw or load.min() < 0.0:
        message = f"{demand_twh:g} TWh with a peak of {peak_mw:,.0f} MW: the mean is {mean_mw:,.0f} MW, so that the peak must lie above it"
        if peak_mw >= mean_mw:
            message = (
                f"{demand_twh:g} TWh with a peak of {peak_mw:,.0f} MW leaves less than nothing in the lowest hour; the peak is too high"
            )
        raise DataError(Problem("power_demand", None, "peak_mw", message))
    return load


def loads_mw(tables: Tables, *, year: int, seed: int) -> dict[str, FloatArray]:
    """Load of each zone in each hour, shape (hours,) each: month, hour, weekday and weather, with the year's energy and peak exact.

    Raises:
        DataError: A zone has no demand, or none that fits its shape.
    """
    rows = tables["power_zones"].sort("zone_id").to_dicts()
    by_step = shapes(tables)
    normal = lasting(DAYS, likeness(*_where(rows)), _LOAD_MEMORY, seed=seed, purpose=LOAD)
    energy = by_year(tables["power_demand"], "zone_id", "demand_twh", year)
    peak = by_year(tables["power_demand"], "zone_id", "peak_mw", year)
    found = {}
    for number, row in enumerate(rows):
        zone, clock = row["zone_id"], calendar(year, row["utc_offset_h"])
        if zone not in energy:
            raise DataError(Problem("power_demand", None, "zone_id", f"{zone} has no row; every zone of power_zones needs one"))
        shape = by_step[row["month_shape_id"]][clock.month] * by_step[row["hour_shape_id"]][clock.hour] * _WEEKDAY[clock.weekday]
        shape = shape * np.repeat(np.exp(_LOAD_SPREAD * normal[:, number]), 24)
        found[zone] = load_mw(shape, demand_twh=energy[zone], peak_mw=peak[zone])
    return found


def by_year(frame: pl.DataFrame, key: str, column: str, year: int) -> dict[str, float]:
    """Value of a column in a year: linear between the rows of a key, and as its nearest row outside of them."""
    found = {}
    for (name,), rows in frame.sort(key, "year").group_by(key, maintain_order=True):
        found[str(name)] = float(np.interp(year, rows["year"].to_numpy(), rows[column].to_numpy()))
    return found
