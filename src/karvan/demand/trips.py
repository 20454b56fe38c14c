"""Trips between the zones of a road network, by classes that bear costs of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TRIP_COLUMNS = {"origin": pl.Int64, "destination": pl.Int64, "trips": pl.Float64}


@dataclass(frozen=True)
class ElasticDemand:
    """How many trips are made at a cost u of a pair.

    `isoelastic`: trips ((price + u)/(price + base_cost))^(-elasticity); `exponential`: trips exp(-elasticity (u - base_cost)).

    Attributes:
        base_cost: Cost at which the trips of the table are made, in units of time: of each row of the table, or one for all.
        elasticity: sigma, without unit; of `exponential` per unit of time. Above zero.
        function: `isoelastic` or `exponential`.
        price: What the trip or its goods cost without the way, in units of time, zero or more.
    """

    base_cost: float | FloatArray
    elasticity: float
    function: str = "isoelastic"
    price: float = 0.0


@dataclass(frozen=True)
class TrafficClass:
    """A kind of vehicle: its trips and what a link costs it.

    The cost of a link is its time, which all share, plus toll/value_of_time plus time_per_length x length plus its own time.

    Attributes:
        name: What results call it.
        trips: Columns origin, destination (ids of zones) and trips, vehicles; a pair may have one row.
        unit_equivalent: Units of capacity that a vehicle takes, above zero.
        value_of_time: What a unit of time is worth, in the unit of tolls; infinite: tolls do not count.
        time_per_length: What a unit of length is worth beside the time it takes, in units of time.
        own_time: More that links cost this class, in units of time, zero or more, shape (links,); None for nothing.
        is_allowed: Links that it may use, shape (links,); None for all.
        elastic: How its trips answer to cost; None for fixed demand.
    """

    name: str
    trips: pl.DataFrame
    unit_equivalent: float = 1.0
    value_of_time: float = math.inf
    time_per_length: float = 0.0
    own_time: FloatArray | None = None
    is_allowed: BoolArray | None = None
    elastic: ElasticDemand | None = None
