"""`POST /api/crossings`: what `karvan simulate` says, how far it is, and how it is cancelled."""

from __future__ import annotations

import threading

import pytest

from karvan.web.crossings import CrossingsDesk
from karvan.web.refused import Refused
from karvan.web.workers import WorkerDied
from tests.web.conftest import until

ASKED = {"client": "here", "system": "strait", "year": 2024, "scenario": "baseline", "month": 2}


class Slow:
    """A worker that answers when it is let, and dies when it is killed."""

    def __init__(self):
        self.may_answer, self.is_killed, self.asked = threading.Event(), False, 0

    def ask(self, kind, task, tell):
        self.asked += 1
        tell("20 replications")
        self.may_answer.wait(60)
        if self.is_killed:
            self.is_killed = False
            self.may_answer.clear()
            raise WorkerDied("killed")
        return {"kind": kind, **task}

    def kill(self):
        self.is_killed = True
        self.may_answer.set()

    def close(self):
        self.may_answer.set()


@pytest.fixture
def desk():
    worker = Slow()
    made = CrossingsDesk(worker)
    yield made, worker
    made.stop()


def asking(desk, client, task):
    """A thread that asks, and where it puts what it is told."""
    told = []

    def ask():
        try:
            told.append(desk.ask(client, task))
        except Refused as refusal:
            told.append(refusal)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, told


def test_it_tells_how_far_it_is_and_keeps_the_answer(desk):
    made, worker = desk
    assert made.progress("a") == {"state": "none", "step": ""}
    thread, told = asking(made, "a", {"year": 1})
    until(lambda: made.progress("a") == {"state": "running", "step": "20 replications"})
    worker.may_answer.set()
    thread.join()
    assert told == [{"kind": "crossings", "year": 1}]
    assert made.ask("b", {"year": 1}) == told[0]
    assert worker.asked == 1


def test_a_cancelled_one_ends_and_the_next_is_answered(desk):
    made, worker = desk
    first, told_first = asking(made, "a", {"year": 1})
    until(lambda: made.progress("a")["state"] == "running")
    second, told_second = asking(made, "b", {"year": 2})
    until(lambda: made.progress("b")["state"] == "waiting")
    with pytest.raises(Refused, match="under way already"):
        made.ask("a", {"year": 3})
    made.cancel("a")
    first.join()
    assert (told_first[0].status, str(told_first[0].problems[0].message)) == (409, "the simulation was cancelled")
    until(lambda: made.progress("b")["state"] == "running")
    worker.may_answer.set()
    second.join()
    assert told_second == [{"kind": "crossings", "year": 2}]


def test_one_that_waits_is_taken_out_of_the_queue(desk):
    made, worker = desk
    first, _ = asking(made, "a", {"year": 1})
    until(lambda: made.progress("a")["state"] == "running")
    second, told = asking(made, "b", {"year": 2})
    until(lambda: made.progress("b")["state"] == "waiting")
    made.cancel("b")
    worker.may_answer.set()
    first.join()
    second.join()
    assert told[0].status == 409
    assert worker.asked == 1


def test_an_answer_is_that_of_the_model(opened):
    told = opened.client.post("/api/crossings", json=ASKED).json()
    assert (told["kind"], told["system_id"], told["year"], told["month"]["month"]) == ("karvan-crossings", "strait", 2024, 2)
    assert told["unstable"] == ["east_trains"]  # the market sends as much as nominal ships could carry
    assert told["run_id"] is None
    assert opened.client.get("/api/crossings/here").json()["state"] == "none"
    assert opened.client.delete("/api/crossings/here").status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"system": "ocean"}, 422, "has no ocean, must be one of strait, pass"),
        ({"month": 13}, 422, "less than or equal to 12"),
        ({"client": ""}, 422, "at least 1 character"),
        ({"run_id": "0123456789ab"}, 422, "give a run_id or a scenario"),
    ],
)
def test_wrong_questions_are_told(opened, change, status, said):
    answer = opened.client.post("/api/crossings", json={**ASKED, **change})
    assert answer.status_code == status
    assert said in answer.text


def test_a_year_of_a_run_with_simulated_capacities_is_not_moved_by_hand(opened, monkeypatch):
    monkeypatch.setattr(opened.server, "_moved_case", lambda asked: ("agreed", {"capacities": "simulated"}))
    answer = opened.client.post("/api/live", json={"year": 2024})
    assert answer.status_code == 422
    assert "capacities are simulated" in answer.text
