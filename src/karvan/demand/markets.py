"""Regions, demand, growth, permissions, trade."""

from __future__ import annotations

from karvan.schema import ANY, LOADING_UNITS, Table, choice, claim, day, number, text, text_id, whole

FORMS = ("boxed", "loose")
SIDES = ("origin", "destination", "both")
EFFECTS = ("ban", "needs_check", "allow")


class Regions(Table):
    """Where goods come from and go to."""

    region_id = text_id("The region.", primary_key=True)
    name = text("Name to show.")
    countries = text("Countries, ISO 3166 two letters, joined by ';'.")


class RegionPlaces(Table):
    """Ties a region to places. Rows with a share split its goods; rows without one are alternatives that routes choose from."""

    region_id = text_id("The region.", refers_to="regions.region_id", primary_key=True)
    side = choice("For goods that start here, end here, or both.", SIDES, primary_key=True)
    commodity_group = text_id(
        "For these goods; the more specific row wins over any.", refers_to="commodities.commodity_group or any", primary_key=True
    )
    place_id = text_id("The place.", refers_to="places.place_id", primary_key=True)
    loading_unit = choice("Only in this loading unit, or any.", (*LOADING_UNITS, ANY), primary_key=True)
    share = number("Share of the region's goods; empty: an alternative.", unit="1", least=0.0, most=1.0, nullable=True)
    access_cost_usd_per_t = number(
        "Cost between the region and the place, or discount of its price below the best market's.", least=0.0, default=0.0
    )
    access_time_h = number("Time between the region and the place.", least=0.0, default=0.0)


class Demand(Table):
    """A market: what must move in the base year from region to region, by all routes together."""

    market_id = text_id("The market.", primary_key=True)
    origin_region = text_id("From.", refers_to="regions.region_id")
    destination_region = text_id("To.", refers_to="regions.region_id")
    commodity_group = text_id("Goods.", refers_to="commodities.commodity_group")
    form = choice("Boxed: in containers only; loose: in anything but containers.", FORMS)
    flow_kt = number("Base-year flow by all routes.", least=0.0, prorate=True, absent=0.0)
    growth_id = text_id("How it grows.", refers_to="growth.growth_id")
    block = text_id("Block of a published total it belongs to.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class Growth(Table):
    """Growth of demand by group of markets, from a year on."""

    growth_id = text_id("The group.", primary_key=True)
    from_year = whole("First year of the rate.", primary_key=True)
    rate_share_per_year = number("Growth.", least=-0.5, most=0.5)
    low_share_per_year = number("Low end of the range.", least=-0.5, most=0.5)
    high_share_per_year = number("High end of the range.", least=-0.5, most=0.5)


class Seasons(Table):
    """How some goods move through the year: what a month takes over the mean month. Goods without rows move evenly."""

    commodity_group = text_id("The goods.", refers_to="commodities.commodity_group", primary_key=True)
    month_number = whole("Month, 1 to 12; all twelve are given, and their mean is 1.", primary_key=True, least=1, most=12)
    season_factor = number("Flow of the month over that of the mean month.", unit="1", least=0.0)


class Permissions(Table):
    """A rule that removes arcs for some goods. Closed is closed: the arc is absent, never dear."""

    permission_id = text_id("The rule.", primary_key=True)
    link_id = text_id("Link it closes ...", refers_to="links.link_id", nullable=True)
    terminal_id = text_id("... or terminal ...", refers_to="terminals.terminal_id", nullable=True)
    country = text("... or every link that touches this country (ISO 3166 two letters).", nullable=True)
    commodity_group = text_id("Goods, or any.", refers_to="commodities.commodity_group or any")
    loading_unit = choice("Loading unit, or any.", (*LOADING_UNITS, ANY))
    origin_region = text_id("Origin, or any.", refers_to="regions.region_id or any")
    destination_region = text_id("Destination, or any.", refers_to="regions.region_id or any")
    from_date = day("First day in force; empty: always.", nullable=True)
    until_date = day("First day no longer in force; empty: no end.", nullable=True)
    in_force = claim("Applies at all.", switch=True, default=True)
    effect = choice(
        "What it means to a shipper; the market leaves the arcs out in any case. ban: may not pass; needs_check: passes only if someone "
        "who knows the case says so; allow: may pass, as the row only says in which market the goods are counted.",
        EFFECTS, default="ban",
    )  # fmt: skip
    rule = text("What it says.")


class Trade(Table):
    """Value of trade between two regions."""

    exporter = text_id("From.", refers_to="regions.region_id", primary_key=True)
    importer = text_id("To.", refers_to="regions.region_id", primary_key=True)
    year = whole("Year.", primary_key=True)
    value_musd = number("Value.", least=0.0)
