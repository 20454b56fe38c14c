"""Power: zones with their demand, plants, stores, lines, weather and what borders charge. Oil: prices, outlets and what goes wrong.

Whatever changes with the calendar stands in rows with a year; between two of them it is linear, outside of them it stays.
"""

from __future__ import annotations

from karvan.schema import Table, choice, number, text, text_id, whole

PROFILE_KINDS = ("wind", "solar", "water")
LINE_KINDS = ("ac", "back_to_back", "hvdc")


class PowerZones(Table):
    """A zone has one price in each hour."""

    zone_id = text_id("The zone.", primary_key=True)
    name = text("Name to show.")
    country = text("Country whose consumers and plants these are.")
    synchronous_area = text("Grid with which it runs in step.")
    lat_deg = number("Latitude of its middle.", least=-90.0, most=90.0)
    lon_deg = number("Longitude of its middle.", least=-180.0, most=180.0)
    utc_offset_h = number("Clock of its daily load, hours ahead of UTC.", least=-12.0, most=14.0)
    month_shape_id = text_id("Load by month.", refers_to="power_shapes.shape_id")
    hour_shape_id = text_id("Load by hour of the day.", refers_to="power_shapes.shape_id")
    lost_load_usd_per_mwh = number("What a megawatt-hour is worth that is not served.", above=0.0)


class PowerDemand(Table):
    """Energy and peak of a zone in a year; those of years between are linear."""

    zone_id = text_id("The zone.", refers_to="power_zones.zone_id", primary_key=True)
    year = whole("Calendar year.", least=1900, most=2200, primary_key=True)
    demand_twh = number("Energy used.", above=0.0)
    peak_mw = number("Highest hourly load.", above=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class PowerShapes(Table):
    """A shape over twelve months or over the 24 hours of a day, of mean 1."""

    shape_id = text_id("The shape.", primary_key=True)
    step = whole("Month from 1 to 12, or hour from 0 to 23 by the local clock.", least=0, most=23, primary_key=True)
    level_factor = number("Times the mean.", least=0.0)


class PowerProfiles(Table):
    """What wind, sun or water gives in each hour, as a share of capacity."""

    profile_id = text_id("The profile.", primary_key=True)
    kind = choice("What drives it.", PROFILE_KINDS)
    lat_deg = number("Latitude of the plants.", least=-90.0, most=90.0)
    lon_deg = number("Longitude of the plants.", least=-180.0, most=180.0)
    capacity_factor_share = number("Mean share of capacity over many years.", above=0.0, most=1.0)
    shape_id = text_id("Share by month.", refers_to="power_shapes.shape_id")
    note = text("For readers; no code reads it.", nullable=True)


class PowerPlants(Table):
    """Generation of one technology in a zone."""

    plant_id = text_id("The plants.", primary_key=True)
    zone_id = text_id("Where.", refers_to="power_zones.zone_id")
    technology = text("Technology.")
    marginal_cost_usd_per_mwh = number("Fuel and running cost.", least=0.0)
    co2_t_per_mwh = number("Carbon dioxide at the stack.", unit="t/MWh", least=0.0)
    available_share = number("Share of capacity that can run, over the year.", above=0.0, most=1.0)
    availability_shape_id = text_id("That share by month; empty: the same.", refers_to="power_shapes.shape_id", nullable=True)
    least_share = number("Share of what can run that must: heat, or a reactor.", least=0.0, most=1.0, default=0.0)
    profile_id = text_id("Weather it follows; empty: none.", refers_to="power_profiles.profile_id", nullable=True)
    unit_mw = number("Size of one unit, for the risk of outages; empty: too small to matter.", above=0.0, nullable=True)
    outage_share = number("Share of the time that a unit is out without warning.", least=0.0, most=0.9, default=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class PowerStores(Table):
    """Batteries, pumped storage and reservoirs: energy carried from hour to hour, cyclic over the year."""

    store_id = text_id("The store.", primary_key=True)
    zone_id = text_id("Where.", refers_to="power_zones.zone_id")
    technology = text("Technology.")
    charge_ratio = number("Power it takes, over power it gives; 0 takes none from the grid.", least=0.0)
    energy_h = number("Hours at full power that it holds.", above=0.0)
    round_trip_share = number("Energy that comes back of what was taken.", above=0.0, most=1.0)
    marginal_cost_usd_per_mwh = number("Running cost.", least=0.0)
    profile_id = text_id("Water that flows in, as a share of its power; empty: none.", refers_to="power_profiles.profile_id", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class PowerCapacities(Table):
    """Power installed of plants or of a store in a year; what stands between two years is linear."""

    asset_id = text_id("The plants or the store.", refers_to="power_plants.plant_id or power_stores.store_id", primary_key=True)
    year = whole("Calendar year, its mean.", least=1900, most=2200, primary_key=True)
    capacity_mw = number("Installed.", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class PowerLines(Table):
    """A line between two zones; a cable is two one-way flows, each with its loss, that share its capacity."""

    line_id = text_id("The line.", primary_key=True)
    name = text("Name to show.")
    from_zone = text_id("One end.", refers_to="power_zones.zone_id")
    to_zone = text_id("Other end.", refers_to="power_zones.zone_id")
    kind = choice("How it crosses.", LINE_KINDS)
    capacity_mw = number("Capacity each way, at the sending end.", least=0.0, prorate=True, absent=0.0)
    loss_share = number("Energy lost on the way.", least=0.0, most=0.5)
    running_usd_per_mwh = number("Cost of each megawatt-hour sent: transit fees, and what it takes to agree on a trade.", least=0.0)
    outage_share = number("Share of the time that it is out.", least=0.0, most=0.9, default=0.0)
    length_km = number("Length; empty: not known.", above=0.0, nullable=True)
    owner = text("Who earns what it earns; empty: both ends, by halves.", nullable=True)
    note = text("For readers; no code reads it.", nullable=True)


class PowerBorderCosts(Table):
    """What an importer charges on each megawatt-hour that enters, such as a price on its carbon; between two years linear."""

    from_zone = text_id("Where it comes from.", refers_to="power_zones.zone_id", primary_key=True)
    to_zone = text_id("Where it enters.", refers_to="power_zones.zone_id", primary_key=True)
    year = whole("Calendar year.", least=1900, most=2200, primary_key=True)
    cost_usd_per_mwh = number("Charge.", least=0.0)
    note = text("For readers; no code reads it.", nullable=True)


class CrudePrices(Table):
    """Price of crude at the place against which outlets are told, whose access costs hold what they fetch less; between years linear."""

    year = whole("Calendar year.", least=1900, most=2200, primary_key=True)
    price_usd_per_bbl = number("Mean of the year there.", unit="USD/bbl", above=0.0)
    bbl_per_t = number("Barrels in a tonne of that crude.", unit="bbl/t", least=6.0, most=9.0)
    note = text("For readers; no code reads it.", nullable=True)


class CrudeOutlets(Table):
    """Where a route family of crude oil sells, and as what. What it fetches less there stands once, in the access cost of that place."""

    family_id = text_id("The route family.", refers_to="route_families.family_id", primary_key=True)
    outlet = text("Where it sells.")
    grade = text("As which crude.")
    bbl_per_t = number("Barrels in a tonne of that crude: grades are never mixed.", unit="bbl/t", least=6.0, most=9.0)
    loss_share = number("Oil lost on the way.", least=0.0, most=0.1)
    storage_kt = number(
        "Tanks along the way that can take oil while the rest of the route stands; empty: not known.", least=0.0, nullable=True
    )
    note = text("For readers; no code reads it.", nullable=True)


class OilDisruptions(Table):
    """Something that goes wrong with a route, as a measure, how often and for how long."""

    disruption_id = text_id("The disruption.", primary_key=True)
    name = text("Name to show.")
    measure_id = text("Measure that says what is lost while it lasts.")
    period = text("Month or year in which it is solved, such as 2025-12 or 2027.")
    second_family_id = text_id("Route whose worth as a way out is told.", refers_to="route_families.family_id", nullable=True)
    without_measure_id = text("Measure that closes that route.", nullable=True)
    per_year = number("How often it happens in a year, in the mean.", unit="1/year", above=0.0)
    lasts_d = number("Days that it lasts.", above=0.0)
    note = text("For readers; no code reads it.", nullable=True)
