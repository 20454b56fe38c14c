"""Warm-up, intervals and differences against brute force and hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from karvan.simulation.statistics import Interval, interval, mser5, paired, replications_for, warm_up


def brute(series: np.ndarray) -> int:
    means = series[: len(series) // 5 * 5].reshape(-1, 5).mean(axis=1)
    worth = [means[d:].var() / (len(means) - d) for d in range(len(means) // 2 + 1)]
    return 5 * int(np.argmin(worth))


@pytest.mark.parametrize("seed", range(6))
def test_warm_up_is_what_trying_every_cut_finds(seed: int) -> None:
    chance = np.random.default_rng(seed)
    series = 10.0 * np.exp(-np.arange(400) / (10.0 + 10.0 * seed)) + chance.normal(size=400)
    assert mser5(series) == brute(series)
    assert 0 < mser5(series) < 200


def test_a_short_series_keeps_all() -> None:
    assert mser5(np.arange(19.0)) == 0


def test_a_season_is_no_warm_up() -> None:
    season = 50.0 * np.sin(2.0 * np.pi * np.arange(365) / 365.0)
    chance = np.random.default_rng(1)
    series = np.tile(season, 4) + chance.normal(size=4 * 365)
    assert warm_up(series, season=365) <= 60
    start = series.copy()
    start[:40] -= 30.0
    assert 40 <= warm_up(start, season=365) <= 60


def test_interval_by_hand() -> None:
    found = interval([1.0, 2.0, 3.0])
    # t(0.975, 2) = 4.302653 times 1 / sqrt(3).
    assert (found.mean, found.half_width) == pytest.approx((2.0, 4.302653 / math.sqrt(3.0)), abs=1e-6)
    assert found.holds(4.4)
    assert not found.holds(4.5)
    assert math.isinf(interval([1.0]).half_width)


def test_pairs_take_common_chance_out() -> None:
    chance = np.random.default_rng(2).normal(size=30) * 100.0
    assert paired(chance + 1.0, chance).half_width == pytest.approx(0.0, abs=1e-9)
    assert paired(chance + 1.0, chance).mean == pytest.approx(1.0)


def test_more_replications_are_asked_for_until_the_mean_is_sure() -> None:
    assert replications_for(Interval(2.0, 0.0, 0.6, 10, 0.95), 0.05) == 185
    assert replications_for(Interval(2.0, 0.0, 0.0, 10, 0.95), 0.05) == 10
