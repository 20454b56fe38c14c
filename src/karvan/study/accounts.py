"""Who gains what in a cleared year: shippers, operators, states, neighbours and the climate, by country."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment.market import limited_rows
from karvan.routing import arc_flows, operator_revenue
from karvan.routing.graph import LINK, TERMINAL
from karvan.study.clear import Cleared
from karvan.study.year import empty_flows

FloatArray = npt.NDArray[np.float64]

SHIPPERS, OPERATORS, STATES, NEIGHBOURS, CLIMATE = PARTIES = ("shippers", "operators", "states", "neighbours", "climate")
VENTURES, STATED = "ventures", "stated benefit"
"""Who an account is told for."""
SURPLUS, MOVED = "surplus", "moved tariffs"
"""Items: what shippers gain, and what operators charge beside what tables say where tariffs answer."""
SEVERAL, WORLD = "several", "world"
_ACCOUNT = ("party", "country", "item", "who", "value_kusd")


def year_accounts(
    cleared: Cleared, values: Mapping[str, float], external: pl.DataFrame, co2_usd_per_t: float,
    more_kusd: Mapping[str, float] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The accounts of a year. Levels mean little; differences between two years of the same market are what each party gains.

    Shippers have their surplus, split between where goods start and end; operators their scarcity rent and the profit in what they charge,
    after tax; states that tax and the charges of border services; neighbours bear accidents, air pollution and noise; the climate what
    carbon dioxide costs. All of it adds up to the market's welfare, the profit in charges and what others bear.

    Args:
        cleared: The year.
        values: `appraisal_values` by id.
        external: Table `external_costs`.
        co2_usd_per_t: Price of a tonne of CO2e in that year.
        more_kusd: What operators charge more than the tables say, all of it profit, by operator.

    Returns:
        party, country, item, who (region, operator or mode), value_kusd.
    """
    on_arc = arc_flows(cleared.routed.space, cleared.routed.sets, cleared.set_flow_kt)
    rows = [
        *_shippers(cleared, values["origin_share"]),
        *_operators(cleared, on_arc, values),
        *_moved(cleared, more_kusd or {}, values["profit_tax_share"]),
        *_neighbours(cleared, on_arc, external),
        (CLIMATE, WORLD, "co2e", "all", -co2_usd_per_t * emitted_kt(cleared, on_arc)),
    ]
    frame = pl.DataFrame(rows, schema=dict(zip(_ACCOUNT, (pl.String,) * 4 + (pl.Float64,), strict=True)), orient="row")
    return frame.group_by(_ACCOUNT[:-1], maintain_order=True).agg(pl.col("value_kusd").sum()).sort(_ACCOUNT[:-1])


def society_kusd(cleared: Cleared, values: Mapping[str, float], external: pl.DataFrame, co2_usd_per_t: float) -> float:
    """What the accounts of a year add up to, kUSD, without telling whose they are: the market's welfare, the profit in charges, what
    others bear.

    Args:
        cleared: The year.
        values: `appraisal_values` by id.
        external: Table `external_costs`.
        co2_usd_per_t: Price of a tonne of CO2e in that year.
    """
    space, tables, graph = cleared.routed.space, cleared.routed.snapshot.tables, cleared.routed.graph
    on_arc = arc_flows(space, cleared.routed.sets, cleared.set_flow_kt)
    per_t = space.cost_parts[:, :, 0] + space.cost_parts[:, :, 1]
    is_charged = (graph.arc_operator >= 0) | border_arcs(cleared)
    paid = float((per_t * on_arc).sum(axis=0)[is_charged].sum())
    moved = empty_flows(cleared)[:, :2].sum(axis=1)
    paid += float(tables["returns"]["empty_usd_per_unit"].to_numpy() @ moved) if moved.shape[0] else 0.0
    by_mode: dict[str, float] = {}
    for mode, usd in zip(external["mode"].to_list(), external["usd_per_tkm"].to_list(), strict=True):
        by_mode[mode] = by_mode.get(mode, 0.0) + usd
    usd_per_tkm = np.array([by_mode.get(mode, 0.0) for mode in tables["links"]["mode"].to_list()])
    is_link = graph.arc_kind == LINK
    tkm = (on_arc.sum(axis=0) * graph.arc_length_km)[is_link]
    borne = float(tkm @ usd_per_tkm[graph.arc_element[is_link]]) + co2_usd_per_t * emitted_kt(cleared, on_arc)
    return float(cleared.clearing.welfare_kusd) + (1.0 - values["resource_cost_share"]) * paid - borne


def emitted_kt(cleared: Cleared, on_arc: FloatArray) -> float:
    """CO2e of all goods that move, well to wheel, kt."""
    return float((on_arc.sum(axis=0) * cleared.routed.graph.arc_co2e_wtw_kg_per_t).sum()) / 1e3


def _shippers(cleared: Cleared, origin_share: float) -> list[tuple[str, str, str, str, float]]:
    assembly, surplus = cleared.assembly, cleared.clearing.consumer_surplus_kusd
    tables = cleared.routed.snapshot.tables
    of_region = region_countries(tables)
    rows = []
    ends = zip(assembly.market_origin, assembly.market_destination, surplus[: assembly.goods_count].tolist(), strict=True)
    for origin, destination, value in ends:
        rows.append((SHIPPERS, of_region[origin], SURPLUS, origin, origin_share * value))
        rows.append((SHIPPERS, of_region[destination], SURPLUS, destination, (1.0 - origin_share) * value))
    owners = _operator_countries(tables)
    operators = tables["returns"]["operator_id"].to_list()
    for operator, value in zip(operators, surplus[assembly.goods_count :].tolist(), strict=True):
        rows.append((OPERATORS, owners[operator], "empties", operator, value))
    return rows


def _operators(cleared: Cleared, on_arc: FloatArray, values: Mapping[str, float]) -> list[tuple[str, str, str, str, float]]:
    tables = cleared.routed.snapshot.tables
    owners, tax, margin = _operator_countries(tables), values["profit_tax_share"], 1.0 - values["resource_cost_share"]
    is_border = border_arcs(cleared)
    paid = operator_revenue(tables, cleared.routed.rates, np.where(is_border, 0.0, on_arc))
    charges = tables["returns"].select("operator_id", "empty_usd_per_unit").iter_rows()
    for (operator, usd_per_unit), (along, against, _) in zip(charges, empty_flows(cleared).tolist(), strict=True):
        paid[operator] += usd_per_unit * (along + against)
    rent = dict.fromkeys(paid, 0.0)
    for operator, value in _rents(cleared):
        rent[operator] += value
    rows = [(STATES, country, "border charges", "all", margin * value) for country, value in _border_charges(cleared, on_arc, is_border)]
    for operator in paid:
        for item, value in (("profit", margin * paid[operator]), ("scarcity rent", rent[operator])):
            rows.append((OPERATORS, owners[operator], item, operator, (1.0 - tax) * value))
            rows.append((STATES, owners[operator], f"tax on {item}", operator, tax * value))
    return rows


def _moved(cleared: Cleared, more_kusd: Mapping[str, float], tax: float) -> list[tuple[str, str, str, str, float]]:
    owners = _operator_countries(cleared.routed.snapshot.tables)
    rows = []
    for operator, value in more_kusd.items():
        rows.append((OPERATORS, owners[operator], MOVED, operator, (1.0 - tax) * value))
        rows.append((STATES, owners[operator], f"tax on {MOVED}", operator, tax * value))
    return rows


def border_arcs(cleared: Cleared) -> npt.NDArray[np.bool_]:
    """Arcs that are border posts, shape (arcs,)."""
    graph = cleared.routed.graph
    is_post = (cleared.routed.snapshot.tables["terminals"]["kind"].cast(pl.String) == "border").to_numpy()
    is_terminal = graph.arc_kind == TERMINAL
    return np.asarray(is_terminal & is_post[np.where(is_terminal, graph.arc_element, 0)], dtype=np.bool_)


def _border_charges(cleared: Cleared, on_arc: FloatArray, is_border: npt.NDArray[np.bool_]) -> list[tuple[str, float]]:
    """What goods pay at border posts, by the country in which they stand, thousand USD."""
    graph, tables = cleared.routed.graph, cleared.routed.snapshot.tables
    paid = (cleared.routed.rates.rate_usd_per_t * on_arc).sum(axis=0)[is_border]
    of_place = dict(tables["places"].select("place_id", "country").iter_rows())
    places = tables["terminals"]["place_id"].to_list()
    totals: dict[str, float] = {}
    for element, value in zip(graph.arc_element[is_border].tolist(), paid.tolist(), strict=True):
        country = of_place[places[element]]
        totals[country] = totals.get(country, 0.0) + value
    return sorted(totals.items())


def _rents(cleared: Cleared) -> list[tuple[str, float]]:
    """Scarcity rent of every limit, by the operator of its facility, thousand USD."""
    if cleared.problem.is_queued:
        return []
    assembly, tables = cleared.assembly, cleared.routed.snapshot.tables
    owners = tables["facilities"]["operator_id"].to_list()
    holders = [*owners, *tables["returns"]["operator_id"], *(owners[row] for row in assembly.minimum_facility.tolist())]
    price, capacity = cleared.clearing.row_price_usd_per_unit, cleared.problem.row_capacity
    return [(holders[row], float(price[row] * capacity[row])) for row in limited_rows(cleared.problem).tolist()]


def _neighbours(cleared: Cleared, on_arc: FloatArray, external: pl.DataFrame) -> list[tuple[str, str, str, str, float]]:
    """What carrying costs those it passes, half to the country of either end of a link."""
    graph, tables = cleared.routed.graph, cleared.routed.snapshot.tables
    links, of_place = tables["links"], dict(tables["places"].select("place_id", "country").iter_rows())
    is_link = graph.arc_kind == LINK
    tkm = np.bincount(graph.arc_element[is_link], weights=(on_arc.sum(axis=0) * graph.arc_length_km)[is_link], minlength=links.height)
    ends = [pl.Series(links[name].replace_strict(of_place)).to_list() for name in ("from_place", "to_place")]
    totals: dict[tuple[str, str], float] = {}
    for mode, *countries, amount in zip(links["mode"].cast(pl.String).to_list(), *ends, tkm.tolist(), strict=True):
        for country in countries:
            totals[country, mode] = totals.get((country, mode), 0.0) + 0.5 * amount
    cost = {(row["mode"], row["effect"]): row["usd_per_tkm"] for row in external.iter_rows(named=True)}
    return [
        (NEIGHBOURS, country, effect, mode, -amount * cost[mode, effect])
        for (country, mode), amount in sorted(totals.items())
        for effect in ("accidents", "air", "noise")
        if (mode, effect) in cost
    ]


def region_countries(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Country of each region of demand, or that there are several."""
    return {name: _country(text) for name, text in tables["regions"].select("region_id", "countries").iter_rows()}


def _operator_countries(tables: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    return {name: _country(text) for name, text in tables["operators"].select("operator_id", "country").iter_rows()}


def _country(text: str) -> str:
    """The country of a list, or that there are several."""
    return text if ";" not in text else SEVERAL
