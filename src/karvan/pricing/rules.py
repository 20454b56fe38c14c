"""What a dated rule of a tariff asks for a tonne."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]

_WHOLE = ("per_teu", "per_feu", "per_wagon_m", "per_truck_m")
_TEU_PER_FEU = 2.0


def usd_per_t(rule: Rule, *, length_km: float, payload_t: float, per_usd: float) -> float:
    """Charge of a rule for a tonne, USD/t.

    The rate times the coefficient of the goods, less the discount, for a unit or its length; not less than the minimum; divided by what a
    unit carries and by the rate of exchange.

    Args:
        rule: Row of `tariff_rules`.
        length_km: Length of the way.
        payload_t: What a TEU, wagon or truck carries.
        per_usd: Units of the rule's currency to the dollar.
    """
    basis, rate = rule["basis"], rule["rate"] * rule["coefficient_ratio"] * (1.0 - rule["discount_share"])
    distance = length_km if basis.endswith("_km") else 1.0
    by_metre = float(rule["length_m"] or 0.0) if basis in ("per_wagon_m", "per_truck_m") else 1.0
    unit = max(rate * distance * by_metre, rule["minimum"])
    tonnes = 1.0 if basis in ("per_t", "per_t_km") else payload_t * (_TEU_PER_FEU if basis.startswith("per_feu") else 1.0)
    return float(unit / tonnes / per_usd)


def rule_for(
    rules: Iterable[Rule],
    *,
    date: datetime.date,
    operator_id: str | None,
    ends: tuple[str, str],
    commodity_group: str,
    loading_unit: str,
    length_km: float,
    anything: str,
) -> Rule | None:
    """The most specific rule in force on a day: ends, then goods, then loading unit; the first of equals; None if there is none.

    Args:
        rules: Rows of `tariff_rules`.
        date: The day.
        operator_id: Who charges; None for through tariffs.
        ends: Places where the way starts and ends.
        commodity_group: Goods.
        loading_unit: Unit they are in.
        length_km: Length of the way.
        anything: Word that stands for all goods or units.
    """

    def is_met(rule: Rule) -> bool:
        ways: Sequence[tuple[str, str]] = (ends, ends[::-1]) if rule["both_ways"] else (ends,)
        return (
            (rule["is_through"] if operator_id is None else rule["operator_id"] == operator_id and not rule["is_through"])
            and any(rule["from_place"] in (None, one) and rule["to_place"] in (None, two) for one, two in ways)
            and rule["commodity_group"] in (anything, commodity_group)
            and rule["loading_unit"] in (anything, loading_unit)
            and (rule["from_date"] is None or rule["from_date"] <= date)
            and (rule["until_date"] is None or date < rule["until_date"])
            and rule["from_km"] <= length_km
            and (rule["until_km"] is None or length_km <= rule["until_km"])
        )

    def narrowness(rule: Rule) -> tuple[bool, bool, bool, bool]:
        return (
            rule["from_place"] is not None, rule["to_place"] is not None, rule["commodity_group"] != anything,
            rule["loading_unit"] != anything,
        )  # fmt: skip

    met = [rule for rule in rules if is_met(rule)]
    return max(met, key=narrowness) if met else None
