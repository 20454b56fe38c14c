"""The room of many futures and its page: what is kept beside the runs is shown, nothing kept is said, few futures are said to be few."""

from __future__ import annotations

import json
import shutil

import pytest
from playwright.sync_api import expect

from karvan.report import futures_screen, render_answer
from tests.ui.test_app import axe, view

ID = "0123456789abcdef"
PLANS = ("agreed", "baseline")
YEARS = (2026, 2030)
CUTS = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")


def chances(share: float | None, name: str) -> dict:
    return {f"{name}_share": share, f"{name}_low_share": share and share - 0.1, f"{name}_high_share": share and share + 0.1}


def answer(**more: object) -> dict:
    """An answer with every part that the room draws, its numbers chosen so that what is told can be read off them."""
    promise = {"commitment_id": "ten", "title": "Seven", "short": "sea freight 7 Mt", "metric": "corridor_mt", "target": 7.0, "unit": "Mt"}
    driver = {"metric": "corridor_mt", "year": 2030, "is_in_turn": False, "chance_share": 0.05, "total_share": None, "morris_mu_star": None}
    drivers = [
        {"factor": "facilities.ferry.nominal", "kind": "value", "first_order_share": 0.4, "low_mean": 5.0, "high_mean": 8.0},
        {"factor": "storm", "kind": "shock", "first_order_share": 0.2, "low_mean": 7.0, "high_mean": 6.0},
        {"factor": "growth", "kind": "several", "first_order_share": 0.01, "low_mean": 6.5, "high_mean": 6.6},
    ]
    box = {"plan": "agreed", "coverage_share": 0.8, "density_share": 0.9, "mass_share": 0.3, "comes_share": None, "chance_share": None}
    told = {
        "ensemble_id": ID, "corridor_id": "two-ports", "folder": "/somewhere", "design": "sobol", "seed": 1, "futures": 96, "wanted": 1000,
        "stopped": "enough", "failed": [{"plan": "agreed", "reason": "did not converge", "count": 2}],
        "factors": [{"factor": "facilities.ferry.nominal"}, {"factor": "growth"}],
        "shocks": [{"shock_id": "storm", "name": "A storm year", "chance_share": 0.5, "happened_share": 0.5}],
        "left_out": ["calibration_targets.sea.value"], "rate_share": 0.06, "value_years": [2026, 2045], "against": "baseline",
        "called": {
            "facilities.ferry.nominal": {"key": "unknown.facilities.nominal", "values": {"facility": "The ferry"}},
            "growth": {"key": "ensemble.growth", "values": {}}, "storm": "A storm year",
            "calibration_targets.sea.value": {"key": "unknown.other", "values": {"row": "sea", "column": "value"}},
        },
        "distributions": [
            {"plan": plan, "metric": "corridor_mt", "year": year, "mean": 6.0, "p50_low": 5.9, "p50_high": 6.1}
            | {cut: 5.0 + 0.3 * at + 0.2 * number for at, cut in enumerate(CUTS)}
            for number, plan in enumerate(PLANS) for year in YEARS
        ],
        "promises": [
            {"plan": plan, **promise, "year": year, **chances(0.25, "chance"), **chances(0.3, "by_year")} for plan in PLANS
            for year in YEARS
        ],
        "drivers": [{"plan": plan, **driver, **row} for plan in PLANS for row in drivers],
        "values": [{"plan": "agreed", "mean_musd": 12.0, "p10_musd": -20.0, "p50_musd": 11.0, "p90_musd": 50.0, "loss_share": 0.3,
                    "cost_musd": 40.0, "costs_unknown_count": 1}],
        "regret": [
            {"plan": plan, "worst_musd": 30.0 + number, "p90_musd": 20.0, "mean_musd": 8.0, "best_share": 0.7 - 0.4 * number,
             "near_share": 0.75, "least_musd": -20.0, "is_least_regret": not number, "is_maximin": False}
            for number, plan in enumerate(PLANS)
        ],
        "pairs": [
            {"plan": plan, "other": other, "mean_musd": sign * 12.0, "p10_musd": -20.0, "p50_musd": 11.0, "p90_musd": 50.0,
             "better_share": 0.7 if sign > 0 else 0.3, "alike_share": 0.0}
            for plan, other, sign in (("agreed", "baseline", 1), ("baseline", "agreed", -1))
        ],
        "information": [{"factor": "everything", "value_musd": 5.0}], "waiting": {},
        "failure_boxes": [
            {**box, "factor": "facilities.ferry.nominal", "holds": "below", "low_share": 0.0, "high_share": 0.4, "low": 5000.0,
             "high": 6000.0},
            {**box, "factor": "storm", "holds": "shock", "low_share": 0.0, "high_share": 0.5, "low": None, "high": None, "comes_share": 1.0,
             "chance_share": 0.5},
        ],
        "disruptions": [{"plan": "agreed", "shock_id": "storm", "name": "A storm year", "with_mt": 5.0, "without_mt": 6.0, "futures": 40,
                         "kept_share": 0.83}],
        "peace": [
            {"country": country, "year": 2030, "metric": metric, "mean": 2.0, "p10": 1.0, "p50": 2.0, "p90": 3.0}
            for country, metric in ((None, "corridor_mt"), ("several", "income_musd"))
        ],
        "links": [{"plan": plan, "year": 2030, "link_id": "sea_east_west", "p10_kt": 3000.0, "p50_kt": 5000.0, "p90_kt": 7000.0}
                  for plan in PLANS],
        "routes": {"asked_count": 8.0, "p50_mt": 0.0, "largest_mt": 0.01},
    }  # fmt: skip
    return {**told, **more}


@pytest.fixture
def keep(served):
    """Keeps an answer beside the runs of a server while a test lasts."""
    place = served.runs.parent / "karvan-ensembles"

    def kept(told: dict) -> None:
        folder = place / told["ensemble_id"]
        folder.mkdir(parents=True)
        (folder / "answer.json").write_text(json.dumps(told), encoding="utf-8")

    yield kept
    shutil.rmtree(place)


def says_what_was_answered(page) -> None:
    """Every part of the answer, in sentences or in the table behind its picture."""
    expect(page.locator("#futures-answer")).to_be_visible()
    for chart in ("chances", "worth", "fan", "drivers", "map", "peace"):
        expect(page.locator(f"#chart-futures-{chart}")).to_be_visible()
        assert page.locator(f"#chart-futures-{chart}").get_attribute("aria-label")
    table = page.locator("#futures-drivers .twin")
    table.locator("summary").click()
    expect(table).to_contain_text("Capacity of The ferry")
    expect(table).to_contain_text("more of it: more tonnes")
    expect(table).to_contain_text("if it comes: fewer tonnes")
    expect(table).to_contain_text("facilities.ferry.nominal")
    pair = page.locator("[data-pair='agreed baseline']")
    expect(pair).to_contain_text("+12")
    expect(pair).to_contain_text("better in 70%")
    expect(page.locator("#table-regret")).to_contain_text("70%")
    for text in (
        "Capacity of The ferry: below 6,000", "A storm year: it comes in 100% of them, and in 50% of all futures",
        "2 futures gave no answer", "Stopped after 96 of 1,000 futures", "1 estimate was not drawn", "2.00 Mt more over the corridor",
    ):  # fmt: skip
        expect(page.locator(".futures")).to_contain_text(text)


def test_nothing_kept_is_said_with_the_way_to_begin(served, open_app):
    page = open_app(served)
    view(page, "futures")
    expect(page.locator("#futures-list")).to_contain_text("No answer of many futures is kept here yet")
    expect(page.locator("#futures-list code")).to_contain_text("karvan ensemble")
    assert axe(page) == []


def test_an_answer_is_listed_and_drawn_and_its_page_opens(served, open_app, keep):
    keep(answer())
    page = open_app(served)
    view(page, "futures")
    row = page.locator(f"[data-ensemble='{ID}']")
    expect(row).to_contain_text("agreed, baseline")
    expect(row).to_contain_text("7 Mt by 2030: 30%")
    expect(row.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    says_what_was_answered(page)
    expect(page.locator("#chart-futures-fan svg")).to_be_visible()
    page.select_option("#futures-plan", "baseline")
    expect(page.locator("#futures-fan > p.soft")).to_contain_text("What is there today")
    expect(page.locator(".futures")).to_contain_text("no part of what was drawn holds most of the misses")
    assert axe(page) == []
    page.locator("#theme").click()
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with page.context.expect_page() as opened:
        row.get_by_role("link").click()
    expect(opened.value.locator("#futures-answer")).to_have_text("Many futures of Two Ports")


def test_few_futures_say_that_chance_hides_the_drivers(served, open_app, keep):
    told = answer()
    drivers = [{**row, "chance_share": 1.0, "is_in_turn": True} for row in told["drivers"]]
    keep({**told, "futures": 8, "drivers": drivers, "failure_boxes": [], "values": [], "regret": [], "pairs": [], "information": []})
    page = open_app(served)
    view(page, "futures")
    expect(page.locator("#futures-drivers")).to_contain_text("no single unknown explains more of the spread than chance")
    expect(page.locator("#chart-futures-drivers")).to_be_hidden()
    expect(page.locator(".futures")).to_contain_text("8 futures are few for 2 unknowns")


def test_the_written_page_says_the_same_with_the_network_off(open_page, two_ports, tmp_path):
    file = tmp_path / "futures.html"
    file.write_text(render_answer("futures", futures_screen(answer(), two_ports, version="0")), encoding="utf-8")
    says_what_was_answered(open_page(file))
    narrow = open_page(file, width=390)
    assert narrow.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
