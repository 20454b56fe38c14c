"""Power as arrays: zones, plants, stores and lines over a number of hours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plants:
    """Plants of a system.

    Attributes:
        ids, technologies: Shape (plants,).
        zone: Position of its zone, shape (plants,).
        cost_usd_per_mwh, co2_t_per_mwh: Shape (plants,).
        capacity_mw: Installed, shape (plants,).
        most_mw, least_mw: What it can and must give in each hour, shape (hours, plants).
        is_weather: It follows wind, sun or water, so that what it could give and does not is curtailed; shape (plants,).
    """

    ids: tuple[str, ...]
    technologies: tuple[str, ...]
    zone: IntArray
    cost_usd_per_mwh: FloatArray
    co2_t_per_mwh: FloatArray
    capacity_mw: FloatArray
    most_mw: FloatArray
    least_mw: FloatArray
    is_weather: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stores:
    """Stores of a system, each as full at the end as at the start.

    Attributes:
        ids, technologies: Shape (stores,).
        zone: Position of its zone, shape (stores,).
        give_mw, take_mw: Power out and in, shape (stores,).
        energy_mwh: What it holds, shape (stores,).
        into_share, out_share: Energy stored of what is taken, and given of what leaves the store; shape (stores,).
        cost_usd_per_mwh: Of what it gives, shape (stores,).
        inflow_mw: Water that comes, shape (hours, stores); what finds no room is spilt.
    """

    ids: tuple[str, ...]
    technologies: tuple[str, ...]
    zone: IntArray
    give_mw: FloatArray
    take_mw: FloatArray
    energy_mwh: FloatArray
    into_share: FloatArray
    out_share: FloatArray
    cost_usd_per_mwh: FloatArray
    inflow_mw: FloatArray


@dataclass(frozen=True)
class Lines:
    """Lines of a system; each carries flows there and back, counted where they are sent.

    Attributes:
        ids: Shape (lines,).
        source, target: Positions of the zones at its ends, shape (lines,).
        capacity_mw: Each way, shape (lines,).
        loss_share: Shape (lines,).
        running_usd_per_mwh: Of what is sent, shape (lines,).
        border_usd_per_mwh: What is charged there and back on what is sent, shape (2, lines).
    """

    ids: tuple[str, ...]
    source: IntArray
    target: IntArray
    capacity_mw: FloatArray
    loss_share: FloatArray
    running_usd_per_mwh: FloatArray
    border_usd_per_mwh: FloatArray


@dataclass(frozen=True)
class PowerSystem:
    """All that a dispatch needs to know.

    Attributes:
        zone_ids: Shape (zones,).
        demand_mw: Shape (hours, zones).
        lost_load_usd_per_mwh: What a megawatt-hour is worth that is not served, shape (zones,).
        plants, stores, lines: What stands in the zones and between them.
    """

    zone_ids: tuple[str, ...]
    demand_mw: FloatArray
    lost_load_usd_per_mwh: FloatArray
    plants: Plants
    stores: Stores
    lines: Lines

    @property
    def hours(self) -> int:
        return int(self.demand_mw.shape[0])

    def between(self, first: int, last: int) -> PowerSystem:
        """The same system over its hours from `first` to before `last`."""
        span = slice(first, last)
        plants = replace(self.plants, most_mw=self.plants.most_mw[span], least_mw=self.plants.least_mw[span])
        return replace(
            self, demand_mw=self.demand_mw[span], plants=plants, stores=replace(self.stores, inflow_mw=self.stores.inflow_mw[span])
        )  # fmt: skip

    def in_steps(self, hours: int) -> PowerSystem:
        """The same system over steps of so many hours: loads, plants and inflows are means over them, and a store that lasts so many hours
        less steps. Hours that fill no step at the end are left out.
        """
        steps = self.hours // hours

        def mean(values: FloatArray) -> FloatArray:
            found: FloatArray = values[: steps * hours].reshape(steps, hours, -1).mean(axis=1)
            return found

        plants = replace(self.plants, most_mw=mean(self.plants.most_mw), least_mw=mean(self.plants.least_mw))
        stores = replace(self.stores, inflow_mw=mean(self.stores.inflow_mw), energy_mwh=self.stores.energy_mwh / hours)
        return replace(self, demand_mw=mean(self.demand_mw), plants=plants, stores=stores)

    def with_capacity(self, line_id: str, capacity_mw: float) -> PowerSystem:
        """The same system with a line of another size."""
        sizes = self.lines.capacity_mw.copy()
        sizes[self.lines.ids.index(line_id)] = capacity_mw
        return replace(self, lines=replace(self.lines, capacity_mw=sizes))
