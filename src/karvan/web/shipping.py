"""Shippers' questions in a worker: desks are kept, so that the second answer about a scenario takes a fraction of the first."""

from __future__ import annotations

import datetime
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from karvan import __version__
from karvan.corridor import Corridor
from karvan.report import route_screen
from karvan.results import load_run
from karvan.routing.limits import Cargo
from karvan.study import ScenarioOptions, ShippingDesk
from karvan.study.user_quotes import quotes_of

_MOST_DESKS = 3
_MOST_DAYS = 40
"""A desk keeps every day that it was asked about, some megabytes each; after so many it is opened anew."""


@dataclass
class _Kept:
    desk: ShippingDesk
    days: set[str] = field(default_factory=set)


class Shipping:
    """Desks of the scenarios that were asked about last.

    Args:
        corridor: The corridor.
    """

    def __init__(self, corridor: Corridor) -> None:
        self._corridor = corridor
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def answer(self, task: Mapping[str, Any], options: ScenarioOptions) -> dict[str, Any]:
        """The document of an answer.

        Args:
            task: Arguments of `karvan.route` by name, days as ISO 8601; `quotes` the text of a CSV file, `scarcity_run` the folder of a
                saved run or None.
            options: Of the scenario.

        Raises:
            DataError: As `karvan.route`.
        """
        kept = self._desk(task, options)
        depart, deadline = (None if task[name] is None else datetime.date.fromisoformat(task[name]) for name in ("depart", "deadline"))
        kept.days.add(f"{task['year']} {task['depart']}")
        found = kept.desk.answer(
            task["origin"], task["destination"], commodity=task["commodity"], year=task["year"], depart=depart, deadline=deadline,
            max_options=task["max_options"], avoid=task["avoid"], via=task["via"], cargo=Cargo(**task["cargo"]),
        )  # fmt: skip
        return route_screen(found, self._corridor, version=__version__)

    def _desk(self, task: Mapping[str, Any], options: ScenarioOptions) -> _Kept:
        scenario, quotes, folder, scarcity = (task[name] for name in ("scenario", "quotes", "scarcity_run", "scarcity"))
        key = json.dumps([scenario, repr(options), quotes, folder, scarcity])
        if key not in self._kept or len(self._kept[key].days) >= _MOST_DAYS:
            desk = ShippingDesk(
                self._corridor,
                scenario=scenario,
                options=options,
                quotes=None if quotes is None else quotes_of(quotes.encode("utf-8"), self._corridor),
                run=None if folder is None else load_run(Path(folder)),
                scarcity=scarcity or "price",
            )
            self._kept[key] = _Kept(desk)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_DESKS:
            self._kept.popitem(last=False)
        return self._kept[key]
