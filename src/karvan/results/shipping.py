"""What a shipper is told: options between two places, and what rules refuse."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from karvan.results.rounding import rounded
from karvan.results.shipping_quote import ShippingQuote

NOT_A_QUOTATION = "This is not a quotation: it is what the tariffs and times of the case add up to."
CO2E_METHOD = (
    "Greenhouse gases by ISO 14083 and the GLEC framework: tonne-kilometres of each leg times a default factor of its mode and loading "
    "unit, well-to-wheel (co2e_kg_per_t) and tank-to-wheel (co2e_ttw_kg_per_t); empty running is in the factors, terminals are not."
)
SPREAD_METHOD = (
    "Door-to-door time: lognormal with the mean and variance of its legs, taken as independent; weather that delays several sea legs at "
    "once is not modelled, as the case has no table for it."
)


@dataclass(frozen=True)
class ShippingEnd:
    """Where goods start or end: a place, and the region whose rules hold for it."""

    place_id: str
    name: str
    country: str
    region_id: str | None


@dataclass(frozen=True)
class RuleTold:
    """A rule as readers are told.

    Attributes:
        permission_ids: Rows it stands in.
        rule: What it says.
        effect: ban, needs_check or closed.
        from_date, until_date: First day in force and first day no longer, where the tables or measures of the scenario say so.
        until_measure_id: The measure that ends it.
        source, source_title, source_url, source_published: Where it comes from.
        confidence: sourced, recalled or estimate.
    """

    permission_ids: tuple[str, ...]
    rule: str
    effect: str
    from_date: datetime.date | None
    until_date: datetime.date | None
    until_measure_id: str | None
    source: str
    source_title: str | None
    source_url: str | None
    source_published: str | None
    confidence: str

    def as_dict(self) -> dict[str, Any]:
        days = {name: None if day is None else day.isoformat() for name, day in (("from", self.from_date), ("until", self.until_date))}
        return {
            "permission_ids": list(self.permission_ids), "rule": self.rule, "effect": self.effect, "from_date": days["from"],
            "until_date": days["until"], "until_measure_id": self.until_measure_id, "source": self.source,
            "source_title": self.source_title, "source_url": self.source_url, "source_published": self.source_published,
            "confidence": self.confidence,
        }  # fmt: skip


@dataclass(frozen=True)
class ShippingOption:
    """One way to send goods.

    Attributes:
        labels: Why it is told: cheapest, fastest, most_reliable, cleanest, balanced.
        permission: allowed or needs_check.
        rules: Rules to be checked.
        family_id: Route family.
        cost_usd_per_t: Money: tariffs, handling, carbon price.
        generalised_cost_usd_per_t: Money, time and spread at what they are worth to the goods.
        hours: Hours by cause.
        time_h, variance_h2: Mean and variance of door-to-door time.
        time_p50_d, time_p80_d, time_p95_d: Days not exceeded in so many of a hundred shipments.
        on_time_share: Share that arrives by the deadline, if there is one.
        co2e_kg_per_t, co2e_ttw_kg_per_t: Well-to-wheel and tank-to-wheel.
        length_km: Length.
        cost_estimate_share, time_estimate_share: Parts of money and of time that rest on estimates.
        late_h, lateness_usd_per_t: Hours beyond the deadline that are to be expected, and what so many cost the goods; in no other sum.
        legs: Leg by leg; costs, hours and emissions add up to the option's. Batches leave them out.
        way: The same in one line: places where the mode changes, and the modes between them.
        quote: The money by who is paid, what dwell adds, published through rates; batches leave it out.
        tariff_sources: First and last day on which sources of its tariffs were published, if they say so.
    """

    labels: tuple[str, ...]
    permission: str
    rules: tuple[RuleTold, ...]
    family_id: str | None
    cost_usd_per_t: float
    generalised_cost_usd_per_t: float
    hours: Mapping[str, float]
    time_h: float
    variance_h2: float
    time_p50_d: float
    time_p80_d: float
    time_p95_d: float
    on_time_share: float | None
    co2e_kg_per_t: float
    co2e_ttw_kg_per_t: float
    length_km: float
    cost_estimate_share: float
    time_estimate_share: float
    late_h: float | None
    lateness_usd_per_t: float | None
    legs: tuple[Mapping[str, Any], ...]
    quote: ShippingQuote | None
    way: str
    tariff_sources: tuple[str, str] | None

    @property
    def time_d(self) -> float:
        """Mean door-to-door time, days."""
        return self.time_h / 24.0

    @property
    def time_sd_d(self) -> float:
        """Its standard deviation, days."""
        return float(self.variance_h2**0.5) / 24.0

    def as_dict(self) -> dict[str, Any]:
        names = (
            "family_id", "cost_usd_per_t", "generalised_cost_usd_per_t", "time_d", "time_sd_d", "time_p50_d", "time_p80_d", "time_p95_d",
            "on_time_share", "late_h", "lateness_usd_per_t",
            "co2e_kg_per_t", "co2e_ttw_kg_per_t", "length_km", "cost_estimate_share", "time_estimate_share",
        )  # fmt: skip
        return {
            "labels": list(self.labels),
            "permission": self.permission,
            "rules": [rule.as_dict() for rule in self.rules],
            **{name: getattr(self, name) for name in names},
            **{f"{name}_h": value for name, value in self.hours.items()},
            "way": self.way,
            "tariffs_published": None if self.tariff_sources is None else list(self.tariff_sources),
            "legs": [dict(leg) for leg in self.legs],
            "quote": None if self.quote is None else self.quote.as_dict(),
        }


@dataclass(frozen=True)
class Refusal:
    """A way that rules refuse, that needs a check before it may pass, or that is closed.

    Attributes:
        reason: ban, needs_check, or closed: what is not open is told as a rule.
        rules: The rules that refuse it.
        opens: The best way that would open if they were lifted.
        better: Criteria in which what opens beats every way that may pass; all where none may.
    """

    reason: str
    rules: tuple[RuleTold, ...]
    opens: ShippingOption
    better: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        first = self.rules[0]
        return {
            "reason": self.reason,
            "rule": " ".join(rule.rule for rule in self.rules),
            "source": first.source,
            "rules": [rule.as_dict() for rule in self.rules],
            "better": list(self.better),
            "opens": self.opens.as_dict(),
        }


@dataclass(frozen=True)
class ShippingAnswer:
    """What a shipper is told.

    Attributes:
        origin, destination: Ends.
        commodity_group, commodity_name: Goods.
        corridor_id, scenario_id: The case, and the scenario that it is read in.
        date: Day whose state holds.
        deadline: Day by whose end the goods must arrive.
        answer: allowed, needs_check, refused, or no_route where nothing leads there even without rules.
        options: Ways worth telling, best first by generalised cost.
        rejected: What rules refuse.
        lifted: Rules that would have refused an option and are no longer in force.
        price_year: Year whose US dollars the money is in.
        edition: Edition of the case's tables.
        is_whole: The search ended before it met its limit.
        replaced: What options of the command replaced.
        cargo: What the shipment is beside its kind of goods.
        run: Run whose scarcity is in it: run_id, regime, year, is_same_corridor.
    """

    origin: ShippingEnd
    destination: ShippingEnd
    commodity_group: str
    commodity_name: str
    corridor_id: str
    scenario_id: str
    date: datetime.date
    deadline: datetime.date | None
    answer: str
    options: tuple[ShippingOption, ...]
    rejected: tuple[Refusal, ...]
    lifted: tuple[RuleTold, ...]
    price_year: int
    edition: str
    is_whole: bool
    replaced: tuple[Mapping[str, Any], ...] = ()
    cargo: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        content = {
            "origin": vars(self.origin),
            "destination": vars(self.destination),
            "commodity_group": self.commodity_group,
            "corridor": self.corridor_id,
            "scenario": self.scenario_id,
            "date": self.date.isoformat(),
            "deadline": None if self.deadline is None else self.deadline.isoformat(),
            "answer": self.answer,
            "options": [option.as_dict() for option in self.options],
            "rejected": [item.as_dict() for item in self.rejected],
            "lifted": [rule.as_dict() for rule in self.lifted],
            "is_quotation": False,
            "note": NOT_A_QUOTATION,
            "price_year": self.price_year,
            "edition": self.edition,
            "spread_method": SPREAD_METHOD,
            "is_whole": self.is_whole,
            "replaced": [dict(item) for item in self.replaced],
            "cargo": dict(self.cargo),
            "run": None if self.run is None else dict(self.run),
            "co2e_method": CO2E_METHOD,
        }
        return dict(rounded(content))
