"""What many futures say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.markup import html_paragraphs, html_table
from karvan.results.rounding import rounded


@dataclass(frozen=True)
class EnsembleAnswer:
    """Answers of an ensemble, all from the same futures.

    Attributes:
        ensemble_id: Tells the ensemble from others.
        corridor_id: Of which corridor.
        folder: Where its futures are kept.
        design: How they were spread.
        seed: Of the design.
        futures: How many the answers rest on, failed ones too.
        wanted: How many were asked for.
        stopped: Why there are fewer than asked for: `enough` or `interrupted`; None if there are not.
        failed: Futures by plan and reason that gave no answer: plan, reason, count.
        factors: Values drawn.
        shocks: Events drawn: shock_id, name, chance_share, happened_share.
        left_out: Estimates of the case that were not drawn.
        rate_share: Yearly discount rate of values, None where the case holds no money of an appraisal and plans have no values.
        value_years: First and last year that count in values, likewise.
        distributions: plan, metric, year, mean, p5, p10, p25, p50, p75, p90, p95, p50_low, p50_high (95% interval of the median).
        promises: plan, commitment_id, title, short, metric, target, unit, year, chance_share and its 95% interval chance_low_share,
            chance_high_share, and by_year_share, by_year_low_share, by_year_high_share: the same of being there in that year or one before.
        called: What each unknown is called, by factor or shock id: a text of the case, or `key` and `values` of a message whose values are
            the like.
        drivers: plan, factor, kind, metric, year, first_order_share, is_in_turn (the share is what a straight line explains beyond
            those above it, as futures are few for so many unknowns), chance_share (what chance alone may give to one of so many),
            low_mean, high_mean, and total_share, morris_mu_star, where the design gives them; the ones that matter most first.
        values: plan, mean_musd, p10_musd, p50_musd, p90_musd, loss_share: value against the first plan `against`, and cost_musd,
            costs_unknown_count.
        against: Plan that values are told against, None where there is one plan.
        regret: plan, worst_musd, p90_musd, mean_musd, best_share, near_share, least_musd, is_least_regret.
        pairs: plan, other, mean_musd, p10_musd, p50_musd, p90_musd, better_share, alike_share: what a plan gains over another one on the
            same futures.
        information: factor, value_musd: what knowing it before choosing a plan is worth; `everything` first.
        waiting: What waiting is worth; empty without a later plan.
        failure_boxes: plan, factor, holds (below, above, between or shock), comes_share, chance_share (of a shock: in how many of the
            futures of the box, and of all, it comes), low_share, high_share, low, high, coverage_share, density_share, mass_share.
        disruptions: plan, shock_id, with_mt, without_mt, kept_share, futures: tonnes of the first year of a shock.
        peace: country, year, metric, mean, p10, p50, p90: what the openings are worth, kept against reversed.
        links: plan, year, link_id, p10_kt, p50_kt, p90_kt.
        routes: By how much routes looked for anew change the headline tonnes where that was tried: asked_count, p50_mt, largest_mt.
    """

    ensemble_id: str
    corridor_id: str
    folder: Path | None
    design: str
    seed: int
    futures: int
    wanted: int
    stopped: str | None
    failed: pl.DataFrame
    factors: pl.DataFrame
    shocks: pl.DataFrame
    left_out: tuple[str, ...]
    called: Mapping[str, Any]
    rate_share: float | None
    value_years: tuple[int, int] | None
    distributions: pl.DataFrame
    promises: pl.DataFrame
    drivers: pl.DataFrame
    values: pl.DataFrame
    against: str | None
    regret: pl.DataFrame
    pairs: pl.DataFrame
    information: pl.DataFrame
    waiting: Mapping[str, float]
    failure_boxes: pl.DataFrame
    disruptions: pl.DataFrame
    peace: pl.DataFrame
    links: pl.DataFrame
    routes: Mapping[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        plain = (
            "ensemble_id", "corridor_id", "design", "seed", "futures", "wanted", "stopped", "left_out", "rate_share", "value_years",
            "against", "waiting", "routes",
        )  # fmt: skip
        frames = (
            "failed", "factors", "shocks", "distributions", "promises", "drivers", "values", "regret", "pairs", "information",
            "failure_boxes", "disruptions", "peace", "links",
        )  # fmt: skip
        told: dict[str, Any] = {name: getattr(self, name) for name in plain} | {"left_out": list(self.left_out)}
        told |= {
            "waiting": dict(self.waiting),
            "routes": dict(self.routes),
            "called": dict(self.called),
            "folder": None if self.folder is None else str(self.folder),
        }
        found: dict[str, Any] = rounded({**told, **{name: getattr(self, name).to_dicts() for name in frames}})
        return found

    def _repr_html_(self) -> str:
        """What a notebook shows: the chance that each promise is met."""
        told = [f"{self.futures:,} futures of {self.corridor_id}, {self.design}, seed {self.seed}."]
        rows = [
            (row["plan"], row["short"] or row["commitment_id"], str(row["year"]), f"{row['chance_share']:.0%}")
            for row in self.promises.iter_rows(named=True)
        ]
        return html_paragraphs(told) + html_table("Chance that a promise is met", ["plan", "promise", "year", "chance"], rows)
