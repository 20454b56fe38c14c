"""An appraisal on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap

import polars as pl

from karvan.report.planned import place_called, venture_text
from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Appraisal

_MOST_PARTIES = 16
_LEAST_SHOWN_MUSD = 0.05


def appraisal_lines(found: Appraisal, *, words: Words = ENGLISH) -> list[str]:
    """An appraisal as lines of at most 100 columns.

    Args:
        found: What `karvan.appraise` gave.
        words: The language.
    """
    lines = [*_answer(found, words), *_costs(found, words), *_parties(found, words), *_tests(found, words), *_sponsors(found, words)]
    return [line.rstrip() for line in [*lines, *_members(found, words), *_traffic(found, words), *_rest(found, words)]]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _money(value: float, words: Words) -> str:
    return words.number(value, 1)


def _rate(value: float | None, words: Words) -> str:
    return "--" if value is None else words.percent(value, 1)


def _ratio(value: float | None, words: Words) -> str:
    return "--" if value is None else words.number(value, 2)


def _answer(found: Appraisal, words: Words) -> list[str]:
    builders = float(found.parties.filter(pl.col("party") == "builders")["npv_musd"].sum())
    gain = found.npv_musd - builders
    told = [
        words(
            "appraisal.title", names=", ".join(found.measure_ids), scenario=found.scenario_id, first_year=found.from_year,
            last_year=found.last_year, rate_share=words.percent(found.rate_share, 1), rate=found.rate_id,
        ),
        words("appraisal.npv", npv=_money(found.npv_musd, words), gain=_money(gain, words), cost=_money(-builders, words)),
    ]  # fmt: skip
    if found.plain_npv_musd is not None:
        told.append(words("appraisal.npv_plain", plain=_money(found.plain_npv_musd, words)))
    if abs(found.npv_queue_musd - found.npv_musd) >= _LEAST_SHOWN_MUSD:
        told.append(words("appraisal.npv_queue", npv=_money(found.npv_queue_musd, words)))
    bcr = _ratio(found.bcr_ratio, words)
    if found.err_share is None:
        told.append(words("appraisal.no_err", bcr=bcr))
    else:
        first = _rate(found.first_year_share, words)
        told.append(words("appraisal.err", err_share=words.percent(found.err_share, 1), bcr=bcr, first_share=first))
    told.append(
        words(
            "appraisal.switching",
            gains=_ratio(found.switching["benefits"], words),
            costs=_ratio(found.switching["costs"], words),
        )
    )
    residual = _money(found.residual_musd, words)
    if found.payback_year_count is None:
        told.append(words("appraisal.no_payback", residual=residual))
    else:
        told.append(words("appraisal.payback", years=found.payback_year_count, residual=residual))
    if found.answers:
        told.append(words("appraisal.answers", names=", ".join(words(f"full.{name}") for name in found.answers)))
    rest = found.settled.filter(~pl.col("is_settled")).select("answer", "year").unique(maintain_order=True)
    if not rest.is_empty():
        names = ", ".join(f"{words(f'full.{name}')} {year}" for name, year in rest.iter_rows())
        told.append(words("appraisal.unsettled", names=names))
    told += [venture_text(row, words) for row in found.ventures.filter("is_estimate").iter_rows(named=True)]
    share = found.estimated_capital_share
    told.append(words("appraisal.estimated", share=words.percent(share)) if share > 0.0 else words("appraisal.no_estimated"))
    return [line for text in told for line in _wrapped(text)]


def _costs(found: Appraisal, words: Words) -> list[str]:
    lines = ["", words("appraisal.costs")]
    for row in found.costs.iter_rows(named=True):
        extent = f"({words.number(row['low_musd'], 0)}-{words.number(row['high_musd'], 0)})" if row["low_musd"] < row["high_musd"] else ""
        mark = words("appraisal.estimate_mark" if row["is_estimate"] else "appraisal.stated_mark")
        lines.append(
            f"  {row['measure_id'][:32]:<33}{words.number(row['capital_musd'], 0):>8} {extent:<14}{mark:<9}"
            f"{words.number(row['running_musd_per_year'], 1):>7}{row['open_year']:>7}{words.percent(row['overrun_share']):>7}"
            f"{words.percent(row['delay_share']):>7}"
        )
    return lines


def _parties(found: Appraisal, words: Words) -> list[str]:
    lines = ["", words("appraisal.parties")]
    items = found.parties.group_by("party", "item", maintain_order=True).agg(pl.col("npv_musd").sum())
    for row in items.iter_rows(named=True):
        label = f"{words('appraisal.party.' + row['party'])}, {words('appraisal.item.' + row['item'])}"
        lines.append(f"  {label:<50}{_money(row['npv_musd'], words):>12}")
    lines.append(f"  {words('appraisal.total'):<50}{_money(found.npv_musd, words):>12}")
    by_country = found.parties.filter(pl.col("party") != "builders").group_by("country").agg(pl.col("npv_musd").sum())
    shown = by_country.filter(pl.col("npv_musd").abs() >= _LEAST_SHOWN_MUSD).sort(pl.col("npv_musd").abs(), descending=True)
    cells = [
        f"{place_called(row['country'], words)} {_money(row['npv_musd'], words)}" for row in shown.head(_MOST_PARTIES).iter_rows(named=True)
    ]
    return [*lines, *textwrap.wrap("; ".join(cells), WIDTH, initial_indent="  ", subsequent_indent="  ")]


def _tests(found: Appraisal, words: Words) -> list[str]:
    lines = ["", words("appraisal.tests")]
    for row in found.tests.iter_rows(named=True):
        lines.append(
            f"  {words('appraisal.test.' + row['test']):<50}{_money(row['npv_musd'], words):>12}{_rate(row['err_share'], words):>10}"
        )  # fmt: skip
    return lines


def _sponsors(found: Appraisal, words: Words) -> list[str]:
    if found.sponsors.is_empty():
        return []
    lines = ["", *_wrapped(words("appraisal.sponsors"))]
    for row in found.sponsors.iter_rows(named=True):
        lines.append(
            f"  {row['operator_id'][:18]:<20}{_money(row['capital_musd'], words):>10}{_money(row['npv_musd'], words):>12}"
            f"{_rate(row['firr_share'], words):>9}{_money(row['npv_without_rent_musd'], words):>12}"
            f"{_rate(row['firr_without_rent_share'], words):>9}{_ratio(row['debt_cover_ratio'], words):>8}"
            f"{_money(row['grant_musd'], words):>9}"
        )
    return lines


def _members(found: Appraisal, words: Words) -> list[str]:
    if found.members.is_empty():
        return []
    lines = ["", words("appraisal.members")]
    for row in found.members.iter_rows(named=True):
        cells = ["--" if row[name] is None else _money(row[name], words) for name in ("npv_alone_musd", "npv_last_musd")]
        lines.append(f"  {row['measure_id'][:40]:<42}" + "".join(f"{cell:>12}" for cell in cells))
    return lines


def _traffic(found: Appraisal, words: Words) -> list[str]:
    year = found.sample_years[-1]
    rows = found.traffic.filter((pl.col("year") == year) & (pl.col("kind") != "normal") & (pl.col("flow_kt") >= _LEAST_SHOWN_MUSD))
    if rows.is_empty():
        return []
    lines = ["", words("appraisal.traffic", year=year)]
    for row in rows.sort("flow_kt", descending=True).head(_MOST_PARTIES).iter_rows(named=True):
        kind = words(f"appraisal.kind.{row['kind']}", family=row["from_family"] or "")
        lines.append(f"  {row['to_family']:<24}{kind:<36}{words.number(row['flow_kt'], 1):>12}")
    return lines


def _rest(found: Appraisal, words: Words) -> list[str]:
    year = found.sample_years[-1]
    emitted = found.emissions.filter(pl.col("year") == year).row(0, named=True)
    told = words(
        "appraisal.emissions", year=year, gross=words.number(emitted["gross_kt"], 1), net=words.number(emitted["net_kt"], 2)
    )  # fmt: skip
    if emitted["power_kt"] != 0.0:
        told += " " + words("appraisal.power", year=year, power=words.number(emitted["power_kt"], 0))
    states = found.fiscal.filter((pl.col("year") == year) & (pl.col("gain_musd").abs() >= _LEAST_SHOWN_MUSD))
    states = states.sort(pl.col("gain_musd").abs(), descending=True)
    cells = [f"{place_called(row['country'], words)} {_money(row['gain_musd'], words)}" for row in states.iter_rows(named=True)]
    fiscal = textwrap.wrap(f"{words('appraisal.fiscal', year=year)}: {'; '.join(cells)}", WIDTH) if cells else []
    wider = words("appraisal.wider", npv=_money(float(found.wider["npv_musd"].sum()), words))
    return ["", *_wrapped(told), *fiscal, *_wrapped(wider)]
