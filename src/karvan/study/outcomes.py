"""What outlooks and journeys give, in the form in which published values are held against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from karvan.corridor import Corridor
from karvan.measures import Scenario, load_scenario
from karvan.measures.apply import apply
from karvan.results import Outlook, PowerBalance, YearResult
from karvan.study.journeys import journey_legs
from karvan.validation import Outcomes, journey_months, journey_years


def scenario_legs(corridor: Corridor, scenario: Scenario, years: Iterable[int]) -> dict[int, pl.DataFrame]:
    """Legs of all journeys of a corridor by year under a scenario."""
    price = corridor.manifest.co2_price_usd_per_t
    return {year: journey_legs(apply(scenario, corridor, year=year), co2_price_usd_per_t=price) for year in years}


def legs_of(corridor: Corridor) -> dict[int, pl.DataFrame]:
    """Legs of all journeys in the years that observations need, under the baseline."""
    manifest = corridor.manifest
    years = journey_years(corridor.tables["observations"], base_year=manifest.base_year, facts_year=manifest.facts_until.year)
    return scenario_legs(corridor, load_scenario(manifest.baseline, corridor), years)


def month_legs_of(corridor: Corridor) -> dict[str, pl.DataFrame]:
    """Legs of all journeys in the months that observations need, with the waits of those months, under the baseline."""
    manifest = corridor.manifest
    months = journey_months(corridor.tables["observations"], base_year=manifest.base_year, facts_year=manifest.facts_until.year)
    baseline, price = load_scenario(manifest.baseline, corridor), manifest.co2_price_usd_per_t
    return {
        month: journey_legs(apply(baseline, corridor, period=month), co2_price_usd_per_t=price, month=int(month[-2:])) for month in months
    }  # fmt: skip


def outcomes_of(
    corridor: Corridor,
    outlooks: Iterable[Outlook],
    *,
    legs: Mapping[int, pl.DataFrame],
    power: Mapping[tuple[str, int], PowerBalance] | None = None,
) -> Outcomes:
    """What some outlooks give, ready to be held against published values."""
    manifest = corridor.manifest
    years: dict[tuple[str, int], YearResult] = {}
    for item in outlooks:
        years |= {(item.scenario_id, result.year): result for result in item.years}
    return Outcomes(
        base_year=manifest.base_year,
        baseline_id=manifest.baseline,
        headline_cordon=manifest.headline_cordon,
        years=years,
        legs=legs,
        month_legs=month_legs_of(corridor),
        journeys=corridor.tables["journeys"],
        deflators=dict(corridor.tables["deflators"].select("year", "deflator_ratio").iter_rows()),
        power=power or {},
    )
