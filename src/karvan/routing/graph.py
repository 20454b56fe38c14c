"""The state graph: what can be where, in which unit, and what moves it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.routing.centroids import centroids
from karvan.schema import ANY, GAUGES, LOADING_UNITS, MODES

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LINK, TERMINAL, ACCESS = 0, 1, 2
FORWARD, BACKWARD = 0, 1
STATE, GATE, ORIGIN, DESTINATION = 0, 1, 2, 3

_HOURS = ("moving", "waiting", "border", "gauge", "port")
_HEADING_OF_KIND = {"port": "port", "transfer": "port", "gauge_change": "gauge", "border": "border"}

State = tuple[str, str, str, str]
"""place, mode, gauge, loading unit."""
CentroidKey = tuple[str, str, str, str]
"""region, side and goods as written in region_places, node_id."""


@dataclass(frozen=True)
class StateGraph:
    """Nodes are states (place, mode, gauge, loading unit), gates before border posts, and centroids (origin and destination apart).

    Nodes and arcs are numbered in the order of their ids, whatever the order of table rows. Closed rows have no arcs.

    Attributes:
        place_ids: Names of the place indices, sorted.
        node_kind: 0 state, 1 gate, 2 origin, 3 destination, shape (nodes,).
        node_place: Index in place_ids, -1 for a centroid of alternatives, shape (nodes,).
        node_mode, node_gauge, node_unit: Positions in MODES, GAUGES, LOADING_UNITS, -1 for centroids, shape (nodes,).
        state_nodes, origin_nodes, destination_nodes: Node of a state or centroid.
        arc_tail, arc_head: Nodes, shape (arcs,).
        arc_kind: 0 link, 1 terminal, 2 access, shape (arcs,).
        arc_element: Row in links, terminals or region_places, by kind, shape (arcs,).
        arc_element_id: Its id, of length arcs.
        arc_direction: 0 forward, 1 backward: against the element's own direction; for a border, against its link's, shape (arcs,).
        arc_unit, arc_unit_after: Loading unit before and after (the same but for transfers), shape (arcs,).
        arc_operator: Row in operators, -1 for access, shape (arcs,).
        arc_hours: moving, waiting, border, gauge, port, hours, shape (arcs, 5).
        arc_sd_h: Standard deviation of its time, hours, shape (arcs,).
        arc_length_km: shape (arcs,).
        arc_co2e_wtw_kg_per_t, arc_co2e_ttw_kg_per_t: Well-to-wheel and tank-to-wheel, shape (arcs,).
        out_first, out_arc, in_first, in_arc: Arcs by tail and by head (CSR).
    """

    place_ids: tuple[str, ...]
    node_kind: IntArray
    node_place: IntArray
    node_mode: IntArray
    node_gauge: IntArray
    node_unit: IntArray
    state_nodes: Mapping[State, int]
    origin_nodes: Mapping[CentroidKey, int]
    destination_nodes: Mapping[CentroidKey, int]
    arc_tail: IntArray
    arc_head: IntArray
    arc_kind: IntArray
    arc_element: IntArray
    arc_element_id: tuple[str, ...]
    arc_direction: IntArray
    arc_unit: IntArray
    arc_unit_after: IntArray
    arc_operator: IntArray
    arc_hours: FloatArray
    arc_sd_h: FloatArray
    arc_length_km: FloatArray
    arc_co2e_wtw_kg_per_t: FloatArray
    arc_co2e_ttw_kg_per_t: FloatArray
    out_first: IntArray
    out_arc: IntArray
    in_first: IntArray
    in_arc: IntArray

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return int(self.node_place.shape[0])

    @property
    def arc_count(self) -> int:
        """Number of arcs."""
        return int(self.arc_tail.shape[0])

    @cached_property
    def arcs_of_element(self) -> Mapping[tuple[int, str], tuple[int, ...]]:
        """Arcs of each link and terminal: by kind and id."""
        found: dict[tuple[int, str], list[int]] = {}
        for arc, key in enumerate(zip(self.arc_kind.tolist(), self.arc_element_id, strict=True)):
            found.setdefault(key, []).append(arc)
        return {key: tuple(arcs) for key, arcs in found.items()}

    @property
    def arc_moving_h(self) -> FloatArray:
        """Time on the move, hours, shape (arcs,)."""
        return self.arc_hours[:, 0]

    @property
    def arc_waiting_h(self) -> FloatArray:
        """Mean wait, hours, shape (arcs,)."""
        return self.arc_hours[:, 1]

    @property
    def arc_border_h(self) -> FloatArray:
        """Time at border posts, hours, shape (arcs,)."""
        return self.arc_hours[:, 2]

    @property
    def arc_gauge_h(self) -> FloatArray:
        """Time for changes of gauge, hours, shape (arcs,)."""
        return self.arc_hours[:, 3]

    @property
    def arc_port_h(self) -> FloatArray:
        """Time in ports and transfers, hours, shape (arcs,)."""
        return self.arc_hours[:, 4]

    @cached_property
    def arc_link(self) -> IntArray:
        """Row in links, -1 for terminals and access, shape (arcs,)."""
        return np.where(self.arc_kind == LINK, self.arc_element, -1)

    def id_of_node(self, node: int) -> str:
        """Place of a node, or region of a centroid of alternatives."""
        place = int(self.node_place[node])
        if place >= 0:
            return self.place_ids[place]
        known = {**self.origin_nodes, **self.destination_nodes}
        return next(key[3] for key, value in known.items() if value == node)


_NodeName = tuple[int, str, str, str, str, str, int]
"""kind, place or region, then mode, gauge, unit, link and direction or step of a gate (for centroids: side, goods, node_id)."""


_Arc = tuple[_NodeName, _NodeName, int, str, int, int, str, str, int]
"""tail, head, kind, element id, element row, direction, unit before and after, operator row."""

MEASURES = {
    "links": ("length_km", "time_h"),
    "terminals": ("time_h", "waiting_h", "time_sd_h", "cost_usd_per_t", "cost_usd_per_teu"),
    "modes": ("time_sd_share", "co2e_wtw_kg_per_tkm", "co2e_ttw_kg_per_tkm"),
    "region_places": ("access_time_h", "access_cost_usd_per_t"),
}
"""Columns that say how long or how dear something is: they may differ between snapshots whose graphs have the same nodes and arcs."""


def build_graph(tables: Mapping[str, pl.DataFrame]) -> StateGraph:
    """Compile places, links, terminals and region_places of a snapshot.

    A link gives arcs for each loading unit of its mode, on both gauges where gauge is "both". A terminal row joins states of
    its place; `any` on its after side means unchanged. A border (a terminal row with link_id) stands on every passage between
    its link and its place; if it is closed, or works one way only, the passage is shut. Several posts on one passage are
    passed one after the other.

    Raises:
        DataError: A terminal row neither changes the state nor stands on a link.
    """
    arcs = list(_link_arcs(tables))
    arcs += _terminal_arcs(tables, arcs)
    arcs += _access_arcs(tables, arcs)
    return measured(_compiled(tables, arcs), tables)


def measured(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> StateGraph:
    """The same nodes and arcs with times, lengths and emissions of tables that differ from the graph's own in `MEASURES` only."""
    is_link, is_terminal, is_access = (graph.arc_kind == kind for kind in (LINK, TERMINAL, ACCESS))
    hours = np.zeros((graph.arc_count, len(_HOURS)))
    sd, length = np.zeros(graph.arc_count), np.zeros(graph.arc_count)
    wtw, ttw = np.zeros(graph.arc_count), np.zeros(graph.arc_count)

    links, link, unit = tables["links"], graph.arc_element[is_link], graph.arc_unit[is_link]
    traits = np.full((3, len(MODES), len(LOADING_UNITS)), np.nan)
    for row in tables["modes"].iter_rows(named=True):
        traits[:, MODES.index(row["mode"]), LOADING_UNITS.index(row["loading_unit"])] = [row[name] for name in MEASURES["modes"]]
    sd_share, wtw_per_tkm, ttw_per_tkm = traits[:, _codes(links["mode"], MODES)[link], unit]
    moving = _reals(links["time_h"])[link]
    hours[is_link, 0], sd[is_link], length[is_link] = moving, sd_share * moving, _reals(links["length_km"])[link]
    wtw[is_link], ttw[is_link] = wtw_per_tkm * length[is_link], ttw_per_tkm * length[is_link]

    terminals, terminal = tables["terminals"], graph.arc_element[is_terminal]
    heading = np.array([_HOURS.index(_HEADING_OF_KIND[kind]) for kind in terminals["kind"].to_list()], dtype=np.int64)[terminal]
    hours[np.flatnonzero(is_terminal), heading] = _reals(terminals["time_h"])[terminal]
    hours[is_terminal, 1] += _reals(terminals["waiting_h"])[terminal]
    sd[is_terminal] = _reals(terminals["time_sd_h"])[terminal]
    hours[is_access, 0] = _reals(tables["region_places"]["access_time_h"])[graph.arc_element[is_access]]
    return replace(graph, arc_hours=hours, arc_sd_h=sd, arc_length_km=length, arc_co2e_wtw_kg_per_t=wtw, arc_co2e_ttw_kg_per_t=ttw)


def _reals(column: pl.Series) -> FloatArray:
    return np.array(column.to_numpy(), dtype=np.float64)


def _codes(column: pl.Series, words: tuple[str, ...]) -> IntArray:
    code = {word: number for number, word in enumerate(words)}
    return np.array([code[word] for word in column.to_list()], dtype=np.int64)


def _state(place: str, mode: str, gauge: str, unit: str) -> _NodeName:
    return (STATE, place, mode, gauge, unit, "", 0)


def _operator_rows(tables: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    return {name: row for row, name in enumerate(tables["operators"]["operator_id"])}


def _link_arcs(tables: Mapping[str, pl.DataFrame]) -> Iterator[_Arc]:
    """Arcs of links and of the border posts on their passages."""
    operators = _operator_rows(tables)
    carried: dict[str, list[str]] = {}
    for name, unit in zip(tables["modes"]["mode"].to_list(), tables["modes"]["loading_unit"].to_list(), strict=True):
        carried.setdefault(name, []).append(unit)
    posts: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
    for index, row in enumerate(tables["terminals"].iter_rows(named=True)):
        if row["link_id"] is not None:
            posts.setdefault((row["link_id"], row["place_id"]), []).append((index, row))
    columns = ("link_id", "mode", "gauge", "from_place", "to_place", "one_way", "is_open", "operator_id")
    for index, link in enumerate(zip(*(tables["links"][name].to_list() for name in columns), strict=True)):
        link_id, mode, gauge_of_link, from_place, to_place, one_way, is_open, operator_id = link
        if not is_open:
            continue
        for (gauge, unit), direction in product(product(_spread(gauge_of_link), carried.get(mode, ())), (FORWARD, BACKWARD)):
            if direction == BACKWARD and one_way:
                continue
            start, end = (from_place, to_place) if direction == FORWARD else (to_place, from_place)
            leaving = _posts(posts.get((link_id, start), []), gauge, unit)
            entering = _posts(posts.get((link_id, end), []), gauge, unit)
            if any(not row["is_open"] or (direction == BACKWARD and not row["both_ways"]) for _, row in leaving + entering):
                continue
            chain: list[tuple[int, dict[str, Any] | None]] = [*leaving, (index, None), *entering]
            here = _state(start, mode, gauge, unit)
            for step, (element, post) in enumerate(chain):
                at = start if step < len(leaving) else end
                is_last = step == len(chain) - 1
                there = _state(end, mode, gauge, unit) if is_last else (GATE, at, mode, gauge, unit, link_id, 2 * step + direction)
                if post is None:
                    yield here, there, LINK, link_id, element, direction, unit, unit, operators[operator_id]
                else:
                    operator = operators[post["operator_id"]]
                    yield here, there, TERMINAL, post["terminal_id"], element, direction, unit, unit, operator
                here = there


def _posts(rows: list[tuple[int, dict[str, Any]]], gauge: str, unit: str) -> list[tuple[int, dict[str, Any]]]:
    if not rows:
        return []
    fitting = [(index, row) for index, row in rows if row["from_unit"] in (ANY, unit) and row["from_gauge"] in (ANY, "both", gauge)]
    return sorted(fitting, key=lambda post: str(post[1]["terminal_id"]))


def _spread(gauge: str) -> tuple[str, ...]:
    return ("1435", "1520") if gauge == "both" else (gauge,)


def _terminal_arcs(tables: Mapping[str, pl.DataFrame], link_arcs: list[_Arc]) -> list[_Arc]:
    """Arcs of operations inside places, both ways where they work both ways."""
    operators = _operator_rows(tables)
    rows = [(index, row) for index, row in enumerate(tables["terminals"].iter_rows(named=True)) if row["link_id"] is None]
    idle = [
        Problem("terminals", index + 1, "to_mode", "changes nothing; let mode, gauge or unit differ, or name its link")
        for index, row in rows
        if all(row[f"to_{part}"] == row[f"from_{part}"] for part in ("mode", "gauge", "unit"))
    ]
    if idle:
        raise DataError(idle)
    states: dict[str, set[tuple[str, str, str]]] = {}
    for arc in link_arcs:
        for kind, place, mode, gauge, unit, *_ in arc[:2]:
            if kind == STATE:
                states.setdefault(place, set()).add((mode, gauge, unit))
    rows = [(index, row) for index, row in rows if row["is_open"]]
    for _, row in rows:
        for side in ("from", "to"):
            mode, gauge, unit = (row[f"{side}_{part}"] for part in ("mode", "gauge", "unit"))
            if ANY not in (mode, gauge, unit):
                states.setdefault(row["place_id"], set()).update((mode, one, unit) for one in _spread(gauge))
    arcs: list[_Arc] = []
    in_order = {place: sorted(known) for place, known in states.items()}
    for index, row in rows:
        place = row["place_id"]
        common = (TERMINAL, row["terminal_id"], index)
        operator = operators[row["operator_id"]]
        for before, after in _state_pairs(row, in_order.get(place, [])):
            tail, head = _state(place, *before), _state(place, *after)
            arcs.append((tail, head, *common, FORWARD, before[2], after[2], operator))
            if row["both_ways"]:
                arcs.append((head, tail, *common, BACKWARD, after[2], before[2], operator))
    return arcs


def _state_pairs(row: Mapping[str, Any], states: list[tuple[str, str, str]]) -> Iterator[tuple[tuple[str, str, str], tuple[str, str, str]]]:
    """Pairs of states that a terminal row joins; `any` after means unchanged (the gauge too, while the mode is)."""
    from_mode, from_gauge, from_unit = row["from_mode"], row["from_gauge"], row["from_unit"]
    for mode, gauge, unit in states:
        if from_mode not in (ANY, mode) or from_unit not in (ANY, unit):
            continue
        if from_gauge != ANY and gauge not in _spread(from_gauge):
            continue
        to_mode = mode if row["to_mode"] == ANY else row["to_mode"]
        to_unit = unit if row["to_unit"] == ANY else row["to_unit"]
        unchanged = (gauge,) if to_mode == mode else GAUGES
        gauges = unchanged if row["to_gauge"] == ANY else _spread(row["to_gauge"])
        for to_gauge in gauges:
            after = (to_mode, to_gauge, to_unit)
            if after in states and after != (mode, gauge, unit):
                yield (mode, gauge, unit), after


def _access_arcs(tables: Mapping[str, pl.DataFrame], arcs: list[_Arc]) -> list[_Arc]:
    """Arcs between centroids and all states of their places."""
    table = tables["region_places"]
    places = table["place_id"].to_list()
    states: dict[str, set[_NodeName]] = {}
    for arc in arcs:
        for node in arc[:2]:
            if node[0] == STATE:
                states.setdefault(node[1], set()).add(node)
    found: list[_Arc] = []
    for (region, side, goods), members in centroids(tables).items():
        for centroid in members:
            for row, unit in zip(centroid.rows, centroid.units, strict=True):
                place = places[row]
                for state in sorted(states.get(place, ())):
                    if unit not in (ANY, state[4]):
                        continue
                    for kind, role in ((ORIGIN, "origin"), (DESTINATION, "destination")):
                        if side not in ("both", role):
                            continue
                        at: _NodeName = (kind, region, side, goods, centroid.node_id, "" if centroid.shares is None else place, 0)
                        tail, head = (at, state) if kind == ORIGIN else (state, at)
                        name = "/".join((region, side, goods, place, unit))
                        found.append((tail, head, ACCESS, name, row, FORWARD, state[4], state[4], -1))
    return found


def _compiled(tables: Mapping[str, pl.DataFrame], arcs: list[_Arc]) -> StateGraph:
    names = sorted({end for arc in arcs for end in arc[:2]})
    numbers = {name: number for number, name in enumerate(names)}
    place_ids = tuple(sorted(tables["places"]["place_id"]))
    place_index = {place: index for index, place in enumerate(place_ids)}

    def whole(values: Sequence[int]) -> IntArray:
        return np.array(values, dtype=np.int64)

    tails, heads, kinds, ids, elements, directions, units, units_after, operators = zip(*arcs, strict=True) if arcs else ((),) * 9
    id_rank = {name: rank for rank, name in enumerate(sorted(set(ids)))}
    unit_code = {unit: code for code, unit in enumerate(LOADING_UNITS)}
    tail, head = whole([numbers[name] for name in tails]), whole([numbers[name] for name in heads])
    order = np.lexsort((whole(directions), whole([id_rank[name] for name in ids]), whole(kinds), head, tail))
    tail, head = tail[order], head[order]
    out_first, out_arc = _by_end(tail, len(names))
    in_first, in_arc = _by_end(head, len(names))
    none = np.zeros(len(arcs))

    is_centroid = [name[0] in (ORIGIN, DESTINATION) for name in names]
    place_of = [place_index.get(name[5], -1) if at_end else place_index[name[1]] for name, at_end in zip(names, is_centroid, strict=True)]

    def codes(position: int, words: tuple[str, ...]) -> IntArray:
        return whole([-1 if at_end else words.index(str(name[position])) for name, at_end in zip(names, is_centroid, strict=True)])

    def ends(kind: int) -> dict[CentroidKey, int]:
        return {(name[1], name[2], name[3], name[4]): number for name, number in numbers.items() if name[0] == kind}

    return StateGraph(
        place_ids=place_ids,
        node_kind=whole([name[0] for name in names]),
        node_place=whole(place_of),
        node_mode=codes(2, MODES),
        node_gauge=codes(3, GAUGES),
        node_unit=codes(4, LOADING_UNITS),
        state_nodes={(name[1], name[2], name[3], name[4]): number for name, number in numbers.items() if name[0] == STATE},
        origin_nodes=ends(ORIGIN),
        destination_nodes=ends(DESTINATION),
        arc_tail=tail,
        arc_head=head,
        arc_kind=whole(kinds)[order],
        arc_element=whole(elements)[order],
        arc_element_id=tuple(ids[arc] for arc in order.tolist()),
        arc_direction=whole(directions)[order],
        arc_unit=whole([unit_code[unit] for unit in units])[order],
        arc_unit_after=whole([unit_code[unit] for unit in units_after])[order],
        arc_operator=whole(operators)[order],
        arc_hours=np.zeros((len(arcs), len(_HOURS))),
        arc_sd_h=none,
        arc_length_km=none,
        arc_co2e_wtw_kg_per_t=none,
        arc_co2e_ttw_kg_per_t=none,
        out_first=out_first,
        out_arc=out_arc,
        in_first=in_first,
        in_arc=in_arc,
    )


def _by_end(ends: IntArray, count: int) -> tuple[IntArray, IntArray]:
    order = np.argsort(ends, kind="stable").astype(np.int64)
    first = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(ends, minlength=count), out=first[1:])
    return first, order
