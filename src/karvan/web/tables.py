"""Tables of a run: chosen, sorted, and given as JSON or as files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from karvan.corridor import nearest
from karvan.results import FRAMES, LEDGER, SavedRun
from karvan.schema import unit_in_name
from karvan.validation import References
from karvan.web.refused import not_found, refused

TABLES = (*FRAMES, "journeys", *LEDGER)
MAPPED = ("links", "facilities")
"""Tables that can be drawn on a map."""
FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
}
MOST_ROWS = 10_000
"""Rows of one JSON answer."""
_MOST_SHEET_ROWS = 1_000_000
_OPERATIONS = ("eq", "ne", "lt", "le", "gt", "ge", "has")


@dataclass(frozen=True)
class Choice:
    """Which rows and columns of a table, in which order.

    Attributes:
        filters: `COLUMN:OP:VALUE`, all of which must hold.
        sort: Columns, `-` before one that falls.
        columns: Columns to keep; none: all.
    """

    filters: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def table_list(saved: SavedRun) -> list[dict[str, Any]]:
    """The tables that a run has."""
    found = []
    for name in TABLES:
        path = saved.folder / f"{name}.parquet"
        if path.is_file():
            frame = pl.scan_parquet(path)
            count = int(frame.select(pl.len()).collect().item())
            formats = [kind for kind in FORMATS if kind != "geojson" or name in MAPPED]
            found.append({"name": name, "row_count": count, "columns": columns_told(frame.collect_schema()), "formats": formats})
    return found


def chosen(saved: SavedRun, name: str, choice: Choice) -> pl.DataFrame:
    """Rows of a table.

    Raises:
        Refused: There is no such table, or the choice does not fit it.
    """
    if name not in TABLES or not (saved.folder / f"{name}.parquet").is_file():
        raise not_found("table", name)
    frame = saved.frame(name)
    for text in choice.filters:
        frame = frame.filter(_condition(name, frame, text))
    for column in (*(item.removeprefix("-") for item in choice.sort), *choice.columns):
        _require_column(name, frame, column)
    if choice.sort:
        falls = [item.startswith("-") for item in choice.sort]
        names = [item.removeprefix("-") for item in choice.sort]
        frame = frame.sort(names, descending=falls, nulls_last=True, maintain_order=True)
    return frame.select(choice.columns) if choice.columns else frame


def columns_told(schema: Mapping[str, pl.DataType]) -> list[dict[str, Any]]:
    """Columns with type and unit."""
    return [{"name": name, "type": _type(kind), "unit": unit_in_name(name) if kind.is_numeric() else None} for name, kind in schema.items()]


def as_json(name: str, frame: pl.DataFrame, *, limit: int, offset: int) -> dict[str, Any]:
    """A part of a table."""
    part = _finite(frame.slice(offset, limit))
    rows = [list(row) for row in part.rows()]
    return {"table": name, "columns": columns_told(frame.schema), "rows": rows, "count": frame.height, "offset": offset, "limit": limit}


def as_csv(frame: pl.DataFrame) -> bytes:
    """A table as CSV in UTF-8; lists are joined by spaces."""
    return _flat(frame).write_csv().encode("utf-8")


def as_xlsx(name: str, frame: pl.DataFrame, about: Sequence[tuple[str, str]]) -> bytes:
    """A table as a workbook: the rows, and a sheet that says what they are. Texts stay texts, none becomes a formula.

    Raises:
        Refused: The table is too long for a sheet.
    """
    import xlsxwriter

    if frame.height > _MOST_SHEET_ROWS:
        raise refused(422, "sheet_too_long", table=name, name=name, count=frame.height, most=_MOST_SHEET_ROWS)
    flat, buffer = _flat(_finite(frame)), io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(name[:31])
        sheet.write_row(0, 0, flat.columns, bold)
        for number, column in enumerate(flat.columns):
            sheet.write_column(1, number, flat[column].to_list())
        sheet.freeze_panes(1, 0)
        sheet.autofit()
        said = book.add_worksheet("about")
        for number, pair in enumerate(about):
            said.write_row(number, 0, pair)
        said.autofit()
    return buffer.getvalue()


def as_geojson(name: str, frame: pl.DataFrame, known: References) -> bytes:
    """Links or facilities as a FeatureCollection; what has no place has no geometry.

    Raises:
        Refused: The table has no places.
    """
    if name not in MAPPED:
        raise refused(422, "not_on_a_map", table=name, column="format", name=name, mapped=", ".join(MAPPED))
    key = {"links": "link_id", "facilities": "facility_id"}[name]
    _require_column(name, frame, key)
    shapes = _link_shapes(known) if name == "links" else _facility_shapes(known)
    names = _names(known, name)
    features = [
        {
            "type": "Feature",
            "geometry": shapes.get(row[key]),
            "properties": {"name": names.get(row[key]), **row},
        }
        for row in _finite(frame).iter_rows(named=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _names(known: References, name: str) -> dict[str, str]:
    if name == "facilities":
        return {key: row["name"] for key, row in known.rows[name].items()}
    places = {key: row["name"] for key, row in known.rows["places"].items()}
    return {key: f"{places[row['from_place']]} - {places[row['to_place']]}" for key, row in known.rows[name].items()}


def _points(known: References) -> dict[str, list[float]]:
    return {key: [row["lon_deg"], row["lat_deg"]] for key, row in known.rows["places"].items()}


def _link_shapes(known: References) -> dict[str, dict[str, Any]]:
    points = _points(known)
    turns: dict[str, list[list[float]]] = {}
    for row in sorted(known.rows["waypoints"].values(), key=lambda row: row["point_no"]):
        turns.setdefault(row["link_id"], []).append([row["lon_deg"], row["lat_deg"]])
    return {
        key: {"type": "LineString", "coordinates": [points[row["from_place"]], *turns.get(key, []), points[row["to_place"]]]}
        for key, row in known.rows["links"].items()
    }


def _facility_shapes(known: References) -> dict[str, dict[str, Any]]:
    """A facility at its place, else along the links that use it, else at the places of the terminals that do."""
    points, links = _points(known), _link_shapes(known)
    lines: dict[str, dict[str, list[list[float]]]] = {}
    dots: dict[str, dict[str, list[float]]] = {}
    for use in known.rows["facility_uses"].values():
        if use["link_id"] is not None and use["link_id"] in links:
            lines.setdefault(use["facility_id"], {})[use["link_id"]] = links[use["link_id"]]["coordinates"]
        elif use["terminal_id"] is not None and use["terminal_id"] in known.rows["terminals"]:
            place = known.rows["terminals"][use["terminal_id"]]["place_id"]
            dots.setdefault(use["facility_id"], {})[place] = points[place]
    shapes: dict[str, dict[str, Any]] = {}
    for key, row in known.rows["facilities"].items():
        if row["place_id"] is not None:
            shapes[key] = {"type": "Point", "coordinates": points[row["place_id"]]}
        elif key in lines:
            shapes[key] = {"type": "MultiLineString", "coordinates": list(lines[key].values())}
        elif key in dots:
            shapes[key] = {"type": "MultiPoint", "coordinates": list(dots[key].values())}
    return shapes


def _condition(name: str, frame: pl.DataFrame, text: str) -> pl.Expr:
    column, _, rest = text.partition(":")
    operation, sign, value = rest.partition(":")
    if operation not in _OPERATIONS or not sign:
        raise refused(422, "filter_form", table=name, column="filter", text=text, operations=", ".join(_OPERATIONS))
    _require_column(name, frame, column)
    kind = frame.schema[column]
    if operation == "has":
        if kind != pl.String:
            raise refused(422, "filter_no_text", table=name, column=column, name=column)
        return pl.col(column).str.to_lowercase().str.contains(value.lower(), literal=True).fill_null(value=False)
    wanted: str | float | bool = value
    if kind.is_numeric():
        try:
            wanted = float(value)
        except ValueError as error:
            raise refused(422, "filter_no_number", table=name, column=column, name=column, value=value) from error
    elif kind == pl.Boolean:
        if value not in ("true", "false"):
            raise refused(422, "filter_no_truth", table=name, column=column, name=column, value=value)
        wanted = value == "true"
    elif kind != pl.String:
        raise refused(422, "filter_impossible", table=name, column=column, name=column)
    given = pl.col(column)
    return {
        "eq": given == wanted, "ne": given != wanted, "lt": given < wanted, "le": given <= wanted, "gt": given > wanted,
        "ge": given >= wanted,
    }[operation].fill_null(value=False)  # fmt: skip


def _require_column(name: str, frame: pl.DataFrame, column: str) -> None:
    if column not in frame.columns:
        near = nearest(column, frame.columns).removeprefix("; did you mean ").removesuffix("?")
        if near:
            raise refused(422, "no_column_near", table=name, column=column, name=column, where=name, near=near)
        raise refused(422, "no_column", table=name, column=column, name=column, where=name, columns=", ".join(frame.columns))


def _type(kind: pl.DataType) -> str:
    if kind.is_float():
        return "number"
    if kind.is_integer():
        return "whole"
    return "claim" if kind == pl.Boolean else "text"


def _finite(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers that JSON and spreadsheets can hold: what is none is empty."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, kind in frame.schema.items() if kind.base_type() == pl.List]
    return frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists)
