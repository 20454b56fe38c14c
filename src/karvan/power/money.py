"""Who gains and who loses from a dispatch: consumers, producers, owners of lines, borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.network import PowerSystem
from karvan.power.dispatcher import Solved

FloatArray = npt.NDArray[np.float64]

PARTIES = ("consumers", "producers", "lines", "borders")


@dataclass(frozen=True)
class Earnings:
    """What lines earn in each hour, in USD.

    Attributes:
        rent: Worth of what arrives less worth of what was sent, shape (hours, lines).
        border: What importers charge of it, shape (hours, lines).
        running: What sending it costs, shape (hours, lines).
    """

    rent: FloatArray
    border: FloatArray
    running: FloatArray

    @property
    def kept(self) -> FloatArray:
        """What the owner keeps, before the cost of the line itself; shape (hours, lines)."""
        return self.rent - self.border - self.running


def earnings(system: PowerSystem, solved: Solved) -> Earnings:
    """Rent of each line in each hour: p_B (1 - loss) F - p_A F for what is sent from A to B, both ways.

    Args:
        system: What was dispatched.
        solved: The dispatch.
    """
    lines, price = system.lines, solved.price_usd_per_mwh
    left = 1.0 - lines.loss_share
    here, other = price[:, lines.source], price[:, lines.target]
    rent = solved.there_mw * (other * left - here) + solved.back_mw * (here * left - other)
    border = solved.there_mw * lines.border_usd_per_mwh[0] + solved.back_mw * lines.border_usd_per_mwh[1]
    return Earnings(rent, border, (solved.there_mw + solved.back_mw) * lines.running_usd_per_mwh)


def surpluses_musd(
    system: PowerSystem, solved: Solved, *, countries: Sequence[str], owners: Sequence[str | None]
) -> dict[tuple[str, str], float]:  # fmt: skip
    """Surplus of each party, in M USD over all hours; what a megawatt-hour is worth to consumers is the lost load of their zone.

    They add up to that worth of all load, less the cost of running plants, stores and lines and of load not served: differences between
    two dispatches of the same load are the difference of their costs, border charges not counted as a cost.

    Args:
        system: What was dispatched.
        solved: The dispatch.
        countries: Of each zone.
        owners: Of each line; one without an owner is shared by halves between the countries of its ends.

    Returns:
        By country or owner, and party (see `PARTIES`).
    """
    price, lost = solved.price_usd_per_mwh, system.lost_load_usd_per_mwh
    found: dict[tuple[str, str], float] = {}

    def add(who: str, party: str, usd: float) -> None:
        found[who, party] = found.get((who, party), 0.0) + usd / 1e6

    served = system.demand_mw - solved.lost_mw
    consumers = ((lost - price) * served).sum(axis=0)
    for zone, country in enumerate(countries):
        add(country, "consumers", float(consumers[zone]))
    plants, stores = system.plants, system.stores
    plant = ((price[:, plants.zone] - plants.cost_usd_per_mwh) * solved.plant_mw).sum(axis=0)
    store = (price[:, stores.zone] * (solved.give_mw - solved.take_mw) - stores.cost_usd_per_mwh * solved.give_mw).sum(axis=0)
    for number, usd in ((plants.zone, plant), (stores.zone, store)):
        for zone, value in zip(number, usd, strict=True):
            add(countries[zone], "producers", float(value))
    of = earnings(system, solved)
    kept = of.kept.sum(axis=0)
    there = (solved.there_mw * system.lines.border_usd_per_mwh[0]).sum(axis=0)
    back = (solved.back_mw * system.lines.border_usd_per_mwh[1]).sum(axis=0)
    for line, owner in enumerate(owners):
        source, target = countries[system.lines.source[line]], countries[system.lines.target[line]]
        for who, share in ((owner, 1.0),) if owner is not None else ((source, 0.5), (target, 0.5)):
            add(who, "lines", share * float(kept[line]))
        add(target, "borders", float(there[line]))
        add(source, "borders", float(back[line]))
    return found


def annuity(rate: float, years: float) -> float:
    """Share of a cost that is paid each year so that it is paid back with interest: r / (1 - (1 + r)^-n).

    Args:
        rate: Discount rate, zero or more.
        years: Life.
    """
    return 1.0 / years if rate == 0.0 else rate / (1.0 - (1.0 + rate) ** -years)
