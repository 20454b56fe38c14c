"""Which numbers rest on which source, and how much on none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dataframely as dy

from karvan.corridor import NOT_INPUTS, Corridor, columns_of, key_texts, nearest, unit_of
from karvan.errors import DataError, Problem
from karvan.measures import measures_of
from karvan.schema import CONFIDENCES

_RANGES = "default_ranges"


def sources(corridor: Corridor, source_id: str | None = None) -> dict[str, Any]:
    """Sources of a corridor with what rests on each, most used first; or everything that rests on one.

    Args:
        corridor: The corridor.
        source_id: The source; all of them by default.

    Returns:
        Without `source_id`: corridor, sources (source_id, title, url, published, rows with measures counted, single values, by_table),
        unused (ids), rows (count by confidence and by table), numbers (count of the numbers that people put in, and the share of each
        confidence). With it: source, rows, values and measures.

    Raises:
        DataError: There is no such source.
        MeasureError: A measure of the corridor is wrong.
    """
    return _all_sources(corridor) if source_id is None else _one_source(corridor, source_id)


def _all_sources(corridor: Corridor) -> dict[str, Any]:
    by_source: dict[str, dict[str, int]] = {name: {} for name in corridor.tables["sources"]["source_id"]}
    for table, frame in corridor.tables.items():
        if "source" in frame.columns and table != "provenance":
            for name in frame["source"]:
                by_source[name][table] = by_source[name].get(table, 0) + 1
    for measure in measures_of(corridor).values():
        by_source[measure.source]["measures"] = by_source[measure.source].get("measures", 0) + 1
    values = {str(name): int(count) for name, count in corridor.tables["provenance"].group_by("source").len().iter_rows()}
    entries = [
        {**row, "rows": sum(used.values()), "values": values.get(row["source_id"], 0), "by_table": _most_first(used)}
        for row, used in ((row, by_source[row["source_id"]]) for row in corridor.tables["sources"].iter_rows(named=True))
    ]
    entries.sort(key=lambda entry: (-entry["rows"] - entry["values"], entry["source_id"]))
    return {
        "corridor": corridor.manifest.id,
        "sources": entries,
        "unused": [entry["source_id"] for entry in entries if entry["rows"] + entry["values"] == 0],
        "rows": _rows_by_confidence(corridor),
        "numbers": _numbers_by_confidence(corridor),
    }


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _rows_by_confidence(corridor: Corridor) -> dict[str, Any]:
    by_table = {}
    for table, frame in corridor.tables.items():
        if table != "provenance" and "confidence" in frame.columns and frame.height:
            counts = {str(name): int(count) for name, count in frame.group_by("confidence").len().iter_rows()}
            by_table[table] = {"count": frame.height, **{name: counts.get(name, 0) for name in CONFIDENCES}}
    return {
        "count": sum(counts["count"] for counts in by_table.values()),
        **{name: sum(counts[name] for counts in by_table.values()) for name in CONFIDENCES},
        "by_table": by_table,
    }


def _numbers_by_confidence(corridor: Corridor) -> dict[str, Any]:
    """Numbers in the input tables (ranges are not counted), each with its own confidence or else that of its row."""
    counts = dict.fromkeys(CONFIDENCES, 0)
    own = {(row["table"], row["row"], row["column"]): row["confidence"] for row in corridor.tables["provenance"].iter_rows(named=True)}
    for table, frame in corridor.tables.items():
        columns = [name for name, declared in columns_of(table).items() if isinstance(declared, dy.Float64)]
        if table in NOT_INPUTS or table == _RANGES or not columns:
            continue
        singles = {key for key in own if key[0] == table}
        confidences = frame["confidence"].to_list()
        keys = key_texts(table, frame) if singles else []
        for column in columns:
            for place, (value, confidence) in enumerate(zip(frame[column].to_list(), confidences, strict=True)):
                if value is not None:
                    counts[own.get((table, keys[place], column), confidence) if singles else confidence] += 1
    total = sum(counts.values())
    return {"count": total, **{f"{name}_share": counts[name] / total if total else 0.0 for name in CONFIDENCES}}


def _one_source(corridor: Corridor, source_id: str) -> dict[str, Any]:
    known = {row["source_id"]: row for row in corridor.tables["sources"].iter_rows(named=True)}
    if source_id not in known:
        raise DataError(Problem("sources", None, None, f"there is no source {source_id}{nearest(source_id, known)}"))
    return {
        "corridor": corridor.manifest.id,
        "source": known[source_id],
        "rows": list(_rows_on(corridor, source_id)),
        "values": list(_values_on(corridor, source_id)),
        "measures": [
            {"measure_id": item.id, "title": item.title, "confidence": item.confidence}
            for item in measures_of(corridor).values()
            if item.source == source_id
        ],
    }


def _rows_on(corridor: Corridor, source_id: str) -> Iterator[dict[str, Any]]:
    for table, frame in corridor.tables.items():
        if "source" in frame.columns and table != "provenance":
            chosen = frame.filter(frame["source"] == source_id)
            shown = next((column for column in ("name", "title") if column in frame.columns), None)
            for key, row in zip(key_texts(table, chosen), chosen.iter_rows(named=True), strict=True):
                yield {"table": table, "row": key, "name": row[shown] if shown else None, "confidence": row["confidence"]}


def _values_on(corridor: Corridor, source_id: str) -> Iterator[dict[str, Any]]:
    chosen = corridor.tables["provenance"].filter(corridor.tables["provenance"]["source"] == source_id)
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for item in chosen.iter_rows(named=True):
        table, column = item["table"], item["column"]
        if table not in rows:
            frame = corridor.tables[table]
            rows[table] = dict(zip(key_texts(table, frame), frame.iter_rows(named=True), strict=True))
        row = rows[table][item["row"]]
        is_number = isinstance(columns_of(table)[column], dy.Float64 | dy.Int64)
        yield {
            "table": table,
            "row": item["row"],
            "column": column,
            "value": row[column] if is_number else str(row[column]),
            "unit": unit_of(table, column, row),
            "confidence": item["confidence"],
            "low": item["low"],
            "high": item["high"],
            "note": item["note"],
        }
