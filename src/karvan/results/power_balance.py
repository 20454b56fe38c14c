"""What a year of power comes to, by plant, store and line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PowerBalance:
    """A year of power in TWh.

    Attributes:
        made_twh: What each plant made and what each store gave less what it took.
        zones: Zone of each plant and store.
        sent: What was sent from a zone and what of it arrived in another: from, to, sent, arrived.
    """

    made_twh: Mapping[str, float]
    zones: Mapping[str, str]
    sent: tuple[tuple[str, str, float, float], ...]

    def made(self, elements: Collection[str]) -> float:
        """What some plants and stores, or all of some zones, made."""
        return sum(value for name, value in self.made_twh.items() if name in elements or self.zones[name] in elements)

    def exported(self, zones: Collection[str]) -> float:
        """What some zones sent to others."""
        return sum(sent for source, target, sent, _ in self.sent if source in zones and target not in zones)

    def imported(self, zones: Collection[str]) -> float:
        """What some zones got from others."""
        return sum(came for source, target, _, came in self.sent if target in zones and source not in zones)
