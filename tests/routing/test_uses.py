from __future__ import annotations

import numpy as np
import pytest

from karvan.routing import arc_flows, arc_rates, cordon_weights, empty_runs, facility_entries, operator_revenue
from tests.routing.small import at, link, market, places, rate, routed, tables, two_ways

PAYLOADS = {"container": 20.0, "wagon": 60.0, "truck": 15.0}


def _line(use, unit, *, loading_unit="wagon", origin="west", **more):
    """Grain along a - b - c in one loading unit, with one facility."""
    mode = "road" if loading_unit == "truck" else "rail"
    uses = use if isinstance(use, list) else [use]
    made = tables(
        places=places("a", "b", "c"),
        regions=[{"region_id": "west"}, {"region_id": "east"}],
        region_places=[at("west", "a"), at("east", "c")],
        modes=[{"mode": mode, "loading_unit": loading_unit}],
        links=[link(start, end, mode=mode, gauge="1520" if mode == "rail" else "none") for start, end in (("a", "b"), ("b", "c"))],
        commodity_units=[
            {"commodity_group": "grain", "loading_unit": name, "payload_t_per_unit": payload} for name, payload in PAYLOADS.items()
        ],
        facilities=[{"facility_id": "spare"}, {"facility_id": "full", "unit": unit}],
        facility_uses=[{"use_id": f"u{number}", "facility_id": "full"} | row for number, row in enumerate(uses)],
        demand=[market(origin, "east" if origin == "west" else "west", form="boxed" if loading_unit == "container" else "loose")],
        **more,
    )
    space, sets = routed(made)
    assert sets.route_count == 1
    entries = facility_entries(space, sets)
    assert entries.route_first_entry.tolist() == [0, len(entries.entry_row)]
    return dict(zip(entries.entry_row.tolist(), entries.entry_units_per_t.tolist(), strict=True))


@pytest.mark.parametrize(
    ("unit", "loading_unit", "units_per_t"),
    [
        ("kt", "wagon", 1.0),
        ("kt", "container", 1.0),
        ("kteu", "container", 1 / 20),
        ("kwagons", "wagon", 1 / 60),
        ("kvehicles", "truck", 1 / 15),
        ("ktrains", "wagon", 1 / (50 * 60)),
        ("ktrains", "container", 1 / (100 * 20)),
    ],
)
def test_units_per_tonne(unit, loading_unit, units_per_t):
    found = _line({"link_id": "a__b", "weight_factor": 2.0}, unit, loading_unit=loading_unit)
    assert found == {1: pytest.approx(2.0 * units_per_t, rel=1e-12)}


@pytest.mark.parametrize(
    ("unit", "loading_unit"), [("kteu", "wagon"), ("kwagons", "container"), ("kvehicles", "wagon"), ("ktrains", "truck")]
)
def test_a_facility_counts_its_own_unit_only(unit, loading_unit):
    assert _line({"link_id": "a__b"}, unit, loading_unit=loading_unit) == {}


@pytest.mark.parametrize(
    ("row", "origin", "is_used"),
    [
        ({"direction": "forward"}, "west", True),
        ({"direction": "backward"}, "west", False),
        ({"direction": "forward"}, "east", False),
        ({"direction": "backward"}, "east", True),
        ({"commodity_group": "grain"}, "west", True),
        ({"commodity_group": "coal"}, "west", False),
        ({"loading_unit": "wagon"}, "west", True),
        ({"loading_unit": "truck"}, "west", False),
        ({"origin_region": "west"}, "west", True),
        ({"origin_region": "west"}, "east", False),
        ({"destination_region": "west"}, "west", False),
        ({"destination_region": "west"}, "east", True),
        ({"origin_region": "west", "destination_region": "west"}, "west", False),
    ],
)
def test_which_goods_use_it(row, origin, is_used):
    assert _line({"link_id": "a__b"} | row, "kt", origin=origin) == ({1: 1.0} if is_used else {})


def test_a_facility_on_several_arcs_of_a_route_is_used_once():
    rows = [{"link_id": "a__b", "weight_factor": 0.5}, {"link_id": "b__c"}, {"link_id": "b__c", "weight_factor": 0.3}]
    assert _line(rows, "kt") == {1: 1.0}


def test_a_border_uses_a_facility_along_its_link():
    post = {"terminal_id": "post", "place_id": "b", "kind": "border", "link_id": "a__b"}
    for origin, is_used in (("west", True), ("east", False)):
        assert _line({"terminal_id": "post", "direction": "forward"}, "kt", origin=origin, terminals=[post]) == (
            {1: 1.0} if is_used else {}
        )


@pytest.mark.parametrize(("unit", "loading_unit", "payload"), [("kshipdays", "container", 20.0), ("kwagondays", "wagon", 60.0)])
def test_days_add_up_over_a_route(unit, loading_unit, payload):
    rows = [{"link_id": "a__b", "weight_factor": 0.5}, {"link_id": "b__c"}]
    found = _line(rows, unit, loading_unit=loading_unit)
    assert found == {1: pytest.approx((0.5 + 1.0) * 10.0 / 24.0 / payload, rel=1e-12)}


def test_days_count_waits_and_borders_of_what_uses_the_facility():
    post = {"terminal_id": "post", "place_id": "b", "kind": "border", "link_id": "a__b", "time_h": 8.0, "waiting_h": 4.0}
    found = _line([{"link_id": "a__b"}, {"terminal_id": "post"}], "kwagondays", terminals=[post])
    assert found == {1: pytest.approx((10.0 + 12.0) / 24.0 / 60.0, rel=1e-12)}


def test_a_balance_counts_both_ways():
    balance = {"return_id": "back", "link_id": "b__c"}
    for origin, sign in (("west", 1.0), ("east", -1.0)):
        assert _line([], "kt", origin=origin, returns=[balance]) == {2: pytest.approx(sign / 60.0, rel=1e-12)}


def test_a_balance_counts_its_own_loading_unit_only():
    assert _line([], "kt", returns=[{"return_id": "back", "link_id": "b__c", "loading_unit": "container"}]) == {}


def test_goods_without_any_route_do_not_shift_the_uses_of_others():
    goods = [{"commodity_group": name} for name in ("coal", "grain", "steel")]
    made = two_ways(
        commodities=goods,
        commodity_units=[row | {"loading_unit": "wagon", "payload_t_per_unit": 60.0} for row in goods],
        facility_uses=[{"use_id": "u", "facility_id": "pass", "link_id": "m__d", "commodity_group": "grain"}],
        demand=[
            market("west", "east", market_id="c", commodity_group="coal"),
            market("west", "east", market_id="g", commodity_group="grain"),
            market("west", "east", market_id="s", commodity_group="steel"),
        ],
        permissions=[{"permission_id": f"p{name}", "link_id": name, "commodity_group": "steel"} for name in ("a__b", "a__m")],
    )
    space, sets = routed(made)
    assert [market_id for market_id, *_ in sets.unreachable] == ["s"]
    entries = facility_entries(space, sets)
    assert entries.route_first_entry.tolist() == [0, 0, 0, 0, 1]  # coal by sea and by land, grain by sea and by land
    assert entries.entry_row.tolist() == [1]


def test_what_an_empty_takes():
    made = two_ways(
        returns=[{"return_id": "back", "link_id": "b__c", "empty_usd_per_unit": 30.0}],
        facilities=[{"facility_id": "ferry", "unit": "kwagons"}, {"facility_id": "days", "unit": "kwagondays"}, {"facility_id": "weight"}],
        facility_uses=[
            {"use_id": "u1", "facility_id": "ferry", "link_id": "b__c", "direction": "forward", "weight_factor": 2.0},
            {"use_id": "u2", "facility_id": "days", "link_id": "b__c"},
            {"use_id": "u3", "facility_id": "weight", "link_id": "b__c"},
        ],
    )
    (run,) = empty_runs(made)
    assert (run.row, run.usd_per_unit, run.operator) == (3, 30.0, 0)
    assert run.forward == {0: 2.0, 1: pytest.approx(10.0 / 24.0, rel=1e-12)}
    assert run.backward == {1: pytest.approx(10.0 / 24.0, rel=1e-12)}


def _two_markets(**more):
    made = two_ways(demand=[market("west", "east"), market("east", "west")], **more)
    return made, *routed(made)


def test_a_cordon_counts_each_tonne_once_and_by_direction():
    cordons = [
        {"cordon_id": "all", "link_id": "b__c"},
        {"cordon_id": "all", "link_id": "c__d"},
        {"cordon_id": "east", "link_id": "b__c", "direction": "forward"},
        {"cordon_id": "coal", "link_id": "b__c", "commodity_group": "coal"},
    ]
    made, _, sets = _two_markets(cordons=cordons)
    assert [sets.market_ids[market][0] for market in sets.route_market] == ["east__west", "east__west", "west__east", "west__east"]
    found = cordon_weights(made, sets)
    assert found["all"][0].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert found["east"][0].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert found["coal"][0].tolist() == [0.0] * 4
    assert found["all"][1].tolist() == [0.0] * 4
    assert sorted(found) == ["all", "coal", "east"]


def test_a_cordon_may_count_goods_from_or_to_one_region_only():
    cordons = [
        {"cordon_id": "from_west", "link_id": "b__c", "origin_region": "west"},
        {"cordon_id": "to_west", "link_id": "b__c", "destination_region": "west"},
        {"cordon_id": "inside_west", "link_id": "b__c", "origin_region": "west", "destination_region": "west"},
        {"cordon_id": "both_ways", "link_id": "b__c", "origin_region": "west"},
        {"cordon_id": "both_ways", "link_id": "c__d", "origin_region": "east"},
    ]
    made, _, sets = _two_markets(cordons=cordons)
    found = cordon_weights(made, sets)
    assert found["from_west"][0].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert found["to_west"][0].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert found["inside_west"][0].tolist() == [0.0] * 4
    assert found["both_ways"][0].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_boxes_over_a_cordon():
    made = two_ways(
        modes=[{"mode": "rail", "loading_unit": "container"}],
        commodity_units=[{"commodity_group": "grain", "loading_unit": "container", "payload_t_per_unit": 20.0}],
        demand=[market("west", "east", form="boxed")],
    )
    _, sets = routed(made)
    assert cordon_weights(made, sets)["crossing"][1].tolist() == pytest.approx([1 / 20, 0.0], rel=1e-12)


def test_revenue_of_operators():
    links = [link("a", "b"), link("b", "c", operator_id="ships"), link("c", "d"), link("a", "m"), link("m", "d")]
    tariffs = [rate("a__b", 30.0), rate("b__c", 40.0, operator_id="ships"), rate("c__d", 30.0), rate("a__m", 60.0), rate("m__d", 60.0)]
    made, space, sets = _two_markets(links=links, tariffs=tariffs, operators=[{"operator_id": "op"}, {"operator_id": "ships"}])
    flows = arc_flows(space, sets, np.array([1.0, 0.0, 2.0, 10.0]))
    assert operator_revenue(made, arc_rates(space, made), flows) == pytest.approx({"op": 60.0 * 3 + 1200.0, "ships": 120.0}, rel=1e-12)
