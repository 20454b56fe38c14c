"""The check of a run on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

_WIDTH = 96


def checked_lines(folder: str, checks: Sequence[dict[str, Any]]) -> list[str]:
    """Every check with how much was compared and the worst deviation, and what is wrong, as lines of at most 100 columns.

    Args:
        folder: The run folder.
        checks: `Check.as_dict()` of each check.
    """
    failed = [check for check in checks if not check["is_passed"]]
    verdict = f"{len(failed)} of {len(checks)} checks fail" if failed else f"all {len(checks)} checks pass"
    lines = [f"{folder}: {verdict}", "", f"  {'check':<16}{'compared':>12}{'wrong':>9}{'worst':>11}"]
    for check in checks:
        worst = "no number" if check["worst"] is None else f"{check['worst']:.1e}" if check["worst"] else "0"
        lines.append(
            f"  {check['name']:<16}{check['compared']:>12,}{check['wrong']:>9,}{worst:>11}{'' if check['is_passed'] else '  FAILS'}"
        )
    for check in failed:
        lines += ["", f"  {check['name'].upper()}: {check['what']}"]
        lines += textwrap.wrap(check["message"], _WIDTH, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return lines
