"""What rests on facilities and links, and what closing them costs: the two ports by hand, and the packaged case in sums."""

from __future__ import annotations

import functools
import json
import math

import pytest

import karvan as kv
from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.report.element import criticality_lines, element_lines
from karvan.study import criticality, select_link
from karvan.study.clear import clear
from karvan.study.closure import Element, closure
from karvan.study.select_link import element_named, element_use
from tests.study.edits import both_ways, must_return, with_rows, with_values

# 10 Mt at 120 USD/t against a composite of 120 - ln(1 + 6/4)/0.05 and a rent of 6 Mt x 11.890697838 USD/t
LOSS_MUSD = 10.0 * 120.0 - (10.0 * (120.0 - math.log(2.5) / 0.05) - 6.0 * (20.0 - math.log(1.5) / 0.05))


def test_the_ferry_of_the_two_ports(two_ports) -> None:
    found = select_link(two_ports, "ferry")
    assert (found.kind, found.unit, found.capacity) == ("facility", "kt", 6000.0)
    assert found.load == pytest.approx(6000.0, rel=1e-6)
    (bundle,) = found.bundles
    assert (bundle.origin_region, bundle.destination_region, bundle.commodity_group, bundle.form) == ("east", "west", "grain", "loose")
    assert bundle.load_share == pytest.approx(1.0, rel=1e-9)
    assert bundle.price_usd_per_t == pytest.approx(11.890697838, rel=1e-6)
    (rent,) = found.rents
    assert (rent.facility_id, rent.operator_id) == ("ferry", "sea_line")
    assert rent.paid_musd == found.paid_musd == pytest.approx(6.0 * 11.890697838, rel=1e-6)


@pytest.mark.parametrize("element", ["ferry", "sea_east_west", "The ferry", "facilities.ferry", "links.sea_east_west"])
def test_closing_the_sea_sends_goods_over_the_pass(two_ports, element) -> None:
    """The loss is the difference of surplus and rent, whether the ferry has no room or its link is closed."""
    closed = select_link(two_ports, element).if_closed
    assert closed.carried_kt == pytest.approx(6000.0, rel=1e-6)
    assert closed.rerouted_kt == pytest.approx(6000.0, rel=1e-6)
    assert closed.kept_home_kt == pytest.approx(0.0, abs=1e-2)  # the solver's tolerance of 1e-6 of 10 Mt
    assert [(item.family_id, round(item.flow_kt)) for item in closed.families] == [("land", 6000)]
    assert closed.loss_musd == pytest.approx(LOSS_MUSD, rel=1e-6)
    assert closed.loss_usd_per_day == pytest.approx(LOSS_MUSD * 1e6 / 365.0, rel=1e-6)
    assert closed.rent_change_musd == pytest.approx(-6.0 * 11.890697838, rel=1e-5)
    assert closed.headline_lost_mt == pytest.approx(6.0, rel=1e-6)


def test_a_link_without_a_facility(two_ports) -> None:
    """The ferry is full, so all that goes over the pass stays at home."""
    found = select_link(two_ports, "rail_pass_west")
    assert (found.kind, found.unit, found.capacity, found.rents, found.paid_musd) == ("link", "kt", None, (), 0.0)
    assert found.load == pytest.approx(4000.0, rel=1e-6)
    assert found.if_closed.kept_home_kt == pytest.approx(4000.0, rel=1e-4)
    assert found.if_closed.rerouted_kt == pytest.approx(0.0, abs=0.5)
    assert found.if_closed.headline_lost_mt == pytest.approx(0.0, abs=1e-3)


def test_both_directions_count(two_ports) -> None:
    found = select_link(both_ways(two_ports), "sea_east_west")
    ways = {bundle.origin_region: bundle.flow_kt for bundle in found.bundles}
    assert found.forward_kt == pytest.approx(ways["east"], rel=1e-9)
    assert found.backward_kt == pytest.approx(ways["west"], rel=1e-9)
    assert found.forward_kt + found.backward_kt == pytest.approx(found.load, rel=1e-9)
    assert found.load == pytest.approx(6000.0, rel=1e-6)
    assert sum(bundle.paid_musd for bundle in found.bundles) == pytest.approx(found.paid_musd, rel=1e-9)
    assert found.if_closed.rerouted_kt == pytest.approx(6000.0, rel=1e-6)


def test_empties_are_told_apart_and_pay(two_ports) -> None:
    """Ships that must return take room in the ferry (one unit is the room of a tonne), but carry nothing."""
    counted_in_days = with_values(must_return(two_ports), facilities__ferry__unit="kshipdays", facilities__ferry__nominal="7500")
    found = select_link(counted_in_days, "ferry")
    goods = sum(bundle.load for bundle in found.bundles)
    assert found.empty_load > 0.0
    assert goods + found.empty_load == pytest.approx(found.load, rel=1e-6)
    assert found.rents[0].paid_musd == pytest.approx(found.paid_musd, rel=1e-9)
    assert found.empties_paid_musd == pytest.approx(found.rents[0].price_usd_per_unit * found.empty_load / 1e3, rel=1e-9)
    assert select_link(counted_in_days, "sea_east_west").if_closed.rerouted_kt > 0.0


def test_a_detour_takes_the_place_of_its_route(two_ports) -> None:
    """A track 10 km longer beside half the way costs 1 USD/t more: the ferry's price rises by as much, so shares stay, and the loss is
    1 USD/t on the 4 Mt by land.
    """
    shorter = with_values(two_ports, links__rail_east_pass__length_km="500", links__rail_pass_west__length_km="700")
    twin = {"link_id": "old_track", "from_place": "east_port", "to_place": "high_pass", "mode": "rail", "gauge": "1520"}
    corridor = with_rows(shorter, "links", twin | {"length_km": 510.0, "operator_id": "land_railway"})
    closed = select_link(corridor, "rail_east_pass").if_closed
    assert closed.carried_kt == pytest.approx(4000.0, rel=1e-6)
    assert closed.rerouted_kt == pytest.approx(4000.0, rel=1e-6)
    assert closed.loss_musd == pytest.approx(4.0, rel=1e-5)
    assert closed.rent_change_musd == pytest.approx(6.0, rel=1e-4)


def test_a_closed_facility_need_not_meet_its_minimum(two_ports) -> None:
    bound = with_values(two_ports, facilities__ferry__minimum="1000")
    for element in ("ferry", "sea_east_west"):
        assert select_link(bound, element).if_closed.loss_musd == pytest.approx(LOSS_MUSD, rel=1e-6)


def test_criticality_of_the_two_ports(two_ports) -> None:
    table = criticality(two_ports)
    (ferry,) = table.facilities
    assert ferry.loss_usd_per_day == pytest.approx(LOSS_MUSD * 1e6 / 365.0, rel=1e-6)
    assert (ferry.confidence, ferry.low, ferry.high) == ("estimate", 5500.0, 6500.0)
    assert table.headline_mt == pytest.approx(6.0, rel=1e-6)
    unused = criticality(with_values(two_ports, links__sea_east_west__is_open="false")).facilities[0]
    assert (unused.load, unused.loss_usd_per_day) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fery", "did you mean ferry"),
        ("sea_east_wst", "did you mean sea_east_west"),
        ("links.ferry", "there is no link ferry"),
        ("facilities.fery", "did you mean ferry"),
    ],
)
def test_an_unknown_element_is_told_with_near_names(two_ports, name, words) -> None:
    with pytest.raises(DataError, match=words):
        element_named(two_ports.tables, name)


def test_an_id_of_both_kinds_must_be_narrowed(two_ports) -> None:
    both = with_rows(two_ports, "facilities", {"facility_id": "rail_pass_west"})
    with pytest.raises(DataError, match=r"write facilities\.rail_pass_west or links\.rail_pass_west"):
        element_named(both.tables, "rail_pass_west")
    assert element_named(both.tables, "links.rail_pass_west").kind == "link"


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def case(corridor):
    snapshot = apply(load_scenario("agreed", corridor), corridor, year=2028)
    return clear(snapshot, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t, is_strict=False)


@pytest.fixture(scope="module")
def use(case, corridor):
    """Closes an element, once for all that ask for it."""

    @functools.cache
    def used(kind: str, name: str):
        table = case.routed.snapshot.tables["facilities" if kind == "facility" else "links"]
        element = Element(kind, name, table[f"{kind}_id"].to_list().index(name))
        closed = closure(case, element, headline_cordon=corridor.manifest.headline_cordon)
        return closed, element_use(case, closed, corridor_id="case", scenario_id="agreed")

    return used


@pytest.mark.parametrize(
    ("kind", "name"),
    [("facility", "aktau_boxes"), ("facility", "rail_ferry_pool"), ("link", "h_aktau__kuryk"), ("facility", "zangezur_rail")],
)
def test_parts_add_up(use, kind, name) -> None:
    closed, found = use(kind, name)
    assert sum(item.load for item in found.bundles) + found.empty_load == pytest.approx(found.load, rel=1e-6, abs=1e-9)
    assert sum(item.flow_kt for item in found.bundles) == pytest.approx(found.flow_kt, rel=1e-9, abs=1e-9)
    assert sum(item.flow_kt for item in found.families) == pytest.approx(found.flow_kt, rel=1e-9, abs=1e-9)
    assert sum(item.flow_teu for item in found.bundles) == pytest.approx(found.flow_teu, rel=1e-9, abs=1e-9)
    assert sum(item.paid_musd for item in found.rents) == pytest.approx(found.paid_musd, rel=1e-6, abs=1e-9)
    after = found.if_closed
    assert sum(item.flow_kt for item in after.families) == pytest.approx(after.rerouted_kt, rel=1e-9, abs=1e-6)
    assert after.rerouted_kt + after.kept_home_kt == pytest.approx(after.carried_kt, rel=1e-4, abs=1e-3)  # a closed row lets 1e-10 pass
    assert after.loss_musd >= -1e-6 * abs(closed.is_open.clearing.welfare_kusd) / 1e3
    lines = element_lines(found)
    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= 100


def test_boxes_are_counted_where_boxed(use) -> None:
    _, found = use("facility", "aktau_boxes")
    assert found.flow_teu > 50_000.0
    assert all((bundle.flow_teu > 0.0) == (bundle.form == "boxed") for bundle in found.bundles)


def test_open_year_is_left_as_it_was(use) -> None:
    """Routes that enter when a facility closes hardly change the year with it open."""
    closed, found = use("facility", "kuryk_ferry_west")
    assert closed.route_gap <= 1e-3
    assert found.if_closed.carried_kt == pytest.approx(found.flow_kt, rel=5e-3)


def test_a_quick_closing_says_the_same(case, corridor) -> None:
    """Only markets on the facility are searched, once: within 0.15%."""
    table = case.routed.snapshot.tables["facilities"]["facility_id"].to_list()
    for name in ("aktau_boxes", "georgian_box_ports"):
        element, headline = Element("facility", name, table.index(name)), corridor.manifest.headline_cordon
        quick = closure(case, element, headline_cordon=headline, is_checked=False)
        assert quick.loss_kusd == pytest.approx(closure(case, element, headline_cordon=headline, threads=2).loss_kusd, rel=1.5e-3)


def test_the_table_fits_a_terminal_and_json_carries_units(two_ports) -> None:
    table = kv.criticality(two_ports)
    lines = criticality_lines(table)
    assert max(len(line) for line in lines) <= 100
    assert "The ferry" in lines[4]
    answer = json.loads(json.dumps(table.as_dict()))
    assert {"load", "unit", "loss_usd_per_day", "headline_lost_mt", "kept_home_kt", "rerouted_kt"} <= set(answer["facilities"][0])
    used = json.loads(json.dumps(kv.select_link(two_ports, "ferry").as_dict()))
    assert {"load", "unit", "capacity", "flow_kt", "flow_teu", "paid_musd", "bundles", "if_closed"} <= set(used)
