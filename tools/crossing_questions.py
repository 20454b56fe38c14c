"""Write docs/crossing-questions.md: what planners ask of the simulated Caspian, each question with the command that answers it.

`python tools/crossing_questions.py` writes it: every command is run as a reader would run it, in some minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
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
    """A question, the command that answers it, how its answer is told, and what we read in it."""

    title: str
    command: str
    told: Callable[[Found], list[str]]
    read: str


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
    cells = (heads, rules, *([cell.replace("|", r"\|") for cell in row] for row in rows))
    return ["", *(f"| {' | '.join(row)} |" for row in cells), ""]


def is_sure(row: Found) -> bool:
    """The interval of what a design changes in a stream does not hold zero."""
    days, more = row["difference_d"], row["more_per_year"]
    return (days is not None and abs(days) > row["difference_d_half"]) or abs(more) > max(row["more_per_year_half"], 1e-9)


def is_moved(row: Found, before: Found) -> bool:
    """A stream surely changes, or holds in one design and not in the other."""
    return (
        row["is_stable"] != before["is_stable"]
        or (row["is_stable"] and is_sure(row))
        or abs(row["more_per_year"]) > row["more_per_year_half"] > 0.0
    )


def streams_of_design(rows: Sequence[Found], before: Mapping[str, Found]) -> str:
    """What surely changes in days, and which streams hold no longer or hold now."""
    told = []
    for row in rows:
        name, was = f"`{row['arrival_id']}`", before[row["arrival_id"]]
        if not is_moved(row, was):
            continue
        if not row["is_stable"]:
            more = f"{row['more_per_year']:+,.0f} ± {row['more_per_year_half']:,.0f} a year leave"
            told.append(f"{name} {'still ' if not was['is_stable'] else ''}unstable, {more}")
        elif not was["is_stable"]:
            told.append(f"{name} holds now, {number(row['transit_d'])} d")
        elif row["difference_d"] is not None:
            told.append(f"{name} {row['difference_d']:+.1f} ± {row['difference_d_half']:.1f} d")
    return "; ".join(told) or "no stream surely changes"


def by_design(found: Found) -> list[str]:
    """Designs down; facilities and streams across."""
    designs = list(dict.fromkeys(row["design"] for row in found["designs"]))
    facilities = list(dict.fromkeys(row["facility_id"] for row in found["design_capacities"]))
    units = {row["facility_id"]: row["unit"] for row in found["design_capacities"]}
    most = {(row["design"], row["facility_id"]): row for row in found["design_capacities"]}
    before = {row["arrival_id"]: row for row in found["designs"] if row["design"] == designs[0]}
    moved = {row["arrival_id"] for row in found["designs"] if is_moved(row, before[row["arrival_id"]])}
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
                if row["arrival_id"] in moved
            )
            rows.append([design, *cells, days])
        else:
            rows.append([f"`{design}`", *cells, streams_of_design(streams, before)])
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
        rows.append(
            [
                str(row["year"]),
                f"`{row['path_id']}`",
                f"{row['level_m']:.2f}",
                f"`{row['crossing_id']}`, {row['unit']}",
                number(row["load_per_year"], 0),
                number(row["ships_count"], 0),
                with_half(row["most_per_year"], row["most_per_year_half"], 0),
                number(row["room_count"], 0),
                "berths bind" if row["ships_needed"] is None else str(row["ships_needed"]),
                number(row["berth_most_per_year"], 0),
            ]
        )
    heads = ["year", "path", "sea, m", "line", "load", "ships", "they carry", "places of one", "ships needed", "berths let through"]
    return table(heads, rows, left=2)


QUICK = "--half-width 20% --most 20 --no-curves"
KURYK, FEEDERS, TANKERS, DRY = (
    f"--capacity-of {name}" for name in ("kuryk_ferry_west", "feeder_aktau_alat_west", "tankers_aktau_baku", "dry_ships_aktau_alat")
)
AS_AGREED = "--year 2030 --scenario agreed"
WITHOUT = (
    "--without kmtf_container_ships --without adports_container_ships --without aktau_container_hub"
    " --without alat_phase_1_extension --without alat_phase_2"
)
HUB, TERMINAL, SHIPS = "aktau_container_hub", "alat_phase_1_extension+alat_phase_2", "kmtf_container_ships+adports_container_ships"
RAMPS = "kuryk_second_rail_berth+berths.alat_ferry_berths.servers_count=4"
MORE = f"{RAMPS}+berths.aktau_dry_berths.servers_count=8+ships.dry_5.ships_count=12"
CLOCK = "calls.kuryk_ferry|kuryk.timetable_per_week=12"
QUESTIONS = (
    Question(
        "How many ferries before the berth binds?",
        f"karvan simulate caspian {QUICK} --sweep ships.kuryk_ferry_52.ships_count=1:8 {KURYK}",
        by_sweep,
        "The ramp of Kuryk and the two ferry berths of Alat fill slowly: the fifth large ferry still adds five sixths of what the fourth did, the eighth little more than a quarter of it. Theory of the ships alone (`karvan simulate`, part *lines*) says that the berth binds with about five ships.",
    ),
    Question(
        "What does less water cost, year by year, on three paths of the sea?",
        "karvan simulate caspian --water 2025:2040:5",
        by_water,
        "In brackets: less than with the water of 2024, with the same ships, berths and storms. Ships and berths of the years are those of the baseline, so that the columns jump where ships or dredging come; what the sea takes is in the brackets. By 2040 the ferries of Kuryk lose two fifths on the optimistic path, two thirds on the pessimistic, more than a quarter on the steady one; the Turkmen feeder hardly sails; tankers, from a dredged berth, lose least.",
    ),
    Question(
        "What does one metre less water cost, all else as in 2025?",
        f"karvan simulate caspian --year 2025 {QUICK} --try sea_level_m=-30.35 {KURYK} {FEEDERS} {TANKERS} {DRY}",
        by_design,
        "A metre less, all else equal: the ferries of Kuryk and the feeders lose 23% of what they can carry, tankers and dry ships 15 and 14%, at depths before dredging. Trucks and dry goods, which hold in 2025, then do not.",
    ),
    Question(
        "What does dredging at Aktau buy in 2030?",
        f"karvan simulate caspian --year 2030 {QUICK} --without aktau_dredging --try aktau_dredging {TANKERS} {DRY} {FEEDERS}",
        by_design,
        "Half a million tonnes a year more by tankers, a sixth. Dry ships gain little and feeders nothing: Alat is shallower for them, and dredging deepens Aktau alone.",
    ),
    Question(
        "What does a storm month do?",
        f"karvan simulate caspian {QUICK}",
        by_month,
        "Days by month of coming. A wagon that comes to Kuryk in December takes four to five times as long as one of August; through Turkmenbashi, which storms close less, the year hardly shows.",
    ),
    Question(
        "Two of the dry berths of Aktau out of service?",
        f"karvan simulate caspian {QUICK} --try berths.aktau_dry_berths.servers_count=1 --capacity-of aktau_dry_berths",
        by_design,
        "One berth in place of three: dry goods come faster than they can leave, and queues grow without end; there is no mean wait to tell.",
    ),
    Question(
        "Trains that come bunched, four at once?",
        f"karvan simulate caspian {QUICK} --try arrivals.kuryk_wagons.bunch_count=4 --try arrivals.aktau_boxes.bunch_count=4",
        by_design,
        "Four trains at once, the same number a year: nothing that can be told apart from chance but a tenth of a day for boxes. Trains come a day late in the mean anyway, and the wait is one for ships and weather.",
    ),
    Question(
        "A timetable against sail-when-full, and a joint timetable without a new ship?",
        f'karvan simulate caspian {QUICK} --try "{CLOCK}" --try "{CLOCK}+calls.kuryk_ferry|kuryk.is_early=true" --try joint_timetable'
        f" {KURYK}",
        by_design,
        "Leaving by the clock alone, twelve times a week, costs a sixth of what the ferries can carry: whoever misses a slot waits for the next. With *when full* besides, the clock does nothing. The joint timetable gains by shorter turns and punctual trains: 3%, where the measure's own estimate for the market is 15%.",
    ),
    Question(
        "What does 10 Mt need in 2030, everything announced being built?",
        "karvan simulate caspian --fleet-sizing 2030 --scenario agreed --to-mt 10 --sea-level-path optimistic",
        by_size,
        "Every stream at the same multiple of what the market of 2030 sends. Ferries of Kuryk cannot do it with any number of ships: ramp and berths let through less than half of what comes. Road ferries would be 13 in place of 5, on the Turkmen line 5 in place of 2; dry ships and the tankers to Makhachkala are one short; the tankers to Baku and the feeders suffice. Where other classes of a line suffice, their number is told: fewer of them were not tried.",
    ),
    Question(
        "Do more ramps, berths and ships carry 10 Mt?",
        f"karvan simulate caspian {AS_AGREED} --to-mt 10 {QUICK} --try kuryk_second_rail_berth --try {RAMPS} --try {MORE} {KURYK}",
        by_design,
        "A second ramp at Kuryk adds a quarter, two more ferry berths at Alat as much again, and wagons from Alat, trucks on both lines and two streams of dry goods still do not hold: ships are short there, or water is: a ferry of 52 wagons loads 31 with 4 m at Alat. Ten million tonnes by these streams in these proportions are not what the announced plans carry.",
    ),
    Question(
        "What are the hub at Aktau and the terminal at Alat worth in 2030, with the ships of today and with those ordered?",
        f"karvan simulate caspian {AS_AGREED} {WITHOUT} {QUICK} --try {HUB} --try {TERMINAL} --try {HUB}+{TERMINAL} --try {SHIPS}"
        f" --try {SHIPS}+{HUB} --try {SHIPS}+{TERMINAL} --try {SHIPS}+{HUB}+{TERMINAL} {FEEDERS}",
        by_design,
        "With the ships of today the hub adds 9,000 TEU a year and the terminal 3,000: ships are short. With those ordered the hub adds 57,000, and the terminal, beside the hub, 22,000 more; without the hub the terminal adds nothing, since new ships only queue at Aktau.",
    ),
    Question(
        "How many tankers does the crude for Baku need, by year and sea level?",
        "karvan simulate caspian --fleet-sizing 2025:2040:5 --scenario agreed --line tankers",
        by_size,
        "Crude as the market sends it. Needed are five or six tankers from 2030 on, on the pessimistic path seven by 2040, of nine that are then there; a tanker of 12,400 t loads 8,200 t by then. Tankers share the oil berths of Aktau with those for Makhachkala, its weather and its water.",
    ),
)
HEAD = """# Questions about the crossing

Written by `python tools/crossing_questions.py`, which runs every command below; do not edit by hand. [How to ask more](how-to/simulate-a-crossing.md); [what the simulation was held against](simulation.md).

All designs of an answer see the same storms and trains, so that differences are surer than the means. Numbers after ± are half a 95% interval, in brackets that of a difference. Commands here are quick ones, of 20 simulated years each; without
`--half-width` and `--most` they take longer and tell more closely. Most rows of the simulated sea are estimates, so these are answers about the case as it stands. What we read in a table is about the tables of the case of this edition.
"""


def page(keep: Path | None) -> str:
    """The page; answers are kept in a folder, if one is named, and taken from there."""
    parts = [HEAD]
    for item in QUESTIONS:
        file = None if keep is None else keep / f"{hashlib.sha256(item.command.encode()).hexdigest()[:12]}.json"
        if file is not None and file.is_file():
            found = json.loads(file.read_text(encoding="utf-8"))
        else:
            found = answer(item.command)
            if file is not None:
                file.write_text(json.dumps(found), encoding="utf-8")
        parts += [f"## {item.title}", "", f"    {item.command}", *item.told(found), item.read, ""]
    return "\n".join(parts)


def main(arguments: Sequence[str]) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder where answers of commands are kept, and taken from")
    text = page(parser.parse_args(arguments).keep)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
