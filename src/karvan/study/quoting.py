"""The money of a way: to whom, what dwell adds, and what a rate for the whole way was."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from karvan.results.shipping_quote import ShippingQuote
from karvan.routing.cost import HOURS_PER_DAY, payloads
from karvan.routing.reliability import TransitTime
from karvan.schema import ANY, LOADING_UNITS

_P90 = 0.9
_DWELL = ("port", "transfer", "gauge_change")
_STANDING = ("waiting_h", "border_h", "gauge_h", "port_h")
_CONTAINER = "container"
Leg = Mapping[str, Any]


class Quoter:
    """Quotes ways of some goods on a day."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], commodity_group: str, date: datetime.date) -> None:
        """Read operators, currencies, surcharges and through rates.

        Args:
            tables: Tables of a snapshot.
            commodity_group: The goods.
            date: Day whose rates of exchange and charges hold.
        """
        of_kind = tables["commodities"].filter(pl.col("commodity_group") == commodity_group)
        self._usual_usd_per_t = float(of_kind["value_usd_per_t"][0])
        payload = payloads(tables)[commodity_group]
        self._payload_t = {unit: float(payload[place]) for place, unit in enumerate(LOADING_UNITS)}
        self._operators = {row["operator_id"]: row for row in tables["operators"].iter_rows(named=True)}
        self._countries = dict(tables["places"].select("place_id", "country").iter_rows())
        self._currencies = _newest(tables["currencies"], date)
        self._surcharges = [
            row for row in tables["surcharges"].sort("surcharge_id").iter_rows(named=True)
            if row["commodity_group"] in (ANY, commodity_group)
            and (row["from_date"] is None or row["from_date"] <= date) and (row["until_date"] is None or row["until_date"] > date)
        ]  # fmt: skip
        self._through = list(tables["through_rates"].sort("through_rate_id").iter_rows(named=True))
        self._deflators = dict(tables["deflators"].select("year", "deflator_ratio").iter_rows())

    def quote(self, legs: Sequence[Leg], *, family_id: str | None, value_usd_per_t: float | None = None) -> ShippingQuote:
        """The money of a way.

        Args:
            legs: Its legs.
            family_id: Its route family.
            value_usd_per_t: Value of the goods, that of their kind where none is given.
        """
        total = sum(float(leg["cost_usd_per_t"]) for leg in legs)
        quoted = sum(float(leg["quoted_usd_per_t"]) for leg in legs)
        return ShippingQuote(
            administrations=tuple(self._administrations(legs)),
            surcharges=tuple(self._surcharged(legs, self._usual_usd_per_t if value_usd_per_t is None else value_usd_per_t)),
            through_rates=tuple(self._rates(legs, family_id, total)),
            quoted_share=quoted / total if total > 0.0 else 0.0,
        )

    def _administrations(self, legs: Sequence[Leg]) -> Iterable[dict[str, Any]]:
        names = list(dict.fromkeys(leg["operator"] for leg in legs if leg["operator"] is not None and leg["cost_usd_per_t"] > 0.0))
        for name in names:
            own = [leg for leg in legs if leg["operator"] == name]
            sums = {
                key: sum(float(leg[key]) for leg in own)
                for key in ("tariff_usd_per_t", "handling_usd_per_t", "scarcity_usd_per_t", "cost_usd_per_t", "quoted_usd_per_t")
            }
            row = self._operators[name]
            known = [self._currencies[country] for country in _split(row["country"]) if country in self._currencies]
            money = known[0] if len({one["currency"] for one in known}) == 1 else None  # a line of many flags charges dollars
            yield {
                "operator": name,
                "name": row["name"],
                "country": row["country"],
                **sums,
                "currency": None if money is None else money["currency"],
                "cost_local_per_t": None if money is None else sums["cost_usd_per_t"] * money["per_usd"],
                "rate_per_usd": None if money is None else money["per_usd"],
                "rate_date": None if money is None else money["date"].isoformat(),
                "rate_source": None if money is None else money["source"],
                "rate_confidence": None if money is None else money["confidence"],
            }

    def _surcharged(self, legs: Sequence[Leg], value_usd_per_t: float) -> Iterable[dict[str, Any]]:
        """Every charge that a way meets, by the most specific row of its kind."""
        for leg in legs:
            if leg["mode"] in _DWELL:
                yield from self._dwell("storage", leg["to"], leg["loading_unit"], float(leg["time_h"]), float(leg["variance_h2"]))
        boxed = [leg for leg in legs if leg["loading_unit"] == _CONTAINER]
        if boxed:
            time_h, variance = (sum(float(leg[key]) for leg in boxed) for key in ("time_h", "variance_h2"))
            yield from self._dwell("container_hire", boxed[-1]["to"], _CONTAINER, time_h, variance)
        wagons = [leg for leg in legs if leg["loading_unit"] == "wagon"]
        standing = sum(float(leg[key]) for leg in wagons for key in _STANDING)
        if standing > 0.0:
            variance = sum(float(leg["variance_h2"]) for leg in wagons if any(leg[key] for key in _STANDING))
            yield from self._dwell("wagon_detention", wagons[-1]["to"], "wagon", standing, variance)
        yield from self._once("insurance", legs[-1], None, value_usd_per_t)
        ends = {self._countries.get(legs[0]["from"]), self._countries.get(legs[-1]["to"])}
        passed: dict[str, Leg] = {}
        for leg in legs:
            for place in (leg["from"], leg["to"]):
                country = self._countries.get(place)
                if country is not None and country not in ends:
                    passed.setdefault(country, leg)
        for country, leg in passed.items():
            yield from self._once("transit_guarantee", leg, country, value_usd_per_t)

    def _row(self, kind: str, place: str, unit: str, country: str | None) -> Mapping[str, Any] | None:
        def specific(row: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
            return (row["place_id"] is not None, row["country"] is not None, row["commodity_group"] != ANY, row["loading_unit"] != ANY)

        fitting = [
            row for row in self._surcharges
            if row["kind"] == kind and row["place_id"] in (None, place) and row["country"] in (None, country)
            and row["loading_unit"] in (ANY, unit)
        ]  # fmt: skip
        return max(fitting, key=specific, default=None)

    def _dwell(self, kind: str, place: str, unit: str, time_h: float, variance_h2: float) -> Iterable[dict[str, Any]]:
        row = self._row(kind, place, unit, self._countries.get(place))
        if row is None or time_h <= 0.0:
            return
        dwell, free_h = TransitTime(time_h, variance_h2), HOURS_PER_DAY * row["free_d"]
        days = (dwell.excess_h(free_h) / HOURS_PER_DAY, max(dwell.quantile_h(_P90) - free_h, 0.0) / HOURS_PER_DAY)
        per_day = row["rate"] if row["basis"] == "usd_per_t_d" else row["rate"] / self._payload_t[unit]
        yield self._told(row, place, [per_day * value for value in days])

    def _once(self, kind: str, leg: Leg, country: str | None, value_usd_per_t: float) -> Iterable[dict[str, Any]]:
        place, unit = str(leg["to"]), str(leg["loading_unit"])
        row = self._row(kind, place, unit, country)
        if row is None:
            return
        is_share = row["basis"] == "value_share"
        amount = row["rate"] * value_usd_per_t if is_share else row["rate"] / self._payload_t[unit]
        yield self._told(row, country or place, [amount, amount])

    def _told(self, row: Mapping[str, Any], where: str, amounts: list[float]) -> dict[str, Any]:
        expected, p90 = amounts
        return {
            "surcharge_id": row["surcharge_id"], "kind": row["kind"], "where": where, "free_d": row["free_d"], "rate": row["rate"],
            "basis": row["basis"], "expected_usd_per_t": expected, "p90_usd_per_t": p90, "source": row["source"],
            "confidence": row["confidence"],
        }  # fmt: skip

    def _rates(self, legs: Sequence[Leg], family_id: str | None, total_usd_per_t: float) -> Iterable[dict[str, Any]]:
        """Published rates between the ends of a way in its loading unit, beside what the tariffs on it add up to."""
        units = {leg["loading_unit"] for leg in legs}
        for row in self._through:
            is_between = (row["from_place"], row["to_place"]) == (legs[0]["from"], legs[-1]["to"])
            if not is_between or row["family_id"] not in (None, family_id) or row["loading_unit"] not in units:
                continue
            payload = {"usd_per_t": 1.0, "usd_per_teu": 1.0, "usd_per_feu": 2.0}[row["basis"]]
            payload *= 1.0 if row["basis"] == "usd_per_t" else self._payload_t[row["loading_unit"]]
            rate = row["rate"] / payload / self._deflators.get(row["quoted_date"].year, 1.0)
            yield {
                "through_rate_id": row["through_rate_id"], "rate": row["rate"], "basis": row["basis"], "rate_usd_per_t": rate,
                "quoted_date": row["quoted_date"].isoformat(), "offered_by": row["offered_by"], "includes": row["includes"],
                "excludes": row["excludes"], "sum_over_through": total_usd_per_t / rate, "source": row["source"],
                "confidence": row["confidence"],
            }  # fmt: skip


def _newest(currencies: pl.DataFrame, date: datetime.date) -> dict[str, Mapping[str, Any]]:
    """The last rate of exchange known on a day, by country; the first one where all are later."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in currencies.sort("date").iter_rows(named=True):
        for country in _split(row["countries"]):
            if country not in found or row["date"] <= date:
                found[country] = row
    return found


def _split(cell: str | None) -> list[str]:
    return [] if cell is None else [part.strip() for part in cell.split(";")]
