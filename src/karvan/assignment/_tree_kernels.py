"""Compiled loops that find shortest paths over a road network from many origins at once, exactly.

Link costs are whole multiples of a unit and paths cost less than 2^53 of them, so sums of costs are exact in whatever order: what a sweep
over a contraction hierarchy finds equals the sum over links to the last bit, and a path is traced back by asking which link adds up.
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

    up_first (ranks + 1,), up_head (edges,): higher ends of each rank's edges. triangle_low, triangle_high, triangle_top: edges from a rank
    to two higher ones, and the edge between these, in order of the lowest rank. link_edge (links,): edge of each link, -1 where an end may
    not be passed; link_is_up. position (nodes,): rank, or -1. tail, head (links,). out_first (nodes + 1,), out_link: links by tail.
    into_first (nodes + 1,), into_link: links by head.
    """

    up_first: np.ndarray
    up_head: np.ndarray
    triangle_low: np.ndarray
    triangle_high: np.ndarray
    triangle_top: np.ndarray
    link_edge: np.ndarray
    link_is_up: np.ndarray
    position: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    out_first: np.ndarray
    out_link: np.ndarray
    into_first: np.ndarray
    into_link: np.ndarray


class Weights(NamedTuple):
    """Costs laid over the hierarchy: link cost (links,), and by edge the cost upwards and downwards (edges,)."""

    cost: np.ndarray
    rising: np.ndarray
    falling: np.ndarray


@njit(cache=True, nogil=True)
def customise(roads, weights):
    """Least cost over each edge by the ranks below it; fills `rising` and `falling`."""
    cost, rising, falling = weights
    link_edge, link_is_up = roads.link_edge, roads.link_is_up
    lows, highs, tops = roads.triangle_low, roads.triangle_high, roads.triangle_top
    for edge in range(rising.shape[0]):
        rising[edge] = falling[edge] = np.inf
    for link in range(cost.shape[0]):
        edge = link_edge[link]
        if edge >= 0:
            if link_is_up[link]:
                rising[edge] = min(rising[edge], cost[link])
            else:
                falling[edge] = min(falling[edge], cost[link])
    for triangle in range(lows.shape[0]):
        low, high, top = lows[triangle], highs[triangle], tops[triangle]
        rising[top] = min(rising[top], falling[low] + rising[high])
        falling[top] = min(falling[top], falling[high] + rising[low])


@njit(cache=True, nogil=True)
def sweep(up_first, up_head, rising, falling, origin_rank, distance):
    """Complete distances that hold at some ranks, up the hierarchy and down, in place, for all lanes at once.

    `origin_rank` are the ranks that hold one, and all that paths from them may climb over, rising.
    """
    ranks = distance.shape[0]
    for place in range(origin_rank.shape[0]):
        rank = origin_rank[place]
        for edge in range(up_first[rank], up_first[rank + 1]):
            above, weight = up_head[edge], rising[edge]
            for lane in range(LANES):
                there = distance[rank, lane] + weight
                here = distance[above, lane]
                distance[above, lane] = there if there < here else here
    for back in range(ranks):
        rank = ranks - 1 - back
        for edge in range(up_first[rank], up_first[rank + 1]):
            above, weight = up_head[edge], falling[edge]
            for lane in range(LANES):
                there = distance[above, lane] + weight
                here = distance[rank, lane]
                distance[rank, lane] = there if there < here else here


@njit(cache=True, nogil=True)
def started(position, head, out_first, out_link, cost, sources, distance):
    """Distances of up to eight origins where their trips begin; fills `distance`, shape (ranks, LANES), with infinity elsewhere."""
    for rank in range(distance.shape[0]):
        for lane in range(LANES):
            distance[rank, lane] = np.inf
    for lane in range(sources.shape[0]):
        source = sources[lane]
        if position[source] >= 0:
            distance[position[source], lane] = 0.0
            continue
        for place in range(out_first[source], out_first[source + 1]):
            link = out_link[place]
            rank = position[head[link]]
            if rank >= 0:
                distance[rank, lane] = min(distance[rank, lane], cost[link])


@njit(cache=True, nogil=True, inline="always")
def link_to(position, tail, into_first, into_link, cost, distance, lane, source, node):
    """Link by which a shortest path comes to a node, and what that costs; -1 and infinity if there is no way."""
    least, best = np.inf, np.int64(NOWHERE)
    for place in range(into_first[node], into_first[node + 1]):
        link = into_link[place]
        before = position[tail[link]]
        here = np.inf
        if before >= 0:
            here = distance[before, lane] + cost[link]
        elif tail[link] == source:
            here = cost[link]
        if here < least:
            least, best = here, np.int64(link)
    return best, least
