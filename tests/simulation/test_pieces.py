"""Every kind of step on times worked out by hand; tolerance: rounding."""

from __future__ import annotations

import numpy as np
import pytest

from karvan.simulation import _state_kernels as k
from karvan.simulation._random_kernels import draw
from karvan.simulation.laws import constant, exponential
from karvan.simulation.program import Builder, System
from karvan.simulation.replicate import Period, Replication, replicate, stream_key

CLOSE = 1e-9
NEVER = [float("inf")] * 12


def run(system: System, hours: float, *, warm: float = 0.0, log_rows: int = 0) -> Replication:
    return replicate(system, Period(warm, hours, sample_h=1.0), seed=3, replications=[0], log_rows=log_rows)[0]


def causes(found: Replication, row: int) -> dict[int, float]:
    """Hours by cause of a record, those that are not zero."""
    return {cause: value for cause, value in enumerate(found.record[row, 4:].tolist()) if abs(value) > CLOSE}


def ferry(build: Builder, *, room: float = 20.0, least: float = 20.0, wait_h: float = float("inf"), timetable_h: float = 0.0) -> int:
    """Trains of 10 wagons every 24 h from hour 0; one ship: 2 h to load, 8 h over, 2 h to unload, 8 h back."""
    line = build.line("wagons")
    pool = build.pool("stock", line)
    berth = build.choice([build.berth("berth", 1)])
    build.source("trains", line, constant(24.0), units=10.0)
    build.put(pool)
    first = build.seize("wait", berth, pool=pool)
    build.load("load", build.stocks([pool]), room, least=least, wait_h=wait_h, timetable_h=timetable_h, first_h=6.0, pool=pool)
    build.handle("on", constant(2.0))
    build.release()
    build.delay("over", constant(8.0), k.SAILING, link=0)
    build.handle("off", constant(2.0))
    build.unload()
    build.delay("back", constant(8.0), k.SAILING)
    build.jump(first)
    build.token("ship", first)
    return pool


def test_a_ship_that_sails_when_full() -> None:
    build = Builder()
    ferry(build)
    found = run(build.build(), 60.0)
    # Full at hour 24 with the second train; off at 36. The first train waited 24 h for the second.
    assert found.record[:, :4].tolist() == [[36.0, found.record[0, 1], 10.0, 24.0], [36.0, found.record[0, 1], 10.0, 0.0]]
    assert causes(found, 0) == {k.SAILING: 8.0, k.HANDLING: 4.0}
    assert causes(found, 1) == {k.SAILING: 8.0, k.HANDLING: 4.0, k.FILLING: 24.0}


def test_a_ship_that_waits_no_longer_than_so_many_hours() -> None:
    build = Builder()
    ferry(build, wait_h=5.0)
    found = run(build.build(), 60.0)
    assert found.record[0, [0, 2, 3]].tolist() == [17.0, 10.0, 0.0]
    assert causes(found, 0) == {k.SAILING: 8.0, k.HANDLING: 4.0, k.FILLING: 5.0}


def test_a_ship_with_a_timetable_takes_what_is_there() -> None:
    build = Builder()
    ferry(build, least=float("inf"), timetable_h=30.0)
    found = run(build.build(), 90.0)
    # Departures are loaded at 6, 36 and 66; it is back from the first at 26.
    assert found.record[:, 0].tolist() == [18.0, 48.0, 78.0]
    assert found.record[:, 2].tolist() == [10.0, 10.0, 10.0]
    assert causes(found, 1) == {k.SAILING: 8.0, k.HANDLING: 4.0, k.NO_SHIP: pytest.approx(2.0), k.FILLING: pytest.approx(10.0)}


def test_a_ship_with_a_timetable_may_leave_before_its_hour_once_it_is_filled() -> None:
    build = Builder()
    ferry(build, least=10.0, timetable_h=30.0)
    found = run(build.build(), 90.0)
    # The train of every 24 h fills it; it never waits for 6, 36 and 66.
    assert found.record[:, 0].tolist() == [12.0, 36.0, 60.0, 84.0]
    build = Builder()
    ferry(build, least=20.0, timetable_h=30.0)
    # One train does not fill it: it leaves by the clock with what is there.
    assert run(build.build(), 90.0).record[:, 0].tolist() == [18.0, 48.0, 78.0]


def test_a_lot_is_split_where_room_ends_and_the_rest_waits_for_the_ship() -> None:
    build = Builder()
    ferry(build, room=4.0, least=4.0)
    found = run(build.build(), 60.0)
    assert found.record[:, 2].tolist() == [4.0, 4.0, 2.0, 2.0]
    assert causes(found, 1) == {k.SAILING: 8.0, k.HANDLING: pytest.approx(6.0), k.NO_SHIP: pytest.approx(18.0)}
    # Ten came at 0, ten at 24 and at 48; eight and four have arrived: nothing is lost.
    assert found.state.values[found.state.counter[k.LINES] + k.G_INSIDE] == pytest.approx(30.0 - 12.0)


def test_causes_add_up_to_the_time_under_way() -> None:
    """On a system with everything in it."""
    build = Builder()
    line, other = build.line("wagons"), build.line("trucks")
    storm = build.site("storm", [60.0] * 12, [20.0] * 12, variability=0.5)
    follower = build.site("bay", [60.0] * 12, [20.0] * 12, leader=storm, follows_share=[0.5] * 12)
    berths = [build.berth("ramp", 1, site=storm), build.berth("quay", 1, site=storm)]
    far, crane, crew = build.berth("far", 1, site=follower), build.berth("crane", 1), build.berth("crew", 1)
    ban = build.ban("ban", 45.0, 20.0)
    pool = build.pool("stock", line, site=storm, limit=30.0, ban=ban)
    trucks = build.pool("lot", other, site=storm)
    build.source("trains", line, exponential(20.0), units=10.0, late=exponential(5.0), ban=ban, bunch=2)
    build.seize("crew", build.choice([crew]), cause=k.SORTING)
    build.delay("sort", constant(3.0), k.SORTING)
    build.release()
    build.put(pool)
    build.source("road", other, exponential(4.0))
    build.delay("papers", exponential(2.0), k.CUSTOMS)
    build.put(trucks)
    first = build.open(storm)
    build.window(24.0, 16.0)
    build.seize("wait", build.choice(berths), pool=pool)
    build.seize("crane", build.choice([crane]), slot=1)
    build.load("load", build.stocks([pool, trucks], [1.0, 0.5]), 16.0, least=12.0, wait_h=9.0, pool=pool)
    build.handle("on", constant(3.0), hours_per_unit=0.1, site=storm)
    build.release(slot=1)
    build.open(storm)
    build.release()
    build.delay("over", exponential(10.0), k.SAILING)
    build.seize("far", build.choice([far]))
    build.handle("off", constant(2.0), site=follower)
    build.unload()
    due = build.if_due()
    back = build.release()
    build.delay("back", constant(6.0), k.SAILING)
    build.jump(first)
    build.lead(due, build.here)
    build.repair("dock", constant(30.0), exponential(200.0))
    build.jump(back)
    for ship in range(3):
        build.token(f"ship {ship}", first, mean_due_h=200.0)
    system = build.build()
    found = run(system, 3_000.0)
    rows = found.record
    assert rows.shape[0] > 300
    assert np.abs(rows[:, 4:].sum(axis=1) - (rows[:, 0] - rows[:, 3])).max() < 1e-7
    assert rows[:, 4:].min() > -1e-9
    booked = rows[:, 4:].sum(axis=0)
    assert (np.delete(booked, [k.CHANNEL, k.REPAIRING]) > 0.0).all(), booked
    row = system.row("ban", "ban")
    assert found.state.values[row + k.N_SUM] > 0.0
    assert found.state.values[row + k.N_REFUSED] > 0.0
    came = rows[rows[:, 1] == system.row("line", "wagons"), 2].sum() + found.state.values[system.row("line", "wagons") + k.G_INSIDE]
    assert came % 10.0 == pytest.approx(0.0, abs=1e-6)


def test_a_full_store_holds_trains_back() -> None:
    build = Builder()
    line = build.line("wagons")
    pool = build.pool("stock", line, limit=10.0)
    build.source("trains", line, constant(10.0), units=10.0)
    build.put(pool)
    first = build.delay("away", constant(25.0), k.SAILING)
    build.load("load", build.stocks([pool]), 10.0)
    build.unload()
    build.jump(first)
    build.token("ship", first)
    found = run(build.build(), 80.0)
    # The train of hour 10 can lay down its wagons at 25 only, when the first are taken, and leaves at 50.
    assert found.record[:3, [0, 3]].tolist() == [[25.0, 0.0], [50.0, 10.0], [75.0, 20.0]]
    assert causes(found, 1) == {k.STORAGE: 15.0, k.NO_SHIP: 25.0}


def test_weather_holds_what_is_handled_and_lets_nobody_in() -> None:
    build = Builder()
    line = build.line("goods")
    # Always open for a drawn time, then closed for ten hours exactly.
    port = build.site("port", [10.0] * 12, [10.0] * 12, variability=0.0)
    berth = build.choice([build.berth("berth", 1, site=port)])
    build.source("trains", line, constant(1e6), units=1.0)
    build.seize("wait", berth)
    build.handle("on", constant(500.0), site=port)
    build.release()
    build.end(line)
    system = build.build()
    found = run(system, 3_000.0)
    closed = found.record[0, 4 + k.WEATHER]
    assert found.record[0, 0] == pytest.approx(500.0 + closed)
    assert closed % 10.0 == pytest.approx(0.0, abs=1e-6)
    assert closed > 100.0


def test_months_without_weather_stay_open() -> None:
    build = Builder()
    build.line("goods")
    build.site("port", [50.0, *NEVER[1:]], [10.0] * 12)
    system = build.build()
    found = run(system, 8_760.0)
    closed = found.state.values[system.row("site", "port") + k.W_MONTH :][:12]
    assert closed[0] > 0.0
    assert closed[2:].sum() == 0.0


def test_who_fits_no_free_berth_is_overtaken_and_repairs_come_first() -> None:
    build = Builder()
    line = build.line("goods")
    small, large = build.berth("small", 1), build.berth("large", 1)
    any_berth, only_large = build.choice([small, large]), build.choice([large])
    starts = []
    for name, choice in (("first", only_large), ("second", only_large), ("third", any_berth)):
        starts.append((name, build.seize(f"{name} waits", choice)))
        build.delay(f"{name} is served", constant(10.0), k.HANDLING)
        build.release()
        build.end(-1)
    fix = build.delay("until it breaks", constant(1.0), k.REPAIRING)
    build.seize("repair", only_large, is_first=True)
    build.delay("repair takes", constant(5.0), k.REPAIRING)
    build.release()
    build.end(-1)
    for place, (name, step) in enumerate(starts):
        build.token(name, step, at_h=0.1 * place)
    build.token("breaker", fix)
    system = build.build()
    found = run(system, 40.0, log_rows=50)
    granted = [
        (row[0], system.names.starts[(int(row[2]) - found.state.counter[k.TOKENS]) // k.WIDTH])
        for row in found.log.tolist()
        if row[1] == k.LOG_GRANTED
    ]
    assert granted == [(0.0, "first"), (0.2, "third"), (10.0, "breaker"), (15.0, "second")]
    assert line == 0


def test_a_channel_is_open_at_its_hours() -> None:
    build = Builder()
    line = build.line("goods")
    build.source("trains", line, constant(1e6), first_h=10.0)
    build.window(24.0, 6.0)
    build.end(line)
    found = run(build.build(), 48.0)
    assert found.record[0, [0, 3]].tolist() == [24.0, 10.0]
    assert causes(found, 0) == {k.CHANNEL: 14.0}


def one_berth() -> System:
    """Trains that come at random to one berth and take a random time there."""
    build = Builder()
    line = build.line("goods")
    build.source("trains", line, exponential(2.0))
    build.seize("wait", build.choice([build.berth("berth", 1)]))
    build.delay("service", exponential(1.5), k.HANDLING)
    build.release()
    build.end(line)
    return build.build()


def test_waits_at_a_berth_are_those_of_lindley() -> None:
    """The same draws by the recursion W' = max(0, W + S - A), train by train: an independent twin of the event loop."""
    system = one_berth()
    found = run(system, 400.0)
    key, counts = stream_key(3, 0), np.zeros(2, dtype=np.int64)
    streams = [int(system.things[system.row("step", name) + k.S_STREAM]) for name in ("trains", "service")]
    now, free, expected = 0.0, 0.0, []
    while now <= 400.0:
        start = max(now, free)
        free = start + draw(2, 1.5, 1.0, streams[1], key, counts, 1)
        expected.append((free, now, start - now))
        now += draw(2, 2.0, 1.0, streams[0], key, counts, 0)
    kept = [row for row in expected if row[0] <= 400.0]
    assert len(kept) > 100
    assert found.record[:, 0] == pytest.approx([row[0] for row in kept], abs=1e-9)
    assert found.record[:, 3] == pytest.approx([row[1] for row in kept], abs=1e-9)
    assert found.record[:, 4 + k.BERTH] == pytest.approx([row[2] for row in kept], abs=1e-9)


def test_warm_up_does_not_count() -> None:
    build = Builder()
    ferry(build)
    whole, late = run(build.build(), 480.0), None
    build = Builder()
    ferry(build)
    late = run(build.build(), 240.0, warm=240.0)
    kept = whole.record[whole.record[:, 0] > 240.0]
    assert late.record.tolist() == kept.tolist()
    assert late.series.shape == whole.series.shape
    assert late.series.tolist() == whole.series.tolist()


def test_workers_and_company_do_not_change_a_digit() -> None:
    system, period = one_berth(), Period(24.0, 240.0)
    alone = [replicate(system, period, seed=5, replications=[number])[0].record for number in (3, 7)]
    together = replicate(system, period, seed=5, replications=range(8), workers=2)
    assert [together[3].record.tolist(), together[7].record.tolist()] == [found.tolist() for found in alone]
    assert alone[0].tolist() != alone[1].tolist()


def test_a_new_piece_leaves_the_chance_of_the_others_alone() -> None:
    def trains(*, has_more: bool) -> list[list[float]]:
        build = Builder()
        line = build.line("goods")
        if has_more:
            more = build.line("more")
            build.source("others", more, exponential(3.0))
            build.end(more)
        build.source("trains", line, exponential(2.0))
        build.delay("service", exponential(1.5), k.HANDLING)
        build.end(line)
        system = build.build()
        record = run(system, 100.0).record
        return record[record[:, 1] == system.row("line", "goods")][:, [0, 3]].tolist()

    assert trains(has_more=True) == trains(has_more=False)


def test_room_grows_with_what_is_under_way() -> None:
    """More tokens at once than the first guess has room for."""
    build = Builder()
    line = build.line("goods")
    build.source("trains", line, constant(0.02))
    build.delay("long", constant(100.0), k.SAILING)
    build.end(line)
    found = run(build.build(), 100.0)
    assert found.state.values[found.state.counter[k.LINES] + k.G_INSIDE] == pytest.approx(5_000.0, abs=2.0)
