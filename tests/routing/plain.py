"""Plain, slow twins of what is done with routes: their cost and rows, how they overlap, who enters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from karvan.routing import Entered, RouteSets, RouteSpace, Standing, classify
from karvan.routing.graph import LINK
from tests.routing.twin import at_least, relaxed

HOURS_PER_DAY = 24.0
NEAR = 1e-4
"""USD/t: searches count in whole millionths."""


@dataclass(frozen=True)
class Route:
    """A route of a market: its arcs, what it costs without and with prices and delays, and units of each row that it uses."""

    arcs: tuple[int, ...]
    cost: float
    priced: float
    rows: dict[int, float]


def units_of(space: RouteSpace, market: int, arcs: Sequence[int]) -> dict[int, float]:
    """Units per tonne of each row: the most of one arc, or the sum where days or balances are counted."""
    uses = space.goods[space.names[space.commodity[market]]].uses
    origin, destination = space.market_regions[market].tolist()
    found: dict[int, list[float]] = {}
    for arc in arcs:
        for use in np.flatnonzero(uses.arc == arc).tolist():
            if uses.origin[use] in (-1, origin) and uses.destination[use] in (-1, destination):
                found.setdefault(int(uses.row[use]), []).append(float(uses.units_per_t[use]))
    return {row: sum(units) if space.rows.is_summed[row] else max(units) for row, units in found.items()}


def measured(space: RouteSpace, market: int, arcs: Sequence[int], standing: Standing) -> Route:
    """A route with its cost, by plain sums."""
    name = space.names[space.commodity[market]]
    costs = space.goods[name].costs
    cost = sum(float(costs.tariff[arc] + costs.handling[arc] + costs.time[arc] + costs.waiting[arc] + costs.co2[arc]) for arc in arcs)
    cost += costs.reliability_usd_per_t_h * math.sqrt(sum(float(space.graph.arc_sd_h[arc]) ** 2 for arc in arcs))
    rows = units_of(space, market, arcs)
    price = sum(units * float(standing.row_price[row]) for row, units in rows.items()) * float(standing.price_weight[market])
    delay = sum(float(standing.row_delay_h[row]) for row in rows) * costs.vot_usd_per_t_d / HOURS_PER_DAY
    return Route(tuple(arcs), cost, cost + price + delay, rows)


def path_size(space: RouteSpace, market: int, route: Route, others: Sequence[Route]) -> float:
    """Path size of a route among itself and others of its nest."""
    leg = space.leg_cost[space.commodity[market]]
    length = sum(leg[arc] for arc in route.arcs)
    if length == 0.0:
        return 1.0
    return float(sum(leg[arc] / (1 + sum(arc in other.arcs for other in others)) for arc in route.arcs) / length)


def is_variant(space: RouteSpace, market: int, route: Route, others: Sequence[Route]) -> bool:
    """Whether a route shares too much of its cost with one that uses the same rows."""
    leg = space.leg_cost[space.commodity[market]]
    length = sum(leg[arc] for arc in route.arcs)
    return any(
        other.rows.keys() == route.rows.keys()
        and sum(leg[arc] for arc in route.arcs if arc in other.arcs) > space.options.overlap_bound * length
        for other in others
    )


def nests_of(space: RouteSpace, sets: RouteSets, standing: Standing) -> dict[tuple[int, int], list[Route]]:
    """Routes by market and family."""
    found: dict[tuple[int, int], list[Route]] = {}
    for route in range(sets.route_count):
        market = int(sets.route_market[route])
        nest = found.setdefault((market, int(sets.route_family[route])), [])
        nest.append(measured(space, market, sets.arcs_of(route).tolist(), standing))
    return found


def composite(space: RouteSpace, nest: tuple[int, int], routes: Sequence[Route], constant: float) -> float:
    """Composite cost of a nest with its constant: c - 1/th ln sum PS exp(-th g)."""
    theta = space.by_market("route_theta")[nest[0]]
    weights = [
        path_size(space, nest[0], route, [other for other in routes if other is not route]) * math.exp(-theta * route.priced)
        for route in routes
    ]
    return constant - math.log(sum(weights)) / float(theta)


def share_if_in(
    space: RouteSpace, nest: tuple[int, int], route: Route, nests: dict[tuple[int, int], list[Route]], standing: Standing
) -> float:
    """Share of its market that a route left out would take: p' w/(1 + w), w = PS exp(-th (g - C))."""
    market, family = nest
    th_r, th_c = float(space.by_market("route_theta")[market]), float(space.by_market("family_theta")[market])
    name = space.names[space.commodity[market]]

    def constant(of: int) -> float:
        return standing.constants.get((space.families.family_ids[of], name), 0.0)

    composites = {of: composite(space, (at, of), routes, constant(of)) for (at, of), routes in nests.items() if at == market}
    weight = path_size(space, market, route, nests[nest]) * math.exp(-th_r * (route.priced + constant(family) - composites[family]))
    composites[family] -= math.log1p(weight) / th_r
    stay = math.exp(-th_c * float(space.by_market("stay_usd_per_t")[market]))
    total = stay + sum(math.exp(-th_c * cost) for cost in composites.values())
    return math.exp(-th_c * composites[family]) / total * weight / (1.0 + weight)


def every_route(space: RouteSpace, nests: Collection[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], tuple[int, ...], bool]]:
    """Every path of the nests' searches that meets their requirements, passes no state twice and comes back to no place it left.

    With each goes whether it belongs to the nest's family, or to an earlier one.
    """
    graph = space.graph
    for search in space.searches:
        name = space.families.family_ids[search.family]
        for origin, (first, last) in zip(search.ends[0].tolist(), itertools.pairwise(search.ends[1].tolist()), strict=True):
            for member in range(first, last):
                nest = (int(search.market[member]), search.family)
                if nest in nests:
                    for arcs in _paths(space, search.allowed, origin, int(search.ends[2][member])):
                        if np.bitwise_or.reduce(search.bits[list(arcs)]) == (1 << search.bit_count) - 1:
                            links = [int(graph.arc_element[arc]) for arc in arcs if graph.arc_kind[arc] == LINK]
                            yield nest, arcs, classify(space.families, links, search.commodity) == name


def _paths(space: RouteSpace, allowed: np.ndarray, origin: int, destination: int) -> Iterator[tuple[int, ...]]:
    graph = space.graph
    head, place = graph.arc_head.tolist(), graph.node_place.tolist()
    out = [graph.out_arc[first:last].tolist() for first, last in itertools.pairwise(graph.out_first.tolist())]

    def walk(node: int, seen: frozenset[int], left: frozenset[int], arcs: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if node == destination:
            yield arcs
            return
        for arc in out[node]:
            there = head[arc]
            is_move = place[there] != place[node]
            if allowed[arc] and there not in seen and not (is_move and place[there] in left):
                yield from walk(there, seen | {there}, left | {place[node]} if is_move else left, (*arcs, arc))

    yield from walk(origin, frozenset([origin]), frozenset([-1]) if place[destination] >= 0 else frozenset(), ())


def cheapest_through_links(
    space: RouteSpace, nests: Collection[tuple[int, int]], by_arc: np.ndarray
) -> dict[tuple[int, int], set[tuple[int, ...]]]:
    """Routes of each nest that no walk of its search through one of their links beats, by a cost of arcs, shape (goods, arcs).

    Left aside are those that share too much with a cheaper one that uses the same rows.
    """
    least = {nest: _least_through(space, nest, by_arc[space.commodity[nest[0]]]) for nest in nests}
    found: dict[tuple[int, int], list[tuple[float, tuple[int, ...]]]] = {nest: [] for nest in nests}
    for nest, arcs, belongs in every_route(space, nests):
        cost = float(by_arc[space.commodity[nest[0]], list(arcs)].sum())
        if belongs and any(space.graph.arc_kind[arc] == LINK and cost <= least[nest][arc] + NEAR for arc in arcs):
            found[nest].append((cost, arcs))
    return {nest: _unlike(space, nest[0], sorted(routes), by_arc) for nest, routes in found.items()}


def _unlike(space: RouteSpace, market: int, routes: Sequence[tuple[float, tuple[int, ...]]], by_arc: np.ndarray) -> set[tuple[int, ...]]:
    """Those of some routes, given by rising cost, that are no variants of a cheaper one."""
    leg, kept = by_arc[space.commodity[market]], list[tuple[int, ...]]()
    for cost, arcs in routes:
        rows = units_of(space, market, arcs).keys()
        if not any(
            rows == units_of(space, market, other).keys()
            and sum(leg[arc] for arc in arcs if arc in other) > space.options.overlap_bound * cost
            for other in kept
        ):
            kept.append(arcs)
    return set(kept)


def _least_through(space: RouteSpace, nest: tuple[int, int], cost: np.ndarray) -> np.ndarray:
    """Cost of the cheapest walk through each arc that meets the requirements of the nest's search, shape (arcs,)."""
    graph, market = space.graph, nest[0]
    search = next(search for search in space.searches if search.family == nest[1] and market in search.market)
    member = search.market.tolist().index(market)
    origin = int(search.ends[0][np.searchsorted(search.ends[1], member, side="right") - 1])
    pairs = list(zip(graph.arc_tail.tolist(), graph.arc_head.tolist(), strict=True))
    given = {"mask": search.allowed, "bits": search.bits, "bit_count": search.bit_count, "node_count": graph.node_count}
    ahead = at_least(relaxed(pairs, cost, origin=origin, **given))
    behind = at_least(relaxed([(head, tail) for tail, head in pairs], cost, origin=int(search.ends[2][member]), **given))
    whole, least = (1 << search.bit_count) - 1, np.full(graph.arc_count, np.inf)
    for arc in np.flatnonzero(search.allowed):
        tail, head = pairs[arc]
        rest = whole & ~int(search.bits[arc])
        least[arc] = cost[arc] + min(ahead[tail, flags] + behind[head, rest & ~flags] for flags in range(whole + 1))
    return least


def search_costs(space: RouteSpace, standing: Standing, times: np.ndarray) -> np.ndarray:
    """Cost of arcs as searches see it: prices of rows in full where units add up, else spread over the most arcs of a route."""
    cost = space.leg_cost.copy()
    for market in range(space.market_count):
        goods = int(space.commodity[market])
        uses = space.goods[space.names[goods]].uses
        cost[goods] = space.leg_cost[goods]
        for arc, row, units in zip(uses.arc.tolist(), uses.row.tolist(), uses.units_per_t.tolist(), strict=True):
            per_arc = 1.0 if space.rows.is_summed[row] else 1.0 / times[row]
            price = standing.row_price[row] * units * standing.price_weight[market] * per_arc
            vot = space.goods[space.names[goods]].costs.vot_usd_per_t_d
            cost[goods, arc] += price + standing.row_delay_h[row] * vot / HOURS_PER_DAY / times[row]
    return cost


def left_out(
    space: RouteSpace, found: Entered, standing: Standing, *, among: dict[tuple[int, int], set[tuple[int, ...]]] | None = None
) -> dict[tuple[int, int], float]:
    """Largest share that a route of each nest would take which is not in and no variant of one that is: of all there are, or of some."""
    nests = nests_of(space, found.sets, standing)
    inside = {nest: {route.arcs for route in routes} for nest, routes in nests.items()}
    most = dict.fromkeys(nests, 0.0)
    for nest, arcs, belongs in every_route(space, nests):
        if belongs and arcs not in inside[nest] and (among is None or arcs in among[nest]):
            route = measured(space, nest[0], arcs, standing)
            if not is_variant(space, nest[0], route, nests[nest]):
                most[nest] = max(most[nest], share_if_in(space, nest, route, nests, standing))
    return most
