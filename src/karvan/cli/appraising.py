"""`karvan appraise` and `karvan plan`."""

from __future__ import annotations

import argparse

from karvan.cli.asking import corridor_of, language_of, options_of
from karvan.cli.telling import Progress, print_json
from karvan.errors import DataError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `karvan appraise` beside those of a scenario: `--with` names the set."""
    parser.add_argument("--rate", metavar="ID", help="row of discount_rates (default: the case's economic rate)")
    parser.add_argument("--carbon", metavar="PATH", help="path of carbon_prices (default: the case's)")
    parser.add_argument("--sample", metavar="YEARS", help="years cleared with and without, A,B,C (default: openings, 2030, 2035 and 2040)")
    parser.add_argument("--no-members", action="store_true", help="do not put each measure in alone and take it out last")


def appraise(parsed: argparse.Namespace) -> int:
    """Appraise a set of measures."""
    from dataclasses import replace

    from karvan.report import Words
    from karvan.report.appraised import appraisal_lines
    from karvan.study.appraise import AppraisalOptions
    from karvan.study.appraise import appraise as appraised

    corridor, words = corridor_of(parsed), Words(language_of(parsed))
    how = AppraisalOptions(
        rate_id=parsed.rate, carbon_path=parsed.carbon, sample_years=_years(parsed.sample), has_members=not parsed.no_members
    )  # fmt: skip
    options = replace(options_of(parsed), with_measures=())
    with Progress() as progress:
        found = appraised(
            corridor, measures=parsed.with_measures, scenario=parsed.scenario, options=options, how=how, progress=progress
        )  # fmt: skip
    if parsed.json:
        print_json(found.as_dict())
    else:
        print("\n".join(appraisal_lines(found, words=words)))
    return 0


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
