"""What a line is worth: to its owner, to all, at which size and at which cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.network import PowerSystem
from karvan.power import (
    HOURS,
    Dispatcher,
    Solved,
    Units,
    annuity,
    available_law,
    capacity_credit_mw,
    co2_mt,
    curtailed_mw,
    line_row,
    spare_mw,
)
from karvan.power.money import earnings
from karvan.study.asked_line import Asked

FloatArray = npt.NDArray[np.float64]
Tables = Mapping[str, pl.DataFrame]

_ROUNDS = 6
_CLOSE_MW = 5.0
_FLOWING_MW = 1e-3


@dataclass(frozen=True)
class Terms:
    """At which cost a line is held against what it is worth.

    Attributes:
        cost_usd_per_kw: Capital cost for each kilowatt; None: not known.
        running_musd_per_year: What it costs to run a year.
        discount_rate, life_years: How capital is spread over years.
        annuity_share: Share of the capital paid each year.
        year_share: Share of a year that was solved.
    """

    cost_usd_per_kw: float | None
    running_musd_per_year: float
    discount_rate: float
    life_years: float
    annuity_share: float
    year_share: float

    @classmethod
    def of(cls, asked: Asked | None, cost_usd_per_kw: float | None, rate: float, years: float, hours: int) -> Terms:
        """Terms of a question; what it does not say is as the measure that adds the line says."""
        known = cost_usd_per_kw if cost_usd_per_kw is not None else None if asked is None else asked.capital_usd_per_kw
        running = 0.0 if asked is None else asked.running_musd_per_year
        return cls(known, running, rate, years, annuity(rate, years), hours / HOURS)

    def cost_musd(self, size_mw: float) -> float | None:
        """Cost of a line of a size over the hours solved, which are a share of a year."""
        if self.cost_usd_per_kw is None or size_mw <= 0.0:
            return 0.0 if size_mw <= 0.0 else None
        return (self.cost_usd_per_kw * size_mw / 1e3 * self.annuity_share + self.running_musd_per_year) * self.year_share

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def worth_row(system: PowerSystem, solved: Solved, without: tuple[PowerSystem, Solved], line_id: str, terms: Terms) -> dict[str, Any]:
    """A line of a size held against none, over the hours solved.

    Args:
        system, solved: With the line.
        without: The same without it.
        line_id: The line.
        terms: At which cost.

    Returns:
        Its flows and earnings (see `line_row`); gain_musd, what costs of all fall by, border charges not counted; cost_musd, what it costs
        over them; net gains; costs for each kilowatt at which it would just pay, to its owner and to all; backwards_share, share of the
        hours in use in which it flows back; and what it changes: carbon dioxide, curtailment, load not served.
    """
    line = system.lines.ids.index(line_id)
    of, before = earnings(system, solved), earnings(*without)
    row = line_row(system, solved, of, line)
    gain = (without[1].objective_usd - before.border.sum() - solved.objective_usd + of.border.sum()) / 1e6
    kept = row["kept_musd"]
    size = row["capacity_mw"]
    cost = terms.cost_musd(size)
    running = terms.running_musd_per_year * terms.year_share

    def just_pays(worth: float) -> float | None:
        return max(worth - running, 0.0) / terms.year_share / terms.annuity_share / size * 1e3 if size > 0.0 else None

    in_use = row["there_h"] + row["back_h"]
    return {
        **row,
        "backwards_share": row["back_h"] / in_use if in_use else None,
        "gain_musd": gain,
        "cost_musd": cost,
        "net_owner_musd": None if cost is None else kept - cost,
        "net_all_musd": None if cost is None else gain - cost,
        "owner_pays_until_usd_per_kw": just_pays(kept),
        "all_pay_until_usd_per_kw": just_pays(gain),
        "co2_change_mt": float(co2_mt(system, solved).sum() - co2_mt(*without).sum()),
        "curtailed_change_twh": float(curtailed_mw(system, solved).sum() - curtailed_mw(*without).sum()) / 1e6,
        "unserved_change_gwh": float(solved.lost_mw.sum() - without[1].lost_mw.sum()) / 1e3,
    }


def size_that_pays(dispatcher: Dispatcher, line_id: str, rows: Sequence[Mapping[str, Any]], terms: Terms) -> dict[str, Any] | None:
    """Size at which one more megawatt is worth what it costs a year.

    What one more megawatt is worth falls with size, as the cost of a dispatch is convex in it; between the two sizes of the sweep where it
    passes the cost, the size is found by halving.

    Args:
        dispatcher: The dispatch; it is left at the size found.
        line_id: The line.
        rows: Sweep, by rising size.
        terms: At which cost.
    """
    if terms.cost_usd_per_kw is None:
        return None
    cost = terms.cost_usd_per_kw * terms.annuity_share
    worth = [row["value_usd_per_kw"] / terms.year_share for row in rows]
    told = {"cost_usd_per_kw_year": cost, "worth_of_first_usd_per_kw_year": worth[0], "worth_of_last_usd_per_kw_year": worth[-1]}
    if worth[0] <= cost:
        return {"size_mw": 0.0, "is_beyond": False, **told}
    if worth[-1] > cost:
        return {"size_mw": float(rows[-1]["capacity_mw"]), "is_beyond": True, **told}
    last = max(number for number, value in enumerate(worth) if value > cost)
    low, high = float(rows[last]["capacity_mw"]), float(rows[last + 1]["capacity_mw"])
    line = dispatcher.system.lines.ids.index(line_id)
    for _ in range(_ROUNDS):
        if high - low <= _CLOSE_MW:
            break
        middle = (low + high) / 2.0
        dispatcher.resize(line_id, middle)
        if dispatcher.solve().line_value_usd_per_mw(line) / 1e3 / terms.year_share > cost:
            low = middle
        else:
            high = middle
    return {"size_mw": (low + high) / 2.0, "within_mw": (high - low) / 2.0, "is_beyond": False, **told}


def credits_mw(
    tables: Tables, system: PowerSystem, solved: Solved, line_id: str, size_mw: float, *, outage_share: float
) -> dict[str, Any]:  # fmt: skip
    """Load that each end of a line can carry more with it, at the same risk.

    The zone has its own plants with their outages, what its weather gives, its stores as the dispatch without the line uses them, and what
    other lines bring in then. The line brings what the other end's plants could have given more in that hour, up to its size.

    Args:
        tables: Case of that year, with units and outages of plants.
        system, solved: The dispatch without the line.
        line_id, size_mw, outage_share: The line.
    """
    line = system.lines.ids.index(line_id)
    found = {}
    for end, here, other in (("from", system.lines.source, system.lines.target), ("to", system.lines.target, system.lines.source)):
        zone, far = int(here[line]), int(other[line])
        law, firm = _law(tables, system, zone)
        left = 1.0 - system.lines.loss_share
        into = solved.there_mw * left * (system.lines.target == zone) + solved.back_mw * left * (system.lines.source == zone)
        away = solved.there_mw * (system.lines.source == zone) + solved.back_mw * (system.lines.target == zone)
        stores = (solved.give_mw - solved.take_mw)[:, system.stores.zone == zone].sum(axis=1)
        residual = system.demand_mw[:, zone] - firm - stores - (into - away).sum(axis=1)
        brings = np.minimum(size_mw, spare_mw(system, solved, far)) * left[line]
        found[f"credit_{end}_mw"] = capacity_credit_mw(law, residual, brings, outage_share=outage_share)
    return found


def _law(tables: Tables, system: PowerSystem, zone: int) -> tuple[FloatArray, FloatArray]:
    """Law of what a zone's units give, and what its weather and plants without units give in each hour."""
    about = {row["plant_id"]: row for row in tables["power_plants"].iter_rows(named=True)}
    units, firm = [], np.zeros(system.hours)
    for number, name in enumerate(system.plants.ids):
        if system.plants.zone[number] != zone:
            continue
        row = about[name]
        if row["unit_mw"] is None or system.plants.is_weather[number]:
            firm = firm + system.plants.most_mw[:, number]
            continue
        # Planned stops take the same share of every unit, so that the units of the law are those that can run over the year.
        able = float(system.plants.most_mw[:, number].mean())
        units.append(Units(max(1, round(able / row["unit_mw"])), row["unit_mw"], row["outage_share"]))
    return available_law(units), firm
