"""Pages of an appraisal and of a portfolio in a real browser."""

from __future__ import annotations

from base64 import b64decode

import pytest
from playwright.sync_api import expect

import karvan as kv
from karvan.exchange.workbook import workbook_bytes
from karvan.report import appraisal_screen, plan_screen, render_answer
from karvan.study import AppraisalOptions, PlanOptions, appraise, plan
from tests.study.money_case import money_case
from tests.ui.test_app import axe

SERIES = "(id) => karvan.chartOf(document.getElementById(`chart-${id}`)).getOption().series"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return kv.load_corridor(str(money_case(tmp_path_factory.mktemp("money") / "case", link="rail_east_pass")))


def bars(page, name):
    return [row["data"] for row in page.evaluate(f"({SERIES})('{name}')")]


def test_an_appraisal_adds_up_on_the_page_and_hands_out_its_workbook(open_page, small, tmp_path):
    found = appraise(small, measures=("second_ferry", "faster_track"), how=AppraisalOptions(sample_years=(2030,)))
    book = workbook_bytes(found)
    told = appraisal_screen(found, small, version="0", workbook=book)
    file = tmp_path / "appraisal.html"
    file.write_text(render_answer("appraisal", told, language="ru"), encoding="utf-8")
    page = open_page(file)
    gains, losses = bars(page, "money-parties")
    assert sum(gains) + sum(losses) == pytest.approx(found.npv_musd, abs=0.5)  # parts under 50,000 USD are not drawn
    *parts, net = bars(page, "money-years")
    assert net == pytest.approx(found.flows["net_musd"].to_list(), rel=1e-5)
    assert [sum(row[at] for row in parts) for at in range(len(net))] == pytest.approx(net, abs=0.3)
    alone, last = bars(page, "money-members")
    assert alone == pytest.approx(found.members["npv_alone_musd"].to_list(), rel=1e-5)
    assert last == pytest.approx(found.members["npv_last_musd"].to_list(), rel=1e-5)
    page.locator("#money-traffic summary").click()
    expect(page.locator("#table-money-traffic tbody tr")).to_have_count(found.traffic.height)
    with page.expect_download() as saved:
        page.locator("#money-workbook").click()
    assert saved.value.path().read_bytes() == book == b64decode(told["workbook"])
    assert axe(page) == []
    page.locator("#theme").click()
    assert axe(page) == []


def test_a_portfolio_tells_when_from_which_fund_and_what_comes_next(open_page, small, tmp_path):
    how = PlanOptions(to_year=2030, sample_years=(2030,), count=2)
    found = plan(small, budgets={"tracks": (20.0, True)}, how=how)
    file = tmp_path / "plan.html"
    file.write_text(render_answer("plan", plan_screen(found, small, version="0")), encoding="utf-8")
    page = open_page(file)
    starts, building, _ = bars(page, "plan-timeline")
    assert starts == found.chosen["start_year"].to_list()
    assert building == (found.chosen["open_year"] - found.chosen["start_year"]).to_list()
    spent = bars(page, "plan-budgets")[: found.budgets["fund_id"].n_unique()]
    assert sum(map(sum, spent)) == pytest.approx(found.budgets["spent_musd"].sum(), rel=1e-5)
    first, last = bars(page, "plan-worth")
    assert first == pytest.approx(found.chosen["first_musd"].to_list(), rel=1e-5)
    assert last == pytest.approx(found.chosen["last_musd"].to_list(), rel=1e-5)
    expect(page.locator("#table-plan-next tbody tr")).to_have_count(2)
    expect(page.locator("#table-plan-next tbody tr").first).to_contain_text(f"Second ferry ({starts[0]})")
    expect(page.locator("#table-plan-ranking tbody tr")).to_have_count(found.ranking.height)
    expect(page.locator("#table-plan-objectives tbody tr")).to_have_count(2)
    expect(page.locator("#table-plan-objectives tbody tr").first).to_contain_text(
        f"{found.objectives['fund_musd'][0]:.1f}".replace("-", "−")
    )
    expect(page.locator("#table-plan-bank_of_plan tbody tr")).to_have_count(found.chosen.height)
    return_share = found.bank["err_share"][0]
    expect(page.locator("#table-plan-bank_of_plan tbody tr").first).to_contain_text(f"{100 * return_share:.1f}%")
    assert axe(page) == []


def test_a_portfolio_in_the_full_loop_tells_what_each_answer_changes_and_what_rests_on_estimates(open_page, small, tmp_path):
    how = PlanOptions(to_year=2030, sample_years=(2030,), count=2, has_full=True, has_more=False)
    found = plan(small, budgets={"tracks": (20.0, True)}, how=how)
    file = tmp_path / "plan.html"
    file.write_text(render_answer("plan", plan_screen(found, small, version="0")), encoding="utf-8")
    page = open_page(file)
    row = found.next_best.row(0, named=True)
    cells = page.locator("#table-plan-next tbody tr").first.locator("td")
    told = [row[f"{name}_musd"] for name in ("value", "delays", "trade", "tariffs", "full")]
    expect(cells.nth(0)).to_have_text(f"{told[0]:.1f}")
    expect(cells.nth(2)).to_have_text("–")  # the case has no economies
    expect(cells.nth(3)).to_have_text(f"{told[3]:.1f}")
    expect(page.locator("#table-plan-ventures tbody tr")).to_have_count(2)
    expect(page.locator("#table-plan-ventures tbody tr").first).to_contain_text("estimate of ours")
    assert page.get_by_text("What Mill is worth is an estimate of ours").count() == int(
        "joint_mill" in found.chosen["measure_id"].to_list()
    )
    assert axe(page) == []
