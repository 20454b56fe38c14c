"""What the model is fitted to, and what the fit gave."""

from __future__ import annotations

from karvan.demand.markets import FORMS
from karvan.schema import Table, choice, number, text, text_id

QUANTITIES = ("own_cost_elasticity", "family_kt", "cordon_kt", "cordon_kteu")


class CalibrationTargets(Table):
    """Observed base-year values that calibration must meet; nothing else is fitted."""

    target_id = text_id("The target.", primary_key=True)
    quantity = choice(
        "own_cost_elasticity: of a family's goods to their own cost, without sign; family_kt: by route family and goods; cordon_kt and"
        " cordon_kteu: totals over a cordon.",
        QUANTITIES,
    )
    family_id = text_id("Route family.", refers_to="route_families.family_id", nullable=True)
    commodity_group = text_id("Goods, or any.", refers_to="commodities.commodity_group or any")
    cordon_id = text_id("Cordon.", refers_to="cordons.cordon_id", nullable=True)
    value = number("Observed value.", unit="kt, thousand TEU or 1, by quantity", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class Constants(Table):
    """Fitted: what makes a route family dearer or cheaper to a commodity group than its costs say."""

    family_id = text_id("Route family.", refers_to="route_families.family_id", primary_key=True)
    commodity_group = text_id("Goods.", refers_to="commodities.commodity_group", primary_key=True)
    constant_usd_per_t = number("Added to the family's cost.")


class DemandFactors(Table):
    """Fitted: factors on base-year flows that meet the totals."""

    commodity_group = text_id("Goods.", refers_to="commodities.commodity_group", primary_key=True)
    form = choice("Boxed or loose.", FORMS, primary_key=True)
    demand_factor = number("Factor on the market's flow.", least=0.0)


class BaseCosts(Table):
    """Fitted: composite cost of each market in the calibrated base year, scarcity included."""

    market_id = text_id("The market.", refers_to="demand.market_id", primary_key=True)
    origin_node = text_id("Place or region where it starts.", primary_key=True)
    destination_node = text_id("Place or region where it ends.", primary_key=True)
    base_cost_usd_per_t = number("Composite cost.")
