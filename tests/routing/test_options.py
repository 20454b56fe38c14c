from __future__ import annotations

import numpy as np
import pytest

from karvan.routing import Ends, SearchOptions, arc_costs, build_graph, criteria_of, pareto_ways, timetable, worth_telling
from karvan.routing.options import sailing_waits_h, values_of
from tests.routing.small import at, link, places, rate, tables
from tests.routing.test_label_kernels import criteria


def three_roads(**rows):
    """From a to d: dear and fast by b, cheap and slow by c, and between the two by m."""
    legs = {"b": (50.0, 5.0), "c": (10.0, 40.0), "m": (30.0, 20.0)}
    return tables(**{
        "places": places("a", "b", "c", "d", "m"),
        "regions": [{"region_id": "west"}, {"region_id": "east"}],
        "region_places": [at("west", "a"), at("east", "d")],
        "links": [link(*pair, time_h=time) for name, (_, time) in legs.items() for pair in (("a", name), (name, "d"))],
        "tariffs": [rate(f"{start}__{end}", usd) for name, (usd, _) in legs.items() for start, end in (("a", name), (name, "d"))],
    } | rows)  # fmt: skip


def asked(made):
    graph = build_graph(made)
    costs = arc_costs(graph, made, "grain", co2_price_usd_per_t=0.0)
    ends = Ends(
        graph.origin_nodes["west", "both", "any", "a"], graph.destination_nodes["east", "both", "any", "d"],
        np.zeros(graph.arc_count, dtype=np.int64),
    )  # fmt: skip
    return graph, criteria_of(graph, costs, timetable(graph, made)), costs.allowed, ends


def told(made, most=5, **options):
    graph, weights, mask, ends = asked(made)
    ways = pareto_ways(graph, weights, mask, ends, options=SearchOptions(epsilon=0.0))
    found = worth_telling(graph, weights, ways, most=most, options=SearchOptions(**options))
    return [(ways.values[way, 0], ways.values[way, 1], labels) for way, labels in found]


def test_ways_are_told_with_why():
    """Time is worth nothing to these goods, and all ways are as sure and as clean: the cheapest is the best by all but time."""
    assert told(three_roads(), dearest=10.0) == [
        (20.0, 80.0, ("balanced", "cheapest", "most_reliable", "cleanest")),
        (60.0, 40.0, ("balanced",)),
        (100.0, 10.0, ("fastest",)),
    ]


def test_what_is_far_dearer_is_no_balanced_way():
    assert [labels for _, _, labels in told(three_roads(), dearest=2.0)][1:] == [("fastest",)]


def test_at_most_so_many_are_told():
    assert [row[2] for row in told(three_roads(), most=1)] == [("balanced", "cheapest", "most_reliable", "cleanest")]
    assert told(three_roads(), most=0) == []


def test_time_is_worth_what_it_is_to_the_goods():
    """8,760 USD/t at 10% a year is 0.1 USD/t an hour: 20 + 8, 60 + 4, 100 + 1."""
    goods = {"commodity_group": "grain", "value_usd_per_t": 8760.0, "time_value_factor": 1.0}
    graph, weights, mask, ends = asked(three_roads(commodities=[goods]))
    ways = pareto_ways(graph, weights, mask, ends, options=SearchOptions(epsilon=0.0))
    assert sorted(weights.worth_usd_per_t(ways.values)) == pytest.approx([28.0, 64.0, 101.0])


def test_the_order_of_rows_does_not_matter():
    made = three_roads()
    turned = {name: frame.reverse() for name, frame in made.items()}
    assert told(turned, dearest=10.0) == told(made, dearest=10.0)


def test_values_of_a_way_count_its_waits():
    weights = criteria(np.array([[1.0, 5.0, 1.0, 0.0], [1.0, 10.0, 2.0, 0.0]]), {1: [30.0]})
    arcs = np.array([0, 1])
    assert sailing_waits_h(weights, arcs).tolist() == [0.0, 25.0]
    assert values_of(weights, arcs).tolist() == [2.0, 40.0, 3.0, 0.0]


def test_too_many_requirements_are_refused():
    graph, weights, mask, ends = asked(three_roads())
    with pytest.raises(ValueError, match="must be 0 to 8"):
        pareto_ways(graph, weights, mask, Ends(ends.origin, ends.destination, ends.bits, 9))
