"""Networks and trip tables in the TNTP format ("Transportation Networks for Research"), read from a folder that the user names.

The donated data may be used for research only and are no part of the project: the folder stands in the environment variable KARVAN_TNTP.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

VARIABLE = "KARVAN_TNTP"


@dataclass(frozen=True)
class Network:
    """Links from node to node, numbered from 0.

    Attributes:
        zones: Nodes 0 to zones - 1 are where trips start and end.
        first_through: Nodes below it may not be passed through.
        nodes: Number of nodes.
        tail, head: Ends of each link, shape (links,).
        free_time: Time on an empty link, in the file's unit, shape (links,).
    """

    zones: int
    first_through: int
    nodes: int
    tail: np.ndarray
    head: np.ndarray
    free_time: np.ndarray


def folder() -> Path:
    """The user's folder of networks, or an exit that says what is missing."""
    named = os.environ.get(VARIABLE)
    if named is None or not Path(named).is_dir():
        where = "is not set" if named is None else f"names {named}, which is no folder"
        sys.exit(f"{VARIABLE} {where}; let it name a folder with files such as ChicagoSketch_net.tntp and ChicagoSketch_trips.tntp")
    return Path(named)


def read_network(name: str) -> Network:
    """`<name>_net.tntp` of the folder."""
    facts, lines = _parts(name, "net")
    table = np.array([line.rstrip(";").split()[:5] for line in lines], dtype=np.float64)
    return Network(
        zones=int(facts["NUMBER OF ZONES"]),
        first_through=int(facts["FIRST THRU NODE"]) - 1,
        nodes=int(facts["NUMBER OF NODES"]),
        tail=table[:, 0].astype(np.int64) - 1,
        head=table[:, 1].astype(np.int64) - 1,
        free_time=table[:, 4].copy(),
    )


def read_trips(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`<name>_trips.tntp` of the folder: origin, destination and trips of every pair with trips, in order."""
    _, lines = _parts(name, "trips")
    origin, rows = -1, []
    for line in lines:
        if line.startswith("Origin"):
            origin = int(line.split()[1]) - 1
            continue
        for cell in line.split(";"):
            destination, found, trips = cell.partition(":")
            if found and float(trips) > 0.0 and int(destination) - 1 != origin:
                rows.append((origin, int(destination) - 1, float(trips)))
    table = np.array(sorted(rows))
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2].copy()


def _parts(name: str, kind: str) -> tuple[dict[str, str], list[str]]:
    """Metadata and lines of a file, comments left out."""
    path = folder() / f"{name}_{kind}.tntp"
    if not path.is_file():
        sys.exit(f"{path.name} is not in the folder that {VARIABLE} names")
    facts: dict[str, str] = {}
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("<"):
            key, _, value = text[1:].partition(">")
            facts[key.strip()] = value.strip()
        elif text and not text.startswith("~"):
            lines.append(text)
    return facts, lines
