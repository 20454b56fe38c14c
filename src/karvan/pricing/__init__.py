"""What operators along one corridor charge when each sets its own margin, when they sell one through tariff, and how they share it.

Goes in: the market as a function of margins, members, weights. Comes out: margins, profits, how much any member could gain by leaving, and
splits. May import: errors.
"""

from karvan.pricing.game import (
    Alliance,
    Margins,
    Market,
    Outcome,
    Search,
    alliances,
    gain_alone_kusd,
    joint_margins,
    nash_margins,
    welfare_margins,
)
from karvan.pricing.rules import rule_for, usd_per_t
from karvan.pricing.splits import bargained, shapley, side_payments
from karvan.pricing.stability import stability_share

__all__ = [
    "Alliance", "Margins", "Market", "Outcome", "Search", "alliances", "bargained", "gain_alone_kusd", "joint_margins", "nash_margins",
    "rule_for", "shapley", "side_payments", "stability_share", "usd_per_t", "welfare_margins",
]  # fmt: skip
