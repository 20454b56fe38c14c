"""The measures of a corridor as cards: what each changes in words, when, at whose cost, on whose word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from karvan.corridor import unit_of
from karvan.measures import Change, Measure
from karvan.schema import ANY, UNIT_SUFFIXES
from karvan.validation.references import References

_MOST_CHANGES = 12
_TOLD_IN_SIZE = 2
_EVIDENCE = ("note", "source", "confidence")
_CALLED = {"nominal": "capacity", "is_open": "open", "in_force": "in force", "time_sd_h": "spread of time"}


def measure_cards(known: References) -> list[dict[str, Any]]:
    """One card a measure, by date.

    Args:
        known: The corridor's references.

    Returns:
        Cards as `docs/reference/rest.md` describes them under `/api/corridor`.
    """
    return [_card(known, measure) for measure in sorted(known.measures.values(), key=lambda item: (item.from_date, item.id))]


def scenario_entries(known: References) -> list[dict[str, Any]]:
    """Scenarios with the dates that they give their measures."""
    return [
        {
            "scenario_id": name,
            "title": scenario.title,
            "measures": [
                {"measure_id": item.measure.id, "from_date": item.from_date.isoformat(), "until_date": _plain(item.until_date)}
                for item in scenario.dated
            ],
        }
        for name, scenario in known.scenarios.items()
    ]


def _card(known: References, measure: Measure) -> dict[str, Any]:
    cost = measure.cost
    names = {key: row["name"] for key, row in known.rows["operators"].items()}
    shares = cost.shares if cost is not None else {}
    source = known.rows["sources"].get(measure.source, {})
    changes = [entry for change in measure.changes for entry in _entries(known, change)]
    return {
        "measure_id": measure.id,
        "title": measure.title,
        "doc": measure.doc,
        "from_date": measure.from_date.isoformat(),
        "until_date": _plain(measure.until_date),
        "is_date_estimate": measure.is_date_estimate,
        "ramp_years": measure.ramp_years,
        "status": measure.status,
        "is_operating": measure.is_operating,
        "changes": changes[:_MOST_CHANGES],
        "size": _size(changes),
        "changes_count": len(changes),
        "capital_musd": measure.capital_musd,
        "running_musd_per_year": cost.running_musd_per_year if cost is not None else None,
        "sponsors": [{"operator_id": name, "name": names.get(name, name), "share": share} for name, share in shares.items()],
        "source": {key: source.get(key) for key in ("source_id", "title", "url", "published")},
        "confidence": measure.confidence,
        "requires": list(measure.requires),
        "excludes": list(measure.excludes),
        "scenarios": [name for name, scenario in known.scenarios.items() if measure.id in scenario.measure_ids],
    }


def _size(changes: list[dict[str, Any]]) -> str:
    told = "; ".join(entry["text"] for entry in changes[:_TOLD_IN_SIZE])
    left = len(changes) - _TOLD_IN_SIZE
    return f"{told}; and {left} more" if left > 0 else told


def _entries(known: References, change: Change) -> Iterator[dict[str, Any]]:
    table = change.table
    keys = [key for (name, key), pairs in known.touching.items() if name == table and any(item is change for _, item in pairs)]
    for key in keys:
        row = known.rows[table][key]
        name = _name(known, table, key, row)
        entry: dict[str, Any] = {"kind": change.kind, "table": table, "row": key, "name": name, "parts": _parts(known, table, key, row)}
        entry.update(dict.fromkeys(("column", "old", "new", "factor")))
        if change.kind in ("add", "open", "close"):
            words = {"add": "new", "open": "opens", "close": "closes"}[change.kind]
            yield {**entry, "unit": None, "text": f"{words}: {name}" if change.kind == "add" else f"{name} {words}"}
            continue
        for column, value in (change.set if change.set is not None else change.scale or {}).items():
            if column in _EVIDENCE:
                continue
            unit, what, old = unit_of(table, column, row), _words(column), _plain(row[column])
            told = {**entry, "column": column, "old": old, "unit": unit}
            if change.scale is not None:
                yield {**told, "factor": value, "text": f"{name}: {what} times {value:g}"}
            elif isinstance(value, bool):
                switched = f"{name} {'opens' if value else 'closes'}" if column == "is_open" else f"{name}: {what} {value}"
                yield {**told, "new": value, "text": switched}
            else:
                told["new"] = _plain(value)
                yield {**told, "text": f"{name}: {what} from {_shown(old)} to {_shown(told['new'])}{'' if unit is None else ' ' + unit}"}


def _name(known: References, table: str, key: str, row: Mapping[str, Any]) -> str:
    if row.get("name"):
        return str(row["name"])
    if table == "links":
        places = known.rows["places"]
        ends = [str(places[row[end]]["name"]) if row[end] in places else str(row[end]) for end in ("from_place", "to_place")]
        return f"{ends[0]} - {ends[1]}, {str(row['mode']).replace('_', ' ')}"
    if table == "permissions":
        return str(row["rule"])
    facility = known.rows["facilities"].get(str(row.get("facility_id")))
    return str(facility["name"]) if facility is not None else _words(key)


def _parts(known: References, table: str, key: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a change acts on, for a screen to say in any language: texts of the case, and words (`kind`, `id`) of the screen's own."""

    def named(other: str, name: str) -> dict[str, Any]:
        return {"text": str(known.rows[other].get(str(row[name]), {}).get("name") or row[name])}

    def word(kind: str, name: str) -> list[dict[str, Any]]:
        return [] if row.get(name) in (None, ANY) else [{"kind": kind, "id": str(row[name])}]

    def ends(other: str, *names: str) -> dict[str, Any]:
        return {"text": " – ".join(named(other, name)["text"] for name in names)}

    if table == "links":
        return [ends("places", "from_place", "to_place"), *word("mode", "mode")]
    if table == "terminals":
        if row["kind"] == "transfer":
            return [named("places", "place_id"), *word("mode", "from_mode"), *word("mode", "to_mode")]
        return [named("places", "place_id"), *word("mode", "kind"), *word("loading", "from_unit")]
    if table == "tariffs":
        goods = [] if row["commodity_group"] == ANY else [named("commodities", "commodity_group")]
        return [named("operators", "operator_id"), *goods, *word("loading", "loading_unit")]
    if table == "demand":
        return [ends("regions", "origin_region", "destination_region"), named("commodities", "commodity_group")]
    if table in ("calls", "arrivals"):
        return [named("crossings", "crossing_id"), named("places", "place_id")]
    return [{"text": _name(known, table, key, row)}]


def _words(name: str) -> str:
    """A column or a key as it is read: the unit is told beside it."""
    if name in _CALLED:
        return _CALLED[name]
    suffix = max((item for item in UNIT_SUFFIXES if name.endswith(item)), key=len, default="")
    return " ".join(name.removesuffix(suffix).replace("_", " ").replace("|", ", ").split()) or name


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:,.10g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
