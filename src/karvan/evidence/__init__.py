"""What is known and promised: sources, provenance of single values, observations, commitments, currencies; and how it is called elsewhere.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.evidence.commitments import Commitments
from karvan.evidence.observations import CLOSE_SHARE, Observations
from karvan.evidence.shocks import Shocks
from karvan.evidence.sources import Currencies, DefaultRanges, Deflators, Provenance, Sources
from karvan.evidence.translations import Translations

__all__ = [
    "CLOSE_SHARE", "Commitments", "Currencies", "DefaultRanges", "Deflators", "Observations", "Provenance", "Shocks", "Sources",
    "Translations",
]  # fmt: skip
