"""Compiled loops that find shortest paths over a road network from many origins at once, exactly.

Link costs are whole multiples of a unit and paths cost less than 2^53 of them, so sums of costs are exact in whatever order: what a sweep
over a contraction hierarchy finds equals the sum over links to the last bit, and a path is traced back by asking what adds up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

LANES = 8
"""Origins of one sweep, side by side in a register."""
NOWHERE = -1
"""In place of a node, edge or link where there is none."""


class Roads(NamedTuple):
    """A contraction hierarchy of a road network, and how zones hang on it; ranks number the nodes that may be passed.

    up_first (ranks + 1,), up_head (edges,): higher ends of each rank's edges; up_tail (edges,): their lower ends. triangle_first
    (edges + 1,), triangle_low, triangle_high: pairs of edges from a lower rank to both ends of an edge. in_first (ranks + 1,), in_edge:
    edges by their higher end.
    link_edge (links,): edge of each link, -1 where an end may not be passed; link_is_up. position (nodes,): rank, or -1. tail, head
    (links,). out_first, out_link, into_first, into_link: links by tail and by head. down_rank: ranks that paths to zones may come down
    over, falling.
    """

    up_first: np.ndarray
    up_head: np.ndarray
    up_tail: np.ndarray
    triangle_first: np.ndarray
    triangle_low: np.ndarray
    triangle_high: np.ndarray
    in_first: np.ndarray
    in_edge: np.ndarray
    link_edge: np.ndarray
    link_is_up: np.ndarray
    position: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    out_first: np.ndarray
    out_link: np.ndarray
    into_first: np.ndarray
    into_link: np.ndarray
    down_rank: np.ndarray


class Weights(NamedTuple):
    """Costs laid over the hierarchy: link cost (links,); by edge the cost upwards and downwards, and what has it.

    That is the cheapest link, or -2 less the triangle, or -1 where there is no way.
    """

    cost: np.ndarray
    rising: np.ndarray
    falling: np.ndarray
    rising_via: np.ndarray
    falling_via: np.ndarray


@njit(cache=True, nogil=True)
def customise(roads, weights):
    """Least cost over each edge by the ranks below it; fills all of `weights` but the link costs."""
    cost, rising, falling = weights.cost, weights.rising, weights.falling
    rising_via, falling_via = weights.rising_via, weights.falling_via
    for edge in range(rising.shape[0]):
        rising[edge] = falling[edge] = np.inf
        rising_via[edge] = falling_via[edge] = -1
    for link in range(cost.shape[0]):
        edge = roads.link_edge[link]
        if edge < 0:
            continue
        if roads.link_is_up[link]:
            if cost[link] < rising[edge]:
                rising[edge] = cost[link]
                rising_via[edge] = link
        elif cost[link] < falling[edge]:
            falling[edge] = cost[link]
            falling_via[edge] = link
    for edge in range(rising.shape[0]):
        for triangle in range(roads.triangle_first[edge], roads.triangle_first[edge + 1]):
            low, high = roads.triangle_low[triangle], roads.triangle_high[triangle]
            up, down = falling[low] + rising[high], falling[high] + rising[low]
            if up < rising[edge]:
                rising[edge] = up
                rising_via[edge] = -2 - triangle
            if down < falling[edge]:
                falling[edge] = down
                falling_via[edge] = -2 - triangle


@njit(cache=True, nogil=True)
def sweep(roads, weights, origin_rank, sources, distance):
    """Least cost from up to eight origins to every rank that paths to zones pass; fills `distance`, shape (ranks, LANES).

    All of `distance` must be infinite before. `sources` are the nodes of the origins, `origin_rank` the ranks that paths from them may
    climb over, rising.
    """
    rising, falling, up_first, up_head = weights.rising, weights.falling, roads.up_first, roads.up_head
    for lane in range(sources.shape[0]):
        source = sources[lane]
        if roads.position[source] >= 0:
            distance[roads.position[source], lane] = 0.0
            continue
        for place in range(roads.out_first[source], roads.out_first[source + 1]):
            link = roads.out_link[place]
            rank = roads.position[roads.head[link]]
            if rank >= 0:
                distance[rank, lane] = min(distance[rank, lane], weights.cost[link])
    for place in range(origin_rank.shape[0]):
        rank = origin_rank[place]
        for edge in range(up_first[rank], up_first[rank + 1]):
            above, weight = up_head[edge], rising[edge]
            for lane in range(LANES):
                there = distance[rank, lane] + weight
                here = distance[above, lane]
                distance[above, lane] = there if there < here else here
    for place in range(roads.down_rank.shape[0]):
        rank = roads.down_rank[place]
        for edge in range(up_first[rank], up_first[rank + 1]):
            above, weight = up_head[edge], falling[edge]
            for lane in range(LANES):
                there = distance[above, lane] + weight
                here = distance[rank, lane]
                distance[rank, lane] = there if there < here else here


@njit(cache=True, nogil=True)
def forgotten(roads, origin_rank, distance, known):
    """Set to infinity and unknown again what a sweep and the paths from it have set."""
    for place in range(origin_rank.shape[0]):
        distance[origin_rank[place], :] = np.inf
        known[origin_rank[place], :] = NOWHERE
    for place in range(roads.down_rank.shape[0]):
        distance[roads.down_rank[place], :] = np.inf
        known[roads.down_rank[place], :] = NOWHERE


@njit(cache=True, nogil=True)
def arrival(roads, cost, distance, lane, source, target):
    """Least cost from an origin to a zone once its sweep is done, and the link it arrives over, -1 if the zone may be passed."""
    if roads.position[target] >= 0:
        return distance[roads.position[target], lane], np.int64(-1)
    least, over = np.inf, np.int64(-1)
    for place in range(roads.into_first[target], roads.into_first[target + 1]):
        link = roads.into_link[place]
        rank = roads.position[roads.tail[link]]
        here = np.inf
        if rank >= 0:
            here = distance[rank, lane] + cost[link]
        elif roads.tail[link] == source:
            here = cost[link]
        if here < least:
            least, over = here, np.int64(link)
    return least, over


@njit(cache=True, nogil=True)
def step_before(roads, weights, distance, lane, source, at):
    """How a shortest path came to a rank: over which edge (twice it, and one more if up it) from which rank, or by which link.

    The link leads from an origin outside the hierarchy. What does not apply is -1; all of it if nothing adds up.
    """
    here = distance[at, lane]
    if roads.position[source] < 0:
        for place in range(roads.out_first[source], roads.out_first[source + 1]):
            link = roads.out_link[place]
            if roads.position[roads.head[link]] == at and weights.cost[link] == here:
                return np.int64(NOWHERE), np.int64(NOWHERE), np.int64(link)
    for edge in range(roads.up_first[at], roads.up_first[at + 1]):
        if distance[roads.up_head[edge], lane] + weights.falling[edge] == here:
            return np.int64(2 * edge), np.int64(roads.up_head[edge]), np.int64(NOWHERE)
    for place in range(roads.in_first[at], roads.in_first[at + 1]):
        edge = roads.in_edge[place]
        if distance[roads.up_tail[edge], lane] + weights.rising[edge] == here:
            return np.int64(2 * edge + 1), np.int64(roads.up_tail[edge]), np.int64(NOWHERE)
    return np.int64(NOWHERE), np.int64(NOWHERE), np.int64(NOWHERE)


@njit(cache=True, nogil=True)
def unpacked(roads, weights, step, stack):
    """Links of an edge (twice it, and one more for up it), first link first, into `stack` from its end backwards; returns how many."""
    stack[0] = step
    depth, count = 1, 0
    while depth > 0:
        depth -= 1
        edge, is_up = stack[depth] >> 1, stack[depth] & 1
        via = weights.rising_via[edge] if is_up else weights.falling_via[edge]
        if via >= 0:
            stack[stack.shape[0] - 1 - count] = via
            count += 1
            continue
        first, second = roads.triangle_low[-2 - via], roads.triangle_high[-2 - via]
        if not is_up:
            first, second = second, first
        stack[depth] = 2 * second + 1
        stack[depth + 1] = 2 * first
        depth += 2
    return count
