"""An hourly dispatch of power on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Dispatch

_YEAR_H = 8760
_AS_IT_IS = "as it is"
_LEAST_MUSD = 0.05
_NAME = 30

Column = tuple[str, str, int, int]
"""Key of a row, key of its head, width, and decimals of a column."""

_ZONES: tuple[Column, ...] = (
    ("demand_twh", "power.head_load", 8, 1), ("generation_twh", "power.head_made", 10, 1), ("imports_twh", "power.head_in", 8, 1),
    ("exports_twh", "power.head_out", 8, 1), ("unserved_gwh", "power.head_short", 11, 1), ("curtailed_twh", "power.head_shed", 8, 1),
    ("co2_mt", "power.head_co2", 8, 1), ("mean_price_usd_per_mwh", "power.head_mean", 9, 1),
    ("lowest_price_usd_per_mwh", "power.head_low", 7, 0), ("highest_price_usd_per_mwh", "power.head_high", 7, 0),
)  # fmt: skip
_LINES: tuple[Column, ...] = (
    ("capacity_mw", "power.head_mw", 8, 0), ("there_twh", "power.head_there", 11, 2), ("back_twh", "power.head_back", 11, 2),
    ("full_h", "power.head_full_h", 12, 0), ("rent_musd", "power.head_rent", 12, 1), ("value_usd_per_kw", "power.head_more", 15, 1),
)  # fmt: skip
_WORTH: tuple[Column, ...] = (
    ("capacity_mw", "power.head_mw", 7, 0), ("there_twh", "power.head_there", 8, 2), ("back_twh", "power.head_back", 8, 2),
    ("rent_musd", "power.head_rent", 8, 1), ("border_musd", "power.head_border", 8, 1), ("kept_musd", "power.head_kept", 9, 1),
    ("gain_musd", "power.head_gain", 8, 1), ("cost_musd", "power.head_cost", 8, 0),
)  # fmt: skip
_PARTIES: tuple[Column, ...] = (
    ("consumers_musd", "power.head_consumers", 13, 1), ("producers_musd", "power.head_producers", 15, 1),
    ("lines_musd", "power.head_owners", 11, 1), ("borders_musd", "power.head_borders", 11, 1), ("total_musd", "power.head_all", 9, 1),
)  # fmt: skip
_SWEEP: tuple[Column, ...] = (
    ("rent_musd", "power.head_rent", 10, 1), ("kept_musd", "power.head_kept", 10, 1), ("gain_musd", "power.head_gain", 10, 1),
    ("cost_musd", "power.head_cost", 10, 1), ("net_all_musd", "power.head_net", 16, 1), ("value_usd_per_kw", "power.head_more", 15, 1),
)  # fmt: skip


def dispatch_lines(found: Dispatch, *, words: Words = ENGLISH) -> list[str]:
    """A dispatch as lines of at most 100 columns.

    Args:
        found: What `karvan.dispatch` gave.
        words: The language.
    """
    lines = [*_title(found, words), *_table(words, words("power.zones"), 12, "zone_id", _ZONES, found.zones.rows(named=True))]
    used = [row for row in found.lines.rows(named=True) if row["capacity_mw"] > 0.0]
    lines += _table(words, words("power.lines"), 26, "line_id", _LINES, used) if used else []
    lines += [*_worth_lines(found, words), *_party_lines(found, words), *_sweep_lines(found, words)]
    return [line.rstrip() for line in [*lines, *textwrap.wrap(words("power.how"), WIDTH)]]


def _title(found: Dispatch, words: Words) -> list[str]:
    key = "power.title" if found.hours >= _YEAR_H else "power.title_hours"
    about: dict[str, Any] = {} if found.hours >= _YEAR_H else {"hours": found.hours}
    told = words(
        key, year=found.year, scenario=found.scenario_id, cost=words.number(found.cost_musd, 0), seed=str(found.seed), **about
    )  # fmt: skip
    lines = textwrap.wrap(told, WIDTH)
    if found.draw is not None:
        lines += textwrap.wrap(words("power.storms", draw=str(found.draw)), WIDTH)
        for row in found.storms:
            shares = {"closed_share": row["share_while_closed"], "open_share": row["share_while_open"]}
            about = {"profile": row["profile_id"], "port": row["place_id"], "hours": words.number(row["closed_h"], 0)}
            lines += textwrap.wrap(words("power.storm_row", **about, **shares), WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""]


def _number(words: Words, value: Any, digits: int) -> str:
    return "--" if value is None else words.number(value, digits)


def _table(
    words: Words, title: str, width: int, name: str, columns: Iterable[Column], rows: Iterable[Mapping[str, Any]]
) -> list[str]:  # fmt: skip
    """A head, a line for each row, and an empty line."""
    shown = tuple(columns)
    lines = [f"  {title:<{width}.{width}}" + "".join(f"{words(head):>{wide}}" for _, head, wide, _ in shown)]
    for row in rows:
        called = str(row[name]) if len(str(row[name])) <= width else str(row[name])[: width - 1] + "~"
        lines.append(f"  {called:<{width}}" + "".join(f"{_number(words, row[key], digits):>{wide}}" for key, _, wide, digits in shown))
    return [*lines, ""]


def _called(design: str, words: Words) -> str:
    return words("power.as_it_is") if design == _AS_IT_IS else design


def _worth_lines(found: Dispatch, words: Words) -> list[str]:
    if found.worth.is_empty():
        return []
    rows = [{**row, "design": _called(row["design"], words)} for row in found.worth.rows(named=True)]
    lines = [words("power.worth", line=str(found.line_id)), *_table(words, words("power.design"), _NAME, "design", _WORTH, rows)[:-1]]
    for row in rows:
        told = [
            words(
                "power.pays_until", design=row["design"], owner=_number(words, row["owner_pays_until_usd_per_kw"], 0),
                everybody=_number(words, row["all_pay_until_usd_per_kw"], 0),
            ),
            words("power.backwards", back_share=row["backwards_share"]) if row["backwards_share"] is not None else words("power.idle"),
            words(
                "power.changes", unserved=words.number(row["unserved_change_gwh"], 1), shed=words.number(row["curtailed_change_twh"], 2),
                carbon=words.number(row["co2_change_mt"], 2),
            ),
            words("power.credit", start=words.number(row["credit_from_mw"], 0), end=words.number(row["credit_to_mw"], 0)),
        ]  # fmt: skip
        lines += textwrap.wrap(" ".join(told), WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""]


def _party_lines(found: Dispatch, words: Words) -> list[str]:
    """Who gains in each design; who neither gains nor loses is left out."""
    if found.parties.is_empty():
        return []
    lines = []
    for design in found.parties["design"].unique(maintain_order=True):
        rows = found.parties.filter(found.parties["design"] == design).rows(named=True)
        felt = [row for row in rows if any(abs(row[key]) >= _LEAST_MUSD for key, *_ in _PARTIES)]
        lines += [words("power.who", design=_called(design, words)), *_table(words, "", 28, "who", _PARTIES, felt)]
    return lines


def _sweep_lines(found: Dispatch, words: Words) -> list[str]:
    if found.sweep.is_empty():
        return []
    rows = []
    for row in found.sweep.rows(named=True):
        used = "--" if row["used_share"] is None else words.percent(row["used_share"])
        rows.append({**row, "size": f"{words.number(row['capacity_mw'], 0):>8}{used:>8}"})
    heads = f"{words('power.head_mw'):>8}{words('power.head_used'):>8}"
    lines = [words("power.sweep", line=str(found.line_id)), *_table(words, heads, 16, "size", _SWEEP, rows)[:-1]]
    terms = found.terms
    if found.pays is not None:
        told = words(
            "power.beyond" if found.pays["is_beyond"] else "power.pays", size=words.number(found.pays["size_mw"], 0),
            capital=words.number(terms["cost_usd_per_kw"], 0), rate_share=terms["discount_rate"],
            life=words.number(terms["life_years"], 0), annual=words.number(found.pays["cost_usd_per_kw_year"], 0),
            first=words.number(found.pays["worth_of_first_usd_per_kw_year"], 0),
        )  # fmt: skip
        lines += textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="  ")
    return [*lines, ""]
