"""What ensembles have said, kept in their folders: an answer and its pages, found again by who lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from karvan.results.ensemble import EnsembleAnswer
from karvan.results.store import write_text_whole

ENSEMBLES_FOLDER = Path("karvan-ensembles")
ANSWER_FILE = "answer.json"
_ID = re.compile(r"[0-9a-f]{16}")


def keep_answer(folder: Path, found: EnsembleAnswer, pages: Mapping[str, str]) -> None:
    """Keep an answer in the folder of its futures, in place of an earlier one.

    Args:
        folder: The folder.
        found: The answer.
        pages: Its page by language.
    """
    for language, page in pages.items():
        write_text_whole(folder / _page(language), page)
    write_text_whole(folder / ANSWER_FILE, json.dumps(found.as_dict(), ensure_ascii=False) + "\n")


def kept_answers(folders: Iterable[Path], corridor_id: str) -> list[dict[str, Any]]:
    """Answers about a corridor that are kept in folders of folders, newest first; what cannot be read is left out.

    Args:
        folders: Folders that hold folders of ensembles.
        corridor_id: The corridor.

    Returns:
        For each: ensemble_id, corridor_id, kept_at, futures, wanted, stopped, failed_count, design, seed, plans, promises.
    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(path for folder in folders for path in folder.glob(f"*/{ANSWER_FILE}")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            kept_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            if told["corridor_id"] == corridor_id and _ID.fullmatch(told["ensemble_id"]):
                found[told["ensemble_id"]] = _entry(told, kept_at)
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return sorted(found.values(), key=lambda row: (row["kept_at"], row["ensemble_id"]), reverse=True)


def kept_page(folders: Iterable[Path], ensemble_id: str, language: str) -> bytes | None:
    """The page of an ensemble, English where there is none in the language; None if it is not there.

    Args:
        folders: See `kept_answers`.
        ensemble_id: The ensemble; looked for in answers, so that it never becomes a path.
        language: Of the page.
    """
    for path in sorted(path for folder in folders for path in folder.glob(f"*/{ANSWER_FILE}")):
        try:
            if json.loads(path.read_text(encoding="utf-8"))["ensemble_id"] == ensemble_id:
                pages = [path.with_name(_page(name)) for name in (language, "en")]
                return next((page.read_bytes() for page in pages if page.is_file()), None)
        except (OSError, ValueError, LookupError, TypeError):
            continue
    return None


def _page(language: str) -> str:
    return f"page.{language}.html"


def _entry(told: Mapping[str, Any], kept_at: str) -> dict[str, Any]:
    plain = ("ensemble_id", "corridor_id", "futures", "wanted", "stopped", "design", "seed", "promises")
    plans = list(dict.fromkeys(row["plan"] for row in told["distributions"]))
    failed = sum(row["count"] for row in told["failed"])
    return {**{name: told[name] for name in plain}, "plans": plans, "failed_count": failed, "kept_at": kept_at}
