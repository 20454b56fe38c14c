"""Draws: the generator against its published answers, laws against their moments."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.simulation._random_kernels import draw, normal, philox, uniform
from karvan.simulation.laws import Law, constant, erlang, exponential, varying
from karvan.simulation.replicate import stream_key


@pytest.mark.parametrize(
    ("count", "stream", "key", "words"),
    [
        (0, 0, 0, (0x257A3673, 0xCD26BE2A)),
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, (0xAB302C4D, 0x3DC9D239)),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, (0xBEDBBE6B, 0xE4C770B3)),
    ],
)
def test_words_are_those_of_its_authors(count: int, stream: int, key: int, words: tuple[int, int]) -> None:
    assert philox(count, stream, key) == words


@pytest.mark.parametrize("share", [1e-12, 1e-4, 0.02, 0.02425, 0.3, 0.5, 0.8, 0.97575, 0.98, 0.9999])
def test_quantiles_of_the_normal_law(share: float) -> None:
    from scipy.stats import norm

    # The formula's author gives a relative error of 1.15e-9.
    assert normal(share) == pytest.approx(norm.ppf(share), rel=1.3e-9, abs=1e-12)


def drawn(law: Law, *, stream: int = 8, count: int = 4_000) -> np.ndarray:
    counts = np.zeros(1, dtype=np.int64)
    return np.array([draw(law.kind, law.scale, law.shape, stream, 77, counts, 0) for _ in range(count)])


def test_numbers_lie_between_zero_and_one_and_use_up_counts() -> None:
    counts = np.zeros(3, dtype=np.int64)
    found = np.array([uniform(5, 9, counts, 2) for _ in range(4_000)])
    assert counts.tolist() == [0, 0, 4_000]
    assert 0.0 < found.min() < 0.01
    assert 0.99 < found.max() < 1.0
    # Standard error of the mean is 0.0046.
    assert found.mean() == pytest.approx(0.5, abs=0.02)


# Standard errors of mean and variability at 4,000 draws are below a fiftieth for all of these.
@pytest.mark.parametrize(
    ("law", "variability"), [(constant(3.0), 0.0), (exponential(3.0), 1.0), (erlang(3.0, 4), 0.5), (varying(3.0, 0.3), 0.3)]
)
def test_laws_have_their_mean_and_spread(law: Law, variability: float) -> None:
    found = drawn(law)
    assert found.mean() == pytest.approx(3.0, rel=0.06)
    assert found.std() / 3.0 == pytest.approx(variability, abs=0.05)


def test_streams_and_replications_differ() -> None:
    first, other = drawn(exponential(1.0)), drawn(exponential(1.0), stream=16)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.06
    assert len({stream_key(1, number) for number in range(1_000)} | {stream_key(2, number) for number in range(1_000)}) == 2_000


def test_no_variability_is_a_constant() -> None:
    assert varying(2.0, 0.0) == constant(2.0)
