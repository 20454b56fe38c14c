from __future__ import annotations

import pytest

from karvan.errors import DataError
from karvan.routing import centroid_markets
from tests.routing.small import at, market, places, tables

UNITS = [
    {"commodity_group": goods, "loading_unit": unit, "payload_t_per_unit": 20.0}
    for goods in ("grain", "coal")
    for unit in ("container", "wagon")
]


def _markets(region_places, *rows):
    made = tables(
        places=places("a", "b", "c", "d"),
        regions=[{"region_id": region} for region in ("west", "east")],
        region_places=region_places,
        commodities=[{"commodity_group": goods} for goods in ("grain", "coal")],
        commodity_units=UNITS,
        demand=list(rows) or [market("west", "east")],
    )
    return centroid_markets(made)


def _nodes(frame):
    return list(frame.select("origin_node", "destination_node", "share").iter_rows())


def test_shares_multiply():
    frame = _markets([at("west", "a", share=0.25), at("west", "b", share=0.75), at("east", "c", share=0.4), at("east", "d", share=0.6)])
    expected = [("a", "c", 0.1), ("a", "d", 0.15), ("b", "c", 0.3), ("b", "d", 0.45)]
    assert [row[:2] for row in _nodes(frame)] == [row[:2] for row in expected]
    assert frame["share"].to_list() == pytest.approx([row[2] for row in expected], rel=1e-12)


def test_alternatives_are_one_centroid():
    assert _nodes(_markets([at("west", "a"), at("east", "c", share=None), at("east", "d", share=None)])) == [("a", "east", 1.0)]


def test_rows_for_the_goods_win_over_any():
    rows = [at("west", "a"), at("west", "b", commodity_group="coal"), at("east", "d")]
    assert _nodes(_markets(rows)) == [("a", "d", 1.0)]
    assert _nodes(_markets(rows, market("west", "east", commodity_group="coal"))) == [("b", "d", 1.0)]


def test_rows_for_a_side_win_over_both():
    rows = [at("west", "a"), at("west", "b", side="origin"), at("east", "d")]
    assert _nodes(_markets(rows)) == [("b", "d", 1.0)]
    assert _nodes(_markets(rows, market("east", "west"))) == [("d", "a", 1.0)]


def test_rows_for_other_loading_units_leave_their_part():
    rows = [at("west", "a", share=0.2, loading_unit="container"), at("west", "b", share=0.3), at("west", "c", share=0.5), at("east", "d")]
    frame = _markets(rows)
    assert frame["origin_node"].to_list() == ["b", "c"]
    assert frame["share"].to_list() == pytest.approx([0.375, 0.625], rel=1e-12)
    assert _markets(rows, market("west", "east", form="boxed"))["share"].to_list() == pytest.approx([0.2, 0.3, 0.5], rel=1e-12)


def test_a_share_of_zero_is_left_out_and_a_flow_of_zero_is_not():
    frame = _markets([at("west", "a", share=0.0), at("west", "b"), at("east", "d")], market("west", "east", flow_kt=0.0))
    assert _nodes(frame) == [("b", "d", 1.0)]


def test_a_region_without_places_is_an_error():
    with pytest.raises(DataError, match="demand, row 1, column destination_region: no row of region_places ties east"):
        _markets([at("west", "a")])
