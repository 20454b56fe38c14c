"""Compiled loops of the search for several criteria at once: lower bounds from the destination, and labels.

A label is a way from the origin to a node: its criteria so far, the requirement bits it has met, the arc it came by and the label before.
Arc and node numbers are canonical (sorted by id), so what is found does not depend on the order of table rows.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

CRITERIA = 4
TIME = 1
NOBODY = np.int64(-1)
_NEAR = 1e-12
"""Relative difference below which sums of the same numbers in another order are the same."""


@njit(cache=True, nogil=True)
def _rise(heap, key, at):
    """Let an entry of a heap rise until none above it has a higher key, or an equal key and a higher number."""
    item = heap[at]
    while at > 0:
        above = (at - 1) // 2
        other = heap[above]
        if key[other] < key[item] or (key[other] == key[item] and other < item):
            break
        heap[at] = other
        at = above
    heap[at] = item


@njit(cache=True, nogil=True)
def _sink(heap, key, size):
    """Let the first entry of a heap sink to its place."""
    item, at = heap[0], 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size:
            one, other = heap[child], heap[child + 1]
            if key[other] < key[one] or (key[other] == key[one] and other < one):
                child += 1
        below = heap[child]
        if key[item] < key[below] or (key[item] == key[below] and item < below):
            break
        heap[at] = below
        at = child
    heap[at] = item


@njit(cache=True, nogil=True)
def _push(keys, items, size, key, item):
    """Put an item with its key on a heap that holds so many; of equal keys the lower item leaves first."""
    at = size
    while at > 0:
        above = (at - 1) // 2
        if keys[above] < key or (keys[above] == key and items[above] < item):
            break
        keys[at], items[at] = keys[above], items[above]
        at = above
    keys[at], items[at] = key, item


@njit(cache=True, nogil=True)
def _pop(keys, items, size):
    """Take the first item off a heap that holds so many, and put the last one in its place."""
    key, item, size, at = keys[size - 1], items[size - 1], size - 1, 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        other = child + 1
        if other < size and (keys[other] < keys[child] or (keys[other] == keys[child] and items[other] < items[child])):
            child = other
        if key < keys[child] or (key == keys[child] and item < items[child]):
            break
        keys[at], items[at] = keys[child], items[child]
        at = child
    keys[at], items[at] = key, item


@njit(cache=True, nogil=True)
def bounds(backward, cost, allowed, bits, full, root, bound, onward):
    """Least of one criterion from every node and set of bits met to a destination with all bits met, and the arc to take.

    Args:
        backward: in_first (nodes + 1,) and in_arc (arcs,): arcs by head; arc_tail (arcs,).
        cost: The criterion, zero or more, shape (arcs,).
        allowed: Arcs that may be used, shape (arcs,).
        bits: Requirement bits that an arc meets, shape (arcs,).
        full: All bits that must be met.
        root: The destination node.
        bound, onward: Filled: the least and its first arc, inf and -1 where there is none, shape (nodes, full + 1).

    Source:
        Dijkstra (1959), from the destination, on pairs of node and bits.
    """
    first, arc_of, tail = backward
    layers = full + 1
    count = bound.shape[0] * layers
    key = np.empty(count, dtype=np.float64)
    is_done = np.zeros(count, dtype=np.bool_)
    for state in range(count):
        key[state] = np.inf
    for node in range(bound.shape[0]):
        for layer in range(layers):
            bound[node, layer] = np.inf
            onward[node, layer] = -1
    heap_key = np.empty(max(16, 2 * count), dtype=np.float64)
    heap = np.empty(max(16, 2 * count), dtype=np.int64)
    entry_state = np.empty(max(16, 4 * count), dtype=np.int64)
    entries, size = 1, 1
    entry_state[0], heap_key[0], heap[0] = root * layers + full, 0.0, 0
    key[root * layers + full] = 0.0
    while size > 0:
        state = entry_state[heap[0]]
        _pop(heap_key, heap, size)
        size -= 1
        if is_done[state]:
            continue
        is_done[state] = True
        node, layer = state // layers, state % layers
        bound[node, layer] = key[state]
        for place in range(first[node], first[node + 1]):
            arc = arc_of[place]
            if not allowed[arc]:
                continue
            there = key[state] + cost[arc]
            for before in range(layers):
                if before | bits[arc] != layer:
                    continue
                other = tail[arc] * layers + before
                if there < key[other] and not is_done[other]:
                    key[other] = there
                    onward[tail[arc], before] = arc
                    if entries == entry_state.shape[0]:
                        entry_state = _longer(entry_state)
                    if size == heap.shape[0]:
                        heap_key, heap = _longer(heap_key), _longer(heap)
                    entry_state[entries] = other
                    _push(heap_key, heap, size, there, entries)
                    entries += 1
                    size += 1


@njit(cache=True, nogil=True)
def _longer(array):
    """A copy of an array with twice the room."""
    bigger = np.empty(2 * array.shape[0], dtype=array.dtype)
    for index in range(array.shape[0]):
        bigger[index] = array[index]
    return bigger


@njit(cache=True, nogil=True)
def _longer_rows(array):
    """A copy of a table with twice the room."""
    bigger = np.empty((2 * array.shape[0], array.shape[1]), dtype=array.dtype)
    for row in range(array.shape[0]):
        for column in range(array.shape[1]):
            bigger[row, column] = array[row, column]
    return bigger


@njit(cache=True, nogil=True)
def departed(arc, ready_h, sailing_first, sailing_h):
    """When an arc is left by goods that are ready at an hour: at once, or at its next dated sailing; inf after the last one."""
    begin, end = sailing_first[arc], sailing_first[arc + 1]
    if begin == end:
        return ready_h
    for place in range(begin, end):
        if sailing_h[place] >= ready_h:
            return sailing_h[place]
    return np.inf


@njit(cache=True, nogil=True)
def _dominates(table, one, rank, slack):
    """Whether a row of a table is at most some numbers in every criterion."""
    for criterion in range(CRITERIA):
        limit = rank[criterion]
        if table[one, criterion] > limit + slack * abs(limit):
            return False
    return True


@njit(cache=True, nogil=True)
def _is_dominated_by(rank, table, other, slack):
    for criterion in range(CRITERIA):
        limit = table[other, criterion]
        if rank[criterion] > limit + slack * abs(limit):
            return False
    return True


@njit(cache=True, nogil=True)
def _ranked(values, step, rank):
    """Numbers that dominance compares: the values themselves, or their buckets of equal ratio; fills `rank`."""
    for criterion in range(CRITERIA):
        value = values[criterion]
        if step > 0.0:
            rank[criterion] = math.floor(math.log(max(value, 1e-9)) / step + 1e-9)
        else:
            rank[criterion] = value


@njit(cache=True, nogil=True)
def pareto(forward, arc_values, allowed, bits, full, sailings, ends, bound, epsilon, most):
    """Labels of the ways between two nodes that no other is better than in every criterion.

    Dominance holds among labels of one node (a place, mode, gauge and loading unit) with the same bits met, and against complete ways by
    what a label must still take at least.

    Args:
        forward: out_first (nodes + 1,) and out_arc (arcs,): arcs by tail; arc_head (arcs,); link of each arc, -1 for none (arcs,). Goods
            do not turn round on a link, as they else would to pass a place that is asked for.
        arc_values: cost, time, variance, CO2e of each arc, zero or more, shape (arcs, 4).
        allowed, bits, full: As of `bounds`.
        sailings: First of each arc, shape (arcs + 1,), and hours after departure, rising within an arc.
        ends: Origin and destination node.
        bound: Least still to come, shape (4, nodes, full + 1).
        epsilon: Ways within this share of each other in every criterion count as one; 0: exact.
        most: Labels that may be made.

    Returns:
        Labels of complete ways; arc and label before, by label; values by label; and whether the search ended before `most`.

    Source:
        Martins (1984), EJOR 16; Mandow & Perez de la Cruz (2010), NAMOA*, JACM 57(5); relative epsilon-dominance of Papadimitriou &
        Yannakakis (2000).
    """
    first, arc_of, head, link = forward
    sailing_first, sailing_h = sailings
    origin, destination = ends
    layers = full + 1
    step = math.log1p(epsilon) if epsilon > 0.0 else 0.0
    slack = 0.0 if step > 0.0 else _NEAR
    room = 1024
    values = np.empty((room, CRITERIA), dtype=np.float64)
    ranks = np.empty((room, CRITERIA), dtype=np.float64)
    key = np.empty(room, dtype=np.float64)
    at_state = np.empty(room, dtype=np.int64)
    before = np.empty(room, dtype=np.int64)
    by_arc = np.empty(room, dtype=np.int64)
    following = np.empty(room, dtype=np.int64)
    is_alive = np.empty(room, dtype=np.bool_)
    heap = np.empty(room, dtype=np.int64)
    newest = np.empty(bound.shape[1] * layers, dtype=np.int64)
    for state in range(newest.shape[0]):
        newest[state] = -1
    scale = np.empty(CRITERIA, dtype=np.float64)
    now = np.empty(CRITERIA, dtype=np.float64)
    whole = np.empty(CRITERIA, dtype=np.float64)
    rank = np.empty(CRITERIA, dtype=np.float64)
    whole_rank = np.empty(CRITERIA, dtype=np.float64)
    goal = destination * layers + full
    count, size, is_whole = 0, 0, True
    if bound[0, origin, 0] < np.inf:
        key[0] = 0.0
        for criterion in range(CRITERIA):
            values[0, criterion] = 0.0
            ranks[0, criterion] = -1e18 if step > 0.0 else 0.0
            least = bound[criterion, origin, 0]
            scale[criterion] = 1.0 / least if least > 0.0 else 1.0
        at_state[0], before[0], by_arc[0], following[0], is_alive[0], heap[0] = origin * layers, -1, -1, -1, True, 0
        newest[origin * layers] = 0
        count, size = 1, 1
    while size > 0 and is_whole:
        label = heap[0]
        size -= 1
        if size > 0:
            heap[0] = heap[size]
            _sink(heap, key, size)
        state = at_state[label]
        if not is_alive[label] or state == goal:
            continue
        node, layer = state // layers, state % layers
        for place in range(first[node], first[node + 1]):
            arc = arc_of[place]
            if not allowed[arc] or (before[label] >= 0 and link[arc] >= 0 and link[by_arc[label]] == link[arc]):
                continue
            there, met = head[arc], layer | bits[arc]
            if bound[0, there, met] == np.inf:
                continue
            start = departed(arc, values[label, TIME], sailing_first, sailing_h)
            if start == np.inf:
                continue
            for criterion in range(CRITERIA):
                now[criterion] = values[label, criterion] + arc_values[arc, criterion]
            now[TIME] += start - values[label, TIME]
            for criterion in range(CRITERIA):
                whole[criterion] = now[criterion] + bound[criterion, there, met]
            _ranked(whole, step, whole_rank)
            target = there * layers + met
            other, is_beaten = newest[goal], False
            while other >= 0:
                if _dominates(ranks, other, whole_rank, slack):
                    is_beaten = True
                    break
                other = following[other]
            if is_beaten:
                continue
            if step > 0.0:
                for criterion in range(CRITERIA):
                    rank[criterion] = whole_rank[criterion]
            else:
                for criterion in range(CRITERIA):
                    rank[criterion] = now[criterion]
            other, last = newest[target], NOBODY
            while other >= 0:
                if _dominates(ranks, other, rank, slack):
                    is_beaten = True
                    break
                if _is_dominated_by(rank, ranks, other, slack):
                    is_alive[other] = False
                    if last < 0:
                        newest[target] = following[other]
                    else:
                        following[last] = following[other]
                else:
                    last = other
                other = following[other]
            if is_beaten:
                continue
            if count == most:
                is_whole = False
                break
            if count == room:
                room *= 2
                values, ranks = _longer_rows(values), _longer_rows(ranks)
                key, at_state, before, by_arc = _longer(key), _longer(at_state), _longer(before), _longer(by_arc)
                following, is_alive = _longer(following), _longer(is_alive)
                heap = _longer(heap)
            key[count] = 0.0
            for criterion in range(CRITERIA):
                values[count, criterion] = now[criterion]
                ranks[count, criterion] = rank[criterion]
                key[count] += whole[criterion] * scale[criterion]
            at_state[count], before[count], by_arc[count], is_alive[count] = target, label, arc, True
            following[count] = newest[target]
            newest[target] = count
            heap[size] = count
            _rise(heap, key, size)
            count += 1
            size += 1
    total = 0
    label = newest[goal]
    while label >= 0:
        total += 1
        label = following[label]
    found = np.empty(total, dtype=np.int64)
    label = newest[goal]
    while label >= 0:
        total -= 1
        found[total] = label
        label = following[label]
    return found, before[:count].copy(), by_arc[:count].copy(), values[:count].copy(), is_whole


@njit(cache=True, nogil=True)
def trails(found, before, by_arc):
    """Ways that labels stand for.

    Args:
        found: Labels, shape (ways,).
        before, by_arc: Label before and arc by which each label came, -1 for the first, shape (labels,).

    Returns:
        Where each way starts among the steps, shape (ways + 1,), and arcs in travel order.
    """
    first = np.zeros(found.shape[0] + 1, dtype=np.int64)
    for way in range(found.shape[0]):
        label, length = found[way], 0
        while before[label] >= 0:
            length += 1
            label = before[label]
        first[way + 1] = first[way] + length
    steps = np.empty(first[found.shape[0]], dtype=np.int64)
    for way in range(found.shape[0]):
        label, place = found[way], first[way + 1]
        while before[label] >= 0:
            place -= 1
            steps[place] = by_arc[label]
            label = before[label]
    return first, steps


@njit(cache=True, nogil=True)
def walks(least, onward, heads, bits, full, ends):
    """The way that each reverse search points along from an origin.

    Args:
        least, onward: As filled by `bounds`, shape (criteria, nodes, full + 1).
        heads: arc_head (arcs,); link of each arc, -1 for none (arcs,).
        bits, full: As of `bounds`.
        ends: Origin and destination node.

    Returns:
        Where each way starts among the steps, shape (ways + 1,), and arcs in travel order. A way that uses a link twice is left out: it
        turns round to pass what is asked for.
    """
    head, link = heads
    origin, destination = ends
    first = np.zeros(least.shape[0] + 1, dtype=np.int64)
    steps = np.empty(64, dtype=np.int64)
    count, ways = 0, 0
    for search in range(least.shape[0]):
        if least[search, origin, 0] == np.inf:
            continue
        node, layer, begin, is_straight = origin, 0, count, True
        while not (node == destination and layer == full):
            arc = onward[search, node, layer]
            if link[arc] >= 0:
                for place in range(begin, count):
                    if link[steps[place]] == link[arc]:
                        is_straight = False
            if count == steps.shape[0]:
                steps = _longer(steps)
            steps[count] = arc
            count += 1
            node, layer = head[arc], layer | bits[arc]
        if is_straight:
            ways += 1
            first[ways] = count
        else:
            count = begin
    return first[: ways + 1].copy(), steps[:count].copy()


@njit(cache=True, nogil=True)
def unbeaten(values, same):
    """Rows that no kept row before them is at most equal to in every criterion, but for `same`, shape (rows,)."""
    is_kept = np.zeros(values.shape[0], dtype=np.bool_)
    for row in range(values.shape[0]):
        is_kept[row] = True
        for other in range(row):
            if not is_kept[other]:
                continue
            is_beaten = True
            for criterion in range(CRITERIA):
                if values[other, criterion] > values[row, criterion] * (1.0 + same) + same:
                    is_beaten = False
                    break
            if is_beaten:
                is_kept[row] = False
                break
    return is_kept
