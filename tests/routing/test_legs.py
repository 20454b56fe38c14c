from __future__ import annotations

import numpy as np
import pytest

from karvan.routing import COMPONENTS, HOURS, legs
from tests.routing.small import at, link, market, places, routed, tables


@pytest.fixture(scope="module")
def told():
    """A box from a to e: rail, border, rail, port, feeder; with access at both ends."""
    made = tables(
        places=places("a", "b", "c", "d", "e"),
        regions=[{"region_id": "west"}, {"region_id": "world"}],
        region_places=[at("west", "a", access_cost_usd_per_t=3.0, access_time_h=6.0), at("world", "e", share=None)],
        modes=[{"mode": mode, "loading_unit": "container", "time_sd_share": 0.2} for mode in ("rail", "feeder")],
        links=[link("a", "b"), link("b", "c"), link("c", "d"), link("d", "e", mode="feeder", gauge="none", operator_id="ships")],
        operators=[{"operator_id": "op"}, {"operator_id": "ships"}, {"operator_id": "quay"}],
        tariffs=[{"tariff_id": "t1"}, {"tariff_id": "t2", "operator_id": "ships", "rate": 25.0}],
        terminals=[
            {"terminal_id": "post", "place_id": "c", "kind": "border", "link_id": "c__d", "time_h": 8.0, "waiting_h": 4.0, "time_sd_h": 3},
            {
                "terminal_id": "berth", "place_id": "d", "from_mode": "rail", "to_mode": "feeder", "time_h": 10.0, "waiting_h": 48.0,
                "time_sd_h": 24.0, "cost_usd_per_teu": 80.0, "operator_id": "quay",
            },
        ],
        commodities=[{"commodity_group": "grain", "time_value_factor": 3.0, "reliability_ratio": 0.4}],
        commodity_units=[{"commodity_group": "grain", "loading_unit": "container", "payload_t_per_unit": 20.0}],
        demand=[market("west", "world", form="boxed")],
    )  # fmt: skip
    space, sets = routed(made, co2_price_usd_per_t=40.0)
    return sets, legs(space, made, sets, 0)


def test_what_the_legs_are(told):
    _, found = told
    assert [(leg["mode"], leg["from"], leg["to"], leg["operator"]) for leg in found] == [
        ("access", "a", "a", None),
        ("rail", "a", "c", "op"),
        ("border", "c", "c", "op"),
        ("rail", "c", "d", "op"),
        ("port", "d", "d", "quay"),
        ("feeder", "d", "e", "ships"),
    ]
    assert found[1]["links"] == ["a__b", "b__c"]
    assert found[2]["border_h"] == 8.0  # exact: copied
    assert found[4]["handling_usd_per_t"] == pytest.approx(4.0, rel=1e-12)


def test_legs_add_up_to_totals(told):
    sets, found = told
    for index, name in enumerate(COMPONENTS):
        assert sum(leg[f"{name}_usd_per_t"] for leg in found) == pytest.approx(sets.components[0, index], rel=1e-12)
    for index, name in enumerate(HOURS):
        assert sum(leg[f"{name}_h"] for leg in found) == pytest.approx(sets.hours[0, index], rel=1e-12)
    assert sum(leg["cost_usd_per_t"] for leg in found) == pytest.approx(sets.cost_usd_per_t[0], rel=1e-12)
    assert np.sqrt(sum(leg["sd_h"] ** 2 for leg in found)) == pytest.approx(sets.sd_h[0], rel=1e-12)
    assert sum(leg["length_km"] for leg in found) == pytest.approx(sets.length_km[0], rel=1e-12)
    assert sum(leg["co2e_kg_per_t"] for leg in found) == pytest.approx(sets.co2e_wtw_kg_per_t[0], rel=1e-12)
