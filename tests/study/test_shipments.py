"""Shipments that a case names, answered in the state of a run."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from karvan.report.page import document_in, is_bundled
from karvan.study import ScenarioOptions, ShippingDesk
from karvan.study.report import screen_of_run
from karvan.study.shipments import with_shipments

SIX_DIGITS = 1e-5
DOCUMENT = {"run": {"scenario": "agreed"}, "focus_year": 2026}


def test_ends_and_goods_are_asked_once_in_the_runs_scenario_and_focus_year(small_run, two_ports):
    document = screen_of_run(small_run.folder)
    (told,) = document["shipments"]  # two journeys to show, one by sea and one by land, between the same ends
    answer = ShippingDesk(two_ports, scenario="agreed").answer("east_port", "west_port", commodity="grain", year=document["focus_year"])
    assert (told["scenario"], told["date"]) == ("agreed", f"{document['focus_year']}-07-01")
    assert [way["cost_usd_per_t"] for way in told["options"]] == pytest.approx(
        [way.cost_usd_per_t for way in answer.options], rel=SIX_DIGITS
    )
    assert [way["labels"] for way in told["options"]] == [list(way.labels) for way in answer.options]


@pytest.mark.skipif(not is_bundled(), reason="the screen was not built")
def test_the_page_that_a_run_writes_holds_them(small_run):
    document = document_in((small_run.folder / "report.html").read_text(encoding="utf-8"))
    assert document["shipments"] == screen_of_run(small_run.folder)["shipments"]


def test_measures_of_the_run_hold(two_ports):
    options = ScenarioOptions(set_values=("tariffs.sea_bulk.rate=1",))
    dear, cheap = (
        with_shipments(DOCUMENT, corridor, options)["shipments"][0]["options"][0]["cost_usd_per_t"]
        for corridor in (two_ports, with_rate(two_ports))
    )
    assert dear > cheap  # values of the options lie in the corridor already and are not laid over it again


def with_rate(corridor):
    tariffs = corridor.tables["tariffs"].with_columns(
        rate=pl.when(pl.col("tariff_id") == "sea_bulk").then(pl.lit(1.0)).otherwise(pl.col("rate"))
    )
    return dataclasses.replace(corridor, tables={**corridor.tables, "tariffs": tariffs})


def test_ends_that_nothing_open_joins_are_told_with_what_is_closed(two_ports):
    shut = two_ports.tables["links"].with_columns(is_open=pl.lit(value=False))
    closed = dataclasses.replace(two_ports, tables={**two_ports.tables, "links": shut})
    (told,) = with_shipments(DOCUMENT, closed, ScenarioOptions())["shipments"]
    assert (told["answer"], told["options"]) == ("refused", [])
    assert "is not open" in told["rejected"][0]["rules"][0]["rule"]
