"""What is counted where, and how rival routes are grouped."""

from __future__ import annotations

from karvan.network.facilities import DIRECTIONS
from karvan.schema import Table, choice, text, text_id, whole


class Cordons(Table):
    """Named sets of crossings where flow is counted; every published total is one."""

    cordon_id = text_id("The cordon.", primary_key=True)
    link_id = text_id("A link that crosses it.", refers_to="links.link_id", primary_key=True)
    direction = choice("Direction that counts.", DIRECTIONS, primary_key=True)
    commodity_group = text_id("Goods that count.", refers_to="commodities.commodity_group or any", primary_key=True)
    doc = text("What the cordon measures.")
    origin_region = text_id("Only goods from this region count; empty: from any.", refers_to="regions.region_id", nullable=True)
    destination_region = text_id("Only goods to this region count; empty: to any.", refers_to="regions.region_id", nullable=True)


class RouteFamilies(Table):
    """Nests of rival routes. A route belongs to the first row, by `order`, that it satisfies."""

    family_id = text_id("The family.", primary_key=True)
    order = whole("Rank; the lowest that fits wins.", least=1)
    name = text("Name to show.")
    via_any = text("A route uses at least one of these links.", nullable=True, list_of="links.link_id")
    via_all = text("A route uses all of these links.", nullable=True, list_of="links.link_id")
    not_via = text("A route uses none of these links.", nullable=True, list_of="links.link_id")
    commodities = text("Goods it is for, joined by ';', or any.", list_of="commodities.commodity_group or any")
    constant_like = text_id(
        "Family whose fitted constants it takes, because it was not in use in the base year.",
        refers_to="route_families.family_id",
        nullable=True,
    )
    ends_a = text(
        "With ends_b: serves goods between a region of one list and a region of the other, either way; empty: any.",
        nullable=True,
        list_of="regions.region_id",
    )
    ends_b = text("Regions at the other end.", nullable=True, list_of="regions.region_id")
