"""What a way costs by the tariffs of those who run it, beside what the model charges."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.pricing import rule_for, usd_per_t
from karvan.results.rounding import rounded
from karvan.schema import ANY
from karvan.study.options import ScenarioOptions
from karvan.study.route import route

_USD = "USD"


def tariff(
    corridor: Corridor,
    origin: str,
    destination: str,
    *,
    date: datetime.date,
    commodity: str,
    via: Sequence[str] = (),
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
) -> dict[str, Any]:
    """Legs of the cheapest way on a day with the rule of each operator, in USD per tonne; through tariffs that take the place of the sum.

    A leg without a rule has the charge that the model uses, which is said to be an estimate where it is one. Rates of exchange are the
    last ones known on the day. Before the base year the way is that of its first day.

    Args:
        corridor: The corridor.
        origin, destination: Places by id, name, other name or UN/LOCODE.
        date: The day.
        commodity: Goods by group, name or other name.
        via: Links, terminals, facilities, route families, countries or places to pass.
        scenario: Scenario id.
        options: Measures added or taken out, values set, an overlay.

    Raises:
        DataError: A name is unknown, there is no way, or a rule's currency has no rate.
    """
    day = max(date, datetime.date(corridor.manifest.base_year, 1, 1))
    answer = route(
        corridor, origin, destination, commodity=commodity, depart=day, via=via, max_options=8, scenario=scenario, options=options
    )  # fmt: skip
    told = answer.as_dict()
    if not told["options"]:
        raise DataError(Problem("route", None, None, f"there is no way from {origin} to {destination} on {date}"))
    way = min(told["options"], key=lambda option: option["cost_usd_per_t"])
    group, tables = told["commodity_group"], corridor.tables
    rules = tables["tariff_rules"].to_dicts()
    units = tables["commodity_units"].filter(pl.col("commodity_group") == group)
    payload = dict(units.select("loading_unit", "payload_t_per_unit").iter_rows())

    def asked(operator: str | None, ends: tuple[str, str], unit: str, length_km: float) -> dict[str, Any] | None:
        rule = rule_for(
            rules, date=date, operator_id=operator, ends=ends, commodity_group=group, loading_unit=unit, length_km=length_km, anything=ANY
        )  # fmt: skip
        if rule is None:
            return None
        per_usd = _per_usd(tables["currencies"], rule["currency"], date)
        value = usd_per_t(rule, length_km=length_km, payload_t=payload.get(unit, 1.0), per_usd=per_usd)
        return {
            "rule_id": rule["rule_id"], "basis": rule["basis"], "rate": rule["rate"], "currency": rule["currency"], "per_usd": per_usd,
            "rule_usd_per_t": value, "is_regulated": rule["is_regulated"], "source": rule["source"], "confidence": str(rule["confidence"]),
        }  # fmt: skip

    legs = []
    for leg in way["legs"]:
        ends = (leg["from"], leg["to"])
        found = asked(leg["operator"], ends, leg["loading_unit"], leg["length_km"]) if leg["operator"] else None
        model = leg["tariff_usd_per_t"] + leg["handling_usd_per_t"]
        legs.append({
            "from": leg["from"], "to": leg["to"], "operator_id": leg["operator"], "mode": leg["mode"], "loading_unit": leg["loading_unit"],
            "length_km": leg["length_km"], "model_usd_per_t": model, "rule": found,
            "is_estimate": found is None and leg["is_cost_estimate"],
            "usd_per_t": model if found is None else found["rule_usd_per_t"],
        })  # fmt: skip
    ends = (told["origin"]["place_id"], told["destination"]["place_id"])
    unit = next((leg["loading_unit"] for leg in legs if leg["loading_unit"] == "container"), legs[0]["loading_unit"])
    length = sum(leg["length_km"] for leg in legs)
    result: dict[str, Any] = rounded({
        "date": date.isoformat(), "origin": ends[0], "destination": ends[1], "commodity_group": group, "legs": legs,
        "sum_usd_per_t": sum(leg["usd_per_t"] for leg in legs), "model_usd_per_t": sum(leg["model_usd_per_t"] for leg in legs),
        "estimate_usd_per_t": sum(leg["usd_per_t"] for leg in legs if leg["is_estimate"]), "through": asked(None, ends, unit, length),
    })  # fmt: skip
    return result


def _per_usd(currencies: pl.DataFrame, currency: str, date: datetime.date) -> float:
    if currency == _USD:
        return 1.0
    rows = currencies.filter(pl.col("currency") == currency).sort("date")
    if rows.is_empty():
        raise DataError(Problem("currencies", None, "currency", f"holds no rate of {currency}, which a rule of tariff_rules is in"))
    known = rows.filter(pl.col("date") <= date)
    return float(known["per_usd"][-1] if known.height else rows["per_usd"][0])
