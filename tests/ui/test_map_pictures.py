"""The map of the two ports against pictures of it that somebody has looked at; `--update-golden` takes them anew: look at each again.

Pictures are held against each other at half their size, where another way of smoothing edges leaves no trace. A line, a name or an
area that is missing, moved by some pixels or of another colour does.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

from karvan.report import render_page, screen

PICTURES = Path(__file__).parent / "pictures"
FAR = 24
"""Steps of 255 from which a colour counts as another."""
MOST = 0.0006
"""Share of points that may be of another colour: about twenty; a name has more."""
TAKEN = """() => {
  const canvases = [...document.querySelectorAll('#map canvas')];
  const [width, height] = [canvases[0].width >> 1, canvases[0].height >> 1];
  const small = Object.assign(document.createElement('canvas'), { width, height });
  const pen = small.getContext('2d', { willReadFrequently: true });
  pen.imageSmoothingQuality = 'high';
  canvases.forEach((canvas) => pen.drawImage(canvas, 0, 0, width, height));
  return small.toDataURL('image/png');
}"""
SIZED = """() => {  // whatever room the window's bars take
  const map = document.getElementById('map');
  Object.assign(map.style, { width: '960px', height: '540px' });
  karvan.map.chart.resize();
}"""
APART = """async ([ours, theirs, far]) => {
  const points = async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const pen = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height }).getContext('2d');
    pen.drawImage(image, 0, 0);
    return { size: [image.width, image.height].join(' x '), data: pen.getImageData(0, 0, image.width, image.height).data };
  };
  const [a, b] = [await points(ours), await points(theirs)];
  if (a.size !== b.size) return { size: [a.size, b.size], share: 1 };
  let other = 0;
  for (let at = 0; at < a.data.length; at += 4) if ([0, 1, 2].some((c) => Math.abs(a.data[at + c] - b.data[at + c]) > far)) other += 1;
  return { size: [a.size, b.size], share: (4 * other) / a.data.length };
}"""


@pytest.fixture(scope="module")
def small_file(small_run, two_ports, tmp_path_factory):
    file = tmp_path_factory.mktemp("small") / "report.html"
    file.write_text(render_page(screen(small_run, two_ports)), encoding="utf-8")
    return file


def taken(page, colour_by):
    page.evaluate(SIZED)
    page.locator(f"#where [data-choice={colour_by}]").click()
    page.locator("#where [data-choice=whole]").click()
    expect(page.locator("#where [data-choice=whole]")).to_have_attribute("aria-pressed", "true")
    page.evaluate("karvan.map.flush()")
    return page.evaluate(TAKEN)


def apart(page, ours, theirs):
    return page.evaluate(APART, [ours, theirs, FAR])["share"]


@pytest.mark.parametrize(("theme", "colour_by"), [("light", "mode"), ("dark", "use")])
def test_the_map_looks_as_it_did(open_page, small_file, pytestconfig, theme, colour_by):
    page = open_page(small_file, color_scheme=theme)
    picture = taken(page, colour_by)
    kept = PICTURES / f"two-ports-{theme}-{colour_by}.png"
    if pytestconfig.getoption("--update-golden"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(base64.b64decode(picture.partition(",")[2]))
    reference = f"data:image/png;base64,{base64.b64encode(kept.read_bytes()).decode('ascii')}"
    assert apart(page, picture, reference) <= MOST


def test_a_map_that_lacks_a_line_or_stands_elsewhere_is_told_apart(open_page, small_file):
    page = open_page(small_file)
    picture = taken(page, "mode")
    assert apart(page, picture, page.evaluate(TAKEN)) == 0
    page.evaluate("karvan.map.chart.setOption({ series: [{ id: 'places', label: { show: false } }] })")
    page.evaluate("karvan.map.flush()")
    assert apart(page, picture, page.evaluate(TAKEN)) > MOST
    page.evaluate("karvan.map.chart.setOption({ series: [{ id: 'links', data: [] }, { id: 'casing', data: [] }] })")
    page.evaluate("karvan.map.flush()")
    assert apart(page, picture, page.evaluate(TAKEN)) > MOST
    page.locator("#where [data-choice=use]").click()  # draws it again
    assert apart(page, picture, taken(page, "mode")) == 0
    page.locator("#map").press("ArrowRight")
    page.evaluate("karvan.map.flush()")
    assert apart(page, picture, page.evaluate(TAKEN)) > MOST
