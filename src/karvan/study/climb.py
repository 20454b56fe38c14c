"""The ladder: what binds between today's volume and a target."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.assignment import Clearing, Rung, ladders, queued, scaled
from karvan.assignment import clear as clear_market
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Measure
from karvan.measures.apply import apply
from karvan.results import LadderRung, YearResult
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE
from karvan.study.clear import Cleared, clear, lifted, time_values_usd_per_t_h
from karvan.study.drawing import ShownLadder
from karvan.study.handed_over import handover_of
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.relief import capacity_bases, corridor_vector, relief_table
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.year import year_result
from karvan.sums import weighted_sum

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# The two ladders are climbed at once; neither reads anything of the other.
_WORKERS = 2
_MOST_PAYERS = 4
_PAYER_FLOOR_SHARE = 0.05


def ladder(
    corridor: Corridor,
    *,
    to_mt: float,
    scenario: str | None = None,
    year: int | None = None,
    options: ScenarioOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> ShownLadder:
    """Both ladders of a scenario in a year.

    The scale acts on every market with a route of the headline cordon's family in the base year, that is, with a share above zero.

    Args:
        corridor: The corridor.
        to_mt: Tonnes over the headline cordon without limits at which the ladder ends, million.
        scenario: Scenario id; by default the corridor's baseline.
        year: Calendar year; by default the base year.
        options: Measures added or taken out, values set, an overlay.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or the target lies below what would move without limits.
    """
    tell = progress or silent
    manifest = corridor.manifest
    year = manifest.base_year if year is None else year
    prepared = prepare(corridor, scenario or manifest.baseline, options or ScenarioOptions())
    memory = routes or RouteMemory(folder=cache_folder())
    snapshot, bases = apply(prepared.scenario, prepared.corridor, year=year), capacity_bases(prepared.corridor)
    hand_over = handover_of(prepared, memory, progress)
    if hand_over is not None:
        snapshot, bases = hand_over(snapshot), bases | hand_over.bases(snapshot)
    cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    result = year_result(cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity, has_queue=False)
    if result.corridor_latent_mt >= to_mt:
        message = f"to_mt is {to_mt:g}, must be above {result.corridor_latent_mt:.3f} Mt, which would move in {year} if nothing were full"
        raise DataError(Problem("command line", None, "to_mt", message))
    vector = corridor_vector(cleared, manifest.headline_cordon)
    scales = np.zeros(cleared.problem.market_flow_kt.shape[0], dtype=np.bool_)
    scales[np.unique(cleared.assembly.market_of_route[vector > 0])] = True
    tell("climbing with all limits standing, and with limits lifted one by one")
    as_is, relieved = ladders(cleared.problem, scales, vector, target_kt=to_mt * 1e3, threads=_WORKERS)
    tell("what relief is worth where scarcity is a queue")
    queue = _QueueGains(cleared, scales, max([rung.market_scale for rung in (*as_is, *relieved)], default=1.0))
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="ladder") as pool:
        queue_gains = [pool.submit(gains, rungs) for gains, rungs in ((queue.alone, as_is), (queue.in_turn, relieved))]
        alone, in_turn = (found.result() for found in queue_gains)
    reliefs = relief_table(prepared.corridor, prepared.scenario)
    return ShownLadder(
        scenario_id=prepared.scenario.scenario_id,
        year=year,
        to_mt=to_mt,
        today_mt=result.corridor_mt,
        market_scale=max([rung.market_scale for rung in (*as_is, *relieved)], default=1.0),
        as_is=_named(cleared, result, as_is, reliefs, bases, alone),
        relieved=_named(cleared, result, relieved, reliefs, bases, in_turn),
    )


class _QueueGains:
    """What lifting limits gains where scarcity is a queue that nobody earns, thousand USD a year, delays as they are."""

    def __init__(self, cleared: Cleared, scales: BoolArray, scale: float) -> None:
        problem = queued(cleared.problem, time_values_usd_per_t_h(cleared.assembly, cleared.routed.snapshot.tables))
        self.problem = scaled(problem, np.where(scales, scale, 1.0))
        self.standing = clear_market(self.problem)

    def _after(self, rows: list[int], near: Clearing) -> Clearing:
        return clear_market(lifted(self.problem, rows), start=near.row_price_usd_per_unit)

    def alone(self, rungs: list[Rung]) -> list[float]:
        """Gain of lifting each rung alone."""
        return [self._after([rung.row], self.standing).welfare_kusd - self.standing.welfare_kusd for rung in rungs]

    def in_turn(self, rungs: list[Rung]) -> list[float]:
        """Gain of lifting each rung with those before it lifted."""
        steps = [self.standing]
        for count in range(len(rungs)):
            steps.append(self._after([rung.row for rung in rungs[: count + 1]], steps[-1]))
        return [after.welfare_kusd - before.welfare_kusd for before, after in pairwise(steps)]


def payers(cleared: Cleared, paid_kusd: FloatArray) -> tuple[dict[str, Any], ...]:
    """Who pays what part, by origin, destination and goods, the most first; those below a twentieth are left to the rest."""
    assembly = cleared.assembly
    paid = paid_kusd[: assembly.goods_count]
    total = float(paid.sum())
    if not total > 0.0:
        return ()
    parts: dict[tuple[str, str, str], float] = {}
    labels = zip(assembly.market_origin, assembly.market_destination, assembly.market_commodity, strict=True)
    for key, amount in zip(labels, paid.tolist(), strict=True):
        parts[key] = parts.get(key, 0.0) + amount / total
    ordered = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    names = ("origin_region", "destination_region", "commodity_group")
    return tuple(
        {**dict(zip(names, key, strict=True)), "share": share} for key, share in ordered[:_MOST_PAYERS] if share >= _PAYER_FLOOR_SHARE
    )


def _named(
    cleared: Cleared,
    result: YearResult,
    rungs: list[Rung],
    reliefs: dict[str, list[Measure]],
    bases: dict[str, dict[str, Any]],
    queue_gains: list[float],
) -> tuple[LadderRung, ...]:
    table = cleared.routed.snapshot.tables["facilities"].rows(named=True)
    corridor_share = result.facilities["corridor_share"].to_list()
    named = []
    for rung, queue_kusd in zip(rungs, queue_gains, strict=True):
        if rung.row >= cleared.assembly.facility_count:
            continue
        row = table[rung.row]
        measures = reliefs.get(row["facility_id"], [])
        best = measures[0] if measures else None
        named.append(
            LadderRung(
                rung=rung.rung,
                market_scale=rung.market_scale,
                latent_mt=rung.latent_kt / 1e3,
                realised_mt=rung.realised_kt / 1e3,
                facility_id=row["facility_id"],
                facility_name=row["name"],
                shadow_price_usd_per_unit=rung.price_usd_per_unit,
                shadow_price_usd_per_t=rung.price_usd_per_unit * _units_per_t(cleared, rung.row),
                relief_measure_id=best.id if best else None,
                relief_measure_title=best.title if best else None,
                relief_cost_musd=best.capital_musd if best else None,
                relief_is_operating=bool(best and best.is_operating),
                gain_mt=rung.gain_kt / 1e3,
                gain_musd_per_year=rung.gain_kusd / 1e3,
                is_alone_useless=rung.is_alone_useless,
                next_facility_id=None if rung.next_row is None or rung.next_row >= len(table) else table[rung.next_row]["facility_id"],
                is_public=row["is_public"],
                is_on_corridor=corridor_share[rung.row] >= CORRIDOR_FLOOR_SHARE,
                gain_queue_musd_per_year=queue_kusd / 1e3,
                tied_facility_ids=tuple(table[other]["facility_id"] for other in rung.tied_rows if other < len(table)),
                paid_by=payers(cleared, rung.paid_kusd),
                earned_by=row["operator_id"],
                rests_on=bases[row["facility_id"]],
            )
        )
    return tuple(named)


def _units_per_t(cleared: Cleared, row: int) -> float:
    """Mean units of a facility that a tonne uses in the cleared year."""
    entries, flow = cleared.routed.entries, cleared.set_flow_kt
    of_row = entries.entry_row == row
    tonnes = np.repeat(flow, np.diff(entries.route_first_entry))[of_row]
    total = float(tonnes.sum())
    units = entries.entry_units_per_t[of_row]
    if total > 0:
        return weighted_sum(tonnes, units) / total
    return float(units.mean()) if units.size else 1.0
