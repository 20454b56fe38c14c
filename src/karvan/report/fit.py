"""A calibration on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fit_lines(fit: Mapping[str, Any]) -> list[str]:
    """What was fitted to what, as lines.

    Args:
        fit: `Calibration.as_dict()`.
    """
    lines = [
        f"{fit['constant_count']} constants and {fit['factor_count']} factors fitted on {fit['observation_count']} observed values.",
        "",
        *_spreads(fit),
        *_waits(fit),
        "  3. CONSTANTS AND TOTALS",
        f"  {'target':<44}{'observed':>12}{'model':>12}{'error':>9}",
    ]
    for row in fit["targets"]:
        lines.append(f"  {row['target_id'][:43]:<44}{row['value']:>12,.1f}{row['model']:>12,.1f}{row['error_share']:>9.2%}")
    lines += ["", f"  {'route family':<24}{'goods':<22}{'constant, USD/t':>16}"]
    for row in fit["constants"]:
        lines.append(f"  {row['family_id']:<24}{row['commodity_group']:<22}{row['constant_usd_per_t']:>16.1f}")
    return [*lines, *_identification(fit)]


def _spreads(fit: Mapping[str, Any]) -> list[str]:
    if not fit["spreads"]:
        return []
    lines = [
        "  1. SPREAD OF CHOICE   theta = elasticity / (cost x (1 - share)), base year, weighed by flow",
        f"  {'goods':<22}{'target':>8}{'range':>12}{'the fit has':>13}{'theta stored':>14}{'theta of target':>17}",
    ]
    for row in fit["spreads"]:
        spread = "" if row["low"] is None else f"{row['low']:g} .. {row['high']:g}"
        lines.append(
            f"  {row['commodity_group']:<22}{row['target']:>8.1f}{spread:>12}{row['elasticity']:>13.2f}"
            f"{row['family_theta_per_usd_per_t']:>14.4f}{row['theta_of_target_per_usd_per_t']:>17.4f}"
        )
    return [*lines, ""]


def _waits(fit: Mapping[str, Any]) -> list[str]:
    if not fit["waits"]:
        return ["  2. FULL IN THE BASE YEAR   nothing", ""]
    lines = [f"  2. FULL IN THE BASE YEAR{'USD/t':>36}{'as a wait, days':>18}"]
    for row in fit["waits"]:
        guess = "" if row["is_public"] else "   (its limit is a guess)"
        lines.append(f"  {row['name'][:46]:<48}{row['price_usd_per_t']:>12.1f}{row['equal_wait_h'] / 24.0:>18.1f}{guess}")
    return [*lines, ""]


def _identification(fit: Mapping[str, Any]) -> list[str]:
    if not fit["identification"]:
        return []
    lines = [
        "",
        "  NOT SEPARABLE   where a facility is full in the base year, only constant plus scarcity is known",
        f"  {'route family':<16}{'goods':<20}{'full facility':<28}{'constant as fitted':>15}{'if it had room':>18}",
    ]
    for row in fit["identification"]:
        lines.append(
            f"  {row['family_id']:<16}{row['commodity_group']:<20}{row['facility_id']:<28}{row['constant_usd_per_t']:>18.1f}"
            f"{row['constant_without_scarcity_usd_per_t']:>15.1f}"
        )
    return lines
