"""What an experiment found, as the frames of a result: means with half their 95% interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from karvan.assignment import effective_capacity
from karvan.simulation import CAUSES, Experiment, FacilityCurve, Key

_HOURS_A_DAY = 24.0


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame; without any an empty one."""
    return pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame()


def streams_frame(found: Experiment) -> pl.DataFrame:
    """A row for each stream that comes: demand, what leaves, times, backlog."""
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        if stream.demand <= 0.0:
            continue
        is_stable, growth = name not in found.pilot.unstable, found.pilot.growth[name]
        row: dict[str, Any] = {
            "arrival_id": name, "crossing_id": stream.crossing_id, "place_id": stream.place_id, "passage_id": stream.passage_id,
            "unit": stream.unit, "demand_per_year": stream.demand, "is_stable": is_stable,
        }  # fmt: skip
        row["out_per_year"], row["out_per_year_half"] = _told(found, Key("stream", name, "out_per_year"))
        for measure in ("transit", "transit_sd", "transit_p50", "transit_p90", "transit_p95", "wait"):
            mean, half = _told(found, Key("stream", name, f"{measure}_h"), per=_HOURS_A_DAY) if is_stable else (None, None)
            row[f"{measure}_d"], row[f"{measure}_d_half"] = mean, half
        row["inside"], row["inside_half"] = _told(found, Key("stream", name, "inside"))
        row["backlog_growth_per_year"] = None if is_stable else growth.mean
        row["backlog_growth_per_year_half"] = None if is_stable else growth.half_width
        rows.append(row)
    return frame(rows)


def causes_frame(found: Experiment) -> pl.DataFrame:
    """Mean days by cause of each stable stream, and of what is near its P95."""
    rows = []
    for stream in found.built.streams:
        name = stream.arrival_id
        if stream.demand <= 0.0 or name in found.pilot.unstable:
            continue
        for cause in CAUSES:
            mean, half = _told(found, Key("stream", name, f"{cause}_h"), per=_HOURS_A_DAY)
            tail, tail_half = _told(found, Key("stream", name, f"{cause}_p95_h"), per=_HOURS_A_DAY)
            if mean is not None:
                rows.append(
                    {"arrival_id": name, "cause": cause, "mean_d": mean, "mean_d_half": half, "at_p95_d": tail, "at_p95_d_half": tail_half}
                )
    return frame(rows)


def months_frame(found: Experiment) -> pl.DataFrame:
    """By month: days that each weather closed, transit time of what came."""
    rows = []
    for month in range(1, 13):
        for name in found.built.system.names.sites:
            mean, half = _told(found, Key("weather", name, f"month_{month}_closed_d"))
            rows.append({"month": month, "kind": "closed", "name": name, "value_d": mean, "value_d_half": half})
        for stream in found.built.streams:
            mean, half = _told(found, Key("stream", stream.arrival_id, f"month_{month}_transit_h"), per=_HOURS_A_DAY)
            if mean is not None and stream.arrival_id not in found.pilot.unstable:
                rows.append({"month": month, "kind": "transit", "name": stream.arrival_id, "value_d": mean, "value_d_half": half})
    return frame(rows)


def berths_frame(found: Experiment) -> pl.DataFrame:
    """Use, calls and hours a call of each kind of berth."""
    rows = []
    for name in found.built.system.names.berths:
        row: dict[str, Any] = {"berth_id": name, "servers_count": found.built.rows["berths"][name]["servers_count"]}
        for measure in ("use_share", "calls_per_year", "hours_per_call"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("berth", name, measure))
        rows.append(row)
    return frame(rows)


def calls_frame(found: Experiment) -> pl.DataFrame:
    """Calls, waits and loads of each ship class at each port."""
    rows = []
    for call in found.built.calls:
        name = f"{call.ship_id}|{call.place_id}"
        row: dict[str, Any] = {
            "ship_id": call.ship_id, "crossing_id": call.crossing_id, "place_id": call.place_id, "room": call.room,
            "payload_share": call.room / call.room_count,
        }  # fmt: skip
        for measure in ("per_year", "wait_h", "handled_h", "load_units"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("call", name, measure))
        rows.append(row)
    return frame(rows)


def ships_frame(found: Experiment) -> pl.DataFrame:
    """Shares of time of each ship class."""
    rows = []
    for name, count in found.built.ships.items():
        row: dict[str, Any] = {"ship_id": name, "ships_count": count}
        for cause in ("sailing", "handling", "channel", "filling", "berth", "weather", "off_hire"):
            row[f"{cause}_share"], row[f"{cause}_share_half"] = _told(found, Key("ship", name, f"{cause}_share"))
        rows.append(row)
    return frame(rows)


def bans_frame(found: Experiment) -> pl.DataFrame:
    """Days a year of loading bans, and what they kept back."""
    rows = []
    for name in found.built.system.names.bans:
        row: dict[str, Any] = {"arrival_id": name}
        for measure in ("ban_d_per_year", "refused_per_year"):
            row[measure], row[f"{measure}_half"] = _told(found, Key("ban", name, measure))
        rows.append(row)
    return frame(rows)


def capacities_frame(curves: Mapping[str, FacilityCurve], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Saturation and delay curve of each facility beside its nominal capacity."""
    nominal = dict(zip(tables["facilities"]["facility_id"], effective_capacity(tables["facilities"]).tolist(), strict=True))
    rows = [
        {
            "facility_id": name,
            "unit": curve.unit,
            "nominal": nominal[name],
            "saturation": curve.saturation,
            "saturation_half": curve.saturation_half,
            "is_berth": curve.is_berth,
            "base_wait_h": curve.base_wait_h,
            "eta_s_h": curve.eta_s_h,
            "kappa": curve.kappa,
            "fit_error_h": curve.fit_error_h,
            "sd_h": curve.sd_h,
            "points": [dict(point) for point in curve.points],
        }
        for name, curve in curves.items()
    ]
    return frame(rows)


def _told(found: Experiment, key: Key, *, per: float = 1.0) -> tuple[float | None, float | None]:
    """Mean and half its interval; None where it was not measured."""
    if key not in found.numbers or not np.isfinite(found.numbers[key]).any():
        return None, None
    told = found.mean(key)
    half = told.half_width / per
    return told.mean / per, half if np.isfinite(half) else None
