"""Compiled loops over the links of user equilibrium: what they cost, and flow that moves from path to path until costs agree."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

BPR, CONICAL, AKCELIK, ISOELASTIC, EXPONENTIAL = 0, 1, 2, 3, 4
MARGINAL = 8
"""Added to CONICAL or AKCELIK: the derivative of volume times time in place of the time."""
_LEAST_DEMAND_SHARE = 1e-12
_WHOLE_EVERY = 5
_MOST_STEPS_BACK, _LEAST_CHORD = 40, 0.25


class Links(NamedTuple):
    """Cost functions of links, the roads first, shape (links,); what the parameters mean stands in `link_cost`."""

    kind: np.ndarray
    start: np.ndarray
    room: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Rivalries(NamedTuple):
    """Pairs of paths between the same ends: the fullest of these ends, and another, by the links that differ.

    main, other (rivalries,): positions of the two paths; constant: cost of the other above the main one that volumes do not change.
    first (rivalries + 1,), middle (rivalries,): where links begin, first those of the other that the main one lacks, then those of the main
    one that the other lacks; link: the links.
    """

    main: np.ndarray
    other: np.ndarray
    constant: np.ndarray
    first: np.ndarray
    middle: np.ndarray
    link: np.ndarray


@njit(cache=True, nogil=True)
def link_cost(kind, start, room, first, second, volume):
    """Cost of a link and its derivative by volume.

    BPR: start + first (v/room)^second. Conical: start + first (sqrt(second^2 (1 - x)^2 + b^2) - second (1 - x) - b + 1), x = v/room, with
    b = (2 second - 1)/(2 second - 2). Akcelik: start + first (x - 1 + sqrt((x - 1)^2 + second x)). Trips not made, v of a total `room`:
    iso-elastic exp(second) (room - v)^(-first) - start; exponential start - first ln(room - v).
    """
    volume = max(volume, 0.0)
    if kind == BPR:
        if first == 0.0:
            return start, 0.0
        x = volume / room
        if second == 4.0:
            cube = x * x * x
            return start + first * cube * x, 4.0 * first * cube / room
        if second == 1.0:
            return start + first * x, first / room
        if volume == 0.0:
            return start, 0.0
        rise = first * x**second
        return start + rise, second * rise / volume
    if kind in (CONICAL, CONICAL + MARGINAL):
        free = 1.0 - volume / room
        beta = (2.0 * second - 1.0) / (2.0 * second - 2.0)
        root = math.sqrt(second * second * free * free + beta * beta)
        cost = start + first * (root - second * free - beta + 1.0)
        slope = first * second * (1.0 - second * free / root) / room
        bend = first * (second * beta / room) ** 2 / root**3
        return (cost, slope) if kind == CONICAL else (cost + volume * slope, 2.0 * slope + volume * bend)
    if kind in (AKCELIK, AKCELIK + MARGINAL):
        x = volume / room
        root = math.sqrt((x - 1.0) * (x - 1.0) + second * x)
        rise = (x - 1.0 + 0.5 * second) / root
        cost = start + first * (x - 1.0 + root)
        slope = first * (1.0 + rise) / room
        bend = first * (1.0 - rise * rise) / root / (room * room)
        return (cost, slope) if kind == AKCELIK else (cost + volume * slope, 2.0 * slope + volume * bend)
    made = max(room - volume, _LEAST_DEMAND_SHARE * room)
    if kind == ISOELASTIC:
        price = math.exp(second - first * math.log(made))
        return price - start, first * price / made
    return start - first * math.log(made), first / made


@njit(cache=True, nogil=True)
def link_costs(links, volume, cost, slope):
    """Cost and derivative of every link; fills `cost` and `slope`, shape (links,)."""
    kind, start, room, first, second = links
    for link in range(volume.shape[0]):
        cost[link], slope[link] = link_cost(kind[link], start[link], room[link], first[link], second[link], volume[link])


@njit(cache=True, nogil=True, inline="always")
def _moved(kind, start, room, first, second, items, begin, middle, end, shift, volume, cost, slope):
    """Add a shift to the volume of the first links of a range, take it off the others, renew their costs.

    Returns:
        Cost of the first links less that of the others.
    """
    above = 0.0
    for step in range(begin, end):
        item = items[step]
        sign = 1.0 if step < middle else -1.0
        volume[item] += sign * shift
        cost[item], slope[item] = link_cost(kind[item], start[item], room[item], first[item], second[item], volume[item])
        above += sign * cost[item]
    return above


@njit(cache=True, nogil=True)
def balanced(links, rivalries, flow, volume, cost, slope, target, quiet_share, most_passes):
    """Move flow between rival paths, one rivalry after the other, until what it costs above their cheaper ones is small.

    A shift is a Newton step, cost difference over the sum of derivatives, at most the flow there is; while it overshoots by more than
    half it goes back by the chord, to a quarter of its length at most. Rivalries that matter little stay, and are looked at every fifth
    pass only.

    Args:
        links: Cost functions.
        rivalries: Which paths.
        flow: Flow by path, changed in place.
        volume, cost, slope: By link, changed in place.
        target: Sum of flow times excess cost at which to stop.
        quiet_share: Part of the target that rivalries may hold unseen.
        most_passes: Most passes.

    Returns:
        Passes made, and the sum when last looked at.
    """
    kind, start, room, first, second = links
    main, other, constant, begins, middles, items = rivalries
    count = main.shape[0]
    is_quiet = np.zeros(count, dtype=np.bool_)
    enough = quiet_share * target / max(count, 1)
    excess = np.inf
    since = _WHOLE_EVERY
    for turn in range(most_passes):
        is_whole = since >= _WHOLE_EVERY or excess <= target
        since = 1 if is_whole else since + 1
        excess = 0.0
        for own in range(count):
            if is_quiet[own] and not is_whole:
                continue
            begin, middle, end = begins[own], middles[own], begins[own + 1]
            gap = constant[own]
            steep = 0.0
            for step in range(begin, middle):
                gap += cost[items[step]]
                steep += slope[items[step]]
            for step in range(middle, end):
                gap -= cost[items[step]]
                steep += slope[items[step]]
            giver, taker = (other[own], main[own]) if gap > 0.0 else (main[own], other[own])
            there = flow[giver]
            held = there * abs(gap)
            excess += held
            is_quiet[own] = held <= enough
            if is_quiet[own]:
                continue
            amount = there if abs(gap) >= steep * there else abs(gap) / steep
            sign = -1.0 if gap > 0.0 else 1.0
            shift = sign * amount
            for turn_back in range(_MOST_STEPS_BACK + 1):
                after = constant[own] + _moved(kind, start, room, first, second, items, begin, middle, end, shift, volume, cost, slope)
                if after * gap >= 0.0 or abs(after) <= 0.5 * abs(gap) or turn_back == _MOST_STEPS_BACK:
                    break
                kept = amount * max(abs(gap) / (abs(gap) + abs(after)), _LEAST_CHORD)
                shift = sign * (kept - amount)
                amount = kept
            flow[giver] = 0.0 if amount >= there else there - amount
            flow[taker] += amount
        if is_whole and excess <= target:
            return turn + 1, excess
    return most_passes, excess
