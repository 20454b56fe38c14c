"""What an appraisal counts of a year beside the market's own welfare, by route, so that a search counts the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import Assembly
from karvan.routing.graph import LINK
from karvan.study.route_memory import RoutedSnapshot

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beside:
    """Profit in charges, border charges, accidents, air pollution, noise and carbon dioxide, as `karvan.study.accounts` has them.

    Attributes:
        values: `appraisal_values` by id.
        external: Table `external_costs`.
        co2_usd_per_t: Price of a tonne of CO2e in the year.
    """

    values: Mapping[str, float]
    external: pl.DataFrame
    co2_usd_per_t: float

    def of_routes(self, routed: RoutedSnapshot, is_border: BoolArray, assembly: Assembly) -> FloatArray:
        """What a tonne on each route of a program adds to the accounts; of empties, a loading unit. USD, shape (routes,).

        Args:
            routed: The routes, at their charges.
            is_border: Arcs that are border posts, shape (arcs,).
            assembly: The program.
        """
        graph, tables, sets = routed.graph, routed.snapshot.tables, routed.sets
        margin = 1.0 - self.values["resource_cost_share"]
        by_mode = dict(self.external.group_by(pl.col("mode").cast(pl.String)).agg(pl.col("usd_per_tkm").sum()).iter_rows())
        usd_per_tkm = np.array([by_mode.get(mode, 0.0) for mode in tables["links"]["mode"].cast(pl.String)])
        is_link = graph.arc_kind == LINK
        borne = np.where(is_link, graph.arc_length_km * usd_per_tkm[np.where(is_link, graph.arc_element, 0)], 0.0)
        borne += self.co2_usd_per_t * graph.arc_co2e_wtw_kg_per_t / 1e3
        paid = np.where((routed.rates.operator >= 0) | is_border, routed.rates.rate_usd_per_t, 0.0)
        on_arc = margin * paid - borne
        goods = np.repeat(routed.space.commodity[sets.route_market], np.diff(sets.route_first_arc))
        of_set = np.add.reduceat(on_arc[goods, sets.route_arc], sets.route_first_arc[:-1])
        of = assembly.route_of
        found: FloatArray = np.where(of >= 0, of_set[of], 0.0)
        charge = tables["returns"]["empty_usd_per_unit"].to_numpy()
        if charge.shape[0]:  # along, against, staying
            found[-3 * charge.shape[0] :] = (margin * charge[:, None] * np.array([1.0, 1.0, 0.0])).ravel()
        return found
