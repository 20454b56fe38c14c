"""What to build when, out of which fund, and how near to the best that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded

_FRAMES = (
    "chosen",
    "candidates",
    "budgets",
    "more",
    "next_best",
    "sponsors",
    "ranking",
    "split",
    "countries",
    "complements",
    "ventures",
    "left_out",
    "objectives",
    "bank",
    "reasons",
    "power",
    "parts",
    "sectors",
)


@dataclass(frozen=True)
class PortfolioPlan:
    """A dated portfolio under yearly budgets.

    Attributes:
        scenario_id: Scenario that it is added to.
        from_year, to_year: Years in which something may be started.
        rate_id, rate_share: Economic discount rate; the first year is not discounted.
        sample_years: Years in which the market was solved; those between lie on a straight line, those after are as the last.
        value_musd: What all parties of an appraisal gain less all costs, in economic prices, present; delays as in the scenario without
            projects.
        bound_musd: By the market and the dispatch, with a straight line about the best for profits, border charges and externalities,
            no portfolio is worth more.
        gap_share: By what part one could be better, as far as that holds.
        ranking_musd: The same of what ranking by single-project value gives; None where it was left out.
        objective: What was sought: "welfare" of all, proved, or "fund", cash of the funds, searched without proof.
        fund_rate_share: Rate at which the funds' cash is discounted.
        objectives: objective, welfare_musd, fund_musd, measures: what the best plan for all and the best found for the funds give either.
        bank: measure_id, err_share, firr_share, debt_cover_ratio, grant_musd, charge_musd_per_year, fund_share, of chosen projects.
        reasons: measure_id, why (taken, left_out, other_year), alone_musd, last_musd, start_year, ranking_year: where ranking differs.
        power: year, gain_musd, unserved_musd, border_musd, co2_musd: what is open saves in power in each year dispatched, what
            of it is load served that was not, by how much border charges grow, a cost in gain_musd, and what less carbon dioxide is worth;
            empty where none is of power.
        parts: part, npv_musd, adding up to value_musd: freight, power (welfare of the market and what the dispatch costs less), each with
            what is beside it (profits, border charges, externalities, carbon dioxide); stated; costs.
        sectors: fund_id, sectors, least_share, most_share, spent_share: limits of sectors, and the part of the fund's spending that each
            has.
        untold: What an interrupt after the proof left out: ranking, fund, worths, candidates, complements, bank, power, more,
            split.
        solved_count: Programs solved.
        estimated_capital_share: Part of the capital of all candidates that no source states.
        chosen: measure_id, title, start_year, open_year, capital_musd, first_musd (worth alone), last_musd (lost without it).
        candidates: measure_id, title, sector, capital_musd, low_musd, high_musd, is_estimate, gain_musd_per_year (alone, last sample year),
            alone_musd (best start alone), is_chosen, funds.
        budgets: fund_id, year, budget_musd, spent_musd, left_musd.
        more: fund_id, value_musd, gain_musd with 10% more in every year.
        next_best: rank, value_musd, measures, full_musd (the same in the full loop; null where not asked for), delays_musd, trade_musd,
            tariffs_musd (what each answer changes; null where it is not settled, or the case has nothing that answers), unsettled (answers
            that did not settle, with their years). In the full loop its order is that of full_musd.
        full_answers: What answers in full_musd: delays, trade and tariffs as far as the case has them and all told settled.
        sponsors: As in an appraisal, of the chosen portfolio in the full loop; empty where not asked for.
        ranking: order, measure_id, start_year, alone_musd as ranking by single-project value has it.
        appraised_musd: What it is worth in an appraisal with delays found; None where that was left out or nothing opens in those years.
        split: fund_id, partner_id, gain_musd (of its country), paid_musd, net_musd, payment_musd of partners by Nash bargaining.
        countries: country, gain_musd (of all its parties before what building costs, present), paid_musd, is_partner.
        complements: Pairs of measures that gain more together: measure_id, with_measure_id, together_musd_per_year, apart_musd_per_year,
            is_nothing_alone (the first gains nothing without the other).
        ventures: Rows of the case's `ventures`; is_valued: they state a yearly benefit, so that a plan can choose them; is_estimate: that
            benefit is an estimate and no published figure.
        left_out: measure_id, why.
        replaced: What was replaced in the case.
    """

    scenario_id: str
    from_year: int
    to_year: int
    rate_id: str
    rate_share: float
    sample_years: tuple[int, ...]
    value_musd: float
    bound_musd: float
    gap_share: float
    ranking_musd: float | None
    objective: str
    fund_rate_share: float
    objectives: pl.DataFrame
    bank: pl.DataFrame
    reasons: pl.DataFrame
    power: pl.DataFrame
    parts: pl.DataFrame
    sectors: pl.DataFrame
    untold: tuple[str, ...]
    full_answers: tuple[str, ...]
    solved_count: int
    estimated_capital_share: float
    chosen: pl.DataFrame
    candidates: pl.DataFrame
    budgets: pl.DataFrame
    more: pl.DataFrame
    next_best: pl.DataFrame
    sponsors: pl.DataFrame
    ranking: pl.DataFrame
    appraised_musd: float | None
    split: pl.DataFrame
    countries: pl.DataFrame
    complements: pl.DataFrame
    ventures: pl.DataFrame
    left_out: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        plain = [name for name in self.__dataclass_fields__ if name not in (*_FRAMES, "replaced")]
        told: dict[str, Any] = {name: getattr(self, name) for name in plain}
        told |= {name: getattr(self, name).to_dicts() for name in _FRAMES}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
