"""One weather for the crossings and for power: ports close in the hours in which wind near them blows hardest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.cli.main import main
from karvan.errors import DataError
from karvan.measures.apply import apply
from karvan.power import power_system
from karvan.power.calendar import HOURS, calendar
from karvan.power.storms import Storms, wind_of_storms
from karvan.power.weather import likeness
from karvan.simulation import ExperimentOptions, Pilot, build, closed_times, trace
from karvan.simulation.storms import closed_hours
from karvan.study.dispatch_storms import storm_rows, storms_of
from tests.power.small import add_power

YEAR = 2034
Tables = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = add_power(kv.new_corridor(tmp_path_factory.mktemp("storms") / "case"))
    places = (case / "places.csv").read_text(encoding="utf-8")
    assert "XA,12.0,0.0" in places
    (case / "places.csv").write_text(places.replace("XA,12.0,0.0", "XA,51.0,44.5"), encoding="utf-8")  # near the wind of the east
    return case


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    corridor = kv.load_corridor(str(folder))
    return apply(kv.load_scenario("baseline", corridor), corridor, year=YEAR).tables


def test_closures_are_those_that_a_simulation_with_ships_and_goods_tells(tables: Tables) -> None:
    system = tables["systems"]["system_id"][0]
    arrivals = tables["arrivals"]["arrival_id"].to_list()
    built = build(tables, system, dict.fromkeys(arrivals, 500.0))
    traced = trace(built, ExperimentOptions(seed=4), Pilot(0, {}, ()))
    found = closed_hours(tables, seed=4, replication=0)
    closures = tables["berths"].filter(pl.col("closure_id").is_not_null())
    for place, share in zip(found.place_ids, found.closed_share.T, strict=True):
        name = closures.filter(pl.col("place_id") == place)["closure_id"][0]
        told = np.zeros(HOURS)
        for row in closed_times(built, traced.found).filter(pl.col("closure_id") == name).iter_rows(named=True):
            for hour in range(int(row["from_h"]), int(row["until_h"]) + 1):
                inside = min(row["until_h"], hour + 1.0) - max(row["from_h"], float(hour))
                if traced.from_h <= hour < traced.until_h:
                    told[hour % HOURS] += max(inside, 0.0)
        whole = slice(720, HOURS - 240)  # a closure that lasts over an end of the log is not told there
        np.testing.assert_allclose(share[whole], told[whole], atol=1e-9)
        assert told.sum() > 100.0


def test_wind_goes_by_the_storms_and_every_months_energy_stays(tables: Tables) -> None:
    plain = power_system(tables, year=YEAR, seed=7)
    ports, storms = storms_of(tables, seed=7, draw=2)
    stormy = power_system(tables, year=YEAR, seed=7, storms=storms)
    again = power_system(tables, year=YEAR, seed=7, storms=storms_of(tables, seed=7, draw=2)[1])
    month = calendar(YEAR).month
    for name, share in stormy.profiles.items():
        np.testing.assert_array_equal(share, again.profiles[name])
        for number in range(12):  # the same values in another order
            np.testing.assert_allclose(np.sort(share[month == number]), np.sort(plain.profiles[name][month == number]), rtol=1e-12)
    np.testing.assert_array_equal(stormy.system.demand_mw, plain.system.demand_mw)
    for name in ("west_sun", "water"):
        np.testing.assert_array_equal(stormy.profiles[name], plain.profiles[name])
    rows = storm_rows(tables, stormy.profiles, ports, storms)
    assert rows
    before = {row["profile_id"]: row for row in storm_rows(tables, plain.profiles, ports, storms)}
    for row in rows:
        usual = before[row["profile_id"]]
        assert row["share_while_closed"] > 1.5 * row["share_while_open"]
        assert row["share_while_closed"] > usual["share_while_closed"] + 0.1
    other = storms_of(tables, seed=7, draw=3)[1]
    assert not np.array_equal(other.closed_share, storms.closed_share)


def test_far_farms_do_not_feel_a_storm_and_wind_still_lasts() -> None:
    rng = np.random.default_rng(2)
    month = np.repeat(np.arange(12), 600)
    lat, lon = np.array([40.0, 40.0]), np.array([50.0, 90.0])
    normal = np.empty((7200, 2))
    normal[0] = 0.0
    shocks = rng.standard_normal((7200, 2)) @ np.linalg.cholesky(likeness(lat, lon)).T
    for hour in range(1, 7200):
        normal[hour] = 0.97 * normal[hour - 1] + np.sqrt(1.0 - 0.97**2) * shocks[hour]
    closed = np.zeros((7200, 1))
    closed[np.arange(7200) % 240 < 36] = 1.0
    found = wind_of_storms(normal, lat, lon, Storms(np.array([40.2]), np.array([50.0]), closed), month, memory=0.97, seed=1)
    inside = closed[:, 0] == 1.0
    assert found[inside, 0].mean() > 1.0 + found[~inside, 0].mean()
    assert np.abs(found[:, 1] - normal[:, 1]).mean() < 0.1
    assert np.corrcoef(found[1:, 0], found[:-1, 0])[0, 1] > 0.9
    np.testing.assert_array_equal(np.sort(found[:600], axis=0), np.sort(normal[:600], axis=0))


def test_the_command_says_which_storms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["power", "--corridor", str(folder), "--year", str(YEAR), "--hours", "48", "--draw", "1"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["draw"], [row["profile_id"] for row in found["storms"]]) == (1, ["east_wind", "west_wind"])
    assert all(row["share_while_closed"] > row["share_while_open"] for row in found["storms"])
    assert main(asked) == 0
    assert "storms of replication 1" in " ".join(capsys.readouterr().out.split())
    assert main([*asked[:-1], "-1"]) == 2
    assert "--draw" in capsys.readouterr().err


def test_without_closures_there_are_no_storms(tables: Tables) -> None:
    bare = {**tables, "systems": tables["systems"].clear()}
    with pytest.raises(DataError, match="closes no port"):
        closed_hours(bare, seed=1, replication=0)
