"""Constants that meet observed flows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from karvan.assignment.calibration import FitOptions, delta_for_shares, fit_constants, theta_for_elasticity
from karvan.assignment.market import MarketProblem, clear
from karvan.errors import ConvergenceError, DataError
from tests.assignment.market_cases import Family, Market, Route, program, random_program


def flow_by_group(problem: MarketProblem, group: np.ndarray, constants: np.ndarray, count: int) -> np.ndarray:
    shift = np.where(group >= 0, np.append(constants, 0.0)[group], 0.0)
    clearing = clear(replace(problem, family_constant_usd_per_t=problem.family_constant_usd_per_t + shift))
    by_family = np.add.reduceat(clearing.route_flow_kt, problem.family_first_route[:-1])
    return np.bincount(group[group >= 0], weights=by_family[group >= 0], minlength=count)


def test_constants_for_shares() -> None:
    delta = delta_for_shares(np.array([0.12, 0.55, 0.33]), np.array([100.0, 80.0, 90.0]), 0.05, 1)
    assert delta == pytest.approx([10.448531, 0.0, 0.216512], abs=5e-7)


def test_theta_for_an_elasticity() -> None:
    assert theta_for_elasticity(-1.0, 100.0, 0.12) == pytest.approx(0.0113636, abs=5e-8)


def test_fit_without_limits_is_the_closed_form() -> None:
    families = [Family([Route(cost)], 0.05) for cost in (100.0, 80.0, 90.0)]
    problem = program([Market(families, 0.05, 10.0)], [np.inf])
    found = fit_constants(problem, np.array([0, -1, 1]), np.array([1.2, 3.3]))
    assert found == pytest.approx([10.448531, 0.216512], abs=5e-7)


@pytest.mark.parametrize("seed", range(6))
def test_fit_meets_targets_with_limits_priced(seed: int) -> None:
    problem = random_program(seed, markets=8)
    problem = replace(problem, market_elasticity=np.zeros(8))
    group = np.full(len(problem.family_theta), -1)
    group[0::3] = np.arange(8) % 2
    group[1::3] = 2
    chance = np.random.default_rng(seed)
    wanted = flow_by_group(problem, group, chance.uniform(-15.0, 15.0, 3), 3)
    found = fit_constants(problem, group, wanted)
    assert flow_by_group(problem, group, found, 3) == pytest.approx(wanted, rel=1e-7)


def test_targets_that_cannot_be_met() -> None:
    families = [Family([Route(100.0, {0: 1.0})], 0.05), Family([Route(120.0)], 0.05)]
    problem = program([Market(families, 0.05, 10.0)], [6.0])
    with pytest.raises(DataError, match="must be above zero"):
        fit_constants(problem, np.array([0, -1]), np.array([0.0]))
    with pytest.raises(DataError, match="has no family"):
        fit_constants(problem, np.array([-1, -1]), np.array([1.0]))
    with pytest.raises(ConvergenceError) as caught:
        fit_constants(problem, np.array([0, -1]), np.array([8.0]), options=FitOptions(max_iterations=20))
    assert caught.value.best.shape == (1,)
    with pytest.raises(DataError):
        delta_for_shares(np.array([0.0, 1.0]), np.array([1.0, 2.0]), 0.05, 1)
    with pytest.raises(DataError):
        theta_for_elasticity(1.0, 100.0, 0.1)
