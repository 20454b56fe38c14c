"""A crossing simulated by Karvan and by SimPy, side by side: the same model, events a second, and a year of the whole packaged sea.

`python -m benchmarks.simulation` (SimPy comes with the extra `bench`). Karvan and SimPy alternate, Karvan with twenty replications to one
of SimPy; median and worst ratio are shown. Both run the same model for the same years and give the same: time under way of every wagon by
cause, and what is inside day by day. An event is what Karvan takes off its heap; SimPy's rate is the same number over its seconds, as both
pass through as many up to chance, so that the ratio is that of the seconds. What SimPy itself counts is shown beside.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from typing import Any

YEARS, REPEATS, SHIPS, ROUNDS = 20, 5, 6, 20
HOURS = 8760.0 * YEARS
CAUSES = ("sailing", "handling", "customs", "sorting", "no_ship", "filling", "berth", "weather", "channel", "storage", "off_hire")


def system() -> Any:
    """Trains, a stock, ships that sail when full or after 24 h, two ports with berths and weather."""
    from karvan.simulation import _state_kernels as k
    from karvan.simulation.laws import exponential, varying
    from karvan.simulation.program import Builder

    build = Builder()
    line = build.line("wagons")
    port = build.site("port", [100.0] * 12, [25.0] * 12)
    pool = build.pool("stock", line, site=port)
    near, far = build.choice([build.berth("near", 2, site=port)]), build.choice([build.berth("far", 2)])
    crew = build.choice([build.berth("crew", 2)])
    build.source("trains", line, exponential(6.0), units=10.0)
    build.seize("crew", crew)
    build.delay("sorting", exponential(4.0), k.SORTING)
    build.release()
    build.put(pool)
    first = build.open(port)
    build.seize("near", near, pool=pool)
    build.load("load", build.stocks([pool]), 30.0, least=27.0, wait_h=24.0, pool=pool)
    build.handle("on", varying(5.0, 0.3), site=port)
    build.open(port)
    build.release()
    build.delay("over", varying(20.0, 0.1), k.SAILING)
    build.seize("far", far)
    build.handle("off", varying(5.0, 0.3))
    build.unload()
    build.release()
    build.delay("back", varying(20.0, 0.1), k.SAILING)
    build.jump(first)
    for ship in range(SHIPS):
        build.token(f"ship {ship}", first)
    return build.build()


def ours(model: Any, seed: int) -> tuple[float, float, int]:
    """Seconds, mean days under way, events; so many replications that the work lasts as long as a second."""
    from karvan.simulation.replicate import Period, replicate

    started = time.process_time()
    found = replicate(model, Period(0.0, HOURS), seed=seed, replications=range(ROUNDS))
    seconds = time.process_time() - started
    days = [float(((run.record[:, 0] - run.record[:, 3]) * run.record[:, 2]).sum() / run.record[:, 2].sum() / 24.0) for run in found]
    return seconds, statistics.mean(days), sum(run.events for run in found)


class Clock:
    """Hours by cause: what the goods of a stock wait for, or what a ship does."""

    def __init__(self) -> None:
        self.hours = dict.fromkeys(CAUSES, 0.0)

    def book(self, cause: str, hours: float) -> None:
        self.hours[cause] += hours


def theirs(seed: int) -> tuple[float, float, int]:
    """The same in SimPy, written as its manual does: processes, resources, interrupts for what weather holds.

    Returns:
        Seconds, mean days under way, events that SimPy itself counts.
    """
    import math

    import simpy

    chance = random.Random(seed)
    env = simpy.Environment()
    near, far, crew = (simpy.Resource(env, capacity=2) for _ in range(3))
    stock: list[tuple[float, float, dict[str, float]]] = []
    held: set[Any] = set()
    state: dict[str, Any] = {"closed": False, "closed_h": 0.0, "since": 0.0, "inside": 0.0, "mark": 0.0, "integral": 0.0}
    present = {"berth": 0, "handling": 0, "filling": 0}
    waiting = Clock()
    opened, arrived = [env.event()], [env.event()]
    records: list[tuple[Any, ...]] = []
    series: list[float] = []

    def lognormal(mean: float, variability: float) -> float:
        spread = math.sqrt(math.log(1.0 + variability**2))
        return mean * math.exp(chance.gauss(0.0, 1.0) * spread - spread**2 / 2.0)

    def note() -> None:
        hours, state["mark_stock"] = env.now - state.get("mark_stock", 0.0), env.now
        cause = "no_ship"
        if state["closed"]:
            cause = "weather"
        else:
            for name in ("filling", "handling", "berth"):
                if present[name] > 0:
                    cause = name
                    break
        waiting.book(cause, hours)

    def be(mine: dict[str, Any], what: str | None) -> None:
        note()
        if mine["is"] is not None:
            present[mine["is"]] -= 1
        mine["is"] = what
        if what is not None:
            present[what] += 1

    def inside(change: float) -> None:
        state["integral"] += state["inside"] * (env.now - state["mark"])
        state["mark"] = env.now
        state["inside"] += change

    def closed_h() -> float:
        return float(state["closed_h"] + (env.now - state["since"] if state["closed"] else 0.0))

    def days() -> Any:
        before = 0.0
        while True:
            yield env.timeout(24.0)
            inside(0.0)
            series.append((state["integral"] - before) / 24.0)
            before = state["integral"]

    def weather() -> Any:
        while True:
            yield env.timeout(chance.expovariate(1.0 / 100.0))
            note()
            state["closed"], state["since"] = True, env.now
            for process in list(held):
                process.interrupt()
            yield env.timeout(chance.expovariate(1.0 / 25.0))
            note()
            state["closed"] = False
            state["closed_h"] += env.now - state["since"]
            opened[0].succeed()
            opened[0] = env.event()

    def until_open(clock: Clock) -> Any:
        since = env.now
        while state["closed"]:
            yield opened[0]
        clock.book("weather", env.now - since)

    def train() -> Any:
        born, clock = env.now, Clock()
        inside(10.0)
        with crew.request() as asked:
            yield asked
            clock.book("sorting", env.now - born)
            hours = chance.expovariate(1.0 / 4.0)
            yield env.timeout(hours)
            clock.book("sorting", hours)
        note()
        stock.append((10.0, born, {cause: clock.hours[cause] - waiting.hours[cause] for cause in CAUSES}))
        arrived[0].succeed()
        arrived[0] = env.event()

    def trains() -> Any:
        while True:
            env.process(train())
            yield env.timeout(chance.expovariate(1.0 / 6.0))

    def handled(hours: float, mine: dict[str, Any]) -> Any:
        left, since = hours, env.now
        while left > 0.0:
            while state["closed"]:
                yield opened[0]
            began = env.now
            held.add(mine["process"])
            try:
                yield env.timeout(left)
                left = 0.0
            except simpy.Interrupt:
                left -= env.now - began
            held.discard(mine["process"])
        mine["clock"].book("handling", hours)
        mine["clock"].book("weather", env.now - since - hours)

    def berthed(berths: Any, mine: dict[str, Any], *, is_near: bool) -> Any:
        since, closed = env.now, closed_h()
        asked = berths.request()
        if is_near:
            be(mine, "berth")
        yield asked
        if is_near:
            yield from until_open(Clock())
            be(mine, "handling")
        held_up = closed_h() - closed if is_near else 0.0
        mine["clock"].book("weather", held_up)
        mine["clock"].book("berth", env.now - since - held_up)
        return asked

    def ship(mine: dict[str, Any]) -> Any:
        clock = mine["clock"] = Clock()
        while True:
            yield from until_open(clock)
            berth = yield from berthed(near, mine, is_near=True)
            since, leaves = env.now, env.timeout(24.0)
            if sum(lot[0] for lot in stock) < 27.0:
                be(mine, "filling")
                while sum(lot[0] for lot in stock) < 27.0 and not leaves.processed:
                    yield leaves | arrived[0]
            clock.book("filling", env.now - since)
            note()
            aboard, room = [], 30.0
            while room > 0.0 and stock:
                units, born, causes = stock[0]
                taken = min(room, units)
                booked = {cause: causes[cause] + waiting.hours[cause] - clock.hours[cause] for cause in CAUSES}
                aboard.append((taken, born, booked))
                stock[0] = (units - taken, born, causes)
                room -= taken
                if stock[0][0] <= 0.0:
                    stock.pop(0)
            be(mine, "handling")
            yield from handled(lognormal(5.0, 0.3), mine)
            yield from until_open(clock)
            be(mine, None)
            near.release(berth)
            hours = lognormal(20.0, 0.1)
            yield env.timeout(hours)
            clock.book("sailing", hours)
            berth = yield from berthed(far, mine, is_near=False)
            hours = lognormal(5.0, 0.3)
            yield env.timeout(hours)
            clock.book("handling", hours)
            for units, born, causes in aboard:
                inside(-units)
                records.append((env.now, units, born, *(causes[cause] + clock.hours[cause] for cause in CAUSES)))
            far.release(berth)
            hours = lognormal(20.0, 0.1)
            yield env.timeout(hours)
            clock.book("sailing", hours)

    for process in (weather(), trains(), days()):
        env.process(process)
    for _ in range(SHIPS):
        mine: dict[str, Any] = {"is": None}
        mine["process"] = env.process(ship(mine))
    started = time.process_time()
    env.run(until=HOURS)
    seconds = time.process_time() - started
    units = sum(row[1] for row in records)
    mean = sum(row[1] * (row[0] - row[2]) for row in records) / units / 24.0
    wrong = max(abs(sum(row[3:]) - (row[0] - row[2])) for row in records)
    assert wrong < 1e-6, f"causes of the SimPy model do not add up: {wrong}"
    return seconds, mean, next(env._eid)


def whole_sea() -> None:
    """A replication-year of the packaged sea, with loads of about its base year."""
    from karvan.corridor import load_corridor
    from karvan.network import sea_level_m
    from karvan.simulation import build, streams_of
    from karvan.simulation.replicate import Period, replicate

    tables = load_corridor("middle-corridor").tables
    rough = {"wagons": 10_000.0, "teu": 30_000.0, "vehicles": 8_000.0, "t": 800_000.0}
    loads = {row["arrival_id"]: rough[row["unit"]] for row in streams_of(tables, "caspian")}
    built = build(tables, "caspian", loads, level_m=sea_level_m(tables["sea_levels"], None, 2024))
    period = Period(0.0, 8760.0)
    replicate(built.system, period, seed=1, replications=[0])
    seconds, events = [], 0
    for number in range(REPEATS):
        started = time.process_time()
        events = replicate(built.system, period, seed=1, replications=[number])[0].events
        seconds.append(time.process_time() - started)
    print(f"a year of the whole packaged sea: {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s, {events:,} events")


def main() -> int:
    """Run and print."""
    model = system()
    ours(model, 0)
    ratios = []
    for repeat in range(REPEATS):
        seconds, mine, events = ours(model, repeat)
        other_seconds, other, own = theirs(repeat)
        ratios.append(ROUNDS * other_seconds / seconds)
        print(
            f"run {repeat + 1}: Karvan {events / seconds / 1e6:.2f} M events/s, SimPy {events / ROUNDS / other_seconds / 1e3:.1f} k"
            f" ({own / other_seconds / 1e3:.0f} k of its own); mean days under way {mine:.3f} and {other:.3f}"
        )
    print(f"ratio of events a second: median {statistics.median(ratios):.0f}, worst {min(ratios):.0f}")
    whole_sea()
    return 0


if __name__ == "__main__":
    sys.exit(main())
