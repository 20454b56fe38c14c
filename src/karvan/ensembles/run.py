"""The verb: many futures of one or several plans, and what they say."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.ensembles.answers import (
    BOXES,
    Sample,
    disruptions,
    distributions,
    drivers,
    factors_told,
    failure_boxes,
    link_bands,
    promised,
    promises,
    route_gaps,
    shocks_told,
)
from karvan.ensembles.definition import HEADLINES, Ensemble, columns_of_futures, scenario_of
from karvan.ensembles.designs import design
from karvan.ensembles.engine import Pace, client_of, work_off
from karvan.ensembles.factors import explicit_points, unknowns
from karvan.ensembles.futures import Futures
from karvan.ensembles.prepared import Prepared, Search
from karvan.ensembles.stopping import Until, checkpoints, until_of
from karvan.ensembles.store import FutureStore
from karvan.ensembles.worth import information_told, pairs_told, peace_told, regret_told, values_told, waiting_told, worth_of
from karvan.errors import DataError, Problem
from karvan.measures.apply import require_fitting
from karvan.measures.measure import parse_record
from karvan.report.unknowns import called_of
from karvan.results.ensemble import EnsembleAnswer
from karvan.results.ensemble_store import ENSEMBLES_FOLDER, keep_answer
from karvan.study.options import ScenarioOptions, laid_over
from karvan.study.progress import Progress, line, silent
from karvan.study.route_memory import cache_folder

_FURTHER_YEARS = (2028, 2030, 2035)
_EXPLICIT = "table"
"""Of the pages that are kept with the answer."""


@dataclass(frozen=True)
class EnsembleOptions:
    """How an ensemble is made and worked on.

    Attributes:
        futures: How many.
        design: sobol, lhs, morris or indices.
        seed: Of the design.
        plans: Further plans on the same draws, beside the scenario.
        against: Plan that values are told against; by default the baseline where it is a plan, else the first one.
        vary: TABLE.ID.COLUMN=LOW:HIGH, beside the ranges of the case.
        only: Factors and shocks to draw, all if empty.
        has_ranges, has_shocks: Draw the ranges and the shocks that the case stores.
        table: Futures written out, a column by factor or shock.
        until: When enough is known, such as "p90(corridor_mt[2030]) within 2%".
        workers: Processes of this machine.
        scheduler: Address of a Dask scheduler in place of them.
        rate_share: Yearly discount rate of values; by default the economic one of the case.
        driven: Headline whose drivers are told, and its year, such as "corridor_mt[2030]".
    """

    futures: int = 1000
    design: str = "sobol"
    seed: int = 1
    plans: tuple[str, ...] = ()
    against: str | None = None
    vary: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    has_ranges: bool = True
    has_shocks: bool = True
    table: pl.DataFrame | None = None
    until: str | None = None
    workers: int = 2
    scheduler: str | None = None
    rate_share: float | None = None
    driven: str | None = None


@dataclass(frozen=True)
class _Work:
    """What workers are sent."""

    ensemble: Ensemble
    cache: Path | None = field(default=None)

    @property
    def id(self) -> str:
        """Tells it from other work."""
        return self.ensemble.id

    def parts(self) -> Sequence[Search]:
        """Searches for routes that futures share; without a folder every worker makes its own."""
        return [] if self.cache is None else Prepared(self.ensemble, self.cache).searches()

    def prepared(self) -> Futures:
        """What makes searches and gives the rows of a future."""
        return Futures(self.ensemble, self.cache)


def ensemble(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    years: Sequence[int] = tuple(range(2024, 2041)),
    options: ScenarioOptions | None = None,
    how: EnsembleOptions | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> EnsembleAnswer:
    """Many futures of a scenario, and what they say: chances, spreads, what drives them, and which plan is regretted least.

    A future draws every value with a range, and every shock, of the corridor; the base year is fitted again, so that it is what was
    observed; then every year of every plan is cleared on the routes that are known. Finished futures are kept as they come: asked again,
    it goes on where it was stopped, whether by Ctrl-C or a lost machine. What a future gives depends on the ensemble and its number
    alone, so that the digits do not depend on workers, kills or order.

    Workers are processes that import the caller's main module: call it under `if __name__ == "__main__":`.

    Args:
        corridor: The corridor.
        scenario: Scenario, or plan; by default the corridor's headline scenario.
        years: Calendar years, ascending, the base year or later.
        options: Measures added or taken out of every plan, values set, an overlay.
        how: How it is made and worked on.
        out: Folder of its futures; by default `karvan-ensembles/<ensemble id>` in the working directory.
        progress: Called with a line of text as the work goes on.

    Raises:
        DataError, MeasureError: Wrong input.
        KarvanError: The cluster was lost; what is finished is kept.
    """
    how, tell = how or EnsembleOptions(), progress or silent
    made = ensemble_of(corridor, scenario=scenario, years=years, options=options, how=how)
    until = None if how.until is None else until_of(how.until, metrics=HEADLINES, years=made.years)
    _driven(how, made)
    _against(how, made)
    folder = out or ENSEMBLES_FOLDER / made.id
    store = FutureStore(folder, columns_of_futures(made))
    store.open(made.id, {"corridor": corridor.manifest.id, "plans": list(made.plans), "design": how.design, "seed": how.seed})
    count, stopped = _worked(made, store, until, how, tell)
    found = answered(made, store, count, how=how, stopped=stopped)
    keep_answer(folder, found)
    return found


def ensemble_of(
    corridor: Corridor,
    *,
    scenario: str | None = None,
    years: Sequence[int] = tuple(range(2024, 2041)),
    options: ScenarioOptions | None = None,
    how: EnsembleOptions | None = None,
) -> Ensemble:
    """The ensemble that would be run, checked; see `ensemble`.

    Raises:
        DataError, MeasureError: Wrong input.
    """
    how, options = how or EnsembleOptions(), options or ScenarioOptions()
    if not years or list(years) != sorted(set(years)) or years[0] < corridor.manifest.base_year:
        raise DataError(Problem("--years", None, None, "must be a first and a last year, the base year or later, such as 2024:2040"))
    if how.workers < 1:
        raise DataError(Problem("--workers", None, None, f"is {how.workers}, must be 1 or more"))
    if how.rate_share is not None and not 0.0 <= how.rate_share < 1.0:
        raise DataError(Problem("--rate", None, None, f"is {how.rate_share:g}, must be a share such as 5%"))
    laid, _ = laid_over(corridor, options)
    plans = tuple(dict.fromkeys((scenario or corridor.manifest.headline_scenario, *how.plans)))
    for plan in plans:
        require_fitting(scenario_of(laid, plan, options), laid)
    wanted = unknowns(laid, vary=how.vary, only=how.only, has_ranges=how.has_ranges, has_shocks=how.has_shocks)
    explicit = () if how.table is None else tuple(explicit_points(wanted, how.table))
    if how.table is not None and not explicit:
        raise DataError(Problem("futures", None, None, "holds no rows, must hold a future a row"))
    detail = tuple(year for year in _FURTHER_YEARS if year in years)
    kind, count = ("sobol", len(explicit)) if explicit else (how.design, how.futures)
    spread = design(kind, len(wanted.seeds), count, seed=how.seed)
    return Ensemble(laid, plans, tuple(years), wanted, spread, explicit, detail, options)


def answered(made: Ensemble, store: FutureStore, count: int, *, how: EnsembleOptions, stopped: str | None) -> EnsembleAnswer:
    """What the first futures of an ensemble say.

    Args:
        made: The ensemble.
        store: Its futures.
        count: How many; all of them must be there.
        how: How it was made.
        stopped: Why there are fewer than asked for.
    """
    sample = Sample(made, store, count)
    metric, year = _driven(how, made)
    against = _against(how, made)
    worth = worth_of(sample, against=against, rate_share=how.rate_share)
    target = next((row["target"] for row in promised(made) if row["metric"] == metric), None)
    later, taken_back = (_with_key(made, key) for key in ("shift", "until"))
    kept = next((plan for plan in made.plans if plan not in (later, taken_back, against)), made.plans[0])
    none = peace_told(Sample(made, store, 0), kept=kept, reversed_plan=kept)
    return EnsembleAnswer(
        ensemble_id=made.id,
        corridor_id=made.corridor.manifest.id,
        folder=store.folder,
        design=_EXPLICIT if made.explicit else how.design,
        seed=how.seed,
        futures=count,
        wanted=made.count,
        stopped=stopped,
        failed=sample.failed(),
        factors=factors_told(made),
        shocks=shocks_told(sample),
        left_out=made.unknowns.left_out,
        called=called_of(
            made.corridor,
            [*made.unknowns.seeds, *made.unknowns.left_out],
            shocks={item.shock_id: item.name for item in made.unknowns.shocks},
        ),
        rate_share=None if worth is None else worth.rate_share,
        value_years=None if worth is None else (worth.first_year, worth.last_year),
        distributions=distributions(sample),
        promises=promises(sample),
        drivers=drivers(sample, metric=metric, year=year),
        values=values_told(worth),
        against=against if len(made.plans) > 1 else None,
        regret=regret_told(worth),
        pairs=pairs_told(worth),
        information=information_told(worth, sample),
        waiting={} if later is None else waiting_told(worth, now=kept, later=later),
        failure_boxes=failure_boxes(sample, target=target, metric=metric, year=year) if target is not None else _NO_BOXES,
        disruptions=disruptions(sample),
        peace=none if taken_back is None else peace_told(sample, kept=kept, reversed_plan=taken_back),
        links=link_bands(sample),
        routes=route_gaps(sample),
    )


_NO_BOXES = pl.DataFrame(schema=BOXES)


def _with_key(made: Ensemble, key: str) -> str | None:
    """The plan that is a scenario whose file has a key of its own: `shift`, the same later, or `until`, openings taken back."""
    texts = made.corridor.scenarios_text
    return next((plan for plan in made.plans if plan in texts and key in parse_record(texts[plan], plan, "scenarios")), None)


def _against(how: EnsembleOptions, made: Ensemble) -> str:
    if how.against is not None and how.against not in made.plans:
        raise DataError(Problem("--against", None, None, f"{how.against} is not among the plans: {', '.join(made.plans)}"))
    baseline = made.corridor.manifest.baseline
    return how.against or (baseline if baseline in made.plans else made.plans[0])


def _driven(how: EnsembleOptions, made: Ensemble) -> tuple[str, int]:
    """Metric and year whose drivers are told: as asked, or the headline tonnes of 2030 or the last year."""
    if how.driven is None:
        return "corridor_mt", next((year for year in made.detail_years if year >= 2030), made.years[-1])
    metric, _, rest = how.driven.partition("[")
    year = rest.removesuffix("]")
    if metric not in HEADLINES or not year.isdigit() or int(year) not in made.years:
        message = f"{how.driven} must read like corridor_mt[{made.years[-1]}], with one of {', '.join(HEADLINES)}"
        raise DataError(Problem("--drivers-of", None, None, message))
    return metric, int(year)


def _worked(made: Ensemble, store: FutureStore, until: Until | None, how: EnsembleOptions, tell: Progress) -> tuple[int, str | None]:
    """Work off what is not finished; how many of the first futures are, and why not all."""
    is_interrupted = threading.Event()
    marks = [] if until is None else checkpoints(made.count)
    asked = 0

    def enough(finished: set[int]) -> int | None:
        """The first checkpoint, of those not asked before, up to which all is there and the statistic known well enough."""
        nonlocal asked
        for mark in marks[asked:]:
            if any(index not in finished for index in range(mark)):
                break
            asked += 1
            if until is not None and until.is_met(Sample(made, store, mark).column(until.column, made.plans[0])[1]):
                return mark
        return None

    finished = store.finished()
    known = enough(finished)
    wanted = [index for index in range(made.count) if index not in finished]

    def told(pace: Pace) -> bool:
        nonlocal known
        tell(line("ensemble", finished=pace.finished, wanted=pace.wanted, per_min=pace.per_s * 60, left_min=(pace.left_s or 0.0) / 60))
        if known is None and asked < len(marks) and pace.finished >= marks[asked]:
            known = enough(store.finished())
        return known is not None or is_interrupted.is_set()

    if known is None and wanted:
        _interruptible(is_interrupted, lambda: _run(made, wanted, store, how, told))
        finished = store.finished()
        known = known or enough(finished)
    if known is not None:
        return known, "enough" if known < made.count else None
    first = next((index for index in range(made.count) if index not in finished), made.count)
    return first, None if first == made.count else "interrupted"


def _run(made: Ensemble, wanted: Sequence[int], store: FutureStore, how: EnsembleOptions, told: Callable[[Pace], bool]) -> None:
    with client_of(how.scheduler, min(how.workers, len(wanted))) as client:
        work_off(_Work(made, cache_folder()), wanted, store, client, total=made.count, told=told)


def _interruptible(is_interrupted: threading.Event, act: Callable[[], None]) -> None:
    """Do something; Ctrl-C lets it end at the next future and a second Ctrl-C at once."""
    if threading.current_thread() is not threading.main_thread():
        act()
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGINT, before)
        is_interrupted.set()

    signal.signal(signal.SIGINT, stop)
    try:
        act()
    finally:
        signal.signal(signal.SIGINT, before)
