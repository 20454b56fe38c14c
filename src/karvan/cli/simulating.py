"""`karvan simulate`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from karvan.cli.asking import corridor_of, language_of, options_of, years_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem

_MOST_DESIGNS = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan simulate` beside those of a scenario."""
    parser.add_argument("system", metavar="SYSTEM", help="a row of the table systems")
    parser.add_argument("--year", type=int, metavar="Y", help="calendar year (default: the base year)")
    parser.add_argument(
        "--half-width", default="5%", metavar="P", help="half the 95%% interval of mean transit times, at most (default: 5%%)"
    )
    parser.add_argument("--most", type=int, default=200, metavar="N", help="replications at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all chance (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N", help="threads; digits do not depend on it (default: all cores)")
    parser.add_argument("--load-factor", type=float, default=1.0, metavar="X", help="times what the market sends (default: 1)")
    parser.add_argument(
        "--to-mt", type=float, metavar="MT", help="all loads as if so many million tonnes a year crossed the headline cordon"
    )
    parser.add_argument(
        "--load", action="append", default=[], metavar="STREAM=UNITS", help="units a year of a stream in place of the market's; repeatable"
    )
    parser.add_argument("--sea-level-path", metavar="ID", help="path of the sea (default: the case's first)")
    parser.add_argument(
        "--try", dest="tries", action="append", default=[], metavar="DESIGN",
        help="another design under the same chance: a measure as if it had begun, no-MEASURE without it, TABLE.ID.COLUMN=VALUE, or"
        " sea_level_m=VALUE, several joined by +; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--sweep", metavar="TABLE.ID.COLUMN=A:B", help="designs with each whole value from A to B, or with the values A,B,C"
    )
    parser.add_argument(
        "--capacity-of", action="append", default=[], metavar="FACILITY", help="tell its saturation with every design; repeatable"
    )
    parser.add_argument(
        "--water", metavar="FIRST:LAST[:STEP]", help="instead: saturation of all lines on each path of the sea, year by year"
    )
    parser.add_argument(
        "--fleet-sizing", metavar="FIRST:LAST[:STEP]",
        help="instead: how many ships each line has and needs on each path of the sea (or that of --sea-level-path), year by year",
    )  # fmt: skip
    parser.add_argument(
        "--line",
        dest="sized_lines",
        action="append",
        default=[],
        metavar="CROSSING",
        help="with --fleet-sizing: this line only; repeatable",
    )
    parser.add_argument(
        "--use", default="90%", metavar="P", help="with --fleet-sizing: use of what ships can carry, at most (default: %(default)s)"
    )
    parser.add_argument("--no-curves", action="store_true", help="leave out saturation and delay curves")
    parser.add_argument("--log", action="store_true", help="with --json: one year hour by hour")
    parser.add_argument(
        "--month", metavar="M", help="with --json or --report: a month hour by hour, 1 to 12 or stormiest (--report: stormiest)"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page for a browser, too: what ships do in the month, berths, where delay comes from",
    )


def share(text: str, option: str) -> float:
    """A share given as 5% or 0.05.

    Raises:
        DataError: It is none.
    """
    try:
        value = float(text.rstrip("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError as error:
        raise DataError(Problem(option, None, None, f"{text} must be a share such as 5%")) from error
    if not 0.0 < value < 1.0:
        raise DataError(Problem(option, None, None, f"{text} must lie between 0% and 100%"))
    return value


def designs(tries: Sequence[str], sweep: str | None) -> list[str]:
    """All designs asked for.

    Raises:
        DataError: A sweep is wrong.
    """
    found = list(tries)
    if sweep is not None:
        path, sign, values = sweep.partition("=")
        if not sign or not values:
            raise DataError(Problem("--sweep", None, None, f"{sweep} must read TABLE.ID.COLUMN=A:B or =A,B,C"))
        found += [f"{path}={value}" for value in _values(values)]
    if len(found) > _MOST_DESIGNS:
        raise DataError(Problem("--sweep", None, None, f"asks for {len(found)} designs, must be {_MOST_DESIGNS} at most"))
    return found


def _values(text: str) -> list[str]:
    if ":" not in text:
        return [value.strip() for value in text.split(",")]
    first, _, last = text.partition(":")
    try:
        start, end = int(first), int(last)
    except ValueError as error:
        raise DataError(
            Problem("--sweep", None, None, f"{text} must be two whole numbers such as 2:8, or values joined by commas")
        ) from error
    if end < start:
        raise DataError(Problem("--sweep", None, None, f"{text} must run from a lower to a higher value"))
    return [str(value) for value in range(start, end + 1)]


def loads(given: Sequence[str]) -> dict[str, float] | None:
    """Loads in place of the market's.

    Raises:
        DataError: One is wrong.
    """
    found = {}
    for item in given:
        name, _, value = item.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise DataError(Problem("--load", None, None, f"{item} must read STREAM=UNITS, such as a_stream=20000")) from error
        if found[name.strip()] < 0.0:
            raise DataError(Problem("--load", None, None, f"{item} must be zero or more"))
    return found or None


def settings(parsed: argparse.Namespace) -> tuple[float, int]:
    """How sure, and how many threads.

    Raises:
        DataError: A number is out of range.
    """
    if parsed.load_factor <= 0.0:
        raise DataError(Problem("--load-factor", None, None, f"is {parsed.load_factor:g}, must be above zero"))
    if parsed.most < 20:
        raise DataError(Problem("--most", None, None, f"is {parsed.most}, must be 20 or more"))
    if parsed.workers is not None and parsed.workers < 1:
        raise DataError(Problem("--workers", None, None, f"is {parsed.workers}, must be 1 or more"))
    if parsed.to_mt is not None and parsed.to_mt <= 0.0:
        raise DataError(Problem("--to-mt", None, None, f"is {parsed.to_mt:g}, must be above zero"))
    return share(parsed.half_width, "--half-width"), parsed.workers or os.cpu_count() or 1


def month_of(parsed: argparse.Namespace) -> int | str | None:
    """The month that is told hour by hour."""
    if parsed.month is None:
        return None if parsed.report is None else "stormiest"
    return int(parsed.month) if parsed.month.isascii() and parsed.month.isdigit() else str(parsed.month)


def stepped_years(text: str) -> tuple[int, ...]:
    """Years of FIRST:LAST, or each so many of FIRST:LAST:STEP.

    Raises:
        DataError: They are none.
    """
    first_last, _, step = text.rpartition(":") if text.count(":") == 2 else (text, "", "")
    if step and not (step.isascii() and step.isdigit() and int(step) > 0):
        raise DataError(Problem("years", None, None, f"{text} must read FIRST:LAST or FIRST:LAST:STEP, such as 2025:2040:5"))
    return years_of(first_last)[:: int(step or 1)]


def simulate(parsed: argparse.Namespace) -> int:
    """Simulate a system, or tell year by year what water does to it or how many ships it needs."""
    from karvan.report import Words
    from karvan.report.queues import queues_lines
    from karvan.simulation import ExperimentOptions, HandoverOptions
    from karvan.study.report import answer_report
    from karvan.study.simulate import simulate as simulated

    half_width, workers = settings(parsed)
    tries, streams = designs(parsed.tries, parsed.sweep), loads(parsed.load)
    if parsed.water is not None or parsed.fleet_sizing is not None:
        return _by_year(parsed, streams, workers)
    corridor, options = corridor_of(parsed), options_of(parsed)
    curves, words = HandoverOptions(seed=parsed.seed, workers=workers), Words(language_of(parsed))
    with Progress() as progress:
        found = simulated(
            corridor,
            parsed.system,
            year=parsed.year,
            scenario=parsed.scenario,
            options=options,
            how=ExperimentOptions(seed=parsed.seed, half_width_share=half_width, most=parsed.most, workers=workers),
            curves=curves,
            loads=streams,
            load_factor=parsed.load_factor,
            to_mt=parsed.to_mt,
            sea_level_path=parsed.sea_level_path,
            tries=tries,
            capacity_of=parsed.capacity_of,
            has_curves=not parsed.no_curves,
            has_log=parsed.log and parsed.json,
            month=month_of(parsed),
            progress=progress,
        )
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language_of(parsed))
    if parsed.json:
        print_json({**found.as_dict(), **({} if parsed.report is None else {"report": str(parsed.report)})})
    else:
        print("\n".join(queues_lines(found, words=words)))
        if parsed.report is not None:
            print(f"Page     {parsed.report}")
    return 0


def _by_year(parsed: argparse.Namespace, streams: dict[str, float] | None, workers: int) -> int:
    """What lines can carry, or how many ships they need, year by year."""
    from karvan.report import Words
    from karvan.report.queues import sizes_lines, water_lines
    from karvan.simulation import HandoverOptions
    from karvan.study.crossing_years import fleet_sizes, water

    corridor, options, words = corridor_of(parsed), options_of(parsed), Words(language_of(parsed))
    how = HandoverOptions(seed=parsed.seed, replications=10, workers=workers)
    told: dict[str, Any]
    with Progress() as progress:
        if parsed.water is not None:
            table = water(
                corridor, parsed.system, years=stepped_years(parsed.water), scenario=parsed.scenario, options=options, curves=how,
                loads=streams, progress=progress,
            )  # fmt: skip
            told, lines = {"water": table.to_dicts()}, water_lines(table, words=words)
        else:
            use = share(parsed.use, "--use")
            table = fleet_sizes(
                corridor, parsed.system, years=stepped_years(parsed.fleet_sizing), scenario=parsed.scenario, options=options, how=how,
                use_share=use, to_mt=parsed.to_mt, load_factor=parsed.load_factor, loads=streams,
                lines=parsed.sized_lines or None, paths=None if parsed.sea_level_path is None else [parsed.sea_level_path],
                progress=progress,
            )  # fmt: skip
            told, lines = {"use_share": use, "fleet_sizes": table.to_dicts()}, sizes_lines(table, use_share=use, words=words)
    if parsed.json:
        print_json({"system_id": parsed.system, **told})
    else:
        print("\n".join(lines))
    return 0
