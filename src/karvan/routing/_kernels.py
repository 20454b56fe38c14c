"""Compiled loops of the route engine: distances over a contraction hierarchy, and the routes through every arc.

Costs of a search are whole numbers (millionths of a dollar), so that sums do not depend on their order: distances are exact, and a
route is read back from them arc by arc. Bit b of the flags of a search is set once an arc that carries it is taken; a route is
complete when all bits are set. Layer s of a distance holds the least cost of having collected at least the bits of s. Arc and node
numbers are canonical (sorted by id), so ties fall the same way whatever the order of table rows. No loop holds the interpreter's lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FAR = np.int64(1) << 60
"""Distance of what cannot be reached."""


@njit(cache=True, nogil=True)
def _grown(array, needed):
    """The array, or a longer copy of it if it has not the room."""
    if needed <= array.shape[0]:
        return array
    bigger = np.empty(max(needed, 2 * array.shape[0]), dtype=array.dtype)
    for index in range(array.shape[0]):
        bigger[index] = array[index]
    return bigger


@njit(cache=True, nogil=True)
def _filled(count, value):
    """An array of so many whole numbers; the library's own ways take long to compile."""
    array = np.empty(count, dtype=np.int64)
    for index in range(count):
        array[index] = value
    return array


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
def _sweep(up_first, up_head, outward, inward, distance):
    """Complete distances that hold at some nodes: up the hierarchy by `outward` weights, then down by `inward` ones, in place."""
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
def distances(side, hierarchy, cost, is_allowed, bits, root, weights, layers):
    """Least cost between a centroid and every node, by bits collected at least; fills `layers`, shape (flags, ranks).

    `side` is first_arc and arc of each node (CSR), the near and the far end of each arc: of what leaves nodes, or of what enters them,
    for costs that lead to the root. `weights` are the customised ones away from the root, up the hierarchy and down.
    """
    position, up_first, up_head = hierarchy.position, hierarchy.up_first, hierarchy.up_head
    first, arc_of, near, far = side
    outward, inward = weights
    for flags in range(layers.shape[0]):
        layer = layers[flags]
        for node in range(layer.shape[0]):
            layer[node] = FAR
        if flags == 0:
            for place in range(first[root], first[root + 1]):
                arc = arc_of[place]
                node = position[far[arc]]
                if is_allowed[arc] and node >= 0:
                    layer[node] = min(layer[node], cost[arc])
        else:
            for arc in range(cost.shape[0]):
                before = flags & ~bits[arc]
                if before != flags and is_allowed[arc] and position[near[arc]] >= 0 and position[far[arc]] >= 0:
                    there = layers[before, position[near[arc]]] + cost[arc]
                    node = position[far[arc]]
                    layer[node] = min(layer[node], there)
        _sweep(up_first, up_head, outward, inward, layer)


@njit(cache=True, nogil=True)
def _parents(side, position, cost, is_allowed, bits, root, layers, parent, parent_flags):
    """First arc of a least route between every node and the root of its distances, and the flags behind it, -1 where there is none.

    The lowest arc that explains the distance is taken. `side` is as of distances from the other end; both results have the shape of
    `layers`.
    """
    first, arc_of, _, far = side
    for flags in range(layers.shape[0]):
        for node in range(position.shape[0]):
            if position[node] < 0:
                continue
            here = layers[flags, position[node]]
            taken, left = -1, flags
            if here < FAR:
                for place in range(first[node], first[node + 1]):
                    arc = arc_of[place]
                    if not is_allowed[arc]:
                        continue
                    other = position[far[arc]]
                    if other < 0:
                        if far[arc] == root and flags == 0 and cost[arc] == here:
                            taken = arc
                            break
                        continue
                    if layers[flags, other] + cost[arc] == here:
                        taken = arc
                        break
                    rest = flags & ~bits[arc]
                    if rest != flags and layers[rest, other] + cost[arc] == here:
                        taken, left = arc, rest
                        break
            parent[flags, position[node]] = taken
            parent_flags[flags, position[node]] = left


@njit(cache=True, nogil=True)
def _next_links(far, link, position, parent, parent_flags, root, result):
    """First link of a least route between every node and the root, -1 where it uses none; fills `result`, of the shape of `parent`."""
    for flags in range(parent.shape[0]):
        for node in range(position.shape[0]):
            if position[node] < 0:
                continue
            at, layer, found = node, flags, -1
            while at != root:
                arc = parent[layer, position[at]]
                if arc < 0:
                    break
                if link[arc] >= 0:
                    found = link[arc]
                    break
                layer = parent_flags[layer, position[at]]
                at = far[arc]
            result[flags, position[node]] = found


@njit(cache=True, nogil=True)
def _walk(far, position, tree, root, node, flags, path):
    """Arcs of a least route between a node and the root of a tree of parents, from the node on.

    Returns:
        How many, written to `path`.
    """
    parent, parent_flags = tree
    count = np.int64(0)
    while node != root:
        place = position[node]
        taken = parent[flags, place]
        if taken < 0:
            break  # never, as long as the node can be reached
        flags = parent_flags[flags, place]
        path[count] = taken
        count += 1
        node = far[taken]
    return count


@njit(cache=True, nogil=True)
def _sink(heap, key, at, size):
    """Let an arc of a heap sink until none below it has a lower key, or an equal key and a lower number."""
    item = heap[at]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and (
            key[heap[child + 1]] < key[heap[child]] or (key[heap[child + 1]] == key[heap[child]] and heap[child + 1] < heap[child])
        ):
            child += 1
        if key[heap[child]] > key[item] or (key[heap[child]] == key[item] and heap[child] > item):
            break
        heap[at] = heap[child]
        at = child
    heap[at] = item


@njit(cache=True, nogil=True)
def _heaped(heap, key, arcs, count, low, high):
    """A heap of the arcs whose key lies between two bounds; returns how many there are."""
    size = np.int64(0)
    for index in range(count):
        if low <= key[arcs[index]] <= high:
            heap[size] = arcs[index]
            size += 1
    for index in range(size // 2):
        _sink(heap, key, size // 2 - 1 - index, size)
    return size


@njit(cache=True, nogil=True)
def _turns_back(path, count, through, arc_bits, tail, head, node_place, node_seen, place_seen, place_bits, mark):
    """Whether a route comes back to a state, or to a place after it met a requirement or passed the link `through`: a loop for its sake.

    An operation inside a place, where `through` is one, may stand on a spur: a yard beside the line where goods change gauge.
    """
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
        if position < count and (arc_bits[path[position]] != 0 or path[position] == through):
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
def routes_through(network, hierarchy, cost, uses, family, rules, options, ends, limit, known):
    """Routes of one family that are the cheapest through some link, one way, or through some other arc that uses a row, for markets that
    share goods, form and permissions.

    Args:
        network: A Network.
        hierarchy: A Hierarchy of it.
        cost: Whole-number cost of each arc, above zero, shape (arcs,).
        uses: Rows that each arc uses, as arc_first_use, arc_use, and a mark of each row: routes that use other rows are never variants
            of each other; sets of rows are told apart by the exclusive or of their marks.
        family: is_allowed (arcs,), arc_bits (arcs,), bit_count, position of the family in the order.
        rules: Arguments of `family_of` after `count`.
        options: most routes of a market, overlap above which a route is a variant of a cheaper one that uses the same rows, and the
            dearest route over the cheapest.
        ends: origins, origin_first_market, market_destination: nodes, and the markets of each origin.
        limit: Dearest route that is wanted, in the unit of cost, shape (markets,); the cheapest found is told whatever it costs, if
            none is known; below zero: none is wanted.
        known: Routes that need not be told again: the first and the last of each market, shapes (markets,), their arcs (CSR), and the
            exclusive or of the marks of the rows that each uses.

    Returns:
        route_market, route_first_arc, route_arc; within a market by rising cost, then by arcs.
    """
    is_allowed, arc_bits, bit_count, family_index = family
    applies, has_any, in_any, in_not, all_bit, all_full = rules
    most, overlap_bound, length_bound = options
    arc_first_use, arc_use, row_mark = uses
    origins, origin_first_market, market_destination = ends
    position, tail, head, link = hierarchy.position, network.arc_tail, network.arc_head, network.arc_link
    known_first, known_last, known_first_arc, known_arc, known_signature = known
    onward = (network.out_first, network.out_arc, tail, head)
    homeward = (network.in_first, network.in_arc, head, tail)
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
    inner = np.empty(arc_count, dtype=np.int64)
    is_start = _filled(arc_count, False)
    inner_count = 0
    for arc in range(arc_count):
        if is_allowed[arc] and hierarchy.arc_edge[arc] >= 0 and (link[arc] >= 0 or arc_first_use[arc + 1] > arc_first_use[arc]):
            inner[inner_count] = arc
            inner_count += 1
            is_start[arc] = True

    slot = _filled(node_count, np.int64(-1))
    slots = 0
    for market in range(market_destination.shape[0]):
        if limit[market] >= 0 and slot[market_destination[market]] < 0:
            slot[market_destination[market]] = slots
            slots += 1
    behind = np.empty((slots, flag_count, rank_count), dtype=np.int64)
    behind_arc = np.empty((slots, flag_count, rank_count), dtype=np.int32)
    behind_flags = np.empty((slots, flag_count, rank_count), dtype=np.int32)
    behind_link = np.empty((slots, flag_count, rank_count), dtype=np.int32)
    for node in range(node_count):
        if slot[node] >= 0:
            back = behind[slot[node]]
            distances(homeward, hierarchy, cost, is_allowed, arc_bits, node, (falling, rising), back)
            _parents(onward, position, cost, is_allowed, arc_bits, node, back, behind_arc[slot[node]], behind_flags[slot[node]])
            _next_links(head, link, position, behind_arc[slot[node]], behind_flags[slot[node]], node, behind_link[slot[node]])
    ahead = np.empty((flag_count, rank_count), dtype=np.int64)
    ahead_arc = np.empty((flag_count, rank_count), dtype=np.int32)
    ahead_flags = np.empty((flag_count, rank_count), dtype=np.int32)
    ahead_link = np.empty((flag_count, rank_count), dtype=np.int32)

    through = np.empty(arc_count, dtype=np.int64)
    heap = np.empty(inner_count, dtype=np.int64)
    covered = _filled(arc_count, np.int64(0))
    arc_mark = _filled(arc_count, np.int64(0))
    node_seen = _filled(node_count, np.int64(0))
    place_seen = _filled(place_count, np.int64(0))
    place_bits = _filled(place_count, np.int64(0))
    row_seen = _filled(row_mark.shape[0], np.int64(0))
    mark = 0
    path = np.empty(4 * node_count * flag_count + 8, dtype=np.int64)
    part = np.empty(2 * node_count * flag_count + 4, dtype=np.int64)
    links = np.empty(path.shape[0], dtype=np.int64)
    signature = np.empty(most, dtype=np.uint64)
    most_known = np.int64(0)
    for market in range(known_first.shape[0]):
        most_known = max(most_known, known_last[market] - known_first[market])
    known_cost = np.empty(most_known, dtype=np.int64)

    route_market = np.empty(256, dtype=np.int64)
    route_first = _filled(257, np.int64(0))
    route_arc = np.empty(4096, dtype=np.int64)
    route_count = np.int64(0)
    top = np.int64(0)
    for origin_position in range(origins.shape[0]):
        first_market, last_market = origin_first_market[origin_position], origin_first_market[origin_position + 1]
        is_wanted = False
        for market in range(first_market, last_market):
            is_wanted |= limit[market] >= 0
        if not is_wanted:
            continue
        origin = origins[origin_position]
        distances(onward, hierarchy, cost, is_allowed, arc_bits, origin, (rising, falling), ahead)
        _parents(homeward, position, cost, is_allowed, arc_bits, origin, ahead, ahead_arc, ahead_flags)
        _next_links(tail, link, position, ahead_arc, ahead_flags, origin, ahead_link)
        for market in range(first_market, last_market):
            if limit[market] < 0:
                continue
            destination = market_destination[market]
            back = behind[slot[destination]]
            tree_on = (behind_arc[slot[destination]], behind_flags[slot[destination]])
            tree_home = (ahead_arc, ahead_flags)
            best = FAR
            back_link = behind_link[slot[destination]]
            for index in range(inner_count):
                arc = inner[index]
                here, there = position[tail[arc]], position[head[arc]]
                least = FAR
                is_back = False
                if ahead[0, here] < FAR and back[0, there] < FAR:
                    for flags in range(flag_count):
                        rest = whole & ~flags & ~arc_bits[arc]
                        total = ahead[flags, here] + back[rest, there]
                        if total < least:
                            least = total
                            is_back = link[arc] >= 0 and (back_link[rest, there] == link[arc] or ahead_link[flags, here] == link[arc])
                    least += cost[arc]
                best = min(best, least)
                through[arc] = FAR if is_back else least  # out and back over the same link is no route
            if best >= FAR:
                continue
            bound = max(best, min(limit[market], np.int64(length_bound * best)))
            first_kept = route_count
            size = _heaped(heap, through, inner, inner_count, np.int64(0), bound)
            is_all = False
            mark += 1
            covered_mark = mark
            for other in range(known_first[market], known_last[market]):
                total = np.int64(0)
                for step in range(known_first_arc[other], known_first_arc[other + 1]):
                    total += cost[known_arc[step]]
                known_cost[other - known_first[market]] = total
                for step in range(known_first_arc[other], known_first_arc[other + 1]):
                    if is_start[known_arc[step]] and through[known_arc[step]] == total:
                        covered[known_arc[step]] = covered_mark
            is_known = known_last[market] > known_first[market]
            while route_count - first_kept < (1 if is_all else most):
                if size == 0:
                    if is_all or is_known or route_count > first_kept:
                        break
                    is_all = True  # the cheapest turn back or are of other families: the next one after them, then
                    size = _heaped(heap, through, inner, inner_count, bound + 1, FAR - 1)
                    continue
                arc = heap[0]
                size -= 1
                heap[0] = heap[size]
                _sink(heap, through, top, size)
                if covered[arc] == covered_mark:
                    continue
                here, there = position[tail[arc]], position[head[arc]]
                flags = 0
                while ahead[flags, here] + back[whole & ~flags & ~arc_bits[arc], there] + cost[arc] != through[arc]:
                    flags += 1
                rest = whole & ~flags & ~arc_bits[arc]
                length = _walk(tail, position, tree_home, origin, tail[arc], flags, part)
                for step in range(length):
                    path[step] = part[length - 1 - step]
                path[length] = arc
                length += 1 + _walk(head, position, tree_on, destination, head[arc], rest, path[length + 1 :])
                mark += 1
                if _turns_back(
                    path,
                    length,
                    arc if link[arc] >= 0 else -1,
                    arc_bits,
                    tail,
                    head,
                    network.node_place,
                    node_seen,
                    place_seen,
                    place_bits,
                    mark,
                ):
                    continue
                total = np.int64(0)
                for step in range(length):
                    total += cost[path[step]]
                    if is_start[path[step]] and through[path[step]] == through[arc]:
                        covered[path[step]] = covered_mark
                used_links = np.int64(0)
                for step in range(length):
                    if link[path[step]] >= 0:
                        links[used_links] = link[path[step]]
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
                            used ^= row_mark[arc_use[use]]
                is_new = True
                for other in range(known_first[market], known_last[market]):
                    if known_cost[other - known_first[market]] > total or known_signature[other] != used:
                        continue
                    shared = np.int64(0)
                    for step in range(known_first_arc[other], known_first_arc[other + 1]):
                        if arc_mark[known_arc[step]] == mark:
                            shared += cost[known_arc[step]]
                    if shared > overlap_bound * total + length:
                        is_new = False
                        break
                for other in range(first_kept, route_count):
                    if not is_new:
                        break
                    if signature[other - first_kept] != used:
                        continue
                    shared = np.int64(0)
                    for step in range(route_first[other], route_first[other + 1]):
                        if arc_mark[route_arc[step]] == mark:
                            shared += cost[route_arc[step]]
                    if shared > overlap_bound * total + length:  # every arc costs one at least
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
