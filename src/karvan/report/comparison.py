"""Published values against the model: lines for a terminal, a page, a picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from karvan.evidence import CLOSE_SHARE
from karvan.report.corridors import corridor_lines, corridor_table
from karvan.report.summary import WIDTH

_APART_SHOWN = 10
_FAMILIES = {
    "volume": "tonnes and boxes moved",
    "throughput": "flows at ports, borders, lines",
    "power": "power made and traded",
    "time": "transit times",
    "rate": "freight rates",
    "carec": "CAREC indicators",
    "outlook": "outlooks of studies",
    "context": "context",
}
_REASONS = {
    "scope": "counts something that the case has no cordon for",
    "before_base_year": "older than the base year",
    "opinion": "a plan, a target or a statement, not a measurement",
    "not_modelled": "the model gives no such quantity",
}
_FLAGS = {"in_range": "inside the published range", "close": "within 15%", "apart": "apart"}


def validation_lines(found: Mapping[str, Any]) -> list[str]:
    """The terminal summary of a validation.

    Args:
        found: What `karvan.validate` gave.
    """
    rows = found["observations"]
    compared = [row for row in rows if row["error"] is not None]
    lines = [
        f"{len(rows)} published values: {len(compared)} compared, {found['not_used']} of them not used in fitting.",
        "",
        f"  {'family':<34}{'compared':>9}{'not used':>10}{'in range':>10}{'within 15%':>12}{'median error':>14}",
    ]
    for title, count, free, inside, close, middle in _by_family(found):
        lines.append(f"  {title:<34}{count:>9}{free:>10}{inside:>10}{close:>12}{middle or '--':>14}")
    lines += ["", *_outturn_lines(found), *corridor_lines(found)]
    lines += [f"  FURTHEST APART, not used in fitting{'published':>30}{'model':>14}{'error':>10}"]
    for row in _furthest(compared):
        lines.append(
            f"  {row['observation_id'][:46]:<47}{amount(row['compared_with']):>18}{amount(row['model']):>14}{row['error']:>+10.0%}"
        )
        if row["why"]:
            lines += textwrap.wrap(row["why"], WIDTH, initial_indent="      ", subsequent_indent="      ")
    lines += ["", "  NOT COMPARED"]
    for reason, text in _REASONS.items():
        count = sum(row["reason"] == reason for row in rows)
        if count:
            lines.append(f"  {count:>5}  {text}")
    return lines


def _by_family(found: Mapping[str, Any]) -> list[tuple[str, int, int, int, int, str]]:
    """Of each kind: title, values compared, of these not used, of these inside the published range and within 15%, median error."""
    rows = []
    for family, title in _FAMILIES.items():
        members = [row for row in found["observations"] if row["family"] == family and row["error"] is not None]
        free = [row for row in members if not row["used_in_calibration"]]
        inside, close = sum(row["flag"] == "in_range" for row in free), sum(abs(row["error"]) <= CLOSE_SHARE for row in free)
        middle = found["median_abs_error"].get(family)
        if members:
            rows.append((title, len(members), len(free), inside, close, "" if middle is None else f"{middle:.0%}"))
    return rows


def _outturn_lines(found: Mapping[str, Any]) -> list[str]:
    outturn = found["outturn"]
    if outturn is None:
        return []
    base = found["base_year"]
    lines = [
        f"  {outturn['year']} FROM {base} AND ITS DATED EVENTS{base:>18}{'published':>13}{'model':>12}{'error':>9}{'if unchanged':>14}"
    ]
    for row in outturn["rows"]:
        sign = "" if row["is_sign_right"] else "   wrong sign"
        name = f"{row['observation_id']}, {row['unit']}"
        lines.append(
            f"  {name[:37]:<38}{amount(row['base']):>14}{amount(row['published']):>13}{amount(row['model']):>12}{row['error']:>+9.0%}"
            f"{row['error_of_no_change']:>+14.0%}{sign}"
        )
    lines.append(
        f"  Mean error {outturn['mean_abs_error']:.1%}, against {outturn['mean_abs_error_of_no_change']:.1%} for the same as in {base}."
    )
    return [*lines, ""]


def _furthest(compared: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    free = [row for row in compared if not row["used_in_calibration"] and row["flag"] == "apart"]
    return sorted(free, key=lambda row: (-abs(math.log(max(1.0 + row["error"], 1e-3))), row["observation_id"]))[:_APART_SHOWN]


def amount(value: float | None) -> str:
    """A published or modelled value: whole from 100 on, else three digits; two dashes for none."""
    if value is None:
        return "--"
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:,.3g}"


def validation_page(found: Mapping[str, Any], *, picture: str) -> str:
    """The validation as a Markdown page.

    Args:
        found: What `karvan.validate` gave.
        picture: Name of the picture's file, beside the page.
    """
    rows = found["observations"]
    compared = [row for row in rows if row["error"] is not None]
    base = found["base_year"]
    intro = (
        f"Of {len(rows)} published values in `observations.csv`, {len(compared)} can be held against the model, and {found['not_used']} of"
        " these were not used in fitting or as an input. What a study counts is a cordon of the case, never a factor. Rates of other"
        f" years are brought to USD of {base} by the deflators of the case; times, rates and indicators older than {base} are held"
        f" against {base}. An outlook is held against the scenario whose assumptions it describes."
    )
    lines = [
        "# Validation: the model against published values",
        "",
        f"Written by `karvan validate --page`; do not edit by hand. Corridor {found['corridor']}, edition {found['corridor_version']}.",
        "",
        intro,
        "",
        f"![Model over published value, by kind]({picture})",
        "",
        "| kind | compared | not used | inside the published range | within 15% | median error |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {title} | {count} | {free} | {inside} | {close} | {middle} |" for title, count, free, inside, close, middle in _by_family(found)
    ]
    lines += ["", *_outturn_table(found), *corridor_table(found)]
    for family, title in _FAMILIES.items():
        members = [row for row in compared if row["family"] == family]
        if members:
            lines += [f"## {title.capitalize().replace('Carec', 'CAREC')}", "", *_family_table(members), ""]
    lines += ["## Not compared", ""]
    for reason, text in _REASONS.items():
        members = [row for row in rows if row["reason"] == reason]
        if members:
            lines += [f"### {text.capitalize()} ({len(members)})", "", "| value | year | published | why |", "|---|---:|---:|---|"]
            lines += [
                f"| {_cell(row['scope'])} | {row['period'] or row['year']} | {amount(row['published'])} {_cell(row['unit'])}"
                f" | {_cell(row['why'] or '')} |"
                for row in members
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _outturn_table(found: Mapping[str, Any]) -> list[str]:
    outturn = found["outturn"]
    if outturn is None:
        return []
    base = found["base_year"]
    lines = [
        f"## {outturn['year']} from {base} and its dated events",
        "",
        f"| value | {base} | {outturn['year']} published | model | error | error of no change | sign |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in outturn["rows"]:
        lines.append(
            f"| {row['observation_id']}, {row['unit']} | {amount(row['base'])} | {amount(row['published'])} | {amount(row['model'])}"
            f" | {row['error']:+.0%} | {row['error_of_no_change']:+.0%} | {'right' if row['is_sign_right'] else 'wrong'} |"
        )
    told = (
        f"Mean absolute error {outturn['mean_abs_error']:.1%}; taking {outturn['year']} to be the same as {base} would miss by"
        f" {outturn['mean_abs_error_of_no_change']:.1%}."
    )
    return [*lines, "", told, ""]


def _family_table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| value | year | published | model | error | | why |", "|---|---:|---:|---:|---:|---|---|"]
    for row in sorted(rows, key=lambda item: (item["used_in_calibration"], item["observation_id"])):
        used = "used in fitting or as an input" if row["used_in_calibration"] else _FLAGS[row["flag"]]
        spread = "" if row["low"] is None or row["high"] is None else f" ({amount(row['low'])} to {amount(row['high'])})"
        lines.append(
            f"| {_cell(row['scope'])} | {row['period'] or row['year']} | {amount(row['compared_with'])}{spread} {_cell(row['unit'])}"
            f" | {amount(row['model'])} | {row['error']:+.0%} | {used} | {_cell(row['why'] or '')} |"
        )
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


_LEFT, _RIGHT, _ROW_HEIGHT, _TOP = 230.0, 900.0, 46.0, 58.0
_LOWEST, _HIGHEST = 0.25, 4.0
_TICKS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
_COLOURS = {"in_range": "#1b7f5c", "close": "#3b6fb6", "apart": "#c2542d"}

_LEGEND = (
    ("inside the published range", _COLOURS["in_range"], False),
    ("within 15%", _COLOURS["close"], False),
    ("apart", _COLOURS["apart"], False),
    ("used in fitting or as an input", "#45505c", True),
)


def validation_picture(found: Mapping[str, Any]) -> str:
    """Model over published value of every compared row, by kind, on a logarithmic scale, as SVG.

    Hollow: used in fitting. Values beyond a factor of four stand at the edge.

    Args:
        found: What `karvan.validate` gave.
    """
    compared = [row for row in found["observations"] if row["error"] is not None]
    families = [family for family in _FAMILIES if any(row["family"] == family for row in compared)]
    height = _TOP + _ROW_HEIGHT * len(families) + 64.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 940 {height:.0f}" font-family="sans-serif" font-size="14">',
        f'<rect width="940" height="{height:.0f}" fill="#ffffff"/>',
        '<text x="20" y="28" font-size="17" font-weight="bold" fill="#1d2733">Model over published value</text>',
    ]
    bottom = _TOP + _ROW_HEIGHT * len(families)
    band = _place(1.0 - 0.15), _place(1.0 + 0.15)
    parts.append(f'<rect x="{band[0]:.1f}" y="{_TOP:.1f}" width="{band[1] - band[0]:.1f}" height="{bottom - _TOP:.1f}" fill="#eaf1ea"/>')
    for tick in _TICKS:
        x = _place(tick)
        weight = "1.5" if tick == 1.0 else "0.6"
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="#8a94a0" stroke-width="{weight}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle" fill="#45505c">{tick:g}</text>')
    for index, family in enumerate(families):
        middle = _TOP + _ROW_HEIGHT * (index + 0.5)
        parts.append(f'<text x="20" y="{middle + 5:.1f}" fill="#1d2733">{escape(_FAMILIES[family])}</text>')
        parts += _dots([row for row in compared if row["family"] == family], middle)
    x = 20.0
    for text, colour, is_hollow in _LEGEND:
        style = f'fill="{"none" if is_hollow else colour}" stroke="{colour}"'
        parts.append(f'<circle class="legend" cx="{x + 4:.1f}" cy="{bottom + 40:.1f}" r="4" {style}/>')
        parts.append(f'<text x="{x + 14:.1f}" y="{bottom + 44:.1f}" font-size="12" fill="#45505c">{escape(text)}</text>')
        x += 34.0 + 6.2 * len(text)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _place(ratio: float) -> float:
    bounded = min(max(ratio, _LOWEST), _HIGHEST)
    return _LEFT + (_RIGHT - _LEFT) * math.log(bounded / _LOWEST) / math.log(_HIGHEST / _LOWEST)


def _dots(rows: Sequence[Mapping[str, Any]], middle: float) -> list[str]:
    """A dot a row; those that would overlap stand above and below each other."""
    taken: dict[int, int] = {}
    found = []
    for row in sorted(rows, key=lambda item: (1.0 + item["error"], item["observation_id"])):
        x = _place(1.0 + row["error"])
        slot = taken.get(round(x / 9.0), 0)
        taken[round(x / 9.0)] = slot + 1
        y = middle + 9.0 * ((slot + 1) // 2) * (1 if slot % 2 else -1)
        y = min(max(y, middle - 18.0), middle + 18.0)
        colour = _COLOURS[row["flag"]]
        fill = "none" if row["used_in_calibration"] else colour
        told = f"{row['observation_id']}: published {amount(row['compared_with'])}, model {amount(row['model'])} {row['unit']}"
        style = f'fill="{fill}" fill-opacity="0.8" stroke="{colour}"'
        found.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {style}><title>{escape(told)}</title></circle>')
    return found
