"""Results against what was promised and published, and where every number comes from.

Goes in: declared tables, measures, outlooks and saved runs. Comes out: verdicts, errors, and what is known of a row or a source.
May import: measures, results and what lies below them.
"""

from karvan.validation.commitments import judge_commitments
from karvan.validation.comparison import Outcomes, compare, journey_years, needed_years
from karvan.validation.explain import explain
from karvan.validation.references import References, references_of
from karvan.validation.sources import sources

__all__ = [
    "Outcomes", "References", "compare", "explain", "journey_years", "judge_commitments", "needed_years", "references_of", "sources",
]  # fmt: skip
