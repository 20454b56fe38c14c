"""A user's file of hourly loads and shares."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.power import GivenSeries, given_series


def read_series(path: Path, corridor: Corridor) -> GivenSeries:
    """Hourly series of a CSV file with columns time_utc, zone_id, variable and value; see `karvan.power.given_series`.

    Raises:
        DataError: The file cannot be read, or a series is not right.
    """
    if not path.is_file():
        raise DataError(Problem("--profiles", None, None, f"there is no file {path}"))
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (PolarsError, OSError, UnicodeDecodeError) as error:
        raise DataError(Problem("--profiles", None, None, f"{path} is no table in CSV and UTF-8: {error}")) from error
    return given_series(frame, corridor.tables, name=path.name)
