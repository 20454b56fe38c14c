"""The nouns: a corridor as written, and as it stands in one year."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

import polars as pl

from karvan.corridor.manifest import Manifest
from karvan.corridor.tables import TABLES
from karvan.markup import html_paragraphs, html_table

_TRANSLATIONS = "translations"


@dataclass(frozen=True)
class Corridor:
    """A checked corridor folder.

    Attributes:
        manifest: What the corridor is.
        tables: Frame of each declared table by name, columns in declared order; an absent optional table has no rows. Read only.
        measures_text: YAML text of each measure file by its stem.
        scenarios_text: YAML text of each scenario file by its stem.
        defaults_filled: One row for each value that was left empty and took its declared default: table, row (primary key), column,
            value as text.
    """

    manifest: Manifest
    tables: Mapping[str, pl.DataFrame]
    measures_text: Mapping[str, str]
    scenarios_text: Mapping[str, str]
    defaults_filled: pl.DataFrame

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content. The order of rows, files and manifest keys, the kind of line ends, and translations do not matter."""
        digest = hashlib.sha256()

        def add(*parts: Any) -> None:
            digest.update(json.dumps(parts, ensure_ascii=False, default=str).encode("utf-8"))

        add("manifest", sorted(self.manifest.model_dump(mode="json").items()))
        for name in sorted(set(self.tables) - {_TRANSLATIONS}):
            frame = self.tables[name]
            columns = sorted(frame.columns)
            add(name, columns, frame.sort(TABLES[name].primary_key()).select(columns).rows())
        for kind, texts in (("measures", self.measures_text), ("scenarios", self.scenarios_text)):
            for name in sorted(texts):
                add(kind, name, [line.rstrip() for line in texts[name].splitlines()])
        return digest.hexdigest()

    @cached_property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """What the case's texts are called in other languages, by language and English text."""
        found: dict[str, dict[str, str]] = {}
        for language, english, translation in (
            self.tables[_TRANSLATIONS].select(pl.col("language").cast(pl.String), "english", "translation").iter_rows()
        ):
            found.setdefault(language, {})[english] = translation
        return MappingProxyType(found)

    def __reduce__(self) -> tuple[Any, ...]:
        """How it goes to another process: read-only views do not travel, what they show does."""
        texts = (dict(self.measures_text), dict(self.scenarios_text))
        return (_arrived, (self.manifest, dict(self.tables), *texts, self.defaults_filled))

    def _repr_html_(self) -> str:
        """What a notebook shows: what the case is, and how many rows each of its tables has."""
        manifest = self.manifest
        told = [
            f"{manifest.title} ({manifest.id} {manifest.version}), base year {manifest.base_year}, facts until {manifest.facts_until}.",
            f"Scenarios: {', '.join(sorted(self.scenarios_text))}. Measures: {len(self.measures_text)}.",
        ]
        rows = [(name, f"{frame.height:,}") for name, frame in self.tables.items() if not frame.is_empty()]
        return html_paragraphs(told) + html_table("Tables", ["table", "rows"], rows)


def _arrived(
    manifest: Manifest,
    tables: dict[str, pl.DataFrame],
    measures_text: dict[str, str],
    scenarios_text: dict[str, str],
    defaults_filled: pl.DataFrame,
) -> Corridor:
    """A corridor that came from another process."""
    return Corridor(
        manifest, MappingProxyType(tables), MappingProxyType(measures_text), MappingProxyType(scenarios_text), defaults_filled
    )  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """A corridor as a scenario leaves it in one period.

    Attributes:
        year: Calendar year.
        period_start: First day of the period.
        period_end: First day after the period.
        state_date: Day whose state holds for all that is not prorated.
        tables: Frame of each declared table by name. Read only.
        links_open_at_end: Links open on the last day of the period.
        corridor_hash: Hash of the corridor it was made from.
        scenario_id: The scenario.
    """

    year: int
    period_start: date
    period_end: date
    state_date: date
    tables: Mapping[str, pl.DataFrame]
    links_open_at_end: frozenset[str]
    corridor_hash: str
    scenario_id: str

    @cached_property
    def digests(self) -> Mapping[str, bytes]:
        """Digest of the rows of each table, in their order."""
        return {name: rows_digest(frame) for name, frame in self.tables.items()}


def rows_digest(frame: pl.DataFrame) -> bytes:
    """Digest of the rows of a frame, in their order; good for as long as the library that hashes a row stays the same."""
    return hashlib.blake2b(frame.hash_rows(seed=7).to_numpy().tobytes(), digest_size=16).digest()
