"""Write docs/ensemble.md: what many futures of the packaged case say. Half an hour to an hour of two cores, less where it goes on.

python tools/ensemble.py                 # run (or go on with) the futures, and write the page
python tools/ensemble.py --futures 256   # fewer of them
python tools/ensemble.py --from FILE     # write it from what `karvan ensemble --json` printed for the same plans
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import karvan as kv

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ensemble.md"
PLANS = ("late", "reversed", "baseline")
SHOWN = (2025, 2028, 2030, 2035, 2040)


def computed(futures: int, workers: int, out: Path | None) -> dict[str, Any]:
    how = kv.EnsembleOptions(futures=futures, plans=PLANS, workers=workers)
    found: dict[str, Any] = kv.ensemble(kv.load_corridor("middle-corridor"), how=how, out=out, progress=print).as_dict()
    return found


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows), ""]


def page(found: dict[str, Any]) -> str:
    plans = list(dict.fromkeys(row["plan"] for row in found["distributions"]))
    failed = sum(row["count"] for row in found["failed"])
    lines = [
        "# Many futures of the Middle Corridor",
        "",
        "Written by `python tools/ensemble.py`; do not edit by hand. How they are made: [Ask many futures](how-to/many-futures.md).",
        "",
        (
            f"{found['futures']:,} futures of {', '.join(plans)} on the same draws: {len(found['factors'])} values within their ranges and {len(found['shocks'])} shocks,"
            f" design {found['design']}, seed {found['seed']}. {failed} of {found['futures'] * len(plans):,} outlooks gave no answer. "
            f"{len(found['left_out'])} estimates were not drawn. Ranges and chances are estimates of the case: what follows is as good as they are."
        ),
        "",
        "## Are promises kept",
    ]
    by_promise: dict[tuple[str, int], dict[str, Any]] = {}
    for row in found["promises"]:
        by_promise.setdefault((row["short"] or row["commitment_id"], row["year"]), {})[row["plan"]] = row
    rows = [
        [
            name,
            str(year),
            *(
                f"{of[plan]['chance_share']:.0%} ({of[plan]['chance_low_share']:.0%} to {of[plan]['chance_high_share']:.0%})"
                for plan in plans
            ),
        ]
        for (name, year), of in by_promise.items()
    ]
    lines += table(["Promise", "Year", *plans], rows)
    lines += [
        "Chance that it is met in that year, with the 95% interval that the number of futures leaves.",
        "",
        "## How far the tonnes spread",
    ]
    spread = {(row["plan"], row["year"]): row for row in found["distributions"] if row["metric"] == "corridor_mt"}
    years = [year for year in SHOWN if (plans[0], year) in spread]
    rows = [
        [plan, *(f"{spread[plan, y]['p50']:.2f} ({spread[plan, y]['p10']:.2f} to {spread[plan, y]['p90']:.2f})" for y in years)]
        for plan in plans
    ]
    lines += table(["Mt: P50 (P10 to P90)", *map(str, years)], rows)
    lines += ["## What drives it"]
    for plan in plans[:2]:
        drivers = [row for row in found["drivers"] if row["plan"] == plan][:5]
        if drivers:
            lines += ["", f"The five that explain most of the spread of {drivers[0]['metric']} in {drivers[0]['year']}, {plan}:"]
            cells = [
                [f"{row['title']}", f"{row['first_order_share']:.0%}", f"{row['low_mean']:.2f}", f"{row['high_mean']:.2f}"]
                for row in drivers
            ]
            lines += table(["Unknown", "Share alone", "Lowest fifth (shock: without)", "Highest fifth (shock: with)"], cells)
    lines += [f"## What plans are worth, against {found['against']}", ""]
    lines += [
        f"Discounted at {found['rate_share']:.0%} to the base year, M USD: welfare less the known cost of measures, nothing after the last year."
    ]
    rows = [
        [row["plan"], *(f"{row[key]:,.0f}" for key in ("mean_musd", "p10_musd", "p90_musd")), f"{row['loss_share']:.0%}", f"{row['cost_musd']:,.0f}",
         str(row["costs_unknown_count"])]
        for row in found["values"]
    ]  # fmt: skip
    lines += table(["Plan", "Mean", "P10", "P90", "Below 0", "Known cost", "Measures without known cost"], rows)
    rows = [
        [
            row["plan"] + (" (least)" if row["is_least_regret"] else ""),
            f"{row['worst_musd']:,.0f}",
            f"{row['p90_musd']:,.0f}",
            f"{row['near_share']:.0%}",
        ]
        for row in found["regret"]
    ]
    lines += table(["Plan", "Largest regret, M USD", "P90 of regret", "Within 5% of the best"], rows)
    if found["information"]:
        lines += [f"To know the future before choosing would be worth {found['information'][0]['value_musd']:,.0f} M USD."]
    if found["waiting"]:
        waiting = found["waiting"]
        lines += [
            f"To wait for the later plan and choose it knowing the future is worth {waiting['most_musd']:,.0f} M USD more than deciding now, at the most."
        ]
    lines += ["", "## When it fails"]
    for plan in plans:
        box = [row for row in found["failure_boxes"] if row["plan"] == plan]
        if box:
            lines += [
                "",
                f"{box[0]['coverage_share']:.0%} of the misses of {plan} lie where these hold, and {box[0]['density_share']:.0%} of what lies there misses:",
            ]
            cells = [
                [
                    row["factor"],
                    f"{row['low_share']:.0%} to {row['high_share']:.0%}",
                    "" if row["low"] is None else f"{row['low']:.4g} to {row['high']:.4g}",
                ]
                for row in box
            ]
            lines += table(["Unknown", "Part of its draw", "Values"], cells)
    lines += ["", "## What it carries when something breaks"]
    cells = [
        [row["name"], f"{row['with_mt']:.2f}", f"{row['without_mt']:.2f}", "" if row["kept_share"] is None else f"{row['kept_share']:.0%}", str(row["futures"])]
        for row in found["disruptions"] if row["plan"] == plans[0]
    ]  # fmt: skip
    lines += table([f"First year of a shock, {plans[0]}", "Mt with", "Mt without", "Kept", "Futures"], cells)
    if found["peace"]:
        lines += ["## What open borders are worth", "", "Kept against taken back, on the same futures:"]
        cells = [
            [str(row["year"]), row["metric"] + ("" if row["country"] is None else f", {row['country']}"), *(f"{row[key]:.2f}" for key in ("p10", "p50", "p90"))]
            for row in found["peace"] if max(abs(row["p10"]), abs(row["p90"])) >= 0.05
        ]  # fmt: skip
        lines += table(["Year", "What", "P10", "P50", "P90"], cells)
    routes = found["routes"]
    if routes["largest_mt"] is not None:
        lines += [
            "## How far to trust it", "",
            f"Routes were looked for anew in {routes['asked_count']:.0f} outlooks: the tonnes of a year changed by {routes['p50_mt']:.3f} Mt in half of them, {routes['largest_mt']:.3f} Mt in the worst.",
        ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="given", type=Path)
    parser.add_argument("--futures", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parsed = parser.parse_args()
    found = json.loads(parsed.given.read_text(encoding="utf-8")) if parsed.given else computed(parsed.futures, parsed.workers, parsed.out)
    PAGE.write_text(page(found), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
