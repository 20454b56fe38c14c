"""The simulator on systems whose answer is known: the exact value lies inside the 99.9% interval of twenty replications.

Seeds are fixed. Formulas are held against values worked out to the digits shown; tolerance: half a unit of the last one.
"""

from __future__ import annotations

import os

import pytest

from karvan.network.water import payload_t
from karvan.simulation import skeleton
from karvan.simulation.laws import constant, erlang, exponential
from karvan.simulation.statistics import replications_for
from tests.simulation import systems as s

pytestmark = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="millions of events; the pieces are tested without")

WARM, HOURS = 2_000.0, 20_000.0


@pytest.mark.parametrize(
    ("arrivals", "servers", "share", "wait", "length"),
    [(0.8, 1, 0.8, 4.0, 3.2), (1.6, 2, 0.711111, 1.777778, 2.844444), (2.4, 3, 0.647191, 1.078652, 2.588764)],
)
def test_random_arrivals_at_berths_side_by_side(arrivals: float, servers: int, share: float, wait: float, length: float) -> None:
    exact = skeleton.many_servers(arrivals, 1.0, servers)
    assert (exact.waits_share, exact.wait, exact.length) == pytest.approx((share, wait, length), abs=5e-7)
    system = s.queue(arrivals, exponential(1.0), servers)
    found = s.replications(system, hours=HOURS, warm=WARM)
    assert s.sure(s.waited(system, found, "wait")).holds(exact.waits_share)
    assert s.sure(s.waits(system, found, "wait")).holds(exact.wait)
    assert s.sure(s.inside(found, WARM)).holds(exact.length + arrivals)


@pytest.mark.parametrize(("service", "cv2", "wait"), [(constant(1.0), 0.0, 2.0), (erlang(1.0, 2), 0.5, 3.0)])
def test_one_berth_with_any_service(service: s.Law, cv2: float, wait: float) -> None:
    assert skeleton.one_server(0.8, 1.0, cv2).wait == pytest.approx(wait, abs=1e-12)
    system = s.queue(0.8, service, 1)
    assert s.sure(s.waits(system, s.replications(system, hours=HOURS, warm=WARM), "wait")).holds(wait)


def test_approximation_of_many_berths() -> None:
    assert skeleton.sakasegawa(0.8, 1.0, 3) == pytest.approx(1.108296, abs=5e-7)
    assert skeleton.sakasegawa(0.8, 1.0, 1) == pytest.approx(4.0, abs=1e-12)


def test_berths_one_after_another() -> None:
    system = s.tandem(0.6, [1.0, 1.25, 1.0 / 0.75])
    found = s.replications(system, hours=HOURS, warm=WARM)
    exact = [skeleton.many_servers(0.6, service, 1) for service in (1.0, 1.25, 1.0 / 0.75)]
    inside = [queue.length + 0.6 * service for queue, service in zip(exact, (1.0, 1.25, 1.0 / 0.75), strict=True)]
    assert inside == pytest.approx([1.5, 3.0, 4.0], abs=1e-12)
    assert sum(inside) / 0.6 == pytest.approx(14.166667, abs=5e-7)
    assert s.sure(s.inside(found, WARM)).holds(sum(inside))
    for number, queue in enumerate(exact):
        assert s.sure(s.waits(system, found, f"wait {number}")).holds(queue.wait)


def test_filling_a_batch() -> None:
    exact = skeleton.filling_wait(54, 40.0)
    assert exact == pytest.approx(0.6625, abs=1e-12)
    system = s.filling(54, 40.0)
    found = s.replications(system, hours=1_000.0, warm=100.0)
    assert s.sure([value / 40.0 for value in s.inside(found, 100.0)]).holds(exact)


def test_a_server_that_takes_several_at_once() -> None:
    root, length, stay = skeleton.bulk_service(2.0, 0.8, 4)
    assert (root, length, stay) == pytest.approx((0.820598536, 4.574090512, 2.287045256), abs=5e-10)
    found = s.replications(s.bulk(2.0, 0.8, 4), hours=HOURS, warm=WARM)
    assert s.sure(s.inside(found, WARM)).holds(length)


def test_closures_hold_what_is_handled() -> None:
    exact = skeleton.with_closures(0.5, 1.0, 0.1, 0.4)
    assert exact == pytest.approx(2.333333, abs=5e-7)
    assert skeleton.with_closures(0.5, 1.0, 0.0, 0.4) == pytest.approx(1.0, abs=1e-12)
    found = s.replications(s.queue(0.5, exponential(1.0), 1, site=(10.0, 2.5)), hours=HOURS, warm=WARM)
    assert s.sure(s.inside(found, WARM)).holds(exact)
    closed = [1.0 - s.closed_share(round_, HOURS) for round_ in found]
    assert s.sure(closed).holds(0.8)


@pytest.mark.parametrize(
    ("ships", "throughput"), [(1, 0.322581), (2, 0.606654), (3, 0.848227), (4, 1.045813), (5, 1.201130), (6, 1.318921)]
)
def test_ships_that_go_round(ships: int, throughput: float) -> None:
    loop = skeleton.fleet_loop([skeleton.Station(0.6), skeleton.Station(0.5)], 2.0, 6)
    assert loop.throughput[ships - 1] == pytest.approx(throughput, abs=5e-7)
    assert (loop.saturation_ships, loop.cap) == pytest.approx((5.166667, 1.666667), abs=5e-7)
    system = s.fleet(ships, [0.6, 0.5], 2.0)
    found = s.replications(system, hours=5_000.0, warm=500.0)
    assert s.sure(s.out(system, found, "trips", 5_000.0)).holds(float(loop.throughput[ships - 1]))


def test_ships_that_go_round_between_several_berths() -> None:
    """With two berths at each port; the loop of several servers against the simulator and against one of infinitely many."""
    loop = skeleton.fleet_loop([skeleton.Station(0.6, 2), skeleton.Station(0.5, 2)], 2.0, 6)
    system = s.fleet(6, [0.6, 0.5], 2.0, servers=2)
    found = s.replications(system, hours=5_000.0, warm=500.0)
    assert s.sure(s.out(system, found, "trips", 5_000.0)).holds(float(loop.throughput[-1]))
    free = skeleton.fleet_loop([skeleton.Station(0.6, 6), skeleton.Station(0.5, 6)], 2.0, 6)
    assert free.throughput[-1] == pytest.approx(6.0 / 3.1, rel=1e-12)


def test_what_a_ship_can_load() -> None:
    assert payload_t(7000.0, 20.0, 4.5, 0.5, 4.5) == pytest.approx(6000.0, abs=1e-9)
    assert payload_t(7000.0, 20.0, 4.5, 0.5, 4.0) == pytest.approx(5000.0, abs=1e-9)
    assert payload_t(7000.0, 20.0, 4.5, 0.5, 9.0) == 7000.0
    assert payload_t(7000.0, 20.0, 4.5, 0.5, 0.5) == 0.0


def test_what_a_fleet_carries_that_never_waits() -> None:
    assert skeleton.fleet_capacity(4, 54 * 60, 3.1, 330) / 1e6 == pytest.approx(1.379613, abs=5e-7)


def test_replications_for_an_interval() -> None:
    pilot = s.Interval(mean=2.0, half_width=0.0, sd=0.6, count=10, confidence=0.95)
    assert replications_for(pilot, 0.05) == 185
