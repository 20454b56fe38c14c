from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from karvan.errors import DataError
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
    route_sets,
    subset,
)
from tests.routing.plain import cheapest_through_links, composite, every_route, left_out, nests_of, search_costs
from tests.routing.small import at, choices, link, market, places, rate, routed, space_of, tables, two_ways
from tests.routing.twin import random_dag

ENTER_SHARE = RouteSetOptions().enter_share


def _links(space, made, sets, route):
    names = made["links"]["link_id"].to_list()
    return [names[space.graph.arc_element[arc]] for arc in sets.arcs_of(route) if space.graph.arc_kind[arc] == 0]


def _priced(space, rows, *, delays=None, constants=None):
    """Some rows at a price, USD per unit by name, and some late, hours by name."""

    def spread(by_name):
        return np.array([by_name.get(name, 0.0) for name in space.rows.ids])

    return Standing(spread(rows), spread(delays or {}), np.ones(space.market_count), constants or {})


def test_two_families_of_one_market():
    made = two_ways()
    space, sets = routed(made)
    assert sets.market_ids == (("west__east", "a", "d"),)
    assert [sets.family_ids[family] for family in sets.route_family] == ["sea", "land"]
    assert [_links(space, made, sets, route) for route in (0, 1)] == [["a__b", "b__c", "c__d"], ["a__m", "m__d"]]
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)
    assert sets.length_km.tolist() == pytest.approx([300.0, 200.0], rel=1e-12)
    assert sets.path_size.tolist() == pytest.approx([1.0, 1.0], rel=1e-12)
    assert sets.unreachable == ()


def test_first_the_cheapest_of_each_family():
    made = _one_family()
    assert first_routes(space_of(made)).cost_usd_per_t.tolist() == pytest.approx([100.0], rel=1e-12)
    assert first_routes(space_of(two_ways())).cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


def test_the_first_route_of_a_family_whose_cheapest_is_of_another():
    families = [{"family_id": "both", "order": 1, "via_all": "a__b;c__d"}, {"family_id": "rest", "order": 2}]
    sets = first_routes(space_of(two_ways(route_families=families)))
    assert [sets.family_ids[family] for family in sets.route_family] == ["both", "rest"]
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


def _one_family(**more):
    return two_ways(route_families=[{"family_id": "all", "order": 1}], **more)


def test_what_would_take_a_share_enters():
    assert routed(_one_family())[1].cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


@pytest.mark.parametrize(("theta", "count"), [(0.05, 2), (0.35, 2), (0.37, 1)])
def test_what_would_take_too_little_stays_out(theta, count):
    """Its share would be that of a rival dearer by 20 USD/t: 1/(1 + exp(20 theta)), less what stays at home."""
    goods = [{"commodity_group": "grain", "route_theta_per_usd_per_t": theta, "family_theta_per_usd_per_t": theta}]
    space, sets = routed(_one_family(commodities=goods))
    assert sets.route_count == count
    left = entered(space, first_routes(space), at_rest(space, {}))
    expected = 0.0 if count == 2 else 1.0 / (1.0 + np.exp(20.0 * theta))
    assert left.gap.item() == pytest.approx(expected, rel=1e-9)


def test_gap_shares_and_composites_of_a_case_by_hand():
    """Families at 100 and 120 USD/t with theta .05; staying costs 1000."""
    space = space_of(two_ways())
    found = entered(space, first_routes(space), at_rest(space, {("sea", "grain"): 20.0}))
    assert found.composite.tolist() == [pytest.approx([120.0, 120.0], rel=1e-12)]
    assert found.share.tolist() == [pytest.approx([0.5, 0.5], rel=1e-12)]
    assert found.gap.tolist() == [[0.0, 0.0]]
    assert found.newest == 0.0


def test_the_length_bound_applies_within_a_family():
    assert routed(_one_family(), length_bound=1.19)[1].route_count == 1
    assert routed(_one_family(), length_bound=1.21)[1].route_count == 2
    assert routed(two_ways(), length_bound=1.19)[1].route_count == 2


def test_the_market_bound_applies_across_families():
    assert routed(two_ways(), market_bound=1.19)[1].cost_usd_per_t.tolist() == pytest.approx([100.0], rel=1e-12)
    assert routed(two_ways(), market_bound=1.21)[1].route_count == 2


@pytest.mark.parametrize(
    ("ends", "count"), [(("west", "east"), 2), (("east;north", "west"), 2), (("west", "north"), 1), (("west", "west"), 1)]
)
def test_a_family_serves_its_ends_only(ends, count):
    sea = {"family_id": "sea", "order": 1, "via_any": "b__c", "ends_a": ends[0], "ends_b": ends[1]}
    assert routed(two_ways(route_families=[sea, {"family_id": "land", "order": 2}]))[1].route_count == count


def test_a_dated_ban_closes_a_family():
    made = two_ways(
        permissions=[{"permission_id": "p", "link_id": "b__c", "origin_region": "west"}],
        demand=[market("west", "east"), market("east", "west")],
    )
    _, sets = routed(made)
    assert sets.market_ids[0][0] == "east__west"
    assert np.diff(sets.market_first_route).tolist() == [2, 1]


def test_a_closed_link_is_in_no_route_and_a_market_may_be_unreachable():
    links = [link("a", "b"), link("b", "c", is_open=False), link("c", "d"), link("a", "m"), link("m", "d", is_open=False)]
    _, sets = routed(two_ways(links=links))
    assert sets.unreachable == (("west__east", "a", "d"),)
    assert sets.market_first_route.tolist() == [0, 0]
    assert sets.components.shape == (0, 6)


def test_no_markets_no_routes():
    space, sets = routed(two_ways(demand=[]))
    assert sets.route_count == 0
    assert facility_entries(space, sets).route_first_entry.tolist() == [0]


def test_exact_costs_with_time_spread_and_carbon():
    made = two_ways(
        modes=[{"mode": "rail", "loading_unit": "wagon", "time_sd_share": 0.5}],
        commodities=[{"commodity_group": "grain", "value_usd_per_t": 3650.0, "time_value_factor": 2.4, "reliability_ratio": 0.5}],
        region_places=[at("west", "a", access_cost_usd_per_t=2.0, access_time_h=5.0), at("east", "d")],
    )
    _, sets = routed(made, co2_price_usd_per_t=50.0)
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
    _, sets = routed(made)
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
    space, sets = routed(made)
    assert sets.route_count == 1
    assert _links(space, made, sets, 0) == ["a__b", "b__d"]


@pytest.mark.parametrize("families", [[{"family_id": "loop", "order": 1, "via_any": "b__x;x__b"}, {"family_id": "rest", "order": 2}], []])
def test_a_loop_back_to_a_place_in_another_mode_is_no_route(families):
    """Not to meet a requirement, nor to be the cheapest through the links of the loop."""
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
        facilities=[{"facility_id": "yard"}], facility_uses=[{"use_id": "u", "facility_id": "yard", "link_id": "b__x"}], cordons=[],
        **({"route_families": families} if families else {"route_families": [{"family_id": "all", "order": 1}]}),
    )  # fmt: skip
    space, sets = routed(made)
    assert [_links(space, made, sets, route) for route in range(sets.route_count)] == [["a__b", "b__d"]]


def test_a_loop_that_cannot_be_cut_is_a_route():
    """Rail becomes road at x only, so that every road beyond leads through it and back."""
    made = two_ways(
        places=places("a", "b", "d", "x"),
        links=[
            link("a", "b"),
            link("b", "x", one_way=True),
            link("x", "b", mode="road", gauge="none", one_way=True),
            link("b", "d", mode="road", gauge="none"),
        ],
        modes=[{"mode": "rail", "loading_unit": "wagon"}, {"mode": "road", "loading_unit": "wagon"}],
        terminals=[{"terminal_id": "t", "place_id": "x", "kind": "transfer", "from_mode": "rail", "to_mode": "road"}],
        tariffs=[{"tariff_id": "t"}], facilities=[], facility_uses=[], cordons=[], route_families=[{"family_id": "all", "order": 1}],
    )  # fmt: skip
    space, sets = routed(made)
    assert [_links(space, made, sets, route) for route in range(sets.route_count)] == [["a__b", "b__x", "x__b", "b__d"]]


def _twin_tracks(**more):
    return two_ways(
        places=places("a", "b", "c", "d", "m"),
        links=[link("a", "m"), link("m", "b"), link("b", "d"), link("m", "c"), link("c", "d")],
        tariffs=[rate("a__m", 90.0), rate("m__b", 5.0), rate("b__d", 5.0), rate("m__c", 6.0), rate("c__d", 6.0)],
        cordons=[],
        **({"facilities": [], "facility_uses": [], "route_families": [{"family_id": "all", "order": 1}]} | more),
    )


def test_a_variant_does_not_enter():
    space, sets = routed(_twin_tracks())
    assert sets.route_count == 1
    assert entered(space, sets, at_rest(space, {})).gap.tolist() == [[0.0]]
    assert routed(_twin_tracks(), overlap_bound=0.9)[1].route_count == 2


def test_routes_that_overlap_but_use_other_facilities_are_two():
    made = _twin_tracks(facilities=[{"facility_id": "yard"}], facility_uses=[{"use_id": "u", "facility_id": "yard", "link_id": "m__b"}])
    assert routed(made)[1].route_count == 2


def test_a_balance_tells_routes_apart_too():
    made = _twin_tracks(returns=[{"return_id": "back", "link_id": "m__b"}])
    assert routed(made)[1].route_count == 2


def test_the_best_through_each_link_of_a_choice():
    made = _twin_tracks(route_families=[{"family_id": "either", "order": 1, "via_any": "m__b;m__c"}])
    assert routed(made, overlap_bound=1.0)[1].cost_usd_per_t.tolist() == pytest.approx([100.0, 102.0], rel=1e-12)


SHARP = [{"commodity_group": "grain", "route_theta_per_usd_per_t": 0.5, "family_theta_per_usd_per_t": 0.5}]


def test_a_price_brings_in_the_route_around_a_facility():
    space = space_of(_one_family(commodities=SHARP))
    assert choices(space).route_count == 1
    found = entered(space, first_routes(space), _priced(space, {"ferry": 60.0 * 15.0}))  # 15 USD/t
    assert found.sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)
    assert found.newest == pytest.approx(1.0 / (1.0 + np.exp(0.5 * 5.0)), rel=1e-9)  # 5 USD/t dearer still


def test_a_delay_brings_in_the_route_around_a_facility():
    goods = [SHARP[0] | {"time_value_factor": 876.0}]  # 10 USD/t-h
    made = _one_family(
        commodities=goods, links=[link("a", "b"), link("b", "c"), link("c", "d"), link("a", "m", time_h=20.0), link("m", "d")]
    )
    space = space_of(made)
    assert choices(space).route_count == 1
    assert choices(space, _priced(space, {}, delays={"ferry": 1.0})).route_count == 2


@pytest.mark.parametrize(("weight", "count"), [(1.0, 2), (0.1, 1)])
def test_what_a_price_costs_a_tonne_depends_on_its_market(weight, count):
    space = space_of(_one_family(commodities=SHARP))
    standing = dataclasses.replace(_priced(space, {"ferry": 900.0}), price_weight=np.array([weight]))
    assert choices(space, standing).route_count == count


def test_a_quota_is_charged_to_its_own_goods():
    """A limit on goods from the west that costs 30 USD/t at its price; those from the east pass for nothing."""
    quota = [{"use_id": "u", "facility_id": "pass", "link_id": "b__c", "origin_region": "west"}]
    made = _one_family(commodities=SHARP, facility_uses=quota, demand=[market("west", "east"), market("east", "west")])
    space = space_of(made)
    standing = _priced(space, {"pass": 30.0})
    sets = choices(space, standing)
    assert np.diff(sets.market_first_route).tolist() == [1, 2]
    added = price_costs(space, sets, facility_entries(space, sets), standing)
    assert added.tolist() == pytest.approx([0.0, 30.0, 0.0], rel=1e-12)


def test_days_are_charged_on_every_link():
    """Ten hours on each of three links at 24 USD a day, a wagon of 60 t: 0.5 USD/t in all."""
    uses = [{"use_id": f"u{name}", "facility_id": "fleet", "link_id": name} for name in ("a__b", "b__c", "c__d")]
    made = two_ways(facilities=[{"facility_id": "fleet", "unit": "kwagondays"}], facility_uses=uses)
    space, sets = routed(made)
    added = price_costs(space, sets, facility_entries(space, sets), _priced(space, {"fleet": 24.0}))
    assert added.tolist() == pytest.approx([0.5, 0.0], rel=1e-12)


def test_searches_see_days_in_full_and_spread_what_is_passed_once():
    """Three links at 10 USD/t of days each and a facility on two of them at 7 USD/t: each link bears half of that."""
    uses = [{"use_id": f"u{name}", "facility_id": "fleet", "link_id": name} for name in ("a__b", "b__c", "c__d")]
    uses += [{"use_id": f"v{name}", "facility_id": "pass", "link_id": name} for name in ("a__b", "b__c")]
    made = two_ways(facilities=[{"facility_id": "fleet", "unit": "kwagondays"}, {"facility_id": "pass"}], facility_uses=uses)
    space, sets = routed(made)
    standing = _priced(space, {"fleet": 10.0 * 60.0 * 2.4, "pass": 7.0})
    entries = facility_entries(space, sets)
    added = (route_sets._arc_costs(space, entries, standing) - space.leg_cost)[0]
    by_link = {name: added[arc] for arc, name in enumerate(space.graph.arc_element_id) if space.graph.arc_kind[arc] == 0}
    assert by_link == pytest.approx({"a__b": 13.5, "b__c": 13.5, "c__d": 10.0, "a__m": 0.0, "m__d": 0.0}, rel=1e-9)
    assert price_costs(space, sets, entries, standing).tolist() == pytest.approx([37.0, 0.0], rel=1e-9)


def test_a_facility_on_two_links_of_a_route_is_charged_once():
    uses = [{"use_id": f"u{name}", "facility_id": "pass", "link_id": name} for name in ("a__b", "b__c")]
    space, sets = routed(two_ways(facility_uses=uses))
    entries = facility_entries(space, sets)
    assert entries.times.tolist() == [1.0, 2.0]
    assert price_costs(space, sets, entries, _priced(space, {"pass": 7.0})).tolist() == pytest.approx([7.0, 0.0], rel=1e-12)


def test_a_balance_pays_one_way_and_costs_the_other():
    made = two_ways(returns=[{"return_id": "back", "link_id": "b__c"}], demand=[market("west", "east"), market("east", "west")])
    space, sets = routed(made)
    added = price_costs(space, sets, facility_entries(space, sets), _priced(space, {"back": 120.0}))
    assert added.tolist() == pytest.approx([-2.0, 0.0, 2.0, 0.0], rel=1e-12)  # a wagon of 60 t; east__west first


def test_a_subset_has_path_sizes_of_its_own():
    made = _twin_tracks()
    space, sets = routed(made, overlap_bound=1.0)
    assert sets.path_size.tolist() == pytest.approx([0.55, (45.0 + 12.0) / 102.0], rel=1e-9)
    alone = subset(space, sets, np.array([False, True]))
    assert alone.cost_usd_per_t.tolist() == pytest.approx([102.0], rel=1e-12)
    assert alone.path_size.tolist() == [1.0]
    assert _links(space, made, alone, 0) == ["a__m", "m__c", "c__d"]
    assert subset(space, sets, np.ones(2, dtype=np.bool_)) is sets


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
    """A change of costs by a twentieth of 1/theta at most: hardly more than the share is left out."""
    space = space_of(_random_case(seed, two_way=True, theta=0.2), per_search=1000, per_family=1000)
    standing = _random_standing(space, seed)
    then = entered(space, choices(space, standing), standing)
    again = entered(space, then.sets, standing, known=(then,))
    assert again.sets is then.sets
    assert np.all(again.gap >= (1.0 - 1e-9) * then.gap)
    near = dataclasses.replace(standing, row_price=standing.row_price * 1.005)
    some = entered(space, then.sets, near, known=(then,))
    assert entered(space, some.sets, near).newest < 1.2 * ENTER_SHARE


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
    space, sets = routed(_one_family(), enter_share=1e-9)
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
        standing[name] = _priced(space, prices)
        found[name] = (space, given, choices(space, standing[name]))
    (_, _, one), (_, _, other) = found["one"], found["other"]
    assert one.market_ids == other.market_ids
    for name in ("route_arc", "components", "path_size", "route_family"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    assert [_links(*found["one"], route) for route in range(one.route_count)] == [
        _links(*found["other"], route) for route in range(other.route_count)
    ]


def test_an_unknown_region_is_told():
    with pytest.raises(DataError, match="origin_region"):
        routed(two_ways(region_places=[at("east", "d")]))


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
    space, sets = routed(made)
    assert sets.market_ids == (("west__east", "a", "east"),)
    assert _links(space, made, sets, 0) == ["a__m"]
    assert sets.components[0, :2].tolist() == pytest.approx([60.0, 5.0], rel=1e-12)
