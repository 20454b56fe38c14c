"""Compiled loops of the route engine: one search over (node, flags), and the routes of a family.

A state of the search is node x 2^bits + flags. Bit b of the flags is set once an arc that carries it is taken; a route is
complete when all bits are set. Arc and node numbers are canonical (sorted by id), so ties fall the same way whatever the
order of table rows.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BOUND_SLACK = 1.15
"""Searches stop at this factor above the length bound: they see a linear stand-in for the reliability term, the bound the exact one."""


@njit(cache=True)
def _push(keys, items, size, key, item):
    """Add (key, item) to a binary heap of `size` entries; ties go to the lower item."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if keys[parent] < key or (keys[parent] == key and items[parent] <= item):
            break
        keys[place] = keys[parent]
        items[place] = items[parent]
        place = parent
    keys[place] = key
    items[place] = item
    return size + 1


@njit(cache=True)
def _pop(keys, items, size):
    """Take the least entry; the caller reads keys[0], items[0] before. Returns the new size."""
    size -= 1
    key = keys[size]
    item = items[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (keys[other] < keys[child] or (keys[other] == keys[child] and items[other] < items[child])):
            child = other
        if keys[child] > key or (keys[child] == key and items[child] >= item):
            break
        keys[place] = keys[child]
        items[place] = items[child]
        place = child
    keys[place] = key
    items[place] = item
    return size


@njit(cache=True)
def grow_tree(first, arc_of, far_end, cost, is_allowed, arc_bits, bit_count, origin, distance, via_arc, via_flags, keys, items):
    """Dijkstra from one node over (node, flags); fills distance, via_arc and via_flags, each of shape (nodes x 2^bits,).

    Costs must be zero or more. A settled state is never reopened, so arcs of zero cost cannot loop.
    """
    flag_count = 1 << bit_count
    distance[:] = np.inf
    via_arc[:] = -1
    via_flags[:] = 0
    is_settled = np.zeros(distance.shape[0], dtype=np.bool_)
    distance[origin * flag_count] = 0.0
    size = _push(keys, items, 0, 0.0, origin * flag_count)
    while size > 0:
        here = keys[0]
        state = items[0]
        size = _pop(keys, items, size)
        if is_settled[state]:
            continue
        is_settled[state] = True
        node = state >> bit_count
        flags = state & (flag_count - 1)
        for position in range(first[node], first[node + 1]):
            arc = arc_of[position]
            if not is_allowed[arc]:
                continue
            target = (far_end[arc] << bit_count) | flags | arc_bits[arc]
            if is_settled[target]:
                continue
            there = here + cost[arc]
            if there < distance[target]:
                distance[target] = there
                via_arc[target] = arc
                via_flags[target] = flags
                size = _push(keys, items, size, there, target)
            elif there == distance[target] and arc < via_arc[target]:
                via_arc[target] = arc
                via_flags[target] = flags


@njit(cache=True)
def tree_path(near_end, via_arc, via_flags, bit_count, origin, node, flags, path):
    """Arcs between the root of a tree and (node, flags), seen from the node; returns their number, -1 if not reached."""
    state = (node << bit_count) | flags
    root = origin << bit_count
    count = 0
    while state != root:
        arc = via_arc[state]
        if arc < 0:
            return -1
        path[count] = arc
        count += 1
        state = (near_end[arc] << bit_count) | via_flags[state]
    return count


@njit(cache=True)
def _lower_bounds(distance, node_count, bit_count, lower):
    """Least cost from the origin to each node having collected what a rest of the route with given flags leaves open."""
    flag_count = 1 << bit_count
    for node in range(node_count):
        base = node << bit_count
        for rest in range(flag_count):
            least = np.inf
            for flags in range(flag_count):
                if (flags | rest) == flag_count - 1 and distance[base | flags] < least:
                    least = distance[base | flags]
            lower[base | rest] = least


@njit(cache=True)
def _guided(inward, cost, ground, change, ends, lower, bound, scratch, path):
    """Best route from an origin to a destination, searched backwards under exact lower bounds.

    `change` is (factor, closed, mark): factors of 1 or more make arcs dearer and arcs with closed[arc] == mark are shut, so the
    bounds stay below the truth. `ground` is (is_allowed, arc_bits, bit_count), `ends` is (origin, destination).
    Returns the number of arcs, written to `path` from origin to destination; 0 if there is none within `bound`.
    """
    first, arc_of, far_end = inward
    is_allowed, arc_bits, bit_count = ground
    factor, closed, mark = change
    goal, start = ends
    cost_to, via_arc, via_state, seen, settled, stamp, keys, items = scratch
    stamp[0] += 1
    now = stamp[0]
    flag_count = 1 << bit_count
    state = start << bit_count
    if lower[state] > bound:
        return 0
    cost_to[state] = 0.0
    seen[state] = now
    via_arc[state] = -1
    target = (goal << bit_count) | (flag_count - 1)
    size = _push(keys, items, 0, lower[state], state)
    while size > 0:
        state = items[0]
        size = _pop(keys, items, size)
        if settled[state] == now:
            continue
        settled[state] = now
        if state == target:
            break
        node = state >> bit_count
        flags = state & (flag_count - 1)
        for position in range(first[node], first[node + 1]):
            arc = arc_of[position]
            if not is_allowed[arc] or closed[arc] == mark:
                continue
            other = (far_end[arc] << bit_count) | flags | arc_bits[arc]
            if settled[other] == now:
                continue
            there = cost_to[state] + cost[arc] * factor[arc]
            total = there + lower[other]
            if total > bound:
                continue
            if seen[other] != now or there < cost_to[other]:
                seen[other] = now
                cost_to[other] = there
                via_arc[other] = arc
                via_state[other] = state
                size = _push(keys, items, size, total, other)
            elif there == cost_to[other] and arc < via_arc[other]:
                via_arc[other] = arc
                via_state[other] = state
    if settled[target] != now:
        return 0
    count = 0
    state = target
    while via_arc[state] >= 0:
        path[count] = via_arc[state]
        count += 1
        state = via_state[state]
    return count


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def _through(link, via_arcs, network_ends, cost, ends, ahead, back, bound, path):
    """Best route through one link: to its near end, over it, and on.

    `ahead` is a tree with one requirement from the origin (distance, via_arc, via_flags), `back` one without from the destination.

    Returns the number of arcs, written to `path`; 0 if there is none within `bound`.
    """
    arc_link, tail, head = network_ends
    origin, destination = ends
    distance, via_arc, via_flags = ahead
    back_distance, back_arc, no_flags = back
    least = bound
    best_arc = -1
    for arc in via_arcs:
        if arc_link[arc] != link:
            continue
        near = tail[arc] << 1
        total = min(distance[near], distance[near | 1]) + cost[arc] + back_distance[head[arc]]
        if total < least:
            least = total
            best_arc = arc
    if best_arc < 0:
        return 0
    near = tail[best_arc] << 1
    flags = 0 if distance[near] <= distance[near | 1] else 1
    length = tree_path(tail, via_arc, via_flags, 1, origin, tail[best_arc], flags, path)
    for step in range(length // 2):
        path[step], path[length - 1 - step] = path[length - 1 - step], path[step]
    path[length] = best_arc
    return length + 1 + tree_path(head, back_arc, no_flags, 0, destination, head[best_arc], 0, path[length + 1 :])


@njit(cache=True)
def _is_known(path, length, arcs, first, count):
    """Whether a route is among the candidates found so far."""
    for other in range(count):
        if first[other + 1] - first[other] != length:
            continue
        is_same = True
        for step in range(length):
            if arcs[first[other] + step] != path[step]:
                is_same = False
                break
        if is_same:
            return True
    return False


@njit(cache=True)
def _less(arcs, first_a, last_a, first_b, last_b):
    """Whether one arc sequence comes before another in lexical order."""
    steps = min(last_a - first_a, last_b - first_b)
    for step in range(steps):
        if arcs[first_a + step] != arcs[first_b + step]:
            return arcs[first_a + step] < arcs[first_b + step]
    return last_a - first_a < last_b - first_b


@njit(cache=True)
def _before(one, other, rank, cost, arcs, first, use_rank):
    if use_rank and rank[one] != rank[other]:
        return rank[one] < rank[other]
    if cost[one] != cost[other]:
        return cost[one] < cost[other]
    return _less(arcs, first[one], first[one + 1], first[other], first[other + 1])


@njit(cache=True)
def _sort(order, count, rank, cost, arcs, first, use_rank):
    """Insertion sort of candidates by rank (if used), cost, arcs."""
    for position in range(1, count):
        item = order[position]
        place = position
        while place > 0 and _before(item, order[place - 1], rank, cost, arcs, first, use_rank):
            order[place] = order[place - 1]
            place -= 1
        order[place] = item


@njit(cache=True)
def _select(count, first, arcs, rank, exact, search_cost, uses, used, arc_mark, mark, bounds, order):
    """Choose among the candidates of a market and family; returns how many, positions in `order` by cost, and the last mark used.

    Kept: within the length bound of the best, and no more than the overlap bound alike (by cost) to a kept one unless they
    differ in a facility used; best of each search first, then penalised repeats; at most `per_family`.
    """
    per_family, length_bound, overlap_bound = bounds
    arc_first_use, arc_use = uses
    least = np.inf
    for candidate in range(count):
        order[candidate] = candidate
        least = min(least, exact[candidate])
        used[candidate, :] = False
        for position in range(first[candidate], first[candidate + 1]):
            arc = arcs[position]
            for use in range(arc_first_use[arc], arc_first_use[arc + 1]):
                used[candidate, arc_use[use]] = True
    _sort(order, count, rank, exact, arcs, first, True)
    kept = 0
    for position in range(count):
        candidate = order[position]
        if kept >= per_family or exact[candidate] > length_bound * least + 1e-9:
            continue
        mark += 1
        total = 0.0
        for step in range(first[candidate], first[candidate + 1]):
            arc_mark[arcs[step]] = mark
            total += search_cost[arcs[step]]
        is_new = True
        for other in range(kept):
            rival = order[other]
            shared = 0.0
            for step in range(first[rival], first[rival + 1]):
                if arc_mark[arcs[step]] == mark:
                    shared += search_cost[arcs[step]]
            if shared > overlap_bound * total and np.array_equal(used[candidate], used[rival]):
                is_new = False
                break
        if is_new:
            order[kept] = candidate
            kept += 1
    _sort(order, kept, rank, exact, arcs, first, False)
    return kept, mark


@njit(cache=True)
def _grown(array, needed):
    if needed <= array.shape[0]:
        return array
    bigger = np.empty(max(needed, 2 * array.shape[0]), dtype=array.dtype)
    bigger[: array.shape[0]] = array
    return bigger


@njit(cache=True)
def family_routes(network, costs, uses, facility_arcs, family, rules, options, origins, origin_first_market, market_destination):
    """Routes of one family for many markets that share goods, form and permissions.

    Args:
        network: out_first, out_arc, in_first, in_arc, tail, head, node_place, arc_link.
        costs: Per arc: cost used in searches; cost without reliability (USD/t); variance (h2); and the value of an hour of
            standard deviation (USD/t-h).
        uses: For each arc the facilities it uses, as arc_first_use, arc_use.
        facility_arcs: For each facility the arcs that use it, as facility_first_arc, facility_arc.
        family: is_allowed (arcs,), arc_bits (arcs,), bit_count, links of which one must be used, position in the order.
        rules: Arguments of `family_of` after `count`.
        options: per_family, length_bound, overlap_bound, repeat_count, repeat_penalty_share.
        origins: Origin nodes, shape (origins,).
        origin_first_market: Markets of each origin, shape (origins + 1,).
        market_destination: Destination node of each market, shape (markets,).

    Returns:
        route_market, route_first_arc, route_arc, in the order of markets and then of exact cost and arcs.
    """
    out_first, out_arc, in_first, in_arc, tail, head, node_place, arc_link = network
    search_cost, exact_cost, variance, reliability = costs
    arc_first_use, arc_use = uses
    facility_first_arc, facility_arc = facility_arcs
    is_allowed, arc_bits, bit_count, via_link, family_index = family
    applies, has_any, in_any, in_not, all_bit, all_full = rules
    per_family, length_bound, overlap_bound, repeat_count, repeat_penalty = options
    bounds = (per_family, length_bound, overlap_bound)
    inward = (in_first, in_arc, tail)
    ground = (is_allowed, arc_bits, bit_count)

    node_count = node_place.shape[0]
    arc_count = tail.shape[0]
    flag_count = 1 << bit_count
    state_count = node_count * flag_count
    facility_count = facility_first_arc.shape[0] - 1
    place_count = 1
    for node in range(node_count):
        place_count = max(place_count, node_place[node] + 1)
    heap_size = arc_count * flag_count + 1
    keys = np.empty(heap_size)
    items = np.empty(heap_size, dtype=np.int64)
    distance = np.empty(state_count)
    via_arc = np.empty(state_count, dtype=np.int64)
    via_flags = np.empty(state_count, dtype=np.int64)
    lower = np.empty(state_count)
    ahead = (distance, via_arc, via_flags)
    link_ends = (arc_link, tail, head)
    scratch = (
        np.empty(state_count), np.empty(state_count, dtype=np.int64), np.empty(state_count, dtype=np.int64),
        np.zeros(state_count, dtype=np.int64), np.zeros(state_count, dtype=np.int64), np.zeros(1, dtype=np.int64), keys, items,
    )  # fmt: skip
    no_bits = np.zeros(arc_count, dtype=np.int64)

    is_via = bit_count == 1 and via_link.shape[0] > 1
    destination_slot = np.full(node_count, -1, dtype=np.int64)
    slot_count = 0
    if is_via:
        for market in range(market_destination.shape[0]):
            if destination_slot[market_destination[market]] < 0:
                destination_slot[market_destination[market]] = slot_count
                slot_count += 1
    back_distance = np.empty((slot_count, node_count))
    back_arc = np.empty((slot_count, node_count), dtype=np.int64)
    back_flags = np.zeros(node_count, dtype=np.int64)
    for node in range(node_count):
        slot = destination_slot[node]
        if slot >= 0:
            far, far_arc = back_distance[slot], back_arc[slot]
            grow_tree(in_first, in_arc, tail, search_cost, is_allowed, no_bits, 0, node, far, far_arc, back_flags, keys, items)
    is_via_link = np.zeros(in_any.shape[1], dtype=np.bool_)
    for link in via_link:
        is_via_link[link] = True
    via_arcs = np.empty(arc_count, dtype=np.int64)
    via_count = 0
    if is_via:
        for arc in range(arc_count):
            if arc_link[arc] >= 0 and is_via_link[arc_link[arc]] and is_allowed[arc]:
                via_arcs[via_count] = arc
                via_count += 1

    slots = 1 + via_link.shape[0] + facility_count + repeat_count
    path = np.empty(2 * state_count + 1, dtype=np.int64)
    links = np.empty(2 * state_count + 1, dtype=np.int64)
    raw_best = np.empty(2 * state_count + 1, dtype=np.int64)
    first = np.zeros(slots + 1, dtype=np.int64)
    rank = np.zeros(slots, dtype=np.int64)
    exact = np.zeros(slots)
    order = np.zeros(slots, dtype=np.int64)
    used = np.zeros((slots, facility_count), dtype=np.bool_)
    arcs = np.empty(1024, dtype=np.int64)
    closed = np.zeros(arc_count, dtype=np.int64)
    close_mark = 0
    arc_mark = np.zeros(arc_count, dtype=np.int64)
    mark = 0
    node_seen = np.zeros(node_count, dtype=np.int64)
    place_seen = np.zeros(place_count, dtype=np.int64)
    place_bits = np.zeros(place_count, dtype=np.int64)
    walk_mark = 0
    factor = np.ones(arc_count)
    used_by_best = np.zeros(facility_count, dtype=np.int64)

    route_market = np.empty(256, dtype=np.int64)
    route_first = np.zeros(257, dtype=np.int64)
    route_arc = np.empty(4096, dtype=np.int64)
    route_count = 0

    for origin_position in range(origins.shape[0]):
        origin = origins[origin_position]
        grow_tree(out_first, out_arc, head, search_cost, is_allowed, arc_bits, bit_count, origin, distance, via_arc, via_flags, keys, items)
        _lower_bounds(distance, node_count, bit_count, lower)
        for market in range(origin_first_market[origin_position], origin_first_market[origin_position + 1]):
            destination = market_destination[market]
            ends = (origin, destination)
            best_cost = distance[(destination << bit_count) | (flag_count - 1)]
            if not best_cost < np.inf:
                continue
            bound = BOUND_SLACK * length_bound * best_cost + 1e-9
            count = 0
            best_length = 0
            best_use_mark = 0
            for attempt in range(slots):
                # 0: the best; then via each link; without each facility of the best; penalised repeats
                length = 0
                if attempt == 0:
                    close_mark += 1
                    length = _guided(inward, search_cost, ground, (factor, closed, close_mark), ends, lower, bound, scratch, path)
                    best_length = length
                    close_mark += 1
                    for step in range(length):
                        raw_best[step] = path[step]
                        for use in range(arc_first_use[path[step]], arc_first_use[path[step] + 1]):
                            used_by_best[arc_use[use]] = close_mark
                    best_use_mark = close_mark
                elif attempt <= via_link.shape[0]:
                    if not is_via:
                        continue
                    slot = destination_slot[destination]
                    back = (back_distance[slot], back_arc[slot], back_flags)
                    length = _through(via_link[attempt - 1], via_arcs[:via_count], link_ends, search_cost, ends, ahead, back, bound, path)
                elif attempt <= via_link.shape[0] + facility_count:
                    facility = attempt - 1 - via_link.shape[0]
                    if used_by_best[facility] != best_use_mark:
                        continue
                    close_mark += 1
                    for position in range(facility_first_arc[facility], facility_first_arc[facility + 1]):
                        closed[facility_arc[position]] = close_mark
                    length = _guided(inward, search_cost, ground, (factor, closed, close_mark), ends, lower, bound, scratch, path)
                else:
                    close_mark += 1
                    if attempt == via_link.shape[0] + facility_count + 1:
                        for step in range(best_length):
                            factor[raw_best[step]] = 1.0 + repeat_penalty
                    reach = bound * (1.0 + repeat_penalty)
                    length = _guided(inward, search_cost, ground, (factor, closed, close_mark), ends, lower, reach, scratch, path)
                    for step in range(length):
                        factor[path[step]] += repeat_penalty
                if length <= 0:
                    continue
                arcs = _grown(arcs, first[count] + length)
                if _is_known(path, length, arcs, first, count):
                    continue
                if bit_count > 0:
                    walk_mark += 1
                    if _turns_back(path, length, arc_bits, tail, head, node_place, node_seen, place_seen, place_bits, walk_mark):
                        continue
                for step in range(length):
                    links[step] = arc_link[path[step]]
                if family_of(links, length, applies, has_any, in_any, in_not, all_bit, all_full) != family_index:
                    continue
                money = 0.0
                spread = 0.0
                for step in range(length):
                    arcs[first[count] + step] = path[step]
                    money += exact_cost[path[step]]
                    spread += variance[path[step]]
                exact[count] = money + reliability * math.sqrt(spread)
                rank[count] = 0 if attempt == 0 else (1 if attempt <= via_link.shape[0] + facility_count else 2)
                first[count + 1] = first[count] + length
                count += 1
            if repeat_count > 0:
                factor[:] = 1.0
            if count == 0:
                continue
            kept, mark = _select(count, first, arcs, rank, exact, search_cost, uses, used, arc_mark, mark, bounds, order)
            for position in range(kept):
                candidate = order[position]
                length = first[candidate + 1] - first[candidate]
                route_market = _grown(route_market, route_count + 1)
                route_first = _grown(route_first, route_count + 2)
                route_arc = _grown(route_arc, route_first[route_count] + length)
                for step in range(length):
                    route_arc[route_first[route_count] + step] = arcs[first[candidate] + step]
                route_first[route_count + 1] = route_first[route_count] + length
                route_market[route_count] = market
                route_count += 1
    return route_market[:route_count].copy(), route_first[: route_count + 1].copy(), route_arc[: route_first[route_count]].copy()
