"""`karvan route`."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from karvan.errors import DataError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan route` beside those of a scenario."""
    parser.add_argument("origin", metavar="ORIGIN", help="a place by id, name, other name or UN/LOCODE")
    parser.add_argument("destination", metavar="DESTINATION", help="likewise")
    parser.add_argument("--commodity", required=True, metavar="G", help="goods by group, name or other name: wheat, containers ...")
    parser.add_argument("--year", type=int, metavar="Y", help="calendar year, as on 1 July (default: the last day with known events)")
    parser.add_argument("--depart", metavar="DATE", help="day on which the goods are ready, such as 2025-11-01")
    parser.add_argument("--deadline", metavar="DATE", help="day by whose end they must arrive; needs --depart")
    parser.add_argument("--max-options", type=int, default=5, metavar="N", help="most options to tell (default: %(default)s)")
    elements = "link, terminal, facility, route family, country (two capital letters) or place; repeatable"
    parser.add_argument("--avoid", action="append", default=[], metavar="ID", help=f"keep off a {elements}")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the answer as a page for a browser, too")
    parser.add_argument("--via", action="append", default=[], metavar="ID", help=f"pass a {elements}")


def day(text: str | None, option: str) -> datetime.date | None:
    """A date of an option.

    Raises:
        DataError: It is none.
    """
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise DataError(Problem(option, None, None, f"{text} must be a date such as 2025-11-01")) from error
