"""Yearly tables that hold some years, read in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]


def by_year(table: pl.DataFrame, column: str, years: npt.NDArray[np.int64]) -> FloatArray:
    """A column of a yearly table in every year: straight between years of the table, as in the last one after it, zero before the first.

    Args:
        table: `year`, each once, and the column.
        column: Its name.
        years: Years wanted, shape (years,).

    Returns:
        Values, shape (years,).

    Raises:
        DataError: The table holds no year, or one twice.
    """
    ordered = table.sort("year")
    if ordered.is_empty() or ordered["year"].is_duplicated().any():
        raise DataError(Problem("appraisal", None, "year", f"of {column} must hold at least one year and each once"))
    known = ordered["year"].to_numpy()
    found: FloatArray = np.interp(years, known, ordered[column].to_numpy().astype(np.float64))
    return np.where(years < known[0], 0.0, found)


def parts_of(known: Sequence[int], year: int) -> list[tuple[int, float]]:
    """Years of a rising list between which a year lies, and their shares; the nearest one where it lies outside."""
    place = int(np.clip(np.searchsorted(known, year, side="right") - 1, 0, len(known) - 1))
    first = known[place]
    if year <= first or place == len(known) - 1:
        return [(first, 1.0)]
    share = (year - first) / (known[place + 1] - first)
    return [(first, 1.0 - share), (known[place + 1], share)]


def weights_to_end(years: int, evaluation_years: int, rate: float) -> FloatArray:
    """How often each of some years counts where the last stands for all that follow, discounted to it, shape (years,).

    Args:
        years: Years told.
        evaluation_years: Years that count.
        rate: Discount rate.
    """
    found = np.ones(years)
    found[-1] += sum((1.0 + rate) ** -offset for offset in range(1, max(evaluation_years - years, 0) + 1))
    return found
