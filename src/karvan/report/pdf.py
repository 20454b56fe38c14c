"""The report as PDF, printed by a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from karvan.errors import DataError, Problem

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--no-pdf-header-footer",
    "--run-all-compositor-stages-before-draw", "--virtual-time-budget=20000",
)  # fmt: skip
_PATIENCE_S = 180


def find_chromium() -> str:
    """The Chromium that the variable CHROMIUM names, or the first on PATH.

    Raises:
        DataError: There is none.
    """
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    wanted = f"CHROMIUM names {named}, which cannot be run" if named else "no Chromium was found on PATH"
    raise DataError(Problem("--pdf", None, None, f"{wanted}; install one, name it by CHROMIUM, or print report.html from a browser"))


def print_pdf(page: Path, out: Path, *, chromium: str) -> None:
    """Print a page.

    Args:
        page: The report.
        out: Where the PDF goes.
        chromium: Program to print with.

    Raises:
        DataError: The program failed.
    """
    with tempfile.TemporaryDirectory(prefix="karvan-pdf-") as folder:
        part = Path(folder) / "report.pdf"
        command = [chromium, *_OPTIONS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={part}", f"{page.resolve().as_uri()}#print"]
        try:
            told = subprocess.run(command, capture_output=True, timeout=_PATIENCE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DataError(Problem("--pdf", None, None, f"{chromium} could not print: {error}")) from error
        if told.returncode != 0 or not part.is_file():
            last = told.stderr.decode("utf-8", errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise DataError(Problem("--pdf", None, None, f"{chromium} could not print: {last[0]}"))
        shutil.move(part, out)
