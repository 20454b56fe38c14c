"""Compiled loops of the market program: value and gradient, curvature, a small bounded quadratic program, latent row flows.

Arrays in, arrays and a status out. Symbols follow the formulas: W markets, J families (nests), R routes, E entries, A rows. Loops over
markets take a range of them, so that ranges can run side by side; who adds their parts up in order gets the same digits from any number
of threads. They hold no lock on the interpreter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit


class MarketArrays(NamedTuple):
    """What the loops read of a market program; meanings as in `MarketProblem`.

    Shapes: the three `first` arrays (markets + 1,), (families + 1,), (routes + 1,); entry_row, entry_units (entries,); route_cost,
    path_size (routes,); constant, family_theta (families,); the others (markets,). `market_flow` is A q0, `price_weight` v.
    """

    market_first_family: np.ndarray
    family_first_route: np.ndarray
    route_first_entry: np.ndarray
    entry_row: np.ndarray
    entry_units: np.ndarray
    route_cost: np.ndarray
    path_size: np.ndarray
    constant: np.ndarray
    family_theta: np.ndarray
    market_theta: np.ndarray
    market_flow: np.ndarray
    market_price: np.ndarray
    base_cost: np.ndarray
    elasticity: np.ndarray
    price_weight: np.ndarray


@njit(cache=True, nogil=True)
def evaluate(
    first_market: int,
    last_market: int,
    market: MarketArrays,
    prices: np.ndarray,
    route_price_cost: np.ndarray,
    route_flow: np.ndarray,
    family_cost: np.ndarray,
    market_cost: np.ndarray,
    demand: np.ndarray,
    surplus: np.ndarray,
    row_flow: np.ndarray,
) -> tuple[float, float]:
    """Costs, demand, surplus and flows of a range of markets at given row prices.

    g_r = c_r + v_w sum_a e_ra lambda_a; C_j = -(1/th_r) ln sum_r PS_r exp(-th_r g_r); C_w = -(1/th_c) ln sum_j exp(-th_c (delta_j + C_j));
    D_w = q ((p + C)/(p + C0))^(-sigma); f_r = D P(j|w) P(r|j); x_a = sum_r e_ra f_r. Fills the last eight arrays: the parts
    of these markets, and all of the row flows with what these markets use.

    Returns:
        Sum over markets of surplus S_w(C_w)/v_w, and sum of D_w |C_w|/v_w; both NaN if an elastic market's p + C is not above zero.
    """
    market_first_family = market.market_first_family
    family_first_route = market.family_first_route
    route_first_entry = market.route_first_entry
    entry_row = market.entry_row
    entry_units = market.entry_units
    route_cost = market.route_cost
    path_size = market.path_size
    constant = market.constant
    family_theta = market.family_theta
    market_theta = market.market_theta
    market_flow = market.market_flow
    market_price = market.market_price
    base_cost = market.base_cost
    elasticity = market.elasticity
    price_weight = market.price_weight
    row_flow[:] = 0.0
    total = 0.0
    gross = 0.0
    for w in range(first_market, last_market):
        first, last = market_first_family[w], market_first_family[w + 1]
        theta = market_theta[w]
        weight_of_price = price_weight[w]
        best = np.inf
        for j in range(first, last):
            nest_theta = family_theta[j]
            low = np.inf
            for r in range(family_first_route[j], family_first_route[j + 1]):
                cost = 0.0
                for k in range(route_first_entry[r], route_first_entry[r + 1]):
                    cost += entry_units[k] * prices[entry_row[k]]
                cost = route_cost[r] + weight_of_price * cost
                route_price_cost[r] = cost
                low = min(low, cost)
            weight = 0.0
            for r in range(family_first_route[j], family_first_route[j + 1]):
                part = path_size[r] * math.exp(-nest_theta * (route_price_cost[r] - low))
                route_flow[r] = part
                weight += part
            for r in range(family_first_route[j], family_first_route[j + 1]):
                route_flow[r] /= weight
            family_cost[j] = low - math.log(weight) / nest_theta
            best = min(best, constant[j] + family_cost[j])
        weight = 0.0
        for j in range(first, last):
            weight += math.exp(-theta * (constant[j] + family_cost[j] - best))
        cost = best - math.log(weight) / theta
        market_cost[w] = cost
        sigma = elasticity[w]
        quantity = market_flow[w]
        if sigma == 0.0:
            surplus[w] = -quantity * cost
        else:
            base = market_price[w] + base_cost[w]
            ratio = (market_price[w] + cost) / base
            if not ratio > 0.0:
                return np.nan, np.nan
            log_ratio = math.log(ratio)
            if sigma == 1.0:
                surplus[w] = -quantity * base * log_ratio
            else:
                surplus[w] = quantity * base / (sigma - 1.0) * math.exp((1.0 - sigma) * log_ratio)
            quantity *= math.exp(-sigma * log_ratio)
        demand[w] = quantity
        total += surplus[w] / weight_of_price
        gross += quantity * abs(cost) / weight_of_price
        for j in range(first, last):
            nest_flow = quantity * math.exp(-theta * (constant[j] + family_cost[j] - cost))
            for r in range(family_first_route[j], family_first_route[j + 1]):
                flow = nest_flow * route_flow[r]
                route_flow[r] = flow
                for k in range(route_first_entry[r], route_first_entry[r + 1]):
                    row_flow[entry_row[k]] += entry_units[k] * flow
    return total, gross


@njit(cache=True, nogil=True)
def curvature(
    first_market: int,
    last_market: int,
    market: MarketArrays,
    route_flow: np.ndarray,
    market_cost: np.ndarray,
    demand: np.ndarray,
    position: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Second derivative of a range of markets' part of the dual in the chosen rows.

    With s_j = sum_r f_r e_r in nest j and s_w their sum over the market,
    H = sum_w v_w [ sum_j ( th_r sum_r f_r e_r e_r' + (th_c - th_r)/f_j s_j s_j' ) + (sigma/(p + C) - th_c)/D s_w s_w' ].

    `position` is the place of each row among the `count` chosen ones, -1 if not chosen, shape (rows,).

    Returns:
        H, shape (count, count), symmetric; and the diagonal of its first term alone, which bounds H's diagonal from above when demand
        is fixed and stays positive where H vanishes, shape (count,).
    """
    market_first_family = market.market_first_family
    family_first_route = market.family_first_route
    route_first_entry = market.route_first_entry
    entry_row = market.entry_row
    entry_units = market.entry_units
    family_theta = market.family_theta
    market_theta = market.market_theta
    market_price = market.market_price
    elasticity = market.elasticity
    price_weight = market.price_weight
    hessian = np.zeros((count, count))
    bound = np.zeros(count)
    family_sum = np.zeros(count)
    market_sum = np.zeros(count)
    family_seen = np.zeros(count, dtype=np.bool_)
    market_seen = np.zeros(count, dtype=np.bool_)
    rows = np.empty(count, dtype=np.int64)
    values = np.empty(count)
    longest = 1
    for r in range(family_first_route[market_first_family[first_market]], family_first_route[market_first_family[last_market]]):
        longest = max(longest, route_first_entry[r + 1] - route_first_entry[r])
    local_row = np.empty(longest, dtype=np.int64)
    local_units = np.empty(longest)
    for w in range(first_market, last_market):
        quantity = demand[w]
        if quantity < 1e-200:
            continue
        weight_of_price = price_weight[w]
        first, last = market_first_family[w], market_first_family[w + 1]
        has_one_family = last - first == 1
        demand_slope = 0.0
        if elasticity[w] > 0.0:
            demand_slope = elasticity[w] / (market_price[w] + market_cost[w])
        market_factor = (demand_slope - market_theta[w]) / quantity
        for j in range(first, last):
            family_flow = 0.0
            theta = family_theta[j]
            for r in range(family_first_route[j], family_first_route[j + 1]):
                flow = route_flow[r]
                family_flow += flow
                if flow < 1e-200:
                    continue
                size = 0
                for k in range(route_first_entry[r], route_first_entry[r + 1]):
                    a = position[entry_row[k]]
                    if a >= 0:
                        local_row[size] = a
                        local_units[size] = entry_units[k]
                        size += 1
                for i in range(size):
                    a = local_row[i]
                    family_seen[a] = True
                    family_sum[a] += flow * local_units[i]
                    part = weight_of_price * flow * theta * local_units[i]
                    square = part * local_units[i]
                    bound[a] += square
                    hessian[a, a] += square
                    for k in range(i):
                        b = local_row[k]
                        product = part * local_units[k]
                        hessian[max(a, b), min(a, b)] += product
                        if a == b:
                            hessian[a, a] += product
            factor = 0.0
            if family_flow > 1e-200:
                factor = (market_theta[w] - theta) / family_flow
                if has_one_family:
                    factor += market_factor
            size = 0
            for a in range(count):
                if family_seen[a]:
                    rows[size] = a
                    values[size] = family_sum[a]
                    size += 1
            for i in range(size):
                a = rows[i]
                family_seen[a] = False
                family_sum[a] = 0.0
                if not has_one_family:
                    market_seen[a] = True
                    market_sum[a] += values[i]
                part = weight_of_price * factor * values[i]
                for k in range(i + 1):
                    hessian[a, rows[k]] += part * values[k]
        if not has_one_family:
            size = 0
            for a in range(count):
                if market_seen[a]:
                    rows[size] = a
                    values[size] = market_sum[a]
                    size += 1
            for i in range(size):
                a = rows[i]
                market_seen[a] = False
                market_sum[a] = 0.0
                part = weight_of_price * market_factor * values[i]
                for k in range(i + 1):
                    hessian[a, rows[k]] += part * values[k]
    for a in range(count):
        for b in range(a):
            hessian[b, a] = hessian[a, b]
    return hessian, bound


@njit(cache=True, nogil=True)
def _add_shared(
    rows: np.ndarray,
    flow_sum: np.ndarray,
    use_sum: np.ndarray,
    by_price: float,
    by_use: float,
    hour_of: np.ndarray,
    halves: np.ndarray,
    by_hour: np.ndarray,
) -> None:
    """Add what a nest or a market shares to `flow_slopes`: by_price s s' to halves, by_use n s' to by_hour; s and n over rows."""
    for i in range(rows.shape[0]):
        a = rows[i]
        part = by_price * flow_sum[a]
        for k in range(i):
            halves[a, rows[k]] += part * flow_sum[rows[k]]
        halves[a, a] += 0.5 * part * flow_sum[a]
        h = hour_of[a]
        if h >= 0:
            part = by_use * use_sum[a]
            for k in range(rows.shape[0]):
                by_hour[h, rows[k]] += part * flow_sum[rows[k]]


@njit(cache=True, nogil=True)
def flow_slopes(
    first_market: int,
    last_market: int,
    market: MarketArrays,
    route_flow: np.ndarray,
    market_cost: np.ndarray,
    demand: np.ndarray,
    time_value: np.ndarray,
    place: np.ndarray,
    hour_of: np.ndarray,
    hours: int,
) -> tuple[np.ndarray, np.ndarray]:
    """By how much flows of chosen rows fall, in a range of markets, with the prices of these rows and with hours at some of them.

    A price costs a tonne v_w per unit that it takes of the row, an hour VOT_w on each route that uses the row. With e_r the units that
    route r takes of rows, b_r its use of hours (1 or 0), s_j = sum_r f_r e_r and n_j = sum_r f_r b_r in nest j, s_w and n_w over market w,
    G = sum_w VOT_w [ sum_j ( th_r sum_r f_r e_r b_r' + (th_c - th_r)/f_j s_j n_j' ) + (sigma/(p + C) - th_c)/D s_w n_w' ],
    and H likewise with e_r in place of b_r and v_w in that of VOT_w; see `curvature`.

    Args:
        time_value: VOT, USD/t-h, shape (markets,).
        place: Place of each row among the chosen ones, -1 if not chosen, shape (rows,).
        hour_of: Position among the hours of those at each chosen row, -1 where there are none, shape (chosen,).
        hours: Number of hours.

    Returns:
        H, shape (chosen, chosen), and G, shape (chosen, hours).
    """
    family_first_route = market.family_first_route
    route_first_entry = market.route_first_entry
    entry_row = market.entry_row
    entry_units = market.entry_units
    count = hour_of.shape[0]
    halves = np.zeros((count, count))  # of each pair on one side or the other
    by_hour = np.zeros((hours, count))
    family_sum = np.zeros(count)
    family_use = np.zeros(count)
    market_sum = np.zeros(count)
    market_use = np.zeros(count)
    family_rows = np.empty(count, dtype=np.int64)
    market_rows = np.empty(count, dtype=np.int64)
    family_seen = np.zeros(count, dtype=np.bool_)
    market_seen = np.zeros(count, dtype=np.bool_)
    longest = 1
    for r in range(
        family_first_route[market.market_first_family[first_market]], family_first_route[market.market_first_family[last_market]]
    ):
        longest = max(longest, route_first_entry[r + 1] - route_first_entry[r])
    local_row = np.empty(longest, dtype=np.int64)
    local_flow = np.empty(longest)
    for w in range(first_market, last_market):
        quantity = demand[w]
        if quantity < 1e-200:
            continue
        price, hour = market.price_weight[w], time_value[w]
        demand_slope = 0.0
        if market.elasticity[w] > 0.0:
            demand_slope = market.elasticity[w] / (market.market_price[w] + market_cost[w])
        in_market = 0
        for j in range(market.market_first_family[w], market.market_first_family[w + 1]):
            family_flow = 0.0
            theta = market.family_theta[j]
            in_family = 0
            for r in range(family_first_route[j], family_first_route[j + 1]):
                flow = route_flow[r]
                family_flow += flow
                if flow < 1e-200:
                    continue
                size = 0
                for k in range(route_first_entry[r], route_first_entry[r + 1]):
                    a = place[entry_row[k]]
                    if a < 0:
                        continue
                    if not family_seen[a]:
                        family_seen[a] = True
                        family_rows[in_family] = a
                        in_family += 1
                    units = entry_units[k]
                    local_row[size] = a
                    local_flow[size] = flow * units
                    family_sum[a] += flow * units
                    family_use[a] += flow
                    part = price * theta * units
                    for i in range(size):
                        halves[a, local_row[i]] += part * local_flow[i]
                    halves[a, a] += 0.5 * part * flow * units
                    size += 1
                part = hour * theta
                for k in range(size):
                    h = hour_of[local_row[k]]
                    if h >= 0:
                        for i in range(size):
                            by_hour[h, local_row[i]] += part * local_flow[i]
            if family_flow > 1e-200:
                factor = (market.market_theta[w] - theta) / family_flow
                _add_shared(family_rows[:in_family], family_sum, family_use, price * factor, hour * factor, hour_of, halves, by_hour)
            for i in range(in_family):
                a = family_rows[i]
                if not market_seen[a]:
                    market_seen[a] = True
                    market_rows[in_market] = a
                    in_market += 1
                market_sum[a] += family_sum[a]
                market_use[a] += family_use[a]
                family_seen[a] = False
                family_sum[a] = 0.0
                family_use[a] = 0.0
        factor = (demand_slope - market.market_theta[w]) / quantity
        _add_shared(market_rows[:in_market], market_sum, market_use, price * factor, hour * factor, hour_of, halves, by_hour)
        for i in range(in_market):
            a = market_rows[i]
            market_seen[a] = False
            market_sum[a] = 0.0
            market_use[a] = 0.0
    return halves + halves.T, by_hour.T


@njit(cache=True)
def bounded_sweeps(
    matrix: np.ndarray,
    linear: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    value: np.ndarray,
    sweeps: int,
    tolerance: float,
) -> int:
    """Minimise y'My/2 + b'y over lower <= y <= upper by coordinate sweeps (Gauss-Seidel), in place; slow but sure.

    Args:
        matrix: M, positive definite, shape (n, n).
        linear: b, shape (n,).
        lower: Lower bounds, shape (n,).
        upper: Upper bounds, shape (n,).
        value: Starting point, shape (n,); holds the answer on return.
        sweeps: Most sweeps to make.
        tolerance: Stop when no coordinate moves by more than this share of the largest.

    Returns:
        Number of sweeps made.
    """
    size = value.shape[0]
    for sweep in range(sweeps):
        moved = 0.0
        largest = 0.0
        for a in range(size):
            slope = linear[a]
            for b in range(size):
                slope += matrix[a, b] * value[b]
            new = min(upper[a], max(lower[a], value[a] - slope / matrix[a, a]))
            moved = max(moved, abs(new - value[a]))
            value[a] = new
            largest = max(largest, abs(new))
        if moved <= tolerance * largest:
            return sweep + 1
    return sweeps


@njit(cache=True)
def flow_without_own_price(
    market: MarketArrays,
    prices: np.ndarray,
    route_price_cost: np.ndarray,
    row_flow: np.ndarray,
) -> None:
    """Flow on each priced row if its own price were zero and all others unchanged.

    `route_price_cost` is the cost of each route with all prices, shape (routes,); `row_flow` is filled for rows with a price above zero
    and zero elsewhere, shape (rows,).
    """
    market_first_family = market.market_first_family
    family_first_route = market.family_first_route
    route_first_entry = market.route_first_entry
    entry_row = market.entry_row
    entry_units = market.entry_units
    path_size = market.path_size
    constant = market.constant
    family_theta = market.family_theta
    market_theta = market.market_theta
    market_flow = market.market_flow
    market_price = market.market_price
    base_cost = market.base_cost
    elasticity = market.elasticity
    price_weight = market.price_weight
    row_count = prices.shape[0]
    head = np.full(row_count, -1, dtype=np.int64)
    rows = np.empty(row_count, dtype=np.int64)
    most_routes = 1
    most_entries = 1
    for w in range(market_first_family.shape[0] - 1):
        first_route = family_first_route[market_first_family[w]]
        last_route = family_first_route[market_first_family[w + 1]]
        most_routes = max(most_routes, last_route - first_route)
        most_entries = max(most_entries, route_first_entry[last_route] - route_first_entry[first_route])
    link = np.empty(most_entries, dtype=np.int64)
    holder = np.empty(most_entries, dtype=np.int64)
    used = np.zeros(most_routes)
    share = np.empty(most_routes)
    row_flow[:] = 0.0
    for w in range(market_first_family.shape[0] - 1):
        first, last = market_first_family[w], market_first_family[w + 1]
        first_route, last_route = family_first_route[first], family_first_route[last]
        first_entry = route_first_entry[first_route]
        count = 0
        for r in range(first_route, last_route):
            for k in range(route_first_entry[r], route_first_entry[r + 1]):
                a = entry_row[k]
                if prices[a] > 0.0:
                    if head[a] < 0:
                        rows[count] = a
                        count += 1
                    link[k - first_entry] = head[a]
                    holder[k - first_entry] = r
                    head[a] = k
        theta = market_theta[w]
        for i in range(count):
            a = rows[i]
            k = head[a]
            while k >= 0:
                used[holder[k - first_entry] - first_route] += entry_units[k]
                k = link[k - first_entry]
            best = np.inf
            weighted = 0.0
            weight = 0.0
            for j in range(first, last):
                low = np.inf
                for r in range(family_first_route[j], family_first_route[j + 1]):
                    share[r - first_route] = route_price_cost[r] - price_weight[w] * used[r - first_route] * prices[a]
                    low = min(low, share[r - first_route])
                nest_weight = 0.0
                nest_units = 0.0
                for r in range(family_first_route[j], family_first_route[j + 1]):
                    part = path_size[r] * math.exp(-family_theta[j] * (share[r - first_route] - low))
                    nest_weight += part
                    nest_units += part * used[r - first_route]
                nest_cost = constant[j] + low - math.log(nest_weight) / family_theta[j]
                if nest_cost < best:
                    shrink = math.exp(-theta * (best - nest_cost))
                    weighted *= shrink
                    weight *= shrink
                    best = nest_cost
                part = math.exp(-theta * (nest_cost - best))
                weight += part
                weighted += part * nest_units / nest_weight
            quantity = market_flow[w]
            if elasticity[w] > 0.0:
                cost = best - math.log(weight) / theta
                ratio = (market_price[w] + cost) / (market_price[w] + base_cost[w])
                quantity *= ratio ** (-elasticity[w])
            row_flow[a] += quantity * weighted / weight
            k = head[a]
            while k >= 0:
                used[holder[k - first_entry] - first_route] = 0.0
                k = link[k - first_entry]
            head[a] = -1
