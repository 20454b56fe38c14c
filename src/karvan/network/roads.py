"""Roads with congestion: a network of links whose time grows with their volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

DELAY_FUNCTIONS = ("bpr", "conical", "akcelik")
LINK_COLUMNS = {
    "from_node": pl.Int64,
    "to_node": pl.Int64,
    "function": pl.String,
    "free_time": pl.Float64,
    "capacity": pl.Float64,
    "factor": pl.Float64,
    "power": pl.Float64,
    "period": pl.Float64,
    "length": pl.Float64,
    "toll": pl.Float64,
}
_DEFAULTS = {"function": "bpr", "factor": 0.15, "power": 4.0, "period": 1.0, "length": 0.0, "toll": 0.0}


@dataclass(frozen=True)
class RoadNetwork:
    """Links from node to node, in the units of whoever made them: times, volumes and lengths have one unit each throughout.

    With x = volume/capacity the time on a link is
    `bpr`: free_time (1 + factor x^power);
    `conical`: free_time (2 + sqrt(power^2 (1 - x)^2 + b^2) - power (1 - x) - b) with b = (2 power - 1)/(2 power - 2), power above 1;
    `akcelik`: free_time + period/4 (x - 1 + sqrt((x - 1)^2 + 8 factor x/capacity)), volume and capacity in vehicles per period.

    Attributes:
        node_ids: Nodes, the zones first, shape (nodes,).
        zone_count: So many nodes are zones, where trips start and end.
        is_through: Nodes that trips may pass on their way, shape (nodes,); links at others serve the trips of that zone alone.
        links: One row per link with the columns of `LINK_COLUMNS`; parallel links are links of their own.

    Source:
        Bureau of Public Roads (1964), Traffic Assignment Manual; Spiess (1990), Conical volume-delay functions, Transportation Science 24;
        Akcelik (1991), Travel time functions for transport planning purposes, Australian Road Research 21.
    """

    node_ids: IntArray
    zone_count: int
    is_through: BoolArray
    links: pl.DataFrame

    def node_index(self, ids: npt.ArrayLike) -> IntArray:
        """Positions of nodes, -1 for ids that are none."""
        order = np.argsort(self.node_ids, kind="stable")
        wanted = np.asarray(ids, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.node_ids[order], wanted), self.node_ids.shape[0] - 1)
        return np.where(self.node_ids[order][place] == wanted, order[place], -1).astype(np.int64)


def road_network(
    links: pl.DataFrame, *, zones: npt.ArrayLike, closed_zones: npt.ArrayLike = (), table: str = "links", rows: npt.ArrayLike | None = None
) -> RoadNetwork:
    """Check links and make a network of them.

    Args:
        links: Columns of `LINK_COLUMNS`; function, factor, power, period, length and toll may be left out and are then BPR's 0.15 and 4,
            one period, and nothing.
        zones: Ids of nodes where trips start and end.
        closed_zones: Those of them that other trips may not pass.
        table: What messages call the table.
        rows: Row or line that messages name for each link; by default rows from 1.

    Raises:
        DataError: Columns are missing, values are outside what the functions take, or a zone is listed twice.
    """
    missing = [name for name in ("from_node", "to_node", "free_time", "capacity") if name not in links.columns]
    if missing:
        raise DataError([Problem(table, None, name, "is missing") for name in missing])
    whole = links.with_columns(pl.lit(value).alias(name) for name, value in _DEFAULTS.items() if name not in links.columns)
    try:
        whole = whole.select(pl.col(name).cast(kind) for name, kind in LINK_COLUMNS.items())
    except pl.exceptions.PolarsError as error:
        raise DataError(Problem(table, None, None, f"holds values of a wrong kind: {error}")) from error
    line = np.arange(1, whole.height + 1) if rows is None else np.asarray(rows)
    problems = [Problem(table, int(line[row]), column, message) for row, column, message in _faults(whole)]
    zone_ids = np.asarray(zones, dtype=np.int64).reshape(-1)
    if np.unique(zone_ids).shape[0] != zone_ids.shape[0]:
        problems.append(Problem(table, None, None, "a zone is listed twice"))
    if problems:
        raise DataError(problems)
    ends = np.concatenate([whole["from_node"].to_numpy(), whole["to_node"].to_numpy()])
    others = np.setdiff1d(ends, zone_ids)
    node_ids = np.concatenate([zone_ids, others]).astype(np.int64)
    is_through = ~np.isin(node_ids, np.asarray(closed_zones, dtype=np.int64))
    return RoadNetwork(node_ids, int(zone_ids.shape[0]), is_through, whole)


def _faults(links: pl.DataFrame) -> list[tuple[int, str, str]]:
    """Row, column and message of each value outside what a link takes."""
    number = {name: links[name].to_numpy() for name, kind in LINK_COLUMNS.items() if kind == pl.Float64}
    is_bpr, is_conical, is_akcelik = (links["function"].to_numpy() == name for name in DELAY_FUNCTIONS)
    has_delay = ~is_bpr | ((number["factor"] != 0.0) & (number["free_time"] != 0.0))
    bounds = [
        ("from_node", links["from_node"].is_null().to_numpy(), "is empty, must be a node"),
        ("to_node", links["to_node"].is_null().to_numpy(), "is empty, must be a node"),
        ("function", ~(is_bpr | is_conical | is_akcelik), f"must be one of {', '.join(DELAY_FUNCTIONS)}"),
        ("free_time", number["free_time"] < 0.0, "must be 0 or more"),
        ("capacity", has_delay & ~(number["capacity"] > 0.0), "must be above 0"),
        ("factor", number["factor"] < 0.0, "must be 0 or more"),
        ("factor", is_akcelik & ~(number["factor"] > 0.0), "must be above 0 for akcelik"),
        ("power", is_bpr & (number["power"] < 0.0), "must be 0 or more"),
        ("power", is_conical & ~(number["power"] > 1.0), "must be above 1 for conical"),
        ("period", is_akcelik & ~(number["period"] > 0.0), "must be above 0 for akcelik"),
        ("length", number["length"] < 0.0, "must be 0 or more"),
        ("toll", number["toll"] < 0.0, "must be 0 or more"),
        *((name, ~np.isfinite(values), "must be a finite number") for name, values in number.items()),
    ]
    found: dict[tuple[int, str], str] = {}
    for column, is_wrong, message in reversed(bounds):
        for row in np.flatnonzero(is_wrong):
            found[int(row), column] = f"is {links[column][int(row)]}, {message}"
    return [(row, column, message) for (row, column), message in sorted(found.items())]


def travel_time(network: RoadNetwork, volume: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Time on each link at some volumes, zero or more, shape (links,); formulas and sources as in `RoadNetwork`."""
    free, room, factor, power, period, is_bpr, is_conical = _parameters(network)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = volume / room
        bpr = free * (1.0 + np.where(factor * free == 0.0, 0.0, factor * x**power))
        beta = (2.0 * power - 1.0) / (2.0 * power - 2.0)
        conical = free * (2.0 + np.sqrt((power * (1.0 - x)) ** 2 + beta**2) - power * (1.0 - x) - beta)
        akcelik = free + 0.25 * period * (x - 1.0 + np.sqrt((x - 1.0) ** 2 + 8.0 * factor / room * x))
    return np.select([is_bpr, is_conical], [bpr, conical], akcelik)


def time_integral(network: RoadNetwork, volume: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Integral of the time on each link from no volume to some, shape (links,)."""
    free, room, factor, power, period, is_bpr, is_conical = _parameters(network)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = volume / room
        bpr = free * (volume + np.where(factor * free == 0.0, 0.0, factor * volume * x**power / (power + 1.0)))
        beta = (2.0 * power - 1.0) / (2.0 * power - 2.0)

        def arc(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            """Antiderivative of sqrt(power^2 y^2 + beta^2)."""
            return np.asarray(0.5 * y * np.sqrt((power * y) ** 2 + beta**2) + 0.5 * beta**2 / power * np.arcsinh(power * y / beta))

        conical = free * room * ((2.0 - beta - power) * x + 0.5 * power * x**2 + arc(np.ones_like(x)) - arc(1.0 - x))
        half = 4.0 * factor / room - 1.0

        def root(h: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            """Antiderivative of sqrt(h^2 + 1 - half^2)."""
            length = np.sqrt(h**2 + 1.0 - half**2)
            return np.asarray(0.5 * h * length + 0.5 * (1.0 - half**2) * np.log(h + length))

        akcelik = room * (free * x + 0.25 * period * (0.5 * x**2 - x + root(x + half) - root(half)))
    return np.select([is_bpr, is_conical], [bpr, conical], akcelik)


def _parameters(network: RoadNetwork) -> tuple[npt.NDArray[Any], ...]:
    links, function = network.links, network.links["function"].to_numpy()
    numbers = tuple(np.array(links[name].to_numpy()) for name in ("free_time", "capacity", "factor", "power", "period"))
    return (*numbers, function == "bpr", function == "conical")
