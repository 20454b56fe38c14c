"""Path-size logit on a public road network: Karvan's kernels against AequilibraE's RouteChoice, the same job side by side.

The job: for 5,000 pairs with trips (seeded) find five routes each, work out path sizes and shares (theta 1 a minute), and load the trips on
the links. It is done for two kinds of sets, near ones (AequilibraE by breadth first search with link elimination) and wide ones
(AequilibraE by link penalisation); Karvan keeps routes that are cheapest through some link and share no more than a part with cheaper
ones. Each side runs in a process of its own, on one core, in turn, five times; set-up and first use are told apart. Afterwards both are
held against the same sums in numpy: routes lead from end to end, shares are those of path-size logit, loads those of the shares, all trips
are loaded, and the sets of both sides are of one size and about one spread and overlap.

    KARVAN_TNTP=FOLDER python -m benchmarks.path_size_logit [NETWORK]

needs the `bench` extra and a folder with NETWORK_net.tntp and NETWORK_trips.tntp (ChicagoSketch by default).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.own_process import answer_of, peak_mib
from benchmarks.page import write_section
from benchmarks.tntp import Network, folder, read_network, read_trips

SEED = 20261125
REPEATS = 5
PAIRS = 5000
MOST_ROUTES = 5
FIRST_USE_PAIRS = 10
# What makes the sets of both sides alike: AequilibraE's algorithm and its parameters, and Karvan's bound on overlap.
KINDS = {
    "near": (("bfsle", {"max_depth": 5}), 0.8),
    "wide": (("lp", {"penalty": 1.1, "max_depth": 60}), 0.58),
}
LEAST_FULL_SHARE = 0.98
MOST_SPREAD_DIFFERENCE, MOST_OVERLAP_DIFFERENCE = 0.02, 0.06
SIDES = ("karvan", "aequilibrae")


@dataclass(frozen=True)
class Job:
    """The network and the pairs, in the order of origins, with their trips."""

    network: Network
    origin: np.ndarray
    destination: np.ndarray
    trips: np.ndarray

    def first(self, count: int) -> Job:
        """The first pairs only."""
        return Job(self.network, self.origin[:count], self.destination[:count], self.trips[:count])


@dataclass(frozen=True)
class Done:
    """What a side hands over: routes (pair, first, link as in plain_routes.Routes), their shares, and the load of each link."""

    pair: np.ndarray
    first: np.ndarray
    link: np.ndarray
    share: np.ndarray
    load: np.ndarray


def make_job(name: str) -> Job:
    network = read_network(name)
    origin, destination, trips = read_trips(name)
    chosen = np.sort(np.random.default_rng(SEED).choice(origin.shape[0], size=min(PAIRS, origin.shape[0]), replace=False))
    return Job(network, origin[chosen], destination[chosen], trips[chosen])


def karvan_side(job: Job, kind: str) -> tuple[dict[str, float], Done]:
    """Seconds of set-up, first use, finding routes and all the job, and what was done."""
    from benchmarks.plain_market import free_problem
    from benchmarks.plain_routes import Ground, Routes, find_routes, lay_out, path_sizes
    from karvan.assignment.market import flows_at

    network = job.network

    _, overlap_bound = KINDS[kind]

    def ground_of(part: Job) -> Ground:
        return lay_out(network.nodes, network.tail, network.head, network.free_time, part.origin, part.destination)

    def routes_of(part: Job, ground: Ground) -> Routes:
        return find_routes(ground, part.origin, part.destination, most=MOST_ROUTES, overlap_bound=overlap_bound)

    def loaded(part: Job, routes: Routes) -> tuple[np.ndarray, np.ndarray]:
        markets, links = part.origin.shape[0], network.tail.shape[0]
        first_route = np.searchsorted(routes.pair, np.arange(markets + 1)).astype(np.int64)
        problem = free_problem(
            market_first_family=np.arange(markets + 1),
            family_first_route=first_route,
            route_first_entry=routes.first,
            entry_row=routes.link,
            cost=np.add.reduceat(network.free_time[routes.link], routes.first[:-1]),
            path_size=path_sizes(routes, network.free_time),
            theta=1.0,
            flow=part.trips,
            rows=links,
        )
        answer = flows_at(problem, np.zeros(links))
        return answer.route_flow_kt / part.trips[routes.pair], answer.row_flow

    begin = time.perf_counter()
    small = job.first(FIRST_USE_PAIRS)
    loaded(small, routes_of(small, ground_of(small)))
    used = time.perf_counter()
    ground = ground_of(job)
    ready = time.perf_counter()
    routes = routes_of(job, ground)
    found = time.perf_counter()
    share, load = loaded(job, routes)
    end = time.perf_counter()
    seconds = {"set_up_s": ready - used, "first_use_s": used - begin, "routes_s": found - ready, "job_s": end - ready}
    return seconds, Done(routes.pair, routes.first, routes.link, share, load)


def aequilibrae_side(job: Job, kind: str) -> tuple[dict[str, float], Done]:
    """The same with AequilibraE; turning its routes into a table is not timed."""
    import pandas as pd
    from aequilibrae.paths.graph import Graph
    from aequilibrae.paths.route_choice import RouteChoice

    network = job.network
    links = network.tail.shape[0]
    (algorithm, parameters), _ = KINDS[kind]
    begin = time.perf_counter()
    graph = Graph()
    graph.network = pd.DataFrame(
        {
            "link_id": np.arange(1, links + 1),
            "a_node": network.tail + 1,
            "b_node": network.head + 1,
            "direction": 1,
            "cost": network.free_time,
        }
    )
    graph.prepare_graph(np.arange(1, network.zones + 1))
    graph.set_graph("cost")
    graph.set_blocked_centroid_flows(network.first_through > 0)

    def choice(part: Job) -> RouteChoice:
        made = RouteChoice(graph)
        made.set_choice_set_generation(algorithm, max_routes=MOST_ROUTES, **parameters)
        made.set_cores(1)
        ends = pd.MultiIndex.from_arrays([part.origin + 1, part.destination + 1], names=["origin id", "destination id"])
        made.add_demand(pd.DataFrame({"trips": part.trips}, index=ends))
        return made

    whole = choice(job)
    set_up = time.perf_counter()
    choice(job.first(FIRST_USE_PAIRS)).execute(perform_assignment=True)
    ready = time.perf_counter()
    whole.execute(perform_assignment=True)
    loads = whole.get_load_results()
    end = time.perf_counter()

    table = whole.get_results()
    pair_of = {ends: pair for pair, ends in enumerate(zip(job.origin + 1, job.destination + 1, strict=True))}
    pair = np.array([pair_of[ends] for ends in zip(table["origin id"], table["destination id"], strict=True)], dtype=np.int64)
    order = np.argsort(pair, kind="stable")
    sets = [np.asarray(table["route set"].iloc[route], dtype=np.int64) - 1 for route in order]
    load = np.zeros(links)
    load[loads.index.to_numpy() - 1] = loads["trips_ab"].to_numpy()
    seconds = {"set_up_s": set_up - begin, "first_use_s": ready - set_up, "job_s": end - ready}
    return seconds, Done(
        pair=pair[order],
        first=np.append(0, np.cumsum([one.shape[0] for one in sets])).astype(np.int64),
        link=np.concatenate(sets),
        share=table["probability"].to_numpy()[order],
        load=load,
    )


def checked(job: Job, done: Done, *, name: str) -> dict[str, float]:
    """Hold what a side did against plain numpy; an exit if it is not the job.

    Returns:
        full_share: Pairs with all their routes. spread: Mean cost of a route over its pair's cheapest. path_size: Mean path size.
        share_difference and load_difference: Largest difference from numpy, loads as a share of the largest.
    """
    network, length = job.network, np.diff(done.first)
    count = np.bincount(done.pair, minlength=job.origin.shape[0])
    ahead = np.ones(done.link.shape[0], dtype=np.bool_)
    ahead[done.first[:-1]] = False
    inner = np.flatnonzero(ahead)
    cost = np.add.reduceat(network.free_time[done.link], done.first[:-1])
    key = np.repeat(done.pair, length) * network.tail.shape[0] + done.link
    _, inverse, users = np.unique(key, return_inverse=True, return_counts=True)
    size = np.add.reduceat(network.free_time[done.link] / users[inverse], done.first[:-1]) / cost
    least = np.full(count.shape[0], np.inf)
    np.minimum.at(least, done.pair, cost)
    weight = size * np.exp(least[done.pair] - cost)
    share = weight / np.bincount(done.pair, weights=weight)[done.pair]
    load = np.bincount(done.link, weights=np.repeat(share * job.trips[done.pair], length), minlength=network.tail.shape[0])
    starts = np.bincount(done.link[done.first[:-1]], weights=done.share * job.trips[done.pair], minlength=load.shape[0]).sum()
    facts = {
        "full_share": float((count == MOST_ROUTES).mean()),
        "spread": float((cost / least[done.pair]).mean()),
        "path_size": float(size.mean()),
        "share_difference": float(np.abs(share - done.share).max()),
        "load_difference": float(np.abs(load - done.load).max() / load.max()),
        "trips_difference": float(abs(starts - job.trips.sum()) / job.trips.sum()),
    }
    faults = {
        "a route does not start or end at its pair": np.any(network.tail[done.link[done.first[:-1]]] != job.origin[done.pair])
        or np.any(network.head[done.link[done.first[1:] - 1]] != job.destination[done.pair]),
        "a route is broken": np.any(network.tail[done.link[inner]] != network.head[done.link[inner - 1]]),
        "a pair has no route, or more than asked": count.min() < 1 or count.max() > MOST_ROUTES,
        "too few pairs have all their routes": facts["full_share"] < LEAST_FULL_SHARE,
        "shares are not path-size logit": facts["share_difference"] > 1e-9,
        "loads are not those of the shares": facts["load_difference"] > 1e-9,
        "not all trips are loaded": facts["trips_difference"] > 1e-9,
    }
    wrong = [what for what, is_so in faults.items() if is_so]
    if wrong:
        sys.exit(f"{name} did another job: {'; '.join(wrong)} ({facts})")
    return facts


def run_side(side: str, kind: str, name: str, out: str) -> None:
    """One side once, in this process: JSON of seconds and memory on standard output, what was done into a file."""
    job = make_job(name)
    seconds, done = (karvan_side if side == "karvan" else aequilibrae_side)(job, kind)
    record = seconds | {"peak_mib": peak_mib()}
    np.savez(out, pair=done.pair, first=done.first, link=done.link, share=done.share, load=done.load)
    print(json.dumps(record))


def compare(name: str) -> None:
    """Both sides in turn, the checks, and the section of the page."""
    folder()
    if importlib.util.find_spec("aequilibrae") is None:
        sys.exit("AequilibraE is not installed; it comes with the bench extra: pip install -e '.[bench]'")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    job = make_job(name)
    records: dict[tuple[str, str], list[dict[str, float]]] = {(side, kind): [] for kind in KINDS for side in SIDES}
    facts: dict[tuple[str, str], dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:

        def done_by(side: str, kind: str, more: dict[str, str] | None = None) -> dict[str, float]:
            arguments = (name, "--side", side, "--kind", kind, "--out", str(Path(scratch) / f"{side}-{kind}.npz"))
            return answer_of("benchmarks.path_size_logit", *arguments, environment=environment | (more or {}))

        compiling = done_by("karvan", "near", {"NUMBA_CACHE_DIR": str(Path(scratch) / "cache")})
        done_by("karvan", "near")
        for _, kind, side in product(range(REPEATS), KINDS, SIDES):
            records[side, kind].append(done_by(side, kind))
            print(json.dumps({"side": side, "kind": kind} | records[side, kind][-1]))
        for side, kind in records:
            with np.load(Path(scratch) / f"{side}-{kind}.npz") as kept:
                facts[side, kind] = checked(job, Done(**{key: kept[key] for key in kept.files}), name=side)
            print(json.dumps({"side": side, "kind": kind} | facts[side, kind]))
    for kind in KINDS:
        spread, size = (abs(facts["karvan", kind][key] - facts["aequilibrae", kind][key]) for key in ("spread", "path_size"))
        if spread > MOST_SPREAD_DIFFERENCE or size > MOST_OVERLAP_DIFFERENCE:
            sys.exit(f"the {kind} sets differ too much to compare: {facts}")
    write_section(*section(name, job, records=records, facts=facts, compile_s=compiling["first_use_s"]))


def section(
    name: str,
    job: Job,
    *,
    records: dict[tuple[str, str], list[dict[str, float]]],
    facts: dict[tuple[str, str], dict[str, float]],
    compile_s: float,
) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Title, text and rows of the page."""

    def row(case: str, side: str, key: str, *kinds: str, unit: str = "s", digits: int = 2) -> tuple[str, str, str]:
        values = [record[key] for kind in kinds for record in records[side, kind]]
        return case, f"{statistics.median(values):.{digits}f} {unit}", f"{max(values):.{digits}f} {unit}"

    told = []
    for kind in KINDS:
        own, peer = ([record["job_s"] for record in records[side, kind]] for side in SIDES)
        ours, theirs = facts["karvan", kind], facts["aequilibrae", kind]
        told.append(
            f"{kind} sets: {statistics.median(peer) / statistics.median(own):.1f} times as fast (our worst against their best"
            f" {min(peer) / max(own):.1f}), mean cost of a route over its pair's cheapest {ours['spread']:.2f} and {theirs['spread']:.2f},"
            f" mean path size {ours['path_size']:.2f} and {theirs['path_size']:.2f}, pairs with all {MOST_ROUTES} routes"
            f" {ours['full_share']:.1%} and {theirs['full_share']:.1%}"
        )
    text = (
        f"{job.origin.shape[0]:,} pairs of {name} ({job.network.tail.shape[0]:,} links), up to {MOST_ROUTES} routes each, one core each, in"
        f" a process of its own; the peer is AequilibraE {version('aequilibrae')}, RouteChoice by link elimination (near sets)"
        f" and by link penalisation (wide sets). Routes, shares, loads and sums of trips of both were checked in numpy."
        f" Karvan first, then AequilibraE; {'; '.join(told)}."
    )
    compiling = f"{compile_s:.1f} s"
    every = tuple(KINDS)
    return (
        "Path-size logit",
        text,
        [
            row("Karvan, near sets: routes, path sizes, shares, loads", "karvan", "job_s", "near"),
            row("AequilibraE, near sets: the same", "aequilibrae", "job_s", "near"),
            row("Karvan, wide sets", "karvan", "job_s", "wide"),
            row("AequilibraE, wide sets", "aequilibrae", "job_s", "wide"),
            row("Karvan: set-up (contraction hierarchy)", "karvan", "set_up_s", *every),
            row("AequilibraE: set-up of the graph", "aequilibrae", "set_up_s", *every),
            row("Karvan: first use, kernels read from the cache", "karvan", "first_use_s", *every),
            ("Karvan: first use, nothing compiled yet", compiling, compiling),
            row("AequilibraE: first use", "aequilibrae", "first_use_s", *every),
            row("Karvan: peak memory of the process", "karvan", "peak_mib", *every, unit="MiB", digits=0),
            row("AequilibraE: peak memory of the process", "aequilibrae", "peak_mib", *every, unit="MiB", digits=0),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Path-size logit by Karvan and by AequilibraE")
    parser.add_argument("network", nargs="?", default="ChicagoSketch")
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--kind", choices=tuple(KINDS), default="near")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    if arguments.side is None:
        compare(arguments.network)
    else:
        run_side(arguments.side, arguments.kind, arguments.network, arguments.out)


if __name__ == "__main__":
    main()
