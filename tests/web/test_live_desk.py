"""Of one browser the newest question wins; others keep their turn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from karvan.web.questions import NewestDesk, Questions
from karvan.web.refused import Refused
from karvan.web.workers import WorkerDied
from tests.web.conftest import until


class Slow:
    """A worker that answers when it is let."""

    def __init__(self) -> None:
        self.asked: list = []
        self.may_go = Event()

    def ask(self, kind, task):
        self.asked.append(task)
        assert self.may_go.wait(60)
        if task == "die":
            raise WorkerDied("it died")
        return {"answer": task}

    def close(self) -> None:
        self.may_go.set()


def test_the_newest_of_a_client_wins_and_an_older_one_that_waits_is_dropped():
    slow = Slow()
    live = NewestDesk(slow, "live")
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(live.ask, "one", 1)
        until(lambda: slow.asked == [1])
        second = pool.submit(live.ask, "one", 2)
        until(lambda: "one" in live._waiting)
        other = pool.submit(live.ask, "two", 9)
        until(lambda: "two" in live._waiting)
        third = pool.submit(live.ask, "one", 3)
        with pytest.raises(Refused, match="newer request") as dropped:
            second.result(60)
        assert dropped.value.status == 409
        slow.may_go.set()
        assert first.result(60)["answer"] == 1  # had been begun
        assert third.result(60)["answer"] == 3
        assert other.result(60)["answer"] == 9
    assert slow.asked == [1, 3, 9]
    live.stop()


def test_what_waits_when_it_stops_is_refused():
    slow = Slow()
    live = NewestDesk(slow, "live")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(live.ask, "one", 1)
        until(lambda: slow.asked == [1])
        second = pool.submit(live.ask, "one", 2)
        until(lambda: "one" in live._waiting)
        live.stop()
        assert first.result(60)["answer"] == 1
        with pytest.raises(Refused, match="the server stops"):
            second.result(60)
    with pytest.raises(Refused, match="the server stops"):
        live.ask("one", 3)


def test_a_worker_that_dies_is_told():
    slow = Slow()
    slow.may_go.set()
    live, questions = NewestDesk(slow, "live"), Questions(slow)
    with pytest.raises(Refused, match="worker died") as died:
        live.ask("one", "die")
    assert died.value.status == 503
    with pytest.raises(Refused, match="worker died"):
        questions.ask("ladder", "die")
    live.stop()


def test_an_answer_is_kept():
    slow = Slow()
    slow.may_go.set()
    questions = Questions(slow)
    assert questions.ask("ladder", {"year": 2024}) is questions.ask("ladder", {"year": 2024})
    assert len(slow.asked) == 1


def test_too_many_questions_are_refused():
    slow = Slow()
    questions = Questions(slow)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(questions.ask, "ladder", number) for number in range(8)]
        until(lambda: questions._waiting == 8)
        with pytest.raises(Refused, match="wait already"):
            questions.ask("ladder", 99)
        slow.may_go.set()
        assert sorted(item.result(60)["answer"] for item in waiting) == list(range(8))
