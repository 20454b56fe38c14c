"""`karvan trade`."""

from __future__ import annotations

import argparse
from pathlib import Path

from karvan.cli.asking import corridor_of, language_of, options_of, years_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan trade` beside those of a scenario."""
    parser.add_argument(
        "--year", type=int, action="append", default=[], metavar="Y", help="a year (default: 2025, 2028, 2030, 2035, 2040); repeatable"
    )  # fmt: skip
    parser.add_argument("--years", metavar="FIRST:LAST", help="each of these years")
    parser.add_argument("--pair", metavar="ONE:OTHER", help="two regions whose trade is told (default: those of the table trade_goods)")
    parser.add_argument("--target", type=float, metavar="MUSD", help="trade that was promised (default: the headline commitment)")
    parser.add_argument("--outlook", action="store_true", help="print what there is to move by group of markets, beside past outlooks")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")


def trade(parsed: argparse.Namespace) -> int:
    """Tell how trade answers."""
    from karvan.report.names import titles
    from karvan.report.trade import outlook_lines, trade_lines
    from karvan.report.words import Words
    from karvan.study.report import answer_report
    from karvan.study.trade import DEFAULT_YEARS, TradeOptions
    from karvan.study.trade import trade as told

    corridor, options, language = corridor_of(parsed), options_of(parsed), language_of(parsed)
    years = tuple(dict.fromkeys([*parsed.year, *(() if parsed.years is None else years_of(parsed.years))])) or DEFAULT_YEARS
    how = TradeOptions(years=years, pair=None if parsed.pair is None else _pair(parsed.pair), target_musd=parsed.target)
    with Progress() as progress:
        found = told(corridor, scenario=parsed.scenario, options=options, how=how, progress=progress)
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language)
    if parsed.json:
        print_json(found.as_dict())
    else:
        words = Words(language, corridor.names.get(language, {}))
        print("\n".join(outlook_lines(found, words=words) if parsed.outlook else trade_lines(found, words=words, names=titles(corridor))))
    return 0


def _pair(text: str) -> tuple[str, str]:
    one, sign, other = text.partition(":")
    if not sign or not one or not other or one == other:
        raise DataError(Problem("--pair", None, None, f"{text} must name two regions, such as kz:az"))
    return one, other
