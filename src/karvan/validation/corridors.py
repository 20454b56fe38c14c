"""The corridors that shippers ask about against the times and rates that were published for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import polars as pl

NEAR_SHARE = 0.2
"""A corridor's time is near what was published when it is off by no more than this share."""
ASKED_SHARE = 0.8
"""Share of the corridors that should be near."""


def compare_corridors(journeys: pl.DataFrame, rows: Sequence[Mapping[str, Any]], *, base_year: int) -> dict[str, Any] | None:
    """Corridors in order, each by the median of the absolute errors of its published times.

    Times that the fit or an input used, and times older than the base year, prove nothing and are listed only.

    Args:
        journeys: Table `journeys`; those with `corridor_order` are the corridors.
        rows: Observations as `compare` tells them.
        base_year: Year the model is fitted to.

    Returns:
        corridors (journey_id, name, times and rates by observation, error: the median absolute one of its times, is_near), counted, near,
        is_reached; None where no journey is a corridor.
    """
    named = journeys.filter(pl.col("corridor_order").is_not_null()).sort("corridor_order")
    if named.is_empty():
        return None
    corridors = []
    for journey_id, name in named.select("journey_id", "name").iter_rows():
        own = [row for row in rows if row["element_id"] == journey_id and row["error"] is not None]
        times, rates = (
            [_told(row, base_year) for row in own if (row["quantity"] == "time_d") == is_time] for is_time in (True, False)
        )  # fmt: skip
        errors = [abs(time["error"]) for time in times if time["counts"]]
        error = None if not errors else median(errors)
        corridors.append(
            {
                "journey_id": journey_id,
                "name": name,
                "times": times,
                "rates": rates,
                "error": error,
                "is_near": None if error is None else error <= NEAR_SHARE,
            }
        )
    counted = [corridor for corridor in corridors if corridor["is_near"] is not None]
    near = sum(corridor["is_near"] for corridor in counted)
    return {
        "corridors": corridors,
        "counted": len(counted),
        "near": near,
        "is_reached": bool(counted) and near >= ASKED_SHARE * len(counted),
    }


def _told(row: Mapping[str, Any], base_year: int) -> dict[str, Any]:
    kept = (
        "observation_id",
        "year",
        "period",
        "unit",
        "published",
        "compared_with",
        "low",
        "high",
        "model",
        "model_year",
        "error",
        "source",
    )
    counts = not row["used_in_calibration"] and row["year"] >= base_year
    return {**{name: row[name] for name in kept}, "used_in_calibration": row["used_in_calibration"], "counts": counts}
