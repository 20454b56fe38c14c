"""What a set of measures is worth: the market with it and without it, told by year, party and country."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from karvan.appraisal.bank import Works, flows_of, usual_tests, worth_of
from karvan.appraisal.cash import net_present_value
from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures import Scenario, load_scenario, with_measures, without_measures
from karvan.measures.apply import require_fitting
from karvan.power import HOURS
from karvan.results import Appraisal
from karvan.study.accounts import SHIPPERS, SURPLUS
from karvan.study.appraise_sides import Sides, benefit_of, held_to_openings, settled_frame
from karvan.study.appraise_told import (
    cost_frame,
    emission_frame,
    fiscal_frame,
    flow_frame,
    member_frame,
    no_members,
    party_frame,
    sponsor_frame,
    usual_test_frame,
    yearly_frame,
)
from karvan.study.diverted import traffic_by_kind
from karvan.study.full_loop import require_answers
from karvan.study.options import ScenarioOptions, laid_over
from karvan.study.power_accounts import PowerSides, changes_power, power_sponsors
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.works import appraisal_values, discount_rate, told_ventures, works_of

_SAMPLES = (2030, 2035, 2040)
_LAST_SAMPLE = 2040


@dataclass(frozen=True)
class AppraisalOptions:
    """How a set is appraised.

    Attributes:
        rate_id: Economic discount rate; by default the case's.
        carbon_path: Path of the carbon price; by default the case's.
        sample_years: Years in which both outlooks are cleared; by default those in which a measure opens, the ones after them, 2030, 2035
            and 2040.
        has_members: Tell what each measure adds put in alone and taken out last.
        power_hours: First hours of a year that are dispatched for measures of power; they stand for all of it.
        from_year: First year that counts; by default that in which building begins.
        answers: What answers in every year beside delays: "trade", "tariffs".
    """

    rate_id: str | None = None
    carbon_path: str | None = None
    sample_years: tuple[int, ...] = ()
    has_members: bool = True
    power_hours: int = HOURS
    from_year: int | None = None
    answers: tuple[str, ...] = ()


def appraise(
    corridor: Corridor,
    *,
    measures: Sequence[str],
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: AppraisalOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> Appraisal:
    """A set of measures against a scenario without them.

    Args:
        corridor: The corridor.
        measures: The set: ids, or paths of YAML files. Those that are in the scenario are taken out of it for the comparison.
        scenario: Scenario id; by default the corridor's baseline.
        options: Other measures added or taken out on both sides, values set, an overlay.
        how: Rates and years.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or a measure whose cost nothing tells.
        ConvergenceError: A year did not clear.
    """
    how, tell = how or AppraisalOptions(), progress or silent
    if not measures or len(set(measures)) != len(measures):
        raise DataError(Problem("--with", None, None, "must name at least one measure, and each once"))
    asked = options or ScenarioOptions()
    corridor, replaced = laid_over(corridor, asked)
    without, with_set = both_scenarios(corridor, scenario or corridor.manifest.baseline, measures, asked)
    memory = routes or RouteMemory(folder=cache_folder())
    found = appraised(corridor, without, with_set, how=how, memory=memory, tell=tell)
    return replace(found, replaced=tuple(replaced))


def appraised(
    corridor: Corridor, without: Scenario, with_set: Scenario, *, how: AppraisalOptions, memory: RouteMemory, tell: Progress
) -> Appraisal:
    """A scenario against another that lacks some of its measures.

    Args:
        corridor: The corridor.
        without: The scenario without the set.
        with_set: The same with it, dated.
        how: Rates and years.
        memory: Routes to share.
        tell: Called with a line of text as the work goes on.
    """
    return appraised_by(corridor, without, with_set, answers=(how.answers,), how=how, memory=memory, tell=tell)[0]


def appraised_by(
    corridor: Corridor, without: Scenario, with_set: Scenario, *, answers: Sequence[tuple[str, ...]], how: AppraisalOptions,
    memory: RouteMemory, tell: Progress,
) -> list[Appraisal]:  # fmt: skip
    """The same for each of several lists of what answers beside delays, years of power and of delays shared.

    Raises:
        DataError: The case lacks what one of them needs.
    """
    for names in answers:
        require_answers(corridor, names)
    own = [item for item in with_set.dated if item.measure.id not in without.measure_ids]
    works = [
        each if each.sponsors else replace(each, sponsors=power_sponsors(item.measure))
        for each, item in zip(works_of(corridor, [(item.measure, item.from_date) for item in own]), own, strict=True)
    ]
    samples = how.sample_years or _sample_years(works)
    power = None
    opened = sorted({item.from_date.year for item in own if changes_power(item.measure)})
    if opened:  # nothing of power differs before the first of it opens
        ends = {min(max(year, samples[0]), samples[-1]) for year in opened} | {samples[-1]}
        ends |= {year for year in _SAMPLES if min(ends) < year < max(ends)}
        power = PowerSides(corridor, without, with_set, sorted(ends), hours=how.power_hours, memory=memory, tell=tell)
    sides = Sides(corridor, without, with_set, appraisal_values(corridor), how.carbon_path, samples, memory, tell, power)
    return [_appraisal(sides, with_set, works, how, names) for names in answers]


def _appraisal(sides: Sides, with_set: Scenario, works: Sequence[Works], how: AppraisalOptions, answers: tuple[str, ...]) -> Appraisal:
    corridor, values, samples, without = sides.corridor, sides.values, sides.samples, sides.first
    rate_id, rate = discount_rate(corridor, how.rate_id, "economic")
    before, after = sides.of(without, answers), sides.of(with_set, answers)
    told = sides.gains(with_set, answers)
    openings = [item.open_year for item in works]
    gains = held_to_openings(told, samples, openings)
    first = min(*(item.first_build_year for item in works), *samples)
    first = how.from_year or max(first, corridor.manifest.facts_until.year)
    years = np.arange(first, first + round(values["evaluation_years"]))
    ratios = {"capital_ratio": values["construction_conversion_ratio"], "running_ratio": values["running_conversion_ratio"]}
    benefit = benefit_of(gains, years)
    plain = benefit_of(held_to_openings(sides.gains(with_set, answers, is_plain=True), samples, openings), years)
    flows = flows_of(works, benefit, first, **ratios)
    full_year = max(item.open_year for item in works) + 1
    found = worth_of(flows, rate, first_full_year=full_year)
    tests = usual_tests(works, benefit, first, **ratios)
    capital = sum(item.capital_musd for item in works)
    parties = party_frame(gains, flows, years, rate)
    surplus = parties.filter((pl.col("party") == SHIPPERS) & (pl.col("item") == SURPLUS))["npv_musd"].sum()
    return Appraisal(
        measure_ids=tuple(item.measure_id for item in works),
        scenario_id=without.scenario_id,
        answers=answers,
        from_year=first,
        last_year=int(years[-1]),
        rate_id=rate_id,
        rate_share=rate,
        sample_years=tuple(samples),
        npv_musd=found.npv_musd,
        npv_queue_musd=net_present_value(
            flows.net - benefit + benefit_of(held_to_openings(sides.queue_gains(with_set, answers), samples, openings), years),
            rate,
        ),
        plain_npv_musd=net_present_value(flows.net - benefit + plain, rate) if sides.opens_ways(with_set) else None,
        err_share=found.err_share,
        bcr_ratio=found.bcr_ratio,
        first_year_share=found.first_year_share,
        payback_year_count=found.payback_year_count,
        residual_musd=found.residual_musd,
        switching=found.switching,
        estimated_capital_share=sum(item.capital_musd for item in works if item.is_estimate) / capital if capital > 0.0 else 0.0,
        costs=cost_frame(works),
        accounts=told.filter(pl.col("gain_musd") != 0.0),
        flows=flow_frame(flows),
        yearly=yearly_frame(gains, years),
        parties=parties,
        tests=usual_test_frame(tests, rate),
        sponsors=sponsor_frame(works, gains, years, first, discount_rate(corridor, None, "financial")[1], values),
        members=member_frame(sides, with_set, works, flows, rate, ratios, answers) if how.has_members else no_members(),
        traffic=traffic_by_kind(before, after),
        emissions=emission_frame(before, after),
        fiscal=fiscal_frame(told),
        wider=pl.DataFrame({"what": ["imperfect_competition"], "npv_musd": [values["imperfect_competition_share"] * float(surplus)]}),
        ventures=told_ventures(corridor).filter("is_valued", pl.col("measure_id").is_in([item.measure_id for item in works])),
        settled=settled_frame(before, after),
        replaced=(),
    )


def both_scenarios(corridor: Corridor, scenario_id: str, measures: Sequence[str], asked: ScenarioOptions) -> tuple[Scenario, Scenario]:
    """A scenario without a set of measures, and with it.

    Raises:
        MeasureError: A measure is unknown or does not fit.
    """
    base = load_scenario(scenario_id, corridor, growth=asked.growth)
    if asked.without_measures:
        base = without_measures(base, list(asked.without_measures))
    others = [name for name in asked.with_measures if name not in measures]
    if others:
        base = with_measures(base, corridor, others)
    inside = [name for name in measures if name in base.measure_ids]
    outside = [name for name in measures if name not in base.measure_ids]
    with_set = with_measures(base, corridor, outside) if outside else base
    without = without_measures(base, inside) if inside else base
    for each in (without, with_set):
        require_fitting(each, corridor)
    return without, with_set


def _sample_years(works: Sequence[Works]) -> tuple[int, ...]:
    opening = min(item.open_year for item in works)
    own = {year for item in works for year in (item.open_year, item.open_year + 1)}
    return tuple(sorted(year for year in own | set(_SAMPLES) if opening <= year <= _LAST_SAMPLE)) or (_LAST_SAMPLE,)
