"""Documents of power and of crude oil as a screen draws them: what their commands print as JSON, with names, and power with its hours."""

from __future__ import annotations

from typing import Any

from karvan.corridor import Corridor
from karvan.report.document import cut, document_of
from karvan.report.network import short
from karvan.results import Dispatch, Oil


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
    return document_of("karvan-power", found.scenario_id, corridor, {**cut(found.as_dict()), **told}, version=version)


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
    return document_of("karvan-oil", found.scenario_id, corridor, {**cut(told), "called": called}, version=version)
