"""What a set of measures is worth, to whom, and how sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded

_FRAMES = (
    "costs", "accounts", "flows", "yearly", "parties", "tests", "sponsors", "members", "traffic", "emissions", "fiscal", "wider",
    "ventures", "settled",
)  # fmt: skip


@dataclass(frozen=True)
class Appraisal:
    """A set of measures against a scenario without them.

    Attributes:
        measure_ids: The set.
        scenario_id: The scenario both outlooks are of.
        answers: What answered in every year beside delays: trade, tariffs.
        from_year, last_year: First and last year that count; money is discounted to the first.
        rate_id, rate_share: Economic discount rate.
        sample_years: Years in which both outlooks were cleared; those between lie on a straight line, those after are as the last.
        npv_musd, npv_queue_musd: Net present value where scarcity is a price, and where it is a queue that nobody earns.
        plain_npv_musd: Net present value where new ways take weight from those beside them however dear they are; None where the set
            opens and closes none.
        err_share: Economic rate of return; None where there is none or more than one.
        bcr_ratio: Present benefits over present costs.
        first_year_share: Gain of the first full year over capital.
        payback_year_count: Years from the first spending on until it is earned back, undiscounted.
        residual_musd: What is left of it after the last year, present.
        switching: Factor on benefits and on costs at which it is worth nothing.
        estimated_capital_share: Part of its capital that no source states, so that a cost class stands for it.
        costs: measure_id, title, capital_musd, low_musd, high_musd, running_musd_per_year, open_year, build_year_count, life_year_count,
            overrun_share, overrun_high_share, delay_share, delay_high_share, is_estimate.
        accounts: year, party, country, item, who, gain_musd, of sample years.
        flows: year, benefit_musd, capital_musd, running_musd, residual_musd, net_musd, in economic prices.
        yearly: year, party, gain_musd, of every year; the parties of a year add up to its benefit.
        parties: party, country, item, npv_musd; they and `costs` rows of the party "builders" add up to npv_musd.
        tests: test, npv_musd, err_share.
        sponsors: operator_id, capital_musd, npv_musd, firr_share, npv_without_rent_musd, firr_without_rent_share, debt_cover_ratio (of
            the worst year of the loan), grant_musd (what lifts its return to its rate), charge_musd_per_year (the same as charges).
        members: measure_id, npv_alone_musd, npv_last_musd: put in alone, and what is lost if it is taken out.
        traffic: year, to_family, kind (normal, diverted, generated), from_family, flow_kt.
        emissions: year, gross_kt (goods over the headline cordon, with), net_kt (all goods, with less without), power_kt (power plants,
            with less without; zero where no measure of power is in the set).
        fiscal: year, country, gain_musd.
        wider: what, npv_musd; never in the headline.
        ventures: Rows of the case's `ventures` that the set makes and that are valued; is_estimate: their benefit is no published figure.
        settled: year, side (without, with), answer (delays, trade, tariffs), moved (how far it still moved at the end; null where not
            told), is_settled.
        replaced: What was replaced in the case.
    """

    measure_ids: tuple[str, ...]
    scenario_id: str
    answers: tuple[str, ...]
    from_year: int
    last_year: int
    rate_id: str
    rate_share: float
    sample_years: tuple[int, ...]
    npv_musd: float
    npv_queue_musd: float
    plain_npv_musd: float | None
    err_share: float | None
    bcr_ratio: float | None
    first_year_share: float | None
    payback_year_count: int | None
    residual_musd: float
    switching: Mapping[str, float | None]
    estimated_capital_share: float
    costs: pl.DataFrame
    accounts: pl.DataFrame
    flows: pl.DataFrame
    yearly: pl.DataFrame
    parties: pl.DataFrame
    tests: pl.DataFrame
    sponsors: pl.DataFrame
    members: pl.DataFrame
    traffic: pl.DataFrame
    emissions: pl.DataFrame
    fiscal: pl.DataFrame
    wider: pl.DataFrame
    ventures: pl.DataFrame
    settled: pl.DataFrame
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON."""
        plain = [name for name in self.__dataclass_fields__ if name not in (*_FRAMES, "replaced")]
        told: dict[str, Any] = {name: _plain(getattr(self, name)) for name in plain}
        told |= {name: getattr(self, name).to_dicts() for name in _FRAMES}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
