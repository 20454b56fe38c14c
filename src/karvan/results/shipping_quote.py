"""What a way costs to whom, what dwell adds, and how that compares with a rate for the whole way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INCLUDED = (
    "tariffs of every railway, ship, road haulier and pipeline on the way",
    "handling at terminals where the way changes mode, gauge or loading unit",
    "the carbon price of the case, if it has one",
)
NOT_INCLUDED = (
    "loading at the first place and unloading at the last",
    "first and last mile beyond these places",
    "the forwarder's fee, customs duties and taxes",
    "return of empty boxes and wagons, unless a tariff has it",
)


@dataclass(frozen=True)
class ShippingQuote:
    """Money of one option.

    Attributes:
        administrations: By who is paid, in travel order: operator, name, country, currency, tariff_usd_per_t, handling_usd_per_t,
            scarcity_usd_per_t, cost_usd_per_t, quoted_usd_per_t, cost_local_per_t, rate_per_usd, rate_date, rate_source, rate_confidence.
        surcharges: By row and leg: surcharge_id, kind, place, free_d, expected_usd_per_t, p90_usd_per_t, source, confidence.
        surcharges_expected_usd_per_t, surcharges_p90_usd_per_t: Sums; the second as if every dwell were long at once.
        through_rates: Published rates for the same ends: through_rate_id, rate_usd_per_t in dollars of the case's price year, basis, rate,
            quoted_date, offered_by, includes, excludes, sum_over_through, source, confidence.
        quoted_share: Part of the money that rests on the user's own rates.
    """

    administrations: tuple[Mapping[str, Any], ...]
    surcharges: tuple[Mapping[str, Any], ...]
    through_rates: tuple[Mapping[str, Any], ...]
    quoted_share: float

    @property
    def surcharges_expected_usd_per_t(self) -> float:
        """Sum of what is to be expected."""
        return sum(float(item["expected_usd_per_t"]) for item in self.surcharges)

    @property
    def surcharges_p90_usd_per_t(self) -> float:
        """Sum of what nine of ten shipments do not exceed, as if every dwell were long at once: an upper bound."""
        return sum(float(item["p90_usd_per_t"]) for item in self.surcharges)

    def as_dict(self) -> dict[str, Any]:
        return {
            "administrations": [dict(item) for item in self.administrations],
            "surcharges": [dict(item) for item in self.surcharges],
            "surcharges_expected_usd_per_t": self.surcharges_expected_usd_per_t,
            "surcharges_p90_usd_per_t": self.surcharges_p90_usd_per_t,
            "through_rates": [dict(item) for item in self.through_rates],
            "quoted_share": self.quoted_share,
            "included": list(INCLUDED),
            "not_included": list(NOT_INCLUDED),
        }
