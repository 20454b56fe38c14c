"""A dispatch in numbers worth telling: by zone, technology and line, and as duration curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.network import PowerSystem
from karvan.power.dispatcher import Solved
from karvan.power.money import Earnings, earnings

FloatArray = npt.NDArray[np.float64]

SHARES = tuple(range(0, 101, 2))
"""Shares of the hours, in percent, at which duration curves are told."""
_FLOWING_MW = 1e-3
_FULL_SHARE = 1e-6


def co2_mt(system: PowerSystem, solved: Solved) -> FloatArray:
    """Carbon dioxide of each zone's plants, in Mt over all hours; shape (zones,)."""
    of = solved.plant_mw.sum(axis=0) * system.plants.co2_t_per_mwh / 1e6
    return np.bincount(system.plants.zone, of, len(system.zone_ids)).astype(np.float64)


def curtailed_mw(system: PowerSystem, solved: Solved) -> FloatArray:
    """What weather could have given and did not, by plant; shape (hours, plants)."""
    return np.where(system.plants.is_weather, np.maximum(system.plants.most_mw - solved.plant_mw, 0.0), 0.0)


def zone_rows(system: PowerSystem, solved: Solved, countries: tuple[str, ...]) -> pl.DataFrame:
    """Balance and prices of each zone."""
    zones, twh = len(system.zone_ids), 1e6
    price, load = solved.price_usd_per_mwh, system.demand_mw
    made = np.bincount(system.plants.zone, solved.plant_mw.sum(axis=0), zones)
    made += np.bincount(system.stores.zone, (solved.give_mw - solved.take_mw).sum(axis=0), zones)
    lines = system.lines
    there, back, left = solved.there_mw.sum(axis=0), solved.back_mw.sum(axis=0), 1.0 - lines.loss_share
    came = np.bincount(lines.target, there * left, zones) + np.bincount(lines.source, back * left, zones)
    went = np.bincount(lines.source, there, zones) + np.bincount(lines.target, back, zones)
    shed = np.bincount(system.plants.zone, curtailed_mw(system, solved).sum(axis=0), zones)
    return pl.DataFrame(
        {
            "zone_id": system.zone_ids,
            "country": countries,
            "demand_twh": load.sum(axis=0) / twh,
            "peak_mw": load.max(axis=0),
            "generation_twh": made / twh,
            "imports_twh": came / twh,
            "exports_twh": went / twh,
            "unserved_gwh": solved.lost_mw.sum(axis=0) / 1e3,
            "unserved_h": (solved.lost_mw > _FLOWING_MW).sum(axis=0),
            "curtailed_twh": shed / twh,
            "co2_mt": co2_mt(system, solved),
            "mean_price_usd_per_mwh": price.mean(axis=0),
            "paid_price_usd_per_mwh": (price * load).sum(axis=0) / load.sum(axis=0),
            "lowest_price_usd_per_mwh": price.min(axis=0),
            "highest_price_usd_per_mwh": price.max(axis=0),
        }
    )


def technology_rows(system: PowerSystem, solved: Solved) -> pl.DataFrame:
    """Generation of each technology in each zone; stores by what they give, less what they take."""
    plants, stores = system.plants, system.stores
    given, shed = solved.plant_mw.sum(axis=0), curtailed_mw(system, solved).sum(axis=0)
    rows: list[dict[str, Any]] = [
        {
            "zone_id": system.zone_ids[plants.zone[number]], "technology": plants.technologies[number],
            "capacity_mw": plants.capacity_mw[number], "generation_twh": given[number] / 1e6, "curtailed_twh": shed[number] / 1e6,
        }
        for number in range(len(plants.ids))
    ]  # fmt: skip
    net = (solved.give_mw - solved.take_mw).sum(axis=0)
    rows += [
        {
            "zone_id": system.zone_ids[stores.zone[number]], "technology": stores.technologies[number],
            "capacity_mw": stores.give_mw[number], "generation_twh": net[number] / 1e6, "curtailed_twh": 0.0,
        }
        for number in range(len(stores.ids))
    ]  # fmt: skip
    sums = pl.col("capacity_mw", "generation_twh", "curtailed_twh").sum()
    return pl.DataFrame(rows).group_by("zone_id", "technology", maintain_order=True).agg(sums).filter(pl.col("capacity_mw") > 0.0)


def line_rows(system: PowerSystem, solved: Solved) -> pl.DataFrame:
    """Flows, hours and earnings of each line."""
    lines, of = system.lines, earnings(system, solved)
    return pl.DataFrame([line_row(system, solved, of, number) for number in range(len(lines.ids))], infer_schema_length=None)


def line_row(system: PowerSystem, solved: Solved, of: Earnings, line: int) -> dict[str, Any]:
    """Flows, hours and earnings of one line."""
    lines = system.lines
    there, back, size = solved.there_mw[:, line], solved.back_mw[:, line], lines.capacity_mw[line]
    forward_h, backward_h = int((there > _FLOWING_MW).sum()), int((back > _FLOWING_MW).sum())
    return {
        "line_id": lines.ids[line],
        "from_zone": system.zone_ids[lines.source[line]],
        "to_zone": system.zone_ids[lines.target[line]],
        "capacity_mw": float(size),
        "there_twh": float(there.sum()) / 1e6,
        "back_twh": float(back.sum()) / 1e6,
        "there_h": forward_h,
        "back_h": backward_h,
        "full_h": int(((there + back) > size * (1.0 - _FULL_SHARE)).sum()) if size > 0.0 else 0,
        "used_share": float((there + back).mean() / size) if size > 0.0 else None,
        "rent_musd": float(of.rent[:, line].sum()) / 1e6,
        "border_musd": float(of.border[:, line].sum()) / 1e6,
        "kept_musd": float(of.kept[:, line].sum()) / 1e6,
        "value_usd_per_kw": solved.line_value_usd_per_mw(line) / 1e3,
    }


def curve_rows(system: PowerSystem, solved: Solved) -> pl.DataFrame:
    """Duration curves of prices by zone and of flows by line (there less back): what is exceeded in so many percent of the hours."""
    net = solved.there_mw - solved.back_mw
    found = []
    for kind, ids, values in (("price", system.zone_ids, solved.price_usd_per_mwh), ("flow", system.lines.ids, net)):
        ordered = -np.sort(-values, axis=0)
        places = np.rint(np.array(SHARES) / 100.0 * (len(values) - 1)).astype(np.int64)
        for number, name in enumerate(ids):
            found.append(
                pl.DataFrame({"kind": kind, "id": name, "hours_percent": SHARES, "value": ordered[places, number]})
            )  # fmt: skip
    return pl.concat(found)


def profile_rows(system: PowerSystem, series: Mapping[str, FloatArray], targets: Mapping[str, float]) -> pl.DataFrame:
    """What the hourly series come to: energy and peak of loads, mean share of profiles beside what the case asks for."""
    loads = [
        {"kind": "load", "id": name, "energy_twh": load.sum() / 1e6, "peak_mw": load.max(), "mean_share": None, "asked_share": None}
        for name, load in zip(system.zone_ids, system.demand_mw.T, strict=True)
    ]
    shares = [
        {"kind": "profile", "id": name, "energy_twh": None, "peak_mw": None, "mean_share": values.mean(), "asked_share": targets.get(name)}
        for name, values in sorted(series.items())
    ]
    return pl.DataFrame([*loads, *shares], infer_schema_length=None)


def spare_mw(system: PowerSystem, solved: Solved, zone: int) -> FloatArray:
    """What the plants of a zone could have given beyond what they did, shape (hours,)."""
    idle = (system.plants.most_mw - solved.plant_mw)[:, system.plants.zone == zone]
    found: FloatArray = np.maximum(idle.sum(axis=1), 0.0)
    return found
