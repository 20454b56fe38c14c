"""What the simulation hands to the market: how much a facility can do at most, and how the wait grows as it fills."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import nnls

from karvan.simulation import _state_kernels as k
from karvan.simulation.facility_cases import FacilityCase, facility_case, line_case, loads_at, mix_of, own_streams, relieved, varied
from karvan.simulation.replicate import Period, Replication, replicate
from karvan.simulation.statistics import Interval, interval
from karvan.simulation.system import HOURS_A_YEAR, Built, build

FloatArray = npt.NDArray[np.float64]
STEEPEST_USE = 0.95
"""Use of saturation up to which the curve is fitted; above it its tangent is taken."""
_USUAL_USE = 0.7
_FLEET_FACTOR = 4.0
_SPARE_SHIPS = 1.25
_KAPPAS = np.arange(1.0, 12.01, 0.05)


@dataclass(frozen=True)
class HandoverOptions:
    """How saturation and curve are found.

    Attributes:
        seed: Of all chance.
        replications: Of each design.
        warm_d: Days before a design counts.
        loads: Uses of saturation at which the wait is measured.
        variants: Facility as it is, with a ship or server less, and with less payload; the curve is fitted over all.
        workers: Threads.
    """

    seed: int = 1
    replications: int = 20
    warm_d: int = 90
    loads: tuple[float, ...] = (0.1, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    variants: tuple[str, ...] = ("as it is", "fewer", "lighter")
    workers: int = field(default=1, compare=False)


@dataclass(frozen=True)
class FacilityCurve:
    """What a facility can do and how the wait at it grows.

    d(rho) = d0 + eta s rho^kappa / (1 - rho), up to a use of 0.95 and by its tangent above: convex for kappa >= 1 and eta >= 0.

    Attributes:
        facility_id: The facility.
        unit: Of its capacity, thousands a year.
        is_berth: Its capacity is that of berths, and its wait that of ships for them; else of ships or tracks, and of goods.
        saturation: Most that it can do in a year, in `unit`.
        saturation_half: Half the 95% interval of that mean.
        base_wait_h: d0.
        eta_s_h: eta s.
        kappa: Exponent.
        fit_error_h: Root mean square of what the curve misses, over all designs.
        sd_h: Standard deviation of the transit of what passes, at a use of 0.7; 0 of berths.
        points: Use, mean wait and half its 95% interval of each design, with its variant.
        configuration: Hash of all that the curve depends on; empty where none was asked for.
    """

    facility_id: str
    unit: str
    is_berth: bool
    saturation: float
    saturation_half: float
    base_wait_h: float
    eta_s_h: float
    kappa: float
    fit_error_h: float
    sd_h: float
    points: tuple[dict[str, Any], ...]
    configuration: str = ""

    def wait_h(self, use: float) -> float:
        """Mean wait at a use of saturation."""
        inside = min(use, STEEPEST_USE)
        free = 1.0 - inside
        slope = self.eta_s_h * inside ** (self.kappa - 1.0) * (self.kappa * free + inside) / free**2 if inside > 0.0 else 0.0
        return float(self.base_wait_h + self.eta_s_h * inside**self.kappa / free + slope * (use - inside))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"points": [dict(point) for point in self.points]}


def configuration_hash(
    tables: Mapping[str, pl.DataFrame], system_id: str, facility_id: str, loads: Mapping[str, float], level_m: float | None,
    options: HandoverOptions,
) -> str:  # fmt: skip
    """Hash of all that the curve of a facility depends on: the compiled model of its lines or stages, the loads that share it, and how it
    is found. What does not touch it, as ships of another shore, or water that is deep enough, leaves it as it is.
    """
    case = facility_case(tables, system_id, facility_id, loads)
    built = build(tables, system_id, {name: max(load, 1.0) for name, load in case.loads.items()}, level_m=level_m, only=case.only)
    system, shared = built.system, {stream.arrival_id: case.loads[stream.arrival_id] for stream in built.streams}
    content = [
        facility_id, case.unit, case.is_berth, case.berths, sorted(case.weights.items()), sorted(shared.items()),
        asdict(replace(options, workers=1)), system.names, built.streams, built.calls, sorted(built.ships.items()),
        sorted(built.sailing_h.items()),
    ]  # fmt: skip
    digest = hashlib.sha256(repr(content).encode("utf-8"))
    for array in (system.things, system.values, system.start, system.start_h):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def simulated_facilities(tables: Mapping[str, pl.DataFrame], system_id: str) -> list[str]:
    """Facilities whose capacity a system simulates, in the order of their table."""
    crossings = tables["crossings"].filter(pl.col("system_id") == system_id)
    called = {
        berth.strip()
        for text in tables["calls"].filter(pl.col("crossing_id").is_in(crossings["crossing_id"].implode()))["berths"]
        for berth in text.split(";")
    }
    found = set(crossings["facility_id"].drop_nulls())
    found |= set(tables["berths"].filter(pl.col("berth_id").is_in(sorted(called)))["facility_id"].drop_nulls())
    found |= set(tables["passages"].filter(pl.col("system_id") == system_id)["facility_id"].drop_nulls())
    return [name for name in tables["facilities"]["facility_id"] if name in found]


def facility_curve(
    tables: Mapping[str, pl.DataFrame], system_id: str, facility_id: str, loads: Mapping[str, float], *, level_m: float | None,
    options: HandoverOptions | None = None,
) -> FacilityCurve:  # fmt: skip
    """Saturation and delay curve of a facility as it stands.

    Saturation is what passes in a year when there is always more to carry: of the facility's own ships with their berths shared as they
    are, or of its berths with four times the ships and room at the other ends. Waits are those of the goods for ships, or of ships for
    berths with ships for a quarter more than comes, at uses of that saturation.

    Args:
        tables: Of the snapshot.
        system_id, facility_id: Which.
        loads: Units a year of each stream; they say how goods share the facility.
        level_m: Level of the sea.
        options: How.
    """
    how = options or HandoverOptions()
    case = facility_case(tables, system_id, facility_id, loads)
    reached = interval(_saturation(case, tables, system_id, level_m, how))
    points: list[dict[str, Any]] = []
    for variant in how.variants:
        changed = varied(tables, case, variant)
        most = reached.mean if variant == "as it is" else float(_saturation(case, changed, system_id, level_m, how).mean())
        fleet = float(_saturation(case, changed, system_id, level_m, how, factor=None).mean()) if case.is_berth else math.inf
        for use in how.loads:
            points.append({"variant": variant, **_point(case, changed, system_id, level_m, how, most, fleet, use)})
    uses = np.array([point["use_share"] for point in points])
    waits = np.array([point["wait_h"] for point in points])
    base, eta_s, kappa, error = fit_curve(uses, waits)
    sd = 0.0 if case.is_berth else _spread_h(case, tables, system_id, level_m, how, reached.mean)
    return FacilityCurve(
        facility_id, case.unit, case.is_berth, reached.mean, reached.half_width, base, eta_s, kappa, error, sd, tuple(points)
    )


def saturation(
    tables: Mapping[str, pl.DataFrame], system_id: str, facility_id: str, loads: Mapping[str, float], *, level_m: float | None,
    options: HandoverOptions | None = None,
) -> Interval:  # fmt: skip
    """Saturation alone, with its interval; arguments as for `facility_curve`."""
    return interval(saturations(tables, system_id, facility_id, loads, level_m=level_m, options=options))


def saturations(
    tables: Mapping[str, pl.DataFrame], system_id: str, facility_id: str, loads: Mapping[str, float], *, level_m: float | None,
    options: HandoverOptions | None = None,
) -> FloatArray:  # fmt: skip
    """Saturation of each replication, shape (replications,): designs under the same chance are compared pair by pair."""
    return _saturation(facility_case(tables, system_id, facility_id, loads), tables, system_id, level_m, options or HandoverOptions())


def line_saturations(
    tables: Mapping[str, pl.DataFrame], system_id: str, crossing_id: str, loads: Mapping[str, float], *, level_m: float | None,
    options: HandoverOptions | None = None,
) -> FloatArray:  # fmt: skip
    """Most units a year that the ships of a line carry in its busier direction, by replication, shape (replications,).

    Args:
        tables, system_id, loads, level_m, options: As for `facility_curve`.
        crossing_id: The line, whether it is a facility or not.
    """
    return _saturation(line_case(tables, system_id, crossing_id, loads), tables, system_id, level_m, options or HandoverOptions())


def fit_curve(uses: FloatArray, waits: FloatArray) -> tuple[float, float, float, float]:
    """d0, eta s and kappa of d(rho) = d0 + eta s rho^kappa / (1 - rho) by least squares, d0 and eta s zero or more, kappa 1 or more.

    Args:
        uses: rho of each design, below 1, shape (designs,).
        waits: Mean wait, hours, shape (designs,).

    Returns:
        d0, eta s, kappa and the root mean square of what is missed.
    """
    best: tuple[float, float, float, float] | None = None
    for kappa in _KAPPAS.tolist():
        terms = np.stack([np.ones_like(uses), uses**kappa / (1.0 - uses)], axis=1)
        found, left = nnls(terms, waits)
        if best is None or left < best[3]:
            best = (float(found[0]), float(found[1]), kappa, float(left))
    assert best is not None
    return best[0], best[1], best[2], best[3] / math.sqrt(uses.shape[0])


def with_handover(
    tables: Mapping[str, pl.DataFrame], curves: Mapping[str, FacilityCurve], base: Mapping[str, float]
) -> dict[str, pl.DataFrame]:
    """Tables of a snapshot in which facilities have what was simulated in place of nominal values.

    A curve of the market has the same form, eta = v / m and kappa = sqrt(2 (m + 1)) - 1, so that servers, hours and variability are found
    that give it exactly. The wait for a berth is in the wait for the ships of a line, so berths of lines that are facilities themselves
    delay nobody a second time. The spread of a line stands half at each of its ports. The use at which the
    hours of the case hold keeps its flow: reference share x base saturation is what it was. What is simulated counts as an estimate, as
    most of what it rests on.

    Args:
        tables: Of the snapshot.
        curves: What was simulated, by facility.
        base: Effective capacity in the base year of what the market had, over saturation simulated for it, by facility.
    """
    facilities, delays = tables["facilities"].to_dicts(), tables["delay_curves"].to_dicts()
    for row in facilities:
        curve = curves.get(row["facility_id"])
        if curve is not None:
            row |= {
                "nominal": curve.saturation,
                "availability_share": 1.0,
                "payload_share": 1.0,
                "peak_factor": 1.0,
                "confidence": "estimate",
            }
    served = _served_by_lines(tables)
    for row in delays:
        curve = curves.get(row["facility_id"])
        if curve is not None:
            servers = (curve.kappa + 1.0) ** 2 / 2.0 - 1.0
            variability = 0.0 if row["facility_id"] in served else curve.eta_s_h * servers
            share = min(1.0, row["reference_use_share"] * base.get(row["facility_id"], 1.0))
            row |= {"servers_count": servers, "service_time_h": 1.0, "variability_ratio": variability, "reference_use_share": share}
    terminals = tables["terminals"].to_dicts()
    links = {row["link_id"]: row for row in tables["links"].rows(named=True)}
    for line in tables["crossings"].rows(named=True):
        curve, link = curves.get(line["facility_id"] or ""), links[line["link_id"]]
        if curve is not None and curve.sd_h > 0.0:
            for row in terminals:
                if row["place_id"] in (link["from_place"], link["to_place"]) and link["mode"] in (row["from_mode"], row["to_mode"]):
                    row["time_sd_h"] = curve.sd_h / math.sqrt(2.0)
    return {
        **tables,
        "terminals": pl.DataFrame(terminals, schema=tables["terminals"].schema),
        "facilities": pl.DataFrame(facilities, schema=tables["facilities"].schema),
        "delay_curves": pl.DataFrame(delays, schema=tables["delay_curves"].schema),
    }


def _served_by_lines(tables: Mapping[str, pl.DataFrame]) -> set[str]:
    """Facilities of berths at which a line calls that is a facility itself."""
    lines = set(tables["crossings"].filter(pl.col("facility_id").is_not_null())["crossing_id"])
    called = {word.strip() for row in tables["calls"].rows(named=True) if row["crossing_id"] in lines for word in row["berths"].split(";")}
    return {row["facility_id"] for row in tables["berths"].rows(named=True) if row["berth_id"] in called and row["facility_id"] is not None}


def _run(
    case: FacilityCase, tables: Mapping[str, pl.DataFrame], system_id: str, level_m: float | None, how: HandoverOptions,
    loads: Mapping[str, float], endless: frozenset[str], *, factor: float | None = None, has_records: bool = False,
) -> tuple[Built, list[Replication]]:  # fmt: skip
    """Replications of the lines of a facility; of berths with `factor` times the ships, or wide enough never to bind where it is None."""
    free = {**tables, "arrivals": tables["arrivals"].with_columns(ban_above_count=pl.lit(None, dtype=pl.Float64))}
    built = build(
        relieved(free, case, is_whole=factor is None), system_id, loads, level_m=level_m, endless=endless, only=case.only,
        ships_factor=factor if case.is_berth and factor is not None else 1.0,
    )  # fmt: skip
    period = Period(24.0 * how.warm_d, HOURS_A_YEAR)
    return built, replicate(
        built.system, period, seed=how.seed, replications=range(how.replications), workers=how.workers, has_records=has_records
    )


def _used(case: FacilityCase, built: Built, runs: list[Replication]) -> FloatArray:
    """Use of the facility a year, by replication."""
    rows = {name: built.system.row("line", name) for name in case.weights}
    return np.array([sum(case.weights[name] * float(run.state.values[row + k.G_OUT]) for name, row in rows.items()) for run in runs])


def _saturation(
    case: FacilityCase, tables: Mapping[str, pl.DataFrame], system_id: str, level_m: float | None, how: HandoverOptions,
    *, factor: float | None = _FLEET_FACTOR,
) -> FloatArray:  # fmt: skip
    """Most that passes in a year: the stream that fills ships is endless, what goes the other way keeps its proportion to it."""
    mix = mix_of(case)
    most = max(mix, key=lambda name: mix[name] * case.weights[name])
    lines = {row["arrival_id"]: (row["crossing_id"], row["place_id"]) for row in tables["arrivals"].rows(named=True)}
    leads = {
        name
        for name in case.weights
        if lines[name][0] is None or mix[name] >= max(mix[other] for other in case.weights if lines[other][0] == lines[name][0])
    }
    endless = frozenset(leads) if case.is_berth else frozenset({most})
    loads = dict(case.loads)
    own = own_streams(case, tables, lines)
    for _ in range(2):
        built, runs = _run(case, tables, system_id, level_m, how, loads, endless, factor=factor)
        reached = {name: float(np.mean([run.state.values[built.system.row("line", name) + k.G_OUT] for run in runs])) for name in endless}
        for name in own - endless:
            leader = next((other for other in endless if lines[other][0] == lines[name][0]), most)
            share = case.loads[name] / case.loads[leader] if case.loads.get(leader, 0.0) > 0.0 else 1.0
            loads[name] = reached[leader] * min(share, 1.0)
    built, runs = _run(case, tables, system_id, level_m, how, loads, endless, factor=factor)
    return _used(case, built, runs)


def _point(
    case: FacilityCase, tables: Mapping[str, pl.DataFrame], system_id: str, level_m: float | None, how: HandoverOptions, most: float,
    fleet: float, use: float,
) -> dict[str, Any]:  # fmt: skip
    """Mean wait at a use: of what passes, from the mean inside by Little's law; of ships for a berth, where the facility is berths."""
    lines = {row["arrival_id"]: (row["crossing_id"], row["place_id"]) for row in tables["arrivals"].rows(named=True)}
    loads = loads_at(case, tables, use * most)
    built, runs = _run(case, tables, system_id, level_m, how, loads, frozenset(), factor=_SPARE_SHIPS * use * most / fleet)
    if case.is_berth:
        steps = [built.system.row("step", call.wait_step) for call in built.calls if set(call.berths) & set(case.berths)]
        waits = [
            sum(float(run.state.values[step + k.S_WAIT]) for step in steps)
            / max(1, sum(int(run.state.things[step + k.S_COUNT]) for step in steps))
            for run in runs
        ]  # fmt: skip
    else:
        first = round(24.0 * how.warm_d / 24.0)
        places = [place for place, stream in enumerate(built.streams) if stream.arrival_id in case.weights]
        rows = [built.system.row("line", built.streams[place].arrival_id) for place in places]
        mine = [hours for name, hours in built.sailing_h.items() if name in {lines[stream][0] for stream in case.weights}]
        moving_h = sum(mine) / max(1, len(mine))
        waits = []
        for run in runs:
            inside = sum(float(run.series[place, first:].mean()) for place in places)
            out = sum(float(run.state.values[row + k.G_OUT]) for row in rows)
            waits.append(max(0.0, inside / max(out, 1e-12) * HOURS_A_YEAR - moving_h))
    found = interval(waits)
    return {"use_share": use, "wait_h": found.mean, "wait_half_h": found.half_width}


def _spread_h(
    case: FacilityCase, tables: Mapping[str, pl.DataFrame], system_id: str, level_m: float | None, how: HandoverOptions, most: float
) -> float:
    """Standard deviation of the transit of what is counted, at a use of 0.7."""
    loads = loads_at(case, tables, _USUAL_USE * most)
    built, runs = _run(case, tables, system_id, level_m, how, loads, frozenset(), has_records=True)
    rows = [built.system.row("line", name) for name in case.weights]
    record = np.concatenate([run.record for run in runs])
    record = record[np.isin(record[:, 1], rows)]
    if record.shape[0] == 0:
        return 0.0
    weight, hours = record[:, 2] / record[:, 2].sum(), record[:, 0] - record[:, 3]
    return float(np.sqrt(weight @ (hours - weight @ hours) ** 2))
