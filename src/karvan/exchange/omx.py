"""Open Matrix files: trips between zones in HDF5.

A file holds square matrices in the group `data` and may hold, in the group `lookup`, the zones of their rows and columns; without one
zones are numbered from 1.

Source:
    Open Matrix specification 0.2, github.com/osPlanning/omx.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.exchange.files import written_whole

_VERSION = b"0.2"


def read_omx(path: str | Path, *, matrix: str | None = None, lookup: str | None = None) -> pl.DataFrame:
    """Trips above zero of a matrix: columns origin, destination, trips.

    Args:
        path: The file.
        matrix: Name of the matrix; may be left out if there is one.
        lookup: Name of the lookup with the zones; may be left out if there is none or one.

    Raises:
        DataError: The file or what it should hold is not there, a matrix is not square or holds numbers below zero; or the package that
            reads the format is not installed.
    """
    path, h5py = Path(path), _library()
    if not path.is_file():
        raise DataError(Problem(path.name, None, None, f"there is no file {path}"))
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(Problem(path.name, None, None, f"is no OMX file: {error}")) from error
    with file:
        name = _only(path, file, "data", matrix, must=True)
        values = np.asarray(file["data"][name], dtype=np.float64)
        if values.ndim != 2 or values.shape[0] != values.shape[1]:
            raise DataError(Problem(path.name, None, name, f"has shape {values.shape}, must be square"))
        zone_name = _only(path, file, "lookup", lookup, must=lookup is not None)
        zones = np.arange(1, values.shape[0] + 1) if zone_name is None else np.asarray(file["lookup"][zone_name])
    if zones.shape != values.shape[:1] or not np.issubdtype(zones.dtype, np.integer) or np.unique(zones).shape != zones.shape:
        raise DataError(Problem(path.name, None, zone_name, f"must hold {values.shape[0]} different whole numbers, one for each zone"))
    wrong = np.argwhere(~(np.isfinite(values) & (values >= 0.0)))
    if wrong.shape[0]:
        row, column = (int(place) for place in wrong[0])
        message = f"from {zones[row]} to {zones[column]} is {values[row, column]:g}, must be 0 or more"
        raise DataError(Problem(path.name, row + 1, name, message))
    rows, columns = np.nonzero(values)
    return pl.DataFrame(
        {"origin": zones[rows].astype(np.int64), "destination": zones[columns].astype(np.int64), "trips": values[rows, columns]}
    )


def write_omx(trips: pl.DataFrame, path: str | Path, *, zones: npt.ArrayLike, matrix: str = "trips", value: str = "trips") -> None:
    """A column of a long table as a matrix, zero where a pair has no row.

    Args:
        trips: Columns origin, destination and the value.
        path: The file; it is replaced.
        zones: Zones of rows and columns.
        matrix: Name of the matrix.
        value: Name of the column.

    Raises:
        DataError: The table names other zones, or the package that writes the format is not installed.
    """
    path, h5py = Path(path), _library()
    ids = np.asarray(zones, dtype=np.int64)
    place = {int(zone): row for row, zone in enumerate(ids)}
    values = np.zeros((ids.shape[0], ids.shape[0]))
    for row, (origin, destination, amount) in enumerate(trips.select("origin", "destination", value).iter_rows(), start=1):
        if origin not in place or destination not in place:
            raise DataError(Problem("trips", row, None, f"goes from {origin} to {destination}, both must be zones"))
        values[place[origin], place[destination]] = amount
    with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["OMX_VERSION"] = np.bytes_(_VERSION)
        file.attrs["SHAPE"] = np.array(values.shape, dtype=np.int32)
        file.create_group("data").create_dataset(matrix, data=values, compression="gzip", compression_opts=1, shuffle=True, chunks=True)
        file.create_group("lookup").create_dataset("zone", data=ids)


def _library() -> Any:
    """h5py, or an error that says how to install it."""
    if importlib.util.find_spec("h5py") is None:
        message = "OMX files need the package h5py; install it with: python -m pip install 'karvan[exchange]'"
        raise DataError(Problem("omx", None, None, message))
    import h5py  # noqa: PLC0415 - an extra that most users do without

    return h5py


def _only(path: Path, file: Any, group: str, named: str | None, *, must: bool) -> str | None:
    """The member of a group that is named, or its only one."""
    names = sorted(file[group]) if group in file else []
    if named is not None and named not in names:
        raise DataError(Problem(path.name, None, named, f"is not in {group}; there are: {', '.join(names) or 'none'}"))
    if named is None and len(names) > 1:
        raise DataError(Problem(path.name, None, None, f"{group} holds {', '.join(names)}; say which one"))
    if named is None and not names and must:
        raise DataError(Problem(path.name, None, None, f"holds nothing in {group}"))
    return named or (names[0] if names else None)
