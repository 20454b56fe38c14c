"""A whole year on a network far larger than the packaged case, to see that memory stays bounded.

The network is made up and seeded: a grid of places joined to their neighbours both ways, with fast long links between a hundred of them,
40,000 links in all; 150 links have a capacity, 5,000 markets ship between random places, each free to ship nothing. One process finds the
routes, works out path sizes, and clears the market; it tells seconds and its peak memory.

    PYTHONPATH=src python -m benchmarks.large_network [--links N] [--markets N]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.own_process import answer_of, peak_mib
from benchmarks.page import write_section
from benchmarks.plain_market import free_problem
from karvan.assignment.market import MarketProblem, clear, flows_at, with_capacity

SEED = 20261126
LINKS, MARKETS, LIMITED = 40_000, 5_000, 150
LONG_SHARE = 0.03
"""Of the links, how many are long."""
HUBS = 100
"""Places that long links join, as ports and yards do."""
LONG_SPEED = 1.6
"""How much cheaper a long link is than the straight line over the grid."""
SHORT_OF = 0.8
"""Capacity of a limited link over what would pass it without limits."""
THETA = 0.05
NOT_SHIPPED_USD_PER_T = 1000.0
REPEATS = 1
"""Runs, each in a process of its own."""


@dataclass(frozen=True)
class LargeNetwork:
    """Links, markets and which links have a capacity.

    Attributes:
        nodes: Number of nodes.
        tail, head: Ends of each link, shape (links,).
        cost: USD/t, shape (links,).
        limited: Links with a capacity, shape (limited,).
        origin, destination: Ends of each market, in the order of origins, shape (markets,).
        flow_kt: shape (markets,).
    """

    nodes: int
    tail: np.ndarray
    head: np.ndarray
    cost: np.ndarray
    limited: np.ndarray
    origin: np.ndarray
    destination: np.ndarray
    flow_kt: np.ndarray


def make_network(*, links: int = LINKS, markets: int = MARKETS, limited: int = LIMITED) -> LargeNetwork:
    """A grid with long links; limits stand on long links and on those of the middle columns, where much must pass."""
    chance = np.random.default_rng(SEED)
    long_pairs = int(links * LONG_SHARE / 2)
    side = 2
    while 4 * side * (side - 1) + 2 * long_pairs < links:
        side += 1
    place = np.arange(side * side).reshape(side, side)
    near = np.concatenate(
        [np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()]), np.stack([place[:-1].ravel(), place[1:].ravel()])], axis=1
    )
    chosen = np.sort(chance.permutation(near.shape[1])[: links // 2 - long_pairs])
    near = near[:, chosen]
    near_cost = chance.uniform(1.0, 3.0, near.shape[1])
    hubs = chance.permutation(side * side)[: min(HUBS, side)]
    ends = chance.integers(0, hubs.shape[0], (2, long_pairs))
    ends[1] = np.where(ends[0] == ends[1], (ends[1] + 1) % hubs.shape[0], ends[1])
    far = hubs[ends]
    steps = np.abs(far[0] // side - far[1] // side) + np.abs(far[0] % side - far[1] % side)
    far_cost = 2.0 * steps / LONG_SPEED * chance.uniform(0.8, 1.2, long_pairs) + 1.0
    one_way, cost = np.concatenate([near, far], axis=1), np.concatenate([near_cost, far_cost])
    tail, head = np.concatenate([one_way[0], one_way[1]]), np.concatenate([one_way[1], one_way[0]])
    is_middle = np.abs(tail % side - side // 2) <= 1
    is_long = np.tile(np.arange(one_way.shape[1]) >= near.shape[1], 2)
    candidates = np.flatnonzero(is_middle | is_long)
    origin, destination = chance.integers(0, side * side, (2, markets))
    destination = np.where(origin == destination, (destination + 1) % (side * side), destination)
    order = np.lexsort((destination, origin))
    return LargeNetwork(
        nodes=side * side,
        tail=tail.astype(np.int64),
        head=head.astype(np.int64),
        cost=np.tile(cost, 2),
        limited=np.sort(chance.choice(candidates, size=limited, replace=False)).astype(np.int64),
        origin=origin[order].astype(np.int64),
        destination=destination[order].astype(np.int64),
        flow_kt=chance.lognormal(1.0, 1.0, markets),
    )


def make_problem(network: LargeNetwork, pair: np.ndarray, first: np.ndarray, link: np.ndarray, path_size: np.ndarray) -> MarketProblem:
    """The market program: a nest of the found routes and one of "not shipped" in every market, limits SHORT_OF what would pass."""
    markets, routes, rows = network.origin.shape[0], pair.shape[0], network.limited.shape[0]
    row_of = np.full(network.tail.shape[0], -1, dtype=np.int64)
    row_of[network.limited] = np.arange(rows)
    of_step = row_of[link]
    entries = np.add.reduceat(of_step >= 0, first[:-1])
    own = np.bincount(pair, minlength=markets)
    has_route = own > 0
    sizes = np.stack([own, np.ones(markets, dtype=np.int64)], axis=1).ravel()
    sizes = sizes[sizes > 0]
    first_route = np.append(0, np.cumsum(sizes)).astype(np.int64)
    at_home = np.cumsum(own + 1) - 1
    is_home = np.zeros(routes + markets, dtype=np.bool_)
    is_home[at_home] = True
    counts, cost, size = (
        np.zeros(is_home.shape[0], dtype=np.int64),
        np.full(is_home.shape[0], NOT_SHIPPED_USD_PER_T),
        np.ones(is_home.shape[0]),
    )
    counts[~is_home] = entries
    cost[~is_home] = np.add.reduceat(network.cost[link], first[:-1])
    size[~is_home] = path_size
    problem = free_problem(
        market_first_family=np.append(0, np.cumsum(1 + has_route)),
        family_first_route=first_route,
        route_first_entry=np.append(0, np.cumsum(counts)),
        entry_row=of_step[of_step >= 0],
        cost=cost,
        path_size=size,
        theta=THETA,
        flow=network.flow_kt,
        rows=rows,
    )
    free = flows_at(problem, np.zeros(rows)).row_flow
    return with_capacity(problem, np.maximum(SHORT_OF * free, 0.01 * free.max()))


def run_once(links: int, markets: int) -> None:
    """One run in this process; JSON on standard output."""
    from benchmarks.plain_routes import Ground, find_routes, lay_out, path_sizes

    def ground_of(network: LargeNetwork) -> Ground:
        return lay_out(network.nodes, network.tail, network.head, network.cost, network.origin, network.destination)

    def found(network: LargeNetwork, ground: Ground) -> tuple[MarketProblem, int, int, float]:
        begin = time.perf_counter()
        routes = find_routes(
            ground, network.origin, network.destination,
            most=8, overlap_bound=0.5, length_bound=1.5, limited_links=network.limited,
        )  # fmt: skip
        seconds = time.perf_counter() - begin
        size = path_sizes(routes, network.cost)
        return make_problem(network, routes.pair, routes.first, routes.link, size), routes.pair.shape[0], routes.link.shape[0], seconds

    small = make_network(links=400, markets=20, limited=10)
    clear(found(small, ground_of(small))[0])
    ready_mib = peak_mib()
    network = make_network(links=links, markets=markets)
    begin = time.perf_counter()
    ground = ground_of(network)
    set_up_s = time.perf_counter() - begin
    problem, routes, steps, routes_s = found(network, ground)
    begin = time.perf_counter()
    clearing = clear(problem)
    record = {
        "links": network.tail.shape[0],
        "markets": network.origin.shape[0],
        "unreached": int((np.diff(problem.market_first_family) == 1).sum()),
        "routes": routes,
        "steps": steps,
        "priced": int((clearing.row_price_usd_per_unit > 0.0).sum()),
        "max_violation": clearing.max_violation,
        "set_up_s": set_up_s,
        "routes_s": routes_s,
        "clear_s": time.perf_counter() - begin,
        "ready_mib": ready_mib,
        "peak_mib": peak_mib(),
    }
    print(json.dumps(record))


def main() -> None:
    parser = argparse.ArgumentParser(description="A network of 40,000 links: seconds and peak memory")
    parser.add_argument("--links", type=int, default=LINKS)
    parser.add_argument("--markets", type=int, default=MARKETS)
    parser.add_argument("--once", action="store_true")
    arguments = parser.parse_args()
    if arguments.once:
        run_once(arguments.links, arguments.markets)
        return
    size = ("--links", str(arguments.links), "--markets", str(arguments.markets))
    records = [answer_of("benchmarks.large_network", "--once", *size, environment=os.environ) for _ in range(REPEATS)]
    for record in records:
        print(json.dumps(record))
    last = records[-1]

    def row(case: str, key: str, unit: str) -> tuple[str, str, str]:
        values = sorted(record[key] for record in records)
        return case, f"{values[len(values) // 2]:.1f} {unit}", f"{values[-1]:.1f} {unit}"

    if (arguments.links, arguments.markets) != (LINKS, MARKETS):
        return
    write_section(
        "A large network",
        f"Made up: {last['links']:,} links, {LIMITED} of them with a capacity, {last['markets']:,} markets, {last['routes']:,} routes of"
        f" {last['steps'] / last['routes']:.0f} links on average; {last['priced']} limits have a price. {REPEATS} run, one core.",
        [
            row("contraction hierarchy", "set_up_s", "s"),
            row("finding routes, up to 8 a market", "routes_s", "s"),
            row("one market clearing", "clear_s", "s"),
            row("memory of the process before (packages, kernels)", "ready_mib", "MiB"),
            row("peak memory of the process", "peak_mib", "MiB"),
        ],
    )


if __name__ == "__main__":
    main()
