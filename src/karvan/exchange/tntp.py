"""The TNTP format of "Transportation Networks for Research": networks, trips and link flows as text.

Metadata stand at the top in lines such as `<NUMBER OF ZONES> 24` up to `<END OF METADATA>`; `~` begins a comment. Units are those of
whoever made the file. What a file says twice must agree: numbers of links, the sum of trips.

Source:
    Bar-Gera and others, Transportation Networks for Research, github.com/bstabler/TransportationNetworks, README.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from karvan.errors import DataError, Problem
from karvan.exchange.files import lines_of, number_of, whole_of, write_lines
from karvan.network import RoadNetwork, road_network

END = "END OF METADATA"
ZONES, NODES, FIRST_THROUGH, LINKS = "NUMBER OF ZONES", "NUMBER OF NODES", "FIRST THRU NODE", "NUMBER OF LINKS"
TOLL_FACTOR, DISTANCE_FACTOR, TOTAL = "TOLL FACTOR", "DISTANCE FACTOR", "TOTAL OD FLOW"
_COLUMNS = ("from_node", "to_node", "capacity", "length", "free_time", "factor", "power", "speed", "toll", "type")
_MOST_PROBLEMS = 25
_TOTAL_SHARE = 1e-6


@dataclass(frozen=True)
class TntpNetwork:
    """A network, and what the file says that money and length weigh.

    Attributes:
        network: The roads; zones below the first through node may not be passed.
        toll_factor: Time that a unit of toll is worth, 0 if the file does not say it.
        distance_factor: Time that a unit of length is worth, 0 if the file does not say it.
    """

    network: RoadNetwork
    toll_factor: float
    distance_factor: float


class _Faults:
    """Problems of a file as they are found, each with its line."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._found: list[Problem] = []

    def add(self, line: int | None, message: str, column: str | None = None) -> None:
        self._found.append(Problem(self._name, line, column, message, counted="line"))

    def raise_if_any(self) -> None:
        if self._found:
            more = len(self._found) - _MOST_PROBLEMS
            rest = [Problem(self._name, None, None, f"has {more} more problems")] if more > 0 else []
            raise DataError([*self._found[:_MOST_PROBLEMS], *rest])


def read_tntp_network(path: str | Path) -> TntpNetwork:
    """A network file: from, to, capacity, length, free-flow time, B, power, speed, toll, type of each link.

    Raises:
        DataError: Anything in it is not as it should be; problems name their lines.
    """
    path = Path(path)
    facts, body = _parts(path, (ZONES, NODES, FIRST_THROUGH, LINKS))
    faults = _Faults(path)
    zones, nodes, first_through, count = (_whole_fact(facts, key, faults) for key in (ZONES, NODES, FIRST_THROUGH, LINKS))
    factors = [_number_fact(facts, key, faults) for key in (TOLL_FACTOR, DISTANCE_FACTOR)]
    faults.raise_if_any()
    if not 1 <= zones <= nodes:
        faults.add(facts[ZONES][0], f"{ZONES} is {zones}, must be 1 to the number of nodes, {nodes}")
    if not 1 <= first_through <= nodes + 1:
        faults.add(facts[FIRST_THROUGH][0], f"{FIRST_THROUGH} is {first_through}, must be 1 to {nodes + 1}")
    rows: list[tuple[float, ...]] = []
    numbers: list[int] = []
    for number, text in body:
        row = _link(number, text, nodes, faults)
        if row is not None:
            rows.append(row)
            numbers.append(number)
    faults.raise_if_any()
    if len(rows) != count:
        faults.add(facts[LINKS][0], f"{LINKS} is {count}, but the file has {len(rows)} links; one of them is wrong")
        faults.raise_if_any()
    frame = pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS[:9], pl.Float64), orient="row")
    frame = frame.with_columns(pl.col("from_node", "to_node").cast(pl.Int64))
    zone_ids = np.arange(1, zones + 1)
    try:
        network = road_network(
            frame, zones=zone_ids, closed_zones=zone_ids[zone_ids < first_through], table=path.name, rows=np.array(numbers, dtype=np.int64)
        )
    except DataError as error:
        raise DataError([Problem(one.table, one.row, one.column, one.message, counted="line") for one in error.problems]) from None
    return TntpNetwork(network, *factors)


def read_tntp_trips(path: str | Path, *, zone_count: int | None = None) -> pl.DataFrame:
    """A trips file: columns origin, destination, trips, in order of the zones; pairs without trips are left out.

    Args:
        path: The file.
        zone_count: Zones of the network; the file must name no other.

    Raises:
        DataError: Anything in it is not as it should be; problems name their lines.
    """
    path = Path(path)
    facts, body = _parts(path, (ZONES,))
    faults = _Faults(path)
    zones = _whole_fact(facts, ZONES, faults)
    total = _number_fact(facts, TOTAL, faults) if TOTAL in facts else None
    faults.raise_if_any()
    if zone_count is not None and zones != zone_count:
        faults.add(facts[ZONES][0], f"{ZONES} is {zones}, but the network has {zone_count}")
        faults.raise_if_any()
    found: dict[tuple[int, int], float] = {}
    seen: dict[int, int] = {}
    origin = 0
    for number, text in body:
        if text.lower().startswith("origin"):
            origin = _origin(number, text, zones, seen, faults)
            continue
        for cell in text.split(";"):
            if cell.strip():
                pair = _trips_cell(number, cell, origin, zones, faults)
                if pair is not None:
                    destination, trips = pair
                    if (origin, destination) in found:
                        faults.add(number, f"trips from {origin} to {destination} stand twice", "destination")
                    found[origin, destination] = trips
        if not text.endswith(";"):
            faults.add(number, "does not end with ';', as every line of trips must; it may be cut off")
    faults.raise_if_any()
    if total is not None:
        held = float(sum(found.values()))
        if abs(held - total) > _TOTAL_SHARE * max(abs(total), 1.0) + 0.5 * _last_digit(facts[TOTAL][1]):
            faults.add(facts[TOTAL][0], f"{TOTAL} is {total:.12g}, but the trips add up to {held:.12g}; one of them is wrong")
            faults.raise_if_any()
    rows = [(*pair, trips) for pair, trips in sorted(found.items()) if trips > 0.0]
    return pl.DataFrame(rows, schema={"origin": pl.Int64, "destination": pl.Int64, "trips": pl.Float64}, orient="row")


def read_tntp_flows(path: str | Path) -> pl.DataFrame:
    """A file of link flows, such as best-known solutions: columns from_node, to_node, flow, cost, in the file's order.

    Raises:
        DataError: A line does not hold two nodes and two numbers.
    """
    path = Path(path)
    faults = _Faults(path)
    rows: list[tuple[int, int, float, float]] = []
    for number, text in enumerate(lines_of(path), start=1):
        cells = text.replace(";", " ").replace(":", " ").split()
        if not cells or text.lstrip().startswith(("~", "<")) or (not rows and cells[0].lower() == "from"):
            continue
        try:
            if len(cells) != 4:
                raise ValueError(f"holds {len(cells)} values, must hold from, to, volume and cost")
            rows.append((whole_of(cells[0]), whole_of(cells[1]), number_of(cells[2]), number_of(cells[3])))
        except ValueError as error:
            faults.add(number, str(error))
    faults.raise_if_any()
    schema = {"from_node": pl.Int64, "to_node": pl.Int64, "flow": pl.Float64, "cost": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def write_tntp_network(network: RoadNetwork, path: str | Path, *, toll_factor: float = 0.0, distance_factor: float = 0.0) -> None:
    """Write a network file.

    Raises:
        DataError: The format cannot hold the network: other functions than BPR, or zones that are not the first nodes.
    """
    path = Path(path)
    faults = _Faults(path)
    closed = np.sort(network.node_ids[~network.is_through])
    if int(network.node_ids.min()) < 1:
        faults.add(None, "nodes must be numbered from 1 in this format")
    if not np.array_equal(np.sort(network.node_ids[: network.zone_count]), np.arange(1, network.zone_count + 1)):
        faults.add(None, "zones must be the first nodes in this format")
    if not np.array_equal(closed, np.arange(1, closed.shape[0] + 1)):
        faults.add(None, "zones that may not be passed must be the first ones in this format")
    if network.links.filter(pl.col("function") != "bpr").height:
        faults.add(None, "links must have BPR functions in this format", "function")
    faults.raise_if_any()
    facts = {ZONES: network.zone_count, NODES: int(network.node_ids.max()), FIRST_THROUGH: closed.shape[0] + 1, LINKS: network.links.height}
    factors = {TOLL_FACTOR: toll_factor, DISTANCE_FACTOR: distance_factor}
    head = [f"<{key}> {value}" for key, value in {**facts, **{key: repr(value) for key, value in factors.items() if value}}.items()]
    columns = network.links.with_columns(speed=pl.lit(0), type=pl.lit(1)).select(_COLUMNS)
    rows = ("\t" + "\t".join(repr(value) for value in row) + "\t;" for row in columns.iter_rows())
    write_lines(path, [*head, f"<{END}>", "", "~\t" + "\t".join(_COLUMNS) + "\t;"], rows)


def write_tntp_trips(trips: pl.DataFrame, path: str | Path, *, zone_count: int) -> None:
    """Write a trips file from columns origin, destination, trips."""
    ordered = trips.select("origin", "destination", "trips").sort("origin", "destination")
    head = [f"<{ZONES}> {zone_count}", f"<{TOTAL}> {float(ordered['trips'].sum())!r}", f"<{END}>", ""]

    def rows() -> Iterator[str]:
        for (origin,), part in ordered.group_by("origin", maintain_order=True):
            yield f"Origin {origin}"
            cells = [f"{destination} : {amount!r};" for destination, amount in part.select("destination", "trips").iter_rows()]
            for begin in range(0, len(cells), 5):
                yield "    " + " ".join(cells[begin : begin + 5])
            yield ""

    write_lines(Path(path), head, rows)


def write_tntp_flows(flows: pl.DataFrame, path: str | Path) -> None:
    """Write link flows from columns from_node, to_node, flow, cost."""
    rows = ("\t".join(repr(value) for value in row) for row in flows.select("from_node", "to_node", "flow", "cost").iter_rows())
    write_lines(Path(path), ["From\tTo\tVolume\tCost"], rows)


def _parts(path: Path, wanted: tuple[str, ...]) -> tuple[dict[str, tuple[int, str]], list[tuple[int, str]]]:
    """Line and text of each fact at the top; line and text of what follows, without comments."""
    facts: dict[str, tuple[int, str]] = {}
    body: list[tuple[int, str]] = []
    faults, is_over = _Faults(path), False
    for number, line in enumerate(lines_of(path), start=1):
        text = line.partition("~")[0].strip()
        if not text:
            continue
        if text.startswith("<"):
            key, mark, value = text[1:].partition(">")
            key = " ".join(key.upper().split())
            if not mark:
                faults.add(number, "a line of metadata must hold a name in <angle brackets>")
            elif is_over:
                faults.add(number, f"<{key}> stands after <{END}>")
            elif key in facts:
                faults.add(number, f"<{key}> stands twice, in line {facts[key][0]}, too")
            is_over = is_over or key == END
            facts[key] = (number, value.strip())
        elif is_over:
            body.append((number, text))
        else:
            faults.add(number, f"stands before <{END}>; the file does not look like TNTP")
            break
    if END not in facts:
        faults.add(None, f"has no line <{END}>; the file does not look like TNTP")
    for key in wanted:
        if key not in facts:
            faults.add(None, f"has no line <{key}>")
    faults.raise_if_any()
    return facts, body


def _whole_fact(facts: dict[str, tuple[int, str]], key: str, faults: _Faults) -> int:
    line, text = facts[key]
    try:
        return whole_of(text)
    except ValueError as error:
        faults.add(line, f"{key}: {error}")
        return 0


def _number_fact(facts: dict[str, tuple[int, str]], key: str, faults: _Faults) -> float:
    """A number of the metadata, zero where it is not there."""
    if key not in facts:
        return 0.0
    line, text = facts[key]
    try:
        value = number_of(text)
        if value < 0.0:
            raise ValueError(f"is {text}, must be 0 or more")
    except ValueError as error:
        faults.add(line, f"{key}: {error}")
        return 0.0
    return value


def _link(number: int, text: str, nodes: int, faults: _Faults) -> tuple[float, ...] | None:
    """Nine numbers of a link's line, or None and a problem."""
    cells = text.removesuffix(";").split()
    if ";" in text.removesuffix(";"):
        faults.add(number, "holds ';' before its end; a link has a line of its own")
        return None
    if len(cells) != len(_COLUMNS):
        faults.add(number, f"holds {len(cells)} values, must hold {len(_COLUMNS)}: {', '.join(_COLUMNS)}")
        return None
    row: list[float] = []
    for name, cell in zip(_COLUMNS[:9], cells, strict=False):
        try:
            value = float(whole_of(cell)) if name.endswith("node") else number_of(cell)
            if name.endswith("node") and not 1 <= value <= nodes:
                raise ValueError(f"is {cell}, must be a node from 1 to {nodes}")
        except ValueError as error:
            faults.add(number, str(error), name)
            return None
        row.append(value)
    return tuple(row)


def _origin(number: int, text: str, zones: int, seen: dict[int, int], faults: _Faults) -> int:
    """The zone of an origin's line, -1 and a problem if it is none."""
    cells = text.split()
    try:
        if len(cells) != 2 or cells[0].lower() != "origin":
            raise ValueError("must read Origin and the number of a zone")
        zone = whole_of(cells[1])
        if not 1 <= zone <= zones:
            raise ValueError(f"is {zone}, must be a zone from 1 to {zones}")
        if zone in seen:
            raise ValueError(f"origin {zone} stands in line {seen[zone]} already")
    except ValueError as error:
        faults.add(number, str(error), "origin")
        return -1
    seen[zone] = number
    return zone


def _trips_cell(number: int, cell: str, origin: int, zones: int, faults: _Faults) -> tuple[int, float] | None:
    """Destination and trips of a cell `destination : trips`, or None and a problem."""
    destination, mark, trips = cell.partition(":")
    try:
        if not mark:
            raise ValueError(f"'{cell.strip()[:30]}' must read destination : trips")
        if origin == 0:
            raise ValueError("trips stand before the line of their origin")
        zone, amount = whole_of(destination.strip()), number_of(trips.strip())
        if not 1 <= zone <= zones:
            raise ValueError(f"destination {zone} must be a zone from 1 to {zones}")
        if amount < 0.0:
            raise ValueError(f"{amount:g} trips, must be 0 or more")
    except ValueError as error:
        faults.add(number, str(error))
        return None
    return (zone, amount) if origin > 0 else None


def _last_digit(text: str) -> float:
    """Size of the last digit that a plain number shows."""
    return 0.0 if "e" in text.lower() else 10.0 ** -len(text.partition(".")[2].strip())
