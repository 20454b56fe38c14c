"""`karvan power`."""

from __future__ import annotations

import argparse
from pathlib import Path

from karvan.cli.asking import corridor_of, language_argument, language_of, options_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem

_MOST_SIZES = 40
_USUAL_SIZES = "250,500,1000,1500,2000,3000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan power` beside those of a scenario."""
    parser.add_argument("--line", metavar="ID", help="line whose worth is told (default: the case's)")
    parser.add_argument("--cable", type=float, metavar="MW", help="its size each way (default: as the case has it)")
    parser.add_argument(
        "--sweep", nargs="?", const=_USUAL_SIZES, metavar="SIZES",
        help=f"its worth at other sizes, FIRST:LAST:STEP or A,B,C in MW, and the size that pays (default: {_USUAL_SIZES})",
    )  # fmt: skip
    parser.add_argument("--cost", type=float, metavar="USD_PER_KW", help="what it costs (default: as the measure that adds it says)")
    parser.add_argument("--discount-rate", type=float, default=0.08, metavar="R", help="of its cost (default: %(default)s)")
    parser.add_argument("--life", type=float, default=40.0, metavar="YEARS", help="that it lasts (default: %(default)g)")
    parser.add_argument(
        "--try", dest="tries", action="append", default=[], metavar="DESIGN",
        help="hold a design against the scenario: measures, no-MEASURE to take one out, TABLE.ID.COLUMN=VALUE, joined by +; repeatable",
    )  # fmt: skip
    _hours_arguments(parser)
    parser.add_argument("--log", action="store_true", help="with --json: prices and flows of every hour")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")
    language_argument(parser, "language of what is printed and of a page")


def _hours_arguments(parser: argparse.ArgumentParser) -> None:
    """Which hours, and what their series are made of."""
    parser.add_argument("--year", type=int, metavar="Y", help="calendar year (default: the base year)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the weather (default: %(default)s)")
    parser.add_argument(
        "--draw", type=int, metavar="N",
        help="wind goes by the storms of this replication, from 0, of the simulated crossings with the same seed (default: drawn apart)",
    )  # fmt: skip
    parser.add_argument("--profiles", type=Path, metavar="FILE", help="CSV of hourly loads and shares in place of made ones")
    parser.add_argument("--hours", type=int, default=8760, metavar="N", help="first hours of the year alone (default: all)")


def sizes(text: str | None) -> tuple[float, ...]:
    """Sizes of a sweep.

    Raises:
        DataError: They are none.
    """
    if text is None:
        return ()
    try:
        if ":" in text:
            first, last, step = (float(part) for part in text.split(":"))
            count = int((last - first) / step + 1e-9) + 1 if step > 0.0 and last >= first else 0
            found = tuple(first + step * number for number in range(min(count, _MOST_SIZES + 1)))
        else:
            found = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(Problem("--sweep", None, None, f"{text} must read FIRST:LAST:STEP or A,B,C in MW, such as 500:3000:500")) from error
    if not found or min(found) < 0.0 or len(found) > _MOST_SIZES:
        message = f"{text} must be sizes of 0 MW or more, rising, {_MOST_SIZES} at most"
        raise DataError(Problem("--sweep", None, None, message))
    return found


def _checked(parsed: argparse.Namespace) -> None:
    _checked_hours(parsed)
    _require(
        ("--cable", parsed.cable, parsed.cable is None or parsed.cable >= 0.0, "0 MW or more"),
        ("--cost", parsed.cost, parsed.cost is None or parsed.cost >= 0.0, "0 or more"),
        ("--discount-rate", parsed.discount_rate, 0.0 <= parsed.discount_rate < 1.0, "a share from 0 to below 1, such as 0.08"),
        ("--life", parsed.life, parsed.life > 0.0, "above 0 years"),
    )


def _checked_hours(parsed: argparse.Namespace) -> None:
    _require(
        ("--hours", parsed.hours, 2 <= parsed.hours <= 8760, "from 2 to 8760"),
        ("--seed", parsed.seed, parsed.seed >= 0, "0 or more"),
        ("--draw", parsed.draw, parsed.draw is None or parsed.draw >= 0, "the number of a replication, 0 or more"),
    )


def _require(*rules: tuple[str, float | None, bool, str]) -> None:
    for option, value, is_right, what in rules:
        if not is_right:
            raise DataError(Problem(option, None, None, f"is {value:g}, must be {what}"))


def power(parsed: argparse.Namespace) -> int:
    """Dispatch power hour by hour."""
    from karvan.report import Words
    from karvan.report.dispatch import dispatch_lines
    from karvan.study.dispatch import DispatchOptions
    from karvan.study.dispatch import dispatch as dispatched
    from karvan.study.dispatch_given import read_series
    from karvan.study.report import answer_report

    _checked(parsed)
    swept = sizes(parsed.sweep)
    corridor, options, language = corridor_of(parsed), options_of(parsed), language_of(parsed)
    with Progress() as progress:
        found = dispatched(
            corridor,
            year=parsed.year,
            scenario=parsed.scenario,
            options=options,
            how=DispatchOptions(
                seed=parsed.seed,
                line=parsed.line,
                size_mw=parsed.cable,
                sizes_mw=swept,
                cost_usd_per_kw=parsed.cost,
                discount_rate=parsed.discount_rate,
                life_years=parsed.life,
                tries=tuple(parsed.tries),
                given=None if parsed.profiles is None else read_series(parsed.profiles, corridor),
                hours=parsed.hours,
                draw=parsed.draw,
            ),
            progress=progress,
        )
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language)
    if parsed.json:
        print_json(found.as_dict(has_hours=parsed.log))
    else:
        print("\n".join(dispatch_lines(found, words=Words(language, corridor.names.get(language, {})))))
    return 0


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan export` beside those of a scenario."""
    parser.add_argument("--format", choices=("pypsa",), required=True, help="whose files: pypsa, its folder of CSV files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make")
    _hours_arguments(parser)


def export(parsed: argparse.Namespace) -> int:
    """Write the power system of a year for another program."""
    from karvan.study.dispatch import export_power
    from karvan.study.dispatch_given import read_series

    _checked_hours(parsed)
    corridor = corridor_of(parsed)
    told = export_power(
        corridor,
        parsed.out,
        year=parsed.year,
        scenario=parsed.scenario,
        options=options_of(parsed),
        seed=parsed.seed,
        given=None if parsed.profiles is None else read_series(parsed.profiles, corridor),
        hours=parsed.hours,
        draw=parsed.draw,
    )
    if parsed.json:
        print_json(told)
    else:
        print(f"Wrote {told['folder']}: {told['zones']} zones, {told['plants']} plants, {told['lines']} lines, {told['hours']:,} hours")
    return 0
