"""Ways through the network told as options: legs, hours by cause, distribution of time, what rests on estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.results import ShippingOption
from karvan.routing import COMPONENTS, HOURS, ArcCosts, StateGraph, classify
from karvan.routing.cost import HOURS_PER_DAY, element_is_estimate
from karvan.routing.families import Families
from karvan.routing.graph import LINK
from karvan.routing.legs import leg_words, told
from karvan.routing.options import Criteria, sailing_waits_h
from karvan.routing.reliability import TransitTime

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MONEY = ("tariff", "handling", "co2")
_UNTOLD = tuple(f"{name}_usd_per_t" for name in COMPONENTS if name not in _MONEY)
_WAITING = HOURS.index("waiting")


class Teller:
    """Tells ways of some goods on a day as options."""

    def __init__(
        self,
        graph: StateGraph,
        tables: Mapping[str, pl.DataFrame],
        goods: tuple[ArcCosts, Criteria],
        families: Families,
        commodity_group: str,
    ) -> None:
        self.graph, self.tables, self.families, self.commodity_group = graph, tables, families, commodity_group
        self.costs, self.criteria = goods
        self.names = dict(tables["places"].select("place_id", "name").iter_rows())
        published = dict(tables["sources"].select("source_id", "published").iter_rows())
        self._tariff_published = [published.get(source) for source in tables["tariffs"]["source"]]
        self._by_table = element_is_estimate(graph, tables)
        self._words = leg_words(tables)
        self._link_rows = {name: row for row, name in enumerate(tables["links"]["link_id"])}

    def links_of(self, options: Iterable[ShippingOption]) -> list[int]:
        """Rows of the links that some options use."""
        return sorted({self._link_rows[name] for option in options for leg in option.legs for name in leg["links"]})

    def option(self, arcs: IntArray, values: FloatArray, labels: tuple[str, ...], hours_left: float | None) -> ShippingOption:
        """A way as an option.

        Args:
            arcs: Its arcs in travel order.
            values: Its criteria, shape (4,).
            labels: Why it is told.
            hours_left: Hours from departure to the deadline, if there is one.
        """
        graph, costs, criteria = self.graph, self.costs, self.criteria
        hours = criteria.timetable.hours[arcs].copy()
        hours[:, _WAITING] += sailing_waits_h(criteria, arcs)
        variance = criteria.timetable.variance_h2[arcs]
        money = criteria.arc_values[arcs, 0]
        total_variance, total_money, spent = float(variance.sum()), float(money.sum()), hours.sum(axis=1)
        time_h = float(spent.sum())
        transit = TransitTime(max(time_h, 1e-9), total_variance)
        by_table = self._by_table[arcs]
        links = graph.arc_element[arcs[graph.arc_kind[arcs] == LINK]]
        return ShippingOption(
            labels=labels,
            permission="allowed",
            rules=(),
            family_id=classify(self.families, links, self.commodity_group),
            cost_usd_per_t=total_money,
            generalised_cost_usd_per_t=float(criteria.worth_usd_per_t(values.reshape(1, -1))[0]),
            hours={name: float(value) for name, value in zip(HOURS, hours.sum(axis=0), strict=True)},
            time_h=time_h,
            variance_h2=total_variance,
            time_p50_d=transit.quantile_h(0.5) / HOURS_PER_DAY,
            time_p80_d=transit.quantile_h(0.8) / HOURS_PER_DAY,
            time_p95_d=transit.quantile_h(0.95) / HOURS_PER_DAY,
            on_time_share=None if hours_left is None else transit.on_time_share(hours_left),
            co2e_kg_per_t=float(graph.arc_co2e_wtw_kg_per_t[arcs].sum()),
            co2e_ttw_kg_per_t=float(graph.arc_co2e_ttw_kg_per_t[arcs].sum()),
            length_km=float(graph.arc_length_km[arcs].sum()),
            cost_estimate_share=float(money[costs.is_estimate[arcs]].sum()) / total_money if total_money > 0.0 else 0.0,
            time_estimate_share=float(spent[by_table].sum()) / time_h if time_h > 0.0 else 0.0,
            legs=tuple(self._legs(arcs, hours, variance, total_variance)),
            tariff_sources=self._tariff_sources(arcs),
        )

    def _legs(self, arcs: IntArray, hours: FloatArray, variance: FloatArray, total_variance: float) -> list[dict[str, Any]]:
        """Legs with money only; what time and spread are worth to the goods is the option's generalised cost, not the leg's price."""
        costs, graph = self.costs, self.graph
        nothing = np.zeros(arcs.shape[0])
        parts = np.stack([costs.tariff[arcs], costs.handling[arcs], nothing, nothing, nothing, costs.co2[arcs]], axis=1)
        is_estimate = costs.is_estimate[arcs]
        ttw = graph.arc_co2e_ttw_kg_per_t[arcs]
        spent = hours.sum(axis=1)
        found = []
        for leg, members in told(graph, self._words, arcs, parts, hours, variance):
            for name in _UNTOLD:
                del leg[name]
            own = float(variance[members].sum())
            found.append(
                {
                    **leg,
                    "from_name": self.names.get(leg["from"], leg["from"]),
                    "to_name": self.names.get(leg["to"], leg["to"]),
                    "time_h": float(spent[members].sum()),
                    "variance_h2": own,
                    "variance_share": own / total_variance if total_variance > 0.0 else 0.0,
                    "co2e_ttw_kg_per_t": float(ttw[members].sum()),
                    "is_cost_estimate": bool(is_estimate[members].any()),
                }
            )
        return found

    def _tariff_sources(self, arcs: IntArray) -> tuple[str, str] | None:
        rows = np.unique(self.costs.tariff_row[arcs])
        days = sorted({str(self._tariff_published[row]) for row in rows.tolist() if row >= 0 and self._tariff_published[row] is not None})
        return (days[0], days[-1]) if days else None
