from __future__ import annotations

import datetime

import numpy as np
import pytest

from karvan.routing import arc_mask, build_graph
from tests.routing.small import DATE, link, places, tables


def _closed_links(rule, *, date=DATE, origin="west", destination="east", commodity="grain", form="loose"):
    made = tables(
        places=places("a", "b", "c", b="BB"),
        links=[link("a", "b"), link("b", "c"), link("a", "c")],
        modes=[{"mode": "rail", "loading_unit": unit} for unit in ("container", "wagon")],
        terminals=[{"terminal_id": "post", "place_id": "c", "kind": "border", "link_id": "a__c"}],
        permissions=[{"permission_id": "rule"} | rule],
    )
    graph = build_graph(made)
    mask = arc_mask(graph, made, origin, destination, commodity, form, date)
    in_form = graph.arc_unit == (0 if form == "boxed" else 1)
    assert not mask[~in_form].any()
    names = [*made["links"]["link_id"].to_list(), "post"]
    return {
        names[-1 if kind == 1 else element]
        for kind, element in zip(graph.arc_kind[in_form & ~mask], graph.arc_element[in_form & ~mask], strict=True)
    }


@pytest.mark.parametrize(
    ("rule", "closed"),
    [
        ({"link_id": "a__b"}, {"a__b"}),
        ({"terminal_id": "post"}, {"post"}),
        ({"country": "BB"}, {"a__b", "b__c"}),
        ({"country": "BB", "origin_region": "north"}, set()),
        ({"country": "BB", "destination_region": "east", "commodity_group": "grain"}, {"a__b", "b__c"}),
        ({"country": "BB", "commodity_group": "coal"}, set()),
        ({"country": "BB", "in_force": False}, set()),
        ({"link_id": "a__c", "loading_unit": "container"}, set()),
        ({"link_id": "a__c", "loading_unit": "wagon"}, {"a__c"}),
    ],
)
def test_what_a_rule_closes(rule, closed):
    assert _closed_links(rule) == closed


@pytest.mark.parametrize(("day", "is_closed"), [("2024-06-30", False), ("2024-07-01", True), ("2024-07-31", True), ("2024-08-01", False)])
def test_first_day_in_force_and_first_day_no_longer(day, is_closed):
    rule = {"link_id": "a__b", "from_date": datetime.date(2024, 7, 1), "until_date": datetime.date(2024, 8, 1)}
    assert _closed_links(rule, date=datetime.date.fromisoformat(day)) == ({"a__b"} if is_closed else set())


def test_boxed_goods_stay_in_containers():
    assert _closed_links({"link_id": "a__c", "loading_unit": "container"}, form="boxed") == {"a__c"}


def test_masks_are_boolean():
    made = tables(places=places("a", "b"), links=[link("a", "b")])
    mask = arc_mask(build_graph(made), made, "west", "east", "grain", "loose", DATE)
    assert mask.dtype == np.bool_
    assert mask.all()
