"""The page of an ensemble: one file for a browser that asks nobody for anything. Fans, tornado, regret, map with bands, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.report.many_futures import country_told, title_of, values_line
from karvan.report.words import ENGLISH, Words
from karvan.results import EnsembleAnswer

_WIDTH, _HEIGHT, _LEFT, _FOOT = 640.0, 260.0, 52.0, 26.0
_BANDS = (("p5", "p95", "band wide"), ("p10", "p90", "band"), ("p25", "p75", "band narrow"))
_FANS = ("corridor_mt", "containers_teu", "crude_mt")
_MOST_DRIVERS = 12
_SHOWN_SHARE = 0.002
_STYLE = "many_page.css"


def ensemble_page(found: EnsembleAnswer, corridor: Corridor, *, words: Words = ENGLISH) -> str:
    """A page of an ensemble, whole in itself, light or dark as the reader's system is.

    Args:
        found: What `karvan.ensemble` gave.
        corridor: The corridor that was asked about.
        words: The language.
    """
    style = resources.files("karvan.report").joinpath(_STYLE).read_text(encoding="utf-8")
    title = words(
        "ensemble.title", corridor=words.called(corridor.manifest.title), futures=found.futures, factors=found.factors.height,
        shocks=found.shocks.height, design=found.design, seed=str(found.seed),
    )  # fmt: skip
    parts = [
        _promises(found, words), _fans(found, words), _tornado(found, words), _regret(found, words), _map(found, corridor, words),
        _peace(found, words), _trust(found, words),
    ]  # fmt: skip
    head = words.called(corridor.manifest.title)
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, '
        f'initial-scale=1"><title>{escape(head)} – Karvan</title><style>{style}</style></head><body><main><h1>{escape(head)}</h1>'
        f"<p>{escape(title)}</p>{''.join(parts)}</main></body></html>\n"
    )


def _section(title: str, *content: str, note: str = "") -> str:
    said = f"<p>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}{''.join(content)}</section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, marks: Mapping[int, str] | None = None) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr class="{(marks or {}).get(number, "")}"><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for number, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _promises(found: EnsembleAnswer, words: Words) -> str:
    if found.promises.is_empty():
        return ""
    plans = found.promises["plan"].unique(maintain_order=True).to_list()
    rows = []
    for (commitment, year), here in found.promises.group_by(["commitment_id", "year"], maintain_order=True):
        short = here["short"][0]
        of = {row["plan"]: row for row in here.iter_rows(named=True)}
        name = f"{words.called(short) if short is not None else commitment} ({year})"
        rows.append([name, *(_chance(of.get(plan), words) for plan in plans)])
    return _section(words("ensemble.page_chance"), _table(["", *plans], rows))


def _chance(row: Mapping[str, Any] | None, words: Words) -> str:
    if row is None:
        return "–"
    return f"{words.percent(row['chance_share'])} ({words.percent(row['chance_low_share'])} – {words.percent(row['chance_high_share'])})"


def _fans(found: EnsembleAnswer, words: Words) -> str:
    charts = []
    for metric in _FANS:
        rows = found.distributions.filter(pl.col("metric") == metric)
        most = max(rows["p95"], default=0.0)
        if most <= 0.0:
            continue
        for (plan,), here in rows.group_by("plan", maintain_order=True):
            charts.append(_fan(here, f"{words(f'ensemble.{metric}')}: {plan}", most, words))
    return _section(words("ensemble.page_fans"), '<div class="charts">', *charts, "</div>", note=words("ensemble.page_fans_note"))


def _fan(rows: pl.DataFrame, title: str, most: float, words: Words) -> str:
    """Bands of one headline of one plan over the years, on the scale that all plans share."""
    years = rows["year"].to_list()
    span = max(1, years[-1] - years[0])

    def x(year: int) -> float:
        return float(_LEFT + (year - years[0]) / span * (_WIDTH - _LEFT - 24.0))

    def y(value: float) -> float:
        return float(_HEIGHT - _FOOT - value / most * (_HEIGHT - _FOOT - 12.0))

    marks = [most * step / 4 for step in range(5)]
    grid = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{escape(words.amount(value))}</text>'
        for value in marks
    )
    every = max(1, len(years) // 6)
    ticks = "".join(f'<text x="{x(year):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{year}</text>' for year in years[::every])
    bands = ""
    for low, high, name in _BANDS:
        up = " ".join(f"{x(row['year']):.1f},{y(row[high]):.1f}" for row in rows.iter_rows(named=True))
        down = " ".join(f"{x(row['year']):.1f},{y(row[low]):.1f}" for row in rows.reverse().iter_rows(named=True))
        bands += f'<polygon class="{name}" points="{up} {down}"/>'
    middle = " ".join(f"{x(row['year']):.1f},{y(row['p50']):.1f}" for row in rows.iter_rows(named=True))
    head = [words("ensemble.year"), "P5", "P10", "P25", "P50", "P75", "P90", "P95"]
    names = ("p5", "p10", "p25", "p50", "p75", "p90", "p95")
    table = _table(head, [[str(row["year"]), *(words.amount(row[name]) for name in names)] for row in rows.iter_rows(named=True)])
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
        f'aria-label="{escape(title)}">{grid}{ticks}{bands}<polyline class="middle" points="{middle}"/></svg>'
        f"<details><summary>{escape(words('ensemble.page_numbers'))}</summary>{table}</details></figure>"
    )


def _tornado(found: EnsembleAnswer, words: Words) -> str:
    charts = []
    for (plan,), rows in found.drivers.group_by("plan", maintain_order=True):
        top = rows.head(_MOST_DRIVERS).sort((pl.col("high_mean") - pl.col("low_mean")).abs(), descending=True)
        first = top.row(0, named=True)
        low, high = (
            float(top.select(pl.min_horizontal("low_mean", "high_mean").min()).item()),
            float(top.select(pl.max_horizontal("low_mean", "high_mean").max()).item()),
        )
        spread = max(high - low, 1e-9)

        def x(value: float, low: float = low, spread: float = spread) -> float:
            return float(300.0 + (value - low) / spread * (_WIDTH - 320.0))

        bars = ""
        for number, row in enumerate(top.iter_rows(named=True)):
            start, end = sorted((x(row["low_mean"]), x(row["high_mean"])))
            top_y = 18 + number * 24
            side = "up" if row["high_mean"] >= row["low_mean"] else "down"
            bars += (
                f'<text x="292" y="{top_y + 12}" text-anchor="end">{escape(_cut(title_of(row, words)))}</text>'
                f'<rect class="bar {side}" x="{start:.1f}" y="{top_y}" width="{max(end - start, 1.0):.1f}" height="16">'
                f"<title>{escape(words.amount(row['low_mean']))} – {escape(words.amount(row['high_mean']))}</title></rect>"
            )
        ends = (
            f'<text x="300" y="12">{escape(words.amount(low))}</text>'
            f'<text x="{_WIDTH - 20}" y="12" text-anchor="end">{escape(words.amount(high))}</text>'
        )
        title = words("ensemble.drivers", plan=str(plan), metric=words(f"ensemble.{first['metric']}"), year=first["year"])
        by_chance = words("ensemble.by_chance", share=words.percent(first["chance_share"]))
        head = ["", words("ensemble.share_of"), words("ensemble.at_low"), words("ensemble.at_high")]
        cells = [
            [title_of(row, words), words.percent(row["first_order_share"]), words.amount(row["low_mean"]), words.amount(row["high_mean"])]
            for row in rows.head(_MOST_DRIVERS).iter_rows(named=True)
        ]
        charts.append(
            f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH:g} {24 + 24 * top.height}" role="img" '
            f'aria-label="{escape(title)}">{ends}{bars}</svg><details><summary>{escape(words("ensemble.page_numbers"))}</summary>'
            f"{_table(head, cells)}</details><p>{escape(by_chance)}</p></figure>"
        )
    return _section(words("ensemble.page_drivers"), '<div class="charts">', *charts, "</div>") if charts else ""


def _cut(text: str) -> str:
    return text if len(text) <= 46 else f"{text[:20]}…{text[-25:]}"


def _regret(found: EnsembleAnswer, words: Words) -> str:
    if found.values.is_empty():
        return ""
    values = {row["plan"]: row for row in found.values.iter_rows(named=True)}
    head = ["", *(words(f"ensemble.{name}") for name in ("mean", "p10", "p90", "loss", "worst", "near"))]
    rows, marks = [], dict[int, str]()
    for number, row in enumerate(found.regret.iter_rows(named=True)):
        value = values.get(row["plan"])
        told = ["–"] * 4
        if value is not None:
            told = [words.number(value[name], 0) for name in ("mean_musd", "p10_musd", "p90_musd")] + [words.percent(value["loss_share"])]
        rows.append([row["plan"], *told, words.number(row["worst_musd"], 0), words.percent(row["near_share"])])
        if row["is_least_regret"]:
            marks[number] = "best"
    note = values_line(found, words)
    return _section(words("ensemble.page_regret"), _table(head, rows, marks=marks), note=note)


def _map(found: EnsembleAnswer, corridor: Corridor, words: Words) -> str:
    """Links as lines: the wide pale one is P90, the dark one P10 of what they carry."""
    if found.links.is_empty():
        return ""
    year = 2030 if 2030 in found.links["year"].to_list() else max(found.links["year"])
    plan = found.links["plan"][0]
    here = found.links.filter((pl.col("plan") == plan) & (pl.col("year") == year))
    at = {row["place_id"]: (row["lon_deg"], row["lat_deg"]) for row in corridor.tables["places"].iter_rows(named=True)}
    ends = {row["link_id"]: (row["from_place"], row["to_place"]) for row in corridor.tables["links"].iter_rows(named=True)}
    largest = max(here["p90_kt"], default=0.0)
    crossing = [row for row in here.iter_rows(named=True) if row["link_id"] in ends and row["p90_kt"] >= _SHOWN_SHARE * largest]
    inside = [at[place] for row in crossing for place in ends[row["link_id"]]]
    if not inside:
        return ""
    west, east = min(point[0] for point in inside), max(point[0] for point in inside)
    south, north = min(point[1] for point in inside), max(point[1] for point in inside)
    scale = (_WIDTH - 20) / max(east - west, 1e-6)
    height = (north - south) * scale * 1.35 + 20

    def point(place: str) -> tuple[float, float]:
        lon, lat = at[place]
        return 10 + (lon - west) * scale, height - 10 - (lat - south) * scale * 1.35

    most = max(row["p90_kt"] for row in crossing)
    lines = ""
    for name in ("p90_kt", "p10_kt"):
        for row in crossing:
            (x1, y1), (x2, y2) = (point(place) for place in ends[row["link_id"]])
            width = 0.4 + 16.0 * (row[name] / most) ** 0.5
            told = f"{row['link_id']}: {words.amount(row['p10_kt'])} – {words.amount(row['p50_kt'])} – {words.amount(row['p90_kt'])} kt"
            lines += (
                f'<line class="{name[:3]}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{width:.2f}">'
                f"<title>{escape(told)}</title></line>"
            )
    title = words("ensemble.page_map", plan=str(plan), year=year)
    rows = [
        [row["link_id"], *(words.amount(row[key]) for key in ("p10_kt", "p50_kt", "p90_kt"))]
        for row in sorted(crossing, key=lambda row: -row["p50_kt"])[:40]
    ]
    return _section(
        title,
        f'<figure><svg viewBox="0 0 {_WIDTH:g} {height:.0f}" role="img" aria-label="{escape(title)}">{lines}</svg>',
        f"<details><summary>{escape(words('ensemble.page_numbers'))}</summary>{_table(['', 'P10', 'P50', 'P90'], rows)}</details></figure>",
        note=words("ensemble.page_map_note"),
    )


def _peace(found: EnsembleAnswer, words: Words) -> str:
    rows = [
        [
            f"{row['year']}  {words('ensemble.' + row['metric'])}"
            + ("" if row["country"] is None else f", {country_told(row['country'], words)}"),
            *(words.number(row[key], 2) for key in ("p10", "p50", "p90")),
        ]
        for row in found.peace.iter_rows(named=True)
    ]
    return _section(words("ensemble.page_peace"), _table(["", "P10", "P50", "P90"], rows), note=words("ensemble.peace")) if rows else ""


def _trust(found: EnsembleAnswer, words: Words) -> str:
    told = []
    if not found.failed.is_empty():
        told.append(words("ensemble.failed", count=int(found.failed["count"].sum())))
        told += [f"{row['count']}  {row['plan']}: {row['reason']}" for row in found.failed.head(5).iter_rows(named=True)]
    if found.routes["largest_mt"] is not None:
        gaps = {"p50": words.number(found.routes["p50_mt"] or 0.0, 3), "largest": words.number(found.routes["largest_mt"], 3)}
        told.append(words("ensemble.routes", asked=int(found.routes["asked_count"] or 0), **gaps))
    if found.left_out:
        told.append(words("ensemble.left_out", count=len(found.left_out)))
    return _section(words("ensemble.page_trust"), *(f"<p>{escape(text)}</p>" for text in told)) if told else ""
