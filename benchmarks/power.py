"""A year of power, cold, with another size of a line, and by PyPSA with the same solver and method, in one run.

    python benchmarks/power.py                  # 8,760 hours; PyPSA's part needs karvan[bench]
    python benchmarks/power.py --hours 672

Of all 8,760 hours it writes its section of docs/benchmarks.md, with PyPSA's part if PyPSA is there.

Each side starts from the same arrays in a process of its own; CPU seconds and the largest memory are told. PyPSA's part is building its
model and solving it with HiGHS' dual simplex on one thread; ours is building, solving, and solving again for another size of the line; the
third is our program as it is, solved by HiGHS from nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ALL_HOURS = 8760
WHY = (
    "Cold is from nothing. Ours begins with the bases of stretches of 120 hours, and holds the levels of reservoirs that last for "
    "weeks once a day, adding the few hours in which they would be broken; the solver's own start is the same program with every "
    "level, given to HiGHS as it is. Another size of the cable asks for a change in nearly every hour: 8,000 to 15,000 dual simplex "
    "iterations of a tenth of a millisecond each, beside 0.7 s that any run takes. No edge weights, price strategy, update limit, "
    "primal simplex or predicted basis that was tried makes it less. The better our own start, the smaller the ratio to it."
)
CASE, YEAR, SCENARIO, LINE, SIZES = "middle-corridor", 2035, "agreed", "caspian_cable", (500.0, 1500.0)


def system(hours: int) -> Any:
    import karvan as kv
    from karvan.power import power_system

    corridor = kv.load_corridor(CASE)
    tables = kv.apply(kv.load_scenario(SCENARIO, corridor), corridor, year=YEAR).tables
    return power_system(tables, year=YEAR).system.between(0, hours)


def told(**parts: float) -> None:
    print(json.dumps({**parts, "largest_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0}))


def ours(folder: Path) -> None:
    from karvan.exchange import read_pypsa
    from karvan.power import Dispatcher

    read = read_pypsa(folder)
    start = time.process_time()
    dispatcher = Dispatcher(read)
    built = time.process_time()
    cost = dispatcher.solve().objective_usd
    solved = time.process_time()
    again = []
    for size in SIZES:
        began = time.process_time()
        dispatcher.resize(LINE, size)
        dispatcher.solve()
        again.append(time.process_time() - began)
    told(cost=cost, build_s=built - start, solve_s=solved - built, again_s=sum(again) / len(again))


def plain(folder: Path) -> None:
    from karvan.exchange import read_pypsa
    from karvan.power import linear_program
    from karvan.power.solver import model_of, run, silent_solver

    solver = silent_solver()
    start = time.process_time()
    solver.passModel(model_of(linear_program(read_pypsa(folder))))
    ended = run(solver)
    told(cost=float(solver.getInfo().objective_function_value), solve_s=time.process_time() - start, is_optimal=float(ended == "Optimal"))


def theirs(folder: Path) -> None:
    import pypsa

    network = pypsa.Network()
    network.import_from_csv_folder(str(folder))
    start = time.process_time()
    options = {"threads": 1, "solver": "simplex", "output_flag": False}
    network.optimize(solver_name="highs", solver_options=options, include_objective_constant=False)
    told(cost=float(network.objective), build_s=0.0, solve_s=time.process_time() - start)


SIDES = {"ours": ours, "plain": plain, "theirs": theirs}


def told_of(found: dict[str, dict[str, float]], cold_s: float) -> dict[str, float]:
    """Numbers of one repeat, with what is worse if it is higher but for ratios, whose names end in x."""
    ours, plain, theirs = found["ours"], found["plain"], found.get("theirs")
    rows = {
        "built and solved, CPU s": cold_s, "another size, CPU s": ours["again_s"], "cold over another size, x": cold_s / ours["again_s"],
        "largest memory, MiB": ours["largest_mb"],
        "the solver's own start, CPU s": plain["solve_s"],
        "the solver's own start over another size, x": plain["solve_s"] / ours["again_s"],
    }  # fmt: skip
    if theirs is not None:
        rows |= {"PyPSA, CPU s": theirs["solve_s"], "PyPSA, largest memory, MiB": theirs["largest_mb"]}
        rows["PyPSA over Karvan, cold, x"] = theirs["solve_s"] / cold_s
    return rows


def write(told_rows: dict[str, list[float]]) -> None:
    """Write the section of docs/benchmarks.md."""
    from page import write_section

    rows = []
    for name, values in told_rows.items():
        worst = min(values) if name.endswith(" x") else max(values)
        digits = 0 if "memory" in name else 1
        rows.append((name, f"{statistics.median(values):,.{digits}f}", f"{worst:,.{digits}f}"))
    repeats = len(next(iter(told_rows.values()), []))
    text = (
        f"The packaged zones in {YEAR}, scenario `{SCENARIO}`, {ALL_HOURS:,} hours with cable and stores; other sizes {SIZES[0]:,.0f} and "
        f"{SIZES[1]:,.0f} MW; {repeats} repeat{'' if repeats == 1 else 's'}. {WHY}"
    )
    write_section("A year of power", text, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=8760)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pypsa-python", default=sys.executable, metavar="FILE", help="Python that has PyPSA")
    parsed = parser.parse_args()
    if parsed.side is not None:
        SIDES[parsed.side](parsed.folder)
        return
    from karvan.exchange import write_pypsa

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "network"
        write_pypsa(folder, system(parsed.hours), year=YEAR)
        told_rows: dict[str, list[float]] = {}
        for number in range(parsed.repeats):
            found: dict[str, dict[str, float]] = {}
            for side, python in (("ours", sys.executable), ("plain", sys.executable), ("theirs", parsed.pypsa_python)):
                done = subprocess.run(
                    [python, __file__, "--side", side, "--folder", str(folder)], capture_output=True, encoding="utf-8", check=False
                )
                if done.returncode:
                    print(f"{side}: {done.stderr.strip().splitlines()[-1]}")
                    continue
                found[side] = json.loads(done.stdout.strip().splitlines()[-1])
                print(number + 1, side, {name: round(value, 3) for name, value in found[side].items()}, flush=True)
            cold = found["ours"]["build_s"] + found["ours"]["solve_s"]
            again, own = found["ours"]["again_s"], found["plain"]["solve_s"]
            print(f"  another size against our cold start: {cold / again:.1f} x, against the solver's own: {own / again:.1f} x")
            for name, value in told_of(found, cold).items():
                told_rows.setdefault(name, []).append(value)
            if "theirs" in found:
                print(
                    f"  cold against PyPSA: {found['theirs']['solve_s'] / cold:.2f} x; costs differ by "
                    f"{found['theirs']['cost'] / found['ours']['cost'] - 1.0:.1e}"
                )
        if parsed.hours == ALL_HOURS:
            write(told_rows)


if __name__ == "__main__":
    main()
