"""A server as a process of its own: stopped, killed, started again, used by two at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.conftest import until

LONG = {"name": "long", "years": {"first": 2024, "last": 2200}}
SHORT = {"name": "short", "years": {"first": 2024, "last": 2026}}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent to the server")


def lines_of(answer) -> Iterator[dict[str, str]]:
    """Events of a stream as they come."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if line.startswith(":"):
            continue
        if line:
            key, _, value = line.partition(": ")
            event[key] = value
        elif "event" in event:
            yield event
            event = {}
        else:
            event = {}


def begun(server, job_id: str) -> dict:
    """The job once it has told that it is at work."""

    def look():
        job = server.client.get(f"/api/jobs/{job_id}").json()
        return job if job["progress"]["share"] > 0 else None

    return until(look)


def children_of(pid: int) -> list[int]:
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text(encoding="ascii").split()]


def test_a_stop_ends_open_streams_and_runs_and_jobs_are_found_again(start):
    first = start()
    job = first.client.post("/api/jobs", json=SHORT).json()
    assert first.ended(job["job_id"])["state"] == "done"
    cut = first.client.post("/api/jobs", json=LONG).json()
    begun(first, cut["job_id"])
    with first.another_client().stream("GET", f"/api/jobs/{cut['job_id']}/events") as answer:
        stream = lines_of(answer)
        next(stream)
        first.process.send_signal(signal.SIGINT)
        events = list(stream)
    assert first.stop(signal.SIGINT) == 0
    assert all(event["event"] in ("progress", "running", "interrupted") for event in events)
    second = start()
    assert [(run["name"], run["run_id"]) for run in second.client.get("/api/runs").json()["runs"]] == [("short", job["run_id"])]
    found = {item["name"]: item for item in second.client.get("/api/jobs").json()["jobs"]}
    assert found["short"]["state"] == "done"
    assert found["long"]["state"] == "interrupted"
    assert "resume" in found["long"]["problems"][0]["message"]
    assert second.client.post(f"/api/jobs/{cut['job_id']}/resume").json()["state"] in ("waiting", "running")
    begun(second, cut["job_id"])
    assert second.client.delete(f"/api/jobs/{cut['job_id']}").json()["state"] == "cancelled"
    assert second.stop(signal.SIGTERM) == 0


def test_a_killed_server_loses_nothing_that_was_finished_and_its_workers_end(start):
    first = start()
    done = first.client.post("/api/jobs", json=SHORT).json()
    first.ended(done["job_id"])
    cut = first.client.post("/api/jobs", json=LONG).json()
    begun(first, cut["job_id"])
    workers = children_of(first.process.pid)
    assert workers
    first.stop(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}").exists() and is_alive(pid) for pid in workers))
    second = start()
    states = {item["name"]: item["state"] for item in second.client.get("/api/jobs").json()["jobs"]}
    assert states == {"short": "done", "long": "interrupted"}
    assert [run["name"] for run in second.client.get("/api/runs").json()["runs"]] == ["short"]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_killed_with_signal_9_leaves_the_server_alive(running):
    server = running
    job = server.client.post("/api/jobs", json=LONG).json()
    begun(server, job["job_id"])
    for pid in children_of(server.process.pid):
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    failed = server.ended(job["job_id"])
    assert failed["state"] == "failed"
    assert failed["problems"][0]["message"].startswith("worker died")
    again = server.client.post("/api/jobs", json=SHORT).json()
    assert server.ended(again["job_id"])["state"] == "done"


def test_a_browser_takes_up_the_events_where_it_lost_them(running):
    server = running
    job = server.client.post("/api/jobs", json=LONG).json()
    path = f"/api/jobs/{job['job_id']}/events"
    seen: list[dict[str, str]] = []
    with server.client.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for event in lines_of(answer):
            seen.append(event)
            if event["event"] == "progress":
                break  # the line is cut here
    begun(server, job["job_id"])
    with server.client.stream("GET", path, headers={"Last-Event-ID": seen[-1]["id"]}) as answer:
        stream = lines_of(answer)
        following = next(stream)
        assert int(following["id"]) == int(seen[-1]["id"]) + 1
        server.another_client().delete(f"/api/jobs/{job['job_id']}")
        rest = [following, *stream]
    numbers = [int(event["id"]) for event in rest]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert rest[-1]["event"] == "cancelled"
    assert server.client.get(path, headers={"Last-Event-ID": str(numbers[-1])}).status_code == 204


def test_two_browsers_see_and_do_the_same(running):
    server = running
    first, second = server.client, server.another_client()
    job = first.post("/api/jobs", json=LONG).json()
    with second.stream("GET", f"/api/jobs/{job['job_id']}/events") as watching:
        stream = lines_of(watching)
        until(lambda: next(stream)["event"] == "progress")
        moved = first.post("/api/live", json={"client": "one", "year": 2025, "set": ["facilities.ferry.nominal=6500"]})
        assert moved.json()["headline"]["corridor_mt"] == pytest.approx(6.5, rel=1e-5)
        other = second.post("/api/live", json={"client": "two", "year": 2025, "set": ["facilities.ferry.nominal=5000"]})
        assert other.json()["headline"]["corridor_mt"] == pytest.approx(5.0, rel=1e-5)
        first.delete(f"/api/jobs/{job['job_id']}")
        assert [event["event"] for event in stream][-1] == "cancelled"
    assert second.get(f"/api/jobs/{job['job_id']}").json()["state"] == "cancelled"


def test_a_folder_of_runs_and_a_port_are_one_servers_at_a_time(running, tmp_path, capsys):
    from karvan.cli.main import main

    server = running
    common = ["serve", "--corridor", "two-ports", "--no-browser"]
    assert main([*common, "--port", "0", "--runs", str(server.runs)]) == 2
    assert "another karvan serve uses" in capsys.readouterr().err
    port = server.base.rpartition(":")[2].strip("/")
    assert main([*common, "--port", port, "--runs", str(tmp_path / "others")]) == 2
    assert f"port {port} is taken" in capsys.readouterr().err


def test_others_are_let_in_only_with_a_password_and_it_is_said_what_that_means(tmp_path, capsys):
    from karvan.cli.main import main

    assert main(["serve", "--host", "0.0.0.0", "--no-browser"]) == 2
    assert "could then read all runs" in capsys.readouterr().err
    assert main(["serve", "--allow-remote", "--no-browser"]) == 2
    assert "--password-file" in capsys.readouterr().err
    secret = tmp_path / "password"
    secret.write_text("long enough to be one\n", encoding="utf-8")
    secret.chmod(0o600)
    assert main(["serve", "--password-file", str(secret), "--no-browser"]) == 2
    assert "--allow-remote" in capsys.readouterr().err


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch, capsys):
    import importlib.util

    from karvan.cli.main import main

    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else known(name))
    assert main(["serve", "--no-browser"]) == 2
    assert "pip install 'karvan[web]'" in capsys.readouterr().err


def test_what_is_printed_at_the_start_says_who_can_reach_it(tmp_path):
    from karvan.web.serve import _first_lines
    from karvan.web.server import Server
    from karvan.web.settings import Settings

    own = Server(Settings(corridor="two-ports", runs=tmp_path / "a"), port=1)
    shared = Server(Settings(corridor="two-ports", runs=tmp_path / "b", host="0.0.0.0", is_remote=True, password="x" * 12), port=2)
    try:
        assert "Only this machine can reach it" in " ".join(_first_lines(own.settings, own, "http://127.0.0.1:1/"))
        told = " ".join(_first_lines(shared.settings, shared, "http://0.0.0.0:2/"))
        assert "not encrypted" in told
        assert "knows the password can read all runs" in told
    finally:
        own.stop()
        shared.stop()
