"""The texts of a document in other languages, as the corridor's table of translations has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from karvan.corridor import Corridor

BETWEEN = " – "
"""Stands between two names that make the name of a link."""


_NAMED = (
    ("operators", "operator_id"), ("administrations", "administration_id"), ("regions", "region_id"), ("places", "place_id"),
    ("commodities", "commodity_group"), ("facilities", "facility_id"),
)  # fmt: skip


def titles(corridor: Corridor) -> dict[str, str]:
    """What operators, administrations, regions, places, goods and facilities are called, by id."""
    return {
        name: title
        for table, key in _NAMED
        for name, title in corridor.tables[table].select(key, "administration" if table == "administrations" else "name").iter_rows()
    }


def names_in(document: Mapping[str, Any], corridor: Corridor) -> dict[str, dict[str, str]]:
    """Translations of the texts that stand in a document.

    Args:
        document: What is to be told, texts anywhere in it.
        corridor: Where its texts come from.

    Returns:
        Translations by language and English text; a language without any is left out.
    """
    texts = _texts(document)
    found = {language: {english: told for english, told in names.items() if english in texts} for language, names in corridor.names.items()}
    return {language: names for language, names in found.items() if names}


def _texts(item: Any) -> set[str]:
    if isinstance(item, str):
        return {item, *item.split(BETWEEN)}
    if isinstance(item, Mapping):
        return set().union(*(_texts(part) for part in item.values()))
    if isinstance(item, list | tuple) and item and not isinstance(item[0], int | float):
        return set().union(*(_texts(part) for part in item))
    return set()
