"""The app's entry draws the same screen from documents that a server gives, under a policy that lets in nothing but that server."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread

import pytest
from playwright.sync_api import expect

from karvan.report import compare_screens, screen

STATIC = resources.files("karvan.report").joinpath("static")
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:"
TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html", "json": "application/json", "woff2": "font/woff2"}


@pytest.fixture(scope="module")
def server(small_run, two_ports):
    document = screen(small_run, two_ports)
    run_id = document["run"]["run_id"]
    answers = {
        "/api/runs": {"runs": [{"run_id": run_id, "name": "the first"}]},
        f"/api/runs/{run_id}/screen": document,
        f"/api/runs/{run_id}/screen/against/{run_id}": compare_screens(document, document),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            name = "app.html" if path == "/" else path.removeprefix("/static/")
            file = STATIC.joinpath(name)
            if path in answers:
                body, kind = json.dumps(answers[path]).encode(), "application/json"
            elif "/" not in name and file.is_file():
                body, kind = file.read_bytes(), TYPES.get(name.rpartition(".")[2], "text/plain")
            else:
                body, kind = b"", "image/x-icon"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-security-policy", POLICY)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}", run_id
    served.shutdown()
    served.server_close()


@pytest.mark.parametrize("query", ["", "?lang=ru&against={run_id}"])
def test_the_app_draws_a_saved_run(browser, server, query):
    address, run_id = server
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    troubles = []
    page.on("console", lambda told: troubles.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((address, "data:", "blob:")) else troubles.append(asked.url))
    page.goto(address + "/" + query.format(run_id=run_id) + "#still")
    expect(page.locator("body")).to_have_attribute("data-ready", "1", timeout=60_000)
    expect(page.locator("#ladder .rung").first).to_be_visible()
    assert page.locator("#compare").count() == (1 if query else 0)
    page.context.close()
    assert troubles == []
