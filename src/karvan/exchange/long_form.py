"""Tables in long form, CSV or Parquet by the name's end: links, trips, and whatever a result holds."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.demand import TRIP_COLUMNS
from karvan.errors import DataError, Problem
from karvan.exchange.files import lines_of, number_of, written_whole
from karvan.network import LINK_COLUMNS, RoadNetwork, road_network

_NEEDED_OF_LINKS = ("from_node", "to_node", "free_time", "capacity")
_OTHER_NAMES = {"from": "from_node", "to": "to_node", "o_zone_id": "origin", "d_zone_id": "destination", "volume": "trips"}
_MOST_PROBLEMS = 25


def read_table(path: Path, columns: Mapping[str, pl.DataType | type[pl.DataType]], *, needed: tuple[str, ...]) -> pl.DataFrame:
    """Some columns of a CSV or Parquet file, in their types; others are left out.

    Args:
        path: The file.
        columns: Types by name.
        needed: Columns that must be there, without empty cells.

    Raises:
        DataError: Columns are missing or cells are not of their type; problems name rows, counted from 1 below the header.
    """
    if path.suffix.lower() == ".parquet":
        if not path.is_file():
            raise DataError(Problem(path.name, None, None, f"there is no file {path}"))
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(Problem(path.name, None, None, f"is no Parquet file: {error}")) from error
    else:
        frame = _csv(path)
    frame = frame.rename(
        {old: new for old, new in _OTHER_NAMES.items() if old in frame.columns and new not in frame.columns and new in columns}
    )
    problems = [Problem(path.name, None, name, "is missing") for name in needed if name not in frame.columns]
    if problems:
        raise DataError(problems)
    series = []
    for name, kind in columns.items():
        if name in frame.columns:
            series.append(_typed(path.name, frame[name], kind, name in needed, problems))
    if problems:
        raise DataError(problems[:_MOST_PROBLEMS])
    return pl.DataFrame(series)


def read_links(path: str | Path, *, zones: npt.ArrayLike | None = None, closed_zones: npt.ArrayLike = ()) -> RoadNetwork:
    """A network from a table of links with the columns of `LINK_COLUMNS`.

    Args:
        path: CSV or Parquet.
        zones: Nodes where trips start and end; all nodes by default.
        closed_zones: Those of them that other trips may not pass.
    """
    path = Path(path)
    links = read_table(path, LINK_COLUMNS, needed=_NEEDED_OF_LINKS)
    ends = np.unique(np.concatenate([links["from_node"].to_numpy(), links["to_node"].to_numpy()]))
    return road_network(links, zones=ends if zones is None else zones, closed_zones=closed_zones, table=path.name)


def read_trips(path: str | Path) -> pl.DataFrame:
    """Trips from a table with columns origin, destination, trips; each pair once."""
    path = Path(path)
    trips = read_table(path, TRIP_COLUMNS, needed=tuple(TRIP_COLUMNS))
    row = trips.with_row_index("row", offset=1)
    wrong = row.filter(~pl.col("trips").is_finite() | (pl.col("trips") < 0.0))
    problems = [
        Problem(path.name, int(line), "trips", f"is {value:g}, must be 0 or more")
        for line, value in wrong.select("row", "trips").iter_rows()
    ]
    twice = row.filter(~pl.struct("origin", "destination").is_first_distinct())
    problems += [Problem(path.name, int(line), None, "repeats a pair; add its rows up") for line in twice["row"].to_list()]
    if problems:
        raise DataError(problems[:_MOST_PROBLEMS])
    return trips


def write_links(network: RoadNetwork, path: str | Path) -> None:
    """The table of links of a network."""
    write_table(network.links, path)


def write_trips(trips: pl.DataFrame, path: str | Path) -> None:
    """Trips in long form."""
    write_table(trips.select(list(TRIP_COLUMNS)), path)


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """A frame as CSV, or as Parquet if the name ends so; written under a temporary name first."""
    path = Path(path)
    with written_whole(path) as temporary:
        if path.suffix.lower() == ".parquet":
            frame.write_parquet(temporary)
        else:
            frame.write_csv(temporary)


def _csv(path: Path) -> pl.DataFrame:
    """A CSV file as texts; empty cells are null."""
    lines = list(csv.reader(lines_of(path)))
    header = [name.strip() for name in lines[0]]
    problems = [Problem(path.name, None, name, "stands twice in the header") for name in {one for one in header if header.count(one) > 1}]
    rows = [row for row in lines[1:] if row]
    problems += [
        Problem(path.name, number, None, f"has {len(row)} cells, must have {len(header)} as the header")
        for number, row in enumerate(rows, start=1)
        if len(row) != len(header)
    ]
    if problems:
        raise DataError(problems[:_MOST_PROBLEMS])
    columns = {name: [row[place].strip() or None for row in rows] for place, name in enumerate(header)}
    return pl.DataFrame(columns, schema=dict.fromkeys(header, pl.String))


def _typed(table: str, cells: pl.Series, kind: pl.DataType | type[pl.DataType], is_needed: bool, problems: list[Problem]) -> pl.Series:
    """A column in its type; what is not of it becomes a problem."""
    values: list[object] = []
    for row, cell in enumerate(cells.to_list(), start=1):
        value: object = None
        try:
            if cell is None:
                if is_needed:
                    raise ValueError("is empty")
            elif kind == pl.String:
                value = str(cell)
            else:
                number = number_of(cell) if isinstance(cell, str) else float(cell)
                if kind == pl.Int64 and number != int(number):
                    raise ValueError(f"is {number:g}, must be a whole number")
                value = int(number) if kind == pl.Int64 else number
        except (ValueError, TypeError, OverflowError) as error:
            problems.append(Problem(table, row, cells.name, str(error)))
        values.append(value)
    return pl.Series(cells.name, values, dtype=kind)
