"""The map of a notebook's cell in a real browser: drawn in its frame without a request, alive, and small."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from karvan.study.drawing import Drawing
from tests.ui.conftest import DRAWN_MS


def test_the_map_draws_in_its_frame_and_answers(open_page, cell_file, document):
    page = open_page(cell_file)
    for index in (0, 1):
        page.locator("iframe").nth(index).scroll_into_view_if_needed()
        frame = page.frame_locator("iframe").nth(index)
        expect(frame.locator("body")).to_have_attribute("data-ready", "1", timeout=DRAWN_MS)
    expect(frame.locator("html")).to_have_attribute("lang", "ru")
    expect(frame.get_by_text("Где это движется")).to_be_visible()
    inside = page.frames[2]
    colours = inside.evaluate(
        """() => { const all = document.querySelector('#map canvas'); const { width, height } = all;
        const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true });
        copy.drawImage(all, 0, 0); const data = copy.getImageData(0, 0, width, height).data;
        const found = new Set(); for (let i = 0; i < data.length; i += 4) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        return [...found]; }"""
    )
    assert {"227,237,244", "247,246,242"} <= set(colours)  # sea and land
    slider = frame.get_by_role("slider")
    slider.press("Home")
    expect(frame.locator("output.year")).to_have_text(str(document["years"][0]))
    slider.press("ArrowRight")  # the run has no year after its first: the nearest one is shown
    expect(frame.locator("output.year")).to_have_text(str(document["years"][0]))
    slider.press("End")
    expect(frame.locator("output.year")).to_have_text(str(document["years"][-1]))


def test_a_cell_with_the_map_of_the_packaged_case_is_small(cell_file):
    assert cell_file.stat().st_size < 2 * 750_000


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_chart_is_drawn_by_a_browser_as_it_stands(open_page, real_run, tmp_path, language):
    from karvan.report import Words
    from karvan.report.plots import outlook_plot

    drawing = Drawing(outlook_plot(real_run.report, words=Words(language)), "")
    file = tmp_path / "chart.html"
    file.write_text(f"<!doctype html><meta charset='utf-8'><body data-ready='1'>{drawing._repr_svg_()}</body>", encoding="utf-8")
    page = open_page(file)
    assert page.locator("svg").bounding_box()["width"] == pytest.approx(760, abs=1)
    boxes = page.locator("svg text").evaluate_all("(all) => all.map((each) => { const b = each.getBBox(); return [b.x, b.x + b.width]; })")
    assert all(left >= 0 and right <= 760 for left, right in boxes)  # no word is cut off
