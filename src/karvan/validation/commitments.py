"""Every promise against the model."""

from __future__ import annotations

from typing import Any

import polars as pl

from karvan.results import Outlook, YearResult
from karvan.results.outlook import REACHED_TOLERANCE

VERDICTS = ("met", "on_course", "behind", "open", "not_measurable")


def judge_commitments(commitments: pl.DataFrame, *, scenario: Outlook, baseline: Outlook) -> list[dict[str, Any]]:
    """Hold every row of the commitments table against the outlooks.

    met: the last observed value reaches the target. on_course: the scenario reaches it in the promised year. behind: it does not.
    open: a target without a year, or a year outside the run, that is not met. not_measurable: the model has no such quantity.

    Args:
        commitments: Table `commitments`.
        scenario: Outlook of the scenario.
        baseline: Outlook of the baseline.
    """
    return [_judged(row, scenario, baseline) for row in commitments.iter_rows(named=True)]


def _judged(row: dict[str, Any], scenario: Outlook, baseline: Outlook) -> dict[str, Any]:
    known_years = [result.year for result in scenario.years]
    year = row["year"] if row["year"] in known_years else None
    in_scenario = _value(row, scenario.in_year(year), baseline.in_year(year)) if year is not None else None
    in_baseline = _value(row, baseline.in_year(year), baseline.in_year(year)) if year is not None else None
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
        "verdict": _verdict(row, in_scenario),
    }


def _verdict(row: dict[str, Any], in_scenario: float | None) -> str:
    if row["metric"] == "none":
        return "not_measurable"
    if row["target"] is None:
        return "open"
    if row["observed"] is not None and row["observed"] >= row["target"]:
        return "met"
    if in_scenario is None:
        return "open"
    return "on_course" if in_scenario >= row["target"] * (1.0 - REACHED_TOLERANCE) else "behind"


def _value(row: dict[str, Any], result: YearResult, reference: YearResult) -> float | None:
    """The model quantity of a promise; a shift is against the reference."""
    metric = row["metric"]
    if metric in ("corridor_mt", "containers_teu", "crude_mt"):
        return float(getattr(result, metric))
    if metric == "link_open":
        return 1.0 if row["element_id"] in result.open_links else 0.0
    if metric == "link_kt":
        found = result.links.filter(pl.col("link_id") == row["element_id"])
        return float(found.select(pl.col("forward_kt").sum() + pl.col("backward_kt").sum()).item())
    if metric == "family_shift_mt":
        return (_family_kt(row, result) - _family_kt(row, reference)) / 1e3
    return None


def _family_kt(row: dict[str, Any], result: YearResult) -> float:
    return float(result.families.filter(pl.col("family_id") == row["element_id"]).select(pl.col("flow_kt").sum()).item())
