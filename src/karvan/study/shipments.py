"""Answers to the shipments that a case names, for the page of a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from karvan import __version__
from karvan.corridor import Corridor
from karvan.errors import DataError
from karvan.report import route_screen
from karvan.report.network import short
from karvan.study.options import ScenarioOptions
from karvan.study.route import ShippingDesk
from karvan.study.used_capacities import LaidOver

_LOG = logging.getLogger(__name__)
_MOST = 8


def with_shipments(
    document: Mapping[str, Any], corridor: Corridor, options: ScenarioOptions, *, over: LaidOver | None = None
) -> dict[str, Any]:
    """A run's document with the routes of the shipments that its case names: ends and goods of its journeys to show, each once.

    Args:
        document: What `karvan.report.screen` gave.
        corridor: The run's corridor, with overlay and values of the options laid over it.
        options: Of the run.
        over: What lays the run's simulated capacities over its years, whose spread of times then holds.

    Returns:
        The document with `shipments`: at most 8 of what `karvan.report.route_screen` gives, in the run's scenario and focus year as on
        1 July. One whose ends nothing joins, open or closed, is left out.
    """
    shown = corridor.tables["journeys"].filter("is_profile")
    asked = list(dict.fromkeys(shown.select("origin_place", "destination_place", "commodity_group").iter_rows()))[:_MOST]
    left = replace(options, set_values=(), overlay=None)
    spread = None if over is None else partial(over, "scenario")
    desk = ShippingDesk(corridor, scenario=document["run"]["scenario"], options=left, over=spread)
    found = []
    for origin, destination, goods in asked:
        try:
            answer = desk.answer(origin, destination, commodity=goods, year=document["focus_year"])
        except DataError as error:
            _LOG.warning("%s to %s: %s", origin, destination, error)
        else:
            found.append(_short(route_screen(answer, corridor, version=__version__)))
    return {**document, "shipments": found}


def _short(content: Any) -> Any:
    """The same with numbers cut to six significant digits, as elsewhere in a run's document."""
    if isinstance(content, dict):
        return {key: _short(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_short(value) for value in content]
    return short(content) if isinstance(content, float) else content
