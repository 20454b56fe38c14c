"""User equilibrium on public networks: Karvan against AequilibraE's bi-conjugate Frank-Wolfe, the same job side by side.

The job: from the network and trips in memory to link volumes with a relative gap of 1e-4 and of 1e-6 at most, two threads. Each side
runs in a process of its own, once with its loops loaded already; setting up its structures is timed apart. What both found is held against
one evaluator, scipy's Dijkstra at the costs of their volumes. Further: how fast Karvan gets as near as 1e-10, warm against cold, one
thread against two, and the cost of a search as a made-up network grows. `python -m benchmarks.equilibrium [NETWORK ...]`; the networks are
read from the folder that KARVAN_TNTP names. `--without-peer` leaves out what takes minutes.
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
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.own_process import answer_of, peak_mib
from benchmarks.page import write_section
from benchmarks.tntp import folder
from karvan.demand import TrafficClass
from karvan.exchange import read_tntp_network, read_tntp_trips
from karvan.network import RoadNetwork, road_network, travel_time

NETWORKS = ("SiouxFalls", "Anaheim", "Winnipeg", "ChicagoSketch")
# Time that tolls and length weigh in the published solution, which its files do not say.
FACTORS = {"ChicagoSketch": (0.02, 0.04)}
SIDES = ("karvan", "aequilibrae")
GAPS = (1e-4, 1e-6)
FINER = (1e-8, 1e-10)
REPEATS = 5
PEER_REPEATS = 3
INNER_REPEATS = 15
THREADS = 2
MOST_ITERATIONS = 5000
GROWTH = ((20, 50), (40, 100), (80, 200), (120, 400))


@dataclass(frozen=True)
class Job:
    """A network with its trips; what tolls and length weigh is in the class."""

    network: RoadNetwork
    traffic: TrafficClass

    @property
    def fixed(self) -> np.ndarray:
        """Time that tolls and length of each link are worth."""
        links = self.network.links
        return links["toll"].to_numpy() / self.traffic.value_of_time + self.traffic.time_per_length * links["length"].to_numpy()


def make_job(name: str) -> Job:
    network = read_tntp_network(folder() / f"{name}_net.tntp").network
    trips = read_tntp_trips(folder() / f"{name}_trips.tntp", zone_count=network.zone_count)
    toll, length = FACTORS.get(name, (0.0, 0.0))
    return Job(network, TrafficClass("all", trips, value_of_time=1.0 / toll if toll else np.inf, time_per_length=length))


def true_gap(job: Job, volume: np.ndarray) -> float:
    """(sum v c - sum q u) / sum v c by scipy's Dijkstra; zones that may not be passed have a node to leave and one to arrive at."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    network, count = job.network, job.network.node_ids.shape[0]
    cost = travel_time(network, volume) + job.fixed
    tail, head = (network.node_index(network.links[name].to_numpy()) for name in ("from_node", "to_node"))
    leave = np.where(network.is_through, np.arange(count), count + np.arange(count))
    graph = coo_array((np.maximum(cost, 1e-12), (leave[tail], head)), shape=(2 * count, 2 * count)).tocsr()
    trips = job.traffic.trips.filter(pl.col("origin") != pl.col("destination"))
    ends = {name: network.node_index(trips[name].to_numpy()) for name in ("origin", "destination")}
    origins, row = np.unique(ends["origin"], return_inverse=True)
    cheapest = float(dijkstra(graph, indices=leave[origins])[row, ends["destination"]] @ trips["trips"].to_numpy())
    total = float(volume @ cost)
    return (total - cheapest) / total


def timed(work: Callable[[], object], repeats: int = INNER_REPEATS) -> float:
    """Median seconds."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def karvan_side(job: Job, gap: float, threads: int) -> tuple[dict[str, float], np.ndarray]:
    """Seconds of first use, set-up and solving once loops are loaded, and volumes."""
    from karvan.assignment import EquilibriumOptions, equilibrium, equilibrium_problem, solve_equilibrium

    begin = time.perf_counter()
    equilibrium(*small_job())
    used = time.perf_counter()
    problem = equilibrium_problem(job.network, (job.traffic,))
    ready = time.perf_counter()
    options = EquilibriumOptions(gap=gap, threads=threads)
    found = solve_equilibrium(problem, options=options)
    end = time.perf_counter()
    seconds = {"first_use_s": used - begin, "set_up_s": ready - used, "job_s": end - ready, "searches": float(len(found.iterations))}
    return seconds, found.volume


def aequilibrae_side(job: Job, gap: float, threads: int) -> tuple[dict[str, float], np.ndarray]:
    """Likewise with AequilibraE."""
    import pandas as pd
    from aequilibrae.matrix import AequilibraeMatrix
    from aequilibrae.paths import Graph, TrafficAssignment
    from aequilibrae.paths import TrafficClass as Vehicles
    from aequilibrae.utils.python_signal import PythonSignal

    PythonSignal.emit = lambda self, value: None  # its progress bar is no part of the job

    begin = time.perf_counter()
    links, zones = job.network.links, job.network.zone_count
    is_constant = (links["factor"] == 0.0).to_numpy()
    graph = Graph()
    graph.network = pd.DataFrame(
        {
            "link_id": np.arange(1, links.height + 1),
            "a_node": links["from_node"].to_numpy(),
            "b_node": links["to_node"].to_numpy(),
            "direction": 1,
            "capacity": links["capacity"].to_numpy(),
            "free_flow_time": np.maximum(links["free_time"].to_numpy(), 1e-9),  # it refuses zero
            "b": links["factor"].to_numpy(),
            "power": np.where(is_constant, 1.0, links["power"].to_numpy()),
            "fixed": job.fixed,
        }
    )
    graph.prepare_graph(np.sort(job.network.node_ids[:zones]))
    graph.set_graph("free_flow_time")
    graph.set_blocked_centroid_flows(bool((~job.network.is_through).any()))
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=zones, matrix_names=["trips"], memory_only=True)
    matrix.index[:] = np.sort(job.network.node_ids[:zones])
    table = np.zeros((zones, zones))
    trips = job.traffic.trips.filter(pl.col("origin") != pl.col("destination"))
    table[trips["origin"].to_numpy() - 1, trips["destination"].to_numpy() - 1] = trips["trips"].to_numpy()
    matrix.matrix["trips"][:, :] = table
    matrix.computational_view(["trips"])
    vehicles = Vehicles("all", graph, matrix)
    if job.fixed.any():
        vehicles.set_fixed_cost("fixed")
    assignment = TrafficAssignment()
    assignment.set_classes([vehicles])
    assignment.set_vdf("BPR")
    assignment.set_vdf_parameters({"alpha": "b", "beta": "power"})
    assignment.set_capacity_field("capacity")
    assignment.set_time_field("free_flow_time")
    assignment.set_algorithm("bfw")
    assignment.max_iter = MOST_ITERATIONS
    assignment.rgap_target = gap
    assignment.set_cores(threads)
    ready = time.perf_counter()
    assignment.execute(log_specification=False)
    end = time.perf_counter()
    volume = assignment.results()["PCE_AB"].reindex(np.arange(1, links.height + 1)).fillna(0.0).to_numpy()
    return {"set_up_s": ready - begin, "job_s": end - ready, "searches": float(assignment.assignment.iter)}, volume


def small_job() -> tuple[RoadNetwork, TrafficClass]:
    """Two roads and four trips, by which loops are loaded."""
    links = pl.DataFrame({"from_node": [1, 1, 3], "to_node": [2, 3, 2], "free_time": [1.0] * 3, "capacity": [1.0] * 3})
    return road_network(links, zones=[1, 2]), TrafficClass("all", pl.DataFrame({"origin": [1], "destination": [2], "trips": [4.0]}))


def made_up(side: int, zones: int) -> Job:
    """A grid of streets both ways with seeded times, capacities and trips."""
    random = np.random.default_rng(20260101)
    node = np.arange(side * side).reshape(side, side)
    one = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    two = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    count = 2 * one.shape[0]
    links = pl.DataFrame(
        {
            "from_node": np.concatenate([one, two]) + 1,
            "to_node": np.concatenate([two, one]) + 1,
            "free_time": random.uniform(1.0, 3.0, count),
            "capacity": random.uniform(500.0, 1500.0, count) * side / 20,
        }
    )
    places = np.sort(random.choice(side * side, zones, replace=False)) + 1
    origin, destination = (end.ravel() for end in np.meshgrid(places, places, indexing="ij"))
    trips = pl.DataFrame(
        {"origin": origin, "destination": destination, "trips": random.uniform(0.0, 2.0, origin.shape[0]) * 36_000 / zones**2 * side / 20}
    )
    return Job(road_network(links, zones=places), TrafficClass("all", trips))


def run_side(side: str, name: str, gap: float, threads: int, out: str) -> None:
    """One side once, in this process: JSON of seconds, true gap and memory on standard output."""
    job = make_job(name)
    seconds, volume = (karvan_side if side == "karvan" else aequilibrae_side)(job, gap, threads)
    record = seconds | {"peak_mib": peak_mib(), "true_gap": true_gap(job, volume)}
    np.save(out, volume)
    print(json.dumps(record))


def alone(name: str) -> dict[str, float]:
    """Karvan alone on one network, warm loops: seconds to each gap by threads, cold and from a start nearby."""
    from karvan.assignment import EquilibriumOptions, equilibrium_problem, solve_equilibrium

    job = make_job(name)
    problem = equilibrium_problem(job.network, (job.traffic,))
    told: dict[str, float] = {}
    for gap in (*GAPS, *FINER):
        for threads in (1, 2):
            options = EquilibriumOptions(gap=gap, threads=threads)
            solve_equilibrium(problem, options=options)
            told[f"{gap:g}_{threads}"] = timed(lambda options=options: solve_equilibrium(problem, options=options))
    base = solve_equilibrium(problem, options=EquilibriumOptions(gap=1e-8, threads=THREADS))
    more = replace(job.traffic, trips=job.traffic.trips.with_columns(pl.col("trips") * 1.05))
    busiest = int(np.argmax(base.volume * (base.time - travel_time(job.network, np.zeros_like(base.volume)))))
    wider = job.network.links.with_columns(
        capacity=pl.when(pl.int_range(pl.len()) == busiest).then(2.0 * pl.col("capacity")).otherwise(pl.col("capacity"))
    )
    changed = {"demand": (job.network, more), "capacity": (replace(job.network, links=wider), job.traffic)}
    for change, (network, traffic) in changed.items():
        after = equilibrium_problem(network, (traffic,), like=problem)
        for gap in GAPS:
            options = EquilibriumOptions(gap=gap, threads=THREADS)
            cold, warm = [], []
            for _ in range(INNER_REPEATS):
                cold.append(timed(lambda after=after, options=options: solve_equilibrium(after, options=options), 1))
                warm.append(timed(lambda after=after, options=options: solve_equilibrium(after, options=options, start=base), 1))
            told[f"warm_{change}_{gap:g}"] = statistics.median(warm) / statistics.median(cold)
    return told


def growth() -> list[dict[str, float]]:
    """Cost of solving made-up grids to 1e-4, and of one search for shortest paths by origin and link, one thread."""
    from karvan.assignment import EquilibriumOptions, equilibrium_problem, solve_equilibrium

    told = []
    for side, zones in GROWTH:
        job = made_up(side, zones)
        begin = time.perf_counter()
        problem = equilibrium_problem(job.network, (job.traffic,))
        ready = time.perf_counter()
        found = solve_equilibrium(problem, options=EquilibriumOptions(gap=1e-4))
        end = time.perf_counter()
        searches, links = len(found.iterations) + 1, job.network.links.height
        told.append(
            {
                "links": links,
                "zones": zones,
                "set_up_s": ready - begin,
                "solve_s": end - ready,
                "searches": searches,
                "ns_per_origin_link_search": (end - ready) * 1e9 / (searches * zones * links),
            }
        )
    return told


def compare(names: tuple[str, ...], repeats: int, peer_repeats: int) -> None:
    """Both sides in turn, the checks, and the sections of the page."""
    folder()
    if importlib.util.find_spec("aequilibrae") is None:
        sys.exit("AequilibraE is not installed; it comes with the bench extra: pip install -e '.[bench]'")
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "NUMBA_NUM_THREADS": str(THREADS)}
    records: dict[tuple[str, str, float], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:

        def done_by(side: str, name: str, gap: float, more: dict[str, str] | None = None) -> dict[str, float]:
            out = str(Path(scratch) / f"{side}-{name}.npy")
            arguments = ("--side", side, "--gap", repr(gap), "--out", out, name)
            return answer_of("benchmarks.equilibrium", *arguments, environment=environment | (more or {}))

        compiling = done_by("karvan", names[0], 1e-4, {"NUMBA_CACHE_DIR": str(Path(scratch) / "cache")})
        done_by("karvan", names[0], 1e-4)
        for name in names:
            for turn in range(repeats):
                for gap in GAPS:
                    for side in SIDES if turn < peer_repeats else SIDES[:1]:
                        record = done_by(side, name, gap)
                        records.setdefault((side, name, gap), []).append(record)
                        print(json.dumps({"side": side, "network": name, "gap": gap} | record), flush=True)
    write_section(*versus(names, records, compiling["first_use_s"]))


def without_peer(names: tuple[str, ...]) -> None:
    """Karvan by itself, written into two sections of the page."""
    environment = dict(os.environ)
    own = {name: answer_of("benchmarks.equilibrium", "--alone", name, environment=environment) for name in names}
    print(json.dumps(own), flush=True)
    grown = answer_of("benchmarks.equilibrium", "--growth", environment=environment)["rows"]
    write_section(*finer(own))
    write_section(*as_it_grows(grown))


def versus(
    names: tuple[str, ...], records: dict[tuple[str, str, float], list[dict[str, float]]], compile_s: float
) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Title, text and rows of the comparison."""

    def values(side: str, name: str, gap: float, key: str) -> list[float]:
        return [record[key] for record in records[side, name, gap]]

    rows, told = [], []
    for name in names:
        ratios = []
        for gap in GAPS:
            own, peer = (values(side, name, gap, "job_s") for side in SIDES)
            ratios.append(
                f"{statistics.median(peer) / statistics.median(own):,.0f} (our worst against their best {min(peer) / max(own):,.0f})"
            )
            for side, title, seconds in (("karvan", "Karvan", own), ("aequilibrae", "AequilibraE", peer)):
                unit, digits = (1e3, "ms") if side == "karvan" else (1.0, "s")
                rows.append(
                    (
                        f"{name} to {gap:g}: {title}",
                        f"{statistics.median(seconds) * unit:.1f} {digits}",
                        f"{max(seconds) * unit:.1f} {digits}",
                    )
                )
        gaps = [max(values(side, name, GAPS[-1], "true_gap")) for side in SIDES]
        told.append(
            f"{name}: {ratios[0]} times as fast to {GAPS[0]:g}, {ratios[1]} to {GAPS[1]:g}; true gaps there {gaps[0]:.1e} and {gaps[1]:.1e}"
        )
    for side, title in zip(SIDES, ("Karvan", "AequilibraE"), strict=True):
        for key, what, unit in (("set_up_s", "set-up", "s"), ("peak_mib", "peak memory of the process", "MiB")):
            seen = [value for name in names for value in values(side, name, GAPS[-1], key)]
            digits = 0 if unit == "MiB" else 2
            rows.append(
                (f"{title}: {what}, all networks", f"{statistics.median(seen):.{digits}f} {unit}", f"{max(seen):.{digits}f} {unit}")
            )
    loaded = [value for name in names for value in values("karvan", name, GAPS[-1], "first_use_s")]
    rows.append(("Karvan: first use, loops read from the cache", f"{statistics.median(loaded):.2f} s", f"{max(loaded):.2f} s"))
    rows.append(("Karvan: first use, nothing compiled yet", f"{compile_s:.1f} s", f"{compile_s:.1f} s"))
    own_runs, peer_runs = (len(records[side, names[0], GAPS[-1]]) for side in SIDES)
    text = (
        f"Public networks to a relative gap, {THREADS} threads each, in a process of its own with loops loaded; the peer is AequilibraE"
        f" {version('aequilibrae')}, bi-conjugate Frank-Wolfe, timed from `execute()` to its end, without its progress bar."
        f" {own_runs} runs of Karvan and {peer_runs} of AequilibraE, in turn. {'; '.join(told)}."
        f" The machine had a load of {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors in the last five minutes."
    )
    return "User equilibrium", text, rows


def finer(own: dict[str, dict[str, float]]) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Karvan alone: nearer gaps, threads, warm starts."""
    rows = []
    for name, told in own.items():
        for gap in (*GAPS, *FINER):
            one, two = told[f"{gap:g}_1"], told[f"{gap:g}_2"]
            rows.append((f"{name} to {gap:g}", f"{one * 1e3:.1f} ms", f"{two * 1e3:.1f} ms"))
    ratios = {gap: [told[f"warm_{change}_{gap:g}"] for told in own.values() for change in ("demand", "capacity")] for gap in GAPS}
    warm = "; ".join(f"to {gap:g} {statistics.median(seen):.2f} ({min(seen):.2f} to {max(seen):.2f})" for gap, seen in ratios.items())
    text = (
        f"Loops loaded, median of {INNER_REPEATS}; in place of the median one thread, in place of the worst two threads, which give the"
        f" same digits. From the paths of a neighbour (trips +5%, or the capacity of the costliest road doubled) the time is this share"
        f" of a cold start, median and range over networks and changes: {warm}."
    )
    return "User equilibrium: nearer gaps, threads, warm starts", text, rows


def as_it_grows(grown: list[dict[str, float]]) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Cost against size."""
    rows = [
        (
            f"{one['links']:,.0f} links, {one['zones']:,.0f} zones, {one['searches']:.0f} searches",
            f"{one['solve_s']:.2f} s",
            f"{one['ns_per_origin_link_search']:.1f} ns",
        )
        for one in grown
    ]
    text = (
        "Made-up grids to 1e-4, one thread, one run each: seconds to solve, and in place of the worst that time by search, origin and link,"
        " all work counted; it would stay level if cost grew with origins times links."
    )
    return "User equilibrium: as a network grows", text, rows


def main() -> None:
    parser = argparse.ArgumentParser(description="User equilibrium by Karvan and by AequilibraE")
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--gap", type=float, default=1e-6)
    parser.add_argument("--out")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--peer-repeats", type=int, default=PEER_REPEATS)
    arguments = parser.parse_args()
    if arguments.side is not None:
        run_side(arguments.side, arguments.networks[0], arguments.gap, THREADS, arguments.out)
    elif arguments.alone:
        print(json.dumps(alone(arguments.networks[0])))
    elif arguments.growth:
        print(json.dumps({"rows": growth()}))
    else:
        if not arguments.without_peer:
            compare(tuple(arguments.networks), arguments.repeats, arguments.peer_repeats)
        without_peer(tuple(arguments.networks))


if __name__ == "__main__":
    main()
