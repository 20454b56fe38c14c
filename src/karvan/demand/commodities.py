"""Commodity groups and how they are loaded."""

from __future__ import annotations

from karvan.schema import LOADING_UNITS, Table, choice, number, text, text_id


class Commodities(Table):
    """Commodity groups and what time, delay and money mean to them."""

    commodity_group = text_id("The group.", primary_key=True)
    name = text("Name to show.")
    aliases = text("Other names, joined by ';'.", nullable=True)
    value_usd_per_t = number("Value of the goods.", above=0.0)
    capital_share_per_year = number("Interest on goods under way.", least=0.0)
    depreciation_share_per_year = number("Loss of value under way.", least=0.0)
    time_value_factor = number("Multiplier on interest and depreciation.", least=0.0)
    reliability_ratio = number("Value of a day of standard deviation over value of a day.", least=0.0)
    demand_elasticity_ratio = number("sigma: elasticity of demand to delivered cost; 0 is fixed demand.", least=0.0)
    route_theta_per_usd_per_t = number("Spread of route choice within a family.", above=0.0)
    family_theta_per_usd_per_t = number("Spread of choice between families; at most the route's.", above=0.0)
    not_shipped_usd_per_t = number("Penalty of not shipping at all.", above=0.0)


class CommodityUnits(Table):
    """Loading units that a commodity group may use, and the payload of one: t per TEU, wagon or vehicle; 1 for bulk and liquid."""

    commodity_group = text_id("The group.", refers_to="commodities.commodity_group", primary_key=True)
    loading_unit = choice("Loading unit.", LOADING_UNITS, primary_key=True)
    payload_t_per_unit = number("Payload of one unit, net of tare.", above=0.0)
