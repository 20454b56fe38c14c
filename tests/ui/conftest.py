"""A Chromium, and pages opened in it with the network off."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from karvan.corridor import load_corridor
from karvan.errors import DataError
from karvan.report import compare_screens, render_page, screen
from karvan.report.page import render_map
from karvan.report.pdf import find_chromium
from karvan.results import load_run
from karvan.study import ScenarioOptions, run
from karvan.study.drawing import MapPage

OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
DRAWN_MS = 60_000  # how long a page may take on a machine that does other work; no test is slower for it


@pytest.fixture(scope="session")
def browser():
    try:
        path = find_chromium()
    except DataError:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def document(real_run):
    return screen(real_run, load_corridor("middle-corridor"))


@pytest.fixture(scope="session")
def report_file(document, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render_page(document), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def comparison_file(small_run, two_ports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    options = ScenarioOptions(set_values=("facilities.ferry.nominal=3000",))
    run(two_ports, years=(2024, 2025, 2026), options=options, out=folder / "other")
    ours, theirs = screen(small_run, two_ports), screen(load_run(folder / "other"), two_ports)
    file = folder / "against.html"
    file.write_text(render_page(ours, against=theirs, comparison=compare_screens(ours, theirs)), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def cell_file(document, tmp_path_factory):
    """A page as a notebook makes it: two cells, each with the map of the same run in a frame."""
    file = tmp_path_factory.mktemp("notebook") / "cells.html"
    frame = MapPage(render_map(document, language="ru"))._repr_html_()
    file.write_text(f"<!doctype html><meta charset='utf-8'><body data-ready='1'>{frame}{frame}</body>", encoding="utf-8")
    return file


@pytest.fixture
def open_page(browser):
    """Opens a file with the network off; what it asks for or complains of fails the test."""
    contexts, troubles = [], []

    def opened(file: Path, *, mark: str = "still", width: int = 1440, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda told: troubles.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else troubles.append(asked.url))
        page.goto(f"{file.as_uri()}#{mark}")
        expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=DRAWN_MS)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
