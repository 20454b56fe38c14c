"""When goods can leave: waits of terminals, services by frequency, dated sailings."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.common_services import half_headway_h
from karvan.routing.graph import BACKWARD, FORWARD, LINK, TERMINAL, StateGraph
from karvan.routing.sets import HOURS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_WAITING = HOURS.index("waiting")
_NOON_H = 12.0
_HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class Timetable:
    """Times of arcs to a shipper.

    Attributes:
        hours: moving, waiting, border, gauge, port, without waits for dated sailings, shape (arcs, 5).
        variance_h2: Variance of each arc, shape (arcs,).
        sailing_first, sailing_h: Dated sailings of each arc (CSR), hours after departure, rising.
    """

    hours: FloatArray
    variance_h2: FloatArray
    sailing_first: IntArray
    sailing_h: FloatArray


def timetable(graph: StateGraph, tables: Mapping[str, pl.DataFrame], *, depart: datetime.date | None = None) -> Timetable:
    """Times of arcs by terminals, services and sailings.

    A terminal's wait is a mean wait for whatever comes next: berth, weather and departure. Where a link has services, the wait at its
    end is never below half their common headway: what is missing is waited for on the link. Where every link that leaves a state has
    dated sailings, these take the place of waits of terminals that lead there; sailings count only for a given day of departure.

    Args:
        graph: The state graph.
        tables: Tables of a snapshot; `services` and `sailings` may be absent.
        depart: Day whose first hour is hour zero.
    """
    hours, variance = graph.arc_hours.copy(), graph.arc_sd_h**2
    first, sailing_h = _sailings(graph, tables, depart)
    is_dated = np.diff(first) > 0
    is_link, is_terminal = graph.arc_kind == LINK, graph.arc_kind == TERMINAL
    leaves_undated = np.zeros(graph.node_count, dtype=np.bool_)
    leaves_undated[graph.arc_tail[is_link & ~is_dated]] = True
    leaves_dated = np.zeros(graph.node_count, dtype=np.bool_)
    leaves_dated[graph.arc_tail[is_link & is_dated]] = True
    hours[is_terminal & (leaves_dated & ~leaves_undated)[graph.arc_head], _WAITING] = 0.0
    weekly = _weekly(graph, tables)
    served = np.flatnonzero((weekly > 0.0) & ~is_dated)
    if served.shape[0]:
        wait, spread = np.full(graph.node_count, np.inf), np.full(graph.node_count, np.inf)
        np.minimum.at(wait, graph.arc_head[is_terminal], hours[is_terminal, _WAITING])
        np.minimum.at(spread, graph.arc_head[is_terminal], variance[is_terminal])
        tail = graph.arc_tail[served]
        known, known_variance = (np.where(np.isinf(values[tail]), 0.0, values[tail]) for values in (wait, spread))
        half = half_headway_h(weekly[served])
        missing = np.maximum(half - known, 0.0)
        hours[served, _WAITING] += missing
        variance[served] += np.where(missing > 0.0, np.maximum(half**2 / 3.0 - known_variance, 0.0), 0.0)  # uniform over the headway
    return Timetable(hours, variance, first, sailing_h)


def in_month(graph: StateGraph, tables: Mapping[str, pl.DataFrame], month: int) -> StateGraph:
    """The graph with the waits of a month in place of those of the mean year; spreads of terminals go with their waits.

    Args:
        graph: The state graph.
        tables: Its tables; `wait_seasons` may be absent.
        month: 1 to 12.
    """
    if "wait_seasons" not in tables or tables["wait_seasons"].is_empty():
        return graph
    ratio = np.ones(graph.arc_count)
    rows = tables["wait_seasons"].filter(pl.col("month_number") == month)
    for terminal, direction, value in rows.select("terminal_id", pl.col("direction").cast(pl.String), "wait_ratio").iter_rows():
        code = BACKWARD if direction == "backward" else FORWARD
        arcs = [arc for arc in graph.arcs_of_element.get((TERMINAL, terminal), ()) if int(graph.arc_direction[arc]) == code]
        ratio[arcs] = value
    hours = graph.arc_hours.copy()
    hours[:, _WAITING] *= ratio
    return replace(graph, arc_hours=hours, arc_sd_h=graph.arc_sd_h * ratio)


def delayed(times: Timetable, hours: FloatArray) -> Timetable:
    """The same with more hours of waiting, shape (arcs,)."""
    more = times.hours.copy()
    more[:, _WAITING] += hours
    return replace(times, hours=more)


def _weekly(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> FloatArray:
    """Departures a week of all services of a link together, 0 where none is known, shape (arcs,)."""
    weekly = np.zeros(graph.arc_count)
    if "services" in tables:
        for link, departures in tables["services"].select("link_id", "departures_per_week").iter_rows():
            weekly[list(graph.arcs_of_element.get((LINK, link), ()))] += departures
    return weekly


def _sailings(graph: StateGraph, tables: Mapping[str, pl.DataFrame], depart: datetime.date | None) -> tuple[IntArray, FloatArray]:
    hours_of: dict[int, list[float]] = {}
    if depart is not None and "sailings" in tables:
        for link, direction, day in tables["sailings"].select("link_id", pl.col("direction").cast(pl.String), "departs_date").iter_rows():
            code = BACKWARD if direction == "backward" else FORWARD
            for arc in graph.arcs_of_element.get((LINK, link), ()):
                if int(graph.arc_direction[arc]) == code:
                    hours_of.setdefault(arc, []).append(_HOURS_PER_DAY * (day - depart).days + _NOON_H)
    counts = np.zeros(graph.arc_count + 1, dtype=np.int64)
    for arc, hours in hours_of.items():
        counts[arc + 1] = len(hours)
    flat = [hour for arc in sorted(hours_of) for hour in sorted(hours_of[arc])]
    return np.cumsum(counts).astype(np.int64), np.array(flat, dtype=np.float64)
