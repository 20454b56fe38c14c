"""The report of saved runs: one page, or two runs held against each other; as PDF too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from karvan import __version__
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.exchange.workbook import workbook_bytes
from karvan.report import (
    appraisal_screen,
    compare_screens,
    crossings_screen,
    is_bundled,
    oil_screen,
    plan_screen,
    power_screen,
    render_answer,
    render_page,
    route_screen,
    screen,
    tariffs_screen,
    trade_screen,
)
from karvan.report.page import require_bundle
from karvan.report.pdf import find_chromium, print_pdf
from karvan.results import (
    RUNS_FOLDER,
    Appraisal,
    Dispatch,
    Ladder,
    Oil,
    PortfolioPlan,
    Queues,
    ShippingAnswer,
    Tariffs,
    Trade,
    load_ladder,
    save_ladder,
    write_text_whole,
)
from karvan.study.checking import reopened
from karvan.study.options import options_of
from karvan.study.run_crossings import with_crossings
from karvan.study.shipments import with_shipments
from karvan.study.used_capacities import laid_over


def screen_of_run(
    run: Path, *, corridor: str | None = None, ladder: Mapping[str, Any] | None = None, has_shipments: bool = True
) -> dict[str, Any]:
    """The screen's document of a run folder; see `docs/reference/screen.md`.

    Args:
        run: Run folder, or the id of a run in `karvan-runs`.
        corridor: Folder or name of its corridor; by default the packaged one that the run names.
        ladder: What `karvan ladder --json` printed; by default what the run folder holds of it.
        has_shipments: Answer the shipments that the case names, and simulate a month of ships where the run took simulated capacities, too.

    Raises:
        DataError: It is no run, or its corridor or measures are no longer those of the run.
    """
    folder = run_folder(run)
    saved, prepared = reopened(folder, corridor=corridor)
    document = screen(saved, prepared.corridor, ladder=ladder)
    if not has_shipments:
        return document
    options = options_of(saved.manifest, folder=folder)
    document = with_shipments(document, prepared.corridor, options, over=laid_over(saved))
    return with_crossings(document, saved, prepared.corridor, options)


def report(
    run: Path,
    *,
    against: Path | None = None,
    out: Path | None = None,
    is_printed: bool = False,
    language: str = "en",
    ladder: Path | None = None,
    corridor: str | None = None,
) -> dict[str, Any]:
    """Write the report of a run, or of two runs held against each other.

    Args:
        run: Run folder, or the id of a run in `karvan-runs`.
        against: The run it is held against.
        out: File to write; by default `report.html` in the run folder, or `against-<run id>.html` there.
        is_printed: Write a PDF beside it, too.
        language: Language the page opens in.
        ladder: File with what `karvan ladder --json` printed; by default the one in the run folder, if there is one.
        corridor: Folder or name of the runs' corridor; by default the packaged one that they name.

    Returns:
        `run_id`, `against` (a run id or None), `report`, `pdf` (path or None).

    Raises:
        DataError: Wrong input, no bundle of the screen in the installation, no Chromium for the PDF.
    """
    require_bundle()
    chromium = find_chromium() if is_printed else None
    ours = screen_of_run(run, corridor=corridor, ladder=None if ladder is None else load_ladder(ladder))
    theirs = None if against is None else screen_of_run(against, corridor=corridor, has_shipments=False)
    if theirs is not None and theirs["run"]["corridor"] != ours["run"]["corridor"]:
        message = f"{against} is a run of {theirs['run']['corridor']}, must be one of {ours['run']['corridor']}"
        raise DataError(Problem("--against", None, None, message))
    name = "report.html" if theirs is None else f"against-{theirs['run']['run_id']}.html"
    page = out or run_folder(run) / name
    _require_folder(page, "--out")
    comparison = None if theirs is None else compare_screens(ours, theirs)
    write_text_whole(page, render_page(ours, against=theirs, comparison=comparison, language=language))
    pdf = None
    if chromium is not None:
        pdf = page.with_suffix(".pdf")
        print_pdf(page, pdf, chromium=chromium)
    return {
        "run_id": ours["run"]["run_id"],
        "against": None if theirs is None else theirs["run"]["run_id"],
        "report": str(page),
        "pdf": None if pdf is None else str(pdf),
    }


def _appraised(found: Appraisal, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """With its workbook in it where the library that writes workbooks is installed."""
    return appraisal_screen(found, corridor, version=version, workbook=workbook_bytes(found))


_ANSWERS: Mapping[type, tuple[str, Callable[..., dict[str, Any]]]] = {
    ShippingAnswer: ("route", route_screen),
    Queues: ("crossings", crossings_screen),
    Dispatch: ("power", power_screen),
    Oil: ("oil", oil_screen),
    Tariffs: ("tariffs", tariffs_screen),
    Trade: ("trade", trade_screen),
    Appraisal: ("appraisal", _appraised),
    PortfolioPlan: ("plan", plan_screen),
}


def answer_report(
    found: ShippingAnswer | Queues | Dispatch | Oil | Tariffs | Trade | Appraisal | PortfolioPlan,
    corridor: Corridor,
    out: Path,
    *,
    language: str = "en",
) -> None:
    """Write the page of one answer.

    Args:
        found: What a verb gave: `route`, `simulate` with a month hour by hour, `dispatch`, `oil`, `tariffs`, `trade`, `appraise`, `plan`.
        corridor: The corridor that was asked about.
        out: File to write.
        language: Language the page opens in.

    Raises:
        DataError: There is no such folder, or no bundle of the screen in the installation.
    """
    require_bundle()
    _require_folder(out, "--report")
    kind, screen_of = _ANSWERS[type(found)]
    write_text_whole(out, render_answer(kind, screen_of(found, corridor, version=__version__), language=language))


def add_ladder(run: Path, ladder: Ladder, *, language: str = "en", corridor: str | None = None) -> None:
    """Keep a ladder in a run folder, and write the run's page again with it where the screen was built.

    Args:
        run: Run folder.
        ladder: The ladder.
        language: Language in which the page opens.
        corridor: Folder or name of the run's corridor; by default the packaged one that it names.
    """
    save_ladder(ladder, run)
    if is_bundled():
        write_text_whole(run / "report.html", render_page(screen_of_run(run, corridor=corridor), language=language))


def _require_folder(page: Path, option: str) -> None:
    if not page.parent.is_dir():
        raise DataError(Problem(option, None, None, f"there is no folder {page.parent}; make it or name another file"))


def run_folder(run: Path) -> Path:
    """A run folder by its path, or by the id of a run in `karvan-runs`."""
    is_id = not run.exists() and len(run.parts) == 1
    return RUNS_FOLDER / run if is_id else run
