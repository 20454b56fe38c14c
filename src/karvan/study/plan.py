"""What to build when, out of which fund: the best dated portfolio under yearly budgets, with proof of how near to the best it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal import Fund, Plan, PortfolioProblem, PortfolioSearch, SectorLimit
from karvan.appraisal.bank import Loan
from karvan.appraisal.present import weights_to_end
from karvan.corridor import Corridor
from karvan.errors import ConvergenceError, DataError, Problem
from karvan.measures import load_scenario, with_measures, without_measures
from karvan.power import HOURS
from karvan.results import PortfolioPlan
from karvan.study.appraise import AppraisalOptions
from karvan.study.options import ScenarioOptions, laid_over
from karvan.study.plan_accounts import Beside
from karvan.study.plan_full import in_full_loop, not_told, told_in_full
from karvan.study.plan_fund import FundCash, FundTerms, fund_choice
from karvan.study.plan_market import year_market
from karvan.study.plan_power import PowerYear, SampledPower
from karvan.study.plan_projects import OTHERS, Reckoning, budgets_of, candidates_of, limits_of, stated_musd
from karvan.study.plan_sampled import SampledMarket
from karvan.study.plan_single import Single
from karvan.study.plan_split import country_frame, country_gains, split_frame
from karvan.study.plan_told import (
    BANK_SCHEMA,
    COMPLEMENT_SCHEMA,
    budget_frame,
    candidate_frame,
    chosen_frame,
    complement_frame,
    objective_frame,
    part_frame,
    power_frame,
    ranking_frame,
    reason_frame,
    sector_frame,
)
from karvan.study.power_accounts import changes_power
from karvan.study.progress import Progress, line, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.works import appraisal_values, carbon_price, discount_rate, told_ventures

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Told = TypeVar("Told")

GAP = 1e-3
_SAMPLES = (2030, 2035, 2040)
_MORE = 1.1


@dataclass(frozen=True)
class PlanOptions:
    """How a portfolio is sought.

    Attributes:
        to_year: Last year in which something may be started.
        rate_id: Economic discount rate; by default the case's.
        sample_years: Years in which the market is solved.
        only: Candidates; by default every measure with a cost that is not in the scenario.
        gap: Part by which the best may be better.
        count: Portfolios told, the best first.
        has_more: Tell what 10% more for each fund is worth.
        has_full: Tell the portfolios again in the full loop: routes sought, delays found, trade and tariffs answering.
        objective: "welfare" of all, or "fund": cash of the funds.
        least_cover: With "fund": debt cover below which a project is not taken.
        threads: Years solved at once; the answer does not depend on it.
        power_hours: First hours of a year that are dispatched for measures of power; they stand for all of it.
        sectors: What part of a fund's spending must and may go to sectors, before what the case says of the same sectors.
    """

    to_year: int = 2035
    rate_id: str | None = None
    sample_years: tuple[int, ...] = _SAMPLES
    only: tuple[str, ...] = ()
    gap: float = GAP
    count: int = 3
    has_more: bool = True
    has_full: bool = False
    objective: Literal["welfare", "fund"] = "welfare"
    least_cover: float | None = None
    threads: int = 2
    power_hours: int = HOURS
    sectors: tuple[SectorLimit, ...] = ()


def plan(
    corridor: Corridor,
    *,
    budgets: Mapping[str, tuple[float, bool]] | None = None,
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
    how: PlanOptions | None = None,
    routes: RouteMemory | None = None,
    progress: Progress | None = None,
) -> PortfolioPlan:
    """The best portfolio of measures with a cost, dated, beside what ranking them one by one gives.

    Args:
        corridor: The corridor.
        budgets: By fund: million USD, and whether that is what it has in each year. Funds that are not named have what the case says.
        scenario: Scenario it is added to; by default the corridor's baseline, which holds what is being built.
        options: Measures added or taken out, values set, an overlay.
        how: Years, rates and gap.
        routes: Routes to share with other studies.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError: Wrong input, or nothing to choose from.
        ConvergenceError: A year did not clear.
    """
    how, tell = how or PlanOptions(), progress or silent
    asked = options or ScenarioOptions()
    corridor, replaced = laid_over(corridor, asked)
    base = load_scenario(scenario or corridor.manifest.baseline, corridor, growth=asked.growth)
    if asked.without_measures:
        base = without_measures(base, list(asked.without_measures))
    if asked.with_measures:
        base = with_measures(base, corridor, list(asked.with_measures))
    first = corridor.manifest.facts_until.year
    if how.to_year <= first:
        raise DataError(Problem("--to", None, None, f"is {how.to_year}, must be after {first}, the year until which facts are known"))
    values = appraisal_values(corridor)
    rate_id, rate = discount_rate(corridor, how.rate_id, "economic")
    paying = budgets_of(corridor, budgets or {}, range(first, how.to_year + 1))
    candidates, left_out = candidates_of(corridor, base, paying, how.only)
    if not candidates:
        raise DataError(Problem("project_costs", None, None, "holds no measure that is not in the scenario and that a fund pays for"))
    memory = routes or RouteMemory(folder=cache_folder())
    # years in which something may still open, or that are sampled; what the last of them gains is gained in all that follow
    last = max(*how.sample_years, how.to_year + max(item.works.build_year_count for item in candidates))
    years = list(range(first, last + 1))
    funds = budgets_of(corridor, budgets or {}, years, how.to_year)
    measures = [item.measure for item in candidates]
    power = None
    if any(changes_power(item) for item in measures):
        power = SampledPower({
            year: PowerYear(corridor, base, measures, year, hours=how.power_hours, memory=memory, tell=tell,
                            co2_usd_per_t=carbon_price(corridor, None, year),) for year in how.sample_years
        })  # fmt: skip
    samples = {}
    with nullcontext() if power is None else power.prepared(how.threads):
        for year in how.sample_years:
            tell(line("plan_market", year=year))
            beside = Beside(values, corridor.tables["external_costs"], carbon_price(corridor, None, year))
            samples[year] = year_market(corridor, base, measures, year, memory, beside)
    stated = np.array([stated_musd(corridor, item.measure.id) for item in candidates])
    market = SampledMarket(samples, years, power, stated, how.threads)
    count = round(values["evaluation_years"])
    reckoning = Reckoning(first, count, rate, values["construction_conversion_ratio"], values["running_conversion_ratio"])
    problem = PortfolioProblem(
        tuple(item.project(reckoning, len(years)) for item in candidates), tuple(funds), market, rate,
        weights_to_end(len(years), count, rate), is_cheap_by_year=True, last_start=how.to_year - first, lean=market.lean,
        limits=limits_of(corridor, how.sectors, funds),
    )  # fmt: skip

    def told(value: float, bound: float) -> None:
        tell(line("plan_search", value=round(value), gap=round(max(bound - value, 0.0))))

    search = PortfolioSearch(problem, how.threads)
    (leading,) = _sought(search, how, 1, told)
    tell(line("plan_proved", value=round(leading.value), gap=round(max(leading.bound - leading.value, 0.0), 1)))
    found = _in_order(leading, _sought(search, how, how.count - 1, told))
    single, steps = Single(problem), Steps()
    ranked = steps.do("ranking", single.ranking, None)
    if ranked is not None and single.value(ranked) > found[0].value:  # the line had not led the search there
        search.meet(ranked)
        found = _sought(search, how, how.count, told)
    proved = found[0]
    cash = FundCash(problem, candidates, market, _terms(corridor, values, funds, how), reckoning)
    tell(line("plan_fund"))
    of_funds = steps.do("fund", lambda: fund_choice(cash, single, found)[0], None)
    for_funds = None if of_funds is None else problem.plan(of_funds, bound=proved.bound)
    if how.objective == "fund" and for_funds is not None:
        found = (for_funds, *found[: how.count - 1])
    best = found[0]
    full = not_told(found)
    own = AppraisalOptions(rate_id=how.rate_id, sample_years=how.sample_years, power_hours=how.power_hours)
    if how.has_full and not steps.untold:
        full = told_in_full(found, lambda item: in_full_loop(corridor, base, candidates, item, years, own, memory, tell), tell)
    if how.has_full and how.objective == "welfare":  # the order of the full loop has the last word
        full = full.ordered()
        best = replace(full.plans[0], bound=max(item.bound for item in found))
    capital = sum(item.works.capital_musd for item in candidates)
    for_all = best if how.objective == "welfare" else proved
    aims = {"welfare": for_all} if for_funds is None else {"welfare": for_all, "fund": for_funds}
    last_sample = list(samples)[-1]
    none = pl.DataFrame()
    chosen = steps.do("worths", lambda: chosen_frame(candidates, best, years, single), chosen_frame(candidates, best, years, None))
    rest = steps.do(
        "candidates", lambda: candidate_frame(candidates, best, (single, market, last_sample)), candidate_frame(candidates, best, None)
    )
    complements = steps.do("complements", lambda: complement_frame(candidates, best, single), pl.DataFrame(schema=COMPLEMENT_SCHEMA))
    reasons = none if ranked is None else reason_frame(candidates, for_all, ranked, years, single)
    objectives = steps.do("fund", lambda: objective_frame(cash, candidates, aims, years), none)
    bank = steps.do("bank", lambda: pl.DataFrame(cash.bank(best.start), schema=BANK_SCHEMA), pl.DataFrame(schema=BANK_SCHEMA))
    saved = steps.do("power", lambda: power_frame(power, problem, years, best), power_frame(None, problem, years, best))
    more = pl.DataFrame(schema=_MORE_SCHEMA)
    if how.has_more and proved.gap <= how.gap:
        more = steps.do("more", lambda: _more(search, proved, how, told), more)
    tell(line("plan_split"))
    again = full.again[0] or steps.do(
        "split", lambda: in_full_loop(corridor, base, candidates, best, years, own, memory, tell, answers=()), None
    )  # fmt: skip
    appraised = None if again is None else again.stages[0]
    gains = country_gains(appraised)
    split = split_frame(corridor, problem, best, gains)
    return PortfolioPlan(
        scenario_id=base.scenario_id,
        from_year=years[0],
        to_year=how.to_year,
        rate_id=rate_id,
        rate_share=rate,
        sample_years=tuple(samples),
        value_musd=best.value,
        bound_musd=best.bound,
        gap_share=best.gap,
        ranking_musd=None if ranked is None else single.value(ranked),
        objective="welfare" if for_funds is None else how.objective,
        fund_rate_share=cash.terms.rate,
        parts=part_frame(problem, market, best),
        chosen=chosen,
        candidates=rest,
        complements=complements,
        reasons=reasons,
        objectives=objectives,
        bank=bank,
        power=saved,
        more=more,
        appraised_musd=None if appraised is None else appraised.npv_musd,
        untold=tuple(steps.untold),
        solved_count=market.solved,
        estimated_capital_share=sum(item.works.capital_musd for item in candidates if item.works.is_estimate) / capital if capital else 0.0,
        budgets=budget_frame(funds, best, years),
        next_best=full.next_best(candidates, years),
        full_answers=full.answers,
        sponsors=full.sponsors,
        ranking=pl.DataFrame() if ranked is None else ranking_frame(candidates, ranked, years, single),
        split=split,
        countries=country_frame(corridor, split, gains),
        ventures=told_ventures(corridor),
        sectors=sector_frame(problem, best),
        left_out=pl.DataFrame(left_out, schema={"measure_id": pl.String, "why": pl.String}, orient="row"),
        replaced=tuple(replaced),
    )


class Steps:
    """What is told beside a portfolio that is proved: an interrupt leaves out the step that it meets and all that follow.

    Attributes:
        untold: Names of steps that were left out.
    """

    def __init__(self) -> None:
        self.untold: list[str] = []

    def do(self, name: str, work: Callable[[], Told], otherwise: Told) -> Told:
        """What a step gives, or what stands in its place."""
        if not self.untold:
            try:
                return work()
            except KeyboardInterrupt:
                pass
        if name not in self.untold:
            self.untold.append(name)
        return otherwise


def _terms(corridor: Corridor, values: Mapping[str, float], funds: Sequence[Fund], how: PlanOptions) -> FundTerms:
    """At which terms the funds that have a budget look at projects."""
    hurdles = dict(corridor.tables["funds"].select("fund_id", "hurdle_share_per_year").iter_rows())
    rate = max(hurdles[fund.fund_id] for fund in funds if fund.fund_id in hurdles)
    loan = Loan(values["debt_share"], values["debt_rate_share"], round(values["debt_years"]))
    tax = values["profit_tax_share"]
    margin = (1.0 - values["resource_cost_share"]) * (1.0 - tax)
    return FundTerms(rate, margin, tax, round(values["evaluation_years"]), loan, how.least_cover)


def _sought(search: PortfolioSearch, how: PlanOptions, count: int, told: Callable[[float, float], None]) -> tuple[Plan, ...]:
    try:
        return search.best(count=count, gap=how.gap, progress=told)
    except ConvergenceError as error:
        if not isinstance(error.best, Plan):
            raise
        return (error.best,)


def _in_order(first: Plan, rest: tuple[Plan, ...]) -> tuple[Plan, ...]:
    """Portfolios told one after the other, the best first: one told later may be better than the line had it."""
    plans = sorted((first, *rest), key=lambda plan: -plan.value)
    return (replace(plans[0], bound=max(plan.bound for plan in plans)), *plans[1:])


_MORE_SCHEMA = {"fund_id": pl.String, "value_musd": pl.Float64, "gain_musd": pl.Float64}


def _more(search: PortfolioSearch, best: Plan, how: PlanOptions, told: Callable[[float, float], None]) -> pl.DataFrame:
    """What 10% more for each fund is worth: the search again, as a choice of whole projects has no price."""
    rows = []
    funds = search.problem.funds
    for place, fund in enumerate(funds):
        if fund.fund_id == OTHERS:
            continue
        more = Fund(fund.fund_id, tuple(_MORE * amount for amount in fund.budget))
        found = _sought(search.under((*funds[:place], more, *funds[place + 1 :])), how, 1, told)[0]
        rows.append((fund.fund_id, max(found.value, best.value), max(found.value - best.value, 0.0)))
    return pl.DataFrame(rows, schema=_MORE_SCHEMA, orient="row")
