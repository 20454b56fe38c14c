"""What shippers of many shipments are told: one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.errors import Problem
from karvan.results.shipping import NOT_A_QUOTATION, RuleTold, ShippingAnswer, ShippingOption

BATCH_SCHEMA: Mapping[str, Any] = {
    "row": pl.Int64, "shipment_id": pl.String, "origin": pl.String, "destination": pl.String, "commodity_group": pl.String,
    "date": pl.Date, "deadline": pl.Date, "answer": pl.String, "kind": pl.String, "option": pl.Int64, "labels": pl.String,
    "permission": pl.String, "family_id": pl.String, "cost_usd_per_t": pl.Float64, "generalised_cost_usd_per_t": pl.Float64,
    "time_d": pl.Float64, "time_sd_d": pl.Float64, "time_p50_d": pl.Float64, "time_p80_d": pl.Float64, "time_p95_d": pl.Float64,
    "on_time_share": pl.Float64, "late_h": pl.Float64, "lateness_usd_per_t": pl.Float64, "moving_h": pl.Float64,
    "waiting_h": pl.Float64, "border_h": pl.Float64, "gauge_h": pl.Float64, "port_h": pl.Float64, "co2e_kg_per_t": pl.Float64,
    "co2e_ttw_kg_per_t": pl.Float64, "length_km": pl.Float64, "cost_estimate_share": pl.Float64, "time_estimate_share": pl.Float64,
    "way": pl.String, "rule": pl.String, "rule_source": pl.String, "problem": pl.String, "note": pl.String,
}  # fmt: skip
"""Columns of a batch: `kind` is option, refused (a way that rules or closures keep away), none (no way at all) or wrong (the row asks
nothing that can be answered; `problem` says why)."""
_OF_OPTION = (
    "family_id", "cost_usd_per_t", "generalised_cost_usd_per_t", "time_d", "time_sd_d", "time_p50_d", "time_p80_d", "time_p95_d",
    "on_time_share", "late_h", "lateness_usd_per_t",
    "co2e_kg_per_t", "co2e_ttw_kg_per_t", "length_km", "cost_estimate_share", "time_estimate_share",
)  # fmt: skip


@dataclass(frozen=True)
class ShippingBatch:
    """Answers to many shipments.

    Attributes:
        frame: One row an option or refusal, in the order of the shipments; columns as BATCH_SCHEMA.
        shipments: Shipments that were asked for.
        answered: Shipments that were answered, with wrong rows.
        problems: What is wrong with rows of the input.
        out: The file it was written to.
    """

    frame: pl.DataFrame
    shipments: int
    answered: int
    problems: tuple[Problem, ...]
    out: Path | None = None

    @property
    def is_whole(self) -> bool:
        """Nothing was left out because the work was stopped."""
        return self.answered == self.shipments

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        kinds = dict(self.frame.group_by("kind").len().sort("kind").iter_rows())
        return {
            "shipments": self.shipments,
            "answered": self.answered,
            "is_whole": self.is_whole,
            "rows": self.frame.height,
            "kinds": {kind: kinds.get(kind, 0) for kind in ("option", "refused", "none", "wrong")},
            "out": None if self.out is None else str(self.out),
            "problems": [problem.as_dict() for problem in self.problems],
            "is_quotation": False,
            "note": NOT_A_QUOTATION,
        }


def batch_rows(row: int, shipment_id: str, found: ShippingAnswer) -> list[dict[str, Any]]:
    """Rows of one answer.

    Args:
        row: Data row of the shipment, from 1.
        shipment_id: What it is called.
        found: The answer.
    """
    common = {
        "row": row, "shipment_id": shipment_id, "origin": found.origin.place_id, "destination": found.destination.place_id,
        "commodity_group": found.commodity_group, "date": found.date, "deadline": found.deadline, "answer": found.answer,
        "note": NOT_A_QUOTATION,
    }  # fmt: skip
    rows = [
        {**common, "kind": "option", "option": number, **_told(option), **_rules(option.rules)}
        for number, option in enumerate(found.options, start=1)
    ]
    rows += [{**common, "kind": "refused", **_told(item.opens), "permission": item.reason, **_rules(item.rules)} for item in found.rejected]
    return rows or [{**common, "kind": "none"}]


def wrong_row(row: int, shipment_id: str, problems: Iterable[Problem]) -> dict[str, Any]:
    """The row of a shipment that cannot be answered."""
    return {
        "row": row, "shipment_id": shipment_id, "kind": "wrong", "problem": "; ".join(str(problem) for problem in problems),
        "note": NOT_A_QUOTATION,
    }  # fmt: skip


def batch_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a table."""
    return pl.DataFrame(rows, schema=dict(BATCH_SCHEMA), orient="row")


def _told(option: ShippingOption) -> dict[str, Any]:
    return {
        "labels": ";".join(option.labels), "permission": option.permission,
        **{name: getattr(option, name) for name in _OF_OPTION},
        **{f"{name}_h": value for name, value in option.hours.items()},
        "way": option.way,
    }  # fmt: skip


def _rules(rules: tuple[RuleTold, ...]) -> dict[str, Any]:
    if not rules:
        return {}
    return {"rule": " ".join(rule.rule for rule in rules), "rule_source": ";".join(dict.fromkeys(rule.source for rule in rules))}
