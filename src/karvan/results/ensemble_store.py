"""What ensembles have said, kept in their folders: answers, found again by who lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from karvan.results.ensemble import EnsembleAnswer
from karvan.results.store import write_text_whole

ENSEMBLES_FOLDER = Path("karvan-ensembles")
ANSWER_FILE = "answer.json"
_ID = re.compile(r"[0-9a-f]{16}")
_KEYS = {item.name for item in fields(EnsembleAnswer)}


def keep_answer(folder: Path, found: EnsembleAnswer) -> None:
    """Keep an answer in the folder of its futures, in place of an earlier one.

    Args:
        folder: The folder.
        found: The answer.
    """
    write_text_whole(folder / ANSWER_FILE, json.dumps(found.as_dict(), ensure_ascii=False) + "\n")


def kept_answers(folders: Iterable[Path], corridor_id: str) -> list[dict[str, Any]]:
    """Answers about a corridor that are kept in folders of folders, newest first; what cannot be read is left out.

    Args:
        folders: Folders that hold folders of ensembles.
        corridor_id: The corridor.

    Returns:
        For each: ensemble_id, corridor_id, kept_at, futures, wanted, stopped, failed_count, design, seed, plans, promises.
    """
    found = {told["ensemble_id"]: _entry(told, kept_at) for told, kept_at in _answers(folders, corridor_id)}
    return sorted(found.values(), key=lambda row: (row["kept_at"], row["ensemble_id"]), reverse=True)


def kept_answer(folders: Iterable[Path], ensemble_id: str, corridor_id: str) -> dict[str, Any] | None:
    """An answer about a corridor as it was kept; None if it is not there.

    Args:
        folders: See `kept_answers`.
        ensemble_id: The ensemble; looked for in answers, so that it never becomes a path.
        corridor_id: The corridor.
    """
    return next((told for told, _ in _answers(folders, corridor_id) if told["ensemble_id"] == ensemble_id), None)


def _answers(folders: Iterable[Path], corridor_id: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Whole answers about a corridor and when each was kept; an answer of an earlier version that says less is none."""
    for path in sorted(path for folder in folders for path in folder.glob(f"*/{ANSWER_FILE}")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if told["corridor_id"] == corridor_id and _ID.fullmatch(told["ensemble_id"]) and told.keys() >= _KEYS:
                yield told, datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue


def _entry(told: Mapping[str, Any], kept_at: str) -> dict[str, Any]:
    plain = ("ensemble_id", "corridor_id", "futures", "wanted", "stopped", "design", "seed", "promises")
    plans = list(dict.fromkeys(row["plan"] for row in told["distributions"]))
    failed = sum(row["count"] for row in told["failed"])
    return {**{name: told[name] for name in plain}, "plans": plans, "failed_count": failed, "kept_at": kept_at}
