"""What operators along one corridor charge when each sets its own margin, when they sell one through tariff, and how they share it.

Goes in: the market as a function of margins, members, weights. Comes out: margins, profits, how much any member could gain by leaving, and
splits. May import: errors.
"""

from karvan.tariffs.game import Alliance, Margins, Outcome, alliances, joint_margins, nash_margins, welfare_margins
from karvan.tariffs.splits import bargained, shapley, side_payments

__all__ = [
    "Alliance", "Margins", "Outcome", "alliances", "bargained", "joint_margins", "nash_margins", "shapley", "side_payments",
    "welfare_margins",
]  # fmt: skip
