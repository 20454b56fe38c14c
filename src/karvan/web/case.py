"""What a screen needs to know of the case: scenarios, measures as cards, what can be moved, and every input."""

from __future__ import annotations

from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.measures.measure import parse_record
from karvan.measures.scenario import GROWTH_RANGES
from karvan.report.names import BETWEEN
from karvan.study.live import AT_ONCE, reaction
from karvan.validation import References, input_doc, measure_cards, scenario_entries

_LAST_YEAR = 2040
MOVED = {
    "facilities": ("nominal", "availability_share", "payload_share", "peak_factor", "other_load", "minimum"),
    "growth": ("rate_share_per_year",),
    "commodities": ("demand_elasticity_ratio",),
}
"""Columns that are shown as assumptions; every other input stands in the list of inputs."""


def case_document(corridor: Corridor, known: References, inputs: pl.DataFrame) -> dict[str, Any]:
    """The case as `GET /api/corridor` answers it."""
    manifest = corridor.manifest
    texts = corridor.scenarios_text
    scenarios = [
        {**item, "extends": parse_record(texts[item["scenario_id"]], item["scenario_id"], "scenarios").get("extends")}
        for item in scenario_entries(known)
    ]
    return {
        "corridor": manifest.id,
        "title": manifest.title,
        "version": manifest.version,
        "base_year": manifest.base_year,
        "facts_until": manifest.facts_until.isoformat(),
        "price_year": manifest.price_year,
        "baseline": manifest.baseline,
        "history": manifest.history,
        "headline_scenario": manifest.headline_scenario,
        "headline_cordon": manifest.headline_cordon,
        "years": {"first": manifest.base_year, "last": max(_LAST_YEAR, manifest.base_year)},
        "growth": list(GROWTH_RANGES),
        "scenarios": scenarios,
        "measures": measure_cards(known),
        "assumptions": _assumptions(inputs, known),
        "cordons": [{"cordon_id": name} for name in dict.fromkeys(corridor.tables["cordons"]["cordon_id"])],
        "operators": corridor.tables["operators"].select("operator_id", "name").to_dicts(),
        "commodities": corridor.tables["commodities"].select("commodity_group", "name", "aliases").to_dicts(),
        "costed": sorted(corridor.tables["project_costs"]["measure_id"]),
        "funds": corridor.tables["funds"].select("fund_id", "name", "budget_musd").to_dicts(),
        "systems": corridor.tables["systems"].select("system_id", "name").to_dicts(),
        "places": corridor.tables["places"].select("place_id", "name", "country", "aliases", "unlocode").to_dicts(),
        "names": {language: dict(names) for language, names in corridor.names.items()},
        "families": corridor.tables["route_families"].select("family_id", "name").unique("family_id", maintain_order=True).to_dicts(),
    }


def _words(key: str) -> str:
    """The key of a row without a name as it is read: its first part in words, then the others."""
    first, *more = key.split("|")
    return BETWEEN.join([first.replace("_", " "), *more])


def _assumptions(inputs: pl.DataFrame, known: References) -> list[dict[str, Any]]:
    found = []
    for row in inputs.iter_rows(named=True):
        if row["column"] in MOVED.get(row["table"], ()):
            source = known.rows["sources"].get(row["source"], {})
            found.append(
                {
                    **row,
                    "name": row["name"] or _words(row["row"]),
                    "doc": input_doc(row["table"], row["column"]),
                    "source": {key: source.get(key) for key in ("source_id", "title", "url", "published")},
                    "live": reaction(row["table"], row["column"]),
                }
            )
    return sorted(found, key=lambda row: row["live"] != AT_ONCE)


def fitting_inputs(
    inputs: pl.DataFrame, *, words: str, confidence: list[str], table: str | None, source: str | None
) -> pl.DataFrame:  # fmt: skip
    """Inputs that fit what was asked: all words in ref, name, note or source, in any case."""
    text = pl.concat_str([pl.col(name).fill_null("") for name in ("ref", "name", "note", "source")], separator=" ").str.to_lowercase()
    found = inputs
    for word in words.lower().split():
        found = found.filter(text.str.contains(word, literal=True))
    if confidence:
        found = found.filter(pl.col("confidence").is_in(confidence))
    if table is not None:
        found = found.filter(pl.col("table") == table)
    if source is not None:
        found = found.filter(pl.col("source") == source)
    return found
