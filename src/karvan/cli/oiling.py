"""`karvan oil`."""

from __future__ import annotations

import argparse
from pathlib import Path

from karvan.cli.asking import corridor_of, language_argument, language_of, options_of, years_of
from karvan.cli.telling import Progress, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan oil` beside those of a scenario."""
    parser.add_argument("--year", type=int, metavar="Y", help="calendar year (default: the base year)")
    parser.add_argument("--years", metavar="FIRST:LAST", help="flows by route in these years too")
    parser.add_argument(
        "--try", dest="tries", action="append", default=[], metavar="DESIGN",
        help="flows in a design: measures, no-MEASURE to take one out, TABLE.ID.COLUMN=VALUE, joined by +; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--disrupt", action="append", default=[], metavar="ID",
        help="solve a row of oil_disruptions: tonnes moved and shut in, netback lost, what a second route saves; repeatable",
    )  # fmt: skip
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")
    language_argument(parser, "language of what is printed and of a page")


def oil(parsed: argparse.Namespace) -> int:
    """Tell of crude oil."""
    from karvan.report import Words
    from karvan.report.oil import oil_lines
    from karvan.study.oil import OilOptions
    from karvan.study.oil import oil as told
    from karvan.study.report import answer_report

    corridor, options, language = corridor_of(parsed), options_of(parsed), language_of(parsed)
    how = OilOptions(
        years=() if parsed.years is None else years_of(parsed.years), tries=tuple(parsed.tries), disruptions=tuple(parsed.disrupt)
    )  # fmt: skip
    with Progress() as progress:
        found = told(corridor, year=parsed.year, scenario=parsed.scenario, options=options, how=how, progress=progress)
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(oil_lines(found, words=Words(language, corridor.names.get(language, {})))))
    return 0
