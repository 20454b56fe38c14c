"""A server of the two ports, in this process and as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from karvan.web.app import create_app
from karvan.web.server import Server
from karvan.web.settings import Settings

PORT = 8765
SECONDS = 120.0
"""Far more than anything here takes; a test that waits so long has failed."""


def until(found: Callable[[], object], seconds: float = SECONDS) -> object:
    """Wait until something is found, and give it."""
    ends = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > ends:
            raise AssertionError("waited in vain")
        time.sleep(0.02)
    return value


@dataclass
class Opened:
    """A server in this process, and a client that may change things."""

    server: Server
    client: TestClient

    def ended(self, job_id: str) -> dict:
        def look() -> dict | None:
            job = self.client.get(f"/api/jobs/{job_id}").json()
            return job if job["ended_at"] else None

        return until(look)

    def run(self, **asked: object) -> str:
        """Id of a run that has been computed, or was there."""
        job = self.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2027}, **asked}).json()
        done = self.ended(job["job_id"])
        assert done["state"] == "done", done
        return done["run_id"]


def open_server(runs: Path, **settings: object) -> Iterator[Opened]:
    server = Server(Settings(corridor="two-ports", runs=runs, **settings), port=PORT)
    headers = {"X-Karvan-Token": server.sessions.launch_token}
    with TestClient(
        create_app(server, files={}), base_url=f"http://127.0.0.1:{PORT}", headers=headers, raise_server_exceptions=False
    ) as client:
        yield Opened(server, client)


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """One for all tests that leave nothing behind that another could trip over."""
    yield from open_server(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Opened]:
    yield from open_server(tmp_path / "runs")


@pytest.fixture(scope="session")
def plain_run(opened: Opened) -> str:
    return opened.run(name="plain")


@pytest.fixture(scope="session")
def other_run(opened: Opened) -> str:
    return opened.run(name="other", without=["bigger_ferry"], set=["tariffs.sea_bulk.rate=90"])


class Process:
    """`karvan serve` as somebody starts it."""

    def __init__(self, runs: Path, *more: str) -> None:
        command = [sys.executable, "-m", "karvan.cli.main", "serve", "--corridor", "two-ports", "--port", "0", "--no-browser", "--json"]
        self.runs = runs
        self.errors = (runs.parent / "errors.txt").open("a", encoding="utf-8")
        self.process = subprocess.Popen(
            [*command, "--runs", str(runs), *more], stdout=subprocess.PIPE, stderr=self.errors, encoding="utf-8", start_new_session=True
        )
        line = self.process.stdout.readline()
        assert line, (runs.parent / "errors.txt").read_text(encoding="utf-8")
        self.address = json.loads(line)["address"]
        base, _, token = self.address.partition("?token=")
        self.client = httpx2.Client(base_url=base, headers={"X-Karvan-Token": token}, timeout=SECONDS, trust_env=False)
        self.base, self.token = base, token
        self.others: list[httpx2.Client] = []
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.client.get("/api/session").status_code == 200
        except httpx2.TransportError:
            return False

    def another_client(self) -> httpx2.Client:
        self.others.append(httpx2.Client(base_url=self.base, headers={"X-Karvan-Token": self.token}, timeout=SECONDS, trust_env=False))
        return self.others[-1]

    def ended(self, job_id: str) -> dict:
        def look() -> dict | None:
            job = self.client.get(f"/api/jobs/{job_id}").json()
            return job if job["ended_at"] else None

        return until(look)

    def stop(self, number: int = signal.SIGINT) -> int:
        for client in (self.client, *self.others):
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self.process.stdout.close()
        self.errors.close()
        return code


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for the tests of a module that leave it running, each with jobs of its own."""
    process = Process(tmp_path_factory.mktemp("running") / "runs")
    yield process
    process.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts servers on the same folder of runs, one after the other."""
    started: list[Process] = []

    def begin(*more: str) -> Process:
        started.append(Process(tmp_path / "runs", *more))
        return started[-1]

    yield begin
    for process in started:
        if not process.errors.closed:
            process.stop(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
