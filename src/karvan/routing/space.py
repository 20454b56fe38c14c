"""The space that routes are searched in: a snapshot's network, goods, families and markets laid out for searches."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.centroids import centroid_markets
from karvan.routing.cost import ArcCosts, Charges, arc_costs, arc_handling, charges_of, payloads
from karvan.routing.families import Families, compile_families, family_search, rules_of
from karvan.routing.graph import StateGraph
from karvan.routing.hierarchy import Hierarchy, Network, build_hierarchy, network_of
from karvan.routing.permissions import closed_arcs, form_mask, rules_for, rules_in_force
from karvan.routing.uses import ArcUses, Claims, EmptyRun, Rows, arc_uses, claims_of, empty_runs, rows_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RouteSetOptions:
    """Which routes are choices.

    Attributes:
        enter_share: A route enters if it would take this share of its market.
        length_bound: Dearest route over the cheapest of its market and family.
        market_bound: Dearest route over the cheapest of its market: what costs more is no rival.
        overlap_bound: A route that shares more than this part of its cost with one that is in, and uses the same facilities, is a
            variant of it and no further choice.
        per_search: Most routes of a market and family that one search may tell.
        per_family: Most routes of a market and family.
    """

    enter_share: float = 8e-4
    length_bound: float = 1.5
    market_bound: float = 4.0
    overlap_bound: float = 0.5
    per_search: int = 60
    per_family: int = 150


@dataclass(frozen=True)
class Goods:
    """What searches need to know of one commodity group.

    Attributes:
        costs: Its costs by arc.
        search_cost: Additive cost of searches, USD/t, shape (arcs,).
        use_first: Uses of each arc, shape (arcs + 1,).
        uses: Rows that arcs use.
        route_theta, family_theta: Sharpness of choice, per USD/t.
        stay_usd_per_t: Cost of not shipping.
    """

    costs: ArcCosts
    search_cost: FloatArray
    use_first: IntArray
    uses: ArcUses
    route_theta: float
    family_theta: float
    stay_usd_per_t: float


@dataclass(frozen=True)
class Search:
    """Markets that share goods, form and permissions, and one family of their routes.

    Attributes:
        commodity: The goods.
        family: Position of the family.
        allowed: Arcs that its routes may use, shape (arcs,).
        bits: Requirements that each arc meets, shape (arcs,).
        bit_count: Number of requirements.
        rules: What tells the family of a route.
        market: Positions of the markets, shape (members,).
        ends: Origin nodes, first member of each, and the destination of each member.
    """

    commodity: str
    family: int
    allowed: BoolArray
    bits: IntArray
    bit_count: int
    rules: tuple[BoolArray, BoolArray, BoolArray, BoolArray, IntArray, IntArray]
    market: IntArray
    ends: tuple[IntArray, IntArray, IntArray]


@dataclass(frozen=True)
class RouteSpace:
    """All that route searches of a snapshot share.

    Attributes:
        graph: The state graph.
        network, hierarchy: The graph for loops, and its contraction hierarchy.
        markets: One row per market between two centroids; see `centroid_markets`.
        commodity: Position of each market's goods in the sorted names of `goods`, shape (markets,).
        market_regions: Positions of origin and destination among the sorted regions, -2 for ends that are none, shape (markets, 2).
        rows: What routes use up.
        runs: What empties take.
        families: Route families.
        serves: Families that serve each market's regions, shape (markets, families).
        goods: By commodity group.
        searches_of: Gives what is searched, in a fixed order; routes that are known already need none.
        options: Which routes are choices.
        co2_price_usd_per_t: Carbon price in the costs.
    """

    graph: StateGraph
    network: Network
    hierarchy: Hierarchy
    markets: pl.DataFrame
    commodity: IntArray
    market_regions: IntArray
    rows: Rows
    runs: tuple[EmptyRun, ...]
    families: Families
    serves: BoolArray
    goods: Mapping[str, Goods]
    searches_of: Callable[[], tuple[Search, ...]]
    options: RouteSetOptions
    co2_price_usd_per_t: float

    @property
    def searches(self) -> tuple[Search, ...]:
        """What is searched, in a fixed order."""
        return self.searches_of()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Goods, sorted."""
        return tuple(sorted(self.goods))

    @cached_property
    def leg_cost(self) -> FloatArray:
        """Cost of each arc as path sizes weigh it, USD/t, shape (goods, arcs)."""
        return np.array([self.goods[name].search_cost for name in self.names]).reshape(len(self.names), self.graph.arc_count)

    @cached_property
    def cost_parts(self) -> FloatArray:
        """Tariff, handling, time, waiting, co2, USD/t, and variance, h2, by goods and arc, shape (goods, arcs, 6)."""
        variance = self.graph.arc_sd_h**2
        parts = [
            np.stack([costs.tariff, costs.handling, costs.time, costs.waiting, costs.co2, variance], axis=1)
            for costs in (self.goods[name].costs for name in self.names)
        ]
        return np.array(parts).reshape(len(self.names), self.graph.arc_count, 6)

    @cached_property
    def reliability_usd_per_t_h(self) -> FloatArray:
        """Value of an hour of standard deviation, USD/t-h, shape (goods,)."""
        return np.array([self.goods[name].costs.reliability_usd_per_t_h for name in self.names], dtype=np.float64)

    @cached_property
    def all_uses(self) -> tuple[IntArray, IntArray, FloatArray, IntArray, IntArray]:
        """Uses of every goods and arc: first of each, shape (goods, arcs + 1), row, units per tonne, only origin, only destination."""
        parts = [self.goods[name].uses for name in self.names]
        sizes = np.cumsum([0, *(part.arc.shape[0] for part in parts)])
        first = [self.goods[name].use_first + sizes[index] for index, name in enumerate(self.names)]
        nothing = np.zeros(0, dtype=np.int64)
        return (
            np.array(first, dtype=np.int64).reshape(len(self.names), self.graph.arc_count + 1),
            np.concatenate([nothing, *(part.row for part in parts)]),
            np.concatenate([np.zeros(0), *(part.units_per_t for part in parts)]),
            np.concatenate([nothing, *(part.origin for part in parts)]),
            np.concatenate([nothing, *(part.destination for part in parts)]),
        )

    @cached_property
    def labels(self) -> dict[str, Any]:
        """What route sets say of the markets."""
        markets = self.markets
        return {
            "family_ids": self.families.family_ids,
            "market_ids": tuple(markets.select("market_id", "origin_node", "destination_node").iter_rows()),
            "market_commodity": tuple(markets["commodity_group"]),
            "market_form": tuple(markets["form"]),
            "market_origin_region": tuple(markets["origin_region"]),
            "market_destination_region": tuple(markets["destination_region"]),
            "market_row": np.array(markets["demand_row"].to_numpy(), dtype=np.int64),
            "market_share": np.array(markets["share"].to_numpy(), dtype=np.float64),
            "market_goods": self.commodity,
        }

    @property
    def market_count(self) -> int:
        """Number of markets."""
        return int(self.commodity.shape[0])

    @property
    def family_count(self) -> int:
        """Number of families."""
        return len(self.families.family_ids)

    def by_market(self, attribute: str) -> FloatArray:
        """A number of the goods for every market, shape (markets,)."""
        return np.array([getattr(self.goods[name], attribute) for name in self.names], dtype=np.float64)[self.commodity]


def route_space(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    *,
    date: datetime.date,
    co2_price_usd_per_t: float,
    options: RouteSetOptions | None = None,
) -> RouteSpace:
    """Lay out a snapshot's tables for searches.

    Args:
        graph: State graph of the same tables.
        tables: Tables of a snapshot.
        date: Day whose permissions apply.
        co2_price_usd_per_t: Carbon price.
        options: Which routes are choices.

    Raises:
        DataError: A region has no place for goods that start or end there, or a tariff is ambiguous.
    """
    markets = centroid_markets(tables)
    families = compile_families(tables)
    shared = (charges_of(graph, tables), claims_of(graph, tables))
    goods = {name: _goods(graph, tables, name, co2_price_usd_per_t, *shared) for name in sorted(set(markets["commodity_group"]))}
    names = sorted(goods)
    pairs = list(markets.select("origin_region", "destination_region").iter_rows())
    regions = {name: place for place, name in enumerate(sorted(tables["regions"]["region_id"]))}
    served = {pair: families.serves(*pair) for pair in set(pairs)}
    return RouteSpace(
        graph=graph,
        network=network_of(graph),
        hierarchy=build_hierarchy(graph),
        markets=markets,
        commodity=np.array([names.index(name) for name in markets["commodity_group"]], dtype=np.int64),
        market_regions=np.array([[regions.get(name, -2) for name in pair] for pair in pairs], dtype=np.int64).reshape(-1, 2),
        rows=rows_of(tables),
        runs=empty_runs(tables),
        families=families,
        serves=np.array([served[pair] for pair in pairs], dtype=np.bool_).reshape(len(pairs), len(families.family_ids)),
        goods=goods,
        searches_of=cache(partial(_searches, graph, tables, markets, families, goods, date)),
        options=options or RouteSetOptions(),
        co2_price_usd_per_t=co2_price_usd_per_t,
    )


def repriced(space: RouteSpace, tables: Mapping[str, pl.DataFrame], *, before: Mapping[str, pl.DataFrame]) -> RouteSpace:
    """The space with its charges read anew from tables that differ in money only: no arc more or less, no hour.

    Args:
        space: The space.
        tables: Tables with other charges, row by row those of `before`.
        before: Tables that the space was made of.
    """
    rates = [np.append(frame["tariffs"]["rate"].to_numpy(), 1.0) for frame in (before, tables)]  # the last is for no row at all
    was_free = (rates[0] == 0.0) & (rates[1] != 0.0)
    ratio = np.divide(rates[1], rates[0], out=np.ones_like(rates[0]), where=rates[0] != 0.0)
    graph, goods, payload = space.graph, dict(space.goods), payloads(tables)
    for name, item in space.goods.items():
        costs = item.costs
        if was_free[costs.tariff_row].any():
            costs = arc_costs(graph, tables, name, co2_price_usd_per_t=space.co2_price_usd_per_t)
        else:
            handling = arc_handling(graph, tables, payload[name])
            costs = replace(costs, tariff=costs.tariff * ratio[costs.tariff_row], handling=handling)
        goods[name] = replace(item, costs=costs, search_cost=costs.search_cost(graph))
    return replace(space, goods=goods)


def watching(space: RouteSpace, arcs: IntArray, *, name: str) -> RouteSpace:
    """The space with one more row, the last, of which a tonne on any of some arcs takes one unit, whatever the goods.

    Routes that pass the arcs are then no variants of those that do not, and a price of the row keeps goods off the arcs.

    Args:
        space: The space.
        arcs: The arcs, rising.
        name: Id of the row.
    """

    def watched(goods: Goods) -> Goods:
        uses = goods.uses
        order = np.argsort(np.append(uses.arc, arcs), kind="stable")
        anyone = np.full(arcs.shape[0], -1, dtype=np.int64)
        more = ArcUses(
            arc=np.append(uses.arc, arcs)[order],
            row=np.append(uses.row, np.full(arcs.shape[0], space.rows.count))[order],
            units_per_t=np.append(uses.units_per_t, np.ones(arcs.shape[0]))[order],
            origin=np.append(uses.origin, anyone)[order],
            destination=np.append(uses.destination, anyone)[order],
        )
        return replace(goods, uses=more, use_first=np.searchsorted(more.arc, np.arange(space.graph.arc_count + 1)).astype(np.int64))

    rows = Rows(space.rows.facility_count, (*space.rows.ids, name), np.append(space.rows.is_summed, False))
    return replace(space, rows=rows, goods={goods: watched(item) for goods, item in space.goods.items()})


def _goods(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    commodity: str,
    co2_price_usd_per_t: float,
    charges: Charges,
    claims: Claims,
) -> Goods:
    costs = arc_costs(graph, tables, commodity, co2_price_usd_per_t=co2_price_usd_per_t, charges=charges)
    uses = arc_uses(claims, commodity, charges.payload[commodity])
    traits = charges.traits[commodity]
    return Goods(
        costs=costs,
        search_cost=costs.search_cost(graph),
        use_first=np.searchsorted(uses.arc, np.arange(graph.arc_count + 1)).astype(np.int64),
        uses=uses,
        route_theta=float(traits["route_theta_per_usd_per_t"]),
        family_theta=float(traits["family_theta_per_usd_per_t"]),
        stay_usd_per_t=float(traits["not_shipped_usd_per_t"]),
    )


def _searches(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    markets: pl.DataFrame,
    families: Families,
    goods: Mapping[str, Goods],
    date: datetime.date,
) -> tuple[Search, ...]:
    on_link = graph.arc_link >= 0
    link = np.where(on_link, graph.arc_link, 0)
    found: list[Search] = []
    of_goods = {
        name: [(family, search) for family in range(len(families.family_ids)) if (search := family_search(families, family, name))]
        for name in goods
    }
    rules = {name: rules_of(families, name) for name in goods}
    has_links = families.in_any.shape[1] > 0
    bits_of = {
        (name, family): np.where(on_link, search.link_bits[link], 0) if has_links else np.zeros(graph.arc_count, dtype=np.int64)
        for name, searches in of_goods.items()
        for family, search in searches
    }
    open_to = {
        (name, family): ~(on_link & search.closed[link]) if has_links else np.ones(graph.arc_count, dtype=np.bool_)
        for name, searches in of_goods.items()
        for family, search in searches
    }
    for commodity, mask, members in market_groups(graph, tables, markets, date):
        usable = mask & goods[commodity].costs.allowed
        market, ends = _ends(graph, markets, members)
        for family, search in of_goods[commodity]:
            allowed, bits = usable & open_to[commodity, family], bits_of[commodity, family]
            if int(np.bitwise_or.reduce(bits[allowed], initial=0)) == (1 << search.bit_count) - 1:
                found.append(Search(commodity, family, allowed, bits, search.bit_count, rules[commodity], market, ends))
    return tuple(found)


def market_groups(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], markets: pl.DataFrame, date: datetime.date
) -> list[tuple[str, BoolArray, IntArray]]:
    """Markets that share goods, form and permissions: goods, mask over arcs, positions of the markets."""
    rules = rules_in_force(tables, date)
    rules_between: dict[tuple[str, str, str], tuple[int, ...]] = {}
    members: dict[tuple[str, str, tuple[int, ...]], list[int]] = {}
    columns = ("commodity_group", "form", "origin_region", "destination_region")
    for position, (commodity, form, origin, destination) in enumerate(markets.select(columns).iter_rows()):
        between = (origin, destination, commodity)
        if between not in rules_between:
            rules_between[between] = tuple(rule["row"] for rule in rules_for(rules, origin, destination, commodity))
        members.setdefault((commodity, form, rules_between[between]), []).append(position)
    closed = {rule["row"]: closed_arcs(graph, tables, rule) for rule in rules}
    forms = {form: form_mask(graph, form) for _, form, _ in members}
    found = []
    for (commodity, form, rows), positions in members.items():
        mask = forms[form].copy()
        for row in rows:
            mask &= ~closed[row]
        found.append((commodity, mask, np.array(positions, dtype=np.int64)))
    return found


def _ends(graph: StateGraph, markets: pl.DataFrame, members: IntArray) -> tuple[IntArray, tuple[IntArray, IntArray, IntArray]]:
    """Markets of a group in the order of their origin nodes, and their ends; those with an end that nothing reaches are left out."""
    columns = ("origin_region", "origin_key", "origin_node", "destination_region", "destination_key", "destination_node")
    found: list[tuple[int, int, int]] = []
    for position, row in zip(members.tolist(), markets[members].select(columns).iter_rows(), strict=True):
        origin = graph.origin_nodes.get((row[0], *row[1].split("/"), row[2]))
        destination = graph.destination_nodes.get((row[3], *row[4].split("/"), row[5]))
        if origin is not None and destination is not None:
            found.append((origin, position, destination))
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    origins, first = np.unique(table[:, 0], return_index=True)
    return table[:, 1].copy(), (origins, np.append(first, table.shape[0]).astype(np.int64), table[:, 2].copy())
