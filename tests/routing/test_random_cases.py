"""Route sets of random cases against brute force and plain sums."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from karvan.routing import (
    RouteSetOptions,
    Standing,
    at_rest,
    classify,
    compile_families,
    entered,
    facility_entries,
    first_routes,
    price_costs,
)
from tests.routing.plain import cheapest_through_links, composite, every_route, left_out, nests_of, search_costs
from tests.routing.small import at, choices, link, links_of, market, one_family, places, priced, rate, routed, space_of, tables
from tests.routing.twin import random_dag

ENTER_SHARE = RouteSetOptions().enter_share


def _random_case(seed, *, two_way=False, theta=0.05, facility_of=lambda number: number):
    """A random network with four families, facilities and a ban, of one-way links or of links that work both ways."""
    rng = np.random.default_rng(seed)
    count = 8 if two_way else 9
    ends, cost = random_dag(rng, count, zero_share=0.0)
    names = [f"p{node}" for node in range(count)]
    links = [link(names[low], names[high], one_way=not two_way, time_h=float(rng.integers(1, 50))) for low, high in ends]
    ids = [row["link_id"] for row in links]

    def some(number):
        return ";".join(rng.choice(ids, size=number, replace=False).tolist())

    used = rng.choice(ids, size=min(9, len(ids)), replace=False).tolist()
    return tables(
        places=places(*names),
        modes=[{"mode": "rail", "loading_unit": "wagon", "time_sd_share": 0.3}],
        commodities=[
            {
                "commodity_group": "grain", "time_value_factor": 20.0, "reliability_ratio": 0.4, "route_theta_per_usd_per_t": theta,
                "family_theta_per_usd_per_t": 0.6 * theta, "not_shipped_usd_per_t": 200.0,
            }
        ],
        regions=[{"region_id": "west"}, {"region_id": "east"}],
        region_places=[at("west", "p0"), at("east", names[-2], share=0.5), at("east", names[-1], share=0.5)],
        links=links,
        tariffs=[rate(name, float(value)) for name, value in zip(ids, cost, strict=True)],
        facilities=[{"facility_id": f"f{number}"} for number in range(9)],
        facility_uses=[
            {"use_id": f"u{number}", "facility_id": f"f{facility_of(number)}", "link_id": name} for number, name in enumerate(used)
        ],
        route_families=[
            {"family_id": "any", "order": 1, "via_any": some(2)},
            {"family_id": "all", "order": 2, "via_all": some(1), "not_via": some(1)},
            {"family_id": "both", "order": 3, "via_any": some(3), "via_all": some(1)},
            {"family_id": "rest", "order": 4},
        ],
        permissions=[{"permission_id": "ban", "link_id": ids[0], "origin_region": "west"}],
        demand=[market("west", "east")],
    )  # fmt: skip


def _random_standing(space, seed):
    rng = np.random.default_rng(1000 + seed)
    price = 20.0 * rng.random(space.rows.count) * (rng.random(space.rows.count) < 0.6)
    delay_h = 30.0 * rng.random(space.rows.count) * (rng.random(space.rows.count) < 0.4)
    return Standing(price, delay_h, np.ones(space.market_count), {("any", "grain"): 10.0 * rng.standard_normal()})


def _settled(seed, *, overlap_bound=0.5, **more):
    """A random case with all routes that are choices at random prices, delays and constants."""
    space = space_of(_random_case(seed, **more), overlap_bound=overlap_bound, per_search=1000, per_family=1000)
    standing = _random_standing(space, seed)
    return space, standing, entered(space, choices(space, standing), standing)


CASES = [
    (seed, two_way, theta, bound) for two_way in (False, True) for theta in (0.05, 0.2) for bound in (0.5, 1.0) for seed in (*range(9), 25)
]


@pytest.mark.parametrize(("seed", "two_way", "theta", "overlap_bound"), CASES)
def test_no_route_is_left_out_that_is_the_cheapest_through_a_link(seed, two_way, theta, overlap_bound):
    """Of every route of the nests that no walk through one of its links beats, told by brute force, but for variants of cheaper ones."""
    space, standing, found = _settled(seed, two_way=two_way, theta=theta, overlap_bound=overlap_bound)
    nests = nests_of(space, found.sets, standing)
    candidates = cheapest_through_links(space, nests, search_costs(space, standing, found.entries.times))
    left = left_out(space, found, standing, among=candidates)
    assert max(left.values(), default=0.0) < ENTER_SHARE
    gap = {nest: found.gap[nest] for nest in nests}
    every = left_out(space, found, standing)
    assert all(gap[nest] <= every[nest] + 1e-12 for nest in nests)  # what the gap tells of is a route that is left out
    assert found.gap.sum() == pytest.approx(sum(gap.values()), abs=1e-15)  # and other nests have none


def _same(one, other):
    return np.array_equal(one.sets.route_arc, other.sets.route_arc) and np.array_equal(one.sets.route_first_arc, other.sets.route_first_arc)


@pytest.mark.parametrize("seed", range(12))
def test_nests_whose_prices_moved_far_are_all_searched_again(seed):
    """What was left out at rest says nothing about other prices: the answer is that of searching everything."""
    space = space_of(_random_case(seed, two_way=True, theta=0.2))
    standing = _random_standing(space, seed)
    rest = entered(space, first_routes(space), at_rest(space, standing.constants))
    every, some = (entered(space, rest.sets, standing, known=known) for known in ((), (rest,)))
    assert _same(every, some)
    assert some.newest == every.newest
    assert np.all(some.gap >= (1.0 - 1e-9) * every.gap)


@pytest.mark.parametrize("seed", range(12))
def test_nests_whose_prices_hardly_moved_are_not_searched_again(seed):
    """A change of costs by less than a fifth of 1/theta: at most a fifth more than the share is left out, and it is told."""
    space = space_of(_random_case(seed, two_way=True, theta=0.2), per_search=1000, per_family=1000)
    standing = _random_standing(space, seed)
    then = entered(space, choices(space, standing), standing)
    again = entered(space, then.sets, standing, known=(then,))
    assert again.sets is then.sets
    assert np.all(again.gap >= (1.0 - 1e-9) * then.gap)
    near = dataclasses.replace(standing, row_price=standing.row_price * 1.005)
    some = entered(space, then.sets, near, known=(then,))
    left = entered(space, some.sets, near)
    assert left.newest < 1.2 * ENTER_SHARE
    assert left.newest <= some.gap.max()


@pytest.mark.parametrize(("two_way", "theta", "largest", "share_of_nests"), [
    (False, 0.05, 0.05, 0.10), (False, 0.2, 0.01, 0.05), (True, 0.05, 0.05, 0.65), (True, 0.2, 0.003, 0.03),
])  # fmt: skip
def test_how_much_of_all_routes_is_left_out(two_way, theta, largest, share_of_nests):
    """Detours made of two detours need not be the cheapest through any link: they are no candidates, however large their share.

    On small dense networks where choice is hardly sharper than the whole range of costs (theta .05), most nests leave out some.
    """
    left = []
    for seed in range(30):
        space, standing, found = _settled(seed, two_way=two_way, theta=theta)
        left += left_out(space, found, standing).values()
    assert max(left) < largest
    assert np.mean(np.array(left) > 1e-3) < share_of_nests


@pytest.mark.parametrize("seed", range(30))
def test_nests_stand_as_plain_sums_say(seed):
    space, standing, found = _settled(seed, facility_of=lambda number: number % 5)
    nests = nests_of(space, found.sets, standing)
    theta = float(space.by_market("family_theta")[0])
    constants = [standing.constants.get((family, "grain"), 0.0) for family in space.families.family_ids]
    composites = np.full(found.composite.shape, np.inf)
    for nest, routes in nests.items():
        composites[nest] = composite(space, nest, routes, constants[nest[1]])
    assert found.composite == pytest.approx(composites, rel=1e-9)
    weights = np.exp(-theta * composites)
    assert found.share == pytest.approx(weights / (weights.sum(axis=1, keepdims=True) + np.exp(-theta * 200.0)), rel=1e-9)
    exact = [route.cost for routes in nests.values() for route in routes]
    priced = [route.priced for routes in nests.values() for route in routes]
    assert found.sets.cost_usd_per_t == pytest.approx(exact, rel=1e-9)
    assert found.sets.cost_usd_per_t + price_costs(space, found.sets, found.entries, standing) == pytest.approx(priced, rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_every_nest_that_has_a_route_is_there(seed):
    """And none that has not: its first route may be dear, as the cheaper ones turn back or belong to earlier families."""
    space = space_of(_random_case(seed))
    nests = set(itertools.product(range(space.market_count), range(space.family_count)))
    sets = first_routes(space)
    assert set(zip(sets.route_market.tolist(), sets.route_family.tolist(), strict=True)) == {
        nest for nest, _, belongs in every_route(space, nests) if belongs
    }


@pytest.mark.parametrize("seed", range(30))
def test_routes_are_of_their_family_and_open_to_their_goods(seed):
    made = _random_case(seed, two_way=True)
    space, sets = routed(made)
    families, graph = compile_families(made), space.graph
    for route in range(sets.route_count):
        arcs = sets.arcs_of(route)
        links = [graph.arc_element[arc] for arc in arcs if graph.arc_kind[arc] == 0]
        assert classify(families, links, "grain") == sets.family_ids[sets.route_family[route]]
        assert 0 not in links  # the ban
        assert np.array_equal(graph.arc_tail[arcs[1:]], graph.arc_head[arcs[:-1]])
        assert len(set(graph.arc_tail[arcs].tolist())) == len(arcs)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold(seed):
    space, sets = routed(_random_case(seed, facility_of=lambda number: number % 5), per_family=4, length_bound=1.5)
    entries = facility_entries(space, sets)
    leg = space.leg_cost[0]
    rows = [frozenset(entries.entry_row[first:last].tolist()) for first, last in itertools.pairwise(entries.route_first_entry)]
    nests: dict[tuple[int, int], list[int]] = {}
    for route in range(sets.route_count):
        nests.setdefault((int(sets.route_market[route]), int(sets.route_family[route])), []).append(route)
    for routes in nests.values():
        cost = sets.cost_usd_per_t[routes]
        assert len(routes) <= 4
        assert np.all(np.diff(cost) >= -1e-9)
        assert cost.max() <= 1.5 * cost.min() + 1e-6
        for one, other in itertools.combinations(routes, 2):
            shared = leg[list(set(sets.arcs_of(one)) & set(sets.arcs_of(other)))].sum()
            dearer = max(leg[sets.arcs_of(route)].sum() for route in (one, other))
            assert rows[one] != rows[other] or shared <= 0.5 * dearer + 1e-6


def test_no_gap_when_all_routes_are_in():
    space, sets = routed(one_family(), enter_share=1e-9)
    found = entered(space, sets, at_rest(space, {}))
    assert found.sets is sets
    assert found.gap.tolist() == [[0.0]]
    assert left_out(space, found, at_rest(space, {})) == {(0, 0): 0.0}


@pytest.mark.parametrize("seed", range(8))
def test_threads_do_not_matter(seed):
    made = _random_case(seed, two_way=True)
    space = space_of(made)
    standing = _random_standing(space, seed)
    one, two = (entered(space, first_routes(space, threads=threads), standing, threads=threads) for threads in (1, 2))
    for name in ("route_arc", "route_first_arc", "route_family", "components", "path_size", "market_first_route"):
        assert np.array_equal(getattr(one.sets, name), getattr(two.sets, name))
    assert np.array_equal(one.gap, two.gap)
    assert np.array_equal(one.entries.signature, two.entries.signature)


@pytest.mark.parametrize("two_way", [False, True])
def test_row_order_does_not_matter(two_way):
    made = _random_case(3, two_way=two_way, facility_of=lambda number: number % 5)
    turned = {name: table.reverse() for name, table in made.items()}
    standing = {}
    prices = {f"f{number}": 3.0 * number for number in range(9)}
    found = {}
    for name, given in (("one", made), ("other", turned)):
        space = space_of(given)
        standing[name] = priced(space, prices)
        found[name] = (space, given, choices(space, standing[name]))
    (_, _, one), (_, _, other) = found["one"], found["other"]
    assert one.market_ids == other.market_ids
    for name in ("route_arc", "components", "path_size", "route_family"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert [links_of(*found["one"], route) for route in range(one.route_count)] == [
        links_of(*found["other"], route) for route in range(other.route_count)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_what_was_told_at_other_prices_need_not_be_told_again(seed):
    """A search that knows a pool of routes leaves out no more than one that knows none, and what was left out may enter later."""
    space = space_of(_random_case(seed, two_way=True, theta=0.2), per_search=1000, per_family=1000)
    standing = _random_standing(space, seed)
    rest = entered(space, first_routes(space), at_rest(space, standing.constants))
    then = entered(space, rest.sets, standing, entries=rest.entries, pool=rest.pool)
    while (found := entered(space, then.sets, standing, entries=then.entries, pool=then.pool)).sets is not then.sets:
        then = found
    nests = nests_of(space, found.sets, standing)
    candidates = cheapest_through_links(space, nests, search_costs(space, standing, found.pool.entries.times))
    assert max(left_out(space, found, standing, among=candidates).values(), default=0.0) < ENTER_SHARE
    routes = {(market, family, found.pool.sets.arcs_of(route).tobytes()) for route, (market, family) in enumerate(
        zip(found.pool.sets.route_market.tolist(), found.pool.sets.route_family.tolist(), strict=True)
    )}  # fmt: skip
    assert len(routes) == found.pool.sets.route_count  # nothing is in it twice
    assert np.array_equal(found.entries.entry_row, facility_entries(space, found.sets).entry_row)
    assert np.array_equal(found.entries.signature, facility_entries(space, found.sets).signature)
