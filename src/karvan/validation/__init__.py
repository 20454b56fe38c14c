"""Results against what was promised and published, and where every number comes from.

Goes in: declared tables, measures, outlooks and saved runs. Comes out: verdicts, errors, what is known of a row or a source, and
whether a run follows from its inputs. May import: measures, results and what lies below them.
"""

from karvan.validation.audit_capacities import UsedCapacities
from karvan.validation.cards import measure_cards, scenario_entries
from karvan.validation.check_run import check_run
from karvan.validation.commitments import KT_PER_UNIT, TRADE, judge_commitments, part_of_both, shared_in_year, value_in_year
from karvan.validation.comparison import Outcomes, compare, journey_months, journey_years, needed_years, power_years
from karvan.validation.explain import explain
from karvan.validation.inputs import input_doc, inputs
from karvan.validation.references import References, references_of
from karvan.validation.sources import sources
from karvan.validation.tally import Check

__all__ = [
    "KT_PER_UNIT",
    "TRADE",
    "Check",
    "Outcomes",
    "References",
    "UsedCapacities",
    "check_run",
    "compare",
    "explain",
    "input_doc",
    "inputs",
    "journey_months",
    "journey_years",
    "judge_commitments",
    "measure_cards",
    "needed_years",
    "part_of_both",
    "power_years",
    "references_of",
    "scenario_entries",
    "shared_in_year",
    "sources",
    "value_in_year",
]  # fmt: skip
