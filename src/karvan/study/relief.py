"""Which measures relieve a facility, and what lifting its limit would gain."""

from __future__ import annotations

from typing import Any

import numpy as np

from karvan.assignment import clear as clear_market
from karvan.corridor import Corridor
from karvan.corridor.ranges import read_ranges
from karvan.measures import Measure, Scenario, measures_of
from karvan.results import YearResult
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE, PRICE_FLOOR_USD_PER_T
from karvan.study.clear import Cleared, lifted
from karvan.sums import weighted_sum

_CAPACITY_COLUMNS = ("nominal", "availability_share", "payload_share")


def relief_table(corridor: Corridor, scenario: Scenario) -> dict[str, list[Measure]]:
    """Measures that raise the capacity of each facility and are not in the scenario already, cheapest first; those whose cost is not
    known come last.

    Args:
        corridor: The corridor.
        scenario: The scenario whose own measures do not count as relief.
    """
    nominal = {row["facility_id"]: row for row in corridor.tables["facilities"].iter_rows(named=True)}
    reliefs: dict[str, list[Measure]] = {}
    for measure in measures_of(corridor).values():
        if measure.id in scenario.measure_ids or measure.status == "happened":
            continue
        for facility_id in sorted(raised_facilities(measure, nominal)):
            reliefs.setdefault(facility_id, []).append(measure)
    for measures in reliefs.values():
        measures.sort(key=lambda item: (item.capital_musd is None, item.capital_musd or 0.0, item.id))
    return reliefs


def raised_facilities(measure: Measure, facilities: dict[str, dict[str, Any]]) -> set[str]:
    """Facilities whose effective capacity a measure raises.

    Args:
        measure: The measure.
        facilities: Rows of the facilities table, by id.
    """
    raised: set[str] = set()
    for change in measure.changes:
        if change.table != "facilities":
            continue
        chosen = change.where.get("facility_id")
        names = [str(name) for name in chosen] if isinstance(chosen, list) else [str(chosen)]
        for name in names:
            row = facilities.get(name)
            if row is None:
                continue
            for column, value in (change.set or {}).items():
                if column in _CAPACITY_COLUMNS and isinstance(value, int | float) and value > row[column]:
                    raised.add(name)
                if column == "peak_factor" and isinstance(value, int | float) and value < row[column]:
                    raised.add(name)
            for column, factor in (change.scale or {}).items():
                if (column in _CAPACITY_COLUMNS and factor > 1.0) or (column == "peak_factor" and factor < 1.0):
                    raised.add(name)
    return raised


def stop_gains(
    cleared: Cleared,
    result: YearResult,
    *,
    headline_cordon: str,
    reliefs: dict[str, list[Measure]],
    bases: dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """What stops the headline cordon in a year: every facility with a price that its goods use, and what lifting it alone gains.

    Args:
        cleared: The cleared year.
        result: Its results.
        headline_cordon: The cordon.
        reliefs: Measures that relieve each facility, cheapest first.
        bases: What each capacity rests on.
    """
    frame = result.facilities
    table = {row["facility_id"]: row for row in cleared.routed.snapshot.tables["facilities"].iter_rows(named=True)}
    found = []
    for position, row in enumerate(frame.iter_rows(named=True)):
        if row["shadow_price_usd_per_t"] <= PRICE_FLOOR_USD_PER_T or row["corridor_share"] < CORRIDOR_FLOOR_SHARE:
            continue
        measures = reliefs.get(row["facility_id"], [])
        best = measures[0] if measures else None
        found.append(
            {
                "year": result.year,
                "facility_id": row["facility_id"],
                "name": table[row["facility_id"]]["name"],
                "unit": row["unit"],
                "carried": row["flow"],
                "capacity": row["capacity"],
                "turned_away": row["turned_away"],
                "shadow_price_usd_per_t": row["shadow_price_usd_per_t"],
                "corridor_share": row["corridor_share"],
                "is_public": table[row["facility_id"]]["is_public"],
                "rests_on": bases[row["facility_id"]],
                "gain_alone_mt": _corridor_mt(cleared, [position], headline_cordon) - result.corridor_mt,
                "relief": None
                if best is None
                else {
                    "measure_id": best.id,
                    "title": best.title,
                    "cost_musd": best.capital_musd,
                    "is_operating": best.is_operating,
                },
            }
        )
    return found


def capacity_bases(corridor: Corridor) -> dict[str, dict[str, Any]]:
    """What the capacity of each facility rests on: confidence, range of the nominal in thousands of its unit, and the note of its row."""
    table, ranges = corridor.tables["facilities"], read_ranges(corridor.tables)
    found = {}
    for row in table.iter_rows(named=True):
        name = row["facility_id"]
        own = ranges.of("facilities", name, "nominal", value=row["nominal"], confidence=row["confidence"])
        single = ranges.single.get(("facilities", name, "nominal"))
        found[name] = {
            "confidence": row["confidence"] if single is None else single["confidence"],
            "low": None if own is None else own.low,
            "high": None if own is None else own.high,
            "note": row["note"],
        }
    return found


def _corridor_mt(cleared: Cleared, rows: list[int], headline_cordon: str) -> float:
    """Headline tonnes, million, with the limits of some rows lifted."""
    assembly = cleared.assembly
    weight, _ = cleared.routed.cordons[headline_cordon]
    start = cleared.clearing.row_price_usd_per_unit.copy()
    start[rows] = 0.0
    freed = clear_market(lifted(cleared.problem, rows), start=start)
    shipped = assembly.route_of >= 0
    return weighted_sum(freed.route_flow_kt[shipped], weight[assembly.route_of[shipped]]) / 1e3


def corridor_vector(cleared: Cleared, cordon_id: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cordon kilotonnes per kilotonne of flow on each route of the program, shape (routes,)."""
    assembly = cleared.assembly
    weight, _ = cleared.routed.cordons[cordon_id]
    vector = np.zeros(assembly.route_of.shape[0])
    shipped = assembly.route_of >= 0
    vector[shipped] = weight[assembly.route_of[shipped]]
    return vector
