"""The model against published values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.results import Outlook, YearResult
from karvan.study.clear import RouteMemory
from karvan.study.journeys import journey_legs
from karvan.study.run import outlook
from karvan.validation import Outcomes, compare, journey_years, needed_years


def validate(corridor: Corridor, *, progress: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Hold every published value of a corridor against the model.

    Args:
        corridor: The corridor.
        progress: Called with a line of text as the work goes on.

    Returns:
        See `karvan.validation.compare`, with corridor, corridor_version and base_year.

    Raises:
        DataError: The corridor has no observations, or one names a scenario that is not there.
    """
    tell = progress or (lambda line: None)
    manifest, observations = corridor.manifest, corridor.tables["observations"]
    if observations.is_empty():
        raise DataError(Problem("observations", None, None, "holds no rows; validation needs published values to compare with"))
    memory = RouteMemory()
    outlooks: dict[str, Outlook] = {}
    for name, years in needed_years(observations, base_year=manifest.base_year, baseline_id=manifest.baseline).items():
        outlooks[name] = outlook(corridor, load_scenario(name, corridor), years, memory=memory, tell=partial(_tell, tell, name))
    found = compare(observations, outcomes_of(corridor, outlooks.values(), legs=legs_of(corridor)))
    return {"corridor": manifest.id, "corridor_version": manifest.version, "base_year": manifest.base_year, **found}


def _tell(tell: Callable[[str], None], name: str, text: str) -> None:
    tell(f"{name}: {text}")


def legs_of(corridor: Corridor) -> dict[int, pl.DataFrame]:
    """Legs of all journeys in the years that observations need, under the baseline."""
    manifest = corridor.manifest
    baseline = load_scenario(manifest.baseline, corridor)
    years = journey_years(corridor.tables["observations"], base_year=manifest.base_year, facts_year=manifest.facts_until.year)
    return {
        year: journey_legs(apply(baseline, corridor, year=year), co2_price_usd_per_t=manifest.co2_price_usd_per_t) for year in years
    }


def outcomes_of(corridor: Corridor, outlooks: Any, *, legs: Mapping[int, pl.DataFrame]) -> Outcomes:
    """What some outlooks give, ready to be held against published values."""
    manifest = corridor.manifest
    years: dict[tuple[str, int], YearResult] = {}
    for item in outlooks:
        years |= {(item.scenario_id, result.year): result for result in item.years}
    return Outcomes(
        base_year=manifest.base_year,
        baseline_id=manifest.baseline,
        headline_cordon=manifest.headline_cordon,
        years=years,
        legs=legs,
        journeys=corridor.tables["journeys"],
        deflators=dict(corridor.tables["deflators"].select("year", "deflator_ratio").iter_rows()),
    )
