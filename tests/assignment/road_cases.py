"""Small road networks, and plain answers to hold the compiled ones against."""

import math

import numpy as np
import polars as pl

from karvan.demand import TrafficClass
from karvan.network import RoadNetwork, road_network

# Braess: METHODS 1i. Nodes 1 (origin), 2, 3, 4 (destination); times 10 v, 50 + v, 50 + v, 10 v and 10 + v over the bridge.
BRAESS = [(1, 2, 0.0, 10.0), (1, 3, 50.0, 1.0), (2, 4, 50.0, 1.0), (3, 4, 0.0, 10.0), (2, 3, 10.0, 1.0)]


def linear(links: list[tuple[int, int, float, float]], *, zones: list[int], **extra: list[float]) -> RoadNetwork:
    """A network whose link times are start + slope v; BPR needs a start, so nothing stands for a very small one."""
    start = np.array([max(link[2], 1e-9) for link in links])
    frame = pl.DataFrame(
        {
            "from_node": [link[0] for link in links],
            "to_node": [link[1] for link in links],
            "free_time": start,
            "capacity": np.ones(len(links)),
            "factor": np.array([link[3] for link in links]) / start,
            "power": np.ones(len(links)),
            **extra,
        }
    )
    return road_network(frame, zones=zones)


def one_class(*pairs: tuple[int, int, float], name: str = "all", **options) -> TrafficClass:
    columns = {"origin": pl.Int64, "destination": pl.Int64, "trips": pl.Float64}
    return TrafficClass(name, pl.DataFrame(list(pairs), schema=columns, orient="row"), **options)


def grid(seed: int, *, side: int = 4, zones: int = 4, functions: tuple[str, ...] = ("bpr",)) -> tuple[RoadNetwork, pl.DataFrame]:
    """A made-up grid with two-way streets, some cut, and trips between all its zones."""
    random = np.random.default_rng(seed)
    ends = []
    for node in range(side * side):
        row, column = divmod(node, side)
        right = [node + 1] if column + 1 < side else []
        below = [node + side] if row + 1 < side else []
        for other in right + below:
            ends += [(node + 1, other + 1), (other + 1, node + 1)]
    count = len(ends)
    function = random.choice(functions, count)
    frame = pl.DataFrame(
        {
            "from_node": [end[0] for end in ends],
            "to_node": [end[1] for end in ends],
            "function": function,
            "free_time": random.uniform(1.0, 5.0, count),
            "capacity": random.uniform(20.0, 60.0, count),
            "factor": np.where(function == "akcelik", random.uniform(0.1, 1.0, count), 0.15),
            "power": np.where(function == "conical", random.uniform(2.0, 6.0, count), random.choice([1.0, 2.5, 4.0], count)),
            "period": np.full(count, 60.0),
        }
    )
    places = np.sort(random.choice(np.arange(1, side * side + 1), zones, replace=False))
    pairs = [(int(a), int(b), float(random.uniform(5.0, 40.0))) for a in places for b in places if a != b]
    trips = pl.DataFrame(pairs, schema={"origin": pl.Int64, "destination": pl.Int64, "trips": pl.Float64}, orient="row")
    return road_network(frame, zones=places), trips


def plain_costs(network: RoadNetwork, volume: np.ndarray) -> np.ndarray:
    """Times link by link, in plain Python."""
    found = []
    for link, v in zip(network.links.iter_rows(named=True), volume, strict=True):
        x = v / link["capacity"] if link["capacity"] else 0.0
        t0, a, p = link["free_time"], link["factor"], link["power"]
        if link["function"] == "bpr":
            found.append(t0 + t0 * a * x**p if a else t0)
        elif link["function"] == "conical":
            b = (2 * p - 1) / (2 * p - 2)
            found.append(t0 * (2 + math.sqrt(p * p * (1 - x) ** 2 + b * b) - p * (1 - x) - b))
        else:
            found.append(t0 + link["period"] / 4 * (x - 1 + math.sqrt((x - 1) ** 2 + 8 * a * x / link["capacity"])))
    return np.array(found)


def plain_distances(network: RoadNetwork, cost: np.ndarray, origin: int) -> dict[int, float]:
    """Least costs from a node by repeated relaxation (Bellman-Ford); zones that may not be passed only end a way."""
    closed = {int(node) for node, through in zip(network.node_ids, network.is_through, strict=True) if not through}
    least = {int(node): math.inf for node in network.node_ids}
    least[origin] = 0.0
    links = list(zip(network.links["from_node"].to_list(), network.links["to_node"].to_list(), cost.tolist(), strict=True))
    for _ in range(len(least)):
        for tail, head, value in links:
            if tail == origin or tail not in closed:
                least[head] = min(least[head], least[tail] + value)
    return least


def plain_gap(network: RoadNetwork, trips: pl.DataFrame, cost: np.ndarray, volume: np.ndarray) -> float:
    """(sum of v c - sum of trips u) / sum of v c, from scratch."""
    cheapest = 0.0
    for (origin,), part in trips.group_by("origin"):
        least = plain_distances(network, cost, origin)
        cheapest += sum(amount * least[end] for end, amount in part.select("destination", "trips").iter_rows() if end != origin)
    total = float(volume @ cost)
    return (total - cheapest) / total
