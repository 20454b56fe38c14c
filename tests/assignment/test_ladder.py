"""Ladders on the three rows in series of the methods: ferry 6, berth 7, rail 8.5."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.assignment.ladder import Rung, ladders
from karvan.assignment.market import clear, flows_at, scaled, with_capacity
from karvan.errors import DataError
from tests.assignment.market_cases import Route, one_nest, program, random_program, two_routes

FREE_SHARE = 0.7310585786300049
FIRST = np.array([1.0, 0.0])
EVERY = np.array([True])


def as_is_ladder(*program: object, target_kt: float) -> list[Rung]:
    return ladders(*program, target_kt=target_kt)[0]


def relieved_ladder(*program: object, target_kt: float) -> list[Rung]:
    return ladders(*program, target_kt=target_kt)[1]


def test_relieved_ladder_of_three_rows_in_series() -> None:
    rungs = relieved_ladder(two_routes(1.0, [6.0, 7.0, 8.5]), EVERY, FIRST, target_kt=12.0 * FREE_SHARE)
    assert [rung.row for rung in rungs] == [0, 1, 2]
    assert [rung.next_row for rung in rungs] == [1, 2, None]
    assert [rung.market_scale for rung in rungs] == pytest.approx([8.207276647, 9.575156088, 11.626975250], abs=6e-10, rel=1e-9)
    assert [rung.price_usd_per_unit for rung in rungs] == pytest.approx([20.0, 13.270555, 2.253936], abs=6e-7)
    assert [rung.gain_kusd for rung in rungs] == pytest.approx([16.651061, 11.866557, 0.309865], abs=6e-7)
    assert [rung.latent_kt for rung in rungs] == pytest.approx([6.0, 7.0, 8.5], rel=1e-9)
    assert [rung.realised_kt for rung in rungs] == pytest.approx([6.0, 7.0, 8.5], rel=1e-6)
    assert [rung.gain_kt for rung in rungs] == pytest.approx([1.0, 1.5, 12.0 * FREE_SHARE - 8.5], rel=1e-6)


def test_relief_out_of_order_gains_nothing() -> None:
    problem = two_routes(12.0, [6.0, 7.0, 8.5])
    assert clear(with_capacity(problem, np.array([6.0, np.inf, 8.5]))).welfare_kusd == pytest.approx(clear(problem).welfare_kusd, rel=1e-12)
    rungs = relieved_ladder(two_routes(1.0, [6.0, 7.0, 8.5]), EVERY, FIRST, target_kt=12.0 * FREE_SHARE)
    assert [rung.is_alone_useless for rung in rungs] == [False, True, True]


def test_equal_rows_in_series_are_useless_alone() -> None:
    rungs = relieved_ladder(two_routes(1.0, [6.0, 6.0]), EVERY, FIRST, target_kt=12.0 * FREE_SHARE)
    assert [rung.is_alone_useless for rung in rungs] == [True, True]


def test_as_is_ladder_finds_only_the_first_of_the_series() -> None:
    rungs = as_is_ladder(two_routes(1.0, [6.0, 7.0, 8.5]), EVERY, FIRST, target_kt=12.0 * FREE_SHARE)
    assert [rung.row for rung in rungs] == [0]
    assert rungs[0].market_scale == pytest.approx(8.207276647, abs=1e-4)  # scales are located to 1e-4
    assert rungs[0].price_usd_per_unit == pytest.approx(20.0, rel=1e-6)
    assert rungs[0].gain_kt == pytest.approx(1.0, rel=1e-6)
    assert rungs[0].next_row == 1
    assert not rungs[0].is_alone_useless


def test_rows_full_from_the_start_stand_at_scale_one() -> None:
    problem = two_routes(10.0, [6.0, 7.0, 8.5])
    relieved = relieved_ladder(problem, EVERY, FIRST, target_kt=12.0 * FREE_SHARE)
    assert [rung.market_scale for rung in relieved] == pytest.approx([1.0, 1.0, 1.162697525], abs=1e-9)
    assert relieved[0].realised_kt == pytest.approx(6.0, rel=1e-6)
    assert relieved[0].latent_kt == pytest.approx(7.310585786, rel=1e-9)
    assert as_is_ladder(problem, EVERY, FIRST, target_kt=12.0 * FREE_SHARE)[0].market_scale == 1.0


def test_rows_beside_each_other_bind_one_after_the_other() -> None:
    market = one_nest([Route(100.0, {0: 1.0}), Route(105.0, {1: 1.0}), Route(130.0)], 0.05, 10.0)
    problem = program([market], [6.0, 7.5])
    cordon = np.array([1.0, 1.0, 0.0])
    rungs = as_is_ladder(problem, EVERY, cordon, target_kt=2.5 * float(cordon @ flows_at(problem, np.zeros(2)).route_flow_kt))
    assert [rung.row for rung in rungs] == [0, 1]
    for rung in rungs:
        just_before, just_after = (
            clear(scaled(problem, rung.market_scale + step)).row_price_usd_per_unit[rung.row] for step in (-1.1e-4, 1e-6)
        )
        assert just_before <= 1e-6 < just_after


@pytest.mark.parametrize("seed", range(4))
def test_every_row_priced_at_the_target_is_a_rung(seed: int) -> None:
    problem = random_program(seed, tightness=1.2)
    scales = np.arange(6) < 4
    cordon = (np.diff(problem.route_first_entry) > 0) * 1.0
    growing = np.where(scales, 3.0, 1.0)
    target = float(cordon @ flows_at(scaled(problem, growing), np.zeros(6)).route_flow_kt)
    at_target = clear(scaled(problem, growing))
    rungs = as_is_ladder(problem, scales, cordon, target_kt=target)
    assert {rung.row for rung in rungs} == set(np.flatnonzero(at_target.row_price_usd_per_unit > 1e-6))
    for rung in rungs:
        assert rung.price_usd_per_unit == pytest.approx(at_target.row_price_usd_per_unit[rung.row], rel=1e-6)
        assert 1.0 <= rung.market_scale <= 3.0 + 1e-9
        assert rung.gain_kusd >= -1e-9 * abs(at_target.welfare_kusd)


@pytest.mark.parametrize("seed", range(4))
def test_relief_of_every_rung_reaches_the_target(seed: int) -> None:
    problem = random_program(seed, tightness=1.2)
    cordon = (np.diff(problem.route_first_entry) > 0) * 1.0
    target = 2.0 * float(cordon @ flows_at(problem, np.zeros(6)).route_flow_kt)
    rungs = relieved_ladder(problem, np.ones(6, dtype=np.bool_), cordon, target_kt=target)
    standing = clear(scaled(problem, 2.0))
    gained = sum(rung.gain_kt for rung in rungs)
    assert float(cordon @ standing.route_flow_kt) + gained == pytest.approx(target, rel=1e-7)
    scales = [rung.market_scale for rung in rungs]
    assert scales == sorted(scales)


def test_threads_change_no_digit() -> None:
    problem = random_program(1, tightness=1.2)
    cordon = (np.diff(problem.route_first_entry) > 0) * 1.0
    target = 2.0 * float(cordon @ flows_at(problem, np.zeros(6)).route_flow_kt)
    one, two = (ladders(problem, np.ones(6, dtype=np.bool_), cordon, target_kt=target, threads=threads) for threads in (1, 2))
    told = [
        [[(rung.row, rung.market_scale, rung.price_usd_per_unit, rung.gain_kusd) for rung in rungs] for rungs in both]
        for both in (one, two)
    ]
    assert told[0] == told[1]
    assert one[0]
    assert one[1]


def test_targets_out_of_reach() -> None:
    problem = two_routes(10.0, [6.0])
    with pytest.raises(DataError, match="must be at least"):
        relieved_ladder(problem, EVERY, FIRST, target_kt=5.0)
    with pytest.raises(DataError, match="no growing market"):
        as_is_ladder(problem, np.array([False]), FIRST, target_kt=50.0)
