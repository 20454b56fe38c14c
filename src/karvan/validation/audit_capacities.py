"""Capacities that a run took from simulations: that they are of this case, and that the market was given them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from karvan.corridor import Snapshot
from karvan.validation.audit_delays import wait_h
from karvan.validation.book import Book
from karvan.validation.tally import SUM_TOLERANCE, Check, Tally

_USES = (0.3, 0.6, 0.9)
_LEAST_H = 1e-6


@dataclass(frozen=True)
class UsedCapacities:
    """What a run used in place of nominal capacities.

    Attributes:
        frame: Frame `capacities` of the run.
        over: Puts them over the snapshot of a case.
        configurations: Hash of the configuration of each simulated facility, as the case has it in a snapshot.
    """

    frame: pl.DataFrame
    over: Callable[[str, Snapshot], Snapshot]
    configurations: Callable[[Snapshot], Mapping[str, str]]


def capacity_check(book: Book, used: UsedCapacities) -> Check:
    """Simulated capacities against the case, and the tables that the market was given against them. That a saturation is what the
    simulation gives is not checked: that needs the simulation; its configuration says which.
    """
    tally = Tally(
        "capacities",
        "simulated capacities are of the configurations that the case has, and limits and curves of the market are theirs",
        tolerance=SUM_TOLERANCE,
    )
    for year in book.years:
        rows = used.frame.filter(pl.col("case") == year.case, pl.col("year") == year.snapshot.year).to_dicts()
        wanted = used.configurations(year.snapshot)
        held = {row["facility_id"]: row for row in rows}
        names = sorted({*wanted, *held})

        def lost(at: int, *, names: list[str] = names, when: str = year.when) -> str:
            return f"capacity of {names[at]} {when} must be there once, simulated, of the configuration that the case has"

        counts = [sum(row["facility_id"] == name for row in rows) for name in names]
        same = [
            count == 1 and held[name]["source"] == "simulated" and held[name]["configuration"] == wanted.get(name)
            for name, count in zip(names, counts, strict=True)
        ]
        tally.claim(np.array(same, dtype=np.bool_), say=lost)
        given = {row["facility_id"]: row for row in year.tables["facilities"].rows(named=True)}
        shown = [name for name in names if name in held and name in given]
        parts = [given[name] for name in shown]
        effective = [row["nominal"] * row["availability_share"] * row["payload_share"] / row["peak_factor"] for row in parts]

        def say(at: int, *, shown: list[str] = shown, when: str = year.when) -> str:
            return f"capacity given to {shown[at]} {when}"

        tally.compare(effective, [held[name]["saturation"] for name in shown], say=say, because="as it was simulated")
        curves = [
            row for row in year.tables["delay_curves"].rows(named=True) if row["facility_id"] in held and row["variability_ratio"] > 0.0
        ]
        for row in curves:
            own = held[row["facility_id"]]
            shape = (row["servers_count"], row["service_time_h"], row["variability_ratio"])

            def told(at: int, *, name: str = row["facility_id"], when: str = year.when) -> str:
                return f"wait at {name} {when} at a use of {_USES[at]:.0%}, h,"

            found = [wait_h(use, *shape) for use in _USES]
            curve = [own["eta_s_h"] * use ** own["kappa"] / (1.0 - use) for use in _USES]
            tally.compare(found, curve, say=told, least=_LEAST_H, because="by its simulated curve")
    return tally.done()
