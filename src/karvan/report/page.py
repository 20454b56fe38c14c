"""The report as one HTML file: tables only, no request to anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from karvan.report.comparison import validation_picture
from karvan.report.summary import answer_sentences, outturn_sentence, quantity, validation_sentence

_METHOD = resources.files("karvan.report").joinpath("method.txt")
_CSS = resources.files("karvan.report").joinpath("page.css")

_VERDICTS = {"met": "Met", "on_course": "On course", "behind": "Behind", "open": "Open", "not_measurable": "Not for this model to judge"}


def render_html(report: Mapping[str, Any]) -> str:
    """A self-contained page of tables from a report.

    Args:
        report: What `build_report` gave.
    """
    title = f"{report['corridor_title']}: {report['scenario_title']}"
    parts = [
        f"<h1>{escape(report['corridor_title'])}</h1>",
        f'<p class="soft">{escape(report["scenario_title"])}, against: {escape(report["baseline_title"])}</p>',
        _answer(report),
        _section("How much moves", _years(report)),
        _section("What stops it, in order", _stops(report)),
        _section("The promises", _tiles(report)),
        _section("How far to trust it", _trust(report)),
        *_validation(report),
        *_journeys(report),
        _section("Where the goods go: route families", _families(report)),
        _section("Who earns what", _operators(report)),
        _section("All facilities that are full", _facilities(report)),
        _section("Register of commitments", _register(report)),
        _section("Measures of the scenario", _measures(report)),
        _section("Method and limits", _method()),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + _footer(report)
        + "\n</main>\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[Any]]) -> str:
    """A table; each header is its text and whether the column holds numbers."""
    head = "".join(f'<th class="n">{escape(text)}</th>' if is_number else f"<th>{escape(text)}</th>" for text, is_number in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="n">{escape(str(cell))}</td>' if is_number else f"<td>{escape(str(cell))}</td>"
            for cell, (_, is_number) in zip(row, header, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _answer(report: Mapping[str, Any]) -> str:
    sentences = answer_sentences(report)
    gap = sentences.index("")
    before = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences[:gap])
    return f'{before}<p class="answer">{escape(" ".join(sentences[gap + 1 :]))}</p>'


def _number(value: float | None, digits: int = 1) -> str:
    return "--" if value is None else f"{value:,.{digits}f}"


def _years(report: Mapping[str, Any]) -> str:
    observed = {row["year"]: row["corridor_mt"] for row in report["history"]}
    baseline = {row["year"]: row for row in report["baseline_years"]}
    low = {row["year"]: row for row in report["range"]["low"]}
    high = {row["year"]: row for row in report["range"]["high"]}
    header = [
        ("Year", False),
        ("Observed, Mt", True),
        ("Announced, Mt", True),
        ("low .. high", True),
        ("Being built, Mt", True),
        ("Without limits, Mt", True),
        ("Boxes, TEU", True),
        ("Crude, Mt", True),
    ]
    past = [
        (year, _number(value, 2), "", "", "", "", "", "") for year, value in sorted(observed.items()) if year < report["years"][0]["year"]
    ]
    rows = [
        (
            row["year"],
            _number(observed.get(row["year"]), 2),
            _number(row["corridor_mt"], 2),
            f"{low[row['year']]['corridor_mt']:.2f} .. {high[row['year']]['corridor_mt']:.2f}",
            _number(baseline[row["year"]]["corridor_mt"], 2),
            _number(row["corridor_latent_mt"], 2),
            _number(row["containers_teu"], 0),
            _number(row["crude_mt"], 2),
        )
        for row in report["years"]
    ]
    return _table(header, [*past, *rows])


def _stops(report: Mapping[str, Any]) -> str:
    if not report["stops"]:
        return "<p>Nothing is full on the corridor in any year of this scenario.</p>"
    header = [
        ("", False),
        ("Facility", False),
        ("Full", False),
        ("Worst year", False),
        ("Carried", True),
        ("Turned away", True),
        ("Unit", False),
        ("One more tonne, USD", True),
        ("Lifting it alone, Mt", True),
        ("Cheapest relief", False),
    ]
    rows = []
    for rank, stop in enumerate(report["stops"], start=1):
        relief = stop["relief"]
        text = "none in the case"
        if relief is not None:
            cost = (
                "no building"
                if relief["is_operating"]
                else ("cost not known" if relief["cost_musd"] is None else f"{relief['cost_musd']:,.0f} M USD")
            )
            text = f"{relief['title']} ({cost})"
        price = _number(stop["shadow_price_usd_per_t"], 1) if stop["is_public"] else "unsure"
        rows.append(
            (
                rank,
                stop["name"],
                f"{stop['from_year']}-{stop['until_year']}",
                stop["year"],
                _number(stop["carried"], 1),
                _number(stop["turned_away"], 1),
                stop["unit"],
                price,
                _number(stop["gain_alone_mt"], 2),
                text,
            )
        )
    explained = (
        "Turned away: what would pass at the same prices without this limit, less what is carried. Units are thousands a year."
        " Unsure: the limit is a guess, so its price should not be quoted."
    )
    note = f'<p class="soft">{explained}</p>'
    return _table(header, rows) + note


def _tiles(report: Mapping[str, Any]) -> str:
    tiles = []
    headline = [item for item in report["commitments"] if item["is_headline"]]
    for item in sorted(headline, key=lambda row: (row["promise"] or 0, row["commitment_id"])):
        known = (
            "" if item["observed"] is None else f"Known {item['observed_year'] or ''}: {quantity(item['observed'])} {item['unit'] or ''}. "
        )
        given = (
            ""
            if item["scenario"] is None
            else f"Announced plan gives {quantity(item['scenario'])} {item['unit'] or ''} in {item['year']}. "
        )
        style = "verdict behind" if item["verdict"] == "behind" else "verdict"
        tiles.append(
            f'<div class="tile"><b>{escape(item["title"])}</b><span class="{style}">{_VERDICTS[item["verdict"]]}</span>'
            f'<p class="soft">{escape(known + given)}{escape(item["status"])}</p></div>'
        )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _trust(report: Mapping[str, Any]) -> str:
    inputs, trust, calibration = report["inputs"], report["trust"], report["calibration"]
    base = calibration["base_year"]
    lines = [
        (
            f"{inputs['count']:,} input rows: {inputs['sourced_share']:.0%} seen in a source, {inputs['recalled_share']:.0%} recalled,"
            f" {inputs['estimate_share']:.0%} estimated."
        ),
        f"{calibration['constants']} constants fitted on {calibration['observations']} observed values of {base} and on nothing later.",
    ]
    lines += [sentence for sentence in (outturn_sentence(report), validation_sentence(report)) if sentence]
    shares = trust["estimated_shares"]
    lines.append(
        f"On estimated rows rest {shares['tonnes']:.0%} of the corridor's tonnes in {base}, {shares['charges']:.0%} of the money they pay,"
        f" {shares['hours']:.0%} of the hours they take and {shares['rent']:.0%} of the rent of full facilities."
    )
    for item in report["movers"]:
        lines.append(
            f"If {item['name']} ({item['column'].replace('_', ' ')}) were {item['low']:g} or {item['high']:g} instead of {item['value']:g},"
            f" {item['year']} would give {item['low_mt']:.2f} or {item['high_mt']:.2f} Mt."
        )
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _validation(report: Mapping[str, Any]) -> list[str]:
    """The picture of model over published value, and every compared value behind it."""
    found = report["validation"]
    rows = [] if found is None else [row for row in found["observations"] if row["error"] is not None]
    if found is None or not rows:
        return []
    header = [("What", False), ("Year", False), ("Published", True), ("Model", True), ("Unit", False), ("Error", True), ("Why", False)]
    cells = [
        (
            row["scope"],
            row["year"],
            quantity(row["compared_with"]),
            quantity(row["model"]),
            row["unit"],
            f"{row['error']:+.0%}",
            ("Used in fitting or as an input. " if row["used_in_calibration"] else "") + (row["why"] or ""),
        )
        for row in rows
    ]
    title = f"{len(rows)} compared values; {len(found['observations']) - len(rows)} more carry a reason why they are not"
    return [
        _section(
            "The model against published values",
            f"{validation_picture(found)}<details><summary>{title}</summary>{_table(header, cells)}</details>",
        )
    ]


def _journeys(report: Mapping[str, Any]) -> list[str]:
    """Time and money of named journeys, and the indicators of CAREC."""
    if not report["journeys"]:
        return []
    header = [
        ("Journey", False), ("Scenario", False), ("Year", False), ("Route family", False), ("km", True), ("Days", True),
        ("Spread, days", True), ("Moving", True), ("Waiting", True), ("Borders and gauge", True), ("Ports", True), ("USD a TEU", True), ("USD a tonne", True),
    ]  # fmt: skip
    rows = [
        (
            row["name"],
            row["scenario"],
            row["year"],
            row["family_id"].replace("_", " "),
            _number(row["length_km"], 0),
            _number(row["time_d"]),
            _number(row["time_sd_d"]),
            _number(row["moving_h"] / 24.0),
            _number(row["waiting_h"] / 24.0),
            _number((row["border_h"] + row["gauge_h"]) / 24.0),
            _number(row["port_h"] / 24.0),
            _number(row["charge_usd_per_teu"], 0),
            _number(row["charge_usd_per_t"], 0),
        )
        for row in report["journeys"]
    ]
    indicators = [
        ("Mode", False), ("Scenario", False), ("Year", False), ("TFI1: hours at a border", True), ("TFI2: USD at a border, 20 t", True),
        ("TFI3: USD per 500 km and 20 t", True), ("TFI4: km/h without delay", True), ("TFI4: km/h with delay", True),
    ]  # fmt: skip
    carec = [
        (
            row["carec_mode"],
            row["scenario"],
            row["year"],
            _number(row["tfi1_border_h"]),
            _number(row["tfi2_border_usd"], 0),
            _number(row["tfi3_usd_per_500km_20t"], 0),
            _number(row["tfi4_swod_kmh"]),
            _number(row["tfi4_swd_kmh"]),
        )
        for row in report["carec"]
    ]
    note = (
        '<p class="soft">Each journey by the cheapest route of its family, without scarcity. Money is what is paid to carriers, ports and'
        " posts in this model, not a quotation.</p>"
    )
    title = f"{len(rows)} journeys, with days by cause"
    body = f"{note}<details><summary>{title}</summary>{_table(header, rows)}</details>"
    if carec:
        heading = "Border and speed indicators of CAREC, from the model's own legs"
        body += f"<details><summary>{heading}</summary>{_table(indicators, carec)}</details>"
    return [_section("Journeys: time, money, borders", body)]


def _families(report: Mapping[str, Any]) -> str:
    years = sorted({row["year"] for row in report["families"]})
    shown = [years[0], years[len(years) // 4], years[len(years) // 2], years[-1]] if len(years) > 3 else years
    totals: dict[tuple[str, int], list[float]] = {}
    for row in report["families"]:
        pair = totals.setdefault((row["family_id"], row["year"]), [0.0, 0.0])
        pair[0] += row["scenario_kt"] / 1e3
        pair[1] += row["baseline_kt"] / 1e3
    families = sorted({family for family, _ in totals})
    header = [("Route family", False), *[(f"{year}, Mt (against baseline)", True) for year in shown]]
    rows = []
    for family in families:
        cells = [totals.get((family, year), [0.0, 0.0]) for year in shown]
        rows.append((family.replace("_", " "), *[f"{ours:,.2f} ({ours - theirs:+,.2f})" for ours, theirs in cells]))
    return _table(header, rows)


def _operators(report: Mapping[str, Any]) -> str:
    first, last = report["years"][0], report["years"][-1]
    names = sorted(set(first["operators_musd"]) | set(last["operators_musd"]), key=lambda name: -first["operators_musd"].get(name, 0.0))
    header = [("Operator", False), (f"{first['year']}, M USD", True), (f"{last['year']}, M USD", True)]
    rows = [(name, _number(first["operators_musd"].get(name, 0.0)), _number(last["operators_musd"].get(name, 0.0))) for name in names]
    title = "Revenue of each operator from the modelled markets, before scarcity rents"
    return f"<details><summary>{title}</summary>{_table(header, rows)}</details>"


def _facilities(report: Mapping[str, Any]) -> str:
    header = [
        ("Year", False),
        ("Facility", False),
        ("Carried", True),
        ("Capacity", True),
        ("Unit", False),
        ("Turned away", True),
        ("USD a unit", True),
        ("Equal wait, h", True),
    ]
    rows = [
        (
            year["year"],
            row["facility_id"],
            _number(row["flow"]),
            _number(row["capacity"]),
            row["unit"],
            _number(row["turned_away"]),
            _number(row["shadow_price_usd_per_unit"], 2),
            _number(row["scarcity_wait_h"], 0),
        )
        for year in report["years"]
        for row in year["facilities"]
        if row["shadow_price_usd_per_unit"] > 1e-3
    ]
    return f"<details><summary>{len(rows)} rows: every facility with a price, on rival routes too</summary>{_table(header, rows)}</details>"


def _register(report: Mapping[str, Any]) -> str:
    header = [
        ("Promise", False),
        ("Target", True),
        ("Unit", False),
        ("Year", False),
        ("Observed", True),
        ("Being built", True),
        ("Announced", True),
        ("Verdict", False),
        ("Status", False),
    ]
    rows = [
        (
            item["title"],
            _number(item["target"], 2),
            item["unit"] or "",
            item["year"] or "",
            _number(item["observed"], 2),
            _number(item["baseline"], 2),
            _number(item["scenario"], 2),
            _VERDICTS[item["verdict"]],
            item["status"],
        )
        for item in report["commitments"]
    ]
    return f"<details><summary>{len(rows)} lines</summary>{_table(header, rows)}</details>"


def _measures(report: Mapping[str, Any]) -> str:
    header = [
        ("From", False),
        ("Until", False),
        ("Measure", False),
        ("Status", False),
        ("Capital, M USD", True),
        ("What it changes", False),
    ]
    rows = [
        (
            item["from_date"] + (" (our date)" if item["is_date_estimate"] else ""),
            item["until_date"] or "",
            item["title"],
            item["status"].replace("_", " "),
            _number(item["capital_musd"], 0),
            item["doc"],
        )
        for item in report["measures"]
    ]
    return f"<details><summary>{len(rows)} dated measures</summary>{_table(header, rows)}</details>"


def _method() -> str:
    paragraphs = _METHOD.read_text(encoding="utf-8").strip().split("\n\n")
    return "".join(f"<p>{escape(text)}</p>" for text in paragraphs)


def _footer(report: Mapping[str, Any]) -> str:
    replaced = "" if not report["replaced"] else f" Changed for this run: {len(report['replaced'])} values or measures."
    text = (
        f"Karvan {report['version']}, run {report['run_id']}, corridor {report['corridor']} {report['corridor_version']},"
        f" facts until {report['facts_until']}, "
        f"USD of {report['price_year']}.{replaced}"
    )
    return f"<footer>{escape(text)}</footer>"
