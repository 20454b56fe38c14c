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
    ]
    lines.append(f"  {'target':<44}{'observed':>12}{'model':>12}{'error':>9}")
    for row in fit["targets"]:
        lines.append(f"  {row['target_id'][:43]:<44}{row['value']:>12,.1f}{row['model']:>12,.1f}{row['error_share']:>9.2%}")
    lines += ["", f"  {'route family':<24}{'goods':<22}{'constant, USD/t':>16}"]
    for row in fit["constants"]:
        lines.append(f"  {row['family_id']:<24}{row['commodity_group']:<22}{row['constant_usd_per_t']:>16.1f}")
    return lines
