"""What a set of measures is worth from the yearly tables of two outlooks, one with it and one without."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal.cash import net_present_value
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


def set_npv_musd(
    without: pl.DataFrame,
    with_set: pl.DataFrame,
    spend: pl.DataFrame,
    *,
    rate: float,
    from_year: int,
    last_year: int,
) -> float:
    """Net present value of a set of measures, million USD in the first year: what welfare gains less what is spent.

    Years between those of the tables lie on a straight line, years after the last are as the last one.

    Args:
        without: `year` and `welfare_musd` of the outlook without the set, as `Outlook` years tell it.
        with_set: The same of the outlook with it, for the same years.
        spend: `year` and `spend_musd`, capital and upkeep; years that are not there spend nothing, years twice are added up.
        rate: Discount rate; the first year is not discounted.
        from_year: First year that counts.
        last_year: Last year that counts.

    Raises:
        DataError: The outlooks tell of other years, or the years are in the wrong order.
    """
    if last_year < from_year:
        raise DataError(Problem("appraisal", None, "last_year", f"is {last_year}, must be {from_year} or later"))
    if sorted(without["year"].to_list()) != sorted(with_set["year"].to_list()):
        raise DataError(Problem("appraisal", None, "year", "of the two outlooks must be the same"))
    years = np.arange(from_year, last_year + 1)
    gain = by_year(with_set, "welfare_musd", years) - by_year(without, "welfare_musd", years)
    spent = np.zeros(years.shape[0])
    for year, amount in spend.select("year", "spend_musd").iter_rows():
        if from_year <= year <= last_year:
            spent[year - from_year] += amount
    return net_present_value(gain - spent, rate)
