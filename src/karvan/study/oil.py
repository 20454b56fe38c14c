"""Crude oil in a corridor: netbacks, flows, who earns what, and what an interrupted route costs. Always the market, solved again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from karvan.assignment.assembly import NOT_SHIPPED
from karvan.corridor import Corridor, Snapshot
from karvan.crude import buffer_d, expected_loss_musd, netback_usd_per_t
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, without_measures
from karvan.measures.apply import apply
from karvan.results import ExplainedFamily, Oil
from karvan.study.clear import Cleared, clear
from karvan.study.designs import AS_IT_IS, begun, design_snapshot
from karvan.study.explain_market import explained
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.year import year_result

_FULL_USD_PER_T = 0.01
_KT_PER_MT = 1e3


@dataclass(frozen=True)
class OilOptions:
    """What is asked of crude oil beside a year.

    Attributes:
        years: Years whose flows are told.
        tries: Designs whose flows are told.
        disruptions: Rows of `oil_disruptions` to solve.
    """

    years: tuple[int, ...] = ()
    tries: tuple[str, ...] = ()
    disruptions: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A corridor and its scenario, and how years of it are cleared."""

    corridor: Corridor
    scenario: Scenario
    memory: RouteMemory
    crude: str

    def cleared(self, snapshot: Snapshot) -> Cleared:
        price = self.corridor.manifest.co2_price_usd_per_t
        return clear(snapshot, routes=self.memory, co2_price_usd_per_t=price, is_strict=False)

    def families(self, cleared: Cleared) -> dict[str, tuple[ExplainedFamily, ...]]:
        """Route families of each market of crude oil."""
        manifest = self.corridor.manifest
        markets = cleared.routed.snapshot.tables["demand"].filter(pl.col("commodity_group") == self.crude)["market_id"].sort().to_list()
        return {
            name: explained(
                cleared, name, corridor_id=manifest.id, base_year=manifest.base_year, scenario_id=self.scenario.scenario_id
            ).families
            for name in markets
        }  # fmt: skip

    def rows(self, cleared: Cleared) -> list[dict[str, Any]]:
        """Netback of each market by each family."""
        snapshot = cleared.routed.snapshot
        outlets = {row["family_id"]: row for row in snapshot.tables["crude_outlets"].iter_rows(named=True)}
        price, density = reference(snapshot.tables["crude_prices"], snapshot.year)
        months = 1.0 if (snapshot.period_end - snapshot.period_start).days > 300 else 12.0
        found = []
        for market, families in self.families(cleared).items():
            for family in families:
                if family.family_id != NOT_SHIPPED and not family.routes:
                    continue
                found.append(_row(market, family, outlets.get(family.family_id), price, density, months))
        return sorted(found, key=lambda row: (row["market_id"], -row["netback_usd_per_t"], row["family_id"]))


def reference(prices: pl.DataFrame, year: int) -> tuple[float, float]:
    """Price in USD/bbl and barrels a tonne of the reference crude in a year.

    Raises:
        DataError: The case has no prices.
    """
    if prices.is_empty():
        raise DataError(Problem("crude_prices", None, None, "holds no rows; netbacks need the price of a reference crude"))
    ordered = prices.sort("year")
    years = ordered["year"].to_numpy()
    price = float(np.interp(year, years, ordered["price_usd_per_bbl"].to_numpy()))
    return price, float(np.interp(year, years, ordered["bbl_per_t"].to_numpy()))


def _row(
    market: str, family: ExplainedFamily, outlet: Mapping[str, Any] | None, price: float, density: float, months: float
) -> dict[str, Any]:  # fmt: skip
    """What a market's oil fetches by a family; oil that stays in the ground fetches nothing."""
    if family.family_id == NOT_SHIPPED:
        return {
            "market_id": market, "family_id": NOT_SHIPPED, "outlet": None, "grade": None, "flow_kt": family.flow_kt,
            "share": family.share, "tariffs_usd_per_t": 0.0, "handling_usd_per_t": 0.0, "netback_usd_per_t": 0.0,
            "netback_usd_per_bbl": 0.0, "scarcity_usd_per_t": 0.0, "constant_usd_per_t": family.constant_usd_per_t, "full": "",
            "buffer_d": None,
        }  # fmt: skip
    if outlet is None:
        message = f"has no row of {family.family_id}, which carries crude oil; each such family needs an outlet"
        raise DataError(Problem("crude_outlets", None, "family_id", message))
    carried = sum(route.flow_kt for route in family.routes)
    weights = [route.flow_kt / carried if carried > 0.0 else 1.0 / len(family.routes) for route in family.routes]

    def mean(component: str) -> float:
        return sum(weight * route.components_usd_per_t[component] for weight, route in zip(weights, family.routes, strict=True))

    tariffs, handling = mean("tariff"), mean("handling")
    netback = netback_usd_per_t(
        price, quality_usd_per_bbl=0.0, bbl_per_t=density, loss_share=outlet["loss_share"], charges_usd_per_t=tariffs + handling
    )  # fmt: skip
    return {
        "market_id": market,
        "family_id": family.family_id,
        "outlet": outlet["outlet"],
        "grade": outlet["grade"],
        "flow_kt": family.flow_kt,
        "share": family.share,
        "tariffs_usd_per_t": tariffs,
        "handling_usd_per_t": handling,
        "netback_usd_per_t": netback,
        "netback_usd_per_bbl": netback / outlet["bbl_per_t"],
        "scarcity_usd_per_t": math.fsum(item.price_usd_per_t for item in family.prices),
        "constant_usd_per_t": family.constant_usd_per_t,
        "full": ";".join(item.row_id for item in family.prices),
        "buffer_d": buffer_d(outlet["storage_kt"], family.flow_kt * months),
    }


def oil(
    corridor: Corridor,
    *,
    year: int | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: OilOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Oil:
    """Crude oil of a corridor in a year.

    Args:
        corridor: The corridor.
        year: Calendar year; by default the base year.
        scenario: Scenario id; by default the corridor's baseline.
        options: Measures added or taken out, values set, an overlay.
        how: Years, designs and disruptions.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: The corridor has no crude oil, no prices, or no such disruption.
        MeasureError: A measure is unknown or does not fit.
        ConvergenceError: A year did not clear.
    """
    say, asked = progress or silent, how or OilOptions()
    prepared = prepare(corridor, scenario or corridor.manifest.baseline, options or ScenarioOptions())
    manifest = corridor.manifest
    case = _Case(prepared.corridor, prepared.scenario, routes or RouteMemory(folder=cache_folder()), manifest.crude_commodity)
    calendar = year or manifest.base_year
    if manifest.crude_commodity not in prepared.corridor.tables["demand"]["commodity_group"]:
        raise DataError(
            Problem("demand", None, "commodity_group", f"holds no {manifest.crude_commodity}; there is no crude oil to tell of")
        )
    known = {row["disruption_id"]: row for row in prepared.corridor.tables["oil_disruptions"].iter_rows(named=True)}
    wrong = [name for name in asked.disruptions if name not in known]
    if wrong:
        message = f"{wrong[0]} is no disruption, must be one of {', '.join(sorted(known))}"
        raise DataError(Problem("oil_disruptions", None, "disruption_id", message))
    price, density = reference(prepared.corridor.tables["crude_prices"], calendar)
    say(f"clearing {calendar}")
    snapshot = apply(prepared.scenario, prepared.corridor, year=calendar)
    cleared = case.cleared(snapshot)
    ladder = case.rows(cleared)
    flows = [{"year": calendar, **row} for row in _by_family(ladder)]
    for other in asked.years:
        if other != calendar:
            say(f"clearing {other}")
            rows = case.rows(case.cleared(apply(prepared.scenario, prepared.corridor, year=other)))
            flows += [{"year": other, **row} for row in _by_family(rows)]
    designs = [{"design": AS_IT_IS, **row} for row in _by_family(ladder)] if asked.tries else []
    for design in asked.tries:
        say(f"clearing {calendar}, {design}")
        rows = case.rows(case.cleared(design_snapshot(prepared.corridor, prepared.scenario, calendar, design)))
        designs += [{"design": design, **row} for row in _by_family(rows)]
    return Oil(
        year=calendar,
        scenario_id=prepared.scenario.scenario_id,
        reference_usd_per_bbl=price,
        reference_usd_per_t=price * density,
        ladder=_frame(ladder),
        limits=_limits(cleared, ladder, manifest.headline_cordon, manifest.crude_commodity),
        flows=_frame(sorted(flows, key=lambda row: (row["year"], row["family_id"]))),
        earners=_earners(case, cleared),
        designs=_frame(designs),
        disruptions=_frame([_disrupted(case, known[name], say) for name in asked.disruptions]),
        replaced=prepared.replaced,
    )


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


def _by_family(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Flow of all markets and worth at home by family."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        here = found.setdefault(row["family_id"], {"family_id": row["family_id"], "flow_mt": 0.0, "netback_musd": 0.0})
        here["flow_mt"] += row["flow_kt"] / _KT_PER_MT
        here["netback_musd"] += row["flow_kt"] * row["netback_usd_per_t"] / _KT_PER_MT
    return [found[name] for name in sorted(found)]


def _limits(cleared: Cleared, ladder: Sequence[Mapping[str, Any]], cordon: str, crude: str) -> pl.DataFrame:
    """Full facilities that a route of crude oil pays."""
    named = {name for row in ladder for name in row["full"].split(";") if name}
    rows = year_result(cleared, headline_cordon=cordon, crude_commodity=crude, has_queue=False).facilities
    told = rows.filter(pl.col("facility_id").is_in(sorted(named)) & (pl.col("shadow_price_usd_per_t") > _FULL_USD_PER_T))
    return told.select("facility_id", "unit", "flow", "capacity", "turned_away", "shadow_price_usd_per_unit", "shadow_price_usd_per_t")


def _earners(case: _Case, cleared: Cleared) -> pl.DataFrame:
    """Charges that crude oil pays to each operator: those of the route of a family that carries most, times what the family carries."""
    countries = dict(cleared.routed.snapshot.tables["operators"].select("operator_id", "country").iter_rows())
    paid: dict[tuple[str, str], float] = {}
    for families in case.families(cleared).values():
        for family in families:
            for leg in family.legs:
                if leg["operator"] is not None:
                    charge = leg["tariff_usd_per_t"] + leg["handling_usd_per_t"]
                    key = (leg["operator"], family.family_id)
                    paid[key] = paid.get(key, 0.0) + charge * family.flow_kt / _KT_PER_MT
    rows = [
        {"operator_id": operator, "country": countries.get(operator), "family_id": family, "paid_musd": value}
        for (operator, family), value in sorted(paid.items(), key=lambda item: (-item[1], item[0]))
        if value > 0.0
    ]
    return _frame(rows)


def _disrupted(case: _Case, row: Mapping[str, Any], say: Progress) -> dict[str, Any]:
    """A disruption solved: with it and without it, with the second route and without that."""
    period = str(row["period"])
    is_month = "-" in period
    year = int(period[:4])
    when: dict[str, Any] = {"period": period} if is_month else {"year": year}
    measure, closing = row["measure_id"], row["without_measure_id"]
    calm = without_measures(case.scenario, [measure]) if measure in case.scenario.measure_ids else case.scenario
    base = begun(calm, case.corridor, year, [])

    def solved(names: Sequence[str]) -> list[dict[str, Any]]:
        say(f"{row['disruption_id']}, {period}: {' and '.join(names) or 'undisturbed'}")
        scenario = begun(base, case.corridor, year, list(names)) if names else base
        return case.rows(case.cleared(apply(_lasting(scenario, names), case.corridor, **when)))

    before, after = solved([]), solved([measure])
    days = 365.0 / 12.0 if is_month else 365.0
    lost = _worth(before) - _worth(after)
    told = {
        "disruption_id": row["disruption_id"],
        "name": row["name"],
        "measure_id": measure,
        "period": period,
        "lost_musd": lost,
        "shut_in_mt": _shipped(before) - _shipped(after),
        "rerouted_mt": _rerouted(before, after),
        "second_family_id": row["second_family_id"],
        "second_before_mt": _of(before, row["second_family_id"]),
        "second_after_mt": _of(after, row["second_family_id"]),
        "per_year": row["per_year"],
        "lasts_d": row["lasts_d"],
        "expected_loss_musd_per_year": expected_loss_musd(lost / days, lasts_d=row["lasts_d"], per_year=row["per_year"]),
        "expected_loss_without_second_musd_per_year": None,
        "avoided_by_second_musd_per_year": None,
        "families": [
            {"family_id": one["family_id"], "before_mt": one["flow_mt"], "after_mt": two}
            for one, two in ((item, _of(after, item["family_id"])) for item in _by_family(before))
        ],
    }
    if closing is not None:
        alone = _worth(solved([closing])) - _worth(solved([closing, measure]))
        without = expected_loss_musd(alone / days, lasts_d=row["lasts_d"], per_year=row["per_year"])
        told["expected_loss_without_second_musd_per_year"] = without
        told["avoided_by_second_musd_per_year"] = without - told["expected_loss_musd_per_year"]
    return told


def _lasting(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The scenario with measures that have no end: a disruption holds for all of its period."""
    dated = tuple(replace(item, until_date=None) if item.measure.id in names else item for item in scenario.dated)
    return replace(scenario, dated=dated)


def _worth(rows: Sequence[Mapping[str, Any]]) -> float:
    return math.fsum(row["netback_musd"] for row in _by_family(rows))


def _shipped(rows: Sequence[Mapping[str, Any]]) -> float:
    return math.fsum(row["flow_mt"] for row in _by_family(rows) if row["family_id"] != NOT_SHIPPED)


def _of(rows: Sequence[Mapping[str, Any]], family: str | None) -> float | None:
    return None if family is None else math.fsum(row["flow_mt"] for row in _by_family(rows) if row["family_id"] == family)


def _rerouted(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> float:
    """Tonnes that routes take more than before, oil left in the ground not counted."""
    was = {row["family_id"]: row["flow_mt"] for row in _by_family(before)}
    return math.fsum(
        max(row["flow_mt"] - was.get(row["family_id"], 0.0), 0.0) for row in _by_family(after) if row["family_id"] != NOT_SHIPPED
    )
