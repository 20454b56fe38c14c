"""Which rows of a corridor a word names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from karvan.corridor import TABLES, columns_of, metadata_of, nearest
from karvan.validation.references import NAMED_IN, References

MEASURES, SCENARIOS = "measures", "scenarios"
_OTHER_NAMES = ("aliases", "unlocode", "name")
_NOT_GROUPED = ("provenance", "default_ranges")


@dataclass(frozen=True)
class Match:
    """Rows of one table that a word names.

    Attributes:
        table: The table; `measures` and `scenarios` count as tables.
        name: Key of the row, or first part of the keys of a group of rows.
        keys: Key of each row.
        column: The only column that is meant, or None.
    """

    table: str
    name: str
    keys: tuple[str, ...]
    column: str | None = None


def matches_of(known: References, name: str, tables: tuple[str, ...]) -> list[Match]:
    """Rows that a word names, one match a table: by key, by table.key or table.key.column, else by another name of theirs.

    A row whose key is that of a row of another table, and says more of it, is not meant beside that row.

    Args:
        known: What the corridor holds.
        name: The word.
        tables: Tables to look in.
    """
    found = [match for table in tables for match in _by_key(known, table, name)]
    if found:
        return _without_extensions(found)
    first, _, rest = name.partition(".")
    if rest and first in tables:
        found = _by_key(known, first, rest)
        key, _, column = rest.rpartition(".")
        if not found and first in TABLES and column in columns_of(first):
            found = [Match(match.table, match.name, match.keys, column) for match in _by_key(known, first, key)]
    return found or _without_extensions([match for table in tables for match in _by_other_name(known, table, name)])


def _without_extensions(found: list[Match]) -> list[Match]:
    """The matches less those in a table whose only key refers to a table that is matched too."""
    tables = {match.table for match in found}
    return [match for match in found if _extended(match.table) not in tables]


def _extended(table: str) -> str | None:
    """Table whose rows a table's own rows say more of, each under the same key; None if they stand for themselves."""
    keys = TABLES[table].primary_key() if table in TABLES else []
    refers_to = metadata_of(table, keys[0]).get("refers_to") if len(keys) == 1 else None
    return None if refers_to is None else str(refers_to).partition(".")[0]


def _by_key(known: References, table: str, name: str) -> list[Match]:
    if name in _keys(known, table):
        return [Match(table, name, (name,))]
    if table in (MEASURES, SCENARIOS):
        return []
    keys = TABLES[table].primary_key()
    if len(keys) < 2 or (table, keys[0]) in NAMED_IN or table in _NOT_GROUPED:
        return []
    group = tuple(key for key, row in known.rows[table].items() if str(row[keys[0]]) == name)
    return [Match(table, name, group)] if group else []


def _by_other_name(known: References, table: str, name: str) -> list[Match]:
    wanted = name.casefold()
    if table in (MEASURES, SCENARIOS):
        return _by_key(known, table, wanted)
    columns = [column for column in _OTHER_NAMES if column in columns_of(table)]
    return [
        Match(table, key, (key,))
        for key, row in known.rows[table].items()
        if key.casefold() == wanted
        or any(wanted == part.strip().casefold() for column in columns if row[column] is not None for part in row[column].split(";"))
    ]


def _keys(known: References, table: str) -> Mapping[str, Any]:
    return {MEASURES: known.measures, SCENARIOS: known.scenarios}.get(table) or known.rows.get(table, {})


def unknown_text(known: References, name: str, tables: tuple[str, ...]) -> str:
    """Why a word names nothing, and what may have been meant.

    Args:
        known, name, tables: As of `matches_of`.
    """
    first, _, rest = name.partition(".")
    if name in tables:
        example = next(iter(_keys(known, name)), "KEY")
        return f"{name} is a table, must be one of its rows, such as {name}.{example}"
    if rest and first in TABLES:
        key, _, column = rest.rpartition(".")
        if _by_key(known, first, key):
            return f"table {first} has no column {column}{nearest(column, columns_of(first))}"
        return f"table {first} has no row {rest}{nearest(rest, known.rows[first])}"
    names = {key for table in tables for key in _keys(known, table)}
    names.update(
        part.strip()
        for table in tables
        if table in TABLES
        for column in _OTHER_NAMES
        if column in columns_of(table)
        for row in known.rows[table].values()
        if row[column] is not None
        for part in row[column].split(";")
    )
    where = f"of table {tables[0]}" if len(tables) == 1 else "of any table, measure or scenario"
    return f"{name} is not a name {where}{nearest(name, names)}"
