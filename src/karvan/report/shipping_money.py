"""The money of a shipper's option, on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from karvan.report.summary import WIDTH
from karvan.results import ShippingAnswer, ShippingOption

_KINDS = {
    "storage": "storage", "container_hire": "hire of boxes", "wagon_detention": "wagons that stand", "insurance": "insurance",
    "transit_guarantee": "guarantees for transit",
}  # fmt: skip
_SHOWN = 5
_WORTH_TELLING_USD_PER_T = 0.05


def money_lines(option: ShippingOption, found: ShippingAnswer) -> list[str]:
    """Who is paid, what comes on top, what a rate for the whole way was, what ships can load; a few lines.

    Args:
        option: The option.
        found: The answer that it stands in.
    """
    quote = option.quote
    if quote is None:
        return []
    lines = _wrapped(f"Paid to, USD/t: {'; '.join(_paid(quote.administrations))}.")
    parts = [f"{_KINDS[kind]} {expected:.1f} ({p90:.1f})" for kind, expected, p90 in _by_kind(quote.surcharges)]
    if parts:
        lines += _wrapped(f"On top, expected (and what 1 in 10 shipments exceeds), USD/t: {', '.join(parts)}. In none of the sums above.")
    if quote.quoted_share > 0.0:
        lines.append(f"Your own rates make {quote.quoted_share:.0%} of the cost of 1.")
    if option.late_h is not None and option.lateness_usd_per_t is not None:
        lines.append(f"Hours late to be expected: {option.late_h:.1f}, worth {option.lateness_usd_per_t:.2f} USD/t to these goods.")
    for rate in quote.through_rates[:1]:
        unit = {"usd_per_t": "t", "usd_per_teu": "TEU", "usd_per_feu": "FEU"}[str(rate["basis"])]
        lines += _wrapped(
            f"A rate for the whole way, {rate['offered_by']} {rate['quoted_date']}: {rate['rate']:,.0f} USD/{unit}, or"
            f" {rate['rate_usd_per_t']:,.1f} USD/t in money of {found.price_year}; the tariffs above add up to"
            f" {rate['sum_over_through']:.2f} of it."
        )
    ships = [ship for leg in option.legs for ship in leg["ships"] if ship["sailings_needed"] or ship["load_t"] < ship["full_load_t"]]
    for ship in ships[:2]:
        sailings = "" if ship["sailings_needed"] is None else f", {ship['sailings_needed']} sailings for this shipment"
        depth = (
            ""
            if ship["depth_m"] is None or ship["needed_depth_m"] is None
            else f" in {ship['depth_m']:.1f} m of water (full in {ship['needed_depth_m']:.1f} m)"
        )
        lines += _wrapped(f"{ship['name']}: {ship['load']:,.0f} {ship['unit']}{depth}{sailings}.")
    if found.run is not None:
        other = "" if found.run["is_same_corridor"] else ", which was made of other tables"
        lines.append(f"Full facilities of {found.run['year']} as in run {found.run['run_id']}{other}: {found.run['regime']}.")
    return lines


def _paid(administrations: Iterable[Mapping[str, Any]]) -> list[str]:
    ordered = sorted(administrations, key=lambda item: -float(item["cost_usd_per_t"]))
    told = []
    for item in ordered[:_SHOWN]:
        local = "" if item["currency"] is None else f" ({item['cost_local_per_t']:,.0f} {item['currency']} of {item['rate_date']})"
        told.append(f"{item['name']} {item['cost_usd_per_t']:.1f}{local}")
    if len(ordered) > _SHOWN:
        told.append(f"others {sum(float(item['cost_usd_per_t']) for item in ordered[_SHOWN:]):.1f}")
    return told


def _by_kind(surcharges: Iterable[Mapping[str, Any]]) -> list[tuple[str, float, float]]:
    sums: dict[str, tuple[float, float]] = {}
    for item in surcharges:
        mean, p90 = sums.get(str(item["kind"]), (0.0, 0.0))
        sums[str(item["kind"])] = (mean + float(item["expected_usd_per_t"]), p90 + float(item["p90_usd_per_t"]))
    return [(kind, mean, p90) for kind, (mean, p90) in sums.items() if max(mean, p90) >= _WORTH_TELLING_USD_PER_T]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", max_lines=3, placeholder=" ...")
