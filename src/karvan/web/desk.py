"""Where jobs are taken in, wait in a queue of limited length, and are handed to workers."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Condition, Thread
from typing import Any

from karvan.study.progress import SIMULATING, message_of
from karvan.web import jobs
from karvan.web.events import EventLog
from karvan.web.jobs import Job, JobStore, now_text
from karvan.web.refused import Refused, not_found, problem, refused
from karvan.web.worker import RUN
from karvan.web.workers import Worker, WorkerDied

_LOG = logging.getLogger(__name__)
_OUTLOOKS = 4
"""Outlooks of a run: scenario, baseline and two corners; each tells a line a year."""
_STEPS_AFTER = 3
"""What comes after them, counted as years."""
_MOST_ENDED = 500


class JobDesk:
    """Jobs of a server.

    Args:
        store: Where they are written down.
        workers: Each takes one job at a time.
        most_waiting: Jobs that may wait.
        keep_ended_h: Hours for which ended ones are listed.
        is_saved: Whether a run is saved.
        on_done: Called with each job that has made its run, or found it.
        on_lost: Called with the id of a run whose worker died.
        clock: The time in UTC.
    """

    def __init__(
        self,
        store: JobStore,
        workers: list[Worker],
        *,
        most_waiting: int,
        keep_ended_h: float,
        is_saved: Callable[[str], bool],
        on_done: Callable[[Job], None],
        on_lost: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._workers = workers
        self._most_waiting = most_waiting
        self._keep = timedelta(hours=keep_ended_h)
        self._is_saved = is_saved
        self._on_done = on_done
        self._on_lost = on_lost
        self._clock = clock
        self._change = Condition()
        self._jobs: dict[str, Job] = {}
        self._logs: dict[str, EventLog] = {}
        self._queue: deque[str] = deque()
        self._at: dict[str, Worker] = {}
        self._is_stopping = False
        for job in store.load():
            self._take_up(job)
        self._threads = [
            Thread(target=self._serve, args=(worker,), name=f"job-{number}", daemon=True) for number, worker in enumerate(workers)
        ]
        for thread in self._threads:
            thread.start()

    def _take_up(self, job: Job) -> None:
        """A job of a server that ended."""
        if not job.is_ended:
            why = problem("ended_while_running" if job.state == jobs.RUNNING else "ended_while_waiting", table="jobs")
            job = replace(job, state=jobs.INTERRUPTED, ended_at=now_text(), problems=(why.as_dict(),))
            if self._is_saved(job.run_id):
                job = replace(job, state=jobs.DONE, share=1.0, problems=())
            self._store.save(job)
        self._jobs[job.job_id], self._logs[job.job_id] = job, EventLog()
        self._logs[job.job_id].add(job.state, job.as_dict(), is_last=True)

    def all_told(self) -> list[dict[str, Any]]:
        """All jobs, newest first."""
        with self._change:
            self._evict()
            return [self._told(job) for job in sorted(self._jobs.values(), key=lambda job: (job.created_at, job.job_id), reverse=True)]

    def told(self, job_id: str) -> dict[str, Any]:
        """One job."""
        with self._change:
            return self._told(self._known(job_id))

    def log(self, job_id: str) -> EventLog:
        """What happens to one job."""
        with self._change:
            self._known(job_id)
            return self._logs[job_id]

    def add(self, *, name: str, asked: Mapping[str, Any], options: Mapping[str, Any], run_id: str) -> dict[str, Any]:
        """Take in a job; one whose run is saved is done at once, and one whose run is being made already is that one.

        Raises:
            Refused: Too many wait, or the server stops.
        """
        job = Job(jobs.new_job_id(), name, asked, options, run_id, created_at=now_text())
        with self._change:
            same = next((item for item in self._jobs.values() if item.run_id == run_id and not item.is_ended), None)
            if same is not None:
                return self._told(same)
            self._require_room(is_needed=not self._is_saved(run_id))
            self._evict()
            self._logs[job.job_id] = EventLog()
            self._jobs[job.job_id] = job
            if self._is_saved(run_id):
                job = replace(job, state=jobs.DONE, is_reused=True, ended_at=now_text(), share=1.0)
                self._on_done(job)
                self._put(job)
            else:
                self._queue.append(job.job_id)
                self._put(job)
                self._change.notify()
            return self._told(self._jobs[job.job_id])

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Take a job out of the queue, or end the process that computes it."""
        with self._change:
            job = self._known(job_id)
            if job.is_ended:
                raise refused(409, f"not_cancelled_{job.state}", table="jobs")
            if job_id in self._queue:
                self._queue.remove(job_id)
            self._put(replace(job, state=jobs.CANCELLED, ended_at=now_text()))
            worker = self._at.get(job_id)
            if worker is not None:
                worker.kill()
            return self._told(self._jobs[job_id])

    def resume(self, job_id: str) -> dict[str, Any]:
        """Put a job that came to nothing back into the queue."""
        with self._change:
            job = self._known(job_id)
            if job.state not in jobs.RESUMED:
                raise refused(409, f"not_resumed_{job.state}", table="jobs")
            if job_id in self._at:
                raise refused(409, "being_cancelled", table="jobs")
            self._require_room(is_needed=True)
            self._queue.append(job_id)
            self._put(replace(job, state=jobs.WAITING, started_at=None, ended_at=None, share=0.0, step="", message=None, problems=()))
            self._change.notify()
            return self._told(self._jobs[job_id])

    def stop(self) -> None:
        """End all workers; what waited or ran is written down as interrupted."""
        with self._change:
            if self._is_stopping:
                return
            self._is_stopping = True
            for job in [job for job in self._jobs.values() if not job.is_ended]:
                why = problem("server_stopped", table="jobs")
                self._put(replace(job, state=jobs.INTERRUPTED, ended_at=now_text(), problems=(why.as_dict(),)))
            self._queue.clear()
            self._change.notify_all()
        for worker in self._workers:
            worker.close()
        for thread in self._threads:
            thread.join()

    def _serve(self, worker: Worker) -> None:
        """Take jobs from the queue and wait for the worker that computes them."""
        while True:
            with self._change:
                while not self._queue and not self._is_stopping:
                    self._change.wait()
                if self._is_stopping:
                    return
                job = self._jobs[self._queue.popleft()]
                self._at[job.job_id] = worker
                self._put(replace(job, state=jobs.RUNNING, started_at=now_text()))
                self._tell_queue()
            try:
                ended = self._computed(worker, job)
            finally:
                with self._change:
                    del self._at[job.job_id]
            self._end(job.job_id, ended)

    def _computed(self, worker: Worker, job: Job) -> dict[str, Any]:
        """What changes in a job once its worker has answered, or died."""
        if self._is_saved(job.run_id):
            return {"state": jobs.DONE, "share": 1.0, "is_reused": True}
        asked = job.asked
        years = list(range(asked["years"]["first"], asked["years"]["last"] + 1))
        task = {"scenario": asked["scenario"], "years": years, "options": dict(job.options), "run_id": job.run_id}
        lines = 0

        def tell(line: str) -> None:
            nonlocal lines
            lines += (message_of(line) or {}).get("key") != SIMULATING
            self._progress(job.job_id, min(lines / (_OUTLOOKS * len(years) + _STEPS_AFTER), 0.99), line)

        try:
            worker.ask(RUN, task, tell)
        except WorkerDied as error:
            with self._change:
                is_wanted = self._jobs[job.job_id].state == jobs.RUNNING
            if is_wanted:  # neither cancelled nor stopped
                _LOG.warning("job %s: %s", job.job_id, error)
            self._on_lost(job.run_id)
            return {"state": jobs.FAILED, "problems": (problem("run_died", table="jobs").as_dict(),)}
        except Refused as refusal:
            return {"state": jobs.FAILED, "problems": tuple(each.as_dict() for each in refusal.problems)}
        return {"state": jobs.DONE, "share": 1.0}

    def _progress(self, job_id: str, share: float, line: str) -> None:
        with self._change:
            job = self._jobs[job_id]
            if job.state == jobs.RUNNING:
                self._jobs[job_id] = job = replace(job, share=share, step=str(line), message=message_of(line))
                self._logs[job_id].add("progress", self._told(job), is_last=False)

    def _end(self, job_id: str, ended: Mapping[str, Any]) -> None:
        with self._change:
            job = self._jobs[job_id]
            if job.state != jobs.RUNNING and not (ended["state"] == jobs.DONE and job.state in (jobs.CANCELLED, jobs.INTERRUPTED)):
                return
            job = replace(job, ended_at=now_text(), problems=(), **{key: value for key, value in ended.items() if key != "problems"})
            job = replace(job, problems=tuple(ended.get("problems", ())))
            if job.state == jobs.DONE:
                self._on_done(job)
            self._put(job)

    def _put(self, job: Job) -> None:
        """Keep, write down and tell a job's new state."""
        self._jobs[job.job_id] = job
        self._store.save(job)
        self._logs[job.job_id].add(job.state, self._told(job), is_last=job.is_ended)

    def _tell_queue(self) -> None:
        """Tell the jobs that wait that they have come nearer."""
        for job_id in self._queue:
            self._logs[job_id].add(jobs.WAITING, self._told(self._jobs[job_id]), is_last=False)

    def _told(self, job: Job) -> dict[str, Any]:
        waits_for = self._queue.index(job.job_id) + len(self._at) if job.job_id in self._queue else 0
        return job.as_dict(waits_for=waits_for)

    def _known(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise not_found("job", job_id)
        return self._jobs[job_id]

    def _require_room(self, *, is_needed: bool) -> None:
        if self._is_stopping:
            raise refused(503, "server_stops", table="server")
        if is_needed and len(self._queue) >= self._most_waiting:
            raise refused(429, "jobs_wait", table="jobs", count=len(self._queue))

    def _evict(self) -> None:
        """Forget jobs that ended long ago; their runs stay."""
        ended = sorted((job for job in self._jobs.values() if job.is_ended), key=lambda job: job.ended_at or "")
        oldest = (self._clock() - self._keep).isoformat(timespec="seconds")
        for number, job in enumerate(ended):
            if (job.ended_at or "") < oldest or len(ended) - number > _MOST_ENDED:
                del self._jobs[job.job_id], self._logs[job.job_id]
                self._store.forget(job)
