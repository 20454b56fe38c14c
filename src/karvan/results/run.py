"""A run: what was asked, what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.results.outlook import Outlook


@dataclass(frozen=True)
class Run:
    """The outlook of a scenario against the baseline.

    Attributes:
        run_id: Hash of corridor, scenario, options and version.
        corridor_id: The corridor.
        scenario: Outlook of the scenario asked for.
        baseline: Outlook of the corridor's baseline.
        low, high: Corner runs of the scenario: all growth ranges low, all high.
        report: Everything the summary and the screen say, as in `docs/reference/report-json.md`.
        journeys: Legs of the corridor's journeys by scenario id, columns as LEG_SCHEMA.
        seconds: Wall-clock seconds by step.
        folder: Where it was saved, or None.
    """

    run_id: str
    corridor_id: str
    scenario: Outlook
    baseline: Outlook
    low: Outlook
    high: Outlook
    report: Mapping[str, Any]
    journeys: Mapping[str, pl.DataFrame]
    seconds: Mapping[str, float]
    folder: Path | None
