"""What is built: places, links, terminals, facilities and their delays, fleets, crossings, operators, cordons, power, roads.

Goes in: nothing. Comes out: one declared table per noun, and road networks of other programs. May import: schema, errors.
"""

from karvan.network.administrations import Administrations, TariffRules
from karvan.network.cabotage import Cabotage
from karvan.network.counting import Cordons, RouteFamilies
from karvan.network.crossings import Arrivals, Berths, Calls, Closures, Crossings, Passages, SeaLevels, Ships, Systems
from karvan.network.delays import DelayCurves, RoadCurves
from karvan.network.energy import (
    CrudeOutlets,
    CrudePrices,
    OilDisruptions,
    PowerBorderCosts,
    PowerCapacities,
    PowerDemand,
    PowerLines,
    PowerPlants,
    PowerProfiles,
    PowerShapes,
    PowerStores,
    PowerZones,
)
from karvan.network.facilities import Facilities, FacilityUses, Fleet, Returns, Sailings, Services, WaitSeasons
from karvan.network.journeys import Journeys
from karvan.network.limits import Limits
from karvan.network.operators import Operators, Tariffs
from karvan.network.places import Links, Modes, Places, Terminals, Waypoints
from karvan.network.power_system import Lines, Plants, PowerSystem, Stores
from karvan.network.quotes import Surcharges, ThroughRates
from karvan.network.roads import LINK_COLUMNS, RoadNetwork, road_network, time_integral, travel_time
from karvan.network.water import sea_level_m, sea_level_paths

__all__ = [
    "LINK_COLUMNS", "Administrations", "Arrivals", "Berths", "Cabotage", "Calls", "Closures", "Cordons", "Crossings", "CrudeOutlets",
    "CrudePrices", "DelayCurves", "Facilities", "FacilityUses", "Fleet", "Journeys", "Limits", "Lines", "Links", "Modes",
    "OilDisruptions", "Operators", "Passages", "Places", "Plants", "PowerBorderCosts", "PowerCapacities", "PowerDemand", "PowerLines",
    "PowerPlants", "PowerProfiles", "PowerShapes", "PowerStores", "PowerSystem", "PowerZones", "Returns", "RoadCurves", "RoadNetwork",
    "RouteFamilies", "Sailings", "SeaLevels", "Services", "Ships", "Stores", "Surcharges", "Systems", "TariffRules", "Tariffs",
    "Terminals", "ThroughRates", "WaitSeasons", "Waypoints", "road_network", "sea_level_m", "sea_level_paths", "time_integral",
    "travel_time",
]  # fmt: skip
