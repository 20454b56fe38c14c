"""The report as one HTML file: tables only, no request to anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

from karvan.report.evidence import journeys_section, validation_section
from karvan.report.html import number, section, table
from karvan.report.summary import answer_sentences, given_text, known_text, outturn_sentence, validation_sentence

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
        section("How much moves", _years(report)),
        section("What stops it, in order", _stops(report)),
        section("The promises", _tiles(report)),
        section("How far to trust it", _trust(report)),
        *validation_section(report),
        *journeys_section(report),
        section("Where the goods go: route families", _families(report)),
        section("Who earns what", _operators(report)),
        section("All facilities that are full", _facilities(report)),
        section("Register of commitments", _register(report)),
        section("Measures of the scenario", _measures(report)),
        section("Method and limits", _method()),
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


def _answer(report: Mapping[str, Any]) -> str:
    sentences = answer_sentences(report)
    gap = sentences.index("")
    before = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences[:gap])
    return f'{before}<p class="answer">{escape(" ".join(sentences[gap + 1 :]))}</p>'


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
        (year, number(value, 2), "", "", "", "", "", "") for year, value in sorted(observed.items()) if year < report["years"][0]["year"]
    ]
    rows = [
        (
            row["year"],
            number(observed.get(row["year"]), 2),
            number(row["corridor_mt"], 2),
            f"{low[row['year']]['corridor_mt']:.2f} .. {high[row['year']]['corridor_mt']:.2f}",
            number(baseline[row["year"]]["corridor_mt"], 2),
            number(row["corridor_latent_mt"], 2),
            number(row["containers_teu"], 0),
            number(row["crude_mt"], 2),
        )
        for row in report["years"]
    ]
    return table(header, [*past, *rows])


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
        ("Capacity rests on", False),
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
        price = number(stop["shadow_price_usd_per_t"], 1) if stop["is_public"] else "unsure"
        rows.append(
            (
                rank,
                stop["name"],
                f"{stop['from_year']}-{stop['until_year']}",
                stop["year"],
                number(stop["carried"], 1),
                number(stop["turned_away"], 1),
                stop["unit"],
                price,
                number(stop["gain_alone_mt"], 2),
                text,
                _base(stop["rests_on"]),
            )
        )
    explained = (
        "Turned away: what would pass at the same prices without this limit, less what is carried. Units are thousands a year."
        " Unsure: the limit is a guess, so its price should not be quoted."
    )
    note = f'<p class="soft">{explained}</p>'
    return table(header, rows) + note


def _base(rests_on: Mapping[str, Any]) -> str:
    """What a capacity rests on, with its range in thousands of its unit."""
    if rests_on["low"] is None or rests_on["high"] is None:
        return str(rests_on["confidence"])
    low, high = (number(value, 0 if value >= 100.0 else 1) for value in (rests_on["low"], rests_on["high"]))
    return f"{rests_on['confidence']}, {low} to {high}"


def _tiles(report: Mapping[str, Any]) -> str:
    tiles = []
    headline = [item for item in report["commitments"] if item["is_headline"]]
    for item in sorted(headline, key=lambda row: (row["promise"] or 0, row["commitment_id"])):
        known = "" if item["observed"] is None else f"Known: {known_text(item)}. "
        given = "" if item["scenario"] is None else f"Announced plan gives: {given_text(item)}. "
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
    return table(header, rows)


def _operators(report: Mapping[str, Any]) -> str:
    first, last = report["years"][0], report["years"][-1]
    names = sorted(set(first["operators_musd"]) | set(last["operators_musd"]), key=lambda name: -first["operators_musd"].get(name, 0.0))
    header = [("Operator", False), (f"{first['year']}, M USD", True), (f"{last['year']}, M USD", True)]
    rows = [(name, number(first["operators_musd"].get(name, 0.0)), number(last["operators_musd"].get(name, 0.0))) for name in names]
    title = "Revenue of each operator from the modelled markets, before scarcity rents"
    return f"<details><summary>{title}</summary>{table(header, rows)}</details>"


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
            number(row["flow"]),
            number(row["capacity"]),
            row["unit"],
            number(row["turned_away"]),
            number(row["shadow_price_usd_per_unit"], 2),
            number(row["scarcity_wait_h"], 0),
        )
        for year in report["years"]
        for row in year["facilities"]
        if row["shadow_price_usd_per_unit"] > 1e-3
    ]
    return f"<details><summary>{len(rows)} rows: every facility with a price, on rival routes too</summary>{table(header, rows)}</details>"


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
            number(item["target"], 2),
            item["unit"] or "",
            item["year"] or "",
            number(item["observed"], 2),
            number(item["baseline"], 2),
            number(item["scenario"], 2),
            _VERDICTS[item["verdict"]],
            item["status"],
        )
        for item in report["commitments"]
    ]
    return f"<details><summary>{len(rows)} lines</summary>{table(header, rows)}</details>"


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
            number(item["capital_musd"], 0),
            item["doc"],
        )
        for item in report["measures"]
    ]
    return f"<details><summary>{len(rows)} dated measures</summary>{table(header, rows)}</details>"


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
