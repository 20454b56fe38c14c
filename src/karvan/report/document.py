"""What the documents of one answer have in common: of what they are, names in other languages, numbers cut to what a reader needs."""

from __future__ import annotations

from typing import Any

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.report.names import names_in
from karvan.report.network import short


def document_of(
    kind: str, scenario_id: str, corridor: Corridor, content: dict[str, Any], *, version: str, schema: int = 1
) -> dict[str, Any]:
    """The content with what it is of, and its texts in other languages.

    Args:
        kind: What a page knows it by, such as `karvan-power`.
        scenario_id: Scenario that was asked about.
        corridor: The corridor that was asked about.
        content: Keys of the answer.
        version: Of Karvan.
        schema: Grows by one when a key changes its meaning or goes; new keys alone leave it.
    """
    document = {
        "kind": kind,
        "schema": schema,
        "version": version,
        "corridor": corridor.manifest.id,
        "corridor_title": corridor.manifest.title,
        "corridor_hash": corridor.hash,
        "edition": corridor.manifest.version,
        "scenario_title": load_scenario(scenario_id, corridor).title,
        **content,
    }
    return {**document, "names": names_in(document, corridor)}


def cut(content: Any) -> Any:
    """The same with numbers cut to six significant digits; what is not known stays so."""
    if isinstance(content, dict):
        return {key: cut(value) for key, value in content.items()}
    if isinstance(content, list):
        return [cut(value) for value in content]
    return short(content) if isinstance(content, float) else content
