"""Write the parts of docs/case.md that come from the case itself: counts, capacities, relief, and the value of information.

`python tools/case.py` writes them; `--check` says whether they are current (exit 1 if not). `--sensitivities` first tries every estimate at
both ends of its range, with the base year fitted again each time (most of an hour on two cores), and writes docs/sensitivities.csv.
`--simulated` first clears the market with simulated capacities beside nominal ones (some minutes), and writes
docs/simulated_capacities.csv.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from karvan.assignment import effective_capacity
from karvan.corridor import Corridor, load_corridor
from karvan.corridor.tables import metadata_of
from karvan.measures import load_scenario, measures_of, scenario_ids
from karvan.measures.apply import apply
from karvan.network import sea_level_m
from karvan.simulation import saturation, simulated_facilities
from karvan.study.handed_over import RUN_OPTIONS, Handover, nominal_and_simulated
from karvan.study.relief import raised_facilities
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.sensitivity import estimates, sensitivities

DOCS = Path(__file__).resolve().parent.parent / "docs"
LIST, PAGE, BESIDE = DOCS / "sensitivities.csv", DOCS / "case.md", DOCS / "simulated_capacities.csv"
CORRIDOR, SCENARIO, YEAR, SHOWN, WORKERS = "middle-corridor", "agreed", 2028, 10, 2
COLUMNS = ("table", "row", "column", "value", "low", "high", "low_mt", "high_mt", "move_mt")
ORDER = (
    "region_places", "calibration_targets", "facilities", "facility_uses", "growth", "terminals", "commodities", "links", "modes",
    "commodity_units", "tariffs", "demand",
)  # fmt: skip
PART = 50
BESIDE_YEARS = (2024, 2026, 2028, 2030, 2035, 2040)
COUNTED = (
    "demand", "region_places", "commodities", "growth", "permissions", "trade", "calibration_targets", "observations", "journeys",
    "commitments", "places", "links", "terminals", "facilities", "delay_curves", "returns", "tariffs", "provenance", "default_ranges",
)  # fmt: skip


def counts(corridor: Corridor) -> list[str]:
    """Rows of each table by confidence, and measures by the scenario that brings them in."""
    lines = ["| table | rows | of which |", "|---|---:|---|"]
    for table in COUNTED:
        frame = corridor.tables[table]
        found = Counter(str(word) for word in frame["confidence"])
        told = ", ".join(f"{count} {word}" for word, count in sorted(found.items(), key=lambda item: (-item[1], item[0])))
        lines.append(f"| {table} | {frame.height} | {told} |")
    seen: set[str] = set()
    parts = []
    for name in scenario_ids(corridor):
        held = {item.measure.id for item in load_scenario(name, corridor).dated} if name in ("history", "baseline", "agreed") else set()
        parts.append((len(held), name, held))
    told = []
    for _, name, held in sorted(parts, key=lambda part: part[0]):
        if held - seen:
            told.append(f"{len(held - seen)} {name}")
        seen |= held
    lines.append(f"| measures | {len(measures_of(corridor))} | {', '.join(told)}, the rest options |")
    return lines


def capacities(corridor: Corridor) -> list[str]:
    """Every facility with its parts, and the measures that relieve it."""
    frame = corridor.tables["facilities"]
    lines = [
        "| facility | unit | nominal | works | load | peak | effective | other load | quoted | why | confidence |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for row, effective in zip(frame.iter_rows(named=True), effective_capacity(frame), strict=True):
        lines.append(
            f"| {row['name']} (`{row['facility_id']}`) | {row['unit']} | {row['nominal']:,.4g} | {row['availability_share']:.0%}"
            f" | {row['payload_share']:.0%} | {row['peak_factor']:g} | {effective:,.4g} | {row['other_load']:,.5g}"
            f" | {'yes' if row['is_public'] else 'conditional'} | {row['note'] or ''} | {row['confidence']} |"
        )
    rows = {row["facility_id"]: row for row in frame.iter_rows(named=True)}
    relief: dict[str, list[str]] = {name: [] for name in rows}
    for measure in measures_of(corridor).values():
        for name in raised_facilities(measure, rows):
            relief[name].append(f"`{measure.id}`" + ("*" if measure.is_operating else ""))
    lines += ["", "Measures that relieve each of them (a star: no building):", ""]
    lines += [f"- `{name}`: {', '.join(sorted(found)) or 'none in the case'}" for name, found in relief.items()]
    return lines


def value_of_information(corridor: Corridor) -> list[str]:
    """The estimates that move the headline most, from the list."""
    rows = read_list()
    moved = [row for row in rows if row["low_mt"] is not None and row["high_mt"] is not None]
    intro = (
        "Computed before routes entered by price and before returns and delays were modelled, and not again since; trying all takes hours."
        f" {len(rows)} estimates were tried: each was set to the low and the high end of its range, alone, the base year fitted"
        f" again, and the scenario `{SCENARIO}` cleared for {YEAR}. A column without ranges of its own moves as a whole. The ten that"
        " move it most, and so would repay finding out:"
    )
    outro = (
        f"{sum(row['move_mt'] >= 0.01 for row in moved)} of them move it by 0.01 Mt or more. For {len(rows) - len(moved)} the base year"
        " cannot be fitted at one end of the range. The whole list: [sensitivities.csv](sensitivities.csv)."
    )
    return [
        intro,
        "",
        "| estimate | what | value | range | Mt in the year | move, Mt |",
        "|---|---|---:|---|---|---:|",
        *(_told(row) for row in moved[:SHOWN]),
        "",
        outro,
    ]


def _told(row: dict[str, Any]) -> str:
    place = f"`{row['table']}.{row['row'].replace('|', '/')}`" if row["row"] else f"all estimates of `{row['table']}`"
    doc = str(metadata_of(row["table"], row["column"]).get("doc", "")).rstrip(".")
    spread = f"{row['low']:g} to {row['high']:g}" if row["row"] else f"times {row['low']:g} to {row['high']:g}"
    ends = f"{row['low_mt']:.2f} to {row['high_mt']:.2f}"
    return f"| {place} | `{row['column']}`: {doc} | {row['value']:g} | {spread} | {ends} | {row['move_mt']:.2f} |"


def nominal_beside_simulated(corridor: Corridor) -> list[str]:
    """The corridor's tonnes with nominal and with simulated capacities, from the list: which facility makes the difference, and why."""
    with BESIDE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = dict(corridor.tables["facilities"].select("facility_id", "name").iter_rows())
    ships = {*corridor.tables["crossings"]["facility_id"].drop_nulls(), *corridor.tables["passages"]["facility_id"].drop_nulls()}
    lines = [
        "| scenario | year | Mt nominal | Mt simulated | makes most of the difference | nominal | simulated | given back alone, Mt | why |",
        "|---|---|---:|---:|---|---:|---:|---:|---|",
    ]
    for row in rows:
        unit = row["unit"]
        why = _why(row, is_berth=row["facility_id"] not in ships)
        lines.append(
            f"| `{row['scenario']}` | {row['year']} | {float(row['nominal_mt']):.2f} | {float(row['simulated_mt']):.2f}"
            f" | {names[row['facility_id']]} (`{row['facility_id']}`) | {float(row['nominal']):,.4g} {unit}"
            f" | {float(row['simulated']):,.4g} ± {float(row['half']):,.2g} {unit} | {float(row['given_back_mt']):+.2f} | {why} |"
        )
    intro = (
        "`karvan run --capacities simulated` gives the market what [the simulation](simulation.md) finds in each year in place of the"
        " nominal capacities and waits of ports, lines, yards and borders; constants stay as fitted with nominal ones. The facility named"
        " is the one that changes the corridor most when it alone is given back its nominal values. Why it differs: what it could do at"
        " most if berths and ramps were never short, on the sea of the base year, or without weather, each alone."
        " The numbers: [simulated_capacities.csv](simulated_capacities.csv)."
    )
    return [intro, "", *lines]


def _why(row: dict[str, str], *, is_berth: bool) -> str:
    simulated = float(row["simulated"])
    freed = {"sea of the base year": float(row["with_water"]), "no weather": float(row["without_weather"])}
    if not is_berth:
        freed["berths never short"] = float(row["with_berths"])
    return ("the berths bind; " if is_berth else "") + ", ".join(
        f"{name} {value / simulated - 1.0:+.0%}" for name, value in sorted(freed.items(), key=lambda item: -item[1])
    )


def compute_beside() -> None:
    """Clear both scenarios with nominal and simulated capacities, and write what differs."""
    corridor = load_corridor(CORRIDOR)
    memory = RouteMemory(folder=cache_folder())
    rows: list[dict[str, Any]] = []
    for name in (SCENARIO, corridor.manifest.baseline):
        scenario = load_scenario(name, corridor)
        totals, facilities = nominal_and_simulated(
            corridor, scenario=name, years=BESIDE_YEARS, routes=memory, progress=lambda line: print(line, file=sys.stderr)
        )
        loads = Handover(corridor, load_scenario(corridor.manifest.baseline, corridor), memory).loads
        for total in totals.rows(named=True):
            own = facilities.filter(pl.col("year") == total["year"], pl.col("given_back_mt").is_not_null())
            most = own.sort(pl.col("given_back_mt").abs(), descending=True).row(0, named=True)
            tables = apply(scenario, corridor, year=total["year"]).tables
            rows.append(
                {
                    "scenario": name, "year": total["year"], "nominal_mt": total["nominal_corridor_mt"],
                    "simulated_mt": total["simulated_corridor_mt"], "facility_id": most["facility_id"], "unit": most["unit"],
                    "nominal": most["nominal_capacity"], "simulated": most["simulated_capacity"], "half": most["saturation_half"],
                    "given_back_mt": most["given_back_mt"], **_freed(tables, most["facility_id"], loads, total["year"], corridor),
                }
            )  # fmt: skip
    with BESIDE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: format(value, ".6g") if isinstance(value, float) else value for key, value in row.items()} for row in rows)


def _freed(
    tables: Mapping[str, pl.DataFrame], facility: str, loads: Mapping[str, Mapping[str, float]], year: int, corridor: Corridor
) -> dict[str, float]:
    """Most that a facility can do if berths were never short, on the sea of the base year, and without weather."""
    system = next(name for name in loads if facility in simulated_facilities(tables, name))
    level_m, base_m = (sea_level_m(tables["sea_levels"], None, each) for each in (year, corridor.manifest.base_year))
    wide = {**tables, "berths": tables["berths"].with_columns(servers_count=pl.lit(50.0))}
    calm = {**tables, "closures": tables["closures"].with_columns(closed_share=pl.lit(0.0))}
    designs = {"with_berths": (wide, level_m), "with_water": (tables, base_m), "without_weather": (calm, level_m)}
    return {
        key: saturation(changed, system, facility, loads[system], level_m=level, options=RUN_OPTIONS).mean
        for key, (changed, level) in designs.items()
    }


BLOCKS = {
    "counts": counts, "capacities": capacities, "nominal beside simulated": nominal_beside_simulated,
    "value of information": value_of_information,
}  # fmt: skip


def read_list() -> list[dict[str, Any]]:
    """Sensitivities as written before, the largest first."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return [
            {key: (value if key in ("table", "row", "column") else (float(value) if value else None)) for key, value in row.items()}
            for row in csv.DictReader(file)
        ]


def write_list(rows: list[dict[str, Any]]) -> None:
    """All sensitivities, the largest first."""
    with LIST.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([format(row[key], ".6g") if isinstance(row[key], float) else (row[key] or "") for key in COLUMNS])


def compute_list() -> None:
    """Try every estimate, table by table, and write the list after each part, so that a stop loses little."""
    items = sorted(estimates(load_corridor(CORRIDOR)), key=lambda item: (ORDER.index(item.table), item.row or "", item.column))
    rows: list[dict[str, Any]] = []
    for first in range(0, len(items), PART):
        rows += sensitivities(CORRIDOR, scenario=SCENARIO, year=YEAR, workers=WORKERS, chosen=items[first : first + PART])
        write_list(sorted(rows, key=lambda row: (-row["move_mt"], row["table"], row["row"] or "", row["column"])))
        print(f"{len(rows)} of {len(items)} estimates", file=sys.stderr)


def written(page: str, corridor: Corridor) -> str:
    """The page with every block as the case says it now."""
    for name, block in BLOCKS.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, mark, rest = page.partition(start)
        _, closing, after = rest.partition(end)
        if not (mark and closing):
            raise SystemExit(f"{PAGE.name} lacks the marks {start} and {end}")
        page = before + "\n".join([start, *block(corridor), end]) + after
    return page


def main(arguments: list[str]) -> int:
    """Write or check the page; compute the sensitivities first if asked."""
    if "--sensitivities" in arguments:
        write_list(
            sensitivities(CORRIDOR, scenario=SCENARIO, year=YEAR, workers=WORKERS, progress=lambda line: print(line, file=sys.stderr))
        )
    if "--simulated" in arguments:
        compute_beside()
    page = PAGE.read_text(encoding="utf-8")
    current = written(page, load_corridor(CORRIDOR))
    if "--check" in arguments:
        if current != page:
            print(f"{PAGE.name} is not what the case says; run: python tools/case.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(current, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
