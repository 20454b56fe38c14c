"""The compiled loops over routes against plain, slow twins, on random routes that need no network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from karvan.routing import _choice_kernels

SEEDS = range(30)
ARCS, GOODS, ROWS = 14, 3, 6


@dataclass(frozen=True)
class Case:
    """Random routes in nests of markets, each market of one goods."""

    market_first_nest: np.ndarray
    nest_first_route: np.ndarray
    arcs: tuple[tuple[int, ...], ...]
    goods: np.ndarray
    leg_cost: np.ndarray
    rng: np.random.Generator

    @property
    def routes(self):
        first = np.append(0, np.cumsum([len(arcs) for arcs in self.arcs])).astype(np.int64)
        return _choice_kernels.Routes(first, np.array([arc for arcs in self.arcs for arc in arcs], dtype=np.int64), self.goods)

    @property
    def nests(self):
        return [list(range(*pair)) for pair in zip(self.nest_first_route[:-1], self.nest_first_route[1:], strict=True)]


def _case(seed):
    rng = np.random.default_rng(seed)
    nests_of_market = rng.integers(1, 4, size=5)
    routes_of_nest = rng.integers(1, 9, size=nests_of_market.sum())
    market_goods = rng.integers(0, GOODS, size=5)
    goods_of_nest = np.repeat(market_goods, nests_of_market)
    leg_cost = rng.uniform(1.0, 20.0, size=(GOODS, ARCS))
    leg_cost[:, 0] = 0.0
    arcs = tuple(
        tuple(rng.choice(ARCS, size=rng.integers(1, 7), replace=False).tolist()) if rng.random() < 0.95 else (0,)
        for _ in range(routes_of_nest.sum())
    )
    return Case(
        np.append(0, np.cumsum(nests_of_market)).astype(np.int64),
        np.append(0, np.cumsum(routes_of_nest)).astype(np.int64),
        arcs,
        np.repeat(goods_of_nest, routes_of_nest).astype(np.int64),
        leg_cost,
        rng,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_components_and_sums(seed):
    case = _case(seed)
    by_arc, reliability = case.rng.random((GOODS, ARCS, 6)), case.rng.random(GOODS)
    found, sums = np.empty((len(case.arcs), 6)), np.empty(len(case.arcs))
    _choice_kernels.components(case.routes, by_arc, reliability, found)
    _choice_kernels.sums(case.routes, case.leg_cost, sums)
    for route, (arcs, goods) in enumerate(zip(case.arcs, case.goods, strict=True)):
        parts = by_arc[goods, list(arcs)].sum(axis=0)
        assert found[route] == pytest.approx([*parts[:4], reliability[goods] * math.sqrt(parts[5]), parts[4]], rel=1e-12)
        assert sums[route] == pytest.approx(case.leg_cost[goods, list(arcs)].sum(), rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_path_sizes(seed):
    case = _case(seed)
    is_open = case.rng.random(len(case.arcs)) < 0.7
    found, among_open = np.empty(len(case.arcs)), np.zeros(len(case.arcs))
    _choice_kernels.path_sizes(case.routes, case.nest_first_route, np.ones_like(is_open), case.leg_cost, found)
    assert found == pytest.approx([_path_size(case, route, nest) for nest in case.nests for route in nest], rel=1e-12)
    _choice_kernels.path_sizes(case.routes, case.nest_first_route, is_open, case.leg_cost, among_open)
    open_nests = [[route for route in nest if is_open[route]] for nest in case.nests]
    wanted = {route: _path_size(case, route, nest) for nest in open_nests for route in nest}
    assert among_open == pytest.approx([wanted.get(route, 0.0) for route in range(len(case.arcs))], rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_entries(seed):
    case = _case(seed)
    rng, count = case.rng, len(case.arcs)
    is_summed, marks = rng.random(ROWS) < 0.4, rng.integers(1, 1 << 60, size=ROWS).astype(np.uint64)
    uses = [
        (goods, arc, int(rng.integers(ROWS)), float(rng.normal()), int(rng.choice([-1, 0, 1])), int(rng.choice([-1, 0, 1])))
        for goods in range(GOODS)
        for arc in range(ARCS)
        for _ in range(rng.integers(0, 4))
    ]
    ends = rng.integers(0, 2, size=(count, 2))
    cells = np.array([goods * ARCS + arc for goods, arc, *_ in uses])
    edges = np.searchsorted(cells, np.arange(GOODS * ARCS + 1))
    first = np.array([edges[goods * ARCS : (goods + 1) * ARCS + 1] for goods in range(GOODS)]).astype(np.int64)
    columns = [np.array(column) for column in zip(*uses, strict=True)]
    row, units, only_from, only_to = columns[2].astype(np.int64), columns[3], columns[4].astype(np.int64), columns[5].astype(np.int64)
    found = _choice_kernels.entries(case.routes, (first, row, units, only_from, only_to), ends, is_summed, marks)
    times = [1] * ROWS
    for route, (arcs, goods) in enumerate(zip(case.arcs, case.goods, strict=True)):
        mine = [
            (use_row, per_t)
            for arc in arcs
            for use_goods, use_arc, use_row, per_t, origin, destination in uses
            if (use_goods, use_arc) == (goods, arc) and origin in (-1, ends[route, 0]) and destination in (-1, ends[route, 1])
        ]
        taken = {}
        for use_row in sorted({use_row for use_row, _ in mine}):
            amounts = [per_t for other, per_t in mine if other == use_row]
            taken[use_row] = sum(amounts) if is_summed[use_row] else max(amounts)
            times[use_row] = max(times[use_row], len(amounts))
        part = slice(found[0][route], found[0][route + 1])
        assert found[1][part].tolist() == list(taken)
        assert found[2][part] == pytest.approx(list(taken.values()), rel=1e-9, abs=1e-12)
        assert found[3][route] == np.bitwise_xor.reduce(marks[list(taken)], initial=np.uint64(0))
    assert found[4].tolist() == times


def _path_size(case, route, users):
    """Path size of a route among the users of its legs, itself one of them."""
    leg = case.leg_cost[case.goods[route]]
    length = sum(leg[arc] for arc in case.arcs[route])
    shared = sum(leg[arc] / sum(arc in case.arcs[user] for user in users) for arc in case.arcs[route])
    return shared / length if length > 0.0 else 1.0


def _is_variant(case, route, others, signature, overlap_bound):
    leg = case.leg_cost[case.goods[route]]
    length = sum(leg[arc] for arc in case.arcs[route])
    return any(
        signature[other] == signature[route]
        and sum(leg[arc] for arc in case.arcs[route] if arc in case.arcs[other]) > overlap_bound * length
        for other in others
    )


def _entered(case, signature, cost, thetas, choice, bounds, inside):
    """Who enters, twice round each nest from its cheapest route on, and what is left out after that; by plain loops."""
    (nest_theta, market_theta), (constant, stay), (share_bound, overlap_bound, most) = thetas, choice, bounds
    inside, nests, variants = set(inside), case.nests, set()
    gap, shares, newest = np.zeros(len(nests)), np.zeros(len(nests)), 0.0

    def composite(nest, routes):
        theta = nest_theta[nest]
        return constant[nest] - math.log(sum(_path_size(case, route, routes) * math.exp(-theta * cost[route]) for route in routes)) / theta

    composites, new_best = np.empty(len(nests)), {}
    for nest, routes in enumerate(nests):
        best = min(routes, key=lambda route: (cost[route], route))
        new_best |= {} if best in inside else {nest: best}
        inside.add(best)
        composites[nest] = composite(nest, [route for route in routes if route in inside])

    def share(market, nest, values):
        first, last = case.market_first_nest[market : market + 2]
        total = sum(math.exp(-market_theta[market] * values[other]) for other in range(first, last))
        return math.exp(-market_theta[market] * values[nest]) / (total + math.exp(-market_theta[market] * stay[market]))

    for market in range(len(stay)):
        for nest in range(*case.market_first_nest[market : market + 2]):
            if nest in new_best:
                route = new_best[nest]
                weight = math.exp(-nest_theta[nest] * (cost[route] + constant[nest] - composites[nest]))
                part = weight * _path_size(case, route, [other for other in nests[nest] if other in inside])
                newest = max(newest, part * share(market, nest, composites))
        for attempt in range(3):
            for nest in range(*case.market_first_nest[market : market + 2]):
                shares[nest] = share(market, nest, composites)
                for route in sorted(nests[nest], key=lambda route: (cost[route], route)):
                    mine = [other for other in nests[nest] if other in inside]
                    if route in inside or route in variants:
                        continue
                    weight = math.exp(-nest_theta[nest] * (cost[route] + constant[nest] - composites[nest]))
                    if share(market, nest, composites) * weight < 1e-3 * share_bound:
                        break
                    if _is_variant(case, route, mine, signature, overlap_bound):
                        variants.add(route)
                        continue
                    weight *= _path_size(case, route, [*mine, route])
                    with_it = composites.copy()
                    with_it[nest] -= math.log1p(weight) / nest_theta[nest]
                    taken = share(market, nest, with_it) * weight / (1.0 + weight)
                    if attempt == 2:
                        gap[nest] = max(gap[nest], taken)
                    elif taken >= share_bound and len(mine) < most:
                        inside.add(route)
                        newest = max(newest, taken)
                        composites[nest] = composite(nest, [*mine, route])
    return inside, gap, shares, composites, newest


@pytest.mark.parametrize("seed", range(60))
def test_who_enters(seed):
    case = _case(seed)
    rng, nests, markets, count = case.rng, len(case.nests), len(case.market_first_nest) - 1, len(case.arcs)
    signature = rng.integers(0, 3, size=count).astype(np.uint64)
    cost = np.array([case.leg_cost[goods, list(arcs)].sum() for arcs, goods in zip(case.arcs, case.goods, strict=True)])
    cost += 10.0 * rng.normal(size=count)
    thetas = (rng.uniform(0.05, 0.3, size=nests), rng.uniform(0.02, 0.3, size=markets))
    choice = (5.0 * rng.normal(size=nests), np.where(rng.random(markets) < 0.3, np.inf, rng.uniform(20.0, 60.0, size=markets)))
    bounds = (float(rng.choice([1e-3, 0.02, 0.1])), 0.5, int(rng.choice([3, 60])))
    is_in = rng.random(count) < 0.2
    expected = _entered(case, signature, cost, thetas, choice, bounds, np.flatnonzero(is_in).tolist())
    nest_of_route = np.repeat(np.arange(nests), np.diff(case.nest_first_route))
    gap, shares, composites, newest = _choice_kernels.enter(
        case.market_first_nest, case.nest_first_route, case.routes, signature, case.leg_cost, cost,
        np.lexsort((cost, nest_of_route)), is_in, thetas, choice, bounds,
    )  # fmt: skip
    assert set(np.flatnonzero(is_in).tolist()) == expected[0]
    assert gap == pytest.approx(expected[1], rel=1e-9, abs=1e-15)
    assert shares == pytest.approx(expected[2], rel=1e-9)
    assert composites == pytest.approx(expected[3], rel=1e-9, abs=1e-12)
    assert newest == pytest.approx(expected[4], rel=1e-9, abs=1e-15)
