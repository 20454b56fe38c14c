from __future__ import annotations

import numpy as np
import pytest

from karvan.errors import DataError
from karvan.routing import build_graph
from tests.routing.small import at, link, places, tables


def _states(graph):
    return set(graph.state_nodes)


def _arcs(graph, kind):
    names = {node: name for name, node in graph.state_nodes.items()}
    return {
        (names.get(int(graph.arc_tail[arc])), names.get(int(graph.arc_head[arc])))
        for arc in np.flatnonzero(graph.arc_kind == kind)
    }  # fmt: skip


def test_a_link_gives_arcs_for_each_loading_unit_both_ways():
    graph = build_graph(
        tables(
            places=places("a", "b"),
            links=[link("a", "b")],
            modes=[{"mode": "rail", "loading_unit": unit} for unit in ("container", "wagon")],
        )
    )
    assert _states(graph) == {(place, "rail", "1520", unit) for place in "ab" for unit in ("container", "wagon")}
    assert graph.arc_count == 4


def test_one_way_closed_and_double_gauge_links():
    made = tables(
        places=places("a", "b", "c"), links=[link("a", "b", one_way=True), link("a", "c", is_open=False), link("b", "c", gauge="both")]
    )
    graph = build_graph(made)
    assert _arcs(graph, 0) == {
        (("a", "rail", "1520", "wagon"), ("b", "rail", "1520", "wagon")),
        (("b", "rail", "1520", "wagon"), ("c", "rail", "1520", "wagon")),
        (("c", "rail", "1520", "wagon"), ("b", "rail", "1520", "wagon")),
        (("b", "rail", "1435", "wagon"), ("c", "rail", "1435", "wagon")),
        (("c", "rail", "1435", "wagon"), ("b", "rail", "1435", "wagon")),
    }


def _yard(**more):
    return {"terminal_id": "yard", "place_id": "b", "kind": "gauge_change"} | more


def _break_of_gauge(terminal):
    return tables(
        places=places("a", "b", "c"),
        links=[link("a", "b"), link("b", "c", gauge="1435")],
        modes=[{"mode": "rail", "loading_unit": unit} for unit in ("container", "wagon")],
        terminals=[terminal],
    )


def test_any_after_means_unchanged():
    graph = build_graph(_break_of_gauge(_yard(from_mode="rail", from_gauge="1520", to_gauge="1435", time_h=7.0, waiting_h=2.0)))
    wide, narrow = ("b", "rail", "1520"), ("b", "rail", "1435")
    assert _arcs(graph, 1) == {
        pair for unit in ("container", "wagon") for pair in (((*wide, unit), (*narrow, unit)), ((*narrow, unit), (*wide, unit)))
    }  # fmt: skip
    yard = graph.arc_kind == 1
    assert np.all(graph.arc_hours[yard] == [0.0, 2.0, 0.0, 7.0, 0.0])
    assert sorted(graph.arc_direction[yard]) == [0, 0, 1, 1]


def test_a_one_way_terminal_for_one_unit():
    terminal = _yard(from_mode="rail", from_gauge="1520", from_unit="wagon", to_gauge="1435", both_ways=False)
    assert _arcs(build_graph(_break_of_gauge(terminal)), 1) == {(("b", "rail", "1520", "wagon"), ("b", "rail", "1435", "wagon"))}


def test_a_closed_terminal_has_no_arc():
    assert not (build_graph(_break_of_gauge(_yard(from_gauge="1520", to_gauge="1435", is_open=False))).arc_kind == 1).any()


def test_a_transfer_between_modes_and_units():
    made = tables(
        places=places("a", "b", "c"),
        links=[link("a", "b"), link("b", "c", mode="road", gauge="none")],
        modes=[{"mode": "rail", "loading_unit": "wagon"}, {"mode": "road", "loading_unit": "truck"}],
        terminals=[
            {
                "terminal_id": "x",
                "place_id": "b",
                "kind": "transfer",
                "from_mode": "rail",
                "from_unit": "wagon",
                "to_mode": "road",
                "to_unit": "truck",
            }
        ],
    )
    graph = build_graph(made)
    assert (("b", "rail", "1520", "wagon"), ("b", "road", "none", "truck")) in _arcs(graph, 1)
    forward = int(np.flatnonzero((graph.arc_kind == 1) & (graph.arc_direction == 0))[0])
    assert (graph.arc_unit[forward], graph.arc_unit_after[forward]) == (1, 2)


def test_a_terminal_that_changes_nothing_is_an_error():
    with pytest.raises(DataError, match="terminals, row 1, column to_mode: changes nothing"):
        build_graph(_break_of_gauge(_yard()))


def _with_border(**more):
    post = {
        "terminal_id": "post",
        "place_id": "b",
        "kind": "border",
        "link_id": "a__b",
        "from_unit": "wagon",
        "time_h": 5.0,
        "waiting_h": 3.0,
    }
    return tables(
        places=places("a", "b"),
        links=[link("a", "b")],
        modes=[{"mode": "rail", "loading_unit": unit} for unit in ("container", "wagon")],
        terminals=[post | more],
    )


def test_a_border_stands_on_the_passage_in_both_directions():
    graph = build_graph(_with_border())
    posts = np.flatnonzero(graph.arc_kind == 1)
    assert sorted(graph.arc_direction[posts]) == [0, 1]
    assert np.all(graph.arc_hours[posts] == [0.0, 3.0, 5.0, 0.0, 0.0])
    assert (graph.node_kind == 1).sum() == 2
    forward, backward = posts[np.argsort(graph.arc_direction[posts])]
    assert graph.arc_head[forward] == graph.state_nodes["b", "rail", "1520", "wagon"]
    assert graph.arc_tail[backward] == graph.state_nodes["b", "rail", "1520", "wagon"]
    for gate in np.flatnonzero(graph.node_kind == 1):
        assert (graph.arc_tail == gate).sum() == (graph.arc_head == gate).sum() == 1


@pytest.mark.parametrize(("more", "directions"), [({"is_open": False}, []), ({"both_ways": False}, [0])])
def test_a_closed_border_shuts_the_passage(more, directions):
    graph = build_graph(_with_border(**more))
    assert list(graph.arc_direction[(graph.arc_kind == 0) & (graph.arc_unit == 1)]) == directions
    assert sorted(graph.arc_direction[(graph.arc_kind == 0) & (graph.arc_unit == 0)]) == [0, 1]


def test_centroids_attach_to_states_of_their_places():
    made = tables(
        places=places("a", "b"),
        links=[link("a", "b")],
        modes=[{"mode": "rail", "loading_unit": unit} for unit in ("container", "wagon")],
        regions=[{"region_id": "west"}, {"region_id": "world"}],
        region_places=[
            at("west", "a", side="origin", loading_unit="wagon", access_time_h=4.0),
            at("world", "a", side="destination", share=None),
            at("world", "b", side="destination", share=None),
        ],
    )
    graph = build_graph(made)
    assert set(graph.origin_nodes) == {("west", "origin", "any", "a")}
    assert set(graph.destination_nodes) == {("world", "destination", "any", "world")}
    start = graph.origin_nodes["west", "origin", "any", "a"]
    assert graph.arc_head[graph.arc_tail == start].tolist() == [graph.state_nodes["a", "rail", "1520", "wagon"]]
    assert graph.arc_hours[graph.arc_tail == start][0, 0] == 4.0  # exact: copied
    end = graph.destination_nodes["world", "destination", "any", "world"]
    assert (graph.arc_head == end).sum() == 4
    assert graph.id_of_node(end) == "world"
    assert graph.id_of_node(start) == "a"


def test_numbers_do_not_depend_on_row_order():
    made = _break_of_gauge(_yard(from_gauge="1520", to_gauge="1435"))
    turned = {name: table.reverse() for name, table in made.items()}
    one, other = build_graph(made), build_graph(turned)
    assert one.state_nodes == other.state_nodes
    assert np.array_equal(one.arc_tail, other.arc_tail)
    assert np.array_equal(one.arc_head, other.arc_head)
    assert np.array_equal(one.arc_hours, other.arc_hours)
