"""Crossings, ports, borders and yards, hour by hour.

Goes in: the tables of a snapshot and what comes by train and truck. Comes out: waits, throughputs, what a facility can do at most and how
its delay grows. May import: results, corridor, network, schema, errors. Names load on first use, as the compiler is slow to start.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karvan.simulation.beside import line_skeletons, passage_skeletons
    from karvan.simulation.experiments import Experiment, ExperimentOptions, Pilot, Traced, experiment, pilot, trace
    from karvan.simulation.handover import (
        FacilityCurve,
        HandoverOptions,
        configuration_hash,
        facility_curve,
        line_saturations,
        saturation,
        saturations,
        simulated_facilities,
        with_handover,
    )
    from karvan.simulation.outcome import CAUSES, WAITS, Key
    from karvan.simulation.sizing import LineSize, line_size
    from karvan.simulation.statistics import Interval, interval, paired
    from karvan.simulation.system import Built, build, streams_of
    from karvan.simulation.timeline import SHIP_STATES, berth_visits, closed_times, ship_states, stocks, voyages

_HOMES = {
    "beside": ("line_skeletons", "passage_skeletons"),
    "experiments": ("Experiment", "ExperimentOptions", "Pilot", "Traced", "experiment", "pilot", "trace"),
    "handover": (
        "FacilityCurve",
        "HandoverOptions",
        "configuration_hash",
        "facility_curve",
        "line_saturations",
        "saturation",
        "saturations",
        "simulated_facilities",
        "with_handover",
    ),
    "outcome": ("CAUSES", "WAITS", "Key"),
    "sizing": ("LineSize", "line_size"),
    "statistics": ("Interval", "interval", "paired"),
    "system": ("Built", "build", "streams_of"),
    "timeline": ("SHIP_STATES", "berth_visits", "closed_times", "ship_states", "stocks", "voyages"),
}

__all__ = [
    "CAUSES",
    "SHIP_STATES",
    "WAITS",
    "Built",
    "Experiment",
    "ExperimentOptions",
    "FacilityCurve",
    "HandoverOptions",
    "Interval",
    "Key",
    "LineSize",
    "Pilot",
    "Traced",
    "berth_visits",
    "build",
    "closed_times",
    "configuration_hash",
    "experiment",
    "facility_curve",
    "interval",
    "line_saturations",
    "line_size",
    "line_skeletons",
    "paired",
    "passage_skeletons",
    "pilot",
    "saturation",
    "saturations",
    "ship_states",
    "simulated_facilities",
    "stocks",
    "streams_of",
    "trace",
    "voyages",
    "with_handover",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"karvan.simulation.{home}"), name)
    raise AttributeError(f"module 'karvan.simulation' has no attribute '{name}'")
