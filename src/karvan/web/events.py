"""What happens to jobs, as server-sent events that a browser can take up again after a break."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

KEEP_ALIVE_S = 10.0
_MOST_KEPT = 200
_LOOK_S = 0.5
"""How often a quiet stream looks whether the server stops."""


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        number: Rising by job.
        kind: State of the job, or `progress`.
        data: The job.
        is_last: Nothing comes after it.
    """

    number: int
    kind: str
    data: Mapping[str, Any]
    is_last: bool

    def as_text(self) -> str:
        """As a line of the stream."""
        return f"id: {self.number}\nevent: {self.kind}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n"


class EventLog:
    """Events of one job. Threads add to it, streams of the event loop wait on it."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._events: deque[Event] = deque(maxlen=_MOST_KEPT)
        self._next = 1
        self._wakers: set[Callable[[], object]] = set()

    def add(self, kind: str, data: Mapping[str, Any], *, is_last: bool) -> None:
        """Tell everybody who listens."""
        with self._guard:
            self._events.append(Event(self._next, kind, data, is_last))
            self._next += 1
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def is_over_at(self, number: int) -> bool:
        """Whether the job has ended with the event of this number."""
        with self._guard:
            return bool(self._events) and self._events[-1].is_last and self._events[-1].number == number

    def after(self, number: int | None) -> list[Event]:
        """Events after a number: all that is kept after it, or the last alone where the number says nothing, is too old or unknown."""
        with self._guard:
            events = list(self._events)
        if not events:
            return []
        if number is None or number > events[-1].number or number < events[0].number - 1:
            return events[-1:]
        return [event for event in events if event.number > number]

    async def stream(self, number: int | None, *, is_over: Callable[[], bool], keep_alive_s: float = KEEP_ALIVE_S) -> AsyncIterator[str]:
        """The stream from a number on, until the job ends or the server stops.

        Args:
            number: Of the last event that was seen.
            is_over: The server stops.
            keep_alive_s: A comment is sent after so many seconds without an event.
        """
        loop, bell, quiet_s = asyncio.get_running_loop(), asyncio.Event(), 0.0

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(bell.set)
            except RuntimeError:
                return  # the loop is closed, and nobody listens

        with self._guard:
            self._wakers.add(wake)
        try:
            yield "retry: 1000\n\n"
            while not is_over():
                bell.clear()
                for event in self.after(number):
                    number = event.number
                    yield event.as_text()
                    if event.is_last:
                        return
                try:
                    await asyncio.wait_for(bell.wait(), min(_LOOK_S, keep_alive_s))
                    quiet_s = 0.0
                except TimeoutError:
                    quiet_s += _LOOK_S
                    if quiet_s >= keep_alive_s:
                        quiet_s = 0.0
                        yield ": still here\n\n"
        finally:
            with self._guard:
                self._wakers.discard(wake)
