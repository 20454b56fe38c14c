"""A row appended to a program is a row like any other."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.assignment import clear, with_row
from karvan.assignment.dual import AT_LEAST
from tests.assignment.market_cases import Route, one_nest, program


def test_a_row_added_is_the_row_built_in() -> None:
    routes = [Route(100.0, {0: 1.0}), Route(110.0), Route(120.0, {0: 0.5})]
    built = program(
        [one_nest([Route(100.0, {0: 1.0, 1: 2.0}), Route(110.0), Route(120.0, {0: 0.5, 1: 1.0})], 0.05, 10.0)], [6.0, 7.0], [0, 1]
    )
    added = with_row(program([one_nest(routes, 0.05, 10.0)], [6.0]), np.array([2.0, 0.0, 1.0]), 7.0)
    assert added.route_first_entry.tolist() == built.route_first_entry.tolist()
    assert added.entry_row.tolist() == built.entry_row.tolist()
    assert added.entry_units_per_t.tolist() == built.entry_units_per_t.tolist()
    assert clear(added).route_flow_kt == pytest.approx(clear(built).route_flow_kt, rel=1e-9)


def test_a_row_may_ask_for_a_least_flow() -> None:
    routes = program([one_nest([Route(100.0), Route(200.0)], 0.05, 10.0)], [])
    assert clear(with_row(routes, np.array([0.0, 1.0]), 4.0, sense=AT_LEAST)).route_flow_kt == pytest.approx([6.0, 4.0], rel=1e-6)
