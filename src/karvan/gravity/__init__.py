"""How trade answers when it becomes cheaper or dearer to carry goods.

Goes in: shares of what countries buy from each other, and by what factor delivered prices change. Comes out: by what factor trade, wages,
prices and real income change. May import: errors.
"""

from karvan.gravity.response import TradeAnswer, TradeBase, balanced_base, delivered_price_factor, demand_shifters, respond, settle_trade

__all__ = [
    "TradeAnswer", "TradeBase", "balanced_base", "delivered_price_factor", "demand_shifters", "respond", "settle_trade",
]  # fmt: skip
