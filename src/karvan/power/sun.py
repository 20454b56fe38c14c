"""Sunshine without downloads: where the sun stands, what a clear sky lets through, what a panel makes of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from karvan.power.calendar import HOURS

FloatArray = npt.NDArray[np.float64]

_SOLAR_CONSTANT = 1367.0
_TEMPERATURE_LOSS_PER_K = 0.004
_NOMINAL_CELL_RISE_K = 25.0
_AIR_C = 20.0
_SYSTEM_SHARE = 0.86


def cosine_of_zenith(lat_deg: float, lon_deg: float) -> FloatArray:
    """Cosine of the angle between sun and zenith at the middle of each hour of a year in UTC, zero at night; shape (hours,).

    Source:
        Spencer (1971), Fourier series representation of the position of the sun, Search 2.
    """
    cosine, _, _ = _sun(lat_deg, lon_deg)
    return np.maximum(cosine, 0.0)


def _sun(lat_deg: float, lon_deg: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    moment = np.arange(HOURS) + 0.5
    angle = 2.0 * np.pi * (moment / 24.0) / 365.0
    declination = (
        0.006918 - 0.399912 * np.cos(angle) + 0.070257 * np.sin(angle) - 0.006758 * np.cos(2 * angle) + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle) + 0.00148 * np.sin(3 * angle)
    )  # fmt: skip
    ahead_min = 229.18 * (
        0.000075 + 0.001868 * np.cos(angle) - 0.032077 * np.sin(angle) - 0.014615 * np.cos(2 * angle) - 0.040849 * np.sin(2 * angle)
    )
    turned = np.deg2rad(15.0 * (moment % 24.0 - 12.0) + lon_deg + ahead_min / 4.0)
    lat = np.deg2rad(lat_deg)
    cosine = np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(turned)
    return cosine, declination, turned


def clear_sky_w_per_m2(cosine: FloatArray) -> FloatArray:
    """Global horizontal irradiance under a clear sky: 1098 cos z exp(-0.059 / cos z).

    Args:
        cosine: Cosine of the zenith angle, zero or more, any shape.

    Source:
        Haurwitz (1945), Insolation in relation to cloudiness and cloud density, Journal of Meteorology 2.
    """
    cosine = np.asarray(cosine, dtype=np.float64)
    safe = np.where(cosine > 1e-4, cosine, 1.0)
    return np.where(cosine > 1e-4, 1098.0 * safe * np.exp(-0.059 / safe), 0.0)


def diffuse_share(clearness: FloatArray) -> FloatArray:
    """Share of global irradiance that is diffuse, by the clearness index.

    Source:
        Erbs, Klein, Duffie (1982), Estimation of the diffuse radiation fraction, Solar Energy 28.
    """
    k = np.asarray(clearness, dtype=np.float64)
    middle = 0.9511 - 0.1604 * k + 4.388 * k**2 - 16.638 * k**3 + 12.336 * k**4
    return np.where(k <= 0.22, 1.0 - 0.09 * k, np.where(k <= 0.8, middle, 0.165))


def panel_share(clear_index: FloatArray, lat_deg: float, lon_deg: float) -> FloatArray:
    """What a panel that faces the equator at its latitude's tilt gives, as a share of its rating, shape (hours,).

    Sky by the clear-sky index, split into beam and diffuse, laid on the panel with an isotropic sky; warm cells give less. The air is
    taken at 20 degrees all year, so that cold sunny days are a little understated.

    Args:
        clear_index: Irradiance over that of a clear sky in each hour, shape (hours,).
        lat_deg, lon_deg: Where.

    Source:
        Dobos (2014), PVWatts version 5 manual, NREL/TP-6A20-62641.
    """
    cosine, declination, turned = _sun(lat_deg, lon_deg)
    high = np.maximum(cosine, 0.0)
    flat = clear_index * clear_sky_w_per_m2(high)
    diffuse = flat * diffuse_share(flat / np.maximum(_SOLAR_CONSTANT * high, 1.0))
    beam = np.where(high > 0.05, (flat - diffuse) / np.maximum(high, 0.05), 0.0)
    tilt = np.deg2rad(abs(lat_deg))
    lat = np.deg2rad(lat_deg) - np.sign(lat_deg) * tilt
    facing = np.maximum(np.sin(lat) * np.sin(declination) + np.cos(lat) * np.cos(declination) * np.cos(turned), 0.0)
    on_panel = beam * facing * (high > 0.0) + diffuse * (1.0 + np.cos(tilt)) / 2.0
    warm = _AIR_C + on_panel / 800.0 * _NOMINAL_CELL_RISE_K
    share = on_panel / 1000.0 * (1.0 - _TEMPERATURE_LOSS_PER_K * (warm - 25.0)) * _SYSTEM_SHARE
    found: FloatArray = np.clip(share, 0.0, 1.0)
    return found
