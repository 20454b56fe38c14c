"""Why one market chose as it did in a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from karvan.results.rounding import rounded
from karvan.results.sentences import Sentence


@dataclass(frozen=True)
class PricePaid:
    """What a tonne on a route pays at a full facility, or is paid by a balance of loading units that must return.

    Attributes:
        row_id, name: The facility or the balance.
        kind: `facility` or `balance`.
        units_per_t: Units of it that a tonne takes; below zero where a tonne brings units back.
        price_usd_per_unit: Its price.
        price_usd_per_t: Both together; below zero where the goods are paid.
        is_public: Its limit is certain enough for the price to be quoted.
    """

    row_id: str
    name: str
    kind: str
    units_per_t: float
    price_usd_per_unit: float
    price_usd_per_t: float
    is_public: bool


@dataclass(frozen=True)
class ExplainedRoute:
    """A route of a market.

    Attributes:
        origin_node, destination_node: Its ends.
        flow_kt: What it carries.
        market_share: Share of the whole market.
        family_share: Share of its family's goods between its two ends.
        path_size: Weight that falls as it overlaps with others of its family.
        components_usd_per_t: tariff, handling, time, waiting, reliability, co2, delay.
        cost_usd_per_t: Their sum.
        prices: What it pays at full facilities and balances.
        paid_usd_per_t: Cost and prices.
        time_h, sd_h, delay_h: Time in all with delays, its standard deviation, and the hours that delays add.
        length_km: Length.
        co2e_kg_per_t: Well-to-wheel.
    """

    origin_node: str
    destination_node: str
    flow_kt: float
    market_share: float
    family_share: float
    path_size: float
    components_usd_per_t: Mapping[str, float]
    cost_usd_per_t: float
    prices: tuple[PricePaid, ...]
    paid_usd_per_t: float
    time_h: float
    sd_h: float
    delay_h: float
    length_km: float
    co2e_kg_per_t: float


@dataclass(frozen=True)
class ExplainedFamily:
    """A route family of a market, all pairs of places together, or `not_shipped`, which has no routes.

    Attributes:
        family_id, name: The family.
        flow_kt, share: What it carries, and its share of demand.
        constant_usd_per_t: Its constant.
        composite_usd_per_t: Composite cost of its routes with prices, without the constant: of several pairs of places the mean by demand.
        free_composite_usd_per_t: The same before prices.
        free_share: Share that it would take if nothing were full, delays unchanged.
        route_count: Routes that are choices.
        prices: What its mean tonne pays at full facilities and balances, most first.
        routes: Those that carry most.
        other_flow_kt: What the others carry.
        legs: Legs of the first route, as `karvan.routing.legs` tells them.
    """

    family_id: str
    name: str
    flow_kt: float
    share: float
    constant_usd_per_t: float
    composite_usd_per_t: float
    free_composite_usd_per_t: float
    free_share: float
    route_count: int
    prices: tuple[PricePaid, ...]
    routes: tuple[ExplainedRoute, ...]
    other_flow_kt: float
    legs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class PairFamily:
    """A route family between two places: share = exp(-theta (composite + constant)) over the sum of these."""

    family_id: str
    flow_kt: float
    share: float
    constant_usd_per_t: float
    composite_usd_per_t: float


@dataclass(frozen=True)
class ExplainedPair:
    """The market between two places, or between regions whose places are alternatives.

    Attributes:
        origin_node, destination_node: The places.
        share: Share of the market's goods between them.
        base_flow_kt: Demand at the base year's cost.
        base_composite_usd_per_t: Composite cost of the base year; None where the case stores none.
        composite_usd_per_t: Composite cost now, all families and constants together.
        demand_kt: Demand now.
        families: Route families and `not_shipped`.
    """

    origin_node: str
    destination_node: str
    share: float
    base_flow_kt: float
    base_composite_usd_per_t: float | None
    composite_usd_per_t: float
    demand_kt: float
    families: tuple[PairFamily, ...]


@dataclass(frozen=True)
class MarketExplanation:
    """A market of a cleared year, explained.

    Attributes:
        market_id: The market.
        corridor_id, scenario_id, year, base_year: Where and when.
        origin_region, destination_region, commodity_group, form: Its labels; the `_name` ones are to show.
        base_flow_kt: Demand at the base year's cost.
        base_composite_usd_per_t: Composite cost of the base year, mean by base flow; None where the case stores none.
        composite_usd_per_t: Composite cost now, mean by demand.
        elasticity_ratio: Of demand to delivered cost; zero where demand is fixed.
        demand_kt: Demand now.
        not_shipped_kt: Of it what stays at home.
        family_theta_per_usd_per_t, route_theta_per_usd_per_t: Sharpness of choice between and within families.
        families: By flow, `not_shipped` last.
        pairs: Between which places, by demand.
        why: From costs to shares in sentences.
        replaced: What options replaced.
        route_gap: Largest share of its market that a route left out would take.
        is_settled: Delays and flows fit each other.
    """

    market_id: str
    corridor_id: str
    scenario_id: str
    year: int
    base_year: int
    origin_region: str
    origin_name: str
    destination_region: str
    destination_name: str
    commodity_group: str
    commodity_name: str
    form: str
    base_flow_kt: float
    base_composite_usd_per_t: float | None
    composite_usd_per_t: float
    elasticity_ratio: float
    demand_kt: float
    not_shipped_kt: float
    family_theta_per_usd_per_t: float
    route_theta_per_usd_per_t: float
    families: tuple[ExplainedFamily, ...]
    pairs: tuple[ExplainedPair, ...]
    why: tuple[Sentence, ...]
    replaced: tuple[Mapping[str, Any], ...]
    route_gap: float
    is_settled: bool

    def as_dict(self) -> dict[str, Any]:
        found = asdict(self)
        found["why"] = [sentence.as_dict() for sentence in self.why]
        answer: dict[str, Any] = rounded(found)
        return answer
