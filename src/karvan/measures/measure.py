"""A measure: what changes, when, at whose cost, on whose word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from karvan.corridor import Corridor
from karvan.errors import MeasureError, Problem
from karvan.schema import ID

Status = Literal["happened", "operating", "under_construction", "announced", "option"]
Value = str | float | int | bool | date | None
KINDS = ("add", "open", "close", "set", "scale")


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, compiled where the library has it."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cost(_Record):
    """What a measure costs and who pays: shares by operator. A figure that is not known is left out, never zero."""

    capital_musd: float | None = Field(None, ge=0)
    years: float = Field(1.0, gt=0)
    running_musd_per_year: float | None = Field(None, ge=0)
    shares: Mapping[str, float] = Field(default_factory=dict)


class Change(_Record):
    """One change of one table: exactly one of add, open, close, set, scale."""

    table: str
    where: Mapping[str, Value | list[Value]] = Field(default_factory=dict)
    add: list[Mapping[str, Value]] | None = None
    open: Literal[True] | None = None
    close: Literal[True] | None = None
    set: Mapping[str, Value] | None = None
    scale: Mapping[str, float] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Change:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a change holds exactly one of {', '.join(KINDS)}; this one holds {', '.join(given) or 'none'}")
        if self.kind == "add" and self.where:
            raise ValueError("an added row needs no 'where'")
        if self.kind != "add" and not self.where:
            raise ValueError(f"'{self.kind}' needs a 'where' that names the rows")
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Measure(_Record):
    """A dated change to the corridor. Costs, sponsors, status and source stand beside it."""

    id: str = Field(pattern=ID)
    title: str = Field(min_length=1)
    from_date: date
    until_date: date | None = None
    ramp_years: float = Field(0.0, ge=0)
    status: Status
    is_operating: bool = False
    cost: Cost | None = None
    source: str = Field(min_length=1)
    confidence: Literal["sourced", "recalled", "estimate"]
    is_date_estimate: bool = False
    doc: str = Field(min_length=1)
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _dates_in_order(self) -> Measure:
        if self.until_date is not None and self.until_date <= self.from_date:
            raise ValueError(f"until_date {self.until_date} must be after from_date {self.from_date}")
        return self

    @property
    def capital_musd(self) -> float | None:
        """Capital cost, or None where it is not known. An operating measure without a stated cost needs none."""
        if self.cost is not None and self.cost.capital_musd is not None:
            return self.cost.capital_musd
        return 0.0 if self.is_operating else None


def parse_record(text: str, name: str, where: str) -> Any:
    """Parse one YAML document, or raise a MeasureError that names the file and line."""
    try:
        value = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        raise MeasureError(Problem(where, line, None, f"{name}: not valid YAML: {getattr(error, 'problem', error)}")) from error
    if not isinstance(value, dict):
        raise MeasureError(Problem(where, None, None, f"{name}: must be a mapping of keys to values"))
    return value


def record_problems(error: ValidationError, where: str, name: str) -> list[Problem]:
    """Turn what pydantic found into problems in our own form."""
    found = []
    for item in error.errors():
        column = ".".join(str(part) for part in item["loc"]) or None
        message = str(item["msg"]).removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key; check its spelling"
        found.append(Problem(where, None, column, f"{name}: {message}"))
    return found


@cache
def read_measure(text: str, name: str) -> Measure:
    """Read one measure from YAML.

    Args:
        text: The YAML document.
        name: File name without ending; must equal the measure's id.

    Raises:
        MeasureError: Not YAML, a key is unknown, missing or has a wrong value, or the id is not the file's name.
    """
    record = parse_record(text, name, "measures")
    try:
        measure = Measure.model_validate(record)
    except ValidationError as error:
        raise MeasureError(record_problems(error, "measures", name)) from error
    if measure.id != name:
        raise MeasureError(Problem("measures", None, "id", f"{name}: id is {measure.id}, must be the file's name {name}"))
    return measure


def measures_of(corridor: Corridor) -> dict[str, Measure]:
    """Every measure of a corridor, by id.

    Raises:
        MeasureError: All problems of all measure files at once, cycles of `requires` included.
    """
    measures: dict[str, Measure] = {}
    problems: list[Problem] = []
    for name in sorted(corridor.measures_text):
        try:
            measures[name] = read_measure(corridor.measures_text[name], name)
        except MeasureError as error:
            problems.extend(error.problems)
    sources = frozenset(corridor.tables["sources"]["source_id"])
    operators = frozenset(corridor.tables["operators"]["operator_id"]) | _added_operators(measures)
    for measure in measures.values():
        for payer in measure.cost.shares if measure.cost is not None else ():
            if payer not in operators:
                problems.append(Problem("measures", None, "cost.shares", f"{measure.id}: {payer}, who pays, must stand in operators.csv"))
        for key in ("requires", "excludes"):
            for other in getattr(measure, key):
                if other not in corridor.measures_text:
                    problems.append(Problem("measures", None, key, f"{measure.id}: there is no measure {other}"))
        if measure.source not in sources:
            problems.append(Problem("measures", None, "source", f"{measure.id}: source {measure.source} must stand in sources.csv"))
    problems.extend(_cycles(measures))
    if problems:
        raise MeasureError(problems)
    return measures


def _added_operators(measures: Mapping[str, Measure]) -> frozenset[str]:
    """Operators that measures bring with them."""
    rows = (row for measure in measures.values() for change in measure.changes if change.table == "operators" for row in change.add or ())
    return frozenset(str(row.get("operator_id")) for row in rows)


def _cycles(measures: Mapping[str, Measure]) -> list[Problem]:
    """Cycles in `requires`, each told once, from its smallest member."""
    found = []
    for start in sorted(measures):
        trail = [start]
        stack = [iter(sorted(measures[start].requires))]
        while stack:
            following = next(stack[-1], None)
            if following is None:
                stack.pop()
                trail.pop()
            elif following == start:
                if min(trail) == start:
                    loop = " -> ".join([*trail, start])
                    found.append(Problem("measures", None, "requires", f"{start}: measures require each other in a circle: {loop}"))
                stack.clear()
            elif following in measures and following not in trail:
                trail.append(following)
                stack.append(iter(sorted(measures[following].requires)))
    return found
