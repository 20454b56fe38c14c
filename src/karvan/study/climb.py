"""The ladder: what binds between today's volume and a target."""

from __future__ import annotations

import numpy as np

from karvan.assignment import Rung, as_is_ladder, relieved_ladder
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Measure
from karvan.measures.apply import apply
from karvan.results import Ladder, LadderRung, YearResult
from karvan.results.outlook import CORRIDOR_FLOOR_SHARE
from karvan.study.clear import Cleared, clear
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.relief import corridor_vector, relief_table
from karvan.study.year import year_result


def ladder(
    corridor: Corridor,
    *,
    to_mt: float,
    scenario: str | None = None,
    year: int | None = None,
    options: ScenarioOptions | None = None,
    progress: Progress | None = None,
) -> Ladder:
    """Both ladders of a scenario in a year.

    The scale acts on every market with a route of the headline cordon's family in the base year, that is, with a share above zero.

    Args:
        corridor: The corridor.
        to_mt: Tonnes over the headline cordon without limits at which the ladder ends, million.
        scenario: Scenario id; by default the corridor's baseline.
        year: Calendar year; by default the base year.
        options: Measures added or taken out, values set, an overlay.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or the target lies below what would move without limits.
    """
    tell = progress or silent
    manifest = corridor.manifest
    year = manifest.base_year if year is None else year
    prepared = prepare(corridor, scenario or manifest.baseline, options or ScenarioOptions())
    cleared = clear(
        apply(prepared.scenario, prepared.corridor, year=year), co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False
    )
    result = year_result(cleared, headline_cordon=manifest.headline_cordon, crude_commodity=manifest.crude_commodity)
    if result.corridor_latent_mt >= to_mt:
        message = f"to_mt is {to_mt:g}, must be above {result.corridor_latent_mt:.3f} Mt, which would move in {year} if nothing were full"
        raise DataError(Problem("command line", None, "to_mt", message))
    vector = corridor_vector(cleared, manifest.headline_cordon)
    scales = np.zeros(cleared.problem.market_flow_kt.shape[0], dtype=np.bool_)
    scales[np.unique(cleared.assembly.market_of_route[vector > 0])] = True
    tell("climbing with all limits standing")
    as_is = as_is_ladder(cleared.problem, scales, vector, target_kt=to_mt * 1e3)
    tell("climbing with limits lifted one by one")
    relieved = relieved_ladder(cleared.problem, scales, vector, target_kt=to_mt * 1e3)
    reliefs = relief_table(prepared.corridor, prepared.scenario)
    return Ladder(
        scenario_id=prepared.scenario.scenario_id,
        year=year,
        to_mt=to_mt,
        today_mt=result.corridor_mt,
        market_scale=max([rung.market_scale for rung in (*as_is, *relieved)], default=1.0),
        as_is=_named(cleared, result, as_is, reliefs),
        relieved=_named(cleared, result, relieved, reliefs),
    )


def _named(cleared: Cleared, result: YearResult, rungs: list[Rung], reliefs: dict[str, list[Measure]]) -> tuple[LadderRung, ...]:
    table = cleared.routed.snapshot.tables["facilities"].rows(named=True)
    corridor_share = result.facilities["corridor_share"].to_list()
    named = []
    for rung in rungs:
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
                next_facility_id=None if rung.next_row is None else table[rung.next_row]["facility_id"],
                is_public=row["is_public"],
                is_on_corridor=corridor_share[rung.row] >= CORRIDOR_FLOOR_SHARE,
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
        return float(tonnes @ units) / total
    return float(units.mean()) if units.size else 1.0
