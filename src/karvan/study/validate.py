"""The model against published values."""

from __future__ import annotations

from typing import Any

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import load_scenario
from karvan.results import Outlook, rounded
from karvan.study.outcomes import legs_of, outcomes_of
from karvan.study.power_balance import power_balances
from karvan.study.progress import Progress, named, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.run import outlook
from karvan.validation import compare, needed_years, power_years


def validate(corridor: Corridor, *, progress: Progress | None = None) -> Any:
    """Hold every published value of a corridor against the model.

    Args:
        corridor: The corridor.
        progress: Called with a line of text as the work goes on.

    Returns:
        See `karvan.validation.compare`, with corridor, corridor_version and base_year.

    Raises:
        DataError: The corridor has no observations, or one names a scenario that is not there.
    """
    tell = progress or silent
    manifest, observations = corridor.manifest, corridor.tables["observations"]
    if observations.is_empty():
        raise DataError(Problem("observations", None, None, "holds no rows; validation needs published values to compare with"))
    memory = RouteMemory(folder=cache_folder())
    outlooks: dict[str, Outlook] = {}
    for name, years in needed_years(observations, base_year=manifest.base_year, baseline_id=manifest.baseline).items():
        outlooks[name] = outlook(corridor, load_scenario(name, corridor), years, memory=memory, tell=named(name, tell))
    wanted = power_years(observations, base_year=manifest.base_year, baseline_id=manifest.baseline)
    power = power_balances(corridor, wanted, progress=tell)
    found = compare(observations, outcomes_of(corridor, outlooks.values(), legs=legs_of(corridor), power=power))
    return rounded({"corridor": manifest.id, "corridor_version": manifest.version, "base_year": manifest.base_year, **found})
