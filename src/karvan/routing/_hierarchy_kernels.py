"""Compiled loops that build a contraction hierarchy: fill-in of the state graph, and the triangles below each edge."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _sort(array, begin, end):
    """Sort a short part of an array in place; the library's sort takes long to compile."""
    for index in range(begin + 1, end):
        item = array[index]
        at = index
        while at > begin and array[at - 1] > item:
            array[at] = array[at - 1]
            at -= 1
        array[at] = item


@njit(cache=True, nogil=True)
def _joined(node, others, begin, end, mark, found, size):
    """Append to `found` what of some nodes is above a node and not marked as its neighbour yet; it may be moved to have the room.

    Returns:
        The array and how much of it is in use.
    """
    for position in range(begin, end):
        other = others[position]
        if other > node and mark[other] != node:
            mark[other] = node
            if size == found.shape[0]:
                bigger = np.empty(2 * size, dtype=np.int64)
                for index in range(size):
                    bigger[index] = found[index]
                found = bigger
            found[size] = other
            size += 1
    return found, size


@njit(cache=True, nogil=True)
def eliminated(first, neighbour):
    """Fill-in of a symmetric graph whose nodes are numbered in the order in which they are taken out.

    Args:
        first, neighbour: Neighbours of each node (CSR).

    Returns:
        up_first, up_head: for each node its neighbours of higher number, those that fill-in adds among them, rising.
    """
    count = first.shape[0] - 1
    up_first = np.empty(count + 1, dtype=np.int64)
    up_first[0] = 0
    up_head = np.empty(max(16, 2 * neighbour.shape[0]), dtype=np.int64)
    first_child = np.empty(count, dtype=np.int64)
    next_child = np.empty(count, dtype=np.int64)
    mark = np.empty(count, dtype=np.int64)
    for node in range(count):
        first_child[node] = next_child[node] = mark[node] = -1
    size = np.int64(0)
    for node in range(count):
        start = size
        up_head, size = _joined(node, neighbour, first[node], first[node + 1], mark, up_head, size)
        child = first_child[node]
        while child >= 0:
            up_head, size = _joined(node, up_head, up_first[child], up_first[child + 1], mark, up_head, size)
            child = next_child[child]
        _sort(up_head, start, size)
        up_first[node + 1] = size
        if size > start:
            parent = up_head[start]
            next_child[node] = first_child[parent]
            first_child[parent] = node
    return up_first, up_head[:size].copy()


@njit(cache=True, nogil=True)
def triangles(up_first, up_head):
    """All pairs of edges from a node to higher ones, with the edge between their ends; see `Hierarchy`."""
    count = up_first.shape[0] - 1
    total = 0
    for node in range(count):
        degree = up_first[node + 1] - up_first[node]
        total += degree * (degree - 1) // 2
    low = np.empty(total, dtype=np.int32)
    high = np.empty(total, dtype=np.int32)
    top = np.empty(total, dtype=np.int32)
    size = 0
    for node in range(count):
        for one in range(up_first[node], up_first[node + 1]):
            middle = up_head[one]
            place = up_first[middle]
            for other in range(one + 1, up_first[node + 1]):
                while up_head[place] != up_head[other]:
                    place += 1
                low[size] = one
                high[size] = other
                top[size] = place
                size += 1
    return low, high, top
