"""An hourly dispatch of power on a screen."""

from __future__ import annotations

import textwrap
from typing import Any

from karvan.report.summary import WIDTH
from karvan.results import Dispatch

_HOW = (
    "Prices are what one more megawatt-hour costs in a zone in an hour. Rent is worth at the end it reaches less worth where it left. "
    "Gain is what the cost of all power falls by; charges at borders are no cost in it, as somebody gets them."
)


def dispatch_lines(found: Dispatch) -> list[str]:
    """A dispatch as lines of at most 100 columns.

    Args:
        found: What `karvan.dispatch` gave.
    """
    lines = [*_title(found), *_zone_lines(found), *_line_lines(found)]
    lines += [*_worth_lines(found), *_party_lines(found), *_sweep_lines(found)]
    return [line.rstrip() for line in [*lines, "", *textwrap.wrap(_HOW, WIDTH)]]


def _title(found: Dispatch) -> list[str]:
    of = "" if found.hours >= 8760 else f", first {found.hours:,} hours only"
    told = (
        f"Power in {found.year}, {found.scenario_id}{of}: {found.cost_musd:,.0f} M USD of running costs, load not served and border charges; "
        f"weather of seed {found.seed}"
    )
    return [*textwrap.wrap(told, WIDTH), ""]


def _zone_lines(found: Dispatch) -> list[str]:
    lines = [
        f"  {'TWh, USD/MWh':<14}{'load':>8}{'made':>8}{'in':>7}{'out':>7}{'short GWh':>11}{'shed':>7}{'Mt CO2':>8}{'mean':>8}{'low':>7}{'high':>8}"
    ]
    for row in found.zones.rows(named=True):
        lines.append(
            f"  {row['zone_id']:<14}{row['demand_twh']:>8.1f}{row['generation_twh']:>8.1f}{row['imports_twh']:>7.1f}{row['exports_twh']:>7.1f}"
            f"{row['unserved_gwh']:>11,.1f}{row['curtailed_twh']:>7.1f}{row['co2_mt']:>8.1f}{row['mean_price_usd_per_mwh']:>8.1f}"
            f"{row['lowest_price_usd_per_mwh']:>7.0f}{row['highest_price_usd_per_mwh']:>8,.0f}"
        )
    return [*lines, ""]


def _line_lines(found: Dispatch) -> list[str]:
    lines = [f"  {'lines':<26}{'MW':>7}{'there TWh':>11}{'back TWh':>10}{'full h':>8}{'rent M USD':>12}{'1 kW more':>11}"]
    for row in found.lines.filter(found.lines["capacity_mw"] > 0.0).rows(named=True):
        lines.append(
            f"  {row['line_id']:<26}{row['capacity_mw']:>7,.0f}{row['there_twh']:>11.2f}{row['back_twh']:>10.2f}{row['full_h']:>8,}"
            f"{row['rent_musd']:>12,.1f}{row['value_usd_per_kw']:>11,.1f}"
        )
    return [*lines, ""]


def _number(value: Any, width: int, form: str = ",.0f") -> str:
    return " " * (width - 2) + "--" if value is None else f"{value:>{width}{form}}"


def _worth_lines(found: Dispatch) -> list[str]:
    if found.worth.is_empty():
        return []
    lines = [
        f"What {found.line_id} is worth a year, M USD",
        f"  {'':<30}{'MW':>6}{'there':>7}{'back':>6}{'back h':>8}{'rent':>8}{'border':>8}{'kept':>7}{'gain':>7}{'cost':>7}{'Mt CO2':>8}",
    ]
    for row in found.worth.rows(named=True):
        name = row["design"] if len(row["design"]) <= 30 else row["design"][:29] + "~"
        lines.append(
            f"  {name:<30}{row['capacity_mw']:>6,.0f}{row['there_twh']:>7.2f}{row['back_twh']:>6.2f}{_number(row['backwards_share'], 8, '.0%')}"
            f"{row['rent_musd']:>8,.1f}{row['border_musd']:>8,.1f}{row['kept_musd']:>7,.1f}{row['gain_musd']:>7,.1f}"
            f"{_number(row['cost_musd'], 7)}{row['co2_change_mt']:>8.2f}"
        )
    for row in found.worth.rows(named=True):
        lines += textwrap.wrap(
            f"{row['design']}: pays its owner up to {_number(row['owner_pays_until_usd_per_kw'], 1)} and all up to "
            f"{_number(row['all_pay_until_usd_per_kw'], 1)} USD/kW; load not served changes by {row['unserved_change_gwh']:,.1f} GWh, curtailment by "
            f"{row['curtailed_change_twh']:.2f} TWh; its ends can carry {row['credit_from_mw']:,.0f} and {row['credit_to_mw']:,.0f} MW more load at "
            "the same risk",
            WIDTH, initial_indent="  ", subsequent_indent="    ",
        )  # fmt: skip
    return [*lines, ""]


def _party_lines(found: Dispatch) -> list[str]:
    if found.parties.is_empty():
        return []
    lines = []
    for design in found.parties["design"].unique(maintain_order=True):
        lines.append(f"Who gains by it, M USD a year: {design}")
        lines.append(f"  {'':<28}{'consumers':>11}{'producers':>11}{'lines':>9}{'borders':>9}{'all':>9}")
        for row in found.parties.filter(found.parties["design"] == design).rows(named=True):
            lines.append(
                f"  {row['who']:<28}{row['consumers_musd']:>11,.1f}{row['producers_musd']:>11,.1f}{row['lines_musd']:>9,.1f}"
                f"{row['borders_musd']:>9,.1f}{row['total_musd']:>9,.1f}"
            )
        lines.append("")
    return lines


def _sweep_lines(found: Dispatch) -> list[str]:
    if found.sweep.is_empty():
        return []
    lines = [f"  {'MW':>6}{'used':>7}{'rent':>9}{'kept':>9}{'gain':>9}{'cost':>9}{'net, all':>10}{'1 kW more, USD a year':>24}"]
    for row in found.sweep.rows(named=True):
        lines.append(
            f"  {row['capacity_mw']:>6,.0f}{_number(row['used_share'], 7, '.0%')}{row['rent_musd']:>9,.1f}{row['kept_musd']:>9,.1f}{row['gain_musd']:>9,.1f}"
            f"{_number(row['cost_musd'], 9, ',.1f')}{_number(row['net_all_musd'], 10, ',.1f')}{row['value_usd_per_kw']:>24,.1f}"
        )
    terms = found.terms
    if found.pays is not None:
        size = f"{found.pays['size_mw']:,.0f} MW" + (" or more" if found.pays["is_beyond"] else "")
        lines.append(
            f"  Size that pays at {terms['cost_usd_per_kw']:,.0f} USD/kW, {terms['discount_rate']:.0%} over {terms['life_years']:.0f} years "
            f"({found.pays['cost_usd_per_kw_year']:,.0f} USD/kW a year): {size}"
        )
    return [*lines, ""]
