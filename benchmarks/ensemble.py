"""Throughput of futures: core-seconds each, efficiency from one to two workers, memory, and what that makes of a million.

    python benchmarks/ensemble.py                      # 64 futures of the packaged case without and with shocks, one and two workers
    python benchmarks/ensemble.py --futures 1000 --workers 2 --shocks with
    python benchmarks/ensemble.py --corridor two-ports --futures 256

Of the packaged case, with one and two workers, it also does 1,000 futures with two workers and nothing kept from before, and writes its
section of docs/benchmarks.md. Routes are looked for once, in a cache of its own; what a run takes that finds none, and one that finds them,
is told.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

CASE = "middle-corridor"
KINDS = {"with": (True,), "without": (False,), "both": (False, True)}
_WARMING = 2
"""Futures a worker does before it is timed, so that all is compiled and ready."""


def measured(corridor: str, futures: int, workers: int, seed: int, *, has_shocks: bool) -> dict[str, float]:
    import karvan as kv
    from karvan.ensembles.definition import columns_of_futures
    from karvan.ensembles.engine import client_of, work_off
    from karvan.ensembles.run import _Work, ensemble_of
    from karvan.ensembles.store import FutureStore
    from karvan.study.route_memory import cache_folder

    how = kv.EnsembleOptions(futures=futures + _WARMING * workers, seed=seed, has_shocks=has_shocks)
    made = ensemble_of(kv.load_corridor(corridor), how=how)
    with tempfile.TemporaryDirectory() as folder, client_of(None, workers) as client:
        store = FutureStore(Path(folder) / "ensemble", columns_of_futures(made))
        store.open(made.id, {})
        work = _Work(made, cache_folder())

        def timed(first: int, last: int) -> tuple[float, float]:
            """Seconds and CPU seconds of workers that some futures take."""
            began, before = time.perf_counter(), sum(client.run(time.process_time).values())
            work_off(work, range(first, last), store, client, total=last - first)
            return time.perf_counter() - began, sum(client.run(time.process_time).values()) - before

        prepare_s, prepare_core_s = timed(futures, made.count)
        seconds, core_s = timed(0, futures)
        peak = client.run(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0)
        failed = int((store.column(["status"], first=futures)["status"] != "ok").sum())
    return {
        "workers": workers, "futures": futures, "prepare_s": prepare_s, "prepare_core_s": prepare_core_s, "seconds": seconds,
        "per_min": 60 * futures / seconds, "core_s_per_future": core_s / futures, "worker_mb": max(peak.values()), "failed": failed,
    }  # fmt: skip


def write(
    found: dict[bool, list[dict[str, float]]], efficiency: dict[bool, float], whole: dict[bool, dict[str, float]], seed: int
) -> None:  # fmt: skip
    """Write the section of docs/benchmarks.md."""
    from page import write_section

    rows: list[tuple[str, str, str]] = []
    for has_shocks, runs in found.items():
        name = "with shocks" if has_shocks else "without shocks"
        for run in runs:
            of = f"{name}, {run['workers']:.0f} worker{'s' if run['workers'] > 1 else ''}"
            rows += [
                (f"{of}: futures a minute", f"{run['per_min']:,.1f}", ""),
                (f"{of}: core-seconds a future", f"{run['core_s_per_future']:.2f}", ""),
                (f"{of}: made ready, core-s", f"{run['prepare_core_s']:,.0f}", ""),
                (f"{of}: a worker's largest memory, MiB", f"{run['worker_mb']:,.0f}", ""),
            ]
        hours = runs[-1]["core_s_per_future"] * 1e6 / 3600
        rows += [
            (f"{name}: efficiency from one to two workers", f"{efficiency[has_shocks]:.0%}", ""),
            (f"{name}: a million futures, extrapolated, hours on 200 cores", f"{hours / 200:,.1f}", ""),
        ]
    for has_shocks, run in whole.items():
        name = f"{'with' if has_shocks else 'without'} shocks, {run['workers']:.0f} workers, nothing kept from before"
        rows += [
            (f"{name}: {run['futures']:,.0f} futures, minutes", f"{(run['prepare_s'] + run['seconds']) / 60:.1f}", ""),
            (f"{name}: of these to make ready, minutes", f"{run['prepare_s'] / 60:.1f}", ""),
            (f"{name}: core-seconds a future", f"{run['core_s_per_future']:.2f}", ""),
        ]
    text = (
        f"The outlook `agreed` of the packaged case, 2024 to 2040, {found[True][0]['futures']:,.0f} futures, design sobol, seed {seed}, "
        "one run each. The first row with a worker finds no routes of its years and looks for them; later ones read them. A future is 17 "
        "years, cleared, with the base year fitted again; one in 64 has routes looked for anew in one year. "
        "Asked: 1,000 futures in 10 minutes on two cores."
    )
    write_section("Many futures", text, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corridor", default=CASE)
    parser.add_argument("--futures", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shocks", choices=("with", "without", "both"), default="both")
    parser.add_argument("--whole", type=int, default=1000, help="futures of a run with nothing kept from before; 0: none")
    parser.add_argument("--whole-shocks", choices=("with", "without", "both"), default="both")
    parsed = parser.parse_args()
    found: dict[bool, list[dict[str, float]]] = {}
    efficiency: dict[bool, float] = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["KARVAN_CACHE"] = cache
        for has_shocks in KINDS[parsed.shocks]:
            runs = found[has_shocks] = []
            for workers in parsed.workers:
                runs.append(measured(parsed.corridor, parsed.futures, workers, parsed.seed, has_shocks=has_shocks))
                print(json.dumps({"shocks": has_shocks, **{key: round(value, 3) for key, value in runs[-1].items()}}), flush=True)
            if len(runs) > 1:
                one, more = runs[0], runs[-1]
                efficiency[has_shocks] = one["seconds"] * one["workers"] / (more["seconds"] * more["workers"])
                print(f"efficiency from {one['workers']:.0f} to {more['workers']:.0f} workers: {efficiency[has_shocks]:.0%}")
            each = runs[-1]["core_s_per_future"]
            hours = each * 1e6 / 3600
            print(f"a million futures: {hours:,.0f} core-hours, {hours / 200:,.1f} hours on 200 cores, at {each:.2f} core-seconds each")
    if parsed.corridor == CASE and parsed.workers == [1, 2] and set(found) == {True, False}:
        whole = {}
        for has_shocks in KINDS[parsed.whole_shocks] if parsed.whole else ():
            with tempfile.TemporaryDirectory() as cache:
                os.environ["KARVAN_CACHE"] = cache
                whole[has_shocks] = measured(parsed.corridor, parsed.whole, 2, parsed.seed, has_shocks=has_shocks)
                told = {key: round(value, 3) for key, value in whole[has_shocks].items()}
                print(json.dumps({"whole": True, "shocks": has_shocks, **told}), flush=True)
        write(found, efficiency, whole, parsed.seed)


if __name__ == "__main__":
    main()
