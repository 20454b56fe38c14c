"""Worker processes as the server holds them: asked one task at a time, ended at once, started anew when they die."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Lock
from typing import Any

from karvan.errors import Problem
from karvan.study.progress import Progress, silent
from karvan.web.refused import Refused, refused
from karvan.web.settings import Settings
from karvan.web.worker import FAILED, PROGRESS, work


class WorkerDied(Exception):  # noqa: N818 - told as what happened
    """A worker process ended in the middle of a task."""


class Worker:
    """One worker process, started when it is first asked something.

    Args:
        settings: Which corridor, and where runs are.
        name: What it is for.
    """

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._guard = Lock()
        self._turn = Lock()
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Its process id, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def ask(self, kind: str, task: Mapping[str, Any], tell: Progress = silent) -> dict[str, Any]:
        """Wait for the answer to a task; other threads wait for their turn.

        Raises:
            Refused: The model refuses the task.
            WorkerDied: The process ended before it answered; the next task gets a new one.
        """
        with self._turn:
            connection, process = self._started()
            try:
                connection.send((kind, dict(task)))
                while True:
                    ready = wait([connection, process.sentinel])
                    if connection not in ready:
                        raise EOFError
                    message = connection.recv()
                    if message[0] == PROGRESS:
                        tell(message[1])
                    elif message[0] == FAILED:
                        _, exit_code, problems = message
                        raise Refused(422 if exit_code == 2 else 500, [Problem(**problem) for problem in problems])
                    else:
                        answer: dict[str, Any] = message[1]
                        return answer
            except (EOFError, OSError) as error:
                self._forget()
                raise WorkerDied(f"the worker for {self._name} died") from error

    def kill(self) -> None:
        """End the process at once; a task in it dies, and none that comes later."""
        with self._guard:
            if self._process is not None:
                self._process.kill()
                self._process.join()

    def close(self) -> None:
        """End the process and start none any more."""
        with self._guard:
            self._is_closed = True
            process = self._process
        if process is not None:
            process.kill()
            process.join()

    def _started(self) -> tuple[Connection, SpawnProcess]:
        with self._guard:
            if self._is_closed:
                raise refused(503, "server_stops", table="server")
            if self._process is None or not self._process.is_alive() or self._connection is None:
                context = multiprocessing.get_context("spawn")
                own, other = context.Pipe()
                arguments = (other, self._settings.corridor, str(self._settings.runs))
                self._process = context.Process(target=work, args=arguments, name=f"karvan-{self._name}", daemon=True)
                self._process.start()
                other.close()  # so that the pipe ends with the worker
                self._connection = own
            return self._connection, self._process

    def _forget(self) -> None:
        with self._guard:
            process, connection = self._process, self._connection
            self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()
            process.join()
