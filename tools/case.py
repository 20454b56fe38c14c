"""Write the value of information into docs/case.md: which estimates move the headline most.

`python tools/case.py` tries every estimate at both ends of its range, with the base year fitted again each time; about half an hour on two
cores. The whole list goes to docs/sensitivities.csv, the ten largest moves into docs/case.md. `--from-list` writes the page from that list.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from karvan.corridor import load_corridor
from karvan.corridor.tables import metadata_of
from karvan.study.sensitivity import sensitivities

DOCS = Path(__file__).resolve().parent.parent / "docs"
LIST, PAGE = DOCS / "sensitivities.csv", DOCS / "case.md"
START, END = "<!-- value of information -->", "<!-- /value of information -->"
CORRIDOR, SCENARIO, YEAR, SHOWN, WORKERS = "middle-corridor", "agreed", 2028, 10, 2
COLUMNS = ("table", "row", "column", "value", "low", "high", "low_mt", "high_mt", "move_mt")


def told(row: dict[str, Any]) -> str:
    """One line of the page's table."""
    place = f"`{row['table']}.{row['row']}`" if row["row"] else f"all estimates of `{row['table']}`"
    doc = metadata_of(row["table"], row["column"]).get("doc", "").rstrip(".")
    spread = f"{row['low']:g} to {row['high']:g}" if row["row"] else f"times {row['low']:g} to {row['high']:g}"
    ends = f"{row['low_mt']:.2f} to {row['high_mt']:.2f}"
    return f"| {place} | `{row['column']}`: {doc} | {row['value']:g} | {spread} | {ends} | {row['move_mt']:.2f} |"


def read_list() -> list[dict[str, Any]]:
    """Sensitivities as written before."""
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


def main(arguments: list[str]) -> int:
    """Compute or read the sensitivities and put the largest into the page."""
    if "--from-list" not in arguments:
        found = sensitivities(CORRIDOR, scenario=SCENARIO, year=YEAR, workers=WORKERS, progress=lambda line: print(line, file=sys.stderr))
        write_list(found)
    rows = read_list()
    moved = [row for row in rows if row["low_mt"] is not None and row["high_mt"] is not None]
    unfitted = len(rows) - len(moved)
    edition = load_corridor(CORRIDOR).manifest.version
    intro = (
        f"Each of {len(rows)} estimates was set to the low and the high end of its range, alone, the base year fitted again, and"
        f" the scenario `{SCENARIO}` cleared for {YEAR} in edition {edition} of the case. A column without ranges of its own moves as a"
        " whole. The ten that move it most, and so would repay finding out:"
    )
    outro = (
        f"{sum(row['move_mt'] >= 0.01 for row in moved)} of them move it by 0.01 Mt or more. For {unfitted} the base year cannot be fitted"
        " at one end of the range. The whole list: [sensitivities.csv](sensitivities.csv)."
    )
    lines = [
        START,
        intro,
        "",
        "| estimate | what | value | range | Mt in the year | move, Mt |",
        "|---|---|---:|---|---|---:|",
        *(told(row) for row in moved[:SHOWN]),
        "",
        outro,
        END,
    ]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + "\n".join(lines) + after, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
