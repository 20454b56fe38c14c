"""Points of the unit cube, each a future: its position is a function of the design and its number alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from karvan.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]

DESIGNS = ("sobol", "lhs", "morris", "indices")
"""Scrambled Sobol sequence, Latin hypercube, trajectories of Morris, Saltelli's sample for Sobol indices."""
ENDLESS = frozenset({"sobol"})
"""Designs whose first points do not depend on how many there are."""
_BLOCK = 64
_MOST_AT_ONCE = 20_000_000
_MORRIS_LEVELS = 4


@dataclass(frozen=True)
class Design:
    """How futures are spread.

    Attributes:
        kind: One of DESIGNS.
        dimensions: Number of seeds.
        count: Futures; of morris and indices what makes whole trajectories or rows of Saltelli's sample, at most as many as asked for.
        seed: Of the scrambling or the draw.
    """

    kind: str
    dimensions: int
    count: int
    seed: int = 1

    def point(self, index: int) -> FloatArray:
        """Point of a future, shape (dimensions,).

        Args:
            index: Number of the future, from 0.
        """
        if self.kind in ENDLESS:
            block, place = divmod(index, _BLOCK)
            return np.asarray(_sobol_block(self.dimensions, self.seed, block)[place], dtype=np.float64)
        return np.asarray(_whole(self)[index], dtype=np.float64)

    def points(self) -> FloatArray:
        """Every point, shape (count, dimensions)."""
        if self.kind in ENDLESS:
            blocks = range(-(-self.count // _BLOCK))
            return np.concatenate([_sobol_block(self.dimensions, self.seed, block) for block in blocks])[: self.count]
        return _whole(self)


def design(kind: str, dimensions: int, count: int, *, seed: int = 1) -> Design:
    """A design of so many futures.

    Args:
        kind: One of DESIGNS.
        dimensions: Number of seeds.
        count: Futures asked for; the design has as many, or the most below that make it whole.
        seed: Of the scrambling or the draw.

    Raises:
        DataError: There is no such design, or it needs more futures.
    """
    if kind not in DESIGNS:
        raise DataError(Problem("--design", None, None, f"is {kind}, must be one of {', '.join(DESIGNS)}"))
    unit = {"morris": dimensions + 1, "indices": dimensions + 2}.get(kind, 1)
    rounds = count // unit
    if kind == "indices" and rounds:
        rounds = 1 << (rounds.bit_length() - 1)  # Sobol points come in powers of two
    least = 2 if kind in ("morris", "indices") else 1
    if rounds < least:
        message = f"{kind} of {dimensions} factors needs {least * unit} futures at least; ask for more, or vary less with --only"
        raise DataError(Problem("--futures", None, None, f"is {count}: {message}"))
    if kind not in ENDLESS and rounds * unit * dimensions > _MOST_AT_ONCE:
        raise DataError(Problem("--futures", None, None, f"is {count}, too many for {kind}; take sobol, which has no end"))
    return Design(kind, dimensions, rounds * unit, seed)


@lru_cache(maxsize=64)
def _sobol_block(dimensions: int, seed: int, block: int) -> FloatArray:
    from scipy.stats import qmc

    engine = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    if block:
        engine.fast_forward(block * _BLOCK)
    return np.asarray(engine.random(_BLOCK), dtype=np.float64)


@lru_cache(maxsize=4)
def _whole(wanted: Design) -> FloatArray:
    from scipy.stats import qmc

    if wanted.kind == "lhs":
        engine = qmc.LatinHypercube(wanted.dimensions, rng=np.random.default_rng(wanted.seed))
        return np.asarray(engine.random(wanted.count), dtype=np.float64)
    problem = salib_problem(wanted.dimensions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if wanted.kind == "morris":
            from SALib.sample.morris import sample as trajectories

            found = trajectories(problem, wanted.count // (wanted.dimensions + 1), num_levels=_MORRIS_LEVELS, seed=wanted.seed)
        else:
            from SALib.sample.sobol import sample as saltelli

            rows = wanted.count // (wanted.dimensions + 2)
            found = saltelli(problem, rows, calc_second_order=False, seed=wanted.seed)
    return np.asarray(found, dtype=np.float64)


def salib_problem(dimensions: int) -> dict[str, Any]:
    """What SALib wants to know of the unit cube."""
    return {
        "num_vars": dimensions, "names": [f"x{number}" for number in range(dimensions)], "bounds": [[0.0, 1.0]] * dimensions
    }  # fmt: skip


def morris_indices(wanted: Design, outcome: FloatArray) -> Mapping[str, FloatArray]:
    """Mean effect, mean absolute effect and spread of effects of each dimension: mu, mu_star, sigma, shape (dimensions,).

    Source:
        Morris (1991), Technometrics 33(2); Campolongo, Cariboni & Saltelli (2007), Environmental Modelling & Software 22.
    """
    from SALib.analyze.morris import analyze

    points = wanted.points()
    found = analyze(salib_problem(wanted.dimensions), points, outcome, num_levels=_MORRIS_LEVELS, num_resamples=100, seed=wanted.seed)
    return {name: np.asarray(found[name], dtype=np.float64) for name in ("mu", "mu_star", "sigma")}


def sobol_indices(wanted: Design, outcome: FloatArray) -> Mapping[str, FloatArray]:
    """First-order and total index of each dimension with half widths of their 95% intervals: S1, ST, S1_conf, ST_conf.

    Source:
        Saltelli et al. (2010), Computer Physics Communications 181; Jansen (1999), ibid. 117.
    """
    from SALib.analyze.sobol import analyze

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of outcomes that never vary
        found = analyze(
            salib_problem(wanted.dimensions), outcome, calc_second_order=False, num_resamples=100, print_to_console=False, seed=wanted.seed
        )
    return {name: np.asarray(found[name], dtype=np.float64) for name in ("S1", "ST", "S1_conf", "ST_conf")}
