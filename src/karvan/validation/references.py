"""What names what in a corridor: rows that refer to a row, measures that change it, scenarios that hold those measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.corridor import TABLES, Corridor, Ranges, columns_of, key_texts, metadata_of, read_ranges, typed_rows
from karvan.errors import MeasureError, Problem
from karvan.measures import Change, Measure, Scenario, load_scenario, measures_of, scenario_ids
from karvan.measures.changes import matching

_ELEMENTS = (
    "cordons.cordon_id", "facilities.facility_id", "links.link_id", "route_families.family_id", "journeys.journey_id",
    "power_zones.zone_id", "power_plants.plant_id", "power_stores.store_id",
)  # fmt: skip
_NODES = ("places.place_id", "regions.region_id")
_NAMED_BY_WORD = {
    ("observations", "element_id"): _ELEMENTS,
    ("commitments", "element_id"): _ELEMENTS,
    ("base_costs", "origin_node"): _NODES,
    ("base_costs", "destination_node"): _NODES,
    ("commitments", "measures"): ("measures.id",),
    ("observations", "scenario"): ("scenarios.id",),
    ("links", "mode"): ("modes.mode",),
    ("fleet", "mode"): ("modes.mode",),
}
"""Columns whose declaration says in words only what they may name."""


@dataclass(frozen=True)
class References:
    """A corridor turned round: from what is named to what names it.

    Attributes:
        corridor: The corridor.
        rows: Rows of every table by key, those that only a measure adds included.
        added_by: Measures that add a row, by table and key, for rows that the tables lack.
        naming: Keys of the rows that name a value, by the naming table and column, then by value.
        measures: Measures by id.
        scenarios: Scenarios by id.
        touching: Measures and their changes that act on a row, by table and key.
        ranges: Ranges of single values.
        defaults_filled: Table, row and column of each value that was left empty and took its declared default.
    """

    corridor: Corridor
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    added_by: Mapping[tuple[str, str], tuple[str, ...]]
    naming: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]
    measures: Mapping[str, Measure]
    scenarios: Mapping[str, Scenario]
    touching: Mapping[tuple[str, str], tuple[tuple[Measure, Change], ...]]
    ranges: Ranges
    defaults_filled: frozenset[tuple[str, str, str]]


def references_of(corridor: Corridor) -> References:
    """Read off every reference of a corridor once.

    Raises:
        MeasureError: A measure or scenario is wrong.
    """
    measures = measures_of(corridor)
    tables, added_by = _with_added(corridor, measures)
    keys = {name: key_texts(name, frame) for name, frame in tables.items()}
    return References(
        corridor=corridor,
        rows={name: dict(zip(keys[name], frame.iter_rows(named=True), strict=True)) for name, frame in tables.items()},
        added_by=added_by,
        naming={(table, column): _naming(tables[table], keys[table], column) for table, column in NAMED_IN},
        measures=measures,
        scenarios={name: load_scenario(name, corridor) for name in scenario_ids(corridor)},
        touching=_touching(tables, keys, measures),
        ranges=read_ranges(corridor.tables),
        defaults_filled=frozenset(corridor.defaults_filled.select("table", "row", "column").iter_rows()),
    )


def _targets() -> dict[tuple[str, str], tuple[str, ...]]:
    found = dict(_NAMED_BY_WORD)
    for table in TABLES:
        for column in columns_of(table):
            metadata = metadata_of(table, column)
            words = (metadata.get("refers_to") or metadata.get("list_of") or "").split(" or ")
            targets = tuple(word for word in words if "." in word)
            if targets:
                found[table, column] = targets
    return found


NAMED_IN = _targets()
"""Columns that name rows of other tables, and what they may name: "table.column"."""


def _with_added(
    corridor: Corridor, measures: Mapping[str, Measure]
) -> tuple[dict[str, pl.DataFrame], dict[tuple[str, str], tuple[str, ...]]]:
    """Tables with the rows that measures add, and by which measures each was added."""
    tables = dict(corridor.tables)
    added_by: dict[tuple[str, str], tuple[str, ...]] = {}
    for measure in measures.values():
        for change in measure.changes:
            if change.add is None or change.table not in tables:
                continue
            frame, problems = typed_rows(change.table, [dict(row) for row in change.add])
            known = set(key_texts(change.table, tables[change.table]))
            keys = [] if problems else key_texts(change.table, frame)
            for key in keys:
                if key not in known or (change.table, key) in added_by:
                    added_by[change.table, key] = (*added_by.get((change.table, key), ()), measure.id)
            if keys:
                is_new = pl.Series([key not in known for key in keys])
                tables[change.table] = pl.concat([tables[change.table], frame.filter(is_new)], how="vertical")
    return tables, added_by


def _naming(frame: pl.DataFrame, keys: list[str], column: str) -> dict[str, tuple[str, ...]]:
    """Keys of the rows that name each value; no id holds a ';', so a cell with one is a list."""
    found: dict[str, list[str]] = {}
    for key, cell in zip(keys, frame[column].to_list(), strict=True):
        if cell is not None:
            for part in cell.split(";"):
                found.setdefault(part.strip(), []).append(key)
    return {value: tuple(names) for value, names in found.items()}


def _touching(
    tables: Mapping[str, pl.DataFrame], keys: Mapping[str, list[str]], measures: Mapping[str, Measure]
) -> dict[tuple[str, str], tuple[tuple[Measure, Change], ...]]:
    by_table: dict[str, list[tuple[Measure, Change]]] = {}
    for measure in measures.values():
        for change in measure.changes:
            by_table.setdefault(change.table, []).append((measure, change))
    found: dict[tuple[str, str], tuple[tuple[Measure, Change], ...]] = {}
    for table, pairs in by_table.items():
        for pair, named in zip(pairs, _named_rows(table, tables, keys, [change for _, change in pairs]), strict=True):
            for key in named:
                found[table, key] = (*found.get((table, key), ()), pair)
    return found


def _named_rows(
    table: str, tables: Mapping[str, pl.DataFrame], keys: Mapping[str, list[str]], changes: list[Change]
) -> Iterator[list[str]]:
    """Keys of the rows that each change of a table acts on."""
    frame = tables.get(table)
    if frame is None:
        raise MeasureError(Problem("measures", None, "table", f"there is no table {table}; `karvan check` names the measure"))
    try:
        masks = frame.select(matching(frame, change).alias(str(number)) for number, change in enumerate(changes) if change.add is None)
    except pl.exceptions.PolarsError as error:
        message = f"a change of {table} does not fit its columns; `karvan check` names the measure"
        raise MeasureError(Problem("measures", None, "where", message)) from error
    for number, change in enumerate(changes):
        if change.add is None:
            yield [keys[table][row] for row in masks[str(number)].arg_true()]
        else:
            added, problems = typed_rows(table, [dict(row) for row in change.add])
            yield [] if problems else key_texts(table, added)
