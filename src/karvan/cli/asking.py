"""What several commands ask for in the same words: corridor, scenario and what is changed in it, years, language."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from karvan.errors import DataError, Problem

if TYPE_CHECKING:
    from karvan.corridor import Corridor
    from karvan.study import ScenarioOptions

DEFAULT_CORRIDOR = "middle-corridor"
LANGUAGES = ("en", "ru", "de", "kk", "az")


def corridor_argument(parser: argparse.ArgumentParser) -> None:
    """Which corridor."""
    parser.add_argument("--corridor", default=DEFAULT_CORRIDOR, metavar="DIR_OR_NAME", help="corridor (default: %(default)s)")


def language_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """Which language."""
    parser.add_argument("--lang", choices=LANGUAGES, help=f"{what} (default: the variable KARVAN_LANG, else en)")


def language_of(parsed: argparse.Namespace) -> str:
    """The language asked for. The locale is not: what a command prints does not depend on whose machine it runs on."""
    if parsed.lang is not None:
        return str(parsed.lang)
    named = os.environ.get("KARVAN_LANG") or "en"
    if named not in LANGUAGES:
        raise DataError(Problem("KARVAN_LANG", None, None, f"is {named}, must be one of {', '.join(LANGUAGES)}"))
    return named


def scenario_arguments(parser: argparse.ArgumentParser, scenario_help: str) -> None:
    """Which corridor and scenario, and what is changed in them."""
    corridor_argument(parser)
    parser.add_argument("--scenario", metavar="ID", help=scenario_help)
    parser.add_argument("--with", dest="with_measures", action="append", default=[], metavar="ID_OR_FILE", help="add a measure; repeatable")
    parser.add_argument(
        "--without", dest="without_measures", action="append", default=[], metavar="ID", help="take a measure out; repeatable"
    )
    parser.add_argument(
        "--set", dest="set_values", action="append", default=[], metavar="TABLE.ID.COLUMN=VALUE", help="set one input; repeatable"
    )
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="folder with only the rows that differ")


def capacities_argument(parser: argparse.ArgumentParser) -> None:
    """Which capacities."""
    parser.add_argument(
        "--capacities", choices=("nominal", "simulated"), default="nominal",
        help="of crossings, yards and borders: as the tables have them, or simulated with ships, berths, weather and water of each year"
        " (default: %(default)s)",
    )  # fmt: skip


def options_of(parsed: argparse.Namespace) -> ScenarioOptions:
    """What is changed in the scenario."""
    from karvan.study import ScenarioOptions

    return ScenarioOptions(
        with_measures=tuple(parsed.with_measures),
        without_measures=tuple(parsed.without_measures),
        set_values=tuple(parsed.set_values),
        overlay=parsed.overlay,
        capacities=getattr(parsed, "capacities", "nominal"),
    )


def corridor_of(parsed: argparse.Namespace) -> Corridor:
    """The corridor."""
    from karvan.corridor import load_corridor

    return load_corridor(parsed.corridor)


def years_of(text: str) -> tuple[int, ...]:
    """Years of FIRST:LAST.

    Raises:
        DataError: They are none.
    """
    first, _, last = text.partition(":")
    try:
        start, end = int(first), int(last or first)
    except ValueError as error:
        raise DataError(Problem("--years", None, None, f"{text} must be a first and a last year, such as 2024:2040")) from error
    if end < start or end - start > 200:
        raise DataError(Problem("--years", None, None, f"{text} must run from an earlier to a later year"))
    return tuple(range(start, end + 1))
