from __future__ import annotations

import numpy as np

from karvan.routing import Closing, opened_by_each, pareto_ways
from karvan.routing.permissions import binding, closed_arcs, rules_for, rules_in_force
from karvan.routing.refusals import without
from tests.routing.small import DATE
from tests.routing.test_options import asked, three_roads


def refused(rules):
    made = three_roads(permissions=[{"permission_id": f"rule_{number}", "rule": "-"} | rule for number, rule in enumerate(rules)])
    graph, criteria, mask, ends = asked(made)
    known = binding(rules_for(rules_in_force(made, DATE), "west", "east", "grain"))
    closings = [Closing(rows, np.logical_or.reduce([closed_arcs(graph, made, row) for row in rows])) for rows in known]
    ways = pareto_ways(graph, criteria, without(mask, closings), ends)
    least = ways.values.min(axis=0) if ways.arcs else np.full(4, np.inf)
    found = opened_by_each(graph, criteria, mask, ends, closings, least)
    return [
        (sorted(row["permission_id"] for closing in item.closings for row in closing.rules), item.values[0], item.better) for item in found
    ]


def test_a_rule_that_takes_the_cheapest_way_is_told_with_it():
    assert refused([{"link_id": "a__c"}]) == [(["rule_0"], 20.0, ("cost_usd_per_t",))]


def test_a_rule_that_takes_nothing_better_is_not_told():
    assert refused([{"link_id": "a__m"}]) == []
    assert refused([{"link_id": "a__c", "destination_region": "west"}]) == []


def test_each_rule_is_told_by_itself():
    found = refused([{"link_id": "a__c", "rule": "no c"}, {"link_id": "a__b", "rule": "no b"}])
    assert [(names, usd, better) for names, usd, better in found] == [
        (["rule_0"], 20.0, ("cost_usd_per_t",)),
        (["rule_1"], 100.0, ("time_h",)),
    ]


def test_rows_with_the_same_words_are_one_rule():
    found = refused([{"link_id": name, "rule": "all closed"} for name in ("a__b", "a__c", "a__m")])
    assert [names for names, _, _ in found] == [["rule_0", "rule_1", "rule_2"]]


def test_rules_that_refuse_only_together_are_told_together():
    first = [{"link_id": f"a__{middle}", "rule": "one"} for middle in "bcm"]
    second = [{"link_id": f"{middle}__d", "rule": "two"} for middle in "bcm"]
    (found,) = refused([*first, *second])
    assert found[0] == [f"rule_{number}" for number in range(6)]
    assert found[1] == 20.0


def test_rows_that_only_count_goods_elsewhere_bind_no_shipper():
    assert refused([{"link_id": "a__c", "effect": "allow"}]) == []
