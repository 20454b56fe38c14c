"""Routes for a shipment in a real browser: asked for in the app, told in the report, and as a page of their own."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from karvan.corridor import load_corridor
from karvan.report import render_answer, route_screen
from karvan.study import ShippingDesk
from karvan.study.report import answer_report
from tests.ui.test_app import LONG_MS, axe, run_named, view

CARDS = "(all) => all.map((each) => Number(each.dataset.value))"
ROWS = "(table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => Number(cell.dataset.value)))"
PIXELS = """(points) => {
  const canvases = [...document.querySelectorAll('#chart-way-map canvas')];
  const [{ width, height }] = canvases;
  const whole = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true });
  canvases.forEach((canvas) => whole.drawImage(canvas, 0, 0));
  const chart = karvan.chartOf(document.getElementById('chart-way-map'));
  return points.map((point) => {
    const [x, y] = chart.convertToPixel('geo', point);
    return [...whole.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3);
  });
}"""
ASK = "from=east_port&to=west_port&goods=grain&ready=2026-03-01"


def asked(page):
    expect(page.locator("#ship-answer")).to_be_visible(timeout=LONG_MS)
    expect(page.locator("#chart-way-map canvas").first).to_be_visible()
    return page


@pytest.fixture(scope="module")
def answer():
    desk = ShippingDesk(load_corridor("middle-corridor"))
    return desk.answer("xian", "duisburg", commodity="containers", depart=datetime.date(2027, 3, 1), deadline=datetime.date(2027, 3, 31))


@pytest.fixture(scope="module")
def route_file(answer, tmp_path_factory):
    file = tmp_path_factory.mktemp("route") / "route.html"
    answer_report(answer, load_corridor("middle-corridor"), file)
    return file


def test_a_shipment_is_asked_for_by_keyboard_and_its_address_brings_it_back(served, open_app):
    page = open_app(served, "?view=routes")
    page.locator("#ship-from").fill("East Port")
    page.locator("#ship-to").fill("west port")
    page.locator("#ship-ready").fill("2026-03-01")
    page.locator("#ship-deadline").fill("2026-03-31")
    page.locator("#ship-deadline").press("Enter")
    asked(page)
    expect(page.locator("#ship-answer")).to_have_attribute("data-answer", "allowed")
    expect(page.locator("#ship-answer")).to_be_focused()
    expect(page.locator("[data-note=rests]")).to_contain_text("Not a quotation")
    assert "from=east_port&to=west_port" in page.url
    told = page.locator("#ship-answer").inner_text()
    address = page.url.removeprefix(served.base + "/")
    view(page, "runs")
    view(page, "routes")
    expect(page.locator("#ship-answer")).to_have_text(told, use_inner_text=True)  # kept: not asked again
    page.context.close()
    again = asked(open_app(served, address))
    expect(again.locator("#ship-answer")).to_have_text(told, use_inner_text=True)
    expect(again.locator("#ship-deadline")).to_have_value("2026-03-31")


def test_cargo_and_own_rates_go_with_the_question(served, open_app, tmp_path):
    page = asked(open_app(served, f"?view=routes&{ASK}", is_lost=True))  # a browser complains of an answer that is a refusal
    cost = page.locator(".way [data-key=cost_usd_per_t]").first
    before = cost.get_attribute("data-value")
    page.locator(".ship-more > summary").click()
    page.locator("#ship-tonnes").fill("300")
    quotes = tmp_path / "rates.csv"
    quotes.write_text("operator_id,basis,rate\nsea_line,usd_per_t,1\n", encoding="utf-8")
    page.locator("#ship-quotes").set_input_files(quotes)
    expect(page.locator(".ship-more")).to_contain_text("Taken: rates.csv")
    page.locator("#ship-find").click()
    expect(page).to_have_url(re.compile("tonnes=300"))
    expect(cost).not_to_have_attribute("data-value", before, timeout=LONG_MS)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("operator_id,basis,rate\nnobody,usd_per_t,1\n", encoding="utf-8")
    page.locator("#ship-quotes").set_input_files(wrong)
    expect(page.locator(".ship-more")).to_contain_text("Taken: wrong.csv")
    page.locator("#ship-find").click()
    expect(page.locator("#ship-place [role=alert]")).to_contain_text("nobody is not known", timeout=LONG_MS)


def test_a_refused_shipment_says_which_rule_and_where_that_stands(served, open_app):
    run = run_named(served, "Pass shut to grain")
    page = asked(open_app(served, f"?view=routes&run={run}&{ASK}&avoid=sea_east_west"))
    expect(page.locator("#ship-answer")).to_have_attribute("data-answer", "refused")
    expect(page.locator("[data-rule=pass_closed_to_grain]")).to_contain_text("Grain may not cross the High Pass")
    expect(page.locator("[data-rule=pass_closed_to_grain] .chip")).to_be_visible()
    assert axe(page) == []
    page.locator("#ship-network").select_option("agreed")
    page.locator("#ship-find").click()
    expect(page.locator("#ship-answer")).to_have_attribute("data-answer", "allowed", timeout=LONG_MS)


def test_a_question_can_be_cancelled_and_a_wrong_one_is_told(served, open_app):
    page = open_app(served, f"?view=routes&run={run_named(served, 'As announced')}", is_lost=True)
    page.route("**/api/routes", lambda route: None)
    page.locator("#ship-from").fill("East Port")
    page.locator("#ship-to").fill("Atlantis")
    page.locator("#ship-find").click()
    page.locator("#ship-cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect(page.locator("#ship-cancel")).to_be_hidden()
    page.unroute("**/api/routes")
    page.locator("#ship-find").click()
    expect(page.locator("#ship-place [role=alert]")).to_contain_text("Atlantis is no name known here", timeout=LONG_MS)


def test_in_the_app_it_is_clean_and_russian(served, open_app):
    page = asked(open_app(served, f"?view=routes&lang=ru&{ASK}", color_scheme="dark"))
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Маршруты")
    expect(page.locator("#ship-answer .verdict")).to_contain_text("Можно")
    page.evaluate("document.querySelectorAll('#ship-place details').forEach((each) => { each.open = true; })")
    assert axe(page) == []


def test_who_may_not_change_anything_cannot_ask(served, browser):
    page = browser.new_context().new_page()
    page.goto(f"{served.base}/?view=routes")
    expect(page.locator("#ship-find")).to_be_disabled()
    page.context.close()


def test_every_number_of_the_page_is_the_answers(open_page, route_file, answer):
    page = open_page(route_file)
    options = [option.as_dict() for option in answer.options]
    for key in ("cost_usd_per_t", "time_d"):
        shown = page.locator(f".way [data-key={key}]").evaluate_all(CARDS)
        assert shown == pytest.approx([option[key] for option in options], rel=1e-8)
    for number, option in enumerate(options, start=1):
        page.locator(f"[data-option='{number}']").click()
        expect(page.locator(f"[data-option='{number}']")).to_have_attribute("aria-pressed", "true")
        rows = page.locator("#table-legs").evaluate(ROWS)
        assert len(rows) == len(option["legs"])
        hours = [sum(row[column] for row in rows) for column in range(5, 10)]
        assert hours == pytest.approx([option[f"{cause}_h"] for cause in ("moving", "waiting", "border", "gauge", "port")], abs=1e-6)
        assert sum(row[4] for row in rows) == pytest.approx(option["cost_usd_per_t"], rel=1e-6)


def test_what_an_option_tells_beside_is_shown_as_it_comes(open_page, answer, tmp_path):
    """Keys that this page does not know: rows as a table, words as a list, wherever they stand."""
    document = route_screen(answer, load_corridor("middle-corridor"), version="0")
    rows = [{"operator": "one", "cost_usd_per_t": 12.5, "inside": {}}, {"operator": "two", "cost_usd_per_t": 7.25, "currency": "KZT"}]
    for option in document["options"]:
        option.pop("quote")
    document["options"][0] |= {"quote": {"administrations": rows, "included": ["tariffs", "handling"], "total": 1.0}, "of_late": [{"a": 1}]}
    file = tmp_path / "route.html"
    file.write_text(render_answer("route", document), encoding="utf-8")
    page = open_page(file)
    expect(page.locator("#table-administrations caption")).to_have_text("Money by who is paid")
    assert [row[1] for row in page.locator("#table-administrations").evaluate(ROWS)] == [12.5, 7.25]
    expect(page.locator("#table-administrations thead")).to_contain_text("Currency")
    expect(page.locator("#table-of_late caption")).to_have_text("of late")
    expect(page.locator("[data-list=included]")).to_have_text("Included: tariffs; handling.")
    page.locator("[data-option='2']").click()
    expect(page.locator("#table-administrations")).to_have_count(0)


def test_the_chart_holds_a_line_for_each_way_and_steps_by_cause(open_page, route_file, answer):
    page = open_page(route_file)
    drawn = page.evaluate("karvan.chartOf(document.getElementById('chart-time-distance')).getOption().series")
    lines = [row for row in drawn if row["type"] == "line"]
    assert [row["data"][-1]["value"] for row in lines] == [
        pytest.approx([option.length_km, option.time_d], rel=1e-5) for option in answer.options
    ]
    stops = {row["name"]: row["data"] for row in drawn if row["type"] == "lines"}
    assert set(stops) == {"waiting", "border", "gauge change", "port and transfer"}
    for name, cause in (("border", "border"), ("gauge change", "gauge"), ("port and transfer", "port")):
        days = sum(end[1] - start[1] for start, end in (row["coords"] for row in stops[name]))
        assert days == pytest.approx(sum(option.hours[cause] for option in answer.options) / 24, rel=1e-3)
        assert all(start[0] == end[0] for start, end in (row["coords"] for row in stops[name]))
    page.locator("#time-distance .twin > summary").click()
    with page.expect_download() as saving:
        page.locator("#time-distance").get_by_role("button", name="Save CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saving.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == sum(len(row["data"]) for row in lines)


def test_the_map_draws_the_chosen_way_on_land(open_page, route_file):
    page = open_page(route_file)
    path = page.evaluate(
        """() => { const [series] = karvan.chartOf(document.getElementById('chart-way-map')).getOption().series
             .filter((each) => each.id === 'way-0'); return series.data.flatMap((each) => each.coords); }"""
    )
    colours = page.evaluate(PIXELS, path[:: max(1, len(path) // 40)])
    assert sum(colour == [36, 81, 183] for colour in colours) > len(colours) / 3  # others lie under names and dots
    assert page.evaluate(PIXELS, [[98.0, 62.0]]) == [[247, 246, 242]]


def test_pictures_say_what_they_are(open_page, route_file, answer):
    page = open_page(route_file)
    for chart in ("#time-distance", "#way-map"):
        with page.expect_download() as saving:
            page.locator(chart).get_by_role("button", name="SVG").click()
        svg = Path(saving.value.path()).read_text(encoding="utf-8")
        words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))
        for part in ("Duisburg", "2027-03-01", "Not a quotation", "Karvan 0", "corridor hash"):
            assert part in words, chart
        with page.expect_download() as saving:
            page.locator(chart).get_by_role("button", name="PNG").click()
        assert len(Path(saving.value.path()).read_bytes()) > 20_000, chart


def test_the_report_tells_the_shipments_of_the_case(open_page, report_file, document):
    page = open_page(report_file)
    assert len(document["shipments"]) == 7
    page.locator("#shipment").select_option("3")
    shipment = document["shipments"][3]
    expect(page.locator("#ship-answer")).to_contain_text(shipment["commodity_name"])
    shown = page.locator("#shipments .way [data-key=time_d]").evaluate_all(CARDS)
    assert shown == pytest.approx([option["time_d"] for option in shipment["options"]])
    with page.expect_download() as saving:
        page.locator("#time-distance").get_by_role("button", name="SVG").click()
    assert document["run"]["run_id"] in Path(saving.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page(open_page, route_file, theme):
    page = open_page(route_file, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert axe(page) == []


def test_the_page_fits_a_telephone_and_holds_the_answer_whole(open_page, route_file, answer):
    page = open_page(route_file, width=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.evaluate("JSON.stringify(karvan.answer.options.map((each) => each.labels))") == json.dumps(
        [list(option.labels) for option in answer.options], separators=(",", ":")
    )
