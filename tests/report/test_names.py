"""Texts of the case in other languages: the table, and what of it a document brings along."""

from __future__ import annotations

import re

import polars as pl
import pytest

from karvan.corridor import load_corridor
from karvan.report.names import names_in
from karvan.schema import LANGUAGES
from karvan.validation import inputs, references_of
from karvan.web.case import case_document

NAMED = {
    "places": ("name",), "regions": ("name",), "commodities": ("name", "aliases"), "facilities": ("name", "note"), "operators": ("name",),
    "route_families": ("name",), "journeys": ("name",), "commitments": ("title", "short", "status"), "permissions": ("rule",),
    "limits": ("rule",), "crossings": ("name",), "ships": ("name",), "berths": ("name",), "passages": ("name",),
    "systems": ("name",),
}  # fmt: skip
"""Columns that the screen tells, all of which have a Russian text in the packaged case."""


@pytest.fixture(scope="module")
def corridor():
    return load_corridor("middle-corridor")


@pytest.fixture(scope="module")
def case(corridor):
    return case_document(corridor, references_of(corridor), inputs(corridor))


@pytest.mark.parametrize("table", NAMED)
def test_every_name_that_the_screen_tells_has_a_russian_form(corridor, table):
    russian = corridor.names["ru"]
    texts = {text for column in NAMED[table] for text in corridor.tables[table][column].drop_nulls()}
    assert sorted(texts - set(russian)) == []


def test_measures_and_scenarios_are_told_in_russian(corridor, case):
    russian = corridor.names["ru"]
    told = {text for row in case["measures"] for text in (row["title"], row["doc"]) if text} | {row["title"] for row in case["scenarios"]}
    told |= {part["text"] for row in case["measures"] for change in row["changes"] for part in change["parts"] if "text" in part}
    told |= {each["name"] for row in case["measures"] for each in row["sponsors"]}
    told |= {text for row in case["assumptions"] for text in (row["name"], row["note"]) if text}
    parts = {part for text in told for part in text.split(" – ") if re.search("[A-Za-z]{3}", part)}
    assert sorted(parts - set(russian)) == []


def test_a_translation_is_of_a_text_and_in_its_own_letters(corridor):
    rows = corridor.tables["translations"]
    assert set(rows["language"].cast(pl.String)) <= set(LANGUAGES[1:])
    russian = rows.filter(pl.col("language") == "ru")
    same = set(russian.filter(~pl.col("translation").str.contains("[А-Яа-яё]"))["english"])
    assert same <= {"APM Terminals Poti", "KTZE-Khorgos Gateway", "Semurg Invest", "PTC Poti Trans Terminal"}
    mixed = [text for text in russian["translation"] if re.search("[а-яё][a-z]|[a-z][а-яё]", text)]
    assert mixed == []  # no Latin letter that looks like a Cyrillic one


def test_translations_do_not_make_another_case(corridor):
    assert "translations" in corridor.tables
    bare = type(corridor)(
        corridor.manifest,
        {**corridor.tables, "translations": corridor.tables["translations"].clear()},
        corridor.measures_text,
        corridor.scenarios_text,
        corridor.defaults_filled,
    )
    assert bare.hash == corridor.hash
    assert dict(bare.names) == {}


def test_a_document_brings_along_what_stands_in_it_and_no_more(corridor, two_ports):
    document = {"links": [{"name": "Baku – Tbilisi (sorting)", "kt": [1.0, 2.0]}], "place": "Kars", "id": "kars"}
    assert names_in(document, corridor) == {"ru": {"Baku": "Баку", "Tbilisi (sorting)": "Тбилиси (сортировочная)", "Kars": "Карс"}}
    assert names_in(document, two_ports) == {}
