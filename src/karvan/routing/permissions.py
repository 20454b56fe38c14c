"""Which arcs goods may use at all. Forbidden is absent, never dear."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.centroids import units_of_form
from karvan.routing.graph import LINK, TERMINAL, StateGraph
from karvan.schema import ANY, LOADING_UNITS

BoolArray = npt.NDArray[np.bool_]


def rules_in_force(tables: Mapping[str, pl.DataFrame], date: datetime.date) -> pl.DataFrame:
    """Permission rows that apply on a date: from the first day on, and until the day before the last."""
    rules = tables["permissions"].with_row_index("row")
    begun = pl.col("from_date").is_null() | (pl.col("from_date") <= date)
    running = pl.col("until_date").is_null() | (pl.col("until_date") > date)
    return rules.filter(pl.col("in_force") & begun & running)


def rules_for(rules: pl.DataFrame, origin_region: str, destination_region: str, commodity_group: str) -> pl.DataFrame:
    """Rows that concern goods between two regions."""
    return rules.filter(
        pl.col("origin_region").is_in([origin_region, ANY])
        & pl.col("destination_region").is_in([destination_region, ANY])
        & pl.col("commodity_group").is_in([commodity_group, ANY])
    )


def arc_mask(
    graph: StateGraph,
    tables: Mapping[str, pl.DataFrame],
    origin_region: str,
    destination_region: str,
    commodity_group: str,
    form: str,
    date: datetime.date,
) -> BoolArray:
    """Arcs that goods of one market may use on a date, shape (arcs,).

    Boxed goods stay in containers, loose goods outside them. A rule closes its link, its terminal, and every link with an
    end in its country, for its loading unit.
    """
    rules = rules_for(rules_in_force(tables, date), origin_region, destination_region, commodity_group)
    return mask_of_rules(graph, tables, rules, form)


def mask_of_rules(graph: StateGraph, tables: Mapping[str, pl.DataFrame], rules: pl.DataFrame, form: str) -> BoolArray:
    """Arcs left open by the form and by some permission rows, shape (arcs,)."""
    in_form = np.isin(np.arange(len(LOADING_UNITS)), [LOADING_UNITS.index(unit) for unit in units_of_form(list(LOADING_UNITS), form)])
    mask = in_form[graph.arc_unit] & in_form[graph.arc_unit_after]
    is_link, is_terminal = graph.arc_kind == LINK, graph.arc_kind == TERMINAL
    link_rows = {name: row for row, name in enumerate(tables["links"]["link_id"])}
    terminal_rows = {name: row for row, name in enumerate(tables["terminals"]["terminal_id"])}
    for rule in rules.iter_rows(named=True):
        closed = np.zeros(graph.arc_count, dtype=np.bool_)
        if rule["link_id"] is not None:
            closed |= is_link & (graph.arc_element == link_rows[rule["link_id"]])
        if rule["terminal_id"] is not None:
            closed |= is_terminal & (graph.arc_element == terminal_rows[rule["terminal_id"]])
        if rule["country"] is not None:
            inside = tables["places"].filter(pl.col("country") == rule["country"])["place_id"].to_list()
            touching = (tables["links"]["from_place"].is_in(inside) | tables["links"]["to_place"].is_in(inside)).to_numpy()
            closed |= is_link & touching[np.where(is_link, graph.arc_element, 0)]
        if rule["loading_unit"] != ANY:
            code = LOADING_UNITS.index(rule["loading_unit"])
            closed &= (graph.arc_unit == code) | (graph.arc_unit_after == code)
        mask &= ~closed
    return mask
