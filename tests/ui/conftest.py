"""A Chromium, and pages opened in it with the network off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from karvan.errors import DataError
from karvan.report import compare_screens, render_page, screen
from karvan.report.page import render_map
from karvan.report.pdf import find_chromium
from karvan.results import load_run
from karvan.study import ScenarioOptions, run
from karvan.study.drawing import MapPage
from karvan.study.report import screen_of_run

OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # What an address bar would suggest, and a page kept ready for the next address: a second of work a page, and nobody sees either.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess",
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
    return screen_of_run(real_run.folder)


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
    frame = MapPage(render_map(document, language="ru"), "")._repr_html_()
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


class Served:
    """`karvan serve` of the two ports as somebody starts it."""

    def __init__(self, runs: Path) -> None:
        command = [sys.executable, "-m", "karvan.cli.main", "serve", "--corridor", "two-ports", "--port", "0", "--no-browser", "--json"]
        self.runs = runs
        self.process = subprocess.Popen(
            [*command, "--runs", str(runs)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )  # fmt: skip
        self.address = json.loads(self.process.stdout.readline())["address"]
        self.base, _, self.token = self.address.partition("/?token=")

    def ask(self, path: str, body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Karvan-Token": self.token, "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers), timeout=DRAWN_MS / 1000) as answer:
            return json.loads(answer.read())

    def run(self, **asked: object) -> str:
        """Id of a run that has been made."""
        job = self.ask("/api/jobs", {"scenario": "agreed", "years": {"first": 2024, "last": 2027}, **asked})
        events = urllib.request.urlopen(f"{self.base}/api/jobs/{job['job_id']}/events", timeout=DRAWN_MS / 1000)
        with events:
            events.read()  # ends with the job
        done = self.ask(f"/api/jobs/{job['job_id']}")
        assert done["state"] == "done", done
        return done["run_id"]

    def workers(self) -> list[int]:
        """Processes that compute for it."""
        found = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(word) for path in found for word in path.read_text(encoding="ascii").split()]
        return [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(DRAWN_MS / 1000)
        self.process.stdout.close()


@pytest.fixture
def serve_in():
    """Starts servers, also one after the other on the same folder of runs."""
    started = []

    def begin(runs: Path) -> Served:
        started.append(Served(runs))
        return started[-1]

    yield begin
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """One server with three runs, for tests that leave them as they are."""
    server = Served(tmp_path_factory.mktemp("served") / "runs")
    server.run(name="Pass shut to grain", set=["permissions.pass_closed_to_grain.in_force=true"])
    server.run(name="Without the ferry", without=["bigger_ferry"])
    server.run(name="As announced")
    yield server
    server.stop()


@pytest.fixture
def open_app(browser):
    """Opens a served page with motion off; what it asks of others, and what it complains of, fails the test."""
    contexts, troubles = [], []

    def opened(server: Served, path: str = "", *, width: int = 1440, is_lost: bool = False, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        if not is_lost:  # a browser itself complains of a server that went away
            page.on("console", lambda told: troubles.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith((server.base, "data:", "blob:")) else troubles.append(asked.url))
        page.goto(server.address)
        if path:
            page.goto(server.base + "/" + path)
        expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=DRAWN_MS)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
