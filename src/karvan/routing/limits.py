"""What a shipment's own traits close, and what a ship may load on a day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.network.water import first_berth, load_share, needed_m, sea_level_m, water_m
from karvan.routing.graph import BACKWARD, LINK, StateGraph
from karvan.routing.permissions import Rule, closed_arcs
from karvan.routing.refusals import Closing
from karvan.schema import ANY, LOADING_UNITS, MODES

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cargo:
    """What a shipment is beside its kind of goods.

    Attributes:
        tonnes: All of it.
        value_usd_per_t: Value of a tonne, in place of the mean value of its kind of goods.
        unit_t: Tonnes in one TEU, wagon or truck, in place of the usual payload.
        piece_t: Heaviest piece.
        is_reefer: It needs power on the way.
        hazard_class: UN class of dangerous goods, such as 3 or 5.1.
        is_out_of_gauge: It stands out beyond the loading gauge.
        carrier: Country of the carrier (ISO 3166 two letters); None: each country's own.
    """

    tonnes: float | None = None
    value_usd_per_t: float | None = None
    unit_t: float | None = None
    piece_t: float | None = None
    is_reefer: bool = False
    hazard_class: str | None = None
    is_out_of_gauge: bool = False
    carrier: str | None = None


def limit_closings(
    graph: StateGraph, tables: Mapping[str, pl.DataFrame], cargo: Cargo, payload_t: npt.NDArray[np.float64], date: datetime.date
) -> tuple[Closing, ...]:
    """Arcs that the limits in force on a day close to a shipment, by the rule that closes them.

    Args:
        graph: The state graph.
        tables: Its tables.
        cargo: The shipment.
        payload_t: Usual tonnes in one unit by position in LOADING_UNITS.
        date: The day.
    """
    found: dict[tuple[str, str], list[tuple[dict[str, Any], BoolArray]]] = {}
    for number, row in enumerate(tables["limits"].sort("limit_id").iter_rows(named=True)):
        begun = row["from_date"] is None or row["from_date"] <= date
        running = row["until_date"] is None or row["until_date"] > date
        if begun and running and (units := _units_beyond(row, cargo, payload_t)):
            arcs = _about(graph, tables, row) & (np.isin(graph.arc_unit, units) | np.isin(graph.arc_unit_after, units))
            rule = {**row, "permission_id": row["limit_id"], "in_force": False, "row": number}
            found.setdefault((row["effect"], row["rule"]), []).append((rule, arcs))
    return tuple(
        Closing(tuple(rule for rule, _ in items), np.logical_or.reduce([arcs for _, arcs in items])) for items in found.values()
    )  # fmt: skip


def grounded_closings(graph: StateGraph, tables: Mapping[str, pl.DataFrame], date: datetime.date) -> tuple[Closing, ...]:
    """Links whose ships may load nothing, each closed by a rule that says so."""
    of_class = {row["ship_id"]: row for row in tables["ships"].iter_rows(named=True)}
    found = []
    for link, ships in ship_loads(tables, date).items():
        if any(ship.load_t > 0.0 for ship in ships):
            continue
        first = ships[0]
        arcs = np.zeros(graph.arc_count, dtype=np.bool_)
        arcs[list(graph.arcs_of_element.get((LINK, link), ()))] = True
        told = "; ".join(f"{ship.name}: a full load needs {ship.needed_depth_m:.1f} m" for ship in ships)
        rule = {
            "permission_id": f"draught_{link}", "effect": "ban", "from_date": None, "until_date": None, "in_force": False, "row": -1,
            "rule": f"No ship may load anything on {link} in {first.depth_m:.1f} m of water: {told}.",
            "source": of_class[first.ship_id]["source"], "confidence": of_class[first.ship_id]["confidence"],
        }  # fmt: skip
        found.append(Closing((rule,), arcs))
    return tuple(found)


@dataclass(frozen=True)
class Quota:
    """A quota or a contract for a volume, and where it holds.

    Attributes:
        rule: What a shipper is told of it.
        uses: Goods, origin and destination of each use, None for any, and its arcs, shape (arcs,).
    """

    rule: Rule
    uses: tuple[tuple[str, str | None, str | None, BoolArray], ...]


def quotas_of(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> tuple[Quota, ...]:
    """The quotas and contracts for a volume of a network."""
    held = tables["facilities"].filter(pl.col("kind").cast(pl.String).is_in(["quota", "contract"]))
    found = []
    for facility in held.sort("facility_id").iter_rows(named=True):
        uses = []
        for use in tables["facility_uses"].filter(pl.col("facility_id") == facility["facility_id"]).iter_rows(named=True):
            arcs = closed_arcs(graph, tables, {**use, "country": None})
            if use["direction"] != "both":
                arcs &= (graph.arc_direction == BACKWARD) == (use["direction"] == "backward")
            uses.append((use["commodity_group"], use["origin_region"], use["destination_region"], arcs))
        agreed = f"{facility['nominal']:,.0f} {facility['unit']} a year"
        rule = {
            "permission_id": facility["facility_id"], "effect": "needs_check", "from_date": None, "until_date": None,
            "in_force": False, "row": -1, "source": facility["source"], "confidence": facility["confidence"],
            "rule": f"{facility['name']}: {agreed} are agreed, and a shipment needs a share.",
        }  # fmt: skip
        found.append(Quota(rule, tuple(uses)))
    return tuple(found)


def quota_closings(quotas: Sequence[Quota], commodity_group: str, regions: tuple[str | None, str | None]) -> tuple[Closing, ...]:
    """Arcs where a quota or a contract for a volume holds for some goods between two regions: a shipment needs a share of it."""
    found = []
    for quota in quotas:
        held = [
            arcs
            for goods, origin, destination, arcs in quota.uses
            if goods in (ANY, commodity_group) and origin in (None, regions[0]) and destination in (None, regions[1])
        ]
        if held and (arcs := np.logical_or.reduce(held)).any():
            found.append(Closing((quota.rule,), arcs))
    return tuple(found)


def _units_beyond(row: Mapping[str, Any], cargo: Cargo, payload_t: npt.NDArray[np.float64]) -> list[int]:
    """Loading units, by position, in which the shipment is more than a limit takes."""
    units = range(len(LOADING_UNITS)) if row["loading_unit"] == ANY else (LOADING_UNITS.index(row["loading_unit"]),)
    most = row["most"] or 0.0
    if row["limited"] == "load_t_per_unit":
        loads = [payload_t[unit] if cargo.unit_t is None else cargo.unit_t for unit in units]
        return [unit for unit, load in zip(units, loads, strict=True) if load > most]
    classes = [] if row["classes"] is None else [part.strip() for part in row["classes"].split(";")]
    is_beyond = {
        "piece_t": cargo.piece_t is not None and cargo.piece_t > most,
        "reefer": cargo.is_reefer,
        "hazardous": cargo.hazard_class is not None and (not classes or _is_of(cargo.hazard_class, classes)),
        "out_of_gauge": cargo.is_out_of_gauge,
    }[row["limited"]]
    return list(units) if is_beyond else []


def _is_of(hazard_class: str, classes: list[str]) -> bool:
    """Whether a class, or the class that a division belongs to, is listed."""
    return hazard_class in classes or hazard_class.partition(".")[0] in classes


def _about(graph: StateGraph, tables: Mapping[str, pl.DataFrame], row: Mapping[str, Any]) -> BoolArray:
    """Arcs of the link, terminal, country or mode of a limit; all where it names none, shape (arcs,)."""
    if row["mode"] is not None:
        is_link = graph.arc_kind == LINK
        return np.asarray(is_link & (graph.node_mode[graph.arc_tail] == MODES.index(row["mode"])))
    if row["link_id"] is None and row["terminal_id"] is None and row["country"] is None:
        return np.ones(graph.arc_count, dtype=np.bool_)
    return closed_arcs(graph, tables, {**row, "loading_unit": ANY})


@dataclass(frozen=True)
class ShipLoad:
    """What a ship may load on a link on a day.

    Attributes:
        ship_id, name: The class of ships.
        load, unit: What one takes.
        load_t: The same in tonnes of goods.
        full_load_t: When it lies as deep as it may.
        depth_m, needed_depth_m: Water of the shallower port, and what a full load needs; None where no depth is known, or draught does not
            limit it.
    """

    ship_id: str
    name: str
    load: float
    unit: str
    load_t: float
    full_load_t: float
    depth_m: float | None
    needed_depth_m: float | None


def ship_loads(tables: Mapping[str, pl.DataFrame], date: datetime.date) -> dict[str, tuple[ShipLoad, ...]]:
    """By link: what the ships of the lines on it may load on a day, at the shallower of both ports, with the sea on the case's first path.

    A class of which the line has no ship on that day is left out.
    """
    level_m = sea_level_m(tables["sea_levels"], None, date)
    berths = {row["berth_id"]: row for row in tables["berths"].iter_rows(named=True)}
    lines = {row["crossing_id"]: row for row in tables["crossings"].iter_rows(named=True)}
    waters: dict[str, list[float]] = {name: [] for name in lines}
    for call in tables["calls"].iter_rows(named=True):
        if (water := water_m(berths[first_berth(call)], level_m)) is not None:
            waters[call["crossing_id"]].append(water)
    found: dict[str, list[ShipLoad]] = {}
    for row in tables["ships"].sort("ship_id").iter_rows(named=True):
        if row["ships_count"] <= 0.0:
            continue
        line = lines[row["crossing_id"]]
        depths, room_t = waters[row["crossing_id"]], row["room_count"] * line["t_per_unit"]
        share = load_share(row, depths)
        ship = ShipLoad(
            row["ship_id"], row["name"], row["room_count"] * share, line["unit"], room_t * share, room_t, min(depths, default=None),
            needed_m(row),
        )  # fmt: skip
        for link in (line["link_id"], *(name.strip() for name in (line["also_links"] or "").split(";") if name.strip())):
            found.setdefault(link, []).append(ship)
    return {link: tuple(loads) for link, loads in found.items()}
