"""Small systems whose answers are known, and what replications say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from karvan.simulation import _state_kernels as k
from karvan.simulation.laws import Law, exponential
from karvan.simulation.program import Builder, System
from karvan.simulation.replicate import Period, Replication, replicate
from karvan.simulation.statistics import Interval, interval

SURE = 0.999
ROUNDS = 20


def replications(system: System, *, hours: float, warm: float, seed: int = 11, **options: Any) -> list[Replication]:
    return replicate(system, Period(warm, hours, sample_h=100.0), seed=seed, replications=range(ROUNDS), has_records=False, **options)


def sure(values: Sequence[float]) -> Interval:
    return interval(values, confidence=SURE)


def queue(arrivals: float, service: Law, servers: int, *, site: tuple[float, float] | None = None) -> System:
    """Random arrivals at berths side by side; with a site (mean hours open, closed) a closing holds what is handled."""
    build = Builder()
    line = build.line("goods")
    where = -1 if site is None else build.site("port", [site[0]] * 12, [site[1]] * 12)
    berths = build.choice([build.berth("berth", servers)])
    build.source("arrivals", line, exponential(1.0 / arrivals))
    build.seize("wait", berths)
    build.handle("service", service, site=where)
    build.release()
    build.end(line)
    return build.build()


def tandem(arrivals: float, services: Sequence[float]) -> System:
    build = Builder()
    line = build.line("goods")
    build.source("arrivals", line, exponential(1.0 / arrivals))
    for number, service in enumerate(services):
        build.seize(f"wait {number}", build.choice([build.berth(f"berth {number}", 1)]))
        build.delay(f"service {number}", exponential(service), k.HANDLING)
        build.release()
    build.end(line)
    return build.build()


def fleet(ships: int, services: Sequence[float], away: float, *, servers: int = 1) -> System:
    """Ships that go round between berths; a round trip carries one unit of an endless stock."""
    build = Builder()
    line = build.line("trips")
    stocks = build.stocks([build.pool("goods", line, is_endless=True)])
    berths = [build.choice([build.berth(f"berth {number}", servers)]) for number in range(len(services))]
    first = build.here
    for number, service in enumerate(services):
        build.seize(f"wait {number}", berths[number])
        build.delay(f"service {number}", exponential(service), k.HANDLING)
        build.release()
        if number == 0:
            build.load("load", stocks, 1.0)
    build.delay("sea", exponential(away), k.SAILING)
    build.unload()
    build.jump(first)
    for ship in range(ships):
        build.token(f"ship {ship}", first)
    return build.build()


def filling(batch: int, per_time: float, *, ships: int = 50) -> System:
    """Units that come singly and leave when a batch is full; ships are always there."""
    build = Builder()
    line = build.line("goods")
    pool = build.pool("stock", line)
    build.source("arrivals", line, exponential(1.0 / per_time))
    build.put(pool)
    first = build.load("load", build.stocks([pool]), float(batch), least=float(batch))
    build.unload()
    build.jump(first)
    for ship in range(ships):
        build.token(f"ship {ship}", first)
    return build.build()


def bulk(arrivals: float, services: float, batch: int) -> System:
    """One server that begins once somebody is there and, when done, takes along up to a batch of those who have come until then."""
    build = Builder()
    line = build.line("goods")
    pool = build.pool("stock", line)
    build.source("arrivals", line, exponential(1.0 / arrivals))
    build.put(pool)
    stocks = build.stocks([pool])
    first = build.load("begin", stocks, 0.0, least=1.0)
    build.delay("service", exponential(1.0 / services), k.HANDLING)
    build.load("load", stocks, float(batch))
    build.unload()
    build.jump(first)
    build.token("server", first)
    return build.build()


def waits(system: System, rounds: Sequence[Replication], step: str) -> list[float]:
    """Mean wait at a step, by replication."""
    row = system.row("step", step)
    return [found.state.values[row + k.S_WAIT] / found.state.things[row + k.S_COUNT] for found in rounds]


def waited(system: System, rounds: Sequence[Replication], step: str) -> list[float]:
    """Share that had to wait at a step, by replication."""
    row = system.row("step", step)
    return [found.state.things[row + k.S_WAITED] / found.state.things[row + k.S_COUNT] for found in rounds]


def inside(rounds: Sequence[Replication], warm: float, *, line: int = 0) -> list[float]:
    """Mean units inside a line, by replication."""
    return [float(np.mean(found.series[line, int(warm / 100.0) :])) for found in rounds]


def out(system: System, rounds: Sequence[Replication], line: str, hours: float) -> list[float]:
    """Units that left a line per hour, by replication."""
    row = system.row("line", line)
    return [found.state.values[row + k.G_OUT] / hours for found in rounds]


def closed_share(found: Replication, hours: float) -> float:
    """Share of the time that the only site was closed."""
    first = found.state.counter[k.SITES] + k.W_MONTH
    return float(found.state.values[first : first + 12].sum()) / hours
