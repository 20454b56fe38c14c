"""The market program: who takes which route when capacity is priced, and what it costs.

Goes in: a MarketProblem (arrays), or a road network and its traffic. Comes out: a Clearing, constants that meet observed flows, two ladders
of what binds next, delays that agree with the flows they cause; an Equilibrium of roads.
May import: routing, measures, results, corridor, network, demand, schema, errors.
"""

from karvan.assignment.assembly import Assembly, assemble, effective_capacity, reassembled, stored_constants
from karvan.assignment.calibration import FitOptions, delta_for_shares, fit_constants, theta_for_elasticity
from karvan.assignment.delays import DelayCurves, delay_h, delay_slope_h, read_curves, route_delay_cost, use_share, with_reference
from karvan.assignment.equilibrium import EquilibriumOptions, equilibrium, solve_equilibrium
from karvan.assignment.equilibrium_answer import Equilibrium
from karvan.assignment.equilibrium_problem import EquilibriumProblem, equilibrium_problem
from karvan.assignment.fixed_point import FixedPoint, FixedPointOptions, TwoStarts, solve_fixed_point, solve_from_two_starts
from karvan.assignment.ladder import Rung, ladders
from karvan.assignment.market import (
    Clearing,
    ClearOptions,
    LaidOut,
    MarketProblem,
    clear,
    flows_at,
    queued,
    scaled,
    turned_away,
    with_capacity,
    with_row,
)
from karvan.assignment.part import part_of

__all__ = [
    "Assembly",
    "ClearOptions",
    "Clearing",
    "DelayCurves",
    "Equilibrium",
    "EquilibriumOptions",
    "EquilibriumProblem",
    "FitOptions",
    "FixedPoint",
    "FixedPointOptions",
    "LaidOut",
    "MarketProblem",
    "Rung",
    "TwoStarts",
    "assemble",
    "clear",
    "delay_h",
    "delay_slope_h",
    "delta_for_shares",
    "effective_capacity",
    "equilibrium",
    "equilibrium_problem",
    "fit_constants",
    "flows_at",
    "ladders",
    "part_of",
    "queued",
    "read_curves",
    "reassembled",
    "route_delay_cost",
    "scaled",
    "solve_equilibrium",
    "solve_fixed_point",
    "solve_from_two_starts",
    "stored_constants",
    "theta_for_elasticity",
    "turned_away",
    "use_share",
    "with_capacity",
    "with_reference",
    "with_row",
]
