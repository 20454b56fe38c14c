"""What rests on a facility or a link, and what its closing costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from karvan.results.rounding import rounded


@dataclass(frozen=True)
class Bundle:
    """Goods on an element from one region to another.

    Attributes:
        origin_region, destination_region, commodity_group, form: What goes where; the `_name` ones are to show.
        flow_kt: Tonnes through the element.
        flow_teu: Boxes among them; zero for loose goods.
        load: Units of the element that they take, thousands.
        load_share: Share of all that the element carries.
        price_usd_per_t: Mean price that a tonne pays at the facility, or at those that stand on the link.
        paid_musd: What they pay there.
    """

    origin_region: str
    origin_name: str
    destination_region: str
    destination_name: str
    commodity_group: str
    commodity_name: str
    form: str
    flow_kt: float
    flow_teu: float
    load: float
    load_share: float
    price_usd_per_t: float
    paid_musd: float


@dataclass(frozen=True)
class FamilyUse:
    """Tonnes through an element by route family."""

    family_id: str
    name: str
    flow_kt: float


@dataclass(frozen=True)
class RentPaid:
    """What goods and empties on an element pay for the place in a full facility.

    Attributes:
        facility_id, name: The facility.
        operator_id, operator_name: Who earns it.
        price_usd_per_unit: Its price.
        paid_musd: What the element's goods and empties pay.
        is_public: Its limit is certain enough for the price to be quoted.
    """

    facility_id: str
    name: str
    operator_id: str
    operator_name: str
    price_usd_per_unit: float
    paid_musd: float
    is_public: bool


@dataclass(frozen=True)
class TakenUp:
    """A facility that carries more, or less, once the element is closed.

    Attributes:
        facility_id, name, unit: The facility.
        more_kt: Tonnes that use it, more than before.
        more_load: Units, thousands.
        use_share: Share of its capacity in use with the element closed, empties and other traffic included.
    """

    facility_id: str
    name: str
    unit: str
    more_kt: float
    more_load: float
    use_share: float


@dataclass(frozen=True)
class ClosedElement:
    """What follows if an element closes for the year.

    Attributes:
        carried_kt: Tonnes that it carries, on the routes of the year and those that enter when it closes.
        rerouted_kt: Tonnes more on other ways in all: its own goods that go round, less goods that these keep off full places.
        kept_home_kt: Tonnes less that are shipped at all.
        families: Tonnes more by route family, those over the element not counted; they add up to `rerouted_kt`.
        taken_up: Facilities by the tonnes more that they carry.
        loss_musd: Welfare lost in the year, surplus of shippers and rent of facilities together, scarcity settled by price.
        loss_usd_per_day: The same a day.
        rent_change_musd: Of it what facilities earn more.
        headline_lost_mt: Tonnes less over the headline cordon, million.
        route_gap: Largest share of its market that a route left out would take.
    """

    carried_kt: float
    rerouted_kt: float
    kept_home_kt: float
    families: tuple[FamilyUse, ...]
    taken_up: tuple[TakenUp, ...]
    loss_musd: float
    loss_usd_per_day: float
    rent_change_musd: float
    headline_lost_mt: float
    route_gap: float | None


@dataclass(frozen=True)
class ElementUse:
    """What rests on a facility or a link in a year.

    Attributes:
        kind: `facility` or `link`.
        element_id, name: The element.
        corridor_id, scenario_id, year: Where and when.
        unit: Unit of `load` and `capacity`, thousands; kt for a link.
        load: What it carries of the goods and empties of the case.
        empty_load: Of it, empties.
        other_load: Traffic outside the case.
        capacity: Effective capacity; None for a link.
        flow_kt, flow_teu: Tonnes and boxes through it.
        forward_kt, backward_kt: Of a link, along and against its own direction; None for a facility.
        is_public: Its limit is certain enough for its price to be quoted.
        bundles: Goods by what goes where, largest first.
        families: Tonnes by route family.
        rents: Full facilities paid on it, largest first.
        paid_musd: All of it; `empties_paid_musd` is the part of empties.
        if_closed: What follows if it closes for the year.
        replaced: What options replaced.
    """

    kind: str
    element_id: str
    name: str
    corridor_id: str
    scenario_id: str
    year: int
    unit: str
    load: float
    empty_load: float
    other_load: float
    capacity: float | None
    flow_kt: float
    flow_teu: float
    forward_kt: float | None
    backward_kt: float | None
    is_public: bool
    bundles: tuple[Bundle, ...]
    families: tuple[FamilyUse, ...]
    rents: tuple[RentPaid, ...]
    paid_musd: float
    empties_paid_musd: float
    if_closed: ClosedElement
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        answer: dict[str, Any] = rounded(asdict(self))
        return answer


@dataclass(frozen=True)
class CriticalFacility:
    """A facility, and what its closing for the year costs.

    Attributes:
        facility_id, name, unit: The facility.
        load: What it carries of the case, thousands of its unit.
        capacity: Effective capacity.
        flow_kt: Tonnes through it.
        rerouted_kt, kept_home_kt, loss_usd_per_day, headline_lost_mt: As of `ClosedElement`.
        is_public: Its limit is certain enough for its price to be quoted.
        confidence: Of its nominal capacity.
        low, high: Range of its nominal capacity; None where it has none.
    """

    facility_id: str
    name: str
    unit: str
    load: float
    capacity: float
    flow_kt: float
    rerouted_kt: float
    kept_home_kt: float
    loss_usd_per_day: float
    headline_lost_mt: float
    is_public: bool
    confidence: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Criticality:
    """All facilities of a year, the costliest to lose first."""

    corridor_id: str
    scenario_id: str
    year: int
    headline_mt: float
    facilities: tuple[CriticalFacility, ...]
    replaced: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        answer: dict[str, Any] = rounded(asdict(self))
        return answer
