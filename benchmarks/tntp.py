"""Public networks in the TNTP format ("Transportation Networks for Research"), read from a folder that the user names.

The donated data may be used for research only and are no part of the project: the folder stands in the environment variable KARVAN_TNTP.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from karvan.exchange import read_tntp_network, read_tntp_trips

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
    network = read_tntp_network(_path(name, "net")).network
    links = network.links
    return Network(
        zones=network.zone_count,
        first_through=int((~network.is_through).sum()),
        nodes=int(network.node_ids.max()),
        tail=links["from_node"].to_numpy() - 1,
        head=links["to_node"].to_numpy() - 1,
        free_time=np.array(links["free_time"].to_numpy()),
    )


def read_trips(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`<name>_trips.tntp` of the folder: origin, destination and trips of every pair of different zones with trips, in order."""
    trips = read_tntp_trips(_path(name, "trips"))
    origin, destination, amount = (trips[column].to_numpy() for column in ("origin", "destination", "trips"))
    apart = origin != destination
    return origin[apart] - 1, destination[apart] - 1, amount[apart]


def _path(name: str, kind: str) -> Path:
    path = folder() / f"{name}_{kind}.tntp"
    if not path.is_file():
        sys.exit(f"{path.name} is not in the folder that {VARIABLE} names")
    return path
