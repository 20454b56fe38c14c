"""The market program: who takes which route when capacity is priced, and what it costs.

Goes in: a MarketProblem (arrays). Comes out: a Clearing, constants that meet observed flows, two ladders of what binds next.
May import: routing, measures, results, corridor, network, demand, schema, errors.
"""

from karvan.assignment.assembly import Assembly, assemble, effective_capacity
from karvan.assignment.calibration import FitOptions, delta_for_shares, fit_constants, theta_for_elasticity
from karvan.assignment.ladder import Rung, as_is_ladder, relieved_ladder
from karvan.assignment.market import (
    Clearing,
    ClearOptions,
    MarketProblem,
    clear,
    flows_at,
    scaled,
    turned_away,
    with_capacity,
)

__all__ = [
    "Assembly",
    "ClearOptions",
    "Clearing",
    "FitOptions",
    "MarketProblem",
    "Rung",
    "as_is_ladder",
    "assemble",
    "clear",
    "delta_for_shares",
    "effective_capacity",
    "fit_constants",
    "flows_at",
    "relieved_ladder",
    "scaled",
    "theta_for_elasticity",
    "turned_away",
    "with_capacity",
]
