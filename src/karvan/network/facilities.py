"""Facilities: what can be full, what uses them up, and what must come back. Services and fleets behind them."""

from __future__ import annotations

from karvan.schema import (
    ANY,
    CAPACITY_UNITS,
    LOADING_UNITS,
    Table,
    choice,
    claim,
    day,
    number,
    text,
    text_id,
    whole,
)

DIRECTIONS = ("both", "forward", "backward")
FACILITY_KINDS = (
    "rail_section", "road_section", "berth", "ferry_service", "shipping_service", "border_post", "gauge_yard", "port_yard",
    "pipeline", "oil_terminal", "power_line", "fleet", "contract", "quota",
)  # fmt: skip


class Facilities(Table):
    """A limit. What has no row here has no limit.

    Effective capacity = nominal x availability x payload / peak factor; what is left to the markets of the case is that
    less `other_load`, the traffic that passes but is not modelled.
    """

    facility_id = text_id("The facility.", primary_key=True)
    name = text("Name to show.")
    kind = choice("What it is.", FACILITY_KINDS)
    place_id = text_id("Where it is, if at one place.", refers_to="places.place_id", nullable=True)
    operator_id = text_id("Who owns it and earns its rent.", refers_to="operators.operator_id")
    unit = choice("Unit of capacity, thousands a year.", CAPACITY_UNITS)
    nominal = number("Nominal capacity in thousands of `unit` a year.", unit="unit column", least=0.0, prorate=True)
    availability_share = number("Share of the year it works: weather, off-hire.", least=0.0, most=1.0, prorate=True, default=1.0)
    payload_share = number("Share of full load that draught or weight allows.", above=0.0, most=1.5, prorate=True, default=1.0)
    peak_factor = number("Busiest month over mean month.", least=1.0, prorate=True, default=1.0)
    minimum = number(
        "Flow of the case's markets that a contract pays for whether it comes or not (take or pay); 0: none.",
        unit="unit column", least=0.0, prorate=True, default=0.0,
    )  # fmt: skip
    other_load = number("Load by traffic outside the case, in `unit`.", unit="unit column", least=0.0, prorate=True, default=0.0)
    is_public = claim("Its scarcity is certain enough to be quoted; if false it is told as conditional.", default=True)
    note = text("For readers; no code reads it.", nullable=True)


class FacilityUses(Table):
    """Which link or terminal uses up which facility, for which goods, in which direction."""

    use_id = text_id("The row.", primary_key=True)
    facility_id = text_id("What is used.", refers_to="facilities.facility_id")
    link_id = text_id("By whom: a link ...", refers_to="links.link_id", nullable=True)
    terminal_id = text_id("... or a terminal.", refers_to="terminals.terminal_id", nullable=True)
    direction = choice("Only along (forward) or against (backward) the element's own direction, or both.", DIRECTIONS)
    commodity_group = text_id("Only these goods, or any.", refers_to="commodities.commodity_group or any")
    loading_unit = choice("Only this loading unit, or any.", (*LOADING_UNITS, ANY))
    weight_factor = number(
        "Units used per unit carried; of a facility counted in days, ships or wagons held per unit.", above=0.0, default=1.0
    )
    origin_region = text_id(
        "Only goods from this region, as a quota may say; empty: from any.", refers_to="regions.region_id", nullable=True
    )
    destination_region = text_id("Only goods to this region; empty: to any.", refers_to="regions.region_id", nullable=True)


class Returns(Table):
    """Loading units that must come back: what crosses a link one way, loaded or empty, must cross it the other way.

    Empties take room in the facilities of the link as loaded units do, weigh nothing, and cost what the row says; goods on the way that
    lacks loads are paid for coming.
    """

    return_id = text_id("The balance.", primary_key=True)
    name = text("Name to show.")
    link_id = text_id("Link whose crossings balance.", refers_to="links.link_id")
    loading_unit = choice("What must come back.", LOADING_UNITS)
    commodities = text("Goods whose loading units are of one kind, joined by ';', or any.", list_of="commodities.commodity_group or any")
    empty_usd_per_unit = number("Charge for an empty over the link, either way.", unit="USD/unit", above=0.0)
    operator_id = text_id("Who earns that charge.", refers_to="operators.operator_id")
    note = text("For readers; no code reads it.", nullable=True)


class Services(Table):
    """Regular sailings and trains on a link."""

    service_id = text_id("The service.", primary_key=True)
    link_id = text_id("Link it runs on.", refers_to="links.link_id")
    operator_id = text_id("Who runs it.", refers_to="operators.operator_id")
    departures_per_week = number("Departures a week, each way.", above=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class Sailings(Table):
    """A dated departure on a link, at noon of its day. Goods that give a day of departure wait for it; the market does not read it."""

    sailing_id = text_id("The departure.", primary_key=True)
    link_id = text_id("Link it runs on.", refers_to="links.link_id")
    direction = choice("Along (forward) or against (backward) the link's own direction.", ("forward", "backward"))
    departs_date = day("Day it leaves.")
    note = text("For readers; no code reads it.", nullable=True)


class WaitSeasons(Table):
    """How the wait at a terminal moves through the year. Goods that give a day of departure wait as in that month.

    The market does not read it.
    """

    terminal_id = text_id("Where goods wait.", refers_to="terminals.terminal_id", primary_key=True)
    direction = choice(
        "For goods that change as the terminal's columns say (forward) or the other way (backward).",
        ("forward", "backward"),
        primary_key=True,
    )
    month_number = whole("Month, 1 to 12; all twelve are given, and their mean is 1.", primary_key=True, least=1, most=12)
    wait_ratio = number("Wait of the month over the mean wait of the year; its spread goes with it.", unit="1", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class Fleet(Table):
    """Ships, by owner and class."""

    fleet_id = text_id("The fleet.", primary_key=True)
    name = text("Name to show.")
    operator_id = text_id("Who runs it.", refers_to="operators.operator_id")
    mode = text("Mode of transport.")
    ships_count = number("Ships.", least=0.0, prorate=True)
    payload = number("Full load of one ship, in `unit`.", unit="unit column", above=0.0, nullable=True)
    unit = text("Unit of the payload: t, teu, wagons, vehicles.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)
