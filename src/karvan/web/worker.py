"""What runs in a worker process: one task after the other, for as long as the server that started it is there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any

from karvan.corridor import Corridor, load_corridor
from karvan.errors import KarvanError, Problem
from karvan.study.live import Case, LiveStudy, Move
from karvan.study.options import ScenarioOptions
from karvan.study.progress import Progress
from karvan.study.route_memory import RouteMemory, cache_folder
from karvan.web.shipping import Shipping

PROGRESS, DONE, FAILED = "progress", "done", "failed"
RUN, LIVE, LADDER, SELECT_LINK, MARKET, ROUTE, CROSSINGS = "run", "live", "ladder", "select_link", "market", "route", "crossings"
ENERGY = "energy"
TRADE = "trade"
MONEY = "money"
_SIZES_MW = (500.0, 1000.0, 2000.0)
_STEP_YEARS = 4
Task = Mapping[str, Any]
_MOST_REPLICATIONS = 100
"""Simulated years for a browser, at most."""


class _Bench:
    """What a worker keeps between tasks."""

    def __init__(self, corridor_name: str, runs: str) -> None:
        self._name = corridor_name
        self._corridor: Corridor | None = None
        self.runs = Path(runs)
        self.memory = RouteMemory(folder=cache_folder())
        self._live: LiveStudy | None = None
        self._shipping: Shipping | None = None

    @property
    def corridor(self) -> Corridor:
        if self._corridor is None:
            self._corridor = load_corridor(self._name)
        return self._corridor

    @property
    def live(self) -> LiveStudy:
        if self._live is None:
            self._live = LiveStudy(self.corridor, self.memory)
        return self._live

    @property
    def shipping(self) -> Shipping:
        if self._shipping is None:
            self._shipping = Shipping(self.corridor)
        return self._shipping


def work(connection: Connection, corridor_name: str, runs: str) -> None:
    """Answer tasks until the other end is closed.

    A task that the model refuses is told as such. Anything else ends the process: the server says that its worker died, starts another,
    and the trace stands on standard error.

    Args:
        connection: Tasks come in as (kind, task); (PROGRESS, line), then (DONE, answer) or (FAILED, exit code, problems) go out.
        corridor_name: Folder or name of the corridor.
        runs: Folder of runs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when its workers end
    bench, guard = _Bench(corridor_name, runs), Lock()

    def send(*message: Any) -> None:
        with guard:
            try:
                connection.send(message)
            except OSError:
                os._exit(0)  # nobody is left to work for

    while True:
        try:
            kind, task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            send(DONE, _TASKS[kind](bench, task, lambda line: send(PROGRESS, line)))
        except KarvanError as error:
            problems = error.problems or (Problem("server", None, None, str(error)),)
            send(FAILED, error.exit_code, [problem.as_dict() for problem in problems])


def _options(task: Task) -> ScenarioOptions:
    given = task["options"]
    return ScenarioOptions(
        with_measures=tuple(given["with"]),
        without_measures=tuple(given["without"]),
        set_values=tuple(given["set"]),
        overlay=None if given["overlay"] is None else Path(given["overlay"]),
        growth=given["growth"],
        capacities=given["capacities"],
    )


def _run(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    from karvan.study.run import run

    result = run(
        bench.corridor,
        scenario=task["scenario"],
        years=tuple(task["years"]),
        options=_options(task),
        out=bench.runs / task["run_id"],
        replace=True,
        progress=tell,
    )
    return {"run_id": result.run_id}


def _live(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    case = Case(task["scenario"], _options(task), task["year"])
    move = Move(tuple(task["with"]), tuple(task["without"]), tuple(task["set"]), task["demand_factor"])
    return bench.live.answer(case, move).as_dict()


def _route(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    return bench.shipping.answer(task, _options(task))


def _crossings(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    from karvan import __version__
    from karvan.report import crossings_screen
    from karvan.simulation import ExperimentOptions
    from karvan.study import simulate

    how = ExperimentOptions(half_width_share=task["half_width_share"], most=_MOST_REPLICATIONS, workers=os.cpu_count() or 1)
    found = simulate(
        bench.corridor, task["system"], year=task["year"], scenario=task["scenario"], options=_options(task), how=how, has_curves=False,
        month=task["month"], routes=bench.memory, progress=tell,
    )  # fmt: skip
    return crossings_screen(found, bench.corridor, version=__version__)


def _energy(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    from karvan import __version__
    from karvan.report import oil_screen, power_screen
    from karvan.study import DispatchOptions, OilOptions, dispatch, oil

    about: dict[str, Any] = {"year": task["year"], "scenario": task["scenario"], "options": _options(task), "progress": tell}
    if task["what"] == "power":
        how = DispatchOptions(sizes_mw=_SIZES_MW if task["has_sizes"] else (), draw=task["draw"])
        return power_screen(dispatch(bench.corridor, how=how, **about), bench.corridor, version=__version__)
    first = bench.corridor.manifest.base_year
    years = tuple(range(first, first + 4 * _STEP_YEARS + 1, _STEP_YEARS))
    return oil_screen(oil(bench.corridor, how=OilOptions(years=years), routes=bench.memory, **about), bench.corridor, version=__version__)


def _trade(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    from karvan import __version__
    from karvan.report import tariffs_screen, trade_screen
    from karvan.study import TariffOptions, TradeOptions, tariffs, trade
    from karvan.study.trade import DEFAULT_YEARS

    about: dict[str, Any] = {"scenario": task["scenario"], "options": _options(task), "routes": bench.memory, "progress": tell}
    if task["what"] == "tariffs":
        game = TariffOptions(commodity=task["commodity"], years=(task["year"],), has_alliances=task["has_alliances"])
        return tariffs_screen(tariffs(bench.corridor, how=game, **about), bench.corridor, version=__version__)
    years = tuple(sorted({year for year in DEFAULT_YEARS if year < task["year"]} | {task["year"]}))
    return trade_screen(trade(bench.corridor, how=TradeOptions(years=years), **about), bench.corridor, version=__version__)


def _money(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
    from karvan import __version__
    from karvan.exchange.workbook import workbook_bytes
    from karvan.report import appraisal_screen, plan_screen
    from karvan.study import AppraisalOptions, PlanOptions, appraise, plan
    from karvan.study.full_loop import answers_of

    about: dict[str, Any] = {"scenario": task["scenario"], "options": _options(task), "routes": bench.memory, "progress": tell}
    if task["what"] == "appraisal":
        answers = answers_of(bench.corridor) if task["has_full"] else ()
        options = AppraisalOptions(has_members=task["has_members"], answers=answers)
        found = appraise(bench.corridor, measures=tuple(task["measures"]), how=options, **about)
        return appraisal_screen(found, bench.corridor, version=__version__, workbook=workbook_bytes(found))
    budgets = {name: (amount, True) for name, amount in task["budgets_musd_per_year"].items()}
    chosen = plan(bench.corridor, budgets=budgets, how=PlanOptions(to_year=task["to_year"], has_full=task["has_full"]), **about)
    return plan_screen(chosen, bench.corridor, version=__version__)


def _question(verb: str, *names: str, **by_name: str) -> Callable[[_Bench, Task, Progress], dict[str, Any]]:
    """The task that asks a verb of `study` about a scenario in a year; arguments are taken from the task by these names."""

    def ask(bench: _Bench, task: Task, tell: Progress) -> dict[str, Any]:
        from karvan import study

        found = getattr(study, verb)(
            bench.corridor, *(task[name] for name in names), **{key: task[name] for key, name in by_name.items()},
            scenario=task["scenario"], year=task["year"], options=_options(task), routes=bench.memory, progress=tell,
        )  # fmt: skip
        answer: dict[str, Any] = found.as_dict()
        return answer

    return ask


_TASKS: Mapping[str, Callable[[_Bench, Task, Progress], dict[str, Any]]] = {
    RUN: _run,
    LIVE: _live,
    LADDER: _question("ladder", to_mt="to_mt"),
    SELECT_LINK: _question("select_link", "element"),
    MARKET: _question("market", "market"),
    ROUTE: _route,
    CROSSINGS: _crossings,
    ENERGY: _energy,
    TRADE: _trade,
    MONEY: _money,
}
