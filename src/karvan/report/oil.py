"""Crude oil on a screen."""

from __future__ import annotations

import textwrap
from typing import Any

from karvan.report.summary import WIDTH
from karvan.results import Oil

_HOW = (
    "Netback is what a tonne fetches where it starts: the reference price less tariffs, less handling. What an outlet fetches less than "
    "the reference, its quality and freight, stands in handling, once. Oil that is not shipped fetches nothing."
)


def oil_lines(found: Oil) -> list[str]:
    """Crude oil as lines of at most 100 columns.

    Args:
        found: What `karvan.oil` gave.
    """
    price = f"{found.reference_usd_per_bbl:.1f} USD/bbl, {found.reference_usd_per_t:.0f} USD/t"
    lines = [
        f"Crude oil in {found.year}, {found.scenario_id}: reference {price}",
        *_ladder(found),
        *_limits(found),
        *_flows(found),
        *_earners(found),
        *_disruptions(found),
        *textwrap.wrap(_HOW, WIDTH),
    ]
    return [line.rstrip() for line in lines]


def _ladder(found: Oil) -> list[str]:
    lines = [""]
    for market in found.ladder["market_id"].unique(maintain_order=True):
        lines.append(
            f"  {market[:30]:<30}{'Mt':>8}{'tariffs':>9}{'handling':>10}{'netback/t':>11}{'netback/bbl':>13}{'scarcity':>10}{'days':>6}"
        )  # fmt: skip
        for row in found.ladder.filter(found.ladder["market_id"] == market).rows(named=True):
            lines.append(
                f"    {row['family_id']:<28}{row['flow_kt'] / 1e3:>8.2f}{row['tariffs_usd_per_t']:>9.1f}{row['handling_usd_per_t']:>10.1f}"
                f"{row['netback_usd_per_t']:>11.1f}{row['netback_usd_per_bbl']:>13.1f}{row['scarcity_usd_per_t']:>10.1f}"
                f"{_days(row['buffer_d']):>6}"
            )
    return [*lines, ""]


def _days(value: Any) -> str:
    return "--" if value is None else f"{value:.0f}" if value < 1000 else ">999"


def _limits(found: Oil) -> list[str]:
    if found.limits.is_empty():
        return ["  Nothing that crude oil uses is full.", ""]
    lines = [f"  {'full':<30}{'carries':>10}{'can':>10}{'turned away':>13}{'1 t more, USD':>15}"]
    for row in found.limits.rows(named=True):
        lines.append(
            f"  {row['facility_id']:<30}{row['flow']:>10,.0f}{row['capacity']:>10,.0f}{row['turned_away']:>13,.0f}"
            f"{row['shadow_price_usd_per_t']:>15.1f}"
        )
    return [*lines, ""]


def _flows(found: Oil) -> list[str]:
    lines = []
    for title, key, frame in (("Mt by year", "year", found.flows), ("Mt by design", "design", found.designs)):
        if frame.is_empty() or frame[key].n_unique() < 2:
            continue
        names = frame["family_id"].unique(maintain_order=True).to_list()
        lines.append(f"  {title:<34}" + "".join(f"{name[:13]:>14}" for name in names))
        for value in frame[key].unique(maintain_order=True):
            here = dict(frame.filter(frame[key] == value).select("family_id", "flow_mt").iter_rows())
            lines.append(f"  {str(value)[:34]:<34}" + "".join(f"{here.get(name, 0.0):>14.2f}" for name in names))
        lines.append("")
    return lines


def _earners(found: Oil) -> list[str]:
    if found.earners.is_empty():
        return []
    lines = [f"  {'earned by crude oil, M USD a year':<40}"]
    for row in found.earners.rows(named=True):
        lines.append(f"    {row['operator_id']:<26}{row['country'] or '--':<10}{row['family_id']:<18}{row['paid_musd']:>10,.1f}")
    return [*lines, ""]


def _disruptions(found: Oil) -> list[str]:
    lines = []
    for row in found.disruptions.rows(named=True):
        told = (
            f"{row['name']} ({row['period']}): {row['rerouted_mt']:.2f} Mt take another way, {row['shut_in_mt']:.2f} Mt stay in the "
            f"ground, {row['lost_musd']:,.0f} M USD of netback are lost; {row['expected_loss_musd_per_year']:,.1f} M USD in a mean year"
        )
        if row["second_family_id"] is not None:
            told += f". {row['second_family_id']}: {row['second_before_mt']:.3f} Mt before, {row['second_after_mt']:.3f} Mt after"
        if row["avoided_by_second_musd_per_year"] is not None:
            told += (
                f"; without it {row['expected_loss_without_second_musd_per_year']:,.1f} M USD in a mean year would be lost, so that it "
                f"saves {row['avoided_by_second_musd_per_year']:,.1f}"
            )
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""] if lines else []
