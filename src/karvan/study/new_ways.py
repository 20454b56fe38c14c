"""What routes on new ways gain beside those that they run beside, where path sizes by themselves would have them take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.assignment import Assembly, MarketProblem, flows_at
from karvan.routing import RouteSets
from karvan.routing.sets import SHUT_USD_PER_T

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_SHARPNESS = 5.0
"""How much sharper than the choice itself likelihood in overlaps is; beyond it what ways gain hardly moves (decision 0024)."""
_LEAST_SIZE = 1e-12


@dataclass(frozen=True)
class NewWays:
    """Path sizes of a program's routes with new ways and without, plain and by likelihood.

    A plain path size counts every route on a leg alike, so that a new route which is far dearer than those beside it takes as much weight
    from them as a good one would. By likelihood a route counts on its legs by exp(-5 th (c - c0)), c0 being the least cost of those on the
    leg of its market and family: the dear ones take little.

    Attributes:
        is_new: Routes on new ways, shape (routes,).
        plain, likely: Path sizes with the new ways and without, each of shape (routes,).

    Source:
        Duncan, Watling, Connors, Rasmussen, Nielsen (2020), Path size logit route choice models: issues with current models, a new
        internally consistent approach, and parameter estimation on a large-scale network with GPS data, Transportation Research B 135.
        Theirs weighs by the probabilities themselves; this by costs, which need no fixed point.
    """

    is_new: BoolArray
    plain: tuple[FloatArray, FloatArray]
    likely: tuple[FloatArray, FloatArray]

    def more_kusd(self, problem: MarketProblem, route_cost_usd_per_t: FloatArray) -> FloatArray:
        """What the new ways gain more by likelihood than by plain path sizes, at given costs, thousand USD, shape (markets,).

        Args:
            problem: The program.
            route_cost_usd_per_t: Cost of each route with prices and delays where the new ways are open, shape (routes,).
        """
        closed = np.where(self.is_new, SHUT_USD_PER_T, route_cost_usd_per_t)
        no_price = np.zeros(problem.row_capacity.shape[0])

        def surplus(cost: FloatArray, size: FloatArray) -> FloatArray:
            return flows_at(replace(problem, route_cost_usd_per_t=cost, route_path_size=size), no_price).consumer_surplus_kusd

        gains = [surplus(route_cost_usd_per_t, within) - surplus(closed, without) for within, without in (self.likely, self.plain)]
        return np.asarray(gains[0] - gains[1])


def new_ways(assembly: Assembly, sets: RouteSets, is_open: BoolArray, is_new: BoolArray) -> NewWays:
    """New ways of a program.

    Args:
        assembly: The program.
        sets: Its routes.
        is_open: Routes that are open with the new ways, shape (routes of the sets,).
        is_new: Those of them that are not without, shape (routes of the sets,).
    """
    of, problem = assembly.route_of, assembly.problem
    theta = np.ones(sets.route_count)
    by_program = np.repeat(problem.family_theta, np.diff(problem.family_first_route))
    theta[of[of >= 0]] = by_program[of >= 0]

    def on_program(size: FloatArray) -> FloatArray:
        return np.where(of >= 0, size[of], problem.route_path_size)

    states = (is_open, is_open & ~is_new)
    cost = replace(sets, is_open=None).cost_usd_per_t
    return NewWays(
        np.where(of >= 0, is_new[of], False),
        (on_program(replace(sets, overlaps=states[0]).path_size), on_program(replace(sets, overlaps=states[1]).path_size)),
        (on_program(_likely(sets, states[0], theta, cost)), on_program(_likely(sets, states[1], theta, cost))),
    )


def _likely(sets: RouteSets, counted: BoolArray, theta: FloatArray, cost: FloatArray) -> FloatArray:
    """Path sizes where routes count on their legs by how likely they are, shape (routes of the sets,)."""
    nest = sets.route_market * len(sets.family_ids) + sets.route_family
    step = sets.route_of_step
    leg = sets.leg_cost[sets.market_goods[sets.route_market][step], sets.route_arc]
    length = np.bincount(step, weights=leg, minlength=sets.route_count)
    _, place = np.unique(nest[step] * sets.graph.arc_count + sets.route_arc, return_inverse=True)
    is_in = counted[step]
    least = np.full(int(place.max(initial=-1)) + 1, np.inf)  # of those on the leg: what is far from all others is near itself
    np.minimum.at(least, place[is_in], cost[step[is_in]])
    away = np.where(is_in, cost[step] - np.where(is_in, least[place], 0.0), 0.0)
    weight = np.where(is_in, np.exp(-_SHARPNESS * theta[step] * away), 0.0)
    users = np.bincount(place, weights=weight)[place]
    part = np.divide(leg * weight, users, out=np.zeros(step.shape[0]), where=users > 0.0)
    shared = np.bincount(step, weights=part, minlength=sets.route_count)
    size = np.divide(shared, length, out=np.ones(sets.route_count), where=length > 0.0)
    return np.where(counted, np.maximum(size, _LEAST_SIZE), 1.0)
