"""Plain, slow twins of the search, and bare graphs to try both on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields

import numpy as np

from karvan.routing import StateGraph


def bare_graph(node_count: int, ends: Sequence[tuple[int, int]], *, origins: Collection[int], destinations: Collection[int]) -> StateGraph:
    """A graph whose arcs are links, each its own, but for access at origins and destinations; every other node is a place."""
    arcs = len(ends)
    tail = np.array([tail for tail, _ in ends], dtype=np.int64)
    head = np.array([head for _, head in ends], dtype=np.int64)
    out_arc, in_arc = np.argsort(tail, kind="stable"), np.argsort(head, kind="stable")
    kind = np.array([2 if node in origins else 3 if node in destinations else 0 for node in range(node_count)], dtype=np.int64)
    known = {
        "place_ids": tuple(f"p{node}" for node in range(node_count)),
        "arc_element_id": tuple(f"l{arc}" for arc in range(arcs)), "state_nodes": {}, "origin_nodes": {}, "destination_nodes": {},
        "arc_tail": tail, "arc_head": head, "arc_element": np.arange(arcs), "out_arc": out_arc, "in_arc": in_arc,
        "arc_kind": np.where((kind[tail] >= 2) | (kind[head] >= 2), 2, 0),
        "out_first": np.searchsorted(tail[out_arc], np.arange(node_count + 1)),
        "in_first": np.searchsorted(head[in_arc], np.arange(node_count + 1)),
        "arc_hours": np.zeros((arcs, 5)), "node_kind": kind, "node_place": np.where(kind >= 2, -1, np.arange(node_count)),
    }  # fmt: skip
    rest = {
        field.name: np.zeros(
            node_count if field.name.startswith("node_") else arcs,
            dtype=np.float64 if field.name.endswith(("_h", "_km", "_t")) else np.int64,
        )
        for field in fields(StateGraph)
        if field.name not in known
    }
    return StateGraph(**known, **rest)


def random_dag(rng: np.random.Generator, node_count: int = 12, *, zero_share: float = 0.2) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Arcs from lower to higher nodes, about half of all, and whole-number costs, some zero."""
    ends = [(low, high) for low in range(node_count) for high in range(low + 1, node_count) if rng.random() < 0.5]
    cost = rng.integers(1, 20, size=len(ends)).astype(np.float64)
    cost[rng.random(len(ends)) < zero_share] = 0.0
    return ends, cost


def relaxed(
    ends: Sequence[tuple[int, int]], cost: np.ndarray, mask: np.ndarray, *, bits: np.ndarray, bit_count: int, origin: int, node_count: int
) -> np.ndarray:
    """Least costs to (node, flags) by relaxing every arc until nothing changes (Bellman-Ford)."""
    distance = np.full((node_count, 1 << bit_count), np.inf)
    distance[origin, 0] = 0.0
    for _ in range(node_count << bit_count):
        for arc, (tail, head) in enumerate(ends):
            for flags in range(1 << bit_count):
                if mask[arc]:
                    after = flags | int(bits[arc])
                    distance[head, after] = min(distance[head, after], distance[tail, flags] + cost[arc])
    return distance


def at_least(distance: np.ndarray) -> np.ndarray:
    """Least costs of having met the requirements of some flags and perhaps more, from those of having met exactly these."""
    flags = range(distance.shape[1])
    return np.stack([np.min([distance[:, more] for more in flags if more & wanted == wanted], axis=0) for wanted in flags], axis=1)
