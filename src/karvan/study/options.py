"""What the verbs that take a scenario have in common: what is added, taken away, set and laid over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from karvan.corridor import Corridor, overlay, with_value
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, load_scenario, with_measures, without_measures
from karvan.measures.apply import require_fitting

NOMINAL, SIMULATED = CAPACITIES = ("nominal", "simulated")
"""Where capacities of what a case simulates come from."""


@dataclass(frozen=True)
class ScenarioOptions:
    """Changes to a corridor and scenario.

    Attributes:
        with_measures: Measures to add: ids, or paths of YAML files.
        without_measures: Ids of measures to take out.
        set_values: Assignments "table.id.column=value".
        overlay: Folder with only the rows that differ.
        growth: Which end of the growth ranges: mid, low or high.
        capacities: What capacities and waits of crossings, yards and borders are: those of the tables (nominal), or simulated.
    """

    with_measures: tuple[str, ...] = ()
    without_measures: tuple[str, ...] = ()
    set_values: tuple[str, ...] = ()
    overlay: Path | None = None
    growth: str = "mid"
    capacities: str = NOMINAL


@dataclass(frozen=True)
class Prepared:
    """A corridor and a scenario that fit each other, what was replaced to get there, and which capacities hold."""

    corridor: Corridor
    scenario: Scenario
    replaced: tuple[dict[str, Any], ...]
    capacities: str = NOMINAL


def prepare(corridor: Corridor, scenario_id: str, options: ScenarioOptions) -> Prepared:
    """Lay the options over a corridor and scenario, and check that every change fits.

    Raises:
        DataError: An assignment or overlay is wrong.
        MeasureError: A measure is unknown or does not fit.
    """
    corridor, replaced = laid_over(corridor, options)
    scenario = load_scenario(scenario_id, corridor, growth=options.growth)
    if options.without_measures:
        scenario = without_measures(scenario, list(options.without_measures))
        replaced += [{"measure": name, "change": "without"} for name in options.without_measures]
    if options.with_measures:
        scenario = with_measures(scenario, corridor, list(options.with_measures))
        replaced += [{"measure": name, "change": "with"} for name in options.with_measures]
    require_fitting(scenario, corridor)
    _require_capacities(options.capacities, corridor)
    return Prepared(corridor, scenario, tuple(replaced), options.capacities)


def _require_capacities(name: str, corridor: Corridor) -> None:
    if name not in CAPACITIES:
        raise DataError(Problem("--capacities", None, None, f"{name} must be one of {', '.join(CAPACITIES)}"))
    if name == SIMULATED and corridor.tables["systems"].is_empty():
        raise DataError(Problem("systems", None, None, "has no rows, must have one for capacities to be simulated"))


def options_of(manifest: Mapping[str, Any], *, folder: Path) -> ScenarioOptions:
    """With which options a run was made.

    Args:
        manifest: Of the run.
        folder: Of the run, to be named.

    Raises:
        DataError: It does not say.
    """
    given = manifest.get("options")
    if not isinstance(given, dict):
        message = f"{folder} does not say with which options it was made; run again with --replace"
        raise DataError(Problem("run folder", None, None, message))
    return ScenarioOptions(
        with_measures=tuple(given["with"]),
        without_measures=tuple(given["without"]),
        set_values=tuple(given["set"]),
        overlay=None if given["overlay"] is None else Path(given["overlay"]),
        growth=given["growth"],
        capacities=given.get("capacities", NOMINAL),
    )


def laid_over(corridor: Corridor, options: ScenarioOptions) -> tuple[Corridor, list[dict[str, Any]]]:
    """The corridor with the overlay and the values of some options, and what was replaced.

    Raises:
        DataError: An assignment or the overlay is wrong.
    """
    replaced: list[dict[str, Any]] = []
    if options.overlay is not None:
        corridor, records = overlay(corridor, options.overlay)
        replaced += records
    for assignment in options.set_values:
        path, sign, value = assignment.partition("=")
        if not sign:
            raise DataError(Problem("--set", None, None, f"{assignment} must read TABLE.ID.COLUMN=VALUE"))
        corridor, record = with_value(corridor, path.strip(), value.strip())
        replaced.append(record)
    return corridor, replaced


def scenario_hash(scenario: Scenario) -> str:
    """Hash of everything in a scenario that changes results."""
    content = [
        [item.measure.model_dump(mode="json"), item.from_date.isoformat(), item.until_date.isoformat() if item.until_date else None]
        for item in scenario.dated
    ]
    text = json.dumps([scenario.scenario_id, scenario.growth, content], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@cache
def code_hash(part: str = "") -> str:
    """Hash of the package's own source, or of that of one part of it, so that what other code made is not taken for what this makes."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parent.parent
    for path in sorted((root / part).rglob("*.py"), key=lambda item: item.relative_to(root).as_posix()):
        digest.update(path.relative_to(root).as_posix().encode("utf-8"))
        digest.update(path.read_text(encoding="utf-8").encode("utf-8"))
    return digest.hexdigest()
