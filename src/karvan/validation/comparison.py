"""Published values against the model: what can be compared is compared, the rest says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

import polars as pl

from karvan.evidence import CLOSE_SHARE
from karvan.evidence.observations import POWER
from karvan.results import PowerBalance, YearResult, carec_indicators, journey_totals
from karvan.schema import ANY
from karvan.validation.corridors import compare_corridors

DAYS_PER_YEAR = 365.0
_JOURNEY_QUANTITIES = ("time_d", "rate_usd_per_teu", "rate_usd_per_feu")
_MONEY = ("rate_usd_per_teu", "rate_usd_per_feu", "tfi2_border_usd", "tfi3_usd_per_500km_20t")
_FILTERS = ("commodity_groups", "form", "origin_regions", "destination_regions")
TEU_PER_FEU = 2.0


@dataclass(frozen=True)
class Outcomes:
    """What the model gives, ready to be held against published values.

    Attributes:
        base_year: Year the model is fitted to.
        baseline_id: Scenario that rows without one are about.
        headline_cordon: Cordon of the corridor's tonnage.
        years: Result of each scenario and year.
        legs: Legs of all journeys by year, under the baseline.
        month_legs: The same by month, written as 2025-12.
        journeys: Table `journeys`.
        deflators: Price level by year, price year = 1.
        power: What power comes to in each scenario and year.
    """

    base_year: int
    baseline_id: str
    headline_cordon: str
    years: Mapping[tuple[str, int], YearResult]
    legs: Mapping[int, pl.DataFrame]
    month_legs: Mapping[str, pl.DataFrame]
    journeys: pl.DataFrame
    deflators: Mapping[int, float]
    power: Mapping[tuple[str, int], PowerBalance] = field(default_factory=dict)

    @cached_property
    def totals(self) -> Mapping[int, pl.DataFrame]:
        """Totals of every journey by year."""
        return {year: journey_totals(legs) for year, legs in self.legs.items() if not legs.is_empty()}

    @cached_property
    def month_totals(self) -> Mapping[str, pl.DataFrame]:
        """Totals of every journey by month."""
        return {month: journey_totals(legs) for month, legs in self.month_legs.items() if not legs.is_empty()}

    @cached_property
    def indicators(self) -> Mapping[int, pl.DataFrame]:
        """CAREC indicators of each mode by year."""
        return {year: carec_indicators(legs, self.journeys) for year, legs in self.legs.items() if not legs.is_empty()}


def compare(observations: pl.DataFrame, outcomes: Outcomes) -> dict[str, Any]:
    """Hold every published value against the model.

    Money of another year is brought to the price year. Times, rates and indicators older than the base year are held against the base
    year. A value used in calibration is compared, marked, and left out of the medians.

    Args:
        observations: Table `observations`.
        outcomes: What the model gives; a row whose scenario or year is not there stays without a model value.

    Returns:
        observations (a list of rows), median_abs_error (share by family), compared (their number), outturn (the year after the base year,
        blind or not, against keeping the base year's volumes; None without such rows), corridors (see `compare_corridors`).
    """
    rows = [_row(row, outcomes) for row in observations.sort("family", "observation_id").iter_rows(named=True)]
    counted: dict[str, list[float]] = {}
    for row in rows:
        if row["error"] is not None and not row["used_in_calibration"]:
            counted.setdefault(row["family"], []).append(abs(row["error"]))
    return {
        "observations": rows,
        "median_abs_error": {family: median(errors) for family, errors in sorted(counted.items())},
        "compared": sum(row["error"] is not None for row in rows),
        "not_used": sum(len(errors) for errors in counted.values()),
        "median_abs_error_of_all": median([error for errors in counted.values() for error in errors]) if counted else None,
        "outturn": _outturn(rows, outcomes),
        "corridors": compare_corridors(outcomes.journeys, rows, base_year=outcomes.base_year),
    }


def needed_years(observations: pl.DataFrame, *, base_year: int, baseline_id: str) -> dict[str, list[int]]:
    """Years to clear of each scenario, so that every comparable row has a model value.

    Args:
        observations: Table `observations`.
        base_year: Year the model is fitted to; needed in any case.
        baseline_id: Scenario of rows that name none.
    """
    years: dict[str, set[int]] = {baseline_id: {base_year}}
    for row in observations.filter(pl.col("reason").is_null()).iter_rows(named=True):
        if not _is_about_journeys(row["quantity"]) and row["quantity"] not in POWER and row["year"] >= base_year:
            wanted = years.setdefault(row["scenario"] or baseline_id, set())
            wanted.add(row["year"])
            if row["quantity"] == "cordon_growth_percent" and row["year"] > base_year:
                wanted.add(row["year"] - 1)
    return {scenario: sorted(found) for scenario, found in sorted(years.items())}


def power_years(observations: pl.DataFrame, *, base_year: int, baseline_id: str) -> list[tuple[str, int]]:
    """Scenarios and years whose power is needed."""
    rows = observations.filter(pl.col("reason").is_null() & pl.col("quantity").is_in(POWER) & (pl.col("year") >= base_year))
    return sorted({(row["scenario"] or baseline_id, row["year"]) for row in rows.iter_rows(named=True)})


def journey_years(observations: pl.DataFrame, *, base_year: int, facts_year: int) -> list[int]:
    """Years whose journeys are needed: the base year and those of later observations, up to the last year with facts."""
    later = observations.filter(pl.col("reason").is_null())
    years = {int(year) for quantity, year in later.select("quantity", "year").iter_rows() if _is_about_journeys(quantity)}
    return sorted({_journey_year(year, base_year, facts_year) for year in years} | {base_year})


def journey_months(observations: pl.DataFrame, *, base_year: int, facts_year: int) -> list[str]:
    """Months, written as 2025-12, of the times that were published for one month of the years with facts."""
    later = observations.filter(pl.col("reason").is_null() & (pl.col("quantity") == "time_d"))
    return sorted({month for row in later.iter_rows(named=True) if (month := _month(row)) and base_year <= row["year"] <= facts_year})


def _month(row: Mapping[str, Any]) -> str | None:
    """The month that a published value is about; None where it is about more or nothing narrower than its year."""
    first, _, last = (row["period"] or "").partition("/")
    return first if first and first == last else None


def _is_about_journeys(quantity: str) -> bool:
    return quantity in _JOURNEY_QUANTITIES or quantity.startswith("tfi")


def _journey_year(year: int, base_year: int, facts_year: int) -> int:
    return min(max(year, base_year), facts_year)


def _row(row: Mapping[str, Any], outcomes: Outcomes) -> dict[str, Any]:
    scale, model_year, model = 1.0, None, None
    if row["reason"] is None:
        if _is_about_journeys(row["quantity"]):
            model_year = _journey_year(row["year"], outcomes.base_year, max(outcomes.legs, default=outcomes.base_year))
            model = _journey_value(row, model_year, outcomes)
        else:
            model_year = row["year"]
            model = _power_value(row, outcomes) if row["quantity"] in POWER else _market_value(row, outcomes)
        if row["quantity"] in _MONEY:
            scale = 1.0 / outcomes.deflators.get(row["year"], 1.0)
    comparable = row["value"] * scale
    error = _error(row["quantity"], model, comparable)
    return {
        **{key: row[key] for key in ("observation_id", "family", "quantity", "element_id", *_FILTERS, "year", "period", "unit")},
        "published": row["value"],
        "compared_with": comparable,
        "low": None if row["low"] is None else row["low"] * scale,
        "high": None if row["high"] is None else row["high"] * scale,
        "model": model,
        "model_year": model_year if model is not None else None,
        "scenario": (row["scenario"] or outcomes.baseline_id) if row["reason"] is None else None,
        "error": error,
        "flag": _flag(row, model, error, scale),
        **{key: row[key] for key in ("used_in_calibration", "reason", "why", "scope", "source")},
    }


def _error(quantity: str, model: float | None, published: float) -> float | None:
    """Model over published value less one; of growth, over what the published growth would have made of the year before."""
    if model is None:
        return None
    if quantity == "cordon_growth_percent":
        return (100.0 + model) / (100.0 + published) - 1.0
    return None if published == 0.0 else (model - published) / abs(published)


def _flag(row: Mapping[str, Any], model: float | None, error: float | None, scale: float) -> str | None:
    """in_range: inside the published range; close: off by at most 15%; apart: neither; None: not compared."""
    if model is None or error is None:
        return None
    if row["low"] is not None and row["high"] is not None and row["low"] * scale <= model <= row["high"] * scale:
        return "in_range"
    return "close" if abs(error) <= CLOSE_SHARE else "apart"


def _market_value(row: Mapping[str, Any], outcomes: Outcomes) -> float | None:
    scenario = row["scenario"] or outcomes.baseline_id
    result = outcomes.years.get((scenario, row["year"]))
    if result is None:
        return None
    if row["quantity"] == "cordon_growth_percent":
        before = outcomes.years.get((scenario, row["year"] - 1))
        start = None if before is None else _crossing(row, before, "flow_kt")
        return None if not start else 100.0 * (_crossing(row, result, "flow_kt") / start - 1.0)
    return _MARKET_VALUES[row["quantity"]](row, result)


def _power_value(row: Mapping[str, Any], outcomes: Outcomes) -> float | None:
    balance = outcomes.power.get((row["scenario"] or outcomes.baseline_id, row["year"]))
    if balance is None:
        return None
    told = {"power_made_twh": balance.made, "power_exported_twh": balance.exported, "power_imported_twh": balance.imported}
    return told[row["quantity"]]({part.strip() for part in row["element_id"].split(";")})


def _crossing(row: Mapping[str, Any], result: YearResult, column: str) -> float:
    frame = result.crossings.filter(pl.col("cordon_id") == row["element_id"])
    if row["form"] != ANY:
        frame = frame.filter(pl.col("form") == row["form"])
    return float(_narrowed(frame, row)[column].sum())


def _narrowed(frame: pl.DataFrame, row: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of the goods and regions that the observation is about."""
    for filtered, column in (
        ("commodity_groups", "commodity_group"),
        ("origin_regions", "origin_region"),
        ("destination_regions", "destination_region"),
    ):
        if row[filtered] != ANY and column in frame.columns:
            frame = frame.filter(pl.col(column).is_in([part.strip() for part in row[filtered].split(";")]))
    return frame


def _facility(row: Mapping[str, Any], result: YearResult) -> float:
    found = result.facilities.filter(pl.col("facility_id") == row["element_id"])
    return float(found["flow"].sum())


def _family_mt(row: Mapping[str, Any], result: YearResult) -> float:
    frame = result.regions.filter(pl.col("family_id") == row["element_id"])
    return float(_narrowed(frame, row)["flow_kt"].sum()) / 1e3


def _pair_mt(row: Mapping[str, Any], result: YearResult) -> float:
    return float(_narrowed(result.regions, row)["flow_kt"].sum()) / 1e3


_MARKET_VALUES: Mapping[str, Callable[[Mapping[str, Any], YearResult], float]] = {
    "cordon_mt": lambda row, result: _crossing(row, result, "flow_kt") / 1e3,
    "cordon_teu": lambda row, result: _crossing(row, result, "flow_kteu") * 1e3,
    "facility": _facility,
    "facility_per_day": lambda row, result: _facility(row, result) * 1e3 / DAYS_PER_YEAR,
    "family_mt": _family_mt,
    "pair_mt": _pair_mt,
}


def _journey_value(row: Mapping[str, Any], year: int, outcomes: Outcomes) -> float | None:
    if year not in outcomes.totals:
        return None
    if row["quantity"].startswith("tfi"):
        found = outcomes.indicators[year].filter(pl.col("carec_mode") == row["element_id"])
        return None if found.is_empty() else _number(found[row["quantity"]][0])
    totals = outcomes.month_totals.get(_month(row) or "", outcomes.totals[year]) if row["quantity"] == "time_d" else outcomes.totals[year]
    found = totals.filter(pl.col("journey_id") == row["element_id"])
    if found.is_empty():
        return None
    if row["quantity"] == "time_d":
        return float(found["time_d"][0])
    per_teu = _number(found["charge_usd_per_teu"][0])
    return None if per_teu is None else per_teu * (TEU_PER_FEU if row["quantity"] == "rate_usd_per_feu" else 1.0)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _outturn(rows: Sequence[Mapping[str, Any]], outcomes: Outcomes) -> dict[str, Any] | None:
    """The year after the base year against "the same as the base year": parts of the headline cordon that were published for both."""
    by_key: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        is_headline = row["family"] == "volume" and row["element_id"] == outcomes.headline_cordon
        if is_headline and row["model"] is not None and not row["period"]:
            by_key.setdefault((row["quantity"], *(row[name] for name in _FILTERS), row["year"]), row)
    year, found = outcomes.base_year + 1, []
    for key, row in sorted(by_key.items()):
        before = by_key.get((*key[:-1], outcomes.base_year))
        is_part = row["quantity"] == "cordon_teu" or (row["quantity"] == "cordon_mt" and row["commodity_groups"] != ANY)
        if row["year"] != year or before is None or not is_part:
            continue
        observed, model, same = row["published"], row["model"], before["published"]
        found.append(
            {
                "observation_id": row["observation_id"],
                "unit": row["unit"],
                "base": same,
                "published": observed,
                "low": row["low"],
                "high": row["high"],
                "model": model,
                "error": model / observed - 1.0,
                "error_of_no_change": same / observed - 1.0,
                "is_sign_right": (model - before["model"]) * (observed - same) > 0.0,
            }
        )
    if not found:
        return None
    return {
        "year": year,
        "rows": found,
        "mean_abs_error": sum(abs(row["error"]) for row in found) / len(found),
        "mean_abs_error_of_no_change": sum(abs(row["error_of_no_change"]) for row in found) / len(found),
    }
