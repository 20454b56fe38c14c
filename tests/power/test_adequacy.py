"""Chance of being short, and the credit of a line."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from karvan.power.adequacy import Units, available_law, capacity_credit_mw, chance_short


def test_five_and_six_units() -> None:
    five, six = (available_law([Units(count, 100.0, 0.1)]) for count in (5, 6))
    assert float(chance_short(five, 350.0)) == pytest.approx(0.081460, abs=5e-7)
    assert float(chance_short(six, 350.0)) == pytest.approx(0.015850, abs=5e-7)


def test_law_against_every_state() -> None:
    units = [Units(2, 100.0, 0.1), Units(1, 50.0, 0.3)]
    law = available_law(units)
    sizes, outs = [100.0, 100.0, 50.0], [0.1, 0.1, 0.3]
    short = 0.0
    for state in itertools.product((0, 1), repeat=3):
        chance = np.prod([1 - out if on else out for on, out in zip(state, outs, strict=True)])
        if sum(size for size, on in zip(sizes, state, strict=True) if on) < 160.0:
            short += chance
    assert float(chance_short(law, 160.0)) == pytest.approx(short, rel=1e-12)
    assert law.sum() == pytest.approx(1.0)


def test_a_line_that_never_fails_carries_what_it_brings() -> None:
    law, load = available_law([Units(20, 100.0, 0.05)]), 1500.0 + 200.0 * np.sin(np.arange(8760) / 24.0)
    full = np.full(8760, 300.0)
    assert capacity_credit_mw(law, load, full, outage_share=0.0) == pytest.approx(300.0, abs=0.5)
    worse = capacity_credit_mw(law, load, full, outage_share=0.05)
    assert 100.0 < worse < 300.0
    assert capacity_credit_mw(law, load, np.zeros(8760), outage_share=0.0) == pytest.approx(0.0, abs=0.5)
