"""Extra hours at facilities that fill, and what they cost the goods that pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STEEPEST_USE = 0.95
"""Use of capacity up to which a curve is evaluated; above it the tangent there is taken."""
_HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class DelayCurves:
    """Delay curves in rows of the facilities table: queues, and roads that fill. One without either has zeros, so it delays nobody.

    Attributes:
        eta_s_h: Variability over servers, times the hours of a batch, eta s, shape (facilities,).
        kappa: Exponent of use, 1 or more, shape (facilities,).
        reference_use_share: Use at which the hours of the case hold with the queue, shape (facilities,).
        road_h: Hours that a road adds at full use, shape (facilities,).
        road_power: Exponent of its use, 1 or more, shape (facilities,).
        road_reference_use_share: Use at which the hours of the case hold with the road, shape (facilities,).
    """

    eta_s_h: FloatArray
    kappa: FloatArray
    reference_use_share: FloatArray
    road_h: FloatArray
    road_power: FloatArray
    road_reference_use_share: FloatArray

    @property
    def has_any(self) -> bool:
        """Something delays somebody."""
        return bool(self.eta_s_h.any() or self.road_h.any())


def read_curves(tables: Mapping[str, pl.DataFrame]) -> DelayCurves:
    """Delay curves of a snapshot: eta = v / m and kappa = sqrt(2 (m + 1)) - 1 of queues, free time times delay factor of roads.

    Args:
        tables: The snapshot's tables, `facilities`, `delay_curves` and `road_curves` among them.

    Source:
        Sakasegawa (1977), An approximation formula Lq = a rho^b / (1 - rho); exact for one server with random arrivals and any service.
        Bureau of Public Roads (1964), Traffic Assignment Manual.
    """
    row_of = {name: row for row, name in enumerate(tables["facilities"]["facility_id"])}
    eta_s_h, kappa, reference = np.zeros(len(row_of)), np.ones(len(row_of)), np.zeros(len(row_of))
    road_h, road_power, road_reference = np.zeros(len(row_of)), np.ones(len(row_of)), np.zeros(len(row_of))
    roads = tables["road_curves"]
    rows = np.array([row_of[name] for name in roads["facility_id"]], dtype=np.int64)
    road_h[rows] = roads["free_time_h"].to_numpy() * roads["delay_factor"].to_numpy()
    road_power[rows] = roads["power"].to_numpy()
    road_reference[rows] = roads["reference_use_share"].to_numpy()
    found = tables["delay_curves"]
    rows = np.array([row_of[name] for name in found["facility_id"]], dtype=np.int64)
    servers = found["servers_count"].to_numpy()
    eta_s_h[rows] = found["variability_ratio"].to_numpy() / servers * found["service_time_h"].to_numpy()
    kappa[rows] = np.sqrt(2.0 * (servers + 1.0)) - 1.0
    reference[rows] = found["reference_use_share"].to_numpy()
    return DelayCurves(eta_s_h, kappa, reference, road_h, road_power, road_reference)


def with_reference(curves: DelayCurves, use_share: FloatArray) -> DelayCurves:
    """The curves with another use, at most 1, at which the hours of the case hold, shape (facilities,)."""
    reference = np.clip(use_share, 0.0, 1.0)
    return replace(curves, reference_use_share=reference, road_reference_use_share=reference)


def use_share(flow: FloatArray, other_load: FloatArray, effective_capacity: FloatArray) -> FloatArray:
    """Share of effective capacity in use.

    Args:
        flow: Load by the markets of the case, shape (facilities,).
        other_load: Load by traffic outside the case, shape (facilities,).
        effective_capacity: Before the other load is taken off; infinity is no limit, shape (facilities,).

    Returns:
        Shares, zero where there is no capacity to use, shape (facilities,).
    """
    share = np.zeros(flow.shape[0])
    np.divide(flow + other_load, effective_capacity, out=share, where=effective_capacity > 0.0)
    return share


def wait_h(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Mean wait in the queue at some use, d = eta s rho^kappa / (1 - rho), with its tangent above a use of 0.95; convex and rising.

    Args:
        curves: The curves.
        share: rho, use of effective capacity, zero or more, shape (facilities,).

    Returns:
        Hours, shape (facilities,).
    """
    inside = np.minimum(share, STEEPEST_USE)
    hours = curves.eta_s_h * inside**curves.kappa / (1.0 - inside)
    return np.asarray(hours + _slope(curves, inside) * (share - inside), dtype=np.float64)


def wait_slope_h(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Derivative of the wait by use, hours per whole capacity, constant above a use of 0.95, shape (facilities,)."""
    return _slope(curves, np.minimum(share, STEEPEST_USE))


def _slope(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Derivative of the formula by use: eta s rho^(kappa - 1) (kappa (1 - rho) + rho) / (1 - rho)^2."""
    free = 1.0 - share
    rise = curves.kappa * free + share
    return np.asarray(curves.eta_s_h * share ** (curves.kappa - 1.0) * rise / free**2, dtype=np.float64)


def road_delay_h(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Hours that roads take more than when they are empty, free time x factor x rho^power, shape (facilities,)."""
    return np.asarray(curves.road_h * share**curves.road_power, dtype=np.float64)


def delay_h(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Hours more than the case holds already, d(rho) - d(reference), of queue and road: zero at the reference use, below zero under it.

    Args:
        curves: The curves.
        share: Use of effective capacity, zero or more, shape (facilities,).

    Returns:
        Hours, shape (facilities,).
    """
    queue = wait_h(curves, share) - wait_h(curves, curves.reference_use_share)
    return queue + road_delay_h(curves, share) - road_delay_h(curves, curves.road_reference_use_share)


def delay_slope_h(curves: DelayCurves, share: FloatArray) -> FloatArray:
    """Derivative of `delay_h` by use, hours per whole capacity, shape (facilities,)."""
    power = curves.road_power
    return wait_slope_h(curves, share) + curves.road_h * power * np.maximum(share, 0.0) ** (power - 1.0)


def route_delay_cost(
    extra_h: FloatArray,
    *,
    route_first_entry: IntArray,
    entry_row: IntArray,
    market_of_route: IntArray,
    market_time_value_usd_per_t_d: FloatArray,
) -> FloatArray:
    """What the extra hours of the facilities on a route cost its goods: VOT / 24 times their sum, each facility once per entry.

    Args:
        extra_h: Extra hours at each facility, shape (facilities,). Rows of the program after the facilities cost no time.
        route_first_entry: Entry where each route starts, and the end, shape (routes + 1,).
        entry_row: Row of the program that the route uses, shape (entries,).
        market_of_route: Market of each route, shape (routes,).
        market_time_value_usd_per_t_d: Value of a day of a tonne under way, by market, shape (markets,).

    Returns:
        USD/t, shape (routes,).
    """
    is_facility = entry_row < extra_h.shape[0]
    route_of_entry = np.repeat(np.arange(market_of_route.shape[0], dtype=np.int64), np.diff(route_first_entry))
    hours = np.bincount(route_of_entry[is_facility], weights=extra_h[entry_row[is_facility]], minlength=market_of_route.shape[0])
    return np.asarray(market_time_value_usd_per_t_d[market_of_route] / _HOURS_PER_DAY * hours, dtype=np.float64)
