"""A route space whose numbers differ and whose network does not, without laying it out anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from karvan.routing.cost import HOURS_PER_DAY, arc_handling, payloads, value_of_time_usd_per_t_d
from karvan.routing.graph import MEASURES, measured
from karvan.routing.space import Goods, RouteSpace

_OF_GOODS = ("tariffs", "commodities")


def redrawn(space: RouteSpace, tables: Mapping[str, pl.DataFrame], *, before: Mapping[str, pl.DataFrame]) -> RouteSpace:
    """The space at other lengths, hours, rates, charges and traits of goods: the same arcs, the same uses of facilities.

    What a tonne takes of facilities stays as it was, also where that is counted in days under way.

    Args:
        space: The space.
        tables: Tables that differ from `before` in those numbers only, row by row; a rate that is zero stays so.
        before: Tables that the space was made of.
    """
    is_measured = any(tables[name] is not before[name] for name in MEASURES)
    if not is_measured and all(tables[name] is before[name] for name in _OF_GOODS):
        return space
    graph = measured(space.graph, tables) if is_measured else space.graph
    rates = [np.append(frame["tariffs"]["rate"].to_numpy(), 1.0) for frame in (before, tables)]  # the last is for no row at all
    ratio = np.divide(rates[1], rates[0], out=np.ones_like(rates[0]), where=rates[0] != 0.0)
    by_km = np.array([*(basis.endswith("_km") for basis in tables["tariffs"]["basis"].to_list()), False])
    longer = np.divide(graph.arc_length_km, space.graph.arc_length_km, out=np.ones(graph.arc_count), where=space.graph.arc_length_km > 0.0)
    under_way = (graph.arc_hours[:, 0] + graph.arc_hours[:, 2] + graph.arc_hours[:, 3] + graph.arc_hours[:, 4]) / HOURS_PER_DAY
    waiting = graph.arc_hours[:, 1] / HOURS_PER_DAY
    payload = payloads(tables)
    traits = {row["commodity_group"]: row for row in tables["commodities"].iter_rows(named=True)}

    def again(name: str, item: Goods) -> Goods:
        trait, costs = traits[name], item.costs
        vot = value_of_time_usd_per_t_d(
            trait["value_usd_per_t"], trait["capital_share_per_year"], trait["depreciation_share_per_year"],
            time_value_factor=trait["time_value_factor"],
        )  # fmt: skip
        costs = replace(
            costs,
            tariff=costs.tariff * ratio[costs.tariff_row] * np.where(by_km[costs.tariff_row], longer, 1.0),
            handling=arc_handling(graph, tables, payload[name]),
            time=vot * under_way,
            waiting=vot * waiting,
            co2=space.co2_price_usd_per_t * graph.arc_co2e_wtw_kg_per_t / 1000.0,
            vot_usd_per_t_d=vot,
            reliability_ratio=float(trait["reliability_ratio"]),
        )
        return replace(
            item,
            costs=costs,
            search_cost=costs.search_cost(graph),
            route_theta=float(trait["route_theta_per_usd_per_t"]),
            family_theta=float(trait["family_theta_per_usd_per_t"]),
            stay_usd_per_t=float(trait["not_shipped_usd_per_t"]),
        )

    found = replace(space, graph=graph, goods={name: again(name, item) for name, item in space.goods.items()})
    found.__dict__["labels"] = space.labels  # markets are the same
    return found
