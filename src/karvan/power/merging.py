"""Plants that a dispatch cannot tell apart, taken as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from karvan.network import Plants, PowerSystem

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def merged(system: PowerSystem) -> tuple[PowerSystem, IntArray]:
    """The same system with plants of a zone that follow the weather at one cost as one plant, and where each plant has gone.

    Which of them gives what is of no account to the rest of the system.
    """
    plants = system.plants
    place: dict[tuple[int, float, float], int] = {}
    group = np.empty(len(plants.ids), dtype=np.int64)
    count = 0
    for number in range(len(plants.ids)):
        key = (int(plants.zone[number]), float(plants.cost_usd_per_mwh[number]), float(plants.co2_t_per_mwh[number]))
        is_free = bool(plants.is_weather[number]) and not plants.least_mw[:, number].any()
        if is_free and key in place:
            group[number] = place[key]
            continue
        if is_free:
            place[key] = count
        group[number] = count
        count += 1
    first = np.array([int(np.argmax(group == number)) for number in range(count)], dtype=np.int64)

    def added(values: FloatArray) -> FloatArray:
        found = np.zeros((len(values), count))
        for number, goes in enumerate(group):
            found[:, goes] += values[:, number]
        return found

    folded = Plants(
        ids=tuple(plants.ids[number] for number in first),
        technologies=tuple(plants.technologies[number] for number in first),
        zone=plants.zone[first],
        cost_usd_per_mwh=plants.cost_usd_per_mwh[first],
        co2_t_per_mwh=plants.co2_t_per_mwh[first],
        capacity_mw=added(plants.capacity_mw[None, :])[0],
        most_mw=added(plants.most_mw),
        least_mw=added(plants.least_mw),
        is_weather=plants.is_weather[first],
    )
    return replace(system, plants=folded), group


def spread(given: FloatArray, most: FloatArray, each: FloatArray, group: IntArray) -> FloatArray:
    """What merged plants give, shared by what each could have given; a plant alone keeps its own digits."""
    alone = np.bincount(group)[group] == 1
    whole = most[:, group]
    share = np.divide(each, whole, out=np.zeros_like(each), where=whole > 0.0)
    return np.where(alone, given[:, group], given[:, group] * share)
