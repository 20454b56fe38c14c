"""What a declared table is."""

from __future__ import annotations

import re

import dataframely as dy
import pytest

from karvan.corridor import TABLES
from karvan.schema import ID, UNIT_SUFFIXES, Table, choice, claim, day, number, text, text_id, whole

NUMBERS = [
    (table, name, column)
    for table, declared in TABLES.items()
    for name, column in declared.columns().items()
    if isinstance(column, dy.Float64)
]


@pytest.mark.parametrize("word", ["aktau", "r_a__b", "x1"])
def test_id_pattern_takes_snake_case(word: str) -> None:
    assert re.fullmatch(ID, word)


@pytest.mark.parametrize("word", ["Aktau", "1x", "a-b", "a b", "", "é"])
def test_id_pattern_refuses_all_else(word: str) -> None:
    assert not re.fullmatch(ID, word)


@pytest.mark.parametrize(("table", "name", "column"), NUMBERS, ids=[f"{table}.{name}" for table, name, _ in NUMBERS])
def test_every_number_says_its_unit(table: str, name: str, column: dy.Float64) -> None:
    assert name.endswith(UNIT_SUFFIXES) or (column.metadata or {}).get("unit"), f"{table}.{name}"


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_documented(table: str) -> None:
    assert [name for name, column in TABLES[table].columns().items() if not (column.metadata or {}).get("doc")] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_row_says_where_it_comes_from(table: str) -> None:
    assert table == "sources" or {"source", "confidence"} <= set(TABLES[table].column_names())


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_a_key_and_a_docstring(table: str) -> None:
    assert TABLES[table].primary_key()
    assert TABLES[table].__doc__


@pytest.mark.parametrize("table", TABLES)
def test_references_lead_to_declared_columns(table: str) -> None:
    for column in TABLES[table].columns().values():
        metadata = column.metadata or {}
        for target in (metadata.get("refers_to"), metadata.get("list_of")):
            for reference in (word for word in (target or "").split(" or ") if "." in word):
                other, _, other_column = reference.partition(".")
                assert other_column in TABLES[other].columns()


@pytest.mark.parametrize("table", TABLES)
def test_prorated_columns_are_numbers_and_switches_are_claims(table: str) -> None:
    switches = [column for column in TABLES[table].columns().values() if (column.metadata or {}).get("switch")]
    assert len(switches) <= 1
    assert all(isinstance(column, dy.Bool) for column in switches)
    assert all(isinstance(column, dy.Float64) for column in TABLES[table].columns().values() if (column.metadata or {}).get("prorate"))


def test_constructors_carry_their_metadata() -> None:
    class Ferries(Table):
        ferry_id = text_id("The ferry.", primary_key=True)
        place_id = text_id("Where.", refers_to="places.place_id", nullable=True)
        links = text("Links.", list_of="links.link_id")
        state = choice("State.", ("new", "old"), default="new")
        deck_m = number("Deck.", least=1.0, most=9.0, prorate=True, absent=0.0, default=2.0)
        built_year = whole("Year.", least=1900)
        until_date = day("End.", nullable=True)
        is_open = claim("Open.", switch=True)

    columns = Ferries.columns()
    assert Ferries.primary_key() == ["ferry_id"]
    assert columns["place_id"].metadata == {"doc": "Where.", "refers_to": "places.place_id"}
    assert columns["links"].metadata == {"doc": "Links.", "list_of": "links.link_id"}
    assert columns["state"].metadata == {"doc": "State.", "default": "new"}
    assert columns["deck_m"].metadata == {"doc": "Deck.", "prorate": True, "absent": 0.0, "default": 2.0}
    assert columns["is_open"].metadata == {"doc": "Open.", "switch": True}
    assert not columns["deck_m"].nullable
