"""The 8,760 hours of a year, without 29 February, in UTC."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

HOURS = 8760
DAYS = 365
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Calendar:
    """Hours of a year by some clock.

    Attributes:
        month: 0 to 11, shape (hours,).
        day: Day of the year from 0, shape (hours,).
        hour: 0 to 23, shape (hours,).
        weekday: 0 is Monday, shape (hours,).
    """

    month: IntArray
    day: IntArray
    hour: IntArray
    weekday: IntArray


@cache
def calendar(year: int, offset_h: float = 0.0) -> Calendar:
    """Hours of a year by a clock that is so much ahead of UTC; the first hour is the one that begins at midnight UTC of 1 January."""
    local = (np.arange(HOURS) + round(offset_h)) % HOURS
    day = local // 24
    month = np.repeat(np.arange(12), _MONTH_DAYS)[day]
    weekday = (day + datetime.date(year, 1, 1).weekday()) % 7
    return Calendar(month, day, local % 24, weekday)


def stamps(year: int) -> list[datetime.datetime]:
    """The hours of a year in UTC, without 29 February."""
    first = datetime.datetime(year, 1, 1, tzinfo=datetime.UTC)
    found = [first + datetime.timedelta(hours=hour) for hour in range(HOURS + 24)]
    return [moment for moment in found if moment.year == year and (moment.month, moment.day) != (2, 29)]
