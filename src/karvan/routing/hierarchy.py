"""A contraction hierarchy of the state graph: what lets a search over every pair of ends take microseconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, identity
from scipy.sparse.linalg import splu

from karvan.routing import _hierarchy_kernels, _kernels
from karvan.routing.graph import StateGraph

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

COST_UNIT_USD_PER_T = 1e-6
"""Searches count in whole millionths of a dollar a tonne."""
MOST_BITS = 8
"""Requirements of one search; there are 2^bits layers of distances."""


class Hierarchy(NamedTuple):
    """A contraction hierarchy: nodes by rank, edges from each to higher ones, and the triangles below each edge.

    up_first (n + 1,), up_head (m,): higher ends of each node's edges, rising. triangle_low, triangle_high, triangle_top (t,): edges from
    a node to two higher ones, and the edge between these, in the order of the lowest node. arc_edge (arcs,): edge of each arc, -1 at
    centroids; arc_is_up (arcs,): it leads to the higher end. position (nodes,): rank of each node, -1 for centroids.
    """

    up_first: np.ndarray
    up_head: np.ndarray
    triangle_low: np.ndarray
    triangle_high: np.ndarray
    triangle_top: np.ndarray
    arc_edge: np.ndarray
    arc_is_up: np.ndarray
    position: np.ndarray


class Network(NamedTuple):
    """The state graph as loops read it; meanings as in `StateGraph`."""

    out_first: np.ndarray
    out_arc: np.ndarray
    in_first: np.ndarray
    in_arc: np.ndarray
    arc_tail: np.ndarray
    arc_head: np.ndarray
    arc_link: np.ndarray
    node_place: np.ndarray


def network_of(graph: StateGraph) -> Network:
    """The graph as loops read it."""
    return Network(
        out_first=_whole(graph.out_first),
        out_arc=_whole(graph.out_arc),
        in_first=_whole(graph.in_first),
        in_arc=_whole(graph.in_arc),
        arc_tail=_whole(graph.arc_tail),
        arc_head=_whole(graph.arc_head),
        arc_link=_whole(graph.arc_link),
        node_place=_whole(graph.node_place),
    )


def build_hierarchy(graph: StateGraph) -> Hierarchy:
    """Contract the states of a graph; centroids, which nothing passes, stay outside. See `contracted`."""
    return contracted(graph.arc_tail, graph.arc_head, is_inner=graph.node_kind <= 1)


def contracted(tail: IntArray, head: IntArray, *, is_inner: BoolArray) -> Hierarchy:
    """Contract the nodes that may be passed, in an order of few neighbours.

    The hierarchy depends on which arcs there are, not on what they cost: costs are laid over it for each search (customisation), after
    which distances from a node follow from two sweeps over its edges.

    Args:
        tail, head: Ends of each arc, shape (arcs,).
        is_inner: Nodes that may be passed, shape (nodes,); the others stay outside.

    Source:
        Dibbelt, Strasser & Wagner (2016), Customizable contraction hierarchies, JEA 21; order by minimum degree as in SuperLU.
    """
    inner = np.flatnonzero(is_inner)
    count = inner.shape[0]
    number = np.full(is_inner.shape[0], -1, dtype=np.int64)
    number[inner] = np.arange(count)
    is_within = (number[tail] >= 0) & (number[head] >= 0) & (tail != head)
    rank = _order(count, number[tail[is_within]], number[head[is_within]])
    position = np.full(is_inner.shape[0], -1, dtype=np.int64)
    position[inner] = rank
    low = np.minimum(position[tail], position[head])[is_within]
    high = np.maximum(position[tail], position[head])[is_within]
    pairs = np.unique(low * max(count, 1) + high)
    first = np.searchsorted(pairs, np.arange(count + 1) * max(count, 1)).astype(np.int64)
    up_first, up_head = _hierarchy_kernels.eliminated(first, (pairs % max(count, 1)).astype(np.int64))
    keys = np.repeat(np.arange(count, dtype=np.int64), np.diff(up_first)) * max(count, 1) + up_head
    arc_edge = np.full(tail.shape[0], -1, dtype=np.int64)
    arc_edge[is_within] = np.searchsorted(keys, low * max(count, 1) + high)
    low_edge, high_edge, top_edge = _hierarchy_kernels.triangles(up_first, up_head)
    return Hierarchy(up_first, up_head, low_edge, high_edge, top_edge, arc_edge, position[tail] < position[head], position)


def whole_cost(cost_usd_per_t: FloatArray) -> IntArray:
    """Costs in the unit of searches, at least one, so that every arc adds to a route."""
    return np.maximum(np.rint(cost_usd_per_t / COST_UNIT_USD_PER_T), 1.0).astype(np.int64)


def distances(
    graph: StateGraph,
    hierarchy: Hierarchy,
    cost_usd_per_t: FloatArray,
    mask: BoolArray,
    *,
    root: int,
    bits: IntArray | None = None,
    bit_count: int = 0,
    backward: bool = False,
) -> FloatArray:
    """Least cost between a centroid and every node, by requirements met at least.

    Args:
        graph: The state graph.
        hierarchy: Its hierarchy.
        cost_usd_per_t: Cost of each arc, zero or more, shape (arcs,).
        mask: Arcs that may be used, shape (arcs,).
        root: Origin or destination node.
        bits: Requirement bits that an arc sets, shape (arcs,).
        bit_count: Number of requirements.
        backward: Costs to the root, not from it.

    Returns:
        USD/t to the nearest millionth, inf where there is no route, shape (nodes, 2^bit_count).
    """
    if not 0 <= bit_count <= MOST_BITS:
        raise ValueError(f"bit_count is {bit_count}, must be 0 to {MOST_BITS}")
    carried = np.zeros(graph.arc_count, dtype=np.int64) if bits is None else _whole(bits)
    edges, ranks = hierarchy.up_head.shape[0], hierarchy.up_first.shape[0] - 1
    rising, falling = np.empty(edges, dtype=np.int64), np.empty(edges, dtype=np.int64)
    cost, allowed = whole_cost(cost_usd_per_t), np.require(mask, np.bool_, ("C", "W"))
    _kernels.customised(hierarchy, cost, allowed, rising, falling)
    layers = np.empty((1 << bit_count, ranks), dtype=np.int64)
    onward = (graph.out_first, graph.out_arc, graph.arc_tail, graph.arc_head)
    homeward = (graph.in_first, graph.in_arc, graph.arc_head, graph.arc_tail)
    side, weights = (homeward, (falling, rising)) if backward else (onward, (rising, falling))
    _kernels.distances(tuple(map(_whole, side)), hierarchy, cost, allowed, carried, root, weights, layers)
    found = np.full((graph.node_count, 1 << bit_count), np.inf)
    inner = hierarchy.position >= 0
    reached = layers[:, hierarchy.position[inner]].T
    found[inner] = np.where(reached < _kernels.FAR, reached * COST_UNIT_USD_PER_T, np.inf)
    return found


def _order(count: int, tail: IntArray, head: IntArray) -> IntArray:
    """Rank of each node in an elimination order of minimum degree, shape (count,)."""
    if count < 2:
        return np.zeros(count, dtype=np.int64)
    ends = (np.concatenate([tail, head]), np.concatenate([head, tail]))
    pattern = coo_array((np.full(2 * tail.shape[0], -1.0), ends), shape=(count, count)).tocsc()
    pattern.data[:] = -1.0
    degree = np.asarray(-pattern.sum(axis=1)).ravel()
    matrix = (pattern + (identity(count, format="csc").multiply(degree + 1.0))).tocsc()
    found = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(found.perm_c, dtype=np.int64)


def _whole(values: npt.NDArray[np.generic]) -> IntArray:
    return np.require(values, np.int64, ("C", "W"))
