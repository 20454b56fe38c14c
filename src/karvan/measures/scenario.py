"""A scenario: which measures, on which dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from karvan.corridor import Corridor
from karvan.errors import DataError, MeasureError, Problem
from karvan.measures.measure import Measure, measures_of, parse_record, read_measure, record_problems
from karvan.schema import ID

GROWTH_RANGES = ("mid", "low", "high")


class _Shift(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    opening_after: date
    years: int = Field(gt=0)


class _ScenarioFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID)
    title: str = Field(min_length=1)
    extends: str | None = None
    measures: tuple[str, ...] = ()
    shift: _Shift | None = None
    until: dict[str, date] = Field(default_factory=dict)


@dataclass(frozen=True)
class DatedMeasure:
    """A measure with the dates that a scenario gives it: in force from `from_date` until the day before `until_date`."""

    measure: Measure
    from_date: date
    until_date: date | None

    def is_in_force(self, day: date) -> bool:
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


@dataclass(frozen=True)
class Scenario:
    """Measures in the order in which their changes apply: by date, then as the scenario lists them."""

    scenario_id: str
    title: str
    dated: tuple[DatedMeasure, ...]
    growth: str = "mid"

    @property
    def measure_ids(self) -> tuple[str, ...]:
        return tuple(item.measure.id for item in self.dated)


def scenario_ids(corridor: Corridor) -> list[str]:
    """Ids of the corridor's scenarios, sorted."""
    return sorted(corridor.scenarios_text)


def load_scenario(scenario_id: str, corridor: Corridor, *, growth: str = "mid") -> Scenario:
    """Resolve a scenario of a corridor: what it extends, its shifts and its ends.

    Args:
        scenario_id: File name in the corridor's scenarios folder, without ending.
        corridor: The corridor.
        growth: Which end of the growth ranges to use: mid, low or high.

    Raises:
        MeasureError: Unknown scenario or measure, circular `extends`, an unmet `requires` or a broken `excludes`.
    """
    measures = measures_of(corridor)
    problems: list[Problem] = []
    title, dated = _resolve(scenario_id, corridor, measures, trail=(), problems=problems)
    scenario = _ordered(Scenario(scenario_id, title, tuple(dated), growth))
    if not problems:
        problems = _relation_problems(scenario)
    if problems:
        raise MeasureError(problems)
    return scenario


def _resolve(
    scenario_id: str, corridor: Corridor, measures: dict[str, Measure], *, trail: tuple[str, ...], problems: list[Problem]
) -> tuple[str, list[DatedMeasure]]:
    if scenario_id in trail:
        loop = " -> ".join([*trail, scenario_id])
        raise MeasureError(Problem("scenarios", None, "extends", f"{scenario_id}: scenarios extend each other in a circle: {loop}"))
    if scenario_id not in corridor.scenarios_text:
        known = ", ".join(scenario_ids(corridor)) or "none"
        raise MeasureError(Problem("scenarios", None, None, f"there is no scenario {scenario_id}; the corridor has: {known}"))
    record = parse_record(corridor.scenarios_text[scenario_id], scenario_id, "scenarios")
    try:
        file = _ScenarioFile.model_validate(record)
    except ValidationError as error:
        raise MeasureError(record_problems(error, "scenarios", scenario_id)) from error
    if file.id != scenario_id:
        problems.append(Problem("scenarios", None, "id", f"{scenario_id}: id is {file.id}, must be the file's name {scenario_id}"))
    dated: list[DatedMeasure] = []
    if file.extends is not None:
        _, dated = _resolve(file.extends, corridor, measures, trail=(*trail, scenario_id), problems=problems)
    present = {item.measure.id for item in dated}
    for name in file.measures:
        if name not in measures:
            problems.append(Problem("scenarios", None, "measures", f"{scenario_id}: there is no measure {name}"))
        elif name in present:
            problems.append(Problem("scenarios", None, "measures", f"{scenario_id}: measure {name} is in already; list it once"))
        else:
            present.add(name)
            dated.append(DatedMeasure(measures[name], measures[name].from_date, measures[name].until_date))
    if file.shift is not None:
        dated = [_shifted(item, file.shift.opening_after, file.shift.years) for item in dated]
    for name in file.until:
        if name not in present:
            problems.append(Problem("scenarios", None, "until", f"{scenario_id}: measure {name} is not in the scenario, so it cannot end"))
    dated = [replace(item, until_date=file.until.get(item.measure.id, item.until_date)) for item in dated]
    return file.title, dated


def _shifted(item: DatedMeasure, opening_after: date, years: int) -> DatedMeasure:
    """Move an opening later by whole years; what opened before the date, and what has an end, stays."""
    if item.from_date <= opening_after or item.until_date is not None:
        return item
    return replace(item, from_date=_later(item.from_date, years))


def _later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _ordered(scenario: Scenario) -> Scenario:
    order = sorted(range(len(scenario.dated)), key=lambda index: (scenario.dated[index].from_date, index))
    return replace(scenario, dated=tuple(scenario.dated[index] for index in order))


def _relation_problems(scenario: Scenario) -> list[Problem]:
    present = set(scenario.measure_ids)
    problems = []
    for item in scenario.dated:
        missing = [name for name in item.measure.requires if name not in present]
        if missing:
            names = ", ".join(missing)
            problems.append(
                Problem("measures", None, "requires", f"{item.measure.id}: requires {names}, not in {scenario.scenario_id}; add it too")
            )
        clashing = [name for name in item.measure.excludes if name in present]
        if clashing:
            names = ", ".join(clashing)
            problems.append(
                Problem("measures", None, "excludes", f"{item.measure.id}: excludes {names}, which is in {scenario.scenario_id}; drop one")
            )
    return problems


def with_measures(scenario: Scenario, corridor: Corridor, names: list[str]) -> Scenario:
    """Add measures of the corridor, by id, or measure files, by path, to a scenario.

    Raises:
        MeasureError: No such measure or file, the measure is in already, or its relations do not hold.
    """
    measures = measures_of(corridor)
    dated = list(scenario.dated)
    problems: list[Problem] = []
    for name in names:
        try:
            measure = measures[name] if name in measures else _measure_file(name, measures)
        except MeasureError as error:
            problems.extend(error.problems)
            continue
        if measure.id in {item.measure.id for item in dated}:
            message = f"{measure.id} is in scenario {scenario.scenario_id} already; without it: --without {measure.id}"
            problems.append(Problem("measures", None, "id", message))
            continue
        dated.append(DatedMeasure(measure, measure.from_date, measure.until_date))
    changed = _ordered(replace(scenario, dated=tuple(dated)))
    problems = problems or _relation_problems(changed)
    if problems:
        raise MeasureError(problems)
    return changed


def _measure_file(name: str, measures: dict[str, Measure]) -> Measure:
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        near = ", ".join(sorted(measures)[:8])
        raise MeasureError(
            Problem("measures", None, None, f"{name} is neither a measure of the corridor nor a YAML file; measures: {near} ...")
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MeasureError(Problem("measures", None, None, f"{name}: must be written in UTF-8")) from error
    return read_measure(text, path.stem)


def without_measures(scenario: Scenario, names: list[str]) -> Scenario:
    """Take measures out of a scenario by id.

    Raises:
        MeasureError: The measure is not in the scenario, or another one that stays requires it.
    """
    unknown = [name for name in names if name not in scenario.measure_ids]
    problems = [Problem("measures", None, None, f"{name} is not in scenario {scenario.scenario_id}") for name in unknown]
    changed = replace(scenario, dated=tuple(item for item in scenario.dated if item.measure.id not in names))
    problems = problems or _relation_problems(changed)
    if problems:
        raise MeasureError(problems)
    return changed


def check_growth(growth: str) -> str:
    """The name of a growth range, or a DataError."""
    if growth not in GROWTH_RANGES:
        raise DataError(Problem("growth", None, None, f"growth is {growth}, must be one of {', '.join(GROWTH_RANGES)}"))
    return growth
