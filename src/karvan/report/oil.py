"""Crude oil on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Oil

_AS_IT_IS = "as it is"
_LEAST_MUSD = 0.05
_LONG_D = 1000.0
_MOST_FAMILIES = 5


def oil_lines(found: Oil, *, words: Words = ENGLISH) -> list[str]:
    """Crude oil as lines of at most 100 columns.

    Args:
        found: What `karvan.oil` gave.
        words: The language.
    """
    title = words(
        "oil.title", year=found.year, scenario=found.scenario_id, barrel=words.number(found.reference_usd_per_bbl, 1),
        tonne=words.number(found.reference_usd_per_t, 0),
    )  # fmt: skip
    lines = [
        *textwrap.wrap(title, WIDTH),
        *_ladder(found, words),
        *_limits(found, words),
        *_flows(found, words),
        *_earners(found, words),
        *_disruptions(found, words),
        *textwrap.wrap(words("oil.how"), WIDTH),
    ]
    return [line.rstrip() for line in lines]


def _ladder(found: Oil, words: Words) -> list[str]:
    heads = (
        f"{words('oil.head_flow'):>8}{words('oil.head_tariffs'):>10}{words('oil.head_handling'):>12}{words('oil.head_netback'):>11}"
        f"{words('oil.head_barrel'):>11}{words('oil.head_scarcity'):>11}{words('oil.head_days'):>7}"
    )
    lines = [""]
    for market in found.ladder["market_id"].unique(maintain_order=True):
        lines.append(f"  {market:<26.26}{heads}")
        for row in found.ladder.filter(found.ladder["market_id"] == market).rows(named=True):
            lines.append(
                f"    {row['family_id']:<24.24}{words.number(row['flow_kt'] / 1e3, 2):>8}{words.number(row['tariffs_usd_per_t'], 1):>10}"
                f"{words.number(row['handling_usd_per_t'], 1):>12}{words.number(row['netback_usd_per_t'], 1):>11}"
                f"{words.number(row['netback_usd_per_bbl'], 1):>11}{words.number(row['scarcity_usd_per_t'], 1):>11}"
                f"{_days(row['buffer_d'], words):>7}"
            )
    return [*lines, ""]


def _days(value: float | None, words: Words) -> str:
    return "--" if value is None else words.number(value, 0) if value < _LONG_D else f">{words.number(_LONG_D, 0)}"


def _limits(found: Oil, words: Words) -> list[str]:
    if found.limits.is_empty():
        return [f"  {words('oil.nothing_full')}", ""]
    heads = ("oil.head_carries", "oil.head_can", "oil.head_turned", "oil.head_more")
    lines = [f"  {words('oil.full'):<30.30}" + "".join(f"{words(head):>16}" for head in heads)]
    for row in found.limits.rows(named=True):
        lines.append(
            f"  {row['facility_id']:<30.30}{words.number(row['flow'], 0):>16}{words.number(row['capacity'], 0):>16}"
            f"{words.number(row['turned_away'], 0):>16}{words.number(row['shadow_price_usd_per_t'], 1):>16}"
        )
    return [*lines, ""]


def _flows(found: Oil, words: Words) -> list[str]:
    lines = []
    for title, key, frame in (("oil.by_year", "year", found.flows), ("oil.by_design", "design", found.designs)):
        if frame.is_empty() or frame[key].n_unique() < 2:
            continue
        names = frame["family_id"].unique(maintain_order=True).to_list()
        lines.append(f"  {words(title)}")
        for first in range(0, len(names), _MOST_FAMILIES):
            told = names[first : first + _MOST_FAMILIES]
            lines.append(" " * 26 + "".join(f"{name[:13]:>14}" for name in told))
            for value in frame[key].unique(maintain_order=True):
                here = dict(frame.filter(frame[key] == value).select("family_id", "flow_mt").iter_rows())
                lines.append(
                    f"    {_called(str(value), words)[:22]:<22}" + "".join(f"{words.number(here.get(name, 0.0), 2):>14}" for name in told)
                )
        lines.append("")
    return lines


def _called(what: str, words: Words) -> str:
    return words("power.as_it_is") if what == _AS_IT_IS else what


def _earners(found: Oil, words: Words) -> list[str]:
    if found.earners.is_empty():
        return []
    lines = [f"  {words('oil.earned')}"]
    for row in found.earners.rows(named=True):
        lines.append(
            f"    {row['operator_id']:<26.26}{row['country'] or '--':<10}{row['family_id']:<18.18}{words.number(row['paid_musd'], 1):>10}"
        )
    return [*lines, ""]


def _disruptions(found: Oil, words: Words) -> list[str]:
    lines = []
    for row in found.disruptions.rows(named=True):
        lines += textwrap.wrap(" ".join(_disruption(row, words)), WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""] if lines else []


def _disruption(row: Mapping[str, Any], words: Words) -> list[str]:
    told = [
        words(
            "oil.disruption", name=words.called(row["name"]), period=str(row["period"]), moved=words.number(row["rerouted_mt"], 2),
            shut=words.number(row["shut_in_mt"], 2), lost=words.number(row["lost_musd"], 0),
            expected=words.number(row["expected_loss_musd_per_year"], 1),
        )
    ]  # fmt: skip
    if row["second_family_id"] is not None:
        before, after = (words.number(row[name], 3) for name in ("second_before_mt", "second_after_mt"))
        told.append(words("oil.second", route=row["second_family_id"], before=before, after=after))
    if row["avoided_by_second_musd_per_year"] is not None and row["avoided_by_second_musd_per_year"] < _LEAST_MUSD:
        told.append(words("oil.no_insurance"))
    elif row["avoided_by_second_musd_per_year"] is not None:
        without, saved = (
            words.number(row[name], 1) for name in ("expected_loss_without_second_musd_per_year", "avoided_by_second_musd_per_year")
        )
        told.append(words("oil.insurance", without=without, saved=saved))
    return told
