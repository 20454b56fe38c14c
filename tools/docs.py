"""Write docs/reference/tables.md from the declarations of the tables.

`python tools/docs.py` writes it; `python tools/docs.py --check` says whether it is current (exit 1 if not).
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from karvan.corridor import OPTIONAL_TABLES, TABLES
from karvan.corridor.rows import wanted_text
from karvan.corridor.tables import header_of, metadata_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "tables.md"

HEAD = """# Tables

Written by `make docs` from the declarations in `src/karvan/network`, `demand` and `evidence`; do not edit by hand.

A corridor is a folder with one CSV file for each table below, `corridor.yaml`, and the folders `measures` and `scenarios`. Files
are UTF-8 with commas and a header; columns may stand in any order. A file marked *optional* may be absent, which means no rows. The
unit of a number stands in its name, or in brackets. **Bold** columns make up the key of a row. A column with a default, or that
may be empty, may be left out. *Prorated* columns take their day-weighted mean over a year; all others are as on 1 July.
"""


def unit_of(table: str, column: str) -> str:
    """Unit in brackets where the name does not say it."""
    unit = metadata_of(table, column).get("unit")
    return f" [{unit}]" if unit else ""


def notes_of(metadata: dict[str, Any]) -> str:
    """What else the declaration says: list, default, proration, switch."""
    notes = []
    if "list_of" in metadata:
        notes.append(f"several joined by `;`, each in {metadata['list_of']}")
    if "default" in metadata:
        default = metadata["default"]
        notes.append(f"default {str(default).lower() if isinstance(default, bool) else default}")
    if metadata.get("prorate"):
        notes.append("prorated" + (f", {metadata['absent']:g} while the row is absent" if "absent" in metadata else ""))
    if metadata.get("switch"):
        notes.append("`open` and `close` of a measure act on it")
    return f" *{'; '.join(notes)}.*".capitalize() if notes else ""


def table_section(table: str) -> str:
    """One table as Markdown."""
    keys = TABLES[table].primary_key()
    optional = " (optional)" if table in OPTIONAL_TABLES else ""
    lines = [
        f"## {table}{optional}",
        "",
        inspect.cleandoc(TABLES[table].__doc__ or ""),
        "",
        "| Column | Holds | What it says |",
        "|---|---|---|",
    ]
    for column in header_of(table):
        metadata = metadata_of(table, column)
        name = f"**{column}**" if column in keys else column
        holds = wanted_text(table, column).replace("|", "\\|") + unit_of(table, column)
        lines.append(f"| {name} | {holds} | {metadata['doc']}{notes_of(metadata)} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page."""
    contents = ", ".join(f"[{table}](#{table}{'-optional' if table in OPTIONAL_TABLES else ''})" for table in TABLES)
    return "\n\n".join([HEAD.strip(), contents, *(table_section(table) for table in TABLES)]) + "\n"


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv[1:]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE.name} is not what the declarations say; run: make docs", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
