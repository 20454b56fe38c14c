"""Routes that each market chooses from: the cheapest of each family, and those that enter by price."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.routing import _kernels
from karvan.routing.cost import HOURS_PER_DAY
from karvan.routing.hierarchy import COST_UNIT_USD_PER_T, whole_cost
from karvan.routing.sets import RouteSets
from karvan.routing.space import RouteSpace, Search
from karvan.routing.uses import FacilityEntries, facility_entries

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Searches add up part of each leg's spread where the exact cost takes the root of a sum: they look this much further.
_SLACK_SHARE = 0.02


@dataclass(frozen=True)
class Standing:
    """What routes cost beside their own cost, and how nests stand.

    Attributes:
        row_price: Price of each row that routes use, USD per unit, or hours where scarcity is a queue, shape (rows,).
        row_delay_h: Hours that each row takes more than its times say, shape (rows,).
        price_weight: What a unit of row price costs a tonne, by market, shape (markets,).
        constants: Constant of a nest, USD/t by (family, commodity group).
    """

    row_price: FloatArray
    row_delay_h: FloatArray
    price_weight: FloatArray
    constants: Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Entered:
    """Route sets after all have entered that would take a share, and what is known of those left out.

    Attributes:
        sets: The routes.
        entries: Facilities that they use.
        gap: Largest share of its market that a route left out would take, by market and family, shape (markets, families).
        share: Share of each nest, shape (markets, families).
        composite: Composite cost of each nest with its constant, USD/t, infinite where it has no route, shape (markets, families).
    """

    sets: RouteSets
    entries: FacilityEntries
    gap: FloatArray
    share: FloatArray
    composite: FloatArray


@dataclass(frozen=True)
class _Found:
    """Routes as searches tell them: market, family and number of arcs of each, and the arcs."""

    market: IntArray
    family: IntArray
    length: IntArray
    arc: IntArray


def at_rest(space: RouteSpace, row_count: int, constants: Mapping[tuple[str, str], float]) -> Standing:
    """No row has a price or a delay."""
    return Standing(np.zeros(row_count), np.zeros(row_count), np.ones(space.market_count), constants)


def first_routes(space: RouteSpace, *, threads: int = 1) -> RouteSets:
    """The cheapest route of every market and family, where the family serves the market's regions and is a rival at all.

    Args:
        space: What routes are searched in.
        threads: Searches made at once; the routes do not depend on it.
    """
    limit = np.where(space.serves, 0, -1)
    costs = {name: whole_cost(goods.search_cost) for name, goods in space.goods.items()}
    found = _searched(space, costs, limit, most=1, threads=threads)
    sets, _ = _measured(space, found)
    cost = sets.cost_usd_per_t
    cheapest = np.full(space.market_count, np.inf)
    np.minimum.at(cheapest, sets.route_market, cost)
    return subset(space, sets, cost <= space.options.market_bound * cheapest[sets.route_market])


def entered(
    space: RouteSpace, sets: RouteSets, standing: Standing, *, known: Entered | None = None, threads: int = 1
) -> Entered:
    """Let every route enter that would take the share `enter_share` of its market at the standing prices, constants and delays.

    Candidates are the routes that are cheapest through some arc of the network (a link one way, a terminal) at these prices, for every
    nest in which such a route could still take that share. A facility with several arcs on a route is priced once; searches spread its
    price over them, what enters is judged by the exact cost.

    Args:
        space: What routes are searched in.
        sets: Routes that are in; their market and family pairs are the nests.
        standing: Prices, delays and constants.
        known: What was known at rest, with these very constants: nests in which nothing left out can take the share by now, since
            prices only add to its cost, are not searched again.
        threads: Searches made at once; the answer does not depend on it.
    """
    options = space.options
    entries = facility_entries(space, sets)
    nests = _nests(space, sets)
    before = _judged(space, sets, entries, nests, standing, is_in=np.ones(sets.route_count, dtype=np.bool_))
    limit = _limits(space, sets, entries, before, standing, known)
    found = _searched(space, _priced_costs(space, sets, standing), limit, most=options.per_search, threads=threads)
    both, is_old = _merged(space, sets, found)
    if both.route_count == sets.route_count:
        gap = _left_from(known, before, standing, limit) if known is not None else np.zeros_like(before.share)
        return replace(before, gap=np.maximum(gap, before.gap))
    entries = facility_entries(space, both)
    is_in = is_old.copy()
    after = _judged(space, both, entries, _nests(space, both), standing, is_in=is_in)
    gap = _left_from(known, after, standing, limit) if known is not None else np.zeros_like(after.share)
    kept = subset(space, both, is_in)
    return Entered(kept, facility_entries(space, kept), np.maximum(gap, after.gap), after.share, after.composite)


def subset(space: RouteSpace, sets: RouteSets, is_in: BoolArray) -> RouteSets:
    """Some routes of the sets, with path sizes among themselves."""
    if is_in.all():
        return sets
    routes = np.flatnonzero(is_in)
    length = np.diff(sets.route_first_arc)
    steps = np.flatnonzero(np.repeat(is_in, length))
    market = sets.route_market[routes]
    return _sets(
        space, market, sets.route_family[routes], np.append(0, np.cumsum(length[routes])).astype(np.int64), sets.route_arc[steps],
        components=sets.components[routes],
    )  # fmt: skip


def _searched(
    space: RouteSpace, costs: Mapping[str, IntArray], limit: IntArray, *, most: int, threads: int
) -> _Found:
    """Routes of every nest with a limit (millionths of USD/t, below zero: none is wanted), in the order of markets and families."""
    options = (most, space.options.overlap_bound, space.options.length_bound)

    def work(search: Search) -> tuple[Search, IntArray, IntArray, IntArray] | None:
        wanted = np.ascontiguousarray(limit[search.market, search.family])
        if not (wanted >= 0).any():
            return None
        goods = space.goods[search.commodity]
        family = (search.allowed, search.bits, search.bit_count, search.family)
        uses = (goods.use_first, goods.uses.facility)
        market, first, arc = _kernels.routes_through(
            space.network, space.hierarchy, costs[search.commodity], uses, family, search.rules, options, search.ends, wanted
        )
        return search, market, first, arc

    if threads > 1:
        with ThreadPoolExecutor(threads, thread_name_prefix="routes") as pool:
            parts = [part for part in pool.map(work, space.searches) if part is not None]
    else:
        parts = [part for part in map(work, space.searches) if part is not None]
    nothing = np.zeros(0, dtype=np.int64)
    market = np.concatenate([nothing, *(search.market[of] for search, of, _, _ in parts)])
    family = np.concatenate([nothing, *(np.full(of.shape[0], search.family) for search, of, _, _ in parts)])
    length = np.concatenate([nothing, *(np.diff(first) for _, _, first, _ in parts)])
    arc = np.concatenate([nothing, *(arcs for _, _, _, arcs in parts)])
    return _Found(market, family, length, arc)


def _measured(space: RouteSpace, found: _Found) -> tuple[RouteSets, IntArray]:
    """Route sets of found routes, and where each stood in the order they were found."""
    order = np.lexsort((np.arange(found.market.shape[0]), found.family, found.market))
    market, family, length, first, arc = _ordered(found, order)
    components = _components(space, space.commodity[market], first, arc)
    by_cost = np.lexsort((order, components.sum(axis=1), family, market))
    market, family, length, first, arc = _ordered(_Found(market, family, length, arc), by_cost)
    return _sets(space, market, family, first, arc, components=components[by_cost]), order[by_cost]


def _ordered(found: _Found, order: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Market, family, length, first arc and arcs of routes in another order."""
    length = found.length[order]
    start = (np.cumsum(found.length) - found.length)[order]
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    arc = found.arc[np.repeat(start - first[:-1], length) + np.arange(first[-1])]
    return found.market[order], found.family[order], length, first, arc


def _merged(space: RouteSpace, sets: RouteSets, found: _Found) -> tuple[RouteSets, BoolArray]:
    """The routes of the sets and those found that are not among them; and which are of the sets."""
    known: dict[tuple[int, int], set[bytes]] = {}
    first, arcs = sets.route_first_arc, sets.route_arc
    wanted = set(zip(found.market.tolist(), found.family.tolist(), strict=True))
    for route, nest in enumerate(zip(sets.route_market.tolist(), sets.route_family.tolist(), strict=True)):
        if nest in wanted:
            known.setdefault(nest, set()).add(arcs[first[route] : first[route + 1]].tobytes())
    starts = np.append(0, np.cumsum(found.length))
    is_new = np.array(
        [
            nest in known and found.arc[starts[route] : starts[route + 1]].tobytes() not in known[nest]
            for route, nest in enumerate(zip(found.market.tolist(), found.family.tolist(), strict=True))
        ],
        dtype=np.bool_,
    )
    if not is_new.any():
        return sets, np.ones(sets.route_count, dtype=np.bool_)
    new = np.flatnonzero(is_new)
    whole = _Found(
        market=np.concatenate([sets.route_market, found.market[new]]),
        family=np.concatenate([sets.route_family, found.family[new]]),
        length=np.concatenate([np.diff(first), found.length[new]]),
        arc=np.concatenate([arcs, found.arc[np.repeat(is_new, found.length)]]),
    )
    both, origin = _measured(space, whole)
    return both, origin < sets.route_count


@dataclass(frozen=True)
class _Nests:
    """Nests of route sets: their market and family, nests of each market, routes of each nest."""

    market: IntArray
    family: IntArray
    market_first_nest: IntArray
    first_route: IntArray


def _nests(space: RouteSpace, sets: RouteSets) -> _Nests:
    key = sets.route_market * space.family_count + sets.route_family
    nest, first = np.unique(key, return_index=True)
    market = nest // space.family_count
    return _Nests(
        market=market,
        family=nest % space.family_count,
        market_first_nest=np.searchsorted(market, np.arange(space.market_count + 1)).astype(np.int64),
        first_route=np.append(first, sets.route_count).astype(np.int64),
    )


def price_costs(space: RouteSpace, sets: RouteSets, entries: FacilityEntries, standing: Standing) -> FloatArray:
    """What delays and prices add to each route, USD/t, shape (routes,)."""
    counts = np.diff(entries.route_first_entry)
    route = np.repeat(np.arange(sets.route_count), counts)
    per_unit = np.bincount(route, weights=entries.entry_units_per_t * standing.row_price[entries.entry_row], minlength=sets.route_count)
    hours = np.bincount(route, weights=standing.row_delay_h[entries.entry_row], minlength=sets.route_count)
    market = sets.route_market
    added = standing.price_weight[market] * per_unit + _value_per_h(space)[market] * hours
    return np.asarray(added, dtype=np.float64)


def _value_per_h(space: RouteSpace) -> FloatArray:
    """Value of an hour, USD/t-h, by market."""
    return np.array([space.goods[name].costs.vot_usd_per_t_d for name in sorted(space.goods)])[space.commodity] / HOURS_PER_DAY


def _judged(
    space: RouteSpace, sets: RouteSets, entries: FacilityEntries, nests: _Nests, standing: Standing, *, is_in: BoolArray
) -> Entered:
    """Who is in, changed in place to who enters; with the routes as they were given."""
    names = sorted(space.goods)
    of_nest = space.commodity[nests.market]
    families = space.families.family_ids
    constant = np.array(
        [standing.constants.get((families[family], names[code]), 0.0) for family, code in zip(nests.family, of_nest, strict=True)],
        dtype=np.float64,
    )
    cost = sets.cost_usd_per_t + price_costs(space, sets, entries, standing)
    route_theta = space.by_market("route_theta")
    options = space.options
    gap, share, composite = _kernels.enter(
        nests.market_first_nest, nests.first_route, (sets.route_first_arc, sets.route_arc), _signatures(entries),
        _leg_costs(space, sets), cost, is_in, (route_theta[nests.market], space.by_market("family_theta")),
        (constant, space.by_market("stay_usd_per_t")), (options.enter_share, options.overlap_bound, options.per_family),
        space.graph.arc_count,
    )  # fmt: skip
    shape = (space.market_count, space.family_count)

    def spread(values: FloatArray, empty: float) -> FloatArray:
        table = np.full(shape, empty)
        table[nests.market, nests.family] = values
        return table

    return Entered(sets, entries, spread(gap, 0.0), spread(share, 0.0), spread(composite, np.inf))


def _signatures(entries: FacilityEntries) -> npt.NDArray[np.uint64]:
    """A hash of the rows that each route uses, shape (routes,)."""
    mixed = np.random.SeedSequence(0).generate_state(int(entries.entry_row.max(initial=-1)) + 1, np.uint64)
    ends = np.append(np.uint64(0), np.bitwise_xor.accumulate(mixed[entries.entry_row])) if entries.entry_row.shape[0] else np.zeros(1, np.uint64)
    return np.asarray(ends[entries.route_first_entry[1:]] ^ ends[entries.route_first_entry[:-1]])


def _limits(
    space: RouteSpace, sets: RouteSets, entries: FacilityEntries, now: Entered, standing: Standing, known: Entered | None
) -> IntArray:
    """Dearest route worth a search in each nest, millionths of USD/t by the additive cost, -1 where none is, shape (markets, families)."""
    bound = space.options.enter_share
    theta = space.by_market("route_theta")[:, None]
    with np.errstate(divide="ignore"):
        reach = np.log(now.share / bound) / theta  # above the composite
    is_open = (reach > 0.0) & np.isfinite(now.composite)
    if known is not None:
        is_open &= _could_take(space, now, standing, known, entries) >= bound
    cost = sets.cost_usd_per_t + price_costs(space, sets, entries, standing)
    additive = _additive(space, sets, standing)
    least, offset, constant = (np.full(now.share.shape, np.inf) for _ in range(3))
    at = (sets.route_market, sets.route_family)
    np.minimum.at(least, at, cost)
    np.minimum.at(offset, at, additive)
    del constant
    families, names = space.families.family_ids, sorted(space.goods)
    shift = np.array([[standing.constants.get((family, name), 0.0) for family in families] for name in names])[space.commodity]
    with np.errstate(invalid="ignore"):
        dearest = (now.composite - shift) + reach - least + offset
    dearest = np.where(is_open, dearest + _SLACK_SHARE * np.where(is_open, offset, 0.0), -1.0)
    return np.where(is_open, np.maximum(np.rint(np.where(is_open, dearest, 0.0) / COST_UNIT_USD_PER_T), 0.0), -1.0).astype(np.int64)


def _could_take(space: RouteSpace, now: Entered, standing: Standing, known: Entered, entries: FacilityEntries) -> FloatArray:
    """Most of its market that a route left out could take by now, shape (markets, families): its weight at rest, grown with the nest's
    composite and with what negative prices and delays could give it.
    """
    theta = space.by_market("route_theta")[:, None]
    lost = np.minimum(standing.row_price, 0.0)
    most_units = np.zeros(standing.row_price.shape[0])
    np.maximum.at(most_units, entries.entry_row, np.abs(entries.entry_units_per_t))
    given = -float(lost @ most_units) * standing.price_weight - float(np.minimum(standing.row_delay_h, 0.0).sum()) * _value_per_h(space)
    with np.errstate(invalid="ignore", over="ignore"):
        risen = np.where(np.isfinite(now.composite), now.composite - known.composite, 0.0)
        at_rest_share = np.maximum(known.gap, 1e-3 * space.options.enter_share)
        return np.asarray(at_rest_share / np.maximum(known.share, 1e-12) * now.share * np.exp(theta * (risen + given[:, None])))


def _left_from(known: Entered, now: Entered, standing: Standing, limit: IntArray) -> FloatArray:
    """Bound on what is left out of nests that were not searched, shape (markets, families)."""
    return np.where((limit < 0) & (now.share > 0.0), known.gap / np.maximum(known.share, 1e-12) * now.share, 0.0)


def _priced_costs(space: RouteSpace, sets: RouteSets, standing: Standing) -> dict[str, IntArray]:
    """Whole-number cost of each arc by goods, with prices and delays of the rows it uses."""
    return {name: whole_cost(cost) for name, cost in _arc_costs_now(space, sets, standing).items()}


def _arc_costs_now(space: RouteSpace, sets: RouteSets, standing: Standing) -> dict[str, FloatArray]:
    if not standing.row_price.any() and not standing.row_delay_h.any():
        return {name: goods.search_cost for name, goods in space.goods.items()}
    times = _times_on_a_route(space, sets, standing.row_price.shape[0])
    weight = {name: 1.0 for name in space.goods}
    for code, name in enumerate(sorted(space.goods)):
        of_goods = np.flatnonzero(space.commodity == code)
        if of_goods.shape[0]:
            weight[name] = float(standing.price_weight[of_goods[0]])
    found = {}
    for name, goods in space.goods.items():
        row = goods.uses.facility
        price = weight[name] * goods.uses.units_per_t * standing.row_price[row] / times[row]
        delay = goods.costs.vot_usd_per_t_d / HOURS_PER_DAY * standing.row_delay_h[row] / times[row]
        found[name] = goods.search_cost + np.bincount(goods.uses.arc, weights=price + delay, minlength=space.graph.arc_count)
    return found


def _times_on_a_route(space: RouteSpace, sets: RouteSets, row_count: int) -> FloatArray:
    """Most arcs of one route that use a row, at least one, shape (rows,)."""
    times = np.ones(row_count)
    route_of_step = sets.route_of_step
    for name, steps in sets.steps_by_commodity():
        goods = space.goods[name]
        arcs = sets.route_arc[steps]
        counts = goods.use_first[arcs + 1] - goods.use_first[arcs]
        at = np.repeat(goods.use_first[arcs], counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        key = np.repeat(route_of_step[steps], counts) * row_count + goods.uses.facility[at]
        pair, number = np.unique(key, return_counts=True)
        np.maximum.at(times, pair % row_count, number.astype(np.float64))
    return times


def _additive(space: RouteSpace, sets: RouteSets, standing: Standing) -> FloatArray:
    """Cost of each route as searches add it up, USD/t, shape (routes,)."""
    by_arc = _arc_costs_now(space, sets, standing)
    cost = np.zeros(sets.route_arc.shape[0])
    for name, steps in sets.steps_by_commodity():
        cost[steps] = by_arc[name][sets.route_arc[steps]]
    return _sums(cost, sets.route_first_arc)


def _leg_costs(space: RouteSpace, sets: RouteSets) -> FloatArray:
    """Cost of each step as path sizes weigh it: without prices, USD/t, shape (steps,)."""
    cost = np.zeros(sets.route_arc.shape[0])
    for name, steps in sets.steps_by_commodity():
        cost[steps] = space.goods[name].search_cost[sets.route_arc[steps]]
    return cost


def _sets(
    space: RouteSpace, market: IntArray, family: IntArray, first: IntArray, arc: IntArray, *, components: FloatArray
) -> RouteSets:
    """Route sets of routes in the order of markets, families and cost."""
    graph, markets = space.graph, space.markets
    market_ids = tuple(markets.select("market_id", "origin_node", "destination_node").iter_rows())
    count = np.bincount(market, minlength=space.market_count)
    sets = RouteSets(
        family_ids=space.families.family_ids,
        market_ids=market_ids,
        market_commodity=tuple(markets["commodity_group"]),
        market_form=tuple(markets["form"]),
        market_origin_region=tuple(markets["origin_region"]),
        market_destination_region=tuple(markets["destination_region"]),
        market_row=np.array(markets["demand_row"].to_numpy(), dtype=np.int64),
        market_share=np.array(markets["share"].to_numpy(), dtype=np.float64),
        market_first_route=np.append(0, np.cumsum(count)).astype(np.int64),
        route_family=family,
        route_first_arc=first,
        route_arc=arc,
        components=components,
        hours=np.stack([_sums(graph.arc_hours[:, heading][arc], first) for heading in range(5)], axis=1),
        sd_h=np.sqrt(_sums(graph.arc_sd_h[arc] ** 2, first)),
        length_km=_sums(graph.arc_length_km[arc], first),
        co2e_wtw_kg_per_t=_sums(graph.arc_co2e_wtw_kg_per_t[arc], first),
        co2e_ttw_kg_per_t=_sums(graph.arc_co2e_ttw_kg_per_t[arc], first),
        path_size=np.ones(market.shape[0]),
        unreachable=tuple(market_ids[index] for index in np.flatnonzero(count == 0)),
        co2_price_usd_per_t=space.co2_price_usd_per_t,
    )
    nest = market * space.family_count + family
    return replace(sets, path_size=_path_sizes(nest, first, arc, _leg_costs(space, sets), graph.arc_count))


def _sums(values: FloatArray, first: IntArray) -> FloatArray:
    """Sum over the arcs of each route; every route has arcs."""
    return np.add.reduceat(values, first[:-1]) if first.shape[0] > 1 else np.zeros(0)


def _components(space: RouteSpace, commodity: IntArray, first: IntArray, arc: IntArray) -> FloatArray:
    """Cost components of each route, USD/t, shape (routes, 6)."""
    components = np.zeros((commodity.shape[0], 6))
    commodity_of_step = np.repeat(commodity, np.diff(first))
    deviation = np.sqrt(_sums(space.graph.arc_sd_h[arc] ** 2, first))
    for index, name in enumerate(sorted(space.goods)):
        costs = space.goods[name].costs
        steps, routes = np.flatnonzero(commodity_of_step == index), np.flatnonzero(commodity == index)
        if steps.shape[0] == 0:
            continue
        route_first = np.append(0, np.cumsum(np.diff(first)[routes]))
        for column, part in ((0, costs.tariff), (1, costs.handling), (2, costs.time), (3, costs.waiting), (5, costs.co2)):
            components[routes, column] = _sums(part[arc[steps]], route_first)
        components[routes, 4] = costs.reliability_ratio * costs.vot_usd_per_t_d / HOURS_PER_DAY * deviation[routes]
    return components


def _path_sizes(nest: IntArray, first: IntArray, arc: IntArray, leg_cost: FloatArray, arc_count: int) -> FloatArray:
    """Path size of each route within its market and family (METHODS: sum of cost shares over numbers of users), shape (routes,).

    A route whose legs all cost nothing has size 1.
    """
    length = np.diff(first)
    total = np.repeat(_sums(leg_cost, first), length)
    share = np.where(total > 0.0, leg_cost / np.where(total > 0.0, total, 1.0), 1.0 / np.repeat(length, length))
    _, inverse, users = np.unique(np.repeat(nest, length) * arc_count + arc, return_inverse=True, return_counts=True)
    return _sums(share / users[inverse], first)
