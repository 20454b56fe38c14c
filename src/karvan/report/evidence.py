"""Sections of the page that say how far to trust it: published values, journeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from karvan.report.comparison import amount, validation_picture
from karvan.report.html import number, section, table


def validation_section(report: Mapping[str, Any]) -> list[str]:
    """The picture of model over published value, and every compared value behind it."""
    found = report["validation"]
    rows = [] if found is None else [row for row in found["observations"] if row["error"] is not None]
    if found is None or not rows:
        return []
    header = [("What", False), ("Year", False), ("Published", True), ("Model", True), ("Unit", False), ("Error", True), ("Why", False)]
    cells = [
        (
            row["scope"],
            row["year"],
            amount(row["compared_with"]),
            amount(row["model"]),
            row["unit"],
            f"{row['error']:+.0%}",
            ("Used in fitting or as an input. " if row["used_in_calibration"] else "") + (row["why"] or ""),
        )
        for row in rows
    ]
    title = f"{len(rows)} compared values; {len(found['observations']) - len(rows)} more carry a reason why they are not"
    return [
        section(
            "The model against published values",
            f"{validation_picture(found)}<details><summary>{title}</summary>{table(header, cells)}</details>",
        )
    ]


def journeys_section(report: Mapping[str, Any]) -> list[str]:
    """Time and money of named journeys, and the indicators of CAREC."""
    if not report["journeys"]:
        return []
    header = [
        ("Journey", False), ("Scenario", False), ("Year", False), ("Route family", False), ("km", True), ("Days", True),
        ("Spread, days", True), ("Moving", True), ("Waiting", True), ("Borders and gauge", True), ("Ports", True), ("USD a TEU", True),
        ("USD a tonne", True),
    ]  # fmt: skip
    rows = [
        (
            row["name"],
            row["scenario"],
            row["year"],
            row["family_id"].replace("_", " "),
            number(row["length_km"], 0),
            number(row["time_d"]),
            number(row["time_sd_d"]),
            number(row["moving_h"] / 24.0),
            number(row["waiting_h"] / 24.0),
            number((row["border_h"] + row["gauge_h"]) / 24.0),
            number(row["port_h"] / 24.0),
            number(row["charge_usd_per_teu"], 0),
            number(row["charge_usd_per_t"], 0),
        )
        for row in report["journeys"]
    ]
    indicators = [
        ("Mode", False), ("Scenario", False), ("Year", False), ("TFI1: hours at a border", True), ("TFI2: USD at a border, 20 t", True),
        ("TFI3: USD per 500 km and 20 t", True), ("TFI4: km/h without delay", True), ("TFI4: km/h with delay", True),
    ]  # fmt: skip
    carec = [
        (
            row["carec_mode"],
            row["scenario"],
            row["year"],
            number(row["tfi1_border_h"]),
            number(row["tfi2_border_usd"], 0),
            number(row["tfi3_usd_per_500km_20t"], 0),
            number(row["tfi4_swod_kmh"]),
            number(row["tfi4_swd_kmh"]),
        )
        for row in report["carec"]
    ]
    note = (
        '<p class="soft">Each journey by the cheapest route of its family, without scarcity. Money is what is paid to carriers, ports and'
        " posts in this model, not a quotation.</p>"
    )
    title = f"{len(rows)} journeys, with days by cause"
    body = f"{note}<details><summary>{title}</summary>{table(header, rows)}</details>"
    if carec:
        heading = "Border and speed indicators of CAREC, from the model's own legs"
        body += f"<details><summary>{heading}</summary>{table(indicators, carec)}</details>"
    return [section("Journeys: time, money, borders", body)]
