from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from karvan.errors import DataError
from karvan.routing import RouteSetOptions, arc_costs, build_graph, classify, compile_families, facility_entries, route_sets
from karvan.routing.uses import arc_uses
from tests.routing.small import DATE, at, link, market, places, rate, tables, two_ways
from tests.routing.twin import all_paths, random_dag


def _sets(made, *, co2_price_usd_per_t=0.0, **options):
    options = {"market_bound": np.inf, "scarcity_steps": ()} | options
    graph = build_graph(made)
    return graph, route_sets(graph, made, date=DATE, co2_price_usd_per_t=co2_price_usd_per_t, options=RouteSetOptions(**options))


def _links(graph, made, sets, route):
    names = made["links"]["link_id"].to_list()
    return [names[graph.arc_element[arc]] for arc in sets.arcs_of(route) if graph.arc_kind[arc] == 0]


def test_two_families_of_one_market():
    made = two_ways()
    graph, sets = _sets(made)
    assert sets.market_ids == (("west__east", "a", "d"),)
    assert [sets.family_ids[family] for family in sets.route_family] == ["sea", "land"]
    assert [_links(graph, made, sets, route) for route in (0, 1)] == [["a__b", "b__c", "c__d"], ["a__m", "m__d"]]
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)
    assert sets.length_km.tolist() == pytest.approx([300.0, 200.0], rel=1e-12)
    assert sets.path_size.tolist() == pytest.approx([1.0, 1.0], rel=1e-12)
    assert sets.unreachable == ()


def test_one_family_holds_the_best_without_the_ferry_too():
    made = two_ways(route_families=[{"family_id": "all", "order": 1}])
    _, sets = _sets(made)
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


def test_the_length_bound_applies_within_a_family():
    made = two_ways(route_families=[{"family_id": "all", "order": 1}])
    assert _sets(made, length_bound=1.19)[1].route_count == 1
    assert _sets(two_ways(), length_bound=1.19)[1].route_count == 2


def test_the_market_bound_applies_across_families():
    assert _sets(two_ways(), market_bound=1.19)[1].cost_usd_per_t.tolist() == pytest.approx([100.0], rel=1e-12)
    assert _sets(two_ways(), market_bound=1.21)[1].route_count == 2


@pytest.mark.parametrize(
    ("ends", "count"), [(("west", "east"), 2), (("east;north", "west"), 2), (("west", "north"), 1), (("west", "west"), 1)]
)
def test_a_family_serves_its_ends_only(ends, count):
    sea = {"family_id": "sea", "order": 1, "via_any": "b__c", "ends_a": ends[0], "ends_b": ends[1]}
    assert _sets(two_ways(route_families=[sea, {"family_id": "land", "order": 2}]))[1].route_count == count


def test_a_dated_ban_closes_a_family():
    made = two_ways(
        permissions=[{"permission_id": "p", "link_id": "b__c", "origin_region": "west"}],
        demand=[market("west", "east"), market("east", "west")],
    )
    _, sets = _sets(made)
    assert sets.market_ids[0][0] == "east__west"
    assert np.diff(sets.market_first_route).tolist() == [2, 1]


def test_a_closed_link_is_in_no_route_and_a_market_may_be_unreachable():
    links = [link("a", "b"), link("b", "c", is_open=False), link("c", "d"), link("a", "m"), link("m", "d", is_open=False)]
    _, sets = _sets(two_ways(links=links))
    assert sets.unreachable == (("west__east", "a", "d"),)
    assert sets.market_first_route.tolist() == [0, 0]
    assert sets.components.shape == (0, 6)


def test_no_markets_no_routes():
    made = two_ways(demand=[])
    graph, sets = _sets(made)
    assert sets.route_count == 0
    assert facility_entries(graph, made, sets).route_first_entry.tolist() == [0]


def test_exact_costs_with_time_spread_and_carbon():
    made = two_ways(
        modes=[{"mode": "rail", "loading_unit": "wagon", "time_sd_share": 0.5}],
        commodities=[{"commodity_group": "grain", "value_usd_per_t": 3650.0, "time_value_factor": 2.4, "reliability_ratio": 0.5}],
        region_places=[at("west", "a", access_cost_usd_per_t=2.0, access_time_h=5.0), at("east", "d")],
    )
    _, sets = _sets(made, co2_price_usd_per_t=50.0)
    vot_per_h = 2.4 * 3650.0 * 0.1 / 365.0 / 24.0
    sd_h = 5.0 * np.sqrt(3.0)
    assert sets.hours[0].tolist() == [35.0, 0.0, 0.0, 0.0, 0.0]
    assert sets.sd_h[0] == pytest.approx(sd_h, rel=1e-12)
    assert sets.co2e_wtw_kg_per_t[0] == pytest.approx(6.0, rel=1e-12)
    expected = [100.0, 2.0, 35.0 * vot_per_h, 0.0, 0.5 * vot_per_h * sd_h, 0.3]
    assert sets.components[0].tolist() == pytest.approx(expected, rel=1e-12)


def test_path_size_of_overlapping_routes():
    made = tables(
        places=places("a", "b", "c", "d"),
        regions=[{"region_id": "west"}, {"region_id": "east"}],
        region_places=[at("west", "a"), at("east", "d")],
        links=[link("a", "b"), link("b", "d"), link("b", "c"), link("c", "d"), link("a", "d")],
        tariffs=[rate("a__b", 50.0), rate("b__d", 50.0), rate("b__c", 25.0), rate("c__d", 25.0), rate("a__d", 100.0)],
        demand=[market("west", "east")],
    )
    _, sets = _sets(made)
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0] * 3, rel=1e-12)
    assert sorted(sets.path_size) == pytest.approx([0.75, 0.75, 1.0], rel=1e-12)


def test_a_route_does_not_turn_back_to_meet_a_requirement():
    families = [{"family_id": "sea", "order": 1, "via_any": "b__x"}, {"family_id": "rest", "order": 2}]
    made = two_ways(
        places=places("a", "b", "c", "d", "m", "x"),
        links=[link("a", "b"), link("b", "x"), link("b", "d")],
        tariffs=[{"tariff_id": "t"}],
        route_families=families, facilities=[], facility_uses=[], cordons=[],
    )  # fmt: skip
    graph, sets = _sets(made)
    assert sets.route_count == 1
    assert _links(graph, made, sets, 0) == ["a__b", "b__d"]


def test_a_loop_back_to_a_place_in_another_mode_is_no_route():
    made = two_ways(
        places=places("a", "b", "d", "x"),
        links=[
            link("a", "b"),
            link("b", "x", one_way=True),
            link("x", "b", mode="road", gauge="none", one_way=True),
            link("b", "d", mode="road", gauge="none"),
        ],
        modes=[{"mode": "rail", "loading_unit": "wagon"}, {"mode": "road", "loading_unit": "wagon"}],
        terminals=[{"terminal_id": place, "place_id": place, "kind": "transfer", "from_mode": "rail", "to_mode": "road"} for place in "bx"],
        tariffs=[{"tariff_id": "t"}],
        route_families=[{"family_id": "loop", "order": 1, "via_any": "b__x;x__b"}, {"family_id": "rest", "order": 2}],
        facilities=[], facility_uses=[], cordons=[],
    )  # fmt: skip
    graph, sets = _sets(made, market_bound=9.0)
    assert [_links(graph, made, sets, route) for route in range(sets.route_count)] == [["a__b", "b__d"]]


def _twin_tracks(**more):
    return two_ways(
        places=places("a", "b", "c", "d", "m"),
        links=[link("a", "m"), link("m", "b"), link("b", "d"), link("m", "c"), link("c", "d")],
        tariffs=[rate("a__m", 90.0), rate("m__b", 5.0), rate("b__d", 5.0), rate("m__c", 6.0), rate("c__d", 6.0)],
        cordons=[],
        **({"facilities": [], "facility_uses": [], "route_families": [{"family_id": "all", "order": 1}]} | more),
    )


def test_routes_that_overlap_too_much_are_one():
    assert _sets(_twin_tracks())[1].route_count == 1
    assert _sets(_twin_tracks(), overlap_bound=0.9)[1].route_count == 2


def test_routes_that_overlap_but_use_other_facilities_are_two():
    made = _twin_tracks(facilities=[{"facility_id": "yard"}], facility_uses=[{"use_id": "u", "facility_id": "yard", "link_id": "m__b"}])
    assert _sets(made, repeat_count=0, scarcity_steps=())[1].route_count == 2


def test_the_best_through_each_link_of_a_choice():
    made = _twin_tracks(route_families=[{"family_id": "either", "order": 1, "via_any": "m__b;m__c"}])
    assert _sets(made, repeat_count=0, overlap_bound=1.0)[1].cost_usd_per_t.tolist() == pytest.approx([100.0, 102.0], rel=1e-12)


def test_row_order_does_not_matter():
    made = _random_case(3)
    turned = {name: table.reverse() for name, table in made.items()}
    one_graph, one = _sets(made)
    other_graph, other = _sets(turned)
    assert one.market_ids == other.market_ids
    assert np.array_equal(one.route_arc, other.route_arc)
    assert np.array_equal(one.components, other.components)
    assert np.array_equal(one.path_size, other.path_size)
    assert np.array_equal(one.route_family, other.route_family)
    assert [_links(one_graph, made, one, route) for route in range(one.route_count)] == [
        _links(other_graph, turned, other, route) for route in range(other.route_count)
    ]


def _random_case(seed):
    """A random network of ten places with four families, facilities and a ban; one-way links with lengths as costs."""
    rng = np.random.default_rng(seed)
    count = 10
    ends, cost = random_dag(rng, count, zero_share=0.0)
    names = [f"p{node}" for node in range(count)]
    links = [link(names[low], names[high], one_way=True, time_h=float(rng.integers(1, 50))) for low, high in ends]
    ids = [row["link_id"] for row in links]

    def some(number):
        return ";".join(rng.choice(ids, size=number, replace=False).tolist())

    facilities = [f"f{number}" for number in range(5)]
    return tables(
        places=places(*names),
        modes=[{"mode": "rail", "loading_unit": "wagon", "time_sd_share": 0.3}],
        commodities=[{"commodity_group": "grain", "time_value_factor": 20.0, "reliability_ratio": 0.4}],
        regions=[{"region_id": "west"}, {"region_id": "east"}],
        region_places=[at("west", "p0"), at("east", "p8", share=0.5), at("east", "p9", share=0.5)],
        links=links,
        tariffs=[rate(name, float(value)) for name, value in zip(ids, cost, strict=True)],
        facilities=[{"facility_id": name} for name in facilities],
        facility_uses=[
            {"use_id": f"u{number}", "facility_id": facilities[number % 5], "link_id": str(name)}
            for number, name in enumerate(rng.choice(ids, size=9, replace=False))
        ],
        route_families=[
            {"family_id": "any", "order": 1, "via_any": some(2)},
            {"family_id": "all", "order": 2, "via_all": some(1), "not_via": some(1)},
            {"family_id": "both", "order": 3, "via_any": some(3), "via_all": some(1)},
            {"family_id": "rest", "order": 4},
        ],
        permissions=[{"permission_id": "ban", "link_id": ids[0], "origin_region": "west"}],
        demand=[market("west", "east")],
    )


@pytest.mark.parametrize("seed", range(60))
def test_route_sets_against_all_routes(seed):
    made = _random_case(seed)
    graph, sets = _sets(made, length_bound=3.0, market_bound=1e9, per_family=50)
    families = compile_families(made)
    costs = arc_costs(graph, made, "grain", co2_price_usd_per_t=0.0)
    search_cost = costs.search_cost(graph)
    ban = (graph.arc_kind == 0) & (graph.arc_element == 0)
    ends = list(zip(graph.arc_tail.tolist(), graph.arc_head.tolist(), strict=True))
    uses = arc_uses(graph, made, "grain")
    used_on = {arc: set(uses.facility[uses.arc == arc].tolist()) for arc in range(graph.arc_count)}
    start = graph.origin_nodes["west", "both", "any", "p0"]
    for number, (_, _, end) in enumerate(sets.market_ids):
        every: dict[str, list[tuple[int, ...]]] = {}
        for arcs in all_paths(ends, ~ban, start, graph.destination_nodes["east", "both", "any", end]):
            name = classify(families, [graph.arc_element[arc] for arc in arcs if graph.arc_kind[arc] == 0], "grain")
            every.setdefault(name, []).append(arcs)
        routes = range(sets.market_first_route[number], sets.market_first_route[number + 1])
        found: dict[str, list[tuple[int, ...]]] = {}
        for route in routes:
            found.setdefault(sets.family_ids[sets.route_family[route]], []).append(tuple(sets.arcs_of(route).tolist()))
        assert set(found) <= set(every)
        assert all(set(found[name]) <= set(every[name]) for name in found)
        assert all(len(set(found[name])) == len(found[name]) for name in found)
        # families that are searched exactly: nothing before them has several conditions
        for name in ("any", "all"):
            assert (name in found) == (name in every)
            if name in found:
                _holds_the_best(found[name], every[name], search_cost, used_on)


def _holds_the_best(found, every, search_cost, used_on):
    def cost(arcs):
        return search_cost[list(arcs)].sum()

    def used(arcs):
        return set().union(*(used_on[arc] for arc in arcs))

    best = min(every, key=cost)
    assert min(map(cost, found)) == pytest.approx(cost(best), rel=1e-9)
    for facility in used(best):
        rest = [cost(arcs) for arcs in every if facility not in used(arcs)]
        if rest and min(rest) <= 2.5 * cost(best):
            assert min((cost(arcs) for arcs in found if facility not in used(arcs)), default=np.inf) == pytest.approx(min(rest), rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold(seed):
    made = _random_case(seed)
    graph, sets = _sets(made, per_family=4, scarcity_steps=())
    entries = facility_entries(graph, made, sets)
    search_cost = arc_costs(graph, made, "grain", co2_price_usd_per_t=0.0).search_cost(graph)
    facilities = [frozenset(entries.entry_row[first:last].tolist()) for first, last in itertools.pairwise(entries.route_first_entry)]
    nests: dict[tuple[int, int], list[int]] = {}
    for route in range(sets.route_count):
        nests.setdefault((int(sets.route_market[route]), int(sets.route_family[route])), []).append(route)
    for routes in nests.values():
        cost = sets.cost_usd_per_t[routes]
        assert len(routes) <= 4
        assert np.all(np.diff(cost) >= -1e-9)
        assert cost.max() <= 1.5 * cost.min() + 1e-6
        for one, other in itertools.combinations(routes, 2):
            shared = search_cost[list(set(sets.arcs_of(one)) & set(sets.arcs_of(other)))].sum()
            dearer = max(search_cost[sets.arcs_of(route)].sum() for route in (one, other))
            assert facilities[one] != facilities[other] or shared <= 0.8 * dearer + 1e-6


def test_an_unknown_region_is_told():
    with pytest.raises(DataError, match="origin_region"):
        _sets(two_ways(region_places=[at("east", "d")]))


def test_options_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RouteSetOptions().per_family = 3


def test_one_market_takes_the_cheapest_alternative():
    made = two_ways(
        region_places=[
            at("west", "a"),
            at("east", "c", share=None, access_cost_usd_per_t=50.0),
            at("east", "m", share=None, access_cost_usd_per_t=5.0),
        ],
        route_families=[{"family_id": "all", "order": 1}],
    )
    graph, sets = _sets(made)
    assert sets.market_ids == (("west__east", "a", "east"),)
    assert _links(graph, made, sets, 0) == ["a__m"]
    assert sets.components[0, :2].tolist() == pytest.approx([60.0, 5.0], rel=1e-12)
