"""`POST /api/money`: an appraisal or a portfolio; what it refuses, how far it is, and what a worker makes of it."""

from __future__ import annotations

import pytest

import karvan as kv
from karvan.web.asked import MoneyAsked
from karvan.web.worker import _TASKS, MONEY, _Bench
from tests.study.money_case import money_case

ASKED = {"client": "here", "what": "appraisal", "measures": ["second_ferry"], "has_members": False}
PLAIN = {"with": [], "without": [], "set": [], "overlay": None, "growth": "mid", "capacities": "nominal"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measures": []}, "at least one measure"),
        ({"measures": ["../../etc/passwd.yaml"]}, "measures"),
        ({"what": "plan", "measures": []}, "evaluation_years"),
        ({"what": "plan", "budgets_musd_per_year": {"tracks": -1}}, "budgets_musd_per_year"),
        ({"what": "wealth"}, "'appraisal' or 'plan'"),
        ({"run_id": "0123456789ab", "scenario": "baseline"}, "give a run_id or a scenario"),
    ],
)
def test_wrong_questions_are_told(opened, change, said):
    answer = opened.client.post("/api/money", json={**ASKED, **change})
    assert answer.status_code == 422
    assert said in answer.text


def test_who_asked_for_nothing_waits_for_nothing(opened):
    assert opened.client.get("/api/money/here").json() == {"state": "none", "step": ""}
    assert opened.client.delete("/api/money/here").status_code == 404


def test_a_worker_answers_with_the_documents_of_the_pages(tmp_path):
    folder = money_case(tmp_path / "case", link="rail_east_pass")
    bench, lines = _Bench(str(folder), str(tmp_path)), []
    asked = MoneyAsked(**ASKED, to_year=2028, budgets_musd_per_year={"tracks": 20.0})
    told = _TASKS[MONEY](bench, {**asked.as_task(), "scenario": "baseline", "options": PLAIN}, lines.append)
    assert (told["kind"], told["measure_ids"], told["members"]) == ("karvan-appraisal", ["second_ferry"], [])
    assert sum(row["npv_musd"] for row in told["parties"]) == pytest.approx(told["npv_musd"], rel=1e-4)
    assert told["called"]["second_ferry"] == "Second ferry"
    assert told["workbook"]
    assert lines
    fuller = asked.model_copy(update={"has_full": True}).as_task()
    told = _TASKS[MONEY](bench, {**fuller, "scenario": "baseline", "options": PLAIN}, lines.append)
    assert told["answers"] == ["tariffs"]
    chosen = asked.model_copy(update={"what": "plan", "has_full": True}).as_task()
    told = _TASKS[MONEY](bench, {**chosen, "scenario": "baseline", "options": PLAIN}, lines.append)
    assert (told["kind"], told["to_year"], told["full_answers"]) == ("karvan-plan", 2028, ["delays", "tariffs"])
    assert {row["budget_musd"] for row in told["budgets"] if row["fund_id"] == "tracks"} >= {20.0}
    assert kv.__version__ == told["version"]
