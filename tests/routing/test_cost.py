from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from karvan.errors import DataError
from karvan.routing import arc_costs, build_graph
from karvan.routing.cost import (
    combined_sd,
    headway_wait_d,
    safety_stock_usd_per_t,
    time_cost_usd_per_t,
    value_of_time_usd_per_t_d,
)
from tests.routing.small import link, places, rate, tables

HALF_DIGIT = 0.5e-6
"""Half a unit of the last digit of values printed with six decimals."""


def test_value_of_time_of_fifteen_days():
    vot = value_of_time_usd_per_t_d(3000.0, 0.10, 0.0, time_value_factor=1.0)
    assert 15 * vot == pytest.approx(12.328767, abs=HALF_DIGIT)


def test_time_and_spread_cost():
    assert time_cost_usd_per_t(15.0, 5.0, value_of_time_usd_per_t_d=2.0, reliability_ratio=0.4) == pytest.approx(34.0, rel=1e-12)


def test_standard_deviations_combine_by_variance():
    assert combined_sd((2.0, 3.0, 6.0)) == pytest.approx(7.0, rel=1e-12)


@pytest.mark.parametrize(("cv", "wait_d"), [(0.0, 1.5), (0.5, 1.875), (1.0, 3.0)])
def test_wait_for_a_headway_of_three_days(cv, wait_d):
    assert headway_wait_d(3.0, headway_cv=cv) == pytest.approx(wait_d, rel=1e-12)


def test_share_of_value_a_day():
    assert value_of_time_usd_per_t_d(3000.0, 0.006 * 365.0, 0.0, time_value_factor=1.0) == pytest.approx(18.0, rel=1e-12)


def test_safety_stock():
    cost = safety_stock_usd_per_t(5.0, service_quantile=NormalDist().inv_cdf(0.9), value_usd_per_t=3000.0, holding_share_per_year=0.2)
    assert cost == pytest.approx(10.533300, rel=1e-6)


def _cost_of(made, link_id, unit, commodity="grain"):
    graph = build_graph(made)
    costs = arc_costs(graph, made, commodity, co2_price_usd_per_t=0.0)
    rows = made["links"]["link_id"].to_list()
    code = {"container": 0, "wagon": 1}[unit]
    is_wanted = (graph.arc_kind == 0) & (graph.arc_element == rows.index(link_id)) & (graph.arc_unit == code)
    return {
        int(way): (costs.tariff[arc], bool(costs.allowed[arc]))
        for arc, way in zip(np.flatnonzero(is_wanted), graph.arc_direction[is_wanted], strict=True)
    }


def _boxes_and_wagons(tariffs):
    return tables(
        places=places("a", "b", "c"),
        links=[link("a", "b"), link("b", "c", length_km=200.0)],
        modes=[{"mode": "rail", "loading_unit": "container"}, {"mode": "rail", "loading_unit": "wagon"}],
        commodity_units=[
            {"commodity_group": "grain", "loading_unit": "container", "payload_t_per_unit": 20.0},
            {"commodity_group": "grain", "loading_unit": "wagon", "payload_t_per_unit": 60.0},
        ],
        tariffs=tariffs,
    )


def test_rates_by_basis():
    made = _boxes_and_wagons(
        [
            {"tariff_id": "boxes", "loading_unit": "container", "basis": "usd_per_teu_km", "rate": 0.4},
            {"tariff_id": "wagons", "loading_unit": "wagon", "basis": "usd_per_t_km", "rate": 0.03},
        ]
    )
    assert _cost_of(made, "b__c", "container")[0][0] == pytest.approx(0.4 * 200.0 / 20.0, rel=1e-12)
    assert _cost_of(made, "b__c", "wagon")[0][0] == pytest.approx(0.03 * 200.0, rel=1e-12)


def test_the_most_specific_tariff_wins_in_the_stated_order():
    made = _boxes_and_wagons(
        [
            {"tariff_id": "t0", "rate": 1.0},
            {"tariff_id": "t1", "loading_unit": "wagon", "rate": 2.0},
            {"tariff_id": "t2", "commodity_group": "grain", "rate": 3.0},
            {"tariff_id": "t3", "direction": "backward", "rate": 4.0},
            rate("b__c", 5.0),
        ]
    )
    assert _cost_of(made, "a__b", "wagon") == {0: (3.0, True), 1: (4.0, True)}
    assert _cost_of(made, "a__b", "container") == {0: (3.0, True), 1: (4.0, True)}
    assert _cost_of(made, "b__c", "wagon") == {0: (5.0, True), 1: (5.0, True)}


def test_no_tariff_no_carriage():
    made = _boxes_and_wagons([{"tariff_id": "t1", "loading_unit": "container", "rate": 2.0}])
    assert _cost_of(made, "a__b", "wagon") == {0: (0.0, False), 1: (0.0, False)}


def test_a_rate_per_box_is_for_boxes_only():
    made = _boxes_and_wagons([{"tariff_id": "t1", "basis": "usd_per_teu", "rate": 40.0}])
    assert _cost_of(made, "a__b", "container")[0] == (2.0, True)
    assert not _cost_of(made, "a__b", "wagon")[0][1]


def test_two_tariffs_for_the_same_goods_are_an_error():
    made = _boxes_and_wagons([{"tariff_id": "t1", "rate": 1.0}, {"tariff_id": "t2", "rate": 1.0}])
    with pytest.raises(DataError, match=r"tariffs, row 2.*as row 1"):
        _cost_of(made, "a__b", "wagon")


def test_unknown_goods_are_an_error():
    made = _boxes_and_wagons([{"tariff_id": "t1"}])
    with pytest.raises(DataError, match="no group tea"):
        arc_costs(build_graph(made), made, "tea", co2_price_usd_per_t=0.0)


def test_components_of_a_terminal_and_a_link():
    made = tables(
        places=places("a", "b"),
        links=[link("a", "b", mode="road", gauge="none"), link("b", "a", gauge="1435")],
        modes=[{"mode": mode, "loading_unit": "container", "time_sd_share": 0.1} for mode in ("rail", "road")],
        terminals=[
            {
                "terminal_id": "yard", "place_id": "b", "kind": "transfer", "from_mode": "road", "to_mode": "rail", "time_h": 12.0,
                "waiting_h": 24.0, "time_sd_h": 5.0, "cost_usd_per_t": 3.0, "cost_usd_per_teu": 40.0,
            }
        ],
        commodities=[{"commodity_group": "grain", "value_usd_per_t": 3650.0, "time_value_factor": 2.0, "reliability_ratio": 0.5}],
        commodity_units=[{"commodity_group": "grain", "loading_unit": "container", "payload_t_per_unit": 20.0}],
    )  # fmt: skip
    graph = build_graph(made)
    costs = arc_costs(graph, made, "grain", co2_price_usd_per_t=100.0)
    yard = int(np.flatnonzero(graph.arc_kind == 1)[0])
    ride = int(np.flatnonzero(graph.arc_kind == 0)[0])
    assert costs.vot_usd_per_t_d == pytest.approx(2.0, rel=1e-12)
    assert (costs.tariff[yard], costs.handling[yard], costs.time[yard], costs.waiting[yard]) == pytest.approx(
        (0.0, 5.0, 1.0, 2.0), rel=1e-12
    )
    assert (costs.tariff[ride], costs.time[ride], costs.co2[ride]) == pytest.approx((10.0, 10.0 / 12.0, 0.2), rel=1e-12)
    assert graph.arc_sd_h[ride] == pytest.approx(1.0, rel=1e-12)
    assert costs.search_cost(graph)[yard] == pytest.approx(8.0 + 0.5 * 0.5 * 2.0 / 24.0 * 5.0, rel=1e-12)
