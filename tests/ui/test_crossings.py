"""A simulated month in a real browser: as a page of its own, and asked for in the app."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from karvan.report import crossings_screen
from karvan.report.page import render_page
from karvan.study.report import answer_report, screen_of_run
from tests.ui.test_app import LONG_MS, axe, view

SERIES = "(id) => karvan.chartOf(document.getElementById(`chart-crossing-${id}`)).getOption().series"
ROWS = "(table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => Number(cell.dataset.value)))"


@pytest.fixture(scope="module")
def told(month_of_two_ports, two_ports):
    return crossings_screen(month_of_two_ports, two_ports, version="0")


@pytest.fixture(scope="module")
def file(month_of_two_ports, two_ports, tmp_path_factory):
    path = tmp_path_factory.mktemp("crossings") / "crossings.html"
    answer_report(month_of_two_ports, two_ports, path)
    return path


def active(told, hour):
    return [state for ship in told["month"]["ships"] for start, end, state, *_ in ship["states"] if start <= hour < end]


def test_the_map_and_its_table_hold_every_ship_at_the_hour(open_page, file, told):
    page = open_page(file)
    page.locator("#crossing-map .twin > summary").click()
    for hour in (0, 100, 333):
        page.locator("#crossing-hour").fill(str(hour))
        states = active(told, hour)
        drawn = next(row for row in page.evaluate(f"({SERIES})('map')") if row["id"] == "ships")["data"]
        assert sorted(each["told"]["state"] for each in drawn) == sorted(states)
        cells = page.locator("#table-crossing-map").evaluate(ROWS)
        assert sum(sum(row[3:]) for row in cells) == len(states)
        expect(page.locator("#crossing-map")).to_contain_text(f"{states.count('sailing')} ship")


def test_the_month_is_gone_through_by_keyboard_and_in_steps(open_page, file):
    page = open_page(file)
    slider = page.get_by_role("slider", name="Hour of the month")
    slider.press("ArrowRight")
    assert slider.input_value() == "1"
    assert re.fullmatch(r"[A-Z][a-z]+ 1, 01:00", slider.get_attribute("aria-valuetext"))
    page.locator("[data-step='6']").click()
    page.locator("[data-step='6']").press("Enter")
    assert slider.input_value() == "13"
    page.locator("[data-step='-6']").click()
    assert slider.input_value() == "7"
    slider.press("End")
    expect(page.locator("#crossing-play")).to_have_attribute("aria-pressed", "false")


def test_without_motion_it_goes_on_in_steps_and_pauses(open_page, file):
    page = open_page(file)  # opened still
    play, slider = page.locator("#crossing-play"), page.locator("#crossing-hour")
    play.press("Enter")
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(slider).to_have_js_property("value", "6", timeout=LONG_MS)
    play.press("Enter")
    expect(play).to_have_attribute("aria-pressed", "false")
    stopped = int(slider.input_value())
    assert stopped > 0
    assert stopped % 6 == 0


def test_with_motion_ships_move_between_the_hours(open_page, file):
    page = open_page(file, mark="moving", reduced_motion="no-preference")
    page.locator("#crossing-play").click()
    page.wait_for_function("() => Number(document.getElementById('crossing-hour').value) > 3", timeout=LONG_MS)
    page.locator("#crossing-play").click()
    page.evaluate("karvan.store.set({ still: true })")
    expect(page.locator("#crossing-play")).to_have_attribute("aria-pressed", "false")


def test_berths_hold_every_stay_and_closures_are_shaded(open_page, file, told):
    page = open_page(file)
    page.locator("#crossing-port").select_option("all")
    series = page.evaluate(f"({SERIES})('gantt')")
    lanes = told["month"]["berths"]
    assert sum(len(row["data"]) for row in series[1:]) == sum(len(lane["visits"]) for lane in lanes)
    assert len(series[0]["data"]) == len(told["month"]["closed"])  # of the one berth whose port weather shuts
    page.locator("#crossing-gantt .twin > summary").click()
    rows = page.locator("#table-crossing-gantt").evaluate(ROWS)
    assert [row[4] for row in rows] == pytest.approx([end - start for lane in lanes for start, end, _ in lane["visits"]])
    page.locator("#crossing-port").select_option("west_port")
    expect(page.locator("#table-crossing-gantt tbody tr")).to_have_count(
        sum(len(lane["visits"]) for lane in lanes if lane["berth_id"] == "west_berth")
    )


def test_causes_add_up_to_the_days(open_page, file, month_of_two_ports):
    page = open_page(file)
    series = page.evaluate(f"({SERIES})('causes')")
    mean, tail = (sum(row["data"][place] for row in series) for place in (0, 1))
    stream = month_of_two_ports.streams.row(0, named=True)
    assert mean == pytest.approx(stream["transit_d"], rel=0.01)  # causes too small to see are left out
    assert tail == pytest.approx(stream["transit_p95_d"], rel=0.1)
    shown = page.locator("#table-streams [data-key=transit_d]").get_attribute("data-value")
    assert float(shown) == pytest.approx(stream["transit_d"], rel=1e-5)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_the_page_fits_a_telephone(open_page, file, theme):
    page = open_page(file, width=400, color_scheme=theme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_in_the_app_it_is_asked_for_and_kept_and_russian(served, open_app):
    page = open_app(served, "?view=crossings")
    page.locator("#crossing-network").select_option("baseline")
    page.locator("#crossing-year").select_option("2024")
    page.locator("#crossing-start").press("Enter")
    expect(page.locator("#crossings-progress")).to_be_visible()
    expect(page.locator("#crossing-answer")).to_be_focused(timeout=LONG_MS)
    expect(page.locator("[data-note=unstable]")).to_contain_text("the backlog grows by")  # the market sends more than ships carry
    expect(page.locator("#chart-crossing-map canvas").first).to_be_visible()
    assert axe(page) == []
    view(page, "runs")
    view(page, "crossings")
    expect(page.locator("#crossing-answer")).to_be_visible()
    page.locator("#language").select_option("ru")
    expect(page.locator("#crossing-answer")).to_be_visible()
    expect(page.locator("nav a[aria-current=page]")).to_have_text("Переправы")


def test_in_the_app_it_is_cancelled(served, open_app):
    page = open_app(served, "?view=crossings", is_lost=True)
    held = []
    page.route("**/api/crossings", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    page.route("**/api/crossings/*", lambda route: route.fulfill(json={"state": "running", "step": "40 replications"}))
    page.locator("#crossing-start").click()
    expect(page.get_by_text("40 replications")).to_be_visible()
    with page.expect_request(lambda request: request.method == "DELETE" and "/api/crossings/" in request.url):
        page.locator("#crossings-cancel").click()
    held[0].fulfill(status=409, json={"problems": [{"key": "cancelled", "message": "cancelled"}]})
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    expect(page.locator("#crossing-place .problem")).to_have_count(0)


def test_capacities_are_chosen_in_the_drawer(served, open_app):
    page = open_app(served, is_lost=True)
    page.locator("#capacities").select_option("simulated")
    expect(page.locator(".edited-mark")).to_have_text("Not yet run: 1")
    page.route("**/api/jobs", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/api/jobs")) as sent:
        page.locator("#run").click()
    assert sent.value.post_data_json["capacities"] == "simulated"


def test_the_page_of_a_run_shows_berths_of_a_month(open_page, small_run, told, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render_page({**screen_of_run(small_run.folder), "crossings": told}), encoding="utf-8")
    page = open_page(file)
    expect(page.get_by_role("link", name="Crossings")).to_have_attribute("href", "#crossings")
    page.locator("#crossings #crossing-gantt .twin > summary").click()
    page.locator("#crossing-port").select_option("all")
    stays = sum(len(lane["visits"]) for lane in told["month"]["berths"])
    expect(page.locator("#table-crossing-gantt tbody tr")).to_have_count(stays)
    assert sum(len(row["data"]) for row in page.evaluate(f"({SERIES})('gantt')")[1:]) == stays
