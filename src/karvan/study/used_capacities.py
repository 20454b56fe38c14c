"""Simulated capacities that a saved run used: read back, laid over its years, and held against the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from karvan.corridor import Snapshot
from karvan.network import sea_level_m
from karvan.results import SavedRun
from karvan.simulation import FacilityCurve, HandoverOptions, configuration_hash, simulated_facilities, with_handover
from karvan.study.options import NOMINAL, SIMULATED
from karvan.validation import UsedCapacities

USED: Mapping[str, Any] = {
    "case": pl.String, "year": pl.Int64, "facility_id": pl.String, "source": pl.String, "configuration": pl.String, "unit": pl.String,
    "is_berth": pl.Boolean, "nominal": pl.Float64, "saturation": pl.Float64, "saturation_half": pl.Float64, "base_wait_h": pl.Float64,
    "eta_s_h": pl.Float64, "kappa": pl.Float64, "fit_error_h": pl.Float64, "sd_h": pl.Float64, "base_ratio": pl.Float64,
}  # fmt: skip
"""Frame `capacities` of a run: for each case and year what a facility was given in place of its nominal capacity, with half the 95%
interval, its delay curve, the hash of the configuration that was simulated, and nominal over simulated capacity of the base year."""
_NOTE = "Simulated, with ships, berths, weather and water of the year (95% interval of the mean); nominal: {nominal:,.4g} {unit}."
SIMULATED_TABLES = ("berths", "crossings", "calls", "ships", "passages", "arrivals", "closures", "links")
"""What a simulation reads of a year, the level of the sea apart."""
_CURVE = ("facility_id", "unit", "is_berth", "saturation", "saturation_half", "base_wait_h", "eta_s_h", "kappa", "fit_error_h", "sd_h")


def used_row(curve: FacilityCurve, nominal: float, base_ratio: float) -> dict[str, Any]:
    """A row of `capacities` but for its case and year.

    Args:
        curve: What was simulated.
        nominal: Effective capacity by the tables.
        base_ratio: Nominal over simulated capacity in the base year.
    """
    named = {name: getattr(curve, name) for name in _CURVE}
    return {**named, "source": SIMULATED, "configuration": curve.configuration, "nominal": nominal, "base_ratio": base_ratio}


def is_same_system(ours: Mapping[str, pl.DataFrame], theirs: Mapping[str, pl.DataFrame]) -> bool:
    """Whether two sets of tables are simulated alike, the level of the sea apart."""
    return all(ours[name] is theirs[name] or ours[name].equals(theirs[name]) for name in SIMULATED_TABLES)


def simulated_basis(curve: FacilityCurve, nominal: float) -> dict[str, Any]:
    """What a simulated capacity rests on, in the form of `capacity_bases`.

    Args:
        curve: What was simulated.
        nominal: Effective capacity by the tables.
    """
    ends = {"low": curve.saturation - curve.saturation_half, "high": curve.saturation + curve.saturation_half}
    return {"confidence": "estimate", **ends, "note": _NOTE.format(nominal=nominal, unit=curve.unit)}


def is_simulated(saved: SavedRun) -> bool:
    """Whether a run took simulated capacities."""
    return bool(saved.manifest.get("options", {}).get("capacities", NOMINAL) == SIMULATED)


@dataclass(frozen=True)
class LaidOver:
    """Puts the capacities that a run used over the snapshots of its cases and years; a year that it lacks stays nominal.

    Attributes:
        curves: What was simulated, by case and year, and by facility.
        base: Nominal over simulated capacity of the base year.
    """

    curves: Mapping[tuple[str, int], Mapping[str, FacilityCurve]]
    base: Mapping[str, float]

    def __call__(self, case: str, snapshot: Snapshot) -> Snapshot:
        """The snapshot with them."""
        return replace(snapshot, tables=with_handover(snapshot.tables, self.curves.get((case, snapshot.year), {}), self.base))


def laid_over(saved: SavedRun) -> LaidOver | None:
    """What lays a run's simulated capacities over its years; None of a run with nominal ones.

    Args:
        saved: The run.

    Raises:
        DataError: Its frame is missing or broken.
    """
    if not is_simulated(saved):
        return None
    curves: dict[tuple[str, int], dict[str, FacilityCurve]] = {}
    base: dict[str, float] = {}
    for row in saved.frame("capacities").rows(named=True):
        curve = FacilityCurve(**{name: row[name] for name in _CURVE}, points=(), configuration=row["configuration"])
        curves.setdefault((row["case"], row["year"]), {})[row["facility_id"]] = curve
        base[row["facility_id"]] = row["base_ratio"]
    return LaidOver(curves, base)


def used_capacities(saved: SavedRun) -> UsedCapacities | None:
    """What a run used in place of nominal capacities, ready to be checked; None if it used those.

    Raises:
        DataError: Its frame is missing or broken.
    """
    over = laid_over(saved)
    if over is None:
        return None
    told = saved.manifest["capacities"]
    options: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told["options"].items()}
    how = HandoverOptions(**options)
    rounded = {system: {name: _two_digits(load) for name, load in loads.items()} for system, loads in told["loads"].items()}

    known: dict[int, list[tuple[Mapping[str, pl.DataFrame], dict[str, str]]]] = {}

    def configurations(snapshot: Snapshot) -> dict[str, str]:
        tables, level_m = snapshot.tables, sea_level_m(snapshot.tables["sea_levels"], None, snapshot.year)
        for others, named in known.setdefault(snapshot.year, []):
            if is_same_system(tables, others):
                return named
        named = {
            facility: configuration_hash(tables, system, facility, loads, level_m, how)
            for system, loads in rounded.items()
            for facility in simulated_facilities(tables, system)
        }
        known[snapshot.year].append((tables, named))
        return named

    return UsedCapacities(saved.frame("capacities"), over, configurations)


def _two_digits(load: float) -> float:
    return float(f"{load:.2g}")
