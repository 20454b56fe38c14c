"""What binds between today's volume and a target, and what relief is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class LadderRung:
    """One facility that stops the corridor.

    Attributes:
        rung: Rank, from 1.
        market_scale: Factor on the corridor's markets at which it starts to bind.
        latent_mt: Tonnes over the headline cordon at that scale without any limit, million.
        realised_mt: Tonnes over it at that scale with the limits of this kind of ladder, million.
        facility_id: The facility.
        facility_name: Its name.
        shadow_price_usd_per_unit: Worth of one more unit of capacity at the target's scale.
        shadow_price_usd_per_t: The same per tonne carried.
        relief_measure_id: Cheapest measure of the case that relieves it, or None.
        relief_measure_title: Its title.
        relief_cost_musd: Its capital cost; None where it is not known.
        relief_is_operating: It needs no building.
        gain_mt: Tonnes over the cordon that lifting the limit gains at the target's scale.
        gain_musd_per_year: Welfare that it gains.
        is_alone_useless: Lifting it alone gains nothing.
        next_facility_id: What binds next.
        is_public: Its capacity is certain enough to quote the price.
        is_on_corridor: Enough of what it carries in the year crosses the headline cordon; others bind on rival or connecting routes.
        gain_queue_musd_per_year: Welfare gained where scarcity is a queue that nobody earns.
        tied_facility_ids: Full facilities in series with it that the same goods pass: only the sum of their prices is defined.
        paid_by: Who would pay for a place there: origin_region, destination_region, commodity_group, share of what all pay; the most first.
        earned_by: Operator who would earn it.
        rests_on: What its capacity rests on: confidence, low and high in thousands of its unit (None where there is no range), note.
    """

    rung: int
    market_scale: float
    latent_mt: float
    realised_mt: float
    facility_id: str
    facility_name: str
    shadow_price_usd_per_unit: float
    shadow_price_usd_per_t: float
    relief_measure_id: str | None
    relief_measure_title: str | None
    relief_cost_musd: float | None
    relief_is_operating: bool
    gain_mt: float
    gain_musd_per_year: float
    is_alone_useless: bool
    next_facility_id: str | None
    is_public: bool
    is_on_corridor: bool
    gain_queue_musd_per_year: float
    tied_facility_ids: tuple[str, ...]
    paid_by: tuple[Mapping[str, Any], ...]
    earned_by: str
    rests_on: Mapping[str, Any]


@dataclass(frozen=True)
class Ladder:
    """Both ladders: limits standing (`as_is`) and lifted one by one (`relieved`)."""

    scenario_id: str
    year: int
    to_mt: float
    today_mt: float
    market_scale: float
    as_is: Sequence[LadderRung]
    relieved: Sequence[LadderRung]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
