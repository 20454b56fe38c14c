"""PyPSA networks: a power system as the folder of CSV files that PyPSA reads and writes, and back.

PyPSA minimises what Karvan minimises, so that both find the same cost. What stands for what:

    zone                bus, with a load and a generator of carrier `lost_load` whose cost is what load is worth
    plants              generator; what can and must run in each hour as p_max_pu and p_min_pu
    store               storage unit, cyclic; a reservoir takes nothing from the grid (p_min_pu 0) and has an inflow
    line                two links, `ID there` and `ID back`, each with its loss as efficiency; border charges stand in their marginal cost

PyPSA itself is not needed for either way.

Source:
    Brown, Hörsch, Schlachtberger (2018), PyPSA: Python for Power System Analysis, Journal of Open Research Software 6.
"""

from __future__ import annotations

import datetime
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.exceptions import PolarsError

from karvan.errors import DataError, Problem
from karvan.network import Lines, Plants, PowerSystem, Stores

FloatArray = npt.NDArray[np.float64]

LOST_LOAD = "lost_load"
THERE, BACK = " there", " back"
_UNTIMED = {"p_max_pu": 1.0, "p_min_pu": 0.0, "inflow": 0.0, "p_set": 0.0}


def write_pypsa(folder: str | Path, system: PowerSystem, *, year: int, names: Mapping[str, str] | None = None) -> None:
    """Write a power system as a PyPSA network in CSV; the folder must not be there yet, and appears when all of it is written.

    Args:
        folder: Folder to make.
        system: Zones, plants, stores and lines.
        year: Year of the first hour, which begins at midnight UTC of 1 January; 29 February is left out.
        names: Fields of network.csv beside the name.

    Raises:
        DataError: The folder is there, or cannot be written.
    """
    path = Path(folder)
    if path.exists():
        raise DataError(Problem("--out", None, None, f"{path} is there already; name another folder"))
    temporary = path.with_name(f".{path.name}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, frame in _frames(system, year, names or {}).items():
            frame.write_csv(temporary / f"{name}.csv")
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(Problem("--out", None, None, f"{path} cannot be written: {error.strerror or error}")) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _frames(system: PowerSystem, year: int, names: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    plants, stores, lines, zones = system.plants, system.stores, system.lines, system.zone_ids
    moments = _moments(year, system.hours)

    def timed(columns: Mapping[str, FloatArray]) -> pl.DataFrame:
        return pl.DataFrame({"snapshot": moments, **columns})

    size = np.maximum(plants.capacity_mw, plants.most_mw.max(axis=0))
    per_size = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0.0)
    peak = np.maximum(system.demand_mw.max(axis=0), 0.0)
    per_peak = np.divide(1.0, peak, out=np.zeros_like(peak), where=peak > 0.0)
    lost = [f"{LOST_LOAD} {zone}" for zone in zones]
    generators = pl.concat(
        [
            pl.DataFrame(
                {
                    "name": plants.ids, "bus": [zones[zone] for zone in plants.zone], "carrier": plants.technologies, "p_nom": size,
                    "marginal_cost": plants.cost_usd_per_mwh, "co2_t_per_mwh": plants.co2_t_per_mwh,
                    "capacity_mw": plants.capacity_mw, "is_weather": plants.is_weather,
                }
            ),
            pl.DataFrame(
                {
                    "name": lost, "bus": zones, "carrier": [LOST_LOAD] * len(zones), "p_nom": peak,
                    "marginal_cost": system.lost_load_usd_per_mwh, "co2_t_per_mwh": np.zeros(len(zones)),
                    "capacity_mw": peak, "is_weather": np.zeros(len(zones), dtype=np.bool_),
                }
            ),
        ]
    )  # fmt: skip
    most = {name: plants.most_mw[:, number] * per_size[number] for number, name in enumerate(plants.ids)}
    most |= {name: np.maximum(system.demand_mw[:, number], 0.0) * per_peak[number] for number, name in enumerate(lost)}
    least = {
        name: plants.least_mw[:, number] * per_size[number] for number, name in enumerate(plants.ids) if plants.least_mw[:, number].any()
    }
    used = np.flatnonzero(stores.give_mw > 0.0).tolist()
    units = pl.DataFrame(
        {
            "name": [stores.ids[n] for n in used], "bus": [zones[stores.zone[n]] for n in used],
            "carrier": [stores.technologies[n] for n in used], "p_nom": stores.give_mw[used],
            "max_hours": stores.energy_mwh[used] / stores.give_mw[used], "efficiency_store": stores.into_share[used],
            "efficiency_dispatch": stores.out_share[used], "p_min_pu": -stores.take_mw[used] / stores.give_mw[used],
            "marginal_cost": stores.cost_usd_per_mwh[used], "cyclic_state_of_charge": [True] * len(used),
        }
    )  # fmt: skip
    links = pl.concat(
        [
            pl.DataFrame(
                {
                    "name": [f"{name}{way}" for name in lines.ids], "bus0": [zones[zone] for zone in here],
                    "bus1": [zones[zone] for zone in other], "efficiency": 1.0 - lines.loss_share, "p_nom": lines.capacity_mw,
                    "marginal_cost": lines.running_usd_per_mwh + lines.border_usd_per_mwh[number],
                    "border_usd_per_mwh": lines.border_usd_per_mwh[number],
                }
            )
            for number, (way, here, other) in enumerate(((THERE, lines.source, lines.target), (BACK, lines.target, lines.source)))
        ]
    )  # fmt: skip
    carriers = sorted({*plants.technologies, *stores.technologies, LOST_LOAD})
    found = {
        "network": pl.DataFrame({"name": ["karvan"], **{key: [value] for key, value in names.items()}}),
        "snapshots": pl.DataFrame({"snapshot": moments, "objective": 1.0, "stores": 1.0, "generators": 1.0}),
        "carriers": pl.DataFrame({"name": carriers}),
        "buses": pl.DataFrame({"name": zones}),
        "generators": generators,
        "generators-p_max_pu": timed(most),
        "loads": pl.DataFrame({"name": [f"load {zone}" for zone in zones], "bus": zones}),
        "loads-p_set": timed({f"load {zone}": system.demand_mw[:, number] for number, zone in enumerate(zones)}),
    }
    if least:
        found["generators-p_min_pu"] = timed(least)
    if len(lines.ids):
        found["links"] = links
    if used:
        found["storage_units"] = units
        found["storage_units-inflow"] = timed({stores.ids[n]: stores.inflow_mw[:, n] for n in used})
    return found


def _moments(year: int, hours: int) -> list[str]:
    first = datetime.datetime(year, 1, 1)
    found: list[str] = []
    hour = 0
    while len(found) < hours:
        moment = first + datetime.timedelta(hours=hour)
        if (moment.month, moment.day) != (2, 29):
            found.append(moment.strftime("%Y-%m-%d %H:%M:%S"))
        hour += 1
    return found


def read_pypsa(folder: str | Path) -> PowerSystem:
    """A power system from a PyPSA network in CSV, of the kind that `write_pypsa` makes: one load and one generator of carrier `lost_load`
    at each bus, cyclic storage units, links in pairs `ID there` and `ID back` of one size and efficiency; hours of weight one.

    Raises:
        DataError: A file or column is missing, or the network is of another kind.
    """
    path = Path(folder)
    if not path.is_dir():
        raise DataError(Problem(path.name, None, None, f"there is no folder {path}"))
    buses = _table(path, "buses", ("name",))
    zones = tuple(buses["name"].to_list())
    place = {name: number for number, name in enumerate(zones)}
    hours = _table(path, "snapshots", ("snapshot",)).height
    loads = _table(path, "loads", ("name", "bus"))
    demand = np.zeros((hours, len(zones)))
    for name, values in _timed(path, "loads", "p_set", loads, hours).items():
        demand[:, place[loads.filter(pl.col("name") == name)["bus"][0]]] += values
    generators = _table(path, "generators", ("name", "bus", "carrier", "p_nom", "marginal_cost"))
    worth = np.zeros(len(zones))
    for row in generators.filter(pl.col("carrier") == LOST_LOAD).iter_rows(named=True):
        worth[place[row["bus"]]] = row["marginal_cost"]
    missing = [zone for zone, value in zip(zones, worth, strict=True) if value <= 0.0]
    if missing:
        message = f"{missing[0]} has no generator of carrier {LOST_LOAD}, whose marginal cost says what load is worth that is not served"
        raise DataError(Problem("generators.csv", None, "carrier", message))
    return PowerSystem(zones, demand, worth, _plants(path, generators, place, hours), _stores(path, place, hours), _lines(path, place))


def _plants(path: Path, generators: pl.DataFrame, place: Mapping[str, int], hours: int) -> Plants:
    rows = generators.filter(pl.col("carrier") != LOST_LOAD)
    size = rows["p_nom"].to_numpy().astype(np.float64)
    most, least = (_timed(path, "generators", name, rows, hours) for name in ("p_max_pu", "p_min_pu"))
    ids = tuple(rows["name"].to_list())

    def column(name: str, default: float) -> FloatArray:
        return rows[name].to_numpy().astype(np.float64) if name in rows.columns else np.full(len(ids), default)

    return Plants(
        ids=ids,
        technologies=tuple(rows["carrier"].to_list()),
        zone=np.array([place[bus] for bus in rows["bus"]], dtype=np.int64),
        cost_usd_per_mwh=column("marginal_cost", 0.0),
        co2_t_per_mwh=column("co2_t_per_mwh", 0.0),
        capacity_mw=column("capacity_mw", 0.0) if "capacity_mw" in rows.columns else size,
        most_mw=np.column_stack([most[name] for name in ids]) * size if ids else np.empty((hours, 0)),
        least_mw=np.column_stack([least[name] for name in ids]) * size if ids else np.empty((hours, 0)),
        is_weather=rows["is_weather"].to_numpy().astype(np.bool_) if "is_weather" in rows.columns else np.zeros(len(ids), dtype=np.bool_),
    )


def _stores(path: Path, place: Mapping[str, int], hours: int) -> Stores:
    needed = ("name", "bus", "p_nom", "max_hours", "efficiency_store", "efficiency_dispatch")
    rows = _table(path, "storage_units", needed) if (path / "storage_units.csv").is_file() else pl.DataFrame({name: [] for name in needed})
    if rows.height and ("cyclic_state_of_charge" not in rows.columns or not rows["cyclic_state_of_charge"].all()):
        message = "every storage unit must be cyclic: as full at the end as at the start"
        raise DataError(Problem("storage_units.csv", 1, "cyclic_state_of_charge", message))
    inflow = _timed(path, "storage_units", "inflow", rows, hours) if rows.height else {}
    give = rows["p_nom"].cast(pl.Float64).to_numpy()

    def column(name: str, default: float) -> FloatArray:
        return rows[name].cast(pl.Float64).to_numpy() if name in rows.columns else np.full(rows.height, default)

    return Stores(
        ids=tuple(rows["name"].to_list()),
        technologies=tuple(rows["carrier"].to_list()) if "carrier" in rows.columns else ("store",) * rows.height,
        zone=np.array([place[bus] for bus in rows["bus"]], dtype=np.int64),
        give_mw=give,
        take_mw=-column("p_min_pu", -1.0) * give,
        energy_mwh=column("max_hours", 1.0) * give,
        into_share=column("efficiency_store", 1.0),
        out_share=column("efficiency_dispatch", 1.0),
        cost_usd_per_mwh=column("marginal_cost", 0.0),
        inflow_mw=np.column_stack([inflow[name] for name in rows["name"]]) if rows.height else np.empty((hours, 0)),
    )


def _lines(path: Path, place: Mapping[str, int]) -> Lines:
    needed = ("name", "bus0", "bus1", "efficiency", "p_nom")
    rows = _table(path, "links", needed) if (path / "links.csv").is_file() else pl.DataFrame({name: [] for name in needed})
    by_name: dict[str, dict[str, Any]] = {row["name"]: row for row in rows.iter_rows(named=True)}
    pairs = []
    for number, (name, row) in enumerate(by_name.items(), start=1):
        if name.endswith(BACK) and name.removesuffix(BACK) + THERE in by_name:
            continue
        other = by_name.get(name.removesuffix(THERE) + BACK)
        if not name.endswith(THERE) or other is None or (other["bus0"], other["bus1"]) != (row["bus1"], row["bus0"]):
            message = f"{name} must be one of a pair 'ID{THERE}' and 'ID{BACK}' between the same buses"
            raise DataError(Problem("links.csv", number, "name", message))
        if (other["efficiency"], other["p_nom"]) != (row["efficiency"], row["p_nom"]):
            raise DataError(Problem("links.csv", number, "p_nom", f"{name} and its way back must have one size and one efficiency"))
        pairs.append((name.removesuffix(THERE), row, other))

    def cost(row: Mapping[str, Any], name: str) -> float:
        return float(row.get(name) or 0.0)

    border = np.array([[cost(both[way], "border_usd_per_mwh") for _, *both in pairs] for way in (0, 1)]).reshape(2, -1)
    # What is not told as a border charge is the cost of sending; ways that differ in it keep the difference as a charge.
    extra = np.array([[cost(both[way], "marginal_cost") for _, *both in pairs] for way in (0, 1)]).reshape(2, -1) - border
    running = extra.min(axis=0) if pairs else np.empty(0)
    return Lines(
        ids=tuple(name for name, *_ in pairs),
        source=np.array([place[row["bus0"]] for _, row, _ in pairs], dtype=np.int64),
        target=np.array([place[row["bus1"]] for _, row, _ in pairs], dtype=np.int64),
        capacity_mw=np.array([row["p_nom"] for _, row, _ in pairs], dtype=np.float64),
        loss_share=1.0 - np.array([row["efficiency"] for _, row, _ in pairs], dtype=np.float64),
        running_usd_per_mwh=running,
        border_usd_per_mwh=border + (extra - running),
    )


def _table(path: Path, name: str, needed: tuple[str, ...]) -> pl.DataFrame:
    file = path / f"{name}.csv"
    try:
        frame = pl.read_csv(file, infer_schema_length=None)
    except (PolarsError, OSError) as error:
        raise DataError(Problem(file.name, None, None, f"cannot be read: {error}")) from error
    missing = [column for column in needed if column not in frame.columns]
    if missing:
        raise DataError(Problem(file.name, None, missing[0], f"is missing; needed are {', '.join(needed)}"))
    return frame


def _timed(path: Path, component: str, name: str, rows: pl.DataFrame, hours: int) -> dict[str, FloatArray]:
    """An attribute of each row in each hour: from its own file, else from the row, else PyPSA's default."""
    file = path / f"{component}-{name}.csv"
    series = _table(path, file.stem, ("snapshot",)) if file.is_file() else pl.DataFrame()
    found = {}
    for row in rows.iter_rows(named=True):
        if row["name"] in series.columns:
            if series.height != hours:
                raise DataError(Problem(file.name, None, None, f"has {series.height} rows, must have {hours} as snapshots.csv"))
            found[row["name"]] = series[row["name"]].cast(pl.Float64).to_numpy()
        else:
            value = row.get(name)
            found[row["name"]] = np.full(hours, _UNTIMED[name] if value is None else float(value))
    return found
