"""Compiled loops of the route engine: a contraction hierarchy of the state graph, routes through every arc, and which of them enter.

Costs of a search are whole numbers (millionths of a dollar), so that sums do not depend on their order: distances are exact, and a
route is read back from them arc by arc. Bit b of the flags of a search is set once an arc that carries it is taken; a route is
complete when all bits are set. Layer s of a distance holds the least cost of having collected at least the bits of s. Arc and node
numbers are canonical (sorted by id), so ties fall the same way whatever the order of table rows. No loop holds the interpreter's lock.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

FAR = np.int64(1) << 60
"""Distance of what cannot be reached."""


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


@njit(cache=True, nogil=True)
def eliminated(first, neighbour):
    """Fill-in of a symmetric graph whose nodes are numbered in the order in which they are taken out.

    Args:
        first, neighbour: Neighbours of each node (CSR).

    Returns:
        up_first, up_head: for each node its neighbours of higher number, those that fill-in adds among them, rising.
    """
    count = first.shape[0] - 1
    up_first = np.zeros(count + 1, dtype=np.int64)
    up_head = np.empty(max(16, 2 * neighbour.shape[0]), dtype=np.int64)
    first_child = np.full(count, -1, dtype=np.int64)
    next_child = np.full(count, -1, dtype=np.int64)
    mark = np.full(count, -1, dtype=np.int64)
    size = 0
    for node in range(count):
        start = size
        for position in range(first[node], first[node + 1]):
            other = neighbour[position]
            if other > node and mark[other] != node:
                mark[other] = node
                if size == up_head.shape[0]:
                    up_head = _grown(up_head, size + 1)
                up_head[size] = other
                size += 1
        child = first_child[node]
        while child >= 0:
            for position in range(up_first[child], up_first[child + 1]):
                other = up_head[position]
                if other > node and mark[other] != node:
                    mark[other] = node
                    if size == up_head.shape[0]:
                        up_head = _grown(up_head, size + 1)
                    up_head[size] = other
                    size += 1
            child = next_child[child]
        up_head[start:size].sort()
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


@njit(cache=True, nogil=True)
def customised(hierarchy, cost, is_allowed, rising, falling):
    """Least cost over each edge upwards and downwards by nodes below it; fills `rising` and `falling`, shape (edges,)."""
    rising[:] = FAR
    falling[:] = FAR
    arc_edge, arc_is_up = hierarchy.arc_edge, hierarchy.arc_is_up
    for arc in range(cost.shape[0]):
        edge = arc_edge[arc]
        if edge >= 0 and is_allowed[arc]:
            if arc_is_up[arc]:
                rising[edge] = min(rising[edge], cost[arc])
            else:
                falling[edge] = min(falling[edge], cost[arc])
    low, high, top = hierarchy.triangle_low, hierarchy.triangle_high, hierarchy.triangle_top
    for triangle in range(low.shape[0]):
        one, other, above = low[triangle], high[triangle], top[triangle]
        there = falling[one] + rising[other]
        rising[above] = min(rising[above], there)
        back = falling[other] + rising[one]
        falling[above] = min(falling[above], back)


@njit(cache=True, nogil=True)
def _sweep(hierarchy, outward, inward, distance):
    """Complete distances that hold at some nodes: up the hierarchy by `outward` weights, then down by `inward` ones, in place."""
    up_first, up_head = hierarchy.up_first, hierarchy.up_head
    count = distance.shape[0]
    for node in range(count):
        here = distance[node]
        if here >= FAR:
            continue
        for edge in range(up_first[node], up_first[node + 1]):
            there = here + outward[edge]
            distance[up_head[edge]] = min(distance[up_head[edge]], there)
    for back in range(count):
        node = count - 1 - back
        here = distance[node]
        for edge in range(up_first[node], up_first[node + 1]):
            there = distance[up_head[edge]] + inward[edge]
            here = min(here, there)
        distance[node] = here


@njit(cache=True, nogil=True)
def distances(network, hierarchy, cost, is_allowed, bits, flag_count, root, is_backward, rising, falling, layers):
    """Least cost between a centroid and every node, by bits collected at least; fills `layers`, shape (flags, ranks).

    `rising` and `falling` are the customised weights; backwards, costs lead to the root.
    """
    position = hierarchy.position
    first, arc_of = (network.in_first, network.in_arc) if is_backward else (network.out_first, network.out_arc)
    near, far = (network.arc_head, network.arc_tail) if is_backward else (network.arc_tail, network.arc_head)
    outward, inward = (falling, rising) if is_backward else (rising, falling)
    layers[:] = FAR
    for place in range(first[root], first[root + 1]):
        arc = arc_of[place]
        if is_allowed[arc]:
            node = position[far[arc]]
            layers[0, node] = min(layers[0, node], cost[arc])
    _sweep(hierarchy, outward, inward, layers[0])
    if flag_count == 1:
        return
    carriers = np.flatnonzero((bits != 0) & is_allowed)
    for flags in range(1, flag_count):
        for arc in carriers:
            before = flags & ~bits[arc]
            if before != flags and position[near[arc]] >= 0 and position[far[arc]] >= 0:
                there = layers[before, position[near[arc]]] + cost[arc]
                node = position[far[arc]]
                layers[flags, node] = min(layers[flags, node], there)
        _sweep(hierarchy, outward, inward, layers[flags])


@njit(cache=True, nogil=True)
def _next(network, hierarchy, cost, is_allowed, bits, root, is_backward, layers, node, flags):
    """First arc of a least route between a node and the root of its distances, seen from the node, and the flags behind it.

    The lowest arc that explains the distance is taken; -1 if none does.
    """
    position = hierarchy.position
    first, arc_of = (network.out_first, network.out_arc) if is_backward else (network.in_first, network.in_arc)
    far = network.arc_head if is_backward else network.arc_tail
    here = layers[flags, position[node]]
    for place in range(first[node], first[node + 1]):
        arc = arc_of[place]
        if not is_allowed[arc]:
            continue
        other = far[arc]
        if position[other] < 0:
            if other == root and flags == 0 and cost[arc] == here:
                return arc, flags
            continue
        if layers[flags, position[other]] + cost[arc] == here:
            return arc, flags
        if bits[arc] & flags:
            rest = flags & ~bits[arc]
            if layers[rest, position[other]] + cost[arc] == here:
                return arc, rest
    return -1, flags


@njit(cache=True, nogil=True)
def _parents(network, hierarchy, cost, is_allowed, bits, root, is_backward, layers, parent, parent_flags):
    """First arc towards the root from every node and the flags behind it, -1 where there is none; both of the shape of `layers`."""
    position = hierarchy.position
    for flags in range(layers.shape[0]):
        for node in range(position.shape[0]):
            if position[node] < 0:
                continue
            arc, rest = -1, flags
            if layers[flags, position[node]] < FAR:
                arc, rest = _next(network, hierarchy, cost, is_allowed, bits, root, is_backward, layers, node, flags)
            parent[flags, position[node]] = arc
            parent_flags[flags, position[node]] = rest


@njit(cache=True, nogil=True)
def _first_link(arc_link, far, position, parent, parent_flags, root, node, flags):
    """First link of a least route between a node and the root, seen from the node; -1 if it uses none."""
    while node != root:
        arc = parent[flags, position[node]]
        if arc < 0 or arc_link[arc] >= 0:
            return arc_link[arc] if arc >= 0 else -1
        flags = parent_flags[flags, position[node]]
        node = far[arc]
    return -1


@njit(cache=True, nogil=True)
def _walk(far, position, parent, parent_flags, root, node, flags, path):
    """Arcs of a least route between a node and the root, from the node on; returns how many, written to `path`."""
    count = 0
    while node != root:
        arc = parent[flags, position[node]]
        flags = parent_flags[flags, position[node]]
        path[count] = arc
        count += 1
        node = far[arc]
    return count


@njit(cache=True, nogil=True)
def _turns_back(path, count, arc_bits, tail, head, node_place, node_seen, place_seen, place_bits, mark):
    """Whether a route comes back to a state, or to a place after a requirement was met in between: a loop only to collect a bit."""
    collected = 0
    for position in range(count + 1):
        node = tail[path[position]] if position < count else head[path[count - 1]]
        if node_seen[node] == mark:
            return True
        node_seen[node] = mark
        place = node_place[node]
        if place >= 0:
            if place_seen[place] == mark:
                if place_bits[place] < collected:
                    return True
            else:
                place_seen[place] = mark
                place_bits[place] = collected
        if position < count and arc_bits[path[position]] != 0:
            collected += 1
    return False


@njit(cache=True, nogil=True)
def family_of(links, count, applies, has_any, in_any, in_not, all_bit, all_full):
    """First family that a list of links satisfies, -1 if none.

    `links` are rows of the links table, -1 for none; applies, has_any and all_full are by family in order; in_any, in_not and
    all_bit tell of each link whether it is in a family's lists, shape (families, links).
    """
    for family in range(applies.shape[0]):
        if not applies[family]:
            continue
        any_met = not has_any[family]
        is_out = False
        collected = 0
        for position in range(count):
            link = links[position]
            if link < 0:
                continue
            if in_any[family, link]:
                any_met = True
            if in_not[family, link]:
                is_out = True
                break
            collected |= all_bit[family, link]
        if any_met and not is_out and collected == all_full[family]:
            return family
    return -1


@njit(cache=True, nogil=True)
def _grown(array, needed):
    if needed <= array.shape[0]:
        return array
    bigger = np.empty(max(needed, 2 * array.shape[0]), dtype=array.dtype)
    bigger[: array.shape[0]] = array
    return bigger


@njit(cache=True, nogil=True)
def _scattered(value):
    """A hash of a whole number, so that sets can be compared by the exclusive or of their members'."""
    mixed = np.uint64(value + 1) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(29))


@njit(cache=True, nogil=True)
def least_costs(network, hierarchy, cost, family, ends):
    """Cost of the cheapest route of one family for each market; arguments as of `routes_through`.

    Returns:
        In the unit of cost, FAR where there is none, shape (markets,).
    """
    is_allowed, arc_bits, bit_count, _ = family
    origins, origin_first_market, market_destination = ends
    flag_count = 1 << bit_count
    edges, ranks = hierarchy.up_head.shape[0], hierarchy.up_first.shape[0] - 1
    rising = np.empty(edges, dtype=np.int64)
    falling = np.empty(edges, dtype=np.int64)
    customised(hierarchy, cost, is_allowed, rising, falling)
    layers = np.empty((flag_count, ranks), dtype=np.int64)
    least = np.full(market_destination.shape[0], FAR)
    for index in range(origins.shape[0]):
        distances(network, hierarchy, cost, is_allowed, arc_bits, flag_count, origins[index], False, rising, falling, layers)
        for market in range(origin_first_market[index], origin_first_market[index + 1]):
            destination = market_destination[market]
            for place in range(network.in_first[destination], network.in_first[destination + 1]):
                arc = network.in_arc[place]
                if is_allowed[arc]:
                    there = layers[flag_count - 1, hierarchy.position[network.arc_tail[arc]]] + cost[arc]
                    least[market] = min(least[market], there)
    return least


@njit(cache=True, nogil=True)
def routes_through(network, hierarchy, cost, uses, family, rules, options, ends, limit):
    """Routes of one family that are the cheapest through some link, one way, for markets that share goods, form and permissions.

    Args:
        network: A Network.
        hierarchy: A Hierarchy of it.
        cost: Whole-number cost of each arc, above zero, shape (arcs,).
        uses: Rows that each arc uses, as arc_first_use, arc_use: routes that use other rows are never variants of each other.
        family: is_allowed (arcs,), arc_bits (arcs,), bit_count, position of the family in the order.
        rules: Arguments of `family_of` after `count`.
        options: most routes of a market, overlap above which a route is a variant of a cheaper one that uses the same rows, and the
            dearest route over the cheapest.
        ends: origins, origin_first_market, market_destination: nodes, and the markets of each origin.
        limit: Dearest route that is wanted, in the unit of cost, shape (markets,); the cheapest is told whatever it costs; below zero:
            none is wanted.

    Returns:
        route_market, route_first_arc, route_arc; within a market by rising cost, then by arcs.
    """
    is_allowed, arc_bits, bit_count, family_index = family
    applies, has_any, in_any, in_not, all_bit, all_full = rules
    most, overlap_bound, length_bound = options
    arc_first_use, arc_use = uses
    origins, origin_first_market, market_destination = ends
    position, tail, head = hierarchy.position, network.arc_tail, network.arc_head
    flag_count = 1 << bit_count
    whole = flag_count - 1
    node_count, arc_count = network.node_place.shape[0], cost.shape[0]
    rank_count, edge_count = hierarchy.up_first.shape[0] - 1, hierarchy.up_head.shape[0]
    place_count = 1
    for node in range(node_count):
        place_count = max(place_count, network.node_place[node] + 1)
    rising = np.empty(edge_count, dtype=np.int64)
    falling = np.empty(edge_count, dtype=np.int64)
    customised(hierarchy, cost, is_allowed, rising, falling)
    inner = np.flatnonzero(is_allowed & (hierarchy.arc_edge >= 0) & (network.arc_link >= 0))

    slot = np.full(node_count, -1, dtype=np.int64)
    slots = 0
    for market in range(market_destination.shape[0]):
        if limit[market] >= 0 and slot[market_destination[market]] < 0:
            slot[market_destination[market]] = slots
            slots += 1
    behind = np.empty((slots, flag_count, rank_count), dtype=np.int64)
    behind_arc = np.empty((slots, flag_count, rank_count), dtype=np.int32)
    behind_flags = np.empty((slots, flag_count, rank_count), dtype=np.int32)
    for node in range(node_count):
        if slot[node] >= 0:
            back = behind[slot[node]]
            distances(network, hierarchy, cost, is_allowed, arc_bits, flag_count, node, True, rising, falling, back)
            back_arc, back_flags = behind_arc[slot[node]], behind_flags[slot[node]]
            _parents(network, hierarchy, cost, is_allowed, arc_bits, node, True, back, back_arc, back_flags)
    ahead = np.empty((flag_count, rank_count), dtype=np.int64)
    ahead_arc = np.empty((flag_count, rank_count), dtype=np.int32)
    ahead_flags = np.empty((flag_count, rank_count), dtype=np.int32)

    through = np.empty(arc_count, dtype=np.int64)
    keys = np.empty(inner.shape[0], dtype=np.int64)
    near = np.empty(inner.shape[0], dtype=np.int64)
    covered = np.zeros(arc_count, dtype=np.int64)
    arc_mark = np.zeros(arc_count, dtype=np.int64)
    node_seen = np.zeros(node_count, dtype=np.int64)
    place_seen = np.zeros(place_count, dtype=np.int64)
    place_bits = np.zeros(place_count, dtype=np.int64)
    row_seen = np.zeros(arc_use.max() + 1 if arc_use.shape[0] > 0 else 1, dtype=np.int64)
    mark = 0
    path = np.empty(4 * node_count * flag_count + 8, dtype=np.int64)
    part = np.empty(2 * node_count * flag_count + 4, dtype=np.int64)
    links = np.empty(path.shape[0], dtype=np.int64)
    signature = np.zeros(most, dtype=np.uint64)

    route_market = np.empty(256, dtype=np.int64)
    route_first = np.zeros(257, dtype=np.int64)
    route_arc = np.empty(4096, dtype=np.int64)
    route_count = 0
    for origin_position in range(origins.shape[0]):
        first_market, last_market = origin_first_market[origin_position], origin_first_market[origin_position + 1]
        is_wanted = False
        for market in range(first_market, last_market):
            is_wanted |= limit[market] >= 0
        if not is_wanted:
            continue
        origin = origins[origin_position]
        distances(network, hierarchy, cost, is_allowed, arc_bits, flag_count, origin, False, rising, falling, ahead)
        _parents(network, hierarchy, cost, is_allowed, arc_bits, origin, False, ahead, ahead_arc, ahead_flags)
        for market in range(first_market, last_market):
            if limit[market] < 0:
                continue
            destination = market_destination[market]
            back, back_arc, back_flags = behind[slot[destination]], behind_arc[slot[destination]], behind_flags[slot[destination]]
            best = FAR
            for arc in inner:
                here, there = position[tail[arc]], position[head[arc]]
                least = FAR
                if ahead[0, here] < FAR and back[0, there] < FAR:
                    for flags in range(flag_count):
                        rest = whole & ~flags & ~arc_bits[arc]
                        least = min(least, ahead[flags, here] + back[rest, there])
                    least += cost[arc]
                through[arc] = least
                best = min(best, least)
            if best >= FAR:
                continue
            bound = max(best, min(limit[market], np.int64(length_bound * best)))
            first_kept = route_count
            size = 0
            for arc in inner:
                if through[arc] <= bound:
                    keys[size] = through[arc]
                    near[size] = arc
                    size += 1
            order = np.argsort(keys[:size], kind="mergesort")
            mark += 1
            covered_mark = mark
            for index in order:
                if route_count - first_kept >= most:
                    break
                arc = near[index]
                if covered[arc] == covered_mark:
                    continue
                here, there = position[tail[arc]], position[head[arc]]
                flags = 0
                while ahead[flags, here] + back[whole & ~flags & ~arc_bits[arc], there] + cost[arc] != through[arc]:
                    flags += 1
                rest = whole & ~flags & ~arc_bits[arc]
                link = network.arc_link[arc]
                if _first_link(network.arc_link, head, position, back_arc, back_flags, destination, head[arc], rest) == link:
                    continue  # out and back over the same link
                if _first_link(network.arc_link, tail, position, ahead_arc, ahead_flags, origin, tail[arc], flags) == link:
                    continue
                length = _walk(tail, position, ahead_arc, ahead_flags, origin, tail[arc], flags, part)
                for step in range(length):
                    path[step] = part[length - 1 - step]
                path[length] = arc
                length += 1
                length += _walk(head, position, back_arc, back_flags, destination, head[arc], rest, path[length:])
                total = np.int64(0)
                for step in range(length):
                    total += cost[path[step]]
                    if network.arc_link[path[step]] >= 0 and through[path[step]] == through[arc]:
                        covered[path[step]] = covered_mark
                mark += 1
                if _turns_back(path, length, arc_bits, tail, head, network.node_place, node_seen, place_seen, place_bits, mark):
                    continue
                used_links = 0
                for step in range(length):
                    if network.arc_link[path[step]] >= 0:
                        links[used_links] = network.arc_link[path[step]]
                        used_links += 1
                if family_of(links, used_links, applies, has_any, in_any, in_not, all_bit, all_full) != family_index:
                    continue
                mark += 1
                used = np.uint64(0)
                for step in range(length):
                    arc_mark[path[step]] = mark
                    for use in range(arc_first_use[path[step]], arc_first_use[path[step] + 1]):
                        if row_seen[arc_use[use]] != mark:
                            row_seen[arc_use[use]] = mark
                            used ^= _scattered(arc_use[use])
                is_new = True
                for other in range(first_kept, route_count):
                    if signature[other - first_kept] != used:
                        continue
                    shared = np.int64(0)
                    for step in range(route_first[other], route_first[other + 1]):
                        if arc_mark[route_arc[step]] == mark:
                            shared += cost[route_arc[step]]
                    if shared > overlap_bound * total:
                        is_new = False
                        break
                if not is_new:
                    continue
                signature[route_count - first_kept] = used
                route_market = _grown(route_market, route_count + 1)
                route_first = _grown(route_first, route_count + 2)
                route_arc = _grown(route_arc, route_first[route_count] + length)
                for step in range(length):
                    route_arc[route_first[route_count] + step] = path[step]
                route_first[route_count + 1] = route_first[route_count] + length
                route_market[route_count] = market
                route_count += 1
    return route_market[:route_count].copy(), route_first[: route_count + 1].copy(), route_arc[: route_first[route_count]].copy()


class Routes(NamedTuple):
    """Routes as loops read them: arcs of each (CSR), and the position of their goods, shapes (routes + 1,), (steps,), (routes,)."""

    first_arc: np.ndarray
    arc: np.ndarray
    goods: np.ndarray


@njit(cache=True, nogil=True)
def components(routes, by_arc, reliability, result):
    """Cost components of routes: sums of five by arc, and reliability by the root of the summed variances; fills `result`.

    `by_arc` holds tariff, handling, time, waiting, co2 (USD/t) and variance (h2), shape (goods, arcs, 6); `reliability` the value of an
    hour of standard deviation, USD/t-h, shape (goods,). `result` has tariff, handling, time, waiting, reliability, co2, shape (routes, 6).
    """
    for route in range(routes.goods.shape[0]):
        goods = routes.goods[route]
        result[route] = 0.0
        variance = 0.0
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            part = by_arc[goods, routes.arc[step]]
            for column in range(4):
                result[route, column] += part[column]
            result[route, 5] += part[4]
            variance += part[5]
        result[route, 4] = reliability[goods] * math.sqrt(variance)


@njit(cache=True, nogil=True)
def sums(routes, by_arc, result):
    """Sum over the arcs of each route of a number by goods and arc, shape (goods, arcs); fills `result`, shape (routes,)."""
    for route in range(routes.goods.shape[0]):
        total = 0.0
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            total += by_arc[routes.goods[route], routes.arc[step]]
        result[route] = total


@njit(cache=True, nogil=True)
def arc_flows(routes, flow, result):
    """Flow on arcs by goods from flow on routes; fills `result`, shape (goods, arcs)."""
    result[:] = 0.0
    for route in range(routes.goods.shape[0]):
        amount = flow[route]
        if amount == 0.0:
            continue
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            result[routes.goods[route], routes.arc[step]] += amount


@njit(cache=True, nogil=True)
def entries(routes, uses, ends, is_summed):
    """Rows that routes use and how much of them.

    Args:
        routes: Routes.
        uses: first (goods * arcs + 1,), row, units, only origin and only destination (-1 for any) of each use.
        ends: Origin and destination of each route, shape (routes, 2).
        is_summed: Rows of which a route uses the sum over its arcs, not the most that one takes, shape (rows,).

    Returns:
        first entry of each route, row (rising within a route), units, a hash of the rows of each route, and the most arcs of one route
        that use a row, shape (rows,).
    """
    first_use, use_row, use_units, only_from, only_to = uses
    count, rows = routes.goods.shape[0], is_summed.shape[0]
    arcs = (first_use.shape[0] - 1) // max(1, (routes.goods.max() + 1 if count > 0 else 1))
    first = np.zeros(count + 1, dtype=np.int64)
    row = np.empty(max(16, 8 * count), dtype=np.int64)
    units = np.empty(row.shape[0])
    signature = np.zeros(count, dtype=np.uint64)
    times = np.ones(rows)
    place = np.full(rows, -1, dtype=np.int64)
    used = np.zeros(rows, dtype=np.int64)
    size = 0
    for route in range(count):
        begin = size
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            cell = routes.goods[route] * arcs + routes.arc[step]
            for use in range(first_use[cell], first_use[cell + 1]):
                if (only_from[use] >= 0 and only_from[use] != ends[route, 0]) or (only_to[use] >= 0 and only_to[use] != ends[route, 1]):
                    continue
                a = use_row[use]
                if place[a] < begin:
                    if size == row.shape[0]:
                        row, units = _grown(row, size + 1), _grown(units, size + 1)
                    place[a] = size
                    row[size] = a
                    units[size] = use_units[use]
                    used[a] = 1
                    size += 1
                else:
                    used[a] += 1
                    if is_summed[a]:
                        units[place[a]] += use_units[use]
                    else:
                        units[place[a]] = max(units[place[a]], use_units[use])
        for k in range(begin, size):
            signature[route] ^= _scattered(row[k])
            times[row[k]] = max(times[row[k]], used[row[k]])
            item, amount = row[k], units[k]
            at = k
            while at > begin and row[at - 1] > item:
                row[at], units[at] = row[at - 1], units[at - 1]
                at -= 1
            row[at], units[at] = item, amount
        first[route + 1] = size
    return first, row[:size].copy(), units[:size].copy(), signature, times


@njit(cache=True, nogil=True)
def path_sizes(routes, nest_first_route, leg_cost, result):
    """Path size of each route within its nest: sum over legs of their share of the cost over how many routes use them; fills `result`.

    `leg_cost` is by goods and arc, shape (goods, arcs). A route whose legs all cost nothing has size 1.
    """
    users = np.zeros(leg_cost.shape[1], dtype=np.int64)
    stamp = np.full(leg_cost.shape[1], -1, dtype=np.int64)
    for nest in range(nest_first_route.shape[0] - 1):
        for route in range(nest_first_route[nest], nest_first_route[nest + 1]):
            for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
                arc = routes.arc[step]
                if stamp[arc] != nest:
                    stamp[arc] = nest
                    users[arc] = 0
                users[arc] += 1
        for route in range(nest_first_route[nest], nest_first_route[nest + 1]):
            length = 0.0
            size = 0.0
            for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
                cost = leg_cost[routes.goods[route], routes.arc[step]]
                length += cost
                size += cost / users[routes.arc[step]]
            result[route] = size / length if length > 0.0 else 1.0


@njit(cache=True, nogil=True)
def _size_and_weight(routes, nest_first, nest_last, is_in, leg_cost, cost, theta, users, stamp, mark, path_size):
    """Path sizes of the routes of a nest that are in, and sum of PS exp(-theta (g - least g)) with that least; users by arc are left."""
    route_first, route_arc = routes.first_arc, routes.arc
    low = np.inf
    for route in range(nest_first, nest_last):
        if not is_in[route]:
            continue
        low = min(low, cost[route])
        for step in range(route_first[route], route_first[route + 1]):
            arc = route_arc[step]
            if stamp[arc] != mark:
                stamp[arc] = mark
                users[arc] = 0
            users[arc] += 1
    total = 0.0
    for route in range(nest_first, nest_last):
        if not is_in[route]:
            continue
        length = 0.0
        size = 0.0
        for step in range(route_first[route], route_first[route + 1]):
            leg = leg_cost[routes.goods[route], route_arc[step]]
            length += leg
            size += leg / users[route_arc[step]]
        path_size[route] = size / length if length > 0.0 else 1.0
        total += path_size[route] * math.exp(-theta * (cost[route] - low))
    return low, total


@njit(cache=True, nogil=True)
def _size_if_in(routes, route, nest_first, nest_last, is_in, leg_cost, signature, overlap_bound, users, stamp, mark):
    """Path size that a route which is out would have if it were in; -1 if it is a variant of one that is in."""
    route_first, route_arc = routes.first_arc, routes.arc
    leg = leg_cost[routes.goods[route]]
    length = 0.0
    for step in range(route_first[route], route_first[route + 1]):
        stamp[route_arc[step]] = mark
        users[route_arc[step]] = 1
        length += leg[route_arc[step]]
    for other in range(nest_first, nest_last):
        if not is_in[other]:
            continue
        shared = 0.0
        for step in range(route_first[other], route_first[other + 1]):
            if stamp[route_arc[step]] == mark:
                users[route_arc[step]] += 1
                shared += leg[route_arc[step]]
        if shared > overlap_bound * length and signature[other] == signature[route]:
            return -1.0
    size = 0.0
    for step in range(route_first[route], route_first[route + 1]):
        size += leg[route_arc[step]] / users[route_arc[step]]
    return size / length if length > 0.0 else 1.0


@njit(cache=True, nogil=True)
def _share_of(nest, first, last, composite, stay, theta):
    """Share of one of a market's nests in the choice between them and not shipping."""
    best = stay
    for other in range(first, last):
        best = min(best, composite[other])
    total = math.exp(-theta * (stay - best)) if stay < np.inf else 0.0
    for other in range(first, last):
        total += math.exp(-theta * (composite[other] - best))
    return math.exp(-theta * (composite[nest] - best)) / total


@njit(cache=True, nogil=True)
def enter(market_first_nest, nest_first_route, routes, signature, leg_cost, cost, is_in, thetas, choice, bounds):
    """Let routes enter whose share of their market would reach a bound; fills `is_in` and tells what is left out.

    In every market the nests' composites give their shares; a route that is out is tried with its path size computed as if it were in.
    One that shares more than the overlap bound of its cost with one that is in, and uses the same rows, is a variant of it and no
    further choice. Its share would be p' w/(1 + w), with w = PS exp(-th_r (g - C_j)) and p' the nest's share with it in. The cheapest
    route of a nest is always in.

    Args:
        market_first_nest, nest_first_route: Nests of markets, routes of nests (CSR).
        routes: Routes.
        signature: Of the rows that each route uses, shape (routes,).
        leg_cost: Cost of legs for path sizes, shape (goods, arcs).
        cost: Cost of each route at today's prices, USD/t, shape (routes,).
        is_in: Routes that are in already; true is added, shape (routes,).
        thetas: th_r by nest and th_c by market.
        choice: constant by nest, and by market the cost of not shipping, infinite for none.
        bounds: share from which a route enters, overlap bound, most routes of a nest.

    Returns:
        Largest share of the market that a route left out would take, by nest, shape (nests,); zero where none is left out. And the
        share and the composite with its constant of each nest, shape (nests,); the largest share that a newcomer would have taken.
    """
    arc_count = leg_cost.shape[1]
    newest = 0.0
    nest_theta, market_theta = thetas
    constant, stay = choice
    share_bound, overlap_bound, most = bounds
    markets = market_first_nest.shape[0] - 1
    gap = np.zeros(nest_theta.shape[0])
    shares = np.zeros(nest_theta.shape[0])
    users = np.zeros(arc_count, dtype=np.int64)
    stamp = np.zeros(arc_count, dtype=np.int64)
    path_size = np.ones(cost.shape[0])
    composite = np.empty(nest_theta.shape[0])
    is_variant = np.zeros(cost.shape[0], dtype=np.bool_)
    mark = 0
    for market in range(markets):
        first, last = market_first_nest[market], market_first_nest[market + 1]
        theta = market_theta[market]
        for nest in range(first, last):
            begin, end = nest_first_route[nest], nest_first_route[nest + 1]
            cheapest = begin + np.argmin(cost[begin:end])
            is_in[cheapest] = True
            mark += 1
            low, weight = _size_and_weight(routes, begin, end, is_in, leg_cost, cost, nest_theta[nest], users, stamp, mark, path_size)
            composite[nest] = constant[nest] + low - math.log(weight) / nest_theta[nest]
        for attempt in range(3):  # twice to enter, as every entry changes what the others would take; then to tell what is left
            for nest in range(first, last):
                begin, end = nest_first_route[nest], nest_first_route[nest + 1]
                th_r = nest_theta[nest]
                inside = is_in[begin:end].sum()
                share = _share_of(nest, first, last, composite, stay[market], theta)
                shares[nest] = share
                if inside == end - begin:
                    continue
                for index in np.argsort(cost[begin:end], kind="mergesort"):
                    route = begin + index
                    if is_in[route] or is_variant[route]:
                        continue
                    ceiling = math.exp(-th_r * (cost[route] + constant[nest] - composite[nest]))
                    if share * ceiling < 1e-3 * share_bound:
                        break
                    mark += 1
                    size = _size_if_in(routes, route, begin, end, is_in, leg_cost, signature, overlap_bound, users, stamp, mark)
                    if size < 0.0:
                        is_variant[route] = True
                        continue
                    extra = size * ceiling
                    lift = share * math.exp(theta / th_r * math.log1p(extra))
                    taken = lift / (1.0 - share + lift) * extra / (1.0 + extra)
                    if attempt == 2:
                        gap[nest] = max(gap[nest], taken)
                    elif taken >= share_bound and inside < most:
                        is_in[route] = True
                        newest = max(newest, taken)
                        inside += 1
                        mark += 1
                        low, weight = _size_and_weight(routes, begin, end, is_in, leg_cost, cost, th_r, users, stamp, mark, path_size)
                        composite[nest] = constant[nest] + low - math.log(weight) / th_r
                        share = _share_of(nest, first, last, composite, stay[market], theta)
    return gap, shares, composite, newest
