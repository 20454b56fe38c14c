"""Which estimates move the headline most: one value at a time over its range, the base year fitted again each time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import polars as pl

from karvan.corridor import Corridor, key_texts, load_corridor
from karvan.errors import ConvergenceError, DataError
from karvan.measures import load_scenario
from karvan.measures.apply import apply
from karvan.study.calibrate import calibrate, fitted
from karvan.study.clear import clear
from karvan.study.progress import Progress, silent
from karvan.study.route_memory import RouteMemory
from karvan.sums import weighted_sum

_KEY = "estimate_key"
_READ_BY_THE_MARKET = (
    "links", "terminals", "facilities", "facility_uses", "tariffs", "modes", "region_places", "commodities", "commodity_units", "demand",
    "growth", "calibration_targets",
)  # fmt: skip
"""Tables whose numbers the market reads; an estimate elsewhere cannot move the headline."""


@dataclass(frozen=True)
class Estimate:
    """A value, or all values of a column without ranges of their own, and the ends of its range.

    Attributes:
        table, column: Where it stands.
        row: Primary key, or None for every estimated row of the column without a range of its own.
        value: The value; 1 for a whole column, whose ends are factors.
        low, high: Ends of the range.
    """

    table: str
    row: str | None
    column: str
    value: float
    low: float
    high: float


def estimates(corridor: Corridor) -> list[Estimate]:
    """Everything in a corridor that is an estimate with a range and that the market reads.

    Single values with a range in `provenance`, growth rates with theirs, and for each row of `default_ranges` the whole column.
    """
    found: list[Estimate] = []
    provenance = corridor.tables["provenance"].filter(
        pl.col("low").is_not_null() & pl.col("high").is_not_null() & pl.col("table").is_in(_READ_BY_THE_MARKET)
    )
    own: dict[tuple[str, str], set[str]] = {}
    for row in provenance.iter_rows(named=True):
        own.setdefault((row["table"], row["column"]), set()).add(row["row"])
    for row in provenance.filter(pl.col("confidence").cast(pl.String) == "estimate").iter_rows(named=True):
        frame = _keyed(row["table"], corridor)
        value = frame.filter(pl.col(_KEY) == row["row"])[row["column"]]
        if value.len() == 1 and value[0] is not None and row["high"] > row["low"]:
            found.append(Estimate(row["table"], row["row"], row["column"], float(value[0]), row["low"], row["high"]))
    for key, row in zip(key_texts("growth", corridor.tables["growth"]), corridor.tables["growth"].iter_rows(named=True), strict=True):
        low, high = row["low_share_per_year"], row["high_share_per_year"]
        if high > low:
            found.append(Estimate("growth", key, "rate_share_per_year", row["rate_share_per_year"], low, high))
    for row in corridor.tables["default_ranges"].filter(pl.col("table").is_in(_READ_BY_THE_MARKET)).iter_rows(named=True):
        frame = corridor.tables[row["table"]]
        estimated = [
            key
            for key, confidence in zip(key_texts(row["table"], frame), frame["confidence"].cast(pl.String), strict=True)
            if confidence == "estimate" and key not in own.get((row["table"], row["column"]), set())
        ]
        if estimated and row["high_ratio"] > row["low_ratio"]:
            found.append(Estimate(row["table"], None, row["column"], 1.0, row["low_ratio"], row["high_ratio"]))
    return found


def sensitivities(
    name: str,
    *,
    scenario: str,
    year: int,
    workers: int = 1,
    chosen: Sequence[Estimate] | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """The headline tonnes of a year with each estimate at both ends of its range, the base year fitted again each time.

    Args:
        name: Folder, or name of a packaged corridor.
        scenario: Scenario id.
        year: Calendar year.
        workers: Processes; the numbers do not depend on how many.
        chosen: Estimates to try; all of them by default.
        progress: Called with a line of text as the work goes on.

    Returns:
        table, row, column, value, low, high, low_mt, high_mt (None where the base year cannot be fitted with that value), move_mt; the
        largest move first.
    """
    tell = progress or silent
    items = list(chosen) if chosen is not None else estimates(load_corridor(name))
    found: list[dict[str, Any]] = []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_open, initargs=(name, scenario, year)) as pool:
        for number, (item, ends) in enumerate(zip(items, pool.map(_both_ends, items), strict=True), start=1):
            known = [end for end in ends if end is not None]
            found.append(
                {
                    **{key: getattr(item, key) for key in ("table", "row", "column", "value", "low", "high")},
                    "low_mt": ends[0],
                    "high_mt": ends[1],
                    "move_mt": max(known) - min(known) if len(known) == len(ends) else 0.0,
                }
            )
            tell(f"{number} of {len(items)} estimates")
    return sorted(found, key=lambda row: (-row["move_mt"], row["table"], row["row"] or "", row["column"]))


class _Open:
    """The corridor of a worker process."""

    corridor: Corridor
    scenario: str
    year: int


def _open(name: str, scenario: str, year: int) -> None:
    _Open.corridor, _Open.scenario, _Open.year = load_corridor(name), scenario, year


def _both_ends(item: Estimate) -> tuple[float | None, float | None]:
    return _end(item, item.low), _end(item, item.high)


def _end(item: Estimate, value: float) -> float | None:
    moved = with_estimate(_Open.corridor, item, value)
    try:
        return headline_mt(
            moved, _Open.scenario, _Open.year, memory=RouteMemory()
        )  # its own: routes of one estimate are not those of another
    except (ConvergenceError, DataError):
        return None


def headline_mt(corridor: Corridor, scenario: str, year: int, *, memory: RouteMemory) -> float:
    """Tonnes over the headline cordon in a year, million, after fitting the base year again where the corridor has targets.

    Raises:
        ConvergenceError: The base year cannot be fitted, or the year does not clear.
    """
    manifest = corridor.manifest
    if not corridor.tables["calibration_targets"].is_empty():
        corridor = fitted(corridor, calibrate(corridor, routes=memory))
    snapshot = apply(load_scenario(scenario, corridor), corridor, year=year)
    cleared = clear(snapshot, routes=memory, co2_price_usd_per_t=manifest.co2_price_usd_per_t, is_strict=False)
    shipped = cleared.assembly.route_of >= 0
    weight = cleared.routed.cordons[manifest.headline_cordon][0]
    return weighted_sum(cleared.clearing.route_flow_kt[shipped], weight[cleared.assembly.route_of[shipped]]) / 1e3


def with_estimate(corridor: Corridor, item: Estimate, value: float) -> Corridor:
    """The corridor with an estimate at another value; what must add up or stay in order with it follows.

    Shares of a region keep adding up to one, the others taking what is left; theta of families stays at or below theta of routes.
    """
    frame = _keyed(item.table, corridor)
    if item.row is None:
        own = set(
            corridor.tables["provenance"]
            .filter((pl.col("table") == item.table) & (pl.col("column") == item.column) & pl.col("low").is_not_null())["row"]
            .to_list()
        )
        moved = (pl.col("confidence").cast(pl.String) == "estimate") & ~pl.col(_KEY).is_in(sorted(own))
        frame = frame.with_columns(pl.when(moved).then(pl.col(item.column) * value).otherwise(pl.col(item.column)).alias(item.column))
    else:
        is_it = pl.col(_KEY) == item.row
        frame = frame.with_columns(pl.when(is_it).then(pl.lit(value)).otherwise(pl.col(item.column)).alias(item.column))
    if (item.table, item.column) == ("region_places", "share"):
        frame = _shares_adding_up(frame, item.row)
    if item.table == "commodities":
        low, high = "family_theta_per_usd_per_t", "route_theta_per_usd_per_t"
        kept = pl.min_horizontal(low, high) if item.column == low else pl.col(low)
        frame = frame.with_columns(kept.alias(low)).with_columns(pl.max_horizontal(low, high).alias(high))
    return replace(corridor, tables={**corridor.tables, item.table: frame.drop(_KEY)})


def _shares_adding_up(frame: pl.DataFrame, row: str | None) -> pl.DataFrame:
    """Shares of each region, side and goods adding up to one; a moved row keeps its value where others can give way."""
    group = ["region_id", "side", "commodity_group"]
    is_kept = pl.col(_KEY) == row if row is not None else pl.lit(False)
    others = pl.when(is_kept).then(0.0).otherwise(pl.col("share")).sum().over(group)
    kept = pl.when(is_kept).then(pl.col("share")).otherwise(0.0).sum().over(group).clip(0.0, 1.0)
    alone = pl.when(is_kept).then(pl.lit(1.0)).otherwise(pl.col("share"))
    rescaled = pl.when(is_kept).then(kept).otherwise(pl.col("share") * (1.0 - kept) / others)
    return frame.with_columns(pl.when(others > 0.0).then(rescaled).otherwise(alone).alias("share"))


def _keyed(table: str, corridor: Corridor) -> pl.DataFrame:
    frame = corridor.tables[table]
    return frame.with_columns(pl.Series(_KEY, key_texts(table, frame), dtype=pl.String))
