"""Trade and what makes it grow, on a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Trade

_OUTLOOK_HEADS = (("base", 10), ("rate", 7), ("range", 13), ("flow", 10), ("ends", 16), ("answer", 9))
_UNSPLIT = "unsplit"
_PARTS = ("base", "growth", "transport", "tariffs", "ventures", "value")


def trade_lines(found: Trade, *, words: Words = ENGLISH, names: Mapping[str, str] | None = None) -> list[str]:
    """Trade as lines of at most 100 columns.

    Args:
        found: What `karvan.trade` gave.
        words: Language.
        names: What regions and goods are called in the case, by id; else ids stand.
    """
    one, other = (_called(name, words, names) for name in found.pair)
    lines = [words("trade.title", one=one, other=other, scenario=found.scenario_id), ""]
    lines.append(f"  {'':<6}" + "".join(f"{words(f'trade.head.{key}'):>13}" for key in (*_PARTS, "range")))
    for row in found.outlook.to_dicts():
        cells = [words.number(row[f"{key}_musd"], 0) for key in _PARTS]
        cells.append(f"{words.number(row['low_musd'], 0)}..{words.number(row['high_musd'], 0)}")
        lines.append(f"  {row['year']:<6}" + "".join(f"{cell:>13}" for cell in cells))
    lines += ["", *_wrapped(_verdict(found, words))]
    adding = [row for row in found.ventures.to_dicts() if row["adds_musd"] != 0.0]
    if adding:
        lines += _wrapped(words("trade.ventures"))
        for row in adding:
            name = words.called(row["title"])
            lines.append(f"    {name[:58]:<60}{words.signed(row['adds_musd']):>8}  {row['measure_id']}")
    lines.append("")
    last = found.outlook["year"].max()
    heads = [words(f"trade.column.{key}") for key in ("base", "value", "growth", "answer")]
    lines.append(f"  {words('trade.goods', year=str(last)):<44}" + "".join(f"{head:>13}" for head in heads))
    for row in found.goods.filter(found.goods["year"] == last).sort("value_musd", descending=True).to_dicts():
        ends = " > ".join(_called(row[key], words, names) for key in ("exporter", "importer"))
        name = f"{ends}: {_called(row['commodity_group'], words, names)}"
        answer = row["transport_factor"] * row["tariffs_factor"] - 1.0
        cells = [words.number(row["base_musd"]), words.number(row["value_musd"]),
                 words.percent(row["growth_factor"] - 1.0, is_signed=True), words.percent(answer, 1, is_signed=True)]  # fmt: skip
        lines.append(f"    {name[:41]:<42}" + "".join(f"{cell:>13}" for cell in cells))
    lines.append("")
    for row in found.corridor.to_dicts():
        values = {key: words.number(row[f"{name}_mt"], 2) for key, name in (("before", "corridor"), ("after", "corridor_with_trade"))}
        lines += _wrapped(words("trade.corridor", year=str(row["year"]), rounds=row["rounds"], **values))
    lines += _forecast_lines(found, words)
    lines += ["", *textwrap.wrap(words("trade.how"), WIDTH)]
    return [line.rstrip() for line in lines]


def outlook_lines(found: Trade, *, words: Words = ENGLISH) -> list[str]:
    """What there is to move by group of markets and what was expected before, as lines of at most 100 columns.

    Args:
        found: What `karvan.trade` gave.
        words: Language.
    """
    years = found.demand["year"].unique().sort().to_list()
    lines = [words("trade.demand.title", scenario=found.scenario_id, first_year=str(years[0]), last_year=str(years[-1]))]
    rates = {row["growth_id"]: row for row in found.growth.sort("from_year").to_dicts()}
    for year in dict.fromkeys([years[0], years[-1]]):
        heads = "".join(f"{words(f'trade.demand.{key}'):>{width}}" for key, width in _OUTLOOK_HEADS)
        lines += ["", f"  {year!s:<32}{heads}"]
        for row in found.demand.filter(found.demand["year"] == year).sort("mid_kt", descending=True).to_dicts():
            rate, name = rates[row["growth_id"]], words.called(row["growth_id"].replace("_", " "))
            ends = [words.percent(rate[f"{key}_share_per_year"], 1) for key in ("rate", "low", "high")]
            cells = [
                words.number(row["base_kt"], 0), ends[0], f"{ends[1]}..{ends[2]}", words.number(row["mid_kt"], 0),
                f"{words.number(row['low_kt'], 0)}..{words.number(row['high_kt'], 0)}",
                words.percent(row["trade_factor"] - 1.0, 1, is_signed=True),
            ]  # fmt: skip
            lines.append(f"  {name[:31]:<32}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _OUTLOOK_HEADS, strict=True)))
    lines += ["", *_forecast_lines(found, words), "", *textwrap.wrap(words("trade.demand.how"), WIDTH)]
    return [line.rstrip() for line in lines]


def _forecast_lines(found: Trade, words: Words) -> list[str]:
    lines: list[str] = []
    for row in found.forecasts.to_dicts():
        if row["error_share"] is not None:
            key = "trade.forecast" if row["our_error_share"] is None else "trade.forecast.ours"
            ours = {} if row["our_error_share"] is None else {"ours": words.percent(row["our_error_share"], is_signed=True)}
            error = words.percent(row["error_share"], is_signed=True)
            who, name = words.called(row["forecaster"]), words.called(row["name"])
            lines += _wrapped(words(key, name=name, year=str(row["for_year"]), who=who, error=error, **ours))
    return lines


def _called(name: str, words: Words, names: Mapping[str, str] | None) -> str:
    if name == _UNSPLIT:
        return words("trading.unsplit")
    return words.called((names or {}).get(name, name))


def _verdict(found: Trade, words: Words) -> str:
    last = found.outlook.sort("year").to_dicts()[-1]
    if found.target_musd is None:
        return words("trade.no_target", value=words.number(last["value_musd"], 0), year=str(last["year"]))
    reached = [row["year"] for row in found.outlook.sort("year").to_dicts() if row["value_musd"] >= found.target_musd]
    values = {"target": words.number(found.target_musd, 0), "value": words.number(last["value_musd"], 0), "last": str(last["year"])}
    if reached:
        return words("trade.reached", year=str(reached[0]), **values)
    return words("trade.missed", short=words.number(found.target_musd - last["value_musd"], 0), **values)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
