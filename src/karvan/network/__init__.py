"""What is built: places, links, terminals, facilities and their delays, fleets, operators, cordons, power.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.network.counting import Cordons, RouteFamilies
from karvan.network.delays import DelayCurves
from karvan.network.energy import PowerLines, PowerPlants, PowerZones
from karvan.network.facilities import Facilities, FacilityUses, Fleet, Returns, Sailings, Services
from karvan.network.journeys import Journeys
from karvan.network.limits import Depths, Limits, SeaLevels, Vessels
from karvan.network.operators import Operators, Tariffs
from karvan.network.places import Links, Modes, Places, Terminals
from karvan.network.quotes import Surcharges, ThroughRates

__all__ = [
    "Cordons", "DelayCurves", "Depths", "Facilities", "FacilityUses", "Fleet", "Journeys", "Limits", "Links", "Modes", "Operators",
    "Places", "PowerLines", "PowerPlants", "PowerZones", "Returns", "RouteFamilies", "Sailings", "SeaLevels", "Services", "Surcharges",
    "Tariffs", "Terminals", "ThroughRates", "Vessels",
]  # fmt: skip
