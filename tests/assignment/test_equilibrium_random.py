"""Random road networks of every kind: the answer is an equilibrium by plain Python, or the pairs that no road joins are named."""

import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from karvan.assignment import EquilibriumOptions, equilibrium
from karvan.demand import ElasticDemand, TrafficClass
from karvan.errors import DataError
from karvan.network import road_network
from tests.assignment.road_cases import plain_costs, plain_distances


def made_up(seed: int):
    """Directed links at random, parallel ones and loops among them, some times zero, some zones closed; one to three classes."""
    random = np.random.default_rng(seed)
    nodes, zones = int(random.integers(4, 12)), int(random.integers(2, 5))
    count = int(random.integers(2 * nodes, 5 * nodes))
    function = random.choice(["bpr", "conical", "akcelik"], count, p=[0.7, 0.2, 0.1])
    links = pl.DataFrame(
        {
            "from_node": random.integers(1, nodes + 1, count),
            "to_node": random.integers(1, nodes + 1, count),
            "function": function,
            "free_time": random.choice([0.0, 1.0, 2.5, 7.0], count, p=[0.1, 0.4, 0.3, 0.2]),
            "capacity": random.uniform(5.0, 50.0, count),
            "factor": np.where(function == "akcelik", 0.4, random.choice([0.0, 0.15, 2.0], count)),
            "power": np.where(function == "conical", random.uniform(1.5, 6.0, count), random.choice([0.0, 1.0, 3.7, 4.0, 5.0], count)),
            "toll": random.choice([0.0, 3.0], count),
            "length": random.uniform(0.0, 2.0, count),
        }
    )
    ids = np.arange(1, zones + 1)
    network = road_network(links, zones=ids, closed_zones=ids[random.random(zones) < 0.5])
    classes = []
    for number in range(int(random.integers(1, 4))):
        pairs = [(int(a), int(b), float(random.uniform(0.0, 15.0))) for a in ids for b in ids if random.random() < 0.6]
        trips = pl.DataFrame(pairs, schema={"origin": pl.Int64, "destination": pl.Int64, "trips": pl.Float64}, orient="row")
        elastic = None
        if random.random() < 0.4:
            function = str(random.choice(["isoelastic", "exponential"]))
            elasticity = float(random.choice([0.2, 1.0] if function == "isoelastic" else [0.02, 0.1]))
            elastic = ElasticDemand(base_cost=10.0, elasticity=elasticity, function=function, price=5.0)
        classes.append(
            TrafficClass(
                f"class_{number}",
                trips,
                unit_equivalent=float(random.choice([1.0, 2.0])),
                value_of_time=float(random.choice([0.5, 2.0, math.inf])),
                time_per_length=float(random.choice([0.0, 0.3])),
                is_allowed=None if random.random() < 0.7 else random.random(count) < 0.9,
                elastic=elastic,
            )
        )
    return network, classes


def borne(network, one: TrafficClass, time: np.ndarray) -> np.ndarray:
    """What each link costs a class, infinite where it may not go."""
    cost = time + network.links["toll"].to_numpy() / one.value_of_time + one.time_per_length * network.links["length"].to_numpy()
    return cost if one.is_allowed is None else np.where(one.is_allowed, cost, np.inf)


def wanted(elastic: ElasticDemand, trips: float, cost: float) -> float:
    """Trips made at a cost."""
    if elastic.function == "exponential":
        return trips * math.exp(-elastic.elasticity * (cost - elastic.base_cost))
    return trips * ((elastic.price + cost) / (elastic.price + elastic.base_cost)) ** -elastic.elasticity


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_the_answer_is_an_equilibrium_or_names_who_cannot_travel(seed):
    network, classes = made_up(seed)
    empty = plain_costs(network, np.zeros(network.links.height))
    cut_off = {
        (one.name, origin, destination)
        for one in classes
        for origin, destination, trips in one.trips.iter_rows()
        if origin != destination and trips > 0.0
        if not plain_distances(network, borne(network, one, empty), origin)[destination] < math.inf
    }
    try:
        found = equilibrium(network, classes, options=EquilibriumOptions(gap=1e-6, max_iterations=500))
    except DataError as error:
        refusal = str(error)
    else:
        refusal = ""
    if cut_off:
        assert "no road that" in refusal
        assert any(f"{name} may use leads from {origin} to {destination};" in refusal for name, origin, destination in cut_off)
        return
    assert refusal == ""
    time = plain_costs(network, found.volume)
    total, cheapest = 0.0, 0.0
    for one in classes:
        cost = borne(network, one, time)
        flow = found.links[f"flow_{one.name}"].to_numpy()
        total += one.unit_equivalent * float(flow[flow > 0.0] @ cost[flow > 0.0])
        told = found.pairs.filter(pl.col("class") == one.name).select("origin", "destination", "trips")
        made = {(origin, destination): trips for origin, destination, trips in told.iter_rows()}
        least = {origin: plain_distances(network, cost, origin) for origin in one.trips["origin"].unique().to_list()}
        travelling = one.trips.filter((pl.col("trips") > 0.0) & (pl.col("origin") != pl.col("destination")))
        for origin, destination, trips in travelling.iter_rows():
            u = least[origin][destination]
            cheapest += one.unit_equivalent * made[origin, destination] * u
            if one.elastic is None:
                assert made[origin, destination] == trips
            else:
                assert math.isclose(
                    made[origin, destination], wanted(one.elastic, trips, u), rel_tol=0.05, abs_tol=1e-2 * trips
                )  # small pairs may be coarse
    assert -1e-9 * total <= total - cheapest <= 1.01e-6 * total + 1e-12
