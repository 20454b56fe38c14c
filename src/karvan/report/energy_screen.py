"""Documents of power and of crude oil as a screen draws them: what their commands print as JSON, with names, and power with its hours."""

from __future__ import annotations

from typing import Any

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.report.names import names_in
from karvan.report.network import short
from karvan.results import Dispatch, Oil

SCHEMA = 1
"""Grows by one when a key changes its meaning or goes; new keys alone leave it."""


def power_screen(found: Dispatch, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What a page shows of a dispatch; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.dispatch` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    hourly = {
        name: [round(value, 1 if name.startswith("price_") else 0) for value in found.hourly[name].to_list()]
        for name in found.hourly.columns
        if name.startswith(("price_", "flow_"))
    }
    told = {"called": dict(found.names), "hourly": {name: [short(value) for value in values] for name, values in hourly.items()}}
    return _told("karvan-power", found.scenario_id, corridor, version, {**_cut(found.as_dict()), **told})


def oil_screen(found: Oil, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What a page shows of crude oil; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.oil` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    told = found.as_dict()
    named = {row[key] for name in ("ladder", "flows", "limits", "earners") for row in told[name] for key in row if key.endswith("_id")}
    keys = (("route_families", "family_id"), ("operators", "operator_id"), ("facilities", "facility_id"))
    called = {
        name: text for table, key in keys for name, text in corridor.tables[table].select(key, "name").iter_rows() if name in named
    }  # fmt: skip
    return _told("karvan-oil", found.scenario_id, corridor, version, {**_cut(told), "called": called})


def _told(kind: str, scenario_id: str, corridor: Corridor, version: str, content: dict[str, Any]) -> dict[str, Any]:
    """The content with what it is of, and its texts in other languages."""
    document = {
        "kind": kind,
        "schema": SCHEMA,
        "version": version,
        "corridor": corridor.manifest.id,
        "corridor_title": corridor.manifest.title,
        "corridor_hash": corridor.hash,
        "edition": corridor.manifest.version,
        "scenario_title": load_scenario(scenario_id, corridor).title,
        **content,
    }
    return {**document, "names": names_in(document, corridor)}


def _cut(content: Any) -> Any:
    """The same with numbers cut to six significant digits; what is not known stays so."""
    if isinstance(content, dict):
        return {key: _cut(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_cut(value) for value in content]
    return short(content) if isinstance(content, float) else content
