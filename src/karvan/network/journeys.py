"""Journeys whose time, money and borders are told leg by leg."""

from __future__ import annotations

from karvan.schema import Table, choice, claim, text, text_id, whole

CAREC_MODES = ("rail", "road")


class Journeys(Table):
    """A named journey from place to place: what published times and rates are about, and corridors to show against their rivals."""

    journey_id = text_id("The journey.", primary_key=True)
    name = text("Name to show.")
    origin_place = text_id("Where it starts.", refers_to="places.place_id")
    destination_place = text_id("Where it ends.", refers_to="places.place_id")
    family_id = text_id("Route family it takes; empty: whichever is cheapest.", refers_to="route_families.family_id", nullable=True)
    commodity_group = text_id("Goods.", refers_to="commodities.commodity_group")
    form = choice("Boxed or loose.", ("boxed", "loose"))
    carec_mode = choice("Sample of border and speed indicators that it belongs to.", CAREC_MODES, nullable=True)
    is_profile = claim("Its time and cost over distance are shown to readers.", default=False)
    corridor_order = whole("Position among the corridors that shippers ask about; empty: none of them.", nullable=True, least=1)
    note = text("For readers; no code reads it.", nullable=True)
