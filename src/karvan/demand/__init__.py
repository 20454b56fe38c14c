"""What must move: regions, commodities, markets, growth, permissions, and what the model is fitted to.

Goes in: nothing. Comes out: one declared table per noun. May import: schema, errors.
"""

from karvan.demand.commodities import Commodities, CommodityUnits
from karvan.demand.fitting import BaseCosts, CalibrationTargets, Constants, DemandFactors
from karvan.demand.markets import Demand, Growth, Permissions, RegionPlaces, Regions, Seasons, Trade
from karvan.demand.trading import Economies, EconomyRegions, Forecasts, JointVentures, TradeElasticities, TradeGoods
from karvan.demand.trips import TRIP_COLUMNS, ElasticDemand, TrafficClass

__all__ = [
    "TRIP_COLUMNS", "BaseCosts", "CalibrationTargets", "Commodities", "CommodityUnits", "Constants", "Demand", "DemandFactors",
    "Economies", "EconomyRegions", "ElasticDemand", "Forecasts", "Growth", "JointVentures", "Permissions", "RegionPlaces", "Regions",
    "Seasons", "Trade", "TradeElasticities", "TradeGoods", "TrafficClass",
]  # fmt: skip
