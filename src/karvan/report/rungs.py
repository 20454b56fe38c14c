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
    useless = [str(rung.rung) for rung in ladder.as_is if rung.is_alone_useless and rung.is_on_corridor]
    if useless:
        lines += ["", f"Relieving {', '.join(useless)} alone gains nothing."]
    return lines


def _table(rungs: Sequence[LadderRung]) -> list[str]:
    if not rungs:
        return ["  nothing binds"]
    lines = [f"  {'':>2} {'facility':<24}{'latent':>6}{'moved':>6}{'USD/t':>7}{'gain':>6}{'M USD/y':>9}  cheapest relief"]
    for rung in (rung for rung in rungs if rung.is_on_corridor):
        price = f"{rung.shadow_price_usd_per_t:.1f}" if rung.is_public else "unsure"
        name = rung.facility_name if len(rung.facility_name) <= _NAME_WIDTH else f"{rung.facility_name[: _NAME_WIDTH - 3].rstrip()}..."
        lines.append(
            f"  {rung.rung:>2} {name:<24}{rung.latent_mt:>6.2f}{rung.realised_mt:>6.2f}{price:>7}{rung.gain_mt:>6.2f}"
            f"{rung.gain_musd_per_year:>9.1f}  {_relief(rung)}"
        )
    elsewhere = [rung.facility_name for rung in rungs if not rung.is_on_corridor]
    if elsewhere:
        lines += textwrap.wrap(
            f"Full too, on rival or connecting routes: {'; '.join(elsewhere)}.", 96, initial_indent="     ", subsequent_indent="     "
        )
    return lines


def _relief(rung: LadderRung) -> str:
    if rung.relief_measure_id is None:
        return "none in the case"
    if rung.relief_is_operating:
        return f"{rung.relief_measure_id}, no building"
    if rung.relief_cost_musd is None:
        return f"{rung.relief_measure_id}, cost not known"
    return f"{rung.relief_measure_id}, {rung.relief_cost_musd:,.0f} M USD"
