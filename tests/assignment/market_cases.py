"""Small market programs that the tests share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from karvan.assignment.dual import AT_MOST
from karvan.assignment.market import MarketProblem


@dataclass(frozen=True)
class Route:
    """A route: cost in USD/t, what it uses of each row per tonne, its path size."""

    cost: float
    uses: dict[int, float] = field(default_factory=dict)
    path_size: float = 1.0


@dataclass(frozen=True)
class Family:
    """A nest of routes."""

    routes: Sequence[Route]
    theta: float
    constant: float = 0.0


@dataclass(frozen=True)
class Market:
    """A market: its nests, flow in kt and demand."""

    families: Sequence[Family]
    theta: float
    flow: float
    price: float = 0.0
    base_cost: float = 0.0
    elasticity: float = 0.0
    factor: float = 1.0


def one_nest(routes: Sequence[Route], theta: float, flow: float, **demand: float) -> Market:
    """A market whose routes stand in one nest."""
    return Market([Family(routes, theta)], theta, flow, **demand)


def program(
    markets: Sequence[Market], capacity: Sequence[float], unit: Sequence[int] | None = None, sense: Sequence[int] | None = None
) -> MarketProblem:
    """Lay markets out as arrays."""
    families = [family for market in markets for family in market.families]
    routes = [route for family in families for route in family.routes]
    entries = [entry for route in routes for entry in route.uses.items()]

    def starts(counts: list[int]) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def floats(values: list[float]) -> np.ndarray:
        return np.array(values, dtype=np.float64)

    return MarketProblem(
        market_first_family=starts([len(market.families) for market in markets]),
        family_first_route=starts([len(family.routes) for family in families]),
        route_first_entry=starts([len(route.uses) for route in routes]),
        entry_row=np.array([row for row, _ in entries], dtype=np.int64),
        entry_units_per_t=floats([units for _, units in entries]),
        route_cost_usd_per_t=floats([route.cost for route in routes]),
        route_path_size=floats([route.path_size for route in routes]),
        family_constant_usd_per_t=floats([family.constant for family in families]),
        family_theta=floats([family.theta for family in families]),
        market_theta=floats([market.theta for market in markets]),
        market_flow_kt=floats([market.flow for market in markets]),
        market_price_usd_per_t=floats([market.price for market in markets]),
        market_base_cost_usd_per_t=floats([market.base_cost for market in markets]),
        market_elasticity=floats([market.elasticity for market in markets]),
        market_factor=floats([market.factor for market in markets]),
        market_price_weight=np.ones(len(markets)),
        row_capacity=floats(list(capacity)),
        row_sense=np.array([AT_MOST] * len(capacity) if sense is None else sense, dtype=np.int64),
        row_unit=np.array([0] * len(capacity) if unit is None else unit, dtype=np.int64),
    )


def two_routes(flow: float, capacity: Sequence[float], **demand: float) -> MarketProblem:
    """Costs 100 and 120, theta 0.05; all rows in series on the first route."""
    first = Route(100.0, dict.fromkeys(range(len(capacity)), 1.0))
    return program([one_nest([first, Route(120.0)], 0.05, flow, **demand)], capacity)


def random_program(
    seed: int, *, markets: int = 6, families: int = 2, routes: int = 3, rows: int = 6, tightness: float = 0.6
) -> MarketProblem:
    """A random program; demand elastic in every second market; each market can stay at home at a high cost."""
    chance = np.random.default_rng(seed)
    made = []
    for index in range(markets):
        nests = []
        for _ in range(families):
            options = []
            for _ in range(routes):
                used = chance.choice(rows, size=int(chance.integers(1, 4)), replace=False)
                uses = {int(row): float(chance.uniform(0.05, 1.5)) for row in used}
                options.append(Route(float(chance.uniform(60.0, 180.0)), uses, float(chance.uniform(0.4, 1.0))))
            nests.append(Family(options, float(chance.uniform(0.05, 0.12)), float(chance.uniform(-10.0, 10.0))))
        nests.append(Family([Route(400.0)], 0.1))
        elasticity = 0.0 if index % 2 else float(chance.uniform(0.5, 5.0))
        made.append(Market(nests, 0.04, float(chance.uniform(1.0, 20.0)), 1000.0, 100.0, elasticity, float(chance.uniform(0.8, 1.2))))
    loose = program(made, [np.inf] * rows, unit=[row % 2 for row in range(rows)])
    use = np.zeros(rows)
    np.add.at(use, loose.entry_row, loose.entry_units_per_t)
    share = tightness * float(loose.market_flow_kt.sum()) / (markets * families * routes)
    capacity = share * np.maximum(use, 1.0) * chance.uniform(0.5, 2.0, rows)
    return program(made, list(capacity), unit=[row % 2 for row in range(rows)])
