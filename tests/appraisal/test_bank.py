"""Tables of a bank, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.appraisal.bank import (
    Loan,
    Works,
    debt_cover,
    flows_of,
    grant_to_hurdle,
    later,
    nash_split,
    ramped,
    spending,
    usual_tests,
    worth_of,
)


def works(**changes):
    made = {
        "measure_id": "a", "title": "A", "capital_musd": 100.0, "low_musd": 80.0, "high_musd": 150.0, "running_musd_per_year": 2.0,
        "open_year": 2028, "last_build_year": 2027, "build_year_count": 2, "life_year_count": 5, "overrun_share": 0.4,
        "overrun_high_share": 0.6, "delay_share": 0.5, "delay_high_share": 1.0, "is_estimate": True,
    }  # fmt: skip
    return Works(**{**made, **changes})


def test_building_upkeep_renewal_and_what_is_left():
    found = spending(works(), 2026, 10, capital_ratio=0.9, running_ratio=0.5)
    assert found.capital.tolist() == [45, 45, 0, 0, 0, 0, 0, 90, 0, 0]  # renewed after five years
    assert found.running.tolist() == [0, 0, *[1.0] * 8]
    assert found.residual.tolist() == [*[0] * 9, pytest.approx(90 * 2 / 5)]  # three of five years are used in 2033, 2034, 2035


def test_what_was_built_before_the_first_year_is_spent_in_it():
    assert spending(works(), 2027, 2).capital.tolist() == [100, 0]
    assert spending(works(), 2030, 2).capital.tolist() == [100, 0]


def test_the_standard_annuity():
    flows = flows_of(
        [works(build_year_count=1, last_build_year=2024, open_year=2024, life_year_count=21, running_musd_per_year=0.0)],
        np.append(0.0, np.full(20, 12.0)), 2024,
    )  # fmt: skip
    found = worth_of(flows, 0.08, first_full_year=2025)
    assert found.npv_musd == pytest.approx(17.817768889, rel=1e-9)
    assert found.err_share == pytest.approx(0.103156146, abs=1e-9)
    assert found.bcr_ratio == pytest.approx(1.178177689, rel=1e-9)
    assert found.first_year_share == pytest.approx(12.0 / 108.0)
    assert found.payback_year_count == 9
    assert found.switching == {"benefits": pytest.approx(1 / 1.178177689), "costs": pytest.approx(1.178177689)}


def test_the_usual_tests():
    benefit = np.array([0, 0, 10.0, 10, 10, 10, 10, 10])
    found = usual_tests([works()], benefit, 2026, capital_ratio=1.0, running_ratio=1.0)
    assert found["as_stated"].capital.tolist() == [50, 50, 0, 0, 0, 0, 0, 100]
    assert found["cost_up_20"].capital.sum() == pytest.approx(240)
    assert found["benefits_down_20"].benefit.tolist() == (0.8 * benefit).tolist()
    assert found["two_years_late"].benefit.tolist() == [0, 0, 0, 0, 10, 10, 10, 10]
    assert found["slow_ramp_up"].benefit.tolist() == [0, 0, 2.5, 5, 7.5, 10, 10, 10]
    assert found["all_together"].benefit.tolist() == pytest.approx([0, 0, 0, 0, 2, 4, 6, 8])
    assert found["class_mean"].capital.sum() == pytest.approx(280)
    assert found["class_mean"].benefit.tolist() == [0, 0, 0, 10, 10, 10, 10, 10]  # half of two years of building late
    assert found["class_p80"].benefit.tolist() == [0, 0, 0, 0, 10, 10, 10, 10]
    assert found["cost_low"].capital.sum() == pytest.approx(160)
    assert found["class_delay"].benefit.tolist() == found["class_p80"].benefit.tolist()  # as late, at the cost stated
    assert found["class_delay"].capital.sum() == pytest.approx(200)
    assert found["cost_high"].capital.sum() == pytest.approx(300)


def test_later_and_ramped_keep_to_the_period():
    assert later(np.array([1.0, 2.0]), 5).tolist() == [0, 0]
    assert ramped(np.array([8.0, 8.0]), 1).tolist() == [8, 2]


def test_debt_cover_is_the_worst_year_over_the_yearly_sum():
    loan = Loan(share=0.5, rate=0.05, years=2)
    owed = 50.0 / (1 / 1.05 + 1 / 1.05**2)
    assert debt_cover(np.array([0, 40.0, 30.0, 1.0]), 100.0, loan, 1) == pytest.approx(30.0 / owed)
    assert debt_cover(np.array([0, 40.0]), 0.0, loan, 1) is None
    assert debt_cover(np.array([0, 40.0, 30.0]), 100.0, Loan(0.5, 0.0, 2), 1) == pytest.approx(30.0 / 25.0)


def test_a_grant_lifts_the_return_to_the_hurdle():
    flows = np.array([-100.0, 60.0, 50.0])
    grant = grant_to_hurdle(flows, 0.1)
    assert grant == pytest.approx(100.0 - 60 / 1.1 - 50 / 1.21)
    assert grant_to_hurdle(flows + np.array([grant, 0.0, 0.0]), 0.1) == pytest.approx(0.0, abs=1e-12)


def test_partners_share_equally_what_they_gain_together():
    net, paid = nash_split(np.array([100.0, 10.0]), np.array([30.0, 30.0]))
    assert net.tolist() == [25.0, 25.0]
    assert paid.tolist() == [-45.0, 45.0]
