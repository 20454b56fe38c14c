"""The document from which the page draws a run, and what differs between two; see `docs/reference/screen.md`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from karvan.corridor import Corridor
from karvan.report.page import document_in
from karvan.report.screen import compare_screens, screen, with_ladder
from karvan.results import SavedRun
from karvan.study.options import code_hash

__all__ = ["compare_screens", "screen_document"]


def screen_document(saved: SavedRun, corridor: Corridor, ladder: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a run's page shows.

    The report that was written with the run holds it; where the same code wrote that, it is taken from there, which takes seconds less.

    Args:
        saved: The run.
        corridor: The corridor that it was made of.
        ladder: The ladder that was asked for, if any.
    """
    document = _written(saved) or screen(saved, corridor)
    return document if ladder is None else with_ladder(document, corridor, ladder)


_own_code = cache(code_hash)


def _written(saved: SavedRun) -> dict[str, Any] | None:
    if saved.manifest.get("code_hash") != _own_code():
        return None
    try:
        document = document_in((saved.folder / "report.html").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_own = document is not None and document.get("run", {}).get("run_id") == saved.manifest["run_id"] and document["ladder"] is None
    if document is None or not is_own:
        return None
    return {key: value for key, value in document.items() if key != "shipments"}  # the app asks for routes itself
