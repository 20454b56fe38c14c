"""What a replication says in numbers that planners know: one number for each thing and measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from karvan.simulation import _state_kernels as k
from karvan.simulation.replicate import Period, Replication
from karvan.simulation.system import HOURS_A_YEAR, Built

FloatArray = npt.NDArray[np.float64]
CAUSES = (
    "sailing", "handling", "customs", "sorting", "no_ship", "filling", "berth", "weather", "channel", "storage", "off_hire",
)  # fmt: skip
"""Causes of hours, in the order in which the event loop books them."""
WAITS = ("no_ship", "filling", "berth", "weather", "storage", "sorting", "off_hire")
"""Those that are waits: they grow with use or come from weather."""
MONTHS = 12
_MONTH_STARTS = np.array([0, 744, 1416, 2160, 2880, 3624, 4344, 5088, 5832, 6552, 7296, 8016], dtype=np.float64)
_TAIL = (0.925, 0.975)


class Key(NamedTuple):
    """What a number is of: kind of thing (stream, berth, ship, weather, call, ban), its name, and the measure, with its unit."""

    kind: str
    name: str
    measure: str


def measured(built: Built, found: Replication, period: Period) -> dict[Key, float]:
    """Numbers of one replication.

    Args:
        built: The system.
        found: What was simulated.
        period: How long.
    """
    years = period.count_h / HOURS_A_YEAR
    return {
        **_streams(built, found, period),
        **_berths(built, found, period),
        **_calls(built, found, years),
        **_ships(built, found, period),
        **_weather(built, found, years),
        **_bans(built, found, years),
    }


def gathered(rows: Sequence[Mapping[Key, float]]) -> dict[Key, FloatArray]:
    """Numbers of all replications by what they are of, shape (replications,)."""
    return {key: np.array([row.get(key, np.nan) for row in rows]) for key in rows[0]}


def weighted_quantiles(values: FloatArray, weights: FloatArray, shares: Sequence[float]) -> list[float]:
    """Values not exceeded by so much of the weight."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array(shares) * reached[-1])
    return [float(values[order][min(place, values.shape[0] - 1)]) for place in places]


def _streams(built: Built, found: Replication, period: Period) -> dict[Key, float]:
    numbers: dict[Key, float] = {}
    years = period.count_h / HOURS_A_YEAR
    order = np.argsort(found.record[:, 1], kind="stable")
    record, of_line = found.record[order], found.record[order, 1]
    for place, stream in enumerate(built.streams):
        name = stream.arrival_id
        row = built.system.row("line", name)
        rows = record[np.searchsorted(of_line, row) : np.searchsorted(of_line, row, side="right")]
        units, came, hours = rows[:, 2].copy(), rows[:, 3].copy(), rows[:, 0] - rows[:, 3]
        series = found.series[place]
        numbers[Key("stream", name, "out_per_year")] = float(found.state.values[row + k.G_OUT]) / years
        numbers[Key("stream", name, "inside")] = float(series[period.warm_samples :].mean())
        if units.sum() <= 0.0:
            continue
        weight = units / units.sum()
        mean = float(weight @ hours)
        low, p50, p90, p95, high = weighted_quantiles(hours, units, (_TAIL[0], 0.5, 0.9, 0.95, _TAIL[1]))
        numbers[Key("stream", name, "transit_h")] = mean
        numbers[Key("stream", name, "transit_sd_h")] = float(np.sqrt(max(weight @ (hours - mean) ** 2, 0.0)))
        for measure, value in (("transit_p50_h", p50), ("transit_p90_h", p90), ("transit_p95_h", p95)):
            numbers[Key("stream", name, measure)] = value
        tail = np.flatnonzero((hours >= low) & (hours <= high))
        by_cause, tail_by_cause = weight @ rows[:, 4:], (units[tail] / units[tail].sum()) @ rows[tail, 4:]
        for cause, told in enumerate(CAUSES):
            numbers[Key("stream", name, f"{told}_h")] = float(by_cause[cause])
            numbers[Key("stream", name, f"{told}_p95_h")] = float(tail_by_cause[cause])
        numbers[Key("stream", name, "wait_h")] = sum(numbers[Key("stream", name, f"{told}_h")] for told in WAITS)
        month, left = _months_of(came), _months_of(rows[:, 0])
        began, under_way = np.bincount(month, units, MONTHS), np.bincount(month, units * hours, MONTHS)
        out = np.bincount(left, units, MONTHS)
        for number in range(MONTHS):
            if began[number] > 0.0:
                numbers[Key("stream", name, f"month_{number + 1}_transit_h")] = float(under_way[number] / began[number])
            numbers[Key("stream", name, f"month_{number + 1}_out")] = float(out[number]) / years
    return numbers


def _months_of(hours: FloatArray) -> npt.NDArray[np.int64]:
    """Month of each hour, 0 to 11."""
    return np.searchsorted(_MONTH_STARTS, hours % HOURS_A_YEAR, side="right") - 1


def _berths(built: Built, found: Replication, period: Period) -> dict[Key, float]:
    numbers: dict[Key, float] = {}
    calls = dict.fromkeys(built.system.names.berths, 0.0)
    for call in built.calls:
        if len(call.berths) == 1:
            calls[call.berths[0]] += float(found.state.things[built.system.row("step", call.wait_step) + k.S_COUNT])
    for name in built.system.names.berths:
        row = built.system.row("berth", name)
        busy, servers = float(found.state.values[row + k.B_BUSY]), int(found.state.things[row + k.B_SERVERS])
        numbers[Key("berth", name, "use_share")] = busy / (period.count_h * servers) if servers > 0 else float("nan")
        if calls[name] > 0.0:
            numbers[Key("berth", name, "hours_per_call")] = busy / calls[name]
            numbers[Key("berth", name, "calls_per_year")] = calls[name] / period.count_h * HOURS_A_YEAR
    return numbers


def _calls(built: Built, found: Replication, years: float) -> dict[Key, float]:
    numbers: dict[Key, float] = {}
    for call in built.calls:
        name = f"{call.ship_id}|{call.place_id}"
        row = built.system.row("step", call.wait_step)
        count = float(found.state.things[row + k.S_COUNT])
        numbers[Key("call", name, "per_year")] = count / years
        if count > 0.0:
            numbers[Key("call", name, "wait_h")] = float(found.state.values[row + k.S_WAIT]) / count
        steps = [built.system.row("step", step) for step in call.handling_steps if step in built.system.names.steps]
        if count > 0.0:
            handled_h = sum(float(found.state.values[step + k.S_WAIT]) for step in steps)
            numbers[Key("call", name, "handled_h")] = handled_h / float(found.state.things[steps[-1] + k.S_COUNT] or 1)
        if call.load_step in built.system.names.steps:
            row = built.system.row("step", call.load_step)
            loads = float(found.state.things[row + k.S_COUNT])
            if loads > 0.0:
                numbers[Key("call", name, "load_units")] = float(found.state.values[row + k.S_UNITS]) / loads
    return numbers


def _ships(built: Built, found: Replication, period: Period) -> dict[Key, float]:
    """Shares of time of each class, by cause; what is not booked at the end of the period is left out."""
    numbers: dict[Key, float] = {}
    first = int(found.state.counter[k.TOKENS])
    names = built.system.names.starts
    cells = found.state.values[first : first + len(names) * k.WIDTH].reshape(-1, k.WIDTH)
    causes = cells[:, k.T_CAUSE : k.T_CAUSE + k.CAUSES] - found.state.base_h
    for ship, count in built.ships.items():
        mine = [place for place, name in enumerate(names) if name.rpartition(" ")[0] == ship]
        hours = causes[mine].sum(axis=0) / (count * period.count_h)
        for cause, told in enumerate(CAUSES):
            numbers[Key("ship", ship, f"{told}_share")] = float(hours[cause])
    return numbers


def _weather(built: Built, found: Replication, years: float) -> dict[Key, float]:
    numbers: dict[Key, float] = {}
    for name in built.system.names.sites:
        row = built.system.row("site", name) + k.W_MONTH
        hours = found.state.values[row : row + MONTHS] / years
        numbers[Key("weather", name, "closed_d_per_year")] = float(hours.sum()) / 24.0
        for month in range(MONTHS):
            numbers[Key("weather", name, f"month_{month + 1}_closed_d")] = float(hours[month]) / 24.0
    return numbers


def _bans(built: Built, found: Replication, years: float) -> dict[Key, float]:
    numbers: dict[Key, float] = {}
    for name in built.system.names.bans:
        row = built.system.row("ban", name)
        numbers[Key("ban", name, "ban_d_per_year")] = float(found.state.values[row + k.N_SUM]) / 24.0 / years
        numbers[Key("ban", name, "refused_per_year")] = float(found.state.values[row + k.N_REFUSED]) / years
    return numbers
