"""The one document from which the page draws a run."""

from __future__ import annotations

from typing import Any

from karvan.corridor import Corridor
from karvan.results import FRAMES, SavedRun
from karvan.web.tables import as_json


# Once `karvan.report.screen` is here this module is one line: from karvan.report.screen import screen as screen_document.
def screen_document(saved: SavedRun, corridor: Corridor) -> dict[str, Any]:
    """What a run's page shows.

    Args:
        saved: The run.
        corridor: The corridor that it was made of.
    """
    frames = {name: saved.frame(name) for name in FRAMES}
    return {
        "run_id": saved.manifest["run_id"],
        "report": saved.report,
        "tables": {name: as_json(name, frame, limit=frame.height, offset=0) for name, frame in frames.items()},
        "places": corridor.tables["places"].select("place_id", "name", "country", "lon_deg", "lat_deg").to_dicts(),
        "links": corridor.tables["links"].select("link_id", "from_place", "to_place", "mode", "length_km", "is_open").to_dicts(),
    }
