"""One search engine: cheapest routes over (node, flags) under a mask, some of whose arcs must be taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.routing import _kernels
from karvan.routing.graph import StateGraph

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MOST_BITS = 8
"""Requirements of one search; the graph is searched once for each of their 2^bits combinations."""


@dataclass(frozen=True)
class Tree:
    """Cheapest routes from one node to every (node, flags), or to one node if grown backwards.

    Attributes:
        origin: The root.
        bit_count: Number of requirements.
        is_backward: Whether routes lead to the root.
        distance: Cost, inf where there is no route, shape (nodes, 2^bits).
        via_arc: Arc next to the node on the route, -1 at the root and where there is none, shape (nodes, 2^bits).
        via_flags: Flags at that arc's other end, shape (nodes, 2^bits).
        near_end: End of each arc that lies towards the root, shape (arcs,).
    """

    origin: int
    bit_count: int
    is_backward: bool
    distance: FloatArray
    via_arc: IntArray
    via_flags: IntArray
    near_end: IntArray

    @property
    def all_flags(self) -> int:
        """Flags of a complete route."""
        return (1 << self.bit_count) - 1


def shortest(
    graph: StateGraph, cost: FloatArray, mask: BoolArray, bits: IntArray, bit_count: int, origin: int, *, backward: bool = False
) -> Tree:
    """Cheapest routes from `origin` to all nodes, or from all nodes to it if `backward`.

    Args:
        graph: The state graph.
        cost: Cost of each arc, zero or more, shape (arcs,).
        mask: Arcs that may be used, shape (arcs,).
        bits: Requirement bits that an arc sets, shape (arcs,).
        bit_count: Number of requirements.
        origin: Root node.
        backward: Grow the tree against the direction of arcs.

    Ties go to the lower state and arc number, which follow ids.
    """
    if not 0 <= bit_count <= MOST_BITS:
        raise ValueError(f"bit_count is {bit_count}, must be 0 to {MOST_BITS}")
    if np.any(bits >> bit_count):
        raise ValueError(f"an arc sets a bit above the {bit_count} declared")
    if not bool(np.all(cost[mask] >= 0.0)):
        raise ValueError("the cost of a usable arc is negative or not a number, must be 0 or more")
    states = graph.node_count << bit_count
    distance, via_arc, via_flags = np.empty(states), np.empty(states, dtype=np.int64), np.empty(states, dtype=np.int64)
    size = (graph.arc_count << bit_count) + 1
    first, arc_of, far_end, near_end = (
        (graph.in_first, graph.in_arc, graph.arc_tail, graph.arc_head)
        if backward
        else (graph.out_first, graph.out_arc, graph.arc_head, graph.arc_tail)
    )
    _kernels.grow_tree(
        first, arc_of, far_end, writable(cost), writable(mask), writable(bits), bit_count, origin,
        distance, via_arc, via_flags, np.empty(size), np.empty(size, dtype=np.int64),
    )  # fmt: skip
    shape = (graph.node_count, 1 << bit_count)
    return Tree(origin, bit_count, backward, distance.reshape(shape), via_arc.reshape(shape), via_flags.reshape(shape), near_end)


def path(tree: Tree, node: int, flags: int) -> IntArray | None:
    """Arcs of the cheapest route between the root and (node, flags), in travel order; None if there is no route."""
    if not np.isfinite(tree.distance[node, flags]):
        return None
    found = np.empty(tree.distance.size, dtype=np.int64)
    count = _kernels.tree_path(tree.near_end, tree.via_arc.ravel(), tree.via_flags.ravel(), tree.bit_count, tree.origin, node, flags, found)
    arcs = found[:count]
    return arcs.copy() if tree.is_backward else arcs[::-1].copy()


def writable(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The array as kernels want it: contiguous and writable."""
    return np.require(array, requirements=["C", "W"])
