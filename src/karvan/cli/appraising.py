"""`karvan appraise` and `karvan plan`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from karvan.cli.asking import corridor_of, language_argument, language_of, options_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem

if TYPE_CHECKING:
    from karvan.appraisal import SectorLimit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan appraise` beside those of a scenario: `--with` names the set."""
    parser.add_argument("--rate", metavar="ID", help="row of discount_rates (default: the case's economic rate)")
    parser.add_argument("--carbon", metavar="PATH", help="path of carbon_prices (default: the case's)")
    parser.add_argument("--sample", metavar="YEARS", help="years cleared with and without, A,B,C (default: openings, 2030, 2035 and 2040)")
    parser.add_argument("--xlsx", type=Path, metavar="FILE", help="write a workbook with live formulas, too")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")
    parser.add_argument(
        "--answers", metavar="NAMES", help="what answers in every year beside delays: trade, tariffs or trade,tariffs (default: none)"
    )  # fmt: skip
    parser.add_argument("--no-members", action="store_true", help="do not put each measure in alone and take it out last")


def appraise(parsed: argparse.Namespace) -> int:
    """Appraise a set of measures."""
    from dataclasses import replace

    from karvan.exchange.workbook import write_workbook
    from karvan.report import Words
    from karvan.report.appraised import appraisal_lines
    from karvan.study.appraise import AppraisalOptions
    from karvan.study.appraise import appraise as appraised
    from karvan.study.report import answer_report

    corridor, words = corridor_of(parsed), Words(language_of(parsed))
    how = AppraisalOptions(
        rate_id=parsed.rate, carbon_path=parsed.carbon, sample_years=_years(parsed.sample), has_members=not parsed.no_members,
        answers=_answers(parsed.answers),
    )  # fmt: skip
    options = replace(options_of(parsed), with_measures=())
    with Progress() as progress:
        found = appraised(
            corridor, measures=parsed.with_measures, scenario=parsed.scenario, options=options, how=how, progress=progress
        )  # fmt: skip
    if parsed.xlsx is not None:
        write_workbook(found, parsed.xlsx)
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=words.language)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(appraisal_lines(found, words=words)))
    return 0


def _answers(text: str | None) -> tuple[str, ...]:
    known = ("trade", "tariffs")
    found = () if text is None else tuple(text.split(","))
    if any(name not in known for name in found) or len(set(found)) != len(found):
        raise DataError(Problem("--answers", None, None, f"is {text}, must be trade, tariffs or trade,tariffs"))
    return tuple(name for name in known if name in found)


def _years(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(Problem("--sample", None, None, f"{text} must be years joined by commas, such as 2028,2030,2040")) from error
    if list(found) != sorted(set(found)):
        raise DataError(Problem("--sample", None, None, f"{text} must be rising years, each once"))
    return found


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan plan` beside those of a scenario."""
    parser.add_argument(
        "--budget", action="append", default=[], metavar="FUND=MUSD[/year]",
        help="what a fund has, million USD, at first or in each year; repeatable (default: as the case has it)",
    )  # fmt: skip
    parser.add_argument(
        "--sector", action="append", default=[], metavar="FUND:SECTORS=LEAST..MOST",
        help="part of a fund's spending that must and may go to sectors, such as socar_mechanism:power+oil=0.5..; repeatable",
    )  # fmt: skip
    parser.add_argument("--to", type=int, default=2035, metavar="Y", help="last year of starts (default: %(default)s)")
    parser.add_argument("--rate", metavar="ID", help="row of discount_rates (default: the case's economic rate)")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="choose among these measures; repeatable (default: all)")
    parser.add_argument("--gap", type=float, default=1e-3, metavar="G", help="part by which the best may be better (default: %(default)g)")
    parser.add_argument("--count", type=int, metavar="N", help="portfolios told, the best first (default: 3, with --full 20)")
    parser.add_argument("--sample", metavar="YEARS", help="years in which the market is solved, A,B,C (default: 2030, 2035 and 2040)")
    parser.add_argument(
        "--full",
        action="store_true",
        help="tell the portfolios in the full loop, too: routes and delays found anew, trade and tariffs answering",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of it, for any browser, offline")
    parser.add_argument(
        "--objective", choices=("welfare", "fund"), default="welfare", help="welfare of all, or cash of the funds (default: %(default)s)"
    )  # fmt: skip
    parser.add_argument("--least-cover", type=float, metavar="X", help="with --objective fund: take no project with a debt cover below")
    parser.add_argument("--no-more", action="store_true", help="do not tell what 10%% more for each fund is worth")


def plan(parsed: argparse.Namespace) -> int:
    """Choose what to build when."""
    from karvan.report import Words
    from karvan.report.planned import plan_lines
    from karvan.study.plan import PlanOptions
    from karvan.study.plan import plan as planned
    from karvan.study.report import answer_report

    if not 0.0 < parsed.gap < 1.0:
        raise DataError(Problem("--gap", None, None, f"is {parsed.gap:g}, must be above 0 and below 1"))
    count = parsed.count if parsed.count is not None else 20 if parsed.full else 3
    if count < 1:
        raise DataError(Problem("--count", None, None, f"is {count}, must be 1 or more"))
    corridor, words = corridor_of(parsed), Words(language_of(parsed))
    usual = PlanOptions()
    how = PlanOptions(
        to_year=parsed.to, rate_id=parsed.rate, sample_years=_years(parsed.sample) or usual.sample_years, only=tuple(parsed.only),
        gap=parsed.gap, count=count, has_more=not parsed.no_more, has_full=parsed.full,
        objective=parsed.objective, least_cover=parsed.least_cover, sectors=_sectors(parsed.sector),
    )  # fmt: skip
    with Progress() as progress:
        found = planned(
            corridor, budgets=_budgets(parsed.budget), scenario=parsed.scenario, options=options_of(parsed), how=how, progress=progress
        )  # fmt: skip
    if parsed.report is not None:
        answer_report(found, corridor, parsed.report, language=words.language)
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(plan_lines(found, words=words)))
    return 0


def _sectors(given: Sequence[str]) -> tuple[SectorLimit, ...]:
    """Limits of sectors."""
    from karvan.appraisal import SectorLimit

    found = []
    for text in given:
        fund, colon, rest = text.partition(":")
        names, sign, shares = rest.partition("=")
        least, dots, most = shares.partition("..")
        try:
            low, high = float(least or 0.0), float(most or 1.0)
        except ValueError:
            low, high = 1.0, 0.0
        if not fund or not colon or not names or not sign or not dots or not 0.0 <= low <= high <= 1.0:
            message = (
                f"{text} must read FUND:SECTORS=LEAST..MOST, shares from 0 to 1, such as socar_mechanism:power+oil=0.5.. for at least half"
            )
            raise DataError(Problem("--sector", None, None, message))
        found.append(SectorLimit(fund, tuple(names.split("+")), low, high))
    return tuple(found)


def _budgets(given: Sequence[str]) -> dict[str, tuple[float, bool]]:
    """Million USD by fund, and whether in each year."""
    found: dict[str, tuple[float, bool]] = {}
    for text in given:
        name, sign, amount = text.partition("=")
        number, slash, word = amount.partition("/")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not sign or not 0.0 <= value < 1e6 or (slash and word != "year") or name in found:
            message = f"{text} must read FUND=MUSD or FUND=MUSD/year, such as aih_fund=300 or socar_mechanism=60/year, each fund once"
            raise DataError(Problem("--budget", None, None, message))
        found[name] = (value, bool(slash))
    return found


def add_needed_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan commitments` about what promises need."""
    parser.add_argument("--needed", action="store_true", help="tell the fewest and the cheapest measures that meet each promise not met")
    parser.add_argument("--scenario", metavar="ID", help="with --needed: beyond this scenario (default: the headline scenario)")
    parser.add_argument("--most", type=int, default=2, metavar="N", help="with --needed: most measures in a set (default: %(default)s)")
    language_argument(parser, "with --needed: language of what is printed")


def needed(parsed: argparse.Namespace) -> int:
    """Tell what promises that are not met need."""
    from karvan.report import Words
    from karvan.report.planned import needed_lines
    from karvan.study.needed import needed as searched

    if not 1 <= parsed.most <= 6:
        raise DataError(Problem("--most", None, None, f"is {parsed.most}, must be from 1 to 6"))
    corridor, language = corridor_of(parsed), language_of(parsed)
    words = Words(language, corridor.names.get(language, {}))
    with Progress() as progress:
        found = searched(corridor, scenario=parsed.scenario, most=parsed.most, progress=progress)
    if parsed.json:
        print_json(found)
    else:
        print("\n".join(needed_lines(found, words=words)))
    return 0
