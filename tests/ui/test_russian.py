"""No English is left in the Russian screen of the packaged case, but for an explicit list."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from karvan.corridor import load_corridor
from karvan.report import render_page
from tests.ui.conftest import DRAWN_MS

# What tables, notes of their rows and sources say stands in `.known` as their authors wrote it.
TEXTS = """() => {
  document.querySelectorAll('details').forEach((each) => { each.open = true; });
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode;
    const where = parentElement.closest('[id]')?.id ?? '';
    if (!parentElement.closest('script, style, pre, code, #language, .known')) found.push([textContent.trim(), where]);
  }
  for (const each of document.querySelectorAll('[aria-label], [title], [placeholder]'))
    for (const name of ['aria-label', 'title', 'placeholder']) found.push([each.getAttribute(name) ?? '', each.closest('[id]')?.id ?? '']);
  return found;
}"""
NAMES = frozenset(
    re.findall(
        r"\w+",
        """Karvan PNG SVG CSV XLSX GeoJSON JSON SOCAR TRIPP AECOM AIH ADY AZCON TCDD KTZE Khorgos Gateway Semurg Invest Global Union Middle
        Corridor Multimodal Green Alliance APM Terminals Poti PTC Trans Terminal Ports China Railway Container Transport AzerTelecom CESI
        QazaqGaz Construction
        Drewry Natural Earth Time Cost Distance Methodology UNESCAP ISO GLEC LOCODE middle corridor direction basis rate note exp""",
    )
)
"""Words that Russian writes in Latin letters, too: names of firms, of kinds of files, of methods; the case's id and columns of a file."""
LISTED = (
    "inputs-of",
    "table-validation",
    "source-list",
    "table-source-list",
    "table-inputs",
    "inputs",
    "run-table",
    "filter-column",
    "table-name",
)
"""Places that tell ids, names of tables, titles of sources and what a source says its value counts, as they stand in the tables."""
WORD = re.compile(r"[A-Za-z]{3,}")
ID = re.compile(r"\b[a-z0-9]+(?:[_.][a-z0-9_]+)+\b|\b[0-9a-f]{8,}\b|\([a-z]+\)|https?://\S+|karvan [a-z-]+( --[a-z]+)?")


@pytest.fixture(scope="module")
def told():
    """Texts of the case that may stand as they are: titles of sources, and ids."""
    corridor = load_corridor("middle-corridor")
    sources = corridor.tables["sources"]
    return {*sources["title"], *sources["source_id"], *corridor.scenarios_text}


def english(texts, told):
    """Texts with an English word, less the explicit list."""
    found = []
    for text, where in texts:
        if where in LISTED or any(text.startswith(each) for each in told):
            continue
        left = [word for word in WORD.findall(ID.sub(" ", text)) if word not in NAMES and word not in told and not word.isupper()]
        if left:
            found.append((where, text[:120], left[:3]))
    return found


def test_the_report_is_russian(open_page, document, told, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render_page(document, language="ru"), encoding="utf-8")
    page = open_page(file)
    texts = page.evaluate(TEXTS)
    page.wait_for_timeout(500)  # tables are filled once their drawer is open
    assert english([*texts, *page.evaluate(TEXTS)], told) == []


@pytest.fixture(scope="module")
def packaged(real_run):
    """A server of the packaged case with the session's run."""
    command = [
        sys.executable,
        "-m",
        "karvan.cli.main",
        "serve",
        "--port",
        "0",
        "--no-browser",
        "--json",
        "--runs",
        str(real_run.folder.parent),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    yield json.loads(process.stdout.readline())["address"]
    process.terminate()
    process.wait(DRAWN_MS / 1000)
    process.stdout.close()


def test_the_app_is_russian(browser, packaged, told):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(packaged)
    base = packaged.partition("/?")[0]
    left = []
    for view in ("map", "routes", "corridors", "compare", "sources", "runs"):
        page.goto(f"{base}/?view={view}&lang=ru")
        expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=DRAWN_MS)
        if view == "sources":
            page.locator("#inputs-table").evaluate("(table) => table.remove()")  # every input with its note, as its author wrote it
        left += [(view, *each) for each in english(page.evaluate(TEXTS), told)]
    context.close()
    assert left == []


def _card_of_a_rung(page):
    page.locator("#ladder .rung").first.click()
    page.locator(".detail details > summary").last.click()
    expect(page.locator(".known .chip").first).to_be_visible()
    page.locator("[data-ask=select-link]").click()
    expect(page.locator("#table-bundles")).to_be_visible(timeout=DRAWN_MS)
    page.locator("#table-bundles tbody button").first.click()
    expect(page.locator("#table-routes tbody tr").first).to_be_visible(timeout=DRAWN_MS)


def _assumptions(page):
    page.locator("[data-part=assumptions]").click()
    expect(page.locator(".assumption").first).to_be_visible()


def _way_of_a_shipment(page):
    expect(page.locator("#ship-answer")).to_be_visible(timeout=DRAWN_MS)


def _refusal(page):
    expect(page.locator("#ship-place [role=alert]")).to_be_visible(timeout=DRAWN_MS)


@pytest.mark.parametrize(
    ("address", "walk"),
    [
        ("view=map", _card_of_a_rung),
        ("view=map", _assumptions),
        ("view=routes&from=xian&to=absheron&goods=container_general&ready=2026-03-01&carrier=TR", _way_of_a_shipment),
        ("view=routes&from=kostanay&to=yerevan&goods=grain&ready=2025-10-01&avoid=RU", _way_of_a_shipment),
        ("view=routes&from=kostanay&to=атлантида&goods=grain&ready=2025-10-01", _refusal),
    ],
)
def test_what_clicks_bring_up_is_russian(browser, packaged, told, address, walk):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(packaged)
    page.goto(f"{packaged.partition('/?')[0]}/?{address}&lang=ru")
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=DRAWN_MS)
    walk(page)
    left = english(page.evaluate(TEXTS), told)
    context.close()
    assert left == []
