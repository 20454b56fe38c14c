"""Netbacks and the arithmetic of oil; barrels and tonnes by grade, never mixed."""

from __future__ import annotations

from karvan.errors import DataError, Problem

DAYS_PER_YEAR = 365.0
_LIGHTEST_BBL_PER_T, _HEAVIEST_BBL_PER_T = 9.0, 6.0


def netback_usd_per_t(
    price_usd_per_bbl: float, *, quality_usd_per_bbl: float, bbl_per_t: float, loss_share: float, charges_usd_per_t: float
) -> float:  # fmt: skip
    """What a tonne fetches where it starts: bbl/t (price + quality) (1 - loss) - charges.

    Args:
        price_usd_per_bbl: Of the reference crude.
        quality_usd_per_bbl: Price of this crude where it sells, less the reference.
        bbl_per_t: Barrels in a tonne of this crude.
        loss_share: Oil lost on the way.
        charges_usd_per_t: Tariffs, freight and handling on the way.

    Raises:
        DataError: The density is of no crude oil.
    """
    return _density(bbl_per_t) * (price_usd_per_bbl + quality_usd_per_bbl) * (1.0 - loss_share) - charges_usd_per_t


def mt_per_year(mb_per_d: float, *, bbl_per_t: float) -> float:
    """Million tonnes a year of a flow in million barrels a day.

    Raises:
        DataError: The density is of no crude oil.
    """
    return mb_per_d * DAYS_PER_YEAR / _density(bbl_per_t)


def _density(bbl_per_t: float) -> float:
    if not _HEAVIEST_BBL_PER_T <= bbl_per_t <= _LIGHTEST_BBL_PER_T:
        message = f"is {bbl_per_t:g}, must lie between {_HEAVIEST_BBL_PER_T:g} and {_LIGHTEST_BBL_PER_T:g} barrels a tonne"
        raise DataError(Problem("crude_outlets", None, "bbl_per_t", message))
    return bbl_per_t


def tankers_needed(mt_per_year_carried: float, *, payload_t: float, cycle_d: float, working_d: float) -> float:
    """Ships that carry so much: tonnes a year over payload x working days / days of a round trip.

    Args:
        mt_per_year_carried: Million tonnes a year.
        payload_t: Load of a voyage; see `karvan.simulation.load_share` for what low water leaves of it.
        cycle_d: Days of a round trip, loading and waiting included.
        working_d: Days in a year that a ship works.
    """
    return mt_per_year_carried * 1e6 / (payload_t * working_d / cycle_d)


def buffer_d(storage_kt: float | None, flow_kt_per_year: float) -> float | None:
    """Days that tanks can take a flow while the route behind them stands; None where neither is known or nothing flows."""
    return None if storage_kt is None or flow_kt_per_year <= 0.0 else storage_kt / flow_kt_per_year * DAYS_PER_YEAR


def expected_loss_musd(loss_musd_per_d: float, *, lasts_d: float, per_year: float) -> float:
    """Loss of a mean year: how often, how long, how much a day."""
    return loss_musd_per_d * lasts_d * per_year
