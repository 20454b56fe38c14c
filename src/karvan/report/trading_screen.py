"""Documents of tariffs and of trade as a screen draws them: what their commands print as JSON, with names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from karvan.corridor import Corridor
from karvan.measures import load_scenario
from karvan.report.names import names_in, titles
from karvan.report.network import short
from karvan.results import Tariffs, Trade

SCHEMA = 1
"""Grows by one when a key changes its meaning or goes; new keys alone leave it."""


def tariffs_screen(found: Tariffs, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What a page shows of tariffs apart and together; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.tariffs` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    return _told("karvan-tariffs", found.scenario_id, corridor, version, found.as_dict())


def trade_screen(found: Trade, corridor: Corridor, *, version: str) -> dict[str, Any]:
    """What a page shows of trade and what makes it grow; see `docs/reference/screen.md`.

    Args:
        found: What `karvan.trade` gave.
        corridor: The corridor that was asked about.
        version: Of Karvan.
    """
    content = found.as_dict()
    content["carried"] = content.pop("corridor")  # that key names the corridor in every document
    return _told("karvan-trade", found.scenario_id, corridor, version, content)


def _told(kind: str, scenario_id: str, corridor: Corridor, version: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with what it is of, names of all ids in it, and its texts in other languages."""
    texts = set(_texts(content))
    called = {name: title for name, title in titles(corridor).items() if name in texts}
    document = {
        "kind": kind,
        "schema": SCHEMA,
        "version": version,
        "corridor": corridor.manifest.id,
        "corridor_title": corridor.manifest.title,
        "corridor_hash": corridor.hash,
        "edition": corridor.manifest.version,
        "scenario_title": load_scenario(scenario_id, corridor).title,
        **_cut(content),
        "called": called,
    }
    return {**document, "names": names_in(document, corridor)}


def _texts(item: Any) -> Iterable[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, Mapping):
        for each in item.values():
            yield from _texts(each)
    elif isinstance(item, list):
        for each in item:
            yield from _texts(each)


def _cut(content: Any) -> Any:
    """The same with numbers cut to six significant digits; what is not known stays so."""
    if isinstance(content, Mapping):
        return {key: _cut(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_cut(value) for value in content]
    return short(content) if isinstance(content, float) else content
