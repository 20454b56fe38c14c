"""Margins against closed forms: linear demand, choice with an outside option, a full place."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw

from karvan.errors import ConvergenceError, DataError
from karvan.pricing import Outcome, alliances, bargained, joint_margins, nash_margins, shapley, side_payments, welfare_margins

A, COST = 100.0, 20.0


def linear(members: int, *, capacity: float = np.inf):
    """q = 100 - P with cost 20; a full place earns its rent for nobody."""

    def market(margin: np.ndarray) -> Outcome:
        wanted = max(A - COST - float(margin.sum()), 0.0)
        carried = min(wanted, capacity)
        return Outcome(np.full(members, carried), np.zeros(members), 0.5 * carried**2, is_full=wanted >= capacity * (1.0 - 1e-6))

    return market


def logit(members: int, *, v: float = 3.0):
    """One tonne chooses between the corridor and staying away, theta 1."""

    def market(margin: np.ndarray) -> Outcome:
        weight = np.exp(v - float(margin.sum()))
        share = weight / (1.0 + weight)
        return Outcome(np.full(members, share), np.zeros(members), float(np.log1p(weight)))

    return market


@pytest.mark.parametrize(("members", "share_of_through"), [(1, 1.0), (2, 0.888889), (3, 0.75), (4, 0.64), (5, 0.555556)])
def test_linear_demand_is_marginalised_once_more_by_every_member(members, share_of_through):
    alone = nash_margins(linear(members), members, most_usd_per_t=A)
    through = joint_margins(linear(members), np.ones(members), most_usd_per_t=A)
    volume = 80.0 / (members + 1)
    assert alone.outcome.carried_kt == pytest.approx(np.full(members, volume), abs=1e-5)
    assert alone.profit_kusd.sum() / through.profit_kusd.sum() == pytest.approx(share_of_through, abs=5e-7)
    assert alone.outcome.carried_kt[0] / through.outcome.carried_kt[0] == pytest.approx(2.0 / (members + 1), abs=1e-6)
    assert alone.gain_alone_kusd <= 1e-7 * alone.profit_kusd.sum()


def test_three_members_with_linear_demand():
    alone = nash_margins(linear(3), 3, most_usd_per_t=A)
    assert COST + alone.margin_usd_per_t.sum() == pytest.approx(80.0, abs=1e-5)
    assert alone.profit_kusd.sum() == pytest.approx(1200.0, abs=1e-5)
    assert alone.outcome.surplus_kusd == pytest.approx(200.0, abs=1e-4)
    through = joint_margins(linear(3), np.array([1.0, 2.0, 1.0]), most_usd_per_t=A)
    assert COST + through.margin_usd_per_t.sum() == pytest.approx(60.0, abs=1e-5)
    assert through.margin_usd_per_t == pytest.approx([10.0, 20.0, 10.0], abs=1e-5)
    assert through.outcome.carried_kt[0] == pytest.approx(40.0, abs=1e-5)
    assert (through.profit_kusd.sum(), through.outcome.surplus_kusd) == pytest.approx((1600.0, 800.0), abs=1e-4)
    assert through.gain_alone_kusd > 1.0  # each would rather charge more on its own
    assert bargained(alone.profit_kusd, through.profit_kusd.sum()) == pytest.approx([533.333333] * 3, abs=1e-5)
    best = welfare_margins(linear(3), np.ones(3), most_usd_per_t=A)
    assert best.margin_usd_per_t == pytest.approx([0.0] * 3, abs=1e-6)
    assert best.welfare_kusd == pytest.approx(3200.0, abs=1e-6)
    assert best.welfare_kusd > through.welfare_kusd > alone.welfare_kusd


@pytest.mark.parametrize(("members", "share"), [(3, 0.259242596), (4, 0.152151592)])
def test_choice_with_an_outside_option_by_lambert_w(members, share):
    found = nash_margins(logit(members), members, most_usd_per_t=10.0)
    odds = float(np.real(lambertw(members * np.exp(3.0 - members)))) / members
    assert odds / (1.0 + odds) == pytest.approx(share, abs=5e-10)
    assert found.outcome.carried_kt == pytest.approx(np.full(members, share), abs=1e-6)
    assert found.margin_usd_per_t == pytest.approx(np.full(members, 1.0 / (1.0 - share)), abs=1e-5)


def test_choice_with_one_through_tariff():
    alone = nash_margins(logit(3), 3, most_usd_per_t=10.0)
    assert alone.margin_usd_per_t == pytest.approx([1.349969632] * 3, abs=1e-5)
    assert alone.profit_kusd.sum() == pytest.approx(1.049908895, abs=1e-6)
    through = joint_margins(logit(3), np.ones(3), most_usd_per_t=10.0)
    assert through.outcome.carried_kt[0] == pytest.approx(0.608938967, abs=1e-6)
    assert through.margin_usd_per_t.sum() == pytest.approx(2.557145599, abs=1e-5)
    assert through.profit_kusd.sum() == pytest.approx(1.557145599, abs=1e-9)


def test_two_of_three_who_merge_lose():
    found = alliances(linear(3), 3, most_usd_per_t=A)
    assert [each.members for each in found] == [(0, 1), (0, 2), (1, 2)]
    for each in found:
        assert each.profit_kusd == pytest.approx(711.111111, abs=1e-4)
        assert each.apart_kusd == pytest.approx(800.0, abs=1e-4)
        assert not each.is_stable


def test_a_full_place_leaves_the_split_to_bargaining():
    market = linear(3, capacity=15.0)
    found = nash_margins(market, 3, most_usd_per_t=A)
    assert found.is_split_chosen
    assert found.margin_usd_per_t.sum() == pytest.approx(65.0, abs=1e-4)
    assert found.margin_usd_per_t == pytest.approx([65.0 / 3.0] * 3, abs=1e-3)
    other = nash_margins(market, 3, most_usd_per_t=A, weights=np.array([2.0, 1.0, 1.0]))
    assert other.margin_usd_per_t == pytest.approx([25.0, 20.0, 20.0], abs=1e-3)
    assert other.margin_usd_per_t.min() >= 15.0


def test_a_member_without_a_best_margin_is_told():
    def turning(margin: np.ndarray) -> Outcome:
        """On a clock of ten hours one wants to be where the other is, the other five hours on: nobody ever rests."""
        apart = np.abs(np.array([margin[0] - margin[1], margin[1] - margin[0] - 5.0])) % 10.0
        return Outcome(1.0 / (0.1 + np.minimum(apart, 10.0 - apart) ** 2), np.zeros(2), 0.0)

    with pytest.raises(ConvergenceError, match="would gain"):
        nash_margins(turning, 2, most_usd_per_t=10.0)


def test_shapley_of_unlike_members():
    def value(group: frozenset[int]) -> float:
        return (60.0 if {0, 1} <= group else 0.0) + (30.0 if {0, 1, 2} <= group else 0.0)

    assert shapley(value, 3) == pytest.approx([40.0, 40.0, 10.0], rel=1e-12)


def test_splits_add_up():
    alone = np.array([400.0, 300.0, 100.0])
    agreed = bargained(alone, 1000.0, np.array([1.0, 1.0, 2.0]))
    assert agreed == pytest.approx([450.0, 350.0, 200.0])
    paid = side_payments(np.array([250.0, 250.0, 500.0]), agreed)
    assert paid == pytest.approx([200.0, 100.0, -300.0])
    refused = (
        lambda: bargained(alone, 700.0),
        lambda: bargained(alone, 900.0, np.array([1.0, 0.0, 1.0])),
        lambda: side_payments(alone, agreed),
    )
    for wrong in refused:
        with pytest.raises(DataError):
            wrong()
