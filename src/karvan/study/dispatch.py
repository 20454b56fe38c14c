"""Power hour by hour in a year of a corridor, and what a line is worth in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.exchange import write_pypsa
from karvan.measures.apply import apply
from karvan.power import (
    HOURS,
    Built,
    Dispatcher,
    GivenSeries,
    Solved,
    Storms,
    curve_rows,
    line_rows,
    power_system,
    profile_rows,
    surpluses_musd,
    technology_rows,
    zone_rows,
)
from karvan.power.money import PARTIES
from karvan.results import Dispatch
from karvan.study.asked_line import Asked, asked_line, scenario_with_line, with_all_lines
from karvan.study.designs import AS_IT_IS, design_snapshot
from karvan.study.dispatch_storms import storm_rows, storms_of
from karvan.study.dispatch_worth import Terms, credits_mw, size_that_pays, worth_row
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class DispatchOptions:
    """How a dispatch is asked for.

    Attributes:
        seed: Of the weather.
        line: Line whose worth is told; None: the case's.
        size_mw: Its size each way; None: as the case has it.
        sizes_mw: Other sizes at which its worth is told.
        cost_usd_per_kw: What the line costs; None: as the measure that adds it says.
        discount_rate: At which cost is spread over its life.
        life_years: Years that it lasts.
        tries: Designs to hold against the scenario as it is.
        given: Series of the user.
        hours: First hours of the year to solve; all by default.
        draw: Replication of the simulated crossings whose storms the wind goes by, of the same seed; None: wind has chance of its own.
    """

    seed: int = 1
    line: str | None = None
    size_mw: float | None = None
    sizes_mw: tuple[float, ...] = ()
    cost_usd_per_kw: float | None = None
    discount_rate: float = 0.08
    life_years: float = 40.0
    tries: tuple[str, ...] = ()
    given: GivenSeries | None = None
    hours: int = HOURS
    draw: int | None = None


def dispatch(
    corridor: Corridor,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: DispatchOptions | None = None,
    progress: Progress | None = None,
) -> Dispatch:
    """Dispatch the power of a corridor hour by hour in a year, with one line and without it.

    Args:
        corridor: The corridor.
        year: Calendar year; by default the base year.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        how: Weather, line, sizes, cost and designs.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: The corridor has no power zones, or an option does not fit it.
        MeasureError: A measure is unknown or does not fit.
        SolverError: There is no dispatch; names the zone, the hour and the limit.
    """
    say, chosen = progress or silent, how or DispatchOptions()
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    calendar = year or corridor.manifest.base_year
    base = prepared.scenario
    tables: Tables = apply(base, prepared.corridor, year=calendar).tables
    if tables["power_zones"].is_empty():
        raise DataError(Problem("power_zones", None, None, "holds no rows; a power dispatch needs zones, plants and lines"))
    name = chosen.line or prepared.corridor.manifest.power_line
    is_needed = chosen.size_mw is not None or bool(chosen.sizes_mw) or bool(chosen.tries) or chosen.line is not None
    if name is None and is_needed:
        raise DataError(Problem("--line", None, None, "name a line: the case has none of its own to tell the worth of"))
    asked = None
    if name is not None:
        if is_needed and name not in tables["power_lines"]["line_id"]:
            base = scenario_with_line(prepared.corridor, base, name, year=calendar)
            tables = apply(base, prepared.corridor, year=calendar).tables
        if is_needed or name in tables["power_lines"]["line_id"]:
            asked = asked_line(prepared.corridor, tables, name)
    designs = {AS_IT_IS: tables}
    for design in chosen.tries:
        designs[design] = found = design_snapshot(prepared.corridor, base, calendar, design).tables
        if all(found[table].equals(tables[table]) for table in tables if table.startswith("power_")):
            raise DataError(Problem("--try", None, None, f"{design} changes nothing of the power in {calendar}"))
    return _dispatched(
        prepared.corridor, with_all_lines(designs), prepared.scenario.scenario_id, calendar, asked, chosen, prepared.replaced, say
    )


def export_power(
    corridor: Corridor,
    folder: Path,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    seed: int = 1,
    given: GivenSeries | None = None,
    hours: int = HOURS,
    draw: int | None = None,
) -> dict[str, Any]:
    """Write the power system of a year as a PyPSA network, which solves to the same cost.

    Args:
        corridor, year, scenario, options: As for `dispatch`.
        folder: Folder to make.
        seed: Of the weather.
        given: Series of the user.
        hours: First hours of the year to write.
        draw: Replication of the simulated crossings whose storms the wind goes by.

    Returns:
        folder, year, zones, plants, stores, lines and hours.

    Raises:
        DataError: The corridor has no power zones, or the folder is there or cannot be written.
    """
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    calendar = year or corridor.manifest.base_year
    tables = apply(prepared.scenario, prepared.corridor, year=calendar).tables
    storms = None if draw is None else storms_of(tables, seed=seed, draw=draw)[1]
    system = power_system(tables, year=calendar, seed=seed, given=given, storms=storms).system.between(0, hours)
    write_pypsa(folder, system, year=calendar)
    return {
        "folder": str(folder), "year": calendar, "zones": len(system.zone_ids), "plants": len(system.plants.ids),
        "stores": len(system.stores.ids), "lines": len(system.lines.ids), "hours": system.hours,
    }  # fmt: skip


def _built(
    tables: Tables, year: int, chosen: DispatchOptions, asked: Asked | None, size_mw: float | None, storms: Storms | None
) -> Built:  # fmt: skip
    built = power_system(tables, year=year, seed=chosen.seed, given=chosen.given, storms=storms)
    system = built.system.between(0, chosen.hours)
    if asked is not None and size_mw is not None:
        system = system.with_capacity(asked.line_id, size_mw)
    return replace(built, system=system)


def _dispatched(
    corridor: Corridor,
    designs: Mapping[str, Tables],
    scenario_id: str,
    year: int,
    asked: Asked | None,
    chosen: DispatchOptions,
    replaced: Sequence[Mapping[str, Any]],
    say: Progress,
) -> Dispatch:
    size = None if asked is None else (asked.capacity_mw if chosen.size_mw is None else chosen.size_mw)
    terms = Terms.of(asked, chosen.cost_usd_per_kw, chosen.discount_rate, chosen.life_years, chosen.hours)
    dispatcher: Dispatcher | None = None
    first: tuple[Built, Solved] | None = None
    worth: list[dict[str, Any]] = []
    parties: list[dict[str, Any]] = []
    sweep: list[dict[str, Any]] = []
    pays: dict[str, Any] | None = None
    ports, storms = ((), None) if chosen.draw is None else storms_of(designs[AS_IT_IS], seed=chosen.seed, draw=chosen.draw)
    for design, tables in designs.items():
        say(f"{year}, {design}: weather and loads")
        built = _built(tables, year, chosen, asked, size, storms)
        say(f"{year}, {design}: {built.system.hours:,} hours")
        if dispatcher is None:
            dispatcher = Dispatcher(built.system)
        else:
            dispatcher.renew(built.system)
        solved = dispatcher.solve()
        first = first or (built, solved)
        if asked is None or size is None:
            continue
        say(f"{year}, {design}: without {asked.line_id}")
        dispatcher.resize(asked.line_id, 0.0)
        without = (dispatcher.system, dispatcher.solve())
        credit = credits_mw(tables, *without, asked.line_id, size, outage_share=_outage(tables, asked.line_id))
        worth.append({"design": design, **worth_row(built.system, solved, without, asked.line_id, terms), **credit})
        parties += [{"design": design, **row} for row in _party_rows(built, solved, without)]
        if design == AS_IT_IS and chosen.sizes_mw:
            sweep, pays = _swept(dispatcher, asked.line_id, chosen.sizes_mw, without, terms, say)
    assert first is not None  # there is at least the scenario as it is
    built, solved = first
    targets = dict(corridor.tables["power_profiles"].select("profile_id", "capacity_factor_share").iter_rows())
    return Dispatch(
        year=year,
        scenario_id=scenario_id,
        seed=chosen.seed,
        hours=built.system.hours,
        cost_musd=solved.objective_usd / 1e6,
        zones=zone_rows(built.system, solved, built.countries),
        technologies=technology_rows(built.system, solved),
        lines=line_rows(built.system, solved),
        curves=curve_rows(built.system, solved),
        profiles=profile_rows(built.system, built.profiles, targets),
        line_id=None if asked is None else asked.line_id,
        worth=pl.DataFrame(worth, infer_schema_length=None),
        parties=pl.DataFrame(parties, infer_schema_length=None),
        sweep=pl.DataFrame(sweep, infer_schema_length=None),
        pays=pays,
        terms=terms.as_dict(),
        hourly=_hourly(built, solved),
        replaced=tuple(replaced),
        names=_names(designs.values()),
        draw=chosen.draw,
        storms=() if storms is None else tuple(storm_rows(designs[AS_IT_IS], built.profiles, ports, storms)),
    )


def _names(designs: Iterable[Tables]) -> dict[str, str]:
    """Names of zones and lines, those that a design adds included."""
    return {
        name: called
        for tables in designs
        for table, key in (("power_zones", "zone_id"), ("power_lines", "line_id"))
        for name, called in tables[table].select(key, "name").iter_rows()
    }


def _outage(tables: Tables, line_id: str) -> float:
    return float(tables["power_lines"].filter(pl.col("line_id") == line_id)["outage_share"][0])


def _party_rows(built: Built, solved: Solved, without: tuple[Any, Solved]) -> list[dict[str, Any]]:
    """What each country and owner gains, by party, in M USD."""
    told = surpluses_musd(built.system, solved, countries=built.countries, owners=built.owners)
    before = surpluses_musd(without[0], without[1], countries=built.countries, owners=built.owners)
    names = list(dict.fromkeys(who for who, _ in told))
    rows = []
    for who in names:
        gains = {f"{party}_musd": told.get((who, party), 0.0) - before.get((who, party), 0.0) for party in PARTIES}
        rows.append({"who": who, **gains, "total_musd": sum(gains.values())})
    return sorted(rows, key=lambda row: (-row["total_musd"], row["who"]))


def _swept(
    dispatcher: Dispatcher, line_id: str, sizes_mw: Sequence[float], without: tuple[Any, Solved], terms: Terms, say: Progress
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Worth of the line at each size, and the size that pays."""
    rows = []
    for size in sorted({0.0, *sizes_mw}):
        say(f"{line_id} of {size:,.0f} MW")
        dispatcher.resize(line_id, size)
        rows.append(worth_row(dispatcher.system, dispatcher.solve(), without, line_id, terms))
    return rows, size_that_pays(dispatcher, line_id, rows, terms)


def _hourly(built: Built, solved: Solved) -> pl.DataFrame:
    system = built.system
    prices = {f"price_{name}": solved.price_usd_per_mwh[:, number] for number, name in enumerate(system.zone_ids)}
    net = solved.there_mw - solved.back_mw
    flows = {f"flow_{name}": net[:, number] for number, name in enumerate(system.lines.ids)}
    loads = {f"load_{name}": system.demand_mw[:, number] for number, name in enumerate(system.zone_ids)}
    return pl.DataFrame({"hour": np.arange(system.hours), **prices, **flows, **loads})
