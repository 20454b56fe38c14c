"""The main job in pieces, on the packaged Middle Corridor; the first, compiling run is told apart."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.page import write_section
from karvan.corridor import load_corridor
from karvan.study import ladder, run

REPEATS = 5
YEARS = tuple(range(2024, 2041))


def seconds_of(program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    imports = [seconds_of("import karvan") for _ in range(REPEATS)]
    helps = [
        seconds_of("from karvan.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass") for _ in range(REPEATS)
    ]
    bare = [seconds_of("pass") for _ in range(REPEATS)]
    corridor = load_corridor("middle-corridor")
    begin = time.perf_counter()
    run(corridor, years=(2024,), save=False)
    first = time.perf_counter() - begin
    whole: list[float] = []
    climbs: list[float] = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run(corridor, years=YEARS, save=False)
        whole.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        ladder(corridor, to_mt=10.0)
        climbs.append(time.perf_counter() - begin)

    def row(case: str, values: list[float]) -> tuple[str, str, str]:
        return case, f"{statistics.median(values):.2f} s", f"{max(values):.2f} s"

    write_section(
        "The main job",
        "Two scenarios and two corner runs of 17 years each, routes included; the peer is a bare Python start.",
        [
            row("`python -c pass`", bare),
            row("`import karvan`", imports),
            row("`karvan --help`", helps),
            ("first year after a start, kernels read from the cache", f"{first:.2f} s", f"{first:.2f} s"),
            row("`karvan run`, 4 x 17 years", whole),
            row("`karvan ladder --to-mt 10`", climbs),
        ],
    )


if __name__ == "__main__":
    main()
