"""Simulated capacities and delay curves of facilities, found once for each configuration and kept in the cache folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from karvan.assignment import effective_capacity
from karvan.corridor import Corridor, Snapshot
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, load_scenario
from karvan.measures.apply import apply, apply_years
from karvan.network import sea_level_m
from karvan.results import write_text_whole
from karvan.results.outlook import PRICE_FLOOR_USD_PER_T
from karvan.simulation import (
    FacilityCurve,
    HandoverOptions,
    configuration_hash,
    facility_curve,
    simulated_facilities,
    with_handover,
)
from karvan.study.clear import clear
from karvan.study.crossing_loads import crossing_loads
from karvan.study.options import SIMULATED, Prepared, ScenarioOptions, code_hash, prepare
from karvan.study.progress import SIMULATING, Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.used_capacities import USED, is_same_system, simulated_basis, used_row
from karvan.study.year import year_result

RUN_OPTIONS = HandoverOptions(replications=10, variants=("as it is",))
"""How an outlook simulates: every year has a configuration of its own, so each is found with fewer designs."""


def system_curves(
    tables: Mapping[str, pl.DataFrame],
    system_id: str,
    loads: Mapping[str, float],
    *,
    level_m: float | None,
    options: HandoverOptions | None = None,
    tell: Progress | None = None,
    kept: dict[str, FacilityCurve] | None = None,
) -> dict[str, FacilityCurve]:
    """Saturation and delay curve of every facility of a system, from the cache where its configuration was met before.

    Loads say only how goods share a facility; they are rounded to two digits, so that a little more of all does not make another
    configuration. With `kept`, curves found before are taken from there, and found ones are put there.
    """
    how, say, folder, known = options or HandoverOptions(), tell or silent, cache_folder(), {} if kept is None else kept
    code = code_hash("simulation")
    rounded = {name: float(f"{load:.2g}") for name, load in loads.items()}
    found = {}
    for facility in simulated_facilities(tables, system_id):
        key = configuration_hash(tables, system_id, facility, rounded, level_m, how)
        path = None if folder is None else folder / f"curve-{code[:12]}-{key[:24]}.json"
        curve = known.get(key) or (None if path is None else _read(path))
        if curve is None:
            say(f"{SIMULATING} {facility}")
            made = facility_curve(tables, system_id, facility, rounded, level_m=level_m, options=how)
            curve = replace(made, configuration=key)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text_whole(path, json.dumps(curve.as_dict()))
        found[facility] = known[key] = curve
    return found


def _read(path: Path) -> FacilityCurve | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return FacilityCurve(**{**kept, "points": tuple(kept["points"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Handover:
    """Puts simulated capacities and curves in the place of nominal ones, year by year; outlooks side by side may share one.

    Args:
        corridor: The corridor.
        scenario: Whose base year says how goods share facilities.
        routes: Routes to share.
        options: How is simulated.
        tell: Is told how far it is.
    """

    def __init__(
        self,
        corridor: Corridor,
        scenario: Scenario,
        routes: RouteMemory,
        options: HandoverOptions = RUN_OPTIONS,
        tell: Progress | None = None,
    ) -> None:
        base = apply(scenario, corridor, year=corridor.manifest.base_year)
        cleared = clear(base, routes=routes, co2_price_usd_per_t=corridor.manifest.co2_price_usd_per_t, is_strict=False)
        self.options, self.tell = options, tell
        self.loads = {system: crossing_loads(cleared, system) for system in corridor.tables["systems"]["system_id"].to_list()}
        self._kept: dict[str, FacilityCurve] = {}
        self._turn = Lock()
        self._years: dict[int, list[tuple[Mapping[str, pl.DataFrame], dict[str, FacilityCurve]]]] = {}
        self._used: dict[tuple[str, int], list[dict[str, Any]]] = {}
        effective = _effective(base)
        self.base = {name: effective[name] / curve.saturation for name, curve in self.curves(base).items() if curve.saturation > 0.0}

    def curves(self, snapshot: Snapshot) -> dict[str, FacilityCurve]:
        """What is simulated in a year, all systems."""
        level_m = sea_level_m(snapshot.tables["sea_levels"], None, snapshot.year)
        with self._turn:  # threads are taken inside, and what one outlook finds another need not
            for tables, found in self._years.setdefault(snapshot.year, []):
                if is_same_system(tables, snapshot.tables):
                    return found
            found = {}
            for system, loads in self.loads.items():
                found |= system_curves(
                    snapshot.tables, system, loads, level_m=level_m, options=self.options, tell=self.tell, kept=self._kept
                )  # fmt: skip
            self._years[snapshot.year].append((snapshot.tables, found))
        return found

    def __call__(self, snapshot: Snapshot, *, case: str = "") -> Snapshot:
        """The snapshot with what was simulated; with a case, what was used is remembered for it."""
        curves = self.curves(snapshot)
        if case:
            nominal = _effective(snapshot)
            self._used[case, snapshot.year] = [
                {"case": case, "year": snapshot.year, **used_row(curve, nominal[name], self.base.get(name, 1.0))}
                for name, curve in curves.items()
            ]
        return replace(snapshot, tables=with_handover(snapshot.tables, curves, self.base))

    def bases(self, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
        """What simulated capacities of a nominal snapshot rest on, by facility."""
        nominal = _effective(snapshot)
        return {name: simulated_basis(curve, nominal[name]) for name, curve in self.curves(snapshot).items()}

    def used(self) -> pl.DataFrame:
        """What every case and year was given, columns as USED."""
        rows = [row for key in sorted(self._used) for row in self._used[key]]
        return pl.DataFrame(rows, schema=USED)

    def as_manifest(self) -> dict[str, Any]:
        """What a run's manifest says of it."""
        return {"source": SIMULATED, "loads": self.loads, "options": asdict(replace(self.options, workers=1))}


def _effective(snapshot: Snapshot) -> dict[str, float]:
    facilities = snapshot.tables["facilities"]
    return dict(zip(facilities["facility_id"], effective_capacity(facilities).tolist(), strict=True))


def handover_of(prepared: Prepared, routes: RouteMemory, tell: Progress | None = None) -> Handover | None:
    """What gives a case its simulated capacities, or None where nominal ones hold. The base year of the baseline says how goods share them.

    Args:
        prepared: Corridor and scenario, with which capacities.
        routes: Routes to share.
        tell: Is told how far it is.
    """
    if prepared.capacities != SIMULATED:
        return None
    how = replace(RUN_OPTIONS, workers=os.cpu_count() or 1)
    return Handover(prepared.corridor, load_scenario(prepared.corridor.manifest.baseline, prepared.corridor), routes, how, tell)


def handed(prepared: Prepared, snapshot: Snapshot, routes: RouteMemory, tell: Progress | None = None) -> Snapshot:
    """A snapshot with the capacities that are asked for."""
    hand_over = handover_of(prepared, routes, tell)
    return snapshot if hand_over is None else hand_over(snapshot)


def nominal_and_simulated(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    years: Sequence[int],
    options: ScenarioOptions | None = None,
    how: HandoverOptions = RUN_OPTIONS,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The market of a scenario with nominal capacities and with simulated ones, side by side.

    Constants stay as they were fitted with nominal capacities, so that the difference is that of capacities, waits and spreads alone. Which
    facility makes it is told by `given_back_mt`: what the corridor carries more, million tonnes, if that one alone has its nominal
    capacity and wait again; they need not add up, and are told of those that are full in either.

    Args:
        corridor: The corridor.
        scenario: Scenario id; by default the corridor's headline scenario.
        years: Calendar years.
        options: Measures added or taken out, values set, an overlay.
        how: How is simulated.
        routes: Routes to share.
        progress: Called with a line of text.

    Returns:
        By year: tonnes, boxes and crude on the corridor, nominal and simulated. By year and facility: capacity and use of both, half the
        95% interval of the simulated capacity, and given_back_mt (None where it was not asked).

    Raises:
        DataError: The case has no system to simulate.
    """
    say, manifest = progress or silent, corridor.manifest
    if corridor.tables["systems"].is_empty():
        raise DataError(Problem("systems", None, None, "has no rows, must have one to simulate"))
    prepared = prepare(corridor, scenario or manifest.headline_scenario, options or ScenarioOptions())
    memory = routes or RouteMemory(folder=cache_folder())
    price = manifest.co2_price_usd_per_t
    hand_over = Handover(prepared.corridor, prepared.scenario, memory, how, progress)
    totals, facilities = [], []
    for snapshot in apply_years(prepared.scenario, prepared.corridor, list(years)):
        found = {}
        for label, seen in (("nominal", snapshot), ("simulated", hand_over(snapshot))):
            say(f"{snapshot.year} {label}")
            cleared = clear(seen, routes=memory, co2_price_usd_per_t=price, is_strict=False)
            found[label] = year_result(
                cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=False
            )
        names = ("corridor_mt", "containers_teu", "crude_mt")
        totals.append(
            {"year": snapshot.year, **{f"{label}_{name}": getattr(result, name) for name in names for label, result in found.items()}}
        )
        simulated = hand_over.curves(snapshot)
        uses = {label: {row["facility_id"]: row for row in result.facilities.rows(named=True)} for label, result in found.items()}
        for name, curve in simulated.items():
            given_back = None
            if any(of[name]["shadow_price_usd_per_t"] > PRICE_FLOOR_USD_PER_T for of in uses.values()):
                others = {other: found_curve for other, found_curve in simulated.items() if other != name}
                one = replace(snapshot, tables=with_handover(snapshot.tables, others, hand_over.base))
                again = year_result(
                    clear(one, routes=memory, co2_price_usd_per_t=price, is_strict=False),
                    headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=False,
                )  # fmt: skip
                given_back = again.corridor_mt - found["simulated"].corridor_mt
            row: dict[str, object] = {
                "year": snapshot.year, "facility_id": name, "unit": curve.unit, "saturation_half": curve.saturation_half,
                "given_back_mt": given_back,
            }  # fmt: skip
            for label, of in uses.items():
                row |= {f"{label}_{what}": of[name][what] for what in ("capacity", "flow", "turned_away", "shadow_price_usd_per_unit")}
            facilities.append(row)
    return pl.DataFrame(totals), pl.DataFrame(facilities, infer_schema_length=None)
