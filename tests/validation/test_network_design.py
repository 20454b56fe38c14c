"""Network design on Sioux Falls, from a folder that the variable KARVAN_TNTP names; skipped without it.

Total time in a system optimum is convex in capacities, x (1 + b (x / K)^p) being so in x and K together, so that the search of portfolios
proves its answer there; total time in a user equilibrium is not (Braess), so that sets are tried one by one.
"""

import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from karvan.appraisal import Fund, PortfolioProblem, Project, Worth, best_plans
from karvan.appraisal.portfolio import NEVER
from karvan.assignment import EquilibriumOptions, equilibrium
from karvan.demand import TrafficClass
from karvan.exchange import read_tntp_network, read_tntp_trips
from karvan.network import travel_time

FOLDER = os.environ.get("KARVAN_TNTP")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="KARVAN_TNTP names no folder with public networks (TNTP files)")
GAP = 1e-6
PAIRS = ((6, 8), (13, 24), (10, 16), (8, 6), (24, 13))


@pytest.fixture(scope="module")
def sioux_falls():
    network = read_tntp_network(Path(FOLDER) / "SiouxFalls_net.tntp").network
    return network, TrafficClass("all", read_tntp_trips(Path(FOLDER) / "SiouxFalls_trips.tntp", zone_count=network.zone_count))


def total_time(network, traffic, *, is_system_optimum):
    found = equilibrium(network, traffic, is_system_optimum=is_system_optimum, options=EquilibriumOptions(gap=GAP, max_iterations=2000))
    return float(found.volume @ travel_time(network, found.volume)), found.volume


def wider(network, is_open):
    """The network with half as much capacity again on the links of open projects."""
    grown = np.ones(network.links.height)
    ends = list(network.links.select("from_node", "to_node").iter_rows())
    for pair, is_in in zip(PAIRS, is_open, strict=True):
        grown[ends.index(pair)] += 0.5 * is_in
    return replace(network, links=network.links.with_columns(pl.col("capacity") * grown))


def test_the_search_equals_trying_all_sets_on_a_public_network(sioux_falls):
    """Five links that may be widened at costs of 3 to 7, 12 to spend: capacities that save most total time."""
    network, traffic = sioux_falls
    costs = (7.0, 5.0, 4.0, 6.0, 3.0)
    known = {}

    def worth(is_open, year):
        key = is_open.tobytes()
        if key not in known:
            roads = wider(network, is_open)
            total, volume = total_time(roads, traffic, is_system_optimum=True)
            free, factor, power, size = (roads.links[name].to_numpy() for name in ("free_time", "factor", "power", "capacity"))
            by_size = free * factor * power * volume * (volume / size) ** power / size
            ends = list(roads.links.select("from_node", "to_node").iter_rows())
            places = [ends.index(pair) for pair in PAIRS]
            added = 0.5 * network.links["capacity"].to_numpy()[places]
            known[key] = Worth(-total, by_size[places] * added)
        return known[key]

    projects = tuple(Project(f"{one}-{other}", (cost,), {"fund": 1.0}) for (one, other), cost in zip(PAIRS, costs, strict=True))
    problem = PortfolioProblem(projects, (Fund("fund", (12.0,)),), worth, 0.0, np.ones(1))
    (plan,) = best_plans(problem, gap=1e-5)
    sets = [np.array(each) for each in product([False, True], repeat=5) if np.dot(each, costs) <= 12.0]
    value = {each.tobytes(): worth(each, 0).welfare - float(np.dot(each, costs)) for each in sets}
    assert plan.value == pytest.approx(max(value.values()), rel=1e-5)
    assert (plan.start != NEVER).any()
    users, _ = total_time(wider(network, plan.start != NEVER), traffic, is_system_optimum=False)
    assert users >= -worth(plan.start != NEVER, 0).welfare * (1.0 - 1e-5)
