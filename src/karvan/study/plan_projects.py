"""Candidates of a portfolio as projects of funds: what they cost whom, how long they take, what they need and rule out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.appraisal import Fund, Project, SectorLimit, net_present_value
from karvan.appraisal.bank import Works, spending
from karvan.corridor import Corridor, nearest
from karvan.errors import DataError, Problem
from karvan.measures import Measure, Scenario, measures_of
from karvan.money import SECTORS
from karvan.study.works import valued_ventures, works_of

OTHERS = "others"
"""Whoever bears what funds may not: no budget of theirs is known."""
_HAPPENED = "happened"
_NO_LIMIT_MUSD = 1e7


@dataclass(frozen=True)
class Reckoning:
    """How costs of works add up, as in an appraisal: building, upkeep, renewal and what is left at the end, in economic prices.

    Attributes:
        first_year: First year told.
        year_count: Years that count.
        rate: Discount rate; the first year is not discounted.
        capital_ratio, running_ratio: Economic over financial cost of building and of upkeep.
    """

    first_year: int
    year_count: int
    rate: float
    capital_ratio: float = 1.0
    running_ratio: float = 1.0

    def flows(self, works: Works, start: int) -> npt.NDArray[np.float64]:
        """Costs of works started in a year counted from 0, million USD, shape (years that count,)."""
        opened = self.first_year + start + works.build_year_count
        dated = replace(works, open_year=opened, last_build_year=opened - 1)
        each = spending(
            dated, self.first_year, self.year_count, capital_ratio=self.capital_ratio, running_ratio=self.running_ratio
        )  # fmt: skip
        return each.capital + each.running - each.residual


@dataclass(frozen=True)
class Candidate:
    """A measure that may be built.

    Attributes:
        measure: The measure.
        works: Its cost.
        sector: Sector of its class.
        fund_shares: Part of its capital by fund, that of others included.
        needs: Candidates that it requires.
        excludes: Candidates that it rules out.
    """

    measure: Measure
    works: Works
    sector: str
    fund_shares: Mapping[str, float]
    needs: tuple[str, ...]
    excludes: tuple[str, ...]

    def project(self, reckoning: Reckoning, years: int) -> Project:
        """As the search takes it: funds pay capital in equal parts over the years of building; it is open in the year after.

        Args:
            reckoning: What it costs society.
            years: Years of the search.
        """
        count = self.works.build_year_count
        spend = tuple(self.works.capital_musd / count for _ in range(count))
        costs = tuple(net_present_value(reckoning.flows(self.works, start), reckoning.rate) for start in range(years))
        return Project(self.measure.id, spend, dict(self.fund_shares), count, self.needs, self.excludes, self.sector, costs)


def budgets_of(corridor: Corridor, given: Mapping[str, tuple[float, bool]], years: Sequence[int], to_year: int | None = None) -> list[Fund]:
    """Funds with what they have in each year; what others bear has no limit.

    Args:
        corridor: The corridor.
        given: By fund: million USD, and whether in each year; without it, all in the first year in which the fund can pay. A fund that is
            not named has what the case says of it, and none where its size is not published.
        years: Years of the search.
        to_year: Last year in which funds get money; by default all.

    Raises:
        DataError: There is no such fund.
    """
    table = corridor.tables["funds"]
    names = table["fund_id"].to_list()
    unknown = [name for name in given if name not in names]
    if unknown:
        known = ", ".join(names) or "none"
        raise DataError(
            [Problem("funds", None, "fund_id", f"there is no fund {name}{nearest(name, names)}; funds: {known}") for name in unknown]
        )
    funds = []
    for row in table.iter_rows(named=True):
        amount, is_yearly = given.get(row["fund_id"], (row["budget_musd"], False))
        if amount is None:
            continue
        first = max(years[0], row["from_year"])
        last = years[-1] if to_year is None else to_year
        budget = [amount if (first <= year <= last if is_yearly else year == first) else 0.0 for year in years]
        funds.append(Fund(row["fund_id"], tuple(budget)))
    return [*funds, Fund(OTHERS, (_NO_LIMIT_MUSD, *(0.0 for _ in years[1:])))]


def limits_of(corridor: Corridor, given: Sequence[SectorLimit], funds: Sequence[Fund]) -> tuple[SectorLimit, ...]:
    """Limits of the funds that have a budget: those given, and those of the case for sectors that are not given.

    Raises:
        DataError: A fund or sector is not there.
    """
    names, problems = corridor.tables["funds"]["fund_id"].to_list(), []
    for limit in given:
        if limit.fund_id not in names:
            message = f"there is no fund {limit.fund_id}{nearest(limit.fund_id, names)}; funds: {', '.join(names) or 'none'}"
            problems.append(Problem("--sector", None, None, message))
        problems += [
            Problem("--sector", None, None, f"there is no sector {name}{nearest(name, list(SECTORS))}; sectors: {', '.join(SECTORS)}")
            for name in limit.sectors if name not in SECTORS
        ]  # fmt: skip
    if problems:
        raise DataError(problems)
    own = [
        SectorLimit(row["fund_id"], tuple(row["sectors"].split(";")), row["least_share"], row["most_share"])
        for row in corridor.tables["fund_limits"].iter_rows(named=True)
    ]
    said = {(limit.fund_id, frozenset(limit.sectors)) for limit in given}
    kept = [*given, *(limit for limit in own if (limit.fund_id, frozenset(limit.sectors)) not in said)]
    paying = {fund.fund_id for fund in funds}
    return tuple(limit for limit in kept if limit.fund_id in paying)


def stated_musd(corridor: Corridor, measure_id: str) -> float:
    """What ventures that a measure makes state that they add in a year, the counted part of it, million USD."""
    return sum((float(row["counted_musd_per_year"]) for row in valued_ventures(corridor, measure_id)), 0.0)


def candidates_of(
    corridor: Corridor, base: Scenario, funds: Sequence[Fund], only: Sequence[str]
) -> tuple[list[Candidate], list[tuple[str, str]]]:
    """Measures with a cost that are not in a scenario and that a fund may pay for, those that others require before them.

    Args:
        corridor: The corridor.
        base: The scenario.
        funds: Funds with a budget.
        only: Ids to choose from; none: all.

    Returns:
        Candidates, and the measures that were left out with the reason.

    Raises:
        DataError: A measure named is no candidate.
    """
    measures = measures_of(corridor)
    rows = {row["measure_id"]: row for row in corridor.tables["project_costs"].iter_rows(named=True)}
    unknown = [name for name in [*only, *rows] if name not in measures]
    if unknown:
        raise DataError([Problem("project_costs", None, "measure_id", f"there is no measure {name}") for name in unknown])
    left_out: list[tuple[str, str]] = []
    chosen: dict[str, tuple[Measure, dict[str, float], str]] = {}
    sectors = dict(corridor.tables["cost_classes"].select("class_id", pl.col("sector").cast(pl.String)).iter_rows())
    for name in sorted(rows):
        measure = measures[name]
        if name in base.measure_ids or measure.status == _HAPPENED or (only and name not in only):
            continue
        sector = sectors[rows[name]["class_id"]]
        shares = _shares(corridor, funds, sector, rows[name]["sponsors"])
        if not shares:
            left_out.append((name, "no_fund"))
            continue
        chosen[name] = (measure, shares, sector)
    changed = True
    while changed:
        changed = False
        for name, (measure, _, _) in list(chosen.items()):
            if any(other not in chosen and other not in base.measure_ids for other in measure.requires):
                left_out.append((name, "needs_other"))
                del chosen[name]
                changed = True
    missing = [name for name in only if name not in chosen]
    if missing:
        raise DataError(
            [Problem("--only", None, None, f"{name} is no candidate: in the scenario, without a cost, or no fund's") for name in missing]
        )
    ordered = _in_order({name: measure for name, (measure, _, _) in chosen.items()})
    works = {item.measure_id: item for item in works_of(corridor, [(chosen[name][0], date(2000, 1, 1)) for name in ordered])}
    excludes = _exclusions(chosen, rows)
    found = [
        Candidate(
            chosen[name][0], works[name], chosen[name][2], chosen[name][1],
            tuple(other for other in chosen[name][0].requires if other in chosen), tuple(sorted(excludes[name])),
        )
        for name in ordered
    ]  # fmt: skip
    return found, sorted(left_out)


def _shares(corridor: Corridor, funds: Sequence[Fund], sector: str, sponsors: str | None) -> dict[str, float]:
    """Part of each fund that pays for a sector and a country, as much as its rule allows, equal parts where several do."""
    countries = dict(corridor.tables["operators"].select("operator_id", "country").iter_rows())
    own = {country for name in (sponsors or "").split(";") if name for country in countries[name].split(";")}
    rules = {row["fund_id"]: row for row in corridor.tables["funds"].iter_rows(named=True)}
    paying = [
        rules[fund.fund_id]
        for fund in funds
        if fund.fund_id in rules
        and sector in rules[fund.fund_id]["sectors"].split(";")
        and (not own or own & set(rules[fund.fund_id]["countries"].split(";")))
    ]
    if not paying:
        return {}
    shares = {row["fund_id"]: row["most_share"] / len(paying) for row in paying}
    return {**shares, OTHERS: 1.0 - sum(shares.values())}


def _in_order(measures: Mapping[str, Measure]) -> list[str]:
    """Ids so that what a measure requires stands before it."""
    found: list[str] = []

    def put(name: str) -> None:
        if name in found or name not in measures:
            return
        for other in measures[name].requires:
            put(other)
        found.append(name)

    for name in sorted(measures):
        put(name)
    return found


def _exclusions(chosen: Mapping[str, tuple[Measure, dict[str, float], str]], rows: Mapping[str, dict[str, object]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in chosen}
    for name, (measure, _, _) in chosen.items():
        told = str(rows[name]["excludes"] or "").split(";")
        for other in (*measure.excludes, *told):
            if other in chosen:
                found[min(name, other)].add(max(name, other))
    return found
