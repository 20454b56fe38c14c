"""Snapshot to cleared market: its routes, remembered, and its program, solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from karvan.assignment import (
    Assembly,
    Clearing,
    ClearOptions,
    MarketProblem,
    assemble,
    with_capacity,
)
from karvan.assignment import (
    clear as clear_market,
)
from karvan.corridor import Snapshot
from karvan.errors import DataError, Problem
from karvan.routing import (
    FacilityEntries,
    RevenueRates,
    RouteSets,
    StateGraph,
    build_graph,
    cordon_weights,
    facility_entries,
    revenue_rates,
    route_sets,
)

FloatArray = npt.NDArray[np.float64]
_ROUTING_TABLES = (
    "places", "modes", "links", "terminals", "facility_uses", "tariffs", "route_families", "regions", "region_places",
    "commodities", "commodity_units", "permissions", "cordons", "operators",
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """How scarcity is settled. `price`: by a price in USD per unit that goes to the facility's owner."""

    regime: str = "price"
    tolerance: float = 1e-6


@dataclass(frozen=True)
class RoutedSnapshot:
    """A snapshot with its state graph, route sets, facility entries, cordon weights (kt and kTEU per kt, by cordon) and who is paid."""

    snapshot: Snapshot
    graph: StateGraph
    sets: RouteSets
    entries: FacilityEntries
    cordons: Mapping[str, tuple[FloatArray, FloatArray]]
    rates: RevenueRates


class RouteMemory:
    """Route sets remembered by what they depend on, so that years and scenarios with the same network share them."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], RoutedSnapshot] = {}

    def routed(self, snapshot: Snapshot, *, co2_price_usd_per_t: float, is_strict: bool = True) -> RoutedSnapshot:
        """The snapshot with its routes.

        Args:
            snapshot: The snapshot.
            co2_price_usd_per_t: Carbon price in route choice.
            is_strict: A market without a route is an error; if false its goods stay at home, as under a ban.

        Raises:
            DataError: A market has no route.
        """
        key = _routing_key(snapshot, co2_price_usd_per_t)
        if key not in self._known:
            graph = build_graph(snapshot.tables)
            sets = route_sets(graph, snapshot.tables, date=snapshot.state_date, co2_price_usd_per_t=co2_price_usd_per_t)
            names = sorted(set(snapshot.tables["cordons"]["cordon_id"]))
            cordons = {name: cordon_weights(graph, snapshot.tables, sets, name) for name in names}
            self._known[key] = RoutedSnapshot(
                snapshot, graph, sets, facility_entries(graph, snapshot.tables, sets), cordons, revenue_rates(graph, snapshot.tables, sets)
            )
        routed = replace(self._known[key], snapshot=snapshot)
        if is_strict and routed.sets.unreachable:
            raise DataError([_unreachable(snapshot, market) for market in routed.sets.unreachable])
        return routed


def _routing_key(snapshot: Snapshot, co2_price_usd_per_t: float) -> tuple[object, ...]:
    rules = snapshot.tables["permissions"]
    begun = rules["from_date"].is_null() | (rules["from_date"] <= snapshot.state_date)
    running = rules["until_date"].is_null() | (rules["until_date"] > snapshot.state_date)
    in_force = tuple(rules.filter(begun & running & rules["in_force"])["permission_id"].sort())
    digests = tuple(int(snapshot.tables[name].hash_rows(seed=7).sum()) for name in _ROUTING_TABLES if name != "permissions")
    rule_digest = int(rules.drop("in_force").hash_rows(seed=7).sum()) if rules.height else 0
    markets = int(
        snapshot.tables["demand"]
        .select("market_id", "origin_region", "destination_region", "commodity_group", "form")
        .hash_rows(seed=7)
        .sum()
    )
    facilities = int(snapshot.tables["facilities"].select("facility_id", "unit").hash_rows(seed=7).sum())
    return (*digests, rule_digest, in_force, markets, facilities, co2_price_usd_per_t)


def _unreachable(snapshot: Snapshot, market: tuple[str, str, str]) -> Problem:
    market_id, origin, destination = market
    row = snapshot.tables["demand"]["market_id"].to_list().index(market_id) + 1
    remedy = "open a link, a terminal or a tariff, or drop the market"
    message = f"market {market_id} has no route from {origin} to {destination} in {snapshot.year}; {remedy}"
    return Problem("demand", row, "market_id", message)


@dataclass(frozen=True)
class Cleared:
    """A cleared snapshot."""

    routed: RoutedSnapshot
    assembly: Assembly
    clearing: Clearing

    @property
    def problem(self) -> MarketProblem:
        return self.assembly.problem


def clear(
    snapshot: Snapshot,
    *,
    market: Market | None = None,
    routes: RouteMemory | None = None,
    start: FloatArray | None = None,
    co2_price_usd_per_t: float = 0.0,
    is_strict: bool = True,
) -> Cleared:
    """Clear the market of a snapshot.

    Args:
        snapshot: The corridor in a year.
        market: Scarcity regime and tolerance.
        routes: Route sets to share with other snapshots.
        start: Prices to start from, USD per unit, shape (facilities,).
        co2_price_usd_per_t: Carbon price in route choice.
        is_strict: A market without a route is an error; if false its goods stay at home.

    Raises:
        DataError: A market has no route.
        ConvergenceError: The program did not reach its tolerance.
    """
    market = market or Market()
    routed = (routes or RouteMemory()).routed(snapshot, co2_price_usd_per_t=co2_price_usd_per_t, is_strict=is_strict)
    assembly = assemble(snapshot.tables, routed.sets, routed.entries)
    clearing = clear_market(assembly.problem, start=start, options=ClearOptions(tolerance=market.tolerance))
    return Cleared(routed, assembly, clearing)


def lifted(problem: MarketProblem, rows: list[int]) -> MarketProblem:
    """The program with the limits of some rows lifted."""
    capacity = problem.row_capacity.copy()
    capacity[rows] = np.inf
    return with_capacity(problem, capacity)
