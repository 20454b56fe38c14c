"""Results against what was promised and published.

Goes in: declared tables and outlooks. Comes out: verdicts and errors. May import: results and what lies below it.
"""

from karvan.validation.commitments import judge_commitments

__all__ = ["judge_commitments"]
