"""Karvan: a planning model for freight, oil and power corridors.

Goes in: a corridor folder and dated measures. Comes out: what moves, what stops it, what relief is worth. The verbs load on first
use, so that `import karvan` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karvan.assignment.equilibrium import EquilibriumOptions, equilibrium
    from karvan.corridor import Corridor, Snapshot, check_corridor, load_corridor, new_corridor, overlay, with_value
    from karvan.demand import ElasticDemand, TrafficClass
    from karvan.ensembles import EnsembleOptions, ensemble
    from karvan.measures import Scenario, load_scenario, with_measures, without_measures
    from karvan.measures.apply import apply
    from karvan.network import RoadNetwork, road_network
    from karvan.study import Cargo, Market, ScenarioOptions, ShippingDesk, ladder, read_quotes
    from karvan.study.appraise import AppraisalOptions, appraise
    from karvan.study.assign import assign
    from karvan.study.batch import route_batch
    from karvan.study.calibrate import calibrate
    from karvan.study.clear import clear
    from karvan.study.commitments import commitments
    from karvan.study.dispatch import DispatchOptions, dispatch
    from karvan.study.explain_market import market
    from karvan.study.oil import OilOptions, oil
    from karvan.study.plan import PlanOptions, plan
    from karvan.study.route import route
    from karvan.study.run import run
    from karvan.study.select_link import criticality, select_link
    from karvan.study.simulate import simulate
    from karvan.study.tariffs import TariffOptions, tariffs
    from karvan.study.trade import TradeOptions, trade
    from karvan.study.validate import validate
    from karvan.validation.explain import explain
    from karvan.validation.sources import sources

__version__ = "0.1.0"

_HOMES = {
    "karvan.assignment": ("EquilibriumOptions", "equilibrium"),
    "karvan.corridor": ("Corridor", "Snapshot", "check_corridor", "load_corridor", "new_corridor", "overlay", "with_value"),
    "karvan.demand": ("ElasticDemand", "TrafficClass"),
    "karvan.ensembles": ("EnsembleOptions", "ensemble"),
    "karvan.measures": ("Scenario", "apply", "load_scenario", "with_measures", "without_measures"),
    "karvan.network": ("RoadNetwork", "road_network"),
    "karvan.study": (
        "AppraisalOptions",
        "PlanOptions",
        "appraise",
        "plan",
        "Cargo",
        "DispatchOptions",
        "Market",
        "OilOptions",
        "ScenarioOptions",
        "ShippingDesk",
        "TariffOptions",
        "TradeOptions",
        "assign",
        "calibrate",
        "clear",
        "commitments",
        "criticality",
        "dispatch",
        "ladder",
        "market",
        "oil",
        "read_quotes",
        "route",
        "route_batch",
        "run",
        "select_link",
        "simulate",
        "tariffs",
        "trade",
        "validate",
    ),
    "karvan.validation": ("explain", "sources"),
}

__all__ = [
    "AppraisalOptions",
    "Cargo",
    "Corridor",
    "DispatchOptions",
    "ElasticDemand",
    "EnsembleOptions",
    "EquilibriumOptions",
    "Market",
    "OilOptions",
    "PlanOptions",
    "RoadNetwork",
    "Scenario",
    "ScenarioOptions",
    "ShippingDesk",
    "Snapshot",
    "TariffOptions",
    "TradeOptions",
    "TrafficClass",
    "__version__",
    "apply",
    "appraise",
    "assign",
    "calibrate",
    "check_corridor",
    "clear",
    "commitments",
    "criticality",
    "dispatch",
    "ensemble",
    "equilibrium",
    "explain",
    "ladder",
    "load_corridor",
    "load_scenario",
    "market",
    "new_corridor",
    "oil",
    "overlay",
    "plan",
    "read_quotes",
    "road_network",
    "route",
    "route_batch",
    "run",
    "select_link",
    "simulate",
    "sources",
    "tariffs",
    "trade",
    "validate",
    "with_measures",
    "with_value",
    "without_measures",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'karvan' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
