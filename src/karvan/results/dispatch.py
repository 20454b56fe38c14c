"""What an hourly dispatch of power says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from karvan.results.rounding import rounded


@dataclass(frozen=True)
class Dispatch:
    """Power hour by hour in a year, with one line and without it.

    Attributes:
        year, scenario_id: When and in which scenario.
        seed: Of the weather.
        hours: How many hours were solved.
        cost_musd: Least cost of all hours, border charges included.
        zones: Balance, prices, load not served, curtailment and carbon dioxide of each zone.
        technologies: Generation by zone and technology.
        lines: Flows, hours and earnings of each line.
        curves: Duration curves of prices and flows.
        profiles: What the hourly series come to, beside what the case asks for.
        line_id: The line that is asked about; None: none.
        worth: What it is worth, with it against without it; a row for each design, the scenario as it is first.
        parties: What each country and owner gains by it, in each design.
        sweep: The same worth at other sizes; no rows if none was asked for.
        pays: The size at which one more megawatt is worth its cost; None if no sweep was asked for or the line has no cost.
        terms: Cost, discount rate and life that worth and sizes are told at.
        hourly: Prices by zone and flows by line in each hour.
        replaced: What was replaced in the case.
        names: Names of zones and lines by id.
        draw: Replication of the simulated crossings whose storms the wind goes by; None: it has chance of its own.
        storms: What wind near ports gives while they are closed and while they are open.
    """

    year: int
    scenario_id: str
    seed: int
    hours: int
    cost_musd: float
    zones: pl.DataFrame
    technologies: pl.DataFrame
    lines: pl.DataFrame
    curves: pl.DataFrame
    profiles: pl.DataFrame
    line_id: str | None
    worth: pl.DataFrame
    parties: pl.DataFrame
    sweep: pl.DataFrame
    pays: Mapping[str, Any] | None
    terms: Mapping[str, Any]
    hourly: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]
    names: Mapping[str, str] = field(default_factory=dict)
    draw: int | None = None
    storms: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self, *, has_hours: bool = False) -> dict[str, Any]:
        """One object for JSON; prices and flows of every hour only if asked for, as one list a column."""
        plain = ("year", "scenario_id", "seed", "hours", "cost_musd", "line_id")
        frames = ("zones", "technologies", "lines", "curves", "profiles", "worth", "parties", "sweep")
        told: dict[str, Any] = {name: getattr(self, name) for name in plain}
        told |= {name: getattr(self, name).to_dicts() for name in frames}
        told |= {"pays": None if self.pays is None else dict(self.pays), "terms": dict(self.terms)}
        if self.draw is not None:
            told |= {"draw": self.draw, "storms": [dict(row) for row in self.storms]}
        if has_hours:
            told["hourly"] = {name: self.hourly[name].to_list() for name in self.hourly.columns}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
