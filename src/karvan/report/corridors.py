"""The corridors that shippers ask about, as told by `karvan validate`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from karvan.report.summary import WIDTH

_SENTENCES = {
    True: "{near} of {counted} corridors with published times that nothing in the case rests on are within 20%, as asked (4 of 5).",
    False: "{near} of {counted} corridors with published times that nothing in the case rests on are within 20%; 4 of 5 were asked.",
}
_NOTHING = "no published time that counts"


def corridor_lines(found: Mapping[str, Any]) -> list[str]:
    """The corridors on a terminal.

    Args:
        found: What `karvan.validate` gave.
    """
    told = found["corridors"]
    if told is None:
        return []
    lines = [f"  {'CORRIDORS THAT SHIPPERS ASK ABOUT':<52}{'published, days':>17}{'model':>13}{'error':>8}"]
    for corridor in told["corridors"]:
        counted = [time for time in corridor["times"] if time["counts"]]
        published, model = _spread([time["compared_with"] for time in counted]), _spread([time["model"] for time in counted])
        error = "" if corridor["error"] is None else f"{corridor['error']:.0%}"
        lines.append(f"  {corridor['name'][:51]:<52}{published or 'none':>17}{model:>13}{error:>8}")
    sentence = _SENTENCES[told["is_reached"]].format(**told)
    return [*lines, *textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  "), ""]


def corridor_table(found: Mapping[str, Any]) -> list[str]:
    """The corridors as a section of the page."""
    told = found["corridors"]
    if told is None:
        return []
    lines = [
        "## Corridors that shippers ask about", "", _SENTENCES[told["is_reached"]].format(**told) + " The error of a corridor is the median"
        " of the absolute errors of its times; times that the fit used, or older than the base year, are listed and do not count.", "",
        "| corridor | value | year | published | model | error | |", "|---|---|---:|---:|---:|---:|---|",
    ]  # fmt: skip
    for corridor in told["corridors"]:
        error = _NOTHING if corridor["error"] is None else f"**{corridor['error']:.0%}**"
        lines.append(f"| {corridor['name']} | | | | | {error} | |")
        for item in (*corridor["times"], *corridor["rates"]):
            low, high = item["low"], item["high"]
            spread = "" if low is None or high is None or low == high else f" ({_amount(low)} to {_amount(high)})"
            used = "used" if item["used_in_calibration"] else "" if item["counts"] or item["unit"] != "d" else "before the base year"
            lines.append(
                f"| | {item['observation_id']} | {item['period'] or item['year']} | {_amount(item['compared_with'])}{spread} {item['unit']}"
                f" | {_amount(item['model'])} | {item['error']:+.0%} | {used} |"
            )
    return [*lines, ""]


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:,.4g}"


def _spread(values: list[float]) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f}-{high:.1f}"
