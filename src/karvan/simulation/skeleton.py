"""Exact waiting times and throughputs: what stands beside every simulated value, and what the simulator is proved against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Station:
    """A berth, ramp or port in a loop of ships.

    Attributes:
        demand: Mean time of one call at it, without waiting.
        servers: Calls it takes at once; infinite: no wait (time at sea).
    """

    demand: float
    servers: float = 1.0


@dataclass(frozen=True)
class Loop:
    """A closed loop of ships.

    Attributes:
        throughput: Round trips per unit of time with 1, 2, ... ships, shape (ships,).
        waits: Mean wait of a call at each station with all ships, shape (stations,).
        saturation_ships: Ships above which the fleet waits for berths rather than they for it, N* = (Z + sum D) / max(D / m).
        cap: Round trips per unit of time that no fleet exceeds, min m / D.
    """

    throughput: FloatArray
    waits: FloatArray
    saturation_ships: float
    cap: float


def fleet_loop(stations: Sequence[Station], away: float, ships: int) -> Loop:
    """Mean value analysis of ships that go round: exact for exponential calls, first come first served, of whatever time away.

    R_i(n) = D_i (1 + L_i(n-1)) at one server, X = n / (Z + sum R), L_i = X R_i; with several servers the marginal probabilities are
    carried along: R_i(n) = D_i / m (1 + L_i(n-1) + sum_j<m-1 (m - 1 - j) p_i(j | n-1)).

    Args:
        stations: Where ships queue.
        away: Mean time of a round trip at sea and elsewhere without queues, Z.
        ships: Ships, 1 or more.

    Source:
        Reiser and Lavenberg (1980), Mean-value analysis of closed multichain queuing networks.
    """
    demand = np.array([station.demand for station in stations])
    servers = [int(min(station.servers, ships)) for station in stations]
    length = np.zeros(len(stations))
    chance = [np.zeros(count) for count in servers]
    for held in chance:
        held[0] = 1.0
    throughput, stay = np.zeros(ships), demand.copy()
    for n in range(1, ships + 1):
        for i, m in enumerate(servers):
            spare = sum((m - 1 - j) * chance[i][j] for j in range(m - 1))
            stay[i] = demand[i] / m * (1.0 + length[i] + spare)
        flow = n / (away + float(stay.sum()))
        length = flow * stay
        for i, m in enumerate(servers):
            old = chance[i].copy()
            for j in range(1, m):
                chance[i][j] = flow * demand[i] / j * old[j - 1]
            rest = flow * demand[i] + sum((m - j) * chance[i][j] for j in range(1, m))
            chance[i][0] = max(0.0, 1.0 - rest / m)
        throughput[n - 1] = flow
    busiest = max((float(d) / m for d, m in zip(demand, (station.servers for station in stations), strict=True)), default=0.0)
    total = away + float(demand.sum())
    return Loop(throughput, stay - demand, total / busiest if busiest > 0.0 else math.inf, 1.0 / busiest if busiest > 0.0 else math.inf)


@dataclass(frozen=True)
class Queue:
    """A queue at rest: chance of waiting, mean wait, mean number waiting."""

    waits_share: float
    wait: float
    length: float


def many_servers(arrivals: float, service: float, servers: int) -> Queue:
    """M/M/m: random arrivals, exponential service.

    Args:
        arrivals: Per unit of time.
        service: Mean time of one.
        servers: m.

    Source:
        Erlang (1917); P(wait) by the recursion of the loss formula.
    """
    load = arrivals * service
    lost = 1.0
    for m in range(1, servers + 1):
        lost = load * lost / (m + load * lost)
    use = load / servers
    share = lost / (1.0 - use * (1.0 - lost))
    wait = share * service / (servers * (1.0 - use))
    return Queue(share, wait, arrivals * wait)


def one_server(arrivals: float, service: float, service_cv2: float) -> Queue:
    """M/G/1: random arrivals, any service; cv2 = 0 is M/D/1.

    Source:
        Pollaczek (1930) and Khinchine (1932).
    """
    use = arrivals * service
    wait = use * service * (1.0 + service_cv2) / (2.0 * (1.0 - use))
    return Queue(use, wait, arrivals * wait)


def sakasegawa(use: float, service: float, servers: int, variability: float = 1.0) -> float:
    """Mean wait at m servers, about: v s rho^(sqrt(2 (m + 1)) - 1) / (m (1 - rho)).

    Source:
        Sakasegawa (1977), An approximation formula Lq = a rho^b / (1 - rho).
    """
    return float(variability * service * use ** (math.sqrt(2.0 * (servers + 1.0)) - 1.0) / (servers * (1.0 - use)))


def filling_wait(batch: int, per_time: float) -> float:
    """Mean wait until a batch is full, of units that come singly: (K - 1) / (2 lambda)."""
    return (batch - 1) / (2.0 * per_time)


def bulk_service(arrivals: float, services: float, batch: int) -> tuple[float, float, float]:
    """M/M^[K]/1: a server takes up to K at once, also fewer, and who comes meanwhile may still join. Returns the root r0, L and W.

    r0 in (0, 1) solves mu r^(K+1) - (lambda + mu) r + lambda = 0; p_n = (1 - r0) r0^n, so L = r0 / (1 - r0), W = L / lambda.

    Args:
        arrivals: lambda, one at a time.
        services: mu, of a batch.
        batch: K.

    Source:
        Gross, Shortle, Thompson and Harris (2008), Fundamentals of Queueing Theory, 4th ed., section 3.2.
    """
    root = float(brentq(lambda r: services * r ** (batch + 1) - (arrivals + services) * r + arrivals, 1e-12, 1.0 - 1e-9))
    length = root / (1.0 - root)
    return root, length, length / arrivals


def with_closures(arrivals: float, services: float, closings: float, openings: float) -> float:
    """Mean number at a server that closes at random and goes on where it stopped.

    L = lambda ((f + r)^2 + mu f) / ((f + r) (mu r - lambda (f + r))).

    Args:
        arrivals: lambda, random.
        services: mu, exponential.
        closings: f, per unit of open time.
        openings: r, per unit of closed time.

    Source:
        White and Christie (1958), Queuing with preemptive priorities or with breakdown.
    """
    both = closings + openings
    return arrivals * (both**2 + services * closings) / (both * (services * openings - arrivals * both))


def fleet_capacity(ships: float, units: float, cycle_d: float, days: float) -> float:
    """Units a year each way of a fleet that never waits: ships x units x days / cycle."""
    return ships * units * days / cycle_d
