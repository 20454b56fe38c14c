"""A shipper's question, ten thousand of them, and one on a network of 40,000 links beside peers that know one criterion.

    PYTHONPATH=src python -m benchmarks.shipper_routes [--shipments N] [--no-page]

The packaged Middle Corridor: one process and one core for single questions, one process a core for the batch. The large network is made
up and seeded (`benchmarks.large_network`): short links are roads, long ones railways; cost, time, variance and emissions are those of
their kind with a tenth of noise. Peers find the cheapest way by one criterion: scipy's Dijkstra, and AequilibraE where it is installed
(`make bench-peer`).
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.bare_graph import bare_graph
from benchmarks.large_network import LONG_SHARE, LargeNetwork, make_network
from benchmarks.page import write_section
from karvan.corridor import Corridor, load_corridor
from karvan.routing import Criteria, Ends, StateGraph, Timetable, pareto_ways
from karvan.study import ShippingDesk, route_batch

DEPART = datetime.date(2027, 3, 1)
ASKED = (("chongqing", "duisburg", "containers"), ("kostanay", "yerevan", "wheat"), ("tashkent", "istanbul_halkali", "metals"))
GOODS = ("containers", "grain", "metals", "other")
SHIPMENTS, REPEATS, LARGE_QUERIES = 10_000, 5, 40
KM_PER_COST = 50.0
ROAD = (0.07, 50.0, 0.15, 0.080)
RAIL = (0.03, 30.0, 0.30, 0.024)
"""USD/t-km, km/h, standard deviation over time, kg CO2e/t-km."""

Row = tuple[str, str, str]


def milliseconds(times: list[float]) -> tuple[str, str]:
    return f"{1e3 * statistics.median(times):.0f} ms", f"{1e3 * max(times):.0f} ms"


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def single_questions(corridor: Corridor) -> list[Row]:
    def ask(desk: ShippingDesk, origin: str, destination: str, goods: str) -> float:
        return timed(lambda: desk.answer(origin, destination, commodity=goods, depart=DEPART))

    ask(ShippingDesk(corridor), *ASKED[0])  # kernels compiled or read from their cache
    begin = time.perf_counter()
    desk = ShippingDesk(corridor)
    ask(desk, *ASKED[0])
    rows: list[Row] = [("set-up: scenario, network of the day, first answer", f"{1e3 * (time.perf_counter() - begin):.0f} ms", "once")]
    for asked in ASKED:
        ask(desk, *asked)
        rows.append((f"{asked[0]} to {asked[1]}, {asked[2]}, asked again", *milliseconds([ask(desk, *asked) for _ in range(REPEATS)])))
    places = sorted(corridor.tables["places"]["place_id"])
    rng = np.random.default_rng(4)
    pairs = [tuple(places[int(place)] for place in rng.choice(len(places), size=2, replace=False)) for _ in range(200)]
    times = [ask(desk, *pair, GOODS[number % len(GOODS)]) for number, pair in enumerate(pairs)]
    rows.append(("200 questions between random places, each new", *milliseconds(times)))
    return rows


def shipments(corridor: Corridor, count: int) -> pl.DataFrame:
    """Random pairs of places in turn with four kinds of goods."""
    rng = np.random.default_rng(3)
    places = sorted(corridor.tables["places"]["place_id"])
    pairs = [[places[int(place)] for place in rng.choice(len(places), size=2, replace=False)] for _ in range(count)]
    rows = [(*pair, GOODS[number % len(GOODS)], DEPART.isoformat()) for number, pair in enumerate(pairs)]
    return pl.DataFrame(rows, schema=["origin", "destination", "commodity", "depart"], orient="row")


def batches(corridor: Corridor, count: int) -> tuple[list[Row], str]:
    asked = shipments(corridor, count)
    rows, frames, told = [], [], ""
    with tempfile.TemporaryDirectory() as folder:
        for workers in sorted({1, os.cpu_count() or 1}):
            begin = time.perf_counter()
            found = route_batch(corridor, asked, out=Path(folder) / f"options-{workers}.csv", workers=workers)
            rows.append((f"{count:,} shipments, {workers} process{'es' * (workers > 1)}", f"{time.perf_counter() - begin:.1f} s", "once"))
            frames.append(found.frame)
            kinds = found.as_dict()["kinds"]
            told = f"{kinds['option']:,} options and {kinds['refused']:,} refused ways; {kinds['none']:,} shipments have no way"
    if not all(frame.equals(frames[0]) for frame in frames):
        raise SystemExit("the number of processes changed the digits")
    return rows, told


def large_case(network: LargeNetwork) -> tuple[StateGraph, Criteria]:
    links = network.tail.shape[0]
    rng = np.random.default_rng(network.nodes)
    half = links // 2
    is_long = np.tile(np.arange(half) >= half - int(links * LONG_SHARE / 2), 2)
    usd, kmh, spread, co2e = (np.where(is_long, rail, road) for road, rail in zip(ROAD, RAIL, strict=True))
    length, noise = network.cost * KM_PER_COST, np.tile(rng.uniform(0.9, 1.1, (2, half)), 2)
    time_h = length / kmh * noise[0]
    values = np.stack([usd * length * noise[1], time_h, (spread * time_h) ** 2, co2e * length], axis=1)
    hours = np.zeros((links, 5))
    hours[:, 0] = time_h
    times = Timetable(hours, values[:, 2].copy(), np.zeros(links + 1, dtype=np.int64), np.zeros(0))
    graph = bare_graph(network.nodes, list(zip(network.tail.tolist(), network.head.tolist(), strict=True)), origins=(), destinations=())
    return graph, Criteria(np.ascontiguousarray(values), times, 0.1, 0.1)


def large_queries() -> tuple[list[Row], str]:
    network = make_network()
    graph, criteria = large_case(network)
    links = graph.arc_count
    mask, bits = np.ones(links, dtype=np.bool_), np.zeros(links, dtype=np.int64)
    chosen = np.linspace(0, network.origin.shape[0] - 1, LARGE_QUERIES).astype(int)
    pairs = [(int(network.origin[item]), int(network.destination[item])) for item in chosen]
    pareto_ways(graph, criteria, mask, Ends(*pairs[0], bits))
    counts, labels, least, times = [], [], [], []
    for pair in pairs:
        begin = time.perf_counter()
        found = pareto_ways(graph, criteria, mask, Ends(*pair, bits))
        times.append(time.perf_counter() - begin)
        counts.append(len(found.arcs))
        labels.append(found.labels_made)
        least.append(float(found.values[:, 0].min()))
    rows: list[Row] = [(f"{links:,} links, four criteria, 1% apart", *milliseconds(times))]
    cost = np.ascontiguousarray(criteria.arc_values[:, 0])
    for name, (distances, seconds) in {
        "scipy Dijkstra, cost only": scipy_side(network, cost, pairs),
        **peer_side(network, cost, pairs),
    }.items():
        if not np.allclose(distances, least, rtol=1e-9):
            raise SystemExit(f"{name} finds other least costs")
        rows.append((f"the same, {name}", *milliseconds(seconds)))
    told = f"{LARGE_QUERIES} questions on the large network have {min(counts)} to {max(counts)} ways; at most {max(labels):,} labels"
    return rows, told


Side = tuple[list[float], list[float]]


def scipy_side(network: LargeNetwork, cost: np.ndarray, pairs: list[tuple[int, int]]) -> Side:
    """Least costs and seconds."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    order = np.lexsort((cost, network.head, network.tail))  # the cheapest of parallel links, which the matrix would add up
    first = np.append(True, (np.diff(network.tail[order]) != 0) | (np.diff(network.head[order]) != 0))
    kept = order[first]
    matrix = csr_array((cost[kept], (network.tail[kept], network.head[kept])), shape=(network.nodes, network.nodes))
    found, seconds = [], []
    for origin, destination in pairs:
        begin = time.perf_counter()
        reached = dijkstra(matrix, indices=origin)
        seconds.append(time.perf_counter() - begin)
        found.append(float(reached[destination]))
    return found, seconds


def peer_side(network: LargeNetwork, cost: np.ndarray, pairs: list[tuple[int, int]]) -> dict[str, Side]:
    """Least costs and seconds of AequilibraE, if it is installed."""
    if importlib.util.find_spec("aequilibrae") is None:
        return {}
    import pandas as pd
    from aequilibrae.paths import Graph, PathResults

    links = network.tail.shape[0]
    graph = Graph()
    graph.network = pd.DataFrame(
        {"link_id": np.arange(1, links + 1), "a_node": network.tail + 1, "b_node": network.head + 1, "direction": 1, "cost": cost}
    )
    graph.prepare_graph(np.unique(np.array(pairs)) + 1)
    graph.set_graph("cost")
    graph.set_blocked_centroid_flows(False)
    found, seconds = [], []
    for number, (origin, destination) in enumerate([pairs[0], *pairs]):
        begin = time.perf_counter()
        result = PathResults()
        result.prepare(graph)
        result.compute_path(origin + 1, destination + 1)
        if number:
            seconds.append(time.perf_counter() - begin)
            found.append(float(cost[np.asarray(result.path) - 1].sum()))
    return {f"AequilibraE {version('aequilibrae')} path, cost only": (found, seconds)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Shippers' questions: seconds")
    parser.add_argument("--shipments", type=int, default=SHIPMENTS)
    parser.add_argument("--no-page", action="store_true")
    arguments = parser.parse_args()
    corridor = load_corridor("middle-corridor")
    large, of_large = large_queries()
    many, of_many = batches(corridor, arguments.shipments)
    rows = [*single_questions(corridor), *many, *large]
    for row in rows:
        print(*row, sep=" | ")
    print(of_many, of_large, sep="\n")
    if arguments.no_page or arguments.shipments != SHIPMENTS:
        return
    write_section(
        "A shipper's question",
        "`karvan route` warm: four criteria, 1% apart, rules and what they refuse, up to five options with legs and percentiles; Middle "
        f"Corridor, baseline, goods ready on {DEPART}; one core. Batches are shipments between random places from a table to a CSV file, "
        f"with the start of their processes: {of_many}; any number of processes gives the same digits. {of_large}; peers find "
        "the cheapest way alone.",
        rows,
    )


if __name__ == "__main__":
    main()
