"""Which arcs goods may use at all. Forbidden is absent, never dear."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.routing.centroids import units_of_form
from karvan.routing.graph import LINK, TERMINAL, StateGraph
from karvan.schema import ANY, LOADING_UNITS

BoolArray = npt.NDArray[np.bool_]


Rule = Mapping[str, Any]
"""A row of `permissions`, with its position under `row`."""


def rules_in_force(tables: Mapping[str, pl.DataFrame], date: datetime.date) -> tuple[Rule, ...]:
    """Permission rows that apply on a date: from the first day on, and until the day before the last."""
    rules = tables["permissions"].with_row_index("row")
    begun = pl.col("from_date").is_null() | (pl.col("from_date") <= date)
    running = pl.col("until_date").is_null() | (pl.col("until_date") > date)
    return tuple(rules.filter(pl.col("in_force") & begun & running).iter_rows(named=True))


def rules_for(rules: Sequence[Rule], origin_region: str, destination_region: str, commodity_group: str) -> tuple[Rule, ...]:
    """Rules that concern goods between two regions."""
    wanted = (("origin_region", origin_region), ("destination_region", destination_region), ("commodity_group", commodity_group))
    return tuple(rule for rule in rules if all(rule[column] in (value, ANY) for column, value in wanted))


def binding(rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], ...]:
    """Rules that bind a shipper, those of the same words and effect together: one rule may stand in several rows."""
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in sorted(rules, key=lambda item: str(item["permission_id"])):
        if rule["effect"] != "allow":
            groups.setdefault((rule["effect"], rule["rule"]), []).append(rule)
    return tuple(tuple(group) for group in groups.values())


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
    mask = form_mask(graph, form)
    for rule in rules_for(rules_in_force(tables, date), origin_region, destination_region, commodity_group):
        mask &= ~closed_arcs(graph, tables, rule)
    return mask


def form_mask(graph: StateGraph, form: str) -> BoolArray:
    """Arcs that goods of a form may use, shape (arcs,)."""
    in_form = np.isin(np.arange(len(LOADING_UNITS)), [LOADING_UNITS.index(unit) for unit in units_of_form(list(LOADING_UNITS), form)])
    return np.asarray(in_form[graph.arc_unit] & in_form[graph.arc_unit_after])


def closed_arcs(graph: StateGraph, tables: Mapping[str, pl.DataFrame], rule: Rule) -> BoolArray:
    """Arcs that a rule closes, shape (arcs,)."""
    closed = np.zeros(graph.arc_count, dtype=np.bool_)
    closed[list(graph.arcs_of_element.get((LINK, rule["link_id"]), ()))] = True
    closed[list(graph.arcs_of_element.get((TERMINAL, rule["terminal_id"]), ()))] = True
    if rule["country"] is not None:
        is_link = graph.arc_kind == LINK
        inside = tables["places"].filter(pl.col("country") == rule["country"])["place_id"].to_list()
        touching = (tables["links"]["from_place"].is_in(inside) | tables["links"]["to_place"].is_in(inside)).to_numpy()
        closed |= is_link & touching[np.where(is_link, graph.arc_element, 0)]
    if rule["loading_unit"] != ANY:
        code = LOADING_UNITS.index(rule["loading_unit"])
        closed &= (graph.arc_unit == code) | (graph.arc_unit_after == code)
    return closed
