from __future__ import annotations

import numpy as np
import pytest

from karvan.routing import path, shortest
from tests.routing.twin import all_paths, bare_graph, random_dag, relaxed

SEEDS = range(25)
NODES = 12


def _instance(seed):
    rng = np.random.default_rng(seed)
    ends, cost = random_dag(rng, NODES)
    bits = np.zeros(len(ends), dtype=np.int64)
    bits[rng.random(len(ends)) < 0.2] |= 1
    bits[rng.random(len(ends)) < 0.2] |= 2
    mask = rng.random(len(ends)) < 0.9
    return bare_graph(NODES, ends), ends, cost, mask, bits


@pytest.mark.parametrize("seed", SEEDS)
def test_brute_force_on_random_graphs(seed):
    graph, ends, cost, mask, bits = _instance(seed)
    tree = shortest(graph, cost, mask, bits, 2, 0)
    best: dict[int, float] = {}
    for arcs in all_paths(ends, mask, 0, NODES - 1):
        flags = int(np.bitwise_or.reduce(bits[list(arcs)], initial=0))
        best[flags] = min(best.get(flags, np.inf), cost[list(arcs)].sum())
    for flags in range(4):
        assert tree.distance[NODES - 1, flags] == best.get(flags, np.inf)  # exact: whole numbers


@pytest.mark.parametrize("seed", SEEDS)
def test_twin_and_paths_add_up(seed):
    graph, ends, cost, mask, bits = _instance(seed)
    tree = shortest(graph, cost, mask, bits, 2, 0)
    assert np.array_equal(tree.distance, relaxed(ends, cost, mask, bits=bits, bit_count=2, origin=0, node_count=NODES))
    for node in range(NODES):
        for flags in range(4):
            arcs = path(tree, node, flags)
            if arcs is None:
                assert np.isinf(tree.distance[node, flags])
                continue
            assert cost[arcs].sum() == tree.distance[node, flags]  # exact: whole numbers
            assert mask[arcs].all()
            assert np.bitwise_or.reduce(bits[arcs], initial=0) == flags
            walk = [0] + [ends[arc][1] for arc in arcs]
            assert [ends[arc][0] for arc in arcs] == walk[:-1]
            assert walk[-1] == node


@pytest.mark.parametrize("seed", SEEDS)
def test_backward_tree_gives_the_same_costs(seed):
    graph, ends, cost, mask, bits = _instance(seed)
    back = shortest(graph, cost, mask, bits, 2, NODES - 1, backward=True)
    for node in range(NODES):
        forward = shortest(graph, cost, mask, bits, 2, node)
        assert np.array_equal(forward.distance[NODES - 1], back.distance[node])
        arcs = path(back, node, 3)
        if arcs is not None:
            assert ends[arcs[0]][0] == node
            assert cost[arcs].sum() == back.distance[node, 3]  # exact: whole numbers


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ban_never_improves_anything(seed):
    graph, _, cost, mask, bits = _instance(seed)
    before = shortest(graph, cost, mask, bits, 2, 0).distance
    for arc in np.flatnonzero(mask):
        banned = mask.copy()
        banned[arc] = False
        assert np.all(shortest(graph, cost, banned, bits, 2, 0).distance >= before)


def test_zero_cost_circles_do_not_loop():
    ends = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3)]
    graph = bare_graph(4, ends)
    tree = shortest(graph, np.zeros(5), np.ones(5, dtype=np.bool_), np.array([0, 1, 0, 0, 0]), 1, 0)
    assert path(tree, 3, 0).tolist() == [0, 2, 4]
    assert path(tree, 3, 1).tolist() == [0, 1, 0, 2, 4]


def test_ties_go_to_the_lower_arc():
    graph = bare_graph(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    tree = shortest(graph, np.ones(4), np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.int64), 0, 0)
    assert path(tree, 3, 0).tolist() == [0, 2]


def test_read_only_inputs_are_taken():
    graph = bare_graph(2, [(0, 1)])
    cost = np.ones(1)
    cost.flags.writeable = False
    assert shortest(graph, cost, np.ones(1, dtype=np.bool_), np.zeros(1, dtype=np.int64), 0, 0).distance[1, 0] == 1.0  # exact: copied


@pytest.mark.parametrize(("cost", "bits", "bit_count"), [(-1.0, 0, 0), (np.nan, 0, 0), (1.0, 2, 1), (1.0, 0, 9)])
def test_wrong_input_is_refused(cost, bits, bit_count):
    with pytest.raises(ValueError, match=r"must be|above the"):
        shortest(bare_graph(2, [(0, 1)]), np.array([cost]), np.ones(1, dtype=np.bool_), np.array([bits]), bit_count, 0)


def test_a_negative_cost_on_a_closed_arc_does_not_matter():
    tree = shortest(bare_graph(2, [(0, 1)]), np.array([-1.0]), np.zeros(1, dtype=np.bool_), np.zeros(1, dtype=np.int64), 0, 0)
    assert np.isinf(tree.distance[1, 0])
    assert path(tree, 1, 0) is None
