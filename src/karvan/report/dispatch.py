"""An hourly dispatch of power on a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from karvan.report.summary import WIDTH
from karvan.results import Dispatch

_HOW = (
    "Prices are what one more megawatt-hour costs in a zone in an hour. Rent is worth at the end it reaches less worth where it left. "
    "Gain is what the cost of all power falls by; charges at borders are no cost in it, as somebody gets them."
)
_LEAST_MUSD = 0.05
_NAME = 30

Column = tuple[str, str, int, str]
"""Key of a row, head, width and format of a column."""

_ZONES: tuple[Column, ...] = (
    ("demand_twh", "load", 8, ".1f"), ("generation_twh", "made", 8, ".1f"), ("imports_twh", "in", 7, ".1f"),
    ("exports_twh", "out", 7, ".1f"),
    ("unserved_gwh", "short GWh", 11, ",.1f"), ("curtailed_twh", "shed", 7, ".1f"), ("co2_mt", "Mt CO2", 8, ".1f"),
    ("mean_price_usd_per_mwh", "mean", 8, ".1f"), ("lowest_price_usd_per_mwh", "low", 7, ",.0f"),
    ("highest_price_usd_per_mwh", "high", 8, ",.0f"),
)  # fmt: skip
_LINES: tuple[Column, ...] = (
    ("capacity_mw", "MW", 7, ",.0f"), ("there_twh", "there TWh", 11, ".2f"), ("back_twh", "back TWh", 10, ".2f"),
    ("full_h", "full h", 8, ","),
    ("rent_musd", "rent M USD", 12, ",.1f"), ("value_usd_per_kw", "1 kW more", 11, ",.1f"),
)  # fmt: skip
_WORTH: tuple[Column, ...] = (
    ("capacity_mw", "MW", 6, ",.0f"), ("there_twh", "there", 7, ".2f"), ("back_twh", "back", 6, ".2f"),
    ("backwards_share", "back h", 8, ".0%"),
    ("rent_musd", "rent", 8, ",.1f"), ("border_musd", "border", 8, ",.1f"), ("kept_musd", "kept", 7, ",.1f"),
    ("gain_musd", "gain", 7, ",.1f"),
    ("cost_musd", "cost", 7, ",.0f"), ("co2_change_mt", "Mt CO2", 8, ".2f"),
)  # fmt: skip
_PARTIES: tuple[Column, ...] = (
    ("consumers_musd", "consumers", 11, ",.1f"), ("producers_musd", "producers", 11, ",.1f"), ("lines_musd", "lines", 9, ",.1f"),
    ("borders_musd", "borders", 9, ",.1f"), ("total_musd", "all", 9, ",.1f"),
)  # fmt: skip
_SWEEP: tuple[Column, ...] = (
    ("used_share", "used", 7, ".0%"), ("rent_musd", "rent", 9, ",.1f"), ("kept_musd", "kept", 9, ",.1f"), ("gain_musd", "gain", 9, ",.1f"),
    ("cost_musd", "cost", 9, ",.1f"), ("net_all_musd", "net, all", 10, ",.1f"), ("value_usd_per_kw", "1 kW more, USD a year", 24, ",.1f"),
)  # fmt: skip


def dispatch_lines(found: Dispatch) -> list[str]:
    """A dispatch as lines of at most 100 columns.

    Args:
        found: What `karvan.dispatch` gave.
    """
    lines = [*_title(found), *_table("TWh, USD/MWh", 14, "zone_id", _ZONES, found.zones.rows(named=True))]
    lines += _table("lines", 26, "line_id", _LINES, (row for row in found.lines.rows(named=True) if row["capacity_mw"] > 0.0))
    lines += [*_worth_lines(found), *_party_lines(found), *_sweep_lines(found)]
    return [line.rstrip() for line in [*lines, *textwrap.wrap(_HOW, WIDTH)]]


def _title(found: Dispatch) -> list[str]:
    of = "" if found.hours >= 8760 else f", first {found.hours:,} hours only"
    told = (
        f"Power in {found.year}, {found.scenario_id}{of}: {found.cost_musd:,.0f} M USD of running costs, load not served and border "
        f"charges; weather of seed {found.seed}"
    )
    return [*textwrap.wrap(told, WIDTH), ""]


def _number(value: Any, width: int, form: str) -> str:
    return " " * (width - 2) + "--" if value is None else f"{value:>{width}{form}}"


def _table(title: str, width: int, name: str, columns: Iterable[Column], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A head, a line for each row, and an empty line."""
    shown = tuple(columns)
    lines = [f"  {title:<{width}}" + "".join(f"{head:>{wide}}" for _, head, wide, _ in shown)]
    for row in rows:
        called = str(row[name]) if len(str(row[name])) <= width else str(row[name])[: width - 1] + "~"
        lines.append(f"  {called:<{width}}" + "".join(_number(row[key], wide, form) for key, _, wide, form in shown))
    return [*lines, ""]


def _worth_lines(found: Dispatch) -> list[str]:
    if found.worth.is_empty():
        return []
    rows = found.worth.rows(named=True)
    lines = [f"What {found.line_id} is worth over these hours, M USD", *_table("", _NAME, "design", _WORTH, rows)[:-1]]
    for row in rows:
        owner, everybody = (_number(row[name], 1, ",.0f").strip() for name in ("owner_pays_until_usd_per_kw", "all_pay_until_usd_per_kw"))
        told = (
            f"{row['design']}: pays its owner up to {owner} and all up to {everybody} USD/kW; load not served changes by "
            f"{row['unserved_change_gwh']:,.1f} GWh, curtailment by {row['curtailed_change_twh']:.2f} TWh; its ends can carry "
            f"{row['credit_from_mw']:,.0f} and {row['credit_to_mw']:,.0f} MW more load at the same risk"
        )
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""]


def _party_lines(found: Dispatch) -> list[str]:
    """Who gains in each design; who neither gains nor loses is left out."""
    if found.parties.is_empty():
        return []
    lines = []
    for design in found.parties["design"].unique(maintain_order=True):
        rows = found.parties.filter(found.parties["design"] == design).rows(named=True)
        felt = [row for row in rows if any(abs(row[key]) >= _LEAST_MUSD for key, *_ in _PARTIES)]
        lines += [f"Who gains by it, M USD: {design}", *_table("", 28, "who", _PARTIES, felt)]
    return lines


def _sweep_lines(found: Dispatch) -> list[str]:
    if found.sweep.is_empty():
        return []
    rows = [{**row, "size": f"{row['capacity_mw']:,.0f}"} for row in found.sweep.rows(named=True)]
    lines = _table("MW", 6, "size", _SWEEP, rows)[:-1]
    terms = found.terms
    if found.pays is not None:
        size = f"{found.pays['size_mw']:,.0f} MW" + (" or more" if found.pays["is_beyond"] else "")
        lines.append(
            f"  Size that pays at {terms['cost_usd_per_kw']:,.0f} USD/kW, {terms['discount_rate']:.0%} over {terms['life_years']:.0f} "
            f"years ({found.pays['cost_usd_per_kw_year']:,.0f} USD/kW a year): {size}"
        )
    return [*lines, ""]
