"""A dated portfolio as tables: what is chosen, what else was looked at, who pays, who gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal import Fund, Plan, PortfolioProblem
from karvan.appraisal.portfolio import NEVER, sector_shares
from karvan.study.plan_fund import FundCash
from karvan.study.plan_power import SampledPower
from karvan.study.plan_projects import OTHERS, Candidate
from karvan.study.plan_sampled import SampledMarket
from karvan.study.plan_single import Single

IntArray = npt.NDArray[np.int64]

_NOTHING_MUSD, _LEAST_MUSD = 0.05, 0.5

_FUND_SCHEMA = {"objective": pl.String, "welfare_musd": pl.Float64, "fund_musd": pl.Float64, "measures": pl.String}
COMPLEMENT_SCHEMA = {
    "measure_id": pl.String, "with_measure_id": pl.String, "together_musd_per_year": pl.Float64, "apart_musd_per_year": pl.Float64,
    "is_nothing_alone": pl.Boolean,
}  # fmt: skip
PART_SCHEMA = {"part": pl.String, "npv_musd": pl.Float64}
BANK_SCHEMA = {
    "measure_id": pl.String,
    **dict.fromkeys(
        ("err_share", "firr_share", "debt_cover_ratio", "grant_musd", "charge_musd_per_year", "fund_share"), pl.Float64
    ),
}  # fmt: skip


def objective_frame(cash: FundCash, candidates: Sequence[Candidate], plans: Mapping[str, Plan], years: Sequence[int]) -> pl.DataFrame:
    """What the best plan for all and the best one found for the funds give to either."""
    rows = [(name, item.value, cash.value(item.start), dated_text(candidates, item.start, years)) for name, item in plans.items()]
    return pl.DataFrame(rows, schema=_FUND_SCHEMA, orient="row")


def reason_frame(candidates: Sequence[Candidate], best: Plan, ranked: IntArray, years: Sequence[int], single: Single) -> pl.DataFrame:
    """Where ranking differs from the best plan: what it takes beside it, leaves out or starts in another year.

    The last value is what is lost without the measure: in the ranking where that takes it, else in the best plan.
    """
    rows: list[tuple[object, ...]] = []
    of_ranking = single.value(ranked)
    for j, item in enumerate(candidates):
        own, other = int(best.start[j]), int(ranked[j])
        if own == other:
            continue
        whole, start = (best.value, best.start) if other == NEVER else (of_ranking, ranked)
        without = start.copy()
        without[j] = NEVER
        why = "left_out" if other == NEVER else "taken" if own == NEVER else "other_year"
        dates = [None if place == NEVER else years[place] for place in (own, other)]
        rows.append((item.measure.id, why, single.alone(j)[0], whole - single.value(without), *dates))
    names = {"measure_id": pl.String, "why": pl.String, "alone_musd": pl.Float64, "last_musd": pl.Float64}
    schema = {**names, "start_year": pl.Int64, "ranking_year": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def chosen_frame(candidates: Sequence[Candidate], best: Plan, years: Sequence[int], single: Single | None) -> pl.DataFrame:
    """What is built when, what each is worth by itself and what is lost without it; null where nothing tells their worth."""
    rows = []
    for j in np.flatnonzero(best.start != NEVER).tolist():
        item, start = candidates[j], int(best.start[j])
        without = best.start.copy()
        without[j] = NEVER
        is_needed = any(item.measure.id in candidates[k].needs for k in np.flatnonzero(without != NEVER).tolist())
        rows.append(
            {
                "measure_id": item.measure.id, "title": item.measure.title, "start_year": years[start],
                "open_year": years[start] + item.works.build_year_count, "capital_musd": item.works.capital_musd,
                "first_musd": None if single is None else single.alone(j)[0],
                "last_musd": None if is_needed or single is None else best.value - single.value(without),
            }
        )  # fmt: skip
    schema = {
        "measure_id": pl.String, "title": pl.String, "start_year": pl.Int64, "open_year": pl.Int64, "capital_musd": pl.Float64,
        "first_musd": pl.Float64, "last_musd": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema).sort("start_year", "measure_id")


def candidate_frame(candidates: Sequence[Candidate], best: Plan, told: tuple[Single, SampledMarket, int] | None) -> pl.DataFrame:
    """All that was looked at, what is worth most by itself first.

    Args:
        candidates: The candidates.
        best: The portfolio.
        told: What tells their worth, the market and its last sample year; None: their worth is null.
    """
    rows = []
    for j, item in enumerate(candidates):
        alone = np.zeros(len(candidates), dtype=np.bool_)
        alone[j] = True
        for name in item.needs:
            alone[[other.measure.id for other in candidates].index(name)] = True
        funds = ";".join(name for name in item.fund_shares if name != OTHERS)
        rows.append(
            {
                "measure_id": item.measure.id, "title": item.measure.title, "sector": item.sector,
                "capital_musd": item.works.capital_musd, "low_musd": item.works.low_musd, "high_musd": item.works.high_musd,
                "is_estimate": item.works.is_estimate,
                "gain_musd_per_year": None if told is None else told[1].at(told[2], alone).total,
                "alone_musd": None if told is None else told[0].alone(j)[0], "is_chosen": bool(best.start[j] != NEVER), "funds": funds,
            }
        )  # fmt: skip
    overrides = dict.fromkeys(("gain_musd_per_year", "alone_musd"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides=overrides).sort("alone_musd", descending=True)


def budget_frame(funds: Sequence[Fund], best: Plan, years: Sequence[int]) -> pl.DataFrame:
    """What each fund has, spends and has left in every year; what others bear has no budget."""
    rows: list[tuple[str, int, float | None, float, float | None]] = []
    for place, fund in enumerate(funds):
        if fund.fund_id == OTHERS:
            rows += [(OTHERS, year, None, float(best.spend[place, number]), None) for number, year in enumerate(years)]
            continue
        left = np.cumsum(fund.budget) - np.cumsum(best.spend[place])
        rows += [
            (fund.fund_id, year, fund.budget[number], float(best.spend[place, number]), float(left[number]))
            for number, year in enumerate(years)
        ]
    names = ("budget_musd", "spent_musd", "left_musd")
    return pl.DataFrame(rows, schema={"fund_id": pl.String, "year": pl.Int64, **dict.fromkeys(names, pl.Float64)}, orient="row")


def power_frame(power: SampledPower | None, problem: PortfolioProblem, years: Sequence[int], best: Plan) -> pl.DataFrame:
    """What is open is worth in power, in the years dispatched in which something of power is open; see `PowerYear.parts`."""
    opened = problem.is_open(best.start)
    known = {} if power is None else {year: (of, opened[years.index(year)]) for year, of in power.samples.items()}
    rows = [{"year": year, **of.parts(is_open)} for year, (of, is_open) in known.items() if (is_open & of.is_power).any()]
    names = ("gain_musd", "unserved_musd", "border_musd", "co2_musd")
    return pl.DataFrame(rows, schema={"year": pl.Int64, **dict.fromkeys(names, pl.Float64)})


def sector_frame(problem: PortfolioProblem, best: Plan) -> pl.DataFrame:
    """Limits of sectors beside the part of its fund's spending that each has; null where the fund spends nothing."""
    rows = [
        (limit.fund_id, ";".join(limit.sectors), limit.least_share, limit.most_share, share)
        for limit, share in sector_shares(problem, best.start)
    ]
    shares = dict.fromkeys(("least_share", "most_share", "spent_share"), pl.Float64)
    return pl.DataFrame(rows, schema={"fund_id": pl.String, "sectors": pl.String, **shares}, orient="row")


def part_frame(problem: PortfolioProblem, market: SampledMarket, best: Plan) -> pl.DataFrame:
    """What the value of a portfolio is made of, present; rows add up to it."""
    factor, opened = problem.discount * problem.year_weight, problem.is_open(best.start)
    totals: dict[str, float] = {}
    for number, year in enumerate(market.years):
        for name, worth in market.parts(year, opened[number]).items():
            for part, amount in ((name, worth.welfare), (f"{name}_beside", worth.beside)):
                totals[part] = totals.get(part, 0.0) + float(factor[number]) * amount
    rows = [*totals.items(), ("costs", -problem.cost(best.start))]
    return pl.DataFrame([row for row in rows if row[1] != 0.0], schema=PART_SCHEMA, orient="row")


def dated_text(candidates: Sequence[Candidate], start: IntArray, years: Sequence[int]) -> str:
    """Ids and start years of a portfolio."""
    return ", ".join(f"{candidates[j].measure.id} {years[int(start[j])]}" for j in np.flatnonzero(start != NEVER).tolist())


def ranking_frame(candidates: Sequence[Candidate], ranked: IntArray, years: Sequence[int], single: Single) -> pl.DataFrame:
    """What ranking measures one by one takes."""
    rows = [
        (candidates[j].measure.id, years[int(ranked[j])], single.alone(j)[0])
        for j in np.flatnonzero(ranked != NEVER).tolist()
    ]  # fmt: skip
    schema = {"measure_id": pl.String, "start_year": pl.Int64, "alone_musd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("alone_musd", descending=True)


def _place(candidates: Sequence[Candidate], name: str) -> int:
    return next(j for j, item in enumerate(candidates) if item.measure.id == name)


def complement_frame(candidates: Sequence[Candidate], best: Plan, single: Single) -> pl.DataFrame:
    """Pairs of measures that gain more together than one by one, in the last year, the most first.

    Among those chosen, all pairs; beside them, each measure that gains nothing alone but something where all others are open, with the one
    other that makes the most of it.
    """
    problem, last = single.problem, single.problem.years - 1
    inside = np.flatnonzero(best.start != NEVER).tolist()
    count = len(candidates)

    def gain(*places: int) -> float:
        opened = np.zeros(count, dtype=np.bool_)
        opened[list(places)] = True
        return problem.worth(opened, last).total

    alone = [gain(j) for j in range(count)]
    rows = []
    for one, other in combinations(inside, 2):
        together, apart = gain(one, other), alone[one] + alone[other]
        if together > apart + max(0.02 * abs(together), 0.05):
            rows.append((candidates[one].measure.id, candidates[other].measure.id, together, apart))
    everything = gain(*range(count))
    for one in range(count):
        if alone[one] > _NOTHING_MUSD or everything - gain(*(j for j in range(count) if j != one)) <= _LEAST_MUSD:
            continue
        barred = {*candidates[one].excludes, candidates[one].measure.id}
        others = [
            j for j, item in enumerate(candidates) if item.measure.id not in barred and candidates[one].measure.id not in item.excludes
        ]
        added, other = max((gain(one, j) - alone[j], -j) for j in others)
        if added > _LEAST_MUSD and not {one, -other} <= set(inside):
            rows.append((candidates[one].measure.id, candidates[-other].measure.id, added + alone[-other], alone[one] + alone[-other]))
    names = ("together_musd_per_year", "apart_musd_per_year")
    schema = {name: kind for name, kind in COMPLEMENT_SCHEMA.items() if name != "is_nothing_alone"}
    found = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        is_nothing_alone=pl.Series([abs(alone[_place(candidates, row[0])]) <= _NOTHING_MUSD for row in rows], dtype=pl.Boolean)
    )
    return found.sort(pl.col(names[0]) - pl.col(names[1]), descending=True)
