"""What the case says of the money of an appraisal: values, rates, carbon prices, and what measures cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from karvan.appraisal.bank import Works
from karvan.corridor import Corridor, nearest
from karvan.errors import DataError, Problem
from karvan.measures import Measure
from karvan.money import APPRAISAL_VALUES

_JULY = 7


def appraisal_values(corridor: Corridor) -> dict[str, float]:
    """Single values by id.

    Raises:
        DataError: One is missing.
    """
    found = dict(corridor.tables["appraisal_values"].select(pl.col("value_id").cast(pl.String), "value").iter_rows())
    lost = [name for name in APPRAISAL_VALUES if name not in found]
    if lost:
        raise DataError([Problem("appraisal_values", None, "value_id", f"has no {name}, which an appraisal needs") for name in lost])
    return found


def discount_rate(corridor: Corridor, rate_id: str | None, kind: str) -> tuple[str, float]:
    """Id and value of a discount rate, the default of its kind where none is named.

    Raises:
        DataError: There is none.
    """
    of_kind = corridor.tables["discount_rates"].filter(pl.col("kind").cast(pl.String) == kind)
    names = of_kind["rate_id"].to_list()
    chosen = of_kind.filter(pl.col("is_default") if rate_id is None else pl.col("rate_id") == rate_id)
    if chosen.height != 1:
        message = f"there is no {kind} rate {rate_id}{nearest(rate_id or '', names)}" if rate_id else f"needs one {kind} default"
        raise DataError(Problem("discount_rates", None, "rate_id", f"{message}; {kind} rates: {', '.join(names) or 'none'}"))
    return chosen["rate_id"].item(), float(chosen["rate_share_per_year"].item())


def carbon_price(corridor: Corridor, path_id: str | None, year: int) -> float:
    """USD a tonne of CO2e in a year, on the default path where none is named.

    Raises:
        DataError: There is no such path.
    """
    table = corridor.tables["carbon_prices"]
    path = table.filter(pl.col("is_default") if path_id is None else pl.col("path_id") == path_id).sort("year")
    if path.is_empty() or path["path_id"].n_unique() != 1:
        names = ", ".join(table["path_id"].unique(maintain_order=True)) or "none"
        raise DataError(Problem("carbon_prices", None, "path_id", f"must hold one path {path_id or 'that is the default'}; paths: {names}"))
    return float(np.interp(year, path["year"].to_numpy(), path["price_usd_per_t"].to_numpy()))


def valued_ventures(corridor: Corridor, measure_id: str) -> list[dict[str, Any]]:
    """Rows of `ventures` that a measure makes and that state a yearly benefit, with counted_musd_per_year, the part of it that counts."""
    table = corridor.tables["ventures"].filter((pl.col("measure_id") == measure_id) & is_valued())
    return table.with_columns(counted_musd_per_year=pl.col("stated_musd_per_year") * pl.col("counted_share")).to_dicts()


def told_ventures(corridor: Corridor) -> pl.DataFrame:
    """Rows of `ventures`, with is_valued, and is_estimate: the benefit is an estimate of the case's makers and no published figure."""
    table = corridor.tables["ventures"].with_columns(is_valued=is_valued())
    is_estimate = pl.col("is_valued") & (pl.col("confidence").cast(pl.String) == "estimate")
    return table.with_columns(is_estimate=is_estimate).drop("source", "confidence", "note")


def is_valued() -> pl.Expr:
    """Whether a venture states a yearly benefit, what part of it counts, and the measure that makes it."""
    names = ("stated_musd_per_year", "counted_share", "measure_id")
    return pl.all_horizontal(*(pl.col(name).is_not_null() for name in names))


def works_of(corridor: Corridor, dated: Sequence[tuple[Measure, date]]) -> list[Works]:
    """Costs, years and record of measures that open on given days.

    The cost that a measure states wins over the one that follows from its class. Its range goes from what is stated to what four in five
    works of its class do not exceed; that of an estimate is the range of its class. A measure that needs no building costs nothing.

    Raises:
        DataError: A measure has neither a cost nor a row in `project_costs`.
    """
    rows = {row["measure_id"]: row for row in corridor.tables["project_costs"].iter_rows(named=True)}
    classes = {row["class_id"]: row for row in corridor.tables["cost_classes"].iter_rows(named=True)}
    found, problems = [], []
    for measure, opening in dated:
        row = rows.get(measure.id)
        if row is None and measure.capital_musd is None:
            message = f"has no row for {measure.id}, whose cost no source states; add its class and quantity, or a cost to the measure"
            problems.append(Problem("project_costs", None, "measure_id", message))
            continue
        found.append(_works(measure, opening, row, None if row is None else classes[row["class_id"]]))
    if problems:
        raise DataError(problems)
    return found


def _works(measure: Measure, opening: date, row: Mapping[str, Any] | None, of: Mapping[str, float] | None) -> Works:
    stated = measure.capital_musd
    quantity = float(row["quantity"]) if row is not None else 0.0
    by_class = None if of is None else tuple(quantity * of[name] for name in ("unit_musd", "low_musd", "high_musd"))
    capital = stated if stated is not None else (0.0 if by_class is None else by_class[0])
    is_estimate = stated is None
    if of is None:
        ratios = (1.0, 1.0)
    elif is_estimate:
        ratios = (of["low_musd"] / of["unit_musd"], of["high_musd"] / of["unit_musd"]) if of["unit_musd"] > 0.0 else (1.0, 1.0)
    else:  # what is announced, and what four in five of its class do not exceed
        ratios = (1.0, 1.0 + of["overrun_high_share"])
    running = measure.cost.running_musd_per_year if measure.cost is not None else None
    build = measure.cost.years if measure.cost is not None and "years" in measure.cost.model_fields_set else None
    years = build if build is not None else (of["build_year_count"] if of is not None else 1.0)
    return Works(
        measure_id=measure.id,
        title=measure.title,
        capital_musd=capital,
        low_musd=capital * ratios[0],
        high_musd=capital * ratios[1],
        running_musd_per_year=running if running is not None else (0.0 if of is None else of["running_share_per_year"] * capital),
        open_year=opening.year,
        last_build_year=opening.year if opening.month >= _JULY else opening.year - 1,
        build_year_count=max(1, math.ceil(years)),
        life_year_count=max(1, round(of["life_year_count"])) if of is not None else 30,
        overrun_share=0.0 if of is None else of["overrun_share"],
        overrun_high_share=0.0 if of is None else of["overrun_high_share"],
        delay_share=0.0 if of is None else of["delay_share"],
        delay_high_share=0.0 if of is None else of["delay_high_share"],
        is_estimate=is_estimate,
        sponsors=tuple(str(row["sponsors"]).split(";")) if row is not None and row["sponsors"] else (),
    )
