"""What user equilibrium is solved on: a road network and its traffic, laid out for the loops that solve it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment._balance_kernels import AKCELIK, BPR, CONICAL, EXPONENTIAL, ISOELASTIC, MARGINAL, Links, link_costs
from karvan.assignment._path_kernels import Block, Forest, Roads, Weights, customise, explored, planted
from karvan.assignment.road_layout import block_of, entry_ranks, laid_roads, parents, ranges
from karvan.demand import TrafficClass
from karvan.errors import DataError, Problem
from karvan.network import RoadNetwork

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BITS = 50
_NAMED = 10


@dataclass(frozen=True)
class EquilibriumProblem:
    """A network and its traffic as the solver reads them.

    Pairs are those of all classes with trips, class by class, in an order of their own.

    Attributes:
        network, classes: What it was made of; classes without trips between zones are kept, too.
        is_system_optimum: Costs are marginal: who joins a link bears what that costs the others.
        roads: Contraction hierarchy of the network.
        blocks, block_class, block_first_pair: Origins and their pairs, the class of each block, first pair of each block and the end.
        links: Cost functions of links, those of trips not made after the roads.
        fixed: Costs of links by class that volumes do not change, infinite where not allowed, shape (classes, links with the own ones).
        pair_class, pair_origin, pair_destination: Class, node of the origin, node of the destination of each pair, shape (pairs,).
        pair_trips: Trips of the table, in unit equivalents, shape (pairs,).
        pair_row: Row of the class's trips, shape (pairs,).
    """

    network: RoadNetwork
    classes: tuple[TrafficClass, ...]
    is_system_optimum: bool
    roads: Roads
    blocks: tuple[Block, ...]
    block_class: tuple[int, ...]
    block_first_pair: IntArray
    links: Links
    fixed: FloatArray
    pair_class: IntArray
    pair_origin: IntArray
    pair_destination: IntArray
    pair_trips: FloatArray
    pair_row: IntArray

    @property
    def link_count(self) -> int:
        """Number of roads."""
        return int(self.roads.tail.shape[0])


def equilibrium_problem(
    network: RoadNetwork, classes: Sequence[TrafficClass], *, is_system_optimum: bool = False, like: EquilibriumProblem | None = None
) -> EquilibriumProblem:
    """Lay a network and its traffic out for the solver.

    Args:
        network: The roads.
        classes: Who travels. Trips within a zone use no road and are left out.
        is_system_optimum: Seek the flows with the least total time, not those in which nobody gains by another way.
        like: A problem whose links join the same nodes; its hierarchy is taken over, which saves the set-up.

    Raises:
        DataError: Trips start or end at no zone or are negative, costs are not finite, or a demand function has no value.
    """
    tables = [_trips(network, one) for one in classes]
    tail, head = network.node_index(network.links["from_node"].to_numpy()), network.node_index(network.links["to_node"].to_numpy())
    is_same = like is not None and np.array_equal(like.roads.tail, tail) and np.array_equal(like.roads.head, head)
    if like is not None and is_same and np.array_equal(like.network.is_through, network.is_through):
        roads = like.roads
    else:
        roads = laid_roads(network, tail, head)
    parent = parents(roads)
    entry = entry_ranks(roads)
    blocks: list[Block] = []
    block_class: list[int] = []
    columns: list[tuple[IntArray, ...]] = []
    trips_of: list[FloatArray] = []
    own, pairs = tail.shape[0], 0
    first_pair = [0]
    for number, (one, table) in enumerate(zip(classes, tables, strict=True)):
        origin, destination, row = (table[name].to_numpy() for name in ("origin", "destination", "row"))
        order = np.lexsort((destination, origin, entry[origin]))
        origin, destination, row = origin[order], destination[order], row[order]
        amount = table["trips"].to_numpy()[order] * one.unit_equivalent
        for begin, end in ranges(roads, origin):
            count = end - begin
            own_link = np.full(count, -1, dtype=np.int64)
            if one.elastic is not None:
                own_link = np.arange(own, own + count, dtype=np.int64)
                own += count
            blocks.append(block_of(roads, parent, origin[begin:end], destination[begin:end], own_link, amount[begin:end]))
            block_class.append(number)
            first_pair.append(pairs + end)
        columns.append((np.full(origin.shape[0], number, dtype=np.int64), origin, destination, row))
        trips_of.append(amount)
        pairs += origin.shape[0]
    joined = [np.concatenate([part[place] for part in columns]) if columns else np.empty(0, dtype=np.int64) for place in range(4)]
    links = _links(network.links, is_system_optimum, own)
    problem = EquilibriumProblem(
        network=network,
        classes=tuple(classes),
        is_system_optimum=is_system_optimum,
        roads=roads,
        blocks=tuple(blocks),
        block_class=tuple(block_class),
        block_first_pair=np.array(first_pair, dtype=np.int64),
        links=links,
        fixed=_fixed(network.links, classes, own),
        pair_class=joined[0],
        pair_origin=joined[1],
        pair_destination=joined[2],
        pair_trips=np.concatenate(trips_of) if trips_of else np.empty(0),
        pair_row=joined[3],
    )
    _set_elastic(problem)
    return problem


def rounded_weights(problem: EquilibriumProblem, cost: FloatArray, far: float) -> tuple[list[Weights], FloatArray]:
    """Costs by class laid over the hierarchy, in whole multiples of a unit that is small to `far`, the costliest path.

    Args:
        problem: The problem.
        cost: Cost of each link without what a class alone bears, shape (links with the own ones,).
        far: At least the cost of the costliest path.

    Returns:
        Weights by class, and the cost of the links for trips not made.
    """
    unit = 2.0 ** (np.ceil(np.log2(far)) - _BITS)
    roads, count = problem.roads, problem.link_count
    whole = np.maximum(np.rint((cost + problem.fixed) / unit), 1.0) * unit
    edges = roads.up_head.shape[0]
    weights = []
    for row in whole:
        one = Weights(row[:count].copy(), np.empty(edges), np.empty(edges))
        customise(roads, one)
        weights.append(one)
    own = np.maximum(np.rint(cost[count:] / unit), 1.0) * unit
    return weights, own


def farthest(problem: EquilibriumProblem, cost: FloatArray) -> float:
    """More than any path costs: the sum of all links that may be used."""
    bearable = np.where(np.isfinite(problem.fixed), cost + problem.fixed, 0.0)[:, : problem.link_count]
    return max(float(bearable.sum(axis=1).max(initial=0.0)), 1e-300)


def empty_forest(block: Block) -> Forest:
    """A block's forest without any path."""
    pairs, sources = block.target.shape[0], block.source_node.shape[0]
    nodes = sources + 8 * pairs + 64
    forest = Forest(
        np.empty(pairs, dtype=np.int64),
        np.empty(2 * pairs + 16, dtype=np.int64),
        np.empty(2 * pairs + 16, dtype=np.int64),
        np.empty(2 * pairs + 16),
        np.empty(nodes, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
        np.empty(nodes, dtype=np.int32),
        np.empty(2, dtype=np.int64),
    )
    planted(block, forest)
    return forest


def refuse_lost(problem: EquilibriumProblem, pairs: Sequence[int]) -> None:
    """Name pairs that no way joins."""
    ids = problem.network.node_ids
    problems = []
    for pair in pairs[:_NAMED]:
        one = problem.classes[problem.pair_class[pair]]
        ends = f"{ids[problem.pair_origin[pair]]} to {ids[problem.pair_destination[pair]]}"
        message = f"no road that {one.name} may use leads from {ends}; join the zones or take the trips out"
        problems.append(Problem(f"trips of {one.name}", int(problem.pair_row[pair]) + 1, None, message))
    if len(pairs) > _NAMED:
        problems.append(Problem("trips", None, None, f"{len(pairs) - _NAMED} more pairs are not joined"))
    if problems:
        raise DataError(problems)


def _trips(network: RoadNetwork, one: TrafficClass) -> pl.DataFrame:
    """Trips above zero between two zones, by node positions."""
    name = f"trips of {one.name}"
    table = one.trips.select("origin", "destination", pl.col("trips").cast(pl.Float64)).with_row_index("row")
    problems: list[Problem] = []
    places = {}
    for side in ("origin", "destination"):
        places[side] = network.node_index(table[side].to_numpy())
        is_wrong = (places[side] < 0) | (places[side] >= network.zone_count)
        problems += [Problem(name, int(row) + 1, side, f"is {table[side][int(row)]}, must be a zone") for row in np.flatnonzero(is_wrong)]
    amount = table["trips"].fill_null(np.nan).to_numpy()
    is_wrong = ~(np.isfinite(amount) & (amount >= 0.0))
    problems += [Problem(name, int(row) + 1, "trips", f"is {amount[row]}, must be 0 or more") for row in np.flatnonzero(is_wrong)]
    if not one.unit_equivalent > 0.0:
        problems.append(Problem(name, None, "unit_equivalent", f"is {one.unit_equivalent}, must be above 0"))
    if problems:
        raise DataError(problems)
    table = table.with_columns(pl.Series(side, place) for side, place in places.items())
    repeated = table.filter(pl.struct("origin", "destination").is_duplicated())
    if repeated.height:
        row = int(repeated["row"][0])
        raise DataError(Problem(name, row + 1, None, "a pair has more than one row; add them up"))
    return table.filter((pl.col("trips") > 0.0) & (pl.col("origin") != pl.col("destination"))).with_columns(pl.col("row").cast(pl.Int64))


def _links(links: pl.DataFrame, is_system_optimum: bool, count: int) -> Links:
    """Cost functions of the roads, with room for those of trips not made."""
    function = links["function"].to_numpy()
    free, room, factor, power, period = (
        np.array(links[name].to_numpy()) for name in ("free_time", "capacity", "factor", "power", "period")
    )
    is_bpr, is_conical = function == "bpr", function == "conical"
    is_constant = is_bpr & ((factor * free == 0.0) | (power == 0.0))
    rise = np.select([is_constant, is_bpr, is_conical], [0.0, free * factor, free], 0.25 * period)
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.where(is_bpr | is_conical, power, 8.0 * factor / room)
    start = np.where(is_constant & (power == 0.0), free * (1.0 + factor), free)
    kind = np.select([is_bpr, is_conical], [BPR, CONICAL], AKCELIK)
    if is_system_optimum:  # v t(v) of BPR has a BPR derivative
        rise = np.where(is_bpr, rise * (1.0 + power), rise)
        kind = np.where(is_bpr, BPR, kind + MARGINAL)
    more = count - kind.shape[0]
    room = np.where(is_constant, 1.0, room)
    ones = np.ones(more)
    return Links(
        kind=np.concatenate([kind, np.full(more, ISOELASTIC)]).astype(np.int64),
        start=np.concatenate([start, ones]),
        room=np.concatenate([room, ones]),
        first=np.concatenate([rise, ones]),
        second=np.concatenate([bend, ones]),
    )


def _fixed(links: pl.DataFrame, classes: Sequence[TrafficClass], count: int) -> FloatArray:
    """What links cost each class beside the time that all share; infinite where it may not go."""
    fixed = np.zeros((len(classes), count))
    toll, length = links["toll"].to_numpy(), links["length"].to_numpy()
    problems = []
    for number, one in enumerate(classes):
        if not one.value_of_time > 0.0:
            problems.append(Problem(f"class {one.name}", None, "value_of_time", f"is {one.value_of_time}, must be above 0"))
            continue
        own = toll / one.value_of_time + one.time_per_length * length
        if one.own_time is not None:
            own = own + one.own_time
        if not (np.isfinite(own) & (own >= 0.0)).all():
            problems.append(Problem(f"class {one.name}", None, None, "costs of links beside their time must be finite and 0 or more"))
        if one.is_allowed is not None:
            own = np.where(one.is_allowed, own, np.inf)
        fixed[number, : links.height] = own
    if problems:
        raise DataError(problems)
    return fixed


def _set_elastic(problem: EquilibriumProblem) -> None:
    """Find the most trips that elastic pairs make, those at the cheapest way on empty roads, and their demand functions."""
    if all(one.elastic is None for one in problem.classes):
        return
    count, links = problem.link_count, problem.links
    cost, slope = np.empty(links.kind.shape[0]), np.empty(links.kind.shape[0])
    link_costs(links, np.zeros(links.kind.shape[0]), cost, slope)
    weights, _ = rounded_weights(problem, cost, farthest(problem, cost))
    none = np.full(links.kind.shape[0] - count, np.inf)
    for number, block in enumerate(problem.blocks):
        first = int(problem.block_first_pair[number])
        one = problem.classes[problem.block_class[number]]
        if one.elastic is None:
            continue
        least = np.empty(block.target.shape[0])
        explored(problem.roads, block, empty_forest(block), weights[problem.block_class[number]], none, np.inf, least)
        refuse_lost(problem, (first + np.flatnonzero(~np.isfinite(least))).tolist())
        elastic, own = one.elastic, block.own_link
        rows = problem.pair_row[first : first + least.shape[0]]
        base = np.broadcast_to(np.asarray(elastic.base_cost, dtype=np.float64), (one.trips.height,))[rows]
        trips = block.total.copy()
        _check_elastic(one, base, least)
        if elastic.function == "isoelastic":
            block.total[:] = trips * ((elastic.price + least) / (elastic.price + base)) ** -elastic.elasticity
            links.kind[own], links.start[own], links.first[own] = ISOELASTIC, elastic.price, 1.0 / elastic.elasticity
            links.second[own] = np.log(elastic.price + base) + np.log(trips) / elastic.elasticity
        else:
            block.total[:] = trips * np.exp(-elastic.elasticity * (least - base))
            links.kind[own], links.first[own] = EXPONENTIAL, 1.0 / elastic.elasticity
            links.start[own] = base + np.log(trips) / elastic.elasticity
        links.room[own] = block.total


def _check_elastic(one: TrafficClass, base: FloatArray, least: FloatArray) -> None:
    """Refuse demand functions that have no value."""
    elastic, name = one.elastic, f"class {one.name}"
    assert elastic is not None
    problems = []
    if elastic.function not in {"isoelastic", "exponential"}:
        problems.append(Problem(name, None, "function", f"is {elastic.function}, must be isoelastic or exponential"))
    if not elastic.elasticity > 0.0:
        problems.append(Problem(name, None, "elasticity", f"is {elastic.elasticity}, must be above 0"))
    if not elastic.price >= 0.0:
        problems.append(Problem(name, None, "price", f"is {elastic.price}, must be 0 or more"))
    elif elastic.function == "isoelastic" and not (np.minimum(base, least) + elastic.price > 0.0).all():
        problems.append(Problem(name, None, "base_cost", "price + cost must be above 0 for every pair"))
    if problems:
        raise DataError(problems)
