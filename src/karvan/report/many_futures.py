"""What many futures say, on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap
from typing import Any

import polars as pl

from karvan.report.summary import WIDTH
from karvan.report.unknowns import box_line, effect_of, is_known, told
from karvan.report.words import ENGLISH, Words
from karvan.results import EnsembleAnswer

_MOST_DRIVERS = 5
_NAME = 62
_SEVERAL = "several"
_SHOWN_YEARS = (2025, 2028, 2030, 2035, 2040)


def ensemble_lines(found: EnsembleAnswer, *, words: Words = ENGLISH) -> list[str]:
    """An ensemble as lines of at most 100 columns.

    Args:
        found: What `karvan.ensemble` gave.
        words: The language.
    """
    lines = [*_title(found, words), *_promises(found, words), *_spread(found, words), *_drivers(found, words), *_plans(found, words)]
    lines += [*_boxes(found, words), *_disruptions(found, words), *_peace(found, words), *_trust(found, words)]
    return [line.rstrip() for line in lines]


def country_told(country: str, words: Words) -> str:
    """A country of operators, or that they are of several."""
    return words("appraisal.several") if country == _SEVERAL else country


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ")


def _title(found: EnsembleAnswer, words: Words) -> list[str]:
    told = words(
        "ensemble.title", corridor=found.corridor_id, futures=found.futures, factors=found.factors.height, shocks=found.shocks.height,
        design=found.design, seed=str(found.seed),
    )  # fmt: skip
    lines = _wrapped(told)
    if found.stopped is not None:
        lines += _wrapped(words(f"ensemble.stopped_{found.stopped}", futures=found.futures, wanted=found.wanted))
    return [*lines, ""]


def _promises(found: EnsembleAnswer, words: Words) -> list[str]:
    if found.promises.is_empty():
        return []
    plans = found.promises["plan"].unique(maintain_order=True).to_list()
    lines = [f"  {words('ensemble.chance'):<40}" + "".join(f"{name[:19]:>20}" for name in plans)]
    keys = ["commitment_id", "year"]
    for (_, year), rows in found.promises.group_by(keys, maintain_order=True):
        name = words.called(rows["short"][0] or rows["title"][0])
        by_plan = {row["plan"]: row for row in rows.iter_rows(named=True)}
        cells = "".join(f"{_chance(by_plan.get(plan), words):>20}" for plan in plans)
        lines.append(f"    {f'{name} ({year})'[:38]:<38}{cells}")
    return [*lines, ""]


def _chance(row: dict[str, Any] | None, words: Words) -> str:
    if row is None:
        return "--"
    low, high = words.percent(row["chance_low_share"]), words.percent(row["chance_high_share"])
    return f"{words.percent(row['chance_share'])} ({low}..{high})"


def _spread(found: EnsembleAnswer, words: Words) -> list[str]:
    rows = found.distributions.filter(pl.col("metric") == "corridor_mt")
    years = [year for year in _SHOWN_YEARS if year in rows["year"].to_list()] or rows["year"].unique().sort().to_list()[-5:]
    lines = [f"  {words('ensemble.spread'):<40}" + "".join(f"{year:>12}" for year in years)]
    for (plan,), here in rows.group_by("plan", maintain_order=True):
        for name in ("p10", "p50", "p90"):
            of = dict(here.select("year", name).iter_rows())
            label = f"{str(plan)[:28]}  {name.upper()}"
            lines.append(f"    {label:<38}" + "".join(f"{words.number(of[year], 2):>12}" for year in years))
    return [*lines, ""]


def _drivers(found: EnsembleAnswer, words: Words) -> list[str]:
    lines: list[str] = []
    for (plan,), rows in found.drivers.group_by("plan", maintain_order=True):
        first = rows.row(0, named=True)
        known = [row for row in rows.iter_rows(named=True) if is_known(row)][:_MOST_DRIVERS]
        if not known:
            told_of = {"plan": str(plan), "metric": words(f"ensemble.{first['metric']}"), "year": first["year"]}
            lines += [*_wrapped(words("futures.drivers_none", chance=words.percent(first["chance_share"]), **told_of)), ""]
            continue
        lines += _wrapped(words("ensemble.drivers", plan=str(plan), metric=words(f"ensemble.{first['metric']}"), year=first["year"]))
        lines.append(f"    {'':<64}{words('ensemble.share_of'):>12}{words('ensemble.at_low'):>10}{words('ensemble.at_high'):>10}")
        for row in known:
            share = words.percent(row["first_order_share"])
            first_line, *more = textwrap.wrap(told(found.called[row["factor"]], words), _NAME)
            ends = "".join(f"{words.amount(row[name]):>10}" for name in ("low_mean", "high_mean"))
            lines.append(f"    {first_line:<64}{share:>12}{ends}")
            lines += [f"      {text}" for text in more]
            about = words("ensemble.effect_and_id", effect=effect_of(row, words), id=row["factor"])
            lines += textwrap.wrap(about, WIDTH, initial_indent="      ", subsequent_indent="      ")
        lines += [*_wrapped(words("ensemble.by_chance", share=words.percent(first["chance_share"]))), ""]
    if any(is_known(row) for row in found.drivers.iter_rows(named=True)):
        lines += [*_wrapped(words("ensemble.drivers_fitted")), ""]
    return lines


def _plans(found: EnsembleAnswer, words: Words) -> list[str]:
    if found.values.is_empty():
        return [*_wrapped(words("ensemble.no_money")), ""] if found.against is not None and found.rate_share is None else []
    lines = _wrapped(values_line(found, words))
    heads = ("ensemble.mean", "ensemble.p10", "ensemble.p90", "ensemble.loss", "ensemble.cost", "ensemble.costs_unknown")
    lines.append(f"    {'':<28}" + "".join(f"{words(head):>11}" for head in heads))
    for row in found.values.iter_rows(named=True):
        cells = [words.number(row[name], 0) for name in ("mean_musd", "p10_musd", "p90_musd")]
        cells += [words.percent(row["loss_share"]), words.number(row["cost_musd"], 0), str(row["costs_unknown_count"])]
        lines.append(f"    {row['plan'][:28]:<28}" + "".join(f"{cell:>11}" for cell in cells))
    if not found.regret.is_empty():
        least = found.regret.filter(pl.col("is_least_regret")).row(0, named=True)
        lines += ["", *_wrapped(words("ensemble.least_regret", plan=least["plan"], worst=words.number(least["worst_musd"], 0)))]
        more = ("ensemble.worst", "ensemble.p90", "ensemble.best", "ensemble.near")
        lines.append(f"    {'':<28}" + "".join(f"{words(head):>11}" for head in more))
        for row in found.regret.iter_rows(named=True):
            cells = [words.number(row[name], 0) for name in ("worst_musd", "p90_musd")]
            cells += [words.percent(row[name]) for name in ("best_share", "near_share")]
            lines.append(f"    {row['plan'][:28]:<28}" + "".join(f"{cell:>11}" for cell in cells))
    if not found.information.is_empty():
        whole = found.information["value_musd"][0]
        lines += ["", *_wrapped(words("ensemble.information", musd=words.number(whole, 0)))]
    if found.waiting:
        told = {name: words.number(found.waiting[f"{name}_musd"], 0) for name in ("now", "later_knowing", "most")}
        lines += _wrapped(words("ensemble.waiting", **told))
    return [*lines, ""]


def values_line(found: EnsembleAnswer, words: Words) -> str:
    """What values are."""
    first, last = found.value_years or (0, 0)
    rate = words.percent(found.rate_share or 0.0)
    return words("ensemble.values", plan=str(found.against), rate=rate, first=str(first), last=str(last))


def _boxes(found: EnsembleAnswer, words: Words) -> list[str]:
    lines: list[str] = []
    for (plan,), rows in found.failure_boxes.group_by("plan", maintain_order=True):
        first = rows.row(0, named=True)
        coverage, density = words.percent(first["coverage_share"]), words.percent(first["density_share"])
        lines += _wrapped(words("ensemble.fails", plan=str(plan), coverage=coverage, density=density))
        for row in rows.iter_rows(named=True):
            about = words("ensemble.side_and_id", side=box_line(row, found.called, words), id=row["factor"])
            lines += textwrap.wrap(about, WIDTH, initial_indent="    ", subsequent_indent="      ")
        lines.append("")
    return lines


def _disruptions(found: EnsembleAnswer, words: Words) -> list[str]:
    if found.disruptions.is_empty():
        return []
    plan = found.disruptions["plan"][0]
    lines = _wrapped(words("ensemble.disruptions", plan=plan))
    for row in found.disruptions.filter(pl.col("plan") == plan).sort("kept_share", nulls_last=True).iter_rows(named=True):
        kept = "--" if row["kept_share"] is None else words.percent(row["kept_share"])
        numbers = f"{words.number(row['with_mt'], 2):>8}{words.number(row['without_mt'], 2):>8}{kept:>8}"
        lines.append(f"    {words.called(row['name'])[:70]:<70}{numbers}")
    return [*lines, ""]


def _peace(found: EnsembleAnswer, words: Words) -> list[str]:
    if found.peace.is_empty():
        return []
    lines = _wrapped(words("ensemble.peace"))
    for row in found.peace.iter_rows(named=True):
        name = f"{row['year']}  {words('ensemble.' + row['metric'])}" + (
            "" if row["country"] is None else f", {country_told(row['country'], words)}"
        )
        cells = "".join(f"{words.number(row[key], 2):>11}" for key in ("p10", "p50", "p90"))
        if max(abs(row["p10"]), abs(row["p90"])) >= 0.5 or row["metric"] == "corridor_mt":
            lines.append(f"    {name[:60]:<60}{cells}")
    return [*lines, ""]


def _trust(found: EnsembleAnswer, words: Words) -> list[str]:
    lines = []
    if not found.failed.is_empty():
        lines += _wrapped(words("ensemble.failed", count=int(found.failed["count"].sum())))
        lines += [f"    {row['count']:>6}  {row['plan']}: {row['reason']}"[:WIDTH] for row in found.failed.head(5).iter_rows(named=True)]
    if found.routes["largest_mt"] is not None:
        told = {"p50": words.number(found.routes["p50_mt"] or 0.0, 3), "largest": words.number(found.routes["largest_mt"], 3)}
        lines += _wrapped(words("ensemble.routes", asked=int(found.routes["asked_count"] or 0), **told))
    if found.left_out:
        lines += _wrapped(words("ensemble.left_out", count=len(found.left_out)))
    if found.folder is not None:
        lines += ["", words("ensemble.folder", folder=str(found.folder))]
    return lines
