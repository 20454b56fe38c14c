"""Long work that a browser asks for: one at a time, each told how far it is, cancelled by ending the process that computes it."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from karvan.web.refused import not_found, refused
from karvan.web.worker import CROSSINGS
from karvan.web.workers import Worker, WorkerDied

_MOST_KEPT = 8
_MOST_CLIENTS = 16


@dataclass
class _Asked:
    step: str = ""
    is_running: bool = False
    is_cancelled: bool = False

    def tell(self, line: str) -> None:
        self.step = line


class CrossingsDesk:
    """Answers of a worker, the newest kept.

    Args:
        worker: Computes one answer at a time.
        kind: The task of a worker; refusals name it, too.
    """

    def __init__(self, worker: Worker, kind: str = CROSSINGS) -> None:
        self._worker = worker
        self._kind = kind
        self._guard = Lock()
        self._turn = Lock()
        self._asked: dict[str, _Asked] = {}
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def ask(self, client: str, task: Mapping[str, Any]) -> dict[str, Any]:
        """The document of a simulation; others wait for their turn.

        Raises:
            Refused: The model refuses it, it was cancelled, the browser waits for one already, too many wait, or the worker died.
        """
        key = json.dumps(task, sort_keys=True)
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            if client in self._asked:
                raise refused(409, "simulation_under_way", table=self._kind)
            if len(self._asked) >= _MOST_CLIENTS:
                raise refused(429, "simulations_wait", table=self._kind, count=len(self._asked))
            self._asked[client] = asked = _Asked()
        try:
            answer = self._answer(asked, task)
        except WorkerDied as error:
            if asked.is_cancelled:
                raise self._cancelled() from error
            raise refused(503, "question_died", table=self._kind) from error
        finally:
            with self._guard:
                del self._asked[client]
        with self._guard:
            self._kept[key] = answer
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return answer

    def _answer(self, asked: _Asked, task: Mapping[str, Any]) -> dict[str, Any]:
        with self._turn:
            with self._guard:
                if asked.is_cancelled:
                    raise self._cancelled()
                asked.is_running = True
            try:
                return self._worker.ask(self._kind, task, asked.tell)
            finally:
                with self._guard:
                    asked.is_running = False

    def progress(self, client: str) -> dict[str, Any]:
        """How far a browser's simulation is; `state` is none where it asked for nothing."""
        with self._guard:
            asked = self._asked.get(client)
            if asked is None:
                return {"state": "none", "step": ""}
            return {"state": "running" if asked.is_running else "waiting", "step": asked.step}

    def cancel(self, client: str) -> dict[str, Any]:
        """End a browser's simulation, or take it out of the queue.

        Raises:
            Refused: It has none.
        """
        with self._guard:
            asked = self._asked.get(client)
            if asked is None:
                raise not_found("simulation", client)
            asked.is_cancelled = True
            if asked.is_running:
                self._worker.kill()
        return {"state": "cancelled"}

    def stop(self) -> None:
        """End the worker."""
        self._worker.close()

    def _cancelled(self) -> Exception:
        return refused(409, "cancelled", table=self._kind)
