"""How long `karvan plan` takes on the packaged case with two funds, and how near to the best its answer is.

    python benchmarks/plan.py

Routes and dispatches are kept between runs: a first run, and after any change of the code, also searches routes and dispatches six to ten
sets of power measures in two years; set KARVAN_CACHE to an empty folder to measure that.
"""

from __future__ import annotations

import time

import karvan as kv
from karvan.study import PlanOptions

BUDGETS = {"aih_fund": (300.0, False), "socar_mechanism": (60.0, True)}


def main() -> None:
    corridor = kv.load_corridor("middle-corridor")
    wall, cpu = time.perf_counter(), time.process_time()
    found = kv.plan(corridor, budgets=BUDGETS, how=PlanOptions(count=1, has_more=False))
    print(f"{time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of processor; {found.candidates.height} candidates")
    print(
        f"value {found.value_musd:.2f}, bound {found.bound_musd:.2f} M USD, gap {found.gap_share:.2e}; {found.solved_count} programs solved"
    )
    print(
        f"ranking by single-project value {found.ranking_musd:.2f} M USD, the best {found.value_musd / found.ranking_musd - 1.0:.1%} better"
    )
    print(f"{found.estimated_capital_share:.0%} of the capital of all candidates by cost class")
    for row in found.reasons.iter_rows(named=True):
        print(f"  {row['why']}: {row['measure_id']}, worth {row['alone_musd']:.1f} alone, {row['last_musd']:.1f} as the last one")


if __name__ == "__main__":
    main()
