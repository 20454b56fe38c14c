"""The noun: routes that each market chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.routing import _choice_kernels
from karvan.routing.graph import StateGraph

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

COMPONENTS = ("tariff", "handling", "time", "waiting", "reliability", "co2")
HOURS = ("moving", "waiting", "border", "gauge", "port")
SHUT_USD_PER_T = 1e9
"""Cost of a route that nobody may take: no part of its market is left to it, whatever the prices."""


def nest_starts(market: IntArray, family: IntArray) -> IntArray:
    """Where each nest starts among routes in the order of markets and families, and the end."""
    is_first = np.ones(market.shape[0], dtype=np.bool_)
    is_first[1:] = (np.diff(market) != 0) | (np.diff(family) != 0)
    return np.append(np.flatnonzero(is_first), market.shape[0]).astype(np.int64)


def taken_in_order(order: IntArray, length: IntArray, values: npt.NDArray[Any]) -> tuple[IntArray, npt.NDArray[Any]]:
    """Stretches of values, one after another with these lengths, in another order or only some of them: where each starts, and they."""
    start, taken = (np.cumsum(length) - length)[order], length[order]
    first = np.append(0, np.cumsum(taken)).astype(np.int64)
    return first, values[np.repeat(start - first[:-1], taken) + np.arange(first[-1])]


@dataclass(frozen=True)
class RouteSets:
    """Routes by market and, within a market, by family in order, then by cost.

    Attributes:
        family_ids: Names of the family positions, in order.
        market_ids: Market, origin centroid and destination centroid, sorted.
        market_commodity, market_form, market_origin_region, market_destination_region: Labels, each of length markets.
        market_row: Row of the market in demand, shape (markets,).
        market_share: Share of the market's goods between these two centroids, shape (markets,).
        market_goods: Position of the market's goods among the sorted names, shape (markets,).
        market_first_route: shape (markets + 1,).
        route_family: Position in family_ids, shape (routes,).
        route_first_arc: shape (routes + 1,).
        route_arc: Arcs of the state graph in travel order, access first and last.
        components: tariff, handling (with access), time, waiting, reliability, co2, USD/t, shape (routes, 6).
        leg_cost: Cost of each arc as path sizes weigh it, USD/t, shape (goods, arcs).
        co2_price_usd_per_t: Carbon price in the costs.
        graph: The state graph.
        is_open: Routes that may be taken now, None for all; the others keep their place, cost `SHUT_USD_PER_T` and share no leg, shape
            (routes,).
        overlaps: Routes that count where legs are shared, None for those that are open, shape (routes,).
    """

    family_ids: tuple[str, ...]
    market_ids: tuple[tuple[str, str, str], ...]
    market_commodity: tuple[str, ...]
    market_form: tuple[str, ...]
    market_origin_region: tuple[str, ...]
    market_destination_region: tuple[str, ...]
    market_row: IntArray
    market_share: FloatArray
    market_goods: IntArray
    market_first_route: IntArray
    route_family: IntArray
    route_first_arc: IntArray
    route_arc: IntArray
    components: FloatArray
    leg_cost: FloatArray
    co2_price_usd_per_t: float
    graph: StateGraph
    is_open: BoolArray | None = None
    overlaps: BoolArray | None = None

    @property
    def route_count(self) -> int:
        """Number of routes."""
        return int(self.route_family.shape[0])

    @cached_property
    def unreachable(self) -> tuple[tuple[str, str, str], ...]:
        """Markets without any route."""
        return tuple(self.market_ids[index] for index in np.flatnonzero(np.diff(self.market_first_route) == 0))

    @cached_property
    def route_market(self) -> IntArray:
        """Market of each route, shape (routes,)."""
        return np.repeat(np.arange(len(self.market_ids), dtype=np.int64), np.diff(self.market_first_route))

    @cached_property
    def route_of_step(self) -> IntArray:
        """Route of each entry of route_arc."""
        return np.repeat(np.arange(self.route_count, dtype=np.int64), np.diff(self.route_first_arc))

    @cached_property
    def cost_usd_per_t(self) -> FloatArray:
        """Generalised cost, shape (routes,)."""
        total: FloatArray = self.components.sum(axis=1)
        return total if self.is_open is None else np.where(self.is_open, total, SHUT_USD_PER_T)

    @cached_property
    def path_size(self) -> FloatArray:
        """Sum over legs of cost share over number of routes of the market's family that use the leg, shape (routes,)."""
        found = np.ones(self.route_count)
        routes = _choice_kernels.Routes(self.route_first_arc, self.route_arc, self.market_goods[self.route_market])
        counted = self.overlaps if self.overlaps is not None else self.is_open
        counted = np.ones(self.route_count, dtype=np.bool_) if counted is None else counted
        _choice_kernels.path_sizes(routes, nest_starts(self.route_market, self.route_family), counted, self.leg_cost, found)
        return found

    @cached_property
    def hours(self) -> FloatArray:
        """Hours moving, waiting, at borders, gauge changes and ports, shape (routes, 5)."""
        return np.stack([self.sums(self.graph.arc_hours[:, heading]) for heading in range(len(HOURS))], axis=1)

    @cached_property
    def sd_h(self) -> FloatArray:
        """Standard deviation of transit time: root of the sum of arc variances, hours, shape (routes,)."""
        return np.sqrt(self.sums(self.graph.arc_sd_h**2))

    @cached_property
    def length_km(self) -> FloatArray:
        """Length, shape (routes,)."""
        return self.sums(self.graph.arc_length_km)

    @cached_property
    def co2e_wtw_kg_per_t(self) -> FloatArray:
        """Well-to-wheel emissions, shape (routes,)."""
        return self.sums(self.graph.arc_co2e_wtw_kg_per_t)

    @cached_property
    def co2e_ttw_kg_per_t(self) -> FloatArray:
        """Tank-to-wheel emissions, shape (routes,)."""
        return self.sums(self.graph.arc_co2e_ttw_kg_per_t)

    def sums(self, by_arc: FloatArray) -> FloatArray:
        """Sum of a number of arcs over each route, shape (routes,); every route has arcs."""
        return np.add.reduceat(by_arc[self.route_arc], self.route_first_arc[:-1]) if self.route_count else np.zeros(0)

    def arcs_of(self, route: int) -> IntArray:
        """Arcs of one route in travel order."""
        return self.route_arc[self.route_first_arc[route] : self.route_first_arc[route + 1]]
