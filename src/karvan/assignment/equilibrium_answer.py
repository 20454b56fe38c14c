"""What user equilibrium gives: volumes, costs, and the paths behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment._path_kernels import Forest
from karvan.assignment.equilibrium_problem import EquilibriumProblem
from karvan.demand import ElasticDemand
from karvan.errors import DataError, Problem
from karvan.network import time_integral, travel_time

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Iteration:
    """One search for shortest paths: the relative gap before it, and how many paths entered."""

    relative_gap: float
    entered: int


@dataclass(frozen=True)
class Equilibrium:
    """Flows on paths, and what follows from them.

    Attributes:
        problem: What was solved.
        forests: Paths of each block, which nobody changes.
        class_volume: Volumes by class in unit equivalents, shape (classes, links with those of trips not made).
        cost: Cost of each link without what a class alone bears, marginal for a system optimum, shape as above.
        pair_cost: Least cost of each pair, shape (pairs,).
        iterations: How it went.
        relative_gap: Cost of all trips above what cheapest paths would cost them, as a share of the cost of all trips; of elastic demand
            the part above counts trips not made, too, at what they forgo.
    """

    problem: EquilibriumProblem
    forests: tuple[Forest, ...]
    class_volume: FloatArray
    cost: FloatArray
    pair_cost: FloatArray
    iterations: tuple[Iteration, ...]
    relative_gap: float

    @cached_property
    def volume(self) -> FloatArray:
        """Volume of each road in unit equivalents, shape (links,)."""
        return np.asarray(self.class_volume[:, : self.problem.link_count].sum(axis=0))

    @cached_property
    def time(self) -> FloatArray:
        """Time on each road, shape (links,)."""
        return travel_time(self.problem.network, self.volume)

    @property
    def total_travel_time(self) -> float:
        """Sum over roads of volume times time."""
        return float(self.volume @ self.time)

    @cached_property
    def objective(self) -> float:
        """What the flows minimise: the integrals of times by volume (Beckmann), or total time for a system optimum.

        Costs that volumes do not change count with either; of elastic demand the integral of the inverse demand from the trips of the
        table to those made is taken off.

        Source:
            Beckmann, McGuire & Winsten (1956), Studies in the economics of transportation.
        """
        problem, count = self.problem, self.problem.link_count
        flows = self.class_volume[:, :count]
        own = np.where(flows > 0.0, flows * np.where(np.isfinite(problem.fixed[:, :count]), problem.fixed[:, :count], 0.0), 0.0).sum()
        base = self.total_travel_time if problem.is_system_optimum else float(time_integral(problem.network, self.volume).sum())
        return float(base + own - self._benefit())

    @cached_property
    def pair_made(self) -> FloatArray:
        """Trips made by each pair, in unit equivalents, shape (pairs,)."""
        made = self.problem.pair_trips.copy()
        for number, block in enumerate(self.problem.blocks):
            elastic = block.own_link >= 0
            first = int(self.problem.block_first_pair[number])
            own = block.own_link[elastic]
            forgone = self.class_volume[self.problem.block_class[number], own]
            made[first + np.flatnonzero(elastic)] = np.maximum(block.total[elastic] - forgone, 0.0)
        return made

    @cached_property
    def links(self) -> pl.DataFrame:
        """Roads: from_node, to_node, flow (unit equivalents), time, and for each class its flow in vehicles and its cost."""
        problem, count = self.problem, self.problem.link_count
        frame = problem.network.links.select("from_node", "to_node").with_columns(flow=pl.Series(self.volume), time=pl.Series(self.time))
        for number, one in enumerate(problem.classes):
            frame = frame.with_columns(
                pl.Series(f"flow_{one.name}", self.class_volume[number, :count] / one.unit_equivalent),
                pl.Series(f"cost_{one.name}", self.time + problem.fixed[number, :count]),
            )
        return frame

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """Pairs: class, origin, destination, trips made in vehicles, least cost (marginal for a system optimum)."""
        problem = self.problem
        frame = pl.DataFrame(
            {
                "class": [problem.classes[number].name for number in problem.pair_class.tolist()],
                "origin": problem.network.node_ids[problem.pair_origin],
                "destination": problem.network.node_ids[problem.pair_destination],
                "trips": self.pair_made / self._equivalents,
                "cost": self.pair_cost,
            },
            schema_overrides={"class": pl.String},
        )
        return frame.sort("class", "origin", "destination")

    @cached_property
    def paths(self) -> pl.DataFrame:
        """Paths with flow: class, origin, destination, flow in vehicles, links (rows of the network's links from 0, in order)."""
        rows: list[tuple[int, float, list[int]]] = []
        for number, forest in enumerate(self.forests):
            first = int(self.problem.block_first_pair[number])
            for place, flow, links in _paths(forest):
                if flow > 0.0 and links[0] < self.problem.link_count:
                    rows.append((first + place, flow, links))
        pair = np.array([row[0] for row in rows], dtype=np.int64)
        problem = self.problem
        return pl.DataFrame(
            {
                "class": [problem.classes[number].name for number in problem.pair_class[pair].tolist()],
                "origin": problem.network.node_ids[problem.pair_origin[pair]],
                "destination": problem.network.node_ids[problem.pair_destination[pair]],
                "flow": np.array([row[1] for row in rows]) / self._equivalents[pair],
                "links": [row[2] for row in rows],
            },
            schema_overrides={"class": pl.String, "flow": pl.Float64, "links": pl.List(pl.Int64)},
        ).sort("class", "origin", "destination", "links")

    def select_link(self, from_node: int, to_node: int) -> pl.DataFrame:
        """Who uses a road: class, origin, destination and flow in vehicles of its users, parallel roads together.

        Which paths the trips of a pair take is not unique where several serve alike; volumes and costs are.

        Raises:
            DataError: There is no such road.
        """
        links = self.problem.network.links
        wanted = np.flatnonzero(((links["from_node"] == from_node) & (links["to_node"] == to_node)).to_numpy())
        if wanted.shape[0] == 0:
            raise DataError(Problem("links", None, None, f"no road leads from {from_node} to {to_node}"))
        is_user = pl.col("links").list.set_intersection(pl.lit(pl.Series([wanted.tolist()]))).list.len() > 0
        users = self.paths.filter(is_user)
        keys = ["class", "origin", "destination"]
        return users.group_by(keys, maintain_order=True).agg(pl.col("flow").sum()).sort(keys)

    def origin_flows(self, origin: int) -> pl.DataFrame:
        """Flow in vehicles of the trips from a zone over each road that they use: class, from_node, to_node, flow."""
        links = (
            self.problem.network.links.select("from_node", "to_node").with_row_index("links").with_columns(pl.col("links").cast(pl.Int64))
        )
        used = self.paths.filter(pl.col("origin") == origin).explode("links").group_by("class", "links").agg(pl.col("flow").sum())
        return (
            used.join(links, on="links", how="left", validate="m:1").sort("class", "links").select("class", "from_node", "to_node", "flow")
        )

    @property
    def _equivalents(self) -> FloatArray:
        """Unit equivalents of a vehicle of each pair, shape (pairs,)."""
        return np.array([one.unit_equivalent for one in self.problem.classes])[self.problem.pair_class]

    def _benefit(self) -> float:
        """Integral of the inverse demand from the trips of the table to those made, over elastic pairs."""
        problem, total = self.problem, 0.0
        for number, one in enumerate(problem.classes):
            if one.elastic is None:
                continue
            pairs = np.flatnonzero(problem.pair_class == number)
            base = np.broadcast_to(np.asarray(one.elastic.base_cost, dtype=np.float64), (one.trips.height,))[problem.pair_row[pairs]]
            total += float(_surplus(one.elastic, base, problem.pair_trips[pairs], self.pair_made[pairs]).sum())
        return total


def _surplus(elastic: ElasticDemand, base: FloatArray, trips: FloatArray, made: FloatArray) -> FloatArray:
    """Integral of the inverse demand function from `trips` to `made`."""
    ratio = made / trips
    if elastic.function == "exponential":
        return np.asarray(base * (made - trips) - (made * np.log(ratio) - made + trips) / elastic.elasticity)
    power = 1.0 - 1.0 / elastic.elasticity
    gained = np.log(ratio) if power == 0.0 else (ratio**power - 1.0) / power
    return np.asarray((elastic.price + base) * trips * gained - elastic.price * (made - trips))


def _paths(forest: Forest) -> list[tuple[int, float, list[int]]]:
    """Pair, flow and links of every path of a block."""
    parent, link = forest.parent.tolist(), forest.link.tolist()
    next_slot, end, flow = forest.next_slot.tolist(), forest.end.tolist(), forest.flow.tolist()
    found = []
    for pair, first in enumerate(forest.first_slot.tolist()):
        slot = first
        while slot >= 0:
            node, links = end[slot], []
            while link[node] >= 0:
                links.append(link[node])
                node = parent[node]
            found.append((pair, flow[slot], links[::-1]))
            slot = next_slot[slot]
    return found
