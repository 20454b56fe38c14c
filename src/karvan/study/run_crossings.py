"""A month of ships and berths for the page of a run that took simulated capacities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from karvan import __version__
from karvan.corridor import Corridor
from karvan.measures.apply import apply
from karvan.report import crossings_screen
from karvan.results import SavedRun
from karvan.simulation import ExperimentOptions
from karvan.study.crossing_loads import loads_of
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.simulate import STORMIEST, simulate
from karvan.study.used_capacities import is_simulated

_HOW = ExperimentOptions(half_width_share=0.1, most=40)


def with_crossings(document: Mapping[str, Any], saved: SavedRun, corridor: Corridor, options: ScenarioOptions) -> dict[str, Any]:
    """A run's document with `crossings`: what `karvan.report.crossings_screen` gives of the first system with ships, in the run's focus
    year with the loads of that year, its stormiest month hour by hour. A run with nominal capacities, or a case without ships, keeps its
    document.

    Args:
        document: What `karvan.report.screen` gave.
        saved: The run.
        corridor: Its corridor, with overlay and values of the options laid over it.
        options: Of the run.
    """
    sailing = corridor.tables["crossings"]["system_id"].unique(maintain_order=True).to_list()
    if not is_simulated(saved) or not sailing:
        return dict(document)
    run, year = document["run"], document["focus_year"]
    left = replace(options, set_values=(), overlay=None)
    tables = apply(prepare(corridor, run["scenario"], left).scenario, corridor, year=year).tables
    of_year = (pl.col("case") == "scenario") & (pl.col("year") == year)
    flows = {name: saved.frame(name).filter(of_year) for name in ("facilities", "links")}
    found = simulate(
        corridor, sailing[0], year=year, scenario=run["scenario"], options=left, how=_HOW, has_curves=False, month=STORMIEST,
        loads=loads_of(tables, sailing[0], facilities=flows["facilities"], links=flows["links"]),
    )  # fmt: skip
    return {**document, "crossings": crossings_screen(found, corridor, version=__version__)}
