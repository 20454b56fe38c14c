"""A tandem of two stations in an independent simulator: both means lie in each other's intervals."""

from __future__ import annotations

import os

import pytest

from karvan.simulation.statistics import interval, paired
from tests.simulation import systems as s


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="needs many events")
def test_tandem_agrees_with_ciw() -> None:
    import ciw

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.6), None],
        service_distributions=[ciw.dists.Exponential(1.0), ciw.dists.Exponential(0.8)],
        number_of_servers=[1, 1],
        routing=[[0.0, 1.0], [0.0, 0.0]],
    )
    theirs = []
    for seed in range(10):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(2_500.0)
        stays: dict[int, float] = {}
        for row in simulation.get_all_records():
            if row.arrival_date > 300.0:
                stays[row.id_number] = stays.get(row.id_number, 0.0) + row.exit_date - row.arrival_date
        theirs.append(sum(stays.values()) / len(stays))
    system = s.tandem(0.6, [1.0, 1.25])
    found = s.replications(system, hours=5_000.0, warm=500.0)
    ours = [inside / 0.6 for inside in s.inside(found, 500.0)]
    exact = 1.0 / 0.4 + 1.0 / 0.2
    assert interval(ours, confidence=0.999).holds(exact)
    assert interval(theirs, confidence=0.999).holds(exact)
    assert (
        abs(paired(ours[:10], theirs).mean)
        <= interval(ours).half_width + interval(theirs).half_width + paired(ours[:10], theirs).half_width
    )
