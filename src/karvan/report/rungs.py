"""The ladder on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from karvan.results import Ladder, LadderRung

_NAME_WIDTH = 26
_RELIEF_WIDTH = 26
_PAYERS_SHOWN = 3
# A gain that rounds to nothing on the corridor, and one in money that is worth a word all the same.
_NO_GAIN_MT = 0.005
_MUCH_MUSD = 100.0


def ladder_lines(ladder: Ladder) -> list[str]:
    """Both ladders as lines of at most 100 columns."""
    heading = (
        f"{ladder.scenario_id}, {ladder.year}: {ladder.today_mt:.2f} Mt today; markets grow x {ladder.market_scale:.3f},"
        f" until {ladder.to_mt:g} Mt would move without limits."
    )
    return [
        heading,
        "",
        "RELIEVE AS YOU CLIMB: each limit lifted before the next is met",
        *_table(ladder.relieved),
        "",
        "AS IS: every limit stands",
        *_table(ladder.as_is),
        *_remarks(ladder.as_is),
    ]


def _table(rungs: Sequence[LadderRung]) -> list[str]:
    if not rungs:
        return ["  nothing binds"]
    lines = [
        f"  {'':>2} {'':<27}{'Mt: no':>6}{'with':>6}{'1 t more':>9}{'gain':>6}{'M USD a year':>13}",
        f"  {'':>2} {'facility':<27}{'limits':>6}{'them':>6}{'USD':>9}{'Mt':>6}{'priced':>7}{'queue':>6}  cheapest relief",
    ]
    for rung in (rung for rung in rungs if rung.is_on_corridor):
        price = f"{rung.shadow_price_usd_per_t:.1f}" if rung.is_public else "unsure"
        gains = f"{_plain(rung.gain_mt, 2):>6}{_plain(rung.gain_musd_per_year, 0):>7}{_plain(rung.gain_queue_musd_per_year, 0):>6}"
        lines.append(
            f"  {rung.rung:>2} {_cut(rung.facility_name, _NAME_WIDTH):<27}{rung.latent_mt:>6.2f}{rung.realised_mt:>6.2f}{price:>9}{gains}"
            f"  {_cut(_relief(rung), _RELIEF_WIDTH)}"
        )
    elsewhere = [rung.facility_name for rung in rungs if not rung.is_on_corridor]
    if elsewhere:
        lines += textwrap.wrap(
            f"Full too, on rival or connecting routes: {'; '.join(elsewhere)}.", 96, initial_indent="     ", subsequent_indent="     "
        )
    return lines


def _remarks(rungs: Sequence[LadderRung]) -> list[str]:
    """What the table of standing limits does not say: who pays, ties, useless reliefs, guesses."""
    here = [rung for rung in rungs if rung.is_on_corridor]
    remarks = []
    for rung in [rung for rung in here if rung.is_public and rung.paid_by][:_PAYERS_SHOWN]:
        bundles = "; ".join(
            f"{item['commodity_group']} {item['origin_region']}-{item['destination_region']} {item['share']:.0%}" for item in rung.paid_by
        )
        remarks.append(f"{rung.rung}: its price is paid by {bundles}; {rung.earned_by} earns it.")
    useless = [str(rung.rung) for rung in here if rung.is_alone_useless]
    if useless:
        remarks.append(f"Relieving {', '.join(useless)} alone gains nothing.")
    elsewhere = [str(rung.rung) for rung in here if abs(rung.gain_mt) < _NO_GAIN_MT and rung.gain_musd_per_year >= _MUCH_MUSD]
    if elsewhere:
        remarks.append(
            f"Relieving {', '.join(elsewhere)} alone moves nothing more over the corridor: what it gains goes to goods on other routes,"
            " which grow by the same factor here."
        )
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
    remarks.append("Worth where scarcity is a queue: the same goods wait instead of pay, and nobody earns what they lose.")
    wrapped = [textwrap.wrap(remark, 98, initial_indent="  ", subsequent_indent="    ") for remark in remarks]
    return ["", *(line for lines in wrapped for line in lines)]


def _plain(value: float, decimals: int) -> str:
    """A number to some decimals, never a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


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
