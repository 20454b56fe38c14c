"""Drawn values laid over the tables of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from karvan.assignment import effective_capacity
from karvan.assignment.assembly import NOT_SHIPPED
from karvan.corridor import Corridor, Snapshot, columns_of, key_texts
from karvan.ensembles.factors import Factor
from karvan.measures.apply import growth_factors
from karvan.study.clear import Cleared

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_PROVEN_SHARE = 1e-3
_PROVEN_MARKET_SHARE = 0.03
"""Part of a market that moves by routes without a target, at least."""
_RATE = "rate_share_per_year"
_NO_CELLS = ("growth",)
"""Tables whose values do not stand in a year as they are: growth is in its demand."""


@dataclass(frozen=True)
class Cells:
    """Which cells of a year's tables each factor moves.

    Attributes:
        places: By table and column: position of the factor of each row, -1 for none, shape (rows,).
    """

    places: Mapping[tuple[str, str], IntArray]


def cells_of(snapshot: Snapshot, corridor: Corridor, factors: Sequence[Factor]) -> Cells:
    """Cells that factors move in a year; a row that a measure has added is moved by none.

    Args:
        snapshot: The year.
        corridor: The corridor as stored, for what is an estimate without a range of its own.
        factors: The factors.
    """
    found: dict[tuple[str, str], IntArray] = {}
    for table, column in dict.fromkeys((item.table, item.column) for item in factors if item.table not in _NO_CELLS):
        place = _place_of(corridor, table, column, snapshot.tables[table], factors)
        if (place >= 0).any():
            found[table, column] = place
    return Cells(MappingProxyType(found))


def _place_of(corridor: Corridor, table: str, column: str, frame: pl.DataFrame, factors: Sequence[Factor]) -> IntArray:
    """Position of the factor of each row of a column, -1 for none, shape (rows,)."""
    row_of = {key: row for row, key in enumerate(key_texts(table, frame))}
    place = np.full(frame.height, -1, dtype=np.int64)
    items = [(position, item) for position, item in enumerate(factors) if (item.table, item.column) == (table, column)]
    for position, item in sorted(items, key=lambda each: each[1].row is not None):  # rows after columns
        rows = _estimated(corridor, table, column) if item.row is None else [item.row]
        place[[row_of[row] for row in rows if row in row_of]] = position
    return place


def _estimated(corridor: Corridor, table: str, column: str) -> list[str]:
    """Keys of estimated rows whose value has no range of its own."""
    provenance = corridor.tables["provenance"].filter(
        (pl.col("table") == table) & (pl.col("column") == column) & pl.col("low").is_not_null()
    )
    own, frame = set(provenance["row"]), corridor.tables[table]
    keys = key_texts(table, frame)
    return [key for key, trust in zip(keys, frame["confidence"].cast(pl.String), strict=True) if trust == "estimate" and key not in own]


def moved(snapshot: Snapshot, cells: Cells, factors: Sequence[Factor], values: Sequence[float]) -> dict[str, pl.DataFrame]:
    """Tables of a year with drawn values.

    A value that a measure has changed since moves in proportion, so that the range holds for it too. What must stay in bounds does, and
    theta of families stays at or below theta of routes.

    Args:
        snapshot: The year.
        cells: Its cells.
        factors: The factors.
        values: Drawn value of each.
    """
    tables, moves = dict(snapshot.tables), _moves(factors, values)
    changed: dict[str, list[pl.Series]] = {}
    for (table, column), place in cells.places.items():
        declared, drawn = columns_of(table)[column], _drawn(tables[table][column].to_numpy(), place, moves)
        new = np.clip(drawn, getattr(declared, "min", None), getattr(declared, "max", None))
        changed.setdefault(table, []).append(pl.Series(column, new, nan_to_null=True))
    for table, columns in changed.items():
        tables[table] = _with_columns(tables[table], columns)
    if any(table == "commodities" for table, _ in cells.places):
        goods, name = tables["commodities"], "family_theta_per_usd_per_t"
        low = np.minimum(goods[name].to_numpy(), goods["route_theta_per_usd_per_t"].to_numpy())
        tables["commodities"] = _with_columns(goods, [pl.Series(name, low)])
    return tables


def _moves(factors: Sequence[Factor], values: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """What each factor multiplies by and adds, and last what moves nothing: a value moves in proportion, a zero to what is drawn."""
    pairs = [(value / item.value, 0.0) if item.value else (1.0, value) for item, value in zip(factors, values, strict=True)]
    ratio, shift = np.array([*pairs, (1.0, 0.0)], dtype=np.float64).T
    return ratio, shift


def _drawn(old: npt.NDArray[Any], place: IntArray, moves: tuple[FloatArray, FloatArray]) -> FloatArray:
    """A column with what its factors move."""
    ratio, shift = moves
    return np.asarray(old.astype(np.float64) * ratio[place] + shift[place], dtype=np.float64)


def _with_columns(frame: pl.DataFrame, columns: Sequence[pl.Series]) -> pl.DataFrame:
    """`frame.with_columns` for columns that are there, without a query: futures do little else to their tables."""
    found = frame.clone()
    for column in columns:
        found.replace_column(found.get_column_index(column.name), column)
    return found


class Growth:
    """Growth rates as drawn.

    Args:
        corridor: The corridor as stored.
        factors: The factors.
        years: Years wanted.
    """

    def __init__(self, corridor: Corridor, factors: Sequence[Factor], years: Sequence[int]) -> None:
        self._table, self._base, self._years = corridor.tables["growth"], corridor.manifest.base_year, tuple(years)
        self._place, self._factors = _place_of(corridor, "growth", _RATE, self._table, factors), factors
        self._before = self._over_years(self._table)

    def over_stored(self, values: Sequence[float]) -> Mapping[int, Mapping[str, float]]:
        """Drawn growth over stored growth since the base year, by year and growth group; empty where no growth is drawn.

        Args:
            values: Drawn value of each factor.
        """
        if not (self._place >= 0).any():
            return {}
        rate = _drawn(self._table[_RATE].to_numpy(), self._place, _moves(self._factors, values))
        after = self._over_years(self._table.with_columns(pl.Series(_RATE, rate)))
        return {year: {name: after[year][name] / before[name] for name in before} for year, before in self._before.items()}

    def _over_years(self, table: pl.DataFrame) -> Mapping[int, Mapping[str, float]]:
        return {year: growth_factors(table, base_year=self._base, year=year, growth_range="mid") for year in self._years}


def with_growth(tables: dict[str, pl.DataFrame], ratio: Mapping[str, float]) -> dict[str, pl.DataFrame]:
    """Tables with the goods of each growth group multiplied."""
    demand = tables["demand"]
    factor = np.array([ratio[name] for name in demand["growth_id"].to_list()], dtype=np.float64)
    return {**tables, "demand": _with_columns(demand, [pl.Series("flow_kt", demand["flow_kt"].to_numpy() * factor)])}


@dataclass(frozen=True)
class Proven:
    """By how much drawn capacities and markets must be raised so that what was observed in the base year could happen.

    Attributes:
        facilities: Ratio by facility_id, above 1.
        markets: Ratio by market_id, above 1.
    """

    facilities: Mapping[str, float]
    markets: Mapping[str, float]


def proven(tables: Mapping[str, pl.DataFrame], before: Mapping[str, pl.DataFrame], cleared: Cleared) -> Proven:
    """What the base year proves about drawn values: facilities could carry what they carried, and so much was there to be moved.

    Args:
        tables: The base year with drawn values.
        before: The base year as stored.
        cleared: The base year as fitted.
    """
    facilities, clearing, assembly = tables["facilities"], cleared.clearing, cleared.assembly
    flow = clearing.row_flow[: facilities.height]
    needed = np.maximum(flow, 0.0) * (1.0 + _PROVEN_SHARE) + np.asarray(facilities["other_load"].to_numpy(), dtype=np.float64)
    raised = _over(needed, effective_capacity(facilities))
    targets = {(row["family_id"], row["commodity_group"]) for row in before["calibration_targets"].iter_rows(named=True)}
    names = (*cleared.routed.sets.family_ids, NOT_SHIPPED)
    market = assembly.market_of_nest
    is_fitted = np.array(
        [
            place < assembly.goods_count and (names[code], assembly.market_commodity[place]) in targets
            for place, code in zip(market.tolist(), assembly.family_code.tolist(), strict=True)
        ]
    )
    on_nest = np.bincount(assembly.nest_of_route, weights=clearing.route_flow_kt, minlength=market.shape[0])
    height = before["demand"].height
    goods = market < assembly.goods_count
    row = assembly.market_row[market[goods]]
    fitted, whole = (
        np.bincount(row, weights=on_nest[goods] * weight[goods], minlength=height) for weight in (is_fitted, np.ones(market.shape[0]))
    )
    drawn = _over(tables["demand"]["flow_kt"].to_numpy(), before["demand"]["flow_kt"].to_numpy()) * whole
    more = _over(np.asarray(fitted * (1.0 + _PROVEN_MARKET_SHARE), dtype=np.float64), np.asarray(drawn, dtype=np.float64))
    return Proven(
        {name: ratio for name, ratio in zip(facilities["facility_id"].to_list(), raised.tolist(), strict=True) if ratio > 1.0},
        {name: ratio for name, ratio in zip(before["demand"]["market_id"].to_list(), more.tolist(), strict=True) if ratio > 1.0},
    )


def _over(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> FloatArray:
    return np.asarray(np.divide(one, other, out=np.ones(one.shape[0]), where=other > 0.0), dtype=np.float64)


def with_proven(tables: dict[str, pl.DataFrame], raised: Proven) -> dict[str, pl.DataFrame]:
    """Tables with what the base year proves; a measure's capacity is raised in proportion."""
    found = dict(tables)
    for table, key, column, ratios in (
        ("facilities", "facility_id", "nominal", raised.facilities), ("demand", "market_id", "flow_kt", raised.markets),
    ):  # fmt: skip
        if ratios:
            frame = found[table]
            ratio = np.array([ratios.get(name, 1.0) for name in frame[key].to_list()], dtype=np.float64)
            found[table] = _with_columns(frame, [pl.Series(column, frame[column].to_numpy() * ratio)])
    return found


def with_tables(snapshot: Snapshot, tables: Mapping[str, pl.DataFrame]) -> Snapshot:
    """The snapshot with other tables."""
    return replace(snapshot, tables=MappingProxyType(dict(tables)))
