"""`POST /api/trade`: tariffs and trade of a year; what it refuses, and what a worker makes of it."""

from __future__ import annotations

import pytest

from karvan.web.asked import TradeAsked
from karvan.web.worker import _TASKS, TRADE, _Bench

ASKED = {"client": "here", "what": "tariffs", "year": 2024, "scenario": "baseline", "commodity": "grain"}
PLAIN = {
    "with": [], "without": [], "set": [], "overlay": None, "growth": "mid", "capacities": "nominal",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"commodity": "gold"}, "gold"),
        ({"what": "trade"}, "economies"),
        ({"what": "love"}, "'tariffs' or 'trade'"),
        ({"run_id": "0123456789ab"}, "give a run_id or a scenario"),
    ],
)
def test_what_a_corridor_has_not_and_wrong_questions_are_told(opened, change, said):
    answer = opened.client.post("/api/trade", json={**ASKED, **change})
    assert answer.status_code == 422
    assert said in answer.text


def test_a_worker_answers_with_the_document_of_the_page(tmp_path):
    task = {**TradeAsked(**ASKED).as_task(), "scenario": "baseline", "options": PLAIN}
    told = _TASKS[TRADE](_Bench("two-ports", tmp_path), task, lambda line: None)
    assert (told["kind"], told["corridor"], told["called"]["sea"]) == ("karvan-tariffs", "two-ports", "Sea Land")
    assert {row["year"] for row in told["regimes"]} == {2024}
