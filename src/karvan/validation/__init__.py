"""Results against what was promised and published.

Goes in: declared tables and outlooks. Comes out: verdicts and errors. May import: results and what lies below it.
"""

from karvan.validation.commitments import KT_PER_UNIT, judge_commitments, part_of_both, shared_in_year, value_in_year
from karvan.validation.comparison import Outcomes, compare, journey_years, needed_years

__all__ = [
    "KT_PER_UNIT", "Outcomes", "compare", "journey_years", "judge_commitments", "needed_years", "part_of_both", "shared_in_year",
    "value_in_year",
]  # fmt: skip
