"""Generalised cost: what a tonne pays in money, time and uncertainty on each arc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.routing.graph import ACCESS, BACKWARD, LINK, TERMINAL, StateGraph
from karvan.schema import ANY, LOADING_UNITS

FloatArray = npt.NDArray[np.float64]
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
    operator: npt.NDArray[np.int64]
    is_estimate: BoolArray
    tariff_row: npt.NDArray[np.int64]

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


def payloads(tables: Mapping[str, pl.DataFrame], commodity_group: str) -> FloatArray:
    """Payload of a commodity group by position in LOADING_UNITS, t per unit; NaN where it may not use the unit."""
    payload = np.full(len(LOADING_UNITS), np.nan)
    for group, unit, value in tables["commodity_units"].select("commodity_group", "loading_unit", "payload_t_per_unit").iter_rows():
        if group == commodity_group:
            payload[LOADING_UNITS.index(unit)] = value
    return payload


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
    found = tables["commodities"].filter(pl.col("commodity_group") == commodity_group)
    if found.height != 1:
        raise DataError(Problem("commodities", None, "commodity_group", f"no group {commodity_group}; add it or use a listed one"))
    traits = found.row(0, named=True)
    payload = payloads(tables, commodity_group)
    vot = value_of_time_usd_per_t_d(
        traits["value_usd_per_t"], traits["capital_share_per_year"], traits["depreciation_share_per_year"],
        time_value_factor=traits["time_value_factor"],
    )  # fmt: skip
    is_carried = ~np.isnan(payload)
    is_link = graph.arc_kind == LINK
    charges = charges_of(graph, tables) if charges is None else charges
    tariff, tariff_row = _tariffs(graph, charges.scopes, commodity_group, payload)
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
    return np.append((frame["confidence"].cast(pl.String) == "estimate").fill_null(False).to_numpy(), False)


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
class TariffScope:
    """What a row of tariffs says.

    Attributes:
        row: Position in the table.
        commodity_group: Its goods, or any.
        arcs: Link arcs that it is about, rising, shape (n,).
        charge: USD per tonne or, if per box, per TEU on each, shape (n,).
        is_per_box: Charges are per TEU.
        specific: The row with the higher number wins: link, then direction, then goods, then loading unit.
    """

    row: int
    commodity_group: str
    arcs: npt.NDArray[np.int64]
    charge: FloatArray
    is_per_box: bool
    specific: int


@dataclass(frozen=True)
class Charges:
    """What the costs of all goods share.

    Attributes:
        scopes: Rows of tariffs.
        tariff_is_estimate: By row of tariffs, False at the end for no row, shape (rows + 1,).
        element_is_estimate: By arc: its link, terminal or access row is an estimate, shape (arcs,).
    """

    scopes: tuple[TariffScope, ...]
    tariff_is_estimate: BoolArray
    element_is_estimate: BoolArray


def charges_of(graph: StateGraph, tables: Mapping[str, pl.DataFrame], *, quoted_from: int | None = None) -> Charges:
    """What the costs of all goods on a graph share; rows of tariffs from `quoted_from` on were quoted and win over all before."""
    return Charges(_scopes(graph, tables, quoted_from), estimated_rows(tables, "tariffs"), element_is_estimate(graph, tables))


def _scopes(graph: StateGraph, tables: Mapping[str, pl.DataFrame], quoted_from: int | None) -> tuple[TariffScope, ...]:
    """Every row of tariffs with the arcs that it is about."""
    operators = {name: index for index, name in enumerate(tables["operators"]["operator_id"])}
    links = {name: index for index, name in enumerate(tables["links"]["link_id"])}
    arcs_of = {index: np.flatnonzero((graph.arc_operator == index) & (graph.arc_kind == LINK)) for index in operators.values()}
    found = []
    for number, row in enumerate(tables["tariffs"].iter_rows(named=True)):
        arcs = arcs_of[operators[row["operator_id"]]]
        if row["link_id"] != ANY:
            arcs = arcs[graph.arc_element[arcs] == links[row["link_id"]]]
        if row["direction"] != "both":
            arcs = arcs[(graph.arc_direction[arcs] == BACKWARD) == (row["direction"] == "backward")]
        if row["loading_unit"] != ANY:
            arcs = arcs[graph.arc_unit[arcs] == LOADING_UNITS.index(row["loading_unit"])]
        is_per_box = row["basis"].startswith("usd_per_teu")
        if is_per_box:
            arcs = arcs[graph.arc_unit[arcs] == CONTAINER_CODE]
        charge = row["rate"] * graph.arc_length_km[arcs] if row["basis"].endswith("_km") else np.full(arcs.shape[0], row["rate"])
        is_quoted = quoted_from is not None and number >= quoted_from
        narrowed = (is_quoted, row["link_id"] != ANY, row["direction"] != "both", row["commodity_group"] != ANY, row["loading_unit"] != ANY)
        specific = sum(is_narrow << place for place, is_narrow in enumerate(reversed(narrowed)))
        found.append(TariffScope(number, row["commodity_group"], arcs, charge, is_per_box, specific))
    return tuple(found)


def _tariffs(
    graph: StateGraph, scopes: Sequence[TariffScope], commodity_group: str, payload: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Tariff of each link arc, USD/t, NaN where no row of its operator fits, and its row in tariffs, -1 for none, each of shape (arcs,)."""
    rate = np.full(graph.arc_count, np.nan)
    rank = np.full(graph.arc_count, -1)
    chosen = np.full(graph.arc_count, -1)
    problems: set[tuple[int, int]] = set()
    for scope in scopes:
        if scope.commodity_group not in (commodity_group, ANY):
            continue
        arcs, ranks = scope.arcs, rank[scope.arcs]
        is_rival = ranks == scope.specific
        if is_rival.any():
            problems.update((rival, scope.row) for rival in set(chosen[arcs[is_rival]].tolist()))
        is_won = ranks < scope.specific
        arcs, charge = arcs[is_won], scope.charge[is_won]
        rate[arcs] = charge / payload[CONTAINER_CODE] if scope.is_per_box else charge
        rank[arcs], chosen[arcs] = scope.specific, scope.row
    if problems:
        message = "says as much about the same goods as row {}; give one of them a narrower link, direction, goods or loading unit"
        raise DataError([Problem("tariffs", row + 1, "rate", message.format(rival + 1)) for rival, row in sorted(problems)])
    return rate, chosen
