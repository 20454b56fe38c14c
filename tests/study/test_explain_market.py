"""A market explained: the numbers are those of the clearing, and every sentence can be said."""

from __future__ import annotations

import json
import re
from string import Formatter

import numpy as np
import pytest

import karvan as kv
from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.report.explained import market_lines
from karvan.results.sentences import ENGLISH
from karvan.study import ScenarioOptions
from karvan.study.clear import clear
from karvan.study.explain_market import explained, market, market_named
from tests.study.edits import both_ways, must_return, with_rows, with_values

GRAIN = "grain_east_west"


def keys(found) -> set[str]:
    return {sentence.key for sentence in found.why}


def test_two_ports_by_hand(two_ports) -> None:
    """6 of 10 Mt by sea at 100 + 11.890697838 USD/t, the rest by land at 120; without the limit exp(-0.05 x 20) to 1."""
    found = market(two_ports, GRAIN, year=2024)
    sea, land, home = found.families
    assert (sea.family_id, land.family_id, home.family_id) == ("sea", "land", "not_shipped")
    assert [sea.flow_kt, land.flow_kt, home.flow_kt] == pytest.approx([6000.0, 4000.0, 0.0], abs=1e-2)  # the solver's tolerance
    assert sea.free_composite_usd_per_t == pytest.approx(100.0, rel=1e-12)
    assert sea.composite_usd_per_t == pytest.approx(111.890697838, rel=1e-6)
    assert sea.free_share == pytest.approx(0.7310585786, rel=1e-9)
    (route,) = sea.routes
    assert [(price.row_id, price.kind) for price in route.prices] == [("ferry", "facility")]
    assert route.prices[0].price_usd_per_t == pytest.approx(11.890697838, rel=1e-6)
    assert route.components_usd_per_t["tariff"] == 100.0
    assert [(leg["from"], leg["to"]) for leg in sea.legs] == [("east_port", "west_port")]
    arithmetic = next(sentence for sentence in found.why if sentence.key == "arithmetic")
    assert arithmetic.values["ratio"] == pytest.approx(1.5, rel=1e-6)
    difference = arithmetic.values["second_usd_per_t"] - arithmetic.values["total_usd_per_t"]
    assert np.exp(arithmetic.values["theta_per_usd_per_t"] * difference) == pytest.approx(arithmetic.values["ratio"], rel=1e-9)


@pytest.fixture(scope="module")
def case():
    corridor = load_corridor("middle-corridor")
    snapshot = apply(load_scenario("agreed", corridor), corridor, year=2028)
    return clear(snapshot, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t, is_strict=False)


def explanation(case, market_id: str):
    return explained(case, market_id, corridor_id="case", base_year=2024, scenario_id="agreed")


MARKETS = ("cn_inland_eu27_container_general_boxed", "kz_az_oil_products_loose", "kz_world_oil_crude_oil_loose")


@pytest.mark.parametrize("market_id", MARKETS)
def test_explained_shares_are_the_cleared_ones(case, market_id) -> None:
    """And follow from composites and constants by the logit between each two places."""
    found = explanation(case, market_id)
    sets, assembly, clearing = case.routed.sets, case.assembly, case.clearing
    positions = {ids[1:]: place for place, ids in enumerate(sets.market_ids) if ids[0] == market_id}
    assert len(found.pairs) == len(positions)
    names = [*sets.family_ids, "not_shipped"]
    for pair in found.pairs:
        position = positions[pair.origin_node, pair.destination_node]
        weights = np.exp(
            [-found.family_theta_per_usd_per_t * (item.composite_usd_per_t + item.constant_usd_per_t) for item in pair.families]
        )
        shares = [item.share for item in pair.families]
        assert shares == pytest.approx(list(weights / weights.sum()), abs=1e-9)
        for item in pair.families:
            in_nest = (assembly.market_of_route == position) & (assembly.family_code[assembly.nest_of_route] == names.index(item.family_id))
            cleared = clearing.route_flow_kt[in_nest].sum() / clearing.market_demand_kt[position]
            assert item.share == pytest.approx(cleared, abs=1e-9)
    assert sum(item.flow_kt for item in found.families) == pytest.approx(found.demand_kt, rel=1e-9)
    assert sum(item.share for item in found.families) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("market_id", MARKETS)
def test_components_and_prices_add_up(case, market_id) -> None:
    routes = [route for family in explanation(case, market_id).families for route in family.routes]
    assert routes
    for route in routes:
        assert sum(route.components_usd_per_t.values()) == pytest.approx(route.cost_usd_per_t, rel=1e-9)
        paid = route.cost_usd_per_t + sum(price.price_usd_per_t for price in route.prices)
        assert paid == pytest.approx(route.paid_usd_per_t, abs=1e-4)  # prices below 1e-6 USD/t are not told
    for family in explanation(case, market_id).families:
        assert sum(route.flow_kt for route in family.routes) + family.other_flow_kt == pytest.approx(
            family.flow_kt if family.routes else 0.0, abs=1e-9
        )


@pytest.mark.parametrize("market_id", MARKETS)
def test_it_fits_a_terminal(case, market_id) -> None:
    lines = market_lines(explanation(case, market_id))
    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= 100
    assert "WHY" in lines


def test_pairs_are_told_on_request(case) -> None:
    text = "\n".join(market_lines(explanation(case, MARKETS[0]), has_pairs=True))
    assert "PAIRS OF PLACES" in text
    assert "xian - duisburg" in text


def cases(two_ports):
    """Markets that between them call for every sentence."""
    constants = {"family_id": "land", "commodity_group": "grain", "constant_usd_per_t": 30.0}
    base = {"market_id": GRAIN, "origin_node": "east_port", "destination_node": "west_port", "base_cost_usd_per_t": 90.0}
    elastic = with_rows(with_values(two_ports, commodities__grain__demand_elasticity_ratio="1"), "base_costs", base)
    timed = with_values(two_ports, facilities__ferry__nominal="8000", commodities__grain__time_value_factor="3")
    yield market(two_ports, GRAIN)
    yield market(with_values(two_ports, facilities__ferry__is_public="false"), GRAIN)
    yield market(with_values(two_ports, facilities__ferry__nominal="20000"), GRAIN)
    yield market(with_values(two_ports, links__rail_pass_west__is_open="false"), GRAIN)
    yield market(with_values(two_ports, demand__grain_east_west__flow_kt="0"), GRAIN)
    yield market(with_rows(two_ports, "constants", constants), GRAIN)
    yield market(with_rows(two_ports, "constants", constants | {"constant_usd_per_t": -5.0}), GRAIN)
    yield market(elastic, GRAIN)
    yield market(timed, GRAIN)
    yield market(must_return(two_ports), "grain_west_east")


def test_every_sentence_is_said_somewhere_and_filled(two_ports) -> None:
    said = [sentence for found in cases(two_ports) for sentence in found.why]
    assert {sentence.key for sentence in said} == set(ENGLISH)
    for sentence in said:
        wanted = {field for _, field, _, _ in Formatter().parse(ENGLISH[sentence.key]) if field is not None}
        assert wanted == set(sentence.values), sentence.key
        assert not re.search(r"[{}]|nan|None|inf\b", sentence.text()), sentence.text()


def test_a_sentence_takes_other_templates() -> None:
    from karvan.results import Sentence

    sentence = Sentence("without_limits", {"family": "Sea", "free_share": 0.5, "share": 0.25})
    assert sentence.text({"without_limits": "{family}: {share:.0%} -> {free_share:.0%}"}) == "Sea: 25% -> 50%"


def test_what_stays_at_home_is_told(two_ports) -> None:
    found = market(with_values(two_ports, links__rail_pass_west__is_open="false"), GRAIN)
    assert found.not_shipped_kt == pytest.approx(4000.0, rel=1e-6)
    assert {"only_way", "kept_home"} <= keys(found)


def test_goods_that_bring_ships_back_are_paid(two_ports) -> None:
    found = market(must_return(two_ports), "grain_west_east")
    sea = next(item for item in found.families if item.family_id == "sea")
    (balance,) = [price for price in sea.routes[0].prices if price.kind == "balance"]
    assert balance.units_per_t < 0.0 < balance.price_usd_per_unit
    assert balance.price_usd_per_t == pytest.approx(balance.units_per_t * balance.price_usd_per_unit, rel=1e-12)


@pytest.mark.parametrize("name", ["east:west:grain", "East:West:wheat:loose", "eas:wes:Grain", GRAIN])
def test_a_market_by_other_names(two_ports, name) -> None:
    assert market_named(two_ports.tables, name) == GRAIN


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grain_east_wets", "did you mean grain_east_west"),
        ("eest:west:grain", "eest names no row; did you mean west or east"),
        ("west:west:grain", "no market joins these regions"),
        ("east:west:grain:boxed", "between these regions there are grain_east_west"),
        ("st:st:grain", "fits several markets: grain_east_west, grain_west_east"),
    ],
)
def test_a_name_that_fits_no_market_or_several(two_ports, name, words) -> None:
    with pytest.raises(DataError, match=words):
        market_named(both_ways(two_ports).tables, name)


def test_json_keys_carry_units(two_ports) -> None:
    answer = json.loads(
        json.dumps(kv.market(two_ports, GRAIN, options=ScenarioOptions(set_values=("tariffs.sea_bulk.rate=90",))).as_dict())
    )
    assert "rate" in str(answer["replaced"])
    suffixes = (
        "_kt",
        "_usd_per_t",
        "_share",
        "_ratio",
        "_h",
        "_km",
        "_per_usd_per_t",
        "_count",
        "_year",
        "_usd_per_unit",
        "_kg_per_t",
        "_per_t",
    )
    plain = {"share", "year", "path_size", "route_gap"}  # shares and weights without unit, and the year

    def numbers(value, name):
        if isinstance(value, dict):
            return [found for key, item in value.items() for found in numbers(item, f"{name}_usd_per_t" if "components" in name else key)]
        if isinstance(value, list):
            return [found for item in value for found in numbers(item, name)]
        return [name] if isinstance(value, int | float) and not isinstance(value, bool) else []

    without = set(numbers({key: item for key, item in answer.items() if key not in ("why", "replaced")}, ""))
    assert {name for name in without if not name.endswith(suffixes)} <= plain
