"""Routes that each market chooses from: the cheapest of each family, and those that enter by price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.routing import _choice_kernels, _kernels
from karvan.routing.cost import HOURS_PER_DAY
from karvan.routing.hierarchy import COST_UNIT_USD_PER_T, whole_cost
from karvan.routing.sets import RouteSets, nest_starts, taken_in_order
from karvan.routing.space import RouteSpace, Search
from karvan.routing.uses import FacilityEntries, entries_of, entries_together, facility_entries

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Searches add up part of each leg's spread where the exact cost takes the root of a sum: they look this much further.
_SLACK_SHARE = 0.02
# A nest is searched again once a route that no search has told could take this many times the share from which routes enter.
_DRIFT = 1.2


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
class Pool:
    """Routes that searches have told so far.

    Attributes:
        sets: The routes.
        entries: What they use.
        is_in: Those that are in; the others would take less than the share, or are variants of routes that are in, shape (routes,).
    """

    sets: RouteSets
    entries: FacilityEntries
    is_in: BoolArray


@dataclass(frozen=True)
class Entered:
    """Route sets after all have entered that would take a share, and what is known of those left out.

    Attributes:
        sets: The routes.
        entries: What they use.
        pool: The routes, and those that searches told and that were left out.
        gap: Largest share of its market that a route left out would take, by market and family, shape (markets, families).
        share: Share of each nest, shape (markets, families).
        composite: Composite cost of each nest with its constant, USD/t, infinite where it has no route, shape (markets, families).
        newest: Largest share that one of those that entered would take, zero if none did.
        standing: Prices, delays and constants at which this holds.
    """

    sets: RouteSets
    entries: FacilityEntries
    pool: Pool
    gap: FloatArray
    share: FloatArray
    composite: FloatArray
    newest: float
    standing: Standing


@dataclass(frozen=True)
class _Found:
    """Routes as searches tell them: market, family and number of arcs of each, and the arcs."""

    market: IntArray
    family: IntArray
    length: IntArray
    arc: IntArray


def at_rest(space: RouteSpace, constants: Mapping[tuple[str, str], float]) -> Standing:
    """No row has a price or a delay."""
    return Standing(np.zeros(space.rows.count), np.zeros(space.rows.count), np.ones(space.market_count), constants)


def first_routes(space: RouteSpace, *, threads: int = 1) -> RouteSets:
    """The cheapest route of every market and family, where the family serves the market's regions and is a rival at all.

    Args:
        space: What routes are searched in.
        threads: Searches made at once; the routes do not depend on it.
    """
    limit = np.where(space.serves, 0, -1)
    sets, _ = _measured(space, _searched(space, whole_cost(space.leg_cost), limit, most=1, threads=threads))
    cost = sets.cost_usd_per_t
    cheapest = np.full(space.market_count, np.inf)
    np.minimum.at(cheapest, sets.route_market, cost)
    return subset(space, sets, cost <= space.options.market_bound * cheapest[sets.route_market])


def entered(
    space: RouteSpace,
    sets: RouteSets,
    standing: Standing,
    *,
    entries: FacilityEntries | None = None,
    pool: Pool | None = None,
    known: Sequence[Entered] = (),
    threads: int = 1,
) -> Entered:
    """Let every route enter that would take the share `enter_share` of its market at the standing prices, constants and delays.

    Candidates are those of the pool and, in every nest where a route could still take that share, the routes that are the cheapest through
    some link one way, or through some terminal that uses a facility, at these prices; those left aside that come back to a place on the
    way, belong to an earlier family, or are variants of a cheaper candidate. A detour made of two that are each the cheapest through some
    link need not be one. A facility that stands on several arcs of a route is priced once; searches spread its price over them, what
    enters is judged by the exact cost.

    Args:
        space: What routes are searched in.
        sets: Routes that are in; their market and family pairs are the nests.
        standing: Prices, delays and constants.
        entries: What the routes use, if that is known.
        pool: Routes told earlier, of which those that are in are the sets; searches need not tell them again.
        known: What was known at other prices and delays, with these very constants and among these routes or fewer: a nest is not
            searched again while what no search told then could by now take less than a fifth more than the share.
        threads: Searches made at once; the answer does not depend on it.
    """
    options = space.options
    entries = facility_entries(space, sets) if entries is None else entries
    pool = Pool(sets, entries, np.ones(sets.route_count, dtype=np.bool_)) if pool is None else pool
    is_in = pool.is_in.copy()
    before = after = _judged(space, pool, standing, is_in)
    by_arc = _arc_costs(space, pool.entries, standing)
    added = price_costs(space, pool.sets, pool.entries, standing)
    limit = _limits(space, pool, before, standing, known, by_arc, added)
    found = _searched(space, whole_cost(by_arc), limit, most=options.per_search, threads=threads, pool=pool)
    both = _merged(space, replace(pool, is_in=is_in), found)
    if both.sets is not pool.sets:
        is_in = both.is_in.copy()
        after = _judged(space, both, standing, is_in)
        added = price_costs(space, both.sets, both.entries, standing)
    could = np.where((limit < 0) & (after.share > 0.0), _could_take(space, both, after, standing, known, added), 0.0)
    now = replace(
        after,
        pool=replace(both, is_in=is_in),
        gap=np.maximum(after.gap, could) if known else after.gap,
        newest=max(before.newest, after.newest),
    )
    if int(is_in.sum()) == sets.route_count:
        return replace(now, sets=sets, entries=entries)
    return replace(now, sets=subset(space, both.sets, is_in), entries=entries_of(both.entries, is_in))


def with_ways_round(
    space: RouteSpace, sets: RouteSets, wanted: BoolArray, blocked: BoolArray, *, threads: int = 1
) -> tuple[RouteSets, BoolArray]:
    """The routes, and with them the cheapest of some nests that passes no blocked arc, where it is a rival at all.

    Prices cannot call for it once all routes of a nest are priced out, because nobody is left to choose.

    Args:
        space: What routes are searched in.
        sets: Routes that are in.
        wanted: Nests to search, shape (markets, families).
        blocked: Arcs not to be passed, shape (goods, arcs).
        threads: Searches made at once; the routes do not depend on it.

    Returns:
        The routes, and which of them were in before, shape (routes,).
    """
    searches = [item for item in space.searches if wanted[item.market, item.family].any()]
    apart = tuple(replace(item, allowed=item.allowed & ~blocked[space.names.index(item.commodity)]) for item in searches)
    found = _searched(
        replace(space, searches_of=lambda: apart), whole_cost(space.leg_cost), np.where(wanted, 0, -1), most=1, threads=threads
    )
    entries = facility_entries(space, sets)
    merged = _merged(space, Pool(sets, entries, np.ones(sets.route_count, dtype=np.bool_)), found)
    both, is_old = merged.sets, merged.is_in
    cost, cheapest = both.cost_usd_per_t, np.full(space.market_count, np.inf)
    np.minimum.at(cheapest, both.route_market, cost)
    is_in = is_old | (cost <= space.options.market_bound * cheapest[both.route_market])
    return subset(space, both, is_in), is_old[is_in]


def recalled(space: RouteSpace, market: IntArray, family: IntArray, length: IntArray, arc: IntArray) -> tuple[RouteSets, FacilityEntries]:
    """Route sets written down by market, family, number of arcs and arcs of each route, in their order, and what they use."""
    market, family, arc = (np.asarray(values, dtype=np.int64) for values in (market, family, arc))
    first = np.append(0, np.cumsum(length, dtype=np.int64)).astype(np.int64)
    sets = _sets(space, market, family, first, arc, components_of(space, market, first, arc))
    return sets, facility_entries(space, sets)


def recalled_pool(
    space: RouteSpace,
    market: IntArray,
    family: IntArray,
    length: IntArray,
    arc: IntArray,
    *,
    is_in: BoolArray,
    standing: Standing,
    gap: FloatArray,
    share: FloatArray,
    composite: FloatArray,
) -> Entered:
    """What `entered` gave, from its pool written down and what it said of the nests."""
    sets, entries = recalled(space, market, family, length, arc)
    pool = Pool(sets, entries, is_in)
    return Entered(subset(space, sets, is_in), entries_of(entries, is_in), pool, gap, share, composite, 0.0, standing)


def remeasured(space: RouteSpace, sets: RouteSets) -> RouteSets:
    """The same routes in the same order at the costs of another space, with its path sizes."""
    market, first, arc = sets.route_market, sets.route_first_arc, sets.route_arc
    again = _sets(space, market, sets.route_family, first, arc, components_of(space, market, first, arc))
    return again if sets.is_open is None else replace(again, is_open=sets.is_open)


def subset(space: RouteSpace, sets: RouteSets, is_in: BoolArray) -> RouteSets:
    """Some routes of the sets, with path sizes among themselves."""
    if is_in.all():
        return sets
    routes = np.flatnonzero(is_in)
    first, arc = taken_in_order(routes, np.diff(sets.route_first_arc), sets.route_arc)
    return _sets(space, sets.route_market[routes], sets.route_family[routes], first, arc, sets.components[routes])


def _searched(space: RouteSpace, costs: IntArray, limit: IntArray, *, most: int, threads: int, pool: Pool | None = None) -> _Found:
    """Routes of every nest with a limit (millionths of USD/t, below zero: none is wanted), search by search, but for those of the pool.

    `costs` is the whole-number cost by goods and arc, shape (goods, arcs).
    """
    options = (most, space.options.overlap_bound, space.options.length_bound)
    first, last = (np.zeros(limit.shape, dtype=np.int64) for _ in range(2))
    arcs = (np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64))
    if pool is not None:
        starts = nest_starts(pool.sets.route_market, pool.sets.route_family)
        at = (pool.sets.route_market[starts[:-1]], pool.sets.route_family[starts[:-1]])
        first[at], last[at] = starts[:-1], starts[1:]
        arcs = (pool.sets.route_first_arc, pool.sets.route_arc, pool.entries.signature)

    def work(search: Search) -> tuple[Search, IntArray, IntArray, IntArray] | None:
        wanted = np.ascontiguousarray(limit[search.market, search.family])
        if not (wanted >= 0).any():
            return None
        goods = space.goods[search.commodity]
        uses = (goods.use_first, goods.uses.row, space.rows.marks)
        family = (search.allowed, search.bits, search.bit_count, search.family)
        market, first_arc, arc = _kernels.routes_through(
            space.network,
            space.hierarchy,
            costs[space.names.index(search.commodity)],
            uses,
            family,
            search.rules,
            options,
            search.ends,
            wanted,
            (first[search.market, search.family], last[search.market, search.family], *arcs),
        )
        return search, market, first_arc, arc

    if threads > 1:
        with ThreadPoolExecutor(threads, thread_name_prefix="routes") as workers:
            parts = [part for part in workers.map(work, space.searches) if part is not None]
    else:
        parts = [part for part in map(work, space.searches) if part is not None]
    nothing = np.zeros(0, dtype=np.int64)
    market = np.concatenate([nothing, *(search.market[of] for search, of, _, _ in parts)])
    family = np.concatenate([nothing, *(np.full(of.shape[0], search.family) for search, of, _, _ in parts)])
    length = np.concatenate([nothing, *(np.diff(starts) for _, _, starts, _ in parts)])
    arc = np.concatenate([nothing, *(arcs for _, _, _, arcs in parts)])
    return _Found(market, family, length, arc)


def _measured(space: RouteSpace, found: _Found) -> tuple[RouteSets, IntArray]:
    """Route sets of found routes, and where each stood in the order they were found."""
    components = components_of(space, found.market, np.append(0, np.cumsum(found.length)).astype(np.int64), found.arc)
    order = np.lexsort((np.arange(found.market.shape[0]), components.sum(axis=1), found.family, found.market))
    begin, arc = taken_in_order(order, found.length, found.arc)
    return _sets(space, found.market[order], found.family[order], begin, arc, components[order]), order


def components_of(space: RouteSpace, market: IntArray, first: IntArray, arc: IntArray) -> FloatArray:
    """Cost of routes by component, USD/t, shape (routes, 6)."""
    found = np.empty((market.shape[0], 6))
    routes = _choice_kernels.Routes(first, arc, space.commodity[market])
    _choice_kernels.components(routes, space.cost_parts, space.reliability_usd_per_t_h, found)
    return found


def _merged(space: RouteSpace, pool: Pool, found: _Found) -> Pool:
    """The pool and those found that are not in it, which are out; the pool itself if there are none."""
    sets = pool.sets
    is_new = np.isin(found.market * space.family_count + found.family, sets.route_market * space.family_count + sets.route_family)
    if is_new.any():
        known = route_keys(space, sets.route_market, sets.route_family, np.diff(sets.route_first_arc), sets.route_arc)
        is_new &= ~np.isin(route_keys(space, found.market, found.family, found.length, found.arc), known)
    if not is_new.any():
        return pool
    arc = found.arc[np.repeat(is_new, found.length)]
    more, _ = _measured(space, _Found(found.market[is_new], found.family[is_new], found.length[is_new], arc))
    return _united(space, pool, Pool(more, facility_entries(space, more), np.zeros(more.route_count, dtype=np.bool_)))


def route_keys(space: RouteSpace, market: IntArray, family: IntArray, length: IntArray, arc: IntArray) -> npt.NDArray[np.uint64]:
    """What tells routes apart, shape (routes,).

    A route is known by its nest and the sum of a hash of its arcs: it passes none twice, so that which they are tells their order.
    """
    arcs = space.graph.arc_count
    mixed = np.random.SeedSequence(0).generate_state(arcs + space.market_count * space.family_count, np.uint64)
    ends = np.append(np.uint64(0), np.cumsum(mixed[arc], dtype=np.uint64))
    first = np.append(0, np.cumsum(length))
    return np.asarray(ends[first[1:]] - ends[first[:-1]] + mixed[arcs + market * space.family_count + family])


def _united(space: RouteSpace, one: Pool, other: Pool) -> Pool:
    """Two pools as one, those of the first before those of the second where a nest has several of one cost."""
    both = (one.sets, other.sets)
    market, family = (np.concatenate([getattr(sets, name) for sets in both]) for name in ("route_market", "route_family"))
    components = np.concatenate([sets.components for sets in both])
    order = np.lexsort((np.arange(market.shape[0]), components.sum(axis=1), family, market))
    length = np.concatenate([np.diff(sets.route_first_arc) for sets in both])
    first, arc = taken_in_order(order, length, np.concatenate([sets.route_arc for sets in both]))
    sets = _sets(space, market[order], family[order], first, arc, components[order])
    return Pool(sets, entries_together(one.entries, other.entries, order), np.concatenate([one.is_in, other.is_in])[order])


def price_costs(space: RouteSpace, sets: RouteSets, entries: FacilityEntries, standing: Standing) -> FloatArray:
    """What delays and prices add to each route, USD/t, shape (routes,)."""
    counts = np.diff(entries.route_first_entry)
    route = np.repeat(np.arange(sets.route_count), counts)
    per_unit = np.bincount(route, weights=entries.entry_units_per_t * standing.row_price[entries.entry_row], minlength=sets.route_count)
    hours = np.bincount(route, weights=standing.row_delay_h[entries.entry_row], minlength=sets.route_count)
    market = sets.route_market
    added = standing.price_weight[market] * per_unit + value_per_h(space)[market] * hours
    return np.asarray(added, dtype=np.float64)


def value_per_h(space: RouteSpace) -> FloatArray:
    """Value of an hour, USD/t-h, by market."""
    return np.array([space.goods[name].costs.vot_usd_per_t_d for name in space.names])[space.commodity] / HOURS_PER_DAY


def _constants(space: RouteSpace, standing: Standing) -> FloatArray:
    """Constant of every nest, USD/t, shape (markets, families)."""
    families = space.families.family_ids
    table = [[standing.constants.get((family, name), 0.0) for family in families] for name in space.names]
    return np.array(table, dtype=np.float64).reshape(len(space.names), len(families))[space.commodity]


def _judged(space: RouteSpace, pool: Pool, standing: Standing, is_in: BoolArray) -> Entered:
    """How nests stand, `is_in` changed in place to who enters."""
    sets, entries = pool.sets, pool.entries
    first_route = nest_starts(sets.route_market, sets.route_family)
    at = (sets.route_market[first_route[:-1]], sets.route_family[first_route[:-1]])
    options = space.options
    cost = sets.cost_usd_per_t + price_costs(space, sets, entries, standing)
    gap, share, composite, newest = _choice_kernels.enter(
        np.searchsorted(at[0], np.arange(space.market_count + 1)).astype(np.int64), first_route,
        _choice_kernels.Routes(sets.route_first_arc, sets.route_arc, space.commodity[sets.route_market]), entries.signature, space.leg_cost,
        cost, np.lexsort((cost, sets.route_family, sets.route_market)), is_in,
        (space.by_market("route_theta")[at[0]], space.by_market("family_theta")),
        (_constants(space, standing)[at], space.by_market("stay_usd_per_t")),
        (options.enter_share, options.overlap_bound, options.per_family),
    )  # fmt: skip

    def spread(values: FloatArray, empty: float) -> FloatArray:
        table = np.full((space.market_count, space.family_count), empty)
        table[at] = values
        return table

    return Entered(sets, entries, pool, spread(gap, 0.0), spread(share, 0.0), spread(composite, np.inf), float(newest), standing)


def _limits(
    space: RouteSpace,
    pool: Pool,
    now: Entered,
    standing: Standing,
    known: Sequence[Entered],
    by_arc: FloatArray,
    added: FloatArray,
) -> IntArray:
    """Dearest route worth a search in each nest, millionths of USD/t by the additive cost, -1 where none is, shape (markets, families).

    `added` is what prices and delays add to each route of the pool, shape (routes,).
    """
    bound, sets, is_in = space.options.enter_share, pool.sets, pool.is_in
    # Above the composite, or below it; where delays have driven everybody away the share is too small for a number, but not nothing.
    reach = np.log(np.maximum(now.share, np.finfo(np.float64).tiny) / bound) / space.by_market("route_theta")[:, None]
    is_open = np.isfinite(reach) & np.isfinite(now.composite)
    if known:
        is_open &= _could_take(space, pool, now, standing, known, added) >= _DRIFT * bound
    additive = np.empty(sets.route_count)
    _choice_kernels.sums(_choice_kernels.Routes(sets.route_first_arc, sets.route_arc, space.commodity[sets.route_market]), by_arc, additive)
    least, least_additive = np.full(now.share.shape, np.inf), np.full(now.share.shape, np.inf)
    nest = (sets.route_market[is_in], sets.route_family[is_in])
    np.minimum.at(least, nest, (sets.cost_usd_per_t + added)[is_in])
    np.minimum.at(least_additive, nest, additive[is_in])
    limit = np.full(now.share.shape, -1, dtype=np.int64)
    # What only some pay is not in the additive cost: it may lie below the exact one of the cheapest route, but not of its rivals.
    above = reach[is_open] + np.maximum(least_additive[is_open] - least[is_open], 0.0) + _SLACK_SHARE * least_additive[is_open]
    dearest = (now.composite - _constants(space, standing))[is_open] + above
    limit[is_open] = np.maximum(np.rint(dearest / COST_UNIT_USD_PER_T), 0.0).astype(np.int64)
    return limit


def _could_take(space: RouteSpace, pool: Pool, now: Entered, standing: Standing, known: Sequence[Entered], added: FloatArray) -> FloatArray:
    """Most of its market that a route which no search has told could take by now, shape (markets, families).

    When its nest was last searched it would have taken less than the share, or than was told then. Since then the nest's own share may have
    grown, the composite risen, and the route become cheaper, by no more than a route of the nest that is in.
    """
    theta, bound = space.by_market("route_theta")[:, None], space.options.enter_share
    is_in, best = pool.is_in, np.ones(now.share.shape)
    nest = (pool.sets.route_market[is_in], pool.sets.route_family[is_in])
    for then in known:
        fallen = np.zeros(now.share.shape)
        before = price_costs(space, pool.sets, pool.entries, replace(then.standing, price_weight=standing.price_weight))
        np.maximum.at(fallen, nest, (before - added)[is_in])
        with np.errstate(invalid="ignore", over="ignore"):
            risen = np.where(np.isfinite(now.composite), now.composite - then.composite, 0.0)
            could = np.maximum(then.gap, bound) * now.share / np.maximum(then.share, 1e-12) * np.exp(theta * (risen + fallen))
        best = np.minimum(best, could)
    return best


def _arc_costs(space: RouteSpace, entries: FacilityEntries, standing: Standing) -> FloatArray:
    """Cost of each arc with prices and delays of the rows it uses, USD/t, shape (goods, arcs).

    What only goods of some origin or destination use is left to the exact cost.
    """
    cost = space.leg_cost
    if not standing.row_price.any() and not standing.row_delay_h.any():
        return cost
    cost = cost.copy()
    weight, hour = np.ones(len(space.names)), np.zeros(len(space.names))
    weight[space.commodity] = standing.price_weight
    hour[space.commodity] = value_per_h(space)
    for index, name in enumerate(space.names):
        uses = space.goods[name].uses
        once = 1.0 / entries.times[uses.row]  # but days and balances add up over the arcs
        price = weight[index] * uses.units_per_t * standing.row_price[uses.row] * np.where(space.rows.is_summed[uses.row], 1.0, once)
        added = price + hour[index] * standing.row_delay_h[uses.row] * once
        cost[index] += np.bincount(uses.arc, weights=np.where(uses.is_for_all, added, 0.0), minlength=space.graph.arc_count)
    return cost


def _sets(space: RouteSpace, market: IntArray, family: IntArray, first: IntArray, arc: IntArray, components: FloatArray) -> RouteSets:
    """Route sets of routes in the order of markets, families and cost."""
    return RouteSets(
        **space.labels,
        market_first_route=np.searchsorted(market, np.arange(space.market_count + 1)).astype(np.int64),
        route_family=family,
        route_first_arc=first,
        route_arc=arc,
        components=components,
        leg_cost=space.leg_cost,
        co2_price_usd_per_t=space.co2_price_usd_per_t,
        graph=space.graph,
    )
