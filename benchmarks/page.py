"""Write docs/benchmarks.md from what was measured in this run."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
INTRODUCTION = """# Benchmarks

Written by the scripts in `benchmarks/` (`make bench`) from one run each; do not edit. Seconds depend on the machine, ratios within
one run less so. Median and worst of five repeats, where a section says nothing else; peer and Karvan alternate.
"""


def write_section(title: str, text: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Replace one section of the page, or add it.

    Args:
        title: Heading of the section.
        text: What was measured.
        rows: Case, median and worst, already with their units.
    """
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else INTRODUCTION
    table = ["| case | median | worst |", "|---|---:|---:|", *(f"| {case} | {median} | {worst} |" for case, median, worst in rows)]
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}."
    section = f"## {title}\n\n{text} {machine}\n\n" + "\n".join(table) + "\n"
    before, mark, rest = page.partition(f"## {title}\n")
    if mark:
        _, following, after = rest.partition("\n## ")
        page = before + section + (f"\n## {after}" if following else "")
    else:
        page = page.rstrip("\n") + "\n\n" + section
    PAGE.write_text(page, encoding="utf-8", newline="\n")
