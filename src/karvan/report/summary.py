"""The first minute: answer, reason, doubt, next step, in at most 40 lines of 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from karvan.results.outlook import ROUTE_GAP

WIDTH = 100
_STOPS_SHOWN = 5
_VERDICTS = {
    "met": "met",
    "on_course": "on course",
    "behind": "behind",
    "open": "open",
    "not_measurable": "not measurable here",
}


def summary_lines(report: Mapping[str, Any]) -> list[str]:
    """The terminal summary of a report, as lines.

    Args:
        report: What `build_report` gave, fresh or read back from report.json.
    """
    lines = [_title(report), ""]
    lines += _answer(report)
    lines += [""]
    lines += _stops(report)
    lines += _promises(report)
    lines += [""]
    lines += _trust(report)
    lines += [""]
    lines += _next(report)
    return [line.rstrip() for line in lines]


def _title(report: Mapping[str, Any]) -> str:
    inputs = report["inputs"]
    return (
        f"Karvan {report['version']} - {report['corridor_title']} - {inputs['count']:,} input rows:"
        f" {inputs['sourced_share']:.0%} seen in a source,"
        f" {inputs['recalled_share']:.0%} recalled, {inputs['estimate_share']:.0%} estimated"
    )


def _answer(report: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for sentence in answer_sentences(report):
        lines += textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ") if sentence else [""]
    return lines


def answer_sentences(report: Mapping[str, Any]) -> list[str]:
    """The answer in whole sentences: what was promised and carried, an empty line, what the model finds.

    Args:
        report: What `build_report` gave.
    """
    headline, first = report["headline"], report["years"][0]
    sentences = []
    if headline is not None:
        when = f" on {headline['date']}" if headline["date"] else ""
        sentences.append(f"Promised{when}: {headline['title']}.")
    if report["history"]:
        series = ", ".join(f"{row['corridor_mt']:.1f} ({row['year']})" for row in report["history"][-5:])
        crude = f"; {first['crude_mt'] / first['corridor_mt']:.0%} of {first['year']} is crude oil" if first["crude_mt"] > 0.0 else ""
        sentences.append(f"Carried, Mt: {series}{crude}.")
    if headline is None:
        rows = ", ".join(f"{row['corridor_mt']:.1f} Mt in {row['year']}" for row in report["years"][:: max(1, len(report["years"]) // 5)])
        return [*sentences, "", f"Outlook: {rows}."]
    return [*sentences, "", *_reached(headline), *_in_target_year(headline), *_not_settled(report)]


def _not_settled(report: Mapping[str, Any]) -> list[str]:
    """Warnings where delays and flows did not fit each other or a route is missing: such years are shown, never taken for answers."""
    rows = [row for part in ("years", "baseline_years") for row in report[part]]
    restless = [row["year"] for row in rows if not row.get("is_settled", True)]
    gaps = {row["year"]: row["route_gap_share"] for row in rows if (row.get("route_gap_share") or 0.0) > ROUTE_GAP}
    sentences = []
    if restless:
        sentences.append(f"Not an answer: in {_years(restless)} delays and flows did not settle.")
    if gaps:
        sentences.append(f"Not an answer: in {_years(gaps)} a route left out would take up to {max(gaps.values()):.1%} of its market.")
    return sentences


def _years(years: Iterable[int]) -> str:
    return ", ".join(str(year) for year in sorted(set(years)))


def _reached(headline: Mapping[str, Any]) -> list[str]:
    last, target = headline["last_year"], f"{headline['target_mt']:.0f} Mt"
    if headline["reached_year"] is None:
        first = f"{target} is not reached by {last} even if everything announced opens on time: {headline['last_year_mt']:.1f} Mt then."
    else:
        first = f"{target} is reached in {headline['reached_year']} if everything announced opens on time."
    early, late = _when(headline["reached_year_high"], last), _when(headline["reached_year_low"], last)
    built = _when(headline["reached_year_baseline"], last)
    return [first, f"All growth high: {early}; all low: {late}; with only what is being built: {built}."]


def _in_target_year(headline: Mapping[str, Any]) -> list[str]:
    if headline["in_target_year_mt"] is None:
        return []
    sentence = (
        f"In {headline['target_year']}: {headline['in_target_year_mt']:.1f} Mt"
        f" (growth low .. high: {headline['in_target_year_low_mt']:.1f} .. {headline['in_target_year_high_mt']:.1f})"
        f" against {headline['target_mt']:.0f} promised; {headline['in_target_year_baseline_mt']:.1f} with what is under way."
    )
    return [sentence]


def _when(year: int | None, last: int) -> str:
    return f"not by {last}" if year is None else f"in {year}"


def _stops(report: Mapping[str, Any]) -> list[str]:
    stops: Sequence[Mapping[str, Any]] = report["stops"]
    if not stops:
        return ["  Nothing is full on the corridor in any year of this scenario.", ""]
    known = [stop for stop in stops if stop["is_public"]]
    guessed = [stop["name"] for stop in stops if not stop["is_public"]]
    shown = known[: _STOPS_SHOWN - bool(guessed)]
    lines = [f"  {'WHAT STOPS IT, IN ORDER':<27}{'from':>5}{'carried':>10}{'turned away':>12}{'1 t more':>9}  cheapest relief"]
    for rank, stop in enumerate(shown, start=1):
        unit = _UNITS[stop["unit"]]
        price = f"{stop['shadow_price_usd_per_t']:.0f} USD"
        carried, away = f"{stop['carried']:,.0f} {unit}", f"{stop['turned_away']:,.0f} {unit}"
        lines.append(f"  {rank} {_cut(stop['name'], 24):<25}{stop['from_year']:>5}{carried:>10}{away:>12}{price:>9}  {_relief(stop)}")
    useless = [str(rank) for rank, stop in enumerate(shown, start=1) if stop["gain_alone_mt"] < _GAIN_FLOOR_MT]
    remark = f"Relieving {', '.join(useless)} alone gains nothing." if useless else "Lifting any one of them alone gains something."
    lines.append(f"    {remark:<66}all rungs: karvan ladder")
    if guessed:
        lines.append(_guessed(guessed))
    return [*lines, ""]


def _guessed(names: Sequence[str]) -> str:
    """One line with as many of the names as fit, and how many more there are."""
    line = ""
    for count in range(1, len(names) + 1):
        told, more = "; ".join(names[:count]), len(names) - count
        text = f"Full too if our guesses hold: {told}." if more == 0 else f"Full too if our guesses hold: {told}; {more} more."
        if line and len(text) > WIDTH - 4:
            break
        line = f"    {text}"
    return line


def _cut(text: str, width: int) -> str:
    """Text of at most so many characters; three dots say that it was longer."""
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."


_UNITS = {"kt": "kt", "kteu": "kTEU", "kwagons": "kwag", "ktrains": "ktrn", "kvehicles": "kveh", "kshipdays": "kshd", "kwagondays": "kwgd"}
_GAIN_FLOOR_MT = 0.005


def _relief(stop: Mapping[str, Any]) -> str:
    relief = stop["relief"]
    if relief is None:
        return "none in the case"
    cost = "cost not known"
    if relief["is_operating"]:
        cost = "no building"
    elif relief["cost_musd"] is not None:
        cost = f"{relief['cost_musd']:,.0f} M USD"
    return f"{_cut(relief['title'], 31 - len(cost))}, {cost}"


def _promises(report: Mapping[str, Any]) -> list[str]:
    rows = [item for item in report["commitments"] if item["is_headline"]]
    if not rows:
        return []
    lines = [f"  {'THE PROMISES':<28}{'known':<20}{'announced plan gives':<26}verdict"]
    for item in sorted(rows, key=lambda row: (row["promise"] or 0, row["commitment_id"])):
        label = item["short"] or item["title"][:24]
        lines.append(f"   {label:<27}{known_text(item):<20}{given_text(item):<26}{_VERDICTS[item['verdict']]}")
    return lines


def known_text(item: Mapping[str, Any]) -> str:
    """Last observed value of a promise with its year, or two dashes."""
    if item["observed"] is None:
        return "--"
    year = f" {item['observed_year']}" if item["observed_year"] else ""
    if item["metric"] == "link_open":
        return ("open" if item["observed"] >= 1 else "not open") + year
    return f"{quantity(item['observed'])} {item['unit'] or ''}".strip() + year


def given_text(item: Mapping[str, Any]) -> str:
    """What the scenario gives for a promise in its year, or two dashes."""
    if item["scenario"] is None:
        return "--"
    if item["metric"] == "link_open":
        return f"{'open' if item['scenario'] >= 1 else 'not open'} in {item['year']}"
    if item["metric"] == "family_shift_mt":
        return f"{item['scenario']:+.2g} {item['unit'] or ''} by it in {item['year']}"
    return f"{quantity(item['scenario'])} {item['unit'] or ''} in {item['year']}"


def quantity(value: float) -> str:
    """A number with as many digits as a reader needs: 72,900 or 600 or 4.12."""
    if abs(value) >= 1000.0:
        return f"{round(value, -2):,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def _trust(report: Mapping[str, Any]) -> list[str]:
    trust, calibration = report["trust"], report["calibration"]
    base = calibration["base_year"]
    heading = (
        f"  HOW FAR TO TRUST IT   {calibration['constants']} constants fitted on {calibration['observations']} values of {base} only;"
        f" {trust['estimated_shares']['tonnes']:.0%} of tonnes are estimates."
    )
    lines = [heading, *_told(" ".join(sentence for sentence in (outturn_sentence(report), validation_sentence(report)) if sentence))]
    missed = [block for block in report["blocks"] if abs(block["error_share"]) > 0.10]
    if missed:
        names = ", ".join(f"{block['title']} {block['error_share']:+.0%}" for block in missed)
        lines += _told(f"Missed by over 10% in {base}: {names} (constants are blind to direction).")
    if report["movers"]:
        widest: dict[str, Mapping[str, Any]] = {}  # of a facility with two uncertain columns the one that moves most
        for item in report["movers"]:
            widest.setdefault(item["name"], item)
        moves = "; ".join(f"{name} {item['low_mt']:.1f} .. {item['high_mt']:.1f} Mt" for name, item in widest.items())
        lines += _told(f"Uncertain capacities that move {report['movers'][0]['year']} most: {moves}.")
    return lines


def _told(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH, initial_indent="    ", subsequent_indent="    ") if sentence else []


def outturn_sentence(report: Mapping[str, Any]) -> str:
    """The year after the base year from it and its dated events, against what was observed; empty if that year is not in the run.

    Args:
        report: What `build_report` gave.
    """
    trust, base = report["trust"], report["calibration"]["base_year"]
    if trust["model_mt"] is None or trust["observed_mt"] is None:
        return ""
    told = f"{trust['year']} from {base} and its dated events: {trust['model_mt']:.1f} Mt against {trust['observed_mt']:.1f} observed."
    outturn = (report["validation"] or {}).get("outturn")
    wrong = [row for row in outturn["rows"] if not row["is_sign_right"]] if outturn else []
    if not wrong:
        return told
    names = ", ".join(f"{quantity(row['model'])} against {quantity(row['published'])} {row['unit']}" for row in wrong)
    return f"{told} Wrong in sign: {names}."


def validation_sentence(report: Mapping[str, Any]) -> str:
    """How many published values the model was held against and how well it did; empty without any.

    Args:
        report: What `build_report` gave.
    """
    found = report["validation"]
    if not found or not found["not_used"]:
        return ""
    return (
        f"{found['not_used']} published values not used in fitting: median error {found['median_abs_error_of_all']:.0%} (karvan validate)."
    )


def _next(report: Mapping[str, Any]) -> list[str]:
    lines = []
    if report["report"] is not None:
        lines.append(f"  Report   {report['report']}   (opens without internet)   {report['seconds']:.1f} s")
    option = next((stop["relief"]["measure_id"] for stop in report["stops"] if stop["relief"]), None)
    example = f"karvan run --with {option}     " if option else ""
    lines.append(f"  Try      {example}karvan ladder     karvan --help")
    return lines
