"""A shipper's options, on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from karvan.report.shipping_money import money_lines
from karvan.report.summary import WIDTH
from karvan.results import NOT_A_QUOTATION, Refusal, RuleTold, ShippingAnswer, ShippingBatch, ShippingOption

_MOST_LINES = 40
_MOST_REFUSALS = 3
_MOST_PROBLEMS = 25
_MOST_WAY = 90
_FEWEST_LEGS = 3
_ANSWERS = {
    "allowed": "may pass",
    "needs_check": "passes only if the rules below are checked",
    "refused": "may not pass",
    "no_route": "no way leads there",
}
_LABELS = {"most_reliable": "surest"}
_VERBS = {"ban": "REFUSED", "closed": "CLOSED", "needs_check": "TO BE CHECKED"}
_HOURS = ("moving", "waiting", "border", "gauge", "port")


def shipping_lines(found: ShippingAnswer) -> list[str]:
    """An answer to a shipper as at most 40 lines of at most 100 columns.

    Args:
        found: What `karvan.route` gave.
    """
    head = [*_title(found), *_option_lines(found), *_way_lines(found)]
    tail = [*_refusal_lines(found), *_note_lines(found)]
    legs = _leg_lines(found.options[0], _MOST_LINES - len(head) - len(tail)) if found.options else []
    lines = [line.rstrip()[:WIDTH] for line in [*head, *legs, *tail]]
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], lines[-1]]  # the last says that it is no quotation


def batch_lines(found: ShippingBatch) -> list[str]:
    """A batch as a few lines, with the wrong rows of its input.

    Args:
        found: What `karvan.route_batch` gave.
    """
    content = found.as_dict()
    kinds = content["kinds"]
    told = (
        f"{found.answered:,} of {found.shipments:,} shipments answered: {kinds['option']:,} options, {kinds['refused']:,} ways refused,"
        f" {kinds['none']:,} shipments without a way, {kinds['wrong']:,} rows that ask nothing."
    )
    lines = textwrap.wrap(told, WIDTH)
    if not found.is_whole:
        lines.append("Stopped before the end; what was done is kept.")
    lines += [str(problem) for problem in found.problems[:_MOST_PROBLEMS]]
    if len(found.problems) > _MOST_PROBLEMS:
        lines.append(f"and {len(found.problems) - _MOST_PROBLEMS:,} more; the column `problem` and --json tell all")
    return [*lines, f"Written to {found.out}.", NOT_A_QUOTATION]


def _title(found: ShippingAnswer) -> list[str]:
    title = (
        f"{found.commodity_name} from {found.origin.name} ({found.origin.country}) to {found.destination.name}"
        f" ({found.destination.country}), {found.date}, {found.scenario_id}: {_ANSWERS[found.answer]}"
    )
    return textwrap.wrap(title, WIDTH)


def _option_lines(found: ShippingAnswer) -> list[str]:
    if not found.options:
        return []
    by = "" if found.deadline is None else f"by {found.deadline:%d %b}"
    lines = [f"    {'':<38}{'USD/t':>8}{'days':>7}{'P50':>6}{'P80':>6}{'P95':>6}{by:>11}{'kg CO2e/t':>11}"]
    for number, option in enumerate(found.options, start=1):
        labels = ", ".join(_LABELS.get(label, label) for label in option.labels)
        family = "" if option.family_id is None else f" ({option.family_id})"
        on_time = "" if option.on_time_share is None else f"{option.on_time_share:.0%}"
        lines.append(
            f"{number:>3} {_cut(labels + family, 37):<38}{option.cost_usd_per_t:>8,.1f}{option.time_d:>7.1f}{option.time_p50_d:>6.1f}"
            f"{option.time_p80_d:>6.1f}{option.time_p95_d:>6.1f}{on_time:>11}{option.co2e_kg_per_t:>11,.0f}"
        )
    return lines


def _way_lines(found: ShippingAnswer) -> list[str]:
    """Ways of the options after the first, whose legs are told."""
    return [_cut(f"{number:>3} {_way(option)}", WIDTH) for number, option in enumerate(found.options[1:], start=2)]


def _way(option: ShippingOption) -> str:
    """A way in words: each mode with the borders that it passes and where it leads."""
    parts: list[tuple[str, list[str], str]] = []
    borders: list[str] = []
    for leg in option.legs:
        if leg["from"] == leg["to"]:
            borders += [str(leg["from_name"])] if leg["mode"] == "border" and leg["from_name"] not in borders else []
        elif parts and parts[-1][0] == leg["mode"]:
            parts[-1] = (leg["mode"], [*parts[-1][1], *borders], leg["to_name"])
            borders = []
        else:
            parts.append((leg["mode"], borders, leg["to_name"]))
            borders = []
    return "; ".join(f"{mode.replace('_', ' ')}{' by ' + ', '.join(by) if by else ''} to {end}" for mode, by, end in parts)


def _leg_lines(option: ShippingOption, room: int) -> list[str]:
    """Legs of an option in so many lines, the shortest left out if there are too many."""
    shown = max(room - 4, _FEWEST_LEGS)
    kept = sorted(range(len(option.legs)), key=lambda leg: (-float(option.legs[leg]["time_h"]), leg))[:shown]
    left = [leg for number, leg in enumerate(option.legs) if number not in kept]
    head = f"{'LEGS OF 1, hours':<56}{'USD/t':>7}{'moving':>8}{'wait':>6}{'border':>7}{'gauge':>6}{'port':>5}"
    lines = ["", head]
    lines += [_row(f"  {leg['mode'].replace('_', ' '):<13}{_where(leg)}", leg) for leg in (option.legs[item] for item in sorted(kept))]
    if left:
        rest = {name: sum(float(leg[name]) for leg in left) for name in ("cost_usd_per_t", *(f"{name}_h" for name in _HOURS))}
        lines.append(_row(f"  and {len(left)} shorter one{'s' * (len(left) > 1)}", rest))
    total = {"cost_usd_per_t": option.cost_usd_per_t, **{f"{name}_h": option.hours[name] for name in _HOURS}}
    return [*lines, _row("  in all", total)]


def _where(leg: Mapping[str, Any]) -> str:
    """Where a leg leads; the place alone if it stays there."""
    return str(leg["from_name"]) if leg["from"] == leg["to"] else f"{leg['from_name']} - {leg['to_name']}"


def _row(text: str, leg: Mapping[str, Any]) -> str:
    hours = [float(leg[f"{name}_h"]) for name in _HOURS]
    widths = (8, 6, 7, 6, 5)
    cells = "".join(f"{hour:>{width}.1f}" if hour else " " * width for hour, width in zip(hours, widths, strict=True))
    return f"{_cut(text, 55):<56}{float(leg['cost_usd_per_t']):>7.1f}{cells}"


def _refusal_lines(found: ShippingAnswer) -> list[str]:
    lines: list[str] = []
    shown: Sequence[Refusal] = sorted(found.rejected, key=lambda item: item.reason == "needs_check")[:_MOST_REFUSALS]
    for item in shown:
        verb = _VERBS[item.reason]
        rules = "; ".join(_rule(rule) for rule in item.rules)
        text = f"{verb} {_cut(_way(item.opens), _MOST_WAY)} ({item.opens.cost_usd_per_t:,.1f} USD/t, {item.opens.time_d:.1f} days): {rules}"
        lines += textwrap.wrap(text, WIDTH, subsequent_indent="  ", max_lines=3, placeholder=" ...")
    if len(found.rejected) > _MOST_REFUSALS:
        lines.append(f"  and {len(found.rejected) - _MOST_REFUSALS} more refused or to be checked; --json tells all")
    for option in found.options[:1]:
        for rule in option.rules:
            lines += textwrap.wrap(f"CHECK FIRST: {_rule(rule)}", WIDTH, subsequent_indent="  ", max_lines=2, placeholder=" ...")
    for rule in found.lifted[:2]:
        lines += textwrap.wrap(f"NO LONGER IN FORCE: {_rule(rule)}", WIDTH, subsequent_indent="  ", max_lines=2, placeholder=" ...")
    return ["", *lines] if lines else []


def _rule(rule: RuleTold) -> str:
    start = "" if rule.from_date is None else f" from {rule.from_date}"
    end = "" if rule.until_date is None else f" until {rule.until_date}"
    published = f", {rule.source_published}" if rule.source_published else ""
    return f"{rule.rule}{' In force' + start + end + '.' if start or end else ''} [{rule.source}{published}, {rule.confidence}]"


def _note_lines(found: ShippingAnswer) -> list[str]:
    lines = [""]
    if found.options:
        best = found.options[0]
        spread = sorted(best.legs, key=lambda leg: -float(leg["variance_share"]))[:2]
        where = ", ".join(f"{leg['mode'].replace('_', ' ')} {_where(leg)} {float(leg['variance_share']):.0%}" for leg in spread)
        lines += textwrap.wrap(
            f"Of the spread of 1 (sd {best.time_sd_d:.1f} days): {where}. P50, P80, P95: lognormal, legs independent; shared weather is "
            "not modelled.", WIDTH,
        )  # fmt: skip
        lines += money_lines(best, found)
        dated = "" if best.tariff_sources is None else f", tariff sources of {' to '.join(dict.fromkeys(best.tariff_sources))}"
        lines += textwrap.wrap(
            f"USD of {found.price_year}, tables of {found.edition}{dated}. Estimates: {best.cost_estimate_share:.0%} of the cost "
            f"and {best.time_estimate_share:.0%} of the time of 1. Emissions well-to-wheel (tank-to-wheel {best.co2e_ttw_kg_per_t:,.0f}).",
            WIDTH,
        )  # fmt: skip
    if not found.is_whole:
        lines.append("The search met its limit of labels: there may be better ways than these.")
    return [*lines, NOT_A_QUOTATION]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
