from __future__ import annotations

import numpy as np
import pytest

from karvan.routing import Closing, bounds_to, extreme_ways, opened_by_each, pareto_ways
from karvan.routing.permissions import binding, closed_arcs, rules_for, rules_in_force
from karvan.routing.refusals import without
from tests.routing.small import DATE
from tests.routing.test_label_kernels import between, criteria, random_case
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


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_searched_would_have_told_nothing(seed):
    """Against every rule lifted in turn, searched without a look at what could be better at most."""
    rng, ends, graph, values = random_case(seed)
    weights, asked_for, mask = criteria(values), between(graph, 0, 11), np.ones(len(ends), dtype=bool)
    closings = [Closing(({"effect": "ban", "rule": str(number)},), rng.random(len(ends)) < 0.15) for number in range(4)]
    ways = pareto_ways(graph, weights, without(mask, closings), asked_for)
    least = ways.values.min(axis=0) if ways.arcs else np.full(4, np.inf)
    expected = []
    for closing in closings:
        opened = extreme_ways(graph, weights, without(mask, [other for other in closings if other is not closing]), asked_for)
        passed = [way for way, arcs in enumerate(opened.arcs) if closing.arcs[arcs].any()]
        if passed and (opened.values[passed].min(axis=0) < np.where(np.isfinite(least), least * (1.0 - 1e-3), np.inf)).any():
            expected.append(closing.rules[0]["rule"])
    found = opened_by_each(graph, weights, mask, asked_for, closings, least)
    alone = [item.closings[0].rules[0]["rule"] for item in found if len(item.closings) == 1]
    assert alone == expected or (not expected and not ways.arcs)


@pytest.mark.parametrize("seed", range(5))
def test_reverse_searches_serve_every_origin(seed):
    _, ends, graph, values = random_case(seed)
    weights, mask = criteria(values), np.ones(len(ends), dtype=bool)
    shared = bounds_to(graph, weights, mask, between(graph, 0, 11))
    for origin in range(11):
        own, other = (pareto_ways(graph, weights, mask, between(graph, origin, 11), bounds=bounds) for bounds in (None, shared))
        assert own.values.tolist() == other.values.tolist()
        assert [arcs.tolist() for arcs in own.arcs] == [arcs.tolist() for arcs in other.arcs]
