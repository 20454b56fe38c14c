"""Rates that a shipper was quoted, in place of the model's."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from karvan.corridor import Corridor
from karvan.corridor.tables import nearest
from karvan.errors import DataError, Problem
from karvan.network.facilities import DIRECTIONS
from karvan.schema import ANY, LOADING_UNITS, TARIFF_BASES

_COLUMNS = ("operator_id", "link_id", "terminal_id", "direction", "commodity_group", "loading_unit", "basis", "rate", "note")
_NEEDED = ("basis", "rate")
_PER_TERMINAL = {"usd_per_t": "cost_usd_per_t", "usd_per_teu": "cost_usd_per_teu"}


@dataclass(frozen=True)
class UserQuotes:
    """Quoted rates.

    Attributes:
        tariffs: Rates of links: operator_id, link_id, direction, commodity_group, loading_unit, basis, rate, note.
        terminals: By terminal: charges that take the place of its own, by column.
    """

    tariffs: tuple[Mapping[str, Any], ...]
    terminals: Mapping[str, Mapping[str, float]]

    def laid_over(self, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """Tables with the quoted rates after the model's, and with quoted charges of terminals in place of theirs."""
        tariffs, terminals = tables["tariffs"], tables["terminals"]
        rows = [
            {"tariff_id": f"quote_{number}", **row, "source": "own_estimate", "confidence": "sourced"}
            for number, row in enumerate(self.tariffs, start=1)
        ]
        if rows:
            quoted = pl.DataFrame(rows, schema=tariffs.schema)
            tariffs = pl.concat([tariffs, quoted])
        for terminal, charges in self.terminals.items():
            is_it = pl.col("terminal_id") == terminal
            terminals = terminals.with_columns(
                pl.when(is_it).then(pl.lit(value)).otherwise(pl.col(column)).alias(column) for column, value in charges.items()
            )
        return {**tables, "tariffs": tariffs, "terminals": terminals}


def read_quotes(path: Path, corridor: Corridor) -> UserQuotes:
    """Quoted rates from a CSV file.

    A row is about the links of an operator (`operator_id`, narrowed by `link_id`, `direction`, `commodity_group`, `loading_unit`) or about
    one terminal (`terminal_id`). It takes the place of every rate of the model that is about the same; more narrow quotes win over wider.

    Args:
        path: The file.
        corridor: The corridor whose operators, links and terminals are meant.

    Raises:
        DataError: The file cannot be read, or rows name something that is not there.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(Problem(str(path), None, None, f"cannot be read as CSV: {error.strerror}")) from error
    return quotes_of(content, corridor, name=str(path))


def quotes_of(content: bytes, corridor: Corridor, *, name: str = "quotes") -> UserQuotes:
    """Quoted rates from the content of a CSV file, as `read_quotes` takes them.

    Args:
        content: Of the file, in UTF-8.
        corridor: The corridor whose operators, links and terminals are meant.
        name: What problems call it.

    Raises:
        DataError: It is no CSV, or rows name something that is not there.
    """
    try:
        frame = pl.read_csv(io.BytesIO(content), infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataError(Problem(name, None, None, f"cannot be read as CSV: {error}")) from error
    problems = [Problem(name, None, column, "must be there") for column in _NEEDED if column not in frame.columns]
    problems += [
        Problem(name, None, column, f"is no column of quotes{nearest(column, _COLUMNS)}")
        for column in frame.columns if column not in _COLUMNS
    ]  # fmt: skip
    if problems:
        raise DataError(problems)
    known = {
        "operator_id": set(corridor.tables["operators"]["operator_id"]),
        "link_id": {*corridor.tables["links"]["link_id"], ANY},
        "terminal_id": set(corridor.tables["terminals"]["terminal_id"]),
        "commodity_group": {*corridor.tables["commodities"]["commodity_group"], ANY},
        "loading_unit": {*LOADING_UNITS, ANY},
        "direction": set(DIRECTIONS),
        "basis": set(TARIFF_BASES),
    }
    tariffs: list[dict[str, Any]] = []
    terminals: dict[str, dict[str, float]] = {}
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        cells = {column: (row.get(column) or "").strip() for column in _COLUMNS}
        wrong = [
            Problem(name, number, column, f"{cells[column]} is not known{nearest(cells[column], names)}")
            for column, names in known.items() if cells[column] and cells[column] not in names
        ]  # fmt: skip
        rate = _rate(cells["rate"])
        if rate is None:
            wrong.append(Problem(name, number, "rate", f"{cells['rate'] or 'nothing'} must be a number of 0 or more"))
        if not cells["basis"]:
            wrong.append(Problem(name, number, "basis", f"is empty; must be one of {', '.join(TARIFF_BASES)}"))
        if bool(cells["operator_id"]) == bool(cells["terminal_id"]):
            wrong.append(Problem(name, number, "operator_id", "give either an operator_id or a terminal_id"))
        if cells["terminal_id"] and cells["basis"] and cells["basis"] not in _PER_TERMINAL:
            wrong.append(Problem(name, number, "basis", f"of a terminal must be {' or '.join(_PER_TERMINAL)}"))
        problems += wrong
        if wrong or rate is None:
            continue
        if cells["terminal_id"]:
            terminals.setdefault(cells["terminal_id"], {})[_PER_TERMINAL[cells["basis"]]] = rate
            continue
        tariffs.append(
            {
                "operator_id": cells["operator_id"],
                "link_id": cells["link_id"] or ANY,
                "direction": cells["direction"] or "both",
                "commodity_group": cells["commodity_group"] or ANY,
                "loading_unit": cells["loading_unit"] or ANY,
                "basis": cells["basis"],
                "rate": rate,
                "note": cells["note"] or None,
            }
        )
    if problems:
        raise DataError(problems)
    return UserQuotes(tuple(tariffs), terminals)


def _rate(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < float("inf") else None
