from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from karvan.errors import DataError
from karvan.routing import (
    RouteSetOptions,
    at_rest,
    entered,
    facility_entries,
    first_routes,
    price_costs,
    route_sets,
    subset,
)
from tests.routing.small import at, choices, link, links_of, market, one_family, places, priced, rate, routed, space_of, tables, two_ways

ENTER_SHARE = RouteSetOptions().enter_share


def test_two_families_of_one_market():
    made = two_ways()
    space, sets = routed(made)
    assert sets.market_ids == (("west__east", "a", "d"),)
    assert [sets.family_ids[family] for family in sets.route_family] == ["sea", "land"]
    assert [links_of(space, made, sets, route) for route in (0, 1)] == [["a__b", "b__c", "c__d"], ["a__m", "m__d"]]
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)
    assert sets.length_km.tolist() == pytest.approx([300.0, 200.0], rel=1e-12)
    assert sets.path_size.tolist() == pytest.approx([1.0, 1.0], rel=1e-12)
    assert sets.unreachable == ()


def test_first_the_cheapest_of_each_family():
    made = one_family()
    assert first_routes(space_of(made)).cost_usd_per_t.tolist() == pytest.approx([100.0], rel=1e-12)
    assert first_routes(space_of(two_ways())).cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


def test_the_first_route_of_a_family_whose_cheapest_is_of_another():
    families = [{"family_id": "both", "order": 1, "via_all": "a__b;c__d"}, {"family_id": "rest", "order": 2}]
    sets = first_routes(space_of(two_ways(route_families=families)))
    assert [sets.family_ids[family] for family in sets.route_family] == ["both", "rest"]
    assert sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


def test_what_would_take_a_share_enters():
    assert routed(one_family())[1].cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)


@pytest.mark.parametrize(("theta", "count"), [(0.05, 2), (0.35, 2), (0.37, 1)])
def test_what_would_take_too_little_stays_out(theta, count):
    """Its share would be that of a rival dearer by 20 USD/t: 1/(1 + exp(20 theta)), less what stays at home."""
    goods = [{"commodity_group": "grain", "route_theta_per_usd_per_t": theta, "family_theta_per_usd_per_t": theta}]
    space, sets = routed(one_family(commodities=goods))
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
    assert routed(one_family(), length_bound=1.19)[1].route_count == 1
    assert routed(one_family(), length_bound=1.21)[1].route_count == 2
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
    assert links_of(space, made, sets, 0) == ["a__b", "b__d"]


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
    assert [links_of(space, made, sets, route) for route in range(sets.route_count)] == [["a__b", "b__d"]]


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
    assert [links_of(space, made, sets, route) for route in range(sets.route_count)] == [["a__b", "b__x", "x__b", "b__d"]]


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
    space = space_of(one_family(commodities=SHARP))
    assert choices(space).route_count == 1
    found = entered(space, first_routes(space), priced(space, {"ferry": 60.0 * 15.0}))  # 15 USD/t
    assert found.sets.cost_usd_per_t.tolist() == pytest.approx([100.0, 120.0], rel=1e-12)
    assert found.newest == pytest.approx(1.0 / (1.0 + np.exp(0.5 * 5.0)), rel=1e-9)  # 5 USD/t dearer still


def test_a_delay_brings_in_the_route_around_a_facility():
    goods = [SHARP[0] | {"time_value_factor": 876.0}]  # 10 USD/t-h
    made = one_family(
        commodities=goods, links=[link("a", "b"), link("b", "c"), link("c", "d"), link("a", "m", time_h=20.0), link("m", "d")]
    )
    space = space_of(made)
    assert choices(space).route_count == 1
    assert choices(space, priced(space, {}, delays={"ferry": 1.0})).route_count == 2


@pytest.mark.parametrize(("weight", "count"), [(1.0, 2), (0.1, 1)])
def test_what_a_price_costs_a_tonne_depends_on_its_market(weight, count):
    space = space_of(one_family(commodities=SHARP))
    standing = dataclasses.replace(priced(space, {"ferry": 900.0}), price_weight=np.array([weight]))
    assert choices(space, standing).route_count == count


def test_a_quota_is_charged_to_its_own_goods():
    """A limit on goods from the west that costs 30 USD/t at its price; those from the east pass for nothing."""
    quota = [{"use_id": "u", "facility_id": "pass", "link_id": "b__c", "origin_region": "west"}]
    made = one_family(commodities=SHARP, facility_uses=quota, demand=[market("west", "east"), market("east", "west")])
    space = space_of(made)
    standing = priced(space, {"pass": 30.0})
    sets = choices(space, standing)
    assert np.diff(sets.market_first_route).tolist() == [1, 2]
    added = price_costs(space, sets, facility_entries(space, sets), standing)
    assert added.tolist() == pytest.approx([0.0, 30.0, 0.0], rel=1e-12)


def test_days_are_charged_on_every_link():
    """Ten hours on each of three links at 24 USD a day, a wagon of 60 t: 0.5 USD/t in all."""
    uses = [{"use_id": f"u{name}", "facility_id": "fleet", "link_id": name} for name in ("a__b", "b__c", "c__d")]
    made = two_ways(facilities=[{"facility_id": "fleet", "unit": "kwagondays"}], facility_uses=uses)
    space, sets = routed(made)
    added = price_costs(space, sets, facility_entries(space, sets), priced(space, {"fleet": 24.0}))
    assert added.tolist() == pytest.approx([0.5, 0.0], rel=1e-12)


def test_searches_see_days_in_full_and_spread_what_is_passed_once():
    """Three links at 10 USD/t of days each and a facility on two of them at 7 USD/t: each link bears half of that."""
    uses = [{"use_id": f"u{name}", "facility_id": "fleet", "link_id": name} for name in ("a__b", "b__c", "c__d")]
    uses += [{"use_id": f"v{name}", "facility_id": "pass", "link_id": name} for name in ("a__b", "b__c")]
    made = two_ways(facilities=[{"facility_id": "fleet", "unit": "kwagondays"}, {"facility_id": "pass"}], facility_uses=uses)
    space, sets = routed(made)
    standing = priced(space, {"fleet": 10.0 * 60.0 * 2.4, "pass": 7.0})
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
    assert price_costs(space, sets, entries, priced(space, {"pass": 7.0})).tolist() == pytest.approx([7.0, 0.0], rel=1e-12)


def test_a_balance_pays_one_way_and_costs_the_other():
    made = two_ways(returns=[{"return_id": "back", "link_id": "b__c"}], demand=[market("west", "east"), market("east", "west")])
    space, sets = routed(made)
    added = price_costs(space, sets, facility_entries(space, sets), priced(space, {"back": 120.0}))
    assert added.tolist() == pytest.approx([-2.0, 0.0, 2.0, 0.0], rel=1e-12)  # a wagon of 60 t; east__west first


def test_a_subset_has_path_sizes_of_its_own():
    made = _twin_tracks()
    space, sets = routed(made, overlap_bound=1.0)
    assert sets.path_size.tolist() == pytest.approx([0.55, (45.0 + 12.0) / 102.0], rel=1e-9)
    alone = subset(space, sets, np.array([False, True]))
    assert alone.cost_usd_per_t.tolist() == pytest.approx([102.0], rel=1e-12)
    assert alone.path_size.tolist() == [1.0]
    assert links_of(space, made, alone, 0) == ["a__m", "m__c", "c__d"]
    assert subset(space, sets, np.ones(2, dtype=np.bool_)) is sets


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
    assert links_of(space, made, sets, 0) == ["a__m"]
    assert sets.components[0, :2].tolist() == pytest.approx([60.0, 5.0], rel=1e-12)
