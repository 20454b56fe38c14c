"""Other designs of a simulated system, compared with it under the same chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Scenario
from karvan.simulation import Experiment, ExperimentOptions, HandoverOptions, Key, build, experiment, paired, pilot, saturation
from karvan.study.designs import AS_IT_IS, design_snapshot
from karvan.study.progress import Progress
from karvan.study.queue_frames import frame
from karvan.study.used_capacities import SIMULATED_TABLES

Tables = Mapping[str, pl.DataFrame]
_HOURS_A_DAY = 24.0


def designs_frame(
    changes: Mapping[str, Tables], system_id: str, tables: Tables, loads: Mapping[str, float], level_m: float | None,
    capacity_of: str | None, base: Experiment, how: ExperimentOptions, curves: HandoverOptions | None, say: Progress,
) -> pl.DataFrame:  # fmt: skip
    """Each design with as many replications as the base, stream by stream, and what differs, with paired intervals."""
    named = tables["facilities"].filter(pl.col("facility_id") == (capacity_of or ""))["unit"]
    unit = str(named[0]) if len(named) else None
    rows: list[dict[str, Any]] = []
    cases: list[tuple[str, Tables, Experiment]] = [(AS_IT_IS, tables, base)] if changes or capacity_of is not None else []
    for design, changed in changes.items():
        say(f"design {design}")
        built = build(changed, system_id, loads, level_m=level_m)
        first = replace(pilot(built, how), warm_d=base.pilot.warm_d)
        cases.append((design, changed, experiment(built, how, first=first, count=base.replications)))
    for design, changed, found in cases:
        most = None
        if capacity_of is not None:
            most = saturation(changed, system_id, capacity_of, loads, level_m=level_m, options=curves)
        rows += _compared(design, found, base, most, capacity_of, unit)
    return frame(rows)


def designed(corridor: Corridor, scenario: Scenario, year: int, tables: Tables, design: str) -> Tables:
    """Tables of a year with a design as `design_snapshot` reads it.

    Raises:
        DataError: Its measures change nothing that is simulated (a value may be set to what it is), or an assignment is wrong.
        MeasureError: A measure is unknown or does not fit.
    """
    changed = design_snapshot(corridor, scenario, year, design).tables
    if "=" not in design and all(changed[name].equals(tables[name]) for name in SIMULATED_TABLES):
        message = f"{design} changes nothing that is simulated in {year}: it is in force already, or touches none of it"
        raise DataError(Problem("--try", None, None, message))
    return changed


def _compared(design: str, found: Experiment, base: Experiment, most: Any, facility: str | None, unit: str | None) -> list[dict[str, Any]]:
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
                "capacity_of": facility,
                "capacity_unit": unit,
                "saturation": None if most is None else most.mean,
                "saturation_half": None if most is None else most.half_width,
            }
        )
    return rows
