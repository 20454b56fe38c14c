"""Results against what was promised and published.

Goes in: declared tables and outlooks. Comes out: verdicts and errors. May import: results and what lies below it.
"""

from karvan.validation.commitments import judge_commitments
from karvan.validation.comparison import Outcomes, compare, journey_years, needed_years

__all__ = ["Outcomes", "compare", "journey_years", "judge_commitments", "needed_years"]
