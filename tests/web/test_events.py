"""Events that are kept, taken up again, and kept alive."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from karvan.web.events import EventLog


def filled(*kinds: str, is_ended: bool = False) -> EventLog:
    log = EventLog()
    for number, kind in enumerate(kinds, start=1):
        log.add(kind, {"job": number}, is_last=is_ended and number == len(kinds))
    return log


def awaited(work):
    """What a coroutine gives, in a thread of its own: a browser that other tests keep open has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def read(log, number, most, **more):
    found = []
    async for part in log.stream(number, is_over=lambda: False, **more):
        found.append(part)
        if len(found) == most:
            break
    return found


def test_what_came_after_a_number_is_given_again():
    log = filled("waiting", "running", "progress", "progress")
    assert [event.number for event in log.after(2)] == [3, 4]
    assert log.after(4) == []


def test_a_number_that_says_nothing_gives_the_present_state():
    log = filled("waiting", "running", "progress")
    assert [event.number for event in log.after(None)] == [3]
    assert [event.number for event in log.after(77)] == [3]  # of a server that has ended since
    long = filled(*(["progress"] * 500))
    assert [event.number for event in long.after(1)] == [500]  # too old to be kept
    assert EventLog().after(None) == []


def test_a_stream_ends_with_its_job():
    log = filled("running", "done", is_ended=True)
    found = awaited(read(log, 0, 99))
    assert found == ["retry: 1000\n\n", 'id: 1\nevent: running\ndata: {"job": 1}\n\n', 'id: 2\nevent: done\ndata: {"job": 2}\n\n']
    assert log.is_over_at(2)
    assert not log.is_over_at(1)


def test_a_quiet_stream_is_kept_alive():
    log = filled("running")
    assert awaited(read(log, 1, 2, keep_alive_s=0.01)) == ["retry: 1000\n\n", ": still here\n\n"]


def test_a_stream_wakes_when_something_happens():
    log = filled("running")

    async def both():
        reading = asyncio.create_task(read(log, 1, 2))
        await asyncio.sleep(0)
        await asyncio.to_thread(log.add, "done", {}, is_last=True)
        return await asyncio.wait_for(reading, 60)

    assert awaited(both())[1].startswith("id: 2\nevent: done")


def test_a_stream_ends_when_the_server_does():
    async def nothing():
        return [part async for part in filled("running").stream(1, is_over=lambda: True)]

    assert awaited(nothing()) == ["retry: 1000\n\n"]
