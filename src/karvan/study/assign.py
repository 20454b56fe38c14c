"""Public networks and others' files: read, assigned, told in the form of `karvan assign`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.assignment.equilibrium import EquilibriumOptions, equilibrium, solve_equilibrium
from karvan.assignment.equilibrium_answer import Equilibrium
from karvan.assignment.equilibrium_problem import equilibrium_problem
from karvan.demand import TrafficClass
from karvan.errors import DataError, Problem
from karvan.exchange import read_gmns, read_links, read_omx, read_tntp_network, read_tntp_trips, read_trips, write_table
from karvan.network import RoadNetwork, road_network

METHODS = {"ue": "user equilibrium", "so": "system optimum"}
_TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class Assigned:
    """Traffic assigned to a network of files.

    Attributes:
        method: `ue` or `so`.
        equilibrium: What was found.
        seconds: Time that solving took; reading files, laying out and compiling are not counted.
        threads: Blocks of origins worked on at once.
    """

    method: str
    equilibrium: Equilibrium
    seconds: float
    threads: int

    def as_dict(self) -> dict[str, Any]:
        """What `karvan assign --json` prints."""
        found = self.equilibrium
        return {
            "relative_gap": found.relative_gap,
            "objective": found.objective,
            "total_travel_time": found.total_travel_time,
            "seconds": self.seconds,
            "threads": self.threads,
        }

    @property
    def flows(self) -> pl.DataFrame:
        """Columns from, to, flow and cost of each link; the cost is time, with what tolls and length weigh."""
        found = self.equilibrium
        name = found.problem.classes[0].name
        return found.links.select(
            pl.col("from_node").alias("from"), pl.col("to_node").alias("to"), "flow", pl.col(f"cost_{name}").alias("cost")
        )


def assign(
    network: str | Path,
    trips: str | Path,
    *,
    method: str = "ue",
    gap: float = 1e-6,
    threads: int | None = None,
    max_iterations: int = 200,
    toll_factor: float | None = None,
    distance_factor: float | None = None,
    matrix: str | None = None,
    flows: str | Path | None = None,
) -> Assigned:
    """Read a network and trips, and assign the trips to it.

    Args:
        network: A TNTP file, a GMNS folder, or a table of links (CSV, Parquet).
        trips: A TNTP file, an OMX file, or a table of trips (CSV, Parquet).
        method: `ue`, the user equilibrium, or `so`, the system optimum.
        gap: Relative gap to reach.
        threads: Blocks of origins worked on at once; as many as there are processors by default. The digits do not depend on it.
        max_iterations: Most searches for shortest paths.
        toll_factor, distance_factor: Time that a unit of toll and of length is worth; by default what a TNTP file says, or nothing.
        matrix: Name of the matrix in an OMX file, if it has several.
        flows: Write link flows to this table, too.

    Raises:
        DataError: A file is not as it should be, or pairs are not joined.
        ConvergenceError: The gap was not reached.
    """
    if method not in METHODS:
        raise DataError(Problem("--method", None, None, f"is {method}, must be one of {', '.join(METHODS)}"))
    if not 0.0 <= gap < 1.0:
        raise DataError(Problem("--gap", None, None, f"is {gap:g}, must be 0 or more and below 1"))
    roads, factors = _network(Path(network))
    toll, distance = (told if given is None else given for given, told in zip((toll_factor, distance_factor), factors, strict=True))
    for name, factor in (("--toll-factor", toll), ("--distance-factor", distance)):
        if not 0.0 <= factor < float("inf"):
            raise DataError(Problem(name, None, None, f"is {factor:g}, must be 0 or more"))
    traffic = TrafficClass(
        name="trips",
        trips=_trips(Path(trips), roads, matrix),
        value_of_time=1.0 / toll if toll > 0.0 else float("inf"),
        time_per_length=distance,
    )
    problem = equilibrium_problem(roads, (traffic,), is_system_optimum=method == "so")
    options = EquilibriumOptions(gap=gap, max_iterations=max_iterations, threads=threads or os.cpu_count() or 1)
    _load_loops()
    begin = time.perf_counter()
    found = solve_equilibrium(problem, options=options)
    assigned = Assigned(method, found, time.perf_counter() - begin, options.threads)
    if flows is not None:
        write_table(assigned.flows, flows)
    return assigned


def _load_loops() -> None:
    """Have the compiled loops read, or compiled on first use, so that seconds are of solving alone."""
    links = pl.DataFrame({"from_node": [1, 1, 3], "to_node": [2, 3, 2], "free_time": [1.0] * 3, "capacity": [1.0] * 3})
    trips = pl.DataFrame({"origin": [1], "destination": [2], "trips": [4.0]})
    equilibrium(road_network(links, zones=[1, 2]), TrafficClass("trips", trips))


def _network(path: Path) -> tuple[RoadNetwork, tuple[float, float]]:
    """The network of a file or folder, and the factors it names."""
    if path.is_dir():
        return read_gmns(path), (0.0, 0.0)
    if path.suffix.lower() in _TABLES:
        return read_links(path), (0.0, 0.0)
    found = read_tntp_network(path)
    return found.network, (found.toll_factor, found.distance_factor)


def _trips(path: Path, network: RoadNetwork, matrix: str | None) -> pl.DataFrame:
    """The trips of a file."""
    if path.suffix.lower() in _TABLES:
        return read_trips(path)
    if path.suffix.lower() == ".omx":
        return read_omx(path, matrix=matrix)
    return read_tntp_trips(path, zone_count=network.zone_count)
