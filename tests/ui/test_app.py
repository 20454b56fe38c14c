"""The app in a real browser before a real server: run, move, compare, look things up, and come through what goes wrong."""

from __future__ import annotations

import csv
import io
import os
import signal
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("map", "routes", "energy", "trade", "money", "futures", "corridors", "compare", "tables", "sources", "runs")
LONG_MS = 90_000  # for what the model computes, on a machine that does other work; nothing here waits so long
CHANGES = "(all) => all.map((row) => [...row.querySelectorAll('[data-value]')].map((cell) => Number(cell.dataset.value)))"


def view(page, name):
    page.locator(f"nav a[data-view={name}]").click()
    expect(page.locator("body")).to_have_attribute("data-view", name)
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=LONG_MS)


def move(page, ref, key="ArrowRight"):
    """Press a slider once and wait until the map stands as answered."""
    before = page.locator("body").get_attribute("data-live-count") or "0"
    page.locator(f"input[data-ref='{ref}']").press(key)
    expect(page.locator("body")).to_have_attribute("data-live-count", str(int(before) + 1), timeout=LONG_MS)


def axe(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [(each["id"], [(node["target"], node["failureSummary"][:200]) for node in each["nodes"]][:3]) for each in found["violations"]]


def frame(runs, run_id, name):
    return pl.read_parquet(runs / run_id / f"{name}.parquet")


def test_from_the_first_start_to_a_comparison_that_a_restart_keeps(serve_in, open_app, tmp_path):
    server = serve_in(tmp_path / "runs")
    page = open_app(server)
    expect(page.locator("#welcome-title")).to_contain_text("nothing has been run yet")
    page.locator("[data-key=last]").select_option("2027")
    page.locator("#run-name").fill("The first")
    page.locator("#run").click()
    expect(page.locator("#ladder")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#run-picker")).to_have_text("The first")
    page.get_by_role("slider", name="Year", exact=True).press("End")
    ladder = page.locator("#ladder .ladder")
    before = ladder.inner_text()

    page.locator("[data-measure=bigger_ferry]").uncheck()
    expect(page.locator(".edited-mark")).to_have_text("Not yet run: 1")
    page.locator("#run-name").fill("No bigger ferry")
    page.locator("#run").click()
    expect(page.locator("#run-picker option")).to_have_text(["No bigger ferry", "The first"], timeout=LONG_MS)
    expect(ladder).not_to_have_text(before, timeout=LONG_MS)
    expect(page.locator(".edited-mark")).to_have_text("")

    newest, first = (row["run_id"] for row in server.ask("/api/runs")["runs"])
    view(page, "compare")
    page.locator("#compare-theirs").select_option(first)
    expect(page.locator("#map-ours canvas").first).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#map-theirs canvas").first).to_be_visible()
    expect(page.locator("#table-compare-inputs")).to_contain_text("Bigger ferry")
    rows = page.locator("#table-compare tbody tr").evaluate_all(CHANGES)
    assert all(change == pytest.approx(ours - theirs, abs=1e-9) for ours, theirs, change in rows)
    assert any(change for *_, change in rows)
    page.locator("#compare").get_by_role("button", name="Difference").click()
    expect(page.locator("#map-change canvas").first).to_be_visible()

    view(page, "tables")
    expect(page.locator("#run-table tbody tr").first).to_be_visible()
    with page.expect_download() as saving:
        page.locator("a[data-format=csv]").click()
    text = Path(saving.value.path()).read_text(encoding="utf-8")
    ours = frame(server.runs, newest, "links").filter((pl.col("case") == "scenario") & (pl.col("year") == 2027))
    saved = {row["link_id"]: float(row["forward_kt"]) for row in csv.DictReader(io.StringIO(text))}
    assert saved == pytest.approx(dict(ours.select("link_id", "forward_kt").iter_rows()))

    page.context.close()  # an open page would ask a server that is gone
    server.stop()
    again = open_app(serve_in(tmp_path / "runs"))
    expect(again.locator("#run-picker option")).to_have_text(["No bigger ferry", "The first"])
    expect(again.locator("#ladder .rung").first).to_be_visible()


def test_two_browsers_at_once(served, open_app):
    one, other = open_app(served), open_app(served)
    other.locator("#run-picker").select_option(label="Without the ferry")
    expect(other.locator("body")).to_have_attribute("data-ready", "1", timeout=LONG_MS)
    one.locator("[data-part=assumptions]").click()
    move(one, "demand", "End")
    expect(one.locator(".live-bar")).to_be_visible()
    expect(other.locator(".live-bar")).to_be_hidden()
    one.locator("#run-name").fill("Seen by both")
    one.locator(".live-bar").get_by_role("button", name="Run for all years").click()
    expect(other.locator("#run-picker")).to_contain_text("Seen by both", timeout=LONG_MS)
    assert other.locator("#run-picker option:checked").inner_text() == "Without the ferry"


def test_a_slider_changes_map_ladder_and_headline_and_the_run_comes_back(served, open_app):
    page = open_app(served, f"?run={run_named(served, 'As announced')}")
    page.get_by_role("slider", name="Year", exact=True).press("End")
    page.locator("[data-part=assumptions]").click()
    slider = page.locator("input[data-ref='facilities.ferry.nominal']")
    headline = page.locator("[data-headline=corridor_mt]")
    before = float(headline.get_attribute("data-value"))
    rungs = page.locator("#ladder .ladder")
    as_run = rungs.inner_text()
    drawn = "karvan.map.chart.getOption().series.find((each) => each.id === 'links').data.map((each) => [each.link.link_id, each.kt])"
    flows = page.evaluate(drawn)
    move(page, "facilities.ferry.nominal", "Home")
    assert page.evaluate(drawn) != flows
    expect(rungs).not_to_have_text(as_run)
    expect(page.locator(".live-bar")).to_contain_text("A way that would only now be worth taking is missing")
    live = page.evaluate("karvan.store.get().live")
    assert float(headline.get_attribute("data-value")) == live["headline"]["corridor_mt"]
    assert live["base_headline"]["corridor_mt"] == pytest.approx(before, rel=1e-3)  # flows are known to a few parts in ten thousand
    assert page.evaluate("performance.getEntriesByName('karvan-live').length") == 1
    page.locator(".live-bar").get_by_role("button", name="Back to the run").click()
    expect(page.locator(".live-bar")).to_be_hidden()
    expect(rungs).to_have_text(as_run, use_inner_text=True)
    assert slider.input_value() == page.locator(".assumption", has=slider).get_attribute("data-held")


def test_ticking_a_measure_answers_for_the_year(served, open_app):
    page = open_app(served, f"?run={run_named(served, 'Without the ferry')}")
    page.get_by_role("slider", name="Year", exact=True).press("End")
    tick = page.locator("[data-measure=bigger_ferry]")
    tick.focus()
    page.keyboard.press("Space")
    expect(page.locator("body")).to_have_attribute("data-live-count", "1", timeout=LONG_MS)
    assert page.evaluate("karvan.store.get().live.difference.corridor_mt") > 0
    expect(page.locator("[data-headline=corridor_mt] + span")).to_contain_text("against the run")
    page.locator(".live-bar [data-choice=flows]").click()
    expect(page.locator(".map-caption")).to_contain_text("with what was moved")


def test_a_worker_killed_in_mid_run_is_told_and_the_app_stays_alive(serve_in, open_app, tmp_path):
    server = serve_in(tmp_path / "runs")
    page = open_app(server)
    page.locator("#first-run").click()
    expect(page.locator(".job-step[data-state=running]")).to_contain_text("Mt", timeout=LONG_MS)  # a year has been cleared
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    expect(page.locator(".job-step")).to_contain_text("worker died", timeout=LONG_MS)
    view(page, "runs")
    page.locator("#jobs-table").get_by_role("button", name="Resume").click()
    expect(page.locator("#runs-table tbody tr")).to_have_count(1, timeout=LONG_MS)


def test_cancel_ends_a_run(serve_in, open_app, tmp_path):
    page = open_app(serve_in(tmp_path / "runs"))
    page.locator("#first-run").click()
    page.locator("#cancel").click(timeout=LONG_MS)
    expect(page.locator(".job-step[data-state=cancelled]")).to_have_text("Cancelled", timeout=LONG_MS)
    expect(page.locator("#run")).to_be_enabled()


def test_a_server_that_goes_away_is_told(serve_in, open_app, tmp_path):
    server = serve_in(tmp_path / "runs")
    page = open_app(server, is_lost=True)
    server.stop()
    page.locator("#first-run").click()
    expect(page.locator(".banner")).to_contain_text("cannot be reached")
    expect(page.locator(".banner").get_by_role("button", name="Try again")).to_be_visible()


def test_who_lacks_the_address_can_look_and_not_run(served, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.base)
    expect(page.locator(".banner")).to_contain_text("not run or change")
    expect(page.locator("#ladder .rung").first).to_be_visible()
    expect(page.locator("#run")).to_be_hidden()
    expect(page.locator("[data-measure=bigger_ferry]")).to_be_disabled()
    context.close()


def test_a_card_leads_to_what_rests_on_a_place_and_to_its_market(served, open_app):
    page = open_app(served)
    page.locator("#ladder .rung").first.click()
    page.locator(".detail details > summary").last.click()
    expect(page.locator(".known .chip").first).to_be_visible()
    page.locator("[data-ask=select-link]").click()
    expect(page.locator("#table-bundles tbody tr")).to_have_count(1, timeout=LONG_MS)
    expect(page.locator("#answers-title")).to_be_focused()
    page.locator("#table-bundles tbody button").first.click()
    expect(page.locator("#table-routes tbody tr").first).to_be_visible(timeout=LONG_MS)
    expect(page.locator(".why li").first).to_be_visible()
    page.locator("[data-headline=corridor_mt]").click()
    expect(page.locator("#card-title")).to_contain_text("Carried in")


def test_the_ladder_is_asked_for_and_then_both_ways_of_it_are_there(served, open_app):
    page = open_app(served)
    page.get_by_role("button", name="Which limit comes next?").click()
    page.locator("#ladder [data-choice=relieved]").click(timeout=LONG_MS)
    expect(page.locator("#ladder .rungs")).to_be_visible()


def test_tables_are_sorted_filtered_and_paged_by_the_server(served, open_app):
    page = open_app(served)
    view(page, "tables")
    page.locator("#table-name").select_option("facilities")
    expect(page.locator("#run-table caption")).to_contain_text("facilities")
    rows = page.locator("#run-table tbody tr")
    page.get_by_role("button", name="Remove the filter year").click()
    expect(rows).to_have_count(4)
    page.locator("#filter-column").select_option("year")
    page.locator("#filter-op").select_option("ge")
    page.locator("#filter-value").fill("2026")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(rows).to_have_count(2)
    page.locator("[data-column=year]").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("year")
    with page.expect_download() as saving:
        page.locator("a[data-format=geojson]").click()
    assert saving.value.suggested_filename.endswith(".geojson")


def test_sources_are_filtered_by_words_and_status(served, open_app):
    page = open_app(served)
    view(page, "sources")
    page.get_by_label("Words in name").fill("ferry nominal")
    expect(page.locator("#inputs-table tbody tr")).to_have_count(1)
    page.get_by_role("checkbox", name="seen in a source").check()
    expect(page.get_by_text("Nothing fits.")).to_be_visible()


def test_runs_are_renamed_put_away_and_taken_back(serve_in, open_app, tmp_path):
    server = serve_in(tmp_path / "runs")
    server.run(name="old", years={"first": 2024, "last": 2025})
    page = open_app(server)
    view(page, "runs")
    page.get_by_role("button", name="Rename: old").click()
    page.get_by_label("New name").fill("new")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete: new").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#trash-table")).to_contain_text("new")
    page.get_by_role("button", name="Take back: new").click()
    expect(page.locator("#runs-table")).to_contain_text("new")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(served, open_app, theme):
    page = open_app(served, color_scheme=theme)
    page.locator("#ladder .rung").first.click()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    expect(page.locator(".known .chip").first).to_be_visible()
    page.locator("[data-part=assumptions]").click()
    move(page, "demand")
    found = {"map": axe(page)}
    for name in VIEWS[1:]:
        view(page, name)
        if name == "compare":
            page.locator("#compare-theirs").select_option(index=1)
            expect(page.locator("#table-compare-outlook")).to_be_visible()
        found[name] = axe(page)
    assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("width", [400, 800, 1440])
def test_nothing_runs_out_of_the_window(served, open_app, width):
    page = open_app(served, width=width)
    wide = {}
    for name in VIEWS:
        view(page, name)
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert max(wide.values()) <= width, wide


def test_on_a_small_screen_the_drawer_is_a_sheet_that_gives_the_focus_back(served, open_app):
    page = open_app(served, width=400)
    page.locator("#open-drawer").press("Enter")
    expect(page.locator("#drawer-title")).to_be_focused()
    expect(page.locator("#run")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("#open-drawer")).to_be_focused()


def test_russian_is_whole_and_the_address_keeps_what_is_looked_at(served, open_app):
    page = open_app(served, f"?view=tables&run={run_named(served, 'Without the ferry')}&lang=ru")
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Таблицы")
    view(page, "map")
    page.go_back()
    expect(page.locator("body")).to_have_attribute("data-view", "tables")
    assert page.locator("#run-picker option:checked").inner_text() == "Without the ferry"


def run_named(server, name):
    return next(row["run_id"] for row in server.ask("/api/runs")["runs"] if row["name"] == name)
