"""What is built: places, links, terminals, facilities and their delays, fleets, operators, cordons, power.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.network.counting import Cordons, RouteFamilies
from karvan.network.delays import DelayCurves
from karvan.network.energy import PowerLines, PowerPlants, PowerZones
from karvan.network.facilities import Facilities, FacilityUses, Fleet, Returns, Sailings, Services
from karvan.network.journeys import Journeys
from karvan.network.operators import Operators, Tariffs
from karvan.network.places import Links, Modes, Places, Terminals, Waypoints

__all__ = [
    "Cordons", "DelayCurves", "Facilities", "FacilityUses", "Fleet", "Journeys", "Links", "Modes", "Operators", "Places", "PowerLines",
    "PowerPlants", "PowerZones", "Returns", "RouteFamilies", "Sailings", "Services", "Tariffs", "Terminals", "Waypoints",
]  # fmt: skip
