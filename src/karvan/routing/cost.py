"""Generalised cost: what a tonne pays in money, time and uncertainty on each arc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.routing.graph import ACCESS, BACKWARD, LINK, TERMINAL, StateGraph
from karvan.schema import ANY, LOADING_UNITS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

HOURS_PER_DAY = 24.0
DAYS_PER_YEAR = 365.0
SURROGATE = 0.5
"""Part of each arc's own standard deviation that searches add up in place of the route's, which is no sum."""
CONTAINER_CODE = LOADING_UNITS.index("container")


def value_of_time_usd_per_t_d(
    value_usd_per_t: float, capital_share_per_year: float, depreciation_share_per_year: float, *, time_value_factor: float
) -> float:
    """Value of a day of a tonne under way: m v (i + dep) / 365.

    Source:
        Interest and depreciation of goods in transit; upper bound for manufactures in Hummels & Schaur (2013), AER 103(7).
    """
    return time_value_factor * value_usd_per_t * (capital_share_per_year + depreciation_share_per_year) / DAYS_PER_YEAR


def time_cost_usd_per_t(time_d: float, sd_d: float, *, value_of_time_usd_per_t_d: float, reliability_ratio: float) -> float:
    """Cost of a mean time and of its spread: VOT t + RR VOT sd."""
    return value_of_time_usd_per_t_d * time_d + reliability_ratio * value_of_time_usd_per_t_d * sd_d


def combined_sd(sds: Sequence[float]) -> float:
    """Standard deviation of a sum of independent times, in their unit: variances add, standard deviations do not."""
    return float(np.sqrt(np.sum(np.square(np.asarray(sds, dtype=np.float64)))))


def headway_wait_d(headway_d: float, *, headway_cv: float) -> float:
    """Mean wait of goods that arrive at any time: H (1 + CV^2) / 2, days."""
    return headway_d * (1.0 + headway_cv**2) / 2.0


def safety_stock_usd_per_t(sd_d: float, *, service_quantile: float, value_usd_per_t: float, holding_share_per_year: float) -> float:
    """Holding cost of the stock that covers a delay, z sd v h / 365: a cross-check of the reliability ratio, not a term of cost."""
    return service_quantile * sd_d * value_usd_per_t * holding_share_per_year / DAYS_PER_YEAR


@dataclass(frozen=True)
class ArcCosts:
    """Cost of each arc to one commodity group, USD/t.

    Attributes:
        tariff: Charges of links, shape (arcs,).
        handling: Charges of terminals and access costs, shape (arcs,).
        time: Moving and operation time at the value of time, shape (arcs,).
        waiting: Waiting time at the value of time, shape (arcs,).
        co2: Emissions at the carbon price, shape (arcs,).
        vot_usd_per_t_d: Value of time.
        reliability_ratio: Value of a day of standard deviation over value of a day.
        allowed: The goods may use this loading unit and its operator carries it, shape (arcs,).
        operator: Row in operators that receives tariff and handling, -1 for nobody, shape (arcs,).
        is_estimate: The row that sets the charge is an estimate, shape (arcs,).
        tariff_row: Row in tariffs that sets the tariff, -1 for none, shape (arcs,).
    """

    tariff: FloatArray
    handling: FloatArray
    time: FloatArray
    waiting: FloatArray
    co2: FloatArray
    vot_usd_per_t_d: float
    reliability_ratio: float
    allowed: BoolArray
    operator: IntArray
    is_estimate: BoolArray
    tariff_row: IntArray

    @property
    def without_reliability(self) -> FloatArray:
        """All terms that add up along a route, USD/t, shape (arcs,)."""
        return self.tariff + self.handling + self.time + self.waiting + self.co2

    @property
    def reliability_usd_per_t_h(self) -> float:
        """Value of an hour of standard deviation, USD/t-h."""
        return self.reliability_ratio * self.vot_usd_per_t_d / HOURS_PER_DAY

    def search_cost(self, graph: StateGraph) -> FloatArray:
        """Additive cost for searches: reliability by part of each arc's own standard deviation, USD/t, shape (arcs,)."""
        return self.without_reliability + SURROGATE * self.reliability_usd_per_t_h * graph.arc_sd_h


def payloads(tables: Mapping[str, pl.DataFrame]) -> dict[str, FloatArray]:
    """Payload of each commodity group by position in LOADING_UNITS, t per unit; NaN where it may not use the unit."""
    found = {group: np.full(len(LOADING_UNITS), np.nan) for group in tables["commodities"]["commodity_group"]}
    columns = (tables["commodity_units"][name].to_list() for name in ("commodity_group", "loading_unit", "payload_t_per_unit"))
    for group, unit, value in zip(*columns, strict=True):
        found[group][LOADING_UNITS.index(unit)] = value
    return found


def arc_costs(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    commodity_group: str,
    *,
    co2_price_usd_per_t: float,
    charges: Charges | None = None,
) -> ArcCosts:
    """Cost of every arc to one commodity group; `charges` are those of the graph and tables, if they are known.

    Link tariffs: the most specific row of the link's operator wins (link, then direction, then goods, then loading unit);
    rates per TEU are for containers only and are divided by their payload. Box charges of a terminal count where the goods
    are in a container before or after.

    Raises:
        DataError: The group is unknown, or two tariff rows say different things about the same goods on the same links.
    """
    charges = charges_of(graph, tables) if charges is None else charges
    traits = charges.traits.get(commodity_group)
    if traits is None:
        raise DataError(Problem("commodities", None, "commodity_group", f"no group {commodity_group}; add it or use a listed one"))
    payload = charges.payload[commodity_group]
    vot = value_of_time_usd_per_t_d(
        traits["value_usd_per_t"], traits["capital_share_per_year"], traits["depreciation_share_per_year"],
        time_value_factor=traits["time_value_factor"],
    )  # fmt: skip
    is_carried = ~np.isnan(payload)
    is_link = graph.arc_kind == LINK
    tariff, tariff_row = _tariffs(graph, charges, commodity_group, payload)
    handling = arc_handling(graph, tables, payload)
    allowed = is_carried[graph.arc_unit] & is_carried[graph.arc_unit_after] & ~(is_link & np.isnan(tariff))
    hours = graph.arc_hours
    return ArcCosts(
        tariff=np.where(is_link & allowed, tariff, 0.0),
        handling=handling,
        time=vot / HOURS_PER_DAY * (hours[:, 0] + hours[:, 2] + hours[:, 3] + hours[:, 4]),
        waiting=vot / HOURS_PER_DAY * hours[:, 1],
        co2=co2_price_usd_per_t * graph.arc_co2e_wtw_kg_per_t / 1000.0,
        vot_usd_per_t_d=vot,
        reliability_ratio=float(traits["reliability_ratio"]),
        allowed=allowed,
        operator=graph.arc_operator,
        is_estimate=np.where(is_link, charges.tariff_is_estimate[tariff_row], charges.element_is_estimate),
        tariff_row=tariff_row,
    )


def arc_handling(graph: StateGraph, tables: Mapping[str, pl.DataFrame], payload: FloatArray) -> FloatArray:
    """Charges of terminals and access costs to goods of a payload, as `payloads` gives it, USD/t, shape (arcs,)."""
    is_terminal, is_access = (graph.arc_kind == kind for kind in (TERMINAL, ACCESS))
    handling = np.zeros(graph.arc_count)
    terminals = graph.arc_element[is_terminal]
    per_box = _column(tables, "terminals", "cost_usd_per_teu")[terminals]
    in_box = (graph.arc_unit == CONTAINER_CODE) | (graph.arc_unit_after == CONTAINER_CODE)
    box_payload = np.inf if np.isnan(payload[CONTAINER_CODE]) else payload[CONTAINER_CODE]
    per_t = _column(tables, "terminals", "cost_usd_per_t")[terminals]
    handling[is_terminal] = per_t + np.where(in_box[is_terminal], per_box / box_payload, 0.0)
    handling[is_access] = _column(tables, "region_places", "access_cost_usd_per_t")[graph.arc_element[is_access]]
    return handling


def estimated_rows(tables: Mapping[str, pl.DataFrame], table: str) -> BoolArray:
    """Rows of a table whose confidence is estimate; the last position, for no row at all, is False."""
    frame = tables[table]
    if "confidence" not in frame.columns:
        return np.zeros(frame.height + 1, dtype=np.bool_)
    return np.array([word == "estimate" for word in frame["confidence"].to_list()] + [False], dtype=np.bool_)


def element_is_estimate(graph: StateGraph, tables: Mapping[str, pl.DataFrame]) -> BoolArray:
    """Arcs whose link, terminal or access row is an estimate, shape (arcs,)."""
    found = np.zeros(graph.arc_count, dtype=np.bool_)
    for kind, table in ((LINK, "links"), (TERMINAL, "terminals"), (ACCESS, "region_places")):
        of_kind = graph.arc_kind == kind
        found[of_kind] = estimated_rows(tables, table)[graph.arc_element[of_kind]]
    return found


def _column(tables: Mapping[str, pl.DataFrame], table: str, column: str) -> FloatArray:
    return np.array(tables[table][column].to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class Charges:
    """What the costs of all goods on a graph share: their traits, what the rows of tariffs say, and what of it is an estimate.

    A claim is a row of tariffs and an arc that it is about; claims are sorted by arc and, on an arc, the one that wins is last.

    Attributes:
        traits: Row of each commodity group.
        payload: Payload of each commodity group by loading unit; see `payloads`.
        goods: Goods of each row of tariffs, or any.
        is_per_box: Charges of the row are per TEU, shape (rows,).
        rank: The row with the higher number wins: link, then direction, then goods, then loading unit, shape (rows,).
        row: Row of each claim, shape (claims,).
        arc: Arc of each claim, shape (claims,).
        charge: USD per tonne or, if per box, per TEU, shape (claims,).
        tariff_is_estimate: By row of tariffs, False at the end for no row, shape (rows + 1,).
        element_is_estimate: By arc: its link, terminal or access row is an estimate, shape (arcs,).
    """

    traits: Mapping[str, Mapping[str, Any]]
    payload: Mapping[str, FloatArray]
    goods: tuple[str, ...]
    is_per_box: BoolArray
    rank: IntArray
    row: IntArray
    arc: IntArray
    charge: FloatArray
    tariff_is_estimate: BoolArray
    element_is_estimate: BoolArray


def charges_of(graph: StateGraph, tables: Mapping[str, pl.DataFrame], *, quoted_from: int | None = None) -> Charges:
    """What the costs of all goods on a graph share; rows of tariffs from `quoted_from` on were quoted and win over all before."""
    operators = {name: index for index, name in enumerate(tables["operators"]["operator_id"])}
    links = {name: index for index, name in enumerate(tables["links"]["link_id"])}
    arcs_of = {index: np.flatnonzero((graph.arc_operator == index) & (graph.arc_kind == LINK)) for index in operators.values()}
    tariffs = tables["tariffs"]
    arcs_by_row, charges, ranks = [np.zeros(0, dtype=np.int64)], [np.zeros(0)], []
    for number, row in enumerate(tariffs.iter_rows(named=True)):
        arcs = arcs_of[operators[row["operator_id"]]]
        if row["link_id"] != ANY:
            arcs = arcs[graph.arc_element[arcs] == links[row["link_id"]]]
        if row["direction"] != "both":
            arcs = arcs[(graph.arc_direction[arcs] == BACKWARD) == (row["direction"] == "backward")]
        if row["loading_unit"] != ANY:
            arcs = arcs[graph.arc_unit[arcs] == LOADING_UNITS.index(row["loading_unit"])]
        if row["basis"].startswith("usd_per_teu"):
            arcs = arcs[graph.arc_unit[arcs] == CONTAINER_CODE]
        charges.append(row["rate"] * graph.arc_length_km[arcs] if row["basis"].endswith("_km") else np.full(arcs.shape[0], row["rate"]))
        arcs_by_row.append(arcs)
        is_quoted = quoted_from is not None and number >= quoted_from
        narrowed = (is_quoted, row["link_id"] != ANY, row["direction"] != "both", row["commodity_group"] != ANY, row["loading_unit"] != ANY)
        ranks.append(sum(is_narrow << place for place, is_narrow in enumerate(reversed(narrowed))))
    rank, arc = np.array(ranks, dtype=np.int64), np.concatenate(arcs_by_row)
    row_of = np.repeat(np.arange(tariffs.height), [arcs.shape[0] for arcs in arcs_by_row[1:]])
    order = np.lexsort((row_of, rank[row_of], arc))
    return Charges(
        traits={traits["commodity_group"]: traits for traits in tables["commodities"].iter_rows(named=True)},
        payload=payloads(tables),
        goods=tuple(tariffs["commodity_group"]),
        is_per_box=np.array([basis.startswith("usd_per_teu") for basis in tariffs["basis"]], dtype=np.bool_),
        rank=rank,
        row=row_of[order],
        arc=arc[order],
        charge=np.concatenate(charges)[order],
        tariff_is_estimate=estimated_rows(tables, "tariffs"),
        element_is_estimate=element_is_estimate(graph, tables),
    )


def _tariffs(graph: StateGraph, charges: Charges, commodity_group: str, payload: FloatArray) -> tuple[FloatArray, IntArray]:
    """Tariff of each link arc, USD/t, NaN where no row of its operator fits, and its row in tariffs, -1 for none, each of shape (arcs,)."""
    is_for = np.array([goods in (commodity_group, ANY) for goods in charges.goods], dtype=np.bool_)
    claims = np.flatnonzero(is_for[charges.row])
    arc, row = charges.arc[claims], charges.row[claims]
    last = np.flatnonzero(np.append(arc[1:] != arc[:-1], np.ones(min(arc.shape[0], 1), dtype=np.bool_)))
    before = last[last > 0]
    is_rival = (arc[before - 1] == arc[before]) & (charges.rank[row[before - 1]] == charges.rank[row[before]])
    if is_rival.any():
        pairs = sorted(
            {(rival, first) for first, rival in zip(row[before - 1][is_rival].tolist(), row[before][is_rival].tolist(), strict=True)}
        )
        message = "says as much about the same goods as row {}; give one of them a narrower link, direction, goods or loading unit"
        raise DataError([Problem("tariffs", later + 1, "rate", message.format(first + 1)) for later, first in pairs])
    rate, chosen = np.full(graph.arc_count, np.nan), np.full(graph.arc_count, -1)
    charge, won = charges.charge[claims[last]], row[last]
    rate[arc[last]] = np.where(charges.is_per_box[won], charge / payload[CONTAINER_CODE], charge)
    chosen[arc[last]] = won
    return rate, chosen
