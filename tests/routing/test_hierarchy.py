from __future__ import annotations

import itertools

import numpy as np
import pytest

from benchmarks.bare_graph import bare_graph
from karvan.routing import build_graph, build_hierarchy, distances
from karvan.routing.hierarchy import COST_UNIT_USD_PER_T, MOST_BITS
from tests.routing.small import two_ways
from tests.routing.twin import at_least, random_dag, relaxed

SEEDS = range(25)
INNER = 10
ORIGIN, DESTINATION, NODES = INNER, INNER + 1, INNER + 2


def _instance(seed):
    """A random graph with circles, some arcs shut, some free of charge, some that meet one or both of two requirements; and centroids."""
    rng = np.random.default_rng(seed)
    pairs = [(tail, head) for tail in range(INNER) for head in range(INNER) if tail != head and rng.random() < 0.25]
    pairs += [(ORIGIN, int(node)) for node in rng.choice(INNER, size=3, replace=False)]
    pairs += [(int(node), DESTINATION) for node in rng.choice(INNER, size=3, replace=False)]
    ends = sorted(pairs)
    cost = rng.integers(0, 20, size=len(ends)).astype(np.float64)
    is_link = np.array([max(pair) < INNER for pair in ends])
    bits = np.where(rng.random(len(ends)) < 0.2, 1, 0) | np.where(rng.random(len(ends)) < 0.2, 2, 0)
    mask = rng.random(len(ends)) < 0.85
    return ends, cost, mask, np.where(is_link, bits, 0)


def _graph(ends):
    return bare_graph(NODES, ends, origins=[ORIGIN], destinations=[DESTINATION])


def _twin(ends, cost, mask, bits, root):
    least = np.maximum(cost, COST_UNIT_USD_PER_T)  # every arc costs something, so that no circle is free
    return at_least(relaxed(ends, least, mask, bits=bits, bit_count=2, origin=root, node_count=NODES))[:INNER]


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_from_an_origin(seed):
    ends, cost, mask, bits = _instance(seed)
    graph = _graph(ends)
    found = distances(graph, build_hierarchy(graph), cost, mask, root=ORIGIN, bits=bits, bit_count=2)
    assert found[:INNER] == pytest.approx(_twin(ends, cost, mask, bits, ORIGIN), abs=1e-9)  # sums of whole millionths


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_to_a_destination(seed):
    ends, cost, mask, bits = _instance(seed)
    graph = _graph(ends)
    found = distances(graph, build_hierarchy(graph), cost, mask, root=DESTINATION, bits=bits, bit_count=2, backward=True)
    turned = [(head, tail) for tail, head in ends]
    assert found[:INNER] == pytest.approx(_twin(turned, cost, mask, bits, DESTINATION), abs=1e-9)  # sums of whole millionths


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_on_networks_without_circles(seed):
    ends, cost = random_dag(np.random.default_rng(seed), INNER)
    ends, cost = [*ends, (ORIGIN, 0), (INNER - 1, DESTINATION)], np.append(cost, [0.0, 0.0])
    graph, every, nothing = _graph(ends), np.ones(len(ends), dtype=np.bool_), np.zeros(len(ends), dtype=np.int64)
    found = distances(graph, build_hierarchy(graph), cost, every, root=ORIGIN)
    assert found.shape == (NODES, 1)
    assert found[:INNER, 0] == pytest.approx(_twin(ends, cost, every, nothing, ORIGIN)[:, 0], abs=1e-9)  # sums of whole millionths


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ban_never_improves_anything(seed):
    ends, cost, mask, bits = _instance(seed)
    graph = _graph(ends)
    hierarchy = build_hierarchy(graph)
    before = distances(graph, hierarchy, cost, mask, root=ORIGIN, bits=bits, bit_count=2)
    for arc in np.flatnonzero(mask):
        banned = mask.copy()
        banned[arc] = False
        assert np.all(distances(graph, hierarchy, cost, banned, root=ORIGIN, bits=bits, bit_count=2) >= before)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_arcs_does_not_matter(seed):
    ends, cost, mask, bits = _instance(seed)
    turned = np.random.default_rng(seed).permutation(len(ends))
    one, other = _graph(ends), _graph([ends[arc] for arc in turned])
    found = distances(one, build_hierarchy(one), cost, mask, root=ORIGIN, bits=bits, bit_count=2)
    again = distances(other, build_hierarchy(other), cost[turned], mask[turned], root=ORIGIN, bits=bits[turned], bit_count=2)
    assert np.array_equal(found, again)  # whole numbers


@pytest.mark.parametrize("seed", SEEDS)
def test_every_arc_has_its_edge_and_every_pair_of_edges_its_third(seed):
    ends, *_ = _instance(seed)
    graph = _graph(ends)
    hierarchy = build_hierarchy(graph)
    low = np.repeat(np.arange(INNER), np.diff(hierarchy.up_first))
    edges = list(zip(low.tolist(), hierarchy.up_head.tolist(), strict=True))
    rank = hierarchy.position
    assert sorted(rank[:INNER]) == list(range(INNER))
    assert rank[[ORIGIN, DESTINATION]].tolist() == [-1, -1]
    assert edges == sorted(set(edges))
    assert all(one < other for one, other in edges)
    for arc, (tail, head) in enumerate(ends):
        if max(tail, head) >= INNER:
            assert hierarchy.arc_edge[arc] == -1
        else:
            assert edges[hierarchy.arc_edge[arc]] == (min(rank[tail], rank[head]), max(rank[tail], rank[head]))
            assert hierarchy.arc_is_up[arc] == (rank[tail] < rank[head])
    found = list(zip(hierarchy.triangle_low, hierarchy.triangle_high, hierarchy.triangle_top, strict=True))
    assert [[edges[edge] for edge in three] for three in found] == [
        [one, other, (one[1], other[1])] for one, other in itertools.combinations(edges, 2) if one[0] == other[0]
    ]


def test_free_circles_do_not_loop():
    ends = [(0, 1), (1, 0), (1, 2), (2, 1), (ORIGIN, 0), (2, DESTINATION)]
    graph = _graph(ends)
    found = distances(
        graph, build_hierarchy(graph), np.zeros(6), np.ones(6, dtype=np.bool_), root=ORIGIN, bits=np.array([0, 1, 0, 0, 0, 0]), bit_count=1
    )
    assert found[2] / COST_UNIT_USD_PER_T == pytest.approx([3.0, 5.0], rel=1e-9)


def test_what_is_not_reached_is_infinitely_far():
    graph = _graph([(0, 1), (2, 1), (ORIGIN, 0), (2, DESTINATION)])
    hierarchy, cost, every = build_hierarchy(graph), np.ones(4), np.ones(4, dtype=np.bool_)
    assert np.isfinite(distances(graph, hierarchy, cost, every, root=ORIGIN)[:, 0]).nonzero()[0].tolist() == [0, 1]
    assert np.isfinite(distances(graph, hierarchy, cost, every, root=DESTINATION, backward=True)[:, 0]).nonzero()[0].tolist() == [2]
    assert np.isinf(distances(graph, hierarchy, cost, ~every, root=ORIGIN)).all()


def test_too_many_requirements_are_refused():
    graph = _graph([(ORIGIN, 0), (0, DESTINATION)])
    with pytest.raises(ValueError, match="must be 0 to 8"):
        distances(graph, build_hierarchy(graph), np.ones(2), np.ones(2, dtype=np.bool_), root=ORIGIN, bit_count=MOST_BITS + 1)


def test_read_only_inputs_are_taken():
    graph = _graph([(ORIGIN, 0), (0, DESTINATION)])
    cost, every = np.ones(2), np.ones(2, dtype=np.bool_)
    cost.flags.writeable = every.flags.writeable = False
    assert distances(graph, build_hierarchy(graph), cost, every, root=ORIGIN)[0, 0] == pytest.approx(1.0, rel=1e-9)


def test_costs_of_a_corridor():
    made = two_ways()
    graph = build_graph(made)
    tariff = {"a__b": 30.0, "b__c": 40.0, "c__d": 30.0, "a__m": 60.0, "m__d": 60.0}
    cost = np.array([tariff.get(name, 0.0) for name in graph.arc_element_id])
    found = distances(
        graph, build_hierarchy(graph), cost, np.ones(graph.arc_count, dtype=np.bool_), root=graph.origin_nodes["west", "both", "any", "a"]
    )
    least = {place: found[node, 0] for (place, *_), node in graph.state_nodes.items()}
    assert least == pytest.approx({"a": 0.0, "b": 30.0, "c": 70.0, "d": 100.0, "m": 60.0}, abs=1e-5)  # each arc costs a millionth at least
