"""What requests may hold. Names are checked for form here; whether the case has them is for the model to say."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from karvan.schema import ID
from karvan.study import ScenarioOptions

Id = Annotated[str, Field(pattern=ID, max_length=100)]
Assignment = Annotated[str, Field(min_length=3, max_length=400)]
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Words = Annotated[tuple[Word, ...], Field(max_length=20)]
Client = Annotated[str, Field(min_length=1, max_length=60)]
MeasureIds = Annotated[tuple[Id, ...], Field(max_length=200)]
Assignments = Annotated[tuple[Assignment, ...], Field(max_length=200)]
Factors = Annotated[dict[Id, Annotated[float, Field(ge=0.0, le=10.0)]], Field(max_length=50)]
MOST_QUOTES_SIGNS = 48_000
"""Longest text of a file of quotes; the body of a request has room for it."""
CARGO = ("tonnes", "value_usd_per_t", "unit_t", "piece_t", "is_reefer", "hazard_class", "is_out_of_gauge", "carrier")
RUN_ID = r"^[0-9a-f]{12}$"
JOB_ID = r"^[0-9a-f]{16}$"


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Years(_Asked):
    """First and last year of a run."""

    first: int = Field(ge=1900, le=2200)
    last: int = Field(ge=1900, le=2200)

    @model_validator(mode="after")
    def _in_order(self) -> Years:
        if self.last < self.first:
            raise ValueError(f"last is {self.last}, must be {self.first} or later")
        return self

    @property
    def each(self) -> tuple[int, ...]:
        return tuple(range(self.first, self.last + 1))


class Moved(_Asked):
    """What was moved by hand, to hold from a year on."""

    from_year: int = Field(ge=1900, le=2200)
    set: Assignments = ()
    demand_factor: Factors = Field(default_factory=dict)


class JobAsked(_Asked):
    """A run to be computed."""

    name: str = Field("", max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
    scenario: Id | None = None
    with_: MeasureIds = Field((), alias="with")
    without: MeasureIds = ()
    set: Assignments = ()
    growth: Literal["mid", "low", "high"] = "mid"
    capacities: Literal["nominal", "simulated"] = "nominal"
    years: Years = Years(first=2024, last=2040)
    moved: Moved | None = None

    @property
    def options(self) -> ScenarioOptions:
        return ScenarioOptions(
            with_measures=self.with_, without_measures=self.without, set_values=self.set, growth=self.growth, capacities=self.capacities
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


class LiveAsked(_Asked):
    """One year to be moved."""

    client: str = Field("", max_length=60)
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    case: Literal["scenario", "baseline"] = "scenario"
    with_: MeasureIds = Field((), alias="with")
    without: MeasureIds = ()
    growth: Literal["mid", "low", "high"] = "mid"
    year: int = Field(ge=1900, le=2200)
    set: Assignments = ()
    demand_factor: Factors = Field(default_factory=dict)


class RouteAsked(_Asked):
    """A shipment that looks for a way."""

    client: str = Field("", max_length=60)
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    origin: Word
    destination: Word
    commodity: Word
    year: int | None = Field(None, ge=1900, le=2200)
    depart: date | None = None
    deadline: date | None = None
    max_options: int = Field(5, ge=1, le=12)
    avoid: Words = ()
    via: Words = ()
    tonnes: float | None = None
    value_usd_per_t: float | None = None
    unit_t: float | None = None
    piece_t: float | None = None
    is_reefer: bool = False
    hazard_class: Annotated[str, Field(pattern=r"^[1-9](\.[1-9])?$")] | None = None
    is_out_of_gauge: bool = False
    carrier: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    quotes: str | None = Field(None, min_length=1, max_length=MOST_QUOTES_SIGNS)
    scarcity: Literal["price", "queue"] | None = None

    def as_task(self) -> dict[str, Any]:
        """Arguments of `karvan.route`, as a worker is sent them."""
        return self.model_dump(mode="json", exclude={"client", "run_id", "scenario", *CARGO}) | {
            "cargo": {name: getattr(self, name) for name in CARGO}
        }


class CrossingsAsked(_Asked):
    """A system to be simulated in a year."""

    client: Client
    system: Id
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    year: int = Field(ge=1900, le=2200)
    month: Annotated[int, Field(ge=1, le=12)] | Literal["stormiest"] = "stormiest"
    half_width_share: float = Field(0.1, ge=0.01, le=0.5)

    def as_task(self) -> dict[str, Any]:
        """Arguments of `karvan.simulate`, as a worker is sent them."""
        return self.model_dump(mode="json", include={"system", "year", "month", "half_width_share"})


class EnergyAsked(_Asked):
    """Power or crude oil in a year."""

    client: Client
    what: Literal["power", "oil"]
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    year: int = Field(ge=1900, le=2200)
    has_sizes: bool = False
    draw: int | None = Field(None, ge=0, le=9999)

    def as_task(self) -> dict[str, Any]:
        """Arguments of `karvan.dispatch` or `karvan.oil`, as a worker is sent them."""
        return self.model_dump(mode="json", include={"what", "year", "has_sizes", "draw"})


class TradeAsked(_Asked):
    """Tariffs or trade in a year."""

    client: Client
    what: Literal["tariffs", "trade"]
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    year: int = Field(ge=1900, le=2200)
    commodity: Id = "container_general"
    has_alliances: bool = False

    def as_task(self) -> dict[str, Any]:
        """Arguments of `karvan.tariffs` or `karvan.trade`, as a worker is sent them."""
        return self.model_dump(mode="json", include={"what", "year", "commodity", "has_alliances"})


class MoneyAsked(_Asked):
    """A set of measures to be appraised, or what to build when."""

    client: Client
    what: Literal["appraisal", "plan"]
    run_id: str | None = Field(None, pattern=RUN_ID)
    scenario: Id | None = None
    measures: MeasureIds = ()
    has_members: bool = True
    has_full: bool = False
    to_year: int = Field(2035, ge=1900, le=2200)
    budgets_musd_per_year: dict[Id, Annotated[float, Field(ge=0.0, lt=1e6)]] = Field(default_factory=dict, max_length=20)

    def as_task(self) -> dict[str, Any]:
        """Arguments of `karvan.appraise` or `karvan.plan`, as a worker is sent them."""
        keys = {"appraisal": {"measures", "has_members"}, "plan": {"to_year", "budgets_musd_per_year"}}
        return self.model_dump(mode="json", include={"what", "has_full", *keys[self.what]})


class Renamed(_Asked):
    """A run's new name."""

    name: Name


class LoginAsked(_Asked):
    """Somebody who says that they know the password."""

    password: str = Field(max_length=500)
