"""`karvan ensemble`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from karvan import __version__
from karvan.cli.asking import corridor_of, language_of, options_of, years_of
from karvan.cli.simulating import share
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem

if TYPE_CHECKING:
    import polars as pl


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan ensemble` beside those of a scenario."""
    parser.add_argument("--futures", type=int, default=1000, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--years", default="2024:2040", metavar="FIRST:LAST", help="first and last year (default: %(default)s)")
    parser.add_argument(
        "--plan", dest="plans", action="append", default=[], metavar="PLAN",
        help="another plan on the same draws: a scenario, with measures added and no-MEASURE taken out, joined by +; repeatable",
    )  # fmt: skip
    parser.add_argument("--against", metavar="PLAN", help="plan that values are told against (default: the baseline, if it is a plan)")
    parser.add_argument(
        "--design", default="sobol", metavar="NAME", help="sobol, lhs, morris or indices (Saltelli's sample) (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the design (default: %(default)s)")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="TABLE.ID.COLUMN=LOW:HIGH",
        help="draw a value, too; repeatable",
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="draw this factor or shock only; repeatable")
    parser.add_argument("--no-ranges", action="store_true", help="leave the ranges of the case at its values")
    parser.add_argument("--no-shocks", action="store_true", help="let no shock happen")
    parser.add_argument("--table", type=Path, metavar="FILE", help="futures written out (CSV): a column by factor or shock, a row a future")
    parser.add_argument("--until", metavar="TEXT", help='when enough is known, such as "p90(corridor_mt[2030]) within 2%%"')
    parser.add_argument("--drivers-of", metavar="METRIC[YEAR]", help="what the drivers are told of (default: corridor_mt[2030])")
    parser.add_argument("--rate", metavar="P", help="yearly discount rate of values (default: the economic one of the case)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes; digits do not depend on it (default: %(default)s)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler in place of them, such as tcp://10.0.0.5:8786")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of its futures (default: karvan-ensembles/<ensemble id>)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page for a browser, too")


def ensemble(parsed: argparse.Namespace) -> int:
    """Run many futures and tell what they say."""
    from karvan.ensembles import EnsembleOptions
    from karvan.ensembles import ensemble as run_many
    from karvan.report import Words, futures_screen, render_answer
    from karvan.report.many_futures import ensemble_lines
    from karvan.report.page import require_bundle
    from karvan.results import write_text_whole

    if parsed.report is not None and not parsed.report.parent.is_dir():
        raise DataError(Problem("--report", None, None, f"there is no folder {parsed.report.parent}; make it or name another file"))
    if parsed.report is not None:
        require_bundle()

    corridor = corridor_of(parsed)
    how = EnsembleOptions(
        futures=parsed.futures, design=parsed.design, seed=parsed.seed, plans=tuple(parsed.plans), against=parsed.against,
        vary=tuple(parsed.vary), only=tuple(parsed.only), has_ranges=not parsed.no_ranges, has_shocks=not parsed.no_shocks,
        table=None if parsed.table is None else _table(parsed.table), until=parsed.until, workers=parsed.workers,
        scheduler=parsed.scheduler,
        rate_share=None if parsed.rate is None else share(parsed.rate, "--rate"), driven=parsed.drivers_of,
    )  # fmt: skip
    with Progress() as progress:
        found = run_many(
            corridor, scenario=parsed.scenario, years=years_of(parsed.years), options=options_of(parsed), how=how, out=parsed.out,
            progress=progress,
        )  # fmt: skip
    words = Words(language_of(parsed), corridor.names.get(language_of(parsed), {}))
    if parsed.report is not None:
        document = futures_screen(found.as_dict(), corridor, version=__version__)
        write_text_whole(parsed.report, render_answer("futures", document, language=words.language))
    if parsed.json:
        print_json({**found.as_dict(), **({} if parsed.report is None else {"report": str(parsed.report)})})
    else:
        print("\n".join(ensemble_lines(found, words=words)))
        if parsed.report is not None:
            print(words("ensemble.page_written", file=str(parsed.report)))
    return 0


def _table(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(Problem(str(path), None, None, f"cannot be read as CSV: {error}")) from error
