"""Portfolios told again in the full loop: routes sought, delays found, trade and tariffs answering, and what each of them changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from karvan.appraisal import Plan
from karvan.appraisal.portfolio import NEVER
from karvan.corridor import Corridor
from karvan.measures import Scenario
from karvan.measures.scenario import DatedMeasure
from karvan.results import Appraisal
from karvan.study.appraise import AppraisalOptions, appraised_by
from karvan.study.full_loop import ANSWERS, DELAYS, answers_of
from karvan.study.plan_projects import Candidate
from karvan.study.plan_told import dated_text
from karvan.study.progress import Progress, line
from karvan.study.route_memory import RouteMemory

NEXT_SCHEMA = {
    "rank": pl.Int64, "value_musd": pl.Float64, "measures": pl.String, "full_musd": pl.Float64,
    **{f"{name}_musd": pl.Float64 for name in ANSWERS}, "unsettled": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Again:
    """A portfolio in the full loop.

    Attributes:
        stages: It appraised with delays, then with one more answer each.
        answers: What answers in each stage that did not in the one before.
    """

    stages: tuple[Appraisal, ...]
    answers: tuple[str, ...]

    def is_settled(self, stage: int) -> bool:
        """Whether all that a stage adds is settled in every year, with and without the portfolio; that of delays alone always counts."""
        return stage == 0 or bool(self.stages[stage].settled["is_settled"].all())

    @property
    def unsettled(self) -> str:
        """Answers that are not settled, with their years."""
        found: dict[str, set[int]] = {}
        for stage in self.stages:
            for row in stage.settled.filter(~pl.col("is_settled")).iter_rows(named=True):
                found.setdefault(row["answer"], set()).add(row["year"])
        return "; ".join(f"{name} {', '.join(map(str, sorted(found[name])))}" for name in ANSWERS if name in found)

    def changes(self, value: float) -> dict[str, float | None]:
        """What each answer changes, million USD; None where it is not settled, or comes after one that is not."""
        told: dict[str, float | None] = dict.fromkeys(f"{name}_musd" for name in ANSWERS)
        before = value
        for stage, name in enumerate(self.answers):
            if not self.is_settled(stage):
                break
            told[f"{name}_musd"] = self.stages[stage].npv_musd - before
            before = self.stages[stage].npv_musd
        return told


@dataclass(frozen=True)
class FullLoop:
    """Portfolios found, each in the full loop as far as that was told.

    Attributes:
        plans: The portfolios.
        again: Each in the full loop; None where it opens nothing in the years that are cleared, or an interrupt came first.
        stage: The last that is settled for all portfolios told, which they are compared by.
    """

    plans: tuple[Plan, ...]
    again: tuple[Again | None, ...]

    @property
    def stage(self) -> int:
        told = [item for item in self.again if item is not None]
        last = len(told[0].stages) - 1 if told else 0
        while last > 0 and not all(item.is_settled(stage) for item in told for stage in range(last + 1)):
            last -= 1
        return last

    @property
    def answers(self) -> tuple[str, ...]:
        """What answers in the value that portfolios are compared by; none where nothing is told."""
        first = next((item for item in self.again if item is not None), None)
        return () if first is None else first.answers[: self.stage + 1]

    @property
    def values(self) -> list[float | None]:
        """Net present value of each by that, million USD."""
        return [None if item is None else item.stages[self.stage].npv_musd for item in self.again]

    def ordered(self) -> FullLoop:
        """The same, what is worth most in the full loop first, what is not told last."""
        values = self.values
        order = sorted(range(len(values)), key=lambda place: (values[place] is None, -(values[place] or 0.0), place))
        return FullLoop(tuple(self.plans[place] for place in order), tuple(self.again[place] for place in order))

    @property
    def sponsors(self) -> pl.DataFrame:
        """What sponsors of the first earn; empty where it is not told."""
        first = self.again[0]
        return pl.DataFrame() if first is None else first.stages[self.stage].sponsors

    def next_best(self, candidates: Sequence[Candidate], years: Sequence[int]) -> pl.DataFrame:
        """Portfolios in order, with what each answer changes."""
        rows = []
        for rank, (item, again, full) in enumerate(zip(self.plans, self.again, self.values, strict=True), start=1):
            row = {"rank": rank, "value_musd": item.value, "measures": dated_text(candidates, item.start, years), "full_musd": full}
            told = {} if again is None else {**again.changes(item.value), "unsettled": again.unsettled}
            rows.append({**dict.fromkeys(NEXT_SCHEMA), **row, **told})
        return pl.DataFrame(rows, schema=NEXT_SCHEMA)


def not_told(plans: Sequence[Plan]) -> FullLoop:
    """Portfolios of which the full loop is not asked."""
    return FullLoop(tuple(plans), tuple(None for _ in plans))


def told_in_full(plans: Sequence[Plan], again: Callable[[Plan], Again | None], tell: Progress) -> FullLoop:
    """Portfolios in the full loop, the best first; an interrupt keeps those told by then.

    Args:
        plans: The portfolios.
        again: Tells one.
        tell: Called with a line of text as the work goes on.
    """
    found: list[Again | None] = [None] * len(plans)
    try:
        for place, item in enumerate(plans):
            tell(line("plan_full", number=place + 1, count=len(plans)))
            found[place] = again(item)
    except KeyboardInterrupt:  # what was cleared is kept, so that the same command goes on from here
        tell(line("plan_full_stopped"))
    return FullLoop(tuple(plans), tuple(found))


def in_full_loop(
    corridor: Corridor, base: Scenario, candidates: Sequence[Candidate], item: Plan, years: Sequence[int], how: AppraisalOptions,
    memory: RouteMemory, tell: Progress, *, answers: tuple[str, ...] | None = None,
) -> Again | None:  # fmt: skip
    """A portfolio in the full loop; None if it opens nothing in a year that is cleared.

    Years cleared are those asked for and those in which something of the portfolio opens.

    Args:
        corridor: The corridor.
        base: Scenario that it is added to.
        candidates: What it is chosen from.
        item: The portfolio.
        years: Years of the search.
        how: Rates, and the years asked for.
        memory: Routes to share, and what is kept of years.
        tell: Called with a line of text as the work goes on.
        answers: What answers beside delays, one more in each stage; by default all that the case can.
    """
    chosen = np.flatnonzero(item.start != NEVER).tolist()
    opening = {j: years[int(item.start[j])] + candidates[j].works.build_year_count for j in chosen}
    if not chosen or min(opening.values()) > max(how.sample_years):
        return None
    dated = [DatedMeasure(candidates[j].measure, date(year, 1, 1), None) for j, year in opening.items()]
    with_set = replace(base, dated=tuple(sorted((*base.dated, *dated), key=lambda each: each.from_date)))
    samples = tuple(sorted({*how.sample_years, *opening.values()}))
    can = answers_of(corridor) if answers is None else answers
    stages = [can[:count] for count in range(len(can) + 1)]
    own = replace(how, sample_years=samples, has_members=False, from_year=years[0])
    found = appraised_by(corridor, base, with_set, answers=stages, how=own, memory=memory, tell=tell)
    return Again(tuple(found), (DELAYS, *can))
