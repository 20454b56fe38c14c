"""Power, hour by hour: weather and loads, the dispatch, prices, what a line is worth and to whom.

Goes in: the tables of a snapshot. Comes out: a dispatch of 8,760 hours, its prices and flows, gains by party, the credit of a line. May
import: results, corridor, network, schema, errors. Names load on first use, as the solver is slow to load.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karvan.power.adequacy import Units, available_law, capacity_credit_mw, chance_short
    from karvan.power.calendar import HOURS, stamps
    from karvan.power.dispatcher import Dispatcher, Solved
    from karvan.power.given import given_series
    from karvan.power.money import annuity, earnings, surpluses_musd
    from karvan.power.outcome import (
        co2_mt,
        curtailed_mw,
        curve_rows,
        line_row,
        line_rows,
        profile_rows,
        spare_mw,
        technology_rows,
        zone_rows,
    )
    from karvan.power.program import LinearProgram, linear_program
    from karvan.power.storms import Storms
    from karvan.power.system import Built, GivenSeries, power_system

_HOMES = {
    "adequacy": ("Units", "available_law", "capacity_credit_mw", "chance_short"),
    "calendar": ("HOURS", "stamps"),
    "given": ("given_series",),
    "money": ("annuity", "earnings", "surpluses_musd"),
    "outcome": (
        "co2_mt", "curtailed_mw", "curve_rows", "line_row", "line_rows", "profile_rows", "spare_mw", "technology_rows", "zone_rows",
    ),
    "dispatcher": ("Dispatcher", "Solved"),
    "program": ("LinearProgram", "linear_program"),
    "storms": ("Storms",),
    "system": ("Built", "GivenSeries", "power_system"),
}  # fmt: skip

__all__ = [
    "HOURS", "Built", "Dispatcher", "GivenSeries", "LinearProgram", "Solved", "Storms", "Units", "annuity", "available_law",
    "capacity_credit_mw",
    "chance_short", "co2_mt", "curtailed_mw", "curve_rows", "earnings", "given_series", "line_row", "line_rows", "linear_program",
    "power_system", "profile_rows", "spare_mw", "stamps", "surpluses_musd", "technology_rows", "zone_rows",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"karvan.power.{home}"), name)
    raise AttributeError(f"module 'karvan.power' has no attribute '{name}'")
