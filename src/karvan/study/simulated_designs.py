"""Other designs of a simulated system, compared with it under the same chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Scenario
from karvan.network import sea_level_m
from karvan.simulation import Experiment, ExperimentOptions, HandoverOptions, Key, build, experiment, interval, paired, pilot, saturations
from karvan.study.designs import AS_IT_IS, design_snapshot
from karvan.study.progress import Progress
from karvan.study.queue_frames import frame
from karvan.study.used_capacities import SIMULATED_TABLES

Tables = Mapping[str, pl.DataFrame]
Case = tuple[Tables, float | None]
"""Tables and level of the sea."""
FloatArray = npt.NDArray[np.float64]
_HOURS_A_DAY = 24.0
_LEVEL = "sea_level_m"


def designs_frames(
    cases: Mapping[str, Case], system_id: str, loads: Mapping[str, float], capacity_of: Sequence[str], base: Experiment,
    how: ExperimentOptions, curves: HandoverOptions | None, say: Progress,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Designs with as many replications as the first of them, `base`, under the same chance.

    Args:
        cases: Tables and level of the sea by design, what is simulated already first.
        system_id: The system.
        loads: Units a year of each stream.
        capacity_of: Facilities whose saturation is told.
        base: What was simulated of the first.
        how: How.
        curves: How saturation is found.
        say: Called with a line a design.

    Returns:
        Stream by stream, and facility by facility: what each design does, and what differs from the first, with paired intervals.
    """
    streams: list[dict[str, Any]] = []
    facilities: list[dict[str, Any]] = []
    first: dict[str, FloatArray] = {}
    for design, (tables, level_m) in cases.items():
        found = base
        if design != AS_IT_IS:
            say(f"design {design}")
            built = build(tables, system_id, loads, level_m=level_m)
            known = replace(pilot(built, how), warm_d=base.pilot.warm_d)
            found = experiment(built, how, first=known, count=base.replications)
        streams += _compared(design, found, base)
        for name in capacity_of:
            most = saturations(tables, system_id, name, loads, level_m=level_m, options=curves)
            facilities.append(_capacity(design, tables, name, most, first.setdefault(name, most)))
    return frame(streams), frame(facilities)


def designed(
    corridor: Corridor, scenario: Scenario, year: int, tables: Tables, design: str, sea_level_path: str | None
) -> Case:  # fmt: skip
    """Tables and level of the sea in a year with a design as `design_snapshot` reads it; sea_level_m=VALUE sets the level.

    Raises:
        DataError: Its measures change nothing that is simulated (a value may be set to what it is), or an assignment is wrong.
        MeasureError: A measure is unknown or does not fit.
    """
    parts = [part.strip() for part in design.split("+")]
    levels = [part for part in parts if part.partition("=")[0].strip() == _LEVEL]
    rest = "+".join(part for part in parts if part not in levels) or AS_IT_IS
    changed = design_snapshot(corridor, scenario, year, rest).tables
    if "=" not in design and all(changed[name].equals(tables[name]) for name in SIMULATED_TABLES):
        message = f"{design} changes nothing that is simulated in {year}: it is in force already, or touches none of it"
        raise DataError(Problem("--try", None, None, message))
    level_m = sea_level_m(changed["sea_levels"], sea_level_path, year)
    for part in levels:
        try:
            level_m = float(part.partition("=")[2])
        except ValueError as error:
            raise DataError(Problem("--try", None, None, f"{part} must name a level in metres, such as sea_level_m=-30.2")) from error
    return changed, level_m


def _capacity(design: str, tables: Tables, facility_id: str, most: FloatArray, first: FloatArray) -> dict[str, Any]:
    told, more = interval(most), paired(most, first)
    return {
        "design": design,
        "facility_id": facility_id,
        "unit": str(tables["facilities"].filter(pl.col("facility_id") == facility_id)["unit"][0]),
        "saturation": told.mean,
        "saturation_half": told.half_width,
        "more": more.mean,
        "more_half": more.half_width,
    }


def _compared(design: str, found: Experiment, base: Experiment) -> list[dict[str, Any]]:
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        transit, out = Key("stream", name, "transit_h"), Key("stream", name, "out_per_year")
        if stream.demand <= 0.0 or out not in base.numbers:
            continue
        is_stable = name not in found.pilot.unstable
        both = is_stable and name not in base.pilot.unstable and transit in found.numbers and transit in base.numbers
        difference = paired(found.numbers[transit], base.numbers[transit]) if both else None
        more = paired(found.numbers[out], base.numbers[out])
        rows.append(
            {
                "design": design,
                "arrival_id": name,
                "is_stable": is_stable,
                "transit_d": found.mean(transit).mean / _HOURS_A_DAY if is_stable and transit in found.numbers else None,
                "difference_d": None if difference is None else difference.mean / _HOURS_A_DAY,
                "difference_d_half": None if difference is None else difference.half_width / _HOURS_A_DAY,
                "out_per_year": found.mean(out).mean,
                "more_per_year": more.mean,
                "more_per_year_half": more.half_width,
                "backlog_growth_per_year": None if is_stable else found.pilot.growth[name].mean,
            }
        )
    return rows
