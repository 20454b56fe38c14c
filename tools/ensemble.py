"""Write docs/ensemble.md: what many futures of the packaged case say.

python tools/ensemble.py                 # 1,000 futures, or what is left of them, and the page
python tools/ensemble.py --futures 16    # fewer of them
python tools/ensemble.py --no-shocks     # values only
python tools/ensemble.py --from FILE     # the page from what `karvan ensemble --json` printed for the same plans

Four plans on the same draws cost about four outlooks a future.
Stopped, by whatever, it goes on where it was when it is begun again; more futures go on from fewer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import karvan as kv
from karvan.report import ENGLISH
from karvan.report.unknowns import box_line, effect_of, is_known, told

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "ensemble.md"
PLANS = ("late", "reversed", "baseline")
TITLES = {
    "agreed": "what is agreed, on time",
    "late": "the same two years later",
    "reversed": "the openings of 2025 taken back",
    "baseline": "no more than there is",
}
SHOWN = (2025, 2028, 2030, 2035, 2040)
BY = (2028, 2030, 2035)
OF_SEVERAL = "operators of several countries"
LEAST_MUSD = 0.5
"""Money below this, in the dearer of P10 and P90, is left out of a table."""

Answer = dict[str, Any]
Row = dict[str, Any]


def computed(futures: int, workers: int, out: Path | None, *, has_shocks: bool) -> Answer:
    how = kv.EnsembleOptions(futures=futures, plans=PLANS, workers=workers, has_shocks=has_shocks)
    found: Answer = kv.ensemble(kv.load_corridor("middle-corridor"), how=how, out=out, progress=print).as_dict()
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows), ""]


def percent(share: float | None) -> str:
    if share is None:
        return "–"
    return "under 1%" if 0.0 < share < 0.005 else "over 99%" if 0.995 < share < 1.0 else f"{share:.0%}"


def identifier(name: str) -> str:
    """An id in a cell of a table, whose columns `|` would part."""
    return f"`{name}`".replace("|", "\\|")


def between(row: Row, form: str) -> str:
    return f"{row['p50']:{form}} ({row['p10']:{form}} to {row['p90']:{form}})"


def plans_of(found: Answer) -> list[str]:
    return list(dict.fromkeys(row["plan"] for row in found["distributions"]))


def tonnes(found: Answer) -> tuple[list[str], dict[tuple[str, int], Row]]:
    """The promise of ten million tonnes, by plan and year."""
    rows = {(row["plan"], row["year"]): row for row in found["promises"] if row["metric"] == "corridor_mt" and row["target"] == 10.0}
    return [plan for plan in ("agreed", "late") if any(key[0] == plan for key in rows)], rows


def short_of_it(found: Answer) -> list[str]:
    plans, rows = tonnes(found)
    lines = ["## The short of it", ""]
    for plan in plans:
        told = [f"by {year} in {percent(rows[plan, year]['by_year_share'])}" for year in BY if (plan, year) in rows]
        lines.append(f"- `{plan}` ({TITLES[plan]}) reaches 10 Mt {', '.join(told)} of the futures.")
    for plan in plans[:1]:
        drivers = leading(found, plan)
        if not drivers:
            continue
        known = [row for row in drivers if is_known(row)]
        names = "; ".join(called(row, found) for row in known[:5])
        lines.append(
            f"- What decides the tonnes of {drivers[0]['year']} most, beside chance: {names}."
            if known
            else f"- No single unknown explains more of the tonnes of {drivers[0]['year']} than chance may give to one of so many in so few futures."
        )
    least = next((row for row in found["regret"] if row["is_least_regret"]), None)
    if least is not None:
        lines.append(
            f"- The plan with the least regret is `{least['plan']}`: in nine futures of ten it misses the best of the {len(found['regret'])} by no more than {least['p90_musd']:,.0f} M USD."
        )
    peace = {(row["metric"], row["country"], row["year"]): row for row in found["peace"]}
    market = next((peace[key] for year in (2030, 2035) if (key := ("corridor_mt", None, year)) in peace), None)
    if market is not None:
        lines.append(
            f"- Openings kept rather than taken back are worth {market['p50']:+.2f} Mt over the Caspian in {market['year']} in the middle future, {market['p10']:+.2f} to {market['p90']:+.2f} in eight of ten."
        )
    return [*lines, ""]


def called(row: Row, found: Answer) -> str:
    """What an unknown is called, and what more of it does."""
    return f"{told(found['called'][row['factor']], ENGLISH)} ({effect_of(row, ENGLISH)})"


def leading(found: Answer, plan: str) -> list[Row]:
    return [row for row in found["drivers"] if row["plan"] == plan][:5]


def ten_million(found: Answer) -> list[str]:
    plans, rows = tonnes(found)
    lines = ["## Is 10 Mt reached"]
    cells = []
    for plan in plans:
        for year in BY:
            row = rows.get((plan, year))
            if row is not None:
                by = f"{percent(row['by_year_share'])} ({percent(row['by_year_low_share'])} to {percent(row['by_year_high_share'])})"
                held = f"{percent(row['chance_share'])} ({percent(row['chance_low_share'])} to {percent(row['chance_high_share'])})"
                cells.append([f"`{plan}`", str(year), by, held])
    lines += table(["Plan", "Year", "Reached by then", "Reached in that year"], cells)
    lines += [
        "In brackets, the 95% interval that the number of futures leaves. A future may reach 10 Mt and fall below it again, so that the first number is the larger.",
        "",
    ]
    by_promise: dict[tuple[str, int], dict[str, Row]] = {}
    for row in found["promises"]:
        if not (row["metric"] == "corridor_mt" and row["target"] == 10.0):
            by_promise.setdefault((row["short"] or row["title"], row["year"]), {})[row["plan"]] = row
    if by_promise:
        names = plans_of(found)
        lines += ["The other promises that have a number and a year:"]
        lines += table(
            ["Promise", "Year", *(f"`{plan}`" for plan in names)],
            (
                [name, str(year), *(percent(of[plan]["chance_share"]) if plan in of else "–" for plan in names)]
                for (name, year), of in by_promise.items()
            ),
        )
    return lines


def spread(found: Answer) -> list[str]:
    of = {(row["plan"], row["year"]): row for row in found["distributions"] if row["metric"] == "corridor_mt"}
    plans = plans_of(found)
    years = [year for year in SHOWN if (plans[0], year) in of]
    cells = ([f"`{plan}`", *(between(of[plan, year], ".2f") for year in years)] for plan in plans)
    return [
        "## How far the tonnes spread",
        "",
        "Mt over the Caspian: the middle future, and in brackets the tenth and the ninetieth of a hundred.",
        *table(["Plan", *map(str, years)], cells),
    ]


def what_drives_it(found: Answer) -> list[str]:
    lines = ["## What matters most"]
    for plan in ("agreed", "late"):
        rows = leading(found, plan)
        if not rows:
            continue
        chance = rows[0]["chance_share"]
        lines += ["", f"The five unknowns that explain most of the spread of the tonnes of {rows[0]['year']} in `{plan}`:"]
        cells = (
            [
                told(found["called"][row["factor"]], ENGLISH),
                effect_of(row, ENGLISH),
                f"{row['first_order_share']:.1%}",
                "yes" if is_known(row) else "no",
                f"{row['low_mean']:.2f}",
                f"{row['high_mean']:.2f}",
                identifier(row["factor"]),
            ]
            for row in rows
        )
        lines += table(
            [
                "Unknown",
                "Effect",
                "Share",
                "Beyond chance",
                "Mt, lowest fifth (shock: without)",
                "Mt, highest fifth (shock: with)",
                "In the case",
            ],
            cells,
        )
        lines += [
            f"Each share is what a straight line on the unknown explains beyond those above it, as points of {len(found['factors'])} dimensions look alike in few futures. Chance alone may give {chance:.1%} to the luckiest; what does not pass that is not known to matter."
            if rows[0]["is_in_turn"]
            else f"Chance alone may give {chance:.1%} to one of so many unknowns in so many futures; what does not pass that is not known to matter."
        ]
    return [*lines, "", ENGLISH("ensemble.drivers_fitted"), ""] if len(lines) > 1 else lines


def gain(row: Row | None) -> str:
    return (
        "–"
        if row is None
        else f"{row['mean_musd']:+,.0f} ({row['p10_musd']:+,.0f} to {row['p90_musd']:+,.0f}), {percent(row['better_share'])}"
    )


def money(found: Answer) -> list[str]:
    if not found["values"]:
        return []
    first, last = found["value_years"]
    lines = [f"## What plans are worth, against `{found['against']}`", ""]
    lines += [
        f"Present value at {found['rate_share']:.1%} a year, {first} to {last}, M USD: what shippers, operators, states, neighbours and the climate gain together less works, by the accounts and costs of `karvan appraise`. Years after the last one cleared gain what that one does."
    ]
    cells = (
        [
            f"`{row['plan']}`",
            *(f"{row[key]:,.0f}" for key in ("p50_musd", "p10_musd", "p90_musd")),
            percent(row["loss_share"]),
            f"{row['cost_musd']:,.0f}",
            str(row["costs_unknown_count"]),
        ]
        for row in found["values"]
    )
    lines += table(["Plan", "P50", "P10", "P90", "Chance to lose", "Works", "Measures without a cost"], cells)
    cells = (
        [
            f"`{row['plan']}`" + (" (least)" if row["is_least_regret"] else ""),
            f"{row['worst_musd']:,.0f}",
            f"{row['p90_musd']:,.0f}",
            percent(row["best_share"]),
            percent(row["near_share"]),
        ]
        for row in found["regret"]
    )
    lines += ["Regret is what a plan misses of the best plan in the same future."]
    lines += table(["Plan", "Largest regret, M USD", "P90 of regret", "No plan is better in", "Within 5% of the best"], cells)
    names = [row["plan"] for row in found["regret"]]
    gains = {(row["plan"], row["other"]): row for row in found["pairs"]}
    lines += [
        "What the plan of a row gains over the plan of a column on the same futures: mean, P10 to P90, M USD, and in how many it does better."
    ]
    lines += table(
        ["Plan, against", *(f"`{name}`" for name in names)],
        ([f"`{plan}`", *(gain(gains.get((plan, other))) for other in names)] for plan in names),
    )
    if found["information"]:
        lines += [f"To know the future before choosing would be worth {found['information'][0]['value_musd']:,.0f} M USD."]
    if found["waiting"]:
        lines += [
            f"To wait for `late` and choose it knowing the future is worth {found['waiting']['most_musd']:,.0f} M USD more than deciding now, at the most."
        ]
    return [*lines, ""]


def peace(found: Answer) -> list[str]:
    rows = found["peace"]
    if not rows:
        return []
    lines = [
        "## What open borders are worth",
        "",
        "Openings kept against openings taken back in 2028, on the same futures: the middle future, and in brackets the tenth and the ninetieth of a hundred. Years: "
        + ", ".join(str(year) for year in sorted({row["year"] for row in rows}))
        + ".",
    ]
    parts = (
        ("Markets", ("corridor_mt", "welfare_musd"), {"corridor_mt": "Mt over the Caspian", "welfare_musd": "Welfare of shippers and owners, M USD, above that at the costs of the base year"}, ".2f"),
        ("Transit income: tariffs and charges earned, M USD a year, by country", ("income_musd",), {}, ",.1f"),
        ("Rents: earned by what is full, M USD a year, by country", ("scarcity_musd",), {}, ",.1f"),
    )  # fmt: skip
    for title, metrics, names, form in parts:
        here = [
            row
            for row in rows
            if row["metric"] in metrics and (row["metric"] == "corridor_mt" or max(abs(row["p10"]), abs(row["p90"])) >= LEAST_MUSD)
        ]
        keys = list(dict.fromkeys((row["metric"], row["country"]) for row in here))
        years = sorted({row["year"] for row in rows})
        by = {(row["metric"], row["country"], row["year"]): row for row in here}
        cells = [
            [
                names.get(metric) or (OF_SEVERAL if country == "several" else str(country)),
                *(between(by[metric, country, year], form) if (metric, country, year) in by else "–" for year in years),
            ]
            for metric, country in keys
        ]
        lines += [
            "",
            f"*{title}*",
            *(table(["", *map(str, years)], cells) if cells else ["", "Nothing that passes half a million a year.", ""]),
        ]
    return lines


def failures(found: Answer) -> list[str]:
    lines = ["## When it fails"]
    for plan in plans_of(found):
        box = [row for row in found["failure_boxes"] if row["plan"] == plan]
        if box:
            lines += [
                "",
                f"{percent(box[0]['coverage_share'])} of the misses of `{plan}` lie where these hold, and {percent(box[0]['density_share'])} of what lies there misses:",
            ]
            lines += ["", *(f"- {box_line(row, found['called'], ENGLISH)} (`{row['factor']}`)" for row in box), ""]
    if len(lines) == 1:
        lines += ["", "No part of what was drawn holds most of the misses: they come from everywhere, or there are too few of them.", ""]
    here = [row for row in found["disruptions"] if row["plan"] == plans_of(found)[0]]
    if here:
        cells = (
            [
                row["name"],
                f"{row['with_mt']:.2f}",
                f"{row['without_mt']:.2f}",
                "" if row["kept_share"] is None else f"{row['kept_share']:.0%}",
                str(row["futures"]),
            ]
            for row in here
        )
        lines += [
            "## What it carries when something breaks",
            "",
            f"In the first year of a shock, `{plans_of(found)[0]}`, against the futures without it.",
            *table(["Shock", "Mt with", "Mt without", "Kept", "Futures"], cells),
        ]
    return lines


def rests_on(found: Answer) -> list[str]:
    plans, failed = plans_of(found), sum(row["count"] for row in found["failed"])
    routes = found["routes"]
    lines = ["## What it rests on", ""]
    lines.append(
        f"- {found['futures']:,} futures, design {found['design']}, seed {found['seed']}; {failed} of {found['futures'] * len(plans):,} outlooks gave no answer. All plans see the same draws."
    )
    shocks = ", ".join(row["name"] for row in found["shocks"])
    lines.append(
        f"- {len(found['factors'])} values within their ranges and {len(found['shocks'])} shocks ({shocks}). Ranges and chances are estimates of the case; the answers are as good as they are."
        if shocks
        else f"- {len(found['factors'])} values within their ranges. Ranges are estimates of the case; the answers are as good as they are. **No shock happens**: no closure, storm year, fall of the sea or tariff war is drawn, so that every spread here is too narrow and every chance is that of years without one. `karvan ensemble` draws them."
    )
    lines.append("- In every future the base year is fitted again, so that what was observed in 2024 stays observed.")
    lines += ["", "## What is not known", ""]
    lines.append(
        f"- {len(found['left_out'])} estimates were not drawn, because they would change which routes there are or what was observed."
    )
    if routes["largest_mt"] is not None:
        lines.append(
            f"- Routes are those known at the values of the case, of a set of shocks those known under each shock alone. Looked for anew in {routes['asked_count']:.0f} outlooks, they changed the tonnes of a year by {routes['p50_mt']:.3f} Mt in half of them and {routes['largest_mt']:.3f} Mt in the worst."
        )
    if found["shocks"]:
        lines.append(
            "- Shocks are drawn apart from each other and from growth, and each happens at most once. Wars that close the corridor itself are not among them."
        )
    lines.append("- Costs of works are those of the case in every future; what cost overruns would change is told by `karvan appraise`.")
    return lines


def page(found: Answer) -> str:
    head = [
        "# Many futures of the Middle Corridor",
        "",
        "Written by `python tools/ensemble.py`; do not edit by hand. How futures are made: [Ask many futures](how-to/many-futures.md).",
        "",
    ]
    parts = (short_of_it, ten_million, spread, what_drives_it, money, peace, failures, rests_on)
    return "\n".join([*head, *(line for part in parts for line in part(found))]).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="given", type=Path)
    parser.add_argument("--futures", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-shocks", action="store_true")
    parser.add_argument("--out", type=Path, help="folder of the futures (default: karvan-ensembles/<ensemble id>)")
    parser.add_argument("--page", type=Path, default=PAGE)
    parsed = parser.parse_args()
    if parsed.given:
        found = json.loads(parsed.given.read_text(encoding="utf-8"))
    else:
        found = computed(parsed.futures, parsed.workers, parsed.out, has_shocks=not parsed.no_shocks)
    pending = parsed.page.with_suffix(".md.part")
    pending.write_text(page(found), encoding="utf-8", newline="\n")
    pending.replace(parsed.page)
    print(f"wrote {parsed.page}")


if __name__ == "__main__":
    main()
