"""corridor.yaml: what a corridor is and which of its scenarios stand for what."""

from __future__ import annotations

from datetime import date

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from karvan.corridor.tables import nearest
from karvan.errors import Problem
from karvan.schema import ID

MANIFEST = "corridor.yaml"


class Manifest(BaseModel):
    """The corridor as a whole.

    Attributes:
        id: Name of the corridor: lower-case letters, digits, hyphens.
        title: Name to show.
        version: Edition of the data.
        base_year: Year the demand table is about and the model is fitted to.
        facts_until: Last day whose events stand in the history.
        price_year: Year whose US dollars all money is in.
        currency: Currency of all money, ISO 4217.
        history: Scenario of what really happened; every scenario includes it.
        baseline: Scenario that others are compared with.
        headline_scenario: Scenario a run takes when none is named.
        headline_cordon: Cordon whose flow is the corridor's tonnage.
        crude_commodity: Commodity group told apart as crude oil; need not stand in the tables.
        co2_price_usd_per_t: Price of carbon dioxide in the generalised cost.
        power_line: Line whose worth a power dispatch tells where none is named; a row of `power_lines`, or one that a measure adds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str = Field(min_length=1)
    version: str = Field(min_length=1)
    base_year: int = Field(ge=1900, le=2200)
    facts_until: date
    price_year: int = Field(ge=1900, le=2200)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    history: str = Field(pattern=ID)
    baseline: str = Field(pattern=ID)
    headline_scenario: str = Field(pattern=ID)
    headline_cordon: str = Field(pattern=ID)
    crude_commodity: str = Field(pattern=ID)
    co2_price_usd_per_t: float = Field(ge=0, allow_inf_nan=False)
    power_line: str | None = Field(None, pattern=ID)


def read_manifest(text: str) -> tuple[Manifest | None, list[Problem]]:
    """Read corridor.yaml; None with the problems if it does not fit."""
    try:
        record = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        reason = getattr(error, "problem", None) or str(error)
        return None, [Problem(MANIFEST, None, None, f"{line}not valid YAML ({reason}); must be lines of the form 'key: value'")]
    if not isinstance(record, dict):
        return None, [Problem(MANIFEST, None, None, "must be lines of the form 'key: value'")]
    try:
        return Manifest.model_validate(record), []
    except ValidationError as error:
        return None, [_problem(item["type"], ".".join(str(part) for part in item["loc"]), item["msg"]) for item in error.errors()]


def _problem(kind: str, key: str, message: str) -> Problem:
    if kind == "extra_forbidden":
        close = nearest(key, Manifest.model_fields) or f"; the keys are {', '.join(Manifest.model_fields)}"
        return Problem(MANIFEST, None, key, f"unknown key {key}{close}")
    if kind == "missing":
        return Problem(MANIFEST, None, key, f"{key} is missing and must be given")
    return Problem(MANIFEST, None, key, f"{key}: {message}")
