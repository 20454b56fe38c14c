"""`karvan tariffs` and `karvan tariff`."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from karvan.cli.asking import corridor_of, language_of, options_of, years_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan tariffs` beside those of a scenario."""
    parser.add_argument("--commodity", default="container_general", metavar="GOODS", help="goods whose charges move (default: %(default)s)")
    parser.add_argument(
        "--year", type=int, action="append", default=[], metavar="Y", help="a year (default: 2025, 2030, 2035, 2040); repeatable"
    )
    parser.add_argument("--years", metavar="FIRST:LAST", help="each of these years")
    parser.add_argument("--quick", action="store_true", help="without partial alliances and Shapley values")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")


def tariffs(parsed: argparse.Namespace) -> int:
    """Tell of tariffs, apart and together."""
    from karvan.report.names import titles
    from karvan.report.tariffs import tariff_lines
    from karvan.report.words import Words
    from karvan.study.report import answer_report
    from karvan.study.tariffs import DEFAULT_YEARS, TariffOptions
    from karvan.study.tariffs import tariffs as told

    corridor, options, language = corridor_of(parsed), options_of(parsed), language_of(parsed)
    years = tuple(dict.fromkeys([*parsed.year, *(() if parsed.years is None else years_of(parsed.years))])) or DEFAULT_YEARS
    how = TariffOptions(commodity=parsed.commodity, years=years, has_alliances=not parsed.quick)
    with Progress() as progress:
        found = told(corridor, scenario=parsed.scenario, options=options, how=how, progress=progress)
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language)
    if parsed.json:
        print_json(found.as_dict())
    else:
        words = Words(language, corridor.names.get(language, {}))
        print("\n".join(tariff_lines(found, words=words, names=titles(corridor))))
    return 0


def add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan tariff` beside those of a scenario."""
    parser.add_argument("origin", metavar="ORIGIN", help="place by id, name or UN/LOCODE")
    parser.add_argument("destination", metavar="DESTINATION", help="place by id, name or UN/LOCODE")
    parser.add_argument("--date", required=True, metavar="YYYY-MM-DD", help="the day")
    parser.add_argument("--commodity", default="container_general", metavar="GOODS", help="goods (default: %(default)s)")
    parser.add_argument(
        "--family", metavar="ID", help="family of routes, or any (default: that of the corridor itself, if one leads there)"
    )  # fmt: skip
    parser.add_argument(
        "--via", action="append", default=[], metavar="NAME", help="a link, route family, country or place to pass; repeatable"
    )


def tariff(parsed: argparse.Namespace) -> int:
    """Tell charges of a way by the rules of its operators."""
    from karvan.report.tariffs import rule_lines
    from karvan.report.words import Words
    from karvan.study.tariff import tariff as told

    try:
        date = datetime.date.fromisoformat(parsed.date)
    except ValueError as error:
        raise DataError(Problem("--date", None, None, f"{parsed.date} must be a day, such as 2025-06-01")) from error
    corridor, language = corridor_of(parsed), language_of(parsed)
    found = told(
        corridor, parsed.origin, parsed.destination, date=date, commodity=parsed.commodity, family=parsed.family,
        via=tuple(parsed.via), scenario=parsed.scenario, options=options_of(parsed),
    )  # fmt: skip
    if parsed.json:
        print_json(found)
    else:
        print("\n".join(rule_lines(found, words=Words(language, corridor.names.get(language, {})))))
    return 0
