"""`POST /api/routes`: what `karvan route` says, in the state of a run or of a scenario."""

from __future__ import annotations

import datetime
import os
import signal

import pytest

from karvan.routing.limits import Cargo
from karvan.study import ShippingDesk
from karvan.study.options import ScenarioOptions
from karvan.study.user_quotes import quotes_of
from karvan.web.shipping import Shipping
from tests.web.conftest import until

ASKED = {"origin": "east_port", "destination": "West Port", "commodity": "wheat", "depart": "2026-03-01"}
SHUT = "permissions.pass_closed_to_grain.in_force=true"


@pytest.fixture(scope="module")
def shut_run(opened):
    return opened.run(name="pass shut", set=[SHUT])


def test_an_answer_is_that_of_the_model_with_what_a_map_needs(opened, two_ports):
    told = opened.client.post("/api/routes", json={**ASKED, "deadline": "2026-03-09"}).json()
    answer = ShippingDesk(two_ports).answer(
        "east_port", "west_port", commodity="wheat", depart=datetime.date(2026, 3, 1), deadline=datetime.date(2026, 3, 9)
    )
    expected = answer.as_dict()
    assert {key: told[key] for key in expected if key not in ("options", "rejected")} == {
        key: value for key, value in expected.items() if key not in ("options", "rejected")
    }
    assert [{**option, "profile": None} for option in told["options"]] == [{**option, "profile": None} for option in expected["options"]]
    assert told["scenario"] == two_ports.manifest.baseline
    places = {place["place_id"] for place in told["places"]}
    links = {link["link_id"]: link for link in told["links"]}
    for option in told["options"]:
        assert {link for leg in option["legs"] for link in leg["links"]} <= set(links)
    assert {link[end] for link in links.values() for end in ("from_place", "to_place")} <= places
    assert told["seconds"] > 0


def test_a_refusal_in_the_state_of_a_run_names_rule_and_source(opened, shut_run):
    told = opened.client.post("/api/routes", json={**ASKED, "run_id": shut_run, "avoid": ["sea_east_west"]}).json()
    assert (told["answer"], told["options"], told["run_id"]) == ("refused", [], shut_run)
    (refused,) = told["rejected"]
    assert refused["rules"][0]["rule"].startswith("Grain may not cross the High Pass")
    assert refused["rules"][0]["source"] == "teaching"
    assert refused["opens"]["profile"][-1]["distance_km"] == refused["opens"]["length_km"]
    free = opened.client.post("/api/routes", json={**ASKED, "avoid": ["sea_east_west"]}).json()
    assert free["answer"] == "allowed"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"origin": "atlantis"}, 422, "atlantis names no row"),
        ({"destination": "east_port"}, 422, "same place"),
        ({"deadline": "2026-02-01"}, 422, "must not be before the departure"),
        ({"year": 2026}, 422, "either a year or a day"),
        ({"depart": "soon"}, 422, "date"),
        ({"via": ["x"] * 21}, 422, "20"),
        ({"max_options": 99}, 422, "12"),
        ({"scenario": "agreed", "run_id": "0" * 12}, 422, "not both"),
        ({"run_id": "0" * 12}, 404, "no run"),
        ({"scenario": "no_such"}, 422, "no_such"),
        ({"origin": "a\x00b"}, 422, "pattern"),
        ({"tonnes": -1}, 422, "must be above zero"),
        ({"hazard_class": "11"}, 422, "pattern"),
        ({"carrier": "Turkey"}, 422, "pattern"),
        ({"quotes": "/etc/passwd"}, 422, "must be there"),
        ({"quotes": "operator_id,basis,rate\nnobody,usd_per_t,7\n"}, 422, "nobody is not known"),
        ({"quotes": "x" * 48_001}, 422, "48000"),
        ({"scarcity": "price"}, 422, "scarcity_needs_run"),
        ({"gauge": 1520}, 422, "unknown key"),
    ],
)
def test_what_makes_no_sense_is_refused(opened, change, status, said):
    refused = opened.client.post("/api/routes", json={**ASKED, **change})
    assert refused.status_code == status
    assert said in str(refused.json()["problems"])


SHIPMENT = {"tonnes": 300.0, "value_usd_per_t": 900.0, "unit_t": 60.0, "carrier": "TR"}


def test_cargo_and_own_rates_count_as_on_the_command_line(opened, two_ports):
    quotes = "operator_id,basis,rate\nsea_line,usd_per_t,7\n"
    told = opened.client.post("/api/routes", json={**ASKED, **SHIPMENT, "quotes": quotes}).json()
    desk = ShippingDesk(two_ports, quotes=quotes_of(quotes.encode(), two_ports))
    asked = {"commodity": "wheat", "depart": datetime.date(2026, 3, 1)}
    expected = desk.answer("east_port", "west_port", **asked, cargo=Cargo(**SHIPMENT)).as_dict()
    plain = ShippingDesk(two_ports).answer("east_port", "west_port", **asked).as_dict()
    assert [option["cost_usd_per_t"] for option in told["options"]] == [option["cost_usd_per_t"] for option in expected["options"]]
    assert told["cargo"] == expected["cargo"] == SHIPMENT
    assert [option["cost_usd_per_t"] for option in expected["options"]] != [option["cost_usd_per_t"] for option in plain["options"]]


def test_full_places_of_a_run_are_paid_for_or_waited_for(opened, plain_run):
    told = {
        regime: opened.client.post("/api/routes", json={**ASKED, "run_id": plain_run, "scarcity": regime}).json()
        for regime in (None, "price", "queue")
    }
    assert [answer["run"] and answer["run"]["regime"] for answer in told.values()] == [None, "price", "queue"]
    assert told["price"]["run"]["run_id"] == plain_run


def test_it_needs_the_token(opened):
    assert opened.client.post("/api/routes", json=ASKED, headers={"X-Karvan-Token": "no"}).status_code == 401


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_its_worker_is_replaced(fresh):
    assert fresh.client.post("/api/routes", json=ASKED).status_code == 200
    os.kill(fresh.server.shipping._worker.pid, signal.SIGKILL)
    until(lambda: fresh.client.post("/api/routes", json=ASKED).status_code == 200)


def test_desks_and_their_days_are_few(two_ports, monkeypatch):
    monkeypatch.setattr("karvan.web.shipping._MOST_DAYS", 2)
    shipping = Shipping(two_ports)
    task = {**ASKED, "scenario": "agreed", "year": None, "deadline": None, "max_options": 5, "avoid": [], "via": []}
    task |= {"cargo": {}, "quotes": None, "scarcity": None, "scarcity_run": None}
    kept = []
    for day in range(1, 7):
        shipping.answer({**task, "depart": f"2026-03-0{day}"}, ScenarioOptions())
        kept += list(shipping._kept.values())
        assert max(len(each.days) for each in shipping._kept.values()) <= 2
    assert len({id(each) for each in kept}) == 3
    for scenario in ("agreed", "baseline"):
        for measures in ((), ("bigger_ferry",)):
            shipping.answer({**task, "scenario": scenario}, ScenarioOptions(without_measures=() if scenario == "baseline" else measures))
    assert len(shipping._kept) <= 3
