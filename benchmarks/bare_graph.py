"""Bare state graphs: arcs between numbered nodes and nothing else, for benchmarks and tests of searches."""

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
