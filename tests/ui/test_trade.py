"""Pages of tariffs and of trade in a real browser."""

from __future__ import annotations

import polars as pl
import pytest
from playwright.sync_api import expect

from karvan.report import render_answer, tariffs_screen, trade_screen
from karvan.results import Trade
from karvan.study import TariffOptions, tariffs
from tests.ui.test_app import axe

SERIES = "(id) => karvan.chartOf(document.getElementById(`chart-${id}`)).getOption().series.map((row) => row.data)"


def test_gains_of_a_page_add_up_to_welfare_and_the_stack_to_what_is_paid(open_page, two_ports, tmp_path):
    found = tariffs(two_ports, how=TariffOptions(commodity="grain", years=(2024, 2025), has_alliances=False))
    file = tmp_path / "tariffs.html"
    file.write_text(render_answer("tariffs", tariffs_screen(found, two_ports, version="0")), encoding="utf-8")
    page = open_page(file)
    page.locator("#tariffs-year").select_option("2024")
    regimes = {row["regime"]: row for row in found.regimes.filter(pl.col("year") == 2024).to_dicts()}
    for gains, regime in zip(page.evaluate(f"({SERIES})('tariffs-gains')"), ("nash", "through", "welfare"), strict=True):
        assert sum(gains[:-1]) == pytest.approx(gains[-1], abs=1e-3)
        assert gains[-1] == pytest.approx(regimes[regime]["welfare_change_musd"], rel=1e-4)
    tonnes, _, _ = page.evaluate(f"({SERIES})('tariffs-regimes')")
    assert tonnes == pytest.approx([row["carried_kt"] for row in regimes.values()], rel=1e-4)
    paid = page.evaluate(f"({SERIES})('tariffs-stack')")
    assert sum(row[0] for row in paid) == pytest.approx(100.0)  # README of two-ports: 100 USD/t by sea
    booked = found.accounts.filter((pl.col("year") == 2024) & (pl.col("regime") == "national"))["revenue_musd"].sum()
    for by in ("operator", "administration", "state", "goods"):
        rows = page.locator(f"#table-tariffs-accounts-{by} tbody tr")
        before = [float(text.replace(",", "")) for text in rows.locator("td:nth-of-type(1)").all_inner_texts()]
        assert sum(before) == pytest.approx(booked, abs=0.05 * len(before)), by
    assert axe(page) == []


def test_trade_tells_its_parts_against_the_promise(open_page, two_ports, tmp_path):
    parts = {"base_musd": 470.0, "growth_musd": 60.0, "transport_musd": 9.0, "tariffs_musd": -3.0, "ventures_musd": 0.0}
    outlook = [
        {"year": year, **parts, "value_musd": 536.0, "low_musd": 500.0, "high_musd": 570.0, "created_musd": 4.0, "diverted_musd": 2.0}
        for year in (2025, 2028)
    ]
    factors = {"growth_factor": 1.1, "transport_factor": 1.02, "tariffs_factor": 0.99, "tonnes_factor": 1.1}
    flow = {"exporter": "east", "importer": "west", "commodity_group": "grain", **parts, "value_musd": 536.0, **factors}
    forecast = {"forecast_id": "f", "name": "Tonnes", "forecaster": "Somebody", "made_year": 2023, "for_year": 2024, "unit": "kt"}
    came = {"forecast": 12000.0, "outturn": 10000.0, "error_share": 0.2, "ours": None, "our_error_share": None}
    carried = {"year": 2025, "corridor_mt": 6.0, "corridor_with_trade_mt": 6.1, "rounds": 3}
    income = {"year": 2025, "region_id": "east", "real_income_factor": 1.0, "wage_factor": 1.0, "price_factor": 1.0}
    venture = {"measure_id": "mill", "title": "A mill", "adds_musd": 20.0, "output_musd": 50.0, "jobs_count": None}
    demand = {"year": 2025, "growth_id": "sea", "base_kt": 10.0, "mid_kt": 11.0, "low_kt": 10.5, "high_kt": 12.0, "trade_factor": 1.0}
    demand["with_trade_kt"] = 11.0
    rows = [
        outlook,
        [{"year": each["year"], **flow} for each in outlook],
        [income],
        [carried],
        [venture],
        [],
        [],
        [forecast | came],
        [demand],
    ]
    frames = [pl.DataFrame(each) for each in rows]
    found = Trade("agreed", ("east", "west"), 1000.0, *frames, ())
    told = trade_screen(found, two_ports, version="0")
    assert (told["corridor"], told["carried"][0]["corridor_mt"]) == ("two-ports", 6.0)
    file = tmp_path / "trade.html"
    file.write_text(render_answer("trade", told, language="ru"), encoding="utf-8")
    page = open_page(file)
    *stacked, whole = page.evaluate(f"({SERIES})('trade-parts')")
    assert [sum(values) for values in zip(*stacked, strict=True)] == pytest.approx(whole)
    assert page.evaluate(f"({SERIES})('trade-forecasts')")[0] == [120]
    assert page.evaluate(f"({SERIES})('trade-measures')") == [[20]]
    expect(page.locator("#trade-answer + p")).to_contain_text("464")
    assert axe(page) == []
