"""What is not known: estimates with ranges, and shocks that come or do not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import polars as pl

from karvan.corridor import TABLES, Corridor, key_texts, nearest
from karvan.errors import DataError, Problem
from karvan.study.sensitivity import estimates

ACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "links": ("length_km", "time_h"),
        "terminals": ("time_h", "waiting_h", "time_sd_h", "cost_usd_per_t", "cost_usd_per_teu"),
        "modes": ("time_sd_share", "co2e_wtw_kg_per_tkm", "co2e_ttw_kg_per_tkm"),
        "region_places": ("access_time_h", "access_cost_usd_per_t"),
        "tariffs": ("rate",),
        "facilities": ("nominal", "availability_share", "payload_share", "peak_factor", "other_load"),
        "delay_curves": ("service_time_h", "variability_ratio"),
        "commodities": (
            "value_usd_per_t", "capital_share_per_year", "depreciation_share_per_year", "time_value_factor", "reliability_ratio",
            "route_theta_per_usd_per_t", "family_theta_per_usd_per_t", "demand_elasticity_ratio", "not_shipped_usd_per_t",
        ),
        "demand": ("flow_kt",),
        "growth": ("rate_share_per_year",),
    }
)  # fmt: skip
"""Columns that change what routes cost, what facilities hold or what must move, and not which routes there can be."""
GROWTH_SEED = "growth"
"""Growth rates move together, as they all follow the world's economy."""


@dataclass(frozen=True)
class Factor:
    """A value, or all estimates of a column, that is known within a range only.

    It is drawn from the triangle with its mode at the value of the case. Factors with the same seed are low and high together.

    Attributes:
        table, column: Where it stands.
        row: Primary key, or None for every estimated row of the column without a range of its own; those are multiplied.
        value: The value of the case; 1 for a whole column.
        low, high: Ends of the range.
        seed: What it moves with.
    """

    table: str
    row: str | None
    column: str
    value: float
    low: float
    high: float
    seed: str

    @property
    def name(self) -> str:
        """TABLE.ID.COLUMN, with * for a whole column."""
        return f"{self.table}.{self.row or '*'}.{self.column}"

    def at(self, position: float) -> float:
        """The value below which so much of its distribution lies.

        Args:
            position: From 0 to 1.

        Source:
            Inverse of the triangular distribution; Law (2015), Simulation modeling and analysis, 8.3.7.
        """
        width = self.high - self.low
        if width <= 0.0:
            return self.low
        mode = min(max(self.value, self.low), self.high)
        turn = (mode - self.low) / width
        if position < turn:
            return self.low + math.sqrt(position * width * (mode - self.low))
        return self.high - math.sqrt((1.0 - position) * width * (self.high - mode))


@dataclass(frozen=True)
class Shock:
    """Something that may happen once, in a year drawn from a span, and lasts some years.

    Attributes:
        shock_id, name: What it is called.
        chance_share: Chance that it happens at all.
        first_year, last_year: Years in which it may begin, each as likely.
        lasts_count: Years that it lasts.
        measures: Measures in force while it lasts.
        ends: Measures that are not in force while it lasts.
    """

    shock_id: str
    name: str
    chance_share: float
    first_year: int
    last_year: int
    lasts_count: int
    measures: tuple[str, ...]
    ends: tuple[str, ...]

    def begins(self, position: float) -> int | None:
        """Year in which it begins, None if it does not.

        Args:
            position: From 0 to 1; below the chance it happens, and where below says when.
        """
        if position >= self.chance_share:
            return None
        span = self.last_year - self.first_year + 1
        return self.first_year + min(int(position / self.chance_share * span), span - 1)


@dataclass(frozen=True)
class Unknowns:
    """All that a future draws.

    Attributes:
        factors: Values.
        shocks: Events.
        left_out: Names of estimates of the case that are not drawn: they would change which routes there are, or what was observed.
    """

    factors: tuple[Factor, ...]
    shocks: tuple[Shock, ...]
    left_out: tuple[str, ...]

    @property
    def seeds(self) -> tuple[str, ...]:
        """Dimensions of the design: seeds of the factors in their order, then shocks."""
        return (*dict.fromkeys(factor.seed for factor in self.factors), *(shock.shock_id for shock in self.shocks))


def unknowns(
    corridor: Corridor,
    *,
    vary: Sequence[str] = (),
    only: Sequence[str] = (),
    has_ranges: bool = True,
    has_shocks: bool = True,
) -> Unknowns:
    """What is not known of a corridor: the ranges stored in it, values named beside them, and its shocks.

    Args:
        corridor: The corridor.
        vary: TABLE.ID.COLUMN=LOW:HIGH, in place of a stored range or beside them.
        only: Names of factors and shocks to keep; all if empty.
        has_ranges: Take the stored ranges.
        has_shocks: Take the stored shocks.

    Raises:
        DataError: With every problem.
    """
    factors: dict[str, Factor] = {}
    left_out: list[str] = []
    for item in estimates(corridor) if has_ranges else ():
        seed = GROWTH_SEED if item.table == "growth" else None
        found = Factor(item.table, item.row, item.column, item.value, item.low, item.high, seed or "")
        found = found if seed else _own_seed(found)
        if item.column in ACTS.get(item.table, ()) and not (item.row is not None and item.value == 0.0 and item.table == "tariffs"):
            factors[found.name] = found
        else:
            left_out.append(found.name)
    problems: list[Problem] = []
    for text in vary:
        try:
            named = _named(corridor, text)
            factors[named.name] = named
        except DataError as error:
            problems += error.problems
    shocks = shocks_of(corridor) if has_shocks else ()
    known = [*factors, *(shock.shock_id for shock in shocks)]
    problems += [
        Problem("--only", None, None, f"there is no factor or shock {name}{nearest(name, known)}") for name in only if name not in known
    ]
    if problems:
        raise DataError(problems)
    kept = tuple(item for item in factors.values() if not only or item.name in only)
    chosen = tuple(item for item in shocks if not only or item.shock_id in only)
    if not kept and not chosen:
        raise DataError(Problem("default_ranges", None, None, "nothing varies: give the case ranges or shocks, or name values to vary"))
    return Unknowns(kept, chosen, tuple(left_out))


def _own_seed(factor: Factor) -> Factor:
    return Factor(factor.table, factor.row, factor.column, factor.value, factor.low, factor.high, factor.name)


def _named(corridor: Corridor, text: str) -> Factor:
    """A factor given as TABLE.ID.COLUMN=LOW:HIGH."""
    path, sign, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    table, _, rest = path.strip().partition(".")
    key, _, column = rest.rpartition(".")
    if not (sign and colon and table and key and column):
        raise DataError(Problem("--vary", None, None, f"{text} must read TABLE.ID.COLUMN=LOW:HIGH, as facilities.some_port.nominal=50:90"))
    if table not in TABLES:
        raise DataError(Problem(table, None, None, f"there is no table {table}{nearest(table, TABLES)}"))
    acting = ACTS.get(table, ())
    if column not in acting:
        may = ", ".join(acting) if acting else f"a column of {', '.join(ACTS)}"
        message = f"{table}.{column} cannot be drawn, as it may change which routes there are; give it with --set, or vary {may}"
        raise DataError(Problem(table, None, column, message))
    frame = corridor.tables[table]
    keys = key_texts(table, frame)
    if key not in keys:
        raise DataError(Problem(table, None, None, f"table {table} has no row {key}{nearest(key, keys)}"))
    try:
        first, last = float(low), float(high)
    except ValueError as error:
        raise DataError(Problem(table, None, column, f"{ends} must be two numbers such as 50:90")) from error
    if not (math.isfinite(first) and math.isfinite(last) and first < last):
        raise DataError(Problem(table, None, column, f"{ends} must run from a lower to a higher number"))
    value = frame[column][keys.index(key)]
    if value is None:
        raise DataError(Problem(table, keys.index(key) + 1, column, "is empty, so that no range of it can be drawn"))
    name = f"{table}.{key}.{column}"
    return Factor(table, key, column, float(value), first, last, GROWTH_SEED if table == "growth" else name)


def shocks_of(corridor: Corridor) -> tuple[Shock, ...]:
    """Shocks of a corridor, in the order of their rows."""
    return tuple(
        Shock(
            row["shock_id"], row["name"], row["chance_share"], row["first_year"], row["last_year"], row["lasts_count"],
            _ids(row["measures"]), _ids(row["ends"]),
        )
        for row in corridor.tables["shocks"].iter_rows(named=True)
    )  # fmt: skip


def _ids(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(";") if word.strip())


def drawn(wanted: Unknowns, point: Sequence[float]) -> tuple[list[float], dict[str, int]]:
    """Values of the factors and years in which shocks begin at a point of the design.

    Args:
        wanted: What is drawn.
        point: Position from 0 to 1 by seed.
    """
    of = dict(zip(wanted.seeds, point, strict=True))
    values = [factor.at(of[factor.seed]) for factor in wanted.factors]
    begun = {shock.shock_id: shock.begins(of[shock.shock_id]) for shock in wanted.shocks}
    return values, {name: year for name, year in begun.items() if year is not None}


def explicit_points(wanted: Unknowns, table: pl.DataFrame) -> list[dict[str, Any]]:
    """Futures written in a table: a column by factor or shock, a value or a year that it begins; empty is the value of the case.

    Raises:
        DataError: A column is neither a factor nor a shock.
    """
    known = {factor.name for factor in wanted.factors} | {shock.shock_id for shock in wanted.shocks}
    unknown = [name for name in table.columns if name not in known]
    if unknown:
        raise DataError([Problem("futures", None, name, f"is neither a factor nor a shock{nearest(name, known)}") for name in unknown])
    return table.to_dicts()
