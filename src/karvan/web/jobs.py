"""Jobs: runs that are asked for, wait, run and end; each is written down, so that a server that starts again knows them."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from karvan.results import write_text_whole

_LOG = logging.getLogger(__name__)

WAITING, RUNNING, DONE, FAILED, CANCELLED, INTERRUPTED = "waiting", "running", "done", "failed", "cancelled", "interrupted"
ENDED = (DONE, FAILED, CANCELLED, INTERRUPTED)
RESUMED = (FAILED, CANCELLED, INTERRUPTED)
"""States out of which a job can be put back into the queue."""


@dataclass(frozen=True)
class Job:
    """A run that was asked for.

    Attributes:
        job_id: 16 hexadecimal digits.
        name: What the run shall be called.
        asked: What `POST /api/jobs` was sent.
        options: The same as a worker is told it.
        run_id: Id of the run that it makes.
        state: Where it stands.
        is_reused: An identical run was saved already.
        created_at, started_at, ended_at: Times, ISO 8601 in UTC.
        share: Part of the years cleared, 0 to 1.
        step: Last line of progress.
        message: The same as a message of the catalogues, key and values, where it is one.
        problems: Why it failed, or what became of it.
    """

    job_id: str
    name: str
    asked: Mapping[str, Any]
    options: Mapping[str, Any]
    run_id: str
    state: str = WAITING
    is_reused: bool = False
    created_at: str = ""
    started_at: str | None = None
    ended_at: str | None = None
    share: float = 0.0
    step: str = ""
    message: Mapping[str, Any] | None = None
    problems: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED

    def as_dict(self, *, waits_for: int = 0) -> dict[str, Any]:
        """The job as requests answer it."""
        told = asdict(self)
        del told["options"]
        progress = {name: told.pop(name) for name in ("share", "step", "message")}
        return {
            **told,
            "waits_for": waits_for,
            "progress": progress,
            "problems": [dict(item) for item in self.problems],
        }


def new_job_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(8)


def now_text() -> str:
    """The time, as it is written down."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class JobStore:
    """Job records in a folder, one file each, written whole.

    Args:
        folder: The folder; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, job: Job) -> None:
        """Write a job down."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text_whole(self._folder / f"{job.job_id}.json", json.dumps(asdict(job), ensure_ascii=False, indent=1) + "\n")

    def forget(self, job: Job) -> None:
        """Remove a job's record; its run stays."""
        (self._folder / f"{job.job_id}.json").unlink(missing_ok=True)

    def load(self) -> list[Job]:
        """All jobs, oldest first; a record that cannot be read, such as one of another version, is left where it is and passed over."""
        read = [_read(path) for path in sorted(self._folder.glob("*.json"))] if self._folder.is_dir() else []
        return sorted((job for job in read if job is not None), key=lambda job: (job.created_at, job.job_id))


def _read(path: Path) -> Job | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Job(**{**record, "problems": tuple(record["problems"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        _LOG.warning("%s is no job's record (%s) and is passed over; its run, if it made one, is not touched", path, error)
        return None
