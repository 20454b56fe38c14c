"""A market explained, on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from karvan.report.summary import WIDTH
from karvan.results import ExplainedFamily, ExplainedPair, ExplainedRoute, MarketExplanation

_MOST_LINES = 45
_FAMILIES_SHOWN = 7
_WITH_ROUTES = 3
_PRICES_SHOWN = 4
_NAME_WIDTH = 34
_LEAST_SHARE = 5e-4
_COMPONENTS = ("tariff", "handling", "time", "waiting", "reliability", "co2", "delay")
_HEADS = ("tariff", "handl.", "time", "wait", "reliab.", "CO2", "delay")


def market_lines(found: MarketExplanation, *, has_pairs: bool = False) -> list[str]:
    """One market as lines of at most 100 columns: at most 45, but for pairs of places.

    Args:
        found: What `karvan.market` gave.
        has_pairs: Tell each pair of places, too.
    """
    head = [*_title(found), "", *_family_lines(found.families), "", "WHY", *_why_lines(found)]
    carrying = [family for family in found.families if family.routes and family.share >= _LEAST_SHARE]
    lines: list[str] = []
    for routes_each in (3, 2, 1):
        lines = [*head, "", *_route_lines(carrying[:_WITH_ROUTES], routes_each)] if carrying else head
        if len(lines) <= _MOST_LINES:
            break
    lines = lines[:_MOST_LINES]
    return [line.rstrip() for line in [*lines, *(_pair_lines(found.pairs) if has_pairs else [])]]


def _title(found: MarketExplanation) -> list[str]:
    title = (
        f"{found.commodity_name} ({found.form}) from {found.origin_name} to {found.destination_name}, {found.year}, {found.scenario_id}:"
        f" {found.demand_kt:,.1f} kt asked for, {found.demand_kt - found.not_shipped_kt:,.1f} shipped"
    )
    between = "1 pair of places" if len(found.pairs) == 1 else f"{len(found.pairs)} pairs of places"
    note = "" if found.is_settled else "; delays and flows did not settle"
    return [*textwrap.wrap(title, WIDTH), f"  {found.market_id}, {between}{note}"]


def _family_lines(families: Sequence[ExplainedFamily]) -> list[str]:
    lines = [f"  {'route family':<{_NAME_WIDTH}}{'kt':>10}{'share':>8}{'cost':>9}{'scarcity':>10}{'constant':>10}{'if nothing full':>17}"]
    for item in families[:_FAMILIES_SHOWN]:
        scarcity = item.composite_usd_per_t - item.free_composite_usd_per_t
        lines.append(
            f"  {_cut(item.name, _NAME_WIDTH - 1):<{_NAME_WIDTH}}{item.flow_kt:>10,.1f}{item.share:>8.1%}"
            f"{item.free_composite_usd_per_t:>9,.1f}{scarcity:>10,.1f}{item.constant_usd_per_t:>10,.1f}{item.free_share:>17.1%}"
        )
    left = families[_FAMILIES_SHOWN:]
    if left:
        lines.append(f"  {f'and {len(left)} more':<{_NAME_WIDTH}}{sum(item.flow_kt for item in left):>10,.1f}")
    return lines


def _why_lines(found: MarketExplanation) -> list[str]:
    lines: list[str] = []
    for sentence in found.why:
        lines += textwrap.wrap(sentence.text(), WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return lines


def _route_lines(families: Sequence[ExplainedFamily], routes_each: int) -> list[str]:
    lines = [f"ROUTES, USD/t{'kt':>17}{'days':>6}" + "".join(f"{head:>8}" for head in _HEADS) + f"{'scarce':>8}"]
    for family in families:
        lines.append(f"  {_cut(family.name, WIDTH - 2)}")
        for number, route in enumerate(family.routes[:routes_each], start=1):
            lines.append(_route_line(number, route))
        left = family.route_count - len(family.routes[:routes_each])
        if left > 0:
            carried = sum(route.flow_kt for route in family.routes[:routes_each])
            lines.append(f"    {f'{left} more':<16}{family.flow_kt - carried:>10,.1f}")
        lines += _way_lines(family)
    return lines


def _route_line(number: int, route: ExplainedRoute) -> str:
    parts = "".join(f"{route.components_usd_per_t[name]:>8,.1f}" for name in _COMPONENTS)
    scarce = route.paid_usd_per_t - route.cost_usd_per_t
    return f"    {number:<16}{route.flow_kt:>10,.1f}{route.time_h / 24.0:>6.1f}{parts}{scarce:>8,.1f}"


def _way_lines(family: ExplainedFamily) -> list[str]:
    """Through where the first route goes, and what it pays at what is full."""
    stops = [str(family.legs[0]["from"])] if family.legs else []
    for leg in family.legs:
        if leg["to"] != stops[-1]:
            stops.append(str(leg["to"]))
    lines = textwrap.wrap(
        f"1 goes {' - '.join(stops)}", WIDTH, initial_indent="      ", subsequent_indent="        ", max_lines=2, placeholder=" ..."
    )
    paid = sorted(family.routes[0].prices, key=lambda price: -abs(price.price_usd_per_t))[:_PRICES_SHOWN]
    if paid:
        told = "; ".join(f"{price.name} {price.price_usd_per_t:,.1f}{'' if price.is_public else ' (a guess)'}" for price in paid)
        lines += textwrap.wrap(
            f"1 pays {told}", WIDTH, initial_indent="      ", subsequent_indent="        ", max_lines=2, placeholder=" ..."
        )
    return lines


def _pair_lines(pairs: Sequence[ExplainedPair]) -> list[str]:
    lines = ["", "PAIRS OF PLACES"]
    for pair in pairs:
        told = [item for item in sorted(pair.families, key=lambda item: -item.flow_kt) if item.share >= _LEAST_SHARE]
        shares = ", ".join(f"{item.family_id} {item.share:.1%}" for item in told)
        text = f"{pair.origin_node} - {pair.destination_node}: {pair.demand_kt:,.1f} kt at {pair.composite_usd_per_t:,.1f} USD/t; {shares}"
        lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 3].rstrip()}..."
