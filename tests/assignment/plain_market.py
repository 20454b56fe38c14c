"""Plain, slow twin of the compiled market kernel: loops over Python lists, formulas as written in the methods."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import numpy as np

from karvan.assignment.market import MarketProblem


@dataclass(frozen=True)
class PlainMarket:
    """What the twin computes."""

    route_flow: list[float]
    row_flow: list[float]
    market_cost: list[float]
    demand: list[float]
    surplus: list[float]


def plain_market(problem: MarketProblem, prices: list[float]) -> PlainMarket:
    """Evaluate the program at row prices without any guard against overflow."""
    flows, costs, demands, surpluses = [], [], [], []
    row_flow = [0.0] * len(prices)
    for w in range(len(problem.market_flow_kt)):
        nests = []
        for j in range(problem.market_first_family[w], problem.market_first_family[w + 1]):
            theta = problem.family_theta[j]
            weights = []
            for r in range(problem.family_first_route[j], problem.family_first_route[j + 1]):
                entries = range(problem.route_first_entry[r], problem.route_first_entry[r + 1])
                cost = problem.route_cost_usd_per_t[r] + problem.market_price_weight[w] * sum(
                    problem.entry_units_per_t[k] * prices[problem.entry_row[k]] for k in entries
                )
                weights.append(problem.route_path_size[r] * exp(-theta * cost))
            nests.append((problem.family_constant_usd_per_t[j] - log(sum(weights)) / theta, weights))
        theta = problem.market_theta[w]
        nest_weights = [exp(-theta * cost) for cost, _ in nests]
        cost = -log(sum(nest_weights)) / theta
        sigma, base = problem.market_elasticity[w], problem.market_price_usd_per_t[w] + problem.market_base_cost_usd_per_t[w]
        quantity = problem.market_flow_kt[w] * problem.market_factor[w]
        if sigma == 0.0:
            demand, surplus = quantity, -quantity * cost
        else:
            ratio = (problem.market_price_usd_per_t[w] + cost) / base
            demand = quantity * ratio**-sigma
            surplus = -quantity * base * log(ratio) if sigma == 1.0 else quantity * base / (sigma - 1.0) * ratio ** (1.0 - sigma)
        costs.append(cost)
        demands.append(demand)
        surpluses.append(surplus)
        for (_, weights), nest_weight in zip(nests, nest_weights, strict=True):
            nest_flow = demand * nest_weight / sum(nest_weights)
            flows += [nest_flow * weight / sum(weights) for weight in weights]
    for r, flow in enumerate(flows):
        for k in range(problem.route_first_entry[r], problem.route_first_entry[r + 1]):
            row_flow[problem.entry_row[k]] += problem.entry_units_per_t[k] * flow
    return PlainMarket(flows, row_flow, costs, demands, surpluses)


def shuffled(problem: MarketProblem, seed: int) -> tuple[MarketProblem, np.ndarray, np.ndarray]:
    """The same program with markets and rows in another order; the new order of markets and of rows."""
    chance = np.random.default_rng(seed)
    markets = chance.permutation(len(problem.market_flow_kt))
    rows = chance.permutation(len(problem.row_capacity))
    new_row = np.argsort(rows)

    def spans(first: np.ndarray, order: np.ndarray) -> np.ndarray:
        return np.concatenate([np.arange(first[index], first[index + 1]) for index in order]).astype(np.int64)

    def starts(first: np.ndarray, order: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(np.diff(first)[order])]).astype(np.int64)

    families = spans(problem.market_first_family, markets)
    routes = spans(problem.family_first_route, families)
    entries = spans(problem.route_first_entry, routes)
    return (
        MarketProblem(
            market_first_family=starts(problem.market_first_family, markets),
            family_first_route=starts(problem.family_first_route, families),
            route_first_entry=starts(problem.route_first_entry, routes),
            entry_row=new_row[problem.entry_row[entries]].astype(np.int64),
            entry_units_per_t=problem.entry_units_per_t[entries],
            route_cost_usd_per_t=problem.route_cost_usd_per_t[routes],
            route_path_size=problem.route_path_size[routes],
            family_constant_usd_per_t=problem.family_constant_usd_per_t[families],
            family_theta=problem.family_theta[families],
            market_theta=problem.market_theta[markets],
            market_flow_kt=problem.market_flow_kt[markets],
            market_price_usd_per_t=problem.market_price_usd_per_t[markets],
            market_base_cost_usd_per_t=problem.market_base_cost_usd_per_t[markets],
            market_elasticity=problem.market_elasticity[markets],
            market_factor=problem.market_factor[markets],
            market_price_weight=problem.market_price_weight[markets],
            row_capacity=problem.row_capacity[rows],
            row_sense=problem.row_sense[rows],
            row_unit=problem.row_unit[rows],
        ),
        markets,
        rows,
    )
