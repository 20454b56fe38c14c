"""`karvan route`."""

from __future__ import annotations

import argparse
import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karvan.cli.asking import corridor_of, language_of, options_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem

if TYPE_CHECKING:
    from karvan.corridor import Corridor
    from karvan.results import ShippingBatch
    from karvan.routing.limits import Cargo
    from karvan.study import ScenarioOptions
    from karvan.study.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan route` beside those of a scenario."""
    parser.add_argument("origin", nargs="?", metavar="ORIGIN", help="a place by id, name, other name or UN/LOCODE")
    parser.add_argument("destination", nargs="?", metavar="DESTINATION", help="likewise")
    parser.add_argument("--commodity", metavar="G", help="goods by group, name or other name: wheat, containers ...")
    parser.add_argument("--year", type=int, metavar="Y", help="calendar year, as on 1 July (default: the last day with known events)")
    parser.add_argument("--depart", metavar="DATE", help="day on which the goods are ready, such as 2025-11-01")
    parser.add_argument("--deadline", metavar="DATE", help="day by whose end they must arrive; needs --depart")
    parser.add_argument("--max-options", type=int, default=5, metavar="N", help="most options to tell (default: %(default)s)")
    parser.add_argument(
        "--batch", type=Path, metavar="FILE",
        help="answer every row of a CSV file with columns origin, destination, commodity, perhaps shipment_id and the options above",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="table of options to write for --batch: .csv or .parquet")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes for --batch (default: one a core)")
    parser.add_argument("--tonnes", type=float, metavar="T", help="size of the shipment: tells how many sailings it takes")
    parser.add_argument(
        "--value", type=float, metavar="USD", help="value of a tonne: prices time, spread and lateness; insurance follows it"
    )
    parser.add_argument("--unit-t", type=float, metavar="T", help="tonnes in one box, wagon or truck, if not the usual ones")
    parser.add_argument("--piece-t", type=float, metavar="T", help="heaviest piece, tonnes")
    parser.add_argument("--reefer", action="store_true", help="the goods need power on the way")
    parser.add_argument("--hazard", metavar="CLASS", help="UN class of dangerous goods, such as 3 or 5.1")
    parser.add_argument("--out-of-gauge", action="store_true", help="the goods stand out beyond the loading gauge")
    parser.add_argument("--carrier", metavar="CC", help="country of the carrier, such as TR, for rules about carriage within a country")
    parser.add_argument("--quotes", type=Path, metavar="FILE", help="CSV file of rates that you were quoted, in place of the model's")
    parser.add_argument("--run", type=Path, metavar="DIR", help="run folder whose full facilities cost, in the year asked")
    parser.add_argument(
        "--scarcity", choices=("price", "queue"), default="price",
        help="with --run: room in a full facility is paid for, or waited for (default: %(default)s)",
    )  # fmt: skip
    elements = "link, terminal, facility, route family, country (two capital letters) or place; repeatable"
    parser.add_argument("--avoid", action="append", default=[], metavar="ID", help=f"keep off a {elements}")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the answer as a page for a browser, too")
    parser.add_argument("--via", action="append", default=[], metavar="ID", help=f"pass a {elements}")


def run_batch(parsed: argparse.Namespace, corridor: Corridor, options: ScenarioOptions, progress: Progress) -> ShippingBatch:
    """Answer a file of shipments.

    Raises:
        DataError: Arguments of a single question are given too, or no file to write.
    """
    from karvan.study import route_batch

    asked = {"ORIGIN": parsed.origin, "--commodity": parsed.commodity, "--year": parsed.year, "--depart": parsed.depart,
             "--deadline": parsed.deadline, "--avoid": parsed.avoid, "--via": parsed.via, "--tonnes": parsed.tonnes,
             "--value": parsed.value, "--unit-t": parsed.unit_t, "--piece-t": parsed.piece_t, "--reefer": parsed.reefer,
             "--hazard": parsed.hazard, "--out-of-gauge": parsed.out_of_gauge, "--carrier": parsed.carrier}  # fmt: skip
    given = [name for name, value in asked.items() if value]
    problems = [Problem(name, None, None, "stands in the file of shipments when --batch is given; leave it out") for name in given]
    if parsed.out is None:
        problems.append(Problem("--out", None, None, "must name the .csv or .parquet file to write when --batch is given"))
    if parsed.workers < 1:
        problems.append(Problem("--workers", None, None, f"{parsed.workers} must be 1 or more"))
    if problems:
        raise DataError(problems)
    return route_batch(
        corridor, parsed.batch, out=parsed.out, scenario=parsed.scenario, options=options, workers=parsed.workers, progress=progress,
        **priced(parsed, corridor),
    )  # fmt: skip


def priced(parsed: argparse.Namespace, corridor: Corridor) -> dict[str, Any]:
    """Arguments about the user's rates and a saved run."""
    from karvan.results.store import load_run
    from karvan.study.user_quotes import read_quotes

    return {
        "quotes": None if parsed.quotes is None else read_quotes(parsed.quotes, corridor),
        "run": None if parsed.run is None else load_run(parsed.run),
        "scarcity": parsed.scarcity,
    }


def cargo(parsed: argparse.Namespace) -> Cargo:
    """The shipment of a single question."""
    from karvan.routing.limits import Cargo

    return Cargo(
        tonnes=parsed.tonnes, value_usd_per_t=parsed.value, unit_t=parsed.unit_t, piece_t=parsed.piece_t, is_reefer=parsed.reefer,
        hazard_class=parsed.hazard, is_out_of_gauge=parsed.out_of_gauge, carrier=parsed.carrier,
    )  # fmt: skip


def require_question(parsed: argparse.Namespace) -> None:
    """Make sure that a single question is whole.

    Raises:
        DataError: An end or the goods are missing.
    """
    needed = {"ORIGIN": parsed.origin, "DESTINATION": parsed.destination, "--commodity": parsed.commodity}
    problems = [Problem(name, None, None, "is missing; give it, or a file with --batch") for name, value in needed.items() if value is None]
    if parsed.out is not None:
        problems.append(Problem("--out", None, None, "goes with --batch"))
    if problems:
        raise DataError(problems)


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


def route(parsed: argparse.Namespace) -> int:
    """Answer a shipper's question, or those of a file."""
    from karvan.report.shipping import shipping_lines
    from karvan.study.report import answer_report
    from karvan.study.route import route as answer

    if parsed.batch is not None:
        return _batch(parsed)
    require_question(parsed)
    corridor = corridor_of(parsed)
    found = answer(
        corridor,
        parsed.origin,
        parsed.destination,
        commodity=parsed.commodity,
        year=parsed.year,
        depart=day(parsed.depart, "--depart"),
        deadline=day(parsed.deadline, "--deadline"),
        max_options=parsed.max_options,
        avoid=parsed.avoid,
        via=parsed.via,
        cargo=cargo(parsed),
        scenario=parsed.scenario,
        options=options_of(parsed),
        **priced(parsed, corridor),
    )
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=language_of(parsed))
    if parsed.json:
        print_json({**found.as_dict(), **({} if parsed.report is None else {"report": str(parsed.report)})})
    else:
        print("\n".join(shipping_lines(found)))
        if parsed.report is not None:
            print(f"Page     {parsed.report}")
    return 0


def _batch(parsed: argparse.Namespace) -> int:
    from karvan.report.shipping import batch_lines

    with Progress() as progress:
        found = run_batch(parsed, corridor_of(parsed), options_of(parsed), progress)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(batch_lines(found)))
    if not found.is_whole:
        return 130
    return 2 if found.problems else 0
