"""What is handed to the market: the curve's fit, its form in the market's tables, and what a configuration hangs on."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from karvan.assignment import effective_capacity
from karvan.assignment.delays import read_curves, wait_h
from karvan.corridor import Corridor, load_corridor
from karvan.simulation import (
    FacilityCurve,
    HandoverOptions,
    configuration_hash,
    facility_curve,
    saturation,
    simulated_facilities,
    with_handover,
)
from karvan.simulation.handover import fit_curve
from karvan.simulation.skeleton import fleet_capacity

FEW = HandoverOptions(replications=4, warm_d=30, loads=(0.3, 0.6, 0.9), variants=("as it is", "fewer", "lighter"))
LOADS = {"east_trains": 1e6}


@pytest.fixture(scope="module")
def two_ports() -> Corridor:
    return load_corridor("two-ports")


@pytest.fixture(scope="module")
def curve(two_ports: Corridor) -> FacilityCurve:
    return facility_curve(two_ports.tables, "strait", "ferry", LOADS, level_m=0.0, options=FEW)


def test_a_curve_is_found_again() -> None:
    uses = np.linspace(0.1, 0.95, 12)
    found = fit_curve(uses, 3.0 + 5.0 * uses**2.5 / (1.0 - uses))
    assert found == pytest.approx((3.0, 5.0, 2.5, 0.0), abs=1e-6)


def test_a_wait_that_falls_gives_a_flat_curve() -> None:
    base, eta, kappa, _ = fit_curve(np.array([0.2, 0.5, 0.9]), np.array([9.0, 6.0, 3.0]))
    assert (eta, kappa >= 1.0) == (0.0, True)
    assert base == pytest.approx(6.0)


def test_saturation_lies_below_a_fleet_that_never_waits(two_ports: Corridor, curve: FacilityCurve) -> None:
    """Two ships of 30 kt: 60 h at sea, 4 h of channel, 34 h at either berth, a tenth of the time off hire."""
    never = fleet_capacity(2, 30.0, (60.0 + 4.0 + 68.0) / 24.0, 0.9 * 365.0)
    assert 0.6 * never < curve.saturation < never
    more = two_ports.tables["ships"].with_columns(ships_count=pl.lit(3.0))
    other = saturation({**two_ports.tables, "ships": more}, "strait", "ferry", LOADS, level_m=0.0, options=FEW)
    assert 1.2 * curve.saturation < other.mean < 1.6 * curve.saturation


def test_waits_rise_with_use_and_the_curve_is_convex(curve: FacilityCurve) -> None:
    waits = [curve.wait_h(use) for use in np.linspace(0.0, 1.2, 25)]
    assert np.all(np.diff(waits) >= 0.0)
    assert np.all(np.diff(waits, 2) >= -1e-9)
    for variant in FEW.variants:
        points = [point["wait_h"] for point in curve.points if point["variant"] == variant]
        assert points[-1] > points[0]
    assert len(curve.points) == 9


def test_less_water_carries_less(two_ports: Corridor) -> None:
    """A ship of 7 m with half a metre under it has 8 m at the berths; a fall of a metre takes 0.5 m x 40 t/cm = 2 of its 30 kt, and saves
    4 of the 132 h that a round trip takes (60 at sea, 4 in the channel, 68 at berths).
    """
    now = saturation(two_ports.tables, "strait", "ferry", LOADS, level_m=0.0, options=FEW)
    later = saturation(two_ports.tables, "strait", "ferry", LOADS, level_m=-1.0, options=FEW)
    assert later.mean / now.mean == pytest.approx(28.0 / 30.0 * 132.0 / 128.0, abs=0.02)


def test_the_market_reads_the_very_curve(two_ports: Corridor, curve: FacilityCurve) -> None:
    tables = with_handover(two_ports.tables, {"ferry": curve}, {"ferry": 1.5})
    row = tables["facilities"]["facility_id"].to_list().index("ferry")
    assert effective_capacity(tables["facilities"])[row] == pytest.approx(curve.saturation, rel=1e-12)
    read = read_curves(tables)
    uses = np.zeros(tables["facilities"].height)
    for use in (0.0, 0.4, 0.9, 1.1):
        uses[row] = use
        assert wait_h(read, uses)[row] == pytest.approx(curve.wait_h(use) - curve.base_wait_h, rel=1e-9, abs=1e-9)
    old = two_ports.tables["delay_curves"].filter(pl.col("facility_id") == "ferry")["reference_use_share"][0]
    assert read.reference_use_share[row] == pytest.approx(min(1.0, 1.5 * old))


def test_other_facilities_and_tables_stay(two_ports: Corridor, curve: FacilityCurve) -> None:
    tables = with_handover(two_ports.tables, {"ferry": curve}, {})
    changed = [name for name, frame in two_ports.tables.items() if not frame.equals(tables[name])]
    assert set(changed) <= {"facilities", "delay_curves", "terminals"}
    for column in ("facility_id", "unit", "other_load", "minimum"):
        assert tables["facilities"][column].equals(two_ports.tables["facilities"][column])


def test_a_configuration_is_known_by_what_is_simulated(two_ports: Corridor) -> None:
    def named(tables: dict[str, pl.DataFrame], level: float = 0.0) -> str:
        return configuration_hash(tables, "strait", "ferry", LOADS, level, FEW)

    tables = dict(two_ports.tables)
    assert named(tables) == named({**tables, "ships": tables["ships"].with_columns(note=pl.lit("other words"))})
    assert named(tables) == configuration_hash(tables, "strait", "ferry", LOADS, 0.0, HandoverOptions(**{**FEW.__dict__, "workers": 2}))
    assert len({named(tables), named(tables, -1.0), named({**tables, "ships": tables["ships"].with_columns(ships_count=pl.lit(3.0))})}) == 3


def test_facilities_of_a_system(two_ports: Corridor) -> None:
    assert simulated_facilities(two_ports.tables, "strait") == ["ferry"]
    assert simulated_facilities(two_ports.tables, "pass") == []
