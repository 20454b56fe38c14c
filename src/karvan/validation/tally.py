"""One check of a run: what was compared, how far apart the worst pair is, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SUM_TOLERANCE = 1e-9
"""Sums of the same numbers in another order may differ by this share."""
SOLVER_TOLERANCE = 1e-6
"""What the market program promises: excess over a limit, and flows at its prices, as shares."""
REPORT_TOLERANCE = 1e-8
"""The report keeps nine significant digits."""
LEAST_KT = 1e-9
"""Amounts below this, a gram a year, are compared as if they were as large."""


@dataclass(frozen=True)
class Check:
    """One check of a finished run.

    Attributes:
        name: Short name.
        what: What is compared with what.
        compared: How many things were compared.
        wrong: How many were further apart than the tolerance.
        worst: Largest deviation as a share; of claims 1 if one does not hold.
        tolerance: Deviation that passes.
        where: What deviates most; empty where nothing does.
        message: What is wrong, where, and what it should be; empty if the check passes.
    """

    name: str
    what: str
    compared: int
    wrong: int
    worst: float
    tolerance: float
    where: str
    message: str

    @property
    def is_passed(self) -> bool:
        """Whether everything was within the tolerance."""
        return self.wrong == 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON; a deviation that is no number is None."""
        return {**asdict(self), "worst": self.worst if math.isfinite(self.worst) else None, "is_passed": self.is_passed}


class Tally:
    """Adds up comparisons of one check."""

    def __init__(self, name: str, what: str, *, tolerance: float = 0.0) -> None:
        self.name, self.what, self.tolerance = name, what, tolerance
        self._compared, self._wrong, self._worst, self._where, self._message = 0, 0, 0.0, "", ""
        self._is_claimed = False  # a claim that does not hold says more than a number that differs

    def compare(
        self, found: npt.ArrayLike, wanted: npt.ArrayLike, *, say: Callable[[int], str], least: npt.ArrayLike = LEAST_KT, because: str = ""
    ) -> None:
        """Compare numbers with what they should be.

        Args:
            found: Numbers of the run.
            wanted: What they should be, same shape.
            say: What the number at a position is.
            least: Deviations are shares of the wanted number or of this, whichever is larger.
            because: Where the wanted number comes from.
        """
        found, wanted = np.atleast_1d(np.asarray(found, dtype=np.float64)), np.atleast_1d(np.asarray(wanted, dtype=np.float64))
        self._compared += found.shape[0]
        if found.shape[0] == 0:
            return
        apart = np.abs(found - wanted) / np.maximum(np.abs(wanted), least)
        apart = np.where(np.isnan(apart), np.inf, apart)
        self._wrong += int((apart > self.tolerance).sum())
        at = int(np.argmax(apart))
        if apart[at] > self._worst and not self._is_claimed:
            self._worst, self._where = float(apart[at]), say(at)
            reason = f", {because}" if because else ""
            self._message = f"{self._where} is {found[at]:.9g}, must be {wanted[at]:.9g}{reason}"

    def claim(self, is_right: BoolArray, *, say: Callable[[int], str]) -> None:
        """Count claims; `say` tells what is wrong at a position and what would be right."""
        self._compared += is_right.shape[0]
        bad = np.flatnonzero(~is_right)
        self._wrong += bad.shape[0]
        if bad.shape[0] and not self._is_claimed:
            self._is_claimed, self._worst = True, max(self._worst, 1.0)
            self._where = self._message = say(int(bad[0]))

    def done(self) -> Check:
        """The check."""
        is_wrong = self._wrong > 0
        more = f" ({self._wrong:,} of {self._compared:,} are wrong)" if self._wrong > 1 else ""
        message = f"{self._message}{more}" if is_wrong else ""
        return Check(self.name, self.what, self._compared, self._wrong, self._worst, self.tolerance, self._where, message)


def compare_frames(
    tally: Tally, found: pl.DataFrame, wanted: pl.DataFrame, *, name: str, keys: Sequence[str], columns: Sequence[str], because: str
) -> None:
    """Compare columns of two frames by key; a row that one of them lacks is zero there.

    Args:
        tally: The check.
        found: Frame of the run.
        wanted: What it should hold.
        name: File of the run.
        keys: Columns that tell rows apart.
        columns: Numbers to compare.
        because: Where the wanted numbers come from.
    """
    keys, columns = list(keys), list(columns)
    twice = found.select(keys).is_duplicated().to_numpy()
    labels = found.select(keys)
    tally.claim(~twice, say=lambda at: f"{name}: {_row_name(keys, labels.row(at))} stands there twice, must stand there once")
    texts = [pl.col(key).cast(pl.String) if wanted.schema[key] in (pl.String, pl.Categorical) else pl.col(key) for key in keys]
    once = found.select(*texts, *columns).unique(keys, keep="first", maintain_order=True)
    both = once.join(
        wanted.select(*texts, *columns), on=keys, how="full", suffix="_wanted", coalesce=True, nulls_equal=True, validate="1:1"
    )
    both = both.with_columns(pl.col([*columns, *(f"{column}_wanted" for column in columns)]).fill_null(0.0))
    joined = both.select(keys)

    def say_of(column: str) -> Callable[[int], str]:
        return lambda at: f"{name}: {column} of {_row_name(keys, joined.row(at))}"

    for column in columns:
        tally.compare(both[column].to_numpy(), both[f"{column}_wanted"].to_numpy(), say=say_of(column), because=because)


def _row_name(keys: Sequence[str], row: tuple[Any, ...]) -> str:
    words = dict(zip(keys, row, strict=True))
    year, case = words.pop("year", None), words.pop("case", None)
    text = ", ".join(str(value) for value in words.values() if value is not None) or "everything"
    return f"{text} in {year} ({case})" if case is not None else text
