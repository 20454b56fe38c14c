"""An appraisal as tables: who gains, what is spent, what sponsors earn, what stands the usual tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal.bank import Flows, Loan, Works, debt_cover, flows_of, grant_to_hurdle
from karvan.appraisal.cash import internal_rate, net_present_value
from karvan.appraisal.present import by_year
from karvan.measures import Scenario, without_measures
from karvan.study.accounts import OPERATORS, STATES
from karvan.study.appraise_sides import Sides, SideYear, benefit_of, held_to_openings

BUILDERS = "builders"


def party_frame(gains: pl.DataFrame, flows: Flows, years: npt.NDArray[np.int64], rate: float) -> pl.DataFrame:
    """Present value by party, country and item; builders bear what works cost."""
    rows: list[tuple[object, ...]] = []
    for keys, frame in gains.group_by(["party", "country", "item"], maintain_order=True):
        yearly = by_year(frame.group_by("year").agg(pl.col("gain_musd").sum()), "gain_musd", years)
        rows.append((*keys, net_present_value(yearly, rate)))
    for item, amount in (("building", -flows.capital), ("upkeep", -flows.running), ("residual value", flows.residual)):
        rows.append((BUILDERS, "all", item, net_present_value(amount, rate)))
    schema = {"party": pl.String, "country": pl.String, "item": pl.String, "npv_musd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").filter(pl.col("npv_musd") != 0.0)


def usual_test_frame(tests: Mapping[str, Flows], rate: float) -> pl.DataFrame:
    """Present value and return under the usual tests."""
    rows = [
        {"test": name, "npv_musd": net_present_value(flows.net, rate), "err_share": internal_rate(flows.net)}
        for name, flows in tests.items()
    ]
    return pl.DataFrame(rows, schema={"test": pl.String, "npv_musd": pl.Float64, "err_share": pl.Float64})


def cost_frame(works: Sequence[Works]) -> pl.DataFrame:
    """What measures cost, and how sure that is."""
    names = (
        "measure_id", "title", "capital_musd", "low_musd", "high_musd", "running_musd_per_year", "open_year", "build_year_count",
        "life_year_count", "overrun_share", "overrun_high_share", "delay_share", "delay_high_share", "is_estimate",
    )  # fmt: skip
    return pl.DataFrame([{name: getattr(item, name) for name in names} for item in works])


def yearly_frame(gains: pl.DataFrame, years: npt.NDArray[np.int64]) -> pl.DataFrame:
    """What each party gains in every year."""
    parts = [
        pl.DataFrame({"year": years, "party": [party] * years.shape[0], "gain_musd": benefit_of(frame, years)})
        for (party,), frame in gains.group_by(["party"], maintain_order=True)
    ]
    return pl.concat(parts).sort("year", "party")


def flow_frame(flows: Flows) -> pl.DataFrame:
    """Benefit and costs by year, million USD."""
    columns = {name: getattr(flows, name) for name in ("benefit", "capital", "running", "residual", "net")}
    return pl.DataFrame({"year": flows.years, **{f"{name}_musd": values for name, values in columns.items()}})


def sponsor_frame(
    works: Sequence[Works], gains: pl.DataFrame, years: npt.NDArray[np.int64], first: int, hurdle: float, values: Mapping[str, float]
) -> pl.DataFrame:
    """What each operator that earns by the set spends and gains, capital of a measure in equal parts to its sponsors.

    Debt cover, grant and charge count what it charges, not scarcity rent, which vanishes as works relieve what is full.
    """
    rows = []
    loan = Loan(values["debt_share"], values["debt_rate_share"], round(values["debt_years"]))
    for sponsor in sorted({name for item in works for name in item.sponsors}):
        own = [
            replace(item, **{name: getattr(item, name) / len(item.sponsors) for name in ("capital_musd", "running_musd_per_year")})
            for item in works
            if sponsor in item.sponsors
        ]
        mine = gains.filter((pl.col("party") == OPERATORS) & (pl.col("who") == sponsor))
        capital, opened = sum(item.capital_musd for item in own), max(min(item.open_year for item in own) - first, 0)
        row: dict[str, object] = {"operator_id": sponsor, "capital_musd": capital}
        for name, kept in (("", mine), ("_without_rent", mine.filter(pl.col("item") != "scarcity rent"))):
            income = benefit_of(kept, years) if kept.height else np.zeros(years.shape[0])
            flows = flows_of(own, income, first)
            row |= {f"npv{name}_musd": net_present_value(flows.net, hurdle), f"firr{name}_share": internal_rate(flows.net)}
        grant = grant_to_hurdle(flows.net, hurdle)
        is_open = np.arange(years.shape[0]) >= opened
        row |= {
            "debt_cover_ratio": debt_cover(flows.benefit - flows.running, capital, loan, opened),
            "grant_musd": grant,
            "charge_musd_per_year": grant / net_present_value(is_open.astype(np.float64), hurdle) if is_open.any() else None,
        }
        rows.append(row)
    names = (
        "capital_musd", "npv_musd", "firr_share", "npv_without_rent_musd", "firr_without_rent_share", "debt_cover_ratio", "grant_musd",
        "charge_musd_per_year",
    )  # fmt: skip
    return pl.DataFrame(rows, schema={"operator_id": pl.String, **dict.fromkeys(names, pl.Float64)})


def no_members() -> pl.DataFrame:
    """Where each measure put in alone and taken out last is not told."""
    return pl.DataFrame(schema={"measure_id": pl.String, "npv_alone_musd": pl.Float64, "npv_last_musd": pl.Float64})


def member_frame(
    sides: Sides, with_set: Scenario, works: Sequence[Works], flows: Flows, rate: float, ratios: dict[str, float], answers: tuple[str, ...]
) -> pl.DataFrame:  # fmt: skip
    """Each measure put in alone, and what is lost if it is taken out; null where what it requires or is required by would be missing."""
    if len(works) < 2:
        return no_members()
    years, whole = flows.years, net_present_value(flows.net, rate)
    rows = []
    for item in works:
        rest = [other for other in works if other is not item]
        alone = _kept(with_set, [other.measure_id for other in rest])
        last = _kept(with_set, [item.measure_id])
        row: dict[str, object] = {"measure_id": item.measure_id, "npv_alone_musd": None, "npv_last_musd": None}
        if alone is not None:
            benefit = benefit_of(_held(sides, alone, [item], answers), years)
            row["npv_alone_musd"] = net_present_value(flows_of([item], benefit, flows.first_year, **ratios).net, rate)
        if last is not None:
            benefit = benefit_of(_held(sides, last, rest, answers), years)
            row["npv_last_musd"] = whole - net_present_value(flows_of(rest, benefit, flows.first_year, **ratios).net, rate)
        rows.append(row)
    return pl.DataFrame(rows, schema=no_members().schema)


def _held(sides: Sides, scenario: Scenario, works: Sequence[Works], answers: tuple[str, ...]) -> pl.DataFrame:
    return held_to_openings(sides.gains(scenario, answers), sides.samples, [item.open_year for item in works])


def _kept(scenario: Scenario, names: Sequence[str]) -> Scenario | None:
    """A scenario without some measures, None where others need them."""
    needed = {name for item in scenario.dated if item.measure.id not in names for name in item.measure.requires}
    return None if needed & set(names) else without_measures(scenario, list(names))


def emission_frame(before: Sequence[SideYear], after: Sequence[SideYear]) -> pl.DataFrame:
    """CO2e by year, kt; see `Appraisal.emissions`."""
    rows = [
        {
            "year": one.year,
            "gross_kt": other.gross_kt,
            "net_kt": other.all_kt - one.all_kt,
            "power_kt": other.power_kt - one.power_kt,
        }
        for one, other in zip(before, after, strict=True)
    ]
    return pl.DataFrame(rows, schema={"year": pl.Int64, **dict.fromkeys(("gross_kt", "net_kt", "power_kt"), pl.Float64)})


def fiscal_frame(gains: pl.DataFrame) -> pl.DataFrame:
    """What states gain by year and country, million USD."""
    states = gains.filter(pl.col("party") == STATES)
    return states.group_by("year", "country").agg(pl.col("gain_musd").sum()).sort("year", "country").filter(pl.col("gain_musd") != 0.0)
