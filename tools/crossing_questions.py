"""Write docs/crossing-questions.md: what planners ask of the simulated Caspian, each question as the command that answers it, and its answer.

`python tools/crossing_questions.py` writes it: every command is run as a reader would run it, in some minutes.
"""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from karvan.cli.main import main as karvan

PAGE = Path(__file__).resolve().parent.parent / "docs" / "crossing-questions.md"
Found = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """A question, the commands that answer it, and how their answers are told."""

    title: str
    commands: tuple[str, ...]
    told: Callable[..., list[str]]


def answer(command: str) -> Found:
    """What a command prints with --json."""
    out = io.StringIO()
    print(command, file=sys.stderr)
    with contextlib.redirect_stdout(out):
        code = karvan([*shlex.split(command)[1:], "--json"])
    assert code == 0, out.getvalue()
    found: Found = json.loads(out.getvalue())
    return found


def number(value: float | None, digits: int = 1) -> str:
    """A number, or a dash."""
    return "-" if value is None else f"{value:,.{0 if abs(value) >= 1000 else digits}f}"


def with_half(value: float | None, half: float | None, digits: int = 1) -> str:
    """A number with half its 95% interval."""
    return "-" if value is None else number(value, digits) if not half else f"{number(value, digits)} ± {number(half, digits)}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """A table; all but the first columns stand right."""
    rules = ["---"] * left + ["---:"] * (len(heads) - left)
    return ["", *(f"| {' | '.join(row)} |" for row in (heads, rules, *rows)), ""]


def is_sure(row: Found) -> bool:
    """The interval of what a design changes in a stream does not hold zero."""
    days, more = row["difference_d"], row["more_per_year"]
    return (days is not None and abs(days) > row["difference_d_half"]) or abs(more) > max(row["more_per_year_half"], 1e-9)


def streams_of_design(rows: Sequence[Found]) -> str:
    """What surely changes in days, and which streams do not hold."""
    told = []
    for row in rows:
        if not row["is_stable"]:
            told.append(f"`{row['arrival_id']}` unstable, {number(row['out_per_year'], 0)} a year leave")
        elif is_sure(row) and row["difference_d"] is not None:
            told.append(f"`{row['arrival_id']}` {row['difference_d']:+.1f} ± {row['difference_d_half']:.1f} d")
        elif is_sure(row):
            told.append(f"`{row['arrival_id']}` holds now, {number(row['transit_d'])} d")
    return "; ".join(told) or "no stream surely changes"


def by_design(found: Found) -> list[str]:
    """Designs down; facilities and streams across."""
    designs = list(dict.fromkeys(row["design"] for row in found["designs"]))
    facilities = list(dict.fromkeys(row["facility_id"] for row in found["design_capacities"]))
    units = {row["facility_id"]: row["unit"] for row in found["design_capacities"]}
    most = {(row["design"], row["facility_id"]): row for row in found["design_capacities"]}
    rows = []
    for design in designs:
        cells = []
        for facility in facilities:
            row = most[design, facility]
            more = "" if design == "as it is" else f" ({row['more']:+,.1f} ± {row['more_half']:,.1f})"
            cells.append(with_half(row["saturation"], row["saturation_half"]) + more)
        streams = [row for row in found["designs"] if row["design"] == design]
        if design == "as it is":
            days = "; ".join(
                f"`{row['arrival_id']}` {number(row['transit_d'])} d" if row["is_stable"] else f"`{row['arrival_id']}` unstable"
                for row in streams
            )
            rows.append([design, *cells, days])
        else:
            rows.append([f"`{design}`", *cells, streams_of_design(streams)])
    return table(["design", *(f"`{name}`, {units[name]} a year" for name in facilities), "days from coming to leaving"], rows)


def by_sweep(found: Found) -> list[str]:
    """A sweep of ships: what they carry, and what one more adds."""
    rows, before = [], None
    for row in found["design_capacities"]:
        if row["design"] == "as it is":
            continue
        value = row["design"].partition("=")[2]
        gained = "" if before is None else f"{row['saturation'] - before:+,.1f}"
        rows.append([value, with_half(row["saturation"], row["saturation_half"]), gained])
        before = row["saturation"]
    facility = found["design_capacities"][0]
    return table(["ships of 52 wagons, beside two of 28", f"`{facility['facility_id']}`, {facility['unit']} a year", "one more adds"], rows)


def by_water(found: Found) -> list[str]:
    """Lines across, years down, for each path of the sea."""
    rows = found["water"]
    lines = list(dict.fromkeys(row["facility_id"] for row in rows))
    units = {row["facility_id"]: row["unit"] for row in rows}
    told = []
    for path in dict.fromkeys(row["path_id"] for row in rows):
        at = {(row["year"], row["facility_id"]): row for row in rows if row["path_id"] == path}
        years = list(dict.fromkeys(year for year, _ in at))
        cells = []
        for year in years:
            here = [at[year, line] for line in lines]
            cells.append(
                [
                    str(year),
                    f"{here[0]['level_m']:.2f}",
                    *(f"{number(row['saturation'])} ({row['lost']:,.1f} ± {row['lost_half']:,.1f})" for row in here),
                ]
            )
        last = [at[years[-1], line]["lost_per_m"] for line in lines]
        cells.append(["a metre", "", *(number(value) for value in last)])
        told += ["", f"Path `{path}`:", *table(["year", "sea, m", *(f"`{name}`, {units[name]}" for name in lines)], cells)]
    return told


def by_month(found: Found) -> list[str]:
    """Closures and days by month of some streams."""
    shown = [("closed", "kuryk"), ("closed", "aktau"), ("closed", "alat")]
    stable = [row["arrival_id"] for row in found["streams"] if row["is_stable"]]
    shown += [
        ("transit", name) for name in stable if name in ("kuryk_wagons", "aktau_boxes", "aktau_oil", "aktau_dry", "turkmenbashi_wagons")
    ]
    at = {(row["kind"], row["name"], row["month"]): row for row in found["months"]}
    heads = ["month", *(f"`{name}` closed, d" if kind == "closed" else f"`{name}`, d" for kind, name in shown)]
    rows = [
        [str(month), *(with_half(at[kind, name, month]["value_d"], at[kind, name, month]["value_d_half"]) for kind, name in shown)]
        for month in range(1, 13)
    ]
    return table(heads, rows)


def by_size(found: Found) -> list[str]:
    """Ships that lines have and need."""
    rows = []
    for row in found["fleet_sizes"]:
        needed = "berths bind" if row["ships_needed"] is None else str(row["ships_needed"])
        rows.append(
            [str(row["year"]), f"`{row['path_id']}`", f"{row['level_m']:.2f}", f"`{row['crossing_id']}`, {row['unit']}", number(row["load_per_year"], 0),
             number(row["ships_count"], 0), with_half(row["most_per_year"], row["most_per_year_half"], 0), number(row["room_count"], 0), needed,
             number(row["berth_most_per_year"], 0)]
        )  # fmt: skip
    heads = [
        "year",
        "path",
        "sea, m",
        "line",
        "load a year",
        "ships",
        "they carry",
        "places of the largest",
        "ships needed",
        "berths let through",
    ]
    return table(heads, rows, left=2)


QUICK = "--half-width 20% --most 20 --no-curves"
AS_AGREED = "--year 2030 --scenario agreed"
TODAY = (
    "--without kmtf_container_ships --without adports_container_ships --without aktau_container_hub"
    " --without alat_phase_1_extension --without alat_phase_2"
)
HUB, TERMINAL, SHIPS = "aktau_container_hub", "alat_phase_1_extension+alat_phase_2", "kmtf_container_ships+adports_container_ships"
QUESTIONS = (
    Question(
        "How many ferries before the berth binds?",
        (f"karvan simulate caspian {QUICK} --sweep ships.kuryk_ferry_52.ships_count=1:8 --capacity-of kuryk_ferry_west",),
        by_sweep,
    ),
    Question(
        "What does less water cost, year by year, on three paths of the sea?", ("karvan simulate caspian --water 2025:2040:5",), by_water
    ),
    Question(
        "What does one metre less water cost, all else as in 2025?",
        (
            f"karvan simulate caspian --year 2025 {QUICK} --try sea_level_m=-30.35 --capacity-of kuryk_ferry_west --capacity-of"
            " feeder_aktau_alat_west --capacity-of tankers_aktau_baku --capacity-of dry_ships_aktau_alat",
        ),
        by_design,
    ),
    Question(
        "What does dredging at Aktau buy in 2030?",
        (
            f"karvan simulate caspian --year 2030 {QUICK} --without aktau_dredging --try aktau_dredging --capacity-of tankers_aktau_baku"
            " --capacity-of dry_ships_aktau_alat --capacity-of feeder_aktau_alat_west",
        ),
        by_design,
    ),
    Question("What does a storm month do?", (f"karvan simulate caspian {QUICK}",), by_month),
    Question(
        "Two of the dry berths of Aktau out of service?",
        (f"karvan simulate caspian {QUICK} --try berths.aktau_dry_berths.servers_count=1 --capacity-of aktau_dry_berths",),
        by_design,
    ),
    Question(
        "Trains that come bunched, four at once?",
        (f"karvan simulate caspian {QUICK} --try arrivals.kuryk_wagons.bunch_count=4 --try arrivals.aktau_boxes.bunch_count=4",),
        by_design,
    ),
    Question(
        "A timetable against sail-when-full, and a joint timetable without a new ship?",
        (
            f'karvan simulate caspian {QUICK} --try "calls.kuryk_ferry|kuryk.timetable_per_week=12" --try "calls.kuryk_ferry|'
            'kuryk.timetable_per_week=12+calls.kuryk_ferry|kuryk.is_early=true" --try joint_timetable --capacity-of kuryk_ferry_west',
        ),
        by_design,
    ),
    Question(
        "What does 10 Mt need in 2030, everything announced being built?",
        ("karvan simulate caspian --fleet-sizing 2030 --scenario agreed --to-mt 10 --sea-level-path optimistic",),
        by_size,
    ),
    Question(
        "Do more ramps and ships carry 10 Mt?",
        (
            f"karvan simulate caspian {AS_AGREED} --to-mt 10 {QUICK} --try kuryk_second_rail_berth --try"
            " kuryk_second_rail_berth+berths.alat_ferry_berths.servers_count=4 --try"
            " kuryk_second_rail_berth+berths.alat_ferry_berths.servers_count=4+berths.aktau_dry_berths.servers_count=8+ships.dry_5.ships_count=12"
            " --capacity-of kuryk_ferry_west",
        ),
        by_design,
    ),
    Question(
        "What are the hub at Aktau and the terminal at Alat worth in 2030, with the ships of today and with those ordered?",
        (
            f"karvan simulate caspian {AS_AGREED} {TODAY} {QUICK} --try {HUB} --try {TERMINAL} --try {HUB}+{TERMINAL} --try {SHIPS} --try"
            f" {SHIPS}+{HUB} --try {SHIPS}+{TERMINAL} --try {SHIPS}+{HUB}+{TERMINAL} --capacity-of feeder_aktau_alat_west",
        ),
        by_design,
    ),
    Question(
        "How many tankers does the crude for Baku need, by year and sea level?",
        ("karvan simulate caspian --fleet-sizing 2025:2040:5 --scenario agreed --line tankers",),
        by_size,
    ),
)
