"""Trucks on roads that fill: link times handed to the market, and the market's flows back to the roads."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import karvan as kv
from karvan.corridor import Corridor
from tests.study.edits import with_rows, with_values

PAYLOAD_T, EQUIVALENTS = 20.0, 2.5
EMPTY_H = {"north": 20.0, "south": 30.0}
ROOM_K = {"north": 900.0, "south": 1100.0}


def with_roads(corridor: Corridor) -> Corridor:
    """Two ports with two roads for trucks of 20 t, 2.5 cars each, in place of the railway; an hour of a tonne is worth 1 USD."""
    corridor = with_values(corridor, links__rail_east_pass__is_open="false", links__rail_pass_west__is_open="false")
    corridor = with_values(corridor, tariffs__sea_bulk__rate="400")
    corridor = with_values(corridor, commodities__grain__time_value_factor=str(24.0 * 365.0 / 25.0))
    corridor = with_rows(corridor, "modes", {"mode": "road", "loading_unit": "truck", "time_sd_share": 0.0})
    corridor = with_rows(corridor, "commodity_units", {"loading_unit": "truck", "payload_t_per_unit": PAYLOAD_T})
    corridor = with_rows(corridor, "operators", {"operator_id": "hauliers", "name": "Hauliers"})
    tariff = {"tariff_id": "trucks", "operator_id": "hauliers", "loading_unit": "truck", "basis": "usd_per_t", "rate": 100.0}
    corridor = with_rows(corridor, "tariffs", tariff)
    for name, hours in EMPTY_H.items():
        road, section = f"road_{name}", f"section_{name}"
        link = {"link_id": road, "mode": "road", "length_km": 1000.0, "time_h": hours, "operator_id": "hauliers"}
        corridor = with_rows(corridor, "links", link)
        facility = {"facility_id": section, "name": section, "kind": "road_section", "operator_id": "hauliers", "unit": "kvehicles"}
        corridor = with_rows(corridor, "facilities", facility | {"nominal": ROOM_K[name]})
        use = {"use_id": section, "facility_id": section, "link_id": road, "loading_unit": "truck", "weight_factor": EQUIVALENTS}
        corridor = with_rows(corridor, "facility_uses", use)
        curve = {"facility_id": section, "free_time_h": hours, "delay_factor": 4.0, "power": 4.0, "reference_use_share": 0.0}
        corridor = with_rows(corridor, "road_curves", curve)
    return corridor


@pytest.fixture(scope="module")
def roads():
    return with_roads(kv.load_corridor("two-ports"))


def cleared(corridor: Corridor):
    scenario = kv.load_scenario("baseline", corridor)
    return kv.clear(kv.apply(scenario, corridor, year=2024))


def section(found, name: str, column: str) -> float:
    facilities = found.routed.snapshot.tables["facilities"]["facility_id"].to_list()
    at = facilities.index(f"section_{name}")
    return float({"use": found.clearing.row_flow, "delay": found.delay_h}[column][at])


def test_delays_are_those_of_the_flows_that_they_bring_about(roads) -> None:
    found = cleared(roads)
    assert found.is_settled
    for name, hours in EMPTY_H.items():
        share = section(found, name, "use") / ROOM_K[name]
        assert 0.1 < share < 1.0
        assert section(found, name, "delay") == pytest.approx(hours * 4.0 * share**4, rel=2e-3)  # the loop's tolerance, twice
    delays = kv.clear(kv.apply(kv.load_scenario("baseline", roads), roads, year=2024), market=kv.Market(has_delays=False))
    assert section(delays, "north", "use") > section(found, "north", "use") * 1.05


def test_sharp_choice_is_the_user_equilibrium_of_the_roads(roads) -> None:
    """With a theta of 0.5 per USD/t the market's split is nearly Wardrop's: both roads take as long as the engine of roads says."""
    sharp = with_values(roads, commodities__grain__route_theta_per_usd_per_t="0.5")
    found = cleared(sharp)
    use = np.array([section(found, name, "use") for name in EMPTY_H])
    links = pl.DataFrame(
        {
            "from_node": [1, 1],
            "to_node": [2, 2],
            "free_time": list(EMPTY_H.values()),
            "capacity": list(ROOM_K.values()),
            "factor": [4.0, 4.0],
            "power": [4.0, 4.0],
        }
    )
    trucks = float(use.sum()) / EQUIVALENTS
    trips = pl.DataFrame({"origin": [1], "destination": [2], "trips": [trucks]})
    traffic = kv.TrafficClass("trucks", trips, unit_equivalent=EQUIVALENTS)
    by_roads = kv.equilibrium(kv.road_network(links, zones=[1, 2]), traffic)
    assert use == pytest.approx(by_roads.volume, rel=2e-3)  # what a logit leaves, see below
    times = np.array([hours + section(found, name, "delay") for name, hours in EMPTY_H.items()])
    # A logit leaves ln(ratio of shares) / theta between them, 0.12 h; the delays are sought to a thousandth of 20 h.
    assert times[0] - times[1] == pytest.approx(-np.log(use[0] / use[1]) / 0.5, abs=0.04)


@pytest.mark.parametrize("theta", ["1", "5"])
def test_a_road_that_is_the_best_only_once_the_other_is_full_enters(roads, theta) -> None:
    """At rest nobody would take it, with delays everybody would: it is new and the cheapest of its family at once."""
    found = cleared(with_values(roads, commodities__grain__route_theta_per_usd_per_t=theta))
    assert found.routed.sets.route_count == 3
    assert section(found, "south", "use") > 500.0
    assert found.route_gap <= 1e-3


def test_cars_beside_the_trucks_slow_them(roads) -> None:
    full = with_values(roads, facilities__section_north__other_load="400")
    assert section(cleared(full), "north", "use") < section(cleared(roads), "north", "use")
    share = (section(cleared(full), "north", "use") + 400.0) / ROOM_K["north"]
    assert section(cleared(full), "north", "delay") == pytest.approx(EMPTY_H["north"] * 4.0 * share**4, rel=2e-3)


def test_a_run_with_roads_is_checked_by_code_that_shares_nothing_with_it(roads, tmp_path) -> None:
    """A run is checked before it is written; a delay that is not by its curve would be refused."""
    run = kv.run(roads, scenario="agreed", years=(2024, 2025), out=tmp_path / "run")
    assert (tmp_path / "run" / "report.json").is_file()
    assert run.report["years"][0]["is_settled"]
