"""The first minute: answer, reason, doubt, next step, in at most 40 lines of 100 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 100
_STOPS_SHOWN = 5
_VERDICTS = {
    "met": "met",
    "on_course": "on course",
    "behind": "behind",
    "open": "open",
    "not_measurable": "not for this model to judge",
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
    return [line[:WIDTH].rstrip() for line in lines]


def _title(report: Mapping[str, Any]) -> str:
    inputs = report["inputs"]
    return (
        f"Karvan {report['version']} - {report['corridor_title']} - {inputs['count']:,} input rows: {inputs['sourced_share']:.0%} seen in a source,"
        f" {inputs['recalled_share']:.0%} recalled, {inputs['estimate_share']:.0%} estimated"
    )


def _answer(report: Mapping[str, Any]) -> list[str]:
    headline = report["headline"]
    history = report["history"]
    lines = []
    if headline is not None:
        lines.append(f"  Promised: {headline['title']}.")
    if history:
        series = "   ".join(f"{row['corridor_mt']:.1f} Mt {row['year']}" for row in history[-5:])
        first = report["years"][0]
        share = first["crude_mt"] / first["corridor_mt"] if first["corridor_mt"] else 0.0
        lines.append(f"  Carried:  {series}      ({share:.0%} of it crude oil in {first['year']})")
    if headline is None:
        rows = "   ".join(f"{row['corridor_mt']:.1f} Mt {row['year']}" for row in report["years"][:: max(1, len(report["years"]) // 5)])
        return [*lines, f"  Outlook:  {rows}"]
    lines += ["", *_reached(headline)]
    if headline["in_target_year_mt"] is not None:
        lines.append(
            f"  In {headline['target_year']}: {headline['in_target_year_mt']:.1f} Mt ({headline['in_target_year_low_mt']:.1f} ..."
            f" {headline['in_target_year_high_mt']:.1f}) against {headline['target_mt']:.0f} promised;"
            f" {headline['in_target_year_baseline_mt']:.1f} Mt with what is being built today."
        )
    return lines


def _reached(headline: Mapping[str, Any]) -> list[str]:
    last = headline["last_year"]
    target = f"{headline['target_mt']:.0f} Mt"
    span = f"{_when(headline['reached_year_high'], last)} .. {_when(headline['reached_year_low'], last)}"
    if headline["reached_year"] is None:
        first = f"  {target} is not reached by {last} even if everything announced opens on time (growth high .. low: {span}),"
    else:
        first = f"  {target} is reached in {headline['reached_year']} if everything announced opens on time (growth high .. low: {span}),"
    if headline["reached_year_baseline"] is None:
        return [first, f"  and not by {last} with what is being built today."]
    return [first, f"  and in {headline['reached_year_baseline']} with what is being built today."]


def _when(year: int | None, last: int) -> str:
    return f"not by {last}" if year is None else str(year)


def _stops(report: Mapping[str, Any]) -> list[str]:
    stops: Sequence[Mapping[str, Any]] = report["stops"]
    if not stops:
        return ["  Nothing is full on the corridor in any year of this scenario.", ""]
    lines = [f"  {'WHAT STOPS IT, IN ORDER':<42}{'carried':>9} {'turned away':>12} {'one more t':>11}  cheapest relief"]
    for rank, stop in enumerate(stops[:_STOPS_SHOWN], start=1):
        name = stop["name"] if len(stop["name"]) <= 27 else stop["name"][:26] + "."
        unit = _UNITS[stop["unit"]]
        price = f"{stop['shadow_price_usd_per_t']:.0f} USD" if stop["is_public"] else "unsure"
        lines.append(
            f"  {rank} {name:<28}from {stop['from_year']} {stop['carried']:>7,.0f} {unit:<4} {stop['turned_away']:>7,.0f} {unit:<4} {price:>8}  {_relief(stop)}"
        )
    useless = [rank for rank, stop in enumerate(stops[:_STOPS_SHOWN], start=1) if stop["gain_alone_mt"] < 0.005]
    remark = "    Lifting any one of them alone gains something."
    if useless:
        numbers = ", ".join(str(rank) for rank in useless)
        remark = f"    Relieving {numbers} alone gains nothing."
    lines.append(f"{remark:<72}all rungs: karvan ladder")
    lines.append("")
    return lines


_UNITS = {"kt": "kt", "kteu": "kTEU", "kwagons": "kwag", "ktrains": "ktrn", "kvehicles": "kveh"}


def _relief(stop: Mapping[str, Any]) -> str:
    relief = stop["relief"]
    if relief is None:
        return "none in the case"
    if relief["is_operating"]:
        return f"{relief['title'][:22]}, no building"
    cost = "cost not known" if relief["cost_musd"] is None else f"{relief['cost_musd']:,.0f} M USD"
    return f"{relief['title'][:20]}, {cost}"


def _promises(report: Mapping[str, Any]) -> list[str]:
    rows = [item for item in report["commitments"] if item["is_headline"]]
    if not rows:
        return []
    lines = [f"  {'THE PROMISES':<28}{'known':<18}{'announced plan gives':<26}verdict"]
    for item in sorted(rows, key=lambda row: (row["promise"] or 0, row["commitment_id"])):
        label = item["short"] or item["title"][:24]
        lines.append(f"   {label:<27}{_known(item):<18}{_given(item):<26}{_VERDICTS[item['verdict']]}")
    return lines


def _known(item: Mapping[str, Any]) -> str:
    if item["observed"] is None:
        return "--"
    year = f" {item['observed_year']}" if item["observed_year"] else ""
    if item["metric"] == "link_open":
        return ("open" if item["observed"] >= 1 else "not open") + year
    return f"{item['observed']:,.4g} {item['unit'] or ''}".strip() + year


def _given(item: Mapping[str, Any]) -> str:
    if item["scenario"] is None:
        return "--"
    if item["metric"] == "link_open":
        return f"{'open' if item['scenario'] >= 1 else 'not open'} in {item['year']}"
    return f"{item['scenario']:,.1f} {item['unit'] or ''} in {item['year']}"


def _trust(report: Mapping[str, Any]) -> list[str]:
    trust, calibration = report["trust"], report["calibration"]
    lines = [
        f"  HOW FAR TO TRUST IT   {calibration['constants']} constants fitted on {calibration['observations']} values of {calibration['base_year']} only."
    ]
    if trust["model_mt"] is not None and trust["observed_mt"] is not None:
        lines.append(
            f"    {trust['year']} from {calibration['base_year']} and its dated events: {trust['model_mt']:.1f} Mt against {trust['observed_mt']:.1f} Mt observed."
            f"  {trust['observations_not_used']} published values stand by, unused in fitting."
        )
    lines.append(
        f"    {trust['estimated_share_of_flow']:.0%} of the corridor's tonnes rest on estimated market sizes. Ranges are all growth rates low .. all high."
    )
    return lines


def _next(report: Mapping[str, Any]) -> list[str]:
    lines = []
    if report["report"] is not None:
        lines.append(f"  Report   {report['report']}   (opens without internet)   {report['seconds']:.1f} s")
    option = next((stop["relief"]["measure_id"] for stop in report["stops"] if stop["relief"]), None)
    example = f"karvan run --with {option}     " if option else ""
    lines.append(f"  Try      {example}karvan ladder     karvan run --scenario late     karvan --help")
    return lines
