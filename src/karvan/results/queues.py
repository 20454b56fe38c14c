"""What a simulation of a crossing, port, border or yard says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.results.rounding import rounded


@dataclass(frozen=True)
class Queues:
    """A simulated system in a year. Columns that end in `_half` are half the 95% interval of the column before them.

    Attributes:
        system_id, name: What was simulated.
        year, scenario_id: When and in which scenario.
        seed: Of all chance.
        replications: How many years were simulated.
        warm_d: Days left out at the start of each.
        is_sure: The mean transit times of all stable streams are as sure as was asked for.
        half_width_share: What was asked for.
        sea_level_path, sea_level_m: Path and level of the sea in that year; None where the case has none.
        load_factor: Times the loads of the market.
        streams: A row for each stream of goods: demand, what leaves, transit time (mean, P50, P90, P95), its spread, backlog. A stream that
            comes faster than it leaves is not stable: its transit time is not told, its growing backlog is.
        causes: Mean hours by cause of each stable stream, and of those near its P95.
        months: By month: transit time of what came in it by stream, days that each weather closed.
        berths: Use, calls, hours a call of each kind of berth.
        calls: Calls, waits and loads of each ship class at each port.
        ships: Shares of time of each ship class.
        bans: Days a year of loading bans, and what they kept back.
        lines: What queueing theory says of each line, beside what was simulated.
        passages: The same for stages without ships.
        capacities: Saturation and delay curve of each facility, with the nominal capacity.
        designs: What other designs do to each stream, compared with this one under the same chance.
        design_capacities: The most that facilities can do in each design, and how much more that is than as it is, under the same chance.
        log: A year or a month of one replication hour by hour, if it was asked for, hours counted from a New Year: `month`, `from_h` and
            `until_h`, `is_whole` (False: it did not fit), and frames: `ship_states` (what every ship does), `berth_visits` (each stay at a
            berth), `voyages` (each passage), `closed_times` (when weather closed which port), `stocks` (what waits for ships).
        replaced: What was replaced in the case.
    """

    system_id: str
    name: str
    year: int
    scenario_id: str
    seed: int
    replications: int
    warm_d: int
    is_sure: bool
    half_width_share: float
    sea_level_path: str | None
    sea_level_m: float | None
    load_factor: float
    streams: pl.DataFrame
    causes: pl.DataFrame
    months: pl.DataFrame
    berths: pl.DataFrame
    calls: pl.DataFrame
    ships: pl.DataFrame
    bans: pl.DataFrame
    lines: pl.DataFrame
    passages: pl.DataFrame
    capacities: pl.DataFrame
    designs: pl.DataFrame
    design_capacities: pl.DataFrame
    log: Mapping[str, Any]
    replaced: tuple[Mapping[str, Any], ...]

    @property
    def unstable(self) -> tuple[str, ...]:
        """Streams that come faster than they leave."""
        return tuple(self.streams.filter(~pl.col("is_stable"))["arrival_id"]) if self.streams.height else ()

    def as_dict(self) -> dict[str, Any]:
        """One object for JSON; hours one by one only where they were asked for."""
        plain = (
            "system_id", "name", "year", "scenario_id", "seed", "replications", "warm_d", "is_sure", "half_width_share", "sea_level_path",
            "sea_level_m", "load_factor",
        )  # fmt: skip
        frames = (
            "streams", "causes", "months", "berths", "calls", "ships", "bans", "lines", "passages", "capacities", "designs",
            "design_capacities",
        )  # fmt: skip
        told = {name: getattr(self, name) for name in plain}
        told |= {"unstable": list(self.unstable), **{name: getattr(self, name).to_dicts() for name in frames}}
        if self.log:
            told["log"] = {name: value.to_dicts() if isinstance(value, pl.DataFrame) else value for name, value in self.log.items()}
        found: dict[str, Any] = rounded({**told, "replaced": [dict(item) for item in self.replaced]})
        return found
