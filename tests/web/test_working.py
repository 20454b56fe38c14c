"""Runs named and put away, jobs taken in and ended, one year moved."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from karvan.results import load_run
from karvan.web import jobs
from karvan.web.desk import JobDesk
from karvan.web.jobs import Job, JobStore
from karvan.web.refused import Refused
from tests.web.conftest import until

LONG = {"years": {"first": 2024, "last": 2200}}
"""A run that takes seconds, so that something can happen in the middle of it."""


def running(opened, job_id):
    """The job once it has told that it is at work."""

    def look():
        job = opened.client.get(f"/api/jobs/{job_id}").json()
        assert job["state"] in ("waiting", "running"), job
        return job if job["progress"]["share"] > 0 else None

    return until(look)


def test_a_run_asked_for_is_the_run_of_the_command_line(opened, two_ports, tmp_path):
    from karvan.study.run import run

    answered = opened.client.post(
        "/api/jobs", json={"name": "Two ships", "with": ["joint_timetable"], "years": {"first": 2024, "last": 2026}}
    )
    assert answered.status_code == 202
    job = opened.ended(answered.json()["job_id"])
    assert job["state"] == "done"
    assert job["progress"]["share"] == 1.0
    from karvan.study import ScenarioOptions

    wanted = run(two_ports, years=(2024, 2025, 2026), options=ScenarioOptions(with_measures=("joint_timetable",)), out=tmp_path / "own")
    assert job["run_id"] == wanted.run_id
    found = load_run(opened.server.settings.runs / job["run_id"])
    assert {**found.report, "seconds": 0, "report": ""} == json.loads(json.dumps({**wanted.report, "seconds": 0, "report": ""}))
    assert opened.client.get("/api/runs").json()["runs"][0]["name"] == "Two ships"


def test_an_identical_run_is_reused(opened, plain_run):
    again = opened.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2027}})
    assert again.status_code == 200
    job = again.json()
    assert (job["state"], job["is_reused"], job["run_id"]) == ("done", True, plain_run)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"with": ["no_such_measure"]}, "no_such_measure"),
        ({"with": ["../../etc/passwd.yaml"]}, "pattern"),
        ({"with": ["/tmp/measure.yaml"]}, "pattern"),
        ({"set": ["facilities.fery.nominal=1"]}, "did you mean ferry"),
        ({"set": ["facilities.ferry.nominal=-5"]}, "0 or more"),
        ({"set": ["facilities.ferry.nominal"]}, "TABLE.ID.COLUMN=VALUE"),
        ({"scenario": "agree"}, "the corridor has"),
        ({"without": ["joint_timetable"]}, "not in scenario"),
        ({"years": {"first": 2020, "last": 2026}}, "base year"),
        ({"years": {"first": 2026, "last": 2024}}, "or later"),
        ({"growth": "higher"}, "mid"),
        ({"overlay": "/etc"}, "unknown key"),
    ],
)
def test_a_wrong_job_is_refused_before_it_waits(opened, asked, words):
    answered = opened.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2026}, **asked})
    assert answered.status_code == 422
    told = answered.json()["problems"]
    assert words in " ".join(item["message"] for item in told)
    assert {"table", "row", "column", "message"} == set(told[0])


def test_no_json_is_told(opened):
    answered = opened.client.post("/api/jobs", content="{", headers={"content-type": "application/json"})
    assert answered.status_code == 422
    assert answered.json()["problems"]


def test_runs_are_named_put_away_and_taken_back(fresh):
    run_id = fresh.run()
    assert fresh.client.get("/api/runs").json()["runs"][0]["name"] == "agreed"
    named = fresh.client.patch(f"/api/runs/{run_id}", json={"name": "Наш план"})
    assert named.json()["name"] == "Наш план"
    assert fresh.client.patch(f"/api/runs/{run_id}", json={"name": ""}).status_code == 422
    assert fresh.client.patch(f"/api/runs/{run_id}", json={"name": "a\nb"}).status_code == 422
    before = sorted(path.name for path in (fresh.server.settings.runs / run_id).iterdir())
    assert fresh.client.delete(f"/api/runs/{run_id}").json() == {"run_id": run_id, "is_in_trash": True}
    assert fresh.client.get("/api/runs").json()["runs"] == []
    assert fresh.client.get(f"/api/runs/{run_id}/screen").status_code == 404
    assert [item["run_id"] for item in fresh.client.get("/api/trash").json()["runs"]] == [run_id]
    assert fresh.run() == run_id  # the same again, while the first is in the trash
    assert fresh.client.post(f"/api/runs/{run_id}/restore").status_code == 409
    fresh.client.delete(f"/api/runs/{run_id}")
    back = fresh.client.post(f"/api/runs/{run_id}/restore").json()
    assert back["name"] == "Наш план"
    assert sorted(path.name for path in (fresh.server.settings.runs / run_id).iterdir()) == before
    assert fresh.client.delete("/api/runs/0123456789ab").status_code == 404


def test_a_job_that_runs_is_cancelled_and_the_next_one_runs(fresh):
    first = fresh.client.post("/api/jobs", json=LONG).json()
    second = fresh.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2025}}).json()
    running(fresh, first["job_id"])
    assert fresh.client.get(f"/api/jobs/{second['job_id']}").json()["waits_for"] == 1
    cancelled = fresh.client.delete(f"/api/jobs/{first['job_id']}").json()
    assert cancelled["state"] == "cancelled"
    assert fresh.ended(second["job_id"])["state"] == "done"
    assert fresh.client.delete(f"/api/jobs/{first['job_id']}").status_code == 409
    assert [item["run_id"] for item in fresh.client.get("/api/runs").json()["runs"]] == [second["run_id"]]
    left = [path.name for path in fresh.server.settings.runs.iterdir() if path.name.startswith(f".{first['run_id']}")]
    assert left == []


def test_a_job_that_waits_is_cancelled_and_resumed(fresh):
    first = fresh.client.post("/api/jobs", json=LONG).json()
    second = fresh.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2025}}).json()
    assert fresh.client.delete(f"/api/jobs/{second['job_id']}").json()["state"] == "cancelled"
    assert fresh.client.post(f"/api/jobs/{second['job_id']}/resume").json()["state"] == "waiting"
    assert fresh.client.post(f"/api/jobs/{second['job_id']}/resume").status_code == 409
    fresh.client.delete(f"/api/jobs/{first['job_id']}")
    assert fresh.ended(second["job_id"])["state"] == "done"


def test_the_same_run_asked_for_twice_is_one_job(fresh):
    first = fresh.client.post("/api/jobs", json=LONG).json()
    assert fresh.client.post("/api/jobs", json=LONG).json()["job_id"] == first["job_id"]
    fresh.client.delete(f"/api/jobs/{first['job_id']}")


def test_too_many_jobs_are_refused(tmp_path):
    from tests.web.conftest import open_server

    for opened in open_server(tmp_path / "runs", most_waiting=1):
        first = opened.client.post("/api/jobs", json=LONG).json()
        running(opened, first["job_id"])
        assert opened.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2025}}).status_code == 202
        refused = opened.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2026}})
        assert refused.status_code == 429
        assert "cancel one" in refused.json()["problems"][0]["message"]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_worker_killed_in_the_middle_of_a_run_is_told_and_replaced(fresh):
    job = fresh.client.post("/api/jobs", json=LONG).json()
    running(fresh, job["job_id"])
    worker = fresh.server.desk._workers[0]
    os.kill(worker.pid, signal.SIGKILL)
    failed = fresh.ended(job["job_id"])
    assert failed["state"] == "failed"
    assert failed["problems"][0]["message"].startswith("worker died")
    assert fresh.client.get("/api/session").status_code == 200
    other = fresh.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2025}}).json()
    assert fresh.ended(other["job_id"])["state"] == "done"
    assert fresh.client.post(f"/api/jobs/{job['job_id']}/resume").json()["state"] == "waiting"
    running(fresh, job["job_id"])
    fresh.client.delete(f"/api/jobs/{job['job_id']}")


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_the_worker_of_live_answers_is_replaced_too(fresh):
    assert fresh.client.post("/api/live", json={"year": 2024}).status_code == 200
    os.kill(fresh.server.live._worker.pid, signal.SIGKILL)
    until(lambda: fresh.client.post("/api/live", json={"year": 2024}).status_code == 200)


def test_events_of_an_ended_job_are_told_and_then_there_are_no_more(opened):
    job = opened.client.post("/api/jobs", json={"years": {"first": 2024, "last": 2029}}).json()
    text = opened.client.get(f"/api/jobs/{job['job_id']}/events").text
    events = [dict(line.split(": ", 1) for line in part.splitlines()) for part in text.split("\n\n") if part.startswith("id: ")]
    assert events[-1]["event"] == "done"
    assert json.loads(events[-1]["data"])["run_id"] == job["run_id"]
    numbers = [int(event["id"]) for event in events]
    assert numbers == sorted(set(numbers))
    path = f"/api/jobs/{job['job_id']}/events"
    assert opened.client.get(path, headers={"Last-Event-ID": str(numbers[-1])}).status_code == 204
    again = opened.client.get(path, headers={"Last-Event-ID": str(numbers[-1] - 1)}).text
    assert again.count("\nevent: ") == 1
    assert "event: done" in opened.client.get(path, headers={"Last-Event-ID": "999999"}).text


def test_a_year_is_moved_beside_a_saved_run(opened, other_run):
    told = opened.client.post("/api/live", json={"run_id": other_run, "year": 2027, "set": ["facilities.ferry.nominal=6500"]}).json()
    saved = load_run(opened.server.settings.runs / other_run).report["years"][3]
    assert told["base_headline"]["corridor_mt"] == saved["corridor_mt"]
    assert told["difference"]["corridor_mt"] == pytest.approx(0.5, rel=1e-5)
    assert told["routes"] == "base"
    assert "until a run finds it" in told["routes_text"]
    baseline = opened.client.post("/api/live", json={"run_id": other_run, "case": "baseline", "year": 2027}).json()
    assert baseline["scenario"] == "baseline"


def test_what_was_moved_by_hand_becomes_a_run(opened):
    moved = {"from_year": 2026, "set": ["facilities.ferry.nominal=6500"], "demand_factor": {"grain": 1.2}}
    asked = {"scenario": "baseline", "years": {"first": 2025, "last": 2027}, "moved": moved}
    run_id = opened.ended(opened.client.post("/api/jobs", json=asked).json()["job_id"])["run_id"]
    years = load_run(opened.server.settings.runs / run_id).report["years"]
    assert [year["corridor_mt"] for year in years] == pytest.approx([6.0, 6.5, 6.5], rel=1e-6)
    live = opened.client.post(
        "/api/live", json={"scenario": "baseline", "year": 2026, "set": moved["set"], "demand_factor": moved["demand_factor"]}
    )
    ferry = live.json()["facilities"][0]
    assert years[1]["facilities"][0]["shadow_price_usd_per_t"] == pytest.approx(ferry["shadow_price_usd_per_t"], rel=1e-5)
    told = opened.client.get("/api/runs").json()["runs"][0]
    assert told["options"]["with"][0].startswith("moved_")
    assert str(opened.server.settings.runs) not in opened.client.get("/api/runs").text
    assert told["is_of_this_case"]
    # the run can be asked about and moved again, with what was moved by hand in it
    again = opened.client.post("/api/live", json={"run_id": run_id, "year": 2026}).json()
    assert again["headline"]["corridor_mt"] == pytest.approx(6.5, rel=1e-6)
    assert opened.client.post("/api/jobs", json=asked).json()["run_id"] == run_id


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({"from_year": 2026}, "nothing is moved"),
        ({"from_year": 2026, "set": ["facilities.fery.nominal=1"]}, "did you mean ferry"),
        ({"from_year": 2026, "set": ["facilities.ferry.nominal=-1"]}, "0 or more"),
        ({"from_year": 2026, "demand_factor": {"gran": 2}}, "did you mean grain"),
        ({"set": []}, "Field required"),
    ],
)
def test_what_was_moved_must_fit(opened, moved, words):
    answered = opened.client.post("/api/jobs", json={"moved": moved})
    assert answered.status_code == 422
    assert words in answered.json()["problems"][0]["message"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"year": 2020}, 422),
        ({"year": 2026, "set": ["facilities.ferry.nominal=x"]}, 422),
        ({"year": 2026, "with": ["nothing"]}, 422),
        ({"year": 2026, "demand_factor": {"any": -1}}, 422),
        ({"year": 2026, "run_id": "0123456789ab"}, 404),
        ({"year": 2026, "run_id": "../runs"}, 422),
    ],
)
def test_a_wrong_move_is_refused(opened, asked, status):
    answered = opened.client.post("/api/live", json=asked)
    assert answered.status_code == status
    assert answered.json()["problems"]


def desk(folder: Path, **more):
    return JobDesk(
        JobStore(folder), [], most_waiting=5, keep_ended_h=24.0, is_saved=lambda run_id: run_id == "saved", on_done=lambda job: None,
        on_lost=lambda run_id: None, **more,
    )  # fmt: skip


def test_jobs_of_a_server_that_ended_are_interrupted_unless_their_run_is_there(tmp_path):
    store = JobStore(tmp_path)
    for name, state, run_id in (
        ("a", jobs.RUNNING, "lost"),
        ("b", jobs.WAITING, "lost"),
        ("c", jobs.RUNNING, "saved"),
        ("d", jobs.FAILED, "x"),
    ):
        store.save(
            Job(
                name * 16,
                name,
                {},
                {},
                run_id,
                state=state,
                created_at=f"2026-01-01T00:00:0{ord(name) - 96}+00:00",
                ended_at=jobs.now_text(),
            )
        )
    found = {job["name"]: job["state"] for job in desk(tmp_path).all_told()}
    assert found == {"d": "failed", "c": "done", "b": "interrupted", "a": "interrupted"}


def test_a_record_that_cannot_be_read_is_passed_over_and_left(tmp_path, caplog):
    (tmp_path / "0123456789abcdef.json").write_text('{"job_id": "0123456789abcdef"}', encoding="utf-8")
    assert desk(tmp_path).all_told() == []
    assert "is no job's record" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["0123456789abcdef.json"]


def test_ended_jobs_are_forgotten_after_a_day(tmp_path):
    now = datetime.now(UTC)
    JobStore(tmp_path).save(Job("a" * 16, "a", {}, {}, "x", state=jobs.DONE, created_at="1", ended_at=now.isoformat(timespec="seconds")))
    assert len(desk(tmp_path).all_told()) == 1
    assert desk(tmp_path, clock=lambda: now + timedelta(hours=25)).all_told() == []
    assert list(tmp_path.iterdir()) == []


def test_a_desk_that_stops_takes_no_more(tmp_path):
    stopped = desk(tmp_path)
    stopped.stop()
    with pytest.raises(Refused, match="the server stops"):
        stopped.add(name="", asked={}, options={}, run_id="x")


def test_all_demand_moved_becomes_a_run_where_goods_travel_in_one_form_only(opened):
    asked = {"years": {"first": 2024, "last": 2025}, "moved": {"from_year": 2025, "demand_factor": {"any": 1.2}}}
    run_id = opened.run(**asked)
    told = opened.client.get(f"/api/runs/{run_id}/screen").json()["run"]
    assert told["changes"][0].startswith("+ moved_")
    assert str(opened.server.settings.runs) not in json.dumps(told)


def test_a_slider_starts_at_what_holds_in_the_year_after_all_measures(opened, plain_run):
    def nominal(**asked):
        return opened.client.post("/api/values", json=asked).json()["values"]["facilities.ferry.nominal"]

    assert nominal(run_id=plain_run, year=2024) == 6000.0
    assert nominal(run_id=plain_run, year=2024, **{"with": ["joint_timetable"]}) == 6000.0
    assert nominal(run_id=plain_run, year=2026, **{"with": ["joint_timetable"]}) == pytest.approx(6300.0)
    assert nominal(scenario="agreed", year=2028) > nominal(scenario="agreed", year=2028, without=["bigger_ferry"]) == 6000.0
    refused = opened.client.post("/api/values", json={"run_id": plain_run, "scenario": "agreed", "year": 2025})
    assert refused.status_code == 422
