"""Wind without downloads: speeds that last, are alike near by, and have the right mean by month."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SHAPE = 2.0
_CUT_IN, _RATED, _CUT_OUT = 3.0, 12.5, 25.0
_QUANTILES = 2000
_SCALES, _WINDIEST = 400, 14.5


def weibull_speed(chance: FloatArray, scale_m_per_s: float | FloatArray, *, shape: float = SHAPE) -> FloatArray:
    """Wind speed at a quantile of the Weibull law: scale (-ln(1 - u))^(1/shape).

    Args:
        chance: Quantiles, 0 to 1.
        scale_m_per_s: Scale of the law.
        shape: Its shape.
    """
    found: FloatArray = scale_m_per_s * (-np.log1p(-np.asarray(chance))) ** (1.0 / shape)
    return found


def turbine_share(speed_m_per_s: FloatArray) -> FloatArray:
    """What a wind farm gives as a share of its rating: nothing below 3 and above 25 m/s, all from 12.5 m/s, the cube in between."""
    cube = (speed_m_per_s**3 - _CUT_IN**3) / (_RATED**3 - _CUT_IN**3)
    return np.where(speed_m_per_s > _CUT_OUT, 0.0, np.clip(cube, 0.0, 1.0))


@cache
def _means() -> tuple[FloatArray, FloatArray]:
    """Mean share of a farm on a fine grid of scales."""
    chance = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    scales = np.linspace(0.5, _WINDIEST, _SCALES)
    return scales, np.array([float(turbine_share(weibull_speed(chance, scale)).mean()) for scale in scales])


def scale_for(capacity_factor: FloatArray) -> FloatArray:
    """Scale of the Weibull law, in m/s, at which a farm has this mean share; same shape.

    Args:
        capacity_factor: Mean share, 0.59 at most, which is as much as the law gives.
    """
    scales, means = _means()
    return np.interp(capacity_factor, means, scales)
