"""What drawn values are called: by the case's own names, which its translations know."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from karvan.ensembles.factors import Factor

_ANY = "any"
_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "facilities": (("facility_id", "facilities"),),
    "delay_curves": (("facility_id", "facilities"),),
    "terminals": (("place_id", "places"),),
    "links": (("from_place", "places"), ("to_place", "places")),
    "tariffs": (("operator_id", "operators"), ("commodity_group", "commodities")),
    "region_places": (("region_id", "regions"), ("place_id", "places"), ("commodity_group", "commodities")),
    "commodities": (("commodity_group", "commodities"),),
    "demand": (("origin_region", "regions"), ("destination_region", "regions"), ("commodity_group", "commodities")),
}
"""Columns of a table that say what its rows are of, and where the name of what stands there is."""
_KEYS = {
    "facilities": "facility_id",
    "places": "place_id",
    "operators": "operator_id",
    "commodities": "commodity_group",
    "regions": "region_id",
}


def names_of(item: Factor, tables: Mapping[str, pl.DataFrame], keys: Mapping[str, int]) -> list[str]:
    """Names of what a value is of, in the case's own words; none of a whole column.

    Args:
        item: The value.
        tables: The corridor's tables.
        keys: Row of each primary key of its table.
    """
    if item.row is None or item.row not in keys:
        return []
    row, found = tables[item.table].row(keys[item.row], named=True), list[str]()
    for column, table in _NAMED.get(item.table, ()):
        if row[column] is None or row[column] == _ANY:
            continue
        named = tables[table].filter(pl.col(_KEYS[table]) == row[column])["name"]
        found.append(str(named[0]) if named.len() else str(row[column]))
    return found
