"""Roads and origins laid out for searches: a contraction hierarchy, and ranges of origins that are worked on side by side."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from karvan.assignment._path_kernels import LANES, Block, Roads
from karvan.network import RoadNetwork
from karvan.routing import contracted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Sweeps of one block cost about this many steps over edges, so that blocks are worth handing out; there are at most so many.
_BLOCK_STEPS = 200_000
_MOST_BLOCKS = 16


def laid_roads(network: RoadNetwork, tail: IntArray, head: IntArray) -> Roads:
    """The contraction hierarchy of a network, and its links by their ends, positions of nodes, shape (links,)."""
    hierarchy = contracted(tail, head, is_inner=network.is_through)
    nodes = network.node_ids.shape[0]
    out_first, out_link = _csr(tail, nodes)
    into_first, into_link = _csr(head, nodes)
    return Roads(
        up_first=hierarchy.up_first,
        up_head=hierarchy.up_head,
        triangle_low=hierarchy.triangle_low,
        triangle_high=hierarchy.triangle_high,
        triangle_top=hierarchy.triangle_top,
        link_edge=hierarchy.arc_edge,
        link_is_up=hierarchy.arc_is_up,
        position=hierarchy.position,
        tail=tail,
        head=head,
        out_first=out_first,
        out_link=out_link,
        into_first=into_first,
        into_link=into_link,
    )


def entry_ranks(roads: Roads) -> IntArray:
    """A rank of each node by which origins that climb the same way stand together: its own, or the least at its links' far ends."""
    rank = roads.position.copy()
    outside = np.flatnonzero(rank < 0)
    for node in outside:
        ends = roads.position[roads.head[roads.out_link[roads.out_first[node] : roads.out_first[node + 1]]]]
        rank[node] = ends[ends >= 0].min(initial=roads.up_first.shape[0])
    return rank


def ranges(roads: Roads, origin: IntArray) -> list[tuple[int, int]]:
    """Ranges of pairs, of whole groups of origins and about equal work."""
    if origin.shape[0] == 0:
        return []
    starts = np.flatnonzero(np.append(True, origin[1:] != origin[:-1]))
    groups = -(-starts.shape[0] // LANES)
    steps = groups * roads.up_head.shape[0] * LANES
    count = int(np.clip(round(steps / _BLOCK_STEPS), 1, min(_MOST_BLOCKS, groups)))
    cuts = np.append(starts[np.linspace(0, groups, count + 1).astype(np.int64)[:-1] * LANES], origin.shape[0])
    return [(int(begin), int(end)) for begin, end in pairwise(cuts)]


def block_of(roads: Roads, parent: IntArray, origin: IntArray, target: IntArray, own_link: IntArray, total: FloatArray) -> Block:
    """A block of pairs that stand origin by origin; all arrays have shape (pairs,)."""
    starts = np.flatnonzero(np.append(True, origin[1:] != origin[:-1]))
    nodes = origin[starts]
    climbed = [_climbed(parent, _start_ranks(roads, nodes[begin : begin + LANES])) for begin in range(0, nodes.shape[0], LANES)]
    return Block(
        group_first=np.append(np.arange(0, nodes.shape[0], LANES), nodes.shape[0]).astype(np.int64),
        rank_first=np.append(0, np.cumsum([ranks.shape[0] for ranks in climbed])).astype(np.int64),
        rank=np.concatenate(climbed),
        source_node=nodes.copy(),
        source_first=np.append(starts, origin.shape[0]).astype(np.int64),
        target=target.copy(),
        own_link=own_link,
        total=total.copy(),
    )


def parents(roads: Roads) -> IntArray:
    """Lowest higher neighbour of each rank, -1 at the top: its parent in the elimination tree."""
    has = np.diff(roads.up_first) > 0
    parent = np.full(has.shape[0], -1, dtype=np.int64)
    parent[has] = roads.up_head[roads.up_first[:-1][has]]
    return parent


def _start_ranks(roads: Roads, nodes: IntArray) -> IntArray:
    """Ranks at which trips from some nodes begin: their own, or those at the far ends of the links of nodes that may not be passed."""
    inner = roads.position[nodes]
    outer = [roads.position[roads.head[roads.out_link[roads.out_first[node] : roads.out_first[node + 1]]]] for node in nodes[inner < 0]]
    found = np.concatenate([inner[inner >= 0], *outer])
    return found[found >= 0].astype(np.int64)


def _climbed(parent: IntArray, ranks: IntArray) -> IntArray:
    """Some ranks and all above them in the elimination tree, rising."""
    is_in = np.zeros(parent.shape[0], dtype=np.bool_)
    for start in ranks:
        rank = int(start)
        while rank >= 0 and not is_in[rank]:
            is_in[rank] = True
            rank = int(parent[rank])
    return np.flatnonzero(is_in).astype(np.int64)


def _csr(keys: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Where each key starts, and the end, shape (count + 1,); positions in order of their keys."""
    order = np.argsort(keys, kind="stable").astype(np.int64)
    return np.searchsorted(keys[order], np.arange(count + 1)).astype(np.int64), order
