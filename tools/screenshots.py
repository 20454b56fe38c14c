"""Take the pictures of docs/screens from a real run, with the network off. Look at every one of them before they are committed.

python tools/screenshots.py karvan-runs/RUN_ID --against karvan-runs/OTHER_ID --ladder ladder.json

Pictures of the report come from the page of the run, those of the app from a server on the folder that the run lies in.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from karvan.report.pdf import find_chromium
from karvan.study.report import report

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screens"
_OPTIONS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update"]
_WIDE = (1440, 900)
_DRAWN_MS = 60_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page of a run, open it, take each picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run folder")
    parser.add_argument("--against", type=Path, help="run to compare with")
    parser.add_argument("--ladder", type=Path, help="what `karvan ladder --json` printed")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of pictures (default: docs/screens)")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_OPTIONS)
        file = Path(scratch) / "report.html"
        report(given.run, out=file, ladder=given.ladder)
        for name, theme, size, prepare in _PICTURES:
            _take(browser, file, given.out / f"{name}.png", theme=theme, size=size, prepare=prepare)
        _pages(browser, file, given.out)
        if given.against is not None:
            file = Path(scratch) / "against.html"
            report(given.run, against=given.against, out=file)
            _take(browser, file, given.out / "report-compare.png", theme="light", size=(1440, 1100), prepare=_at("#compare"))
            _take(browser, file, given.out / "report-difference.png", theme="dark", size=_WIDE, prepare=_difference)
        _app(browser, given.run, given.against, given.out)
        browser.close()


def _at(selector: str) -> Callable[[Page], None]:
    """Scroll so that an element stands below the bar."""

    def prepare(page: Page) -> None:
        page.evaluate("(selector) => document.querySelector(selector).scrollIntoView({ behavior: 'instant' })", selector)

    return prepare


def _use(page: Page) -> None:
    page.locator("[data-choice=use]").click()
    _at("#where")(page)


def _card(page: Page) -> None:
    page.locator("[data-choice=crossing]").click()
    page.locator("#ladder .rung").first.click()
    _at("#where")(page)


def _goods(page: Page) -> None:
    page.locator("#where [data-choice=goods]").click()
    page.locator("#where [data-choice=all]").click()
    _at("#where")(page)


def _shipment(page: Page) -> None:
    page.locator("#shipment").select_option(index=2)
    expect(page.locator("#chart-way-map canvas").first).to_be_visible(timeout=_DRAWN_MS)
    _at("#shipments")(page)


def _russian(page: Page) -> None:
    page.get_by_label("Language").select_option("ru")
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=_DRAWN_MS)


def _difference(page: Page) -> None:
    page.locator("#compare").get_by_role("button", name="Difference").click()
    _at("#compare")(page)


def _stay(page: Page) -> None:
    """The page as it opens."""


_PICTURES: tuple[tuple[str, str, tuple[int, int], Callable[[Page], Any]], ...] = (
    ("report-first", "light", _WIDE, _stay),
    ("report-light", "light", (1440, 1060), _at("#where")),
    ("report-dark", "dark", (1440, 1060), _use),
    ("report-card", "light", (1440, 1060), _card),
    ("report-promises", "light", (1440, 1060), _at("#promises")),
    ("report-corridors", "light", (1440, 1200), _at("#routes")),
    ("report-goods", "light", (1440, 1060), _goods),
    ("report-routes", "light", (1440, 1300), _shipment),
    ("report-russian", "dark", _WIDE, _russian),
    ("report-phone", "light", (400, 900), _at("#where")),
)


def _app(browser: Browser, run: Path, against: Path | None, out: Path) -> None:
    """The app before a server of its own."""
    command = [sys.executable, "-m", "karvan.cli.main", "serve", "--port", "0", "--no-browser", "--json", "--runs", str(run.parent)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        base = address.partition("?")[0]
        for name, theme, size, prepare in _APP_PICTURES:
            if against is None and prepare in (_app_compare, _app_difference):
                continue
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce"
            )  # fmt: skip
            page = context.new_page()
            page.goto(address)
            page.goto(f"{base}?run={run.name}" + ("" if against is None else f"&against={against.name}"))
            expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=_DRAWN_MS)
            prepare(page)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            page.screenshot(path=out / f"{name}.png")
            context.close()
            print(out / f"{name}.png")
    finally:
        server.terminate()
        server.wait()


def _view(page: Page, name: str) -> None:
    page.locator(f"nav a[data-view={name}]").click()
    page.mouse.move(0, 0)
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=_DRAWN_MS)


def _app_live(page: Page) -> None:
    page.locator("[data-part=assumptions]").click()
    slider = page.locator(".measure-list input[type=range]").nth(1)
    slider.press("End")
    expect(page.locator("body")).to_have_attribute("data-live-count", "1", timeout=_DRAWN_MS)


def _app_compare(page: Page) -> None:
    _view(page, "compare")
    expect(page.locator("#table-compare-outlook")).to_be_visible(timeout=_DRAWN_MS)


def _app_difference(page: Page) -> None:
    _app_compare(page)
    page.locator("#compare").get_by_role("button", name="Difference").click()


def _app_market(page: Page) -> None:
    _view(page, "corridors")
    page.locator("#market").select_option(index=2)
    page.get_by_role("button", name="Why it chose as it did").click()
    page.locator("[data-form=loose]").or_(page.locator("#table-routes")).first.wait_for(timeout=_DRAWN_MS)
    if page.locator("[data-form=loose]").count():
        page.locator("[data-form=loose]").click()
    expect(page.locator("#table-routes")).to_be_visible(timeout=_DRAWN_MS)


def _app_element(page: Page) -> None:
    page.locator("#ladder .rung").first.click()
    page.locator("[data-ask=select-link]").click()
    expect(page.locator("#table-bundles")).to_be_visible(timeout=_DRAWN_MS)


def _ask_route(page: Page, *, goods: str, **asked: str) -> None:
    _view(page, "routes")
    page.locator("#ship-goods").select_option(goods)
    for name, value in asked.items():
        page.locator(f"#ship-{name}").fill(value)
    page.locator("#ship-find").click()
    expect(page.locator("#ship-answer")).to_be_visible(timeout=_DRAWN_MS)


def _app_routes(page: Page) -> None:
    _ask_route(
        page, goods="container_general", **{"from": "Chongqing (Tuanjiecun)"}, to="Duisburg", ready="2027-03-01", deadline="2027-03-25"
    )


def _app_refused(page: Page) -> None:
    _ask_route(page, goods="grain", **{"from": "Kostanay"}, to="Yerevan", ready="2025-10-01", via="r_boyuk_kesik__gardabani")


def _simulated(page: Page) -> None:
    """A month of the crossings, kept by the server once it was simulated."""
    _view(page, "crossings")
    page.locator("#crossing-network").select_option("agreed")
    page.locator("#crossing-year").select_option("2030")
    page.locator("#crossing-start").click()
    expect(page.locator("#crossing-answer")).to_be_visible(timeout=10 * _DRAWN_MS)


def _app_crossings(page: Page) -> None:
    _simulated(page)
    page.locator("#crossing-hour").fill("300")
    page.evaluate("scrollTo(0, 0)")


def _app_berths(page: Page) -> None:
    _simulated(page)
    _at("#crossing-gantt")(page)


def _answered(page: Page, view: str, form: str, ticked: str | None = None, **chosen: str) -> None:
    """Ask in a room whose answer is a page of its own, and wait: a plan takes minutes."""
    _view(page, view)
    for field, value in chosen.items():
        page.locator(f"#{form}-{field}").select_option(value)
    if ticked is not None:
        page.locator(ticked).check()
    page.locator(f"#{form}-start").click()
    expect(page.locator(f"#{form}-place h2").first).to_be_visible(timeout=15 * _DRAWN_MS)
    _at(f"#{form}-place")(page)


def _app_power(page: Page) -> None:
    _answered(page, "energy", "energy", ticked="#energy-sizes", what="power", year="2034", network="agreed")


def _app_oil(page: Page) -> None:
    _answered(page, "energy", "energy", what="oil", year="2028", network="agreed")


def _app_tariffs(page: Page) -> None:
    _answered(page, "trade", "trading", what="tariffs", year="2030", network="agreed")


def _app_trade(page: Page) -> None:
    _answered(page, "trade", "trading", what="trade", year="2028", network="agreed")


def _app_appraisal(page: Page) -> None:
    _answered(page, "money", "money", ticked="#money-set input[value=three_ferries]", what="appraisal", network="baseline")


def _app_plan(page: Page) -> None:
    _answered(page, "money", "money", what="plan", network="baseline")


def _app_tables(page: Page) -> None:
    _view(page, "tables")
    expect(page.locator("#run-table")).to_be_visible(timeout=_DRAWN_MS)


def _app_sources(page: Page) -> None:
    _view(page, "sources")
    page.locator("#inputs-of").select_option("facilities", timeout=_DRAWN_MS)
    expect(page.locator("#inputs-table tbody th").first).to_contain_text("facilities", timeout=_DRAWN_MS)


_APP_PICTURES: tuple[tuple[str, str, tuple[int, int], Callable[[Page], Any]], ...] = (
    ("app-map", "light", _WIDE, _stay),
    ("app-live", "light", _WIDE, _app_live),
    ("app-compare", "light", _WIDE, _app_compare),
    ("app-difference", "dark", _WIDE, _app_difference),
    ("app-element", "light", _WIDE, _app_element),
    ("app-market", "light", _WIDE, _app_market),
    ("app-routes", "light", (1440, 1250), _app_routes),
    ("app-refused", "dark", (1440, 1000), _app_refused),
    ("app-crossings", "light", (1440, 1200), _app_crossings),
    ("app-berths", "dark", (1440, 1300), _app_berths),
    ("app-power", "light", (1440, 1300), _app_power),
    ("app-oil", "dark", (1440, 1300), _app_oil),
    ("app-tariffs", "light", (1440, 1300), _app_tariffs),
    ("app-trade", "dark", (1440, 1300), _app_trade),
    ("app-appraisal", "light", (1440, 1300), _app_appraisal),
    ("app-tables", "dark", _WIDE, _app_tables),
    ("app-sources", "light", _WIDE, _app_sources),
    ("app-phone", "light", (400, 900), _stay),
    ("app-plan", "dark", (1440, 1300), _app_plan),
)


def _open(browser: Browser, file: Path, *, theme: str, size: tuple[int, int], mark: str) -> Page:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, offline=True, color_scheme="dark" if theme == "dark" else "light"
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{file.as_uri()}#{mark}")
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=_DRAWN_MS)
    return page


def _take(browser: Browser, file: Path, out: Path, *, theme: str, size: tuple[int, int], prepare: Callable[[Page], Any]) -> None:
    page = _open(browser, file, theme=theme, size=size, mark="still")
    prepare(page)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.screenshot(path=out)
    page.context.close()
    print(out)


def _pages(browser: Browser, file: Path, folder: Path) -> None:
    """The two pages of the brief as they are printed."""
    page = _open(browser, file, theme="light", size=(800, 1000), mark="print")
    page.emulate_media(media="print")
    for number, each in enumerate(page.locator(".brief-page").all(), start=1):
        out = folder / f"brief-{number}.png"
        each.screenshot(path=out)
        print(out)
    page.context.close()


if __name__ == "__main__":
    main()
