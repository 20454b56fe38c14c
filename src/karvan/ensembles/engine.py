"""Futures dealt out to workers, and what comes back kept as it comes: one path for a laptop and a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from karvan.ensembles.store import FutureStore
from karvan.errors import DataError, KarvanError, Problem

_ROWS_TOGETHER = 64
_SECONDS_TOGETHER = 2.0
_QUEUED_PER_WORKER = 4
_MOST_DEATHS = 1000
"""A future whose worker is killed is begun again; only one that kills this many is given up."""


class Work(Protocol):
    """What workers do: they are sent it once and asked for futures by number."""

    @property
    def id(self) -> str:
        """Tells it from other work."""
        ...

    def parts(self) -> Sequence[Any]:
        """What is to be made once, before the first future, and left where all workers find it."""
        ...

    def prepared(self) -> Worker:
        """What makes parts and gives the rows of a future; made once in every worker."""
        ...


class Worker(Protocol):
    """What a worker process has ready for its work."""

    def make(self, part: Any) -> None:
        """Make a part, unless it is there."""
        ...

    def outcomes(self, index: int) -> list[dict[str, Any]]:
        """Rows of a future."""
        ...


@dataclass(frozen=True)
class Pace:
    """How the work stands.

    Attributes:
        finished: Futures that are kept.
        wanted: Futures asked for.
        per_s: Futures a second since the work began.
        left_s: Seconds that the rest takes at that pace, None before it is known.
    """

    finished: int
    wanted: int
    per_s: float
    left_s: float | None


_taken: dict[str, Work] = {}
_prepared: dict[str, Worker] = {}
"""Work that this worker process was given, and is prepared for."""


def _take(work: Work) -> None:
    """Give a worker process its work; what it was prepared for before is let go."""
    _taken.clear()
    _prepared.clear()
    _taken[work.id] = work


def _worker(work_id: str) -> Worker:
    if work_id not in _prepared:
        _prepared[work_id] = _taken[work_id].prepared()
    return _prepared[work_id]


def _part(work_id: str, part: Any) -> None:
    _worker(work_id).make(part)


def _future(work_id: str, index: int) -> list[dict[str, Any]]:
    """Rows of a future, in a worker; a future that fails for a reason of ours says so in its rows itself."""
    return _worker(work_id).outcomes(index)


def _hand_out(client: Any, work: Work) -> None:
    """Have every worker take the work, those too that are begun later in place of a killed one."""
    from distributed import WorkerPlugin

    class Taking(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            _take(work)

    client.register_plugin(Taking(), name="karvan-ensemble")


@contextmanager
def client_of(scheduler: str | None, workers: int) -> Iterator[Any]:
    """A Dask client: of workers of this machine, or of a scheduler that is there.

    Args:
        scheduler: Address such as tcp://10.0.0.5:8786, or None.
        workers: Processes of this machine, without a scheduler.

    Raises:
        DataError: Dask is not installed, or nobody answers at the address.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        message = "needs Dask: pip install 'karvan[ensemble]'"
        raise DataError(Problem("ensemble", None, None, message)) from error
    settings = {
        "distributed.scheduler.allowed-failures": _MOST_DEATHS,
        "distributed.worker.daemon": False,
        "distributed.admin.large-graph-warning-threshold": "1GB",
        "distributed.nanny.pre-spawn-environ": {
            "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            # Arrays of a market are made anew all the time: memory that is given back each time costs a quarter of a future.
            "MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432",
        },
    }  # fmt: skip
    with dask.config.set(settings):
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout=5)
            except (OSError, TimeoutError, ValueError) as error:
                raise DataError(Problem("--scheduler", None, None, f"nobody answers at {scheduler}: {error}")) from error
            with client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                memory_limit=0,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


def work_off(
    work: Work,
    wanted: Sequence[int],
    store: FutureStore,
    client: Any,
    *,
    total: int,
    told: Callable[[Pace], bool] | None = None,
) -> None:
    """Have futures worked on, and keep each once it is finished.

    What futures share is made first, each part by one worker. Futures are dealt out in their order, a few for each worker at a time, so
    that memory does not grow with how many there are.

    Args:
        work: What to do.
        wanted: Futures still to do.
        store: Where they are kept.
        client: Of `client_of`.
        total: Futures asked for, finished ones too.
        told: Called as futures are kept; when it gives True no more are begun.

    Raises:
        KarvanError: The cluster was lost; what is finished is kept.
    """
    from distributed import as_completed

    started, done, begun = time.monotonic(), total - len(wanted), 0
    queue = iter(wanted)
    rows: list[dict[str, Any]] = []
    kept_at = started

    def keep() -> bool:
        nonlocal rows, kept_at, done
        finished = len({row["future"] for row in rows})
        store.append(rows)
        rows, kept_at = [], time.monotonic()
        done += finished
        elapsed = kept_at - started
        per_s = (done - (total - len(wanted))) / elapsed if elapsed > 0 else 0.0
        return bool(told and told(Pace(done, total, per_s, (total - done) / per_s if per_s > 0 else None)))

    try:
        _hand_out(client, work)
        parts = [client.submit(_part, work.id, part, key=f"{work.id}-part-{part}", pure=False) for part in work.parts()]
        client.gather(parts)
        running = as_completed(with_results=False)

        def begin() -> bool:
            index = next(queue, None)
            if index is None:
                return False
            running.add(client.submit(_future, work.id, index, key=f"{work.id}-{index}", pure=False))
            return True

        slots = _QUEUED_PER_WORKER * max(1, len(client.scheduler_info()["workers"]))
        while begun < slots and begin():
            begun += 1
        is_enough = False
        for future in running:
            found = _result(future)
            rows += found
            future.release()
            if len(rows) >= _ROWS_TOGETHER or time.monotonic() - kept_at > _SECONDS_TOGETHER:
                is_enough = keep()
                store.gather()
                if is_enough:
                    break
            begin()
    except KarvanError:
        raise
    except (OSError, TimeoutError, _lost()) as error:
        raise KarvanError(f"the cluster was lost ({error}); what was finished is kept: run it again to go on") from error
    finally:
        keep()


def _lost() -> type[Exception]:
    from distributed import CancelledError

    found: type[Exception] = CancelledError
    return found


def _result(future: Any) -> list[dict[str, Any]]:
    """Rows of a future that ended; an exception that is no KarvanError is ours and is raised."""
    rows: list[dict[str, Any]] = future.result()
    return rows
