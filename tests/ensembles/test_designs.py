import numpy as np
import pytest

from karvan.ensembles.designs import design, morris_indices, sobol_indices
from karvan.ensembles.indices import chance_share, first_order, full_information, one_after_another, partial_information
from karvan.ensembles.prim import failure_box
from karvan.ensembles.regret import regret_of
from karvan.ensembles.stopping import checkpoints, interval, runs_for, share_interval, until_of
from karvan.errors import DataError

S1, ST = (0.313905, 0.442411, 0.0), (0.557589, 0.442411, 0.243684)
"""Of Ishigami's function with a 7 and b 0.1; Homma & Saltelli (1996)."""


def _ishigami(points):
    x = (2 * points - 1) * np.pi
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_sobol_indices_of_ishigami():
    wanted = design("indices", 3, 5_200)
    assert wanted.count == 1024 * 5
    outcome = _ishigami(wanted.points())
    found = sobol_indices(wanted, outcome)
    assert found["S1"] == pytest.approx(S1, abs=0.02)
    assert found["ST"] == pytest.approx(ST, abs=0.02)
    plain = _ishigami(design("sobol", 3, 8192).points())
    assert plain.var() == pytest.approx(13.844588, rel=0.02)


def test_chance_alone_seldom_gives_more_than_it_is_said_to_give():
    random = np.random.default_rng(7)
    count, dimensions, times = 64, 100, 40
    limit = chance_share(count, dimensions)
    most = [first_order(random.random((count, dimensions)), random.normal(size=count)).max() for _ in range(times)]
    assert np.mean(np.array(most) > limit) <= 0.125  # 5 in 100 are expected
    assert max(most) > 0.6 * limit
    assert chance_share(1024, dimensions) < 0.5 * limit
    assert chance_share(2, 5) == 1.0


def test_in_few_futures_a_driver_is_not_told_of_dimensions_that_look_like_it():
    """Points of 400 dimensions of a Sobol sequence look alike in 256 futures: by itself, many a dimension seems to explain something."""
    points = design("sobol", 400, 256).points()
    outcome = 3.0 * points[:, 300] - 2.0 * points[:, 7] + 0.3 * np.random.default_rng(3).normal(size=256)
    alone = first_order(points, outcome)
    assert (alone > chance_share(256, 400)).sum() > 2
    found, by_chance = one_after_another(points, outcome)
    assert np.flatnonzero(found).tolist() == [7, 300]
    assert found[300] > found[7] > by_chance
    variance = np.var(outcome)
    assert found[[300, 7]] == pytest.approx([9.0 / 12.0 / variance, 4.0 / 12.0 / variance], abs=0.1)
    assert found.sum() <= 1.0
    assert one_after_another(points, np.ones(256))[0].tolist() == [0.0] * 400
    assert one_after_another(points[:3], outcome[:3])[1] == 1.0


def test_first_order_indices_come_from_any_sample():
    points = design("sobol", 3, 4096).points()
    assert first_order(points, _ishigami(points)) == pytest.approx(S1, abs=0.02)
    assert first_order(points, np.ones(4096)).tolist() == [0, 0, 0]


def test_chance_alone_drives_nothing():
    points = design("sobol", 40, 1024).points()
    noise = np.random.default_rng(1).standard_normal(1024)
    assert first_order(points, noise).max() < 0.05


def test_a_latin_hypercube_has_one_point_in_every_stratum_of_every_dimension():
    points = design("lhs", 5, 50, seed=3).points()
    for dimension in range(5):
        assert sorted(np.floor(points[:, dimension] * 50)) == list(range(50))


def test_a_point_depends_on_its_number_alone():
    few, many = design("sobol", 7, 10, seed=4), design("sobol", 7, 1000, seed=4)
    assert few.point(9).tolist() == many.point(9).tolist() == many.points()[9].tolist()
    assert many.point(777).tolist() == many.points()[777].tolist()
    assert many.point(5).tolist() != design("sobol", 7, 1000, seed=5).point(5).tolist()


def test_morris_takes_whole_trajectories_and_ranks():
    wanted = design("morris", 10, 230)
    assert wanted.count == 220
    points = wanted.points()
    found = morris_indices(wanted, 5 * points[:, 2] + points[:, 7])
    assert found["mu_star"][2] == pytest.approx(5)
    assert np.argsort(found["mu_star"])[-2:].tolist() == [7, 2]


def test_too_few_futures_for_a_design_are_refused():
    with pytest.raises(DataError, match="needs 22 futures"):
        design("morris", 10, 20)
    with pytest.raises(DataError, match="must be one of"):
        design("grid", 3, 10)


def test_regret_of_the_textbook_table():
    found = regret_of(np.array([[10.0, 4, 0], [7, 6, 2], [3, 5, 5]]))
    assert found.worst.tolist() == [5, 3, 7]
    assert found.minimax == 1
    assert found.maximin == 2
    assert found.near_share.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_wilks():
    assert runs_for(0.95, 0.95) == 59


def test_a_quantile_far_out_takes_so_many_futures_that_some_lie_beyond_it():
    until = until_of("p99(corridor_mt[2030]) within 2%", metrics=("corridor_mt",), years=(2030,))
    assert until.least == 368
    assert 0.99**368 < 0.025 <= 0.99**367
    even = np.full(2000, 6.0)
    assert not until.is_met(even[:367])
    assert until.is_met(even)
    assert until_of("p50(corridor_mt[2030]) within 2%", metrics=("corridor_mt",), years=(2030,)).least == 64


def test_information_is_worth_what_it_changes():
    points = design("sobol", 2, 2048).points()
    worth = np.stack([np.zeros(2048), np.where(points[:, 0] < 0.5, -1.0, 1.0)])
    assert full_information(worth) == pytest.approx(0.5, abs=0.01)
    assert partial_information(points, worth) == pytest.approx([0.5, 0.0], abs=0.03)


def test_the_box_of_failures_is_found():
    points = design("sobol", 6, 2048).points()
    is_failure = (points[:, 1] > 0.7) & (points[:, 4] < 0.4)
    box = failure_box(points, is_failure)
    assert box.coverage > 0.85
    assert box.density > 0.9
    assert np.flatnonzero((box.low > 0) | (box.high < 1)).tolist() == [1, 4]
    assert box.low[1] == pytest.approx(0.7, abs=0.04)
    assert failure_box(points, np.zeros(2048, dtype=bool)) is None


def test_intervals():
    values = np.arange(1, 1001, dtype=float)
    value, low, high = interval(values, "p90")
    assert value == pytest.approx(900.1)
    assert (low, high) == (881, 919)  # binomial, 900 -+ 1.96 sqrt(90)
    assert share_interval(0, 59)[2] == pytest.approx(0.0611, abs=1e-3)


def test_enough_is_asked_for_in_words():
    until = until_of("p90(corridor_mt[2030]) within 2%", metrics=("corridor_mt",), years=(2029, 2030))
    assert (until.statistic, until.column, until.within, until.is_share) == ("p90", "corridor_mt_2030", 0.02, True)
    rng = np.random.default_rng(2)
    assert not until.is_met(rng.normal(6, 1, 64))
    assert until.is_met(rng.normal(6, 1, 4096))
    for wrong in ("p90(corridor_mt) within 2%", "p90(corridor_kt[2030]) within 2%", "p90(corridor_mt[2031]) within 2%"):
        with pytest.raises(DataError):
            until_of(wrong, metrics=("corridor_mt",), years=(2029, 2030))
    assert checkpoints(300) == [64, 96, 128, 192, 256, 300]
