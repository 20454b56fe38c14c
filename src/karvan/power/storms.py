"""Wind that blows hardest while storms close ports: one draw of the weather for crossings and power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from karvan.power.weather import PORT, lasting, likeness

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Storms:
    """When weather closes ports in a year.

    Attributes:
        lat_deg, lon_deg: Where the ports are, shape (ports,).
        closed_share: Share of each hour in which they are closed, shape (hours, ports).
    """

    lat_deg: FloatArray
    lon_deg: FloatArray
    closed_share: FloatArray


def wind_of_storms(
    normal: FloatArray, lat_deg: FloatArray, lon_deg: FloatArray, storms: Storms, month: IntArray, *, memory: float, seed: int
) -> FloatArray:
    """Normal series of wind at farms, given when ports are closed; shape (hours, farms).

    A port closes when the wind there is among the strongest of its month. So its series is put in another order, month by month: its
    largest values go to the hours in which it is closed, in the order that they had. Farms follow by the linear law of normal variables
    that are alike, w = P^-1 c with P between ports and c from ports to farms: z' = z + w'(u' - u). Last, each farm has the values of its
    own month again, in the order of z', so that its law, and the energy of each month, stay as drawn without storms.

    Args:
        normal: Series at farms, shape (hours, farms).
        lat_deg, lon_deg: Where the farms are, shape (farms,).
        storms: Of the ports.
        month: Of each hour, shape (hours,).
        memory: Correlation from one hour to the next.
        seed: Of all chance.
    """
    farms = normal.shape[1]
    alike = likeness(np.concatenate((lat_deg, storms.lat_deg)), np.concatenate((lon_deg, storms.lon_deg)))
    of_farms = np.linalg.solve(alike[:farms, :farms], alike[:farms, farms:])
    own = lasting(len(normal), alike[farms:, farms:] - alike[farms:, :farms] @ of_farms, memory, seed=seed, purpose=PORT)
    at_ports = np.einsum("tf,fp->tp", normal, of_farms, optimize=False) + own
    held = np.empty_like(at_ports)
    for port in range(at_ports.shape[1]):
        held[:, port] = _in_order_of((storms.closed_share[:, port], at_ports[:, port]), at_ports[:, port], month)
    between = alike[farms:, farms:] + 1e-9 * np.eye(at_ports.shape[1])
    weights = np.linalg.solve(between, alike[farms:, :farms])
    moved = normal + np.einsum("tp,pf->tf", held - at_ports, weights, optimize=False)
    found: FloatArray = np.empty_like(moved)
    for farm in range(farms):
        found[:, farm] = _in_order_of((moved[:, farm],), normal[:, farm], month)
    return found


def _in_order_of(keys: tuple[FloatArray, ...], values: FloatArray, month: IntArray) -> FloatArray:
    """Values of each month put in the order of keys, the first of which counts most."""
    found = np.empty_like(values)
    for number in np.unique(month):
        hours = np.flatnonzero(month == number)
        order = np.lexsort(tuple(key[hours] for key in reversed(keys)))
        found[hours[order]] = np.sort(values[hours])
    return found
