"""`POST /api/energy`: power and crude oil of a year; what it refuses, and what a worker makes of it."""

from __future__ import annotations

import pytest

import karvan as kv
from karvan.web.asked import EnergyAsked
from karvan.web.worker import _TASKS, ENERGY, _Bench
from tests.power.small import add_power

ASKED = {"client": "here", "what": "power", "year": 2024, "scenario": "baseline"}
PLAIN = {
    "with": [], "without": [], "set": [], "overlay": None, "growth": "mid", "capacities": "nominal",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({}, 422, "holds no rows; a power dispatch needs zones"),
        ({"what": "oil"}, 422, "there is no crude oil to tell of"),
        ({"what": "gas"}, 422, "'power' or 'oil'"),
        ({"run_id": "0123456789ab"}, 422, "give a run_id or a scenario"),
    ],
)
def test_what_a_corridor_has_not_and_wrong_questions_are_told(opened, change, status, said):
    answer = opened.client.post("/api/energy", json={**ASKED, **change})
    assert answer.status_code == status
    assert said in answer.text


def test_a_worker_answers_with_the_document_of_the_page(tmp_path):
    folder = add_power(kv.new_corridor(tmp_path / "case"))
    task = {**EnergyAsked(**ASKED).as_task(), "scenario": "baseline", "options": PLAIN}
    told = _TASKS[ENERGY](_Bench(str(folder), tmp_path), task, lambda line: None)
    assert (told["kind"], told["year"]) == ("karvan-power", 2024)
    assert told["called"]["east"] == "East"
    assert "draw" not in told


@pytest.mark.parametrize(("draw", "status"), [(-1, 422), ("storms", 422)])
def test_a_draw_is_the_number_of_a_replication(opened, draw, status):
    answer = opened.client.post("/api/energy", json={**ASKED, "draw": draw})
    assert answer.status_code == status
    assert "draw" in answer.text
