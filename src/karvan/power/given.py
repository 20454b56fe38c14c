"""Series of the user in place of made ones: checked, and brought to the hours of a year."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.power.calendar import HOURS, stamps
from karvan.power.system import GivenSeries

FloatArray = npt.NDArray[np.float64]
Tables = Mapping[str, pl.DataFrame]

COLUMNS = ("time_utc", "zone_id", "variable", "value")
LOAD = "load_mw"


def given_series(frame: pl.DataFrame, tables: Tables, *, name: str = "profiles") -> GivenSeries:
    """Hourly series in long form as a dispatch takes them.

    Every series has the 8,760 hours of one year in UTC without a gap; 29 February is left out, whether it is there or not.

    Args:
        frame: Columns time_utc (such as 2024-01-01T00:00Z), zone_id, variable (`load_mw`, or the id of a profile, whose share of capacity
            it is; zone_id may then be empty) and value.
        tables: The case.
        name: What to call the table in messages.

    Raises:
        DataError: A column is missing, a zone or variable unknown, a time none or not in UTC, a series not whole, a value out of range.
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise DataError(Problem(name, None, missing[0], f"is missing; the columns are {', '.join(COLUMNS)}"))
    rows = frame.select(
        pl.col("time_utc").cast(pl.String).str.strip_chars(), pl.col("zone_id").cast(pl.String), pl.col("variable").cast(pl.String),
        pl.col("value").cast(pl.Float64, strict=False),
    ).with_row_index("row", offset=1)  # fmt: skip
    zones, profiles = set(tables["power_zones"]["zone_id"]), set(tables["power_profiles"]["profile_id"])
    problems: list[Problem] = []
    loads: dict[str, FloatArray] = {}
    shares: dict[str, FloatArray] = {}
    for (variable, zone), found in rows.group_by("variable", "zone_id", maintain_order=True):
        first = int(found["row"][0])
        if variable == LOAD and zone not in zones:
            problems.append(Problem(name, first, "zone_id", f"{zone} is no zone, must be one of {', '.join(sorted(zones))}"))
        elif variable != LOAD and variable not in profiles:
            problems.append(Problem(name, first, "variable", f"{variable} must be {LOAD} or one of {', '.join(sorted(profiles))}"))
        else:
            values, wrong = _whole(found, name, most=None if variable == LOAD else 1.0)
            problems += wrong
            if not wrong:
                (loads if variable == LOAD else shares)[str(zone if variable == LOAD else variable)] = values
    if problems:
        raise DataError(problems)
    return GivenSeries(loads, shares)


def _whole(found: pl.DataFrame, name: str, *, most: float | None) -> tuple[FloatArray, list[Problem]]:
    """Values of a series in the order of its hours, or what is wrong with it."""
    times: list[datetime.datetime] = []
    for row, text in found.select("row", "time_utc").iter_rows():
        moment = _moment(text)
        if moment is None:
            message = f"{text} must be an hour in UTC, such as 2024-01-01T00:00Z"
            return np.empty(0), [Problem(name, int(row), "time_utc", message)]
        times.append(moment)
    ordered = found.with_columns(pl.Series("moment", times)).sort("moment")
    year = times[0].year
    wanted = stamps(year)
    known = dict(zip(ordered["moment"].to_list(), ordered["row"].to_list(), strict=True))
    if len(known) != len(times):
        return np.empty(0), [Problem(name, int(found["row"][0]), "time_utc", "an hour of this series stands there twice")]
    gap = next((moment for moment in wanted if moment not in known), None)
    if gap is not None:
        message = f"the series that starts here has no hour {gap:%Y-%m-%dT%H:%MZ}; it must have all {HOURS:,} of {year}"
        return np.empty(0), [Problem(name, int(found["row"][0]), "time_utc", message)]
    beyond = [moment for moment in known if moment.year != year]
    if beyond:
        message = f"{min(beyond):%Y-%m-%dT%H:%MZ} is not in {year}, with which the series starts"
        return np.empty(0), [Problem(name, int(known[min(beyond)]), "time_utc", message)]
    kept = ordered.filter(pl.col("moment").is_in(wanted))
    for row, value in kept.select("row", "value").iter_rows():
        if value is None or not np.isfinite(value) or value < 0.0 or (most is not None and value > most):
            allowed = "a number, 0 or more" if most is None else "a share from 0 to 1"
            return np.empty(0), [Problem(name, int(row), "value", f"is {value}, must be {allowed}")]
    return kept["value"].to_numpy(), []


def _moment(text: str | None) -> datetime.datetime | None:
    """An hour in UTC; None for anything else."""
    try:
        moment = datetime.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    is_hour = moment.utcoffset() == datetime.timedelta(0) and moment.minute == moment.second == moment.microsecond == 0
    return moment.astimezone(datetime.UTC) if is_hour else None
