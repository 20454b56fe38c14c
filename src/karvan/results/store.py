"""Run folders: written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.results.ladder import Ladder
from karvan.results.run import Run

_FOLDER_MODE = 0o755  # temporary folders are private by default, runs are for others to read
RUNS_FOLDER = Path("karvan-runs")
"""Where runs are saved unless a folder is named."""
FRAMES = ("facilities", "crossings", "families", "blocks", "links", "operators", "regions", "components")
"""Frames of every year of a run; `case` tells scenario, baseline, low and high apart."""
LEDGER = (
    "route_steps", "routes", "route_costs", "path_sizes", "route_flows", "market_results", "row_results", "empty_flows",
)  # fmt: skip
"""Frames that let a run be checked without computing it again."""
LADDER_FILE = "ladder.json"
"""The ladder of a run, if it was asked for."""


def load_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run folder, or None where there is none that can be read."""
    try:
        content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@dataclass(frozen=True)
class SavedRun:
    """A run folder read back.

    Attributes:
        folder: The folder.
        manifest: Versions, hashes, options and timings.
        report: What `report.json` holds.
    """

    folder: Path
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]

    def frame(self, name: str, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """One of FRAMES or LEDGER, every scenario, growth and year of it; some or all of its columns.

        Raises:
            DataError: Its file is missing or broken.
        """
        try:
            return pl.read_parquet(self.folder / f"{name}.parquet", columns=None if columns is None else list(columns))
        except (OSError, pl.exceptions.PolarsError) as error:
            message = f"{self.folder / name}.parquet cannot be read; run again with --replace, or name another run"
            raise DataError(Problem("run folder", None, None, message)) from error

    def ladder(self) -> dict[str, Any] | None:
        """What `karvan ladder --json` prints, if the folder holds it, else None.

        Raises:
            DataError: Its file is broken.
        """
        path = self.folder / LADDER_FILE
        return load_ladder(path) if path.is_file() else None


def load_ladder(path: Path) -> dict[str, Any]:
    """A ladder from a file with what `karvan ladder --json` prints.

    Raises:
        DataError: The file cannot be read, or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(Problem("ladder", None, None, f"{path} cannot be read as JSON: {error}")) from error
    if not isinstance(found, dict) or not {"as_is", "relieved", "year", "scenario_id", "to_mt"} <= set(found):
        raise DataError(Problem("ladder", None, None, f"{path} must hold what `karvan ladder --json` prints"))
    return found


def save_ladder(ladder: Ladder, folder: Path) -> None:
    """Write a ladder into a run folder, whole or not at all."""
    text = json.dumps(ladder.as_dict(), ensure_ascii=False, indent=1, allow_nan=False)
    write_text_whole(folder / LADDER_FILE, text + "\n")


def load_run(folder: Path) -> SavedRun:
    """Read a run folder.

    Raises:
        DataError: It is not a run.
    """
    manifest = load_manifest(folder)
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        report = None
    if manifest is None or not isinstance(report, dict):
        message = f"{folder} is not a run, must be a folder with manifest.json and report.json, as `karvan run` writes"
        raise DataError(Problem("run folder", None, None, message))
    return SavedRun(folder, manifest, report)


def newest_run(corridor: Corridor, *, place: Path = RUNS_FOLDER) -> SavedRun | None:
    """The run of a corridor that was saved last, or None.

    Args:
        corridor: The corridor, all of whose content must be that of the run.
        place: Folder of run folders.
    """
    found = []
    for manifest in place.glob("*/manifest.json"):
        if (load_manifest(manifest.parent) or {}).get("corridor_hash") == corridor.hash and (manifest.parent / "report.json").is_file():
            found.append((manifest.stat().st_mtime, manifest.parent))
    return load_run(max(found)[1]) if found else None


def existing_run(folder: Path, run_id: str, *, replace: bool) -> dict[str, Any] | None:
    """The saved report if the folder holds this very run; None if the folder is free to be written.

    Raises:
        DataError: Something else is there and `replace` is false, or what is there is not a run.
    """
    if not folder.exists():
        return None
    manifest = load_manifest(folder) if folder.is_dir() else None
    if manifest is None:
        if folder.is_dir() and not any(folder.iterdir()):
            return None
        raise DataError(Problem("run folder", None, None, f"{folder} exists and is not a run; choose another --out"))
    if replace:
        return None
    if manifest.get("run_id") != run_id:
        message = f"{folder} holds another run ({manifest.get('run_id')}); add --replace or choose another --out"
        raise DataError(Problem("run folder", None, None, message))
    saved = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return dict(saved)


def save_run(
    run: Run,
    folder: Path,
    *,
    manifest: Mapping[str, Any],
    page: Callable[[SavedRun], str] | None = None,
    ledger: Mapping[str, pl.DataFrame] | None = None,
    check: Callable[[SavedRun], None] | None = None,
) -> None:
    """Write a run folder under a temporary name beside its place, then move it there.

    Args:
        run: The run.
        folder: Where it goes; an existing run there is replaced.
        manifest: Versions, hashes, options and timings.
        page: Gives the report page from the folder before it is moved into place; None writes no page.
        ledger: LEDGER frames by name.
        check: Called with the folder before it is moved into place; what it raises keeps the run from being written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    temporary.chmod(_FOLDER_MODE)
    try:
        for name in FRAMES:
            cases = {"scenario": run.scenario, "baseline": run.baseline, "low": run.low, "high": run.high}
            frames = [outlook.frame(name).select(pl.lit(case).alias("case"), pl.all()) for case, outlook in cases.items()]
            pl.concat(frames).write_parquet(temporary / f"{name}.parquet")
        for name, frame in (ledger or {}).items():
            frame.write_parquet(temporary / f"{name}.parquet")
        legs = [frame.select(pl.lit(name).alias("scenario_id"), pl.all()) for name, frame in run.journeys.items()]
        pl.concat(legs).write_parquet(temporary / "journeys.parquet")
        write_json(temporary / "report.json", run.report)
        write_json(temporary / "manifest.json", manifest)
        saved = SavedRun(temporary, manifest, run.report)
        if check is not None:
            check(saved)
        if page is not None:
            (temporary / "report.html").write_text(page(saved), encoding="utf-8", newline="\n")
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
            os.replace(folder, old / folder.name)
            os.replace(temporary, folder)
            shutil.rmtree(old)
        else:
            os.replace(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def write_text_whole(path: Path, text: str) -> None:
    """Write a text file under a temporary name beside its place, then move it there."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON in UTF-8 with Unix line ends; numbers must be finite."""
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
