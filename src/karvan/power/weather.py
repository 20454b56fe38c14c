"""Chance of the weather: series that last from hour to hour and are alike at places near by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WIND, SUN, LOAD, PORT = 1, 2, 3, 4
"""Purposes, each with a stream of its own, so that a change to one leaves the others alone."""

ALIKE_KM = 600.0
"""Distance at which the likeness of weather has fallen to 1/e."""

_EARTH_KM = 6371.0


def likeness(lat_deg: FloatArray, lon_deg: FloatArray, *, alike_km: float = ALIKE_KM) -> FloatArray:
    """Correlation of weather between places: exp(-distance / alike_km), shape (places, places)."""
    lat, lon = np.deg2rad(lat_deg), np.deg2rad(lon_deg)
    half = np.sin((lat[:, None] - lat) / 2.0) ** 2 + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2.0) ** 2
    distance = 2.0 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    found: FloatArray = np.exp(-distance / alike_km)
    return found


def lasting(steps: int, alike: FloatArray, memory: float, *, seed: int, purpose: int) -> FloatArray:
    """Standard normal series z_t = m z_(t-1) + sqrt(1 - m^2) e_t at several places, whose e are alike; shape (steps, places).

    Args:
        steps: How many.
        alike: Correlation between places, shape (places, places), or a covariance, which the series then have.
        memory: Correlation from one step to the next, below 1.
        seed: Of all chance.
        purpose: Stream.
    """
    places = len(alike)
    if not places:
        return np.empty((steps, 0))
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, purpose))))
    root = np.linalg.cholesky(alike + 1e-9 * np.eye(places))
    shocks = np.einsum("tj,ij->ti", generator.standard_normal((steps, places)), root, optimize=False)
    found = np.empty((steps, places))
    found[0] = shocks[0]
    fresh = np.sqrt(1.0 - memory**2)
    for step in range(1, steps):
        found[step] = memory * found[step - 1] + fresh * shocks[step]
    return found
