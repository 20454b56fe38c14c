"""Weather and loads: the checks of the methods, and that series are what the case asks for."""

from __future__ import annotations

from datetime import timedelta
from math import gamma, pi, sqrt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from karvan.corridor import Corridor, load_corridor, new_corridor
from karvan.errors import DataError
from karvan.power.calendar import HOURS, calendar, stamps
from karvan.power.given import given_series
from karvan.power.profiles import by_year, load_mw, loads_mw, profiles
from karvan.power.sun import clear_sky_w_per_m2, cosine_of_zenith, diffuse_share
from karvan.power.system import power_system
from karvan.power.weather import lasting, likeness
from karvan.power.wind import scale_for, turbine_share, weibull_speed
from tests.power.small import add_power


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Corridor:
    return load_corridor(str(add_power(new_corridor(tmp_path_factory.mktemp("power") / "case"))))


def test_weibull_of_shape_2_and_scale_8() -> None:
    chance = (np.arange(400_000) + 0.5) / 400_000
    speed = weibull_speed(chance, 8.0)
    assert speed.mean() == pytest.approx(7.089815, abs=1e-3)
    assert speed.std() == pytest.approx(3.706011, abs=1e-3)
    assert (speed**3).mean() / speed.mean() ** 3 == pytest.approx(1.909859, rel=1e-3)
    # the same by the law's own formulas
    assert 8.0 * gamma(1.5) == pytest.approx(7.089815, abs=1e-6)
    assert gamma(2.5) / gamma(1.5) ** 3 == pytest.approx(6.0 / pi, rel=1e-9)


def test_a_farm_has_the_share_asked_for() -> None:
    asked = np.array([0.15, 0.38, 0.55])
    chance = (np.arange(100_000) + 0.5) / 100_000
    for share, scale in zip(asked, scale_for(asked), strict=True):
        assert turbine_share(weibull_speed(chance, scale)).mean() == pytest.approx(share, abs=2e-3)
    assert turbine_share(np.array([2.9, 12.5, 24.9, 25.1])).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_clear_sky() -> None:
    assert clear_sky_w_per_m2(np.array([1.0]))[0] == pytest.approx(1035.092, abs=5e-4)
    assert clear_sky_w_per_m2(np.cos(np.deg2rad([60.0])))[0] == pytest.approx(487.894, abs=5e-4)
    assert clear_sky_w_per_m2(np.array([0.0]))[0] == 0.0
    assert diffuse_share(np.array([0.0, 0.5, 0.9])) == pytest.approx([1.0, 0.6592, 0.165], abs=1e-3)


def test_the_sun_stands_right() -> None:
    """At noon of 21 June it is 23.4 degrees north of the equator; day and night are equal at an equinox."""
    high = cosine_of_zenith(40.0, 7.5).reshape(365, 24)  # noon in the middle of an hour
    assert np.degrees(np.arccos(high[171].max())) == pytest.approx(40.0 - 23.44, abs=1.0)
    assert np.degrees(np.arccos(high[354].max())) == pytest.approx(40.0 + 23.44, abs=1.0)
    assert (high[79] > 0.0).sum() in (12, 13)
    assert high.argmax(axis=1).min() >= 11
    # Fifteen degrees east is an hour earlier by the clock of UTC.
    assert np.median(cosine_of_zenith(40.0, 60.0).reshape(365, 24).argmax(axis=1)) == pytest.approx(7.5, abs=0.6)


def test_energy_and_peak_of_a_load_are_exact() -> None:
    rng = np.random.default_rng(1)
    load = load_mw(1.0 + rng.random(HOURS), demand_twh=115.0, peak_mw=16500.0)
    assert load.sum() / 1e6 == pytest.approx(115.0, rel=1e-12)
    assert load.max() == pytest.approx(16500.0, rel=1e-12)
    with pytest.raises(DataError, match="must lie above it"):
        load_mw(1.0 + rng.random(HOURS), demand_twh=115.0, peak_mw=10000.0)
    with pytest.raises(DataError, match="too high"):
        load_mw(1.0 + rng.random(HOURS), demand_twh=20.0, peak_mw=16500.0)


def test_weather_lasts_and_is_alike_near_by() -> None:
    alike = likeness(np.array([40.0, 40.0, 50.0]), np.array([50.0, 51.0, 80.0]))
    series = lasting(20_000, alike, 0.9, seed=3, purpose=1)
    assert series.std(axis=0) == pytest.approx(np.ones(3), abs=0.1)
    found = np.corrcoef(series.T)
    assert found == pytest.approx(alike, abs=0.1)
    assert alike[0, 1] > 0.8
    assert alike[0, 2] < 0.1
    assert np.corrcoef(series[1:, 0], series[:-1, 0])[0, 1] == pytest.approx(0.9, abs=0.02)
    assert sqrt(1 - 0.9**2) == pytest.approx(np.std(series[1:, 0] - 0.9 * series[:-1, 0]), abs=0.02)


def test_profiles_have_the_shares_of_the_case_and_the_same_weather_every_year(small: Corridor) -> None:
    made = profiles(small.tables, year=2024, seed=1)
    asked = dict(small.tables["power_profiles"].select("profile_id", "capacity_factor_share").iter_rows())
    for name, values in made.items():
        assert values.shape == (HOURS,)
        assert values.min() >= 0.0
        assert values.max() <= 1.0
        assert values.mean() == pytest.approx(asked[name], rel=0.1), name
    assert made["water"].mean() == pytest.approx(0.4, rel=0.01)
    again = profiles(small.tables, year=2035, seed=1)
    assert all(np.array_equal(made[name], again[name]) for name in made)
    other = profiles(small.tables, year=2024, seed=2)
    assert not np.array_equal(made["east_wind"], other["east_wind"])
    month = calendar(2024).month
    assert made["east_wind"][month == 0].mean() > made["east_wind"][month == 6].mean()


def test_order_of_rows_changes_nothing(small: Corridor) -> None:
    turned = {name: frame.reverse() for name, frame in small.tables.items()}
    one, other = power_system(small.tables, year=2030), power_system(turned, year=2030)
    assert np.array_equal(one.system.demand_mw, other.system.demand_mw)
    assert np.array_equal(one.system.plants.most_mw, other.system.plants.most_mw)
    assert one.system.stores.ids == other.system.stores.ids


def test_between_two_years_linear_and_outside_of_them_still(small: Corridor) -> None:
    found = {year: by_year(small.tables["power_demand"], "zone_id", "demand_twh", year)["east"] for year in (2020, 2024, 2029, 2034, 2050)}
    assert found == {2020: 4.0, 2024: 4.0, 2029: 5.0, 2034: 6.0, 2050: 6.0}
    loads = loads_mw(small.tables, year=2029, seed=1)
    assert loads["east"].sum() / 1e6 == pytest.approx(5.0, rel=1e-12)
    assert loads["east"].max() == pytest.approx(875.0, rel=1e-12)


def test_a_year_has_8760_hours() -> None:
    for year in (2023, 2024):
        found = stamps(year)
        assert len(found) == HOURS
        assert found[-1] - found[0] == timedelta(days=364 if year == 2023 else 365, hours=23)
    assert calendar(2024, 5.0).hour[0] == 5
    assert calendar(2024).weekday[0] == 0  # 1 January 2024 was a Monday


def _series(year: int = 2023) -> pl.DataFrame:
    times = [moment.strftime("%Y-%m-%dT%H:%MZ") for moment in stamps(year)]
    load = pl.DataFrame({"time_utc": times, "zone_id": "east", "variable": "load_mw", "value": np.linspace(400.0, 600.0, HOURS)})
    share = pl.DataFrame({"time_utc": times, "zone_id": "", "variable": "east_wind", "value": np.linspace(0.0, 1.0, HOURS)})
    return pl.concat([load, share])


def test_series_of_the_user_take_the_place_of_made_ones(small: Corridor, tmp_path: Path) -> None:
    given = given_series(_series().sample(fraction=1.0, shuffle=True, seed=1), small.tables)
    assert given.loads_mw["east"].sum() == pytest.approx(500.0 * HOURS)
    built = power_system(small.tables, year=2024, given=given)
    assert built.system.demand_mw[0, 0] == 400.0
    assert built.profiles["east_wind"][-1] == 1.0
    leap = given_series(_series(2024), small.tables)
    assert np.array_equal(leap.loads_mw["east"], given.loads_mw["east"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.slice(1), "has no hour 2023-01-01T00:00Z"),
        (lambda frame: frame.with_columns(zone_id=pl.lit("north")), "north is no zone"),
        (lambda frame: frame.with_columns(variable=pl.lit("gale")), "must be load_mw or one of"),
        (lambda frame: frame.with_columns(value=pl.col("value") * -1.0), "0 or more"),
        (lambda frame: frame.with_columns(time_utc=pl.col("time_utc").str.replace("Z", "+05:00")), "must be an hour in UTC"),
        (lambda frame: frame.drop("value"), "is missing"),
        (lambda frame: pl.concat([frame, frame.head(1)]), "stands there twice"),
    ],
)
def test_series_that_are_not_right_are_refused(small: Corridor, change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        given_series(change(_series()), small.tables)
