"""Route finding on plain arrays, the one place where benchmarks meet the route kernel of the day."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from karvan.routing import StateGraph, _kernels
from karvan.routing.hierarchy import Hierarchy, Network, build_hierarchy, network_of, whole_cost

_CENTROID = 2
"""Kind of a node that nothing passes."""
_ANY_LENGTH = 1e6
"""Length bound that keeps every route."""


@dataclass(frozen=True)
class Routes:
    """Routes of many pairs: pair and first link of each, and the links in travel order.

    Attributes:
        pair: Position of the pair, shape (routes,), in order.
        first: Where each route's links start, and the end, shape (routes + 1,).
        link: Links of the routes.
    """

    pair: np.ndarray
    first: np.ndarray
    link: np.ndarray


@dataclass(frozen=True)
class Ground:
    """A network laid out for searches between some nodes.

    Attributes:
        links: Number of links; arcs from there on lead from an origin to its node or from a node to its destination.
        cost: Cost of each arc in whole units of the search, shape (arcs,).
        network, hierarchy: As loops read them.
        origin_of, destination_of: Node outside the network where routes from or to a node start or end, -1 if none do, shape (nodes,).
    """

    links: int
    cost: np.ndarray
    network: Network
    hierarchy: Hierarchy
    origin_of: np.ndarray
    destination_of: np.ndarray


def lay_out(nodes: int, tail: np.ndarray, head: np.ndarray, cost: np.ndarray, origin: np.ndarray, destination: np.ndarray) -> Ground:
    """Set a network up for searches: an outer node at each end of a pair, and the contraction hierarchy.

    Args:
        nodes: Number of nodes.
        tail, head: Ends of each link, shape (links,).
        cost: Cost of each link, to the nearest millionth, shape (links,).
        origin, destination: Ends of each pair, shape (pairs,).
    """
    links = tail.shape[0]
    starts, ends = np.unique(origin), np.unique(destination)
    origin_of, destination_of = np.full(nodes, -1, dtype=np.int64), np.full(nodes, -1, dtype=np.int64)
    origin_of[starts] = nodes + np.arange(starts.shape[0])
    destination_of[ends] = nodes + starts.shape[0] + np.arange(ends.shape[0])
    outer = starts.shape[0] + ends.shape[0]
    arc_tail, arc_head = np.concatenate([tail, origin_of[starts], ends]), np.concatenate([head, starts, destination_of[ends]])
    out_first, out_arc = _by_end(arc_tail, nodes + outer)
    in_first, in_arc = _by_end(arc_head, nodes + outer)
    known = {
        "place_ids": (), "state_nodes": {}, "origin_nodes": {}, "destination_nodes": {},
        "node_kind": np.append(np.zeros(nodes, dtype=np.int64), np.full(outer, _CENTROID)),
        "node_place": np.append(np.arange(nodes), np.full(outer, -1)),
        "arc_tail": arc_tail, "arc_head": arc_head,
        "arc_kind": np.zeros(arc_tail.shape[0], dtype=np.int64),
        "arc_element": np.append(np.arange(links), np.full(outer, -1)),
        "out_first": out_first, "out_arc": out_arc, "in_first": in_first, "in_arc": in_arc,
    }  # fmt: skip
    graph = StateGraph(**known, **{field.name: np.zeros(0) for field in fields(StateGraph) if field.name not in known})
    network = network_of(graph)._replace(arc_link=known["arc_element"])
    return Ground(links, whole_cost(np.append(cost, np.zeros(outer))), network, build_hierarchy(graph), origin_of, destination_of)


def find_routes(
    ground: Ground,
    origin: np.ndarray,
    destination: np.ndarray,
    *,
    most: int,
    overlap_bound: float,
    length_bound: float = _ANY_LENGTH,
    limited_links: np.ndarray | None = None,
    destinations_at_once: int = 512,
) -> Routes:
    """Up to `most` routes of every pair: the cheapest of those that are cheapest through some link and no variants of each other.

    Args:
        ground: The network.
        origin, destination: Ends of each pair, in the order of origins, shape (pairs,).
        most: Most routes of a pair.
        overlap_bound: Largest part of its cost that a route may share with a cheaper one, unless they use other limited links.
        length_bound: Dearest route over the cheapest of its pair.
        limited_links: Links that can be full.
        destinations_at_once: Destinations whose distances to all nodes are held in memory together.
    """
    arcs = ground.cost.shape[0]
    limited = np.zeros(0, dtype=np.int64) if limited_links is None else limited_links.astype(np.int64)
    is_limited = np.zeros(arcs, dtype=np.int64)
    is_limited[limited] = 1
    first_use = np.append(0, np.cumsum(is_limited)).astype(np.int64)
    marks = np.random.SeedSequence(0).generate_state(limited.shape[0], np.uint64)
    one, no_rule = np.zeros(1, dtype=np.int64), np.zeros((1, ground.links), dtype=np.bool_)
    rules = (np.ones(1, dtype=np.bool_), np.zeros(1, dtype=np.bool_), no_rule, no_rule, no_rule.astype(np.int64), one)
    family = (np.ones(arcs, dtype=np.bool_), np.zeros(arcs, dtype=np.int64), 0, 0)
    block = np.searchsorted(np.unique(destination), destination) // destinations_at_once
    parts = []
    for index in range(int(block.max(initial=-1)) + 1):
        members = np.flatnonzero(block == index)
        origins, first_pair = np.unique(ground.origin_of[origin[members]], return_index=True)
        ends = (origins, np.append(first_pair, members.shape[0]).astype(np.int64), ground.destination_of[destination[members]])
        pair, first, arc = _kernels.routes_through(
            ground.network, ground.hierarchy, ground.cost, (first_use, np.arange(limited.shape[0]), marks), family, rules,
            (most, overlap_bound, length_bound), ends, np.full(members.shape[0], _kernels.FAR - 1),
        )  # fmt: skip
        parts.append((members[pair], np.diff(first), arc))
    pair, length, arc = (np.concatenate([part[column] for part in parts]) for column in range(3))
    order = np.argsort(pair, kind="stable")
    start = (np.cumsum(length) - length)[order]
    pair, length = pair[order], length[order]
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    link = arc[np.repeat(start - first[:-1], length) + np.arange(first[-1])]
    inside = link < ground.links
    return Routes(pair, np.append(0, np.cumsum(inside))[first].astype(np.int64), link[inside])


def path_sizes(routes: Routes, cost: np.ndarray) -> np.ndarray:
    """Sum over the links of each route of its cost share over the number of the pair's routes that use it, shape (routes,)."""
    length = np.diff(routes.first)
    on_link = cost[routes.link]
    total = np.add.reduceat(on_link, routes.first[:-1])
    key = np.repeat(routes.pair, length) * cost.shape[0] + routes.link
    _, inverse, users = np.unique(key, return_inverse=True, return_counts=True)
    return np.add.reduceat(on_link / users[inverse], routes.first[:-1]) / total


def _by_end(end: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(end, kind="stable").astype(np.int64)
    return np.searchsorted(end[order], np.arange(nodes + 1)).astype(np.int64), order
