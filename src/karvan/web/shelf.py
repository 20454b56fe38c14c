"""Saved runs of a folder: found, named, put away and taken back. Ids are looked up here; none becomes a path."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any

from karvan.corridor import Corridor
from karvan.errors import DataError
from karvan.results import LADDER_FILE, SavedRun, load_run, write_text_whole
from karvan.study.options import ScenarioOptions, laid_over, options_of
from karvan.web.asked import RUN_ID
from karvan.web.refused import not_found, refused

OWN_FOLDER = ".karvan"
"""Folder in the folder of runs that holds what the server writes beside them."""


@dataclass(frozen=True)
class _Found:
    """A run folder as it was when it was looked at.

    Attributes:
        folder: The folder.
        changed_ns: When its manifest was written.
        manifest: Its manifest.
        said: What the list of runs says from its report; the report itself is read when it is asked for.
    """

    folder: Path
    changed_ns: int
    manifest: Mapping[str, Any]
    said: Mapping[str, Any]


class RunShelf:
    """Runs in a folder.

    Args:
        folder: Folder of run folders.
        corridor: The corridor of the server.
    """

    def __init__(self, folder: Path, corridor: Corridor) -> None:
        self._folder = folder
        self._corridor = corridor
        self._guard = RLock()
        self._known: dict[Path, _Found | None] = {}
        self._stamps: dict[Path, int] = {}
        self._of_case: dict[str, bool] = {}
        self.sweep(None)

    @property
    def own_folder(self) -> Path:
        return self._folder / OWN_FOLDER

    @property
    def _trash(self) -> Path:
        return self.own_folder / "trash"

    def runs(self) -> list[dict[str, Any]]:
        """Saved runs, newest first."""
        return self._entries(self._folder)

    def trash(self) -> list[dict[str, Any]]:
        """Runs that were put away, newest first."""
        return self._entries(self._trash)

    def is_saved(self, run_id: str) -> bool:
        """Whether there is a run with this id."""
        return run_id in self._index(self._folder)

    def saved(self, run_id: str) -> SavedRun:
        """A run.

        Raises:
            Refused: There is none.
        """
        return load_run(self._found(run_id).folder)

    def stamp(self, run_id: str) -> int:
        """A number that changes when the run is written again, or gets a ladder."""
        found = self._found(run_id)
        ladder = found.folder / LADDER_FILE
        return max(found.changed_ns, ladder.stat().st_mtime_ns) if ladder.is_file() else found.changed_ns

    def entry(self, run_id: str) -> dict[str, Any]:
        """What is told of a run."""
        return self._entry(self._found(run_id), self._names())

    def rename(self, run_id: str, name: str) -> dict[str, Any]:
        """Give a run a name of its own."""
        self._found(run_id)
        with self._guard:
            names = {**self._names(), run_id: name}
            self.own_folder.mkdir(parents=True, exist_ok=True)
            write_text_whole(self.own_folder / "names.json", json.dumps(names, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        return self.entry(run_id)

    def put_away(self, run_id: str) -> None:
        """Move a run to the trash; one with the same id there is kept beside it."""
        with self._guard:
            folder = self._found(run_id).folder
            self._trash.mkdir(parents=True, exist_ok=True)
            target = self._trash / run_id
            number = 1
            while target.exists():
                number += 1
                target = self._trash / f"{run_id}-{number}"
            os.replace(folder, target)

    def take_back(self, run_id: str) -> dict[str, Any]:
        """Move a run out of the trash."""
        with self._guard:
            found = self._index(self._trash).get(run_id)
            if found is None:
                raise not_found("run in the trash", run_id)
            target = self._folder / run_id
            if target.exists():
                raise refused(409, f"there is a run {run_id} already; the one in the trash stays there", table="runs")
            os.replace(found.folder, target)
        return self.entry(run_id)

    def sweep(self, run_id: str | None) -> None:
        """Remove what a worker that died in the middle of writing has left: of one run, or all that is older than a day."""
        if not self._folder.is_dir():
            return
        oldest = datetime.now(UTC).timestamp() - 24 * 3600
        for path in self._folder.glob(".????????????-*"):
            is_ours = re.match(RUN_ID, path.name[1:13]) is not None and path.is_dir()
            if is_ours and (path.name[1:13] == run_id or (run_id is None and path.stat().st_mtime < oldest)):
                shutil.rmtree(path, ignore_errors=True)

    def options(self, run_id: str) -> ScenarioOptions:
        """With which options a run was made.

        Raises:
            Refused: It was made from other tables or measures than the server has, so that nothing can be computed for it.
        """
        found = self._found(run_id)
        if not self._is_of_this_case(found.manifest):
            message = f"run {run_id} was made from other tables or measures than {self._corridor.manifest.id} has now; run it again first"
            raise refused(409, message, table="runs")
        return options_of(found.manifest, folder=found.folder)

    def scenario(self, run_id: str) -> str:
        """The scenario of a run."""
        return str(self._found(run_id).manifest["scenario"])

    def corridor_of(self, run_id: str) -> Corridor:
        """The corridor that a run was made of, as far as the server has it: with the values that the run set."""
        found = self._found(run_id)
        try:
            return laid_over(self._corridor, options_of(found.manifest, folder=found.folder))[0]
        except DataError:
            return self._corridor

    def _found(self, run_id: str) -> _Found:
        found = self._index(self._folder).get(run_id)
        if found is None:
            raise not_found("run", run_id)
        return found

    def _is_of_this_case(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a run was made from the tables and measures that the server has."""
        run_id = str(manifest["run_id"])
        with self._guard:
            if run_id not in self._of_case:
                wanted = manifest.get("corridor_hash")
                is_it = wanted == self._corridor.hash
                given = manifest.get("options")
                if not is_it and isinstance(given, dict) and (given["set"] or given["overlay"] is not None):
                    is_it = wanted == self.corridor_of(run_id).hash
                self._of_case[run_id] = is_it
            return self._of_case[run_id]

    def _entries(self, place: Path) -> list[dict[str, Any]]:
        names = self._names()
        found = sorted(self._index(place).values(), key=lambda item: (item.changed_ns, item.folder.name), reverse=True)
        return [self._entry(item, names) for item in found]

    def _entry(self, found: _Found, names: Mapping[str, str]) -> dict[str, Any]:
        manifest = found.manifest
        run_id = str(manifest["run_id"])
        return {
            "run_id": run_id,
            "name": names.get(run_id) or _usual_name(manifest),
            "scenario": manifest["scenario"],
            "scenario_title": found.said["scenario_title"],
            "corridor": manifest["corridor"],
            "is_of_this_case": found.folder.parent == self._folder and self._is_of_this_case(manifest),
            "options": _shown_options(manifest.get("options")),
            "years": {"first": manifest["years"][0], "last": manifest["years"][-1]},
            "saved_at": datetime.fromtimestamp(found.changed_ns / 1e9, UTC).isoformat(timespec="seconds"),
            "headline": found.said["headline"],
            "last": found.said["last"],
            "seconds": found.said["seconds"],
        }

    def _index(self, place: Path) -> dict[str, _Found]:
        """Runs of a folder by id; what is no run is passed over, and of two with the same id the one in the folder of that name counts."""
        with self._guard:
            found: dict[str, _Found] = {}
            for folder in sorted(place.iterdir()) if place.is_dir() else []:
                item = None if folder.name.startswith(".") else self._look(folder)
                if item is None:
                    continue
                run_id = str(item.manifest["run_id"])
                if run_id not in found or folder.name == run_id:
                    found[run_id] = item
            return found

    def _look(self, folder: Path) -> _Found | None:
        try:
            changed = (folder / "manifest.json").stat().st_mtime_ns
        except OSError:
            return None
        if self._stamps.get(folder) != changed:
            self._known[folder] = _read(folder, changed)
            self._stamps[folder] = changed
        return self._known[folder]

    def _names(self) -> dict[str, str]:
        try:
            names = json.loads((self.own_folder / "names.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(names) if isinstance(names, dict) else {}


def _read(folder: Path, changed_ns: int) -> _Found | None:
    try:
        saved = load_run(folder)
        if re.match(RUN_ID, str(saved.manifest["run_id"])) is None:
            return None
        _ = saved.manifest["scenario"], saved.manifest["corridor"], saved.manifest["years"][0]
        last = saved.report["years"][-1]
        said = {key: saved.report[key] for key in ("scenario_title", "headline", "seconds")}
        said["last"] = {key: last[key] for key in ("year", "corridor_mt", "containers_teu", "crude_mt")}
    except (DataError, KeyError, IndexError, TypeError):
        return None
    return _Found(folder, changed_ns, saved.manifest, said)


def _shown_options(given: Any) -> Any:
    """Options as they are told: of a measure's file its name alone."""
    return {**given, "with": [Path(name).stem for name in given["with"]]} if isinstance(given, dict) else None


def _usual_name(manifest: Mapping[str, Any]) -> str:
    """The scenario, and what was laid over it."""
    given = manifest.get("options") or {}
    parts = [f"with {Path(name).stem}" for name in given.get("with", ())]
    parts += [f"without {name}" for name in given.get("without", ())]
    parts += list(given.get("set", ()))
    parts += ["simulated capacities"] if given.get("capacities") == "simulated" else []
    return ", ".join([str(manifest["scenario"]), *parts[:4], *(["..."] if len(parts) > 4 else [])])
