"""Results against what was promised and published.

Goes in: declared tables and outlooks. Comes out: verdicts and errors. May import: results and what lies below it.
"""

from karvan.validation.commitments import KT_PER_UNIT, judge_commitments, part_of_both, shared_in_year, value_in_year

__all__ = ["KT_PER_UNIT", "judge_commitments", "part_of_both", "shared_in_year", "value_in_year"]
