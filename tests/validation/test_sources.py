"""Which numbers rest on which source."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from karvan.corridor import Corridor, load_corridor
from karvan.errors import DataError
from karvan.report.provenance import sources_lines
from karvan.validation import sources


@pytest.fixture
def with_second_source(two_ports: Corridor) -> Corridor:
    """The two ports with the ferry's capacity seen in a yearbook, and a book that nobody used."""
    added = pl.DataFrame(
        {"source_id": ["yearbook", "spare_book"], "title": ["Yearbook", "Spare"], "url": ["https://example.org", None], "published": None},
        schema=two_ports.tables["sources"].schema,
    )
    provenance = two_ports.tables["provenance"]
    is_ferry = pl.col("row") == "ferry"
    seen = provenance.with_columns(
        source=pl.when(is_ferry).then(pl.lit("yearbook")).otherwise("source"),
        confidence=pl.when(is_ferry)
        .then(pl.lit("sourced"))
        .otherwise(pl.col("confidence").cast(pl.String))
        .cast(provenance.schema["confidence"]),
    )
    tables = {**two_ports.tables, "sources": pl.concat([two_ports.tables["sources"], added]), "provenance": seen}
    return replace(two_ports, tables=tables)


def test_sources_are_counted_most_used_first(with_second_source: Corridor) -> None:
    found = sources(with_second_source)
    assert [entry["source_id"] for entry in found["sources"]] == ["teaching", "yearbook", "spare_book"]
    assert found["unused"] == ["spare_book"]
    teaching, yearbook, _ = found["sources"]
    assert (yearbook["rows"], yearbook["values"], yearbook["by_table"]) == (0, 1, {})
    assert teaching["by_table"]["links"] == 3
    assert teaching["by_table"]["measures"] == 3
    assert teaching["rows"] == found["rows"]["count"] + 3


def test_rows_are_counted_by_confidence_and_table(two_ports: Corridor) -> None:
    rows = sources(two_ports)["rows"]
    assert rows["by_table"]["links"] == {"count": 3, "sourced": 0, "recalled": 0, "estimate": 3}
    assert rows["count"] == rows["estimate"] == sum(counts["count"] for counts in rows["by_table"].values())


def test_the_confidence_of_a_single_value_goes_before_that_of_its_row(two_ports: Corridor, with_second_source: Corridor) -> None:
    assert sources(two_ports)["numbers"]["estimate_share"] == 1.0
    numbers = sources(with_second_source)["numbers"]
    assert numbers["sourced_share"] == 1 / numbers["count"]
    assert numbers["sourced_share"] + numbers["recalled_share"] + numbers["estimate_share"] == pytest.approx(1.0, abs=1e-12)  # rounding


def test_all_that_rests_on_one_source(with_second_source: Corridor) -> None:
    found = sources(with_second_source, "yearbook")
    (value,) = found["values"]
    assert (value["table"], value["row"], value["column"], value["value"], value["unit"]) == (
        "facilities",
        "ferry",
        "nominal",
        6000.0,
        "kt",
    )
    assert (found["rows"], found["measures"]) == ([], [])
    teaching = sources(with_second_source, "teaching")
    assert {"table": "facilities", "row": "ferry", "name": "The ferry", "confidence": "estimate"} in teaching["rows"]
    assert {item["measure_id"] for item in teaching["measures"]} == {"bigger_ferry", "joint_timetable", "pass_closed"}


def test_an_unknown_source_gets_the_nearest(two_ports: Corridor) -> None:
    with pytest.raises(DataError, match="there is no source teachin; did you mean teaching"):
        sources(two_ports, "teachin")


def test_lines_fit_a_screen_and_all_tells_the_rest() -> None:
    found = sources(load_corridor("middle-corridor"))
    lines = sources_lines(found)
    assert len(lines) <= 40
    assert max(len(line) for line in lines) <= 100
    whole = "\n".join(sources_lines(found, is_whole=True))
    assert [entry["source_id"] for entry in found["sources"] if entry["source_id"] not in whole] == []


def test_lines_of_one_source(with_second_source: Corridor) -> None:
    text = "\n".join(sources_lines(sources(with_second_source, "yearbook")))
    assert "https://example.org" in text
    assert "What rests on it: 0 rows, 1 single value, 0 measures." in text
    assert "facilities.ferry.nominal  6,000 (5,500 .. 6,500) kt (sourced)" in text
    assert "Nothing in the case rests on it." in "\n".join(sources_lines(sources(with_second_source, "spare_book")))
    assert len(sources_lines(sources(with_second_source, "teaching"))) <= 40
