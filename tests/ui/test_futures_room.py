"""The room of many futures: what is kept beside the runs is listed and opens, nothing kept is said."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.ui.test_app import axe, view

ID = "0123456789abcdef"
PROMISE = {"plan": "agreed", "commitment_id": "ten", "target": 10.0, "unit": "Mt", "year": 2030, "by_year_share": 0.25}
TOLD = {
    "ensemble_id": ID, "corridor_id": "two-ports", "futures": 96, "wanted": 1000, "stopped": "enough", "design": "sobol", "seed": 1,
    "promises": [PROMISE], "failed": [{"plan": "agreed", "reason": "none", "count": 2}],
    "distributions": [{"plan": "agreed"}, {"plan": "late"}],
}  # fmt: skip


def test_answers_are_listed_and_their_pages_open(serve_in, open_app, tmp_path):
    runs = tmp_path / "runs"
    page = open_app(serve_in(runs))
    view(page, "futures")
    expect(page.locator("#futures-list")).to_contain_text("No answer of many futures is kept here yet")
    assert axe(page) == []
    folder = tmp_path / "karvan-ensembles" / ID
    folder.mkdir(parents=True)
    (folder / "answer.json").write_text(json.dumps(TOLD), encoding="utf-8")
    (folder / "page.en.html").write_text("<!doctype html><html lang=en><title>All futures</title><p>fans</p>", encoding="utf-8")
    view(page, "runs")
    view(page, "futures")
    row = page.locator(f"[data-ensemble='{ID}']")
    expect(row).to_contain_text("agreed, late")
    expect(row).to_contain_text("Stopped after 96 of 1,000 futures")
    expect(row).to_contain_text("10 Mt by 2030: 25%")
    assert axe(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with page.context.expect_page() as opened:
        row.get_by_role("link").click()
    expect(opened.value.locator("p")).to_have_text("fans")
