"""Trade and what makes it grow, on a screen."""

from __future__ import annotations

import textwrap

from karvan.report.summary import WIDTH
from karvan.report.words import ENGLISH, Words
from karvan.results import Trade

_PARTS = ("base", "growth", "transport", "tariffs", "ventures", "value")


def trade_lines(found: Trade, *, words: Words = ENGLISH) -> list[str]:
    """Trade as lines of at most 100 columns.

    Args:
        found: What `karvan.trade` gave.
        words: Language.
    """
    one, other = found.pair
    lines = [words("trade.title", one=one, other=other, scenario=found.scenario_id), ""]
    lines.append(f"  {'':<6}" + "".join(f"{words(f'trade.head.{key}'):>13}" for key in (*_PARTS, "range")))
    for row in found.outlook.to_dicts():
        cells = [words.number(row[f"{key}_musd"], 0) for key in _PARTS]
        cells.append(f"{words.number(row['low_musd'], 0)}..{words.number(row['high_musd'], 0)}")
        lines.append(f"  {row['year']:<6}" + "".join(f"{cell:>13}" for cell in cells))
    lines += ["", *_wrapped(_verdict(found, words))]
    if not found.ventures.is_empty():
        lines += _wrapped(words("trade.ventures"))
        for row in found.ventures.to_dicts():
            name = words.called(row["title"])
            lines.append(f"    {name[:58]:<60}{words.signed(row['adds_musd']):>8}  {row['measure_id']}")
    lines.append("")
    last = found.outlook["year"].max()
    heads = [words(f"trade.column.{key}") for key in ("base", "value", "growth", "answer")]
    lines.append(f"  {words('trade.goods', year=str(last)):<44}" + "".join(f"{head:>13}" for head in heads))
    for row in found.goods.filter(found.goods["year"] == last).sort("value_musd", descending=True).to_dicts():
        name = f"{row['exporter']} > {row['importer']}  {row['commodity_group']}"
        answer = row["transport_factor"] * row["tariffs_factor"] - 1.0
        cells = [words.number(row["base_musd"]), words.number(row["value_musd"]),
                 words.percent(row["growth_factor"] - 1.0, is_signed=True), words.percent(answer, 1, is_signed=True)]  # fmt: skip
        lines.append(f"    {name[:40]:<42}" + "".join(f"{cell:>13}" for cell in cells))
    lines.append("")
    for row in found.corridor.to_dicts():
        values = {key: words.number(row[f"{name}_mt"], 2) for key, name in (("before", "corridor"), ("after", "corridor_with_trade"))}
        lines += _wrapped(words("trade.corridor", year=str(row["year"]), rounds=row["rounds"], **values))
    for row in found.forecasts.to_dicts():
        if row["error_share"] is not None:
            key = "trade.forecast" if row["our_error_share"] is None else "trade.forecast.ours"
            ours = {} if row["our_error_share"] is None else {"ours": words.percent(row["our_error_share"], is_signed=True)}
            error = words.percent(row["error_share"], is_signed=True)
            who, name = words.called(row["forecaster"]), words.called(row["name"])
            lines += _wrapped(words(key, name=name, year=str(row["for_year"]), who=who, error=error, **ours))
    lines += ["", *textwrap.wrap(words("trade.how"), WIDTH)]
    return [line.rstrip() for line in lines]


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
