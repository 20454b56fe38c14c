"""Dated changes and scenarios.

Goes in: a Corridor with its measure and scenario texts. Comes out: checked `Measure` and `Scenario` nouns, and `apply`, which turns
a scenario and a year into a Snapshot. May import: corridor, network, demand, evidence, schema, errors.
"""

from karvan.measures.apply import apply, check_scenario
from karvan.measures.measure import Change, Cost, Measure, measures_of, read_measure
from karvan.measures.scenario import DatedMeasure, Scenario, load_scenario, scenario_ids, with_measures, without_measures

__all__ = [
    "Change", "Cost", "DatedMeasure", "Measure", "Scenario", "apply", "check_scenario", "load_scenario", "measures_of",
    "read_measure", "scenario_ids", "with_measures", "without_measures",
]  # fmt: skip
