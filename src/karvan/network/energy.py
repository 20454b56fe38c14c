"""Power: zones, plants and lines."""

from __future__ import annotations

from karvan.schema import Table, number, text, text_id


class PowerZones(Table):
    """A zone has one price in each hour."""

    zone_id = text_id("The zone.", primary_key=True)
    name = text("Name to show.")
    demand_twh = number("Energy used in a year.", least=0.0, prorate=True)
    peak_mw = number("Highest hourly load.", least=0.0, prorate=True)


class PowerPlants(Table):
    """Generation of one technology in a zone."""

    plant_id = text_id("The plants.", primary_key=True)
    zone_id = text_id("Where.", refers_to="power_zones.zone_id")
    technology = text("Technology.")
    capacity_mw = number("Installed capacity.", least=0.0, prorate=True)
    marginal_cost_usd_per_mwh = number("Fuel and running cost.", least=0.0)


class PowerLines(Table):
    """A line between two zones; a cable is two one-way flows that share its capacity."""

    line_id = text_id("The line.", primary_key=True)
    from_zone = text_id("One end.", refers_to="power_zones.zone_id")
    to_zone = text_id("Other end.", refers_to="power_zones.zone_id")
    capacity_mw = number("Capacity each way.", least=0.0, prorate=True)
    loss_share = number("Energy lost on the way.", least=0.0, most=0.5)
