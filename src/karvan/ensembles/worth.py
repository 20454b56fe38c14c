"""What plans are worth in each future: the accounts of an appraisal against a plan, less what works cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal import by_year, net_present_value
from karvan.appraisal.bank import flows_of
from karvan.ensembles.answers import Sample
from karvan.ensembles.definition import OK, Ensemble, has_money, operator_countries, scenario_of
from karvan.ensembles.indices import full_information, partial_information
from karvan.ensembles.regret import ALIKE_MUSD, regret_of
from karvan.errors import DataError
from karvan.measures import Scenario
from karvan.study.works import appraisal_values, discount_rate, works_of

FloatArray = npt.NDArray[np.float64]

_MOST = 20_000
_HAPPENED = "happened"


@dataclass(frozen=True)
class Cost:
    """What a plan's works cost beyond another plan's.

    Attributes:
        present_musd: Building, upkeep and renewal less what is left at the end, present.
        unknown: Measures that only this plan has and whose cost nothing tells.
    """

    present_musd: float
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """Plans on common futures.

    Attributes:
        plans: The plans; the first is the one values are told against.
        futures: Futures in which every plan has an answer.
        net_musd: Net present value against that of the first plan, shape (plans, futures).
        costs: Of each plan.
        rate_share: Yearly discount rate.
        first_year, last_year: Years that count; what the last cleared year gains is gained in every year after it.
    """

    plans: tuple[str, ...]
    futures: npt.NDArray[np.int64]
    net_musd: FloatArray
    costs: tuple[Cost, ...]
    rate_share: float
    first_year: int
    last_year: int


def worth_of(sample: Sample, *, against: str, rate_share: float | None) -> Worth | None:
    """Net present value of plans against one of them, future by future, as `karvan appraise` reckons it.

    Gains are the differences of a year's accounts; works are those of the measures that one of the two plans has, at the costs of the case;
    years, conversion and the rate are those of the case.

    Args:
        sample: The futures.
        against: Plan that the others are held against.
        rate_share: Yearly discount rate; by default the economic one of the case.

    Returns:
        None where the case holds no money of an appraisal.
    """
    ensemble = sample.ensemble
    if not has_money(ensemble.corridor):
        return None
    rate = discount_rate(ensemble.corridor, None, "economic")[1] if rate_share is None else rate_share
    years = _years(ensemble)
    plans = (against, *(plan for plan in ensemble.plans if plan != against))
    done = sample.store.column(["status"], first=min(sample.count, _MOST), where=pl.col("status") == OK)
    futures = done.group_by("future").len().filter(pl.col("len") == len(plans))["future"].sort().to_numpy()
    total = np.zeros((len(plans), futures.shape[0]))
    weights = _weights(ensemble, years, rate)
    for number, plan in enumerate(plans):
        for year, weight in weights.items():
            at, values = sample.column(f"society_musd_{year}", plan, most=_MOST)
            total[number] += weight * values[np.isin(at, futures)]
    scenarios = [scenario_of(ensemble.corridor, plan, ensemble.options) for plan in plans]
    costs = tuple(cost_of(scenario, scenarios[0], ensemble, years, rate) for scenario in scenarios)
    net = total - total[0] - np.array([item.present_musd for item in costs])[:, None]
    return Worth(plans, futures, net, costs, rate, int(years[0]), int(years[-1]))


def _years(ensemble: Ensemble) -> npt.NDArray[np.int64]:
    """Years that count: so many as the case says, from the first cleared year that lies ahead."""
    first = max(ensemble.years[0], ensemble.corridor.manifest.facts_until.year)
    return np.arange(first, first + round(appraisal_values(ensemble.corridor)["evaluation_years"]))


def _weights(ensemble: Ensemble, years: npt.NDArray[np.int64], rate: float) -> Mapping[int, float]:
    """Present value of one more in each cleared year, read in all years as an appraisal reads its sample years."""
    cleared = list(ensemble.years)
    ones = [pl.DataFrame({"year": cleared, "one": [float(other == year) for other in cleared]}) for year in cleared]
    return {year: net_present_value(by_year(one, "one", years), rate) for year, one in zip(cleared, ones, strict=True)}


def cost_of(scenario: Scenario, other: Scenario, ensemble: Ensemble, years: npt.NDArray[np.int64], rate: float) -> Cost:
    """Cost of a scenario's works less that of another's; what has happened is paid for."""
    values = appraisal_values(ensemble.corridor)
    ratios = {"capital_ratio": values["construction_conversion_ratio"], "running_ratio": values["running_conversion_ratio"]}
    dates = [{(item.measure.id, item.from_date) for item in each.dated} for each in (scenario, other)]
    known, unknown = 0.0, list[str]()
    for sign, here, there in ((1.0, scenario, dates[1]), (-1.0, other, dates[0])):
        for item in here.dated:
            if item.measure.status == _HAPPENED or (item.measure.id, item.from_date) in there:
                continue
            try:
                works = works_of(ensemble.corridor, [(item.measure, item.from_date)])
            except DataError:
                unknown += [item.measure.id] if sign > 0 else []
                continue
            known -= sign * net_present_value(flows_of(works, np.zeros(years.shape[0]), int(years[0]), **ratios).net, rate)
    return Cost(known, tuple(sorted(unknown)))


def values_told(worth: Worth | None) -> pl.DataFrame:
    """Net present value by plan; see `EnsembleAnswer.values`."""
    rows: list[dict[str, Any]] = []
    told = [] if worth is None else list(zip(worth.plans, worth.net_musd, worth.costs, strict=True))
    for plan, net, cost in told[1:]:
        if not net.shape[0]:
            continue
        cuts = np.quantile(net, [0.1, 0.5, 0.9])
        rows.append(
            {
                "plan": plan, "mean_musd": float(net.mean()), "p10_musd": float(cuts[0]), "p50_musd": float(cuts[1]),
                "p90_musd": float(cuts[2]), "loss_share": float((net < 0.0).mean()), "cost_musd": cost.present_musd,
                "costs_unknown_count": len(cost.unknown),
            }
        )  # fmt: skip
    numbers = ("mean_musd", "p10_musd", "p50_musd", "p90_musd", "loss_share", "cost_musd")
    return pl.DataFrame(rows, schema={"plan": pl.String, **dict.fromkeys(numbers, pl.Float64), "costs_unknown_count": pl.Int64})


def regret_told(worth: Worth | None) -> pl.DataFrame:
    """Regret by plan; see `EnsembleAnswer.regret`."""
    schema = {
        "plan": pl.String, **dict.fromkeys(("worst_musd", "p90_musd", "mean_musd", "best_share", "near_share", "least_musd"), pl.Float64),
        "is_least_regret": pl.Boolean, "is_maximin": pl.Boolean,
    }  # fmt: skip
    if worth is None or len(worth.plans) < 2 or not worth.futures.shape[0]:
        return pl.DataFrame(schema=schema)
    found = regret_of(worth.net_musd)
    return pl.DataFrame(
        {
            "plan": list(worth.plans), "worst_musd": found.worst, "p90_musd": found.p90, "mean_musd": found.mean,
            "best_share": found.best_share, "near_share": found.near_share, "least_musd": found.least,
            "is_least_regret": [number == found.minimax for number in range(len(worth.plans))],
            "is_maximin": [number == found.maximin for number in range(len(worth.plans))],
        },
        schema=schema,
    )  # fmt: skip


def pairs_told(worth: Worth | None) -> pl.DataFrame:
    """What each plan gains over each other one on the same futures; see `EnsembleAnswer.pairs`."""
    numbers = ("mean_musd", "p10_musd", "p50_musd", "p90_musd", "better_share", "alike_share")
    schema = {"plan": pl.String, "other": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    rows: list[tuple[Any, ...]] = []
    if worth is None or not worth.futures.shape[0]:
        return pl.DataFrame(schema=schema)
    for one, plan in enumerate(worth.plans):
        for two, other in enumerate(worth.plans):
            if one == two:
                continue
            gain = worth.net_musd[one] - worth.net_musd[two]
            alike = np.abs(gain) <= ALIKE_MUSD
            shares = (float(((gain > 0.0) & ~alike).mean()), float(alike.mean()))
            rows.append((plan, other, float(gain.mean()), *np.quantile(gain, [0.1, 0.5, 0.9]).tolist(), *shares))
    return pl.DataFrame(rows, schema=schema, orient="row")


def information_told(worth: Worth | None, sample: Sample, *, most: int = 10) -> pl.DataFrame:
    """What knowing everything, or one unknown, before choosing a plan is worth; see `EnsembleAnswer.information`."""
    schema = {"factor": pl.String, "value_musd": pl.Float64}
    if worth is None or len(worth.plans) < 2 or worth.futures.shape[0] < 64:
        return pl.DataFrame(schema=schema)
    partial = partial_information(sample.points(worth.futures), worth.net_musd)
    single = pl.DataFrame({"factor": list(sample.ensemble.unknowns.seeds), "value_musd": partial}, schema=schema)
    whole = pl.DataFrame({"factor": ["everything"], "value_musd": [full_information(worth.net_musd)]}, schema=schema)
    return pl.concat([whole, single.sort("value_musd", descending=True, maintain_order=True).head(most)])


def waiting_told(worth: Worth | None, *, now: str, later: str) -> Mapping[str, float]:
    """What it is worth to wait and see: the later plan or none, chosen knowing the future, against the plan now or none, not knowing it.

    It is the most that waiting can be worth, as what is seen by then is less than everything.
    """
    if worth is None or now not in worth.plans or later not in worth.plans or not worth.futures.shape[0]:
        return {}
    early, late = (worth.net_musd[worth.plans.index(plan)] for plan in (now, later))
    decided = max(float(early.mean()), 0.0)
    waited = float(np.maximum(late, 0.0).mean())
    blind = max(float(late.mean()), 0.0)
    return {"now_musd": decided, "later_musd": blind, "later_knowing_musd": waited, "most_musd": waited - decided}


def peace_told(sample: Sample, *, kept: str, reversed_plan: str) -> pl.DataFrame:
    """What openings are worth by country and year, kept against reversed, on the same futures; see `EnsembleAnswer.peace`."""
    ensemble, rows = sample.ensemble, list[dict[str, Any]]()
    countries = sorted(set(operator_countries(ensemble.corridor.tables).values()))
    for year in ensemble.detail_years:
        metrics = [("income_musd", country) for country in countries] + [("scarcity_musd", country) for country in countries]
        for metric, country in [("corridor_mt", ""), ("welfare_musd", ""), *metrics]:
            name = f"{metric}_{country}_{year}" if country else f"{metric}_{year}"
            with_it, without = (sample.column(name, plan, most=_MOST) for plan in (kept, reversed_plan))
            _, here, there = np.intersect1d(with_it[0], without[0], assume_unique=True, return_indices=True)
            change = np.nan_to_num(with_it[1][here]) - np.nan_to_num(without[1][there])
            if not change.shape[0] or float(np.abs(change).max()) < 1e-3:
                continue
            cuts = np.quantile(change, [0.1, 0.5, 0.9]).tolist()
            told = {"country": country or None, "year": year, "metric": metric, "mean": float(change.mean())}
            rows.append({**told, "p10": cuts[0], "p50": cuts[1], "p90": cuts[2]})
    schema = {"country": pl.String, "year": pl.Int64, "metric": pl.String, **dict.fromkeys(("mean", "p10", "p50", "p90"), pl.Float64)}
    return pl.DataFrame(rows, schema=schema)
