"""Compiled loops of user equilibrium over shortest paths and the paths that are used, kept as trees that share their beginnings.

Link costs are whole multiples of a unit and paths cost less than 2^53 of them, so sums of costs are exact in whatever order: what a sweep
over a contraction hierarchy finds equals the sum over links to the last bit, and a path is traced back by asking which link adds up.

A block is a range of origins of one class with all that hangs on them; blocks share nothing that they write, so they may be worked on side
by side, and what is summed is summed block by block: the digits do not depend on who worked on which. Elastic pairs have a link of their
own for trips not made, numbered after the roads; it is a path of one link. Flows are in unit equivalents.
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


@njit(cache=True, nogil=True)
def _larger(array, used, room):
    """The array with room for so many, or itself if it has that room."""
    if room <= array.shape[0]:
        return array
    bigger = np.empty(max(2 * array.shape[0], room), dtype=array.dtype)
    for index in range(used):
        bigger[index] = array[index]
    return bigger


@njit(cache=True, nogil=True, inline="always")
def _grown(parent, link, child, sibling, used, node, item):
    """The child of a node over a link, made if there is none; the arrays must have room."""
    below = child[node]
    while below >= 0:
        if link[below] == item:
            return np.int64(below)
        below = sibling[below]
    new = used[1]
    used[1] = new + 1
    parent[new] = node
    link[new] = item
    child[new] = NOWHERE
    sibling[new] = child[node]
    child[node] = new
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
def _weighed(
    begin, last, origin, lane, target, own_link, least, wanted, position, tail, into_first, into_link, cost, own_cost, distance, first_slot,
    next_slot, end, flow, link, at_node, worth,
):  # fmt: skip
    """Least costs of the pairs of an origin; fills `least`, and `wanted` with pairs for which a path enters.

    Returns:
        Sum of flow times cost above least, sum of flow times cost of trips made, pairs without a way, how many are wanted.
    """
    excess, total, lost, count = 0.0, 0.0, 0, 0
    links = tail.shape[0]
    for pair in range(begin, last):
        goal = target[pair]
        if position[goal] >= 0:
            way = distance[position[goal], lane]
        else:
            _, way = link_to(position, tail, into_first, into_link, cost, distance, lane, origin, goal)
        least[pair] = way
        if not way < np.inf:
            lost += 1
            continue
        own = own_link[pair]
        cheapest = way if own < 0 else min(way, own_cost[own - links])
        least[pair] = cheapest
        best = np.inf
        slot = first_slot[pair]
        while slot >= 0:
            here = at_node[end[slot]]
            excess += flow[slot] * (here - cheapest)
            if link[end[slot]] < links:
                total += flow[slot] * here
            best = min(best, here)
            slot = next_slot[slot]
        if best == np.inf or best - cheapest > worth * cheapest:
            wanted[count] = pair
            count += 1
    return excess, total, lost, count


@njit(cache=True, nogil=True)
def _entered(
    source, origin, lane, wanted, target, own_link, amount, least, position, tail, head, into_first, into_link, cost, own_cost, distance,
    known, chain, first_slot, next_slot, end, flow, parent, link, child, sibling, used,
):  # fmt: skip
    """Let a cheapest path enter for each of some pairs of an origin; the arrays must have room.

    `known` holds the node of each rank that a path of the same sweep has come to, shape (ranks, LANES).

    Returns:
        How many paths did not add up.
    """
    links, broken = tail.shape[0], 0
    for place in range(wanted.shape[0]):
        pair = wanted[place]
        own = own_link[pair]
        depth, node, back = 0, np.int64(source), np.int64(target[pair])
        if own >= 0 and own_cost[own - links] == least[pair]:
            chain[0] = own
            depth = 1
            back = np.int64(origin)
        while back != origin and depth < chain.shape[0]:
            rank = position[back]
            if rank >= 0 and known[rank, lane] >= 0:
                node = np.int64(known[rank, lane])
                back = np.int64(origin)
            else:
                chain[depth], _ = link_to(position, tail, into_first, into_link, cost, distance, lane, origin, back)
                back = np.int64(tail[chain[depth]])
                depth += 1
        if back != origin:
            broken += 1
            continue
        while depth > 0:
            depth -= 1
            item = chain[depth]
            node = _grown(parent, link, child, sibling, used, node, item)
            if item < links and position[head[item]] >= 0:
                known[position[head[item]], lane] = node
        slot = used[0]
        used[0] = slot + 1
        end[slot] = node
        flow[slot] = amount[pair] if first_slot[pair] < 0 else 0.0
        next_slot[slot] = first_slot[pair]
        first_slot[pair] = slot
    return broken


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
        The forest; sum of flow times cost above least; sum of flow times cost of trips made; how many paths entered, pairs have no way,
        and paths were found that do not add up, which costs that are exact rule out.
    """
    position, tail, head = roads.position, roads.tail, roads.head
    up_first, up_head, into_first, into_link = roads.up_first, roads.up_head, roads.into_first, roads.into_link
    cost, rising, falling = weights
    group_first, rank_first, origin_ranks, source_node, source_first, target, own_link, amount = block
    first_slot, next_slot, end, flow, parent, link, child, sibling, used = forest
    links, ranks = tail.shape[0], up_first.shape[0] - 1
    distance = np.empty((ranks, LANES))
    known = np.empty((ranks, LANES), dtype=np.int32)
    chain, wanted = np.empty(ranks + 2, dtype=np.int64), np.empty(target.shape[0], dtype=np.int64)
    entered, lost, broken = 0, 0, 0
    excess, total = 0.0, 0.0
    at_node = np.zeros(used[1])
    for node in range(source_node.shape[0], used[1]):
        at_node[node] = at_node[parent[node]] + (cost[link[node]] if link[node] < links else own_cost[link[node] - links])
    for group in range(group_first.shape[0] - 1):
        begin, last = group_first[group], group_first[group + 1]
        started(position, head, roads.out_first, roads.out_link, cost, source_node[begin:last], distance)
        sweep(up_first, up_head, rising, falling, origin_ranks[rank_first[group] : rank_first[group + 1]], distance)
        for rank in range(ranks):
            for lane in range(LANES):
                known[rank, lane] = NOWHERE
        for source in range(begin, last):
            origin, lane = source_node[source], source - begin
            more, cost_there, missing, count = _weighed(
                source_first[source], source_first[source + 1], origin, lane, target, own_link, least, wanted, position, tail, into_first,
                into_link, cost, own_cost, distance, first_slot, next_slot, end, flow, link, at_node, worth,
            )  # fmt: skip
            excess += more
            total += cost_there
            lost += missing
            if used[0] + count > end.shape[0]:
                next_slot, end = _larger(next_slot, used[0], used[0] + count), _larger(end, used[0], used[0] + count)
                flow = _larger(flow, used[0], used[0] + count)
            room = used[1] + ranks + 2 * count  # each rank is come to once, each zone and each link for trips not made, too
            if room > link.shape[0]:
                parent, link = _larger(parent, used[1], room), _larger(link, used[1], room)
                child, sibling = _larger(child, used[1], room), _larger(sibling, used[1], room)
            broken += _entered(
                source, origin, lane, wanted[:count], target, own_link, amount, least, position, tail, head, into_first, into_link, cost,
                own_cost, distance, known, chain, first_slot, next_slot, end, flow, parent, link, child, sibling, used,
            )  # fmt: skip
            entered += count
    return Forest(first_slot, next_slot, end, flow, parent, link, child, sibling, used), excess, total, entered, lost, broken


@njit(cache=True, nogil=True)
def loaded(forest, volume):
    """Volume of links from flow on the paths of a block; fills `volume`, shape (links,)."""
    first_slot, next_slot, end, flow, parent, link, _, _, used = forest
    for item in range(volume.shape[0]):
        volume[item] = 0.0
    through = np.zeros(used[1])
    for pair in range(first_slot.shape[0]):
        slot = first_slot[pair]
        while slot >= 0:
            through[end[slot]] += flow[slot]
            slot = next_slot[slot]
    for back in range(used[1]):
        node = used[1] - 1 - back
        if link[node] >= 0:
            volume[link[node]] += through[node]
            through[parent[node]] += through[node]


@njit(cache=True, nogil=True)
def _counted(first_slot, next_slot):
    """How many paths stand in pairs with more than one, and how many such pairs there are."""
    paths, pairs = 0, 0
    for pair in range(first_slot.shape[0]):
        slot = first_slot[pair]
        if slot < 0 or next_slot[slot] < 0:
            continue
        pairs += 1
        while slot >= 0:
            paths += 1
            slot = next_slot[slot]
    return paths, pairs


@njit(cache=True, nogil=True, inline="always")
def _meeting(parent, one, two):
    """Node where two paths of an origin part; a parent has a lower number than its children."""
    while one != two:
        if one > two:
            one = parent[one]
        else:
            two = parent[two]
    return one


@njit(cache=True, nogil=True)
def _deepest(parent, link, nodes):
    """Most links from a root to a node."""
    depth = np.zeros(nodes, dtype=np.int32)
    most = 0
    for node in range(nodes):
        if link[node] >= 0:
            depth[node] = depth[parent[node]] + 1
            most = max(most, depth[node])
    return most


@njit(cache=True, nogil=True)
def rivals(forest, fixed):
    """Pairs of a block with more than one path: the fullest against every other, by the links that differ.

    `fixed` is the part of link costs that volumes do not change and that the class alone bears, shape (links,).

    Returns:
        The parts of `Rivalries`; slot of each path in them, whose position there is its place here.
    """
    first_slot, next_slot, end, flow, parent, item, _, _, used = forest
    paths, pairs = _counted(first_slot, next_slot)
    slots = np.empty(paths, dtype=np.int64)
    count = paths - pairs
    main, other, constant = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count)
    first, middle = np.empty(count + 1, dtype=np.int64), np.empty(count, dtype=np.int64)
    deepest = _deepest(parent, item, used[1])
    link, lacked = np.empty(16 * count + 2 * deepest, dtype=np.int32), np.empty(deepest, dtype=np.int32)
    mark = np.zeros(fixed.shape[0], dtype=np.int64)
    stamp, count, paths, size = np.int64(0), 0, 0, 0
    first[0] = 0
    for pair in range(first_slot.shape[0]):
        slot = first_slot[pair]
        if slot < 0 or next_slot[slot] < 0:
            continue
        begin, fullest = paths, paths
        while slot >= 0:
            slots[paths] = slot
            if flow[slot] > flow[slots[fullest]]:
                fullest = paths
            paths += 1
            slot = next_slot[slot]
        for path in range(begin, paths):
            if path == fullest:
                continue
            stamp += 2
            meeting = _meeting(parent, end[slots[path]], end[slots[fullest]])
            if size + 2 * deepest > link.shape[0]:
                link = _larger(link, size, size + 2 * deepest)
            own = size
            node = end[slots[path]]
            while node != meeting:
                mark[item[node]] = stamp
                link[own] = item[node]
                own += 1
                node = parent[node]
            missing = 0
            node = end[slots[fullest]]
            while node != meeting:
                if mark[item[node]] == stamp:
                    mark[item[node]] = stamp + 1
                elif mark[item[node]] != stamp + 1:
                    lacked[missing] = item[node]
                    missing += 1
                node = parent[node]
            extra = 0.0
            for step in range(size, own):
                if mark[link[step]] == stamp:
                    extra += fixed[link[step]]
                    link[size] = link[step]
                    size += 1
            middle[count] = size
            for step in range(missing):
                extra -= fixed[lacked[step]]
                link[size] = lacked[step]
                size += 1
            main[count], other[count], constant[count] = fullest, path, extra
            count += 1
            first[count] = size
    return (main, other, constant, first, middle, link[:size]), slots


@njit(cache=True, nogil=True)
def settled(forest, slots, part):
    """Write flow of paths back to their slots, and take paths without flow out of their pairs; a pair keeps at least one."""
    first_slot, next_slot, _, flow, _, _, _, _, _ = forest
    for path in range(slots.shape[0]):
        flow[slots[path]] = part[path]
    for pair in range(first_slot.shape[0]):
        slot = first_slot[pair]
        if slot < 0 or next_slot[slot] < 0:
            continue
        before = np.int64(NOWHERE)
        while slot >= 0:
            after = next_slot[slot]
            if flow[slot] > 0.0 or (before < 0 and after < 0):
                before = slot
            elif before < 0:
                first_slot[pair] = after
            else:
                next_slot[before] = after
            slot = after


@njit(cache=True, nogil=True)
def _is_live(forest, is_open, flow_of):
    """Whether a path that is open ends at a node or beyond it, shape (nodes,); fills `flow_of` with the flow on a pair's open paths."""
    first_slot, next_slot, end, flow, parent, link, _, _, used = forest
    nodes = used[1]
    is_way, is_live = np.ones(nodes, dtype=np.bool_), np.zeros(nodes, dtype=np.bool_)
    for node in range(nodes):
        if link[node] >= 0:
            is_way[node] = is_way[parent[node]] and is_open[link[node]]
    for pair in range(first_slot.shape[0]):
        flow_of[pair] = 0.0
        slot = first_slot[pair]
        while slot >= 0:
            if is_way[end[slot]]:
                flow_of[pair] += flow[slot]
                is_live[end[slot]] = True
            slot = next_slot[slot]
    for back in range(nodes):
        node = nodes - 1 - back
        if is_live[node]:
            is_live[parent[node]] = True
    return is_live


@njit(cache=True, nogil=True)
def carried(block, forest, is_open):
    """The paths of a forest with flows in proportion to the block's totals, without those over closed links and what is left of paths
    that nobody takes; `is_open` by link.
    """
    first_slot, next_slot, end, flow, parent, link, _, _, used = forest
    amount, nodes, sources = block.total, used[1], block.source_node.shape[0]
    held = np.empty(first_slot.shape[0])
    is_live = _is_live(forest, is_open, held)
    count, slots = sources, 0
    place = np.empty(nodes, dtype=np.int32)
    for node in range(nodes):
        place[node] = node
        if node >= sources and is_live[node]:
            place[node] = count
            count += 1
    room = count + count // 2 + 64
    new = Forest(
        np.empty(first_slot.shape[0], dtype=np.int64), np.empty(used[0], dtype=np.int64), np.empty(used[0], dtype=np.int64),
        np.empty(used[0]), np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32), np.empty(2, dtype=np.int64),
    )  # fmt: skip
    planted(block, new)
    for node in range(sources, nodes):
        if is_live[node]:
            here, above = place[node], place[parent[node]]
            new.parent[here], new.link[here] = above, link[node]
            new.child[here], new.sibling[here] = NOWHERE, new.child[above]
            new.child[above] = here
    for pair in range(first_slot.shape[0]):
        slot = first_slot[pair]
        while slot >= 0 and held[pair] > 0.0:
            if is_live[end[slot]]:
                new.end[slots], new.flow[slots] = place[end[slot]], flow[slot] * (amount[pair] / held[pair])
                new.next_slot[slots] = new.first_slot[pair]
                new.first_slot[pair] = slots
                slots += 1
            slot = next_slot[slot]
    new.used[0], new.used[1] = slots, count
    return new
