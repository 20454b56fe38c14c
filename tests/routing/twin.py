"""Plain, slow twins of the search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
