"""What to build when, out of which fund: the best dated portfolio under yearly budgets, with proof of how near to the best it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal import Fund, Plan, PortfolioProblem, best_plans, by_year
from karvan.appraisal.bank import nash_split
from karvan.appraisal.portfolio import NEVER
from karvan.corridor import Corridor
from karvan.errors import ConvergenceError, DataError, Problem
from karvan.measures import Scenario, load_scenario, with_measures, without_measures
from karvan.measures.scenario import DatedMeasure
from karvan.results import Appraisal, PortfolioPlan
from karvan.study.appraise import MARKET_ITEMS, AppraisalOptions, appraised
from karvan.study.options import ScenarioOptions, laid_over
from karvan.study.plan_market import SampledMarket, year_market
from karvan.study.plan_projects import OTHERS, Candidate, budgets_of, candidates_of
from karvan.study.progress import Progress, line, silent
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.study.works import appraisal_values, discount_rate

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

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
        has_full: Clear the portfolios told again, with routes sought and delays found, and appraise what is chosen in full.
        threads: Years solved at once; the answer does not depend on it.
    """

    to_year: int = 2035
    rate_id: str | None = None
    sample_years: tuple[int, ...] = _SAMPLES
    only: tuple[str, ...] = ()
    gap: float = GAP
    count: int = 3
    has_more: bool = True
    has_full: bool = False
    threads: int = 2


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
    years = list(range(first, how.to_year + 1))
    values = appraisal_values(corridor)
    rate_id, rate = discount_rate(corridor, how.rate_id, "economic")
    funds = budgets_of(corridor, budgets or {}, years)
    candidates, left_out = candidates_of(corridor, base, funds, how.only)
    if not candidates:
        raise DataError(Problem("project_costs", None, None, "holds no measure that is not in the scenario and that a fund pays for"))
    memory = routes or RouteMemory(folder=cache_folder())
    samples = {}
    for year in how.sample_years:
        tell(line("plan_market", year=year))
        samples[year] = year_market(corridor, base, [item.measure for item in candidates], year, memory)
    upkeep = np.array([item.works.running_musd_per_year for item in candidates])
    market = SampledMarket(samples, years, upkeep)
    rest = max(round(values["evaluation_years"]) - len(years), 0)
    weight = np.ones(len(years))
    weight[-1] += sum((1.0 + rate) ** -offset for offset in range(1, rest + 1))
    problem = PortfolioProblem(
        tuple(item.project for item in candidates), tuple(funds), market, rate, weight, is_cheap_by_year=True
    )  # fmt: skip

    def told(value: float, bound: float) -> None:
        share = max(bound - value, 0.0) / max(abs(bound), 1e-9)
        tell(line("plan_search", value=value, bound=bound, gap_share=share))

    found = _sought(problem, how, told)
    best = found[0]
    single = _Single(problem)
    ranked = single.ranking()
    again = [
        _again(corridor, base, candidates, item, problem, years, how, memory, tell) if how.has_full else (None, None) for item in found
    ]
    if how.has_full:  # the order of the full loop has the last word
        order = sorted(range(len(found)), key=lambda place: (-float(again[place][0] or 0.0), place))
        found, again = tuple(found[place] for place in order), [again[place] for place in order]
        best = replace(found[0], bound=max(item.bound for item in found))
    capital = sum(item.works.capital_musd for item in candidates)
    return PortfolioPlan(
        scenario_id=base.scenario_id,
        from_year=years[0],
        to_year=years[-1],
        rate_id=rate_id,
        rate_share=rate,
        sample_years=tuple(samples),
        value_musd=best.value,
        bound_musd=best.bound,
        gap_share=best.gap,
        ranking_musd=single.value(ranked),
        solved_count=market.solved,
        estimated_capital_share=sum(item.works.capital_musd for item in candidates if item.works.is_estimate) / capital if capital else 0.0,
        chosen=_chosen(candidates, best, years, single),
        candidates=_candidates(candidates, best, single, market, list(samples)[-1]),
        budgets=_budgets(funds, best, years),
        more=_more(problem, best, how) if how.has_more and best.gap <= how.gap else pl.DataFrame(schema=_MORE_SCHEMA),
        next_best=_next(candidates, found, years, again),
        sponsors=pl.DataFrame() if again[0][1] is None else again[0][1].sponsors,
        full_npv_musd=None if again[0][1] is None else again[0][1].npv_musd,
        ranking=_ranking(candidates, ranked, years, single),
        split=_split(corridor, funds, best, candidates),
        complements=_complements(candidates, best, single),
        ventures=corridor.tables["ventures"].drop("source", "confidence", "note"),
        left_out=pl.DataFrame(left_out, schema={"measure_id": pl.String, "why": pl.String}, orient="row"),
        replaced=tuple(replaced),
    )


def _sought(problem: PortfolioProblem, how: PlanOptions, told: Callable[[float, float], None] | None) -> tuple[Plan, ...]:
    try:
        return best_plans(problem, count=how.count, threads=how.threads, gap=how.gap, progress=told)
    except ConvergenceError as error:
        if not isinstance(error.best, Plan):
            raise
        return (error.best,)


class _Single:
    """Portfolios valued one at a time, and projects by themselves."""

    def __init__(self, problem: PortfolioProblem) -> None:
        self.problem = problem
        self.count = len(problem.projects)

    def value(self, start: IntArray) -> float:
        """Present value of a portfolio."""
        problem, opened = self.problem, self.problem.is_open(start)
        welfare = np.array([problem.worth(opened[year], year).welfare for year in range(problem.years)])
        spent = sum((problem.spent(problem.projects[j], int(start[j])) for j in np.flatnonzero(start != NEVER)), np.zeros(problem.years))
        return float((problem.discount * (problem.year_weight * welfare - spent)).sum())

    def alone(self, project: int) -> tuple[float, int]:
        """What a project is worth by itself with what it requires, at its best start, and that start."""
        best = (-np.inf, NEVER)
        for year in range(self.problem.years - self.problem.projects[project].lead_years):
            start = self.with_needed(np.full(self.count, NEVER), project, year)
            if start is not None:
                best = max(best, (self.value(start), -year))
        return best[0], -best[1] if best[1] != NEVER else NEVER

    def with_needed(self, start: IntArray, project: int, year: int) -> IntArray | None:
        """A portfolio with a project started in a year and what it requires started so as to be open by then; None if that is too late."""
        names = [item.project_id for item in self.problem.projects]
        found = start.copy()
        found[project] = year
        for other in self.problem.projects[project].requires:
            place = names.index(other)
            latest = year + self.problem.projects[project].lead_years - self.problem.projects[place].lead_years
            if found[place] == NEVER or found[place] > latest:
                if latest < 0:
                    return None
                nested = self.with_needed(found, place, latest)
                if nested is None:
                    return None
                found = nested
        return found

    def is_allowed(self, start: IntArray) -> bool:
        """Within budgets and exclusions."""
        problem = self.problem
        names = [item.project_id for item in problem.projects]
        inside = {names[j] for j in np.flatnonzero(start != NEVER)}
        if any(name in inside and other in inside for name in inside for other in problem.projects[names.index(name)].excludes):
            return False
        for fund in problem.funds:
            spent = np.zeros(problem.years)
            for j in np.flatnonzero(start != NEVER).tolist():
                spent += problem.projects[j].fund_shares.get(fund.fund_id, 0.0) * problem.spent(problem.projects[j], int(start[j]))
            if (np.cumsum(spent) > np.cumsum(fund.budget) + 1e-9).any():
                return False
        return True

    def ranking(self) -> IntArray:
        """What planners do: projects by what each is worth alone over its capital, each at the first start that budgets allow."""
        worth = [self.alone(project) for project in range(self.count)]
        ratio = [value / max(sum(self.problem.projects[j].spend), 1e-9) for j, (value, _) in enumerate(worth)]
        start = np.full(self.count, NEVER)
        for project in sorted(range(self.count), key=lambda j: (-ratio[j], j)):
            if worth[project][0] <= 0.0 or start[project] != NEVER:
                continue
            for year in range(self.problem.years - self.problem.projects[project].lead_years):
                tried = self.with_needed(start, project, year)
                if tried is not None and self.is_allowed(tried):
                    start = tried
                    break
        return start


def _chosen(candidates: Sequence[Candidate], best: Plan, years: Sequence[int], single: _Single) -> pl.DataFrame:
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
                "first_musd": single.alone(j)[0], "last_musd": None if is_needed else best.value - single.value(without),
            }
        )  # fmt: skip
    schema = {
        "measure_id": pl.String, "title": pl.String, "start_year": pl.Int64, "open_year": pl.Int64, "capital_musd": pl.Float64,
        "first_musd": pl.Float64, "last_musd": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema).sort("start_year", "measure_id")


def _candidates(candidates: Sequence[Candidate], best: Plan, single: _Single, market: SampledMarket, last: int) -> pl.DataFrame:
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
                "is_estimate": item.works.is_estimate, "gain_musd_per_year": market.at(last, alone).welfare,
                "alone_musd": single.alone(j)[0], "is_chosen": bool(best.start[j] != NEVER), "funds": funds,
            }
        )  # fmt: skip
    return pl.DataFrame(rows).sort("alone_musd", descending=True)


def _budgets(funds: Sequence[Fund], best: Plan, years: Sequence[int]) -> pl.DataFrame:
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


_MORE_SCHEMA = {"fund_id": pl.String, "value_musd": pl.Float64, "gain_musd": pl.Float64}


def _more(problem: PortfolioProblem, best: Plan, how: PlanOptions) -> pl.DataFrame:
    """What 10% more for each fund is worth: the search again, as a choice of whole projects has no price."""
    rows = []
    for place, fund in enumerate(problem.funds):
        if fund.fund_id == OTHERS:
            continue
        richer = list(problem.funds)
        richer[place] = Fund(fund.fund_id, tuple(_MORE * amount for amount in fund.budget))
        found = _sought(replace(problem, funds=tuple(richer)), replace(how, count=1), None)[0]
        rows.append((fund.fund_id, max(found.value, best.value), max(found.value - best.value, 0.0)))
    return pl.DataFrame(rows, schema=_MORE_SCHEMA, orient="row")


def _dated(candidates: Sequence[Candidate], start: IntArray, years: Sequence[int]) -> str:
    return ", ".join(f"{candidates[j].measure.id} {years[int(start[j])]}" for j in np.flatnonzero(start != NEVER).tolist())


def _next(
    candidates: Sequence[Candidate], found: Sequence[Plan], years: Sequence[int], again: Sequence[tuple[float | None, Appraisal | None]]
) -> pl.DataFrame:
    rows = [
        (rank, item.value, _dated(candidates, item.start, years), full[0])
        for rank, (item, full) in enumerate(zip(found, again, strict=True), start=1)
    ]
    schema = {"rank": pl.Int64, "value_musd": pl.Float64, "measures": pl.String, "full_musd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _again(
    corridor: Corridor, base: Scenario, candidates: Sequence[Candidate], item: Plan, problem: PortfolioProblem, years: Sequence[int],
    how: PlanOptions, memory: RouteMemory, tell: Progress,
) -> tuple[float | None, Appraisal | None]:  # fmt: skip
    """A portfolio in the full loop: what the search counts, with routes sought and delays found; and its appraisal."""
    chosen = np.flatnonzero(item.start != NEVER).tolist()
    opening = {j: years[int(item.start[j])] + candidates[j].works.build_year_count for j in chosen}
    if not chosen or min(opening.values()) > max(how.sample_years):
        return None, None
    dated = [DatedMeasure(candidates[j].measure, date(opening[j], 1, 1), None) for j in chosen]
    with_set = replace(base, dated=tuple(sorted((*base.dated, *dated), key=lambda each: each.from_date)))
    samples = tuple(sorted({*how.sample_years, *opening.values()}))
    full = appraised(
        corridor, base, with_set, how=AppraisalOptions(how.rate_id, None, samples, has_members=False), memory=memory, tell=tell
    )  # fmt: skip
    market = full.accounts.filter(pl.col("item").is_in(MARKET_ITEMS)).group_by("year").agg(pl.col("gain_musd").sum())
    gain = by_year(market, "gain_musd", np.array(years))
    opened = problem.is_open(item.start)
    upkeep = opened @ np.array([each.works.running_musd_per_year for each in candidates])
    return float((problem.discount * (problem.year_weight * (gain - upkeep) - item.spend.sum(axis=0))).sum()), full


def _ranking(candidates: Sequence[Candidate], ranked: IntArray, years: Sequence[int], single: _Single) -> pl.DataFrame:
    rows = [
        (candidates[j].measure.id, years[int(ranked[j])], single.alone(j)[0])
        for j in np.flatnonzero(ranked != NEVER).tolist()
    ]  # fmt: skip
    schema = {"measure_id": pl.String, "start_year": pl.Int64, "alone_musd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("alone_musd", descending=True)


def _complements(candidates: Sequence[Candidate], best: Plan, single: _Single) -> pl.DataFrame:
    """Pairs of chosen measures that are worth more together than one by one, in the last year, the most first."""
    problem, last = single.problem, single.problem.years - 1
    inside = np.flatnonzero(best.start != NEVER).tolist()

    def gain(*places: int) -> float:
        opened = np.zeros(len(candidates), dtype=np.bool_)
        opened[list(places)] = True
        return problem.worth(opened, last).welfare

    alone = {j: gain(j) for j in inside}
    rows = []
    for one, other in combinations(inside, 2):
        together, apart = gain(one, other), alone[one] + alone[other]
        if together > apart + max(0.02 * abs(together), 0.05):
            rows.append((candidates[one].measure.id, candidates[other].measure.id, together, apart))
    names = ("together_musd_per_year", "apart_musd_per_year")
    schema = {"measure_id": pl.String, "with_measure_id": pl.String, **dict.fromkeys(names, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(pl.col(names[0]) - pl.col(names[1]), descending=True)


def _split(corridor: Corridor, funds: Sequence[Fund], best: Plan, candidates: Sequence[Candidate]) -> pl.DataFrame:
    """Partners of each fund: what each pays in of what is spent, and payments that leave all with an equal part of the joint gain.

    The gain told is welfare of the market less all spending, in proportion to what a fund spends of it; each partner is taken to gain in
    proportion to the capital of measures whose sponsors are of its country.
    """
    total = float(best.spend.sum())
    rows: list[tuple[object, ...]] = []
    if total <= 0.0:
        return pl.DataFrame(schema=_SPLIT_SCHEMA)
    countries = dict(corridor.tables["operators"].select("operator_id", "country").iter_rows())
    built = [candidates[j] for j in np.flatnonzero(best.start != NEVER).tolist()]
    for place, fund in enumerate(funds):
        partners = corridor.tables["fund_partners"].filter(pl.col("fund_id") == fund.fund_id).rows(named=True)
        spent = float(best.spend[place].sum())
        if not partners or spent <= 0.0:
            continue
        at_home = np.array([
            sum(
                item.works.capital_musd * item.fund_shares.get(fund.fund_id, 0.0)
                for item in built
                if any(partner["country"] in countries[name].split(";") for name in item.works.sponsors)
            )
            for partner in partners
        ])  # fmt: skip
        gross = (best.value + total) * spent / total
        gains = gross * (at_home / at_home.sum() if at_home.sum() > 0.0 else np.full(len(partners), 1.0 / len(partners)))
        paid = spent * np.array([partner["contribution_share"] for partner in partners])
        net, payment = nash_split(gains, paid)
        for number, partner in enumerate(partners):
            rows.append((fund.fund_id, partner["partner_id"], gains[number], paid[number], net[number], payment[number]))
    return pl.DataFrame(rows, schema=_SPLIT_SCHEMA, orient="row")


_SPLIT_SCHEMA = {
    "fund_id": pl.String, "partner_id": pl.String,
    **dict.fromkeys(("gain_musd", "paid_musd", "net_musd", "payment_musd"), pl.Float64),
}  # fmt: skip
