"""The report in a real browser: it draws, it answers to keys and mouse, and every number in it is the run's."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect

from karvan.report import render_page

AXE = Path(__file__).resolve().parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PIXELS = """([points]) => {
  const canvases = [...document.querySelectorAll('#map canvas')];
  const [{ width, height }] = canvases;
  const whole = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true });
  canvases.forEach((canvas) => whole.drawImage(canvas, 0, 0));
  return points.map((point) => {
    const [x, y] = karvan.map.chart.convertToPixel('geo', point);
    const inside = x > 0 && y > 0 && x < width && y < height;
    return { inside, colour: [...whole.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3) };
  });
}"""

PIECES = """(id) => {
  const long = (path) => path.slice(1).reduce((sum, point, at) => sum + Math.hypot(point[0] - path[at][0], point[1] - path[at][1]), 0);
  const drawn = karvan.map.chart.getOption().series.find((each) => each.id === 'links').data.filter((each) => each.link.link_id === id);
  return drawn.map((each) => ({ share: long(each.coords) / long(karvan.map.paths[id]), colour: each.lineStyle.color }));
}"""
ROWS = """(table) => [...table.tBodies[0].rows].map((row) => Object.fromEntries(
  [...row.cells].map((cell, index) => [cell.dataset.key ?? `text${index}`, cell.dataset.value ?? cell.textContent])))"""
TILES = """(all) => all.map((tile) => [tile.querySelector('h3').textContent, Object.fromEntries(
  [...tile.querySelectorAll('[data-key]')].map((each) => [each.dataset.key, Number(each.dataset.value)]))])"""
FIGURES = "(all) => all.map((each) => [each.dataset.figure, Number(each.dataset.value)])"
WRITTEN = "(all) => all.map((each) => [each.dataset.value, each.textContent])"
CHANGES = "(all) => all.map((row) => [...row.querySelectorAll('[data-value]')].map((cell) => Number(cell.dataset.value)))"
WHERE = "(id) => { const { center, zoom } = karvan.chartOf(document.getElementById(id)).getOption().geo[0]; return [center, zoom]; }"
TOPS = "['.brief', 'main'].map((each) => document.querySelector(each).getBoundingClientRect().top)"
HEIGHTS = "(all) => all.map((each) => each.getBoundingClientRect().height)"


def rgb(colour):
    return [int(colour[index : index + 2], 16) for index in (1, 3, 5)]


def test_the_file_is_small_enough_to_mail(report_file):
    assert report_file.stat().st_size < 2_500_000


def test_the_map_really_draws_sea_land_and_links(open_page, report_file, document):
    page = open_page(report_file)
    busiest = max((link for link in document["links"] if link["mode"] == "rail"), key=lambda link: max(link["corridor_kt"]))
    path = page.evaluate("([id]) => karvan.map.paths[id]", [busiest["link_id"]])
    sea, land, *line = page.evaluate(PIXELS, [[[49.3, 43.9], [63.0, 45.6], *path[4:11]]])
    assert all(point["inside"] for point in (sea, land, *line))
    assert sea["colour"] == rgb("#e3edf4")
    assert land["colour"] == rgb("#f7f6f2")
    assert sum(point["colour"] == rgb("#2451b7") for point in line) >= 3  # others may lie under a name


def test_the_year_slider_changes_the_ladder_and_leaves_the_map_where_it_is(open_page, report_file):
    page = open_page(report_file)
    ladder = page.locator("#ladder .ladder")
    before, view = ladder.inner_text(), page.evaluate("karvan.map.where()")
    slider = page.get_by_role("slider", name="Year")
    slider.focus()
    slider.press("Home")
    expect(page.locator("output.year")).to_have_text("2024")
    expect(ladder).not_to_have_text(before)
    assert page.evaluate("karvan.map.where()") == view


def test_theme_and_language_change_without_losing_the_year(open_page, report_file):
    page = open_page(report_file, color_scheme="light")
    page.get_by_role("slider", name="Year").press("Home")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Language").select_option("ru")
    expect(page.locator("body")).to_have_attribute("data-ready", "1")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.locator("#answer-title")).to_contain_text("млн т")
    expect(page.locator("output.year")).to_have_text("2024")


def test_what_a_language_lacks_is_said_in_english(open_page, report_file):
    page = open_page(report_file)
    page.get_by_label("Language").select_option("de")
    expect(page.locator("nav")).to_contain_text("Quellen")
    expect(page.locator("#promises-title")).to_have_text("The twelve promises")


def test_a_link_opens_and_closes_by_keyboard_alone(open_page, report_file):
    page = open_page(report_file)
    page.locator("#links > summary").focus()
    page.keyboard.press("Enter")
    first = page.locator("#links tbody button").first
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_be_focused()
    expect(page.locator(".detail")).to_contain_text("Source:")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)
    expect(first).to_be_focused()


def test_a_rung_opens_its_facility_with_value_range_and_source(open_page, report_file):
    page = open_page(report_file)
    page.locator("#ladder .rung").first.click()
    expect(page.locator(".detail .chip").first).to_be_visible()
    expect(page.locator(".detail")).to_contain_text("Source:")


def test_a_click_on_the_map_opens_what_lies_there(open_page, report_file, document):
    page = open_page(report_file)
    busiest = max((link for link in document["links"] if link["mode"] == "rail"), key=lambda link: max(link["corridor_kt"]))
    page.locator("#map").scroll_into_view_if_needed()
    x, y = page.evaluate("([id]) => karvan.map.chart.convertToPixel('geo', karvan.map.paths[id][7])", [busiest["link_id"]])
    page.locator("#map").click(position={"x": x, "y": y})
    expect(page.locator(".detail")).to_contain_text(busiest["name"])


def test_the_map_by_goods_colours_each_line_in_proportion_and_its_table_holds_the_tonnes(open_page, report_file, document):
    page = open_page(report_file)
    page.locator("#where [data-choice=all]").click()
    page.locator("#where [data-choice=goods]").click()
    shown = page.locator(".map-key [data-goods]").evaluate_all("(all) => all.map((each) => each.dataset.goods)")
    own = shown[:-1]
    assert shown[-1] == "rest"
    assert own == [row["commodity_group"] for row in document["goods"] if row["commodity_group"] in own]
    year = document["years"].index(document["focus_year"])
    rails = [row for row in document["links"] if row["mode"] == "rail" and len(row["goods_kt"]) > 1]
    link = max(rails, key=lambda row: sorted(kt[year] for kt in row["goods_kt"].values())[-2])
    pieces = page.evaluate(PIECES, link["link_id"])
    tonnes = [link["goods_kt"].get(group, [0.0] * 99)[year] for group in own]
    tonnes.append(sum(kt[year] for group, kt in link["goods_kt"].items() if group not in own))
    shares = [kt / sum(tonnes) for kt in tonnes if kt > 0]
    assert [piece["share"] for piece in pieces] == pytest.approx(shares, abs=1e-6)
    assert len({piece["colour"] for piece in pieces}) == len(pieces) > 1
    page.locator(".map-block .twin > summary").click()
    rows = page.locator("#table-goods").evaluate(ROWS)
    row = next(row for row in rows if row["text0"] == link["name"] and float(row["all_kt"]) == pytest.approx(sum(tonnes)))
    assert [float(row[group]) for group in shown] == pytest.approx(tonnes)


def test_arrow_keys_move_the_map(open_page, report_file):
    page = open_page(report_file)
    before = page.evaluate("karvan.map.where()")
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    after = page.evaluate("karvan.map.where()")
    assert after["center"][0] > before["center"][0]
    assert after["zoom"] > before["zoom"]


@pytest.mark.parametrize(("across", "down", "is_page"), [(0, -12, True), (12, 0, False)])
def test_a_finger_up_or_down_scrolls_the_page_and_sideways_moves_the_map(open_page, report_file, across, down, is_page):
    page = open_page(report_file, width=412, has_touch=True, is_mobile=True)
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.evaluate("[scrollY, karvan.map.where().center]")
    hand = page.context.new_cdp_session(page)
    for kind, steps in (("touchStart", [0]), ("touchMove", range(1, 11)), ("touchEnd", [])):
        for step in steps or [None]:
            points = [] if step is None else [{"x": x + step * across, "y": y + step * down}]
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("([at, center]) => scrollY !== at || String(karvan.map.where().center) !== String(center)", arg=before)
    after = page.evaluate("[scrollY, karvan.map.where().center]")
    assert (after[0] != before[0], after[1] == before[1]) == (is_page, is_page)


def test_motion_is_off_where_less_of_it_is_wanted_and_can_be_stopped(open_page, report_file):
    moving = "karvan.map.chart.getOption().series.some((each) => each?.id === 'moving')"
    assert not open_page(report_file, mark="", reduced_motion="reduce").evaluate(moving)
    page = open_page(report_file, mark="", reduced_motion="no-preference")
    assert page.evaluate(moving)
    page.get_by_role("button", name="Pause motion").click()
    assert not page.evaluate(moving)


def opened_tables(page):
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    expect(page.locator("#table-links tbody tr").first).to_be_visible()
    expect(page.locator("#table-validation tbody tr").first).to_be_visible()


def test_every_number_of_the_link_and_ladder_tables_is_the_runs(open_page, report_file, real_run, document):
    page = open_page(report_file)
    opened_tables(page)
    year = document["focus_year"]
    links = real_run.frame("links").filter((pl.col("case") == "scenario") & (pl.col("year") == year))
    shown = page.locator("#table-links").evaluate(ROWS)
    for column in ("forward_kt", "backward_kt"):
        ours = sum(float(row[column]) for row in shown)
        assert ours == pytest.approx(links[column].sum(), rel=1e-5, abs=1.0)  # six digits each; links below 0.05 kt left out
    known = real_run.frame("facilities").filter((pl.col("case") == "scenario") & (pl.col("year") == year))
    facilities = {row["facility_id"]: row for row in known.iter_rows(named=True)}
    names = {row["name"]: row["facility_id"] for row in document["facilities"]}
    shown = page.locator("#table-ladder").evaluate(ROWS)
    assert shown
    for row in shown:
        known = facilities[names[row["text0"]]]
        for column in ("flow", "capacity", "turned_away"):
            assert float(row[column]) == pytest.approx(known[column], rel=1e-5, abs=1e-9)
        assert float(row["price_usd_per_t"]) == pytest.approx(known["shadow_price_usd_per_t"], rel=1e-5, abs=1e-9)


def test_every_figure_and_promise_is_the_reports(open_page, report_file, real_run, document):
    page = open_page(report_file)
    ours = next(row for row in real_run.report["years"] if row["year"] == document["focus_year"])
    shown = dict(page.locator("[data-figure]").evaluate_all(FIGURES))
    columns = {
        "corridor": "corridor_mt",
        "boxes": "containers_teu",
        "crude": "crude_mt",
        "latent": "corridor_latent_mt",
        "rent": "rent_musd",
    }
    assert {name: shown[name] for name in columns} == {name: ours[column] for name, column in columns.items()}
    tiles = page.locator("#promises .tile").evaluate_all(TILES)
    promises = {row["title"]: row for row in real_run.report["commitments"] if row["is_headline"]}
    assert len(tiles) == len(promises)
    for title, values in tiles:
        for key, value in values.items():
            assert value == promises[title][key], (title, key)


def test_every_number_is_written_as_it_is(open_page, report_file):
    """The text of each number, read back, is the number to the digits shown."""
    page = open_page(report_file)
    opened_tables(page)
    pairs = page.locator("td.n[data-value], th.n[data-value], [data-figure]").evaluate_all(WRITTEN)
    read = 0
    for value, text in pairs:
        found = re.fullmatch(r"([−+]?)([\d,]+(?:\.(\d+))?)(%?)\D*", text.strip())
        if not value or not found:
            continue
        sign, digits, decimals, is_share = found[1], float(found[2].replace(",", "")), len(found[3] or ""), found[4] == "%"
        shown = (-digits if sign == "−" else digits) / (100 if is_share else 1)
        slack = max(0.5001 * 10**-decimals / (100 if is_share else 1), 0.0051 * abs(float(value)))
        assert shown == pytest.approx(float(value), abs=slack), text
        read += 1
    assert read > 1000


def test_a_saved_table_holds_the_models_numbers(open_page, report_file, document):
    page = open_page(report_file)
    page.locator("#outlook .twin > summary").click()
    with page.expect_download() as saving:
        page.locator("#outlook").get_by_role("button", name="Save CSV").click()
    text = Path(saving.value.path()).read_text(encoding="utf-8-sig")
    rows = {int(row["year"]): row for row in csv.DictReader(io.StringIO(text))}
    for row in document["outlook"]["scenario"]:
        assert float(rows[row["year"]]["scenario_mt"]) == row["corridor_mt"]
        assert float(rows[row["year"]]["containers_teu"]) == row["containers_teu"]
    for row in document["outlook"]["observed"]:
        assert float(rows[row["year"]]["observed_mt"]) == row["corridor_mt"]


def test_every_chart_is_saved_with_title_scenario_range_and_run(open_page, report_file, document):
    page = open_page(report_file)
    run, figure = document["run"], document["figures"][0]
    for chart in ("#where .map-block", "#ladder", "#outlook", "#profile", "#flows", "#diversion", "#validation"):
        with page.expect_download() as saving:
            page.locator(chart).get_by_role("button", name="SVG").click()
        svg = Path(saving.value.path()).read_text(encoding="utf-8")
        words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
        for part in (run["run_id"], run["scenario_title"], f"{figure['low']:.1f} to {figure['high']:.1f} Mt", "Karvan"):
            assert part in words, chart
        with page.expect_download() as saving:
            page.locator(chart).get_by_role("button", name="PNG").click()
        png = Path(saving.value.path()).read_bytes()
        assert png.startswith(b"\x89PNG"), chart
        assert len(png) > 20_000, chart


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page, report_file, theme):
    page = open_page(report_file, color_scheme=theme)
    page.locator("#ladder .rung").first.click()
    opened_tables(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    told = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found["violations"]]
    assert told == []


@pytest.mark.parametrize("width", [400, 800, 1440])
def test_nothing_runs_out_of_the_window(open_page, report_file, width):
    page = open_page(report_file, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["en", "ru"])
def test_on_paper_the_brief_comes_first_on_two_pages(open_page, document, tmp_path, language):
    file = tmp_path / "report.html"
    file.write_text(render_page(document, language=language), encoding="utf-8")
    page = open_page(file, mark="print")
    page.emulate_media(media="print")
    expect(page.locator(".brief")).to_be_visible()
    tops = page.evaluate(TOPS)
    heights = page.locator(".brief-page").evaluate_all(HEIGHTS)
    assert tops[0] < tops[1]
    assert len(heights) == 2
    assert max(heights) < (297 - 26) / 25.4 * 96  # what A4 leaves between its margins
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 4


def test_two_runs_are_held_against_each_other(open_page, comparison_file):
    page = open_page(comparison_file)
    expect(page.locator("#map-ours canvas").first).to_be_visible()
    expect(page.locator("#map-theirs canvas").first).to_be_visible()
    here, there = (page.evaluate(WHERE, f"map-{name}") for name in ("ours", "theirs"))
    assert here == there
    page.locator("#compare").get_by_role("button", name="Difference").click()
    expect(page.locator("#map-change canvas").first).to_be_visible()
    expect(page.locator("#map-ours")).to_be_hidden()
    rows = page.locator("#table-compare tbody tr").evaluate_all(CHANGES)
    for ours, theirs, change in rows:
        assert change == pytest.approx(ours - theirs, abs=1e-9)
    assert any(change for _, _, change in rows)
