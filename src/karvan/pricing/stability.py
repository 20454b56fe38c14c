"""What a charge that stays as it is for years is worth to whoever pays it."""

from __future__ import annotations

import math


def stability_share(*, deviation_share_per_year: float, years: float, reliability_ratio: float) -> float:
    """Part of a charge that a shipper would pay to have it fixed.

    Shippers pay for a surer time: the reliability ratio times the standard deviation of its cost. A charge that wanders has one as well.
    It grows with the root of time, so that its variance over a contract is that of a year times (years + 1) / 2 in the mean.

    Args:
        deviation_share_per_year: Standard deviation of the charge after one year, as a share of it.
        years: Whole years for which it is fixed, each agreed at its start.
        reliability_ratio: Value of a unit of standard deviation over a unit of the mean, as in generalised cost.
    """
    return reliability_ratio * deviation_share_per_year * math.sqrt((years + 1.0) / 2.0)
