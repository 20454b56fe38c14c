"""Futures to answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.ensembles.definition import HEADLINES, OK, Ensemble
from karvan.ensembles.designs import morris_indices, sobol_indices
from karvan.ensembles.indices import chance_share, ends, first_order, one_after_another
from karvan.ensembles.prim import failure_box
from karvan.ensembles.stopping import interval, share_interval
from karvan.ensembles.store import FutureStore
from karvan.results.outlook import REACHED_TOLERANCE

FloatArray = npt.NDArray[np.float64]

_SHARES = (5, 10, 25, 50, 75, 90, 95)
_MOST_DRIVEN = 20_000
"""Futures that sensitivities and boxes rest on at most, the first ones."""
_MOST_MAPPED = 4_096
"""Futures that maps rest on at most, the first ones."""
_TOLD = ("commitment_id", "title", "short", "metric", "target", "unit", "year")
_ENOUGH = 4
"""So many futures for each unknown show what it explains by itself; fewer, what it explains beyond those that explain more."""
_CHANCES = ("chance_share", "chance_low_share", "chance_high_share", "by_year_share", "by_year_low_share", "by_year_high_share")
_COUNTED = ("corridor_mt", "containers_teu", "crude_mt")


class Sample:
    """The first futures of an ensemble, read a column at a time.

    Args:
        ensemble: The ensemble.
        store: Where they are kept.
        count: How many futures; all of them must be there.
    """

    def __init__(self, ensemble: Ensemble, store: FutureStore, count: int) -> None:
        self.ensemble, self.store, self.count = ensemble, store, count

    def column(self, name: str, plan: str, *, most: int | None = None) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Numbers of the futures of a plan that did not fail, rising, and a column of theirs."""
        first = self.count if most is None else min(self.count, most)
        where = (pl.col("plan") == plan) & (pl.col("status") == OK)
        frame = self.store.column([name], first=first, where=where)
        return frame["future"].to_numpy(), frame[name].to_numpy().astype(np.float64)

    def points(self, futures: npt.NDArray[np.int64]) -> FloatArray:
        """Points of futures, shape (futures, seeds); of futures written out, by the rank of what stands there."""
        if not self.ensemble.explicit:
            return np.array([self.ensemble.design.point(int(index)) for index in futures]).reshape(futures.shape[0], -1)
        rows = [self.ensemble.draw(int(index)) for index in futures]
        seeds = self.ensemble.unknowns.seeds
        of = {item.seed: number for number, item in enumerate(self.ensemble.unknowns.factors)}
        table = [[row[0][of[seed]] if seed in of else float(seed not in row[1]) for seed in seeds] for row in rows]
        rank = np.argsort(np.argsort(np.array(table), axis=0, kind="stable"), axis=0, kind="stable")
        return np.asarray((rank + 0.5) / max(1, futures.shape[0]), dtype=np.float64)

    def failed(self) -> pl.DataFrame:
        """Futures without an answer by plan and reason."""
        bad = self.store.column(["status"], first=self.count, where=pl.col("status") != OK)
        return bad.group_by("plan", "status").agg(count=pl.len().cast(pl.Int64)).sort("plan", "status").rename({"status": "reason"})


def distributions(sample: Sample) -> pl.DataFrame:
    """Mean and quantiles of every headline by plan and year; see `EnsembleAnswer.distributions`."""
    rows: list[dict[str, Any]] = []
    for plan in sample.ensemble.plans:
        for metric in HEADLINES:
            for year in sample.ensemble.years:
                _, values = sample.column(f"{metric}_{year}", plan)
                if not values.shape[0]:
                    continue
                cuts = dict(zip((f"p{share}" for share in _SHARES), np.quantile(values, [share / 100 for share in _SHARES]), strict=True))
                _, low, high = interval(values, "p50")
                finite = {"p50_low": max(low, float(values.min())), "p50_high": min(high, float(values.max()))}
                mean = float(values.mean())
                rows.append({"plan": plan, "metric": metric, "year": year, "mean": mean} | {k: float(v) for k, v in cuts.items()} | finite)
    names = {"plan": pl.String, "metric": pl.String, "year": pl.Int64}
    numbers = ("mean", *(f"p{share}" for share in _SHARES), "p50_low", "p50_high")
    return pl.DataFrame(rows, schema={**names, **dict.fromkeys(numbers, pl.Float64)})


def promises(sample: Sample) -> pl.DataFrame:
    """Chance that each promise with a number is met in its year, the headline one in other years too; see `EnsembleAnswer.promises`."""
    rows: list[dict[str, Any]] = []
    for row in promised(sample.ensemble):
        for plan in sample.ensemble.plans:
            counted = row["column"] is None
            name = f"{row['metric']}_{row['year']}" if counted else row["column"]
            _, values = sample.column(name, plan)
            is_met = values >= row["target"] * (1.0 - REACHED_TOLERANCE)
            chance, low, high = share_interval(int(is_met.sum()), values.shape[0])
            ever = is_met.copy()
            for year in (year for year in sample.ensemble.years if counted and year < row["year"]):
                ever |= sample.column(f"{row['metric']}_{year}", plan)[1] >= row["target"] * (1.0 - REACHED_TOLERANCE)
            told = {key: row[key] for key in _TOLD}
            by_year = share_interval(int(ever.sum()), ever.shape[0]) if counted and ever.shape[0] else (None, None, None)
            rows.append({"plan": plan, **told, **dict(zip(_CHANCES, (chance, low, high, *by_year), strict=True))})
    schema = {
        "plan": pl.String, "commitment_id": pl.String, "title": pl.String, "short": pl.String, "metric": pl.String,
        "target": pl.Float64, "unit": pl.String,
        "year": pl.Int64, **dict.fromkeys(_CHANCES, pl.Float64),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema).filter(pl.col("chance_share").is_not_nan())


def promised(ensemble: Ensemble) -> list[dict[str, Any]]:
    """Promises that futures can be held against: those of a year, and the headline tonnes in further years."""
    found: list[dict[str, Any]] = []
    for row in ensemble.corridor.tables["commitments"].iter_rows(named=True):
        if row["target"] is None or row["year"] is None:
            continue
        told = {key: row[key] for key in _TOLD}
        if row["metric"] in ("cordon_mt", "cordon_kt") and row["year"] in ensemble.years:
            found.append({**told, "column": f"{row['commitment_id']}_{row['year']}"})
        elif row["metric"] in _COUNTED:
            further = ensemble.detail_years if row["is_headline"] and row["metric"] == "corridor_mt" else ()
            found += [{**told, "year": year, "column": None} for year in sorted({row["year"], *further}) if year in ensemble.years]
    return found


def drivers(sample: Sample, *, metric: str, year: int) -> pl.DataFrame:
    """How much of the spread of a headline each seed explains; see `EnsembleAnswer.drivers`."""
    ensemble = sample.ensemble
    kinds = kinds_of(ensemble)
    rows: list[dict[str, Any]] = []
    for plan in ensemble.plans:
        futures, outcome = sample.column(f"{metric}_{year}", plan, most=_MOST_DRIVEN)
        if outcome.shape[0] < 4:
            continue
        points = sample.points(futures)
        at_ends = ends(points, outcome)
        is_in_turn = outcome.shape[0] < _ENOUGH * points.shape[1]
        if is_in_turn:
            share, by_chance = one_after_another(points, outcome)
        else:
            share, by_chance = first_order(points, outcome), chance_share(outcome.shape[0], points.shape[1])
        more = _of_design(ensemble, outcome) if futures.shape[0] == ensemble.count and not ensemble.explicit else {}
        for number, seed in enumerate(ensemble.unknowns.seeds):
            low, high = at_ends[number].tolist()
            if any(item.shock_id == seed for item in ensemble.unknowns.shocks):
                low, high = high, low  # a shock comes where the draw is low: `high` is with it
            rows.append(
                {
                    "plan": plan, "factor": seed, "kind": kinds[seed], "metric": metric, "year": year,
                    "first_order_share": float(more["S1"][number]) if "S1" in more else float(share[number]),
                    "is_in_turn": is_in_turn and "S1" not in more, "chance_share": by_chance, "low_mean": low, "high_mean": high,
                    "total_share": float(more["ST"][number]) if "ST" in more else None,
                    "morris_mu_star": float(more["mu_star"][number]) if "mu_star" in more else None,
                }
            )  # fmt: skip
    schema = {
        **dict.fromkeys(("plan", "factor", "kind", "metric"), pl.String), "year": pl.Int64, "is_in_turn": pl.Boolean,
        **dict.fromkeys(("first_order_share", "chance_share", "low_mean", "high_mean", "total_share", "morris_mu_star"), pl.Float64),
    }  # fmt: skip
    by = [pl.coalesce("morris_mu_star", "first_order_share"), (pl.col("high_mean") - pl.col("low_mean")).abs()]
    found = pl.DataFrame(rows, schema=schema)
    return found.sort([pl.col("plan").replace_strict({name: at for at, name in enumerate(ensemble.plans)}, return_dtype=pl.Int64), *by],
                      descending=[False, True, True], maintain_order=True)  # fmt: skip


def _of_design(ensemble: Ensemble, outcome: FloatArray) -> Mapping[str, FloatArray]:
    if ensemble.design.kind == "morris":
        return morris_indices(ensemble.design, outcome)
    return sobol_indices(ensemble.design, outcome) if ensemble.design.kind == "indices" else {}


def kinds_of(ensemble: Ensemble) -> dict[str, str]:
    """Whether each seed is a value, a column, several values or a shock."""
    found: dict[str, str] = {}
    for item in ensemble.unknowns.factors:
        found.setdefault(item.seed, "several" if item.seed != item.name else "column" if item.row is None else "value")
    return found | {item.shock_id: "shock" for item in ensemble.unknowns.shocks}


BOXES: Mapping[str, type[pl.DataType]] = {
    **dict.fromkeys(("plan", "factor", "holds"), pl.String),
    **dict.fromkeys(
        ("comes_share", "chance_share", "low_share", "high_share", "low", "high", "coverage_share", "density_share", "mass_share"),
        pl.Float64,
    ),
}
"""Columns of `EnsembleAnswer.failure_boxes`."""


def failure_boxes(sample: Sample, *, target: float, metric: str, year: int) -> pl.DataFrame:
    """Under which draws each plan misses a target; see `EnsembleAnswer.failure_boxes`."""
    ensemble, rows = sample.ensemble, list[dict[str, Any]]()
    seeds = ensemble.unknowns.seeds
    single = {item.seed: item for item in ensemble.unknowns.factors if item.seed == item.name}
    chances = {item.shock_id: item.chance_share for item in ensemble.unknowns.shocks}
    for plan in ensemble.plans:
        futures, outcome = sample.column(f"{metric}_{year}", plan, most=_MOST_DRIVEN)
        if outcome.shape[0] < _MOST_MAPPED // 64:
            continue
        box = failure_box(sample.points(futures), outcome < target)
        if box is None:
            continue
        for number in np.flatnonzero((box.low > 0.0) | (box.high < 1.0)).tolist():
            low, high = float(box.low[number]), float(box.high[number])
            item, chance = single.get(seeds[number]), chances.get(seeds[number])
            within = None if chance is None else max(0.0, min(high, chance) - low) / (high - low)
            holds = "shock" if within is not None else "below" if low <= 0.0 else "above" if high >= 1.0 else "between"
            rows.append(
                {
                    "plan": plan, "factor": seeds[number], "holds": holds, "comes_share": within, "chance_share": chance,
                    "low_share": low, "high_share": high,
                    "low": None if item is None else item.at(low), "high": None if item is None else item.at(high),
                    "coverage_share": box.coverage, "density_share": box.density, "mass_share": box.mass,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=BOXES)


def disruptions(sample: Sample) -> pl.DataFrame:
    """What the corridor still carries in the year in which a shock begins; see `EnsembleAnswer.disruptions`."""
    ensemble, rows = sample.ensemble, list[dict[str, Any]]()
    for plan in ensemble.plans:
        by_year = {year: sample.column(f"corridor_mt_{year}", plan, most=_MOST_DRIVEN) for year in ensemble.years}
        futures = by_year[ensemble.years[0]][0]
        begun = [ensemble.draw(int(index))[1] for index in futures]
        for shock in ensemble.unknowns.shocks:
            year_of = np.array([one.get(shock.shock_id, 0) for one in begun], dtype=np.int64)
            ratios, hit, free = list[float](), list[float](), list[float]()
            for year in ensemble.years:
                values, is_hit, is_free = by_year[year][1], year_of == year, year_of == 0
                if is_hit.any() and is_free.any():
                    usual = float(values[is_free].mean())
                    hit += values[is_hit].tolist()
                    free += [usual] * int(is_hit.sum())
                    ratios += (values[is_hit] / usual).tolist() if usual > 0 else []
            if hit:
                told = {"with_mt": float(np.mean(hit)), "without_mt": float(np.mean(free)), "futures": len(hit)}
                kept = float(np.mean(ratios)) if ratios else None
                rows.append({"plan": plan, "shock_id": shock.shock_id, "name": shock.name, **told, "kept_share": kept})
    schema = {
        "plan": pl.String, "shock_id": pl.String, "name": pl.String, "with_mt": pl.Float64, "without_mt": pl.Float64, "futures": pl.Int64,
        "kept_share": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def link_bands(sample: Sample) -> pl.DataFrame:
    """P10, P50 and P90 of the flow over each link; see `EnsembleAnswer.links`."""
    ensemble, parts = sample.ensemble, list[pl.DataFrame]()
    links = ensemble.corridor.tables["links"]["link_id"].sort().to_list()
    where = pl.col("status") == OK
    for year in ensemble.detail_years:
        for plan in ensemble.plans:
            name = f"links_kt_{year}"
            frame = sample.store.column([name], first=min(sample.count, _MOST_MAPPED), where=where & (pl.col("plan") == plan))
            if frame.is_empty():
                continue
            cuts = np.quantile(np.array(frame[name].to_list(), dtype=np.float64), [0.1, 0.5, 0.9], axis=0)
            told = {"plan": [plan] * len(links), "year": [year] * len(links), "link_id": links}
            parts.append(pl.DataFrame({**told, **dict(zip(("p10_kt", "p50_kt", "p90_kt"), cuts, strict=True))}))
    schema = {"plan": pl.String, "year": pl.Int64, "link_id": pl.String, **dict.fromkeys(("p10_kt", "p50_kt", "p90_kt"), pl.Float64)}
    found = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    return found.filter(pl.col("p90_kt") > 0.5)


def shocks_told(sample: Sample) -> pl.DataFrame:
    """Shocks with the share of futures in which each happened."""
    first = min(sample.count, _MOST_DRIVEN)
    begun = [sample.ensemble.draw(index)[1] for index in range(first)]
    rows = [
        {
            "shock_id": item.shock_id, "name": item.name, "chance_share": item.chance_share,
            "happened_share": sum(item.shock_id in one for one in begun) / max(1, first),
        }
        for item in sample.ensemble.unknowns.shocks
    ]  # fmt: skip
    return pl.DataFrame(
        rows, schema={"shock_id": pl.String, "name": pl.String, "chance_share": pl.Float64, "happened_share": pl.Float64}
    )  # fmt: skip


def factors_told(ensemble: Ensemble) -> pl.DataFrame:
    """Values that were drawn."""
    names = ("table", "column", "row", "value", "low", "high", "seed")
    rows: Sequence[dict[str, Any]] = [
        {"factor": item.name, **{key: getattr(item, key) for key in names}} for item in ensemble.unknowns.factors
    ]  # fmt: skip
    text, number = dict.fromkeys(("factor", "table", "column", "row"), pl.String), dict.fromkeys(("value", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={**text, **number, "seed": pl.String})


def route_gaps(sample: Sample) -> dict[str, float | None]:
    """By how much routes looked for anew change the headline tonnes, in the futures in which they were."""
    frame = sample.store.column(["route_gap_mt"], first=sample.count, where=pl.col("route_gap_mt").is_not_null())
    values = frame["route_gap_mt"].to_numpy()
    none = values.shape[0] == 0
    return {
        "asked_count": float(values.shape[0]),
        "p50_mt": None if none else float(np.median(values)),
        "largest_mt": None if none else float(values.max()),
    }
