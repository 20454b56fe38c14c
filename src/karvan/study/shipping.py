"""Ways through the network told as options: legs, hours by cause, distribution of time, what rests on estimates."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
from karvan.routing.limits import Cargo, ShipLoad, ship_loads
from karvan.routing.options import Criteria, sailing_waits_h
from karvan.routing.reliability import TransitTime
from karvan.study.quoting import Quoter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_MONEY = ("tariff", "handling", "co2")
_UNTOLD = tuple(f"{name}_usd_per_t" for name in COMPONENTS if name not in _MONEY)
_WAITING = HOURS.index("waiting")


@dataclass(frozen=True)
class Telling:
    """What is told of ways.

    Attributes:
        criteria: What time and spread are worth to the shipment.
        cargo: The shipment.
        hours_left: Hours from departure to the deadline, if there is one.
        has_legs: Tell them leg by leg, with the money of each.
    """

    criteria: Criteria
    cargo: Cargo
    hours_left: float | None
    has_legs: bool


class Teller:
    """Tells ways of some goods on a day as options."""

    def __init__(
        self,
        graph: StateGraph,
        tables: Mapping[str, pl.DataFrame],
        goods: tuple[ArcCosts, Criteria],
        families: Families,
        commodity_group: str,
        date: datetime.date,
        *,
        is_quoted: BoolArray,
        scarcity: FloatArray,
    ) -> None:
        self._is_quoted, self._scarcity, self._date = is_quoted, scarcity, date
        self.graph, self.tables, self.families, self.commodity_group = graph, tables, families, commodity_group
        self.costs, self.criteria = goods
        self.names = dict(tables["places"].select("place_id", "name").iter_rows())
        published = dict(tables["sources"].select("source_id", "published").iter_rows())
        days = [published.get(source) for source in tables["tariffs"]["source"]]
        self._tariff_published = [None if day is None else str(day) for day in days]
        self._words = leg_words(tables)
        self._by_table = element_is_estimate(graph, tables)
        costs, criteria = goods
        money, times = criteria.arc_values[:, 0], criteria.timetable
        self._numbers = np.column_stack([  # of every arc, so that a way's are one sum
            times.hours, times.variance_h2, money, np.where(costs.is_estimate, money, 0.0),
            np.where(self._by_table, times.hours.sum(axis=1), 0.0),
            graph.arc_co2e_wtw_kg_per_t, graph.arc_co2e_ttw_kg_per_t, graph.arc_length_km,
        ])  # fmt: skip

    def option(self, arcs: IntArray, values: FloatArray, labels: tuple[str, ...], telling: Telling) -> ShippingOption:
        """A way as an option.

        Args:
            arcs: Its arcs in travel order.
            values: Its criteria, shape (4,).
            labels: Why it is told.
            telling: What is told of it.
        """
        graph, criteria, hours_left, cargo = self.graph, telling.criteria, telling.hours_left, telling.cargo
        waits = sailing_waits_h(criteria, arcs)
        numbers = self._numbers[arcs].sum(axis=0).tolist()
        hours = dict(zip(HOURS, numbers, strict=False))
        hours["waiting"] += float(waits.sum())
        variance, money, estimated, estimated_h, wtw, ttw, length = numbers[len(HOURS) :]
        time_h = sum(hours.values())
        transit = TransitTime(max(time_h, 1e-9), variance)
        family_id = classify(self.families, graph.arc_element[arcs[graph.arc_kind[arcs] == LINK]], self.commodity_group)
        legs = self._legs(arcs, waits, variance, cargo) if telling.has_legs else ()
        late_h = None if hours_left is None else transit.excess_h(hours_left)
        return ShippingOption(
            labels=labels,
            permission="allowed",
            rules=(),
            family_id=family_id,
            cost_usd_per_t=money,
            generalised_cost_usd_per_t=float(criteria.worth_usd_per_t(values.reshape(1, -1))[0]),
            hours=hours,
            time_h=time_h,
            variance_h2=variance,
            time_p50_d=transit.quantile_h(0.5) / HOURS_PER_DAY,
            time_p80_d=transit.quantile_h(0.8) / HOURS_PER_DAY,
            time_p95_d=transit.quantile_h(0.95) / HOURS_PER_DAY,
            on_time_share=None if hours_left is None else transit.on_time_share(hours_left),
            co2e_kg_per_t=wtw,
            co2e_ttw_kg_per_t=ttw,
            length_km=length,
            cost_estimate_share=estimated / money if money > 0.0 else 0.0,
            time_estimate_share=(estimated_h + float(waits[self._by_table[arcs]].sum())) / time_h if time_h > 0.0 else 0.0,
            late_h=late_h,
            lateness_usd_per_t=None if late_h is None else late_h * criteria.vot_usd_per_t_h,
            legs=legs,
            quote=self._quoter.quote(legs, family_id=family_id, value_usd_per_t=cargo.value_usd_per_t) if legs else None,
            way=self._way(arcs),
            tariff_sources=self._tariff_sources(arcs),
        )

    @cached_property
    def _quoter(self) -> Quoter:
        return Quoter(self.tables, self.commodity_group, self._date)

    @cached_property
    def _ships(self) -> Mapping[str, tuple[ShipLoad, ...]]:
        return ship_loads(self.tables, self._date)

    def _way(self, arcs: IntArray) -> str:
        """A way in one line: places where it changes, and the modes between them."""
        graph, words = self.graph, self._words
        on_link = arcs[graph.arc_kind[arcs] == LINK]
        modes = [words.modes[element] for element in graph.arc_element[on_link].tolist()]
        places = graph.node_place[graph.arc_head[on_link]].tolist()
        found = [graph.id_of_node(int(graph.arc_head[arcs[0]]))]
        for step, (mode, place) in enumerate(zip(modes, places, strict=True), start=1):
            if step == len(modes) or modes[step] != mode:
                found += [f"({mode})", graph.place_ids[place]]
        return " ".join(found)

    def _legs(self, arcs: IntArray, waits: FloatArray, total_variance: float, cargo: Cargo) -> tuple[dict[str, Any], ...]:
        """Legs with money only; what time and spread are worth to the goods is the option's generalised cost, not the leg's price."""
        costs, graph, times = self.costs, self.graph, self.criteria.timetable
        hours = times.hours[arcs]
        hours[:, _WAITING] += waits
        variance = times.variance_h2[arcs]
        nothing = np.zeros(arcs.shape[0])
        parts = np.stack([costs.tariff[arcs], costs.handling[arcs], nothing, nothing, nothing, costs.co2[arcs]], axis=1)
        is_estimate = costs.is_estimate[arcs]
        scarce, quoted = self._scarcity[arcs], self._is_quoted[arcs]
        factors = self._factors
        ttw = graph.arc_co2e_ttw_kg_per_t[arcs]
        spent = hours.sum(axis=1)
        found = []
        for leg, members in told(graph, self._words, arcs, parts, hours, variance):
            for name in _UNTOLD:
                del leg[name]
            own, scarcity = float(variance[members].sum()), float(scarce[members].sum())
            leg["cost_usd_per_t"] += scarcity
            ships = [ship for link in leg["links"] for ship in self._ships.get(link, ())]
            factor = factors.get((leg["mode"], leg["loading_unit"]))
            found.append(
                {
                    **leg,
                    "scarcity_usd_per_t": scarcity,
                    "quoted_usd_per_t": float(parts[members][quoted[members]].sum()),
                    "is_quoted": bool(quoted[members].any()),
                    "co2e_source": None if factor is None else factor[0],
                    "co2e_confidence": None if factor is None else factor[1],
                    "ships": [ship_told(ship, cargo.tonnes) for ship in ships],
                    "from_name": self.names.get(leg["from"], leg["from"]),
                    "to_name": self.names.get(leg["to"], leg["to"]),
                    "time_h": float(spent[members].sum()),
                    "variance_h2": own,
                    "variance_share": own / total_variance if total_variance > 0.0 else 0.0,
                    "co2e_ttw_kg_per_t": float(ttw[members].sum()),
                    "is_cost_estimate": bool(is_estimate[members].any()),
                }
            )
        return tuple(found)

    @cached_property
    def _factors(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        """Source and confidence of the emission factors by mode and loading unit."""
        rows = self.tables["modes"].select(
            pl.col("mode", "loading_unit").cast(pl.String), "source", pl.col("confidence").cast(pl.String)
        )  # fmt: skip
        return {(mode, unit): (source, confidence) for mode, unit, source, confidence in rows.iter_rows()}

    def _tariff_sources(self, arcs: IntArray) -> tuple[str, str] | None:
        rows = set(self.costs.tariff_row[arcs].tolist())
        days = [day for row in rows if row >= 0 and (day := self._tariff_published[row]) is not None]
        return (min(days), max(days)) if days else None


def ship_told(ship: ShipLoad, tonnes: float | None) -> dict[str, Any]:
    """What a ship may load, and how many sailings some tonnes take; None where it may load nothing."""
    sailings = None if tonnes is None or ship.load_t <= 0.0 else math.ceil(tonnes / ship.load_t)
    return {
        "ship_id": ship.ship_id, "name": ship.name, "load": ship.load, "unit": ship.unit, "load_t": ship.load_t,
        "full_load_t": ship.full_load_t, "depth_m": ship.depth_m, "needed_depth_m": ship.needed_depth_m, "sailings_needed": sailings,
    }  # fmt: skip
