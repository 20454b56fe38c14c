"""What a way costs by the tariffs of those who run it, beside what the model charges."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.errors import DataError, Problem
from karvan.measures.apply import apply
from karvan.pricing import rule_for, usd_per_t
from karvan.results.rounding import rounded
from karvan.routing.families import split
from karvan.schema import ANY
from karvan.study.options import ScenarioOptions, prepare
from karvan.study.route import ShippingDesk

_USD, _ESTIMATE = "USD", "estimate"


def tariff(
    corridor: Corridor,
    origin: str,
    destination: str,
    *,
    date: datetime.date,
    commodity: str,
    family: str | None = None,
    via: Sequence[str] = (),
    scenario: str | None = None,
    options: ScenarioOptions | None = None,
) -> dict[str, Any]:
    """Legs of the cheapest way on a day with the rule of each operator, in USD per tonne; through tariffs that take the place of the sum.

    The way is the cheapest of a family of routes: by default that of the corridor itself, if one leads there. A leg without a rule has the
    charge that the model uses. What rests on an estimate is said to do so. Rates of exchange are the last ones known on the day. Before
    the base year the way is that of its first day. A measure that adds rules adds them here.

    Args:
        corridor: The corridor.
        origin, destination: Places by id, name, other name or UN/LOCODE.
        date: The day.
        commodity: Goods by group, name or other name.
        family: Family of routes, or any for the cheapest of all.
        via: Links, terminals, facilities, route families, countries or places to pass.
        scenario: Scenario id.
        options: Measures added or taken out, values set, an overlay.

    Raises:
        DataError: A name is unknown, there is no way, or a rule's currency has no rate.
    """
    day = max(date, datetime.date(corridor.manifest.base_year, 1, 1))
    name, given = scenario or corridor.manifest.baseline, options or ScenarioOptions()
    desk, prepared = ShippingDesk(corridor, scenario=name, options=given), prepare(corridor, name, given)

    def asked_by(*families: str) -> dict[str, Any]:
        passing = (*via, *families)
        return desk.answer(origin, destination, commodity=commodity, depart=day, via=passing, max_options=8).as_dict()

    known = corridor.tables["route_families"]["family_id"].to_list()
    if family not in (None, ANY, *known):
        raise DataError(Problem("route_families", None, "family_id", f"{family} names no row; there are {', '.join(known)}"))
    told = asked_by(*([] if family in (None, ANY) else [str(family)]))
    own = _own_family(corridor, told["commodity_group"]) if family is None and not via else None
    if own is not None:
        ours = asked_by(own)
        told = ours if ours["options"] else told
    if not told["options"]:
        raise DataError(Problem("route", None, None, f"there is no way from {origin} to {destination} on {date}"))
    way = min(told["options"], key=lambda option: option["cost_usd_per_t"])
    group, tables = told["commodity_group"], prepared.corridor.tables
    rules = apply(prepared.scenario, prepared.corridor, period=f"{day:%Y-%m}").tables["tariff_rules"].to_dicts()
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
            "rule_usd_per_t": value, "is_regulated": rule["is_regulated"], "note": rule["note"], "source": rule["source"],
            "confidence": str(rule["confidence"]),
        }  # fmt: skip

    places = dict(tables["places"].select("place_id", "name").iter_rows())
    operators = dict(tables["operators"].select("operator_id", "name").iter_rows())
    legs = []
    for leg in way["legs"]:
        ends = (leg["from"], leg["to"])
        found = asked(leg["operator"], ends, leg["loading_unit"], leg["length_km"]) if leg["operator"] else None
        model = leg["tariff_usd_per_t"] + leg["handling_usd_per_t"]
        legs.append({
            "from": leg["from"], "from_name": places.get(leg["from"], leg["from"]),
            "to": leg["to"], "to_name": places.get(leg["to"], leg["to"]),
            "operator_id": leg["operator"], "operator": operators.get(leg["operator"]),
            "mode": leg["mode"], "loading_unit": leg["loading_unit"],
            "length_km": leg["length_km"], "model_usd_per_t": model, "rule": found,
            "is_estimate": leg["is_cost_estimate"] if found is None else found["confidence"] == _ESTIMATE,
            "usd_per_t": model if found is None else found["rule_usd_per_t"],
        })  # fmt: skip
    ends = (told["origin"]["place_id"], told["destination"]["place_id"])
    unit = next((leg["loading_unit"] for leg in legs if leg["loading_unit"] == "container"), legs[0]["loading_unit"])
    length = sum(leg["length_km"] for leg in legs)
    goods = dict(tables["commodities"].select("commodity_group", "name").iter_rows())
    result: dict[str, Any] = rounded({
        "date": date.isoformat(), "origin": ends[0], "origin_name": told["origin"]["name"], "destination": ends[1],
        "destination_name": told["destination"]["name"], "commodity_group": group, "commodity": goods[group], "family_id": way["family_id"],
        "t_per_unit": payload.get(unit, 1.0), "loading_unit": unit, "legs": legs, "operators": _by_operator(legs),
        "sum_usd_per_t": sum(leg["usd_per_t"] for leg in legs), "model_usd_per_t": sum(leg["model_usd_per_t"] for leg in legs),
        "estimate_usd_per_t": sum(leg["usd_per_t"] for leg in legs if leg["is_estimate"]), "through": asked(None, ends, unit, length),
    })  # fmt: skip
    return result


def _own_family(corridor: Corridor, group: str) -> str | None:
    """The first family of routes for these goods that passes the corridor's cordon."""
    tables = corridor.tables
    counted = set(tables["cordons"].filter(pl.col("cordon_id") == corridor.manifest.headline_cordon)["link_id"])
    for row in tables["route_families"].sort("order").iter_rows(named=True):
        passed = {*split(row["via_any"]), *split(row["via_all"])}
        if passed & counted and {ANY, group} & set(split(row["commodities"])):
            return str(row["family_id"])
    return None


def _by_operator(legs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each operator takes on the way, in its order."""
    found: dict[str | None, dict[str, Any]] = {}
    for leg in legs:
        key = leg["operator_id"]
        row = found.setdefault(
            key, {"operator_id": key, "operator": leg["operator"], "usd_per_t": 0.0, "model_usd_per_t": 0.0, "is_estimate": False}
        )
        row["usd_per_t"] += leg["usd_per_t"]
        row["model_usd_per_t"] += leg["model_usd_per_t"]
        row["is_estimate"] |= leg["is_estimate"] and leg["usd_per_t"] > 0.0
    return [row for row in found.values() if row["usd_per_t"] > 0.0 or row["model_usd_per_t"] > 0.0]


def _per_usd(currencies: pl.DataFrame, currency: str, date: datetime.date) -> float:
    if currency == _USD:
        return 1.0
    rows = currencies.filter(pl.col("currency") == currency).sort("date")
    if rows.is_empty():
        raise DataError(Problem("currencies", None, "currency", f"holds no rate of {currency}, which a rule of tariff_rules is in"))
    known = rows.filter(pl.col("date") <= date)
    return float(known["per_usd"][-1] if known.height else rows["per_usd"][0])
