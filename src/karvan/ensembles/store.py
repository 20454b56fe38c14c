"""Where futures are kept: parts that are whole or not there, and what tells one ensemble from another."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from karvan.errors import DataError, Problem
from karvan.results.store import write_text_whole

MANIFEST = "ensemble.json"
_PARTS = "parts"
_PENDING = ".part"
_GATHER_FROM = 64
"""Small parts are gathered into one when there are so many."""
_LARGE_BYTES = 64_000_000
"""Parts of this size are left alone, so that gathering takes no more memory than a few of them."""


class FutureStore:
    """The folder of an ensemble.

    A part holds futures that are finished, whole: it is written under another name, flushed to the disk and moved into place. A future
    counts as finished once its part is there; one that stands in two parts, as gathering may leave it when it is killed, is read once.

    Args:
        folder: The folder.
        columns: Columns of its rows and their types.
    """

    def __init__(self, folder: Path, columns: Mapping[str, Any]) -> None:
        self.folder, self.columns = folder, dict(columns)
        self._parts = folder / _PARTS

    def open(self, ensemble_id: str, told: Mapping[str, Any]) -> None:
        """Make the folder, or go on in one of the same ensemble.

        Args:
            ensemble_id: The ensemble.
            told: What the folder says of it beside.

        Raises:
            DataError: The folder holds something else.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise DataError(Problem("--out", None, None, f"{self.folder} is a file, must be a folder"))
        kept = read_manifest(self.folder)
        if kept is None and self.folder.is_dir() and any(self.folder.iterdir()):
            raise DataError(Problem("--out", None, None, f"{self.folder} holds something that is no ensemble; name another folder"))
        if kept is not None and kept.get("ensemble_id") != ensemble_id:
            message = f"{self.folder} holds another ensemble ({kept.get('ensemble_id')}, this is {ensemble_id}); name another folder"
            raise DataError(Problem("--out", None, None, message))
        self._parts.mkdir(parents=True, exist_ok=True)
        for left in self._parts.glob(f"*{_PENDING}"):
            left.unlink(missing_ok=True)
        write_text_whole(self.folder / MANIFEST, json.dumps({"ensemble_id": ensemble_id, **told}, ensure_ascii=False, indent=1) + "\n")

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep finished futures, all of them or, if this is interrupted, none."""
        if rows:
            self._write(pl.DataFrame([dict(row) for row in rows], schema=self.columns))

    def finished(self) -> set[int]:
        """Numbers of the futures that are kept."""
        if not self._files():
            return set()
        return set(self.scan().select("future").collect()["future"].to_list())

    def scan(self) -> pl.LazyFrame:
        """Every future that is kept, unread as yet; in no order and, for a moment, perhaps twice."""
        files = self._files()
        return pl.scan_parquet(files) if files else pl.LazyFrame(schema=self.columns)

    def column(self, names: Sequence[str], *, first: int, where: pl.Expr | None = None) -> pl.DataFrame:
        """Some columns of the first futures, by future and plan, each once.

        Args:
            names: The columns.
            first: How many futures.
            where: Rows wanted.
        """
        wanted = self.scan().filter(pl.col("future") < first)
        if where is not None:
            wanted = wanted.filter(where)
        keys = [name for name in ("future", "plan") if name not in names]
        return wanted.select([*keys, *names]).collect().unique(["future", "plan"]).sort("future", "plan")

    def gather(self) -> None:
        """Put many small parts together."""
        files = self._files()
        if len(files) < _GATHER_FROM:
            return
        sizes = {path: path.stat().st_size for path in files}
        small = [path for path in sorted(files, key=lambda path: sizes[path])[: len(files) // 2 + 1] if sizes[path] < _LARGE_BYTES]
        if len(small) < 2:
            return
        self._write(pl.concat([pl.read_parquet(path) for path in small]).unique(["future", "plan"]).sort("future", "plan"))
        for path in small:
            path.unlink()

    def _files(self) -> list[Path]:
        return sorted(self._parts.glob("*.parquet"))

    def _write(self, frame: pl.DataFrame) -> None:
        name = f"{frame['future'].to_list()[0]:09d}-{uuid.uuid4().hex[:12]}.parquet"
        pending = self._parts / f".{name}{_PENDING}"
        with pending.open("wb") as opened:
            frame.write_parquet(opened)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(pending, self._parts / name)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What a folder says of its ensemble, None if it holds none."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(Problem(str(path), None, None, f"is no JSON: {error}")) from error
    return found
