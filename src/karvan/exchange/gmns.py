"""The General Modeling Network Specification: a folder with node.csv and link.csv.

Read are `node_id` and `zone_id` of nodes; `link_id`, `from_node_id`, `to_node_id`, `directed`, `length`, `free_speed`, `capacity` (a lane
and hour), `lanes` and `toll` of links. Times are hours: length over free speed, in the file's own units of length. GMNS declares no
volume-delay function; the columns `vdf_alpha` and `vdf_beta`, which other programs write, are read as BPR's, 0.15 and 4 by default, and
`vdf_fftt`, minutes, in place of length and speed where it is given.

Source:
    Zephyr Foundation, General Modeling Network Specification 0.96.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from karvan.errors import DataError, Problem
from karvan.exchange.long_form import read_table, write_table
from karvan.network import RoadNetwork, road_network

NODE_FILE, LINK_FILE = "node.csv", "link.csv"
_NODES = {"node_id": pl.Int64, "zone_id": pl.Int64}
_LINKS = {
    "link_id": pl.String,
    "from_node_id": pl.Int64,
    "to_node_id": pl.Int64,
    "directed": pl.String,
    "length": pl.Float64,
    "free_speed": pl.Float64,
    "capacity": pl.Float64,
    "lanes": pl.Float64,
    "toll": pl.Float64,
    "vdf_alpha": pl.Float64,
    "vdf_beta": pl.Float64,
    "vdf_fftt": pl.Float64,
}
_YES, _NO = {"true", "1", "yes"}, {"false", "0", "no"}
_MINUTES = 60.0


def read_gmns(folder: str | Path) -> RoadNetwork:
    """A network from a GMNS folder; nodes with a zone are where trips start and end, and may be passed.

    Trips name zones, so these nodes take the number of their zone; the others are numbered after the largest.

    Raises:
        DataError: Files, columns or cells are not as they should be; problems name their rows.
    """
    folder = Path(folder)
    nodes = read_table(folder / NODE_FILE, _NODES, needed=("node_id",))
    links = read_table(folder / LINK_FILE, _LINKS, needed=("from_node_id", "to_node_id", "capacity"))
    problems: list[Problem] = []
    if nodes["node_id"].n_unique() != nodes.height:
        problems.append(Problem(NODE_FILE, None, "node_id", "a node is listed twice"))
    zones = nodes.drop_nulls("zone_id") if "zone_id" in nodes.columns else nodes.clear()
    if zones.height == 0:
        problems.append(Problem(NODE_FILE, None, "zone_id", "names no zone; trips must start and end somewhere"))
    elif zones["zone_id"].n_unique() != zones.height:
        problems.append(Problem(NODE_FILE, None, "zone_id", "a zone has more than one node; keep one centroid node for each"))
    known = set(nodes["node_id"].to_list())
    for column in ("from_node_id", "to_node_id"):
        for row, node in enumerate(links[column].to_list(), start=1):
            if node not in known:
                problems.append(Problem(LINK_FILE, row, column, f"is {node}, must be a node of {NODE_FILE}"))
    times, is_two_way = _times(links, problems), _two_way(links, problems)
    if problems:
        raise DataError(problems[:25])
    top = max([0, *(int(zone) for zone in zones["zone_id"])])
    number = dict(zones.select("node_id", "zone_id").iter_rows())
    number |= {node: top + 1 + place for place, node in enumerate(sorted(known - number.keys()))}
    lanes = _column(links, "lanes", 1.0)
    frame = pl.DataFrame(
        {
            "from_node": [number[node] for node in links["from_node_id"]],
            "to_node": [number[node] for node in links["to_node_id"]],
            "free_time": times,
            "capacity": links["capacity"].to_numpy() * lanes,
            "factor": _column(links, "vdf_alpha", 0.15),
            "power": _column(links, "vdf_beta", 4.0),
            "length": _column(links, "length", 0.0),
            "toll": _column(links, "toll", 0.0),
        }
    )
    back = frame.filter(pl.Series(is_two_way)).with_columns(from_node=pl.col("to_node"), to_node=pl.col("from_node"))
    rows = np.concatenate([np.arange(1, frame.height + 1), np.flatnonzero(is_two_way) + 1])
    return road_network(pl.concat([frame, back.select(frame.columns)]), zones=zones["zone_id"].to_numpy(), table=LINK_FILE, rows=rows)


def write_gmns(network: RoadNetwork, folder: str | Path, *, hours_per_time: float = 1.0) -> None:
    """Write node.csv and link.csv; places of nodes are not known and stand empty.

    Args:
        network: The network; BPR functions only.
        folder: Made if it is not there.
        hours_per_time: Hours in the network's unit of time, 1/60 for minutes.

    Raises:
        DataError: Links have other functions than BPR.
    """
    if network.links.filter(pl.col("function") != "bpr").height:
        raise DataError(Problem(LINK_FILE, None, "function", "links must have BPR functions in this format"))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = network.node_ids.shape[0]
    zone = [int(node) if place < network.zone_count else None for place, node in enumerate(network.node_ids)]
    empty = pl.Series([None] * count, dtype=pl.Float64)
    nodes = pl.DataFrame({"node_id": network.node_ids, "x_coord": empty, "y_coord": empty, "zone_id": pl.Series(zone, dtype=pl.Int64)})
    hours = pl.col("free_time") * hours_per_time
    links = network.links.with_row_index("link_id", offset=1).select(
        "link_id",
        pl.col("from_node").alias("from_node_id"),
        pl.col("to_node").alias("to_node_id"),
        pl.lit("true").alias("directed"),
        "length",
        pl.when((pl.col("length") > 0.0) & (hours > 0.0)).then(pl.col("length") / hours).alias("free_speed"),
        "capacity",
        pl.lit(1).alias("lanes"),
        "toll",
        pl.col("factor").alias("vdf_alpha"),
        pl.col("power").alias("vdf_beta"),
        (hours * _MINUTES).alias("vdf_fftt"),
    )
    write_table(nodes, folder / NODE_FILE)
    write_table(links, folder / LINK_FILE)


def _column(links: pl.DataFrame, name: str, default: float) -> np.ndarray:
    """A column's numbers, the default where it or its cell is not there."""
    if name not in links.columns:
        return np.full(links.height, default)
    return np.array(links[name].fill_null(default).to_numpy())


def _times(links: pl.DataFrame, problems: list[Problem]) -> np.ndarray:
    """Hours on each empty link."""
    minutes, length, speed = (_column(links, name, np.nan) for name in ("vdf_fftt", "length", "free_speed"))
    with np.errstate(divide="ignore", invalid="ignore"):
        hours = np.where(np.isnan(minutes), length / speed, minutes / _MINUTES)
    for row in np.flatnonzero(~np.isfinite(hours) | (hours < 0.0)):
        problems.append(Problem(LINK_FILE, int(row) + 1, "free_speed", "length and a free speed above 0, or vdf_fftt, must be given"))
    return hours


def _two_way(links: pl.DataFrame, problems: list[Problem]) -> np.ndarray:
    """Links that may be driven both ways."""
    if "directed" not in links.columns:
        problems.append(Problem(LINK_FILE, None, "directed", "is missing; GMNS wants it to say whether a link is one-way"))
        return np.zeros(links.height, dtype=np.bool_)
    told = [str(cell or "").lower() for cell in links["directed"].to_list()]
    for row, cell in enumerate(told, start=1):
        if cell not in _YES | _NO:
            problems.append(Problem(LINK_FILE, row, "directed", f"is '{cell}', must be true or false"))
    return np.array([cell in _NO for cell in told], dtype=np.bool_)
