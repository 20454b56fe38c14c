"""What a shipment's own traits close, and what a ship may load on a day."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

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
    of_vessel = {row["vessel_id"]: row for row in tables["vessels"].iter_rows(named=True)}
    found = []
    for link, ships in ship_loads(tables, date).items():
        if any(ship.load_t > 0.0 for ship in ships):
            continue
        first = ships[0]
        arcs = np.zeros(graph.arc_count, dtype=np.bool_)
        arcs[list(graph.arcs_of_element.get((LINK, link), ()))] = True
        told = "; ".join(f"{ship.name} needs {ship.needed_depth_m:.1f} m for a full load" for ship in ships)
        rule = {
            "permission_id": f"draught_{link}", "effect": "ban", "from_date": None, "until_date": None, "in_force": False, "row": -1,
            "rule": f"No ship may load anything on {link} in {first.depth_m:.1f} m of water: {told}.",
            "source": of_vessel[first.vessel_id]["source"], "confidence": of_vessel[first.vessel_id]["confidence"],
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
        vessel_id, name: The ship.
        load, unit: What it takes, and full_load when it lies as deep as it may.
        load_t: The same in tonnes of goods.
        full_load_t: When it lies as deep as it may.
        depth_m, needed_depth_m: Water of the shallower port, and what a full load needs; None where no depth is known.
    """

    vessel_id: str
    name: str
    load: float
    unit: str
    load_t: float
    full_load_t: float
    depth_m: float | None
    needed_depth_m: float


def ship_loads(tables: Mapping[str, pl.DataFrame], date: datetime.date) -> dict[str, tuple[ShipLoad, ...]]:
    """By link: what its kinds of ships may load on a day.

    Load = clip(full load - tonnes per metre x (needed depth - depth - rise of the sea), 0, full load), at the shallower of both ports.

    Source:
        Immersion of a ship by tonnes per centimetre, as in any stability booklet.
    """
    ends = {row[0]: row[1:] for row in tables["links"].select("link_id", "from_place", "to_place").iter_rows()}
    found: dict[str, list[ShipLoad]] = {}
    for row in tables["vessels"].sort("vessel_id").iter_rows(named=True):
        known = [depth for place in ends[row["link_id"]] if (depth := depth_m(tables, place, date)) is not None]
        depth = min(known, default=None)
        missing = 0.0 if depth is None else max(row["needed_depth_m"] - depth, 0.0)
        load_t = max(row["full_load_t"] - row["load_t_per_m"] * missing, 0.0)
        share = load_t / row["full_load_t"]
        found.setdefault(row["link_id"], []).append(
            ShipLoad(
                row["vessel_id"],
                row["name"],
                row["full_load"] * share,
                row["unit"],
                load_t,
                row["full_load_t"],
                depth,
                row["needed_depth_m"],
            )
        )
    return {link: tuple(loads) for link, loads in found.items()}


def depth_m(tables: Mapping[str, pl.DataFrame], place: str, date: datetime.date) -> float | None:
    """Depth of the water at a port on a day, with the level of its sea; None where no row says."""
    rows = tables["depths"].filter((pl.col("place_id") == place) & (pl.col("from_date") <= date)).sort("from_date")
    if rows.is_empty():
        return None
    row = rows.row(-1, named=True)
    return float(row["depth_m"]) + sea_level_m(tables, row["sea_id"], date) - float(row["level_m"])


def sea_level_m(tables: Mapping[str, pl.DataFrame], sea_id: str, date: datetime.date) -> float:
    """Level of a sea on a day, on a straight line between the days that are known."""
    rows = tables["sea_levels"].filter(pl.col("sea_id") == sea_id).sort("date")
    days = np.array([day.toordinal() for day in rows["date"]], dtype=np.float64)
    return float(np.interp(date.toordinal(), days, rows["level_m"].to_numpy()))
