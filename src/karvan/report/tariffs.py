"""A game of tariffs on a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import polars as pl

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Tariffs

_NAME, _LONG_NAME = 28, 36
_TOLD_YEARS = 5


def tariff_lines(found: Tariffs, *, words: Words = ENGLISH, names: Mapping[str, str] | None = None) -> list[str]:
    """Tariffs as lines of at most 100 columns.

    Of many years the last one is told in full, after a table of all.

    Args:
        found: What `karvan.tariffs` gave.
        words: Language.
        names: What goods and facilities are called in the case, by id; else ids stand.
    """
    called = names or {}
    goods = words.called(called.get(found.commodity_group, found.commodity_group))
    lines = textwrap.wrap(words("tariffs.title", goods=goods, scenario=found.scenario_id), WIDTH)
    years = found.regimes["year"].unique(maintain_order=True).to_list()
    if len(years) > 1:
        lines += ["", *_by_year(found, years, words)]
    shown = years if len(years) <= _TOLD_YEARS else [years[-1]]
    for year in shown:
        lines += ["", *_regimes(found, year, words), "", *_gains(found, year, words), "", *_splits(found, year, words)]
        lines += _sentences(found, year, words, called)
    lines += ["", *textwrap.wrap(words("tariffs.how"), WIDTH)]
    return [line.rstrip() for line in lines]


def _of(frame: pl.DataFrame, year: int) -> list[dict[str, Any]]:
    return [] if frame.is_empty() else frame.filter(pl.col("year") == year).to_dicts()


def _row(name: str, cells: list[str], width: int = 13) -> str:
    return f"  {name[:_NAME]:<{_NAME}}" + "".join(f"{cell:>{width}}" for cell in cells)


def _by_year(found: Tariffs, years: list[int], words: Words) -> list[str]:
    """Volume, revenue and change of welfare of every regime, year by year."""
    regimes = found.regimes["regime"].unique(maintain_order=True).to_list()
    lines: list[str] = []
    has_boxes = bool((found.regimes["containers_teu"] > 0.0).any())
    for key, digits in (("containers_teu" if has_boxes else "carried_kt", 0), ("revenue_musd", 1), ("welfare_change_musd", 1)):
        lines += [
            "",
            f"  {words(f'trading.measured.{key}'):<{_NAME}}" + "".join(f"{words(f'tariffs.name.{name}'):>15}" for name in regimes),
        ]
        for year in years:
            values = {row["regime"]: row[key] for row in _of(found.regimes, year)}
            lines.append(f"  {year!s:<{_LONG_NAME}}" + "".join(f"{words.number(values[name], digits):>15}" for name in regimes))
    return lines[1:]


def _regimes(found: Tariffs, year: int, words: Words) -> list[str]:
    heads = [words(f"tariffs.head.{key}") for key in ("teu", "margin", "revenue", "profit", "welfare")]
    lines = [_row(str(year), heads)]
    for row in _of(found.regimes, year):
        cells = [
            words.number(row["containers_teu"], 0),
            words.number(row["margin_usd_per_teu"] or row["margin_usd_per_t"], 0),
            words.number(row["revenue_musd"]),
            words.number(row["profit_musd"]),
            words.number(row["welfare_change_musd"]),
        ]
        lines.append(_row(words(f"tariffs.regime.{row['regime']}"), cells))
    return lines


def party(name: str, titles: dict[str, str], words: Words) -> str:
    """Name of a party to show."""
    return words(f"tariffs.party.{name}") if words.has(f"tariffs.party.{name}") else words.called(titles.get(name, name))


def _gains(found: Tariffs, year: int, words: Words) -> list[str]:
    titles = dict(found.splits.select("administration_id", "administration").iter_rows())
    regimes = [row["regime"] for row in _of(found.regimes, year)][1:]
    lines = [_row(words("tariffs.gains"), [words(f"tariffs.short.{name}") for name in regimes])]
    gains: dict[str, dict[str, float]] = {}
    for row in _of(found.parties, year):
        gains.setdefault(row["party"], {})[row["regime"]] = row["gain_musd"]
    lines += [_row(party(name, titles, words), [words.number(values[key]) for key in regimes]) for name, values in gains.items()]
    total = {row["regime"]: row["gains_musd"] for row in _of(found.regimes, year)}
    return [*lines, _row(words("tariffs.sum"), [words.number(total[key]) for key in regimes])]


def _splits(found: Tariffs, year: int, words: Words) -> list[str]:
    keys = ("national", "nash", "through", "bargained", "shapley", "payment")
    lines = [_row(words("tariffs.splits"), [words(f"tariffs.split.{key}") for key in keys], 11)]
    for row in _of(found.splits, year):
        cells = ["--" if row[f"{key}_musd"] is None else words.number(row[f"{key}_musd"]) for key in keys]
        lines.append(_row(words.called(row["administration"]), cells, 11))
    return lines


def _sentences(found: Tariffs, year: int, words: Words, called: Mapping[str, str]) -> list[str]:
    titles = dict(found.splits.select("administration_id", "administration").iter_rows())
    told = []
    for row in _of(found.alliances, year):
        names = ", ".join(words.called(titles[name]) for name in row["members"].split(";"))
        key = "tariffs.alliance.gains" if row["is_stable"] else "tariffs.alliance.loses"
        told.append(words(key, names=names, together=words.number(row["together_musd"]), apart=words.number(row["apart_musd"])))
    full = sorted({words.called(called.get(row["facility_id"], row["facility_id"])) for row in _of(found.full, year)})
    told.append(words("tariffs.full", names=", ".join(full)) if full else words("tariffs.not_full"))
    for row in _of(found.checks, year):
        told.append(
            words(
                "tariffs.check",
                gain=words.number(row["gain_alone_musd"], 3),
                share=row["gain_alone_share"],
                error_share=max(row[key] for key in row if key.endswith("_error_share")),
            )
        )
    return ["", *(line for text in told for line in textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    "))]


def rule_lines(found: dict[str, Any], *, words: Words = ENGLISH) -> list[str]:
    """Charges along a way as lines of at most 100 columns.

    Args:
        found: What `karvan.tariff` gave.
        words: Language.
    """
    ends = {key: words.called(found[f"{key}_name"]) for key in ("origin", "destination")}
    lines = textwrap.wrap(words("tariff.title", goods=words.called(found["commodity"]), date=found["date"], **ends), WIDTH)
    widths = {"km": 7, "rule": 9, "model": 9}
    lines.append(f"  {'':<35}" + "".join(f"{words(f'tariff.head.{key}'):>{width}}" for key, width in widths.items()))
    legs = [leg for leg in found["legs"] if leg["usd_per_t"] != 0.0 or leg["model_usd_per_t"] != 0.0]
    for operator, run in groupby(legs, key=lambda leg: leg["operator"]):
        lines.append(f"  {_operator(operator, words)}")
        lines += [_leg(leg, words) for leg in run]
    per_unit = found["t_per_unit"]
    heads = [words("tariff.head.part"), words(f"tariff.head.unit.{found['loading_unit']}"), words("tariff.head.model")]
    lines += ["", f"  {words('tariff.operators'):<46}" + "".join(f"{head:>10}" for head in heads)]
    for row in found["operators"]:
        cells = (words.number(row["usd_per_t"]), words.number(row["usd_per_t"] * per_unit, 0), words.number(row["model_usd_per_t"]))
        note = words("tariff.estimate") if row["is_estimate"] else ""
        name = _operator(row["operator"], words)
        lines.append(f"  {name[:45]:<46}" + "".join(f"{cell:>10}" for cell in cells) + f"  {note}")
    whole = (found["sum_usd_per_t"], found["sum_usd_per_t"] * per_unit, found["model_usd_per_t"])
    cells = (words.number(whole[0]), words.number(whole[1], 0), words.number(whole[2]))
    lines.append(f"  {words('tariff.whole'):<46}" + "".join(f"{cell:>10}" for cell in cells))
    total = {key: words.number(found[f"{key}_usd_per_t"]) for key in ("sum", "model", "estimate")}
    lines += ["", *textwrap.wrap(words("tariff.sum", **total), WIDTH)]
    if found["through"] is not None:
        through = words.number(found["through"]["rule_usd_per_t"])
        lines += textwrap.wrap(words("tariff.through", through=through, rate=_rate(found["through"], words)), WIDTH)
    return [line.rstrip() for line in lines]


def _operator(name: str | None, words: Words) -> str:
    return words("tariff.nobody") if name is None else words.called(name)


def _leg(leg: Mapping[str, Any], words: Words) -> str:
    ends = [words.called(leg[f"{end}_name"]) for end in ("from", "to")]
    name = ends[0] if ends[0] == ends[1] else " – ".join(ends)
    notes = [words("tariff.estimate")] if leg["is_estimate"] else []
    rule = "--"
    if leg["rule"] is not None:
        rule, notes = words.number(leg["usd_per_t"]), [_rate(leg["rule"], words), *notes]
    told = f"{leg['length_km']:>7,.0f}{rule:>9}{words.number(leg['model_usd_per_t']):>9}"
    return f"    {name[:32]:<33}{told}  {', '.join(notes)[:36]}"


def _rate(rule: Mapping[str, Any], words: Words) -> str:
    """What a rule asks: 1200 USD a 40-foot box."""
    basis = words(f"tariff.basis.{rule['basis']}")
    return f"{words.shortest(rule['rate'])} {rule['currency']} {basis}"
