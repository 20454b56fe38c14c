"""A watched link is a row that all who pass it use."""

from __future__ import annotations

import numpy as np

from karvan.routing import build_graph, facility_entries, first_routes, route_space, watching
from karvan.routing.graph import LINK
from tests.routing.small import DATE, two_ways


def test_only_routes_over_the_link_use_the_row() -> None:
    tables = two_ways()
    graph = build_graph(tables)
    space = route_space(graph, tables, date=DATE, co2_price_usd_per_t=0.0)
    watched = watching(space, np.array(sorted(graph.arcs_of_element[LINK, "a__b"]), dtype=np.int64), name="a__b")
    sets = first_routes(space)
    before, after = facility_entries(space, sets), facility_entries(watched, sets)
    assert watched.rows.ids == (*space.rows.ids, "a__b")
    for route, family in enumerate(sets.route_family):
        old = before.entry_row[before.route_first_entry[route] : before.route_first_entry[route + 1]].tolist()
        now = after.entry_row[after.route_first_entry[route] : after.route_first_entry[route + 1]].tolist()
        is_over_it = sets.family_ids[family] == "sea"
        assert now == [*old, *([space.rows.count] if is_over_it else [])]
        assert (before.signature[route] != after.signature[route]) == is_over_it
    assert sorted({sets.family_ids[family] for family in sets.route_family}) == ["land", "sea"]
