"""Compiled loops over the paths of user equilibrium, kept as trees that share their beginnings.

A block is a range of origins of one class with all that hangs on them; blocks share nothing that they write, so they may be worked on side
by side, and what is summed is summed block by block: the digits do not depend on who worked on which. Elastic pairs have a link of their
own for trips not made, numbered after the roads; it is a path of one link. Flows are in unit equivalents.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from karvan.assignment._balance_kernels import Rivalries
from karvan.assignment._tree_kernels import LANES, NOWHERE, arrival, forgotten, step_before, sweep, unpacked


class Block(NamedTuple):
    """Who travels: origins in groups of up to eight, and the pairs of each.

    group_first (groups + 1,): sources of each group; rank_first (groups + 1,), rank: ranks that trips of a group start over, rising.
    source_node (sources,); source_first (sources + 1,): pairs of each source. By pair, shape (pairs,): target, the zone; own_link, the
    link for trips not made, -1 for fixed demand; total, flow with trips not made.
    """

    group_first: np.ndarray
    rank_first: np.ndarray
    rank: np.ndarray
    source_node: np.ndarray
    source_first: np.ndarray
    target: np.ndarray
    own_link: np.ndarray
    total: np.ndarray


class Forest(NamedTuple):
    """Paths of a block. Each source has a tree; a path is the way from its root to a node.

    first_slot (pairs,): first path of each pair, -1 without any. By slot: next_slot, the pair's next path or -1; end, the node; flow. By
    node, the roots first, a parent before its children: parent (a root is its own), link from there, child, sibling (-1 for none). used:
    slots and nodes in use.
    """

    first_slot: np.ndarray
    next_slot: np.ndarray
    end: np.ndarray
    flow: np.ndarray
    parent: np.ndarray
    link: np.ndarray
    child: np.ndarray
    sibling: np.ndarray
    used: np.ndarray


@njit(cache=True, nogil=True)
def _larger(array, used, room):
    """The array with room for so many, or itself if it has that room."""
    if room <= array.shape[0]:
        return array
    bigger = np.empty(max(2 * array.shape[0], room), dtype=array.dtype)
    for index in range(used):
        bigger[index] = array[index]
    return bigger


@njit(cache=True, nogil=True)
def roomy(forest, slots, nodes):
    """The forest with room for some more slots and nodes."""
    used_slots, used_nodes = forest.used[0], forest.used[1]
    return Forest(
        forest.first_slot,
        _larger(forest.next_slot, used_slots, used_slots + slots),
        _larger(forest.end, used_slots, used_slots + slots),
        _larger(forest.flow, used_slots, used_slots + slots),
        _larger(forest.parent, used_nodes, used_nodes + nodes),
        _larger(forest.link, used_nodes, used_nodes + nodes),
        _larger(forest.child, used_nodes, used_nodes + nodes),
        _larger(forest.sibling, used_nodes, used_nodes + nodes),
        forest.used,
    )


@njit(cache=True, nogil=True)
def grown(forest, node, link):
    """The child of a node over a link, made if there is none; the forest must have room."""
    child = forest.child[node]
    while child >= 0:
        if forest.link[child] == link:
            return np.int64(child)
        child = forest.sibling[child]
    new = forest.used[1]
    forest.used[1] = new + 1
    forest.parent[new] = node
    forest.link[new] = link
    forest.child[new] = -1
    forest.sibling[new] = forest.child[node]
    forest.child[node] = new
    return np.int64(new)


@njit(cache=True, nogil=True)
def planted(block, forest):
    """Make the roots of an empty forest."""
    for source in range(block.source_node.shape[0]):
        forest.parent[source] = source
        forest.link[source] = forest.child[source] = forest.sibling[source] = -1
    for pair in range(block.target.shape[0]):
        forest.first_slot[pair] = -1
    forest.used[0] = 0
    forest.used[1] = block.source_node.shape[0]


@njit(cache=True, nogil=True)
def _path_end(roads, weights, forest, root, way, lane, source, target, scratch):
    """Node at the end of a shortest path, grown from its origin's root; -1 if nothing adds up."""
    distance, known = way
    chain, stack = scratch
    over = np.int64(-1)
    at, start = roads.position[target], roads.position[source]
    if at < 0:
        _, over = arrival(roads, weights.cost, distance, lane, source, target)
        at = roads.position[roads.tail[over]]
        if at < 0:
            return grown(forest, root, over)
    if start >= 0:
        known[start, lane] = root
    depth = 0
    while known[at, lane] < 0:
        edge, before, link = step_before(roads, weights, distance, lane, source, at)
        if link >= 0:
            known[at, lane] = grown(forest, root, link)
        elif before < 0:
            return np.int64(-1)
        else:
            chain[depth, 0] = at
            chain[depth, 1] = edge
            depth += 1
            at = before
    node = np.int64(known[at, lane])
    while depth > 0:
        depth -= 1
        rank, edge = chain[depth, 0], chain[depth, 1]
        for place in range(unpacked(roads, weights, edge, stack)):
            node = grown(forest, node, stack[stack.shape[0] - 1 - place])
        known[rank, lane] = node
    return node if over < 0 else grown(forest, node, over)


@njit(cache=True, nogil=True)
def explored(roads, block, forest, weights, own_cost, worth, least):
    """Shortest paths of a block; what its flows cost above them; paths that are new get a slot, without flow unless they are the first.

    Args:
        roads, block, forest: The network, who travels, the paths so far.
        weights: Customised costs of the block's class.
        own_cost: Cost of the links for trips not made, shape (own links,).
        worth: A path enters that is cheaper than all of its pair by more than this share.
        least: Filled with the least cost of each pair, infinite without any way, shape (pairs,).

    Returns:
        The forest; sum of flow times cost above least; sum of flow times cost; how many paths entered, pairs have no way, and paths were
        found that do not add up, which costs that are exact rule out.
    """
    links, cost = roads.tail.shape[0], weights.cost
    ranks = roads.up_first.shape[0] - 1
    distance = np.full((ranks, LANES), np.inf)
    known = np.full((ranks, LANES), np.int32(NOWHERE))
    chain = np.empty((ranks + 1, 2), dtype=np.int64)
    stack = np.empty(2 * ranks + 8, dtype=np.int64)
    entered, lost, broken = 0, 0, 0
    excess, total = 0.0, 0.0
    at_node = np.empty(forest.used[1])
    for node in range(forest.used[1]):
        link = forest.link[node]
        if link < 0:
            at_node[node] = 0.0
        else:
            at_node[node] = at_node[forest.parent[node]] + (cost[link] if link < links else own_cost[link - links])
    for group in range(block.group_first.shape[0] - 1):
        begin, end = block.group_first[group], block.group_first[group + 1]
        origins = block.rank[block.rank_first[group] : block.rank_first[group + 1]]
        sweep(roads, weights, origins, block.source_node[begin:end], distance)
        for source in range(begin, end):
            node, lane = block.source_node[source], source - begin
            for pair in range(block.source_first[source], block.source_first[source + 1]):
                way, _ = arrival(roads, cost, distance, lane, node, block.target[pair])
                if not way < np.inf:
                    least[pair] = np.inf
                    lost += 1
                    continue
                cheapest = way
                own = block.own_link[pair]
                if own >= 0:
                    cheapest = min(way, own_cost[own - links])
                least[pair] = cheapest
                best = np.inf
                slot = forest.first_slot[pair]
                while slot >= 0:
                    here = at_node[forest.end[slot]]
                    excess += forest.flow[slot] * (here - cheapest)
                    total += forest.flow[slot] * here
                    best = min(best, here)
                    slot = forest.next_slot[slot]
                if best == np.inf or best - cheapest > worth * cheapest:
                    forest = roomy(forest, 1, ranks + 2)
                    if cheapest < way:
                        last = grown(forest, source, own)
                    else:
                        last = _path_end(roads, weights, forest, source, (distance, known), lane, node, block.target[pair], (chain, stack))
                    if last < 0:
                        broken += 1
                        continue
                    slot = forest.used[0]
                    forest.used[0] = slot + 1
                    forest.end[slot] = last
                    forest.flow[slot] = block.total[pair] if forest.first_slot[pair] < 0 else 0.0
                    forest.next_slot[slot] = forest.first_slot[pair]
                    forest.first_slot[pair] = slot
                    entered += 1
        forgotten(roads, origins, distance, known)
    return forest, excess, total, entered, lost, broken


@njit(cache=True, nogil=True)
def loaded(forest, volume):
    """Volume of links from flow on the paths of a block; fills `volume`, shape (links,)."""
    for link in range(volume.shape[0]):
        volume[link] = 0.0
    through = np.zeros(forest.used[1])
    for pair in range(forest.first_slot.shape[0]):
        slot = forest.first_slot[pair]
        while slot >= 0:
            through[forest.end[slot]] += forest.flow[slot]
            slot = forest.next_slot[slot]
    for back in range(forest.used[1]):
        node = forest.used[1] - 1 - back
        if forest.link[node] >= 0:
            volume[forest.link[node]] += through[node]
            through[forest.parent[node]] += through[node]


@njit(cache=True, nogil=True)
def rivals(block, forest, fixed):
    """Pairs of a block with more than one path: the fullest against every other; see `Rivalries`.

    `fixed` is the part of link costs that volumes do not change and that the class alone bears, shape (links,).

    Returns:
        The rivalries; slot of each path in them, whose position there is its place here.
    """
    count, paths, size = 0, 0, 0
    for pair in range(forest.first_slot.shape[0]):
        slot = forest.first_slot[pair]
        if slot < 0 or forest.next_slot[slot] < 0:
            continue
        while slot >= 0:
            paths += 1
            count += 1
            slot = forest.next_slot[slot]
        count -= 1
    rivalries = Rivalries(
        np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count), np.empty(count + 1, dtype=np.int64),
        np.empty(count, dtype=np.int64), np.empty(16 * count + 16, dtype=np.int32),
    )  # fmt: skip
    main, other, constant, first, middle, link = rivalries
    slots = np.empty(paths, dtype=np.int64)
    mark = np.zeros(fixed.shape[0], dtype=np.int64)
    stamp = np.int64(0)
    count, paths = 0, 0
    first[0] = 0
    for pair in range(forest.first_slot.shape[0]):
        slot = forest.first_slot[pair]
        if slot < 0 or forest.next_slot[slot] < 0:
            continue
        begin, fullest = paths, paths
        while slot >= 0:
            slots[paths] = slot
            if forest.flow[slot] > forest.flow[slots[fullest]]:
                fullest = paths
            paths += 1
            slot = forest.next_slot[slot]
        for path in range(begin, paths):
            if path == fullest:
                continue
            stamp += 2
            one, two = forest.end[slots[path]], forest.end[slots[fullest]]
            while one != two:  # a parent has a lower number, so they meet where the paths part
                if one > two:
                    mark[forest.link[one]] = stamp
                    one = forest.parent[one]
                else:
                    two = forest.parent[two]
            meeting = one
            length = 0
            two = forest.end[slots[fullest]]
            while two != meeting:
                if mark[forest.link[two]] == stamp:
                    mark[forest.link[two]] = stamp + 1
                else:
                    length += 1
                two = forest.parent[two]
            one = forest.end[slots[path]]
            while one != meeting:
                length += mark[forest.link[one]] == stamp
                one = forest.parent[one]
            link = _larger(link, size, size + length)
            extra = 0.0
            one = forest.end[slots[path]]
            while one != meeting:
                if mark[forest.link[one]] == stamp:
                    link[size] = forest.link[one]
                    extra += fixed[forest.link[one]]
                    size += 1
                one = forest.parent[one]
            middle[count] = size
            two = forest.end[slots[fullest]]
            while two != meeting:
                if mark[forest.link[two]] != stamp + 1:
                    link[size] = forest.link[two]
                    extra -= fixed[forest.link[two]]
                    size += 1
                two = forest.parent[two]
            main[count], other[count], constant[count] = fullest, path, extra
            count += 1
            first[count] = size
    return Rivalries(main, other, constant, first, middle, link[:size]), slots


@njit(cache=True, nogil=True)
def settled(forest, slots, flow):
    """Write flow of paths back to their slots, and take paths without flow out of their pairs; a pair keeps at least one."""
    for path in range(slots.shape[0]):
        forest.flow[slots[path]] = flow[path]
    for pair in range(forest.first_slot.shape[0]):
        slot = forest.first_slot[pair]
        if slot < 0 or forest.next_slot[slot] < 0:
            continue
        before = np.int64(-1)
        while slot >= 0:
            after = forest.next_slot[slot]
            if forest.flow[slot] > 0.0 or (before < 0 and after < 0):
                before = slot
            elif before < 0:
                forest.first_slot[pair] = after
            else:
                forest.next_slot[before] = after
            slot = after


@njit(cache=True, nogil=True)
def carried(block, forest, is_open):
    """A copy of a forest with flows in proportion to the block's totals, without paths over closed links; `is_open` by link."""
    slots, nodes = forest.used[0], forest.used[1]
    is_way = np.ones(nodes, dtype=np.bool_)
    for node in range(nodes):
        if forest.link[node] >= 0:
            is_way[node] = is_way[forest.parent[node]] and is_open[forest.link[node]]
    copy = Forest(
        np.full(forest.first_slot.shape[0], np.int64(NOWHERE)), forest.next_slot[:slots].copy(), forest.end[:slots].copy(),
        forest.flow[:slots].copy(), forest.parent[:nodes].copy(), forest.link[:nodes].copy(), forest.child[:nodes].copy(),
        forest.sibling[:nodes].copy(), forest.used.copy(),
    )  # fmt: skip
    for pair in range(forest.first_slot.shape[0]):
        held = 0.0
        slot = forest.first_slot[pair]
        while slot >= 0:
            if is_way[forest.end[slot]]:
                held += forest.flow[slot]
                copy.next_slot[slot] = copy.first_slot[pair]
                copy.first_slot[pair] = slot
            slot = forest.next_slot[slot]
        if held <= 0.0:
            copy.first_slot[pair] = NOWHERE
        slot = copy.first_slot[pair]
        while slot >= 0:
            copy.flow[slot] *= block.total[pair] / held
            slot = copy.next_slot[slot]
    return copy
