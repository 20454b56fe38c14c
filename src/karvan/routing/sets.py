"""The noun: routes that each market chooses from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

COMPONENTS = ("tariff", "handling", "time", "waiting", "reliability", "co2")
HOURS = ("moving", "waiting", "border", "gauge", "port")


@dataclass(frozen=True)
class RouteSets:
    """Routes by market and, within a market, by family in order, then by cost.

    Attributes:
        family_ids: Names of the family positions, in order.
        market_ids: Market, origin centroid and destination centroid, sorted.
        market_commodity, market_form, market_origin_region, market_destination_region: Labels, each of length markets.
        market_row: Row of the market in demand, shape (markets,).
        market_share: Share of the market's goods between these two centroids, shape (markets,).
        market_first_route: shape (markets + 1,).
        route_family: Position in family_ids, shape (routes,).
        route_first_arc: shape (routes + 1,).
        route_arc: Arcs of the state graph in travel order, access first and last.
        components: tariff, handling (with access), time, waiting, reliability, co2, USD/t, shape (routes, 6).
        hours: moving, waiting, border, gauge, port, hours, shape (routes, 5).
        sd_h: Standard deviation of transit time: root of the sum of arc variances, hours, shape (routes,).
        length_km: shape (routes,).
        co2e_wtw_kg_per_t, co2e_ttw_kg_per_t: Well-to-wheel and tank-to-wheel emissions, shape (routes,).
        path_size: Sum over legs of cost share over number of routes of the market's family that use the leg, shape (routes,).
        unreachable: Markets without any route.
        co2_price_usd_per_t: Carbon price in the costs.
    """

    family_ids: tuple[str, ...]
    market_ids: tuple[tuple[str, str, str], ...]
    market_commodity: tuple[str, ...]
    market_form: tuple[str, ...]
    market_origin_region: tuple[str, ...]
    market_destination_region: tuple[str, ...]
    market_row: IntArray
    market_share: FloatArray
    market_first_route: IntArray
    route_family: IntArray
    route_first_arc: IntArray
    route_arc: IntArray
    components: FloatArray
    hours: FloatArray
    sd_h: FloatArray
    length_km: FloatArray
    co2e_wtw_kg_per_t: FloatArray
    co2e_ttw_kg_per_t: FloatArray
    path_size: FloatArray
    unreachable: tuple[tuple[str, str, str], ...]
    co2_price_usd_per_t: float

    @property
    def route_count(self) -> int:
        """Number of routes."""
        return int(self.route_family.shape[0])

    @property
    def route_market(self) -> IntArray:
        """Market of each route, shape (routes,)."""
        return np.repeat(np.arange(len(self.market_ids), dtype=np.int64), np.diff(self.market_first_route))

    @property
    def route_of_step(self) -> IntArray:
        """Route of each entry of route_arc."""
        return np.repeat(np.arange(self.route_count, dtype=np.int64), np.diff(self.route_first_arc))

    @property
    def cost_usd_per_t(self) -> FloatArray:
        """Generalised cost, shape (routes,)."""
        total: FloatArray = self.components.sum(axis=1)
        return total

    def arcs_of(self, route: int) -> IntArray:
        """Arcs of one route in travel order."""
        return self.route_arc[self.route_first_arc[route] : self.route_first_arc[route + 1]]

    def steps_by_commodity(self) -> Iterator[tuple[str, IntArray]]:
        """For each commodity group the positions in route_arc that carry it."""
        names = sorted(set(self.market_commodity))
        code = np.array([names.index(name) for name in self.market_commodity], dtype=np.int64)
        of_step = code[self.route_market][self.route_of_step]
        for index, name in enumerate(names):
            yield name, np.flatnonzero(of_step == index).astype(np.int64)
