"""What is built: places, links, terminals, facilities and their delays, fleets, crossings, operators, cordons, power.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.network.counting import Cordons, RouteFamilies
from karvan.network.crossings import Arrivals, Berths, Calls, Closures, Crossings, Passages, SeaLevels, Ships, Systems
from karvan.network.delays import DelayCurves
from karvan.network.energy import PowerLines, PowerPlants, PowerZones
from karvan.network.facilities import Facilities, FacilityUses, Fleet, Returns, Sailings, Services
from karvan.network.journeys import Journeys
from karvan.network.operators import Operators, Tariffs
from karvan.network.places import Links, Modes, Places, Terminals

__all__ = [
    "Arrivals", "Berths", "Calls", "Closures", "Cordons", "Crossings", "DelayCurves", "Facilities", "FacilityUses", "Fleet", "Journeys",
    "Links", "Modes", "Operators", "Passages", "Places", "PowerLines", "PowerPlants", "PowerZones", "Returns", "RouteFamilies", "Sailings",
    "SeaLevels", "Services", "Ships", "Systems", "Tariffs", "Terminals",
]  # fmt: skip
