"""The main job in pieces, on the packaged Middle Corridor; what is compiled, sought and known already is told apart."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.own_process import answer_of
from benchmarks.page import write_section
from karvan.corridor import Corridor, load_corridor
from karvan.measures import load_scenario
from karvan.study import ladder, run
from karvan.study.route_memory import CACHE_VARIABLE, RouteMemory
from karvan.study.run import outlook

REPEATS = 3
SEARCHES = 1
YEARS = tuple(range(2024, 2041))


def seconds_of(program: str) -> float:
    return timed(lambda: subprocess.run([sys.executable, "-c", program], check=True, capture_output=True))


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def two_outlooks(corridor: Corridor, folder: Path) -> None:
    """Baseline and headline scenario, both of 17 years, at once."""
    memory = RouteMemory(folder=folder)
    scenarios = [load_scenario(name, corridor) for name in (corridor.manifest.baseline, corridor.manifest.headline_scenario)]
    with ThreadPoolExecutor(len(scenarios)) as pool:
        list(pool.map(lambda scenario: outlook(corridor, scenario, YEARS, memory=memory), scenarios))


def ladders() -> dict[str, list[float]]:
    """Seconds of both ladders, in a process that has nothing else to hold, as the command's has not."""
    corridor = load_corridor("middle-corridor")
    ladder(corridor, to_mt=10.0)
    return {"seconds": [timed(lambda: ladder(corridor, to_mt=10.0)) for _ in range(REPEATS)]}


def main() -> None:
    if "--ladders" in sys.argv:
        print(json.dumps(ladders()))
        return
    imports = [seconds_of("import karvan") for _ in range(REPEATS)]
    helps = [
        seconds_of("from karvan.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass") for _ in range(REPEATS)
    ]
    bare = [seconds_of("pass") for _ in range(REPEATS)]
    corridor = load_corridor("middle-corridor")
    with tempfile.TemporaryDirectory() as name:
        os.environ[CACHE_VARIABLE] = name
        folders = [Path(name), *(Path(name) / str(number) for number in range(1, SEARCHES))]  # the first is that of the commands too
        first = timed(lambda: run(corridor, years=(2024,), save=False))
        sought = [timed(lambda folder=folder: two_outlooks(corridor, folder)) for folder in folders]
        known = [timed(lambda: two_outlooks(corridor, folders[0])) for _ in range(REPEATS)]
        run(corridor, years=YEARS, save=False)
        whole = [timed(lambda: run(corridor, years=YEARS, save=False)) for _ in range(REPEATS)]
        climbs = answer_of("benchmarks.outlook", "--ladders", environment=os.environ)["seconds"]

    def row(case: str, values: list[float]) -> tuple[str, str, str]:
        return case, f"{statistics.median(values):.2f} s", f"{max(values):.2f} s"

    write_section(
        "The main job",
        "Two scenarios of 17 years each, routes and delays included, and the commands around them; two threads. Routes of a year are kept"
        " on disk, so that a run that meets the same year again need not seek them: both are shown, the search once, the"
        " rest three times; both ladders in a process of their own. The peer is a bare Python start.",
        [
            row("`python -c pass`", bare),
            row("`import karvan`", imports),
            row("`karvan --help`", helps),
            ("first year after a start, kernels read from the cache", f"{first:.2f} s", f"{first:.2f} s"),
            row("2 x 17 years, routes sought", sought),
            row("2 x 17 years, routes known from an earlier run", known),
            row("`karvan run`, 4 x 17 years with report, routes of two known", whole),
            row("both ladders to 10 Mt, routes known", climbs),
        ],
    )


if __name__ == "__main__":
    main()
