"""Questions that take seconds, each answered once, by a worker of their own; and those asked anew while somebody watches."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Condition, Event, Lock, Thread
from typing import Any

from karvan.web.refused import Refused, refused
from karvan.web.workers import Worker, WorkerDied

_MOST_KEPT = 64
_MOST_WAITING = 8
_MOST_CLIENTS = 32


class Questions:
    """Answers of a worker, the newest kept.

    Args:
        worker: Answers one question at a time.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._guard = Lock()
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._waiting = 0

    def ask(self, kind: str, task: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            Refused: The model refuses it, too many wait, or the worker died.
        """
        key = json.dumps([kind, task], sort_keys=True)
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            if self._waiting >= _MOST_WAITING:
                raise refused(429, "questions_wait", table="server", count=self._waiting)
            self._waiting += 1
        try:
            answer = self._worker.ask(kind, task)
        except WorkerDied as error:
            raise refused(503, "question_died", table="server") from error
        finally:
            with self._guard:
                self._waiting -= 1
        with self._guard:
            self._kept[key] = answer
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return answer

    def stop(self) -> None:
        """End the worker."""
        self._worker.close()


class _Ticket:
    """A question that waits for its answer."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.task = task
        self.is_answered = Event()
        self.answer: dict[str, Any] | None = None
        self.refusal: Refused | None = None

    def give(self, answer: dict[str, Any] | None, refusal: Refused | None = None) -> None:
        self.answer, self.refusal = answer, refusal
        self.is_answered.set()


class NewestDesk:
    """Questions that are asked again and again while somebody watches: of each client the newest that waits is answered, those before it
    are dropped.

    Args:
        worker: Holds ready what they are about.
        kind: Kind of task.
    """

    def __init__(self, worker: Worker, kind: str) -> None:
        self._worker = worker
        self._kind = kind
        self._change = Condition()
        self._waiting: OrderedDict[str, _Ticket] = OrderedDict()
        self._is_stopping = False
        self._thread = Thread(target=self._serve, name=kind, daemon=True)
        self._thread.start()

    def ask(self, client: str, task: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            Refused: The model refuses it, a newer one of the client came, too many clients wait, or the worker died.
        """
        ticket = _Ticket(task)
        with self._change:
            if self._is_stopping:
                raise refused(503, "server_stops", table="server")
            older = self._waiting.get(client)
            if older is None and len(self._waiting) >= _MOST_CLIENTS:
                raise refused(429, "browsers_wait", table=self._kind, count=len(self._waiting))
            self._waiting[client] = ticket  # in the place of the older one, so that a busy client does not lose its turn
            self._change.notify()
        if older is not None:
            older.give(None, refused(409, "overtaken", table=self._kind))
        ticket.is_answered.wait()
        if ticket.refusal is not None:
            raise ticket.refusal
        return dict(ticket.answer or {})

    def stop(self) -> None:
        """End the worker; what waits is refused."""
        with self._change:
            self._is_stopping = True
            waiting = list(self._waiting.values())
            self._waiting.clear()
            self._change.notify_all()
        self._worker.close()
        for ticket in waiting:
            ticket.give(None, refused(503, "server_stops", table="server"))
        self._thread.join()

    def _serve(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._is_stopping:
                    self._change.wait()
                if self._is_stopping:
                    return
                _, ticket = self._waiting.popitem(last=False)
            started = time.perf_counter()
            try:
                answer = self._worker.ask(self._kind, ticket.task)
            except WorkerDied:
                ticket.give(None, refused(503, "answer_died", table=self._kind))
            except Refused as refusal:
                ticket.give(None, refusal)
            else:
                ticket.give({**answer, "seconds": round(time.perf_counter() - started, 4)})
