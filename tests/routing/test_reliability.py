from __future__ import annotations

import math

import numpy as np
import pytest

from karvan.routing import TransitTime


def test_quantiles_of_a_lognormal_worked_by_hand():
    """Mean e^0.5 and variance (e - 1) e make mu 0 and sigma 1: the median is 1, and 95 in 100 stay below e^1.644854."""
    transit = TransitTime(math.exp(0.5), (math.e - 1.0) * math.e)
    assert transit.quantile_h(0.5) == pytest.approx(1.0, rel=1e-12)
    assert transit.quantile_h(0.95) == pytest.approx(math.exp(1.6448536269514722), rel=1e-9)
    assert transit.on_time_share(math.exp(1.6448536269514722)) == pytest.approx(0.95, abs=1e-9)


@pytest.mark.parametrize(("mean", "sd"), [(100.0, 10.0), (400.0, 90.0), (40.0, 40.0)])
def test_moments_are_those_given(mean, sd):
    transit = TransitTime(mean, sd**2)
    shares = (np.arange(20_000) + 0.5) / 20_000
    hours = np.array([transit.quantile_h(float(share)) for share in shares])
    assert hours.mean() == pytest.approx(mean, rel=2e-3)  # a sum over quantiles misses some of the tail
    assert hours.std() == pytest.approx(sd, rel=3e-2)


def test_percentiles_are_near_those_of_a_sum_of_skewed_legs():
    """Six gamma legs, one with most of the spread: P50, P80 and P95 of the sum within 3% of a simulation."""
    rng = np.random.default_rng(5)
    means, sds = np.array([60.0, 24.0, 72.0, 30.0, 18.0, 40.0]), np.array([9.0, 12.0, 40.0, 6.0, 10.0, 8.0])
    shape, scale = (means / sds) ** 2, sds**2 / means
    total = rng.gamma(shape, scale, size=(100_000, 6)).sum(axis=1)
    transit = TransitTime(float(means.sum()), float((sds**2).sum()))
    for share in (0.5, 0.8, 0.95):
        assert transit.quantile_h(share) == pytest.approx(float(np.quantile(total, share)), rel=0.03)
    assert transit.on_time_share(280.0) == pytest.approx(float((total <= 280.0).mean()), abs=0.02)


def test_a_time_without_spread_is_certain():
    transit = TransitTime(10.0, 0.0)
    assert transit.quantile_h(0.95) == 10.0
    assert [transit.on_time_share(hours) for hours in (0.0, 9.9, 10.0)] == [0.0, 0.0, 1.0]
