"""Charts of a run and of a ladder as SVG: a few kilobytes each, which every notebook shows without a script and without a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from karvan.report.words import ENGLISH, Words
from karvan.results import Ladder

WIDTH, _LEFT, _RIGHT, _TOP = 760, 56, 20, 64
_INK, _SOFT, _LINE, _PAPER = "#17212e", "#56626f", "#d9dee4", "#ffffff"
_SERIES = ("#2451b7", "#822517", "#0a8f8d", "#a17700", "#752677", "#484e52", "#b3b8bd")
_FULL = "#8f0b3a"
_NAME = 236
_STEP = 34

Points = Sequence[tuple[int, float]]


def outlook_plot(report: Mapping[str, Any], *, words: Words = ENGLISH) -> str:
    """History and outlook of the headline cordon with the range of growth, million tonnes a year.

    Args:
        report: What `build_report` gave.
        words: The language.
    """

    def points(rows: Iterable[Mapping[str, Any]]) -> Points:
        return [(row["year"], row["corridor_mt"]) for row in rows]

    observed, ours, base = points(report["history"]), points(report["years"]), points(report["baseline_years"])
    low, high = points(report["range"]["low"]), points(report["range"]["high"])
    target = (report["headline"] or {}).get("target_mt")
    every = [*observed, *ours, *base, *low, *high]
    years = [year for year, _ in every]
    top = _round_up(max([value for _, value in every] + [target or 0.0]))
    height, bottom = 396, 330
    x = _scale(min(years), max(years), _LEFT, WIDTH - _RIGHT)
    y = _scale(0.0, top, bottom, _TOP + 30)
    parts = [*_axis(top, y, words), *_years(sorted(set(years)), x, bottom)]
    band = [f"{x(year):.1f},{y(value):.1f}" for year, value in [*high, *reversed(low)]]
    parts.append(f'<polygon points="{" ".join(band)}" fill="{_SERIES[0]}" opacity="0.16"/>')
    if target is not None:
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(target):.1f}" y2="{y(target):.1f}" stroke="{_FULL}" stroke-dasharray="6 4"/>'
        )
        told = words("outlook.promised", target_mt=words.shortest(target))
        parts.append(_text(_LEFT + 4, y(target) - 5, told, fill=_FULL))
    for rows, colour, dash in ((base, _SERIES[5], "5 4"), (ours, _SERIES[0], "")):
        line = " ".join(f"{x(year):.1f},{y(value):.1f}" for year, value in rows)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dash}"/>')
        parts += [_dot(x(year), y(value), colour, f"{year}: {words.number(value, 2)} {words('unit.Mt')}") for year, value in rows]
    parts += [_dot(x(year), y(value), _INK, f"{year}: {words.number(value, 2)} {words('unit.Mt')}", size=4.2) for year, value in observed]
    key = [(_INK, "outlook.observed"), (_SERIES[0], "outlook.scenario"), (_SERIES[5], "outlook.baseline"), ("#c9d4ee", "outlook.range")]
    parts += _legend([(colour, words(name)) for colour, name in key], bottom + 40)
    return _svg(height, words("outlook.title"), words("outlook.subtitle"), parts)


def facilities_plot(rows: Sequence[Mapping[str, Any]], *, year: int, words: Words = ENGLISH) -> str:
    """Use of effective capacity in one year.

    Args:
        rows: name, unit, flow, capacity, turned_away, is_full of each facility, in the order shown.
        year: The year.
        words: The language.
    """
    start, full = 28 + _NAME, 300
    parts = [
        f'<line x1="{start + full}" x2="{start + full}" y1="{_TOP}" y2="{_TOP + _STEP * len(rows)}" stroke="{_INK}" stroke-width="1.5"/>'
    ]
    for place, row in enumerate(rows):
        y = _TOP + _STEP * place
        share = min(1.0, row["flow"] / row["capacity"])
        away = min(110.0, full * row["turned_away"] / row["capacity"]) if row["is_full"] else 0.0
        colour = _FULL if row["is_full"] else _SERIES[0]
        told = words(
            "ladder.free", flow=words.number(row["flow"]), capacity=words.number(row["capacity"]), unit=words(f"unit.{row['unit']}")
        )
        parts.append(_text(28, y + 20, _cut(row["name"], 32)))
        parts.append(
            f'<rect x="{start}" y="{y + 8}" width="{full * share:.1f}" height="16" rx="3" fill="{colour}">'
            f"<title>{escape(told)}</title></rect>"
        )
        if away > 0.0:
            parts.append(f'<rect x="{start + full}" y="{y + 8}" width="{away:.1f}" height="16" fill="{_FULL}" opacity="0.3"/>')
        parts.append(_text(WIDTH - _RIGHT, y + 20, words.percent(share), anchor="end", fill=_SOFT))
    if not rows:
        parts = [_text(28, _TOP + 20, words("plot.nothing"))]
    subtitle = words("plot.facilities_subtitle", year=year)
    return _svg(_TOP + _STEP * max(1, len(rows)) + 12, words("plot.facilities"), subtitle, parts)


def families_plot(values: Mapping[str, Points], *, goods: str, words: Words = ENGLISH) -> str:
    """Tonnes by route family, stacked, million a year.

    Args:
        values: By the family's name year and million tonnes; those after the first six are summed.
        goods: Which goods, for the subtitle.
        words: The language.
    """
    names = list(values)
    shown, rest = names[: len(_SERIES) - 1], names[len(_SERIES) - 1 :]
    stacks = {name: dict(values[name]) for name in shown}
    years = sorted({year for points in values.values() for year, _ in points})
    if rest:
        stacks[words("plot.families_rest")] = {year: sum(dict(values[name]).get(year, 0.0) for name in rest) for year in years}
    top = _round_up(max((sum(stack.get(year, 0.0) for stack in stacks.values()) for year in years), default=1.0))
    bottom = 320
    y = _scale(0.0, top, bottom, _TOP + 20)
    room = (WIDTH - _LEFT - _RIGHT) / len(years)
    centre = _scale(0, max(1, len(years) - 1), _LEFT + room / 2, WIDTH - _RIGHT - room / 2) if len(years) > 1 else (lambda _: WIDTH / 2)
    half = min(24.0, room * 0.36)
    parts = [*_axis(top, y, words)]
    for place, year in enumerate(years):
        level = 0.0
        for (name, stack), colour in zip(stacks.items(), _SERIES, strict=False):
            value = stack.get(year, 0.0)
            told = escape(f"{name}, {year}: {words.number(value, 2)} {words('unit.Mt')}")
            size = y(level) - y(level + value)
            box = f'x="{centre(place) - half:.1f}" y="{y(level + value):.1f}" width="{2 * half:.1f}" height="{size:.1f}"'
            parts.append(f'<rect {box} fill="{colour}"><title>{told}</title></rect>')
            level += value
        parts.append(_text(centre(place), bottom + 18, str(year), anchor="middle", fill=_SOFT))
    parts += _legend(list(zip(_SERIES, stacks, strict=False)), bottom + 42)
    lines = -(-len(stacks) // 3)
    return _svg(bottom + 46 + 20 * lines, words("plot.families"), words("plot.families_subtitle", goods=goods), parts)


def ladder_plot(ladder: Ladder, *, kind: str = "relieved", words: Words = ENGLISH) -> str:
    """Rungs on the corridor: at what tonnage without limits each binds, and what one more tonne is worth there.

    Args:
        ladder: The ladder.
        kind: `relieved` or `as_is`.
        words: The language.
    """
    rungs = [rung for rung in (ladder.relieved if kind == "relieved" else ladder.as_is) if rung.is_on_corridor]
    start, room = 28 + _NAME, WIDTH - _RIGHT - 28 - _NAME - 96
    x = _scale(0.0, ladder.to_mt, start, start + room)
    end = _TOP + 24 + _STEP * max(1, len(rungs))
    parts = []
    for value, told in ((ladder.today_mt, "plot.today"), (ladder.to_mt, "plot.target")):
        parts.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{_TOP + 22}" y2="{end}" stroke="{_SOFT}" stroke-dasharray="4 4"/>')
        parts.append(_text(x(value), _TOP + 16, words(told, mt=words.number(value)), anchor="middle", fill=_SOFT))
    parts.append(_text(WIDTH - _RIGHT, _TOP + 16, words("terminal.stops_price"), anchor="end", fill=_SOFT))
    for place, rung in enumerate(rungs):
        y = _TOP + 24 + _STEP * place
        price = words("terminal.price", price=words.number(rung.shadow_price_usd_per_t)) if rung.is_public else words("ladder.unsure")
        colour = _FULL if rung.is_public else _SERIES[5]
        parts.append(_text(28, y + 20, f"{rung.rung} {_cut(rung.facility_name, 29)}"))
        parts.append(
            f'<rect x="{start}" y="{y + 8}" width="{x(rung.latent_mt) - start:.1f}" height="16" rx="3" fill="{colour}">'
            f"<title>{escape(words.number(rung.latent_mt, 2))} {escape(words('unit.Mt'))}</title></rect>"
        )
        parts.append(_text(x(rung.latent_mt) - 6, y + 20, words.number(rung.latent_mt, 2), anchor="end", fill=_PAPER))
        parts.append(_text(WIDTH - _RIGHT, y + 20, price, anchor="end", fill=_SOFT))
    if not rungs:
        parts.append(_text(28, _TOP + 44, words("rungs.none")))
    key = "ladder.relieved_told" if kind == "relieved" else "ladder.as_is_told"
    subtitle = words(key, scenario=ladder.scenario_id, year=ladder.year, to_mt=words.shortest(ladder.to_mt))
    return _svg(end + 14, words("ladder.title"), subtitle, parts)


def _svg(height: float, title: str, subtitle: str, parts: Iterable[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    style = 'font-family="Inter, system-ui, sans-serif" font-size="12.5"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}" {style}>',
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="{_PAPER}"/>',
        _text(28, 26, title, size=17, weight=600),
        _text(28, 46, _cut(subtitle, 118), fill=_SOFT),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = _INK, size: float = 12.5, weight: int = 400) -> str:
    look = f'text-anchor="{anchor}" fill="{fill}" font-size="{size:g}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _dot(x: float, y: float, colour: str, told: str, *, size: float = 3.0) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" fill="{colour}"><title>{escape(told)}</title></circle>'


class _scale:  # noqa: N801
    """From a value to a place on paper."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._start, self._slope = low, start, (end - start) / ((high - low) or 1.0)

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) * self._slope


def _axis(top: float, y: _scale, words: Words) -> list[str]:
    parts = []
    for step in range(6):
        value = top * step / 5
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{_LINE}"/>')
        parts.append(_text(_LEFT - 8, y(value) + 4, words.shortest(round(value, 6)), anchor="end", fill=_SOFT))
    return parts


def _years(years: Sequence[int], x: _scale, bottom: float) -> list[str]:
    every = 1 + (years[-1] - years[0]) // 13
    return [_text(x(year), bottom + 18, str(year), anchor="middle", fill=_SOFT) for year in years if (years[-1] - year) % every == 0]


def _legend(items: Sequence[tuple[str, str]], top: float) -> list[str]:
    parts = []
    columns = 4 if len(items) <= 4 and max(len(told) for _, told in items) <= 20 else 3
    for place, (colour, told) in enumerate(items):
        x, y = _LEFT + (place % columns) * (WIDTH - _LEFT) / columns, top + 20 * (place // columns)
        parts.append(f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="18" height="9" rx="2" fill="{colour}"/>')
        parts.append(_text(x + 24, y, _cut(told, 28)))
    return parts


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _round_up(value: float) -> float:
    """The next number that is easy to read on an axis of five steps."""
    size = 1e-3
    while True:
        for first in (1.0, 2.0, 2.5, 4.0, 5.0, 7.5):
            if first * size >= value:
                return first * size
        size *= 10.0
