"""A shipper's options: state graph, generalised cost, permissions, searches, route sets, legs.

Goes in: tables of a snapshot, a date, a carbon price, prices of what is scarce. Comes out: StateGraph, RouteSpace, RouteSets,
FacilityEntries, legs, a shipper's ways. May import: schema, errors, network, demand, corridor, results.
"""

from karvan.routing.centroids import centroid_markets
from karvan.routing.common_services import ServiceArc, strategy
from karvan.routing.cost import ArcCosts, arc_costs, estimated_rows, payloads
from karvan.routing.families import Families, classify, compile_families
from karvan.routing.graph import MEASURES, StateGraph, build_graph, measured
from karvan.routing.hierarchy import build_hierarchy, contracted, distances
from karvan.routing.legs import legs
from karvan.routing.options import (
    Bounds,
    Criteria,
    Ends,
    SearchOptions,
    Ways,
    bounds_to,
    criteria_of,
    extreme_ways,
    pareto_ways,
    worth_telling,
)
from karvan.routing.permissions import arc_mask
from karvan.routing.redrawn import redrawn
from karvan.routing.refusals import Closing, Opened, opened_by_each
from karvan.routing.reliability import TransitTime
from karvan.routing.route_sets import (
    Entered,
    Standing,
    at_rest,
    entered,
    first_routes,
    price_costs,
    recalled,
    recalled_pool,
    remeasured,
    subset,
    value_per_h,
    with_ways_round,
)
from karvan.routing.sets import COMPONENTS, HOURS, RouteSets
from karvan.routing.space import RouteSetOptions, RouteSpace, repriced, route_space, watching
from karvan.routing.timetable import Timetable, in_month, timetable
from karvan.routing.united import routes_open, united, widest
from karvan.routing.uses import (
    ArcRates,
    EmptyRun,
    FacilityEntries,
    arc_flows,
    arc_rates,
    cordon_weights,
    empty_runs,
    facility_entries,
    operator_revenue,
    rows_of,
)

__all__ = [
    "COMPONENTS",
    "HOURS",
    "MEASURES",
    "ArcCosts",
    "ArcRates",
    "Bounds",
    "Closing",
    "Criteria",
    "EmptyRun",
    "Ends",
    "Entered",
    "FacilityEntries",
    "Families",
    "Opened",
    "RouteSetOptions",
    "RouteSets",
    "RouteSpace",
    "SearchOptions",
    "ServiceArc",
    "Standing",
    "StateGraph",
    "Timetable",
    "TransitTime",
    "Ways",
    "arc_costs",
    "arc_flows",
    "arc_mask",
    "arc_rates",
    "at_rest",
    "bounds_to",
    "build_graph",
    "build_hierarchy",
    "centroid_markets",
    "classify",
    "compile_families",
    "contracted",
    "cordon_weights",
    "criteria_of",
    "distances",
    "empty_runs",
    "entered",
    "estimated_rows",
    "extreme_ways",
    "facility_entries",
    "first_routes",
    "in_month",
    "legs",
    "measured",
    "opened_by_each",
    "operator_revenue",
    "pareto_ways",
    "payloads",
    "price_costs",
    "recalled",
    "recalled_pool",
    "redrawn",
    "remeasured",
    "repriced",
    "route_space",
    "routes_open",
    "rows_of",
    "strategy",
    "subset",
    "timetable",
    "united",
    "value_per_h",
    "watching",
    "widest",
    "with_ways_round",
    "worth_telling",
]  # fmt: skip
