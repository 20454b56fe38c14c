"""Route finding on plain arrays, the one place where benchmarks meet the route kernel of the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from karvan.routing import _kernels

_ANY_LENGTH = 1e6
"""Length bound that keeps every route."""


@dataclass(frozen=True)
class Routes:
    """Routes of many pairs: pair and first link of each, and the links in travel order.

    Attributes:
        pair: Position of the pair, shape (routes,), in order.
        first: Where each route's links start, and the end, shape (routes + 1,).
        link: Links of the routes.
    """

    pair: np.ndarray
    first: np.ndarray
    link: np.ndarray


def find_routes(
    nodes: int,
    tail: np.ndarray,
    head: np.ndarray,
    cost: np.ndarray,
    origin: np.ndarray,
    destination: np.ndarray,
    *,
    most: int,
    repeats: int,
    penalty_share: float,
    overlap_bound: float = 1.0,
    limited_links: np.ndarray | None = None,
) -> Routes:
    """Up to `most` routes of every pair: the cheapest, the cheapest without each limited link of it, and repeats with links found dearer.

    Args:
        nodes: Number of nodes.
        tail, head: Ends of each link, shape (links,).
        cost: Cost of each link, shape (links,).
        origin, destination: Ends of each pair, in the order of origins, shape (pairs,).
        most: Most routes of a pair.
        repeats: Searches with the links found so far made dearer.
        penalty_share: By how much of its cost, each time.
        overlap_bound: Largest part that a route may share with one kept already.
        limited_links: Links that can be full.
    """
    links = tail.shape[0]
    limited = np.zeros(0, dtype=np.int64) if limited_links is None else limited_links.astype(np.int64)
    out_first, out_link = _by_end(tail, nodes)
    in_first, in_link = _by_end(head, nodes)
    is_limited = np.zeros(links, dtype=np.int64)
    is_limited[limited] = 1
    use_of = np.zeros(links, dtype=np.int64)
    use_of[limited] = np.arange(limited.shape[0])
    origins, first_pair = np.unique(origin, return_index=True)
    nothing, one = np.zeros(links, dtype=np.int64), np.zeros(1, dtype=np.int64)
    no_rule = np.zeros((1, links), dtype=np.bool_)
    pair, first, link = _kernels.family_routes(
        (out_first, out_link, in_first, in_link, tail, head, np.arange(nodes, dtype=np.int64), np.arange(links, dtype=np.int64)),
        (cost, cost, np.zeros(links), 0.0),
        (np.append(0, np.cumsum(is_limited)).astype(np.int64), use_of[is_limited.astype(np.bool_)]),
        (np.arange(limited.shape[0] + 1, dtype=np.int64), limited),
        (np.ones(links, dtype=np.bool_), nothing, 0, np.zeros(0, dtype=np.int64), 0),
        (np.ones(1, dtype=np.bool_), np.zeros(1, dtype=np.bool_), no_rule, no_rule, nothing[None, :], one),
        (most, _ANY_LENGTH, overlap_bound, repeats, penalty_share),
        origins.astype(np.int64),
        np.append(first_pair, origin.shape[0]).astype(np.int64),
        destination.astype(np.int64),
    )  # fmt: skip
    return Routes(pair, first, link)


def path_sizes(routes: Routes, cost: np.ndarray) -> np.ndarray:
    """Sum over the links of each route of its cost share over the number of the pair's routes that use it, shape (routes,)."""
    length = np.diff(routes.first)
    on_link = cost[routes.link]
    total = np.add.reduceat(on_link, routes.first[:-1])
    key = np.repeat(routes.pair, length) * cost.shape[0] + routes.link
    _, inverse, users = np.unique(key, return_inverse=True, return_counts=True)
    return np.add.reduceat(on_link / users[inverse], routes.first[:-1]) / total


def _by_end(end: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(end, kind="stable").astype(np.int64)
    return np.searchsorted(end[order], np.arange(nodes + 1)).astype(np.int64), order
