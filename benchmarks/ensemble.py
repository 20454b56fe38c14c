"""Throughput of futures: core-seconds each, efficiency from one to two workers, memory, and what that makes of a million.

python benchmarks/ensemble.py                      # 64 futures of the packaged case, one and two workers
python benchmarks/ensemble.py --futures 1000 --workers 2
python benchmarks/ensemble.py --corridor two-ports --futures 256
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path


def measured(corridor: str, futures: int, workers: int, seed: int) -> dict[str, float]:
    import karvan as kv
    from karvan.ensembles.definition import columns_of_futures
    from karvan.ensembles.engine import client_of, work_off
    from karvan.ensembles.run import _Work, ensemble_of
    from karvan.ensembles.store import FutureStore
    from karvan.study.route_memory import cache_folder

    how = kv.EnsembleOptions(futures=futures + 8 * workers, seed=seed)
    made = ensemble_of(kv.load_corridor(corridor), how=how)
    with tempfile.TemporaryDirectory() as folder, client_of(None, workers) as client:
        store = FutureStore(Path(folder) / "ensemble", columns_of_futures(made))
        store.open(made.id, {})
        work = _Work(made, cache_folder())
        started = time.perf_counter()
        work_off(work, range(futures, made.count), store, client, total=made.count)  # compiles and prepares the years
        prepared = time.perf_counter() - started
        before = sum(client.run(time.process_time).values())
        started = time.perf_counter()
        work_off(work, range(futures), store, client, total=made.count)
        seconds = time.perf_counter() - started
        core_s = sum(client.run(time.process_time).values()) - before
        peak = client.run(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
        failed = int((store.column(["status"], first=futures)["status"] != "ok").sum())
    return {
        "workers": workers, "futures": futures, "prepare_s": prepared, "seconds": seconds, "per_min": 60 * futures / seconds,
        "core_s_per_future": core_s / futures, "worker_mb": max(peak.values()),
        "client_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "failed": failed,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corridor", default="middle-corridor")
    parser.add_argument("--futures", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    found = [measured(parsed.corridor, parsed.futures, workers, parsed.seed) for workers in parsed.workers]
    for row in found:
        print(json.dumps({key: round(value, 3) for key, value in row.items()}))
    each = found[-1]["core_s_per_future"]
    if len(found) > 1:
        print(f"efficiency from {found[0]['workers']:.0f} to {found[-1]['workers']:.0f} workers: "
              f"{found[0]['seconds'] * found[0]['workers'] / (found[-1]['seconds'] * found[-1]['workers']):.0%}")  # fmt: skip
    hours = each * 1e6 / 3600
    print(f"a million futures: {hours:,.0f} core-hours, {hours / 200:,.1f} hours on 200 cores, at {each:.2f} core-seconds each")


if __name__ == "__main__":
    main()
