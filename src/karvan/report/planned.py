"""A dated portfolio on a screen, in whole sentences of a catalogue."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import polars as pl

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import PortfolioPlan

_MOST_CANDIDATES = 12
_SAME_SHARE = 1e-6
_LEAST_SHOWN_MUSD = 0.05
_MOST_COUNTRIES = 8
_MOST_REASONS = 6
ANSWERS = ("delays", "trade", "tariffs")


def plan_lines(found: PortfolioPlan, *, words: Words = ENGLISH) -> list[str]:
    """A portfolio as lines of at most 100 columns.

    Args:
        found: What `karvan.plan` gave.
        words: The language.
    """
    lines = [*_answer(found, words), *_chosen(found, words), *_budgets(found, words), *_next(found, words)]
    lines += [*_candidates(found, words), *_bank(found, words), *_objectives(found, words), *_split(found, words), *_rest(found, words)]
    return [line.rstrip() for line in lines]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _money(value: float | None, words: Words) -> str:
    return "--" if value is None else words.number(value, 1)


def _answer(found: PortfolioPlan, words: Words) -> list[str]:
    told = [
        words(
            "plan.title", first_year=found.from_year, last_year=found.to_year, scenario=found.scenario_id,
            rate_share=words.percent(found.rate_share, 1), rate=found.rate_id,
        ),
        words(
            "plan.answer", value=_money(found.value_musd, words), bound=_money(found.bound_musd, words),
            gap_share=words.percent(found.gap_share, 2),
        ),
    ]  # fmt: skip
    if found.objective == "fund":
        told[1] = words(
            "plan.fund_answer", fund=_money(found.objectives["fund_musd"][1], words), rate_share=words.percent(found.fund_rate_share, 1),
            value=_money(found.value_musd, words), bound=_money(found.bound_musd, words),
        )  # fmt: skip
    if found.chosen.is_empty():
        told.append(words("plan.nothing"))
    if not found.parts.is_empty():
        rows = found.parts.iter_rows()
        told.append(words("plan.parts", parts="; ".join(words(f"plan.part.{part}", value=_money(value, words)) for part, value in rows)))
    told += [words("plan.power", **_power(row, words)) for row in found.power.iter_rows(named=True)]
    chosen = pl.col("measure_id").is_in(found.chosen["measure_id"].to_list())
    told += [venture_text(row, words) for row in found.ventures.filter(chosen, "is_estimate").iter_rows(named=True)]
    if found.untold:
        told.append(words("plan.untold", names=", ".join(words(f"plan.untold.{name}") for name in found.untold)))
    if found.ranking_musd is None or found.objectives.is_empty():
        return [line for text in told for line in _wrapped(text)]
    more = found.objectives["welfare_musd"][0] - found.ranking_musd
    if more > _SAME_SHARE * abs(found.value_musd):
        values = {"value": _money(found.ranking_musd, words), "gain": _money(more, words)}
        if found.ranking_musd > 0.0:
            told.append(words("plan.ranking", gain_share=words.percent(more / found.ranking_musd, 1), **values))
        else:
            told.append(words("plan.ranking_loses", **values))
        told += [_reason(row, words) for row in found.reasons.head(_MOST_REASONS).iter_rows(named=True)]
    else:
        told.append(words("plan.same"))
    return [line for text in told for line in _wrapped(text)]


def venture_text(row: Mapping[str, Any], words: Words) -> str:
    """That the benefit of a joint venture is an estimate, and how it follows.

    Args:
        row: Of `ventures`.
        words: The language.
    """
    money = {name: _money(row[f"stated{end}_musd_per_year"], words) for name, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
    name, basis = (words.called(row[key] or "") for key in ("title", "basis"))
    return words("plan.venture_estimate", name=name, share=words.percent(row["counted_share"]), basis=basis, **money)


def _power(row: Mapping[str, Any], words: Words) -> dict[str, Any]:
    return {"year": row["year"], **{name: _money(row[f"{name}_musd"], words) for name in ("gain", "unserved", "border", "co2")}}


def _reason(row: Mapping[str, Any], words: Words) -> str:
    years = {name: row[name] for name in ("start_year", "ranking_year") if row[name] is not None}
    return words(
        f"plan.reason.{row['why']}",
        name=row["measure_id"],
        alone=_money(row["alone_musd"], words),
        last=_money(row["last_musd"], words),
        **years,
    )


def _objectives(found: PortfolioPlan, words: Words) -> list[str]:
    if found.objectives.is_empty():
        return []
    lines = ["", *_wrapped(words("plan.objectives", rate_share=words.percent(found.fund_rate_share, 1)))]
    for row in found.objectives.iter_rows(named=True):
        money = "".join(f"{_money(row[name], words):>10}" for name in ("welfare_musd", "fund_musd"))
        aim = words(f"plan.objective.{row['objective']}")
        head = f"  {aim:<28}{money}  "
        lines += textwrap.wrap(head + row["measures"], WIDTH, subsequent_indent=" " * 8) or [head]
    return lines


def _bank(found: PortfolioPlan, words: Words) -> list[str]:
    if found.bank.is_empty():
        return []
    lines = ["", *_wrapped(words("plan.bank"))]
    for row in found.bank.iter_rows(named=True):
        rates = "".join(f"{'--' if row[name] is None else words.percent(row[name], 1):>9}" for name in ("err_share", "firr_share"))
        cover = "--" if row["debt_cover_ratio"] is None else words.number(row["debt_cover_ratio"], 2)
        money = "".join(f"{_money(row[name], words):>11}" for name in ("grant_musd", "charge_musd_per_year"))
        lines.append(f"  {row['measure_id'][:36]:<37}{rates}{cover:>8}{money}")
    return lines


def _chosen(found: PortfolioPlan, words: Words) -> list[str]:
    if found.chosen.is_empty():
        return []
    lines = ["", words("plan.chosen")]
    for row in found.chosen.iter_rows(named=True):
        money = "".join(f"{_money(row[name], words):>12}" for name in ("capital_musd", "first_musd", "last_musd"))
        lines.append(f"  {row['measure_id'][:36]:<37}{row['start_year']:>6}{row['open_year']:>6}{money}")
    for row in found.complements.head(4).iter_rows(named=True):
        lines += _wrapped(
            words(
                "plan.nothing_alone" if row["is_nothing_alone"] else "plan.complement", one=row["measure_id"], other=row["with_measure_id"],
                together=_money(row["together_musd_per_year"], words), apart=_money(row["apart_musd_per_year"], words),
            )
        )  # fmt: skip
    return lines


def _budgets(found: PortfolioPlan, words: Words) -> list[str]:
    lines = ["", words("plan.budgets")]
    more = dict(found.more.select("fund_id", "gain_musd").iter_rows())
    for name in found.budgets["fund_id"].unique(maintain_order=True).to_list():
        rows = found.budgets.filter(pl.col("fund_id") == name)
        if rows["budget_musd"].null_count() == rows.height:
            lines.append(f"  {words('plan.others'):<36}{'':>12}{_money(float(rows['spent_musd'].sum()), words):>12}")
            continue
        cells = [float(rows["budget_musd"].sum()), float(rows["spent_musd"].sum()), float(rows["left_musd"][-1]), more.get(name)]
        lines.append(f"  {name:<36}" + "".join(f"{_money(cell, words):>12}" for cell in cells))
    for row in found.sectors.iter_rows(named=True):
        shares = {
            name: "--" if row[f"{name}_share"] is None else words.percent(row[f"{name}_share"]) for name in ("least", "most", "spent")
        }
        lines += _wrapped(words("plan.sector", fund=row["fund_id"], sectors=row["sectors"].replace(";", ", "), **shares))
    return lines


def _next(found: PortfolioPlan, words: Words) -> list[str]:
    has_full = bool(found.full_answers)
    lines = ["", *_wrapped(words("plan.next_full" if has_full else "plan.next"))]
    for row in found.next_best.iter_rows(named=True):
        names = ("value", *ANSWERS, "full") if has_full else ("value",)
        cells = "".join(f"{_money(row[f'{name}_musd'], words):>10}" for name in names)
        head = f"  {row['rank']:>2}{cells}  "
        indent = " " * (14 if has_full else len(head))
        if has_full:
            lines.append(head.rstrip())
            lines += textwrap.wrap(row["measures"], WIDTH, initial_indent=indent, subsequent_indent=indent)
        else:
            lines += textwrap.wrap(row["measures"], WIDTH, initial_indent=head, subsequent_indent=indent) or [head]
    if has_full:
        lines += _wrapped(words("plan.full_told"))
        lines += _unsettled(found, words)
    return lines


def _unsettled(found: PortfolioPlan, words: Words) -> list[str]:
    rows = found.next_best.filter(pl.col("unsettled").fill_null("") != "")
    told = [words("plan.unsettled", rank=row["rank"], names=unsettled_text(row["unsettled"], words)) for row in rows.iter_rows(named=True)]
    if told:
        told.append(words("plan.full_less", answers=", ".join(words(f"full.{name}") for name in found.full_answers)))
    return [line for text in told for line in _wrapped(text)]


def unsettled_text(text: str, words: Words) -> str:
    """Answers with their years, such as "tariffs 2035, 2040; trade 2030", in a language."""
    parts = (part.partition(" ") for part in text.split("; "))
    return "; ".join(f"{words(f'full.{name}')} {years}" for name, _, years in parts)


def _candidates(found: PortfolioPlan, words: Words) -> list[str]:
    rest = found.candidates.filter(~pl.col("is_chosen")).head(_MOST_CANDIDATES)
    if rest.is_empty():
        return []
    lines = ["", words("plan.candidates")]
    for row in rest.iter_rows(named=True):
        money = "".join(f"{_money(row[name], words):>12}" for name in ("capital_musd", "gain_musd_per_year", "alone_musd"))
        lines.append(f"  {row['measure_id'][:46]:<47}{money}")
    return lines


def _split(found: PortfolioPlan, words: Words) -> list[str]:
    lines = []
    if found.appraised_musd is not None:
        lines += ["", *_wrapped(words("plan.appraised", value=found.appraised_musd))]
        lines += _wrapped(words("plan.countries", listed=_countries(found.countries.filter(pl.col("gain_musd") > 0.0), words) or "--"))
        losing = _countries(found.countries.filter(pl.col("gain_musd") < 0.0).reverse(), words)
        lines += _wrapped(words("plan.losing", listed=losing) if losing else words("plan.none_losing"))
    if not found.split.is_empty():
        lines += ["", *_wrapped(words("plan.split"))]
    for row in found.split.iter_rows(named=True):
        money = "".join(f"{_money(row[name], words):>12}" for name in ("gain_musd", "paid_musd", "payment_musd"))
        lines.append(f"  {row['fund_id'][:22]:<23}{row['partner_id'][:30]:<31}{money}")
    return lines


def _countries(rows: pl.DataFrame, words: Words) -> str:
    """Countries with what each gains, the first ones by name; empty where none gains what is worth telling."""
    shown = rows.filter(pl.col("gain_musd").abs() >= _LEAST_SHOWN_MUSD)
    cells = [
        f"{place_called(row['country'], words)} {_money(row['gain_musd'], words)}"
        for row in shown.head(_MOST_COUNTRIES).iter_rows(named=True)
    ]
    rest = float(shown.slice(_MOST_COUNTRIES)["gain_musd"].sum())
    return ", ".join([*cells, words("plan.other_countries", value=_money(rest, words))] if rest else cells)


def place_called(country: str, words: Words) -> str:
    """A country, or that there are several, or the world."""
    key = f"appraisal.{country}"
    return words(key) if words.has(key) else country


def _rest(found: PortfolioPlan, words: Words) -> list[str]:
    told = []
    if not found.left_out.is_empty():
        told.append(words("plan.left_out", names=", ".join(found.left_out["measure_id"])))
    for is_estimate, key in ((False, "plan.ventures_valued"), (True, "plan.ventures_estimated")):
        rows = found.ventures.filter("is_valued", pl.col("is_estimate") == is_estimate)
        if not rows.is_empty():
            told.append(words(key, names=", ".join(words.called(title) for title in rows["title"])))
    rest = found.ventures.filter(~pl.col("is_valued"))
    if not rest.is_empty():
        told.append(words("plan.ventures"))
    told += [f"{words.called(row['title'])}: {words.called(row['basis'] or '--')}" for row in rest.iter_rows(named=True)]
    share = found.estimated_capital_share
    told.append(words("plan.estimated", share=words.percent(share)) if share > 0.0 else words("plan.no_estimated"))
    years = ", ".join(str(year) for year in found.sample_years)
    told.append(words("plan.solved", count=found.solved_count, years=years))
    return ["", *(line for text in told for line in _wrapped(text))]


def _unit(name: str, words: Words) -> str:
    key = f"unit.{name}"
    return words(key) if words.has(key) else name


def needed_lines(found: Mapping[str, Any], *, words: Words = ENGLISH) -> list[str]:
    """What promises that are not met need, as lines of at most 100 columns.

    Args:
        found: What `karvan.study.needed` gave.
        words: The language.
    """
    lines = _wrapped(words("needed.title", scenario=found["scenario"], count=found["measures"]))
    for row in found["commitments"]:
        told = [
            words(
                "needed.promise",
                title=words.called(row["title"]),
                target=row["target"],
                unit=_unit(row["unit"], words),
                year=row["year"],
                value=row["value"],
            )
        ]
        if row["is_met"]:
            told.append(words("needed.met"))
        elif row["smallest"] is None:
            told.append(words("needed.none", count=row["size_tried"], tried=row["tried"], value=row["with_everything"]))
        else:
            for key in ("smallest", "cheapest"):
                item = row[key]
                names = ", ".join(item["measures"])
                told.append(words(f"needed.{key}", names=names, value=item["value"], capital=item["capital_musd"]))
            told.append(words("needed.proof", count=row["size_tried"], tried=row["tried"]))
        lines += ["", *(part for text in told for part in _wrapped(text))]
    return lines
