"""A shipper's options: state graph, generalised cost, permissions, search, route sets, legs.

Goes in: tables of a snapshot, a date, a carbon price. Comes out: StateGraph, RouteSets, FacilityEntries, legs.
May import: schema, errors, network, demand, corridor, results.
"""

from karvan.routing.centroids import centroid_markets
from karvan.routing.cost import ArcCosts, arc_costs, estimated_rows, payloads
from karvan.routing.families import Families, classify, compile_families
from karvan.routing.graph import StateGraph, build_graph
from karvan.routing.legs import legs
from karvan.routing.permissions import arc_mask


from karvan.routing.sets import COMPONENTS, HOURS, RouteSets
from karvan.routing.uses import FacilityEntries, RevenueRates, cordon_weights, facility_entries, operator_revenue, revenue_rates

__all__ = [
    "COMPONENTS",
    "HOURS",
    "ArcCosts",
    "FacilityEntries",
    "Families",
    "RevenueRates",

    "RouteSets",
    "StateGraph",
    "arc_costs",
    "arc_mask",
    "build_graph",
    "centroid_markets",
    "classify",
    "compile_families",
    "cordon_weights",
    "estimated_rows",
    "facility_entries",
    "legs",
    "operator_revenue",
    "payloads",
    "revenue_rates",

]  # fmt: skip
