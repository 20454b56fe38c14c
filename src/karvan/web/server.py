"""All that a server holds: the case, the runs, the jobs, the workers."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from karvan import __version__
from karvan.corridor import load_corridor
from karvan.report import futures_screen
from karvan.results import write_text_whole
from karvan.results.ensemble_store import ENSEMBLES_FOLDER, kept_answer
from karvan.study.live import Case, Move, as_measure, values_in
from karvan.study.options import NOMINAL, ScenarioOptions
from karvan.study.run import run_id_of
from karvan.validation import References, inputs, references_of, sources
from karvan.web.asked import CrossingsAsked, EnergyAsked, JobAsked, LiveAsked, MoneyAsked, RouteAsked, TradeAsked
from karvan.web.case import MOVED, case_document
from karvan.web.crossings import CrossingsDesk
from karvan.web.desk import JobDesk
from karvan.web.jobs import Job, JobStore
from karvan.web.questions import NewestDesk, Questions
from karvan.web.refused import refused
from karvan.web.screen import compare_screens, screen_document
from karvan.web.sessions import Sessions
from karvan.web.settings import Settings
from karvan.web.shelf import RunShelf
from karvan.web.worker import ENERGY, LADDER, LIVE, MONEY, ROUTE, TRADE
from karvan.web.workers import Worker

_MOST_SCREENS = 6
_MOST_VALUES = 16


class Server:
    """A server's state.

    Args:
        settings: How it was started.
        port: The port that it got.

    Raises:
        DataError: The corridor is wrong.
    """

    def __init__(self, settings: Settings, *, port: int) -> None:
        self.settings = settings
        self.port = port
        self.corridor = load_corridor(settings.corridor)
        self.sessions = Sessions(settings.password)
        self.shelf = RunShelf(settings.runs, self.corridor)
        self.desk = JobDesk(
            JobStore(self.shelf.own_folder / "jobs"),
            [Worker(settings, f"run-{number + 1}") for number in range(settings.workers)],
            most_waiting=settings.most_waiting,
            keep_ended_h=settings.keep_ended_h,
            is_saved=self.shelf.is_saved,
            on_done=self._name_run,
            on_lost=self.shelf.sweep,
        )
        self.questions = Questions(Worker(settings, "questions"))
        self.live = NewestDesk(Worker(settings, "live"), LIVE)
        self.shipping = NewestDesk(Worker(settings, "routes"), ROUTE)
        self.simulations = CrossingsDesk(Worker(settings, "crossings"))
        self.energies = NewestDesk(Worker(settings, "energy"), ENERGY)
        self.trades = NewestDesk(Worker(settings, "trade"), TRADE)
        self.monies = CrossingsDesk(Worker(settings, "money"), MONEY)
        self.is_ending = False
        self._checking = Lock()
        self._drawing = Lock()
        self._screens: OrderedDict[tuple[str, int, str], bytes] = OrderedDict()
        self._valuing = Lock()
        self._values: OrderedDict[tuple[str, ScenarioOptions, int], dict[str, Any]] = OrderedDict()
        self._ladders: dict[str, tuple[str, dict[str, Any]]] = {}

    @property
    def ensemble_folders(self) -> tuple[Path, Path]:
        """Folders in which ensembles are looked for: that of the runs, and the verb's own beside it."""
        return self.settings.runs, self.settings.runs.parent / ENSEMBLES_FOLDER

    def futures(self, ensemble_id: str) -> dict[str, Any]:
        """An answer of many futures that is kept, as the room of futures draws it.

        Raises:
            Refused: None is kept by that id.
        """
        told = kept_answer(self.ensemble_folders, ensemble_id, self.corridor.manifest.id)
        if told is None:
            raise refused(404, "futures_not_kept", table="ensemble", name=ensemble_id)
        return futures_screen(told, self.corridor, version=__version__)

    @cached_property
    def known(self) -> References:
        """References of the corridor."""
        return references_of(self.corridor)

    @cached_property
    def inputs(self) -> pl.DataFrame:
        """Every number of the corridor."""
        return inputs(self.corridor)

    @cached_property
    def sources(self) -> Mapping[str, Any]:
        """Every source of the corridor."""
        return sources(self.corridor)

    @cached_property
    def case(self) -> dict[str, Any]:
        """The case as a screen needs it."""
        return case_document(self.corridor, self.known, self.inputs)

    def add_job(self, asked: JobAsked) -> dict[str, Any]:
        """Check what is asked and put it in the queue.

        Raises:
            DataError: It does not fit the case.
            Refused: Too many wait.
        """
        with self._checking:  # two seconds of reckoning: one after the other, so that answers to others do not wait
            scenario = asked.scenario or self.corridor.manifest.headline_scenario
            options = self._options(asked)
            run_id = run_id_of(self.corridor, scenario=scenario, years=asked.years.each, options=options)
        own = {**asked.as_dict(), "scenario": scenario}
        return self.desk.add(name=asked.name.strip(), asked=own, options=_told(options), run_id=run_id)

    def question(self, kind: str, run_id: str, case: str, **task: Any) -> dict[str, Any]:
        """The answer of the model to a question about a run."""
        scenario, options = self._case_of(run_id, case)
        return self.questions.ask(kind, {**task, "scenario": scenario, "options": options})

    def move(self, asked: LiveAsked) -> dict[str, Any]:
        """The answer to a move of one year."""
        scenario, options = self._moved_case(asked)
        if options["capacities"] != NOMINAL:
            raise refused(422, "simulated_capacities")
        task = {
            "scenario": scenario,
            "options": options,
            "year": asked.year,
            "with": list(asked.with_),
            "without": list(asked.without),
            "set": list(asked.set),
            "demand_factor": dict(asked.demand_factor),
        }
        return {**self.live.ask(asked.client, task), "scenario": scenario, "case": asked.case, "run_id": asked.run_id}

    def route(self, asked: RouteAsked) -> dict[str, Any]:
        """The document of an answer to a shipper."""
        if asked.run_id is not None:
            _require_one_state(asked)
            scenario, options = self._case_of(asked.run_id, "scenario")
        else:
            scenario, options = asked.scenario or self.corridor.manifest.baseline, _told(ScenarioOptions())
            if asked.scarcity is not None:
                raise refused(422, "scarcity_needs_run", column="scarcity")
        full = None if asked.scarcity is None or asked.run_id is None else str(self.shelf.saved(asked.run_id).folder)
        task = {**asked.as_task(), "scenario": scenario, "options": options, "scarcity_run": full}
        return {**self.shipping.ask(asked.client, task), "run_id": asked.run_id}

    def simulate(self, asked: CrossingsAsked) -> dict[str, Any]:
        """The document of a simulation."""
        return self._answered(self.simulations, asked, self.corridor.manifest.baseline)

    def energy(self, asked: EnergyAsked) -> dict[str, Any]:
        """The document of power or crude oil in a year."""
        return self._answered(self.energies, asked, self.corridor.manifest.baseline)

    def trade(self, asked: TradeAsked) -> dict[str, Any]:
        """The document of tariffs or of trade."""
        return self._answered(self.trades, asked, self.corridor.manifest.headline_scenario)

    def money(self, asked: MoneyAsked) -> dict[str, Any]:
        """The document of an appraisal or of a portfolio."""
        return self._answered(self.monies, asked, self.corridor.manifest.baseline)

    def _answered(
        self, desk: CrossingsDesk | NewestDesk, asked: CrossingsAsked | EnergyAsked | TradeAsked | MoneyAsked, scenario: str
    ) -> dict[str, Any]:
        """What a desk answers in the state of a run, else of the scenario asked for or, where none is, of this one."""
        if asked.run_id is not None:
            _require_one_state(asked)
            scenario, options = self._case_of(asked.run_id, "scenario")
        else:
            scenario, options = asked.scenario or scenario, _told(ScenarioOptions())
        task = {**asked.as_task(), "scenario": scenario, "options": options}
        return {**desk.ask(asked.client, task), "run_id": asked.run_id}

    def ladder(self, run_id: str, case: str, **task: Any) -> dict[str, Any]:
        """A run's ladder; the page of the run shows the one that was asked for last."""
        answer = self.question(LADDER, run_id, case, **task)
        self._ladders[run_id] = json.dumps([case, task]), answer
        return answer

    def values(self, asked: LiveAsked) -> dict[str, Any]:
        """What can be moved, as it holds in a year after all measures."""
        scenario, given = self._moved_case(asked)
        options = ScenarioOptions(
            with_measures=(*given["with"], *asked.with_),
            without_measures=(*given["without"], *asked.without),
            set_values=tuple(given["set"]),
            overlay=None if given["overlay"] is None else Path(given["overlay"]),
            growth=given["growth"],
        )
        key = (scenario, options, asked.year)
        with self._valuing:
            if key not in self._values:
                self._values[key] = values_in(self.corridor, Case(*key), MOVED)
            self._values.move_to_end(key)
            while len(self._values) > _MOST_VALUES:
                self._values.popitem(last=False)
            return {"year": asked.year, "scenario": scenario, "values": self._values[key]}

    def screen(self, run_id: str) -> bytes:
        """Everything that the page draws of a run, as JSON; of the runs looked at last it is kept."""
        asked, ladder = self._ladders.get(run_id, ("", None))
        key = run_id, self.shelf.stamp(run_id), asked
        with self._drawing:
            if key not in self._screens:
                document = screen_document(self.shelf.saved(run_id), self.shelf.corridor_of(run_id), ladder)
                self._screens[key] = json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8")
            self._screens.move_to_end(key)
            while len(self._screens) > _MOST_SCREENS:
                self._screens.popitem(last=False)
            return self._screens[key]

    def compared(self, run_id: str, other: str) -> dict[str, Any]:
        """What differs between two runs as the page draws it, the first less the other."""
        return compare_screens(json.loads(self.screen(run_id)), json.loads(self.screen(other)))

    def stop(self) -> None:
        """End all workers; jobs are written down as they stand."""
        self.is_ending = True
        self.desk.stop()
        self.live.stop()
        self.shipping.stop()
        self.simulations.stop()
        self.energies.stop()
        self.trades.stop()
        self.monies.stop()
        self.questions.stop()

    def _options(self, asked: JobAsked) -> ScenarioOptions:
        """Options of a job; what was moved by hand becomes the file of a measure, which the run's manifest can name."""
        options = asked.options
        if asked.moved is None:
            return options
        move = Move(set_values=asked.moved.set, demand_factor=asked.moved.demand_factor)
        name, text = as_measure(self.corridor, move, from_year=asked.moved.from_year)
        folder = self.shelf.own_folder / "measures"
        folder.mkdir(parents=True, exist_ok=True)
        write_text_whole(folder / f"{name}.yaml", text)
        return replace(options, with_measures=(*options.with_measures, str(folder / f"{name}.yaml")))

    def _case_of(self, run_id: str, case: str) -> tuple[str, dict[str, Any]]:
        """Scenario and options of a run's scenario, or of the baseline that it is compared with."""
        options = self.shelf.options(run_id)
        if case == "baseline":  # the values that a run sets hold in its baseline, too, its measures do not
            options = ScenarioOptions(set_values=options.set_values, overlay=options.overlay, capacities=options.capacities)
            return self.corridor.manifest.baseline, _told(options)
        return self.shelf.scenario(run_id), _told(options)

    def _moved_case(self, asked: LiveAsked) -> tuple[str, dict[str, Any]]:
        """The case that a request moves: that of a run, or a scenario as it stands."""
        if asked.run_id is not None:
            _require_one_state(asked)
            return self._case_of(asked.run_id, asked.case)
        manifest = self.corridor.manifest
        scenario = asked.scenario or (manifest.baseline if asked.case == "baseline" else manifest.headline_scenario)
        return scenario, _told(ScenarioOptions(growth=asked.growth))

    def _name_run(self, job: Job) -> None:
        if job.name:
            self.shelf.rename(job.run_id, job.name)


def _require_one_state(asked: LiveAsked | RouteAsked | CrossingsAsked | EnergyAsked | TradeAsked | MoneyAsked) -> None:
    if asked.scenario is not None:
        raise refused(422, "run_or_scenario", column="scenario")


def _told(options: ScenarioOptions) -> dict[str, Any]:
    """Options as a worker is sent them."""
    return {
        "with": list(options.with_measures),
        "without": list(options.without_measures),
        "set": list(options.set_values),
        "overlay": None if options.overlay is None else str(options.overlay),
        "growth": options.growth,
        "capacities": options.capacities,
    }
