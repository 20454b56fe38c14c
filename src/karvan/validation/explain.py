"""Where a number comes from, how far to trust it, and what rests on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from karvan.corridor import TABLES, Corridor, columns_of, metadata_of, nearest, unit_of
from karvan.errors import DataError, Problem
from karvan.measures import Change, Measure
from karvan.measures.measure import parse_record
from karvan.results import SavedRun
from karvan.validation.findings import findings_of
from karvan.validation.names import MEASURES, SCENARIOS, Match, matches_of, unknown_text
from karvan.validation.references import NAMED_IN, References, references_of

_EVIDENCE_OF_ROW = ("source", "confidence")
_NAMED_IN_MANIFEST = {
    "history": SCENARIOS,
    "baseline": SCENARIOS,
    "headline_scenario": SCENARIOS,
    "headline_cordon": "cordons",
    "crude_commodity": "commodities",
}
_MEASURE_DOCS = {
    "title": "What it is.",
    "from_date": "First day in force.",
    "until_date": "First day no longer in force.",
    "ramp_years": "Years over which its changes grow in.",
    "status": "Where it stands.",
    "is_operating": "Needs no building.",
    "is_date_estimate": "Its date is ours.",
    "capital_musd": "What it costs to build.",
    "running_musd_per_year": "What it costs to run.",
    "shares": "Who pays which share.",
    "requires": "Measures it needs.",
    "excludes": "Measures it cannot stand beside.",
}
_MEASURE_UNITS = {"ramp_years": "years", "capital_musd": "M USD", "running_musd_per_year": "M USD/year"}


def explain(
    corridor: Corridor, name: str, *, table: str | None = None, saved: SavedRun | None = None, references: References | None = None
) -> dict[str, Any]:
    """Everything known of what an id names.

    Args:
        corridor: The corridor.
        name: Key of a row (several parts joined by '|', or their first part where it stands for a group of rows), table.key,
            table.key.column, id of a measure or scenario, or another name of a row: an alias, a UN/LOCODE, the name to show.
        table: Only rows of this table; `measures` and `scenarios` count as tables.
        saved: A run whose results are told.
        references: What `references_of` gave, where many ids are explained.

    Returns:
        id and matches, one for each table that has such a row; see `docs/reference/commands.md`.

    Raises:
        DataError: Nothing has that name; the message names the nearest.
        MeasureError: A measure or scenario of the corridor is wrong.
    """
    known = references or references_of(corridor)
    if table is not None and table not in (*TABLES, MEASURES, SCENARIOS):
        hint = nearest(table, (*TABLES, MEASURES, SCENARIOS)) or f"; tables are {', '.join(TABLES)}, {MEASURES}, {SCENARIOS}"
        raise DataError(Problem("--table", None, None, f"there is no table {table}{hint}"))
    tables = (*TABLES, MEASURES, SCENARIOS) if table is None else (table,)
    matches = matches_of(known, name.strip(), tables)
    if not matches:
        raise DataError(Problem(table or "corridor", None, None, unknown_text(known, name, tables)))
    return {"id": name, "matches": [_explained(known, match, saved) for match in matches]}


def _explained(known: References, match: Match, saved: SavedRun | None) -> dict[str, Any]:
    if match.table == MEASURES:
        row: Mapping[str, Any] = {"id": match.name}
        answer = _explained_measure(known, known.measures[match.name])
    elif match.table == SCENARIOS:
        row = {"id": match.name}
        answer = _explained_scenario(known, match.name)
    else:
        row = known.rows[match.table][match.keys[0]]
        answer = _explained_rows(known, match)
    answer["results"] = None if saved is None else findings_of(match.table, row, saved, corridor_hash=known.corridor.hash)
    return answer


def _explained_rows(known: References, match: Match) -> dict[str, Any]:
    table, rows = match.table, [known.rows[match.table][key] for key in match.keys]
    values = [value for key in match.keys for value in _values(known, table, key, match.column)]
    named = dict.fromkeys(value["source"] for value in values if value["source"] is not None)
    if table == "sources":
        named[match.name] = None
    title = rows[0].get("name") or rows[0].get("title")
    return {
        "table": table,
        "row": match.name,
        "column": match.column,
        "title": title,
        "doc": " ".join((TABLES[table].__doc__ or "").split()),
        "rows": list(match.keys),
        "added_by": sorted({measure for key in match.keys for measure in known.added_by.get((table, key), ())}),
        "values": values,
        "sources": _sources(known, named),
        "referred_by": list(_referred_by(known, match)),
        "facilities": _facilities(known, match),
        "measures": _measures(known, match),
        "scenarios": [],
        "changes": [],
    }


def _values(known: References, table: str, key: str, only: str | None) -> Iterator[dict[str, Any]]:
    row = known.rows[table][key]
    for column in columns_of(table):
        if only not in (None, column) or (only is None and column in _EVIDENCE_OF_ROW):
            continue
        own = known.ranges.single.get((table, key, column))
        trusted = row if own is None else own
        confidence = trusted.get("confidence")
        span = known.ranges.of(table, key, column, value=row[column], confidence=row.get("confidence") or "")
        is_own = own is not None and (own["low"] is not None or own["high"] is not None)
        yield {
            "row": key,
            "column": column,
            "value": _plain(row[column]),
            "unit": unit_of(table, column, row),
            "doc": metadata_of(table, column).get("doc"),
            "source": trusted.get("source"),
            "confidence": confidence,
            "low": None if span is None else span.low,
            "high": None if span is None else span.high,
            "note": own["note"] if own is not None else None if span is None else span.note,
            "is_default": (table, key, column) in known.defaults_filled,
            "is_default_range": span is not None and not is_own,
        }


def _sources(known: References, named: Iterable[str]) -> list[dict[str, Any]]:
    return [dict(known.rows["sources"][source]) for source in named if source in known.rows["sources"]]


def _referred_by(known: References, match: Match) -> Iterator[dict[str, Any]]:
    """What names the rows, by table and column; keys that stand in the rows themselves are left out."""
    rows = [known.rows[match.table][key] for key in match.keys]
    for (table, column), targets in NAMED_IN.items():
        own = [target.partition(".")[2] for target in targets if target.partition(".")[0] == match.table]
        named = {row[key] for row in rows for key in own if match.column in (None, key)}
        ids = [key for value in named for key in known.naming[table, column].get(str(value), ())]
        kept = [key for key in dict.fromkeys(ids) if table != match.table or key not in match.keys]
        if kept:
            yield {"table": table, "column": column, "count": len(kept), "ids": kept}
    if match.column is not None and match.column not in TABLES[match.table].primary_key():
        return
    if match.table == "sources":
        yield from _counted(MEASURES, "source", [item.id for item in known.measures.values() if item.source == match.name])
    if match.table == "operators":
        payers = [item.id for item in known.measures.values() if item.cost is not None and match.name in item.cost.shares]
        yield from _counted(MEASURES, "shares", payers)
    yield from _named_in_manifest(known, match.table, match.name)


def _counted(table: str, column: str, ids: list[str]) -> Iterator[dict[str, Any]]:
    if ids:
        yield {"table": table, "column": column, "count": len(ids), "ids": ids}


def _named_by_word(known: References, target: str, name: str) -> Iterator[dict[str, Any]]:
    """Rows that name a measure or a scenario."""
    for (table, column), targets in NAMED_IN.items():
        if target in targets:
            yield from _counted(table, column, list(known.naming[table, column].get(name, ())))


def _named_in_manifest(known: References, table: str, name: str) -> Iterator[dict[str, Any]]:
    manifest = known.corridor.manifest
    for key, named in _NAMED_IN_MANIFEST.items():
        if named == table and getattr(manifest, key) == name:
            yield from _counted("corridor.yaml", key, [manifest.id])


def _facilities(known: References, match: Match) -> list[str]:
    """Facilities that a link, a terminal or the terminals of a place use up."""
    users = {"links": ("link_id", match.keys), "terminals": ("terminal_id", match.keys)}.get(match.table)
    if match.table == "places":
        users = ("terminal_id", known.naming["terminals", "place_id"].get(match.name, ()))
    if users is None:
        return []
    column, keys = users
    uses = [use for key in keys for use in known.naming["facility_uses", column].get(key, ())]
    return sorted({known.rows["facility_uses"][use]["facility_id"] for use in uses})


def _measures(known: References, match: Match) -> list[dict[str, Any]]:
    """Measures that act on the rows, in order of their dates."""
    acting: dict[str, list[Change]] = {}
    for key in match.keys:
        for measure, change in known.touching.get((match.table, key), ()):
            if match.column is None or match.column in _changed_columns(change):
                changes = acting.setdefault(measure.id, [])
                if change not in changes:
                    changes.append(change)
    ordered = sorted(acting, key=lambda name: (known.measures[name].from_date, name))
    return [_measure_entry(known, known.measures[name], acting[name]) for name in ordered]


def _changed_columns(change: Change) -> tuple[str, ...]:
    if change.add is not None:
        return tuple(columns_of(change.table))
    if change.open or change.close:
        return tuple(column for column in columns_of(change.table) if metadata_of(change.table, column).get("switch"))
    return (*(change.set or {}), *(change.scale or {}))


def _measure_entry(known: References, measure: Measure, changes: list[Change]) -> dict[str, Any]:
    return {
        "measure_id": measure.id,
        "title": measure.title,
        "from_date": measure.from_date.isoformat(),
        "until_date": _plain(measure.until_date),
        "ramp_years": measure.ramp_years,
        "status": measure.status,
        "source": measure.source,
        "confidence": measure.confidence,
        "changes": [_change_entry(change) for change in changes],
        "scenarios": _holding(known, measure.id),
    }


def _change_entry(change: Change) -> dict[str, Any]:
    given = change.set if change.set is not None else change.scale
    return {"kind": change.kind, "columns": {} if given is None else {column: _plain(value) for column, value in given.items()}}


def _holding(known: References, measure_id: str) -> list[dict[str, Any]]:
    """Scenarios that hold a measure, and the dates they give it."""
    return [
        {"scenario_id": name, "from_date": item.from_date.isoformat(), "until_date": _plain(item.until_date)}
        for name, scenario in known.scenarios.items()
        for item in scenario.dated
        if item.measure.id == measure_id
    ]


def _explained_measure(known: References, measure: Measure) -> dict[str, Any]:
    cost = measure.cost
    shares = "; ".join(f"{name} {share:g}" for name, share in cost.shares.items()) if cost is not None else ""
    given = {
        "title": measure.title,
        "from_date": measure.from_date.isoformat(),
        "until_date": _plain(measure.until_date),
        "ramp_years": measure.ramp_years or None,
        "status": measure.status,
        "is_operating": measure.is_operating,
        "is_date_estimate": measure.is_date_estimate,
        "capital_musd": measure.capital_musd,
        "running_musd_per_year": cost.running_musd_per_year if cost is not None else None,
        "shares": shares or None,
        "requires": "; ".join(measure.requires) or None,
        "excludes": "; ".join(measure.excludes) or None,
    }
    values = [
        {
            "row": measure.id,
            "column": column,
            "value": value,
            "unit": _MEASURE_UNITS.get(column),
            "doc": _MEASURE_DOCS[column],
            "source": measure.source,
            "confidence": measure.confidence,
            "low": None,
            "high": None,
            "note": None,
            "is_default": False,
            "is_default_range": False,
        }
        for column, value in given.items()
    ]
    others = known.measures.values()
    referred = [
        *_counted(MEASURES, "requires", [item.id for item in others if measure.id in item.requires]),
        *_counted(MEASURES, "excludes", [item.id for item in others if measure.id in item.excludes]),
        *_counted(SCENARIOS, "measures", [item["scenario_id"] for item in _holding(known, measure.id)]),
        *_named_by_word(known, f"{MEASURES}.id", measure.id),
    ]
    return {
        "table": MEASURES,
        "row": measure.id,
        "column": None,
        "title": measure.title,
        "doc": measure.doc,
        "rows": [measure.id],
        "added_by": [],
        "values": values,
        "sources": _sources(known, [measure.source]),
        "referred_by": referred,
        "facilities": [],
        "measures": [],
        "scenarios": _holding(known, measure.id),
        "changes": _changes(known, measure),
    }


def _changes(known: References, measure: Measure) -> list[dict[str, Any]]:
    """What a measure does, and to which rows."""
    found = []
    for change in measure.changes:
        rows = [key for (table, key), pairs in known.touching.items() if table == change.table and (measure, change) in pairs]
        found.append({"table": change.table, **_change_entry(change), "count": len(rows), "rows": rows})
    return found


def _explained_scenario(known: References, name: str) -> dict[str, Any]:
    scenario = known.scenarios[name]
    texts = known.corridor.scenarios_text
    extending = [other for other in known.scenarios if parse_record(texts[other], other, SCENARIOS).get("extends") == name]
    return {
        "table": SCENARIOS,
        "row": name,
        "column": None,
        "title": scenario.title,
        "doc": f"Dated measures: {len(scenario.dated)}, those of the scenario it extends included.",
        "rows": [name],
        "added_by": [],
        "values": [],
        "sources": [],
        "referred_by": [
            *_counted(SCENARIOS, "extends", extending),
            *_named_by_word(known, f"{SCENARIOS}.id", name),
            *_named_in_manifest(known, SCENARIOS, name),
        ],
        "facilities": [],
        "measures": [
            {
                **_measure_entry(known, item.measure, []),
                "from_date": item.from_date.isoformat(),
                "until_date": _plain(item.until_date),
            }
            for item in scenario.dated
        ],
        "scenarios": [],
        "changes": [],
    }


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    return value.isoformat() if isinstance(value, date) else value
