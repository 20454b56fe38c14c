"""Commands: `karvan VERB ...`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from karvan import __version__
from karvan.cli import appraising, assigning, ensembling, oiling, powering, routes, serving, simulating, tariffing, trading
from karvan.cli.asking import (
    capacities_argument,
    corridor_argument,
    corridor_of,
    language_argument,
    language_of,
    options_of,
    scenario_arguments,
    years_of,
)
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, KarvanError, Problem

TARGET_MT = 10.0
_PROBLEMS_SHOWN = 25
_PROMISES_PAGE, _VALIDATION_PAGE = "summit.md", "validation.md"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are problems like any other."""

    def error(self, message: str) -> NoReturn:
        raise DataError(Problem("command line", None, None, f"{message}; see: {self.prog} --help"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        parsed = _parser().parse_args(given)
        return int(parsed.command(parsed))
    except KarvanError as error:
        return _failed(error, as_json="--json" in given)
    except KeyboardInterrupt:
        print("Stopped. Nothing was half written.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _failed(error: KarvanError, *, as_json: bool) -> int:
    problems = [problem.as_dict() for problem in error.problems]
    if as_json:
        print_json({"error": {"kind": error.kind, "message": str(error), "problems": problems}})
        return error.exit_code
    if not error.problems:
        print(f"karvan: {error}", file=sys.stderr)
        return error.exit_code
    for problem in error.problems[:_PROBLEMS_SHOWN]:
        print(f"karvan: {problem}", file=sys.stderr)
    left = len(error.problems) - _PROBLEMS_SHOWN
    if left > 0:
        print(f"karvan: and {left} more; --json lists all", file=sys.stderr)
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="karvan",
        description="Open planning model for freight, oil and power corridors.",
        epilog="Start with: karvan run. Every command has an example: karvan COMMAND --help.",
    )
    parser.add_argument("--version", action="version", version=f"karvan {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    run = _verb(verbs, "run", _run, "the outlook of a scenario against the baseline", "karvan run --scenario agreed --years 2024:2040")
    scenario_arguments(run, "scenario id; by default the corridor's headline scenario")
    run.add_argument("--years", default="2024:2040", metavar="FIRST:LAST", help="first and last year (default: %(default)s)")
    run.add_argument("--out", type=Path, help="run folder (default: karvan-runs/<run id>)")
    run.add_argument("--replace", action="store_true", help="compute again and replace the run in that folder")
    run.add_argument(
        "--ladder",
        nargs="?",
        type=float,
        const=TARGET_MT,
        metavar="MT",
        help=f"keep beside it, and show on its page, the ladder of `karvan ladder --to-mt MT` (default: {TARGET_MT:g})",
    )
    capacities_argument(run)
    language_argument(run, "language of the summary and of a page that is written")

    ladder = _verb(verbs, "ladder", _ladder, "what binds, in which order, what relief is worth", "karvan ladder --to-mt 10")
    scenario_arguments(ladder, "scenario id; by default the corridor's baseline")
    ladder.add_argument("--year", type=int, help="calendar year (default: the base year)")
    ladder.add_argument(
        "--to-mt",
        type=float,
        default=TARGET_MT,
        metavar="MT",
        help="tonnes without limits at which it ends, million (default: %(default)s)",
    )

    capacities_argument(ladder)
    language_argument(ladder, "language of what is printed")

    validate = _verb(verbs, "validate", _validate, "the model against published values", "karvan validate --page")
    corridor_argument(validate)
    validate.add_argument("--page", nargs="?", const="", metavar="FILE", help=_page_help("a page and its picture", _VALIDATION_PAGE))

    promises = _verb(verbs, "commitments", _commitments, "how every promise stands in every scenario", "karvan commitments --page")
    corridor_argument(promises)
    promises.add_argument("--all", action="store_true", help="list the whole register of agreements too")
    promises.add_argument("--page", nargs="?", const="", metavar="FILE", help=_page_help("all of it as a page", _PROMISES_PAGE))
    appraising.add_needed_arguments(promises)

    explain = _verb(
        verbs, "explain", _explain, "where a number comes from, how far to trust it, what rests on it", "karvan explain aktau_boxes"
    )
    explain.add_argument(
        "id", metavar="ID", help="key of a row, TABLE.KEY, TABLE.KEY.COLUMN, a measure, a scenario, or another name of a row"
    )
    corridor_argument(explain)
    explain.add_argument("--table", metavar="NAME", help="look in this table only; measures and scenarios count as tables")
    explain.add_argument(
        "--run", type=Path, metavar="DIR", help="run folder whose results are told (default: the corridor's newest in karvan-runs)"
    )

    sources = _verb(verbs, "sources", _sources, "which numbers rest on which source", "karvan sources own_estimate")
    sources.add_argument("id", nargs="?", metavar="ID", help="tell everything that rests on this source")
    corridor_argument(sources)
    sources.add_argument("--all", action="store_true", dest="is_whole", help="everything instead of a screen of it")

    check = _verb(verbs, "check", _check, "every problem of a corridor folder", "karvan check my-corridor")
    check.add_argument("corridor", metavar="DIR", help="corridor folder, or the name of a packaged corridor")

    new = _verb(verbs, "new", _new, "a small corridor to start from", "karvan new my-corridor")
    new.add_argument("folder", type=Path, metavar="DIR", help="folder to make; must not exist or be empty")

    calibrate = _verb(
        verbs, "calibrate", _calibrate, "fit the base year to its observed values", "karvan calibrate --corridor my-corridor --write"
    )
    corridor_argument(calibrate)
    calibrate.add_argument(
        "--write", action="store_true", help="store the fit in the corridor folder: constants, demand_factors, base_costs"
    )

    check_run = _verb(
        verbs, "check-run", _check_run, "whether a finished run follows from its inputs", "karvan check-run karvan-runs/RUN_ID"
    )
    check_run.add_argument("run", type=Path, metavar="RUN", help="run folder")
    check_run.add_argument("--corridor", metavar="DIR_OR_NAME", help="the run's corridor (default: the packaged one it names)")

    report = _verb(
        verbs, "report", _report, "a run as one page to mail, alone or against another", "karvan report karvan-runs/RUN_ID --pdf"
    )
    report.add_argument("run", type=Path, metavar="RUN", help="run folder, or the id of a run in karvan-runs")
    report.add_argument("--against", type=Path, metavar="RUN", help="hold it against this run")
    report.add_argument("--out", type=Path, metavar="FILE", help="page to write (default: report.html in the run folder)")
    report.add_argument("--pdf", action="store_true", help="print it, too, with a Chromium on PATH or named by the variable CHROMIUM")
    language_argument(report, "language it opens in")
    report.add_argument("--ladder", type=Path, metavar="FILE", help="what `karvan ladder --json` printed, to be shown beside the run")
    report.add_argument("--corridor", metavar="DIR_OR_NAME", help="the run's corridor (default: the packaged one it names)")

    market = _verb(
        verbs, "market", _market, "why one market chose as it did in a year", "karvan market cn_coast:eu27:containers --year 2028"
    )
    market.add_argument("market", metavar="MARKET", help="a market_id, or ORIGIN:DESTINATION:GOODS[:FORM] in regions and goods")
    scenario_arguments(market, "scenario id; by default the corridor's baseline")
    market.add_argument("--year", type=int, help="calendar year (default: the base year)")
    capacities_argument(market)
    market.add_argument("--pairs", action="store_true", help="tell each pair of places, too")

    use = _verb(
        verbs, "select-link", _select_link, "what rests on a facility or link, and what its closing costs", "karvan select-link aktau_boxes"
    )
    use.add_argument(
        "element", nargs="?", metavar="ELEMENT", help="a facility or a link; without it every facility, the costliest to lose first"
    )
    scenario_arguments(use, "scenario id; by default the corridor's baseline")
    use.add_argument("--year", type=int, help="calendar year (default: the base year)")
    capacities_argument(use)

    way = _verb(
        verbs, "route", routes.route, "a shipper's options between two places, and what rules refuse",
        "karvan route CNSIA GEPTI --commodity containers --depart 2027-03-01",
    )  # fmt: skip
    routes.add_arguments(way)
    language_argument(way, "language the page opens in")
    scenario_arguments(way, "scenario id; by default the corridor's baseline")

    traffic = _verb(
        verbs, "assign", assigning.assign, "how trips spread over a congested network", "karvan assign NET.tntp TRIPS.tntp --gap 1e-8"
    )
    assigning.add_arguments(traffic)
    simulation = _verb(
        verbs, "simulate", simulating.simulate, "waits, delays by cause and saturation of a crossing, port or border",
        "karvan simulate caspian --year 2030 --scenario agreed",
    )  # fmt: skip
    simulating.add_arguments(simulation)
    language_argument(simulation, "language of what is printed and of a page")
    scenario_arguments(simulation, "scenario id; by default the corridor's baseline")

    dispatch = _verb(
        verbs, "power", powering.power, "prices and flows of power hour by hour, and what a line is worth",
        "karvan power --year 2035 --scenario agreed --sweep",
    )  # fmt: skip
    powering.add_arguments(dispatch)
    scenario_arguments(dispatch, "scenario id; by default the corridor's baseline")

    crude = _verb(
        verbs, "oil", oiling.oil, "netbacks of crude oil by route, who earns what, and what an interrupted route costs",
        "karvan oil --year 2025 --disrupt cpc_mooring",
    )  # fmt: skip
    oiling.add_arguments(crude)
    scenario_arguments(crude, "scenario id; by default the corridor's baseline")

    appraisal = _verb(
        verbs, "appraise", appraising.appraise, "what a set of measures is worth, to whom, and how sure that is",
        "karvan appraise --with three_ferries --with mangystau_loops",
    )  # fmt: skip
    appraising.add_arguments(appraisal)
    language_argument(appraisal, "language of what is printed and of a page")
    scenario_arguments(appraisal, "scenario id; by default the corridor's baseline")
    charges = _verb(
        verbs, "tariffs", tariffing.tariffs, "what administrations charge apart and together, who gains, and what split keeps all in",
        "karvan tariffs --year 2030",
    )  # fmt: skip
    tariffing.add_arguments(charges)
    scenario_arguments(charges, "scenario id; by default the corridor's headline scenario")
    language_argument(charges, "language of what is printed and of a page")

    exchanged = _verb(
        verbs, "trade", trading.trade, "how trade answers to cost, and what makes the trade of two countries grow",
        "karvan trade --scenario agreed",
    )  # fmt: skip
    trading.add_arguments(exchanged)
    scenario_arguments(exchanged, "scenario id; by default the corridor's headline scenario")
    language_argument(exchanged, "language of what is printed and of a page")

    portfolio = _verb(
        verbs, "plan", appraising.plan, "what to build when, out of which fund, with proof",
        "karvan plan --budget aih_fund=300 --budget socar_mechanism=60/year --to 2035",
    )  # fmt: skip
    appraising.add_plan_arguments(portfolio)
    language_argument(portfolio, "language of what is printed and of a page")
    scenario_arguments(portfolio, "scenario it is added to; by default the corridor's baseline")
    ruled = _verb(
        verbs, "tariff", tariffing.tariff, "charges of a way on a day by the rules of its operators, beside those of the model",
        "karvan tariff CNSIA GEPTI --date 2024-07-01",
    )  # fmt: skip
    tariffing.add_rule_arguments(ruled)
    scenario_arguments(ruled, "scenario id; by default the corridor's baseline")
    language_argument(ruled, "language of what is printed")

    export = _verb(
        verbs, "export", powering.export, "a power system as files of another program",
        "karvan export --format pypsa --year 2035 --scenario agreed --out network",
    )  # fmt: skip
    powering.add_export_arguments(export)
    scenario_arguments(export, "scenario id; by default the corridor's baseline")

    many = _verb(
        verbs, "ensemble", ensembling.ensemble, "what many futures say: chances, spreads, what drives them, least regret",
        "karvan ensemble --futures 1000 --plan baseline --plan late --plan reversed",
    )  # fmt: skip
    ensembling.add_arguments(many)
    language_argument(many, "language of what is printed and of a page")
    scenario_arguments(many, "scenario id; by default the corridor's headline scenario")

    server = _verb(verbs, "serve", serving.serve, "runs in a browser: maps, tables, scenarios to try", "karvan serve")
    corridor_argument(server)
    serving.add_arguments(server)
    return parser


def _verb(verbs: Any, name: str, command: Any, answers: str, example: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=answers, description=f"Tells {answers}.", epilog=f"Example: {example}")
    parser.set_defaults(command=command)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output and nothing else there")
    return parser


def _run(parsed: argparse.Namespace) -> int:
    from karvan.report import Words, is_bundled, summary_lines
    from karvan.results import RUNS_FOLDER
    from karvan.study import run
    from karvan.study.run import saved_report

    language = language_of(parsed)
    corridor, options, years = corridor_of(parsed), options_of(parsed), years_of(parsed.years)
    report = saved_report(corridor, scenario=parsed.scenario, years=years, options=options, out=parsed.out, replace=parsed.replace)
    if report is None:
        with Progress() as progress:
            result = run(
                corridor,
                scenario=parsed.scenario,
                years=years,
                options=options,
                out=parsed.out,
                replace=parsed.replace,
                language=language,
                progress=progress,
            )
        report = dict(result.report)
    if parsed.ladder is not None:
        _keep_ladder(parsed, parsed.out or RUNS_FOLDER / report["run_id"], language)
    if parsed.json:
        print_json(report)
    else:
        print("\n".join(summary_lines(report, words=Words(language, corridor.names.get(language, {})))))
    if not is_bundled():
        print("karvan: no page was written, as the screen's files are not in this installation; in a clone run `make ui`", file=sys.stderr)
    return 0


def _keep_ladder(parsed: argparse.Namespace, folder: Path, language: str) -> None:
    """The ladder of a run's baseline in its folder, climbed unless it is there already; what the run sets holds, its measures do not."""
    from karvan.results import load_run
    from karvan.study import ScenarioOptions, ladder
    from karvan.study.report import add_ladder

    kept = load_run(folder).ladder()
    if kept is not None and kept["to_mt"] == parsed.ladder:
        return
    options = ScenarioOptions(set_values=tuple(parsed.set_values), overlay=parsed.overlay, capacities=parsed.capacities)
    with Progress() as progress:
        found = ladder(corridor_of(parsed), to_mt=parsed.ladder, options=options, progress=progress)
        add_ladder(folder, found, language=language, corridor=parsed.corridor)


def _ladder(parsed: argparse.Namespace) -> int:
    from karvan.report import Words
    from karvan.report.rungs import ladder_lines
    from karvan.study import ladder

    corridor, language = corridor_of(parsed), language_of(parsed)
    words, options = Words(language, corridor.names.get(language, {})), options_of(parsed)
    with Progress() as progress:
        found = ladder(corridor, to_mt=parsed.to_mt, scenario=parsed.scenario, year=parsed.year, options=options, progress=progress)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(ladder_lines(found, words=words)))
    return 0


def _validate(parsed: argparse.Namespace) -> int:
    from karvan.report.comparison import validation_lines, validation_page, validation_picture
    from karvan.results import write_text_whole
    from karvan.study import validate

    page = None if parsed.page is None else _page(parsed.page, _VALIDATION_PAGE)
    with Progress() as progress:
        found = validate(corridor_of(parsed), progress=progress)
    if page is not None:
        picture = page.with_suffix(".svg")
        write_text_whole(picture, validation_picture(found))
        write_text_whole(page, validation_page(found, picture=picture.name))
    if parsed.json:
        print_json({**found, "page": None if page is None else str(page)})
    else:
        print("\n".join(validation_lines(found)))
        print(f"\nEvery value, with sources and reasons: {'karvan validate --page' if page is None else page}")
    return 0


def _commitments(parsed: argparse.Namespace) -> int:
    from karvan.report.promises import promise_lines, promises_page
    from karvan.results import write_text_whole
    from karvan.study import commitments

    if parsed.needed:
        return appraising.needed(parsed)
    page = None if parsed.page is None else _page(parsed.page, _PROMISES_PAGE)
    with Progress() as progress:
        tracked = commitments(corridor_of(parsed), progress=progress)
    if page is not None:
        write_text_whole(page, promises_page(tracked))
    if parsed.json:
        print_json({**tracked, "page": None if page is None else str(page)})
    else:
        print("\n".join(promise_lines(tracked, is_whole=parsed.all)))
        print(f"Promise by promise, with sources: {'karvan commitments --page' if page is None else page}")
    return 0


def _page(given: str, name: str) -> Path:
    """Where a page goes; told before any work if it cannot be written there."""
    page = Path(given) if given else (Path("docs") if Path("docs").is_dir() else Path()) / name
    if page.is_dir():
        raise DataError(Problem("--page", None, None, f"{page} is a folder, must be a file to write, such as {page / name}"))
    if not page.parent.is_dir():
        raise DataError(Problem("--page", None, None, f"there is no folder {page.parent}; make it or name another file"))
    return page


def _page_help(what: str, name: str) -> str:
    return f"write {what} (default: docs/{name}, or {name} where there is no folder docs)"


def _explain(parsed: argparse.Namespace) -> int:
    from karvan.report.provenance import explain_lines
    from karvan.results.store import load_run, newest_run
    from karvan.validation import explain

    corridor = corridor_of(parsed)
    saved = load_run(parsed.run) if parsed.run is not None else newest_run(corridor)
    answer = explain(corridor, parsed.id, table=parsed.table, saved=saved)
    if parsed.json:
        print_json(answer)
    else:
        print("\n".join(explain_lines(answer)))
    return 0


def _sources(parsed: argparse.Namespace) -> int:
    from karvan.report.provenance import sources_lines
    from karvan.validation import sources

    answer = sources(corridor_of(parsed), parsed.id)
    if parsed.json:
        print_json(answer)
    else:
        print("\n".join(sources_lines(answer, is_whole=parsed.is_whole)))
    return 0


def _check(parsed: argparse.Namespace) -> int:
    from karvan.study.checking import check_case

    problems = check_case(parsed.corridor)
    if parsed.json:
        print_json({"ok": not problems, "problems": [problem.as_dict() for problem in problems]})
    elif problems:
        raise DataError(problems)
    else:
        print(f"{parsed.corridor}: no problems found")
    return 2 if problems else 0


def _new(parsed: argparse.Namespace) -> int:
    from karvan.corridor import new_corridor

    folder = new_corridor(parsed.folder)
    if parsed.json:
        print_json({"folder": str(folder)})
    else:
        print(f"Made {folder}. Next: karvan check {folder}, then karvan run --corridor {folder}")
    return 0


def _calibrate(parsed: argparse.Namespace) -> int:
    from karvan.report.fit import fit_lines
    from karvan.study import calibrate
    from karvan.study.calibrate import write_fit

    with Progress() as progress:
        found = calibrate(corridor_of(parsed), progress=progress)
    if parsed.write:
        write_fit(found, parsed.corridor)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(fit_lines(found.as_dict())))
    return 0


def _check_run(parsed: argparse.Namespace) -> int:
    from karvan.report.checked import checked_lines
    from karvan.study.checking import check_saved

    checks = [check.as_dict() for check in check_saved(parsed.run, corridor=parsed.corridor)]
    is_passed = all(check["is_passed"] for check in checks)
    if parsed.json:
        print_json({"ok": is_passed, "run": str(parsed.run), "checks": checks})
    else:
        print("\n".join(checked_lines(str(parsed.run), checks)))
    return 0 if is_passed else 1


def _report(parsed: argparse.Namespace) -> int:
    from karvan.study.report import report

    found = report(
        parsed.run,
        against=parsed.against,
        out=parsed.out,
        is_printed=parsed.pdf,
        language=language_of(parsed),
        ladder=parsed.ladder,
        corridor=parsed.corridor,
    )
    if parsed.json:
        print_json(found)
    else:
        print("\n".join(found[name] for name in ("report", "pdf") if found[name] is not None))
    return 0


def _market(parsed: argparse.Namespace) -> int:
    from karvan.report.explained import market_lines
    from karvan.study import market

    corridor, options = corridor_of(parsed), options_of(parsed)
    with Progress() as progress:
        found = market(corridor, parsed.market, year=parsed.year, scenario=parsed.scenario, options=options, progress=progress)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(market_lines(found, has_pairs=parsed.pairs)))
    return 0


def _select_link(parsed: argparse.Namespace) -> int:
    from karvan.report.element import criticality_lines, element_lines
    from karvan.results import Criticality, ElementUse
    from karvan.study import criticality, select_link

    corridor, options, threads = corridor_of(parsed), options_of(parsed), os.cpu_count() or 1
    found: ElementUse | Criticality
    with Progress() as progress:
        if parsed.element is None:
            found = criticality(
                corridor, year=parsed.year, scenario=parsed.scenario, options=options, threads=threads, progress=progress
            )  # fmt: skip
        else:
            found = select_link(
                corridor, parsed.element, year=parsed.year, scenario=parsed.scenario, options=options, threads=threads, progress=progress
            )
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(criticality_lines(found) if isinstance(found, Criticality) else element_lines(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
