"""Tables of a snapshot to a power system of 8,760 hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.errors import DataError, Problem
from karvan.network import Lines, Plants, PowerSystem, Stores
from karvan.power.calendar import HOURS, calendar
from karvan.power.profiles import by_year, loads_mw, profiles, shapes
from karvan.power.storms import Storms

FloatArray = npt.NDArray[np.float64]
Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class GivenSeries:
    """Series that replace made ones.

    Attributes:
        loads_mw: Load of zones, shape (hours,) each.
        profiles: Share of capacity of profiles, shape (hours,) each.
    """

    loads_mw: Mapping[str, FloatArray] = field(default_factory=dict)
    profiles: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """A power system and the series it stands on.

    Attributes:
        system: Zones, plants, stores and lines in the order of their ids.
        profiles: Share of capacity of each profile, shape (hours,).
        countries: Country of each zone.
        owners: Owner of each line; None: both ends by halves.
    """

    system: PowerSystem
    profiles: Mapping[str, FloatArray]
    countries: tuple[str, ...]
    owners: tuple[str | None, ...]


def power_system(
    tables: Tables, *, year: int, seed: int = 1, given: GivenSeries | None = None, storms: Storms | None = None
) -> Built:  # fmt: skip
    """The power system of a snapshot in its year.

    Args:
        tables: The `power_` tables of a snapshot.
        year: Calendar year.
        seed: Of the weather.
        given: Series in place of made ones.
        storms: When weather closes ports, for wind to go by.

    Raises:
        DataError: There are no zones, a demand or capacity has no row, or a demand fits no shape.
    """
    if tables["power_zones"].is_empty():
        raise DataError(Problem("power_zones", None, None, "holds no rows; a power dispatch needs zones"))
    series = given or GivenSeries()
    zones = tables["power_zones"].sort("zone_id")
    zone_ids = tuple(zones["zone_id"].to_list())
    position = {name: number for number, name in enumerate(zone_ids)}
    loads = {**loads_mw(tables, year=year, seed=seed), **series.loads_mw}
    made = {**profiles(tables, year=year, seed=seed, storms=storms), **series.profiles}
    sizes = by_year(tables["power_capacities"], "asset_id", "capacity_mw", year)
    return Built(
        PowerSystem(
            zone_ids=zone_ids,
            demand_mw=np.column_stack([loads[name] for name in zone_ids]),
            lost_load_usd_per_mwh=zones["lost_load_usd_per_mwh"].to_numpy().astype(np.float64),
            plants=_plants(tables, position, made, sizes, year),
            stores=_stores(tables, position, made, sizes),
            lines=_lines(tables, position, year),
        ),
        made,
        tuple(zones["country"].to_list()),
        tuple(tables["power_lines"].sort("line_id")["owner"].to_list()),
    )


def _size(sizes: Mapping[str, float], name: str, table: str) -> float:
    if name not in sizes:
        raise DataError(Problem("power_capacities", None, "asset_id", f"{name} of {table} has no row; it needs one for at least one year"))
    return sizes[name]


def _numbers(rows: list[dict[str, Any]], column: str) -> FloatArray:
    return np.array([row[column] for row in rows], dtype=np.float64)


def _zones(rows: list[dict[str, Any]], position: Mapping[str, int], column: str = "zone_id") -> npt.NDArray[np.int64]:
    return np.array([position[row[column]] for row in rows], dtype=np.int64)


def _hourly(columns: list[FloatArray]) -> FloatArray:
    return np.column_stack(columns) if columns else np.empty((HOURS, 0))


def _plants(
    tables: Tables, position: Mapping[str, int], made: Mapping[str, FloatArray], sizes: Mapping[str, float], year: int
) -> Plants:  # fmt: skip
    rows = tables["power_plants"].sort("plant_id").to_dicts()
    by_month, month = shapes(tables), calendar(year).month
    capacity = [_size(sizes, row["plant_id"], "power_plants") for row in rows]
    most, least = [], []
    for row, size in zip(rows, capacity, strict=True):
        able = np.full(HOURS, size * row["available_share"])
        if row["availability_shape_id"] is not None:
            able = np.minimum(able * by_month[row["availability_shape_id"]][month], size)
        if row["profile_id"] is not None:
            able = able * made[row["profile_id"]]
        most.append(able)
        least.append(able * row["least_share"])
    return Plants(
        ids=tuple(row["plant_id"] for row in rows),
        technologies=tuple(row["technology"] for row in rows),
        zone=_zones(rows, position),
        cost_usd_per_mwh=_numbers(rows, "marginal_cost_usd_per_mwh"),
        co2_t_per_mwh=_numbers(rows, "co2_t_per_mwh"),
        capacity_mw=np.array(capacity, dtype=np.float64),
        most_mw=_hourly(most),
        least_mw=_hourly(least),
        is_weather=np.array([row["profile_id"] is not None for row in rows], dtype=np.bool_),
    )


def _stores(tables: Tables, position: Mapping[str, int], made: Mapping[str, FloatArray], sizes: Mapping[str, float]) -> Stores:
    rows = tables["power_stores"].sort("store_id").to_dicts()
    give = np.array([_size(sizes, row["store_id"], "power_stores") for row in rows])
    one_way = np.sqrt(_numbers(rows, "round_trip_share"))
    inflow = [
        np.zeros(HOURS) if row["profile_id"] is None else power * made[row["profile_id"]] for row, power in zip(rows, give, strict=True)
    ]
    return Stores(
        ids=tuple(row["store_id"] for row in rows),
        technologies=tuple(row["technology"] for row in rows),
        zone=_zones(rows, position),
        give_mw=give,
        take_mw=give * _numbers(rows, "charge_ratio"),
        energy_mwh=give * _numbers(rows, "energy_h"),
        into_share=one_way,
        out_share=one_way,
        cost_usd_per_mwh=_numbers(rows, "marginal_cost_usd_per_mwh"),
        inflow_mw=_hourly(inflow) / one_way,
    )


def _lines(tables: Tables, position: Mapping[str, int], year: int) -> Lines:
    rows = tables["power_lines"].sort("line_id").to_dicts()
    charged: dict[tuple[str, str], float] = {}
    for ends, found in tables["power_border_costs"].group_by("from_zone", "to_zone", maintain_order=True):
        ordered = found.sort("year")
        cost = np.interp(year, ordered["year"].to_numpy(), ordered["cost_usd_per_mwh"].to_numpy())
        charged[str(ends[0]), str(ends[1])] = float(cost)
    return Lines(
        ids=tuple(row["line_id"] for row in rows),
        source=_zones(rows, position, "from_zone"),
        target=_zones(rows, position, "to_zone"),
        capacity_mw=_numbers(rows, "capacity_mw"),
        loss_share=_numbers(rows, "loss_share"),
        running_usd_per_mwh=_numbers(rows, "running_usd_per_mwh"),
        border_usd_per_mwh=np.array(
            [
                [charged.get((row["from_zone"], row["to_zone"]), 0.0) for row in rows],
                [charged.get((row["to_zone"], row["from_zone"]), 0.0) for row in rows],
            ],
            dtype=np.float64,
        ),
    )
