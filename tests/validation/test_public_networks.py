"""Public networks with known equilibria, from a folder that the variable KARVAN_TNTP names.

The data may be used for research and are no part of the project; without the folder these tests say so and are skipped.
"""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from karvan.assignment import EquilibriumOptions, equilibrium
from karvan.demand import TrafficClass
from karvan.exchange import read_tntp_flows, read_tntp_network, read_tntp_trips
from karvan.network import time_integral, travel_time
from tests.assignment.road_cases import plain_gap

FOLDER = os.environ.get("KARVAN_TNTP")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="KARVAN_TNTP names no folder with public networks (TNTP files)")

# Time that tolls (per cent) and length (per mile) weigh in the published solutions; the files do not say it.
FACTORS = {"ChicagoSketch": (0.02, 0.04)}
NAMES = ("SiouxFalls", "Anaheim", "Winnipeg", "ChicagoSketch")


def load(name):
    folder = Path(FOLDER)
    network = read_tntp_network(folder / f"{name}_net.tntp").network
    trips = read_tntp_trips(folder / f"{name}_trips.tntp", zone_count=network.zone_count)
    toll, length = FACTORS.get(name, (0.0, 0.0))
    traffic = TrafficClass("all", trips, value_of_time=1.0 / toll if toll else np.inf, time_per_length=length)
    known = read_tntp_flows(folder / f"{name}_flow.tntp")
    assert known.select("from_node", "to_node").equals(network.links.select("from_node", "to_node"))
    return network, traffic, known["flow"].to_numpy()


def beckmann(network, traffic, volume):
    fixed = network.links["toll"].to_numpy() / traffic.value_of_time + traffic.time_per_length * network.links["length"].to_numpy()
    return float(time_integral(network, volume).sum() + volume @ fixed)


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_of_1e_10_meets_the_best_known_solution(name):
    network, traffic, known = load(name)
    found = equilibrium(network, traffic, options=EquilibriumOptions(gap=1e-10, threads=2))
    assert found.relative_gap <= 1e-10
    assert found.objective == pytest.approx(beckmann(network, traffic, known), rel=1e-9)
    assert found.time == pytest.approx(travel_time(network, known), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_of_1e_13_meets_its_volumes(name):
    """Volumes are unique only where times rise with them, and on links that are nearly empty they hardly rise."""
    network, traffic, known = load(name)
    found = equilibrium(network, traffic, options=EquilibriumOptions(gap=1e-13, threads=2))
    rises = (network.links["factor"].to_numpy() > 0.0) & (network.links["free_time"].to_numpy() > 0.0)
    assert found.volume[rises] == pytest.approx(known[rises], abs=1e-3)


@pytest.mark.parametrize("name", ["SiouxFalls", "Anaheim"])
def test_the_gap_is_what_plain_python_finds(name):
    network, traffic, _ = load(name)
    found = equilibrium(network, traffic, options=EquilibriumOptions(gap=1e-6))
    assert plain_gap(network, traffic.trips, found.time, found.volume) == pytest.approx(found.relative_gap, abs=1e-12)


def test_sioux_falls_has_its_published_totals():
    """METHODS 1i: Beckmann 42.31335287107440e5, total travel time 7480225.34."""
    network, traffic, _ = load("SiouxFalls")
    found = equilibrium(network, traffic, options=EquilibriumOptions(gap=1e-12))
    assert found.objective == pytest.approx(42.31335287107440e5, rel=1e-12)
    assert found.total_travel_time == pytest.approx(7480225.34, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_one_and_two_threads_give_the_same_digits(name):
    network, traffic, _ = load(name)
    one, two = (equilibrium(network, traffic, options=EquilibriumOptions(gap=1e-6, threads=threads)) for threads in (1, 2))
    assert one.volume.tobytes() == two.volume.tobytes()
    assert one.objective == two.objective


@pytest.mark.parametrize("name", ["SiouxFalls", "Winnipeg"])
def test_a_start_nearby_ends_where_a_cold_one_does(name):
    network, traffic, _ = load(name)
    options = EquilibriumOptions(gap=1e-10, threads=2)
    base = equilibrium(network, traffic, options=options)
    more = TrafficClass("all", traffic.trips.with_columns(pl.col("trips") * 1.05))
    cold, warm = equilibrium(network, more, options=options), equilibrium(network, more, options=options, start=base)
    assert warm.objective == pytest.approx(cold.objective, rel=1e-9)
