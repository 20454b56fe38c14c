"""What `karvan assign` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def assigned_lines(found: Mapping[str, Any], *, title: str, links: int, zones: int, trips: float, iterations: int) -> list[str]:
    """Lines about traffic that was assigned.

    Args:
        found: As `karvan assign --json` gives it.
        title: The method.
        links, zones: Size of the network.
        trips: Trips between different zones.
        iterations: Searches for shortest paths.
    """
    return [
        f"{title[0].upper()}{title[1:]}: {trips:,.0f} trips between {zones:,} zones on {links:,} links",
        "",
        f"  Relative gap        {found['relative_gap']:.3g} after {iterations} searches for shortest paths",
        f"  Total travel time   {found['total_travel_time']:,.2f}   in the network's units of time",
        f"  Objective           {found['objective']:,.4f}",
        f"  Solved in           {found['seconds']:.3f} s on {found['threads']} thread{'s' if found['threads'] > 1 else ''}",
    ]
