from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bare_graph import bare_graph
from karvan.routing import Criteria, Ends, SearchOptions, Timetable, extreme_ways, pareto_ways
from tests.routing.twin import random_dag

EXACT = SearchOptions(epsilon=0.0)


def criteria(values, sailings=None):
    """Criteria of arcs with these values, shape (arcs, 4), and dated sailings by arc."""
    count = values.shape[0]
    hours = np.zeros((count, 5))
    hours[:, 0] = values[:, 1]
    of = [sorted((sailings or {}).get(arc, ())) for arc in range(count)]
    first = np.cumsum([0, *(len(dates) for dates in of)]).astype(np.int64)
    times = Timetable(hours, values[:, 2].copy(), first, np.array([hour for dates in of for hour in dates], dtype=np.float64))
    return Criteria(np.ascontiguousarray(values), times, 1.0, 1.0)


def between(graph, origin, destination, bits=None, bit_count=0):
    return Ends(origin, destination, np.zeros(graph.arc_count, dtype=np.int64) if bits is None else bits, bit_count)


def all_paths(ends, origin, destination):
    """Every path of a graph without cycles, as lists of arcs."""
    if origin == destination:
        return [[]]
    return [[arc, *rest] for arc, (tail, head) in enumerate(ends) if tail == origin for rest in all_paths(ends, head, destination)]


def unbeaten(rows):
    """Distinct rows that no other row beats, sorted."""
    rows = sorted(set(rows))
    return [row for row in rows if not any(other != row and all(a <= b for a, b in zip(other, row, strict=True)) for other in rows)]


def random_case(seed, node_count=12):
    rng = np.random.default_rng(seed)
    ends, _ = random_dag(rng, node_count)
    graph = bare_graph(node_count, ends, origins=(0,), destinations=(node_count - 1,))
    return rng, ends, graph, rng.integers(0, 12, size=(len(ends), 4)).astype(np.float64)


def test_hansen_chain_has_every_sum_once():
    """Hansen (1980): stage i costs (2^i, 0) or (0, 2^i); all 1,024 ways through ten stages are unbeaten, and each sums to 1023."""
    ends, rows = [], []
    for stage in range(10):
        for pair in ((2.0**stage, 0.0), (0.0, 2.0**stage)):
            ends.append((stage, stage + 1))
            rows.append([*pair, 0.0, 0.0])
    graph = bare_graph(11, ends, origins=(0,), destinations=(10,))
    ways = pareto_ways(graph, criteria(np.array(rows)), np.ones(len(ends), dtype=bool), between(graph, 0, 10), options=EXACT)
    assert len(ways.arcs) == 1024
    assert set(ways.values[:, 0] + ways.values[:, 1]) == {1023.0}
    assert ways.is_whole


@pytest.mark.parametrize("seed", range(12))
def test_every_unbeaten_way_is_found(seed):
    rng, ends, graph, values = random_case(seed)
    mask = rng.random(len(ends)) < 0.8
    ways = pareto_ways(graph, criteria(values), mask, between(graph, 0, 11), options=EXACT)
    paths = [path for path in all_paths(ends, 0, 11) if mask[path].all()]
    assert sorted(tuple(row) for row in ways.values) == unbeaten([tuple(values[path].sum(axis=0)) for path in paths])
    for arcs, row in zip(ways.arcs, ways.values, strict=True):
        assert arcs.tolist() in paths
        assert values[arcs].sum(axis=0).tolist() == row.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_required_arcs_are_passed(seed):
    rng, ends, graph, values = random_case(100 + seed)
    bits = np.where(rng.random(len(ends)) < 0.2, 1, 0) | np.where(rng.random(len(ends)) < 0.2, 2, 0)
    ways = pareto_ways(graph, criteria(values), np.ones(len(ends), dtype=bool), between(graph, 0, 11, bits, 2), options=EXACT)
    paths = [path for path in all_paths(ends, 0, 11) if np.bitwise_or.reduce(bits[path], initial=0) == 3]
    assert sorted(tuple(row) for row in ways.values) == unbeaten([tuple(values[path].sum(axis=0)) for path in paths])


@pytest.mark.parametrize("seed", range(8))
def test_extremes_are_the_least_by_one_criterion_also_of_a_coarse_search(seed):
    _, ends, graph, values = random_case(200 + seed)
    mask, asked = np.ones(len(ends), dtype=bool), between(graph, 0, 11)
    paths = all_paths(ends, 0, 11)
    if not paths:
        return
    least = np.min([values[path].sum(axis=0) for path in paths], axis=0)
    extremes = extreme_ways(graph, criteria(values), mask, asked)
    assert [extremes.values[criterion, criterion] for criterion in range(4)] == least.tolist()
    coarse = pareto_ways(graph, criteria(values), mask, asked, options=SearchOptions(epsilon=0.3))
    assert coarse.values.min(axis=0).tolist() == least.tolist()


@pytest.mark.parametrize("seed", range(8))
def test_a_coarse_search_is_near_every_unbeaten_way(seed):
    """Each step may give up one bucket, so after as many steps as a way has arcs it is within that many."""
    _, ends, graph, values = random_case(300 + seed, node_count=9)
    values += 1.0
    epsilon = 0.05
    mask, asked = np.ones(len(ends), dtype=bool), between(graph, 0, 8)
    exact = pareto_ways(graph, criteria(values), mask, asked, options=EXACT)
    coarse = pareto_ways(graph, criteria(values), mask, asked, options=SearchOptions(epsilon=epsilon))
    assert len(coarse.arcs) <= len(exact.arcs)
    for row in exact.values:
        assert (coarse.values <= row * (1.0 + epsilon) ** 9).all(axis=1).any()


@pytest.mark.parametrize("seed", range(8))
def test_a_ban_never_improves_anything(seed):
    rng, ends, graph, values = random_case(400 + seed)
    asked, mask = between(graph, 0, 11), np.ones(len(ends), dtype=bool)
    free = pareto_ways(graph, criteria(values), mask, asked, options=EXACT)
    for _ in range(5):
        mask = mask & (rng.random(len(ends)) > 0.15)
        banned = pareto_ways(graph, criteria(values), mask, asked, options=EXACT)
        assert all(mask[arcs].all() for arcs in banned.arcs)
        for row in banned.values:
            assert (free.values <= row).all(axis=1).any()
        if banned.arcs:
            assert (banned.values.min(axis=0) >= free.values.min(axis=0)).all()


def test_a_search_that_meets_its_limit_says_so():
    _, ends, graph, values = random_case(1)
    asked, mask = between(graph, 0, 11), np.ones(len(ends), dtype=bool)
    whole = pareto_ways(graph, criteria(values), mask, asked, options=EXACT)
    cut = pareto_ways(graph, criteria(values), mask, asked, options=SearchOptions(epsilon=0.0, most_labels=5))
    assert whole.is_whole
    assert not cut.is_whole
    assert cut.labels_made <= 5
    assert cut.arcs  # the best by each criterion are told nevertheless


def test_goods_wait_for_dated_sailings():
    """Ready at 5 h for sailings at 4 and 30 h that take 10 h: there at 40 h; the road takes 50 h; after the last sailing only the road."""
    ends = [(0, 1), (1, 2), (0, 2)]
    graph = bare_graph(3, ends, origins=(0,), destinations=(2,))
    values = np.array([[1.0, 5.0, 0.0, 0.0], [1.0, 10.0, 0.0, 0.0], [9.0, 50.0, 0.0, 0.0]])
    mask, asked = np.ones(3, dtype=bool), between(graph, 0, 2)
    ways = pareto_ways(graph, criteria(values, {1: [4.0, 30.0]}), mask, asked, options=EXACT)
    assert ways.values[:, :2].tolist() == [[2.0, 40.0]]
    missed = pareto_ways(graph, criteria(values, {1: [4.0]}), mask, asked, options=EXACT)
    assert [arcs.tolist() for arcs in missed.arcs] == [[2]]


def test_no_way_is_no_error():
    graph = bare_graph(3, [(0, 1)], origins=(0,), destinations=(2,))
    ways = pareto_ways(graph, criteria(np.ones((1, 4))), np.ones(1, dtype=bool), between(graph, 0, 2))
    assert ways.arcs == ()
    assert ways.is_whole
