"""The ladder on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from karvan.results import Ladder, LadderRung

_NAME_WIDTH = 23


def ladder_lines(ladder: Ladder) -> list[str]:
    """Both ladders as lines of at most 100 columns."""
    heading = (
        f"{ladder.scenario_id}, {ladder.year}: {ladder.today_mt:.2f} Mt today; markets grow x {ladder.market_scale:.3f},"
        f" until {ladder.to_mt:g} Mt would move without limits."
    )
    lines = [
        heading,
        "",
        "RELIEVE AS YOU CLIMB: each limit lifted before the next is met",
        *_table(ladder.relieved),
        "",
        "AS IS: every limit stands",
        *_table(ladder.as_is),
    ]
    lines += _remarks(ladder.as_is)
    return lines


def _remarks(rungs: Sequence[LadderRung]) -> list[str]:
    """What the table of standing limits does not say: who pays, ties, useless reliefs, guesses."""
    here = [rung for rung in rungs if rung.is_on_corridor]
    remarks = []
    if here and here[0].paid_by:
        bundles = "; ".join(
            f"{item['commodity_group']} {item['origin_region']}-{item['destination_region']} {item['share']:.0%}"
            for item in here[0].paid_by
        )
        remarks.append(f"A place at 1 would be paid by {bundles}, and earned by {here[0].earned_by}.")
    useless = [str(rung.rung) for rung in here if rung.is_alone_useless]
    if useless:
        remarks.append(f"Relieving {', '.join(useless)} alone gains nothing.")
    remarks += [
        f"{rung.rung} is in series with {', '.join(rung.tied_facility_ids)}: only the sum of their prices is defined."
        for rung in here
        if rung.tied_facility_ids
    ]
    remarks += [
        f"{rung.rung} is full if its capacity is what we take it to be: {rung.rests_on['note']}"
        for rung in here
        if not rung.is_public and rung.rests_on["note"]
    ]
    wrapped = [textwrap.wrap(remark, 98, initial_indent="  ", subsequent_indent="    ") for remark in remarks]
    return ["", *(line for lines in wrapped for line in lines)] if remarks else []


def _table(rungs: Sequence[LadderRung]) -> list[str]:
    if not rungs:
        return ["  nothing binds"]
    lines = [
        f"  {'':>2} {'':<24}{'at Mt without':>13}{'one more t':>10}{'gain':>6}{'M USD a year':>15}",
        f"  {'':>2} {'facility':<24}{'limit':>6}{'with':>7}{'USD':>10}{'Mt':>6}{'priced':>8}{'queue':>7}  cheapest relief",
    ]
    for rung in (rung for rung in rungs if rung.is_on_corridor):
        price = f"{rung.shadow_price_usd_per_t:.1f}" if rung.is_public else "unsure"
        name = _cut(rung.facility_name, _NAME_WIDTH)
        lines.append(
            f"  {rung.rung:>2} {name:<24}{rung.latent_mt:>6.2f}{rung.realised_mt:>7.2f}{price:>10}{rung.gain_mt:>6.2f}"
            f"{rung.gain_musd_per_year:>8.0f}{rung.gain_queue_musd_per_year:>7.0f}  {_cut(_relief(rung), 29)}"
        )
    elsewhere = [rung.facility_name for rung in rungs if not rung.is_on_corridor]
    if elsewhere:
        lines += textwrap.wrap(
            f"Full too, on rival or connecting routes: {'; '.join(elsewhere)}.", 96, initial_indent="     ", subsequent_indent="     "
        )
    return lines


def _cut(text: str, width: int) -> str:
    """Text of at most so many characters; three dots say that it was longer."""
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _relief(rung: LadderRung) -> str:
    if rung.relief_measure_id is None:
        return "none in the case"
    if rung.relief_is_operating:
        return f"{rung.relief_measure_id}, no building"
    if rung.relief_cost_musd is None:
        return f"{rung.relief_measure_id}, cost not known"
    return f"{rung.relief_measure_id}, {rung.relief_cost_musd:,.0f} M USD"
