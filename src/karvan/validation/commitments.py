"""Every promise against the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from karvan.results import Outlook, YearResult
from karvan.results.outlook import REACHED_TOLERANCE

VERDICTS = ("met", "on_course", "behind", "open", "not_measurable")
TRADE = "trade_musd"
"""Trade of two countries, which no outlook holds."""
FEWER_IS_BETTER = ("full_facilities",)
"""Quantities that reach their target from above."""
KT_PER_UNIT = {"cordon_mt": 1e3, "cordon_kt": 1.0}
"""Quantities over a cordon, and what a unit of them is."""


def judge_commitments(
    commitments: pl.DataFrame, *, scenario: Outlook, baseline: Outlook, beside: Mapping[str, tuple[float, float]] | None = None
) -> list[dict[str, Any]]:
    """Hold every row of the commitments table against the outlooks.

    met: the last observed value reaches the target. on_course: the scenario reaches it in the promised year. behind: it does not.
    open: a target without a year, or a year outside the run, that is not met. not_measurable: the model has no such quantity.

    Args:
        commitments: Table `commitments`.
        scenario: Outlook of the scenario.
        baseline: Outlook of the baseline.
        beside: Quantities in the promised year that no outlook holds, in the scenario and in the baseline, by promise.
    """
    found = beside or {}
    return [_judged(row, scenario, baseline, found.get(row["commitment_id"])) for row in commitments.iter_rows(named=True)]


def _judged(row: dict[str, Any], scenario: Outlook, baseline: Outlook, given: tuple[float, float] | None) -> dict[str, Any]:
    known = (value_in_year(row, scenario, baseline, row["year"]), value_in_year(row, baseline, baseline, row["year"]))
    in_scenario, in_baseline = known if given is None else given
    return {
        "commitment_id": row["commitment_id"],
        "promise": row["promise"],
        "is_headline": row["is_headline"],
        "title": row["title"],
        "short": row["short"],
        "metric": row["metric"],
        "target": row["target"],
        "unit": row["unit"],
        "year": row["year"],
        "observed": row["observed"],
        "observed_year": row["observed_year"],
        "baseline": in_baseline,
        "scenario": in_scenario,
        "status": row["status"],
        "date": row["date"],
        "verdict": verdict(row, in_scenario),
    }


def verdict(row: Mapping[str, Any], value: float | None) -> str:
    """What to say of a promise whose quantity the model puts at `value` in the promised year, as in `judge_commitments`.

    Args:
        row: Row of table `commitments`.
        value: Model quantity in the row's unit, None where there is none.
    """
    if row["metric"] == "none":
        return "not_measurable"
    if row["target"] is None:
        return "open"
    if row["observed"] is not None and _reaches(row, row["observed"], tolerance=0.0):
        return "met"
    if value is None:
        return "open"
    return "on_course" if _reaches(row, value, tolerance=REACHED_TOLERANCE) else "behind"


def _reaches(row: Mapping[str, Any], value: float, *, tolerance: float) -> bool:
    target = float(row["target"])
    return value <= target * (1.0 + tolerance) if row["metric"] in FEWER_IS_BETTER else value >= target * (1.0 - tolerance)


def value_in_year(row: Mapping[str, Any], scenario: Outlook, baseline: Outlook, year: int | None) -> float | None:
    """The model quantity of a promise in a year, in the row's unit; None where the outlook has no such year or the model no such quantity.

    Args:
        row: Row of table `commitments`.
        scenario: Outlook of the scenario.
        baseline: Outlook that a shift is counted against.
        year: Calendar year.
    """
    if year is None or year not in [result.year for result in scenario.years]:
        return None
    return _value(row, scenario.in_year(year), baseline.in_year(year))


def _value(row: Mapping[str, Any], result: YearResult, reference: YearResult) -> float | None:
    metric = row["metric"]
    if metric in ("corridor_mt", "containers_teu", "crude_mt"):
        return float(getattr(result, metric))
    if metric in KT_PER_UNIT:
        return float(result.cordons[row["element_id"]]) / KT_PER_UNIT[metric]
    if metric == "link_open":
        return 1.0 if result.open_links.issuperset(link.strip() for link in row["element_id"].split(";")) else 0.0
    if metric == "link_kt":
        found = result.links.filter(pl.col("link_id") == row["element_id"])
        return float(found.select(pl.col("forward_kt").sum() + pl.col("backward_kt").sum()).item())
    if metric == "family_shift_mt":
        return (_family_kt(row, result) - _family_kt(row, reference)) / 1e3
    if metric == "full_facilities":
        return float(result.full_facilities.height)
    return None


def _family_kt(row: Mapping[str, Any], result: YearResult) -> float:
    return float(result.families.filter(pl.col("family_id") == row["element_id"]).select(pl.col("flow_kt").sum()).item())


def part_of_both(row: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of two promises that share goods, the one that counts fewer: a part of the corridor's tonnes rather than all; else the first.

    Args:
        row: Row of table `commitments`.
        other: The row that it shares with.
    """
    return other if row["metric"] == "corridor_mt" else row


def shared_in_year(
    row: Mapping[str, Any], other: Mapping[str, Any], scenario: Outlook, baseline: Outlook, year: int | None
) -> float | None:
    """What two promises both count in a year, in the unit of `part_of_both`; None where the outlook has no such year.

    Args:
        row: Row of table `commitments`.
        other: The row that it shares with.
        scenario: Outlook of the scenario.
        baseline: Outlook that a shift is counted against.
        year: Calendar year.
    """
    part = part_of_both(row, other)
    value = value_in_year(part, scenario, baseline, year)
    if value is None or year is None or row["metric"] == other["metric"] or part["metric"] not in KT_PER_UNIT:
        return value
    return float(scenario.in_year(year).cordons_on_corridor[part["element_id"]]) / KT_PER_UNIT[part["metric"]]
