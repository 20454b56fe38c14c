"""One year moved, as a browser asks for it: a server of its own, HTTP, one worker; the packaged Middle Corridor."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.page import write_section
from karvan.corridor import key_texts, load_corridor
from karvan.errors import DataError
from karvan.report.pdf import find_chromium

YEAR, MOVES = 2030, 60
WATCH = """(count) => { window.isDrawn = new Promise((done) => {
  const told = new MutationObserver(() => {
    if (document.body.dataset.liveCount === count) { told.disconnect(); done(); }
  });
  told.observe(document.body, { attributes: true });
}); }"""
"""The page itself says when it has drawn: an `expect` that fails reads the whole page for its message, which took more than half of the
time that was measured before."""


class Browser:
    """A connection that stays open, as a browser's does."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.token = parse_qs(parts.query)["token"][0]
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=300)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the server answers."""
        headers = {"X-Karvan-Token": self.token, "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        return json.loads(self.connection.getresponse().read())

    def move(self, **asked: Any) -> tuple[float, dict[str, Any]]:
        """Seconds until the whole answer is there, and the answer."""
        body = json.dumps({"client": "benchmark", "scenario": "agreed", "year": YEAR, **asked})
        begin = time.perf_counter()
        self.connection.request("POST", "/api/live", body, {"X-Karvan-Token": self.token, "Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        seconds = time.perf_counter() - begin
        if "problems" in answer:
            raise SystemExit(str(answer["problems"]))
        return seconds, answer


def sliders() -> dict[str, list[dict[str, Any]]]:
    """Moves of each kind: what is dragged goes from 0.7 to 1.3 of what it is, in an order that jumps as a hand does."""
    corridor = load_corridor("middle-corridor")
    facilities, tariffs, terminals = (corridor.tables[name] for name in ("facilities", "tariffs", "terminals"))
    factors = [0.7 + 0.6 * (number * 37 % MOVES) / (MOVES - 1) for number in range(MOVES)]
    names = ["kuryk_ferry_west", "aktau_general_cargo", "feeder_aktau_alat_west", "marmaray", "black_sea_feeder"]
    nominal = {row["facility_id"]: row["nominal"] for row in facilities.iter_rows(named=True)}
    known = [name for name in names if name in nominal] or list(nominal)[:5]
    rates = dict(zip(key_texts("tariffs", tariffs), tariffs["rate"].to_list(), strict=True))
    keys = [key for key in rates if rates[key] > 0][:: max(1, len(rates) // 10)]
    charges = {row["terminal_id"]: row["cost_usd_per_t"] for row in terminals.iter_rows(named=True) if row["cost_usd_per_t"] > 0}
    ids = list(charges)[:: max(1, len(charges) // 10)]

    def assignment(path: str, value: float) -> dict[str, Any]:
        return {"set": [f"{path}={value}"]}

    def pick(pool: list[str], number: int) -> str:
        return pool[number % len(pool)]

    return {
        "a capacity": [assignment(f"facilities.{(name := pick(known, n))}.nominal", nominal[name] * f) for n, f in enumerate(factors)],
        "a tariff": [assignment(f"tariffs.{(name := pick(keys, n))}.rate", rates[name] * f) for n, f in enumerate(factors)],
        "a charge of a terminal": [
            assignment(f"terminals.{(name := pick(ids, n))}.cost_usd_per_t", charges[name] * f) for n, f in enumerate(factors)
        ],
        "all demand": [{"demand_factor": {"any": f}} for f in factors],
    }


def at_95(values: list[float]) -> float:
    """The value that 95 in 100 do not exceed."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def on_screen(browser: Browser, address: str) -> list[tuple[str, str, str]]:
    """From the input of a slider to the map as drawn, in a Chromium with the page open; nothing where there is none."""
    try:
        from playwright.sync_api import expect, sync_playwright

        path = find_chromium()
    except (ImportError, DataError) as error:
        print(f"not measured on a screen: {error}")
        return []
    browser.ask("POST", "/api/jobs", {"scenario": "agreed", "years": {"first": YEAR, "last": YEAR}})
    found: dict[str, list[float]] = {"drawn": [], "answered": []}
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"]).new_page(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )  # fmt: skip
        page.goto(address)
        expect(page.locator("#ladder, #first-run").first).to_be_visible(timeout=300_000)
        expect(page.locator("#run-picker option")).to_have_count(1, timeout=600_000)
        page.reload()
        expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=300_000)
        page.locator("[data-part=assumptions]").click()
        sliders = page.locator("[data-ref^='facilities.'][data-ref$='.nominal']")
        for number in range(MOVES + 5):
            sliders.nth(number % 5).evaluate("(slider) => slider.focus({ preventScroll: true })")
            page.evaluate(WATCH, str(number + 1))
            page.keyboard.press("ArrowRight" if number % 10 < 5 else "ArrowLeft")
            page.evaluate("window.isDrawn")
        for name, mark in (("drawn", "karvan-live"), ("answered", "karvan-live-answer")):
            script = "(name) => performance.getEntriesByName(name).map((each) => each.duration)"
            found[name] = page.evaluate(script, mark)[5:]  # the first of each slider makes things ready
        page.context.browser.close()
    told = {"drawn": "slider to redrawn map, ladder and headline", "answered": "of which until the answer is there"}
    return [
        (text, f"{statistics.median(found[name]):.0f} ms", f"{at_95(found[name]):.0f} ms") for name, text in told.items()
    ]  # fmt: skip


def main(arguments: list[str]) -> None:
    """Both parts, or the one that is named: `screen` or `requests`."""
    parts = {"screen": measure_screen, "requests": measure_requests}
    for name in arguments or parts:
        parts[name]()


def measure_requests() -> None:
    """Requests alone."""
    command = ["serve", "--port", "0", "--no-browser", "--json", "--runs"]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.executable, "-m", "karvan.cli.main", *command, folder], stdout=subprocess.PIPE, encoding="utf-8")
        try:
            assert server.stdout is not None
            browser = Browser(json.loads(server.stdout.readline())["address"])
            first, _ = browser.move()
            rows = [("the year made ready", f"{first:.1f} s", "once")]
            every: list[float] = []
            inside: list[float] = []
            for kind, moves in sliders().items():
                for move in moves[:3]:
                    browser.move(**move)
                answers = [browser.move(**move) for move in moves]
                seconds = [taken for taken, _ in answers]
                routes = sorted({answer["routes"] for _, answer in answers})
                every += seconds
                inside += [float(answer["seconds"]) for _, answer in answers]
                rows.append(
                    (
                        f"{kind}, routes {' and '.join(routes)}",
                        f"{1e3 * statistics.median(seconds):.0f} ms",
                        f"{1e3 * at_95(seconds):.0f} ms",
                    )
                )
            rows.append(("all of these", f"{1e3 * statistics.median(every):.0f} ms", f"{1e3 * at_95(every):.0f} ms"))
            rows.append(("of which in the model's process", f"{1e3 * statistics.median(inside):.0f} ms", f"{1e3 * at_95(inside):.0f} ms"))
            slow, answer = browser.move(**{"with": ["three_ferries"]})
            rows.append((f"a measure put in, routes {answer['routes']}", f"{slow:.1f} s", "once"))
            again, _ = browser.move(**{"with": ["three_ferries"]})
            rows.append(("the same measure again", f"{1e3 * again:.0f} ms", "once"))
        finally:
            server.terminate()
            server.wait()
    write_section(
        "One year moved in the app",
        f"POST /api/live of the Middle Corridor, {YEAR}, `agreed`: {MOVES} moves of each kind, each from the base, over HTTP with one "
        "connection. Median, and in place of the worst what 95 in 100 do not exceed. The goal is below 300 ms there, drawing included.",
        rows,
    )
    for row in rows:
        print(*row)


def write_screen(rows: list[tuple[str, str, str]]) -> None:
    """The section of the page, with what else the machine did: it has the last word on what is drawn by software."""
    load = f" The machine had {os.cpu_count()} cores and a load of {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else ""
    write_section(
        "One year moved on the screen",
        f"The app in headless Chromium with software drawing at 1440 x 900, {YEAR}, `agreed`: {MOVES} steps of sliders of capacities, "
        "from the input of the slider to the frame in which map, ladder and headline are drawn. Median, and in place of the worst what 95 "
        f"in 100 do not exceed. The goal is below 300 ms there.{load}",
        rows,
    )


def measure_screen() -> None:
    """Requests and drawing, in a browser."""
    command = ["serve", "--port", "0", "--no-browser", "--json", "--runs"]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.executable, "-m", "karvan.cli.main", *command, folder], stdout=subprocess.PIPE, encoding="utf-8")
        try:
            assert server.stdout is not None
            address = json.loads(server.stdout.readline())["address"]
            rows = on_screen(Browser(address), address)
        finally:
            server.terminate()
            server.wait()
    if rows:
        write_screen(rows)
    for row in rows:
        print(*row)


if __name__ == "__main__":
    main(sys.argv[1:])
