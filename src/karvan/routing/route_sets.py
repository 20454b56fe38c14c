"""Routes that each market chooses from: best, and best without what may be scarce."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing import _kernels
from karvan.routing.centroids import centroid_markets
from karvan.routing.cost import HOURS_PER_DAY, ArcCosts, arc_costs
from karvan.routing.families import Families, FamilySearch, compile_families, family_search, rules_of
from karvan.routing.graph import StateGraph
from karvan.routing.permissions import mask_of_rules, rules_for, rules_in_force
from karvan.routing.sets import RouteSets
from karvan.routing.uses import ArcUses, arc_uses

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RouteSetOptions:
    """Size and variety of route sets.

    Attributes:
        per_family: Most routes of one market and family.
        length_bound: Dearest route over the cheapest of its market and family.
        market_bound: Dearest route over the cheapest of its market: what costs more is no rival.
        overlap_bound: Largest part of a route's cost that it may share with a kept one, unless they differ in a facility used.
        repeat_count: Searches with the arcs found so far made dearer.
        repeat_penalty_share: By how much they are made dearer each time.
        scarcity_steps: Further searches in which every use of a facility costs so many times 1/theta of the goods more, so that
            routes that pass few facilities are there when several are full at once.
    """

    per_family: int = 8
    length_bound: float = 1.5
    market_bound: float = 4.0
    overlap_bound: float = 0.8
    repeat_count: int = 3
    repeat_penalty_share: float = 0.5
    scarcity_steps: tuple[float, ...] = (2.0, 6.0)


@dataclass(frozen=True)
class _Goods:
    """What searches need to know of one commodity group."""

    costs: ArcCosts
    search_cost: FloatArray
    use_first: IntArray
    uses: ArcUses
    facility_first: IntArray
    facility_arc: IntArray


def route_sets(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    *,
    date: datetime.date,
    co2_price_usd_per_t: float,
    options: RouteSetOptions | None = None,
) -> RouteSets:
    """Routes of every market between its centroids, by family.

    Candidates of a market and family: the cheapest; the cheapest through each link of which the family asks for one; the
    cheapest without each facility that the cheapest uses; and repeats with found arcs made dearer. Searches are cheapest by
    an additive cost (see ArcCosts.search_cost); what is kept and told is the exact generalised cost.

    Args:
        graph: State graph of the same tables.
        tables: Tables of a snapshot.
        date: Day whose permissions apply.
        co2_price_usd_per_t: Carbon price.
        options: Size and variety.

    Raises:
        DataError: A region has no place for goods that start or end there, or a tariff is ambiguous.
    """
    options = options or RouteSetOptions()
    markets = centroid_markets(tables)
    families = compile_families(tables)
    goods = {name: _goods(graph, tables, name, co2_price_usd_per_t) for name in sorted(set(markets["commodity_group"]))}
    pieces = [_Piece.empty()]
    theta = dict(tables["commodities"].select("commodity_group", "route_theta_per_usd_per_t").iter_rows())
    sparing = replace(options, per_family=1, repeat_count=0)
    for (commodity, _), mask, members in _groups(graph, tables, markets, date):
        usable = mask & goods[commodity].costs.allowed
        ends = _ends(graph, markets, members)
        scarce = [_scarce(goods[commodity], step / theta[commodity]) for step in options.scarcity_steps]
        for family in range(len(families.family_ids)):
            whole = family_search(families, family, commodity)
            if whole is None:
                continue
            alone = replace(whole, via_links=np.zeros(0, dtype=np.int64))
            passes = [(goods[commodity], whole, options), *((costed, alone, sparing) for costed in scarce)]
            pieces += [
                _family_piece(
                    graph,
                    costed,
                    usable=usable,
                    families=families,
                    family=family,
                    search=search,
                    commodity=commodity,
                    ends=ends,
                    options=chosen,
                )
                for costed, search, chosen in passes
            ]
    bound = options.market_bound
    return _assembled(graph, markets, families, goods, pieces=pieces, market_bound=bound, co2_price_usd_per_t=co2_price_usd_per_t)


def _scarce(goods: _Goods, surcharge_usd_per_t: float) -> _Goods:
    """The same goods where every use of a facility costs more; the facilities themselves are not looked at one by one."""
    used = np.diff(goods.use_first).astype(np.float64)
    none = np.zeros(0, dtype=np.int64)
    return replace(
        goods,
        search_cost=goods.search_cost + surcharge_usd_per_t * used,
        use_first=np.zeros_like(goods.use_first),
        uses=ArcUses(none, none, np.zeros(0)),
        facility_first=np.zeros(1, dtype=np.int64),
        facility_arc=none,
    )


def _goods(graph: StateGraph, tables: Mapping[str, pl.DataFrame], commodity: str, co2_price_usd_per_t: float) -> _Goods:
    costs = arc_costs(graph, tables, commodity, co2_price_usd_per_t=co2_price_usd_per_t)
    uses = arc_uses(graph, tables, commodity)
    by_facility = np.lexsort((uses.arc, uses.facility))
    facility_count = tables["facilities"].height
    return _Goods(
        costs=costs,
        search_cost=costs.search_cost(graph),
        use_first=np.searchsorted(uses.arc, np.arange(graph.arc_count + 1)).astype(np.int64),
        uses=uses,
        facility_first=np.searchsorted(uses.facility[by_facility], np.arange(facility_count + 1)).astype(np.int64),
        facility_arc=uses.arc[by_facility],
    )


def _groups(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], markets: pl.DataFrame, date: datetime.date
) -> list[tuple[tuple[str, str], BoolArray, IntArray]]:
    """Markets that share goods, form and permissions: (goods, form), mask over arcs, positions of the markets."""
    rules = rules_in_force(tables, date)
    rules_between: dict[tuple[str, str, str], tuple[int, ...]] = {}
    members: dict[tuple[str, str, tuple[int, ...]], list[int]] = {}
    columns = ("commodity_group", "form", "origin_region", "destination_region")
    for position, (commodity, form, origin, destination) in enumerate(markets.select(columns).iter_rows()):
        between = (origin, destination, commodity)
        if between not in rules_between:
            rules_between[between] = tuple(rules_for(rules, origin, destination, commodity)["row"])
        members.setdefault((commodity, form, rules_between[between]), []).append(position)
    masks: dict[tuple[str, tuple[int, ...]], BoolArray] = {}
    for _, form, rows in members:
        if (form, rows) not in masks:
            masks[form, rows] = mask_of_rules(graph, tables, rules.filter(pl.col("row").is_in(list(rows))), form)
    return [((commodity, form), masks[form, rows], np.array(found, dtype=np.int64)) for (commodity, form, rows), found in members.items()]


@dataclass(frozen=True)
class _Ends:
    """Markets of a group by origin node: nodes, first market of each, market positions, destination nodes."""

    origins: IntArray
    origin_first_market: IntArray
    market: IntArray
    destination: IntArray


def _ends(graph: StateGraph, markets: pl.DataFrame, members: IntArray) -> _Ends:
    """Nodes of the markets of a group; those with an end that nothing reaches are left out."""
    columns = ("origin_region", "origin_key", "origin_node", "destination_region", "destination_key", "destination_node")
    found: list[tuple[int, int, int]] = []
    for position, row in zip(members.tolist(), markets[members].select(columns).iter_rows(), strict=True):
        origin = graph.origin_nodes.get((row[0], *row[1].split("/"), row[2]))
        destination = graph.destination_nodes.get((row[3], *row[4].split("/"), row[5]))
        if origin is not None and destination is not None:
            found.append((origin, position, destination))
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    origins, first = np.unique(table[:, 0], return_index=True)
    return _Ends(origins, np.append(first, table.shape[0]).astype(np.int64), table[:, 1].copy(), table[:, 2].copy())


@dataclass(frozen=True)
class _Piece:
    """Routes of one family and group: market, family and number of arcs of each, and the arcs."""

    market: IntArray
    family: IntArray
    length: IntArray
    arc: IntArray

    @staticmethod
    def empty() -> _Piece:
        nothing = np.zeros(0, dtype=np.int64)
        return _Piece(nothing, nothing, nothing, nothing)


def _family_piece(
    graph: StateGraph,
    goods: _Goods,
    *,
    usable: BoolArray,
    families: Families,
    family: int,
    search: FamilySearch,
    commodity: str,
    ends: _Ends,
    options: RouteSetOptions,
) -> _Piece:
    on_link = graph.arc_link >= 0
    link = np.where(on_link, graph.arc_link, 0)
    allowed = usable & ~(on_link & search.closed[link]) if search.closed.shape[0] else usable
    bits = np.where(on_link & allowed, search.link_bits[link], 0) if search.link_bits.shape[0] else np.zeros_like(link)
    if int(np.bitwise_or.reduce(bits, initial=0)) != (1 << search.bit_count) - 1:
        return _Piece.empty()
    costs = goods.costs
    per_h = costs.reliability_ratio * costs.vot_usd_per_t_d / HOURS_PER_DAY
    market, first, arc = _kernels.family_routes(
        (graph.out_first, graph.out_arc, graph.in_first, graph.in_arc, graph.arc_tail, graph.arc_head, graph.node_place, graph.arc_link),
        (goods.search_cost, costs.without_reliability, graph.arc_sd_h**2, per_h),
        (goods.use_first, goods.uses.facility),
        (goods.facility_first, goods.facility_arc),
        (allowed, bits, search.bit_count, search.via_links, family),
        rules_of(families, commodity),
        (options.per_family, options.length_bound, options.overlap_bound, options.repeat_count, options.repeat_penalty_share),
        ends.origins,
        ends.origin_first_market,
        ends.destination,
    )
    return _Piece(ends.market[market], np.full(market.shape[0], family, dtype=np.int64), np.diff(first), arc)


def _assembled(
    graph: StateGraph,
    markets: pl.DataFrame,
    families: Families,
    goods: Mapping[str, _Goods],
    *,
    pieces: list[_Piece],
    market_bound: float,
    co2_price_usd_per_t: float,
) -> RouteSets:
    """Routes of all pieces that are rivals in their market, in the order of markets and families, with their costs."""
    market = np.concatenate([piece.market for piece in pieces])
    family = np.concatenate([piece.family for piece in pieces])
    length = np.concatenate([piece.length for piece in pieces])
    arc = np.concatenate([piece.arc for piece in pieces])
    order = np.lexsort((np.arange(market.shape[0]), family, market))
    start = (np.cumsum(length) - length)[order]
    market, family, length = market[order], family[order], length[order]
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    arc = arc[np.repeat(start - first[:-1], length) + np.arange(arc.shape[0])]
    commodity = np.array([sorted(goods).index(name) for name in markets["commodity_group"]], dtype=np.int64)
    components, leg_cost = _components(graph, goods, commodity[market], first, arc)
    cost = components.sum(axis=1)
    kept = _rivals(markets, families, market, family, cost, market_bound=market_bound) & _first_of_each(market, family, first, arc)
    order = np.flatnonzero(kept)
    order = order[np.lexsort((order, cost[order], family[order], market[order]))]
    steps = np.repeat(first[:-1][order] - np.append(0, np.cumsum(length[order]))[:-1], length[order]) + np.arange(length[order].sum())
    market, family, length, components = market[order], family[order], length[order], components[order]
    arc, leg_cost = arc[steps], leg_cost[steps]
    first = np.append(0, np.cumsum(length)).astype(np.int64)
    market_ids = tuple(markets.select("market_id", "origin_node", "destination_node").iter_rows())
    count = np.bincount(market, minlength=len(market_ids))
    return RouteSets(
        family_ids=families.family_ids,
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
        path_size=_path_sizes(market * len(families.family_ids) + family, first, arc, leg_cost, graph.arc_count),
        unreachable=tuple(market_ids[index] for index in np.flatnonzero(count == 0)),
        co2_price_usd_per_t=co2_price_usd_per_t,
    )


def _first_of_each(market: IntArray, family: IntArray, first: IntArray, arc: IntArray) -> BoolArray:
    """False for a route that another search of its market and family has found before, shape (routes,)."""
    seen: set[tuple[int, int, bytes]] = set()
    is_first = np.ones(market.shape[0], dtype=np.bool_)
    for route in range(market.shape[0]):
        key = (int(market[route]), int(family[route]), arc[first[route] : first[route + 1]].tobytes())
        is_first[route] = key not in seen
        seen.add(key)
    return is_first


def _rivals(
    markets: pl.DataFrame, families: Families, market: IntArray, family: IntArray, cost: FloatArray, *, market_bound: float
) -> BoolArray:
    """Routes whose family serves the market's regions and that cost no more than a multiple of its cheapest, shape (routes,)."""
    pairs = list(markets.select("origin_region", "destination_region").iter_rows())
    serves = {pair: families.serves(*pair) for pair in set(pairs)}
    kept = np.array([serves[pair] for pair in pairs], dtype=np.bool_).reshape(len(pairs), len(families.family_ids))[market, family]
    cheapest = np.full(len(pairs), np.inf)
    np.minimum.at(cheapest, market[kept], cost[kept])
    return np.asarray(kept & (cost <= market_bound * cheapest[market]), dtype=np.bool_)


def _sums(values: FloatArray, first: IntArray) -> FloatArray:
    """Sum over the arcs of each route; every route has arcs."""
    return np.add.reduceat(values, first[:-1]) if first.shape[0] > 1 else np.zeros(0)


def _components(
    graph: StateGraph, goods: Mapping[str, _Goods], commodity: IntArray, first: IntArray, arc: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Cost components of each route, USD/t, shape (routes, 6), and the search cost of each step."""
    components = np.zeros((commodity.shape[0], 6))
    commodity_of_step = np.repeat(commodity, np.diff(first))
    leg_cost = np.zeros(arc.shape[0])
    deviation = np.sqrt(_sums(graph.arc_sd_h[arc] ** 2, first))
    for index, name in enumerate(sorted(goods)):
        costs = goods[name].costs
        steps, routes = np.flatnonzero(commodity_of_step == index), np.flatnonzero(commodity == index)
        if steps.shape[0] == 0:
            continue
        leg_cost[steps] = goods[name].search_cost[arc[steps]]
        route_first = np.append(0, np.cumsum(np.diff(first)[routes]))
        for column, part in ((0, costs.tariff), (1, costs.handling), (2, costs.time), (3, costs.waiting), (5, costs.co2)):
            components[routes, column] = _sums(part[arc[steps]], route_first)
        components[routes, 4] = costs.reliability_ratio * costs.vot_usd_per_t_d / HOURS_PER_DAY * deviation[routes]
    return components, leg_cost


def _path_sizes(nest: IntArray, first: IntArray, arc: IntArray, leg_cost: FloatArray, arc_count: int) -> FloatArray:
    """Path size of each route within its market and family (METHODS: sum of cost shares over numbers of users), shape (routes,).

    A route whose legs all cost nothing is weighed by number of legs.
    """
    length = np.diff(first)
    total = np.repeat(_sums(leg_cost, first), length)
    share = np.where(total > 0.0, leg_cost / np.where(total > 0.0, total, 1.0), 1.0 / np.repeat(length, length))
    _, inverse, users = np.unique(np.repeat(nest, length) * arc_count + arc, return_inverse=True, return_counts=True)
    return _sums(share / users[inverse], first)
