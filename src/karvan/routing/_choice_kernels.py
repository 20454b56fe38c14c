"""Compiled loops over routes: what they cost and use up, how they overlap, and which of them enter.

They share nothing with the loops that search, so that a change to one leaves the other compiled. None holds the interpreter's lock.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit


class Routes(NamedTuple):
    """Routes as loops read them: arcs of each (CSR), and the position of their goods, shapes (routes + 1,), (steps,), (routes,)."""

    first_arc: np.ndarray
    arc: np.ndarray
    goods: np.ndarray


@njit(cache=True, nogil=True)
def _filled(count, value):
    """An array of so many whole numbers; the library's own ways take long to compile."""
    array = np.empty(count, dtype=np.int64)
    for index in range(count):
        array[index] = value
    return array


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
    for goods in range(result.shape[0]):
        for arc in range(result.shape[1]):
            result[goods, arc] = 0.0
    for route in range(routes.goods.shape[0]):
        amount = flow[route]
        if amount == 0.0:
            continue
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            result[routes.goods[route], routes.arc[step]] += amount


@njit(cache=True, nogil=True)
def cordons(routes, first, counted, ends, boxes, tonnes, teu):
    """What cordons count of routes; fills `tonnes`, 1 where a cordon counts a route, and `teu`, TEU per tonne, shapes (cordons, routes).

    Args:
        routes: Routes; `goods` holds their markets.
        first: First of what is counted on each arc, shape (arcs + 1,).
        counted: Cordon, and its only goods, origin and destination (-1 for any), by arc, shape (counts, 4).
        ends: Goods, origin and destination of each market, shape (3, markets).
        boxes: Whether an arc carries boxes, shape (arcs,), and TEU per tonne of each market, shape (markets,).
        tonnes, teu: Zeros.
    """
    in_box, teu_per_t = boxes
    for route in range(routes.goods.shape[0]):
        market = routes.goods[route]
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            arc = routes.arc[step]
            for row in range(first[arc], first[arc + 1]):
                is_meant = True
                for column in range(3):
                    only = counted[row, column + 1]
                    is_meant = is_meant and (only == -1 or only == ends[column, market])
                if is_meant:
                    tonnes[counted[row, 0], route] = 1.0
                    if in_box[arc]:
                        teu[counted[row, 0], route] = teu_per_t[market]


@njit(cache=True, nogil=True)
def entries(routes, uses, ends, is_summed, row_mark):
    """Rows that routes use and how much of them.

    Args:
        routes: Routes.
        uses: first (goods, arcs + 1), row, units, only origin and only destination (-1 for any) of each use.
        ends: Origin and destination of each route, shape (routes, 2).
        is_summed: Rows of which a route uses the sum over its arcs, not the most that one takes, shape (rows,).
        row_mark: A mark of each row, shape (rows,).

    Returns:
        first entry of each route, row (rising within a route), units, the exclusive or of the marks of the rows of each route, and the
        most arcs of one route that use a row, shape (rows,).
    """
    first_use, use_row, use_units, only_from, only_to = uses
    count, rows = routes.goods.shape[0], is_summed.shape[0]
    first = _filled(count + 1, np.int64(0))
    most = 0
    for route in range(count):
        goods = routes.goods[route]
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            most += first_use[goods, routes.arc[step] + 1] - first_use[goods, routes.arc[step]]
    row = np.empty(most, dtype=np.int64)
    units = np.empty(most)
    signature = np.zeros(count, dtype=np.uint64)
    times = np.ones(rows)
    place = _filled(rows, np.int64(-1))
    used = _filled(rows, np.int64(0))
    size = 0
    for route in range(count):
        begin = size
        goods = routes.goods[route]
        for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
            arc = routes.arc[step]
            for use in range(first_use[goods, arc], first_use[goods, arc + 1]):
                if (only_from[use] >= 0 and only_from[use] != ends[route, 0]) or (only_to[use] >= 0 and only_to[use] != ends[route, 1]):
                    continue
                a = use_row[use]
                if place[a] < begin:
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
            signature[route] ^= row_mark[row[k]]
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
def path_sizes(routes, nest_first_route, is_open, leg_cost, result):
    """Path size of each open route within its nest: sum over legs of their share of the cost over how many open routes use them; fills
    `result` but for routes that are shut.

    `leg_cost` is by goods and arc, shape (goods, arcs). A route whose legs all cost nothing has size 1.
    """
    users = _filled(leg_cost.shape[1], np.int64(0))
    stamp = _filled(leg_cost.shape[1], np.int64(-1))
    for nest in range(nest_first_route.shape[0] - 1):
        for route in range(nest_first_route[nest], nest_first_route[nest + 1]):
            if not is_open[route]:
                continue
            for step in range(routes.first_arc[route], routes.first_arc[route + 1]):
                arc = routes.arc[step]
                if stamp[arc] != nest:
                    stamp[arc] = nest
                    users[arc] = 0
                users[arc] += 1
        for route in range(nest_first_route[nest], nest_first_route[nest + 1]):
            if not is_open[route]:
                continue
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
def enter(market_first_nest, nest_first_route, routes, signature, leg_cost, cost, order, is_in, thetas, choice, bounds):
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
        order: Routes of each nest by rising cost, nest by nest, shape (routes,).
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
    users = _filled(arc_count, np.int64(0))
    stamp = _filled(arc_count, np.int64(0))
    path_size = np.ones(cost.shape[0])
    composite = np.empty(nest_theta.shape[0])
    is_variant = np.zeros(cost.shape[0], dtype=np.bool_)
    has_new_best = np.zeros(nest_theta.shape[0], dtype=np.bool_)
    mark = 0
    for market in range(markets):
        first, last = market_first_nest[market], market_first_nest[market + 1]
        theta = market_theta[market]
        for nest in range(first, last):
            begin, end = nest_first_route[nest], nest_first_route[nest + 1]
            has_new_best[nest] = not is_in[order[begin]]
            is_in[order[begin]] = True
            mark += 1
            low, weight = _size_and_weight(routes, begin, end, is_in, leg_cost, cost, nest_theta[nest], users, stamp, mark, path_size)
            composite[nest] = constant[nest] + low - math.log(weight) / nest_theta[nest]
        for nest in range(first, last):
            if has_new_best[nest]:
                route = order[nest_first_route[nest]]
                part = path_size[route] * math.exp(-nest_theta[nest] * (cost[route] + constant[nest] - composite[nest]))
                newest = max(newest, part * _share_of(nest, first, last, composite, stay[market], theta))
        for attempt in range(3):  # twice to enter, as every entry changes what the others would take; then to tell what is left
            for nest in range(first, last):
                begin, end = nest_first_route[nest], nest_first_route[nest + 1]
                th_r = nest_theta[nest]
                inside = 0
                for route in range(begin, end):
                    inside += is_in[route]
                share = _share_of(nest, first, last, composite, stay[market], theta)
                shares[nest] = share
                if inside == end - begin:
                    continue
                for place in range(begin, end):
                    route = order[place]
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
