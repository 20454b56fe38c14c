"""What plans are worth in each future: welfare against a plan, less what is known of their cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.ensembles.answers import Sample
from karvan.ensembles.futures import OK, Ensemble, scenario_of
from karvan.ensembles.indices import full_information, partial_information
from karvan.ensembles.regret import regret_of
from karvan.measures import Scenario

FloatArray = npt.NDArray[np.float64]

_MOST = 20_000
_DAYS = 365.25


@dataclass(frozen=True)
class Cost:
    """What a plan's measures cost beyond another plan's.

    Attributes:
        present_musd: Discounted to the base year, within the years.
        unknown: Measures without a known cost.
    """

    present_musd: float
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Worth:
    """Plans on common futures.

    Attributes:
        plans: The plans; the first is the one values are told against.
        futures: Futures in which every plan has an answer.
        net_musd: Discounted welfare against that of the first plan, less cost, shape (plans, futures).
        costs: Of each plan.
    """

    plans: tuple[str, ...]
    futures: npt.NDArray[np.int64]
    net_musd: FloatArray
    costs: tuple[Cost, ...]


def worth_of(sample: Sample, *, against: str, rate_share: float) -> Worth:
    """Net present value of plans against one of them, future by future.

    Welfare is discounted from the middle of each year to that of the base year; what comes after the last year is left out.

    Args:
        sample: The futures.
        against: Plan that the others are held against.
        rate_share: Yearly discount rate.
    """
    ensemble = sample.ensemble
    plans = (against, *(plan for plan in ensemble.plans if plan != against))
    first = min(sample.count, _MOST)
    done = sample.store.column(["status"], first=first, where=pl.col("status") == OK)
    whole = done.group_by("future").len().filter(pl.col("len") == len(plans))["future"].sort()
    futures = whole.to_numpy()
    total = np.zeros((len(plans), futures.shape[0]))
    base = ensemble.corridor.manifest.base_year
    for number, plan in enumerate(plans):
        for year in ensemble.years:
            at, values = sample.column(f"welfare_musd_{year}", plan, most=_MOST)
            total[number] += values[np.isin(at, futures)] / (1.0 + rate_share) ** (year - base)
    scenarios = [scenario_of(ensemble.corridor, plan, ensemble.options) for plan in plans]
    costs = tuple(cost_of(scenario, scenarios[0], ensemble, rate_share) for scenario in scenarios)
    net = total - total[0] - np.array([item.present_musd for item in costs])[:, None]
    return Worth(plans, futures, net, costs)


def cost_of(scenario: Scenario, other: Scenario, ensemble: Ensemble, rate_share: float) -> Cost:
    """Known cost of a scenario's measures, less those of another; capital falls evenly on the years before the opening."""
    known, unknown = 0.0, list[str]()
    for sign, here in ((1.0, scenario), (-1.0, other)):
        for item in here.dated:
            capital, cost = item.measure.capital_musd, item.measure.cost
            if capital is None:
                if sign > 0 and item.measure.id not in other.measure_ids and item.measure.status != "happened":
                    unknown.append(item.measure.id)
                continue
            opening = item.from_date.year + (item.from_date.timetuple().tm_yday - 1) / _DAYS
            known += sign * _present(capital, cost.years if cost else 1.0, opening, ensemble, rate_share)
            if cost is not None and cost.running_musd_per_year is not None:
                running = (year for year in ensemble.years if item.from_date.year <= year)
                base = ensemble.corridor.manifest.base_year
                known += sign * sum(cost.running_musd_per_year / (1.0 + rate_share) ** (year - base) for year in running)
    return Cost(known, tuple(sorted(unknown)))


def _present(capital_musd: float, years: float, opening: float, ensemble: Ensemble, rate_share: float) -> float:
    base, last = ensemble.corridor.manifest.base_year + 0.5, ensemble.years[-1] + 1.0
    steps = max(1, round(years))
    each = [opening - years * (step + 0.5) / steps for step in range(steps)]
    return float(sum(capital_musd / steps / (1.0 + rate_share) ** (when - base) for when in each if base <= when < last))


def values_told(worth: Worth) -> pl.DataFrame:
    """Net present value by plan; see `EnsembleAnswer.values`."""
    rows = []
    for plan, net, cost in zip(worth.plans, worth.net_musd, worth.costs, strict=True):
        if plan == worth.plans[0] or not net.shape[0]:
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


def regret_told(worth: Worth) -> pl.DataFrame:
    """Regret by plan; see `EnsembleAnswer.regret`."""
    schema = {
        "plan": pl.String, **dict.fromkeys(("worst_musd", "p90_musd", "mean_musd", "near_share", "least_musd"), pl.Float64),
        "is_least_regret": pl.Boolean, "is_maximin": pl.Boolean,
    }  # fmt: skip
    if len(worth.plans) < 2 or not worth.futures.shape[0]:
        return pl.DataFrame(schema=schema)
    found = regret_of(worth.net_musd)
    return pl.DataFrame(
        {
            "plan": list(worth.plans), "worst_musd": found.worst, "p90_musd": found.p90, "mean_musd": found.mean,
            "near_share": found.near_share, "least_musd": found.least,
            "is_least_regret": [number == found.minimax for number in range(len(worth.plans))],
            "is_maximin": [number == found.maximin for number in range(len(worth.plans))],
        },
        schema=schema,
    )  # fmt: skip


def information_told(worth: Worth, sample: Sample, *, most: int = 10) -> pl.DataFrame:
    """What knowing everything, or one unknown, before choosing a plan is worth; see `EnsembleAnswer.information`."""
    schema = {"factor": pl.String, "value_musd": pl.Float64}
    if len(worth.plans) < 2 or worth.futures.shape[0] < 64:
        return pl.DataFrame(schema=schema)
    partial = partial_information(sample.points(worth.futures), worth.net_musd)
    single = pl.DataFrame({"factor": list(sample.ensemble.unknowns.seeds), "value_musd": partial}, schema=schema)
    whole = pl.DataFrame({"factor": ["everything"], "value_musd": [full_information(worth.net_musd)]}, schema=schema)
    return pl.concat([whole, single.sort("value_musd", descending=True, maintain_order=True).head(most)])


def waiting_told(worth: Worth, *, now: str, later: str) -> Mapping[str, float]:
    """What it is worth to wait and see: the later plan or none, chosen knowing the future, against the plan now or none, not knowing it.

    It is the most that waiting can be worth, as what is seen by then is less than everything.
    """
    if now not in worth.plans or later not in worth.plans or not worth.futures.shape[0]:
        return {}
    early, late = (worth.net_musd[worth.plans.index(plan)] for plan in (now, later))
    decided = max(float(early.mean()), 0.0)
    waited = float(np.maximum(late, 0.0).mean())
    blind = max(float(late.mean()), 0.0)
    return {"now_musd": decided, "later_musd": blind, "later_knowing_musd": waited, "most_musd": waited - decided}


def peace_told(sample: Sample, *, kept: str, reversed_plan: str) -> pl.DataFrame:
    """What openings are worth by country and year, kept against reversed, on the same futures; see `EnsembleAnswer.peace`."""
    ensemble, rows = sample.ensemble, list[dict[str, Any]]()
    countries = sorted({name for name in ensemble.corridor.tables["operators"]["country"] if name is not None})
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
